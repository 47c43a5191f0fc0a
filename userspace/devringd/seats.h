/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seats: word when another user sits at the machine's screen. */
#ifndef DEVRINGD_SEATS_H
#define DEVRINGD_SEATS_H

#include <systemd/sd-event.h>

struct seats;

/* NULL where no logind runs. */
struct seats *seats_open(sd_event *event, void (*changed)(void *user), void *user);
void seats_close(struct seats *seats);

#endif
