#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""player.py NODE FILE: plays a file of samples into a sink, through the ABI, at its own pace."""
import fcntl
import mmap
import os
import struct
import sys
import time

QUERY = 0xC350DE10  # _IOWR(0xde, 0x10, struct devring_query)
DEVICE = 16         # where struct devring_device begins in it
GEOMETRY = struct.Struct("=IIIIQQQQIIII")
SLOT = struct.Struct("=HHIIIQQ")
COMMIT = struct.Struct("=HHIIIIIQQQIIQ")


def main():
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)
    samples = open(sys.argv[2], "rb").read()
    query = bytearray(848)
    struct.pack_into("=I", query, 0, len(query))
    fcntl.ioctl(fd, QUERY, query)
    geometry = GEOMETRY.unpack_from(query, DEVICE + 112)
    kind, _, _, rate, _, frame_bytes, period = struct.unpack_from("=IIIIIII", query, DEVICE + 176)
    assert kind == 2, f"format kind {kind} is not audio"
    # Only the slots: the index before them is the kernel's to write.
    base, slot_size = geometry[7], geometry[8]
    size = geometry[4] + geometry[5] - base
    ring = mmap.mmap(fd, size, offset=base)
    print("rate", rate, "frame_bytes", frame_bytes, "period", period, flush=True)
    begin = time.monotonic()
    played = 0
    while played < len(samples):
        while time.monotonic() < begin + played / frame_bytes / rate - 0.4:
            time.sleep(0.01)
        record = os.read(fd, 32)
        if struct.unpack_from("=HH", record)[1] != 16:
            continue
        _, _, _, generation, slot, offset, _ = SLOT.unpack(record)
        piece = samples[played:played + slot_size]
        ring[offset - base:offset - base + len(piece)] = piece
        os.write(fd, COMMIT.pack(64, 18, 0, generation, slot, len(piece), 0, 0, 0, 0, 0, 0, 0))
        played += len(piece)
    print("played", played, flush=True)


main()
