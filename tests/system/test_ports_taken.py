"""UDP ports of the media range that another program has: calls get the ports that are left."""
import socket

from node import Node
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
