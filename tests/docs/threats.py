#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tests/docs/threats.py: says what is wrong with the tables of docs/threats.md.

A row is | threat | defence | `program.test` ... | without it |. Each test exists. The last column names
patches in tests/attacks/undefended whose headers name one of the row's tests, or says "in the test": then
the test's text, or its fixture's set-up, has the word "undefended". Each program of tests/attacks is in the
page, and so is each patch, which fits kmod/.
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


def attacks_of(patch):
    header = text_of(patch).split("\n--- ")[0]
    return set(re.findall(r"^(?:Attack|May): (\S+)$", header, re.M))


def rows():
    for number, line in enumerate(text_of(PAGE).splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and not re.match(r"threat$|-+$", cells[0]):
            yield number, cells


sources = {os.path.basename(path)[:-2]: path for folder in FOLDERS for path in glob.glob(folder + "/*.c")}
tests = {f"{name}.{test}": body for name, path in sources.items() for test, body in tests_of(path).items()}
patches = {os.path.basename(path)[:-6]: attacks_of(path) for path in glob.glob("tests/attacks/undefended/*.patch")}
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
    for patch in controls:
        if not patches.get(patch, set()).intersection(named):
            print(where, f"no patch {patch}, or its header names none of", *named)
    if not controls and control != "in the test":
        print(where, 'names no patch and does not say "in the test"')
    if control.startswith("in the test") and not any("undefended" in tests.get(test, "") for test in named):
        print(where, "nothing in these tests is undefended:", *named)
if not count:
    print(PAGE, "has no table")
for test in sorted(set().union(*patches.values()) - set(tests)):
    print("tests/attacks/undefended: there is no test", test)
for name, path in sorted(sources.items()):
    if path.startswith("tests/attacks/") and not any(test.startswith(name + ".") for test in seen_tests):
        print(PAGE, "lacks", path)
for patch in sorted(set(patches) - seen_patches):
    print(PAGE, "lacks the patch", patch)
for path in sorted(glob.glob("tests/attacks/undefended/*.patch")):
    with open(path) as file:
        if subprocess.run(["patch", "-p1", "-F", "2", "--dry-run", "-s", "-f"], stdin=file).returncode:
            print(path, "does not fit kmod/ any more: make it anew")
