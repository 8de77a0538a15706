#!/usr/bin/env python3
"""kms.exchanges: MIKEY-TICKET exchanges (Ticket Request and Ticket Resolve, half and half) that conclave-kms answers a second on one
core, over HTTP connections on loopback that stay. Messages are made before, answers verified after the time that counts: tickets
opened, keys of both ends compared. The KMS has one core with all its threads, its audit log in the store included; the load has
another.
"""
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "bench", "lib"))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.dont_write_bytecode = True

import result  # noqa: E402

KMS_CPU, LOAD_CPU = 0, 1
CALLS, ROUNDS = int(os.environ.get("CONCLAVE_KMS_CALLS", "10000")), 5


def on_cpu(cpu):
    """Ahead of whatever else the machine does, where we may: we measure a core, not our share of it."""
    ahead = ["chrt", "-r", "1"] if os.geteuid() == 0 else []
    return ahead + ["taskset", "-c", str(cpu)]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def exchanges(size):
    def run(name, build):
        os.environ["CONCLAVE_BUILD"] = os.path.abspath(build)
        from kms import Kms
        config = {"threads": 1, "replay_room": 8 * ROUNDS * CALLS}
        with Kms(config=config, command=on_cpu(KMS_CPU) + [os.path.join(build, "conclave-kms")], log_level="warn") as kms:
            alice = kms.add("sip:alice@ims.example")
            focus = kms.add("sip:focus.example", "--act-for", "sip:*@focus.example")
            before = cpu_seconds(kms.process.pid)
            done = subprocess.run(on_cpu(LOAD_CPU) + [os.path.join(build, "bench", "kmsload"), "--port", str(kms.port), "--kms", kms.identity,
                                   "--user", "sip:alice@ims.example", "--psk-file", alice, "--as", "sip:conf@focus.example",
                                   "--as-psk-id", "sip:focus.example", "--as-psk-file", focus, "--set", str(size),
                                   "--count", str(CALLS), "--rounds", str(ROUNDS + 1)],
                                  stdout=subprocess.PIPE, text=True, check=True)
            rounds = [json.loads(line) for line in done.stdout.splitlines()][1:]  # the first one warms up
            status, used = kms.status(), cpu_seconds(kms.process.pid) - before
        verified = len(rounds) == ROUNDS and all(r["verified"] == r["sent"] for r in rounds) and status["audit"]["lost"] == 0
        rates = [r["exchanges_per_s"] for r in rounds]
        return result.emit(name, "exchanges/s", statistics.median(rates), verified, p99=min(rates), rounds=len(rounds),
                           exchanges=rounds[0]["sent"],
                           requests_per_s=statistics.median(r["requests_per_s"] for r in rounds),
                           resolves_per_s=statistics.median(r["resolves_per_s"] for r in rounds),
                           kms_cpu_us=round(1e6 * used / (2 * CALLS * (ROUNDS + 1)), 1),
                           ms_p50=statistics.median(r["ms_p50"] for r in rounds), ms_p99=statistics.median(r["ms_p99"] for r in rounds))
    return run


CASES = {"kms.exchanges": exchanges(256), "kms.exchanges.set128": exchanges(128)}

if __name__ == "__main__":
    sys.exit(result.main(CASES, __doc__))
