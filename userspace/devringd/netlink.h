/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source kernel: its own uevents, first and everywhere, but without names and permissions. */
#ifndef DEVRINGD_NETLINK_H
#define DEVRINGD_NETLINK_H

#include <systemd/sd-event.h>

struct netlink;
struct source_calls;

/* NULL with errno set. */
struct netlink *netlink_open(sd_event *event, unsigned int buffer, const struct source_calls *calls);
void netlink_close(struct netlink *netlink);

#endif
