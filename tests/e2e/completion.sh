#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# completion.sh [all]: runs in the guest: the Tab key in bash, zsh and fish, with the installed completions. Without
# "all" zsh and fish, which are slow there, complete the first few lines only. Prints TAP.
set -euo pipefail
. "$DEVRING_TOP/tests/vm/guest-lib.sh"
. "$DEVRING_TOP/tests/lib/tap.sh"

load_devring
mkdir -p /tmp/work /tmp/bin
cd /tmp/work
make -s -C "$DEVRING_TOP" install-completion DESTDIR= prefix=/usr

# Does what completion and the test ask for, and writes down what was typed in the end.
cat >/tmp/bin/devringctl <<END
#!/bin/sh
case \$1 in
list | help) exec "$build/bin/devringctl" "\$@" ;;
register | unregister) "$build/bin/devringctl" "\$@" >/dev/null ;;
esac
echo "\$*" >typed.new
mv typed.new typed
END
chmod +x /tmp/bin/devringctl
export PATH=/tmp/bin:$PATH HOME=/tmp/work

touch film.raw

cat >bashrc <<'END'
. /usr/share/bash-completion/bash_completion
PS1='READY> '
END
# Of all that zsh would read in for a minute, what _devringctl is made of.
cat >.zshrc <<'END'
zsh=/usr/share/zsh/functions
fpath=(/usr/share/zsh/vendor-completions $zsh/Completion $zsh/Completion/{Base,Zsh,Debian} $zsh/Misc)
autoload -U compinit
compinit -u -D
fpath+=($zsh/Completion/Unix)
autoload -Uz _files _path_files _list_files
PS1='READY> '
END
run() {
	case $1 in
	bash) "$DEVRING_TOP/tests/e2e/tab.py" bash --rcfile bashrc -i ;;
	zsh) "$DEVRING_TOP/tests/e2e/tab.py" zsh -i ;;
	fish) "$DEVRING_TOP/tests/e2e/tab.py" fish --private -i -C 'function fish_prompt; echo -n "READY> "; end; set -g fish_greeting' ;;
	esac
}

# What is typed, what that has to run, and what it shows; in this order, in one shell.
lines=(
	'register front-door --ty<TAB>cam<TAB>' 'register front-door --type=camera' "options, and their values"
	'snaps<TAB>' 'snapshot' "commands"
	'cat fr<TAB>' 'cat front-door' "devices"
	'cat --ver<TAB> fr<TAB>' 'cat --verify front-door' "options that take no value, and go on"
	'info la<TAB>' 'info la' "no device that is not there"
	'register later' 'register later' "nothing where nothing is to be completed"
	'info la<TAB>' 'info later' "a device that is new"
	'unregister la<TAB>' 'unregister later' "it for another command"
	'info la<TAB>' 'info la' "no device that is gone"
	'watch fr<TAB>' 'watch fr' "no device where none is wanted"
	'doctor fr<TAB>' 'doctor fr' "no device for doctor"
	'cat front-door fr<TAB>' 'cat front-door fr' "no second device where there is one"
	'who front-door fr<TAB>' 'who front-door front-door' "a second one where there are many"
	'cat -n 3 fr<TAB>' 'cat -n 3 front-door' "a device behind an option's argument"
	'cat -n fr<TAB>' 'cat -n fr' "no device as an option's argument"
	'replay fr<TAB>' 'replay fr' "no device where a file is wanted"
	'replay fi<TAB>' 'replay film.raw' "files there"
	'record fr<TAB> fi<TAB>' 'record front-door film.raw' "a device, and a file"
	'record front-door fr<TAB>' 'record front-door fr' "no device as the file"
	'grant fr<TAB> -- front-d<TAB>' 'grant front-door -- front-d' "no device as the program"
	'usb l<TAB>' 'usb list' "words that are always the same"
	'events --topic=sys<TAB>h<TAB>' 'events --topic=system.health' "topics"
	'watch --ver<TAB>' 'watch --ver' "no option that the command does not know"
	'unregister fr<TAB>' 'unregister front-door' "devices to the end"
)
for shell in bash zsh fish; do
	progress "$shell"
	[ $shell = bash ] || [ "${1:-}" = all ] || lines=("${lines[@]:0:33}")
	for ((i = 0; i < ${#lines[@]}; i += 3)); do echo "devringctl ${lines[i]}"; done |
		run $shell | sed 's/--type /--type=/' >typed.all || true
	for ((i = 0; i < ${#lines[@]}; i += 3)); do
		check "$shell completes ${lines[i + 2]}" same "${lines[i + 1]}" "$(sed -n $((i / 3 + 1))p typed.all)"
	done
done
check "zsh looks where it was installed" zsh -f -c '(($fpath[(Ie)/usr/share/zsh/vendor-completions]))'
tap_end
