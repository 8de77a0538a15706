"""Conferences heard: real SIP, SDES keys and SRTP through both planes, listened to by conclave-ue."""
import json
import re
import signal
import subprocess
import time
import urllib.request

import pytest
from node import SANITIZED, Node, Ue, wait_until
from sound import assert_hears, assert_no_gap, levels, tones

SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"]


def join(node, hz, expect, *options, seconds=6, conference="demo", suite=SUITES[0]):
    return Ue(node.uri(conference), "--from", f"sip:tone{hz}@example.net", "--suite", suite, "--tone", hz, "--level", -20,
              "--expect", ",".join(map(str, expect)), *options, seconds=seconds)


@pytest.mark.sanitized
def test_three_hear_each_other_and_not_themselves():
    hz = tones(3)
    with Node() as node:
        people = [join(node, f, hz) for f in hz]
        for own, person in zip(hz, people):
            result = person.result()
            assert result["outcome"] == "joined", result
            assert_hears(result, [f for f in hz if f != own], own)
            assert result["rx"]["auth_failures"] == 0
            assert result["rx"]["lost"] <= 2, result
        node.wait_participants(0)


def test_every_suite_meets_in_one_conference():
    hz = tones(5)
    with Node() as node:
        people = [join(node, f, hz, suite=suite) for f, suite in zip(hz, SUITES)]
        node.wait_participants(5)
        assert sorted(p["suite"] for p in node.participants()) == sorted(SUITES)
        for own, suite, person in zip(hz, SUITES, people):
            result = person.result()
            assert result["suite"] == suite
            assert_hears(result, [f for f in hz if f != own], own)


def test_thirty_hear_all_others():
    hz = tones(30)
    config = {"conferences": [{"id": "demo", "security": "sdes", "identity": "none", "anonymous": True, "loudest": 0}]}
    with Node(config) as node:
        people = [Ue(node.uri(), "--from", f"sip:tone{f}@example.net", "--suite", SUITES[0], "--tone", f, "--level", -38,
                     "--expect", ",".join(map(str, hz)), seconds=12) for f in hz]
        node.wait_participants(30, seconds=20)
        for own, person in zip(hz, people):
            assert_hears(person.result(), [f for f in hz if f != own], own, level=-38, within=3)


def mute_and_listen(node, hz, act, undo):
    """Two listeners in turn: what the second person hears of the first while act holds, and after undo."""
    talker = join(node, hz[0], hz, seconds=14)
    node.wait_participants(1)
    who = node.participants()[0]["id"]
    act(who)
    during = join(node, hz[1], hz, seconds=4).result()
    undo(who)
    after = join(node, hz[1], hz, seconds=4).result()
    talker.stop()
    return levels(during), levels(after)


def test_mute_and_unmute():
    hz = tones(2)
    with Node() as node:
        during, after = mute_and_listen(node, hz, lambda who: node.cli("participant", "mute", "demo", str(who)),
                                        lambda who: node.cli("participant", "unmute", "demo", str(who)))
        assert during[hz[0]] < -60
        assert abs(after[hz[0]] + 20) <= 2


def test_hold_and_unhold():
    hz = tones(2)
    with Node() as node:
        listener = join(node, hz[1], hz, seconds=12)
        node.wait_participants(1)
        holder = join(node, hz[0], hz, "--hold-at", 1, "--unhold-at", 4, seconds=7)
        wait_until(lambda: any("hold" in str(p.get("state", "")) or p.get("direction") in ("sendonly", "inactive", "recvonly")
                               for p in node.participants()), 8, "a leg on hold")
        wait_until(lambda: len(node.participants()) == 2 and all(p.get("direction") == "sendrecv" for p in node.participants()), 8,
                   "the leg back from hold")
        result = holder.result()
        assert result["outcome"] == "joined", result
        assert result["rx"]["packets"] < 6 * 50, "a leg on hold was sent media"
        listener.stop()


def test_rekey_under_way_leaves_no_gap():
    hz = tones(2)
    with Node() as node:
        other = join(node, hz[1], hz, seconds=9)
        result = join(node, hz[0], hz, "--rekey-at", 3, seconds=6).result()
        assert result["outcome"] == "joined", result
        assert result["reinvites"]["ok"] == 1
        assert result["rx"]["auth_failures"] == 0
        assert_no_gap(result)
        heard = other.stop()
        assert heard["rx"]["auth_failures"] == 0


def test_same_key_in_a_reinvite_keeps_ssrc_and_roc():
    """The sequence starts just below the border, so that the roll-over counter is 1 when the re-INVITE comes."""
    hz = tones(2)
    with Node() as node:
        other = join(node, hz[1], hz, seconds=11)
        person = join(node, hz[0], hz, "--start-seq", 32700 + 32768 - 60, "--reinvite-same-at", 4, seconds=8)
        result = person.result()
        assert result["outcome"] == "joined", result
        assert result["rx"]["auth_failures"] == 0
        assert result["rx"]["ssrc_changes"] == 0, result
        assert_hears(other.stop(), [hz[0]], hz[1])


def test_garbage_changes_nothing_for_others():
    hz = tones(3)
    with Node() as node:
        people = [join(node, f, hz, *(("--garbage", 200) if f == hz[0] else ())) for f in hz]
        for own, person in zip(hz, people):
            assert_hears(person.result(), [f for f in hz if f != own], own)


@pytest.mark.sanitized
def test_flood_with_wrong_tags_leaves_others_untouched():
    hz = tones(3)
    with Node() as node:
        people = [join(node, f, hz, *(("--wrong-key", 500) if f == hz[0] else ())) for f in hz]
        node.wait_participants(3)
        failed = wait_until(lambda: [p for p in node.participants() if p["media"]["auth_failures"] > 500], 6, "counted authentication failures")
        assert len(failed) == 1
        assert all(p["media"]["auth_failures"] == 0 for p in node.participants() if p["id"] != failed[0]["id"])
        for own, person in zip(hz, people):
            result = person.result()
            assert_hears(result, [f for f in hz if f != own], own)


def test_media_from_a_wrong_address_does_not_move_the_stream():
    hz = tones(2)
    with Node() as node:
        other = join(node, hz[1], hz, seconds=8)
        result = join(node, hz[0], hz, "--wrong-source", 100).result()
        assert_hears(result, [hz[1]], hz[0])
        assert_no_gap(result)  # or media went where unauthenticated packets came from
        other.stop()


def test_killed_participant_is_found_and_removed():
    hz = tones(2)
    with Node({"call": {"lost_after": "3s"}}) as node:
        stays = join(node, hz[0], hz, seconds=20)
        killed = join(node, hz[1], hz, seconds=20)
        node.wait_participants(2)
        time.sleep(1)
        killed.kill()
        node.wait_participants(1, seconds=12)
        assert stays.stop()["outcome"] == "joined"


def test_media_goes_on_when_the_control_plane_is_killed_and_comes_back():
    hz = tones(2)
    with Node() as node:
        people = [join(node, f, hz, "--no-bye", seconds=8) for f in hz]
        node.wait_participants(2)
        time.sleep(0.5)
        assert node.kill("cp") == -signal.SIGKILL
        time.sleep(2)
        node.start_cp()
        assert len(node.participants()) == 2, "the control plane did not take stock of what the media plane runs"
        for own, person in zip(hz, people):
            result = person.result()
            assert_hears(result, [f for f in hz if f != own], own)
            assert_no_gap(result)


def test_sigterm_ends_calls_politely():
    hz = tones(2)
    with Node() as node:
        people = [join(node, f, hz, seconds=30) for f in hz]
        node.wait_participants(2)
        time.sleep(1)
        assert node.kill("cp", signal.SIGTERM) == 0
        for person in people:
            result = person.result(timeout=15)
            assert result["ended_by"] == "focus", result


def test_dtmf_is_an_event_and_no_sound():
    hz = tones(2)
    with Node() as node:
        other = join(node, hz[1], hz + [697, 1209, 770, 1336], seconds=10)
        node.wait_participants(1)
        person = join(node, hz[0], hz, "--dtmf", "15", seconds=6)
        seen = wait_until(lambda: [p for p in node.participants() if p["media"].get("dtmf_events", 0) >= 2], 8, "two DTMF events")
        assert seen[0]["media"]["dtmf_events"] == 2
        assert person.result()["outcome"] == "joined"
        heard = levels(other.stop())
        assert all(heard[f] < -45 for f in (697, 1209, 770, 1336)), heard


def test_demo_runs_and_cleans_up():
    if SANITIZED:
        pytest.skip("the demo runs the plain build")
    with subprocess.Popen(["bench/load/demo", "build", "--for", "14"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        said = ""
        for line in demo.stderr:
            said += line
            if "Ctrl-C ends it" in line:
                break
        address = re.search(r"on its page:\s+(http://\S+)/#/c/(\S+)", said)
        assert address, said
        with urllib.request.urlopen(address.group(1), timeout=10) as page:
            assert "<html" in page.read().decode().lower()
        with urllib.request.urlopen(f"{address.group(1)}/v1/conferences/{address.group(2)}", timeout=10) as shown:
            assert json.load(shown)["origin"] == "created", "through the API, not by the configuration"
        out, err = demo.communicate(timeout=60)
        assert demo.returncode == 0, err
    last = {line.split("sip:")[1].split("@")[0]: line for line in out.splitlines() if "@example.net" in line and "Floor" not in line}
    for who, verified, protection, suite in (("alice", " kms ", "mikey-ticket, verified by KMS", "AES_CM_128_HMAC_SHA1_80"),
                                             ("bob", " kms ", "mikey-ticket, verified by KMS", "AEAD_AES_256_GCM"),
                                             ("carol", " none ", "SDES to next hop", "AES_256_CM_HMAC_SHA1_80")):
        assert verified in last[who] and protection in last[who] and suite in last[who], out
    # The floor goes round, and only who holds it has a level; greetings pass.
    holders = set()
    for page in out.split("conference round,")[1:]:
        rows = [line for line in page.splitlines() if "@example.net" in line and "Floor" not in line]
        heard = [line for line in rows if "▮" in line]
        assert all(" floor " in line for line in heard) and len(heard) <= 1, page
        holders |= {line.split("sip:")[1].split("@")[0] for line in heard}
    assert len(holders) >= 2, out
    assert re.search(r"^Floor stage: sip:\w+@example.net for \d+ s, then sip:\w+@example.net, sip:\w+@example.net$", out, re.M), out
    for line in ("alice: Good morning from alice", "bob: Hello alice, here is bob", "carol: And carol, by certificates"):
        assert f"\nChat {line}\n" in out, out
