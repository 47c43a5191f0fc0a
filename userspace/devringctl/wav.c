// SPDX-License-Identifier: GPL-2.0-or-later
/* The headers of WAV files. */

#include <errno.h>
#include <limits.h>
#include <sound/asound.h>
#include <string.h>

#include "wav.h"

enum { TAG_PCM = 1, TAG_FLOAT = 3, TAG_A_LAW = 6, TAG_MU_LAW = 7, TAG_EXTENSIBLE = 0xfffe };

static const struct kind {
	uint32_t format;
	uint16_t tag;
	uint16_t bits;
} kinds[] = {
	{ (uint32_t)SNDRV_PCM_FORMAT_U8, TAG_PCM, 8 },
	{ (uint32_t)SNDRV_PCM_FORMAT_S16_LE, TAG_PCM, 16 },
	{ (uint32_t)SNDRV_PCM_FORMAT_S24_3LE, TAG_PCM, 24 },
	{ (uint32_t)SNDRV_PCM_FORMAT_S32_LE, TAG_PCM, 32 },
	{ (uint32_t)SNDRV_PCM_FORMAT_FLOAT_LE, TAG_FLOAT, 32 },
	{ (uint32_t)SNDRV_PCM_FORMAT_FLOAT64_LE, TAG_FLOAT, 64 },
	{ (uint32_t)SNDRV_PCM_FORMAT_A_LAW, TAG_A_LAW, 8 },
	{ (uint32_t)SNDRV_PCM_FORMAT_MU_LAW, TAG_MU_LAW, 8 },
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static uint8_t *put(uint8_t *p, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*p++ = (uint8_t)(value >> (8 * i));
	return p;
}

static uint8_t *put_tag(uint8_t *p, const char *tag)
{
	memcpy(p, tag, 4);
	return p + 4;
}

static uint32_t get(const uint8_t *p, int bytes)
{
	uint32_t value = 0;

	for (int i = 0; i < bytes; i++)
		value |= (uint32_t)p[i] << (8 * i);
	return value;
}

int wav_build(uint8_t *header, const struct devring_audio_format *audio, uint64_t data_bytes)
{
	const struct kind *kind = kinds;
	uint8_t *p = header;
	uint32_t fmt_bytes, frame_bytes;
	uint64_t riff_bytes;

	while (kind < kinds + KINDS && kind->format != audio->sample_format)
		kind++;
	if (kind == kinds + KINDS || !audio->channels || audio->channels > UINT16_MAX / 8)
		return -EOPNOTSUPP;
	/* All but plain PCM carry the size of an extension, even of none. */
	fmt_bytes = kind->tag == TAG_PCM ? 16 : 18;
	frame_bytes = kind->bits / 8 * audio->channels;
	riff_bytes = data_bytes + 20 + fmt_bytes + (data_bytes & 1);
	if (data_bytes > UINT32_MAX - 64) {
		/* What readers take for "until the end". */
		data_bytes = UINT32_MAX;
		riff_bytes = UINT32_MAX;
	}
	p = put(put_tag(p, "RIFF"), riff_bytes, 4);
	p = put(put_tag(put_tag(p, "WAVE"), "fmt "), fmt_bytes, 4);
	p = put(put(p, kind->tag, 2), audio->channels, 2);
	p = put(put(p, audio->rate, 4), (uint64_t)audio->rate * frame_bytes, 4);
	p = put(put(p, frame_bytes, 2), kind->bits, 2);
	if (fmt_bytes == 18)
		p = put(p, 0, 2);
	p = put(put_tag(p, "data"), data_bytes, 4);
	return (int)(p - header);
}

static int parse_fmt(const uint8_t *fmt, uint32_t bytes, struct devring_audio_format *audio)
{
	uint32_t tag, bits;

	if (bytes < 16)
		return -EINVAL;
	tag = get(fmt, 2);
	bits = get(fmt + 14, 2);
	memset(audio, 0, sizeof(*audio));
	audio->channels = get(fmt + 2, 2);
	audio->rate = get(fmt + 4, 4);
	audio->frame_bytes = get(fmt + 12, 2);
	if (tag == TAG_EXTENSIBLE) {
		if (bytes < 40)
			return -EINVAL;
		audio->channel_mask = get(fmt + 20, 4);
		tag = get(fmt + 24, 2);
	}
	if (!audio->channels || !audio->rate || audio->frame_bytes != bits / 8 * audio->channels)
		return -EINVAL;
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].tag == tag && kinds[i].bits == bits) {
			audio->sample_format = kinds[i].format;
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

int wav_parse(const uint8_t *data, size_t size, struct devring_audio_format *audio,
	      uint64_t *data_bytes)
{
	int have_format = -EINVAL;
	size_t at = 12;

	if (size < 12)
		return 0;
	if (memcmp(data, "RIFF", 4) || memcmp(data + 8, "WAVE", 4))
		return -EINVAL;
	for (;;) {
		uint32_t bytes;

		if (size - at < 8)
			return 0;
		bytes = get(data + at + 4, 4);
		if (!memcmp(data + at, "data", 4))
			break;
		if (bytes > INT_MAX / 2)
			return -EINVAL;
		if (size - at - 8 < bytes + (bytes & 1))
			return 0;
		if (!memcmp(data + at, "fmt ", 4)) {
			have_format = parse_fmt(data + at + 8, bytes, audio);
			if (have_format)
				return have_format;
		}
		at += 8 + bytes + (bytes & 1);
	}
	*data_bytes = get(data + at + 4, 4);
	/* Zero and the largest numbers are what streams have. */
	if (!*data_bytes || *data_bytes >= 0x7ffff000)
		*data_bytes = WAV_UNKNOWN;
	return have_format ? have_format : (int)(at + 8);
}
