// SPDX-License-Identifier: GPL-2.0-only
/* The checksum in the metadata. */

#include <devring/checksum.h>

#include "tap.h"

int main(void)
{
	struct devring_crc_table table;
	unsigned char data[300], metadata[24];
	uint64_t number = 0;
	int same = 1;

	devring_crc_init(&table);
	OK(devring_crc32(&table, "", 0) == 0, "of nothing");
	OK(devring_crc32(&table, "123456789", 9) == 0xcbf43926, "the check value of CRC-32");
	OK(devring_crc32(&table, "a", 1) == 0xe8b7be43, "of one byte");
	OK(devring_crc32(&table, "The quick brown fox jumps over the lazy dog", 43) == 0x414fa339,
	   "of a sentence");
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7);
	/* Eight bytes at a step gives what one at a time does, at every length and alignment. */
	for (size_t at = 0; at < 8; at++) {
		for (size_t size = 0; size + at <= sizeof(data); size++) {
			uint32_t c = ~0u;

			for (size_t i = 0; i < size; i++)
				c = (c >> 8) ^ table.t[0][(c ^ data[at + i]) & 0xff];
			same &= ~c == devring_crc32(&table, data + at, size);
		}
	}
	OK(same, "of all lengths and alignments");
	devring_checksum_put(&table, metadata, data, sizeof(data), 42);
	OK(devring_checksum_ok(&table, metadata, data, sizeof(data), &number) && number == 42,
	   "what was put is found");
	OK(!devring_checksum_ok(&table, metadata, data, sizeof(data) - 1, NULL),
	   "another length is noticed");
	data[100] ^= 1;
	OK(!devring_checksum_ok(&table, metadata, data, sizeof(data), NULL), "one bit is noticed");
	memset(metadata, 0, sizeof(metadata));
	OK(!devring_checksum_ok(&table, metadata, "", 0, NULL), "zeros are no checksum");
	return tap_end();
}
