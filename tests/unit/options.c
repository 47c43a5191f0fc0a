// SPDX-License-Identifier: GPL-2.0-only
/* The command line of devringctl. */

#include "options.h"
#include "tap.h"

static char error[256];

static int parse(struct options *options, uint64_t allowed, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	error[0] = '\0';
	return options_parse(allowed, argc, argv, options, error, sizeof(error));
}

#define ARGV(...)	((char *[]) { __VA_ARGS__, NULL })

static void test_forms(void)
{
	const uint64_t allowed = OPT(JSON) | OPT(TYPE) | OPT(FRAMES) | OPT(OUTPUT);
	struct options o;

	OK(!parse(&o, allowed, ARGV("cam0", "--json", "mic0")) && o.nargs == 2 &&
	   !strcmp(o.args[0], "cam0") && !strcmp(o.args[1], "mic0") && o.value[OPT_JSON],
	   "options may stand between arguments");
	OK(!parse(&o, allowed, ARGV("--type=camera")) && !strcmp(o.value[OPT_TYPE], "camera"),
	   "--name=value");
	OK(!parse(&o, allowed, ARGV("--type", "camera", "x")) && o.nargs == 1 &&
	   !strcmp(o.value[OPT_TYPE], "camera"), "--name value");
	OK(!parse(&o, allowed, ARGV("-n5")) && !strcmp(o.value[OPT_FRAMES], "5"), "-n5");
	OK(!parse(&o, allowed, ARGV("-n", "5")) && !strcmp(o.value[OPT_FRAMES], "5"), "-n 5");
	OK(!parse(&o, allowed, ARGV("-o", "-")) && !strcmp(o.value[OPT_OUTPUT], "-"),
	   "a lone minus is a value");
	OK(!parse(&o, allowed, ARGV("--", "--json")) && o.nargs == 1 && !o.value[OPT_JSON] &&
	   !strcmp(o.args[0], "--json"), "after -- all are arguments");
	OK(!parse(&o, allowed, ARGV("x", "--json", "--", "ls", "-l")) && o.nargs == 3 &&
	   !strcmp(o.args[1], "ls") && !strcmp(o.args[2], "-l") && !o.args[3],
	   "a NULL ends the arguments, as exec() wants it");
	OK(!parse(&o, allowed, ARGV("--type=")) && !strcmp(o.value[OPT_TYPE], ""),
	   "an empty value is a value");
}

static void test_refusals(void)
{
	struct options o;

	OK(parse(&o, OPT(JSON), ARGV("--frob")) && strstr(error, "\"--frob\""),
	   "an unknown option is named");
	OK(parse(&o, OPT(JSON), ARGV("--type=camera")) && strstr(error, "--type=camera"),
	   "an option of another command is refused");
	OK(parse(&o, OPT(JSON), ARGV("--json=yes")) && strstr(error, "takes no argument"),
	   "a value that is not taken is refused");
	OK(parse(&o, OPT(TYPE), ARGV("--type")) && strstr(error, "TYPE"),
	   "a missing value is asked for");
	OK(parse(&o, OPT(JSON), ARGV("-z")), "an unknown letter is refused");
	OK(parse(&o, OPT(JSON), ARGV("--jso")), "options are not abbreviated");
}

static void test_numbers(void)
{
	uint64_t n = 7;
	uint32_t a, b;
	int ms;

	OK(parse_number("0", 0, 9, &n) && n == 0, "zero is a number");
	OK(parse_number("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX,
	   "the largest number");
	OK(!parse_number("18446744073709551616", 0, UINT64_MAX, &n), "one more is refused");
	OK(!parse_number("", 0, 9, &n) && !parse_number("-1", 0, 9, &n) &&
	   !parse_number("1x", 0, 9, &n) && !parse_number(" 1", 0, 9, &n), "no numbers");
	OK(!parse_number("2", 3, 9, &n) && parse_number("3", 3, 9, &n) &&
	   parse_number("9", 3, 9, &n) && !parse_number("10", 3, 9, &n), "both bounds hold");
	OK(parse_seconds("2", &ms) && ms == 2000, "whole seconds");
	OK(parse_seconds("0.25", &ms) && ms == 250, "parts of a second");
	OK(parse_seconds(".5", &ms) && ms == 500, "a point alone before");
	OK(parse_seconds("1s", &ms) && ms == 1000 && parse_seconds("1.5m", &ms) && ms == 90000 &&
	   parse_seconds("2h", &ms) && ms == 7200000, "units");
	OK(!parse_seconds("", &ms) && !parse_seconds(".", &ms) && !parse_seconds("s", &ms) &&
	   !parse_seconds("1ss", &ms) && !parse_seconds("1d", &ms) && !parse_seconds("-1", &ms) &&
	   !parse_seconds("99999999", &ms) && !parse_seconds("99999m", &ms), "no times");
	OK(parse_size("640x480", &a, &b) && a == 640 && b == 480, "a size");
	OK(!parse_size("640", &a, &b) && !parse_size("x480", &a, &b) &&
	   !parse_size("0x480", &a, &b) && !parse_size("640x480x2", &a, &b), "no sizes");
	OK(parse_fraction("30000/1001", &a, &b) && a == 30000 && b == 1001, "a fraction");
	OK(parse_fraction("25", &a, &b) && a == 25 && b == 1, "a whole rate");
	OK(!parse_fraction("25/0", &a, &b) && !parse_fraction("0", &a, &b), "no rates");
}

int main(void)
{
	test_forms();
	test_refusals();
	test_numbers();
	return tap_end();
}
