#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# hotplug.py: what is plugged in and out, and what becomes of each device, with nothing but /dev/devring.
import fcntl, mmap, os, select, struct

STATES = {1: "offline", 2: "available", 3: "fails", 4: "is gone"}
OPEN = 3 << 30 | 16 << 16 | 0xDE << 8 | 4  # DEVRING_IOC_OPEN

control, hotplug, ring, base = os.open("/dev/devring", os.O_RDONLY), None, None, 0
poll = select.poll()
poll.register(control, select.POLLIN)


def changed(record):
    global hotplug
    device, _, flags, state = struct.unpack_from("=QIII", record, 24)
    link = record[392:472].partition(b"\0")[0].decode()
    print(f"{link} {STATES.get(state, state)}", flush=True)
    if link == "hotplug" and flags & 4 and hotplug is None:  # PUBLIC: whoever reads /dev/devring may open it
        hotplug = fcntl.ioctl(control, OPEN, bytearray(struct.pack("=IIQ", 16, 0, device)))
        poll.register(hotplug, select.POLLIN)


def happened(record, kind):
    global ring, base
    if kind == 2:  # GENERATION: there is a new ring, to be mapped
        base, length = struct.unpack_from("=QQ", record, 24)
        ring = mmap.mmap(hotplug, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=base)
    elif kind == 1 and ring:  # FRAME: one event, as a line of JSON
        (offset,), (length,) = struct.unpack_from("=Q", record, 16), struct.unpack_from("=I", record, 48)
        print(ring[offset - base : offset - base + length].decode(), flush=True)


while ready := poll.poll():
    for fd, _ in ready:
        records = os.read(fd, 128 if fd == hotplug else 4096)  # room for one frame or some changes
        while records:
            size, kind = struct.unpack_from("=HH", records)
            if fd == hotplug:
                happened(records[:size], kind)
            elif kind != 34:  # RESYNC: all devices follow anew
                changed(records[:size])
            records = records[size:]
