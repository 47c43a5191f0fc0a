#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""verify.py NODE: one of the demo's readers, with nothing but Python's standard library.

Checks each frame against the checksum in its metadata and its sequence against the one before, and
goes on when the device is unplugged, comes back, or has another producer. At SIGTERM it prints what
it counted as one line of JSON.
"""
import fcntl
import json
import mmap
import os
import select
import signal
import struct
import sys
import zlib

FRAME = struct.Struct("=8xQQQQIIII")  # sequence, offset, metadata_offset, lost, ... bytes
GENERATION = struct.Struct("=8xIIIIQQQQIIII")
CHECKSUM = struct.Struct("=IIQ")
CHECKSUM_MAGIC = 0x63637264
SET_READER = struct.Struct("=IIIIQIII3I")
DEVRING_IOC_SET_READER = 3 << 30 | SET_READER.size << 16 | 0xDE << 8 | 0x30
START_SEQUENCE = 4
STATES = {1: "offline", 2: "available", 3: "error", 4: "removed"}


class Verifier:
    def __init__(self, node):
        self.fd = os.open(node, os.O_RDONLY)
        # From the first frame there ever was, so that its counts end at the device's own.
        fcntl.ioctl(self.fd, DEVRING_IOC_SET_READER,
                    SET_READER.pack(SET_READER.size, 0, START_SEQUENCE, 1, 0, *[0] * 6))
        self.ring = None
        self.base = self.metadata_size = self.due = 0
        self.count = dict.fromkeys(
            ("first", "next", "delivered", "lost", "wrong", "gaps", "generations", "offline"), 0)
        self.count.update(device=node, pid=os.getpid())
        self.stop = False

    def generation(self, record):
        fields = GENERATION.unpack_from(record)
        self.base, size, self.metadata_size = fields[4], fields[5], fields[10]
        self.count["generations"] += 1
        try:
            self.ring = mmap.mmap(self.fd, size, mmap.MAP_SHARED, mmap.PROT_READ, offset=self.base)
        except OSError:  # replaced already; the next record tells by which
            self.ring = None

    def state(self, record):
        state = STATES.get(struct.unpack_from("=I", record, 8)[0], "unknown")
        self.count["offline"] += state == "offline"
        # For whoever waits until this reader knows.
        print("state", state, file=sys.stderr, flush=True)

    def frame(self, record):
        sequence, offset, metadata, lost, _, _, size, _ = FRAME.unpack_from(record)
        count = self.count
        if not count["delivered"]:
            count["first"] = self.due = sequence - lost
        count["delivered"] += 1
        count["lost"] += lost
        count["gaps"] += sequence != self.due + lost
        count["next"] = self.due = sequence + 1
        if not self.matches(offset - self.base, size, metadata - self.base):
            count["wrong"] += 1

    def matches(self, begin, size, metadata):
        if self.ring is None or self.metadata_size < CHECKSUM.size:
            return False
        magic, crc, _ = CHECKSUM.unpack_from(self.ring, metadata)
        with memoryview(self.ring)[begin:begin + size] as payload:
            return magic == CHECKSUM_MAGIC and crc == zlib.crc32(payload)

    def run(self):
        kinds = {1: self.frame, 2: self.generation, 3: self.state}
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        # A signal that comes just before poll() is noticed after its time-out.
        while not self.stop:
            if not poll.poll(200):
                continue
            record = os.read(self.fd, 128)
            if not record:
                break
            kinds.get(struct.unpack_from("=HH", record)[1], lambda _: None)(record)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: verify.py NODE")
    verifier = Verifier(sys.argv[1])

    def end(*_):
        verifier.stop = True

    signal.signal(signal.SIGTERM, end)
    verifier.run()
    print(json.dumps(verifier.count), flush=True)


main()
