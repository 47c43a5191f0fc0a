// SPDX-License-Identifier: GPL-2.0-only
/*
 * JPEG frames with room for a stamp (pattern.h).
 *
 * A handful of pictures a size is made when the size is first streamed, and shared by all cameras:
 * to compress each frame would be too slow under emulation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "jpeg.h"
#include "pattern.h"

#define PICTURES	4
#define STEP		16	/* sequence numbers between two pictures, so that the bars move */

struct picture_set {
	struct picture_set *next;
	unsigned int width;
	unsigned int height;
	struct {
		unsigned char *data;
		unsigned long size;
	} picture[PICTURES];
};

static void write_lines(struct jpeg_compress_struct *jpeg, const uint8_t *yuyv)
{
	unsigned int width = jpeg->image_width, x;
	uint8_t line[PATTERN_MAX_WIDTH * 3];
	JSAMPROW row = line;

	while (jpeg->next_scanline < jpeg->image_height) {
		const uint8_t *in = yuyv + (size_t)jpeg->next_scanline * width * 2;

		for (x = 0; x < width; x++) {
			line[x * 3] = in[x * 2];
			line[x * 3 + 1] = in[(x & ~1u) * 2 + 1];
			line[x * 3 + 2] = in[(x & ~1u) * 2 + 3];
		}
		jpeg_write_scanlines(jpeg, &row, 1);
	}
}

static void compress(const struct picture_set *set, const uint8_t *yuyv, unsigned char **data,
		     unsigned long *size)
{
	struct pattern_room {
		uint32_t magic;
		uint8_t rest[PATTERN_STAMP_SIZE - 4];
	} room = { .magic = htole32(PATTERN_MAGIC) };
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr error;

	jpeg.err = jpeg_std_error(&error);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, data, size);
	jpeg.image_width = set->width;
	jpeg.image_height = set->height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_YCbCr;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 75, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	jpeg_write_marker(&jpeg, JPEG_COM, (const JOCTET *)&room, sizeof(room));
	write_lines(&jpeg, yuyv);
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
}

static struct picture_set *picture_set(unsigned int width, unsigned int height)
{
	static struct picture_set *sets;
	struct picture_set *set;
	uint8_t *yuyv;
	unsigned int i;

	for (set = sets; set; set = set->next)
		if (set->width == width && set->height == height)
			return set;
	set = calloc(1, sizeof(*set));
	yuyv = malloc((size_t)width * height * 2);
	if (!set || !yuyv) {
		fprintf(stderr, "usbemu: no memory for pictures of %ux%u\n", width, height);
		exit(1);
	}
	set->width = width;
	set->height = height;
	for (i = 0; i < PICTURES; i++) {
		pattern_draw_yuyv(yuyv, width, height, i * STEP);
		compress(set, yuyv, &set->picture[i].data, &set->picture[i].size);
	}
	free(yuyv);
	set->next = sets;
	sets = set;
	return set;
}

size_t jpeg_frame(unsigned int width, unsigned int height, uint32_t sequence, uint8_t *frame,
		  size_t room)
{
	struct picture_set *set = picture_set(width, height);
	size_t size = set->picture[sequence % PICTURES].size;

	if (size > room) {
		fprintf(stderr, "usbemu: a JPEG picture of %ux%u takes %zu bytes, more than the "
			"%zu that the camera announces\n", width, height, size, room);
		exit(1);
	}
	memcpy(frame, set->picture[sequence % PICTURES].data, size);
	return size;
}
