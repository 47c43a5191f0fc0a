# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by bash scripts that tests/vm/run runs in the guest:
#	. "$DEVRING_TOP/tests/vm/guest-lib.sh"

build=${DEVRING_BUILD:-$DEVRING_TOP/build}
export PATH=$build/bin:$PATH LD_LIBRARY_PATH=$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

# A line for whoever watches, marked as a TAP comment, with the guest's age in seconds.
progress() { printf '# [%s] %s\n' "$(cut -d' ' -f1 /proc/uptime)" "$*"; }

# Ends the script with a sentence; the status is that of a broken set-up, not of a failed test.
guest_die() {
	printf 'guest: %s\n' "$*" >&2
	exit 2
}

# wait_for SECONDS COMMAND...: until the command succeeds; false when it never did.
wait_for() {
	local deadline=$((SECONDS + $1)) tenths=1
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		# What is waited for has to share the processor with who asks for it.
		sleep 0.$tenths
		tenths=$((tenths < 3 ? tenths + 1 : 3))
	done
}

# load_devring [MODULE.ko [PARAMETER=VALUE...]]: the module, and before it what it depends on.
load_devring() {
	local module=${1:-$build/kmod/devring.ko} dependency
	[ -r "$module" ] || guest_die "$module is missing: run make"
	shift || true
	for dependency in $(modinfo -F depends "$module" | tr ',' ' '); do
		modprobe "$dependency" || guest_die "cannot load $dependency for $module"
	done
	insmod "$module" "$@" || guest_die "cannot load $module: $(dmesg | tail -n 1)"
}

unload_devring() { rmmod devring; }

# Prints what is there of a module that is gone: caches, numbers, nodes. False if that is nothing.
left_over() {
	{
		grep -w devring /proc/{slabinfo,modules,devices,misc,filesystems} 2>/dev/null
		compgen -G '/dev/devring'
		compgen -G '/dev/devring[0-9]*'
		compgen -G '/sys/class/devring'
		true
	} | grep .
}

# Processes that have open or mapped: a node, a file that the module made of one, a dma-buf.
users_of_devring() {
	find /proc/[0-9]*/{fd,map_files} \( -lname '/dev/devring*' -o -lname 'anon_inode:\[devring\]*' \
		-o -lname '/dmabuf:*' \) 2>/dev/null | cut -d / -f 3 | sort -u
}

# end_devring: at the end of each guest. Ends devringd and whoever else uses the module, by SIGKILL after five seconds,
# and unloads it. If it does not go within 30 s, or leaves something, the kernel's log is told, which fails the run.
end_devring() {
	local began=$SECONDS signal=TERM left users
	[ ! -d /run/systemd/system ] || systemctl stop devringd 2>/dev/null
	until unload_devring 2>/dev/null; do
		mapfile -t users < <(pgrep -x devringd; users_of_devring)
		if [ $((SECONDS - began)) -ge 30 ]; then
			left=$([ ${#users[@]} = 0 ] || ps -o pid=,comm= -p "${users[*]}")
			tell_log "the module stays: $(cat /sys/module/devring/refcnt) uses; processes: $left"
			return 1
		fi
		[ $((SECONDS - began)) -lt 5 ] || signal=KILL
		[ ${#users[@]} = 0 ] || kill -s $signal "${users[@]}" 2>/dev/null
		sleep 0.2
	done
	! left=$(left_over) || tell_log "after the module: $left"
}
tell_log() {
	local text=${1//$'\n'/, }
	echo "<3>tests/vm/guest-lib.sh: leaked: ${text:0:800}" >/dev/kmsg
}

# udev as on a real machine, with the checkout's rules, over the devices that are there already.
start_udevd() {
	local conf
	for conf in "$DEVRING_TOP"/udev-rules/*sysusers*.conf; do
		[ ! -r "$conf" ] || systemd-sysusers "$conf" || guest_die "systemd-sysusers: $conf"
	done
	getent group devring >/dev/null || groupadd --system devring
	mkdir -p /run/udev/rules.d
	cp "$DEVRING_TOP"/udev-rules/*.rules /run/udev/rules.d/ || guest_die "no rules in udev-rules/"
	/lib/systemd/systemd-udevd --daemon || guest_die "systemd-udevd does not start"
	udevadm trigger --type=subsystems --action=add
	udevadm trigger --type=devices --action=add
	udevadm settle --timeout=120 || guest_die "udev did not settle in 120 s"
}

# load_vivid [PARAMETER=VALUE...]: one emulated V4L2 camera, unless told otherwise.
load_vivid() {
	if [ $# -eq 0 ]; then set -- n_devs=1 node_types=0x1; fi
	modprobe vivid "$@" || guest_die "cannot load vivid"
	wait_for 30 test -c /dev/video0 || guest_die "vivid made no /dev/video0"
}

# load_aloop [PARAMETER=VALUE...]: what is played on hw:Loopback,0,0 is captured on hw:Loopback,1,0.
load_aloop() {
	modprobe snd-aloop "$@" || guest_die "cannot load snd-aloop"
	wait_for 30 grep -q Loopback /proc/asound/cards || guest_die "snd-aloop made no card"
}

# The virtual USB host controller that an emulated USB device is attached to.
load_vhci() {
	modprobe vhci-hcd "$@" || guest_die "cannot load vhci-hcd"
	wait_for 30 test -w /sys/devices/platform/vhci_hcd.0/attach ||
		guest_die "vhci-hcd has no attach file"
}

# What devringd uses: its process is in $daemon, and what is printed for all to see goes to 3.
memory() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$daemon/smaps_rollup"; }
below() { [ "$1" -lt "$2" ] || { echo "$1 is not below $2"; return 1; }; }
switches() { awk '/^voluntary_ctxt/ { print $2 }' "/proc/$daemon/status"; }
# Of devringd's clocks none is set: nothing will wake it but what happens. (The one that tells when the machine's clock
# is set is for the end of time.)
no_timer() {
	cat /proc/"$daemon"/fdinfo/* >clocks 2>/dev/null
	grep -q ^it_value: clocks &&
		awk -F '[(,)]' '/^it_value:/ && $2 + $3 && $2 < 1e9 { print; set = 1 } END { exit set }' clocks
}

# rests MOST SECONDS: no more voluntary context switches than that in so many seconds.
rests() {
	local before after
	before=$(switches)
	sleep "$2"
	after=$(switches)
	echo "# $((after - before)) voluntary context switches in $2 s" >&3
	below $((after - before)) $(($1 + 1))
}
