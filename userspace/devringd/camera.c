// SPDX-License-Identifier: GPL-2.0-or-later
#include "camera.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "log.h"
#include "manager.h"

#define BUFFERS_MAX	32

/* A camera while it is open. */
struct camera {
	struct device *device;
	int fd;
	sd_event_source *io;
	struct v4l2_pix_format pix;
	bool every_frame_is_key;
	enum v4l2_memory memory;
	unsigned int buffers;
	struct devring_fill fill[BUFFERS_MAX];	/* USERPTR: the slot that the driver fills */
	void *map[BUFFERS_MAX];			/* MMAP: the driver's own */
	size_t map_size[BUFFERS_MAX];
	bool started;
	uint32_t next_sequence;
	uint32_t lost;				/* frames that never became ones */
};

static int call(int fd, unsigned long request, void *argument)
{
	int result;

	do
		result = ioctl(fd, request, argument);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

static int check(struct camera *c)
{
	struct v4l2_capability caps;
	const char *name = c->device->name;
	int error = call(c->fd, VIDIOC_QUERYCAP, &caps);
	__u32 can;

	if (error)
		return error;
	can = caps.capabilities & V4L2_CAP_DEVICE_CAPS ? caps.device_caps : caps.capabilities;
	if (can & V4L2_CAP_VIDEO_CAPTURE && can & V4L2_CAP_STREAMING)
		return 0;
	log_device(LOG_WARNING, name, NULL, "%s does not stream single-planar video; use another "
		   "node of it", c->device->hw.node);
	return -EMEDIUMTYPE;
}

static bool known_to_be_compressed(uint32_t fourcc)
{
	struct devring_video_format video = { .fourcc = fourcc, .width = 16, .height = 16 };

	return !devring_video_layout(&video);
}

static void set_rate(struct camera *c, struct camera_mode *mode)
{
	struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_fract *interval = &parm.parm.capture.timeperframe;

	if (!mode->fps_denominator || call(c->fd, VIDIOC_G_PARM, &parm) ||
	    !(parm.parm.capture.capability & V4L2_CAP_TIMEPERFRAME))
		return;
	interval->numerator = mode->fps_denominator;
	interval->denominator = mode->fps_numerator;
	if (call(c->fd, VIDIOC_S_PARM, &parm) || !interval->numerator)
		return;
	mode->fps_numerator = interval->denominator;
	mode->fps_denominator = interval->numerator;
}

/* The driver's answer is the truth: what it makes of a mode counts, if the format is the same. */
static int try_mode(struct camera *c, struct camera_mode *mode)
{
	const struct config_device *config = &c->device->config;
	struct v4l2_format f = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	int error;

	f.fmt.pix.width = mode->width;
	f.fmt.pix.height = mode->height;
	f.fmt.pix.pixelformat = mode->fourcc;
	f.fmt.pix.field = V4L2_FIELD_ANY;
	error = call(c->fd, VIDIOC_S_FMT, &f);
	if (error)
		return error;
	if (f.fmt.pix.pixelformat != mode->fourcc || !f.fmt.pix.sizeimage ||
	    f.fmt.pix.sizeimage > DEVRING_SLOT_SIZE_MAX ||
	    (config->size_fixed && (f.fmt.pix.width != config->width ||
				    f.fmt.pix.height != config->height)))
		return -EINVAL;
	c->pix = f.fmt.pix;
	set_rate(c, mode);
	return 0;
}

static int choose(struct camera *c, struct camera_mode *chosen)
{
	const struct config_device *config = &c->device->config;
	struct camera_mode *modes = calloc(CAMERA_MODES, sizeof(*modes));
	int i, count, error = -EINVAL;

	if (!modes)
		return -ENOMEM;
	count = camera_modes(c->fd, config, c->device->manager->config->min_fps, modes,
			     CAMERA_MODES);
	for (i = 0; i < count; i++) {
		error = try_mode(c, &modes[i]);
		/* Busy, gone or broken: no other mode will do better. */
		if (!error || (error != -EINVAL && error != -ERANGE))
			break;
	}
	if (!error)
		*chosen = modes[i];
	free(modes);
	if (count < 0)
		return count;
	if (error != -EINVAL || c->device->said)
		return error;
	if (count)
		log_device(LOG_WARNING, c->device->name, "refused", "%s refused all %d modes that the "
			   "config allows; allow others by formats or size, or see v4l2-ctl "
			   "--list-formats-ext", c->device->hw.node, count);
	else
		log_device(LOG_WARNING, c->device->name, "refused", "%s has none of the formats and "
			   "sizes that the config allows; allow others in its [device] section, or "
			   "see v4l2-ctl --list-formats-ext", c->device->hw.node);
	return error;
}

static int set_ring_and_format(struct camera *c, const struct camera_mode *mode)
{
	const struct config_device *config = &c->device->config;
	struct devring_format format = { .kind = DEVRING_FORMAT_VIDEO };
	struct devring_video_format *v = &format.video;
	unsigned int slots = config->slots;
	int error;

	v->fourcc = c->pix.pixelformat;
	v->width = c->pix.width;
	v->height = c->pix.height;
	v->planes = 1;
	v->fps_numerator = mode->fps_numerator;
	v->fps_denominator = mode->fps_denominator;
	v->colorspace = c->pix.colorspace;
	v->xfer_func = c->pix.xfer_func;
	v->ycbcr_enc = c->pix.ycbcr_enc;
	v->quantization = c->pix.quantization;
	v->field = c->pix.field;
	if (!known_to_be_compressed(v->fourcc)) {
		v->stride[0] = c->pix.bytesperline;
		devring_video_layout(v);
	}
	/* The driver's queue, a frame to read, and one to spare. */
	if (slots < config->buffers + 3)
		slots = config->buffers + 3;
	error = device_set_ring(c->device, slots, c->pix.sizeimage);
	if (!error)
		error = device_set_format(c->device, &format);
	return error;
}

static int request_buffers(struct camera *c, enum v4l2_memory memory, unsigned int count)
{
	struct v4l2_requestbuffers request = {
		.count = count, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = memory,
	};
	int error = call(c->fd, VIDIOC_REQBUFS, &request);

	if (error || !count)
		return error;
	c->memory = memory;
	c->buffers = request.count < BUFFERS_MAX ? request.count : BUFFERS_MAX;
	return request.count < 2 ? -ENOMEM : 0;
}

static int queue(struct camera *c, unsigned int index)
{
	struct v4l2_buffer buffer = {
		.index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = c->memory,
	};

	if (c->memory == V4L2_MEMORY_USERPTR) {
		buffer.m.userptr = (unsigned long)c->fill[index].data;
		buffer.length = c->fill[index].size;
	}
	return call(c->fd, VIDIOC_QBUF, &buffer);
}

static int take_and_queue(struct camera *c, unsigned int index)
{
	struct devring_fill *fill = &c->fill[index];
	int error = devring_producer_take(c->device->producer, fill);

	if (error) {
		fill->data = NULL;
		return error;
	}
	return queue(c, index);
}

static void return_slots(struct camera *c)
{
	for (unsigned int i = 0; i < BUFFERS_MAX; i++) {
		if (c->fill[i].data)
			devring_producer_return(c->device->producer, &c->fill[i]);
		c->fill[i].data = NULL;
	}
}

/* The driver fills the slots themselves. */
static int queue_slots(struct camera *c)
{
	int error = request_buffers(c, V4L2_MEMORY_USERPTR, c->device->config.buffers);

	for (unsigned int i = 0; !error && i < c->buffers; i++)
		error = take_and_queue(c, i);
	if (!error)
		return 0;
	request_buffers(c, V4L2_MEMORY_USERPTR, 0);
	return_slots(c);
	return error;
}

static int map_buffer(struct camera *c, unsigned int index)
{
	struct v4l2_buffer buffer = {
		.index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP,
	};
	int error = call(c->fd, VIDIOC_QUERYBUF, &buffer);
	void *map;

	if (error)
		return error;
	map = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, c->fd, buffer.m.offset);
	if (map == MAP_FAILED)
		return -errno;
	c->map[index] = map;
	c->map_size[index] = buffer.length;
	return queue(c, index);
}

/* The driver fills its own buffers, and we copy. */
static int queue_mapped(struct camera *c)
{
	int error = request_buffers(c, V4L2_MEMORY_MMAP, c->device->config.buffers);

	for (unsigned int i = 0; !error && i < c->buffers; i++)
		error = map_buffer(c, i);
	return error;
}

static int queue_buffers(struct camera *c)
{
	enum config_memory memory = c->device->config.memory;
	int error = -EINVAL;

	if (memory != CONFIG_MEMORY_MMAP)
		error = queue_slots(c);
	/* In use elsewhere, or gone: not a matter of memory. */
	if (!error || error == -EBUSY || error == -ENODEV)
		return error;
	if (memory == CONFIG_MEMORY_USERPTR) {
		log_device(LOG_WARNING, c->device->name, NULL, "the driver does not take slots (%s); "
			   "set memory = auto to have frames copied", strerror(-error));
		return error;
	}
	return queue_mapped(c);
}

static uint64_t capture_time(const struct v4l2_buffer *b)
{
	if ((b->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
		return 0;
	return b->timestamp.tv_sec * 1000000000ull + b->timestamp.tv_usec * 1000ull;
}

static void describe(struct camera *c, const struct v4l2_buffer *b, struct devring_commit *commit)
{
	commit->bytes = b->bytesused;
	commit->capture_ns = capture_time(b);
	commit->media_time = b->timestamp.tv_sec * 1000000ull + b->timestamp.tv_usec;
	if (c->every_frame_is_key || b->flags & V4L2_BUF_FLAG_KEYFRAME)
		commit->flags |= DEVRING_FRAME_KEY;
	if (b->flags & V4L2_BUF_FLAG_ERROR)
		commit->flags |= DEVRING_FRAME_CORRUPT;
	/* The driver counts the frames that it had no buffer for. */
	if (c->started)
		c->lost += b->sequence - c->next_sequence;
	else
		c->lost = 0;
	if (c->lost > INT32_MAX)	/* it counted backwards: it began anew */
		c->lost = 0;
	if (c->lost || (!c->started && c->device->number))
		commit->flags |= DEVRING_FRAME_DISCONTINUITY;
	commit->lost_before = c->lost;
	c->started = true;
	c->next_sequence = b->sequence + 1;
}

/* What the driver filled becomes a frame; a negative errno is the device's end. */
static int publish(struct camera *c, const struct v4l2_buffer *b)
{
	struct devring_fill *fill = &c->fill[b->index], copy;
	struct devring_commit commit = { 0 };
	int error;

	if (!b->bytesused) {	/* nothing but an error: the next frame tells of it */
		c->lost++;
		return queue(c, b->index);
	}
	describe(c, b, &commit);
	if (c->memory == V4L2_MEMORY_MMAP) {
		error = devring_producer_take(c->device->producer, &copy);
		if (error)
			return error;
		if (commit.bytes > copy.size)
			commit.bytes = copy.size;
		memcpy(copy.data, c->map[b->index], commit.bytes);
		fill = &copy;
	} else if (commit.bytes > fill->size) {
		commit.bytes = fill->size;
	}
	error = device_commit(c->device, fill, &commit);
	if (error)
		return error;
	c->lost = 0;
	if (c->memory == V4L2_MEMORY_MMAP)
		return queue(c, b->index);
	return take_and_queue(c, b->index);
}

static int on_frames(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct camera *c = user;
	int error, frames = 0;

	(void)source;
	for (;;) {
		struct v4l2_buffer b = {
			.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = c->memory,
		};

		error = call(fd, VIDIOC_DQBUF, &b);
		if (error == -EAGAIN)
			break;
		if (!error && b.index >= c->buffers)
			error = -EPROTO;
		if (!error)
			error = publish(c, &b);
		if (error)
			break;
		frames++;
	}
	if (error == -EAGAIN && !frames && revents & (EPOLLERR | EPOLLHUP))
		error = revents & EPOLLHUP ? -ENODEV : -EIO;
	if (error != -EAGAIN)
		device_fail(c->device, -error);
	else
		device_took_slots(c->device);
	return 0;
}

static int open_camera(struct camera *c)
{
	struct camera_mode mode;
	int error;

	c->fd = open(c->device->hw.node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (c->fd < 0)
		return -errno;
	error = check(c);
	if (!error)
		error = choose(c, &mode);
	if (!error)
		error = set_ring_and_format(c, &mode);
	if (!error)
		error = queue_buffers(c);
	c->every_frame_is_key = c->pix.pixelformat != V4L2_PIX_FMT_H264 &&
				c->pix.pixelformat != V4L2_PIX_FMT_HEVC &&
				c->pix.pixelformat != V4L2_PIX_FMT_VP8 &&
				c->pix.pixelformat != V4L2_PIX_FMT_VP9;
	return error;
}

static void camera_stop(struct device *device)
{
	enum v4l2_buf_type type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct camera *c = device->open;

	if (!c)
		return;
	device->open = NULL;
	sd_event_source_disable_unref(c->io);
	if (c->fd >= 0) {
		/* Ends streaming: what was queued is ours again. */
		call(c->fd, VIDIOC_STREAMOFF, &type);
		for (unsigned int i = 0; i < BUFFERS_MAX; i++)
			if (c->map[i])
				munmap(c->map[i], c->map_size[i]);
		close(c->fd);
	}
	return_slots(c);
	free(c);
}

static int camera_start(struct device *device)
{
	struct camera *c = calloc(1, sizeof(*c));
	enum v4l2_buf_type type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	char text[DEVRING_TEXT_SIZE];
	int error;

	if (!c)
		return -ENOMEM;
	c->device = device;
	device->open = c;
	error = open_camera(c);
	if (!error)
		error = call(c->fd, VIDIOC_STREAMON, &type);
	if (!error)
		error = sd_event_add_io(device->manager->event, &c->io, c->fd, EPOLLIN, on_frames,
					c);
	if (error < 0) {
		camera_stop(device);
		return error;
	}
	devring_fourcc_to_text(c->pix.pixelformat, text);
	log_device(device->said ? LOG_DEBUG : LOG_INFO, device->name, "streaming",
		   "streaming %s %ux%u, %s", text, c->pix.width, c->pix.height,
		   c->memory == V4L2_MEMORY_USERPTR ? "straight into slots" : "copied into slots");
	return 0;
}

const struct driver camera_driver = {
	.start = camera_start,
	.stop = camera_stop,
};
