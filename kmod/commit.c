// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a producer writes: commits, which make slots the newest frames, and slots that it gives back.
 *
 * The index in shared memory is written here, and read by no decision.
 */
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include "core.h"
#include "trace.h"

union written_record {
	struct devring_record rec;
	struct devring_commit commit;
	struct devring_return ret;
};

/* What records that were taken are to others: frames, perhaps what one who waits alone waits for, a slot to be had. */
#define TOLD_FRAMES	BIT(0)
#define TOLD_ALONE	BIT(1)
#define TOLD_ROOM	BIT(2)

static void write_entry(struct devring_dev *dev, struct devring_entry *entry, const struct devring_commit *commit,
			u64 now)
{
	entry->slot = commit->slot;
	entry->flags = commit->flags;
	entry->lost_before = commit->lost_before;
	entry->commit_ns = now;
	entry->capture_ns = commit->capture_ns ?: now;
	entry->media_time = commit->media_time;
	entry->trace_id = commit->trace_id;
	entry->format_generation = dev->format.generation;
}

/* Makes the committed slot the newest frame. */
static void publish(struct devring_dev *dev, struct devring_ring *ring, const struct devring_commit *commit, u64 now)
{
	struct devring_slot_state *state = &ring->slots[commit->slot];
	u64 sequence = dev->head;
	struct devring_entry *entry = devring_entry(ring, sequence);
	u32 *named = devring_named_by(ring, sequence);

	/* A frame that was held for long may still be named here. */
	if (*named != DEVRING_NO_SLOT)
		ring->slots[*named].live = false;
	WRITE_ONCE(entry->word, sequence << 1);
	/* Pairs with the acquire fence of a sampling reader: no new content under the old word. */
	smp_wmb();
	write_entry(dev, entry, commit, now);
	WRITE_ONCE(entry->bytes, commit->bytes);
	*named = commit->slot;
	state->sequence = sequence;
	state->live = true;
	state->dirty = true;
	/* Pairs with the acquire load of word: whoever sees it sees the frame. */
	smp_store_release(&entry->word, DEVRING_WORD(sequence));
	/* Pairs with the acquire load of head: whoever sees it sees the word. */
	smp_store_release(&dev->header->head, sequence + 1);
	WRITE_ONCE(dev->head, sequence + 1);
}

/* The partial frame grew. */
static int grow(struct devring_ring *ring, const struct devring_commit *commit)
{
	struct devring_entry *entry = devring_entry(ring, ring->slots[commit->slot].sequence);

	if (commit->bytes < entry->bytes)
		return -EINVAL;
	/* Pairs with the acquire load of bytes: whoever sees the length sees the content. */
	smp_store_release(&entry->bytes, commit->bytes);
	/* Pairs with the acquire load of flags: whoever sees a whole frame sees its length. */
	smp_store_release(&entry->flags, commit->flags);
	return 0;
}

/* Is @slot of @generation with the producer? */
static int check_out(const struct devring_dev *dev, u32 generation, u32 slot)
{
	lockdep_assert_held(&dev->lock);
	if (!dev->ring || generation != dev->ring->geometry.generation)
		return -ESTALE;
	if (slot >= dev->ring->geometry.slots || !dev->ring->slots[slot].out)
		return -EINVAL;
	return 0;
}

/*
 * Would the next frame take the index entry of one that a lossless reader is still to get?  Only where many partial
 * frames were given back, since then there are more sequences than slots.
 */
static bool is_named_by_kept(const struct devring_dev *dev, const struct devring_ring *ring)
{
	u32 slot = *devring_named_by(ring, dev->head);

	return dev->lossless && slot != DEVRING_NO_SLOT && ring->slots[slot].live &&
	       ring->slots[slot].sequence >= dev->keep_from;
}

/* Publishes a slot at the time @now.  The caller wakes the readers. */
static int commit_slot(struct devring_dev *dev, const struct devring_commit *commit, u64 now, u32 *told)
{
	struct devring_ring *ring = dev->ring;
	int ret = check_out(dev, commit->generation, commit->slot);

	if (ret)
		return ret;
	if (commit->bytes > ring->geometry.slot_size)
		return -EINVAL;
	if (likely(ring->partial == DEVRING_NO_SLOT)) {
		if (is_named_by_kept(dev, ring))
			return -EAGAIN;
		publish(dev, ring, commit, now);
	} else {
		ret = ring->partial == commit->slot ? grow(ring, commit) : -EBUSY;
		if (ret)
			return ret;
	}
	if (commit->flags & DEVRING_FRAME_KEY)
		dev->key_head = dev->head;
	if (commit->flags & DEVRING_FRAME_PARTIAL) {
		ring->partial = commit->slot;
	} else {
		ring->partial = DEVRING_NO_SLOT;
		devring_slot_idle(ring, &ring->slots[commit->slot]);
	}
	trace_devring_commit(dev, commit);
	*told |= TOLD_FRAMES;
	if (unlikely(devring_is_time(dev, now)))
		*told |= TOLD_ALONE;
	return 0;
}

/* Takes a slot back unused. */
static int return_slot(struct devring_dev *dev, const struct devring_return *ret)
{
	struct devring_ring *ring = dev->ring;
	int err = check_out(dev, ret->generation, ret->slot);

	if (err)
		return err;
	if (ring->partial == ret->slot)
		devring_slot_end_partial(ring);
	ring->slots[ret->slot].dirty = true;
	devring_slot_untake(ring, ret->slot);
	return 0;
}

static bool is_record(const union written_record *record, u16 kind, size_t size)
{
	return record->rec.kind == kind && record->rec.size == size && !record->rec.flags;
}

/* Reads one record whole; 0 or an error.  All sizes are the compiler's to know: others are checked at each call. */
static int get_record(union written_record *record, struct devring_buf *from)
{
	if (from->left >= sizeof(record->commit) && devring_buf_get(from, record, sizeof(record->commit))) {
		if (likely(is_record(record, DEVRING_RECORD_COMMIT, sizeof(record->commit))))
			return 0;
		devring_buf_revert(from, sizeof(record->commit) - sizeof(record->ret));
		return is_record(record, DEVRING_RECORD_RETURN, sizeof(record->ret)) ? 0 : -EINVAL;
	}
	/* Less is there, or less of it can be read, than the longest record, which is the most frequent one. */
	if (from->left < sizeof(record->rec))
		return -EINVAL;
	if (!devring_buf_get(from, &record->rec, sizeof(record->rec)))
		return -EFAULT;
	if (is_record(record, DEVRING_RECORD_COMMIT, sizeof(record->commit)))
		return from->left < sizeof(record->commit) - sizeof(record->rec) ? -EINVAL : -EFAULT;
	if (!is_record(record, DEVRING_RECORD_RETURN, sizeof(record->ret)) ||
	    from->left < sizeof(record->ret) - sizeof(record->rec))
		return -EINVAL;
	return devring_buf_get(from, &record->rec + 1, sizeof(record->ret) - sizeof(record->rec)) ? 0 : -EFAULT;
}

/* Takes a record; whom it is to be told is added to @told. */
static int take_record(struct devring_file *file, const union written_record *record, u32 *told)
{
	const struct devring_commit *commit = &record->commit;
	struct devring_dev *dev = file->dev;
	bool was_full;
	u64 now;
	int ret;

	spin_lock(&dev->lock);
	now = ktime_get_ns();
	was_full = devring_ring_is_full(dev);
	if (devring_producer_is_dead(file))
		ret = -ENODEV;
	else if (unlikely(record->rec.kind == DEVRING_RECORD_RETURN))
		ret = return_slot(dev, &record->ret);
	else if ((commit->flags & ~DEVRING_FRAME_FLAGS) | commit->reserved0 | commit->reserved1)
		ret = -EINVAL;
	else
		ret = commit_slot(dev, commit, now, told);
	if (unlikely(was_full) && !devring_ring_is_full(dev))
		*told |= TOLD_ROOM;
	if (dev->refused)
		devring_lossless_settle(dev);
	spin_unlock(&dev->lock);
	return ret;
}

/* The memory comes in pieces, so that what is made of it here can stay in registers. */
static ssize_t write_records(struct devring_file *file, loff_t pos, const char __user *user, struct iov_iter *iter,
			     size_t size)
{
	struct devring_buf from = { .user = (char __user *)user, .iter = iter, .left = size };
	union written_record record;
	ssize_t done = 0;
	u32 told = 0;
	int ret;

	if (!file->producer)
		return -EBADF;
	if (pos != DEVRING_POS_RECORDS)
		return -ESPIPE;
	for (;;) {
		ret = get_record(&record, &from);
		if (!ret)
			ret = take_record(file, &record, &told);
		if (ret)
			break;
		done += record.rec.size;
		/* A partial frame can be committed as often as one likes: there may be gigabytes of records. */
		if (!from.left || fatal_signal_pending(current))
			break;
		cond_resched();
	}
	if (told & TOLD_FRAMES && devring_somebody_waits(file->dev))
		devring_wake_frames(file->dev);
	if (unlikely(told & TOLD_ALONE))
		devring_wake_alone(file->dev);
	if (unlikely(told & TOLD_ROOM))
		devring_wake_producer(file->dev);
	return done ?: ret;
}

ssize_t devring_write(struct file *filp, const char __user *user, size_t size, loff_t *pos)
{
	return write_records(filp->private_data, *pos, user, NULL, size);
}

ssize_t devring_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	return write_records(iocb->ki_filp->private_data, iocb->ki_pos, NULL, iter, iov_iter_count(iter));
}
