// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does what no sane program does, as fast as it can: well-formed calls with a few wrong bits, from several threads
 * that share their files and maps, with forks and kills among them.  Knows nothing of what should come back but
 * this: no access to a map is ever a signal, everything can be let go of, and then nothing is left.
 *
 * fuzz [--seed N] [--ops N] [--threads N] [--verbose]
 * With one thread a seed does the same each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/devring.h>

#define FILES		48
#define MAPS		32
#define THREADS_MAX	8
#define DEVICES		6	/* names, so that they collide */
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct map {
	pthread_mutex_t lock;	/* nobody unmaps what another touches: that would be our own fault */
	unsigned char *at;
	size_t bytes;
	int prot;
};

/* What all threads share. A slot may be closed and filled by anybody at any time. */
static atomic_int files[FILES];
static struct map maps[MAPS];
static atomic_ullong last_id, last_generation, last_sequence;
static int ends[2];	/* descriptors are sent through it, and some stay in it */
static unsigned long long seed = 1;
static unsigned int ops = 4000, threads = 2;
static int verbose;

struct thread {
	pthread_t thread;
	uint64_t state;
	unsigned int number;
};

/* xorshift64*, Marsaglia and Vigna */
static uint64_t roll(struct thread *t)
{
	t->state ^= t->state >> 12;
	t->state ^= t->state << 25;
	t->state ^= t->state >> 27;
	return t->state * 0x2545f4914f6cdd1dULL;
}

static unsigned int pick(struct thread *t, unsigned int n)
{
	return (roll(t) >> 33) % n;
}

static int chance(struct thread *t, unsigned int one_in)
{
	return pick(t, one_in) == 0;
}

/* A number that is often a limit, or one beside it. */
static uint64_t odd_number(struct thread *t)
{
	static const uint64_t edges[] = { 0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 128, 1023, 4095, 4096, 4097,
		65535, 65536, 1u << 30, (1u << 30) + 1, UINT32_MAX, 1ULL << 34, 1ULL << 62, INT64_MAX, UINT64_MAX };

	return chance(t, 4) ? roll(t) : edges[pick(t, ARRAY_SIZE(edges))] + (chance(t, 4) ? pick(t, 3) - 1 : 0);
}

static uint64_t near(struct thread *t, uint64_t value)
{
	return chance(t, 8) ? odd_number(t) : chance(t, 8) ? value + pick(t, 3) - 1 : value;
}

static int any_file(struct thread *t)
{
	return files[pick(t, FILES)];
}

static void keep_file(struct thread *t, int fd)
{
	int before;

	if (fd < 0)
		return;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	before = atomic_exchange(&files[pick(t, FILES)], fd);
	if (before > 0)
		close(before);
}

/* Some bytes of an argument are not what they should be. */
static void spoil(struct thread *t, void *argument, size_t bytes)
{
	unsigned int n = chance(t, 6) ? 1 + pick(t, 3) : 0;

	while (n--)
		((unsigned char *)argument)[pick(t, bytes)] ^= 1u << pick(t, 8);
}

static void *maybe_bad(struct thread *t, void *argument)
{
	static unsigned char *edge;

	if (!chance(t, 40))
		return argument;
	if (!edge)
		edge = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return chance(t, 2) ? NULL : edge - pick(t, 16);
}

static long fuzz_ioctl(struct thread *t, int fd, unsigned long command, void *argument, size_t bytes)
{
	unsigned char roomy[8192];	/* for a size that says more than is true: the kernel believes it */
	long result;

	memcpy(roomy, argument, bytes);
	spoil(t, roomy, bytes);
	if (chance(t, 60))
		command ^= 1u << pick(t, 32);
	result = ioctl(fd, command, maybe_bad(t, roomy));
	memcpy(argument, roomy, bytes);
	return result;
}

#define CALL(t, fd, command, arg) fuzz_ioctl(t, fd, command, &(arg), sizeof(arg))
#define INIT(type, ...) ((struct type){ .size = sizeof(struct type), ##__VA_ARGS__ })

static void do_open(struct thread *t)
{
	static const int modes[] = { O_RDONLY, O_RDWR, O_RDWR, O_WRONLY };
	char path[32] = "/dev/devring";

	if (chance(t, 3))
		snprintf(path, sizeof(path), "/dev/devring%u", pick(t, 8));
	keep_file(t, open(path, modes[pick(t, 4)] | O_NONBLOCK | O_CLOEXEC));
}

static void do_register(struct thread *t)
{
	struct devring_register r = INIT(devring_register, .type = 1 + pick(t, 10), .flags = pick(t, 64));
	long fd;

	if (r.flags & DEVRING_REG_LOSSLESS)
		r.deadline_ms = near(t, 1 + pick(t, 50));

	snprintf(r.name, sizeof(r.name), "fuzz%u", pick(t, DEVICES));
	fd = CALL(t, any_file(t), DEVRING_IOC_REGISTER, r);
	if (fd < 0)
		return;
	last_id = r.id;
	keep_file(t, fd);
}

static void do_control(struct thread *t)
{
	uint64_t id = near(t, last_id - pick(t, 6));
	struct devring_unregister u = INIT(devring_unregister, .id = id);
	struct devring_attach a = INIT(devring_attach, .id = id, .flags = pick(t, 2));
	struct devring_open o = INIT(devring_open, .id = id, .flags = O_NONBLOCK);
	struct devring_query q = INIT(devring_query, .id = id, .flags = pick(t, 2));
	struct devring_info i = INIT(devring_info);
	int fd = any_file(t);

	switch (pick(t, 8)) {
	case 0:
		CALL(t, fd, DEVRING_IOC_UNREGISTER, u);
		break;
	case 1:
		keep_file(t, CALL(t, fd, DEVRING_IOC_ATTACH, a));
		break;
	case 2:
	case 3:
		keep_file(t, CALL(t, fd, DEVRING_IOC_OPEN, o));
		break;
	case 4:
		CALL(t, fd, DEVRING_IOC_INFO, i);
		break;
	default:
		if (!CALL(t, fd, DEVRING_IOC_QUERY, q))
			last_generation = q.device.geometry.generation;
	}
}

static void do_set_up(struct thread *t)
{
	struct devring_set_ring r = INIT(devring_set_ring, .slots = near(t, 3 + pick(t, 6)),
					 .slot_size = near(t, 1 + pick(t, 9000)),
					 .metadata_size = near(t, pick(t, 200)));
	struct devring_set_format f = INIT(devring_set_format, .format.kind = pick(t, 6));
	struct devring_set_state s = INIT(devring_set_state, .state = pick(t, 5), .error = pick(t, 3));
	struct devring_set_reader d = INIT(devring_set_reader, .flags = pick(t, 8), .start = pick(t, 6),
					   .holds = near(t, pick(t, 17)), .wake_frames = pick(t, 4),
					   .wake_rate = chance(t, 2) ? near(t, 1000) : 0);
	struct devring_release e = INIT(devring_release, .sequence = near(t, last_sequence));
	struct devring_grant g = INIT(devring_grant);
	struct devring_export x = INIT(devring_export, .generation = last_generation, .slot = pick(t, 8));
	struct timespec now;
	int fd = any_file(t);

	if (chance(t, 4)) {
		d.flags |= DEVRING_READER_LOSSLESS;
		d.deadline_ms = near(t, pick(t, 50));
		d.wake_frames = d.wake_rate = 0;
	}
	if (chance(t, 8)) {
		d.wake_frames = near(t, pick(t, 4));
		d.wake_rate = near(t, pick(t, 1000));
	}
	switch (pick(t, 8)) {
	case 0:
	case 1:
		if (!CALL(t, fd, DEVRING_IOC_SET_RING, r))
			last_generation = r.geometry.generation;
		break;
	case 2:
		CALL(t, fd, DEVRING_IOC_SET_FORMAT, f);
		break;
	case 3:
		CALL(t, fd, DEVRING_IOC_SET_STATE, s);
		break;
	case 4:
		CALL(t, fd, DEVRING_IOC_SET_READER, d);
		break;
	case 6:
		keep_file(t, CALL(t, fd, DEVRING_IOC_EXPORT, x));
		break;
	case 5:
		clock_gettime(CLOCK_BOOTTIME, &now);
		if (chance(t, 2))
			g.expires_ns = now.tv_sec * 1000000000ULL + now.tv_nsec + pick(t, 30000000);
		keep_file(t, CALL(t, fd, DEVRING_IOC_GRANT, g));
		break;
	default:
		CALL(t, fd, DEVRING_IOC_RELEASE, e);
	}
}

static void do_access(struct thread *t)
{
	static struct devring_reader readers[(DEVRING_READERS_MAX + 2) * 4096 / sizeof(struct devring_reader)];
	struct devring_list_readers l = INIT(devring_list_readers, .readers = (uintptr_t)readers,
					     .reader_size = near(t, sizeof(readers[0])), .count = near(t, pick(t, 9)));
	struct devring_revoke r = INIT(devring_revoke, .what = pick(t, 6));
	int fd = any_file(t);

	/* Not through CALL(): a wrong bit in the address would have the kernel write over this program. */
	if (ioctl(fd, DEVRING_IOC_READERS, &l) || !chance(t, 6))
		return;
	if (r.what == DEVRING_REVOKE_READER)
		r.reader = l.count ? readers[0].id : odd_number(t);
	if (r.what == DEVRING_REVOKE_UID)
		r.uid = near(t, pick(t, 2));
	CALL(t, fd, DEVRING_IOC_REVOKE, r);
}

/* Commits what was just read, mostly. */
static void do_write(struct thread *t, int fd, const struct devring_slot *slot)
{
	struct devring_commit c = {
		.rec = { .size = sizeof(c), .kind = DEVRING_RECORD_COMMIT },
		.generation = near(t, slot ? slot->generation : last_generation),
		.slot = near(t, slot ? slot->slot : pick(t, 8)),
		.bytes = near(t, pick(t, 4096)),
		.flags = chance(t, 5) ? DEVRING_FRAME_PARTIAL : pick(t, 8),
	};
	struct devring_return r = { { sizeof(r), DEVRING_RECORD_RETURN, 0 }, c.generation, c.slot };

	spoil(t, &c, sizeof(c));
	if (chance(t, 8))
		(void)!write(fd, maybe_bad(t, &r), near(t, sizeof(r)) % 4096);
	else
		(void)!write(fd, maybe_bad(t, &c), chance(t, 10) ? pick(t, sizeof(c) + 1) : sizeof(c));
}

static void do_read(struct thread *t)
{
	union {
		struct devring_record rec;
		struct devring_frame frame;
		struct devring_slot slot;
		unsigned char bytes[4096];
	} buffer;
	int fd = any_file(t);
	ssize_t n;

	if (chance(t, 6)) {
		(void)!pread(fd, maybe_bad(t, &buffer), pick(t, sizeof(buffer)),
			     near(t, ((last_generation % 1024) << 34) + pick(t, 0x30000)));
		return;
	}
	n = read(fd, maybe_bad(t, &buffer), chance(t, 4) ? pick(t, sizeof(buffer)) : chance(t, 2) ? 32 : 128);
	if (n < (ssize_t)sizeof(buffer.rec))
		return;
	if (buffer.rec.kind == DEVRING_RECORD_FRAME)
		last_sequence = buffer.frame.sequence;
	if (buffer.rec.kind == DEVRING_RECORD_SLOT && !chance(t, 5))
		do_write(t, fd, &buffer.slot);
}

static void touch(struct thread *t, struct map *m)
{
	volatile unsigned char *p;

	for (unsigned int i = 0; m->at && i < 8; i++) {
		p = m->at + pick(t, m->bytes);
		if (m->prot & PROT_WRITE && chance(t, 2))
			*p = roll(t);
		else
			(void)*p;
	}
}

static void do_map(struct thread *t)
{
	struct map *m = &maps[pick(t, MAPS)];
	uint64_t at;
	void *p;

	pthread_mutex_lock(&m->lock);
	touch(t, m);
	if (m->at && chance(t, 4))
		mprotect(m->at, m->bytes, PROT_READ | PROT_WRITE | (chance(t, 2) ? PROT_EXEC : 0)) ?:
			mprotect(m->at, m->bytes, m->prot);
	if (m->at && chance(t, 8))
		madvise(m->at, m->bytes, chance(t, 2) ? MADV_DONTNEED : chance(t, 2) ? MADV_DOFORK : MADV_DONTFORK);
	/* Half of it, or more than there is, maybe elsewhere. */
	if (m->at && chance(t, 8)) {
		size_t bytes = chance(t, 2) ? (m->bytes + 4096) / 2 & ~4095UL : m->bytes + 4096 * pick(t, 3);

		p = mremap(m->at, m->bytes, bytes, chance(t, 2) ? MREMAP_MAYMOVE : 0);
		if (p != MAP_FAILED) {
			m->at = p;
			m->bytes = bytes;
		}
		touch(t, m);
	}
	if (m->at && chance(t, 3)) {
		munmap(m->at, m->bytes);
		m->at = NULL;
	}
	if (!m->at) {
		m->bytes = 4096 * (1 + pick(t, 8));
		m->prot = PROT_READ | (chance(t, 2) ? PROT_WRITE : 0);
		at = near(t, ((last_generation % 1024) << 34) + 0x10000 + 4096 * pick(t, 4)) & ~4095ULL;
		p = mmap(NULL, m->bytes, m->prot, chance(t, 10) ? MAP_PRIVATE : MAP_SHARED, any_file(t),
			 chance(t, 5) ? 0 : at);
		m->at = p == MAP_FAILED ? NULL : p;
		touch(t, m);
	}
	pthread_mutex_unlock(&m->lock);
}

static void do_poll(struct thread *t)
{
	struct epoll_event event = { .events = roll(t) & 0xffff };
	struct pollfd p[3];
	int epoll;

	for (int i = 0; i < 3; i++)
		p[i] = (struct pollfd){ .fd = any_file(t), .events = roll(t) };
	poll(p, 3, chance(t, 20));
	if (!chance(t, 4))
		return;
	/* It stays in place of a file, and watches the others until it is closed. */
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return;
	for (int i = 0; i < 3; i++)
		epoll_ctl(epoll, EPOLL_CTL_ADD, p[i].fd, &event);
	epoll_wait(epoll, &event, 1, 0);
	keep_file(t, epoll);
}

/* Files on their way to somebody: only the message has them. */
static void do_pass(struct thread *t)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	char c;
	int fd = any_file(t);

	if (chance(t, 2)) {
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
						   .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		(void)!sendmsg(ends[0], &message, MSG_DONTWAIT);
		return;
	}
	iov.iov_base = &c;
	if (recvmsg(ends[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1 ||
	    control.header.cmsg_type != SCM_RIGHTS || !message.msg_controllen)
		return;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	keep_file(t, fd);
}

/* A child with copies of all files and maps, which dies somewhere. */
static void do_fork(struct thread *t)
{
	pid_t pid = fork();

	if (pid == 0) {
		/* Some maps stay with their parent: where they were there is nothing. */
		signal(SIGSEGV, SIG_DFL);
		for (int i = 0; i < 50; i++) {
			do_read(t);
			do_set_up(t);
			if (maps[i % MAPS].at)
				(void)*(volatile unsigned char *)maps[i % MAPS].at;
		}
		_exit(0);
	}
	if (pid < 0)
		return;
	if (chance(t, 2))
		kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void *run(void *argument)
{
	struct thread *t = argument;

	for (unsigned int i = 0; i < ops; i++) {
		unsigned int what = pick(t, 100);

		if (verbose)
			fprintf(stderr, "# thread %u op %u kind %u\n", t->number, i, what);
		if (what < 8)
			do_open(t);
		else if (what < 14)
			do_register(t);
		else if (what < 24)
			do_control(t);
		else if (what < 38)
			do_set_up(t);
		else if (what < 42)
			do_access(t);
		else if (what < 70)
			do_read(t);
		else if (what < 74)
			do_write(t, any_file(t), NULL);
		else if (what < 88)
			do_map(t);
		else if (what < 94)
			do_poll(t);
		else if (what < 96)
			do_pass(t);
		else if (what < 99)
			keep_file(t, dup(any_file(t)));
		else if (chance(t, 3))
			do_fork(t);
	}
	return NULL;
}

/* A map never gives a signal, whatever becomes of what it shows. */
static void on_signal(int number)
{
	char text[] = "not ok 1 - no map gives a signal (00)\n";

	text[34] += number / 10;
	text[35] += number % 10;
	(void)!write(1, text, sizeof(text) - 1);
	_exit(1);
}

/* Lets go of everything; what the persistent devices were is ended by hand. */
static int let_go(struct devring_info *info)
{
	int control = open("/dev/devring", O_RDWR);
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);

	for (int i = 0; i < MAPS; i++)
		if (maps[i].at)
			munmap(maps[i].at, maps[i].bytes);
	for (int i = 0; i < FILES; i++)
		if (files[i] > 0)
			close(files[i]);
	close(ends[0]);
	close(ends[1]);
	while (!ioctl(control, DEVRING_IOC_QUERY, &q)) {
		struct devring_unregister u = INIT(devring_unregister, .id = q.device.id);

		/* By whatever name: a wrong bit may have been in it. */
		ioctl(control, DEVRING_IOC_UNREGISTER, &u);
		q.id = q.device.id;
	}
	/* Files end when the kernel gets to it. */
	for (int i = 0; i < 2000; i++) {
		*info = INIT(devring_info);
		if (ioctl(control, DEVRING_IOC_INFO, info))
			break;
		if (!info->devices && !info->total_bytes)
			break;
		usleep(10000);
	}
	close(control);
	return info->devices || info->total_bytes;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' }, { "ops", required_argument, NULL, 'o' },
		{ "threads", required_argument, NULL, 't' }, { "verbose", no_argument, NULL, 'v' }, { }
	};
	struct thread t[THREADS_MAX];
	struct timespec began, ended;
	struct devring_info info;
	double s;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'o')
			ops = strtoul(optarg, NULL, 0);
		else if (c == 't' && strtoul(optarg, NULL, 0) - 1 < THREADS_MAX)
			threads = strtoul(optarg, NULL, 0);
		else if (c == 'v')
			verbose = 1;
		else
			return fprintf(stderr, "usage: fuzz [--seed N] [--ops N] [--threads 1..8] [--verbose]\n"), 2;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("TAP version 13\n1..2\n# seed %llu, %u operations in each of %u threads\n", seed, ops, threads);
	signal(SIGBUS, on_signal);
	signal(SIGSEGV, on_signal);
	signal(SIGPIPE, SIG_IGN);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends))
		return perror("socketpair"), 2;
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < MAPS; i++)
		pthread_mutex_init(&maps[i].lock, NULL);
	for (unsigned int i = 0; i < threads; i++) {
		t[i] = (struct thread){ .state = (seed + i) * 0x9e3779b97f4a7c15ULL | 1, .number = i };
		if (pthread_create(&t[i].thread, NULL, run, &t[i]))
			return perror("pthread_create"), 2;
	}
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(t[i].thread, NULL);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	s = ended.tv_sec - began.tv_sec + (ended.tv_nsec - began.tv_nsec) / 1e9;
	printf("# seed %llu, %llu operations in %.1f s, %.0f a second\n", seed, (unsigned long long)ops * threads, s,
	       (unsigned long long)ops * threads / s);
	printf("ok 1 - no map gives a signal\n");
	c = let_go(&info);
	printf("%sok 2 - nothing is left (%u devices, %llu bytes)\n", c ? "not " : "", info.devices,
	       (unsigned long long)info.total_bytes);
	return c;
}
