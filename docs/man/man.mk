# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages. Included by the top-level Makefile.

MAN_SOURCES := $(wildcard docs/man/*.[1-8]) docs/man/pages.py uapi/linux/devring.h \
	$(wildcard userspace/libdevring/include/devring/*.h kmod/*.c) CHANGELOG.md

ALL_PRODUCTS += $(BUILD)/man/.made
INSTALL_TARGETS += install-man

$(BUILD)/man/.made: $(MAN_SOURCES)
	@rm -rf $(@D)
	docs/man/pages.py $(@D)
	@touch $@

.PHONY: man install-man
man: $(BUILD)/man/.made

# Where the documents are is known when they are installed.
install-man: $(BUILD)/man/.made
	@cd $(BUILD)/man && for page in *.[1-8]; do \
		$(INSTALL) -D -m 644 -t "$(abspath $(DESTDIR)$(mandir))/man$${page##*.}" $$page; done
	@sed -i 's|/usr/share/doc/devring|$(docdir)|' "$(abspath $(DESTDIR)$(mandir))/man7/devring.7"
