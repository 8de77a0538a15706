"""Calls to a conference factory URI, with and without a list of people to be called (RFC 4579 5.4, RFC 5364, RFC 5366)."""
import re

import pytest

from node import Ue, wait_until
from people import BOUNDARY, Callee, Referrer, invite_with_list, multipart, recipients
from sip import SipNode, sdp

FACTORIES = [
    {"id": "new", "identity": "none", "open": True, "max_each": 2},
    {"id": "closed", "creators": ["sip:alice@127.0.0.1"], "prefix": "secret-"},
    {"id": "lasting", "identity": "none", "open": True, "ends_with_creator": False},
]
ALICE = ["P-Asserted-Identity: <sip:alice@127.0.0.1>"]


@pytest.fixture(scope="module")
def node():
    with SipNode(sip={"trusted_peers": ["127.0.0.1"]}, factories=FACTORIES, call={"list_max": 4}) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        running = request.getfixturevalue("node")
        for name in made(running):
            running.cli("conference", "close", name)
        wait_until(lambda: not made(running), 10, "no conference of a factory is left")


def made(node):
    return [c["id"] for c in node.http("/v1/conferences")["conferences"] if c["id"] != "demo"]


def test_a_conference_of_ones_own(node):
    with Referrer(node, "new") as alice, Referrer(node, name="bob") as bob:
        contact = alice.join()["contact"]
        name = re.match(rf"<sip:(adhoc-[0-9a-f]{{8}})@127.0.0.1:{node.sip_port}>;isfocus", contact).group(1)
        assert made(node) == [name]
        shown = node.http(f"/v1/conferences/{name}")
        assert shown["origin"] == "factory"
        bob.uri = bob.target = f"sip:{name}@127.0.0.1:{node.sip_port}"
        bob.join()
        node.wait_participants(2, name)
        alice.bye()
        bob.reply(bob.wait("BYE"))
        wait_until(lambda: not made(node), 5, "it ends with its creator")


def test_the_creator_removes_somebody_by_refer(node):
    with Referrer(node, "new") as alice, Referrer(node, name="bob") as bob:
        name = re.search("sip:([^@]*)@", alice.join()["contact"]).group(1)
        bob.uri = bob.target = f"sip:{name}@127.0.0.1:{node.sip_port}"
        bob.join()
        assert bob.refer("sip:alice@127.0.0.1;method=BYE").status == 403
        assert alice.refer("sip:bob@127.0.0.1;method=BYE").status == 200
        assert alice.reports()[0] == [100, 200]
        assert any(m.method == "BYE" for m in bob.seen) or bob.wait("BYE")
        node.wait_participants(1, name)
        alice.bye()


def test_two_calls_make_two(node):
    with Referrer(node, "new") as alice, Referrer(node, "new", name="bob") as bob:
        assert alice.join()["contact"] != bob.join()["contact"]
        assert len(made(node)) == 2
        alice.bye()
        wait_until(lambda: len(made(node)) == 1, 5, "bob's is left")
        bob.bye()


def test_it_may_outlast_its_creator(node):
    with Referrer(node, "lasting") as alice, Referrer(node, name="bob") as bob:
        name = re.search("sip:([^@]*)@", alice.join()["contact"]).group(1)
        bob.uri = bob.target = f"sip:{name}@127.0.0.1:{node.sip_port}"
        bob.join()
        alice.bye()
        node.wait_participants(1, name)
        bob.bye()
        wait_until(lambda: not made(node), 5, "it ends with the last")


def test_no_more_than_the_policy_lets(node):
    with Referrer(node, "new") as first, Referrer(node, "new") as second, Referrer(node, "new") as third:
        first.join()
        second.join()
        answer = third.invite()
        assert answer.status == 403 and "as many conferences" in answer["warning"]
        first.bye()
        second.bye()


@pytest.mark.parametrize("headers, status", [([], 403), (["P-Asserted-Identity: <sip:bob@127.0.0.1>"], 403),
                                             (["P-Asserted-Identity: <sip:anonymous@anonymous.invalid>"], 403)])
def test_who_may_not_make_conferences(node, headers, status):
    with Referrer(node, "closed") as caller:
        answer = caller.invite(headers)
        assert answer.status == status and answer["warning"], answer.text
        assert not made(node)


def test_nothing_is_left_of_a_call_that_is_refused(node):
    with Referrer(node, "new") as alice:
        assert alice.invite(body=sdp(crypto=())).status == 488
        assert not made(node)
        node.faults(status={"5": -28})
        try:
            assert alice.invite().status == 503
        finally:
            node.faults()
        assert not made(node)


def test_only_the_creator_and_whom_he_invites(node):
    with Referrer(node, "closed", headers=ALICE) as alice, Callee(node) as bob, Referrer(node) as eve:
        contact = invite_with_list(alice, recipients((bob.identity, ' cp:copyControl="to"')))["contact"]
        name = re.search("sip:(secret-[^@]*)@", contact).group(1)
        bob.wait()
        bob.accept([f"P-Asserted-Identity: <{bob.identity}>"])
        node.wait_participants(2, name)
        eve.uri = eve.target = f"sip:{name}@127.0.0.1:{node.sip_port}"
        assert eve.invite(["P-Asserted-Identity: <sip:eve@127.0.0.1>"]).status == 403
        alice.bye()
        bob.reply(bob.wait("BYE"))


@pytest.mark.parametrize("ns", ["copycontrol", "copyControl"])
def test_a_list_of_people(node, ns):
    with Referrer(node, "new") as alice, Callee(node, "bob") as bob, Callee(node, "carol") as carol, Callee(node, "ted") as ted:
        answer = invite_with_list(alice, recipients((bob.identity, ' cp:copyControl="to"'), (carol.identity, ' cp:copyControl="to" cp:anonymize="true"'),
                                                    (ted.identity, ' cp:copyControl="bcc"'), (bob.identity, ""), ns=ns))
        assert answer.status == 200
        name = re.search("sip:([^@]*)@", answer["contact"]).group(1)
        for callee in (bob, carol, ted):
            invitation = callee.wait()
            assert invitation["from"].startswith(f"<sip:{name}@") and invitation["content-type"].startswith("multipart/mixed")
            assert "Content-Disposition: recipient-list-history;handling=optional" in invitation.body
            assert f'uri="{bob.identity}" cp:copyControl="to"' in invitation.body
            assert 'uri="sip:anonymous@anonymous.invalid" cp:copyControl="to" cp:count="1"' in invitation.body
            assert carol.identity not in invitation.body and ted.identity not in invitation.body
            assert 'xmlns:cp="urn:ietf:params:xml:ns:copycontrol"' in invitation.body
            assert int(invitation["max-forwards"]) == 69
            callee.accept()
        assert len(node.wait_participants(4, name)) == 4
        assert bob.receive(0.3) is None, "bob is called once"
        alice.bye()
        for callee in (bob, carol, ted):
            callee.reply(callee.wait("BYE"))


def test_only_bcc_shows_nobody(node):
    with Referrer(node, "new") as alice, Callee(node) as bob:
        assert invite_with_list(alice, recipients((bob.identity, ""))).status == 200
        assert bob.wait()["content-type"] == "application/sdp"
        bob.say("486 Busy Here")
        bob.wait("ACK")
        alice.bye()


@pytest.mark.parametrize("xml", ["nonsense", recipients(), recipients(*[(f"sip:p{i}@127.0.0.1", "") for i in range(5)]),
                                 '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + recipients(("sip:a@b", "")), recipients(("mailto:a@b", ""))])
def test_lists_that_are_refused(node, xml):
    with Referrer(node, "new") as alice:
        answer = invite_with_list(alice, xml)
        assert answer.status == 400 and "list" in answer["warning"], answer.text
        assert not made(node)


def test_a_list_that_is_required_but_missing(node):
    with Referrer(node, "new") as alice:
        assert alice.invite(["Require: recipient-list-invite"]).status == 400


def test_no_hops_left_to_call_others(node):
    with Referrer(node, "new") as alice:
        body = multipart(("application/sdp", "", sdp()), ("application/resource-lists+xml", "", recipients(("sip:a@127.0.0.1", ""))))
        answer = alice.invite(["max-forwards: 0"], body, kind=f"multipart/mixed;boundary={BOUNDARY}", drop=("Max-Forwards",))
        assert answer.status == 483


def test_a_conference_is_no_factory(node):
    """RFC 5366 5.1: neither for a first INVITE to its URI nor for a re-INVITE."""
    with Referrer(node) as alice:
        answer = invite_with_list(alice, recipients(("sip:a@127.0.0.1", "")))
        assert answer.status == 420 and answer["unsupported"] == "recipient-list-invite"
        alice.join()
        answer = alice.request("INVITE", ["Require: recipient-list-invite"], sdp(version=2))
        assert answer.status == 420 and answer["unsupported"] == "recipient-list-invite"
        alice.send("ACK", cseq=alice.cseq, branch=alice.branch)
        alice.bye()
        node.wait_participants(0)


@pytest.mark.parametrize("user, has_lists", [("new", True), ("demo", False)])
def test_options_say_who_takes_lists(node, user, has_lists):
    with Referrer(node, user) as alice:
        answer = alice.request("OPTIONS")
        assert answer.status == 200
        supported = ", ".join(answer.headers["supported"])
        assert ("recipient-list-invite" in supported) == has_lists
        assert all(tag in supported for tag in ("replaces", "join", "norefersub", "multiple-refer", "tdialog"))


def test_real_phones_meet(node):
    """A conclave-ue makes the conference, and calls nobody; another hears it there."""
    alice = Ue(node.uri("new"), "--tone", 440, seconds=6)
    name = wait_until(lambda: made(node), 10, "the conference")[0]
    node.wait_participants(1, name)
    bob = Ue(node.uri(name), "--tone", 880, "--expect", 440, seconds=3)
    assert bob.result()["heard_as_expected"]
    assert alice.result()["outcome"] == "joined"
