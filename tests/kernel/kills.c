// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGKILL: at every system call of a producer and of a reader, at random moments, and in the midst of an allocation.
 * After each kill whoever is left finds everything at once as if the dead had let go of it in good order: nothing
 * here waits for a timer.
 *
 * kills [--kills N] [--seed N]
 *
 * The victims are a user who may have no more than one life needs: what a death leaves of any quota stops the next.
 */
#include "victims.h"

#include <elf.h>
#include <getopt.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/user.h>

static unsigned int kills = 300;
static uint64_t seed = 1;

/* ---- the killing ---- */

/* A victim that waits for its tracer before it begins. */
static pid_t start(ARGS, life *life, struct scene *scene, uid_t uid)
{
	pid_t pid;
	int status;

	CHILD(pid) {
		become(uid);
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) || raise(SIGSTOP))
			_exit(2);
		life(scene);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	ASSERT_EQ(0, rc(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)));
	return pid;
}

/* Lets it run until it stops; false if it ends, well, before that. */
static int run_on(ARGS, pid_t pid, int request, int signal)
{
	int status = 0;

	ASSERT_EQ(0, rc(ptrace(request, pid, 0, 0)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (!WIFSTOPPED(status)) {
		EXPECT_EQ(0, status);
		return 0;
	}
	EXPECT_EQ(signal, WSTOPSIG(status));
	return 1;
}

/* From @step on its @n th entry to, or exit of, a system call; false if it ends before. */
static int run_to(ARGS, pid_t pid, unsigned int step, unsigned int n)
{
	*progress = (struct progress){ .stop_at = step, .pid = pid };
	if (step && !run_on(_metadata, pid, PTRACE_CONT, SIGSTOP))
		return 0;
	while (n--)
		if (!run_on(_metadata, pid, PTRACE_SYSCALL, SIGTRAP | 0x80))
			return 0;
	return 1;
}

/* Tracer and tracee take turns: on two processors they would wait for each other's. */
static void share_a_processor(ARGS)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(0, &here);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(here), &here));
}

/* Those who are left find all in order, and the next producer's frames reach them. */
static void expect_order(ARGS, struct scene *scene, int produces)
{
	struct devring_device d;

	drain(_metadata, scene);
	expect_alone(_metadata, scene, &d);
	EXPECT_EQ(produces ? DEVRING_STATE_OFFLINE : DEVRING_STATE_AVAILABLE, d.state);
	EXPECT_EQ(d.state, scene->told_state);
	EXPECT_EQ(0, ready(scene->bystander.fd, POLLIN));
	expect_witnessed(_metadata, scene);
	expect_nothing_left(_metadata, scene);
	if (produces) {
		produce_here(_metadata, scene);
		expect_all_slots(_metadata, scene);
	}
	produce_frames(_metadata, scene, 2);
	drain(_metadata, scene);
	EXPECT_EQ(scene->p.head, scene->expected);
	if (produces)
		leave(scene);
	drain(_metadata, scene);
}

/*
 * Kills @life at each of its system calls, and lets it come to its own end once: that many times it died.  Of these
 * the test's own producer had to wait for it @waits times.
 */
static unsigned int kill_everywhere(ARGS, struct scene *scene, life *life, unsigned int *waits)
{
	int produces = scene->p.fd < 0;
	unsigned int step = 0, n = 1, count = 0;
	struct devring_device before, after;
	pid_t pid;

	share_a_processor(_metadata);
	for (;; count++) {
		if (!produces)
			produce_frames(_metadata, scene, 4);
		pid = start(_metadata, life, scene, USER_A);
		if (!run_to(_metadata, pid, step, n))
			return count;
		drain(_metadata, scene);
		call_witnesses(_metadata, scene);
		if (!produces)
			take_all(scene);
		*waits += !produces && scene->nr_taken < SLOTS - 2;
		ASSERT_EQ(0, query(scene->bystander.fd, 0, &before));
		kill_child(_metadata, pid);
		if (!produces)
			expect_all_slots(_metadata, scene);
		ASSERT_EQ(0, query(scene->bystander.fd, 0, &after));
		EXPECT_EQ(before.head, after.head);
		EXPECT_EQ(before.holds_broken, after.holds_broken);
		EXPECT_EQ(before.state != after.state ? POLLIN : 0, ready(scene->bystander.fd, POLLIN));
		expect_order(_metadata, scene, produces);
		ASSERT_TRUE(_metadata->passed) {
			TH_LOG("after the kill at stop %u from step %u on", n, step);
		}
		n++;
		if (progress->step > step) {
			/* That was the first stop of a later step. */
			step = progress->step;
			n = 2;
		}
	}
}

TEST_F(settings, a_producer_is_killed_at_every_system_call)
{
	struct scene *scene;
	unsigned int n, waits = 0;

	scene_up(_metadata, &scene);
	n = kill_everywhere(_metadata, scene, life_of_a_producer, &waits);
	dprintf(STDOUT_FILENO, "# %u kills of a producer, at each entry to and exit of a system call\n", n);
	EXPECT_LT(250, n);
	scene_down(_metadata, scene);
}

TEST_F(settings, a_reader_is_killed_at_every_system_call)
{
	struct scene *scene;
	unsigned int n, waits = 0;

	scene_up(_metadata, &scene);
	produce_here(_metadata, scene);
	n = kill_everywhere(_metadata, scene, life_of_a_reader, &waits);
	dprintf(STDOUT_FILENO, "# %u kills of a reader, at each entry to and exit of a system call\n", n);
	dprintf(STDOUT_FILENO, "# for %u of them the producer had to wait\n", waits);
	EXPECT_LT(100, n);
	EXPECT_LT(5, waits);
	leave(scene);
	scene_down(_metadata, scene);
}


/* ---- at random moments ---- */

/* xorshift64*, Marsaglia and Vigna */
static uint64_t roll(void)
{
	static uint64_t state;

	state = state ?: (seed * 0x9e3779b97f4a7c15ULL | 1);
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL) >> 32;
}

/* Produces what is whole, with a slot out and a partial frame in between, in rings that change. */
static void produce_for_ever(struct scene *scene)
{
	struct source s = scene->p;
	struct devring_slot slot = { 0 };

	succeed(&s, DEVRING_ATTACH_TAKEOVER);
	for (;;) {
		munmap(s.map, area_bytes(&s.g));
		MUST(0, source_ring(&s, 4 + roll() % 5, SLOT_SIZE, 64));
		MUST(0, produce(&s, roll() % 5));
		produce_partial(&s);
		MUST(0, take(s.fd, &slot));
		MUST_HAVE(set_format(s.fd, 1 + roll() % 5));
	}
}

static void register_for_ever(struct scene *scene)
{
	for (;;) {
		own_device();
		orphan();
		play(scene);
	}
}

static void read_for_ever(struct scene *scene)
{
	struct devring_frame f;

	for (;;) {
		struct stream r = reader_open(&scene->p, O_RDONLY | O_NONBLOCK);
		struct devring_device d;
		unsigned char *map;

		MUST(0, query(r.fd, 0, &d));
		MUST(0, set_reader(r.fd, 0, DEVRING_START_OLDEST, 1 + roll() % 3));
		map = map_of(r.fd, d.geometry.ring_offset, d.geometry.ring_bytes, PROT_READ);
		for (int i = 0; map != MAP_FAILED && i < 5; i++)
			if (next_frame(&r, &f) == 0 && f.generation == d.geometry.generation)
				(void)*(volatile char *)(map + (f.offset - d.geometry.ring_offset));
		close(MUST_HAVE(grant(r.fd, roll() % 2 * 3600000000000)));
		close(r.fd);
		if (map != MAP_FAILED)
			munmap(map, d.geometry.ring_bytes);
	}
}

/* The threads of a crowd, each in a call of its own; they share one file. */
static struct source shared;

static void *set_rings(void *argument)
{
	for (;;)
		set_ring(shared.fd, 4 + roll() % 5, SLOT_SIZE << roll() % 3, 0, NULL);
	return NULL;
}

static void *take_and_return(void *argument)
{
	struct devring_slot slot = { 0 };

	for (;;)
		if (take(shared.fd, &slot) == 0)
			give_back(shared.fd, &slot);
	return NULL;
}

static void *sleep_in_read(void *argument)
{
	struct stream r = reader_open(&shared, O_RDONLY);
	union record u;

	while (next(&r, &u) > 0) {
	}
	return NULL;
}

static void *sleep_in_poll(void *argument)
{
	int fd = node_open(&shared, O_RDONLY);

	for (;;)
		wait_ready(fd, POLLPRI);
	return NULL;
}

static void crowd(struct scene *scene)
{
	static void *(*const parts[])(void *) = { set_rings, take_and_return, sleep_in_read, sleep_in_poll };
	pthread_t thread;

	shared = scene->p;
	shared.fd = MUST_HAVE(attach(shared.id, DEVRING_ATTACH_TAKEOVER));
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
		MUST(0, pthread_create(&thread, NULL, parts[i], NULL));
	set_rings(NULL);
}

/* Children with copies of everything, which die at their own times. */
static void family(struct scene *scene)
{
	shared = scene->p;
	shared.fd = MUST_HAVE(attach(shared.id, DEVRING_ATTACH_TAKEOVER));
	MUST(0, source_ring(&shared, SLOTS, SLOT_SIZE, 64));
	MUST_HAVE(reader_open(&shared, O_RDONLY).fd);
	if (fork() == 0)
		take_and_return(NULL);
	if (fork() == 0)
		pause();
	set_rings(NULL);
}

/* A victim that runs for @ns of its own life, or until it is killed from outside, which is sooner. */
static pid_t start_free(ARGS, life *life, struct scene *scene, uint64_t ns)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec when = { .it_value = { ns / 1000000000, ns % 1000000000 } };
	timer_t timer;
	pid_t pid;

	CHILD(pid) {
		setpgid(0, 0);
		become(USER_A);
		if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &when, NULL))
			_exit(2);
		life(scene);
	}
	return pid;
}

/* The dead one's children die too; all of them are waited for. */
static void bury_family(ARGS, pid_t pid)
{
	int status = 0;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	kill(-pid, SIGKILL);
	while (waitpid(-pid, &status, 0) > 0) {
	}
	ASSERT_EQ(ECHILD, errno);
}

static void kill_at_random(ARGS, struct scene *scene)
{
	static life *const lives[] = { produce_for_ever, register_for_ever, crowd, family, read_for_ever };
	unsigned int which = roll() % ARRAY_SIZE(lives);
	int produces = lives[which] != read_for_ever;
	/* From a microsecond to eight milliseconds, in all orders of magnitude. */
	uint64_t ns = (1000 + roll() % 1000) << roll() % 13;
	struct devring_device d;
	pid_t pid;

	if (!produces) {
		produce_here(_metadata, scene);
		produce_frames(_metadata, scene, 4);
	}
	pid = start_free(_metadata, lives[which], scene, ns);
	while (roll() % 4)
		drain(_metadata, scene);
	bury_family(_metadata, pid);
	/* What stays until it is ended is ended here. */
	call_witnesses(_metadata, scene);
	ASSERT_GE(1, scene->witnesses);
	for (int i = 0; i < scene->witnesses; i++)
		EXPECT_STREQ("orphan", scene->seen[i].name);
	ASSERT_EQ(0, query(scene->bystander.fd, 0, &d));
	EXPECT_EQ(0, d.queued);
	expect_order(_metadata, scene, produces);
	if (!produces)
		leave(scene);
	drain(_metadata, scene);
	ASSERT_TRUE(_metadata->passed) {
		TH_LOG("after the kill of life %u after %llu ns", which, (unsigned long long)ns);
	}
}

/* The time is told by a clock that runs, for whoever wants to know what it costs. */
TEST_F_TIMEOUT(settings, random_kills, 14400)
{
	uint64_t began = now_ns(CLOCK_MONOTONIC);
	struct scene *scene;

	scene_up(_metadata, &scene);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	/* A reader that waits, and the threads' readers. */
	ASSERT_EQ(0, set_limit("user_readers", 4));
	for (unsigned int i = 0; i < kills; i++)
		kill_at_random(_metadata, scene);
	dprintf(STDOUT_FILENO, "# seed %llu, %u kills at random moments in %.1f s\n", (unsigned long long)seed, kills,
		(now_ns(CLOCK_MONOTONIC) - began) / 1e9);
	scene_down(_metadata, scene);
}

/* ---- in the midst of an allocation ---- */

#define BIG_SLOTS	8
#define BIG_SLOT	(2 << 20)

static void allocate_for_ever(struct scene *scene)
{
	int fd = MUST_HAVE(attach(scene->p.id, 0));

	for (;;) {
		/* ATTACH gives the next one as large a ring. */
		progress->step = 1;
		if (set_ring(fd, BIG_SLOTS, BIG_SLOT, 0, NULL))
			_exit(1);
		close(fd);
		progress->step = 2;
		fd = attach(scene->p.id, 0);
		if (fd < 0)
			_exit(1);
	}
}

/* What the system call that @pid was killed in would have returned, and which ioctl it was. */
static long interrupted(ARGS, pid_t pid, unsigned long *command)
{
	struct user_regs_struct regs;

#ifdef __aarch64__
	ASSERT_EQ(0, rc(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &(struct iovec){ &regs, sizeof(regs) })));
	*command = regs.regs[1];
	return regs.regs[0];
#else
	/* User-mode Linux has no PTRACE_GETREGSET. */
	ASSERT_EQ(0, rc(ptrace(PTRACE_GETREGS, pid, 0, &regs)));
	*command = regs.rsi;
	return regs.rax;
#endif
}

TEST_F(settings, an_allocation_is_killed)
{
	unsigned int seen[2] = { 0 }, tries;
	unsigned long command;
	struct scene *scene;
	long result;
	pid_t pid;
	int status;

	scene_up(_metadata, &scene);
	ASSERT_EQ(0, set_limit("total_mb", 400));
	for (tries = 0; (!seen[0] || !seen[1]) && tries < 200; tries++) {
		pid = start(_metadata, allocate_for_ever, scene, 0);
		ASSERT_EQ(0, rc(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)));
		*progress = (struct progress){ .pid = pid };
		ASSERT_EQ(0, rc(ptrace(PTRACE_CONT, pid, 0, 0)));
		WAIT_FOR(__atomic_load_n(&progress->step, __ATOMIC_RELAXED) == 1 + tries % 2);
		nanosleep(&(struct timespec){ .tv_nsec = roll() % 5000000 }, NULL);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(SIGTRAP | PTRACE_EVENT_EXIT << 8, status >> 8);
		result = interrupted(_metadata, pid, &command);
		seen[0] += result == -EINTR && command == DEVRING_IOC_SET_RING;
		seen[1] += result == -EINTR && command == DEVRING_IOC_ATTACH;
		ASSERT_EQ(0, rc(ptrace(PTRACE_CONT, pid, 0, 0)));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(SIGKILL, WTERMSIG(status));
		scene->witnesses = 0;
		expect_order(_metadata, scene, 1);
	}
	dprintf(STDOUT_FILENO, "# of %u kills %u ended a SET_RING and %u an ATTACH in the midst\n", tries, seen[0],
		seen[1]);
	EXPECT_LT(0, seen[0]);
	EXPECT_LT(0, seen[1]);
	scene_down(_metadata, scene);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kills", required_argument, NULL, 'k' }, { "seed", required_argument, NULL, 's' }, { }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'k')
			kills = strtoul(optarg, NULL, 0);
		else if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else
			return fprintf(stderr, "usage: kills [--kills N] [--seed N]\n"), 2;
	}
	return test_harness_run(argc, argv);
}
