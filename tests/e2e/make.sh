#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/e2e/make.sh: the makefile does what people expect of one.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/tap.sh"
cd "$top"

work=$(mktemp -d)
cache=docs/examples/__pycache__
[ ! -e "$cache" ] || cache=$work/cache
trap 'rm -rf "$work" "$cache"' EXIT
root=$work/root
release=$(tests/lib/guest-kernel headers)
kdir=/lib/modules/$release/build

all_files() { find "$root" ! -type d -printf '/%P\n' | sort; }
all_below() { exist / && ! all_files | grep -vE "$1"; }
says() {
	local text=$1 output
	shift
	output=$("$@" 2>&1) && { echo "it succeeded"; return 1; }
	printf '%s\n' "$output" | grep -F -- "$text" || { printf '%s\n' "$output"; return 1; }
}
exist() {
	local file missing=0
	for file in "$@"; do
		[ -e "$root$file" ] || { echo "$file is missing"; missing=1; }
	done
	return $missing
}
# Paths of documents in pages.
named_documents() {
	grep -ohE '/usr/(local/)?share/doc/[a-z/-]*[a-z]' -r "$root"/usr/share/man "$root"/usr/local/share/man 2>/dev/null |
		sort -u >"$work/named"
	[ -s "$work/named" ] || { echo "no page names the documents"; return 1; }
	mapfile -t named <"$work/named"
	exist "${named[@]}"
}
products() { find kmod uapi udev-rules docs userspace -name '*.o' -o -name '*.ko' -o -name '*.cmd' -o -name '*.d'; }
# What kbuild and the compiler made, and when.
made() { find build/kmod/devring.ko build/bin build/lib -type f -printf '%p %T@\n' | sort; }
install_to() { make -s install DESTDIR="$root" "$@" 2>&1; }
uninstall_from() { make -s uninstall DESTDIR="$root" "$@" 2>&1; }
uninstall_says() { uninstall_from | grep -F -- "$1"; }

check "make builds all" make -s all KDIR="$kdir"
before=$(made)
check "make again" make -s all KDIR="$kdir"
check "make again makes nothing again" same "$before" "$(made)"
check "no product lies among the sources" same "" "$(products)"
check "a wrong KDIR is named, with the remedy" \
	says "KDIR=/nowhere has no Makefile: give the folder" make modules KDIR=/nowhere
check "missing headers are named, with the remedy" \
	says "apt-get install linux-headers-amd64" make modules KDIR=

# What running an example leaves.
mkdir "$cache"
touch "$cache/ring.cpython-311.pyc"
check "git does not see it" same "" "$(git status --short --untracked-files docs/examples 2>/dev/null | grep pycache)"
would=$(install_to prefix=/usr DRY_RUN=1)
check "make install DRY_RUN=1 makes nothing" test ! -e "$root"
check "make install DESTDIR=... prefix=/usr" install_to prefix=/usr
check "what it had told is what it did" same "$would" "$(all_files | sed "s|^|would install $root|")"
check "there is nothing more to do" same "" "$(install_to prefix=/usr DRY_RUN=1)"
echo '/* old */' >>"$root/usr/include/linux/devring.h"
check "but what has changed" same "would replace $root/usr/include/linux/devring.h" "$(install_to prefix=/usr DRY_RUN=1)"
would=$(uninstall_from prefix=/usr DRY_RUN=1)
check "make uninstall DRY_RUN=1 tells of all files, and leaves them" same "$would" \
	"$(all_files | sed "s|^|would remove $root|")"
check "what belongs there is there" exist /usr/bin/devringctl /usr/sbin/devringd \
	/usr/lib/libdevring.so.0 /usr/lib/libdevring.a /usr/lib/pkgconfig/devring.pc \
	/usr/include/linux/devring.h /usr/lib/udev/rules.d/60-devring.rules \
	/usr/lib/sysusers.d/devring.conf /usr/lib/modules-load.d/devring.conf \
	/usr/lib/systemd/system/devringd.service /etc/devring/devringd.conf /etc/apparmor.d/usr.sbin.devringd \
	"/usr/src/devring-$(cat VERSION)/dkms.conf" /usr/share/doc/devring/README.md \
	/usr/share/man/man1/devringctl.1 /usr/share/man/man3/devring_reader_open.3 \
	/usr/share/man/man4/devring.4 /usr/share/bash-completion/completions/devringctl \
	/usr/share/zsh/vendor-completions/_devringctl \
	/usr/share/fish/vendor_completions.d/devringctl.fish /usr/share/doc/devring/docs/examples/frames.c
check "nothing lies elsewhere" all_below '^/(usr|etc/(devring|apparmor.d))/'
check "what running the examples left is not installed" same "" "$(all_files | grep pycache)"
check "the manual names the documents that are there" named_documents
check "no installed file knows where it was built" fails grep -rlF -- "$top" "$root"
mkdir -p "$root/usr/lib/udev/rules.d"
touch "$root/usr/lib/udev/rules.d/99-other.rules"
check "make uninstall" uninstall_from prefix=/usr
check "it leaves what others put there, and nothing else" same \
	/usr/lib/udev/rules.d/99-other.rules "$(all_files)"
check "it leaves no folder of its own" same "" "$(find "$root" -name '*devring*')"
rm -rf "$root"

check "make install DESTDIR=..." install_to
check "without prefix= it goes below /usr/local" \
	all_below '^/(usr/local/|etc/(devring|apparmor.d)/|usr/src/devring-)'
check "the manual names the documents there" named_documents
check "udev, systemd and the linker look there" exist /usr/local/lib/udev/rules.d/60-devring.rules \
	/usr/local/lib/systemd/system/devringd.service /usr/local/lib/libdevring.so.0
check "the unit names the installed program" \
	grep -q '^ExecStart=/usr/local/sbin/devringd' "$root/usr/local/lib/systemd/system/devringd.service"

config=$root/etc/devring/devringd.conf
echo '# mine' >>"$config"
cp "$config" "$work/mine"
check "make install leaves a configuration that was changed" install_to
check "it is what it was" cmp "$config" "$work/mine"
check "make uninstall says that it stays" uninstall_says "devringd.conf stays: it was changed"
check "and it does" cmp "$config" "$work/mine"
rm -rf "$root"

mkdir "$work/build"
touch "$work/build/product"
check "make clean" make -s clean BUILD="$work/build"
check "it removes all that was built" test ! -e "$work/build"
# tells TARGET TEXT: with DRY_RUN=1 the target tells of it, and makes nothing.
tells() {
	local output
	touch "$work/stamp"
	output=$(timeout 60 make -s "$1" DRY_RUN=1 2>&1) || { printf '%s\n' "$output"; return 1; }
	grep -F -- "$2" <<<"$output" || { printf '%s\n' "$output"; return 1; }
	find build/{kmod,bin,lib,dist} docs kmod userspace -newer "$work/stamp" ! -type d 2>/dev/null | tee "$work/newer"
	[ ! -s "$work/newer" ]
}
for target in check check-long check-debug check-model check-threats; do
	check "make $target DRY_RUN=1 only tells" tells $target "would run: tests/run"
done
check "make check-kernels DRY_RUN=1 only tells" tells check-kernels "would run: tests/kernels/run"
check "make bench DRY_RUN=1 only tells" tells bench "would run: bench/run"
check "make budgets DRY_RUN=1 only tells" tells budgets "would run: bench/count"
check "make lint DRY_RUN=1 only tells" tells lint "would run: tests/lint/run"
check "make deb DRY_RUN=1 only tells" tells deb "dpkg-buildpackage"
check "make modules_install DRY_RUN=1 only tells" tells modules_install "would run: make -C"
check "make clean DRY_RUN=1 only tells" tells clean "would run: rm -rf build"
help=$(make help)
for target in all check check-long demo lint dist deb install uninstall clean setup modules; do
	check "make help tells of $target" grep -q "^make $target " <<<"$help"
done
tap_end
