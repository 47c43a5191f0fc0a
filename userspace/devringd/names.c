// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

struct name {
	char name[DEVRING_NAME_SIZE];
	char stable_id[DEVRING_ID_SIZE];
};

struct names {
	int folder;
	bool changed;
	unsigned int count;
	struct name *items;
};

const char *type_name(enum devring_type type)
{
	switch (type) {
	case DEVRING_TYPE_CAMERA:
		return "camera";
	case DEVRING_TYPE_MICROPHONE:
		return "microphone";
	case DEVRING_TYPE_SCREEN:
		return "screen";
	case DEVRING_TYPE_SPEAKER:
		return "speaker";
	case DEVRING_TYPE_KEYBOARD:
		return "keyboard";
	case DEVRING_TYPE_MOUSE:
		return "mouse";
	case DEVRING_TYPE_USB:
		return "usb";
	case DEVRING_TYPE_TENSOR:
		return "tensor";
	case DEVRING_TYPE_EVENT:
		return "event";
	case DEVRING_TYPE_OTHER:
		break;
	}
	return "other";
}

const char *names_find(const struct names *names, const char *stable_id)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (!strcmp(names->items[i].stable_id, stable_id))
			return names->items[i].name;
	return NULL;
}

static bool is_taken(const struct names *names, const char *name)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (!strcmp(names->items[i].name, name))
			return true;
	return false;
}

bool names_set(struct names *names, const char *stable_id, const char *name)
{
	struct name *grown;
	const char *has = names_find(names, stable_id);

	if (has && !strcmp(has, name))
		return true;
	if (is_taken(names, name))
		return false;
	names->changed = true;
	for (unsigned int i = 0; has && i < names->count; i++) {
		if (names->items[i].name == has) {
			text_copy(names->items[i].name, sizeof(names->items[i].name), name);
			return true;
		}
	}
	grown = realloc(names->items, (names->count + 1) * sizeof(*grown));
	if (!grown)
		return false;
	names->items = grown;
	grown += names->count++;
	text_copy(grown->name, sizeof(grown->name), name);
	text_copy(grown->stable_id, sizeof(grown->stable_id), stable_id);
	return true;
}

unsigned int names_next(const struct names *names, char *name, enum devring_type type,
			unsigned int number)
{
	for (;; number++) {
		snprintf(name, DEVRING_NAME_SIZE, "%s%u", type_name(type), number);
		if (!is_taken(names, name))
			return number;
	}
}

/* A line is "camera0 platform-vivid.0-video0". */
static void read_file(struct names *names, FILE *file)
{
	char line[256], name[DEVRING_NAME_SIZE], id[DEVRING_ID_SIZE];

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %127s", name, id) == 2 && name[0] != '#' &&
		    !names_set(names, id, name))
			log_warn("the state file has the name %s twice; keeping the first", name);
	}
	names->changed = false;
}

struct names *names_open(const char *folder)
{
	struct names *names = calloc(1, sizeof(*names));
	FILE *file = NULL;
	int fd, error;

	if (!names)
		return NULL;
	names->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (names->folder < 0)
		goto bad;
	fd = openat(names->folder, "names", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT)
			return names;
		goto bad;
	}
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		goto bad;
	}
	read_file(names, file);
	fclose(file);
	return names;
bad:
	error = errno;
	names_free(names);
	errno = error;
	return NULL;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	if (names->folder >= 0)
		close(names->folder);
	free(names->items);
	free(names);
}

int names_save(struct names *names)
{
	FILE *file;
	bool good;
	int fd;

	if (!names->changed)
		return 0;
	fd = openat(names->folder, "names.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	file = fdopen(fd, "w");
	if (!file) {
		close(fd);
		return -1;
	}
	fputs("# Which device has which name. Written by devringd; change it while that is "
	      "stopped.\n", file);
	for (unsigned int i = 0; i < names->count; i++)
		fprintf(file, "%s %s\n", names->items[i].name, names->items[i].stable_id);
	good = !fflush(file) && !fsync(fd);
	if (fclose(file) || !good ||
	    renameat(names->folder, "names.new", names->folder, "names"))
		return -1;
	names->changed = false;
	return 0;
}
