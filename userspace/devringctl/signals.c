// SPDX-License-Identifier: GPL-2.0-or-later
/* Ending cleanly when asked to. */

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"

static volatile sig_atomic_t signalled;

static void note(int number)
{
	signalled = number;
	/* The signal may have come just before a call that waits: it is woken, again and again. */
	alarm(1);
}

static void wake(int number)
{
	(void)number;
	alarm(1);
}

void catch_signals(void)
{
	/* No SA_RESTART: a waiting read() has to end.  A second signal kills. */
	struct sigaction action = { .sa_handler = note, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	action = (struct sigaction){ .sa_handler = wake };
	sigaction(SIGALRM, &action, NULL);
}

bool was_signalled(void)
{
	return signalled;
}

void die_of_signal(void)
{
	if (!signalled)
		return;
	progress_clear();
	signal(signalled, SIG_DFL);
	raise(signalled);
}
