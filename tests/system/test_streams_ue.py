"""Floor control and chat by conclave-ue, in TLS keyed by MIKEY-TICKET, in TLS with certificates, and plain."""
import hashlib
import time

import pytest

from node import Ue, free_port, is_taken, wait_until
from sound import levels
from streams import MODES, House, who

PROTECTED = {"mikey": "TLSv1.3", "sdes": "TLSv1.3", "plain": "plain"}


WHY = {"key": "(wrong-key)", "name": "(unknown-identity)", "owner": "(identity-in-use)", "plain": "(not-tls)"}


@pytest.fixture(scope="module")
def house():
    with House(4, floors=["stage audio"], chat=True) as house:
        yield house


def stream(result, service):
    return result["streams"][service]


@pytest.mark.sanitized
@pytest.mark.parametrize("mode", MODES)
def test_only_who_holds_the_floor_is_heard(house, mode):
    tones = [400, 500, 600]
    people = [house.join(mode, n + 1, "--tone", tones[n], "--expect", ",".join(map(str, tones)), "--floor",
                         *(("--floor-ask-at", "1") if n == 0 else ()), "--settle", "2", "--no-marks", seconds=6) for n in range(3)]
    results = [person.result() for person in people]
    for n, result in enumerate(results):
        floor = stream(result, "floor")
        assert floor["opened"] == 1 and floor["hello"] and not floor["errors"], result
        assert floor["protection"].startswith(PROTECTED[mode]), floor
        assert floor["granted"] == (1 if n == 0 else 0), floor
        heard = levels(result)
        for k, hz in enumerate(tones):
            is_heard = abs(heard[hz] + 20) < 2
            assert is_heard == (k == 0 and n != 0), f"{who(n + 1)} hears {heard}"
    house.node.wait_participants(0, mode)


@pytest.mark.sanitized
@pytest.mark.parametrize("mode", MODES)
def test_messages_to_all_and_to_one(house, mode):
    alice = house.join(mode, 1, "--chat", "--nickname", "Alice", "--say-at", "2:good morning", seconds=5)
    bob = house.join(mode, 2, "--chat", "--nickname", "Bob", "--whisper-at", f"3:{who(3)} psst", seconds=5)
    carol = house.join(mode, 3, "--chat", "--nickname", "alice", seconds=5)  # somebody else's, but for case
    alice, bob, carol = (stream(person.result(), "chat") for person in (alice, bob, carol))
    assert alice["protection"].startswith(PROTECTED[mode]), alice
    assert alice["nickname_status"] + carol["nickname_status"] == 200 + 425, (alice, carol)
    assert bob["nickname_status"] == 200
    assert [m["text"] for m in bob["messages"]] == ["good morning"], bob
    assert sorted(m["text"] for m in carol["messages"]) == ["good morning", "psst"], carol
    assert alice["messages"] == [], alice
    assert carol["messages"][0]["from"] == who(1), carol
    for chat in (alice, bob, carol):
        assert set(chat["answers"]) <= {"200"} and not chat["broken"], chat
    house.node.wait_participants(0, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("setup", ["passive", "actpass"])
def test_whoever_opens_the_connection(house, mode, setup):
    result = house.join(mode, 1, "--floor", "--chat", "--stream-setup", setup, "--floor-ask-at", "1", "--nickname", "N", seconds=3).result()
    floor, chat = stream(result, "floor"), stream(result, "chat")
    assert (floor["opened"], floor["granted"]) == (1, 1), floor
    assert (chat["opened"], chat["nickname_status"]) == (1, 200), chat
    house.node.wait_participants(0, mode)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("mode", ["mikey", "sdes"])
def test_either_version_of_tls(house, mode, version):
    result = house.join(mode, 1, "--floor", "--chat", "--stream-tls", version, "--floor-ask-at", "1", "--nickname", "N", seconds=3).result()
    for service in ("floor", "chat"):
        assert stream(result, service)["protection"].startswith(f"TLSv{version}"), result
    assert stream(result, "floor")["granted"] == 1 and stream(result, "chat")["nickname_status"] == 200, result
    house.node.wait_participants(0, mode)


@pytest.mark.sanitized
@pytest.mark.parametrize("wrong", ["key", "name", "owner", "plain"])
def test_what_is_not_his_own_key_is_refused(house, wrong):
    """The others' streams go on, the log says why, and nothing falls back."""
    good = house.join("mikey", 4, "--floor", "--chat", "--floor-ask-at", "1", seconds=8)
    wait_until(lambda: len(house.node.participants("mikey")) == 1, 10, "one is there")
    count = 2 if wrong == "owner" else 1
    bad = stream(house.crowd("mikey", count, "--rate", "1", "--floor", "--stream-wrong", wrong, "--floor-ask-at", "1", seconds=4).results()[count - 1], "floor")
    # who comes first with another's key has a connection, on which he is the other one or nobody
    assert not bad["hello"] and bad["granted"] == 0 and set(bad["errors"]) <= {5}, bad
    log = house.node.logs()
    assert WHY[wrong] in log, log[-2000:]
    good = good.result()
    assert stream(good, "floor")["granted"] == 1 and stream(good, "floor")["failed"] == 0, good
    house.node.wait_participants(0, "mikey")


def test_a_file_of_50_mb(house, tmp_path):
    path = tmp_path / "file"
    octets = hashlib.sha256(b"conclave").digest() * (50 * 1024 * 1024 // 32)
    path.write_bytes(octets)
    bob = house.join("sdes", 2, "--chat", seconds=40)
    wait_until(lambda: len(house.node.participants("sdes")) == 1, 10, "bob is there")
    alice = house.join("sdes", 1, "--chat", "--send-file-at", f"1:{path}", seconds=30)
    begin = time.monotonic()
    alice, bob = stream(alice.result(90), "chat"), stream(bob.result(90), "chat")
    files = [m for m in bob["messages"] if m["octets"] == len(octets)]
    assert files and files[0]["sha256"] == hashlib.sha256(octets).hexdigest(), (alice, bob, time.monotonic() - begin)
    house.node.wait_participants(0, "sdes")


@pytest.mark.sanitized
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("setup", ["active", "passive"])
def test_whom_the_focus_calls(house, mode, setup):
    """We offer both streams; who is called may open the connections or wait for them."""
    port = free_port()
    name = f"sip:called-{setup}@127.0.0.1:{port}"  # known to the KMS by the URI that leads there
    keys = () if mode != "mikey" else ("--kms", house.kms.url, "--kms-id", house.kms.identity, "--psk-file", house.kms.add(name))
    bob = Ue(None, "--listen", port, "--local", "127.0.0.1", "--from", name, *keys, *(("--plain",) if mode == "plain" else ()), "--floor", "--chat",
             "--stream-setup", setup, "--floor-ask-at", "2", "--nickname", "Bob", seconds=60)
    wait_until(lambda: is_taken(port), 10, "bob waits to be called")
    house.node.api("conference", "call", mode, name)
    wait_until(lambda: [p["state"] for p in house.node.participants(mode)] == ["connected"], 20, "bob is there")
    wait_until(lambda: house.node.participants(mode)[0]["floors"], 20, "bob holds the floor")
    result = bob.stop()
    floor, chat = stream(result, "floor"), stream(result, "chat")
    assert (floor["opened"], floor["granted"], floor["errors"]) == (1, 1, []), result
    assert (chat["opened"], chat["nickname_status"]) == (1, 200), result
    assert floor["protection"].startswith(PROTECTED[mode]) and chat["protection"].startswith(PROTECTED[mode]), result
    house.node.wait_participants(0, mode)
