"""Calls keyed by MIKEY-TICKET: dial-in through a real KMS, what is refused and how, re-keying, and talking through it."""
import base64
import http.server
import re
import socket
import threading
import time

import pytest

from kms import Kms
from mikey import CM80, GCM128, Peer, Phone, agree, bend, call, called, error_of, focus_config, installed, key_mgmt, kms_for, offer, tidy
from node import Node, free_port, wait_until
from sip import CM80 as CM80_NAME, Caller, KEY, SipNode, sdp

FOCUS = "sip:demo@focus.example"
ALICE, BOB, EVE = "sip:alice@ims.example", "sip:bob@ims.example", "sip:eve@ims.example"
SDES = f"1 {CM80_NAME} {KEY}"
CONFERENCES = [
    {"id": "demo", "security": "mikey-ticket", "authorised": [ALICE, BOB]},
    {"id": "either", "security": "either", "authorised": [ALICE, BOB]},
    {"id": "sdes", "security": "sdes", "identity": "none", "anonymous": True},
]


@pytest.fixture(scope="module")
def kms():
    with kms_for(ALICE, BOB, EVE) as running:
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(sip={"trusted_peers": ["127.0.0.2"]}, conferences=CONFERENCES, mikey=focus_config(kms, kms.focus)) as running:
        yield running


@pytest.fixture
def alice(kms):
    with Peer(kms, ALICE, kms.files_of[ALICE]) as peer:
        yield peer


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        tidy(request.getfixturevalue("node"), CONFERENCES)


@pytest.mark.parametrize("level", ["media", "session"])
@pytest.mark.parametrize("algorithms", [128, 256])
def test_dial_in(node, alice, algorithms, level):
    alice.ticket(FOCUS, algorithms)
    caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(CM80)), level=level)
    agree(alice, answer, level)
    keys = alice.prints()
    assert keys[1][2] != keys[2][2]
    assert [row["print"] for row in installed(node, 1)] == [keys[1][2]]
    assert [row["print"] for row in installed(node, 2)] == [keys[2][2]]
    [participant] = node.participants()
    assert participant["identity"] == ALICE and participant["verified_by"] == "kms"
    assert participant["protection"] == "mikey-ticket, verified by KMS"
    caller.bye()


@pytest.mark.parametrize("suite", [1, 2, 3, 4, 5])
def test_suites(node, alice, suite):
    alice.ticket(FOCUS)
    caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(suite)))
    agree(alice, answer)
    keys = alice.prints()
    assert keys[1][1] == keys[2][1] == suite
    assert [(row["suite"], row["print"]) for row in installed(node, 1)] == [(suite, keys[1][2])]
    caller.bye()


def test_several_m_lines(node, alice):
    """The audio is the second m-line under a session-level message: its crypto sessions are 3 and 4."""
    alice.ticket(FOCUS)
    message = alice.init(FOCUS, cs=3)
    body = offer(message, "session").replace("m=audio", "m=video 40010 RTP/SAVP 96\na=rtpmap:96 VP8/90000\nm=audio")
    caller = Caller(node, "demo")
    answer = caller.invite(body=body)
    agree(alice, answer, "session")
    assert "m=video 0 RTP/SAVP 96" in answer.body
    assert [row["print"] for row in installed(node, 1)] == [alice.prints(3)[3][2]]
    caller.bye()


def test_mikey_wins_over_sdes(node, alice):
    alice.ticket("sip:either@focus.example")
    caller, answer = call(node, alice, "either", alice.init("sip:either@focus.example"), crypto=(SDES,))
    agree(alice, answer)
    assert node.participants("either")[0]["identity"] == ALICE
    caller.bye()


@pytest.mark.parametrize("body", [sdp(), sdp(crypto=(), proto="RTP/AVP")], ids=["SDES", "plain"])
def test_no_fall_back(node, body):
    answer = Caller(node, "demo").invite(body=body)
    assert answer.status == 488 and answer["warning"].startswith("306"), answer.text
    assert not node.asked("LEG_ADD")


def test_not_on_the_list(node, kms):
    with Peer(kms, EVE, kms.files_of[EVE]) as eve:
        _, answer = call(node, eve)
    assert answer.status == 403 and not node.asked("LEG_ADD"), answer.text


@pytest.mark.parametrize("asserted, status", [(ALICE, 200), (BOB, 403), ("sip:alice@IMS.example:5060;transport=udp", 200)])
def test_asserted_identity(node, alice, asserted, status):
    alice.ticket(FOCUS)
    caller = Caller(node, "demo", address="127.0.0.2", from_header=f"<{ALICE}>")
    answer = caller.invite([f"P-Asserted-Identity: <{asserted}>"], offer(alice.init(FOCUS)))
    assert answer.status == status, answer.text
    if status == 200:
        caller.bye()


def fresh(peer, algorithms=256, valid=3600, **more):
    peer.ticket(FOCUS, algorithms, valid=valid)
    return peer.init(FOCUS, **more)


def policy_flags(message):
    """Where the ticket policy has the flags E to L: behind type, subtype, version, PRF and D."""
    return base64.b64decode(message).index(bytes([0, 1, 1, 1, 3])) + 5


def test_refusals_without_kms_traffic(node, kms, alice):
    """What can be seen at once is refused before the KMS hears of it: form, list of protocols, flags, validity, skew, suites, sets."""
    late = fresh(alice, valid=1)
    time.sleep(1.5)
    weak = fresh(alice, suites="5", algorithms=128)
    flagged = fresh(alice)
    good = fresh(alice)
    rows = {
        "not to be parsed": (fresh(alice)[:40], 13),
        "another data type": (bend(fresh(alice), 1, 11 ^ 14), 11),
        "no list of protocols": (fresh(alice, ids="-"), 12),
        "another list of protocols": (fresh(alice, ids="mikey;keyp1"), 12),
        "a ticket that has expired": (late, 15),
        "a suite that wants the larger set": (weak, 9),
        "F is not set": (bend(flagged, policy_flags(flagged), 0x40), 15),
        "T of yesterday": (bend(good, good_t(good), 1), 1),
    }
    asked = kms.status()["resolve"]
    for name, (message, error) in rows.items():
        _, answer = call(node, alice, message=message)
        assert answer.status == 488 and answer["warning"][:3] in ("306", "399"), (name, answer.text)
        assert error_of(answer) in (error, 13), (name, answer.text)
    assert not node.asked("LEG_ADD")
    assert kms.status()["resolve"] == asked


def good_t(message):
    """The octet of T that counts days, roughly: T follows header and map, its second octet of seconds is 65536 s each."""
    octets = base64.b64decode(message)
    at = 10
    for _ in range(octets[8]):
        at += 3 + (octets[at + 2] & 0x7F)
        at += 2 + int.from_bytes(octets[at:at + 2], "big")
        at += 1 + octets[at]
    return at + 2 + 1


def test_bad_mac(node, alice):
    """The last octets are V's MAC."""
    alice.ticket(FOCUS)
    good = alice.init(FOCUS)
    _, answer = call(node, alice, message=bend(good, len(base64.b64decode(good)) - 1))
    assert answer.status == 488 and not node.asked("LEG_ADD"), answer.text
    assert error_of(answer) in (0, 12)


def test_replay(node, alice):
    alice.ticket(FOCUS)
    message = alice.init(FOCUS)
    caller, answer = call(node, alice, message=message)
    assert answer.status == 200
    _, again = call(node, alice, message=message)
    assert again.status == 488, again.text
    caller.bye()


def test_ticket_of_another_conference(node, alice):
    alice.ticket("sip:either@focus.example")
    _, answer = call(node, alice, message=alice.init("sip:either@focus.example"))
    assert answer.status == 488, answer.text


def test_sdes_calls_beside(node, alice):
    caller = Caller(node, "sdes")
    assert caller.invite().status == 200
    assert node.participants("sdes")[0]["protection"] == "SDES to next hop"
    caller.bye()


# Re-INVITE.

def test_same_message_keeps_keys(node, alice):
    alice.ticket(FOCUS)
    caller, answer = call(node, alice, message=alice.init(FOCUS))
    agree(alice, answer)
    node.forget()
    again = caller.invite(body=offer(caller.message, version=2, lines=("a=sendonly",)))
    assert again.status == 200 and key_mgmt(again.body) == key_mgmt(answer.body), again.text
    third = caller.invite(body=sdp(crypto=(), version=3))
    assert third.status == 200 and not key_mgmt(third.body), third.text
    assert not node.asked("KEY_INSTALL")
    caller.bye()


def test_update_by_them(node, alice):
    alice.ticket(FOCUS)
    caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(GCM128)))
    agree(alice, answer)
    for version in range(2, 5):
        node.forget()
        again = caller.invite(body=offer(alice.ask("update", "0x11223344", GCM128), version=version))
        assert again.status == 200, again.text
        assert alice.ask("updated", key_mgmt(again.body)["media"]) == "ok"
        pair = 2 * version - 1
        keys = alice.prints(pair)
        wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
        assert [(row["print"], row["flags"]) for row in installed(node, 1)] == [(keys[pair][2], 0)]
        assert [(row["print"], row["flags"]) for row in installed(node, 2)] == [(keys[pair + 1][2], 0)]
    caller.bye()


def test_bad_update_changes_nothing(node, alice):
    alice.ticket(FOCUS)
    caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(CM80)))
    agree(alice, answer)
    node.forget()
    update = alice.ask("update", "0x11223344", CM80)
    refused = caller.invite(body=offer(bend(update, 30), version=2))
    assert refused.status == 488 and not node.asked("KEY_INSTALL"), refused.text
    assert len(node.participants()) == 1
    assert caller.invite(body=offer(update, version=3)).status == 200
    caller.bye()


def test_full_ticket_keys_anew(node, alice):
    alice.ticket(FOCUS)
    caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(CM80)))
    agree(alice, answer)
    before = alice.prints()
    node.forget()
    alice.ticket(FOCUS)
    again = caller.invite(body=offer(alice.init(FOCUS, suites=str(CM80)), version=2))
    agree(alice, again)
    keys = alice.prints()
    assert keys[1][2] != before[1][2]
    wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
    assert [row["print"] for row in installed(node, 1)] == [keys[1][2]]
    caller.bye()


def test_new_ticket_of_somebody_else(node, kms, alice):
    alice.ticket(FOCUS)
    caller, answer = call(node, alice, message=alice.init(FOCUS))
    agree(alice, answer)
    node.forget()
    with Peer(kms, BOB, kms.files_of[BOB]) as bob:
        bob.ticket(FOCUS)
        refused = caller.invite(body=offer(bob.init(FOCUS), version=2))
    assert refused.status == 403 and not node.asked("KEY_INSTALL"), refused.text
    assert node.participants()[0]["identity"] == ALICE
    caller.bye()


def answer_reinvite(caller, peer, suite):
    """Our side of the focus's re-INVITE with a CSB update."""
    while True:
        request = caller.receive(10)
        assert request, "no re-INVITE"
        if request.method == "INVITE":
            break
    message = key_mgmt(request.body)["media"]
    reply = peer.ask("answer", "0x11223344", suite, message)
    assert not reply.startswith(("refused", "error")), reply
    caller.reply(request, body=offer(reply, version=9))
    wait_until(lambda: (lambda m: m and m.method == "ACK")(caller.receive(1)), 5, "ACK")


def test_update_by_us_in_time(node, alice):
    """TRr of the ticket is 4 s: the focus re-keys before that."""
    alice.ticket(FOCUS, rekey=4)
    caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(CM80)))
    agree(alice, answer)
    node.forget()
    answer_reinvite(caller, alice, CM80)
    keys = alice.prints(3)
    wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
    assert [row["print"] for row in installed(node, 1)] == [keys[3][2]]
    assert [(row["print"], row["flags"]) for row in installed(node, 2)] == [(keys[4][2], 0)]
    caller.bye()


# Dial-out.

def test_dial_out(node, kms):
    phone = called(node, kms)
    invitation = phone.wait()
    assert "isfocus" in invitation["contact"] and "<sip:demo@focus.example>" in invitation["from"]
    with Peer(kms, phone.identity, phone.keys) as dave:
        assert "a=crypto" not in invitation.body
        assert dave.resolve(key_mgmt(invitation.body)["media"]) == "ok"
        phone.answer(offer(dave.ask("transfer", "0x0a0b0c0d", CM80)))
        [participant] = wait_until(lambda: [p for p in node.participants() if p["state"] == "connected"], 5, "dave")
        assert participant["identity"] == phone.identity and participant["verified_by"] == "kms"
        assert participant["protection"] == "mikey-ticket, verified by KMS"
        keys = dave.prints()
        assert [row["print"] for row in installed(node, 2)] == [keys[1][2]]
        assert [row["print"] for row in installed(node, 1)] == [keys[2][2]]
        phone.bye()


def test_dial_out_answered_wrongly(node, kms, alice):
    """An answer that is not of the invitee's keys, and one without keys: released at once."""
    phone = called(node, kms)
    invitation = phone.wait()
    with Peer(kms, phone.identity, phone.keys) as dave:
        assert dave.resolve(key_mgmt(invitation.body)["media"]) == "ok"
        phone.answer(offer(bend(dave.ask("transfer", "0x0a0b0c0d", CM80), 60)))
    assert wait_until(lambda: (lambda m: m and m.method == "BYE" and m)(phone.receive(5)), 5, "BYE")
    node.wait_participants(0)
    assert not node.asked("KEY_INSTALL")


def test_dial_out_to_a_stranger(node, kms):
    """The KMS has no such user, yet gives tickets for anybody; the phone cannot resolve, and declines."""
    phone = Phone(node)
    assert node.cli("conference", "call", "demo", f"sip:x@127.0.0.1:{phone.port}").returncode == 0
    phone.wait()
    phone.answer("", "488 Not Acceptable Here")
    node.wait_participants(0)


def test_dial_out_by_sdes(node):
    phone = Phone(node, "sdes")
    assert node.cli("conference", "call", "sdes", f"sip:eve@127.0.0.1:{phone.port}").returncode == 0
    invitation = phone.wait()
    tag = re.search(rf"a=crypto:(\d+) {CM80_NAME} ", invitation.body).group(1)
    phone.answer(sdp(crypto=(f"{tag} {CM80_NAME} {KEY}",)))
    [participant] = wait_until(lambda: [p for p in node.participants("sdes") if p["state"] == "connected"], 5, "eve")
    assert participant["protection"] == "SDES to next hop"
    phone.bye()


def test_dial_out_nonsense(node):
    assert node.cli("conference", "call", "demo", "tel:+4930123456", check=False).returncode != 0


# The KMS is not as it should be.

class Nonsense(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, kind, body = self.server.say
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def nonsense():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nonsense)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("say", [(200, "application/mikey", b""), (200, "application/mikey", b"\0" * 200), (200, "text/html", b"<p>"),
                                 (500, "application/mikey", b"x"), (200, "application/mikey", b"\xff" * 20000)])
def test_kms_talks_nonsense(kms, alice, nonsense, say):
    nonsense.say = say
    config = focus_config(kms, kms.focus)
    config["kms"] = [f"http://127.0.0.1:{nonsense.server_port}"]
    with SipNode(conferences=CONFERENCES, mikey=config) as node:
        _, answer = call(node, alice)
        assert answer.status == 503 and answer["retry-after"], answer.text


def test_kms_down_and_the_next_one(kms, alice):
    """Nobody listens at the first of the list, the second is slow, the third answers. Other calls go on meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        config = focus_config(kms, kms.focus, timeout="700ms")
        config["kms"] = [f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{deaf.getsockname()[1]}", kms.url]
        with SipNode(conferences=CONFERENCES, mikey=config) as node:
            uri = FOCUS
            alice.ticket(uri)
            slow = Caller(node, "demo")
            slow.send("INVITE", body=offer(alice.init(uri)))
            time.sleep(0.2)
            quick = Caller(node, "sdes")
            assert quick.invite().status == 200
            quick.bye()
            answer = slow.final(10)
            assert answer.status == 200, answer.text
            slow.target = re.search(r"<([^>]*)>", answer["contact"]).group(1)
            slow.send("ACK", cseq=slow.cseq)
            slow.bye()


def test_kms_down(kms, alice):
    config = focus_config(kms, kms.focus)
    config["kms"] = [f"http://127.0.0.1:{free_port()}"]
    with SipNode(conferences=CONFERENCES, mikey=config) as node:
        _, answer = call(node, alice)
        assert answer.status == 503 and answer["retry-after"], answer.text


def test_cancel_while_the_kms_thinks(kms, alice):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        config = focus_config(kms, kms.focus, timeout="5s")
        config["kms"] = [f"http://127.0.0.1:{deaf.getsockname()[1]}"]
        with SipNode(conferences=CONFERENCES, mikey=config) as node:
            alice.ticket(FOCUS)
            caller = Caller(node, "demo")
            caller.send("INVITE", body=offer(alice.init(FOCUS)))
            time.sleep(0.3)
            caller.send("CANCEL", cseq=caller.cseq, branch=caller.branch)
            assert caller.final(5, cseq="1 INVITE").status == 487


def test_kms_by_https():
    """Its certificate is verified: by the CA of the configuration 200, by the system's 503."""
    with Kms(tls=True) as kms:
        psk = kms.add(ALICE)
        focus = kms.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example")
        for more, status in (({"ca_file": kms.certificate}, 200), ({}, 503)):
            config = {**focus_config(kms, focus), "kms": [kms.tls_url], **more}
            with Peer(kms, ALICE, psk) as peer, SipNode(conferences=CONFERENCES, mikey=config) as node:
                caller, answer = call(node, peer)
                assert answer.status == status, answer.text
                if status == 200:
                    caller.bye()


def memory_kib(process):
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def test_joins_in_a_row_leak_nothing(kms, alice):
    """Two rounds of 500; transactions live on for 64 T1, so the second finds the memory of the first."""
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as node:
        seen = []
        for _ in range(2):
            for _ in range(500):
                caller, answer = wait_until(lambda: (lambda made: made if made[1].status != 503 else None)(call(node, alice)), 20, "room")
                assert answer.status == 200, answer.text
                caller.bye()
                caller.socket.close()
            time.sleep(8)
            seen.append(memory_kib(node.cp))
        print("KiB after each round:", seen)
        assert seen[1] - seen[0] < 3000, seen


def test_rate(kms, alice):
    """Who comes too often is refused without KMS traffic."""
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=1)) as node:
        statuses, asked = [], kms.status()["resolve"]["granted"]
        for _ in range(4):
            caller, answer = call(node, alice)
            statuses.append(answer.status)
            if answer.status == 200:
                caller.bye()
        assert statuses[:2] == [200, 200] and 503 in statuses, statuses
        assert kms.status()["resolve"]["granted"] == asked + statuses.count(200)


# With media.

def test_media_and_rekey_while_talking(kms, alice):
    """Two callers talk under their own keys; one re-keys in the middle and nothing that comes after is refused."""
    with Peer(kms, BOB, kms.files_of[BOB]) as bob, Node({"conferences": CONFERENCES, "mikey": focus_config(kms, kms.focus)}) as node:
        calls = []
        for peer in (alice, bob):
            port = free_port()
            peer.ticket(FOCUS)
            caller = Caller(node, "demo", from_header=f"<{peer.identity}>")
            answer = caller.invite(body=offer(peer.init(FOCUS, suites=str(GCM128)), port=port))
            agree(peer, answer)
            calls.append((peer, caller, port, int(re.search(r"m=audio (\d+)", answer.body).group(1))))
        results = talk(calls, (1, 1), 1500)
        for sent, heard, refused, ssrc, promised in results:
            assert heard > 0.5 * sent and refused == 0 and ssrc == promised, results
        peer, caller, port, _ = calls[0]
        again = caller.invite(body=offer(peer.ask("update", "0x11223344", GCM128), version=2, port=port))
        assert again.status == 200 and peer.ask("updated", key_mgmt(again.body)["media"]) == "ok"
        results = talk(calls, (3, 1), 1500)
        for sent, heard, refused, ssrc, promised in results:
            assert heard > 0.5 * sent and ssrc == promised, results
        assert results[0][2] == 0 and results[1][2] == 0, results
        for participant in node.participants():
            drops = node.api("participant", "show", "demo", str(participant["id"])).get("media", {}).get("drops", {})
            assert not [name for name, count in drops.items() if "auth" in name and count], drops
        for _, caller, _, _ in calls:
            caller.bye()


def talk(calls, pairs, milliseconds):
    results = [None, None]

    def one(i):
        peer, _, port, remote = calls[i]
        words = peer.ask("talk", pairs[i], port, remote, milliseconds, 1).split()
        results[i] = [int(word) for word in words[:3]] + words[3:]

    threads = [threading.Thread(target=one, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
