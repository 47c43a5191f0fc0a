// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: nodes, rights, limits, and what is wrong with the hardware. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "process.h"
#include "text.h"

#define RELOAD	"udevadm control --reload && udevadm trigger --subsystem-match=devring --action=add"
#define NODE	"start udev; in a container: give it the node"
#define BUSY	"let that program end; fuser -v /dev/video* /dev/snd/* looks for it"
#define USB	"take a smaller size, fewer frames a second or MJPG for it in /etc/devring/devringd.conf, or plug it " \
		"into another USB controller"
#define RAISE	"raise it: echo 2048 >/sys/module/devring/parameters/user_mb, and for good \"options devring " \
		"user_mb=2048\" in /etc/modprobe.d/devring.conf; or take smaller pictures"
#define RAISE_ALL "raise it: total_mb in /sys/module/devring/parameters, and for good in /etc/modprobe.d; " \
		  "\"devringctl stats\" shows what uses how much"
#define GIVE	"; in a container: --device " DEVRING_CONTROL_PATH ":" DEVRING_CONTROL_PATH ":r"
#define GROUPS_MAX 256

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

/* Who has the hardware itself open, as far as this user can see. */
static void busy(struct doctor *doctor, const struct devring_device *device)
{
	const char *prefix = device->type == DEVRING_TYPE_CAMERA ? "/dev/video" : "/dev/snd/pcm";
	char command[64], unit[256], remedy[512];
	int pid = process_with_file(prefix);

	if (!pid) {
		doctor_problem(doctor, "hardware-busy", getuid() ? "ask again as root, who can see which it is" : BUSY,
			       "%s is busy: another program streams from the hardware itself.", device->link);
		return;
	}
	process_unit(pid, unit, sizeof(unit));
	snprintf(remedy, sizeof(remedy), "let it read %s/%s instead, or end it: kill %d", DEVRING_LINKS_PATH,
		 device->link, pid);
	doctor_problem(doctor, "hardware-busy", remedy, "%s is busy: process %d (%s%s%s) streams from the hardware "
		       "itself.", device->link, pid, process_command(pid, command, sizeof(command)), *unit ? ", " : "",
		       unit);
}

static void look_at_state(struct doctor *doctor, const struct devring_device *device)
{
	if (device->state != DEVRING_STATE_ERROR)
		return;
	switch (device->error) {
	case EBUSY:
		busy(doctor, device);
		break;
	case ENOSPC:
		doctor_problem(doctor, "usb-bandwidth", USB, "There is no space left on the USB bus for the pictures "
			       "of %s (disks are not involved).", device->link);
		break;
	case EDQUOT:
		doctor_problem(doctor, "memory-limit", RAISE, "%s has no ring: the limit of ring memory of the user "
			       "who registered it (uid %u) is reached.", device->link, device->registrant_uid);
		break;
	default:
		doctor_problem(doctor, "device-error", "journalctl -u devringd tells more; often it helps to plug it "
			       "out and in", "%s fails: %s.", device->link, strerror(device->error));
	}
}

static void look_at_limits(struct doctor *doctor, const struct devring_info *info)
{
	char used[32], max[32];

	text_bytes(info->total_bytes, used, sizeof(used));
	text_bytes(info->total_bytes_max, max, sizeof(max));
	/* Less than a twentieth is left: the next ring will hardly fit. */
	if (info->total_bytes >= info->total_bytes_max - info->total_bytes_max / 20)
		doctor_problem(doctor, "memory-limit", RAISE_ALL, "The limit of memory for all rings is reached: %s of "
			       "%s.", used, max);
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
