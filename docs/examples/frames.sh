#!/bin/sh
# SPDX-License-Identifier: MIT
# frames.sh [DEVICE [FRAMES]]: lists the devices; reads so many frames of one, and tells what it lost.
# It goes on when the device is unplugged and comes back. dd and od read the records; what is in the
# frames is for languages that have pread or mmap, or for `devringctl cat`.

for folder in /sys/class/devring/*; do
	[ ! -e "$folder/link" ] || echo "device $(cat "$folder/link") $(cat "$folder/type") $(cat "$folder/state")"
done
[ $# -gt 0 ] || exit 0

exec 3<"$1" || exit 1
wanted=${2:-60} frames=0 lost=0
while [ "$frames" -lt "$wanted" ]; do
	# All records that came, as words of 32 bits.
	# shellcheck disable=SC2046
	set -- $(dd bs=128 count=1 <&3 2>/dev/null | od -An -v -tu4 -w128)
	[ $# -gt 0 ] || break
	while [ $# -gt 0 ]; do
		case $(($1 >> 16)) in
		1)
			frames=$((frames + 1)) lost=$((lost + $9 + (${10} << 32)))
			echo "frame $(($3 + ($4 << 32))): ${13} bytes, $(($9 + (${10} << 32))) lost"
			;;
		2) echo "ring $3" ;;
		3) case $3 in
			1) echo "state offline" ;;
			2) echo "state available" ;;
			3) echo "state error" ;;
			4) echo "state removed" ;;
			esac ;;
		esac
		shift $((($1 & 65535) / 4))
	done
done
echo "$frames frames, $lost lost"
