# SPDX-License-Identifier: GPL-2.0-only
# build/tests/usbemu and build/tests/usbemu-check; linked statically, since guests start them often.
# Needs libjpeg62-turbo-dev.
USBEMU_DIR := tests/usbemu
USBEMU_OUT := build/tests
USBEMU_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes
USBEMU_OBJECTS := $(patsubst %,$(USBEMU_OUT)/usbemu.o/%.o,\
	main options channel device endpoint0 fault usbip uvc uac jpeg)

TEST_PRODUCTS += $(USBEMU_OUT)/usbemu $(USBEMU_OUT)/usbemu-check

.PHONY: usbemu
usbemu: $(USBEMU_OUT)/usbemu $(USBEMU_OUT)/usbemu-check

$(USBEMU_OUT)/usbemu: $(USBEMU_OBJECTS)
	$(CC) -static -o $@ $^ -ljpeg

$(USBEMU_OUT)/usbemu-check: $(USBEMU_OUT)/usbemu.o/check.o
	$(CC) -static -o $@ $^

$(USBEMU_OUT)/usbemu.o/%.o: $(USBEMU_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(USBEMU_CFLAGS) -MMD -MP -c -o $@ $<

-include $(USBEMU_OBJECTS:.o=.d) $(USBEMU_OUT)/usbemu.o/check.d
