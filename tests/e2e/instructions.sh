#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in a guest whose clock counts instructions: how many devringd takes until its first device is there.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"

load_devring
start_udevd
load_vivid
udevadm settle
devringd -c /dev/null -s /tmp/state 2>/tmp/log &
daemon=$!
registered() { grep -q "camera0: registered" /tmp/log; }
wait_for 600 registered || guest_die "no device: $(cat /tmp/log)"
# Nanoseconds on a processor, one an instruction.
awk '{ print $1 }' "/proc/$daemon/schedstat" >"$DEVRING_OUT/instructions"
