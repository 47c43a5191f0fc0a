# SPDX-License-Identifier: LGPL-2.1-or-later
# libdevring, shared and static. Included by the top-level Makefile.
#
# Programs of this tree compile with $(LIBDEVRING_CFLAGS), link with $(LIBDEVRING_LIBS) and depend on
# $(LIBDEVRING_SO), or do without the shared library by naming $(LIBDEVRING_A).

LIBDEVRING_DIR := userspace/libdevring
LIBDEVRING_OBJ := $(BUILD)/obj/libdevring
LIBDEVRING_REAL := libdevring.so.$(VERSION)
LIBDEVRING_SONAME := libdevring.so.0

LIBDEVRING_CFLAGS := -I$(LIBDEVRING_DIR)/include -Iuapi
LIBDEVRING_SO := $(BUILD)/lib/libdevring.so
LIBDEVRING_A := $(BUILD)/lib/libdevring.a
# Finds the library beside the programs in build/ and after installation; packagers empty it.
DEVRING_RPATH ?= -Wl,-rpath,'$$ORIGIN/../lib'
LIBDEVRING_LIBS := -L$(BUILD)/lib -ldevring $(DEVRING_RPATH)

LIBDEVRING_SRC := $(wildcard $(LIBDEVRING_DIR)/src/*.c)
LIBDEVRING_OBJS := $(LIBDEVRING_SRC:$(LIBDEVRING_DIR)/src/%.c=$(LIBDEVRING_OBJ)/%.o)

ALL_PRODUCTS += $(LIBDEVRING_SO) $(LIBDEVRING_A)
INSTALL_TARGETS += install-libdevring

$(LIBDEVRING_OBJ)/%.o: $(LIBDEVRING_DIR)/src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-DDEVRING_VERSION='"$(VERSION)"' -fPIC -fvisibility=hidden $(LIBDEVRING_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(LIBDEVRING_OBJS): VERSION

$(BUILD)/lib/$(LIBDEVRING_REAL): $(LIBDEVRING_OBJS) $(LIBDEVRING_DIR)/libdevring.map
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(LIBDEVRING_SONAME) -Wl,-z,defs \
		-Wl,--version-script,$(LIBDEVRING_DIR)/libdevring.map -o $@ $(LIBDEVRING_OBJS)

$(LIBDEVRING_SO): $(BUILD)/lib/$(LIBDEVRING_REAL)
	ln -sf $(LIBDEVRING_REAL) $(BUILD)/lib/$(LIBDEVRING_SONAME)
	ln -sf $(LIBDEVRING_SONAME) $@

$(LIBDEVRING_A): $(LIBDEVRING_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcsD $@ $^

.PHONY: install-libdevring
install-libdevring: $(LIBDEVRING_SO) $(LIBDEVRING_A)
	$(INSTALL) -d $(DESTDIR)$(libdir)/pkgconfig
	$(INSTALL) -m 644 $(BUILD)/lib/$(LIBDEVRING_REAL) $(LIBDEVRING_A) $(DESTDIR)$(libdir)
	ln -sf $(LIBDEVRING_REAL) $(DESTDIR)$(libdir)/$(LIBDEVRING_SONAME)
	ln -sf $(LIBDEVRING_SONAME) $(DESTDIR)$(libdir)/libdevring.so
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(includedir)/devring $(LIBDEVRING_DIR)/include/devring/*.h
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(includedir)/linux uapi/linux/devring.h
	sed -e 's|@prefix@|$(prefix)|' -e 's|@includedir@|$(includedir)|' -e 's|@libdir@|$(libdir)|' \
		-e 's|@version@|$(VERSION)|' $(LIBDEVRING_DIR)/devring.pc.in \
		>$(DESTDIR)$(libdir)/pkgconfig/devring.pc

-include $(LIBDEVRING_OBJS:.o=.d)
