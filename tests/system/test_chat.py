"""Chat rooms over MSRP by clients that are none of ours: who gets what, who is told why not, and what nobody has to wait for."""
import contextlib
import hashlib
import json
import os
import tempfile
import threading
import time

import pytest
from chat import Guest, house
from msrp import Peer, cpim, ident
from node import SANITIZED, Node, wait_until
from openapi import Api
from phone import certificate
from sip import Caller, sdp
from test_events import Stream
from test_tokens import token

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def node():
    with house({"id": "room"}, {"id": "safe", "security": "sdes"}, {"id": "past", "chat_history": 2}, {"id": "none", "chat": False},
               {"id": "class", "listeners": ["sip:eve@example.net"]}, chat={"max_size": "20M"}) as node:
        yield node


@contextlib.contextmanager
def guests(node, *names, **more):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Guest(node, name, **more)) for name in names]


def chat(node, conference="room"):
    return node.http(f"/v1/conferences/{conference}/chat")


def test_what_sdp_says(node):
    with guests(node, "ann") as (ann,):
        assert ann.answer.status == 200 and ann.section.split()[2] == "TCP/MSRP"
        assert ann.said("accept-types").lower() == "message/cpim" and ann.said("setup") == "passive"
        assert set(ann.said("chatroom").split()) == {"nickname", "private-messages"}
        assert int(ann.said("max-size")) == 20 << 20
        assert ann.path.startswith("msrp://127.0.0.1:") and ann.path.endswith(";tcp")
        assert len(ann.path.rpartition("/")[2]) > 20, "80 bits that nobody guesses"
    with Guest(node, "ann", "none") as ann:
        assert ann.answer.status == 200 and not ann.has_chat


def test_each_arrives_at_all_others_once(node):
    with guests(node, "ann", "bob", "eve") as (ann, bob, eve):
        for n in range(50):
            assert ann.say(f"a{n}") == 200
            assert bob.say(f"b{n}") == 200
        for guest, others in ((eve, "ab"), (ann, "b"), (bob, "a")):
            got = guest.got(50 * len(others))
            for other in others:
                assert [text for _, text in got if text[0] == other] == [f"{other}{n}" for n in range(50)]
            assert len(got) == 50 * len(others)
        assert all(message.content_type == "message/cpim" for message in eve.peer.messages)
        shown = chat(node)
        assert {m["participant"]: (m["sent"], m["received"]) for m in shown["members"]} == {ann.leg: (50, 50), bob.leg: (50, 50), eve.leg: (0, 100)}
        assert shown["messages"] >= 100 and shown["held_octets"] == 0


def test_private_messages_reach_whom_they_should(node):
    with guests(node, "ann", "bob", "eve") as (ann, bob, eve):
        assert ann.say("psst", to=bob.identity) == 200
        assert ann.say("psst", to="im:bob@example.net") == 200
        assert ann.say("all") == 200
        assert [text for _, text in bob.got(3)] == ["psst", "psst", "all"]
        assert eve.got(1) == [(f"<{ann.identity}>", "all")]
        assert ann.say("?", to="sip:nobody@example.net") == 404
        assert ann.say("?", to=[bob.identity, eve.identity]) == 403
        with Guest(node, "old", lines=("a=accept-wrapped-types:*",)) as old:
            assert ann.say("?", to=old.identity) == 428
            assert ann.say("all") == 200 and old.got(1)[0][1] == "all"
        with Guest(node, "picky", lines=("a=accept-wrapped-types:text/html", "a=chatroom:private-messages")) as picky:
            assert ann.say("?", to=picky.identity) == 415
            assert ann.say("not for picky") == 200
            assert ann.peer.send(cpim(ann.identity, ann.room, "<b>", "text/html")) == 200
            assert picky.got(1)[0][1] == "<b>"


def test_what_is_refused(node):
    with guests(node, "ann", "bob") as (ann, bob):
        peer = ann.peer
        assert peer.send(cpim(bob.identity, ann.room, "x")) == 403, "somebody else's From"
        assert peer.send(b"x", "text/plain") == 415
        assert peer.send(b"no headers") == 400
        assert peer.status(peer.request("SEND", to=ann.path.replace(";tcp", "x;tcp"))) == 481
        assert peer.status(peer.request("AUTH")) == 501
        assert peer.status(peer.request("SEND", ("Content-Type: message/cpim",), b"no id")) == 400
        too_much = (f"Message-ID: {ident()}", f"Byte-Range: 1-*/{(20 << 20) + 1}", "Content-Type: message/cpim")
        assert peer.status(peer.request("SEND", too_much, b"x", "#")) == 413
        beyond = (f"Message-ID: {ident()}", "Byte-Range: 1-*/4", "Content-Type: message/cpim")
        assert peer.status(peer.request("SEND", beyond, b"12345")) == 423
        assert peer.send(b"x", "text/plain", ("Failure-Report: no",), answer=False) not in peer.responses
        assert ann.say("still here") == 200
        assert bob.got(1)[0][1] == "still here"
        second = Peer(ann.path, ann.own)
        assert second.bind() == 506
        second.wait(lambda: second.is_over)
        stranger = Peer(ann.path.replace(";tcp", "0;tcp"), ann.own)
        assert stranger.bind() == 481
        stranger.wait(lambda: stranger.is_over)
        garbage = Peer(bob.path, bob.own)
        garbage.write(b"GET / HTTP/1.1\r\n\r\n")
        garbage.wait(lambda: garbage.is_over)
        assert ann.say("and still") == 200 and len(bob.got(2)) == 2


def test_nicknames(node):
    with guests(node, "ann", "bob") as (ann, bob):
        assert ann.peer.nickname('"Queen"') == 200
        assert bob.peer.nickname('"queen"') == 425
        assert bob.peer.nickname('"Conference"') == 425
        assert bob.peer.nickname("King") == 424
        assert bob.peer.nickname('"König"') == 200
        names = {m["participant"]: m["nickname"] for m in chat(node)["members"]}
        assert names == {ann.leg: "Queen", bob.leg: "König"}
        assert {p["id"]: p["nickname"] for p in node.participants("room")} == names
        assert ann.peer.nickname('""') == 200 and bob.peer.nickname('"Queen"') == 200
        with Guest(node, "ann") as other:  # another phone of hers
            assert ann.peer.nickname('"Annie"') == 200 and other.peer.nickname('"annie"') == 200


def test_reports(node):
    with guests(node, "ann", "bob") as (ann, bob):
        body = cpim(ann.identity, ann.room, "x" * 5000)
        assert ann.peer.send_chunks(body, 2048, ("Success-Report: yes",)) == [200] * 3
        ann.peer.wait(lambda: ann.peer.reports)
        report = ann.peer.reports.pop()
        assert report["status"] == "000 200 OK" and report["byte-range"] == f"1-{len(body)}/{len(body)}" and report["body"] is None
        assert ann.say("x", to=bob.identity, headers=("Success-Report: yes", "Failure-Report: no"), answer=False)
        ann.peer.wait(lambda: ann.peer.reports)
        assert ann.identity.encode() in ann.peer.reports[0]["body"] and bob.identity.encode() in ann.peer.reports[0]["body"]
        assert len(bob.got(2)) == 2 and not bob.peer.reports


def test_who_comes_late(node):
    with guests(node, "ann", "bob") as (ann, bob):
        late = []

        def come(n):
            if n == 1:
                late.append(Guest(node, "late"))

        body = cpim(ann.identity, ann.room, os.urandom(3000).hex())
        assert ann.peer.send_chunks(body, 2500, between=come) == [200] * 3
        with late[0]:
            bob.got(1)
            assert bytes(bob.peer.messages[0].octets) == body
            assert ann.say("after") == 200
            assert late[0].got(1)[0][1] == "after", "and nothing of what had begun"


def test_history(node):
    with Guest(node, "ann", "past") as ann:
        for n in range(4):
            assert ann.say(f"{n}") == 200
        with Guest(node, "bob", "past") as bob:
            assert ann.say("secret", to=bob.identity) == 200
            assert [text for _, text in bob.got(3)] == ["2", "3", "secret"]
        with Guest(node, "eve", "past") as eve:
            assert [text for _, text in eve.got(2)] == ["2", "3"]


def test_over_tls_with_certificates(node):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ann, bob = (stack.enter_context(Guest(node, who, "safe", certificate(folder, who))) for who in ("ann", "bob"))
        assert ann.path.startswith("msrps://")
        assert ann.say("sealed") == 200 and bob.got(1) == [(f"<{ann.identity}>", "sealed")]
        other = certificate(folder, "other")
        eve = stack.enter_context(Guest(node, "eve", "safe", certificate(folder, "eve"), connects=False))
        peer = Peer(eve.path, eve.own, (other[0], other[0]))
        peer.request("SEND", (f"Message-ID: {ident()}",))
        peer.wait(lambda: peer.is_over), "the certificate of somebody else"
        assert 200 not in peer.responses.values()
        eve.connect()
        assert ann.say("and") == 200 and eve.got(1)[0][1] == "and"


def test_a_file_and_talk_beside_it(node):
    content = os.urandom(8 << 20)
    with guests(node, "ann", "bob", "eve") as (ann, bob, eve):
        body = cpim(ann.identity, ann.room, content, "application/octet-stream")
        sending = threading.Thread(target=ann.peer.send_chunks, args=(body, 1 << 20))
        sending.start()
        said = 0
        while sending.is_alive() and said < 200:
            assert eve.say(f"meanwhile {said}") == 200
            said += 1
        sending.join()
        bob.wait(said + 1, 120)
        files = [m for m in bob.peer.messages if len(m.octets) > 1 << 20]
        assert len(files) == 1 and hashlib.sha256(files[0].cpim[2]).digest() == hashlib.sha256(content).digest()
        assert [m.text for m in bob.peer.messages if m not in files] == [f"meanwhile {n}" for n in range(said)]
        half = body[:3 << 20]
        peer = ann.peer
        assert peer.status(peer.request("SEND", (f"Message-ID: {ident()}", f"Byte-Range: 1-*/{len(body)}", "Content-Type: message/cpim"), half, "#")) == 200
        bob.peer.wait(lambda: bob.peer.aborted)
        assert chat(node)["held_octets"] == 0


def test_who_does_not_read_is_cut_off_and_nobody_waits():
    with house({"id": "room"}, chat={"queue_max": "1M"}) as node, guests(node, "ann", "bob") as (ann, bob), Guest(node, "eve", reads=False) as eve:
        assert wait_until(lambda: len([m for m in chat(node)["members"] if m["connected"]]) == 3, 10, "three")
        text = "x" * 2000
        sent, begun = 0, time.monotonic()
        while not chat(node)["dropped"]:
            for _ in range(100):
                ann.say(text, headers=("Failure-Report: no",), answer=False)
            sent += 100
            bob.got(sent)
            assert sent < 20000
        assert ann.say("and on it goes") == 200
        bob.got(sent + 1)
        assert time.monotonic() - begun < 60
        assert "does not read what is sent to it" in node.logs()
        assert chat(node)["held_octets"] == 0
        assert [m["connected"] for m in chat(node)["members"] if m["participant"] == eve.leg] == [False]


def test_a_crowd(node):
    count, each = 12, 60
    with guests(node, *(f"user{n}" for n in range(count))) as crowd:
        def talk(guest):
            for n in range(each):
                guest.say(f"{guest.who} {n} {'x' * (n * 37 % 3000)}", headers=("Failure-Report: no",), answer=False)

        threads = [threading.Thread(target=talk, args=(guest,)) for guest in crowd]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for guest in crowd:
            got = [text.split() for _, text in guest.got((count - 1) * each, 120)]
            for other in crowd:
                if other is not guest:
                    assert [int(words[1]) for words in got if words[0] == other.who] == list(range(each))
            assert len(got) == (count - 1) * each


def test_roles_muting_and_the_conference_itself(node):
    with guests(node, "ann", "eve", conference="class") as (ann, eve):
        assert ann.say("x") == 200 and eve.say("x") == 403, "a listener reads only"
        assert eve.got(1)
        said = node.http("/v1/conferences/class/chat/messages", "POST", {"text": "Willkommen, ö"})
        assert said == {"recipients": 2}
        assert ann.got(1)[0][1] == "Willkommen, ö"
        assert ann.peer.messages[0].cpim[0]["from"].startswith('"Conference" <sip:class@')
        assert node.http("/v1/conferences/class/chat/messages", "POST", {"text": "du", "participant": eve.leg}) == {"recipients": 1}
        assert [text for _, text in eve.got(3)] == ["x", "Willkommen, ö", "du"]
        muted = node.http(f"/v1/conferences/class/chat/{ann.leg}/mute", "POST")
        assert [m["muted"] for m in muted["members"] if m["participant"] == ann.leg] == [True]
        assert ann.say("y") == 403
        node.http(f"/v1/conferences/class/chat/{ann.leg}/unmute", "POST")
        assert ann.say("z") == 200
        node.http(f"/v1/conferences/class/participants/{ann.leg}", "DELETE")
        ann.peer.wait(lambda: ann.peer.is_over)
        assert [m["participant"] for m in chat(node, "class")["members"]] == [eve.leg]


def test_who_waits_in_the_lobby_hears_nothing():
    with house({"id": "room", "lobby": True, "moderators": ["sip:ann@example.net"]}) as node, guests(node, "ann") as (ann,):
        guest = Guest(node, "eve", connects=False)
        with guest:
            guest.peer = Peer(guest.path, guest.own)
            transaction = guest.peer.request("SEND", (f"Message-ID: {ident()}",))
            assert ann.say("secret") == 200
            assert [m["participant"] for m in chat(node)["members"]] == [ann.leg]
            assert transaction not in guest.peer.responses
            node.http(f"/v1/conferences/room/participants/{guest.leg}/admit", "POST")
            assert guest.peer.status(transaction) == 200
            assert ann.say("public") == 200 and guest.got(1)[0][1] == "public"


def test_chat_is_switched_off(node):
    with guests(node, "ann", "bob", conference="past") as (ann, bob):
        half = (f"Message-ID: {ident()}", "Byte-Range: 1-*/99999", "Content-Type: message/cpim")
        for guest in (ann, bob):
            assert guest.peer.status(guest.peer.request("SEND", half, cpim(guest.identity, guest.room, "x" * 5000), "+")) == 200
        node.http("/v1/conferences/past", "PATCH", {"chat": False})
        for guest in (ann, bob):
            guest.peer.wait(lambda: guest.peer.is_over)
        assert chat(node, "past")["members"] == [] and chat(node, "past")["on"] is False
        for guest in (ann, bob):
            offer = next(m for m in iter(guest.caller.receive, None) if m.text.startswith("INVITE"))
            assert "m=message 0 " in offer.text, "its m-line goes"
            guest.caller.reply(offer, body=sdp(lines=["m=message 0 TCP/MSRP *"], version=2, **guest.keys))
            next(m for m in iter(guest.caller.receive, None) if m.text.startswith("ACK"))
        node.http("/v1/conferences/past", "PATCH", {"chat": True})


def test_who_is_anonymous(node):
    with guests(node, "ann") as (ann,), Guest(node, "eve", headers=("Privacy: id",)) as eve:
        user = next(p["user_id"] for p in node.participants("room") if p["private"])
        name = f"sip:anonymous{user}@anonymous.invalid"
        assert eve.say("it is me") == 403, "that would say who it is"
        assert eve.peer.send(cpim(name, eve.room, "somebody")) == 200
        assert eve.peer.send(cpim("sip:anonymous@anonymous.invalid", eve.room, "or other")) == 200
        assert ann.got(2)[0] == (f"<{name}>", "somebody")
        assert ann.say("psst", to=name) == 200 and eve.got(1)[0][1] == "psst"
        assert ann.say("psst", to=eve.identity) == 404


def test_fifty_megabytes():
    content = os.urandom(50 << 20)
    with house({"id": "room"}) as node, guests(node, "ann", "bob", "eve") as (ann, bob, eve):
        assert int(ann.said("max-size")) == 100 << 20
        body = cpim(ann.identity, ann.room, content, "application/octet-stream")
        before = memory_peak(node)
        assert ann.peer.send_chunks(body, 8 << 20) == [200] * 7
        for guest in (bob, eve):
            guest.wait(1, 120)
            assert hashlib.sha256(guest.peer.messages[0].cpim[2]).digest() == hashlib.sha256(content).digest()
        shown = chat(node)
        assert shown["octets"] == len(body) and shown["held_octets"] == 0
        assert memory_peak(node) - before < 10 << 20 or SANITIZED, "it was passed on, not held"


def memory_peak(node):
    """In octets."""
    with open(f"/proc/{node.cp.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1]) << 10


def test_the_floor_of_the_chat():
    with house({"id": "room", "floors": ["board chat"]}) as node, guests(node, "ann", "bob") as (ann, bob):
        assert ann.say("x") == 403
        node.http("/v1/conferences/room/floors/board/requests", "POST", {"participant": ann.leg})
        assert ann.say("y") == 200 and bob.say("z") == 403
        assert bob.got(1)[0][1] == "y"


def test_who_was_lost_comes_again(node):
    with guests(node, "ann", "bob") as (ann, bob):
        assert bob.peer.nickname('"Bobby"') == 200
        bob.peer.close()
        wait_until(lambda: [m["connected"] for m in chat(node)["members"] if m["participant"] == bob.leg] == [False], 10, "that it is noticed")
        assert ann.say("unheard") == 200 and ann.say("?", to=bob.identity) == 404
        bob.connect()
        assert ann.say("heard") == 200
        assert [text for _, text in bob.got(1)] == ["heard"]
        assert [m["nickname"] for m in chat(node)["members"] if m["participant"] == bob.leg] == ["Bobby"]


def test_live_and_by_command_line(node, tmp_path):
    with Stream(Api(node)) as stream, guests(node, "ann", "bob") as (ann, bob):
        ann.peer.nickname('"Queen"')
        assert ann.say("hello\n\u001b[31mworld") == 200 and ann.say("secret", to=bob.identity) == 200
        assert ann.peer.send(cpim(ann.identity, ann.room, b"\x89PNG", "image/png")) == 200
        seen = stream.until(lambda name, data: name == "chat-message" and data["type"] == "image/png")
        said = [data for name, _, data in seen if name == "chat-message"]
        assert len(said) == 2, "what is private is not told"
        assert said[0].pop("at").startswith("20")
        assert said[0] == {"conference": "room", "participant": ann.leg, "nickname": "Queen", "from": ann.identity, "type": "text/plain", "size": 16,
                           "text": "hello\n\u001b[31mworld", "recipients": 1}
        assert said[1]["type"] == "image/png" and said[1]["text"] is None
        shown = node.cli("chat", "show", "room").stdout
        assert "Queen" in shown
        assert json.loads(node.cli("--json", "chat", "say", "room", "coffee").stdout) == {"recipients": 2}
        bob.wait(4)
        assert bob.peer.messages[-1].text == "coffee"
        node.cli("chat", "mute", "room", str(ann.leg))
        assert ann.say("x") == 403
        assert node.cli("chat", "mute", "room", "99999", check=False).returncode != 0
        node.cli("chat", "unmute", "room", str(ann.leg))
        audit = [row["what"] for row in node.api("audit")["entries"]]
        assert "said in the chat" in audit and f"muted participant {ann.leg} in the chat" in audit and f"unmuted participant {ann.leg} in the chat" in audit


def test_who_may_steer_the_chat(tmp_path):
    tokens = tmp_path / "tokens"
    made = {who: token(tokens, who, "--identity", f"sip:{who}@example.net") for who in ("ann", "mod", "zoe")}
    room = {"id": "room", "security": "none", "chat": True, "moderators": ["sip:mod@example.net"], "authorised": ["sip:ann@example.net"]}
    with Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}, "conferences": [room], "http": {"tokens": str(tokens)}}) as node:
        apis = {who: Api(node, token=text, tcp=True) for who, text in made.items()}
        with guests(node, "ann") as (ann,):
            c, who = {"conference": "room"}, {"conference": "room", "participant": ann.leg}
            assert apis["ann"].ask("chat_show", **c).json["members"][0]["participant"] == ann.leg
            assert apis["zoe"].ask("chat_show", **c).status in (403, 404)
            for operation, body, values in (("chat_say", {"text": "x"}, c), ("chat_mute", None, who), ("chat_unmute", None, who)):
                assert apis["ann"].ask(operation, body, **values).status == 403
            assert apis["mod"].ask("chat_say", {"text": "silence"}, **c).status == 202
            assert apis["mod"].ask("chat_mute", **who).status == 200 and ann.say("x") == 403
            assert apis["mod"].ask("chat_mute", **who).status in (200, 409), "it is"
            assert ann.got(1)[0][1] == "silence"


def test_nicknames_in_the_roster(node):
    with guests(node, "ann", "bob") as (ann, bob), Caller(node, "room") as watcher:
        assert ann.peer.nickname('"Queen & Co"') == 200
        bodies = []

        def has_been_told(text):
            notify = watcher.receive(1)
            if notify and notify.text.startswith("NOTIFY"):
                watcher.reply(notify)
                bodies.append(notify.text)
            return any(text in body for body in bodies)

        watcher.send("SUBSCRIBE", ["Event: conference", "Expires: 60", "P-Asserted-Identity: <sip:eve@example.net>"])
        wait_until(lambda: has_been_told('xcon:nickname="Queen &amp; Co"'), 15, "the nickname")
        assert bob.peer.nickname('"King"') == 200
        wait_until(lambda: has_been_told('xcon:nickname="King"'), 15, "another one")
