"""Chat by chunks: mixed, out of order, interrupted, given up, too long; what recipients may say to it; paths changed on the way; IPv6."""
import contextlib
import os
import socket
import time

import pytest
from chat import Guest, house
from floor_line import AVP, bfcp, describe, section, value
from msrp import Peer, cpim, ident
from node import free_port, wait_until
from sip import Caller, SipNode

LIMIT = 12 << 20
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def node():
    with house({"id": "room"}, {"id": "past", "chat_history": 5}, chat={"max_size": str(LIMIT), "idle_time": "2s"}) as node:
        yield node


@contextlib.contextmanager
def guests(node, *names, **more):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Guest(node, name, **more)) for name in names]


def held(node, conference="room"):
    return node.http(f"/v1/conferences/{conference}/chat")["held_octets"]


class Chunks:
    """A message of ann's that goes in chunks."""

    def __init__(self, guest, size, total=None, headers=()):
        self.guest, self.id, self.headers = guest, ident(), headers
        self.body = cpim(guest.identity, guest.room, os.urandom(size // 2).hex())
        self.total = total or len(self.body)

    def send(self, begin, end, flag="+"):
        """Octets begin to end of it; the transaction."""
        rows = (f"Message-ID: {self.id}", f"Byte-Range: {begin + 1}-{end}/{self.total}", *self.headers, "Content-Type: message/cpim")
        return self.guest.peer.request("SEND", rows, self.body[begin:end], flag)


def test_composing_is_passed_and_forgotten(node):
    state = '<?xml version="1.0"?><isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state></isComposing>'
    with guests(node, "ann", "bob", conference="past") as (ann, bob):
        assert ann.say("hm") == 200
        assert ann.peer.send(cpim(ann.identity, ann.room, state, "application/im-iscomposing+xml")) == 200
        bob.wait(2)
        assert bob.peer.messages[1].cpim[1]["content-type"] == "application/im-iscomposing+xml" and bob.peer.messages[1].text == state
        with Guest(node, "eve", "past") as eve:
            assert ann.say("well") == 200
            assert [text for _, text in eve.got(2)] == ["hm", "well"]


def test_chunks_of_two_messages_and_in_any_order(node):
    with guests(node, "ann", "bob") as (ann, bob):
        bob.peer.is_ordered = False
        one, two = Chunks(ann, 9000), Chunks(ann, 5000)
        sent = [one.send(0, 3000), two.send(0, 2500), one.send(6000, len(one.body), "$")]
        assert ann.say("between") == 200
        assert bob.got(1)[0][1] == "between", "and nothing else is whole yet"
        sent += [two.send(2500, len(two.body), "$"), one.send(3000, 6000)]
        assert [ann.peer.status(each) for each in sent] == [200] * 5
        bob.wait(3)
        assert sorted(bytes(message.octets) for message in bob.peer.messages[1:]) == sorted([one.body, two.body])
        # octets that come twice are there once
        three = Chunks(ann, 5000)
        sent = [three.send(0, 3000), three.send(2000, 4000), three.send(3500, len(three.body), "$")]
        assert [ann.peer.status(each) for each in sent] == [200] * 3
        bob.wait(4)
        assert bytes(bob.peer.messages[3].octets) == three.body and held(node) == 0


def test_what_goes_on_no_more_is_given_up(node):
    """The chunk timer: recipients are told, and what comes later is stopped."""
    with guests(node, "ann", "bob") as (ann, bob):
        half = Chunks(ann, 9000)
        assert ann.peer.status(half.send(0, 3000)) == 200
        assert not bob.peer.aborted
        bob.peer.wait(lambda: bob.peer.aborted, 15)
        assert half.body.startswith(bytes(bob.peer.aborted[0].octets))
        assert ann.peer.status(half.send(3000, 6000)) == 413
        assert ann.say("on") == 200 and bob.got(1)[0][1] == "on" and held(node) == 0


def test_too_long_is_stopped_before_it_is_over(node):
    """413 comes when it is known: at once where the total says so, else when the limit is passed; also within a chunk."""
    with guests(node, "ann", "bob") as (ann, bob):
        message = Chunks(ann, 2000, total=LIMIT + 1)
        begun = time.monotonic()
        assert ann.peer.status(message.send(0, 1000)) == 413 and time.monotonic() - begun < 10
        transaction, body = ident(), cpim(ann.identity, ann.room, "x" * (LIMIT + 5000))
        head = "\r\n".join([f"MSRP {transaction} SEND", f"To-Path: {ann.path}", f"From-Path: {ann.own}", f"Message-ID: {ident()}", "Byte-Range: 1-*/*",
                            "Content-Type: message/cpim"]).encode()
        ann.peer.write(head + b"\r\n\r\n" + body)
        assert ann.peer.status(transaction) == 413, "there was no end of it yet"
        ann.peer.write(f"\r\n-------{transaction}#\r\n".encode())
        bob.peer.wait(lambda: bob.peer.aborted)
        assert ann.say("short") == 200 and bob.got(1)[0][1] == "short" and held(node) == 0


def test_a_long_message_gives_way_to_a_short_one(node):
    """To who reads slowly: the chunk that is under way ends, the other message comes, then the rest."""
    with guests(node, "ann", "eve") as (ann, eve), Guest(node, "bob", reads=False) as bob:
        long = Chunks(ann, LIMIT - 1000)
        transaction = long.send(0, len(long.body), "$")
        assert ann.peer.status(transaction) == 200
        assert eve.say("may I") == 200
        bob.peer.read_on()
        bob.wait(2)
        assert [len(message.octets) < 1000 for message in bob.peer.messages] == [True, False]
        assert bob.peer.messages[1].chunks > 1 and bytes(bob.peer.messages[1].octets) == long.body


@pytest.mark.parametrize("asked, ok, wrong", [("yes", 200, 403), ("partial", None, 403), ("no", None, None)])
def test_who_is_answered(node, asked, ok, wrong):
    """Failure-Report of RFC 4975 7.1.2."""
    with guests(node, "ann", "bob") as (ann, bob):
        said = {}
        for status, sender in ((ok, ann.identity), (wrong, bob.identity)):
            said[ann.peer.send(cpim(sender, ann.room, "x"), headers=(f"Failure-Report: {asked}",), answer=False)] = status
        assert ann.say("at last") == 200, "what came before is answered by now"
        assert [ann.peer.responses.get(each) for each in said] == list(said.values())


def test_recipients_stop_a_message(node):
    """413 ends that message for who says it; reports of recipients go no further, and nobody answers them."""
    with guests(node, "ann", "bob", "eve") as (ann, bob, eve):
        bob.peer.answers = False
        long = Chunks(ann, 300000, headers=("Success-Report: yes",))
        assert ann.peer.status(long.send(0, 100000)) == 200
        assert eve.say("may I") == 200
        bob.wait(1)  # it parts the other one
        message_id = next(iter(bob.peer.half))
        report = bob.peer.request("REPORT", (f"Message-ID: {message_id}", f"Byte-Range: 1-{len(long.body)}/{len(long.body)}", "Status: 000 413 enough"))
        assert bob.say("heard") == 200, "what came before has been looked at"
        assert ann.peer.status(long.send(100000, len(long.body), "$")) == 200
        bob.peer.wait(lambda: bob.peer.aborted)
        eve.wait(2)  # what bob said, and the file
        assert bytes(eve.peer.messages[1].octets) == long.body
        ann.peer.wait(lambda: ann.peer.reports)
        assert [each["status"] for each in ann.peer.reports] == ["000 200 OK"], "ours alone"
        assert ann.say("next") == 200 and bob.got(2)[1][1] == "next"
        late = bob.peer.request("REPORT", (f"Message-ID: {message_id}", "Byte-Range: 1-9/9", "Status: 000 408 late"))
        assert bob.say("still here") == 200 and not {report, late} & set(bob.peer.responses)


def test_who_knows_no_such_session_is_let_go(node):
    """481 of a recipient: its connection ends, its call does not."""
    with guests(node, "ann", "bob") as (ann, bob):
        bob.peer.answer = "481 No such session"
        assert ann.say("x" * 3000) == 200
        bob.peer.wait(lambda: bob.peer.is_over)
        assert len(node.participants("room")) == 2 and ann.say("on") == 200
        bob.connect()
        assert ann.say("again") == 200 and bob.got(1)[0][1] == "again"


@pytest.mark.parametrize("has_cema, status", [(True, 200), (False, 481)])
def test_paths_that_a_border_changed(node, has_cema, status):
    """CEMA (RFC 6714): where it was agreed the session ID alone says whose a request is."""
    lines = ("a=accept-wrapped-types:*", "a=chatroom:nickname private-messages", *(("a=msrp-cema",) if has_cema else ()))
    with Guest(node, "ann", lines=lines, connects=False) as ann, Guest(node, "bob") as bob:
        assert ("a=msrp-cema\r\n" in ann.section) == has_cema
        ann.peer = Peer(ann.path, ann.own)
        changed = f"msrp://border.example:7394/{ann.path.rpartition('/')[2]}"
        assert ann.peer.status(ann.peer.request("SEND", (f"Message-ID: {ident()}", "Byte-Range: 1-0/0"), to=changed)) == status
        if has_cema:
            assert ann.say("through") == 200 and bob.got(1)[0][1] == "through"


def test_ipv6():
    """SDP of either family; the streams are where it says."""
    port = free_port(socket.SOCK_STREAM, "::1")
    room = {"id": "room", "security": "none", "identity": "none", "anonymous": True, "floors": ["stage"], "chat": True}
    with SipNode(sip={"listen": [f"sip:[::1]:{port}"]}, media={"addresses": [{"address": "127.0.0.1"}, {"address": "::1"}]}, conferences=[room]) as node:
        own = f"msrp://[::1]:9/{ident()};tcp"
        chat = "\n".join(["m=message 9 TCP/MSRP *", "a=setup:active", "a=accept-types:message/cpim", "a=accept-wrapped-types:*", f"a=path:{own}"])
        caller = Caller(node, "room")
        answer = caller.invite(body=describe(AVP, bfcp(), chat).replace("IP4 127.0.0.1", "IP6 ::1"))
        assert answer.status == 200 and "IN IP6 ::1" in answer.body
        path = value(section(answer.body, "message"), "path")
        assert path.startswith("msrp://[::1]:")
        peer = Peer(path, own)
        assert peer.bind() == 200
        floor = int(section(answer.body, "application")[0].split()[1])
        with socket.create_connection(("::1", floor), 5):
            pass
        wait_until(lambda: node.http("/v1/conferences/room/chat")["members"][0]["connected"], 5, "that it is there")
        peer.close()
        caller.bye()
