// SPDX-License-Identifier: GPL-2.0-only
/*
 * A USB Audio Class 1 microphone, S16_LE, isochronous, a packet a millisecond.
 *
 * The sample counter never skips: a slow host makes the device's clock slow, so that a gap in what
 * a program recorded is always a loss on the host.
 */
#include <string.h>

#include "descriptor.h"
#include "device.h"
#include "pattern.h"

#define CC_AUDIO	1
#define SC_CONTROL	1
#define SC_STREAMING	2

#define AC_HEADER		1
#define AC_INPUT_TERMINAL	2
#define AC_OUTPUT_TERMINAL	3
#define AS_GENERAL		1
#define AS_FORMAT_TYPE		2
#define EP_GENERAL		1
#define EP_SAMPLING_FREQ	1

#define INTERVAL		4	/* 2^3 microframes: a millisecond */
#define MICROFRAMES		8000

static unsigned int max_packet(const struct microphone *m)
{
	unsigned int i, rate = 0;

	for (i = 0; i < m->rate_count; i++)
		if (m->rates[i] > rate)
			rate = m->rates[i];
	return (rate / 1000 + 2) * 2 * m->channels;
}

static void put_format(const struct device *d, struct descriptors *out)
{
	const struct microphone *m = &d->microphone;
	unsigned int i;

	PUT(out, 7, USB_CS_INTERFACE, AS_GENERAL, 2, 1, LE16(1));
	PUT(out, (uint8_t)(8 + 3 * m->rate_count), USB_CS_INTERFACE, AS_FORMAT_TYPE, 1,
	    (uint8_t)m->channels, 2, 16, (uint8_t)m->rate_count);
	for (i = 0; i < m->rate_count; i++)
		PUT(out, LE24(m->rates[i]));
}

static void microphone_configuration(const struct device *d, struct descriptors *out)
{
	const struct microphone *m = &d->microphone;
	uint16_t layout = m->channels == 2 ? 3 : 0;

	PUT_CONFIGURATION(out, 2);
	PUT_INTERFACE(out, 0, 0, 0, CC_AUDIO, SC_CONTROL);
	PUT(out, 9, USB_CS_INTERFACE, AC_HEADER, LE16(0x0100), LE16(9 + 12 + 9), 1, 1);
	PUT(out, 12, USB_CS_INTERFACE, AC_INPUT_TERMINAL, 1, LE16(0x0201), 0,
	    (uint8_t)m->channels, LE16(layout), 0, 0);
	PUT(out, 9, USB_CS_INTERFACE, AC_OUTPUT_TERMINAL, 2, LE16(0x0101), 0, 1, 0);
	PUT_INTERFACE(out, 1, 0, 0, CC_AUDIO, SC_STREAMING);
	PUT_INTERFACE(out, 1, 1, 1, CC_AUDIO, SC_STREAMING);
	if (d->fault.kind != FAULT_NO_FORMAT)
		put_format(d, out);
	PUT(out, 9, USB_ENDPOINT, 0x80 | STREAM_ENDPOINT, 5, LE16(max_packet(m)), INTERVAL, 0, 0);
	PUT(out, 7, USB_CS_ENDPOINT, EP_GENERAL, 1, 0, LE16(0));
}

/* Take the offered rate that is nearest, as the class asks of a device. */
static void set_rate(struct microphone *m, unsigned int wanted)
{
	unsigned int i, best = m->rates[0];

	for (i = 1; i < m->rate_count; i++) {
		unsigned int rate = m->rates[i];
		unsigned int away = rate > wanted ? rate - wanted : wanted - rate;
		unsigned int now = best > wanted ? best - wanted : wanted - best;

		if (away < now)
			best = rate;
	}
	m->rate = best;
	m->remainder = 0;
}

static int microphone_control(struct device *d, const struct usb_setup *setup, uint8_t *data)
{
	struct microphone *m = &d->microphone;

	if ((setup->type & TYPE_TARGET) != 2 || setup->value >> 8 != EP_SAMPLING_FREQ)
		return -1;
	if (!m->rate)
		set_rate(m, m->rates[0]);
	if (setup->request == CLASS_GET_CUR) {
		const uint8_t rate[] = { LE24(m->rate) };

		memcpy(data, rate, sizeof(rate));
		return sizeof(rate);
	}
	if (setup->request != CLASS_SET_CUR || d->fault.kind == FAULT_REFUSE)
		return -1;
	if (fault_vanish(&d->fault, STAGE_PROBE) || fault_vanish(&d->fault, STAGE_COMMIT)) {
		device_vanish(d);
		return -1;
	}
	set_rate(m, data[0] | (unsigned int)data[1] << 8 | (unsigned int)data[2] << 16);
	return 0;
}

static void microphone_alternate(struct device *d, unsigned int interface, unsigned int setting)
{
	if (interface != 1)
		return;
	if (setting && fault_vanish(&d->fault, STAGE_START)) {
		device_vanish(d);
		return;
	}
	if (!d->microphone.rate)
		set_rate(&d->microphone, d->microphone.rates[0]);
	if (!setting)
		device_stream(d, false);
}

/* One packet of as many samples as its time holds. */
static uint32_t packet(struct device *d, uint8_t *data, uint32_t max, uint32_t microframes)
{
	struct microphone *m = &d->microphone;
	uint64_t number = device_stream_frames(d);
	unsigned int samples, i, channel;
	uint32_t used = 0;

	m->remainder += m->rate * microframes;
	samples = m->remainder / MICROFRAMES;
	m->remainder %= MICROFRAMES;
	if (fault_at(&d->fault, FAULT_SHORT, number))
		samples /= 2;
	if (d->fault.kind == FAULT_DROP && number % d->fault.number == 0) {
		m->counter += samples;
		samples = 0;
		d->stats.dropped++;
	}
	for (i = 0; i < samples && used + 2 * m->channels <= max; i++, m->counter++) {
		for (channel = 0; channel < m->channels; channel++, used += 2) {
			const uint8_t value[] = { LE16(pattern_sample(m->counter, channel)) };

			memcpy(data + used, value, 2);
		}
	}
	if (fault_at(&d->fault, FAULT_CORRUPT, number) && used >= 2)
		data[0] ^= 0x55;
	d->stats.frames++;
	return used;
}

static enum fill microphone_fill(struct device *d, struct urb *urb, uint8_t *data,
				 uint32_t *length)
{
	uint32_t i;

	*length = 0;
	if (fault_at(&d->fault, FAULT_STALL, device_stream_frames(d)))
		return FILL_STALL;
	if (fault_vanish(&d->fault, STAGE_FRAME) && device_stream_frames(d))
		return FILL_VANISH;
	for (i = 0; i < urb->packets; i++) {
		uint32_t room = urb_room(urb) - *length, max = urb->packet[i].length;

		urb->packet[i].actual = packet(d, data + *length, max < room ? max : room,
					       urb->interval);
		*length += urb->packet[i].actual;
	}
	return FILL_DONE;
}

static uint64_t microphone_ready_at(const struct device *d, const struct urb *urb)
{
	if (d->state != DEVICE_STREAMING ||
	    fault_at(&d->fault, FAULT_SILENCE, device_stream_frames(d)))
		return UINT64_MAX;
	return urb->due;
}

/* The driver tries the setting when it finds the device: only a transfer tells of a stream. */
static void microphone_submitted(struct device *d)
{
	if (d->setting[1])
		device_stream(d, true);
}

static void microphone_unplugged(struct device *d)
{
	d->microphone.rate = 0;
}

const struct function microphone_function = {
	.kind = "microphone",
	.product = "Emulated Microphone",
	.product_id = 0x0101,
	.configuration = microphone_configuration,
	.control = microphone_control,
	.alternate = microphone_alternate,
	.submitted = microphone_submitted,
	.fill = microphone_fill,
	.ready_at = microphone_ready_at,
	.unplugged = microphone_unplugged,
};
