// SPDX-License-Identifier: GPL-2.0-only
/* The headers of WAV files. */

#include <errno.h>
#include <sound/asound.h>

#include "tap.h"
#include "wav.h"

static const struct devring_audio_format stereo = {
	.sample_format = (uint32_t)SNDRV_PCM_FORMAT_S16_LE,
	.rate = 48000,
	.channels = 2,
	.frame_bytes = 4,
};

static void test_build(void)
{
	static const uint8_t known[44] = {
		'R', 'I', 'F', 'F', 36 + 8, 0, 0, 0, 'W', 'A', 'V', 'E',
		'f', 'm', 't', ' ', 16, 0, 0, 0, 1, 0, 2, 0,
		0x80, 0xbb, 0, 0, 0x00, 0xee, 2, 0, 4, 0, 16, 0,
		'd', 'a', 't', 'a', 8, 0, 0, 0,
	};
	struct devring_audio_format odd = stereo;
	uint8_t header[WAV_HEADER_MAX];

	OK(wav_build(header, &stereo, 8) == 44 && !memcmp(header, known, 44), "a known header");
	OK(wav_build(header, &stereo, WAV_UNKNOWN) == 44 &&
	   !memcmp(header + 40, "\377\377\377\377", 4),
	   "a stream has no length");
	OK(wav_build(header, &stereo, 5ULL << 32) == 44 &&
	   !memcmp(header + 4, "\377\377\377\377", 4),
	   "too much for 32 bits has no length");
	odd.sample_format = (uint32_t)SNDRV_PCM_FORMAT_S16_BE;
	OK(wav_build(header, &odd, 8) == -EOPNOTSUPP, "big-endian samples are refused");
	odd = stereo;
	odd.channels = 0;
	OK(wav_build(header, &odd, 8) == -EOPNOTSUPP, "no channels are refused");
}

static void round_trip(int sample, uint32_t bytes, const char *name)
{
	struct devring_audio_format in = stereo, out;
	uint8_t header[WAV_HEADER_MAX];
	uint64_t data_bytes = 0;
	int length;

	in.sample_format = (uint32_t)sample;
	in.frame_bytes = bytes * in.channels;
	length = wav_build(header, &in, 1000);
	OK(length > 0 && wav_parse(header, (size_t)length, &out, &data_bytes) == length &&
	   !memcmp(&in, &out, sizeof(in)) && data_bytes == 1000, name);
}

static void test_parse(void)
{
	uint8_t file[128] = "RIFF\0\0\0\0WAVELIST\3\0\0\0abc\0";
	uint8_t header[WAV_HEADER_MAX];
	struct devring_audio_format audio;
	uint64_t bytes;
	int length = wav_build(header, &stereo, WAV_UNKNOWN);
	int needs_more = 1;

	for (int i = 0; i < length; i++)
		needs_more &= wav_parse(header, (size_t)i, &audio, &bytes) == 0;
	OK(needs_more, "every part of a header asks for more");
	OK(wav_parse(header, (size_t)length, &audio, &bytes) == length && bytes == WAV_UNKNOWN,
	   "the length of a stream is not believed");
	memcpy(file + 24, header + 12, 32);
	OK(wav_parse(file, 56, &audio, &bytes) == 56 && audio.rate == 48000,
	   "chunks of other kinds are skipped, with their padding");
	OK(wav_parse((const uint8_t *)"RIFX....WAVE", 12, &audio, &bytes) == -EINVAL &&
	   wav_parse((const uint8_t *)"OggS........", 12, &audio, &bytes) == -EINVAL,
	   "what is no WAV is refused");
	header[20] = 2;
	OK(wav_parse(header, (size_t)length, &audio, &bytes) == -EOPNOTSUPP,
	   "compressed samples are refused");
	header[20] = 1;
	header[32] = 3;
	OK(wav_parse(header, (size_t)length, &audio, &bytes) == -EINVAL,
	   "sizes that contradict each other are refused");
	header[19] = 0x7f;
	OK(wav_parse(header, (size_t)length, &audio, &bytes) == -EINVAL,
	   "a chunk larger than can be is refused");
	memcpy(file + 12, "data", 4);
	OK(wav_parse(file, 56, &audio, &bytes) == -EINVAL,
	   "samples before their format are refused");
}

int main(void)
{
	test_build();
	round_trip(SNDRV_PCM_FORMAT_U8, 1, "U8 comes back");
	round_trip(SNDRV_PCM_FORMAT_S16_LE, 2, "S16_LE comes back");
	round_trip(SNDRV_PCM_FORMAT_S24_3LE, 3, "S24_3LE comes back");
	round_trip(SNDRV_PCM_FORMAT_S32_LE, 4, "S32_LE comes back");
	round_trip(SNDRV_PCM_FORMAT_FLOAT_LE, 4, "FLOAT_LE comes back");
	round_trip(SNDRV_PCM_FORMAT_MU_LAW, 1, "MU_LAW comes back");
	test_parse();
	return tap_end();
}
