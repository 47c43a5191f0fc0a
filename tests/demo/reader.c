// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader [--latest] [--pause MS] [--frames N] DEVICE: one of the demo's readers, on libdevring.
 *
 * Checks each frame against the checksum in its metadata and its sequence against the one before,
 * and goes on when the device is unplugged, comes back, or has another producer. At SIGTERM, after
 * N frames, or at the end of the device it prints what it counted as one line of JSON.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <devring/checksum.h>
#include <devring/client.h>

/* How long a signal may go unnoticed while no frame comes. */
#define LOOK_UP_MS	200

static volatile sig_atomic_t stop;

struct tally {
	const char *device;
	uint64_t frames_wanted;		/* 0: until told */
	long pause_ms;
	uint64_t first, next;		/* sequences: the first one, and the one that is due */
	uint64_t delivered;
	uint64_t lost;
	uint64_t wrong;			/* not what their checksum says */
	uint64_t gaps;			/* sequences that frame.lost does not explain */
	uint64_t unsteady;		/* changed while they were held */
	uint64_t offline;		/* times that the device went */
	struct devring_crc_table crc;
};

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static bool is_good(const struct tally *t, const struct devring_view *view)
{
	return view->metadata_size >= sizeof(struct devring_checksum) &&
	       devring_checksum_ok(&t->crc, view->metadata, view->data, view->bytes, NULL);
}

static void look_at(struct tally *t, const struct devring_view *view)
{
	const struct devring_frame *frame = &view->frame;

	if (!t->delivered)
		t->first = t->next = frame->sequence - frame->lost;
	t->lost += frame->lost;
	t->delivered++;
	if (frame->sequence != t->next + frame->lost)
		t->gaps++;
	t->next = frame->sequence + 1;
	if (!is_good(t, view))
		t->wrong++;
	if (!t->pause_ms)
		return;
	/* Whoever takes time over a frame still has it whole at the end. */
	pause_ms(t->pause_ms);
	if (!is_good(t, view))
		t->unsteady++;
}

/* For whoever waits until this reader knows. */
static void look_at_state(struct tally *t, const struct devring_reader_file *reader)
{
	uint32_t state = devring_reader_state(reader, NULL);
	const char *name = devring_state_name(state);

	t->offline += state == DEVRING_STATE_OFFLINE;
	fprintf(stderr, "state %s\n", name ? name : "unknown");
}

static int follow(struct tally *t, struct devring_reader_file *reader)
{
	struct devring_view view;

	while (!stop && (!t->frames_wanted || t->delivered < t->frames_wanted)) {
		int event = devring_reader_next(reader, &view, LOOK_UP_MS);

		if (event == DEVRING_EVENT_END)
			return 0;
		if (event == DEVRING_EVENT_FRAME)
			look_at(t, &view);
		else if (event == DEVRING_EVENT_STATE)
			look_at_state(t, reader);
		else if (event < 0 && event != -EAGAIN && event != -EINTR)
			return event;
	}
	return 0;
}

static void report(const struct tally *t, const struct devring_reader_file *reader)
{
	struct devring_counters c;

	devring_reader_counters(reader, &c);
	printf("{\"device\": \"%s\", \"pid\": %d, \"first\": %llu, \"next\": %llu, "
	       "\"delivered\": %llu, \"lost\": %llu, \"wrong\": %llu, \"gaps\": %llu, "
	       "\"unsteady\": %llu, \"broken\": %llu, \"generations\": %llu, "
	       "\"offline\": %llu}\n", t->device, (int)getpid(),
	       (unsigned long long)t->first, (unsigned long long)t->next,
	       (unsigned long long)t->delivered, (unsigned long long)t->lost,
	       (unsigned long long)t->wrong, (unsigned long long)t->gaps,
	       (unsigned long long)t->unsteady, (unsigned long long)c.holds_broken,
	       (unsigned long long)c.generations, (unsigned long long)t->offline);
}

static int usage(void)
{
	fputs("usage: reader [--latest] [--pause MS] [--frames N] DEVICE\n", stderr);
	return 2;
}

static int parse(int argc, char **argv, struct tally *t, struct devring_reader_options *options)
{
	static const struct option longs[] = {
		{ "latest", no_argument, NULL, 'l' },
		{ "pause", required_argument, NULL, 'p' },
		{ "frames", required_argument, NULL, 'n' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "lp:n:", longs, NULL)) != -1) {
		if (c == 'l')
			options->flags |= DEVRING_READER_LATEST;
		else if (c == 'p')
			t->pause_ms = strtol(optarg, NULL, 10);
		else if (c == 'n')
			t->frames_wanted = strtoull(optarg, NULL, 10);
		else
			return usage();
	}
	if (argc - optind != 1 || t->pause_ms < 0)
		return usage();
	t->device = argv[optind];
	return 0;
}

int main(int argc, char **argv)
{
	/* From the first frame there ever was, so that its counts end at the device's own. */
	struct devring_reader_options options = {
		.start = DEVRING_START_SEQUENCE, .events = DEVRING_EVENT_STATE,
	};
	const struct sigaction action = { .sa_handler = on_signal };
	struct devring_reader_file *reader;
	struct tally t = { 0 };
	int err = parse(argc, argv, &t, &options);

	if (err)
		return err;
	devring_crc_init(&t.crc);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	err = devring_reader_open(&reader, t.device, &options);
	if (!err) {
		err = follow(&t, reader);
		report(&t, reader);
		devring_reader_close(reader);
	}
	if (!err)
		return 0;
	fprintf(stderr, "reader: %s: %s\n", t.device, strerror(-err));
	return 1;
}
