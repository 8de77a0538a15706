"""Floor control over BFCP with a client that is none of ours (tests/lib/bfcp.py): SDP, policies, every error, breaks, and who is heard."""
import re
import socket
import ssl
import struct
import time
import warnings

import pytest

from bfcp import ATTRIBUTES, CODES, Client, attribute, message
from node import Node, wait_until
from openapi import Api
from phone import Phone, certificate

pytestmark = pytest.mark.sanitized

LOUD = 500  # of 8031: a tone in the mix, and not what a window of it lets through


def node_with(*floors, security="none", **more):
    config = {"sip": {"trusted_peers": ["127.0.0.0/8"]}, **more.pop("config", {})}
    return Node({**config, "conferences": [{"id": "room", "security": security, "identity": "required", "floors": list(floors), **more}]})


@pytest.fixture(scope="module")
def stage():
    """One floor of the audio, who comes first; nobody is in it between tests."""
    with node_with("stage") as node:
        yield node


@pytest.fixture
def phone(stage):
    phones = []

    def make(who, **more):
        phones.append(Phone(stage, who, **more))
        assert phones[-1].answer.status == 200, phones[-1].answer.text
        return phones[-1]

    yield make
    for each in phones:
        each.close()
    stage.wait_participants(0, "room")


def test_sdp_says_who_and_where(phone):
    """RFC 8856: an answer for a client that opens the connection."""
    anna, bert = phone("anna"), phone("bert")
    assert anna.application.split()[2:4] == ["TCP/BFCP", "*"]
    assert anna.said("setup") == ["passive"] and anna.said("floorctrl") == ["s-only"]
    assert anna.conference == bert.conference and 0 < anna.user < 65536 and anna.user != bert.user
    floorid, stream = re.fullmatch(r"(\d+) mstrm:(\S+)", anna.said("floorid")[0]).groups()
    assert floorid == "1"
    assert f"a=label:{stream}" in anna.sections[1], "the audio has the label that the floor names"


def test_hello_tells_what_is_supported(phone):
    answer = phone("anna").connect().hello()
    assert answer.primitive == "HelloAck"
    assert set(range(1, 14)) <= set(answer.get("SUPPORTED-PRIMITIVES"))
    assert set(ATTRIBUTES) <= set(answer.get("SUPPORTED-ATTRIBUTES"))


def test_a_floor_is_asked_for_granted_released(stage, phone):
    anna, bert = phone("anna").connect(), phone("bert").connect()
    granted = anna.request(1, info="me first")
    assert granted.primitive == "FloorRequestStatus" and granted.user == anna.user
    first = granted.requests[0]
    assert (first.status, list(first.floors), first.said) == ("Granted", [1], "me first")
    waits = bert.request(1).requests[0]
    assert (waits.status, waits.place) == ("Accepted", 1)
    people = {p["display"]: p for p in stage.participants("room")}
    assert people["Anna"]["floors"] == ["stage"] and people["Anna"]["status"] == "connected"
    assert people["Bert"]["floors"] == [] and people["Bert"]["status"] == "muted-via-focus"
    assert anna.release(first.id).requests[0].status == "Released"
    bert.status(waits.id, "Granted")
    # what is asked about it
    shown = anna.query(1)
    assert shown.primitive == "FloorStatus" and shown.get("FLOOR-ID") == 1
    assert [(r.id, r.status, r.beneficiary, r.name) for r in shown.requests] == [(waits.id, "Granted", bert.user, "Bert")]
    about = anna.ask("UserQuery", [("BENEFICIARY-ID", bert.user)])
    assert about.primitive == "UserStatus" and about.get("BENEFICIARY-INFORMATION")[0] == bert.user and [r.id for r in about.requests] == [waits.id]
    assert anna.ask("FloorRequestQuery", [("FLOOR-REQUEST-ID", waits.id)]).requests[0].status == "Granted"
    # who has subscribed to the floor is told, until it asks for none
    bert.release(waits.id)
    assert anna.notice(lambda m: m.primitive == "FloorStatus").requests == []
    assert anna.query().primitive == "FloorStatus"
    bert.request(1)
    anna.hello()
    assert not anna.others


def test_only_the_holder_is_heard(phone):
    anna, bert, ear = phone("anna", hz=400), phone("bert", hz=700), phone("ear", hz=1000, floor=False)
    for each in (anna, bert):
        each.connect()
    wait_until(lambda: ear.hear() < LOUD, 10, "silence without a holder")
    for holder, other in ((anna, bert), (bert, anna)):
        request = holder.client.request(1).requests[0]
        assert request.status == "Granted"
        wait_until(lambda: ear.hear() > LOUD, 10, "the holder's tone")
        assert holder.hear() < LOUD and other.hear() > LOUD, "the holder does not hear itself, the other hears it"
        holder.client.release(request.id)
        wait_until(lambda: ear.hear() < LOUD, 10, "silence")


def test_errors_of_the_text(phone):
    """Each error code of RFC 8855 5.2.6 that TCP has, by what provokes it."""
    anna, bert = phone("anna").connect(), phone("bert").connect()
    request = anna.request(1).requests[0].id
    assert anna.ask("Hello", conference=anna.conference ^ 1).error == 1
    assert anna.ask("UserQuery", [("BENEFICIARY-ID", 0)]).error == 2
    assert anna.request(1, beneficiary=65535 if bert.user != 65535 else 65534).error in (2, 5)
    assert anna.ask(200).error == 3
    assert anna.ask("FloorStatus").error == 3, "only servers send it"
    unknown = anna.ask("Hello", [attribute(None, b"xy", type=99), attribute(None, b"zz", type=100), attribute(None, b"q", mandatory=False, type=101)])
    assert unknown.error == 4 and [octet >> 1 for octet in unknown.get("ERROR-CODE")[1]] == [99, 100]
    assert anna.ask("Hello", [attribute(None, b"q", mandatory=False, type=101)]).primitive == "HelloAck", "not mandatory: passed over"
    assert anna.ask("Hello", user=bert.user).error == 5, "another's user ID on one's own connection"
    assert bert.release(request).error == 5
    assert bert.act(request, 1, "Revoked").error == 5, "no chair"
    assert anna.request(7).error == 6
    assert anna.query(1, 7).error == 6
    assert anna.release(4711 if request != 4711 else 4712).error == 7
    assert anna.request(1).error == 8, "it has one already"
    for client, broken, error in ((anna, message("FloorRequest", anna.conference, 7, anna.user, [struct.pack("!BBH", 5, 9, 1)]), 10),
                                  (bert, message("Hello", bert.conference, 7, bert.user, version=3), 12)):
        client.socket.sendall(broken)
        told = client.answer(7)
        assert told.error == error and told.get("ERROR-INFO")
        assert client.is_ended(), "what follows cannot be trusted"


def test_what_cannot_be_followed_is_ended(phone):
    anna = phone("anna")
    client = anna.connect()
    client.socket.sendall(struct.pack("!BBHIHH", 0x20, CODES["Hello"], 0xffff, client.conference, 9, client.user) + bytes(60000))
    assert client.answer(9).error == 13 and client.is_ended()
    # and the others, and the call, know nothing of it
    assert anna.connect().hello().primitive == "HelloAck"
    anna.client.close()


def test_who_is_nobody_is_told_so_and_let_go(stage, phone):
    anna = phone("anna")
    for header, error in (({"conference": anna.conference ^ 0x5555}, 1), ({"user": anna.user % 65535 + 1}, 2)):
        client = Client(anna.address, **{"conference": anna.conference, "user": anna.user, **header})
        assert client.hello().error == error and client.is_ended()
    # one connection for an m-line
    mine = anna.connect()
    mine.hello()
    other = Client(anna.address, anna.conference, anna.user)
    assert other.hello().error == 5 and other.is_ended()
    assert mine.hello().primitive == "HelloAck"
    # octet by octet, and many at once
    for octet in message("Hello", mine.conference, 77, mine.user):
        mine.socket.sendall(bytes([octet]))
    assert mine.answer(77).primitive == "HelloAck"
    mine.socket.sendall(b"".join(message("Hello", mine.conference, n, mine.user) for n in range(1, 501)))
    assert [mine.receive().transaction for _ in range(500)] == list(range(1, 501))


def test_listeners_may_not_ask(stage, phone):
    anna = phone("anna")
    client = anna.connect()
    request = client.request(1).requests[0].id
    who = stage.participants("room")[0]["id"]
    stage.cli("participant", "role", "room", str(who), "listener")
    client.status(request, "Revoked")
    assert client.request(1).error == 5
    stage.cli("participant", "role", "room", str(who), "participant")
    assert client.request(1).requests[0].status == "Granted"


def test_a_connection_that_breaks_keeps_its_place():
    with node_with("stage", config={"floor": {"keep_for": "4s"}}) as node:
        phones = {who: Phone(node, who) for who in ("anna", "bert", "carl")}
        anna, bert, carl = (each.connect() for each in phones.values())
        holds = anna.request(1).requests[0].id
        waits = bert.request(1).requests[0].id
        last = carl.request(1).requests[0].id
        # cut in the queue, and there again before its time is over: the same request, the same place
        bert.close()
        bert = phones["bert"].connect()
        wait_until(lambda: bert.ask("FloorRequestQuery", [("FLOOR-REQUEST-ID", waits)]).requests[0].place == 1, 5, "the place")
        # away when the floor is free: passed over
        bert.close()
        wait_until(lambda: "is lost" in node.logs(), 10, "the break in the log")
        time.sleep(0.3)
        anna.release(holds)
        carl.status(last, "Granted")
        bert = phones["bert"].connect()
        assert bert.ask("FloorRequestQuery", [("FLOOR-REQUEST-ID", waits)]).requests[0].status == "Accepted"
        # a holder who is killed loses the floor when its time is over, at once when its call ends
        carl.close()
        bert.status(waits, "Granted", seconds=15)
        next_one = anna.request(1).requests[0].id
        phones["bert"].caller.bye()
        anna.status(next_one, "Granted")
        assert bert.is_ended(), "with the call the connection ends"
        # the focus removes somebody: its connection ends too
        node.cli("participant", "remove", "room", str(next(p["id"] for p in node.participants("room") if p["display"] == "Anna")))
        assert anna.is_ended()
        for each in phones.values():
            each.close()


def test_chairs_decide_and_one_is_killed():
    moderators = ["sip:mod@example.net", "sip:other@example.net"]
    with node_with("stage chair", authorised=["sip:anna@example.net", "sip:bert@example.net"], moderators=moderators) as node:
        with Phone(node, "mod") as mod, Phone(node, "other") as other, Phone(node, "anna") as anna, Phone(node, "bert") as bert:
            for each in (mod, other, anna, bert):
                each.connect()
            mod.client.query(1)
            first = anna.client.request(1, priority=4).requests[0]
            assert first.status == "Pending"
            seen = mod.client.notice(lambda m: m.primitive == "FloorStatus" and m.requests)
            assert [(r.id, r.status) for r in seen.requests] == [(first.id, "Pending")], "chairs see who waits for them"
            assert bert.client.query(1).requests == [], "nobody else does"
            assert bert.client.act(first.id, 1, "Granted").error == 5
            assert mod.client.act(first.id, 1, "Granted").primitive == "ChairActionAck"
            anna.client.status(first.id, "Granted")
            second = bert.client.request(1).requests[0]
            for status in ("Pending", "Cancelled", "Released"):
                assert mod.client.act(second.id, 1, status).error == 14, "a chair does no such thing"
            # the chair is killed: what waits goes on waiting, for another one
            mod.caller.send("BYE")
            wait_until(lambda: len(node.participants("room")) == 3, 10, "the chair's end")
            assert other.client.act(second.id, 1, "Accepted", place=1).primitive == "ChairActionAck"
            bert.client.status(second.id, "Accepted")
            assert other.client.act(first.id, 1, "Revoked", info="time is up").primitive == "ChairActionAck"
            revoked = anna.client.notice(lambda m: m.primitive == "FloorRequestStatus" and m.requests[0].status == "Revoked")
            assert revoked.requests[0].info == "time is up"
            bert.client.status(second.id, "Granted")
            # a moderator asks for somebody else
            other.client.act(second.id, 1, "Revoked")
            made = other.client.request(1, beneficiary=anna.user).requests[0]
            assert (made.beneficiary, made.requested_by) == (anna.user, other.user)
            assert anna.client.request(1, beneficiary=bert.user).error == 5
            audit = [(e["by"], e["what"].split(" (")[0]) for e in node.api("audit", "--conference", "room")["entries"] if e["what"].startswith("floor ")]
            assert audit[::-1][:2] == [("sip:mod@example.net", "floor stage: Granted for sip:anna@example.net"),
                                       ("sip:other@example.net", "floor stage: Accepted for sip:bert@example.net")], audit


def test_a_limit_warns_and_revokes():
    with node_with("stage limit=3 warning=1") as node, Phone(node, "anna") as anna:
        client = anna.connect()
        begun = time.monotonic()
        request = client.request(1).requests[0].id
        warned = client.notice(lambda m: m.primitive == "FloorRequestStatus")
        assert warned.requests[0].status == "Granted" and "ends in" in warned.requests[0].info and time.monotonic() - begun > 1.9
        client.status(request, "Revoked")
        assert time.monotonic() - begun > 2.9


def test_a_reader_who_stalls_holds_up_nobody():
    with node_with("stage", config={"streams": {"queue_max": "64K"}}) as node:
        with Phone(node, "anna") as anna, Phone(node, "bert") as bert:
            stalls, client = bert.connect(), anna.connect()
            stalls.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalls.query(1)
            for number in range(40000):
                request = client.request(1, info="x" * 90)
                client.release(request.requests[0].id)
                if number % 200 == 0 and "cut off" in node.logs():
                    break
            assert "it reads nothing" in node.logs()
            assert client.request(1).requests[0].status == "Granted"
            assert bert.connect().hello().primitive == "HelloAck", "it may come again"


def test_floors_change_while_people_hold_them(tmp_path):
    with node_with("stage", "board chat") as node, Phone(node, "anna") as anna:
        client = anna.connect()
        assert client.request(1).requests[0].status == "Granted"
        second = client.request(2).requests[0]
        node.cli("conference", "update", "room", "--floors", "stage", "--floors", "paper chat")
        client.status(second.id, "Revoked")
        assert leg_floors(node) == ["stage"]
        # the same as SDP says it; other media are offered anew, on the same connection
        assert not [m for m in iter(lambda: anna.caller.receive(0.5), None) if m.method == "INVITE"]
        node.cli("conference", "update", "room", "--floors", "stage", "--floors", "paper chat", "--floors", "desk audio")
        offer = anna.agree_again()
        assert re.findall(r"a=floorid:(\d)", offer) == ["1", "3"], "of the chat there is no m-line"
        assert "a=connection:existing" in offer and leg_floors(node) == ["stage"]
        assert client.request(3).requests[0].status == "Granted"
        # no floors, no floor control, and the call goes on
        assert Api(node).ask("conference_update", {"floors": []}, conference="room").status == 200
        assert client.is_ended()
        assert "m=application 0 " in anna.agree_again(application="m=application 0 TCP/BFCP *")
        assert leg_floors(node) == []


def leg_floors(node):
    return node.participants("room")[0]["floors"]


def test_tls_with_certificates_by_fingerprint(tmp_path):
    """SDES calls: TLS, certificates both ways; another's certificate, plain TCP and an old TLS are refused, and in the log."""
    mine, others = certificate(tmp_path, "anna"), certificate(tmp_path, "mallory")
    with node_with("stage", security="sdes") as node, Phone(node, "anna", certificate=mine) as anna:
        assert anna.application.split()[2] == "TCP/TLS/BFCP" and anna.said("floorctrl") == ["s-only"]
        client = anna.connect()
        assert client.socket.version() in ("TLSv1.3", "TLSv1.2")
        assert client.request(1).requests[0].status == "Granted"
        client.close()
        wait_until(lambda: "is lost" in node.logs(), 10, "the end in the log")
        stranger = Client(anna.address, anna.conference, anna.user, with_certificate(others[0]))
        assert stranger.hello().error == 5 and stranger.is_ended()
        with pytest.raises((OSError, AssertionError)):
            Client(anna.address, anna.conference, anna.user, with_certificate(mine[0], "TLSv1_1")).hello()
        plain = Client(anna.address, anna.conference, anna.user)
        plain.send("Hello")
        assert plain.is_ended()
        assert "certificate" in node.logs() and "not-tls" in node.logs()
        assert anna.connect().hello().primitive == "HelloAck", "who is right is not harmed"


def with_certificate(path, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
            context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(path)
    return context


def test_plain_tcp_for_a_call_with_tls_is_error_9(tmp_path):
    """A call by SDES beside one in the clear: its user ID at the plain port."""
    with node_with("stage", security="either") as node:
        with Phone(node, "anna", certificate=certificate(tmp_path, "anna")) as anna, Phone(node, "bert") as bert:
            assert bert.connect().hello().primitive == "HelloAck"
            wrong = Client(bert.address, anna.conference, anna.user)
            assert wrong.hello().error == 9 and wrong.is_ended()
            assert anna.connect().hello().primitive == "HelloAck"
