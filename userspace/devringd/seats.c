// SPDX-License-Identifier: GPL-2.0-or-later
#include "seats.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

#include "log.h"

struct seats {
	sd_login_monitor *monitor;
	sd_event_source *io;
	void (*changed)(void *user);
	void *user;
};

/*
 * Up to version 257 logind sets the access control lists of the nodes, and then writes the seat's file
 * that this is woken by.  Since 258 it has udevd set them after that: then udevd's events tell.
 */
static int on_seat(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct seats *seats = user;

	(void)source;
	(void)fd;
	(void)revents;
	sd_login_monitor_flush(seats->monitor);
	seats->changed(seats->user);
	return 0;
}

struct seats *seats_open(sd_event *event, void (*changed)(void *user), void *user)
{
	struct seats *seats = calloc(1, sizeof(*seats));
	int error;

	if (!seats)
		return NULL;
	seats->changed = changed;
	seats->user = user;
	error = sd_login_monitor_new("seat", &seats->monitor);
	if (error >= 0)
		error = sd_event_add_io(event, &seats->io, sd_login_monitor_get_fd(seats->monitor),
					(uint32_t)sd_login_monitor_get_events(seats->monitor), on_seat,
					seats);
	if (error >= 0)
		return seats;
	log_device(LOG_DEBUG, NULL, NULL, "no seats are followed: %s", strerror(-error));
	seats_close(seats);
	return NULL;
}

void seats_close(struct seats *seats)
{
	if (!seats)
		return;
	sd_event_source_disable_unref(seats->io);
	sd_login_monitor_unref(seats->monitor);
	free(seats);
}
