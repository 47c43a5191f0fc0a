/* SPDX-License-Identifier: GPL-2.0-only */
/* io_uring by its system calls, one request at a time. */
#ifndef DEVRING_ATTACKS_URING_H
#define DEVRING_ATTACKS_URING_H

#include <linux/io_uring.h>
#include <sys/syscall.h>

#include "lib.h"

struct uring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static inline void *uring_part(int fd, size_t bytes, uint64_t offset)
{
	return mmap(NULL, bytes, RW, MAP_SHARED, fd, offset);
}

static inline int uring_up(struct uring *u)
{
	struct io_uring_params p = { 0 };
	unsigned char *sq, *cq;

	u->fd = rc(syscall(SYS_io_uring_setup, 4, &p));
	if (u->fd < 0)
		return u->fd;
	sq = uring_part(u->fd, p.sq_off.array + p.sq_entries * 4, IORING_OFF_SQ_RING);
	cq = uring_part(u->fd, p.cq_off.cqes + p.cq_entries * sizeof(*u->cqes), IORING_OFF_CQ_RING);
	u->sqes = uring_part(u->fd, p.sq_entries * sizeof(*u->sqes), IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || u->sqes == MAP_FAILED)
		return -errno;
	u->sq_tail = (void *)(sq + p.sq_off.tail);
	u->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	u->sq_array = (void *)(sq + p.sq_off.array);
	u->cq_head = (void *)(cq + p.cq_off.head);
	u->cq_tail = (void *)(cq + p.cq_off.tail);
	u->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	u->cqes = (void *)(cq + p.cq_off.cqes);
	return 0;
}

/* 1, or a negative errno. */
static inline int uring_submit(struct uring *u, const struct io_uring_sqe *sqe)
{
	unsigned int tail = *u->sq_tail, at = tail & *u->sq_mask;

	u->sqes[at] = *sqe;
	u->sq_array[at] = at;
	__atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
	return rc(syscall(SYS_io_uring_enter, u->fd, 1, 0, 0, NULL, 0));
}

/* The next result. */
static inline int uring_wait(struct uring *u)
{
	unsigned int head = *u->cq_head;
	int result;

	while (__atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE) == head)
		if (syscall(SYS_io_uring_enter, u->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			return -errno;
	result = u->cqes[head & *u->cq_mask].res;
	__atomic_store_n(u->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

static inline int uring_do(struct uring *u, const struct io_uring_sqe *sqe)
{
	int result = uring_submit(u, sqe);

	return result < 0 ? result : uring_wait(u);
}

static inline struct io_uring_sqe uring_io(int opcode, int fd, void *memory, size_t bytes)
{
	return (struct io_uring_sqe){ .opcode = opcode, .fd = fd, .addr = (uintptr_t)memory, .len = bytes,
				      .off = opcode == IORING_OP_RECV ? 0 : -1ULL };
}

static inline int uring_register(struct uring *u, void *memory, size_t bytes)
{
	struct iovec v = { memory, bytes };

	return rc(syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_BUFFERS, &v, 1));
}

#endif
