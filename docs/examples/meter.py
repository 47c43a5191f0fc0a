#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""meter.py MICROPHONE [SECONDS]: shows how loud it is, and whether somebody speaks."""
import math
import sys

from ring import Ring

S16_LE, S32_LE = 2, 10


def main(node, seconds=math.inf):
    ring, heard, quiet, part, done = Ring(node), 0.0, 0.0, [], 0
    for frame in ring.frames():
        kind, rate, channels, _ = ring.format(2)[:4]
        if kind not in (S16_LE, S32_LE):
            raise SystemExit("this meter knows samples of 16 and 32 bits only")
        samples = frame.cast("h" if kind == S16_LE else "i")
        part.extend(samples[::8])  # one of eight tells as much, and costs less
        done += len(samples)
        if done < rate * channels / 5:  # five lines a second
            continue
        loudest = 32768 if kind == S16_LE else 2147483648
        power = sum(sample * sample for sample in part) / len(part) / loudest ** 2
        level = 10 * math.log10(power + 1e-9)
        # What is quiet here is learnt from the quietest moment, and slowly forgotten.
        quiet = min(quiet + 0.1, level)
        speaks = level > max(quiet, -60) + 12
        heard += done / rate / channels
        bar = "#" * max(0, 30 + int(level / 2))
        print(f"{heard:6.1f} s {level:6.1f} dB {bar:30} {'voice' if speaks else ''}".rstrip(), flush=True)
        part, done = [], 0
        if heard >= seconds:
            return


main(sys.argv[1], *map(float, sys.argv[2:3]))
