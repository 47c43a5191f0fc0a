// SPDX-License-Identifier: GPL-2.0-only
/* Devices with one serial number: which of them has the id without a place. */

#include <string.h>

#include "../../userspace/devringd/hardware.h"
#include "../../userspace/devringd/text.h"
#include "tap.h"

static void add(struct hardware_list *list, int port, bool known)
{
	struct hardware hw = { .type = DEVRING_TYPE_CAMERA, .inode = 100 + port, .known = known };

	snprintf(hw.syspath, sizeof(hw.syspath), "/sys/1-%d/video", port);
	snprintf(hw.path_id, sizeof(hw.path_id), "port%d", port);
	text_copy(hw.stable_id, sizeof(hw.stable_id), "twin");
	hardware_add(list, &hw);
}

/* The ids in the order of places. */
static void expect(struct hardware_list *list, const char *wanted, const char *name)
{
	char got[512] = "";

	hardware_sort(list);
	hardware_disambiguate(list);
	for (unsigned int i = 0; i < list->count; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", list->items[i].stable_id);
	same_text(got, wanted, name);
	hardware_free(list);
}

int main(void)
{
	struct hardware_list list = { 0 };
	struct hardware a = { .inode = 1, .syspath = "/sys/a", .stable_id = "twin" }, b = a;

	add(&list, 2, false);
	expect(&list, "twin ", "one alone");
	add(&list, 2, false);
	add(&list, 1, false);
	expect(&list, "twin twin@port2 ", "of two that are new the first has the id");
	add(&list, 1, false);
	add(&list, 2, true);
	expect(&list, "twin@port1 twin ", "who had it before keeps it, though another comes at an earlier place");
	add(&list, 1, false);
	add(&list, 2, true);
	add(&list, 3, false);
	expect(&list, "twin@port1 twin twin@port3 ", "and of three");
	text_copy(b.stable_id, sizeof(b.stable_id), "twin@x");
	OK(hardware_stayed(&a, &b) && !hardware_same(&a, &b), "what stayed is known by its place");
	b.inode = 2;
	OK(!hardware_stayed(&a, &b), "plugged in anew it is another");
	return tap_end();
}
