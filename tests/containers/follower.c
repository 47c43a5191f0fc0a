// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process learns of devices, a line each: from /dev/devring, the only node it opens; from the PUBLIC device
 * "hotplug", by OPEN; and from the kernel's and udev's uevents.  Ends when the device "end" is removed.
 */
#include "contained.h"

#include <linux/netlink.h>

struct follower {
	struct stream control;
	struct stream hotplug;
	unsigned char *ring;
	struct devring_geometry g;
	int uevents[2];		/* the kernel's, udev's */
	int ended;
};

static void die(const char *what, long error)
{
	printf("cannot %s: %s\n", what, strerror(-error));
	exit(1);
}

static void print_change(struct follower *f, const struct devring_change *c)
{
	static const char *const kinds[] = { "changed", "removed", "resync" };
	const struct devring_device *d = &c->device;

	if (c->rec.kind < DEVRING_RECORD_CHANGE || c->rec.kind > DEVRING_RECORD_RESYNC)
		die("know this kind of record", -EBADMSG);
	printf("change %llu %s %u %llu %s state %u error %d format %u generation %u in_use %d\n",
	       (unsigned long long)c->change, kinds[c->rec.kind - DEVRING_RECORD_CHANGE], c->changed,
	       (unsigned long long)d->id, d->link, d->state, d->error, d->format.generation,
	       d->geometry.generation, d->readers > 0);
	f->ended |= c->rec.kind == DEVRING_RECORD_REMOVED && !strcmp(d->name, "end");
}

static void read_changes(struct follower *f)
{
	union record r;
	int kind;

	do {
		kind = next(&f->control, &r);
		if (kind > 0)
			print_change(f, &r.change);
	} while (kind > 0);
	if (kind != -EAGAIN)
		die("read " CONTROL_NODE, kind);
}

static void map_ring(struct follower *f, const struct devring_geometry *g)
{
	if (f->ring)
		munmap(f->ring, f->g.ring_bytes);
	f->g = *g;
	f->ring = map_of(f->hotplug.fd, g->ring_offset, g->ring_bytes, PROT_READ);
	if (f->ring == MAP_FAILED)
		die("map hotplug", -errno);
}

static void read_hotplug(struct follower *f)
{
	union record r;
	int kind;

	for (;;) {
		kind = next(&f->hotplug, &r);
		if (kind == DEVRING_RECORD_GENERATION)
			map_ring(f, &r.generation.geometry);
		else if (kind == DEVRING_RECORD_FRAME)
			printf("hotplug %.*s lost %llu\n", r.frame.bytes, f->ring + (r.frame.offset - f->g.ring_offset),
			       (unsigned long long)r.frame.lost);
		else if (kind != DEVRING_RECORD_STATE)
			break;
	}
	if (kind != -EAGAIN)
		die("read hotplug", kind);
}

static int uevents_open(uint32_t group)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = group };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int room = 8 << 20;

	if (fd < 0 || bind(fd, (void *)&address, sizeof(address)))
		die("bind to uevents", -errno);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return fd;
}

static void read_uevents(int fd, const char *whose)
{
	char text[8192];
	ssize_t n;

	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = 0;
		printf("uevent %s %s\n", whose, text);
	}
}

static void follower_open(struct follower *f)
{
	f->control = stream_of(control_open(O_RDONLY | O_NONBLOCK), DEVRING_CHANGE_MAX);
	if (f->control.fd < 0)
		die("open " CONTROL_NODE, f->control.fd);
	f->hotplug = stream_of(open_public(f->control.fd, "hotplug"), DEVRING_RECORD_MAX);
	if (f->hotplug.fd < 0)
		die("open hotplug", f->hotplug.fd);
	fcntl(f->hotplug.fd, F_SETFL, O_NONBLOCK);
	if (set_reader(f->hotplug.fd, 0, DEVRING_START_OLDEST, 1))
		die("read hotplug from its beginning", -EINVAL);
	f->uevents[0] = uevents_open(1);
	f->uevents[1] = uevents_open(2);
}

int main(void)
{
	struct follower f = { 0 };
	struct pollfd wait[4];

	setlinebuf(stdout);
	follower_open(&f);
	for (int i = 0; i < 4; i++)
		wait[i].events = POLLIN;
	wait[0].fd = f.control.fd;
	wait[1].fd = f.hotplug.fd;
	wait[2].fd = f.uevents[0];
	wait[3].fd = f.uevents[1];
	while (!f.ended && poll(wait, 4, -1) >= 0) {
		/* What is known of uevents must not depend on who comes first. */
		read_uevents(f.uevents[0], "kernel");
		read_uevents(f.uevents[1], "udev");
		if (wait[1].revents)
			read_hotplug(&f);
		if (wait[0].revents)
			read_changes(&f);
	}
	read_uevents(f.uevents[0], "kernel");
	read_uevents(f.uevents[1], "udev");
	printf("ended\n");
	return !f.ended;
}
