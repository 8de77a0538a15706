"""A machine that has too little: UDP ports that another program took, descriptors that run out. Calls get what is left, or 503."""
import os
import re
import socket
import subprocess

import pytest
from node import SANITIZED, Node, program
from sip import Caller, sdp

PORTS = 128


def take(first, last):
    """Sockets on the even ports from first on, before last."""
    sockets = []
    for port in range(first, last, 2):
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            taken.close()  # somebody else was first: taken all the same
            continue
        sockets.append(taken)
    return sockets


def free_range():
    """A range where the last four ports are ours to give."""
    for first in range(20000, 31000, PORTS):
        probes = take(first + PORTS - 4, first + PORTS)
        for probe in probes:
            probe.close()
        if len(probes) == 2:
            return first
    raise AssertionError("no free UDP ports")


def test_a_call_gets_another_port():
    first = free_range()
    with Node({"media": {"udp_ports": {"first": first, "per_worker": PORTS}}}) as node:
        sockets = take(first, first + PORTS - 4)
        with Caller(node) as one, Caller(node) as two, Caller(node) as three:
            for caller, port in ((one, first + PORTS - 4), (two, first + PORTS - 2)):
                answer = caller.invite(body=sdp())
                assert answer.status == 200, answer.text
                assert f"m=audio {port} RTP/SAVP" in answer.body
            refused = three.invite(body=sdp())
            assert refused.status == 503 and int(refused["retry-after"]) > 0, refused.text
            one.bye()
            node.wait_participants(1)
            assert three.invite(body=sdp()).status == 200, "the port of who left is good again"
            two.bye()
            three.bye()
        for taken in sockets:
            taken.close()


POWERLESS = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]  # root without its powers: no limit is raised
FILES = 96


@pytest.mark.skipif(SANITIZED, reason="the sanitizers open files of their own")
def test_descriptors_run_out():
    with Node(dp_command=[*POWERLESS, "prlimit", f"--nofile={FILES}:{FILES}", program("conclave-dp")]) as node:
        said = re.search(r"only (\d+) open files allowed: about (\d+) participants instead of 128", node.logs())
        assert said and int(said[1]) == FILES and int(said[2]) < FILES / 2, node.logs()
        callers, answer = [], None
        while len(callers) < FILES:
            callers.append(Caller(node))
            answer = callers[-1].invite(body=sdp())
            if answer.status != 200:
                break
        assert answer.status == 503 and int(answer["retry-after"]) > 0, answer.text
        callers.pop()
        assert callers
        callers[0].bye()
        node.wait_participants(len(callers) - 1)
        with Caller(node) as late:
            assert late.invite(body=sdp()).status == 200
            late.bye()
        for caller in callers[1:]:
            caller.bye()


@pytest.mark.parametrize("option", ["--bogus", "--config"])
def test_conclave_dp_names_the_option_that_it_does_not_know(option):
    result = subprocess.run([program("conclave-dp"), option], capture_output=True, text=True, timeout=10)
    assert result.returncode == 2
    assert option in result.stderr.splitlines()[0]


@pytest.mark.parametrize("has_folder", [True, False])
def test_telemetry_is_promised_only_where_it_is(has_folder):
    node = Node(start=False)
    folder = node.path("runtime")
    os.chmod(node.folder, 0o777)
    if has_folder:
        os.mkdir(folder)
        os.chmod(folder, 0o777)
    else:
        open(folder, "w").close()  # nothing can be made in it
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
    if subprocess.run([*nobody, "test", "-x", program("conclave-dp")]).returncode:
        pytest.skip("the build is in a folder that nobody else may enter")
    node.dp_command = [*nobody, "env", f"XDG_RUNTIME_DIR={folder}", program("conclave-dp")]
    with node:
        node.write_config()
        os.chmod(node.config_path, 0o644)
        node.start_dp()
        said = re.search(r"telemetry by dpdk-telemetry.py -f (\S+)|no telemetry", node.logs())
        assert said and bool(said[1]) == has_folder, node.logs()
        assert not has_folder or os.path.exists(os.path.join(folder, "dpdk", said[1], "dpdk_telemetry.v2"))
