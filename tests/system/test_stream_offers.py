"""Floor and chat beside the audio in calls: plain, by certificates, by MIKEY-TICKET; what later offers do to what is connected; our own offers."""
import re
import socket

import pytest

from floor_line import AVP, KEYED, SAVP, Certificate, Floor, bfcp, describe, fingerprint, port_of, section, sections, value
from mikey import Peer, agree, focus_config, kms_for
from node import wait_until
from sip import Caller, SipNode

ALICE = "sip:alice@ims.example"
FLOORS = {"floors": ["stage audio", "board chat"], "chat": True}
OPEN = {"identity": "none", "anonymous": True}
CONFERENCES = [
    {"id": "plain", "security": "none", **OPEN, **FLOORS},
    {"id": "sdes", "security": "sdes", **OPEN, **FLOORS},
    {"id": "keyed", "security": "mikey-ticket", "authorised": [ALICE], **FLOORS},
    {"id": "bare", "security": "none", **OPEN},
]
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
    return Certificate(tmp_path_factory.mktemp("certificate"))


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
    caller, answer = invite(node, "sdes", describe(SAVP, bfcp(proto="TCP/TLS/BFCP", lines=[certificate.fingerprint])))
    floor = section(answer.body, "application")
    connection = Floor(floor, certificate.context())
    assert value(floor, "fingerprint").upper() == fingerprint(connection.socket.getpeercert(binary_form=True)).upper()
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
    caller.send("ACK", body=describe(AVP, bfcp(), msrp()), cseq=caller.cseq)
    wait_until(lambda: node.participants("plain") and node.participants("plain")[0]["state"] == "connected", 10, "a participant")
    assert Floor(offered).hello() and Chat(section(answer.body, "message")).hello()
    caller.bye()


def test_late_offer_without_floor(node):
    caller = Caller(node, "plain", from_header=f"<{ALICE}>")
    answer = caller.request("INVITE")
    caller.target = re.search(r"<([^>]*)>", answer["contact"]).group(1)
    caller.send("ACK", body=describe(AVP, "m=application 0 TCP/BFCP *", "m=message 0 TCP/MSRP *"), cseq=caller.cseq)
    wait_until(lambda: node.participants("plain") and node.participants("plain")[0]["state"] == "connected", 10, "a participant")
    _, answer = invite(node, "plain", describe(AVP, bfcp(), version=2), caller)  # and by a re-INVITE all the same
    assert Floor(section(answer.body, "application")).hello()
    caller.bye()


def msrp(proto="TCP/MSRP", session="abc", lines=()):
    scheme = "msrps" if "TLS" in proto else "msrp"
    return "\n".join([f"m=message 9 {proto} *", "a=setup:active", "a=accept-types:message/cpim text/plain", "a=accept-wrapped-types:*",
                      f"a=path:{scheme}://127.0.0.1:9/{session};tcp", "a=chatroom:nickname private-messages", *lines])


class Chat:
    """An MSRP connection to where an answer says, bound by a SEND without a body (RFC 4975 5.4)."""

    def __init__(self, part, session="abc", context=None):
        self.path = value(part, "path")
        self.own = f"{self.path.partition(':')[0]}://127.0.0.1:9/{session};tcp"
        self.socket = socket.create_connection(("127.0.0.1", port_of(part)), 5)
        if context:
            self.socket = context.wrap_socket(self.socket)
        self.socket.settimeout(10)

    def hello(self):
        self.socket.sendall(f"MSRP a1b2c3d4 SEND\r\nTo-Path: {self.path}\r\nFrom-Path: {self.own}\r\nMessage-ID: 1x2y\r\n-------a1b2c3d4$\r\n".encode())
        return self.socket.recv(4096).startswith(b"MSRP a1b2c3d4 200")

    def is_over(self):
        try:
            return self.socket.recv(4096) == b""
        except ConnectionError:
            return True


@pytest.mark.parametrize("user, audio", [("plain", AVP), ("sdes", SAVP), ("keyed", KEYED)])
def test_three_lines(node, alice, certificate, user, audio):
    """Audio, floor and chat; the chat's m-line is what the second floor controls."""
    tls = "" if user == "plain" else "TLS/"
    more = [certificate.fingerprint] if user == "sdes" else []
    session = []
    if user == "keyed":
        alice.ticket("sip:keyed@focus.example")
        session = [f"a=key-mgmt:mikey {alice.init('sip:keyed@focus.example', cs='1,3t,5t')}"]
    caller, answer = invite(node, user, describe(audio, bfcp(proto=f"TCP/{tls}BFCP", lines=more), msrp(f"TCP/{tls}MSRP", lines=more), lines=session))
    sound, floor, chat = sections(answer.body)
    assert [line.partition(":")[2] for line in floor if line.startswith("a=floorid:")] == [
        f"1 mstrm:{value(sound, 'label')}", f"2 mstrm:{value(chat, 'label')}"]
    assert value(chat, "accept-types") == "message/cpim" and value(chat, "chatroom") == "nickname private-messages"
    assert value(chat, "setup") == "passive" and str(port_of(chat)) in value(chat, "path")
    assert not any(line.startswith("a=connection") for line in chat)
    if user == "keyed":
        agree(alice, answer, "session")
        assert port_of(chat) > 0 and port_of(floor) > 0
    else:
        context = certificate.context() if user == "sdes" else None
        assert Floor(floor, context).hello() and Chat(chat, context=context).hello()
    caller.bye()


def test_the_path_says_which_connection(node):
    """MSRP: the same path goes on, another one is another session."""
    caller, answer = invite(node, "plain", describe(AVP, msrp()))
    first = Chat(section(answer.body, "message"))
    assert first.hello()
    _, answer = invite(node, "plain", describe(AVP, msrp(lines=["a=connection:new"]), version=2), caller)
    assert first.hello()
    _, answer = invite(node, "plain", describe(AVP, msrp(session="def"), version=3), caller)
    assert first.is_over()
    second = Chat(section(answer.body, "message"), "def")
    assert second.hello()
    caller.bye()


def test_chat_alone(node):
    caller, answer = invite(node, "plain", describe(msrp()))
    [chat] = sections(answer.body)
    assert Chat(chat).hello()
    caller.bye()


@pytest.mark.parametrize("user", ["plain", "sdes", "keyed"])
def test_without_audio(node, alice, certificate, user):
    """Floor control alone: a participant whose leg neither sends nor takes; it is not lost, and gets no audio later."""
    node.forget()
    proto = "TCP/BFCP" if user == "plain" else "TCP/TLS/BFCP"
    lines = [certificate.fingerprint] if user == "sdes" else []
    if user == "keyed":
        uri = "sip:keyed@focus.example"
        alice.ticket(uri)
        lines = [f"a=key-mgmt:mikey {alice.init(uri, cs='1t')}"]
    caller, answer = invite(node, user, describe(bfcp(proto=proto, lines=lines)))
    [floor] = sections(answer.body)
    [leg] = node.asked("LEG_ADD")
    assert leg["dirs"] == 0 and leg["secure"] == 1 and not node.asked("KEY_INSTALL")
    if user == "keyed":
        assert alice.ask("resp", value(floor, "key-mgmt").split()[1]) == "ok"
    else:
        assert Floor(floor, certificate.context() if user == "sdes" else None).hello()
    [participant] = node.participants(user)
    assert participant["state"] == "connected"
    _, answer = invite(node, user, describe(bfcp(connection="existing", proto=proto, lines=lines), AVP, version=2), caller)
    assert [port_of(part) > 0 for part in sections(answer.body)] == [True, False]
    caller.bye()


def test_neither_audio_nor_floor(node):
    caller = Caller(node, "bare", from_header=f"<{ALICE}>")
    answer = caller.invite(body=describe(bfcp()))
    assert answer.status == 488 and "no audio m-line" in answer["warning"]
