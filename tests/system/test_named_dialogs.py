"""Calls that name another one: Replaces and Join (RFC 3891, RFC 3911, RFC 4579 5.8 to 5.10), between phones that are heard and measured."""
import subprocess
import urllib.parse

import pytest

from node import free_port, is_taken, program, wait_until
from named_phone import LONG, Phone
from sip import SipNode

CONFERENCES = [{"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in ("demo", "other")] + [
    {"id": "closed", "security": "sdes", "identity": "required", "authorised": ["sip:alice@example.net"],
     "moderators": ["sip:bob@example.net"]}]
pytestmark = pytest.mark.sanitized
UNKNOWN = "nobody@192.0.2.1;to-tag=one;from-tag=two"


@pytest.fixture(scope="module")
def node():
    with SipNode(sip={"trusted_peers": ["127.0.0.1"]}, conferences=CONFERENCES) as running:
        yield running


@pytest.fixture
def phones(node, tmp_path):
    """Makes phones; ends those that a test leaves."""
    running = []

    def make(*arguments):
        running.append(Phone(tmp_path, *arguments))
        return running[-1]

    yield make
    for phone in running:
        phone.stop()
    for conference in ("demo", "other", "closed"):
        node.wait_participants(0, conference, seconds=30)


def roster(node, conference):
    return sorted((p["identity"], p["role"], p["muted"]) for p in node.participants(conference))


def test_a_third_one_joins_a_call_of_two(node, phones):
    alice = phones(node.uri(), "alice", 440, "--expect", "880,660")
    bob = phones(node.uri(), "bob", 880, "--expect", "440,660")
    alice.dialog(), bob.dialog()
    node.wait_participants(2)
    # The name of their conference is not known to carol: she calls another one, and says whom she wants to join.
    carol = phones(node.uri("other"), "carol", 660, "--expect", "440,880", "--join", f"@{alice.dialog_file}")
    node.wait_participants(3)
    assert node.participants("other") == []
    alice.hears((880, 660))
    bob.hears((440, 660))
    carol.hears((440, 880), (660,))
    result = carol.stop()
    assert result["ended_by"] == "us" and result["isfocus"] and result["dialog"] == carol.dialog()
    alice.hears((880,), (660,))  # the call that was named is the same as before


def test_another_phone_takes_the_place(node, phones):
    """Also where only those of a list may be: who is heard changes, the roster does not."""
    alice = phones(node.uri("closed"), "alice", 440, "--expect", "880,660")
    desk = phones(node.uri("closed"), "bob", 880, "--expect", 440)
    alice.dialog(), desk.dialog()
    alice.hears((880,), (660,))
    before, old = roster(node, "closed"), {p["id"] for p in node.participants("closed")}
    assert ("sip:bob@example.net", "moderator", False) in before
    mobile = phones(node.uri("closed"), "bob", 660, "--expect", 440, "--replaces", desk.dialog())
    gone = desk.result()
    assert gone["outcome"] == "joined" and gone["ended_by"] == "focus" and "Replaced" in gone["end_reason"], gone
    assert gone["dialog"] == desk.dialog() and gone["seconds"] < LONG / 2
    node.wait_participants(2, "closed")
    assert roster(node, "closed") == before and len({p["id"] for p in node.participants("closed")} - old) == 1
    alice.hears((660,), (880,))
    mobile.hears((440,))
    assert mobile.stop()["dialog"] != gone["dialog"]


@pytest.mark.parametrize("who, how, status", [("eve", "--replaces", 403), ("eve", "--join", 403), ("bob", "--replaces", 200)])
def test_who_is_not_authorised_gets_nothing(node, phones, who, how, status):
    desk = phones(node.uri("closed"), "bob", 880)
    desk.dialog()
    other = phones(node.uri("other"), who, 660, how, f"@{desk.dialog_file}")
    if status == 200:  # the same by him who may: it is not the way that is refused
        other.dialog()
        assert desk.result()["ended_by"] == "focus"
        return
    result = other.result()
    assert (result["outcome"], result["status"], result["dialog"]) == ("refused", status, None), result
    assert [p["identity"] for p in node.participants("closed")] == ["sip:bob@example.net"] and node.participants("other") == []
    kept = desk.stop()
    assert kept["ended_by"] == "us" and kept["end_reason"] is None


def test_a_call_that_there_is_not(node, phones):
    """481 for Replaces; a Join to a conference's URI is then a call to that conference (RFC 3911 4). 603 for one that is over."""
    assert phones(node.uri(), "bob", 660, "--replaces", UNKNOWN).result()["status"] == 481
    node.wait_participants(0)
    joined = phones(node.uri(), "bob", 660, "--join", UNKNOWN)
    name = joined.dialog()
    node.wait_participants(1)
    call, to, own = name.split(";")
    swapped = f"{call};to-tag={own.partition('=')[2]};from-tag={to.partition('=')[2]}"
    assert phones(node.uri(), "bob", 660, "--replaces", swapped).result()["status"] == 481
    joined.stop()
    for how in ("--replaces", "--join"):
        assert phones(node.uri(), "bob", 660, how, name).result()["status"] == 603


def called_twice(phones, *options):
    """A phone with two lines that waits to be called, and the URIs of both."""
    port = free_port()
    phone = phones(None, "bob", 880, "--listen", port, "--count", 2, "--per-conference", 1, "--each", *options)
    wait_until(lambda: is_taken(port), 10, "a phone that waits")
    return phone, [f"sip:ue{line}@127.0.0.1:{port}" for line in (1, 2)]


def referring(node, phones, target, dialog, *options):
    """Alice's second line: she dials in, and asks the focus to call target in the place of that dialog (RFC 4579 5.10)."""
    return phones(node.uri(), "alice", 660, "--refer-at", f"1.5:{target}?Replaces={urllib.parse.quote(dialog, safe='')}", *options)


def test_a_call_of_two_becomes_a_conference(node, phones):
    """The point-to-point call goes into the conference: bob's phone answers the focus and hangs up on alice."""
    bob, lines = called_twice(phones, "--expect", 660)
    direct = phones(lines[0], "alice", 440, "--expect", 880)
    direct.hears((880,))
    second = referring(node, phones, lines[1], direct.dialog(), "--expect", 880)
    gone = direct.result()
    assert gone["outcome"] == "joined" and gone["ended_by"] == "focus" and not gone["isfocus"], gone
    called = wait_until(lambda: [p for p in node.participants() if p["method"] == "dialed-out" and p["state"] == "connected"], 10, "bob")
    assert called[0]["referred_by"] == "sip:alice@example.net" and len(node.participants()) == 2
    second.hears((880,))
    bob.hears((660,), (), 2)
    assert second.stop()["refer_status"] == 200
    bob.stop()
    first, then = bob.results()
    assert (first["outcome"], first["ended_by"], then["outcome"]) == ("joined", "us", "joined")


@pytest.mark.parametrize("more, status", [("", 486), (";early-only", 486), ("x", 481)], ids=["busy", "early only", "unknown"])
def test_a_call_of_two_that_the_other_phone_keeps(node, phones, more, status):
    """It has no other line, would only give a call away that rings, or knows no such call: who asked hears that, and the call goes on."""
    bob, lines = called_twice(phones, *(("--count", 1) if more == "" else ()))
    direct = phones(lines[0], "alice", 440, "--expect", 880)
    direct.hears((880,))
    second = referring(node, phones, lines[1], direct.dialog() + more)
    wait_until(lambda: any(report["refer_status"] == status for report in second.read()), 15, f"{status}, reported by NOTIFY")
    assert [p["method"] for p in node.wait_participants(1)] == ["dialed-in"]
    second.stop()
    direct.hears((880,))
    assert direct.stop()["ended_by"] == "us"


@pytest.mark.parametrize("options", [("--replaces", "nonsense"), ("--join", "a;to-tag=b"), ("--replaces", "@/nowhere"),
                                     ("--replaces", UNKNOWN, "--join", UNKNOWN), ("--replaces", UNKNOWN, "--count", "2"),
                                     ("--recipients", "sip:bob@example.net", "--late-offer")])
def test_what_cannot_be_meant(options):
    result = subprocess.run([program("conclave-ue"), *options, "sip:demo@127.0.0.1:9"], capture_output=True, text=True, timeout=20)
    assert result.returncode == 2 and "--help" in result.stderr, result
