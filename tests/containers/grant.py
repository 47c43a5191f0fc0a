#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""grant.py NODE SOCKET [SECONDS]: hands a reader of the device, by GRANT, to who connects to the socket;
it ends after so many seconds. Ends itself, and with it the grant, when a signal comes."""
import array
import fcntl
import os
import signal
import socket
import struct
import sys
import time

GRANT = 3 << 30 | 16 << 16 | 0xDE << 8 | 0x32


def main():
    node, path = sys.argv[1:3]
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    reader = os.open(node, os.O_RDONLY)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen()
    connection, _ = listener.accept()
    expires = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + seconds * 10**9 if seconds else 0
    granted = fcntl.ioctl(reader, GRANT, bytearray(struct.pack("=IIQ", 16, 0, expires)))
    print(granted)
    connection.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [granted]))])
    os.close(granted)
    signal.pause()


main()
