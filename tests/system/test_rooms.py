"""PIN, lobby, listeners and ends, with real calls and real keys pressed."""
import json
import subprocess
import time

import pytest
from node import Node, Ue, program, wait_until

PIN = "24680"


def room(**settings):
    return {"id": "room", "security": "sdes", "identity": "required", **settings}


def node_with(*rooms):
    return Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}, "conferences": list(rooms)})


def join(node, who, *options, seconds=30, **more):
    identity = f"sip:{who}@example.net"
    return Ue(node.uri(more.get("conference", "room")), "--from", identity, "--pai", identity, *options, seconds=seconds)


def records(node, *words):
    """Of participations that are over."""
    return [r for r in node.api("records", *words)["records"] if r["left_at"]]


def person(node, who):
    return next((p for p in node.participants("room") if p["identity"] == f"sip:{who}@example.net"), None)


def wait_for(node, who, **wanted):
    return wait_until(lambda: (lambda p: p if p and all(p[k] == v for k, v in wanted.items()) else None)(person(node, who)), 20, f"{who}: {wanted}")


def test_the_pin_lets_in_who_knows_it():
    with node_with(room(pin=PIN, moderators=["sip:mod@example.net"])) as node:
        mod = join(node, "mod", "--tone", 700, "--expect", "400,700")
        wait_for(node, "mod", waiting="none", status="connected")
        knows = join(node, "knows", "--tone", 400, "--expect", "700", "--dtmf-at", f"2:{PIN}")
        wait_for(node, "knows", waiting="pin", status="pending")
        wait_for(node, "knows", waiting="none", status="connected")
        guesses = join(node, "guesses", "--dtmf-at", "1:11111", "--dtmf-at", "4:22222", "--dtmf-at", "7:33333")
        wait_for(node, "guesses", waiting="pin")
        assert guesses.result()["ended_by"] == "focus"
        record = wait_until(lambda: records(node, "--identity", "sip:guesses@example.net"), 20, "a record")[0]
        assert (record["departure"], record["reason"], record["status"]) == ("booted", "The PIN was wrong", 403), record
        # who waited for the PIN was never heard, and heard nobody
        assert knows.stop()["outcome"] == mod.stop()["outcome"] == "joined"
        assert PIN not in node.logs()
        assert "22222" not in node.logs() and "22222" not in json.dumps(node.api("audit"))


def test_who_waits_is_apart_until_let_in():
    with node_with(room(lobby=True, moderators=["sip:mod@example.net"])) as node:
        mod = join(node, "mod", "--tone", 700, "--expect", "400,700")
        wait_for(node, "mod", status="connected")
        waits = join(node, "waits", "--tone", 400, "--expect", "400,700", seconds=5)
        wait_for(node, "waits", waiting="lobby", status="pending")
        heard = {h["hz"]: h["dbov"] for h in waits.result()["heard"]}
        assert all(level is None or level < -50 for level in heard.values()), heard
        late = join(node, "late", "--tone", 400, "--expect", "400,700")
        leg = wait_for(node, "late", waiting="lobby")["id"]
        node.cli("participant", "admit", "room", str(leg))
        wait_for(node, "late", waiting="none", status="connected")
        time.sleep(2.5)
        heard = {h["hz"]: h["dbov"] for h in late.stop()["heard"]}
        assert heard[700] is not None and heard[700] > -30, heard
        assert mod.stop()["outcome"] == "joined"
        entries = node.api("audit", "--conference", "room")["entries"]
        assert [e["participant"] for e in entries if e["what"] == "let in"] == [leg], entries


def test_a_listener_is_never_heard_and_may_be_made_heard():
    with node_with(room(listeners=["sip:ear@example.net"])) as node:
        ear = join(node, "ear", "--tone", 400, "--expect", "700")
        leg = wait_for(node, "ear", role="listener", status="muted-via-focus")["id"]
        hears = join(node, "hears", "--tone", 700, "--expect", "400", seconds=5)
        heard = {h["hz"]: h["dbov"] for h in hears.result()["heard"]}
        assert heard[400] is None or heard[400] < -50, heard
        node.cli("participant", "role", "room", str(leg), "participant")
        hears = join(node, "hears", "--tone", 700, "--expect", "400", seconds=5)
        heard = {h["hz"]: h["dbov"] for h in hears.result()["heard"]}
        assert heard[400] is not None and heard[400] > -30, heard
        assert ear.stop()["outcome"] == "joined"


def test_it_ends_with_its_creator():
    with node_with(room(creator="sip:boss@example.net", ends_with_creator=True)) as node:
        other = join(node, "other")
        wait_for(node, "other", status="connected")
        boss = join(node, "boss")
        wait_for(node, "boss", role="creator", status="connected")
        assert boss.stop()["outcome"] == "joined"
        assert other.result()["ended_by"] == "focus"
        both = {r["identity"]: r for r in wait_until(lambda: (lambda r: r if len(r) == 2 else None)(records(node)), 20, "two records")}
        assert both["sip:boss@example.net"]["departure"] == "departed", both
        other = both["sip:other@example.net"]
        assert (other["departure"], other["reason"]) == ("booted", "The creator has left"), both


def test_it_ends_when_its_time_is_over():
    with node_with() as node:
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8))
        node.cli("conference", "create", "room", "--open", "--end-at", end)
        last = join(node, "last")
        wait_for(node, "last", status="connected")
        assert last.result()["ended_by"] == "focus"
        assert node.cli("conference", "show", "room", check=False).returncode != 0
        record = wait_until(lambda: records(node), 20, "a record")[0]
        assert record["reason"] == "The time of the conference is over", record


def test_the_configuration_says_from_when_to_when():
    def at(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    later, short, over = at(3600), at(12), at(-60)
    rooms = [room(start_at=later, end_at=at(7200), early="10m"), room(id="short", end_at=short, moderators=["sip:last@example.net"]),
             room(id="past", end_at=over)]
    with node_with(*rooms) as node:
        shown = node.api("conference", "show", "room")
        assert (shown["start_at"][:19] + "Z", shown["early_s"]) == (later, 600)
        early = join(node, "early", seconds=5).result()
        assert early["outcome"] != "joined" and "refused with 480: The conference starts on" in node.logs(), early
        assert node.cli("conference", "show", "past", check=False).returncode != 0 and "'past': its time is over" in node.logs()
        last = join(node, "last", conference="short")
        wait_until(lambda: node.participants("short"), 10, "one is in it")
        assert last.result()["ended_by"] == "focus"
        assert node.cli("conference", "show", "short", check=False).returncode != 0


@pytest.mark.parametrize("settings, wrong", [
    ({"pin": "12"}, "conference 'room': a PIN is 4 to 16 digits"),
    ({"pin": "1234a"}, "a PIN is 4 to 16 digits"),
    ({"creator": "boss"}, "the creator is a sip:, sips: or global tel: URI"),
    ({"moderators": ["sip:mod@example.net", "nonsense"]}, "'nonsense' is no sip:, sips: or global tel: URI"),
    ({"listeners": ["tel:110"]}, "'tel:110' is no"),
    ({"title": "x" * 200}, "a title has 95 octets at most"),
    ({"editors": "everybody"}, "editors"),
    ({"start_at": "tomorrow"}, "'tomorrow' is no time; write for example 2027-03-01T09:00:00Z"),
    ({"end_at": "2027-13-01T09:00:00Z"}, "is no time"),
    ({"start_at": "2027-03-01T09:00:00Z", "end_at": "2027-03-01T10:00:00+02:00"}, "the end is not behind the start"),
])
def test_what_is_wrong_with_a_conference_is_said(tmp_path, settings, wrong):
    path = tmp_path / "conclave.yaml"
    path.write_text(json.dumps({"conferences": [room(**settings)]}))
    result = subprocess.run([program("conclave-cp"), "--check", "--config", str(path)], capture_output=True, text=True, timeout=20)
    assert result.returncode != 0 and wrong in result.stdout + result.stderr, result
    assert "1234a" not in result.stdout + result.stderr, result
