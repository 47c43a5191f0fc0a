// SPDX-License-Identifier: GPL-2.0-only
/* Open files of a device: how they come, what they may do, how they go or are made to go. */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "core.h"

/* Of a device's places, those for who manages it: or nobody could open it to see, and revoke, who has all. */
#define PLACES_KEPT	4

static atomic64_t last_file_id;

static u64 current_cgroup(void)
{
	u64 id = 0;

#ifdef CONFIG_CGROUPS
	rcu_read_lock();
	id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
#endif
	return id;
}

static void file_free(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;

	if (file->inode)
		iput(file->inode);
	if (file->scrap)
		put_page(file->scrap);
	put_pid(file->open_pid);
	put_pid(file->last_pid);
	put_pid(file->map_pid);
	devring_user_put(file->user);
	kfree(file);
	put_device(&dev->dev);
}

/* Makes a file of @dev that has not joined it yet. */
struct devring_file *devring_file_new(struct devring_dev *dev, bool producer)
{
	struct devring_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	struct inode *inode;

	if (!file)
		return ERR_PTR(-ENOMEM);
	get_device(&dev->dev);
	file->dev = dev;
	INIT_LIST_HEAD(&file->node);
	INIT_LIST_HEAD(&file->wait_node);
	init_waitqueue_head(&file->wait);
	file->producer = producer;
	file->uid = current_euid();
	file->id = atomic64_inc_return(&last_file_id);
	file->open_pid = get_pid(task_tgid(current));
	file->cgroup = current_cgroup();
	file->since = ktime_get_boottime_ns();
	file->holds_max = 1;
	file->start = DEVRING_START_NEWEST;
	file->user = devring_user_get(file->uid);
	if (producer)
		file->scrap = alloc_page(GFP_KERNEL | __GFP_ZERO | DEVRING_GFP_ACCOUNT);
	inode = devring_inode_new();
	if (!IS_ERR(inode))
		file->inode = inode;
	if (!file->user || !file->inode || (producer && !file->scrap)) {
		file_free(file);
		return ERR_PTR(-ENOMEM);
	}
	return file;
}

/* A new producer gets fresh pages: a ring like the last one, or none if there was none. */
static struct devring_ring *next_ring(struct devring_dev *dev)
{
	struct devring_geometry plan;

	spin_lock(&dev->lock);
	plan = dev->geometry;
	spin_unlock(&dev->lock);
	return plan.slots ? devring_ring_new(&plan, dev->user) : NULL;
}

static void set_producer(struct devring_dev *dev, struct devring_file *file)
{
	lockdep_assert_held(&dev->lock);
	dev->producer = file;
	dev->producers++;
	devring_lossless_served(dev);
	if (file)
		dev->nr_demoted = 0;
	put_pid(dev->producer_pid);
	dev->producer_pid = file ? get_pid(file->open_pid) : NULL;
	dev->producer_uid = file ? file->uid : INVALID_UID;
}

/* One user gets no more of a device's places than are left, so that nobody can take all; who manages it any. */
static bool has_place(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;
	const struct devring_file *other;
	u32 mine = 0, taken = dev->opens;

	lockdep_assert_held(&dev->mutex);
	if (uid_eq(file->uid, dev->user->uid) || ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN) ||
	    ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE))
		return taken < DEVRING_READERS_MAX;
	list_for_each_entry(other, &dev->files, node)
		mine += !other->producer && uid_eq(other->uid, file->uid);
	return taken + mine < DEVRING_READERS_MAX - PLACES_KEPT;
}

/* Is there a place for @file?  If it is a lease, @loser is the one it takes it from. */
static int admit(struct devring_file *file, bool takeover, struct devring_file **loser)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->mutex);
	if (READ_ONCE(dev->gone))
		return -ENODEV;
	/* Whoever rechecks afterwards finds the file; who did before has changed what this asks. */
	if (file->filp && !devring_may_still_open(file))
		return -EACCES;
	if (devring_is_lease(file)) {
		if (dev->lease && !takeover)
			return -EBUSY;
		*loser = dev->lease;
		return 0;
	}
	if (file->producer) {
		if (!dev->lease)
			return -ENXIO;
		return dev->producer ? -EBUSY : 0;
	}
	return has_place(file) ? 0 : -EUSERS;
}

static void enter(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->mutex);
	spin_lock(&dev->lock);
	list_add_tail(&file->node, &dev->files);
	if (devring_is_lease(file)) {
		dev->lease = file;
		dev->offline_expires = 0;
	}
	if (file->producer)
		set_producer(dev, file);
	else
		dev->opens++;
	file->told_state = dev->state_count - 1;
	file->told_producers = dev->producers;
	/* No readers are no news to a new producer. */
	file->told_readers = dev->active_count - !!dev->active;
	spin_unlock(&dev->lock);
}

/* Ends the ring in force if @file would be admitted: it and the next one are more than their user may have. */
static int make_room(struct devring_file *file, bool takeover)
{
	struct devring_file *loser;
	int ret;

	mutex_lock(&file->dev->mutex);
	ret = admit(file, takeover, &loser);
	if (!ret)
		devring_ring_install(file->dev, NULL);
	mutex_unlock(&file->dev->mutex);
	return ret;
}

/* Makes @file one of its device's files.  On an error the caller has devring_file_leave() free it. */
int devring_file_join(struct devring_file *file, bool takeover)
{
	struct devring_dev *dev = file->dev;
	struct devring_file *loser = NULL;
	struct devring_ring *ring = NULL;
	int ret;

	if (!file->producer) {
		ret = devring_charge(file->user, DEVRING_QUOTA_READERS, 1);
		if (ret)
			return ret;
		file->charged = true;
	}
	if (file->producer || devring_is_lease(file)) {
		/* Asked twice: who cannot be admitted must not cost the registrant a ring either. */
		mutex_lock(&dev->mutex);
		ret = admit(file, takeover, &loser);
		mutex_unlock(&dev->mutex);
		if (ret)
			return ret;
		ring = next_ring(dev);
	}
	if (ring == ERR_PTR(-EDQUOT)) {
		ret = make_room(file, takeover);
		ring = ret ? ERR_PTR(ret) : next_ring(dev);
	}
	if (IS_ERR(ring))
		return PTR_ERR(ring);

	mutex_lock(&dev->mutex);
	loser = NULL;
	ret = admit(file, takeover, &loser);
	if (ret) {
		mutex_unlock(&dev->mutex);
		devring_ring_put(ring);
		return ret;
	}
	if (loser)
		devring_file_revoke(loser);
	devring_files_sweep(dev);
	enter(file);
	if (ring)
		devring_ring_install(dev, ring);
	if (devring_is_lease(file))
		devring_dev_set_state(dev, DEVRING_STATE_AVAILABLE, 0);
	mutex_unlock(&dev->mutex);

	if (file->producer) {
		devring_wake_readers(dev);
		devring_dev_announce(dev, DEVRING_CHANGED_PRODUCER);
	}
	return 0;
}

/* If @file is the producer, it is that no longer: what it was filling becomes no frame. */
void devring_file_lose_producer(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->mutex);
	spin_lock(&dev->lock);
	if (dev->producer == file) {
		if (dev->ring)
			devring_slots_recall(dev->ring);
		set_producer(dev, NULL);
	}
	spin_unlock(&dev->lock);
}

/* The lease ends: a persistent device waits for the next one, any other ends with it. */
static void end_lease(struct devring_dev *dev)
{
	unsigned long delay;

	if (!(dev->flags & DEVRING_REG_PERSIST)) {
		devring_dev_remove(dev);
		return;
	}
	mutex_lock(&dev->mutex);
	if (!dev->lease && !READ_ONCE(dev->gone)) {
		devring_dev_set_state(dev, DEVRING_STATE_OFFLINE, 0);
		/* Those who read now may have the rest; then it is nobody's. */
		delay = dev->active ? DEVRING_LINGER : 0;
		dev->offline_expires = (jiffies + delay) ?: 1;
		devring_dev_tidy_in(dev, delay);
	}
	mutex_unlock(&dev->mutex);
}

/* Takes @file, joined or not, from its device and frees it. */
void devring_file_leave(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;
	bool last, lease, producer, joined = !list_empty(&file->node);

	mutex_lock(&dev->mutex);
	devring_grants_end(file);
	devring_files_sweep(dev);
	producer = dev->producer == file;
	devring_file_lose_producer(file);
	spin_lock(&dev->lock);
	devring_holds_trim(file, 0);
	devring_lossless_end(file);
	spin_unlock(&dev->lock);
	devring_reader_deactivate(file);
	spin_lock(&dev->lock);
	list_del_init(&file->node);
	list_del_init(&file->wait_node);
	lease = dev->lease == file;
	if (lease)
		dev->lease = NULL;
	if (joined && !file->producer && !file->revoked)
		dev->opens--;
	spin_unlock(&dev->lock);
	last = !devring_has_files(dev) && READ_ONCE(dev->gone);
	mutex_unlock(&dev->mutex);

	if (file->holds_max > 1)
		devring_uncharge(file->user, DEVRING_QUOTA_HOLDS, file->holds_max - 1);
	if (file->charged)
		devring_uncharge(file->user, DEVRING_QUOTA_READERS, 1);
	if (lease)
		end_lease(dev);
	if (producer) {
		devring_wake_readers(dev);
		devring_dev_announce(dev, DEVRING_CHANGED_PRODUCER);
	}
	if (last)
		devring_dev_cancel_works(dev);
	file_free(file);
}

/* Notes that the caller uses @file, as its last reader or mapper. */
void devring_file_touch(struct devring_file *file, struct pid **which)
{
	struct pid *pid = task_tgid(current);
	struct pid *before = NULL;

	if (READ_ONCE(*which) == pid)
		return;
	spin_lock(&file->dev->lock);
	if (*which != pid) {
		before = *which;
		WRITE_ONCE(*which, get_pid(pid));
	}
	spin_unlock(&file->dev->lock);
	put_pid(before);
}

/* Lets @filp be @file: from here on its release ends it. */
static void bind(struct file *filp, struct devring_file *file)
{
	filp->private_data = file;
	filp->f_mapping = file->inode->i_mapping;
	filp->f_pos = DEVRING_POS_RECORDS;
	filp->f_mode |= FMODE_NOWAIT | FMODE_PREAD;
}

/*
 * Has @file, which is consumed, also on an error, join its device as an open file of its own.  That is made first:
 * who joins may take another's place, and can come to nothing no more.
 */
struct file *devring_file_get(struct devring_file *file, bool takeover, int flags)
{
	struct file *filp = anon_inode_getfile("[devring]", &devring_file_fops, file, flags);
	int ret;

	if (IS_ERR(filp)) {
		devring_file_leave(file);
		return filp;
	}
	bind(filp, file);
	ret = devring_file_join(file, takeover);
	if (ret) {
		fput(filp);
		return ERR_PTR(ret);
	}
	return filp;
}

static int file_open(struct inode *inode, struct file *filp)
{
	struct devring_dev *dev = devring_dev_by_minor(iminor(inode));
	struct devring_file *file;
	int ret = -EACCES;

	if (!dev)
		return -ENODEV;
	/* A source's opener reads, whatever his mode; a sink's opener produces, and must be allowed to write. */
	if (devring_is_sink(dev) && !(filp->f_mode & FMODE_WRITE))
		goto out;
	file = devring_file_new(dev, devring_is_sink(dev));
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto out;
	}
	file->filp = filp;
	ret = devring_file_join(file, false);
	if (ret)
		devring_file_leave(file);
	else
		bind(filp, file);
out:
	put_device(&dev->dev);
	return ret;
}

static int file_release(struct inode *inode, struct file *filp)
{
	devring_file_leave(filp->private_data);
	return 0;
}

static ssize_t read_to(struct devring_file *file, struct devring_buf *to, loff_t pos, bool nonblock)
{
	if (!to->left)
		return 0;
	if (pos != DEVRING_POS_RECORDS)
		return devring_file_pread(file, pos, to);
	if (file->producer)
		return devring_producer_read(file, to);
	return devring_reader_read(file, to, nonblock);
}

static ssize_t file_read(struct file *filp, char __user *user, size_t size, loff_t *pos)
{
	struct devring_buf to = { .user = user, .left = size };

	return read_to(filp->private_data, &to, *pos, filp->f_flags & O_NONBLOCK);
}

static ssize_t file_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct devring_file *file = iocb->ki_filp->private_data;
	struct devring_buf to = { .iter = iter, .left = iov_iter_count(iter) };
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;

	if (nowait && iocb->ki_pos == DEVRING_POS_RECORDS && !devring_reader_activate(file, false))
		return -EAGAIN;
	return read_to(file, &to, iocb->ki_pos, nowait || iocb->ki_filp->f_flags & O_NONBLOCK);
}

static __poll_t file_poll(struct file *filp, poll_table *wait)
{
	struct devring_file *file = filp->private_data;

	return file->producer ? devring_producer_poll(file, filp, wait) : devring_reader_poll(file, filp, wait);
}

static void file_show_fdinfo(struct seq_file *m, struct file *filp)
{
	struct devring_file *file = filp->private_data;
	struct devring_dev *dev = file->dev;

	spin_lock(&dev->lock);
	seq_printf(m, "devring-device:\t%llu\n", dev->id);
	seq_printf(m, "devring-role:\t%s\n", file->producer ? "producer" : "reader");
	seq_printf(m, "devring-id:\t%llu\n", file->id);
	seq_printf(m, "devring-revoked:\t%d\n", file->revoked);
	seq_printf(m, "devring-sequence:\t%llu\n", file->producer ? dev->head : file->cursor);
	seq_printf(m, "devring-delivered:\t%llu\n", file->delivered);
	seq_printf(m, "devring-lost:\t%llu\n", file->lost);
	seq_printf(m, "devring-holds:\t%u\n", file->nr_holds);
	spin_unlock(&dev->lock);
}

static long file_query(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data;
	struct devring_query *query = arg;

	if (query->flags || (query->id && query->id != file->dev->id))
		return -EINVAL;
	if (devring_file_is_dead(file))
		return -ENODEV;
	devring_dev_fill(file->dev, &query->device);
	return 0;
}

static const struct devring_call file_calls[] = {
	{ _IOC_NR(DEVRING_IOC_QUERY), sizeof(struct devring_query), .out = true, .fn = file_query },
	{ _IOC_NR(DEVRING_IOC_READERS), sizeof(struct devring_list_readers), .out = true, .fn = devring_list_readers },
	{ _IOC_NR(DEVRING_IOC_REVOKE), sizeof(struct devring_revoke), .out = true, .fn = devring_revoke },
	{ _IOC_NR(DEVRING_IOC_SET_RING), sizeof(struct devring_set_ring), .out = true, .fn = devring_set_ring },
	{ _IOC_NR(DEVRING_IOC_SET_FORMAT), sizeof(struct devring_set_format), .out = true, .fn = devring_set_format },
	{ _IOC_NR(DEVRING_IOC_SET_STATE), sizeof(struct devring_set_state), .fn = devring_set_state },
	{ _IOC_NR(DEVRING_IOC_EXPORT), sizeof(struct devring_export), .make = devring_export },
	{ _IOC_NR(DEVRING_IOC_SET_READER), sizeof(struct devring_set_reader), .fn = devring_set_reader },
	{ _IOC_NR(DEVRING_IOC_RELEASE), sizeof(struct devring_release), .fn = devring_release },
	{ _IOC_NR(DEVRING_IOC_GRANT), sizeof(struct devring_grant), .make = devring_grant },
	{ }
};

static long file_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return devring_ioctl(filp, file_calls, cmd, arg);
}

const struct file_operations devring_file_fops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.read = file_read,
	.read_iter = file_read_iter,
	.write = devring_write,
	.write_iter = devring_write_iter,
	.poll = file_poll,
	.mmap = devring_mmap,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = file_show_fdinfo,
};
