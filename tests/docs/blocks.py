#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""blocks.py check|quoted|host|guest OUTDIR FILE.md...: the code blocks of documents.

`check` prints what is wrong with them and with local links, a line each; `quoted` the blocks of Python in the tutorial
that are not as in the examples, and services of Compose that are none. `host`, `guest` and `system` write the
blocks to be run there into OUTDIR, as NUMBER-FILE-LINE.sh, in their order.

A block's first line says what it is: "sh" is run in the guest, "sh host" on this machine among throw-away
folders, "sh system" in a guest that boots a system of its own, and "sh untested" nowhere, for the reason in the
comment "<!-- not run: ... -->" above it.
"""
import os
import re
import sys
import textwrap

KINDS = {"sh", "sh host", "sh system", "sh untested", "python", "c", "text", "yaml"}
FENCE = re.compile(r"^ *```(.*)$")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(path):
    """Yields line number, kind, text and the line above, for each fenced block."""
    kind, start, text, above = None, 0, [], ""
    with open(path, encoding="utf-8") as document:
        for number, line in enumerate(document, 1):
            fence = FENCE.match(line)
            if fence and kind is None:
                kind, start, text = fence[1].strip(), number, []
            elif fence:
                yield start, kind, "".join(text), above
                kind, above = None, ""
            elif kind is not None:
                text.append(line)
            else:
                above = line
    if kind is not None:
        yield start, "a block without an end", "".join(text), above


def prose(path):
    """Lines outside of blocks, with their numbers."""
    inside = False
    with open(path, encoding="utf-8") as document:
        for number, line in enumerate(document, 1):
            if FENCE.match(line):
                inside = not inside
            elif not inside:
                yield number, line


def anchors(path):
    """What #fragments of a document can name."""
    names = set()
    for _, line in prose(path):
        if line.startswith("#"):
            title = line.lstrip("#").strip().lower()
            names.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return names


def check_links(path):
    for number, line in prose(path):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, fragment = target.partition("#")
            there = os.path.join(os.path.dirname(path), name) if name else path
            if not os.path.exists(there):
                print(f"{path}:{number}: {target} does not exist")
            elif fragment and fragment not in anchors(there):
                print(f"{path}:{number}: {there} has no heading for #{fragment}")


def check_blocks(path):
    for number, kind, _, above in blocks(path):
        if kind not in KINDS:
            print(f"{path}:{number}: \"{kind}\" is not among: {', '.join(sorted(KINDS))}")
        if kind == "sh untested" and not re.match(r"<!-- not run: .+ -->$", above):
            print(f"{path}:{number}: an untested block needs its reason in the line above")


def is_service(text):
    """What can be known without Compose: a device for reading only, and a health check that is a command of ours."""
    import yaml  # pylint: disable=import-outside-toplevel
    services = yaml.safe_load(text)["services"].values()
    return all(service["devices"] == ["/dev/devring:/dev/devring:r"] and service["healthcheck"]["test"][:2] ==
               ["CMD", "devringctl"] for service in services)


def check_quoted(path):
    examples = os.path.join(os.path.dirname(path), "examples")
    sources = []
    for name in sorted(os.listdir(examples)) if os.path.isdir(examples) else []:
        if name.endswith(".py"):
            with open(os.path.join(examples, name), encoding="utf-8") as source:
                sources.append("\n" + source.read())
    for number, kind, text, _ in blocks(path):
        if kind == "yaml" and not is_service(text):
            print(f"{path}:{number}: these are no services as the document tells of them")
        # Dedented as far as the first line was indented.
        if kind == "python" and sources and not any(
                "\n" + textwrap.indent(text, " " * indent) in source for source in sources
                for indent in range(0, 24, 4)):
            print(f"{path}:{number}: no example has these lines")


def main():
    action, out, *paths = sys.argv[1:]
    number = 0
    for path in paths:
        if action == "check":
            check_links(path)
            check_blocks(path)
            continue
        if action == "quoted":
            check_quoted(path)
            continue
        wanted = {"host": "sh host", "guest": "sh", "system": "sh system"}[action]
        for line, kind, text, _ in blocks(path):
            if kind == wanted:
                number += 1
                name = f"{number:03}-{os.path.basename(path)}-{line}.sh"
                with open(os.path.join(out, name), "w", encoding="utf-8") as script:
                    script.write(text)


main()
