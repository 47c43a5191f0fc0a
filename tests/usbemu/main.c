// SPDX-License-Identifier: GPL-2.0-only
/*
 * usbemu: USB cameras and microphones in user space, plugged into the running kernel over vhci-hcd,
 * so that the real uvcvideo and snd-usb-audio drivers can be tested without hardware. One loop
 * serves all devices of a process. See usbemu --help.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "channel.h"
#include "options.h"

#define EVENTS	32

int loop_add(struct loop *loop, struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) ? -errno : 0;
}

void loop_watch(struct loop *loop, struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_close(struct loop *loop, struct source *source)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	close(source->fd);
	source->fd = -1;
}

struct signals {
	struct source source;
	bool stop;
};

static void signal_ready(struct source *source, uint32_t events)
{
	struct signals *s = (struct signals *)((char *)source - offsetof(struct signals, source));

	(void)events;
	s->stop = true;
}

static int open_signals(struct loop *loop, struct signals *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->source.ready = signal_ready;
	s->source.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->source.fd < 0 ? -errno : loop_add(loop, &s->source, EPOLLIN);
}

static int plug_all(struct options *o)
{
	unsigned int i;
	int error;

	for (i = 0; i < o->device_count; i++) {
		struct device *d = o->devices[i];

		error = d->start_unplugged ? 0 : device_plug(d);
		if (!error)
			continue;
		fprintf(stderr, "usbemu: %s cannot be plugged in (port %d): %s; %s\n", d->name,
			d->port, strerror(-error), error == -ENOENT ? "modprobe vhci-hcd first" :
			error == -EBUSY ? "all ports of vhci-hcd are taken" :
			error == -EACCES ? "this needs root" : "is there such a port?");
		return 1;
	}
	return 0;
}

static int timeout_until(uint64_t at, uint64_t now)
{
	if (at == UINT64_MAX)
		return -1;
	if (at <= now)
		return 0;
	at = (at - now + 999999) / 1000000;
	return at > 60000 ? 60000 : (int)at;
}

/* Serve everything once; false when nothing is left to do. */
static bool turn(struct options *o)
{
	struct epoll_event events[EVENTS];
	uint64_t now = loop_now(), next = UINT64_MAX, at;
	bool alive = o->control != NULL;
	unsigned int i;
	int n;

	for (i = 0; i < o->device_count; i++) {
		at = device_run(o->devices[i], now);
		if (at < next)
			next = at;
		if (o->devices[i]->state != DEVICE_UNPLUGGED || o->devices[i]->flaps)
			alive = true;
	}
	if (!alive)
		return false;
	n = epoll_wait(o->loop->epoll, events, EVENTS, timeout_until(next, now));
	for (i = 0; n > 0 && i < (unsigned int)n; i++) {
		struct source *source = events[i].data.ptr;

		if (source->fd >= 0)
			source->ready(source, events[i].events);
	}
	return true;
}

static int run(struct options *o)
{
	static struct channel channel;
	struct signals signals = { 0 };
	unsigned int i;
	int error, status;

	o->loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	error = open_signals(o->loop, &signals);
	if (!error)
		error = channel_open(&channel, o);
	if (error) {
		fprintf(stderr, "usbemu: control channel \"%s\": %s\n",
			o->control ? o->control : "none", strerror(-error));
		return 1;
	}
	status = plug_all(o);
	while (!status && !signals.stop && !channel.quit && turn(o))
		;
	for (i = 0; i < o->device_count; i++) {
		device_unplug(o->devices[i], "end");
		status |= o->devices[i]->failed;
	}
	channel_close(&channel);
	return status;
}

int main(int argc, char **argv)
{
	static struct loop loop;
	static struct options options = { .loop = &loop };

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "send"))
		return channel_send(argv[2], argc - 3, argv + 3);
	options_parse(&options, argc, argv);
	return run(&options);
}
