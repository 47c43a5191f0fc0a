// SPDX-License-Identifier: GPL-2.0-only
/* The USB/IP wire format and the kernel's virtual host controller (vhci-hcd). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "usbip.h"

#define VHCI		"/sys/devices/platform/vhci_hcd.0/"
#define PORT_FREE	4	/* VDEV_ST_NULL in the driver's status file */
#define SPEED_HIGH	3
#define SEND_BUFFER	(1 << 20)

static uint32_t word(const uint8_t *wire, unsigned int index)
{
	uint32_t value;

	memcpy(&value, wire + index * 4, 4);
	return ntohl(value);
}

static void put(uint8_t *wire, unsigned int index, uint32_t value)
{
	value = htonl(value);
	memcpy(wire + index * 4, &value, 4);
}

void usbip_decode(const uint8_t *wire, struct usbip_command *command)
{
	const uint8_t *setup = wire + 40;

	*command = (struct usbip_command){
		.command = word(wire, 0),
		.seqnum = word(wire, 1),
		.in = word(wire, 3),
		.endpoint = word(wire, 4),
		.unlink = word(wire, 5),
		.length = word(wire, 6),
		.start_frame = word(wire, 7),
		.packets = word(wire, 8),
		.interval = word(wire, 9),
		.setup = {
			.type = setup[0],
			.request = setup[1],
			.value = (uint16_t)(setup[2] | setup[3] << 8),
			.index = (uint16_t)(setup[4] | setup[5] << 8),
			.length = (uint16_t)(setup[6] | setup[7] << 8),
		},
	};
	if (command->packets == UINT32_MAX)	/* the other spelling of "not isochronous" */
		command->packets = 0;
}

void usbip_decode_packet(const uint8_t *wire, struct usbip_packet *packet)
{
	packet->offset = word(wire, 0);
	packet->length = word(wire, 1);
	packet->actual = 0;
	packet->status = 0;
}

void usbip_encode_packet(uint8_t *wire, const struct usbip_packet *packet)
{
	put(wire, 0, packet->offset);
	put(wire, 1, packet->length);
	put(wire, 2, packet->actual);
	put(wire, 3, (uint32_t)packet->status);
}

void usbip_encode_submit(uint8_t *wire, const struct usbip_reply *reply)
{
	memset(wire, 0, USBIP_HEADER_SIZE);
	put(wire, 0, USBIP_RET_SUBMIT);
	put(wire, 1, reply->seqnum);
	put(wire, 5, (uint32_t)reply->status);
	put(wire, 6, reply->length);
	put(wire, 7, reply->start_frame);
	put(wire, 8, reply->packets);
	put(wire, 9, reply->errors);
}

void usbip_encode_unlink(uint8_t *wire, uint32_t seqnum, int status)
{
	memset(wire, 0, USBIP_HEADER_SIZE);
	put(wire, 0, USBIP_RET_UNLINK);
	put(wire, 1, seqnum);
	put(wire, 5, (uint32_t)status);
}

/* One status file a controller: status, status.1, … with lines like "hs  0003 004 000 …". */
static int free_port_in(FILE *status)
{
	char line[256], hub[8];
	unsigned int port, state;

	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "%7s %u %u", hub, &port, &state) == 3 && !strcmp(hub, "hs") &&
		    state == PORT_FREE)
			return (int)port;
	return -EBUSY;
}

int usbip_free_port(void)
{
	char path[64] = VHCI "status";
	unsigned int controller;
	int port = -ENOENT;

	for (controller = 1;; controller++) {
		FILE *status = fopen(path, "re");

		if (!status)
			return port;
		port = free_port_in(status);
		fclose(status);
		if (port >= 0)
			return port;
		snprintf(path, sizeof(path), VHCI "status.%u", controller);
	}
}

int usbip_attach(int port)
{
	int pair[2], attach, size = SEND_BUFFER, error = 0;

	attach = open(VHCI "attach", O_WRONLY | O_CLOEXEC);
	if (attach < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		error = -errno;
		close(attach);
		return error;
	}
	/* a whole reply fits, so that a slow host costs one partial write at most */
	if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (dprintf(attach, "%d %d %u %d", port, pair[1], 1u << 16 | (unsigned int)(port + 1),
		    SPEED_HIGH) < 0)
		error = -errno;
	close(attach);
	close(pair[1]);
	if (error) {
		close(pair[0]);
		return error;
	}
	return pair[0];
}
