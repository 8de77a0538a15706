"""conclave kms …: the commands work on the store, print no keys, and import all or nothing."""
import json
import os
import re
import stat
import subprocess

import pytest

from node import program

KEYS = re.compile(r"[0-9a-f]{32}")


class Store:
    def __init__(self, folder):
        self.folder = str(folder)
        assert self.run("init").returncode == 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words):
        options = ["--store", self.path("kms.db"), "--master-key", self.path("kms.key")]
        return subprocess.run([program("conclave"), "kms", *words, *options], capture_output=True, text=True, timeout=20)

    def json(self, *words):
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_init_makes_both_once_and_for_the_owner_only(store):
    assert mode(store.path("kms.key")) == 0o600 and mode(store.path("kms.db")) == 0o600
    with open(store.path("kms.key")) as file:
        before = file.read()
    again = store.run("init")
    assert again.returncode == 0, again.stderr
    with open(store.path("kms.key")) as file:
        assert file.read() == before


def test_keys_go_where_they_are_asked_to(store):
    nowhere = store.run("user", "add", "sip:alice@ims.example")
    assert nowhere.returncode == 2 and "--psk-file" in nowhere.stderr
    assert store.json("user", "list")["total"] == 0

    done = store.run("user", "add", "sip:Alice@IMS.example:5060", "--psk-file", store.path("alice.psk"), "--act-for", "sip:*@a.example")
    assert done.returncode == 0, done.stderr
    assert not KEYS.search(done.stdout + done.stderr)
    assert mode(store.path("alice.psk")) == 0o600
    with open(store.path("alice.psk")) as file:
        text = file.read()
    assert "identity: sip:Alice@ims.example" in text and re.search(r"^psk256: [0-9a-f]{64}$", text, re.M)

    same_file = store.run("user", "add", "sip:bob@ims.example", "--psk-file", store.path("alice.psk"))
    assert same_file.returncode == 1 and store.json("user", "list")["total"] == 1  # no user whose keys nobody has

    shown = store.run("user", "add", "sip:bob@ims.example", "--show", "--set", "128")
    assert len(KEYS.findall(shown.stdout)) == 1
    assert store.json("user", "show", "sip:bob@ims.example")["sets"] == [128]

    copied = store.run("user", "add", "sip:carol@ims.example", "--from-file", store.path("alice.psk"))
    assert copied.returncode == 0 and not KEYS.search(copied.stdout)


def test_users_are_listed_disabled_and_rotated(store):
    store.run("user", "add", "sip:alice@ims.example", "--psk-file", store.path("a"))
    assert store.json("user", "disable", "sip:alice@ims.example")["enabled"] is False
    assert store.json("user", "enable", "sip:alice@ims.example")["enabled"] is True
    assert store.run("user", "rotate", "sip:alice@ims.example", "--psk-file", store.path("b")).returncode == 0
    with open(store.path("a")) as a, open(store.path("b")) as b:
        assert a.read() != b.read()
    for words in (("disable", "sip:nobody@x"), ("show", "sip:nobody@x"), ("rotate", "sip:nobody@x", "--psk-file", store.path("c"))):
        assert store.run("user", *words).returncode == 1
    assert not os.path.exists(store.path("c"))
    everything = store.run("user", "list").stdout + store.run("user", "show", "sip:alice@ims.example").stdout + store.run("tpk", "rotate").stdout
    assert not KEYS.search(everything)


@pytest.mark.parametrize("pattern", ["sip:a*@focus.example", "sip:*", "sip:a@*", "tel:*", "nonsense", "sip:**@x"])
def test_wildcards_stand_for_the_user_part_only(store, pattern):
    assert store.run("user", "add", "sip:focus.example", "--show", "--act-for", pattern).returncode != 0
    assert store.run("user", "add", pattern, "--show").returncode != 0
    assert store.json("user", "list")["total"] == 0


def test_import_is_all_or_nothing(store):
    good = ('identity,psk256,act_for,enabled,psk_id\r\n'
            '# a note\r\n'
            f'sip:alice@ims.example,{"ab" * 32},,,"b ""tid"""\r\n'
            '"sip:focus.example",,"sip:*@focus.example;sip:x@focus.example",yes,\r\n'
            'sip:off@ims.example,,,no,\r\n')
    with open(store.path("users.csv"), "w", newline="") as file:
        file.write(good + "sip:alice@ims.example,,,,\r\nnobody,,,,\r\nsip:b@c,12,,,\r\n")
    bad = store.run("user", "import", store.path("users.csv"), "--psk-file", store.path("made.csv"))
    assert bad.returncode == 1 and ":6:" in bad.stderr and ":7:" in bad.stderr and ":8:" in bad.stderr
    assert store.json("user", "list")["total"] == 0 and not os.path.exists(store.path("made.csv"))

    with open(store.path("users.csv"), "w", newline="") as file:
        file.write(good)
    done = store.run("user", "import", store.path("users.csv"), "--psk-file", store.path("made.csv"))
    assert done.returncode == 0, done.stderr
    assert not KEYS.search(done.stdout)
    users = {user["identity"]: user for user in store.json("user", "list")["users"]}
    assert users["sip:alice@ims.example"]["psk_id"] == 'b "tid"' and users["sip:alice@ims.example"]["sets"] == [256]
    assert users["sip:focus.example"]["act_for"] == ["sip:*@focus.example", "sip:x@focus.example"]
    assert users["sip:off@ims.example"]["enabled"] is False
    with open(store.path("made.csv")) as file:
        lines = file.read().splitlines()
    assert lines[0] == "identity,psk_id,psk128,psk256" and len(lines) == 3 and mode(store.path("made.csv")) == 0o600


def test_a_store_opens_with_its_master_key_only(store):
    assert store.run("user", "add", "sip:alice@ims.example", "--psk-file", store.path("a")).returncode == 0
    os.rename(store.path("kms.key"), store.path("old.key"))
    assert "conclave kms init" in store.run("user", "list").stderr
    wrong = store.run("init")
    assert wrong.returncode == 1 and "not the master key" in wrong.stderr
    os.rename(store.path("old.key"), store.path("kms.key"))
    os.chmod(store.path("kms.key"), 0o640)
    loose = store.run("user", "list")
    assert loose.returncode == 1 and "chmod 600" in loose.stderr
