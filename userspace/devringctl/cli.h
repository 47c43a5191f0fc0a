/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all verbs of devringctl share. */
#ifndef DEVRINGCTL_CLI_H
#define DEVRINGCTL_CLI_H

#include <jansson.h>
#include <stdio.h>

#include <devring/client.h>

#include "options.h"

#define SCHEMA_VERSION	1

/* How devringctl ends. */
enum status {
	STATUS_OK		= 0,
	STATUS_FAILURE		= 1,
	STATUS_USAGE		= 2,
	STATUS_NOT_FOUND	= 3,
	STATUS_PERMISSION	= 4,
	STATUS_BUSY		= 5,
	STATUS_NO_MODULE	= 6,
	STATUS_TIMEOUT		= 124,
	STATUS_CANNOT_RUN	= 126,
	STATUS_NO_PROGRAM	= 127,
};

struct cli {
	const struct verb *verb;
	struct options options;
	bool json;
	int control;		/* -1: not opened yet */
	const char *device;	/* what need_reader() opened, for sentences */
};

struct verb {
	const char *name;
	const char *arguments;		/* as in the help text */
	int min, max;			/* number of arguments */
	uint64_t options;
	bool streams;			/* standard output is data: JSON goes to standard error */
	const char *help;
	const char *details;		/* NULL: none */
	int (*run)(struct cli *cli);
};

extern const struct verb verbs[];

int cmd_register(struct cli *cli);
int cmd_unregister(struct cli *cli);
int cmd_list(struct cli *cli);
int cmd_info(struct cli *cli);
int cmd_who(struct cli *cli);
int cmd_watch(struct cli *cli);
int cmd_cat(struct cli *cli);
int cmd_write(struct cli *cli);
int cmd_snapshot(struct cli *cli);
int cmd_record(struct cli *cli);
int cmd_replay(struct cli *cli);
int cmd_grant(struct cli *cli);
int cmd_revoke(struct cli *cli);
int cmd_stats(struct cli *cli);
int cmd_doctor(struct cli *cli);
int cmd_top(struct cli *cli);
int cmd_events(struct cli *cli);
int cmd_usb(struct cli *cli);
int cmd_health(struct cli *cli);
int cmd_metrics(struct cli *cli);
int cmd_version(struct cli *cli);
int cmd_help(struct cli *cli);

/*
 * Say what went wrong, in a sentence on standard error, or as JSON.  Returns @status.
 * fail_errno() finds the status by a negative errno, and adds its text to the sentence.
 */
int fail(struct cli *cli, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int fail_errno(struct cli *cli, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* For a device that could not be found or opened. */
int fail_device(struct cli *cli, int err, const char *device);
/* A remark on standard error. */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Open the control node once: 0, or the status after fail(). */
int need_control(struct cli *cli, bool writing);
/* need_control() and find: likewise. */
int need_device(struct cli *cli, const char *spec, struct devring_device *device);
/* For each device that an argument names, or for all: likewise. The control node is open. */
int each_device(struct cli *cli, void (*fn)(void *user, const struct devring_device *device), void *user);

static inline const char *opt(const struct cli *cli, enum option option)
{
	return cli->options.value[option];
}

static inline const char *arg(const struct cli *cli, int n)
{
	return n < cli->options.nargs ? cli->options.args[n] : NULL;
}

/*
 * Open the first argument for reading, or take what --fd says: 0 and *@fd, or the status after
 * fail().
 */
int need_reader(struct cli *cli, int *fd);

/* The number that an option says, @number unchanged without it: 0, or the status after fail(). */
int opt_number(struct cli *cli, enum option option, uint64_t min, uint64_t max, uint64_t *number);
int opt_number32(struct cli *cli, enum option option, uint32_t min, uint32_t max,
		 uint32_t *number);
/* A time as milliseconds, -1 without the option */
int opt_time(struct cli *cli, enum option option, int *ms);
int opt_timeout(struct cli *cli, int *timeout_ms);
/* The type that --type names */
int opt_type(struct cli *cli, uint32_t *type);

/* ---- json.c ---- */

/* A text of others: if it is no UTF-8 its bytes are escaped, since JSON cannot have them. */
json_t *json_text(const char *text);
json_t *json_u64(uint64_t number);
json_t *json_flags(const char *comma_separated);
json_t *json_format(const struct devring_format *format);
json_t *json_device(const struct devring_device *device);
/* { "schema_version": 1 } */
json_t *json_begin(void);
/* Print one line and free it. */
void json_print(json_t *json, FILE *file);

/* ---- signals.c ---- */

/* From now on SIGINT, SIGTERM and SIGHUP end a loop, once. */
void catch_signals(void);
bool was_signalled(void);
/* End as if the signal that came had not been caught, if one came. */
void die_of_signal(void);

/* ---- output.c ---- */

/* Write all of it: 0 or a negative errno. */
int write_all(int fd, const void *data, size_t size);
/* How long it was since a CLOCK_BOOTTIME, in nanoseconds. */
uint64_t since_ns(uint64_t boottime_ns);
/* How long it is until one. */
uint64_t until_ns(uint64_t boottime_ns);
/* Write out what stdout has buffered: 0, or the status after fail(). */
int flush_stdout(struct cli *cli);

#endif /* DEVRINGCTL_CLI_H */
