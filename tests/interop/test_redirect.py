"""Calls of the focus that are redirected: where it goes on, with what, and where it does not (RFC 3261 8.1.3.4, 13.2.2.2, 21.3)."""
import re
import socket

import pytest

from node import free_port, wait_until
from people import Callee, Referrer
from sip import SipNode

OPEN = {"id": "demo", "security": "sdes", "identity": "none", "anonymous": True}
STRICT = {"id": "strict", "security": "sdes", "authorised": ["sip:carol@127.0.0.1"]}


@pytest.fixture(scope="module")
def node():
    with SipNode(sip={"trusted_peers": ["127.0.0.2"]}, conferences=[OPEN, STRICT]) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        running = request.getfixturevalue("node")
        running.empty("demo", "strict")


def call(node, callee, conference="demo"):
    assert node.cli("conference", "call", conference, callee.identity).returncode == 0
    return callee.wait()


def redirect(callee, *contacts, status="302 Moved Temporarily"):
    """Answered by where others are; the ACK to it."""
    request = callee.invitation
    same = [f"{name}: {value}" for name in ("Via", "From", "Call-ID", "CSeq") for value in request.headers[name.lower()]]
    lines = [f"SIP/2.0 {status}", *same, f"To: {request['to']};tag={callee.tag}", *([f"Contact: {', '.join(contacts)}"] if contacts else []),
             "Content-Length: 0"]
    callee.send_octets(("\r\n".join(lines) + "\r\n\r\n").encode())
    return callee.wait("ACK")


def to(callee, more=""):
    return f"<{callee.identity}>{more}"


def last_record(node, uri, conference="demo"):
    """Why that call came to nothing, as the records of calls have it."""
    def found():
        rows = node.http(f"/v1/records?conference={conference}")["records"]
        return [row for row in rows if uri == row["identity"]]

    return wait_until(found, 5, f"a record of {uri}")[0]


def keys_of(invitation):
    return set(re.findall(r"inline:(\S+)", invitation.body))


@pytest.mark.parametrize("status", ["300 Multiple Choices", "301 Moved Permanently", "302 Moved Temporarily", "399 Somewhere"])
def test_followed(node, status):
    """Another INVITE to the Contact, for the same To; nothing of the first offer's keys goes there."""
    with Callee(node) as bob, Callee(node, "carol") as carol:
        first = call(node, bob)
        redirect(bob, to(carol), status=status)
        second = carol.wait()
        assert second.first == f"INVITE {carol.identity} SIP/2.0"
        assert second["to"] == f"<{bob.identity}>" and second["from"].partition(";tag")[0] == first["from"].partition(";tag")[0]
        assert keys_of(first) and not keys_of(first) & keys_of(second)
        assert bob.receive(0.2) is None
        carol.accept()
        [shown] = wait_until(lambda: [p for p in node.participants() if p["state"] == "connected"], 5, "carol")
        assert shown["uri"] == carol.identity and shown["method"] == "dialed-out"
        assert last_record(node, bob.identity)["reason"] == f"Redirected to {carol.identity}"
        carol.bye()


def test_the_best_first_and_then_the_others(node):
    with Callee(node) as bob, Callee(node, "carol") as carol, Callee(node, "dave") as dave:
        call(node, bob)
        redirect(bob, to(carol, ";q=0.2"), to(dave, ";q=0.8"), "<mailto:bob@example.net>;q=1.0", "<sip:x@127.0.0.1;method=REFER>;q=0.9")
        dave.wait()
        assert carol.receive(0.2) is None, "one after the other"
        dave.say("486 Busy Here")
        dave.wait("ACK")
        carol.wait()
        carol.accept()
        node.wait_participants(1)
        assert last_record(node, dave.identity)["reason"] == f"Redirected to {carol.identity}"
        carol.bye()


def test_no_loops_and_no_long_ways(node):
    people = []
    try:
        people += [Callee(node, f"p{n}") for n in range(5)]
        call(node, people[0])
        for this, then in zip(people[:3], people[1:4]):
            redirect(this, to(people[0]), to(this), to(then))
            then.wait()
        redirect(people[3], to(people[4]))
        node.wait_participants(0)
        assert people[4].receive(0.3) is None, "call.redirects is 3"
        assert all(callee.receive(0.05) is None for callee in people[:4]), "nobody is called twice"
        assert last_record(node, people[3].identity)["reason"] == "Is somewhere else"
    finally:
        for callee in people:
            callee.socket.close()


@pytest.mark.parametrize("status", ["305 Use Proxy", "380 Alternative Service", "486 Busy Here", "600 Busy Everywhere"])
def test_what_is_no_redirection(node, status):
    with Callee(node) as bob, Callee(node, "carol") as carol:
        call(node, bob)
        redirect(bob, to(carol), status=status)
        node.wait_participants(0)
        assert carol.receive(0.3) is None


def test_who_declines_everywhere_is_called_nowhere_else(node):
    with Callee(node) as bob, Callee(node, "carol") as carol, Callee(node, "dave") as dave:
        call(node, bob)
        redirect(bob, to(carol, ";q=1.0"), to(dave, ";q=0.5"))
        carol.wait()
        carol.say("603 Decline")
        carol.wait("ACK")
        node.wait_participants(0)
        assert dave.receive(0.3) is None
        assert last_record(node, carol.identity)["reason"] == "Declined the call"


@pytest.mark.parametrize("contact", ["", "*", "<mailto:bob@example.net>", "<sip:demo@{sip}>", "<sip:bob@127.0.0.1?body=x>", "<nonsense>"])
def test_nowhere(node, contact):
    """Not there, not to be called, or ourselves: it fails as a redirection, and with a reason."""
    with Callee(node) as bob:
        call(node, bob)
        contact = contact.format(sip=f"127.0.0.1:{node.sip_port}")
        redirect(bob, *([contact] if contact else []))
        node.wait_participants(0)
        record = last_record(node, bob.identity)
        assert record["reason"] in ("Is somewhere else", "Redirected to where nobody can be called"), record


def test_headers_of_a_contact_are_left_aside(node):
    with Callee(node) as bob, Callee(node, "carol") as carol:
        call(node, bob)
        redirect(bob, f"<{carol.identity}?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>")
        second = carol.wait()
        assert second.first == f"INVITE {carol.identity} SIP/2.0" and "replaces" not in second.headers
        carol.say("486 Busy Here")
        carol.wait("ACK")
        node.wait_participants(0)


def test_only_to_who_may_join(node):
    """The list counts, not who redirects; and who answers there is checked as anywhere."""
    with Callee(node) as bob, Callee(node, "mallory") as mallory:
        call(node, bob, "strict")
        redirect(bob, to(mallory), "<sip:anonymous@anonymous.invalid>")
        node.wait_participants(0, "strict")
        assert mallory.receive(0.3) is None
        assert last_record(node, bob.identity, "strict")["reason"] == "Redirected to somebody who is not on the list"


def test_who_answers_there_is_checked():
    carol_port = free_port(address="127.0.0.2")
    carol_uri = f"sip:carol@127.0.0.2:{carol_port}"
    room = {**STRICT, "authorised": [carol_uri]}
    with SipNode(sip={"trusted_peers": ["127.0.0.2"]}, conferences=[room]) as node, Callee(node) as bob:
        for asserted, welcome in (("sip:eve@evil.example", False), (carol_uri, True)):
            with Callee(node, "carol", address="127.0.0.2") as carol:
                carol.socket.close()
                carol.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                carol.socket.bind(("127.0.0.2", carol_port))
                carol.port = carol_port
                bob.invitation = None
                call(node, bob, "strict")
                redirect(bob, f"<{carol_uri}>")
                carol.wait()
                carol.accept([f"P-Asserted-Identity: <{asserted}>"])
                if welcome:
                    [shown] = wait_until(lambda: [p for p in node.participants("strict") if p["state"] == "connected"], 5, "carol")
                    assert shown["identity"] == carol_uri and shown["verified_by"] == "asserted"
                    carol.bye()
                else:
                    bye = carol.wait("BYE")
                    assert "cause=403" in bye["reason"]
                    carol.reply(bye)
                node.wait_participants(0, "strict")


def test_who_sent_the_refer_hears_the_end_of_it(node):
    with Referrer(node) as alice, Callee(node) as bob, Callee(node, "carol") as carol:
        alice.join()
        assert alice.refer(bob.identity).status == 200
        bob.wait()
        redirect(bob, to(carol))
        second = carol.wait()
        assert second["referred-by"] == "<sip:alice@127.0.0.1>" and second["max-forwards"] == "69"
        carol.accept()
        reports, _ = alice.reports()
        assert reports == [100, 181, 200]
        [shown] = [p for p in node.participants() if p["method"] == "dialed-out"]
        assert shown["referred_by"] == "sip:alice@127.0.0.1" and shown["state"] == "connected"
        carol.bye()
        alice.bye()


def test_who_sent_the_refer_hears_that_it_came_to_nothing(node):
    with Referrer(node) as alice, Callee(node) as bob, Callee(node, "carol") as carol:
        alice.join()
        assert alice.refer(bob.identity).status == 200
        bob.wait()
        redirect(bob, to(carol))
        carol.wait()
        carol.say("486 Busy Here")
        carol.wait("ACK")
        assert alice.reports()[0] == [100, 181, 486]
        alice.bye()


def test_a_replacement_is_for_nobody_else(node):
    """The dialog that it names is with whom it was for."""
    with Referrer(node) as alice, Callee(node) as bob, Callee(node, "carol") as carol:
        alice.join()
        assert alice.refer(bob.identity + "?Replaces=abc%40x%3Bto-tag%3D1%3Bfrom-tag%3D2").status == 200
        bob.wait()
        redirect(bob, to(carol))
        assert alice.reports()[0] == [100, 302]
        assert carol.receive(0.2) is None
        alice.bye()


def test_from_tls_to_tls_only_and_through_the_proxy():
    port = free_port()
    with SipNode(sip={"outbound_proxy": f"sip:127.0.0.1:{port}"}, conferences=[OPEN]) as node, Callee(node) as proxy:
        proxy.socket.close()
        proxy.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        proxy.socket.bind(("127.0.0.1", port))
        node.cli("conference", "call", "demo", "sips:bob@example.net")
        proxy.wait()
        redirect(proxy, "<sip:bob@other.example>;q=0.9", "<sips:bob@safe.example>;q=0.1")
        proxy.invitation = None
        second = proxy.wait()
        assert second.first == "INVITE sips:bob@safe.example SIP/2.0" and second["to"] == "<sips:bob@example.net>"
        assert second["route"] == f"<sip:127.0.0.1:{port};lr>"
        proxy.say("486 Busy Here")
        proxy.wait("ACK")
        node.wait_participants(0)


def test_not_followed_where_the_operator_says_so():
    with SipNode(conferences=[OPEN], call={"redirects": 0}) as node, Callee(node) as bob, Callee(node, "carol") as carol:
        call(node, bob)
        redirect(bob, to(carol))
        node.wait_participants(0)
        assert carol.receive(0.3) is None
