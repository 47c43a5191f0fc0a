#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""texts.py FILE.md: prints the error texts at the beginnings of paragraphs that no source of ours has, a line each.

Texts of the system's own, and of programs that are named at their beginning, are not ours.
"""
import errno
import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = ["Makefile", "kmod/*.c", "userspace/*/*.c", "userspace/libdevring/src/*.c", "debian/*.in", "debian/*.kernel"]
OTHERS = ("modprobe: ", "insmod: ", "Error! ", "Your kernel headers for kernel ")
SYSTEM = {os.strerror(number) for number in errno.errorcode}


def sources():
    """All sources as one text, in which a string of several pieces is one."""
    text = ""
    for pattern in SOURCES:
        for path in sorted(glob.glob(os.path.join(TOP, pattern))):
            with open(path, encoding="utf-8") as source:
                text += source.read() + "\n"
    return re.sub(r"\s+", " ", re.sub(r'"\s*"', "", text).replace('\\"', '"'))


def pattern(text):
    """Each word, or what prints a part that is left out, a number or a name, such as camera0."""
    words = []
    for word in text.split():
        if "…" in word:
            words.append(".{0,60}?")
        elif re.search(r"\d", word):
            words.append(rf"(?:{re.escape(word)}|\S{{0,3}}%\w+\S*)")
        else:
            words.append(re.escape(word))
    return " ?".join(words) if "…" in text else " ".join(words)


def is_known(text, ours):
    if text in SYSTEM or text.startswith(OTHERS) or re.sub(r"^/\S+: ", "", text) in SYSTEM:
        return True
    # The program's or the device's name stands before a message, and not in it.
    return any(re.search(pattern(each), ours) for each in (text, re.sub(r"^\w+: ", "", text)))


def main():
    ours = sources()
    with open(sys.argv[1], encoding="utf-8") as document:
        quoted = re.findall(r"\*\*`([^`]+)`", document.read())
    for text in (" ".join(each.split()) for each in quoted):
        if " " in text and not is_known(text, ours):
            print(f"{sys.argv[1]}: no source has \"{text}\"")


main()
