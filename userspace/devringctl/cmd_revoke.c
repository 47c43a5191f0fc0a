// SPDX-License-Identifier: GPL-2.0-or-later
/* revoke: take access away from readers. */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include "cli.h"

struct request {
	uint32_t what;
	uint32_t uid;
	uint64_t reader;
};

static int parse_user(struct cli *cli, uint32_t *uid)
{
	const char *text = opt(cli, OPT_UID);
	const struct passwd *user = getpwnam(text);
	uint64_t number;

	if (user)
		*uid = user->pw_uid;
	else if (parse_number(text, 0, UINT32_MAX - 1, &number))
		*uid = (uint32_t)number;
	else
		return fail(cli, STATUS_USAGE, "--uid is \"%s\": there is no such user; give a "
			    "user's name or number.", text);
	return STATUS_OK;
}

static int parse_request(struct cli *cli, struct request *request)
{
	int given = !!opt(cli, OPT_READER) + !!opt(cli, OPT_UID) + !!opt(cli, OPT_ALL);

	if (given != 1)
		return fail(cli, STATUS_USAGE, "Say whose access ends by one of --reader, --uid "
			    "and --all; \"devringctl who %s\" shows the readers.", arg(cli, 0));
	if (opt(cli, OPT_ALL)) {
		request->what = DEVRING_REVOKE_ALL;
		return STATUS_OK;
	}
	if (opt(cli, OPT_UID)) {
		request->what = DEVRING_REVOKE_UID;
		return parse_user(cli, &request->uid);
	}
	request->what = DEVRING_REVOKE_READER;
	return opt_number(cli, OPT_READER, 1, UINT64_MAX, &request->reader);
}

/* Is the file that asks among those that will be revoked? It does not count. */
static unsigned int count_self(int fd, const struct request *request)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	int count = devring_get_readers(fd, readers, DEVRING_READERS_MAX);
	bool self = request->what == DEVRING_REVOKE_ALL || request->uid == geteuid();

	for (int i = 0; i < count; i++)
		if (self && readers[i].flags & DEVRING_READER_IS_SELF &&
		    request->what != DEVRING_REVOKE_READER)
			return 1;
	return 0;
}

int cmd_revoke(struct cli *cli)
{
	struct request request = { 0 };
	struct devring_device device;
	unsigned int self;
	int fd, ret;

	ret = parse_request(cli, &request);
	if (!ret)
		ret = need_device(cli, arg(cli, 0), &device);
	if (ret)
		return ret;
	fd = devring_open_device(cli->control, arg(cli, 0), O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fail_device(cli, fd, arg(cli, 0));
	self = count_self(fd, &request);
	ret = devring_revoke_readers(fd, request.what, request.uid, request.reader);
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
	ret -= ret >= (int)self ? (int)self : 0;
	if (cli->json)
		json_print(json_pack("{s:i,s:i}", "schema_version", SCHEMA_VERSION, "revoked", ret),
			   stdout);
	else
		printf("%d reader%s revoked\n", ret, ret == 1 ? "" : "s");
	return flush_stdout(cli);
}
