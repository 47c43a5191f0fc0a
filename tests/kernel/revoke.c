// SPDX-License-Identifier: GPL-2.0-only
/* Revocation: what is taken away is gone, from live maps too, and nobody else notices. */
#include "lib.h"

#include <pthread.h>
#include <sys/syscall.h>

struct watcher {
	struct stream r;
	uint64_t id;
	unsigned char *header, *ring;
};

FIXTURE(revocation) {
	struct source s;
	struct watcher root, a[2], b;
	struct devring_frame f;
};

static void watch(ARGS, const struct source *s, struct watcher *w, uid_t uid)
{
	struct devring_open o = INIT(devring_open, .flags = O_NONBLOCK, .id = s->id);
	struct devring_frame f;
	int control = control_open(O_RDONLY);

	ASSERT_EQ(0, seteuid(uid));
	w->r = stream_of(call(control, DEVRING_IOC_OPEN, &o), DEVRING_RECORD_MAX);
	ASSERT_EQ(0, seteuid(0));
	close(control);
	ASSERT_LE(0, w->r.fd);
	w->id = myself(_metadata, w->r.fd).id;
	w->header = map_of(w->r.fd, 0, PAGE, PROT_READ);
	w->ring = map_of(w->r.fd, s->g.ring_offset, s->g.ring_bytes, PROT_READ);
	ASSERT_NE(MAP_FAILED, w->ring);
	ASSERT_EQ(0, next_frame(&w->r, &f));
}

/* Frame 0 is there; four readers of three users hold it and look at it. */
FIXTURE_SETUP(revocation)
{
	source_up(_metadata, &self->s, "revoke", DEVRING_REG_PUBLIC | DEVRING_REG_KEEP_HISTORY,
		  4, 4096, 64);
	ASSERT_EQ(0, produce(&self->s, 1));
	watch(_metadata, &self->s, &self->root, 0);
	watch(_metadata, &self->s, &self->a[0], USER_A);
	watch(_metadata, &self->s, &self->a[1], USER_A);
	watch(_metadata, &self->s, &self->b, USER_B);
}

FIXTURE_TEARDOWN(revocation)
{
}

static int sees(const struct source *s, const struct watcher *w)
{
	return *(volatile __u32 *)w->header == DEVRING_MAGIC &&
	       !all_bytes(w->ring, s->g.ring_bytes, 0);
}

static int sees_nothing(const struct source *s, const struct watcher *w)
{
	return all_bytes(w->header, PAGE, 0) && all_bytes(w->ring, s->g.ring_bytes, 0);
}

static void expect_revoked(ARGS, const struct source *s, struct watcher *w)
{
	unsigned char record[DEVRING_RECORD_MAX];
	struct devring_device d;

	EXPECT_TRUE(sees_nothing(s, w));
	EXPECT_EQ(-ENODEV, rc(read(w->r.fd, record, sizeof(record))));
	EXPECT_EQ(-ENODEV, rc(pread(w->r.fd, record, 4, 0)));
	EXPECT_EQ(-ENODEV, rc(pread(w->r.fd, record, 4, s->g.slots_offset)));
	EXPECT_EQ(-ENODEV, map_errno(w->r.fd, 0, PAGE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(-ENODEV, map_errno(w->r.fd, s->g.ring_offset, PAGE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(-ENODEV, set_reader(w->r.fd, 0, 0, 1));
	EXPECT_EQ(-ENODEV, release(w->r.fd, 0));
	EXPECT_EQ(-ENODEV, query(w->r.fd, 0, &d));
	EXPECT_EQ(-ENODEV, take_away(w->r.fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	EXPECT_EQ(POLLHUP | POLLERR, ready(w->r.fd, POLLIN) & (POLLHUP | POLLERR));
	EXPECT_EQ(POLLHUP | POLLERR, ready(w->r.fd, 0));
}

static void expect_unharmed(ARGS, struct source *s, struct watcher *w)
{
	struct devring_frame f;

	EXPECT_TRUE(sees(s, w));
	EXPECT_EQ(0, ready(w->r.fd, POLLIN | POLLHUP | POLLERR));
	ASSERT_EQ(0, produce(s, 1));
	ASSERT_EQ(0, next_frame(&w->r, &f));
	EXPECT_TRUE(is_frame(w->ring + (f.offset - s->g.ring_offset), f.bytes, f.sequence));
}

TEST_F(revocation, of_this)
{
	struct watcher *others[] = { &self->root, &self->a[1], &self->b };
	uint32_t revoked;

	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(sees(&self->s, others[i]));
	}
	EXPECT_TRUE(sees(&self->s, &self->a[0]));
	ASSERT_EQ(0, take_away(self->a[0].r.fd, DEVRING_REVOKE_THIS, 0, 0, &revoked));
	EXPECT_EQ(1, revoked);
	expect_revoked(_metadata, &self->s, &self->a[0]);
	for (int i = 0; i < 3; i++) {
		expect_unharmed(_metadata, &self->s, others[i]);
		/* Each commit was news for the next. */
		while (i < 2 && next_frame(&others[i + 1]->r, &self->f) == 0) {
		}
	}
}

TEST_F(revocation, of_a_reader)
{
	uint32_t revoked;

	EXPECT_EQ(-ENOENT, take_away(self->s.fd, DEVRING_REVOKE_READER, 0, self->b.id + 100, NULL));
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_READER, 0, self->b.id, &revoked));
	EXPECT_EQ(1, revoked);
	expect_revoked(_metadata, &self->s, &self->b);
	EXPECT_EQ(-ENOENT, take_away(self->s.fd, DEVRING_REVOKE_READER, 0, self->b.id, NULL));
	expect_unharmed(_metadata, &self->s, &self->root);
}

TEST_F(revocation, of_a_user)
{
	uint32_t revoked;

	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_UID, USER_A, 0, &revoked));
	EXPECT_EQ(2, revoked);
	expect_revoked(_metadata, &self->s, &self->a[0]);
	expect_revoked(_metadata, &self->s, &self->a[1]);
	expect_unharmed(_metadata, &self->s, &self->root);
	EXPECT_TRUE(sees(&self->s, &self->b));
}

TEST_F(revocation, of_all)
{
	uint32_t revoked;
	struct watcher again;

	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_ALL, 0, 0, &revoked));
	EXPECT_EQ(4, revoked);
	expect_revoked(_metadata, &self->s, &self->root);
	expect_revoked(_metadata, &self->s, &self->a[0]);
	expect_revoked(_metadata, &self->s, &self->a[1]);
	expect_revoked(_metadata, &self->s, &self->b);
	EXPECT_EQ(0, device_of(_metadata, &self->s).readers);
	EXPECT_EQ(0, device_of(_metadata, &self->s).held);
	/* The producer goes on, and who may open the device may open it again. */
	ASSERT_EQ(0, produce(&self->s, 10));
	watch(_metadata, &self->s, &again, USER_A);
	expect_unharmed(_metadata, &self->s, &again);
	EXPECT_TRUE(sees_nothing(&self->s, &self->a[0]));
}

TEST_F(revocation, refused)
{
	pid_t pid;

	CHILD(pid) {
		int fd = self->a[0].r.fd;

		become(USER_A);
		EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_READER, 0, self->b.id, NULL));
		EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_READER, 0, self->a[1].id, NULL));
		EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_UID, USER_A, 0, NULL));
		EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_UID, USER_B, 0, NULL));
		EXPECT_EQ(-EPERM, take_away(fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
		EXPECT_EQ(0, take_away(fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	}
	wait_child(_metadata, pid);
	EXPECT_EQ(-EINVAL, take_away(self->s.fd, DEVRING_REVOKE_RECHECK + 1, 0, 0, NULL));
	EXPECT_EQ(-EINVAL, take_away(self->s.fd, DEVRING_REVOKE_ALL, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, take_away(self->s.fd, DEVRING_REVOKE_ALL, 0, 1, NULL));
	EXPECT_EQ(-EINVAL, take_away(self->s.fd, DEVRING_REVOKE_UID, USER_A, 1, NULL));
	EXPECT_EQ(-EINVAL, take_away(self->b.r.fd, DEVRING_REVOKE_THIS, 0, 1, NULL));
	EXPECT_TRUE(sees(&self->s, &self->b));
	EXPECT_TRUE(sees(&self->s, &self->root));
}

/* The maps of a child are maps of the same file. */
TEST_F(revocation, in_a_child)
{
	int go[2], done[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(done));
	CHILD(pid) {
		EXPECT_TRUE(sees(&self->s, &self->b));
		tell(done[1]);
		hear(_metadata, go[0]);
		EXPECT_TRUE(sees_nothing(&self->s, &self->b));
	}
	hear(_metadata, done[0]);
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_READER, 0, self->b.id, NULL));
	EXPECT_TRUE(sees_nothing(&self->s, &self->b));
	tell(go[1]);
	wait_child(_metadata, pid);
}

TEST_F(revocation, wakes_who_waits)
{
	pid_t reading, polling;

	ASSERT_EQ(0, fcntl(self->b.r.fd, F_SETFL, O_RDONLY));
	CHILD(reading) {
		struct devring_frame f;

		EXPECT_EQ(-ENODEV, next_frame(&self->b.r, &f));
	}
	CHILD(polling) {
		EXPECT_EQ(POLLHUP | POLLERR, wait_ready(self->b.r.fd, POLLIN) & ~POLLIN);
	}
	WAIT_ASLEEP(reading);
	WAIT_ASLEEP(polling);
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_UID, USER_B, 0, NULL));
	wait_child(_metadata, reading);
	wait_child(_metadata, polling);
}

/* Another node of the same device leads to the same place. */
TEST_F(revocation, through_a_twin_of_the_node)
{
	static const char twin[] = "/dev/devring-revoke-twin";
	struct watcher w;
	struct stat st;

	ASSERT_EQ(0, stat(self->s.node, &st));
	unlink(twin);
	ASSERT_EQ(0, mknod(twin, S_IFCHR | 0600, st.st_rdev));
	w.r = stream_of(open(twin, O_RDONLY | O_NONBLOCK | O_CLOEXEC), DEVRING_RECORD_MAX);
	unlink(twin);
	ASSERT_LE(0, w.r.fd);
	w.header = map_of(w.r.fd, 0, PAGE, PROT_READ);
	w.ring = map_of(w.r.fd, self->s.g.ring_offset, self->s.g.ring_bytes, PROT_READ);
	EXPECT_TRUE(sees(&self->s, &w));
	ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
	expect_revoked(_metadata, &self->s, &w);
}

TEST_F(revocation, of_pinnable_maps)
{
	struct source s;
	struct watcher w;

	source_up(_metadata, &s, "pinnable", DEVRING_REG_PUBLIC | DEVRING_REG_PINNABLE |
		  DEVRING_REG_KEEP_HISTORY, 4, 4096, 0);
	ASSERT_EQ(0, produce(&s, 1));
	watch(_metadata, &s, &w, USER_A);
	EXPECT_TRUE(sees(&s, &w));
	ASSERT_EQ(0, take_away(s.fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
	expect_revoked(_metadata, &s, &w);
}

/* Who maps and touches at that very moment sees nothing of what is committed after REVOKE returned. */
struct race {
	const struct source *s;
	int fd;
	unsigned char *ring;
	uint64_t rounds;
	uint64_t after;		/* first sequence of afterwards, once REVOKE has returned */
	int torn;
};

static void *map_and_look(void *argument)
{
	struct race *race = argument;
	const struct devring_geometry *g = &race->s->g;

	for (;;) {
		uint64_t after = __atomic_load_n(&race->after, __ATOMIC_ACQUIRE);
		unsigned char *p = map_of(race->fd, g->ring_offset, g->ring_bytes, PROT_READ);
		const volatile uint64_t *word = (void *)(race->ring + (g->slots_offset -
								       g->ring_offset));

		/* After REVOKE, not one word of a frame can be there, in the old map or in a new one. */
		for (unsigned int slot = 0; slot < g->slots; slot++) {
			size_t step = slot * g->slot_stride / 8;

			race->torn += after && word[step];
			if (p != MAP_FAILED)
				race->torn += after && ((const volatile uint64_t *)
							(p + (g->slots_offset - g->ring_offset)))[step];
		}
		if (p != MAP_FAILED)
			munmap(p, g->ring_bytes);
		madvise(race->ring, g->ring_bytes, MADV_DONTNEED);
		__atomic_fetch_add(&race->rounds, 1, __ATOMIC_RELAXED);
		if (after && __atomic_load_n(&race->after, __ATOMIC_ACQUIRE) == ~0ULL)
			return NULL;
	}
}

TEST_F(revocation, during_maps_and_faults)
{
	for (int i = 0; i < 20; i++) {
		struct race race = { .s = &self->s };
		struct watcher w;
		pthread_t threads[2];
		uint64_t rounds;

		watch(_metadata, &self->s, &w, USER_B);
		race.fd = w.r.fd;
		race.ring = w.ring;
		for (int n = 0; n < 2; n++) {
			ASSERT_EQ(0, pthread_create(&threads[n], NULL, map_and_look, &race));
		}
		WAIT_FOR(__atomic_load_n(&race.rounds, __ATOMIC_RELAXED) > 5);
		ASSERT_EQ(0, take_away(self->s.fd, DEVRING_REVOKE_READER, 0, w.id, NULL));
		__atomic_store_n(&race.after, 1, __ATOMIC_RELEASE);
		rounds = __atomic_load_n(&race.rounds, __ATOMIC_RELAXED);
		ASSERT_EQ(0, produce(&self->s, 8));
		WAIT_FOR(__atomic_load_n(&race.rounds, __ATOMIC_RELAXED) > rounds + 5);
		__atomic_store_n(&race.after, ~0ULL, __ATOMIC_RELEASE);
		for (int n = 0; n < 2; n++) {
			ASSERT_EQ(0, pthread_join(threads[n], NULL));
		}
		EXPECT_EQ(0, race.torn);
		close(w.r.fd);
	}
}

/* Who registered the device may, by any file of it; others need the producer's. */
TEST_F(settings, by_the_registrant)
{
	pid_t pid, other;

	ASSERT_EQ(0, open_control_to_all());
	CHILD(pid) {
		struct watcher mine, theirs;
		struct source s;
		uint32_t revoked;

		source_up(_metadata, &s, "own", DEVRING_REG_PUBLIC | DEVRING_REG_KEEP_HISTORY,
			  4, 4096, 0);
		ASSERT_EQ(0, produce(&s, 1));
		watch(_metadata, &s, &theirs, USER_B);
		CHILD(other) {
			become(USER_B);
			EXPECT_EQ(-EPERM, take_away(theirs.r.fd, DEVRING_REVOKE_ALL, 0, 0, NULL));
		}
		wait_child(_metadata, other);
		close(s.fd);
		become(USER_A);
		ASSERT_EQ(0, source_register(&s, "own", DEVRING_REG_PUBLIC));
		ASSERT_EQ(0, source_ring(&s, 4, 4096, 0));
		ASSERT_EQ(0, produce(&s, 1));
		mine.r = stream_of(by_id(DEVRING_IOC_OPEN, O_NONBLOCK, s.id), DEVRING_RECORD_MAX);
		theirs.r = stream_of(by_id(DEVRING_IOC_OPEN, O_NONBLOCK, s.id), DEVRING_RECORD_MAX);
		ASSERT_LE(0, theirs.r.fd);
		theirs.id = myself(_metadata, theirs.r.fd).id;
		EXPECT_EQ(0, take_away(mine.r.fd, DEVRING_REVOKE_READER, 0, theirs.id, &revoked));
		EXPECT_EQ(1, revoked);
		EXPECT_EQ(POLLHUP | POLLERR, ready(theirs.r.fd, 0));
		EXPECT_EQ(0, ready(mine.r.fd, 0));
		EXPECT_EQ(0, take_away(mine.r.fd, DEVRING_REVOKE_UID, USER_A, 0, &revoked));
		EXPECT_EQ(1, revoked);
		EXPECT_EQ(-ENODEV, set_reader(mine.r.fd, 0, 0, 1));
	}
	wait_child(_metadata, pid);
}

/* The producer's file is not for readers to lose: ATTACH with TAKEOVER or UNREGISTER end it. */
TEST_F(revocation, not_of_the_producer)
{
	EXPECT_EQ(-EINVAL, take_away(self->s.fd, DEVRING_REVOKE_THIS, 0, 0, NULL));
	expect_unharmed(_metadata, &self->s, &self->root);
}

TEST_HARNESS_MAIN
