# SPDX-License-Identifier: GPL-2.0-or-later
# devringctl and its completion. Included by the top-level Makefile, after libdevring's fragment.

DEVRINGCTL_DIR := userspace/devringctl
DEVRINGCTL_OBJ := $(BUILD)/obj/devringctl
DEVRINGCTL := $(BUILD)/bin/devringctl

DEVRINGCTL_SRC := $(wildcard $(DEVRINGCTL_DIR)/*.c)
DEVRINGCTL_OBJS := $(DEVRINGCTL_SRC:$(DEVRINGCTL_DIR)/%.c=$(DEVRINGCTL_OBJ)/%.o)
# How a USB device is read is devringd's matter, and the same here.
DEVRINGCTL_SHARED := $(addprefix $(DEVRINGCTL_OBJ)/devringd/,usbdev.o text.o)
# Asked only when it is built, so that "make help" needs no packages.
DEVRINGCTL_PACKAGES := jansson libpng libkmod libudev libgcrypt
DEVRINGCTL_PKG_CFLAGS = $(shell pkg-config --cflags $(DEVRINGCTL_PACKAGES))
DEVRINGCTL_PKG_LIBS = $(shell pkg-config --libs $(DEVRINGCTL_PACKAGES))

ALL_PRODUCTS += $(DEVRINGCTL)
INSTALL_TARGETS += install-devringctl

$(DEVRINGCTL_OBJ)/%.o: $(DEVRINGCTL_DIR)/%.c VERSION
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-DDEVRING_VERSION='"$(VERSION)"' $(LIBDEVRING_CFLAGS) $(DEVRINGCTL_PKG_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(DEVRINGCTL_OBJ)/devringd/%.o: userspace/devringd/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(DEVRINGCTL_PKG_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(DEVRINGCTL): $(DEVRINGCTL_OBJS) $(DEVRINGCTL_SHARED) $(LIBDEVRING_SO)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(DEVRINGCTL_OBJS) $(DEVRINGCTL_SHARED) $(LIBDEVRING_LIBS) \
		$(DEVRINGCTL_PKG_LIBS)

# Where zsh looks: Debian keeps packages' functions and an administrator's apart.
zshdir ?= $(datadir)/zsh/$(if $(filter /usr,$(prefix)),vendor-completions,site-functions)

.PHONY: install-devringctl install-completion
install-devringctl: $(DEVRINGCTL) install-completion
	$(INSTALL) -D $(DEVRINGCTL) $(DESTDIR)$(bindir)/devringctl

install-completion:
	$(INSTALL) -D -m 644 $(DEVRINGCTL_DIR)/completion.bash \
		$(DESTDIR)$(datadir)/bash-completion/completions/devringctl
	$(INSTALL) -D -m 644 $(DEVRINGCTL_DIR)/completion.zsh $(DESTDIR)$(zshdir)/_devringctl
	$(INSTALL) -D -m 644 $(DEVRINGCTL_DIR)/completion.fish \
		$(DESTDIR)$(datadir)/fish/vendor_completions.d/devringctl.fish

-include $(DEVRINGCTL_OBJS:.o=.d) $(DEVRINGCTL_SHARED:.o=.d)
