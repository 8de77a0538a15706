"""Two conclave-ue that key each other by MIKEY-TICKET, with a conclave-kms between them: one calls, one is called; each mistake is refused."""
import os
import signal
import socket
import subprocess
import time

import pytest

from kms import Kms
from node import Ue, free_port, is_taken, wait_until

ALICE, BOB, CAROL = "sip:alice@example.net", "sip:bob@example.net", "sip:carol@example.net"
SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"]


class People:
    """alice, bob and carol with their keys; call() lets alice call bob, and gives what both saw."""

    def __init__(self, **options):
        self.kms = Kms(identity="sip:kms.localhost", **options)

    def __enter__(self):
        self.keys = {who: self.kms.add(who) for who in (ALICE, BOB, CAROL)}
        return self

    def __exit__(self, *error):
        self.kms.__exit__(*error)

    def ue(self, who, *options, uri=None, **more):
        return Ue(uri, "--kms", self.kms.url, "--psk-file", self.keys[who], "--local", "127.0.0.1", *options, **more)

    def bob(self, *options, port, seconds=30):
        ue = self.ue(BOB, "--listen", port, "--tone", 500, "--expect", 400, *options, seconds=seconds)
        kind = socket.SOCK_STREAM if "tls" in options else socket.SOCK_DGRAM
        wait_until(lambda: is_taken(port, kind), 10, "bob waits to be called")
        return ue

    def call(self, *options, bob=(), seconds=2.5, timeout=20):
        port = free_port()
        called = self.bob(*bob, port=port)
        caller = self.ue(ALICE, "--responder", BOB, "--tone", 400, "--expect", 500, *options, uri=f"sip:bob@127.0.0.1:{port}",
                         seconds=seconds)
        saw = caller.results(timeout)
        return saw[-1], called.stop()


@pytest.fixture(scope="module")
def people():
    with People() as people:
        yield people


def granted(kms):
    """Tickets given and resolved since its start."""
    status = kms.status()
    return [status["request"]["granted"], status["resolve"]["granted"]]


def assert_talk(*both, keyed_by="mikey-ticket"):
    for result in both:
        assert result["outcome"] == "joined" and result["keyed_by"] == keyed_by, result
        assert result["heard_as_expected"] and result["rx"]["auth_failures"] == 0, result


@pytest.mark.sanitized
@pytest.mark.parametrize("algorithms", ["128", "256"])
@pytest.mark.parametrize("level", ["media", "session"])
def test_a_call_keyed_by_a_ticket(people, algorithms, level):
    alice, bob = people.call("--mikey-set", algorithms, "--mikey-level", level)
    assert_talk(alice, bob)
    for result in (alice, bob):
        mikey = result["mikey"]
        assert (mikey["initiator"], mikey["responder"], mikey["set"]) == (ALICE, BOB, algorithms)
        assert mikey["flags"] == "DEFGHINO" and mikey["csb_id"] == alice["mikey"]["csb_id"]
    assert alice["mikey"]["ticket_uses"] == 1 and bob["mikey"]["ticket_uses"] == 0


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite(people, suite):
    alice, bob = people.call("--suite", suite, bob=("--suite", "all"), seconds=2)
    assert_talk(alice, bob)
    assert alice["suite"] == bob["suite"] == suite


def test_mikey_wins_over_sdes_where_both_are_offered(people):
    assert_talk(*people.call("--sdes-too", seconds=2))


def test_who_waits_takes_sdes_too(people):
    port = free_port()
    bob = people.bob(port=port)
    alice = Ue(f"sip:bob@127.0.0.1:{port}", "--tone", 400, "--expect", 500, "--rekey-at", 1, seconds=3).result()
    assert_talk(alice, bob.stop(), keyed_by="sdes")
    assert alice["reinvites"]["ok"] == 1 and alice["mikey"] is None


@pytest.mark.parametrize("who", ["caller", "called"])
def test_a_csb_update_leaves_no_gap(people, who):
    update = ("--rekey-at", 1.5)
    alice, bob = people.call(*(update if who == "caller" else ()), bob=update if who == "called" else (), seconds=3.5)
    assert_talk(alice, bob)
    for result in (alice, bob):
        assert result["mikey"]["rekeys"] == 1 and result["rx"]["rekeys"] == 1, result
        assert result["rx"]["gap_max_ms"] <= 500 and result["rx"]["lost"] == 0, result


@pytest.mark.sanitized
@pytest.mark.parametrize("who", ["caller", "called"])
def test_a_full_transfer_within_a_call(people, who):
    anew = ("--rekey-at", 1.2, "--rekey", "full")
    before = granted(people.kms)
    alice, bob = people.call(*(anew if who == "caller" else ()), bob=anew if who == "called" else (), seconds=4)
    assert_talk(alice, bob)
    for result in (alice, bob):
        assert (result["mikey"]["transfers"], result["mikey"]["rekeys"], result["rx"]["rekeys"]) == (2, 1, 1), result
        assert result["rx"]["lost"] == 0, result
        assert result["mikey"]["initiator"] == (ALICE if who == "caller" else BOB), result
    assert granted(people.kms) == [before[0] + 2, before[1] + 2]


def test_a_signal_rekeys(people):
    port = free_port()
    bob = people.bob(port=port)
    alice = people.ue(ALICE, "--responder", BOB, "--tone", 400, "--expect", 500, uri=f"sip:bob@127.0.0.1:{port}", seconds=30)
    for pause in (1.5, 0.7):  # an update that is under way is not begun again
        time.sleep(pause)
        alice.process.send_signal(signal.SIGUSR1)
    time.sleep(1)
    result = alice.stop()
    assert result["mikey"]["rekeys"] == 2 == bob.stop()["mikey"]["rekeys"], result


@pytest.mark.parametrize("offers", ["caller", "called"])
@pytest.mark.parametrize("level", ["media", "session"])
def test_several_m_lines(people, level, offers):
    """One ticket for the session, or one for each m-line with keys; what is not audio is refused, and the audio has its place."""
    before = granted(people.kms)
    lines = ("--media-lines", "video,plain,audio,message", "--mikey-level", level)
    late = () if offers == "caller" else ("--late-offer",)
    alice, bob = people.call(*(late or lines), bob=() if not late else (*lines, "--responder", ALICE))
    assert_talk(alice, bob)
    offerer = bob if late else alice
    assert offerer["mikey"]["lines"] == {"offered": 3, "keyed": 1}, offerer
    assert granted(people.kms) == [before[0] + (1 if level == "session" else 3), before[1] + 1]


@pytest.mark.sanitized
def test_a_late_offer(people):
    """The called makes the offer, TRANSFER_INIT in its 200, the answer in the ACK."""
    alice, bob = people.call("--late-offer", bob=("--responder", ALICE))
    assert_talk(alice, bob)
    for result in (alice, bob):
        assert (result["mikey"]["initiator"], result["mikey"]["responder"]) == (BOB, ALICE), result


def test_a_late_offer_that_the_caller_refuses(people):
    alice, bob = people.call("--late-offer", bob=("--responder", ALICE, "--misbehave", "flip=-1"))
    assert (alice["outcome"], alice["mikey"]["error"]) == ("bad-answer", 0), alice
    assert bob["rx"]["packets"] == 0, bob


@pytest.mark.parametrize("late", [(), ("--late-offer",)], ids=["early", "late"])
def test_prack(people, late):
    alice, bob = people.call("--100rel", "required", *late, bob=("--responder", ALICE))
    assert_talk(alice, bob)
    assert alice["pracks"] == bob["pracks"] == 1
    alice, bob = people.call("--100rel", "supported", *late, bob=("--responder", ALICE))  # the called need not
    assert_talk(alice, bob)
    assert alice["pracks"] == bob["pracks"] == 0


def test_who_is_called_knows_its_extensions(people):
    port = free_port()
    bob = people.bob(port=port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(10)
        own = peer.getsockname()[1]
        peer.sendto((f"INVITE sip:bob@127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bKx1\r\nFrom: <sip:a@b>;tag=1\r\n"
                     f"To: <sip:bob@127.0.0.1>\r\nCall-ID: x1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:{own}>\r\nMax-Forwards: 70\r\n"
                     "Require: timer, mind-reading\r\nContent-Length: 0\r\n\r\n").encode(), ("127.0.0.1", port))
        answer = peer.recv(65536).decode()
        while answer.startswith("SIP/2.0 1"):
            answer = peer.recv(65536).decode()
    assert answer.startswith("SIP/2.0 420 ") and "Unsupported: mind-reading" in answer, answer
    assert bob.stop()["outcome"] == "pending"


def test_a_ticket_of_ones_own(people):
    """Mode 3: taken by who is told to, refused by who is not."""
    path = people.kms.path("alice.tpk")
    people.kms.changed("tpk", "add", ALICE, "--tpk-id", "alice-own", "--tpk-file", path)
    alice, bob = people.call("--tpk-file", path, bob=("--tpk-file", path))
    assert_talk(alice, bob)
    assert alice["mikey"]["flags"] == bob["mikey"]["flags"] == "EFGHILNO"
    alice, bob = people.call("--tpk-file", path)
    assert (alice["status"], bob["mikey"]["error"]) == (488, 15), bob


def tls_folder(folder):
    """agent.pem and cafile.pem of one who signed for itself."""
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cafile.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
    with open(os.path.join(folder, "agent.pem"), "w", encoding="utf-8") as agent:
        for path in (cert, key):
            with open(path, encoding="utf-8") as part:
                agent.write(part.read())
    return folder


def test_sip_over_tls(people, tmp_path):
    for name in ("ours", "other"):
        (tmp_path / name).mkdir()
        tls_folder(str(tmp_path / name))
    secure = ("--transport", "tls", "--tls-dir", str(tmp_path / "ours"))
    assert_talk(*people.call(*secure, bob=secure))
    alice, bob = people.call("--transport", "tls", "--tls-dir", str(tmp_path / "other"), "--timeout", 4, bob=secure)
    assert (alice["outcome"], bob["outcome"]) in (("unreachable", "pending"), ("timeout", "pending")), alice


def test_hold_and_the_like_keep_the_keys(people):
    alice, bob = people.call("--hold-at", 1.2, "--unhold-at", 1.6, "--reinvite-same-at", 2, seconds=3.5)
    assert alice["reinvites"] == {"ok": 3, "failed": 0, "heard": 0, "status": 200}
    for result in (alice, bob):
        assert result["outcome"] == "joined" and result["rx"]["rekeys"] == 0 and result["rx"]["auth_failures"] == 0, result


MISTAKES = [("expired", 15), ("flip=-1", 0), ("flip=-20", 0), ("flip=5", 0), ("truncate=90", 13), ("no-flag=F", 15), ("no-flag=I", 15),
            ("forged-vr", 0), ("no-sdp-ids", 12), ("wrong-idri", 7), ("skew=400", 1), ("skew=-400", 1)]


@pytest.mark.parametrize("mistake,error", MISTAKES, ids=[mistake for mistake, _ in MISTAKES])
def test_the_called_refuses(people, mistake, error):
    alice, bob = people.call("--misbehave", mistake)
    assert (alice["outcome"], alice["status"]) == ("refused", 488), alice
    assert bob["outcome"] == "refused" and bob["mikey"]["error"] == error, bob


def crowd(people, count, *options):
    """alice calls bob count times at once; all that she saw, then all that he did."""
    port = free_port()
    bob = people.bob("--count", count, "--each", "--no-media", port=port, seconds=90)
    wait_until(lambda: is_taken(port), 10, "bob waits")
    alice = people.ue(ALICE, "--responder", BOB, "--count", count, "--each", "--no-media", "--rate", 40, *options, uri=f"sip:bob@127.0.0.1:{port}",
                      seconds=0.5)
    calls = alice.results(90)[:count]
    bob.stop()
    return calls, bob.lines[:count]


@pytest.mark.parametrize("flag", "DEFGHIJKLMNO")
def test_every_flag_matters(people, flag):
    alice, bob = people.call("--misbehave", f"no-flag={flag}", "--no-media", seconds=0.5)
    assert (alice["outcome"], alice["status"], bob["outcome"]) == ("refused", 488, "refused"), (flag, alice, bob)


def test_every_octet_matters(people):
    """Each participant flips another octet of its TRANSFER_INIT: none is let in."""
    calls, seen = crowd(people, 640, "--misbehave", "flip=each")
    assert {call["outcome"] for call in calls} == {"refused"}, [call for call in calls if call["outcome"] != "refused"][:3]
    assert not [call for call in seen if call["outcome"] == "joined"]
    assert len({call["mikey"]["error"] for call in seen}) >= 5  # found by the form, the policy, the KMS and the MAC


@pytest.mark.parametrize("mistake", ["wrong-psk", f"other-identity={CAROL}", "other-identity=sip:nobody@example.net"])
def test_the_kms_refuses(people, mistake):
    alice, bob = people.call("--misbehave", mistake)
    assert (alice["outcome"], alice["status"], alice["mikey"]["error"]) == ("no-ticket", 0, 0), alice
    assert bob["outcome"] == "pending"
    assert not people.kms.audit(1)[0]["granted"]


def test_a_ticket_for_somebody_else(people):
    alice, bob = people.call("--responder", CAROL)
    assert (alice["outcome"], alice["status"], bob["mikey"]["error"]) == ("refused", 488, 7)


def test_a_refused_update_keeps_the_call(people):
    alice, bob = people.call("--rekey-at", 1.2, "--misbehave", "flip-update=-1")
    assert_talk(alice, bob)
    assert alice["reinvites"]["failed"] == 1 and alice["reinvites"]["status"] == 488
    assert alice["mikey"]["rekeys"] == bob["mikey"]["rekeys"] == 0 and bob["mikey"]["error"] == 0


def test_a_replayed_message(people):
    port = free_port()
    bob = people.bob("--count", 2, "--each", port=port)
    alice = people.ue(ALICE, "--responder", BOB, "--count", 2, "--each", "--misbehave", "replay", uri=f"sip:bob@127.0.0.1:{port}", seconds=2)
    first, second, _ = alice.results()
    assert (first["outcome"], second["outcome"], second["status"]) == ("joined", "refused", 488)
    bob.stop()
    assert sorted((r["outcome"], r["mikey"]["error"]) for r in bob.lines[:2]) == [("joined", None), ("refused", 1)]


def three_calls(people, *options):
    """How many tickets the KMS gave for them."""
    port = free_port()
    before = granted(people.kms)[0]
    bob = people.bob("--count", 3, port=port)
    alice = people.ue(ALICE, "--responder", BOB, "--count", 3, "--each", *options, uri=f"sip:bob@127.0.0.1:{port}", seconds=1)
    calls = alice.results()[:3]
    bob.stop()
    assert [call["outcome"] for call in calls] == ["joined"] * 3, calls
    return granted(people.kms)[0] - before


def test_a_ticket_is_reused_where_the_kms_allows_it(people):
    assert three_calls(people) == 3
    assert three_calls(people, "--ticket-reuse") == 1
    with People(config={"flags_clear": "J"}) as strict:
        assert three_calls(strict, "--ticket-reuse") == 3


def test_a_kms_that_is_away(people):
    with People() as others:
        others.kms.stop()
        alice, bob = others.call("--timeout", 3)
    assert (alice["outcome"], bob["outcome"]) == ("no-ticket", "pending")
    assert alice["reason"].startswith("KMS: "), alice


def test_https(people):
    with People(tls=True) as secure:
        options = ("--kms", secure.kms.tls_url, "--kms-ca", secure.kms.certificate)
        assert_talk(*secure.call(*options, bob=options, seconds=2))
        alice, _ = secure.call("--kms", secure.kms.tls_url)  # signed by nobody that the system knows
        assert alice["outcome"] == "no-ticket" and "certificate" in alice["reason"], alice


@pytest.mark.parametrize("form", ["binary", "hexadecimal"])
def test_a_bare_key_and_an_identity(people, form):
    """--identity says whose it is; it is brought to its canonical form."""
    with open(people.keys[ALICE], encoding="utf-8") as file:
        digits = next(line.split()[1] for line in file if line.startswith("psk256"))
    path = people.kms.path(f"bare.{form}")
    with open(path, "wb") as file:
        file.write(bytes.fromhex(digits) if form == "binary" else digits.encode() + b"\n")
    os.chmod(path, 0o600)
    alice, bob = people.call("--psk-file", path, "--identity", "SIP:alice@Example.NET:5060;user=phone")
    assert_talk(alice, bob)
    assert bob["mikey"]["initiator"] == ALICE, bob


def test_keys_that_others_can_read_are_not_taken(people):
    os.chmod(people.keys[CAROL], 0o640)
    carol = people.ue(CAROL, uri="sip:bob@127.0.0.1:9")
    assert carol.process.wait(timeout=20) == 4
    assert "others" in carol.process.stderr.read()
