#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/e2e/dkms.sh: DKMS adds, builds, installs and removes the module, in its usual places. These
# are covered by throw-away ones in a mount namespace of our own, by root or sudo.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/tap.sh"

if [ "${1:-}" != private ]; then
	as_root=()
	[ "$(id -u)" = 0 ] || as_root=(sudo -n)
	exec "${as_root[@]}" unshare --mount "$0" private
fi

# /var/lib/dkms is hidden, /usr/src and /lib/modules get an upper layer in it.
mount -t tmpfs dkms /var/lib/dkms
for dir in /usr/src /lib/modules; do
	layers=/var/lib/dkms/.layers$dir
	mkdir -p "$layers/upper" "$layers/work"
	mount -t overlay dkms -o "lowerdir=$dir,upperdir=$layers/upper,workdir=$layers/work" "$dir"
done

version=$(cat "$top/VERSION")
kernel=$("$top/tests/lib/guest-kernel" headers)
module=/lib/modules/$kernel/updates/dkms/devring.ko
dkms_here() { dkms "$@" -m devring -v "$version" -k "${on:-$kernel}"; }
status() { dkms status -m devring -v "$version" -k "$kernel"; }
sources() { find "/usr/src/devring-$version" -type f -exec md5sum {} + | sort -k2; }
reports() {
	local text=$1 output
	shift
	output=$("$@" 2>&1) || true
	printf '%s\n' "$output" | grep -F -- "$text" || { printf '%s\n' "$output"; return 1; }
}
# A kernel of this release, as far as DKMS looks: the folder of headers of a real one.
pretend_kernel() {
	mkdir -p "/lib/modules/$1"
	ln -s "$(readlink -f "/lib/modules/$kernel/build")" "/lib/modules/$1/build"
}

check "make dkms-tree puts the sources where DKMS looks" \
	make -C "$top" dkms-tree DESTDIR= dkmsdir=/usr/src
before=$(sources)
check "dkms add" dkms add -m devring -v "$version"
check "dkms add reads the version" reports "devring/$version" dkms status -m devring
check "dkms build" dkms_here build
check "dkms build leaves the sources as they were" same "$before" "$(sources)"
check "dkms status says built" reports built status
check "dkms install" dkms_here install
check "dkms status says installed" reports installed status
check "the module lies where modprobe finds it" same "$module" \
	"$(modinfo -k "$kernel" -F filename devring 2>&1)"
check "it is of this version" same "$version" "$(modinfo -F version "$module" 2>&1)"
check "it is for this kernel" same "$kernel" "$(modinfo -F vermagic "$module" 2>&1 | cut -d' ' -f1)"
check "it is signed with the machine's own key" test -n "$(modinfo -F signer "$module" 2>/dev/null)"

pretend_kernel 5.4.0-1-amd64
on=5.4.0-1-amd64
check "a kernel that is too old is passed over, with the reason" \
	reports "BUILD_EXCLUSIVE directive" dkms_here build
on=
check "dkms remove" dkms remove -m devring -v "$version" --all
check "dkms remove leaves no module" test ! -e "$module"
check "dkms status knows nothing more" same "" "$(status)"
tap_end
