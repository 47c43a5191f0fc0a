# SPDX-License-Identifier: GPL-2.0-or-later
# devringd, the daemon. Included by the top-level Makefile.

DEVRINGD_DIR := userspace/devringd
DEVRINGD_OBJ := $(BUILD)/obj/devringd
DEVRINGD_PACKAGES := libsystemd libudev libnl-3.0 libusb-1.0 alsa jansson audit libgcrypt
DEVRINGD := $(BUILD)/bin/devringd

DEVRINGD_SRC := $(wildcard $(DEVRINGD_DIR)/*.c)
DEVRINGD_OBJS := $(DEVRINGD_SRC:$(DEVRINGD_DIR)/%.c=$(DEVRINGD_OBJ)/%.o)

ALL_PRODUCTS += $(DEVRINGD)
INSTALL_TARGETS += install-devringd

# Asked once, when the first object is made: other goals do not need the packages.
DEVRINGD_CFLAGS = $(eval DEVRINGD_CFLAGS := $$(shell pkg-config --cflags $(DEVRINGD_PACKAGES)))$(DEVRINGD_CFLAGS)
DEVRINGD_LIBS = $(eval DEVRINGD_LIBS := $$(shell pkg-config --libs $(DEVRINGD_PACKAGES)))$(DEVRINGD_LIBS)

$(DEVRINGD_OBJ)/%.o: $(DEVRINGD_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fPIE \
		$(LIBDEVRING_CFLAGS) $(DEVRINGD_CFLAGS) -MMD -MP -c -o $@ $<

$(DEVRINGD): $(DEVRINGD_OBJS) $(LIBDEVRING_SO)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -pie -Wl,-z,now -Wl,--as-needed -o $@ $(DEVRINGD_OBJS) \
		$(LIBDEVRING_LIBS) $(DEVRINGD_LIBS) -linih

# The unit names the programs' folder of this installation.
.PHONY: install-devringd
install-devringd: $(DEVRINGD)
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(sbindir) $(DEVRINGD)
	@# What somebody wrote there is his.
	test -e $(DESTDIR)$(sysconfdir)/devring/devringd.conf || \
		$(INSTALL) -D -m 644 -t $(DESTDIR)$(sysconfdir)/devring $(DEVRINGD_DIR)/devringd.conf
	$(INSTALL) -d $(DESTDIR)$(sysconfdir)/devring/devringd.conf.d $(DESTDIR)$(sysconfdir)/devring/hooks.d
	$(INSTALL) -d $(DESTDIR)$(unitdir)
	sed -e "s|/usr/sbin/|$(sbindir)/|" $(DEVRINGD_DIR)/devringd.service \
		>$(DESTDIR)$(unitdir)/devringd.service
	$(INSTALL) -D -m 644 $(DEVRINGD_DIR)/devringd.apparmor \
		$(DESTDIR)$(sysconfdir)/apparmor.d/usr.sbin.devringd

-include $(DEVRINGD_OBJS:.o=.d)
