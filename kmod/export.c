// SPDX-License-Identifier: GPL-2.0-only
/*
 * EXPORT: a slot as a dma-buf, for drivers that fill it.  Only its producer gets one: whoever has it writes.
 *
 * The dma-buf keeps the memory of its ring, and what that is charged, until the last driver lets go.  So what a driver
 * still writes when the ring is replaced goes into pages that no later generation has; readers who hold frames of it
 * may see that, for as long as it is kept for them.
 */
#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "core.h"

/* The pages of one slot: @ring keeps them. */
struct slot_pages {
	struct devring_ring *ring;
	struct page **pages;
	unsigned int nr;
};

static struct sg_table *buf_map(struct dma_buf_attachment *attachment, enum dma_data_direction direction)
{
	const struct slot_pages *slot = attachment->dmabuf->priv;
	struct sg_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	int ret;

	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table_from_pages(table, slot->pages, slot->nr, 0, (unsigned long)slot->nr << PAGE_SHIFT,
					GFP_KERNEL);
	if (ret)
		goto err_free;
	ret = dma_map_sgtable(attachment->dev, table, direction, 0);
	if (ret)
		goto err_table;
	return table;

err_table:
	sg_free_table(table);
err_free:
	kfree(table);
	return ERR_PTR(ret);
}

static void buf_unmap(struct dma_buf_attachment *attachment, struct sg_table *table, enum dma_data_direction direction)
{
	dma_unmap_sgtable(attachment->dev, table, direction, 0);
	sg_free_table(table);
	kfree(table);
}

/* For drivers whose processor fills the slot. */
static int buf_vmap(struct dma_buf *buf, struct iosys_map *map)
{
	const struct slot_pages *slot = buf->priv;
	void *address = vmap(slot->pages, slot->nr, VM_MAP, PAGE_KERNEL);

	if (!address)
		return -ENOMEM;
	iosys_map_set_vaddr(map, address);
	return 0;
}

static void buf_vunmap(struct dma_buf *buf, struct iosys_map *map)
{
	vunmap(map->vaddr);
}

static void buf_release(struct dma_buf *buf)
{
	struct slot_pages *slot = buf->priv;

	devring_ring_put(slot->ring);
	kfree(slot);
}

DEVRING_DMA_BUF_VMAP(buf_vmap, buf_vunmap)

/* No mmap: the producer has the ring's own. */
static const struct dma_buf_ops buf_ops = {
	.map_dma_buf = buf_map,
	.unmap_dma_buf = buf_unmap,
	.vmap = DEVRING_DMA_BUF_OP(buf_vmap),
	.vunmap = DEVRING_DMA_BUF_OP(buf_vunmap),
	.release = buf_release,
};

/* The ring of @args, referenced, if @file is its producer. */
static struct devring_ring *get_ring(struct devring_file *file, const struct devring_export *args)
{
	struct devring_dev *dev = file->dev;
	struct devring_ring *ring;

	mutex_lock(&dev->mutex);
	ring = dev->ring;
	if (file->revoked || dev->gone)
		ring = ERR_PTR(-ENODEV);
	else if (!ring || ring->geometry.generation != args->generation)
		ring = ERR_PTR(-ESTALE);
	else if (args->slot >= ring->geometry.slots)
		ring = ERR_PTR(-EINVAL);
	else
		devring_ring_get(ring);
	mutex_unlock(&dev->mutex);
	return ring;
}

static struct slot_pages *slot_pages_new(struct devring_ring *ring, u32 slot)
{
	const struct devring_geometry *geometry = &ring->geometry;
	struct slot_pages *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);

	if (!new)
		return NULL;
	new->ring = ring;
	new->nr = geometry->slot_stride >> PAGE_SHIFT;
	new->pages = ring->pages + ((geometry->slots_offset - geometry->ring_offset) >> PAGE_SHIFT) +
		     (unsigned long)slot * new->nr;
	return new;
}

struct file *devring_export(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data;
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	const struct devring_export *args = arg;
	struct devring_ring *ring;
	struct slot_pages *slot;
	struct dma_buf *buf;

	/* Whoever opens a sink is its producer, and its ring is its registrant's. */
	if (!file->producer || !devring_is_lease(file))
		return ERR_PTR(-EACCES);
	if (args->flags)
		return ERR_PTR(-EINVAL);
	ring = get_ring(file, args);
	if (IS_ERR(ring))
		return ERR_CAST(ring);
	slot = slot_pages_new(ring, args->slot);
	if (!slot) {
		devring_ring_put(ring);
		return ERR_PTR(-ENOMEM);
	}
	info.ops = &buf_ops;
	info.size = ring->geometry.slot_stride;
	info.flags = O_RDWR;
	info.priv = slot;
	buf = dma_buf_export(&info);
	if (IS_ERR(buf)) {
		devring_ring_put(ring);
		kfree(slot);
		return ERR_CAST(buf);
	}
	return buf->file;
}

DEVRING_IMPORT_DMA_BUF;
