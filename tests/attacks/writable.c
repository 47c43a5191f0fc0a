// SPDX-License-Identifier: GPL-2.0-only
/* Read-only maps, and every way to write them. */
#include <linux/userfaultfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "readonly.h"
#include "uring.h"

static long store(unsigned char *p, unsigned char *evil, long result)
{
	if (result == 0)
		memcpy(p, evil, BYTES);
	return rc(result);
}

/* A whole transfer is a success. */
static long all_of(long n)
{
	return n < 0 ? -errno : n - BYTES;
}

static long by_mprotect(unsigned char *p, unsigned char *evil)
{
	return store(p, evil, mprotect(p, PAGE, RW));
}

TEST_F(readonly, mprotect)
{
	ASSERT_EQ(0, mprotect(self->undefended, PAGE, PROT_READ));
	expect_refused(_metadata, self, by_mprotect, -EACCES);
}

/* What a map that may be written would be. */
TEST_F(readonly, mmap)
{
	const struct devring_geometry *g = &self->s.g;
	uint64_t at[] = { 0, g->ring_offset, g->metadata_offset, g->slots_offset };
	struct source undefended;

	source_up(_metadata, &undefended, "mapped", 0, 4, 2 * PAGE, PAGE);
	EXPECT_EQ(0, map_errno(undefended.fd, undefended.g.slots_offset, PAGE, RW, MAP_SHARED));
	for (int i = 0; i < self->regions; i++) {
		EXPECT_EQ(-EACCES, map_errno(self->fd, at[i], PAGE, RW, MAP_SHARED));
		EXPECT_EQ(-EACCES, map_errno(self->fd, at[i], PAGE, PROT_WRITE, MAP_SHARED));
		EXPECT_EQ(-EINVAL, map_errno(self->fd, at[i], PAGE, RW, MAP_PRIVATE));
		EXPECT_EQ(-EINVAL, map_errno(self->fd, at[i], PAGE, PROT_READ, MAP_PRIVATE));
	}
}

/* ---- another process's hands ---- */

static long by_process_vm_writev(unsigned char *p, unsigned char *evil)
{
	struct iovec from = { evil, BYTES }, to = { p, BYTES };

	return all_of(process_vm_writev(getpid(), &from, 1, &to, 1, 0));
}

TEST_F(readonly, process_vm_writev)
{
	expect_refused(_metadata, self, by_process_vm_writev, -EFAULT);
}

static long write_memory_of(pid_t pid, unsigned char *p, unsigned char *evil)
{
	char path[32];
	long result;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = all_of(pwrite(fd, evil, BYTES, (uintptr_t)p));
	close(fd);
	return result;
}

static long by_proc_self_mem(unsigned char *p, unsigned char *evil)
{
	return write_memory_of(getpid(), p, evil);
}

TEST_F(readonly, proc_self_mem)
{
	expect_refused(_metadata, self, by_proc_self_mem, -EIO);
}

/* What a child does to its parent: 0, or a negative errno. */
static long in_a_child(long (*what)(pid_t parent, unsigned char *p, unsigned char *evil), unsigned char *p,
		       unsigned char *evil)
{
	pid_t parent = getpid(), pid = fork();
	int status = 0;

	if (!pid)
		_exit(-what(parent, p, evil));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static long by_proc_pid_mem(unsigned char *p, unsigned char *evil)
{
	return in_a_child(write_memory_of, p, evil);
}

TEST_F(readonly, proc_pid_mem)
{
	expect_refused(_metadata, self, by_proc_pid_mem, -EIO);
}

static long poke(pid_t pid, unsigned char *p, unsigned char *evil)
{
	long word, result = 0;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL))
		return -errno;
	if (waitpid(pid, NULL, __WALL) != pid)
		return -errno;
	for (size_t i = 0; i < BYTES && !result; i += sizeof(word)) {
		memcpy(&word, evil + i, sizeof(word));
		result = rc(ptrace(PTRACE_POKEDATA, pid, p + i, word));
	}
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return result;
}

static long by_ptrace(unsigned char *p, unsigned char *evil)
{
	return in_a_child(poke, p, evil);
}

TEST_F(readonly, ptrace)
{
	expect_refused(_metadata, self, by_ptrace, -EIO);
}

/* ---- the kernel's hands: system calls that write to memory ---- */

/* What can be read is evil. */
static int evil_to_read(unsigned char *evil)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || write(ends[1], evil, BYTES) != BYTES)
		_exit(97);
	close(ends[1]);
	return ends[0];
}

static long by_read(unsigned char *p, unsigned char *evil)
{
	int fd = evil_to_read(evil);
	long result = all_of(read(fd, p, BYTES));

	close(fd);
	return result;
}

TEST_F(readonly, read)
{
	expect_refused(_metadata, self, by_read, -EFAULT);
}

static long by_recvmsg(unsigned char *p, unsigned char *evil)
{
	int fd = evil_to_read(evil);
	struct iovec v = { p, BYTES };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	long result = all_of(recvmsg(fd, &m, 0));

	close(fd);
	return result;
}

TEST_F(readonly, recvmsg)
{
	expect_refused(_metadata, self, by_recvmsg, -EFAULT);
}

static long by_vmsplice_from_a_pipe(unsigned char *p, unsigned char *evil)
{
	struct iovec v = { p, BYTES };
	long result;
	int ends[2];

	if (pipe(ends) || write(ends[1], evil, BYTES) != BYTES)
		return -EPIPE;
	result = all_of(vmsplice(ends[0], &v, 1, 0));
	close(ends[0]);
	close(ends[1]);
	return result;
}

TEST_F(readonly, vmsplice_from_a_pipe)
{
	expect_refused(_metadata, self, by_vmsplice_from_a_pipe, -EFAULT);
}

/* A page that was given away, and that others may now think is theirs. */
TEST_F(readonly, vmsplice_gift)
{
	long wanted = variant->who == PINNABLE || variant->who == PRODUCER ? (long)PAGE : -EFAULT;
	int ends[2], file = memfd_create("gift", MFD_CLOEXEC);
	struct iovec undefended = { self->undefended, PAGE };

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(PAGE, rc(vmsplice(ends[1], &undefended, 1, SPLICE_F_GIFT)));
	EXPECT_EQ(PAGE, rc(splice(ends[0], NULL, file, NULL, PAGE, SPLICE_F_MOVE)));
	for (int i = 0; i < self->regions; i++) {
		struct iovec v = { self->map[i], PAGE };

		EXPECT_EQ(wanted, rc(vmsplice(ends[1], &v, 1, SPLICE_F_GIFT))) TH_LOG("region %d", i);
		/* What is written goes behind the page, not to it; and a file's page is a copy of it. */
		EXPECT_EQ(BYTES, rc(write(ends[1], self->evil, BYTES)));
		EXPECT_LE(BYTES, rc(splice(ends[0], NULL, file, &(loff_t){ 0 }, PAGE + BYTES, SPLICE_F_MOVE)));
		EXPECT_EQ(BYTES, rc(pwrite(file, self->evil, BYTES, 0)));
		EXPECT_EQ(0, memcmp(self->before[i], self->map[i], PAGE)) TH_LOG("region %d", i);
		while (ready(ends[0], POLLIN) & POLLIN)
			EXPECT_LT(0, splice(ends[0], NULL, file, NULL, PAGE, 0));
	}
}

/* ---- io_uring ---- */

static long by_uring(int opcode, unsigned char *p, unsigned char *evil)
{
	int fd = evil_to_read(evil);
	struct io_uring_sqe sqe = uring_io(opcode, fd, p, BYTES);
	struct uring u;
	long result = uring_up(&u) ?: uring_do(&u, &sqe);

	close(u.fd);
	close(fd);
	return result < 0 ? result : result - BYTES;
}

static long by_uring_read(unsigned char *p, unsigned char *evil)
{
	return by_uring(IORING_OP_READ, p, evil);
}

static long by_uring_recv(unsigned char *p, unsigned char *evil)
{
	return by_uring(IORING_OP_RECV, p, evil);
}

TEST_F(readonly, io_uring_read)
{
	expect_refused(_metadata, self, by_uring_read, -EFAULT);
	expect_refused(_metadata, self, by_uring_recv, -EFAULT);
}

/* The map as the buffer that the kernel chooses. */
static long by_uring_provided(unsigned char *p, unsigned char *evil)
{
	int fd = evil_to_read(evil);
	struct io_uring_sqe give = { .opcode = IORING_OP_PROVIDE_BUFFERS, .fd = 1, .addr = (uintptr_t)p,
				     .len = BYTES };
	struct io_uring_sqe sqe = uring_io(IORING_OP_RECV, fd, NULL, BYTES);
	struct uring u;
	long result = uring_up(&u) ?: uring_do(&u, &give);

	sqe.flags = IOSQE_BUFFER_SELECT;
	if (result >= 0)
		result = uring_do(&u, &sqe);
	close(u.fd);
	close(fd);
	return result < 0 ? result : result - BYTES;
}

TEST_F(readonly, io_uring_provided_buffer)
{
	expect_refused(_metadata, self, by_uring_provided, -EFAULT);
}

static long by_uring_fixed(unsigned char *p, unsigned char *evil)
{
	int fd = memfd_create("evil", MFD_CLOEXEC);
	struct io_uring_sqe sqe = uring_io(IORING_OP_READ_FIXED, fd, p, BYTES);
	struct uring u;
	long result = uring_up(&u) ?: uring_register(&u, p, PAGE);

	sqe.off = 0;
	if (!result) {
		pwrite(fd, evil, BYTES, 0);
		result = uring_do(&u, &sqe) - BYTES;
	}
	close(u.fd);
	close(fd);
	return result;
}

/* Some kernels register no driver's map at all: what nothing defends is memory then. */
TEST_F(readonly, io_uring_registered_buffer)
{
	self->undefended = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->undefended);
	expect_refused(_metadata, self, by_uring_fixed, -EFAULT);
}

/* ---- moving, growing, advising ---- */

/* A file of @pages pages, mapped to be written, with room behind its first page. */
static unsigned char *memory_file(ARGS, int *fd)
{
	unsigned char *p;

	*fd = memfd_create("undefended", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(*fd, 3 * PAGE));
	p = map_of(*fd, 0, 3 * PAGE, RW);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p + PAGE, 2 * PAGE));
	return p;
}

static long by_moving(unsigned char *p, unsigned char *evil)
{
	unsigned char *gap = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long result;

	if (mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, gap) != gap)
		return -ENOMEM;
	result = by_mprotect(gap, evil);
	return mremap(gap, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p ? result : -ENOMEM;
}

TEST_F(readonly, mremap_moves)
{
	ASSERT_EQ(0, mprotect(self->undefended, PAGE, PROT_READ));
	expect_refused(_metadata, self, by_moving, -EACCES);
}

static long by_growing(unsigned char *p, unsigned char *evil)
{
	unsigned char *q = mremap(p, PAGE, 2 * PAGE, 0);

	return store(p, evil, q == MAP_FAILED ? -1 : 0);
}

static long by_a_second_view(unsigned char *p, unsigned char *evil)
{
	unsigned char *q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);

	return q == MAP_FAILED ? -errno : by_mprotect(q, evil);
}

TEST_F(readonly, mremap_grows)
{
	int fd;

	self->undefended = memory_file(_metadata, &fd);
	expect_refused(_metadata, self, by_growing, -EFAULT);
	memset(self->undefended, 0, BYTES);
	expect_refused(_metadata, self, by_a_second_view, -EFAULT);
	for (int i = 0; i < self->regions; i++) {
		EXPECT_EQ(MAP_FAILED, mremap(self->map[i], PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
		EXPECT_EQ(EINVAL, errno);
	}
}

/* None of them writes, drops what others see, or opens the way for mprotect(). */
static void expect_no_use(ARGS, FIXTURE_DATA(readonly) *self, int advice, int i)
{
	long result = rc(madvise(self->map[i], PAGE, advice));

	if (advice == MADV_REMOVE || advice == MADV_FREE || advice == MADV_POPULATE_WRITE)
		EXPECT_GT(0, result) TH_LOG("advice %d, region %d", advice, i);
	EXPECT_EQ(0, memcmp(self->before[i], self->map[i], PAGE)) TH_LOG("advice %d, region %d", advice, i);
	EXPECT_EQ(-EACCES, rc(mprotect(self->map[i], PAGE, RW))) TH_LOG("advice %d, region %d", advice, i);
}

TEST_F(readonly, madvise)
{
	unsigned char *undefended;
	int fd;

	undefended = memory_file(_metadata, &fd);
	undefended[0] = EVIL;
	ASSERT_EQ(0, madvise(undefended, PAGE, MADV_REMOVE));
	EXPECT_EQ(0, undefended[0]);
	/* Root could take pages from the machine. */
	ASSERT_EQ(0, seteuid(USER_A));
	for (int advice = 0; advice < 128; advice++)
		for (int i = 0; i < self->regions; i++)
			expect_no_use(_metadata, self, advice, i);
	ASSERT_EQ(0, seteuid(0));
}

static long by_userfaultfd(unsigned char *p, unsigned char *evil)
{
	int fd = rc(syscall(SYS_userfaultfd, O_CLOEXEC));
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { (uintptr_t)p, PAGE }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	static unsigned char page[1 << 16];
	struct uffdio_copy copy = { .dst = (uintptr_t)p, .src = (uintptr_t)page, .len = PAGE };
	long result;

	memcpy(page, evil, BYTES);
	result = fd < 0 ? fd : call(fd, UFFDIO_API, &api) ?: call(fd, UFFDIO_REGISTER, &range) ?:
			       call(fd, UFFDIO_COPY, &copy);
	/* Without the registration neither. */
	if (result == -EINVAL && call(fd, UFFDIO_COPY, &copy) != -ENOENT)
		result = -EBADE;
	for (uint64_t mode = UFFDIO_REGISTER_MODE_WP; result == -EINVAL && mode <= 4; mode *= 2) {
		range.mode = mode;
		result = call(fd, UFFDIO_REGISTER, &range);
	}
	close(fd);
	return result;
}

TEST_F(readonly, userfaultfd)
{
	int fd;

	self->undefended = memory_file(_metadata, &fd);
	expect_refused(_metadata, self, by_userfaultfd, -EINVAL);
}

/* ---- other pages below the same map ---- */

TEST_F(readonly, remap_file_pages)
{
	const struct devring_geometry *g = &self->s.g;
	struct source undefended;
	unsigned char *p;

	source_up(_metadata, &undefended, "remapped", 0, 4, 2 * PAGE, PAGE);
	p = slot_at(&undefended, undefended.g.slots_offset);
	/* From one slot to the next the producer may go, and write there. */
	ASSERT_EQ(0, remap_file_pages(p, PAGE, 0, undefended.g.slots_offset / PAGE + 2, 0));
	memset(p, EVIL, PAGE);
	EXPECT_TRUE(is_written(p));
	EXPECT_EQ(-EACCES, rc(remap_file_pages(p, PAGE, 0, undefended.g.ring_offset / PAGE, 0)));
	p += PAGE;
	EXPECT_EQ(-EACCES, rc(remap_file_pages(p, PAGE, 0, 0, 0)));
	p = self->map[INDEX];
	if (remap_file_pages(p, PAGE, 0, g->slots_offset / PAGE, 0)) {
		/* A shared map of what was opened to read is none, for the kernel. */
		EXPECT_EQ(EINVAL, errno);
	} else if (variant->who != PRODUCER) {
		EXPECT_EQ(-EACCES, rc(mprotect(p, PAGE, RW)));
	}
}

/* What is open for reading is opened again for writing, by its name below /proc. */
static void expect_no_way_back(ARGS, FIXTURE_DATA(readonly) *self, const char *path)
{
	int fd = rc(open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC));

	/* What has no node cannot be opened; of a node it makes one more reader. */
	if (fd < 0) {
		EXPECT_EQ(-ENXIO, fd) TH_LOG("%s", path);
		return;
	}
	EXPECT_EQ(-EACCES, map_errno(fd, self->s.g.slots_offset, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EBADF, rc(write(fd, self->evil, BYTES)));
	EXPECT_EQ(-EBADF, rc(pwrite(fd, self->evil, BYTES, self->s.g.slots_offset)));
	close(fd);
}

TEST_F(readonly, opened_again)
{
	char path[80];
	int undefended, again;

	memory_file(_metadata, &undefended);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", undefended);
	again = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", again);
	again = open(path, O_RDWR);
	EXPECT_EQ(BYTES, rc(write(again, self->evil, BYTES)));

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	expect_no_way_back(_metadata, self, path);
	for (int i = 0; i < self->regions; i++) {
		snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)self->map[i],
			 (unsigned long)self->map[i] + PAGE);
		expect_no_way_back(_metadata, self, path);
	}
}

/* ---- a producer's own map, in other hands ---- */

/* The child of a producer keeps its map, and writes when another produces. */
TEST(dofork)
{
	struct source s, next = { 0 };
	struct stream r;
	unsigned char *seen;
	int go[2], done[2];
	long refused;
	pid_t pid;

	source_up(_metadata, &s, "dofork", DEVRING_REG_PERSIST | DEVRING_REG_KEEP_HISTORY, 4, PAGE, 0);
	ASSERT_EQ(0, produce(&s, 3));
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(done));
	refused = rc(madvise(s.map, area_bytes(&s.g), MADV_DOFORK));
	/* The newest kernels refuse this for drivers' maps; then the child maps for itself. */
	if (refused) {
		ASSERT_EQ(-EINVAL, refused);
	}
	CHILD(pid) {
		if (refused) {
			ASSERT_EQ(0, source_map(&s));
		}
		memset(s.map, EVIL, area_bytes(&s.g));
		tell(done[1]);
		hear(_metadata, go[0]);
		memset(s.map, EVIL, area_bytes(&s.g));
		tell(done[1]);
		hear(_metadata, go[0]);
	}
	hear(_metadata, done[0]);
	reader_up(_metadata, &s, &r);
	seen = map_of(r.fd, s.g.slots_offset, 4 * PAGE, PROT_READ);
	/* While its parent produces nothing is defended: it is the producer. */
	int undefended = all_bytes(seen, 4 * PAGE, EVIL);

	EXPECT_TRUE(undefended);
	next = s;
	next.fd = attach(s.id, DEVRING_ATTACH_TAKEOVER);
	ASSERT_LE(0, next.fd);
	next.g = device_of(_metadata, &next).geometry;
	ASSERT_EQ(0, source_map(&next));
	memset(next.map, 1, area_bytes(&next.g));
	tell(go[1]);
	hear(_metadata, done[0]);
	EXPECT_TRUE(all_bytes(seen, 4 * PAGE, 0));
	seen = map_of(r.fd, next.g.slots_offset, 4 * PAGE, PROT_READ);
	EXPECT_TRUE(all_bytes(seen, 4 * PAGE, 1));
	EXPECT_TRUE(all_bytes(next.map, area_bytes(&next.g), 1));
	tell(go[1]);
	wait_child(_metadata, pid);
	EXPECT_EQ(0, unregister(s.id));
}

TEST_HARNESS_MAIN
