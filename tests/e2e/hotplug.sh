#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: devringd's hotplug with real drivers and emulated USB devices. TAP without a plan;
# the number of the last result goes to DEVRING_OUT/tap-count.
set -euo pipefail
. "$DEVRING_TOP/tests/e2e/hotplug-lib.sh"
cycles=${1:-200}
hooks=/tmp/hooks.d
# As its unit has it.
# shellcheck disable=SC2034 # hotplug-lib.sh starts it by this
as=(setpriv --reuid=devring --regid=devring "--groups=devring,video,audio"
	--inh-caps=+audit_write --ambient-caps=+audit_write)

printf '[devringd]\nlinger_ms = 200\nretry_ms = 200\n[hotplug]\nhooks = %s\nudev_timeout_ms = 60000\n' $hooks >$conf
printf '[camera]\nstall_ms = 2000\n[microphone]\nstall_ms = 2000\n' >>$conf
load_all
# So that frames that the driver knows to be damaged come, as such.
echo 1 >/sys/module/uvcvideo/parameters/nodrop
emulate bulk-camera --name cam --serial SECRET1 --product $'Evil\e[31m "Cam" \\' --vendor-id 1d6b --product-id 0104 \
	--size 160x120 --port 0 --unplugged microphone --name mic --serial SECRET2 --port 1 --unplugged \
	bulk-camera --name ten --count 10 --serial T --size 160x120 --unplugged
udevadm settle

progress "records"
# The daemon's own time until its first device is there; another's exec and linking count too.
cpu_ms() { awk '{ print ($14 + $15) * 10 }' "/proc/$daemon/stat"; }
usb plug cam
wait_for 60 test -e /dev/video0
udevadm settle
start
wait_for 60 test -e /dev/devrings/camera0
echo "# $(cpu_ms) ms of its own from start to the first device, under emulation"
check "system.startup is told" says \
	'"topic":"system.startup","action":"change","version":"[0-9.]+","source":"udev"' $events
check "what was there at the start is told as such" says \
	'"topic":"camera.connected","action":"add","device":"camera0".*"present_at_start":true' $events
record='"topic":"usb.attach","action":"add","vendor_id":"1d6b","product_id":"0104",'
record+='"device_signature":"[0-9a-f]{16}","manufacturer":".*","product":"Evil\?\[31m \\"Cam\\" \\\\",'
record+='"bus_number":[0-9]+,"device_address":[0-9]+,"port_path":"[0-9.-]+","classes":\["video".*\],'
record+='"device_descriptor":\{"bcdUSB":512,'
check "fields and order of a record" says "$record" $events
one_id() {
	python3 - $events <<-'END'
		import json, sys
		events = [json.loads(line) for line in open(sys.argv[1])]
		usb = [e for e in events if e["topic"] == "usb.attach" and e["product_id"] == "0104"][-1]
		camera = [e for e in events if e["topic"] == "camera.connected"][-1]
		assert usb["correlation_id"] == camera["correlation_id"] == usb["instance"] != camera["instance"], (usb, camera)
		assert camera["device_signature"] == usb["device_signature"]
	END
}
check "what came by one plug has one correlation id" one_id
since=$(lines $events)
usb unplug cam
check "camera and USB device go, in this order" happens "$since" '"usb.detach","action":"remove"'
order() {
	same "camera.disconnected usb.detach" "$(tail -n +"$((since + 1))" $events |
		sed 's/.*"topic":"\([a-z.]*\)".*/\1/' | grep -v device.state | xargs)"
}
check "and nothing else" order
since=$(lines $events)
usb plug mic
check "a microphone comes" happens "$since" '"topic":"microphone.connected"'
usb unplug mic
check "and goes" happens "$since" '"topic":"microphone.disconnected"'
check "no record has a serial number, and all are consistent" "$here/hotplug.py" judge $events

progress "devringctl"
ctl() { devringctl "$@" >/tmp/ctl.out; }
newest() {
	ctl events --recent 2 --topic 'usb.*' && same 2 "$(lines /tmp/ctl.out)" &&
		grep -q "usb.detach *remove" /tmp/ctl.out
}
check "events --recent shows the newest" newest
by() { ctl events --json "$@" && [ -s /tmp/ctl.out ]; }
by_topic() { by --topic 'usb.*' && fails grep -v '"topic":"usb\.' /tmp/ctl.out; }
by_vendor() { by --vendor 1D6B && fails grep -v '"vendor_id":"1d6b"' /tmp/ctl.out; }
by_class() { by --class video && fails grep -v '"classes":\[.*"video"' /tmp/ctl.out; }
by_device() { by --device 'camera*' && fails grep -v '"device":"camera0"' /tmp/ctl.out; }
for filter in topic vendor class device; do
	check "events by $filter" "by_$filter"
done
watches() {
	devringctl watch --json --topic camera.connected --class video -n 1 --timeout 60 >/tmp/watched 2>/tmp/watch.err &
	local watcher=$! status=0
	wait_for 60 grep -q "devringctl" <(devringctl who hotplug) || true
	sleep 1
	usb plug cam
	wait $watcher || status=$?
	same 0 $status && same 1 "$(count '"topic":"camera.connected"' /tmp/watched)" || { cat /tmp/watch.err; return 1; }
}
check "watch by topic and class ends with the first that fits" watches
usb_list() {
	ctl usb list && grep -Eq "1d6b:0104 .*video.*Evil\?\[31m .*SECRET1" /tmp/ctl.out ||
		{ cat /tmp/ctl.out; return 1; }
}
check "usb list shows who may open it the serial number" usb_list
no_escape() { ctl events --topic 'camera.*' && grep -q 'Evil?' /tmp/ctl.out && fails grep -q $'\e' /tmp/ctl.out; }
check "what a device says of itself cannot write to the terminal" no_escape
check "(it can, undefended, by what the kernel shows)" grep -q $'\e' /sys/bus/usb/devices/*/product
usb_json() { ctl usb list --json --class video && python3 -c 'import json
u, = json.load(open("/tmp/ctl.out"))["usb"]
assert u["serial_number"] == "SECRET1" and len(u["device_signature"]) == 16 and "0e:01:00" in u["interfaces"], u'; }
check "usb list as JSON, by class" usb_json
# LD_LIBRARY_PATH goes with it: setpriv is no setuid program.
usb_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$build/bin/devringctl" usb list >/tmp/ctl.out &&
		grep -q 1d6b:0104 /tmp/ctl.out && fails grep SECRET /tmp/ctl.out
}
check "usb list hides it from others" usb_nobody
usage() { local status=0; devringctl "$@" >/tmp/ctl.out 2>&1 || status=$?; same 2 $status; }
check "usb without list is wrong use" usage usb show
check "an unknown class is wrong use" usage usb list --class toaster
check "a wrong number of events is wrong use" usage events --recent 0
check "metrics --watch needs a file" usage metrics --watch 1
healthy() { ctl health && grep -qx ok /tmp/ctl.out; }
check "health is ok, with 0" healthy
check "and of a device" ctl health camera0
top() {
	ctl top -b -n 2 --watch 0.5 && same 2 "$(count '^DEVICE ' /tmp/ctl.out)" &&
		grep -Eq '^hotplug +[0-9]+ +[0-9]+ +devringctl' /tmp/ctl.out
}
check "top shows devices and readers, again and again" top
top_json() { ctl top --json -n 1 && python3 -c 'import json
d = {x["device"]: x for x in json.load(open("/tmp/ctl.out"))["devices"]}
assert d["hotplug"]["sequence"] and d["hotplug"]["readers"][0]["lag"] == 0, d'; }
check "top as JSON" top_json
metrics() {
	devringctl metrics -o /tmp/devring.prom && cp /tmp/devring.prom "$DEVRING_OUT/" &&
		grep -Eq '^usb_events_total\{action="add"\} [1-9]' /tmp/devring.prom &&
		grep -Eq '^usb_devices_connected [1-9]' /tmp/devring.prom &&
		grep -Eq '^usb_event_processing_duration_ms_bucket\{le="\+Inf"\} [1-9]' /tmp/devring.prom &&
		grep -Eq '^process_resident_memory_bytes [1-9]' /tmp/devring.prom &&
		grep -Eq '^devring_device_available\{device="camera0",type="camera"\} 1$' /tmp/devring.prom &&
		grep -Eq '^devring_reader_frames_total\{device="hotplug",reader="[0-9]+"\} [1-9]' /tmp/devring.prom &&
		same "" "$(find /tmp -maxdepth 1 -name 'devring.prom.*')"
}
check "metrics are written into a file as a whole" metrics
usb unplug cam

progress "policy"
since=$(lines $events)
drop_in 10-policy '[policy]\nrule = deny id 1d6b:0104 with-interface one-of { 0e:*:* }'
reload
usb plug cam
check "denied: its USB device is told as such" happens "$since" \
	'"usb.attach".*"vendor_id":"1d6b","product_id":"0104".*"policy":"deny"'
udevadm settle
check "and no camera is provided" silent "$since" camera.connected
rm $conf.d/10-policy.conf
reload
check "allowed again, it is provided at once" happens "$since" camera.connected
since=$(lines $events)
drop_in 10-policy '[policy]\nrule = allow class audio\nrule = ignore serial "SECRET?"'
reload
check "ignored, it goes" happens "$since" '"usb.detach".*'
check "with its camera" happens "$since" camera.disconnected
since=$(lines $events)
usb unplug cam
usb plug mic
check "an earlier rule that fits has the last word" happens "$since" microphone.connected
check "of what is ignored nothing is told" silent "$since" '"product_id":"0104"'
usb unplug mic
since=$(lines $log)
drop_in 10-policy '[policy]\nrule = deny via-port'
kill -HUP "$daemon"
check "a wrong rule: line and reason, the old config stays" told "$since" \
	"10-policy.conf:2: rule: after 'via-port' a value is missing; the old configuration stays"
rm $conf.d/10-policy.conf
reload

progress "hooks"
mkdir -p $hooks
cat >$hooks/note <<'END'
#!/bin/sh
{ id -u; grep -E "^(Cap|NoNewPrivs)" /proc/self/status; env; } >/tmp/hooked/$DEVRING_TOPIC.$$
END
printf '#!/bin/sh\ntouch /tmp/hooked/writable\n' >$hooks/writable
chmod 755 $hooks/note
chmod 777 $hooks/writable
install -d -m 777 /tmp/hooked
drop_in 20-hooks '[hotplug]\nhook_timeout_ms = 60000'
reload
since=$(lines $log)
usb plug cam
hooked() {
	wait_for 60 grep -rq "DEVRING_DEVICE=camera0" /tmp/hooked ||
		{ ls -la $hooks /tmp/hooked; tail -n 20 $log; return 1; }
}
check "a hook is run with the event in its environment" hooked
unprivileged() {
	local file set
	for set in Eff Prm Amb; do
		fails grep -q "^Cap$set:.0*\$" "/proc/$daemon/status" || { echo "devringd has no capability"; return 1; }
	done
	file=$(grep -l DEVRING_TOPIC=camera.connected /tmp/hooked/camera.connected.* | sed -n 1p)
	cat "$file"
	for set in Eff Prm Amb; do
		grep -q "^Cap$set:.0*\$" "$file" || return 1
	done
	grep -qx "$(id -u devring)" "$file" && grep -q '^NoNewPrivs:.1' "$file" &&
		grep -q '^DEVRING_VENDOR_ID=1d6b$' "$file" && grep -q '^DEVRING_JSON={' "$file" &&
		fails grep -q SECRET "$file"
}
check "without any privilege, and no serial number" unprivileged
check "one that others may write is not run" told "$since" "writable is not run: .*chown root"
check "and was not" fails test -e /tmp/hooked/writable
rm $hooks/*
printf '#!/bin/sh\n(sleep 1000) & sleep 1000\n' >$hooks/hangs
chmod 755 $hooks/hangs
drop_in 20-hooks '[hotplug]\nhook_timeout_ms = 500'
reload
since=$(lines $log)
usb unplug cam
check "one that hangs is killed" told "$since" "hangs takes longer than 500 ms: killed"
nothing_left() { wait_for 60 fails pgrep -x sleep -u devring; }
check "with all that it started" nothing_left
rm -r $hooks $conf.d/20-hooks.conf
reload
usb plug cam
wait_for 60 state_now camera0 available || true

progress "misbehaving hardware"
reader() {
	"$here/reader.py" "/dev/devrings/$1" 0 >/tmp/reader 2>&1 &
	reader=$!
}
flows() {
	local before
	before=$(count ^frame /tmp/reader)
	wait_for 60 more ^frame /tmp/reader $((before + 3)) || { tail /tmp/reader; return 1; }
}
reader camera0
check "a camera delivers" flows
reader_knows() { same "$1" "$(grep ^state /tmp/reader | tail -n 1 | cut -d' ' -f2)"; }
# fails_and_recovers EMULATED DEVICE FAULT ERRNO: told as an event and to the reader, who keeps its descriptor.
fails_and_recovers() {
	local since health=0
	since=$(lines $events)
	usb fault "$1" "$3"
	happens "$since" "\"device.state\",.*\"device\":\"$2\".*\"state\":\"error\",\"error\":$4," &&
		wait_for 60 reader_knows error &&
		{ devringctl health "$2" >/tmp/ctl.out || health=$?; } && same 1 $health &&
		grep -q "$2: " /tmp/ctl.out || return 1
	since=$(lines $events)
	usb fault "$1" none
	happens "$since" "\"device.state\".*\"device\":\"$2\".*\"state\":\"available\",\"error\":0" && flows &&
		kill -0 $reader
}
check "silence: ERROR, back-off, recovery, the reader's descriptor lives" \
	fails_and_recovers cam camera0 silence 110
check "a stall: likewise" fails_and_recovers cam camera0 stall '[0-9]+'
# Flags from 4 on have DEVRING_FRAME_CORRUPT. Those that were read before are no matter.
corrupt() {
	local before
	before=$(count "^frame .* flags [4-7] " /tmp/reader)
	usb fault cam short
	wait_for 60 more "^frame .* flags [4-7] " /tmp/reader $((before + 2)) ||
		{ tail -n 5 /tmp/reader; return 1; }
	usb fault cam none
	before=$(count "^frame .* flags [0-3] " /tmp/reader)
	wait_for 60 more "^frame .* flags [0-3] " /tmp/reader $((before + 3)) || { tail -n 5 /tmp/reader; return 1; }
}
usb fault cam none
check "short frames are read as corrupt ones, and good ones follow" corrupt
end_reader() {
	kill $reader || true
	wait $reader || true
}
# At each stage of a start; it unplugs itself, and is plugged in again while the reader waits. Not within a
# check, since the reader is to stay.
vanishes() {
	local since
	since=$(lines $log)
	end_reader
	told "$since" "camera0: nobody reads it: closed" || return 1
	usb fault cam "vanish:$1"
	since=$(lines $events)
	reader camera0
	happens "$since" camera.disconnected || return 1
	usb fault cam none
	since=$(lines $events)
	usb plug cam
	happens "$since" camera.connected && flows
}
for stage in probe commit start frame; do
	status=0
	vanishes $stage || status=$?
	check "unplugged at $stage: it goes, comes back, and the same reader goes on" same 0 $status
done
end_reader

since=$(lines $events)
usb plug mic
happens "$since" microphone.connected >/dev/null || true
reader microphone0
check "a microphone delivers" flows
check "its silence: ERROR, back-off, recovery, the reader's descriptor lives" \
	fails_and_recovers mic microphone0 silence 110
check "its stall: likewise" fails_and_recovers mic microphone0 stall '[0-9]+'
unplugged() {
	local since
	since=$(lines $events)
	usb unplug mic
	happens "$since" microphone.disconnected && wait_for 60 reader_knows offline || return 1
	since=$(lines $events)
	usb plug mic
	happens "$since" microphone.connected && flows && kill -0 $reader
}
check "unplugged while it is read: it goes, comes back, and the same reader goes on" unplugged
end_reader
usb unplug mic
since=$(lines $events)
usb unplug cam
happens "$since" usb.detach >/dev/null || true
for fault in malformed-descriptor malformed-descriptor:1 malformed-descriptor:2 malformed-descriptor:3; do
	usb fault cam $fault
	usb plug cam
	sleep 1
	usb unplug cam
done
usb fault cam none
check "malformed descriptors: all that came has gone" settles
check "malformed descriptors: devringd is alive" kill -0 "$daemon"

progress "udevd"
drop_in 25-udev '[hotplug]\nudev_timeout_ms = 2000'
reload
since=$(lines $log)
pkill -KILL -x systemd-udevd
started=$(lines $events)
usb plug cam
check "udevd killed: the kernel's events count" told "$since" "hardware is found by: kernel"
check "and a USB device is told" happens "$started" '"usb.attach"'
health_told() { happens "$started" '"system.health".*"status":"degraded".*udevd'; }
check "and that health is degraded" health_told
chmod 666 /dev/video0 2>/dev/null || true
check "a node that gets its permissions later is found then" happens "$started" '"camera.connected"'
since=$(lines $log)
started=$(lines $events)
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=change /sys/class/video4linux/video0
check "udevd is back: it counts again" told "$since" "hardware is found by: udev"
udevadm settle
check "nothing that was there has gone by that" silent "$started" disconnected
since=$(lines $log)
started=$(lines $events)
pkill -STOP -x systemd-udevd
usb plug mic
check "udevd hangs: the kernel's events count" told "$since" "hardware is found by: kernel"
check "and what comes is told" happens "$started" '"usb.attach"'
pkill -CONT -x systemd-udevd
check "it goes on: it counts again" told "$since" "hardware is found by: udev"
check "and the microphone is ready" happens "$started" microphone.connected
usb unplug mic
usb unplug cam
check "the records agree with /sys" settles

rm $conf.d/25-udev.conf
reload

progress "overflow and doubt"
drop_in 30-buffer '[hotplug]\nreceive_buffer = 1024'
reload
since=$(lines $log)
kill -STOP "$daemon"
usb plug ten1
"$here/hotplug.py" storm 300
usb plug ten2
usb unplug ten1
udevadm settle || true
kill -CONT "$daemon"
check "a socket that overflows is noticed" told "$since" "came faster than they could be read"
check "and nothing lasting is lost" settles
usb unplug ten2
rm $conf.d/30-buffer.conf
reload
since=$(lines $log)
date -s "+1 hour" >/dev/null
check "a jump of the clock, as by a suspend, is a doubt" told "$since" "the machine slept; listing again"
drop_in 40-poll '[hotplug]\nsources = poll\npoll_ms = 500'
reload
started=$(lines $events)
usb plug cam
check "without any source it looks at intervals" happens "$started" '"camera.connected".*"source":"list"'
usb unplug cam
check "and sees what goes" happens "$started" camera.disconnected
drop_in 40-poll '[hotplug]\nsources = libusb'
reload
started=$(lines $events)
usb plug cam
check "libusb alone tells of USB devices" happens "$started" '"usb.attach"'
check "and the camera on it is found" happens "$started" '"camera.connected"'
usb unplug cam
check "and goes" happens "$started" '"usb.detach"'
rm $conf.d/40-poll.conf
reload
one_thread() { wait_for 60 grep -q '^Threads:.1$' "/proc/$daemon/status"; }
check "which has ended its thread when udev is back" one_thread

progress "flapping"
started=$(lines $events)
before=$(count "^plugged cam" /tmp/usbemu.out)
usb flap cam 10 20
flapped() { [ "$(count "^plugged cam" /tmp/usbemu.out)" -ge $((before + 10)) ]; }
wait_for 120 flapped || true
check "flapping at 20 ms: in the end it is as /sys says" settles
usb plug cam 2>/dev/null || true
check "and it works" happens "$started" camera.connected
usb unplug cam

progress "ten at once"
started=$(lines $events)
for n in 1 2 3 4 5 6 7 8 9 10; do usb plug ten$n; done
ten() { [ "$(tail -n +$((started + 1)) $events | count "$1" /dev/stdin)" -ge 10 ]; }
check "ten cameras are there" wait_for 300 ten '"camera.connected"'
usb unplug '*'
check "ten go at once: each is told" wait_for 300 ten '"camera.disconnected"'
check "and its USB device" wait_for 300 ten '"usb.detach"'

. "$here/hotplug-doubts.sh"
twins
not_usb
failing_sources
not_wanted
unready
missed

# How long it took is printed with its spread, and judged in hotplug-long alone: something else may run beside this.
plug_cycles "$cycles"
udevadm settle
check "the records of the whole run are consistent" "$here/hotplug.py" judge $events
stop
check "health tells that devringd does not run" fails devringctl health
finish
