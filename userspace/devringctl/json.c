// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON for programs. */

#include <string.h>

#include "cli.h"
#include "text.h"

json_t *json_text(const char *text)
{
	char clean[1024];

	if (text_is_utf8(text))
		return json_string(text);
	return json_string(text_escape(text, clean, sizeof(clean)));
}

json_t *json_u64(uint64_t number)
{
	return json_integer((json_int_t)number);
}

json_t *json_flags(const char *text)
{
	json_t *array = json_array();

	while (*text) {
		size_t length = strcspn(text, ",");

		json_array_append_new(array, json_stringn(text, length));
		text += length + (text[length] == ',');
	}
	return array;
}

json_t *json_begin(void)
{
	return json_pack("{s:i}", "schema_version", SCHEMA_VERSION);
}

void json_print(json_t *json, FILE *file)
{
	json_dumpf(json, file, JSON_COMPACT);
	fputc('\n', file);
	json_decref(json);
}

static json_t *json_u32_array(const uint32_t *numbers, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_integer(numbers[i]));
	return array;
}

static void add_video(json_t *json, const struct devring_video_format *v)
{
	size_t planes = v->planes < 4 ? v->planes : 4;
	char fourcc[5];

	json_object_set_new(json, "fourcc", json_text(devring_fourcc_to_text(v->fourcc, fourcc)));
	json_object_set_new(json, "width", json_integer(v->width));
	json_object_set_new(json, "height", json_integer(v->height));
	json_object_set_new(json, "stride", json_u32_array(v->stride, planes));
	json_object_set_new(json, "plane_offset", json_u32_array(v->plane_offset, planes));
	json_object_set_new(json, "fps_numerator", json_integer(v->fps_numerator));
	json_object_set_new(json, "fps_denominator", json_integer(v->fps_denominator));
	json_object_set_new(json, "colorspace", json_integer(v->colorspace));
	json_object_set_new(json, "xfer_func", json_integer(v->xfer_func));
	json_object_set_new(json, "ycbcr_enc", json_integer(v->ycbcr_enc));
	json_object_set_new(json, "quantization", json_integer(v->quantization));
	json_object_set_new(json, "field", json_integer(v->field));
}

static void add_audio(json_t *json, const struct devring_audio_format *a)
{
	const char *name = devring_sample_name(a->sample_format);

	json_object_set_new(json, "sample_format",
			    name ? json_string(name) : json_integer(a->sample_format));
	json_object_set_new(json, "rate", json_integer(a->rate));
	json_object_set_new(json, "channels", json_integer(a->channels));
	json_object_set_new(json, "frame_bytes", json_integer(a->frame_bytes));
	json_object_set_new(json, "period_frames", json_integer(a->period_frames));
	json_object_set_new(json, "channel_mask", json_u64(a->channel_mask));
}

static void add_tensor(json_t *json, const struct devring_tensor_format *t)
{
	json_t *shape = json_array();

	json_object_set_new(json, "dtype_code", json_integer(t->dtype_code));
	json_object_set_new(json, "dtype_bits", json_integer(t->dtype_bits));
	json_object_set_new(json, "dtype_lanes", json_integer(t->dtype_lanes));
	for (uint32_t i = 0; i < t->ndim && i < 8; i++)
		json_array_append_new(shape, json_u64(t->shape[i]));
	json_object_set_new(json, "shape", shape);
}

json_t *json_format(const struct devring_format *f)
{
	static const char *const kinds[] = { "none", "video", "audio", "tensor", "bytes" };
	char text[DEVRING_TEXT_SIZE];
	json_t *json;

	if (f->kind == DEVRING_FORMAT_NONE)
		return json_null();
	json = json_object();
	json_object_set_new(json, "kind", f->kind < 5 ? json_string(kinds[f->kind]) :
			    json_integer(f->kind));
	json_object_set_new(json, "generation", json_integer(f->generation));
	json_object_set_new(json, "text",
			    json_string(devring_format_to_text(f, text, sizeof(text))));
	if (f->kind == DEVRING_FORMAT_VIDEO)
		add_video(json, &f->video);
	else if (f->kind == DEVRING_FORMAT_AUDIO)
		add_audio(json, &f->audio);
	else if (f->kind == DEVRING_FORMAT_TENSOR)
		add_tensor(json, &f->tensor);
	else if (f->kind == DEVRING_FORMAT_BYTES)
		json_object_set_new(json, "media_type", json_text(f->bytes.media_type));
	return json;
}

static json_t *json_geometry(const struct devring_geometry *g)
{
	if (!g->generation)
		return json_null();
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
			 "generation", (json_int_t)g->generation, "slots", (json_int_t)g->slots,
			 "entries", (json_int_t)g->entries,
			 "slot_size", (json_int_t)g->slot_size,
			 "slot_stride", (json_int_t)g->slot_stride,
			 "metadata_size", (json_int_t)g->metadata_size,
			 "metadata_stride", (json_int_t)g->metadata_stride,
			 "ring_offset", (json_int_t)g->ring_offset,
			 "ring_bytes", (json_int_t)g->ring_bytes);
}

static void add_counts(json_t *json, const struct devring_device *d)
{
	json_object_set_new(json, "readers", json_integer(d->readers));
	json_object_set_new(json, "opens", json_integer(d->opens));
	json_object_set_new(json, "queued", json_integer(d->queued));
	json_object_set_new(json, "held", json_integer(d->held));
	json_object_set_new(json, "slots_needed", json_integer(d->slots_needed));
	json_object_set_new(json, "frames", json_u64(d->head));
	json_object_set_new(json, "bytes", json_u64(d->bytes));
	json_object_set_new(json, "holds_broken", json_u64(d->holds_broken));
	json_object_set_new(json, "registrant_uid", json_integer(d->registrant_uid));
	json_object_set_new(json, "registrant_pid", json_integer(d->registrant_pid));
	json_object_set_new(json, "producer_uid", json_integer(d->producer_uid));
	json_object_set_new(json, "producer_pid", json_integer(d->producer_pid));
	json_object_set_new(json, "registered_ns", json_u64(d->registered_ns));
	json_object_set_new(json, "registered_real_ns", json_u64(d->registered_real_ns));
	json_object_set_new(json, "used_ns", json_u64(d->used_ns));
}

json_t *json_device(const struct devring_device *d)
{
	char text[DEVRING_TEXT_SIZE], node[DEVRING_NODE_SIZE];
	const char *type = devring_type_name(d->type);
	const char *state = devring_state_name(d->state);
	json_t *json = json_object();

	json_object_set_new(json, "id", json_u64(d->id));
	json_object_set_new(json, "name", json_text(d->name));
	json_object_set_new(json, "link", json_text(d->link));
	json_object_set_new(json, "label", json_text(d->label));
	json_object_set_new(json, "stable_id", json_text(d->stable_id));
	json_object_set_new(json, "path_id", json_text(d->path_id));
	json_object_set_new(json, "type", type ? json_string(type) : json_integer(d->type));
	json_object_set_new(json, "state", state ? json_string(state) : json_integer(d->state));
	json_object_set_new(json, "error", json_integer(d->error));
	json_object_set_new(json, "minor", json_integer(d->minor));
	json_object_set_new(json, "node", json_string(devring_node(d->minor, node, sizeof(node))));
	json_object_set_new(json, "flags",
			    json_flags(devring_flags_to_text(d->flags, text, sizeof(text))));
	if (d->flags & DEVRING_REG_LOSSLESS)
		json_object_set_new(json, "deadline_ms", json_integer(d->deadline_ms));
	json_object_set_new(json, "in_use", json_boolean(d->readers));
	add_counts(json, d);
	json_object_set_new(json, "geometry", json_geometry(&d->geometry));
	json_object_set_new(json, "format", json_format(&d->format));
	return json;
}
