# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of devringctl for bash: commands and options by its own help, devices by the module.

_devringctl_devices() {
	devringctl list --names 2>/dev/null
}

_devringctl_commands() {
	devringctl help 2>/dev/null | awk '/^  [a-z]/ { print $1 }'
}

_devringctl_options() {
	devringctl help "$1" 2>/dev/null | grep -oE -- '--[a-z0-9-]+=?'
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

_devringctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command= word words

	# "--type=x" arrives as three words.
	[[ $current == = ]] && current=
	[[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* ]] || { command=$word; break; }
	done
	if words=$(_devringctl_argument "$previous"); then
		:
	elif [[ $current == -* ]]; then
		words=$(_devringctl_options "$command")
	elif [[ $previous == -o || $previous == --output ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
	elif [[ -z $command ]]; then
		words=$(_devringctl_commands)
	else
		case $command in
		help) words=$(_devringctl_commands) ;;
		usb) words=list ;;
		list | watch | events | metrics | version | register) words= ;;
		*) words=$(_devringctl_devices) ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
	return 0
}

complete -F _devringctl devringctl
