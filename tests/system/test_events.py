"""Live events over HTTP: what happens comes, in order, once, to who may see it; slow readers are told that they were."""
import json
import socket
import subprocess
import time

import pytest

from node import Node, Ue, program, wait_until
from openapi import Api, UnixConnection
from test_tokens import token

pytestmark = pytest.mark.sanitized

SCHEMAS = {
    "hello": "Hello", "end": "End", "conference-changed": "ConferenceEvent", "list-changed": "ConferenceEvent",
    "conference-closed": "ConferenceClosed", "participant-added": "ParticipantEvent", "participant-waiting": "ParticipantEvent",
    "participant-joined": "ParticipantEvent", "participant-changed": "ParticipantEvent", "participant-adopted": "ParticipantEvent",
    "participant-left": "ParticipantEvent", "talkers": "Talkers", "floor-changed": "FloorEvent", "chat-message": "ChatMessage", "dtmf": "Dtmf", "node": "NodeEvent",
}


class Stream:
    """Events of a node, read as they come; each is held against the document."""

    def __init__(self, api, target="/v1/events", headers=None, receive_buffer=None, is_checked=True):
        self.is_checked = is_checked
        self.api, self.raw, self.rest, self.ended = api, b"", b"", False
        self.socket = socket.socket() if api.tcp else socket.socket(socket.AF_UNIX)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", api.node.http_port) if api.tcp else api.node.path("api.sock"))
        fields = {"Host": "localhost", **(headers or {}), **({"Authorization": f"Bearer {api.token}"} if api.token else {})}
        self.socket.sendall("".join([f"GET {target} HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in fields.items()), "\r\n"]).encode())
        self.socket.settimeout(10)
        while b"\r\n\r\n" not in self.raw:
            self.raw += self.socket.recv(65536)
        head, self.raw = self.raw.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = dict(line.split(": ", 1) for line in lines[1:])
        self.socket.settimeout(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def chunks(self):
        """Whole chunks (RFC 9112 7.1) of what has come."""
        while b"\r\n" in self.raw:
            size, rest = self.raw.split(b"\r\n", 1)
            if len(rest) < int(size, 16) + 2:
                return
            self.ended = self.ended or int(size, 16) == 0
            self.raw = rest[int(size, 16) + 2:]
            yield rest[:int(size, 16)]

    def read(self):
        """The events that are there now."""
        try:
            got = self.socket.recv(1 << 20)
            self.raw += got
            self.ended = self.ended or not got
        except (TimeoutError, socket.timeout):
            pass
        *blocks, self.rest = (self.rest + b"".join(self.chunks())).split(b"\n\n")
        return [self.event(block.decode()) for block in blocks if not block.startswith(b":")]

    def event(self, block):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        data = json.loads(fields["data"])
        schema = {"$ref": f"#/components/schemas/{SCHEMAS[fields['event']]}"}
        if self.is_checked:
            self.api.validate(schema, data, fields["event"])
        return fields["event"], fields.get("id"), data

    def until(self, wanted, seconds=15):
        """All events up to the first one that is wanted(name, data)."""
        seen = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ended and not self.raw:
                break
            for event in self.read():
                seen.append(event)
                if wanted(event[0], event[2]):
                    return seen
        raise AssertionError(f"it did not come; seen: {[(e[0], e[1]) for e in seen]}")


@pytest.fixture(scope="module")
def node():
    with Node() as node:
        yield node


@pytest.fixture(scope="module")
def api(node):
    return Api(node)


def test_what_happens_in_a_conference_comes_in_order(node, api):
    with Stream(api) as everything, Stream(api, "/v1/conferences/demo/events") as demo:
        assert everything.status == 200 and everything.headers["Content-Type"] == "text/event-stream"
        assert everything.headers["Cache-Control"] == "no-store"
        node.cli("conference", "create", "other", "--anonymous")
        ue = Ue(node.uri(), "--from", "sip:anna@example.net", "--tone", 440, seconds=60)
        try:
            seen = demo.until(lambda name, _: name == "participant-joined")
            who = seen[-1][2]["participant"]
            assert who["identity"] == "sip:anna@example.net" and who["state"] == "connected"
            demo.until(lambda name, data: name == "talkers" and [t["id"] for t in data["talkers"]] == [who["id"]])
            api.ask("participant_mute", conference="demo", participant=who["id"])
            demo.until(lambda name, data: name == "participant-changed" and data["participant"]["muted"])
            api.ask("authorised_add", {"uri": "sip:new@example.net"}, conference="demo")
            listed = demo.until(lambda name, _: name == "list-changed")[-1][2]["conference"]["authorised"]
            assert {"uri": "sip:new@example.net", "role": "participant"} in listed
            api.ask("participant_remove", {}, {"reason": "enough"}, conference="demo", participant=who["id"])
            left = demo.until(lambda name, _: name == "participant-left")[-1][2]
            assert left["participant"]["id"] == who["id"] and "enough" in left["reason"]
        finally:
            ue.stop()
        node.cli("conference", "close", "other", "--reason", "over")
        seen = everything.until(lambda name, _: name == "conference-closed")
        assert seen[-1][2] == {"id": "other", "reason": "over"}
        numbers = [int(e[1].split("-")[1]) for e in seen]
        assert numbers == sorted(set(numbers)), "each once, in order"
        names = [e[0] for e in seen]
        assert names.index("participant-joined") < names.index("participant-left")
        assert [e[2]["conference"]["id"] for e in seen if e[0] == "conference-changed"].count("other") == 1, "that it was made, once"
        assert not any("other" in json.dumps(e[2]) for e in demo.read()), "of another conference nothing comes"


def test_a_stream_goes_on_where_it_was(node, api):
    with Stream(api) as stream:
        node.cli("conference", "create", "again", "--anonymous")
        last = stream.until(lambda name, _: name == "conference-changed")[-1][1]
    node.cli("conference", "update", "again", "--title", "One")
    node.cli("conference", "update", "again", "--title", "Two")
    for target, fields in (("/v1/events", {"Last-Event-ID": last}), (f"/v1/events?last_event_id={last}", None)):
        with Stream(api, target, fields) as stream:
            seen = stream.until(lambda name, data: name == "conference-changed" and data["conference"]["title"] == "Two")
        assert seen[0][0] == "hello" and seen[0][2]["complete"] is True
        assert [e[2]["conference"]["title"] for e in seen if e[0] == "conference-changed"] == ["One", "Two"]
    for unknown in ("1-5", "zebra", last.split("-")[0] + "-99999"):
        with Stream(api, "/v1/events", {"Last-Event-ID": unknown}) as stream:
            assert stream.until(lambda name, _: name == "hello")[0][2]["complete"] is False
    node.cli("conference", "close", "again")


def test_the_state_of_the_node_is_an_event(node, api):
    with Stream(api) as stream:
        node.cli("node", "drain")
        stream.until(lambda name, data: name == "node" and data["state"] == "draining")
        node.cli("node", "resume")
        stream.until(lambda name, data: name == "node" and data["state"] == "ok")


def test_a_slow_reader_is_told_so(node, api):
    people = [f"sip:{'long' * 30}{number}@example.net" for number in range(90)]  # an event of 15 kB: the ring is short
    api.ask("conference_create", {"id": "busy", "anonymous": True, "authorised": people})
    with Stream(api, receive_buffer=4096, is_checked=False) as slow, Stream(api, is_checked=False) as quick:
        connection = UnixConnection(node.path("api.sock"), 10)
        for number in range(1000):
            connection.request("PATCH", "/v1/conferences/busy", json.dumps({"title": f"{number}"}), {"Content-Type": "application/json"})
            assert connection.getresponse().read()
            if number % 10 == 0:
                quick.read()
        connection.close()
        seen = slow.until(lambda name, _: name == "end", 60)
        assert seen[-1][2] == {"reason": "slow-reader"}
        titles = [int(e[2]["conference"]["title"]) for e in seen if e[0] == "conference-changed"]
        assert titles == list(range(len(titles))), "what came was whole and in order"
        assert not slow.read() and slow.ended
        quick.until(lambda name, data: name == "conference-changed" and data["conference"]["title"] == "999", 60)
    api.ask("conference_close", conference="busy")
    assert "slow-reader" in node.logs()


def test_streams_are_bounded(node, api):
    """Those that have left do not count; there is noticed that they did without an event."""
    streams = []
    time.sleep(2.5)
    try:
        while len(streams) < 100:
            streams.append(Stream(api))
            if streams[-1].status != 200:
                break
        assert len(streams) == 17 and streams[-1].status == 503 and b":too-many-streams" in streams[-1].raw
        assert api.ask("status").status == 200, "others are served"
    finally:
        for stream in streams:
            stream.socket.close()
    def again():
        with Stream(api) as stream:
            return stream.status == 200
    wait_until(again, 10, "a stream after the crowd has left")


def test_the_command_line_follows(node):
    follower = subprocess.Popen([program("conclave"), "--socket", node.path("api.sock"), "events", "--for", "5"], stdout=subprocess.PIPE, text=True)
    scripted = subprocess.Popen([program("conclave"), "--socket", node.path("api.sock"), "--json", "conference", "events", "demo", "--for", "5"],
                                stdout=subprocess.PIPE, text=True)
    first = json.loads(scripted.stdout.readline())
    assert first["event"] == "hello"
    time.sleep(0.3)
    node.cli("conference", "lock", "demo")
    node.cli("conference", "unlock", "demo")
    changes = [json.loads(scripted.stdout.readline()) for _ in range(2)]
    assert [c["data"]["conference"]["locked"] for c in changes] == [True, False]
    text = follower.communicate(timeout=20)[0]
    scripted.communicate(timeout=20)
    assert follower.returncode == 0 and scripted.returncode == 0
    assert text.count("conference-changed   demo") == 2
    refused = node.cli("conference", "events", "nothing", check=False)
    assert refused.returncode == 1 and "no conference 'nothing'" in refused.stderr


def test_streams_end_with_their_token_and_with_the_server(tmp_path):
    tokens = tmp_path / "tokens"
    made = token(tokens, "wall")
    bert = token(tokens, "bert", "--identity", "sip:bert@example.net")
    with Node({"http": {"tokens": str(tokens)}}) as node:
        unix = Api(node)
        with Stream(Api(node, token=made, tcp=True)) as wall, Stream(Api(node, token=bert, tcp=True)) as berts, Stream(unix) as local:
            unix.ask("conference_create", {"id": "secret", "authorised": ["sip:anna@example.net"]})
            wall.until(lambda name, _: name == "conference-changed")
            unix.ask("authorised_add", {"uri": "sip:bert@example.net"}, conference="secret")
            seen = berts.until(lambda name, _: name == "list-changed")
            assert [e[0] for e in seen if e[0] != "node"] == ["hello", "list-changed"], "what one may not see does not come"
            subprocess.run([program("conclave"), "token", "remove", "wall", "--file", str(tokens)], check=True, timeout=20)
            assert wall.until(lambda name, _: name == "end")[-1][2] == {"reason": "token-removed"}
            node.kill("cp", 15)
            assert local.until(lambda name, _: name == "end")[-1][2] == {"reason": "server-stops"}
