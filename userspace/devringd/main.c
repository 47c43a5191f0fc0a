// SPDX-License-Identifier: GPL-2.0-or-later
/* devringd: finds cameras, microphones and speakers, and provides them through /dev/devring. */
#include <devring/client.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "manager.h"

enum exit_code {
	EXIT_GOOD	= 0,
	EXIT_FAILED	= 1,
	EXIT_USAGE	= 2,
	EXIT_PERMISSION	= 4,
	EXIT_BUSY	= MANAGER_REPLACED,
	EXIT_NO_MODULE	= 6,
};

static const char help[] =
	"usage: devringd [option...]\n"
	"Finds cameras, microphones and speakers, and provides them through /dev/devring.\n"
	"\n"
	"  -c, --config FILE     read FILE and FILE.d/*.conf (" CONFIG_DEFAULT ")\n"
	"  -s, --state-dir DIR   keep the names of devices in DIR (/var/lib/devring)\n"
	"  -n, --check-config    read the configuration, say what is wrong with it, and end\n"
	"  -t, --takeover        replace another devringd that hangs\n"
	"  -v, --verbose         log more\n"
	"  -h, --help            show this\n"
	"  -V, --version         show the version\n"
	"\n"
	"SIGHUP reads the configuration again; a wrong one is reported and left. SIGTERM ends.\n"
	"Exit status: 0 ended as asked; 1 failure; 2 wrong option or configuration; 4 no permission;\n"
	"5 another devringd runs with this state folder, or has taken over; 6 the kernel module is not loaded.\n";

struct options {
	const char *state;
	bool check, takeover, verbose;
};

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct manager *m, struct options *o)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "state-dir", required_argument, NULL, 's' },
		{ "check-config", no_argument, NULL, 'n' },
		{ "takeover", no_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:s:ntvhV", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			m->config_path = optarg;
			m->config_must_exist = true;
			break;
		case 's':
			o->state = optarg;
			break;
		case 'n':
			o->check = true;
			break;
		case 't':
			o->takeover = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_GOOD;
		case 'V':
			printf("devringd %s\n", devring_version());
			return EXIT_GOOD;
		default:
			fputs("devringd: see devringd --help\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "devringd: '%s' is no option; see devringd --help\n", argv[optind]);
	return EXIT_USAGE;
}

static int open_control(struct manager *m)
{
	struct devring_info info;
	int error;

	m->control = devring_control_open(O_RDWR | O_CLOEXEC);
	error = m->control < 0 ? m->control : devring_get_info(m->control, &info);
	switch (-error) {
	case 0:
		return 0;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		log_error(DEVRING_CONTROL_PATH ": %s; load the module: modprobe devring",
			  strerror(-error));
		return EXIT_NO_MODULE;
	case EACCES:
	case EPERM:
		log_error(DEVRING_CONTROL_PATH ": %s; run devringd as root or in the group devring",
			  strerror(-error));
		return EXIT_PERMISSION;
	default:
		log_error(DEVRING_CONTROL_PATH ": %s; this devringd is made for version %d of the "
			  "module", strerror(-error), DEVRING_ABI_VERSION);
		return EXIT_FAILED;
	}
}

/* Only one devringd a state folder: a second one would take the devices away from the first. */
static int lock(struct manager *m, const char *folder, bool takeover)
{
	char path[4096];
	int fd;

	if (mkdir(folder, 0755) && errno != EEXIST) {
		log_error("%s: %s; make it, or name another with --state-dir", folder,
			  strerror(errno));
		return errno == EACCES ? EXIT_PERMISSION : EXIT_FAILED;
	}
	snprintf(path, sizeof(path), "%s/lock", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_error("%s: %s; make the folder writable, or name another with --state-dir",
			  path, strerror(errno));
		return errno == EACCES ? EXIT_PERMISSION : EXIT_FAILED;
	}
	/* The lock lives as long as this process. */
	if (flock(fd, LOCK_EX | LOCK_NB) && !takeover) {
		log_error("another devringd runs with %s; stop it, or replace it with --takeover",
			  folder);
		close(fd);
		return EXIT_BUSY;
	}
	m->may_take_over = true;
	m->names = names_open(folder);
	if (!m->names) {
		log_error("%s/names: %s", folder, strerror(errno));
		return EXIT_FAILED;
	}
	m->instances = instances_open(folder);
	if (m->instances)
		return 0;
	log_error("%s/instances: %s", folder, strerror(errno));
	return EXIT_FAILED;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *user)
{
	(void)info;
	(void)user;
	sd_notify(0, "STOPPING=1");
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *user)
{
	struct timespec now;

	(void)source;
	(void)info;
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
		   now.tv_sec * 1000000ll + now.tv_nsec / 1000);
	manager_reload(user);
	sd_notify(0, "READY=1");
	return 0;
}

static int add_signals(struct manager *m)
{
	sigset_t set;
	int error;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* The loop waits for hooks. */
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	error = sd_event_add_signal(m->event, NULL, SIGTERM, on_end, m);
	if (error >= 0)
		error = sd_event_add_signal(m->event, NULL, SIGINT, on_end, m);
	if (error >= 0)
		error = sd_event_add_signal(m->event, NULL, SIGHUP, on_reload, m);
	return error;
}

/* How many devices of the type have their hardware. */
static unsigned int provided(const struct manager *m, enum devring_type type)
{
	unsigned int count = 0;

	for (const struct device *device = m->devices; device; device = device->next)
		count += device->hw.type == type && device->phase != DEVICE_ABSENT;
	return count;
}

static int run(struct manager *m)
{
	int error = sd_event_new(&m->event);

	if (error >= 0)
		error = add_signals(m);
	/* Pings by itself, and only where systemd asks for it. */
	if (error >= 0)
		error = sd_event_set_watchdog(m->event, true);
	if (error < 0) {
		log_error("no event loop: %s", strerror(-error));
		return EXIT_FAILED;
	}
	if (manager_start(m)) {
		manager_stop(m);
		return EXIT_FAILED;
	}
	sd_notify(0, "READY=1");
	log_device(LOG_INFO, NULL, "ready", "cameras %u, microphones %u, speakers %u: ready",
		   provided(m, DEVRING_TYPE_CAMERA), provided(m, DEVRING_TYPE_MICROPHONE),
		   provided(m, DEVRING_TYPE_SPEAKER));
	error = sd_event_loop(m->event);
	manager_stop(m);
	if (error < 0) {
		log_error("the event loop ended: %s", strerror(-error));
		return EXIT_FAILED;
	}
	log_device(LOG_INFO, NULL, "ended", "ended");
	return error;
}

static int read_config(struct manager *m, bool check)
{
	char error[768];

	m->config = config_read(m->config_path, m->config_must_exist, error, sizeof(error));
	if (!m->config) {
		log_error("%s", error);
		return EXIT_USAGE;
	}
	if (!check)
		return -1;
	printf("%s and its drop-ins are good\n", m->config_path);
	return EXIT_GOOD;
}

int main(int argc, char **argv)
{
	struct manager m = { .config_path = CONFIG_DEFAULT, .control = -1 };
	const char *state = getenv("STATE_DIRECTORY");
	struct options o = { .state = state && *state ? state : "/var/lib/devring" };
	int code = parse(argc, argv, &m, &o);

	if (code >= 0)
		return code;
	log_open(o.verbose);
	code = read_config(&m, o.check);
	if (code < 0)
		code = open_control(&m);
	if (!code && !o.check)
		code = lock(&m, o.state, o.takeover);
	if (!code && !o.check)
		code = run(&m);
	sd_event_unref(m.event);
	names_free(m.names);
	instances_free(m.instances);
	config_free(m.config);
	if (m.control >= 0)
		close(m.control);
	return code;
}
