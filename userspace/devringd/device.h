/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that devringd provides: its life from plug to unplug, whatever its kind. */
#ifndef DEVRINGD_DEVICE_H
#define DEVRINGD_DEVICE_H

#include <devring/client.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "hardware.h"
#include "readers.h"

struct device;
struct manager;

/* What a kind of hardware does. Errors are negative errnos, each logged where it arose. */
struct driver {
	/* A source: open the hardware and let frames flow; whatever failed is undone. */
	int (*start)(struct device *device);
	/* A sink: say what it takes, without keeping the hardware open. */
	int (*prepare)(struct device *device);
	/* A sink: its ring has something; a negative errno when the ring itself is lost. */
	int (*input)(struct device *device);
	/* A source that wanted slots (device_want_slots()): there are some; NULL if it never does. */
	int (*room)(struct device *device);
	/* Close the hardware. Also called when there is nothing to close. */
	void (*stop)(struct device *device);
};

extern const struct driver camera_driver, microphone_driver, speaker_driver;

enum device_phase {
	DEVICE_ABSENT,		/* not plugged in, or not ours any more: OFFLINE to readers */
	DEVICE_IDLE,		/* provided; the hardware is closed */
	DEVICE_ACTIVE,		/* the hardware is open */
	DEVICE_LINGERING,	/* still open, though nobody reads any more */
	DEVICE_WAITING,		/* it failed: closed until the next try */
};

struct device {
	struct manager *manager;
	struct device *next;
	const struct driver *driver;
	struct hardware hw;
	struct config_device config;
	char name[DEVRING_NAME_SIZE];
	uint64_t id;			/* in the kernel; 0: never registered */
	bool listed;			/* found by the listing that is under way */
	enum device_phase phase;
	struct devring_producer *producer;	/* of a source */
	bool wants_slots;		/* it waits for some */
	struct devring_reader_file *sink;	/* of a sink */
	sd_event_source *io;		/* of either */
	sd_event_source *timer;		/* linger or retry */
	sd_event_source *stall;		/* do frames come? */
	uint64_t stall_number;		/* of frames at the last look */
	unsigned int readers;
	struct readers who;		/* they are; of a source */
	unsigned int retry_ms;		/* until the next try after the next failure; 0: first */
	int error;			/* that the kernel was told; 0: none */
	bool said;			/* the log has this error already */
	bool lost;			/* somebody took it away from us */
	int ring_fd;			/* of either, for calls that need no object */
	uint64_t number;		/* of frames committed, for their checksums */
	void *open;			/* the driver's own, while the hardware is open */
};

struct device *device_new(struct manager *manager, const struct hardware *hw);
void device_free(struct device *device);
/* Provides the device, new or again, for hardware that is there. */
int device_plug(struct device *device, const struct hardware *hw);
/* Its hardware is gone, or devringd ends: readers keep their descriptors. */
void device_unplug(struct device *device);
/* Ends the access of those who could not open the device any more. */
void device_recheck(struct device *device);
/* The configuration changed: what runs goes on with it. */
void device_reconfigure(struct device *device);

/* For drivers. */

/* The hardware failed: close it, tell the readers, try again later. */
void device_fail(struct device *device, int error);
/* A frame came or went: what failed before works again. */
void device_works(struct device *device);
/* Makes ring and format what they shall be; leaves what already is so. */
int device_set_ring(struct device *device, uint32_t slots, uint32_t slot_size);
int device_set_format(struct device *device, struct devring_format *format);
/*
 * A source took slots: taking one reads whatever is due first, which may have been the news that
 * readers came or went, and the descriptor does not tell that again. May end the device's open.
 */
void device_took_slots(struct device *device);
/* A source cannot go on without slots that lossless readers keep, or can again: wake it for them. */
void device_want_slots(struct device *device, bool wanted);
/* Commits a slot, with its checksum where that is asked for. */
int device_commit(struct device *device, const struct devring_fill *fill,
		  struct devring_commit *commit);

#endif
