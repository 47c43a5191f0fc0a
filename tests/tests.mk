# SPDX-License-Identifier: GPL-2.0-only
# Included by the top-level Makefile. Compiles tests/kernel/*.c, one static
# program a file, into build/tests/kernel; those that also run in the user-mode debug kernel are
# linked into build/tests/kernel-um as well. A file with `/* lane: guest */` in its first five lines
# needs the stock kernel; abi32.c is a 32-bit program, which that other kernel cannot run either.

KERNEL_TESTS := $(sort $(wildcard tests/kernel/*.c))
KERNEL_TEST_HEADERS := $(wildcard tests/kernel/*.h uapi/linux/*.h)
KERNEL_TESTS_GUEST := $(shell for f in $(KERNEL_TESTS); do \
	head -n 5 $$f | grep -qF '/* lane: guest */' && echo $$f; done) tests/kernel/abi32.c
KERNEL_TESTS_UM := $(filter-out $(KERNEL_TESTS_GUEST),$(KERNEL_TESTS))
KERNEL_TEST_PROGRAMS := $(KERNEL_TESTS:tests/kernel/%.c=build/tests/kernel/%) \
	$(KERNEL_TESTS_UM:tests/kernel/%.c=build/tests/kernel-um/%)

KERNEL_TEST_CFLAGS ?= -O2 -g
KERNEL_TEST_FLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter \
	-Wno-missing-field-initializers -Wno-sign-compare \
	-isystem build/kselftest -Iuapi -Itests/kernel -pthread -static

# The harness comes out of the kernel's source package; this does nothing when it is there.
build/kselftest/kselftest_harness.h:
	tests/setup test

build/tests/kernel/abi32: KERNEL_TEST_FLAGS += -m32

build/tests/kernel/%: tests/kernel/%.c $(KERNEL_TEST_HEADERS) | build/kselftest/kselftest_harness.h
	@mkdir -p $(@D)
	$(CC) $(KERNEL_TEST_FLAGS) $(KERNEL_TEST_CFLAGS) -o $@ $<

build/tests/kernel-um/%: build/tests/kernel/%
	@mkdir -p $(@D)
	ln -f $< $@

# A program whose source is gone must not go on being run.
.PHONY: kernel-tests-stale
kernel-tests-stale:
	@rm -f $(filter-out $(KERNEL_TEST_PROGRAMS),$(wildcard build/tests/kernel/* \
		build/tests/kernel-um/*))

TEST_PRODUCTS += kernel-tests-stale $(KERNEL_TEST_PROGRAMS)

include tests/unit/unit.mk
