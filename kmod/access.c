// SPDX-License-Identifier: GPL-2.0-only
/* Access: handed on for a while, and taken away. */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/jiffies.h>

#include "core.h"
#include "trace.h"

/*
 * Ends the access of @file: its calls fail, its maps show nothing, and it does not count as a reader.  It stays among
 * its device's files, so that these can be walked meanwhile, until devring_files_sweep().
 */
void devring_file_revoke(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->mutex);
	if (file->revoked)
		return;
	devring_grants_end(file);
	file->parent = NULL;
	trace_devring_revoke(file, file->cursor);
	down_write(&dev->map_sem);
	spin_lock(&dev->lock);
	WRITE_ONCE(file->revoked, true);
	if (!file->producer)
		dev->opens--;
	devring_holds_trim(file, 0);
	devring_lossless_end(file);
	spin_unlock(&dev->lock);
	up_write(&dev->map_sem);
	/* Faults from here on find the flag; what they had found before goes now. */
	unmap_mapping_range(file->inode->i_mapping, 0, 0, 1);
	if (dev->producer == file) {
		devring_file_lose_producer(file);
		devring_dev_announce(dev, DEVRING_CHANGED_PRODUCER);
	}
	devring_reader_deactivate(file);
	devring_wake_all(dev);
	/* No commit asks whether it is due. */
	spin_lock(&dev->lock);
	list_del_init(&file->wait_node);
	spin_unlock(&dev->lock);
}

/* Who opens a reader, ends it, and opens the next, must not make the walk over files ever longer. */
void devring_files_sweep(struct devring_dev *dev)
{
	struct devring_file *file, *next;

	lockdep_assert_held(&dev->mutex);
	spin_lock(&dev->lock);
	list_for_each_entry_safe(file, next, &dev->files, node)
		if (file->revoked)
			list_move(&file->node, &dev->ended);
	spin_unlock(&dev->lock);
}

/* What was granted from @file ends with it. */
void devring_grants_end(struct devring_file *file)
{
	struct devring_file *grant;

	lockdep_assert_held(&file->dev->mutex);
	list_for_each_entry(grant, &file->dev->files, node) {
		if (grant->parent == file)
			devring_file_revoke(grant);
	}
}

/* Ends what has expired, and comes back for what expires next. */
void devring_files_expire(struct devring_dev *dev)
{
	u64 now = ktime_get_boottime_ns(), next = U64_MAX;
	struct devring_file *file;

	lockdep_assert_held(&dev->mutex);
	list_for_each_entry(file, &dev->files, node) {
		if (!file->expires || file->revoked)
			continue;
		if (file->expires <= now)
			devring_file_revoke(file);
		else
			next = min(next, file->expires);
	}
	devring_files_sweep(dev);
	if (next != U64_MAX)
		devring_dev_expire_in(dev, next - now);
}

/* Makes @grant, which has joined already, a child of @file, if that still has anything to give. */
static int adopt(struct devring_file *file, struct devring_file *grant)
{
	struct devring_dev *dev = file->dev;
	int ret = -ENODEV;

	mutex_lock(&dev->mutex);
	if (!devring_file_is_dead(file)) {
		grant->parent = file;
		devring_files_expire(dev);
		ret = 0;
	}
	mutex_unlock(&dev->mutex);
	return ret;
}

/* A reader to hand on.  Having a reader is the proof of the right; what was granted cannot grant. */
struct file *devring_grant(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data, *grant;
	const struct devring_grant *args = arg;
	struct file *new;
	int ret;

	if (args->flags)
		return ERR_PTR(-EINVAL);
	if (!(filp->f_mode & FMODE_READ))
		return ERR_PTR(-EBADF);
	if (file->producer || devring_is_lease(file) || file->granted_from)
		return ERR_PTR(-EACCES);
	if (args->expires_ns && args->expires_ns <= ktime_get_boottime_ns())
		return ERR_PTR(-ETIME);
	grant = devring_file_new(file->dev, false);
	if (IS_ERR(grant))
		return ERR_CAST(grant);
	grant->granted_from = file->id;
	grant->expires = args->expires_ns;
	new = devring_file_get(grant, false, O_RDONLY);
	if (IS_ERR(new))
		return new;
	ret = adopt(file, grant);
	if (ret) {
		fput(new);
		return ERR_PTR(ret);
	}
	return new;
}

/* Could who opened @file open its node now? */
bool devring_may_still_open(const struct devring_file *file)
{
	const struct cred *before;
	int ret, mask;

	/* Grants go with their parent; a PUBLIC device is everybody's. */
	if (!file->filp)
		return true;
	mask = (file->filp->f_mode & FMODE_READ ? MAY_READ : 0) | (file->filp->f_mode & FMODE_WRITE ? MAY_WRITE : 0);
	/* Access mode 3 asks for both rights, and gives neither mode. */
	mask = mask ?: MAY_READ | MAY_WRITE;
	before = override_creds(file->filp->f_cred);
	ret = file_permission(file->filp, mask);
	revert_creds(before);
	return !ret;
}

static bool is_meant(const struct devring_file *file, const struct devring_revoke *revoke, kuid_t uid)
{
	switch (revoke->what) {
	case DEVRING_REVOKE_READER:
		return file->id == revoke->reader;
	case DEVRING_REVOKE_UID:
		return uid_eq(file->uid, uid);
	case DEVRING_REVOKE_RECHECK:
		return !devring_may_still_open(file);
	default:
		return true;
	}
}

static int check_revoke(const struct devring_file *file, const struct devring_revoke *revoke)
{
	if (revoke->flags || revoke->reserved || revoke->what > DEVRING_REVOKE_RECHECK ||
	    (revoke->uid && revoke->what != DEVRING_REVOKE_UID) ||
	    (revoke->reader && revoke->what != DEVRING_REVOKE_READER))
		return -EINVAL;
	if (revoke->what == DEVRING_REVOKE_THIS)
		return devring_is_lease(file) ? -EINVAL : 0;
	return devring_is_lease(file) || devring_dev_may_manage(file->dev) ? 0 : -EPERM;
}

long devring_revoke(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data, *other;
	struct devring_dev *dev = file->dev;
	struct devring_revoke *revoke = arg;
	kuid_t uid = INVALID_UID;
	long ret = 0;

	ret = check_revoke(file, revoke);
	if (ret)
		return ret;
	if (revoke->what == DEVRING_REVOKE_UID) {
		uid = make_kuid(current_user_ns(), revoke->uid);
		if (!uid_valid(uid))
			return -EINVAL;
	}
	revoke->revoked = 0;
	mutex_lock(&dev->mutex);
	if (devring_file_is_dead(file)) {
		ret = -ENODEV;
	} else if (revoke->what == DEVRING_REVOKE_THIS) {
		devring_file_revoke(file);
		revoke->revoked = 1;
	} else {
		list_for_each_entry(other, &dev->files, node) {
			if (devring_is_lease(other) || other->revoked || !is_meant(other, revoke, uid))
				continue;
			devring_file_revoke(other);
			revoke->revoked++;
		}
		if (revoke->what == DEVRING_REVOKE_READER && !revoke->revoked)
			ret = -ENOENT;
	}
	devring_files_sweep(dev);
	mutex_unlock(&dev->mutex);
	return ret;
}

