#compdef devringctl
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of devringctl for zsh: commands, options and what they take by its own help, devices by the module.

_devringctl_devices() {
	local -a names
	local expl
	names=(${(f)"$(devringctl list --names 2>/dev/null)"})
	_wanted devices expl device compadd -a names
}

_devringctl_commands() {
	local -a commands
	commands=(${(f)"$(devringctl help 2>/dev/null |
		awk -F '  +' '/^  [a-z]/ { split($2, word, " "); print word[1] ":" $3 }')"})
	_describe command commands
}

# The options that help tells of, as _arguments wants them; what can be known of their arguments.
_devringctl_specs() {
	devringctl help $1 2>/dev/null | awk '
		BEGIN {
			value["type"] = "(camera microphone screen speaker keyboard mouse usb tensor event other)"
			value["format"] = "(auto raw y4m wav mjpeg)"
			value["start"] = "(newest oldest next)"
			value["sample-format"] = "(S16_LE S24_3LE S32_LE FLOAT_LE U8)"
			value["class"] = "(audio cdc hid hub image printer storage vendor video wireless)"
			value["topic"] = "(camera.\\* usb.\\* usb.attach usb.detach device.state system.health system.startup)"
			value["output"] = "_files"
			value["uid"] = value["user"] = "_users"
		}
		match($0, /^ +(-[a-zA-Z], )? *--[a-z0-9-]+/) {
			split(substr($0, RLENGTH + 1), rest, / +/)
			about = $0
			sub(/^ *(-[a-zA-Z], )? *--[^ ]+ +/, "", about)
			gsub(/\[|\]|:/, "\\\\&", about)
			name = substr($0, 1, RLENGTH)
			sub(/.*--/, "", name)
			tail = ""
			if (substr($0, RLENGTH + 1, 1) == "=")
				tail = ":" substr(rest[1], 2) ":" (name in value ? value[name] : " ")
			print "--" name (tail == "" ? "" : "=") "[" about "]" tail
			if (match($0, /-[a-zA-Z],/))
				print substr($0, RSTART, 2) (tail == "" ? "" : "+") "[" about "]" tail
		}'
}

# What stands in the usage of a command, as _arguments wants it.
_devringctl_places() {
	local place n=1
	for place in $(devringctl help $1 2>/dev/null | sed -n '1 { s/.*\[options\]//; s/[][]//g; p }'); do
		[[ $place == -- ]] && continue
		((++n))
		case $place in
		DEVICE...) print '*: :_devringctl_devices' ;;
		PROGRAM...) print '*:: :_normal' ;;
		DEVICE) print "$n: :_devringctl_devices" ;;
		COMMAND) print "$n: :_devringctl_commands" ;;
		FILE) print "$n: :_files" ;;
		[a-z]*) print "$n: :($place)" ;;
		*) print "$n: : " ;;
		esac
	done
}

_devringctl() {
	local word command
	local -a specs
	for word in ${words[2,CURRENT-1]}; do
		[[ $word == -* ]] || { command=$word; break }
	done
	specs=(${(f)"$(_devringctl_specs $command)"})
	if [[ -n $command ]]; then
		specs+=('1:command: ' ${(f)"$(_devringctl_places $command)"})
	else
		specs+=('1: :_devringctl_commands')
	fi
	_arguments -S $specs
}

_devringctl "$@"
