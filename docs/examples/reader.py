#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# reader.py DEVICE: reads its frames, and goes on when the camera or its daemon comes back.
import mmap, os, select, struct, sys

fd, ring, base = os.open(sys.argv[1], os.O_RDONLY), None, 0
poll = select.poll()
poll.register(fd, select.POLLIN)
while poll.poll() and (records := os.read(fd, 128)):  # room for one frame; it stays until the next read
    while records:
        size, kind = struct.unpack_from("=HH", records)
        if kind == 2:  # GENERATION: there is a new ring, to be mapped
            base, length = struct.unpack_from("=QQ", records, 24)
            try:
                ring = mmap.mmap(fd, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=base)
            except OSError:  # replaced already; the next record tells by which
                ring = None
        elif kind == 1 and ring:  # FRAME
            sequence, offset, _, lost = struct.unpack_from("=4Q", records, 8)
            (length,) = struct.unpack_from("=I", records, 48)
            frame = memoryview(ring)[offset - base : offset - base + length]
            print(f"frame {sequence}: {len(frame)} bytes, {lost} lost before it", flush=True)
        records = records[size:]
