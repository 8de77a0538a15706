"""What outlives conclave-cp: conferences, policy, roster, records and audit, whenever and however it ends."""
import calendar
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from node import SANITIZED, Node, Ue, program, wait_until
from watch import Watcher

PIN = "86420975"
# What a restart may change: the state (there is no call any more), and what the media plane says anew.
VOLATILE = {"state", "talking", "media", "joined_at", "connected_at", "status"}


def stored(node):
    return node.path("cp.db")


def keeping(**config):
    """A node that stores; PAI of peers on loopback is believed."""
    node = Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}, **config}, start=False)
    node.config.setdefault("store", {})["path"] = stored(node)
    node.start()
    return node


def restart(node, pause=0.5):
    assert node.kill("cp") == -signal.SIGKILL
    time.sleep(pause)
    node.start_cp()


def moment(text):
    """'2026-11-22T03:04:05.678Z' in seconds."""
    whole, rest = text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + int(rest) / 1000


def roster(node, name):
    return {p["id"]: p for p in node.participants(name)}


def conference(node, name):
    return node.api("conference", "show", name)


def records(node, *words):
    """Of participations that are over."""
    return [r for r in node.api("records", *words)["records"] if r["left_at"]]


def audit(node, *words):
    return node.api("audit", *words)["entries"]


def create_ten(node):
    for n in range(1, 11):
        words = ["--title", f"Meeting {n}", "--subject", f"About {n}", "--creator", "sip:boss@example.net", "--security", "sdes"]
        words += ["--open"] if n % 2 else sum((["--authorised", f"sip:ue{u}@example.net"] for u in range(1, 21)), [])
        words += ["--authorised", f"sip:ue{2 * n - 1}@example.net=moderator"]
        words += ["--pin", PIN] if n == 10 else []
        words += ["--who-may-change", "moderators", "--max-participants", str(10 + n), "--loudest-n", str(n), "--mutes-on-hold"]
        node.cli("conference", "create", f"conf{n}", *words)


def act(node):
    """Things that people do to a conference, before it all comes down."""
    for n in range(1, 11):
        people = sorted(roster(node, f"conf{n}"))
        if n % 3 == 0:
            node.cli("participant", "mute", f"conf{n}", str(people[0]))
        if n % 3 == 1:
            node.cli("participant", "role", f"conf{n}", str(people[1]), "listener")
        if n % 3 == 2:
            node.cli("participant", "gain", f"conf{n}", str(people[0]), "-6")
        if n % 4 == 0:
            node.cli("conference", "lock", f"conf{n}")


def watch(node, n):
    """Somebody of conference n subscribes, and sees who is there."""
    watcher = Watcher(node, f"conf{n}")
    answer = watcher.subscribe(headers=[f"P-Asserted-Identity: <sip:ue{2 * n}@example.net>"])
    assert answer.status == 200, answer.text
    watcher.wait(lambda roster: len(roster.users) == 2, f"the roster of conf{n}")
    return watcher


def packets(node, names):
    return {leg: p["media"]["packets_rx"] for name in names for leg, p in roster(node, name).items()}


def test_ten_conferences_go_on():
    with keeping(notify={"interval": "200ms"}) as node, contextlib.ExitStack() as watchers:
        create_ten(node)
        people = Ue(f"sip:conf%d@127.0.0.1:{node.sip_port}", "--from", "sip:any%d@example.net", "--pai", "sip:ue%d@example.net",
                    "--count", 20, "--per-conference", 2, "--expect-heard", "--each", seconds=90)
        for n in range(1, 10):
            node.wait_participants(2, f"conf{n}", seconds=20)
        wait_until(lambda: len([p for p in node.participants("conf10") if p["state"] == "connected"]) == 2, 20, "two in conf10")
        act(node)
        names = [f"conf{n}" for n in range(1, 11)]
        before = {name: (conference(node, name), roster(node, name)) for name in names}
        assert {p["waiting"] for p in before["conf10"][1].values()} == {"none", "pin"}
        watching = [watchers.enter_context(watch(node, n)) for n in range(1, 11)]
        restart(node, pause=2)
        wait_until(lambda: all(len(roster(node, name)) == 2 for name in names), 20, "all twenty in their conferences")
        for name in names:
            was, people_then = before[name]
            now, people_now = conference(node, name), roster(node, name)
            assert abs(moment(was.pop("created_at")) - moment(now.pop("created_at"))) < 0.1
            was.pop("talkers", None), now.pop("talkers", None)
            assert now == was
            assert set(people_now) == set(people_then)
            for leg, then in people_then.items():
                new = people_now[leg]
                assert new["state"] == "adopted"
                assert abs(moment(then["joined_at"]) - moment(new["joined_at"])) < 0.1
                assert {k: v for k, v in new.items() if k not in VOLATILE} == {k: v for k, v in then.items() if k not in VOLATILE}
        # what was decided is obeyed as before
        muted = next(leg for leg, p in roster(node, "conf3").items() if p["muted"])
        node.cli("participant", "unmute", "conf3", str(muted))
        then = packets(node, names)
        wait_until(lambda: all(count > then[leg] + 25 for leg, count in packets(node, names).items()), 10, "media of all twenty")
        # RFC 6665 4.1.2.2: a subscription that nobody knows any more gets 481; a new one is told everything
        for n, watcher in enumerate(watching, 1):
            assert watcher.subscribe().status == 481
            again = watchers.enter_context(watch(node, n))
            assert again.roster.kinds[0] == "full" and set(again.roster.users) == set(watcher.roster.users)
        result = people.stop()
        assert result["joined"] == 20, result
        gaps = [each["rx"]["gap_max_ms"] for each in people.lines[:-1]]
        assert len(gaps) == 20 and max(gaps) < 1900, gaps  # the program was away for two seconds
        wait_until(lambda: not any(roster(node, name) for name in names), 10, "all have hung up")
        assert PIN not in node.logs() and PIN not in json.dumps(audit(node, "--limit", "1000"))


def test_media_of_the_restored_is_heard():
    with keeping(call={"lost_after": "3s"}) as node:
        node.cli("conference", "create", "room", "--open")
        people = [Ue(node.uri("room"), "--from", f"sip:t{hz}@example.net", "--pai", f"sip:t{hz}@example.net", "--tone", hz, "--expect",
                     "400,700", "--no-bye", seconds=6) for hz in (400, 700)]
        node.wait_participants(2, "room")
        restart(node, pause=1)
        assert {p["identity"] for p in node.participants("room")} == {"sip:t400@example.net", "sip:t700@example.net"}
        going_on = node.api("records", "--conference", "room")["records"]
        assert [(r["left_at"], r["departure"]) for r in going_on] == [(None, None)] * 2, going_on
        for person in people:
            result = person.result()
            assert result["outcome"] == "joined" and result["rx"]["gap_max_ms"] <= 500, result
        # they have vanished: their records say who it was and how it ended
        wait_until(lambda: len(records(node, "--conference", "room")) == 2, 60, "two records")
        for record in records(node, "--conference", "room"):
            assert record["identity"].startswith("sip:t") and record["verified_by"] == "asserted", record
            assert record["departure"] in ("departed", "failed") and record["suite"] == "AES_CM_128_HMAC_SHA1_80", record
            assert record["stats"]["packets_rx"] > 100, record


def test_whose_media_ended_meanwhile_is_recorded():
    with keeping() as node:
        node.cli("conference", "create", "room", "--open")
        person = Ue(node.uri("room"), "--from", "sip:eve@example.net", "--pai", "sip:eve@example.net", seconds=30)
        node.wait_participants(1, "room")
        node.kill("cp")
        node.kill("dp")
        person.kill()
        node.start_dp()
        node.start_cp()
        record = wait_until(lambda: records(node, "--conference", "room"), 20, "a record")[0]
        assert (record["identity"], record["departure"]) == ("sip:eve@example.net", "failed"), record
        assert "restart" in record["reason"] and node.participants("room") == []


def test_a_polite_end_keeps_conferences_and_says_bye():
    with keeping() as node:
        node.cli("conference", "create", "room", "--open", "--title", "Ours")
        person = Ue(node.uri("room"), "--from", "sip:eve@example.net", "--pai", "sip:eve@example.net", seconds=30)
        leg = node.wait_participants(1, "room")[0]["id"]
        wait_until(lambda: (node.api("participant", "stats", "room", str(leg))["media"] or {}).get("packets_rx"), 20, "somebody who is heard")
        # the media plane is late with its numbers: they are waited for, all the same
        node.dp.send_signal(signal.SIGSTOP)
        late = threading.Timer(0.4, node.dp.send_signal, (signal.SIGCONT,))
        late.start()
        assert node.kill("cp", signal.SIGTERM) == 0
        late.join()
        assert person.result()["ended_by"] == "focus"
        node.start_cp()
        assert conference(node, "room")["title"] == "Ours" and node.participants("room") == []
        record = records(node)[0]
        assert (record["departure"], record["reason"]) == ("booted", "Server is going down"), record
        assert record["stats"]["packets_rx"] > 0, record
        node.cli("conference", "close", "room")
        restart(node)
        assert node.cli("conference", "show", "room", check=False).returncode != 0
        assert [e["what"] for e in audit(node, "--conference", "room")] == ["closed", "created"]


def post(node, name):
    """201 came: it is on disk."""
    request = urllib.request.Request(f"http://127.0.0.1:{node.http_port}/v1/conferences", method="POST",
                                     data=json.dumps({"id": name, "open": True}).encode(), headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 201
    except (OSError, urllib.error.URLError):
        return False


def create_until_it_dies(node, round, made):
    for n in range(1000):
        if not post(node, f"r{round}-{n}"):
            return
        made.append(f"r{round}-{n}")


def test_what_the_api_has_answered_survives_a_kill():
    with keeping() as node:
        made = []
        for round in range(4):
            already = len(made)
            creator = threading.Thread(target=create_until_it_dies, args=(node, round, made))
            creator.start()
            wait_until(lambda: len(made) > already + 3, 20, "some conferences")
            time.sleep(random.random() / 5)
            node.kill("cp")
            creator.join(timeout=20)
            node.start_cp()
            there = {c["id"] for c in node.api("conference", "list")["conferences"]}
            assert set(made) <= there, sorted(set(made) - there)
        assert sqlite3.connect(stored(node)).execute("PRAGMA integrity_check").fetchone() == ("ok", )


def start_with_slow_disk(node, ms):
    os.environ.update(LD_PRELOAD=program("tests/libslowdisk.so"), SLOW_DISK_MS=str(ms))
    try:
        node.start_cp()
    finally:
        del os.environ["LD_PRELOAD"], os.environ["SLOW_DISK_MS"]


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's library must be the first")
def test_a_slow_disk_holds_up_nobody_but_who_waits_for_it():
    with keeping() as node:
        node.kill("cp")
        start_with_slow_disk(node, 1500)
        took = {}

        def create(name):
            start = time.monotonic()
            assert post(node, name)
            took[name] = time.monotonic() - start

        creators = [threading.Thread(target=create, args=(f"slow{n}", )) for n in range(3)]
        for creator in creators:
            creator.start()
        waits = []
        while any(creator.is_alive() for creator in creators):
            start = time.monotonic()
            assert urllib.request.urlopen(f"http://127.0.0.1:{node.http_port}/v1/health", timeout=10).status == 200
            waits.append(time.monotonic() - start)
            time.sleep(0.02)
        assert len(took) == 3 and min(took.values()) > 1.4, took  # 201 is said when it is on disk …
        assert len(waits) > 10 and sorted(waits)[len(waits) * 9 // 10] < 0.5, (max(waits), took)  # … and nobody else waits


def test_the_configuration_and_what_was_changed_of_it():
    rooms = [{"id": name, "security": "sdes", "identity": "required", "title": "First"} for name in ("stays", "edited", "goes")]
    with keeping(conferences=rooms) as node:
        for name in ("stays", "edited", "goes"):
            node.cli("conference", "update", name, "--title", "Changed", "--pin", PIN)
            node.cli("authorised", "add", name, "sip:new@example.net", "--role", "moderator")
        node.cli("conference", "close", "goes")
        node.kill("cp")
        node.config["conferences"] = [rooms[0], {**rooms[1], "title": "Edited", "moderators": ["sip:mod@example.net"]}]
        node.write_config()
        node.start_cp()
        stays, edited = conference(node, "stays"), conference(node, "edited")
        assert stays["title"] == "Changed" and stays["authorised"] == [{"uri": "sip:new@example.net", "role": "moderator"}], stays
        assert edited["title"] == "Edited" and edited["authorised"] == [{"uri": "sip:mod@example.net", "role": "moderator"}], edited
        assert {c["id"] for c in node.api("conference", "list")["conferences"]} == {"stays", "edited"}
        for name in os.listdir(node.folder):
            if name.startswith("cp.db"):
                assert os.stat(node.path(name)).st_mode & 0o777 == 0o600, name
        assert PIN not in node.logs() and PIN not in json.dumps(audit(node))


def test_without_a_store_it_says_what_is_lost():
    with Node() as node:
        node.cli("conference", "create", "room", "--open")
        assert [e["what"] for e in audit(node)] == ["created"]
        assert "no 'store.path'" in node.logs()
        restart(node)
        assert node.cli("conference", "show", "room", check=False).returncode != 0


@pytest.mark.parametrize("what", ["locked", "no database", "no folder"])
def test_a_store_that_cannot_be_used_stops_the_start(what):
    with keeping() as node:
        path = stored(node)
        if what == "no database":
            node.kill("cp")
            for name in os.listdir(node.folder):
                if name.startswith("cp.db"):
                    os.unlink(node.path(name))
            with open(path, "w") as file:
                file.write("nothing of ours\n" * 100)
        elif what == "no folder":
            path = node.path("not/there.db")
        other = {**node.config, "sip": {"listen": ["sip:127.0.0.1:0"]}, "http": {"socket": node.path("other.sock")}}
        other["store"] = {"path": path}
        with open(node.path("other.yaml"), "w") as file:
            json.dump(other, file)
        result = subprocess.run([program("conclave-cp"), "--config", node.path("other.yaml")], capture_output=True, text=True, timeout=20)
        expected = {"locked": "another conclave-cp", "no database": "no database of conclave", "no folder": "is its folder there"}
        assert result.returncode == 1 and expected[what] in result.stderr + result.stdout, result
        assert "store.path" in result.stderr + result.stdout
        if node.cp is None:
            os.unlink(stored(node))
            node.start_cp()
