// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lossless readers: the producer gets no slot that one of them is still to get, or holds.
 *
 * When it can have no other slot it is stalled, and a time begins that nothing but a slot taken ends: one that was
 * there for a moment, and is kept again, does not.  Whoever keeps the oldest slot that is kept when its own deadline,
 * counted from there, is over, is demoted: it, and all other lossless readers of its user, are then like everybody
 * else, and the user gets no more while this producer is there.  So a stall lasts no longer than the device's longest
 * deadline, whoever comes, goes or asks meanwhile.
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

/* Is the frame in @state one that a lossless reader is still to get, or holds? */
bool devring_lossless_keeps(const struct devring_dev *dev, const struct devring_slot_state *state)
{
	lockdep_assert_held(&dev->lock);
	return state->kept || (state->live && state->sequence >= dev->keep_from);
}

/* Is it @file who keeps it? */
static bool is_keeper(const struct devring_file *file, const struct devring_ring *ring,
		      const struct devring_slot_state *state)
{
	u32 i;

	if (!is_lossless(file) || !file->active)
		return false;
	if (state->live && state->sequence >= file->cursor)
		return true;
	for (i = 0; i < file->nr_holds; i++)
		if (file->holds[i].ring == ring && &ring->slots[file->holds[i].slot] == state)
			return true;
	return false;
}

/* From which frame on lossless readers are still to get all. */
static void find_keep_from(struct devring_dev *dev)
{
	const struct devring_file *file;

	dev->keep_from = U64_MAX;
	if (!dev->lossless)
		return;
	list_for_each_entry(file, &dev->files, node)
		if (is_lossless(file) && file->active)
			dev->keep_from = min(dev->keep_from, file->cursor);
}

/* The slot with the oldest frame that is kept; NULL if there is none. */
static struct devring_slot_state *oldest_kept(const struct devring_dev *dev)
{
	struct devring_slot_state *state;

	list_for_each_entry(state, &dev->ring->idle, node)
		if (devring_lossless_keeps(dev, state))
			return state;
	return NULL;
}

/* Nobody's time runs: the producer does not wait. */
void devring_lossless_go_on(struct devring_dev *dev)
{
	lockdep_assert_held(&dev->lock);
	dev->stalled_at = 0;
}

/* The producer has a slot, or is another one. */
void devring_lossless_served(struct devring_dev *dev)
{
	devring_lossless_go_on(dev);
	dev->refused = false;
	dev->resumed_at = 0;
}

/* Lossless readers or slots moved: can a producer that was refused go on? */
void devring_lossless_settle(struct devring_dev *dev)
{
	lockdep_assert_held(&dev->lock);
	find_keep_from(dev);
	if (!dev->refused || !devring_slot_can_take(dev))
		return;
	dev->refused = false;
	dev->resumed_at = ktime_get_ns();
	devring_wake_producer(dev);
}

/* Counts the holds of @file among those that keep slots, or no longer. */
static void keep_holds(struct devring_file *file, bool keep)
{
	struct devring_slot_state *state;
	u32 i;

	for (i = 0; i < file->nr_holds; i++) {
		state = &file->holds[i].ring->slots[file->holds[i].slot];
		if (keep)
			state->kept++;
		else
			state->kept--;
	}
}

/* @file, if it was one, is a lossless reader no more. */
void devring_lossless_end(struct devring_file *file)
{
	lockdep_assert_held(&file->dev->lock);
	if (!is_lossless(file))
		return;
	keep_holds(file, false);
	file->flags &= ~DEVRING_READER_LOSSLESS;
	file->dev->lossless--;
	devring_lossless_settle(file->dev);
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

/* @late let its time pass.  Who may have more than others is judged file by file. */
static void demote(struct devring_dev *dev, struct devring_file *late)
{
	struct devring_file *file;

	if (!late->privileged && dev->nr_demoted < ARRAY_SIZE(dev->demoted) && !was_demoted(dev, late->uid))
		dev->demoted[dev->nr_demoted++] = late->uid;
	list_for_each_entry(file, &dev->files, node) {
		if (!is_lossless(file) ||
		    (file != late && (late->privileged || file->privileged || !uid_eq(file->uid, late->uid))))
			continue;
		trace_devring_demoted(file, file->cursor);
		file->demoted = true;
		devring_lossless_end(file);
	}
}

/* Of those who keep the oldest slot that is kept, the one with the shortest deadline; NULL if there is none. */
static struct devring_file *first_to_be_late(const struct devring_dev *dev)
{
	const struct devring_slot_state *state = oldest_kept(dev);
	struct devring_file *file, *first = NULL;

	if (!state)
		return NULL;
	list_for_each_entry(file, &dev->files, node)
		if (is_keeper(file, dev->ring, state) && (!first || file->deadline < first->deadline))
			first = file;
	return first;
}

/* Demotes those whose time is over, until the producer can have a slot, and comes back for who is late next. */
static void demote_late(struct devring_dev *dev, u64 now)
{
	struct devring_file *file;

	/* What was kept again since the producer was told of it, that has yet to find out. */
	while (dev->stalled_at && dev->refused && dev->ring && (file = first_to_be_late(dev))) {
		if (dev->stalled_at + file->deadline > now) {
			devring_dev_late_in(dev, dev->stalled_at + file->deadline - now);
			return;
		}
		demote(dev, file);
	}
}

/* The producer can have no slot.  Does it wait for lossless readers?  Then their time runs from the first time on. */
void devring_lossless_stall(struct devring_dev *dev)
{
	u64 now;

	lockdep_assert_held(&dev->lock);
	if ((dev->stalled_at && dev->refused) || !dev->lossless || devring_ring_is_full(dev) ||
	    devring_slot_can_take(dev))
		return;
	dev->refused = true;
	/* Who has nothing to give waits for nobody. */
	if (!oldest_kept(dev) || dev->state != DEVRING_STATE_AVAILABLE)
		return;
	now = ktime_get_ns();
	/* There was a slot, and it did not come for it in all that time: it was not waiting. */
	if (dev->resumed_at && now - dev->resumed_at > (u64)dev->deadline_ms * NSEC_PER_MSEC)
		dev->stalled_at = 0;
	dev->resumed_at = 0;
	dev->stalled_at = dev->stalled_at ?: now;
	demote_late(dev, now);
}

/* The time of those who keep slots may be over. */
void devring_lossless_expire(struct devring_dev *dev)
{
	spin_lock(&dev->lock);
	if (dev->stalled_at && devring_slot_can_take(dev)) {
		/* It was told, and does not want it. */
		devring_lossless_settle(dev);
		devring_lossless_go_on(dev);
	}
	demote_late(dev, ktime_get_ns());
	spin_unlock(&dev->lock);
}

/*
 * May @file become what @set asks for, @privileged or not?  Its deadline comes back in nanoseconds, 0 if it is not
 * lossless.
 */
int devring_lossless_check(const struct devring_file *file, const struct devring_set_reader *set, bool privileged,
			   u64 *deadline)
{
	const struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->lock);
	*deadline = 0;
	if (!(set->flags & DEVRING_READER_LOSSLESS))
		return 0;
	if (!(dev->flags & DEVRING_REG_LOSSLESS))
		return -EPERM;
	if (set->deadline_ms > dev->deadline_ms)
		return -EINVAL;
	*deadline = (u64)(set->deadline_ms ?: dev->deadline_ms) * NSEC_PER_MSEC;
	if (privileged)
		return 0;
	if (was_demoted(dev, file->uid))
		return -ETIME;
	return dev->nr_demoted == ARRAY_SIZE(dev->demoted) ? -EUSERS : 0;
}

/* Makes @file lossless with @deadline, or ends that. */
void devring_lossless_set(struct devring_file *file, u64 deadline, bool privileged)
{
	lockdep_assert_held(&file->dev->lock);
	file->deadline = deadline;
	file->privileged = privileged;
	if (!deadline) {
		devring_lossless_end(file);
		return;
	}
	if (!is_lossless(file)) {
		file->flags |= DEVRING_READER_LOSSLESS;
		file->dev->lossless++;
		keep_holds(file, true);
	}
	devring_lossless_settle(file->dev);
}
