# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Sourced by the test scripts: where things are, and how to end with a sentence.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=${DEVRING_BUILD:-$top/build}
cache=${DEVRING_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/devring}
kernel_tarball=${DEVRING_KERNEL_TARBALL:-/usr/src/linux-source-6.1.tar.xz}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 2; }

# watched LOG COMMAND...: what it prints goes to LOG. On a terminal the newest line of it is seen meanwhile.
watched() {
	local log=$1 rc=0 watcher=
	shift
	: >"$log"
	if [ -t 2 ]; then
		watch_log "$log" &
		watcher=$!
	fi
	"$@" >"$log" 2>&1 || rc=$?
	if [ -n "$watcher" ]; then
		kill $watcher
		wait $watcher 2>/dev/null || true
		printf '\r%79s\r' '' >&2
	fi
	return $rc
}
# Until it is killed, or who started it is gone.
watch_log() {
	local began=$SECONDS
	while sleep 2 && kill -0 $$ 2>/dev/null; do
		printf '\r%-79.79s' "$((SECONDS - began)) s: $(tail -n 1 "$1" | tr -cd '[:print:]')" >&2
	done
}

# guest_suite ARGUMENT...: a suite whose results are those of the guest that tests/vm/run starts with these; exits.
guest_suite() {
	local rc=0
	"$top/tests/vm/run" "$@" || rc=$?
	case $rc in
	0 | 1) ;;
	126) echo "not ok - the guest's kernel log is clean" ;;
	*) echo "not ok - the guest ends well (status $rc)" ;;
	esac
	exit $rc
}

# patched_tree WORK PATCH: makes a tree below WORK as DKMS gets it, with the patch, and prints its folder. Files that did
# not change since the last time stay, so that little is compiled.
patched_tree() {
	local tree
	tree=$1/devring-$(cat "$top/VERSION")
	make -s -C "$top" dkms-tree DESTDIR="$1" dkmsdir= INSTALL='install -C' BUILD="$1/none" >&2 || return 1
	patch -d "$tree" -p1 -F 2 --no-backup-if-mismatch -r - <"$2" >&2 ||
		{ say "$2 does not fit kmod/ any more: make it anew"; return 1; }
	echo "$tree"
}

# The version of the kernel source package names everything that is taken from it.
source_version() {
	local v
	v=$(dpkg-query -W -f='${Version}' linux-source-6.1 2>/dev/null) && [ -n "$v" ] ||
		die "the package linux-source-6.1 is not installed: run tests/setup"
	echo "$v"
}
