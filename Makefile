# SPDX-License-Identifier: GPL-2.0-only
#
# devring's one makefile for people: `make help` tells what it does. Each area of user space has a
# fragment of its own, which adds to the lists below; the kernel module is built by kbuild.

ifneq ($(KERNELRELEASE),)
# The kernel's makefiles read this file when they, or DKMS, are pointed at the whole tree.
obj-m := kmod/
else

VERSION := $(shell cat VERSION)
BUILD := build

# ---- What may be set on the command line ----

prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
sbindir ?= $(exec_prefix)/sbin
libdir ?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/devring
sysconfdir ?= /etc
# udev and systemd look below /usr/lib and below /usr/local/lib, so these follow prefix, not libdir.
udevdir ?= $(prefix)/lib/udev
unitdir ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
modulesloaddir ?= $(prefix)/lib/modules-load.d
# DKMS has one place for sources, whatever the prefix is.
dkmsdir ?= /usr/src
INSTALL ?= install
# Nothing of this machine is changed, but what would be is told.
DRY := $(if $(filter 1,$(DRY_RUN)),--dry-run)
# In front of a command: then it is told, and not run.
DO := $(if $(DRY),@echo would run:)

# The kernel to build for: the running one if its headers are here, else the newest that has some.
KDIR ?= $(firstword $(wildcard $(addsuffix /build,$(addprefix /lib/modules/,$(RUNNING_KERNEL) \
	$(shell tests/lib/guest-kernel headers 2>/dev/null)))))
RUNNING_KERNEL := $(shell uname -r)
KMODDIR ?= $(BUILD)/kmod

CFLAGS ?= -O2 -g
# What is installed does not tell where it was built.
override CPPFLAGS += -ffile-prefix-map=$(CURDIR)=.
WARN := -std=gnu11 -Wall -Wextra -Wshadow -Wmissing-prototypes
ifeq ($(WERROR),1)
WARN += -Werror
KMOD_WERROR := KCFLAGS=-Werror
endif

# ---- The areas of user space ----

ALL_PRODUCTS :=
TEST_PRODUCTS :=
INSTALL_TARGETS :=

.DEFAULT_GOAL := all

-include userspace/libdevring/libdevring.mk
-include userspace/devringctl/devringctl.mk
-include userspace/devringd/devringd.mk
-include docs/man/man.mk
-include tests/tests.mk
-include tests/usbemu/usbemu.mk
-include tests/demo/demo.mk
-include bench/bench.mk

.PHONY: all modules userspace tests-build setup check check-long check-debug check-model check-threats check-kernels \
	demo bench budgets lint dist deb install install-system modules_install dkms-tree uninstall clean help

all: modules userspace ## build the kernel module and user space

userspace: $(ALL_PRODUCTS) ## build the library and the programs

tests-build: $(TEST_PRODUCTS) ## build the tests' programs

setup: ## install what building and testing need (Debian 12; asks apt)
	tests/setup $(DRY)

# ---- The kernel module ----

define NO_HEADERS
there are no kernel headers: none for the running kernel ($(RUNNING_KERNEL)) in \
/lib/modules/$(RUNNING_KERNEL)/build, and none of another kernel. Install some \
("apt-get install linux-headers-amd64"), or name a built kernel tree ("make KDIR=/path/to/it")
endef

# kbuild writes beside its sources: it gets a folder of links, so that kmod/ stays clean.
# A folder that was built for another kernel is begun anew.
modules: ## build devring.ko alone (KDIR=... names the kernel's build folder)
	@$(if $(KDIR),:,$(error $(strip $(NO_HEADERS))))
	@test -e $(KDIR)/Makefile || { echo "KDIR=$(KDIR) has no Makefile: give the folder" \
		"of a configured kernel, such as /lib/modules/VERSION/build" >&2; exit 2; }
	@case "$(KDIR)" in */$(RUNNING_KERNEL)/build) ;; *) echo "devring.ko is built for $(KDIR)," \
		"not for the running kernel $(RUNNING_KERNEL)" ;; esac
	@[ "$$(cat $(KMODDIR)/.kdir 2>/dev/null)" = "$(KDIR)" ] || rm -rf $(KMODDIR)
	@mkdir -p $(KMODDIR)
	@echo "$(KDIR)" >$(KMODDIR)/.kdir
	@cd kmod && find . \( -name '*.[chS]' -o -name Kbuild -o -name Makefile \) -printf '%P\n' | \
		while read -r file; do \
			mkdir -p "$(abspath $(KMODDIR))/$$(dirname "$$file")"; \
			ln -sf "$(CURDIR)/kmod/$$file" "$(abspath $(KMODDIR))/$$file"; \
		done
	@find $(KMODDIR) -xtype l -delete
	$(MAKE) -C $(KDIR) M=$(abspath $(KMODDIR)) $(KMOD_WERROR) modules

# ---- Tests ----

# The guest boots a stock kernel, so its headers are the ones to build for, whatever runs here.
GUEST_KDIR = /lib/modules/$$(tests/lib/guest-kernel)/build

check: ## set up, build and run all tests that are fast enough for each change
	tests/setup $(DRY) test
	$(DO) $(MAKE) all tests-build KDIR=$(GUEST_KDIR)
	$(DO) tests/run

check-long: ## as check, and the tests that take hours
	tests/setup $(DRY) test
	$(DO) $(MAKE) all tests-build KDIR=$(GUEST_KDIR)
	$(DO) tests/run --long

check-debug: ## kernel tests, faults, fuzzer, kills in debug kernels (DEVRING_SEED=, _FUZZ_CALLS=, _KILLS=)
	tests/setup $(DRY) test
	$(DO) $(MAKE) tests-build KDIR=$(GUEST_KDIR)
	$(DO) tests/run uml-kernel planted debug kasan kcsan

check-model: ## the models of the module's hard parts, with Spin
	tests/setup $(DRY) test
	$(DO) tests/run model

check-threats: ## the attacks, against modules without the defence: they must succeed
	tests/setup $(DRY) test
	$(DO) $(MAKE) tests-build KDIR=$(GUEST_KDIR)
	$(DO) tests/run undefended

check-kernels: ## the module on the kernels of several Debian releases (KERNELS="5.10 arm64": these)
	tests/setup $(DRY) kernels
	$(DO) $(MAKE) tests-build KDIR=$(GUEST_KDIR)
	$(DO) tests/kernels/run $(KERNELS)

demo: ## a camera and a microphone read by many, in a throw-away guest (HOST=1: here)
	tests/setup $(DRY) demo
	$(if $(DRY),,$(MAKE) all demo-build $(if $(filter 1,$(HOST)),,KDIR=$(GUEST_KDIR)))
	tests/demo/run $(DRY) $(if $(filter 1,$(HOST)),--host)

.PHONY: demo-build
demo-build: $(DEMO_PRODUCTS)

bench: ## what devring takes, beside what else programs use: table, JSON and plots in build/bench
	tests/setup $(DRY) bench
	$(DO) $(MAKE) all tests-build KDIR=$(GUEST_KDIR)
	$(DO) bench/run

budgets: ## count the instructions of devring's calls, and write them to bench/budgets.json
	tests/setup $(DRY) test
	$(DO) $(MAKE) modules build/bench/devring-paths KDIR=$(GUEST_KDIR)
	$(DO) bench/count devring-paths $(BUILD)/bench/budgets.jsonl
	$(DO) bench/budgets.py update $(BUILD)/bench/budgets.jsonl $$(tests/lib/guest-kernel)

lint: ## checkpatch, sparse, clang-tidy, shellcheck, and a build without warnings
	tests/setup $(DRY) test
	$(DO) tests/lint/run

# ---- Packages ----

# What is in a release: all that git does not ignore, or all files where there is no git.
RELEASE := devring-$(VERSION)
DIST := $(BUILD)/dist
RELEASE_FILES = if git rev-parse --git-dir >/dev/null 2>&1; then git ls-files --cached --others --exclude-standard; \
	else find . \( -path ./$(BUILD) -o -name __pycache__ \) -prune -o ! -type d -printf '%P\n'; fi

dist: ## the release as build/dist/devring-VERSION.tar.xz
	@mkdir -p $(DIST)
	@$(RELEASE_FILES) | LC_ALL=C sort >$(DIST)/files
	@tar -c --no-recursion --files-from=$(DIST)/files --transform='flags=r;s|^|$(RELEASE)/|' --owner=0 --group=0 \
		--numeric-owner --mode=u+w,go-w --mtime="@$$(sed -n '/^ -- .*>  /{s///p;q}' debian/changelog | \
		date -f - +%s)" | xz -T0 >$(DIST)/$(RELEASE).tar.xz
	@rm $(DIST)/files
	@echo "$(DIST)/$(RELEASE).tar.xz"

deb: $(if $(DRY),,dist) ## Debian packages in build/dist, and their source
	tests/setup $(DRY) deb
	$(DO) rm -rf $(DIST)/$(RELEASE) $(DIST)/*.deb $(DIST)/*.dsc
	$(DO) tar -C $(DIST) -xf $(DIST)/$(RELEASE).tar.xz
	$(DO) env -C $(DIST)/$(RELEASE) -u MAKEFLAGS -u MAKELEVEL -u KDIR \
		DEB_BUILD_OPTIONS="noautodbgsym $(DEB_BUILD_OPTIONS)" dpkg-buildpackage -us -uc
	$(DO) rm -r $(DIST)/$(RELEASE)
	$(if $(DRY),,@ls $(DIST)/*.deb $(DIST)/*.dsc)

# ---- Installation ----

INSTALL_TARGETS += install-system dkms-tree

# What there is to install or remove is what an installation with the same variables puts into an empty folder.
STAGE := $(BUILD)/stage
STAGED = rm -rf $(STAGE) && $(MAKE) -s install DRY_RUN= DESTDIR=$(abspath $(STAGE)) >/dev/null && cd $(STAGE)

ifeq ($(DRY),)
install: $(INSTALL_TARGETS) ## install all but the module itself (DESTDIR= prefix=)
ifeq ($(DESTDIR),)
	ldconfig
	@echo "Installed. docs/install.md tells how DKMS builds the module for this kernel."
endif
else
install:
	@$(STAGED) && find . ! -type d -printf '%P\n' | sort | while read -r file; do \
		if [ ! -e "$(DESTDIR)/$$file" ]; then echo "would install $(DESTDIR)/$$file"; \
		elif ! cmp -s "$$file" "$(DESTDIR)/$$file"; then case "/$$file" in \
			$(sysconfdir)/devring/*) echo "would leave $(DESTDIR)/$$file, which was changed" ;; \
			*) echo "would replace $(DESTDIR)/$$file" ;; esac; fi; done
	@rm -r $(STAGE)
endif

install-system:
	$(INSTALL) -D -m 644 udev-rules/60-devring.rules \
		$(DESTDIR)$(udevdir)/rules.d/60-devring.rules
	$(INSTALL) -D -m 644 udev-rules/devring.sysusers.conf $(DESTDIR)$(sysusersdir)/devring.conf
	$(INSTALL) -D -m 644 udev-rules/devring.modules-load.conf \
		$(DESTDIR)$(modulesloaddir)/devring.conf
	$(INSTALL) -d $(DESTDIR)$(docdir)/docs
	$(INSTALL) -m 644 README.md COPYING CHANGELOG.md CONTRIBUTING.md SECURITY.md $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 docs/*.md $(wildcard docs/*.svg docs/*.png) $(DESTDIR)$(docdir)/docs
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(docdir)/docs/examples \
		$(filter-out %.json %.conf %/__pycache__,$(wildcard docs/examples/*))
	$(INSTALL) -m 644 -t $(DESTDIR)$(docdir)/docs/examples docs/examples/*.json docs/examples/*.conf

modules_install: $(if $(DRY),,modules) ## install the built module for its kernel, without DKMS
	$(DO) $(MAKE) -C $(KDIR) M=$(abspath $(KMODDIR)) modules_install

DKMS_TREE = $(DESTDIR)$(dkmsdir)/devring-$(VERSION)

dkms-tree: ## put what DKMS needs to /usr/src/devring-VERSION (DESTDIR=)
	$(INSTALL) -d $(DKMS_TREE)
	@find kmod uapi -type f \( -name '*.[chS]' -o -name Kbuild \) \
		-exec $(INSTALL) -D -m 644 '{}' '$(DKMS_TREE)/{}' \;
	$(INSTALL) -m 644 Makefile VERSION dkms.conf $(DKMS_TREE)

uninstall: ## remove what install put there (same DESTDIR= and prefix=)
	@$(STAGED) && find . ! -type d -printf '%P\n' | sort | while read -r file; do \
		[ -e "$(DESTDIR)/$$file" ] || [ -L "$(DESTDIR)/$$file" ] || continue; \
		case "/$$file" in $(sysconfdir)/*) cmp -s "$$file" "$(DESTDIR)/$$file" || \
			{ echo "$(DESTDIR)/$$file stays: it was changed"; continue; } ;; esac; \
		$(if $(DRY),echo "would remove",rm -f) "$(DESTDIR)/$$file"; done
	@$(if $(DRY),,cd $(STAGE) && find . -mindepth 1 -depth -type d -path '*devring*' -printf '%P\n' | \
		while read -r dir; do \
			[ ! -d "$(DESTDIR)/$$dir" ] || rmdir --ignore-fail-on-non-empty "$(DESTDIR)/$$dir"; \
		done)
	@rm -r $(STAGE)

clean: ## remove everything that was built
	$(DO) rm -rf $(BUILD)

help: ## this text
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "Variables: KDIR=folder  HOST=1  WERROR=1  DESTDIR=folder  prefix=folder  CC=  CFLAGS="
	@echo "DRY_RUN=1 with all that does not only build: change nothing, but tell what would be"

endif
