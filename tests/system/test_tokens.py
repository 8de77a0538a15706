"""Who may what over HTTP: bearer tokens with roles and identities, read again without a restart; every change is audited."""
import datetime
import json
import os
import subprocess
import time

import pytest

from node import Node, Ue, program
from openapi import Api

pytestmark = pytest.mark.sanitized


def token(path, *words):
    made = subprocess.run([program("conclave"), "--json", "token", "create", "--file", str(path), *words], capture_output=True, text=True,
                          check=True, timeout=20)
    return json.loads(made.stdout)["token"]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return tmp_path_factory.mktemp("tokens") / "tokens"


@pytest.fixture(scope="module")
def apis(tokens):
    """One node, and the API as seen by each kind of token."""
    made = {
        "admin": token(tokens, "ops", "--role", "admin"),
        "wall": token(tokens, "wall"),
        "anna": token(tokens, "anna", "--role", "creator", "--identity", "sip:anna@example.net"),
        "bert": token(tokens, "bert", "--identity", "sip:bert@example.net"),
        "carl": token(tokens, "carl", "--identity", "sip:carl@example.net"),
    }
    with Node({"http": {"tokens": str(tokens)}}) as node:
        yield {"node": node, "socket": Api(node), "made": made, **{name: Api(node, token=text, tcp=True) for name, text in made.items()}}


def test_the_file_keeps_no_token(tokens, apis):
    text = tokens.read_text()
    assert not any(made in text for made in apis["made"].values())
    assert oct(tokens.stat().st_mode & 0o777) == "0o640"


def test_whoami_tells_who_one_is(apis):
    assert apis["admin"].ask("whoami").json == {"name": "ops", "role": "admin", "identity": None, "token": True}
    assert apis["anna"].ask("whoami").json == {"name": "anna", "role": "creator", "identity": "sip:anna@example.net", "token": True}
    assert apis["socket"].ask("whoami").json == {"name": f"uid {os.getuid()}", "role": "admin", "identity": None, "token": False}


def test_without_a_token_there_is_nothing_on_tcp(apis):
    for field in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer " + apis["made"]["admin"][:-1]}):
        api = apis["admin"]
        held, api.token = api.token, None
        try:
            answer = api.raw("GET", "/v1/status", headers=field)
        finally:
            api.token = held
        assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        api.check("status", answer)


def test_roles_bound_what_one_may(apis):
    demo = {"conference": "demo"}
    for name, statuses in {"admin": (200, 200, 201, 200), "wall": (200, 403, 403, 403), "bert": (403, 403, 403, 404)}.items():
        api = apis[name]
        created = api.ask("conference_create", {"id": f"of-{name}"})
        got = (api.ask("node_show").status, api.ask("node_drain").status, created.status, api.ask("conference_lock", **demo).status)
        assert got == statuses, name
        apis["admin"].ask("node_resume")
        apis["admin"].ask("conference_unlock", **demo)
    assert apis["wall"].ask("audit").status == 403
    assert apis["bert"].ask("records").status == 403


def test_a_creator_makes_and_steers_its_own(apis):
    made = apis["anna"].ask("conference_create", {"id": "annas", "authorised": [{"uri": "sip:bert@example.net", "role": "moderator"}]})
    assert made.status == 201 and made.json["creator"] == "sip:anna@example.net"
    assert apis["anna"].ask("conference_create", {"creator": "sip:bert@example.net"}).status == 403
    annas = {"conference": "annas"}
    seen = [c["id"] for c in apis["anna"].ask("conference_list").json["conferences"]]
    assert seen == ["annas"], "who stands for a participant sees its own conferences only"
    assert [c["id"] for c in apis["bert"].ask("conference_list").json["conferences"]] == ["annas"]
    assert apis["carl"].ask("conference_list").json["conferences"] == []
    assert apis["carl"].ask("conference_show", **annas).status == 404
    assert apis["wall"].ask("conference_show", **annas).status == 200

    assert apis["bert"].ask("conference_update", {"title": "Berts"}, **annas).status == 403, "the policy says creator"
    assert apis["bert"].ask("authorised_list", **annas).status == 403
    assert "authorised" not in apis["bert"].ask("conference_show", **annas).json
    assert apis["bert"].ask("records", query=annas).status == 403
    assert apis["anna"].ask("records", query=annas).status == 200
    assert apis["anna"].ask("records").status == 403, "the records of all are for operators"
    assert [p["role"] for p in apis["anna"].ask("conference_show", **annas).json["authorised"]] == ["moderator"]
    assert apis["anna"].ask("conference_update", {"who_may_change": "moderators"}, **annas).status == 200
    assert apis["bert"].ask("conference_update", {"title": "Berts"}, **annas).json["title"] == "Berts"
    assert apis["bert"].ask("authorised_add", {"uri": "sip:carl@example.net"}, **annas).status == 200
    assert apis["carl"].ask("conference_show", **annas).status == 200
    assert apis["carl"].ask("conference_update", {"title": "Carls"}, **annas).status == 403
    assert apis["carl"].ask("conference_close", **annas).status == 403
    assert apis["anna"].ask("conference_close", **annas).status == 204


def test_a_participant_steers_itself(apis):
    node = apis["node"]
    apis["admin"].ask("conference_create", {"id": "talk", "anonymous": True})
    carl = Ue(node.uri("talk"), "--from", "sip:carl@example.net", "--tone", 440, seconds=60)
    bert = Ue(node.uri("talk"), "--from", "sip:bert@example.net", "--tone", 880, seconds=60)
    try:
        people = {p["identity"]: p["id"] for p in node.wait_participants(2, "talk")}
        own = {"conference": "talk", "participant": people["sip:carl@example.net"]}
        other = {"conference": "talk", "participant": people["sip:bert@example.net"]}
        shown = apis["carl"].ask("participant_show", **other).json
        assert shown["identity"] == "sip:bert@example.net", "who is in it sees who is"
        assert (shown["via"], shown["call_id"], shown["media"]["remote"]) == (None, None, None), "but not from where"
        full = apis["wall"].ask("participant_show", **other).json
        assert None not in (full["via"], full["call_id"], full["media"]["remote"])
        assert apis["carl"].ask("participant_mute", **own).json["muted"] is True
        assert apis["carl"].ask("participant_mute", **other).status == 403
        assert apis["carl"].ask("participant_remove", **other).status == 403
        assert apis["wall"].ask("participant_mute", **own).status == 403
    finally:
        for ue in (carl, bert):
            ue.stop()


def test_tokens_change_without_a_restart(apis, tokens):
    made = token(tokens, "late", "--role", "admin")
    late = Api(apis["node"], token=made, tcp=True)
    assert late.ask("whoami").json["name"] == "late"
    subprocess.run([program("conclave"), "token", "remove", "late", "--file", str(tokens)], check=True, timeout=20)
    assert late.ask("whoami").status == 401
    held = tokens.read_text()
    tokens.write_text(held + "broken\n")
    assert apis["admin"].ask("whoami").status == 200, "a file that cannot be read changes nothing"
    tokens.write_text(held)
    assert apis["admin"].ask("whoami").status == 200
    log = apis["node"].logs()
    assert "token late added" in log and "token late removed" in log and "the tokens stay as they were" in log


def test_every_change_is_audited_with_who_and_when(apis):
    """By tokens, by the socket and of the tokens themselves; refusals change nothing and are none."""
    begin = time.time()
    c = {"conference": "audited"}
    assert apis["anna"].ask("conference_create", {"id": "audited", "pin": "987654", "who_may_change": "participants"}).status == 201
    apis["anna"].ask("conference_update", {"title": "Renamed", "pin": "1234567"}, **c)
    apis["anna"].ask("authorised_add", {"uri": "sip:bert@example.net"}, **c)
    apis["bert"].ask("conference_lock", **c)
    assert apis["carl"].ask("conference_unlock", **c).status == 404
    apis["admin"].ask("conference_unlock", **c)
    apis["socket"].ask("authorised_set", {"authorised": ["sip:carl@example.net"]}, **c)
    apis["admin"].ask("node_drain")
    apis["admin"].ask("node_resume")
    apis["anna"].ask("conference_close", **c)
    entries = apis["admin"].ask("audit", query=c).json["entries"][::-1]
    assert [e["by"] for e in entries] == ["anna", "anna", "anna", "bert", "ops", f"uid {os.getuid()}", "anna"], entries
    for entry in entries:
        at = datetime.datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp()
        assert begin - 1 <= at <= time.time() + 1
    text = json.dumps(entries)
    assert "title" in text and "PIN" in text and "987654" not in text and "1234567" not in text
    node = [e["what"] for e in apis["admin"].ask("audit", query={"by": "ops"}).json["entries"] if e["conference"] is None]
    assert node[:2] == ["node resumed", "node drained"]
    tokens = [e["what"] for e in apis["admin"].ask("audit", query={"by": "http.tokens"}).json["entries"]]
    assert "token late removed" in tokens and "token late added" in tokens


def test_a_wrong_file_stops_the_start(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("ops root 12 -\n")
    with Node({"http": {"tokens": str(path)}}, start=False) as node:
        node.write_config()
        node.start_dp()
        ended = subprocess.run([program("conclave-cp"), "--config", node.config_path], capture_output=True, text=True, timeout=20)
        checked = subprocess.run([program("conclave-cp"), "--check", "--config", node.config_path], capture_output=True, text=True, timeout=20)
        assert checked.returncode == 1 and f"{path}:1: the line has a role" in checked.stderr
        assert ended.returncode != 0 and f"{path}:1: the line has a role that is not viewer, creator or admin" in ended.stderr


def test_the_command_line_refuses_what_is_no_token(tokens, apis):
    def run(*words):
        return subprocess.run([program("conclave"), "token", *words, "--file", str(tokens)], capture_output=True, text=True, timeout=20)

    assert run("create", "ops").returncode == 1 and "there is a token of that name" in run("create", "ops").stderr
    assert run("create", "a b").returncode == 2
    assert run("create", "x", "--role", "creator").returncode == 2
    assert run("create", "x", "--identity", "nobody").returncode == 2
    assert run("create", "x", "--role", "root").returncode == 2
    assert run("remove", "nobody").returncode == 1
    listed = run("list").stdout
    assert "anna" in listed and "sip:anna@example.net" in listed and "conclave_" not in listed


def test_the_command_line_shows_its_token(apis):
    def run(*words, token=None):
        return subprocess.run([program("conclave"), *words], capture_output=True, text=True, timeout=20,
                              env={**os.environ, "CONCLAVE_URL": f"http://127.0.0.1:{apis['node'].http_port}", "CONCLAVE_TOKEN": token or ""})

    assert json.loads(run("--json", "whoami", token=apis["made"]["anna"]).stdout)["name"] == "anna"
    refused = run("whoami")
    assert refused.returncode == 1 and "conclave token create" in refused.stderr
    assert run("conference", "create", "walls", token=apis["made"]["wall"]).returncode == 1
    nobody = subprocess.run([program("conclave"), "status"], capture_output=True, text=True, timeout=20,
                            env={**os.environ, "CONCLAVE_URL": "http://127.0.0.1:1"})
    assert nobody.returncode == 3 and "http.listen" in nobody.stderr
