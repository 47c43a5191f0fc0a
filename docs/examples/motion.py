#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""motion.py CAMERA [COUNT]: saves a picture, motion-1.png and so on, each time that something moves."""
import struct
import sys
import zlib

from ring import Ring

YUYV = int.from_bytes(b"YUYV", "little")
PLANAR = {int.from_bytes(name, "little") for name in (b"NV12", b"YU12", b"GREY", b"NV21", b"YV12")}


def brightness(frame, numbers):
    """The picture's lines in grey, a byte a pixel."""
    fourcc, width, height, _, stride = numbers[:5]
    if fourcc != YUYV and fourcc not in PLANAR:
        raise SystemExit("this camera delivers neither YUYV nor planes: see formats in devringd.conf")
    step = 2 if fourcc == YUYV else 1
    return [bytes(frame[line * stride:line * stride + width * step:step]) for line in range(height)]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def save(path, lines):
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">2I5B", len(lines[0]), len(lines), 8, 0, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines))))
        file.write(chunk(b"IEND", b""))
    print(f"{path}: something moved", flush=True)


def main(node, count=0):
    ring, before, saved = Ring(node), None, 0
    for frame in ring.frames():
        lines = brightness(frame, ring.format(1))
        now = [pixel for line in lines[::8] for pixel in line[::8]]
        if before and len(before) == len(now):
            changed = sum(abs(a - b) > 25 for a, b in zip(before, now))
            if changed > len(now) / 500:
                saved += 1
                save(f"motion-{saved}.png", lines)
                if saved == count:
                    return
        before = now


main(sys.argv[1], *map(int, sys.argv[2:3]))
