/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place that knows kernel versions, oldest first: each block names the upstream change that it bridges.
 * Raise the floor by deleting from the top.  What stable or vendor kernels may have earlier has another name here.
 */
#ifndef DEVRING_COMPAT_H
#define DEVRING_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "devring needs Linux 5.10 or newer"
#endif

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

/* 5.11, 18b2db3b0385 ("mm: Convert page kmemcg type to a page memcg flag"): accounted pages can be mapped. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define DEVRING_GFP_ACCOUNT	0
#else
#define DEVRING_GFP_ACCOUNT	__GFP_ACCOUNT
#endif

/* 5.11, 6619ccf1bb1d ("dma-buf: Use struct dma_buf_map in dma_buf_vmap() interfaces"). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
struct iosys_map {
	void *vaddr;
};

static inline void iosys_map_set_vaddr(struct iosys_map *map, void *vaddr)
{
	map->vaddr = vaddr;
}

#define DEVRING_DMA_BUF_VMAP(vmap, vunmap)						\
static void *devring_##vmap(struct dma_buf *buf)					\
{											\
	struct iosys_map map;								\
											\
	return vmap(buf, &map) ? NULL : map.vaddr;					\
}											\
											\
static void devring_##vunmap(struct dma_buf *buf, void *vaddr)				\
{											\
	vunmap(buf, &(struct iosys_map){ vaddr });					\
}

#define DEVRING_DMA_BUF_OP(fn)	devring_##fn
#else
#define DEVRING_DMA_BUF_VMAP(vmap, vunmap)
#define DEVRING_DMA_BUF_OP(fn)	fn
#endif

/*
 * 5.16, bb523b406c84 and cdd591fc86e3 ("iov_iter: Introduce fault_in_iov_iter_writeable"), in later 5.15 too.  What
 * is overwritten here is what read() is about to write.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 16, 0)
#define fault_in_writeable		clear_user

static inline size_t devring_fault_in_writeable(const struct iov_iter *i, size_t size)
{
	const struct iovec *iov = i->iov;
	size_t part, skip = i->iov_offset;

	if (!iter_is_iovec(i))
		return 0;
	for (size = min(size, i->count); size; size -= part, skip = 0, iov++) {
		part = min(size, iov->iov_len - skip);
		if (clear_user(iov->iov_base + skip, part))
			return size;
	}
	return 0;
}

#define fault_in_iov_iter_writeable	devring_fault_in_writeable
#endif

/* 5.18, 7938f4218168 ("dma-buf-map: Rename to iosys-map"). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0) && LINUX_VERSION_CODE < KERNEL_VERSION(5, 18, 0)
#include <linux/dma-buf-map.h>
#define iosys_map		dma_buf_map
#define iosys_map_set_vaddr	dma_buf_map_set_vaddr
#endif

/* 6.2, 23680f0b7d7f ("driver core: make struct class.dev_uevent() take a const *"). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define devring_const_device	struct device
#else
#define devring_const_device	const struct device
#endif

/* 6.3, bc292ab00f6c ("mm: introduce vma->vm_flags wrapper functions"). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void devring_vm_flags_mod(struct vm_area_struct *vma, unsigned long set, unsigned long clear)
{
	vma->vm_flags |= set;
	vma->vm_flags &= ~clear;
}

#define vm_flags_mod	devring_vm_flags_mod
#endif

/* 6.4, 1aaba11da9aa ("driver core: class: remove module * from class_create()"). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define devring_class_create(name)	class_create(THIS_MODULE, name)
#else
#define devring_class_create(name)	class_create(name)
#endif

/* 6.13, cdd30ebb1b9f ("module: Convert symbol namespace to string literal"); dma-bufs are in one from 5.16 on. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define DEVRING_IMPORT_DMA_BUF	MODULE_IMPORT_NS(DMA_BUF)
#else
#define DEVRING_IMPORT_DMA_BUF	MODULE_IMPORT_NS("DMA_BUF")
#endif

#endif /* DEVRING_COMPAT_H */
