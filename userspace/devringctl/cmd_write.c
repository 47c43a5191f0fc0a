// SPDX-License-Identifier: GPL-2.0-or-later
/* write: standard input into a device. */

#include <errno.h>
#include <linux/videodev2.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <devring/checksum.h>

#include "cli.h"
#include "progress.h"
#include "register.h"
#include "source.h"
#include "waiting.h"

struct writing {
	struct cli *cli;
	struct source source;
	struct devring_producer *producer;
	struct progress progress;
	struct devring_crc_table crc;
	struct devring_format format;	/* in force */
	bool sink;
	bool realtime;
	uint64_t due_ns;		/* when the next frame is due */
	uint64_t frames;
	uint64_t bytes;
};

static int open_new(struct writing *w)
{
	struct devring_register reg;
	int ret;

	ret = register_options(w->cli, opt(w->cli, OPT_NAME), &reg);
	if (ret)
		return ret;
	if (!opt(w->cli, OPT_TYPE) && w->source.format.kind == DEVRING_FORMAT_AUDIO)
		reg.type = DEVRING_TYPE_MICROPHONE;
	else if (!opt(w->cli, OPT_TYPE) && w->source.format.kind == DEVRING_FORMAT_VIDEO)
		reg.type = DEVRING_TYPE_CAMERA;
	ret = devring_producer_register(&w->producer, &reg);
	return ret ? fail_register(w->cli, ret, &reg) : STATUS_OK;
}

static bool same_sound(const struct devring_format *a, const struct devring_format *b)
{
	return a->kind == b->kind && a->audio.sample_format == b->audio.sample_format &&
	       a->audio.rate == b->audio.rate && a->audio.channels == b->audio.channels;
}

static int open_sink(struct writing *w)
{
	char want[DEVRING_TEXT_SIZE], have[DEVRING_TEXT_SIZE];
	const char *name = arg(w->cli, 0);
	struct devring_device device;
	int ret;

	ret = devring_producer_open(&w->producer, name);
	if (ret)
		return fail_device(w->cli, ret, name);
	ret = devring_producer_device(w->producer, &device);
	if (ret)
		return fail_device(w->cli, ret, name);
	w->sink = true;
	w->format = device.format;
	w->realtime = device.format.kind == DEVRING_FORMAT_AUDIO;
	if (w->source.format.kind == DEVRING_FORMAT_AUDIO &&
	    device.format.kind == DEVRING_FORMAT_AUDIO &&
	    !same_sound(&w->source.format, &device.format))
		return fail(w->cli, STATUS_FAILURE, "\"%s\" plays \"%s\", and standard input is "
			    "\"%s\": convert it, as with \"sox - -r %u -c %u -t raw -\".", name,
			    devring_format_to_text(&device.format, want, sizeof(want)),
			    devring_format_to_text(&w->source.format, have, sizeof(have)),
			    device.format.audio.rate, device.format.audio.channels);
	return STATUS_OK;
}

static int open_existing(struct writing *w)
{
	const char *name = arg(w->cli, 0);
	struct devring_device device;
	uint32_t flags = opt(w->cli, OPT_TAKEOVER) ? DEVRING_ATTACH_TAKEOVER : 0;
	int ret;

	ret = need_device(w->cli, name, &device);
	if (ret)
		return ret;
	if (device.flags & DEVRING_REG_SINK)
		return open_sink(w);
	if (!(device.flags & DEVRING_REG_PERSIST))
		return fail(w->cli, STATUS_BUSY, "\"%s\" belongs to pid %d and ends with it: only "
			    "persistent devices and speakers can be written to by others.", name,
			    device.registrant_pid);
	ret = devring_producer_attach(&w->producer, name, flags);
	if (ret == -EPERM)
		return fail(w->cli, STATUS_PERMISSION, "\"%s\" was registered by uid %u: only that "
			    "user and root can produce for it.", name, device.registrant_uid);
	if (ret == -EBUSY)
		return fail(w->cli, STATUS_BUSY, "\"%s\" has a producer, pid %d: end it, or "
			    "replace it with --takeover.", name, device.producer_pid);
	return ret ? fail_device(w->cli, ret, name) : STATUS_OK;
}

static int set_up_ring(struct writing *w)
{
	uint32_t metadata = opt(w->cli, OPT_CHECKSUM) ? sizeof(struct devring_checksum) : 0;
	const struct source *source = &w->source;
	int ret;

	w->format = source->format;
	ret = devring_producer_set_ring(w->producer, source->slots, source->frame_bytes, metadata);
	if (ret == -EDQUOT)
		return fail(w->cli, STATUS_FAILURE, "%u slots of %u bytes are more memory than "
			    "your user may have: give less by --slots; \"devringctl info\" tells "
			    "the limit.",
			    source->slots, source->frame_bytes);
	if (ret)
		return fail_errno(w->cli, ret, "Cannot have a ring of %u slots of %u bytes",
				  source->slots, source->frame_bytes);
	ret = devring_producer_set_format(w->producer, &w->format);
	return ret ? fail_errno(w->cli, ret, "Cannot set the format") : STATUS_OK;
}

/* Keep the pace that the format says, without making up for time that was lost. */
static void pace(struct writing *w, size_t bytes)
{
	uint64_t duration = w->realtime ? source_duration_ns(&w->format, bytes) : 0;
	struct timespec until;

	if (!duration)
		return;
	if (!w->due_ns || now_ns() > w->due_ns + 1000000000)
		w->due_ns = now_ns();
	w->due_ns += duration;
	until.tv_sec = (time_t)(w->due_ns / 1000000000);
	until.tv_nsec = (long)(w->due_ns % 1000000000);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static int put_frame(struct writing *w, const struct devring_fill *fill, size_t bytes)
{
	struct devring_commit commit = { .bytes = (uint32_t)bytes, .flags = DEVRING_FRAME_KEY };
	int ret;

	if (opt(w->cli, OPT_CHECKSUM) && fill->metadata_size >= sizeof(struct devring_checksum))
		devring_checksum_put(&w->crc, fill->metadata, fill->data, bytes, w->frames);
	ret = devring_producer_commit(w->producer, fill, &commit);
	/* A sink's registrant gave it another ring: this frame is gone, the next ones are not. */
	if (ret == -ESTALE && w->sink)
		return STATUS_OK;
	if (ret)
		return fail_errno(w->cli, ret, "Cannot commit a frame");
	w->progress.frames = ++w->frames;
	w->progress.bytes = w->bytes += bytes;
	progress_show(&w->progress);
	pace(w, bytes);
	return STATUS_OK;
}

static int fail_input(struct writing *w, ssize_t err)
{
	if (err == -EPIPE)
		return fail(w->cli, STATUS_FAILURE, "Standard input ended within a picture, after "
			    "%llu whole ones.", (unsigned long long)w->frames);
	if (err == -EMSGSIZE)
		return fail(w->cli, STATUS_FAILURE, "A picture on standard input is larger than "
			    "%u bytes: give its size by --frame-bytes.", w->source.frame_bytes);
	if (err == -EPROTO)
		return fail(w->cli, STATUS_FAILURE, "Standard input is no %s any more after %llu "
			    "pictures.", w->source.kind == SOURCE_JPEG ? "JPEG" : "y4m",
			    (unsigned long long)w->frames);
	return fail_errno(w->cli, (int)err, "Cannot read standard input");
}

static int copy(struct writing *w)
{
	struct devring_fill fill;
	ssize_t bytes;
	int ret = STATUS_OK;

	progress_begin(&w->progress, !w->cli->json && progress_is_all(STDIN_FILENO), "a frame", UINT64_MAX);
	while (!ret && !was_signalled()) {
		ret = devring_producer_take_wait(w->producer, &fill, -1);
		if (ret == -EINTR) {
			ret = STATUS_OK;
			continue;
		}
		if (ret == -ENODEV)
			return fail(w->cli, STATUS_FAILURE, "The device was removed, or given to "
				    "another producer.");
		if (ret)
			return fail_errno(w->cli, ret, "Cannot take a slot");
		bytes = source_read(&w->source, fill.data, fill.size);
		if (bytes == -ENODATA || bytes == -EINTR)
			return STATUS_OK;
		ret = bytes < 0 ? fail_input(w, bytes) : put_frame(w, &fill, (size_t)bytes);
	}
	return ret;
}

static void print_summary(struct writing *w)
{
	json_t *json = json_begin();

	json_object_set_new(json, "id", json_u64(devring_producer_id(w->producer)));
	json_object_set_new(json, "frames", json_u64(w->frames));
	json_object_set_new(json, "bytes", json_u64(w->bytes));
	json_object_set_new(json, "format", json_format(&w->format));
	json_print(json, stdout);
}

static int run(struct writing *w)
{
	int ret;

	ret = source_open(w->cli, &w->source, STDIN_FILENO);
	if (ret)
		return ret;
	ret = need_control(w->cli, opt(w->cli, OPT_NAME));
	if (!ret)
		ret = opt(w->cli, OPT_NAME) ? open_new(w) : open_existing(w);
	if (!ret && !w->sink)
		ret = set_up_ring(w);
	if (!ret)
		ret = wait_for_reader(w->cli, w->producer);
	if (!ret)
		ret = copy(w);
	if (!ret && !w->sink)
		ret = wait_for_last_reader(w->cli, w->producer);
	if (!ret && w->cli->json)
		print_summary(w);
	return ret;
}

int cmd_write(struct cli *cli)
{
	struct writing w = { .cli = cli, .realtime = opt(cli, OPT_REALTIME) };
	int ret;

	if (!opt(cli, OPT_NAME) == !arg(cli, 0))
		return fail(cli, STATUS_USAGE, "Give either --name for a new device, or a DEVICE "
			    "that exists.");
	if (opt(cli, OPT_REALTIME) && opt(cli, OPT_LINES))
		return fail(cli, STATUS_USAGE, "Lines have no pace: leave --realtime out.");
	devring_crc_init(&w.crc);
	catch_signals();
	ret = run(&w);
	progress_clear();
	devring_producer_close(w.producer);
	if (!ret)
		ret = flush_stdout(cli);
	die_of_signal();
	return ret;
}
