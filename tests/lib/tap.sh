# SPDX-License-Identifier: GPL-2.0-only
# Sourced by bash tests: results as TAP.

tap_count=0 tap_failed=0

# check NAME COMMAND...: one result. What a failing command printed stands above it, as comments.
check() {
	local name=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	tap_count=$((tap_count + 1))
	if [ $status = 0 ]; then
		printf 'ok %d - %s\n' $tap_count "$name"
		return 0
	fi
	printf '# status %d: %s\n' $status "$*"
	[ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/# /'
	printf 'not ok %d - %s\n' $tap_count "$name"
	tap_failed=$((tap_failed + 1))
}

# same WANTED GOT: a condition for check, which shows both.
same() {
	[ "$1" = "$2" ] && return 0
	printf 'wanted: %s\ngot:    %s\n' "$1" "$2"
	return 1
}

# fails COMMAND...: a condition for check: the command must not succeed, nor die by a signal.
fails() {
	local status=0
	"$@" || status=$?
	[ $status -gt 0 ] && [ $status -lt 124 ] || { echo "status $status"; return 1; }
}

skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' $tap_count "$1" "$2"
}

# The plan, and the status for the script's end.
tap_end() {
	printf '1..%d\n' $tap_count
	[ $tap_failed = 0 ]
}
