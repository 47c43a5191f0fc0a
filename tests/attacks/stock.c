// SPDX-License-Identifier: GPL-2.0-only
/* lane: guest */
/* Attacks that need what a stock kernel has, and the user-mode kernel has not: block devices, TCP, memory keys. */
#include <linux/loop.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "readonly.h"
#include "revoked.h"

/* ---- a reader's map, written ---- */

static long by_pkey_mprotect(unsigned char *p, unsigned char *evil)
{
	long result = rc(syscall(SYS_pkey_mprotect, p, PAGE, RW, -1));

	if (!result)
		memcpy(p, evil, BYTES);
	return result;
}

TEST_F(readonly, pkey_mprotect)
{
	ASSERT_EQ(0, mprotect(self->undefended, PAGE, PROT_READ));
	expect_refused(_metadata, self, by_pkey_mprotect, -EACCES);
}

/* A block device on a file in memory, open for direct I/O; all of its bytes are @value. */
static int disk(unsigned char value)
{
	int control, number, device, file = memfd_create("disk", MFD_CLOEXEC);
	static unsigned char block[1 << 16];
	char path[32];

	if (system("modprobe -q loop"))
		return -ENODEV;
	memset(block, value, sizeof(block));
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0 || write(file, block, sizeof(block)) != sizeof(block))
		return -errno;
	number = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	device = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (device < 0 || ioctl(device, LOOP_SET_FD, file) || ioctl(device, LOOP_SET_STATUS64,
	    &(struct loop_info64){ .lo_flags = LO_FLAGS_AUTOCLEAR }))
		return -errno;
	close(file);
	return device;
}

static int evil_disk = -1;

static long by_direct_read(unsigned char *p, unsigned char *evil)
{
	long n = rc(pread(evil_disk, p, 4096, 0));

	return n < 0 ? n : n - 4096;
}

TEST_F(readonly, direct_read)
{
	evil_disk = disk(EVIL);
	ASSERT_LE(0, evil_disk);
	expect_refused(_metadata, self, by_direct_read, -EFAULT);
}

/* ---- a revoked reader, reading on ---- */

static long peek(pid_t pid, unsigned char *p, unsigned char *copy)
{
	long result = 0;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) || waitpid(pid, NULL, __WALL) != pid)
		return -errno;
	for (size_t i = 0; i < FRAME && !result; i += sizeof(long)) {
		errno = 0;
		*(long *)(copy + i) = ptrace(PTRACE_PEEKDATA, pid, p + i, NULL);
		result = -errno;
	}
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return result;
}

static long memory_of(pid_t pid, unsigned char *p, unsigned char *copy)
{
	char path[32];
	long n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
	n = rc(pread(fd, copy, FRAME, (uintptr_t)p));
	close(fd);
	return n == FRAME ? 0 : n;
}

TEST_F(revoked, ptrace)
{
	expect_blind(_metadata, self, peek, 0);
}

TEST_F(revoked, proc_pid_mem)
{
	expect_blind(_metadata, self, memory_of, 0);
}

TEST_F(revoked, direct_write)
{
	int device = disk(0);

	ASSERT_LE(0, device);
	for (int i = 0; i < 2; i++) {
		long result = i ? FRAME : -EFAULT;
		struct victim *v = BOTH[i];
		unsigned char *copy = mmap(NULL, FRAME, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		EXPECT_EQ(result, rc(pwrite(device, v->p, FRAME, 0)));
		ASSERT_EQ(FRAME, pread(device, copy, FRAME, 0));
		EXPECT_EQ(i, is_frame(copy, FRAME, 0));
		cut_off(_metadata, v);
		memset(copy, 0, FRAME);
		ASSERT_EQ(FRAME, pwrite(device, copy, FRAME, 0));
		EXPECT_EQ(result, rc(pwrite(device, v->p, FRAME, 0)));
		EXPECT_EQ(result, rc(pwrite(device, v->untouched, FRAME, 0)));
		ASSERT_EQ(FRAME, pread(device, copy, FRAME, 0));
		EXPECT_TRUE(shows_nothing(copy));
	}
}

/* Two ends of a connection through the loopback device, which is brought up. */
static void connection(ARGS, int ends[2])
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq lo = { .ifr_name = "lo" };
	int listener = socket(AF_INET, SOCK_STREAM, 0), small = 4096, large = 1 << 20, one = 1;
	socklen_t size = sizeof(here);

	ASSERT_EQ(0, ioctl(listener, SIOCGIFFLAGS, &lo));
	lo.ifr_flags |= IFF_UP;
	ASSERT_EQ(0, ioctl(listener, SIOCSIFFLAGS, &lo));
	ASSERT_EQ(0, bind(listener, (struct sockaddr *)&here, size));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&here, &size));
	ASSERT_EQ(0, setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
	ends[1] = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof(large)));
	ASSERT_EQ(0, setsockopt(ends[1], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	ASSERT_EQ(0, connect(ends[1], (struct sockaddr *)&here, size));
	ends[0] = accept(listener, NULL, NULL);
	ASSERT_LE(0, ends[0]);
	close(listener);
}

/* The page waits in a socket behind what its other end has not read yet. */
TEST_F(revoked, zerocopy_send)
{
	static unsigned char before[300000];

	for (int i = 0; i < 2; i++) {
		struct victim *v = BOTH[i];
		unsigned char copy[FRAME];
		int ends[2];

		connection(_metadata, ends);
		ASSERT_EQ(sizeof(before), send(ends[1], before, sizeof(before), 0));
		EXPECT_EQ(i ? FRAME : -EFAULT, rc(send(ends[1], v->p, FRAME, MSG_ZEROCOPY)));
		cut_off(_metadata, v);
		EXPECT_EQ(i ? FRAME : -EFAULT, rc(send(ends[1], v->untouched, FRAME, MSG_ZEROCOPY)));
		for (size_t left = sizeof(before); left;) {
			long n = recv(ends[0], copy, left < FRAME ? left : FRAME, 0);

			ASSERT_LT(0, n);
			left -= n;
		}
		if (i) {
			ASSERT_EQ(FRAME, recv(ends[0], copy, FRAME, MSG_WAITALL));
			EXPECT_TRUE(shows_later(copy));
			ASSERT_EQ(FRAME, recv(ends[0], copy, FRAME, MSG_WAITALL));
			EXPECT_TRUE(shows_nothing(copy));
		}
		close(ends[1]);
		EXPECT_EQ(0, recv(ends[0], copy, FRAME, 0));
		close(ends[0]);
	}
}

TEST_HARNESS_MAIN
