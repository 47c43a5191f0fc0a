#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: devringctl with the module and programs of others. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

cd /tmp
out=/tmp/out
# Something to read that never ends by itself; what is written to descriptor 9 is read there, and
# another one for sound.
mkfifo forever humming
exec 9<>forever 8<>humming

# ends STATUS COMMAND...: a condition for check; the command's output is left in $out.
ends() {
	local wanted=$1 status=0
	shift
	"$@" >$out 2>&1 </dev/null || status=$?
	same "$wanted" $status && return 0
	cat $out
	return 1
}

# says STATUS TEXT COMMAND...: ends so, and its output has the text (a grep pattern).
says() {
	local status=$1 text=$2
	shift 2
	ends "$status" "$@" || return 1
	grep -q -- "$text" $out && return 0
	printf 'no "%s" in:\n' "$text"
	cat $out
	return 1
}

# mute COMMAND...: the condition that it prints nothing.
mute() { same "" "$("$@" 2>&1)"; }
# has TEXT COMMAND..., lacks TEXT COMMAND...: the command succeeds, with or without it in its output.
has() { "${@:2}" >$out 2>&1 && grep -q -- "$1" $out; }
lacks() { "${@:2}" >$out 2>&1 && ! grep -q -- "$1" $out; }
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
json_ok() { "$@" | python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]'; }
readers_of() { devringctl list --json | grep -o "\"link\":\"$1\".*" | grep -o '"readers":[0-9]*' |
	sed -n 1p | cut -d: -f2; }
has_readers() { [ "$(readers_of "$1")" = "$2" ]; }
grown() { [ "$(wc -c <"$1")" -gt 1000 ]; }
exists() { grep -qx -- "$1" <<<"$(devringctl list --names)"; }
export -f exists
ended() { ! kill -0 "$1" 2>/dev/null; }
# finish PID: sets `status` to that of a background process, which has to end by itself. Not within
# a check, which runs in a shell that has no children.
finish() {
	status=0
	wait_for 60 ended "$1" || kill -KILL "$1"
	wait "$1" || status=$?
}

progress "without the module"
check "without the module: status 6 and the remedy" says 6 "Try: modprobe devring" devringctl list
check "without the module: the same in JSON" \
	says 6 '"error":{"code":6,"name":"no-module"' devringctl list --json
check "version needs no module" says 0 "not loaded" devringctl version
check "help needs no module" says 0 "usage: devringctl" devringctl help

load_devring
chmod 0664 /dev/devring

progress "usage"
check "no command: status 2" says 2 "There is no command" devringctl
check "unknown command: status 2" says 2 '"frob"' devringctl frob
check "unknown option: status 2" says 2 '"--frob"' devringctl list --frob
check "missing argument: status 2" says 2 "needs DEVICE" devringctl cat
check "too many arguments: status 2" says 2 'cannot do with "two"' devringctl cat one two
check "bad number: status 2, with its bounds" says 2 "from 1 to" devringctl cat x -n 0
check "bad format: status 2" says 2 "auto, raw, y4m, wav or mjpeg" devringctl cat x -f gif
check "bad type: status 2" says 2 '"toaster"' devringctl register x --type toaster
check "usage errors in JSON" says 2 '"code":2,"name":"usage"' devringctl cat --json
check "help of a command" says 0 "verify" devringctl cat --help
check "every command has help" bash -c 'for c in $(devringctl help | awk "/^  [a-z]/ { print \$1 }"
	); do grep -q "usage: devringctl $c" <<<"$(devringctl help $c)" || exit 1; done'

progress "registering"
check "register" says 0 "cam is device .* at /dev/devring" devringctl register cam \
	--type camera --label 'The "door"' --stable-id serial:1 --path-id usb-1
check "the name is taken: status 5" says 5 "another name" devringctl register cam
check "busy in JSON" says 5 '"code":5,"name":"busy"' devringctl register cam --json
check "a bad name: status 2" says 2 "a/b" devringctl register a/b
check "a name too long: status 2" says 2 "64 bytes long" devringctl register "$(printf %064d 0)"
check "control characters in a label: status 2" says 2 'x1b' devringctl register e \
	--label $'\e[31m'
check "list" has "^cam  *camera  *offline  *-  *0" devringctl list
check "list has a header, in capitals" has "^NAME  *TYPE  *STATE" devringctl list
check "list --no-legend has none" lacks NAME devringctl list --no-legend
check "list --names" same cam "$(devringctl list --names)"
check "list --type" mute devringctl list --names --type microphone
check "list --json" json_ok devringctl list --json
check "no escape sequences unless on a terminal" lacks $'\e' devringctl list
check "on a terminal the header stands out" has $'\e\[1m' env TERM=xterm NO_COLOR= \
	script -qec "devringctl list" /dev/null
check "NO_COLOR is honoured" lacks $'\e' env TERM=xterm NO_COLOR=1 \
	script -qec "devringctl list" /dev/null
check "by doctor, too" lacks $'\e' env TERM=xterm NO_COLOR=1 script -qc "devringctl doctor" /dev/null
check "which else has colours" has $'\e\[1m' env TERM=xterm NO_COLOR= script -qc "devringctl doctor" /dev/null
check "no command has any in a pipe" lacks $'\e' env TERM=xterm bash -c 'for c in info who health metrics \
	"top -n 1" stats "usb list" doctor version "watch -n 1" help; do devringctl $c 2>&1; done; true'
for spec in cam serial:1 usb-1 /dev/devring0 /dev/devrings/cam @first-camera 1; do
	check "info finds it by $spec" says 0 "^label  *The \"door\"" devringctl info $spec
done
check "info of nothing: status 3" says 3 "devringctl list" devringctl info nothing
check "not found in JSON" says 3 '"code":3,"name":"not-found"' devringctl info nothing --json
check "info --json" says 0 '"stable_id":"serial:1"' devringctl info cam --json
check "info of the module" says 0 "^features .*holds" devringctl info
check "info of the module in JSON" json_ok devringctl info --json

progress "permission"
check "to register: status 4" says 4 "Members of the group" nobody devringctl register mine
check "to read: status 4" says 4 "permission denied" nobody devringctl cat cam
check "permission in JSON" says 4 '"code":4,"name":"permission"' \
	nobody devringctl register mine --json
check "to list needs none" says 0 "^cam " nobody devringctl list
chmod 0666 /dev/devring
nobody devringctl register mine >$out
check "names of others have a prefix" exists u65534-mine
check "without it they are not found" says 3 '"mine"' devringctl info mine
check "their owner finds them" says 0 "^name  *mine" nobody devringctl info mine
check "unregister what is another's: status 4" says 4 "registered by uid 0" \
	nobody devringctl unregister cam
check "a dry run says so, too" says 4 "registered by uid 0" nobody devringctl unregister cam --dry-run
check "a dry run tells what would be" says 0 "cam, which has 0 readers, would be unregistered" \
	devringctl unregister cam --dry-run
check "in JSON as well" says 0 '"dry_run":true,"unregistered":[0-9]' devringctl unregister cam --dry-run --json
check "and leaves the device" exists cam
check "register --dry-run tells what would be" says 0 "^new would be registered, with the type camera" \
	devringctl register new --type camera --dry-run
check "in JSON as well" says 0 '"dry_run":true,"link":"new","type":"other"' devringctl register new --dry-run --json
check "names of others have a prefix there, too" says 0 "^u65534-new would be" nobody devringctl register new --dry-run
check "and makes no device" says 3 "new" devringctl info new
check "it knows that the name is taken: status 5" says 5 "another name" devringctl register cam --dry-run
for name in a/b by-door u7-door ..; do
	check "and that $name is none: status 2" says 2 "The module refuses the name" devringctl register $name --dry-run
	check "as the module does" says 2 "The module refuses the name" devringctl register $name
done
chmod 0664 /dev/devring
check "and the right: status 4" says 4 "Members of the group" \
	nobody devringctl register new --dry-run
chmod 0666 /dev/devring
check "unregister" ends 0 nobody devringctl unregister mine
check "it is gone" fails exists u65534-mine
chmod 0664 /dev/devring

progress "pictures"
ffmpeg -loglevel error -f lavfi -i testsrc=size=64x48:rate=30 -frames:v 20 -pix_fmt yuv420p \
	-f yuv4mpegpipe clip.y4m
ffmpeg -loglevel error -i clip.y4m -f rawvideo clip.yuv
ffmpeg -loglevel error -i clip.y4m -pix_fmt yuyv422 -f rawvideo clip.yuyv
ffmpeg -loglevel error -i clip.y4m -pix_fmt rgb24 -f rawvideo clip.rgb
# What is much smaller than a camera's players take for something else.
ffmpeg -loglevel error -i clip.y4m -vf scale=320:240 -c:v mjpeg -q:v 3 -f mjpeg clip.mjpeg

# feed FILE OPTION...: a writer in the background that waits for a reader; sets $writer.
feed() {
	local file=$1
	shift
	devringctl write "$@" --wait --slots 64 --checksum <"$file" >writer.out 2>&1 &
	writer=$!
	wait_for 60 devring_ready || guest_die "the writer does not start: $(cat writer.out)"
}
# It waits for readers in a system call when it has its format.
devring_ready() {
	[ "$(cut -d' ' -f3 "/proc/$writer/stat")" = S ] &&
		grep -q '"state":"available".*"kind":' <<<"$(devringctl list --json)"
}
decodes() { ffmpeg -loglevel error -i "$1" -f rawvideo - | cmp - "$2"; }
# A y4m without its first line.
body() { tail -c +"$(($(head -n 1 "$1" | wc -c) + 1))" "$1"; }

feed clip.y4m cam
check "y4m in, y4m out" ends 0 devringctl cat cam --verify -n 20 -o got.y4m
finish $writer
check "the writer ends well" same 0 $status
check "every byte of every picture" cmp <(body clip.y4m) <(body got.y4m)
check "ffmpeg understands it" decodes got.y4m clip.yuv
cp got.y4m "$DEVRING_OUT/stream.y4m"
check "the device stays, offline" has "^cam .*offline" devringctl list
check "its format stays known" has "YU12 64x48 30 fps" devringctl list

feed clip.yuyv cam --fourcc YUYV --size 64x48 --fps 30
check "raw pictures in, raw out" ends 0 devringctl cat cam -f raw -n 20 -o got
check "every byte of them" cmp got clip.yuyv
finish $writer
# The result share pins the pages that are written to it, and a reader's map cannot be pinned.
feed clip.yuyv cam --fourcc YUYV --size 64x48 --fps 30
check "raw out to a file system that pins pages" ends 0 devringctl cat cam -f raw -n 20 -o "$DEVRING_OUT/got"
check "every byte of them, there" cmp "$DEVRING_OUT/got" clip.yuyv
finish $writer
feed clip.yuyv cam --fourcc YUYV --size 64x48 --fps 30
devringctl cat cam -n 20 >got.y4m
check "YUYV becomes y4m of 4:2:2" has "C422 " head -n 1 got.y4m
ffmpeg -loglevel error -f rawvideo -pix_fmt yuyv422 -s 64x48 -i clip.yuyv -pix_fmt yuv422p \
	-f rawvideo wanted
check "with the same samples" decodes got.y4m wanted
finish $writer

feed clip.mjpeg cam --fourcc MJPG --size 320x240 --fps 30
check "MJPEG passes through" ends 0 devringctl cat cam -n 20 -o got
check "every byte of it" cmp got clip.mjpeg
cp got "$DEVRING_OUT/stream.mjpeg"
finish $writer
check "y4m cannot hold MJPEG" bash -c 'devringctl write cam --fourcc MJPG --size 320x240 --wait \
	<clip.mjpeg & devringctl cat cam -f y4m >/dev/null 2>err; s=$?; wait; cat err; [ $s = 1 ] &&
	grep -q "use --format=raw" err'

progress "snapshots"
feed clip.rgb cam --fourcc RGB3 --size 64x48 --fps 30
check "PNG" ends 0 devringctl snapshot cam -o shot.png
finish $writer
ffmpeg -loglevel error -i shot.png -f rawvideo -pix_fmt rgb24 shot.rgb
check "it is one of the pictures, to the bit" python3 -c '
shot, clip = open("shot.rgb", "rb").read(), open("clip.rgb", "rb").read()
assert shot in [clip[i:i + 9216] for i in range(0, len(clip), 9216)]'
feed clip.mjpeg cam --fourcc MJPG --size 320x240
check "a JPEG is saved as it is" ends 0 devringctl snapshot cam
finish $writer
check "under the device's name" has "JPEG image data.*320x240" file cam.jpg
check "what came in" python3 -c '
assert open("cam.jpg", "rb").read() in open("clip.mjpeg", "rb").read()'
check "no picture in time: status 124" says 124 "within 0.2 seconds" \
	devringctl snapshot cam --timeout 0.2

progress "sound"
sox -n -r 16000 -c 2 -b 16 tone.wav synth 0.5 sine 440
feed tone.wav --name mic --type microphone --label "$(printf '\342\200\256evil')"
check "a device of its own" has "^mic  *microphone  *available  *S16_LE 16000 Hz 2 ch" \
	devringctl list
check "texts of others cannot reorder the table" has '\\xe2\\x80\\xaeevil' devringctl list
devringctl cat mic >got.wav
check "wav in, wav out, every byte" cmp tone.wav got.wav
finish $writer
check "the writer ends well" same 0 $status
check "and its device with it" fails exists mic
feed tone.wav --name mic
check "through a pipe into sox" bash -c 'devringctl cat mic | tee "$DEVRING_OUT/stream.wav" |
	sox - -t raw - 2>/dev/null | cmp - <(tail -c +45 tone.wav)'
finish $writer
feed tone.wav --name mic
check "its header comes with the first sound" bash -c \
	'devringctl cat mic | { python3 -c "import os; assert len(os.read(0, 4096)) > 256" && cat >/dev/null; }'
finish $writer
feed tone.wav --name mic
check "with its length, if that was asked for: sox says nothing" mute bash -c \
	'devringctl cat mic --seconds 0.5 | sox - -n'
finish $writer
tail -c +45 tone.wav >tone.raw
feed tone.raw --name mic --type microphone --rate 16000 --channels 2
check "raw samples in" ends 0 devringctl cat mic --seconds 0.25 -o got.wav
check "as long as was asked for" same "0.250000" "$(soxi -D got.wav)"
finish $writer
check "the first samples" cmp -n 16000 <(tail -c +45 got.wav) tone.raw

progress "bytes"
printf 'one\ntwo\nthree' >lines
feed lines --name ev --type event --lines --media-type text/plain
check "lines" same $'one\ntwo\nthree' "$(devringctl cat ev)"
finish $writer
check "an empty input makes no frame" says 0 '"frames":0' \
	bash -c 'devringctl write --name none --json </dev/null'
check "half a picture: status 1" says 1 "ended within a picture, after 2 whole" \
	bash -c 'head -c 15000 clip.yuyv | devringctl write cam --fourcc YUYV --size 64x48'
check "a broken wav: status 1" says 1 "broken" \
	bash -c 'head -c 20 tone.wav | devringctl write --name x'
check "a picture without size: status 2" says 2 "needs --size" \
	devringctl write cam --fourcc YUYV
check "neither a new device nor one there is: status 2" says 2 "Give either" devringctl write
check "a device that is not there: status 3" ends 3 devringctl write nothing

progress "readers"
devringctl write cam --lines <forever &
writer=$!
wait_for 60 has "^cam .*available" devringctl list
devringctl cat cam >/dev/null &
reader=$!
wait_for 60 has_readers cam 1
check "who names the reader by its pid" has "^cam  *[0-9]*  *$reader  *devringctl  *root" \
	devringctl who cam
check "who --json" has "\"pid\":$reader,\"open_pid\":$reader" devringctl who --json
check "who asks without being one" same 1 "$(devringctl who --no-legend | wc -l)"
check "who is for those who may open" says 4 "permission" nobody devringctl who cam
check "who of all says what it cannot see" says 0 "1 devices cannot be asked" nobody devringctl who
check "a second producer: status 5" says 5 "takeover" devringctl write cam
check "a reader without frames: status 124" says 124 "No frame came" \
	devringctl cat cam --timeout 0.2
cp "$build/bin/devringctl" $'x\e[31m'
LD_LIBRARY_PATH=$build/lib $'./x\e[31m' cat cam >/dev/null &
evil=$!
wait_for 60 has_readers cam 2
check "command names are shown with their escapes" has "x.x1b.31m" devringctl who cam
kill $evil
finish $evil
check "a reader ends by a signal as others do" same 143 $status

progress "revoking"
check "say whom: status 2" says 2 "one of --reader, --uid, --all and --recheck" devringctl revoke cam
check "a reader that is not: status 3" says 3 "no such reader" devringctl revoke cam --reader 999
check "without right: status 4" ends 4 nobody devringctl revoke cam --all
check "a user that is not: status 2" says 2 '"nemo"' devringctl revoke cam --uid nemo
devringctl cat cam >/dev/null 2>revoked.err &
second=$!
wait_for 60 has_readers cam 2
id=$(devringctl who cam --no-legend | awk -v pid=$second '$3 == pid { print $2 }')
check "a dry run: one reader" says 0 "^1 reader would be revoked" \
	devringctl revoke cam --reader "$id" --dry-run
check "a dry run: all" says 0 "^2 readers would" devringctl revoke cam --all --dry-run
check "a dry run: a user's" says 0 '"dry_run":true,"revoked":2' devringctl revoke cam --uid root --dry-run --json
check "a dry run: nobody's" says 0 "^0 readers would" devringctl revoke cam --uid nobody --dry-run
check "a dry run: one that is not: status 3" says 3 "no such reader" devringctl revoke cam --reader 999 --dry-run
check "a dry run without right: status 4" ends 4 nobody devringctl revoke cam --all --dry-run
check "who would fail --recheck it cannot tell: status 2" says 2 "leave --dry-run out" devringctl revoke cam --recheck --dry-run
check "both go on" has_readers cam 2
check "one reader" says 0 "1 reader revoked" devringctl revoke cam --reader "$id"
finish $second
check "it ends with status 4" same 4 $status
check "and says why" grep -q "was taken away" revoked.err
check "the other goes on" has "$reader" devringctl who cam
check "a user without readers" says 0 "0 readers" devringctl revoke cam --uid nobody
check "all" says 0 '"revoked":1' devringctl revoke cam --all --json
finish $reader
check "the other ends too" same 4 $status

progress "granting"
while sleep 0.2; do echo tick; done >&9 &
ticker=$!
granted() { devringctl grant cam "$@"; }
check "who has no right reads what he was granted" says 0 tick \
	granted --user nobody -- devringctl cat --fd 3 -n 1
check "(and else cannot)" ends 4 nobody devringctl cat cam -n 1
check "the program is that user's, and in no other group" says 0 "^nobody nogroup /nonexistent$" \
	granted --user 65534 -- sh -c 'echo $(id -un) $(id -Gn) $HOME'
check "it is told of the descriptor as services are" says 0 "^3 1 devring yes$" granted -- \
	sh -c 'echo $DEVRING_FD $LISTEN_FDS $LISTEN_FDNAMES $([ $LISTEN_PID = $$ ] && echo yes)'
check "it has that one alone" says 0 "^1$" granted -- sh -c 'ls -l /proc/self/fd | grep -c devring'
check "its status is passed on" ends 7 granted -- sh -c 'exit 7'
check "and a signal, as shells do" ends 143 granted -- sh -c 'kill $$'
check "a program that is not: status 127" says 127 "No such file" granted -- nonsense
check "one that cannot be run: status 126" says 126 "ermission denied" granted -- /etc/passwd
check "a user that is not: status 2" says 2 '"nemo"' granted --user nemo -- id
check "no time: status 2" says 2 "more than 0" granted --for 0 -- id
check "a time that is none: status 2" says 2 "10m or 1h" granted --for 1d -- id
check "no program: status 2" says 2 "needs DEVICE -- PROGRAM" granted
check "a descriptor of something else: status 2" says 2 "is not one of an open device" \
	devringctl cat --fd 0
check "its time ends it" says 4 "taken away" granted --for 3s -- devringctl cat --fd 3
check "and is told after that" says 4 "its time is over" \
	granted --for 0.1 -- sh -c 'sleep 1; exec devringctl cat --fd 3'
devringctl grant cam --user nobody -- devringctl cat --fd 3 >got 2>&1 &
grant=$!
wait_for 60 grep -q tick got
check "who names the program, and that it was granted" \
	has "^cam .* $(pgrep -P $grant) .*reading, granted$" devringctl who cam
check "in JSON from whom, too" has '"granted":true,"granted_from":[1-9]' devringctl who cam --json
kill -KILL $grant
wait $grant || true
check "the access ends with the command" wait_for 60 grep -q "taken away" got
devringctl grant cam --for 1h -- devringctl cat --fd 3 >got 2>&1 &
grant=$!
wait_for 60 grep -q tick got
check "and until when" has "^cam .*reading, granted for 5[0-9]min$" devringctl who cam
kill -KILL $grant
wait $grant || true
check "its access ends too" wait_for 60 grep -q "taken away" got
granted -- sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done' >got &
grant=$!
wait_for 60 grep -q ready got
# Of the shell that waits for it.
kill "$(pgrep -P $grant devringctl)"
finish $grant
check "signals are passed on" same 9 $status
granted -- devringctl cat --fd 3 >got 2>&1 &
grant=$!
wait_for 60 grep -q tick got
check "it is revoked with all others" says 0 "reader revoked" devringctl revoke cam --all
finish $grant
check "and ends with status 4" same 4 $status
# Passed over a socket to a process that has no right, and was there before.
check "over a socket" has tick python3 - <<'END'
import array, fcntl, os, socket, struct, time
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
if not os.fork():
    ours.close()
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    _, (fd,), _, _ = socket.recv_fds(theirs, 1, 1)
    os.dup2(fd, 3)
    os.execlp("devringctl", "devringctl", "cat", "--fd", "3", "-n", "1")
parent = os.open("/dev/devring0", os.O_RDONLY)
grant = fcntl.ioctl(parent, 3 << 30 | 16 << 16 | 0xDE << 8 | 0x32, bytearray(struct.pack(
    "=IIQ", 16, 0, time.clock_gettime_ns(time.CLOCK_BOOTTIME) + 600 * 10**9)))
socket.send_fds(ours, [b"x"], [grant])
os.close(grant)
os.wait()
END

progress "rechecking"
devringctl cat cam >/dev/null 2>&1 &
reader=$!
chmod 0604 /dev/devring0
nobody devringctl cat cam >/dev/null 2>revoked.err &
second=$!
wait_for 60 has_readers cam 2
check "who may still open it notices nothing" says 0 "^0 readers" devringctl revoke cam --recheck
chmod 0600 /dev/devring0
check "whose right was taken away is cut off" says 0 "^1 reader " devringctl revoke cam --recheck
finish $second
check "and is told" same "4 yes" "$status $(grep -q "taken away" revoked.err && echo yes)"
check "others go on" has "$reader" devringctl who cam
kill $reader $ticker
finish $reader

progress "going on"
kill $writer
finish $writer
wait_for 60 has "^cam .*offline" devringctl list
devringctl cat cam -n 9 >got 2>cat.err &
reader=$!
for part in a b c; do
	wait_for 60 has_readers cam 1
	printf "$part%s\n" 1 2 3 | devringctl write cam --lines --wait --slots 16
done
finish $reader
check "one reader over three producers" same 0 $status
check "with every line" same "a1 a2 a3 b1 b2 b3 c1 c2 c3" "$(paste -sd' ' got)"
devringctl cat cam >got 2>cat.err &
reader=$!
wait_for 60 has_readers cam 1
devringctl write cam --lines <forever &
writer=$!
echo x >&9
wait_for 60 grep -q x got
kill -KILL $writer
finish $writer
echo y | devringctl write cam --lines --wait
check "a producer that was killed is no end" wait_for 60 grep -q y got
check "unregister" ends 0 devringctl unregister cam
finish $reader
check "ends a reader with status 0" same 0 $status

devringctl register cam --type camera >/dev/null
devringctl cat cam >got 2>cat.err &
reader=$!
wait_for 60 has_readers cam 1
devringctl write cam --wait --slots 64 <clip.y4m
devringctl write cam --fourcc GREY --size 8x8 < <(head -c 640 clip.yuv)
finish $reader
check "y4m cannot change its format: status 1" same 1 $status
check "and says so" grep -q 'changed from "YU12 64x48.*" to "GREY 8x8"' cat.err
devringctl cat cam -f raw -n 25 >got &
reader=$!
wait_for 60 has_readers cam 1
devringctl write cam --wait --slots 64 <clip.y4m
devringctl write cam --fourcc GREY --size 8x8 --slots 64 < <(head -c 640 clip.yuv)
finish $reader
check "raw goes on" same 0 $status
check "with the bytes of both" cmp got <(cat clip.yuv; head -c 320 clip.yuv)

progress "pipes, signals, counters"
devringctl write cam --lines <forever &
writer=$!
wait_for 60 has "^cam .*available" devringctl list
check "on a terminal it tells for what it waits" says 124 "2 s: waiting for a frame" \
	script -qec "devringctl cat cam -o part --timeout 3" /dev/null
while :; do echo x >&9; sleep 0.3; done &
slow=$!
script -qec "devringctl record cam part -n 10" /dev/null >told &
recorder=$!
devringctl cat cam -n 10 -o part2 2>cat.err &
reader=$!
check "and how far it is" has "s: [0-9]* of 10 frames, " \
	script -qec "devringctl cat cam -n 10 -o part3" /dev/null
finish $recorder
check "a recording does, too" grep -q "s: [0-9]* of 10 frames, " told
finish $reader
check "elsewhere it does not" test ! -s cat.err
kill $slow
check "a pipe that is closed ends it quietly" bash -c '
	yes | devringctl write --name yes --media-type x & w=$!
	until exists yes; do sleep 0.1; done
	devringctl cat yes 2>err | head -c 10 >/dev/null; s=${PIPESTATUS[0]}; kill $w
	cat err; [ $s = 141 ] && ! [ -s err ]'
cat tone.raw >&8
devringctl write --name hum --rate 16000 --channels 2 --wait <humming &
hum=$!
wait_for 60 exists hum
devringctl cat hum -o part.wav &
reader=$!
wait_for 60 grown part.wav
kill $reader
finish $reader
check "ended by a signal" same 143 $status
check "the header has the length that there is" same "$((($(wc -c <part.wav) - 44) / 4))" \
	"$(soxi -s part.wav)"
kill $hum
# At any moment between its calls, many times: nothing comes from cam, so nothing else would wake it.
check "ended by a signal at any moment" bash -c 'for i in $(seq 20); do
	devringctl cat cam -f raw >/dev/null & p=$!
	sleep 0.$(printf %02d $((i * 3))); kill $p; wait $p; [ $? = 143 ] || exit 1; done'
check "stats" has "^cam  *available" devringctl stats
check "stats --json" json_ok devringctl stats cam --json
check "stats --watch" same 3 "$(devringctl stats cam --watch 0.1 -n 3 --no-legend | wc -l)"
check "stats of nothing: status 3" ends 3 devringctl stats nothing
check "a frame without checksum is noticed: status 1" says 1 "do not match their checksum" \
	bash -c 'yes | devringctl write --name bad --media-type x & w=$!
	until exists bad; do sleep 0.1; done
	devringctl cat bad --verify -n 3 >/dev/null; s=$?; kill $w; exit $s'

progress "watching"
devringctl watch --json --changes-only >events &
watcher=$!
# It follows once it has told of something.
probe() {
	devringctl register probe && devringctl unregister probe
	grep -q '"name":"probe"' events
}
wait_for 60 probe
devringctl register new >/dev/null
devringctl unregister new
check "watch tells of what comes" wait_for 60 grep -q '"event":"added".*"name":"new"' events
check "and of what goes" wait_for 60 grep -q '"event":"removed".*"name":"new"' events
check "not of what was there" lacks '"name":"cam"' cat events
check "each line is JSON with its version" same "$(wc -l <events)" \
	"$(grep -c '^{"schema_version":1,' events)"
kill $watcher
check "watch begins with what there is" says 0 "added  *cam  *camera" devringctl watch -n 1
check "watch ends in time: status 124" says 124 "is over" devringctl watch --timeout 0.2

progress "speakers"
python3 - <<'END' &
import fcntl, os, struct, time
control = os.open("/dev/devring", os.O_RDWR)
register = bytearray(struct.pack("=IIIIQII64s384x", 480, 2, 4, 0, 0, 0, 0, b"spk"))
sink = fcntl.ioctl(control, 3 << 30 | 480 << 16 | 0xDE << 8 | 1, register)
ring = bytearray(struct.pack("=IIIIII64x", 88, 0, 64, 1280, 0, 0))
fcntl.ioctl(sink, 3 << 30 | 88 << 16 | 0xDE << 8 | 0x20, ring)
sound = struct.pack("=IIIIIIIQ", 2, 16000, 2, 4, 320, 0, 0, 0)
fmt = struct.pack("=IIIIIIIIIIQ80x", 136, 0, 2, 0, 2, 16000, 2, 4, 320, 0, 0)
fcntl.ioctl(sink, 3 << 30 | 136 << 16 | 0xDE << 8 | 0x21, bytearray(fmt))
open("spk.ready", "w").close()
got = b""
while len(got) < 32000:
    record = os.read(sink, 128)
    at = 0
    while at < len(record):
        size, kind = struct.unpack_from("=HH", record, at)
        if kind == 1:
            offset, = struct.unpack_from("=Q", record, at + 16)
            length, = struct.unpack_from("=I", record, at + 48)
            got += os.pread(sink, length, offset)
        at += size
open("played.raw", "wb").write(got)
time.sleep(60)
END
speaker=$!
wait_for 60 test -e spk.ready
check "a speaker cannot be read: status 4" ends 4 devringctl cat spk
sox tone.wav -r 8000 slow.wav
check "another rate: status 1, and what to do" bash -c 'devringctl write spk <slow.wav 2>err; s=$?
	cat err; [ $s = 1 ] && grep -q "sox - -r 16000 -c 2" err'
check "sound into a speaker" bash -c 'devringctl write spk <tone.wav'
wait_for 60 test -s played.raw
check "every sample of it" cmp played.raw tone.raw
kill $speaker

progress "public devices"
devringctl write --name pub --public --lines <forever &
public=$!
wait_for 60 exists pub
check "who may open the control node may read them" says 124 "No frame came" \
	nobody devringctl cat pub --timeout 0.2
nobody devringctl cat pub >/dev/null &
reader=$!
wait_for 60 has_readers pub 1
check "root sees who reads" has "^pub .*nobody" devringctl who pub
check "strangers see that somebody does" has '"hidden":' setpriv --reuid=65533 --regid=65533 \
	--clear-groups devringctl who pub --json
check "but not who" has '"pid":0,.*"uid":null.*"hidden":true' setpriv --reuid=65533 \
	--regid=65533 --clear-groups devringctl who pub --json
check "only root runs programs as others: status 4" says 4 "which is for root" \
	nobody devringctl grant pub --user root -- id
kill $reader $public

progress "recording and replaying"
frames() { python3 -c 'import sys
for i in range(int(sys.argv[1])): sys.stdout.buffer.write(bytes([i % 251]) * 4096)' "$1"; }
{ frames 10; wait_for 60 test -e go; frames 50; } | devringctl write --name film --fourcc GREY --size 64x64 --lossless 30s --wait --slots 4 &
film=$!
wait_for 60 devringctl info film >/dev/null
check "a device can say how long it waits for readers" says 0 '"deadline_ms":30000' devringctl info film --json
devringctl record film film.raw --json >recorded &
recorder=$!
wait_for 60 test -s film.raw
# Stopped, it keeps all slots, and its producer waits.
kill -STOP $recorder
touch go
wait_for 60 has '"frames":1[1-9],' devringctl info film --json
sleep 1
kill -CONT $recorder
finish $recorder
check "a recorder that was stopped for a while is waited for" same 0 $status
check "and has lost nothing" has '"delivered":60,"lost":0,.*"lossless":true,"demoted":false' cat recorded
finish $film
check "the recording has the frames, and an index of them" \
	same "$({ frames 10; frames 50; } | sha256sum)" "$(sha256sum - <film.raw)"
check "a line for each frame" same 60 "$(grep -c '"sequence"' film.raw.index)"
devringctl replay film.raw --name again --lossless 30s --wait &
replay=$!
wait_for 60 devringctl info again >/dev/null
check "it is replayed as a device" says 0 '"lost":0,' devringctl record again again.raw --json
finish $replay
check "and ends well" same 0 $status
check "the same frames come out" cmp film.raw again.raw
check "of the same format" same "$(grep -o '"format_bytes":"[0-9a-f]\{10\}' film.raw.index)" \
	"$(grep -o '"format_bytes":"[0-9a-f]\{10\}' again.raw.index)"
check "without an index: status 3" says 3 "No such file" devringctl replay film.raw.index --name x
head -n 5 film.raw.index >short.index && head -c 100 film.raw >short
check "one whose bytes are missing: status 1, and no device" says 1 "ends before the frame in line 3" \
	devringctl replay short --name short
check "(there is none)" says 3 short devringctl info short
printf 'nonsense\n' >bad.index && : >bad
check "a wrong line is named" says 1 'Line 1 of "bad.index"' devringctl replay bad --name bad
check "a folder that is not: status 3" says 3 "Cannot write .*No such file" devringctl record cam /nowhere/x
check "a wrong time to wait: status 2" says 2 "0.001s to 60s" devringctl register x --lossless 61s

progress "completion"
# complete WORD...: what bash would offer for the last word.
complete_words() {
	bash -c '. "$1"; shift; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_devringctl; printf "%s\n" "${COMPREPLY[@]}"' - \
		"$DEVRING_TOP/userspace/devringctl/completion.bash" "$@"
}
check "of commands" same $'snapshot\nstats' "$(complete_words devringctl s | sort | paste -sd'\n')"
check "of devices" same cam "$(complete_words devringctl cat c)"
check "of options" has "^--verify$" complete_words devringctl cat --v
check "of users" same root "$(complete_words devringctl grant cam --user roo)"
check "of values" same microphone "$(complete_words devringctl register x --type = mi)"

kill $writer
devringctl unregister cam
check "nothing is left" mute devringctl list --names
unload_devring
tap_end
