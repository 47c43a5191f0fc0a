// SPDX-License-Identifier: GPL-2.0-or-later
/* snapshot: one picture into a file. */

#include <errno.h>
#include <linux/videodev2.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "pixels.h"
#include "progress.h"

#define SNAPSHOT_TIMEOUT_MS	10000

/* One frame, copied, so that nothing holds it while it is written. */
struct picture {
	struct devring_format format;
	uint8_t *data;
	size_t bytes;
};

static int wait_frame(struct cli *cli, struct devring_reader_file *reader, int timeout_ms,
		      struct devring_view *view)
{
	struct progress progress;
	int ret;

	progress_begin(&progress, !cli->json, "a picture", 1);
	do
		ret = progress_next(&progress, devring_reader_latest, reader, view, timeout_ms);
	while (ret == -EINTR);
	progress_clear();
	if (ret == DEVRING_EVENT_FRAME)
		return STATUS_OK;
	if (ret == DEVRING_EVENT_END)
		return fail(cli, STATUS_NOT_FOUND, "\"%s\" was removed.", cli->device);
	if (ret == -EAGAIN)
		return fail(cli, STATUS_TIMEOUT, "No picture came from \"%s\" within %g seconds; "
			    "\"devringctl info %s\" tells its state.", cli->device,
			    timeout_ms / 1000.0, cli->device);
	return fail_errno(cli, ret, "Cannot read \"%s\"", cli->device);
}

static int take_picture(struct cli *cli, struct devring_reader_file *reader, int timeout_ms,
			struct picture *picture)
{
	struct devring_view view;
	int ret;

	/* A frame can be overwritten only if its hold was broken: then the next one will do. */
	do {
		free(picture->data);
		picture->data = NULL;
		ret = wait_frame(cli, reader, timeout_ms, &view);
		if (ret)
			return ret;
		ret = devring_reader_format(reader, &picture->format);
		if (ret)
			return fail_errno(cli, ret, "Cannot ask for the format");
		picture->bytes = view.bytes;
		picture->data = malloc(view.bytes + 1);
		if (!picture->data)
			return fail(cli, STATUS_FAILURE, "There is no memory left.");
		memcpy(picture->data, view.data, view.bytes);
	} while (devring_reader_release(reader, view.frame.sequence) == -ENOENT);
	return STATUS_OK;
}

static bool is_jpeg(const struct devring_format *format)
{
	return format->video.fourcc == V4L2_PIX_FMT_MJPEG ||
	       format->video.fourcc == V4L2_PIX_FMT_JPEG;
}

static FILE *open_file(const char *path)
{
	return strcmp(path, "-") ? fopen(path, "we") : stdout;
}

static int write_png(struct cli *cli, FILE *file, const struct picture *picture)
{
	const struct devring_video_format *video = &picture->format.video;
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *rgb = malloc(pixels_rgb_size(video));
	int ret;

	if (!rgb)
		return fail(cli, STATUS_FAILURE, "There is no memory left.");
	ret = pixels_to_rgb(video, picture->data, picture->bytes, rgb);
	if (ret) {
		free(rgb);
		return fail(cli, STATUS_FAILURE, "The picture has %zu bytes, too few for its "
			    "format.", picture->bytes);
	}
	image.width = video->width;
	image.height = video->height;
	image.format = PNG_FORMAT_RGB;
	ret = png_image_write_to_stdio(&image, file, 0, rgb, 0, NULL);
	free(rgb);
	return ret ? STATUS_OK : fail(cli, STATUS_FAILURE, "Cannot write the picture: %s.",
				      image.message);
}

static int save(struct cli *cli, const struct picture *picture, const char *name)
{
	bool jpeg = is_jpeg(&picture->format);
	const char *path = opt(cli, OPT_OUTPUT);
	char made[DEVRING_LINK_SIZE + 8];
	bool failed;
	FILE *file;
	int ret = STATUS_OK;

	if (!path) {
		snprintf(made, sizeof(made), "%s.%s", name, jpeg ? "jpg" : "png");
		path = made;
	}
	file = open_file(path);
	if (!file)
		return fail_errno(cli, -errno, "Cannot write \"%s\"", path);
	if (!jpeg)
		ret = write_png(cli, file, picture);
	else
		fwrite(picture->data, 1, picture->bytes, file);
	failed = ferror(file) | (file == stdout ? fflush(file) : fclose(file));
	if (ret)
		return ret;
	if (failed)
		return fail_errno(cli, -errno, "Cannot write \"%s\"", path);
	if (cli->json)
		json_print(json_pack("{s:i,s:o,s:s,s:I,s:I}", "schema_version", SCHEMA_VERSION,
				     "file", json_text(path), "format", jpeg ? "jpeg" : "png",
				     "width", (json_int_t)picture->format.video.width, "height",
				     (json_int_t)picture->format.video.height), stderr);
	else if (file != stdout)
		remark("%s: %ux%u", path, picture->format.video.width,
		       picture->format.video.height);
	return STATUS_OK;
}

static int check_format(struct cli *cli, const struct devring_format *format)
{
	char text[DEVRING_TEXT_SIZE];

	if (format->kind == DEVRING_FORMAT_VIDEO &&
	    (is_jpeg(format) || pixels_rgb_size(&format->video)))
		return STATUS_OK;
	return fail(cli, STATUS_FAILURE, "\"%s\" delivers \"%s\", of which no picture can be made; "
		    "\"devringctl cat --format=raw\" saves it as it is.", cli->device,
		    devring_format_to_text(format, text, sizeof(text)));
}

int cmd_snapshot(struct cli *cli)
{
	struct devring_reader_file *reader;
	struct picture picture = { 0 };
	struct devring_device device;
	int fd, timeout_ms, ret;

	ret = opt_timeout(cli, &timeout_ms);
	if (!ret)
		ret = need_reader(cli, &fd);
	if (ret)
		return ret;
	ret = devring_query_fd(fd, &device);
	if (ret)
		ret = fail_device(cli, ret, cli->device);
	else if (device.format.kind != DEVRING_FORMAT_NONE)
		/* No use in starting what will not give a picture. */
		ret = check_format(cli, &device.format);
	if (ret) {
		close(fd);
		return ret;
	}
	if (timeout_ms < 0)
		timeout_ms = SNAPSHOT_TIMEOUT_MS;
	ret = devring_reader_from_fd(&reader, fd, NULL);
	if (ret) {
		close(fd);
		return fail_errno(cli, ret, "Cannot read \"%s\"", cli->device);
	}
	ret = take_picture(cli, reader, timeout_ms, &picture);
	devring_reader_close(reader);
	if (!ret)
		ret = check_format(cli, &picture.format);
	if (!ret)
		ret = save(cli, &picture, device.link);
	free(picture.data);
	return ret;
}
