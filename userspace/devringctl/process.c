// SPDX-License-Identifier: GPL-2.0-or-later
/* What /proc tells of a process. */

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "process.h"

static char *read_line(const char *path, const char *prefix, char *buf, size_t size)
{
	FILE *file = fopen(path, "re");
	char line[1024];

	buf[0] = '\0';
	if (!file)
		return buf;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, prefix, strlen(prefix)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(buf, size, "%s", line + strlen(prefix));
		break;
	}
	fclose(file);
	return buf;
}

char *process_command(int pid, char *buf, size_t size)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	return read_line(path, "", buf, size);
}

static int ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a > b && !strcmp(text + a - b, end);
}

char *process_unit(int pid, char *buf, size_t size)
{
	char path[40], cgroup[512], *part, *rest = NULL;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	/* The version 2 hierarchy; the innermost unit is the last that looks like one. */
	read_line(path, "0::", cgroup, sizeof(cgroup));
	for (part = strtok_r(cgroup, "/", &rest); part; part = strtok_r(NULL, "/", &rest))
		if (ends_with(part, ".service") || ends_with(part, ".scope") ||
		    !strncmp(part, "lxc.payload.", 12) || strlen(part) == 64)
			snprintf(buf, size, "%s", part);
	return buf;
}

bool user_from_text(const char *text, uint32_t *uid)
{
	const struct passwd *user = getpwnam(text);
	uint64_t number;

	if (user)
		*uid = user->pw_uid;
	else if (parse_number(text, 0, UINT32_MAX - 1, &number))
		*uid = (uint32_t)number;
	else
		return false;
	return true;
}

char *user_name(uint32_t uid, char *buf, size_t size)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(buf, size, "%s", user->pw_name);
	else
		snprintf(buf, size, "%u", uid);
	return buf;
}
