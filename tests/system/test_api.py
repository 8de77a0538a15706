"""The HTTP API and the conclave command line against a whole node, with participants that talk."""
import http.client
import json
import socket
import subprocess

import pytest

from node import Node, Ue, free_port, program, wait_until

pytestmark = pytest.mark.sanitized

PARTICIPANT = {
    "id": int, "conference": str, "identity": (str, type(None)), "uri": (str, type(None)), "display": (str, type(None)),
    "verified_by": str, "protection": str, "suite": (str, type(None)), "state": str, "direction": str, "on_hold": bool, "muted": bool,
    "deaf": bool, "gain_db": float, "talking": bool, "joined_at": str, "via": (str, type(None)), "call_id": (str, type(None)),
    "user_agent": (str, type(None)), "media": (dict, type(None)),
}
MEDIA = {
    "packets_rx": int, "packets_tx": int, "lost": int, "jitter_ms": float, "level_dbov": (int, type(None)), "delay_ms": float,
    "round_trip_ms": (float, type(None)), "auth_failures": int, "replays": int, "drops": dict, "codec": str, "remote": str,
}
CONFERENCE = {
    "id": str, "title": str, "uris": list, "origin": str, "created_at": str, "participants": int, "security": str, "open": bool,
    "anonymous": bool, "locked": bool, "loudest_n": int, "small_size": int, "max_participants": (int, type(None)),
    "chat": bool, "chat_history": int,
}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


def ask(node, method, target, body=None, headers=None, tcp=False):
    """Status, header fields, JSON or None."""
    connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=10) if tcp else UnixConnection(node.path("api.sock"))
    fields = {"Content-Type": "application/json"} if headers is None else headers
    try:
        connection.request(method, target, body, fields)
        response = connection.getresponse()
        text = response.read()
        return response.status, response.headers, json.loads(text) if text else None
    finally:
        connection.close()


def is_healthy(node):
    try:
        return ask(node, "GET", "/v1/health")[0] == 200
    except OSError:
        return False  # the backlog is full


def assert_shape(shape, value):
    for name, kind in shape.items():
        assert isinstance(value[name], kind), f"{name}: {value[name]!r}"


def assert_problem(answer, status):
    got, headers, document = answer
    assert got == status, document
    assert headers["Content-Type"] == "application/problem+json"
    assert document["status"] == status
    assert document["type"].startswith(("about:blank", "urn:problem-type:conclave:"))
    assert document["title"] and document["detail"] and document["instance"].startswith("/")
    return document


@pytest.fixture(scope="module")
def node():
    with Node() as node:
        yield node


def test_the_status_says_that_all_is_well(node):
    status, headers, document = ask(node, "GET", "/v1/status")
    assert status == 200 and headers["Content-Type"] == "application/json" and headers["Cache-Control"] == "no-store"
    assert document["state"] == "ok" and document["media"]["workers"] == 1
    assert node.cli().stdout.startswith("conclave ")
    assert ask(node, "GET", "/v1/health")[0] == 200
    assert ask(node, "HEAD", "/v1/health")[::2] == (200, None)


def test_the_node_shows_its_workers(node):
    document = ask(node, "GET", "/v1/node")[2]
    assert len(document["media"]["workers"]) == 1 and document["media"]["total"]["packets_rx"] >= 0
    assert "WORKER" in node.cli("node", "show").stdout


def test_a_conference_is_created_and_closed_by_the_command_line(node):
    node.cli("conference", "create", "standup", "--title", "Täglich", "--anonymous", "--max-participants", "5")
    shown = node.api("conference", "show", "standup")
    assert_shape(CONFERENCE, shown)
    assert shown["title"] == "Täglich" and shown["max_participants"] == 5 and shown["origin"] == "created"
    assert shown["uris"] == [node.uri("standup")]
    assert [c["id"] for c in node.api("conference", "list")["conferences"]] == ["demo", "standup"]
    again = node.cli("conference", "create", "standup", "--anonymous", check=False)
    assert again.returncode == 1 and "already" in again.stderr
    node.cli("conference", "close", "standup")
    gone = node.cli("conference", "show", "standup", check=False)
    assert gone.returncode == 1 and "no conference 'standup'" in gone.stderr


@pytest.mark.parametrize("settings, is_open, anonymous", [
    ({}, True, False),
    ({"open": True}, True, False),
    ({"anonymous": True}, True, True),
    ({"authorised": ["sip:a@b"]}, False, False),
    ({"authorised": ["sip:a@b"], "open": True}, True, False),
    ({"authorised": ["sip:a@b"], "open": False}, False, False),
])
def test_without_a_list_everybody_with_an_identity_may_join(node, settings, is_open, anonymous):
    status, _, made = ask(node, "POST", "/v1/conferences", json.dumps({"id": "made", **settings}))
    assert status == 201, made
    assert (made["open"], made["anonymous"]) == (is_open, anonymous)
    assert ask(node, "DELETE", "/v1/conferences/made")[0] == 204


@pytest.mark.parametrize("method, target, body, status", [
    ("GET", "/v1/nothing", None, 404),
    ("GET", "/v1/conferences/none", None, 404),
    ("DELETE", "/v1/conferences/none", None, 404),
    ("GET", "/v1/conferences/none/participants", None, 404),
    ("GET", "/v1/conferences/demo/participants/4711", None, 404),
    ("POST", "/v1/conferences/demo/participants/x/mute", None, 404),
    ("DELETE", "/v1/conferences/demo/participants/4711", None, 404),
    ("PUT", "/v1/conferences", None, 405),
    ("POST", "/v1/status", None, 405),
    ("DELETE", "/v1/node", None, 405),
    ("POST", "/v1/conferences", "{", 400),
    ("POST", "/v1/conferences", "[]", 400),
    ("POST", "/v1/conferences", '{"id": "a", "open": "yes"}', 400),
    ("POST", "/v1/conferences", '{"id": "a", "open": false}', 400),
    ("POST", "/v1/conferences", '{"id": "a b", "open": true}', 400),
    ("POST", "/v1/conferences", '{"id": "demo", "open": true}', 409),
    ("GET", "/v1/conferences/demo/participants?limit=0", None, 400),
    ("GET", "/v1/conferences/%ff", None, 400),
    pytest.param("POST", "/v1/conferences/demo/lock", " " * 70000, 413, id="big body"),
    pytest.param("POST", "/v1/conferences", " " * 3000000, 413, id="biggest body"),
    pytest.param("POST", "/v1/nothing", " " * 70000, 404, id="big body for nothing"),
])
def test_errors_are_problem_documents(node, method, target, body, status):
    assert_problem(ask(node, method, target, body), status)


def test_all_mistakes_of_a_request_are_named(node):
    document = assert_problem(ask(node, "POST", "/v1/conferences", '{"opne": true, "loudest_n": -1}'), 400)
    assert [error["pointer"] for error in document["errors"]] == ["#/opne", "#/loudest_n"]
    assert "did you mean open?" in document["errors"][0]["detail"]


def test_a_write_must_be_json(node):
    assert_problem(ask(node, "POST", "/v1/conferences", '{"id": "a"}', headers={}), 415)
    assert_problem(ask(node, "POST", "/v1/node/drain", headers={"Content-Type": "text/plain"}), 415)
    assert ask(node, "POST", "/v1/node/resume", headers={})[0] == 200, "what has no body needs no type"
    assert_problem(ask(node, "POST", "/v1/conferences", "id=a", headers={"Content-Type": "application/x-www-form-urlencoded"}), 415)


def test_tcp_is_closed_to_pages_of_others(node):
    assert ask(node, "GET", "/v1/status", tcp=True)[0] == 200
    assert_problem(ask(node, "GET", "/v1/status", headers={"Host": "evil.example"}, tcp=True), 421)
    assert_problem(ask(node, "GET", "/v1/status", headers={"Origin": "http://evil.example"}, tcp=True), 403)
    assert not [name for name in ask(node, "GET", "/v1/status", tcp=True)[1] if name.lower().startswith("access-control")]


def test_the_bearer_token_is_wanted_on_tcp_only(tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o600)
    with Node({"http": {"token_file": str(token)}}) as node:
        assert_problem(ask(node, "GET", "/v1/status", tcp=True), 401)
        assert_problem(ask(node, "GET", "/v1/status", headers={"Authorization": "Bearer 0123456789abcdef"}, tcp=True), 401)
        assert ask(node, "GET", "/v1/status", headers={"Authorization": f"Bearer {token.read_text().strip()}"}, tcp=True)[0] == 200
        assert ask(node, "GET", "/v1/status")[0] == 200


def test_participants_are_shown_muted_and_removed(node):
    anna = Ue(node.uri(), "--from", "sip:anna@example.net", "--tone", 440, seconds=60)
    bert = Ue(node.uri(), "--from", "sip:bert@example.net", "--tone", 880, "--suite", "AEAD_AES_128_GCM", seconds=60)
    try:
        node.wait_participants(2)
        wait_until(lambda: all(p["media"] and p["media"]["packets_rx"] > 20 and p["media"]["level_dbov"] for p in node.participants()),
                   10, "sound of both")
        people = {p["identity"]: p for p in node.participants()}
        for person in people.values():
            assert_shape(PARTICIPANT, person)
            assert_shape(MEDIA, person["media"])
            assert person["protection"] == "SDES to next hop" and person["verified_by"] == "none"
            assert person["media"]["auth_failures"] == 0 and person["state"] == "connected"
            assert "key" not in person and "inline" not in json.dumps(person)
        assert people["sip:bert@example.net"]["suite"] == "AEAD_AES_128_GCM"
        who = str(people["sip:anna@example.net"]["id"])

        assert node.api("participant", "mute", "demo", who)["muted"] is True
        assert node.api("participant", "mute", "demo", who)["muted"] is True  # once more is no error
        heard = lambda: {p["identity"]: p["media"]["level_heard_dbov"] for p in node.participants()}["sip:bert@example.net"]
        wait_until(lambda: heard() is None, 5, "bert hears silence while anna is muted")
        assert node.api("participant", "unmute", "demo", who)["muted"] is False
        wait_until(lambda: heard() is not None, 5, "bert hears anna again")
        assert node.api("participant", "deaf", "demo", who)["deaf"] is True
        assert node.api("participant", "undeaf", "demo", who)["deaf"] is False
        assert node.api("participant", "gain", "demo", who, "-6.5")["gain_db"] == -6.5
        refused = node.cli("participant", "gain", "demo", who, "99", check=False)
        assert refused.returncode == 2 and "from -60 to 20" in refused.stderr

        page = node.api("participant", "list", "demo", "--limit", "1")
        assert page["total"] == 2 and len(page["participants"]) == 1
        rest = node.api("participant", "list", "demo", "--after", str(page["next_after"]))
        assert len(rest["participants"]) == 1 and rest["next_after"] is None

        completed = node.cli("complete", "--", "participant", "mute", "demo", "").stdout.split()
        assert who in completed and len(completed) == 2
        watched = node.cli("conference", "watch", "demo", "--for", "1").stdout
        assert "anna@example.net" in watched and "AEAD_AES_128_GCM" in watched

        lines = node.cli("--json", "conference", "watch", "demo", "--for", "2").stdout.splitlines()
        assert [json.loads(line)["total"] for line in lines] == [2, 2]

        node.cli("participant", "remove", "demo", who, "--reason", "test over")
        node.wait_participants(1)
        result = anna.result()
        assert result["sip"]["status"] == 200 if "sip" in result else True
    finally:
        for ue in (anna, bert):
            if ue.process.poll() is None:
                ue.stop()
    node.wait_participants(0)


def test_a_locked_conference_and_a_drained_node_take_nobody(node):
    node.cli("conference", "lock", "demo")
    late = subprocess.run([program("conclave-ue"), "--for", "2", node.uri()], capture_output=True, text=True, timeout=30)
    assert not node.participants()
    node.cli("conference", "unlock", "demo")
    node.cli("node", "drain")
    assert_problem(ask(node, "GET", "/v1/health"), 503)
    subprocess.run([program("conclave-ue"), "--for", "2", node.uri()], capture_output=True, text=True, timeout=30)
    assert not node.participants() and late.returncode != 0
    node.cli("node", "resume")
    assert ask(node, "GET", "/v1/health")[0] == 200


def test_without_the_media_plane_the_api_says_so():
    with Node() as node:
        node.kill("dp")
        wait_until(lambda: node.api("status")["state"] == "no_media", 10, "the status without media plane")
        assert_problem(ask(node, "GET", "/v1/health"), 503)
        assert "not connected" in node.cli().stdout
        node.start_dp()
        wait_until(lambda: node.api("status")["state"] == "ok", 15, "the media plane again")


def test_exit_statuses_and_their_texts(node):
    def run(*words):
        return subprocess.run([program("conclave"), *words], capture_output=True, text=True, timeout=20)

    unreachable = run("--socket", node.path("none.sock"), "status")
    assert unreachable.returncode == 3 and "--socket" in unreachable.stderr
    assert run("confrence", "list").returncode == 2
    assert "did you mean 'conclave conference'" in run("confrence").stderr
    assert run("--help").returncode == 0 and run("help", "participant", "gain").returncode == 0
    refused = node.cli("--json", "conference", "show", "none", check=False)
    assert refused.returncode == 1 and json.loads(refused.stdout)["status"] == 404


def test_the_doctor_checks_the_running_node(node):
    result = node.cli("--json", "doctor", "--config", node.config_path, check=False)
    findings = {(f["what"], f["grade"]) for f in json.loads(result.stdout)}
    assert {("control plane", "ok"), ("media plane", "ok"), ("configuration", "ok")} <= findings
    assert result.returncode == (1 if any(grade == "FAIL" for _, grade in findings) else 0)


def test_the_doctor_finds_a_wrong_configuration(node, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("media:\n  wrokers: 2\n")
    result = node.cli("doctor", "--config", str(path), check=False)
    assert result.returncode == 1
    assert f"{path}:2: unknown option 'media.wrokers'; did you mean 'media.workers'?" in result.stdout


def test_many_clients_at_once(node):
    """More than the API keeps open: each is answered or closed, and then it answers again."""
    opened = []
    try:
        for _ in range(200):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(5)
            try:
                client.connect(node.path("api.sock"))
            except BlockingIOError:
                client.close()
                break
            opened.append(client)
    finally:
        for client in opened:
            client.close()
    wait_until(lambda: is_healthy(node), 10, "an answer after the crowd")


def test_the_program_says_when_its_address_is_taken():
    with Node() as node, socket.socket() as holder:
        port = free_port()
        holder.bind(("127.0.0.1", port))
        holder.listen()
        other = Node({"http": {"listen": f"127.0.0.1:{port}"}}, start=False)
        other.write_config()
        result = subprocess.run([program("conclave-cp"), "--config", other.config_path], capture_output=True, text=True, timeout=30)
        assert result.returncode == 1 and str(port) in result.stderr and "Address already in use" in result.stderr
        assert ask(node, "GET", "/v1/status")[0] == 200
