"""Floor and chat beside the audio in calls: plain, by certificates, by MIKEY-TICKET; what later offers do to what is connected; our own offers."""
import hashlib
import re
import socket
import ssl
import struct
import subprocess

import pytest

from mikey import LIST, Peer, agree, focus_config, key_mgmt, kms_for
from node import wait_until
from sip import CM80, KEY, Caller, SipNode

ALICE = "sip:alice@ims.example"
FLOORS = {"floors": ["stage audio"]}
OPEN = {"identity": "none", "anonymous": True}
CONFERENCES = [
    {"id": "plain", "security": "none", **OPEN, **FLOORS},
    {"id": "sdes", "security": "sdes", **OPEN, **FLOORS},
    {"id": "keyed", "security": "mikey-ticket", "authorised": [ALICE], **FLOORS},
    {"id": "bare", "security": "none", **OPEN},
]
CLIENT = "a=floorctrl:c-only\na=bfcpver:1"
AVP = "m=audio 40000 RTP/AVP 0"
SAVP = f"m=audio 40000 RTP/SAVP 0\na=crypto:1 {CM80} {KEY}"
KEYED = "m=audio 40000 RTP/SAVP 0"
HELLO, HELLO_ACK = 11, 12
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def kms():
    with kms_for(ALICE) as running:
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as running:
        yield running


@pytest.fixture
def alice(kms):
    with Peer(kms, ALICE, kms.files_of[ALICE]) as peer:
        yield peer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of a participant: its PEM file, and a=fingerprint of it."""
    path = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=a", "-days", "2",
                    "-keyout", path / "key.pem", "-out", path / "certificate.pem"], check=True, capture_output=True)
    der = ssl.PEM_cert_to_DER_cert((path / "certificate.pem").read_text())
    digest = hashlib.sha256(der).hexdigest().upper()
    return path, "a=fingerprint:sha-256 " + ":".join(digest[i:i + 2] for i in range(0, 64, 2))


def bfcp(setup="active", connection="new", proto="TCP/BFCP", port=9, lines=()):
    return "\n".join([f"m=application {port} {proto} *", f"a=setup:{setup}", f"a=connection:{connection}", CLIENT, *lines])


def describe(*sections, version=1, lines=()):
    return "\n".join(["v=0", f"o=a 1 {version} IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", *lines, *sections])


def sections(body):
    """The m-sections of a description, as lists of lines."""
    return [part.strip().splitlines() for part in re.split(r"(?m)^(?=m=)", body)[1:]]


def section(body, media):
    [found] = [part for part in sections(body) if part[0].startswith(f"m={media} ")]
    return found


def port_of(part):
    return int(part[0].split()[1])


def value(part, name):
    [line] = [line for line in part if line.startswith(f"a={name}:")]
    return line.partition(":")[2]


class Floor:
    """A BFCP connection to where an answer says."""

    def __init__(self, part, context=None):
        self.conf, self.user = int(value(part, "confid")), int(value(part, "userid"))
        self.socket = socket.create_connection(("127.0.0.1", port_of(part)), 5)
        if context:
            self.socket = context.wrap_socket(self.socket)
        self.number = 0

    def hello(self):
        """True: it was answered; False: the connection is over."""
        self.number += 1
        try:
            self.socket.sendall(struct.pack("!BBHIHH", 0x20, HELLO, 0, self.conf, self.number, self.user))
            answer = self.socket.recv(4096)
        except (ConnectionError, ssl.SSLError):
            return False
        assert not answer or answer[1] == HELLO_ACK, answer.hex()
        return bool(answer)

    def is_over(self):
        self.socket.settimeout(10)
        try:
            return self.socket.recv(4096) == b""
        except ConnectionError:
            return True


def invite(node, user, body, caller=None):
    caller = caller or Caller(node, user, from_header=f"<{ALICE}>")
    answer = caller.invite(body=body)
    assert answer.status == 200, answer.text
    return caller, answer


def test_plain(node):
    caller, answer = invite(node, "plain", describe(AVP, bfcp(), "m=video 4 RTP/AVP 31"))
    audio, floor, video = sections(answer.body)
    assert value(floor, "setup") == "passive" and value(floor, "connection") == "new" and value(floor, "floorctrl") == "s-only"
    assert value(floor, "floorid") == f"1 mstrm:{value(audio, 'label')}"
    assert port_of(video) == 0 and "fingerprint" not in answer.body
    assert Floor(floor).hello()
    caller.bye()


def test_certificates(node, certificate):
    path, fingerprint = certificate
    caller, answer = invite(node, "sdes", describe(SAVP, bfcp(proto="TCP/TLS/BFCP", lines=[fingerprint])))
    floor = section(answer.body, "application")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(path / "certificate.pem", path / "key.pem")
    connection = Floor(floor, context)
    ours = hashlib.sha256(connection.socket.getpeercert(binary_form=True)).hexdigest()
    assert value(floor, "fingerprint").lower() == "sha-256 " + ":".join(ours[i:i + 2] for i in range(0, 64, 2))
    assert connection.hello()
    caller.bye()
    assert connection.is_over()


def test_keyed_by_one_message(node, alice):
    """One TRANSFER_INIT for all: audio 1 and 2, the floor's TLS 3."""
    uri = "sip:keyed@focus.example"
    alice.ticket(uri)
    message = alice.init(uri, cs="1,3t")
    caller, answer = invite(node, "keyed", describe(KEYED, bfcp(proto="TCP/TLS/BFCP"), lines=[f"a=key-mgmt:mikey {message}"]))
    agree(alice, answer, "session")
    floor = section(answer.body, "application")
    assert port_of(floor) > 0 and "fingerprint" not in answer.body and "crypto" not in answer.body
    caller.bye()


def test_keyed_each(node, alice):
    """A message for each m-line; the floor's has its crypto session 1."""
    uri = "sip:keyed@focus.example"
    messages = []
    for cs in ("1", "1t"):
        alice.ticket(uri)
        messages.append(alice.init(uri, cs=cs))
    caller, answer = invite(node, "keyed", describe(f"{KEYED}\na=key-mgmt:mikey {messages[0]}",
                                                    bfcp(proto="TCP/TLS/BFCP", lines=[f"a=key-mgmt:mikey {messages[1]}"])))
    audio, floor = sections(answer.body)
    assert port_of(floor) > 0 and len({value(audio, "key-mgmt"), value(floor, "key-mgmt")}) == 2
    assert alice.ask("resp", value(floor, "key-mgmt").split()[1]) == "ok"
    caller.bye()


@pytest.mark.parametrize("user, audio, line, why", [
    ("sdes", SAVP, bfcp(), "it is without TLS, and the audio is protected"),
    ("sdes", SAVP, bfcp(proto="TCP/TLS/BFCP"), "it has no a=fingerprint with SHA-256"),
    ("plain", AVP, bfcp(proto="UDP/BFCP"), "it is not over TCP"),
    ("plain", AVP, bfcp().replace("c-only", "s-only"), "its a=floorctrl does not take the part of a client"),
    ("bare", AVP, bfcp(), "this conference has no floors"),
])
def test_refused_alone(node, user, audio, line, why):
    caller, answer = invite(node, user, describe(audio, line))
    assert [port_of(part) > 0 for part in sections(answer.body)] == [True, False]
    assert "label" not in answer.body
    wait_until(lambda: why in node.logs(), 5, f"'{why}' in the log")
    caller.bye()


def test_keyed_without_crypto_session(node, alice):
    uri = "sip:keyed@focus.example"
    alice.ticket(uri)
    message = alice.init(uri, cs="1")
    caller, answer = invite(node, "keyed", describe(KEYED, bfcp(proto="TCP/TLS/BFCP"), lines=[f"a=key-mgmt:mikey {message}"]))
    assert port_of(section(answer.body, "application")) == 0
    assert "its MIKEY message has no TLS crypto session for it" in node.logs()
    caller.bye()


def test_later_offers(node):
    """Refreshed, held, renewed, removed and added again."""
    caller, answer = invite(node, "plain", describe(AVP, bfcp()))
    first = Floor(section(answer.body, "application"))
    assert first.hello()
    _, answer = invite(node, "plain", describe(AVP, bfcp()), caller)  # the same o= line: a refresh
    assert first.hello()
    _, answer = invite(node, "plain", describe(AVP + "\na=sendonly", bfcp(connection="existing"), version=2), caller)
    assert value(section(answer.body, "application"), "connection") == "existing" and first.hello()
    _, answer = invite(node, "plain", describe(AVP, bfcp(), version=3), caller)
    assert first.is_over()
    second = Floor(section(answer.body, "application"))
    assert second.hello()
    _, answer = invite(node, "plain", describe(AVP, "m=application 0 TCP/BFCP *", version=4), caller)
    assert port_of(section(answer.body, "application")) == 0 and second.is_over()
    _, answer = invite(node, "plain", describe(AVP, bfcp(), version=5), caller)
    third = Floor(section(answer.body, "application"))
    assert third.hello()
    caller.bye()
    assert third.is_over()


def test_we_connect(node):
    """To who is passive."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        caller, answer = invite(node, "plain", describe(AVP, bfcp("passive", port=server.getsockname()[1])))
        floor = section(answer.body, "application")
        assert port_of(floor) == 9 and value(floor, "setup") == "active"
        server.accept()[0].close()
    caller.bye()


def test_late_offer(node):
    """INVITE without SDP: our offer has the floor; their answer opens it."""
    caller = Caller(node, "plain", from_header=f"<{ALICE}>")
    answer = caller.request("INVITE")
    caller.target = re.search(r"<([^>]*)>", answer["contact"]).group(1)
    offered = section(answer.body, "application")
    assert value(offered, "setup") == "actpass" and value(offered, "connection") == "new"
    caller.send("ACK", body=describe(AVP, bfcp()), cseq=caller.cseq)
    wait_until(lambda: node.participants("plain") and node.participants("plain")[0]["state"] == "connected", 10, "a participant")
    assert Floor(offered).hello()
    caller.bye()


def test_late_offer_without_floor(node):
    caller = Caller(node, "plain", from_header=f"<{ALICE}>")
    answer = caller.request("INVITE")
    caller.target = re.search(r"<([^>]*)>", answer["contact"]).group(1)
    caller.send("ACK", body=describe(AVP, "m=application 0 TCP/BFCP *"), cseq=caller.cseq)
    wait_until(lambda: node.participants("plain") and node.participants("plain")[0]["state"] == "connected", 10, "a participant")
    _, answer = invite(node, "plain", describe(AVP, bfcp(), version=2), caller)  # and by a re-INVITE all the same
    assert Floor(section(answer.body, "application")).hello()
    caller.bye()
