// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting for readers. */

#include <errno.h>
#include <time.h>

#include "progress.h"
#include "waiting.h"

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int wait_for_reader(struct cli *cli, struct devring_producer *producer)
{
	struct progress progress;
	int timeout_ms, ret;

	ret = opt_timeout(cli, &timeout_ms);
	if (ret || !opt(cli, OPT_WAIT))
		return ret;
	progress_begin(&progress, !cli->json, "a reader", UINT64_MAX);
	do {
		int step = progress_step(&progress, &timeout_ms);

		ret = devring_producer_wait_readers(producer, 0, step);
	} while ((ret == -EAGAIN && timeout_ms) || (ret == -EINTR && !was_signalled()));
	progress_clear();
	if (ret == -EAGAIN)
		return fail(cli, STATUS_TIMEOUT, "No reader came in the time given by "
			    "--timeout.");
	if (ret < 0 && ret != -EINTR)
		return fail_errno(cli, ret, "Cannot wait for readers");
	return STATUS_OK;
}

/* Has each reader got all there is? */
static bool all_read(struct devring_producer *producer)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	int count = devring_get_readers(devring_producer_fd(producer), readers,
					DEVRING_READERS_MAX);
	struct devring_device device;

	if (devring_producer_device(producer, &device))
		return true;
	for (int i = 0; i < count; i++)
		if (readers[i].flags & DEVRING_READER_IS_ACTIVE && readers[i].cursor < device.head)
			return false;
	return true;
}

/* Nothing tells a producer that a reader got on, so this has to look again and again. */
int wait_for_last_reader(struct cli *cli, struct devring_producer *producer)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	uint64_t until;
	int timeout_ms, ret;

	ret = opt_timeout(cli, &timeout_ms);
	if (ret || !opt(cli, OPT_WAIT))
		return ret;
	until = timeout_ms < 0 ? UINT64_MAX : now_ns() + (uint64_t)timeout_ms * 1000000;
	while (!all_read(producer) && !was_signalled()) {
		if (now_ns() > until)
			return fail(cli, STATUS_TIMEOUT, "Readers did not get everything in "
				    "the time given by --timeout.");
		nanosleep(&pause, NULL);
	}
	return STATUS_OK;
}
