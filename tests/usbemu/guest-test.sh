#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: the emulated devices as the real drivers see them. TAP without a plan; the
# number of the last result goes to DEVRING_OUT/tap-count.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

tap_count=${DEVRING_TAP_COUNT:-0}
bin=$build/tests
control=/tmp/control events=/tmp/events log=/tmp/log emulator=
trap '[ -z "$emulator" ] || kill "$emulator"' EXIT
cd /tmp

start() {
	: >$events
	"$bin/usbemu" --control $control "$@" >>$events 2>>/tmp/errors &
	emulator=$!
	wait_for 60 "$bin/usbemu" send $control stats || guest_die "no emulator: $(cat /tmp/errors)"
}

finish() {
	local status=0
	kill -TERM "$emulator"
	wait "$emulator" || status=$?
	emulator=
	return $status
}

send() { "$bin/usbemu" send $control "$@"; }
event() { grep -Eq "^$1" $events; }
count() { grep -Ec "^$1" $events || true; }
reached() { [ "$(count "$1")" -ge "$2" ]; }

# The nodes of a device with this serial number, by the names that udev gives.
video() { printf '%s\n' /dev/v4l/by-id/*_"$1"-video-index0; }
has_video() { [ -c "$(video "$1")" ]; }
no_video() { ! has_video "$1"; }
has_card() { grep -q "Emulated Microphone" /proc/asound/cards; }
plug() { send plug "$1" && wait_for 120 has_video "$2"; }
unplug() { send unplug "$1" && wait_for 120 no_video "$2"; }

# capture SERIAL WIDTH HEIGHT FORMAT FRAMES FILE [how]
capture() {
	timeout 300 v4l2-ctl -d "$(video "$1")" \
		--set-fmt-video="width=$2,height=$3,pixelformat=$4" \
		--stream-"${7:-mmap}" --stream-count="$5" --stream-to="$6"
}

# ALSA gives up a read when no period came for the time of the buffer: in a slow guest one needs to
# be short and the other long.
record() {
	timeout 300 arecord -q -D hw:CARD=Microphone --buffer-time="${3:-4000000}" \
		--period-time=50000 -f S16_LE -c 1 -r "$1" -s "$1" "$2"
}

frames_good() {
	capture "$1" "$2" "$3" "$4" "$5" /tmp/frames "${6:-mmap}" &&
		"$bin/usbemu-check" frames /tmp/frames "$5"
}

samples_good() { record "$1" /tmp/sound && "$bin/usbemu-check" samples /tmp/sound "$1"; }

no_driver() {
	local status=0
	"$bin/usbemu" camera 2>message || status=$?
	same 1 $status && grep -q "modprobe vhci-hcd" message
}

stream_events() {
	local before after
	before=$(count "streaming $1")
	after=$(count "stopped $1")
	frames_good "$2" 320 240 YUYV 5 && wait_for 60 reached "stopped $1" $((after + 1)) &&
		same $((before + 1)) "$(count "streaming $1")"
}

formats() {
	v4l2-ctl -d "$(video "$1")" --list-formats-ext >list &&
		same "YUYV MJPG" "$(grep -o "'....'" list | tr -d "'" | xargs)" &&
		same 6 "$(grep -c 'Size: Discrete' list)" &&
		same 12 "$(grep -c 'Interval: Discrete' list)"
}

# Without the driver, which would round what is asked for.
negotiates() {
	local interface device node status=0
	interface=$(udevadm info -q property -n "$(video "$1")" |
		sed -n 's,^DEVPATH=.*/\(.*:1.0\)/.*,\1,p')
	device=/sys/bus/usb/devices/${interface%:*}
	echo "$interface" >/sys/bus/usb/drivers/uvcvideo/unbind
	node=$(printf '/dev/bus/usb/%03d/%03d' "$(cat "$device/busnum")" "$(cat "$device/devnum")")
	python3 "$DEVRING_TOP/tests/usbemu/negotiate.py" "$node" || status=$?
	echo "$interface" >/sys/bus/usb/drivers/uvcvideo/bind
	wait_for 120 has_video "$1" && same 0 $status
}

# v4l2-ctl ended because a call on the stream failed.
broke() { grep -Eq "BUF: failed|buf error" $log; }

unplug_mid_stream() {
	local before reader status=0
	before=$(count "streaming camera1")
	timeout 300 v4l2-ctl -d "$(video CAM1)" --stream-mmap --stream-count=100000 >"$log" 2>&1 &
	reader=$!
	wait_for 60 reached "streaming camera1" $((before + 1)) && sleep 1 &&
		unplug camera1 CAM1 && event "unplugged camera1 reason=command" || return 1
	wait $reader || status=$?
	tail -n 2 "$log"
	broke && fails test $status = 124 && no_video CAM1
}

replug() {
	local before=$1
	plug camera1 CAM1 && same "$before" "$(identity CAM1)" && frames_good CAM1 320 240 YUYV 5
}

identity() {
	udevadm info -q property -n "$(video "$1")" | grep -E '^ID_(SERIAL|PATH|MODEL|VENDOR_ID)=' |
		sort
}

host_side() {
	local port
	port=$(sed -n 's/^plugged bulk-camera1 port=//p' $events | tail -n 1)
	echo "$port" >/sys/devices/platform/vhci_hcd.0/detach &&
		wait_for 60 event "unplugged bulk-camera1 reason=host" &&
		plug bulk-camera1 BULK1
}

# The stream breaks at one call or another, which v4l2-ctl may or may not call a failure.
limited() {
	local status=0
	healthy bulk-camera1 BULK1 && unplug bulk-camera1 BULK1 &&
		send frames bulk-camera1 10 && plug bulk-camera1 BULK1 || return 1
	capture BULK1 320 240 YUYV 1000 /tmp/frames >"$log" 2>&1 || status=$?
	tail -n 2 "$log"
	[ $status != 124 ] && wait_for 60 event "unplugged bulk-camera1 reason=frames" &&
		broke && "$bin/usbemu-check" frames /tmp/frames &&
		send frames bulk-camera1 0 && plug bulk-camera1 BULK1
}

# Ten cycles faster than the drivers follow; in the end it is there and works.
flaps() {
	local before
	before=$(count "plugged bulk-camera1")
	send flap bulk-camera1 10 20 &&
		wait_for 300 reached "plugged bulk-camera1" $((before + 10)) &&
		wait_for 60 has_video BULK1 && frames_good BULK1 320 240 YUYV 3
}

fault() { send fault "$@"; }

# A capture that only ends when it is killed; its process is in reader.
watch() {
	local before
	before=$(count "streaming $1")
	: >/tmp/frames
	v4l2-ctl -d "$(video "$2")" --stream-mmap --stream-count=100000 \
		--stream-to=/tmp/frames >"$log" 2>&1 &
	reader=$!
	wait_for 120 reached "streaming $1" $((before + 1))
}

unwatch() {
	kill "$reader"
	wait "$reader" 2>/dev/null || true
}

# Whatever a test before has left behind.
healthy() {
	fault "$1" none && send frames "$1" 0 && { has_video "$2" || send unplug "$1"; } &&
		send plug "$1" && wait_for 120 has_video "$2"
}

sent() { send stats "$1" | sed 's/.* frames=\([0-9]*\).*/\1/'; }

stalls() {
	local seen before reader
	healthy "$1" "$2" && before=$(sent "$1") && seen=$(dmesg | wc -l) && fault "$1" stall:3 &&
		watch "$1" "$2" || return 1
	wait_for 120 said "$seen" "Non-zero status (-32) in video completion" || return 1
	unwatch
	same $((before + 3)) "$(sent "$1")" && fault "$1" none && frames_good "$2" 320 240 YUYV 3
}

# The driver hides what it knows to be broken, unless it was told not to (nodrop); v4l2-ctl does
# not count it, so the capture goes on until the camera works again.
short() {
	local before reader
	healthy bulk-camera1 BULK1 && fault bulk-camera1 short || return 1
	before=$(count "streaming bulk-camera1")
	timeout 300 v4l2-ctl -d "$(video BULK1)" --stream-mmap --stream-count=2 --verbose \
		>"$log" 2>&1 &
	reader=$!
	wait_for 120 reached "streaming bulk-camera1" $((before + 1)) && sleep 1 &&
		fault bulk-camera1 none && wait $reader &&
		grep -q "bytesused: 76800 .*error" $log && grep -q "bytesused: 153600" $log
}

silence() {
	local before reader
	healthy bulk-camera1 BULK1 && before=$(sent bulk-camera1) &&
		fault bulk-camera1 silence && watch bulk-camera1 BULK1 && sleep 2 || return 1
	unwatch
	fault bulk-camera1 none && same 0 "$(stat -c %s /tmp/frames)" &&
		same "$before" "$(sent bulk-camera1)"
}

corrupt() {
	healthy bulk-camera1 BULK1 && fault bulk-camera1 corrupt &&
		capture BULK1 320 240 "$1" 4 /tmp/frames &&
		fault bulk-camera1 none && fails "$bin/usbemu-check" frames /tmp/frames 2>verdict &&
		same 4 "$(grep -c 'wrong checksum' verdict)"
}

drops() {
	healthy bulk-camera1 BULK1 && fault bulk-camera1 drop:2 &&
		capture BULK1 320 240 YUYV 6 /tmp/frames &&
		fault bulk-camera1 none && "$bin/usbemu-check" frames /tmp/frames 6 &&
		fails "$bin/usbemu-check" frames /tmp/frames 6 4
}

refuses() {
	healthy bulk-camera1 BULK1 && fault bulk-camera1 refuse &&
		capture BULK1 320 240 YUYV 4 /tmp/frames >"$log" 2>&1
	grep -q STREAMON $log && fault bulk-camera1 none && frames_good BULK1 320 240 YUYV 3
}

# A device whose descriptors are no good: the driver finds it, and makes no node.
no_node() {
	local seen
	healthy bulk-camera1 BULK1 && unplug bulk-camera1 BULK1 && fault bulk-camera1 "$1" ||
		return 1
	seen=$(dmesg | wc -l)
	send plug bulk-camera1 && wait_for 60 said "$seen" "No streaming interface found" &&
		udevadm settle &&
		no_video BULK1 && send unplug bulk-camera1 && fault bulk-camera1 none &&
		plug bulk-camera1 BULK1
}

said() { grep -q "$2" <<<"$(dmesg | tail -n +"$(($1 + 1))")"; }

vanishes() {
	local before
	before=$(count "unplugged bulk-camera1 reason=fault")
	healthy bulk-camera1 BULK1 && fault bulk-camera1 "vanish:$1" || return 1
	capture BULK1 320 240 YUYV 100 /tmp/frames >"$log" 2>&1
	wait_for 60 reached "unplugged bulk-camera1 reason=fault" $((before + 1)) &&
		fault bulk-camera1 none && wait_for 120 no_video BULK1 && plug bulk-camera1 BULK1
}

sound_fault() {
	fault microphone1 "$1" && record 48000 /tmp/sound && fault microphone1 none &&
		fails "$bin/usbemu-check" samples /tmp/sound 48000
}

sound_ends() {
	fault microphone1 "$1" || return 1
	fails record 48000 /tmp/sound 500000 2>"$log" && fault microphone1 none &&
		grep -q "Input/output error" $log
}

wrong_commands() {
	fails send unplug nobody && fails send fault camera1 gremlins && fails send plug &&
		fails send flap camera1 x 1 && fails send dance
}

many() { [ "$(find /dev/v4l/by-id -name '*_Y*-video-index0' | wc -l)" = 40 ]; }
cards() { [ "$(grep -c 'Emulated Microphone$' /proc/asound/cards)" = 10 ]; }

fifty() { wait_for 600 many && wait_for 600 cards && same 50 "$(count plugged)"; }

four_of_fifty() {
	local serial readers=() devices
	for serial in Y1 Y14 Y27 Y40; do
		capture $serial 160 120 YUYV 10 "/tmp/frames-$serial" &
		readers+=($!)
	done
	wait "${readers[@]}"
	devices=$(for serial in Y1 Y14 Y27 Y40; do
		"$bin/usbemu-check" frames "/tmp/frames-$serial" 10 || echo "device=bad"
	done | sed 's/.*device=//' | sort -u)
	same 4 "$(wc -l <<<"$devices")" && fails grep bad <<<"$devices"
}

all_gone() {
	send unplug '*' && wait_for 600 none_left && same 50 "$(count unplugged)"
}

none_left() { [ -z "$(find /dev/v4l/by-id -name '*-video-index0' 2>/dev/null)" ]; }

configured() {
	wait_for 120 has_video "Front_Door" && identity "Front_Door" >list &&
		grep -q 'ID_MODEL=Door_Bell' list && grep -q 'ID_VENDOR_ID=cafe' list &&
		frames_good "Front_Door" 176 144 YUYV 3
}

check "without the driver it says what to load" no_driver
load_vhci
modprobe uvcvideo nodrop=1
modprobe snd-usb-audio
start_udevd
start camera --serial CAM1 bulk-camera --serial BULK1 microphone --serial MIC1
check "an isochronous camera has the name of its serial number" wait_for 120 has_video CAM1
check "a bulk camera has the name of its serial number" wait_for 120 has_video BULK1
check "a microphone is a sound card" wait_for 120 has_card
check "formats, sizes and rates are those of the descriptors" formats CAM1
check "negotiation settles on what is offered" negotiates BULK1
check "isochronous YUYV frames are whole" frames_good CAM1 320 240 YUYV 15
check "bulk YUYV frames are whole" frames_good BULK1 640 480 YUYV 15
check "frames are whole in memory of the program" frames_good BULK1 640 480 YUYV 15 user
check "MJPEG frames are whole" frames_good CAM1 640 480 MJPG 10
cp /tmp/frames "$DEVRING_OUT/camera.mjpeg"
check "start and stop of a stream are told" stream_events camera1 CAM1
check "start and stop of a bulk stream are told" stream_events bulk-camera1 BULK1
for rate in 48000 44100 16000; do
	check "a microphone at $rate Hz loses no sample" samples_good $rate
done
check "wrong commands are refused" wrong_commands
identity=$(identity CAM1)
check "a camera unplugged mid-stream ends the stream and its node" unplug_mid_stream
check "a camera plugged in again has the same identity and works" replug "$identity"
check "a device that the host detaches is told and can come back" host_side
check "a camera unplugs itself after its frames" limited
check "a camera that flaps ends up working" flaps
check "fault stall: an isochronous stream breaks, the next works" stalls camera1 CAM1
check "fault stall: a bulk stream breaks, the next works" stalls bulk-camera1 BULK1
check "fault short: half frames" short
check "fault silence: streaming, but no frame" silence
check "fault corrupt: wrong YUYV frames" corrupt YUYV
check "fault corrupt: wrong MJPEG frames" corrupt MJPG
check "fault drop: gaps in the sequence, frames whole" drops
check "fault refuse: a stream cannot start" refuses
check "fault no-format: no node" no_node no-format
check "fault malformed-descriptor: no node" no_node malformed-descriptor
for stage in probe commit start frame; do
	check "fault vanish:$stage" vanishes $stage
done
check "fault corrupt: wrong samples" sound_fault corrupt
check "fault drop: lost samples" sound_fault drop
for fault in silence stall; do
	check "fault $fault: a recording breaks" sound_ends $fault:100
done
check "the microphone works after its faults" samples_good 48000
status=0
finish || status=$?
check "SIGTERM ends it with success" same 0 $status
check "SIGTERM unplugs all" wait_for 120 none_left
printf '%s\n' '# a comment' 'bulk-camera --product "Door Bell" --serial "Front Door" # more' \
	'--vendor-id cafe --size 176x144' >devices.conf
start --config devices.conf
check "a config file names products with spaces" configured
finish
start camera --count 40 --serial Y --size 160x120 --format yuyv microphone --count 10
progress "fifty devices"
check "fifty devices at once enumerate" fifty
check "four of fifty stream at once" four_of_fifty
check "fifty devices go away at once" all_gone
finish
[ ! -s /tmp/errors ] || sed 's/^/# /' /tmp/errors
echo $tap_count >"$DEVRING_OUT/tap-count"
[ $tap_failed = 0 ]
