// SPDX-License-Identifier: GPL-2.0-only
/* What a producer does: take slots, commit them, and set its device up. */
#include <linux/sched/signal.h>

#include "core.h"

union producer_record {
	struct devring_record rec;
	struct devring_readers readers;
	struct devring_slot slot;
};

static bool has_news(const struct devring_file *file)
{
	return file->told_readers != file->dev->active_count;
}

static void make_slot(const struct devring_ring *ring, u32 slot, struct devring_slot *record)
{
	const struct devring_geometry *geometry = &ring->geometry;

	record->rec.kind = DEVRING_RECORD_SLOT;
	record->generation = geometry->generation;
	record->slot = slot;
	record->offset = geometry->slots_offset + (u64)slot * geometry->slot_stride;
	record->metadata_offset = geometry->metadata_offset + (u64)slot * geometry->metadata_stride;
}

/*
 * Hands out one record; -EFAULT if the page that it goes to is not there.  A slot comes back in @taken if it
 * must be zeroed first: while nobody reads, nothing may stay that the next reader must not see.
 */
static int hand_out(struct devring_file *file, struct devring_buf *to, bool first, u32 *taken)
{
	union producer_record record = { .readers.rec.size = sizeof(record) };
	struct devring_dev *dev = file->dev;
	u32 slot;
	int ret;

	lockdep_assert_held(&dev->lock);
	*taken = DEVRING_NO_SLOT;
	if (devring_producer_is_dead(file))
		return -ENODEV;
	if (first && has_news(file)) {
		record.rec.kind = DEVRING_RECORD_READERS;
		record.readers.readers = dev->active;
		if (!devring_buf_put(to, &record, sizeof(record)))
			return -EFAULT;
		file->told_readers = dev->active_count;
		return 0;
	}
	/* A slot that does not reach its producer costs a frame: the first copy only tells if the page is there. */
	if (devring_slot_can_take(dev)) {
		if (!devring_buf_put(to, &record, sizeof(record)))
			return -EFAULT;
		devring_buf_revert(to, sizeof(record));
	}
	ret = devring_slot_take(dev, &slot);
	if (ret == -EAGAIN && first)
		devring_lossless_stall(dev);
	if (ret)
		return ret;
	make_slot(dev->ring, slot, &record.slot);
	if (!devring_buf_put(to, &record, sizeof(record))) {
		devring_slot_untake(dev->ring, slot);
		return -EFAULT;
	}
	if (!dev->active && dev->ring->slots[slot].dirty && !(dev->flags & DEVRING_REG_KEEP_HISTORY))
		*taken = slot;
	dev->ring->slots[slot].stale = *taken != DEVRING_NO_SLOT;
	return 0;
}

/*
 * Zeroes a slot that was just taken, unless a first reader came and had it done.  The mutex keeps its ring; it has
 * not reached its producer yet.
 */
static void zero_taken(struct devring_dev *dev, u32 generation, u32 slot)
{
	mutex_lock(&dev->mutex);
	if (dev->ring && dev->ring->geometry.generation == generation)
		devring_slot_freshen(dev, slot);
	mutex_unlock(&dev->mutex);
}

ssize_t devring_producer_read(struct devring_file *file, struct devring_buf *to)
{
	struct devring_dev *dev = file->dev;
	u32 taken, generation;
	ssize_t done = 0;
	int ret;

	if (to->left < sizeof(union producer_record))
		return -EINVAL;
	while (to->left >= sizeof(union producer_record)) {
		spin_lock(&dev->lock);
		ret = hand_out(file, to, !done, &taken);
		generation = dev->generation;
		spin_unlock(&dev->lock);
		if (ret == -EFAULT && devring_buf_fault_in(to, sizeof(union producer_record))) {
			if (!signal_pending(current))
				continue;
			ret = -ERESTARTSYS;
		}
		if (ret)
			return done ?: ret;
		if (taken != DEVRING_NO_SLOT)
			zero_taken(dev, generation, taken);
		done += sizeof(union producer_record);
	}
	return done;
}

__poll_t devring_producer_poll(struct devring_file *file, struct file *filp, poll_table *wait)
{
	struct devring_dev *dev = file->dev;
	__poll_t mask = 0;

	poll_wait(filp, &dev->producer_wait, wait);
	/* Pairs with the lock that whoever wakes us has released: enqueue first, then look. */
	smp_mb();
	spin_lock(&dev->lock);
	if (devring_producer_is_dead(file)) {
		mask = EPOLLHUP | EPOLLERR;
	} else {
		mask = has_news(file) ? EPOLLIN | EPOLLRDNORM : 0;
		if (dev->stalled_at || poll_requested_events(wait) & (EPOLLOUT | EPOLLWRNORM))
			devring_lossless_stall(dev);
		if (devring_slot_can_take(dev))
			/* A read() that failed with EAGAIN is worth another try. */
			mask |= EPOLLOUT | EPOLLWRNORM | (dev->resumed_at ? EPOLLIN | EPOLLRDNORM : 0);
	}
	spin_unlock(&dev->lock);
	return mask;
}

/* May @file set its device up? */
static int check_lease(const struct devring_file *file)
{
	if (!devring_is_lease(file))
		return -EACCES;
	return READ_ONCE(file->revoked) || READ_ONCE(file->dev->gone) ? -ENODEV : 0;
}

long devring_set_ring(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data;
	struct devring_set_ring *set = arg;
	struct devring_geometry plan = {
		.slots = set->slots,
		.slot_size = set->slot_size,
		.metadata_size = set->metadata_size,
	};
	struct devring_dev *dev = file->dev;
	struct devring_ring *ring;
	int ret;

	if (set->flags || set->reserved)
		return -EINVAL;
	ret = check_lease(file) ?: devring_geometry_plan(&plan);
	if (ret)
		return ret;
	ring = devring_ring_new(&plan, dev->user);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	mutex_lock(&dev->mutex);
	ret = check_lease(file);
	if (!ret) {
		devring_ring_install(dev, ring);
		set->geometry = ring->geometry;
	}
	mutex_unlock(&dev->mutex);
	if (ret)
		devring_ring_put(ring);
	else
		devring_wake_producer(dev);
	return ret;
}

long devring_set_format(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data;
	struct devring_set_format *set = arg;
	struct devring_dev *dev = file->dev;
	int ret;

	if (set->flags || set->format.generation || set->format.kind > DEVRING_FORMAT_BYTES)
		return -EINVAL;
	mutex_lock(&dev->mutex);
	ret = check_lease(file);
	if (!ret) {
		spin_lock(&dev->lock);
		set->format.generation = dev->format.generation + 1 ?: 1;
		dev->format = set->format;
		dev->state_time = ktime_get_ns();
		devring_dev_write_header(dev);
		spin_unlock(&dev->lock);
	}
	mutex_unlock(&dev->mutex);
	if (ret)
		return ret;
	devring_wake_readers(dev);
	devring_dev_announce(dev, DEVRING_CHANGED_FORMAT);
	return 0;
}

long devring_set_state(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data;
	const struct devring_set_state *set = arg;
	int ret = check_lease(file);

	if (ret)
		return ret;
	if (set->flags)
		return -EINVAL;
	if (set->state == DEVRING_STATE_ERROR ? set->error <= 0 || set->error > MAX_ERRNO :
	    set->state != DEVRING_STATE_AVAILABLE || set->error)
		return -EINVAL;
	mutex_lock(&file->dev->mutex);
	ret = check_lease(file);
	if (!ret) {
		devring_dev_set_state(file->dev, set->state, set->error);
		spin_lock(&file->dev->lock);
		/* Who has nothing to give waits for nobody. */
		if (set->state != DEVRING_STATE_AVAILABLE)
			devring_lossless_go_on(file->dev);
		spin_unlock(&file->dev->lock);
	}
	mutex_unlock(&file->dev->mutex);
	return ret;
}
