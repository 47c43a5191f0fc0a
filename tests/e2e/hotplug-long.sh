#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hotplug-long.sh CYCLES UEVENTS SEEDS [PART...]: runs in the guest: hotplug for long, with many devices, and with
# QEMU's own USB devices; each part alone, if they are named. TAP without a plan; the number of the last result goes to DEVRING_OUT/tap-count.
set -euo pipefail
. "$DEVRING_TOP/tests/e2e/hotplug-lib.sh"
cycles=$1 uevents=$2 seeds=$3
shift 3
[ $# != 0 ] || set -- qemu_devices fifty_devices malformed with_udevd without_udevd many_cycles

printf '[devringd]\nlinger_ms = 200\n[hotplug]\nudev_timeout_ms = 5000\n' >$conf
load_all
modprobe -a xhci-pci usbhid usb-storage ftdi_sio
emulate bulk-camera --name cam --serial CAM --size 160x120 --unplugged \
	bulk-camera --name many --count 40 --serial Y --size 160x120 --format yuyv --unplugged \
	microphone --name sound --count 10 --unplugged
udevadm settle
start

qemu() { printf '%s\n' "$*" >&7; }
# by_class CLASS DEVICE...: comes as of that class, and goes.
by_class() {
	local class=$1 since
	shift
	since=$(lines $events)
	qemu "device_add $1,id=one,bus=xhci.0"
	happens "$since" "\"usb.attach\",\"action\":\"add\".*\"classes\":\[[^]]*\"$class\"" &&
		devringctl events --json --class "$class" --topic usb.attach >/tmp/by-class && [ -s /tmp/by-class ] &&
		devringctl usb list --class "$class" >/tmp/by-class && grep -q QEMU /tmp/by-class || return 1
	since=$(lines $events)
	qemu "device_del one"
	happens "$since" '"usb.detach","action":"remove"' && settles
}
speaker() {
	local since
	since=$(lines $events)
	qemu "device_add usb-audio,audiodev=none,id=one,bus=xhci.0"
	happens "$since" '"speaker.connected","action":"add","device":"speaker' || return 1
	qemu "device_del one"
	happens "$since" '"speaker.disconnected"'
}
hub() {
	local since n
	since=$(lines $events)
	qemu "device_add usb-hub,id=hub,bus=xhci.0,port=1"
	happens "$since" '"classes":\["hub"' || return 1
	for n in 1 2 3 4 5 6 7; do qemu "device_add usb-kbd,id=k$n,bus=xhci.0,port=1.$n"; done
	qemu "device_add usb-hub,id=hub2,bus=xhci.0,port=1.8"
	for n in 1 2 3; do qemu "device_add usb-tablet,id=t$n,bus=xhci.0,port=1.8.$n"; done
	wait_for 120 attached_since "$since" 12 || return 1
	qemu "device_del hub"
	wait_for 120 detached_since "$since" 12 && settles
}
attached_since() { [ "$(tail -n +$(($1 + 1)) $events | count '"usb.attach","action":"add"' /dev/stdin)" -ge "$2" ]; }
detached_since() { [ "$(tail -n +$(($1 + 1)) $events | count '"usb.detach","action":"remove"' /dev/stdin)" -ge "$2" ]; }

qemu_devices() {
	progress "QEMU's own devices"
	# Open all the time, and read: what it answers must not come back to it as commands.
	exec 7<>/dev/ttyS1
	stty raw -echo <&7
	cat <&7 >/tmp/monitor &
	printf '\n' >&7
	wait_for 60 grep -q "(qemu)" /tmp/monitor || guest_die "no monitor"
	check "a keyboard is of the class hid" by_class hid usb-kbd
	check "a disk is of the class storage" by_class storage usb-storage,drive=disk
	check "a loudspeaker is of the class audio" by_class audio usb-audio,audiodev=none
	check "a serial port is of its maker's class" by_class vendor usb-serial,chardev=null,always-plugged=on
	check "the loudspeaker is provided" speaker
	check "a hub with ten devices and another hub goes at once: each is told" hub
}

fifty() {
	[ "$(tail -n +$((since + 1)) $events | count '"camera.connected","action":"add"' /dev/stdin)" -ge 40 ] &&
		[ "$(tail -n +$((since + 1)) $events | count '"microphone.connected","action":"add"' /dev/stdin)" -ge 10 ]
}

fifty_devices() {
	progress "fifty devices at once"
	since=$(lines $events)
	usb plug 'many*' && usb plug 'sound*'
	check "fifty are provided" wait_for 900 fifty
	udev_settles
	check "and the records agree with /sys" settles
	unfollow
	sleep 3
	check "with fifty devices and no ring in use: Rss below 10 MB" below "$(memory Rss)" 10240
	echo "# Rss $(memory Rss) kB, Private_Dirty $(memory Private_Dirty) kB"
	check "and no wake-up in 60 s in which nothing happens" rests 0 60
	follow
	since=$(lines $events)
	usb unplug '*'
	check "fifty go at once: each is told" wait_for 900 detached_since "$since" 50
	check "and nothing is left" settles
}

malformed() {
	local attached seen=0
	progress "$seeds malformed descriptors"
	for ((seed = 1; seed <= seeds; seed++)); do
		usb fault cam malformed-descriptor:$seed
		attached=$(lines $events)
		usb plug cam
		# The kernel may refuse some.
		! wait_for 3 attached_since "$attached" 1 || seen=$((seen + 1))
		usb unplug cam
	done
	echo "# the kernel took $seen of $seeds"
	check "they come as far as devringd" test $seen -gt 0
	usb fault cam none
	udev_settles
	check "what came of malformed descriptors has gone" settles 120
	check "and devringd is alive" kill -0 "$daemon"
}

counter() { devringctl metrics | awk -v name="devring_hotplug_$1_total" '$1 == name { print $2 }'; }
flapped() { [ "$(counter flaps)" -gt "$1" ]; }

# cam is there, and in the records: what a storm of uevents tells of.
plug_cam() {
	local since
	since=$(lines $events)
	usb plug cam
	check "a camera is there" happens "$since" camera.connected
}

with_udevd() {
	local before
	progress "2,000 uevents with udevd"
	plug_cam
	before=$(counter flaps)
	"$here/hotplug.py" storm 2000
	udev_settles
	check "the end state is that of /sys" settles 300
	check "flaps are counted" wait_for 60 flapped "$before"
	usb unplug cam
	check "the camera goes" settles
}

without_udevd() {
	local known rss before grown counted
	progress "$uevents uevents without udevd"
	known=$(lines $log)
	plug_cam
	end_udevd
	rss=$(memory Rss)
	before=$(counter flaps)
	"$here/hotplug.py" storm "$uevents"
	check "what the kernel tells counts alone" told "$known" "found by: kernel"
	check "$uevents uevents: the end state is that of /sys" settles 600
	grown=$(($(memory Rss) - rss))
	counted=$(devringctl metrics | grep -E '^devring_hotplug_(flaps|overflows|listings)' | xargs)
	echo "# grown by $grown kB of $rss kB; $counted"
	# The ring itself is touched for the first time: 1024 slots of 2 KiB.
	check "memory is bounded: grown by less than the ring and 1 MB" below $grown 3072
	check "and flaps are counted" wait_for 60 flapped "$before"
	usb unplug cam
	start_udevd_again
}

many_cycles() {
	plug_cycles "$cycles"
	check "from the uevent to the record: below 1.25 times a plain udev monitor" same 0 $status
}

for part in "$@"; do
	$part
done
udevadm settle
stop
finish
