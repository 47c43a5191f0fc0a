#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tests/docs/threats.py: says what is wrong with the tables of docs/threats.md.

A row is | threat | defence | `program.test` ... | without it |. Each test exists; `suite: name` is a check of
tests/e2e/suite.sh. The last column names patches in tests/attacks/undefended: each is said by an "Attack:" of its
header to make one of the row's tests fail, and each of the row's tests is in one of them. Or it says "in the test":
then the text of each, or its fixture's set-up, has the word "undefended"; of a check, the next line. Or it says
"none: " and why nothing can be taken away. Each program of tests/attacks is in the page, and so is each patch, which
fits kmod/.
"""
import glob, os, re, subprocess

FOLDERS = ("tests/attacks", "tests/kernel")
PAGE = "docs/threats.md"


def text_of(path):
    with open(path) as file:
        return file.read()


def with_headers(source):
    text = text_of(source)
    headers = [os.path.join(os.path.dirname(source), name) for name in re.findall(r'^#include "(.+)"', text, re.M)]
    return "".join(text_of(path) for path in headers if os.path.exists(path)) + text


def tests_of(source):
    """Name and text of each test; a fixture's set-up, maybe in a header, belongs to each of its tests."""
    text = with_headers(source)
    blocks = re.findall(r"^(TEST_F|TEST|FIXTURE_SETUP)\((\w+)(?:, (\w+))?\)\n\{\n(.*?)^\}", text, re.M | re.S)
    setups = {first: body for kind, first, _, body in blocks if kind == "FIXTURE_SETUP"}
    return {(test or first): setups.get(first, "") + body
            for kind, first, test, body in blocks if kind != "FIXTURE_SETUP"}


def checks_of(script):
    """Name and text of each check of a script: its line, and the next one."""
    return {name: text for text, name in
            re.findall(r'^(?=(\s*check "([^"$]+)".*\n.*)$)', text_of(script), re.M)}


def attacks_of(patch, kinds="Attack"):
    header = text_of(patch).split("\n--- ")[0]
    return set(re.findall(rf"^(?:{kinds}): (\S+)$", header, re.M))


def rows():
    for number, line in enumerate(text_of(PAGE).splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and not re.match(r"threat$|-+$", cells[0]):
            yield number, cells


sources = {os.path.basename(path)[:-2]: path for folder in FOLDERS for path in glob.glob(folder + "/*.c")}
tests = {f"{name}.{test}": body for name, path in sources.items() for test, body in tests_of(path).items()}
for path in glob.glob("tests/e2e/*.sh"):
    tests.update({f"{os.path.basename(path)[:-3]}: {name}": text for name, text in checks_of(path).items()})
paths = sorted(glob.glob("tests/attacks/undefended/*.patch"))
patches = {os.path.basename(path)[:-6]: attacks_of(path) for path in paths}
seen_tests, seen_patches, count = set(), set(), 0
for number, (_, _, attack, control) in rows():
    count += 1
    named = re.findall(r"`([^`]+)`", attack)
    controls = re.findall(r"`([^`]+)`", control)
    seen_tests.update(named)
    seen_patches.update(controls)
    where = f"{PAGE}:{number}:"
    if not named:
        print(where, "names no test")
    for test in named:
        if test not in tests:
            print(where, "there is no test", test)
        elif control == "in the test" and "undefended" not in tests[test]:
            print(where, "nothing in this test is undefended:", test)
        elif controls and not any(test in patches.get(patch, set()) for patch in controls):
            print(where, test, "is no Attack of", *controls)
    for patch in controls:
        if not patches.get(patch, set()).intersection(named):
            print(where, f"no patch {patch}, or its header has no Attack:", *named)
    if not controls and control != "in the test" and not re.match(r"none: \w", control):
        print(where, 'names no patch, and says neither "in the test" nor "none: " and why')
if not count:
    print(PAGE, "has no table")
for test in sorted(set().union(*(attacks_of(path, "Attack|May") for path in paths)) - set(tests)):
    print("tests/attacks/undefended: there is no test", test)
for name, path in sorted(sources.items()):
    if path.startswith("tests/attacks/") and not any(test.startswith(name + ".") for test in seen_tests):
        print(PAGE, "lacks", path)
for patch in sorted(set(patches) - seen_patches):
    print(PAGE, "lacks the patch", patch)
for path in paths:
    with open(path) as file:
        if subprocess.run(["patch", "-p1", "-F", "2", "--dry-run", "-s", "-f"], stdin=file).returncode:
            print(path, "does not fit kmod/ any more: make it anew")
