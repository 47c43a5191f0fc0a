#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hotplug-changes.sh [PART...]: runs in the guest: what changes while devringd, udevd or a reader does not look, and
# who is who after it; each part alone, if they are named. TAP without a plan; the number of the last result goes to
# DEVRING_OUT/tap-count.
set -euo pipefail
. "$DEVRING_TOP/tests/e2e/hotplug-lib.sh"
[ $# != 0 ] || set -- identity flapping restarts top gaps udevd_ends early_boot

printf '[devringd]\nlinger_ms = 200\n[hotplug]\nudev_timeout_ms = 60000\n' >$conf
load_all
emulate bulk-camera --name cam --serial CAM --product-id a001 --size 160x120 --port 0 --unplugged \
	bulk-camera --name other --serial OTHER --product-id a002 --size 160x120 --port 1 --unplugged \
	bulk-camera --name bare --serial - --product-id a003 --size 160x120 --port 2 --unplugged
udevadm settle
start

# comes SINCE TEXT: as happens, but ends it all if it does not.
comes() {
	wait_for 180 grep_after $events "$@" && return 0
	tail -n 20 $log $events /tmp/usbemu.out >&2
	guest_die "no $2"
}
# plugged NAME [PORT]: it comes, and so does its camera; in `record` is what was told of that.
plugged() {
	local since
	since=$(lines $events)
	usb plug "$@"
	comes "$since" '"camera.connected","action":"add"'
	record=$(tail -n +$((since + 1)) $events | grep '"camera.connected","action":"add"' | tail -n 1)
}
unplugged() {
	local since
	since=$(lines $events)
	usb unplug "$1"
	comes "$since" '"usb.detach","action":"remove"'
}
member() { python3 -c 'import json, sys; print(json.loads(sys.argv[2])[sys.argv[1]])' "$1" "$record"; }
# sums SINCE TOPIC: adds, removals and flaps.
sums() { "$here/hotplug.py" told $events "$@"; }

# is_read DEVICE EMULATED: what is read by that name is this one.
is_read() {
	local before
	before=$(count "^streaming $2\$" /tmp/usbemu.out)
	timeout 60 devringctl cat --frames 1 "$1" >/dev/null &&
		wait_for 60 more "^streaming $2\$" /tmp/usbemu.out "$before"
}

identity() {
	local cam other node bare
	progress "identity"
	plugged cam
	cam=$(member device) node=$(member node)
	plugged other
	other=$(member device)
	check "two cameras have two names" fails test "$cam" = "$other"
	unplugged cam
	unplugged other
	plugged other
	check "in another order: the other has the node that one had" same "$node" "$(member node)"
	check "and its own name" same "$other" "$(member device)"
	plugged cam
	check "and so has the one" same "$cam" "$(member device)"
	check "it is the one that is read by this name" is_read "$cam" cam
	check "and the other by the other" is_read "$other" other
	unplugged cam
	unplugged other

	plugged bare
	bare=$(member device)
	check "without serial number the port is its identity" \
		grep -Eq "^$bare [^ ]*$(member port_path)" $state/names
	unplugged bare
	plugged bare
	check "at the same port: the same name" same "$bare" "$(member device)"
	unplugged bare
	plugged bare 3
	check "at another port: another name" fails test "$bare" = "$(member device)"
	unplugged bare
	plugged bare 2
	check "at the first one again: the first name" same "$bare" "$(member device)"
	unplugged bare
}

interface_of() { basename /sys/bus/usb/drivers/uvcvideo/*:1.0; }
bind() { echo "$2" >"/sys/bus/usb/drivers/uvcvideo/$1" 2>/dev/null; }
# Its driver leaves it and takes it again, as fast as that goes, then as fast as udevd follows. Who has the node open
# keeps the driver from taking it for a while.
flaps_at_once() {
	local n
	for n in {1..55}; do
		bind unbind "$1" || true
		sleep 0.02
		wait_for 30 bind bind "$1" || return 1
		[ $n -le 50 ] || udevadm settle --timeout=60
		sleep 0.02
	done
}
# in_and_out MILLISECONDS: each time that the kernel sees the camera come is told, alone or as a flap.
in_and_out() {
	local counter sums since adds
	"$here/hotplug.py" adds "${interface%:*}" >/tmp/adds &
	counter=$!
	wait_for 60 grep -q ready /tmp/adds
	since=$(lines $events)
	adds=$(count "^plugged cam" /tmp/usbemu.out)
	usb flap cam 10 "$1"
	wait_for 120 more "^plugged cam" /tmp/usbemu.out $((adds + 9)) || true
	sleep 5
	udevadm settle --timeout=120
	kill -TERM $counter
	wait $counter || true
	kernel=$(tail -n 1 /tmp/adds)
	check "10 times in and out with $1 ms: in the end it is as /sys says" settles
	sums=$(sums "$since" usb)
	echo "# the kernel had $kernel; adds, removals and flaps told: $sums"
	# shellcheck disable=SC2317 # it is for check
	each() {
		same "$kernel" "$(($(cut -d' ' -f1 <<<"$sums") + ${sums##* }))" ||
			{ tail -n +$((since + 1)) $events | grep '"usb\.'; return 1; }
	}
	check "each time is told, alone or as a flap" each
}

flapping() {
	local since interface sums kernel=0 pause
	progress "flapping"
	plugged cam
	interface=$(interface_of)
	udevadm settle
	# So that all that follows one after the other is a flap, however slow this machine is.
	drop_in 50-debounce '[hotplug]\ndebounce_ms = 10000'
	reload
	since=$(lines $events)
	flaps_at_once "$interface"
	check "another node after 20 ms, 50 times: in the end it is as /sys says" settles
	flaps_are_told() { sums=$(sums "$since" camera) && [ "${sums##* }" -gt 0 ]; }
	wait_for 60 flaps_are_told || true
	rm $conf.d/50-debounce.conf
	reload
	sums=$(sums "$since" camera)
	echo "# adds, removals and flaps told: $sums"
	check "and flaps are told of the camera" test "${sums##* }" -gt 0
	check "nothing is told of its USB device, which stayed" same "0 0 0" "$(sums "$since" usb)"
	check "and it is read" is_read "$(member device)" cam
	unplugged cam

	# A hub looks at what is plugged in for 100 ms, and more on a busy machine.
	for pause in 300 1000 3000; do
		[ "$kernel" -gt 1 ] || in_and_out $pause
	done
	check "the kernel saw more than one of ten" test "$kernel" -gt 1
	check "and the camera works" is_read "$(member device)" cam
	unplugged cam
}

restarts() {
	local signal
	for signal in TERM KILL; do
		progress "changes between SIG$signal and a start"
		plugged cam
		plugged bare
		kill -$signal "$daemon"
		wait "$daemon" || true
		usb unplug cam
		usb unplug bare
		usb plug bare
		usb plug other 0
		udevadm settle
		start
		check "SIG$signal: one went, another came to its place, a third is anew: it is as /sys says" settles
		record=$(grep '"camera.connected","action":"add".*"product_id":"a002"' $events | tail -n 1)
		check "what came is told as there at the start" same True "$(member present_at_start)"
		check "and read" is_read "$(member device)" other
		record=$(grep '"camera.connected","action":"add".*"product_id":"a001"' $events | tail -n 1)
		check "what went is offline" is_state "$(member device)" offline
		unplugged other
		unplugged bare
	done
}

top() {
	local device slow fast
	progress "top"
	plugged cam
	device=$(member device)
	devringctl cat "$device" >/dev/null &
	fast=$!
	"$here/reader.py" "/dev/devrings/$device" 0 >/tmp/slow &
	slow=$!
	wait_for 60 grep -q ^frame /tmp/slow || guest_die "$device delivers nothing"
	kill -STOP $slow
	# More than the ring has.
	sleep 3
	devringctl top --json -n 2 --watch 2 >/tmp/top.json
	devringctl top -b -n 2 --watch 2 >/tmp/top
	sed 's/^/# /' /tmp/top
	rows() {
		python3 - "$device" $slow $fast <<-'END'
			import json, sys
			name, slow, fast = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
			text, at, rounds = open("/tmp/top.json").read(), 0, []
			while text[at:].strip():
			    one, end = json.JSONDecoder().raw_decode(text[at:].lstrip())
			    rounds.append(one)
			    at = len(text) - len(text[at:].lstrip()) + end
			device = {d["device"]: d for d in rounds[-1]["devices"]}[name]
			readers = {r["pid"]: r for r in device["readers"]}
			assert device["fps"] > 0 and device["age_seconds"] < 2.5, device
			assert readers[fast]["fps"] > 0 and readers[fast]["age_seconds"] < 2.5, readers
			assert readers[slow]["fps"] == 0 and readers[slow]["lag"] > 16, readers
		END
	}
	check "top: a camera that streams has a rate, and who reads it" rows
	table() {
		awk -v device="$device" -v fast=$fast '
			$1 == "DEVICE" { round++; age = index($0, "AGE"); fps = index($0, "FPS"); next }
			round == 2 && $1 == device && ($3 == fast || $2 ~ /^\(/) {
				rows++
				good += substr($0, fps) + 0 > 0 && substr($0, age) ~ /^[0-9.]+s /
			}
			END { exit !(rows == 2 && good == 2) }' /tmp/top
	}
	check "and so says the table, with ages" table
	kill -CONT $slow
	lost() {
		devringctl top --json -n 1 >/tmp/top.json &&
			grep -Eq "\"pid\":$slow,[^}]*\"lost\":[1-9]" /tmp/top.json
	}
	check "top: who stood still has lost frames" wait_for 60 lost
	kill $slow $fast
	wait $slow $fast || true
	unplugged cam
}

gaps() {
	local interface slow n newest oldest
	progress "gaps"
	unfollow
	drop_in 50-small '[hotplug]\nhistory = 16'
	stop
	start
	plugged cam
	interface=$(interface_of)
	devringctl events --follow --json >/tmp/slow.json 2>/dev/null &
	slow=$!
	wait_for 60 test -s /tmp/slow.json || guest_die "no events"
	sleep 1
	kill -STOP $slow
	for n in {1..20}; do
		usb unplug cam
		wait_for 60 fails test -e "/sys/bus/usb/devices/${interface%:*}" || guest_die "cam stays"
		plugged cam
	done
	check "(who went on sees no gap)" fails grep -q '"topic":"gap"' $events
	kill -CONT $slow
	check "20 cycles while it stood still: a follower sees the gap" \
		says '^\{.*"topic":"gap","lost":[1-9]' /tmp/slow.json
	same_end() { same "$(tail -n 1 $events)" "$(tail -n 1 /tmp/slow.json)"; }
	check "and what came last" wait_for 60 same_end
	kill $slow
	wait $slow || true

	timeout 60 "$here/reader.py" /dev/devrings/hotplug 1 >/tmp/newest || true
	newest=$(sed -n 's/^frame \([0-9]*\) .*/\1/p' /tmp/newest)
	from() { timeout 60 "$here/reader.py" /dev/devrings/hotplug "$2" /tmp/payload "$1" >/tmp/from; }
	sequence() {
		from $((newest - 5)) 6 && same "$(seq $((newest - 5)) "$newest")" \
			"$(sed -n 's/^frame \([0-9]*\) .*/\1/p' /tmp/from)" &&
			same 6 "$(count "^frame .* lost 0 " /tmp/from)" &&
			same "$(tail -n 6 $events)" "$(cat /tmp/payload)" ||
			{ cat /tmp/from; return 1; }
	}
	check "from a sequence number on: these records, and none is lost" sequence
	overwritten() {
		from 1 16 || true
		oldest=$(sed -n 's/^frame \([0-9]*\) .*/\1/p' /tmp/from | sed -n 1p)
		[ "$oldest" -gt 1 ] && [ "$oldest" -gt $((newest - 20)) ] &&
			grep -q "^frame $oldest .* lost $((oldest - 1)) " /tmp/from ||
			{ cat /tmp/from; return 1; }
	}
	kept() {
		devringctl events --json >/tmp/kept.json && n=$(lines /tmp/kept.json) &&
			[ "$n" -ge 16 ] && [ "$n" -le 18 ] &&
			same "$(tail -n "$n" $events)" "$(cat /tmp/kept.json)" || { echo "$n are kept"; return 1; }
	}
	check "history = 16: the last 16 are kept, and hardly more" kept
	check "from one that is not kept any more: the oldest, and how many were lost" overwritten
	unplugged cam
	unfollow
	rm $conf.d/50-small.conf
	stop
	start
	timeout 60 "$here/reader.py" /dev/devrings/hotplug 1 >/tmp/newest || true
	check "history is 1024 by default: there is room for these" \
		test "$(sed -n 's/^generation .* slots \([0-9]*\) .*/\1/p' /tmp/newest)" -ge 1024
}

udevd_ends() {
	local since started
	progress "udevd ends"
	drop_in 60-udev '[hotplug]\nudev_timeout_ms = 5000'
	reload
	since=$(lines $log)
	started=$(lines $events)
	end_udevd
	usb plug cam
	check "udevd ended in order: the kernel's events count" told "$since" "hardware is found by: kernel"
	check "a USB device is told" happens "$started" '"usb.attach","action":"add"'
	since=$(lines $log)
	started=$(lines $events)
	start_udevd_again
	check "udevd is back: it counts again" told "$since" "hardware is found by: udev"
	check "and the camera, which has its permissions now, is there" settles
	rm $conf.d/60-udev.conf
	reload
	unplugged cam
}

early_boot() {
	local since
	progress "early boot"
	unfollow
	stop
	end_udevd
	rm -rf /run/udev/control /run/udev/data /run/udev/tags
	usb plug cam
	wait_for 60 test -e /dev/video0 || guest_die "cam makes no /dev/video0"
	# As it is before udevd looked at it for the first time.
	chown root:root /dev/video0 && chmod 600 /dev/video0
	since=$(lines $log)
	start
	check "before udevd: devringd runs by the kernel's events" told "$since" "no udevd runs"
	since=$(lines $log)
	start_udevd_again
	check "udevd comes: it counts" told "$since" "hardware is found by: udev"
	check "and what was there is there" settles
	plugged other 1
	check "what comes is told by udevd" same udev "$(member source)"
	unplugged other
	check "it is read" is_read "$(sed -n 's/ .*CAM-0$//p' $state/names)" cam
	unplugged cam
	check "and nothing is left" settles
}

for part in "$@"; do
	$part
done
stop
finish
