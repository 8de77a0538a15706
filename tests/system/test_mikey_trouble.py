"""A KMS that goes, is slow, lies or changes its keys while calls run; and every suite under both sets, called and calling."""
import http.server
import threading
import time

import pytest

from kms import Kms
from mikey import CM256, CM80, GCM256, Peer, Phone, agree, call, error_of, focus_config, installed, key_mgmt, kms_for, offer, update
from node import Node, Ue, wait_until
from sip import Caller, SipNode
from sound import assert_hears, assert_no_gap, tones
from test_mikey_conference import Meeting

FOCUS = "sip:demo@focus.example"
ALICE, BOB = "sip:alice@ims.example", "sip:bob@ims.example"
CONFERENCES = [{"id": "demo", "security": "mikey-ticket", "authorised": [ALICE, BOB]}]


@pytest.fixture(scope="module")
def kms():
    with kms_for(ALICE, BOB) as running:
        yield running


@pytest.fixture
def alice(kms):
    with Peer(kms, ALICE, kms.files_of[ALICE]) as peer:
        yield peer


def dial(node, peer, message=None):
    if message is None:
        peer.ticket(FOCUS)
        message = peer.init(FOCUS, suites=str(CM80))
    return call(node, peer, message=message)


class Proxy:
    """In front of a KMS: passes questions on, and does to the answers what it is told."""

    def __init__(self, kms):
        self.kms, self.change, self.seen = kms, lambda answer: answer, []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                answer = proxy.kms.post(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                proxy.seen.append(answer)
                answer = proxy.change(answer)
                self.send_response(200)
                self.send_header("Content-Type", "application/mikey")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def config_of(kms, *urls, **more):
    return {**focus_config(kms, kms.focus, rate=0, **more), "kms": list(urls)}


def test_calls_outlive_the_kms():
    """It goes: calls run and re-key, nobody new comes in. It comes back, with other TPKs: old tickets are good, and so are new ones."""
    with Kms() as kms:
        files = [kms.add(ALICE), kms.add(BOB)]
        focus = kms.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example")
        with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, focus, rate=0)) as node, \
                Peer(kms, ALICE, files[0]) as alice, Peer(kms, BOB, files[1]) as bob:
            running, answer = dial(node, alice)
            agree(alice, answer)
            bob.ticket(FOCUS)
            old = bob.init(FOCUS, suites=str(CM80))
            kms.stop()
            update(running, alice, CM80, 2)
            _, answer = dial(node, bob, old)
            assert answer.status == 503 and answer["retry-after"], answer.text
            kms.cli("tpk", "rotate")
            kms.start()
            update(running, alice, CM80, 3)
            late, answer = dial(node, bob, old)
            agree(bob, answer)
            late.bye()
            late, answer = dial(node, bob)
            agree(bob, answer)
            late.bye()
            alice.ticket(FOCUS)
            agree(alice, running.invite(body=offer(alice.init(FOCUS, suites=str(CM80)), version=4)))
            running.bye()
            node.wait_participants(0)


def test_an_answer_to_another_question(kms, alice):
    """A KMS in the middle gives an answer again that was good before: it is as if it had said nothing, and the next one is asked."""
    with Proxy(kms) as proxy:
        with SipNode(conferences=CONFERENCES, mikey=config_of(kms, proxy.url)) as node:
            caller, answer = dial(node, alice)
            assert answer.status == 200
            caller.bye()
            before = proxy.seen[-1]
            proxy.change = lambda answer: before
            alice.ticket(FOCUS)
            message = alice.init(FOCUS, suites=str(CM80))
            _, answer = dial(node, alice, message)
            assert answer.status == 503, answer.text
            assert len(node.asked("LEG_ADD")) == 1
        with SipNode(conferences=CONFERENCES, mikey=config_of(kms, proxy.url, kms.url)) as node:
            caller, answer = dial(node, alice, message)
            assert answer.status == 200, answer.text
            caller.bye()


def test_a_spoilt_answer_lets_nobody_in(kms, alice):
    """Octets of RESOLVE_RESP changed on the way, behind the header: 488, and no leg; the ticket is not used up by it."""
    with Proxy(kms) as proxy, SipNode(conferences=CONFERENCES, mikey=config_of(kms, proxy.url)) as node:
        alice.ticket(FOCUS)
        message = alice.init(FOCUS, suites=str(CM80))
        for at in (10, 40, 90, -1):
            def spoil(answer, at=at):
                octets = bytearray(answer)
                octets[at] ^= 1
                return bytes(octets)
            proxy.change = spoil
            _, answer = dial(node, alice, message)
            assert answer.status in (488, 503), (at, answer.text)
        assert not node.asked("LEG_ADD")
        proxy.change = lambda answer: answer
        caller, answer = dial(node, alice, message)
        agree(alice, answer)
        caller.bye()


def test_a_slow_kms_holds_nobody_up(kms, alice):
    """Its answer takes a second: meanwhile other calls are answered, and in the end this one too."""
    with Proxy(kms) as proxy, SipNode(conferences=[*CONFERENCES, {"id": "sdes", "security": "sdes", "identity": "none", "anonymous": True}],
                                      mikey=config_of(kms, proxy.url, timeout="5s")) as node:
        proxy.change = lambda answer: (time.sleep(1), answer)[1]
        done = []
        slow = threading.Thread(target=lambda: done.append(dial(node, alice)))
        slow.start()
        wait_until(lambda: proxy.seen, 5, "the KMS is asked")
        with Caller(node, "sdes") as quick:
            assert quick.invite().status == 200
            assert not done
            assert len(node.asked("LEG_ADD")) == 1, "nobody is answered before the KMS has spoken"
            quick.bye()
        slow.join()
        caller, answer = done[0]
        assert answer.status == 200, answer.text
        caller.bye()


def test_rotation_between_ticket_and_call(kms, alice):
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as node:
        alice.ticket(FOCUS)
        message = alice.init(FOCUS, suites=str(CM80))
        kms.changed("tpk", "rotate")
        kms.restart()
        caller, answer = dial(node, alice, message)
        agree(alice, answer)
        caller.bye()


def test_a_user_who_is_disabled(kms, alice):
    """Calls that run go on; a ticket from before is not resolved any more."""
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as node:
        running, answer = dial(node, alice)
        agree(alice, answer)
        alice.ticket(FOCUS)
        message = alice.init(FOCUS, suites=str(CM80))
        kms.changed("user", "disable", ALICE)
        try:
            _, answer = dial(node, alice, message)
            assert answer.status == 488, answer.text
            update(running, alice, CM80, 2)
        finally:
            kms.changed("user", "enable", ALICE)
        running.bye()


# Suites and sets.

@pytest.mark.parametrize("algorithms", [128, 256])
@pytest.mark.parametrize("suite", [1, 2, 3, 4, 5])
def test_every_suite_under_both_sets_in(matrix, algorithms, suite):
    kms, node = matrix[algorithms]
    with Peer(kms, ALICE, kms.files_of[ALICE]) as alice:
        alice.ticket(FOCUS, algorithms)
        caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(suite)))
        if algorithms == 128 and suite in (CM256, GCM256):
            assert answer.status == 488 and error_of(answer) in (9, 12, 15), answer.text
            assert not node.asked("LEG_ADD")
            return
        agree(alice, answer)
        keys = alice.prints()
        assert [(row["suite"], row["print"]) for row in installed(node, 1)] == [(suite, keys[1][2])]
        assert [(row["suite"], row["print"]) for row in installed(node, 2)] == [(suite, keys[2][2])]
        caller.bye()


@pytest.mark.parametrize("algorithms", [128, 256])
@pytest.mark.parametrize("suite", [1, 2, 3, 4, 5])
def test_every_suite_under_both_sets_out(matrix, algorithms, suite):
    """The focus has a key of the smaller set only: its tickets are of that."""
    kms, node = matrix[algorithms]
    phone = Phone(node)
    identity = f"sip:dave@127.0.0.1:{phone.port}"
    with Peer(kms, identity, kms.add(identity)) as dave:
        assert node.cli("conference", "call", "demo", identity).returncode == 0
        assert dave.resolve(key_mgmt(phone.wait().body)["media"]) == "ok"
        answer = dave.ask("transfer", "0x0a0b0c0d", suite)
        if algorithms == 128 and suite in (CM256, GCM256):
            assert answer.startswith("refused 9 "), answer  # it was not offered
            phone.answer("", "488 Not Acceptable Here")
            node.wait_participants(0)
            return
        phone.answer(offer(answer))
        wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
        keys = dave.prints()
        assert [(row["suite"], row["print"]) for row in installed(node, 1)] == [(suite, keys[2][2])]
        assert [(row["suite"], row["print"]) for row in installed(node, 2)] == [(suite, keys[1][2])]
        phone.bye()


@pytest.fixture(scope="module")
def worlds():
    made, open_ones = {}, []
    try:
        for algorithms in (128, 256):
            kms = Kms()
            open_ones.append(kms)
            kms.files_of = {ALICE: kms.add(ALICE)}
            focus = kms.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example",
                            *(("--set", "128") if algorithms == 128 else ()))
            node = SipNode(conferences=CONFERENCES, mikey=focus_config(kms, focus, rate=0))
            open_ones.append(node)
            made[algorithms] = (kms, node)
        yield made
    finally:
        for each in reversed(open_ones):
            each.__exit__(None, None, None)


@pytest.fixture
def matrix(worlds):
    yield worlds
    for _, node in worlds.values():
        node.wait_participants(0)
        node.forget()


# Talking meanwhile.

def test_both_sides_rekey_while_talking():
    """TRr of the ticket makes the focus re-key every few seconds, a participant does too; nobody loses a packet of sound."""
    hz = tones(2)
    with Meeting(2) as meeting:
        people = meeting.talk(hz, ("--trr", 4), ("--rekey-at", 3, "--rekey-at", 6), seconds=12)
        for n, person in enumerate(people):
            result = person.result()
            assert result["rx"]["rekeys"] >= 2 and result["reinvites"]["failed"] == 0, result
            assert_no_gap(result)
            assert_hears(result, [hz[1 - n]], hz[n])
        meeting.node.wait_participants(0)


def test_nobody_notices_that_the_kms_is_away():
    """Two talk and re-key; the KMS is stopped, its TPKs are rotated, it comes back, somebody new joins."""
    hz = tones(3)
    with Meeting(3) as meeting:
        people = [meeting.join(n, "--tone", hz[n], "--expect", hz[1 - n], *(("--rekey-at", 4) if n == 0 else ()), seconds=10) for n in range(2)]
        meeting.node.wait_participants(2)
        meeting.kms.stop()
        refused = meeting.join(2, seconds=1).result()
        assert refused["outcome"] == "no-ticket", refused
        meeting.kms.cli("tpk", "rotate")
        meeting.kms.start()
        third = meeting.join(2, "--silence", seconds=1).result()
        assert third["outcome"] == "joined" and third["keyed_by"] == "mikey-ticket", third
        for n, person in enumerate(people):
            result = person.result()
            assert result["rx"]["lost"] <= 2 and result["heard_as_expected"], result
            assert result["mikey"]["rekeys"] == (1, 0)[n]
        meeting.node.wait_participants(0)


@pytest.mark.parametrize("conference", ["demo", "either"])
def test_participants_who_offer_nothing_talk(kms, conference):
    """Two participants of our own, known by digest: they answer our TRANSFER_INIT in the ACK, hear each other, and are re-keyed."""
    hz = tones(2)
    people = ((ALICE, 0), (BOB, 1))
    accounts = [{"user": uri[4:].split("@")[0], "password": "secret", "uri": uri} for uri, _ in people]
    conferences = [*CONFERENCES, {"id": "either", "security": "either", "authorised": [ALICE, BOB]}]
    with Node({"sip": {"accounts": accounts}, "conferences": conferences, "mikey": focus_config(kms, kms.focus, rate=0)}) as node:
        calls = [Ue(node.uri(conference), "--late-offer", "--kms", kms.url, "--kms-id", kms.identity, "--psk-file", kms.files_of[uri],
                    "--from", uri, "--user", accounts[n]["user"], "--password", "secret", "--tone", hz[n], "--expect", hz[1 - n],
                    *(("--rekey-at", 3) if n == 0 else ()), seconds=6) for uri, n in people]
        node.wait_participants(2, conference)
        for n, (person, (uri, _)) in enumerate(zip(calls, people)):
            result = person.result()
            assert result["keyed_by"] == "mikey-ticket" and result["mikey"]["responder"] == uri, result
            assert_hears(result, [hz[1 - n]], hz[n])
            assert result["rx"]["lost"] <= 2, result
        node.wait_participants(0, conference)
