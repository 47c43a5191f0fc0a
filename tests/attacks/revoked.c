// SPDX-License-Identifier: GPL-2.0-only
/* Revoked readers, and every way to read on. */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#include "revoked.h"
#include "uring.h"

/* ---- maps ---- */

TEST_F(revoked, touched_map)
{
	for (int i = 0; i < 2; i++) {
		cut_off(_metadata, BOTH[i]);
		EXPECT_TRUE(shows_nothing(BOTH[i]->p));
	}
}

TEST_F(revoked, untouched_map)
{
	for (int i = 0; i < 2; i++) {
		cut_off(_metadata, BOTH[i]);
		mlock(BOTH[i]->untouched, FRAME);
		madvise(BOTH[i]->untouched, FRAME, MADV_POPULATE_READ);
		EXPECT_TRUE(shows_nothing(BOTH[i]->untouched));
	}
}

TEST_F(revoked, fork)
{
	int go[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	CHILD(pid) {
		hear(_metadata, go[0]);
		for (int i = 0; i < 2; i++) {
			EXPECT_TRUE(shows_nothing(BOTH[i]->p));
			EXPECT_TRUE(shows_nothing(BOTH[i]->untouched));
		}
	}
	cut_off(_metadata, &self->v);
	cut_off(_metadata, &self->undefended);
	tell(go[1]);
	wait_child(_metadata, pid);
	/* Nor does one that is made now. */
	CHILD(pid) {
		for (int i = 0; i < 2; i++)
			EXPECT_TRUE(shows_nothing(BOTH[i]->p));
	}
	wait_child(_metadata, pid);
}

static unsigned char *moved(ARGS, unsigned char *p)
{
	unsigned char *gap = mmap(NULL, FRAME, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(gap, mremap(p, FRAME, FRAME, MREMAP_MAYMOVE | MREMAP_FIXED, gap));
	return gap;
}

TEST_F(revoked, mremap)
{
	for (int i = 0; i < 2; i++) {
		struct victim *v = BOTH[i];

		v->p = moved(_metadata, v->p);
		EXPECT_TRUE(is_frame(v->p, FRAME, 0));
		cut_off(_metadata, v);
		EXPECT_TRUE(shows_nothing(v->p));
		EXPECT_TRUE(shows_nothing(moved(_metadata, v->p)));
		EXPECT_TRUE(shows_nothing(moved(_metadata, v->untouched)));
	}
}

/* A map of a generation whose place in the file another has now. */
TEST_F(revoked, map_of_an_old_generation)
{
	struct victim *v = &self->v;
	unsigned char *p;

	ASSERT_EQ(0, release(v->r.fd, 0));
	for (int i = 0; i < 1024; i++)
		ASSERT_EQ(0, set_ring(v->s.fd, RING_SLOTS, FRAME, 0, &v->s.g));
	munmap(v->s.map, area_bytes(&v->s.g));
	ASSERT_EQ(0, source_map(&v->s));
	ASSERT_EQ(v->f.offset & ~((1ULL << 34) - 1), v->s.g.ring_offset & ~((1ULL << 34) - 1));
	go_on(_metadata, v);
	p = map_of(v->r.fd, v->f.offset, FRAME, PROT_READ);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(shows_later(p));
	EXPECT_TRUE(shows_nothing(v->p));
	EXPECT_TRUE(shows_nothing(v->untouched));
}

/* ---- descriptors ---- */

static int passed(ARGS, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	ASSERT_EQ(1, sendmsg(ends[0], &m, 0));
	ASSERT_EQ(1, recvmsg(ends[1], &m, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void expect_no_use(ARGS, const struct victim *v, int fd)
{
	struct devring_grant grant = INIT(devring_grant);
	unsigned char copy[FRAME];

	EXPECT_EQ(-ENODEV, rc(read(fd, copy, sizeof(copy))));
	EXPECT_EQ(-ENODEV, rc(pread(fd, copy, sizeof(copy), v->f.offset)));
	EXPECT_EQ(-ENODEV, rc(pread(fd, copy, sizeof(copy), 0)));
	EXPECT_EQ(-ENODEV, map_errno(fd, v->f.offset, FRAME, PROT_READ, MAP_SHARED));
	EXPECT_EQ(-ENODEV, map_errno(fd, 0, PAGE, PROT_READ, MAP_SHARED));
	/* What was granted cannot grant, whether it is revoked or not. */
	EXPECT_GT(0, call(fd, DEVRING_IOC_GRANT, &grant));
}

TEST_F(revoked, dup_and_scm_rights)
{
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		struct victim *v = BOTH[i];
		int fds[] = { v->r.fd, dup(v->r.fd), passed(_metadata, v->r.fd) };
		unsigned char undefended[FRAME];

		ASSERT_EQ(FRAME, rc(pread(fds[2], undefended, FRAME, v->f.offset)));
		EXPECT_TRUE(is_frame(undefended, FRAME, 0));
		cut_off(_metadata, v);
		CHILD(pid) {
			become(USER_A);
			for (int n = 0; n < 3; n++)
				expect_no_use(_metadata, v, fds[n]);
		}
		wait_child(_metadata, pid);
	}
}

/* What was granted before goes too. */
TEST_F(revoked, grant)
{
	struct victim *v = &self->v;
	struct devring_grant grant = INIT(devring_grant);
	int fd = call(v->r.fd, DEVRING_IOC_GRANT, &grant);
	unsigned char *p = map_of(fd, v->f.offset, FRAME, PROT_READ);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(is_frame(p, FRAME, 0));
	ASSERT_EQ(0, take_away(v->s.fd, DEVRING_REVOKE_READER, 0, myself(_metadata, v->r.fd).id, NULL));
	go_on(_metadata, v);
	EXPECT_TRUE(shows_nothing(p));
	expect_no_use(_metadata, v, fd);
	expect_no_use(_metadata, v, v->r.fd);
	EXPECT_EQ(-ENODEV, call(v->r.fd, DEVRING_IOC_GRANT, &grant));
}

/* ---- another process's eyes ---- */

static long memory_by_readv(pid_t pid, unsigned char *p, unsigned char *copy)
{
	struct iovec to = { copy, FRAME }, from = { p, FRAME };
	long n = rc(process_vm_readv(pid, &to, 1, &from, 1, 0));

	return n == FRAME ? 0 : n;
}

TEST_F(revoked, process_vm_readv)
{
	expect_blind(_metadata, self, memory_by_readv, -EFAULT);
}

/* ---- pinned pages ---- */

/* The page is in a pipe, and a second pipe has it from there. */
TEST_F(revoked, vmsplice_and_tee)
{
	for (int i = 0; i < 2; i++) {
		struct victim *v = BOTH[i];
		struct iovec page = { v->p, FRAME };
		int one[2], two[2];
		long n;

		ASSERT_EQ(0, pipe(one));
		ASSERT_EQ(0, pipe(two));
		n = rc(vmsplice(one[1], &page, 1, 0));
		EXPECT_EQ(i ? FRAME : -EFAULT, n);
		cut_off(_metadata, v);
		while (i && n > 0) {
			unsigned char copy[FRAME];

			/* Each time it is read the page shows what is in it now. */
			ASSERT_EQ(FRAME, tee(one[0], two[1], FRAME, SPLICE_F_NONBLOCK));
			ASSERT_EQ(FRAME, read(two[0], copy, FRAME));
			EXPECT_TRUE(shows_later(copy));
			n -= FRAME / 2;
			go_on(_metadata, v);
		}
		EXPECT_EQ(-EFAULT, rc(vmsplice(one[1], &(struct iovec){ self->v.p, FRAME }, 1, 0)));
	}
}

/* Kernels before 6.5 register no driver's map. */
TEST_F(revoked, io_uring_registered_buffer)
{
	for (int i = 0; i < 2; i++) {
		struct victim *v = BOTH[i];
		struct uring u;
		int result, file = memfd_create("copy", MFD_CLOEXEC);
		struct io_uring_sqe sqe = uring_io(IORING_OP_WRITE_FIXED, file, v->p, FRAME);
		unsigned char copy[FRAME];

		ASSERT_EQ(0, uring_up(&u));
		result = uring_register(&u, v->p, FRAME);
		/* The buffer is to be read only, but is pinned to be written. */
		EXPECT_EQ(-EFAULT, result) TH_LOG("device %d", i);
		cut_off(_metadata, v);
		sqe.off = 0;
		EXPECT_GT(0, uring_do(&u, &sqe));
		EXPECT_EQ(0, rc(pread(file, copy, FRAME, 0)));
		close(u.fd);
	}
	/* The producer's own map is none of this. */
	struct uring undefended;
	void *memory = mmap(NULL, FRAME, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, uring_up(&undefended));
	EXPECT_EQ(0, uring_register(&undefended, memory, FRAME));
}

/* ---- calls in flight ---- */

/* Fills a pipe, so that the next write waits; returns how much there is to drain. */
static long fill_pipe(int fd)
{
	static const unsigned char nothing[FRAME];
	long n, all = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = write(fd, nothing, sizeof(nothing))) > 0)
		all += n;
	fcntl(fd, F_SETFL, 0);
	return all;
}

/* A write out of the map waits for a pipe: what it copies is what the map shows then. */
TEST_F(revoked, io_uring_write_in_flight)
{
	for (int i = 0; i < 3; i++) {
		struct victim *v = BOTH[!i];
		unsigned char copy[FRAME];
		struct io_uring_sqe sqe;
		struct uring u;
		int ends[2];
		long all;

		ASSERT_EQ(0, pipe(ends));
		all = fill_pipe(ends[1]);
		sqe = uring_io(IORING_OP_WRITE, ends[1], i == 2 ? v->untouched : v->p, FRAME);
		ASSERT_EQ(0, uring_up(&u));
		ASSERT_EQ(1, uring_submit(&u, &sqe));
		if (i) {
			cut_off(_metadata, v);
		} else {
			ASSERT_EQ(0, release(v->r.fd, 0));
			go_on(_metadata, v);
		}
		for (long n; all > 0; all -= n) {
			n = read(ends[0], copy, FRAME);
			ASSERT_LT(0, n);
		}
		ASSERT_EQ(FRAME, uring_wait(&u));
		ASSERT_EQ(FRAME, read(ends[0], copy, FRAME));
		/* The first is not revoked, and undefended. */
		if (i) {
			EXPECT_TRUE(shows_nothing(copy));
		} else {
			EXPECT_TRUE(shows_later(copy));
		}
		close(u.fd);
		if (i == 1) {
			victim_up(_metadata, &self->v, "again", 0);
		}
	}
}

struct write {
	int fd;
	pid_t tid;
	const unsigned char *from;
	long result;
};

static void *write_in_a_thread(void *argument)
{
	struct write *w = argument;

	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	w->result = rc(write(w->fd, w->from, FRAME));
	return NULL;
}

/* A plain write() out of the map, to a pipe that nobody reads until the reader is revoked. */
TEST_F(revoked, write_in_flight)
{
	for (int i = 0; i < 2; i++) {
		struct write w = { .from = i ? self->v.p : self->undefended.p };
		unsigned char copy[FRAME];
		pthread_t thread;
		int ends[2];
		long all;

		ASSERT_EQ(0, pipe(ends));
		all = fill_pipe(ends[1]);
		w.fd = ends[1];
		ASSERT_EQ(0, pthread_create(&thread, NULL, write_in_a_thread, &w));
		WAIT_FOR(__atomic_load_n(&w.tid, __ATOMIC_ACQUIRE));
		WAIT_ASLEEP(w.tid);
		if (i) {
			cut_off(_metadata, &self->v);
		} else {
			ASSERT_EQ(0, release(self->undefended.r.fd, 0));
			go_on(_metadata, &self->undefended);
		}
		for (long n; all > 0; all -= n) {
			n = read(ends[0], copy, FRAME);
			ASSERT_LT(0, n);
		}
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(FRAME, w.result);
		ASSERT_EQ(FRAME, read(ends[0], copy, FRAME));
		/* The first is not revoked, and shows what came while it waited. */
		if (i) {
			EXPECT_TRUE(shows_nothing(copy));
		} else {
			EXPECT_TRUE(shows_later(copy));
		}
	}
}

struct pread {
	struct victim *v;
	unsigned char *to;
	long result;
};

static void *pread_in_a_thread(void *argument)
{
	struct pread *p = argument;

	p->result = rc(pread(p->v->r.fd, p->to, 2 * FRAME, p->v->f.offset));
	return NULL;
}

/* A pread() whose buffer is not there yet, and comes when the reader is revoked. */
TEST_F(revoked, pread_in_flight)
{
	struct pread p = { .v = &self->v };
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_zeropage pages;
	pthread_t thread;
	int fd = rc(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));

	p.to = mmap(NULL, 2 * FRAME, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range = (struct uffdio_range){ (uintptr_t)p.to, 2 * FRAME };
	pages = (struct uffdio_zeropage){ .range = range.range };
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, call(fd, UFFDIO_API, &api));
	ASSERT_EQ(0, call(fd, UFFDIO_REGISTER, &range));
	ASSERT_EQ(0, pthread_create(&thread, NULL, pread_in_a_thread, &p));
	ASSERT_EQ(POLLIN, wait_ready(fd, POLLIN));
	cut_off(_metadata, p.v);
	ASSERT_EQ(0, call(fd, UFFDIO_ZEROPAGE, &pages));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	/* It has what was copied before, and ends there. */
	EXPECT_EQ(FRAME, p.result);
	EXPECT_TRUE(is_frame(p.to, FRAME, 0));
	EXPECT_TRUE(shows_nothing(p.to + FRAME));
}

/* No system call takes the file's pages without a map. */
TEST_F(revoked, splice)
{
	int ends[2], file = memfd_create("copy", MFD_CLOEXEC), undefended = memfd_create("from", MFD_CLOEXEC);

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(FRAME, write(undefended, self->v.p, FRAME));
	EXPECT_EQ(FRAME, rc(splice(undefended, &(loff_t){ 0 }, ends[1], NULL, FRAME, 0)));
	EXPECT_EQ(FRAME, rc(sendfile(file, undefended, &(off_t){ 0 }, FRAME)));
	for (int i = 0; i < 2; i++) {
		struct victim *v = BOTH[i];

		EXPECT_EQ(-EINVAL, rc(splice(v->r.fd, NULL, ends[1], NULL, FRAME, 0)));
		EXPECT_EQ(-EINVAL, rc(splice(v->r.fd, &(loff_t){ v->f.offset }, ends[1], NULL, FRAME, 0)));
		EXPECT_EQ(-EINVAL, rc(sendfile(file, v->r.fd, &(off_t){ v->f.offset }, FRAME)));
		EXPECT_EQ(-EINVAL, rc(copy_file_range(v->r.fd, &(loff_t){ v->f.offset }, file, NULL, FRAME, 0)));
	}
}

TEST_HARNESS_MAIN
