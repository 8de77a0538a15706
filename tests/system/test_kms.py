"""conclave-kms over HTTP and HTTPS: whole exchanges, everybody who must be refused, HTTP's own errors, changes while it serves."""
import base64
import concurrent.futures
import http.client
import os
import pwd
import signal
import socket
import ssl
import subprocess
import time

import pytest

from kms import REQUEST, RESOLVE, Call, Kms
from node import program, wait_until

ALICE, BOB, CAROL = "sip:alice@ims.example", "sip:bob@ims.example", "sip:carol@ims.example"
CONF, FOCUS = "sip:conf@focus.example", "sip:focus.example"
MIKEY = {"Content-Type": "application/mikey"}
ERROR, REQUEST_RESP, RESOLVE_RESP = 6, 13, 18
AUTH, TS, ID, DT, UNSPECIFIED, TPPAR = 0, 1, 7, 11, 12, 15


def error_of(message):
    """The number in an Error message (RFC 3830 6.12): HDR of 10 octets with the empty map, T, ERR."""
    assert message[1] == ERROR, message.hex()
    return message[10 + 10 + 1]


class World:
    """A KMS with alice, bob and a focus that may act for all its conferences."""

    def __init__(self, **options):
        self.kms = Kms(**options)
        self.alice = self.kms.add(ALICE)
        self.bob = self.kms.add(BOB)
        self.focus = self.kms.add(FOCUS, "--act-for", "sip:*@focus.example")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.kms.__exit__(kind, value, trace)

    def dial_in(self, *options, tls=False, to=CONF, psk=None, user=ALICE):
        """alice asks for a ticket to the conference, the focus resolves it."""
        return Call(self.kms, user, psk or self.alice, to, "--as-psk-id", FOCUS, *options, as_=CONF, as_psk=self.focus, tls=tls)

    def request(self, *options, user=ALICE, psk=None, to=CONF):
        return Call(self.kms, user, psk or self.alice, to, *options)


@pytest.fixture(scope="module")
def world():
    with World(tls=True) as shared:
        yield shared


def refused(result, error, step="request"):
    assert not result["ok"] and result["step"] == step and result["error"] == error, result


# Exchanges.

@pytest.mark.sanitized
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("size", [256, 128])
def test_a_call_is_keyed(world, tls, size):
    call = world.dial_in("--set", size, tls=tls)
    result = call.run()
    assert result["ok"] and result["same_keys"], result
    assert result["initiator"] == ALICE and result["responder"] == CONF
    assert call.answers["request"][1] == REQUEST_RESP and call.answers["resolve"][1] == RESOLVE_RESP
    resolve, request = world.kms.audit(2)
    assert request["what"] == "request" and request["owner"] == ALICE and request["responder"] == CONF and request["set"] == size
    assert resolve["what"] == "resolve" and resolve["owner"] == FOCUS and resolve["user"] == CONF and resolve["initiator"] == ALICE
    assert resolve["source"] == "127.0.0.1" and request["granted"] and resolve["granted"]


def test_a_focus_calls_out(world):
    call = Call(world.kms, CONF, world.focus, BOB, "--psk-id", FOCUS, as_=BOB, as_psk=world.bob)
    result = call.run()
    assert result["ok"] and result["same_keys"] and result["initiator"] == CONF and result["responder"] == BOB


def test_one_of_several_responders_may_answer(world):
    result = Call(world.kms, ALICE, world.alice, CONF, "--ticket-for", CONF, "--ticket-for", BOB, as_=BOB, as_psk=world.bob).run()
    assert result["ok"] and result["responder"] == BOB, result
    result = world.dial_in("--ticket-for", "sip:*@focus.example").run()
    assert result["ok"] and result["responder"] == CONF, result


def test_mode_3_tickets_resolve_for_their_owner_only(world):
    path = world.kms.path("mode3.tpk")
    world.kms.changed("tpk", "add", ALICE, "--tpk-id", "alice-3", "--tpk-file", path)
    result = world.dial_in("--tpk-file", path, "--validity", 3600).run()
    assert result["ok"] and result["initiator"] == ALICE and result["same_keys"], result
    result = world.dial_in("--tpk-file", path, "--validity", 3600, user=BOB).run()
    assert not result["ok"] and result["step"] == "resolve", result
    refused(world.dial_in("--tpk-file", path).run(), TPPAR, "resolve")  # without end
    refused(world.dial_in("--tpk-file", path, "--validity", 2 * 86400).run(), TPPAR, "resolve")


def test_mode_3_tickets_are_held_to_the_initiators_list_too(world):
    """The KMS sees them at resolve only: there its own policy counts, and the set of the TPK."""
    carol = world.kms.add("sip:held@ims.example", "--responder", BOB)
    path = world.kms.path("held.tpk")
    world.kms.changed("tpk", "add", "sip:held@ims.example", "--tpk-id", "held-3", "--tpk-file", path)
    result = world.dial_in("--tpk-file", path, "--validity", 3600, user="sip:held@ims.example", psk=carol).run()
    refused(result, ID, "resolve")
    result = Call(world.kms, "sip:held@ims.example", carol, BOB, "--tpk-file", path, "--validity", 3600, as_=BOB, as_psk=world.bob).run()
    assert result["ok"] and result["same_keys"], result


def test_base64_body_gets_a_binary_answer(world):
    message = {}

    def bend(name, octets):
        message[name] = octets
        return octets[:-1] + bytes([octets[-1] ^ 1])  # keep the good one for ourselves
    world.request().run(bend)
    text = base64.encodebytes(message["request"])
    code, fields, body = world.kms.http("POST", REQUEST, text, {**MIKEY, "Content-Transfer-Encoding": "base64"})
    assert code == 200 and fields["Content-Type"] == "application/mikey" and body[1] == REQUEST_RESP


def test_many_at_once_on_connections_that_stay(world):
    before = world.kms.status()["request"]["granted"]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda _: world.dial_in().run(), range(36)))
    assert all(result["ok"] and result["same_keys"] for result in results)
    assert world.kms.status()["request"]["granted"] == before + 36


# Who is refused.

@pytest.mark.sanitized
def test_wrong_keys_and_strangers_are_refused_alike(world):
    refused(world.request(psk=world.bob).run(), AUTH)
    refused(world.request(user=CAROL).run(), AUTH)
    refused(world.dial_in("--as-psk-id", "nobody").run(), AUTH, "resolve")
    newest = world.kms.audit(1)[0]
    assert not newest["granted"] and newest["error"] == AUTH and newest["owner"] == ""


def test_each_key_has_its_set(world):
    only = world.kms.add("sip:small@ims.example", "--set", "128")
    assert world.request("--set", 128, user="sip:small@ims.example", psk=only).run()["ok"]
    copy = world.kms.path("both.psk")
    with open(only, encoding="utf-8") as file:
        small = file.read()
    with open(copy, "w", encoding="utf-8") as file:
        file.write(small + f"psk256: {'00' * 32}\n")
    os.chmod(copy, 0o600)
    refused(world.request("--set", 256, user="sip:small@ims.example", psk=copy).run(), AUTH)


def test_only_whom_one_may_act_for(world):
    refused(Call(world.kms, BOB, world.alice, CONF, "--psk-id", ALICE).run(), ID)
    refused(Call(world.kms, "sip:conf@other.example", world.focus, BOB, "--psk-id", FOCUS).run(), ID)
    assert Call(world.kms, "sip:any@focus.example", world.focus, BOB, "--psk-id", FOCUS).run()["ok"]
    refused(Call(world.kms, ALICE, world.alice, CONF, "--ticket-for", BOB, "--ticket-for", CONF, "--as-psk-id", ALICE,
                 as_=BOB, as_psk=world.alice).run(), ID, "resolve")


def test_not_on_the_ticket(world):
    eve = world.kms.add("sip:eve@ims.example")
    call = Call(world.kms, ALICE, world.alice, BOB, "--resolve-as", "sip:eve@ims.example", as_=BOB, as_psk=eve)
    refused(call.run(), ID, "resolve")
    newest = world.kms.audit(1)[0]
    assert newest["user"] == "sip:eve@ims.example" and not newest["granted"]


def test_replayed_and_stale_messages(world):
    call = world.request()
    assert call.run()["ok"]
    assert error_of(world.kms.post(REQUEST, call.sent["request"])) == TS
    call = world.dial_in()
    assert call.run()["ok"]
    assert error_of(world.kms.post(RESOLVE, call.sent["resolve"])) == TS
    for seconds in (-400, 400):
        refused(world.request("--clock", seconds).run(), TS)
    for seconds in (-250, 250):
        assert world.request("--clock", seconds).run()["ok"]


@pytest.mark.sanitized
def test_flipped_and_cut_messages(world):
    """Every octet of both messages, one at a time, and every length: never granted, never a crash."""
    messages = {}

    def spoil(name, message):
        messages[name] = message
        return message[:-1] + bytes([message[-1] ^ 1]) if name == "resolve" else message
    world.dial_in().run(spoil)
    fresh = {}
    world.request().run(lambda name, message: fresh.setdefault(name, message)[:-1] + b"\0\0")
    connection = http.client.HTTPConnection("127.0.0.1", world.kms.port, timeout=20)

    def granted(target, message):
        connection.request("POST", target, message, MIKEY)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status in (200, 400), answer.status
        return answer.status == 200 and body[1] != ERROR
    for target, message in ((REQUEST, fresh["request"]), (RESOLVE, messages["resolve"])):
        for i in range(len(message)):
            bent = bytearray(message)
            bent[i] ^= 0x41
            assert not granted(target, bytes(bent)), i
            assert not granted(target, message[:i]), i
        assert granted(target, message)  # nothing of it has been remembered
    connection.close()


def test_the_two_addresses_take_their_own_messages_only(world):
    call = world.dial_in()
    assert call.run()["ok"]
    assert error_of(world.kms.post(RESOLVE, call.sent["request"])) == DT
    assert error_of(world.kms.post(REQUEST, call.sent["resolve"])) == DT


# HTTP.

def test_no_error_is_answered_to_an_error(world):
    call = world.request(psk=world.bob)
    refused(call.run(), AUTH)
    assert world.kms.http("POST", REQUEST, call.answers["request"], MIKEY)[0] == 400


@pytest.mark.sanitized
@pytest.mark.parametrize("method, target, body, fields, status", [
    ("POST", "/keymanagement?requesttype=ticketrequest", b"x", MIKEY, 400),
    ("POST", "/keymanagement?requesttype=ticketrequest", b"", MIKEY, 400),
    ("POST", "/keymanagement?requesttype=ticketresolve", bytes(range(200)), MIKEY, None),
    ("POST", "/keymanagement?requesttype=other", b"x", MIKEY, 404),
    ("POST", "/keymanagement", b"x", MIKEY, 404),
    ("POST", "/", b"x", MIKEY, 404),
    ("POST", "/keymanagement/?requesttype=ticketrequest", b"x", MIKEY, 404),
    ("GET", "/keymanagement?requesttype=ticketrequest", None, {}, 405),
    ("PUT", "/keymanagement?requesttype=ticketrequest", b"x", MIKEY, 405),
    ("POST", "/status", b"", {}, 405),
    ("POST", "/keymanagement?requesttype=ticketrequest", bytes(16385), MIKEY, 413),
    ("POST", "/keymanagement?requesttype=ticketrequest", bytes(3 << 20), MIKEY, 413),
    ("POST", "/keymanagement?requesttype=ticketrequest", b"x", {"Content-Type": "text/plain"}, 415),
    ("POST", "/keymanagement?requesttype=ticketrequest", b"x", {"Content-Type": "application/mikeyish"}, 415),
    ("POST", "/keymanagement?requesttype=ticketrequest", b"x", {}, 415),
    ("POST", "/keymanagement?requesttype=ticketrequest", b"x", {**MIKEY, "Content-Transfer-Encoding": "quoted-printable"}, 415),
    ("POST", "/keymanagement?requesttype=ticketrequest", b"!!!!", {**MIKEY, "Content-Transfer-Encoding": "base64"}, 400),
])
def test_http_errors_are_https_own(world, method, target, body, fields, status):
    try:
        code, answer, _ = world.kms.http(method, target, body, fields)
    except (BrokenPipeError, ConnectionResetError):
        assert len(body) > 1 << 20  # it did not wait for so much
        code, answer = 413, {}
    assert code == status or (status is None and code in (200, 400))
    if code == 405:
        assert answer["Allow"] == ("POST" if target.startswith("/key") else "GET, HEAD")
    assert world.kms.process.poll() is None


def test_no_length_is_411(world):
    with socket.create_connection(("127.0.0.1", world.kms.port), timeout=10) as peer:
        peer.sendall(f"POST {REQUEST} HTTP/1.1\r\nHost: x\r\nContent-Type: application/mikey\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        assert peer.recv(1000).startswith(b"HTTP/1.1 411 ")


def test_slow_and_broken_clients_are_outlived(world):
    idle = [socket.create_connection(("127.0.0.1", world.kms.port), timeout=10) for _ in range(50)]
    for number, peer in enumerate(idle):
        peer.sendall(f"POST {REQUEST} HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n".encode()[:10 + number * 2])
    assert world.dial_in().run()["ok"]
    for peer in idle:
        peer.close()
    assert world.dial_in().run()["ok"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_https_shows_its_certificate_and_no_status(world):
    with pytest.raises(ssl.SSLError):
        world.kms.http("GET", "/status", tls=True, context=ssl.create_default_context())
    assert world.kms.http("GET", "/status", tls=True)[0] == 404
    old = ssl.create_default_context(cafile=world.kms.certificate)
    old.minimum_version = ssl.TLSVersion.TLSv1_1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError):
        world.kms.http("GET", "/status", tls=True, context=old)


# Policy and limits.

def test_policy_cuts_and_says_so():
    with World(config={"validity_max": "2h", "validity": "30m", "flags_set": "J"}) as world:
        flag_j, flag_k = 0x020, 0x010
        result = world.request("--validity", 86000).run()
        assert result["ok"] and result["validity"] == 7200 and result["flags"] & flag_k and result["flags"] & flag_j
        assert world.request().run()["validity"] == 1800
        result = world.request("--validity", 600, "--flags-set", flag_j).run()
        assert result["validity"] == 600 and not result["flags"] & flag_k


def test_a_user_may_be_held_to_some_responders():
    with World() as world:
        carol = world.kms.add(CAROL, "--responder", "sip:*@focus.example")
        assert world.request(user=CAROL, psk=carol).run()["ok"]
        refused(world.request(user=CAROL, psk=carol, to=BOB).run(), ID)
        refused(world.request("--ticket-for", CONF, "--ticket-for", BOB, user=CAROL, psk=carol).run(), ID)
        assert "responder" in world.kms.audit(1)[0]["why"]


def test_the_smaller_set_can_be_forbidden():
    with World(config={"min_set": "256"}) as world:
        refused(world.request("--set", 128).run(), TPPAR)
        assert world.request("--set", 256).run()["ok"]


def test_rates_are_limited_for_each_user_and_source():
    with World(config={"limits": {"identity": 2}}) as world:
        results = [world.request().run() for _ in range(8)]
        assert [result["ok"] for result in results[:4]] == [True] * 4
        refused(results[-1], UNSPECIFIED)
        assert world.request(user=BOB, psk=world.bob).run()["ok"]  # somebody else's rate is their own
        assert Call(world.kms, CONF, world.focus, BOB, "--psk-id", FOCUS).run()["ok"]
        time.sleep(1.2)
        assert world.request().run()["ok"]
        assert world.kms.status()["limited"]["identity"] > 0
    with World(config={"limits": {"source": 3}}) as world:
        codes = [world.kms.http("POST", REQUEST, b"x", MIKEY)[:2] for _ in range(12)]
        assert codes[0][0] == 400 and codes[-1][0] == 429 and codes[-1][1]["Retry-After"] == "1"
        assert world.kms.status()["limited"]["source"] > 0  # the status is not limited


def test_strangers_do_not_fill_the_audit_log():
    with World() as world:
        message = {}
        refused(world.request(psk=world.bob).run(lambda name, octets: message.setdefault(name, octets)), AUTH)
        connection = http.client.HTTPConnection("127.0.0.1", world.kms.port, timeout=20)
        begin = time.monotonic()
        for _ in range(600):
            connection.request("POST", REQUEST, message["request"], MIKEY)
            assert error_of(connection.getresponse().read()) == AUTH
        seconds = time.monotonic() - begin
        connection.close()
        assert world.dial_in().run()["ok"]
        entries = [entry for entry in world.kms.audit(1000) if entry["what"] in ("request", "resolve")]
        assert [entry["granted"] for entry in entries[:2]] == [True, True]  # whoever is known is recorded
        assert len(entries) <= 2 + 100 + 50 * (seconds + 2)
        assert len(entries) + world.kms.status()["audit"]["unrecorded"] == 603


# Changes while it serves.

def test_users_come_and_go_without_a_restart():
    with World() as world:
        waiting = world.dial_in("--wait-resolve", 1)
        result = waiting.run(wait=lambda: world.kms.changed("user", "disable", ALICE))
        refused(result, ID, "resolve")  # a ticket of somebody who is disabled since
        assert "disabled" in world.kms.audit(1)[0]["why"]
        refused(world.request().run(), AUTH)
        world.kms.changed("user", "enable", ALICE)
        assert world.dial_in().run()["ok"]
        fresh = world.kms.path("fresh.psk")
        world.kms.changed("user", "rotate", ALICE, "--psk-file", fresh)
        refused(world.request().run(), AUTH)
        assert world.request(psk=fresh).run()["ok"]
        carol = world.kms.add(CAROL)
        assert world.request(user=CAROL, psk=carol).run()["ok"]


def test_what_the_command_line_changes_counts_when_it_returns():
    with World() as world:
        for number in range(20):
            who, path = f"sip:new{number}@ims.example", world.kms.path(f"new{number}.psk")
            world.kms.cli("user", "add", who, "--psk-file", path)  # no waiting
            assert world.request(user=who, psk=path).run()["ok"], number
            world.kms.cli("user", "remove", who)
            refused(world.request(user=who, psk=path).run(), AUTH)


@pytest.mark.parametrize("change", ["disable", "remove"])
@pytest.mark.parametrize("who", [ALICE, FOCUS])
def test_tickets_end_with_whom_they_speak_for(change, who):
    """Of a user itself, and of who asked as somebody that it may act for."""
    with World() as world:
        bob = {"as_": BOB, "as_psk": world.bob}
        waiting = Call(world.kms, ALICE, world.alice, BOB, "--wait-resolve", 1, **bob) if who == ALICE else \
            Call(world.kms, CONF, world.focus, BOB, "--psk-id", FOCUS, "--wait-resolve", 1, **bob)
        refused(waiting.run(wait=lambda: world.kms.changed("user", change, who)), ID, "resolve")
        assert "unknown or disabled" in world.kms.audit(1)[0]["why"]
        if who == FOCUS:
            assert Call(world.kms, ALICE, world.alice, BOB, **bob).run()["ok"]  # others go on


def test_a_removed_user_takes_its_tpks_along():
    with World() as world:
        path = world.kms.path("own.tpk")
        world.kms.changed("tpk", "add", ALICE, "--tpk-id", "alice-own", "--tpk-file", path)
        assert world.dial_in("--tpk-file", path, "--validity", 600).run()["ok"]
        world.kms.changed("user", "remove", ALICE)
        assert not [tpk for tpk in world.kms.json("tpk", "list")["tpks"] if tpk["id"] == "alice-own"]
        again = world.kms.add(ALICE)  # the name is free, with other keys
        assert not world.dial_in("--tpk-file", path, "--validity", 600, psk=again).run()["ok"]
        refused(world.request().run(), AUTH)
        assert world.request(psk=again).run()["ok"]


@pytest.mark.sanitized
def test_old_tickets_resolve_after_rotation_and_restart():
    with World() as world:
        def rotate_and_restart():
            world.kms.changed("tpk", "rotate")
            world.kms.restart()
        assert world.dial_in("--wait-resolve", 1).run(wait=rotate_and_restart)["ok"]
        assert world.dial_in().run()["ok"]
        retired = [tpk for tpk in world.kms.json("tpk", "list")["tpks"] if tpk["retired"]]
        assert len(retired) == 2 and any(tpk["last_ticket_ends"] and tpk["last_ticket_ends"] > time.time() + 3000 for tpk in retired)


def test_tpks_grow_old_by_themselves():
    """kms.tpk_lifetime: new ones take over while a ticket under the old one is on its way."""
    with World(config={"tpk_lifetime": "1s"}) as world:
        def wait():
            wait_until(lambda: [tpk for tpk in world.kms.json("tpk", "list")["tpks"] if tpk["retired"]], 30, "TPKs that are retired")
            world.kms.settle()
        assert world.dial_in("--wait-resolve", 1).run(wait=wait)["ok"]
        assert "new TPKs" in world.kms.log()
        assert world.dial_in().run()["ok"]


def test_sighup_reads_the_store():
    with World() as world:
        world.kms.process.send_signal(signal.SIGHUP)
        wait_until(lambda: world.kms.log().count("users and") >= 4, 10, "the store is read again")
        assert world.dial_in().run()["ok"]


def test_changes_are_in_the_audit_log():
    with World() as world:
        world.kms.changed("user", "disable", BOB)
        world.kms.changed("tpk", "rotate")
        world.kms.changed("user", "remove", BOB)
        assert world.kms.cli("user", "remove", BOB, check=False).returncode == 1
        seen = [(entry["what"], entry["user"]) for entry in world.kms.audit(6)]
        assert seen == [("user remove", BOB), ("tpk rotate", ""), ("user disable", BOB), ("user add", FOCUS), ("user add", BOB), ("user add", ALICE)]
        assert all(entry["source"].startswith("local:") and entry["granted"] for entry in world.kms.audit(6))


def test_the_status_for_people_and_scripts():
    with World() as world:
        assert world.dial_in().run()["ok"]
        shown = world.kms.json("status")
        assert shown["users"] == 3 and shown["request"] == {"granted": 1, "refused": 0} and shown["store"] == world.kms.path("kms.db")
        text = world.kms.cli("status").stdout
        assert "request      granted 1, refused 0" in text and "users        3" in text, text
        world.kms.stop()
        away = world.kms.cli("status", check=False)
        assert away.returncode == 3 and f"127.0.0.1:{world.kms.port}" in away.stderr, away


def test_the_log_and_the_store_have_no_keys():
    with World() as world:
        assert world.dial_in().run()["ok"]
        keys = []
        for path in (world.alice, world.bob, world.focus):
            with open(path, encoding="utf-8") as file:
                keys += [line.split()[1] for line in file if line.startswith("psk1") or line.startswith("psk2")]
        world.kms.audit(2)
        world.kms.stop()
        assert len(keys) == 6
        for name in os.listdir(world.kms.folder):
            if name.endswith(".psk"):
                continue
            with open(world.kms.path(name), "rb") as file:
                octets = file.read()
            for key in keys:
                assert bytes.fromhex(key) not in octets and key.encode() not in octets, name


# Start and stop.

def test_no_core_dump_and_no_debugger(world):
    with open(f"/proc/{world.kms.process.pid}/limits", encoding="utf-8") as limits:
        assert next(line for line in limits if line.startswith("Max core file size")).split()[4] == "0"
    with open(f"/proc/{world.kms.process.pid}/status", encoding="utf-8") as status:
        locked = int(next(line for line in status if line.startswith("VmLck")).split()[1])
    assert locked > 0
    assert os.stat(f"/proc/{world.kms.process.pid}/mem").st_uid == 0


def test_what_is_wrong_is_said_before_it_serves(tmp_path):
    def start(kms):
        (tmp_path / "c.yaml").write_text(f"kms: {{{kms}}}\n")
        return subprocess.run([program("conclave-kms"), "--config", tmp_path / "c.yaml"], capture_output=True, text=True, timeout=20)
    for text, said in (("listen: ['http://192.0.2.1:8643']", "must be https"),
                       ("listen: ['https://127.0.0.1:8643']", "needs a certificate"),
                       ("listen: ['ftp://x']", "no address"),
                       ("flags_clear: F", "6.10"),
                       ("flags_set: Q", "'Q'"),
                       ("validity: 3h, validity_max: 2h", "validity_max"),
                       (f"listen: ['http://127.0.0.1:18643'], master_key: {tmp_path}/none", "conclave kms init")):
        done = start(text)
        assert done.returncode == 1 and said in done.stderr, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_becomes_the_user_of_the_configuration():
    with World(start=False) as world:
        kms = world.kms
        kms.config["node"] = {"user": "nobody"}
        os.chmod(kms.folder, 0o777)
        kms.write_config()
        for name in ("kms.db", "kms.key"):  # as conclave kms init does for who is configured
            os.chown(kms.path(name), pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
        kms.start()
        with open(f"/proc/{kms.process.pid}/status", encoding="utf-8") as status:
            text = status.read()
        assert f"Uid:\t{pwd.getpwnam('nobody').pw_uid}\t" in text and "CapEff:\t0000000000000000" in text
        assert world.dial_in().run()["ok"] and len(kms.audit(2)) == 2
        kms.changed("user", "disable", ALICE)
        refused(world.request().run(), AUTH)
