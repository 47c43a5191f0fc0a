// SPDX-License-Identifier: GPL-2.0-only
/* One emulated USB device: plugging, the wire to the kernel, and the queue of transfers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"

#define RETRY_NS	10000000ull
#define RETRY_LIMIT_NS	60000000000ull	/* a debug kernel under emulation takes seconds */
#define LATE_NS		100000000ull
#define MICROFRAME_NS	125000ull

static void wire_ready(struct source *source, uint32_t events);

void device_init(struct device *d, struct loop *loop, const struct function *function)
{
	d->source = (struct source){ .fd = -1, .ready = wire_ready };
	d->loop = loop;
	d->function = function;
	d->vendor_id = 0x1d6b;
	d->product_id = function->product_id;
	d->port = -1;
	snprintf(d->product, sizeof(d->product), "%s", function->product);
	snprintf(d->manufacturer, sizeof(d->manufacturer), "devring");
}

const char *device_state_name(const struct device *d)
{
	static const char *const names[] = { "unplugged", "plugging", "plugged", "streaming" };

	return names[d->state];
}

static void drop_queue(struct device *d)
{
	unsigned int i;

	d->head = NULL;
	d->tail = &d->head;
	d->free = NULL;
	for (i = 0; i < URB_MAX; i++) {
		d->urb[i].next = d->free;
		d->free = &d->urb[i];
	}
}

static void wait_for_port(struct device *d)
{
	uint64_t now = loop_now();

	if (d->state != DEVICE_PLUGGING)
		d->retry_until = now + RETRY_LIMIT_NS;
	d->state = DEVICE_PLUGGING;
	d->retry_at = now + RETRY_NS;
}

static int attach(struct device *d)
{
	int port, fd, tries;

	if (d->port >= 0)
		return usbip_attach(d->port);
	/* another process may take the port between looking and asking */
	for (tries = 0; tries < 16; tries++) {
		port = usbip_free_port();
		if (port < 0)
			return port;
		fd = usbip_attach(port);
		if (fd != -EBUSY) {
			if (fd >= 0)
				d->port = port;
			return fd;
		}
	}
	return -EBUSY;
}

int device_plug(struct device *d)
{
	int fd;

	if (d->state >= DEVICE_PLUGGED)
		return 0;
	fd = attach(d);
	/* the kernel frees a port some time after the wire is cut */
	if (fd == -EBUSY && (d->state != DEVICE_PLUGGING || loop_now() < d->retry_until)) {
		wait_for_port(d);
		return 0;
	}
	if (fd < 0) {
		d->state = DEVICE_UNPLUGGED;
		return fd;
	}
	drop_queue(d);
	d->in_used = d->out_used = d->out_sent = 0;
	d->clock = 0;
	d->configured = 0;
	d->vanishing = false;
	memset(d->setting, 0, sizeof(d->setting));
	d->frames_at_plug = d->stats.frames;
	d->stats.plugs++;
	d->state = DEVICE_PLUGGED;
	d->source.fd = fd;
	printf("plugged %s port=%d\n", d->name, d->port);
	return loop_add(d->loop, &d->source, EPOLLIN);
}

void device_unplug(struct device *d, const char *reason)
{
	if (d->state == DEVICE_UNPLUGGED)
		return;
	if (d->state == DEVICE_STREAMING)
		device_stream(d, false);
	if (d->source.fd >= 0)
		loop_close(d->loop, &d->source);
	d->state = DEVICE_UNPLUGGED;
	d->function->unplugged(d);
	printf("unplugged %s reason=%s\n", d->name, reason);
}

void device_vanish(struct device *d)
{
	d->vanishing = true;
}

void device_flap(struct device *d, unsigned int count, uint64_t half_ns)
{
	d->flaps = count;
	d->flap_ns = half_ns;
	d->flap_at = loop_now();
}

void device_stream(struct device *d, bool on)
{
	if (on == (d->state == DEVICE_STREAMING))
		return;
	d->state = on ? DEVICE_STREAMING : DEVICE_PLUGGED;
	d->clock = 0;
	if (on) {
		d->stats.streams++;
		d->frames_at_stream = d->stats.frames;
	}
	printf("%s %s\n", on ? "streaming" : "stopped", d->name);
}

uint64_t device_stream_frames(const struct device *d)
{
	return d->stats.frames - d->frames_at_stream;
}

static void flush(struct device *d)
{
	while (d->out_sent < d->out_used) {
		ssize_t n = send(d->source.fd, d->out + d->out_sent, d->out_used - d->out_sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			device_unplug(d, "host");
			return;
		}
		if (n < 0)
			break;
		d->out_sent += (size_t)n;
	}
	if (d->out_sent == d->out_used)
		d->out_sent = d->out_used = 0;
	loop_watch(d->loop, &d->source, EPOLLIN | (d->out_used ? EPOLLOUT : 0));
}

/* Room for a reply that is not a stream's: those wait until everything before is gone. */
static uint8_t *reserve(struct device *d, size_t size)
{
	uint8_t *at = d->out + d->out_used;

	if (WIRE_OUT - d->out_used < size) {
		device_unplug(d, "overflow");
		return NULL;
	}
	d->out_used += size;
	return at;
}

static void reply_unlink(struct device *d, const struct usbip_command *c)
{
	struct urb **link, *urb;
	uint8_t *wire;
	int status = 0;

	for (link = &d->head; (urb = *link); link = &urb->next) {
		if (urb->seqnum != c->unlink)
			continue;
		*link = urb->next;
		if (!urb->next)
			d->tail = link;
		urb->next = d->free;
		d->free = urb;
		status = -ECONNRESET;
		break;
	}
	wire = reserve(d, USBIP_HEADER_SIZE);
	if (wire)
		usbip_encode_unlink(wire, c->seqnum, status);
}

static void reply_control(struct device *d, const struct usbip_command *c, const uint8_t *sent)
{
	uint8_t data[4096] = { 0 }, *wire;
	struct usbip_reply reply = { .seqnum = c->seqnum };
	int length;

	if (!c->in)
		memcpy(data, sent, c->length < sizeof(data) ? c->length : sizeof(data));
	length = control_request(d, &c->setup, data);
	/* hardware that is gone fails the transfer at once; vhci-hcd would let it time out */
	if (d->vanishing)
		reply.status = -EPROTO;
	else if (length < 0)
		reply.status = -EPIPE;
	else if (c->in)
		reply.length = (uint32_t)length < c->length ? (uint32_t)length : c->length;
	else
		reply.length = c->length;
	wire = reserve(d, USBIP_HEADER_SIZE + (c->in ? reply.length : 0));
	if (!wire)
		return;
	usbip_encode_submit(wire, &reply);
	if (c->in)
		memcpy(wire + USBIP_HEADER_SIZE, data, reply.length);
	if (d->vanishing) {
		flush(d);
		device_unplug(d, "fault");
	}
}

static void enqueue(struct device *d, const struct usbip_command *c, const uint8_t *packets)
{
	struct urb *urb = d->free;
	uint64_t now = loop_now();
	uint32_t i;

	if (!urb) {
		device_unplug(d, "overflow");
		return;
	}
	if (d->function->submitted)
		d->function->submitted(d);
	d->free = urb->next;
	urb->next = NULL;
	urb->seqnum = c->seqnum;
	urb->length = c->length;
	urb->start_frame = c->start_frame;
	urb->packets = c->packets;
	urb->interval = c->interval ? c->interval : 1;
	for (i = 0; i < c->packets; i++)
		usbip_decode_packet(packets + i * USBIP_PACKET_SIZE, &urb->packet[i]);
	urb->due = now + MICROFRAME_NS;
	if (c->packets) {
		/* an absolute clock; who is late beyond hope starts it afresh */
		if (d->clock + LATE_NS < now)
			d->clock = now;
		d->clock += (uint64_t)urb->packets * urb->interval * MICROFRAME_NS;
		urb->due = d->clock;
	}
	*d->tail = urb;
	d->tail = &urb->next;
}

/* Bytes that follow the header, or -1 if the kernel asks for what no driver here would. */
static long body_size(const struct usbip_command *c)
{
	size_t size = 0;

	if (c->command == USBIP_CMD_UNLINK)
		return 0;
	if (c->command != USBIP_CMD_SUBMIT || c->packets > URB_PACKETS)
		return -1;
	if (!c->in)
		size += c->length;
	size += c->packets * USBIP_PACKET_SIZE;
	return size > WIRE_IN - USBIP_HEADER_SIZE ? -1 : (long)size;
}

static void dispatch(struct device *d, const struct usbip_command *c, const uint8_t *body)
{
	struct usbip_reply stalled = { .seqnum = c->seqnum, .status = -EPIPE };
	uint8_t *wire;

	if (c->command == USBIP_CMD_UNLINK) {
		reply_unlink(d, c);
	} else if (c->endpoint == 0) {
		reply_control(d, c, body);
	} else if (c->endpoint == STREAM_ENDPOINT && c->in) {
		enqueue(d, c, body);
	} else {
		wire = reserve(d, USBIP_HEADER_SIZE);
		if (wire)
			usbip_encode_submit(wire, &stalled);
	}
}

static void parse(struct device *d)
{
	struct usbip_command c;
	size_t at = 0;
	long body;

	while (d->in_used - at >= USBIP_HEADER_SIZE) {
		usbip_decode(d->in + at, &c);
		body = body_size(&c);
		if (body < 0) {
			device_unplug(d, "protocol");
			return;
		}
		if (d->in_used - at < USBIP_HEADER_SIZE + (size_t)body)
			break;
		dispatch(d, &c, d->in + at + USBIP_HEADER_SIZE);
		if (d->source.fd < 0)
			return;
		at += USBIP_HEADER_SIZE + (size_t)body;
	}
	memmove(d->in, d->in + at, d->in_used - at);
	d->in_used -= at;
}

static void wire_ready(struct source *source, uint32_t events)
{
	struct device *d = (struct device *)((char *)source - offsetof(struct device, source));
	ssize_t n;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		n = recv(source->fd, d->in + d->in_used, WIRE_IN - d->in_used, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			device_unplug(d, "host");
			return;
		}
		if (n > 0) {
			d->in_used += (size_t)n;
			parse(d);
		}
	}
	if (source->fd >= 0 && d->out_used)
		flush(d);
}

static void complete(struct device *d, enum fill result, uint32_t length)
{
	struct urb *urb = d->head;
	struct usbip_reply reply = {
		.seqnum = urb->seqnum,
		.status = result == FILL_STALL ? -EPIPE : 0,
		.length = length,
		.start_frame = urb->start_frame,
		.packets = urb->packets,
		.errors = result == FILL_STALL ? urb->packets : 0,
	};
	uint8_t *packets = d->out + USBIP_HEADER_SIZE + length;
	uint32_t i;

	usbip_encode_submit(d->out, &reply);
	for (i = 0; i < urb->packets; i++) {
		urb->packet[i].status = reply.status;
		usbip_encode_packet(packets + i * USBIP_PACKET_SIZE, &urb->packet[i]);
	}
	d->out_used = USBIP_HEADER_SIZE + length + urb->packets * USBIP_PACKET_SIZE;
	d->stats.urbs++;
	d->stats.bytes += length;
	d->head = urb->next;
	if (!d->head)
		d->tail = &d->head;
	urb->next = d->free;
	d->free = urb;
}

/* Nothing is made while a reply is still on its way: a slow host never piles up data here. */
static uint64_t run_stream(struct device *d, uint64_t now)
{
	while (d->source.fd >= 0 && d->head && !d->out_used) {
		uint64_t ready = d->function->ready_at(d, d->head);
		uint32_t length = 0;
		enum fill result;

		if (ready > now)
			return ready;
		result = d->function->fill(d, d->head, d->out + USBIP_HEADER_SIZE, &length);
		if (result == FILL_VANISH) {
			device_unplug(d, "fault");
			return UINT64_MAX;
		}
		complete(d, result, length);
		if (result == FILL_DONE)
			d->answered = now;
		flush(d);
		if (d->source.fd >= 0 && d->frames_to_live && !d->out_used &&
		    d->stats.frames - d->frames_at_plug >= d->frames_to_live)
			device_unplug(d, "frames");
	}
	return UINT64_MAX;
}

static uint64_t run_flap(struct device *d, uint64_t now)
{
	if (now < d->flap_at)
		return d->flap_at;
	if (d->state >= DEVICE_PLUGGED) {
		device_unplug(d, "flap");
	} else if (d->state == DEVICE_UNPLUGGED) {
		d->flaps--;
		device_plug(d);
	}
	d->flap_at = now + d->flap_ns;
	return d->flap_at;
}

uint64_t device_run(struct device *d, uint64_t now)
{
	uint64_t next = UINT64_MAX, at;
	int error;

	if (d->flaps)
		next = run_flap(d, now);
	if (d->state == DEVICE_PLUGGING && now >= d->retry_at) {
		error = device_plug(d);
		if (error) {
			d->failed = true;
			printf("failed %s reason=\"%s\"\n", d->name, strerror(-error));
		}
	}
	if (d->state == DEVICE_PLUGGING)
		at = d->retry_at;
	else
		at = run_stream(d, now);
	return at < next ? at : next;
}
