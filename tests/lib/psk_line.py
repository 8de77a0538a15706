"""Floor control through TLS of another implementation, keyed by MIKEY-TICKET: a connection is a process of openssl s_client."""
import os
import select
import struct
import subprocess
import tempfile
import time

from floor_line import HELLO, HELLO_ACK, KEYED, bfcp, describe, port_of, section, value
from mikey import agree
from sip import Caller

VERSIONS = {"-tls1_3": "TLSv1.3 TLS_AES_128_GCM_SHA256", "-tls1_2": "TLSv1.2 ECDHE-PSK-AES128-CBC-SHA256"}


class Keyed:
    """A call with floor control and chat, all keyed by one TRANSFER_INIT of the peer (tests/lib/mikey.py); port and chat_port: where it listens."""

    def __init__(self, node, peer, conference="keyed", port=None, chat_port=None, version=1, caller=None):
        uri = f"sip:{conference}@focus.example"
        peer.ticket(uri)
        message = peer.init(uri, cs="1,3t,5t")
        self.caller = caller or Caller(node, conference, from_header=f"<{peer.identity}>")
        floor = bfcp("passive" if port else "active", proto="TCP/TLS/BFCP", port=port or 9)
        chat = "\n".join([f"m=message {chat_port or 9} TCP/TLS/MSRP *", f"a=setup:{'passive' if chat_port else 'active'}",
                          "a=accept-types:message/cpim", "a=accept-wrapped-types:*", f"a=path:msrps://127.0.0.1:{chat_port or 9}/s7f3a19c02b;tcp"])
        self.answer = self.caller.invite(body=describe(KEYED, floor, chat, version=version, lines=[f"a=key-mgmt:mikey {message}"]))
        agree(peer, self.answer, "session")
        self.floor, self.chat = section(self.answer.body, "application"), section(self.answer.body, "message")
        self.name, self.key = peer.ask("psk", 3).split()
        self.chat_name, self.chat_key = peer.ask("psk", 5).split()

    @property
    def port(self):
        return port_of(self.floor)

    def connect(self, *options, name=None, key=None):
        return Line(self.port, name or self.name, key or self.key, *options)

    def hello(self, line):
        return line.hello(int(value(self.floor, "confid")), int(value(self.floor, "userid")))

    def bye(self):
        self.caller.bye()


class Server:
    """openssl s_server with one key; said is what came through it."""

    def __init__(self, port, name, key, *options):
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-nocert", "-quiet", "-psk_identity", name, "-psk", key,
                                         *options], stdin=subprocess.PIPE, stdout=self.out, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.out.close()

    @property
    def said(self):
        self.out.seek(0)
        return self.out.read()


class Line:
    """One connection; no name: without a PSK."""

    def __init__(self, port, name, key, *options):
        self.process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-ign_eof", "-psk_identity", name, "-psk", key,
                                         *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.number = 0

    def read(self, length, seconds=10):
        octets, end = b"", time.monotonic() + seconds
        out = self.process.stdout.fileno()
        while len(octets) < length and (left := end - time.monotonic()) > 0:
            if not select.select([out], [], [], left)[0]:
                break
            more = os.read(out, length - len(octets))
            if not more:
                break
            octets += more
        return octets

    def hello(self, conference, user):
        """True: it was answered; False: the connection is over."""
        self.number += 1
        try:
            self.process.stdin.write(struct.pack("!BBHIHH", 0x20, HELLO, 0, conference, self.number, user))
            self.process.stdin.flush()
        except BrokenPipeError:
            return False
        head = self.read(12)
        if len(head) < 12:
            return False
        assert head[1] == HELLO_ACK, head.hex()
        length = struct.unpack("!H", head[2:4])[0] * 4
        return len(self.read(length)) == length

    def refused(self):
        """What s_client said when it was turned away."""
        _, said = self.process.communicate(timeout=20)
        return said.decode()

    def close(self):
        """At once, without close-notify."""
        self.process.kill()
        self.process.communicate()
