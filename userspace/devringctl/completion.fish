# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of devringctl for fish: commands, options and what they take by its own help, devices by the module.

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

# What the word that is being typed stands for in the usage of its command: DEVICE, FILE, ...
function __devringctl_place
    set -l command
    set -l skip
    set -l ended
    set -l at 1
    for word in (commandline -opc)[2..]
        if test -z "$command"
            string match -q -- '-*' $word; and continue
            set command $word
            set -f help (devringctl help $command 2>/dev/null)
            set -f places (string replace -r '.*\[options\]' '' $help[1] | string replace -ra '[\[\]]' '' |
                string split -n ' ')
            set -f with (string match -rg -- '^ +(?:(-.), )? *(--[a-z0-9-]+)=' $help)
        else if test -n "$skip"
            set skip
        else if test -z "$ended" -a "x$word" = x--
            set ended 1
            test "x$places[$at]" = x--; and set at (math $at + 1)
        else if test -z "$ended"; and string match -q -- '-*' $word
            contains -- $word $with; and set skip 1
        else if not string match -q '*...' -- $places[$at]
            set at (math $at + 1)
        end
    end
    test -z "$skip"; and echo $places[$at]
end

function __devringctl_words
    switch (__devringctl_place)
        case 'DEVICE*'
            __devringctl_devices
        case COMMAND
            __devringctl_commands
        case FILE
            __fish_complete_path (commandline -ct)
        case 'PROGRAM*'
            __fish_complete_command
        case list
            echo list
    end
end

complete -c devringctl -f
complete -c devringctl -n 'not __devringctl_command' -a '(__devringctl_commands)'
complete -c devringctl -n __devringctl_command -a '(__devringctl_words)'

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
            case topic
                set -a option -xa '"camera.*" "usb.*" usb.attach usb.detach device.state system.health system.startup'
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
