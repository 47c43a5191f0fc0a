// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <ini.h>
#include <linux/devring.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "text.h"

/* inih cuts longer lines without a word. */
#define LINE_MAX_LENGTH	198

enum section {
	IN_DEVRINGD	= 1 << 0,
	IN_CAMERA	= 1 << 1,
	IN_MICROPHONE	= 1 << 2,
	IN_SPEAKER	= 1 << 3,
	IN_HOTPLUG	= 1 << 4,
	IN_DEVICE	= 1 << 5,
	IN_POLICY	= 1 << 6,
	IN_SOUND	= IN_MICROPHONE | IN_SPEAKER | IN_DEVICE,
	IN_VIDEO	= IN_CAMERA | IN_DEVICE,
	IN_TYPE		= IN_CAMERA | IN_SOUND,
	IN_SOURCE	= IN_CAMERA | IN_MICROPHONE | IN_DEVICE,
};

enum { TO_CONFIG, TO_DEVICE };
enum kind {
	BOOL, NUMBER, LINGER, ENABLED, SIZE, FORMATS, MEMORY, MATCH, SOURCES, FOLDER, RULE, VERDICT,
};

static const struct {
	const char *name;
	enum section section;
} sections[] = {
	{ "devringd", IN_DEVRINGD }, { "camera", IN_CAMERA }, { "microphone", IN_MICROPHONE },
	{ "speaker", IN_SPEAKER }, { "hotplug", IN_HOTPLUG }, { "policy", IN_POLICY },
};

#define GLOBAL(member)	TO_CONFIG, offsetof(struct config, member)
#define DEVICE(member)	TO_DEVICE, offsetof(struct config_device, member)

static const struct key {
	const char *name;
	unsigned int sections;
	enum kind kind;
	int to;
	size_t offset;		/* in struct config, or in the struct config_device */
	unsigned int min, max;
} keys[] = {
	{ "cameras",	  IN_DEVRINGD,	 BOOL,	  GLOBAL(cameras),	       0, 0 },
	{ "microphones",  IN_DEVRINGD,	 BOOL,	  GLOBAL(microphones),	       0, 0 },
	{ "speakers",	  IN_DEVRINGD,	 BOOL,	  GLOBAL(speakers),	       0, 0 },
	{ "checksum",	  IN_DEVRINGD,	 BOOL,	  GLOBAL(checksum),	       0, 0 },
	{ "audit",	  IN_DEVRINGD,	 BOOL,	  GLOBAL(audit),	       0, 0 },
	{ "lossless_ms",  IN_DEVRINGD,	 NUMBER,  GLOBAL(lossless_ms),	       0, DEVRING_DEADLINE_MAX },
	{ "linger_ms",	  IN_DEVRINGD,	 NUMBER,  GLOBAL(linger_ms),	       0, 3600000 },
	{ "retry_ms",	  IN_DEVRINGD,	 NUMBER,  GLOBAL(retry_ms),	       10, 60000 },
	{ "retry_max_ms", IN_DEVRINGD,	 NUMBER,  GLOBAL(retry_max_ms),	       10, 3600000 },
	{ "min_fps",	  IN_CAMERA,	 NUMBER,  GLOBAL(min_fps),	       1, 1000 },
	{ "loopback",	  IN_MICROPHONE, BOOL,	  GLOBAL(loopback_microphone), 0, 0 },
	{ "loopback",	  IN_SPEAKER,	 BOOL,	  GLOBAL(loopback_speaker),    0, 0 },
	{ "history",	  IN_HOTPLUG,	 NUMBER,  GLOBAL(history),	       16, 4096 },
	{ "usb_events",	  IN_HOTPLUG,	 BOOL,	  GLOBAL(usb_events),	       0, 0 },
	{ "usb_details",  IN_HOTPLUG,	 BOOL,	  GLOBAL(usb_details),	       0, 0 },
	{ "debounce_ms",  IN_HOTPLUG,	 NUMBER,  GLOBAL(debounce_ms),	       0, 10000 },
	{ "events_per_second", IN_HOTPLUG, NUMBER, GLOBAL(events_per_second),  1, 10000 },
	{ "batch",	  IN_HOTPLUG,	 NUMBER,  GLOBAL(batch),	       1, 32 },
	{ "sources",	  IN_HOTPLUG,	 SOURCES, GLOBAL(sources),	       0, 0 },
	{ "receive_buffer", IN_HOTPLUG,	 NUMBER,  GLOBAL(receive_buffer),      1024, 134217728 },
	{ "udev_timeout_ms", IN_HOTPLUG, NUMBER,  GLOBAL(udev_timeout_ms),     100, 600000 },
	{ "poll_ms",	  IN_HOTPLUG,	 NUMBER,  GLOBAL(poll_ms),	       100, 600000 },
	{ "hooks",	  IN_HOTPLUG,	 FOLDER,  GLOBAL(hooks),	       0, 0 },
	{ "hook_timeout_ms", IN_HOTPLUG, NUMBER,  GLOBAL(hook_timeout_ms),     100, 600000 },
	{ "rule",	  IN_POLICY,	 RULE,	  GLOBAL(rules),	       0, 0 },
	{ "default",	  IN_POLICY,	 VERDICT, GLOBAL(rules),	       0, 0 },
	{ "match",	  IN_DEVICE,	 MATCH,	  DEVICE(match),	       0, 0 },
	{ "enabled",	  IN_DEVICE,	 ENABLED, DEVICE(enabled),	       0, 0 },
	{ "linger_ms",	  IN_TYPE,	 LINGER,  DEVICE(linger_ms),	       0, 3600000 },
	{ "stall_ms",	  IN_SOURCE,	 LINGER,  DEVICE(stall_ms),	       0, 3600000 },
	{ "slots",	  IN_TYPE,	 NUMBER,  DEVICE(slots),	       3, 4096 },
	{ "formats",	  IN_VIDEO,	 FORMATS, DEVICE(formats),	       0, 0 },
	{ "max_size",	  IN_CAMERA,	 SIZE,	  DEVICE(width),	       1, 16384 },
	{ "size",	  IN_DEVICE,	 SIZE,	  DEVICE(width),	       1, 16384 },
	{ "fps",	  IN_VIDEO,	 NUMBER,  DEVICE(fps),		       1, 1000 },
	{ "memory",	  IN_VIDEO,	 MEMORY,  DEVICE(memory),	       0, 0 },
	{ "buffers",	  IN_VIDEO,	 NUMBER,  DEVICE(buffers),	       2, 32 },
	{ "rate",	  IN_SOUND,	 NUMBER,  DEVICE(rate),		       4000, 768000 },
	{ "channels",	  IN_SOUND,	 NUMBER,  DEVICE(channels),	       1, 32 },
	{ "period_ms",	  IN_SOUND,	 NUMBER,  DEVICE(period_ms),	       1, 1000 },
};

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

struct parser {
	struct config *config;
	FILE *file;
	const char *path;
	unsigned int line;
	char section_name[64];		/* of the section that the values go to */
	struct config_device *device;	/* where, in a [device ...] */
	char *error;
	unsigned int error_size;
};

/* The first complaint is the one that counts. */
static int __attribute__((format(printf, 2, 3)))
complain(struct parser *p, const char *format, ...)
{
	va_list args;
	int n;

	if (p->error[0])
		return 0;
	n = snprintf(p->error, p->error_size, "%s:%u: ", p->path, p->line);
	if (n < 0 || (unsigned int)n >= p->error_size)
		return 0;
	va_start(args, format);
	vsnprintf(p->error + n, p->error_size - n, format, args);
	va_end(args);
	return 0;
}

static enum section section_of(const char *name)
{
	for (size_t i = 0; i < COUNT(sections); i++)
		if (!strcmp(sections[i].name, name))
			return sections[i].section;
	return strncmp(name, "device ", 7) || !name[7] ? 0 : IN_DEVICE;
}

static int bad_section(struct parser *p, const char *name)
{
	return complain(p, "unknown section [%s]; there are [devringd], [camera], [microphone], "
			"[speaker], [hotplug], [policy] and [device NAME]", name);
}

static int bad_key(struct parser *p, enum section in, const char *section, const char *name)
{
	char all[768] = "", like[32];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(keys); i++)
		if (keys[i].sections & in)
			n += snprintf(all + n, sizeof(all) - n, "%s%s", n ? " " : "", keys[i].name);
	if (text_nearest(like, sizeof(like), all, name))
		return complain(p, "unknown key '%s' in [%s]; did you mean '%s'?", name, section,
				like);
	return complain(p, "unknown key '%s' in [%s]; its keys are: %s", name, section, all);
}

static int bad_value(struct parser *p, const struct key *key, const char *value)
{
	switch (key->kind) {
	case BOOL:
	case ENABLED:
		return complain(p, "%s = '%s' is neither yes nor no; write one of these",
				key->name, value);
	case NUMBER:
	case LINGER:
		return complain(p, "%s = '%s' is no whole number from %u to %u; write one",
				key->name, value, key->min, key->max);
	case SIZE:
		return complain(p, "%s = '%s' is no size; write it as WIDTHxHEIGHT, such as 1280x720",
				key->name, value);
	case FORMATS:
		return complain(p, "%s = '%s' is no list of at most %d formats; write their codes of "
				"four letters, such as YUYV MJPG", key->name, value, CONFIG_FORMATS);
	case MEMORY:
		return complain(p, "%s = '%s' is none of auto, dmabuf, userptr and mmap; write one of these",
				key->name, value);
	case MATCH:
		return complain(p, "%s = '%s' is no pattern of 1 to 127 characters; write one such as "
				"usb-046d:*", key->name, value);
	case SOURCES:
		return complain(p, "%s = '%s' is no list of udev, kernel, libusb, nor poll alone; write some of these",
				key->name, value);
	case FOLDER:
		return complain(p, "%s = '%s' is no path of 1 to 255 characters from / on; write one", key->name,
				value);
	case VERDICT:
		return complain(p, "%s = '%s' is none of allow, deny and ignore; write one of these", key->name, value);
	case RULE:
		break;			/* it has told itself */
	}
	return 0;
}

/* 1 yes, 0 no, -1 neither. */
static int yes_or_no(const char *value)
{
	if (!strcmp(value, "yes") || !strcmp(value, "true") || !strcmp(value, "on") ||
	    !strcmp(value, "1"))
		return 1;
	if (!strcmp(value, "no") || !strcmp(value, "false") || !strcmp(value, "off") ||
	    !strcmp(value, "0"))
		return 0;
	return -1;
}

static bool number(const char *value, unsigned int min, unsigned int max, unsigned int *result)
{
	unsigned long long n = 0;

	if (!*value)
		return false;
	for (; *value; value++) {
		if (*value < '0' || *value > '9')
			return false;
		n = n * 10 + (*value - '0');
		if (n > max)
			return false;
	}
	*result = n;
	return n >= min;
}

static bool size_of(const char *value, const struct key *key, struct config_device *device)
{
	char width[16];
	const char *x = strchr(value, 'x');

	if (!x || x - value >= (int)sizeof(width))
		return false;
	memcpy(width, value, x - value);
	width[x - value] = '\0';
	return number(width, key->min, key->max, &device->width) &&
	       number(x + 1, key->min, key->max, &device->height);
}

static bool formats_of(const char *value, struct config_device *device)
{
	device->formats_count = 0;
	for (;;) {
		size_t n;
		uint32_t fourcc = 0;

		value += strspn(value, " \t,");
		n = strcspn(value, " \t,");
		if (!n)
			return device->formats_count > 0;
		if (n > 4 || n < 3 || device->formats_count == CONFIG_FORMATS)
			return false;
		/* As the kernel has them: shorter codes end in blanks. */
		for (size_t i = 0; i < 4; i++)
			fourcc |= (uint32_t)(unsigned char)(i < n ? value[i] : ' ') << 8 * i;
		device->formats[device->formats_count++] = fourcc;
		value += n;
	}
}

static bool memory_of(const char *value, enum config_memory *memory)
{
	static const char *const names[] = { "auto", "dmabuf", "userptr", "mmap" };

	for (size_t i = 0; i < COUNT(names); i++) {
		if (!strcmp(names[i], value)) {
			*memory = i;
			return true;
		}
	}
	return false;
}

static bool sources_of(const char *value, unsigned int *sources)
{
	static const char *const names[] = { "udev", "kernel", "libusb" };
	char word[16];

	*sources = 0;
	if (!strcmp(value, "poll"))
		return true;
	for (value += strspn(value, " \t,"); *value; value += strspn(value, " \t,")) {
		size_t n = strcspn(value, " \t,"), i = 0;

		if (n >= sizeof(word))
			return false;
		memcpy(word, value, n);
		word[n] = '\0';
		while (i < COUNT(names) && strcmp(names[i], word))
			i++;
		if (i == COUNT(names))
			return false;
		*sources |= 1u << i;
		value += n;
	}
	return *sources;
}

static bool verdict_of(const char *value, struct rules *rules)
{
	enum verdict verdict;

	if (!verdict_from_name(value, &verdict))
		return false;
	rules_set_default(rules, verdict);
	return true;
}

static bool set(const struct key *key, void *base, const char *value)
{
	void *to = (char *)base + key->offset;
	unsigned int n;
	int yes;

	switch (key->kind) {
	case BOOL:
		yes = yes_or_no(value);
		*(bool *)to = yes == 1;
		return yes >= 0;
	case ENABLED:
		yes = yes_or_no(value);
		*(int *)to = yes ? 1 : -1;
		return yes >= 0;
	case NUMBER:
		return number(value, key->min, key->max, to);
	case LINGER:
		if (!number(value, key->min, key->max, &n))
			return false;
		*(int *)to = n + 1;
		return true;
	case SIZE:
		return size_of(value, key, base);
	case FORMATS:
		return formats_of(value, base);
	case MEMORY:
		return memory_of(value, to);
	case MATCH:
		return *value && text_copy(to, sizeof(((struct config_device *)0)->match), value);
	case SOURCES:
		return sources_of(value, to);
	case FOLDER:
		return *value == '/' && text_copy(to, sizeof(((struct config *)0)->hooks), value);
	case VERDICT:
		return verdict_of(value, *(struct rules **)to);
	case RULE:
		break;
	}
	return false;
}

/* The section that [device NAME] begins or goes on with; NULL without memory. */
static struct config_device *device_section(struct parser *p, const char *section)
{
	struct config *c = p->config;
	struct config_device *grown;

	if (p->device && !strcmp(p->section_name, section))
		return p->device;
	grown = realloc(c->devices, (c->devices_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	c->devices = grown;
	p->device = memset(&grown[c->devices_count++], 0, sizeof(*grown));
	text_copy(p->device->match, sizeof(p->device->match), section + 7);
	text_copy(p->section_name, sizeof(p->section_name), section);
	return p->device;
}

static void *base_of(struct parser *p, enum section in, const struct key *key, const char *section)
{
	if (key->to == TO_CONFIG)
		return p->config;
	switch (in) {
	case IN_CAMERA:
		return &p->config->camera;
	case IN_MICROPHONE:
		return &p->config->microphone;
	case IN_SPEAKER:
		return &p->config->speaker;
	default:
		return device_section(p, section);
	}
}

static int add_rule(struct parser *p, const char *value)
{
	char error[256];

	return rules_add(p->config->rules, value, error, sizeof(error)) ? 1 : complain(p, "rule: %s", error);
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct parser *p = user;
	enum section in = section_of(section);
	void *base;

	if (p->error[0])
		return 0;
	if (!*section)
		return complain(p, "'%s' stands before the first section; put a line such as [camera] "
				"above it", name);
	if (!in)
		return bad_section(p, section);
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (!(keys[i].sections & in) || strcmp(keys[i].name, name))
			continue;
		base = base_of(p, in, &keys[i], section);
		if (!base)
			return complain(p, "out of memory");
		if (keys[i].kind == RULE)
			return add_rule(p, value);
		return set(&keys[i], base, value) ? 1 : bad_value(p, &keys[i], value);
	}
	return bad_key(p, in, section, name);
}

/* Between inih and the file: counts lines, and sees what inih would pass over. */
static char *read_line(char *line, int size, void *user)
{
	struct parser *p = user;
	char name[64];

	if (!fgets(line, size, p->file))
		return NULL;
	p->line++;
	if (strlen(line) > LINE_MAX_LENGTH)
		complain(p, "the line is longer than %d characters; shorten it", LINE_MAX_LENGTH);
	if (sscanf(line, " [%63[^]\n]]", name) == 1) {
		if (strlen(name) > 48)
			complain(p, "the name in [%s] is longer than 48 characters; use a short one, and "
				 "match = PATTERN below it", name);
		else if (!section_of(name))
			bad_section(p, name);
		p->device = NULL;
	}
	return line;
}

static int read_file(struct parser *p, const char *path)
{
	int bad;

	p->path = path;
	p->line = 0;
	p->device = NULL;
	p->file = fopen(path, "re");
	if (!p->file) {
		snprintf(p->error, p->error_size, "%s: cannot be read (%s); make it readable or "
			 "take it away", path, strerror(errno));
		return -1;
	}
	bad = ini_parse_stream(read_line, p, on_value, p);
	fclose(p->file);
	if (bad > 0) {
		p->line = bad;
		complain(p, "this is neither a [section] nor a line KEY = VALUE; correct it or put # "
			 "before it");
	} else if (bad < 0) {
		complain(p, "out of memory");
	}
	return p->error[0] ? -1 : 0;
}

static int is_conf(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 && !strcmp(entry->d_name + n - 5, ".conf");
}

static int read_drop_ins(struct parser *p, const char *path)
{
	struct dirent **entries;
	char folder[4096], file[8192];
	int n, i, error = 0;

	snprintf(folder, sizeof(folder), "%s.d", path);
	n = scandir(folder, &entries, is_conf, alphasort);
	if (n < 0)
		return 0;
	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", folder, entries[i]->d_name);
		if (!error)
			error = read_file(p, file);
		free(entries[i]);
	}
	free(entries);
	p->path = path;
	return error;
}

static struct config *defaults(void)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c)
		c->rules = rules_new();
	if (!c || !c->rules) {
		free(c);
		return NULL;
	}
	c->cameras = c->microphones = c->speakers = true;
	c->audit = true;
	c->loopback_microphone = true;
	c->linger_ms = 2000;
	c->retry_ms = 1000;
	c->retry_max_ms = 30000;
	c->min_fps = 15;
	c->history = 1024;
	c->usb_events = c->usb_details = true;
	c->debounce_ms = 50;
	c->events_per_second = 100;
	c->batch = 10;
	c->sources = CONFIG_SOURCE_UDEV | CONFIG_SOURCE_KERNEL | CONFIG_SOURCE_LIBUSB;
	c->receive_buffer = 1048576;
	c->udev_timeout_ms = 3000;
	c->poll_ms = 2000;
	strcpy(c->hooks, CONFIG_HOOKS);
	c->hook_timeout_ms = 10000;
	formats_of("YUYV MJPG UYVY NV12 YU12 RGB3 BGR3", &c->camera);
	c->camera.width = 1280;
	c->camera.height = 720;
	c->camera.fps = 30;
	c->camera.slots = 16;
	c->camera.buffers = 4;
	c->microphone.rate = c->speaker.rate = 48000;
	c->microphone.channels = c->speaker.channels = 2;
	c->camera.stall_ms = c->microphone.stall_ms = 10001;
	c->microphone.period_ms = c->speaker.period_ms = 20;
	c->microphone.slots = c->speaker.slots = 64;
	return c;
}

struct config *config_read(const char *path, bool must_exist, char *error, unsigned int error_size)
{
	struct parser p = { .config = defaults(), .error = error, .error_size = error_size };
	FILE *probe;

	error[0] = '\0';
	if (!p.config) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	probe = fopen(path, "re");
	if (probe)
		fclose(probe);
	if ((probe || must_exist || errno != ENOENT) && read_file(&p, path))
		goto bad;
	if (read_drop_ins(&p, path))
		goto bad;
	return p.config;
bad:
	config_free(p.config);
	return NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	rules_free(config->rules);
	free(config->devices);
	free(config);
}

static bool matches(const char *pattern, const char *name, const char *stable, const char *path)
{
	return !fnmatch(pattern, name, 0) || !fnmatch(pattern, stable, 0) ||
	       !fnmatch(pattern, path, 0);
}

#define OVERRIDE(member)	do { if (own->member) result.member = own->member; } while (0)

struct config_device config_for(const struct config *config, const struct config_device *type,
				const char *name, const char *stable_id, const char *path_id)
{
	struct config_device result = *type;

	if (!result.linger_ms)
		result.linger_ms = config->linger_ms + 1;
	for (unsigned int i = 0; i < config->devices_count; i++) {
		const struct config_device *own = &config->devices[i];

		if (!matches(own->match, name, stable_id, path_id))
			continue;
		/* The match tells who uses it that a section of its own applied. */
		memcpy(result.match, own->match, sizeof(result.match));
		OVERRIDE(enabled);
		OVERRIDE(linger_ms);
		OVERRIDE(stall_ms);
		OVERRIDE(memory);
		OVERRIDE(slots);
		OVERRIDE(buffers);
		OVERRIDE(fps);
		OVERRIDE(rate);
		OVERRIDE(channels);
		OVERRIDE(period_ms);
		if (own->width) {
			result.width = own->width;
			result.height = own->height;
			result.size_fixed = true;
		}
		if (own->formats_count) {
			memcpy(result.formats, own->formats, sizeof(result.formats));
			result.formats_count = own->formats_count;
			result.formats_fixed = true;
		}
	}
	result.linger_ms--;
	result.stall_ms -= result.stall_ms > 0;
	return result;
}
