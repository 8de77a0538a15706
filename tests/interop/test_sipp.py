"""SIP flows and their error paths, by the SIPp scenarios in tests/interop/sipp."""
import re

import pytest

from node import free_port, wait_until
from sip import CM32, CM80, KEY, KEY2, SipNode, sdp


@pytest.fixture(scope="module")
def node():
    with SipNode() as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    """Each test ends with nobody left in the conference and no leg left in the media plane."""
    yield
    if "node" in request.fixturenames:
        running = request.getfixturevalue("node")
        running.wait_participants(0)
        running.forget()


def test_call(node):
    messages = node.sipp("call", EXPECT=r"m=audio [0-9]+ RTP/SAVP 0")
    assert re.search(r"Contact: <sip:demo@127\.0\.0\.1:%d>;isfocus" % node.sip_port, messages)
    assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80" in messages
    wait_until(lambda: node.asked("LEG_REMOVE"), 5, "the leg's end")
    asked = [row["type"] for row in node.asked("CONF_CREATE", "LEG_ADD", "KEY_INSTALL", "LEG_REMOVE")]
    assert asked[-4:] == ["LEG_ADD", "KEY_INSTALL", "KEY_INSTALL", "LEG_REMOVE"]
    keys = node.asked("KEY_INSTALL")
    assert {key["dir"] for key in keys} == {1, 2} and keys[0]["mark"] != keys[1]["mark"]


def test_hundred_calls_at_once(node):
    node.sipp("call", count=100, PAUSE=1000)
    assert len(node.asked("LEG_ADD")) == 100


def test_hold_and_unhold(node):
    node.sipp("reinvite", OFFER2=sdp(lines=["a=sendonly"], version=2), EXPECT2="a=recvonly")
    assert [row["dirs"] for row in node.asked("LEG_UPDATE")] == [1]
    assert len(node.asked("KEY_INSTALL")) == 2, "a hold under the same key keeps keys, SSRC and ROC"
    node.forget()
    node.sipp("reinvite", OFFER=sdp(lines=["a=sendonly"]), EXPECT="a=recvonly", EXPECT2="m=audio [0-9]+ RTP/SAVP")
    assert [row["dirs"] for row in node.asked("LEG_UPDATE")] == [3]
    assert len(node.asked("KEY_INSTALL")) == 2


def test_inactive(node):
    node.sipp("reinvite", OFFER2=sdp(lines=["a=inactive"], version=2), EXPECT2="a=inactive")
    assert [row["dirs"] for row in node.asked("LEG_UPDATE")] == [0]


def test_reinvite_without_change_asks_nothing_of_the_media_plane(node):
    node.sipp("reinvite", OFFER2=sdp(), EXPECT2="a=crypto:1 " + CM80)
    assert not node.asked("LEG_UPDATE") and len(node.asked("KEY_INSTALL")) == 2


def test_rekey(node):
    node.sipp("reinvite", OFFER2=sdp([f"1 {CM80} {KEY2}"], version=2), EXPECT2="a=crypto:1 " + CM80)
    wait_until(lambda: len(node.asked("KEY_INSTALL")) >= 3, 5, "the new key")
    receive = [row for row in node.asked("KEY_INSTALL") if row["dir"] == 1]
    assert [row["slot"] for row in receive] == [0, 1]
    assert receive[0]["mark"] != receive[1]["mark"]


def test_address_change(node):
    node.sipp("reinvite", OFFER2=sdp(address="127.0.0.9", port=41000, version=2))
    update = node.asked("LEG_UPDATE")[0]
    assert update["remote"] == ["127.0.0.9", 41000] and update["flags"] & 16, "the media plane latches anew"


def test_codec_change(node):
    node.sipp("reinvite", OFFER2=sdp(formats="8 101", version=2), EXPECT2="m=audio [0-9]+ RTP/SAVP 8")
    assert node.asked("LEG_UPDATE")[0]["tx"][1] == 8


def test_refused_reinvite_leaves_the_call(node):
    node.sipp("reinvite_refused", OFFER2=sdp([], version=2), STATUS=488, EXPECT2="Warning: ")
    assert not [row for row in node.asked("LEG_UPDATE") if row["dirs"] != 3]


def test_update(node):
    node.sipp("update", OFFER2=sdp(lines=["a=sendonly"], version=2), EXPECT2="a=recvonly")
    assert [row["dirs"] for row in node.asked("LEG_UPDATE")] == [1]


def test_refused_update_leaves_the_call(node):
    node.sipp("update_refused", OFFER2=sdp([], version=2), STATUS=488, EXPECT2="Warning: ")


def test_cancel(node):
    node.faults(delay_ms=1500)
    try:
        node.sipp("cancel")
    finally:
        node.faults()
    node.wait_participants(0)
    wait_until(lambda: node.asked("LEG_REMOVE"), 5, "the leg's removal")


def test_late_offer(node):
    node.sipp("late_offer")
    wait_until(lambda: len(node.asked("KEY_INSTALL")) == 2, 5, "both keys")


@pytest.mark.parametrize("answer", [sdp([f"9 {CM80} {KEY}"]), sdp([f"1 {CM80} inline:short"]), sdp(proto="RTP/AVP", crypto=[]), "v=0\nnonsense"],
                         ids=["tag", "key", "plain", "nonsense"])
def test_bad_answer_to_our_offer_ends_the_call(node, answer):
    node.sipp("late_offer_bad", OFFER=answer)


def test_no_answer_to_our_offer_ends_the_call(node):
    node.sipp("late_offer_none")


def test_prack(node):
    node.sipp("prack", HEADERS="Require: 100rel")


TIMER = "Supported: timer\nSession-Expires: %d;refresher=%s\nAllow: INVITE, ACK, BYE, CANCEL%s"


@pytest.fixture(scope="module")
def quick_node():
    with SipNode(sip={"min_se": "2s", "session_expires": "3s"}) as running:
        yield running


def test_session_expires(quick_node):
    quick_node.sipp("expires", HEADERS=TIMER % (3, "uac", ", UPDATE"))
    quick_node.wait_participants(0)


def test_caller_refreshes_the_session(quick_node):
    quick_node.sipp("refreshed", HEADERS=TIMER % (3, "uac", ", UPDATE"), PAUSE=1700)
    quick_node.wait_participants(0)


def test_we_refresh_the_session(quick_node):
    quick_node.sipp("refresh_by_us", HEADERS=TIMER % (3, "uas", ", UPDATE"), REPLY="Supported: timer\nRequire: timer\nSession-Expires: 3;refresher=uac")
    quick_node.wait_participants(0)


def test_we_refresh_the_session_without_update(quick_node):
    quick_node.sipp("refresh_by_reinvite", HEADERS=TIMER % (3, "uas", ""), REPLY="Supported: timer\nRequire: timer\nSession-Expires: 3;refresher=uac")
    quick_node.wait_participants(0)


def test_interval_too_small(node):
    node.sipp("refused", HEADERS=TIMER % (30, "uac", ""), STATUS=422, EXPECT="Min-SE: 90")


def test_unknown_extension(node):
    node.sipp("refused", HEADERS="Require: teleport", STATUS=420, EXPECT="Unsupported: teleport")


@pytest.mark.parametrize("offer, status, text", [
    (sdp([]), 488, "crypto"),
    (sdp([], proto="RTP/AVP"), 488, "Warning: 3"),
    (sdp([f"1 AES_CM_192_HMAC_SHA1_80 {KEY}"]), 488, "Warning: "),
    (sdp([f"1 {CM80} inline:tooshort"]), 488, "Warning: "),
    (sdp([f"1 {CM80} {KEY}|2^49"]), 488, "Warning: "),
    (sdp([f"one {CM80} {KEY}"]), 488, "Warning: "),
    (sdp([f"1 {CM80}"]), 488, "Warning: "),
    (sdp([f"1 {CM80} {KEY} UNKNOWN_PARAMETER=1"]), 488, "Warning: "),
    (sdp(formats="96"), 488, "Warning: "),
    (sdp(port=0), 488, "Warning: "),
    ("v=0\nnonsense", 400, "SIP"),
    ("v=1\no=x\n", 400, "SIP"),
    ("m=audio", 400, "SIP"),
])
def test_unusable_offers(node, offer, status, text):
    node.sipp("refused", OFFER=offer, STATUS=status, EXPECT=text)


def test_second_crypto_line_is_taken_when_the_first_is_unusable(node):
    node.sipp("call", OFFER=sdp([f"1 AES_CM_192_HMAC_SHA1_80 {KEY}", f"2 {CM32} {KEY}"]), EXPECT="a=crypto:2 " + CM32)


def test_unknown_conference(node):
    node.sipp("refused", service="nobody", STATUS=404)


def test_media_plane_that_refuses(node):
    node.faults(status={"5": -28})
    try:
        node.sipp("refused", STATUS=503, EXPECT="Retry-After: ")
    finally:
        node.faults()


def test_media_plane_that_refuses_a_key(node):
    node.faults(status={"9": -22})
    try:
        node.sipp("refused", STATUS=500)
    finally:
        node.faults()
    assert node.asked("LEG_REMOVE")


@pytest.mark.parametrize("user, status, text", [("demo@", 200, "isfocus"), ("nobody@", 404, "SIP"), ("", 200, "Accept: application/sdp")])
def test_options(node, user, status, text):
    node.sipp("options", URI=f"sip:{user}127.0.0.1:{node.sip_port}", STATUS=status, EXPECT=text)


def test_no_hops_left_is_no_matter_for_the_last_hop(node):
    node.sipp("options", URI=f"sip:demo@127.0.0.1:{node.sip_port}", STATUS=200, EXPECT="isfocus", HOPS=0)


def test_tcp(node):
    messages = node.sipp("call", transport="t1")
    assert "transport=tcp>;isfocus" in messages


def test_ipv6():
    port = free_port(address="::1")
    with SipNode(sip={"listen": [f"sip:[::1]:{port}"]}) as six:
        assert f"<sip:demo@[::1]:{port}>;isfocus" in six.sipp("call", target=f"[::1]:{port}")


def test_removed_participant_gets_bye(node):
    run = node.sipp("wait_bye", wait=False)
    leg = node.wait_participants(1)[0]
    ident = leg.get("id", leg.get("participant"))
    node.http(f"/v1/conferences/demo/participants/{ident}", "DELETE")
    run.finish()


def test_dead_leg_gets_bye(node):
    run = node.sipp("wait_bye", wait=False, EXPECT2="media")
    node.wait_participants(1)
    node.event(2, node.asked("LEG_ADD")[-1]["leg"])  # MEDIA_LOST
    run.finish()


def test_sigterm_ends_calls_politely():
    with SipNode() as own:
        run = own.sipp("wait_bye", wait=False)
        own.wait_participants(1)
        assert own.kill("cp", 15) == 0
        run.finish()
        assert own.asked("CONF_DESTROY")


@pytest.mark.parametrize("transport", ["u1", "t1"], ids=["udp", "tcp"])
def test_a_subscription(node, transport):
    node.sipp("subscribe", transport=transport)
