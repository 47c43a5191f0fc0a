/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The headers of WAV files. */
#ifndef DEVRINGCTL_WAV_H
#define DEVRINGCTL_WAV_H

#include <stddef.h>
#include <stdint.h>

#include <linux/devring.h>

#define WAV_HEADER_MAX	64
#define WAV_UNKNOWN	UINT64_MAX

/*
 * Write a header for @data_bytes of sound; WAV_UNKNOWN for a stream.
 * Returns its length, or -EOPNOTSUPP if WAV has no way to say this sample format.
 */
int wav_build(uint8_t *header, const struct devring_audio_format *audio, uint64_t data_bytes);

/*
 * Understand the beginning of a WAV file: fills everything of @audio but period_frames, and
 * @data_bytes.
 * Returns the offset of the first sample, 0 if more than @size bytes are needed, -EINVAL if it is
 * no WAV file, -EOPNOTSUPP if its samples are of a kind that has no name in ALSA.
 */
int wav_parse(const uint8_t *data, size_t size, struct devring_audio_format *audio,
	      uint64_t *data_bytes);

#endif /* DEVRINGCTL_WAV_H */
