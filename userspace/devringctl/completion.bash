# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of devringctl for bash: commands, options and what they take by its own help, devices by the module.

_devringctl_devices() {
	devringctl list --names 2>/dev/null
}

_devringctl_commands() {
	devringctl help 2>/dev/null | awk '/^  [a-z]/ { print $1 }'
}

_devringctl_options() {
	devringctl help ${1:+"$1"} 2>/dev/null | grep -oE -- '--[a-z0-9-]+=?'
}

# Words for the argument of an option, if they can be known.
_devringctl_argument() {
	case $1 in
	--type | -t) echo camera microphone screen speaker keyboard mouse usb tensor event other ;;
	--format | -f) echo auto raw y4m wav mjpeg ;;
	--start) echo newest oldest next ;;
	--sample-format) echo S16_LE S24_3LE S32_LE FLOAT_LE U8 ;;
	--uid | --user) compgen -u ;;
	--class) echo audio cdc hid hub image printer storage vendor video wireless ;;
	--topic) echo 'camera.*' 'usb.*' usb.attach usb.detach device.state system.health system.startup ;;
	*) return 1 ;;
	esac
}

# _devringctl_place COMMAND WORD...: what the word behind these stands for in the command's usage: DEVICE, FILE, ...
_devringctl_place() {
	local word help with skip= ended= at=0
	local -a places
	help=$(devringctl help "$1" 2>/dev/null)
	read -ra places < <(sed -n '1 { s/.*\[options\]//; s/[][]//g; p }' <<<"$help")
	with=" $(grep -oE -- '(-[a-z], )?--[a-z0-9-]+=' <<<"$help" | tr -d ,= | tr '\n' ' ') "
	for word in "${@:2}"; do
		if [[ $skip ]]; then
			[[ $word == = ]] || skip=
		elif [[ -z $ended && $word == -- ]]; then
			ended=1
			[[ ${places[at]-} != -- ]] || ((++at))
		elif [[ -z $ended && $word == -* ]]; then
			[[ $with != *" $word "* ]] || skip=1
		else
			# The last may go on.
			[[ ${places[at]-} == *... ]] || ((++at))
		fi
	done
	[[ $skip ]] || echo "${places[at]-}"
}

_devringctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command= word words= place= at=0

	# "--type=x" arrives as three words.
	[[ $current == = ]] && current=
	[[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		((++at))
		[[ $word == -* ]] || { command=$word; break; }
	done
	if words=$(_devringctl_argument "$previous"); then
		:
	elif [[ $previous == -o || $previous == --output ]]; then
		place=FILE
	elif [[ -z $command && $current != -* ]]; then
		words=$(_devringctl_commands)
	else
		[[ -z $command ]] || place=$(_devringctl_place "$command" "${COMP_WORDS[@]:at+1:COMP_CWORD-at-1}")
		if [[ $current == -* && $place != PROGRAM* ]]; then
			words=$(_devringctl_options "$command")
			place=
		fi
	fi
	case $place in
	DEVICE*) words=$(_devringctl_devices) ;;
	COMMAND) words=$(_devringctl_commands) ;;
	FILE | PROGRAM...)
		compopt -o filenames
		[[ $place == FILE ]] && place=-f || place=-c
		mapfile -t COMPREPLY < <(compgen $place -- "$current")
		return
		;;
	[a-z]*) words=$place ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
	return 0
}

complete -F _devringctl devringctl
