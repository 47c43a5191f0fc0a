# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by tests/demo/guest: what it says, its checks, and its readers.

checks=0 failures=()

tell() { printf '[%3d s] %s\n' $SECONDS "$*"; }

# check NAME COMMAND...: one thing that was promised, tried. A line for people, and one of TAP.
# What a failing command printed stands below it.
check() {
	local name=$1 output
	shift
	checks=$((checks + 1))
	if output=$("$@" 2>&1); then
		printf '           yes: %s\n' "$name"
		printf 'ok %d - %s\n' $checks "$name" >>"$results/tap"
		return 0
	fi
	failures+=("$name")
	printf '            NO: %s\n' "$name"
	[ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/                /'
	printf 'not ok %d - %s\n' $checks "$name" >>"$results/tap"
}

same() { [ "$1" = "$2" ] || { printf 'expected %s\nfound    %s\n' "$1" "$2"; return 1; }; }
judge() { "$DEVRING_TOP/tests/demo/judge.py" "$@"; }

# What sysfs has of a device.
attribute() {
	local node
	node=$(readlink -f "/dev/devrings/$1")
	cat "/sys/class/devring/${node##*/}/$2"
}
attribute_is() { [ "$(attribute "$1" "$2")" = "$3" ]; }

# ---- Readers: each has a number; the arrays tell the rest ----

reader_name=() reader_device=() reader_kind=() reader_pid=() reader_counts=() reader_said=()
reader_id=() consumers=()

# remember NAME DEVICE KIND PID COUNTS [SAID]: KIND as for judge.py counts.
remember() {
	reader_name+=("$1") reader_device+=("$2") reader_kind+=("$3") reader_pid+=("$4")
	reader_counts+=("$5") reader_said+=("${6:-}")
}

# c_reader NAME DEVICE [OPTION...]
c_reader() {
	local file=${#reader_name[@]}
	"$build/tests/demo/reader" "${@:3}" "$2" >"$file.out" 2>"$file.err" &
	remember "$1" "$2" json $! "$file.out" "$file.err"
}

python_reader() {
	local file=${#reader_name[@]}
	"$DEVRING_TOP/tests/demo/verify.py" "/dev/devrings/$2" >"$file.out" 2>"$file.err" &
	remember "$1" "$2" json $! "$file.out" "$file.err"
}

short_python_reader() {
	local file=${#reader_name[@]}
	"$DEVRING_TOP/docs/examples/reader.py" "/dev/devrings/$2" >"$file.out" 2>"$file.err" &
	remember "$1" "$2" lines $! "$file.out"
}

# pipe NAME DEVICE COMMAND...: devringctl cat DEVICE | COMMAND, whose output goes to N.log.
pipe() {
	local name=$1 device=$2 file=${#reader_name[@]}
	shift 2
	{
		echo $BASHPID >"$file.pid"
		exec devringctl cat --json --verify --start=0 "$device" 2>"$file.out"
	} | "$@" >"$file.log" 2>&1 &
	consumers+=($!)
	wait_for 30 test -s "$file.pid"
	remember "$name" "$device" cat "$(cat "$file.pid")" "$file.out"
}

readers_of() {
	local i
	for i in "${!reader_name[@]}"; do
		[ "${reader_device[i]}" != "$1" ] || echo "$i"
	done
}

# The kernel's own account of all readers, in `who` and later for comparison in `who.before`.
ask_who() { judge who "${devices[@]}" >who; }
# field READER N: of its line in `who`.
field() { awk -v pid="${reader_pid[$1]}" -v n="$2" '$3 == pid { print $n }' "${3:-who}"; }

# names_all DEVICE: who names exactly the readers that were started, by their pids and programs.
names_all() {
	local i wanted='' program
	for i in $(readers_of "$1"); do
		program=$(cat "/proc/${reader_pid[i]}/comm") || return 1
		wanted+="${reader_pid[i]} $program"$'\n'
	done
	ask_who
	same "$(sort <<<"${wanted%$'\n'}")" \
		"$(awk -v device="$1" '$1 == device { print $3, $4 }' who | sort)"
}

# mark: from here on. goes_on [DEVICE]: since then each reader got five more frames, on the file that
# it had when it was first marked (the kernel numbers files and uses no number twice).
mark() {
	local i
	ask_who
	cp who who.before
	for i in "${!reader_name[@]}"; do
		[ -n "${reader_id[i]:-}" ] || reader_id[i]=$(field "$i" 2)
	done
}
got_more() {
	local i now before
	ask_who
	for i in "${!reader_name[@]}"; do
		[ -z "${1:-}" ] || [ "${reader_device[i]}" = "$1" ] || continue
		now=$(field "$i" 5) before=$(field "$i" 5 who.before)
		if [ -z "$now" ] || [ "$now" -lt $((${before:-0} + 5)) ]; then
			echo "${reader_name[i]} on ${reader_device[i]}: ${now:-none} after ${before:-none}"
			return 1
		fi
		[ -z "${reader_id[i]:-}" ] || [ "${reader_id[i]}" = "$(field "$i" 2)" ] ||
			{ echo "${reader_name[i]} opened the device again"; return 1; }
	done
}
goes_on() { wait_for 90 got_more "$@" || got_more "$@"; }

# told_offline TIMES [DEVICE]: those that print what they are told were told so often.
were_told() {
	local i
	for i in "${!reader_name[@]}"; do
		[ -n "${reader_said[i]}" ] || continue
		[ -z "${2:-}" ] || [ "${reader_device[i]}" = "$2" ] || continue
		[ "$(grep -c 'state offline' "${reader_said[i]}")" = "$1" ] ||
			{ echo "${reader_name[i]} on ${reader_device[i]} was not told"; return 1; }
	done
}
told_offline() { wait_for 60 were_told "$@" || were_told "$@"; }

# caught_up: each reader has got, or lost, all that was committed.
caught_up() {
	local i
	ask_who
	for i in "${!reader_name[@]}"; do
		[ "$(field "$i" 7)" = "$(attribute "${reader_device[i]}" head)" ] ||
			{ echo "${reader_name[i]} waits for $(field "$i" 7)"; return 1; }
	done
}

readers_ended() { ! kill -0 "${reader_pid[@]}" "${consumers[@]}" 2>/dev/null; }

# counts_right READER: its own counts are the kernel's, and add up; a line for the report.
counts_right() {
	local line first delivered lost rings
	line=$(judge counts "${reader_kind[$1]}" "$(attribute "${reader_device[$1]}" head)" \
		"$(field "$1" 5)" "$(field "$1" 6)" "${reader_counts[$1]}") || { echo "$line"; return 1; }
	read -r first delivered lost rings <<<"$line"
	table_line "${reader_name[$1]}" "${reader_device[$1]}" "${reader_pid[$1]}" "$first" \
		"$delivered" "$lost" $((first + delivered + lost)) "$rings" >>table
}
table_line() { printf '%-34s %-12s %7s %8s %10s %6s %10s %6s\n' "$@"; }
