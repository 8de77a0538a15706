"""A second client of the media plane's control socket (dataplane/api/ctl.h) that takes its events, and its DPDK telemetry."""
import json
import os
import re
import socket
import struct
import time

HEADER = struct.Struct("=HHIIi")
VERSION = 3
HELLO, EVENT = 1, 0x100
NAMES = {1: "first media", 2: "media lost", 3: "media back", 4: "dtmf", 5: "key soon", 6: "talkers", 7: "bye", 8: "lost events"}


class Events:
    """with Events(node) as events: events.wait("dtmf", leg=…)"""

    def __init__(self, node):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(node.path("media.sock"))
        self.socket.send(HEADER.pack(VERSION, HELLO, 52, 1, 0) + struct.pack("=I32s", 1, b"test"))
        _, kind, _, number, status = HEADER.unpack_from(self.socket.recv(16384))
        assert (kind, number, status) == (HELLO, 1, 0)
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _receive(self, seconds):
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(16384)
        except TimeoutError:
            return
        assert HEADER.unpack_from(data)[1] == EVENT
        number, conference, leg, a, b, count = struct.unpack_from("=6I", data, HEADER.size)
        self.seen.append({"event": NAMES.get(number, str(number)), "conference": conference, "leg": leg, "a": a, "b": b,
                          "talkers": list(struct.unpack_from(f"={count}I", data, HEADER.size + 24))})

    def find(self, name, **fields):
        return [event for event in self.seen if event["event"] == name and all(event[key] == value for key, value in fields.items())]

    def wait(self, name, seconds=15, **fields):
        """The first such event, among those that came already and those to come."""
        end = time.monotonic() + seconds
        while not self.find(name, **fields):
            assert time.monotonic() < end, f"no event '{name}' {fields}; seen: {self.seen}"
            self._receive(0.2)
        return self.find(name, **fields)[0]


def telemetry(node, command):
    """What DPDK telemetry answers to a command; None: nothing of that name or number."""
    name = re.search(r"telemetry by dpdk-telemetry.py -f (\S+)", node.logs())[1]
    folders = [os.environ.get("RUNTIME_DIRECTORY"), "/var/run/dpdk", os.path.join(os.environ.get("XDG_RUNTIME_DIR", "/tmp"), "dpdk")]
    path = next(path for path in (os.path.join(folder, name, "dpdk_telemetry.v2") for folder in folders if folder) if os.path.exists(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(5)
        client.connect(path)
        client.recv(1024)  # who it is
        client.send(command.encode())
        answer = json.loads(client.recv(65536))
    return answer[command.partition(",")[0]]
