// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ioctls, one function each. */

#include <fcntl.h>
#include <sys/ioctl.h>

#include "internal.h"

API const char *devring_version(void)
{
	return DEVRING_VERSION;
}

API int devring_control_open(int flags)
{
	return result(open(DEVRING_CONTROL_PATH, flags | O_CLOEXEC));
}

API int devring_get_info(int control, struct devring_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return result(ioctl(control, DEVRING_IOC_INFO, info));
}

static int query(int fd, uint64_t id, uint32_t flags, struct devring_device *device)
{
	struct devring_query q = { .size = sizeof(q), .flags = flags, .id = id };
	int ret = result(ioctl(fd, DEVRING_IOC_QUERY, &q));

	if (!ret)
		*device = q.device;
	return ret;
}

API int devring_query_id(int control, uint64_t id, struct devring_device *device)
{
	return query(control, id, 0, device);
}

API int devring_query_fd(int fd, struct devring_device *device)
{
	return query(fd, 0, 0, device);
}

API int devring_next_device(int control, struct devring_device *device)
{
	int ret = query(control, device->id, DEVRING_QUERY_NEXT, device);

	if (ret == -ENODEV)
		return 0;
	return ret < 0 ? ret : 1;
}

/* Nothing but zeros behind the text. */
static void pad(char *text, size_t size)
{
	size_t length = strnlen(text, size);

	memset(text + length, 0, size - length);
}

API int devring_register_device(int control, struct devring_register *reg)
{
	reg->size = sizeof(*reg);
	pad(reg->name, sizeof(reg->name));
	pad(reg->label, sizeof(reg->label));
	pad(reg->stable_id, sizeof(reg->stable_id));
	pad(reg->path_id, sizeof(reg->path_id));
	return result(ioctl(control, DEVRING_IOC_REGISTER, reg));
}

API int devring_unregister_device(int control, uint64_t id)
{
	struct devring_unregister u = { .size = sizeof(u), .id = id };

	return result(ioctl(control, DEVRING_IOC_UNREGISTER, &u));
}

API int devring_attach_device(int control, uint64_t id, uint32_t flags)
{
	struct devring_attach a = { .size = sizeof(a), .flags = flags, .id = id };

	return result(ioctl(control, DEVRING_IOC_ATTACH, &a));
}

API int devring_set_ring_fd(int fd, uint32_t slots, uint32_t slot_size, uint32_t metadata_size,
			    struct devring_geometry *geometry)
{
	struct devring_set_ring s = {
		.size = sizeof(s),
		.slots = slots,
		.slot_size = slot_size,
		.metadata_size = metadata_size,
	};
	int ret = result(ioctl(fd, DEVRING_IOC_SET_RING, &s));

	if (!ret && geometry)
		*geometry = s.geometry;
	return ret;
}

API int devring_set_format_fd(int fd, struct devring_format *format)
{
	struct devring_set_format s = { .size = sizeof(s), .format = *format };
	int ret;

	s.format.generation = 0;
	ret = result(ioctl(fd, DEVRING_IOC_SET_FORMAT, &s));
	if (!ret)
		format->generation = s.format.generation;
	return ret;
}

API int devring_set_state_fd(int fd, uint32_t state, int error)
{
	struct devring_set_state s = { .size = sizeof(s), .state = state, .error = error };

	return result(ioctl(fd, DEVRING_IOC_SET_STATE, &s));
}

API int devring_get_readers(int fd, struct devring_reader *readers, unsigned int room)
{
	struct devring_list_readers l = {
		.size = sizeof(l),
		.readers = (uintptr_t)readers,
		.reader_size = sizeof(*readers),
		.count = room,
	};
	int ret = result(ioctl(fd, DEVRING_IOC_READERS, &l));

	if (ret < 0)
		return ret;
	return (int)(l.count < room ? l.count : room);
}

API int devring_revoke_readers(int fd, uint32_t what, uint32_t uid, uint64_t reader)
{
	struct devring_revoke r = {
		.size = sizeof(r),
		.what = what,
		.uid = uid,
		.reader = reader,
	};
	int ret = result(ioctl(fd, DEVRING_IOC_REVOKE, &r));

	return ret < 0 ? ret : (int)r.revoked;
}

API int devring_grant_reader(int fd, uint64_t expires_ns)
{
	struct devring_grant g = { .size = sizeof(g), .expires_ns = expires_ns };

	return result(ioctl(fd, DEVRING_IOC_GRANT, &g));
}
