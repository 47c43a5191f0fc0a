# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by what prepares a clean system on the host and boots it: after common.sh and tap.sh. What is done to the
# system goes into an upper layer in memory, in a mount namespace of our own.

out=$build/packages
system=$out/system

# in_own_namespace ARG...: starts this script again where its mounts are nobody else's, as root.
in_own_namespace() {
	local as_root=()
	[ "$(id -u)" = 0 ] || as_root=(sudo -n)
	exec "${as_root[@]}" unshare --mount "$0" "$@"
}

# make_packages: those of the checkout, into build/dist; what was said meanwhile into $out/build.log.
make_packages() {
	mkdir -p "$out"
	if ! make deb >"$out/build.log" 2>&1; then
		tail -n 30 "$out/build.log"
		die "the packages cannot be built; the log is $out/build.log"
	fi
}

# new_system: a clean one at $system, as the tree that is kept has it.
new_system() {
	local tree
	! mountpoint -q "$system" || umount -R "$system"
	! mountpoint -q "$out/layers" || umount "$out/layers"
	mkdir -p "$system" "$out/layers"
	tree=$("$top/tests/kernels/fetch" system)
	mount -t tmpfs -o mode=755 layers "$out/layers"
	mkdir "$out/layers/upper" "$out/layers/work"
	mount -t overlay system -o "lowerdir=$tree,upperdir=$out/layers/upper,workdir=$out/layers/work" "$system"
	mkdir -p "$system/root/checkout/build"
	cp -r "$build/dist" "$system/root/checkout/build/"
}

# in_system COMMAND: a shell's line in the system's checkout, as in a chroot of an installer.
in_system() {
	unshare --mount --pid --fork --kill-child bash -ec '
		mount -t proc proc "$0/proc"
		mount --bind /dev "$0/dev"
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive chroot "$0" sh -ec "cd /root/checkout; $1"' "$system" "$1" </dev/null 2>&1
}

# boot NAME SECONDS [OPTION...] SCRIPT [ARG...]: runs the script in the system that booted; its tests count on.
boot() {
	local name=$1 seconds=$2 rc=0
	shift 2
	rm -f "$out/$name/tap-count"
	DEVRING_TAP_COUNT=$tap_count "$top/tests/vm/run" -t "$seconds" -m 2048 -S "$system" -o "$out/$name" "$@" ||
		rc=$?
	[ ! -s "$out/$name/tap-count" ] || tap_count=$(cat "$out/$name/tap-count")
	check "$name: the guest ended well and its kernel found no fault" same 0 $rc
}

# The commands of the README from the installation to the first frame.
readme_commands() {
	rm -rf "$out/readme"
	mkdir -p "$out/readme"
	"$top/tests/docs/blocks.py" system "$out/readme" "$top/README.md"
	cat "$out/readme"/*.sh
}
