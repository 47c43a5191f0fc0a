#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""register.py FLAGS TYPE NAME STABLE_ID PATH_ID [ERROR]: registers a device, prints its number N of
/dev/devringN and its id, and keeps it until a signal comes. "-" stands for an empty text. With ERROR, an errno's
name, the device is in the state error.
register.py unregister ID ends a persistent device."""
import ctypes
import errno
import fcntl
import signal
import struct
import sys

TYPES = ["camera", "microphone", "screen", "speaker", "keyboard", "mouse", "usb", "tensor", "event",
         "other"]
REGISTER = struct.Struct("=IIIIQII64s64s128s128s8Q")
ERROR = 3
UNREGISTER = struct.Struct("=IIQ")


def call(number, layout, *values):
    """One ioctl of the control node; its result and the argument as the kernel left it."""
    argument = bytearray(layout.pack(layout.size, *values))
    with open("/dev/devring", "r+b", buffering=0) as control:
        command = 3 << 30 | layout.size << 16 | 0xDE << 8 | number
        return fcntl.ioctl(control, command, argument), argument


def main():
    if sys.argv[1] == "unregister":
        call(2, UNREGISTER, 0, int(sys.argv[2]))
        return
    flags, kind, *texts = sys.argv[1:6]
    name, stable_id, path_id = (b"" if text == "-" else text.encode() for text in texts)
    file, argument = call(1, REGISTER, int(flags), TYPES.index(kind) + 1, 0, 0, 0, 0,
                       name, b"a " + kind.encode(), stable_id, path_id, *[0] * 8)
    device_id, minor = REGISTER.unpack(argument)[4:6]
    if len(sys.argv) > 6:
        library = ctypes.CDLL("libdevring.so.0")
        assert not library.devring_set_state_fd(file, ERROR, getattr(errno, sys.argv[6]))
    print(minor, device_id, flush=True)
    signal.pause()


main()
