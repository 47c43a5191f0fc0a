#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bench/budgets.py check|update COUNTS RELEASE

Compares what bench/count counted with bench/budgets.json, and prints TAP; or writes the budgets
anew. A budget is what was counted when it was written, on one kernel. On that kernel nothing may take
more than the slack above it. Another kernel's own paths differ, so there a row may grow as much as its
yardstick, an eventfd or a system call in the same run, has grown, and a wider slack on top.
"""

import json
import pathlib
import sys

BUDGETS = pathlib.Path(__file__).with_name("budgets.json")
SLACK = 0.02
SLACK_ELSEWHERE = 0.15

# What a row of devring's is measured by on another kernel: the row of the same work.
YARDSTICKS = {
    "send, nobody waits": "send, nobody waits|eventfd|0",
    "receive what is there": "receive what is there|eventfd|1",
    "poll, ready": "poll, ready|eventfd, poll|1",
    "poll, not ready": "poll, not ready|eventfd, poll|1",
    "wake": "wake|eventfd|1",
    "mmap": "mmap|memfd|1",
    "first fault": "first fault|memfd|1",
    "open": "open|eventfd|1",
    "close": "close|eventfd|1",
}
YARDSTICK = "send, nobody waits|eventfd|0"


def key(row):
    return f"{row['group']}|{row['subject']}|{row['count']}"


def yardstick(name):
    group, _, count = name.split("|")
    if group == "send to sleepers":
        return f"{group}|futex|{count}"
    return YARDSTICKS.get(group, YARDSTICK)


def read_counts(path):
    with open(path, encoding="utf-8") as lines:
        return {key(row): row["median"] for row in map(json.loads, lines)}


def update(counts, release):
    rows = {name: count for name, count in counts.items() if name.split("|")[1].startswith("devring")}
    budgets = {"licence": "SPDX-License-Identifier: GPL-2.0-only", "kernel": release,
               "slack": SLACK, "slack_elsewhere": SLACK_ELSEWHERE, "rows": rows,
               "yardsticks": {name: counts[name] for name in sorted(map(yardstick, rows))}}
    BUDGETS.write_text(json.dumps(budgets, indent=1) + "\n", encoding="utf-8")
    print(f"{BUDGETS}: {len(rows)} budgets of {release}")


def check(counts, release):
    budgets = json.loads(BUDGETS.read_text(encoding="utf-8"))
    same = budgets["kernel"] == release
    slack = budgets["slack" if same else "slack_elsewhere"]
    if not same:
        print(f"# The budgets are of {budgets['kernel']}, this is {release}: each may grow as its yardstick"
              f" did, and {slack:.0%} more. `make budgets` counts them anew.")
    failed = 0
    for name, budget in budgets["rows"].items():
        title = "budget of " + name.replace("|", ": ", 1).replace("|", ", ")
        if name not in counts:
            failed += 1
            print(f"not ok - {title} was not counted")
            continue
        grown = 1 if same else counts[yardstick(name)] / budgets["yardsticks"][yardstick(name)]
        allowed = budget * grown
        over = counts[name] > allowed * (1 + slack)
        failed += over
        print(f"{'not ok' if over else 'ok'} - {title}")
        if over:
            print(f"# {counts[name]} instructions, {counts[name] - allowed:.0f} above the budget of {allowed:.0f}"
                  f" ({counts[name] / allowed - 1:+.1%}, slack {slack:.0%})")
    for name in sorted(set(counts) - set(budgets["rows"])):
        if name.split("|")[1].startswith("devring"):
            failed += 1
            print(f"not ok - {name} has no budget: make budgets")
    return 1 if failed else 0


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("check", "update"):
        sys.exit(f"usage: {sys.argv[0]} check|update COUNTS RELEASE")
    counts = read_counts(sys.argv[2])
    return (update if sys.argv[1] == "update" else check)(counts, sys.argv[3])


if __name__ == "__main__":
    sys.exit(main())
