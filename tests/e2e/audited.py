#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""audited.py: prints a line for each record of the kernel's audit: its type and its text."""
import socket
import struct

NETLINK_AUDIT = 9
AUDIT_NLGRP_READLOG = 1

listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
listener.bind((0, 1 << (AUDIT_NLGRP_READLOG - 1)))
print("listening", flush=True)
while True:
    record = listener.recv(65536)
    kind, = struct.unpack_from("=H", record, 4)
    print(kind, record[16:].rstrip(b"\0").decode(errors="replace"), flush=True)
