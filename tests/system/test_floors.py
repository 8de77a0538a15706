"""Floors of a conference, by API, CLI and live events: who holds one is heard, nobody else; who decides is in the audit."""
import os

import pytest

from node import Node, Ue, wait_until
from openapi import Api
from sound import levels
from test_events import Stream
from test_restart import keeping, restart
from test_tokens import token

pytestmark = pytest.mark.sanitized

STAGE = {"name": "stage", "media": ["audio"], "mode": "chair", "holders": 1, "limit_s": 0, "warning_s": 0}


def room(*floors, **more):
    return {"id": "room", "security": "sdes", "identity": "required", "floors": list(floors), **more}


def node_with(*rooms, **config):
    return Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}, "conferences": list(rooms), **config})


def join(node, who, *options, seconds=60):
    uri = f"sip:{who}@example.net"
    return Ue(node.uri("room"), "--from", uri, "--pai", uri, *options, seconds=seconds)


def leg(node, who):
    return wait_until(lambda: next((p for p in node.participants("room")
                                    if p["identity"] == f"sip:{who}@example.net" and p["state"] == "connected"), None), 20, who)


def floor(node, name="stage"):
    return node.api("floor", "show", "room", name)


def requests(node, name="stage"):
    """[(participant, status)], holders first."""
    return [(r["participant"], r["status"]) for r in floor(node, name)["requests"]]


def test_settings_come_back_as_they_were_given(tmp_path):
    with keeping() as node:
        api = Api(node)
        made = api.ask("conference_create", {"id": "talk", "anonymous": True, "floors": [
            STAGE, "board chat moderator holders=3", {"name": "both", "media": ["audio", "chat"], "limit_s": 60, "warning_s": 10}]})
        assert made.status == 201
        wanted = [{"id": 1, **STAGE},
                  {"id": 2, "name": "board", "media": ["chat"], "mode": "moderator", "holders": 3, "limit_s": 0, "warning_s": 0},
                  {"id": 3, "name": "both", "media": ["audio", "chat"], "mode": "first-come", "holders": 1, "limit_s": 60, "warning_s": 10}]
        assert made.json["floors"] == wanted
        wrong = api.ask("conference_update", {"floors": [{"name": "a"}, {"name": "a"}]}, conference="talk")
        assert wrong.status == 400 and "twice" in wrong.text.decode()
        restart(node)
        assert api.ask("conference_show", conference="talk").json["floors"] == wanted
        # what was shown may be sent back
        assert api.ask("conference_update", {"floors": wanted[1:]}, conference="talk").json["floors"][0]["id"] == 1
        node.cli("conference", "update", "talk", "--floors", "desk audio chair", "--floors", "talk chat")
        assert [f["name"] for f in api.ask("conference_show", conference="talk").json["floors"]] == ["desk", "talk"]
        assert api.ask("floor_list", conference="talk").json["floors"][0]["requests"] == []
        assert api.ask("conference_update", {"floors": []}, conference="talk").json["floors"] == []
        assert api.ask("floor_show", conference="talk", floor="desk").status == 404
        assert "settings: floors" in [e["what"] for e in node.api("audit")["entries"]]


def test_a_floor_goes_round_and_only_its_holder_is_heard():
    hz = {"anna": 400, "bert": 700}
    expect = ",".join(map(str, hz.values()))
    path = {"conference": "room", "floor": "stage"}
    with node_with(room("stage audio chair")) as node:
        api = Api(node)
        ues = {who: join(node, who, "--tone", tone) for who, tone in hz.items()}
        legs = {who: leg(node, who)["id"] for who in hz}
        assert all(p["status"] == "muted-via-focus" and p["floors"] == [] for p in node.participants("room"))

        def assert_heard(wanted):
            level = levels(join(node, "ear", "--tone", 1000, "--expect", expect, seconds=4).result())
            assert {who for who, tone in hz.items() if level[tone] > -25} == wanted, level

        with Stream(api, "/v1/conferences/room/events") as live:
            first = api.ask("floor_ask", {"participant": legs["anna"]}, **path).json["requests"][0]
            assert (first["participant"], first["status"], first["left_s"], first["held_s"]) == (legs["anna"], "granted", None, 0)
            second = api.ask("floor_ask", {"participant": legs["bert"]}, **path).json["requests"][1]
            assert (second["participant"], second["status"], second["place"], second["held_s"]) == (legs["bert"], "accepted", 1, None)
            assert api.ask("floor_ask", {"participant": legs["bert"]}, **path).status == 409
            person = leg(node, "anna")
            assert person["status"] == "connected" and person["floors"] == ["stage"]
            live.until(lambda name, data: name == "floor-changed" and data["conference"] == "room" and
                       [(r["participant"], r["status"]) for r in data["floor"]["requests"]] ==
                       [(legs["anna"], "granted"), (legs["bert"], "accepted")])
            assert_heard({"anna"})
            assert floor(node)["requests"][0]["held_s"] >= 4  # so long did the ear listen
            released = api.ask("floor_release", request=first["request"], **path).json["requests"]
            assert [(r["participant"], r["status"]) for r in released] == [(legs["bert"], "granted")]
            assert_heard({"bert"})
            assert api.ask("floor_revoke", {"reason": "enough"}, request=second["request"], **path).json["requests"] == []
            assert_heard(set())
            assert api.ask("floor_revoke", request=second["request"], **path).status == 404
            live.until(lambda name, data: name == "floor-changed" and not data["floor"]["requests"])
        # without floors everybody is heard again
        api.ask("conference_update", {"floors": []}, conference="room")
        assert_heard({"anna", "bert"})
        what = [(e["by"], e["what"]) for e in node.api("audit", "--conference", "room")["entries"] if e["what"].startswith("floor ")]
        assert what[::-1] == [(f"uid {os.getuid()}", f"floor stage: {status} for sip:{who}@example.net (participant {legs[who]})")
                              for who, status in (("anna", "Granted"), ("bert", "Accepted"), ("bert", "Revoked"))], what
        for ue in ues.values():
            ue.stop()


def test_who_may_decide(tmp_path):
    tokens = tmp_path / "tokens"
    made = {who: token(tokens, who, "--identity", f"sip:{who}@example.net") for who in ("mod", "anna", "bert")}
    made["wall"] = token(tokens, "wall")
    everybody = [f"sip:{who}@example.net" for who in ("anna", "bert")]
    with node_with(room("stage audio chair", "desk chat moderator", authorised=everybody, moderators=["sip:mod@example.net"]),
                   http={"tokens": str(tokens)}) as node:
        apis = {who: Api(node, token=text, tcp=True) for who, text in made.items()}
        ues = [join(node, who) for who in ("mod", "anna", "bert")]
        legs = {who: leg(node, who)["id"] for who in ("mod", "anna", "bert")}
        stage = {"conference": "room", "floor": "stage"}

        def ask(who, operation, body=None, **values):
            return apis[who].ask(operation, body, **{**stage, **values})

        assert [c["id"] for c in ask("anna", "floor_show").json["chairs"]] == [legs["mod"]], "who moderates is a chair"
        # for oneself, as by BFCP; not for others
        mine = ask("anna", "floor_ask", {"participant": legs["anna"]}).json["requests"]
        assert [(r["participant"], r["status"]) for r in mine] == [(legs["anna"], "pending")]
        assert ask("anna", "floor_ask", {"participant": legs["bert"]}).status == 403
        assert ask("wall", "floor_ask", {"participant": legs["bert"]}).status == 403
        assert ask("bert", "floor_ask", {"participant": legs["bert"]}, floor="desk").status == 403, "moderators ask for that"
        # what waits for a chair is the chair's business, and its own
        assert ask("bert", "floor_show").json["requests"] == []
        assert [r["participant"] for r in ask("mod", "floor_show").json["requests"]] == [legs["anna"]]
        request = mine[0]["request"]
        for operation, body in (("floor_grant", None), ("floor_deny", {"reason": "no"}), ("floor_place", {"place": 1}), ("floor_release", None),
                                ("floor_revoke", None)):
            assert ask("bert", operation, body, request=request).status == 403
        assert ask("anna", "floor_chair", {"participant": legs["anna"]}).status == 403
        assert ask("mod", "floor_grant", request=request).json["requests"][0]["status"] == "granted"
        # a chair who is no moderator
        assert legs["bert"] in [c["id"] for c in ask("mod", "floor_chair", {"participant": legs["bert"]}).json["chairs"]]
        assert ask("bert", "floor_revoke", {"reason": "time"}, request=request).json["requests"] == []
        assert ask("bert", "floor_chair", {"participant": legs["anna"]}).status == 403
        assert legs["bert"] not in [c["id"] for c in ask("mod", "floor_unchair", participant=legs["bert"]).json["chairs"]]
        waits = ask("anna", "floor_ask", {"participant": legs["anna"]}).json["requests"][0]["request"]
        assert ask("anna", "floor_release", request=waits).json["requests"] == []
        # by the command line: places in the queue
        for who in ("anna", "bert", "mod"):
            node.cli("floor", "ask", "room", "stage", str(legs[who]))
        state = floor(node)["requests"]
        node.cli("floor", "place", "room", "stage", str(state[2]["request"]), "1")
        assert requests(node) == [(legs["anna"], "granted"), (legs["mod"], "accepted"), (legs["bert"], "accepted")]
        shown = node.cli("floor", "list", "room").stdout
        assert "stage" in shown and "granted" in shown and "desk" in shown and "nobody" in shown
        audit = [(e["by"], e["what"].split(" for ")[0]) for e in node.api("audit", "--conference", "room")["entries"] if e["what"].startswith("floor ")]
        assert ("mod", "floor stage: Granted") in audit and ("bert", "floor stage: Revoked") in audit, audit
        for ue in ues:
            ue.stop()


def test_a_holder_who_leaves_makes_room_and_limits_are_kept():
    with node_with(room("stage limit=3 warning=1")) as node:
        ues = {who: join(node, who) for who in ("anna", "bert", "carl")}
        legs = {who: leg(node, who)["id"] for who in ues}
        for who in ues:
            node.cli("floor", "ask", "room", "stage", str(legs[who]))
        assert requests(node)[0] == (legs["anna"], "granted") and 0 < floor(node)["requests"][0]["left_s"] <= 3
        ues["anna"].kill()
        node.cli("participant", "remove", "room", str(legs["anna"]))
        assert requests(node) == [(legs["bert"], "granted"), (legs["carl"], "accepted")]
        wait_until(lambda: requests(node) == [(legs["carl"], "granted")], 15, "the limit")
        assert leg(node, "bert")["floors"] == [] and leg(node, "carl")["floors"] == ["stage"]
        wait_until(lambda: requests(node) == [], 15, "the limit")
        for who in ("bert", "carl"):
            ues[who].stop()


def test_a_restart_of_the_control_plane_keeps_the_holder():
    config = {"call": {"adopted_for": "60s"}}
    with keeping(conferences=[room("stage")], **config) as node:
        ues = {who: join(node, who, "--tone", tone) for who, tone in (("anna", 400), ("bert", 700))}
        legs = {who: leg(node, who)["id"] for who in ues}
        node.cli("floor", "ask", "room", "stage", str(legs["anna"]))
        node.cli("floor", "ask", "room", "stage", str(legs["bert"]))
        restart(node)
        wait_until(lambda: {p["id"]: p["floors"] for p in node.participants("room")} == {legs["anna"]: ["stage"], legs["bert"]: []}, 20, "the audit")
        # the queue is gone with the connections, the holder goes on being heard
        assert requests(node) == [(legs["anna"], "granted")]
        level = levels(join(node, "ear", "--tone", 1000, "--expect", "400,700", seconds=4).result())
        assert level[400] > -25 > level[700], level
        node.cli("floor", "ask", "room", "stage", str(legs["bert"]))
        node.cli("floor", "release", "room", "stage", str(floor(node)["requests"][0]["request"]))
        wait_until(lambda: requests(node) == [(legs["bert"], "granted")], 5, "the next")
        for ue in ues.values():
            ue.kill()
