"""Every action on conferences and participants, by the API and by the command line: answered, heard, in the audit with who and when."""
import datetime
import os
import time

import pytest

from node import Node, Ue, wait_until
from openapi import Api
from test_ways_to_join import waiting

pytestmark = pytest.mark.sanitized


class Room:
    """Anna talks, Bert listens; do() acts by one way or the other."""

    def __init__(self, node, way):
        self.node, self.way, self.api = node, way, Api(node)
        self.anna = Ue(node.uri(), "--from", "sip:anna@example.net", "--tone", 440, "--level", -20, "--no-marks", seconds=90)
        self.bert = Ue(node.uri(), "--from", "sip:bert@example.net", "--silence", seconds=90)
        try:
            self.ids = {p["identity"].split("@")[0][4:]: p["id"] for p in node.wait_participants(2)}
            self.wait(lambda: self.hears(-20), "Bert hears Anna")
        except BaseException:
            self.close()
            raise

    def close(self):
        for ue in (self.anna, self.bert):
            ue.stop()
        self.node.wait_participants(0)

    def do(self, noun, verb, *words, who=None, **body):
        """The action's answer; words: what the command line wants, body: what the API wants."""
        if self.way == "cli":
            return self.node.api(noun, verb, "demo", *([str(self.ids[who])] if who else []), *map(str, words))
        answer = self.api.ask(f"{noun}_{verb}", body or None, conference="demo", **({"participant": self.ids[who]} if who else {}))
        assert answer.status in (200, 202, 204), answer.text
        return answer.json

    def shown(self, who):
        return self.node.api("participant", "show", "demo", str(self.ids[who]))

    def level(self):
        """What Bert hears, in dBov; None: silence."""
        return (self.shown("bert")["media"] or {}).get("level_heard_dbov")

    def hears(self, dbov):
        level = self.level()
        return level is not None and abs(level - dbov) < 4

    def wait(self, check, what):
        return wait_until(check, 15, what)

    def audited(self, what, leg=None):
        entries = [e for e in self.node.api("audit", "--conference", "demo", "--limit", "5")["entries"] if what in e["what"]]
        assert entries, f"{what} is not in the audit"
        assert entries[0]["by"] == f"uid {os.getuid()}" and (leg is None or entries[0]["participant"] == self.ids[leg])
        at = datetime.datetime.fromisoformat(entries[0]["at"].replace("Z", "+00:00")).timestamp()
        assert abs(at - time.time()) < 30


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Node({"store": {"path": str(tmp_path_factory.mktemp("store") / "cp.db")}}) as node:
        yield node


@pytest.fixture(params=["api", "cli"])
def room(node, request):
    room = Room(node, request.param)
    yield room
    room.close()


def test_mute_deaf_and_gain_are_heard(room):
    assert room.do("participant", "mute", who="anna")["muted"] is True
    room.wait(lambda: room.level() is None, "silence")
    room.audited("muted", "anna")
    assert room.do("participant", "unmute", who="anna")["muted"] is False
    room.wait(lambda: room.level() is not None, "Anna again")
    room.audited("unmuted", "anna")
    assert room.do("participant", "deaf", who="bert")["deaf"] is True
    room.wait(lambda: room.level() is None, "nothing for Bert")
    room.audited("deaf", "bert")
    assert room.do("participant", "undeaf", who="bert")["deaf"] is False
    room.wait(lambda: room.level() is not None, "Bert hears again")
    assert room.do("participant", "gain", "-15", who="anna", gain_db=-15)["gain_db"] == -15
    room.wait(lambda: room.hears(-35), "Anna is softer")
    room.audited("gain", "anna")
    room.do("participant", "gain", "6", who="anna", gain_db=6)
    room.wait(lambda: room.hears(-14), "Anna is louder")


def test_a_role_is_given_to_who_is_there(room):
    assert room.do("participant", "role", "listener", who="anna", role="listener")["role"] == "listener"
    room.wait(lambda: room.level() is None, "a listener is not heard")
    room.audited("listener", "anna")
    assert room.do("participant", "role", "moderator", who="anna", role="moderator")["role"] == "moderator"
    room.do("participant", "unmute", who="anna")
    room.wait(lambda: room.level() is not None, "a moderator is")
    assert room.do("participant", "role", "participant", who="anna", role="participant")["role"] == "participant"


def test_a_lock_keeps_out(room):
    assert room.do("conference", "lock")["locked"] is True
    room.audited("settings: locked=on")
    assert Ue(room.node.uri(), "--from", "sip:late@example.net", seconds=3).result()["outcome"] != "joined"
    assert room.do("conference", "unlock")["locked"] is False
    room.audited("settings: locked=off")
    assert Ue(room.node.uri(), "--from", "sip:late@example.net", seconds=2).result()["outcome"] == "joined"


def test_somebody_is_called_and_asked_to_call(room):
    for verb, method, word in (("call", "dialed-out", "called"), ("refer", "dialed-in", "referred")):
        carl, uri = waiting("--tone", 880, seconds=30)
        room.do("conference", verb, uri, uri=uri)
        there = room.wait(lambda: [p for p in room.node.participants() if p["state"] == "connected" and p["id"] not in room.ids.values()], "Carl")
        assert there[0]["method"] == method
        room.audited(f"{word} {uri}")
        carl.stop()
        room.node.wait_participants(2)


def test_an_announcement_is_played(room):
    def ended():
        return room.node.api("node", "show")["media"]["total"]["plays_ended"]
    before = ended()
    room.do("conference", "announce", "tone:880:300", clip="tone:880:300")
    room.wait(lambda: ended() == before + 1, "played to all")
    room.audited("announced")
    room.do("participant", "announce", "welcome", who="bert", clip="welcome")
    room.wait(lambda: ended() == before + 2, "played to Bert")
    room.audited("announced", "bert")


def test_a_participant_is_removed(room):
    if room.way == "cli":
        assert "is removed from demo" in room.node.cli("participant", "remove", "demo", str(room.ids["anna"]), "--reason", "enough").stdout
    else:
        room.do("participant", "remove", who="anna")
    assert room.anna.result()["ended_by"] == "focus"
    room.audited("removed", "anna")


def test_statistics_and_records_of_them(room):
    room.wait(lambda: (room.shown("anna")["media"] or {}).get("packets_rx", 0) > 50, "a second of sound")
    leg, all_of_them = room.do("participant", "stats", who="anna"), room.do("conference", "stats")
    assert leg["media"]["packets_rx"] > 50 and leg["media"]["lost"] <= 2
    assert all_of_them["participants"] == all_of_them["measured"] == 2 and all_of_them["packets_rx"] >= leg["media"]["packets_rx"]
    open_ones = [r for r in room.node.api("records", "--conference", "demo")["records"] if r["left_at"] is None]
    assert {r["identity"] for r in open_ones} == {"sip:anna@example.net", "sip:bert@example.net"}
    if room.way == "cli":
        table = room.node.cli("records", "--conference", "demo").stdout
        assert "JOINED" in table and "sip:anna@example.net" in table
        assert "packets rx" in room.node.cli("conference", "stats", "demo").stdout
        audit = room.node.cli("audit", "--limit", "3").stdout
        assert "WHEN" in audit and "WHO" in audit


def fitting(name, schema):
    """A value that the operation takes."""
    kind = schema.get("type")
    if "enum" in schema:
        return schema["enum"][0]
    if name == "csv":
        return "uri\nsip:x@example.net\n"
    return 1 if kind in ("integer", "number") else [] if kind == "array" else True if kind == "boolean" else "sip:x@example.net"


def test_who_is_not_there_is_said_to_be(room):
    """Each action on a participant and on a conference that are not there: 404, and exit status 1."""
    for name, (method, path, operation) in room.api.operations.items():
        if "{" not in path or method == "GET":
            continue
        values = {p["name"]: fitting(p["name"], p["schema"]) for p in operation["parameters"] if p["in"] == "path"}
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        body = {n: fitting(n, schema["properties"][n]) for n in schema["required"]} if schema else None
        assert room.api.ask(name, body, **{**values, "conference": "nowhere"}).status == 404, name
    assert room.node.cli("participant", "mute", "nowhere", "1", check=False).returncode == 1
    assert room.node.cli("participant", "mute", "demo", "1", check=False).returncode == 1
