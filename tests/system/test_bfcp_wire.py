"""Floor control by messages that a lazy server would not expect: groups, other primitives, several floors at once, the last error of the text; c-s; the roster."""
import struct

import pytest

from bfcp import attribute, message
from floor_line import AVP, Floor, bfcp, describe, section, value
from node import Node, wait_until
from phone import Phone
from sip import Caller
from watch import Watcher

FLOORS = ["stage chair", "board chat", "both audio chat"]
CHAT = "\n".join(["m=message 9 TCP/MSRP *", "a=setup:active", "a=accept-types:message/cpim", "a=accept-wrapped-types:*", "a=path:msrp://127.0.0.1:9/s1x;tcp"])
ROOM = {"id": "room", "security": "none", "identity": "required", "moderators": ["sip:mod@example.net"],
        "authorised": ["sip:anna@example.net", "sip:bert@example.net"], "chat": True, "floors": FLOORS}
# What FloorRequestStatus and Error have to have.
WHOLE = {4: [("FLOOR-REQUEST-INFORMATION", (1, [("FLOOR-REQUEST-STATUS", (1, [("REQUEST-STATUS", "Granted")]))]))],
         13: [attribute(None, b"\1", type=6)]}
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def node():
    with Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}, "conferences": [ROOM]}) as running:
        yield running


@pytest.fixture
def people(node):
    with Phone(node, "mod") as mod, Phone(node, "anna") as anna:
        mod.connect()
        anna.connect()
        yield mod.client, anna.client


def test_what_no_chair_can_decide(people):
    """14, the generic error: statuses that are nobody's to give, and a step back."""
    mod, anna = people
    request = anna.request(1).requests[0].id
    for status in ("Pending", "Cancelled", "Released", 99):
        told = mod.act(request, 1, status)
        assert told.error == 14 and told.get("ERROR-INFO"), status
    assert mod.act(request, 1, "Granted").primitive == "ChairActionAck"
    assert mod.act(request, 1, "Accepted").error == 14
    assert mod.act(request, 2, "Denied").error == 6 and mod.act(4711 if request != 4711 else 4712, 1, "Denied").error == 7
    assert mod.act(request, 1, "Denied", info="no").primitive in ("ChairActionAck", "Error")
    anna.release(request)


def test_the_roster_says_who_is_heard(node, people):
    """RFC 4575: who has not the floor of the audio is muted via the focus, and its stream goes one way."""
    _, anna = people
    with Watcher(node, "room", from_header="<sip:bert@example.net>") as watcher:
        assert watcher.subscribe(headers=["P-Asserted-Identity: <sip:bert@example.net>"]).status == 200

        def is_told(who, status, media):
            watcher.notify(1)
            return (watcher.roster.text(f"sip:{who}@example.net", "status"), watcher.roster.text(f"sip:{who}@example.net", "media/status")) == (status, media)

        wait_until(lambda: is_told("anna", "muted-via-focus", "recvonly"), 10, "nobody is heard")
        request = anna.request(3).requests[0]
        assert request.status == "Granted"
        wait_until(lambda: is_told("anna", "connected", "sendrecv"), 10, "the holder")
        assert is_told("mod", "muted-via-focus", "recvonly")
        anna.release(request.id)
        wait_until(lambda: is_told("anna", "muted-via-focus", "recvonly"), 10, "nobody again")


@pytest.mark.parametrize("primitive", [0, 4, 6, 8, 10, 12, 13, 14, 15, 16, 17, 255])
def test_primitives_that_are_none_here(people, primitive):
    """What only servers say, what belongs to UDP, what is none."""
    _, anna = people
    assert anna.ask(primitive, WHOLE.get(primitive, [])).error == 3
    assert anna.hello().primitive == "HelloAck", "and the connection goes on"


def test_an_unknown_attribute_within_a_group(people):
    """5.2.x: mandatory ones are named, others are passed over, at whatever depth."""
    mod, anna = people
    request = anna.request(1).requests[0].id

    def action(inner):
        status = struct.pack("!BB", 17 << 1 | 1, 4 + 4 + len(inner)) + struct.pack("!H", 1) + attribute("REQUEST-STATUS", "Denied") + inner
        return [struct.pack("!BB", 15 << 1 | 1, 4 + len(status)) + struct.pack("!H", request) + status]

    unknown = mod.ask("ChairAction", action(attribute(None, b"xy", type=99)))
    assert unknown.error == 4 and [octet >> 1 for octet in unknown.get("ERROR-CODE")[1]] == [99]
    assert anna.ask("FloorRequestQuery", [("FLOOR-REQUEST-ID", request)]).requests[0].status == "Pending", "nothing came of it"
    assert mod.ask("ChairAction", action(attribute(None, b"xyz", mandatory=False, type=99))).primitive == "ChairActionAck"
    anna.status(request, "Denied")


@pytest.mark.parametrize("octets", [struct.pack("!BBH", 5, 0, 1), struct.pack("!BBH", 5, 1, 1), struct.pack("!BBH", 5, 3, 1), struct.pack("!BBHI", 5, 6, 1, 0),
                                    struct.pack("!BBH", 31, 4, 1) + struct.pack("!BBH", 35, 8, 1)])
def test_attributes_that_do_not_fit(people, octets):
    _, anna = people
    anna.socket.sendall(message("FloorRequest", anna.conference, 77, anna.user, [octets]))
    assert anna.answer(77).error == 10 and anna.is_ended()


def test_several_floors_in_one_request(people):
    """Granted when all of them are; each has a status of its own."""
    mod, anna = people
    asked = anna.request(1, 2).requests[0]
    assert asked.status == "Pending" and set(asked.floors) == {1, 2}
    held = mod.request(2).requests[0]
    assert held.status == "Granted", "nobody waits for a chair there"
    mod.act(asked.id, 1, "Granted")
    now = anna.ask("FloorRequestQuery", [("FLOOR-REQUEST-ID", asked.id)]).requests[0]
    assert now.status != "Granted"
    mod.release(held.id)
    anna.status(asked.id, "Granted")
    assert anna.release(asked.id).requests[0].status == "Released"


def test_a_floor_of_two_m_lines_and_c_s(node):
    """RFC 8856: c-s is taken for a client, answered s-only; a floor of audio and chat names both labels."""
    caller = Caller(node, "room", from_header="<sip:bert@example.net>")
    answer = caller.invite(["P-Asserted-Identity: <sip:bert@example.net>"], describe(AVP, bfcp().replace("c-only", "c-s"), CHAT))
    sound, floor, chat = (section(answer.body, media) for media in ("audio", "application", "message"))
    labels = value(sound, "label"), value(chat, "label")
    assert value(floor, "floorctrl") == "s-only"
    assert [line.partition(":")[2] for line in floor if line.startswith("a=floorid:")] == [
        f"1 mstrm:{labels[0]}", f"2 mstrm:{labels[1]}", f"3 mstrm:{labels[0]} {labels[1]}"]
    assert Floor(floor).hello()
    caller.bye()
