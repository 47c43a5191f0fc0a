// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: what is wrong, and what to do. */

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "options.h"
#include "process.h"
#include "table.h"
#include "text.h"

static void find(struct doctor *doctor, const char *code, const char *remedy, const char *message)
{
	const char *bold = doctor->colour ? "\033[1m" : "", *plain = doctor->colour ? "\033[0m" : "";
	char clean[2048];
	json_t *json;

	doctor->problems += remedy != NULL;
	if (doctor->checks) {
		json = json_object();
		json_object_set_new(json, "code", json_string(code));
		json_object_set_new(json, "problem", json_boolean(remedy));
		json_object_set_new(json, "message", json_text(message));
		json_object_set_new(json, "remedy", remedy ? json_text(remedy) : json_null());
		json_array_append_new(doctor->checks, json);
		return;
	}
	text_escape(message, clean, sizeof(clean));
	if (remedy)
		printf("%sPROBLEM%s  %s\n", bold, plain, clean);
	else
		printf("ok       %s\n", clean);
	if (remedy)
		printf("         Do: %s.\n", text_escape(remedy, clean, sizeof(clean)));
}

void doctor_fine(struct doctor *doctor, const char *code, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	find(doctor, code, NULL, message);
}

void doctor_problem(struct doctor *doctor, const char *code, const char *remedy, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	find(doctor, code, remedy, message);
}

/* Has the process this node open, under whatever name?  False if this user cannot see. */
static bool has_node(int pid, dev_t node)
{
	struct dirent *entry;
	bool found = false;
	char path[64];
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir)))
		found = !fstatat(dirfd(dir), entry->d_name, &st, 0) && S_ISCHR(st.st_mode) && st.st_rdev == node;
	if (dir)
		closedir(dir);
	return found;
}

/* The processes that @matches, @max at most: how many. */
static unsigned int find_processes(bool (*matches)(int pid, const void *what), const void *what, int *pids,
				   unsigned int max)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned int count = 0;
	uint64_t pid = 0;

	while (dir && count < max && (entry = readdir(dir)))
		if (parse_number(entry->d_name, 1, INT32_MAX, &pid) && matches((int)pid, what))
			pids[count++] = (int)pid;
	if (dir)
		closedir(dir);
	return count;
}

static bool is_named(int pid, const void *name)
{
	char command[64];

	return !strcmp(process_command(pid, command, sizeof(command)), name);
}

static bool holds(int pid, const void *node)
{
	return !is_named(pid, "devringd") && has_node(pid, *(const dev_t *)node);
}

unsigned int processes_with_node(const char *path, int *pids, unsigned int max)
{
	struct stat st;

	return stat(path, &st) ? 0 : find_processes(holds, &st.st_rdev, pids, max);
}

static bool daemon_runs(void)
{
	int pid;

	return find_processes(is_named, "devringd", &pid, 1);
}

void doctor_daemons(struct doctor *doctor)
{
	bool systemd = !access("/run/systemd/system", F_OK);

	doctor->udev = !access("/run/udev/control", F_OK);
	if (doctor->udev)
		doctor_fine(doctor, "udev", "udev runs.");
	else
		doctor_problem(doctor, "udev", systemd ? "systemctl start systemd-udevd" : "start it: "
			       "/lib/systemd/systemd-udevd --daemon; in a container it runs on the host, look there",
			       "udev does not run, so devices get neither names nor groups.");
	if (daemon_runs())
		doctor_fine(doctor, "daemon", "devringd runs.");
	else if (access("/usr/sbin/devringd", X_OK) && access("/usr/local/sbin/devringd", X_OK))
		doctor_problem(doctor, "daemon", "apt install devringd, or see docs/install.md", "devringd is not "
			       "installed, so cameras and microphones do not become devices.");
	else
		doctor_problem(doctor, "daemon", systemd ? "systemctl enable --now devringd; if it ended by itself, "
			       "journalctl -u devringd tells why" : "start devringd, as root or as its user",
			       "devringd does not run, so cameras and microphones do not become devices.");
}

int cmd_doctor(struct cli *cli)
{
	struct doctor doctor = { .cli = cli, .colour = may_colour() };
	json_t *json = NULL;
	int ret;

	if (cli->json) {
		json = json_begin();
		doctor.checks = json_array();
		json_object_set_new(json, "checks", doctor.checks);
	}
	if (doctor_module(&doctor)) {
		doctor_daemons(&doctor);
		doctor_devices(&doctor);
	}
	if (json) {
		json_object_set_new(json, "problems", json_integer(doctor.problems));
		json_print(json, stdout);
	}
	ret = flush_stdout(cli);
	return ret ? ret : doctor.problems ? STATUS_FAILURE : STATUS_OK;
}
