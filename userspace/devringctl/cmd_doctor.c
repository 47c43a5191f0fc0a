// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: what is wrong, and what to do. */

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
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

/* Has the process a file open whose path begins so?  False if this user cannot see. */
static bool has_file(int pid, const char *prefix)
{
	char path[64], target[256];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		found = length > 0 && (size_t)length >= strlen(prefix) && !memcmp(target, prefix, strlen(prefix));
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The first process that @matches. */
static int find_process(bool (*matches)(int pid, const char *text), const char *text)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint64_t pid = 0;
	int found = 0;

	while (dir && !found && (entry = readdir(dir)))
		if (parse_number(entry->d_name, 1, INT32_MAX, &pid) && matches((int)pid, text))
			found = (int)pid;
	if (dir)
		closedir(dir);
	return found;
}

static bool is_named(int pid, const char *name)
{
	char command[64];

	return !strcmp(process_command(pid, command, sizeof(command)), name);
}

static bool holds(int pid, const char *prefix)
{
	return !is_named(pid, "devringd") && has_file(pid, prefix);
}

int process_named(const char *command)
{
	return find_process(is_named, command);
}

int process_with_file(const char *path_prefix)
{
	return find_process(holds, path_prefix);
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
	if (process_named("devringd"))
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
