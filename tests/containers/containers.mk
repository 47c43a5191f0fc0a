# SPDX-License-Identifier: GPL-2.0-only
# The programs that run in containers: build/tests/containers/NAME, static, since nothing else is there.
CONTAINED := $(patsubst tests/containers/%.c,build/tests/containers/%,$(wildcard tests/containers/*.c))
TEST_PRODUCTS += $(CONTAINED)

$(CONTAINED): build/tests/containers/%: tests/containers/%.c tests/containers/contained.h $(KERNEL_TEST_HEADERS) \
		| build/kselftest/kselftest_harness.h
	@mkdir -p $(@D)
	$(CC) $(KERNEL_TEST_FLAGS) -Iuserspace/libdevring/include $(KERNEL_TEST_CFLAGS) -o $@ $<
