/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy: which devices are provided and told of; see devringd.conf(5). */
#ifndef DEVRINGD_RULES_H
#define DEVRINGD_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum verdict {
	VERDICT_ALLOW,		/* provided */
	VERDICT_DENY,		/* told of, but not provided */
	VERDICT_IGNORE,		/* as if it was not there */
};

struct rules;
struct usbdev;
struct hardware;

struct rules *rules_new(void);
void rules_free(struct rules *rules);
/* Adds a rule at the end; false: what is wrong with it is in error. */
bool rules_add(struct rules *rules, const char *text, char *error, unsigned int error_size);
/* Of the first rule that fits, else what is set for the rest. */
void rules_set_default(struct rules *rules, enum verdict verdict);
/* usb: NULL for what is not on that bus; hw: NULL for the USB device itself. */
enum verdict rules_judge(const struct rules *rules, const struct usbdev *usb, const struct hardware *hw);

const char *verdict_name(enum verdict verdict);
bool verdict_from_name(const char *name, enum verdict *verdict);

#endif
