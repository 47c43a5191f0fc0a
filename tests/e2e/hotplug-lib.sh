# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Sourced by the hotplug tests in the guest: devringd, the emulator, and a reader of its events.

. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"
tap_count=${DEVRING_TAP_COUNT:-0}
cd /tmp

here=$DEVRING_TOP/tests/e2e
usbemu=$build/tests/usbemu
conf=/tmp/devringd.conf state=/tmp/state log=/tmp/devringd.log control=/tmp/usbemu events=/tmp/events.json
as=(setpriv --reuid=devring --regid=devring "--groups=devring,video,audio" --ambient-caps=-all)
daemon='' follower=''
: >$log
: >$events

# start [OPTION...]: devringd with $conf; back when it is ready, and its events are followed.
start() {
	local ready
	ready=$(count ": ready\$" $log)
	"${as[@]}" devringd -c $conf -s $state "$@" 2>>$log &
	daemon=$!
	wait_for 60 more ": ready\$" $log "$ready" || guest_die "devringd does not start: $(cat $log)"
	[ -n "$follower" ] || follow
}

stop() {
	local status=0
	kill -TERM "$daemon"
	wait "$daemon" || status=$?
	return $status
}

follow() {
	devringctl events --follow --json >$events 2>/tmp/follow.err &
	follower=$!
	wait_for 60 test -s $events || guest_die "no events: $(cat /tmp/follow.err)"
}

# emulate KIND...: an emulator of unplugged devices, which answers.
emulate() {
	"$usbemu" --control $control "$@" >/tmp/usbemu.out 2>/tmp/usbemu.log &
	emulator=$!
	wait_for 60 usb stats || guest_die "no emulator: $(cat /tmp/usbemu.log)"
}

usb() { "$usbemu" send $control "$@" >/dev/null; }
count() { grep -Ec -- "$1" "$2" || true; }
more() { [ "$(count "$1" "$2")" -gt "$3" ]; }
says() { wait_for 60 grep -Eq -- "$1" "$2" || { tail -n 20 "$2"; return 1; }; }
lines() { wc -l <"$1"; }
grep_after() { grep -Eq -- "$3" <<<"$(tail -n +"$(($2 + 1))" "$1")"; }
# told SINCE TEXT: the log has it after that many lines. happens SINCE TEXT: likewise the events.
told() { wait_for 60 grep_after $log "$@" || { tail -n +"$(($1 + 1))" $log; return 1; }; }
happens() { wait_for 60 grep_after $events "$@" || { tail -n +"$(($1 + 1))" $events; return 1; }; }
silent() { fails grep_after $events "$@"; }

drop_in() {
	mkdir -p $conf.d
	printf '%b\n' "$2" >"$conf.d/$1.conf"
}

# reload: the configuration is read again, and was right.
reload() {
	local since
	since=$(lines $log)
	kill -HUP "$daemon"
	told "$since" "configuration read again"
}

# What the records add up to is what the kernel has.
agrees() {
	"$here/hotplug.py" fold $events >/tmp/folded && "$here/hotplug.py" sysfs >/tmp/sysfs &&
		cmp -s /tmp/folded /tmp/sysfs
}
settles() { wait_for "${1:-60}" agrees || { diff /tmp/sysfs /tmp/folded; return 1; }; }

device_state() { cat "$(dirname "$(grep -lx "$1" /sys/class/devring/*/name)")/state"; }
is_state() { wait_for 60 state_now "$@" || { device_state "$1"; return 1; }; }
state_now() { grep -q "^$2" <<<"$(device_state "$1")"; }

# So that nothing reads what devringd publishes.
unfollow() {
	local status=0
	kill "$follower"
	wait "$follower" || status=$?
	[ $status = 143 ] || guest_die "devringctl events --follow ended with $status"
	follower=''
}

# plug_cycles CYCLES: the emulator's cam comes and goes, when the ring is small. In $status is what hotplug.py said.
plug_cycles() {
	local rss grown
	progress "$1 cycles"
	drop_in 50-small '[hotplug]\nhistory = 64'
	stop
	start
	usb plug cam
	wait_for 60 test -e /dev/video0 || guest_die "cam makes no /dev/video0"
	usb unplug cam
	sleep 1
	rss=$(memory Rss)
	status=0
	"$here/hotplug.py" cycles $control cam "$1" || status=$?
	check "$1 cycles: each arrival and departure has its record" fails test $status = 1
	grown=$(($(memory Rss) - rss))
	echo "# grown by $grown kB of $rss kB"
	check "grown by less than 1 MB" below $grown 1024
}

# Not killed: it leaves no control socket behind.
end_udevd() { udevadm control --exit && wait_for 60 fails pgrep -x systemd-udevd || guest_die "udevd does not end"; }
start_udevd_again() {
	/lib/systemd/systemd-udevd --daemon
	udevadm trigger --type=subsystems --action=add
	udevadm trigger --type=devices --action=add
	udev_settles
}
udev_settles() { udevadm settle --timeout=1200 || guest_die "udevd does not come to an end"; }

# The last command: where the next script goes on to count, and the log of what failed.
finish() {
	echo $tap_count >"$DEVRING_OUT/tap-count"
	[ $tap_failed = 0 ] || { tail -n 200 $log | sed 's/^/# /'; return 1; }
}

load_all() {
	load_devring
	load_vhci
	modprobe -a uvcvideo snd-usb-audio
	start_udevd
}

exec 3>&1
