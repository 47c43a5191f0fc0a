#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tab.py SHELL ARG... <LINES: types lines into an interactive shell, and prints what each ran.

The shell's prompt has to be "READY> ", and the command in each line leaves its words in the file "typed"
here. "<TAB>" in a line is that key.
"""
import os
import pty
import select
import sys
import time

PROMPT = b"READY> "
SECONDS = 300


def wait_for(terminal, condition):
    """Reads the terminal until the condition holds of what it had."""
    seen, end = b"", time.monotonic() + SECONDS
    while not condition(seen):
        if time.monotonic() > end:
            sys.exit(f"nothing ran; the terminal had: {seen!r}")
        if select.select([terminal], [], [], 0.05)[0]:
            seen += os.read(terminal, 4096)


def main():
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(TERM="dumb", COLUMNS="200")
        os.execvp(sys.argv[1], sys.argv[1:])
    wait_for(terminal, lambda seen: PROMPT in seen)
    for line in sys.stdin:
        os.write(terminal, line.strip().replace("<TAB>", "\t").encode() + b"\r")
        # The old prompt may be drawn again while the line is typed: the new one comes after a line's end.
        wait_for(terminal, lambda seen: os.path.exists("typed") and PROMPT in seen.rpartition(b"\n")[2])
        with open("typed", encoding="utf-8") as file:
            print(file.read(), end="", flush=True)
        os.unlink("typed")
    os.kill(pid, 9)
    os.waitpid(pid, 0)


main()
