/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What microphones and speakers have in common: opening and setting up a PCM of ALSA. */
#ifndef DEVRINGD_SOUND_H
#define DEVRINGD_SOUND_H

#include <alsa/asoundlib.h>
#include <devring/client.h>
#include <systemd/sd-event.h>

#include "config.h"

struct sound_format {
	snd_pcm_format_t format;
	unsigned int rate, channels;
	snd_pcm_uframes_t period, buffer;	/* in samples a channel */
	unsigned int frame_bytes;		/* of one sample of all channels */
};

#define SOUND_SOURCES	4

/* The descriptors of a PCM in the event loop. */
struct sound_poll {
	snd_pcm_t *pcm;
	unsigned int count;
	struct pollfd fds[SOUND_SOURCES];
	sd_event_source *sources[SOUND_SOURCES];
};

/* Opens it, and makes it as near to the config as it can be. A negative errno, and nothing open. */
int sound_open(snd_pcm_t **pcm, const char *node, snd_pcm_stream_t stream,
	       const struct config_device *config, struct sound_format *format);
void sound_close(snd_pcm_t **pcm);
void sound_describe(const struct sound_format *format, struct devring_format *result);

int sound_poll_add(struct sound_poll *poll, sd_event *event, snd_pcm_t *pcm,
		   sd_event_io_handler_t handler, void *user);
void sound_poll_enable(struct sound_poll *poll, bool enabled);
void sound_poll_remove(struct sound_poll *poll);
/* After an event of one of its sources: POLLIN, POLLOUT and POLLERR of the PCM itself. */
unsigned short sound_poll_events(struct sound_poll *poll, int fd, uint32_t revents);
/* Makes an over- or underrun or a suspend good; the PCM is prepared then. A negative errno: not. */
int sound_recover(snd_pcm_t *pcm, int error);

#endif
