// SPDX-License-Identifier: GPL-2.0-or-later
/* devringctl: devring's devices from the command line. */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define REGISTER_OPTIONS \
	(OPT(TYPE) | OPT(LABEL) | OPT(STABLE_ID) | OPT(PATH_ID) | OPT(PUBLIC) | \
	 OPT(KEEP_HISTORY) | OPT(PINNABLE) | OPT(LOSSLESS))

#define EVENT_FILTERS	(OPT(TOPIC) | OPT(DEVICE) | OPT(VENDOR) | OPT(CLASS))

const struct verb verbs[] = {
	{ "list", "", 0, 0, OPT(TYPE) | OPT(NAMES), false, "show the devices", NULL, cmd_list },
	{ "info", "[DEVICE]", 0, 1, 0, false,
	  "show all about a device, or about the module and its limits", NULL, cmd_info },
	{ "who", "[DEVICE...]", 0, 64, 0, false, "show who reads", NULL, cmd_who },
	{ "watch", "", 0, 0, OPT(FRAMES) | OPT(TIMEOUT) | OPT(CHANGES_ONLY) | OPT(TYPE) | EVENT_FILTERS, false,
	  "show devices as they come, change and go", "-n counts changes. With --topic, --vendor or --class it "
	  "shows devringd's events\ninstead, from now on.", cmd_watch },
	{ "events", "", 0, 0, OPT(RECENT) | OPT(FOLLOW) | OPT(FRAMES) | OPT(TIMEOUT) | EVENT_FILTERS, false,
	  "show what devringd told of plugging, and of itself", "With --follow, -n and --timeout are for what "
	  "comes.", cmd_events },
	{ "usb", "list", 1, 1, OPT(CLASS), false, "show the USB devices", "Serial numbers are shown to those who may "
	  "open the device.", cmd_usb },
	{ "health", "[DEVICE...]", 0, 64, 0, false, "tell whether devringd does well, and devices work",
	  "Exit status: 0 well, or only devices that are not named are not; 1 devringd does not\nrun, or a named "
	  "device does not work; the others as below.", cmd_health },
	{ "metrics", "", 0, 0, OPT(OUTPUT) | OPT(WATCH), false, "write counters in Prometheus' text format",
	  "With --output and --watch it writes the file anew each time, for a text-file collector.", cmd_metrics },
	{ "top", "[DEVICE...]", 0, 64, OPT(WATCH) | OPT(FRAMES) | OPT(BATCH), false,
	  "show the pace of devices and readers, again and again", "-n counts tables; --watch is 1 without it.",
	  cmd_top },
	{ "stats", "[DEVICE...]", 0, 64, OPT(WATCH) | OPT(FRAMES), false,
	  "show counters of frames and memory", "-n counts tables, with --watch.", cmd_stats },
	{ "cat", "[DEVICE]", 0, 1, OPT(FD) | OPT(FORMAT) | OPT(FRAMES) | OPT(SECONDS) | OPT(LATEST) |
	  OPT(START) | OPT(HOLDS) | OPT(VERIFY) | OPT(TIMEOUT) | OPT(OUTPUT), true,
	  "write a device's frames to standard output",
	  "With --format=auto pictures become y4m, MJPEG stays as it is, sound becomes wav, and\n"
	  "everything else is raw. With --fd it needs no DEVICE. It goes on when the device is\n"
	  "unplugged and comes back, and ends when it is removed. --timeout is for each frame.",
	  cmd_cat },
	{ "snapshot", "[DEVICE]", 0, 1, OPT(FD) | OPT(OUTPUT) | OPT(TIMEOUT), true,
	  "save one picture, as PNG, or MJPEG as it is", "The file is NAME.png or NAME.jpg "
	  "without --output.", cmd_snapshot },
	{ "record", "DEVICE FILE", 2, 2, OPT(FRAMES) | OPT(SECONDS) | OPT(TIMEOUT), false,
	  "write a device's frames to a file, and what they are to FILE.index",
	  "Nothing is missed of a device that waits for readers (lossless). Ends with --frames,\n"
	  "--seconds or a signal, or when the device is removed.", cmd_record },
	{ "replay", "FILE", 1, 1, REGISTER_OPTIONS | OPT(NAME) | OPT(SLOTS) | OPT(WAIT) | OPT(TIMEOUT), false,
	  "make a recording a device, at the pace at which it was recorded",
	  "--timeout is for --wait.", cmd_replay },
	{ "write", "[DEVICE]", 0, 1, REGISTER_OPTIONS | OPT(NAME) | OPT(PERSIST) |
	  OPT(TAKEOVER) | OPT(SLOTS) | OPT(FRAME_BYTES) | OPT(FOURCC) | OPT(SIZE) | OPT(FPS) |
	  OPT(RATE) | OPT(CHANNELS) | OPT(SAMPLE) | OPT(MEDIA_TYPE) | OPT(LINES) | OPT(WAIT) |
	  OPT(REALTIME) | OPT(CHECKSUM) | OPT(TIMEOUT), false,
	  "make standard input a device (--name), or write it into DEVICE",
	  "Standard input says itself what it is when it is wav or y4m; else --type=microphone\n"
	  "takes samples, --fourcc and --size take pictures, and all else is bytes. DEVICE is a\n"
	  "speaker, or a persistent device that nobody produces. --timeout is for --wait.",
	  cmd_write },
	{ "register", "NAME", 1, 1, REGISTER_OPTIONS | OPT(SINK) | OPT(DRY_RUN), false,
	  "make a persistent device, for a producer that comes later", NULL, cmd_register },
	{ "unregister", "DEVICE", 1, 1, OPT(DRY_RUN), false, "end a device", NULL, cmd_unregister },
	{ "grant", "DEVICE -- PROGRAM...", 2, INT_MAX, OPT(FOR) | OPT(USER), true,
	  "run a program that may read a device, for a while",
	  "The program finds the device open as descriptor 3, and is told so by DEVRING_FD=3 and\n"
	  "as socket-activated services are: LISTEN_FDS=1, LISTEN_PID, LISTEN_FDNAMES=devring.\n"
	  "It needs no right of its own, and cannot pass on more than it has. The access ends\n"
	  "with --for, with \"devringctl revoke\", or when this command is killed; the program is\n"
	  "not ended by that: its reads fail. Exit status: the program's, 128 and the signal if\n"
	  "one ended it, 126 if it cannot be run, 127 if it is not found. Try:\n"
	  "  devringctl grant camera0 --for 60s --user nobody -- devringctl cat --fd 3", cmd_grant },
	{ "revoke", "DEVICE", 1, 1, OPT(READER) | OPT(UID) | OPT(ALL) | OPT(RECHECK) | OPT(DRY_RUN), false,
	  "take access away from readers", "Their maps read as zeros and their calls fail, at "
	  "once and for good. What they\ngranted ends too. After a right was taken away (chmod, "
	  "setfacl) --recheck ends those\nwho have the device open by it.", cmd_revoke },
	{ "doctor", "", 0, 0, 0, false, "find out what is wrong, and tell what to do",
	  "It changes nothing. As root it sees more. Exit status: 1 if something is wrong.", cmd_doctor },
	{ "version", "", 0, 0, 0, false, "tell the versions of this program and the module", NULL,
	  cmd_version },
	{ "help", "[COMMAND]", 0, 1, 0, false, "this text, or that of a command", NULL, cmd_help },
	{ .name = NULL },
};

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (!strcmp(verb->name, name))
			return verb;
	return NULL;
}

static void print_options(uint64_t options)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct option_text *text = &option_texts[i];
		char left[48];

		if (!(options >> i & 1))
			continue;
		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", text->letter ? "-" : "  ",
			 text->letter ? text->letter : ' ', text->letter ? ", " : " ", text->name,
			 text->argument ? "=" : "", text->argument ? text->argument : "");
		printf("  %-26s %s\n", left, text->help);
	}
}

static const char footer[] =
	"Devices are named by name, id, path below /dev, stable id, or as \"@first-camera\".\n"
	"Exit status: 0 ok, 1 failure, 2 usage, 3 not found, 4 permission, 5 busy, 6 no module,\n"
	"124 timed out, 126 and 127 (grant) no program; with --json also in error.code.\n";

static void print_verb_help(const struct verb *verb)
{
	printf("usage: devringctl %s [options]%s%s\n\n%s\n\n", verb->name,
	       *verb->arguments ? " " : "", verb->arguments, verb->help);
	print_options(verb->options | OPT_GLOBAL);
	if (verb->details)
		printf("\n%s\n", verb->details);
	printf("\n%s", footer);
}

static void print_help(void)
{
	printf("usage: devringctl COMMAND [options] [arguments]\n\n");
	for (const struct verb *verb = verbs; verb->name; verb++) {
		char left[32];

		snprintf(left, sizeof(left), "%s %s", verb->name, verb->arguments);
		printf("  %-26s %s\n", left, verb->help);
	}
	printf("\nEvery command knows:\n");
	print_options(OPT_GLOBAL);
	printf("\n%s", footer);
}

int cmd_help(struct cli *cli)
{
	const struct verb *verb = arg(cli, 0) ? find_verb(arg(cli, 0)) : NULL;

	if (arg(cli, 0) && !verb)
		return fail(cli, STATUS_USAGE, "There is no command \"%s\"; see \"devringctl "
			    "help\".", arg(cli, 0));
	if (verb)
		print_verb_help(verb);
	else
		print_help();
	return flush_stdout(cli);
}

int cmd_version(struct cli *cli)
{
	struct devring_info info = { 0 };
	int control = devring_control_open(O_RDONLY);
	bool loaded = control >= 0 && !devring_get_info(control, &info);
	json_t *json;

	if (control >= 0)
		close(control);
	if (cli->json) {
		json = json_begin();
		json_object_set_new(json, "devringctl", json_string(DEVRING_VERSION));
		json_object_set_new(json, "libdevring", json_string(devring_version()));
		json_object_set_new(json, "abi", json_integer(DEVRING_ABI_VERSION));
		json_object_set_new(json, "module_abi",
				    loaded ? json_integer(info.abi_version) : json_null());
		json_print(json, stdout);
		return flush_stdout(cli);
	}
	printf("devringctl %s, libdevring %s, ABI %u\n", DEVRING_VERSION, devring_version(),
	       DEVRING_ABI_VERSION);
	if (loaded)
		printf("module: ABI %u\n", info.abi_version);
	else
		printf("module: not loaded, or /dev/devring cannot be opened\n");
	return flush_stdout(cli);
}

static int run_verb(struct cli *cli)
{
	const struct verb *verb = cli->verb;
	int count = cli->options.nargs;

	if (opt(cli, OPT_HELP)) {
		print_verb_help(verb);
		return flush_stdout(cli);
	}
	if (count < verb->min)
		return fail(cli, STATUS_USAGE, "\"devringctl %s\" needs %s; see \"devringctl %s "
			    "--help\".", verb->name, verb->arguments, verb->name);
	if (count > verb->max)
		return fail(cli, STATUS_USAGE, "\"devringctl %s\" cannot do with \"%s\"; see "
			    "\"devringctl %s --help\".", verb->name, arg(cli, verb->max),
			    verb->name);
	return verb->run(cli);
}

/* The first word that is no option names the command; move it to the front. */
static const char *take_command(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char *word = argv[i];

		if (word[0] == '-')
			continue;
		memmove(argv + 1, argv, (size_t)i * sizeof(*argv));
		argv[0] = word;
		return word;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct cli cli = { .control = -1 };
	const char *name = take_command(argc - 1, argv + 1);
	char error[256];
	int status;

	/* Readers of our output that end early end us, as they do other tools. */
	signal(SIGPIPE, SIG_DFL);
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		cli.json |= !strcmp(argv[i], "--json");
	if (name) {
		cli.verb = find_verb(name);
		if (!cli.verb)
			return fail(&cli, STATUS_USAGE, "There is no command \"%s\"; see "
				    "\"devringctl help\".", name);
		argc--;
		argv++;
	}
	if (options_parse(OPT_GLOBAL | (cli.verb ? cli.verb->options : 0), argc - 1, argv + 1,
			  &cli.options, error, sizeof(error)))
		return fail(&cli, STATUS_USAGE, "%s", error);
	if (!cli.verb) {
		if (opt(&cli, OPT_HELP))
			return cmd_help(&cli);
		return fail(&cli, STATUS_USAGE, "There is no command; see \"devringctl help\".");
	}
	status = run_verb(&cli);
	if (cli.control >= 0)
		close(cli.control);
	return status;
}
