#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""hotplug.py: drives emulated USB devices, and judges what the device hotplug told of it.

hotplug.py cycles CONTROL NAME N   plugs NAME in and out N times, each time waits for the records, and compares when
                                   they came with when a plain udev monitor was told
hotplug.py fold FILE               what is attached after the records in FILE: port and address, a line each, and the
                                   ports of cameras
hotplug.py state FILE              whether the device state has what the records in FILE add up to, and /sys has
hotplug.py judge FILE              whether the records in FILE are consistent
hotplug.py storm N                 writes N times into the uevent files of USB devices and video nodes
hotplug.py sysfs                   the USB devices and cameras that there are, likewise
hotplug.py adds PORT               counts how often a USB device comes at PORT by the kernel's word, until SIGTERM
hotplug.py told FILE SINCE TOPIC   of the records of TOPIC.* in FILE after so many lines: how many there are of "add"
                                   and "remove", and all flaps
"""
import glob
import hashlib
import json
import os
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import time


def content(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def sysfs():
    found = []
    for path in glob.glob("/sys/bus/usb/devices/*/idVendor"):
        device = os.path.dirname(path)
        found.append(f"{os.path.basename(device)} {content(device + '/devnum')}")
    for path in glob.glob("/sys/class/video4linux/*/index"):
        interface = re.search(r"/(\d+-[\d.]+):\d+\.\d+/video4linux/", os.path.realpath(path))
        if interface and content(path) == "0":
            found.append(f"camera {interface[1]}")
    return sorted(found)


def records(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def attached(events):
    there = {}
    for event in events:
        kind = event["topic"].split(".")[0]
        if event["topic"] == "system.startup":
            there.clear()
        if kind not in ("usb", "camera") or "port_path" not in event:
            continue
        port = event["port_path"]
        if event["action"] == "add":
            there[kind, port] = f"{port} {event['device_address']}" if kind == "usb" else f"camera {port}"
        elif event["action"] == "remove":
            del there[kind, port]
    return there.values()


def told(path, since, topic):
    """What the records of a topic add up to."""
    events = [event for event in records(path)[since:] if event["topic"].startswith(topic + ".")]
    actions = [event["action"] for event in events]
    print(actions.count("add"), actions.count("remove"), sum(event["flaps"] for event in events))


def count_adds(port):
    source, adds = Uevents(1), 0
    signal.signal(signal.SIGTERM, lambda *_: (say(adds), os._exit(0)))
    say("ready")
    while True:
        _, action, where = source.read()
        adds += action == "add" and where == port


def instances(events):
    """Of USB devices by port, and of devices by name."""
    usb, devices = {}, {}
    for event in events:
        topic, action = event["topic"], event["action"]
        if topic == "system.startup":
            usb.clear()
            devices.clear()
        elif topic == "usb.attach" and action == "add":
            usb[event["port_path"]] = event["instance"]
        elif topic == "usb.detach" and action == "remove":
            del usb[event["port_path"]]
        elif topic.endswith(".connected") and action == "add":
            devices[event["device"]] = event["instance"]
        elif topic.endswith(".disconnected") and action == "remove":
            del devices[event["device"]]
    return usb, devices


def state(path):
    """The device state, for who missed records: its USB devices and instances are those of the records."""
    text = subprocess.run(["devringctl", "cat", "--frames=1", "state"], stdout=subprocess.PIPE, check=True).stdout
    now = json.loads(text)
    told = instances(records(path))
    usb = {one["port_path"]: one["instance"] for one in now["usb"]}
    devices = {one["name"]: one["instance"] for one in now["devices"] if "instance" in one}
    ports = sorted(line.split()[0] for line in sysfs() if not line.startswith("camera "))
    print(f"state:   {usb} {devices}\nrecords: {told}\n/sys:    {ports}")
    return ((usb, devices) != told or sorted(usb) != ports or b"SECRET" in text or b"serial" in text or
            {len(one["device_signature"]) for one in now["usb"]} - {16} or
            {one["policy"] for one in now["usb"]} - {"allow", "deny"})


def judge(path):
    """Adds and removes alternate; instances are new each time; fields are what row and issue say."""
    usb, devices, instances, wrong, flaps, adds = {}, {}, set(), [], 0, 0
    gap = None
    for event in records(path):
        topic, action = event["topic"], event.get("action")
        flaps += event.get("flaps", 0)
        # What nobody had read yet goes with a devringd that is killed; the next one tells all anew.
        if gap and topic != "system.startup":
            wrong.append(f"{gap['lost']} records were lost by the reader before {event}")
        gap = event if topic == "gap" else None
        if gap:
            continue
        if "serial_number" in event or "SECRET" in json.dumps(event):
            wrong.append(f"a serial number: {event}")
        if topic == "system.startup":  # all that is there is told anew
            usb.clear()
            devices.clear()
        state, key = (usb, event.get("port_path")) if topic.startswith("usb.") else (devices, event.get("device"))
        if action == "add":
            adds += topic == "usb.attach"
            if key in state:
                wrong.append(f"added twice: {event}")
            # What the policy allows again is the same plugging in.
            if event["instance"] in instances and event["source"] != "policy":
                wrong.append(f"instance used twice: {event}")
            instances.add(event["instance"])
            state[key] = event["instance"]
        elif action == "remove":
            if state.pop(key, None) != event["instance"]:
                wrong.append(f"removed, and was not there: {event}")
        if topic.startswith("usb."):
            text = "{vendor_id}:{product_id}:{bus_number}:{device_address}".format(**event)
            if event["device_signature"] != hashlib.sha256(text.encode()).hexdigest()[:16]:
                wrong.append(f"wrong signature: {event}")
            for field in ("source", "manufacturer", "product", "timestamp", "monotonic_ns", "classes",
                          "correlation_id"):
                if field not in event:
                    wrong.append(f"no {field}: {event}")
    print(f"adds {adds} flaps {flaps} attached {len(usb)}")
    for line in wrong[:10]:
        print(line)
    return bool(wrong)


class Uevents:
    """The kernel's own events (group 1), or udevd's (group 2), of USB devices."""
    def __init__(self, group):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 15)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
        self.socket.bind((0, group))

    def fileno(self):
        return self.socket.fileno()

    def read(self):
        """When it came, action and port, of what is a USB device."""
        text = self.socket.recv(16384)
        now = time.monotonic_ns()
        if b"DEVTYPE=usb_device\0" not in text:
            return now, None, None
        action = re.search(rb"\0ACTION=(\w+)\0", text)
        path = re.search(rb"\0DEVPATH=([^\0]*)\0", text)
        return now, action[1].decode(), os.path.basename(path[1].decode())


class Emulator:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.answers = self.socket.makefile()

    def send(self, words):
        self.socket.sendall((words + "\n").encode())
        while True:
            line = self.answers.readline()
            if not line or line.startswith("error"):
                raise SystemExit(f"usbemu: {words}: {line}")
            if line.startswith("ok"):
                return


class Watcher:
    """Another process, so that what it says when is its own: lines of time and words."""
    def __init__(self, *words):
        self.child = subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE)
        self.pending = b""
        self.fd = self.child.stdout.fileno()
        self.lines = []
        os.set_blocking(self.fd, False)

    def next(self):
        """The words of the next line, or none if there is none yet."""
        try:
            self.pending += os.read(self.fd, 65536)
        except BlockingIOError:
            pass
        *lines, self.pending = self.pending.split(b"\n")
        self.lines += lines
        return self.lines.pop(0).decode().split() if self.lines else None

    def end(self):
        self.child.kill()
        self.child.wait()


def say(*words):
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def watch_uevents(group):
    source = Uevents(group)
    say(time.monotonic_ns(), "ready", "-")
    while True:
        now, action, port = source.read()
        if action in ("add", "remove"):
            say(now, action, port)


def watch_records():
    """Reads the device itself, as any program may."""
    import mmap
    import struct
    fd = os.open("/dev/devrings/hotplug", os.O_RDONLY)
    ring = base = None
    say(time.monotonic_ns(), "ready", "-")
    while True:
        data = os.read(fd, 128)
        now = time.monotonic_ns()
        while data:
            size, kind = struct.unpack_from("=HH", data)
            if kind == 2:
                base, length = struct.unpack_from("=QQ", data, 24)
                ring = mmap.mmap(fd, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=base)
            elif kind == 1 and ring:
                (offset,), (length,) = struct.unpack_from("=Q", data, 16), struct.unpack_from("=I", data, 48)
                event = json.loads(ring[offset - base:offset - base + length])
                if event["topic"].startswith(("usb.", "camera.")):
                    committed, _, trace = struct.unpack_from("=3Q", data, 64)
                    if trace != event["correlation_id"]:
                        raise SystemExit(f"trace id {trace} of {event}")
                    what = "" if event["topic"].startswith("usb.") else "camera-"
                    say(now, what + event["action"], event["port_path"], event["monotonic_ns"], committed)
            data = data[size:]


class Cycles:
    def __init__(self, control, name):
        self.name = name
        self.emulator = Emulator(control)
        self.watchers = {"kernel": Watcher("uevents", "1"), "udev": Watcher("uevents", "2"),
                         "record": Watcher("records")}
        self.times = {"add": [], "remove": []}
        self.records, self.kept = {}, {}
        for who in self.watchers:
            self.wait(who, "ready")
        time.sleep(1)
        for watcher in self.watchers.values():
            while watcher.next():
                pass
        self.records.clear()
        self.kept.clear()

    def wait(self, who, what):
        """The next one of these: what comes before it is kept for whoever waits for that."""
        watcher, deadline = self.watchers[who], time.monotonic() + 60
        kept = self.kept.setdefault((who, what), [])
        while not kept:
            words = watcher.next()
            if words:
                self.kept.setdefault((who, words[1]), []).append([int(word) for word in (words[0], *words[3:])])
                if who == "record":
                    self.records[words[1]] = self.records.get(words[1], 0) + 1
            elif time.monotonic() < deadline:
                select.select([watcher.fd], [], [], 1)
            else:
                raise SystemExit(f"no {what} by {who} within 60 s")
        return kept.pop(0)

    def measured(self, action):
        # The last one first: who waits for the others would run when what is measured does.
        record, known, published = self.wait("record", action)
        (udev,) = self.wait("udev", action)
        (began,) = self.wait("kernel", action)
        self.times[action].append([time - began for time in (udev, known, published, record)])

    def run(self, count):
        """Only records are waited for. A camera that went as soon as it came is told of 50 ms later."""
        try:
            for _ in range(count):
                self.emulator.send(f"plug {self.name}")
                self.measured("add")
                self.wait("record", "camera-add")
                self.emulator.send(f"unplug {self.name}")
                self.measured("remove")
                self.wait("record", "camera-remove")
        finally:
            for watcher in self.watchers.values():
                watcher.end()
        print(f"# records: {self.records}")
        wanted = {what: count for what in ("add", "camera-add", "camera-remove", "remove")}
        if self.records != wanted:
            raise SystemExit(f"wanted: {wanted}")

    def report(self):
        """The ratio is of what comes with permissions and names: arrivals."""
        for action, times in self.times.items():
            udev, known, published, record = [statistics.median(column) / 1e6 for column in zip(*times)]
            ratio = record / udev
            spread = statistics.quantiles([t[-1] / t[0] for t in times], n=10)
            print(f"# {action}: uevent to udev monitor {udev:.1f} ms, to devringd {known:.1f}, to its commit "
                  f"{published:.1f}, to the record's reader {record:.1f} (medians of {len(times)}); ratio "
                  f"{ratio:.3f}, of single ones 10 to 90 %: {spread[0]:.2f} to {spread[-1]:.2f}")
            if action == "add":
                result = ratio
        return 3 if result >= 1.25 else 0


def storm(count):
    """Adds, changes and removals that never were, of all that is there."""
    paths = sorted(glob.glob("/sys/bus/usb/devices/*/idVendor"))
    files = [os.path.join(os.path.dirname(path), "uevent") for path in paths]
    files += [os.path.join(path, "uevent") for path in glob.glob("/sys/class/video4linux/*")]
    fds = [os.open(path, os.O_WRONLY) for path in files]
    for number in range(count):
        os.write(fds[number % len(fds)], (b"remove", b"add", b"change")[number // len(fds) % 3])


def main():
    command, *words = sys.argv[1:]
    if command == "cycles":
        cycles = Cycles(words[0], words[1])
        cycles.run(int(words[2]))
        sys.exit(cycles.report())
    elif command == "uevents":
        watch_uevents(int(words[0]))
    elif command == "records":
        watch_records()
    elif command == "judge":
        sys.exit(judge(words[0]))
    elif command == "state":
        sys.exit(bool(state(words[0])))
    elif command == "fold":
        print("\n".join(sorted(attached(records(words[0])))))
    elif command == "sysfs":
        print("\n".join(sysfs()))
    elif command == "told":
        told(words[0], int(words[1]), words[2])
    elif command == "adds":
        count_adds(words[0])
    elif command == "storm":
        storm(int(words[0]))
    else:
        raise SystemExit(__doc__)


main()
