#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# guest.sh PROGRAM MODULE.ko...: in a guest that counts instructions, loads modules and runs the program.
set -e
program=$1
shift
for module in "$@"; do
	case $module in
	*/v4l2loopback.ko) parameters="devices=1 max_openers=100 max_buffers=8" ;;
	*/devring.ko) parameters="user_registrations=100000 user_devices=2000 user_readers=20000" ;;
	*) parameters= ;;
	esac
	# shellcheck disable=SC2086 # words
	/bin/busybox insmod "$module" $parameters
done
"$program"
