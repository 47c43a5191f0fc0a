// SPDX-License-Identifier: GPL-2.0-or-later
#include "sound.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* Half a second, by default: it costs no time, and an idle machine's hiccups no samples. */
#define PERIODS	24

/* ALSA tells what goes wrong on standard error, each time; our own sentence is enough. */
static void be_quiet(const char *file, int line, const char *function, int error,
		     const char *format, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)error;
	(void)format;
}

static int choose_format(snd_pcm_t *pcm, snd_pcm_hw_params_t *params, snd_pcm_format_t *format)
{
	static const snd_pcm_format_t preferred[] = {
		SND_PCM_FORMAT_S16_LE, SND_PCM_FORMAT_S32_LE, SND_PCM_FORMAT_S24_LE,
		SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_FLOAT_LE, SND_PCM_FORMAT_S16_BE,
		SND_PCM_FORMAT_S32_BE, SND_PCM_FORMAT_U8, SND_PCM_FORMAT_S8,
	};

	for (size_t i = 0; i < sizeof(preferred) / sizeof(*preferred); i++) {
		if (!snd_pcm_hw_params_set_format(pcm, params, preferred[i])) {
			*format = preferred[i];
			return 0;
		}
	}
	return -EINVAL;
}

static int set_hardware(snd_pcm_t *pcm, const struct config_device *config, struct sound_format *f)
{
	snd_pcm_hw_params_t *params;
	int error;

	snd_pcm_hw_params_alloca(&params);
	error = snd_pcm_hw_params_any(pcm, params);
	if (error >= 0)
		error = snd_pcm_hw_params_set_access(pcm, params, SND_PCM_ACCESS_RW_INTERLEAVED);
	if (error >= 0)
		error = choose_format(pcm, params, &f->format);
	f->rate = config->rate;
	f->channels = config->channels;
	if (error >= 0)
		error = snd_pcm_hw_params_set_channels_near(pcm, params, &f->channels);
	if (error >= 0)
		error = snd_pcm_hw_params_set_rate_near(pcm, params, &f->rate, NULL);
	f->period = f->rate * config->period_ms / 1000;
	if (error >= 0)
		error = snd_pcm_hw_params_set_period_size_near(pcm, params, &f->period, NULL);
	f->buffer = PERIODS * f->period;
	if (error >= 0)
		error = snd_pcm_hw_params_set_buffer_size_near(pcm, params, &f->buffer);
	if (error >= 0)
		error = snd_pcm_hw_params(pcm, params);
	if (error < 0)
		return error;
	snd_pcm_hw_params_get_period_size(params, &f->period, NULL);
	snd_pcm_hw_params_get_buffer_size(params, &f->buffer);
	f->frame_bytes = snd_pcm_frames_to_bytes(pcm, 1);
	return 0;
}

static int set_software(snd_pcm_t *pcm, const struct sound_format *f)
{
	snd_pcm_sw_params_t *params;
	int error;

	snd_pcm_sw_params_alloca(&params);
	error = snd_pcm_sw_params_current(pcm, params);
	if (error >= 0)
		error = snd_pcm_sw_params_set_avail_min(pcm, params, f->period);
	if (error >= 0)
		error = snd_pcm_sw_params_set_start_threshold(pcm, params, 1);
	if (error >= 0)
		error = snd_pcm_sw_params_set_tstamp_mode(pcm, params, SND_PCM_TSTAMP_ENABLE);
	if (error >= 0)
		error = snd_pcm_sw_params_set_tstamp_type(pcm, params,
							  SND_PCM_TSTAMP_TYPE_MONOTONIC);
	if (error >= 0)
		error = snd_pcm_sw_params(pcm, params);
	return error;
}

int sound_open(snd_pcm_t **pcm, const char *node, snd_pcm_stream_t stream,
	       const struct config_device *config, struct sound_format *format)
{
	int error;

	snd_lib_error_set_handler(be_quiet);
	error = snd_pcm_open(pcm, node, stream, SND_PCM_NONBLOCK);
	if (error < 0) {
		*pcm = NULL;
		return error;
	}
	error = set_hardware(*pcm, config, format);
	if (error >= 0)
		error = set_software(*pcm, format);
	if (error < 0)
		sound_close(pcm);
	return error < 0 ? error : 0;
}

void sound_close(snd_pcm_t **pcm)
{
	if (!*pcm)
		return;
	snd_pcm_close(*pcm);
	*pcm = NULL;
	/* ALSA's own configuration is most of what it keeps in memory. */
	snd_config_update_free_global();
}

void sound_describe(const struct sound_format *f, struct devring_format *result)
{
	memset(result, 0, sizeof(*result));
	result->kind = DEVRING_FORMAT_AUDIO;
	result->audio.sample_format = f->format;
	result->audio.rate = f->rate;
	result->audio.channels = f->channels;
	result->audio.frame_bytes = f->frame_bytes;
	result->audio.period_frames = f->period;
	/* Front left and right; one channel is the centre. */
	result->audio.channel_mask = f->channels == 1 ? 0x4 : f->channels == 2 ? 0x3 : 0;
}

int sound_poll_add(struct sound_poll *p, sd_event *event, snd_pcm_t *pcm,
		   sd_event_io_handler_t handler, void *user)
{
	int count = snd_pcm_poll_descriptors_count(pcm), error = 0;

	memset(p, 0, sizeof(*p));
	if (count < 1 || count > SOUND_SOURCES)
		return -EMFILE;
	p->pcm = pcm;
	count = snd_pcm_poll_descriptors(pcm, p->fds, SOUND_SOURCES);
	for (int i = 0; i < count && error >= 0; i++, p->count++)
		error = sd_event_add_io(event, &p->sources[i], p->fds[i].fd,
					p->fds[i].events & (EPOLLIN | EPOLLOUT), handler, user);
	return error < 0 ? error : 0;
}

void sound_poll_enable(struct sound_poll *p, bool enabled)
{
	for (unsigned int i = 0; i < p->count; i++)
		sd_event_source_set_enabled(p->sources[i], enabled ? SD_EVENT_ON : SD_EVENT_OFF);
}

void sound_poll_remove(struct sound_poll *p)
{
	for (unsigned int i = 0; i < SOUND_SOURCES; i++)
		p->sources[i] = sd_event_source_disable_unref(p->sources[i]);
	p->count = 0;
}

unsigned short sound_poll_events(struct sound_poll *p, int fd, uint32_t revents)
{
	unsigned short result = 0;

	/* EPOLL* and POLL* are the same numbers for what ALSA uses. */
	for (unsigned int i = 0; i < p->count; i++)
		p->fds[i].revents = p->fds[i].fd == fd ? revents : 0;
	if (snd_pcm_poll_descriptors_revents(p->pcm, p->fds, p->count, &result) < 0)
		return POLLERR;
	return result;
}

int sound_recover(snd_pcm_t *pcm, int error)
{
	if (error == -ESTRPIPE) {
		error = snd_pcm_resume(pcm);
		if (!error)
			return 0;
		/* Not awake yet, or unable to go on where it was: begin anew. */
		error = -EPIPE;
	}
	if (error != -EPIPE)
		return error;
	return snd_pcm_prepare(pcm);
}
