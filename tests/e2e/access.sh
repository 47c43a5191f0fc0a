#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest, which audits: who may read loses it with his right, and it is known who reads.
# journald, udevd and its rules are the real ones; of logind there are its files alone, written here
# in the order in which it writes them. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

cd /tmp
here=$DEVRING_TOP/tests/e2e
seats=/run/systemd/seats
conf=/tmp/devringd.conf
alice=1001 bob=1002
# As its unit has it.
as=(setpriv --reuid=devring --regid=devring "--groups=devring,video,audio")
audit=(--inh-caps=+audit_write --ambient-caps=+audit_write)
daemon='' reader=''

# entry FIELD=VALUE...: the journal has an entry with all of them, which is left in `entry`.
entry() { journalctl --quiet --output=json "$@" >entry && [ -s entry ]; }
comes() { wait_for 60 entry "$@" || { journalctl --no-pager | tail -n 20; return 1; }; }
field() { python3 -c 'import json, sys
for line in open("entry"): print(json.loads(line).get(sys.argv[1], "-"))' "$1" | tail -n 1; }
# Each action's message has the id that docs/access.md has.
ids() {
	local action id n=0
	while read -r action id; do
		n=$((n + 1))
		entry "DEVRING_ACTION=$action" && same "$id" "$(field MESSAGE_ID)" || { echo "$action"; return 1; }
	done < <(sed -n 's/^| `\([a-z-]*\)` | `\([0-9a-f]\{32\}\)` .*/\1 \2/p' "$DEVRING_TOP/docs/access.md")
	same 9 $n
}
# audits TEXT: the kernel's audit has a record of the type USER_DEVICE with it.
audits() { wait_for 60 grep -Eq "^1137 .*$1" audited || { grep ^1137 audited | tail; return 1; }; }
# More than before: how often is in the log what had been there before.
count() { journalctl --quiet --output=cat "$@" | wc -l; }

# start [OPTION OF setpriv...]: devringd, as systemd starts it; back when it is ready.
start() {
	local before
	before=$(count DEVRING_ACTION=ready)
	# shellcheck disable=SC2016 # the inner shell knows its descriptor
	systemd-cat --identifier=devringd sh -c 'export JOURNAL_STREAM=$(stat -Lc %d:%i /dev/fd/2); exec "$@"' - \
		"${as[@]}" "$@" devringd -c $conf -s /tmp/state &
	daemon=$!
	ready() { [ "$(count DEVRING_ACTION=ready)" -gt "$before" ]; }
	wait_for 60 ready || guest_die "devringd does not start: $(journalctl | tail -n 20)"
	udevadm settle --timeout=60
}
stop() {
	kill -TERM "$daemon"
	wait "$daemon"
}

# delivered PID: how many frames that process got.
delivered() { devringctl who camera0 --json | grep -o "\"pid\":$1,[^}]*\"delivered\":[0-9]*" | grep -o '[0-9]*$'; }
got_more() { [ "$(delivered "$1")" -gt "$2" ]; }
# follow UID [GROUP]: that user reads the camera in the background; sets `reader`.
follow() {
	setpriv --reuid="$1" --regid="$1" "--groups=${2:-$1}" devringctl cat camera0 >/dev/null 2>"said-$1" &
	reader=$!
	wait_for 60 got_more $reader 0 || guest_die "uid $1 cannot read: $(cat "said-$1")"
}
ended() { ! kill -0 "$1" 2>/dev/null; }
# status_of PID: of a background process, which ends by itself. Not within a check.
status_of() {
	status=0
	wait_for 60 ended "$1" || kill -KILL "$1"
	wait "$1" || status=$?
}
goes_on() { wait_for 60 got_more "$1" "$(delivered "$1")"; }
may_read() { setpriv --reuid="$1" --regid="$1" --clear-groups test -r /dev/devrings/camera0; }

# seat UID: logind's file of the seat says that this user sits there; replaced in one step.
seat() {
	printf 'IS_SEAT0=1\nCAN_GRAPHICAL=1\nACTIVE=c%s\nACTIVE_UID=%s\n' "$1" "$1" >$seats/.new
	mv $seats/.new $seats/seat0
}

mkdir -p $seats /run/systemd/sessions /run/systemd/users /run/systemd/journal
mkdir -p /run/systemd/journald.conf.d
printf '[Journal]\nAudit=yes\n' >/run/systemd/journald.conf.d/audit.conf
[ -s /etc/machine-id ] || systemd-id128 new >/etc/machine-id
/lib/systemd/systemd-journald &
wait_for 60 test -S /run/systemd/journal/socket || guest_die "systemd-journald does not start"
"$here/audited.py" >audited &
wait_for 60 grep -q listening audited || guest_die "the kernel's audit cannot be followed"
seat $alice
start_udevd
# Room for devringd's own two devices alone.
load_devring "$build/kmod/devring.ko" user_devices=2
load_vivid
udevadm settle --timeout=60
printf '[devringd]\nmicrophones = no\nspeakers = no\nlinger_ms = 100\n[camera]\nmax_size = 320x180\nfps = 5\n' >$conf

progress "devices"
start "${audit[@]}"
check "a device that cannot be: the journal" comes DEVRING_ACTION=refused PRIORITY=3
check "and the audit" audits "op=refused device=.* res=failed"
stop
echo 100 >/sys/module/devring/parameters/user_devices
start "${audit[@]}"
check "a device that is: the journal" comes DEVRING_ACTION=registered DEVRING_DEVICE=camera0
id=$(field DEVRING_ID)
check "with its id" same "$(cat /sys/class/devring/"$(basename "$(readlink /dev/devrings/camera0)")"/id)" "$id"
plugging=$(field DEVRING_CORRELATION)
record=$(devringctl events --json --topic camera.connected | tail -n 1)
check "with the number of its plugging in, as its event has it" grep -q "\"correlation_id\":$plugging," <<<"$record"
check "and the audit" audits "uid=$(id -u devring) .*op=registered device=\"camera0\" id=$id exe=.* res=success"

progress "readers"
check "the user at the seat may read" may_read $alice
check "others may not" fails may_read $bob
follow $alice
a=$reader
check "who reads: the journal" comes DEVRING_ACTION=reader-started DEVRING_READER_PID="$a"
check "with his uid" same $alice "$(field DEVRING_READER_UID)"
check "with the device" same "camera0 $id $plugging" \
	"$(field DEVRING_DEVICE) $(field DEVRING_ID) $(field DEVRING_CORRELATION)"
number=$(field DEVRING_READER)
check "and the audit" audits \
	"op=reader-started device=\"camera0\" id=$id reader=$number obj_uid=$alice opid=$a exe=.* res=success"
check "that it streams, with the number of the plugging in" comes DEVRING_ACTION=streaming DEVRING_DEVICE=camera0 \
	DEVRING_CORRELATION="$plugging"
# One for another, while devringd looks elsewhere: as many as before.
kill -STOP "$daemon"
video=$(getent group video | cut -d: -f3)
setpriv --reuid=1003 --regid=1003 "--groups=$video" devringctl cat camera0 >/dev/null 2>said-1003 &
v=$!
reads() { grep -q "$1.*reading" <<<"$(devringctl who camera0 --no-legend)"; }
wait_for 60 reads "$v" || guest_die "uid 1003 cannot read: $(cat said-1003)"
kill "$a"
status_of "$a"
kill -CONT "$daemon"
check "who stops: the journal" comes DEVRING_ACTION=reader-stopped DEVRING_READER="$number" \
	DEVRING_READER_PID="$a" DEVRING_READER_UID=$alice
check "and the audit" audits "op=reader-stopped .* reader=$number obj_uid=$alice opid=$a "
check "who takes his place, unseen by the count" comes DEVRING_ACTION=reader-started \
	DEVRING_READER_PID="$v" DEVRING_READER_UID=1003
devringctl grant camera0 --user nobody -- devringctl cat --fd 3 >/dev/null &
grant=$!
granted() { lent=$(pgrep -P $grant devringctl) && got_more "$lent" 0; }
wait_for 60 granted || guest_die "what was granted cannot be read"
check "a grant: the journal has both processes" comes DEVRING_ACTION=reader-granted \
	DEVRING_READER_UID=0 DEVRING_READER_PID="$lent" \
	DEVRING_READER_OPEN_PID=$grant
check "and the audit" audits "op=reader-granted .* obj_uid=0 opid=$lent "
kill "$lent"
status_of $grant

progress "seats"
follow $alice
a=$reader
# Since version 258 of systemd: the seat's file, then an event, at which udevd sets the list.
before=$(count DEVRING_ACTION=reader-revoked)
seat $bob
udevadm trigger --action=change --subsystem-match=devring
udevadm settle --timeout=60
check "(udevd gave it to the new user)" may_read $bob
check "(and to no other)" fails may_read $alice
status_of "$a"
check "another sits at the seat: who sat there has lost access" same 4 $status
check "and is told" grep -q "taken away" said-$alice
check "the journal" comes DEVRING_ACTION=reader-revoked DEVRING_READER_UID=$alice DEVRING_READER_PID="$a"
check "and the audit" audits "op=reader-revoked .* obj_uid=$alice opid=$a "
check "and how many there were" comes DEVRING_ACTION=rechecked MESSAGE="camera0: 1 lost access with their right to it"
check "who has another right goes on" goes_on "$v"
follow $bob
b=$reader
# Up to version 257: the lists, then the file.
setfacl -x u:$bob -m u:$alice:rw "$(readlink -f /dev/devrings/camera0)"
check "while nobody says so, he keeps it" goes_on "$b"
seat $alice
status_of "$b"
check "and back: the other has lost it" same 4 $status
check "who has another right goes on again" goes_on "$v"
check "these two were all" same $((before + 2)) "$(count DEVRING_ACTION=reader-revoked)"
follow $alice
a=$reader
stop
# Or udevd, for which the device changes as devringd goes and comes, would give it back.
seat $bob
setfacl -x u:$alice "$(readlink -f /dev/devrings/camera0)"
start "${audit[@]}"
status_of "$a"
check "a right that was lost while devringd was away" same 4 $status
check "who has another right is the same reader as before" goes_on "$v"
kill "$v"
status_of "$v"

progress "plugging"
# devringd was away, and has found it anew.
comes DEVRING_ACTION=online DEVRING_DEVICE=camera0 || guest_die "camera0 is not online"
plugging=$(field DEVRING_CORRELATION)
wait_for 60 rmmod vivid || guest_die "vivid does not go"
check "unplugged: the journal" comes DEVRING_ACTION=offline DEVRING_DEVICE=camera0 DEVRING_CORRELATION="$plugging"
load_vivid
check "plugged in again: the journal" comes DEVRING_ACTION=online DEVRING_DEVICE=camera0 DEVRING_ID="$id"
again=$(field DEVRING_CORRELATION)
check "which is another plugging in" test "$again" -gt "$plugging"

progress "configuration"
before=$(grep -c reader-started audited)
known=$(count DEVRING_ACTION=reader-started)
sed -i "1a audit = no" $conf
kill -HUP "$daemon"
wait_for 60 entry MESSAGE="configuration read again"
devringctl cat camera0 -n 1 >/dev/null
logged() { [ "$(count DEVRING_ACTION=reader-started)" -gt "$known" ]; }
check "audit = no: the journal has readers still" wait_for 60 logged
check "and the audit has them no more" same "$before" "$(grep -c reader-started audited)"
printf '[devringd]\ncameras = no\n' >$conf
kill -HUP "$daemon"
check "a device that is not wanted: the journal" comes DEVRING_ACTION=removed DEVRING_DEVICE=camera0 DEVRING_ID="$id"
check "and the audit" audits "op=removed device=\"camera0\" id=$id "
check "each action's message has its id" ids
stop
start
check "without the capability it says so" comes MESSAGE="nothing goes into the kernel's audit (Operation \
not permitted): that needs CAP_AUDIT_WRITE, and a kernel that has it"
stop
tap_end
