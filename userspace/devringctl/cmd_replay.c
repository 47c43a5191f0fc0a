// SPDX-License-Identifier: GPL-2.0-or-later
/* replay: a recording as a device of its own, at the pace at which it was recorded. */

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"
#include "recording.h"
#include "register.h"
#include "waiting.h"

struct replay {
	struct cli *cli;
	struct recording file;
	struct devring_producer *producer;
	struct progress progress;
	uint32_t slots;
	uint32_t largest;		/* frame */
	uint64_t frames;
	uint64_t first_ns;		/* capture of the first frame */
	uint64_t began_ns;		/* when it was replayed */
};

static int fail_recording(struct replay *r, int err)
{
	if (err == -EPROTO)
		return fail(r->cli, STATUS_FAILURE, "Line %lu of \"%s.index\" is not what \"devringctl record\" "
			    "writes.", r->file.line, arg(r->cli, 0));
	return fail_errno(r->cli, err, "Cannot read \"%s\" and its index", arg(r->cli, 0));
}

/* All is looked at before there is a device: how large a slot has to be, and that the bytes are there. */
static int look(struct replay *r)
{
	off_t size = lseek(r->file.data, 0, SEEK_END);
	struct recorded line;
	int ret;

	while ((ret = recording_next(&r->file, &line)) > 0) {
		if (ret != RECORDING_FRAME)
			continue;
		if (line.frame.bytes > r->largest)
			r->largest = line.frame.bytes;
		if (line.frame.offset + line.frame.bytes > (uint64_t)size)
			return fail(r->cli, STATUS_FAILURE, "\"%s\" ends before the frame in line %lu of its "
				    "index.", arg(r->cli, 0), r->file.line);
		r->frames++;
	}
	if (!ret)
		ret = recording_rewind(&r->file);
	if (ret)
		return fail_recording(r, ret);
	return r->frames ? STATUS_OK :
	       fail(r->cli, STATUS_FAILURE, "\"%s\" has no frames.", arg(r->cli, 0));
}

static int open_device(struct replay *r)
{
	struct devring_register reg;
	int ret = register_options(r->cli, opt(r->cli, OPT_NAME), &reg);

	if (ret)
		return ret;
	ret = devring_producer_register(&r->producer, &reg);
	if (ret)
		return fail_register(r->cli, ret, &reg);
	ret = devring_producer_set_ring(r->producer, r->slots, r->largest ? r->largest : 1, 0);
	return ret ? fail_errno(r->cli, ret, "Cannot have a ring of %u slots of %u bytes", r->slots,
				r->largest) : STATUS_OK;
}

/* Until the frame is as far from the first one as it was then. */
static void pace(struct replay *r, const struct devring_frame *frame)
{
	struct timespec until;
	uint64_t due;

	if (!r->began_ns) {
		r->began_ns = now_ns();
		r->first_ns = frame->capture_ns;
	}
	due = r->began_ns + (frame->capture_ns - r->first_ns);
	until.tv_sec = (time_t)(due / 1000000000);
	until.tv_nsec = (long)(due % 1000000000);
	if (frame->capture_ns > r->first_ns)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static int read_frame(struct replay *r, const struct devring_frame *frame, char *to)
{
	uint32_t done = 0;

	while (done < frame->bytes) {
		ssize_t n = pread(r->file.data, to + done, frame->bytes - done, (off_t)(frame->offset + done));

		if (n <= 0)
			return n ? -errno : -ENODATA;
		done += (uint32_t)n;
	}
	return 0;
}

static int put_frame(struct replay *r, const struct devring_frame *frame)
{
	struct devring_commit commit = {
		.bytes = frame->bytes, .flags = frame->flags & ~DEVRING_FRAME_PARTIAL,
		.media_time = frame->media_time, .trace_id = frame->trace_id,
		/* What the recorder missed, the recording has not. */
		.lost_before = (uint32_t)(frame->lost + frame->lost_before),
	};
	struct devring_fill fill;
	int ret;

	pace(r, frame);
	do
		ret = devring_producer_take_wait(r->producer, &fill, -1);
	while (ret == -EINTR && !was_signalled());
	if (ret == -EINTR)
		return STATUS_OK;
	if (ret == -ENODEV)
		return fail(r->cli, STATUS_FAILURE, "The device was removed, or given to another producer.");
	if (ret)
		return fail_errno(r->cli, ret, "Cannot take a slot");
	ret = read_frame(r, frame, fill.data);
	if (ret)
		return fail_errno(r->cli, ret, "Cannot read \"%s\"", arg(r->cli, 0));
	ret = devring_producer_commit(r->producer, &fill, &commit);
	r->progress.frames++;
	r->progress.bytes += frame->bytes;
	progress_show(&r->progress);
	return ret ? fail_errno(r->cli, ret, "Cannot commit a frame") : STATUS_OK;
}

static int copy(struct replay *r)
{
	struct recorded line;
	int ret = STATUS_OK;

	progress_begin(&r->progress, !r->cli->json, "a reader", r->frames);
	while (!ret && !was_signalled()) {
		ret = recording_next(&r->file, &line);
		if (ret <= 0)
			return ret ? fail_recording(r, ret) : STATUS_OK;
		if (ret == RECORDING_FRAME) {
			ret = put_frame(r, &line.frame);
			continue;
		}
		line.format.generation = 0;
		ret = devring_producer_set_format(r->producer, &line.format);
		if (ret)
			ret = fail_errno(r->cli, ret, "Cannot set the format");
	}
	return ret;
}

int cmd_replay(struct cli *cli)
{
	struct replay r = { .cli = cli, .slots = 16 };
	int ret;

	if (!opt(cli, OPT_NAME))
		return fail(cli, STATUS_USAGE, "Give the new device a name by --name.");
	ret = opt_number32(cli, OPT_SLOTS, DEVRING_SLOTS_MIN, DEVRING_SLOTS_MAX, &r.slots);
	if (ret)
		return ret;
	ret = recording_open(&r.file, arg(cli, 0));
	ret = ret ? fail_recording(&r, ret) : look(&r);
	if (!ret)
		ret = need_control(cli, true);
	if (!ret)
		ret = open_device(&r);
	catch_signals();
	if (!ret)
		ret = wait_for_reader(cli, r.producer);
	if (!ret)
		ret = copy(&r);
	if (!ret)
		ret = wait_for_last_reader(cli, r.producer);
	progress_clear();
	recording_close(&r.file);
	devring_producer_close(r.producer);
	die_of_signal();
	return ret;
}
