/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways in which an emulated device misbehaves on request. */
#ifndef USBEMU_FAULT_H
#define USBEMU_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "descriptor.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_STALL,
	FAULT_SHORT,
	FAULT_SILENCE,
	FAULT_CORRUPT,
	FAULT_DROP,
	FAULT_REFUSE,
	FAULT_NO_FORMAT,
	FAULT_MALFORMED,
	FAULT_VANISH,
	FAULT_KINDS,
};

enum fault_stage {
	STAGE_DESCRIPTOR,
	STAGE_CONFIGURATION,
	STAGE_PROBE,
	STAGE_COMMIT,
	STAGE_START,
	STAGE_FRAME,
	STAGES,
};

struct fault {
	enum fault_kind kind;
	enum fault_stage stage;		/* of FAULT_VANISH */
	uint64_t number;		/* first frame, seed or period, see fault_help() */
};

/* KIND or KIND:PARAMETER; false if there is no such fault. */
bool fault_parse(const char *text, struct fault *fault);
const char *fault_name(const struct fault *fault);
/* One line for each kind, for --help and error messages. */
void fault_help(char *buffer, size_t size);
/* Is this fault in force at the given frame of the stream? */
bool fault_at(const struct fault *fault, enum fault_kind kind, uint64_t frame);
bool fault_vanish(const struct fault *fault, enum fault_stage stage);
/* Damage a configuration descriptor: number 0 a known way, else random bytes of that seed. */
void fault_malform(const struct fault *fault, struct descriptors *d);

#endif
