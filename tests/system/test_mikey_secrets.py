"""Where the keys of a call are: with the media plane while it lasts, and nowhere else; in no log, no answer of the API, no file."""
import os
import re

import pytest

from mikey import CM80, SSRC, Peer, agree, call, focus_config, key_mgmt, kms_for, offer
from node import wait_until
from sip import Caller, SipNode, sdp

FOCUS, ALICE = "sip:demo@focus.example", "sip:alice@ims.example"
CONFERENCES = [
    {"id": "demo", "security": "mikey-ticket", "authorised": [ALICE]},
    {"id": "left", "identity": "none", "anonymous": True},
    {"id": "plain", "security": "none", "identity": "none", "anonymous": True},
]


def finds(process, needle):
    """How often octets stand in a process's memory."""
    count = 0
    with open(f"/proc/{process.pid}/maps") as maps, open(f"/proc/{process.pid}/mem", "rb", 0) as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
            begin, end = int(match.group(1), 16), int(match.group(2), 16)
            if "r" not in match.group(3) or match.group(4).startswith(("[v", "/dev")) or "huge" in match.group(4) or end - begin > 1 << 28:
                continue
            try:
                memory.seek(begin)
                count += memory.read(end - begin).count(needle)
            except (OSError, ValueError):
                continue
    return count


@pytest.fixture(scope="module")
def kms():
    with kms_for(ALICE) as running:
        yield running


def texts(node):
    """All that the programs wrote for people, and what lies in the node's folder."""
    for name in os.listdir(node.folder):
        path = os.path.join(node.folder, name)
        if os.path.isfile(path) and not name.endswith((".jsonl", ".yaml")):
            with open(path, "rb") as file:
                yield name, file.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="reads the memory of others")
@pytest.mark.parametrize("suite", [CM80, 5], ids=["AES-CM-128", "AES-GCM-256"])
def test_keys_are_wiped_with_the_call(kms, suite):
    """Master keys of the exchange and of an update are found in conclave-cp while they are in use, and no more after BYE."""
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as node, Peer(kms, ALICE, kms.files_of[ALICE]) as alice:
        alice.ticket(FOCUS)
        caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(suite)))
        agree(alice, answer)
        old = [bytes.fromhex(word) for word in alice.ask("reveal", 1).split()]
        assert len(old) == 2 and all(finds(node.cp, key) for key in old)
        answer = caller.invite(body=offer(alice.ask("update", SSRC, suite), version=2))
        assert alice.ask("updated", key_mgmt(answer.body)["media"]) == "ok"
        new = [bytes.fromhex(word) for word in alice.ask("reveal", 3).split()]
        wait_until(lambda: len(node.asked("KEY_INSTALL")) == 4, 5, "the keys of the update")
        assert all(finds(node.cp, key) for key in new)
        assert not any(finds(node.cp, key) for key in old), "keys of the pair before"
        node.http("/v1/conferences/demo/participants")
        caller.bye()
        node.wait_participants(0)
        wait_until(lambda: not any(finds(node.cp, key) for key in new), 10, "no key in memory")
        for key in (*old, *new):
            for name, text in texts(node):
                assert key not in text and key.hex().encode() not in text.lower(), name


def test_the_api_shows_no_keys(kms):
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as node, Peer(kms, ALICE, kms.files_of[ALICE]) as alice:
        alice.ticket(FOCUS)
        caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(CM80)))
        agree(alice, answer)
        [participant] = node.participants()
        keys = alice.ask("reveal", 1).split()
        for path in ("/v1/conferences", "/v1/conferences/demo", "/v1/conferences/demo/participants",
                     f"/v1/conferences/demo/participants/{participant['id']}", "/v1/status"):
            try:
                text = str(node.http(path)).lower()
            except OSError:
                continue
            for key in keys:
                assert key not in text and key[:32] not in text, path
        caller.bye()
        node.wait_participants(0)


def test_what_protects_each_leg(kms):
    """The default of the configuration, and a conference of its own; roster and policy say what it is and how far it goes."""
    config = focus_config(kms, kms.focus, rate=0)
    for default, body, shown in (("mikey-ticket", None, "mikey-ticket, verified by KMS"), ("sdes", sdp(), "SDES to next hop"),
                                 ("none", sdp(crypto=(), proto="RTP/AVP"), "none"), ("either", sdp(crypto=(), proto="RTP/AVP"), "none")):
        with SipNode(conferences=CONFERENCES, mikey=config, security={"default": default}) as node, Peer(kms, ALICE, kms.files_of[ALICE]) as alice:
            assert node.http("/v1/conferences/left")["security"] == default
            assert node.http("/v1/conferences", "POST", {"id": "made", "open": True})["security"] == default
            if body is None:
                alice.ticket("sip:left@focus.example")
                caller, answer = call(node, alice, "left", alice.init("sip:left@focus.example"))
                assert Caller(node, "left").invite().status == 488
            else:
                caller = Caller(node, "left")
                answer = caller.invite(body=body)
            assert answer.status == 200, answer.text
            [participant] = node.participants("left")
            assert participant["protection"] == shown, participant
            caller.bye()
            assert node.http("/v1/conferences/plain")["security"] == "none"
            caller = Caller(node, "plain")
            assert caller.invite().status == 488, "SRTP where none is wanted"
            node.wait_participants(0, "left")
