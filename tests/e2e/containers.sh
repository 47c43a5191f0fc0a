#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: containers, by unshare and by podman, that were given /dev/devring for reading. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

here=$DEVRING_TOP/tests/containers
programs=$build/tests/containers
usbemu=$build/tests/usbemu
# Who starts the containers: somebody without any right.
user=4242
as=(setpriv "--reuid=$user" "--regid=$user" --clear-groups env HOME=/tmp/home XDG_RUNTIME_DIR=/tmp/runtime)
root=/tmp/root
cd /tmp

start_devices() {
	load_devring
	load_vhci
	start_udevd
	load_vivid
	printf '[devringd]\nlinger_ms = 200\n' >devringd.conf
	mkdir state
	devringd -c devringd.conf -s state 2>devringd.log &
	wait_for 120 grep -q ready devringd.log || { cat devringd.log; guest_die "devringd is not ready"; }
	"$usbemu" --control /tmp/usbemu camera --name usbcam --serial CAM --count 3 --size 160x120 --unplugged \
		>usbemu.log 2>&1 &
	wait_for 60 usb stats || { cat usbemu.log; guest_die "no emulator"; }
	devringctl register closed >/dev/null
	devringctl register idle >/dev/null
	devringctl write closed --fourcc GREY --size 64x64 --fps 10 --realtime --checksum --slots 32 </dev/urandom &
	devringctl write --name open --public --fourcc GREY --size 64x64 --fps 10 --realtime --checksum --slots 32 \
		</dev/urandom &
	wait_for 60 test -e /dev/devrings/closed -a -e /dev/devrings/open
}

make_user() {
	groupadd -g $user contained && useradd -u $user -g $user -d /tmp/home -m contained
	echo contained:200000:65536 | tee -a /etc/subuid >>/etc/subgid
	mkdir runtime
	chown $user:$user runtime
}

make_root() {
	mkdir -p $root/{bin,dev,etc,lib,proc,run,shared,sys,tmp}
	cp /bin/busybox $root/bin/
	# inside runs it by the dynamic linker.
	cp "$build/bin/devringctl" $root/
	ldd "$build/bin/devringctl" | grep -o '/[^ ]*' | grep -v ':$' | xargs -I{} cp -L {} $root/lib/
	cp "$programs"/* "$here/inside" $root/
	chown -R $user:$user $root
}

usb() { "$usbemu" send /tmp/usbemu "$@" >/dev/null; }
latest() { devringctl info --json | grep -o '"change":[0-9]*' | cut -d: -f2; }
last_told() { awk '/^change/ { n = $2 } END { print n + 0 }' "$1"; }
at_rest() {
	local now
	now=$(latest)
	sleep 0.3
	[ "$now" = "$(latest)" ] && [ "$now" = "$(last_told outside)" ] &&
		[ "$now" = "$(last_told "$shared/follower")" ]
}
# step CONDITION...: until it holds and both followers have been told everything.
step() {
	wait_for 120 "$@" || echo "$*" >>in-vain
	wait_for 120 at_rest || echo "at rest after: $*" >>in-vain
	latest >>steps
}
seen() { grep -Eq -- "$1" outside; }
seen_often() { [ "$(grep -Ec -- "$2" outside)" -ge "$1" ]; }
came() { grep -c '^hotplug .*"topic":"camera\.'"$1"'"' outside || true; }
have_come() { [ "$(came "$1")" -ge "$2" ]; }
ended() { ! kill -0 "$1" 2>/dev/null; }

finish() {
	status=0
	wait_for 60 ended "$1" || kill -KILL "$1"
	wait "$1" || status=$?
}

# What happens to devices while both follow: others', and those that are plugged in and out.
change_devices() {
	local writer count
	: >steps
	: >in-vain
	step true
	devringctl register later --type camera >/dev/null
	step seen " later state 1 "
	devringctl write later --lines <forever &
	writer=$!
	step seen " later state 2 .* format 1 generation 1 "
	kill -KILL $writer
	step seen_often 2 " later state 1 "
	devringctl write later --fourcc GREY --size 8x8 <forever &
	writer=$!
	step seen " later state 2 .* format 2 generation 3 "
	devringctl cat later >/dev/null &
	step seen " later .* in_use 1"
	kill $!
	step seen_often 3 " later state 2 .* in_use 0"
	kill $writer
	count=$(came connected)
	usb plug 'usbcam*'
	step have_come connected $((count + 3))
	count=$(came disconnected)
	usb unplug 'usbcam*'
	step have_come disconnected $((count + 3))
	devringctl unregister later
	step seen "removed .* later "
	end_following
}
end_following() {
	devringctl register end >/dev/null
	step seen " end state 1 "
	devringctl unregister end
	wait_for 60 grep -q ^ended outside && wait_for 60 grep -q ^ended "$shared/follower" || echo end >>in-vain
	latest >>steps
}

settled() { "$here/settled.py" steps "$1"; }
# What became of one of them, as change_devices() made it.
of_later() { settled "$1" | sed -nE 's/^[0-9]+ ([a-z]+) [0-9]+ later (.*)/\1 \2/p'; }
wanted_of_later() {
	cat <<-'END'
		changed state 1 error 0 format 0 generation 0 in_use 0
		changed state 2 error 0 format 1 generation 1 in_use 0
		changed state 1 error 0 format 1 generation 0 in_use 0
		changed state 2 error 0 format 2 generation 3 in_use 0
		changed state 2 error 0 format 2 generation 3 in_use 1
		changed state 2 error 0 format 2 generation 3 in_use 0
		changed state 1 error 0 format 2 generation 0 in_use 0
		removed state 4 error 0 format 0 generation 0 in_use 0
	END
}
uevents() { grep -c "^uevent $1 .*" "$2" || true; }
more_than() { [ "$2" -gt "$1" ] || { echo "$2 is not above $1"; return 1; }; }
status_of() {
	wait_for 120 test -s "$shared/$1.status"
	same 0 "$(cat "$shared/$1.status")" || { cat "$shared/$1"; return 1; }
}
unhealthy() {
	wait_for 120 test -s "$shared/unhealthy.status"
	same "1 failed" "$(cat "$shared/unhealthy.status") $(sed -n 1p "$shared/unhealthy")" &&
		grep -q "idle: offline" "$shared/unhealthy" || { cat "$shared/unhealthy"; return 1; }
}
id_of() {
	wait_for 60 grep -q ^reading "$shared/$1" || true
	sed -n 's/^reading //p' "$shared/$1"
}
who() { devringctl who "$1" --json | python3 -c 'import json, sys
for r in json.load(sys.stdin)["readers"]:
    if r["reader"] == int(sys.argv[1]): print(r[sys.argv[2]])' "$2" "$3"; }

# It has a pid here and another one there.
who_tells() {
	local id=$1 pid
	pid=$(who open "$id" pid)
	same "$user contained reader" "$(who open "$id" uid) $(who open "$id" user) $(who open "$id" command)" &&
		fails same "$(readlink /proc/self/ns/pid)" "$(readlink "/proc/$pid/ns/pid")"
}

kselftest_results() {
	local verdict name
	while read -r verdict name; do
		check "$1: $name" test "$verdict" = ok
	done < <(sed -nE 's/^(not )?ok [0-9]+ (- )?contained\./\1ok /p' "$shared/checks" | sed 's/^not ok/not-ok/')
	[ "$(cat "$shared/checks.status")" = 0 ] || sed 's/^/# /' "$shared/checks"
}

# contain NAME COMMAND...: everything with a container that the command makes of /inside.
contain() {
	local name=$1 root_reader user_reader granter id
	shift
	shared=/tmp/shared-$name
	mkdir "$shared"
	chown $user:$user "$shared"
	rm -f outside
	devringctl cat open >/dev/null &
	root_reader=$!
	"${as[@]}" "$programs/reader" open >user-reader &
	user_reader=$!
	"$here/grant.py" /dev/devrings/closed "$shared/expiring.socket" 15 >/dev/null &
	"$here/grant.py" /dev/devrings/closed "$shared/revoked.socket" >/dev/null &
	granter=$!
	"$programs/follower" >outside &
	wait_for 60 test -s outside -a -S "$shared/expiring.socket" -a -S "$shared/revoked.socket" || true
	wait_for 60 grep -q ^reading user-reader || true
	progress "$name: starting"
	"${as[@]}" "$@" >"$name.log" 2>&1 &
	container=$!
	wait_for 120 test -s "$shared/follower" || { cat "$name.log" "$shared/follower"; guest_die "$name does not start"; }
	wait_for 120 test -s "$shared/checks.status" || { cat "$name.log" "$shared/checks"; guest_die "$name checks nothing"; }
	kselftest_results "$name"
	check "$name: devringctl health says there that devringd and the camera work" status_of health
	check "$name: and that what is offline does not" unhealthy

	progress "$name: changes"
	change_devices
	check "$name: all that was done came about" same "" "$(cat in-vain)"
	check "$name: it is told all that a listener outside is told" same "$(settled outside)" "$(settled "$shared/follower")"
	check "$name: that is what happened" same "$(wanted_of_later)" "$(of_later "$shared/follower")"
	check "$name: hotplug tells it the same events" same "$(grep ^hotplug outside)" "$(grep ^hotplug "$shared/follower")"
	check "$name: uevents of the kernel come outside" more_than 5 "$(uevents kernel outside)"
	check "$name: uevents of udev come outside" more_than 5 "$(uevents udev outside)"
	check "$name: none comes to it" same "0 0" \
		"$(uevents kernel "$shared/follower") $(uevents udev "$shared/follower")"

	progress "$name: access ends"
	id=$(id_of by-reader)
	check "$name: its reader is known outside, with its user and its pid" who_tells "$id"
	check "$name: it can be revoked there" devringctl revoke open --reader "$id"
	check "$name: its access ends everywhere, the map included" status_of by-reader
	check "$name: its other reader goes on" fails test -e "$shared/by-uid.status"
	id_of by-uid >/dev/null
	check "$name: its user can be revoked" devringctl revoke open --uid $user
	check "$name: all access of that user ends" status_of by-uid
	finish $user_reader
	check "$name: outside, too" same 0 $status
	check "$name: root's reader goes on" fails ended $root_reader
	check "$name: a grant that is passed in ends in time" status_of expiring
	id=$(id_of revoked)
	check "$name: a grant can be revoked" devringctl revoke closed --reader "$id"
	check "$name: it ends everywhere, the map included" status_of revoked
	finish $container
	check "$name: the container ends" same 0 $status
	[ $status = 0 ] || sed 's/^/# /' "$name.log"
	kill $root_reader $granter
	finish $root_reader
}
mkfifo forever
exec 9<>forever
start_devices
make_user
make_root
# Their namespaces, mounts, capabilities and seccomp filter are podman's own choice.
podman=(podman --cgroup-manager=cgroupfs --events-backend=none --storage-driver=vfs
	run --rm --network=none --log-driver=none)
contain unshare "$here/unshared" $root /tmp/shared-unshare /inside
contain podman "${podman[@]}" --cgroups=disabled --device /dev/devring:/dev/devring:r \
	--volume /tmp/shared-podman:/shared --rootfs $root /inside

# It prints for ever: the time that it gets is no measure.
progress "the example"
"${as[@]}" unshare --user --map-root-user --net --ipc timeout 20 python3 "$DEVRING_TOP/docs/examples/hotplug.py" \
	>example || true
check "the documents' example lists devices" grep -qx "camera3 offline" example
# The newest there is: what was unplugged last.
check "it prints events of hotplug" grep -q '"topic":"\(usb.detach\|camera.disconnected\)"' example

progress "podman, without --device"
"${as[@]}" "${podman[@]}" --cgroups=disabled --rootfs $root /bin/busybox ls /dev >nodes 2>podman.log || cat podman.log
check "podman: there are nodes" grep -qx null nodes
check "podman: there is no devring without --device" fails grep devring nodes

# Without a user namespace: root there is root here, but for capabilities, and for what the device cgroup says.
progress "podman, as root"
shared=/tmp/shared-root
mkdir $shared
rm -f outside
"$programs/follower" >outside &
"${podman[@]}" --device /dev/devring:/dev/devring:r --volume $shared:/shared --rootfs $root /bin/busybox sh -c \
	'busybox sh -c ": >/dev/devring" 2>/shared/writing; exec /follower >/shared/follower' >podman.log 2>&1 &
container=$!
wait_for 120 test -s $shared/follower || { cat podman.log; guest_die "podman does not start a container as root"; }
: >in-vain
: >steps
step true
count=$(came connected)
usb plug usbcam1
step have_come connected $((count + 1))
end_following
check "as root: all that was done came about" same "" "$(cat in-vain)"
check "as root: it is told all that a listener outside is told" same "$(settled outside)" "$(settled $shared/follower)"
check "as root: uevents of the kernel come to it" more_than 5 "$(uevents kernel $shared/follower)"
check "as root: uevents of udev come outside" more_than 5 "$(uevents udev outside)"
check "as root: those of udev do not come to it" same 0 "$(uevents udev $shared/follower)"
check "as root: the device cgroup keeps it from writing" grep -q "not permitted" $shared/writing
finish $container
check "as root: the container ends" same 0 $status
writes_on_read_only_mount() {
	unshare --mount sh -c ': >node && mount --bind /dev/devring node && mount -o remount,bind,ro node &&
		! chmod 664 node 2>/dev/null && : >node'
}
check "a read-only mount keeps nobody from writing to a node" writes_on_read_only_mount
tap_end
