// SPDX-License-Identifier: GPL-2.0-or-later
#include "camera.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "buffers.h"
#include "device.h"
#include "log.h"
#include "manager.h"
#include "trail.h"

/* A camera while it is open. */
struct camera {
	struct device *device;
	int fd;
	sd_event_source *io;
	struct v4l2_pix_format pix;
	bool every_frame_is_key;
	struct buffers buffers;
	bool started;
	uint32_t next_sequence;
	uint32_t lost;				/* frames that never became ones */
};

int camera_call(int fd, unsigned long request, void *argument)
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
	int error = camera_call(c->fd, VIDIOC_QUERYCAP, &caps);
	__u32 can;

	if (error)
		return error;
	can = caps.capabilities & V4L2_CAP_DEVICE_CAPS ? caps.device_caps : caps.capabilities;
	if (can & V4L2_CAP_VIDEO_CAPTURE && can & V4L2_CAP_STREAMING)
		return 0;
	trail_note(c->device, LOG_WARNING, NULL, "%s does not stream single-planar video; use another "
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

	if (!mode->fps_denominator || camera_call(c->fd, VIDIOC_G_PARM, &parm) ||
	    !(parm.parm.capture.capability & V4L2_CAP_TIMEPERFRAME))
		return;
	interval->numerator = mode->fps_denominator;
	interval->denominator = mode->fps_numerator;
	if (camera_call(c->fd, VIDIOC_S_PARM, &parm) || !interval->numerator)
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
	error = camera_call(c->fd, VIDIOC_S_FMT, &f);
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
		trail_note(c->device, LOG_WARNING, "refused", "%s refused all %d modes that the "
			   "config allows; allow others by formats or size, or see v4l2-ctl "
			   "--list-formats-ext", c->device->hw.node, count);
	else
		trail_note(c->device, LOG_WARNING, "refused", "%s has none of the formats and "
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

/* The driver gets slots; if it cannot get enough, it gets them when there are some. */
static int refill(struct camera *c)
{
	int error = buffers_refill(&c->buffers);

	device_want_slots(c->device, c->buffers.starved);
	return error;
}

static int queue_buffers(struct camera *c)
{
	const struct config_device *config = &c->device->config;
	struct buffers *b = &c->buffers;
	int error;

	b->fd = c->fd;
	b->producer = c->device->producer;
	error = buffers_open(b, config->memory, config->buffers, c->device->manager->config->checksum);
	if (error && error != -EBUSY && error != -ENODEV &&
	    (config->memory == CONFIG_MEMORY_USERPTR || config->memory == CONFIG_MEMORY_DMABUF))
		trail_note(c->device, LOG_WARNING, NULL, "the driver does not take slots (%s); "
			   "set memory = auto to have it done as the driver can", strerror(-error));
	return error;
}

static uint64_t capture_time(const struct v4l2_buffer *b)
{
	if ((b->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
		return 0;
	return b->timestamp.tv_sec * 1000000000ull + b->timestamp.tv_usec * 1000ull;
}

static void describe(struct camera *c, const struct v4l2_buffer *b, struct devring_commit *commit)
{
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
	struct devring_commit commit = { 0 };
	struct devring_fill fill;
	int error;

	if (!b->bytesused) {	/* nothing but an error: the next frame tells of it */
		c->lost++;
		return buffers_requeue(&c->buffers, b->index);
	}
	describe(c, b, &commit);
	error = buffers_filled(&c->buffers, b, &fill, &commit.bytes);
	if (error == -EAGAIN) {	/* lossless readers keep all slots: the next frame tells of it, too */
		c->lost++;
		device_want_slots(c->device, true);
		return 0;
	}
	if (error)
		return error;
	error = device_commit(c->device, &fill, &commit);
	c->lost = 0;
	return error ?: refill(c);
}

static int on_frames(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct camera *c = user;
	int error, frames = 0;

	(void)source;
	for (;;) {
		struct v4l2_buffer b = {
			.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = c->buffers.memory,
		};

		error = camera_call(fd, VIDIOC_DQBUF, &b);
		if (error == -EAGAIN)
			break;
		if (!error && b.index >= c->buffers.count)
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
		camera_call(c->fd, VIDIOC_STREAMOFF, &type);
		close(c->fd);
	}
	buffers_close(&c->buffers);
	device_want_slots(device, false);
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
		error = camera_call(c->fd, VIDIOC_STREAMON, &type);
	if (!error)
		error = sd_event_add_io(device->manager->event, &c->io, c->fd, EPOLLIN, on_frames,
					c);
	if (error < 0) {
		camera_stop(device);
		return error;
	}
	devring_fourcc_to_text(c->pix.pixelformat, text);
	trail_note(device, device->said ? LOG_DEBUG : LOG_INFO, "streaming",
		   "streaming %s %ux%u, %s", text, c->pix.width, c->pix.height,
		   buffers_kind(&c->buffers));
	return 0;
}

static int camera_room(struct device *device)
{
	struct camera *c = device->open;

	return c ? refill(c) : 0;
}

const struct driver camera_driver = {
	.start = camera_start,
	.room = camera_room,
	.stop = camera_stop,
};
