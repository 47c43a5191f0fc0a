// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "log.h"
#include "manager.h"
#include "sound.h"
#include "trail.h"

/* A microphone while it is open. A slot is a period. */
struct microphone {
	struct device *device;
	snd_pcm_t *pcm;
	struct sound_format format;
	struct sound_poll poll;
	uint64_t next_ns;		/* when the next period begins, if nothing is lost */
	bool broken;			/* something was lost since the last period */
	unsigned int overruns;
};

static uint64_t duration(const struct microphone *m, uint64_t samples)
{
	return samples * 1000000000ull / m->format.rate;
}

/* When the first sample that waits was captured. */
static uint64_t capture_time(const struct microphone *m)
{
	snd_pcm_uframes_t waiting;
	snd_htimestamp_t stamp;
	uint64_t now;

	if (snd_pcm_htimestamp(m->pcm, &waiting, &stamp) || (!stamp.tv_sec && !stamp.tv_nsec))
		return 0;
	now = stamp.tv_sec * 1000000000ull + stamp.tv_nsec;
	return now - duration(m, waiting);
}

/* How many periods the gap since the last one is worth: at least one, since something is lost. */
static uint32_t lost_periods(const struct microphone *m, uint64_t capture_ns)
{
	uint64_t period = duration(m, m->format.period), gap;

	if (!m->next_ns || capture_ns <= m->next_ns)
		return 1;
	gap = (capture_ns - m->next_ns + period / 2) / period;
	return gap ? gap < UINT32_MAX ? gap : UINT32_MAX : 1;
}

static int read_period(struct microphone *m)
{
	struct devring_commit commit = { .flags = DEVRING_FRAME_KEY };
	struct devring_producer *producer = m->device->producer;
	struct devring_fill fill;
	snd_pcm_sframes_t n;
	int error = devring_producer_take(producer, &fill);

	if (error)
		return error;
	commit.capture_ns = capture_time(m);
	n = snd_pcm_readi(m->pcm, fill.data, m->format.period);
	if (n <= 0) {
		devring_producer_return(producer, &fill);
		return n ? n : -EAGAIN;
	}
	commit.bytes = n * m->format.frame_bytes;
	commit.media_time = commit.capture_ns / 1000;
	if (m->broken) {
		commit.flags |= DEVRING_FRAME_DISCONTINUITY;
		commit.lost_before = m->next_ns ? lost_periods(m, commit.capture_ns) : 0;
	}
	m->broken = false;
	m->next_ns = commit.capture_ns + duration(m, n);
	return device_commit(m->device, &fill, &commit);
}

static int recover(struct microphone *m, int error)
{
	m->broken = true;
	/* The first tells; a machine that is too slow would fill the log. */
	trail_note(m->device, m->overruns++ ? LOG_DEBUG : LOG_INFO, "xrun",
		   "samples were lost (%s); going on", error == -EPIPE ? "overrun" :
		   strerror(-error));
	error = sound_recover(m->pcm, error);
	if (error < 0)
		return error;
	return snd_pcm_state(m->pcm) == SND_PCM_STATE_RUNNING ? 0 : snd_pcm_start(m->pcm);
}

/* All whole periods that wait. */
static int read_periods(struct microphone *m)
{
	for (;;) {
		snd_pcm_sframes_t waiting = snd_pcm_avail(m->pcm);
		int error = waiting < 0 ? (int)waiting : 0;

		if (!error && (snd_pcm_uframes_t)waiting < m->format.period)
			return 0;
		if (!error)
			error = read_period(m);
		if (error == -EAGAIN)
			return 0;
		if (error == -EPIPE || error == -ESTRPIPE)
			error = recover(m, error);
		if (error < 0)
			return error;
	}
}

static int on_samples(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct microphone *m = user;
	unsigned short events = sound_poll_events(&m->poll, fd, revents);
	int error;

	(void)source;
	error = read_periods(m);
	/* Unplugged: ALSA says only that there is an error. */
	if (!error && events & (POLLERR | POLLNVAL) &&
	    snd_pcm_state(m->pcm) == SND_PCM_STATE_DISCONNECTED)
		error = -ENODEV;
	if (error)
		device_fail(m->device, -error);
	else
		device_took_slots(m->device);
	return 0;
}

static void microphone_stop(struct device *device)
{
	struct microphone *m = device->open;

	if (!m)
		return;
	device->open = NULL;
	sound_poll_remove(&m->poll);
	sound_close(&m->pcm);
	free(m);
}

static int set_ring_and_format(struct microphone *m)
{
	struct devring_format format;
	int error = device_set_ring(m->device, m->device->config.slots,
				    m->format.period * m->format.frame_bytes);

	sound_describe(&m->format, &format);
	if (!error)
		error = device_set_format(m->device, &format);
	return error;
}

static int microphone_start(struct device *device)
{
	struct microphone *m = calloc(1, sizeof(*m));
	char text[DEVRING_TEXT_SIZE];
	struct devring_format format;
	int error;

	if (!m)
		return -ENOMEM;
	m->device = device;
	device->open = m;
	m->broken = device->number;
	error = sound_open(&m->pcm, device->hw.node, SND_PCM_STREAM_CAPTURE, &device->config,
			   &m->format);
	if (error == -EINVAL && !device->said)
		trail_note(device, LOG_WARNING, "refused", "%s refuses every format near the "
			   "one asked for; set rate and channels in the config", device->hw.node);
	if (!error)
		error = set_ring_and_format(m);
	if (!error)
		error = sound_poll_add(&m->poll, device->manager->event, m->pcm, on_samples, m);
	if (!error)
		error = snd_pcm_start(m->pcm);
	if (error) {
		microphone_stop(device);
		return error;
	}
	sound_describe(&m->format, &format);
	trail_note(device, device->said ? LOG_DEBUG : LOG_INFO, "streaming", "streaming %s",
		   devring_format_to_text(&format, text, sizeof(text)));
	return 0;
}

const struct driver microphone_driver = {
	.start = microphone_start,
	.stop = microphone_stop,
};
