// SPDX-License-Identifier: GPL-2.0-or-later
#include "hooks.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "health.h"
#include "log.h"

#define WAITING_MAX	256
#define PROGRAMS_MAX	32
#define VARIABLES_MAX	48
#define NOBODY		65534

struct waiting {
	struct waiting *next;
	json_t *event;
};

struct hooks {
	sd_event *event;
	struct health_counters *counters;
	void (*counted)(void *user);
	void *user;
	char folder[256];
	unsigned int timeout_ms;
	struct waiting *first;
	unsigned int count;
	struct dirent **programs;	/* for the event that is being handled */
	int programs_count, at;
	pid_t pid;			/* of the one that runs, and of its group; 0: none */
	sd_event_source *child, *timer;
};

static void next(struct hooks *hooks);

/* A program that others may write would run what they want: it is left. */
static int is_program(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && !strchr(entry->d_name, '~');
}

static bool may_run(const struct hooks *hooks, const char *name, char *path, size_t size)
{
	struct stat st;

	if ((size_t)snprintf(path, size, "%s/%s", hooks->folder, name) >= size || stat(path, &st) ||
	    !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return false;
	if ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & 022) {
		log_device(LOG_WARNING, NULL, "hook", "%s is not run: others than root may write it; chown root "
			   "and chmod go-w", path);
		return false;
	}
	return true;
}

static char *variable(const char *key, const char *value)
{
	char *text = NULL;

	if (asprintf(&text, "DEVRING_%s=%s", key, value) < 0)
		return NULL;
	for (char *c = text + 8; *c && *c != '='; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return text;
}

static char *variable_of(const char *key, const json_t *value)
{
	char number[32];

	switch (json_typeof(value)) {
	case JSON_STRING:
		return variable(key, json_string_value(value));
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		return variable(key, number);
	case JSON_TRUE:
	case JSON_FALSE:
		return variable(key, json_is_true(value) ? "yes" : "no");
	default:
		return NULL;		/* in DEVRING_JSON */
	}
}

/* The first is constant, the rest is to be freed. */
static void make_environment(json_t *event, char **list)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char *line = json_dumps(event, JSON_COMPACT), *text;
	unsigned int n = 0;
	const char *key;
	json_t *value;

	list[n++] = path;
	text = line ? variable("JSON", line) : NULL;
	if (text)
		list[n++] = text;
	free(line);
	json_object_foreach(event, key, value) {
		text = n < VARIABLES_MAX ? variable_of(key, value) : NULL;
		if (text)
			list[n++] = text;
	}
}

/* The child: no right that devringd has beyond its user's. */
static void __attribute__((noreturn)) become(const char *path, char **environment)
{
	char *words[] = { (char *)path, NULL };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(126);
	close_range(3, ~0U, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(126);
	if (!geteuid() && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			   setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(126);
	if (chdir("/"))
		_exit(126);
	execve(path, words, environment);
	_exit(127);
}

static int on_end(sd_event_source *source, const siginfo_t *info, void *user)
{
	struct hooks *hooks = user;
	const char *name = hooks->programs[hooks->at - 1]->d_name;

	(void)source;
	/* What it left behind in its group ends with it. */
	kill(-hooks->pid, SIGKILL);
	hooks->pid = 0;
	hooks->child = sd_event_source_disable_unref(hooks->child);
	hooks->timer = sd_event_source_disable_unref(hooks->timer);
	hooks->counters->hooks++;
	if (info->si_code != CLD_EXITED || info->si_status) {
		hooks->counters->hooks_failed++;
		log_device(LOG_WARNING, NULL, "hook", "%s/%s ended with %s %d", hooks->folder, name,
			   info->si_code == CLD_EXITED ? "status" : "signal", info->si_status);
	}
	hooks->counted(hooks->user);
	next(hooks);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *user)
{
	struct hooks *hooks = user;

	(void)source;
	(void)usec;
	log_device(LOG_WARNING, NULL, "hook", "%s/%s takes longer than %u ms: killed", hooks->folder,
		   hooks->programs[hooks->at - 1]->d_name, hooks->timeout_ms);
	kill(-hooks->pid, SIGKILL);
	return 0;
}

static int spawn(struct hooks *hooks, const char *path)
{
	char *environment[VARIABLES_MAX + 1] = { NULL };
	int error = 0;

	make_environment(hooks->first->event, environment);
	hooks->pid = fork();
	if (!hooks->pid)
		become(path, environment);
	if (hooks->pid < 0)
		error = -errno;
	else
		setpgid(hooks->pid, hooks->pid);
	for (int i = 1; i < VARIABLES_MAX; i++)
		free(environment[i]);
	if (!error)
		error = sd_event_add_child(hooks->event, &hooks->child, hooks->pid, WEXITED, on_end, hooks);
	if (error >= 0)
		error = sd_event_add_time_relative(hooks->event, &hooks->timer, CLOCK_MONOTONIC,
						   hooks->timeout_ms * 1000ull, 10000, on_timeout, hooks);
	if (error >= 0)
		return 0;
	log_error("%s cannot be run: %s", path, strerror(-error));
	if (hooks->pid > 0) {
		kill(-hooks->pid, SIGKILL);
		waitpid(hooks->pid, NULL, 0);
	}
	hooks->pid = 0;
	hooks->child = sd_event_source_disable_unref(hooks->child);
	return -1;
}

static void end_event(struct hooks *hooks)
{
	struct waiting *w = hooks->first;

	for (int i = 0; i < hooks->programs_count; i++)
		free(hooks->programs[i]);
	free(hooks->programs);
	hooks->programs = NULL;
	hooks->programs_count = hooks->at = 0;
	hooks->first = w->next;
	hooks->count--;
	json_decref(w->event);
	free(w);
}

/* The next program, for this event or the one that has waited longest. */
static void next(struct hooks *hooks)
{
	char path[600];

	while (hooks->first && !hooks->pid) {
		if (!hooks->programs) {
			hooks->programs_count = scandir(hooks->folder, &hooks->programs, is_program, alphasort);
			if (hooks->programs_count < 0) {
				hooks->programs_count = 0;
				hooks->programs = NULL;
			}
		}
		if (!hooks->programs || hooks->at == hooks->programs_count || hooks->at == PROGRAMS_MAX) {
			end_event(hooks);
			continue;
		}
		if (may_run(hooks, hooks->programs[hooks->at++]->d_name, path, sizeof(path)))
			spawn(hooks, path);
	}
}

static const char *member(const json_t *event, const char *key)
{
	const char *value = json_string_value(json_object_get(event, key));

	return value ? value : "";
}

static bool about_the_same(const json_t *a, const json_t *b)
{
	return !strcmp(member(a, "device"), member(b, "device")) &&
	       !strcmp(member(a, "port_path"), member(b, "port_path")) &&
	       !strncmp(member(a, "topic"), member(b, "topic"), strcspn(member(a, "topic"), "."));
}

/* Too many wait: of each thing the newest event is what counts. */
static void make_room(struct hooks *hooks, const json_t *event)
{
	struct waiting **link = &hooks->first, *w;

	/* The first is being handled. */
	link = &(*link)->next;
	while (*link && !about_the_same((*link)->event, event))
		link = &(*link)->next;
	if (!*link)
		link = &hooks->first->next;
	w = *link;
	if (!w)
		return;
	*link = w->next;
	json_decref(w->event);
	free(w);
	hooks->count--;
	hooks->counted(hooks->user);
	if (!hooks->counters->hooks_dropped++)
		log_device(LOG_WARNING, NULL, "hook", "programs in %s take too long: older events are left out",
			   hooks->folder);
}

void hooks_put(struct hooks *hooks, json_t *event)
{
	struct waiting **end = &hooks->first, *w;

	if (hooks->count == WAITING_MAX)
		make_room(hooks, event);
	w = calloc(1, sizeof(*w));
	if (!w)
		return;
	w->event = json_incref(event);
	while (*end)
		end = &(*end)->next;
	*end = w;
	hooks->count++;
}

void hooks_run(struct hooks *hooks)
{
	next(hooks);
}

void hooks_configure(struct hooks *hooks, const struct config *config)
{
	snprintf(hooks->folder, sizeof(hooks->folder), "%s", config->hooks);
	hooks->timeout_ms = config->hook_timeout_ms;
}

struct hooks *hooks_new(sd_event *event, struct health_counters *counters, void (*counted)(void *user),
			void *user)
{
	struct hooks *hooks = calloc(1, sizeof(*hooks));

	if (!hooks)
		return NULL;
	hooks->event = event;
	hooks->counters = counters;
	hooks->counted = counted;
	hooks->user = user;
	return hooks;
}

void hooks_free(struct hooks *hooks)
{
	if (!hooks)
		return;
	if (hooks->pid > 0) {
		kill(-hooks->pid, SIGKILL);
		waitpid(hooks->pid, NULL, 0);
	}
	sd_event_source_disable_unref(hooks->child);
	sd_event_source_disable_unref(hooks->timer);
	while (hooks->first)
		end_event(hooks);
	free(hooks);
}
