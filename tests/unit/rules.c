// SPDX-License-Identifier: GPL-2.0-only
/* The policy: its language, and what it decides. */

#include <string.h>

#include "../../userspace/devringd/hardware.h"
#include "../../userspace/devringd/rules.h"
#include "../../userspace/devringd/usbdev.h"
#include "tap.h"

static const struct usbdev camera = {
	.vendor_id = "046d", .product_id = "0825", .port = "1-2.3", .serial = "A1", .product = "HD Cam",
	.descriptor = { 18, 1, 0, 2, 0xef },
	.interfaces = { { 0x0e, 1, 0 }, { 0x0e, 2, 0 }, { 0x01, 1, 0 } }, .interfaces_count = 3,
};

static const struct usbdev stick = {
	.vendor_id = "abcd", .product_id = "1234", .port = "2-1", .product = "Stick",
	.descriptor = { 18, 1, 0, 2, 0 }, .interfaces = { { 0x08, 6, 0x50 } }, .interfaces_count = 1,
};

/* What one rule says of both; what is not told is ignored. */
static void decides(const char *text, enum verdict of_camera, enum verdict of_stick)
{
	struct rules *rules = rules_new();
	char error[256] = "";

	rules_set_default(rules, VERDICT_IGNORE);
	if (!rules_add(rules, text, error, sizeof(error)))
		printf("# %s\n", error);
	OK(!error[0] && rules_judge(rules, &camera, NULL) == of_camera &&
	   rules_judge(rules, &stick, NULL) == of_stick, text);
	rules_free(rules);
}

static void refused(const char *text, const char *words)
{
	struct rules *rules = rules_new();
	char error[256] = "";

	OK(!rules_add(rules, text, error, sizeof(error)) && strstr(error, words), text);
	if (!strstr(error, words))
		printf("# %s\n", error);
	OK(rules_judge(rules, &camera, NULL) == VERDICT_ALLOW, "and nothing of it counts");
	rules_free(rules);
}

static void test_decisions(void)
{
	decides("allow", VERDICT_ALLOW, VERDICT_ALLOW);
	decides("deny id 046d:*", VERDICT_DENY, VERDICT_IGNORE);
	decides("deny 046D:0825", VERDICT_DENY, VERDICT_IGNORE);
	decides("deny id *:1234", VERDICT_IGNORE, VERDICT_DENY);
	decides("allow serial \"A?\"", VERDICT_ALLOW, VERDICT_IGNORE);
	decides("allow name \"HD Cam\"", VERDICT_ALLOW, VERDICT_IGNORE);
	decides("allow via-port 1-*", VERDICT_ALLOW, VERDICT_IGNORE);
	decides("allow class storage", VERDICT_IGNORE, VERDICT_ALLOW);
	decides("allow class ef", VERDICT_ALLOW, VERDICT_IGNORE);
	decides("allow with-interface 0e:*:*", VERDICT_ALLOW, VERDICT_IGNORE);
	decides("allow with-interface one-of { 08:*:* 0e:02:* }", VERDICT_ALLOW, VERDICT_ALLOW);
	decides("allow with-interface all-of { 0e:*:* 01:*:* }", VERDICT_ALLOW, VERDICT_IGNORE);
	decides("allow with-interface all-of {0e:*:* 03:*:*}", VERDICT_IGNORE, VERDICT_IGNORE);
	decides("allow with-interface none-of { 08:*:* }", VERDICT_ALLOW, VERDICT_IGNORE);
	decides("allow with-interface equals { 0e:*:* 01:*:* }", VERDICT_ALLOW, VERDICT_IGNORE);
	decides("allow with-interface equals { 0e:*:* }", VERDICT_IGNORE, VERDICT_IGNORE);
	decides("allow with-interface equals { 08:06:50 }", VERDICT_IGNORE, VERDICT_ALLOW);
	decides("deny 046d:* serial B", VERDICT_IGNORE, VERDICT_IGNORE);
	decides("deny type camera", VERDICT_IGNORE, VERDICT_IGNORE);
}

static void test_order(void)
{
	struct rules *rules = rules_new();
	struct hardware hw = { .type = DEVRING_TYPE_CAMERA, .label = "vivid" };
	char error[256];

	OK(rules_judge(rules, &stick, NULL) == VERDICT_ALLOW, "without a rule all is allowed");
	rules_add(rules, "allow id 046d:0825", error, sizeof(error));
	rules_add(rules, "deny class video", error, sizeof(error));
	rules_add(rules, "ignore type camera name \"viv*\"", error, sizeof(error));
	rules_set_default(rules, VERDICT_DENY);
	OK(rules_judge(rules, &camera, &hw) == VERDICT_ALLOW, "the first rule that fits decides");
	OK(rules_judge(rules, NULL, &hw) == VERDICT_IGNORE, "what is not on USB has a type and a name");
	hw.type = DEVRING_TYPE_SPEAKER;
	OK(rules_judge(rules, NULL, &hw) == VERDICT_DENY, "the default is for the rest");
	rules_free(rules);
}

static void test_errors(void)
{
	refused("", "begins with one of these");
	refused("permit id 046d:*", "'permit' is none of allow, deny and ignore");
	refused("deny id 046d", "write four hexadecimal digits or *");
	refused("deny id 046d:xyz", "write four hexadecimal digits or *");
	refused("deny id", "after 'id' a value is missing");
	refused("deny colour red", "'colour' is no attribute");
	refused("deny class toaster", "class 'toaster' is not known");
	refused("deny type keyboard", "none of camera, microphone and speaker");
	refused("deny with-interface one-of", "there has to be { CC:SS:PP");
	refused("deny with-interface one-of { 0e:*:*", "no } at its end");
	refused("deny with-interface { }", "there is no interface in { }");
	refused("deny with-interface 0e:1:*", "no CLASS:SUBCLASS:PROTOCOL");
	refused("deny with-interface 0e:*", "no CLASS:SUBCLASS:PROTOCOL");
	refused("deny serial \"\"", "empty or too long");
	refused("deny with-interface { 01:*:* 02:*:* 03:*:* 04:*:* 05:*:* 06:*:* 07:*:* 08:*:* 09:*:* }",
		"more than 8 interfaces");
}

static void test_classes(void)
{
	char buf[16];

	same_text(usbdev_class_name(0x0e, buf), "video", "a class has its name");
	same_text(usbdev_class_name(0x77, buf), "class-77", "or its number");
	OK(usbdev_class_from_name("video") == 0x0e && usbdev_class_from_name("class-77") == 0x77 &&
	   usbdev_class_from_name("77") == 0x77, "and is found by either");
	OK(usbdev_class_from_name("7") < 0 && usbdev_class_from_name("") < 0 && usbdev_class_from_name("0xe") < 0,
	   "other texts are none");
	same_text(usbdev_class(&camera, 0, buf), "audio", "the classes of a device come in order");
	same_text(usbdev_class(&camera, 1, buf), "video", "each once");
	OK(usbdev_class(&camera, 2, buf) && !usbdev_class(&camera, 3, buf), "and then no more");
}

static void test_signature(void)
{
	struct usbdev usb;

	usbdev_from_event(&usb, "/sys/devices/pci/usb1/1-2", "46d/825/10", 1, 7);
	same_text(usb.vendor_id, "046d", "an event tells the vendor");
	same_text(usb.port, "1-2", "and the port");
	/* printf 046d:0825:1:7 | sha256sum */
	same_text(usb.signature, "ec4db4c45135e22d", "the signature is the hash's first 16 digits");
}

int main(void)
{
	test_decisions();
	test_order();
	test_errors();
	test_classes();
	test_signature();
	return tap_end();
}
