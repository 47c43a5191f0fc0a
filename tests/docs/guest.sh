#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: the documents' commands, in order, with an emulated camera and microphone.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

# The documents speak of an installed devring: what was built stands in for it.
mkdir -p "/lib/modules/$(uname -r)/updates"
cp "$build/kmod/devring.ko" "/lib/modules/$(uname -r)/updates/"
depmod
start_udevd
modprobe devring
load_vivid
load_aloop

# Something to hear, for as long as the guest runs.
sox -q -n -r 48000 -c 2 -b 16 -t wav - synth 0.8 sine 440 pad 0 0.8 repeat 2000 | aplay -q -D hw:Loopback,0,0 &
progress "starting devringd"
devringd >/tmp/devringd.log 2>&1 &
daemon=$!
if ! wait_for 120 test -e /dev/devrings/camera0 -a -e /dev/devrings/microphone0; then
	cat /tmp/devringd.log
	guest_die "devringd made no camera0 and microphone0"
fi

# The commands may write where they are, and name files of the checkout.
mkdir /tmp/work
cd /tmp/work
for each in "$DEVRING_TOP"/*; do ln -s "$each" .; done

# A command that would go on for ever is ended in the documents by timeout.
timeout() { command timeout "$@" || [ $? = 124 ]; }
export -f timeout
for block in "$build/docs/guest/"*.sh; do
	name=${block##*/}
	progress "$name"
	check "in the guest: ${name#*-}" command timeout -k 5 300 bash -eo pipefail "$block"
done

# Each line of the example's tells how many frames were lost since the one before: none may be missing.
complete() {
	awk -F '[ :]+' '/^frame/ { if (n++ && $2 != last + 1 + $5) bad = 1; last = $2; next } { bad = 1; print }
		END { print n + 0, "frames"; exit bad || !n }' /tmp/reader
}
progress "the example, over a restart of devringd"
python3 docs/examples/reader.py /dev/devrings/camera0 >/tmp/reader 2>&1 &
reader=$!
wait_for 60 grep -q frame /tmp/reader || guest_die "the example reads nothing"
kill -KILL $daemon
wait $daemon || true
# What was captured before is still delivered.
settled() { cp /tmp/reader /tmp/reader.before; sleep 2; cmp -s /tmp/reader /tmp/reader.before; }
wait_for 60 settled || guest_die "frames come without a producer"
devringd >>/tmp/devringd.log 2>&1 &
goes_on() { [ "$(wc -l </tmp/reader)" -gt "$(wc -l </tmp/reader.before)" ]; }
check "the example goes on when devringd was killed and is there again" wait_for 120 goes_on
check "it is the same process" kill -0 $reader
check "it misses no frame without saying so" complete
tap_end
