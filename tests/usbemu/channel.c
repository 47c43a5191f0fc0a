// SPDX-License-Identifier: GPL-2.0-only
/* The control channel: commands from standard input or a UNIX socket. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"

#define ARGS_MAX	4

struct command {
	FILE *answer;
	struct channel *channel;
	char *argv[ARGS_MAX];
	int argc;
};

static bool parse_number(const char *text, uint64_t most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && *text && !*end && *text != '-' && *value <= most;
}

static const char *do_plug(struct command *c, struct device *d)
{
	uint64_t port;
	int error;

	if (c->argc == 3) {
		if (d->state != DEVICE_UNPLUGGED)
			return "it is plugged in; unplug it to change the port";
		if (!parse_number(c->argv[2], 1023, &port))
			return "the port is not a number from 0 to 1023";
		d->port = (int)port;
	}
	error = device_plug(d);
	return error ? strerror(-error) : NULL;
}

static const char *do_unplug(struct command *c, struct device *d)
{
	(void)c;
	d->flaps = 0;
	device_unplug(d, "command");
	return NULL;
}

static const char *do_fault(struct command *c, struct device *d)
{
	return fault_parse(c->argv[2], &d->fault) ? NULL : "there is no such fault";
}

static const char *do_flap(struct command *c, struct device *d)
{
	uint64_t count, milliseconds;

	if (!parse_number(c->argv[2], 1000000, &count) ||
	    !parse_number(c->argv[3], 1000000, &milliseconds))
		return "flap takes a count and milliseconds, both up to 1000000";
	device_flap(d, (unsigned int)count, milliseconds * 1000000);
	return NULL;
}

static const char *do_frames(struct command *c, struct device *d)
{
	uint64_t frames;

	if (!parse_number(c->argv[2], UINT32_MAX, &frames))
		return "frames takes a number, 0 for no end";
	d->frames_to_live = frames;
	return NULL;
}

static const char *do_stats(struct command *c, struct device *d)
{
	const struct device_stats *s = &d->stats;
	uint32_t sequence = d->function == &microphone_function ? d->microphone.counter :
								  d->camera.sequence;

	fprintf(c->answer, "stats %s state=%s kind=%s serial=\"%s\" port=%d sequence=%" PRIu32
		" frames=%" PRIu64 " dropped=%" PRIu64 " bytes=%" PRIu64 " urbs=%" PRIu64
		" streams=%" PRIu64 " plugs=%" PRIu64 " flaps=%u fault=%s\n", d->name,
		device_state_name(d), d->function->kind, d->serial, d->port, sequence, s->frames,
		s->dropped, s->bytes, s->urbs, s->streams, s->plugs, d->flaps,
		fault_name(&d->fault));
	return NULL;
}

static const struct {
	const char *name;
	int least;
	int most;
	const char *(*run)(struct command *c, struct device *d);
} commands[] = {
	{ "plug", 2, 3, do_plug },
	{ "unplug", 2, 2, do_unplug },
	{ "fault", 3, 3, do_fault },
	{ "flap", 4, 4, do_flap },
	{ "frames", 3, 3, do_frames },
	{ "stats", 1, 2, do_stats },
};

/* Run it on every device that the pattern names: NULL or what is wrong. */
static const char *for_each(struct command *c, const char *(*run)(struct command *c,
								  struct device *d))
{
	struct options *o = c->channel->options;
	const char *pattern = c->argc > 1 ? c->argv[1] : "*", *error;
	unsigned int i, matched = 0;

	for (i = 0; i < o->device_count; i++) {
		if (fnmatch(pattern, o->devices[i]->name, 0))
			continue;
		matched++;
		error = run(c, o->devices[i]);
		if (error)
			return error;
	}
	return matched ? NULL : "no device has this name; stats lists them";
}

static void execute(struct channel *channel, char *line, FILE *answer)
{
	struct command c = { .answer = answer, .channel = channel };
	const char *error = "no such command: plug, unplug, fault, flap, frames, stats, quit";
	char *word, *rest;
	unsigned int i;

	for (word = strtok_r(line, " \t\r", &rest); word && c.argc < ARGS_MAX;
	     word = strtok_r(NULL, " \t\r", &rest))
		c.argv[c.argc++] = word;
	if (!c.argc)
		return;
	if (!strcmp(c.argv[0], "quit")) {
		channel->quit = true;
		error = NULL;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(c.argv[0], commands[i].name))
			continue;
		if (word || c.argc < commands[i].least || c.argc > commands[i].most)
			error = "wrong number of words";
		else
			error = for_each(&c, commands[i].run);
	}
	if (error)
		fprintf(answer, "error: %s: %s\n", c.argv[0], error);
	else
		fputs("ok\n", answer);
}

static void answer_line(struct channel_client *client, char *line)
{
	char *text = NULL;
	size_t size = 0;
	FILE *answer = open_memstream(&text, &size);

	if (!answer)
		return;
	execute(client->channel, line, answer);
	fclose(answer);
	/* a client that does not read its answers loses them: the devices go on */
	if (client->source.fd == STDIN_FILENO)
		fwrite(text, 1, size, stdout);
	else if (send(client->source.fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		fprintf(stderr, "usbemu: an answer was lost: %s\n", strerror(errno));
	free(text);
}

static void client_ready(struct source *source, uint32_t events)
{
	struct channel_client *c =
		(struct channel_client *)((char *)source - offsetof(struct channel_client, source));
	ssize_t n = read(source->fd, c->line + c->used, sizeof(c->line) - 1 - c->used);
	char *end;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (source->fd == STDIN_FILENO)
			c->channel->quit = true;
		loop_close(c->channel->loop, source);
		return;
	}
	c->used += (size_t)n;
	c->line[c->used] = 0;
	while ((end = memchr(c->line, '\n', c->used))) {
		size_t size = (size_t)(end - c->line) + 1;

		*end = 0;
		answer_line(c, c->line);
		memmove(c->line, c->line + size, c->used - size);
		c->used -= size;
	}
	if (c->used == sizeof(c->line) - 1) {
		fprintf(stderr, "usbemu: a command is longer than %zu bytes\n", c->used);
		loop_close(c->channel->loop, source);
	}
}

static void add_client(struct channel *c, int fd)
{
	unsigned int i;

	for (i = 0; i < CHANNEL_CLIENTS; i++) {
		struct channel_client *client = &c->client[i];

		if (client->source.fd >= 0)
			continue;
		client->used = 0;
		client->source.fd = fd;
		if (!loop_add(c->loop, &client->source, EPOLLIN))
			return;
		break;
	}
	if (i < CHANNEL_CLIENTS)
		c->client[i].source.fd = -1;
	close(fd);
}

static void listen_ready(struct source *source, uint32_t events)
{
	struct channel *c = (struct channel *)((char *)source - offsetof(struct channel, source));
	int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0)
		add_client(c, fd);
}

static int address(const char *path, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memcpy(a->sun_path, path, strlen(path) + 1);
	return 0;
}

int channel_open(struct channel *c, struct options *o)
{
	struct sockaddr_un a;
	unsigned int i;
	int fd, error;

	c->loop = o->loop;
	c->options = o;
	c->source = (struct source){ .fd = -1, .ready = listen_ready };
	for (i = 0; i < CHANNEL_CLIENTS; i++) {
		c->client[i].channel = c;
		c->client[i].source = (struct source){ .fd = -1, .ready = client_ready };
	}
	if (!o->control)
		return 0;
	if (!strcmp(o->control, "-")) {
		add_client(c, STDIN_FILENO);
		return 0;
	}
	error = address(o->control, &a);
	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(o->control);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, CHANNEL_CLIENTS)) {
		error = -errno;
		close(fd);
		return error;
	}
	c->source.fd = fd;
	return loop_add(c->loop, &c->source, EPOLLIN);
}

void channel_close(struct channel *c)
{
	if (c->source.fd < 0)
		return;
	loop_close(c->loop, &c->source);
	unlink(c->options->control);
}

/* Show the answer's lines; the exit status that its last one tells. */
static int show_answer(int fd)
{
	FILE *in = fdopen(fd, "r");
	char line[CHANNEL_LINE];
	int status = 1;

	if (!in)
		return 1;
	while (fgets(line, sizeof(line), in)) {
		if (!strcmp(line, "ok\n")) {
			status = 0;
			break;
		}
		if (!strncmp(line, "error: ", 7)) {
			fprintf(stderr, "usbemu: %s", line + 7);
			break;
		}
		fputs(line, stdout);
	}
	fclose(in);
	return status;
}

int channel_send(const char *path, int argc, char **argv)
{
	char line[CHANNEL_LINE];
	struct sockaddr_un a;
	size_t used = 0;
	int fd, i;

	for (i = 0; i < argc; i++)
		used += (size_t)snprintf(line + used, used < sizeof(line) ? sizeof(line) - used : 0,
					 "%s%c", argv[i], i + 1 < argc ? ' ' : '\n');
	if (!argc || used >= sizeof(line)) {
		fprintf(stderr, "usbemu: send: no command, or one longer than %zu bytes\n",
			sizeof(line));
		return EXIT_USAGE;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (address(path, &a) || fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    write(fd, line, used) != (ssize_t)used) {
		fprintf(stderr, "usbemu: %s: %s; is an usbemu running with --control %s?\n", path,
			strerror(errno), path);
		return 1;
	}
	return show_answer(fd);
}
