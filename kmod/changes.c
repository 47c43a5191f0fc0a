// SPDX-License-Identifier: GPL-2.0-only
/*
 * What changed, for those who follow the control node.
 *
 * All devices hang on one list in order of their last change, and a listener is a place in it: nothing is queued
 * or allocated for anybody, and nobody can make another lose a lasting change.  Removals, which leave no device
 * behind, are remembered in a table of fixed size; who is further behind than that is told to start over.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core.h"

struct removal {
	u64 change;
	u64 id;
	u32 type;
	u32 flags;
	u32 minor;
	char name[DEVRING_NAME_SIZE];
	char link[DEVRING_LINK_SIZE];
};

/**
 * struct listener - an open control node
 * @mutex: one read() at a time
 * @cursor: latest change that it was told
 * @removals: removals that it was told, of all there ever were
 * @record: the record being told
 */
struct listener {
	struct mutex mutex;	/* covers all members; is_due() looks without it */
	u64 cursor;
	u64 removals;
	struct devring_change record;
};

static DEFINE_SPINLOCK(changes_lock);	/* covers all that follows, and the change members of devring_dev */
static LIST_HEAD(changes);		/* devices, latest change last */
static u64 last_change;
static u64 removed;			/* removals there ever were */
static struct removal removals[DEVRING_REMOVALS_MAX];

static DECLARE_WAIT_QUEUE_HEAD(changes_wait);

static void wake_listeners(void)
{
	__wake_up(&changes_wait, TASK_NORMAL, 0, poll_to_key(EPOLLIN | EPOLLRDNORM));
}

static void mark(struct devring_dev *dev, u32 changed)
{
	unsigned int bit;

	lockdep_assert_held(&changes_lock);
	dev->change = ++last_change;
	for (bit = 0; bit < DEVRING_CHANGE_BITS; bit++)
		if (changed & BIT(bit))
			dev->changed_at[bit] = dev->change;
	list_move_tail(&dev->change_node, &changes);
}

/* Enters a new device. */
void devring_changes_add(struct devring_dev *dev)
{
	spin_lock(&changes_lock);
	mark(dev, DEVRING_CHANGED_ADDED);
	spin_unlock(&changes_lock);
	wake_listeners();
}

/* Notes that a device changed; DEVRING_CHANGED_* say in what. */
void devring_changes_mark(struct devring_dev *dev, u32 changed)
{
	bool listed;

	spin_lock(&changes_lock);
	listed = !list_empty(&dev->change_node);
	if (listed)
		mark(dev, changed);
	spin_unlock(&changes_lock);
	if (listed)
		wake_listeners();
}

/* Strikes a device off and remembers that it was there. */
void devring_changes_remove(struct devring_dev *dev)
{
	struct removal *removal;

	spin_lock(&changes_lock);
	if (list_empty(&dev->change_node)) {
		spin_unlock(&changes_lock);
		return;
	}
	list_del_init(&dev->change_node);
	removal = &removals[removed++ % DEVRING_REMOVALS_MAX];
	removal->change = ++last_change;
	removal->id = dev->id;
	removal->type = dev->type;
	removal->flags = dev->flags;
	removal->minor = dev->minor;
	memcpy(removal->name, dev->name, sizeof(removal->name));
	memcpy(removal->link, dev->link, sizeof(removal->link));
	spin_unlock(&changes_lock);
	wake_listeners();
}

u64 devring_changes_last(void)
{
	u64 last;

	spin_lock(&changes_lock);
	last = last_change;
	spin_unlock(&changes_lock);
	return last;
}

int devring_listener_open(struct file *filp)
{
	struct listener *listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);

	if (!listener)
		return -ENOMEM;
	mutex_init(&listener->mutex);
	spin_lock(&changes_lock);
	listener->removals = removed;
	spin_unlock(&changes_lock);
	filp->private_data = listener;
	return 0;
}

void devring_listener_release(struct file *filp)
{
	kfree(filp->private_data);
}

/* The device that changed first after @cursor, or NULL. */
static struct devring_dev *next_device(u64 cursor)
{
	struct devring_dev *dev, *found = NULL;

	lockdep_assert_held(&changes_lock);
	list_for_each_entry_reverse(dev, &changes, change_node) {
		if (dev->change <= cursor)
			break;
		found = dev;
	}
	return found;
}

static bool is_due(struct listener *listener)
{
	bool due;

	spin_lock(&changes_lock);
	due = removed != READ_ONCE(listener->removals) ||
	      (!list_empty(&changes) &&
	       list_last_entry(&changes, struct devring_dev, change_node)->change > READ_ONCE(listener->cursor));
	spin_unlock(&changes_lock);
	return due;
}

static void tell_removal(struct devring_change *record, const struct removal *removal)
{
	record->rec.kind = DEVRING_RECORD_REMOVED;
	record->change = removal->change;
	record->device.id = removal->id;
	record->device.type = removal->type;
	record->device.flags = removal->flags;
	record->device.minor = removal->minor;
	record->device.state = DEVRING_STATE_REMOVED;
	memcpy(record->device.name, removal->name, sizeof(removal->name));
	memcpy(record->device.link, removal->link, sizeof(removal->link));
}

static void tell_device(struct listener *listener, const struct devring_dev *dev)
{
	struct devring_change *record = &listener->record;
	unsigned int bit;

	lockdep_assert_held(&changes_lock);
	record->rec.kind = DEVRING_RECORD_CHANGE;
	record->change = dev->change;
	for (bit = 0; bit < DEVRING_CHANGE_BITS; bit++)
		if (dev->changed_at[bit] > listener->cursor)
			record->changed |= BIT(bit);
}

/* Makes the next record; returns its size, or 0 if nothing changed. */
static size_t next_record(struct listener *listener)
{
	struct devring_change *record = &listener->record;
	const struct removal *removal = NULL;
	struct devring_dev *dev;

	lockdep_assert_held(&listener->mutex);
	memset(record, 0, sizeof(*record));
	record->rec.size = sizeof(*record);

	spin_lock(&changes_lock);
	if (removed - listener->removals > DEVRING_REMOVALS_MAX) {
		record->rec.kind = DEVRING_RECORD_RESYNC;
		record->rec.size = offsetof(struct devring_change, device);
		record->change = last_change;
		spin_unlock(&changes_lock);
		return record->rec.size;
	}
	if (removed != listener->removals)
		removal = &removals[listener->removals % DEVRING_REMOVALS_MAX];
	dev = next_device(listener->cursor);
	if (removal && (!dev || removal->change < dev->change)) {
		tell_removal(record, removal);
		dev = NULL;
	} else if (dev) {
		tell_device(listener, dev);
		get_device(&dev->dev);
	}
	spin_unlock(&changes_lock);

	if (dev) {
		devring_dev_fill(dev, &record->device);
		put_device(&dev->dev);
	}
	return record->rec.kind ? record->rec.size : 0;
}

/* The record reached its reader: go on behind it. */
static void told(struct listener *listener)
{
	const struct devring_change *record = &listener->record;

	lockdep_assert_held(&listener->mutex);
	switch (record->rec.kind) {
	case DEVRING_RECORD_RESYNC:
		/* Devices come anew; removals up to now concern none of them. */
		spin_lock(&changes_lock);
		WRITE_ONCE(listener->removals, removed);
		spin_unlock(&changes_lock);
		WRITE_ONCE(listener->cursor, 0);
		break;
	case DEVRING_RECORD_REMOVED:
		WRITE_ONCE(listener->removals, listener->removals + 1);
		break;
	default:
		WRITE_ONCE(listener->cursor, record->change);
	}
}

static ssize_t read_records(struct listener *listener, struct iov_iter *to)
{
	ssize_t done = 0;
	size_t size;

	if (mutex_lock_interruptible(&listener->mutex))
		return -ERESTARTSYS;
	while ((size = next_record(listener)) != 0) {
		if (size > iov_iter_count(to)) {
			done = done ?: -EINVAL;
			break;
		}
		if (copy_to_iter(&listener->record, size, to) != size) {
			done = done ?: -EFAULT;
			break;
		}
		told(listener);
		done += size;
		if (signal_pending(current))
			break;
	}
	mutex_unlock(&listener->mutex);
	return done ?: -EAGAIN;
}

ssize_t devring_listener_read(struct file *filp, struct iov_iter *to, bool nonblock)
{
	struct listener *listener = filp->private_data;
	ssize_t ret;

	for (;;) {
		ret = read_records(listener, to);
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = wait_event_interruptible(changes_wait, is_due(listener));
		if (ret)
			return ret;
	}
}

__poll_t devring_listener_poll(struct file *filp, poll_table *wait)
{
	poll_wait(filp, &changes_wait, wait);
	/* Pairs with the barrier in a waker's set of the list before it looks for waiters. */
	smp_mb();
	return is_due(filp->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}
