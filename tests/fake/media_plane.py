#!/usr/bin/env python3
"""A media plane that has no media: answers the control socket (dataplane/api/ctl.h), writes every request as a line of JSON to
media_plane.jsonl in node.runtime_dir, and does as faults.json there says: {"delay_ms": 200, "status": {"5": -28}} (by message type)."""
import json
import os
import re
import select
import signal
import socket
import struct
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TYPES = ["", "HELLO", "CONF_CREATE", "CONF_UPDATE", "CONF_DESTROY", "LEG_ADD", "LEG_UPDATE", "LEG_REMOVE", "LEG_MIX", "KEY_INSTALL",
         "KEY_RETIRE", "LIST_CONFS", "LIST_LEGS", "LEG_SHOW", "NODE_SHOW"]
EVENT = 0x100
DROPS = 1 + len(re.findall(r"^\s*X\([A-Z]", open(os.path.join(ROOT, "dataplane/api/drops.h")).read(), re.M))
WORKER_STATS = 14 * 8 + DROPS * 8 + 8
LEG_STATS = 18 * 8 + DROPS * 8 + 40


def address(port, ip="127.0.0.1"):
    return struct.pack("=BBH16s", 4, 0, port, socket.inet_aton(ip)) if port else bytes(20)


def read_address(data):
    family, _, port = struct.unpack_from("=BBH", data)
    if family == 0:
        return None
    return [socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6, data[4:8] if family == 4 else data[4:20]), port]


class MediaPlane:
    def __init__(self, folder):
        self.folder = folder
        self.confs, self.legs = {}, {}
        self.ssrc = 1000
        self.instance = int.from_bytes(os.urandom(7), "little")
        self.log = open(os.path.join(folder, "media_plane.jsonl"), "a", buffering=1)

    def faults(self):
        try:
            with open(os.path.join(self.folder, "faults.json")) as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def describe(self, kind, data):
        line = {"type": TYPES[kind]}
        if kind in (5, 6):
            line["leg"], line["conf"], line["flags"], line["dirs"], _, line["secure"], line["dtmf"], line["ptime"], count = \
                struct.unpack_from("=IIIBBBBHB", data, 16)
            line["rx"] = [list(data[36 + 4 * i:38 + 4 * i]) for i in range(count)]
            line["tx"] = list(data[52:54])
            line["remote"] = read_address(data[56:76])
        elif kind == 9:
            line["leg"], line["dir"], line["slot"], line["suite"], line["mki_len"], line["flags"] = struct.unpack_from("=IBBBBI", data, 16)
            line["mark"] = hash(data[64:96])  # tells keys apart without showing them
        elif kind != 1 and len(data) >= 20:
            line["id"] = struct.unpack_from("=I", data, 16)[0]
        return line

    def answer(self, kind, data):
        """(status, what follows the header)"""
        if kind == 1:
            return 0, struct.pack("=QIIII", self.instance, 1, 1024, 256, 1) + address(0)[:0] + struct.pack("=BBH16s", 4, 0, 0, socket.inet_aton(
                "127.0.0.1")) + bytes(60) + b"fake".ljust(32, b"\0")
        ident = struct.unpack_from("=I", data, 16)[0] if len(data) >= 20 else 0
        if kind == 2:
            if ident in self.confs:
                return -17, b""
            self.confs[ident] = data
        elif kind == 4:
            if self.confs.pop(ident, None) is None:
                return -2, b""
            self.legs = {leg: at for leg, at in self.legs.items() if at[0] != ident}
        elif kind == 5:
            conf = struct.unpack_from("=I", data, 20)[0]
            if conf not in self.confs:
                return -2, b""
            if ident in self.legs:
                return -17, b""
            self.ssrc += 1
            added = address(40000 + 2 * len(self.legs)) + address(40001 + 2 * len(self.legs)) + struct.pack("=II", self.ssrc, 0)
            self.legs[ident] = (conf, added)
            return 0, added
        elif kind in (6, 8, 9, 10):
            return (0 if ident in self.legs else -2), b""
        elif kind == 7:
            return (0 if self.legs.pop(ident, None) else -2), b""
        elif kind in (11, 12):
            conf, after = struct.unpack_from("=II", data, 16)
            ids = sorted(self.confs if kind == 11 else [leg for leg, at in self.legs.items() if conf in (0, at[0])])
            ids = [i for i in ids if i > after]
            return 0, struct.pack("=II64I", min(64, len(ids)), len(ids) <= 64, *(ids + [0] * 64)[:64])
        elif kind == 13:
            return (0, bytes(304 - 16 + LEG_STATS)) if ident in self.legs else (-2, b"")
        elif kind == 14:
            return 0, struct.pack("=QQII", self.instance, 1, 1, 0) + bytes(9 * WORKER_STATS)
        return 0, b""

    def on_message(self, client, data):
        version, kind, length, number, _ = struct.unpack_from("=HHIIi", data)
        self.log.write(json.dumps(self.describe(kind, data)) + "\n")
        faults = self.faults()
        if faults.get("delay_ms") and kind == 5:
            time.sleep(faults["delay_ms"] / 1000)
        if str(kind) in faults.get("status", {}):
            status, rest = faults["status"][str(kind)], b""
        else:
            status, rest = self.answer(kind, data)
        try:
            client.send(struct.pack("=HHIIi", version, kind, 16 + len(rest), number, status) + rest)
        except BrokenPipeError:
            pass  # it is gone already; the loop sees that

    def event(self, clients, words):
        """From standard input: EVENT-NUMBER LEG A B"""
        event, leg, a, b = (int(word) for word in words)
        conf = self.legs[leg][0] if leg in self.legs else 0
        for client in clients:
            client.send(struct.pack("=HHIIi", 1, EVENT, 104, 0, 0) + struct.pack("=IIIIII16I", event, conf, leg, a, b, 0, *[0] * 16))

    def run(self):
        path = os.path.join(self.folder, "media.sock")
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        listener.listen()
        fifo = os.path.join(self.folder, "events")
        if not os.path.exists(fifo):
            os.mkfifo(fifo)
        events = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        clients = []
        while True:
            ready, _, _ = select.select([listener, events, *clients], [], [])
            for each in ready:
                if each is listener:
                    clients.append(listener.accept()[0])
                elif each is events:
                    for line in os.read(events, 4096).decode().splitlines():
                        self.event(clients, line.split())
                else:
                    try:
                        data = each.recv(65536)
                    except ConnectionResetError:
                        data = b""
                    if data:
                        self.on_message(each, data)
                    else:
                        clients.remove(each)
                        each.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with open(sys.argv[sys.argv.index("--config") + 1]) as config_file:
        MediaPlane(json.load(config_file)["node"]["runtime_dir"]).run()
