// SPDX-License-Identifier: GPL-2.0-only
/* What the command line and a config file say. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "pattern.h"

#define WORDS_MAX	64

static const char usage[] =
"usage: usbemu [--config FILE] [--control PATH|-] KIND [OPTION…] [KIND [OPTION…]]…\n"
"       usbemu send PATH COMMAND…\n"
"Emulates USB devices on this machine over vhci-hcd (modprobe vhci-hcd; needs root).\n"
"KIND is camera (isochronous), bulk-camera or microphone. Options apply to the KIND before them:\n"
"  --name NAME          what messages call it (camera1, microphone1, …)\n"
"  --count N            N alike; the number is appended to name and serial number\n"
"  --serial TEXT        serial number (the name; - for none)\n"
"  --product TEXT, --manufacturer TEXT, --vendor-id HEX, --product-id HEX\n"
"  --port N             port of vhci-hcd (the first free one, kept over a replug)\n"
"  --unplugged          wait for a plug command\n"
"  --frames N           unplug itself after N frames, or N milliseconds of sound\n"
"  --fault KIND[:PARAMETER]   see below\n"
"  --size WxH[,WxH…]    camera: frame sizes offered (640x480,320x240,160x120)\n"
"  --fps N[,N…]         camera: rates offered, fastest first (30,15)\n"
"  --format F[,F]       camera: yuyv, mjpeg (yuyv,mjpeg)\n"
"  --rate N[,N…]        microphone: rates offered (48000,44100,16000)\n"
"  --channels 1|2       microphone (1)\n"
"A config file has words as above, # comments and \"quoted words\".\n"
"--control listens on a UNIX socket (or reads standard input) for lines; NAME may be a pattern:\n"
"  plug NAME [PORT]   unplug NAME   fault NAME KIND[:PARAMETER]   flap NAME COUNT MILLISECONDS\n"
"  frames NAME N      stats [NAME]   quit\n"
"and answers each with lines and a last one, \"ok\" or \"error: …\"; send is for shells.\n"
"Standard output: plugged NAME port=N, streaming NAME, stopped NAME, unplugged NAME reason=…,\n"
"failed NAME reason=…. Without --control it ends when the last device is unplugged.\n"
"Exit status: 0 good, 1 something failed, 2 wrong use.\n"
"Faults:\n";

__attribute__((noreturn, format(printf, 1, 2)))
static void wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("usbemu: ", stderr);
	vfprintf(stderr, format, args);
	fputs(" (see usbemu --help)\n", stderr);
	va_end(args);
	exit(EXIT_USAGE);
}

__attribute__((noreturn))
static void help(void)
{
	char faults[2048];

	fault_help(faults, sizeof(faults));
	printf("%s%s", usage, faults);
	exit(0);
}

static unsigned long number(const char *option, const char *text, int base, unsigned long least,
			    unsigned long most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, base);
	if (errno || !*text || *end || *text == '-' || value < least || value > most)
		wrong(base == 16 ? "%s: \"%s\" is not a number from %lx to %lx" :
		      "%s: \"%s\" is not a number from %lu to %lu", option, text, least, most);
	return value;
}

static void text(char *to, const char *option, const char *from)
{
	if (strlen(from) >= DEVICE_TEXT)
		wrong("%s: \"%s\" is longer than %d bytes", option, from, DEVICE_TEXT - 1);
	snprintf(to, DEVICE_TEXT, "%s", from);
}

static unsigned int numbers(const char *option, char *list, unsigned int *values, unsigned int max,
			    unsigned int most)
{
	unsigned int count = 0;
	char *word, *rest;

	for (word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (count == max)
			wrong("%s: more than %u values", option, max);
		values[count++] = (unsigned int)number(option, word, 10, 1, most);
	}
	if (!count)
		wrong("%s: no value", option);
	return count;
}

static void sizes(struct camera *c, char *list)
{
	unsigned int width, height;
	char *word, *rest, end;

	c->size_count = 0;
	for (word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (c->size_count == CAMERA_SIZES)
			wrong("--size: more than %d sizes", CAMERA_SIZES);
		if (sscanf(word, "%ux%u%c", &width, &height, &end) != 2 || width % 2 ||
		    width < 16 || width > PATTERN_MAX_WIDTH || height < 2 || height > 4096)
			wrong("--size: \"%s\" is not like 640x480 (even width, 16x2 to 4096x4096)",
			      word);
		c->sizes[c->size_count++] = (struct camera_size){ (uint16_t)width,
								  (uint16_t)height };
	}
	if (!c->size_count)
		wrong("--size: no size");
}

static void formats(struct camera *c, char *list)
{
	char *word, *rest;

	c->format_count = 0;
	for (word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (c->format_count == CAMERA_FORMATS)
			wrong("--format: more than %d formats", CAMERA_FORMATS);
		if (strcmp(word, "yuyv") && strcmp(word, "mjpeg"))
			wrong("--format: \"%s\" is neither yuyv nor mjpeg", word);
		c->formats[c->format_count++] = *word == 'y' ? CAMERA_YUYV : CAMERA_MJPEG;
	}
	if (!c->format_count)
		wrong("--format: no format");
}

static struct device *add(struct options *o, const struct function *function)
{
	struct device *d = calloc(1, sizeof(*d));

	if (o->device_count == DEVICES_MAX)
		wrong("more than %d devices", DEVICES_MAX);
	if (!d)
		wrong("no memory for another device");
	o->devices[o->device_count++] = d;
	device_init(d, o->loop, function);
	return d;
}

static void new_kind(struct options *o, const struct function *function)
{
	unsigned int i, alike = 1;
	struct device *d;

	for (i = 0; i < o->device_count; i++)
		alike += o->devices[i]->function == function;
	o->first = o->device_count;
	d = add(o, function);
	snprintf(d->name, sizeof(d->name), "%s%u", function->kind, alike);
	if (function == &microphone_function) {
		d->microphone = (struct microphone){
			.rates = { 48000, 44100, 16000 }, .rate_count = 3, .channels = 1,
		};
		return;
	}
	d->camera = (struct camera){
		.formats = { CAMERA_YUYV, CAMERA_MJPEG }, .format_count = 2,
		.sizes = { { 640, 480 }, { 320, 240 }, { 160, 120 } }, .size_count = 3,
		.rates = { 30, 15 }, .rate_count = 2,
	};
}

/* Last of a kind's options in effect: the copies are made when the next kind or the end is seen. */
static void finish_kind(struct options *o, unsigned long *count)
{
	char name[DEVICE_TEXT], serial[DEVICE_TEXT];
	struct device *first, *d;
	unsigned long i;

	if (o->first == o->device_count)
		return;
	first = o->devices[o->first];
	if (!first->serial[0])
		memcpy(first->serial, first->name, DEVICE_TEXT);
	else if (!strcmp(first->serial, "-"))
		first->serial[0] = 0;
	memcpy(name, first->name, DEVICE_TEXT);
	memcpy(serial, first->serial, DEVICE_TEXT);
	for (i = 0; *count > 1 && i < *count; i++) {
		d = i ? add(o, first->function) : first;
		if (i)	/* all that was said of it; nothing is in flight yet */
			memcpy(d, first, offsetof(struct device, free));
		if (first->port >= 0 && i)
			d->port = first->port + (int)i;
		snprintf(d->name, DEVICE_TEXT, "%.40s%lu", name, i + 1);
		if (*serial)
			snprintf(d->serial, DEVICE_TEXT, "%.40s%lu", serial, i + 1);
	}
	o->first = o->device_count;
	*count = 1;
}

static bool camera_option(struct camera *c, const char *option, char *value)
{
	if (!strcmp(option, "--size"))
		sizes(c, value);
	else if (!strcmp(option, "--fps"))
		c->rate_count = numbers(option, value, c->rates, CAMERA_RATES, 1000);
	else if (!strcmp(option, "--format"))
		formats(c, value);
	else
		return false;
	return true;
}

static bool microphone_option(struct microphone *m, const char *option, char *value)
{
	if (!strcmp(option, "--rate"))
		m->rate_count = numbers(option, value, m->rates, MICROPHONE_RATES, 96000);
	else if (!strcmp(option, "--channels"))
		m->channels = (unsigned int)number(option, value, 10, 1, 2);
	else
		return false;
	return true;
}

static bool device_option(struct device *d, const char *option, char *value)
{
	if (!strcmp(option, "--name"))
		text(d->name, option, value);
	else if (!strcmp(option, "--serial"))
		text(d->serial, option, value);
	else if (!strcmp(option, "--product"))
		text(d->product, option, value);
	else if (!strcmp(option, "--manufacturer"))
		text(d->manufacturer, option, value);
	else if (!strcmp(option, "--vendor-id"))
		d->vendor_id = (uint16_t)number(option, value, 16, 0, 0xffff);
	else if (!strcmp(option, "--product-id"))
		d->product_id = (uint16_t)number(option, value, 16, 0, 0xffff);
	else if (!strcmp(option, "--port"))
		d->port = (int)number(option, value, 10, 0, 1023);
	else if (!strcmp(option, "--frames"))
		d->frames_to_live = number(option, value, 10, 1, UINT32_MAX);
	else if (strcmp(option, "--fault"))
		return d->function == &microphone_function ?
		       microphone_option(&d->microphone, option, value) :
		       camera_option(&d->camera, option, value);
	else if (!fault_parse(value, &d->fault))
		wrong("--fault: \"%s\" is no fault", value);
	return true;
}

static const struct function *kind_named(const char *word)
{
	static const struct function *const kinds[] = {
		&camera_function, &bulk_camera_function, &microphone_function,
	};
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(word, kinds[i]->kind))
			return kinds[i];
	return NULL;
}

static void config_file(struct options *o, const char *path);

static void words(struct options *o, int argc, char **argv)
{
	unsigned long count = 1;
	int i;

	for (i = 0; i < argc; i++) {
		const struct function *kind = kind_named(argv[i]);
		char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		bool open = o->first < o->device_count;

		if (kind) {
			finish_kind(o, &count);
			new_kind(o, kind);
			continue;
		}
		if (!strcmp(option, "--help"))
			help();
		if (open && !strcmp(option, "--unplugged")) {
			o->devices[o->first]->start_unplugged = true;
			continue;
		}
		if (strncmp(option, "--", 2))
			wrong("\"%s\" is no kind of device: camera, bulk-camera or microphone",
			      option);
		if (!value)
			wrong("%s needs a value", option);
		i++;
		if (!strcmp(option, "--control"))
			o->control = strdup(value);
		else if (!strcmp(option, "--config"))
			config_file(o, value);
		else if (!open)
			wrong("%s stands before any device", option);
		else if (!strcmp(option, "--count"))
			count = number(option, value, 10, 1, DEVICES_MAX);
		else if (!device_option(o->devices[o->first], option, value))
			wrong("%s is no option of a %s", option,
			      o->devices[o->first]->function->kind);
	}
	finish_kind(o, &count);
}

/* Cut a line into words in place; the number of words. */
static int split(char *line, char **argv, int max)
{
	char *in = line, *out = line;
	int argc = 0;
	bool quoted;

	for (;;) {
		in += strspn(in, " \t\n");
		if (!*in || *in == '#' || argc == max)
			return argc;
		argv[argc++] = out;
		for (quoted = false; *in && (quoted || !strchr(" \t\n", *in)); in++) {
			if (*in == '"')
				quoted = !quoted;
			else
				*out++ = *in;
		}
		if (*in)
			in++;
		*out++ = 0;
	}
}

/* A device is one line or goes over several; the whole file is one list of words. */
static void config_file(struct options *o, const char *path)
{
	static unsigned int depth;
	char **argv = NULL, *line = NULL, *word[WORDS_MAX];
	FILE *file = fopen(path, "re");
	int argc = 0, count, i;
	size_t size = 0;

	if (!file)
		wrong("%s: %s", path, strerror(errno));
	if (depth++)
		wrong("%s: a config file cannot name another", path);
	while (getline(&line, &size, file) > 0) {
		count = split(line, word, WORDS_MAX);
		argv = realloc(argv, sizeof(*argv) * (size_t)(argc + count + 1));
		if (!argv)
			wrong("%s: no memory for it", path);
		for (i = 0; i < count; i++)
			argv[argc++] = strdup(word[i]);
	}
	fclose(file);
	free(line);
	o->first = o->device_count;
	words(o, argc, argv);
	for (i = 0; i < argc; i++)
		free(argv[i]);
	free(argv);
	depth--;
}

void options_parse(struct options *o, int argc, char **argv)
{
	unsigned int i, j;

	words(o, argc - 1, argv + 1);
	if (!o->device_count)
		wrong("no device given");
	for (i = 0; i < o->device_count; i++) {
		if (o->devices[i]->start_unplugged && !o->control)
			wrong("--unplugged needs --control, or nothing could plug it in");
		for (j = 0; j < i; j++)
			if (!strcmp(o->devices[i]->name, o->devices[j]->name))
				wrong("two devices have the name \"%s\"", o->devices[i]->name);
	}
}
