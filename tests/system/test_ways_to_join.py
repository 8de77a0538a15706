"""Every way to join, with phones that hear each other: REFER to the focus and from it, lists, factories, Replaces, by MIKEY-TICKET too."""
import re
import time

import pytest

from kms import Kms
from mikey import focus_config
from node import Node, Ue, free_port, is_taken, wait_until
from people import Referrer, invite_with_list, recipients
from sip import SipNode

CONFERENCES = [{"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in ("demo", "other")]


@pytest.fixture(scope="module")
def node():
    with SipNode(conferences=CONFERENCES, factories=[{"id": "new", "identity": "none", "open": True}]) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        running = request.getfixturevalue("node")
        for conference in ("demo", "other"):
            for participant in running.participants(conference):
                running.cli("participant", "remove", conference, str(participant["id"]), check=False)
            running.wait_participants(0, conference, seconds=30)


def waiting(*options, seconds=20):
    """A phone that waits to be called, and its URI."""
    port = free_port()
    ue = Ue(None, "--listen", port, "--local", "127.0.0.1", *options, seconds=seconds)
    wait_until(lambda: is_taken(port), 10, "a phone that waits")
    return ue, f"sip:ue1@127.0.0.1:{port}"


def assert_heard(*results):
    for result in results:
        assert result["outcome"] == "joined" and result["heard_as_expected"] and result["rx"]["auth_failures"] == 0, result


@pytest.mark.sanitized
def test_a_participant_brings_another_in(node):
    bob, uri = waiting("--tone", 880, "--expect", 440)
    alice = Ue(node.uri(), "--tone", 440, "--refer-at", f"0.5:{uri}", seconds=6)
    connected = wait_until(lambda: [p for p in node.participants() if p["state"] == "connected" and p["method"] == "dialed-out"], 10, "bob")
    assert connected[0]["referred_by"].startswith("sip:ue1@")
    result = alice.result()
    assert result["outcome"] == "joined" and result["refer_status"] == 200
    assert_heard(bob.stop())


def test_a_participant_removes_itself_by_refer(node):
    alice = Ue(node.uri(), "--from", "sip:alice@example.net", "--refer-at", "0.5:sip:alice@example.net;method=BYE", seconds=20)
    result = alice.result()
    assert result["ended_by"] == "focus", result


def test_the_focus_asks_somebody_to_dial_in(node):
    alice = Ue(node.uri(), "--tone", 440, "--expect", 880, seconds=9)
    node.wait_participants(1)
    bob, uri = waiting("--tone", 880, "--expect", 440, seconds=5)
    node.cli("conference", "refer", "demo", uri)
    node.wait_participants(2)
    assert [p["method"] for p in node.participants()] == ["dialed-in"] * 2
    wait_until(lambda: f"{uri}, referred to us, says 200" in open(node.path("cp.log")).read(), 10, "its report")
    assert_heard(bob.result())
    assert alice.result()["outcome"] == "joined"


def test_people_of_a_list_meet_in_a_conference_of_ones_own(node):
    phones = [waiting("--tone", tone, "--expect", other) for tone, other in ((440, 880), (880, 440))]
    with Referrer(node, "new") as creator:
        answer = invite_with_list(creator, recipients(*[(uri, ' cp:copyControl="to"') for _, uri in phones]))
        assert answer.status == 200, answer.text
        name = re.search("sip:([^@]*)@", answer["contact"]).group(1)
        wait_until(lambda: len([p for p in node.participants(name) if p["state"] == "connected"]) == 3, 10, "all three")
        wait_until(lambda: sum(p["talking"] for p in node.participants(name)) >= 2, 10, "both talk")
        time.sleep(2)
        creator.bye()
    results = [ue.result() for ue, _ in phones]
    assert_heard(*results)
    assert all(result["ended_by"] == "focus" for result in results)


def made(node):
    """The conference that a factory made, once it is there."""
    return wait_until(lambda: [c["id"] for c in node.http("/v1/conferences")["conferences"] if c["origin"] == "factory"], 10, "a conference")[0]


def test_a_conference_of_ones_own_and_who_comes_after(node):
    """RFC 4579 5.4: its creator learns its URI from the Contact; others dial it."""
    alice = Ue(node.uri("new"), "--tone", 440, "--expect", 880, "--settle", 5, seconds=30)
    name = made(node)
    [creator] = node.wait_participants(1, name)
    assert creator["role"] == "creator" and creator["method"] == "dialed-in"
    bob = Ue(node.uri(name), "--tone", 880, "--expect", 440, seconds=7)
    node.wait_participants(2, name)
    assert_heard(bob.result())
    result = alice.stop()
    assert result["outcome"] == "joined" and result["isfocus"] and result["ended_by"] == "us"
    wait_until(lambda: all(c["id"] != name for c in node.http("/v1/conferences")["conferences"]), 10, "its end")


def test_a_phone_sends_a_list_along(node):
    """RFC 5366: one INVITE with our offer and the people to be called; all three hear each other."""
    others = [waiting("--tone", tone, "--expect", expect) for tone, expect in ((880, "440,660"), (660, "440,880"))]
    alice = Ue(node.uri("new"), "--tone", 440, "--expect", "880,660", "--settle", 2, "--recipients", ",".join(uri for _, uri in others), seconds=6)
    name = made(node)
    people = wait_until(lambda: (lambda p: p if [x["state"] for x in p] == ["connected"] * 3 else None)(node.participants(name)), 10, "all three")
    assert sorted(p["method"] for p in people) == ["dialed-in", "dialed-out", "dialed-out"]
    result = alice.result()
    assert_heard(result)
    assert result["ended_by"] == "us"
    for phone, _ in others:
        gone = phone.result()
        assert gone["ended_by"] == "focus" and gone["outcome"] == "joined", gone


@pytest.mark.sanitized
def test_a_factory_under_mikey_ticket():
    """The ticket names the creator; the conference, which the factory made, goes on under its own name."""
    with Kms() as kms:
        focus = kms.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example")
        config = {"conferences": [], "factories": [{"id": "new", "security": "mikey-ticket", "open": True}], "mikey": focus_config(kms, focus)}
        with Node(config) as node:
            key = kms.add("sip:alice@ims.example")
            alice = Ue(node.uri("new"), "--kms", kms.url, "--kms-id", kms.identity, "--psk-file", key, "--responder", "sip:new@focus.example",
                       "--tone", 440, seconds=3)
            made = wait_until(lambda: [c for c in node.api("conference", "list")["conferences"] if c["origin"] == "factory"], 10, "a conference")
            [participant] = node.wait_participants(1, made[0]["id"])
            assert participant["identity"] == "sip:alice@ims.example" and participant["verified_by"] == "kms" and participant["role"] == "creator"
            assert alice.result()["keyed_by"] == "mikey-ticket"
            wait_until(lambda: not node.api("conference", "list")["conferences"], 10, "its end")


@pytest.mark.sanitized
def test_a_factory_under_mikey_ticket_with_a_list():
    """Everybody is keyed by a ticket of its own: the creator's for the factory, ours for each of the list."""
    with Kms() as kms:
        focus = kms.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example")
        config = {"conferences": [], "factories": [{"id": "new", "security": "mikey-ticket", "open": True}], "mikey": focus_config(kms, focus)}
        port = free_port()
        key, guest = kms.add("sip:alice@ims.example"), kms.add(f"sip:ue1@127.0.0.1:{port}")
        with Node(config) as node:
            options = ["--kms", kms.url, "--kms-id", kms.identity]
            bob = Ue(None, "--listen", port, "--local", "127.0.0.1", *options, "--psk-file", guest, "--tone", 880, "--expect", 440, seconds=20)
            wait_until(lambda: is_taken(port), 10, "a phone that waits")
            alice = Ue(node.uri("new"), *options, "--psk-file", key, "--responder", "sip:new@focus.example", "--tone", 440, "--expect", 880, "--settle", 2,
                       "--recipients", f"sip:ue1@127.0.0.1:{port}", seconds=6)
            made = wait_until(lambda: [c for c in node.api("conference", "list")["conferences"] if c["origin"] == "factory"], 10, "a conference")
            people = node.wait_participants(2, made[0]["id"])
            assert sorted(p["identity"] for p in people) == ["sip:alice@ims.example", f"sip:ue1@127.0.0.1:{port}"]
            assert all(p["verified_by"] == "kms" for p in people), people
            results = alice.result(), bob.result()
            assert_heard(*results)
            assert all(result["keyed_by"] == "mikey-ticket" for result in results)
