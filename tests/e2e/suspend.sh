#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# Runs in the guest that has nothing but an initramfs (vm/run -i), since file systems over 9p do not survive it:
# devringd and a reader while the machine sleeps. Its arguments are modules, programs and their libraries.
set -eu

end() {
	echo "# $*"
	cat /tmp/log
	exit 1
}
# run PROGRAM ARGUMENT...: takes the place of this shell.
run() {
	program=$1
	shift
	exec ./ld-linux-x86-64.so.2 --library-path . "./$program" "$@"
}
# soon COMMAND...: it succeeds within a while.
soon() {
	tries=100
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}
logged() { grep -q "$1" /tmp/log; }
attached() { (run devringctl events --json --topic usb.attach) >/tmp/events && grep -q "$1" /tmp/events; }

for name in devring usb-common usbcore; do insmod ./$name.ko; done
mkdir /tmp/state
printf '[hotplug]\nsources = poll\npoll_ms = 600000\n' >/tmp/conf
run devringd -c /tmp/conf -s /tmp/state 2>/tmp/log &
daemon=$!
soon logged ": ready$" || end "devringd does not start"
insmod ./xhci-hcd.ko
insmod ./xhci-pci.ko
soon test -e /sys/bus/usb/devices/1-1 || end "there is no USB device"
sleep 3
! attached usb.attach || end "it has been told without a source"
./slept >/tmp/slept 2>&1 || { cat /tmp/slept; end "a grant has not ended as the machine slept"; }
sed 's/^/# /' /tmp/slept
dmesg >/tmp/dmesg
grep -q "PM: suspend exit" /tmp/dmesg || end "the machine did not sleep"
soon logged "or the machine slept; listing again" || end "devringd did not notice that"
soon attached '"port_path":"1-1",.*"source":"list"' || end "what is there was not listed again"
kill $daemon
wait $daemon
