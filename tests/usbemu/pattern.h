/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The content of emulated frames and samples, so that any frame can be judged alone.
 *
 * Every frame carries a stamp of 32 bytes, all numbers little endian:
 *
 *	at 0	u32	magic		PATTERN_MAGIC ("DVRP")
 *	at 4	u32	sequence	counts frames made or missed, also over a replug
 *	at 8	u32	device		FNV-1a of the device's serial number
 *	at 12	u32	size		bytes in the whole frame
 *	at 16	u64	time		CLOCK_MONOTONIC when the frame was made, in ns
 *	at 24	u64	checksum	of all other bytes of the frame, stamp included
 *
 * A YUYV frame begins with its stamp (the first 16 pixels); the rest are diagonal colour bars that
 * move with the sequence, so that no two lines and no two neighbouring frames are alike: a torn or
 * shifted frame fails its checksum. A JPEG frame has the stamp in a comment segment (FF FE) before
 * the first quantisation table; it is a valid picture with or without it.
 *
 * Samples are S16_LE; channel c of sample n has the value n + 0x4000 * c modulo 65536.
 */
#ifndef USBEMU_PATTERN_H
#define USBEMU_PATTERN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PATTERN_MAGIC		0x50525644u
#define PATTERN_STAMP_SIZE	32
#define PATTERN_CHECKSUM_AT	24
#define PATTERN_MAX_WIDTH	4096

struct pattern_stamp {
	uint32_t sequence;
	uint32_t device;
	uint32_t size;
	uint64_t time_ns;
	uint64_t checksum;
};

enum pattern_verdict {
	PATTERN_GOOD,
	PATTERN_NO_STAMP,
	PATTERN_WRONG_SIZE,
	PATTERN_WRONG_CHECKSUM,
};

static inline const char *pattern_verdict_name(enum pattern_verdict verdict)
{
	static const char *const names[] = { "good", "no stamp", "wrong size", "wrong checksum" };

	return names[verdict];
}

static inline uint32_t pattern_device(const char *serial)
{
	uint32_t hash = 2166136261u;

	for (; *serial; serial++)
		hash = (hash ^ (uint8_t)*serial) * 16777619u;
	return hash;
}

/* FNV-1a over 64-bit words with a final fold: a byte at a time is too slow under emulation. */
static inline uint64_t pattern_mix(uint64_t hash, const uint8_t *data, size_t size)
{
	uint64_t word;

	for (; size >= 8; data += 8, size -= 8) {
		memcpy(&word, data, 8);
		hash = (hash ^ le64toh(word)) * 0x100000001b3ull;
		hash ^= hash >> 29;
	}
	for (; size; data++, size--)
		hash = (hash ^ *data) * 0x100000001b3ull;
	return hash ^ hash >> 32;
}

static inline uint64_t pattern_checksum(const uint8_t *frame, size_t size, size_t stamp_at)
{
	size_t at = stamp_at + PATTERN_CHECKSUM_AT, after = at + 8;
	uint64_t hash = pattern_mix(0xcbf29ce484222325ull, frame, at);

	return pattern_mix(hash, frame + after, size - after);
}

/* Where the stamp of a frame is, or -1. A JPEG frame is walked segment by segment. */
static inline long pattern_find(const uint8_t *frame, size_t size)
{
	size_t at = 0;
	uint32_t magic;

	if (size >= 4 && frame[0] == 0xff && frame[1] == 0xd8) {
		for (at = 2; at + 4 <= size && frame[at] == 0xff && frame[at + 1] != 0xfe;)
			at += 2 + (frame[at + 2] << 8 | frame[at + 3]);
		at += 4;
	}
	if (at > size || size - at < PATTERN_STAMP_SIZE)
		return -1;
	memcpy(&magic, frame + at, 4);
	return le32toh(magic) == PATTERN_MAGIC ? (long)at : -1;
}

/* Write the stamp at `at`; everything else in the frame must be final. */
static inline void pattern_stamp(uint8_t *frame, size_t size, size_t at, uint32_t sequence,
				 uint32_t device, uint64_t time_ns)
{
	uint32_t head[4] = { htole32(PATTERN_MAGIC), htole32(sequence), htole32(device),
			     htole32((uint32_t)size) };
	uint64_t tail = htole64(time_ns);

	memcpy(frame + at, head, sizeof(head));
	memcpy(frame + at + sizeof(head), &tail, 8);
	tail = htole64(pattern_checksum(frame, size, at));
	memcpy(frame + at + PATTERN_CHECKSUM_AT, &tail, 8);
}

/* Draw diagonal colour bars; width is even and at most PATTERN_MAX_WIDTH. */
static inline void pattern_draw_yuyv(uint8_t *frame, unsigned int width, unsigned int height,
				     uint32_t sequence)
{
	static const uint8_t bars[8][3] = {	/* Y, Cb, Cr */
		{ 235, 128, 128 }, { 210, 16, 146 }, { 170, 166, 16 }, { 145, 54, 34 },
		{ 106, 202, 222 }, { 81, 90, 240 }, { 41, 240, 110 }, { 16, 128, 128 },
	};
	uint8_t row[PATTERN_MAX_WIDTH * 4];
	unsigned int pairs = width / 2, i, y;

	for (i = 0; i < pairs; i++) {
		const uint8_t *bar = bars[i * 8 / pairs];

		row[i * 4] = bar[0];
		row[i * 4 + 1] = bar[1];
		row[i * 4 + 2] = bar[0];
		row[i * 4 + 3] = bar[2];
	}
	memcpy(row + pairs * 4, row, pairs * 4);
	for (y = 0; y < height; y++)
		memcpy(frame + y * pairs * 4, row + (sequence * 2 + y) % pairs * 4, pairs * 4);
}

/* A whole YUYV frame: bars and stamp. */
static inline void pattern_fill(uint8_t *frame, unsigned int width, unsigned int height,
				uint32_t sequence, uint32_t device, uint64_t time_ns)
{
	pattern_draw_yuyv(frame, width, height, sequence);
	pattern_stamp(frame, (size_t)width * height * 2, 0, sequence, device, time_ns);
}

/* Read the stamp without judging the content. */
static inline enum pattern_verdict pattern_read(const uint8_t *frame, size_t size,
						struct pattern_stamp *stamp)
{
	long at = pattern_find(frame, size);
	uint32_t head[4];

	if (at < 0)
		return PATTERN_NO_STAMP;
	memcpy(head, frame + at, sizeof(head));
	memcpy(&stamp->time_ns, frame + at + 16, 8);
	memcpy(&stamp->checksum, frame + at + PATTERN_CHECKSUM_AT, 8);
	stamp->sequence = le32toh(head[1]);
	stamp->device = le32toh(head[2]);
	stamp->size = le32toh(head[3]);
	stamp->time_ns = le64toh(stamp->time_ns);
	stamp->checksum = le64toh(stamp->checksum);
	return PATTERN_GOOD;
}

/* Judge one frame of exactly `size` bytes, YUYV or JPEG. */
static inline enum pattern_verdict pattern_check(const uint8_t *frame, size_t size,
						 struct pattern_stamp *stamp)
{
	if (pattern_read(frame, size, stamp) != PATTERN_GOOD)
		return PATTERN_NO_STAMP;
	if (stamp->size != size)
		return PATTERN_WRONG_SIZE;
	if (stamp->checksum != pattern_checksum(frame, size, (size_t)pattern_find(frame, size)))
		return PATTERN_WRONG_CHECKSUM;
	return PATTERN_GOOD;
}

static inline int16_t pattern_sample(uint32_t counter, unsigned int channel)
{
	return (int16_t)(uint16_t)(counter + 0x4000u * channel);
}

#endif
