// SPDX-License-Identifier: GPL-2.0-or-later
/* grant: a program that reads by a right that it was lent. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "process.h"

/* As programs that systemd hands descriptors to expect it: sd_listen_fds(3). */
#define FIRST_FD	3
/* And the signal's number, as shells have it. */
#define SIGNALLED	128

static int find_user(struct cli *cli, const struct passwd **user)
{
	const char *text = opt(cli, OPT_USER);
	uint32_t uid;

	*user = NULL;
	if (!text)
		return STATUS_OK;
	if (user_from_text(text, &uid))
		*user = getpwuid(uid);
	if (*user)
		return STATUS_OK;
	return fail(cli, STATUS_USAGE, "--user is \"%s\": there is no such user.", text);
}

/* When a grant of so many milliseconds ends, from now; never for -1. */
static uint64_t end_of(int ms)
{
	struct timespec now;

	if (ms < 0)
		return 0;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + (uint64_t)ms * 1000000;
}

static int become(struct cli *cli, const struct passwd *user)
{
	if (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) ||
	    setuid(user->pw_uid))
		return fail_errno(cli, -errno, "Cannot become \"%s\", which is for root",
				  user->pw_name);
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	return STATUS_OK;
}

static int set_number(const char *name, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	return setenv(name, text, 1);
}

/* In the child: become the program.  Returns only when that fails. */
static int run_program(struct cli *cli, const struct passwd *user, int fd)
{
	const char *program = arg(cli, 1);
	int ret;

	/* dup2() onto itself would leave close-on-exec set. */
	if (fd == FIRST_FD ? fcntl(fd, F_SETFD, 0) : dup2(fd, FIRST_FD) < 0)
		return fail_errno(cli, -errno, "Cannot pass descriptor %d on", FIRST_FD);
	set_number("DEVRING_FD", FIRST_FD);
	set_number("LISTEN_FDS", 1);
	set_number("LISTEN_PID", getpid());
	setenv("LISTEN_FDNAMES", "devring", 1);
	ret = user ? become(cli, user) : STATUS_OK;
	if (ret)
		return ret;
	execvp(program, cli->options.args + 1);
	return fail(cli, errno == ENOENT ? STATUS_NO_PROGRAM : STATUS_CANNOT_RUN,
		    "Cannot run \"%s\": %s.", program, strerror(errno));
}

/* Wait for the program, and pass on to it what others send to this process meanwhile. */
static int wait_program(pid_t pid, const sigset_t *signals)
{
	siginfo_t info;
	int number, status;

	for (;;) {
		number = sigwaitinfo(signals, &info);
		if (number == SIGCHLD) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				break;
		} else if (number > 0 && info.si_code <= 0) {
			/* What comes from a terminal (a positive code) the program got itself. */
			kill(pid, number);
		}
	}
	if (WIFSIGNALED(status))
		return SIGNALLED + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int start_program(struct cli *cli, const struct passwd *user, int fd)
{
	static const int numbers[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t signals, before;
	pid_t pid;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaddset(&signals, numbers[i]);
	/* Whoever started this may have ignored it. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &signals, &before);
	pid = fork();
	if (pid < 0)
		return fail_errno(cli, -errno, "Cannot start \"%s\"", arg(cli, 1));
	if (!pid) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		exit(run_program(cli, user, fd));
	}
	close(fd);
	return wait_program(pid, &signals);
}

int cmd_grant(struct cli *cli)
{
	const struct passwd *user;
	int reader, fd, ms, ret;

	ret = opt_time(cli, OPT_FOR, &ms);
	if (!ret && !ms)
		ret = fail(cli, STATUS_USAGE, "--for has to be more than 0.");
	if (!ret)
		ret = find_user(cli, &user);
	if (!ret)
		ret = need_reader(cli, &reader);
	if (ret)
		return ret;
	fd = devring_grant_reader(reader, end_of(ms));
	ret = fd < 0 ? fail_device(cli, fd, cli->device) : start_program(cli, user, fd);
	/* What was granted ends with the reader that it was granted from: here. */
	close(reader);
	return ret;
}
