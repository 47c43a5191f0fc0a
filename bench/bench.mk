# SPDX-License-Identifier: GPL-2.0-only
# Included by the top-level Makefile: the programs that measure. They are static, as the guest that
# counts instructions has no other files.

BENCH_CFLAGS ?= -O2 -g
BENCH_FLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wmissing-prototypes -Werror \
	-Wno-missing-field-initializers -Iuapi -pthread -static
BENCH_PROGRAMS := build/bench/devring-paths build/bench/devring-scale build/bench/devring-follow

build/bench/devring-paths: $(wildcard bench/paths/*.[ch])
build/bench/devring-scale: bench/scale/scale.c bench/paths/device.c bench/paths/measure.c \
	$(wildcard bench/paths/*.h)
build/bench/devring-follow: bench/chains/follow.c bench/paths/measure.c bench/paths/measure.h

$(BENCH_PROGRAMS): uapi/linux/devring.h
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) $(BENCH_CFLAGS) -o $@ $(filter %.c,$^)

TEST_PRODUCTS += $(BENCH_PROGRAMS)
