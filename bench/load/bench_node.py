#!/usr/bin/env python3
"""Benchmarks of a whole node: conclave-dp and conclave-cp as they are built, conclave-ue as the participants, loopback between.

node.tick.lateness: how late the media clock runs. sip.joins: calls that are answered a second. e2e.udp.*: participants that one
worker core carries, found by trials: a trial passes when everybody joins, everybody hears the tones of the others at their level
and not itself, and at least 99 % of the packets arrive each way (the participants count what comes by the clock; what the focus got,
it says in RTCP reports).
"""
import json
import os
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "bench", "lib"))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.dont_write_bytecode = True

import result  # noqa: E402

E2E_SECONDS = float(os.environ.get("CONCLAVE_E2E_SECONDS", "120"))  # for all trials of one benchmark
E2E_FIRST = int(os.environ.get("CONCLAVE_E2E_FIRST", "2000"))      # participants of the first trial
E2E_STEP = 60                                                      # the search ends when it knows the limit this well
SERVER_CPU, UE_CPU = 0, 1
MEDIA_PORT = 12000  # the media plane's ports begin here, SIP's is below


def say(text):
    print(text, file=sys.stderr, flush=True)


def start_node(build, participants, per_conference):
    os.environ["CONCLAVE_BUILD"] = os.path.abspath(build)
    from node import Node, free_port
    conferences = -(-participants // per_conference)
    sip_port = next(port for port in iter(free_port, None) if port < MEDIA_PORT)
    node = Node(start=False, config={
        "media": {
            "worker_cpus": [SERVER_CPU],
            "main_cpu": UE_CPU,
            "udp_ports": {"first": MEDIA_PORT, "per_worker": 2 * participants + 64},
            "conferences": conferences + 16,
            "packets": 32767,
        },
        "sip": {"listen": [f"sip:127.0.0.1:{sip_port}"], "calls_max": participants + 100},
        "conferences": [{"id": f"c{i}", "security": "sdes", "identity": "none", "anonymous": True}
                        for i in range(1, conferences + 1)],
    })
    node.sip_port = sip_port
    del node.config["http"]["listen"]  # its port could be one of the media plane's
    node.start()
    return node


def pin(pid, cpu):
    """All threads of a process that are not pinned by itself."""
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            if len(os.sched_getaffinity(int(task))) > 1:
                os.sched_setaffinity(int(task), {cpu})
        except OSError:
            pass


def favour(pid, name):
    """The threads of that name ahead of whatever else the machine does, where we may: we measure a core, not our share of it."""
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
                if file.read().strip() == name:
                    os.sched_setscheduler(int(task), os.SCHED_RR, os.sched_param(1))
        except OSError:
            pass


def cpu_seconds(pid):
    """CPU time of each thread of a process: {thread id: seconds}."""
    used = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            used[task] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            pass
    return used


def ue(build, uri, *options, watch=None, timeout=120):
    """Run conclave-ue; its summary, and the busiest thread's share of a CPU in the process to watch while it ran."""
    command = [os.path.join(build, "conclave-ue"), "--quiet", *map(str, options), uri]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        pin(process.pid, UE_CPU)
        busy, before, then = 0.0, cpu_seconds(watch) if watch else {}, time.monotonic()
        end = then + timeout
        while process.poll() is None:
            time.sleep(1)
            if watch:
                now, after = time.monotonic(), cpu_seconds(watch)
                busy = max([busy] + [(after[t] - before.get(t, 0)) / (now - then) for t in after])
                before, then = after, now
            if time.monotonic() > end:
                process.kill()
                raise AssertionError(f"{' '.join(command)} hangs")
        lines = process.stdout.read().splitlines()
    if process.returncode in (2, 4) or not lines:
        raise AssertionError(f"{' '.join(command)} ended with {process.returncode}")
    return json.loads(lines[-1]), busy


def sip_joins(name, build):
    count, rounds = 600, []
    with start_node(build, count, 3) as node:
        pin(node.cp.pid, SERVER_CPU)
        for _ in range(4):
            seen, _ = ue(build, node.uri("c%d"), "--count", count, "--per-conference", 3, "--share", 60, "--rate", 0, "--window", 32,
                         "--no-media", "--settle", 0, "--for", 0.1)
            rounds.append(seen)
            node.wait_participants(0, "c1")
    rounds = rounds[1:]  # the first one warms up
    verified = all(r["joined"] == count and r["ended_by_focus"] == 0 for r in rounds)
    return result.emit(name, "joins/s", round(statistics.median(r["joins_per_second"] for r in rounds), 1), verified,
                       p50=round(statistics.median(r["joins_per_second"] for r in rounds), 1),
                       p99=min(r["joins_per_second"] for r in rounds), joins=count, rounds=len(rounds),
                       answer_ms_p50=statistics.median(r["join_ms"]["p50"] for r in rounds),
                       answer_ms_p99=max(r["join_ms"]["p99"] for r in rounds))


def telemetry(folder, command):
    """An answer of conclave-dp's DPDK telemetry, as dpdk-telemetry.py would show it. Its name there follows from the runtime folder."""
    name = 2166136261  # FNV-1a, as in dataplane/main.c
    for octet in folder.encode():
        name = (name ^ octet) * 16777619 & 0xffffffff
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(5)
        client.connect(f"{os.environ.get('RUNTIME_DIRECTORY', '/var/run/dpdk')}/conclave-{name:08x}/dpdk_telemetry.v2")
        client.recv(1024)  # who it is
        client.send(command.encode())
        return json.loads(client.recv(16384))[command]


def tick_lateness(name, build):
    """How late the media clock's ticks begin while one worker carries 600 participants."""
    count = 600
    with start_node(build, count, 3) as node:
        pin(node.cp.pid, UE_CPU)
        favour(node.dp.pid, "rte-worker-1")
        ok, seen, busy = trial(build, node, count, "AES_CM_128_HMAC_SHA1_80", 3)
        late = telemetry(node.folder, "/conclave/lateness")
    return result.emit(name, "ns", late["p50_ns"], ok and late["ticks"] > 1000, p99=late["p99_ns"], p999=late["p999_ns"],
                       ticks=late["ticks"], participants=count, worker_cpu=round(busy, 3))


def why_not(seen, count):
    """What a trial lacks; None: it passes."""
    if seen["joined"] != count:
        return (f"{count - seen['joined']} did not join ({seen['refused']} refused, {seen['timeout']} timed out, "
                f"{seen['unreachable']} unreachable, {seen['bad_answer']} bad answers)")
    if seen["ended_by_focus"]:
        return f"{seen['ended_by_focus']} were put out"
    if seen["heard_as_expected"] != count:
        return f"{count - seen['heard_as_expected']} did not hear what they should"
    if seen["rx_percent"] < 99:
        return f"only {seen['rx_percent']:.2f} % of the packets came from the focus"
    if seen["without_report"]:
        return f"{seen['without_report']} got no RTCP report"
    if seen["remote_loss_percent"] > 1:
        return f"the focus missed {seen['remote_loss_percent']:.2f} % of the packets"
    if seen["auth_failures"]:
        return f"{seen['auth_failures']} packets did not authenticate"
    return None


def trial(build, node, count, suite, per_conference):
    seen, busy = ue(build, node.uri("c%d"), "--count", count, "--per-conference", per_conference, "--share", 60, "--rate", 0,
                    "--window", 16, "--suite", suite, "--cpu", UE_CPU, "--realtime", "--settle", 2, "--for", 9, "--level", -25,
                    "--tolerance", 2, "--timeout", 20, watch=node.dp.pid)
    lacks = why_not(seen, count)
    delay = seen["delay_ms"] or {"p50": 0}
    say(f"  {count} participants: {lacks or 'passed'} (worker {100 * busy:.0f} % of a core, {seen['rx_percent']:.2f} % of packets here, "
        f"{100 - seen['remote_loss_percent']:.2f} % there, delay {delay['p50']:.0f} ms, our clock late by up to {seen['late_max_ms']:.0f} ms)")
    return lacks is None, seen, busy


def e2e(suite, per_conference):
    def run(name, build):
        cap = 9000
        with start_node(build, cap, per_conference) as node:
            pin(node.cp.pid, UE_CPU)
            favour(node.dp.pid, "rte-worker-1")
            end, good, bad, count, best = time.monotonic() + E2E_SECONDS, 0, None, E2E_FIRST, None
            trials = 0
            while count > good and (trials == 0 or time.monotonic() < end):
                count -= count % per_conference
                for _ in range(2):  # the machine's speed wavers: only who fails twice has failed
                    ok, seen, busy = trial(build, node, count, suite, per_conference)
                    trials += 1
                    if ok or time.monotonic() > end:
                        break
                    node.wait_participants(0, "c1", seconds=30)
                if ok:
                    good, best = count, (seen, busy)
                else:
                    bad = count
                if bad is None:
                    count = min(cap, int(good * 1.25))
                elif bad - good <= E2E_STEP:
                    break
                else:
                    count = (good + bad) // 2 if good else bad // 2
                node.wait_participants(0, "c1", seconds=30)
        if best is None:
            return result.emit(name, "participants", 0, False, trials=trials)
        seen, busy = best
        return result.emit(name, "participants", good, True, trials=trials, failed_at=bad, worker_cpu=round(busy, 3),
                           delay_ms_p50=(seen["delay_ms"] or {}).get("p50"), delay_ms_p99=(seen["delay_ms"] or {}).get("p99"),
                           rx_percent=seen["rx_percent"], rx_percent_min=seen["rx_percent_min"],
                           remote_loss_percent=seen["remote_loss_percent"], ue_late_ms=seen["late_max_ms"])
    return run


CASES = {
    "node.tick.lateness": tick_lateness,
    "sip.joins": sip_joins,
    "e2e.udp.cm80.conf3": e2e("AES_CM_128_HMAC_SHA1_80", 3),
}

if __name__ == "__main__":
    sys.exit(result.main(CASES, __doc__))
