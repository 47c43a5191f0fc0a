#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""lossless.py DEVICE FRAMES: reads as a lossless reader that pauses after its tenth frame until the
camera had no slot for some time, and tells what was lost, by whom."""
import fcntl
import os
import struct
import sys
import time

SET_READER = 3 << 30 | 48 << 16 | 0xDE << 8 | 0x30
START_NEXT, LOSSLESS = 3, 1 << 3

fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(fd, SET_READER, struct.pack("=4IQ6I", 48, LOSSLESS, START_NEXT, 1, 0, 0, 0, 0, 0, 0, 0))
frames = lost = lost_before = demoted = 0
while frames < int(sys.argv[2]):
    record = os.read(fd, 128)
    size, kind, flags = struct.unpack_from("=HHI", record)
    if kind != 1:
        continue
    frames += 1
    lost += struct.unpack_from("=Q", record, 32)[0]
    lost_before += struct.unpack_from("=I", record, 92)[0]
    demoted += flags >> 1 & 1
    if frames == 10:
        time.sleep(4)
print(f"{frames} frames, {lost} lost, {lost_before} lost before, {demoted} demoted")
