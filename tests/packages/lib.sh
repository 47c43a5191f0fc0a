# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced on the host and in guests.

nothing() {
	local output
	output=$("$@" 2>&1) && [ -z "$output" ] || { printf '%s\n' "$output"; return 1; }
}
# leftovers ROOT: what is left there of the packages, but for logs and what systemd and the test keep aside.
leftovers() {
	find "$1" -xdev \( -path '*/mnt' -o -path '*/var/log' -o -path '*/var/cache' -o -path '*/root' \
		-o -path '*/tmp' -o -path '*/var/lib/systemd' \) -prune -o -name '*devring*' ! -name 'devring-test.service' -print
}
