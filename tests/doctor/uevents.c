// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into devringd: while /tmp/fail-kernel or /tmp/fail-udev is there, its socket for the kernel's events or
 * udevd's fails with EIO, and no new one can be had, as no kernel can be made to do. libusb's own are spared.
 */

#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local int libusb_at_work;

static int fails(unsigned int groups)
{
	/* What libusb's thread reads is libusb's. */
	if (libusb_at_work || syscall(SYS_gettid) != getpid())
		return 0;
	return (groups & 1 && !access("/tmp/fail-kernel", F_OK)) || (groups & 2 && !access("/tmp/fail-udev", F_OK));
}

static int is_uevents(int fd)
{
	int domain = 0, protocol = -1;
	socklen_t size = sizeof(int);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_NETLINK &&
	       !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) && protocol == NETLINK_KOBJECT_UEVENT;
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
	const struct sockaddr_nl *netlink = (const void *)address;

	if (is_uevents(fd) && size >= sizeof(*netlink) && fails(netlink->nl_groups)) {
		errno = EIO;
		return -1;
	}
	return real(fd, address, size);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
	struct sockaddr_nl own = { 0 };
	socklen_t size = sizeof(own);

	if (is_uevents(fd) && !getsockname(fd, (struct sockaddr *)&own, &size) && fails(own.nl_groups)) {
		errno = EIO;
		return -1;
	}
	return real(fd, message, flags);
}

int libusb_init(void **context);

int libusb_init(void **context)
{
	int (*real)(void **) = dlsym(RTLD_NEXT, "libusb_init");
	int result;

	libusb_at_work = 1;
	result = real(context);
	libusb_at_work = 0;
	return result;
}
