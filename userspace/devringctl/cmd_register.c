// SPDX-License-Identifier: GPL-2.0-or-later
/* register, unregister: devices that outlive the command. */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "register.h"
#include "text.h"

static int copy_text(struct cli *cli, const char *what, const char *text, char *to, size_t size)
{
	if (!text)
		return STATUS_OK;
	if (strlen(text) >= size)
		return fail(cli, STATUS_USAGE, "The %s \"%.40s...\" is %zu bytes long: there may "
			    "be %zu.", what, text, strlen(text), size - 1);
	strcpy(to, text);
	return STATUS_OK;
}

static int lossless_option(struct cli *cli, struct devring_register *reg)
{
	int ms;

	if (!opt(cli, OPT_LOSSLESS))
		return STATUS_OK;
	if (!parse_seconds(opt(cli, OPT_LOSSLESS), &ms) || !ms || ms > DEVRING_DEADLINE_MAX)
		return fail(cli, STATUS_USAGE, "--lossless is \"%s\": it has to be a time from 0.001s to %ds, "
			    "such as 0.5s.", opt(cli, OPT_LOSSLESS), DEVRING_DEADLINE_MAX / 1000);
	reg->flags |= DEVRING_REG_LOSSLESS;
	reg->deadline_ms = (uint32_t)ms;
	return STATUS_OK;
}

int register_options(struct cli *cli, const char *name, struct devring_register *reg)
{
	static const struct {
		enum option option;
		uint32_t flag;
	} flags[] = {
		{ OPT_SINK, DEVRING_REG_SINK },
		{ OPT_PUBLIC, DEVRING_REG_PUBLIC },
		{ OPT_KEEP_HISTORY, DEVRING_REG_KEEP_HISTORY },
		{ OPT_PINNABLE, DEVRING_REG_PINNABLE },
		{ OPT_PERSIST, DEVRING_REG_PERSIST },
	};
	int ret;

	memset(reg, 0, sizeof(*reg));
	reg->type = opt(cli, OPT_SINK) ? DEVRING_TYPE_SPEAKER : DEVRING_TYPE_OTHER;
	ret = opt_type(cli, &reg->type);
	if (!ret)
		ret = copy_text(cli, "name", name, reg->name, sizeof(reg->name));
	if (!ret)
		ret = copy_text(cli, "label", opt(cli, OPT_LABEL), reg->label,
				sizeof(reg->label));
	if (!ret)
		ret = copy_text(cli, "stable id", opt(cli, OPT_STABLE_ID), reg->stable_id,
				sizeof(reg->stable_id));
	if (!ret)
		ret = copy_text(cli, "path id", opt(cli, OPT_PATH_ID), reg->path_id,
				sizeof(reg->path_id));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (opt(cli, flags[i].option))
			reg->flags |= flags[i].flag;
	return ret ? ret : lossless_option(cli, reg);
}

int fail_register(struct cli *cli, int err, const struct devring_register *reg)
{
	switch (-err) {
	case EEXIST:
		return fail(cli, STATUS_BUSY, "There is a device \"%s\" already: choose another "
			    "name, or unregister it first.", reg->name);
	case EINVAL:
		return fail(cli, STATUS_USAGE, "The module refuses the name \"%s\", label \"%s\", "
			    "stable id \"%s\" or path id \"%s\": names and ids have letters, "
			    "digits and any of #+-.:=@_, and names do not begin with \"by-\" or "
			    "\"u1000-\".",
			    reg->name, reg->label, reg->stable_id, reg->path_id);
	case EDQUOT:
		return fail(cli, STATUS_FAILURE, "Your user has as many devices as it may; "
			    "\"devringctl info\" tells the limit.");
	case ENOSPC:
		return fail(cli, STATUS_FAILURE, "There are as many devices as there can be.");
	default:
		return fail_errno(cli, err, "Cannot register \"%s\"", reg->name);
	}
}

static int print_registered(struct cli *cli, const struct devring_register *reg)
{
	char node[DEVRING_NODE_SIZE], name[4 * DEVRING_NAME_SIZE];
	struct devring_device device;
	json_t *json;
	int ret;

	ret = devring_query_id(cli->control, reg->id, &device);
	if (ret)
		return fail_errno(cli, ret, "\"%s\" is gone again", reg->name);
	if (cli->json) {
		json = json_begin();
		json_object_set_new(json, "device", json_device(&device));
		json_print(json, stdout);
	} else {
		printf("%s is device %llu at %s\n", text_escape(device.link, name, sizeof(name)),
		       (unsigned long long)reg->id,
		       devring_node(reg->minor, node, sizeof(node)));
	}
	return flush_stdout(cli);
}

/* ---- What the module would say, for --dry-run: the rules are those of docs/abi.md, and cli.sh compares ---- */

/* Is it fit for a file name? */
static bool is_name(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#+-.:=@_") == strlen(text) &&
	       strcmp(text, ".") && strcmp(text, "..");
}

static bool is_reserved(const char *name)
{
	size_t digits = *name == 'u' ? strspn(name + 1, "0123456789") : 0;

	return !strncmp(name, "by-", 3) || (digits && name[1 + digits] == '-');
}

static bool is_label(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* Has this user the control node as its owner or by its group, and not as just anybody? */
static bool is_system(int control)
{
	gid_t groups[NGROUPS_MAX];
	int count = getgroups(NGROUPS_MAX, groups);
	struct stat st;

	if (fstat(control, &st))
		return false;
	for (int i = 0; i < count; i++)
		if (groups[i] == st.st_gid)
			return true;
	return !geteuid() || geteuid() == st.st_uid || getegid() == st.st_gid;
}

/* What REGISTER would say, and under which name others would find the device. */
static int would_register(struct cli *cli, const struct devring_register *reg, char *link, size_t size)
{
	struct devring_device device = { 0 };
	int ret;

	if (!*reg->name || !is_name(reg->name) || is_reserved(reg->name) || !is_label(reg->label) ||
	    !is_name(reg->stable_id) || !is_name(reg->path_id))
		return -EINVAL;
	if (is_system(cli->control))
		snprintf(link, size, "%s", reg->name);
	else
		snprintf(link, size, "u%u-%s", (unsigned int)geteuid(), reg->name);
	while ((ret = devring_next_device(cli->control, &device)) > 0)
		if (!strcmp(device.link, link))
			return -EEXIST;
	return ret;
}

static int print_would(struct cli *cli, const struct devring_register *reg)
{
	char link[2 * DEVRING_NAME_SIZE];
	const char *type = devring_type_name(reg->type);
	int ret = would_register(cli, reg, link, sizeof(link));

	if (ret)
		return fail_register(cli, ret, reg);
	if (cli->json)
		json_print(json_pack("{s:i,s:b,s:s,s:s}", "schema_version", SCHEMA_VERSION, "dry_run", true,
				     "link", link, "type", type ? type : "other"), stdout);
	else
		printf("%s would be registered, with the type %s\n", link, type ? type : "other");
	return flush_stdout(cli);
}

int cmd_register(struct cli *cli)
{
	struct devring_register reg;
	int fd, ret;

	ret = register_options(cli, arg(cli, 0), &reg);
	if (!ret)
		ret = need_control(cli, true);
	if (ret)
		return ret;
	if (opt(cli, OPT_DRY_RUN))
		return print_would(cli, &reg);
	reg.flags |= DEVRING_REG_PERSIST;
	fd = devring_register_device(cli->control, &reg);
	if (fd < 0)
		return fail_register(cli, fd, &reg);
	ret = print_registered(cli, &reg);
	close(fd);
	return ret;
}

/* May this user, by what the module would say? */
static int unregister(struct cli *cli, const struct devring_device *device)
{
	if (!opt(cli, OPT_DRY_RUN))
		return devring_unregister_device(cli->control, device->id);
	return geteuid() && geteuid() != device->registrant_uid ? -EPERM : 0;
}

int cmd_unregister(struct cli *cli)
{
	bool dry = opt(cli, OPT_DRY_RUN);
	struct devring_device device;
	int ret = need_control(cli, true);

	if (!ret)
		ret = need_device(cli, arg(cli, 0), &device);
	if (ret)
		return ret;
	ret = unregister(cli, &device);
	if (ret == -ENODEV)
		return fail_device(cli, ret, arg(cli, 0));
	if (ret == -EPERM)
		return fail(cli, STATUS_PERMISSION, "\"%s\" was registered by uid %u: only that "
			    "user and root can unregister it.", arg(cli, 0), device.registrant_uid);
	if (ret)
		return fail_errno(cli, ret, "Cannot unregister \"%s\"", arg(cli, 0));
	if (cli->json)
		json_print(json_pack("{s:i,s:b,s:I}", "schema_version", SCHEMA_VERSION, "dry_run", dry,
				     "unregistered", (json_int_t)device.id), stdout);
	else if (dry)
		printf("%s, which has %u readers, would be unregistered\n", arg(cli, 0), device.readers);
	return flush_stdout(cli);
}
