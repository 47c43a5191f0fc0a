#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: a running udevd with our rules gives nodes their groups, modes, tags and links,
# and takes the links away.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

persist=1 sink=2
declare -A registrar

# register FLAGS TYPE NAME [STABLE_ID [PATH_ID]]: sets `minor` and `id`. `unplug NAME N` ends it.
register() {
	local out=/tmp/$3.out
	# shellcheck disable=SC2086 # words
	${as_user:-} "$DEVRING_TOP/tests/e2e/register.py" "$1" "$2" "$3" "${4:--}" "${5:--}" >"$out" &
	registrar[$3]=$!
	wait_for 60 test -s "$out" || guest_die "$3 could not be registered"
	read -r minor id <"$out"
	udevadm settle --timeout=60
}

unplug() {
	kill "${registrar[$1]}"
	wait_for 60 test ! -e "/sys/class/devring/devring$2" || guest_die "$1 stays"
	udevadm settle --timeout=60
}

access() { stat -c '%U:%G %a' "$1"; }
tagged() { grep -q '^CURRENT_TAGS=.*:uaccess:' <<<"$(udevadm info -q property "$1")"; }
target() { readlink -f "/dev/devrings/$1"; }
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
in_group() { setpriv --reuid=65534 --regid=65534 --groups "$@"; }

start_udevd
load_devring "$build/kmod/devring.ko"
udevadm settle --timeout=60

check "the control node is for the group devring to write" same "root:devring 664" "$(access /dev/devring)"
check "anybody can open the control node to look" $nobody head -c 0 /dev/devring
check "nobody else can open it for writing" fails $nobody bash -c 'exec 3<>/dev/devring'

while read -r type flags group mode seat; do
	register "$flags" "$type" "a-$type"
	check "$type: group and mode" same "root:$group $mode" "$(access "/dev/devring$minor")"
	check "$type: the name's link" same "/dev/devring$minor" "$(target "a-$type")"
	if [ "$seat" = seat ]; then
		check "$type: goes to the user at the seat" tagged "/dev/devring$minor"
	else
		check "$type: does not go to the user at the seat" fails tagged "/dev/devring$minor"
	fi
	unplug "a-$type" "$minor"
	check "$type: the link goes with the device" test ! -L "/dev/devrings/a-$type"
done <<-END
	camera 0 video 660 seat
	microphone 0 audio 660 seat
	speaker $sink audio 660 seat
	screen 0 devring 660 seat
	keyboard 0 root 600 -
	mouse 0 root 600 -
	usb 0 devring 660 -
	tensor 0 devring 660 -
	event 0 devring 660 -
	other 0 devring 660 -
END

register $persist camera cam0 046d:0825-1234 pci-0000:00:14.0-usb-0:1
cam=$minor cam_id=$id
check "a link by hardware" same "/dev/devring$cam" "$(target by-id/046d:0825-1234)"
check "a link by port" same "/dev/devring$cam" "$(target by-path/pci-0000:00:14.0-usb-0:1)"
check "who is in no group cannot open a camera" fails $nobody head -c 0 /dev/devrings/cam0
check "a member of the group video can" in_group video head -c 0 /dev/devrings/cam0

# What an unprivileged user registers gets a name of its own, and nothing that looks like hardware.
chmod 666 /dev/devring
as_user=$nobody register 0 camera cam0-fake 046d:0825-1234 pci-0000:00:14.0-usb-0:1
check "an unprivileged registrant's link has its uid" same "/dev/devring$minor" "$(target u65534-cam0-fake)"
check "it has no plain name" test ! -e /dev/devrings/cam0-fake
check "it does not take the link by hardware" same "/dev/devring$cam" "$(target by-id/046d:0825-1234)"
check "nor that by port" same "/dev/devring$cam" "$(target by-path/pci-0000:00:14.0-usb-0:1)"
unplug cam0-fake "$minor"

kill "${registrar[cam0]}"
wait_for 60 grep -q offline "/sys/class/devring/devring$cam/state" || guest_die "cam0 stays available"
udevadm settle --timeout=60
check "a persistent device keeps its link when its producer goes" same "/dev/devring$cam" "$(target cam0)"
check "udev knows that it is offline" same DEVRING_STATE=offline \
	"$(udevadm info -q property "/dev/devring$cam" | grep ^DEVRING_STATE=)"
"$DEVRING_TOP/tests/e2e/register.py" unregister "$cam_id"
udevadm settle --timeout=60
check "no link stays when it is unregistered" test ! -L /dev/devrings/cam0 -a \
	! -L /dev/devrings/by-id/046d:0825-1234 -a ! -L /dev/devrings/by-path/pci-0000:00:14.0-usb-0:1
tap_end
