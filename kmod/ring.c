// SPDX-License-Identifier: GPL-2.0-only
/* Rings: the memory of a generation, and how one generation follows another. */
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "core.h"
#include "trace.h"

#define WINDOW_BYTES	BIT_ULL(DEVRING_WINDOW_SHIFT)

/*
 * Lays out a ring of the slots, slot_size and metadata_size that are in @geometry.  Offsets are those of a window
 * at 0: devring_ring_install() moves them to where the generation's window is.
 */
int devring_geometry_plan(struct devring_geometry *geometry)
{
	u64 index, metadata, slots, end;

	if (geometry->slots < DEVRING_SLOTS_MIN || geometry->slots > DEVRING_SLOTS_MAX ||
	    !geometry->slot_size || geometry->slot_size > DEVRING_SLOT_SIZE_MAX ||
	    geometry->metadata_size > DEVRING_METADATA_MAX)
		return -EINVAL;
	geometry->entries = roundup_pow_of_two(geometry->slots);
	geometry->entry_stride = DEVRING_ENTRY_STRIDE;
	geometry->slot_stride = PAGE_ALIGN(geometry->slot_size);
	geometry->metadata_stride = ALIGN(geometry->metadata_size, 64);

	index = PAGE_ALIGN((u64)geometry->entries * geometry->entry_stride);
	metadata = PAGE_ALIGN((u64)geometry->slots * geometry->metadata_stride);
	if (check_mul_overflow((u64)geometry->slots, (u64)geometry->slot_stride, &slots) ||
	    check_add_overflow(DEVRING_INDEX_START + index + metadata, slots, &end) || end > WINDOW_BYTES)
		return -EOVERFLOW;
	geometry->ring_offset = DEVRING_INDEX_START;
	geometry->metadata_offset = geometry->ring_offset + index;
	geometry->slots_offset = geometry->metadata_offset + metadata;
	geometry->ring_bytes = end - geometry->ring_offset;
	return 0;
}

/* Allocates @n zeroed pages, physically contiguous as far as memory has it, each with a count of its own. */
static int alloc_run(struct page **pages, unsigned long n)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | DEVRING_GFP_ACCOUNT;
	unsigned long i, piece = SZ_4M >> PAGE_SHIFT;
	void *memory;

	while (n) {
		if (fatal_signal_pending(current))
			return -EINTR;
		piece = min(piece, n);
		memory = alloc_pages_exact(piece << PAGE_SHIFT,
					   gfp | (piece > 1 ? __GFP_NORETRY : __GFP_RETRY_MAYFAIL));
		if (!memory) {
			if (piece == 1)
				return -ENOMEM;
			piece /= 2;
			continue;
		}
		for (i = 0; i < piece; i++)
			*pages++ = virt_to_page(memory + (i << PAGE_SHIFT));
		n -= piece;
		cond_resched();
	}
	return 0;
}

static int alloc_pages_of(struct devring_ring *ring)
{
	const struct devring_geometry *geometry = &ring->geometry;
	unsigned long head = (geometry->slots_offset - geometry->ring_offset) >> PAGE_SHIFT;
	unsigned long each = geometry->slot_stride >> PAGE_SHIFT;
	unsigned int i;
	int ret;

	ret = alloc_run(ring->pages, head);
	for (i = 0; !ret && i < geometry->slots; i++)
		ret = alloc_run(ring->pages + head + i * each, each);
	return ret;
}

static void init_slots(struct devring_ring *ring)
{
	unsigned int i;

	INIT_LIST_HEAD(&ring->idle);
	for (i = 0; i < ring->geometry.slots; i++)
		list_add_tail(&ring->slots[i].node, &ring->idle);
	for (i = 0; i < ring->geometry.entries; i++)
		ring->by_entry[i] = DEVRING_NO_SLOT;
	ring->partial = DEVRING_NO_SLOT;
}

/* Frees a ring that no map shows any more.  Pages that a producer has pinned live on, unseen, until unpinned. */
static void ring_free(struct devring_ring *ring)
{
	unsigned long i;

	for (i = 0; ring->pages && i < ring->nr_pages && ring->pages[i]; i++) {
		__free_page(ring->pages[i]);
		cond_resched();
	}
	devring_uncharge(ring->user, DEVRING_QUOTA_BYTES, ring->geometry.ring_bytes);
	devring_user_put(ring->user);
	kvfree(ring->pages);
	kvfree(ring->slots);
	kvfree(ring->by_entry);
	kfree(ring);
}

void devring_ring_get(struct devring_ring *ring)
{
	refcount_inc(&ring->refs);
}

/* Lets go of a ring that no map shows any more, or of none. */
void devring_ring_put(struct devring_ring *ring)
{
	if (ring && refcount_dec_and_test(&ring->refs))
		ring_free(ring);
}

/* Allocates a ring after @plan, charged to @user and to the caller's memory cgroup. */
struct devring_ring *devring_ring_new(const struct devring_geometry *plan, struct devring_user *user)
{
	struct devring_ring *ring;
	int ret;

	ret = devring_charge(user, DEVRING_QUOTA_BYTES, plan->ring_bytes);
	if (ret)
		return ERR_PTR(ret);
	ret = -ENOMEM;
	ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	if (!ring) {
		devring_uncharge(user, DEVRING_QUOTA_BYTES, plan->ring_bytes);
		return ERR_PTR(ret);
	}
	refcount_set(&ring->refs, 1);
	devring_user_hold(user);
	ring->user = user;
	ring->geometry = *plan;
	ring->nr_pages = plan->ring_bytes >> PAGE_SHIFT;
	ring->pages = kvcalloc(ring->nr_pages, sizeof(*ring->pages), GFP_KERNEL_ACCOUNT);
	ring->slots = kvcalloc(plan->slots, sizeof(*ring->slots), GFP_KERNEL_ACCOUNT);
	ring->by_entry = kvcalloc(plan->entries, sizeof(*ring->by_entry), GFP_KERNEL_ACCOUNT);
	if (ring->pages && ring->slots && ring->by_entry)
		ret = alloc_pages_of(ring);
	if (ret) {
		ring_free(ring);
		return ERR_PTR(ret);
	}
	init_slots(ring);
	return ring;
}

/* Takes a ring out of all maps, or out of the producers' only. */
static void zap_maps(struct devring_dev *dev, const struct devring_ring *ring, bool readers)
{
	struct devring_file *file;

	lockdep_assert_held(&dev->mutex);
	list_for_each_entry(file, &dev->files, node)
		if (file->producer || readers)
			unmap_mapping_range(file->inode->i_mapping, ring->geometry.ring_offset,
					    ring->geometry.ring_bytes, 1);
}

/* Ends a ring that faults cannot find any more. */
static void bury(struct devring_dev *dev, struct devring_ring *ring)
{
	if (!ring)
		return;
	zap_maps(dev, ring, true);
	spin_lock(&dev->lock);
	dev->bytes -= ring->geometry.ring_bytes;
	spin_unlock(&dev->lock);
	devring_ring_put(ring);
}

/* Gives @ring its generation, and with it its place in the file. */
static void place(struct devring_dev *dev, struct devring_ring *ring)
{
	struct devring_geometry *geometry = &ring->geometry;
	u64 window;

	lockdep_assert_held(&dev->lock);
	dev->geometry = *geometry;
	WRITE_ONCE(dev->generation, dev->generation + 1 ?: 1);
	geometry->generation = dev->generation;
	window = (u64)(dev->generation % DEVRING_WINDOWS) << DEVRING_WINDOW_SHIFT;
	geometry->ring_offset += window;
	geometry->metadata_offset += window;
	geometry->slots_offset += window;
	ring->tail = dev->head;
	ring->needed = 2;
	dev->bytes += geometry->ring_bytes;
}

/*
 * Puts @ring, or nothing, in the place of the ring in force.  That one stays a while for readers that hold its
 * frames; at most one does, so what was kept before goes now.
 */
void devring_ring_install(struct devring_dev *dev, struct devring_ring *ring)
{
	struct devring_ring *before, *kept = NULL, *older;

	lockdep_assert_held(&dev->mutex);
	down_write(&dev->map_sem);
	spin_lock(&dev->lock);
	devring_lossless_go_on(dev);
	older = dev->old;
	if (older)
		devring_holds_break(dev, older);
	before = dev->ring;
	if (before) {
		devring_slots_recall(before);
		if (ring && before->held)
			kept = before;
		else
			devring_holds_break(dev, before);
	}
	if (ring)
		place(dev, ring);
	dev->old = kept;
	dev->ring = ring;
	devring_lossless_settle(dev);
	devring_dev_write_header(dev);
	spin_unlock(&dev->lock);
	up_write(&dev->map_sem);

	trace_devring_ring(dev->id, ring ? ring->geometry.generation : 0, ring ? ring->geometry.ring_bytes : 0);
	bury(dev, older);
	if (kept) {
		/* What a producer does to its old map must not show in a frame that is held. */
		zap_maps(dev, kept, false);
		kept->expires = jiffies + DEVRING_LINGER;
		devring_dev_tidy_in(dev, DEVRING_LINGER);
	} else {
		bury(dev, before);
	}
	devring_wake_readers(dev);
	devring_dev_announce(dev, DEVRING_CHANGED_GENERATION);
}

/* Ends the kept generation if nobody holds anything of it, or for too long. */
static void tidy_old(struct devring_dev *dev)
{
	struct devring_ring *old = dev->old;

	lockdep_assert_held(&dev->mutex);
	if (!old)
		return;
	/* Whoever ends the last hold meanwhile has this done again. */
	if (data_race(old->held) && time_before(jiffies, old->expires)) {
		devring_dev_tidy_in(dev, old->expires - jiffies);
		return;
	}
	down_write(&dev->map_sem);
	spin_lock(&dev->lock);
	devring_holds_break(dev, old);
	dev->old = NULL;
	spin_unlock(&dev->lock);
	up_write(&dev->map_sem);
	bury(dev, old);
}

/* Zeroes or frees what outlived its time; may be called at any time. */
void devring_ring_tidy(struct devring_dev *dev)
{
	lockdep_assert_held(&dev->mutex);
	tidy_old(dev);
	if (!dev->offline_expires)
		return;
	/* Once the last file has left, these works are being cancelled, and what is queued may be dropped. */
	if (time_before(jiffies, dev->offline_expires) && !(READ_ONCE(dev->gone) && !devring_has_files(dev))) {
		devring_dev_tidy_in(dev, dev->offline_expires - jiffies);
		return;
	}
	dev->offline_expires = 0;
	/* Who comes next gets a new ring anyway. */
	if (READ_ONCE(dev->gone) || !(dev->active || dev->flags & DEVRING_REG_KEEP_HISTORY))
		devring_ring_install(dev, NULL);
	else
		devring_ring_scrub(dev);
}

/* Overwrites a slot and its metadata with zeros. */
static void slot_zero(struct devring_ring *ring, u32 slot)
{
	const struct devring_geometry *geometry = &ring->geometry;
	u64 at = (u64)slot * geometry->metadata_stride + geometry->metadata_offset - geometry->ring_offset;
	unsigned long page = (geometry->slots_offset - geometry->ring_offset +
			      (u64)slot * geometry->slot_stride) >> PAGE_SHIFT;
	unsigned long i;
	u32 left, part;

	for (i = 0; i < geometry->slot_stride >> PAGE_SHIFT; i++) {
		clear_page(page_address(ring->pages[page + i]));
		cond_resched();
	}
	for (left = geometry->metadata_stride; left; left -= part, at += part) {
		part = min_t(u32, left, PAGE_SIZE - offset_in_page(at));
		memset(page_address(ring->pages[at >> PAGE_SHIFT]) + offset_in_page(at), 0, part);
	}
}

/* Zeroes a slot that the producer has just taken, if it still is as it was then. */
void devring_slot_freshen(struct devring_dev *dev, u32 slot)
{
	struct devring_slot_state *state = &dev->ring->slots[slot];
	bool stale;

	lockdep_assert_held(&dev->mutex);
	spin_lock(&dev->lock);
	stale = state->out && state->stale;
	state->stale = false;
	spin_unlock(&dev->lock);
	if (stale)
		slot_zero(dev->ring, slot);
}

/* Slots that the producer has, and held ones, stay, but for those that it is just taking. */
static void slot_scrub(struct devring_dev *dev, u32 slot)
{
	struct devring_ring *ring = dev->ring;
	struct devring_slot_state *state = &ring->slots[slot];

	devring_slot_freshen(dev, slot);
	spin_lock(&dev->lock);
	if (state->out || state->holds || !state->dirty) {
		spin_unlock(&dev->lock);
		return;
	}
	devring_slot_retire(ring, slot);
	list_del_init(&state->node);
	ring->zeroing++;
	spin_unlock(&dev->lock);

	slot_zero(ring, slot);

	spin_lock(&dev->lock);
	state->dirty = false;
	ring->zeroing--;
	list_add(&state->node, &ring->idle);
	spin_unlock(&dev->lock);
}

/*
 * Zeroes what is in the slots, so that nobody sees what was captured before he was let in: nobody holds anything when
 * the first reader comes.
 */
void devring_ring_scrub(struct devring_dev *dev)
{
	struct devring_ring *ring = dev->ring;
	u32 slot;

	lockdep_assert_held(&dev->mutex);
	if (!ring || dev->flags & DEVRING_REG_KEEP_HISTORY)
		return;
	spin_lock(&dev->lock);
	for (slot = 0; slot < ring->geometry.slots; slot++) {
		if (!ring->slots[slot].dirty && !ring->slots[slot].stale)
			continue;
		spin_unlock(&dev->lock);
		slot_scrub(dev, slot);
		spin_lock(&dev->lock);
	}
	spin_unlock(&dev->lock);
}
