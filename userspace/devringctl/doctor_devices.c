// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: nodes, rights, limits, and what is wrong with the hardware. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "events.h"
#include "process.h"
#include "text.h"

#define RELOAD	"udevadm control --reload && udevadm trigger --subsystem-match=devring --action=add"
#define NODE	"start udev; in a container: give it the node"
#define BUSY	"let that program end; fuser -v /dev/video* /dev/snd/* looks for it"
#define USB	", or plug it into another USB controller"
#define PICTURES "take a smaller size, fewer frames a second or MJPG for it in /etc/devring/devringd.conf"
#define SOUND	"take a lower rate or fewer channels for it in /etc/devring/devringd.conf"
#define FORMATS	"allow other formats or another size for it in /etc/devring/devringd.conf; journalctl -u " \
		"devringd tells which it has not"
#define PLUG	"journalctl -u devringd tells more; often it helps to plug it out and in"
#define PARAMETERS "/sys/module/devring/parameters/"
#define USER_MB	1024			/* without the parameter */
#define GIVE	"; in a container: --device " DEVRING_CONTROL_PATH ":" DEVRING_CONTROL_PATH ":r"
#define GROUPS_MAX 256
#define HOLDERS_MAX 8

static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t size, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, size - length, format, args);
	va_end(args);
}

/* Is the user in the group by the system's files, whatever this session was given when it began? */
static bool is_member(const struct passwd *user, gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		return false;
	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static void refused(struct doctor *doctor, const struct devring_device *device, const char *node,
		    const struct stat *st)
{
	const struct passwd *user = getpwuid(getuid());
	const struct group *group = getgrgid(st->st_gid);
	char remedy[256];

	if (!st->st_gid || !(st->st_mode & 060)) {
		doctor_problem(doctor, "udev-rules", RELOAD, "%s (%s) is root's alone: udev's rules were not applied "
			       "to it.", device->link, node);
		return;
	}
	if (user && is_member(user, st->st_gid))
		snprintf(remedy, sizeof(remedy), "log out and in again: you are in the group \"%s\", but were not when "
			 "you logged in", group ? group->gr_name : "?");
	else
		snprintf(remedy, sizeof(remedy), "adduser %s %s, and log in again", user ? user->pw_name : "USER",
			 group ? group->gr_name : "GROUP");
	doctor_problem(doctor, "device-permission", remedy, "Your user may not open %s (%s): its group \"%s\" may.",
		       device->link, node, group ? group->gr_name : "?");
}

/* The node, its link, and this user's right to open it. */
static void look_at_node(struct doctor *doctor, const struct devring_device *device)
{
	/* Keys are root's, and what is public is opened by the control node. */
	bool others = device->type == DEVRING_TYPE_KEYBOARD || device->type == DEVRING_TYPE_MOUSE ||
		      device->flags & DEVRING_REG_PUBLIC;
	int right = device->flags & DEVRING_REG_SINK ? W_OK : R_OK;
	char node[DEVRING_NODE_SIZE], link[DEVRING_TEXT_SIZE];
	struct stat st;

	devring_node(device->minor, node, sizeof(node));
	snprintf(link, sizeof(link), "%s/%s", DEVRING_LINKS_PATH, device->link);
	if (stat(node, &st))
		doctor_problem(doctor, "node-missing", doctor->udev ? RELOAD : NODE, "%s has no node %s.",
			       device->link, node);
	else if (doctor->udev && access(link, F_OK) && errno == ENOENT)
		doctor_problem(doctor, "udev-rules", RELOAD, "%s has no name %s: udev's rules were not applied to it.",
			       device->link, link);
	else if (!others && access(node, right))
		refused(doctor, device, node, &st);
}

/* The hardware's node, by what devringd tells of its devices; false: it tells of none. */
static bool hardware_path(struct cli *cli, const struct devring_device *device, char *path, size_t size)
{
	struct devring_device state_device;
	json_t *state = NULL, *row;
	unsigned int card, number;
	bool offline = true;
	size_t i;

	*path = '\0';
	/* Asked first, since there is nothing to complain of if there is none. */
	if (devring_find(cli->control, "state", &state_device) || state_device.state != DEVRING_STATE_AVAILABLE ||
	    daemon_state(cli, &state, &offline))
		return false;
	json_array_foreach(json_object_get(state, "devices"), i, row) {
		const char *node = json_string_value(json_object_get(row, "hardware"));

		if (!node || json_integer_value(json_object_get(row, "id")) != (json_int_t)device->id)
			continue;
		if (sscanf(node, "hw:%u,%u", &card, &number) == 2)
			snprintf(path, size, "/dev/snd/pcmC%uD%u%c", card, number,
				 device->flags & DEVRING_REG_SINK ? 'p' : 'c');
		else
			snprintf(path, size, "%s", node);
	}
	json_decref(state);
	return *path;
}

/* Who has the hardware itself open, as far as this user can see. */
static void busy(struct doctor *doctor, const struct devring_device *device)
{
	char path[128], command[64], unit[256], who[512] = "", remedy[512];
	int pids[HOLDERS_MAX];
	unsigned int count = hardware_path(doctor->cli, device, path, sizeof(path)) ?
			     processes_with_node(path, pids, HOLDERS_MAX) : 0;

	if (!count) {
		doctor_problem(doctor, "hardware-busy", getuid() ? "ask again as root, who can see which it is" : BUSY,
			       "%s is busy: another program streams from the hardware itself.", device->link);
		return;
	}
	snprintf(remedy, sizeof(remedy), "let it read %s/%s instead, or end it: kill", DEVRING_LINKS_PATH,
		 device->link);
	for (unsigned int i = 0; i < count; i++) {
		process_unit(pids[i], unit, sizeof(unit));
		append(who, sizeof(who), "%sprocess %d (%s%s%s)", i ? ", " : "", pids[i],
		       process_command(pids[i], command, sizeof(command)), *unit ? ", " : "", unit);
		append(remedy, sizeof(remedy), " %d", pids[i]);
	}
	doctor_problem(doctor, "hardware-busy", remedy, "%s is busy: the hardware itself, %s, is open in %s.",
		       device->link, path, who);
}

static uint64_t parameter(const char *name)
{
	char path[128];
	unsigned long long value = 0;
	FILE *file;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%llu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

/* A user's limit is user_mb, or half of total_mb if that is less: raise the one that counts. */
static const char *raise_limit(bool of_all, char *remedy, size_t size)
{
	uint64_t user = parameter("user_mb"), total = parameter("total_mb");
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
	bool raise_total = of_all || user >= total / 2;
	const char *name = raise_total ? "total_mb" : "user_mb";
	unsigned long long mb = 2 * (raise_total ? total : user), usual = raise_total ? memory / 4 : USER_MB;

	if (mb < usual)
		mb = usual;
	snprintf(remedy, size, "raise it: echo %llu >" PARAMETERS "%s, and for good \"options devring %s=%llu\" in "
		 "/etc/modprobe.d/devring.conf; or take less: \"devringctl stats\" shows what uses how much", mb, name,
		 name, mb);
	return remedy;
}

static void look_at_state(struct doctor *doctor, const struct devring_device *device)
{
	bool sound = device->type == DEVRING_TYPE_MICROPHONE || device->type == DEVRING_TYPE_SPEAKER;
	char remedy[512];

	if (device->state != DEVRING_STATE_ERROR)
		return;
	switch (device->error) {
	case EBUSY:
		busy(doctor, device);
		break;
	case ENOSPC:
		doctor_problem(doctor, "usb-bandwidth", sound ? SOUND USB : PICTURES USB, "There is no space left on "
			       "the USB bus for the %s of %s (disks are not involved).", sound ? "sound" : "pictures",
			       device->link);
		break;
	case EDQUOT:
		raise_limit(false, remedy, sizeof(remedy));
		doctor_problem(doctor, "memory-limit", remedy, "%s has no ring: the limit of ring memory of the user "
			       "who registered it (uid %u) is reached.", device->link, device->registrant_uid);
		break;
	default:
		doctor_problem(doctor, "device-error", device->error == EINVAL && !sound ? FORMATS : PLUG,
			       "%s fails: %s.", device->link, strerror(device->error));
	}
}

static void look_at_limits(struct doctor *doctor, const struct devring_info *info)
{
	char used[32], max[32], remedy[512];

	text_bytes(info->total_bytes, used, sizeof(used));
	text_bytes(info->total_bytes_max, max, sizeof(max));
	/* Less than a twentieth is left: the next ring will hardly fit. */
	if (info->total_bytes >= info->total_bytes_max - info->total_bytes_max / 20)
		doctor_problem(doctor, "memory-limit", raise_limit(true, remedy, sizeof(remedy)), "The limit of memory "
			       "for all rings is reached: %s of %s.", used, max);
	else
		doctor_fine(doctor, "memory", "Rings take %s of %s.", used, max);
}

static bool open_control(struct doctor *doctor)
{
	int fd = devring_control_open(O_RDONLY);

	if (fd >= 0) {
		doctor->cli->control = fd;
		return true;
	}
	if (fd == -EACCES || fd == -EPERM)
		doctor_problem(doctor, "node-permission", "chmod 0664 " DEVRING_CONTROL_PATH GIVE, "Your user may not "
			       "open " DEVRING_CONTROL_PATH ", which everybody should be able to read.");
	else
		doctor_problem(doctor, "node-missing", "modprobe -r devring && modprobe devring" GIVE,
			       "The module is loaded, but " DEVRING_CONTROL_PATH " cannot be opened: %s.",
			       strerror(-fd));
	return false;
}

void doctor_devices(struct doctor *doctor)
{
	struct devring_device device = { 0 };
	struct devring_info info;
	unsigned int count = 0, before;

	if (!open_control(doctor))
		return;
	if (!devring_get_info(doctor->cli->control, &info))
		look_at_limits(doctor, &info);
	while (devring_next_device(doctor->cli->control, &device) > 0) {
		before = doctor->problems;
		look_at_node(doctor, &device);
		look_at_state(doctor, &device);
		count += doctor->problems == before;
	}
	doctor_fine(doctor, "devices", "%u devices are as they should be.", count);
}
