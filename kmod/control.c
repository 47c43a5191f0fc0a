// SPDX-License-Identifier: GPL-2.0-only
/* /dev/devring: registration, look-up and the changes of all devices. */
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "core.h"

#define REGISTER_FLAGS	(DEVRING_REG_PERSIST | DEVRING_REG_SINK | DEVRING_REG_PUBLIC | \
			 DEVRING_REG_KEEP_HISTORY | DEVRING_REG_PINNABLE | DEVRING_REG_LOSSLESS)

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("#+-.:=@_", c));
}

/* Is the text NUL-terminated within @size, zero behind, and fit for a file name? */
static bool is_name(const char *text, size_t size)
{
	size_t i, len = strnlen(text, size);

	if (len == size || memchr_inv(text + len, 0, size - len))
		return false;
	for (i = 0; i < len; i++)
		if (!is_name_char(text[i]))
			return false;
	return strcmp(text, ".") && strcmp(text, "..");
}

/* Names that the links in /dev/devrings need for themselves: "by-*" and "u<uid>-*". */
static bool is_reserved(const char *name)
{
	size_t digits = 0;

	if (!strncmp(name, "by-", 3))
		return true;
	if (*name != 'u')
		return false;
	while (name[1 + digits] >= '0' && name[1 + digits] <= '9')
		digits++;
	return digits && name[1 + digits] == '-';
}

/* Labels go to terminals and into uevents: no control characters. */
static bool is_label(const char *text, size_t size)
{
	size_t i, len = strnlen(text, size);

	if (len == size || memchr_inv(text + len, 0, size - len))
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return true;
}

static int check_register(const struct devring_register *reg)
{
	if (reg->flags & DEVRING_REG_LOSSLESS ? !reg->deadline_ms || reg->deadline_ms > DEVRING_DEADLINE_MAX :
	    reg->deadline_ms)
		return -EINVAL;
	if (reg->flags & ~REGISTER_FLAGS || reg->reserved0 ||
	    memchr_inv(reg->reserved, 0, sizeof(reg->reserved)))
		return -EINVAL;
	if (reg->type < DEVRING_TYPE_CAMERA || reg->type > DEVRING_TYPE_OTHER)
		return -EINVAL;
	if (!is_name(reg->name, sizeof(reg->name)) || !*reg->name || is_reserved(reg->name) ||
	    !is_label(reg->label, sizeof(reg->label)) ||
	    !is_name(reg->stable_id, sizeof(reg->stable_id)) || !is_name(reg->path_id, sizeof(reg->path_id)))
		return -EINVAL;
	return 0;
}

/*
 * Was the node's write bit given to the caller as owner or by group, not as just anybody?  A container's root may own
 * its copy of the node, and is just anybody.
 */
static bool is_system(const struct file *filp)
{
	const struct inode *inode = file_inode(filp);

	if (current_user_ns() != &init_user_ns)
		return false;
	return uid_eq(current_fsuid(), inode->i_uid) || in_group_p(inode->i_gid) || capable(CAP_SYS_ADMIN);
}

static bool is_writer(const struct file *filp)
{
	return filp->f_mode & FMODE_WRITE;
}

static struct file *control_register(struct file *filp, void *arg)
{
	struct devring_register *reg = arg;
	struct devring_file *file;
	struct devring_dev *dev;
	struct file *new;
	int ret;

	if (!is_writer(filp))
		return ERR_PTR(-EACCES);
	ret = check_register(reg);
	if (ret)
		return ERR_PTR(ret);

	dev = devring_dev_new(reg, is_system(filp), current_euid());
	if (IS_ERR(dev))
		return ERR_CAST(dev);
	file = devring_file_new(dev, !devring_is_sink(dev));
	if (IS_ERR(file)) {
		new = ERR_CAST(file);
		goto out;
	}
	new = devring_file_get(file, false, O_RDWR);
	if (IS_ERR(new))
		goto out;
	ret = devring_dev_publish(dev);
	reg->id = dev->id;
	reg->minor = dev->minor;
	if (!ret)
		ret = devring_dev_add(dev);
	if (ret) {
		fput(new);
		new = ERR_PTR(ret);
	}
out:
	if (IS_ERR(new))
		devring_dev_remove(dev);
	put_device(&dev->dev);
	return new;
}

static long control_unregister(struct file *filp, void *arg)
{
	struct devring_unregister *unreg = arg;
	struct devring_dev *dev;
	long ret = 0;

	if (unreg->flags)
		return -EINVAL;
	if (!is_writer(filp))
		return -EACCES;
	dev = devring_dev_find(unreg->id, false);
	if (!dev)
		return -ENODEV;
	if (devring_dev_may_manage(dev))
		devring_dev_remove(dev);
	else
		ret = -EPERM;
	put_device(&dev->dev);
	return ret;
}

/* Opens @dev for the caller, in the role it is asked for. */
static struct file *open_file(struct devring_dev *dev, bool producer, bool takeover, int flags)
{
	struct devring_file *file = devring_file_new(dev, producer);

	if (IS_ERR(file))
		return ERR_CAST(file);
	return devring_file_get(file, takeover, flags);
}

static struct file *control_attach(struct file *filp, void *arg)
{
	struct devring_attach *attach = arg;
	struct devring_dev *dev;
	struct file *new;

	if (attach->flags & ~DEVRING_ATTACH_TAKEOVER)
		return ERR_PTR(-EINVAL);
	if (!is_writer(filp))
		return ERR_PTR(-EACCES);
	dev = devring_dev_find(attach->id, false);
	if (!dev)
		return ERR_PTR(-ENODEV);
	if (devring_dev_may_manage(dev))
		new = open_file(dev, !devring_is_sink(dev), attach->flags & DEVRING_ATTACH_TAKEOVER, O_RDWR);
	else
		new = ERR_PTR(-EPERM);
	put_device(&dev->dev);
	return new;
}

static struct file *control_open_public(struct file *filp, void *arg)
{
	struct devring_open *open = arg;
	struct devring_dev *dev;
	struct file *new;

	if (open->flags & ~O_NONBLOCK)
		return ERR_PTR(-EINVAL);
	dev = devring_dev_find(open->id, false);
	if (!dev)
		return ERR_PTR(-ENODEV);
	if (dev->flags & DEVRING_REG_PUBLIC && !devring_is_sink(dev))
		new = open_file(dev, false, false, O_RDONLY | open->flags);
	else
		new = ERR_PTR(-EACCES);
	put_device(&dev->dev);
	return new;
}

static long control_query(struct file *filp, void *arg)
{
	struct devring_query *query = arg;
	struct devring_dev *dev;

	if (query->flags & ~DEVRING_QUERY_NEXT)
		return -EINVAL;
	dev = devring_dev_find(query->id, query->flags & DEVRING_QUERY_NEXT);
	if (!dev)
		return -ENODEV;
	devring_dev_fill(dev, &query->device);
	put_device(&dev->dev);
	return 0;
}

static long control_info(struct file *filp, void *arg)
{
	struct devring_info *info = arg;
	u32 size = info->size;

	memset(info, 0, sizeof(*info));
	info->size = size;
	info->abi_version = DEVRING_ABI_VERSION;
	info->features = DEVRING_FEATURES;
	info->slots_max = DEVRING_SLOTS_MAX;
	info->slot_size_max = DEVRING_SLOT_SIZE_MAX;
	info->metadata_max = DEVRING_METADATA_MAX;
	info->holds_max = DEVRING_HOLDS_MAX;
	info->readers_max = DEVRING_READERS_MAX;
	info->change = devring_changes_last();
	devring_user_info(current_euid(), info);
	devring_dev_count(info);
	return 0;
}

static const struct devring_call control_calls[] = {
	{ _IOC_NR(DEVRING_IOC_INFO), sizeof(struct devring_info), .out = true, .fn = control_info },
	{ _IOC_NR(DEVRING_IOC_REGISTER), sizeof(struct devring_register), .out = true, .make = control_register },
	{ _IOC_NR(DEVRING_IOC_UNREGISTER), sizeof(struct devring_unregister), .fn = control_unregister },
	{ _IOC_NR(DEVRING_IOC_ATTACH), sizeof(struct devring_attach), .make = control_attach },
	{ _IOC_NR(DEVRING_IOC_OPEN), sizeof(struct devring_open), .make = control_open_public },
	{ _IOC_NR(DEVRING_IOC_QUERY), sizeof(struct devring_query), .out = true, .fn = control_query },
	{ }
};

static long control_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return devring_ioctl(filp, control_calls, cmd, arg);
}

static int control_open(struct inode *inode, struct file *filp)
{
	filp->f_mode |= FMODE_NOWAIT;
	return devring_listener_open(filp);
}

static int control_release(struct inode *inode, struct file *filp)
{
	devring_listener_release(filp);
	return 0;
}

static ssize_t control_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *filp = iocb->ki_filp;

	return devring_listener_read(filp, to, filp->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT);
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.read_iter = control_read,
	.poll = devring_listener_poll,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "devring",
	.fops = &control_fops,
	.groups = devring_control_groups,
	.mode = 0600,
};

int devring_control_init(void)
{
	return misc_register(&control);
}

void devring_control_exit(void)
{
	misc_deregister(&control);
}
