#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: devringd with real drivers. TAP without a plan; the number of the last result
# goes to DEVRING_OUT/tap-count.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

tap_count=${DEVRING_TAP_COUNT:-0}
here=$DEVRING_TOP/tests/e2e
usbemu=$build/tests/usbemu
conf=/tmp/devringd.conf state=/tmp/state log=/tmp/devringd.log control=/tmp/usbemu events=/tmp/events
# As its unit has it.
as=(setpriv --reuid=devring --regid=devring "--groups=devring,video,audio")
daemon=
cd /tmp

# start [VARIABLE=VALUE|- [OPTION...]]: devringd with $conf; back when it is ready.
start() {
	local ready variable=${1:--}
	[ $# = 0 ] || shift
	ready=$(count ready $log)
	[ "$variable" != - ] || variable=TZ=UTC
	env NOTIFY_SOCKET=/tmp/notify "$variable" "${as[@]}" devringd -c $conf -s $state "$@" 2>>$log &
	daemon=$!
	wait_for 60 more ready $log "$ready" || guest_die "devringd does not start: $(cat $log)"
	udevadm settle --timeout=60 || true
}

stop() {
	local status=0
	kill -TERM "$daemon"
	wait "$daemon" || status=$?
	return $status
}

count() { grep -Ec -- "$1" "$2" || true; }
more() { [ "$(count "$1" "$2")" -gt "$3" ]; }
says() { wait_for 60 grep -Eq -- "$1" "$2" || { tail -n 30 "$2"; return 1; }; }
# told SINCE TEXT: devringd's log has it after that many lines.
told() { wait_for 60 grep_after "$@" || { tail -n +"$(($1 + 1))" $log; return 1; }; }
grep_after() { grep -Eq -- "$2" <<<"$(tail -n +"$(($1 + 1))" $log)"; }
lines() { wc -l <"$1"; }

# read_frames NAME FRAMES [PAYLOAD]: all good, none unaccounted for.
read_frames() { timeout 120 "$here/reader.py" "/dev/devrings/$1" "${@:2}" >/tmp/frames; }
good_frames() {
	read_frames "$@" && same "$2" "$(count "^frame .* good " /tmp/frames)" &&
		same "$2" "$(count "time_ok 1" /tmp/frames)"
}

# follow NAME [PAYLOAD]: a reader in the background; sets `reader`, and its lines go to /tmp/NAME.
# Not within a check, which waits for whoever holds its output.
follow() {
	: >"/tmp/$1"
	"$here/reader.py" "/dev/devrings/$1" 0 "${@:2}" >"/tmp/$1" 2>&1 &
	reader=$!
}
unfollow() {
	kill "$reader"
	wait "$reader" || true
}
# goes_on NAME [GENERATION]: more good frames come (of that generation), and none is wrong.
goes_on() {
	local before pattern="^frame .* good .* generation ${2:-[0-9]+} "
	before=$(count "$pattern" "/tmp/$1")
	wait_for 60 more "$pattern" "/tmp/$1" $((before + 5)) && same 0 "$(count " bad " "/tmp/$1")" ||
		{ tail -n 20 "/tmp/$1"; return 1; }
}
state_is() { same "$2" "$(grep ^state "/tmp/$1" | tail -n 1 | cut -d' ' -f2)"; }

# Only one can stream from a V4L2 node: who else gets EBUSY shows that devringd does.
# (v4l2-ctl exits with 0 all the same, so its file tells.)
# can_stream [NODE], is_busy [NODE]
can_stream() {
	rm -f /tmp/one
	timeout 30 v4l2-ctl -d "${1:-/dev/video0}" --stream-mmap --stream-count=1 --stream-to=/tmp/one \
		>/tmp/v4l2 2>&1 && test -s /tmp/one
}
is_busy() { fails can_stream "$@" && grep -q "busy" /tmp/v4l2; }
closed() { wait_for 60 can_stream; }
pcm_status() { head -n 1 "/proc/asound/Loopback/$1/sub0/status"; }
pcm_is_closed() { [ "$(pcm_status "$1")" = closed ]; }

camera1_sysfs() { dirname "$(grep -lx camera1 /sys/class/devring/*/name)"; }
usb() { "$usbemu" send $control "$@" >/dev/null; }
has_device() { grep -qx "$1" /sys/class/devring/*/name; }

# refuses_config WORDS TEXT: exit status 2 and a sentence with file and words.
refuses_config() {
	local status=0
	printf '%b\n' "$2" >/tmp/bad.conf
	devringd -n -c /tmp/bad.conf 2>/tmp/sentence || status=$?
	same 2 $status && grep -q "/tmp/bad.conf:$1" /tmp/sentence || { cat /tmp/sentence; return 1; }
}

drop_in() {
	mkdir -p $conf.d
	printf '%b\n' "$2" >"$conf.d/$1.conf"
}
reload() {
	kill -HUP "$daemon"
}

exits() {
	local wanted=$1 status=0
	shift
	timeout 60 "$@" >/tmp/sentence 2>&1 || status=$?
	same "$wanted" $status || { cat /tmp/sentence; return 1; }
}

exec 3>&1

no_module() { exits 6 devringd -c $conf -s $state && grep -q "modprobe devring" /tmp/sentence; }
second() { exits 5 devringd -c $conf -s $state && grep -q -- --takeover /tmp/sentence; }
unprivileged() {
	chmod 644 $conf && mkdir -p /tmp/nobody && chmod 777 /tmp/nobody &&
		exits 4 setpriv --reuid=65534 --regid=65534 --clear-groups env \
			LD_LIBRARY_PATH="$LD_LIBRARY_PATH" "$build/bin/devringd" -c $conf -s /tmp/nobody &&
		grep -q "group devring" /tmp/sentence
}

printf '[devringd]\nchecksum = yes\nlinger_ms = 1000\nretry_ms = 200\n' >$conf
check "without the module it ends with 6 and says what to load" no_module
load_devring
load_vhci
modprobe uvcvideo
modprobe snd-usb-audio
start_udevd
load_vivid
load_aloop
udevadm settle
"$here/notified.py" /tmp/notify >/tmp/notified &
wait_for 60 test -S /tmp/notify
"$usbemu" --control $control bulk-camera --name usbcam --serial SECRET1 --product "Emulated Cam" \
	--vendor-id 1d6b --product-id 0104 --size 320x240 --unplugged >$events 2>/tmp/usbemu.log &
wait_for 60 usb stats || guest_die "no emulator: $(cat /tmp/usbemu.log)"
: >$log

progress "configuration"
check "--check-config accepts what is right" devringd -n -c "$DEVRING_TOP/userspace/devringd/devringd.conf"
check "a wrong key: file, line, key, remedy" refuses_config \
	"3: unknown key 'formts' in \[camera\]; did you mean 'formats'" '#\n[camera]\nformts = YUYV'
check "a wrong number: its limits" refuses_config "2: slots = '2' .* 3 to 4096" '[camera]\nslots = 2'
check "a wrong section: those there are" refuses_config "1: unknown section \[camra\]" '[camra]'
check "a line that is none" refuses_config "2: .*KEY = VALUE" '[camera]\nnonsense'
check "an unknown option ends with 2" exits 2 devringd --nonsense
check "a config that is missing ends with 2" exits 2 devringd -c /tmp/none.conf
check "without permission it ends with 4" unprivileged

progress "start"
start
check "it tells systemd that it is ready" says "^READY=1" /tmp/notified
check "it tells systemd how many devices there are" says "^STATUS=2 devices" /tmp/notified
check "a second one ends with 5" second
check "the camera is camera0" says '^camera0 platform-vivid.0-video0$' $state/names
check "the microphone is microphone0" says '^microphone0 platform-snd_aloop.0-pcm1c$' $state/names
check "links by hardware" test -e /dev/devrings/by-id/platform-vivid.0-video0
check "it has one thread" grep -q '^Threads:.1$' "/proc/$daemon/status"
check "nothing streams before there is a reader" can_stream
check "without a ring: Rss below 10 MB" below "$(memory Rss)" 10240
check "without a ring: Private_Dirty below 3 MB" below "$(memory Private_Dirty)" 3072
echo "# Rss $(memory Rss) kB, Private_Dirty $(memory Private_Dirty) kB"
check "it sleeps while nothing happens, without watchdog" rests 0 5
check "and no timer is set that would wake it" no_timer

progress "camera"
check "20 frames with the right checksums" good_frames camera0 20
check "it is free after that" closed
follow camera0
says ^frame /tmp/camera0
check "the node is busy while it is read" is_busy
unfollow
check "it is free again after that" closed
frames_again() { good_frames camera0 5 && grep -q "generation 1 " /tmp/frames; }
check "a second reader finds the same ring" frames_again
two_readers() {
	"$here/reader.py" /dev/devrings/camera0 20 >/tmp/other &
	local other=$!
	good_frames camera0 20 && wait $other && same 20 "$(count "^frame .* good " /tmp/other)"
}
check "two readers at once" two_readers
copies() {
	local since
	since=$(lines $log)
	drop_in 10-memory '[device camera0]\nmemory = mmap' && reload && told "$since" "read again" &&
		good_frames camera0 20 && grep_after "$since" "copied into slots" &&
		rm $conf.d/10-memory.conf && reload
}
check "frames go straight into slots where the driver can" grep -q "camera0: .*straight into slots" $log
check "and are copied where that is asked for" copies

progress "microphone"
python3 -c 'import sys
for i in range(48000 * 4): sys.stdout.buffer.write((i % 65521).to_bytes(2, "little") * 2)' >pattern
# matches RECORDED: a second and a half of the pattern is in it, unbroken.
matches() {
	python3 - "$1" <<-'END'
		import sys
		got = open(sys.argv[1], "rb").read()
		pattern = open("pattern", "rb").read()
		size = 48000 * 4 * 3 // 2
		start = got.find(pattern[48000:48000 + 400])
		sys.exit(start < 0 or got[start:start + size] != pattern[48000:48000 + size])
	END
}
hears() {
	: >/tmp/heard.log
	timeout 120 "$here/reader.py" /dev/devrings/microphone0 400 /tmp/heard >/tmp/heard.log &
	local reader=$! status=0
	says ^frame /tmp/heard.log
	aplay -q -D hw:Loopback,0,0 -t raw -f S16_LE -r 48000 -c 2 pattern 2>/tmp/aplay || true
	wait $reader || status=$?
	[ $status = 0 ] && same 400 "$(count "^frame .* good .* time_ok 1 " /tmp/heard.log)" &&
		matches /tmp/heard
}
# A guest that is starved of time breaks the sound, not the promise: one unbroken run will do.
in_three_tries() { "$@" || "$@" || "$@"; }
check "samples arrive unchanged, with the right checksums" in_three_tries hears
check "the sound card is closed after that" wait_for 60 pcm_is_closed pcm1c
overrun() {
	goes_on microphone0 || return 1
	kill -STOP "$daemon"
	sleep 2
	kill -CONT "$daemon"
	says "^frame .* flags 3 .* source_lost [1-9]" /tmp/microphone0 && goes_on microphone0
}
follow microphone0
check "an overrun is told as lost periods, and it goes on" overrun
unfollow

progress "USB"
hotplug_tells() {
	usb plug usbcam && says '"topic":"camera.connected","action":"add","device":"camera1"' \
		/tmp/hotplug.json && grep -q '"vendor_id":"1d6b","product_id":"0104"' /tmp/hotplug.json
}
follow hotplug /tmp/hotplug.json
check "a USB camera is published when it is plugged in" hotplug_tells
check "no serial number is in public events" fails grep -q SECRET1 /tmp/hotplug.json
unfollow
check "its identity is its serial number" says '^camera1 usb-1d6b:0104-SECRET1-0$' $state/names
state_table() { timeout 30 "$here/reader.py" /dev/devrings/state 1 /tmp/table.json >/tmp/state.txt; }
table_good() {
	state_table && python3 -c 'import json
t = json.load(open("/tmp/table.json"))
d = {x["name"]: x for x in t["devices"]}
assert d["camera1"]["state"] == "available" and d["camera1"]["label"].__eq__("Emulated Cam"), d' &&
		fails grep SECRET1 /tmp/table.json
}
check "the state device shows it, without serial number" table_good
check "it does not stream before it is read" same 0 "$(count "^streaming usbcam" $events)"
follow camera1
check "it streams when it is read" says "^streaming usbcam" $events
check "its frames have the right checksums" goes_on camera1
counted() {
	state_table && python3 -c 'import json
d = {x["name"]: x for x in json.load(open("/tmp/table.json"))["devices"]}
assert d["camera1"]["readers"] == 1, d'
}
check "the state device counts its reader" counted
generation=$(sed -n 's/^generation \([0-9]*\) .*/\1/p' /tmp/camera1 | tail -n 1)
usb unplug usbcam
check "unplugged: the reader is told that it is offline" wait_for 60 state_is camera1 offline
usb plug usbcam
check "plugged in again: the same reader goes on" goes_on camera1 $((generation + 1))
check "and knows that it is available" state_is camera1 available

progress "SIGKILL"
kill -KILL "$daemon"
wait "$daemon" || true
check "killed: the reader is told that it is offline" wait_for 60 state_is camera1 offline
start
check "restarted: the same reader goes on" goes_on camera1 $((generation + 2))
since=$(lines $log)
hung=$daemon
kill -STOP "$hung"
start - --takeover
check "one that hangs is replaced" says "^generation $((generation + 3)) " /tmp/camera1
# It has the camera open still; a service manager kills it, and here it wakes up.
kill -CONT "$hung"
status=0
wait "$hung" || status=$?
check "it ends with 5 when it wakes up" same 5 $status
check "and says why" told "$since" "another devringd has taken over"
check "the same reader goes on" goes_on camera1 $((generation + 3))
check "every name is as before" same "camera0 camera1 microphone0" \
	"$(sed -n 's/^\([a-z0-9]*\) .*/\1/p' $state/names | sort | xargs)"
details() {
	usb unplug usbcam && wait_for 60 grep -q offline "$(camera1_sysfs)/state" && usb plug usbcam &&
		wait_for 60 grep -q available "$(camera1_sysfs)/state" &&
		timeout 30 "$here/reader.py" /dev/devrings/hotplug 1 /tmp/newest.json >/tmp/hotplug.txt &&
		grep -q '"device_descriptor":{"bcdUSB":512,' /tmp/newest.json
}
stopped=$(count "^stopped usbcam" $events)
unfollow
check "it stops after its last reader" wait_for 60 more "^stopped usbcam" $events "$stopped"

drop_in 15-details '[hotplug]\nusb_details = yes'
reload
check "events have USB details where that is asked for" details
rm $conf.d/15-details.conf
reload

progress "preferences"
# So long that no machine is too slow to read again meanwhile; then not at all.
lingers() {
	local streaming stopped since
	since=$(lines $log)
	drop_in 17-linger '[devringd]\nlinger_ms = 300000' && reload && told "$since" "read again" || return 1
	streaming=$(count "^streaming usbcam" $events)
	stopped=$(count "^stopped usbcam" $events)
	read_frames camera1 3 && is_busy "$(echo /dev/v4l/by-id/*SECRET1-video-index0)" && read_frames camera1 3 &&
		same "$((streaming + 1)) $stopped" \
			"$(count "^streaming usbcam" $events) $(count "^stopped usbcam" $events)"
}
no_linger() {
	local streaming stopped since
	since=$(lines $log)
	drop_in 17-linger '[devringd]\nlinger_ms = 0' && reload && told "$since" "read again" || return 1
	for _ in 1 2; do
		stopped=$(count "^stopped usbcam" $events)
		streaming=$(count "^streaming usbcam" $events)
		read_frames camera1 3 && wait_for 60 more "^stopped usbcam" $events "$stopped" || return 1
	done
	same $((streaming + 1)) "$(count "^streaming usbcam" $events)"
}
check "linger_ms: who reads again soon finds it running" lingers
check "linger_ms = 0: it stops at once, and starts for each" no_linger
# prefers DEVICE CONFIG FORMAT: what its frames are then.
prefers() {
	local since
	since=$(lines $log)
	drop_in 18-prefer "$2" && reload && told "$since" "read again" && read_frames "$1" 3 &&
		devringctl info "$1" >/tmp/info && grep -Eq "^ *format .*$3" /tmp/info || { cat /tmp/info; return 1; }
}
check "formats = MJPG: a camera that has both delivers that" prefers camera1 '[camera]\nformats = MJPG' MJPG
check "formats = YUYV MJPG: the first" prefers camera1 '[camera]\nformats = YUYV MJPG' YUYV
# The larger vivid's pictures, the fewer it makes a second: 1280x720 12.5, 640x480 25, 640x360 40.
check "min_fps = 10: the largest size that has it" prefers camera0 '[camera]\nmin_fps = 10' 1280x720
check "min_fps = 20: a smaller one" prefers camera0 '[camera]\nmin_fps = 20' 640x480
check "max_size: none that is larger" prefers camera0 '[camera]\nmax_size = 640x400\nmin_fps = 10' 640x360
rm $conf.d/17-linger.conf $conf.d/18-prefer.conf
reload

progress "errors"
since=$(lines $log)
usb fault usbcam refuse
follow camera1
check "a camera that fails: its readers are told" wait_for 60 state_is camera1 error
check "and the log" told "$since" "camera1: failed"
usb fault usbcam none
check "it is tried again, and recovers" goes_on camera1
check "its readers are told" state_is camera1 available
unfollow
since=$(lines $log)
drop_in 20-refused '[device camera0]\nformats = ZZZZ'
reload
told "$since" "read again"
follow camera0
check "no allowed format: the readers are told" says "^state error errno 22" /tmp/camera0
check "and the log, with the remedy" told "$since" "camera0: .*none of the formats and sizes that the config allows"
rm $conf.d/20-refused.conf
reload
check "the config corrected: it recovers" goes_on camera0
since=$(lines $log)
drop_in 30-size '[device camera0]\nsize = 320x180\nformats = YUYV'
reload
check "SIGHUP: another size reaches the reader as another ring" says \
	"^generation [0-9]+ slots 16 slot_size 115200" /tmp/camera0
check "and its frames go on" goes_on camera0
since=$(lines $log)
drop_in 40-typo '[camera]\nfromats = YUYV'
reload
check "SIGHUP with a typo: file, line, key, remedy" told "$since" \
	"40-typo.conf:2: unknown key 'fromats'.*formats.*old configuration stays"
check "the old configuration stays in force" goes_on camera0
check "systemd is told of reloads" grep -q ^RELOADING=1 /tmp/notified
rm $conf.d/*.conf
unfollow

progress "speaker"
since=$(lines $log)
drop_in 50-speaker '[speaker]\nloopback = yes'
reload
check "SIGHUP: a speaker that is allowed now is published" wait_for 60 test -e /dev/devrings/speaker0
plays() {
	arecord -q -D hw:Loopback,0,0 -t raw -f S16_LE -r 48000 -c 2 >/tmp/recorded 2>/tmp/arecord &
	local recorder=$! status=0
	wait_for 60 test -s /tmp/recorded
	timeout 120 "$here/player.py" /dev/devrings/speaker0 pattern >/tmp/player || status=$?
	sleep 1
	kill $recorder
	wait $recorder || true
	[ $status = 0 ] && matches /tmp/recorded
}
check "what a program writes into it comes out of the card" in_three_tries plays
check "the card is closed after that" wait_for 60 pcm_is_closed pcm1p

progress "resources"
fds() { find "/proc/$daemon/fd" -type l | wc -l; }
cycles() {
	local before
	before=$(fds)
	for _ in 1 2 3 4 5; do
		usb unplug usbcam && wait_for 60 grep -q offline "$(camera1_sysfs)/state" &&
			usb plug usbcam && wait_for 60 grep -q available "$(camera1_sysfs)/state" || return 1
	done
	same "$before" "$(fds)"
}
check "five plug cycles leave no descriptor behind" cycles

# Calls of malloc and its like, counted by the kernel while frames flow.
trace=/sys/kernel/tracing
allocations() {
	local libc name offset
	libc=$(ldd "$build/bin/devringd" | awk '/libc\.so/ { print $3 }')
	for name in malloc calloc realloc; do
		offset=$(readelf -Ws "$libc" | awk -v n="$name@@" 'index($8, n) == 1 { print "0x" $2; exit }')
		echo "p:devring/$name $libc:$offset" >>$trace/uprobe_events
	done
	echo "$daemon" >$trace/set_event_pid
	echo 1 >$trace/events/devring/enable
	echo >$trace/trace
	goes_on camera0 && goes_on microphone0 && goes_on camera0
	echo 0 >$trace/events/devring/enable
	grep -Ec ': (malloc|calloc|realloc): ' $trace/trace >/tmp/allocations || true
	same 0 "$(cat /tmp/allocations)"
}
"$here/reader.py" /dev/devrings/camera0 >/tmp/camera0 &
camera_reader=$!
follow microphone0
goes_on camera0 >/dev/null || true
goes_on microphone0 >/dev/null || true
check "no allocation while frames flow" allocations
# The same probes must see a device that starts.
seen_starting() {
	echo 1 >$trace/events/devring/enable
	echo >$trace/trace
	read_frames camera1 3 || true
	echo 0 >$trace/events/devring/enable
	grep -Eq ': (malloc|calloc|realloc): ' $trace/trace
}
check "(the probe does see allocations)" seen_starting
unfollow
kill $camera_reader
wait $camera_reader || true

progress "end"
usb unplug usbcam
status=0
stop || status=$?
check "SIGTERM ends it with 0" same 0 $status
check "it tells systemd" grep -q ^STOPPING=1 /tmp/notified
check "its devices stay, offline" grep -q offline "$(dirname "$(grep -lx camera0 \
	/sys/class/devring/*/name)")/state"
start WATCHDOG_USEC=2000000
check "it pings the watchdog" says ^WATCHDOG=1 /tmp/notified
check "(then a timer is set)" fails no_timer
check "no more than a wake-up each half-period of the watchdog" rests 12 12
stop

progress "without udevd"
udevadm control --exit
wait_for 60 fails pgrep -x systemd-udevd
rm -f /run/udev/control
# Nobody sets permissions now: only root can open what comes, and it begins anew.
for file in /sys/class/devring/*/id; do
	"$here/register.py" unregister "$(cat "$file")"
done
as=(env)
state=/tmp/state-root
start
check "without udevd it uses the kernel's events" grep -q "no udevd runs" $log
usb plug usbcam
check "and finds what is plugged in" wait_for 60 has_device camera1
check "and names it" says '^camera1 usb-1d6b:0104-SECRET1-0$' $state/names
usb unplug usbcam
check "and out" wait_for 60 grep -q offline "$(camera1_sysfs)/state"
stop
"$usbemu" send $control quit >/dev/null || true
[ $tap_failed = 0 ] || sed 's/^/# /' $log
echo $tap_count >"$DEVRING_OUT/tap-count"
[ $tap_failed = 0 ]
