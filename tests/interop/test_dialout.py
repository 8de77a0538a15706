"""Calls of the focus and all that can become of them: early media, forks, no answer, busy, and who it was that answered (seed G.2)."""
import re
import socket

import pytest

from node import free_port, wait_until
from people import Callee
from sip import SipNode

OPEN = {"id": "demo", "security": "sdes", "identity": "none", "anonymous": True}
STRICT = {"id": "strict", "security": "sdes", "authorised": ["sip:carol@127.0.0.1", "tel:+4930123"]}


@pytest.fixture(scope="module")
def node():
    with SipNode(sip={"trusted_peers": ["127.0.0.2"]}, conferences=[OPEN, STRICT], call={"ring_for": "2s"}) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        running = request.getfixturevalue("node")
        running.empty("demo", "strict")
        running.forget()


def call(node, callee, conference="demo"):
    assert node.cli("conference", "call", conference, callee.identity).returncode == 0
    return callee.wait()


def states(node, conference="demo"):
    return [p["state"] for p in node.participants(conference)]


def test_ringing_shows_in_the_roster(node):
    with Callee(node) as bob:
        call(node, bob)
        wait_until(lambda: states(node) == ["dialing"], 5, "dialing")
        bob.say("180 Ringing")
        wait_until(lambda: states(node) == ["alerting"], 5, "alerting")
        bob.accept()
        wait_until(lambda: states(node) == ["connected"], 5, "connected")
        bob.bye()


def test_early_media_is_not_mixed(node):
    """An answer in a 183 opens nothing; the one in the 200 counts."""
    with Callee(node) as bob:
        call(node, bob)
        bob.say("183 Session Progress", body=bob.answer_sdp())
        wait_until(lambda: states(node) == ["alerting"], 5, "alerting")
        assert not [row for row in node.asked("KEY_INSTALL") if row["dir"] == 1], "the callee's key is not installed yet"
        bob.accept()
        wait_until(lambda: states(node) == ["connected"], 5, "connected")
        wait_until(lambda: [row for row in node.asked("KEY_INSTALL") if row["dir"] == 1], 5, "the callee's key")
        bob.bye()


def test_reliable_early_answer(node):
    """RFC 3262: the answer in a reliable 183 is the answer, also when the 200 has none."""
    with Callee(node) as bob:
        call(node, bob)
        bob.say("183 Session Progress", ["Require: 100rel", "RSeq: 7"], bob.answer_sdp())
        prack = bob.wait("PRACK")
        assert prack["rack"].split()[0] == "7"
        bob.reply(prack)
        assert not [row for row in node.asked("KEY_INSTALL") if row["dir"] == 1]
        bob.say("200 OK")
        bob.wait("ACK")
        wait_until(lambda: states(node) == ["connected"], 5, "connected")
        bob.bye()


def test_no_answer_is_cancelled(node):
    with Callee(node) as bob:
        call(node, bob)
        bob.say("180 Ringing")
        cancel = bob.wait("CANCEL", 10)
        bob.reply(cancel)
        bob.say("487 Request Terminated")
        node.wait_participants(0)


def test_a_200_that_crosses_the_cancel_gets_bye(node):
    with Callee(node) as bob:
        call(node, bob)
        bob.say("180 Ringing")
        bob.reply(bob.wait("CANCEL", 10), "481 No Such Transaction")
        bob.accept()
        bye = bob.wait("BYE")
        bob.reply(bye)
        node.wait_participants(0)


def test_nobody_there(node):
    port = free_port()
    node.cli("conference", "call", "demo", f"sip:nobody@127.0.0.1:{port}")
    node.wait_participants(0, seconds=20)


@pytest.mark.parametrize("status", ["486 Busy Here", "600 Busy Everywhere", "404 Not Found", "401 Unauthorized", "407 Proxy Authentication Required",
                                    "488 Not Acceptable Here", "503 Service Unavailable"])
def test_refused(node, status):
    with Callee(node) as bob:
        call(node, bob)
        bob.say(status)
        assert bob.wait("ACK")
        node.wait_participants(0)


def test_forked_answers(node):
    """Two phones answer one INVITE: one is taken, the other gets ACK and BYE."""
    with Callee(node) as bob:
        call(node, bob)
        body = bob.answer_sdp()
        bob.say("180 Ringing", tag="one")
        bob.say("180 Ringing", tag="two")
        bob.say("200 OK", body=body, tag="one")
        bob.say("200 OK", body=body, tag="two")
        acked, ended = set(), set()

        def both():
            message = bob.receive(1)
            if message and message.method in ("ACK", "BYE"):
                (acked if message.method == "ACK" else ended).add(message["to"].rpartition("tag=")[2])
            if message and message.method == "BYE":
                bob.reply(message)
            return acked == {"one", "two"} and ended == {"two"}

        wait_until(both, 10, "ACK for both and BYE for the second")
        assert states(node) == ["connected"]


def without_keys(bob):
    return re.sub(r"a=crypto:.*\n", "", bob.answer_sdp() + "\n")


@pytest.mark.parametrize("body", [lambda bob: "", without_keys, lambda bob: bob.answer_sdp().replace("m=audio 40000", "m=audio 0"),
                                  lambda bob: bob.answer_sdp().replace("RTP/SAVP", "RTP/AVP"), lambda bob: "v=0\nnonsense"],
                         ids=["none", "without keys", "audio refused", "plain", "malformed"])
def test_a_200_whose_answer_is_none(node, body):
    """ACK there is, then BYE that says why; who was called is not heard for a moment."""
    with Callee(node) as bob:
        call(node, bob)
        bob.say("200 OK", body=body(bob))
        bob.wait("ACK")
        bye = bob.wait("BYE")
        assert "cause=488" in bye["reason"] and 'text="' in bye["reason"], bye.text
        bob.reply(bye)
        node.wait_participants(0)
        assert not [row for row in node.asked("KEY_INSTALL") if row["dir"] == 1]


# Who answered. 127.0.0.2 is the trusted proxy, 127.0.0.1 is not.

def answered(node, callee, headers, conference="strict"):
    """What the roster shows; None: the leg was released."""
    call(node, callee, conference)
    callee.accept(headers)
    try:
        callee.wait("BYE", 1.5)
        callee.reply(callee.seen[-1])
        node.wait_participants(0, conference)
        return callee.seen[-1]
    except AssertionError:
        return node.participants(conference)[0]


@pytest.mark.parametrize("headers, identity", [
    (lambda bob: [f"P-Asserted-Identity: <{bob.identity}>"], None),
    (lambda bob: ["P-Asserted-Identity: <sip:carol@127.0.0.1>"], "sip:carol@127.0.0.1"),
    (lambda bob: ["P-Asserted-Identity: <tel:+4930123>"], "tel:+4930123"),
    (lambda bob: ["P-Asserted-Identity: <sip:x@y>, <tel:+49-30-123>"], "sip:x@y"),
    (lambda bob: ["History-Info: <sip:bob@127.0.0.2>;index=1, <sip:carol@127.0.0.1>;index=1.1"], "sip:carol@127.0.0.1"),
], ids=["the one we called", "one of the list", "by telephone number", "by the second name", "by history"])
def test_who_answered_is_known(node, headers, identity):
    with Callee(node, address="127.0.0.2") as bob:
        shown = answered(node, bob, headers(bob))
        assert isinstance(shown, dict), shown.text
        assert shown["identity"] == (identity or bob.identity) and shown["verified_by"] == "asserted"
        bob.bye()


def test_who_answered_may_hide_from_the_others(node):
    with Callee(node, address="127.0.0.2") as bob:
        shown = answered(node, bob, [f"P-Asserted-Identity: <{bob.identity}>", "Privacy: id"])
        assert isinstance(shown, dict) and shown["verified_by"] == "asserted"
        assert not shown["identity"] and shown["uri"] == "anonymous", shown
        bob.bye()


@pytest.mark.parametrize("headers", [[], ["P-Asserted-Identity: <sip:mallory@evil.example>"], ["P-Asserted-Identity: <sip:anonymous@anonymous.invalid>"],
                                     ["P-Asserted-Identity: nonsense"], ["History-Info: <sip:mallory@evil.example>;index=1"]],
                         ids=["withheld", "a stranger", "anonymous", "malformed", "a stranger by history"])
def test_who_answered_is_not_welcome(node, headers):
    with Callee(node, address="127.0.0.2") as bob:
        bye = answered(node, bob, headers)
        assert not isinstance(bye, dict) and "cause=403" in bye["reason"], bye


def test_what_a_peer_that_nobody_trusts_asserts_counts_for_nothing(node):
    with Callee(node) as bob:
        bye = answered(node, bob, [f"P-Asserted-Identity: <{bob.identity}>"])
        assert not isinstance(bye, dict) and "Nobody says who answered" in bye["reason"]


def test_where_no_identity_is_required_nobody_need_say_it(node):
    with Callee(node) as bob:
        shown = answered(node, bob, [], "demo")
        assert isinstance(shown, dict) and shown["verified_by"] == "none"
        bob.bye()


def test_believed_where_the_operator_says_so():
    with SipNode(conferences=[STRICT], call={"answerer": "believed"}) as node, Callee(node) as bob:
        shown = answered(node, bob, [])
        assert isinstance(shown, dict) and shown["identity"] == bob.identity
        bob.bye()
        node.wait_participants(0, "strict")


# The way there.

def test_the_address_that_leads_there():
    with SipNode(sip={"listen": ["sip:[::1]:%d" % free_port(address="::1"), "sip:127.0.0.3:%d" % free_port()]}) as node:
        with Callee(node) as bob:
            call(node, bob)
            assert bob.invitation["via"].split()[1].startswith(f"127.0.0.1:{node.sip_port}"), bob.invitation.text
            assert f"@127.0.0.1:{node.sip_port}>" in bob.invitation["contact"]
            bob.say("486 Busy Here")
            bob.wait("ACK")
        phone = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        with phone:
            phone.bind(("::1", 0))
            phone.settimeout(5)
            node.cli("conference", "call", "demo", f"sip:six@[::1]:{phone.getsockname()[1]}")
            text = phone.recv(65536).decode()
            assert "\r\nVia: SIP/2.0/UDP [::1]:" in text and "<sip:demo@[::1]:" in text, text
        node.cli("conference", "close", "demo")


def test_by_tcp(node):
    server = socket.create_server(("127.0.0.1", 0))
    with server:
        server.settimeout(10)
        node.cli("conference", "call", "demo", f"sip:bob@127.0.0.1:{server.getsockname()[1]};transport=tcp")
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            text = connection.recv(65536).decode()
            assert "SIP/2.0/TCP" in text and ";transport=tcp>;isfocus" in text
    node.wait_participants(0, seconds=30)


def test_through_a_proxy():
    port = free_port()
    with SipNode(sip={"outbound_proxy": f"sip:127.0.0.1:{port}"}) as node, Callee(node) as proxy:
        proxy.socket.close()
        proxy.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        proxy.socket.bind(("127.0.0.1", port))
        node.cli("conference", "call", "demo", "sip:bob@example.net")
        invitation = proxy.wait()
        assert invitation.first == "INVITE sip:bob@example.net SIP/2.0"
        assert invitation["route"] == f"<sip:127.0.0.1:{port};lr>"
        proxy.say("486 Busy Here")
        proxy.wait("ACK")
        node.wait_participants(0)
        proxy.invitation = None
        node.cli("conference", "call", "demo", "tel:+49-30-123")
        assert proxy.wait().first == f"INVITE sip:+4930123@127.0.0.1:{port};user=phone SIP/2.0"
        proxy.say("404 Not Found")
        proxy.wait("ACK")
        node.wait_participants(0)
