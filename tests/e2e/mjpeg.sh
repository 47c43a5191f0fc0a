#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: a camera that has MJPEG alone; what it sends is what readers get. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"
cd /tmp

load_devring
load_vhci
start_udevd
printf '[devringd]\nchecksum = yes\n' >devringd.conf
mkdir state
devringd -c devringd.conf -s state 2>log &
daemon=$!
wait_for 60 grep -q ready log || { cat log; guest_die "devringd is not ready"; }
"$DEVRING_TOP/build/tests/usbemu" camera --format mjpeg --serial MJPEG --size 320x240 >events &
emulator=$!
wait_for 60 grep -q '^camera0 ' state/names || { cat log; guest_die "devringd does not find the camera"; }
wait_for 60 grep -q available "$(grep -lx camera0 /sys/class/devring/*/name | sed 's/name$/state/')"
check "frames come, with the producer's checksums" timeout 120 devringctl cat camera0 --verify -f raw -n 10 -o got.mjpeg
check "the device says that they are MJPEG" bash -c 'grep -q MJPG <<<"$(devringctl info camera0)"'
check "they are the pictures that the camera sent" "$DEVRING_TOP/build/tests/usbemu-check" frames got.mjpeg 10
check "devringctl writes them as they are" timeout 120 devringctl snapshot camera0 -o shot.jpg
check "a picture is a JPEG" bash -c '[ "$(od -An -tx1 -N2 shot.jpg)" = " ff d8" ]'
kill $emulator $daemon
wait || true
tap_end
