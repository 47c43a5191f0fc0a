// SPDX-License-Identifier: GPL-2.0-or-later
/* Recordings. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "recording.h"

#define KIND	"devring-recording"

/* Numbers of a frame, by their names in the index. */
static const struct {
	const char *name;
	size_t offset;
	size_t size;
} numbers[] = {
#define NUMBER(member)	{ #member, offsetof(struct devring_frame, member), \
			  sizeof(((struct devring_frame *)NULL)->member) }
	NUMBER(sequence), NUMBER(offset), NUMBER(bytes), NUMBER(flags), NUMBER(lost), NUMBER(lost_before),
	NUMBER(capture_ns), NUMBER(commit_ns), NUMBER(media_time), NUMBER(trace_id),
};

static int open_files(struct recording *r, const char *path, int flags, const char *mode)
{
	char index[PATH_MAX];

	memset(r, 0, sizeof(*r));
	r->data = -1;
	if (snprintf(index, sizeof(index), "%s.index", path) >= (int)sizeof(index))
		return -ENAMETOOLONG;
	r->data = open(path, flags | O_CLOEXEC, 0666);
	if (r->data < 0)
		return -errno;
	r->index = fopen(index, mode);
	return r->index ? 0 : -errno;
}

static int put_line(struct recording *r, json_t *line)
{
	int ret = json_dumpf(line, r->index, JSON_COMPACT);

	json_decref(line);
	r->line++;
	return ret || fputc('\n', r->index) == EOF || fflush(r->index) ? -errno : 0;
}

int recording_create(struct recording *r, const char *path, const struct devring_device *device)
{
	int ret = open_files(r, path, O_WRONLY | O_CREAT | O_TRUNC, "we");
	json_t *line;

	if (ret)
		return ret;
	line = json_begin();
	json_object_set_new(line, "kind", json_string(KIND));
	json_object_set_new(line, "name", json_text(device->name));
	json_object_set_new(line, "label", json_text(device->label));
	json_object_set_new(line, "type", json_integer(device->type));
	return put_line(r, line);
}

/* For people as it is, and for replay byte by byte. */
int recording_put_format(struct recording *r, const struct devring_format *format)
{
	const unsigned char *bytes = (const unsigned char *)format;
	char hex[2 * sizeof(*format) + 1];
	json_t *line = json_object();

	for (size_t i = 0; i < sizeof(*format); i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
	json_object_set_new(line, "format", json_format(format));
	json_object_set_new(line, "format_bytes", json_string(hex));
	return put_line(r, line);
}

int recording_put_frame(struct recording *r, const struct devring_view *view)
{
	struct devring_frame frame = view->frame;
	json_t *line;
	int ret = write_all(r->data, view->data, view->bytes);

	if (ret)
		return ret;
	frame.offset = r->at;
	frame.bytes = (uint32_t)view->bytes;
	r->at += view->bytes;
	line = json_object();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		uint64_t number = 0;

		memcpy(&number, (const char *)&frame + numbers[i].offset, numbers[i].size);
		json_object_set_new(line, numbers[i].name, json_u64(number));
	}
	return put_line(r, line);
}

static json_t *get_line(struct recording *r)
{
	char *text = NULL;
	size_t room = 0;
	json_t *line = NULL;

	errno = 0;
	if (getline(&text, &room, r->index) > 0) {
		r->line++;
		line = json_loads(text, 0, NULL);
		errno = line ? 0 : EPROTO;
	}
	free(text);
	return line;
}

static bool get_format(const json_t *line, struct devring_format *format)
{
	const char *hex = json_string_value(json_object_get(line, "format_bytes"));
	unsigned char *bytes = (unsigned char *)format;

	if (!hex || strlen(hex) != 2 * sizeof(*format))
		return false;
	for (size_t i = 0; i < sizeof(*format); i++) {
		unsigned int byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return false;
		bytes[i] = (unsigned char)byte;
	}
	return true;
}

static bool get_frame(const json_t *line, struct devring_frame *frame)
{
	memset(frame, 0, sizeof(*frame));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		const json_t *value = json_object_get(line, numbers[i].name);
		uint64_t number = (uint64_t)json_integer_value(value);

		if (!json_is_integer(value) || (numbers[i].size == 4 && number > UINT32_MAX))
			return false;
		memcpy((char *)frame + numbers[i].offset, &number, numbers[i].size);
	}
	return frame->offset <= (uint64_t)INT64_MAX - frame->bytes;
}

int recording_open(struct recording *r, const char *path)
{
	int ret = open_files(r, path, O_RDONLY, "re");

	return ret ? ret : recording_rewind(r);
}

int recording_rewind(struct recording *r)
{
	const char *kind;
	json_t *line;
	int ret;

	rewind(r->index);
	r->line = 0;
	line = get_line(r);
	kind = json_string_value(json_object_get(line, "kind"));
	ret = !kind || strcmp(kind, KIND) ||
	      json_integer_value(json_object_get(line, "schema_version")) != SCHEMA_VERSION ? -EPROTO : 0;
	json_decref(line);
	return ret;
}

int recording_next(struct recording *r, struct recorded *recorded)
{
	json_t *line = get_line(r);
	int ret = -EPROTO;

	if (!line)
		return errno ? -errno : RECORDING_END;
	if (json_object_get(line, "format_bytes")) {
		if (get_format(line, &recorded->format))
			ret = RECORDING_FORMAT;
	} else if (get_frame(line, &recorded->frame)) {
		ret = RECORDING_FRAME;
	}
	json_decref(line);
	return ret;
}

int recording_close(struct recording *r)
{
	int ret = 0;

	if (r->index && fclose(r->index))
		ret = -errno;
	if (r->data >= 0 && close(r->data) && !ret)
		ret = -errno;
	r->index = NULL;
	r->data = -1;
	return ret;
}
