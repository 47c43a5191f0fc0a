/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that a caller of read() or write() names.  Most name one piece, and its pointer is all there is to know;
 * readv(), writev() and io_uring come with an iterator.  To make one for the others, and a kiocb for that, would take
 * as long as half of what a read does here.
 */
#ifndef DEVRING_BUF_H
#define DEVRING_BUF_H

#include <linux/pagemap.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "compat.h"

/**
 * struct devring_buf - what is left of a caller's memory
 * @user: the one piece, which the VFS has seen is the caller's
 * @iter: or what goes over several; NULL: it is one piece
 * @left: bytes
 */
struct devring_buf {
	char __user *user;
	struct iov_iter *iter;
	size_t left;
};

static inline void devring_buf_skip(struct devring_buf *buf, size_t size)
{
	if (likely(!buf->iter))
		buf->user += size;
	buf->left -= size;
}

/* Goes back over @size bytes that were copied. */
static inline void devring_buf_revert(struct devring_buf *buf, size_t size)
{
	if (buf->iter)
		iov_iter_revert(buf->iter, size);
	else
		buf->user -= size;
	buf->left += size;
}

/* Copies a record to the caller under a spinlock, whole or not at all: false if its page is not there. */
static __always_inline bool devring_buf_put(struct devring_buf *buf, const void *record, size_t size)
{
	size_t copied;

	pagefault_disable();
	if (likely(!buf->iter))
		copied = size - __copy_to_user_inatomic(buf->user, record, size);
	else
		copied = copy_to_iter(record, size, buf->iter);
	pagefault_enable();
	if (likely(copied == size)) {
		devring_buf_skip(buf, size);
		return true;
	}
	if (buf->iter)
		iov_iter_revert(buf->iter, copied);
	return false;
}

/* Copies to the caller, and may sleep; returns how much arrived. */
static inline size_t devring_buf_copy(struct devring_buf *buf, const void *from, size_t size)
{
	size_t copied;

	if (!buf->iter)
		copied = size - copy_to_user(buf->user, from, size);
	else
		copied = copy_to_iter(from, size, buf->iter);
	devring_buf_skip(buf, copied);
	return copied;
}

/* Copies from the caller, and may sleep; whole or not at all. */
static __always_inline bool devring_buf_get(struct devring_buf *buf, void *record, size_t size)
{
	if (likely(!buf->iter) ? __copy_from_user(record, buf->user, size) :
	    !copy_from_iter_full(record, size, buf->iter))
		return false;
	devring_buf_skip(buf, size);
	return true;
}

/* Has the pages of the next @size bytes there; false if that cannot be. */
static inline bool devring_buf_fault_in(struct devring_buf *buf, size_t size)
{
	size = min(size, buf->left);
	if (buf->iter)
		return !fault_in_iov_iter_writeable(buf->iter, size);
	return !fault_in_writeable(buf->user, size);
}

#endif /* DEVRING_BUF_H */
