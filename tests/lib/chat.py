"""Participants of a chat in Python: SIP by hand (sip.py), MSRP and CPIM by hand (msrp.py); independent of conclave-ue."""
import re

from msrp import Peer, cpim, ident
from phone import fingerprint
from sip import Caller, SipNode, sdp

CERTIFIED = {"plain": ({"crypto": (), "proto": "RTP/AVP"}, "TCP/MSRP", "msrp"), "tls": ({}, "TCP/TLS/MSRP", "msrps")}


def house(*conferences, **config):
    """A node whose conferences have chat; settings: of each, beside its id."""
    return SipNode(sip={"trusted_peers": ["127.0.0.1"]},
                   conferences=[{"security": "none", "chat": True, "identity": "none", **one} for one in conferences or ({"id": "room"},)], **config)


class Guest:
    """Dials a conference and comes to its chat. certificate: (file with key, fingerprint), then the call is SDES."""

    def __init__(self, node, who, conference="room", certificate=None, lines=("a=accept-wrapped-types:*", "a=chatroom:nickname private-messages"),
                 headers=(), reads=True, answers=True, connects=True):
        self.node, self.who, self.identity = node, who, f"sip:{who}@example.net"
        self.caller = Caller(node, conference, from_header=f'"{who.title()}" <{self.identity}>')
        self.room = f"sip:{conference}@127.0.0.1:{node.sip_port}"
        self.certificate, self.peer = certificate, None
        keys, proto, scheme = CERTIFIED["tls" if certificate else "plain"]
        self.own = f"{scheme}://127.0.0.1:9/{ident()};tcp"
        self.offered = [f"m=message 9 {proto} *", "a=setup:active", "a=connection:new", "a=accept-types:message/cpim", f"a=path:{self.own}",
                        *([f"a=fingerprint:{certificate[1]}"] if certificate else []), *lines]
        self.keys = keys
        self.answer = self.caller.invite([f'P-Asserted-Identity: "{who.title()}" <{self.identity}>', *headers], sdp(lines=self.offered, **keys))
        if self.answer.status == 200 and self.has_chat and connects:
            self.connect(reads, answers)

    def connect(self, reads=True, answers=True):
        self.peer = Peer(self.path, self.own, (self.certificate[0], self.certificate[0]) if self.certificate else None, reads, answers)
        if self.certificate:
            assert fingerprint(self.peer.peer_certificate).upper() == self.said("fingerprint").upper()
        if reads:
            assert self.peer.bind() == 200
        else:
            self.peer.request("SEND", (f"Message-ID: {ident()}",))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.peer:
            self.peer.close()
        self.caller.send("BYE")
        self.caller.socket.close()

    @property
    def section(self):
        return next((part for part in self.answer.body.split("m=") if part.startswith("message")), "message 0")

    @property
    def has_chat(self):
        return self.section.split()[1] != "0"

    def said(self, name):
        found = re.search(rf"a={name}:([^\r\n]*)", self.section)
        return found and found.group(1)

    @property
    def path(self):
        return self.said("path")

    @property
    def leg(self):
        """Our participant's id."""
        return next(p["id"] for p in self.node.participants(self.caller.user) if p["identity"] == self.identity)

    def say(self, text, to=None, **more):
        return self.peer.send(cpim(self.identity, to or self.room, text), **more)

    def wait(self, count, seconds=60):
        self.peer.wait(lambda: len(self.peer.messages) >= count, seconds, f"of {count} messages for {self.who}, {len(self.peer.messages)} came")

    def got(self, count, seconds=60):
        """What it has been sent, when there are so many: (from, text)."""
        self.wait(count, seconds)
        return [(message.cpim[0]["from"], message.text) for message in self.peer.messages]
