/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration: devringd.conf and its drop-ins. */
#ifndef DEVRINGD_CONFIG_H
#define DEVRINGD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_DEFAULT	"/etc/devring/devringd.conf"
#define CONFIG_FORMATS	16
#define CONFIG_HOOKS	"/etc/devring/hooks.d"

enum config_memory {
	CONFIG_MEMORY_AUTO,	/* dmabuf, else userptr, else mmap */
	CONFIG_MEMORY_DMABUF,
	CONFIG_MEMORY_USERPTR,
	CONFIG_MEMORY_MMAP,
};

/* Bits: where word of changes may come from; none: all is listed at intervals. */
enum config_sources {
	CONFIG_SOURCE_UDEV	= 1 << 0,
	CONFIG_SOURCE_KERNEL	= 1 << 1,
	CONFIG_SOURCE_LIBUSB	= 1 << 2,
};

struct rules;

/* What can be told for all devices of a type and for single ones; a member that is not set is 0. */
struct config_device {
	char match[128];		/* pattern of a name, stable id or path id */
	int enabled;			/* 1 yes, -1 no */
	int linger_ms;			/* plus 1 until config_for() */
	int stall_ms;			/* likewise; 0: never */
	uint32_t formats[CONFIG_FORMATS];
	unsigned int formats_count;
	unsigned int width, height;
	unsigned int fps;
	bool formats_fixed, size_fixed;	/* nothing else will do: config_for() sets them */
	enum config_memory memory;
	unsigned int slots;
	unsigned int buffers;
	unsigned int rate, channels, period_ms;
};

struct config {
	bool cameras, microphones, speakers;
	bool loopback_microphone, loopback_speaker;
	bool checksum;
	bool audit;
	unsigned int lossless_ms;
	unsigned int linger_ms;
	unsigned int retry_ms, retry_max_ms;
	struct config_device camera, microphone, speaker;
	unsigned int min_fps;
	unsigned int history;
	bool usb_events, usb_details;
	unsigned int debounce_ms, events_per_second, batch;
	unsigned int sources;
	unsigned int receive_buffer, udev_timeout_ms, poll_ms;
	char hooks[256];
	unsigned int hook_timeout_ms;
	struct rules *rules;
	struct config_device *devices;
	unsigned int devices_count;
};

/*
 * Reads path and the *.conf of path.d, in the order of their names, into a new config. A path that does
 * not exist is an error when it was asked for. NULL: the sentence about it is in error.
 */
struct config *config_read(const char *path, bool must_exist, char *error, unsigned int error_size);
void config_free(struct config *config);
/* What holds for one device: its own sections over those of its type. */
struct config_device config_for(const struct config *config, const struct config_device *type,
				const char *name, const char *stable_id, const char *path_id);

#endif
