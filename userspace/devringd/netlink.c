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

#include "log.h"
#include "udev.h"

#define KERNEL_GROUP	1

struct netlink {
	struct discovery_calls calls;
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

static void on_uevent(struct netlink *n, const char *text, size_t length)
{
	const char *action = value_of(text, length, "ACTION");
	const char *path = value_of(text, length, "DEVPATH");
	const char *subsystem = value_of(text, length, "SUBSYSTEM");
	char syspath[512];

	if (!action || !path || !subsystem ||
	    (strcmp(subsystem, "video4linux") && strcmp(subsystem, "sound")))
		return;
	if (strcmp(action, "remove")) {
		n->calls.doubt(n->calls.user);
		return;
	}
	snprintf(syspath, sizeof(syspath), "/sys%s", path);
	n->calls.gone(n->calls.user, syspath);
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

	(void)source;
	(void)revents;
	for (;;) {
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { text, sizeof(text) - 1 };
		struct msghdr message = {
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
			.msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
		};
		ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);

		if (length < 0 && errno == ENOBUFS) {
			log_info("kernel events came faster than they could be read; listing again");
			n->calls.doubt(n->calls.user);
			continue;
		}
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return 0;
		text[length] = '\0';
		if (from_kernel(&message))
			on_uevent(n, text, length);
	}
}

struct netlink *netlink_open(sd_event *event, const struct discovery_calls *calls)
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
		log_error("cannot listen to kernel events: %s", nl_geterror(error));
		errno = EIO;
		goto bad;
	}
	nl_socket_set_buffer_size(n->socket, 1 << 20, 0);
	error = sd_event_add_io(event, &n->source, nl_socket_get_fd(n->socket), EPOLLIN, on_socket,
				n);
	if (error < 0) {
		errno = -error;
		goto bad;
	}
	return n;
bad:
	netlink_close(n);
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
