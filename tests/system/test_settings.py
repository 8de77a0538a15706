"""Every setting of a conference by API and by command line: when it is made, when it is changed, after a kill; and what it does to calls."""
import re

import pytest

from node import Node, Ue, wait_until
from openapi import Api
from test_restart import keeping, restart

pytestmark = pytest.mark.sanitized

FLOOR = "stage audio chair holders=2 limit=300 warning=30"
# name → what is sent, as options of the command line, what is shown, what is shown when it is taken away (None: it cannot be)
SETTINGS = {
    "title": ("Täglich", ["--title", "Täglich"], "Täglich", {"": "made"}),
    "subject": ("About us", ["--subject", "About us"], "About us", {None: None, "": None}),
    "description": ("Long", ["--description", "Long"], "Long", {None: None}),
    "creator": ("sip:Boss@Example.net", ["--creator", "sip:Boss@Example.net"], "sip:Boss@example.net", {"": None}),
    "security": ("none", ["--security", "none"], "none", {"either": "either"}),
    "open": (False, ["--open=false"], False, {True: True}),
    "anonymous": (True, ["--anonymous"], True, {False: False}),
    "max_participants": (7, ["--max-participants", "7"], 7, {0: None}),
    "loudest_n": (3, ["--loudest-n", "3"], 3, {0: 0}),
    "small_size": (5, ["--small-size", "5"], 5, {0: 0}),
    "mutes_on_entry": (True, ["--mutes-on-entry"], True, {False: False}),
    "mutes_on_hold": (False, ["--mutes-on-hold=false"], False, {True: True}),
    "locked": (True, ["--locked"], True, {False: False}),
    "lobby": (True, ["--lobby"], True, {False: False}),
    "announces": (True, ["--announces"], True, {False: False}),
    "start_at": ("2030-03-01T10:00:00+01:00", ["--start-at", "2030-03-01T10:00:00+01:00"], "2030-03-01T09:00:00.000Z", {"": None, None: None}),
    "end_at": ("2099-01-01T00:00:00Z", ["--end-at", "2099-01-01T00:00:00Z"], "2099-01-01T00:00:00.000Z", {None: None}),
    "early_s": (90, ["--early-s", "90"], 90, {0: 0}),
    "who_may_change": ("participants", ["--who-may-change", "participants"], "participants", {"creator": "creator"}),
    "ends_with_creator": (True, ["--ends-with-creator"], True, {False: False}),
    "ends_when_empty": (True, ["--ends-when-empty"], True, {False: False}),
    "chat": (True, ["--chat"], True, {False: False}),
    "chat_history": (10, ["--chat-history", "10"], 10, {0: 0}),
    "floors": ([FLOOR], ["--floors", FLOOR], ["stage"], {}),
    "pin": ("123456", ["--pin", "123456"], True, {"": False}),
    "notify_protection": ("required", ["--notify-protection", "required"], "required", {"off": "off"}),
}
SHOWN = {"pin": "has_pin"}


@pytest.fixture(scope="module")
def node():
    with keeping() as node:
        yield node


@pytest.fixture(scope="module")
def api(node):
    return Api(node)


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "name" in request.fixturenames:
        request.getfixturevalue("node").cli("conference", "close", "made", check=False)


def shown(conference, name):
    value = conference[SHOWN.get(name, name)]
    return [floor["name"] for floor in value] if name == "floors" else value


def test_this_table_has_them_all(api):
    for operation in ("conference_create", "conference_update"):
        body = api.operations[operation][2]["requestBody"]["content"]["application/json"]["schema"]["properties"]
        assert set(body) - {"id", "authorised"} == set(SETTINGS), operation


def test_with_and_without_a_name(node, api):
    named, nameless = node.api("conference", "create", "chosen", "--open"), node.api("conference", "create", "--open")
    assert named["id"] == "chosen" and named["uris"] == [node.uri("chosen")]
    assert re.fullmatch("[a-z2-9]{12}", nameless["id"]) and nameless["uris"] == [node.uri(nameless["id"])]
    assert {"chosen", nameless["id"]} <= {c["id"] for c in node.api("conference", "list")["conferences"]}
    for each in (named, nameless):
        assert "is closed" in node.cli("conference", "close", each["id"], "--reason", "over").stdout
        assert node.cli("conference", "close", each["id"], check=False).returncode == 1


@pytest.mark.parametrize("name", SETTINGS)
def test_by_the_api(node, api, name):
    value, _, wanted, others = SETTINGS[name]
    who = {"authorised": ["sip:anna@example.net"]}
    c = {"conference": "made"}
    made = api.ask("conference_create", {"id": "made", **who, name: value})
    assert made.status == 201 and shown(made.json, name) == wanted
    assert shown(api.ask("conference_show", **c).json, name) == wanted
    api.ask("conference_close", **c)
    before = api.ask("conference_create", {"id": "made", "open": True, **who}).json
    assert shown(before, name) != wanted, "a value that is none by itself"
    changed = api.ask("conference_update", {name: value}, **c).json
    assert shown(changed, name) == wanted
    assert {k: v for k, v in changed.items() if k not in (name, SHOWN.get(name), "authorised", "authorised_count")} == {
        k: v for k, v in before.items() if k not in (name, SHOWN.get(name), "authorised", "authorised_count")}, "and nothing else"
    for sent, becomes in others.items():
        assert shown(api.ask("conference_update", {name: sent}, **c).json, name) == becomes


@pytest.mark.parametrize("name", SETTINGS)
def test_by_the_command_line(node, name):
    _, words, wanted, _ = SETTINGS[name]
    made = node.api("conference", "create", "made", "--authorised", "sip:anna@example.net", *words)
    assert shown(made, name) == wanted
    node.cli("conference", "close", "made")
    node.cli("conference", "create", "made", "--open")
    assert shown(node.api("conference", "update", "made", *words), name) == wanted
    assert "made" in node.cli("conference", "update", "made", *words).stdout


def test_all_outlive_a_kill(node, api):
    settings = {name: value for name, (value, *_) in SETTINGS.items() if name != "open"}
    api.ask("conference_create", {"id": "kept", "authorised": ["sip:anna@example.net"], "title": "Old"})
    before = api.ask("conference_update", settings, conference="kept").json
    restart(node)
    after = api.ask("conference_show", conference="kept").json
    volatile = {"created_at", "uris"}
    assert {k: v for k, v in after.items() if k not in volatile} == {k: v for k, v in before.items() if k not in volatile}
    api.ask("conference_close", conference="kept")


# What they do to calls.

def join(node, name, *options, seconds=40):
    ue = Ue(node.uri("room"), "--from", f"sip:{name}@example.net", "--tone", 440, *options, seconds=seconds)
    return ue


def refused(node, name, status, why):
    before = node.logs().count(f"refused with {status}")
    assert join(node, name, seconds=3).result()["outcome"] != "joined"
    assert node.logs().count(f"refused with {status}") > before and re.search(f"refused with {status}: .*{why}", node.logs()), node.logs()


def one(node, name):
    return next((p for p in node.participants("room") if p["identity"] == f"sip:{name}@example.net" and p["state"] == "connected"), None)


def test_size_lock_and_entry_are_held_to():
    with Node() as node:
        node.cli("conference", "create", "room", "--anonymous", "--max-participants", "1")
        first = join(node, "first")
        wait_until(lambda: one(node, "first"), 15, "the first")
        refused(node, "late", 486, "full")
        node.cli("conference", "update", "room", "--max-participants", "0", "--mutes-on-entry")
        second = join(node, "second")
        assert wait_until(lambda: one(node, "second"), 15, "the second")["muted"] is True and one(node, "first")["muted"] is False
        node.cli("conference", "update", "room", "--locked")
        refused(node, "later", 403, "locked")
        node.cli("conference", "update", "room", "--locked=false", "--mutes-on-entry=false")
        third = join(node, "third")
        assert wait_until(lambda: one(node, "third"), 15, "the third")["muted"] is False
        for ue in (first, second, third):
            ue.stop()


def test_anonymous_only_where_allowed():
    with Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}}) as node:
        node.cli("conference", "create", "room", "--open")
        assert Ue(node.uri("room"), "--from", "sip:anonymous@anonymous.invalid", seconds=3).result()["outcome"] != "joined"
        node.cli("conference", "update", "room", "--anonymous")
        assert Ue(node.uri("room"), "--from", "sip:anonymous@anonymous.invalid", seconds=3).result()["outcome"] == "joined"


def test_it_ends_when_the_last_one_has_left():
    with Node() as node:
        node.cli("conference", "create", "room", "--anonymous", "--ends-when-empty")
        ues = [join(node, name) for name in ("first", "second")]
        node.wait_participants(2, "room")
        ues[0].stop()
        node.wait_participants(1, "room")
        ues[1].stop()
        wait_until(lambda: node.cli("conference", "show", "room", check=False).returncode == 1, 10, "its end")


def test_only_the_loudest_are_heard():
    """Of two who talk the softer one is heard when all are mixed only."""
    def heard(hz):
        listener = Ue(node.uri("room"), "--from", "sip:ear@example.net", "--silence", "--expect", "500,900", seconds=4)
        levels = {int(float(row["hz"])): row["dbov"] for row in listener.result()["heard"]}
        return levels[hz]

    with Node() as node:
        node.cli("conference", "create", "room", "--anonymous", "--loudest-n", "1", "--small-size", "0")
        talkers = [Ue(node.uri("room"), "--from", f"sip:{hz}@example.net", "--tone", hz, "--level", level, "--no-marks", seconds=60)
                   for hz, level in ((500, -15), (900, -30))]
        node.wait_participants(2, "room")
        assert heard(900) < -50
        node.cli("conference", "mix", "room", "0")
        assert heard(900) > -35 and heard(500) > -20
        node.cli("conference", "mix", "room", "1", "--small-size", "3")
        assert heard(900) > -35, "three are few enough for all"
        for talker in talkers:
            talker.stop()
