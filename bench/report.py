#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""bench/report.py FOLDER

Makes of what `make bench` left in FOLDER (paths.jsonl, and scale.jsonl and chains.jsonl if they are
there) a table (report.md), all of it in one file (bench.json), and plots (*.svg, *.png). Prints how
far the targets are reached.
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
# The same drawing twice is the same file.
matplotlib.rcParams["svg.hashsalt"] = "devring"
# Text as text: smaller, and it can be searched.
matplotlib.rcParams["svg.fonttype"] = "none"
from matplotlib import pyplot  # noqa: E402

FLOOR = ("a system call", "getppid", 1)

# What is compared with what: group, devring's subject, the peer's, how many readers, at most this ratio.
TARGETS = [
    ("commit until a sleeping read() has the frame, to a blocking eventfd read",
     ("wake", "devring", 1), ("wake", "eventfd", 1), 1.0),
    ("commit until poll() and read() have the frame, to eventfd's poll and read",
     ("wake", "devring, poll", 1), ("wake", "eventfd, poll", 1), 0.95),
    ("commit with nobody waiting, to an eventfd write",
     ("send, nobody waits", "devring", 0), ("send, nobody waits", "eventfd", 0), 1.3),
    ("producer's cost of 16 readers asleep in read(), to one futex wake of 16",
     ("send to sleepers", "devring", 16), ("send to sleepers", "futex", 16), 1.05),
    ("the same, to sixteen datagram sockets",
     ("send to sleepers", "devring", 16), ("send to sleepers", "unix datagram", 16), 0.4),
    ("the same, to sixteen seqpacket sockets",
     ("send to sleepers", "devring", 16), ("send to sleepers", "unix seqpacket", 16), 0.4),
]
FILTERED = "commit, filtered readers that are not due"
IDLE = "commit, idle readers"
SWITCHES = "context switches in 20 s at 60 frames a second"


def read_rows(path):
    if not path.exists():
        return []
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def by_key(rows):
    return {(row["group"], row["subject"], row["count"]): row for row in rows}


def judge_targets(rows):
    """Yields (what, figure, limit, reached)."""

    def median(*key):
        return rows[key]["median"]

    for what, ours, theirs, limit in TARGETS:
        ratio = median(*ours) / median(*theirs)
        yield what, f"{median(*ours)} / {median(*theirs)} = {ratio:.2f}", f"{limit:.2f}", ratio <= limit
    alone = median(IDLE, "devring", 0)
    most = max(median(*key) - alone for key in rows if key[0] == IDLE)
    yield "a commit for each reader that does not wait, of up to 256", str(most), "0", most == 0
    for subject in sorted({key[1] for key in rows if key[0] == FILTERED}):
        for count in (1, 16, 64):
            each = (median(FILTERED, subject, count) - median(FILTERED, subject, 0)) / count
            kind = subject.split(", ", 1)[1]
            yield f"a commit for each of {count} filtered readers not due ({kind})", f"{each:.1f}", "12", each <= 12
    switches = median(SWITCHES, "devring, once a second", 1)
    yield (f"switches in 20 s of a reader that wants one frame a second of 60 (of one that wants all:"
           f" {median(SWITCHES, 'devring', 1)})", str(switches), "24", switches <= 24)
    yield from judge_loopback(rows)


# A frame whole, as v4l2loopback has it: its writer dequeues and queues, and so does its reader.
WHOLE = {
    "a frame, producer": (("take a slot", 1), ("send, nobody waits", 0)),
    "a frame, reader": (("receive what is there", 1), ("give back", 1)),
    "mmap and first fault": (("mmap", 1), ("first fault", 1)),
}


def judge_loopback(rows):
    """devring's rows beside v4l2loopback's; its write and read copy, so they are no peers."""

    def median(group, subject, count):
        return rows.get((group, subject, count), {}).get("median", 0)

    pairs = []
    for whole, parts in WHOLE.items():
        pairs.append((whole, *(sum(median(group, who, count) for group, count in parts)
                               for who in ("devring", "v4l2loopback"))))
    in_parts = {group for parts in WHOLE.values() for group, _ in parts}
    for (group, subject, count), row in rows.items():
        ours = median(group, subject.replace("v4l2loopback", "devring"), count)
        if subject in ("v4l2loopback", "v4l2loopback, poll") and ours and group not in in_parts:
            how = ", poll" if "poll" in subject and "poll" not in group else ""
            readers = f", {count} readers" if group == "send to sleepers" else ""
            pairs.append((group + how + readers, ours, row["median"]))
    for what, ours, theirs in pairs:
        yield f"to v4l2loopback: {what}", f"{ours} / {theirs} = {ours / theirs:.2f}", "1.00", ours < theirs


def write_table(path, rows, targets, scale, chains, about):
    lines = ["# What was measured", "", about, "", "## Targets", "",
             "| what | measured | at most | |", "|---|---|---|---|"]
    lines += [f"| {what} | {figure} | {limit} | {'reached' if ok else '**not reached**'} |"
              for what, figure, limit, ok in targets]
    floor = rows[FLOOR]["median"]
    lines += ["", "## Instructions", "",
              f"The floor is a system call that does nothing: {floor}. `spread` is from the least to the ninth of"
              " ten.", ""]
    for group in dict.fromkeys(key[0] for key in rows):
        lines += [f"### {group}", "", "| subject | readers | median | spread | / floor |", "|---|---|---|---|---|"]
        lines += [f"| {row['subject']} | {row['count']} | {row['median']} | {row['min']}–{row['p90']} |"
                  f" {row['median'] / floor:.1f} |" for key, row in rows.items() if key[0] == group]
        lines += [""]
    for title, more in (("Scale", scale), ("Chains", chains)):
        if more:
            names = list(dict.fromkeys(name for row in more for name in row))
            lines += [f"## {title}", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
            lines += ["| " + " | ".join(str(row.get(name, "")) for name in names) + " |" for row in more]
            lines += [""]
    path.write_text("\n".join(lines), encoding="utf-8")


def save(folder, name, figure):
    figure.tight_layout()
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", dpi=120)
    pyplot.close(figure)


COLOURS = {"devring": "#1f6f8b", "v4l2loopback": "#c8553d", "eventfd": "#8a8d91", "futex": "#5b5f66"}


def colour(subject):
    return COLOURS.get(subject.split(",")[0], "#c3c7cc")


def plot_bars(folder, rows, group, name, title):
    bars = sorted((row["median"], subject) for (g, subject, count), row in rows.items()
                  if g == group and count <= 1)
    figure, axes = pyplot.subplots(figsize=(7, 0.32 * len(bars) + 1))
    axes.barh([subject for _, subject in bars], [value for value, _ in bars],
              color=[colour(subject) for _, subject in bars])
    axes.axvline(rows[FLOOR]["median"], color="black", linewidth=0.8, linestyle=":")
    axes.set_xlabel("instructions; dotted: a system call that does nothing")
    axes.set_title(title)
    save(folder, name, figure)


def plot_lines(folder, rows, group, subjects, name, title):
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for subject in subjects:
        points = sorted((count, row["median"]) for (g, s, count), row in rows.items() if g == group and s == subject)
        if points:
            axes.plot(*zip(*points), marker="o", label=subject, color=colour(subject),
                      linestyle="--" if "poll" in subject else "-")
    axes.set_xscale("symlog", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("readers")
    axes.set_ylabel("instructions of the sender")
    axes.set_title(title)
    axes.legend(fontsize=8)
    save(folder, name, figure)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    folder = pathlib.Path(sys.argv[1])
    rows = by_key(read_rows(folder / "paths.jsonl"))
    scale, chains = read_rows(folder / "scale.jsonl"), read_rows(folder / "chains.jsonl")
    about = (folder / "about").read_text(encoding="utf-8").strip()
    targets = list(judge_targets(rows))
    write_table(folder / "report.md", rows, targets, scale, chains, about)
    (folder / "bench.json").write_text(json.dumps({
        "about": about, "instructions": list(rows.values()), "scale": scale, "chains": chains,
        "targets": [dict(zip(("what", "measured", "limit", "reached"), target)) for target in targets],
    }, indent=1) + "\n", encoding="utf-8")
    plot_bars(folder, rows, "wake", "wake", "From send until the one who slept has it")
    plot_bars(folder, rows, "send, nobody waits", "send", "Send while nobody waits")
    plot_lines(folder, rows, "send to sleepers",
               ("devring", "devring, poll", "futex", "eventfd", "unix datagram", "v4l2loopback"),
               "fan-out", "What it takes the sender to wake all")
    for what, figure, limit, ok in targets:
        print(f"{'reached    ' if ok else 'NOT REACHED'} {what}: {figure} (at most {limit})")


if __name__ == "__main__":
    main()
