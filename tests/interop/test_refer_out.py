"""REFER from the focus: somebody is asked to dial in (RFC 4579 5.6, RFC 3515, RFC 7647), on an operator's word or on a participant's."""
import re

import pytest

from node import wait_until
from people import Callee, Referrer, uri_of
from sip import SipNode

CONFERENCES = [{"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in ("demo", "other")]


@pytest.fixture(scope="module")
def node():
    with SipNode(conferences=CONFERENCES) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    running = request.getfixturevalue("node")
    running.empty("demo", "other")


def accept(callee, refer, status="200 OK", headers=()):
    to = refer["to"] if "tag=" in refer["to"] else refer["to"] + f";tag={callee.tag}"
    refer.headers["to"] = [to]
    callee.reply(refer, status, headers)


def notify(callee, refer, fragment, state="active;expires=60", cseq=1):
    """As the notifier of the subscription that their REFER made."""
    callee.call_id, callee.target = refer["call-id"], uri_of(refer["contact"])
    callee.uri, callee.to_tag = uri_of(refer["from"]), refer["from"].rpartition("tag=")[2]
    callee.from_header, callee.tag = f"<{uri_of(refer['to'])}>", refer["to"].rpartition("tag=")[2]
    callee.send("NOTIFY", ["Event: refer", f"Subscription-State: {state}"], fragment, kind="message/sipfrag;version=2.0", cseq=cseq)
    answer = callee.final(cseq=f"{cseq} NOTIFY")
    assert answer.status == 200, answer.text


def log_says(node, text):
    return wait_until(lambda: text in open(node.path("cp.log")).read(), 5, text)


def test_who_is_asked_dials_in(node):
    with Callee(node) as bob, Referrer(node, name="bob") as caller:
        node.cli("conference", "refer", "demo", bob.identity)
        refer = bob.wait("REFER")
        assert refer["refer-to"] == f"<sip:demo@127.0.0.1:{node.sip_port}>" and refer["referred-by"].startswith("<sip:demo@")
        assert ";isfocus" in refer["contact"] and "tag=" not in refer["to"]
        accept(bob, refer)
        notify(bob, refer, "SIP/2.0 100 Trying")
        caller.uri = caller.target = uri_of(refer["refer-to"])
        caller.headers.append(f"Referred-By: {refer['referred-by']}")
        caller.join()
        notify(bob, refer, "SIP/2.0 200 OK", "terminated;reason=noresource", 2)
        [shown] = node.wait_participants(1)
        assert shown["method"] == "dialed-in" and shown["referred_by"] == uri_of(refer["referred-by"])
        log_says(node, "referred to us, says 200")
        caller.bye()


@pytest.mark.parametrize("status", ["603 Decline", "405 Method Not Allowed", "481 Gone"])
def test_who_is_asked_refuses(node, status):
    with Callee(node) as bob:
        node.cli("conference", "refer", "demo", bob.identity)
        accept(bob, bob.wait("REFER"), status)
        log_says(node, f"{bob.identity}, referred to us, says {status[:3]}")


def test_without_a_subscription(node):
    with Callee(node) as bob:
        node.cli("conference", "refer", "demo", bob.identity)
        accept(bob, bob.wait("REFER"), headers=["Refer-Sub: false"])
        log_says(node, f"{bob.identity}, referred to us, says 200")


def test_a_participant_of_another_conference_is_asked_in_its_dialog(node):
    with Referrer(node, "other") as alice:
        alice.join()
        assert node.cli("conference", "refer", "demo", "sip:alice@127.0.0.1").returncode == 0
        refer = alice.wait("REFER")
        assert refer["call-id"] == alice.call_id and refer["refer-to"] == f"<sip:demo@127.0.0.1:{node.sip_port}>"
        accept(alice, refer)
        alice.send("NOTIFY", ["Event: refer", "Subscription-State: terminated;reason=noresource"], "SIP/2.0 486 Busy Here",
                   kind="message/sipfrag;version=2.0")
        assert alice.wait_status("NOTIFY").status == 200
        log_says(node, "sip:alice@127.0.0.1, referred to us, says 486")
        alice.bye()


def test_a_peer_with_a_gruu_is_asked_out_of_the_dialog(node):
    """RFC 7647 4: with Target-Dialog, to the GRUU."""
    with Referrer(node, "other") as alice:
        contact = f"Contact: <sip:alice@127.0.0.1:{alice.port};gr=urn:uuid:f81d4fae>"
        body = __import__("sip").sdp()
        answer = alice.request("INVITE", [contact.replace("Contact", "contact")], body, drop=("Contact",))
        assert answer.status == 200
        alice.target = uri_of(answer["contact"])
        alice.send("ACK", cseq=alice.cseq)
        node.wait_participants(1, "other")
        node.cli("conference", "refer", "demo", "sip:alice@127.0.0.1")
        refer = alice.wait("REFER")
        assert refer["call-id"] != alice.call_id and ";gr=" in refer.first
        assert refer["target-dialog"] == f"{alice.call_id};local-tag={alice.tag};remote-tag={alice.to_tag}"
        accept(alice, refer, "603 Decline")
        log_says(node, "sip:alice@127.0.0.1, referred to us, says 603")
        alice.bye()


def test_a_participant_has_somebody_asked(node):
    """RFC 4579 5.7: REFER with a REFER in it; the report is passed on."""
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        target = f"{bob.identity};method=REFER?Refer-To=%3Csip:demo%40127.0.0.1:{node.sip_port}%3E"
        assert alice.refer(target).status == 200
        refer = bob.wait("REFER")
        assert re.match(r"<sip:demo@127.0.0.1:\d+>$", refer["refer-to"])
        accept(bob, refer)
        notify(bob, refer, "SIP/2.0 180 Ringing")
        notify(bob, refer, "SIP/2.0 486 Busy Here", "terminated;reason=noresource", 2)
        reports, _ = alice.reports()
        assert reports[0] == 100 and reports[-1] == 486 and 180 in reports
        alice.bye()


def test_to_nowhere_else(node):
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        answer = alice.refer(f"{bob.identity};method=REFER?Refer-To=%3Csip:casino%40evil.example%3E")
        assert answer.status == 403 and "our conference only" in answer["warning"]
        alice.bye()


@pytest.mark.parametrize("uri", ["tel:+4930123", "nonsense", "sip:a b@c"])
def test_nobody_can_be_asked_there(node, uri):
    assert node.cli("conference", "refer", "demo", uri, check=False).returncode != 0


@pytest.mark.parametrize("by, is_shown", [("sip:alice@127.0.0.1", True), ("sip:mallory@127.0.0.1", False), ("sip:other@127.0.0.1", False), ("nonsense", False)])
def test_a_participant_asks_somebody_himself(node, by, is_shown):
    """RFC 4579 5.5: alice's REFER goes to bob, who dials in and says on whose word; shown where it may be hers."""
    with Referrer(node) as alice, Referrer(node, name="bob", headers=[f"Referred-By: <{by}>"]) as bob:
        alice.join()
        bob.join()
        shown = {p["uri"]: p for p in node.wait_participants(2)}["sip:bob@127.0.0.1"]
        assert shown["method"] == "dialed-in" and shown["referred_by"] == (by if is_shown else None), shown
        bob.bye()
        alice.bye()
