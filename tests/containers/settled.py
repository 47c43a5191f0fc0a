#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""settled.py STEPS LOG: what a follower was told of each device between the numbers of changes that
the file STEPS has, when everything had come to rest. How many records told it depends on how fast
the follower was; what they say together does not."""
import bisect
import sys


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        steps = [int(word) for word in file.read().split()]
    told = {}
    with open(sys.argv[2], encoding="utf-8") as file:
        for line in file:
            if not line.startswith("change "):
                continue
            number, kind, changed, device, rest = line.split(maxsplit=5)[1:]
            step = bisect.bisect_left(steps, int(number))
            before = told.get((step, int(device)), (0, "", ""))[0]
            told[step, int(device)] = before | int(changed), kind, rest.strip()
    for (step, _), (changed, kind, rest) in sorted(told.items()):
        # Who came later was told at once what others were told one after the other.
        print(step, kind, changed if step else "-", rest)


main()
