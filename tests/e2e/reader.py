#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""reader.py NODE [FRAMES [PAYLOAD [START]]]: reads a device through the ABI, with nothing but Python.

Prints a line for each record, and at the end what it counted. Checks each frame's checksum where
the ring has metadata. FRAMES 0: until it is killed. PAYLOAD gets the payloads, one after another
(- for none). START: the sequence number to begin at, or "oldest".
"""
import fcntl
import mmap
import os
import struct
import sys
import time
import zlib

FRAME = struct.Struct("=8xQQQQIIIIQQQQIIQ24x")
GENERATION = struct.Struct("=8xIIIIQQQQIIIIQ")
STATE = struct.Struct("=8xIiIIQ")
CHECKSUM = struct.Struct("=IIQ")
MAGIC = 0x63637264
SET_READER = 3 << 30 | 48 << 16 | 0xDE << 8 | 0x30
START_OLDEST, START_SEQUENCE = 2, 4


class Reader:
    def __init__(self, node, limit, payload="-", start=None):
        self.fd = os.open(node, os.O_RDONLY)
        self.limit = limit
        self.payload = open(payload, "wb") if payload != "-" else None
        self.started = start not in (None, "oldest")
        if start:
            how, sequence = (START_OLDEST, 0) if start == "oldest" else (START_SEQUENCE, int(start))
            fcntl.ioctl(self.fd, SET_READER, struct.pack("=4IQ6I", 48, 0, how, 1, sequence, 0, 0, 0, 0, 0, 0))
        self.ring = self.base = None
        self.metadata = 0
        self.first = self.last = None
        self.delivered = self.lost = self.bad = self.unchecked = self.source_lost = 0

    def say(self, *words):
        print(*words, flush=True)

    def generation(self, record):
        fields = GENERATION.unpack_from(record)
        self.base, size, self.metadata = fields[4], fields[5], fields[10]
        if self.ring:
            self.ring.close()
        self.ring = mmap.mmap(self.fd, size, mmap.MAP_SHARED, mmap.PROT_READ, offset=self.base)
        self.say("generation", fields[0], "slots", fields[1], "slot_size", fields[8])

    def state(self, record):
        state, error, changed, form, _ = STATE.unpack_from(record)
        names = {1: "offline", 2: "available", 3: "error", 4: "removed"}
        self.say("state", names[state], "errno", error, "changed", changed, "format", form)

    def frame(self, record):
        (sequence, offset, metadata, lost, generation, slot, size, flags, capture, commit, _, _,
         form, lost_before, _) = FRAME.unpack_from(record)
        data = self.ring[offset - self.base:offset - self.base + size]
        verdict = "unchecked"
        number = -1
        if self.metadata >= CHECKSUM.size:
            magic, crc, number = CHECKSUM.unpack_from(self.ring, metadata - self.base)
            good = magic == MAGIC and crc == zlib.crc32(data)
            verdict = "good" if good else "bad"
            self.bad += not good
        else:
            self.unchecked += 1
        if self.payload:
            self.payload.write(data)
            self.payload.flush()
        if self.first is None:
            # What was before this reader is none that it lost, unless it asked for it.
            lost = lost if self.started else 0
            self.first = sequence - lost
        self.last = sequence
        self.delivered += 1
        self.lost += lost
        self.source_lost += lost_before
        self.say("frame", sequence, verdict, "bytes", size, "lost", lost, "generation", generation,
                 "flags", flags, "number", number, "source_lost", lost_before, "time_ok",
                 int(abs(commit - capture) < 60 * 10**9), "format", form)

    def run(self):
        kinds = {1: self.frame, 2: self.generation, 3: self.state}
        while not self.limit or self.delivered < self.limit:
            records = os.read(self.fd, 128)
            if not records:
                self.say("end")
                break
            while records:
                size, kind = struct.unpack_from("=HH", records)
                kinds[kind](records[:size])
                records = records[size:]
        committed = self.last - self.first + 1 if self.delivered else 0
        self.say("summary delivered", self.delivered, "lost", self.lost, "committed", committed,
                 "bad", self.bad, "unchecked", self.unchecked, "source_lost", self.source_lost)
        return self.bad or self.delivered + self.lost != committed


def main():
    node = sys.argv[1]
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    # udev makes the link a moment after the device.
    for _ in range(300):
        if os.path.exists(node):
            break
        time.sleep(0.1)
    sys.exit(bool(Reader(node, limit, *sys.argv[3:]).run()))


main()
