// SPDX-License-Identifier: GPL-2.0-or-later
/* revoke: take access away from readers. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli.h"
#include "process.h"

struct request {
	uint32_t what;
	uint32_t uid;
	uint64_t reader;
};

static int parse_user(struct cli *cli, uint32_t *uid)
{
	const char *text = opt(cli, OPT_UID);

	if (user_from_text(text, uid))
		return STATUS_OK;
	return fail(cli, STATUS_USAGE, "--uid is \"%s\": there is no such user; give a user's name "
		    "or number.", text);
}

static int parse_request(struct cli *cli, struct request *request)
{
	int given = !!opt(cli, OPT_READER) + !!opt(cli, OPT_UID) + !!opt(cli, OPT_ALL) +
		    !!opt(cli, OPT_RECHECK);

	if (given != 1)
		return fail(cli, STATUS_USAGE, "Say whose access ends by one of --reader, --uid, "
			    "--all and --recheck; \"devringctl who %s\" shows the readers.", arg(cli, 0));
	if (opt(cli, OPT_ALL)) {
		request->what = DEVRING_REVOKE_ALL;
		return STATUS_OK;
	}
	if (opt(cli, OPT_RECHECK) && opt(cli, OPT_DRY_RUN))
		return fail(cli, STATUS_USAGE, "Who could not open it now is known when it is done only: leave "
			    "--dry-run out, or --recheck.");
	if (opt(cli, OPT_RECHECK)) {
		request->what = DEVRING_REVOKE_RECHECK;
		return STATUS_OK;
	}
	if (opt(cli, OPT_UID)) {
		request->what = DEVRING_REVOKE_UID;
		return parse_user(cli, &request->uid);
	}
	request->what = DEVRING_REVOKE_READER;
	return opt_number(cli, OPT_READER, 1, UINT64_MAX, &request->reader);
}

/* Is the file that asks, a reader too, among those that will be revoked? It does not count. */
static bool is_meant_too(const struct request *request)
{
	return request->what == DEVRING_REVOKE_ALL ||
	       (request->what == DEVRING_REVOKE_UID && request->uid == geteuid());
}

/* --dry-run: how many readers it would be. */
static int count_readers(int fd, const struct request *request)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	/* Of a reader that cannot be: may we? */
	int ret = devring_revoke_readers(fd, DEVRING_REVOKE_READER, 0, UINT64_MAX), count, meant = 0;

	if (ret != -ENOENT)
		return ret;
	count = devring_get_readers(fd, readers, DEVRING_READERS_MAX);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		if (!(readers[i].flags & DEVRING_READER_IS_SELF) &&
		    (request->what == DEVRING_REVOKE_ALL ||
		     (request->what == DEVRING_REVOKE_UID && readers[i].uid == request->uid) ||
		     (request->what == DEVRING_REVOKE_READER && readers[i].id == request->reader)))
			meant++;
	return meant || request->what != DEVRING_REVOKE_READER ? meant : -ENOENT;
}

/* How many they are, without our own. */
static int revoke_readers(int fd, const struct request *request)
{
	int ret = devring_revoke_readers(fd, request->what, request->uid, request->reader);

	return ret < 0 ? ret : ret - is_meant_too(request);
}

int cmd_revoke(struct cli *cli)
{
	bool dry = opt(cli, OPT_DRY_RUN);
	struct request request = { 0 };
	struct devring_device device;
	int fd, ret;

	ret = parse_request(cli, &request);
	if (!ret)
		ret = need_device(cli, arg(cli, 0), &device);
	if (ret)
		return ret;
	fd = devring_open_device(cli->control, arg(cli, 0), O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fail_device(cli, fd, arg(cli, 0));
	ret = dry ? count_readers(fd, &request) : revoke_readers(fd, &request);
	close(fd);
	if (ret == -ENOENT)
		return fail(cli, STATUS_NOT_FOUND, "\"%s\" has no such reader; \"devringctl who "
			    "%s\" shows those it has.", arg(cli, 0), arg(cli, 0));
	if (ret == -EPERM)
		return fail(cli, STATUS_PERMISSION, "Only the producer, uid %u who registered "
			    "\"%s\", and root can revoke its readers.", device.registrant_uid,
			    arg(cli, 0));
	if (ret < 0)
		return fail_errno(cli, ret, "Cannot revoke readers of \"%s\"", arg(cli, 0));
	if (cli->json)
		json_print(json_pack("{s:i,s:b,s:i}", "schema_version", SCHEMA_VERSION, "dry_run", dry, "revoked", ret),
			   stdout);
	else
		printf("%d reader%s %srevoked\n", ret, ret == 1 ? "" : "s", dry ? "would be " : "");
	return flush_stdout(cli);
}
