"""INVITEs without SDP where MIKEY-TICKET is wanted or taken: our offer is made for who SIP says calls, and the answer proves it."""
import re
import socket

import pytest

from mikey import CM80, SSRC, Peer, bend, connected, ends, focus_config, installed, key_mgmt, kms_for, offer, tidy
from node import free_port, wait_until
from sip import CM80 as CM80_NAME, Caller, KEY, SipNode, sdp

ALICE, BOB, EVE, TEL = "sip:alice@ims.example", "sip:bob@ims.example", "sip:eve@ims.example", "tel:+4930123456"
CONFERENCES = [
    {"id": "demo", "security": "mikey-ticket", "authorised": [ALICE, BOB]},
    {"id": "open", "security": "mikey-ticket", "identity": "none", "anonymous": True},
    {"id": "either", "security": "either", "authorised": [ALICE, BOB]},
    {"id": "all", "security": "either", "identity": "none", "anonymous": True},
]
PROXY = "127.0.0.2"
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def kms():
    with kms_for(ALICE, BOB, EVE) as running:
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(sip={"trusted_peers": [PROXY]}, conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        tidy(request.getfixturevalue("node"), CONFERENCES)


def invite(node, identity, user="demo"):
    """INVITE without SDP through a trusted proxy; the caller and the final response, not yet acknowledged."""
    caller = Caller(node, user, address=PROXY, from_header=f"<{identity or 'sip:x@ims.example'}>")
    answer = caller.request("INVITE", [f"P-Asserted-Identity: <{identity}>"] if identity else [])
    if answer.status == 200:
        caller.target = re.search(r"<([^>]*)>", answer["contact"]).group(1)
    return caller, answer


def ack(caller, body):
    caller.send("ACK", cseq=caller.cseq, body=body)


@pytest.mark.parametrize("conference", ["demo", "either", "open", "all"])
def test_the_offer_has_a_ticket_for_who_calls(node, kms, conference):
    caller, answer = invite(node, ALICE, conference)
    assert answer.status == 200, answer.text
    assert ("a=crypto" in answer.body) == (conference in ("either", "all"))
    with Peer(kms, ALICE, kms.files_of[ALICE]) as alice:
        assert alice.resolve(key_mgmt(answer.body)["media"]) == "ok"
        ack(caller, offer(alice.ask("transfer", SSRC, CM80)))
        [participant] = connected(node, conference)
        assert participant["identity"] == ALICE and participant["verified_by"] == "kms"
        assert participant["protection"] == "mikey-ticket, verified by KMS"
        keys = alice.prints()
        wait_until(lambda: len(node.asked("KEY_INSTALL")) >= 2, 5, "keys")
        assert [row["print"] for row in installed(node, 2)][-1] == keys[1][2]
        assert [row["print"] for row in installed(node, 1)][-1] == keys[2][2]
        caller.bye()


def test_somebody_else_cannot_answer(node, kms):
    """BOB is on the list of the conference, but alice was asserted: the ticket is hers alone."""
    caller, answer = invite(node, ALICE)
    message = key_mgmt(answer.body)["media"]
    with Peer(kms, BOB, kms.files_of[BOB]) as bob:
        assert bob.ask("offered", message).startswith("refused 7 ")
    with Peer(kms, ALICE, kms.files_of[ALICE]) as alice:
        assert alice.resolve(message) == "ok"
        ack(caller, offer(bend(alice.ask("transfer", SSRC, CM80), 70)))
    ends(caller)
    assert not node.asked("KEY_INSTALL")


@pytest.mark.parametrize("body", [sdp(), ""], ids=["SDES", "nothing"])
def test_an_answer_without_mikey_ends_it(node, kms, body):
    caller, answer = invite(node, ALICE)
    assert answer.status == 200
    ack(caller, body)
    ends(caller)
    assert not node.asked("KEY_INSTALL")


def test_either_answered_by_sdes(node):
    caller, answer = invite(node, ALICE, "either")
    tag = re.search(rf"a=crypto:(\d+) {CM80_NAME} ", answer.body).group(1)
    ack(caller, sdp(crypto=(f"{tag} {CM80_NAME} {KEY}",)))
    [participant] = connected(node, "either")
    assert participant["protection"] == "SDES to next hop" and participant["verified_by"] == "asserted"
    caller.bye()


def test_who_is_nobody_gets_no_ticket(node, kms):
    """Anonymous: 403 where a list is, 488 where all may come but keys are wanted, SDES where that will do. No KMS traffic."""
    asked = kms.status()["request"]
    for conference, status in (("demo", (401, 403)), ("open", (488,))):
        caller, answer = invite(node, None, conference)
        assert answer.status in status, answer.text
        if answer.status == 488:
            assert answer["warning"].startswith("306") and "identity" in answer["warning"], answer.text
    caller, answer = invite(node, None, "all")
    assert answer.status == 200 and not key_mgmt(answer.body) and "a=crypto" in answer.body, answer.text
    tag = re.search(rf"a=crypto:(\d+) {CM80_NAME} ", answer.body).group(1)
    ack(caller, sdp(crypto=(f"{tag} {CM80_NAME} {KEY}",)))
    connected(node, "all")
    caller.bye()
    assert kms.status()["request"] == asked


def test_who_is_not_on_the_list(node, kms):
    asked = kms.status()["request"]
    _, answer = invite(node, EVE)
    assert answer.status == 403, answer.text
    assert kms.status()["request"] == asked and not node.asked("LEG_ADD")


def test_cancel_while_the_kms_thinks(kms):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        config = focus_config(kms, kms.focus, timeout="5s")
        config["kms"] = [f"http://127.0.0.1:{deaf.getsockname()[1]}"]
        with SipNode(sip={"trusted_peers": [PROXY]}, conferences=CONFERENCES, mikey=config) as node:
            caller = Caller(node, "demo", address=PROXY, from_header=f"<{ALICE}>")
            caller.send("INVITE", [f"P-Asserted-Identity: <{ALICE}>"])
            wait_until(lambda: (lambda m: m and m.status == 100)(caller.receive(1)), 5, "100")
            caller.send("CANCEL", cseq=caller.cseq, branch=caller.branch)
            assert caller.final(5, cseq="1 INVITE").status == 487
            node.wait_participants(0)


def test_no_kms(kms):
    """503 with Retry-After where MIKEY is wanted; SDES where that will do."""
    config = focus_config(kms, kms.focus)
    config["kms"] = [f"http://127.0.0.1:{free_port()}"]
    with SipNode(sip={"trusted_peers": [PROXY]}, conferences=CONFERENCES, mikey=config) as node:
        _, answer = invite(node, ALICE)
        assert answer.status == 503 and answer["retry-after"], answer.text
        caller, answer = invite(node, ALICE, "either")
        assert answer.status == 200 and not key_mgmt(answer.body) and "a=crypto" in answer.body
        tag = re.search(rf"a=crypto:(\d+) {CM80_NAME} ", answer.body).group(1)
        ack(caller, sdp(crypto=(f"{tag} {CM80_NAME} {KEY}",)))
        connected(node, "either")
        caller.bye()
        node.wait_participants(0, "either")


def test_rate(kms):
    with SipNode(sip={"trusted_peers": [PROXY]}, conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=1)) as node:
        statuses = []
        for _ in range(4):
            caller, answer = invite(node, ALICE)
            statuses.append(answer.status)
            if answer.status == 200:
                ack(caller, "")
                ends(caller)
            else:
                caller.send("ACK", cseq=caller.cseq, branch=caller.branch)
        assert statuses[:2] == [200, 200] and 503 in statuses, statuses


def test_a_late_reinvite_keeps_the_keys(node, kms):
    caller, answer = invite(node, ALICE)
    with Peer(kms, ALICE, kms.files_of[ALICE]) as alice:
        assert alice.resolve(key_mgmt(answer.body)["media"]) == "ok"
        ack(caller, offer(alice.ask("transfer", SSRC, CM80)))
        connected(node)
        node.forget()
        again = caller.request("INVITE")
        assert again.status == 200 and not key_mgmt(again.body), again.text
        ack(caller, sdp(crypto=(), version=2))
        caller.bye()
        assert not node.asked("KEY_INSTALL")
