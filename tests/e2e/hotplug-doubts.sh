# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by hotplug.sh: two of a kind, sources that fail while devringd runs, and what stays of all that.

well() { devringctl health >/tmp/ctl.out && grep -qx ok /tmp/ctl.out; }
is_well() { wait_for 60 well || { cat /tmp/ctl.out; return 1; }; }
degraded() { devringctl health >/tmp/ctl.out && grep -qx degraded /tmp/ctl.out && grep -q "^  $1: " /tmp/ctl.out; }
is_degraded() { wait_for 60 degraded "$1" || { cat /tmp/ctl.out; return 1; }; }

# Plugs cam in, and out again: what is told has to be what there is.
comes_and_goes() {
	local since
	since=$(lines $events)
	usb plug cam
	happens "$since" '"camera.connected"' && settles || return 1
	since=$(lines $events)
	usb unplug cam
	happens "$since" '"camera.disconnected"' && happens "$since" '"usb.detach"' && settles
}

twin() { "$usbemu" send /tmp/twins "$@" >/dev/null; }
# twin_comes NAME: its name in devring is in $came then.
twin_comes() {
	local since status=0
	since=$(lines $events)
	twin plug "$1"
	happens "$since" "\"camera.connected\".*\"product\":\"Twin $1\"" || status=$?
	check "$1 of two with one serial number comes" same 0 $status
	came=$(device_of "$since" "Twin $1")
	[ "${2:-}" = none ] || check "and nothing goes by that" silent "$since" '"camera.disconnected"'
}
twin_goes() {
	local since
	since=$(lines $events)
	twin unplug "$1"
	check "$1 goes" happens "$since" "\"camera.disconnected\",.*\"device\":\"$2\""
}

# Two cameras that say the same of themselves, but for their names.
twins() {
	local since came one other emulator
	progress "two with one serial number"
	"$usbemu" --control /tmp/twins \
		bulk-camera --name one --serial SECRET9 --product "Twin one" --size 160x120 --port 4 --unplugged \
		bulk-camera --name other --serial SECRET9 --product "Twin other" --size 160x120 --port 5 --unplugged \
		>/tmp/twins.out 2>&1 &
	emulator=$!
	wait_for 60 twin stats || guest_die "no twins: $(cat /tmp/twins.out)"
	twin_comes other none
	other=$came
	twin_comes one
	one=$came
	check "they have two names" fails test "$one" = "$other"
	stop
	since=$(lines $events)
	start
	check "devringd is started anew: each has its name" happens "$since" \
		"\"camera.connected\",.*\"device\":\"$other\",.*\"product\":\"Twin other\""
	check "and the one at the earlier port" happens "$since" \
		"\"camera.connected\",.*\"device\":\"$one\",.*\"product\":\"Twin one\""
	twin_goes one "$one"
	twin_goes other "$other"
	twin_comes one none
	one=$came
	twin_comes other
	other=$came
	twin_goes one "$one"
	since=$(lines $log)
	udevadm trigger --action=change --subsystem-match=video4linux
	udevadm settle
	reload
	check "after a change, and a listing, the one that stayed is what it was, and provided once" \
		fails grep_after $log "$since" ": (registered|here again|unplugged): "
	twin_goes other "$other"
	twin quit
	wait $emulator || true
}

# device_of SINCE PRODUCT: its name in devring.
device_of() {
	tail -n +"$(($1 + 1))" $events | sed -n "s/.*\"camera.connected\",.*\"device\":\"\([a-z0-9]*\)\".*\"$2\".*/\1/p"
}

# libusb knows USB devices alone: the rest has to be found as well.
not_usb() {
	local since
	progress "libusb alone"
	drop_in 60-libusb '[hotplug]\nsources = libusb\npoll_ms = 500'
	reload
	since=$(lines $events)
	modprobe vivid n_devs=1 node_types=0x1
	check "a camera that is not on USB is found" happens "$since" '"camera.connected".*"driver":"vivid"'
	since=$(lines $events)
	modprobe -r vivid
	check "and goes with its driver" happens "$since" '"camera.disconnected".*"driver":"vivid"'
	rm $conf.d/60-libusb.conf
	reload
}

# A source fails while it is in use, and cannot be had again for a while.
failing_sources() {
	local since without=("${as[@]}")
	progress "sources fail"
	stop
	as=(env "LD_PRELOAD=$build/tests/hotplug/uevents.so" "${as[@]}")
	start
	check "health is ok" is_well
	since=$(lines $log)
	touch /tmp/fail-udev
	check "udev's socket fails: nothing is lost" comes_and_goes
	check "it is told" told "$since" "the source udev cannot be used .*; trying again in 1000 ms"
	check "the kernel's events count" told "$since" "hardware is found by: kernel"
	check "health says so" is_degraded udev
	check "it is tried again, less often" told "$since" "the source udev cannot be used .*; trying again in 4000 ms"
	rm /tmp/fail-udev
	check "it comes back: it counts again" told "$since" "hardware is found by: udev"
	check "and health is ok" is_well
	since=$(lines $log)
	touch /tmp/fail-kernel
	check "the kernel's socket fails: nothing is lost" comes_and_goes
	check "it is told, of its own back-off" told "$since" "the source kernel cannot be used .*; trying .* 1000 ms"
	check "health says so" is_degraded kernel
	check "udev's events count as before" fails grep_after $log "$since" "hardware is found by"
	touch /tmp/fail-udev
	check "both fail: nothing is lost" comes_and_goes
	check "libusb stood by" told "$since" "hardware is found by: libusb"
	check "health says so" is_degraded udev
	rm /tmp/fail-udev /tmp/fail-kernel
	check "both come back" told "$since" "hardware is found by: udev"
	check "and health is ok" is_well
	check "with them nothing is lost" comes_and_goes
	stop
	as=("${without[@]}")
	start
}

# A device that fails, and is not wanted any more, is no complaint.
not_wanted() {
	local since
	progress "complaints end"
	since=$(lines $events)
	usb plug cam
	happens "$since" '"camera.connected"' >/dev/null || true
	usb fault cam silence
	reader "$(device_of "$since" 'Evil.*')"
	check "a device fails" is_degraded 'camera[0-9]*'
	drop_in 60-policy '[policy]\nrule = deny id 1d6b:0104'
	reload
	check "it is not wanted any more, so health is ok" is_well
	end_reader
	usb fault cam none
	usb unplug cam
	rm $conf.d/60-policy.conf
	reload
}

# However often all is listed: what was not ready is looked at again before it has waited twice as long as until now.
unready() {
	local since began waited
	progress "a node without permissions"
	drop_in 60-udev '[hotplug]\nudev_timeout_ms = 500'
	reload
	since=$(lines $log)
	pkill -KILL -x systemd-udevd
	began=$SECONDS
	modprobe vivid n_devs=1 node_types=0x1
	told "$since" "hardware is found by: kernel" >/dev/null || true
	for _ in 1 2 3 4 5 6 7 8 9 10; do reload; done
	waited=$((SECONDS - began))
	since=$(lines $events)
	began=$SECONDS
	chmod 666 /dev/video0
	check "a node gets its permissions late: it is found" happens "$since" '"camera.connected".*"driver":"vivid"'
	check "in time, though all was listed often" below $((SECONDS - began)) $((waited + 6))
	/lib/systemd/systemd-udevd --daemon
	udevadm trigger --action=change /sys/class/video4linux/video0
	udevadm settle
	rm $conf.d/60-udev.conf
	reload
	modprobe -r vivid
}

# Who missed records has all in the device state.
missed() {
	progress "the device state"
	local since
	since=$(lines $events)
	usb plug cam
	check "a camera is told" happens "$since" '"camera.connected"'
	check "the device state has what the records add up to, with the same instances" state_agrees
	usb unplug cam
	settles >/dev/null || true
	check "also when it has gone" state_agrees
}
state_agrees() { wait_for 60 has_all || has_all; }
has_all() { "$here/hotplug.py" state $events; }
