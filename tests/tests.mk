# SPDX-License-Identifier: GPL-2.0-only
# Included by the top-level Makefile. Compiles tests/kernel/*.c and tests/attacks/*.c, one static
# program a file, into build/tests/kernel; those that also run in the user-mode debug kernel are
# linked into build/tests/kernel-um as well. A file with `/* lane: guest */` in its first five lines
# needs real page tables or processors; abi32.c is a 32-bit program, which the user-mode kernel cannot
# run either. One with `/* lane: debug */` needs a debug kernel, and goes to build/tests/kernel-debug.

KERNEL_TEST_SOURCES := $(sort $(wildcard tests/kernel/*.c tests/attacks/*.c))
KERNEL_TEST_HEADERS := $(wildcard tests/kernel/*.h tests/attacks/*.h uapi/linux/*.h)
kernel_tests_of_lane = $(shell for f in $(KERNEL_TEST_SOURCES); do \
	head -n 5 $$f | grep -qF '/* lane: $(1) */' && echo $$f; done)
KERNEL_TESTS_DEBUG := $(call kernel_tests_of_lane,debug)
KERNEL_TESTS := $(filter-out $(KERNEL_TESTS_DEBUG),$(KERNEL_TEST_SOURCES))
KERNEL_TESTS_GUEST := $(call kernel_tests_of_lane,guest) tests/kernel/abi32.c
KERNEL_TESTS_UM := $(filter-out $(KERNEL_TESTS_GUEST),$(KERNEL_TESTS))
kernel_test_names = $(basename $(notdir $(1)))
KERNEL_TEST_PROGRAMS := $(addprefix build/tests/kernel/,$(call kernel_test_names,$(KERNEL_TESTS))) \
	$(addprefix build/tests/kernel-um/,$(call kernel_test_names,$(KERNEL_TESTS_UM) $(KERNEL_TESTS_DEBUG))) \
	$(addprefix build/tests/kernel-debug/,$(call kernel_test_names,$(KERNEL_TESTS_DEBUG)))

KERNEL_TEST_CFLAGS ?= -O2 -g
KERNEL_TEST_FLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter \
	-Wno-missing-field-initializers -Wno-sign-compare \
	-isystem build/kselftest -Iuapi -Itests/kernel -pthread -static

# The harness comes out of the kernel's source package; this does nothing when it is there.
build/kselftest/kselftest_harness.h:
	tests/setup test

build/tests/kernel/abi32: KERNEL_TEST_FLAGS += -m32

define COMPILE_KERNEL_TEST
	@mkdir -p $(@D)
	$(CC) $(KERNEL_TEST_FLAGS) $(KERNEL_TEST_CFLAGS) -o $@ $<
endef

build/tests/kernel/%: tests/kernel/%.c $(KERNEL_TEST_HEADERS) | build/kselftest/kselftest_harness.h
	$(COMPILE_KERNEL_TEST)

build/tests/kernel/%: tests/attacks/%.c $(KERNEL_TEST_HEADERS) | build/kselftest/kselftest_harness.h
	$(COMPILE_KERNEL_TEST)

build/tests/kernel-debug/%: tests/kernel/%.c $(KERNEL_TEST_HEADERS) | build/kselftest/kselftest_harness.h
	$(COMPILE_KERNEL_TEST)

$(KERNEL_TESTS_DEBUG:tests/kernel/%.c=build/tests/kernel-um/%): build/tests/kernel-um/%: build/tests/kernel-debug/%
	@mkdir -p $(@D)
	ln -f $< $@

build/tests/kernel-um/%: build/tests/kernel/%
	@mkdir -p $(@D)
	ln -f $< $@

# What a script in tests/e2e runs where there are no libraries.
E2E_PROGRAMS := $(patsubst tests/e2e/%.c,build/tests/e2e/%,$(wildcard tests/e2e/*.c))
$(E2E_PROGRAMS): build/tests/e2e/%: tests/e2e/%.c $(KERNEL_TEST_HEADERS) | build/kselftest/kselftest_harness.h
	$(COMPILE_KERNEL_TEST)
TEST_PRODUCTS += $(E2E_PROGRAMS)

# A program whose source is gone must not go on being run.
.PHONY: kernel-tests-stale
kernel-tests-stale:
	@rm -f $(filter-out $(KERNEL_TEST_PROGRAMS),$(wildcard build/tests/kernel/* \
		build/tests/kernel-debug/* build/tests/kernel-um/*))

TEST_PRODUCTS += kernel-tests-stale $(KERNEL_TEST_PROGRAMS)

include tests/unit/unit.mk
include tests/containers/containers.mk
