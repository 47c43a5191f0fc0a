/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The checksum that producers may put into the metadata of each frame, before they commit it.
 *
 * A convention of programs, not of the kernel: devringd does it with "checksum = yes", and tests
 * and demonstrations check it.  It shows whether a frame changed while somebody looked at it.
 */
#ifndef DEVRING_CHECKSUM_H
#define DEVRING_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DEVRING_CHECKSUM_MAGIC	0x63637264	/* "drcc" */

/**
 * struct devring_checksum - the first 16 bytes of a slot's metadata
 * @magic: %DEVRING_CHECKSUM_MAGIC
 * @crc: CRC-32 (IEEE 802.3, as zlib's crc32()) of the payload
 * @number: the producer's own count of the frames that it committed, from 0
 */
struct devring_checksum {
	uint32_t magic;
	uint32_t crc;
	uint64_t number;
};

#ifdef __cplusplus
static_assert(sizeof(struct devring_checksum) == 16, "layout");
#else
_Static_assert(sizeof(struct devring_checksum) == 16, "layout");
#endif

/**
 * struct devring_crc_table - working tables of devring_crc32(): fill once with devring_crc_init()
 */
struct devring_crc_table {
	uint32_t t[8][256];
};

/** devring_crc_init() - fill the tables */
static inline void devring_crc_init(struct devring_crc_table *table)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = (c >> 1) ^ (c & 1 ? 0xedb88320u : 0);
		table->t[0][i] = c;
	}
	/* Table k carries a byte over k more bytes of zeros, so that eight go at a step. */
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			table->t[k][i] = (table->t[k - 1][i] >> 8) ^
					 table->t[0][table->t[k - 1][i] & 0xff];
}

/** devring_crc32() - the CRC-32 of @size bytes at @data, as zlib's crc32() has it */
static inline uint32_t devring_crc32(const struct devring_crc_table *table, const void *data,
				     size_t size)
{
	const unsigned char *p = (const unsigned char *)data;
	uint32_t c = 0xffffffffu;

	for (; size >= 8; size -= 8, p += 8) {
		uint32_t low = c ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
				    (uint32_t)p[3] << 24);

		c = table->t[7][low & 0xff] ^ table->t[6][low >> 8 & 0xff] ^
		    table->t[5][low >> 16 & 0xff] ^ table->t[4][low >> 24] ^
		    table->t[3][p[4]] ^ table->t[2][p[5]] ^ table->t[1][p[6]] ^ table->t[0][p[7]];
	}
	while (size--)
		c = (c >> 8) ^ table->t[0][(c ^ *p++) & 0xff];
	return ~c;
}

/** devring_checksum_put() - write the checksum of a payload into its metadata */
static inline void devring_checksum_put(const struct devring_crc_table *table, void *metadata,
					const void *data, size_t size, uint64_t number)
{
	struct devring_checksum sum = {
		DEVRING_CHECKSUM_MAGIC, devring_crc32(table, data, size), number
	};

	memcpy(metadata, &sum, sizeof(sum));
}

/**
 * devring_checksum_ok() - does the payload match its metadata?  *@number, unless NULL, gets the
 *			   producer's count
 */
static inline bool devring_checksum_ok(const struct devring_crc_table *table, const void *metadata,
				       const void *data, size_t size, uint64_t *number)
{
	struct devring_checksum sum;

	memcpy(&sum, metadata, sizeof(sum));
	if (number)
		*number = sum.number;
	return sum.magic == DEVRING_CHECKSUM_MAGIC && sum.crc == devring_crc32(table, data, size);
}

#endif /* DEVRING_CHECKSUM_H */
