"""Whom the focus calls, and who answers: one on the list to whom the network brought the call, a stranger, SDES where that will do."""
import re
import time
import types

import pytest

from kms import Kms
from mikey import CM80, Peer, Phone, bend, called, connected, ends, focus_config, installed, key_mgmt, kms_for, offer, tidy
from node import free_port
from sip import CM80 as CM80_NAME, KEY, SipNode, sdp

BOB, CAROL, EVE = "sip:bob@ims.example", "sip:carol@ims.example", "sip:eve@ims.example"
MANY = [f"sip:somebody-with-a-name-of-some-length-{n}@ims.example" for n in range(60)]
CONFERENCES = [
    {"id": "demo", "security": "mikey-ticket", "authorised": [BOB, CAROL]},
    {"id": "many", "security": "mikey-ticket", "authorised": MANY},
    {"id": "either", "security": "either", "authorised": [BOB]},
]
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def kms():
    with kms_for(BOB, CAROL, EVE, MANY[0]) as running:
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus), call={"answerer": "believed"}) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        tidy(request.getfixturevalue("node"), CONFERENCES)


@pytest.mark.parametrize("who", [BOB, CAROL])
def test_one_of_the_list_answers(node, kms, who):
    """Dave is called and the call reaches somebody of the list: the keys are bound to who it is, and so is the roster."""
    phone = called(node, kms)
    with Peer(kms, who, kms.files_of[who]) as peer:
        assert peer.resolve(key_mgmt(phone.invitation.body)["media"]) == "ok"
        phone.answer(offer(peer.ask("transfer", "0x0a0b0c0d", CM80)))
        [participant] = connected(node)
        assert participant["uri"] == participant["identity"] == who and participant["verified_by"] == "kms"
        keys = peer.prints()
        assert [row["print"] for row in installed(node, 2)] == [keys[1][2]]
        assert [row["print"] for row in installed(node, 1)] == [keys[2][2]]
        phone.bye()


def test_somebody_else_cannot_answer(node, kms):
    """Who is not on the list is not on the ticket: no KMS gives keys for it, and an answer made up is released at once."""
    phone = called(node, kms)
    message = key_mgmt(phone.invitation.body)["media"]
    with Peer(kms, EVE, kms.files_of[EVE]) as eve:
        assert eve.ask("offered", message).startswith("refused 7 ")
    with Peer(kms, BOB, kms.files_of[BOB]) as bob:
        assert bob.resolve(message) == "ok"
        phone.answer(offer(bend(bob.ask("transfer", "0x0a0b0c0d", CM80), 70)))
    ends(phone)
    assert not node.asked("KEY_INSTALL")


def test_a_long_list_is_cut(node, kms):
    """The message stays one that phones take; who is called is always on the ticket, and the first of the list are."""
    phone = called(node, kms, "many")
    message = key_mgmt(phone.invitation.body)["media"]
    assert len(message) < 4096
    with Peer(kms, MANY[0], kms.files_of[MANY[0]]) as first, Peer(kms, phone.identity, phone.keys) as dave:
        assert first.resolve(message) == "ok"
        assert dave.resolve(message) == "ok"
        phone.answer(offer(dave.ask("transfer", "0x0a0b0c0d", CM80)))
        connected(node, "many")
        phone.bye()


def test_the_kms_forbids_one_of_the_list():
    """The focus may reach some only: then the ticket is for whom it calls, if that is one of them."""
    phone = Phone(types.SimpleNamespace(sip_port=0))
    identity = f"sip:dave@127.0.0.1:{phone.port}"
    with Kms() as strict:
        psk = strict.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example", "--responder", identity)
        keys = strict.add(identity)
        with SipNode(conferences=CONFERENCES, mikey=focus_config(strict, psk)) as node:
            phone.node, phone.uri = node, f"sip:demo@127.0.0.1:{node.sip_port}"
            assert node.cli("conference", "call", "demo", identity).returncode == 0
            phone.wait()
            assert sorted(row["granted"] for row in strict.audit(2)) == [False, True], strict.audit(2)
            with Peer(strict, identity, keys) as dave:
                assert dave.resolve(key_mgmt(phone.invitation.body)["media"]) == "ok"
                phone.answer(offer(dave.ask("transfer", "0x0a0b0c0d", CM80)))
                connected(node)
                phone.bye()
                node.wait_participants(0)


def test_a_redirection_takes_another_ticket(kms):
    """Nothing of the first offer goes along, and the keys are those of who is called then."""
    first, second = (Phone(types.SimpleNamespace(sip_port=0)) for _ in range(2))
    names = [f"sip:{name}@127.0.0.1:{phone.port}" for name, phone in (("dave", first), ("fred", second))]
    files = [kms.add(name) for name in names]
    room = {"id": "demo", "security": "mikey-ticket", "authorised": names}
    with SipNode(conferences=[room], mikey=focus_config(kms, kms.focus), call={"answerer": "believed"}) as node:
        for phone in (first, second):
            phone.node, phone.uri = node, f"sip:demo@127.0.0.1:{node.sip_port}"
        begin_ms = time.time() * 1000
        assert node.cli("conference", "call", "demo", names[0]).returncode == 0
        one = key_mgmt(first.wait().body)["media"]
        first.answer("", "302 Moved Temporarily", [f"Contact: <{names[1]}>"])
        two = key_mgmt(second.wait().body)["media"]
        tickets = kms.audit(2)
        assert len({row["csb_id"] for row in tickets}) == 2 and all(row["at_ms"] >= begin_ms and row["granted"] for row in tickets), tickets
        with Peer(kms, names[0], files[0]) as dave, Peer(kms, names[1], files[1]) as fred:
            assert dave.resolve(one) == "ok" and fred.resolve(two) == "ok"
            dave.ask("transfer", "0x0a0b0c0d", CM80)
            second.answer(offer(fred.ask("transfer", "0x0a0b0c0e", CM80)))
            [participant] = connected(node)
            assert participant["identity"] == names[1] and participant["verified_by"] == "kms"
            old, new = dave.prints(), fred.prints()
            assert [row["print"] for row in installed(node, 2)] == [new[1][2]] and [row["print"] for row in installed(node, 1)] == [new[2][2]]
            assert not {old[1][2], old[2][2]} & {new[1][2], new[2][2]}
        second.bye()
        node.wait_participants(0)


@pytest.mark.parametrize("by", ["mikey", "sdes"])
def test_either_way_where_both_are_offered(node, kms, by):
    """An offer with both: whichever the answer has keys the call, and is shown."""
    phone = called(node, kms, "either")
    body = phone.invitation.body
    assert f"{CM80_NAME} " in body and key_mgmt(body)
    if by == "mikey":
        with Peer(kms, phone.identity, phone.keys) as dave:
            assert dave.resolve(key_mgmt(body)["media"]) == "ok"
            phone.answer(offer(dave.ask("transfer", "0x0a0b0c0d", CM80)))
    else:
        tag = re.search(rf"a=crypto:(\d+) {CM80_NAME} ", body).group(1)
        phone.answer(sdp(crypto=(f"{tag} {CM80_NAME} {KEY}",)))
    [participant] = connected(node, "either")
    assert participant["protection"] == {"mikey": "mikey-ticket, verified by KMS", "sdes": "SDES to next hop"}[by]
    assert participant["verified_by"] == {"mikey": "kms", "sdes": "none"}[by]
    phone.bye()


def test_sdes_alone_where_no_kms_answers(kms):
    config = focus_config(kms, kms.focus)
    config["kms"] = [f"http://127.0.0.1:{free_port()}"]
    with SipNode(conferences=CONFERENCES, mikey=config, call={"answerer": "believed"}) as node:
        phone = called(node, None, "either")
        assert not key_mgmt(phone.invitation.body)
        tag = re.search(rf"a=crypto:(\d+) {CM80_NAME} ", phone.invitation.body).group(1)
        phone.answer(sdp(crypto=(f"{tag} {CM80_NAME} {KEY}",)))
        assert connected(node, "either")[0]["protection"] == "SDES to next hop"
        phone.bye()
        node.wait_participants(0, "either")
        # Where nothing but MIKEY will do nobody is called.
        strict = Phone(node)
        node.cli("conference", "call", "demo", f"sip:x@127.0.0.1:{strict.port}")
        assert strict.receive(2) is None
