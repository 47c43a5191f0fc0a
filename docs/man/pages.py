#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pages.py OUTDIR: makes the manual pages.

The pages that lie here are mdoc with @date@ and @version@ to be filled in. A line .\\"@section TITLE, and
.\\"@ioctls, are replaced by what the comments of <linux/devring.h> say. The pages of libdevring's functions
come from the comments of its headers, one page a section, with a link for each function.
"""
import os
import re
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
ABI = "uapi/linux/devring.h"
CLIENT = "userspace/libdevring/include/devring/client.h"
CHECKSUM = "userspace/libdevring/include/devring/checksum.h"

# Page, header, title of its section there (None: all of it), and what the page is about.
GROUPS = [
    ("devring_names", CLIENT, "Names of numbers", "names of devring's types, states, flags and formats"),
    ("devring_calls", CLIENT, "Calls that need no object", "find, open, register and ask about devices"),
    ("devring_watch", CLIENT, "Following changes", "follow the changes of all devices"),
    ("devring_reading", CLIENT, "Reading", "read a device"),
    ("devring_producing", CLIENT, "Producing", "fill a device"),
    ("devring_checksums", CHECKSUM, None, "checksums of frames"),
]

TITLE = re.compile(r"/\*\n \* ---- (.+?)(?: \(any thread\))? ----\n(?: \*\n)?(.*?) \*/\n", re.S)
FUNCTION = re.compile(r"^(?:static inline )?((?:const |unsigned )?(?:struct )?\w+ [*]?)(devring_\w+)\(([^)]*)\)", re.M)
NAMES = r"(?:(?:struct|enum) )?devring_\w+(?:\(\))?"
ITEM = re.compile(rf"^({NAMES}(?:, {NAMES})*) - +(.*)|^@(\w+): *(.*)")


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def release():
    """Version and date of the newest release that CHANGELOG.md names."""
    match = re.search(r"^## (\S+) \((\d{4})-(\d\d)-(\d\d)\)", read("CHANGELOG.md"), re.M)
    months = ("January February March April May June July August September October November "
              "December").split()
    return match[1], f"{months[int(match[3]) - 1]} {int(match[4])}, {match[2]}"


def section(header, title):
    """The text of a header between two titles."""
    text = read(header)
    if title is None:
        return text
    titles = list(TITLE.finditer(text))
    if title == "beginning":
        return text[text.index("#define DEVRING_"):titles[0].start()]
    for i, match in enumerate(titles):
        if match[1] == title:
            end = titles[i + 1].start() if i + 1 < len(titles) else len(text)
            return text[match.end():end]
    raise SystemExit(f"pages.py: {header} has no section \"{title}\"")


def preface(header, title):
    """The sentences below a title."""
    return next(m[2] for m in TITLE.finditer(read(header)) if m[1] == title)


# ---- Text to mdoc ----

def plain(text):
    """No line is a macro."""
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def escaped(text):
    return re.sub(r"(?<![\w-])-(?=\w)", r"\\-", text.replace("\\", "\\e"))


def rich(text):
    """A sentence of a comment: parameters, constants and calls in other letters."""
    text = re.sub(r"@([a-z]\w*)", r"\\fI\1\\fP", text)
    text = re.sub(r"%?\b(E[A-Z0-9]{3,}|_?DEVRING_\w+\*?|MAP_\w+|PROT_\w+|O_\w+|POLL(?:IN|OUT|HUP|ERR)|CLOCK_\w+|"
                  r"CAP_\w+)\b", r"\\fB\1\\fP", text)
    text = re.sub(r"\b(devring_\w+)\(\)", r"\\fB\1\\fP()", text)
    return text


def sentences(words):
    """Each sentence on a line of its own, as roff wants it."""
    text = " ".join(words.split())
    text = re.sub(r"(?<=[A-Za-z0-9)\"][.?!])\s+(?=[A-Z0-9\"@%*])", "\n", text)
    return "\n".join(plain(rich(textwrap.fill(escaped(line), 76, break_long_words=False, break_on_hyphens=False)))
                     for line in text.split("\n"))


def comment_lines(comment):
    body = re.sub(r"^/\*\*?|\*/$", "", comment.strip())
    lines = [re.sub(r"^ \* ?", "", line).rstrip() for line in body.strip("\n").split("\n")]
    return [line.strip() if i == 0 and not line.startswith("\t") else line for i, line in enumerate(lines)]


def paragraphs(lines):
    """mdoc of free text: paragraphs, tables (a tab between two columns) and indented code."""
    out, words = [], []

    def flush():
        if words:
            out.extend([".Pp", sentences(" ".join(words))])
            words.clear()

    i = 0
    while i < len(lines):
        line = lines[i]
        if not line.strip():
            flush()
            i += 1
        elif line.startswith("\t"):
            block = []
            while i < len(lines) and lines[i].startswith("\t"):
                block.append(lines[i])
                i += 1
            flush()
            out += indented(block)
        else:
            words.append(line.strip().lstrip("*") if line.startswith("* ") else line.strip())
            i += 1
    flush()
    return out


def indented(block):
    if not re.match(r"^\t\S[^\t]*\t+\S", block[0]):
        width = min(len(b) - len(b.lstrip("\t")) for b in block)
        return [".Bd -literal -offset indent", *[plain(escaped(b[width:].expandtabs(8))) for b in block], ".Ed"]
    out = [".Bl -tag -width Ds -offset indent -compact"]
    for line in block:
        row = re.match(r"^\t(\S[^\t]*)\t+(\S.*)", line)
        out += [".It " + quoted(row[1]), sentences(row[2])] if row else [sentences(line)]
    return [*out, ".El"]


def quoted(term):
    return "Li " + escaped(term).replace("\"", "\\(dq").replace(" ", "\\ ")


def parse(comment):
    """A documenting comment: names with their meanings, parameters, and the paragraphs between."""
    parts, current = [], None
    for line in comment_lines(comment):
        item = ITEM.match(line)
        if item and item[1]:
            current = ["names", item[1], [item[2]]]
            parts.append(current)
        elif item:
            current = ["parameter", item[3], [item[4]]]
            parts.append(current)
        elif current is None or (not line.strip() and current[0] != "text"):
            current = ["text", "", []]
            parts.append(current)
        elif current[0] == "text":
            current[2].append(line)
        elif re.match(r"^\t\"?\S[^\t]*\t+\S", line) or (len(current[2]) > 1 and current[2][-1].startswith("\t")):
            current[2].append(line)
        elif current[0] == "parameter" and not line[:1].isspace():
            current = ["text", "", [line]]
            parts.append(current)
        else:
            current[2].append(line.strip())
    return parts


# ---- Functions ----

def functions(text):
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return FUNCTION.findall(bare)


def synopsis(text):
    out = []
    for kind, name, arguments in functions(text):
        out += [f".Ft \"{kind.strip()}\"", f".Fo {name}"]
        out += [f".Fa \"{' '.join(a.split())}\"" for a in arguments.split(",")]
        out.append(".Fc")
    return out


def describe(text):
    """All that a header's comments say, in their order."""
    out = []
    for comment in re.findall(r"/\*\*.*?\*/\n(?:(?:struct|enum) \w+ \{.*?^\};)?", text, re.S | re.M):
        body, _, declaration = comment.partition("*/\n")
        out += block(parse(body + "*/"), declaration)
    return out


def block(parts, declaration=""):
    """One comment: a list of its names, and below them, indented, all else."""
    out, kind = [], None
    if parts[0][0] == "names":
        out.append(".Bl -tag -width 4n")
    for part, name, lines in parts:
        if part != "parameter" and kind == "parameter":
            out.append(".El")
        elif part == "parameter" and kind != "parameter":
            out.append(".Bl -tag -width Ds -compact")
        kind = part
        if part == "names":
            out += [".It Xo", *heads(name), ".Xc", sentences(" ".join(lines))]
        elif part == "parameter":
            out += [".It " + member(name, declaration), *description(lines)]
        else:
            out += paragraphs(lines)
    if kind == "parameter":
        out.append(".El")
    out += remarks(declaration, {name for part, name, _ in parts if part == "parameter"})
    return [*out, ".El"] if parts[0][0] == "names" else out


def description(lines):
    flat = [line for line in lines if not line.startswith("\t")]
    return [sentences(" ".join(flat)), *(indented(lines[len(flat):]) if len(flat) < len(lines) else [])]


def heads(names):
    out = []
    for name in names.split(", "):
        if name.endswith("()"):
            out.append(f".Fn {name[:-2]}")
        else:
            out.append(f".Vt \"{name}\"")
    return [line + " ," if i + 1 < len(out) else line for i, line in enumerate(out)]


def member(name, declaration):
    """A member with its type, if the comment is that of a struct; else a parameter."""
    if name.startswith("DEVRING_"):
        value = re.search(rf"\b{name}\s*= (\w+),", declaration)
        return f"Dv {name}" + (f" Pq {value[1]}" if value else "")
    found = re.search(rf"^\s*((?:const )?(?:struct )?\w+)\s+([*]*{name}(?:\[\w+\])?);", declaration, re.M)
    return f"Vt \"{found[1]} {found[2]}\"" if found else f"Fa {name}"


def remarks(declaration, told):
    """Constants, and members with a comment behind them, that the comment above does not tell of."""
    rows, note = [], ""
    for line in re.sub(r"/\*\*.*?\*/", "", declaration, flags=re.S).split("\n"):
        code, _, comment = line.partition("/*")
        comment = comment.partition("*/")[0].strip()
        constant = re.match(r"#define\s+(DEVRING_\w+)(?:\(\w*\))?\s+(\S.*)|\s+(DEVRING_\w+)\s*= (\w+),", code.rstrip())
        name = re.match(r"\s+(\S.*?(\w+)(?:\[\w+\])?);", code)
        if constant and not (constant[1] or constant[3]) in told:
            rows.append(f".It Dv {constant[1] or constant[3]} Pq {(constant[2] or constant[4]).strip('()')}")
            rows += [sentences(comment or note)] if comment or note else []
        elif name and comment and name[2] not in told:
            rows += [f".It Vt \"{name[1]}\"", sentences(comment)]
        note = comment if not code.strip() else ""
    return [".Bl -tag -width Ds -compact", *rows, ".El"] if rows else []


# ---- Structs of the ABI ----

COMMENTED = re.compile(r"(/\*\*(?:(?!\*/).)*\*/\n)((?:struct|enum) \w+ \{.*?^\};)"
                       r"|^((?:#define\s+DEVRING_\w+\s+[^\n]*\n)+)|(/\* (?:(?!\*/).)*\*/)\n|^(enum \w+ \{.*?^\};)",
                       re.S | re.M)


def layouts(text, ioctls):
    """Structs, enums and constants of a section; those that are ioctls' arguments, or all others."""
    out = []
    for match in COMMENTED.finditer(text):
        comment, declaration, defines, note, enum = match.groups()
        if comment:
            call = re.search(r"\(([A-Z_]+)[,;]?[^)]*\)$", " ".join(headline(comment)))
            call = call[1] if call and f"#define DEVRING_IOC_{call[1]}" in read(ABI) else None
            if bool(call) != ioctls:
                continue
            name = f"DEVRING_IOC_{call}" if call else declaration.split(" {")[0]
            parts = parse(comment)
            if not call:
                parts[0] = ["text", "", parts[0][2]]
            out += [f".Ss {name}", *block(parts, declaration)]
        elif defines and not ioctls and "_IOC" not in defines and "define _" not in defines:
            out += remarks(defines, set())
        elif note and not ioctls and "----" not in note:
            out += [".Pp", sentences(" ".join(comment_lines(note)))]
        elif enum and not ioctls:
            out.append(f".Ss {enum.split(' {')[0]}")
            out += remarks(enum, set())
    return out


def headline(comment):
    for part, _, lines in parse(comment):
        if part == "names":
            return lines
    return []


# ---- Pages ----

def parameters():
    """The module's parameters, as modinfo tells them."""
    sources = sorted(name for name in os.listdir(os.path.join(TOP, "kmod")) if name.endswith(".c"))
    text = "".join(read(f"kmod/{name}") for name in sources)
    return re.findall(r"^MODULE_PARM_DESC\((\w+),\s*\"(.*?)\"\);", text, re.M)


def directive(line):
    word, _, rest = line[4:].partition(" ")
    if word == "section":
        return layouts(section(ABI, rest), False)
    if word == "preface":
        return paragraphs(comment_lines("/*\n" + preface(ABI, rest) + "*/"))
    if word == "ioctls":
        return layouts(section(ABI, "ioctls"), True)
    if word == "index":
        out = []
        for page, header, title, about in GROUPS:
            out += [f".It Xr {page} 3", about[0].upper() + about[1:] + ":"]
            names = [name for _, name, _ in functions(section(header, title))]
            out += [f".Fn {name}" + (" ," if i + 1 < len(names) else " .") for i, name in enumerate(names)]
        return out
    if word == "parameters":
        return [row for name, text in parameters() for row in (f".It Cm {name}", sentences(text))]
    if word == "sysfs":
        names = re.findall(r"^SHOW(?:_RING)?\((\w+),", read("kmod/sysfs.c"), re.M)
        return [f".Pa {name}" + (" ," if i + 1 < len(names) else "") for i, name in enumerate(names)]
    raise SystemExit(f"pages.py: what is \"{line}\"?")


def group_page(page, header, title, about):
    text = section(header, title)
    names = [name for _, name, _ in functions(text)]
    return [".Dd @date@", f".Dt {page.upper()} 3", ".Os devring @version@", ".Sh NAME",
            *[f".Nm {name}" + (" ," if i + 1 < len(names) else "") for i, name in enumerate(names)],
            f".Nd {about}", ".Sh LIBRARY", "libdevring", ".Pq \\-ldevring ; pkg-config name devring",
            ".Sh SYNOPSIS", ".In " + header.split("include/")[1], *synopsis(text),
            ".Sh DESCRIPTION",
            "Functions that can fail return a negative errno; the variable", ".Va errno",
            "itself means nothing after them.", "Time-outs are in milliseconds: \\-1 waits for ever, 0 does not wait.",
            "What holds for all functions, threads and memory among it, is in", ".Xr libdevring 3 .",
            *describe(text),
            ".Sh SEE ALSO", ".Xr libdevring 3 ,", ".Xr devring 4 ,", ".Xr devring 7"]


def tidy(lines):
    """No paragraph macro where it has no effect: after a heading, before a list, or twice."""
    out = []
    for line in "\n".join(lines).split("\n"):
        if line == ".Pp" and (not out or out[-1] == ".Pp" or out[-1].startswith((".Ss", ".Sh", ".It"))):
            continue
        if line.startswith((".Ss", ".Sh", ".El", ".Bd", ".Bl")) and out[-1:] == [".Pp"]:
            out.pop()
        out.append(line)
    return out


def write(folder, name, lines):
    version, date = release()
    text = "\n".join(tidy(lines)) + "\n"
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text.replace("@date@", date).replace("@version@", version))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name in sorted(os.listdir(HERE)):
        if not re.search(r"\.[1-8]$", name):
            continue
        lines = []
        for line in read(f"docs/man/{name}").rstrip("\n").split("\n"):
            lines += directive(line) if line.startswith('.\\"@') else [line]
        write(folder, name, lines)
    for page, header, title, about in GROUPS:
        write(folder, f"{page}.3", group_page(page, header, title, about))
        for _, name, _ in functions(section(header, title)):
            write(folder, f"{name}.3", [f".so man3/{page}.3"])


main()
