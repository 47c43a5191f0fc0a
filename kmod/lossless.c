// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lossless readers: the producer gets no slot that one of them is still to get, or holds, until its deadline.  Then
 * it is one like all others, and its user has no more of them while this producer is there: reopening wins nothing.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/timekeeping.h>

#include "core.h"
#include "trace.h"

static bool is_lossless(const struct devring_file *file)
{
	return file->flags & DEVRING_READER_LOSSLESS;
}

/* Does @file keep the frame in @slot from being overwritten? */
static bool keeps(const struct devring_file *file, const struct devring_ring *ring, u32 slot)
{
	const struct devring_slot_state *state = &ring->slots[slot];
	u32 i;

	if (!is_lossless(file) || !file->active)
		return false;
	if (state->live && state->sequence >= file->cursor)
		return true;
	for (i = 0; i < file->nr_holds; i++)
		if (file->holds[i].ring == ring && file->holds[i].slot == slot)
			return true;
	return false;
}

/* Does a lossless reader keep @slot? */
bool devring_lossless_keeps(const struct devring_dev *dev, u32 slot)
{
	const struct devring_file *file;

	lockdep_assert_held(&dev->lock);
	if (!dev->lossless)
		return false;
	list_for_each_entry(file, &dev->files, node)
		if (keeps(file, dev->ring, slot))
			return true;
	return false;
}

/* Begins the time of those who keep the oldest slot that is kept; false if none is. */
static bool begin_time(struct devring_dev *dev)
{
	u64 now = ktime_get_ns();
	struct devring_slot_state *state;
	struct devring_file *file;
	bool kept = false;

	list_for_each_entry(state, &dev->ring->idle, node) {
		list_for_each_entry(file, &dev->files, node) {
			if (!keeps(file, dev->ring, state - dev->ring->slots))
				continue;
			kept = true;
			if (file->late_at)
				continue;
			file->late_at = now + file->deadline;
			devring_dev_late_in(dev, file->deadline);
		}
		if (kept)
			return true;
	}
	return false;
}

/* The producer got no slot.  Is it for lossless readers? */
bool devring_lossless_stalls(struct devring_dev *dev)
{
	lockdep_assert_held(&dev->lock);
	dev->stalled = dev->lossless && begin_time(dev);
	return dev->stalled;
}

/* The producer waits no longer: nobody is late. */
void devring_lossless_go_on(struct devring_dev *dev)
{
	struct devring_file *file;

	lockdep_assert_held(&dev->lock);
	if (!dev->stalled)
		return;
	dev->stalled = false;
	list_for_each_entry(file, &dev->files, node)
		file->late_at = 0;
}

/* @file took a frame, or let go of one, or is lossless no more: can the producer go on? */
void devring_lossless_moved(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->lock);
	file->late_at = 0;
	if (!dev->stalled || (!devring_slot_can_take(dev) && begin_time(dev)))
		return;
	devring_lossless_go_on(dev);
	devring_wake_producer(dev);
}

/* @file, if it was one, is a lossless reader no more. */
void devring_lossless_end(struct devring_file *file)
{
	lockdep_assert_held(&file->dev->lock);
	if (!is_lossless(file))
		return;
	file->flags &= ~DEVRING_READER_LOSSLESS;
	file->dev->lossless--;
	devring_lossless_moved(file);
}

static bool was_demoted(const struct devring_dev *dev, kuid_t uid)
{
	u32 i;

	lockdep_assert_held(&dev->lock);
	for (i = 0; i < dev->nr_demoted; i++)
		if (uid_eq(dev->demoted[i], uid))
			return true;
	return false;
}

static void demote(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;

	trace_devring_demoted(dev->id, file->id, file->cursor);
	file->demoted = true;
	if (dev->nr_demoted < ARRAY_SIZE(dev->demoted) && !was_demoted(dev, file->uid))
		dev->demoted[dev->nr_demoted++] = file->uid;
	devring_lossless_end(file);
}

/* The time of somebody who keeps a slot may be over. */
void devring_lossless_expire(struct devring_dev *dev)
{
	u64 now = ktime_get_ns(), next = U64_MAX;
	struct devring_file *file;

	spin_lock(&dev->lock);
	list_for_each_entry(file, &dev->files, node)
		if (is_lossless(file) && file->late_at && file->late_at <= now)
			demote(file);
	list_for_each_entry(file, &dev->files, node)
		if (file->late_at)
			next = min(next, file->late_at);
	if (next != U64_MAX)
		devring_dev_late_in(dev, next > now ? next - now : 0);
	spin_unlock(&dev->lock);
}

/* Has the user of @file had his time, or have too many? */
static int check_demoted(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;
	int ret = 0;

	spin_lock(&dev->lock);
	if (was_demoted(dev, file->uid))
		ret = -ETIME;
	else if (dev->nr_demoted == ARRAY_SIZE(dev->demoted))
		ret = -EUSERS;
	spin_unlock(&dev->lock);
	return ret;
}

/* May @file become what @set asks for?  Its deadline comes back in nanoseconds, 0 if it is not lossless. */
int devring_lossless_check(struct devring_file *file, const struct devring_set_reader *set, u64 *deadline)
{
	const struct devring_dev *dev = file->dev;

	*deadline = 0;
	if (!(set->flags & DEVRING_READER_LOSSLESS))
		return 0;
	if (!(dev->flags & DEVRING_REG_LOSSLESS))
		return -EPERM;
	if (set->deadline_ms > dev->deadline_ms)
		return -EINVAL;
	*deadline = (u64)(set->deadline_ms ?: dev->deadline_ms) * NSEC_PER_MSEC;
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE) ? 0 : check_demoted(file);
}

/* Makes @file lossless with @deadline, or ends that.  Its flags are set by the caller. */
void devring_lossless_set(struct devring_file *file, u64 deadline)
{
	lockdep_assert_held(&file->dev->lock);
	file->deadline = deadline;
	if (!deadline) {
		devring_lossless_end(file);
		return;
	}
	if (!is_lossless(file))
		file->dev->lossless++;
	file->flags |= DEVRING_READER_LOSSLESS;
	devring_lossless_moved(file);
}
