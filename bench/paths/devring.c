// SPDX-License-Identifier: GPL-2.0-only
/* devring itself: one device of 8 slots of a page. */
#include "device.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS		201
#define DEVICES		4
#define BATCH		4

static struct source main_source;
static int reader = -1, epoll = -1;

static void set_blocking(int fd)
{
	must(fcntl(fd, F_SETFL, O_RDONLY), "F_SETFL");
}

/* ---- channels ---- */

static int set_up(unsigned int readers)
{
	(void)readers;
	register_one(&main_source, "bench");
	set_ring(&main_source);
	return 1;
}

static void tear_down(void)
{
	close(main_source.fd);
}

static void join_blocking(unsigned int i)
{
	(void)i;
	reader = open_reader(&main_source);
	set_blocking(reader);
}

static void join_nonblocking(unsigned int i)
{
	(void)i;
	reader = open_reader(&main_source);
}

static void join_epoll(unsigned int i)
{
	struct epoll_event event = { .events = EPOLLIN };

	join_nonblocking(i);
	epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, reader, &event), "epoll_ctl");
}

static void prepare(void)
{
	take(&main_source);
}

static void send_frame(unsigned int readers)
{
	(void)readers;
	commit(&main_source);
}

static void receive_read(unsigned int i)
{
	(void)i;
	get_frame(reader);
}

static void receive_poll(unsigned int i)
{
	struct pollfd p = { .fd = reader, .events = POLLIN };

	(void)i;
	must(poll(&p, 1, -1), "poll");
	get_frame(reader);
}

static void receive_epoll(unsigned int i)
{
	struct epoll_event event;

	(void)i;
	must(epoll_wait(epoll, &event, 1, -1), "epoll_wait");
	get_frame(reader);
}

const struct channel devring_channels[] = {
	{ "devring", set_up, join_blocking, prepare, send_frame, receive_read, NULL, tear_down },
	{ "devring, poll", set_up, join_nonblocking, prepare, send_frame, receive_poll, NULL, tear_down },
	{ "devring, epoll", set_up, join_epoll, prepare, send_frame, receive_epoll, NULL, tear_down },
	{ }
};

/* ---- readers whose filters say: not this frame ---- */

static const struct filter {
	const char *name;
	struct devring_set_reader set;
} filters[] = {
	{ "every millionth frame", { .wake_frames = 1000000 } },
	{ "key frames", { .flags = DEVRING_READER_KEY_ONLY } },
	{ "once a second", { .wake_rate = 1 } },
};

static pid_t start_filtered(const struct filter *filter)
{
	struct devring_set_reader set = filter->set;
	pid_t pid;

	set.size = sizeof(set);
	set.holds = 1;
	pid = must(fork(), "fork");
	if (pid)
		return pid;
	reader = must(open(main_source.node, O_RDONLY | O_CLOEXEC | O_NONBLOCK), "open of a reader");
	must(ioctl(reader, DEVRING_IOC_SET_READER, &set), "SET_READER");
	read_all(reader);
	for (;;)
		receive_poll(0);
}

/* @readers sleep through all that is committed. */
static void measure_filtered(const struct filter *filter, unsigned int readers)
{
	static struct samples s;
	pid_t pids[READERS_MAX];
	char subject[64];

	set_up(readers);
	for (unsigned int i = 0; i < readers; i++)
		pids[i] = start_filtered(filter);
	usleep(20000);
	/* Who wants one a second gets the first. */
	for (int i = 0; i < ROUNDS + 5; i++) {
		take(&main_source);
		if (i < 5) {
			commit(&main_source);
			usleep(5000);
			continue;
		}
		COUNT(&s, commit(&main_source));
	}
	for (unsigned int i = 0; i < readers; i++)
		kill(pids[i], SIGKILL);
	for (unsigned int i = 0; i < readers; i++)
		waitpid(pids[i], NULL, 0);
	tear_down();
	snprintf(subject, sizeof(subject), "devring, %s", filter->name);
	row("commit, filtered readers that are not due", subject, readers, &s);
}

/* @readers are there and do not wait, up to 64 of them on each of several devices. */
static void measure_idle(unsigned int readers)
{
	static struct samples s;
	struct source sources[DEVICES];
	int fds[DEVICES * READERS_MAX];
	char name[32];

	for (int i = 0; i < DEVICES; i++) {
		snprintf(name, sizeof(name), "idle%d", i);
		register_one(&sources[i], name);
		set_ring(&sources[i]);
	}
	for (unsigned int i = 0; i < readers; i++)
		fds[i] = open_reader(&sources[i / READERS_MAX]);
	for (int i = 0; i < ROUNDS; i++) {
		take(&sources[0]);
		COUNT(&s, commit(&sources[0]));
	}
	for (unsigned int i = 0; i < readers; i++)
		close(fds[i]);
	for (int i = 0; i < DEVICES; i++)
		close(sources[i].fd);
	row("commit, idle readers", "devring", readers, &s);
}

/* How often a reader of 60 frames a second is scheduled in 20 seconds, one that wants @rate wakes a second. */
static void measure_switches(unsigned int rate)
{
	static struct samples s;
	struct filter filter = { .set = { .flags = DEVRING_READER_LATEST, .wake_rate = rate } };
	struct rusage before, after;
	pid_t pid;

	set_up(1);
	pid = start_filtered(&filter);
	for (int i = 0; i < 60 * 20; i++) {
		usleep(1000000 / 60);
		take(&main_source);
		commit(&main_source);
	}
	getrusage(RUSAGE_CHILDREN, &before);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	getrusage(RUSAGE_CHILDREN, &after);
	s.value[s.n++] = after.ru_nvcsw - before.ru_nvcsw;
	tear_down();
	row("context switches in 20 s at 60 frames a second", rate ? "devring, once a second" : "devring", 1, &s);
}

/* ---- calls ---- */

static void all(ssize_t done, size_t wanted, const char *what)
{
	if (must(done, what) != (long)wanted) {
		errno = EMSGSIZE;
		must(-1, what);
	}
}


static void measure_calls(void)
{
	static struct samples taken, sent, received, ready, not_ready;
	struct pollfd p = { .events = POLLIN };

	set_up(1);
	take(&main_source);
	commit(&main_source);
	p.fd = open_reader(&main_source);
	for (int i = 0; i < ROUNDS; i++) {
		take(&main_source);
		COUNT(&not_ready, must(poll(&p, 1, 0), "poll"));
		COUNT(&sent, commit(&main_source));
		COUNT(&ready, must(poll(&p, 1, 0), "poll"));
		COUNT(&received, get_frame(p.fd));
		COUNT(&taken, take(&main_source));
		commit(&main_source);
		get_frame(p.fd);
	}
	close(p.fd);
	tear_down();
	row("take a slot", "devring", 1, &taken);
	row("send, nobody waits", "devring", 0, &sent);
	row("receive what is there", "devring", 1, &received);
	row("poll, ready", "devring, poll", 1, &ready);
	row("poll, not ready", "devring, poll", 1, &not_ready);
}

/* BATCH slots, commits and frames at a time, one call each. */
static void measure_batches(void)
{
	static struct samples taken, sent, received;
	struct devring_set_reader set = INIT(devring_set_reader, .holds = BATCH);
	struct devring_slot slots[BATCH];
	struct devring_commit commits[BATCH];
	struct devring_frame frames[BATCH];
	int fd;

	set_up(1);
	fd = open_reader(&main_source);
	must(ioctl(fd, DEVRING_IOC_SET_READER, &set), "SET_READER");
	/* The news of a reader first. */
	take(&main_source);
	commit(&main_source);
	get_frame(fd);
	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&taken, all(read(main_source.fd, slots, sizeof(slots)), sizeof(slots), "take of slots"));
		for (int j = 0; j < BATCH; j++) {
			commits[j] = main_source.next;
			commits[j].slot = slots[j].slot;
		}
		COUNT(&sent, all(write(main_source.fd, commits, sizeof(commits)), sizeof(commits), "commits"));
		COUNT(&received, all(read(fd, frames, sizeof(frames)), sizeof(frames), "read of frames"));
	}
	close(fd);
	tear_down();
	row("take slots, all in one read", "devring", BATCH, &taken);
	row("send, all in one write", "devring", BATCH, &sent);
	row("receive, all in one read", "devring", BATCH, &received);
}

static void measure_life(void)
{
	static struct samples registered, unregistered, ring, opened, closed, mapped, touched;
	struct source source;
	const size_t bytes = SLOT_SIZE;	/* one page, as of the peers */
	char *p;
	int fd;

	for (int i = 0; i < 40; i++) {
		COUNT(&registered, register_one(&source, "life"));
		COUNT(&ring, set_ring(&source));
		COUNT(&unregistered, close(source.fd));
	}
	set_up(1);
	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&opened, fd = open(main_source.node, O_RDONLY | O_CLOEXEC));
		COUNT(&mapped, p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, main_source.geometry.slots_offset));
		COUNT(&touched, (void)*(volatile char *)p);
		munmap(p, bytes);
		COUNT(&closed, close(fd));
	}
	tear_down();
	row("register", "devring", 1, &registered);
	row("set a ring", "devring", 1, &ring);
	row("unregister", "devring", 1, &unregistered);
	row("open", "devring", 1, &opened);
	row("mmap", "devring", 1, &mapped);
	row("first fault", "devring", 1, &touched);
	row("close", "devring", 1, &closed);
}

void measure_devring(void)
{
	static const unsigned int filtered[] = { 0, 1, 16, 64 }, idle[] = { 0, 1, 16, 64, 256 };

	measure_calls();
	measure_batches();
	measure_life();
	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		measure_idle(idle[i]);
	for (size_t f = 0; f < sizeof(filters) / sizeof(filters[0]); f++)
		for (size_t i = 0; i < sizeof(filtered) / sizeof(filtered[0]); i++)
			measure_filtered(&filters[f], filtered[i]);
	measure_switches(0);
	measure_switches(1);
}
