"""A holder, a chair and a connection that are gone: the floor goes on, in TLS keyed by MIKEY-TICKET."""
import time

import pytest

from node import wait_until
from streams import House, who

pytestmark = pytest.mark.sanitized
KEEP_S = 3


@pytest.fixture(scope="module")
def house():
    with House(3, ("mikey",), config={"floor": {"keep_for": f"{KEEP_S}s"}, "call": {"lost_after": "5s"}},
               floors=["stage audio"]) as house:
        yield house


@pytest.fixture(scope="module")
def chaired():
    with House(3, ("mikey",), config={"floor": {"keep_for": f"{KEEP_S}s"}, "call": {"lost_after": "5s"}}, creator=who(1),
               floors=["stage audio chair"]) as house:
        yield house


def requests(house):
    """[(who, status)] of the stage: holders, then who waits."""
    people = {p["id"]: p["identity"] for p in house.node.participants("mikey")}
    return [(people.get(r["participant"]), r["status"]) for r in house.node.api("floor", "show", "mikey", "stage")["requests"]]


def wait_requests(house, wanted, seconds=30):
    return wait_until(lambda: requests(house) == wanted, seconds, f"{wanted} on the stage")


def ask(house, number, *options, seconds=60):
    return house.join("mikey", number, "--silence", "--floor", "--floor-ask-at", "0.2", *options, seconds=seconds)


def test_a_holder_who_is_killed(house):
    """Whoever waits gets the floor as soon as it is kept no longer."""
    alice = ask(house, 1)
    wait_requests(house, [(who(1), "granted")])
    bob = ask(house, 2)
    wait_requests(house, [(who(1), "granted"), (who(2), "accepted")])
    alice.kill()
    begin = time.monotonic()
    wait_requests(house, [(who(2), "granted")])
    assert time.monotonic() - begin < KEEP_S + 8
    floor = bob.stop()["streams"]["floor"]
    assert (floor["granted"], floor["revoked"], floor["errors"]) == (1, 0, []), floor
    house.node.wait_participants(0, "mikey", seconds=30)


def test_a_connection_that_is_cut_in_the_queue(house):
    """The place is kept for who comes back, and lost by who does not."""
    alice = ask(house, 1)
    wait_requests(house, [(who(1), "granted")])
    bob = ask(house, 2, "--cut-at", "3:floor", "--connect-at", "4:floor", "--floor-for", "30")
    wait_requests(house, [(who(1), "granted"), (who(2), "accepted")])
    carol = ask(house, 3, "--cut-at", "3:floor")
    wait_requests(house, [(who(1), "granted"), (who(2), "accepted"), (who(3), "accepted")])
    wait_requests(house, [(who(1), "granted"), (who(2), "accepted")])  # carol did not come back
    alice.stop()
    wait_requests(house, [(who(2), "granted")])
    bob, carol = bob.stop()["streams"]["floor"], carol.stop()["streams"]["floor"]
    assert (bob["connections"], bob["granted"]) == (2, 1), bob
    assert (carol["connections"], carol["granted"]) == (1, 0), carol
    house.node.wait_participants(0, "mikey", seconds=30)


def test_a_chair_who_is_killed(chaired):
    """Requests wait for another chair; who holds the floor goes on."""
    chair = chaired.join("mikey", 1, "--silence", "--floor", "--chair", "grant", seconds=60)
    wait_until(lambda: chaired.node.participants("mikey"), 10, "the chair is there")
    bob = ask(chaired, 2)
    wait_requests(chaired, [(who(2), "granted")])
    chair.kill()
    carol = ask(chaired, 3)
    wait_requests(chaired, [(who(2), "granted"), (who(3), "pending")])
    chaired.node.wait_participants(2, "mikey", seconds=30)
    assert requests(chaired) == [(who(2), "granted"), (who(3), "pending")]
    held, waits = (str(r["request"]) for r in chaired.node.api("floor", "show", "mikey", "stage")["requests"])
    chaired.node.cli("floor", "revoke", "mikey", "stage", held)
    chaired.node.cli("floor", "grant", "mikey", "stage", waits)
    wait_requests(chaired, [(who(3), "granted")])
    bob, carol = bob.stop()["streams"]["floor"], carol.stop()["streams"]["floor"]
    assert (bob["granted"], bob["revoked"]) == (1, 1), bob
    assert carol["granted"] == 1, carol
    chaired.node.wait_participants(0, "mikey", seconds=30)


def test_a_chair_by_bfcp_grants_and_takes_back(chaired):
    chair = chaired.join("mikey", 1, "--silence", "--floor", "--chair", "grant", "--floor-revoke-at", "6", seconds=12)
    wait_until(lambda: chaired.node.participants("mikey"), 10, "the chair is there")
    bob = ask(chaired, 2)
    wait_requests(chaired, [(who(2), "granted")])
    wait_requests(chaired, [])
    floor = bob.stop()["streams"]["floor"]
    assert (floor["granted"], floor["revoked"], floor["errors"]) == (1, 1, []), floor
    assert chair.stop()["streams"]["floor"]["decided"] == 2
    chaired.node.wait_participants(0, "mikey", seconds=30)
