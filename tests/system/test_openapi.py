"""The API against its own OpenAPI document: every operation answers as the document says, whatever it is asked."""
import json
import os
import random
import urllib.parse

import jsonschema
import pytest

from node import Node, Ue, free_port, wait_until
from openapi import METHODS, Api

pytestmark = pytest.mark.sanitized

REQUESTS_EACH = 25  # of the fuzzer, for each operation
SEED = 4711


@pytest.fixture(scope="module")
def node():
    with Node() as node:
        yield node


@pytest.fixture(scope="module")
def api(node):
    return Api(node)


def test_the_document_is_whole(api):
    document = api.document
    assert document["openapi"].startswith("3.1") and document["info"]["title"] == "Conclave"
    ids = [o["operationId"] for item in document["paths"].values() for o in item.values()]
    assert len(ids) == len(set(ids)) and len(ids) > 35
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["properties"] and schema["description"], name
    references = json.dumps(document).split('"$ref": "')[1:]
    for reference in references:
        name = reference.split('"')[0].removeprefix("#/components/schemas/")
        assert name in document["components"]["schemas"], name
    for path, item in document["paths"].items():
        for operation in item.values():
            declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
            assert {"400", "401", "403", "500"} <= set(operation["responses"])


def test_the_commands_and_the_routes_are_the_same(node, api):
    """Every command that names a route is documented, and the other way round."""
    manual = node.cli("man").stdout.replace("\\-", "-").splitlines()
    routes = set()
    for line, following in zip(manual, manual[1:]):
        if line == "Over HTTP:":
            method, path = following.removeprefix(".BR ").rstrip(" .").split(" ", 1)
            routes.add((method, path.strip(' "')))
    assert routes == {(method, path) for method, path, _ in api.operations.values()}


def test_what_is_not_documented_does_not_exist(api):
    for path, item in api.document["paths"].items():
        target = path.replace("{conference}", "demo").replace("{participant}", "1").replace("{uri}", "sip:a@b")
        for method in METHODS - set(item):
            answer = api.raw(method.upper(), target)
            others = [o for o in api.document["paths"] if o != path and method in api.document["paths"][o] and
                      len(o.split("/")) == len(path.split("/"))]
            assert answer.status == 405 or others, f"{method} {path}: {answer.status}"
            if answer.status == 405:
                allowed = {m.strip().lower() for m in answer.headers["Allow"].split(",")} - {"head"}
                assert set(item) <= allowed
        for wrong in (target + "/more", target + "x", "/v2" + target[3:], target.upper()):
            answer = api.raw("GET", wrong)
            assert answer.status in (400, 404, 405), f"{wrong}: {answer.status}"


def make_everything(api, node):
    """Each operation once, with what makes it succeed."""
    made = api.ask("conference_create", {"id": "whole", "title": "Ganz", "subject": "s", "description": "d", "creator": "sip:c@example.net",
                                         "authorised": ["sip:anna@example.net", {"uri": "tel:+4930123", "role": "moderator"}],
                                         "start_at": "2020-01-01T00:00:00Z", "end_at": "2099-01-01T00:00:00+01:00", "early_s": 60,
                                         "pin": "123456", "who_may_change": "moderators", "notify_protection": "preferred",
                                         "chat": True, "chat_history": 10})
    assert made.json["chat"] is True and made.json["chat_history"] == 10
    assert made.status == 201 and made.headers["Location"] == "/v1/conferences/whole"
    assert made.json["has_pin"] is True and "123456" not in made.text.decode()
    assert made.json["start_at"] == "2020-01-01T00:00:00.000Z" and made.json["end_at"] == "2098-12-31T23:00:00.000Z"
    assert {p["uri"]: p["role"] for p in made.json["authorised"]}["tel:+4930123"] == "moderator"
    page = api.ask("conference_list", query={"limit": 1}).json
    assert [c["id"] for c in page["conferences"]] == ["demo"] and page["next_after"] == "demo"
    page = api.ask("conference_list", query={"after": "demo"}).json
    assert [c["id"] for c in page["conferences"]] == ["whole"] and page["next_after"] is None
    assert api.ask("conference_list", query={"after": "none"}).status == 400
    nameless = api.ask("conference_create", {})
    assert nameless.status == 201 and len(nameless.json["id"]) == 12
    c = {"conference": "whole"}
    for each in ("status", "health", "conference_list", "node_show", "whoami", "openapi", "announcement_list", "events", "node_drain", "node_resume"):
        assert api.ask(each).status == 200
    for each in ("conference_show", "conference_lock", "conference_unlock", "conference_stats", "conference_admit", "conference_events",
                 "authorised_list", "participant_list"):
        assert api.ask(each, **c).status == 200
    changed = api.ask("conference_update", {"title": None, "pin": "", "lobby": True, "end_at": ""}, **c)
    assert changed.json["title"] == "whole" and changed.json["has_pin"] is False and changed.json["end_at"] is None
    assert changed.json["lobby"] is True and changed.json["subject"] == "s"
    nobody = api.ask("conference_announce", {"clip": "welcome"}, **c)
    assert nobody.status == 409 and "Nobody is connected" in nobody.json["detail"]
    assert api.ask("conference_mix", {"loudest_n": 3}, **c).json["loudest_n"] == 3
    assert api.ask("authorised_add", {"uri": "sip:Bert@EXAMPLE.net:5060", "role": "listener"}, **c).status == 200
    assert api.ask("authorised_import", {"csv": "uri,role\nsip:x@example.net,moderator\n"}, **c).status == 200
    listed = {p["uri"]: p["role"] for p in api.ask("authorised_list", **c).json["authorised"]}
    assert listed["sip:Bert@example.net"] == "listener" and listed["sip:x@example.net"] == "moderator" and len(listed) >= 4
    assert api.ask("authorised_remove", uri="sip:x@example.net", **c).status == 204
    only = api.ask("authorised_set", {"authorised": ["sip:anna@example.net"]}, **c).json["authorised"]
    assert [p["uri"] for p in only if p["role"] != "creator"] == ["sip:anna@example.net"]
    assert api.ask("conference_close", conference=nameless.json["id"]).status == 204
    assert api.ask("conference_close", query={"reason": "over"}, **c).status == 204


def steer_floors(api, who):
    stage = {"conference": "demo", "floor": "stage"}
    assert api.ask("participant_role", {"role": "participant"}, **who).status == 200
    assert len(api.ask("conference_update", {"floors": ["stage chair", {"name": "board", "media": ["chat"]}]}, conference="demo").json["floors"]) == 2
    assert len(api.ask("floor_list", conference="demo").json["floors"]) == 2
    assert api.ask("floor_show", **stage).json["requests"] == []
    assert api.ask("floor_show", conference="demo", floor="none").status == 404
    assert api.ask("floor_chair", {"participant": who["participant"]}, **stage).json["chairs"]
    for over in ("floor_revoke", "floor_deny", "floor_release"):
        request = api.ask("floor_ask", {"participant": who["participant"]}, **stage).json["requests"][0]["request"]
        assert api.ask("floor_place", {"place": 1}, request=request, **stage).status == 404, "it holds it"
        assert api.ask("floor_grant", request=request, **stage).status == 200
        assert api.ask(over, request=request, **stage).json["requests"] == []
    assert api.ask("floor_unchair", participant=who["participant"], **stage).json["chairs"] == []
    assert api.ask("conference_update", {"floors": []}, conference="demo").json["floors"] == []


def steer_chat(api, who):
    c = {"conference": "demo"}
    assert api.ask("chat_show", **c).json["on"] is False
    assert api.ask("chat_say", {"text": "x"}, **c).status == 409
    assert api.ask("conference_update", {"chat": True, "chat_history": 3}, **c).json["chat"] is True
    assert api.ask("chat_say", {"text": "nobody hears it"}, **c).json == {"recipients": 0}
    assert api.ask("chat_say", {"text": "x", "participant": who["participant"]}, **c).status == 404, "its call has no chat"
    assert api.ask("chat_mute", **who).status == 404 and api.ask("chat_unmute", **who).status == 404
    assert api.ask("conference_update", {"chat": False}, **c).json["chat"] is False


def steer_everything(api, node):
    ue = Ue(node.uri(), "--from", "sip:anna@example.net", "--tone", 440, seconds=60)
    try:
        node.wait_participants(1)
        wait_until(lambda: (node.participants()[0]["media"] or {}).get("packets_rx", 0) > 10, 15, "sound")
        who = {"conference": "demo", "participant": node.participants()[0]["id"]}
        shown = api.ask("participant_show", **who).json
        assert shown["media"]["packets_rx"] > 10 and shown["role"] == "participant" and shown["method"] == "dialed-in"
        stats = api.ask("participant_stats", **who).json
        assert stats["media"]["packets_rx"] > 10 and set(stats) == {"id", "conference", "talking", "media"}
        sums = api.ask("conference_stats", conference="demo").json
        assert sums["measured"] == sums["participants"] == 1 and sums["packets_rx"] > 10
        for each, member, value in (("mute", "muted", True), ("unmute", "muted", False), ("deaf", "deaf", True), ("undeaf", "deaf", False)):
            assert api.ask(f"participant_{each}", **who).json[member] is value
        assert api.ask("participant_gain", {"gain_db": -3}, **who).json["gain_db"] == -3
        assert api.ask("participant_role", {"role": "moderator"}, **who).json["role"] == "moderator"
        assert api.ask("participant_role", {"role": "listener"}, **who).json["role"] == "listener"
        assert api.ask("participant_admit", **who).status in (200, 409)
        assert api.ask("participant_list", conference="demo").json["total"] == 1
        steer_floors(api, who)
        steer_chat(api, who)
        for each in ("conference_announce", "participant_announce"):
            values = who if each.startswith("participant") else {"conference": "demo"}
            assert api.ask(each, {"clip": "joined"}, **values).status == 202
            unknown = api.ask(each, {"clip": "no-such-clip"}, **values)
            assert unknown.status == 404 and "no 'no-such-clip'" in unknown.json["detail"]
            many = [api.ask(each, {"clip": "tone:880:9000"}, **values) for _ in range(9)]
            assert {answer.status for answer in many} == {202, 503} and many[-1].headers["Retry-After"], "8 wait at most"
            assert "too many announcements" in many[-1].json["detail"]
        assert api.ask("conference_call", {"uri": f"sip:nobody@127.0.0.1:{free_port()}"}, conference="demo").status == 202
        assert api.ask("conference_refer", {"uri": f"sip:nobody@127.0.0.1:{free_port()}"}, conference="demo").status in (202, 503)
        assert api.ask("participant_remove", **who).status == 204
    finally:
        if ue.process.poll() is None:
            ue.stop()


def test_every_operation_answers_as_documented(api, node):
    make_everything(api, node)
    steer_everything(api, node)
    records = wait_until(lambda: api.ask("records", query={"conference": "demo", "limit": 1}).json["records"], 10, "the record of a call")
    assert records[0]["conference"] == "demo"
    for query in ({"limit": 1}, {"before": 1}, {"identity": "sip:anna@example.net"}, {"since": "2020-01-01T00:00:00Z"}, {}):
        assert api.ask("records", query=query).status == 200
    assert api.ask("records", query={"identity": "nobody"}).status == 400
    first = api.ask("audit", query={"limit": 2}).json
    rest = api.ask("audit", query={"limit": 2, "before": first["next_before"]}).json
    ids = [entry["id"] for page in (first, rest) for entry in page["entries"]]
    assert ids == sorted(set(ids), reverse=True) and len(ids) == 4, "the newest first, each once"
    for query in ({"conference": "whole"}, {"by": f"uid {os.getuid()}"}):
        entries = api.ask("audit", query=query).json["entries"]
        assert entries and all(query.get("conference", e["conference"]) == e["conference"] for e in entries)
    everything = api.ask("audit").text.decode()
    assert "123456" not in everything, "no PIN in the audit"
    assert {name for name, status in api.seen} == set(api.operations)
    fine = {name for name, status in api.seen if status < 300}
    assert set(api.operations) - fine <= {"conference_refer", "participant_admit", "floor_place", "chat_mute", "chat_unmute"}


def test_events_have_the_documented_data(api, node):
    schemas = api.document["components"]["schemas"]
    assert {"Hello", "End", "ConferenceEvent", "ConferenceClosed", "ParticipantEvent", "Talkers", "FloorEvent", "ChatMessage", "Dtmf", "NodeEvent"} <= set(schemas)


class Fuzz:
    """Random values for a schema: fine ones, those at the bounds, wrong types, huge, unicode, none at all."""

    ODD = ["", " ", "\x00", "\x1b[2J", "ä€𝄞", "\u202e", "%00", "../../etc/passwd", "'; DROP TABLE conferences; --", "a" * 64, "a" * 5000, "null", "-1",
           "sip:", "sip:@", "sip:a@", "tel:1", "sip:a b@c", "sip:a@[::1", "sip:%zz@127.0.0.1"]
    WRONG = [None, True, False, 0, -1, 1.5, 2 ** 31, 2 ** 63, -2 ** 63, 1e300, [], {}, [[]], [None], {"uri": 1}, "x"]

    def __init__(self, seed, conferences):
        self.random = random.Random(seed)
        self.conferences = conferences

    def fine(self, name, schema):
        choose = self.random.choice
        if name == "conference":
            return choose(self.conferences)
        if name == "uri":
            return choose(["sip:a@127.0.0.1:9", "tel:+4930123", "sip:anna@127.0.0.1:9"])
        if "enum" in schema:
            return choose(schema["enum"])
        if "anyOf" in schema:
            return "2030-01-01T00:00:00Z" if schema["anyOf"][0].get("format") == "date-time" else self.fine(name, choose(schema["anyOf"]))
        kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
        if kind in ("integer", "number"):
            return choose([schema["minimum"], schema["maximum"], self.random.randint(int(schema["minimum"]), int(min(schema["maximum"], 2 ** 40)))])
        if kind == "boolean":
            return choose([True, False])
        if kind == "array":
            return [self.fine("uri", {"type": "string"}) for _ in range(self.random.randrange(4))]
        if schema.get("format") == "date-time":
            return "2020-01-01T00:00:00Z"
        if kind == "object":
            return {"uri": "sip:a@127.0.0.1:9"}
        if name == "csv":
            return choose(["uri\nsip:a@b\n", "uri,role\nsip:a@b,listener\n"])
        return choose(["fine", "x" * max(1, schema.get("minLength", 1)), "y" * min(schema.get("maxLength", 9), 60)])

    def beside(self, schema):
        """Just out of bounds."""
        if "minimum" in schema:
            return self.random.choice([schema["minimum"] - 1, schema["maximum"] + 1])
        if "maxLength" in schema:
            return self.random.choice(["z" * (schema["maxLength"] + 1), "ä" * schema["maxLength"]])
        return self.random.choice(self.WRONG)

    def value(self, name, schema):
        how = self.random.random()
        if how < 0.55:
            return self.fine(name, schema)
        if how < 0.7:
            return self.beside(schema)
        if how < 0.85:
            return self.random.choice(self.ODD)
        return self.random.choice(self.WRONG)

    def request(self, path, operation):
        """Target and body."""
        query = []
        for parameter in operation["parameters"]:
            value = self.value(parameter["name"], parameter["schema"])
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", urllib.parse.quote(str(value), safe=self.random.choice(["", ":@"])))
            elif self.random.random() < 0.4:
                query.append((parameter["name"], str(value).lower() if isinstance(value, bool) else value))
        if self.random.random() < 0.05:
            query.append((self.random.choice(self.ODD), "1"))
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        return target, self.body(operation)

    def body(self, operation):
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        how = self.random.random()
        if schema is None:
            return None if how < 0.8 else "{}"
        if how < 0.05:
            return self.random.choice(["", "{", "[]", "null", '"x"', "{}" * 2, '{"id": "a", "id": "b"}', "[" * 3000, "\xff\xfe", '{"a": 1e999}'])
        body = {name: self.value(name, member) for name, member in schema["properties"].items()
                if name in schema["required"] or self.random.random() < 0.25}
        if how < 0.1 and body:
            body.pop(self.random.choice(list(body)))
        if how > 0.95:
            body[self.random.choice(self.ODD)] = self.random.choice(self.WRONG)
        return json.dumps(body, ensure_ascii=self.random.random() < 0.5)


def is_harmless(target, body):
    """Nobody out there is called: numbers and names of other hosts stay out of calls."""
    return not target.split("?")[0].endswith(("/call", "/refer")) or body is None or "127.0.0.1:9" in body or "sip:" not in body


def test_whatever_is_asked_the_answer_is_documented(node, api):
    node.cli("conference", "create", "fuzzed", "--anonymous", check=False)
    fuzz = Fuzz(SEED, ["fuzzed", "demo", "none"])
    statuses = {}
    for operation_id, (method, path, operation) in sorted(api.operations.items()):
        is_stream = operation_id.endswith("events")
        for _ in range(REQUESTS_EACH):
            target, body = fuzz.request(path, operation)
            if not is_harmless(target, body) or len(target) > 7000:
                continue
            answer = api.raw(method, target, None if body is None else body.encode("utf-8", "surrogatepass"), limit=4096 if is_stream else None)
            if answer.status in (404, 405) and (answer.json or {}).get("type", "").endswith((":unknown", ":method")):
                continue  # another path came of it: an empty id
            api.check(operation_id, answer)
            statuses.setdefault(operation_id, set()).add(answer.status // 100)
        if not any(c["id"] == "fuzzed" for c in node.api("conference", "list")["conferences"]):
            node.cli("conference", "create", "fuzzed", "--anonymous")
    assert all(classes - {5} for classes in statuses.values()), statuses
    assert node.cli("node", "resume").returncode == 0
    assert node.api("status")["state"] == "ok"


def test_a_list_of_thousands_is_imported_as_one(api):
    """All or none; who was listed stays, and gets the role that the file says."""
    longest = 20000
    api.ask("conference_create", {"id": "many", "authorised": [{"uri": "sip:boss@example.net", "role": "moderator"},
                                                              {"uri": "sip:user7@example.net", "role": "moderator"}]})
    rows = "".join(f"sip:user{i}@example.net,{'listener' if i % 2 else ''}\n" for i in range(longest - 1))
    target = "/v1/conferences/many/authorised/import"

    def upload(text):
        return api.raw("POST", target, text, {"Content-Type": "text/csv"})  # jsonschema takes seconds for thousands
    for _ in range(2):
        answer = upload("uri,role\n" + rows)
        assert answer.status == 200 and len(answer.json["authorised"]) == longest
    roles = {p["uri"]: p["role"] for p in answer.json["authorised"]}
    assert roles["sip:boss@example.net"] == "moderator" and roles["sip:user7@example.net"] == "listener" == roles["sip:user9@example.net"]
    assert roles["sip:user8@example.net"] == "participant"
    assert upload("uri\nsip:one@example.net\nsip:too@example.net\n").status == 507
    api.ask("authorised_remove", conference="many", uri="sip:user1@example.net")
    assert upload("uri\nsip:user2@example.net\nsip:one@example.net\nsip:too@example.net\n").status == 507
    assert api.ask("conference_show", conference="many").json["authorised_count"] == longest - 1, "all or none"
    assert upload("uri\nsip:user2@example.net\nsip:one@example.net\n").status == 200
    shown = api.ask("conference_show", conference="many").json
    assert shown["authorised_count"] == longest and "authorised" not in shown, "a long list has a route of its own"
    assert upload("uri\n" + "".join(f"sip:u{i}@example.net\n" for i in range(100)) + "mailto:nobody@example.net\n").status == 400
    assert api.ask("conference_show", conference="many").json["authorised_count"] == longest, "none of them"
    assert api.ask("authorised_set", {"authorised": []}, conference="many").json["authorised"] == []
    api.ask("conference_close", conference="many")
