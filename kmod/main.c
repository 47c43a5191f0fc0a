// SPDX-License-Identifier: GPL-2.0-only
/* devring: devices that many programs read at once.  Module, its inodes, and the way into ioctls. */
#include <linux/cdev.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/uaccess.h>

#include "core.h"

#define DEVRING_FS_MAGIC	0x64727266

struct class *devring_class;
dev_t devring_devt;
struct page *devring_zero_page;
struct workqueue_struct *devring_wq;

static struct cdev devring_cdev;
static struct vfsmount *devring_mount;

static int devring_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, DEVRING_FS_MAGIC) ? 0 : -ENOMEM;
}

/* No owner: the module's own mount of it would pin the module for ever. */
static struct file_system_type devring_fs = {
	.name = "devring",
	.init_fs_context = devring_init_fs_context,
	.kill_sb = kill_anon_super,
};

/* An inode whose address space one open file has for itself. */
struct inode *devring_inode_new(void)
{
	return alloc_anon_inode(devring_mount->mnt_sb);
}

static const struct devring_call *find_call(const struct devring_call *calls, unsigned int cmd)
{
	if (_IOC_TYPE(cmd) != DEVRING_IOC_MAGIC)
		return NULL;
	for (; calls->size; calls++)
		if (calls->nr == _IOC_NR(cmd))
			return calls;
	return NULL;
}

/* What this kernel does not know of the caller's longer struct comes back as zeros. */
static int copy_struct_out(void __user *to, size_t to_size, const void *from, size_t from_size)
{
	if (copy_to_user(to, from, min(to_size, from_size)))
		return -EFAULT;
	if (to_size > from_size && clear_user(to + from_size, to_size - from_size))
		return -EFAULT;
	return 0;
}

/* A call that makes a file: its descriptor is installed only when nothing can fail any more. */
static long make_file(struct file *filp, const struct devring_call *call, void *arg, void __user *uarg, u32 size)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *new;
	long ret;

	if (fd < 0)
		return fd;
	new = call->make(filp, arg);
	if (IS_ERR(new)) {
		ret = PTR_ERR(new);
		goto err_fd;
	}
	ret = call->out ? copy_struct_out(uarg, size, arg, call->size) : 0;
	if (ret) {
		fput(new);
		goto err_fd;
	}
	fd_install(fd, new);
	return fd;

err_fd:
	put_unused_fd(fd);
	return ret;
}

static long carry_out(struct file *filp, const struct devring_call *call, void *arg, void __user *uarg, u32 size)
{
	long ret;

	/* An answer that cannot be given is found out before anything is done. */
	if (call->out) {
		ret = copy_struct_out(uarg, size, arg, call->size);
		if (ret)
			return ret;
	}
	if (call->make)
		return make_file(filp, call, arg, uarg, size);
	ret = call->fn(filp, arg);
	if (ret >= 0 && call->out && copy_struct_out(uarg, size, arg, call->size))
		ret = -EFAULT;
	return ret;
}

/*
 * Carries out an ioctl; @calls ends with an empty entry.  Arguments are matched by number, not by the size in
 * @cmd, so that they can grow.
 */
long devring_ioctl(struct file *filp, const struct devring_call *calls, unsigned int cmd, unsigned long arg)
{
	const struct devring_call *call = find_call(calls, cmd);
	void __user *uarg = (void __user *)arg;
	void *karg;
	u32 size;
	long ret;

	if (!call)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < call->size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	karg = kzalloc(call->size, GFP_KERNEL);
	if (!karg)
		return -ENOMEM;
	ret = copy_struct_from_user(karg, call->size, uarg, size);
	if (!ret)
		ret = carry_out(filp, call, karg, uarg, size);
	kfree(karg);
	return ret;
}

/* Timers stood still while CLOCK_BOOTTIME went on: what has expired goes now. */
static int on_resume(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == PM_POST_SUSPEND || event == PM_POST_HIBERNATION)
		devring_dev_expire_all();
	return NOTIFY_DONE;
}

static struct notifier_block resume_notifier = {
	.notifier_call = on_resume,
};

static int __init init_nodes(void)
{
	int ret;

	ret = alloc_chrdev_region(&devring_devt, 0, DEVRING_MINORS, "devring");
	if (ret)
		return ret;
	cdev_init(&devring_cdev, &devring_file_fops);
	devring_cdev.owner = THIS_MODULE;
	ret = cdev_add(&devring_cdev, devring_devt, DEVRING_MINORS);
	if (ret)
		unregister_chrdev_region(devring_devt, DEVRING_MINORS);
	return ret;
}

static void exit_nodes(void)
{
	cdev_del(&devring_cdev);
	unregister_chrdev_region(devring_devt, DEVRING_MINORS);
}

static int __init devring_init(void)
{
	int ret;

	devring_user_init();
	devring_zero_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!devring_zero_page)
		return -ENOMEM;

	devring_wq = alloc_workqueue("devring", WQ_UNBOUND, 0);
	if (!devring_wq) {
		ret = -ENOMEM;
		goto err_page;
	}
	devring_mount = kern_mount(&devring_fs);
	if (IS_ERR(devring_mount)) {
		ret = PTR_ERR(devring_mount);
		goto err_wq;
	}
	devring_class = devring_class_create("devring");
	if (IS_ERR(devring_class)) {
		ret = PTR_ERR(devring_class);
		goto err_mount;
	}
	devring_class->dev_uevent = devring_dev_uevent;
	devring_class->dev_groups = devring_dev_groups;

	ret = init_nodes();
	if (ret)
		goto err_class;
	ret = register_pm_notifier(&resume_notifier);
	if (ret)
		goto err_nodes;
	ret = devring_control_init();
	if (ret)
		goto err_notifier;
	return 0;

err_notifier:
	unregister_pm_notifier(&resume_notifier);
err_nodes:
	exit_nodes();
err_class:
	class_destroy(devring_class);
err_mount:
	kern_unmount(devring_mount);
err_wq:
	destroy_workqueue(devring_wq);
err_page:
	__free_page(devring_zero_page);
	return ret;
}

static void __exit devring_exit(void)
{
	devring_control_exit();
	unregister_pm_notifier(&resume_notifier);
	devring_dev_remove_all();
	exit_nodes();
	class_destroy(devring_class);
	kern_unmount(devring_mount);
	destroy_workqueue(devring_wq);
	__free_page(devring_zero_page);
	devring_user_exit();
}

module_init(devring_init);
module_exit(devring_exit);

MODULE_AUTHOR("The devring developers");
MODULE_DESCRIPTION("Devices that many programs read at once");
MODULE_VERSION(DEVRING_VERSION);
MODULE_LICENSE("GPL");
