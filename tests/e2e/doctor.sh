#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: what can be wrong is made wrong, one thing after the other; doctor has to find it, and what it
# says has to mend it. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

modules=/lib/modules/$(uname -r)
nobody=(setpriv --reuid=nobody --regid=nogroup)
cd /tmp

# codes [COMMAND...]: of the problems that doctor finds, and its status, on one line.
codes() {
	local status=0
	"$@" devringctl doctor --json >doctor.json || status=$?
	python3 - $status <<-'END'
		import json, sys
		found = json.load(open("doctor.json"))
		bad = [c for c in found["checks"] if c["problem"]]
		assert found["schema_version"] == 1 and found["problems"] == len(bad)
		assert all(c["remedy"] and c["message"].endswith(".") for c in bad), bad
		assert all(c["remedy"] is None for c in found["checks"] if not c["problem"])
		print(*sorted(c["code"] for c in bad), sys.argv[1])
	END
}
# finds CODES STATUS [COMMAND...]: these problems and no others.
finds() { same "$1" "$(codes "${@:2}")"; }
# says TEXT [COMMAND...]: doctor says it to people.
says() {
	local output
	output=$("${@:2}" devringctl doctor) || true
	grep -qF -- "$1" <<<"$output" || { printf 'wanted: %s\n%s\n' "$1" "$output"; return 1; }
}
# remedy CODE: the command that doctor gives as the remedy of this problem.
remedy() {
	devringctl doctor --json >doctor.json || true
	python3 - "$1" <<-'END'
		import json, re, sys
		text = next(c["remedy"] for c in json.load(open("doctor.json"))["checks"] if c["code"] == sys.argv[1] and c["remedy"])
		print(re.search(r"(?:^|: )((?:kill|echo|modprobe|udevadm|chmod|adduser) [^,;]*)", text)[1])
	END
}
# follow CODE: does what doctor says.
follow() {
	local command
	command=$(remedy "$1") && echo "$command" && bash -ec "$command"
}
refused() {
	local output
	output=$(modprobe devring 2>&1) && { echo "it was loaded"; return 1; }
	grep -qF -- "$1" <<<"$output" || { printf '%s\n' "$output"; return 1; }
}
daemon=
# start ENVIRONMENT..., start_with OPTION...: devringd, until the camera is available.
start() { as_daemon env "$@" devringd -s /tmp/state; }
start_with() { as_daemon devringd -s /tmp/state "$@"; }
as_daemon() {
	setpriv --reuid=devring --regid=devring --groups=devring,video,audio "$@" >>daemon.log 2>&1 &
	daemon=$!
	wait_for 60 available || guest_die "$(cat daemon.log)"
}
stop() {
	kill "$daemon"
	wait "$daemon" || true
}
available() { grep -q "^state *available" <<<"$(devringctl info camera0)"; }
# A reader in the background, for which the camera has to start.
want() {
	devringctl cat --output /dev/null camera0 2>/dev/null &
	reader=$!
	wait_for 60 grep -q error /sys/class/devring/devring*/state || { cat daemon.log; return 1; }
}
unwant() {
	kill $reader
	wait $reader || true
}

# The cameras first: from then on this kernel has a folder of modules that is as good as empty.
load_vivid n_devs=2 node_types=0x1,0x1
headers=$(readlink -f "$modules/build")
mount -t tmpfs modules "$modules"
ln -s "$headers" "$modules/build"
progress "the module"
check "a kernel that is too old" finds "kernel-too-old 1" setarch --uname-2.6
check "it says which it needs" says "devring needs 5.10 or newer" setarch --uname-2.6
check "no source" finds "module-not-installed 1"
check "it says which package" says "Do: apt install devring-dkms"
mkdir /usr/src/devring-0
touch /usr/src/devring-0/dkms.conf
check "not built" finds "module-not-built 1"
check "it says how to build it" says "Do: dkms install devring/0 -k $(uname -r)"
rm "$modules/build"
check "no headers" finds "module-no-headers 1"
check "it says which package has them" says "Do: apt-get install linux-headers-$(uname -r)"
ln -s "$headers" "$modules/build"
mkdir "$modules/updates"
cp "$build/kmod/devring.ko" "$modules/updates/"
depmod 2>/dev/null
check "not loaded" finds "module-not-loaded 1"
check "it says how to load it" says "Do: modprobe devring."
check "which can be done" follow module-not-loaded
check "and loads it" test -d /sys/module/devring

progress "nodes and daemons"
check "no udev, no daemon" finds "daemon udev 1"
check "it says what misses" says "udev does not run, so devices get neither names nor groups."
start_udevd
check "no daemon" finds "daemon 1"
check "it says where to get it" says "Do: apt install devringd"
mkdir -p /usr/sbin
ln -s "$build/bin/devringd" /usr/sbin/devringd
check "a daemon that does not run" says "devringd does not run"
mkdir state
chown devring state
start TZ=UTC
check "nothing is wrong" finds 0
check "it says so" says "ok       4 devices are as they should be."
chmod 600 /dev/devring
check "a control node that users cannot open" finds "node-permission 1" "${nobody[@]}" --clear-groups
check "it says the mode" says "chmod 0664 /dev/devring" "${nobody[@]}" --clear-groups
chmod 0664 /dev/devring
mv /dev/devring away
check "no control node" finds "node-missing 1"
mv away /dev/devring
check "a user without the group of two cameras" finds "device-permission device-permission 1" "${nobody[@]}" --clear-groups
check "it says the group" says "Do: adduser nobody video" "${nobody[@]}" --clear-groups
usermod -aG video nobody
check "a group that counts from the next login on" says "log out and in again" "${nobody[@]}" --clear-groups
check "the group helps" finds 0 "${nobody[@]}" --init-groups
node=$(readlink -f /dev/devrings/camera0)
chown root:root "$node"
check "a node without its group" finds "udev-rules 1" "${nobody[@]}" --init-groups
rm /dev/devrings/camera0
check "a node without its name" finds "udev-rules 1"
check "it says how to have the rules read" says "udevadm control --reload && udevadm trigger"
check "which can be done" follow udev-rules
udevadm settle
check "that mends it" finds 0 "${nobody[@]}" --init-groups
mv "$node" away
check "a device without its node" finds "node-missing 1"
mv away "$node"

progress "the hardware"
# One who has the other camera open, and one who has this one open, but does not stream.
sleep 3000 3</dev/video1 &
elsewhere=$!
sleep 3000 3</dev/video0 &
idle=$!
v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=0 --stream-to=/dev/null >/dev/null 2>&1 &
other=$!
sleep 1
want
check "a busy camera" finds "hardware-busy 1"
check "it says by whom" says "process $other (v4l2-ctl"
check "and who else has it open" says "process $idle (sleep"
check "and nobody who has another camera open" fails says "process $elsewhere"
check "it says what ends that" same "kill $idle $other" "$(remedy hardware-busy)"
check "who cannot see that is told" says "ask again as root" "${nobody[@]}" --init-groups
check "what it says can be done" follow hardware-busy
wait $other || true
wait $idle || true
check "the program at the other camera runs" kill $elsewhere
wait $elsewhere || true
check "when that program ends nothing is wrong any more" wait_for 120 finds 0
unwant
stop
start LD_PRELOAD="$build/tests/doctor/streamon.so"
want
check "no space on the USB bus" finds "usb-bandwidth 1"
check "it says what helps" says "take a smaller size"
unwant
stop
# limited PARAMETER MIB REMEDY: the camera finds no memory, and what doctor says helps.
limited() {
	local parameter=/sys/module/devring/parameters/$1
	# A ring that there is already would be used again.
	devringctl unregister camera0
	start TZ=UTC
	echo "$2" >"$parameter"
	want
	check "a limit of memory: $1" finds "memory-limit 1"
	check "it says which" says "$3$parameter"
	check "that can be done" follow memory-limit
	check "raising it helps" wait_for 120 finds 0
}
limited user_mb 0 "Do: raise it: echo 1024 >"
unwant
stop
# Half of what all may have is what one may have, whatever user_mb is.
limited total_mb 8 ">"
echo 1 >/sys/module/devring/parameters/total_mb
check "the limit of all" says "The limit of memory for all rings is reached"
check "what it says then can be done" follow memory-limit
check "that was all" finds 0
unwant
stop
devringctl unregister camera0
printf '[device camera0]\nformats = MJPG\n' >none.conf
start_with -c none.conf
want
check "a camera with none of the formats that are allowed" finds "device-error 1"
check "it says why" says "camera0 fails: Invalid argument."
check "and what helps" says "Do: allow other formats or another size for it in /etc/devring/devringd.conf"
: >none.conf
kill -HUP $daemon
check "allowing them helps" wait_for 120 finds 0
unwant
stop
"$DEVRING_TOP/tests/e2e/register.py" 0 microphone mic - - ENOSPC >registered &
mic=$!
wait_for 30 test -s registered || guest_die "no microphone"
check "no space on the USB bus for sound" says "for the sound of mic"
check "it says what helps with sound" says "take a lower rate or fewer channels"
kill $mic
wait $mic || true

progress "signatures"
devringctl unregister camera0
devringctl unregister hotplug 2>/dev/null || true
wait_for 30 rmmod devring || guest_die "the module is in use"
cp "$modules/updates/devring.ko" plain.ko
openssl req -new -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj "/CN=a key of this machine/" -days 9 \
	2>openssl.log
"$modules/build/scripts/sign-file" sha256 key cert "$modules/updates/devring.ko"
mount -t securityfs security /sys/kernel/security
echo integrity >/sys/kernel/security/lockdown
check "a locked down kernel, and a key that it does not know" finds "module-signature 1"
check "it says by which key the module is signed" says 'the key that signed it, "a key of this machine"'
check "and how to make that known" says "mokutil --import /var/lib/dkms/mok.pub"
cp plain.ko "$modules/updates/devring.ko"
check "a locked down kernel, and no signature" finds "module-signature 1"
check "such a kernel does refuse it" refused "Operation not permitted"
echo 1 >/sys/module/module/parameters/sig_enforce
check "a kernel that enforces signatures" says "which enforces signatures"
check "such a kernel does refuse it, too" refused "Key was rejected by service"
tap_end
