/* SPDX-License-Identifier: GPL-2.0-only */
/* The USB/IP wire format and the kernel's virtual host controller (vhci-hcd). */
#ifndef USBEMU_USBIP_H
#define USBEMU_USBIP_H

#include <stddef.h>
#include <stdint.h>

#define USBIP_HEADER_SIZE	48
#define USBIP_PACKET_SIZE	16	/* one isochronous packet descriptor */

enum usbip_word {
	USBIP_CMD_SUBMIT = 1,
	USBIP_CMD_UNLINK = 2,
	USBIP_RET_SUBMIT = 3,
	USBIP_RET_UNLINK = 4,
};

struct usb_setup {
	uint8_t type;
	uint8_t request;
	uint16_t value;
	uint16_t index;
	uint16_t length;
};

struct usbip_command {
	uint32_t command;
	uint32_t seqnum;
	uint32_t in;		/* direction: 1 is device to host */
	uint32_t endpoint;
	uint32_t unlink;	/* seqnum of the transfer to take back */
	uint32_t length;
	uint32_t start_frame;
	uint32_t packets;	/* 0: not isochronous */
	uint32_t interval;	/* in microframes */
	struct usb_setup setup;
};

struct usbip_packet {
	uint32_t offset;
	uint32_t length;
	uint32_t actual;
	int32_t status;
};

struct usbip_reply {
	uint32_t seqnum;
	int status;
	uint32_t length;
	uint32_t start_frame;
	uint32_t packets;
	uint32_t errors;
};

void usbip_decode(const uint8_t *wire, struct usbip_command *command);
void usbip_decode_packet(const uint8_t *wire, struct usbip_packet *packet);
void usbip_encode_packet(uint8_t *wire, const struct usbip_packet *packet);
void usbip_encode_submit(uint8_t *wire, const struct usbip_reply *reply);
void usbip_encode_unlink(uint8_t *wire, uint32_t seqnum, int status);

/* The first free high-speed port; -ENOENT without the driver, -EBUSY if all are taken. */
int usbip_free_port(void);
/* Plug a high-speed device into the port: our end of its wire, or -errno (-EBUSY: taken). */
int usbip_attach(int port);

#endif
