// SPDX-License-Identifier: GPL-2.0-or-later
#include "camera.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct search {
	int fd;
	const struct config_device *config;
	unsigned int min_fps;
	struct camera_mode *modes;
	unsigned int count, room;
};

static unsigned int rank_of(const struct config_device *config, uint32_t fourcc)
{
	unsigned int i;

	for (i = 0; i < config->formats_count; i++)
		if (config->formats[i] == fourcc)
			break;
	return i;
}

/* Frames in 1000 seconds: enough to compare by. */
static uint64_t rate(uint32_t numerator, uint32_t denominator)
{
	return denominator ? 1000ull * numerator / denominator : 0;
}

static uint64_t mode_rate(const struct camera_mode *mode)
{
	return rate(mode->fps_numerator, mode->fps_denominator);
}

/* Of two rates the better one: the largest that is not above the wanted, else the smallest. */
static bool better_rate(uint64_t new, uint64_t old, uint64_t wanted)
{
	if (!old)
		return true;
	if (new <= wanted)
		return old > wanted || new > old;
	return old > wanted && new < old;
}

/* The frame rate for a size; 0/0 when the driver does not tell. */
static void find_rate(const struct search *s, struct camera_mode *mode)
{
	uint64_t wanted = 1000ull * s->config->fps;
	struct v4l2_frmivalenum e = {
		.pixel_format = mode->fourcc, .width = mode->width, .height = mode->height,
	};

	for (e.index = 0; e.index < 64 && !ioctl(s->fd, VIDIOC_ENUM_FRAMEINTERVALS, &e);
	     e.index++) {
		/* An interval is seconds per frames: upside down. */
		uint32_t n = e.discrete.denominator, d = e.discrete.numerator;

		if (e.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
			uint64_t fastest = rate(e.stepwise.min.denominator,
						e.stepwise.min.numerator);
			uint64_t slowest = rate(e.stepwise.max.denominator,
						e.stepwise.max.numerator);

			n = e.stepwise.min.denominator;
			d = e.stepwise.min.numerator;
			if (fastest > wanted && slowest <= wanted) {
				n = s->config->fps;
				d = 1;
			}
		}
		if (d && better_rate(rate(n, d), mode_rate(mode), wanted)) {
			mode->fps_numerator = n;
			mode->fps_denominator = d;
		}
		if (e.type != V4L2_FRMIVAL_TYPE_DISCRETE)
			return;
	}
}

static void add(struct search *s, uint32_t fourcc, uint32_t width, uint32_t height)
{
	const struct config_device *c = s->config;
	struct camera_mode mode = { .fourcc = fourcc, .width = width, .height = height };

	mode.rank = rank_of(c, fourcc);
	if (s->count == s->room || (c->formats_fixed && mode.rank == c->formats_count) ||
	    (c->size_fixed && (width != c->width || height != c->height)))
		return;
	find_rate(s, &mode);
	s->modes[s->count++] = mode;
}

/* Of a range the largest size that is wanted. */
static uint32_t in_range(uint32_t wanted, uint32_t min, uint32_t max, uint32_t step)
{
	if (wanted <= min)
		return min;
	if (wanted > max)
		wanted = max;
	return min + (wanted - min) / (step ? step : 1) * (step ? step : 1);
}

static void add_sizes(struct search *s, uint32_t fourcc)
{
	struct v4l2_frmsizeenum e = { .pixel_format = fourcc };
	struct v4l2_format now = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	for (e.index = 0; e.index < 128 && !ioctl(s->fd, VIDIOC_ENUM_FRAMESIZES, &e); e.index++) {
		if (e.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
			add(s, fourcc,
			    in_range(s->config->width, e.stepwise.min_width, e.stepwise.max_width,
				     e.stepwise.step_width),
			    in_range(s->config->height, e.stepwise.min_height,
				     e.stepwise.max_height, e.stepwise.step_height));
			return;
		}
		add(s, fourcc, e.discrete.width, e.discrete.height);
	}
	/* A driver that lists no sizes has one, the present one. */
	if (!e.index && !ioctl(s->fd, VIDIOC_G_FMT, &now))
		add(s, fourcc, now.fmt.pix.width, now.fmt.pix.height);
}

static bool fits(const struct search *s, const struct camera_mode *m)
{
	return m->width <= s->config->width && m->height <= s->config->height;
}

static bool fast(const struct search *s, const struct camera_mode *m)
{
	return !m->fps_denominator || mode_rate(m) >= 1000ull * s->min_fps;
}

static int compare(const void *a, const void *b, void *user)
{
	const struct search *s = user;
	const struct camera_mode *x = a, *y = b;
	unsigned int listed = s->config->formats_count;
	uint64_t x_area = (uint64_t)x->width * x->height, y_area = (uint64_t)y->width * y->height;

	if ((x->rank < listed) != (y->rank < listed))
		return x->rank < listed ? -1 : 1;
	if (fits(s, x) != fits(s, y))
		return fits(s, x) ? -1 : 1;
	if (fast(s, x) != fast(s, y))
		return fast(s, x) ? -1 : 1;
	/* What is larger than asked for had better be little larger. */
	if (x_area != y_area)
		return (x_area > y_area) == fits(s, x) ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return 0;
}

int camera_modes(int fd, const struct config_device *config, unsigned int min_fps,
		 struct camera_mode *modes, unsigned int room)
{
	struct search s = {
		.fd = fd, .config = config, .min_fps = min_fps, .modes = modes, .room = room,
	};
	struct v4l2_fmtdesc e = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	for (e.index = 0; e.index < 128; e.index++) {
		if (ioctl(fd, VIDIOC_ENUM_FMT, &e)) {
			if (errno != EINVAL && !e.index)
				return -errno;
			break;
		}
		/* Formats that libv4l makes up, and nobody has asked for, are the same in worse. */
		if (!(e.flags & V4L2_FMT_FLAG_EMULATED))
			add_sizes(&s, e.pixelformat);
	}
	qsort_r(modes, s.count, sizeof(*modes), compare, &s);
	return s.count;
}
