// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waking.  Readers wait in one queue of their device, which a commit passes over once.  A reader that wants to be
 * woken for some frames only (SET_READER) waits in a queue of its own, and a commit asks whether it is due:
 * in the common queue it would be scheduled for each frame, only to find that it goes on waiting.  Nor is it asked
 * at each commit: when it was not due, it said what must have been committed before it can be, and the device keeps
 * the least of what all said.
 */
#include "core.h"

#define INPUT	(EPOLLIN | EPOLLRDNORM)
#define ENDS	(INPUT | EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLERR)

/* Wakes all that wait, however they wait: the usual helper would wake one EPOLLEXCLUSIVE waiter only. */
static void wake(struct wait_queue_head *queue, __poll_t key)
{
	__wake_up(queue, TASK_NORMAL, 0, poll_to_key(key));
}

/* Has the next commit that makes the head @head, or a later one, look for who waits alone. */
static void look_from(struct devring_dev *dev, u64 head)
{
	dev->alone_head = min(dev->alone_head, head);
}

/* A cursor may be anywhere that its reader asked for. */
static u64 later(u64 sequence, u32 frames)
{
	return sequence > U64_MAX - frames ? U64_MAX : sequence + frames;
}

/* @file has what it waits for: commits look whether it went and took it. */
void devring_wake_due(struct devring_file *file)
{
	lockdep_assert_held(&file->dev->lock);
	look_from(file->dev, 0);
}

/* There is no frame for @file: commits that cannot bring it one pass it by. */
void devring_wake_expect(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->lock);
	if (file->flags & DEVRING_READER_KEY_ONLY && dev->key_head <= max(file->cursor, file->scanned))
		dev->alone_key = min(dev->alone_key, later(max(file->cursor, file->scanned), 1));
	else if (dev->head <= file->cursor)
		look_from(dev, later(file->cursor, file->wake_frames ?: 1));
	else
		look_from(dev, 0);
}

/* Does a filter let @file wait on, though a frame is due? */
bool devring_wake_held_back(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;
	u64 now;

	lockdep_assert_held(&dev->lock);
	/* What a producer left behind would never become more. */
	if (dev->state != DEVRING_STATE_AVAILABLE)
		return false;
	if (dev->head - file->cursor < file->wake_frames) {
		look_from(dev, later(file->cursor, file->wake_frames));
		return true;
	}
	if (!file->wake_interval)
		return false;
	now = ktime_get_ns();
	if (now >= file->wake_at)
		return false;
	dev->alone_at = min(dev->alone_at, file->wake_at);
	devring_dev_pace_in(dev, file->wake_at - now);
	return true;
}

/* @file was given frames: when may it be woken again?  Who comes a little late keeps the pace. */
void devring_wake_told(struct devring_file *file)
{
	u64 now;

	lockdep_assert_held(&file->dev->lock);
	if (!file->wake_interval)
		return;
	now = ktime_get_ns();
	/* The first frame of a read has set the next time already. */
	if (now < file->wake_at)
		return;
	if (now - file->wake_at > file->wake_interval / 4)
		file->wake_at = now;
	file->wake_at += file->wake_interval;
}

/* From now on @file waits as @set says.  Who waits already stays where it waits. */
void devring_wake_set(struct devring_file *file, const struct devring_set_reader *set)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->lock);
	file->wake_frames = set->wake_frames;
	file->wake_interval = set->wake_rate ? DIV_ROUND_UP(NSEC_PER_SEC, set->wake_rate) : 0;
	file->wake_at = 0;
	devring_wake_due(file);
	if (file->waits_alone || !(set->wake_frames || set->wake_rate || set->flags & DEVRING_READER_KEY_ONLY))
		return;
	list_add_tail(&file->wait_node, &dev->alone);
	WRITE_ONCE(file->waits_alone, true);
}

/* Wakes those who wait alone, if they are due; their poll() itself is to look for @pace. */
static void wake_alone(struct devring_dev *dev, bool pace)
{
	struct devring_file *file;

	spin_lock(&dev->lock);
	/* Each who is asked says anew when it wants to be asked again; who is not there yet will look by itself. */
	dev->alone_head = U64_MAX;
	dev->alone_key = U64_MAX;
	dev->alone_at = U64_MAX;
	list_for_each_entry(file, &dev->alone, wait_node) {
		/* Needs no barrier: whoever starts to wait queues first, and then looks under this lock. */
		if (!pace && !waitqueue_active(&file->wait))
			continue;
		if (!devring_reader_is_due(file))
			continue;
		wake(&file->wait, INPUT);
	}
	spin_unlock(&dev->lock);
}

/* Frames were committed, and somebody waits with all others. */
void devring_wake_frames(struct devring_dev *dev)
{
	wake(&dev->reader_wait, INPUT);
}

/* Frames were committed, and who waits alone may be due. */
void devring_wake_alone(struct devring_dev *dev)
{
	wake_alone(dev, false);
}

/* There are news, made under the lock of @dev. */
void devring_wake_readers(struct devring_dev *dev)
{
	/* Needs no barrier: whoever starts to wait queues first, and then looks under the lock that we had. */
	if (waitqueue_active(&dev->reader_wait))
		wake(&dev->reader_wait, INPUT);
	if (!list_empty(&dev->alone))
		wake_alone(dev, false);
}

/* The time of somebody whose wakes are rated has come. */
void devring_wake_paced(struct devring_dev *dev)
{
	wake_alone(dev, true);
	/* No commit wakes whoever queued with all before it had a filter. */
	if (waitqueue_active(&dev->reader_wait))
		wake(&dev->reader_wait, INPUT);
}

/* What it is woken for was made under the lock of @dev, or is still. */
void devring_wake_producer(struct devring_dev *dev)
{
	/* Needs no barrier, as in devring_wake_readers(). */
	if (waitqueue_active(&dev->producer_wait))
		wake(&dev->producer_wait, INPUT | EPOLLOUT | EPOLLWRNORM);
}

/* Wakes everybody for the worst. */
void devring_wake_all(struct devring_dev *dev)
{
	struct devring_file *file;

	wake(&dev->reader_wait, ENDS);
	wake(&dev->producer_wait, ENDS);
	spin_lock(&dev->lock);
	list_for_each_entry(file, &dev->alone, wait_node)
		wake(&file->wait, ENDS);
	spin_unlock(&dev->lock);
}
