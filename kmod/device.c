// SPDX-License-Identifier: GPL-2.0-only
/* Devices: which there are, their lives, and what is told of them. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

#include "core.h"
#include "trace.h"

#define ANNOUNCE_INTERVAL	(HZ / 10)

static DEFINE_MUTEX(devring_registry);	/* covers all that follows, and that names are taken once */
static DEFINE_XARRAY_ALLOC1(by_id);	/* id to device */
static DEFINE_XARRAY_ALLOC(by_minor);	/* minor to device */
static u64 last_id;
static u32 last_minor;

/* The device @id, or with @next the first one after it, with a reference; NULL if there is none. */
struct devring_dev *devring_dev_find(u64 id, bool next)
{
	unsigned long index = id;
	struct devring_dev *dev;

	mutex_lock(&devring_registry);
	if (next)
		dev = index < ULONG_MAX ? xa_find_after(&by_id, &index, ULONG_MAX, XA_PRESENT) : NULL;
	else
		dev = xa_load(&by_id, index);
	if (dev)
		get_device(&dev->dev);
	mutex_unlock(&devring_registry);
	return dev;
}

/* The device of a node, with a reference, or NULL. */
struct devring_dev *devring_dev_by_minor(unsigned int minor)
{
	struct devring_dev *dev;

	mutex_lock(&devring_registry);
	dev = xa_load(&by_minor, minor);
	if (dev)
		get_device(&dev->dev);
	mutex_unlock(&devring_registry);
	return dev;
}

void devring_dev_count(struct devring_info *info)
{
	struct devring_dev *dev;
	unsigned long index;

	mutex_lock(&devring_registry);
	xa_for_each(&by_id, index, dev) {
		info->devices++;
		if (READ_ONCE(dev->state) == DEVRING_STATE_AVAILABLE)
			info->devices_available++;
	}
	mutex_unlock(&devring_registry);
}

/* May the caller end this device or become its producer? */
bool devring_dev_may_manage(const struct devring_dev *dev)
{
	return uid_eq(current_euid(), dev->user->uid) || capable(CAP_SYS_ADMIN);
}

/* Brings the header up to date with the rest; head is written by commit. */
void devring_dev_write_header(struct devring_dev *dev)
{
	struct devring_header *header = dev->header;
	u32 seqcount = header->seqcount;

	lockdep_assert_held(&dev->lock);
	WRITE_ONCE(header->seqcount, seqcount + 1);
	/* Pairs with the acquire fence of who reads the header: odd before any change shows. */
	smp_wmb();
	header->state = dev->state;
	header->error = dev->error;
	if (dev->ring)
		header->geometry = dev->ring->geometry;
	else
		memset(&header->geometry, 0, sizeof(header->geometry));
	header->format = dev->format;
	/* Pairs with the acquire load of who reads the header: even only after all changes. */
	smp_store_release(&header->seqcount, seqcount + 2);
}

static void init_header(struct devring_dev *dev)
{
	struct devring_header *header = dev->header;

	header->magic = DEVRING_MAGIC;
	header->abi_version = DEVRING_ABI_VERSION;
	header->header_size = sizeof(*header);
	header->geometry_size = sizeof(header->geometry);
	header->format_size = sizeof(header->format);
	header->entry_size = sizeof(struct devring_entry);
	header->state = dev->state;
	header->type = dev->type;
	header->flags = dev->flags;
	header->id = dev->id;
	memcpy(header->name, dev->name, sizeof(header->name));
}

/* Moves a device to another state; nothing leads out of REMOVED. */
void devring_dev_set_state(struct devring_dev *dev, u32 state, int error)
{
	spin_lock(&dev->lock);
	if (dev->state == DEVRING_STATE_REMOVED || (dev->state == state && dev->error == error)) {
		spin_unlock(&dev->lock);
		return;
	}
	trace_devring_state(dev->id, dev->state, state, error);
	WRITE_ONCE(dev->state, state);
	WRITE_ONCE(dev->error, error);
	dev->state_count++;
	dev->state_time = ktime_get_ns();
	devring_dev_write_header(dev);
	spin_unlock(&dev->lock);
	devring_wake_all(dev);
	devring_dev_announce(dev, DEVRING_CHANGED_STATE);
}

/*
 * Tells listeners and udev: the first time at once, then at most ten times a second, and always the last state.
 * Or whoever opens and closes, or registers and toggles, would flood everybody.
 */
void devring_dev_announce(struct devring_dev *dev, u32 changed)
{
	unsigned long due;

	spin_lock(&dev->lock);
	dev->news |= changed;
	due = dev->announced + ANNOUNCE_INTERVAL;
	/* Under the lock: whoever removes the device sets gone there and then cancels what is queued here. */
	if (dev->added && !dev->gone)
		queue_delayed_work(devring_wq, &dev->announce, time_after(due, jiffies) ? due - jiffies : 0);
	spin_unlock(&dev->lock);
}

static void announce_work(struct work_struct *work)
{
	struct devring_dev *dev = container_of(to_delayed_work(work), struct devring_dev, announce);
	char event[32] = "DEVRING_EVENT=";
	char *env[2] = { event };
	u32 news, state;

	spin_lock(&dev->lock);
	news = dev->news;
	dev->news = 0;
	dev->announced = jiffies;
	state = dev->state;
	spin_unlock(&dev->lock);

	if (news)
		devring_changes_mark(dev, news);
	if (news & DEVRING_CHANGED_STATE)
		strcat(event, state == DEVRING_STATE_AVAILABLE ? "online" : devring_state_name(state));
	else if (news & DEVRING_CHANGED_FORMAT)
		strcat(event, "format");
	else
		return;
	kobject_uevent_env(&dev->dev.kobj, KOBJ_CHANGE, env);
}

/* Has @work done after @delay; until then it holds the device. */
static void work_in(struct devring_dev *dev, struct delayed_work *work, unsigned long delay)
{
	/* What comes earlier looks for itself when to come again.  A work that is just due comes anyway. */
	if (delayed_work_pending(work) && time_before_eq(data_race(work->timer.expires), jiffies + delay))
		return;
	get_device(&dev->dev);
	if (mod_delayed_work(devring_wq, work, delay))
		put_device(&dev->dev);
}

void devring_dev_tidy_in(struct devring_dev *dev, unsigned long delay)
{
	work_in(dev, &dev->tidy, delay);
}

void devring_dev_expire_in(struct devring_dev *dev, u64 ns)
{
	/* One jiffy late: at the time itself, access is ended by who looks at the clock. */
	work_in(dev, &dev->expire, nsecs_to_jiffies(ns) + 1);
}

void devring_dev_pace_in(struct devring_dev *dev, u64 ns)
{
	work_in(dev, &dev->pace, nsecs_to_jiffies(ns) + 1);
}

void devring_dev_late_in(struct devring_dev *dev, u64 ns)
{
	work_in(dev, &dev->late, nsecs_to_jiffies(ns) + 1);
}

/* When nobody has the device open any more and it is gone: nothing is left to be done. */
void devring_dev_cancel_works(struct devring_dev *dev)
{
	if (cancel_delayed_work_sync(&dev->tidy))
		put_device(&dev->dev);
	if (cancel_delayed_work_sync(&dev->expire))
		put_device(&dev->dev);
	if (cancel_delayed_work_sync(&dev->pace))
		put_device(&dev->dev);
	if (cancel_delayed_work_sync(&dev->late))
		put_device(&dev->dev);
}

static void tidy_work(struct work_struct *work)
{
	struct devring_dev *dev = container_of(to_delayed_work(work), struct devring_dev, tidy);

	mutex_lock(&dev->mutex);
	devring_ring_tidy(dev);
	mutex_unlock(&dev->mutex);
	put_device(&dev->dev);
}

static void expire_work(struct work_struct *work)
{
	struct devring_dev *dev = container_of(to_delayed_work(work), struct devring_dev, expire);

	mutex_lock(&dev->mutex);
	devring_files_expire(dev);
	mutex_unlock(&dev->mutex);
	put_device(&dev->dev);
}

static void pace_work(struct work_struct *work)
{
	struct devring_dev *dev = container_of(to_delayed_work(work), struct devring_dev, pace);

	devring_wake_paced(dev);
	put_device(&dev->dev);
}

static void late_work(struct work_struct *work)
{
	struct devring_dev *dev = container_of(to_delayed_work(work), struct devring_dev, late);

	devring_lossless_expire(dev);
	put_device(&dev->dev);
}

static void dev_release(struct device *device)
{
	struct devring_dev *dev = to_devring(device);

	devring_ring_put(dev->ring);
	devring_ring_put(dev->old);
	if (dev->header_page)
		__free_page(dev->header_page);
	put_pid(dev->registrant_pid);
	put_pid(dev->producer_pid);
	devring_user_put(dev->user);
	kfree(dev);
}

static void init_dev(struct devring_dev *dev, const struct devring_register *reg, bool system, kuid_t uid)
{
	dev->type = reg->type;
	dev->flags = reg->flags;
	dev->deadline_ms = reg->deadline_ms;
	dev->minor = DEVRING_MINORS;
	strscpy(dev->name, reg->name, sizeof(dev->name));
	strscpy(dev->label, reg->label, sizeof(dev->label));
	strscpy(dev->stable_id, reg->stable_id, sizeof(dev->stable_id));
	strscpy(dev->path_id, reg->path_id, sizeof(dev->path_id));
	if (system)
		strscpy(dev->link, reg->name, sizeof(dev->link));
	else
		snprintf(dev->link, sizeof(dev->link), "u%u-%s", from_kuid_munged(&init_user_ns, uid), reg->name);
	dev->registrant_pid = get_pid(task_tgid(current));
	dev->registered = ktime_get_boottime_ns();
	dev->registered_real = ktime_get_real_ns();
	dev->state = DEVRING_STATE_OFFLINE;
	dev->producer_uid = INVALID_UID;
	dev->announced = jiffies - ANNOUNCE_INTERVAL;
	INIT_LIST_HEAD(&dev->change_node);
	mutex_init(&dev->mutex);
	init_rwsem(&dev->map_sem);
	spin_lock_init(&dev->lock);
	INIT_LIST_HEAD(&dev->files);
	INIT_LIST_HEAD(&dev->ended);
	INIT_LIST_HEAD(&dev->alone);
	dev->keep_from = U64_MAX;
	init_waitqueue_head(&dev->reader_wait);
	init_waitqueue_head(&dev->producer_wait);
	INIT_DELAYED_WORK(&dev->tidy, tidy_work);
	INIT_DELAYED_WORK(&dev->expire, expire_work);
	INIT_DELAYED_WORK(&dev->pace, pace_work);
	INIT_DELAYED_WORK(&dev->late, late_work);
	INIT_DELAYED_WORK(&dev->announce, announce_work);
}

/*
 * Makes a device that nobody can find yet.  It has two references: the caller's, and that of its registration,
 * which devring_dev_remove() ends.
 */
struct devring_dev *devring_dev_new(const struct devring_register *reg, bool system, kuid_t uid)
{
	struct devring_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	device_initialize(&dev->dev);
	dev->dev.class = devring_class;
	dev->dev.release = dev_release;
	init_dev(dev, reg, system, uid);
	dev->header_page = alloc_page(GFP_KERNEL | __GFP_ZERO | DEVRING_GFP_ACCOUNT);
	dev->user = devring_user_get(uid);
	if (!dev->header_page || !dev->user)
		goto err;
	dev->header = page_address(dev->header_page);
	ret = devring_charge(dev->user, DEVRING_QUOTA_DEVICES, 1);
	if (ret)
		goto err;
	ret = devring_count_registration(dev->user);
	if (ret) {
		devring_uncharge(dev->user, DEVRING_QUOTA_DEVICES, 1);
		goto err;
	}
	get_device(&dev->dev);
	return dev;

err:
	put_device(&dev->dev);
	return ERR_PTR(ret);
}

static bool link_taken(const char *link)
{
	struct devring_dev *dev;
	unsigned long index;

	lockdep_assert_held(&devring_registry);
	xa_for_each(&by_id, index, dev)
		if (!strcmp(dev->link, link))
			return true;
	return false;
}

/* Gives a new device its id and minor; from here on it can be found. */
int devring_dev_publish(struct devring_dev *dev)
{
	u32 minor;
	int ret;

	mutex_lock(&devring_registry);
	ret = -EEXIST;
	if (link_taken(dev->link))
		goto out;
	/* Cyclic: the node of a camera must not soon be that of somebody's keyboard. */
	ret = xa_alloc_cyclic(&by_minor, &minor, dev, XA_LIMIT(0, DEVRING_MINORS - 1), &last_minor, GFP_KERNEL);
	if (ret < 0) {
		ret = ret == -EBUSY ? -ENOSPC : ret;
		goto out;
	}
	dev->id = last_id + 1;
	ret = xa_err(xa_store(&by_id, dev->id, dev, GFP_KERNEL));
	if (ret) {
		xa_erase(&by_minor, minor);
		goto out;
	}
	last_id++;
	dev->minor = minor;
	dev->dev.devt = MKDEV(MAJOR(devring_devt), MINOR(devring_devt) + minor);
	init_header(dev);
out:
	mutex_unlock(&devring_registry);
	return ret;
}

/* Makes the node and tells everybody. */
int devring_dev_add(struct devring_dev *dev)
{
	int ret = dev_set_name(&dev->dev, "devring%u", dev->minor);

	if (!ret)
		ret = device_add(&dev->dev);
	if (ret)
		return ret;
	devring_changes_add(dev);
	mutex_lock(&dev->mutex);
	spin_lock(&dev->lock);
	dev->added = !dev->gone;
	/* Listeners know all that by now. */
	dev->news = 0;
	spin_unlock(&dev->lock);
	mutex_unlock(&dev->mutex);
	if (dev->added)
		return 0;
	/* Somebody removed it meanwhile, and found nothing that was added. */
	devring_changes_remove(dev);
	device_del(&dev->dev);
	return -ENODEV;
}

/* Takes the device out of the registry; false if somebody else did. */
static bool withdraw(struct devring_dev *dev)
{
	bool was_gone;

	mutex_lock(&devring_registry);
	spin_lock(&dev->lock);
	was_gone = dev->gone;
	WRITE_ONCE(dev->gone, true);
	spin_unlock(&dev->lock);
	if (!was_gone && dev->minor < DEVRING_MINORS) {
		xa_erase(&by_id, dev->id);
		xa_erase(&by_minor, dev->minor);
	}
	mutex_unlock(&devring_registry);
	return !was_gone;
}

/* Ends a device for good.  Those who have it open are told; readers may take what is there for a while. */
void devring_dev_remove(struct devring_dev *dev)
{
	bool added, used;

	if (!withdraw(dev))
		return;
	devring_dev_set_state(dev, DEVRING_STATE_REMOVED, 0);
	mutex_lock(&dev->mutex);
	added = dev->added;
	spin_lock(&dev->lock);
	if (dev->ring)
		devring_slots_recall(dev->ring);
	spin_unlock(&dev->lock);
	dev->offline_expires = (jiffies + DEVRING_LINGER) ?: 1;
	/* The last file to go, which looks for it under the mutex, cancels this. */
	used = devring_has_files(dev);
	if (used)
		devring_dev_tidy_in(dev, DEVRING_LINGER);
	mutex_unlock(&dev->mutex);

	devring_changes_remove(dev);
	if (added) {
		cancel_delayed_work_sync(&dev->announce);
		device_del(&dev->dev);
	}
	devring_wake_all(dev);
	devring_uncharge(dev->user, DEVRING_QUOTA_DEVICES, 1);
	if (!used)
		devring_dev_cancel_works(dev);
	put_device(&dev->dev);
}

/* Looks through all devices for access that has expired. */
void devring_dev_expire_all(void)
{
	struct devring_dev *dev;
	u64 id = 0;

	while ((dev = devring_dev_find(id, true))) {
		/* What goes has its works cancelled. */
		mutex_lock(&dev->mutex);
		if (!dev->gone)
			devring_dev_expire_in(dev, 0);
		mutex_unlock(&dev->mutex);
		id = dev->id;
		put_device(&dev->dev);
	}
}

/* At unload: no file is open any more, but persistent devices are there. */
void devring_dev_remove_all(void)
{
	struct devring_dev *dev;

	while ((dev = devring_dev_find(0, true))) {
		devring_dev_remove(dev);
		put_device(&dev->dev);
	}
}

/* Has the caller's pid namespace a number for a process, be it one that ended? */
bool devring_pid_is_here(struct pid *pid)
{
	return pid_nr_ns(pid, task_active_pid_ns(current));
}

/* A process as the caller's pid namespace numbers it; 0 if it is not there, or ended: its number may be another's. */
pid_t devring_pid_here(struct pid *pid)
{
	pid_t nr = 0;

	rcu_read_lock();
	if (pid && pid_task(pid, PIDTYPE_TGID))
		nr = pid_nr_ns(pid, task_active_pid_ns(current));
	rcu_read_unlock();
	return nr;
}

static void fill_identity(struct devring_dev *dev, struct devring_device *out)
{
	struct user_namespace *ns = current_user_ns();

	lockdep_assert_held(&dev->lock);
	out->registrant_uid = from_kuid_munged(ns, dev->user->uid);
	out->registrant_pid = devring_pid_here(dev->registrant_pid);
	out->producer_uid = from_kuid_munged(ns, dev->producer_uid);
	out->producer_pid = devring_pid_here(dev->producer_pid);
}

/* Describes a device as the caller may see it. */
void devring_dev_fill(struct devring_dev *dev, struct devring_device *out)
{
	memset(out, 0, sizeof(*out));
	out->id = dev->id;
	out->type = dev->type;
	out->flags = dev->flags;
	out->deadline_ms = dev->deadline_ms;
	out->minor = dev->minor;
	out->registered_ns = dev->registered;
	out->registered_real_ns = dev->registered_real;
	memcpy(out->name, dev->name, sizeof(out->name));
	memcpy(out->link, dev->link, sizeof(out->link));
	memcpy(out->label, dev->label, sizeof(out->label));
	memcpy(out->stable_id, dev->stable_id, sizeof(out->stable_id));
	memcpy(out->path_id, dev->path_id, sizeof(out->path_id));

	spin_lock(&dev->lock);
	out->state = dev->state;
	out->error = dev->error;
	out->readers = dev->active;
	out->opens = dev->opens;
	out->used_ns = dev->used;
	out->head = dev->head;
	out->bytes = dev->bytes;
	out->holds_broken = dev->holds_broken;
	out->format = dev->format;
	if (dev->ring) {
		out->queued = dev->ring->out;
		out->held = dev->ring->held;
		out->slots_needed = dev->ring->needed;
		out->geometry = dev->ring->geometry;
	}
	fill_identity(dev, out);
	spin_unlock(&dev->lock);
}
