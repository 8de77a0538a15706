#!/usr/bin/env python3
"""floor.grant: from a FloorRequest (BFCP over TCP) leaving a participant to the first packet of the mix in which another one hears it,
which says all at once: the message, the grant, the order to the media plane, the worker's tick, and RTP back. floor.release: the
same from a FloorRelease to the first packet without it. A node as installed, three participants in Python that send tones all the
time; the packets' times are the kernel's. Verified: every round was heard when it should be and not before.
"""
import functools
import os
import random
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "bench", "lib"))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.dont_write_bytecode = True

import result  # noqa: E402

ROUNDS = int(os.environ.get("CONCLAVE_FLOOR_ROUNDS", "300"))
SECONDS = float(os.environ.get("CONCLAVE_FLOOR_SECONDS", "100"))  # a slow machine does fewer rounds
FEWEST = 30
LOUD, QUIET, PATIENCE_S = 500, 100, 2


def until(ear, wanted, since):
    """Seconds from since to the first packet that is wanted."""
    for stamp, level in ear.sound.frames(PATIENCE_S):
        if stamp >= since and wanted(level):
            return stamp - since
    return None


def change(ear, act, wanted):
    """What act sets off, from just before it, anywhere in the worker's tick."""
    time.sleep(random.uniform(0, 0.02))
    ear.sound.drain()
    since = time.time()
    act()
    return until(ear, wanted, since)


def levels_now(ear):
    ear.sound.drain()
    return [level for _, level in ear.sound.frames(0.07)][1:]


def favour(*pids):
    """Ahead of whatever else the machine does, where we may: we measure the node, not our share of the machine."""
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                os.sched_setscheduler(int(task), os.SCHED_RR, os.sched_param(1))
            except OSError:
                return


def rounds(holder, ear):
    grants, releases, wrong = [], [], 0
    end = time.monotonic() + SECONDS
    for number in range(ROUNDS + 1):
        if time.monotonic() > end:
            break
        request = []
        grant = change(ear, lambda: request.append(holder.client.request(1).requests[0]), lambda level: level > LOUD)
        is_heard = sum(level > LOUD for level in levels_now(ear)) > 1  # the sender may be late once, it is not what is measured
        release = change(ear, lambda: holder.client.release(request[0].id), lambda level: level < QUIET)
        is_silent = all(level < QUIET for level in levels_now(ear))
        wrong += request[0].status != "Granted" or not is_heard or not is_silent or grant is None or release is None
        if number > 0 and grant is not None and release is not None:
            grants.append(1e3 * grant)
            releases.append(1e3 * release)
    return grants, releases, wrong


def quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


@functools.cache
def measured(build):
    os.environ["CONCLAVE_BUILD"] = os.path.abspath(build)
    from node import Node
    from phone import Phone
    room = {"id": "room", "security": "none", "identity": "required", "floors": ["stage"]}
    with Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}, "conferences": [room]}) as node:
        with Phone(node, "anna", hz=400) as anna, Phone(node, "ear", hz=1000, floor=False) as ear:
            anna.connect()
            assert any(True for _ in ear.sound.frames(5)), "nothing is heard"
            favour(node.dp.pid, node.cp.pid, os.getpid())
            return rounds(anna, ear)


def floor(index):
    def run(name, build):
        *both, wrong = measured(build)
        values = both[index]
        return result.emit(name, "ms", round(statistics.median(values), 2), wrong == 0 and len(values) >= min(FEWEST, ROUNDS), p99=round(quantile(values, 0.99), 2),
                           max=round(max(values), 2), rounds=len(values), wrong=wrong)
    return run


CASES = {"floor.grant": floor(0), "floor.release": floor(1)}

if __name__ == "__main__":
    sys.exit(result.main(CASES, __doc__))
