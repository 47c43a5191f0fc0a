// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who wakes a reader when the producer ends: the last one who lets go, in its own exit or close(2).  The kernel's
 * trace tells, so that no clock need be asked: no timer and no worker comes between.
 */
#include "lib.h"

#define INSTANCE	"/sys/kernel/tracing/instances/devring_wakes/"

static const char *const traced[] = {
	"sched/sched_waking", "sched/sched_process_exit", "timer/timer_expire_entry", "timer/hrtimer_expire_entry",
	"workqueue/workqueue_execute_start", "devring/devring_state",
};

struct event {
	pid_t pid;		/* current */
	char context;		/* '.': its own, no interrupt's */
	char name[32];
	char text[160];
};

FIXTURE(wakes) {
	struct source *s;	/* shared with the producer, which makes it */
	struct event events[1024];
	int nr_events;
	int made[2], go[2];
	pid_t producer, reader;
};

static int tracing(const char *file, const char *text)
{
	char path[160];
	int fd, result;

	snprintf(path, sizeof(path), INSTANCE "%s", file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = rc(write(fd, text, strlen(text)));
	close(fd);
	return result < 0 ? result : 0;
}

FIXTURE_SETUP(wakes)
{
	char file[96];

	self->s = mmap(NULL, sizeof(*self->s), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->s);
	ASSERT_EQ(0, pipe2(self->made, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(self->go, O_CLOEXEC));
	rmdir(INSTANCE);
	ASSERT_EQ(0, rc(mkdir(INSTANCE, 0700)));
	for (unsigned int i = 0; i < ARRAY_SIZE(traced); i++) {
		snprintf(file, sizeof(file), "events/%s/enable", traced[i]);
		ASSERT_EQ(0, tracing(file, "1")) {
			TH_LOG("%s", file);
		}
	}
}

FIXTURE_TEARDOWN(wakes)
{
	unregister(self->s->id);
	EXPECT_EQ(0, rc(rmdir(INSTANCE)));
}

/* "            comm-123     [000] d..2.   12.345678: name: text" */
static int parse(const char *line, struct event *e)
{
	const char *cpu = strstr(line, " ["), *pid = cpu;
	char flags[16];

	while (pid && pid > line && *pid != '-')
		pid--;
	return pid && sscanf(pid + 1, "%d [%*d] %15s %*[^:]: %31[^:]: %159[^\n]", &e->pid, flags, e->name,
			     e->text) == 4 && (e->context = flags[2]);
}

static void read_trace(ARGS, FIXTURE_DATA(wakes) *self)
{
	FILE *trace = fopen(INSTANCE "trace", "r");
	char line[512];

	ASSERT_NE(NULL, trace);
	self->nr_events = 0;
	while (fgets(line, sizeof(line), trace) && self->nr_events < ARRAY_SIZE(self->events)) {
		if (*line != '#')
			self->nr_events += parse(line, &self->events[self->nr_events]);
	}
	ASSERT_GT(ARRAY_SIZE(self->events), self->nr_events);
	fclose(trace);
}

/* The first event @name from @from on whose text has @part. */
static int find(const FIXTURE_DATA(wakes) *self, int from, const char *name, const char *part)
{
	for (int i = from; i < self->nr_events; i++)
		if (!strcmp(self->events[i].name, name) && strstr(self->events[i].text, part))
			return i;
	return self->nr_events;
}

/* The state changed, and then the reader was woken, after event @from, by @pid itself and not behind its back. */
static void expect_woken_by(ARGS, const FIXTURE_DATA(wakes) *self, int from, pid_t pid)
{
	char reader[32];
	int state, waking;

	snprintf(reader, sizeof(reader), " pid=%d ", self->reader);
	state = find(self, from, "devring_state", " state=2->");
	ASSERT_LT(state, self->nr_events);
	waking = find(self, from, "sched_waking", reader);
	ASSERT_LT(waking, self->nr_events);
	EXPECT_LT(state, waking);
	EXPECT_EQ(pid, self->events[state].pid);
	EXPECT_EQ('.', self->events[state].context);
	EXPECT_EQ(pid, self->events[waking].pid);
	EXPECT_EQ('.', self->events[waking].context);
	/* A timer's function runs in an interrupt or in a worker: then one of these is not as it is here. */
	for (int i = from; !_metadata->passed && i <= waking; i++) {
		TH_LOG("%d %c %s: %s", self->events[i].pid, self->events[i].context, self->events[i].name,
		       self->events[i].text);
	}
}

/* After its exit began. */
static void expect_woken_by_death(ARGS, FIXTURE_DATA(wakes) *self, pid_t pid)
{
	char text[32];
	int from;

	read_trace(_metadata, self);
	snprintf(text, sizeof(text), " pid=%d ", pid);
	from = find(self, 0, "sched_process_exit", text);
	ASSERT_LT(from, self->nr_events);
	expect_woken_by(_metadata, self, from, pid);
}

/* A producer that closes its file when it is told to; with @keeper it has a child that has the file too. */
static void start_producer(ARGS, FIXTURE_DATA(wakes) *self, uint32_t flags, pid_t *keeper)
{
	CHILD(self->producer) {
		source_up(_metadata, self->s, "waking", flags, 4, 4096, 0);
		munmap(self->s->map, area_bytes(&self->s->g));
		if (keeper) {
			CHILD(*keeper)
				pause();
		}
		if (write(self->made[1], keeper ?: &self->producer, sizeof(pid_t)) != sizeof(pid_t))
			_exit(1);
		hear(_metadata, self->go[0]);
		close(self->s->fd);
		pause();
	}
	ASSERT_EQ(POLLIN, wait_ready(self->made[0], POLLIN));
	ASSERT_EQ(sizeof(pid_t), read(self->made[0], keeper ?: &(pid_t){ 0 }, sizeof(pid_t)));
}

/* A reader that sleeps, in read() or in poll(), and ends when it was told that the producer has. */
static void start_reader(ARGS, FIXTURE_DATA(wakes) *self, int polls)
{
	CHILD(self->reader) {
		struct stream r = reader_open(self->s, polls ? O_RDONLY | O_NONBLOCK : O_RDONLY);
		union record u = { 0 };
		int kind;

		while (u.rec.kind != DEVRING_RECORD_STATE || u.state.state == DEVRING_STATE_AVAILABLE) {
			kind = next(&r, &u);
			if (kind == -EAGAIN)
				poll(&(struct pollfd){ r.fd, POLLIN }, 1, -1);
			ASSERT_TRUE(kind > 0 || kind == -EAGAIN);
		}
	}
	WAIT_ASLEEP(self->reader);
}

TEST_F(wakes, by_who_is_killed)
{
	start_producer(_metadata, self, DEVRING_REG_PERSIST, NULL);
	start_reader(_metadata, self, 0);
	kill_child(_metadata, self->producer);
	wait_child(_metadata, self->reader);
	expect_woken_by_death(_metadata, self, self->producer);
}

TEST_F(wakes, by_who_takes_the_device_along)
{
	start_producer(_metadata, self, 0, NULL);
	start_reader(_metadata, self, 1);
	kill_child(_metadata, self->producer);
	wait_child(_metadata, self->reader);
	expect_woken_by_death(_metadata, self, self->producer);
}

TEST_F(wakes, by_the_last_who_has_it)
{
	pid_t keeper = 0;

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	start_producer(_metadata, self, DEVRING_REG_PERSIST, &keeper);
	start_reader(_metadata, self, 1);
	/* Its child dies by PR_SET_PDEATHSIG. */
	kill_child(_metadata, self->producer);
	ASSERT_EQ(keeper, waitpid(keeper, NULL, 0));
	wait_child(_metadata, self->reader);
	expect_woken_by_death(_metadata, self, keeper);
}

TEST_F(wakes, by_who_closes_it)
{
	int from;

	start_producer(_metadata, self, DEVRING_REG_PERSIST, NULL);
	start_reader(_metadata, self, 0);
	tell(self->go[1]);
	wait_child(_metadata, self->reader);
	read_trace(_metadata, self);
	from = find(self, 0, "devring_state", " state=2->");
	expect_woken_by(_metadata, self, from, self->producer);
	kill_child(_metadata, self->producer);
}

/* The trace names device, reader and frame. */
TEST_F(wakes, frames_are_traced)
{
	struct devring_frame frame;
	struct stream reader;
	char wanted[64];
	int at;

	ASSERT_EQ(0, tracing("events/devring/devring_frame/enable", "1"));
	source_up(_metadata, self->s, "traced", 0, 4, 4096, 0);
	reader_up(_metadata, self->s, &reader);
	ASSERT_EQ(0, produce(self->s, 2));
	ASSERT_EQ(0, next_frame(&reader, &frame));
	ASSERT_EQ(0, next_frame(&reader, &frame));
	read_trace(_metadata, self);
	snprintf(wanted, sizeof(wanted), "device=%llu reader=", (unsigned long long)self->s->id);
	at = find(self, 0, "devring_frame", wanted);
	ASSERT_LT(at + 1, self->nr_events);
	EXPECT_NE(NULL, strstr(self->events[at].text, " sequence=0"));
	EXPECT_LT(find(self, at, "devring_frame", " sequence=1"), self->nr_events);
	EXPECT_EQ(getpid(), self->events[at].pid);
}

TEST_HARNESS_MAIN
