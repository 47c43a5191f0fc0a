#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: what V4L2 drivers fill is what many readers map. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"
cd /tmp

readers=4
load_devring
load_vhci
start_udevd
load_vivid
"$build/tests/usbemu" bulk-camera --name usb --serial ZERO --size 320x240 --control control >events 2>usbemu.log &
emulator=$!
mkdir state

start() { # CONFIG: of the section [devringd] and what follows
	printf '%b' "$1" >devringd.conf
	own=0
	: >log
	devringd -c devringd.conf -s state 2>log &
	daemon=$!
	wait_for 60 grep -q ready log || { cat log; guest_die "devringd is not ready"; }
	for name in camera0 camera1; do
		wait_for 60 grep -q "^$name " state/names || { cat log; guest_die "devringd does not find $name"; }
		wait_for 60 grep -q available "$(grep -lx $name /sys/class/devring/*/name | sed 's/name$/state/')"
	done
	usb=$(sed -n 's/ usb-.*//p' state/names)
	vivid=$(sed -n 's/ platform-vivid.*//p' state/names)
	own=$(mapped)
}
stop() {
	kill "$daemon"
	wait "$daemon" || true
}
# Bytes of the devices' files that devringd maps, without the page of the header that each has. What it
# maps before anybody reads are the rings that it fills itself, of events.
mapped() {
	local range rest sum=0 bytes
	while read -r range rest; do
		bytes=$((0x${range#*-} - 0x${range%-*}))
		case $rest in *'[devring]'* | *dev/devring*) [ $bytes -le 4096 ] || sum=$((sum + bytes)) ;; esac
	done <"/proc/$daemon/maps"
	echo $((sum - ${own:-0}))
}
# What each of several readers at once got was what the camera sent: each frame has its number and checksum in it.
each_byte() {
	local i pids=() bad=0
	for i in $(seq $readers); do
		timeout 120 devringctl cat "$usb" -f raw -n 20 -o got.$i 2>cat.$i &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=1
	done
	for i in $(seq $readers); do
		"$build/tests/usbemu-check" frames got.$i 20 || bad=1
	done
	return $bad
}
verified() {
	local i pids=() bad=0
	for i in $(seq $readers); do
		timeout 120 devringctl cat "$1" --verify -f raw -n 20 -o /dev/null 2>cat.$i &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=1
	done
	[ $bad = 0 ] || { cat cat.*; return 1; }
}
# While somebody reads.
maps_while_read() {
	timeout 60 devringctl cat "$1" -f raw -o /dev/null 2>/dev/null &
	local reader=$!
	wait_for 60 grep -q "$1: streaming" log
	mapped
	kill $reader
	wait $reader || true
}
says() { grep -q "$1" log || { cat log; return 1; }; }

progress "dma-bufs"
start '[devringd]\nlinger_ms = 100\n'
check "USB camera: $readers readers, each byte as it was sent" each_byte
check "the driver filled the slots by dma-bufs" says "$usb: streaming .* straight into slots, by dma-bufs"
check "devringd maps no slot of it, so it can have copied nothing" same 0 "$(maps_while_read "$usb")"
check "vivid: devringd maps no slot of it" same 0 "$(maps_while_read "$vivid")"
check "vivid's driver filled the slots by dma-bufs" says "$vivid: streaming .* straight into slots, by dma-bufs"

progress "SIGKILL"
# The slots are with the driver while it dies: nothing of it is in what comes after.
timeout 120 devringctl cat "$usb" -f raw -n 60 -o through 2>/dev/null &
reader=$!
wait_for 60 test -s through
kill -KILL "$daemon"
wait "$daemon" || true
start '[devringd]\nlinger_ms = 100\n'
status=0
wait $reader || status=$?
check "killed with slots queued, and started again: the same reader goes on" same 0 $status
check "all that it got are whole frames, in order" "$build/tests/usbemu-check" frames through 60 1000
stop

progress "user pointers"
start '[devringd]\nlinger_ms = 100\n[camera]\nmemory = userptr\n'
check "USB camera: each byte as it was sent" each_byte
check "the driver filled the slots that devringd maps" says "$usb: streaming .* straight into slots$"
check "and devringd maps them" test "$(maps_while_read "$usb")" -gt $((16 * 320 * 240 * 2))
stop

progress "copies"
start '[devringd]\nlinger_ms = 100\n[camera]\nmemory = mmap\n'
check "USB camera: each byte as it was sent" each_byte
check "it was copied once" says "$usb: streaming .* copied into slots"
stop

progress "checksums"
start '[devringd]\nlinger_ms = 100\nchecksum = yes\n[camera]\nmemory = dmabuf\n'
check "vivid: $readers readers, and the bytes that devringd saw" verified "$vivid"
check "by dma-bufs" says "$vivid: streaming .* by dma-bufs"
stop

progress "lossless"
# Whether readers may be lossless is said when a device is registered.
devringctl unregister "$usb"
start '[devringd]\nlinger_ms = 100\nlossless_ms = 10000\n'
# Stopped, it keeps all slots: the camera loses frames, the reader none.
timeout 120 python3 "$DEVRING_TOP/tests/e2e/lossless.py" "/dev/devrings/$usb" 60 >lossless.txt
check "a camera waits for a lossless reader, and goes on: the driver's losses are told, the reader has none" \
	grep -q "^60 frames, 0 lost, [1-9][0-9]* lost before, 0 demoted$" lossless.txt
cat lossless.txt | sed 's/^/# /'
stop

kill $emulator
wait || true
tap_end
