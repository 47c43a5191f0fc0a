# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by what runs in a guest with packages: after guest-lib.sh and tap.sh. PATH is the system's own.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset LD_LIBRARY_PATH
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2034 # for those who source it
packages=(devring-dkms devring-tools devringd libdevring-dev libdevring0)
tap_count=${DEVRING_TAP_COUNT:-0}
cd /root/checkout || exit

. "$DEVRING_TOP/tests/packages/lib.sh"

# says TEXT COMMAND...: the command's output has the text; all of it is shown if not.
says() {
	local text=$1 output
	shift
	output=$("$@" 2>&1) || true
	grep -qF -- "$text" <<<"$output" || { printf 'wanted: %s\n%s\n' "$text" "$output"; return 1; }
}
# install DEB..., purge PACKAGE...: apt, which has to succeed; what it says is for said().
install() { by_apt install "$@"; }
purge() { by_apt purge "$@"; }
by_apt() { apt-get -y "$@" >/tmp/apt 2>&1 </dev/null || { cat /tmp/apt; return 1; }; }
said() { grep -qF -- "$1" /tmp/apt || { cat /tmp/apt; return 1; }; }
all_installed() {
	same "$(printf '%s ii \n' "${packages[@]}")" \
		"$(dpkg-query -W -f='${Package} ${db:Status-Abbrev}\n' "${packages[@]}")"
}
camera_is_there() { wait_for 60 test -e /dev/devrings/camera0; }
as() { runuser -u "$1" -- "${@:2}"; }
# What AppArmor refused to devringd and its hooks.
refusals() { dmesg | grep 'apparmor="DENIED"' | grep 'profile="devringd"' || true; }
# The last line of a script: the next test's number, and the status.
count_on() {
	echo "$tap_count" >"$DEVRING_OUT/tap-count"
	[ "$tap_failed" = 0 ]
}
