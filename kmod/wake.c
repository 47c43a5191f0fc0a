// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waking.  Readers wait in one queue of their device, which a commit passes over once.  A reader that wants to be
 * woken for some frames only (SET_READER) waits in a queue of its own, and a commit asks whether it is due:
 * in the common queue it would be scheduled for each frame, only to find that it goes on waiting.
 */
#include "core.h"

#define NEWS	(EPOLLIN | EPOLLRDNORM)
#define ENDS	(NEWS | EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLERR)

/* Wakes all that wait, however they wait: the usual helper would wake one EPOLLEXCLUSIVE waiter only. */
static void wake(struct wait_queue_head *queue, __poll_t key)
{
	__wake_up(queue, TASK_NORMAL, 0, poll_to_key(key));
}

/* Where @file waits. */
struct wait_queue_head *devring_wake_queue(struct devring_file *file)
{
	return READ_ONCE(file->waits_alone) ? &file->wait : &file->dev->reader_wait;
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
	if (dev->head - file->cursor < file->wake_frames)
		return true;
	if (!file->wake_interval)
		return false;
	now = ktime_get_ns();
	if (now >= file->wake_at)
		return false;
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
	if (file->waits_alone || !(set->wake_frames || set->wake_rate || set->flags & DEVRING_READER_KEY_ONLY))
		return;
	file->may_wait_with_all = file->active;
	list_add_tail(&file->wait_node, &dev->alone);
	WRITE_ONCE(file->waits_alone, true);
}

/* Wakes those who wait alone, if they are due. */
static void wake_due(struct devring_dev *dev, bool paced)
{
	struct devring_file *file;
	bool all = false;

	spin_lock(&dev->lock);
	list_for_each_entry(file, &dev->alone, wait_node) {
		/* Needs no barrier: whoever starts to wait queues first, and then looks under this lock. */
		if (!paced && !waitqueue_active(&file->wait))
			continue;
		if (!devring_reader_is_due(file))
			continue;
		wake(&file->wait, NEWS);
		all |= file->may_wait_with_all;
	}
	spin_unlock(&dev->lock);
	/* No commit wakes whoever queued with all before it had a filter. */
	if (paced && all)
		wake(&dev->reader_wait, NEWS);
}

/* There are frames, or news. */
void devring_wake_readers(struct devring_dev *dev)
{
	wake(&dev->reader_wait, NEWS);
	if (!list_empty(&dev->alone))
		wake_due(dev, false);
}

/* The time of somebody whose wakes are rated has come. */
void devring_wake_paced(struct devring_dev *dev)
{
	wake_due(dev, true);
}

void devring_wake_producer(struct devring_dev *dev)
{
	wake(&dev->producer_wait, NEWS | EPOLLOUT | EPOLLWRNORM);
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
