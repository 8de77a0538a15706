"""What SIP still can after a restart of conclave-cp: the media of a call goes on, and either side may hang up, refresh, ask."""
import re
import signal
import threading
import time

import pytest

from node import wait_until
from people import Callee, Referrer
from sip import SipNode, sdp

ROOM = {"id": "room", "security": "sdes", "identity": "none", "anonymous": True}
# Record-Route of a request from a proxy that the test's own socket plays: what we send goes there first.
PROXIES = ["<sip:127.0.0.1:{port};lr;hop=near>", "<sip:192.0.2.1;lr;hop=far>"]


@pytest.fixture
def node():
    with SipNode(conferences=[ROOM], sip={"trusted_peers": ["127.0.0.0/8"]}) as running:
        running.kill("cp")
        running.config["store"] = {"path": running.path("cp.db")}
        running.write_config()
        running.start_cp()
        yield running


def settled(node):
    """What was written before is on disk: who asks for records sees it."""
    node.api("records")


def restart(node):
    settled(node)
    assert node.kill("cp") == -signal.SIGKILL
    node.start_cp()


def joined(node, name="alice", headers=()):
    alice = Referrer(node, "room", name, headers)
    alice.join()
    node.wait_participants(1, "room")
    return alice


def adopted(node, count=1):
    restart(node)
    people = wait_until(lambda: (lambda p: p if len(p) == count else None)(node.participants("room")), 10, "who was there")
    assert {p["state"] for p in people} == {"adopted"}
    return people


def dialled(node, name="bob"):
    bob = Callee(node, name)
    node.cli("conference", "call", "room", bob.identity)
    bob.wait()
    bob.accept()
    node.wait_participants(1, "room")
    return bob


def dialog_of(request):
    return [request["call-id"], *(request[side].rpartition("tag=")[2] for side in ("from", "to"))]


@pytest.mark.parametrize("join", [joined, dialled], ids=["who called", "who was called"])
def test_who_hangs_up_leaves(node, join):
    with join(node) as someone:
        adopted(node)
        answer = someone.request("BYE")
        assert answer.status == 200, answer.text
        node.wait_participants(0, "room")
        record = wait_until(lambda: [r for r in node.api("records")["records"] if r["left_at"]], 10, "a record")[0]
        assert record["departure"] == "departed", record
        assert someone.request("BYE").status == 481, "there is no such dialog any more"


@pytest.mark.parametrize("join", [joined, dialled], ids=["who called", "who was called"])
def test_who_is_removed_gets_a_bye(node, join):
    with join(node) as someone:
        person, = adopted(node)
        node.cli("participant", "mute", "room", str(person["id"]))
        assert node.participants("room")[0]["muted"]
        node.cli("participant", "remove", "room", str(person["id"]))
        bye = someone.wait("BYE")
        assert dialog_of(bye) == [someone.call_id, someone.to_tag, someone.tag]
        assert bye.first.split()[1] == f"sip:sipp@{someone.address}:{someone.port}"
        assert "removed" in bye["reason"] and int(bye["cseq"].split()[0]) < 2**31
        assert someone.request("BYE").status == 200, "it crosses ours"
        assert someone.request("UPDATE").status == 481
        someone.reply(bye)
        assert node.participants("room") == []


def test_a_close_and_an_end_say_bye_too(node):
    with joined(node, "alice") as alice, Referrer(node, "room", "carol") as carol:
        carol.join()
        node.wait_participants(2, "room")
        adopted(node, 2)
        start = time.monotonic()
        node.cp.terminate()
        for someone in (alice, carol):
            bye = someone.wait("BYE")
            assert "going down" in bye["reason"]
            someone.reply(bye)
        assert node.kill("cp", signal.SIGTERM) == 0
        assert time.monotonic() - start < 4, "both had answered"


def test_our_numbers_grow_from_life_to_life(node):
    """A dialog in which we have sent already: our re-INVITE after the media plane was lost."""
    with joined(node) as alice:
        node.kill("dp")
        node.start_dp()
        offer = alice.wait("INVITE")
        alice.accept()
        adopted(node)
        person, = adopted(node)
        node.cli("participant", "remove", "room", str(person["id"]))
        assert int(alice.wait("BYE")["cseq"].split()[0]) > int(offer["cseq"].split()[0])


@pytest.mark.parametrize("change", ["no tag of ours", "another tag of ours", "another tag of theirs", "upper case", "another call"])
def test_no_other_dialog_is_taken_for_it(node, change):
    with joined(node) as alice:
        adopted(node)
        right = alice.tag, alice.to_tag, alice.call_id
        if change == "no tag of ours":
            alice.to_tag = ""
        elif change == "another tag of ours":
            alice.to_tag = alice.to_tag[:-1] + ("a" if alice.to_tag[-1] != "a" else "b")
        elif change == "another tag of theirs":
            alice.tag = alice.tag[:-1] + ("1" if alice.tag[-1] != "1" else "2")
        elif change == "upper case":
            alice.tag = alice.tag.swapcase() if re.search("[a-f]", alice.tag) else alice.tag + "x"
        else:
            alice.call_id += "1"
        answer = alice.request("BYE")
        assert answer.status == 481, answer.text
        assert len(node.participants("room")) == 1
        alice.tag, alice.to_tag, alice.call_id = right
        alice.bye()
        node.wait_participants(0, "room")


def test_refreshes_and_new_offers(node):
    with joined(node) as alice:
        adopted(node)
        answer = alice.request("UPDATE", ["Supported: timer", "Session-Expires: 1800;refresher=uac"])
        assert answer.status == 200 and answer["session-expires"] == "1800;refresher=uac", answer.text
        assert answer["require"] == "timer" and "isfocus" in answer["contact"]
        answer = alice.request("UPDATE", ["Supported: timer", "Session-Expires: 1800;refresher=uas"])
        assert answer.status == 200 and not answer["session-expires"], "we do not refresh any more"
        for method in ("UPDATE", "INVITE"):
            answer = alice.request(method, body=sdp(version=2))
            assert answer.status == 488 and "restarted" in answer["warning"], answer.text
            if method == "INVITE":
                alice.send("ACK", cseq=alice.cseq, branch=alice.branch)
        answer = alice.request("INVITE")
        assert answer.status == 488, answer.text
        alice.send("ACK", cseq=alice.cseq, branch=alice.branch)
        assert alice.request("OPTIONS").status == 200
        assert alice.request("SUBSCRIBE", ["Event: conference", "Expires: 60"]).status == 481
        assert alice.request("INFO").status == 405
        assert alice.request("OPTIONS", cseq=1).status == 500, "out of order"
        assert len(node.participants("room")) == 1, "the call goes on through all of that"
        alice.bye()
        node.wait_participants(0, "room")


@pytest.mark.parametrize("who", ["called", "was called"])
def test_requests_go_by_the_route_set(node, who):
    """In the order of Record-Route for who answered, the other way round for who called (RFC 3261 12.1)."""
    with Referrer(node, "room") if who == "called" else Callee(node) as someone:
        way = [proxy.format(port=someone.port) for proxy in PROXIES]
        if who == "called":
            someone.headers = [f"Record-Route: {uri}" for uri in way]
            someone.join()
        else:
            node.cli("conference", "call", "room", someone.identity)
            someone.wait()
            someone.accept([f"Record-Route: {uri}" for uri in reversed(way)])
        person, = node.wait_participants(1, "room")
        adopted(node)
        node.cli("participant", "remove", "room", str(person["id"]))
        bye = someone.wait("BYE")
        assert [uri for value in bye.headers["route"] for uri in re.findall("<[^>]*>", value)] == way
        assert bye.first.split()[1] == f"sip:sipp@{someone.address}:{someone.port}"


@pytest.mark.parametrize("life", ["before", "after"])
def test_a_new_target_is_where_the_bye_goes(node, life):
    """A target refresh by UPDATE with another Contact, in the life before or in this one."""
    with joined(node) as alice, Callee(node) as moved:
        if life == "after":
            adopted(node)
        assert alice.request("UPDATE", [f"Contact: <sip:sipp@127.0.0.1:{moved.port}>"]).status == 200
        person, = adopted(node) if life == "before" else node.participants("room")
        node.cli("participant", "remove", "room", str(person["id"]))
        assert dialog_of(moved.wait("BYE"))[0] == alice.call_id


def test_who_hangs_up_while_we_are_away_is_known_at_once(node):
    """A BYE that is sent again until we are back; it may come before the media plane has been asked."""
    with joined(node) as alice:
        settled(node)
        node.kill("cp")
        starting = threading.Thread(target=node.start_cp)
        starting.start()
        answer = None
        while answer is None:
            alice.send("BYE", cseq=alice.cseq + 1)
            answer = alice.receive(0.02)
        starting.join()
        assert answer.status == 200, answer.text
        node.wait_participants(0, "room")


def test_whose_media_is_gone_is_told(node):
    with joined(node) as alice:
        settled(node)
        node.kill("cp")
        node.kill("dp")
        node.start_dp()
        node.start_cp()
        bye = alice.wait("BYE")
        assert dialog_of(bye) == [alice.call_id, alice.to_tag, alice.tag] and "restart" in bye["reason"]
        assert node.participants("room") == []
