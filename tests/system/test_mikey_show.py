"""`conclave mikey show`: a message in any dress, as a tree or JSON, verified and opened with the keys of the vectors."""
import base64
import json
import os
import subprocess

import pytest

from node import ROOT, program

with open(os.path.join(ROOT, "tests", "vectors", "mikey", "mikey_ticket.json"), encoding="ascii") as vectors:
    CASES = json.load(vectors)["cases"]
BY_SET = pytest.mark.parametrize("case", CASES, ids=[str(case["set"]) for case in CASES])


def octets(case, name):
    [message] = [message for message in case["messages"] if message["name"] == name]
    return bytes.fromhex(message["octets"])


def show(*words, status=0, stdin=None):
    done = subprocess.run([program("conclave"), "mikey", "show", *map(str, words)], capture_output=True, timeout=20, input=stdin)
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout.decode()


def sdp(message):
    return f"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 1 RTP/SAVP 0\r\na=key-mgmt:mikey {base64.b64encode(message).decode()}\r\n"


@BY_SET
def test_every_dress_is_the_same_message(case, tmp_path):
    message = octets(case, "TRANSFER_INIT")
    wanted = json.loads(show(message.hex(), "--json"))
    assert "TRANSFER_INIT" in json.dumps(wanted) and "sip:alice@ims.example" in json.dumps(wanted)
    files = {"octets": message, "base64": base64.encodebytes(message), "hex": message.hex().encode(), "sdp": sdp(message).encode()}
    for name, content in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert json.loads(show(path, "--json")) == wanted, name
        assert json.loads(show("-", "--json", stdin=content)) == wanted, name
    assert json.loads(show(base64.b64encode(message).decode(), "--json")) == wanted


@BY_SET
def test_every_message_as_a_tree(case):
    for message in case["messages"]:
        text = show(message["octets"])
        assert message["name"] in text.upper().replace(" ", "_") or message["name"].lower() in text.lower(), text
        assert len(text.splitlines()) > 8, text


@BY_SET
def test_keys_verify_and_open(case, tmp_path):
    """From the TPK alone: the ticket, the TGK, and the TEKs of the file; not printed unasked."""
    bits = str(case["set"])
    keys = tmp_path / "keys"
    keys.write_text(f"tpk: {case['kms_config']['tpks'][0][bits]}\n")
    keys.chmod(0o600)
    initial = tmp_path / "initial"
    initial.write_bytes(octets(case, "TRANSFER_INIT"))
    answer = octets(case, "TRANSFER_RESP").hex()
    text = show(answer, "--keys", keys, "--initial", initial, "--reveal", "--json")
    hidden = show(answer, "--keys", keys, "--initial", initial, "--json")
    for session in case["crypto_sessions"]:
        key = session.get("tek") or session.get("kek")
        assert key in text and key not in hidden, session["cs_id"]
    psk = tmp_path / "psk"
    [alice] = [user for user in case["kms_config"]["users"] if user["identity"] == "sip:alice@ims.example"]
    psk.write_text(f"psk: {alice['psks'][bits]}\n")
    psk.chmod(0o600)
    show(octets(case, "REQUEST_INIT_PSK").hex(), "--keys", psk)


@BY_SET
def test_what_does_not_hold_is_told(case, tmp_path):
    bits = str(case["set"])
    wrong = tmp_path / "wrong"
    wrong.write_text("psk: " + "00" * (int(bits) // 8) + "\n")
    wrong.chmod(0o600)
    assert subprocess.run([program("conclave"), "mikey", "show", octets(case, "REQUEST_INIT_PSK").hex(), "--keys", str(wrong)],
                          capture_output=True, timeout=20, check=False).returncode != 0
    message = bytearray(octets(case, "TRANSFER_INIT"))
    for cut in (5, 40, len(message) - 1):
        assert subprocess.run([program("conclave"), "mikey", "show", bytes(message[:cut]).hex()], capture_output=True, timeout=20,
                              check=False).returncode != 0, cut
    assert subprocess.run([program("conclave"), "mikey", "show", "no message"], capture_output=True, timeout=20, check=False).returncode != 0
