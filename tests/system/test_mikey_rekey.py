"""New keys for calls that run: updates of either side, full exchanges of either side, another suite, and what is left when CS IDs are used up."""
import pytest

from kms import Kms
from mikey import CM80, GCM128, GCM256, SSRC, Peer, Phone, agree, call, called, connected, focus_config, installed, key_mgmt, kms_for, offer, tidy, update
from node import wait_until
from sip import SipNode, sdp

FOCUS = "sip:demo@focus.example"
ALICE = "sip:alice@ims.example"
CONFERENCES = [{"id": "demo", "security": "mikey-ticket", "authorised": [ALICE]}]
FRESH = 1
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def kms():
    with kms_for(ALICE) as running:
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(node):
    yield
    tidy(node, CONFERENCES)


@pytest.fixture
def alice(kms):
    with Peer(kms, ALICE, kms.files_of[ALICE]) as peer:
        yield peer


def up(node, alice, suites=CM80, **more):
    """A call whose keys are agreed; nothing of its set-up is remembered."""
    alice.ticket(FOCUS, **more)
    caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(suites)))
    agree(alice, answer)
    node.forget()
    return caller


def dialled(node, kms):
    """Somebody whom the focus called and who answered: the phone, its peer."""
    phone = called(node, kms)
    peer = Peer(kms, phone.identity, phone.keys)
    assert peer.resolve(key_mgmt(phone.wait().body)["media"]) == "ok"
    phone.answer(offer(peer.ask("transfer", "0x0a0b0c0d", CM80)))
    connected(node)
    node.forget()
    return phone, peer


def check_keys(node, peer, cs, flags=0, are_we_first=True):
    """The media plane has the keys of the pair, in their directions, and whether the peer's stream begins anew."""
    keys = peer.prints(cs)
    wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
    to_focus, from_focus = (cs, cs + 1) if are_we_first else (cs + 1, cs)
    assert [(row["print"], row["flags"]) for row in installed(node, 1)] == [(keys[to_focus][2], flags)]
    assert [(row["print"], row["flags"]) for row in installed(node, 2)] == [(keys[from_focus][2], 0)]
    node.forget()


def reinvite_of_focus(caller):
    while True:
        request = caller.receive(15)
        assert request, "no re-INVITE"
        if request.method == "INVITE":
            return request


def accept(caller, request, body):
    caller.reply(request, body=body)
    wait_until(lambda: (lambda m: m and m.method == "ACK")(caller.receive(1)), 5, "ACK")


def test_the_updater_chooses_the_cs_ids(node, alice):
    """Any pair that had no keys yet, not only the next one; one that had is refused and the call goes on."""
    caller = up(node, alice)
    for version, cs in enumerate((101, 7, 199), 2):
        update(caller, alice, CM80, version, cs=cs)
        check_keys(node, alice, cs)
    alice.ask("retire", 7)
    refused = caller.invite(body=offer(alice.ask("updateat", 7, SSRC, CM80), version=6))
    assert refused.status == 488 and not node.asked("KEY_INSTALL"), refused.text
    assert len(node.participants()) == 1
    caller.bye()


def test_an_update_may_list_all_sessions(node, alice):
    """Those with keys go on, the new pair is the one to change to; nothing but those in use changes nothing."""
    caller = up(node, alice)
    for version, (cs, pair) in enumerate((("1,3", 3), ("3,5,240c", 5), ("1,3,5,7", 7)), 2):
        update(caller, alice, CM80, version, cs=cs)
        check_keys(node, alice, pair)
        alice.ask("retire", pair - 2)
    update(caller, alice, CM80, 9, cs="7")
    assert not node.asked("KEY_INSTALL")
    update(caller, alice, CM80, 10)
    check_keys(node, alice, 9)
    caller.bye()


def test_another_ssrc_begins_another_stream(node, alice):
    """The map says what the peer sends: the same SSRC goes on with its ROC and replay window, another one begins anew."""
    caller = up(node, alice)
    update(caller, alice, CM80, 2)
    check_keys(node, alice, 3)
    update(caller, alice, CM80, 3, ssrc="0x99887766")
    check_keys(node, alice, 5, flags=FRESH)
    update(caller, alice, CM80, 4, ssrc="0x99887766")
    check_keys(node, alice, 7)
    caller.bye()


@pytest.mark.parametrize("suite", [GCM128, GCM256])
def test_full_exchange_changes_the_suite(node, alice, suite):
    caller = up(node, alice, CM80)
    alice.ticket(FOCUS)
    agree(alice, caller.invite(body=offer(alice.init(FOCUS, suites=str(suite)), version=2)))
    keys = alice.prints()
    assert keys[1][1] == keys[2][1] == suite
    wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
    assert [row["suite"] for row in node.asked("KEY_INSTALL")] == [suite, suite]
    check_keys(node, alice, 1)
    caller.bye()


def test_an_update_keeps_the_suite(node, alice):
    caller = up(node, alice, CM80)
    refused = caller.invite(body=offer(alice.ask("update", SSRC, GCM128), version=2))
    assert refused.status == 488 and refused["warning"].startswith("306"), refused.text
    assert not node.asked("KEY_INSTALL") and len(node.participants()) == 1
    caller.bye()


def test_full_exchange_under_the_same_csb_id(node, alice):
    """What makes a message an update is that it has no ticket, not whose CSB ID it has."""
    alice.ticket(FOCUS)
    caller, answer = call(node, alice, message=alice.init(FOCUS, suites=str(CM80), csb="0x01020304"))
    agree(alice, answer)
    node.forget()
    alice.ticket(FOCUS)
    agree(alice, caller.invite(body=offer(alice.init(FOCUS, suites=str(CM80), csb="0x01020304"), version=2)))
    check_keys(node, alice, 1)
    caller.bye()


def test_a_used_ticket_keys_nothing_anew(node, alice):
    """J is not set: the same TRANSFER_INIT, or another one on the same ticket, is refused; the call goes on."""
    caller = up(node, alice)
    first = caller.message
    update(caller, alice, CM80, 2)
    check_keys(node, alice, 3)
    refused = caller.invite(body=offer(first, version=3))
    assert refused.status == 488, refused.text
    assert not node.asked("KEY_INSTALL") and len(node.participants()) == 1
    caller.bye()


def test_a_ticket_that_may_be_reused_keys_anew():
    """With J one ticket is good for the call, a full exchange within it and another call; a message is good once all the same."""
    with Kms(config={"flags_set": "J"}) as kms:
        files = kms.add(ALICE)
        focus = kms.add("sip:focus.example", "--act-for", "sip:*@focus.example", "--psk-id", "sip:focus.example")
        with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, focus, rate=0)) as node, Peer(kms, ALICE, files) as alice:
            alice.ticket(FOCUS)
            first = alice.init(FOCUS, suites=str(CM80))
            caller, answer = call(node, alice, message=first)
            agree(alice, answer)
            before = alice.prints()
            node.forget()
            agree(alice, caller.invite(body=offer(alice.init(FOCUS, suites=str(CM80)), version=2)))
            assert alice.prints()[1][2] != before[1][2]
            check_keys(node, alice, 1)
            assert caller.invite(body=offer(first, version=3)).status == 488
            other, answer = call(node, alice, message=alice.init(FOCUS, suites=str(CM80)))
            assert answer.status == 200, answer.text
            other.bye()
            caller.bye()
            node.wait_participants(0)


def test_who_was_called_keys_anew(node, kms):
    """Dial-out, then a full exchange of the other side: roles change, and so do directions. Then updates of the new bundle."""
    phone, dave = dialled(node, kms)
    with dave:
        dave.ticket(FOCUS)
        agree(dave, phone.invite(body=offer(dave.init(FOCUS, suites=str(CM80)), version=2)))
        check_keys(node, dave, 1, FRESH)
        update(phone, dave, CM80, 3)
        check_keys(node, dave, 3)
        phone.bye()


def test_who_was_called_updates_and_holds(node, kms):
    """Updates of the responder: the first CS of a pair stays that of the focus. Its own message again, or none, keeps keys."""
    phone, dave = dialled(node, kms)
    with dave:
        update(phone, dave, CM80, 2, ssrc="0x0a0b0c0d")
        check_keys(node, dave, 3, are_we_first=False)
        assert phone.invite(body=sdp(crypto=(), version=3, lines=("a=sendonly",))).status == 200
        assert not node.asked("KEY_INSTALL")
        phone.bye()


def test_the_answer_repeated_keeps_keys(node, kms):
    phone = Phone(node)
    identity = f"sip:dave@127.0.0.1:{phone.port}"
    with Peer(kms, identity, kms.add(identity)) as dave:
        assert node.cli("conference", "call", "demo", identity).returncode == 0
        assert dave.resolve(key_mgmt(phone.wait().body)["media"]) == "ok"
        message = dave.ask("transfer", "0x0a0b0c0d", CM80)
        phone.answer(offer(message))
        wait_until(lambda: [p for p in node.participants() if p["state"] == "connected"], 5, "dave")
        node.forget()
        again = phone.invite(body=offer(message, version=2, lines=("a=sendonly",)))
        assert again.status == 200 and not node.asked("KEY_INSTALL"), again.text
        phone.bye()


def test_a_full_exchange_when_cs_ids_are_used_up(node, alice):
    """119 pairs are in a bundle. When the last one is used and TRr comes, the focus asks the KMS for a ticket and sends a full
    TRANSFER_INIT: it is the initiator now. Then updates go on, of either side."""
    caller = up(node, alice, rekey=6)
    for n in range(1, 119):
        update(caller, alice, CM80, n + 1)
        alice.ask("retire", 2 * n - 1)
    refused = caller.invite(body=offer(alice.ask("updateat", 235, SSRC, CM80), version=200))
    assert refused.status == 488, refused.text
    node.forget()
    request = reinvite_of_focus(caller)
    assert alice.resolve(key_mgmt(request.body)["media"]) == "ok"
    accept(caller, request, offer(alice.ask("transfer", SSRC, CM80), version=201))
    check_keys(node, alice, 1, are_we_first=False)
    assert node.participants()[0]["identity"] == ALICE
    update(caller, alice, CM80, 202)
    check_keys(node, alice, 3, are_we_first=False)
    caller.bye()


def test_someone_else_answers_the_new_exchange(node, kms, alice):
    """The keys of a call may change, whose call it is may not."""
    caller = up(node, alice, rekey=6)
    for n in range(1, 119):
        update(caller, alice, CM80, n + 1)
        alice.ask("retire", 2 * n - 1)
    request = reinvite_of_focus(caller)
    with Peer(kms, "sip:eve@ims.example", kms.add("sip:eve@ims.example")) as eve:
        assert eve.ask("offered", key_mgmt(request.body)["media"]).startswith("refused 7 ")
    caller.reply(request, "488 Not Acceptable Here")
    assert wait_until(lambda: (lambda m: m and m.method == "BYE" and m)(caller.receive(5)), 10, "BYE")


def test_the_media_plane_restarts(kms):
    """Legs are there again under another SSRC of ours; the update that follows promises that one, and brings keys that never were in use."""
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as node, Peer(kms, ALICE, kms.files_of[ALICE]) as alice:
        caller = up(node, alice)
        old = alice.prints()
        node.kill("dp")
        node.forget()
        node.start_dp()
        request = reinvite_of_focus(caller)
        node.forget()
        accept(caller, request, offer(alice.ask("answer", SSRC, CM80, key_mgmt(request.body)["media"]), version=2))
        check_keys(node, alice, 3)
        new = alice.prints(3)
        assert new[4][0] != old[2][0] and new[4][2] != old[2][2], "our SSRC and key"
        caller.bye()
        node.wait_participants(0)
