"""Floor and chat in what the focus offers: calls of ours, late offers that are answered by other keys, our re-INVITEs."""
import re

import pytest

from floor_line import AVP, KEYED, SAVP, Certificate, Floor, bfcp, describe, port_of, section, value
from mikey import CM80, Peer, called, connected, focus_config, key_mgmt, kms_for
from node import wait_until
from sip import Caller, SipNode

ALICE, BOB = "sip:alice@ims.example", "sip:bob@ims.example"
PROXY = "127.0.0.2"
FLOORS = {"floors": ["stage audio"]}
CONFERENCES = [
    {"id": "plain", "security": "none", "identity": "none", "anonymous": True, **FLOORS},
    {"id": "keyed", "security": "mikey-ticket", "authorised": [ALICE, BOB], **FLOORS},
    {"id": "either", "security": "either", "authorised": [ALICE, BOB], **FLOORS},
]
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def kms():
    with kms_for(ALICE, BOB) as running:
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(sip={"trusted_peers": [PROXY]}, conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0),
                 call={"answerer": "believed"}) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


def reinvited(caller):
    """Our re-INVITE, all else passed over."""
    return wait_until(lambda: (lambda m: m if m and m.method == "INVITE" else None)(caller.receive(1)), 20, "a re-INVITE")


def acknowledged(caller):
    wait_until(lambda: (lambda m: m and m.method == "ACK")(caller.receive(1)), 10, "ACK")


def test_a_call_of_ours(node, kms):
    phone = called(node, kms, "plain")
    offered = section(phone.invitation.body, "application")
    assert value(offered, "setup") == "actpass" and value(offered, "floorid") == f"1 mstrm:{value(section(phone.invitation.body, 'audio'), 'label')}"
    phone.answer(describe(AVP, bfcp()))
    connected(node, "plain")
    assert Floor(offered).hello()
    phone.bye()


def test_a_call_of_ours_keyed(node, kms):
    """One ticket for both m-lines: its message stands at session level, and its map has a crypto session of TLS behind the audio's two."""
    phone = called(node, kms, "keyed")
    messages = key_mgmt(phone.invitation.body)
    assert list(messages) == ["session"] and "fingerprint" not in phone.invitation.body
    with Peer(kms, BOB, kms.files_of[BOB]) as bob:
        assert bob.resolve(messages["session"]) == "ok"
        answer = bob.ask("transfer", "0x0a0b0c0d", CM80)
        phone.answer(describe(KEYED, bfcp(proto="TCP/TLS/BFCP"), lines=[f"a=key-mgmt:mikey {answer}"]))
        connected(node, "keyed")
        assert sorted(bob.prints()) == [1, 2]
        phone.bye()


def test_answered_by_other_keys(node, certificate):
    """Offered under MIKEY-TICKET and answered with SDES: the floor's m-line is offered anew, by certificates."""
    caller = Caller(node, "either", address=PROXY, from_header=f"<{ALICE}>")
    answer = caller.request("INVITE", [f"P-Asserted-Identity: <{ALICE}>"])
    caller.target = re.search(r"<([^>]*)>", answer["contact"]).group(1)
    assert "a=crypto" in answer.body and "fingerprint" not in answer.body
    floor = bfcp(proto="TCP/TLS/BFCP", lines=[certificate.fingerprint])
    tag = re.search(r"a=crypto:(\d+) AES_CM_128_HMAC_SHA1_80", answer.body).group(1)
    sdes = SAVP.replace("a=crypto:1", f"a=crypto:{tag}")
    caller.send("ACK", cseq=caller.cseq, body=describe(sdes, floor))
    again = reinvited(caller)
    offered = section(again.body, "application")
    assert port_of(offered) > 0 and value(offered, "connection") == "new" and value(offered, "fingerprint")
    caller.reply(again, body=describe(sdes, floor, version=2))
    acknowledged(caller)
    assert Floor(offered, certificate.context()).hello()
    caller.bye()


def test_what_does_not_fit_is_taken_back(node, kms):
    """An answer that would be floor control server itself: our next offer ends the m-line."""
    phone = called(node, kms, "plain")
    phone.answer(describe(AVP, bfcp().replace("c-only", "s-only")))
    for _ in range(2):  # once anew, then no more
        again = reinvited(phone)
        offered = section(again.body, "application")
        if port_of(offered) == 0:
            break
        phone.reply(again, body=describe(AVP, bfcp().replace("c-only", "s-only"), version=2))
        acknowledged(phone)
    assert port_of(offered) == 0
    phone.reply(again, body=describe(AVP, "m=application 0 TCP/BFCP *", version=3))
    acknowledged(phone)
    assert len(connected(node, "plain")) == 1
    phone.bye()


def test_the_connection_outlives_the_media_plane(node):
    """A new media plane has other ports; what goes over TCP stays."""
    caller = Caller(node, "plain", from_header=f"<{ALICE}>")
    answer = caller.invite(body=describe(AVP, bfcp()))
    floor = Floor(section(answer.body, "application"))
    assert floor.hello()
    node.kill("dp")
    node.start_dp()
    again = reinvited(caller)
    assert value(section(again.body, "application"), "connection") == "existing"
    caller.reply(again, body=describe(AVP, bfcp(connection="existing"), version=2))
    acknowledged(caller)
    assert floor.hello()
    caller.bye()
