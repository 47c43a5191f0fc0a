#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""notified.py SOCKET: prints what a service tells its manager, as systemd would get it."""
import os
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
    listener.bind(sys.argv[1])
    os.chmod(sys.argv[1], 0o666)
    while True:
        for line in listener.recv(4096).decode().splitlines():
            print(line, flush=True)
