#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""frames.py [DEVICE [FRAMES]]: lists the devices; reads so many frames of one, and tells what it lost.

It goes on when the device is unplugged and comes back. Nothing but the standard library is needed.
"""
import errno
import mmap
import os
import pathlib
import struct
import sys

STATES = ["", "offline", "available", "error", "removed"]


def devices():
    for folder in sorted(pathlib.Path("/sys/class/devring").iterdir()):
        print("device", *((folder / name).read_text().strip() for name in ("link", "type", "state")), flush=True)


class Reader:
    def __init__(self, node):
        self.fd = os.open(node, os.O_RDONLY)
        self.ring, self.base = None, 0
        self.frames = self.lost = 0

    def generation(self, record):
        """The ring was replaced: map the new one."""
        number, = struct.unpack_from("=I", record, 8)
        self.base, length = struct.unpack_from("=QQ", record, 24)
        try:
            self.ring = mmap.mmap(self.fd, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=self.base)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            self.ring = None  # Replaced already; another record follows.
        print("ring", number, flush=True)

    def frame(self, record):
        sequence, offset, _, lost = struct.unpack_from("=4Q", record, 8)
        length, = struct.unpack_from("=I", record, 48)
        self.lost += lost
        if self.ring is None:
            self.lost += 1
            return
        self.frames += 1
        # In the ring itself: it stands still until the next read.
        with memoryview(self.ring) as ring:
            total = sum(ring[offset - self.base:offset - self.base + length])
        print(f"frame {sequence}: {length} bytes, {lost} lost, sum {total}", flush=True)

    def read(self, wanted):
        while self.frames < wanted and (records := os.read(self.fd, 128)):
            while records:
                size, kind = struct.unpack_from("=HH", records)
                if kind == 1:
                    self.frame(records)
                elif kind == 2:
                    self.generation(records)
                elif kind == 3:
                    print("state", STATES[struct.unpack_from("=I", records, 8)[0]], flush=True)
                records = records[size:]


devices()
if len(sys.argv) > 1:
    reader = Reader(sys.argv[1])
    reader.read(int(sys.argv[2]) if len(sys.argv) > 2 else 60)
    print(f"{reader.frames} frames, {reader.lost} lost")
