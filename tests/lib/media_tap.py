#!/usr/bin/env python3
"""conclave-dp with a tap on its control socket (dataplane/api/ctl.h).

Takes conclave-dp's place in a test: starts it with its control socket beside, listens where the control plane looks, passes
everything on in both directions, and writes every request as a line of JSON to media_plane.jsonl in node.runtime_dir. What does not
happen by itself can be provoked: faults.json there, {"delay_ms": 200, "status": {"5": -28}, "busy": 900, "late": 600}, delays LEG_ADD, refuses by
message type and lets every worker say that it is 90 % busy and 60 % of its ticks late; a line 'EVENT-NUMBER LEG A B' in the fifo 'events' there is an event from the media plane.
"""
import ctypes
import hashlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

TYPES = ["", "HELLO", "CONF_CREATE", "CONF_UPDATE", "CONF_DESTROY", "LEG_ADD", "LEG_UPDATE", "LEG_REMOVE", "LEG_MIX", "KEY_INSTALL",
         "KEY_RETIRE", "LIST_CONFS", "LIST_LEGS", "LEG_SHOW", "NODE_SHOW"]
LEG_ADD, LEG_UPDATE, KEY_INSTALL, NODE_SHOW, EVENT = 5, 6, 9, 14, 0x100
NODE_HEAD, NODE_STATS = 40, 9  # octets before the statistics of a dp_ctl_node, and how many there are; each ends with busy and late permille
NODE_UPTIME, STATS_TICKS, STATS_BUSY_NS = 24, 80, 152  # ticks_late follows ticks
HEADER = "=HHIIi"
KEY_SALT = [(0, 0), (16, 14), (16, 14), (32, 14), (16, 12), (32, 12)]  # octets, by suite


def read_address(data):
    family, _, port = struct.unpack_from("=BBH", data)
    if family == 0:
        return None
    return [socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6, data[4:8] if family == 4 else data[4:20]), port]


def describe(kind, data):
    line = {"type": TYPES[kind] if kind < len(TYPES) else str(kind)}
    if kind in (LEG_ADD, LEG_UPDATE):
        line["leg"], line["conf"], line["flags"], line["dirs"], _, line["secure"], line["dtmf"], line["ptime"], count = \
            struct.unpack_from("=IIIBBBBHB", data, 16)
        line["rx"] = [list(data[36 + 4 * i:38 + 4 * i]) for i in range(count)]
        line["tx"] = list(data[52:54])
        line["remote"] = read_address(data[56:76])
    elif kind == KEY_INSTALL:
        line["leg"], line["dir"], line["slot"], line["suite"], line["mki_len"], line["flags"] = struct.unpack_from("=IBBBBI", data, 16)
        key, salt = KEY_SALT[line["suite"]]
        line["mark"] = hash(data[64:96])  # tells keys apart without showing them
        line["print"] = hashlib.sha256(data[64:64 + key] + data[96:96 + salt]).hexdigest()
    elif kind != 1 and len(data) >= 20:
        line["id"] = struct.unpack_from("=I", data, 16)[0]
    return line


def die_with_parent():
    """A tap that is killed takes conclave-dp with it, as if conclave-dp itself had been."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Load:
    """What the workers say of their load may be made up, and their counters never go back."""

    def __init__(self):
        self.real, self.told, self.at = {}, {}, 0

    def rewrite(self, data, busy, late):
        now, = struct.unpack_from("=Q", data, NODE_UPTIME)
        size, passed = (len(data) - NODE_HEAD) // NODE_STATS, now - self.at
        for i in range(NODE_STATS):
            start = NODE_HEAD + i * size
            real = [*struct.unpack_from("=QQ", data, start + STATS_TICKS), *struct.unpack_from("=Q", data, start + STATS_BUSY_NS)]
            grown = [a - b for a, b in zip(real, self.real.get(i, real))]
            if late is not None:
                grown[0], grown[1] = 1000, late
            if busy is not None:
                grown[2] = passed * busy // 1000
                struct.pack_into("=II", data, start + size - 8, busy, late or 0)
            self.real[i], self.told[i] = real, [a + b for a, b in zip(self.told.get(i, real), grown)]
            struct.pack_into("=QQ", data, start + STATS_TICKS, *self.told[i][:2])
            struct.pack_into("=Q", data, start + STATS_BUSY_NS, self.told[i][2])
        self.at = now


class Tap:
    def __init__(self, folder, config):
        self.folder = folder
        self.conf_of = {}
        self.version = 0  # of the control protocol, as conclave-cp speaks it
        self.load = Load()
        self.log = open(os.path.join(folder, "media_plane.jsonl"), "a", buffering=1)
        self.real = os.path.join(folder, "real.sock")
        config["node"]["media_socket"] = self.real
        path = os.path.join(folder, "tapped.yaml")
        with open(path, "w") as file:
            json.dump(config, file)
        if os.path.exists(self.real):
            os.unlink(self.real)
        self.child = subprocess.Popen([sys.argv[1], "--config", path], preexec_fn=die_with_parent)
        signal.signal(signal.SIGTERM, self.stop)
        while not os.path.exists(self.real):
            if self.child.poll() is not None:
                sys.exit(self.child.returncode)
            time.sleep(0.02)

    def stop(self, *_):
        self.child.terminate()
        sys.exit(self.child.wait(timeout=20))

    def faults(self):
        try:
            with open(os.path.join(self.folder, "faults.json")) as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def on_request(self, client, server, data):
        version, kind, _, number, _ = struct.unpack_from(HEADER, data)
        self.version = version
        self.log.write(json.dumps(describe(kind, data)) + "\n")
        faults = self.faults()
        if kind == LEG_ADD:
            leg, conf = struct.unpack_from("=II", data, 16)
            self.conf_of[leg] = conf
            time.sleep(faults.get("delay_ms", 0) / 1000)
        if str(kind) in faults.get("status", {}):
            client.send(struct.pack(HEADER, version, kind, 16, number, faults["status"][str(kind)]))
        else:
            server.send(data)

    def on_reply(self, data):
        kind = struct.unpack_from(HEADER, data)[1]
        if kind != NODE_SHOW or len(data) <= NODE_HEAD:
            return data
        data, faults = bytearray(data), self.faults()
        self.load.rewrite(data, faults.get("busy"), faults.get("late"))
        return bytes(data)

    def event(self, clients, words):
        event, leg, a, b = (int(word) for word in words)
        for client in clients:
            client.send(struct.pack(HEADER, self.version, EVENT, 104, 0, 0) + struct.pack("=IIIIII16I", event, self.conf_of.get(leg, 0), leg, a, b, 0,
                                                                                *[0] * 16))

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
        servers, clients = {}, {}  # the other end of each
        while True:
            for each in select.select([listener, events, *servers, *clients], [], [])[0]:
                if each is listener:
                    client, server = listener.accept()[0], socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                    server.connect(self.real)
                    servers[client], clients[server] = server, client
                elif each is events:
                    for line in os.read(events, 4096).decode().splitlines():
                        self.event(servers, line.split())
                elif each in servers or each in clients:
                    self.pass_on(each, servers, clients)

    def pass_on(self, each, servers, clients):
        other = servers.get(each) or clients.get(each)
        try:
            data = each.recv(65536)
            if data and each in servers:
                self.on_request(each, other, data)
            elif data:
                other.send(self.on_reply(data))
        except (BrokenPipeError, ConnectionResetError):
            data = b""
        if not data:
            for end in (each, other):
                servers.pop(end, None)
                clients.pop(end, None)
                end.close()


if __name__ == "__main__":
    with open(sys.argv[sys.argv.index("--config") + 1]) as config_file:
        CONFIG = json.load(config_file)
    Tap(CONFIG["node"]["runtime_dir"], CONFIG).run()
