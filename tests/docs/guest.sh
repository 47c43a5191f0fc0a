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
sox -q -n -r 48000 -c 2 -b 16 -t wav - synth 3600 sine 440 | aplay -q -D hw:Loopback,0,0 &
mkdir -p /tmp/state
progress "starting devringd"
devringd >/tmp/devringd.log 2>&1 &
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
tap_end
