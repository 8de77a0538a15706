"""Thirty people: a floor that goes round among them, and a chat in which each message arrives once and in order at everybody."""
import array
import wave

import pytest

from node import wait_until
from sound import dbov
from streams import House

PEOPLE = 30
MESSAGES = 1000
WINDOW_MS = 100


@pytest.fixture(scope="module")
def house():
    with House(PEOPLE + 1, ("mikey",), floors=["stage audio"], chat=True) as house:
        yield house


def loud(path, frequencies, level=-30):
    """Of each window of a recording, the frequencies that are in it."""
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = array.array("h", file.readframes(file.getnframes()))
    size = rate * WINDOW_MS // 1000
    return [[hz for hz in frequencies if dbov(samples[at:at + size], rate, hz) > level] for at in range(0, len(samples) - size, size)]


def test_the_floor_goes_round(house, tmp_path):
    """Everybody asks at a time, holds it for a while and gives it back: all are heard one after another, and never two at a time."""
    path = tmp_path / "heard.wav"
    tones = [400 + 90 * n for n in range(PEOPLE)]
    listener = house.join("mikey", PEOPLE + 1, "--silence", "--record", path, seconds=90)
    wait_until(lambda: house.node.participants("mikey"), 10, "the listener is there")
    crowd = house.crowd("mikey", PEOPLE, "--tone", ",".join(map(str, tones)), "--no-marks", "--floor", "--floor-ask-at", "3", "--floor-for", "0.5",
                        seconds=80)
    seen = set()

    def all_had_it():
        requests = house.node.api("floor", "show", "mikey", "stage")["requests"]
        seen.update(request["participant"] for request in requests)
        return len(seen) == PEOPLE and not requests

    wait_until(all_had_it, 60, "everybody has had the floor")
    crowd.stop()
    people = crowd.results()[:PEOPLE]
    listener.stop()
    for person in people:
        floor = person["streams"]["floor"]
        assert (floor["granted"], floor["released"], floor["revoked"], floor["errors"]) == (1, 1, 0, []), person
    windows = loud(path, tones)
    together = [w for w in windows if len(w) > 1]
    assert len(together) <= PEOPLE, together  # a window in which one goes and the next one comes has both
    runs = []
    for window in windows:
        if len(window) == 1 and (not runs or runs[-1] != window[0]):
            runs.append(window[0])
    assert sorted(runs) == tones, runs
    house.node.wait_participants(0, "mikey")


def test_a_thousand_messages_of_each(house):
    """One of them stops reading; nobody else notices."""
    stalled = house.join("mikey", PEOPLE + 1, "--silence", "--chat", "--stall-at", "1", seconds=100)
    wait_until(lambda: house.node.participants("mikey"), 10, "the one who will stall is there")
    crowd = house.crowd("mikey", PEOPLE, "--silence", "--chat", "--chat-messages", MESSAGES, "--chat-delay", "4", "--no-media", seconds=60)
    people = crowd.results(150)[:PEOPLE]
    stalled = stalled.stop()
    for person in people:
        chat = person["streams"]["chat"]
        assert chat["sent"] == MESSAGES and chat["answers"] == {"200": MESSAGES + 1}, person
        assert (chat["received"], chat["missing"], chat["unordered"], chat["broken"]) == ((PEOPLE - 1) * MESSAGES, 0, 0, 0), chat
    assert stalled["streams"]["chat"]["received"] < (PEOPLE - 1) * MESSAGES
    house.node.wait_participants(0, "mikey")
