#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""judge.py who DEVICE...: the readers as "devringctl who" has them, a line each:
device, reader id, pid, command, delivered, lost, cursor.
judge.py counts KIND HEAD DELIVERED LOST FILE: do a reader's own counts add up to what was committed
(HEAD), and are they what the kernel counted (DELIVERED, LOST)?
KIND tells what FILE has: json (reader, verify.py), cat (devringctl cat --json --verify), or lines
(docs/examples/reader.py). Prints delivered, lost and rings; or what is wrong, with status 1.
judge.py picture FILE, judge.py sound FILE: is it a picture, a second of sound that is not silence?"""
import array
import json
import re
import struct
import subprocess
import sys
import wave
import zlib


def fail(*words):
    print(*words)
    sys.exit(1)


def who(devices):
    answer = subprocess.run(["devringctl", "who", "--json", *devices], check=True,
                            stdout=subprocess.PIPE).stdout
    for r in json.loads(answer)["readers"]:
        print(r["device"], r["reader"], r["pid"], r["command"] or "-", r["delivered"], r["lost"],
              r["cursor"])


def from_lines(text):
    """What docs/examples/reader.py said, checked line by line."""
    frames = [tuple(map(int, m)) for m in
              re.findall(r"^frame (\d+): \d+ bytes, (\d+) lost before it$", text, re.M)]
    if not frames:
        fail("it printed no frame")
    due = first = frames[0][0] - frames[0][1]
    gaps = 0
    for sequence, lost in frames:
        gaps += sequence != due + lost
        due = sequence + 1
    return {"first": first, "next": due, "delivered": len(frames), "gaps": gaps,
            "lost": sum(lost for _, lost in frames)}


def read_counts(kind, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if kind == "lines":
        return from_lines(text)
    try:
        count = json.loads(text)
    except json.JSONDecodeError:
        fail("it left no counts:", text)
    if kind == "cat":
        if count["verified"] != count["delivered"]:
            fail("it verified", count["verified"], "of", count["delivered"], "frames")
        # It began with frame 0 and does not tell where it ended.
        count["first"], count["next"] = 0, count["delivered"] + count["lost"]
    return count


def counts(kind, head, delivered, lost, path):
    count = read_counts(kind, path)
    for key in ("wrong", "gaps", "unsteady", "torn"):
        if count.get(key):
            fail(key, "is", count[key])
    if not count["delivered"]:
        fail("it got nothing")
    if count["first"] + count["delivered"] + count["lost"] != int(head) or count["next"] != int(head):
        fail(f"first {count['first']} + delivered {count['delivered']} + lost {count['lost']}, "
             f"next {count['next']}: not {head} committed")
    if (count["delivered"], count["lost"]) != (int(delivered), int(lost)):
        fail(f"the reader counts {count['delivered']} delivered and {count['lost']} lost, "
             f"the kernel {delivered} and {lost}")
    print(count["first"], count["delivered"], count["lost"], count.get("generations", "-"))


def picture(path):
    """A PNG that is whole and shows more than one colour; prints its size."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        fail(path, "is no PNG")
    at, pixels, size = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + length]
        if zlib.crc32(kind + body) != struct.unpack_from(">I", data, at + 8 + length)[0]:
            fail("a chunk of", path, "is damaged")
        if kind == b"IHDR":
            size = struct.unpack_from(">II", body)
        pixels += body if kind == b"IDAT" else b""
        at += 12 + length
    # One colour is 5 values at most: three, the number of a line's filter, and no difference.
    if len(set(zlib.decompress(pixels))) < 8:
        fail(path, "shows nothing")
    print(f"{size[0]}x{size[1]}")


def sound(path):
    with wave.open(path, "rb") as file:
        rate, length = file.getframerate(), file.getnframes()
        samples = array.array("h", file.readframes(length))
    if length != rate:
        fail(f"{length} samples at {rate} Hz are no second")
    loudest = max(map(abs, samples))
    if loudest < 1000:
        fail("the loudest sample is", loudest, "of 32767")
    print(f"{rate} Hz, loudest sample {loudest} of 32767")


def main():
    commands = {"who": lambda *devices: who(devices), "counts": counts, "picture": picture,
                "sound": sound}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])


main()
