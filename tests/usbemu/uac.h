/* SPDX-License-Identifier: GPL-2.0-only */
/* A USB Audio Class 1 microphone. */
#ifndef USBEMU_UAC_H
#define USBEMU_UAC_H

#include <stdint.h>

#define MICROPHONE_RATES	4

struct microphone {
	unsigned int rates[MICROPHONE_RATES];	/* in Hz, the default first */
	unsigned int rate_count;
	unsigned int channels;
	unsigned int rate;
	unsigned int remainder;		/* parts of a sample left over by the last packet */
	uint32_t counter;		/* samples made; the value of the next (pattern.h) */
};

#endif
