// SPDX-License-Identifier: GPL-2.0-or-later
/* cat: a device's frames to standard output. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <devring/checksum.h>

#include "cli.h"
#include "encoder.h"
#include "progress.h"

struct cat {
	struct cli *cli;
	struct devring_reader_file *reader;
	struct encoder encoder;
	struct progress progress;
	struct devring_crc_table crc;
	int fd;
	int timeout_ms;
	enum encoding encoding;
	uint32_t holds;
	bool begun;
	bool format_changed;
	uint64_t frames_left;
	int media_ms;			/* --seconds, 0: no end */
	uint64_t first_ns;		/* when the first frame was captured */
	uint64_t torn;			/* frames that were overwritten while they were written */
	uint64_t verified;
	uint64_t wrong;
};

static int parse_start(struct cli *cli, struct devring_reader_options *options)
{
	static const char *const names[] = { "", "newest", "oldest", "next" };
	const char *text = opt(cli, OPT_START);

	if (!text)
		return STATUS_OK;
	for (uint32_t i = DEVRING_START_NEWEST; i <= DEVRING_START_NEXT; i++) {
		if (!strcmp(names[i], text)) {
			options->start = i;
			return STATUS_OK;
		}
	}
	options->start = DEVRING_START_SEQUENCE;
	if (parse_number(text, 0, UINT64_MAX, &options->sequence))
		return STATUS_OK;
	return fail(cli, STATUS_USAGE, "--start is \"%s\": it has to be newest, oldest, next or a "
		    "sequence number.", text);
}

static int parse_options(struct cat *cat, struct devring_reader_options *options)
{
	struct cli *cli = cat->cli;
	int encoding = ENCODING_AUTO;
	uint32_t holds = 1;
	int ret;

	if (opt(cli, OPT_FORMAT))
		encoding = encoding_from_name(opt(cli, OPT_FORMAT));
	if (encoding < 0)
		return fail(cli, STATUS_USAGE, "--format is \"%s\": it has to be auto, raw, y4m, "
			    "wav or mjpeg.", opt(cli, OPT_FORMAT));
	cat->encoding = (enum encoding)encoding;
	if (opt(cli, OPT_SECONDS) && (!parse_seconds(opt(cli, OPT_SECONDS), &cat->media_ms) ||
				      !cat->media_ms))
		return fail(cli, STATUS_USAGE, "--seconds is \"%s\": it has to be more than 0, "
			    "such as 10 or 0.5.", opt(cli, OPT_SECONDS));
	ret = opt_timeout(cli, &cat->timeout_ms);
	if (!ret)
		ret = opt_number(cli, OPT_FRAMES, 1, UINT64_MAX, &cat->frames_left);
	if (!ret)
		ret = opt_number32(cli, OPT_HOLDS, 0, DEVRING_HOLDS_MAX, &holds);
	if (!ret)
		ret = parse_start(cli, options);
	cat->holds = holds ? holds : DEVRING_NO_HOLDS;
	options->holds = cat->holds;
	options->flags = opt(cli, OPT_LATEST) ? DEVRING_READER_LATEST : 0;
	options->events = DEVRING_EVENT_FORMAT;
	return ret;
}

static int open_output(struct cat *cat)
{
	const char *path = opt(cat->cli, OPT_OUTPUT);

	cat->fd = STDOUT_FILENO;
	if (!path || !strcmp(path, "-"))
		return STATUS_OK;
	cat->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (cat->fd >= 0)
		return STATUS_OK;
	return fail_errno(cat->cli, -errno, "Cannot write \"%s\"", path);
}

static int fail_output(struct cat *cat, int err)
{
	const char *path = opt(cat->cli, OPT_OUTPUT);

	return fail_errno(cat->cli, err, "Cannot write to %s", path ? path : "standard output");
}

/* With --seconds it is known how much sound there will be, and a pipe cannot be told later. */
static uint64_t sound_bytes(const struct cat *cat, const struct devring_audio_format *audio)
{
	return cat->media_ms ? (uint64_t)audio->rate * (uint64_t)cat->media_ms / 1000 * audio->frame_bytes :
	       WAV_UNKNOWN;
}

static int begin(struct cat *cat)
{
	char text[DEVRING_TEXT_SIZE];
	struct devring_format format;
	int ret;

	ret = devring_reader_format(cat->reader, &format);
	if (ret)
		return fail_errno(cat->cli, ret, "Cannot ask for the format");
	ret = encoder_begin(&cat->encoder, cat->fd, cat->encoding, &format,
			    format.kind == DEVRING_FORMAT_AUDIO ? sound_bytes(cat, &format.audio) : WAV_UNKNOWN);
	cat->begun = true;
	if (ret == -EOPNOTSUPP)
		return fail(cat->cli, STATUS_FAILURE, "%s cannot hold \"%s\": use --format=raw.",
			    encoding_name(cat->encoder.encoding),
			    devring_format_to_text(&format, text, sizeof(text)));
	if (ret == -EINTR)
		return STATUS_OK;
	return ret ? fail_output(cat, ret) : STATUS_OK;
}

/* The format is another than the stream was begun with: only raw bytes can go on. */
static int change_format(struct cat *cat)
{
	char before[DEVRING_TEXT_SIZE], after[DEVRING_TEXT_SIZE];
	struct devring_format format;
	int ret;

	cat->format_changed = false;
	ret = devring_reader_format(cat->reader, &format);
	if (ret)
		return fail_errno(cat->cli, ret, "Cannot ask for the format");
	if (format.kind == cat->encoder.format.kind &&
	    !memcmp(format.raw, cat->encoder.format.raw, sizeof(format.raw)))
		return STATUS_OK;
	if (cat->encoder.encoding == ENCODING_RAW)
		return STATUS_OK;
	if (cat->encoder.encoding == ENCODING_MJPEG && format.kind == DEVRING_FORMAT_VIDEO &&
	    format.video.fourcc == cat->encoder.format.video.fourcc)
		return STATUS_OK;
	return fail(cat->cli, STATUS_FAILURE, "The format changed from \"%s\" to \"%s\", and %s "
		    "cannot go on with that: start again, or use --format=raw.",
		    devring_format_to_text(&cat->encoder.format, before, sizeof(before)),
		    devring_format_to_text(&format, after, sizeof(after)),
		    encoding_name(cat->encoder.encoding));
}

static void verify(struct cat *cat, const struct devring_view *view)
{
	if (view->metadata_size < sizeof(struct devring_checksum)) {
		cat->wrong++;
		return;
	}
	if (devring_checksum_ok(&cat->crc, view->metadata, view->data, view->bytes, NULL))
		cat->verified++;
	else
		cat->wrong++;
}

/* How many bytes of the frame lie within --seconds; *@last says that no more follow. */
static size_t within_seconds(struct cat *cat, const struct devring_view *view, bool *last)
{
	const struct devring_format *format = &cat->encoder.format;
	const struct devring_audio_format *audio = &format->audio;
	uint64_t wanted;

	*last = false;
	if (!cat->media_ms)
		return view->bytes;
	if (format->kind == DEVRING_FORMAT_AUDIO && audio->rate && audio->frame_bytes) {
		wanted = sound_bytes(cat, audio) - cat->encoder.data_bytes;
		*last = view->bytes >= wanted;
		return *last ? wanted : view->bytes;
	}
	if (!cat->first_ns)
		cat->first_ns = view->frame.capture_ns;
	*last = view->frame.capture_ns - cat->first_ns >= (uint64_t)cat->media_ms * 1000000;
	return *last ? 0 : view->bytes;
}

/* Was the frame overwritten while it was written out? */
static bool was_torn(struct cat *cat, const struct devring_view *view)
{
	if (devring_reader_intact(cat->reader, view))
		return false;
	/* The index is at a later frame; a frame that is still held stood still all the same. */
	return cat->holds == DEVRING_NO_HOLDS ||
	       devring_reader_release(cat->reader, view->frame.sequence) == -ENOENT;
}

static int put_frame(struct cat *cat, const struct devring_view *view, bool *last)
{
	size_t bytes;
	int ret;

	if (!cat->begun) {
		ret = begin(cat);
		if (ret)
			return ret;
		cat->format_changed = false;
	}
	if (cat->format_changed) {
		ret = change_format(cat);
		if (ret)
			return ret;
	}
	if (opt(cat->cli, OPT_VERIFY))
		verify(cat, view);
	bytes = within_seconds(cat, view, last);
	ret = bytes ? encoder_frame(&cat->encoder, view->data, bytes) : 0;
	cat->torn += was_torn(cat, view);
	if (ret == -EMSGSIZE) {
		remark("Frame %llu has %zu bytes, too few for its format: it is left out.",
		       (unsigned long long)view->frame.sequence, view->bytes);
		ret = 0;
	}
	if (ret == -EINTR)
		return STATUS_OK;
	*last |= !--cat->frames_left;
	return ret ? fail_output(cat, ret) : STATUS_OK;
}

static int stop(struct cat *cat, int err)
{
	if (err == -EAGAIN)
		return fail(cat->cli, STATUS_TIMEOUT, "No frame came in the time given by "
			    "--timeout.");
	if (err == -ENODEV)
		return fail(cat->cli, STATUS_PERMISSION, "Access to \"%s\" was taken away.",
			    cat->cli->device);
	return fail_errno(cat->cli, err, "Cannot read \"%s\"", cat->cli->device);
}

static int copy(struct cat *cat)
{
	struct devring_view view;
	bool last = false;

	progress_begin(&cat->progress, !cat->cli->json && progress_is_all(cat->fd), "a frame", cat->frames_left);
	while (!last && !was_signalled()) {
		int ret = progress_next(&cat->progress, devring_reader_next, cat->reader, &view, cat->timeout_ms);

		if (ret == DEVRING_EVENT_FORMAT) {
			cat->format_changed = true;
			continue;
		}
		if (ret == DEVRING_EVENT_END)
			break;
		if (ret == -EINTR)
			continue;
		ret = ret < 0 ? stop(cat, ret) : put_frame(cat, &view, &last);
		if (ret)
			return ret;
	}
	return STATUS_OK;
}

static int finish(struct cat *cat, int status)
{
	struct devring_counters c;

	progress_clear();
	devring_reader_counters(cat->reader, &c);
	if (cat->cli->json && !status)
		json_print(json_pack("{s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
				     "schema_version", SCHEMA_VERSION,
				     "delivered", (json_int_t)c.delivered,
				     "lost", (json_int_t)c.lost,
				     "lost_before", (json_int_t)c.lost_before,
				     "holds_broken", (json_int_t)c.holds_broken,
				     "generations", (json_int_t)c.generations,
				     "torn", (json_int_t)cat->torn,
				     "verified", (json_int_t)cat->verified,
				     "wrong", (json_int_t)cat->wrong), stderr);
	else if (cat->torn)
		remark("%llu frames were overwritten while they were written out: use a deeper "
		       "ring or a faster reader.", (unsigned long long)cat->torn);
	if (!status && cat->wrong)
		return fail(cat->cli, STATUS_FAILURE, "%llu of %llu frames do not match their "
			    "checksum.",
			    (unsigned long long)cat->wrong,
			    (unsigned long long)(cat->wrong + cat->verified));
	return status;
}

int cmd_cat(struct cli *cli)
{
	struct cat cat = { .cli = cli, .frames_left = UINT64_MAX };
	struct devring_reader_options options = { 0 };
	int fd, ret;

	ret = parse_options(&cat, &options);
	if (ret)
		return ret;
	ret = need_reader(cli, &fd);
	if (ret)
		return ret;
	ret = devring_reader_from_fd(&cat.reader, fd, &options);
	if (ret) {
		close(fd);
		return fail_errno(cli, ret, "Cannot read \"%s\"", cli->device);
	}
	ret = open_output(&cat);
	if (!ret) {
		devring_crc_init(&cat.crc);
		catch_signals();
		ret = copy(&cat);
		if (cat.begun)
			encoder_end(&cat.encoder);
		ret = finish(&cat, ret);
	}
	devring_reader_close(cat.reader);
	die_of_signal();
	return ret;
}
