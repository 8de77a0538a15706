"""Conferences of conclave-ue, keyed by MIKEY-TICKET, with real media: who hears whom, how each leg is shown, what is refused."""
import time

import pytest

from kms import Kms
from mikey import focus_config
from node import Node, Ue, free_port, is_taken, wait_until
from sound import assert_hears, assert_no_gap, tones

SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"]
HOST = "focus.example"


def who(number):
    return f"sip:user{number}@ims.example"


class Meeting:
    """A KMS with users, a node that asks it, and people who call."""

    def __init__(self, users, **conference):
        self.kms = Kms()
        self.users = users
        self.conference = {"id": "demo", "security": "mikey-ticket", "loudest": 0,
                           **(conference or {"authorised": [who(n) for n in range(users)]})}

    def __enter__(self):
        self.keys = [self.kms.add(who(n)) for n in range(self.users + 1)]  # the last one is on no list
        focus = self.kms.add(f"sip:{HOST}", "--act-for", f"sip:*@{HOST}", "--psk-id", f"sip:{HOST}")
        try:
            self.node = Node({"conferences": [self.conference], "mikey": focus_config(self.kms, focus)})
        except BaseException:
            self.kms.stop()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.node.__exit__(kind, value, trace)
        finally:
            self.kms.__exit__(kind, value, trace)

    def join(self, number, *options, seconds=6):
        return Ue(self.node.uri(), "--kms", self.kms.url, "--kms-id", self.kms.identity, "--psk-file", self.keys[number],
                  "--responder", f"sip:demo@{HOST}", *options, seconds=seconds)

    def talk(self, hz, *options, seconds=6, level=-20):
        """All users at a time, each with its tone and its entry of options."""
        heard = ("--level", level, "--expect", ",".join(map(str, hz)))
        return [self.join(n, "--tone", hz[n], *heard, *(options[n] if options else ()), seconds=seconds) for n in range(self.users)]


@pytest.fixture(scope="module")
def meeting():
    with Meeting(3) as meeting:
        yield meeting


def refused(meeting, *options, number=0):
    result = meeting.join(number, *options, seconds=1).result()
    meeting.node.wait_participants(0)
    return result["outcome"], result["status"], result["mikey"]["error"]


@pytest.mark.sanitized
def test_both_sets_and_either_level_in_one_conference(meeting):
    hz = tones(3)
    people = meeting.talk(hz, ("--mikey-set", "128"), ("--mikey-level", "session"), ("--suite", "AEAD_AES_256_GCM"))
    legs = wait_until(lambda: (lambda p: p if [leg["state"] for leg in p] == ["connected"] * 3 else None)(meeting.node.participants()), 15,
                      "three participants")
    for leg in legs:
        assert (leg["verified_by"], leg["protection"]) == ("kms", "mikey-ticket, verified by KMS"), leg
    for n, person in enumerate(people):
        result = person.result()
        assert result["keyed_by"] == "mikey-ticket" and result["mikey"]["set"] == ("128" if n == 0 else "256"), result
        assert (result["mikey"]["initiator"], result["mikey"]["responder"]) == (who(n), f"sip:demo@{HOST}")
        assert_hears(result, [f for f in hz if f != hz[n]], hz[n])
        assert result["rx"]["auth_failures"] == 0 and result["rx"]["lost"] <= 2, result
    meeting.node.wait_participants(0)


def test_every_suite_meets_in_one_conference():
    hz = tones(5)
    with Meeting(5) as meeting:
        people = meeting.talk(hz, *(("--suite", suite) for suite in SUITES))
        meeting.node.wait_participants(5)
        assert sorted(p["suite"] for p in meeting.node.participants()) == sorted(SUITES)
        for own, suite, person in zip(hz, SUITES, people):
            result = person.result()
            assert (result["suite"], result["keyed_by"]) == (suite, "mikey-ticket")
            assert_hears(result, [f for f in hz if f != own], own)


def test_thirty_hear_all_others():
    hz = tones(30)
    with Meeting(30) as meeting:
        people = meeting.talk(hz, level=-38, seconds=12)
        meeting.node.wait_participants(30, seconds=25)
        for own, person in zip(hz, people):
            assert_hears(person.result(), [f for f in hz if f != own], own, level=-38, within=3)


def test_sdes_beside_tickets_where_the_conference_takes_either():
    hz = tones(2)
    with Meeting(1, security="either", anonymous=True, identity="none") as meeting:
        keyed = meeting.join(0, "--tone", hz[0], "--expect", hz[1])
        plain = Ue(meeting.node.uri(), "--tone", hz[1], "--expect", hz[0], "--from", "sip:carol@ims.example", seconds=6)
        meeting.node.wait_participants(2)
        shown = {leg["identity"]: (leg["verified_by"], leg["protection"]) for leg in meeting.node.participants()}
        assert shown == {who(0): ("kms", "mikey-ticket, verified by KMS"), "sip:carol@ims.example": ("none", "SDES to next hop")}
        for person, way in ((keyed, "mikey-ticket"), (plain, "sdes")):
            result = person.result()
            assert result["keyed_by"] == way and result["heard_as_expected"], result


def test_a_csb_update_leaves_no_gap(meeting):
    hz = tones(3)
    people = meeting.talk(hz, ("--rekey-at", 4), ("--rekey-at", 5, "--rekey-at", 6), (), seconds=8)
    for n, person in enumerate(people):
        result = person.result()
        assert result["mikey"]["rekeys"] == result["rx"]["rekeys"] == (1, 2, 0)[n], result
        # a packet under new keys may be here before the answer that says them
        assert result["reinvites"]["failed"] == 0 and result["rx"]["auth_failures"] <= result["mikey"]["rekeys"], result
        assert_no_gap(result)
        assert_hears(result, [f for f in hz if f != hz[n]], hz[n])
    meeting.node.wait_participants(0)


def test_hold_and_the_like_keep_the_keys(meeting):
    result = meeting.join(0, "--hold-at", 1.5, "--unhold-at", 2, "--reinvite-same-at", 2.5, seconds=4).result()
    assert result["reinvites"] == {"ok": 3, "failed": 0, "heard": 0, "status": 200}
    assert result["rx"]["rekeys"] == 0 and result["rx"]["auth_failures"] == 0 and result["ended_by"] == "us", result
    meeting.node.wait_participants(0)


# flip=5 is in the CSB ID: the focus answers for another exchange
MISTAKES = [("expired", 488, 15), ("flip=-1", 488, 0), ("flip=-20", 488, 0), ("flip=5", 488, 12), ("truncate=90", 488, 13), ("no-flag=F", 488, 15),
            ("no-sdp-ids", 488, 12), ("wrong-idri", 488, 7), ("skew=400", 488, 1), ("skew=-400", 488, 1)]


@pytest.mark.parametrize("mistake,status,error", MISTAKES, ids=[mistake for mistake, _, _ in MISTAKES])
def test_the_focus_refuses(meeting, mistake, status, error):
    assert refused(meeting, "--misbehave", mistake) == ("refused", status, error)


@pytest.mark.parametrize("mistake", ["wrong-psk", f"other-identity={who(1)}"])
def test_the_kms_refuses(meeting, mistake):
    assert refused(meeting, "--misbehave", mistake) == ("no-ticket", 0, 0)


def test_somebody_who_is_not_on_the_list(meeting):
    assert refused(meeting, number=3)[:2] == ("refused", 403)


def test_a_ticket_for_another_conference(meeting):
    assert refused(meeting, "--responder", f"sip:other@{HOST}")[:2] == ("refused", 488)


def test_no_ticket_at_all(meeting):
    result = Ue(meeting.node.uri(), seconds=1).result()
    assert (result["outcome"], result["status"]) == ("refused", 488) and result["warning"].startswith("306"), result


def test_a_replayed_message(meeting):
    person = meeting.join(0, "--count", 2, "--each", "--misbehave", "replay", seconds=2)
    first, second, _ = person.results()
    assert (first["outcome"], second["outcome"], second["status"]) == ("joined", "refused", 488), (first, second)
    meeting.node.wait_participants(0)


def test_a_refused_update_keeps_the_call(meeting):
    result = meeting.join(0, "--rekey-at", 1.5, "--misbehave", "flip-update=-1", seconds=3).result()
    assert (result["reinvites"]["failed"], result["reinvites"]["status"], result["ended_by"]) == (1, 488, "us"), result
    assert result["mikey"]["rekeys"] == 0 and result["rx"]["auth_failures"] == 0
    meeting.node.wait_participants(0)


def test_many_joins_with_one_ticket_or_one_each(meeting):
    for options, uses in (((), 1), (("--ticket-reuse",), 4)):
        calls = meeting.join(0, "--count", 4, "--each", *options, seconds=1).results()
        assert [call["outcome"] for call in calls[:4]] == ["joined"] * 4, calls
        assert max(call["mikey"]["ticket_uses"] for call in calls[:4]) == uses
        meeting.node.wait_participants(0)


def called(meeting, hz, *options):
    """Somebody who waits to be called, known to the KMS by the URI that leads there; that URI, and the UE."""
    port = free_port()
    uri = f"sip:bob@127.0.0.1:{port}"
    key = meeting.kms.add(uri)
    bob = Ue(None, "--listen", port, "--local", "127.0.0.1", "--kms", meeting.kms.url, "--kms-id", meeting.kms.identity, "--psk-file", key,
             "--tone", hz[1], "--expect", hz[0], *options, seconds=20)
    wait_until(lambda: is_taken(port), 10, "bob waits to be called")
    return uri, bob


@pytest.mark.parametrize("rekeys", [0, 1])
def test_somebody_who_is_called(meeting, rekeys):
    hz = tones(2)
    uri, bob = called(meeting, hz, *(("--rekey-at", 2) if rekeys else ()))
    alice = meeting.join(0, "--tone", hz[0], "--expect", hz[1], seconds=20)
    meeting.node.wait_participants(1)
    meeting.node.cli("conference", "call", "demo", uri)
    wait_until(lambda: [p for p in meeting.node.participants() if p["identity"] == uri and p["verified_by"] == "kms"], 10, "bob in the conference")
    time.sleep(4)
    results = alice.stop(), bob.stop()
    for result in results:
        assert result["keyed_by"] == "mikey-ticket" and result["heard_as_expected"] and result["rx"]["auth_failures"] == 0, result
    mikey = results[1]["mikey"]
    assert (mikey["initiator"], mikey["responder"], mikey["rekeys"]) == (f"sip:demo@{HOST}", uri, rekeys), results[1]
    meeting.node.wait_participants(0)


def test_somebody_who_is_called_and_has_another_key(meeting):
    uri, bob = called(meeting, tones(2), "--misbehave", "wrong-psk")
    meeting.node.cli("conference", "call", "demo", uri)
    wait_until(lambda: bob.process.poll() is not None, 10, "bob gave up")
    assert (bob.result()["outcome"], bob.result()["status"], bob.result()["mikey"]["error"]) == ("refused", 488, 0)
    meeting.node.wait_participants(0)
