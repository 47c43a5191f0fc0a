#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""negotiate.py /dev/bus/usb/BUS/DEVICE: probe and commit of an emulated camera, without its driver.

The driver rounds what it asks for, so only bare requests show how the camera answers. The camera
offers YUYV and MJPEG in 640x480, 320x240 and 160x120 at 30 and 15 frames a second.
"""
import ctypes
import errno
import fcntl
import os
import struct
import sys

USBDEVFS_CONTROL = 0xC0185500
SET_CUR, GET_CUR, GET_MIN, GET_MAX = 0x01, 0x81, 0x82, 0x83
GET_LEN, GET_INFO, GET_DEF = 0x85, 0x86, 0x87
PROBE, COMMIT = 0x0100, 0x0200
BLOCK = struct.Struct("<HBBIHHHHHIIIBBBB")

device = os.open(sys.argv[1], os.O_RDWR)


def request(code, value, size, index=1, data=b""):
    """One class request to an interface: what the device answers."""
    buffer = ctypes.create_string_buffer(data, size)
    kind = 0xA1 if code & 0x80 else 0x21
    transfer = struct.pack("=BBHHHIIQ", kind, code, value, index, size, 5000, 0,
                           ctypes.addressof(buffer))
    count = fcntl.ioctl(device, USBDEVFS_CONTROL, bytearray(transfer))
    return buffer.raw[:count]


def choice(code, value=PROBE):
    """Format, frame, interval, size of a frame and quality of a block."""
    block = BLOCK.unpack(request(code, value, BLOCK.size))
    return block[1], block[2], block[3], block[9], block[6]


def ask(form, frame, interval, value=PROBE):
    """Sets a choice."""
    request(SET_CUR, value, BLOCK.size, data=BLOCK.pack(1, form, frame, interval, *[0] * 12))


def same(what, wanted, got):
    """Ends with a sentence when they differ."""
    if wanted != got:
        sys.exit(f"{what}: wanted {wanted}, got {got}")


same("length", BLOCK.size, struct.unpack("<H", request(GET_LEN, PROBE, 2))[0])
same("capabilities", b"\3", request(GET_INFO, PROBE, 1))
same("default", (1, 1, 333333, 614400, 5000), choice(GET_DEF))
ask(2, 3, 666666)
same("what is offered", (2, 3, 666666, 38400, 5000), choice(GET_CUR))
ask(1, 2, 600000)
same("an interval in between", (1, 2, 666666, 153600, 5000), choice(GET_CUR))
same("the least", (1, 2, 333333, 153600, 1), choice(GET_MIN))
same("the most", (1, 2, 666666, 153600, 10000), choice(GET_MAX))
ask(9, 200, 1)
same("nothing of what is offered", (1, 1, 333333, 614400, 5000), choice(GET_CUR))
ask(1, 3, 333333, COMMIT)
same("what is committed", (1, 3, 333333, 38400, 5000), choice(GET_CUR, COMMIT))
same("a probe after a commit", (1, 1, 333333, 614400, 5000), choice(GET_CUR))
try:
    request(GET_CUR, 0x0900, 4)
    sys.exit("a control that is not there was answered")
except OSError as error:
    same("a control that is not there", errno.EPIPE, error.errno)
same("the reason of the stall", b"\6", request(GET_CUR, 0x0200, 1, index=0))
