// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does what no sane program does, as fast as it can: well-formed calls with a few wrong bits, from several threads
 * that share their files and maps, with forks and kills among them.  Knows nothing of what should come back but
 * this: no access to a map is ever a signal, everything can be let go of, and then nothing is left; and of each kind of
 * call some come to something, or there would be nothing to let go of.
 *
 * fuzz [--seed N] [--ops N] [--threads N] [--verbose]
 * What an operation does hangs on the seed and its own number, so with one thread it is the same each time, but for
 * what the kernel answers; --verbose tells the operations, each with the digest of all that was done up to it.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILES		48
#define CONTROLS	6	/* of which are control files */
#define MAPS		32
#define THREADS_MAX	8
#define DEVICES		6	/* names, so that they collide */
#define OPS_ENOUGH	8000	/* with so many in all, something of each kind is done */
#define OPS_REPLAYED	600
#define PIECES		4	/* of memory, for one call */

struct map {
	pthread_mutex_t lock;	/* nobody unmaps what another touches: that would be our own fault */
	unsigned char *at;
	size_t bytes;
	int prot;
};

/* What all threads share. A slot may be closed and filled by anybody at any time. */
static struct {
	atomic_int fd, role;
} files[FILES];
static struct map maps[MAPS];
static atomic_ullong ids[DEVICES], minors[DEVICES], last_generation, last_sequence;
static int ends[2];	/* descriptors are sent through it, and some stay in it */
static unsigned int ops = 4000, threads = 2;
static int verbose;
static unsigned char *edge;	/* behind it there is nothing */

/* What a file is good for. */
enum { CONTROL = 1, PRODUCES = 2, READS = 4, LEASE = 8 };

/* A file that is good for @role, mostly. */
static int file_for(struct thread *t, int role)
{
	unsigned int at = pick(t, FILES);

	if (chance(t, 8))
		return files[at].fd;
	for (unsigned int i = 0; i < FILES && !(files[at].role & role); i++)
		at = (at + 1) % FILES;
	return files[at].fd;
}

static void keep_file(struct thread *t, int fd, int role)
{
	unsigned int at;
	int before;

	t->answered = 1;
	if (fd < 0)
		return;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	/* Most must not be what anybody can have at any time. */
	at = role == CONTROL ? pick(t, CONTROLS) : CONTROLS + pick(t, FILES - CONTROLS);
	before = atomic_exchange(&files[at].fd, fd);
	files[at].role = role;
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
	if (!chance(t, 40))
		return argument;
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
	t->answered = 1;
	if (result >= 0 && _IOC_TYPE(command) == DEVRING_IOC_MAGIC)
		count(_IOC_NR(command));
	memcpy(argument, roomy, bytes);
	return result;
}

#define CALL(t, fd, command, arg) fuzz_ioctl(t, fd, command, &(arg), sizeof(arg))
#define INIT(type, ...) ((struct type){ .size = sizeof(struct type), ##__VA_ARGS__ })

static struct devring_device device_of(int fd)
{
	struct devring_query q = INIT(devring_query);

	if (ioctl(fd, DEVRING_IOC_QUERY, &q))
		memset(&q.device, 0, sizeof(q.device));
	return q.device;
}

static int is_sink(int fd)
{
	return !!(device_of(fd).flags & DEVRING_REG_SINK);
}

/* The generation in force of the device of @fd, mostly. */
static uint64_t generation_of(struct thread *t, int fd)
{
	return chance(t, 6) ? last_generation : device_of(fd).geometry.generation;
}

static void do_open(struct thread *t)
{
	static const int modes[] = { O_RDONLY, O_RDWR, O_RDWR, O_WRONLY };
	int node = chance(t, 2), fd;
	char path[32] = "/dev/devring";

	if (node)
		snprintf(path, sizeof(path), "/dev/devring%llu", minors[pick(t, DEVICES)]);
	fd = open(path, modes[pick(t, 4)] | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		count(node ? DID_OPEN_NODE : DID_OPEN_CONTROL);
	if (fd >= 0 && node && is_sink(fd))
		count(DID_PLAYER);
	keep_file(t, fd, !node ? CONTROL : is_sink(fd) ? PRODUCES : READS);
}

static void do_register(struct thread *t)
{
	/* A sink's frames come from its openers alone. */
	struct devring_register r = INIT(devring_register, .type = 1 + pick(t, 10),
					 .flags = pick(t, 64) & ~(chance(t, 3) ? DEVRING_REG_SINK : 0));
	unsigned int which = pick(t, DEVICES);
	long fd;

	if (r.flags & DEVRING_REG_LOSSLESS)
		r.deadline_ms = near(t, 1 + pick(t, 50));

	snprintf(r.name, sizeof(r.name), "fuzz%u", which);
	fd = CALL(t, file_for(t, CONTROL), DEVRING_IOC_REGISTER, r);
	if (fd < 0)
		return;
	ids[which] = r.id;
	minors[which] = r.minor;
	if (r.flags & DEVRING_REG_SINK)
		count(DID_SINK);
	keep_file(t, fd, LEASE | (r.flags & DEVRING_REG_SINK ? READS : PRODUCES));
}

static void do_control(struct thread *t)
{
	uint64_t id = near(t, ids[pick(t, DEVICES)]);
	struct devring_unregister u = INIT(devring_unregister, .id = id);
	struct devring_attach a = INIT(devring_attach, .id = id, .flags = pick(t, 2));
	struct devring_open o = INIT(devring_open, .id = id, .flags = O_NONBLOCK);
	struct devring_query q = INIT(devring_query, .id = id, .flags = pick(t, 2));
	struct devring_info i = INIT(devring_info);
	int fd = file_for(t, CONTROL);

	switch (pick(t, 16)) {
	case 0:
		CALL(t, fd, DEVRING_IOC_UNREGISTER, u);
		break;
	case 1:
	case 2:
	case 3:
		fd = CALL(t, fd, DEVRING_IOC_ATTACH, a);
		keep_file(t, fd, LEASE | (is_sink(fd) ? READS : PRODUCES));
		break;
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
		keep_file(t, CALL(t, fd, DEVRING_IOC_OPEN, o), READS);
		break;
	case 4:
		CALL(t, fd, DEVRING_IOC_INFO, i);
		break;
	default:
		if (!CALL(t, fd, DEVRING_IOC_QUERY, q))
			last_generation = q.device.geometry.generation;
	}
}

/* What sets something up, and whom it is for; some more often than others. */
static const struct {
	unsigned long command;
	int role;
} set_up_calls[] = {
	{ DEVRING_IOC_SET_RING, LEASE }, { DEVRING_IOC_SET_RING, LEASE }, { DEVRING_IOC_SET_FORMAT, LEASE },
	{ DEVRING_IOC_SET_STATE, LEASE }, { DEVRING_IOC_SET_STATE, LEASE }, { DEVRING_IOC_EXPORT, PRODUCES },
	{ DEVRING_IOC_SET_READER, READS }, { DEVRING_IOC_SET_READER, READS }, { DEVRING_IOC_SET_READER, READS },
	{ DEVRING_IOC_SET_READER, READS }, { DEVRING_IOC_GRANT, READS }, { DEVRING_IOC_RELEASE, READS },
};

static void do_set_up(struct thread *t)
{
	unsigned int what = pick(t, ARRAY_SIZE(set_up_calls));
	int fd = file_for(t, set_up_calls[what].role);
	struct devring_set_ring r = INIT(devring_set_ring, .slots = near(t, 3 + pick(t, 6)),
					 .slot_size = near(t, 1 + pick(t, 9000)),
					 .metadata_size = near(t, pick(t, 200)));
	struct devring_set_format f = INIT(devring_set_format, .format.kind = pick(t, 6));
	struct devring_set_state s = INIT(devring_set_state, .state = 1 + pick(t, 4),
					  .error = chance(t, 2) ? pick(t, 3) : 0);
	struct devring_set_reader d = INIT(devring_set_reader, .flags = pick(t, 8), .start = pick(t, 6),
					   .holds = near(t, pick(t, 5)), .wake_frames = pick(t, 4),
					   .wake_rate = chance(t, 2) ? near(t, 1000) : 0);
	struct devring_release e = INIT(devring_release, .sequence = near(t, last_sequence));
	struct devring_grant g = INIT(devring_grant);
	struct devring_export x = INIT(devring_export, .generation = generation_of(t, fd), .slot = pick(t, 4));
	struct timespec now;

	if (chance(t, 2)) {
		d.flags = DEVRING_READER_LOSSLESS | (d.flags & DEVRING_READER_PARTIAL);
		d.deadline_ms = near(t, pick(t, 8));
		d.wake_frames = d.wake_rate = 0;
	}
	if (chance(t, 8)) {
		d.wake_frames = near(t, pick(t, 4));
		d.wake_rate = near(t, pick(t, 1000));
	}
	switch (set_up_calls[what].command) {
	case DEVRING_IOC_SET_RING:
		if (!CALL(t, fd, DEVRING_IOC_SET_RING, r))
			last_generation = r.geometry.generation;
		break;
	case DEVRING_IOC_SET_FORMAT:
		CALL(t, fd, DEVRING_IOC_SET_FORMAT, f);
		break;
	case DEVRING_IOC_SET_STATE:
		CALL(t, fd, DEVRING_IOC_SET_STATE, s);
		break;
	case DEVRING_IOC_SET_READER:
		if (CALL(t, fd, DEVRING_IOC_SET_READER, d))
			break;
		if (d.flags & DEVRING_READER_LOSSLESS)
			count(DID_LOSSLESS);
		else if (d.wake_frames > 1 || d.wake_rate || d.flags & DEVRING_READER_KEY_ONLY)
			count(DID_FILTER);
		break;
	case DEVRING_IOC_EXPORT:
		keep_file(t, CALL(t, fd, DEVRING_IOC_EXPORT, x), 0);
		break;
	case DEVRING_IOC_GRANT:
		clock_gettime(CLOCK_BOOTTIME, &now);
		if (chance(t, 2))
			g.expires_ns = now.tv_sec * 1000000000ULL + now.tv_nsec + pick(t, 30000000);
		keep_file(t, CALL(t, fd, DEVRING_IOC_GRANT, g), READS);
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
	int fd = file_for(t, PRODUCES | READS);

	/* Not through CALL(): a wrong bit in the address would have the kernel write over this program. */
	t->answered = 1;
	if (ioctl(fd, DEVRING_IOC_READERS, &l))
		return;
	count(_IOC_NR(DEVRING_IOC_READERS));
	if (!chance(t, 6))
		return;
	if (r.what == DEVRING_REVOKE_READER)
		r.reader = l.count ? readers[0].id : odd_number(t);
	if (r.what == DEVRING_REVOKE_UID)
		r.uid = near(t, pick(t, 2));
	CALL(t, fd, DEVRING_IOC_REVOKE, r);
}

/* Cuts memory into pieces, of which some are empty, and some are not there. */
static int cut(struct thread *t, void *memory, size_t bytes, struct iovec *iov)
{
	int n = 1 + pick(t, PIECES);

	for (int i = 0; i < n; i++) {
		size_t part = i == n - 1 ? bytes : pick(t, bytes + 1);

		iov[i] = (struct iovec){ maybe_bad(t, memory), part };
		memory = (char *)memory + part;
		bytes -= part;
	}
	return n;
}

/* A record that commits @slot, mostly; how long it is. */
static size_t write_record(struct thread *t, const struct devring_slot *slot, uint32_t generation, uint32_t flags,
			   void *record)
{
	struct devring_commit c = {
		.rec = { .size = sizeof(c), .kind = DEVRING_RECORD_COMMIT },
		.generation = slot ? slot->generation : generation,
		.slot = slot ? slot->slot : pick(t, 6),
		.bytes = flags ? pick(t, 9) : chance(t, 2) ? 9 : pick(t, 4096),
		.flags = flags ?: chance(t, 20) ? DEVRING_FRAME_PARTIAL : pick(t, 8),
	};
	struct devring_return r = { { sizeof(r), DEVRING_RECORD_RETURN, 0 }, c.generation, c.slot };

	/* One wrong record has the kernel look at none behind it. */
	if (chance(t, 6)) {
		c.generation = r.generation = near(t, c.generation);
		c.slot = r.slot = near(t, c.slot);
		c.bytes = near(t, c.bytes);
		spoil(t, &c, sizeof(c));
	}
	/* What was taken once and not committed would stay out. */
	if (chance(t, slot ? 10 : 2)) {
		memcpy(record, &r, sizeof(r));
		return sizeof(r);
	}
	memcpy(record, &c, sizeof(c));
	return sizeof(c);
}

/* Of what was written the first @bytes were taken. */
static void count_written(const unsigned char *records, ssize_t bytes)
{
	const struct devring_record *rec;
	int n = 0;

	for (ssize_t at = 0; at < bytes; at += rec->size, n++) {
		rec = (const void *)(records + at);
		count(rec->kind == DEVRING_RECORD_RETURN ? DID_RETURN : DID_COMMIT);
	}
	if (n > 1)
		count(DID_SEVERAL);
}

/* Commits what was just read, mostly, all of it at once. */
static void do_write(struct thread *t, int fd, const struct devring_slot *slots, unsigned int n)
{
	uint64_t generation = n ? 0 : generation_of(t, fd);
	unsigned char records[4096];
	struct iovec iov[PIECES];
	size_t bytes = 0;
	ssize_t result;
	int pieces;

	for (unsigned int i = 0; i < (n ?: 1 + pick(t, 3)); i++) {
		/* A partial frame can be committed as often as one likes. */
		while (chance(t, 5) && bytes < sizeof(records) / 2)
			bytes += write_record(t, n ? &slots[i] : NULL, generation, DEVRING_FRAME_PARTIAL,
					      records + bytes);
		bytes += write_record(t, n ? &slots[i] : NULL, generation, 0, records + bytes);
	}
	if (chance(t, 10))
		bytes = pick(t, bytes + 1);
	if (chance(t, 3)) {
		pieces = cut(t, records, bytes, iov);
		t->answered = 1;
		result = pwritev2(fd, iov, pieces, -1, chance(t, 6) ? roll(t) & 0x1f : 0);
		if (result > 0 && pieces > 1)
			count(DID_WRITEV);
	} else {
		result = write(fd, maybe_bad(t, records), bytes);
		t->answered = 1;
	}
	count_written(records, result);
}

/* All of what was read; the slots among it are committed. */
static void take_records(struct thread *t, int fd, const unsigned char *records, ssize_t bytes)
{
	struct devring_release e = INIT(devring_release);
	struct devring_slot slots[8];
	unsigned int n = 0;

	for (ssize_t at = 0; at + (ssize_t)sizeof(struct devring_record) <= bytes;) {
		const struct devring_record *rec = (const void *)(records + at);

		/* Not all that is read is of ours. */
		if (rec->size < sizeof(*rec) || at + rec->size > bytes)
			break;
		if (rec->kind == DEVRING_RECORD_FRAME) {
			e.sequence = last_sequence = ((const struct devring_frame *)rec)->sequence;
			count(DID_FRAME);
		} else if (rec->kind == DEVRING_RECORD_SLOT) {
			count(DID_SLOT);
			if (n < ARRAY_SIZE(slots))
				slots[n++] = *(const struct devring_slot *)rec;
		} else {
			count(rec->kind < DEVRING_RECORD_CHANGE ? DID_NEWS : DID_CHANGE);
		}
		at += rec->size;
	}
	if (n && !chance(t, 5))
		do_write(t, fd, slots, n);
	if (e.sequence && chance(t, 2))
		CALL(t, fd, DEVRING_IOC_RELEASE, e);
}

static void do_read(struct thread *t)
{
	_Alignas(8) unsigned char buffer[4096];
	size_t bytes = chance(t, 4) ? pick(t, sizeof(buffer)) : chance(t, 2) ? 32 : 128;
	int fd = file_for(t, chance(t, 6) ? CONTROL : chance(t, 2) ? READS : PRODUCES), pieces, flags;
	struct iovec iov[PIECES];
	ssize_t n;

	memset(buffer, 0, sizeof(buffer));
	if (chance(t, 6)) {
		n = pread(fd, maybe_bad(t, buffer), pick(t, sizeof(buffer)),
			  near(t, ((generation_of(t, fd) % 1024) << 34) + pick(t, 0x30000)));
		t->answered = 1;
		if (n > 0)
			count(DID_PREAD);
		return;
	}
	if (chance(t, 2)) {
		n = read(fd, maybe_bad(t, buffer), bytes);
	} else {
		pieces = cut(t, buffer, bytes, iov);
		flags = chance(t, 2) ? RWF_NOWAIT : chance(t, 8) ? roll(t) & 0x1f : 0;
		n = preadv2(fd, iov, pieces, -1, flags);
		if (n > 0 && pieces > 1)
			count(DID_READV);
		if (n > 0 && flags == RWF_NOWAIT)
			count(DID_NOWAIT);
	}
	t->answered = 1;
	take_records(t, fd, buffer, n);
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
	int fd = file_for(t, PRODUCES | READS);
	uint64_t at;
	void *p;

	pthread_mutex_lock(&m->lock);
	t->answered = 1;
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
		m->bytes = 4096 * (1 + pick(t, 3) * pick(t, 4));
		m->prot = PROT_READ | (chance(t, 2) ? PROT_WRITE : 0);
		at = near(t, ((generation_of(t, fd) % 1024) << 34) + 0x10000 + 4096 * pick(t, 4)) & ~4095ULL;
		p = mmap(NULL, m->bytes, m->prot, chance(t, 10) ? MAP_PRIVATE : MAP_SHARED, fd,
			 chance(t, 5) ? 0 : at);
		m->at = p == MAP_FAILED ? NULL : p;
		if (m->at)
			count(DID_MAP);
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
		p[i] = (struct pollfd){ .fd = file_for(t, PRODUCES | READS), .events = roll(t) };
	if (poll(p, 3, chance(t, 20)) > 0)
		count(DID_POLL);
	t->answered = 1;
	if (!chance(t, 4))
		return;
	/* It stays in place of a file, and watches the others until it is closed. */
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return;
	for (int i = 0; i < 3; i++)
		epoll_ctl(epoll, EPOLL_CTL_ADD, p[i].fd, &event);
	epoll_wait(epoll, &event, 1, 0);
	keep_file(t, epoll, 0);
}

/* Files on their way to somebody: only the message has them. */
static void do_pass(struct thread *t)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { 0 };
	unsigned int at = pick(t, FILES);
	int fd = files[at].fd, role = files[at].role;
	struct iovec iov = { &role, sizeof(role) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	if (chance(t, 2)) {
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
						   .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		(void)!sendmsg(ends[0], &message, MSG_DONTWAIT);
		return;
	}
	t->answered = 1;
	if (recvmsg(ends[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(role) ||
	    control.header.cmsg_type != SCM_RIGHTS || !message.msg_controllen)
		return;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	count(DID_PASS);
	keep_file(t, fd, role);
}

/* A child with copies of all files and maps, which dies somewhere. */
static void do_fork(struct thread *t)
{
	pid_t pid = fork();

	t->answered = 1;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
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
	count(DID_FORK);
}

/* Reads until it waits, by a file of its own that may wait. */
static void read_and_wait(unsigned int node)
{
	char path[32] = "/dev/devring", buffer[4096];
	int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Nobody else ends who waits for what does not come. */
	alarm(30);
	for (unsigned int i = 0; i < DEVICES && fd < 0; i++) {
		if (node)
			snprintf(path, sizeof(path), "/dev/devring%llu", minors[(node + i) % DEVICES]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	_exit(0);
}

static char task_state(pid_t pid)
{
	char path[32], text[256] = "", *p;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 'X';
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	p = strrchr(text, ')');
	return p && p[1] ? p[2] : 'X';
}

/* A child that waits in a read is killed there. */
static void do_wait(struct thread *t)
{
	unsigned int node = chance(t, 2) ? 0 : 1 + pick(t, DEVICES);
	struct timespec pause = { .tv_nsec = 50000 };
	pid_t pid = fork();
	char state = 'R';

	t->answered = 1;
	if (pid == 0)
		read_and_wait(node);
	if (pid < 0)
		return;
	for (int i = 0; i < 40 && (state == 'R' || state == 'D'); i++) {
		nanosleep(&pause, NULL);
		state = task_state(pid);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (state == 'S')
		count(node ? DID_WAIT : DID_LISTEN);
}

static void do_dup(struct thread *t)
{
	unsigned int at = pick(t, FILES);

	keep_file(t, dup(files[at].fd), files[at].role);
}

static void do_one(struct thread *t, unsigned int what)
{
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
		do_write(t, file_for(t, PRODUCES), NULL, 0);
	else if (what < 88)
		do_map(t);
	else if (what < 94)
		do_poll(t);
	else if (what < 96)
		do_pass(t);
	else if (what < 98)
		do_dup(t);
	else if (what < 99 && chance(t, 2))
		do_wait(t);
	else if (chance(t, 3))
		do_fork(t);
}

static void *run(void *argument)
{
	struct thread *t = argument;

	for (unsigned int i = 0; i < ops; i++) {
		unsigned int what;

		begin(t, i);
		what = pick(t, 100);
		do_one(t, what);
		if (verbose)
			fprintf(stderr, "# thread %u op %u kind %u digest %016llx\n", t->number, i, what,
				(unsigned long long)t->digest);
	}
	return NULL;
}

/* A map never gives a signal, whatever becomes of what it shows. */
static void on_signal(int number)
{
	char text[] = "not ok 2 - no map gives a signal (00)\n";

	text[34] += number / 10;
	text[35] += number % 10;
	(void)!write(1, text, sizeof(text) - 1);
	_exit(1);
}

/* Lets go of everything; what the persistent devices were is ended by hand.  False if something is left. */
static int let_go(struct devring_info *info)
{
	int control = open("/dev/devring", O_RDWR);
	struct devring_query q = INIT(devring_query, .flags = DEVRING_QUERY_NEXT);
	int asked = 0;

	for (int i = 0; i < MAPS; i++)
		if (maps[i].at)
			munmap(maps[i].at, maps[i].bytes);
	for (int i = 0; i < FILES; i++)
		if (files[i].fd > 0)
			close(files[i].fd);
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
		asked = !ioctl(control, DEVRING_IOC_INFO, info);
		if (!asked || (!info->devices && !info->total_bytes))
			break;
		usleep(10000);
	}
	close(control);
	return asked && !info->devices && !info->total_bytes;
}

/* What a run in a process of its own did, files and all; 0 if it came to no end. */
static uint64_t digest_of_run(void)
{
	atomic_ullong *digest = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct thread t = { .number = 0 };
	struct devring_info info;
	uint64_t result;
	pid_t pid = digest == MAP_FAILED ? -1 : fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(100);
		if (ops > OPS_REPLAYED)
			ops = OPS_REPLAYED;
		run(&t);
		if (let_go(&info))
			*digest = t.digest;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return 0;
	result = *digest;
	munmap(digest, 4096);
	return result;
}

/* Runs all threads to their ends. */
static int run_all(void)
{
	struct timespec began, ended;
	struct thread t[THREADS_MAX];
	double s;

	clock_gettime(CLOCK_MONOTONIC, &began);
	for (unsigned int i = 0; i < threads; i++) {
		t[i] = (struct thread){ .number = i };
		if (pthread_create(&t[i].thread, NULL, run, &t[i]))
			return perror("pthread_create"), -1;
	}
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(t[i].thread, NULL);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	s = ended.tv_sec - began.tv_sec + (ended.tv_nsec - began.tv_nsec) / 1e9;
	printf("# seed %llu, %llu operations in %.1f s, %.0f a second\n", seed, (unsigned long long)ops * threads, s,
	       (unsigned long long)ops * threads / s);
	return 0;
}

static int failures;

static void tell(int number, int ok, const char *text)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", number, text);
	failures += !ok;
}

static int take_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' }, { "ops", required_argument, NULL, 'o' },
		{ "threads", required_argument, NULL, 't' }, { "verbose", no_argument, NULL, 'v' }, { }
	};
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
			return fprintf(stderr, "usage: fuzz [--seed N] [--ops N] [--threads 1..8] [--verbose]\n"), -1;
	}
	return 0;
}

/* What is there before the kernel is asked for anything. */
static int prepare(void)
{
	signal(SIGBUS, on_signal);
	signal(SIGSEGV, on_signal);
	signal(SIGPIPE, SIG_IGN);
	edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (edge == MAP_FAILED || mprotect(edge + 4096, 4096, PROT_NONE))
		return perror("mmap"), -1;
	edge += 4096;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends))
		return perror("socketpair"), -1;
	for (int i = 0; i < MAPS; i++)
		pthread_mutex_init(&maps[i].lock, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	int control, missing, enough;
	struct devring_info info = INIT(devring_info), left = { 0 };
	uint64_t digests[2];

	if (take_options(argc, argv) || prepare())
		return 2;
	enough = (uint64_t)ops * threads >= OPS_ENOUGH;
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("TAP version 13\n1..%d\n# seed %llu, %u operations in each of %u threads\n", 4 + enough, seed, ops,
	       threads);
	control = open("/dev/devring", O_RDWR | O_CLOEXEC);
	tell(1, !ioctl(control, DEVRING_IOC_INFO, &info), "there is something to fuzz");
	close(control);
	if (failures)
		return 1;
	for (int i = 0; i < 2; i++)
		digests[i] = digest_of_run();
	if (run_all())
		return 2;
	tell(2, 1, "no map gives a signal");
	tell(3, let_go(&left), "nothing is left");
	if (left.devices || left.total_bytes)
		printf("# %u devices, %llu bytes\n", left.devices, (unsigned long long)left.total_bytes);
	printf("# digests %016llx and %016llx\n", (unsigned long long)digests[0], (unsigned long long)digests[1]);
	tell(4, digests[0] && digests[0] == digests[1], "a seed does the same each time");
	missing = tell_deeds(info.features);
	if (enough)
		tell(5, !missing, "something of each kind was done");
	return !!failures;
}
