"""tshark takes a session of floor control in the clear apart as the client of tests/lib/bfcp.py does: both wrote it down, Wireshark judges."""
import os
import shutil
import struct
import subprocess
import sys

import pytest

from bfcp import CODES, PRIMITIVES
from node import Node
from phone import Phone

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from test_tshark_mikey import ip  # noqa: E402

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark here")
PORT = 5070  # of the server, as tshark is told


def written(client):
    """All octets that pass client's socket, in the order in which it saw them: [(from the server?, octets)]."""
    segments, send, receive = [], client.socket.sendall, client.octets

    class Tapped:
        def __init__(self, socket):
            self.socket = socket

        def __getattr__(self, name):
            return getattr(self.socket, name)

        def sendall(self, octets):
            segments.append((False, octets))
            send(octets)

    def octets(seconds):
        found = receive(seconds)
        if found:
            segments.append((True, found))
        return found

    client.socket, client.octets = Tapped(client.socket), octets
    return segments


def packets(segments):
    """TCP segments of one connection (RFC 9293), one for each message, checksums left out."""
    places, rest = {False: 1, True: 1}, {False: b"", True: b""}
    for from_server, octets in segments:
        rest[from_server] += octets
        while len(rest[from_server]) >= 12 and len(rest[from_server]) >= (length := 12 + 4 * struct.unpack("!H", rest[from_server][2:4])[0]):
            ports = (PORT, 40000) if from_server else (40000, PORT)
            part, rest[from_server] = rest[from_server][:length], rest[from_server][length:]
            yield ip(6, struct.pack("!HHIIBBHHH", *ports, places[from_server], places[not from_server], 5 << 4, 0x18, 65535, 0, 0) + part)
            places[from_server] += length


def tshark(path, *arguments):
    return subprocess.run(["tshark", "-r", path, "-d", f"tcp.port=={PORT},bfcp", *arguments], capture_output=True, text=True, timeout=60,
                          check=True).stdout


def capture(path, segments):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, packet in enumerate(packets(segments)):
            file.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)


def test_a_session_in_the_clear(tmp_path):
    room = {"id": "room", "security": "none", "identity": "required", "floors": ["stage chair limit=60", "board chat"],
            "moderators": ["sip:mod@example.net"], "authorised": ["sip:anna@example.net"]}
    with Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}, "conferences": [room]}) as node, Phone(node, "mod") as mod, Phone(node, "anna") as anna:
        sessions = []
        for phone in (mod, anna):
            phone.connect()
            sessions.append(written(phone.client))
        mod.client.hello()
        mod.client.query(1, 2)
        request = anna.client.request(1, 2, priority=3, info="me, please").requests[0].id
        mod.client.act(request, 1, "Granted", info="you first")
        anna.client.status(request, "Granted")
        anna.client.ask("UserQuery", [("BENEFICIARY-ID", anna.user)])
        anna.client.ask("FloorRequestQuery", [("FLOOR-REQUEST-ID", request)])
        mod.client.ask("FloorRelease", [("FLOOR-REQUEST-ID", request)])
        anna.client.release(request)
        mod.client.ask("Hello", conference=1)
        mod.client.notice(lambda m: m.primitive == "FloorStatus" and m.get("FLOOR-ID") == 1 and not m.requests)
        seen, texts = set(), ""
        for number, segments in enumerate(sessions):
            path = str(tmp_path / f"{number}.pcap")
            capture(path, segments)
            texts += tshark(path, "-V")
            seen |= {int(each) for line in tshark(path, "-T", "fields", "-e", "bfcp.primitive").split() for each in line.split(",")}
        assert "alformed" not in texts and "Unknown" not in texts, texts
        assert "me, please" in texts and "you first" in texts and "sip:anna@example.net" in texts
        assert seen == {CODES[name] for name in PRIMITIVES.values()}, "every primitive of TCP went by"
