# SPDX-License-Identifier: GPL-2.0-only
# The demo's reader in C. Included by the top-level Makefile, after libdevring's and usbemu's fragments.

DEMO_READER := $(BUILD)/tests/demo/reader
DEMO_PRODUCTS := $(DEMO_READER) $(BUILD)/tests/usbemu
TEST_PRODUCTS += $(DEMO_READER)

$(DEMO_READER): tests/demo/reader.c $(LIBDEVRING_A) $(wildcard uapi/linux/*.h \
		$(LIBDEVRING_DIR)/include/devring/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -D_GNU_SOURCE $(LIBDEVRING_CFLAGS) -o $@ $< \
		$(LIBDEVRING_A)
