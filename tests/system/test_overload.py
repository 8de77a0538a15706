"""Admission by measured load: 503 with Retry-After, hysteresis, and a storm of INVITEs that running conferences do not notice."""
import json
import re
import time

import pytest

from node import Ue, wait_until
from people import Callee, Referrer
from sip import SipNode

CONFERENCES = [{"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in ("demo", "storm")]
MARKS = {"busy_high": 85, "busy_low": 70, "late_high": 50}


@pytest.fixture(scope="module")
def node():
    with SipNode(call=MARKS, conferences=CONFERENCES, factories=[{"id": "new", "identity": "none", "open": True}]) as running:
        yield running


def busy(node, permille, late=None):
    """The media plane says that it is so busy, and so much of its ticks late; None: what it really is."""
    node.faults(**{name: value for name, value in (("busy", permille), ("late", late)) if value is not None})


def answer(node, user="demo"):
    with Referrer(node, user, name="probe") as caller:
        reply = caller.invite()
        if reply.status == 200:
            caller.bye()
        return reply


def test_who_comes_when_it_is_busy_gets_503(node):
    try:
        busy(node, 900)
        refused = wait_until(lambda: (lambda a: a if a.status == 503 else None)(answer(node)), 10, "503")
        assert 4 <= int(refused["retry-after"]) < 12 and "busy" in refused["warning"]
        assert answer(node, "new").status == 503, "a new conference has no room either"
        assert node.http("/v1/conferences")["conferences"], "the API goes on"
        with Callee(node) as bob:
            assert node.cli("conference", "call", "demo", bob.identity, check=False).returncode != 0
        # between the marks it stays so
        busy(node, 750)
        for _ in range(3):
            assert answer(node).status == 503
        busy(node, 600)
        wait_until(lambda: answer(node).status == 200, 10, "people may join again")
        busy(node, 750)
        for _ in range(3):
            assert answer(node).status == 200
    finally:
        busy(node, None)
    log = open(node.path("cp.log")).read()
    assert re.search(r"overloaded: new participants get 503", log) and "no longer overloaded" in log


def test_late_ticks_of_a_busy_worker_count_when_they_last(node):
    try:
        busy(node, 600, late=1000)
        time.sleep(3)
        assert answer(node).status == 200, "it has time: another program keeps the machine"
        busy(node, 750, late=1000)
        assert answer(node).status == 200, "not at once"
        wait_until(lambda: answer(node).status == 503, 10, "503")
        busy(node, 750, late=100)
        wait_until(lambda: answer(node).status == 200, 2, "people may join again")
    finally:
        busy(node, None)


def test_both_ways_within_a_second(node):
    try:
        for _ in range(2):
            for permille, status in ((1000, 503), (100, 200)):
                busy(node, permille)
                wait_until(lambda wanted=status: answer(node).status == wanted, 1.5, f"{status}")
    finally:
        busy(node, None)


def test_late_ticks_may_be_no_matter():
    with SipNode(call={**MARKS, "late_high": 0}, conferences=CONFERENCES) as node:
        busy(node, 750, late=1000)
        time.sleep(4)
        assert answer(node).status == 200
        busy(node, 900, late=1000)
        wait_until(lambda: answer(node).status == 503, 10, "503")


def test_who_is_in_stays(node):
    with Referrer(node) as alice:
        alice.join()
        try:
            busy(node, 1000)
            wait_until(lambda: answer(node).status == 503, 10, "503")
            assert alice.request("OPTIONS").status == 200
            assert alice.request("INVITE", body=alice_hold()).status == 200
            alice.send("ACK", cseq=alice.cseq)
        finally:
            busy(node, None)
        alice.bye()


def alice_hold():
    from sip import sdp
    return sdp(lines=["a=sendonly"], version=2)


def test_a_storm_leaves_running_conferences_untouched():
    """500 INVITEs a second for six seconds, each for another conference's seat; two people who talk hear every packet."""
    with SipNode(call=MARKS, conferences=CONFERENCES, log={"level": "info"}) as node:
        people = [Ue(node.uri(), "--tone", tone, "--expect", other, seconds=14) for tone, other in ((440, 880), (880, 440))]
        node.wait_participants(2)
        storm = node.sipp("storm", service="storm", rate=500, count=3000, PAUSE=300, timeout=60)
        assert storm.count("SIP/2.0 200 OK") > 100, "some came in, the rest got 503"
        node.cli("status")
        for person in people:
            result = person.result()
            assert result["outcome"] == "joined" and result["heard_as_expected"], json.dumps(result)
            assert result["rx"]["lost"] == 0, json.dumps(result["rx"])
        node.wait_participants(0, "storm", seconds=60)
