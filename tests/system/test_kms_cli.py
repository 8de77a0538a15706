"""conclave kms …: the commands work on the store, print no keys, and import all or nothing."""
import csv
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


@pytest.mark.parametrize("text,count", [
    ("\ufeffidentity,psk256\r\nsip:a@x,{key}\r\n", 1),  # from a spreadsheet
    ("Identity , ENABLED\n sip:a@x , NO \n", 1), ("identity\nsip:a@x", 1), ("# first\n\n   \nidentity\n#\n\nsip:a@x\n", 1),
    ('"identity" , "psk_id"\n"sip:a@x" , "a ""name"", with a comma"\n', 1), ('identity,psk_id\nsip:a@x,"a ""name"""\n', 1),
    ("psk_id,identity\nkeys of a,sip:a@x\n", 1), ("identity,act_for\nsip:f.x,sip:*@f.x ; sip:*@g.x sip:h@x\n", 1),
    ("", None), ("\n\n", None), ("# nothing\n", None), ("identity\n", 0), ("psk256\n{key}\n", None), ("identity,colour\nsip:a@x,red\n", None),
    ("identity,identity\nsip:a@x,sip:b@x\n", None), ("identity,psk256\nsip:a@x\n", None), ("identity\nsip:a@x,more\n", None),
    ('identity\n"sip:a@x\n', None), ('identity,psk_id\nsip:a@x,"two\nlines"\n', None), ('identity\n"sip:a@x"b\n', None),
    ("identity,psk256\nsip:a@x,{short}\n", None), ("identity,psk256\nsip:a@x,{key}00\n", None), ("identity,psk256\nsip:a@x,zz{key}\n", None),
    ("identity,rate\nsip:a@x,-1\n", None), ("identity,rate\nsip:a@x,fast\n", None), ("identity,enabled\nsip:a@x,perhaps\n", None),
    ("identity\nsip:a@x\nsip:A@X:5060\nsip:a@x\n", None), ("identity,psk_id\nsip:a@x,k\nsip:b@x,k\n", None),
    ("identity,psk_id\nsip:a@x,sip:b@x\nsip:b@x,\n", None), ("identity,act_for\nsip:a@x,sip:a*@x\n", None),
    ("identity\nsip:a@x\0\n", None), ("identity\n" + "x" * 20000 + "\n", None), ("identity\nsip:*@x\n", None), ("identity\n\xe9@x\n", None)])
def test_csv_at_its_edges(store, text, count):
    """count: imported; None: refused with the line, and nothing is there."""
    with open(store.path("users.csv"), "w", newline="", encoding="utf-8") as file:
        file.write(text.format(key="ab" * 32, short="ab" * 31))
    done = store.run("user", "import", store.path("users.csv"), "--psk-file", store.path("made.csv"))
    assert done.returncode == (1 if count is None else 0), done.stderr
    assert store.json("user", "list")["total"] == (count or 0)
    if count is None:
        assert re.search(r"users.csv:\d+: ", done.stderr) and "nothing was imported" in done.stderr
        assert not os.path.exists(store.path("made.csv"))


def test_a_csv_with_keys_that_others_can_read_is_said(store):
    with open(store.path("users.csv"), "w", encoding="utf-8") as file:
        file.write(f"identity,psk256\nsip:a@x,{'ab' * 32}\n")
    os.chmod(store.path("users.csv"), 0o644)
    assert "others than its owner" in store.run("user", "import", store.path("users.csv")).stderr
    os.chmod(store.path("users.csv"), 0o600)
    assert "others" not in store.run("user", "import", store.path("users.csv")).stderr


def test_a_csv_of_ten_thousand(store):
    with open(store.path("users.csv"), "w", encoding="utf-8") as file:
        file.write("identity\n" + "".join(f"sip:user{n}@ims.example\n" for n in range(10000)))
    done = store.run("user", "import", store.path("users.csv"), "--psk-file", store.path("made.csv"), "--json")
    assert json.loads(done.stdout) == {"imported": 10000}
    with open(store.path("made.csv"), encoding="utf-8") as file:
        assert sum(1 for _ in file) == 10001
    again = store.run("user", "import", store.path("made.csv"))
    assert again.returncode == 1 and "nothing was imported" in again.stderr


def test_what_an_import_made_can_be_imported_elsewhere(store, tmp_path):
    names = ["", "plain", 'a "name", with a comma', " blank ", "#x"]
    with open(store.path("users.csv"), "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow(["identity", "psk_id"])
        rows.writerows([f"sip:user{n}@x", name] for n, name in enumerate(names))
    assert store.run("user", "import", store.path("users.csv"), "--psk-file", store.path("made.csv")).returncode == 0
    with open(store.path("made.csv"), encoding="utf-8", newline="") as file:
        assert [row["psk_id"] for row in csv.DictReader(file)] == names
    (tmp_path / "other").mkdir()
    other = Store(tmp_path / "other")
    done = other.run("user", "import", store.path("made.csv"))
    assert done.returncode == 0, done.stderr
    assert [user["psk_id"] for user in other.json("user", "list")["users"]] == [name or None for name in names]


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
