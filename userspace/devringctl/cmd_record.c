// SPDX-License-Identifier: GPL-2.0-or-later
/* record: a device's frames into a file, with an index. */

#include <errno.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"
#include "recording.h"

struct record {
	struct cli *cli;
	struct devring_reader_file *reader;
	struct recording file;
	bool lossless;
	bool demoted;
	uint64_t frames_left;
	int seconds_ms;
	int timeout_ms;
	uint64_t first_ns;
};

/* A recorder misses nothing, where the device allows that; else it holds as much as it may. */
static int open_reader(struct record *r)
{
	struct devring_reader_options options = {
		.start = DEVRING_START_NEXT, .holds = 2,
		.events = DEVRING_EVENT_FORMAT,
	};
	struct cli *cli = r->cli;
	struct devring_device device;
	int fd, ret;

	ret = need_reader(cli, &fd);
	if (ret)
		return ret;
	ret = devring_query_fd(fd, &device);
	if (!ret && device.flags & DEVRING_REG_LOSSLESS)
		options.flags = DEVRING_READER_LOSSLESS;
	if (!ret)
		ret = devring_reader_from_fd(&r->reader, fd, &options);
	if (ret == -ETIME || ret == -EUSERS) {
		remark("\"%s\" does not wait for this user any more, who was too slow before: frames may be "
		       "lost.", device.name);
		options.flags = 0;
		ret = devring_reader_from_fd(&r->reader, fd, &options);
	}
	if (ret) {
		close(fd);
		return fail_errno(cli, ret, "Cannot read \"%s\"", cli->device);
	}
	r->lossless = options.flags;
	ret = recording_create(&r->file, arg(cli, 1), &device);
	return ret ? fail_errno(cli, ret, "Cannot write \"%s\" and its index", arg(cli, 1)) : STATUS_OK;
}

static int put_format(struct record *r)
{
	struct devring_format format;
	int ret = devring_reader_format(r->reader, &format);

	if (ret)
		return fail_errno(r->cli, ret, "Cannot ask for the format");
	ret = recording_put_format(&r->file, &format);
	return ret ? fail_errno(r->cli, ret, "Cannot write the index of \"%s\"", arg(r->cli, 1)) : STATUS_OK;
}

static int put_frame(struct record *r, const struct devring_view *view, bool *last)
{
	int ret = 0;

	if (!r->first_ns) {
		ret = put_format(r);
		r->first_ns = view->frame.capture_ns;
	}
	if (ret)
		return ret;
	if (view->frame.rec.flags & DEVRING_RECORD_F_DEMOTED)
		r->demoted = true;
	ret = recording_put_frame(&r->file, view);
	if (ret)
		return fail_errno(r->cli, ret, "Cannot write \"%s\"", arg(r->cli, 1));
	*last = !--r->frames_left || (r->seconds_ms > 0 && view->frame.capture_ns - r->first_ns >=
				      (uint64_t)r->seconds_ms * 1000000);
	return STATUS_OK;
}

static int copy(struct record *r)
{
	struct devring_view view;
	struct progress progress;
	bool last = false;
	int ret = STATUS_OK;

	progress_begin(&progress, !r->cli->json, "a frame", r->frames_left);
	while (!ret && !last && !was_signalled()) {
		ret = progress_next(&progress, devring_reader_next, r->reader, &view, r->timeout_ms);
		if (ret == DEVRING_EVENT_END)
			break;
		if (ret == DEVRING_EVENT_FORMAT)
			ret = r->first_ns ? put_format(r) : STATUS_OK;
		else if (ret == DEVRING_EVENT_FRAME)
			ret = put_frame(r, &view, &last);
		else if (ret == -EINTR)
			ret = STATUS_OK;
		else if (ret == -EAGAIN)
			ret = fail(r->cli, STATUS_TIMEOUT, "No frame came in the time given by --timeout.");
		else if (ret == -ENODEV)
			ret = fail(r->cli, STATUS_PERMISSION, "Access to \"%s\" was taken away.", r->cli->device);
		else
			ret = fail_errno(r->cli, ret, "Cannot read \"%s\"", r->cli->device);
	}
	return ret;
}

static int finish(struct record *r, int status)
{
	struct devring_counters c;
	int ret = recording_close(&r->file);

	progress_clear();
	devring_reader_counters(r->reader, &c);
	if (ret && !status)
		status = fail_errno(r->cli, ret, "Cannot write \"%s\"", arg(r->cli, 1));
	if (r->demoted)
		remark("Writing was too slow: the device waited no longer, and frames were lost.");
	if (r->cli->json && !status)
		json_print(json_pack("{s:i,s:I,s:I,s:I,s:b,s:b}", "schema_version", SCHEMA_VERSION,
				     "delivered", (json_int_t)c.delivered, "lost", (json_int_t)c.lost,
				     "lost_before", (json_int_t)c.lost_before, "lossless", r->lossless,
				     "demoted", r->demoted), stdout);
	else if (c.lost)
		remark("%llu of %llu frames were lost.", (unsigned long long)c.lost,
		       (unsigned long long)(c.lost + c.delivered));
	return status;
}

int cmd_record(struct cli *cli)
{
	struct record r = { .cli = cli, .file = { .data = -1 }, .frames_left = UINT64_MAX };
	int ret = opt_number(cli, OPT_FRAMES, 1, UINT64_MAX, &r.frames_left);

	if (!ret)
		ret = opt_time(cli, OPT_SECONDS, &r.seconds_ms);
	if (!ret)
		ret = opt_timeout(cli, &r.timeout_ms);
	if (!ret)
		ret = open_reader(&r);
	if (!ret) {
		catch_signals();
		ret = copy(&r);
		ret = finish(&r, ret);
	}
	recording_close(&r.file);
	devring_reader_close(r.reader);
	if (!ret)
		ret = flush_stdout(cli);
	die_of_signal();
	return ret;
}
