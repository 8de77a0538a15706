"""Offers with several m-lines under MIKEY: at session level one exchange for all, at media level one each (RFC 4567 4.1, profile section 4)."""
import pytest

from mikey import CM80, LIST, SSRC, Peer, agree, error_of, focus_config, installed, key_mgmt, kms_for, tidy
from node import wait_until
from sip import CM80 as CM80_NAME, Caller, KEY, SipNode

FOCUS, EITHER, ALICE = "sip:demo@focus.example", "sip:either@focus.example", "sip:alice@ims.example"
CONFERENCES = [
    {"id": "demo", "security": "mikey-ticket", "authorised": [ALICE]},
    {"id": "either", "security": "either", "identity": "none", "anonymous": True},
]
AUDIO = "m=audio 40000 RTP/SAVP 0"
SECOND = "m=audio 40010 RTP/SAVPF 8"
VIDEO = "m=video 40020 RTP/SAVP 96\na=rtpmap:96 VP8/90000"
MESSAGE = "m=message 40030 TCP/TLS/MSRP *\na=path:msrps://127.0.0.1:40030/a;tcp"
FLOOR = "m=application 40040 TCP/TLS/BFCP *"
SDES = f"a=crypto:1 {CM80_NAME} {KEY}"
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


def describe(session, *lines):
    return "\n".join(["v=0", "o=a 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", *session, *lines])


def attribute(message):
    return f"a=key-mgmt:mikey {message}"


def invite(node, body, user="demo"):
    caller = Caller(node, user, from_header=f"<{ALICE}>")
    return caller, caller.invite(body=body)


def ports(answer):
    """The m-lines of an answer: kind and whether it is taken."""
    return [(line.split()[0][2:], line.split()[1] != "0") for line in answer.body.split("\r\n") if line.startswith("m=")]


def check_installed(node, peer, cs):
    keys = peer.prints(cs)
    assert [row["print"] for row in installed(node, 1)] == [keys[cs][2]]
    assert [row["print"] for row in installed(node, 2)] == [keys[cs + 1][2]]
    assert len(node.asked("LEG_ADD")) == 1


@pytest.mark.parametrize("lines, cs, sessions, used, taken", [
    ((AUDIO, SECOND), "1,3", "1 2 3 4", 1, [("audio", True), ("audio", False)]),
    ((VIDEO, AUDIO, SECOND), "1,3,5", "1 2 3 4 5 6", 3, [("video", False), ("audio", True), ("audio", False)]),
    ((AUDIO, MESSAGE, FLOOR), "1,3t,5t,240c", "1 2 3 5 240", 1, [("audio", True), ("message", False), ("application", False)]),
    ((MESSAGE, AUDIO), "1t,3", "1 3 4", 3, [("message", False), ("audio", True)]),
    (("m=audio 40000 RTP/SAVP 18", SECOND), "1,3", "1 2 3 4", 3, [("audio", False), ("audio", True)]),
    (("m=video 40020 RTP/AVP 96", AUDIO), "1", "1 2", 1, [("video", False), ("audio", True)]),
], ids=["two audio", "video and two audio", "audio, MSRP, BFCP, CMS", "MSRP first", "the first has no codec", "one without protection"])
def test_one_message_for_the_session(node, kms, alice, lines, cs, sessions, used, taken):
    """CS IDs count on through the protected m-lines. The answer keeps every crypto session, also those of m-lines that are refused."""
    alice.ticket(FOCUS)
    resolved = kms.status()["resolve"]["granted"]
    caller, answer = invite(node, describe([attribute(alice.init(FOCUS, cs=cs))], *lines))
    agree(alice, answer, "session")
    assert alice.ask("sessions") == sessions
    assert [("audio" if kind.startswith("audio") else kind, is_taken) for kind, is_taken in ports(answer)] == taken
    check_installed(node, alice, used)
    assert kms.status()["resolve"]["granted"] == resolved + 1
    caller.bye()


def test_updates_under_the_session(node, alice):
    """An update may list the new sessions of all m-lines, or of the audio alone; the audio's pair is found by its place."""
    alice.ticket(FOCUS)
    caller, answer = invite(node, describe([attribute(alice.init(FOCUS, cs="1,3", suites=str(CM80)))], VIDEO, AUDIO))
    agree(alice, answer, "session")
    check_installed(node, alice, 3)
    node.forget()
    body = describe([attribute(alice.ask("updateat", "5,7", SSRC, CM80))], VIDEO, AUDIO).replace(" 1 1 IN", " 1 2 IN")
    again = caller.invite(body=body)
    assert alice.ask("updated", key_mgmt(again.body)["session"]) == "ok"
    wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
    assert [row["print"] for row in installed(node, 1)] == [alice.prints(7)[7][2]]
    node.forget()
    body = describe([attribute(alice.ask("updateat", "9", SSRC, CM80))], VIDEO, AUDIO).replace(" 1 1 IN", " 1 3 IN")
    again = caller.invite(body=body)
    assert alice.ask("updated", key_mgmt(again.body)["session"]) == "ok"
    wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
    assert [row["print"] for row in installed(node, 1)] == [alice.prints(9)[9][2]]
    caller.bye()


def test_a_name_is_given_once_at_a_time(node, alice):
    """TLS finds its key by CSB ID and CS ID alone: while a call has them, another one's offer gets 488, and is free to draw another CSB ID."""
    body = [describe([attribute(fresh)], AUDIO, MESSAGE) for fresh in named(alice, ("0x01020304", "0x01020304", "0x01020305", "0x01020304"))]
    first, answer = invite(node, body[0])
    assert answer.status == 200, answer.text
    _, answer = invite(node, body[1])
    assert answer.status == 488 and "CSB ID" in answer["warning"] and error_of(answer) == 12, answer.text
    second, answer = invite(node, body[2])
    assert answer.status == 200, answer.text
    first.bye()
    node.wait_participants(1)
    third, answer = invite(node, body[3])
    assert answer.status == 200, answer.text
    # Without TLS the name finds nothing, and the pair is what counts.
    alice.ticket(FOCUS)
    fourth, answer = invite(node, describe([attribute(alice.init(FOCUS, csb="0x01020304"))], AUDIO))
    assert answer.status == 200, answer.text
    for caller in (second, third, fourth):
        caller.bye()


def named(alice, csb_ids):
    for csb_id in csb_ids:
        alice.ticket(FOCUS)
        yield alice.init(FOCUS, cs="1,3t", csb=csb_id)


def test_an_m_line_that_is_added(node, alice):
    """An update that comes with a new m-line lists the sessions of that one: the audio keeps its keys; what comes after is the audio's."""
    alice.ticket(FOCUS)
    caller, answer = invite(node, describe([attribute(alice.init(FOCUS, cs="1", suites=str(CM80)))], AUDIO))
    agree(alice, answer, "session")
    node.forget()
    body = describe([attribute(alice.ask("updateat", "3", SSRC, CM80))], AUDIO, VIDEO).replace(" 1 1 IN", " 1 2 IN")
    again = caller.invite(body=body)
    assert again.status == 200 and alice.ask("updated", key_mgmt(again.body)["session"]) == "ok", again.text
    assert [is_taken for _, is_taken in ports(again)] == [True, False]
    assert not node.asked("KEY_INSTALL")
    body = describe([attribute(alice.ask("updateat", "5", SSRC, CM80))], AUDIO, VIDEO).replace(" 1 1 IN", " 1 3 IN")
    again = caller.invite(body=body)
    assert again.status == 200 and alice.ask("updated", key_mgmt(again.body)["session"]) == "ok", again.text
    wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "two keys")
    assert [row["print"] for row in installed(node, 1)] == [alice.prints(5)[5][2]]
    caller.bye()


def test_a_message_for_each_m_line(node, kms, alice):
    """One ticket each (J is not set). That of the m-line which is refused is neither resolved nor answered, and stays unused."""
    alice.ticket(FOCUS)
    first = alice.init(FOCUS)
    alice.ticket(FOCUS)
    second = alice.init(FOCUS, ssrc="0x01020304")
    resolved = kms.status()["resolve"]["granted"]
    caller, answer = invite(node, describe([], AUDIO, attribute(first), SECOND, attribute(second)))
    assert answer.status == 200, answer.text
    assert [is_taken for _, is_taken in ports(answer)] == [True, False]
    assert answer.body.count("a=key-mgmt:mikey") == 1 and "a=key-mgmt" not in answer.body.rpartition("m=audio")[2]
    assert kms.status()["resolve"]["granted"] == resolved + 1
    assert installed(node, 1)
    caller.bye()
    # The second ticket was not used up: it keys a call of its own.
    node.wait_participants(0)
    node.forget()
    caller, answer = invite(node, describe([], AUDIO, attribute(second)))
    agree(alice, answer)
    check_installed(node, alice, 1)
    caller.bye()


def test_each_kind_its_own_level(node, alice):
    """The audio has a message of its own, the rest the session's: the audio's is taken, and its CS IDs count from 1."""
    alice.ticket(FOCUS)
    rest = alice.init(FOCUS, cs="1t,3t")
    alice.ticket(FOCUS)
    caller, answer = invite(node, describe([attribute(rest)], MESSAGE, AUDIO, attribute(alice.init(FOCUS)), FLOOR))
    agree(alice, answer)
    assert [is_taken for _, is_taken in ports(answer)] == [False, True, False]
    check_installed(node, alice, 1)
    caller.bye()


@pytest.mark.parametrize("cs", ["1", "5", "3t,1"])
def test_crypto_sessions_that_are_not_the_audios(node, alice, cs):
    """The audio stands second under the session, so its sessions are 3 and 4: where the map has others there, nothing is keyed."""
    alice.ticket(FOCUS)
    _, answer = invite(node, describe([attribute(alice.init(FOCUS, cs=cs))], VIDEO, AUDIO))
    assert answer.status == 488 and answer["warning"][:3] == "399", answer.text
    assert error_of(answer) == 12 and not installed(node, 1)


@pytest.mark.parametrize("lines, mikey", [((AUDIO, "{0}", SDES), True), ((AUDIO, SDES, "{0}", SECOND, SDES), True), ((AUDIO, SDES), False)],
                         ids=["both", "both, and SDES on another", "SDES"])
def test_both_by_policy(node, alice, lines, mikey):
    alice.ticket(EITHER)
    message = attribute(alice.init(EITHER, suites=LIST))
    caller, answer = invite(node, describe([], *(line.format(message) for line in lines)), "either")
    if mikey:
        agree(alice, answer)
        check_installed(node, alice, 1)
    else:
        assert answer.status == 200 and "a=crypto" in answer.body and not key_mgmt(answer.body)
    caller.bye()


@pytest.mark.parametrize("text, status", [("A" * 5600, 488), ("A" * 5463, 488), ("AQ==AQ", 488), ("A", 488), ("", 488), ("A*", 488)],
                         ids=["longer than is read", "odd", "padding inside", "one letter", "nothing", "no base64"])
def test_base64(node, kms, text, status):
    """What cannot be a message costs no KMS traffic; the call is refused with a reason."""
    asked = kms.status()["resolve"]
    _, answer = invite(node, describe([], AUDIO, attribute(text)))
    assert answer.status == status and answer["warning"], answer.text
    assert kms.status()["resolve"] == asked and not node.asked("LEG_ADD")
