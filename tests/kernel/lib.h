/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the kernel module share.
 *
 * Calls here return a value from 0, or a negative errno, so that one EXPECT_EQ() says it all.  Whatever the kernel
 * writes is poisoned with 0xcc first: a member that it forgets is seen.
 */
#ifndef DEVRING_TESTS_LIB_H
#define DEVRING_TESTS_LIB_H

/* The harness compares whatever it is given, keeps locals over setjmp(), and defines global functions. */
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wclobbered"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wunused-parameter"

#include <stdlib.h>

/* How many times longer to wait than elsewhere: DEVRING_SLOW, for a kernel that checks everything. */
static inline unsigned int slowness(void)
{
	const char *factor = getenv("DEVRING_SLOW");

	return factor ? atoi(factor) : 1;
}

/* The harness ends a test by it. */
#include <unistd.h>
#define alarm(seconds)	alarm((seconds) * slowness())
#include <kselftest_harness.h>

/* Seconds, for what takes three on a machine with nothing else to do. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <linux/devring.h>

#define CONTROL_NODE	"/dev/devring"
#define POISON		0xcc
#define WAIT_MS		(15000 * slowness())	/* for what must happen; never so long if all is well */
#define USER_A		1000		/* users without any right */
#define USER_B		1001
#define PAGE		((size_t)sysconf(_SC_PAGESIZE))
#define RW		(PROT_READ | PROT_WRITE)
#define ARGS		struct __test_metadata *_metadata

#define INIT(type, ...)	((struct type){ .size = sizeof(struct type), ##__VA_ARGS__ })

/* ---- plain calls ---- */

static inline long rc(long result)
{
	return result < 0 ? -errno : result;
}

static inline long call(int fd, unsigned long command, void *arg)
{
	return rc(ioctl(fd, command, arg));
}

static inline int control_open(int flags)
{
	return rc(open(CONTROL_NODE, flags | O_CLOEXEC));
}

/* A call of the control node, opened for it: its result, or a negative errno. */
static inline int control_call(int flags, unsigned long command, void *arg)
{
	int control = control_open(flags);
	int result = control < 0 ? control : call(control, command, arg);

	if (control >= 0)
		close(control);
	return result;
}

static inline unsigned short ready_within(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) < 0 ? 0xffff : (unsigned short)p.revents;
}

/* What poll() says now; and what it says as soon as it says anything. */
static inline unsigned short ready(int fd, short events)
{
	return ready_within(fd, events, 0);
}

static inline unsigned short wait_ready(int fd, short events)
{
	return ready_within(fd, events, WAIT_MS);
}

static inline uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static inline void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/* Wait until @condition holds; it is tested again after the test's own time-out ended the loop. */
#define WAIT_FOR(condition) do {							\
	uint64_t until_ = now_ns(CLOCK_MONOTONIC) + WAIT_MS * 1000000ULL;		\
	while (!(condition) && now_ns(CLOCK_MONOTONIC) < until_)			\
		nap();									\
	ASSERT_TRUE(condition);								\
} while (0)

static inline void *map_of(int fd, uint64_t offset, size_t bytes, int prot)
{
	return mmap(NULL, bytes, prot, MAP_SHARED, fd, offset);
}

/* What mmap() says: 0 or a negative errno.  The mapping is undone. */
static inline int map_errno(int fd, uint64_t offset, size_t bytes, int prot, int flags)
{
	void *p = mmap(NULL, bytes, prot, flags, fd, offset);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, bytes);
	return 0;
}

static inline int all_bytes(const volatile void *memory, size_t bytes, unsigned char value)
{
	const volatile unsigned char *p = memory;

	for (size_t i = 0; i < bytes; i++)
		if (p[i] != value)
			return 0;
	return 1;
}

/* A page that every access to is EFAULT. */
static inline void *bad_address(void)
{
	return mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* ---- other processes and users ---- */

static inline void become(uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		_exit(99);
	/* Or its /proc files belong to root. */
	prctl(PR_SET_DUMPABLE, 1);
}

/* CHILD(pid) { what the child does; its EXPECTs and ASSERTs count }; then wait_child(_metadata, pid). */
#define CHILD(pid) \
	for (pid = child_fork(_metadata); pid == 0; _exit(_metadata->passed ? 0 : 1))

static inline pid_t child_fork(ARGS)
{
	pid_t pid, parent = getpid();

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		_metadata->passed = 1;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Whose parent had died before that is told nothing.  0: it is in another pid namespace. */
		if (getppid() && getppid() != parent)
			_exit(97);
	}
	return pid;
}

static inline void wait_child(ARGS, pid_t pid)
{
	int status = -1;

	ASSERT_GT(pid, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static inline void kill_child(ARGS, pid_t pid)
{
	int status = -1;

	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

/* A pipe on which processes tell each other that they got somewhere. */
static inline void tell(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(98);
}

static inline void hear(ARGS, int fd)
{
	char c;

	ASSERT_EQ(POLLIN, wait_ready(fd, POLLIN) & POLLIN);
	ASSERT_EQ(1, read(fd, &c, 1));
}

static inline char task_state(pid_t pid)
{
	char path[64], text[512] = "", *p;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	p = n > 0 ? strrchr(text, ')') : NULL;
	return p ? p[2] : 'X';
}

/* One byte over a socket, and a descriptor with it: 1, or a negative errno. */
static inline long send_fd(int socket, int fd)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr header; } control = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					   .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return rc(sendmsg(socket, &message, 0));
}

/* What send_fd() sent: a descriptor, or a negative errno. */
static inline int receive_fd(int socket)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr header; } control = { 0 };
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	long n = rc(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
	int fd;

	if (n != 1 || control.header.cmsg_type != SCM_RIGHTS)
		return n < 0 ? n : -EBADMSG;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* Wait until @pid (a process, or a thread by its tid) sleeps. */
#define WAIT_ASLEEP(pid) WAIT_FOR(task_state(pid) == 'S')

/* ---- records ---- */

union record {
	struct devring_record rec;
	struct devring_frame frame;
	struct devring_generation generation;
	struct devring_state_change state;
	struct devring_slot slot;
	struct devring_readers readers;
	struct devring_change change;
	unsigned char bytes[DEVRING_CHANGE_MAX];
};

/* A reader or a listener: the file, and what one read() brought and was not looked at yet. */
struct stream {
	int fd;
	unsigned int room;
	unsigned int at;
	unsigned int filled;
	unsigned char buffer[DEVRING_CHANGE_MAX];
};

static inline struct stream stream_of(int fd, unsigned int room)
{
	return (struct stream){ .fd = fd, .room = room };
}

/* The next record: its kind, 0 at the end of file, or a negative errno. */
static inline int next(struct stream *s, union record *r)
{
	const struct devring_record *rec;

	if (s->at >= s->filled) {
		long n;

		memset(s->buffer, POISON, sizeof(s->buffer));
		n = rc(read(s->fd, s->buffer, s->room));
		s->at = 0;
		s->filled = n < 0 ? 0 : n;
		if (n <= 0)
			return n;
	}
	rec = (void *)(s->buffer + s->at);
	memset(r, POISON, sizeof(*r));
	if (rec->size < sizeof(*rec) || rec->size % 8 || s->at + rec->size > s->filled)
		return -EBADMSG;
	memcpy(r, rec, rec->size);
	s->at += rec->size;
	return rec->kind;
}

/* The next frame, past all news: 0, or a negative errno; ENODATA at the end of file. */
static inline int next_frame(struct stream *s, struct devring_frame *frame)
{
	union record r;
	int kind;

	do {
		kind = next(s, &r);
	} while (kind == DEVRING_RECORD_GENERATION || kind == DEVRING_RECORD_STATE);
	if (kind != DEVRING_RECORD_FRAME)
		return kind < 0 ? kind : -ENODATA;
	*frame = r.frame;
	return 0;
}

/* Read all news; frames and the errno after them are left to say: the errno, 0 at the end, or FRAME. */
static inline int skip_news(struct stream *s)
{
	union record r;
	int kind;

	do {
		kind = next(s, &r);
	} while (kind == DEVRING_RECORD_GENERATION || kind == DEVRING_RECORD_STATE);
	return kind;
}

/* ---- frames with content that can be recognised ---- */

static inline uint64_t pattern(uint64_t sequence, size_t word)
{
	return (sequence + 1) * 0x9e3779b97f4a7c15ULL + word;
}

static inline void fill(void *memory, size_t bytes, uint64_t sequence)
{
	uint64_t *p = memory;

	for (size_t i = 0; i < bytes / 8; i++)
		p[i] = pattern(sequence, i);
}

/* All words of the frame are those of @sequence. */
static inline int is_frame(const volatile void *memory, size_t bytes, uint64_t sequence)
{
	const volatile uint64_t *p = memory;

	for (size_t i = 0; i < bytes / 8; i++)
		if (p[i] != pattern(sequence, i))
			return 0;
	return 1;
}

/* ---- devices ---- */

struct source {
	int fd;				/* the producer's, or a sink's registrant's */
	uint64_t id;
	uint32_t minor;
	uint64_t head;			/* frames that produce() committed */
	struct devring_geometry g;
	unsigned char *map;		/* metadata and slots, writable */
	char node[32];
};

static inline struct devring_register registration(const char *name, uint32_t flags)
{
	struct devring_register r = INIT(devring_register, .flags = flags,
					 .type = DEVRING_TYPE_CAMERA);

	memset(&r.id, POISON, sizeof(r.id));
	memset(&r.minor, POISON, sizeof(r.minor));
	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.label, sizeof(r.label), "Test %s", name);
	return r;
}

/* The new device's fd, or a negative errno. */
static inline int registered(struct devring_register *r)
{
	return control_call(O_RDWR, DEVRING_IOC_REGISTER, r);
}

/* @deadline_ms: with DEVRING_REG_LOSSLESS */
static inline int source_register_lossless(struct source *s, const char *name, uint32_t flags, uint32_t deadline_ms)
{
	struct devring_register r = registration(name, flags);

	r.deadline_ms = deadline_ms;
	memset(s, 0, sizeof(*s));
	s->fd = registered(&r);
	if (s->fd < 0)
		return s->fd;
	s->id = r.id;
	s->minor = r.minor;
	snprintf(s->node, sizeof(s->node), "/dev/devring%u", r.minor);
	return 0;
}

static inline int source_register(struct source *s, const char *name, uint32_t flags)
{
	return source_register_lossless(s, name, flags, 0);
}

static inline int set_ring(int fd, uint32_t slots, uint32_t slot_size, uint32_t metadata_size,
			   struct devring_geometry *g)
{
	struct devring_set_ring r = INIT(devring_set_ring, .slots = slots, .slot_size = slot_size,
					 .metadata_size = metadata_size);
	int result;

	memset(&r.geometry, POISON, sizeof(r.geometry));
	result = call(fd, DEVRING_IOC_SET_RING, &r);
	if (g && result == 0)
		*g = r.geometry;
	return result;
}

static inline uint64_t area_bytes(const struct devring_geometry *g)
{
	return g->ring_offset + g->ring_bytes - g->metadata_offset;
}

/* The producer's view of metadata and slots. */
static inline int source_map(struct source *s)
{
	s->map = map_of(s->fd, s->g.metadata_offset, area_bytes(&s->g), RW);
	return s->map == MAP_FAILED ? -errno : 0;
}

static inline int source_ring(struct source *s, uint32_t slots, uint32_t slot_size,
			      uint32_t metadata_size)
{
	int result = set_ring(s->fd, slots, slot_size, metadata_size, &s->g);

	return result ?: source_map(s);
}

/* A source that can produce; the test ends here if there is none. */
static inline void source_up(ARGS, struct source *s, const char *name, uint32_t flags,
			     uint32_t slots, uint32_t slot_size, uint32_t metadata_size)
{
	ASSERT_EQ(0, source_register(s, name, flags));
	ASSERT_EQ(0, source_ring(s, slots, slot_size, metadata_size));
}

static inline void *slot_at(const struct source *s, uint64_t offset)
{
	return s->map + (offset - s->g.metadata_offset);
}

/* The next slot, past news of readers: 0, or a negative errno. */
static inline int take(int fd, struct devring_slot *slot)
{
	union record r;

	for (;;) {
		long n;

		memset(&r, POISON, sizeof(r));
		n = rc(read(fd, &r, sizeof(r.slot)));
		if (n != sizeof(r.slot))
			return n < 0 ? n : -EBADMSG;
		if (r.rec.kind == DEVRING_RECORD_SLOT)
			break;
		if (r.rec.kind != DEVRING_RECORD_READERS)
			return -EBADMSG;
	}
	*slot = r.slot;
	return 0;
}

static inline struct devring_commit committing(const struct devring_slot *slot, uint32_t bytes,
					       uint32_t flags)
{
	return (struct devring_commit){
		.rec = { .size = sizeof(struct devring_commit), .kind = DEVRING_RECORD_COMMIT },
		.generation = slot->generation, .slot = slot->slot, .bytes = bytes, .flags = flags,
	};
}

static inline struct devring_return returning(const struct devring_slot *slot)
{
	return (struct devring_return){
		.rec = { .size = sizeof(struct devring_return), .kind = DEVRING_RECORD_RETURN },
		.generation = slot->generation, .slot = slot->slot,
	};
}

/* Write records: 0 if all were taken, a negative errno, or the bytes that were. */
static inline long put(int fd, const void *records, size_t bytes)
{
	long n = rc(write(fd, records, bytes));

	return n == (long)bytes ? 0 : n;
}

static inline long commit(int fd, const struct devring_slot *slot, uint32_t bytes, uint32_t flags)
{
	struct devring_commit c = committing(slot, bytes, flags);

	return put(fd, &c, sizeof(c));
}

static inline long give_back(int fd, const struct devring_slot *slot)
{
	struct devring_return r = returning(slot);

	return put(fd, &r, sizeof(r));
}

/* Fill and commit @count frames, each full, with the pattern of its sequence in slot and metadata. */
static inline int produce(struct source *s, unsigned int count)
{
	while (count--) {
		struct devring_slot slot;
		int result = take(s->fd, &slot);

		if (result)
			return result;
		fill(slot_at(s, slot.offset), s->g.slot_size, s->head);
		fill(slot_at(s, slot.metadata_offset), s->g.metadata_size, s->head);
		result = commit(s->fd, &slot, s->g.slot_size, 0);
		if (result)
			return result;
		s->head++;
	}
	return 0;
}

static inline int node_open(const struct source *s, int flags)
{
	return rc(open(s->node, flags | O_CLOEXEC));
}

static inline struct stream reader_open(const struct source *s, int flags)
{
	return stream_of(node_open(s, flags), DEVRING_RECORD_MAX);
}

static inline int set_reader(int fd, uint32_t flags, uint32_t start, uint32_t holds)
{
	struct devring_set_reader r = INIT(devring_set_reader, .flags = flags, .start = start,
					   .holds = holds);

	return call(fd, DEVRING_IOC_SET_READER, &r);
}

/* A reader that does not wait, got all news, and is due the next frame that is committed. */
static inline void reader_up(ARGS, const struct source *s, struct stream *reader)
{
	*reader = reader_open(s, O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, reader->fd);
	ASSERT_EQ(0, set_reader(reader->fd, 0, DEVRING_START_NEXT, 1));
	ASSERT_EQ(-EAGAIN, skip_news(reader));
}

static inline int release(int fd, uint64_t sequence)
{
	struct devring_release r = INIT(devring_release, .sequence = sequence);

	return call(fd, DEVRING_IOC_RELEASE, &r);
}

static inline int set_state(int fd, uint32_t state, int error)
{
	struct devring_set_state r = INIT(devring_set_state, .state = state, .error = error);

	return call(fd, DEVRING_IOC_SET_STATE, &r);
}

/* A format that differs for each @tag; its number, or a negative errno. */
static inline int set_format(int fd, uint64_t tag)
{
	struct devring_set_format r = INIT(devring_set_format,
					   .format.kind = DEVRING_FORMAT_BYTES);
	int result;

	snprintf(r.format.bytes.media_type, sizeof(r.format.bytes.media_type), "test/%llu",
		 (unsigned long long)tag);
	result = call(fd, DEVRING_IOC_SET_FORMAT, &r);
	return result ?: (int)r.format.generation;
}

/* By a device's file, or with @id by the control node. */
static inline int query(int fd, uint64_t id, struct devring_device *d)
{
	struct devring_query q = INIT(devring_query, .id = id);
	int result;

	memset(&q.device, POISON, sizeof(q.device));
	result = call(fd, DEVRING_IOC_QUERY, &q);
	*d = q.device;
	return result;
}

static inline struct devring_device device_of(ARGS, const struct source *s)
{
	struct devring_device d;

	ASSERT_EQ(0, query(s->fd, 0, &d));
	return d;
}

static inline int by_id(unsigned long command, uint32_t flags, uint64_t id)
{
	struct devring_attach a = INIT(devring_attach, .flags = flags, .id = id);

	return control_call(O_RDWR, command, &a);
}

/* A reader of a PUBLIC device, or of one that the caller may manage: an fd, or a negative errno. */
static inline int public_reader(uint64_t id)
{
	struct devring_open o = INIT(devring_open, .flags = O_NONBLOCK, .id = id);

	return control_call(O_RDONLY, DEVRING_IOC_OPEN, &o);
}

static inline int unregister(uint64_t id)
{
	return by_id(DEVRING_IOC_UNREGISTER, 0, id);
}

/* Become the next producer: the new fd, or a negative errno. */
static inline int attach(uint64_t id, uint32_t flags)
{
	return by_id(DEVRING_IOC_ATTACH, flags, id);
}

static inline int take_away(int fd, uint32_t what, uint32_t uid, uint64_t reader, uint32_t *revoked)
{
	struct devring_revoke r = INIT(devring_revoke, .what = what, .uid = uid, .reader = reader);
	int result;

	memset(&r.revoked, POISON, sizeof(r.revoked));
	result = call(fd, DEVRING_IOC_REVOKE, &r);
	if (revoked)
		*revoked = r.revoked;
	return result;
}

/* Who reads: how many there are, of which up to @count are told. */
static inline int list_readers(int fd, struct devring_reader *readers, uint32_t count)
{
	struct devring_list_readers l = INIT(devring_list_readers,
					     .readers = (uintptr_t)readers, .count = count,
					     .reader_size = sizeof(*readers));
	int result;

	memset(readers, POISON, count * sizeof(*readers));
	result = call(fd, DEVRING_IOC_READERS, &l);
	return result ?: (int)l.count;
}

/* The entry of this very file. */
static inline struct devring_reader myself(ARGS, int fd)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	int n = list_readers(fd, readers, DEVRING_READERS_MAX);

	ASSERT_LE(0, n);
	for (int i = 0; i < n; i++)
		if (readers[i].flags & DEVRING_READER_IS_SELF)
			return readers[i];
	ASSERT_TRUE(!"READERS tells the file that asks");
	return readers[0];
}

static inline struct devring_info info_now(ARGS)
{
	struct devring_info info;
	int control = control_open(O_RDONLY);

	memset(&info, POISON, sizeof(info));
	info.size = sizeof(info);
	ASSERT_EQ(0, call(control, DEVRING_IOC_INFO, &info));
	close(control);
	return info;
}

/* ---- settings of the machine, put back by the teardown of FIXTURE(settings) ---- */

#define PARAMETERS	"/sys/module/devring/parameters/"

FIXTURE(settings) {
	mode_t mode;
	char parameters[8][16];
};

static const char *const parameter_names[] = {
	"user_devices", "user_registrations", "user_readers", "user_holds", "user_mb",
	"total_devices", "total_readers", "total_mb",
};

static inline int parameter_io(const char *name, char *text, size_t size, int flags)
{
	char path[96];
	int fd, n;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = rc(flags == O_RDONLY ? read(fd, text, size) : write(fd, text, size));
	close(fd);
	return n;
}

static inline int set_limit(const char *name, unsigned int value)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", value);

	return parameter_io(name, text, n, O_WRONLY) == n ? 0 : -EIO;
}

/* Let everybody write the control node. */
static inline int open_control_to_all(void)
{
	return rc(chmod(CONTROL_NODE, 0666));
}

FIXTURE_SETUP(settings)
{
	struct stat st;

	ASSERT_EQ(0, stat(CONTROL_NODE, &st));
	self->mode = st.st_mode & 07777;
	for (unsigned int i = 0; i < ARRAY_SIZE(parameter_names); i++) {
		memset(self->parameters[i], 0, 16);
		ASSERT_LT(0, parameter_io(parameter_names[i], self->parameters[i], 15, O_RDONLY));
	}
}

FIXTURE_TEARDOWN(settings)
{
	EXPECT_EQ(0, chmod(CONTROL_NODE, self->mode));
	for (unsigned int i = 0; i < ARRAY_SIZE(parameter_names); i++) {
		EXPECT_LT(0, parameter_io(parameter_names[i], self->parameters[i],
					  strlen(self->parameters[i]), O_WRONLY));
	}
}

static inline int raise_file_limit(unsigned int files)
{
	return rc(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ files, files }));
}

#endif
