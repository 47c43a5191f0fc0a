# SPDX-License-Identifier: GPL-2.0-only
# Tests of the user space that need no kernel: build/tests/unit/*, one program for each
# tests/unit/*.c, with what it tests under the address and undefined-behaviour sanitizers.
# Included by the top-level Makefile.

UNIT_TESTS := $(wildcard tests/unit/*.c)
# Built a second time by another name, without sanitizers, for valgrind.
UNIT_NAME ?= unit
UNIT_SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_PROGRAMS := $(UNIT_TESTS:tests/unit/%.c=$(BUILD)/tests/$(UNIT_NAME)/%)
UNIT_OBJ := $(BUILD)/obj/$(UNIT_NAME)
UNIT_CFLAGS = -O1 -g $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DDEVRING_VERSION='"$(VERSION)"' \
	$(UNIT_SANITIZE) -fno-omit-frame-pointer \
	-Iuserspace/devringctl -Iuserspace/libdevring/include -Iuserspace/libdevring/src -Iuapi \
	$(shell pkg-config --cflags jansson libudev libsystemd libgcrypt)

# All of the library, of devringctl what has neither main() nor commands, and of devringd what decides.
UNIT_CODE := $(wildcard userspace/libdevring/src/*.c) \
	$(addprefix userspace/devringd/,usbdev.c rules.c outbox.c hardware.c health.c hooks.c plugs.c text.c names.c \
	log.c) \
	$(filter-out %/main.c $(wildcard userspace/devringctl/cmd_*.c), \
	$(wildcard userspace/devringctl/*.c))
UNIT_CODE_OBJS := $(UNIT_CODE:userspace/%.c=$(UNIT_OBJ)/%.o)

TEST_PRODUCTS += $(UNIT_PROGRAMS)

.PHONY: unit-programs
unit-programs: $(UNIT_PROGRAMS)

$(UNIT_OBJ)/%.o: userspace/%.c VERSION
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP -c -o $@ $<

$(UNIT_OBJ)/all.a: $(UNIT_CODE_OBJS)
	rm -f $@
	$(AR) rcsP $@ $^

$(BUILD)/tests/$(UNIT_NAME)/%: tests/unit/%.c tests/unit/tap.h $(UNIT_OBJ)/all.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP -MF $(UNIT_OBJ)/$*.d -o $@ $< $(UNIT_OBJ)/all.a \
		$(shell pkg-config --libs jansson libudev libsystemd libgcrypt)

-include $(UNIT_CODE_OBJS:.o=.d) $(UNIT_PROGRAMS:$(BUILD)/tests/$(UNIT_NAME)/%=$(UNIT_OBJ)/%.d)

# The library's own test against the module runs with the kernel's tests, in the same lanes.
build/tests/kernel/libdevring: KERNEL_TEST_FLAGS += $(LIBDEVRING_CFLAGS) \
	-Wl,--whole-archive $(LIBDEVRING_A) -Wl,--no-whole-archive
build/tests/kernel/libdevring: $(LIBDEVRING_A)
