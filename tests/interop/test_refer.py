"""REFER to the focus, in a dialog and out of it: call, hang up, refer; one and many (RFC 3515, 4488, 4579, 5368, 7647)."""
import re
import time

import pytest

from node import wait_until
from people import Callee, Referrer, uri_of
from sip import SipNode

OPEN = {"id": "demo", "security": "sdes", "identity": "none", "anonymous": True}
STRICT = {"id": "strict", "security": "sdes", "authorised": ["sip:alice@127.0.0.1", "sip:bob@127.0.0.1"], "moderators": ["sip:mod@127.0.0.1"]}
ANONYMOUS = "P-Asserted-Identity: <sip:anonymous@anonymous.invalid>"
MODERATOR = ["P-Asserted-Identity: <sip:mod@127.0.0.1>"]
ASSERTED = ["P-Asserted-Identity: <sip:alice@127.0.0.1>"]


@pytest.fixture(scope="module")
def node():
    accounts = [{"user": "dave", "password": "secret"}]
    with SipNode(sip={"trusted_peers": ["127.0.0.1"], "accounts": accounts}, conferences=[OPEN, STRICT]) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        running = request.getfixturevalue("node")
        running.empty("demo", "strict")


def test_refer_in_a_dialog_calls_out(node):
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        answer = alice.refer(bob.identity)
        assert answer.status == 200, "RFC 7647 5: not 202"
        assert "isfocus" in answer["contact"]
        invitation = bob.wait()
        assert invitation["from"].startswith("<sip:demo@") and re.search(r"<sip:demo@127.0.0.1:\d+>;isfocus", invitation["contact"])
        assert invitation["referred-by"] == "<sip:alice@127.0.0.1>"
        bob.say("180 Ringing")
        bob.accept()
        reports, notifies = alice.reports()
        assert reports[0] == 100 and 180 in reports and reports[-1] == 200
        assert "reason=noresource" in notifies[-1]["subscription-state"]
        node.wait_participants(2)
        bob.bye()
        alice.bye()


def test_refer_out_of_a_dialog_by_who_is_known(node):
    with Referrer(node, headers=ASSERTED) as alice, Referrer(node, headers=ASSERTED) as again, Callee(node) as bob:
        alice.join()
        assert again.refer(bob.identity).status == 200
        bob.wait()
        bob.accept()
        reports, _ = again.reports()
        assert reports[0] == 100 and reports[-1] == 200
        bob.bye()
        alice.bye()


def test_refer_by_target_dialog(node):
    with Referrer(node) as alice, Referrer(node, name="nobody") as again, Callee(node) as bob:
        joined = alice.join()
        tags = f"local-tag={joined['to'].rpartition('tag=')[2]};remote-tag={alice.tag}"
        again.from_header = alice.from_header
        answer = again.refer(bob.identity, headers=[f"Target-Dialog: {alice.call_id};{tags}", "Require: tdialog"])
        assert answer.status == 200
        bob.wait()
        bob.accept()
        assert again.reports()[0][-1] == 200
        bob.bye()
        alice.bye()


@pytest.mark.parametrize("status, text, reported", [(486, "Busy Here", 486), (603, "Decline", 603), (404, "Not Found", 404)])
def test_who_does_not_want_to_come_is_reported(node, status, text, reported):
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        assert alice.refer(bob.identity).status == 200
        bob.wait()
        bob.say(f"{status} {text}")
        assert alice.reports()[0][-1] == reported
        alice.bye()


def test_remove_by_refer(node):
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        alice.refer(bob.identity)
        bob.wait()
        bob.accept()
        alice.reports()
        alice.seen.clear()
        node.wait_participants(2)
        answer = alice.refer(alice.from_header.strip("<>") + ";method=BYE")
        assert answer.status == 200, "everybody may remove himself"
        assert any(m.method == "BYE" for m in alice.seen) or alice.wait("BYE")
        node.wait_participants(1)
        bob.bye()


def test_only_moderators_remove_others(node):
    with Referrer(node) as alice, Referrer(node, name="carol") as carol:
        alice.join()
        carol.join()
        answer = carol.refer("sip:alice@127.0.0.1;method=BYE")
        assert answer.status == 403 and "Warning" in answer.text
        assert alice.refer("sip:dave@127.0.0.1;method=BYE").status == 200
        assert alice.reports()[0] == [100, 404]
        alice.seen.clear()
        carol.bye()
        alice.bye()


def test_refer_sub_false(node):
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        answer = alice.refer(bob.identity, headers=["Refer-Sub: false", "Supported: norefersub"])
        assert answer.status == 200 and answer["refer-sub"] == "false"
        bob.wait()
        bob.accept()
        node.wait_participants(2)
        assert alice.receive(1) is None, "no NOTIFY was wanted"
        bob.bye()
        alice.bye()


def sent(caller, seconds):
    """All that comes to a socket within that time, unanswered."""
    end, messages = time.monotonic() + seconds, []
    while (left := end - time.monotonic()) > 0:
        message = caller.receive(left)
        messages += [message] if message else []
    return messages


@pytest.fixture
def inside(node):
    """Another call of alice's, who may invite others for it."""
    with Referrer(node, headers=ASSERTED) as phone:
        phone.join()
        yield phone
        phone.bye()


def test_the_answer_comes_before_the_first_report_out_of_a_dialog(node, inside):
    with Referrer(node, headers=ASSERTED) as alice, Callee(node) as bob:
        alice.send("REFER", [f"Refer-To: <{bob.identity}>", *ASSERTED])
        answer, first = alice.receive(), alice.receive()
        assert answer.status == 200 and "refer-sub" not in answer.headers, answer.text
        assert first.method == "NOTIFY" and first.body.startswith("SIP/2.0 100 ") and first["event"] == "refer;id=1", first.text
        assert first["subscription-state"].startswith("active;expires=") and "isfocus" in first["contact"]
        assert first["call-id"] == alice.call_id and first["from"].rpartition("tag=")[2] == answer["to"].rpartition("tag=")[2]
        alice.reply(first)
        bob.wait()
        bob.say("486 Busy Here")
        assert alice.reports()[0][-1] == 486


MANY = ["Require: multiple-refer, norefersub", "Content-ID: <list@x>", "Content-Disposition: recipient-list"]


@pytest.mark.parametrize("is_many", [False, True], ids=["one", "many"])
def test_refer_sub_false_out_of_a_dialog(node, inside, is_many):
    """RFC 4488 4: the answer is all that there is, before it and after it."""
    with Referrer(node, headers=ASSERTED) as alice, Callee(node) as bob:
        target = "cid:list@x" if is_many else bob.identity
        body = LIST % ("copycontrol", f'<entry uri="{bob.identity}"/>') if is_many else ""
        alice.send("REFER", [f"Refer-To: <{target}>", "Refer-Sub: false", "Supported: norefersub", *ASSERTED, *(MANY if is_many else [])], body,
                   kind="application/resource-lists+xml")
        bob.wait()
        bob.accept()
        node.wait_participants(2)
        [answer] = sent(alice, 1)
        assert answer.status == 200 and answer["refer-sub"] == "false", answer.text
        alice.to_tag = answer["to"].rpartition("tag=")[2]
        alice.target = answer["contact"].strip("<>").partition(">")[0]
        alice.send("SUBSCRIBE", ["Event: refer", "Expires: 60"])
        assert alice.final().status == 481, "there is no dialog"
        bob.bye()


@pytest.mark.parametrize("user, target, headers, status", [
    ("strict", "sip:bob@127.0.0.1", [], 401), ("strict", "sip:mallory@127.0.0.1", ASSERTED, 403), ("nowhere", "sip:bob@127.0.0.1", ASSERTED, 404),
    ("demo", "mailto:bob@127.0.0.1", ASSERTED, 416), ("demo", "sip:bob@127.0.0.1?body=x", ASSERTED, 400),
    ("demo", "sip:bob@127.0.0.1;method=MESSAGE", ASSERTED, 403),
    ("demo", "sip:bob@127.0.0.1", ["Target-Dialog: x;local-tag=y;remote-tag=z", ANONYMOUS], 403),
])
@pytest.mark.parametrize("more", [[], ["Refer-Sub: false"]], ids=["", "unreported"])
def test_no_report_of_what_is_refused_out_of_a_dialog(node, user, target, headers, status, more):
    with Referrer(node, user) as alice:
        alice.send("REFER", [f"Refer-To: <{target}>", *headers, *more])
        [answer] = sent(alice, 0.5)
        assert answer.status == status and "refer-sub" not in answer.headers, answer.text


def test_two_refers_in_a_dialog_that_the_first_one_made(node, inside):
    """Each has a subscription of its own (RFC 3515 2.4.6); the dialog lasts as long as one of them."""
    with Referrer(node, headers=ASSERTED) as alice, Callee(node, "bob") as bob, Callee(node, "carol") as carol:
        answer = alice.refer(bob.identity)
        assert answer.status == 200
        bob.wait()
        alice.to_tag, alice.target = answer["to"].rpartition("tag=")[2], uri_of(answer["contact"])
        assert alice.refer(carol.identity).status == 200
        carol.wait()
        bob.say("486 Busy Here")
        carol.say("603 Decline")
        final = {}
        while len(final) < 2:
            notify = next((m for m in alice.seen if m.method == "NOTIFY" and m["event"] not in final and "terminated" in m["subscription-state"]), None)
            if notify:
                final[notify["event"]] = int(notify.body.split()[1])
            else:
                alice.reply(alice.wait("NOTIFY"))
        assert final == {"refer;id=1": 486, "refer;id=2": 603}


@pytest.mark.parametrize("target, headers, status", [
    ("mailto:bob@example.net", [], 400),
    ("sip:bob@127.0.0.1;method=MESSAGE", [], 403),
    ("sip:bob@127.0.0.1?body=x", [], 400),
    ("cid:nothing@example.net", [], 400),
    ("sip:bob@127.0.0.1", ["max-forwards: 0"], 400),
    ("sip:bob@127.0.0.1", ["Require: teleport"], 420),
])
def test_refused(node, target, headers, status):
    with Referrer(node) as alice:
        alice.join()
        answer = alice.refer(target, headers, drop=("Max-Forwards",) if "max-forwards: 0" in headers else ())
        assert answer.status == status, answer.text
        alice.bye()


@pytest.mark.parametrize("target, hops, status", [("mailto:bob@example.net", 70, 416), ("sip:bob@127.0.0.1", 0, 483)])
def test_refused_out_of_a_dialog(node, target, hops, status):
    """In a dialog these would end the call too (RFC 5057 5.1): there it is 400."""
    with Referrer(node) as alice:
        assert alice.refer(target, [f"max-forwards: {hops}"], drop=("Max-Forwards",)).status == status


def test_no_refer_to(node):
    with Referrer(node) as alice:
        alice.join()
        alice.send("REFER")
        assert alice.wait_status("REFER").status == 400
        alice.bye()


@pytest.mark.parametrize("more", [["Refer-To: <sip:carol@127.0.0.1>"], ["refer-to: <sip:carol@127.0.0.1>"], ["r: <sip:carol@127.0.0.1>"]])
def test_two_refer_to(node, more):
    """RFC 3515 2.1: exactly one."""
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        assert alice.refer(bob.identity, more).status == 400
        assert bob.receive(0.2) is None
        alice.bye()


def test_nobody_known_may_refer_nobody(node):
    with Referrer(node, user="strict") as eve, Callee(node) as bob:
        answer = eve.refer(bob.identity)
        assert answer.status in (401, 403), answer.text
        with pytest.raises(AssertionError):
            bob.wait(seconds=1)


def test_a_participant_cannot_bring_in_whom_the_list_does_not_know(node):
    with Referrer(node, user="strict", headers=ASSERTED) as alice, Callee(node) as mallory:
        alice.join()
        answer = alice.refer(mallory.identity)
        assert answer.status == 403 and "not on the list" in answer["warning"]
        alice.bye()


def test_the_focus_is_not_called_by_itself(node):
    with Referrer(node) as alice:
        alice.join()
        assert alice.refer(node.uri("strict")).status == 400
        alice.bye()


def test_replaces_goes_along(node):
    """RFC 4579 5.10: a two-party call becomes part of the conference."""
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        assert alice.refer(bob.identity + "?Replaces=abc%40x%3Bto-tag%3D1%3Bfrom-tag%3D2").status == 200
        invitation = bob.wait()
        assert invitation["replaces"] == "abc@x;to-tag=1;from-tag=2" and "replaces" in invitation["require"]
        bob.say("481 Gone")
        assert alice.reports()[0][-1] == 481
        alice.bye()


LIST = """<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:%s">
<list>%s</list></resource-lists>"""


def test_refer_to_many(node):
    with Referrer(node) as alice, Callee(node, "bob") as bob, Callee(node, "carol") as carol, Callee(node, "ted") as ted:
        alice.join()
        people = (f'<entry uri="{bob.identity}" cp:copyControl="to"/><entry uri="{carol.identity}" cp:copyControl="cc" cp:anonymize="true"/>'
                  f'<entry uri="{ted.identity}" cp:copyControl="bcc"/><entry uri="{bob.identity}" cp:copyControl="bcc"/>')
        answer = alice.refer("cid:list@x", ["Require: multiple-refer, norefersub", "Refer-Sub: false", "Content-ID: <list@x>",
                                            "Content-Disposition: recipient-list"], LIST % ("copyControl", people),
                             kind="application/resource-lists+xml")
        assert answer.status == 200 and answer["refer-sub"] == "false"
        for callee in (bob, carol, ted):
            invitation = callee.wait()
            assert "recipient-list-history" in invitation.body and "handling=optional" in invitation.body
            assert bob.identity in invitation.body and carol.identity not in invitation.body and ted.identity not in invitation.body
            assert "sip:anonymous@anonymous.invalid" in invitation.body
            callee.accept()
        node.wait_participants(4)
        for callee in (bob, carol, ted):
            callee.bye()
        alice.bye()


def test_many_are_removed(node):
    """RFC 5368 and RFC 4579 5.11: a list whose URIs say BYE."""
    with Referrer(node, "strict", headers=MODERATOR) as alice, Referrer(node, "strict", "bob", ["P-Asserted-Identity: <sip:bob@127.0.0.1>"]) as bob:
        alice.join()
        bob.join()
        people = '<entry uri="sip:bob@127.0.0.1;method=BYE"/><entry uri="sip:nobody@127.0.0.1;method=BYE"/>'
        answer = alice.refer("cid:list@x", [*MANY, "Refer-Sub: false"], LIST % ("copycontrol", people), kind="application/resource-lists+xml")
        assert answer.status == 200 and answer["refer-sub"] == "false"
        bob.reply(bob.wait("BYE"))
        node.wait_participants(1, "strict")
        alice.bye()


def test_list_that_is_none(node):
    with Referrer(node) as alice:
        alice.join()
        for body in ("nonsense", LIST % ("copycontrol", ""), '<!DOCTYPE x [<!ENTITY a "b">]>' + LIST % ("copycontrol", '<entry uri="sip:&a;@b"/>')):
            answer = alice.refer("cid:list@x", ["Require: multiple-refer", "Content-ID: <list@x>"], body, kind="application/resource-lists+xml")
            assert answer.status == 400, answer.text
        alice.bye()


def test_many_are_referred_one_after_the_other(node):
    """Two REFERs in one dialog have subscriptions of their own."""
    with Referrer(node) as alice, Callee(node, "bob") as bob, Callee(node, "carol") as carol:
        alice.join()
        assert alice.refer(bob.identity).status == 200
        second = alice.refer(carol.identity)
        assert second.status == 200
        bob.wait()
        carol.wait()
        bob.say("486 Busy Here")
        carol.say("603 Decline")
        final = {}

        def both():
            for message in alice.seen:
                if message.method == "NOTIFY" and "terminated" in message["subscription-state"]:
                    final[message["event"]] = int(message.body.split()[1])
            if len(final) < 2:
                try:
                    alice.reply(alice.wait("NOTIFY", 1))
                except AssertionError:
                    pass
            return len(final) == 2

        wait_until(both, 10, "both reports")
        assert sorted(final.values()) == [486, 603]
        alice.bye()


def test_the_report_outlives_the_call(node):
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        assert alice.refer(bob.identity).status == 200
        bob.wait()
        alice.send("BYE")
        assert alice.wait_status("BYE").status == 200
        bob.accept()
        assert alice.reports()[0][-1] == 200
        bob.bye()


def test_who_asked_may_stop_listening(node):
    """RFC 3515 2.4.6: SUBSCRIBE with Expires 0 ends the reports, not what was asked for."""
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        assert alice.refer(bob.identity).status == 200
        bob.wait()
        bob.say("180 Ringing")
        first = [m for m in alice.seen if m.method == "NOTIFY"]
        if not first:
            first.append(alice.wait("NOTIFY"))
            alice.reply(first[0])
        alice.send("SUBSCRIBE", [f"Event: {first[0]['event']}", "Expires: 0"])
        assert alice.wait_status("SUBSCRIBE").status == 200
        reports, notifies = alice.reports()
        assert reports[-1] < 200 and notifies[-1]["event"] == first[0]["event"]
        bob.accept()
        node.wait_participants(2)
        assert alice.receive(0.5) is None
        bob.bye()
        alice.bye()


@pytest.mark.parametrize("in_dialog", [True, False])
def test_nobody_subscribes_to_reports_of_no_refer(node, in_dialog):
    with Referrer(node) as alice:
        if in_dialog:
            alice.join()
        alice.send("SUBSCRIBE", ["Event: refer", "Expires: 60"])
        assert alice.wait_status("SUBSCRIBE").status in (403, 481)
        if in_dialog:
            alice.bye()
