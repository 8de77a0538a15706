"""What conclave-ue can do with MIKEY, done to a focus: several m-lines, full exchanges within a call, early and late offers, SIP over TLS."""
import os

import pytest

from node import Ue, free_port
from sound import assert_hears, tones
from test_mikey_conference import HOST, Meeting, who
from test_mikey_ue import tls_folder


@pytest.fixture(scope="module")
def meeting():
    with Meeting(3) as meeting:
        yield meeting


def both_hear(meeting, hz, people):
    """Everybody is heard by all others, under keys of MIKEY; their lines."""
    meeting.node.wait_participants(len(people))
    results = [person.result() for person in people]
    for own, result in zip(hz, results):
        assert result["keyed_by"] == "mikey-ticket", result
        assert result["rx"]["auth_failures"] <= 2 * result["mikey"]["rekeys"], result  # a packet under new keys may overtake the 200
        assert_hears(result, [f for f in hz if f != own], own)
    meeting.node.wait_participants(0)
    return results


def two(meeting, hz, options=(), seconds=4):
    """Two people in the conference, the first with options."""
    return both_hear(meeting, hz, [meeting.join(n, "--tone", hz[n], "--expect", hz[1 - n], *(options if n == 0 else ()), seconds=seconds)
                                   for n in range(2)])


@pytest.mark.parametrize("level", ["media", "session"])
@pytest.mark.parametrize("lines", ["audio,video", "video,audio,message", "plain,audio", "video,plain,audio,audio"])
def test_several_m_lines(meeting, lines, level):
    """The focus takes the audio, whose crypto sessions have their place, and refuses the rest."""
    results = two(meeting, tones(2), ("--media-lines", lines, "--mikey-level", level))
    keyed = len([line for line in lines.split(",") if line != "plain"])
    assert results[0]["mikey"]["lines"] == {"offered": keyed, "keyed": 1}, results[0]


def test_a_full_transfer_within_a_call(meeting):
    hz = tones(2)
    first, second = two(meeting, hz, ("--rekey-at", 2, "--rekey-at", 3, "--rekey", "full"), seconds=6)
    assert (first["mikey"]["transfers"], first["mikey"]["rekeys"], first["rx"]["rekeys"]) == (3, 2, 2), first
    assert first["reinvites"] == {"ok": 2, "failed": 0, "heard": 0, "status": 200}
    for result in (first, second):
        assert result["rx"]["lost"] <= 2, result


def test_a_full_transfer_on_a_spoilt_message_keeps_the_call(meeting):
    """The first exchange is right, the message of the one within the call is not."""
    hz = tones(2)
    script = os.path.join(meeting.node.folder, "script")
    with open(script, "w", encoding="utf-8") as file:
        file.write("1.5 rekey\n2.5 reinvite\n")
    first, _ = two(meeting, hz, ("--rekey", "full", "--script", script, "--misbehave", "flip-update=-1"), seconds=5)
    assert first["reinvites"]["failed"] == 1 and first["reinvites"]["ok"] == 1, first
    assert (first["mikey"]["transfers"], first["ended_by"]) == (1, "us"), first


@pytest.fixture(scope="module")
def trusting():
    """A meeting whose node believes P-Asserted-Identity: a late offer is made for somebody."""
    with Meeting(2) as meeting:
        meeting.node.stop()
        meeting.node.config["sip"]["trusted_peers"] = ["127.0.0.1"]
        meeting.node.start()
        yield meeting


@pytest.mark.parametrize("reliable", [(), ("--100rel", "supported"), ("--100rel", "required")], ids=["plain", "100rel", "must"])
def test_a_late_offer(trusting, reliable):
    """The focus asks for a ticket for who calls and offers; the KMS says to the participant who the focus is."""
    hz = tones(2)
    people = [trusting.join(0, "--tone", hz[0], "--expect", hz[1], "--late-offer", "--pai", who(0), *reliable, seconds=5),
              trusting.join(1, "--tone", hz[1], "--expect", hz[0], "--pai", who(1), seconds=5)]
    first, second = both_hear(trusting, hz, people)
    assert (first["mikey"]["initiator"], first["mikey"]["responder"]) == (f"sip:demo@{HOST}", who(0)), first
    assert (second["mikey"]["initiator"], second["mikey"]["responder"]) == (who(1), f"sip:demo@{HOST}"), second


@pytest.mark.parametrize("rekey", ["update", "full"])
def test_a_call_of_a_late_offer_is_keyed_anew(trusting, rekey):
    hz = tones(2)
    people = [trusting.join(0, "--tone", hz[0], "--expect", hz[1], "--late-offer", "--pai", who(0), "--rekey", rekey, "--rekey-at", 2, seconds=5),
              trusting.join(1, "--tone", hz[1], "--expect", hz[0], "--pai", who(1), seconds=5)]
    first, _ = both_hear(trusting, hz, people)
    assert (first["mikey"]["rekeys"], first["reinvites"]["ok"]) == (1, 1), first
    assert first["mikey"]["initiator"] == (f"sip:demo@{HOST}" if rekey == "update" else who(0)), first


def test_a_late_offer_with_a_spoilt_answer(trusting):
    result = trusting.join(0, "--late-offer", "--pai", who(0), "--misbehave", "flip=-1", seconds=3).result()
    assert result["ended_by"] == "focus" and result["rx"]["packets"] == 0, result
    trusting.node.wait_participants(0)


@pytest.mark.parametrize("reliable", ["supported", "required"])
def test_reliable_provisional_responses(meeting, reliable):
    hz = tones(2)
    first, _ = two(meeting, hz, ("--100rel", reliable))
    assert first["pracks"] >= (reliable == "required"), first


def test_tickets_of_ones_own_are_off(meeting):
    path = meeting.kms.path("own.tpk")
    meeting.kms.changed("tpk", "add", who(0), "--tpk-id", "own", "--tpk-file", path)
    result = meeting.join(0, "--tpk-file", path, seconds=1).result()
    assert (result["outcome"], result["status"], result["mikey"]["error"]) == ("refused", 488, 15), result


@pytest.mark.parametrize("flag", "DEFGHIJKLMNO")
def test_every_flag_matters(meeting, flag):
    result = meeting.join(0, "--misbehave", f"no-flag={flag}", seconds=1).result()
    assert (result["outcome"], result["status"]) == ("refused", 488), (flag, result)


def test_a_forged_vr(meeting):
    """V holds, so only the KMS can tell."""
    result = meeting.join(0, "--misbehave", "forged-vr", seconds=1).result()
    assert (result["outcome"], result["status"]) == ("refused", 488), result
    assert not meeting.kms.audit(1)[0]["granted"]


def test_every_octet_matters():
    """Each of so many participants flips another octet of its message: none is let in, and the next one with a good message is."""
    with Meeting(1) as meeting:
        calls = meeting.join(0, "--count", 640, "--rate", 40, "--each", "--no-media", "--misbehave", "flip=each", seconds=0.5).results(120)
        assert {call["outcome"] for call in calls[:640]} == {"refused"}, [c for c in calls[:640] if c["outcome"] != "refused"][:3]
        assert {call["status"] for call in calls[:640]} <= {403, 488}, {call["status"] for call in calls[:640]}
        assert meeting.join(0, seconds=1).result()["outcome"] == "joined"


def test_sips(tmp_path):
    hz = tones(2)
    port = free_port()
    with Meeting(2) as meeting:
        meeting.node.stop()
        meeting.node.config["sip"].update({"listen": [f"sips:127.0.0.1:{port}"], "tls_dir": tls_folder(str(tmp_path))})
        meeting.node.start()

        def call(number, *options, uri=f"sips:demo@127.0.0.1:{port}", folder=str(tmp_path)):
            return Ue(uri, "--kms", meeting.kms.url, "--kms-id", meeting.kms.identity, "--psk-file", meeting.keys[number], "--responder",
                      f"sip:demo@{HOST}", "--tls-dir", folder, *options, seconds=4)
        people = [call(0, "--tone", hz[0], "--expect", hz[1]),
                  call(1, "--tone", hz[1], "--expect", hz[0], uri=f"sip:demo@127.0.0.1:{port};transport=tls")]
        both_hear(meeting, hz, people)
        other = tmp_path / "other"
        other.mkdir()
        stranger = call(0, "--timeout", 4, folder=tls_folder(str(other))).result()
        assert stranger["outcome"] in ("unreachable", "timeout"), stranger
