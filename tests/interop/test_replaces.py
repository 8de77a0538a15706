"""INVITEs with Replaces and Join: who may take whose place, and what is refused how (RFC 3891 3, RFC 3911 4)."""
import pytest

from node import wait_until
from people import Callee, Referrer
from sip import KEY, SipNode, sdp

OTHER = {"id": "other", "security": "sdes", "identity": "none", "anonymous": True}
DEMO = {"id": "demo", "security": "sdes", "identity": "none", "anonymous": True}
STRICT = {"id": "strict", "security": "sdes", "anonymous": True}


@pytest.fixture(scope="module")
def node():
    accounts = [{"user": "alice", "password": "secret"}]
    with SipNode(sip={"trusted_peers": ["127.0.0.2"], "accounts": accounts}, conferences=[DEMO, OTHER, STRICT]) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        running = request.getfixturevalue("node")
        running.empty("demo", "other", "strict")


def dialog(caller, more=""):
    return f"{caller.call_id};to-tag={caller.to_tag};from-tag={caller.tag}{more}"


def test_another_phone_of_the_same_person(node):
    with Referrer(node) as desk, Referrer(node) as mobile:
        desk.join()
        answer = mobile.invite([f"Replaces: {dialog(desk)}", "Require: replaces"])
        assert answer.status == 200 and "<sip:demo@" in answer["contact"]
        bye = desk.wait("BYE")
        assert "Replaced" in bye["reason"]
        desk.reply(bye)
        assert len(node.wait_participants(1)) == 1
        mobile.bye()


def test_the_conference_is_that_of_the_call(node):
    """Whatever the Request-URI names."""
    with Referrer(node) as desk, Referrer(node, "other") as mobile:
        desk.join()
        answer = mobile.invite([f"Replaces: {dialog(desk)}"])
        assert answer.status == 200 and "<sip:demo@" in answer["contact"]
        desk.reply(desk.wait("BYE"))
        assert len(node.wait_participants(1)) == 1
        mobile.bye()


def test_a_locked_or_full_conference_keeps_its_participants(node):
    """Who is in may change the phone; nobody comes in by that who was not there."""
    with Referrer(node) as desk, Referrer(node) as mobile, Referrer(node, name="eve") as eve:
        desk.join()
        node.cli("conference", "lock", "demo")
        try:
            assert eve.invite().status == 403
            assert mobile.invite([f"Replaces: {dialog(desk)}"]).status == 200
            desk.reply(desk.wait("BYE"))
            assert len(node.wait_participants(1)) == 1
            assert eve.invite([f"Replaces: {dialog(mobile)}"]).status == 403
        finally:
            node.cli("conference", "unlock", "demo")
        mobile.bye()


def test_nobody_else(node):
    with Referrer(node) as alice, Referrer(node, name="eve") as eve:
        alice.join()
        answer = eve.invite([f"Replaces: {dialog(alice)}"])
        assert answer.status == 403 and "may replace" in answer["warning"]
        assert alice.receive(0.3) is None
        alice.bye()


def test_a_refused_one_leaves_the_call(node):
    with Referrer(node) as desk, Referrer(node) as mobile:
        desk.join()
        assert mobile.invite([f"Replaces: {dialog(desk)}"], sdp(crypto=())).status == 488
        assert desk.receive(0.3) is None
        desk.bye()


def test_early_only(node):
    with Referrer(node) as desk, Referrer(node) as mobile:
        desk.join()
        assert mobile.invite([f"Replaces: {dialog(desk, ';early-only')}"]).status == 486
        desk.bye()


def test_no_such_dialog(node):
    with Referrer(node) as desk, Referrer(node) as mobile:
        desk.join()
        for other in (f"{desk.call_id};to-tag={desk.tag};from-tag={desk.to_tag}", f"{desk.call_id};to-tag={desk.to_tag};from-tag=x",
                      f"x{dialog(desk)}"):
            assert mobile.invite([f"Replaces: {other}"]).status == 481
        desk.bye()


@pytest.mark.parametrize("header", ["Replaces", "Join"])
def test_a_dialog_that_has_ended(node, header):
    with Referrer(node) as desk, Referrer(node) as mobile:
        desk.join()
        desk.bye()
        assert mobile.invite([f"{header}: {dialog(desk)}"]).status == 603


@pytest.mark.parametrize("lines", [["Replaces: a;to-tag=b;from-tag=c", "Replaces: d;to-tag=e;from-tag=f"],
                                   ["Replaces: a;to-tag=b;from-tag=c", "Join: a;to-tag=b;from-tag=c"], ["Replaces: nonsense"],
                                   ["Join: a;to-tag=b;from-tag=c", "Join: d;to-tag=e;from-tag=f"], ["Join: nonsense"]],
                         ids=["twice", "both", "malformed", "two joins", "malformed join"])
def test_contradictions(node, lines):
    with Referrer(node) as caller:
        assert caller.invite(lines).status == 400


def test_our_own_call_that_still_rings(node):
    """Somebody picks up elsewhere: the call to the one who is called is cancelled."""
    with Callee(node) as bob, Referrer(node, name="bob") as mobile:
        mobile.from_header = f"<{bob.identity}>"
        node.cli("conference", "call", "demo", bob.identity)
        invitation = bob.wait()
        bob.say("180 Ringing")
        wait_until(lambda: [p["state"] for p in node.participants()] == ["alerting"], 5, "alerting")
        ours = invitation["from"].rpartition("tag=")[2]
        answer = mobile.invite([f"Replaces: {invitation['call-id']};to-tag={ours};from-tag={bob.tag};early-only"])
        assert answer.status == 200, answer.text
        bob.reply(bob.wait("CANCEL"))
        bob.say("487 Request Terminated")
        assert len(node.wait_participants(1)) == 1
        mobile.bye()


def test_join(node):
    with Referrer(node) as alice, Referrer(node, "other", name="bob") as bob:
        alice.join()
        answer = bob.invite([f"Join: {dialog(alice)}", "Require: join"])
        assert answer.status == 200 and "<sip:demo@" in answer["contact"]
        assert len(node.wait_participants(2)) == 2
        assert alice.receive(0.3) is None
        bob.bye()
        alice.bye()


def test_join_of_an_unknown_dialog_is_left_aside(node):
    """RFC 3911 4: all our URIs are conferences'."""
    with Referrer(node) as bob:
        assert bob.invite(["Join: x;to-tag=y;from-tag=z"]).status == 200
        bob.bye()


@pytest.mark.parametrize("header, who, status", [("Replaces", "alice", 401), ("Join", "alice", 401), ("Replaces", "anonymous", 403), ("Join", "anonymous", 403)])
def test_what_is_believed_is_for_the_conference_of_the_call_to_say(node, header, who, status):
    """From suffices for the one that is called; the one of the dialog that is named wants a proof."""
    asserted = ["P-Asserted-Identity: <sip:alice@127.0.0.1>"]
    with Referrer(node, "strict", headers=asserted, address="127.0.0.2") as alice, Referrer(node, "other") as eve:
        alice.join()
        eve.from_header = f"<sip:{who}@{'127.0.0.1' if who == 'alice' else 'anonymous.invalid'}>"
        answer = eve.invite([f"{header}: {dialog(alice)}"])
        assert answer.status == status, answer.text
        assert alice.receive(0.3) is None and len(node.participants("strict")) == 1 and not node.participants("other")
        alice.bye()


def test_the_one_that_is_called_asks_for_more_than_it_has_to(node):
    """The other way round: strict is called, but the call that is named is where From suffices."""
    with Referrer(node) as desk, Referrer(node, "strict") as mobile:
        desk.join()
        answer = mobile.invite([f"Replaces: {dialog(desk)}"])
        assert answer.status == 200 and "<sip:demo@" in answer["contact"]
        desk.reply(desk.wait("BYE"))
        mobile.bye()


def test_without_an_offer(node):
    """The seat is the same also when we make the offer."""
    with Referrer(node) as desk, Referrer(node) as mobile:
        desk.join()
        node.cli("conference", "lock", "demo")
        try:
            answer = mobile.request("INVITE", [f"Replaces: {dialog(desk)}"])
            assert answer.status == 200, answer.text
            mobile.target = answer["contact"].partition("<")[2].partition(">")[0]
            tag = answer.body.partition("a=crypto:")[2].split()[0]
            mobile.send("ACK", body=sdp(crypto=(f"{tag} {answer.body.partition('a=crypto:')[2].split()[1]} {KEY}",)), cseq=mobile.cseq)
            desk.reply(desk.wait("BYE"))
            assert len(node.wait_participants(1)) == 1
        finally:
            node.cli("conference", "unlock", "demo")
        mobile.bye()
