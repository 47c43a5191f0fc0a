// SPDX-License-Identifier: GPL-2.0-only
/*
 * A USB Video Class 1.1 camera with an isochronous or a bulk endpoint.
 *
 * Frames are due by an absolute clock. One that comes due while the one before is still being sent
 * is not made, but its number is used up: what the device lost shows as a gap in the sequence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"
#include "device.h"
#include "jpeg.h"
#include "pattern.h"

#define CC_VIDEO		0x0e
#define SC_CONTROL		1
#define SC_STREAMING		2
#define SC_COLLECTION		3

#define VC_HEADER		1
#define VC_INPUT_TERMINAL	2
#define VC_OUTPUT_TERMINAL	3
#define VS_INPUT_HEADER		1
#define VS_FORMAT_UNCOMPRESSED	4
#define VS_FRAME_UNCOMPRESSED	5
#define VS_FORMAT_MJPEG		6
#define VS_FRAME_MJPEG		7
#define VS_COLORFORMAT		13

#define VS_PROBE_CONTROL	1
#define VS_COMMIT_CONTROL	2
#define VC_REQUEST_ERROR	2
#define PROBE_SIZE		34	/* UVC 1.1 */

#define ERROR_INVALID_CONTROL	6
#define ERROR_INVALID_REQUEST	7

#define HEADER_SIZE		2
#define HEADER_EOF		0x02
#define HEADER_END		0x80
#define BULK_PAYLOAD		16384
#define CLOCK_HZ		48000000
#define INTERVAL_UNITS		10000000u	/* 100 ns in a second */

/*
 * A stall comes a while after what was good.  uvcvideo gives its buffers back at once, and does not survive it if it
 * is still copying into one: the buffer is queued twice then (seen with Linux 6.1).
 */
#define STALL_NS		200000000ull

/* Isochronous alternate settings: bytes a microframe, and how wMaxPacketSize writes them. */
static const struct {
	uint16_t bytes;
	uint16_t packet;
} settings[] = {
	{ 512, 512 },
	{ 1024, 1024 },
	{ 2048, 1 << 11 | 1024 },
	{ 3072, 2 << 11 | 1024 },
};

#define SETTINGS	(sizeof(settings) / sizeof(settings[0]))

static bool is_bulk(const struct device *d)
{
	return d->function == &bulk_camera_function;
}

static uint32_t frame_bytes(const struct camera *c, unsigned int size)
{
	return c->sizes[size].width * c->sizes[size].height * 2u;
}

/* An isochronous camera does not offer more than its widest setting carries, as real ones. */
static uint32_t interval_of(const struct device *d, unsigned int format, unsigned int size,
			    unsigned int rate)
{
	const struct camera *c = &d->camera;
	uint32_t interval = INTERVAL_UNITS / c->rates[rate];
	uint64_t carried = 8000ull * (settings[SETTINGS - 1].bytes - HEADER_SIZE), least;

	if (is_bulk(d) || c->formats[format] != CAMERA_YUYV)
		return interval;
	least = (uint64_t)frame_bytes(c, size) * INTERVAL_UNITS / carried;
	return interval < least ? (uint32_t)least : interval;
}

static uint32_t payload_size(const struct device *d, const struct camera_choice *choice)
{
	uint64_t need;
	unsigned int i;

	if (is_bulk(d))
		return BULK_PAYLOAD;
	/* half as much again, so that a frame is through well before the next */
	need = (uint64_t)frame_bytes(&d->camera, choice->size) * INTERVAL_UNITS * 3 / 2 /
	       choice->interval / 8000 + HEADER_SIZE;
	for (i = 0; i < SETTINGS - 1 && settings[i].bytes < need; i++)
		;
	return settings[i].bytes;
}

static void put_frame(const struct device *d, struct descriptors *out, unsigned int format,
		      unsigned int size)
{
	const struct camera *c = &d->camera;
	bool yuyv = c->formats[format] == CAMERA_YUYV;
	uint32_t bytes = frame_bytes(c, size), fastest = interval_of(d, format, size, 0);
	uint32_t slowest = interval_of(d, format, size, c->rate_count - 1);
	unsigned int i;

	PUT(out, (uint8_t)(26 + 4 * c->rate_count), USB_CS_INTERFACE,
	    yuyv ? VS_FRAME_UNCOMPRESSED : VS_FRAME_MJPEG, (uint8_t)(size + 1), 0,
	    LE16(c->sizes[size].width), LE16(c->sizes[size].height),
	    LE32((uint64_t)bytes * 8 * INTERVAL_UNITS / slowest),
	    LE32((uint64_t)bytes * 8 * INTERVAL_UNITS / fastest), LE32(bytes), LE32(fastest),
	    (uint8_t)c->rate_count);
	for (i = 0; i < c->rate_count; i++)
		PUT(out, LE32(interval_of(d, format, size, i)));
}

static void put_formats(const struct device *d, struct descriptors *out)
{
	const struct camera *c = &d->camera;
	unsigned int i, j;

	for (i = 0; i < c->format_count; i++) {
		if (c->formats[i] == CAMERA_YUYV)
			PUT(out, 27, USB_CS_INTERFACE, VS_FORMAT_UNCOMPRESSED, (uint8_t)(i + 1),
			    (uint8_t)c->size_count, 'Y', 'U', 'Y', '2', 0, 0, 0x10, 0, 0x80, 0, 0,
			    0xaa, 0, 0x38, 0x9b, 0x71, 16, 1, 0, 0, 0, 0);
		else
			PUT(out, 11, USB_CS_INTERFACE, VS_FORMAT_MJPEG, (uint8_t)(i + 1),
			    (uint8_t)c->size_count, 0, 1, 0, 0, 0, 0);
		for (j = 0; j < c->size_count; j++)
			put_frame(d, out, i, j);
		/* BT.709 primaries, transfer as in BT.709, BT.601 matrix: as most cameras */
		PUT(out, 6, USB_CS_INTERFACE, VS_COLORFORMAT, 1, 1, 4);
	}
}

static void put_streaming(const struct device *d, struct descriptors *out)
{
	const struct camera *c = &d->camera;
	bool none = d->fault.kind == FAULT_NO_FORMAT;
	uint8_t formats = none ? 0 : (uint8_t)c->format_count, i;
	size_t header = out->used;

	PUT(out, (uint8_t)(13 + formats), USB_CS_INTERFACE, VS_INPUT_HEADER, formats, LE16(0),
	    0x80 | STREAM_ENDPOINT, 0, 2, 0, 0, 0, 1);
	for (i = 0; i < formats; i++)
		PUT(out, 0);
	if (!none)
		put_formats(d, out);
	descriptors_patch16(out, header + 4, out->used - header);
}

static void camera_configuration(const struct device *d, struct descriptors *out)
{
	bool bulk = is_bulk(d);
	unsigned int i;

	PUT_CONFIGURATION(out, 2);
	PUT(out, 8, USB_ASSOCIATION, 0, 2, CC_VIDEO, SC_COLLECTION, 0, STRING_PRODUCT);
	PUT_INTERFACE(out, 0, 0, 0, CC_VIDEO, SC_CONTROL);
	PUT(out, 13, USB_CS_INTERFACE, VC_HEADER, LE16(0x0110), LE16(13 + 18 + 9), LE32(CLOCK_HZ),
	    1, 1);
	PUT(out, 18, USB_CS_INTERFACE, VC_INPUT_TERMINAL, 1, LE16(0x0201), 0, 0, LE16(0), LE16(0),
	    LE16(0), 3, 0, 0, 0);
	PUT(out, 9, USB_CS_INTERFACE, VC_OUTPUT_TERMINAL, 2, LE16(0x0101), 0, 1, 0);
	PUT_INTERFACE(out, 1, 0, bulk, CC_VIDEO, SC_STREAMING);
	put_streaming(d, out);
	if (bulk) {
		PUT(out, 7, USB_ENDPOINT, 0x80 | STREAM_ENDPOINT, 2, LE16(512), 0);
		return;
	}
	for (i = 0; i < SETTINGS; i++) {
		PUT_INTERFACE(out, 1, (uint8_t)(i + 1), 1, CC_VIDEO, SC_STREAMING);
		PUT(out, 7, USB_ENDPOINT, 0x80 | STREAM_ENDPOINT, 5, LE16(settings[i].packet), 1);
	}
}

static struct camera_choice default_choice(const struct device *d)
{
	return (struct camera_choice){ .interval = interval_of(d, 0, 0, 0) };
}

/* The offered interval that is nearest to the one asked for. */
static void choose_interval(const struct device *d, struct camera_choice *choice)
{
	uint32_t best = 0, distance = UINT32_MAX;
	unsigned int i;

	for (i = 0; i < d->camera.rate_count; i++) {
		uint32_t offered = interval_of(d, choice->format, choice->size, i);
		uint32_t away = offered > choice->interval ? offered - choice->interval :
							     choice->interval - offered;

		if (away < distance) {
			distance = away;
			best = offered;
		}
	}
	choice->interval = best;
}

static struct camera_choice read_choice(const struct device *d, const uint8_t *data)
{
	const struct camera *c = &d->camera;
	struct camera_choice choice = { 0 };

	memcpy(&choice.interval, data + 4, 4);
	choice.interval = le32toh(choice.interval);
	if (data[2] >= 1 && data[2] <= c->format_count)
		choice.format = data[2] - 1u;
	if (data[3] >= 1 && data[3] <= c->size_count)
		choice.size = data[3] - 1u;
	choose_interval(d, &choice);
	return choice;
}

static int write_choice(const struct device *d, const struct camera_choice *choice,
			unsigned int quality, uint8_t *data)
{
	const uint8_t block[PROBE_SIZE] = {
		LE16(1), (uint8_t)(choice->format + 1), (uint8_t)(choice->size + 1),
		LE32(choice->interval), LE16(0), LE16(0), LE16(quality), LE16(0), LE16(0),
		LE32(frame_bytes(&d->camera, choice->size)), LE32(payload_size(d, choice)),
		LE32(CLOCK_HZ), 3, 1, 1, 1,
	};

	memcpy(data, block, sizeof(block));
	return sizeof(block);
}

static int camera_stall(struct device *d, uint8_t error)
{
	d->camera.error = error;
	return -1;
}

static int set_choice(struct device *d, bool commit, const uint8_t *data)
{
	struct camera *c = &d->camera;

	if (fault_vanish(&d->fault, commit ? STAGE_COMMIT : STAGE_PROBE)) {
		device_vanish(d);
		return -1;
	}
	if (!commit) {
		c->probe = read_choice(d, data);
		return 0;
	}
	if (d->fault.kind == FAULT_REFUSE)
		return camera_stall(d, ERROR_INVALID_CONTROL);
	c->commit = read_choice(d, data);
	/* bulk endpoints have no alternate setting that would tell of a start */
	if (is_bulk(d))
		d->function->alternate(d, 1, 1);
	return 0;
}

static int stream_request(struct device *d, const struct usb_setup *setup, uint8_t *data)
{
	bool commit = setup->value >> 8 == VS_COMMIT_CONTROL;
	struct camera_choice choice = commit ? d->camera.commit : d->camera.probe;
	unsigned int last = d->camera.rate_count - 1;

	if (setup->value >> 8 != VS_PROBE_CONTROL && !commit)
		return camera_stall(d, ERROR_INVALID_CONTROL);
	switch (setup->request) {
	case CLASS_SET_CUR:
		return set_choice(d, commit, data);
	case CLASS_GET_CUR:
		return write_choice(d, &choice, 5000, data);
	case CLASS_GET_MIN:
		choice.interval = interval_of(d, choice.format, choice.size, 0);
		return write_choice(d, &choice, 1, data);
	case CLASS_GET_MAX:
		choice.interval = interval_of(d, choice.format, choice.size, last);
		return write_choice(d, &choice, 10000, data);
	case CLASS_GET_DEF:
		choice = default_choice(d);
		return write_choice(d, &choice, 5000, data);
	case CLASS_GET_RES:
		memset(data, 0, PROBE_SIZE);
		return PROBE_SIZE;
	case CLASS_GET_LEN:
		data[0] = PROBE_SIZE;
		data[1] = 0;
		return 2;
	case CLASS_GET_INFO:
		data[0] = 3;
		return 1;
	default:
		return camera_stall(d, ERROR_INVALID_REQUEST);
	}
}

static int camera_control(struct device *d, const struct usb_setup *setup, uint8_t *data)
{
	unsigned int interface = setup->index & 0xff, unit = setup->index >> 8;

	if ((setup->type & TYPE_TARGET) != 1)
		return camera_stall(d, ERROR_INVALID_REQUEST);
	if (interface == 1)
		return stream_request(d, setup, data);
	if (unit == 0 && setup->value >> 8 == VC_REQUEST_ERROR && setup->request == CLASS_GET_CUR) {
		data[0] = d->camera.error;
		d->camera.error = 0;
		return 1;
	}
	return camera_stall(d, ERROR_INVALID_CONTROL);
}

static void stop(struct device *d)
{
	struct camera *c = &d->camera;

	c->sending = false;
	free(c->frame);
	c->frame = NULL;
	c->frame_room = 0;
	device_stream(d, false);
}

static void start(struct device *d)
{
	struct camera *c = &d->camera;

	if (d->state == DEVICE_STREAMING)
		stop(d);
	if (!c->commit.interval)
		c->commit = default_choice(d);
	c->frame_room = frame_bytes(c, c->commit.size);
	c->frame = malloc(c->frame_room);
	if (!c->frame)
		return;
	c->sending = false;
	c->toggle = 0;
	c->slot = 0;
	c->start = loop_now();
	c->interval_ns = c->commit.interval * 100ull;
	device_stream(d, true);
}

static void camera_alternate(struct device *d, unsigned int interface, unsigned int setting)
{
	if (interface != 1)
		return;
	if (!setting)
		stop(d);
	else if (fault_vanish(&d->fault, STAGE_START))
		device_vanish(d);
	else
		start(d);
}

static void camera_clear_halt(struct device *d)
{
	if (is_bulk(d))
		stop(d);
}

static void make_frame(struct device *d)
{
	struct camera *c = &d->camera;
	struct camera_size size = c->sizes[c->commit.size];
	uint64_t frame = device_stream_frames(d), now = loop_now();
	uint32_t device = pattern_device(d->serial);

	if (c->formats[c->commit.format] == CAMERA_YUYV) {
		c->frame_size = frame_bytes(c, c->commit.size);
		pattern_fill(c->frame, size.width, size.height, c->sequence, device, now);
	} else {
		c->frame_size = jpeg_frame(size.width, size.height, c->sequence, c->frame,
					   c->frame_room);
		pattern_stamp(c->frame, c->frame_size,
			      (size_t)pattern_find(c->frame, c->frame_size), c->sequence, device,
			      now);
	}
	if (fault_at(&d->fault, FAULT_CORRUPT, frame))
		memset(c->frame + c->frame_size / 2, 0x5a, 64);
	c->end = c->frame_size;
	if (fault_at(&d->fault, FAULT_SHORT, frame))
		c->end = c->frame_size / 2;
	c->position = 0;
	c->sending = true;
}

/* Begin the frame that is due, if one is. */
static bool next_frame(struct device *d)
{
	struct camera *c = &d->camera;
	uint64_t now = loop_now(), passed;

	if (c->sending)
		return true;
	passed = (now - c->start) / c->interval_ns;
	if (passed <= c->slot)
		return false;
	d->stats.dropped += passed - c->slot - 1;
	c->sequence += (uint32_t)(passed - c->slot);
	c->slot = passed;
	if (d->fault.kind == FAULT_DROP && c->sequence % d->fault.number == 0) {
		d->stats.dropped++;
		return false;
	}
	make_frame(d);
	return true;
}

/* One payload of at most max bytes; 0 if there is nothing to send now. */
static uint32_t payload(struct device *d, uint8_t *data, uint32_t max)
{
	struct camera *c = &d->camera;
	size_t size;

	if (max <= HEADER_SIZE || !next_frame(d))
		return 0;
	size = c->end - c->position;
	if (size > max - HEADER_SIZE)
		size = max - HEADER_SIZE;
	data[0] = HEADER_SIZE;
	data[1] = HEADER_END | c->toggle;
	memcpy(data + HEADER_SIZE, c->frame + c->position, size);
	c->position += size;
	if (c->position == c->end) {
		data[1] |= HEADER_EOF;
		c->toggle ^= 1;
		c->sending = false;
		d->stats.frames++;
	}
	return (uint32_t)(size + HEADER_SIZE);
}

static enum fill camera_fill(struct device *d, struct urb *urb, uint8_t *data, uint32_t *length)
{
	struct camera *c = &d->camera;
	uint32_t i;

	*length = 0;
	if (fault_at(&d->fault, FAULT_STALL, device_stream_frames(d)))
		return FILL_STALL;
	if (fault_vanish(&d->fault, STAGE_FRAME) && c->sending && c->position >= c->end / 2)
		return FILL_VANISH;
	if (!urb->packets) {
		*length = payload(d, data, urb->length < BULK_PAYLOAD ? urb->length : BULK_PAYLOAD);
		return FILL_DONE;
	}
	for (i = 0; i < urb->packets; i++) {
		uint32_t room = urb_room(urb) - *length, max = urb->packet[i].length;

		urb->packet[i].actual = payload(d, data + *length, max < room ? max : room);
		*length += urb->packet[i].actual;
	}
	return FILL_DONE;
}

static uint64_t camera_ready_at(const struct device *d, const struct urb *urb)
{
	const struct camera *c = &d->camera;

	if (d->state != DEVICE_STREAMING ||
	    fault_at(&d->fault, FAULT_SILENCE, device_stream_frames(d)))
		return UINT64_MAX;
	if (fault_at(&d->fault, FAULT_STALL, device_stream_frames(d)))
		return d->answered + STALL_NS;
	if (urb->packets)
		return urb->due;
	if (c->sending)
		return 0;
	return c->start + (c->slot + 1) * c->interval_ns;
}

static void camera_unplugged(struct device *d)
{
	free(d->camera.frame);
	d->camera.frame = NULL;
	d->camera.sending = false;
	d->camera.probe = d->camera.commit = (struct camera_choice){ 0 };
}

#define CAMERA(kind_name, product_name, id) { \
	.kind = kind_name, \
	.product = product_name, \
	.product_id = id, \
	.class = { 0xef, 2, 1 }, \
	.configuration = camera_configuration, \
	.control = camera_control, \
	.alternate = camera_alternate, \
	.clear_halt = camera_clear_halt, \
	.fill = camera_fill, \
	.ready_at = camera_ready_at, \
	.unplugged = camera_unplugged, \
}

const struct function camera_function = CAMERA("camera", "Emulated Camera", 0x0102);
const struct function bulk_camera_function = CAMERA("bulk-camera", "Emulated Bulk Camera", 0x0103);
