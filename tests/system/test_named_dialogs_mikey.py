"""Replaces and Join of calls that MIKEY-TICKET keys (RFC 3891, RFC 3911, RFC 6043): who it is says the KMS, and every call has keys of its own."""
import urllib.parse

import pytest

from kms import Kms
from mikey import focus_config, installed
from node import free_port, is_taken, wait_until
from named_phone import LONG, Phone
from sip import SipNode

PEOPLE = [f"sip:{name}@example.net" for name in ("alice", "bob", "carol", "eve")]
CONFERENCES = [{"id": "demo", "security": "mikey-ticket", "authorised": PEOPLE[:3], "moderators": ["sip:alice@example.net"]},
               {"id": "other", "security": "mikey-ticket", "authorised": PEOPLE},
               {"id": "hers", "security": "mikey-ticket", "creator": "sip:alice@example.net", "authorised": PEOPLE[:2]}]
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def kms():
    with Kms() as running:
        running.files_of = {person: running.add(person) for person in PEOPLE}
        running.focus = running.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example")
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(sip={"trusted_peers": ["127.0.0.1"]}, conferences=CONFERENCES, mikey=focus_config(kms, kms.focus)) as running:
        yield running


@pytest.fixture
def phones(node, kms, tmp_path):
    """Makes phones of people whom the KMS knows; ends those that a test leaves."""
    running = []

    def make(uri, name, tone, *options, responder=None):
        person = f"sip:{name}@example.net"
        conference = uri.partition(":")[2].partition("@")[0] if uri else ""
        running.append(Phone(tmp_path, uri, name, tone, "--kms", kms.url, "--kms-id", kms.identity, "--psk-file", kms.files_of[person],
                             *(["--responder", responder or f"sip:{conference}@focus.example"] if uri else []), *options))
        return running[-1]

    node.forget()
    yield make
    for phone in running:
        phone.stop()
    for conference in CONFERENCES:
        node.wait_participants(0, conference["id"], seconds=30)


def by_kms(node, conference, count):
    """Who is there, as soon as so many are connected; the KMS speaks for each."""
    def all_connected():
        people = node.participants(conference)
        return people if [p["state"] for p in people] == ["connected"] * count else None
    people = wait_until(all_connected, 15, f"{count} participants in {conference}")
    assert all(p["verified_by"] == "kms" and p["protection"] == "mikey-ticket, verified by KMS" for p in people), people
    return sorted(p["identity"] for p in people)


def test_another_phone_takes_the_place(node, phones):
    alice = phones(node.uri(), "alice", 440, "--expect", "880,660")
    desk = phones(node.uri(), "bob", 880, "--expect", 440)
    alice.hears((880,), (660,))
    mobile = phones(node.uri(), "bob", 660, "--expect", 440, "--replaces", desk.dialog())
    gone = desk.result()
    assert gone["outcome"] == "joined" and gone["ended_by"] == "focus" and "Replaced" in gone["end_reason"], gone
    alice.hears((660,), (880,))
    mobile.hears((440,))
    assert by_kms(node, "demo", 2) == ["sip:alice@example.net", "sip:bob@example.net"]
    assert mobile.stop()["keyed_by"] == "mikey-ticket"
    for direction in (1, 2):
        prints = [row["print"] for row in installed(node, direction)]
        assert len(set(prints)) == len(prints) >= 3, "keys of its own for each call"


@pytest.mark.parametrize("who, status", [("carol", 403), ("eve", 403), ("alice", 200)], ids=["another participant", "a stranger", "a moderator"])
def test_who_may_take_a_place_says_the_ticket(node, phones, who, status):
    desk = phones(node.uri(), "bob", 880)
    desk.dialog()
    node.wait_participants(1)
    other = phones(node.uri("other"), who, 660, "--replaces", f"@{desk.dialog_file}")
    if status == 200:
        other.dialog()
        assert desk.result()["ended_by"] == "focus"
        assert by_kms(node, "demo", 1) == [f"sip:{who}@example.net"]
        return
    result = other.result()
    assert (result["outcome"], result["status"]) == ("refused", status), result
    assert by_kms(node, "demo", 1) == ["sip:bob@example.net"] and node.participants("other") == []
    assert desk.stop()["ended_by"] == "us"


def test_a_ticket_of_another_than_the_call_takes_no_place(node, phones, kms):
    """SIP says that it is bob who moves to another phone, the KMS that it is carol."""
    desk = phones(node.uri(), "bob", 880)
    desk.dialog()
    result = phones(node.uri(), "bob", 660, "--replaces", f"@{desk.dialog_file}", "--psk-file", kms.files_of["sip:carol@example.net"]).result()
    assert (result["outcome"], result["status"]) == ("refused", 403), result
    assert desk.stop()["ended_by"] == "us"


def test_a_third_one_joins_a_call(node, phones):
    """Carol's ticket is for the conference that she calls; the one that she comes into is that of the call which she names."""
    alice = phones(node.uri(), "alice", 440, "--expect", "880,660")
    bob = phones(node.uri(), "bob", 880, "--expect", "440,660")
    alice.hears((880,))
    carol = phones(node.uri("other"), "carol", 660, "--expect", "440,880", "--join", f"@{alice.dialog_file}")
    assert by_kms(node, "demo", 3) == PEOPLE[:3] and node.participants("other") == []
    alice.hears((880, 660))
    bob.hears((440, 660))
    carol.hears((440, 880), (660,))
    assert carol.stop()["keyed_by"] == "mikey-ticket"


def test_who_is_not_on_the_list_joins_no_call(node, phones):
    alice = phones(node.uri(), "alice", 440)
    alice.dialog()
    result = phones(node.uri("other"), "eve", 660, "--join", f"@{alice.dialog_file}").result()
    assert (result["outcome"], result["status"]) == ("refused", 403), result
    assert by_kms(node, "demo", 1) == ["sip:alice@example.net"]


def test_a_call_of_two_becomes_a_conference(node, phones):
    """Their own call is keyed by a ticket of alice's for bob; the one that takes its place by a ticket of the focus's."""
    port = free_port()
    bob = phones(None, "bob", 880, "--listen", port, "--count", 2, "--per-conference", 1, "--each", "--expect", 660)
    wait_until(lambda: is_taken(port), 10, "a phone that waits")
    lines = [f"sip:ue{line}@127.0.0.1:{port}" for line in (1, 2)]
    direct = phones(lines[0], "alice", 440, "--expect", 880, responder="sip:bob@example.net")
    direct.hears((880,))
    dialog = urllib.parse.quote(direct.dialog(), safe="")
    second = phones(node.uri("hers"), "alice", 660, "--expect", 880, "--refer-at", f"1.5:{lines[1]}?Replaces={dialog}")
    gone = direct.result()
    assert gone["outcome"] == "joined" and gone["keyed_by"] == "mikey-ticket" and gone["ended_by"] == "focus" and gone["seconds"] < LONG / 2, gone
    second.hears((880,))
    bob.hears((660,), (), 2)
    assert by_kms(node, "hers", 2) == ["sip:alice@example.net", "sip:bob@example.net"]
    called = [p for p in node.participants("hers") if p["method"] == "dialed-out"]
    assert [p["referred_by"] for p in called] == ["sip:alice@example.net"]
    assert second.stop()["refer_status"] == 200
    bob.stop()
    assert [result["keyed_by"] for result in bob.results()] == ["mikey-ticket"] * 2
