// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "discovery.h"
#include "log.h"

#define KERNEL_GROUP	1

struct netlink {
	struct source_calls calls;
	struct nl_sock *socket;
	sd_event_source *source;
};

/* A uevent is "ACTION@PATH", and then KEY=VALUE, all ended by NULs. */
static const char *value_of(const char *text, size_t length, const char *key)
{
	size_t key_length = strlen(key);
	const char *end = text + length;

	for (; text < end; text += strlen(text) + 1)
		if (!strncmp(text, key, key_length) && text[key_length] == '=')
			return text + key_length + 1;
	return NULL;
}

static unsigned int number(const char *text, size_t length, const char *key)
{
	const char *value = value_of(text, length, key);

	return value ? strtoul(value, NULL, 10) : 0;
}

static bool is_ours(const char *subsystem, const char *devtype)
{
	if (!strcmp(subsystem, "usb"))
		return devtype && !strcmp(devtype, "usb_device");
	return !strcmp(subsystem, "video4linux") || !strcmp(subsystem, "sound");
}

static void on_uevent(struct netlink *n, const char *text, size_t length)
{
	const char *path = value_of(text, length, "DEVPATH");
	const char *seqnum = value_of(text, length, "SEQNUM");
	char syspath[512];
	struct discovery_event event = {
		.source = "kernel",
		.action = value_of(text, length, "ACTION"),
		.subsystem = value_of(text, length, "SUBSYSTEM"),
		.syspath = syspath,
		.seqnum = seqnum ? strtoull(seqnum, NULL, 10) : 0,
		.product = value_of(text, length, "PRODUCT"),
		.bus = number(text, length, "BUSNUM"),
		.address = number(text, length, "DEVNUM"),
	};

	if (!event.action || !path || !event.subsystem ||
	    !is_ours(event.subsystem, value_of(text, length, "DEVTYPE")))
		return;
	snprintf(syspath, sizeof(syspath), "/sys%s", path);
	n->calls.event(n->calls.user, &event);
}

/* Any program may send to the group: only what the kernel itself sent counts. */
static bool from_kernel(struct msghdr *message)
{
	const struct sockaddr_nl *from = message->msg_name;
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct ucred who;

	if (message->msg_namelen < sizeof(*from) || from->nl_pid || !c ||
	    c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(&who, CMSG_DATA(c), sizeof(who));
	return !who.pid && !who.uid;
}

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct netlink *n = user;
	char text[8192], control[CMSG_SPACE(sizeof(struct ucred))];
	unsigned int most = 64;		/* at a time, so that frames flow during a storm */

	(void)source;
	while (most--) {
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { text, sizeof(text) - 1 };
		struct msghdr message = {
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
			.msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
		};
		ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);

		if (length >= 0) {
			text[length] = '\0';
			if (from_kernel(&message))
				on_uevent(n, text, (size_t)length);
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == ENOBUFS)
			n->calls.overflow(n->calls.user);
		else if (errno != EAGAIN || revents & EPOLLHUP)
			n->calls.failed(n->calls.user, errno == EAGAIN ? EPIPE : errno);
		break;
	}
	return 0;
}

struct netlink *netlink_open(sd_event *event, unsigned int buffer, const struct source_calls *calls)
{
	struct netlink *n = calloc(1, sizeof(*n));
	int error;

	if (!n)
		return NULL;
	n->calls = *calls;
	n->socket = nl_socket_alloc();
	if (!n->socket)
		goto bad;
	nl_join_groups(n->socket, KERNEL_GROUP);
	error = nl_connect(n->socket, NETLINK_KOBJECT_UEVENT);
	if (!error)
		error = nl_socket_set_passcred(n->socket, 1);
	if (!error)
		error = nl_socket_set_nonblocking(n->socket);
	if (error) {
		log_device(LOG_DEBUG, NULL, NULL, "cannot listen to kernel events: %s",
			   nl_geterror(error));
		errno = EIO;
		goto bad;
	}
	nl_socket_set_buffer_size(n->socket, (int)buffer, 0);
	error = sd_event_add_io(event, &n->source, nl_socket_get_fd(n->socket), EPOLLIN, on_socket,
				n);
	if (error < 0) {
		errno = -error;
		goto bad;
	}
	return n;
bad:
	error = errno ? errno : ENOMEM;
	netlink_close(n);
	errno = error;
	return NULL;
}

void netlink_close(struct netlink *n)
{
	if (!n)
		return;
	sd_event_source_disable_unref(n->source);
	if (n->socket)
		nl_socket_free(n->socket);
	free(n);
}
