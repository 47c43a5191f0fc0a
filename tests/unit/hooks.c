// SPDX-License-Identifier: GPL-2.0-only
/* Programs that are run for events: all is counted, and told of when it was. */

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../userspace/devringd/config.h"
#include "../../userspace/devringd/health.h"
#include "../../userspace/devringd/hooks.h"
#include "tap.h"

static unsigned int counted;

static void on_counted(void *user)
{
	(void)user;
	counted++;
}

int main(void)
{
	char folder[] = "/tmp/hooks-XXXXXX", path[64];
	struct health_counters counters = { 0 };
	struct config config = { .hook_timeout_ms = 60000 };
	struct hooks *hooks;
	sd_event *event;
	json_t *one;
	sigset_t set;

	if (sd_event_new(&event) < 0 || !mkdtemp(folder) || chmod(folder, 0755))
		return 1;
	snprintf(path, sizeof(path), "%s/true", folder);
	snprintf(config.hooks, sizeof(config.hooks), "%s", folder);
	/* As devringd has it: children are known by a descriptor. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	hooks = hooks_new(event, &counters, on_counted, NULL);
	hooks_configure(hooks, &config);
	for (int i = 0; i < 300; i++) {
		one = json_pack("{s:i}", "n", i);
		hooks_put(hooks, one);
		json_decref(one);
	}
	OK(counters.hooks_dropped == 300 - 256 && counted, "too many events: those left out are counted");
	hooks_run(hooks);
	OK(!counters.hooks, "nothing is run where there is nothing");
	if (symlink("/bin/false", path))
		return 1;
	counted = 0;
	one = json_object();
	hooks_put(hooks, one);
	json_decref(one);
	hooks_run(hooks);
	for (int i = 0; i < 100 && !counted; i++)
		sd_event_run(event, 1000000);
	OK(counters.hooks == 1 && counters.hooks_failed == 1, "one that ended is counted");
	OK(counted == 1, "and that is told");
	hooks_free(hooks);
	sd_event_unref(event);
	unlink(path);
	rmdir(folder);
	return tap_end();
}
