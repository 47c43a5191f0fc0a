// SPDX-License-Identifier: GPL-2.0-only
/* What programs tell each other things by when there is no devring. */
#include "measure.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS	201
#define MESSAGE	64	/* bytes of what describes a frame: as much as devring's commit */

static int in[READERS_MAX], out[READERS_MAX];
static unsigned int ends;
static char message[MESSAGE];

static void wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	must(poll(&p, 1, -1), "poll");
}

static void close_all(void)
{
	for (unsigned int i = 0; i < ends; i++) {
		close(in[i]);
		if (out[i] != in[i])
			close(out[i]);
	}
	ends = 0;
}

static void join_nothing(unsigned int i)
{
	(void)i;
}

/* ---- an eventfd for each reader ---- */

static int eventfds(unsigned int readers)
{
	for (ends = 0; ends < readers; ends++)
		in[ends] = out[ends] = must(eventfd(0, EFD_CLOEXEC), "eventfd");
	return 1;
}

static void eventfd_send(unsigned int readers)
{
	uint64_t one = 1;

	for (unsigned int i = 0; i < readers; i++)
		must(write(in[i], &one, sizeof(one)), "write to an eventfd");
}

static void eventfd_receive(unsigned int i)
{
	uint64_t n;

	must(read(in[i], &n, sizeof(n)), "read of an eventfd");
}

static void eventfd_poll(unsigned int i)
{
	wait_for(in[i]);
	eventfd_receive(i);
}

/* ---- a pipe for each ---- */

static int pipes(unsigned int readers)
{
	int fds[2];

	for (ends = 0; ends < readers; ends++) {
		must(pipe2(fds, O_CLOEXEC), "pipe2");
		in[ends] = fds[0];
		out[ends] = fds[1];
	}
	return 1;
}

static void fd_send(unsigned int readers)
{
	for (unsigned int i = 0; i < readers; i++)
		must(write(out[i], message, MESSAGE), "write");
}

static void fd_receive(unsigned int i)
{
	must(read(in[i], message, MESSAGE), "read");
}

static void fd_poll(unsigned int i)
{
	wait_for(in[i]);
	fd_receive(i);
}

/* ---- a socket for each ---- */

static int sockets(unsigned int readers, int type)
{
	int fds[2];

	for (ends = 0; ends < readers; ends++) {
		must(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), "socketpair");
		in[ends] = fds[0];
		out[ends] = fds[1];
	}
	return 1;
}

static int datagrams(unsigned int readers) { return sockets(readers, SOCK_DGRAM); }
static int seqpackets(unsigned int readers) { return sockets(readers, SOCK_SEQPACKET); }

static void socket_send(unsigned int readers)
{
	for (unsigned int i = 0; i < readers; i++)
		must(send(out[i], message, MESSAGE, 0), "send");
}

static void socket_receive(unsigned int i)
{
	must(recv(in[i], message, MESSAGE, 0), "recv");
}

static void socket_poll(unsigned int i)
{
	wait_for(in[i]);
	socket_receive(i);
}

/* ---- a semaphore for each, in shared memory ---- */

static sem_t *semaphores;

static int make_semaphores(unsigned int readers)
{
	semaphores = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned int i = 0; i < readers; i++)
		must(sem_init(&semaphores[i], 1, 0), "sem_init");
	return 1;
}

static void semaphore_send(unsigned int readers)
{
	for (unsigned int i = 0; i < readers; i++)
		must(sem_post(&semaphores[i]), "sem_post");
}

static void semaphore_receive(unsigned int i)
{
	must(sem_wait(&semaphores[i]), "sem_wait");
}

static void drop_semaphores(void)
{
	munmap(semaphores, 4096);
}

/* ---- one futex for all, in a memfd ---- */

static unsigned int *word, seen;

static int make_futex(unsigned int readers)
{
	int fd = must(memfd_create("futex", MFD_CLOEXEC), "memfd_create");

	(void)readers;
	must(ftruncate(fd, 4096), "ftruncate");
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	*word = seen = 0;
	return 1;
}

static long futex(int op, unsigned int value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void futex_send(unsigned int readers)
{
	(void)readers;
	__atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
	must(futex(FUTEX_WAKE, 0x7fffffff), "FUTEX_WAKE");
}

static void futex_receive(unsigned int i)
{
	(void)i;
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == seen)
		futex(FUTEX_WAIT, seen);
	seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void drop_futex(void)
{
	munmap(word, 4096);
}

const struct channel peer_channels[] = {
	{ "eventfd", eventfds, join_nothing, NULL, eventfd_send, eventfd_receive, NULL, close_all },
	{ "eventfd, poll", eventfds, join_nothing, NULL, eventfd_send, eventfd_poll, NULL, close_all },
	{ "pipe", pipes, join_nothing, NULL, fd_send, fd_receive, NULL, close_all },
	{ "pipe, poll", pipes, join_nothing, NULL, fd_send, fd_poll, NULL, close_all },
	{ "unix datagram", datagrams, join_nothing, NULL, socket_send, socket_receive, NULL, close_all },
	{ "unix datagram, poll", datagrams, join_nothing, NULL, socket_send, socket_poll, NULL, close_all },
	{ "unix seqpacket", seqpackets, join_nothing, NULL, socket_send, socket_receive, NULL, close_all },
	{ "unix seqpacket, poll", seqpackets, join_nothing, NULL, socket_send, socket_poll, NULL, close_all },
	{ "semaphore", make_semaphores, join_nothing, NULL, semaphore_send, semaphore_receive, NULL, drop_semaphores },
	{ "futex", make_futex, join_nothing, NULL, futex_send, futex_receive, NULL, drop_futex },
	{ }
};

/* ---- without anybody who sleeps ---- */

/* A send that wakes nobody, and the receive of what is there. */
static void measure_ready(const struct channel *channel)
{
	static struct samples sent, received;

	channel->set_up(1);
	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&sent, channel->send(1));
		COUNT(&received, channel->receive(0));
	}
	channel->tear_down();
	row("send, nobody waits", channel->name, 0, &sent);
	row("receive what is there", channel->name, 1, &received);
}

static void measure_poll(const struct channel *channel)
{
	static struct samples ready, not_ready;
	struct pollfd p = { .events = POLLIN };

	channel->set_up(1);
	p.fd = in[0];
	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&not_ready, must(poll(&p, 1, 0), "poll"));
		channel->send(1);
		COUNT(&ready, must(poll(&p, 1, 0), "poll"));
		channel->receive(0);
	}
	channel->tear_down();
	row("poll, ready", channel->name, 1, &ready);
	row("poll, not ready", channel->name, 1, &not_ready);
}

/* Making and closing one. */
static void measure_life(const struct channel *channel)
{
	static struct samples made, closed;

	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&made, channel->set_up(1));
		COUNT(&closed, channel->tear_down());
	}
	row("open", channel->name, 1, &made);
	row("close", channel->name, 1, &closed);
}

/* A memfd as programs share frames by: mapped anew, and touched. */
static void measure_memfd(void)
{
	static struct samples mapped, touched;
	const size_t bytes = 4096;
	int fd = must(memfd_create("frames", MFD_CLOEXEC), "memfd_create");
	char *p;

	must(ftruncate(fd, bytes), "ftruncate");
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(p, 1, bytes);
	munmap(p, bytes);
	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&mapped, p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0));
		COUNT(&touched, (void)*(volatile char *)p);
		munmap(p, bytes);
	}
	close(fd);
	row("mmap", "memfd", 1, &mapped);
	row("first fault", "memfd", 1, &touched);
}

void measure_peers(void)
{
	static struct samples s;

	for (int i = 0; i < ROUNDS; i++)
		COUNT(&s, syscall(SYS_getppid));
	row("a system call", "getppid", 1, &s);
	for (const struct channel *c = peer_channels; c->name; c++) {
		if (strstr(c->name, "poll")) {
			measure_poll(c);
			continue;
		}
		measure_ready(c);
		measure_life(c);
	}
	measure_memfd();
}
