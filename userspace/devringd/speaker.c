// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "log.h"
#include "manager.h"
#include "sound.h"
#include "trail.h"

/* Silence before the first samples, so that the next ones come in time. */
#define CUSHION_PERIODS	2

/* A speaker while it is open. */
struct speaker {
	struct device *device;
	snd_pcm_t *pcm;
	struct sound_format format;
	struct sound_poll poll;		/* enabled while samples wait for room */
	sd_event_source *linger;
	uint64_t last_ns;		/* when samples came last */
	const char *data;		/* of the frame that waits for room */
	snd_pcm_uframes_t samples;
	unsigned int underruns;
	char *silence;			/* one period */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int set_ring_and_format(struct device *device, const struct sound_format *f)
{
	struct devring_format format;
	int error = device_set_ring(device, device->config.slots, f->period * f->frame_bytes);

	sound_describe(f, &format);
	return error ? error : device_set_format(device, &format);
}

/* A look at the card for what it takes; busy, it is promised what the config says. */
static int speaker_prepare(struct device *device)
{
	struct sound_format format;
	snd_pcm_t *pcm;
	int error = sound_open(&pcm, device->hw.node, SND_PCM_STREAM_PLAYBACK, &device->config,
			       &format);

	if (!error) {
		sound_close(&pcm);
		return set_ring_and_format(device, &format);
	}
	trail_note(device, LOG_INFO, NULL, "cannot look at %s now (%s); taking its format "
		   "from the config", device->hw.node, strerror(-error));
	format.format = SND_PCM_FORMAT_S16_LE;
	format.rate = device->config.rate;
	format.channels = device->config.channels;
	format.frame_bytes = 2 * format.channels;
	format.period = format.rate * device->config.period_ms / 1000;
	return set_ring_and_format(device, &format);
}

static int fill_cushion(struct speaker *s)
{
	for (int i = 0; i < CUSHION_PERIODS; i++) {
		snd_pcm_sframes_t n = snd_pcm_writei(s->pcm, s->silence, s->format.period);

		if (n < 0)
			return n == -EAGAIN ? 0 : n;
	}
	return 0;
}

/* Nothing came in time: the card fell silent; go on with what comes now. */
static int recover(struct speaker *s, int error)
{
	trail_note(s->device, s->underruns++ ? LOG_DEBUG : LOG_INFO, "xrun",
		   "no samples in time (%s); it was silent", error == -EPIPE ? "underrun" :
		   strerror(-error));
	error = sound_recover(s->pcm, error);
	if (!error && snd_pcm_state(s->pcm) == SND_PCM_STATE_PREPARED)
		error = fill_cushion(s);
	return error;
}

/* Writes what waits. 1: all of it; 0: the card has no room; or a negative errno. */
static int play(struct speaker *s)
{
	while (s->samples) {
		snd_pcm_sframes_t n = snd_pcm_writei(s->pcm, s->data, s->samples);

		if (n == -EAGAIN)
			return 0;
		if (n < 0) {
			int error = recover(s, n);

			if (error < 0)
				return error;
			continue;
		}
		s->data += n * s->format.frame_bytes;
		s->samples -= n;
	}
	return 1;
}

static void speaker_stop(struct device *device)
{
	struct speaker *s = device->open;

	if (!s)
		return;
	device->open = NULL;
	sound_poll_remove(&s->poll);
	sd_event_source_disable_unref(s->linger);
	if (s->pcm)
		snd_pcm_drop(s->pcm);
	sound_close(&s->pcm);
	free(s->silence);
	free(s);
}

static int wait_for_room(struct speaker *s, bool wait)
{
	sound_poll_enable(&s->poll, wait);
	return sd_event_source_set_enabled(s->device->io, wait ? SD_EVENT_OFF : SD_EVENT_ON);
}

static int speaker_input(struct device *device);

static int on_room(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct speaker *s = user;
	struct device *device = s->device;
	unsigned short events = sound_poll_events(&s->poll, fd, revents);
	int result;

	(void)source;
	if (!(events & (POLLOUT | POLLERR | POLLHUP | POLLNVAL)))
		return 0;
	result = play(s);
	if (result < 0) {
		device_fail(device, -result);
	} else if (result) {
		wait_for_room(s, false);
		speaker_input(device);
	}
	return 0;
}

static int on_linger(sd_event_source *source, uint64_t usec, void *user)
{
	struct speaker *s = user;
	struct device *device = s->device;
	uint64_t linger_us = device->config.linger_ms * 1000ull;
	uint64_t idle_us = (now_ns() - s->last_ns) / 1000;

	(void)usec;
	if (idle_us < linger_us || s->samples) {
		sd_event_source_set_time_relative(source, s->samples ? linger_us :
						  linger_us - idle_us);
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		return 0;
	}
	speaker_stop(device);
	device->phase = DEVICE_IDLE;
	trail_note(device, LOG_INFO, "stopped", "nothing to play: closed");
	manager_changed(device->manager);
	return 0;
}

static int add_sources(struct speaker *s)
{
	sd_event *event = s->device->manager->event;
	int error = sound_poll_add(&s->poll, event, s->pcm, on_room, s);

	if (error)
		return error;
	sound_poll_enable(&s->poll, false);
	error = sd_event_add_time_relative(event, &s->linger, CLOCK_MONOTONIC,
					   s->device->config.linger_ms * 1000ull, 10000, on_linger,
					   s);
	return error < 0 ? error : 0;
}

static int speaker_start(struct device *device)
{
	struct speaker *s = calloc(1, sizeof(*s));
	char text[DEVRING_TEXT_SIZE];
	struct devring_format format;
	int error;

	if (!s)
		return -ENOMEM;
	s->device = device;
	device->open = s;
	error = sound_open(&s->pcm, device->hw.node, SND_PCM_STREAM_PLAYBACK, &device->config,
			   &s->format);
	if (!error)
		error = add_sources(s);
	if (!error) {
		s->silence = malloc(s->format.period * s->format.frame_bytes);
		if (!s->silence)
			error = -ENOMEM;
	}
	if (!error) {
		snd_pcm_format_set_silence(s->format.format, s->silence,
					   s->format.period * s->format.channels);
		error = fill_cushion(s);
	}
	if (error) {
		speaker_stop(device);
		return error;
	}
	sound_describe(&s->format, &format);
	trail_note(device, device->said ? LOG_DEBUG : LOG_INFO, "streaming", "playing %s",
		   devring_format_to_text(&format, text, sizeof(text)));
	return 0;
}

/* Whether the frame has the format that the card was opened with. */
static bool format_holds(struct speaker *s)
{
	struct devring_format is, was;

	sound_describe(&s->format, &is);
	if (devring_reader_format(s->device->sink, &was))
		return false;
	is.generation = was.generation;
	return !memcmp(&is, &was, sizeof(is));
}

/* Opens the card for the first frame. Frames of a format that it no longer takes are dropped. */
static int begin(struct device *device)
{
	struct speaker *s;
	int error = speaker_start(device);

	if (error) {
		device_fail(device, -error);
		return -EAGAIN;
	}
	device->phase = DEVICE_ACTIVE;
	manager_changed(device->manager);
	s = device->open;
	if (format_holds(s))
		return 0;
	trail_note(device, LOG_INFO, NULL, "%s takes another format now", device->hw.node);
	error = set_ring_and_format(device, &s->format);
	return error ? error : -EAGAIN;
}

static int on_frame(struct device *device, const struct devring_view *view)
{
	struct speaker *s;
	int result;

	if (!device->open) {
		result = begin(device);
		if (result)
			return result;
	}
	s = device->open;
	s->last_ns = now_ns();
	s->data = view->data;
	s->samples = view->bytes / s->format.frame_bytes;
	result = play(s);
	if (result < 0) {
		device_fail(device, -result);
		return -EAGAIN;
	}
	device_works(device);
	if (result)
		return 0;
	wait_for_room(s, true);
	return -EAGAIN;
}

static int speaker_input(struct device *device)
{
	struct devring_view view;
	int event;

	for (;;) {
		event = devring_reader_next(device->sink, &view, 0);
		if (event == DEVRING_EVENT_FRAME) {
			event = on_frame(device, &view);
			if (!event)
				continue;
		}
		if (event == DEVRING_EVENT_END)
			return -ENODEV;
		if (event < 0)
			return event == -EAGAIN || event == -EINTR ? 0 : event;
	}
}

const struct driver speaker_driver = {
	.start = speaker_start,
	.prepare = speaker_prepare,
	.input = speaker_input,
	.stop = speaker_stop,
};
