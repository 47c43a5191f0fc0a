// SPDX-License-Identifier: GPL-2.0-only
/* /sys/class/devring/devringN and the properties of its uevents, for udev and for shell users. */
#include <linux/sysfs.h>

#include "core.h"

static const char *type_name(u32 type)
{
	static const char * const names[] = {
		[DEVRING_TYPE_CAMERA] = "camera",
		[DEVRING_TYPE_MICROPHONE] = "microphone",
		[DEVRING_TYPE_SCREEN] = "screen",
		[DEVRING_TYPE_SPEAKER] = "speaker",
		[DEVRING_TYPE_KEYBOARD] = "keyboard",
		[DEVRING_TYPE_MOUSE] = "mouse",
		[DEVRING_TYPE_USB] = "usb",
		[DEVRING_TYPE_TENSOR] = "tensor",
		[DEVRING_TYPE_EVENT] = "event",
		[DEVRING_TYPE_OTHER] = "other",
	};

	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "unknown";
}

const char *devring_state_name(u32 state)
{
	static const char * const names[] = {
		[DEVRING_STATE_OFFLINE] = "offline",
		[DEVRING_STATE_AVAILABLE] = "available",
		[DEVRING_STATE_ERROR] = "error",
		[DEVRING_STATE_REMOVED] = "removed",
	};

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "unknown";
}

#define SHOW(member, format, value)								\
static ssize_t member##_show(struct device *device, struct device_attribute *attr, char *buf)	\
{												\
	struct devring_dev *dev = to_devring(device);						\
												\
	return sysfs_emit(buf, format "\n", value);						\
}												\
static DEVICE_ATTR_RO(member)

/* One value of the current ring, 0 while there is none. */
#define SHOW_RING(member, value)								\
static ssize_t member##_show(struct device *device, struct device_attribute *attr, char *buf)	\
{												\
	struct devring_dev *dev = to_devring(device);						\
	u32 number;										\
												\
	spin_lock(&dev->lock);									\
	number = dev->ring ? dev->ring->value : 0;						\
	spin_unlock(&dev->lock);								\
	return sysfs_emit(buf, "%u\n", number);							\
}												\
static DEVICE_ATTR_RO(member)

SHOW(id, "%llu", dev->id);
SHOW(type, "%s", type_name(dev->type));
SHOW(name, "%s", dev->name);
SHOW(link, "%s", dev->link);
SHOW(label, "%s", dev->label);
SHOW(stable_id, "%s", dev->stable_id);
SHOW(path_id, "%s", dev->path_id);
SHOW(flags, "0x%x", dev->flags);
SHOW(state, "%s", devring_state_name(READ_ONCE(dev->state)));
SHOW(error, "%d", READ_ONCE(dev->error));
SHOW(readers, "%u", READ_ONCE(dev->active));
SHOW(head, "%llu", READ_ONCE(dev->head));
SHOW(holds_broken, "%llu", READ_ONCE(dev->holds_broken));
SHOW_RING(generation, geometry.generation);
SHOW_RING(slots, geometry.slots);
SHOW_RING(slot_size, geometry.slot_size);

static struct attribute *dev_attrs[] = {
	&dev_attr_id.attr,
	&dev_attr_type.attr,
	&dev_attr_name.attr,
	&dev_attr_link.attr,
	&dev_attr_label.attr,
	&dev_attr_stable_id.attr,
	&dev_attr_path_id.attr,
	&dev_attr_flags.attr,
	&dev_attr_state.attr,
	&dev_attr_error.attr,
	&dev_attr_readers.attr,
	&dev_attr_head.attr,
	&dev_attr_holds_broken.attr,
	&dev_attr_generation.attr,
	&dev_attr_slots.attr,
	&dev_attr_slot_size.attr,
	NULL
};

static const struct attribute_group dev_group = {
	.attrs = dev_attrs,
};

const struct attribute_group *devring_dev_groups[] = {
	&dev_group,
	NULL
};

static ssize_t devices_total_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct devring_info info = { };

	devring_dev_count(&info);
	return sysfs_emit(buf, "%u\n", info.devices);
}
static DEVICE_ATTR_RO(devices_total);

static ssize_t devices_available_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct devring_info info = { };

	devring_dev_count(&info);
	return sysfs_emit(buf, "%u\n", info.devices_available);
}
static DEVICE_ATTR_RO(devices_available);

static struct attribute *control_attrs[] = {
	&dev_attr_devices_total.attr,
	&dev_attr_devices_available.attr,
	NULL
};

static const struct attribute_group control_group = {
	.attrs = control_attrs,
};

const struct attribute_group *devring_control_groups[] = {
	&control_group,
	NULL
};

/* Properties of every uevent of a device. */
int devring_dev_uevent(devring_const_device *device, struct kobj_uevent_env *env)
{
	const struct devring_dev *dev = to_devring(device);

	if (add_uevent_var(env, "DEVRING_ID=%llu", dev->id) ||
	    add_uevent_var(env, "DEVRING_TYPE=%s", type_name(dev->type)) ||
	    add_uevent_var(env, "DEVRING_NAME=%s", dev->name) ||
	    add_uevent_var(env, "DEVRING_LINK=%s", dev->link) ||
	    add_uevent_var(env, "DEVRING_STABLE_ID=%s", dev->stable_id) ||
	    add_uevent_var(env, "DEVRING_PATH_ID=%s", dev->path_id) ||
	    add_uevent_var(env, "DEVRING_FLAGS=0x%x", dev->flags) ||
	    add_uevent_var(env, "DEVRING_STATE=%s", devring_state_name(READ_ONCE(dev->state))) ||
	    add_uevent_var(env, "DEVRING_GENERATION=%u", READ_ONCE(dev->generation)))
		return -ENOMEM;
	return 0;
}
