/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own uevents, for machines without udevd. */
#ifndef DEVRINGD_NETLINK_H
#define DEVRINGD_NETLINK_H

#include <systemd/sd-event.h>

struct netlink;
struct discovery_calls;

struct netlink *netlink_open(sd_event *event, const struct discovery_calls *calls);
void netlink_close(struct netlink *netlink);

#endif
