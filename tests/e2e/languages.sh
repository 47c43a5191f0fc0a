#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: the example in every language, all at once, on one device whose frames count. Its
# producer is killed and another one comes; then all readers are stopped while more frames are committed
# than the ring holds. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

# shellcheck disable=SC2034 # tap.sh counts on
tap_count=${DEVRING_TAP_COUNT:-0}
examples=$DEVRING_TOP/docs/examples
built=$build/examples
slots=40
mkdir /tmp/work
cd /tmp/work
mkfifo numbers
exec 9<>numbers
load_devring

declare -A run=(
	[C]="$built/frames-c" [C++]="$built/frames-cpp" [Python]="python3 $examples/frames.py"
	[Go]="$built/frames-go" [Rust]="$built/frames-rs" [Node.js]="node $examples/frames.js"
	[Java]="java -Xshare:auto -XX:TieredStopAtLevel=1 -cp $built/frames-java Frames"
	[shell]="sh $examples/frames.sh"
)
declare -A pids
all=(C C++ Python Go Rust Node.js Java shell)

node=/dev/devring0
device=/sys/class/devring/devring0
value_is() { [ "$(cat "$device/$1")" = "$2" ]; }
lines_of() { grep -c '^frame' "out.$1" || true; }
all_have() {
	local name
	for name in "${all[@]}"; do [ "$(lines_of "$name")" -ge "$1" ] || return 1; done
}
ended() { ! kill -0 "$1" 2>/dev/null; }
# Only the readers that are still there.
signal() {
	local name
	for name in "${all[@]}"; do kill "-$1" "${pids[$name]}" 2>/dev/null || true; done
}
produce() { devringctl write count --lines --slots $slots <numbers & producer=$!; }
die_with_outputs() {
	tail -n 5 out.*
	guest_die "$*"
}

# What the reader of a language printed: 60 frames with their contents, and what was lost in between.
judge() {
	python3 - "$1" "out.$1" <<'END'
import re, sys
name, path = sys.argv[1:]
text = open(path).read()
frames = [tuple(map(int, f)) for f in re.findall(r"^frame (\d+): (\d+) bytes, (\d+) lost", text, re.M)]
sums = [int(s) for s in re.findall(r"^frame .* sum (\d+)$", text, re.M)]
payloads = {f[0]: b"%d\n" % (f[0] + 1 if f[0] < 20 else f[0] - 20 + 1001) for f in frames}
assert len(frames) == 60, f"{len(frames)} frames"
assert [f[0] for f in frames[:40]] == list(range(40)), "it begins with other frames"
for before, now in zip(frames, frames[1:]):
    assert now[0] == before[0] + 1 + now[2], f"{before} and {now} do not add up"
assert any(f[2] for f in frames[40:]), "nothing was lost, though it was stopped"
for frame in frames:
    assert frame[1] == len(payloads[frame[0]]), f"{frame} has another length"
assert name == "shell" or sums == [sum(payloads[f[0]]) for f in frames], "contents are not what was sent"
lost = sum(f[2] for f in frames)
assert text.endswith(f"60 frames, {lost} lost\n"), text[-60:]
assert "\nstate offline\n" in text and text.count("\nring ") >= 2, "it saw no replug"
assert re.search(r"^device count other offline$", text, re.M), "it lists no device"
END
}

devringctl register count >/dev/null
progress "starting ${#all[@]} readers"
for name in "${all[@]}"; do
	# shellcheck disable=SC2086 # words
	${run[$name]} $node >"out.$name" 2>&1 &
	pids[$name]=$!
done
wait_for 300 value_is readers ${#all[@]} || die_with_outputs "not all readers read"
progress "they wait"
produce
seq 1 20 >&9
wait_for 120 all_have 20 || die_with_outputs "not all readers got 20 frames"
progress "the producer is killed"
kill -KILL $producer
wait $producer || true
wait_for 60 value_is state offline || guest_die "the device is not offline"
produce
seq 1001 1020 >&9
wait_for 120 all_have 40 || die_with_outputs "not all readers went on"
progress "the readers are stopped"
signal STOP
seq 1021 1120 >&9
wait_for 60 value_is head 140 || guest_die "the producer was stalled by its readers"
signal CONT
for name in "${all[@]}"; do
	wait_for 120 ended "${pids[$name]}" || kill -KILL "${pids[$name]}"
	status=0
	wait "${pids[$name]}" || status=$?
	check "$name ends well" same 0 $status
	check "$name: each frame, each loss, over a replug" judge "$name"
done
check "no reader is left" wait_for 60 value_is readers 0
for name in "${all[@]}"; do
	# shellcheck disable=SC2086 # words
	check "$name fails where there is no device" fails ${run[$name]} /dev/devring9
done
kill $producer
wait $producer || true
tap_end
