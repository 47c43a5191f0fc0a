#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""manual.py AREA PAGES: prints what a manual page lacks, or names without its being there; a line each.

AREA: devringctl, devringd, conf, abi, library or references. PAGES is the folder of the built pages.
"""
import os
import re
import subprocess
import sys

AREA, PAGES = sys.argv[1:]
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DEVRING_BUILD", os.path.join(TOP, "build"))
HEADERS = [f"userspace/libdevring/include/devring/{name}.h" for name in ("client", "checksum")]


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def page(name):
    """A page without its changes of font."""
    return re.sub(r"\\f[BIPR]", "", read(os.path.join(PAGES, name)))


def output(program, *words):
    environment = dict(os.environ, LD_LIBRARY_PATH=os.path.join(BUILD, "lib"))
    return subprocess.run([os.path.join(BUILD, "bin", program), *words], env=environment, check=True,
                          capture_output=True, text=True).stdout


def compare(where, wanted, got):
    for name in sorted(set(wanted) - set(got), key=str):
        print(f"{where} lacks {name}")
    for name in sorted(set(got) - set(wanted), key=str):
        print(f"{where} has {name}, which does not exist")


def parts(text, macro):
    """The page's sections (Sh or Ss) by their titles."""
    pieces = re.split(rf"^\.{macro} (.*)\n", text, flags=re.M)
    return {title: re.split(r"^\.Sh ", body, flags=re.M)[0] for title, body in zip(pieces[1::2], pieces[2::2])}


def help_options(text):
    """(letter, long name, argument) of each line of a help text that tells of an option."""
    found = re.findall(r"^  (?:-(\w), |    )--([\w-]+)[= ]?([A-Z]\S*)?  ", text, re.M)
    return {(letter, name, re.split(r"[\[/]", argument)[0]) for letter, name, argument in found}


def page_options(text):
    found = re.findall(r"^\.It (?:Fl (\w) , )?Fl -([\w-]+)(?: Ns = Ns Ar (\S+)| Ar (\S+))?", text, re.M)
    return {(letter, name, a or b) for letter, name, a, b in found}


def exit_codes(text):
    return {int(code) for code in re.findall(r"^\.It (\d+)$", parts(text, "Sh")["EXIT STATUS"], re.M)}


def devringctl():
    text = page("devringctl.1")
    general = output("devringctl", "help")
    commands = {name.split()[0]: body for name, body in parts(text, "Ss").items()}
    compare("devringctl(1)", re.findall(r"^  ([a-z]+)", general, re.M), commands)
    all_commands = help_options(general)
    described = page_options(parts(text, "Sh")["DESCRIPTION"].split(".Ss ")[0])
    compare("devringctl(1), for all commands,", all_commands, described)
    for name, body in commands.items():
        known = help_options(output("devringctl", "help", name)) - all_commands
        compare(f"devringctl(1), {name},", known, page_options(body))
    codes = {int(code) for code in re.findall(r"\tSTATUS_\w+\s*= (\d+),", read("userspace/devringctl/cli.h"))}
    compare("devringctl(1), EXIT STATUS,", codes, exit_codes(text))


def devringd():
    text = page("devringd.8")
    compare("devringd(8)", help_options(output("devringd", "--help")), page_options(text))
    short = re.search(r'"((?:\w:?)+)", known, NULL', read("userspace/devringd/main.c"))[1]
    compare("devringd(8), SYNOPSIS,", short.replace(":", ""), "".join(
        re.findall(r"^\.Op Fl (\w+)", parts(text, "Sh")["SYNOPSIS"], re.M)))
    known = output("devringd", "--help").split("Exit status:")[1]
    codes = {int(code) for code in re.findall(r"(?:^|; *|;\s*)\s*(\d+)", known)}
    compare("devringd(8), EXIT STATUS,", codes, exit_codes(text))


def conf():
    text, source = page("devringd.conf.5"), read("userspace/devringd/config.c")
    groups = dict(re.findall(r"^\t(IN_\w+)\s*= ([^,\n]+),", source, re.M))

    def members(name):
        return {name} if "<<" in groups[name] else {m for n in groups[name].split(" | ") for m in members(n)}

    wanted = {(section[3:].lower(), key) for key, where in re.findall(r'^\t\{ "(\w+)",\s*(IN_\w+),', source, re.M)
              for section in members(where)}
    got, defaults = set(), set()
    for title, body in parts(text, "Ss").items():
        for section in re.findall(r"\[(\w+)", title):
            for line in re.findall(r"^\.It (Ic .*)", body, re.M):
                got |= {(section, key) for key in re.findall(r"Ic (\w+)", line)}
                value = re.search(r"Ic (\w+) No = (?:Cm )?(.*)", line)
                if value:
                    defaults.add((section, value[1], value[2]))
    compare("devringd.conf(5)", wanted, got)
    section, told = "", set()
    for line in read("userspace/devringd/devringd.conf").split("\n"):
        section = line[1:-1] if line.startswith("[") else "" if line.startswith("#[") else section
        value = re.match(r"#(\w+) = (.*)", line)
        if value and section:
            told.add((section, value[1], value[2]))
    # What differs between microphones and speakers is told in words, and single devices have no file.
    compare("devringd.conf(5)", {t for t in told if t[1] != "loopback"}, {d for d in defaults if d[0] != "device"})


def errnos(text):
    return set(re.findall(r"\bE(?:[A-Z]{3,}|2BIG)\b", text)) - {"ERROR", "EVENT", "EXPORT", "EITHER"}


def abi():
    text, header = page("devring.4"), read("uapi/linux/devring.h")
    public = header.split("---- The layout, nailed down")[0]
    names = set(re.findall(r"^#define\s+(DEVRING_\w+)|^\s+(DEVRING_\w+)\s*=", public, re.M))
    names = {a or b for a, b in names} - {"DEVRING_IOC_MAGIC"}
    compare("devring(4)", names, set(re.findall(r"\bDEVRING_[A-Z0-9_]*[A-Z0-9]\b", text)))
    compare("devring(4)", set(re.findall(r"^struct (devring_\w+)", public, re.M)), set(
        re.findall(r"struct (devring_\w+)", text)))
    for name in sorted(errnos(public) - errnos(text)):
        print(f"devring(4) lacks {name}")
    calls, common = parts(text, "Ss"), {"EINVAL", "EFAULT", "E2BIG", "ENOTTY", "EOPNOTSUPP"}
    for row in re.findall(r"^\| ([A-Z_]+) \| 0x.*\|.*\|.*\| (.*) \|$", read("docs/abi.md"), re.M):
        there = errnos(calls.get(f"DEVRING_IOC_{row[0]}", "")) - common
        compare(f"devring(4), {row[0]}, beside docs/abi.md,", errnos(row[1]) - common, there)
    table = read("docs/abi.md").split("## Errors of read and write")[1].split("##")[0]
    compare("devring(4), of read and write,", errnos(table), errnos(calls["Reading and writing"]))


def library():
    declared = set()
    for header in HEADERS:
        bare = re.sub(r"/\*.*?\*/", "", read(header), flags=re.S)
        declared |= set(re.findall(r"^(?:static inline )?[\w ]+[ *](devring_\w+)\(", bare, re.M))
    exported = subprocess.run(["nm", "-D", "--defined-only", "-P", os.path.join(BUILD, "lib/libdevring.so")],
                              check=True, capture_output=True, text=True).stdout
    exported = set(re.findall(r"^(devring_\w+) T", exported, re.M))
    for name in sorted(exported - declared):
        print(f"no header declares {name}, which the library has")
    told, links = set(), set()
    for name in sorted(os.listdir(PAGES)):
        text = page(name)
        if text.startswith(".so "):
            links.add(name[:-2])
            target = os.path.basename(text[4:].strip())
            if name[:-2] not in re.findall(r"^\.Nm (\w+)", page(target), re.M):
                print(f"{name} leads to {target}, which is not about it")
        elif name.endswith(".3"):
            told |= set(re.findall(r"^\.(?:Nm|Fn|Fo) (devring_\w+)", text, re.M))
            told |= set(re.findall(r"\b(devring_\w+)\(\)", text))
    compare("section 3", declared, told)
    compare("section 3, as pages,", declared, links)
    for name in sorted(declared & links):
        target = page(os.path.basename(page(f"{name}.3")[4:].strip()))
        if len(re.findall(rf"^\.Fn {name}(?: ,)?$", target, re.M)) != 1:
            print(f"{name}(3) does not say what it does, or says it twice")


def references():
    """What pages say of each other, and the commands in them."""
    known = {name: help_options(output("devringctl", "help", name)) for name in re.findall(
        r"^  ([a-z]+)", output("devringctl", "help"), re.M)}
    pages = os.listdir(PAGES)
    for name in sorted(pages):
        text = page(name)
        for other, number in re.findall(r"^\.(?:It )?.*Xr (\w*devring[\w.]*) (\d)", text, re.M):
            if f"{other}.{number}" not in pages:
                print(f"{name} refers to {other}({number}), which does not exist")
        for command, rest in re.findall(r"\bdevringctl ([a-z]+)((?: (?!\|).*)?)", text):
            if command not in known:
                print(f"{name} has \"devringctl {command}\", which does not exist")
                continue
            for option in re.findall(r"--([\w-]+)", rest.split("|")[0]):
                if option not in {long for _, long, _ in known[command]}:
                    print(f"{name} has \"devringctl {command} --{option}\", which does not exist")


globals()[AREA]()
