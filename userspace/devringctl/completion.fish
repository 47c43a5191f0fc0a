# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of devringctl for fish: commands and options by its own help, devices by the module.

# The command that was typed, if there is one yet.
function __devringctl_command
    for word in (commandline -opc)[2..]
        if not string match -q -- '-*' $word
            echo $word
            return 0
        end
    end
    return 1
end

function __devringctl_commands
    devringctl help 2>/dev/null | string replace -rf '^  ([a-z]+) .*?  +(.*)' '$1\t$2'
end

function __devringctl_devices
    devringctl list --names 2>/dev/null
end

function __devringctl_is -a command
    test "$(__devringctl_command)" = "$command"
end

# Devices are what most commands take.
function __devringctl_takes_device
    set -l word (__devringctl_command); or return 1
    not contains -- $word help list watch events metrics usb version register
end

complete -c devringctl -f
complete -c devringctl -n 'not __devringctl_command' -a '(__devringctl_commands)'
complete -c devringctl -n '__devringctl_is help' -a '(__devringctl_commands)'
complete -c devringctl -n '__devringctl_is usb' -a list
complete -c devringctl -n __devringctl_takes_device -a '(__devringctl_devices)'

function __devringctl_option -a command letter name argument about
    set -l option -l $name -d $about
    test -n "$letter"; and set -a option -s $letter
    if test -n "$argument"
        switch $name
            case type
                set -a option -xa 'camera microphone screen speaker keyboard mouse usb tensor event other'
            case format
                set -a option -xa 'auto raw y4m wav mjpeg'
            case start
                set -a option -xa 'newest oldest next'
            case sample-format
                set -a option -xa 'S16_LE S24_3LE S32_LE FLOAT_LE U8'
            case class
                set -a option -xa 'audio cdc hid hub image printer storage vendor video wireless'
            case uid user
                set -a option -xa '(__fish_complete_users)'
            case output
                set -a option -rF
            case '*'
                set -a option -x
        end
    end
    complete -c devringctl -n "__devringctl_is '$command'" $option
end

# Asked once: what the help of each command, and that without one, tells of options.
for command in '' (__devringctl_commands | string replace -r '\t.*' '')
    for line in (devringctl help (string split -n ' ' -- $command) 2>/dev/null |
            string replace -rf '^ +(?:-(.), )? *--([a-z0-9-]+)(=\S+)? +(.*)' '$1|$2|$3|$4')
        __devringctl_option "$command" (string split -m 3 '|' -- $line)
    end
end
