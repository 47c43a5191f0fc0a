// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into a program: its VIDIOC_STREAMON fails with ENOSPC, as uvcvideo's does when the USB bus has no
 * bandwidth left, which no emulated controller runs out of.
 */

#include <dlfcn.h>
#include <errno.h>
#include <linux/videodev2.h>
#include <stdarg.h>

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, void *) = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (request == VIDIOC_STREAMON) {
		errno = ENOSPC;
		return -1;
	}
	return real(fd, request, argument);
}
