# SPDX-License-Identifier: MIT
"""A device's frames, for the programs of docs/tutorial.md. Nothing but the standard library is needed."""
import mmap
import os
import struct


class Ring:
    def __init__(self, node):
        self.fd = os.open(node, os.O_RDONLY)
        self.map, self.base = None, 0

    def frames(self):
        """Each frame where it lies, for as long as the loop has it: nothing is copied."""
        while records := os.read(self.fd, 128):
            while records:
                size, kind = struct.unpack_from("=HH", records)
                if kind == 2:  # GENERATION: there is a new ring
                    self.base, length = struct.unpack_from("=QQ", records, 24)
                    try:
                        self.map = mmap.mmap(self.fd, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=self.base)
                    except OSError:  # replaced already; the next record tells by which
                        self.map = None
                elif kind == 1 and self.map:  # FRAME
                    at = struct.unpack_from("=Q", records, 16)[0] - self.base
                    length, = struct.unpack_from("=I", records, 48)
                    yield memoryview(self.map)[at:at + length]
                records = records[size:]

    def format(self, kind):
        """The numbers that tell what frames are, if they are of that kind: 1 pictures, 2 sound."""
        header = os.pread(self.fd, 4096, 0)
        found, _, *numbers = struct.unpack_from("=14I", header, 128)
        if found != kind:
            raise SystemExit("this device has neither pictures nor sound, or not the kind that is asked for")
        return numbers
