// SPDX-License-Identifier: GPL-2.0-or-later
#include "buffers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "camera.h"

static bool are_slots(const struct buffers *b)
{
	return b->memory != V4L2_MEMORY_MMAP;
}

static int request(struct buffers *b, enum v4l2_memory memory, unsigned int count)
{
	struct v4l2_requestbuffers request = {
		.count = count, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = memory,
	};
	int error = camera_call(b->fd, VIDIOC_REQBUFS, &request);

	if (error || !count)
		return error;
	b->memory = memory;
	b->count = request.count < BUFFERS_MAX ? request.count : BUFFERS_MAX;
	return request.count < 2 ? -ENOMEM : 0;
}

/* The dma-buf of a slot, made when it is first needed. */
static int dmabuf_of(struct buffers *b, const struct devring_fill *fill)
{
	int *fd = &b->dmabuf[fill->slot];

	if (fill->generation != b->generation)
		return -ESTALE;
	if (*fd < 0)
		*fd = devring_producer_export(b->producer, fill->generation, fill->slot);
	return *fd;
}

static int queue(struct buffers *b, unsigned int index)
{
	struct v4l2_buffer buffer = {
		.index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = b->memory,
	};
	int error;

	if (b->memory == V4L2_MEMORY_USERPTR) {
		buffer.m.userptr = (unsigned long)b->fill[index].data;
		buffer.length = b->fill[index].size;
	} else if (b->memory == V4L2_MEMORY_DMABUF) {
		buffer.m.fd = dmabuf_of(b, &b->fill[index]);
		if (buffer.m.fd < 0)
			return buffer.m.fd;
	}
	error = camera_call(b->fd, VIDIOC_QBUF, &buffer);
	if (!error)
		b->queued++;
	return error;
}

/* With a buffer for each slot, each keeps its own: the driver pins or attaches it once. */
static unsigned int index_for(const struct buffers *b, uint32_t slot)
{
	unsigned int index = 0;

	if (b->slots <= b->count)
		return slot;
	while (index < b->count && b->lent[index])
		index++;
	return index;
}

static int lend(struct buffers *b, const struct devring_fill *fill)
{
	unsigned int index = index_for(b, fill->slot);

	if (index >= b->count || b->lent[index]) {
		devring_producer_return(b->producer, fill);
		return -EPROTO;
	}
	b->fill[index] = *fill;
	b->lent[index] = true;
	return queue(b, index);
}

int buffers_refill(struct buffers *b)
{
	struct devring_fill fill;
	int error = 0;

	b->starved = false;
	while (are_slots(b) && !error && b->queued < b->wanted) {
		error = devring_producer_take(b->producer, &fill);
		if (!error)
			error = lend(b, &fill);
		else
			b->starved = error == -EAGAIN;
	}
	return b->starved ? 0 : error;
}

static void return_slots(struct buffers *b)
{
	for (unsigned int i = 0; i < BUFFERS_MAX; i++) {
		if (b->lent[i])
			devring_producer_return(b->producer, &b->fill[i]);
		b->lent[i] = false;
	}
	b->queued = 0;
}

static void close_dmabufs(struct buffers *b)
{
	for (uint32_t i = 0; b->dmabuf && i < b->slots; i++)
		if (b->dmabuf[i] >= 0)
			close(b->dmabuf[i]);
	free(b->dmabuf);
	b->dmabuf = NULL;
}

static int prepare_dmabufs(struct buffers *b)
{
	b->dmabuf = malloc(b->slots * sizeof(*b->dmabuf));
	if (!b->dmabuf)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->slots; i++)
		b->dmabuf[i] = -1;
	return 0;
}

/* The driver fills the slots themselves. */
static int open_slots(struct buffers *b, enum v4l2_memory memory, bool reads)
{
	unsigned int most = b->slots < BUFFERS_MAX ? b->slots : BUFFERS_MAX;
	int error;

	devring_producer_unmap(b->producer, memory == V4L2_MEMORY_DMABUF && !reads);
	error = request(b, memory, most);
	if (!error && memory == V4L2_MEMORY_DMABUF)
		error = prepare_dmabufs(b);
	if (!error)
		error = buffers_refill(b);
	if (!error)
		return 0;
	request(b, memory, 0);
	close_dmabufs(b);
	return_slots(b);
	return error;
}

static int map_buffer(struct buffers *b, unsigned int index)
{
	struct v4l2_buffer buffer = {
		.index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP,
	};
	int error = camera_call(b->fd, VIDIOC_QUERYBUF, &buffer);
	void *map;

	if (error)
		return error;
	map = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, b->fd, buffer.m.offset);
	if (map == MAP_FAILED)
		return -errno;
	b->map[index] = map;
	b->map_size[index] = buffer.length;
	return queue(b, index);
}

/* The driver fills its own buffers, and we copy. */
static int open_mapped(struct buffers *b)
{
	int error;

	devring_producer_unmap(b->producer, false);
	error = request(b, V4L2_MEMORY_MMAP, b->wanted);
	for (unsigned int i = 0; !error && i < b->count; i++)
		error = map_buffer(b, i);
	return error;
}

int buffers_open(struct buffers *b, enum config_memory memory, unsigned int wanted, bool reads)
{
	static const struct {
		enum config_memory config;
		enum v4l2_memory v4l2;
	} kinds[] = {
		{ CONFIG_MEMORY_DMABUF, V4L2_MEMORY_DMABUF },
		{ CONFIG_MEMORY_USERPTR, V4L2_MEMORY_USERPTR },
	};
	struct devring_device now;
	int error = devring_producer_device(b->producer, &now);

	if (error)
		return error;
	b->slots = now.geometry.slots;
	b->generation = now.geometry.generation;
	b->wanted = wanted;
	error = -EINVAL;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (memory != CONFIG_MEMORY_AUTO && memory != kinds[i].config)
			continue;
		error = open_slots(b, kinds[i].v4l2, reads);
		/* In use elsewhere, or gone: not a matter of memory. */
		if (!error || error == -EBUSY || error == -ENODEV)
			return error;
	}
	return memory == CONFIG_MEMORY_AUTO || memory == CONFIG_MEMORY_MMAP ? open_mapped(b) : error;
}

void buffers_close(struct buffers *b)
{
	for (unsigned int i = 0; i < BUFFERS_MAX; i++)
		if (b->map[i])
			munmap(b->map[i], b->map_size[i]);
	close_dmabufs(b);
	return_slots(b);
}

static int copy_out(struct buffers *b, const struct v4l2_buffer *filled, struct devring_fill *fill, uint32_t *bytes)
{
	int error = devring_producer_take(b->producer, fill);

	if (error)
		return error;
	if (*bytes > fill->size)
		*bytes = fill->size;
	memcpy(fill->data, b->map[filled->index], *bytes);
	return 0;
}

int buffers_filled(struct buffers *b, const struct v4l2_buffer *filled, struct devring_fill *fill, uint32_t *bytes)
{
	int error;

	*bytes = filled->bytesused;
	b->queued--;
	if (!are_slots(b)) {
		error = copy_out(b, filled, fill, bytes);
		return queue(b, filled->index) ?: error;
	}
	if (!b->lent[filled->index])
		return -EPROTO;
	b->lent[filled->index] = false;
	*fill = b->fill[filled->index];
	if (*bytes > fill->size)
		*bytes = fill->size;
	return 0;
}

int buffers_requeue(struct buffers *b, unsigned int index)
{
	b->queued--;
	return queue(b, index);
}

const char *buffers_kind(const struct buffers *b)
{
	switch (b->memory) {
	case V4L2_MEMORY_DMABUF:
		return "straight into slots, by dma-bufs";
	case V4L2_MEMORY_USERPTR:
		return "straight into slots";
	default:
		return "copied into slots";
	}
}
