#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: when the module can be unloaded, and when not. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

register=$DEVRING_TOP/tests/e2e/register.py
persist=1 holder=
cd /tmp

# What is refused must be refused for the module's use, and leave it as it was.
is_refused() {
	fails rmmod devring 2>message && grep -qi "in use" message || { cat message; return 1; }
	[ -c /dev/devring ] && grep -q '^devring ' /proc/modules
}
is_gone() { ! [ -e /sys/module/devring ] && ! compgen -G '/dev/devring*' >/dev/null; }
unloads() { rmmod devring && is_gone; }

# start COMMAND...: in the background, until it printed a line; `let_go` ends it.
start() {
	: >said
	"$@" >said &
	holder=$!
	wait_for 60 test -s said || guest_die "$* says nothing"
}
let_go() {
	kill "$holder"
	wait "$holder" 2>/dev/null || true
}

# map_only NODE [RING]: a map of the header page, or of the ring, and no descriptor.
map_only() {
	exec python3 - "$@" <<-'PYTHON'
		import ctypes, mmap, os, signal, struct, sys
		fd = os.open(sys.argv[1], os.O_RDONLY)
		at, size = 0, 4096
		if len(sys.argv) > 2:
		    at, size = struct.unpack_from("=QQ", os.pread(fd, 4096, 0), 64 + 16)
		if len(sys.argv) > 2 and not size:
		    sys.exit("there is no ring")
		# Python's own map would keep a descriptor.
		libc = ctypes.CDLL(None, use_errno=True)
		libc.mmap.restype = ctypes.c_void_p
		libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
		where = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, fd, at)
		if where == ctypes.c_void_p(-1).value:
		    sys.exit(os.strerror(ctypes.get_errno()))
		os.close(fd)
		ctypes.string_at(where, 16)
		print("mapped", flush=True)
		signal.pause()
	PYTHON
}
hold_open() { exec python3 -c 'import os, signal, sys
fd = os.open(sys.argv[1], int(sys.argv[2]))
print("open", flush=True)
signal.pause()' "$1" "$2"; }
has_device() { grep -qx "$1" /sys/class/devring/*/name; }
# There is no udevd here: the node of a device, from its name.
node_of() { sed 's|.*/class/devring/|/dev/|; s|/name$||' <<<"$(grep -lx "$1" /sys/class/devring/*/name)"; }

load_devring
check "what nobody uses unloads" unloads
load_devring
start hold_open /dev/devring 0
check "refused while the control node is open" is_refused
let_go
start "$register" 0 other lease - -
check "refused while a device has its producer" is_refused
let_go
check "unloads when the producer is gone" unloads

load_devring
start "$register" $persist other kept - -
read -r minor _ <said
node=/dev/devring$minor
let_go
wait_for 30 grep -q offline "/sys/class/devring/devring$minor/state" || guest_die "it is not offline"
start hold_open "$node" 0
check "refused while a reader has a device open" is_refused
let_go
start map_only "$node"
check "refused while a header page is mapped, without a descriptor" is_refused
let_go
for each in 2 3 4; do
	"$register" $persist other "kept$each" - - >/dev/null &
	holder=$!
	wait_for 60 has_device "kept$each" || guest_die "kept$each is not there"
	let_go
done
check "there are four persistent devices" same 4 "$(find /sys/class/devring -name 'devring[0-9]*' | wc -l)"
check "unloads with persistent devices only, and takes them along" unloads

load_devring
echo frame | devringctl write --name ring --persist --keep-history --lines || guest_die "there is no ring"
start map_only "$(node_of ring)" ring
check "refused while a ring is mapped, without a descriptor" is_refused
let_go
while echo frame; do sleep 0.05; done 2>/dev/null | devringctl write --name flow --lines &
writer=$!
wait_for 60 has_device flow || guest_die "flow is not there"
start devringctl cat --format raw "$(node_of flow)"
check "refused while frames flow" is_refused
let_go
kill $writer
wait $writer 2>/dev/null || true
check "unloads with a persistent device that has a ring" unloads
tap_end
