"""A caller under MIKEY-TICKET for a test: tests/system/mikeypeer makes and reads the messages, this carries them to the KMS and in SIP."""
import base64
import contextlib
import re
import subprocess

from kms import REQUEST, RESOLVE, Kms
from node import program, wait_until
from sip import Caller, sdp

CM80, CM32, CM256, GCM128, GCM256 = 1, 2, 3, 4, 5
LIST = "1,2,3,4,5"
SSRC = "0x11223344"


@contextlib.contextmanager
def kms_for(*users):
    """A KMS with these users and the focus.example: files_of names the files of the users' keys, focus that of the focus."""
    with Kms() as running:
        running.files_of = {user: running.add(user) for user in users}
        running.focus = running.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example")
        yield running


def tidy(node, conferences):
    """After a test: its calls are over, and what the media plane was asked is forgotten."""
    for conference in conferences:
        node.wait_participants(0, conference["id"])
    node.forget()


def connected(node, conference="demo"):
    return wait_until(lambda: [p for p in node.participants(conference) if p["state"] == "connected"], 5, "a participant")


def ends(caller):
    """The BYE that it gets."""
    return wait_until(lambda: (lambda m: m and m.method == "BYE" and m)(caller.receive(5)), 5, "BYE")


def update(caller, peer, suite, version, ssrc=SSRC, cs=None):
    """A CSB update of the participant, in a re-INVITE, and the answer to it."""
    message = peer.ask("updateat", cs, ssrc, suite) if cs else peer.ask("update", ssrc, suite)
    answer = caller.invite(body=offer(message, version=version))
    assert answer.status == 200, answer.text
    assert peer.ask("updated", key_mgmt(answer.body)["media"]) == "ok"


def focus_config(kms, psk, **more):
    """The section mikey of a focus that asks this KMS."""
    return {"kms": [kms.url], "kms_identity": kms.identity, "psk_file": psk, "timeout": "1s", "rounds": 1, **more}


def key_mgmt(body):
    """The MIKEY messages of a description: {"session": …, "media": …}."""
    session, _, media = body.partition("m=audio")
    found = {}
    for level, text in (("session", session), ("media", media)):
        match = re.search(r"a=key-mgmt:mikey (\S+)", text)
        if match:
            found[level] = match.group(1)
    return found


def installed(node, direction):
    """The keys that the media plane was given for a direction: 1 what the participant sends, 2 what it hears."""
    return [row for row in node.asked("KEY_INSTALL") if row["dir"] == direction]


def agree(peer, answer, level="media"):
    """The TRANSFER_RESP of a 200 into the peer."""
    assert answer.status == 200, answer.text
    messages = key_mgmt(answer.body)
    assert list(messages) == [level], answer.body
    assert "a=crypto" not in answer.body
    assert peer.ask("resp", messages[level]) == "ok"


def error_of(answer):
    """Number of the MIKEY error in a refusal: HDR with an empty map, T, ERR."""
    [message] = key_mgmt(answer.body).values()
    octets = base64.b64decode(message)
    assert octets[1] == 6, octets.hex()
    return octets[10 + 10 + 1]


def bend(message, at, bits=1):
    octets = bytearray(base64.b64decode(message))
    octets[at] ^= bits
    return base64.b64encode(octets).decode()


class Peer:
    """One user with its keys; a call at a time."""

    def __init__(self, kms, identity, psk):
        self.kms, self.identity = kms, identity
        self.process = subprocess.Popen([program("tests/mikeypeer"), identity, psk, kms.identity], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(timeout=10) == 0

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def ticket(self, responder, algorithms=256, rekey=0, valid=3600):
        request = bytes.fromhex(self.ask("request", responder, algorithms, rekey, valid))
        answer = self.kms.post(REQUEST, request)
        assert self.ask("ticket", answer.hex()) == "ok"

    def init(self, responder, cs=1, ssrc=SSRC, suites=LIST, csb=0, ids="mikey"):
        message = self.ask("init", responder, cs, ssrc, suites, csb, ids)
        assert " " not in message, message
        return message

    def resolve(self, offer):
        question = bytes.fromhex(self.ask("offered", offer))
        return self.ask("resolved", self.kms.post(RESOLVE, question).hex())

    def prints(self, cs=1):
        """{CS ID: (SSRC, suite, SHA-256 of its keys)}"""
        rows = [word.split(":") for word in self.ask("prints", cs).split()]
        return {int(row[0]): (int(row[1], 16), int(row[2]), row[3]) for row in rows}


def offer(message, level="media", lines=(), **more):
    """An offer with a MIKEY message; crypto=… puts SDES beside it."""
    attribute = f"a=key-mgmt:mikey {message}"
    if level == "media":
        return sdp(**{"crypto": (), "lines": (attribute, *lines), **more})
    return sdp(**{"crypto": (), "lines": lines, **more}).replace("t=0 0", f"t=0 0\n{attribute}")


def call(node, peer, user="demo", message=None, level="media", headers=(), **more):
    """INVITE with a message (a fresh TRANSFER_INIT on a fresh ticket); the caller and the final response."""
    uri = f"sip:{user}@focus.example"
    if message is None:
        peer.ticket(uri)
        message = peer.init(uri)
    caller = Caller(node, user, from_header=f"<{peer.identity}>")
    caller.message = message
    answer = caller.invite(headers, offer(message, level, **more))
    return caller, answer


class Phone(Caller):
    """Somebody who is called: answers one INVITE, with a dialog the other way round."""

    def __init__(self, node, user="demo"):
        super().__init__(node, user)
        self.invitation = None

    def wait(self, seconds=10):
        """The INVITE; all else before it is passed over."""
        while self.invitation is None:
            request = self.receive(seconds)
            assert request, "nobody calls"
            if request.method == "INVITE":
                self.invitation = request
        return self.invitation

    def answer(self, body, status="200 OK", headers=()):
        """Answers it; in the dialog we are To."""
        request, tag = self.invitation, f";tag={self.tag}"
        request.headers["to"] = [request["to"] + tag]
        self.call_id, self.uri = request["call-id"], re.search(r"<([^>]*)>", request["from"]).group(1)
        self.from_header, self.to_tag = f"<{re.search(r'<([^>]*)>', request['to']).group(1)}>", request["from"].rpartition("tag=")[2]
        self.target = re.search(r"<([^>]*)>", request["contact"]).group(1)
        self.reply(request, status, headers, body)
        while True:
            ack = self.receive(5)
            assert ack, "no ACK"
            if ack.method == "ACK":
                return


def called(node, kms, conference="demo"):
    """A phone that the focus calls, at an address of its own; kms: knows its user (keys is the file), None: nobody does."""
    phone = Phone(node, conference)
    phone.identity = f"sip:dave@127.0.0.1:{phone.port}"
    if kms:
        phone.keys = kms.add(phone.identity)
    assert node.cli("conference", "call", conference, phone.identity).returncode == 0
    phone.wait()
    return phone
