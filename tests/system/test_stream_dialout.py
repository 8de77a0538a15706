"""Floor and chat in calls of ours: the offer leaves open who connects (actpass), they choose; who has which part in TLS, by keys and by certificates."""
import os
import select
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from floor_line import HELLO, HELLO_ACK, KEYED, SAVP, Certificate, bfcp, describe, port_of, section, value
from mikey import CM80, Peer, called, connected, focus_config, key_mgmt, kms_for
from node import free_port, wait_until
from sip import SipNode

BOB = "sip:bob@ims.example"
STREAMS = {"authorised": [BOB], "floors": ["stage audio"], "chat": True}
CONFERENCES = [{"id": "keyed", "security": "mikey-ticket", **STREAMS}, {"id": "sdes", "security": "sdes", **STREAMS}]
CHAT_SESSION = "s7f3a19c02b"
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def kms():
    with kms_for(BOB) as running:
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0), call={"answerer": "believed"}) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


class Pipe:
    """A process of openssl as one end of TLS with a PSK."""

    def __init__(self, name, key, *command):
        self.process = subprocess.Popen(["openssl", *command, "-quiet", "-psk_identity", name, "-psk", key], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)

    def sendall(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.flush()

    def recv(self, count):
        out = self.process.stdout.fileno()
        assert select.select([out], [], [], 15)[0], "nothing came"
        return os.read(out, count)

    def close(self):
        self.process.kill()
        self.process.communicate()


def relay(left, right):
    """Octets both ways, until one of them ends."""
    def run():
        try:
            while True:
                for one in select.select([left, right], [], [])[0]:
                    octets = one.recv(65536)
                    if not octets:
                        return
                    (right if one is left else left).sendall(octets)
        except OSError:
            pass
        finally:
            left.close()
            right.close()

    threading.Thread(target=run, daemon=True).start()


class End:
    """One stream as they see it. chosen: their a=setup; is_server: their part in TLS."""

    def __init__(self, chosen, is_server, certificate=None):
        self.chosen, self.is_server, self.certificate = chosen, is_server, certificate
        self.listener = socket.create_server(("127.0.0.1", 0)) if certificate and chosen == "passive" else None
        self.port = 9 if chosen == "active" else self.listener.getsockname()[1] if self.listener else free_port(socket.SOCK_STREAM)
        self.pipe = self.line = None

    def close(self):
        for one in (self.listener, self.line, self.pipe):
            if one:
                one.close()

    def listen(self, name, key):
        """By keys: openssl is there before the answer is."""
        if self.is_server and not self.certificate:
            self.accepts = self.port if self.chosen == "passive" else free_port(socket.SOCK_STREAM)
            self.pipe = Pipe(name, key, "s_server", "-accept", f"127.0.0.1:{self.accepts}", "-nocert", "-naccept", "1")

    def connect(self, port, name, key):
        """Where TCP is, TLS comes up."""
        if self.certificate:
            if self.listener:
                self.listener.settimeout(15)
                raw = self.listener.accept()[0]
            else:
                raw = socket.create_connection(("127.0.0.1", port), 15)
            raw.settimeout(15)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if self.is_server else ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.load_cert_chain(self.certificate.folder / "certificate.pem", self.certificate.folder / "key.pem")
            self.line = context.wrap_socket(raw, server_side=self.is_server)
            return self.line
        if not self.is_server:
            self.pipe = Pipe(name, key, "s_client", "-connect", f"127.0.0.1:{port}")
        elif self.chosen == "active":
            raw = socket.create_connection(("127.0.0.1", port), 15)
            relay(raw, wait_until(lambda: dial(self.accepts), 10, "s_server listens"))
        return self.pipe


def dial(port):
    try:
        return socket.create_connection(("127.0.0.1", port), 5)
    except ConnectionRefusedError:
        return None


def floor_talks(line, offered):
    line.sendall(struct.pack("!BBHIHH", 0x20, HELLO, 0, int(value(offered, "confid")), 1, int(value(offered, "userid"))))
    assert line.recv(4096)[1] == HELLO_ACK


def chat_talks(line, path, own, is_active):
    """Who connects says SEND at once (RFC 4975 5.4)."""
    if is_active:
        line.sendall(f"MSRP a1b2c3d4 SEND\r\nTo-Path: {path}\r\nFrom-Path: {own}\r\nMessage-ID: 1x2y\r\n-------a1b2c3d4$\r\n".encode())
        assert line.recv(4096).startswith(b"MSRP a1b2c3d4 200")
        return
    said = line.recv(4096).decode().split("\r\n")
    assert said[0].endswith(" SEND") and f"To-Path: {own}" in said and f"From-Path: {path}" in said, said
    line.sendall(f"MSRP {said[0].split()[1]} 200 OK\r\nTo-Path: {path}\r\nFrom-Path: {own}\r\n-------{said[0].split()[1]}$\r\n".encode())


# Floor control: who answers is TLS server, whoever connects (RFC 8856 8); one who is active may say ClientHello all the same (10.2).
# Chat: who connects is TLS client (RFC 6135).
@pytest.mark.parametrize("keys", ["keyed", "sdes"])
@pytest.mark.parametrize("chosen, floor_is_server", [("active", True), ("active", False), ("passive", True)])
def test_they_choose_who_connects(node, kms, certificate, keys, chosen, floor_is_server):
    phone = called(node, kms, keys)
    offer = phone.invitation.body
    offered, offered_chat = section(offer, "application"), section(offer, "message")
    assert value(offered, "setup") == value(offered_chat, "setup") == "actpass" and value(offered, "connection") == "new"
    proof = certificate if keys == "sdes" else None
    floor, chat = End(chosen, floor_is_server, proof), End(chosen, chosen == "passive", proof)
    own = f"msrps://127.0.0.1:{chat.port}/{CHAT_SESSION};tcp"
    more = [certificate.fingerprint] if proof else []
    lines = [bfcp(chosen, proto="TCP/TLS/BFCP", port=floor.port, lines=more),
             "\n".join([f"m=message {chat.port} TCP/TLS/MSRP *", f"a=setup:{chosen}", "a=accept-types:message/cpim", "a=accept-wrapped-types:*",
                        f"a=path:{own}", *more])]
    names = [None] * 4
    if proof:
        phone.answer(describe(SAVP, *lines))
    else:
        assert "fingerprint" not in offer
        with Peer(kms, BOB, kms.files_of[BOB]) as bob:
            assert bob.resolve(key_mgmt(offer)["session"]) == "ok"
            answer = bob.ask("transfer", "0x0a0b0c0d", CM80)
            names = bob.ask("psk", 3).split() + bob.ask("psk", 5).split()
            floor.listen(*names[:2])
            chat.listen(*names[2:])
            phone.answer(describe(KEYED, *lines, lines=[f"a=key-mgmt:mikey {answer}"]))
    connected(node, keys)
    try:
        floor_talks(floor.connect(port_of(offered), *names[:2]), offered)
        chat_talks(chat.connect(port_of(offered_chat), *names[2:]), value(offered_chat, "path"), own, chosen == "active")
        assert node.http("/v1/status")["streams"]["connected"] == 2
    finally:
        floor.close()
        chat.close()
        phone.bye()
    wait_until(lambda: node.http("/v1/status")["streams"]["connected"] == 0, 10, "both are over with the call")
