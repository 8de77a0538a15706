"""Who may join, on the wire: each case with its answer, a reason that a person understands, and what the roster shows."""
import calendar
import re
import time

import pytest
from sip import Caller, SipNode

TRUSTED, STRANGER = "127.0.0.1", "127.0.0.2"
ROOMS = [
    {"id": "listed", "authorised": ["sip:alice@ims.example", "tel:+49-30-1"], "moderators": ["sip:mod@ims.example"],
     "listeners": ["sip:ear@ims.example"], "creator": "sip:boss@ims.example"},
    {"id": "open"},
    {"id": "anyone", "anonymous": True},
    {"id": "believing", "identity": "none", "anonymous": True},
    {"id": "locked", "moderators": ["sip:mod@ims.example"]},
    {"id": "small", "max_participants": 1},
]


@pytest.fixture(scope="module")
def node():
    config = {"sip": {"trusted_peers": [TRUSTED]}, "conferences": [{"security": "sdes", "identity": "required", **room} for room in ROOMS]}
    with SipNode(**config) as node:
        node.cli("conference", "lock", "locked")
        yield node


def asserted(*uris):
    return [f"P-Asserted-Identity: {', '.join(f'<{uri}>' for uri in uris)}"] if uris else []


def ask(node, room, headers=(), address=TRUSTED, from_header="<sip:anybody@example.net>"):
    """One INVITE: status, reason for people, and the participant that came of it, who hangs up again."""
    with Caller(node, room, address=address, from_header=from_header) as caller:
        answer = caller.invite(headers)
        person = None
        if answer.status == 200:
            person = node.participants(room)[-1]
            caller.bye()
        warning = answer.headers.get("warning", [""])[0]
        return answer, re.sub(r'^399 \S+ "(.*)"$', r"\1", warning), person


CASES = [
    # room, P-Asserted-Identity, other headers, status, reason
    ("listed", ["sip:alice@ims.example"], [], 200, ""),
    ("listed", ["sip:alice@IMS.example:5060;user=phone"], [], 200, ""),
    ("listed", ["tel:+49301"], [], 200, ""),
    ("listed", ["sip:+49301@ims.example;user=phone"], [], 200, ""),
    ("listed", ["sip:carol@ims.example", "tel:+49301"], [], 200, ""),
    ("listed", ["tel:+49-30-1", "sip:carol@ims.example"], [], 200, ""),
    ("listed", ["sip:carol@ims.example", "tel:+49302"], [], 403, "You are not on the list of this conference"),
    ("listed", ["sip:mallory@ims.example"], [], 403, "You are not on the list of this conference"),
    ("listed", ["sip:alice@evil.example"], [], 403, "You are not on the list of this conference"),
    ("open", ["sip:anybody@ims.example"], [], 200, ""),
    ("anyone", [], [], 200, ""),
    ("open", [], [], 403, "This conference does not admit anonymous participants"),
    ("believing", [], [], 200, ""),
    ("locked", ["sip:alice@ims.example"], [], 403, "The conference is locked"),
    ("locked", ["sip:mod@ims.example"], [], 200, ""),
    ("nowhere", ["sip:alice@ims.example"], [], 404, ""),
]


@pytest.mark.parametrize("room, identities, headers, status, reason", CASES, ids=[f"{c[0]}-{'+'.join(c[1]) or 'nobody'}" for c in CASES])
def test_who_may_join(node, room, identities, headers, status, reason):
    answer, why, person = ask(node, room, asserted(*identities) + headers)
    assert answer.status == status, answer.text
    assert reason in why, answer.text
    if person:
        assert person["verified_by"] == ("asserted" if identities else "none")


def test_a_stranger_s_assertion_counts_for_nothing(node):
    answer, why, _ = ask(node, "listed", asserted("sip:alice@ims.example"), address=STRANGER)
    assert answer.status == 403 and why == "This conference does not admit anonymous participants", answer.text
    answer, _, person = ask(node, "believing", asserted("sip:boss@ims.example"), address=STRANGER)
    assert answer.status == 200 and person["verified_by"] == "none" and "boss" not in str(person), person


@pytest.mark.parametrize("who, role", [("alice", "participant"), ("mod", "moderator"), ("ear", "listener"), ("boss", "creator")])
def test_the_list_says_the_role(node, who, role):
    _, _, person = ask(node, "listed", asserted(f"sip:{who}@ims.example"))
    assert (person["identity"], person["role"]) == (f"sip:{who}@ims.example", role)
    assert person["status"] == ("muted-via-focus" if role == "listener" else "connected")


def test_privacy_hides_from_others_but_not_from_the_list(node):
    answer, _, person = ask(node, "listed", asserted("sip:mod@ims.example") + ["Privacy: id"], from_header="<sip:anonymous@anonymous.invalid>")
    assert answer.status == 200 and person["role"] == "moderator"
    assert person["identity"] is None and person["uri"] == "anonymous" and "mod@" not in str(person), person
    answer, why, _ = ask(node, "listed", asserted("sip:mallory@ims.example") + ["Privacy: id"])
    assert answer.status == 403 and why == "You are not on the list of this conference"


def test_a_full_conference(node):
    with Caller(node, "small") as first:
        assert first.invite(asserted("sip:a@ims.example")).status == 200
        answer, why, _ = ask(node, "small", asserted("sip:b@ims.example"))
        assert answer.status == 486 and why == "The conference is full", answer.text
        first.bye()
    assert ask(node, "small", asserted("sip:b@ims.example"))[0].status == 200


def test_not_yet_and_no_more(node):
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    node.http("/v1/conferences", "POST", {"id": "later", "open": True, "start_at": start, "early_s": 300})
    answer, why, _ = ask(node, "later", asserted("sip:a@ims.example"))
    assert answer.status == 480 and 3200 < int(answer["retry-after"].split()[0]) <= 3300, answer.text
    said = calendar.timegm(time.strptime(why, "The conference starts on %Y-%m-%d at %H:%M UTC"))
    assert abs(said - time.time() - 3600) < 120, why
    node.http("/v1/conferences/later", "PATCH", {"early_s": 3600})
    assert ask(node, "later", asserted("sip:a@ims.example"))[0].status == 200
    node.http("/v1/conferences/later", "DELETE")
    answer, why, _ = ask(node, "later", asserted("sip:a@ims.example"))
    assert answer.status == 410 and why == "The conference is over", answer.text
    with Caller(node, "later") as caller:
        assert caller.request("OPTIONS").status == 410


def test_a_draining_node_says_when_to_try_again(node):
    node.http("/v1/node/drain", "POST")
    try:
        answer, why, _ = ask(node, "open", asserted("sip:a@ims.example"))
        assert answer.status == 503 and int(answer["retry-after"].split()[0]) > 0, answer.text
    finally:
        node.http("/v1/node/resume", "POST")
    assert ask(node, "open", asserted("sip:a@ims.example"))[0].status == 200
