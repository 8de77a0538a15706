"""Announcements heard: prompts, PIN, lobby, music and files, by what conclave-ue recorded."""
import array
import datetime
import math
import os
import subprocess
import time
import urllib.request
import wave

import pytest
from heard import Heard
from node import Node, Ue, program, wait_until
from sound import write_tone

SPEAK = 3500  # the frequency of a talker: of no prompt
# The tones that stand for prompts when nothing is configured.
ENTER_PIN, WRONG_PIN, GOODBYE, WELCOME, LOBBY = (660, 880), (240,), (440, 340, 240), (660, 880, 1100), (540,)
JOINED, LEFT, MUTED, UNMUTED, LOCKED = (880, 1180), (1180, 880), (600, 400), (400, 600), (500,)


def join(node, name, *options, conference="room", seconds=30, speaks=False):
    """A participant that records what it hears; it is silent unless it is to speak."""
    sound = ("--tone", SPEAK, "--level", -20, "--no-marks") if speaks else ("--silence",)
    ue = Ue(node.uri(conference), "--from", f"sip:{name}@example.net", "--record", node.path(f"{name}.wav"), *sound, *options, seconds=seconds)
    ue.name = name
    return ue


def create(node, *options, conference="room"):
    node.cli("conference", "create", conference, "--security", "sdes", "--open", "--anonymous", *options)


def heard(node, ue):
    """After it has hung up: what it heard."""
    assert ue.stop()["outcome"] == "joined"
    return Heard(node.path(f"{ue.name}.wav"))


def participant(node, name, conference="room"):
    return next((p for p in node.participants(conference) if name in (p["identity"] or "")), None)


def wait_in(node, name, seconds=15):
    return wait_until(lambda: (lambda p: p if p and p["state"] == "connected" and p["waiting"] in (None, "none") else None)(participant(node, name)), seconds,
                      f"{name} in the conference")


def wait_waiting(node, name, what, seconds=15):
    return wait_until(lambda: (lambda p: p if p and p["waiting"] == what else None)(participant(node, name)), seconds, f"{name} waits: {what}")


def wait_played(node, count, seconds=10):
    """So many plays have ended, and nothing plays."""
    def is_over():
        media = node.api("node", "show")["media"]  # None: a media plane that restarts
        return media and media["total"]["plays_ended"] >= count and media["total"]["playing"] == 0
    return wait_until(is_over, seconds, f"{count} plays over")


@pytest.mark.sanitized
def test_the_pin_is_asked_for_and_lets_in():
    with Node() as node:
        create(node, "--pin", "2468")
        talker = join(node, "talker", "--dtmf-at", "1:2468", speaks=True)
        wait_in(node, "talker")
        caller = join(node, "caller", "--dtmf-at", "4:1111#", "--dtmf-at", "7:2468", speaks=True)
        wait_waiting(node, "caller", "pin")
        shown = wait_in(node, "caller", seconds=20)
        assert shown["muted"] is False and shown["deaf"] is False
        wait_played(node, 5)
        wait_until(lambda: len(Heard(node.path("caller.wav")).when(SPEAK)) > 10, 20, "the caller hears the talker")
        sound, talkers = heard(node, caller), heard(node, talker)
        assert sound.order(*ENTER_PIN, *WRONG_PIN, *WELCOME)
        speech = sound.when(SPEAK)
        assert speech and min(speech) > min(sound.when(WRONG_PIN[0])), "it heard the conference before it had keyed in the PIN"
        assert min(speech) >= min(sound.when(WELCOME[2])) - 20
        assert not talkers.has(WRONG_PIN[0]), "others hear its prompts"
        # nobody heard the caller while it waited: its tone is in the talker's record for the end only
        spoken = talkers.when(SPEAK)
        assert spoken and min(spoken) > 100
        assert "2468" not in node.logs() and "1111" not in node.logs()


def test_digits_cut_the_question_short():
    config = {"announcements": {"enter_pin": "tone:660:5000"}}
    with Node(config) as node:
        create(node, "--pin", "2468")
        caller = join(node, "caller", "--dtmf-at", "1:2468")
        wait_in(node, "caller")
        wait_played(node, 1)
        sound = heard(node, caller)
        assert 5 < len(sound.when(660)) < 75  # of 125


def test_three_wrong_pins_end_the_call():
    with Node() as node:
        create(node, "--pin", "2468")
        caller = join(node, "caller", "--dtmf-at", "1:1#", "--dtmf-at", "2:2#", "--dtmf-at", "3:3#", seconds=20)
        result = caller.result()  # it is over before its time
        sound = Heard(node.path("caller.wav"))
        assert len(sound.when(WRONG_PIN[0])) >= 2 and sound.order(*GOODBYE), result
        node.wait_participants(0, "room")
        assert sound.windows() < 19 * 25, "it was not put out"


def test_no_question_without_announcements():
    with Node({"announcements": {"enabled": False}}) as node:
        create(node, "--pin", "2468", "--announces")
        caller = join(node, "caller", "--dtmf-at", "2:2468")
        wait_in(node, "caller")
        wrong = join(node, "wrong", "--dtmf-at", "1:1#", "--dtmf-at", "1.6:1#", "--dtmf-at", "2.2:1#", seconds=20)
        wait_until(lambda: wrong.process.poll() is not None, 15, "three wrong PINs end the call without a prompt")
        assert not any(heard(node, caller).has(hz) for hz in (660, 880, 1100, 240))


def test_the_lobby():
    with Node() as node:
        create(node, "--lobby", "--authorised", "sip:boss@example.net=moderator")
        talker = join(node, "boss", speaks=True)
        wait_in(node, "boss")
        caller = join(node, "caller")
        shown = wait_waiting(node, "caller", "lobby")
        wait_played(node, 1)
        node.cli("participant", "admit", "room", str(shown["id"]))
        wait_in(node, "caller")
        wait_played(node, 2)
        wait_until(lambda: Heard(node.path("caller.wav")).has(SPEAK), 20, "the caller hears the talker")
        sound = heard(node, caller)
        talker.stop()
        assert sound.order(*LOBBY, *WELCOME)
        speech = sound.when(SPEAK)
        assert speech and min(speech) >= min(sound.when(WELCOME[2])) - 20


def test_coming_and_going_mute_and_lock():
    with Node() as node:
        create(node, "--announces")
        first = join(node, "first")
        wait_in(node, "first")
        second = join(node, "second", speaks=True)
        shown = wait_in(node, "second")
        wait_played(node, 1)
        node.cli("participant", "mute", "room", str(shown["id"]))
        wait_played(node, 2)
        node.cli("participant", "unmute", "room", str(shown["id"]))
        wait_played(node, 3)
        node.cli("conference", "lock", "room")
        wait_played(node, 4)
        sounds = heard(node, second)
        wait_played(node, 5)
        sound = heard(node, first)
        assert sound.order(*JOINED, *LOCKED, *LEFT)
        assert not sound.has(MUTED[0]), "others hear that one is muted"
        assert sounds.order(*MUTED, *UNMUTED, *LOCKED)
        assert not sounds.has(JOINED[1]), "who joins is told of itself"


def test_music_for_the_only_one():
    config = {"announcements": {"alone": "tone:700:400"}}
    with Node(config) as node:
        create(node, "--announces")
        first = join(node, "first")
        wait_in(node, "first")
        wait_until(lambda: Heard(node.path("first.wav")).windows() > 50, 20, "two seconds of record")
        second = join(node, "second")
        wait_in(node, "second")
        wait_played(node, 2)
        second.stop()
        wait_until(lambda: node.api("node", "show")["media"]["total"]["playing"] == 1, 10, "music again")
        wait_until(lambda: node.api("node", "show")["media"]["total"]["play_frames"] > 150, 20, "and for a while")
        sound = heard(node, first)
        assert not Heard(node.path("second.wav")).has(700)
        music, joined = sound.when(700), sound.when(JOINED[1])
        assert music and joined
        assert [i for i in music if i < joined[0]] and [i for i in music if i > joined[-1]], "before and after, not between"
        assert len(music) > 40


def test_silence_for_the_only_one():
    with Node() as node:
        create(node, "--announces")
        first = join(node, "first")
        wait_in(node, "first")
        wait_until(lambda: Heard(node.path("first.wav")).windows() > 60, 20, "some seconds of record")
        assert node.api("node", "show")["media"]["total"]["plays"] == 0
        assert max(map(abs, heard(node, first).samples)) < 100, "nothing is heard"


def test_a_long_file_is_read_while_all_goes_on():
    """Five minutes of stereo, 58 MB: nobody who talks or asks is held up while it is read, decoded and resampled."""
    with Node(start=False) as node:
        folder = node.path("sounds")
        os.mkdir(folder)
        with wave.open(os.path.join(folder, "long.wav"), "w") as file:
            file.setparams((2, 2, 48000, 0, "NONE", ""))
            second = array.array("h", [v for i in range(48000) for v in [int(8000 * math.sin(2 * math.pi * 1700 * i / 48000))] * 2]).tobytes()
            for _ in range(300):
                file.writeframesraw(second)
        node.config["announcements"] = {"directory": folder}
        node.start()
        create(node)
        people = [Ue(node.uri("room"), "--from", f"sip:{hz}@example.net", "--tone", hz, "--expect", f"{500 + 900 - hz}", seconds=10) for hz in (500, 900)]
        node.wait_participants(2, "room")
        waits = []
        node.cli("conference", "announce", "room", "long.wav")
        end = time.monotonic() + 30
        while node.api("node", "show")["media"]["total"]["playing"] == 0:
            begin = time.monotonic()
            with urllib.request.urlopen(f"http://127.0.0.1:{node.http_port}/v1/health", timeout=10) as answer:
                assert answer.status == 200
            waits.append(time.monotonic() - begin)
            time.sleep(0.05)
            assert time.monotonic() < end, "it never began"
        assert sorted(waits)[len(waits) // 2] < 0.3, waits
        for one in people:
            result = one.result()  # how evenly it came is the machine's business: decoding takes one of its cores for a while
            assert result["rx"]["lost"] <= 2 and result["rx"]["packets"] > 100 and result["heard_as_expected"], result


def test_files_of_the_folder():
    with Node(start=False) as node:
        folder = node.path("sounds")
        os.mkdir(folder)
        write_tone(os.path.join(folder, "pin.wav"), 1500, 1, rate=48000)
        write_tone(os.path.join(folder, "fire.wav"), 1700, 1, rate=16000)
        write_tone(os.path.join(folder, "ends-in-5.wav"), 1900, 1)
        write_tone(os.path.join(node.folder, "secret.wav"), 2100, 1)
        with open(os.path.join(folder, "broken.wav"), "w") as file:
            file.write("no sound")
        node.config["announcements"] = {"directory": folder, "enter_pin": "pin.wav", "wrong_pin": "broken.wav", "ends_in": "ends-in-{minutes}.wav"}
        node.start()
        create(node, "--pin", "2468")
        caller = join(node, "caller", "--dtmf-at", "3:1#", "--dtmf-at", "5:2468")
        shown = wait_in(node, "caller")
        node.cli("conference", "announce", "room", "fire.wav")
        node.cli("participant", "announce", "room", str(shown["id"]), "tone:2500:300,0:100,2300:300")
        for name in ("../secret.wav", "/etc/passwd", "..", "tone:1:1", ".fire.wav", "a/fire.wav"):
            refused = node.cli("conference", "announce", "room", name, check=False)
            assert refused.returncode != 0, name
        listed = {a["clip"]: (a["kind"], a["sound"]) for a in node.api("announcement", "list")["announcements"]}
        assert listed["fire.wav"] == ("file", "fire.wav") and listed["enter-pin"] == ("prompt", "pin.wav") and listed["joined"][1].startswith("tone:")
        assert "secret.wav" not in listed and "alone" not in listed, "of the folder, and what sounds"
        assert "fire.wav" in node.cli("announcement", "list").stdout
        for missing in (("conference", "announce", "room"), ("participant", "announce", "room", str(shown["id"]))):
            assert "There is no 'missing.wav'" in node.cli(*missing, "missing.wav", check=False).stderr
        node.cli("conference", "announce", "room", "broken.wav")  # found out later, by the log
        wait_until(lambda: "broken.wav': it is no WAV file" in node.logs(), 10, "a file that is none is named in the log")
        wait_played(node, 5)
        sound = heard(node, caller)
        assert sound.order(1500, *WRONG_PIN), "a file, and the tone of one that is none"
        assert sound.has(1700, windows=20) and sound.order(2500, 2300)
        assert not sound.has(2100)


@pytest.mark.parametrize("hz", [1900, 1000], ids=["file", "tone"])
def test_the_end_is_near(hz):
    with Node(start=False) as node:
        folder = node.path("sounds")
        os.mkdir(folder)
        write_tone(os.path.join(folder, "ends-in-1.wav"), 1900, 1)
        node.config["announcements"] = {"directory": folder, **({"ends_in": "ends-in-{minutes}.wav"} if hz == 1900 else {})}
        node.start()
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=66)
        create(node, "--announces", "--end-at", end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        first = join(node, "first", seconds=60)
        wait_in(node, "first")
        wait_until(lambda: Heard(node.path("first.wav")).has(hz, windows=8), 40, "one minute, by its file or by tones")
        heard(node, first)


def test_mistakes_in_the_configuration_are_named():
    with Node(start=False) as node:
        for section, words in (({"directory": "/nonexistent"}, "no folder"), ({"joined": "tone:1:1"}, "no list of tones"),
                               ({"joined": "x.wav"}, "'announcements.directory' is not set"),
                               ({"directory": node.folder, "joined": "x.wav"}, "no file in"), ({"left": "../x.wav"}, "neither")):
            node.config["announcements"] = section
            node.write_config()
            said = subprocess.run([program("conclave-cp"), "--check", "--config", node.config_path], capture_output=True, text=True)
            assert said.returncode != 0 and words in said.stdout + said.stderr, (section, said)


def test_a_media_plane_that_restarts_has_the_clips_again():
    with Node({"announcements": {"alone": "tone:700:400"}}) as node:
        create(node, "--announces")
        first = join(node, "first")
        wait_in(node, "first")
        wait_until(lambda: node.api("node", "show")["media"]["total"]["playing"] == 1, 10, "music")
        node.kill("dp")
        node.start_dp()
        wait_until(lambda: (node.api("node", "show").get("media") or {}).get("total", {}).get("playing") == 1, 20, "music again")
        node.cli("conference", "announce", "room", "welcome")
        wait_until(lambda: node.api("node", "show")["media"]["total"]["plays_ended"] >= 1, 10, "a prompt on the new media plane")
        assert heard(node, first).has(WELCOME[2])


def test_what_is_being_announced_when_the_media_plane_restarts_begins_again():
    with Node() as node:
        create(node)
        first = join(node, "first")
        shown = wait_in(node, "first")
        node.cli("conference", "announce", "room", "tone:2500:6000")
        node.cli("participant", "announce", "room", str(shown["id"]), "tone:2300:6000")
        node.cli("participant", "announce", "room", str(shown["id"]), "tone:2700:500")  # waits behind it
        wait_until(lambda: (lambda s: s.has(2500, windows=20) and s.has(2300, windows=20))(Heard(node.path("first.wav"))), 15, "both are heard")
        node.kill("dp")
        node.start_dp()
        wait_played(node, 3, seconds=25)
        sound = heard(node, first)
        for hz in (2500, 2300):
            assert len(sound.when(hz)) > 140, "the whole of it, once more"  # 150 windows of 40 ms
        assert sound.order(2300, 2700)


def test_announcements_that_are_off_are_refused():
    with Node({"announcements": {"enabled": False}}) as node:
        create(node)
        first = join(node, "first")
        shown = wait_in(node, "first")
        for where in (("conference", "announce", "room"), ("participant", "announce", "room", str(shown["id"]))):
            refused = node.cli(*where, "welcome", check=False)
            assert refused.returncode == 1 and "switched off" in refused.stderr
        first.stop()


def test_a_media_plane_that_restarts_asks_again_for_the_pin():
    with Node() as node:
        create(node, "--pin", "2468")
        caller = join(node, "caller", "--dtmf-at", "14:2468")
        wait_waiting(node, "caller", "pin")
        wait_played(node, 1)
        node.kill("dp")
        node.start_dp()
        wait_until(lambda: (node.api("node", "show").get("media") or {}).get("total", {}).get("plays_ended") == 1, 12, "asked again")
        wait_in(node, "caller", seconds=20)
        wait_played(node, 2)
        sound = heard(node, caller)
        asked = sound.when(ENTER_PIN[0])
        assert max(b - a for a, b in zip(asked, asked[1:])) > 15 and sound.order(*ENTER_PIN, *ENTER_PIN, *WELCOME)


def test_a_focus_that_restarts_takes_the_old_clips_away():
    with Node({"announcements": {"alone": "tone:700:400"}}) as node:
        create(node, "--announces")
        join(node, "first", seconds=8)
        wait_in(node, "first")
        wait_until(lambda: node.api("node", "show")["media"]["total"]["playing"] == 1, 10, "music")
        node.kill("cp")
        node.start_cp()
        wait_until(lambda: (node.api("node", "show").get("media") or {}).get("total", {}).get("playing") == 0, 10, "the old music is gone")
