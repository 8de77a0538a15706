"""RTCP as another implementation reads it: a plain conference on loopback, dissected by tshark. Needs the right to capture."""
import collections
import random
import shutil
import subprocess
import time

import pytest
from node import Node, Ue

FIELDS = ["frame.time_epoch", "udp.srcport", "udp.dstport", "rtcp.pt", "rtcp.senderssrc", "rtcp.ssrc.identifier", "rtcp.sdes.text",
          "rtcp.length_check", "_ws.malformed", "frame.len"]
SR, RR, SDES, BYE = 200, 201, 202, 203
Source = collections.namedtuple("Source", "port ssrc name")


class Capture:
    """RTCP from and to the media plane's odd ports."""

    def __init__(self, path, address, first, last):
        self.path = path
        self.decode = f"udp.port=={first}-{last},rtcp"
        odd = f"udp and host {address} and ((src portrange {first}-{last} and udp[1] & 1 = 1) or (dst portrange {first}-{last} and udp[3] & 1 = 1))"
        self.process = subprocess.Popen(["tshark", "-q", "-i", "lo", "-f", odd, "-w", path], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        time.sleep(2)
        if self.process.poll() is not None:
            pytest.skip(f"no capture on lo: {self.process.stderr.read()[-200:]}")

    def packets(self):
        time.sleep(1)  # what is still on its way to the file
        self.process.terminate()
        self.process.wait(timeout=10)
        command = ["tshark", "-r", self.path, "-d", self.decode, "-T", "fields", "-E", "separator=|"]
        for field in FIELDS:
            command += ["-e", field]
        lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
        return [dict(zip(FIELDS, (value.split(",") if value else [] for value in line.split("|")))) for line in lines]


def numbers(values):
    return [int(value, 0) for value in values]


def ssrcs(packet):
    """Of report blocks, chunks and BYE, in this order."""
    return numbers(packet["rtcp.ssrc.identifier"])


def source_port(packet):
    return int(packet["udp.srcport"][0])


def when(packet):
    return float(packet["frame.time_epoch"][0])


def names(packets):
    """All that were given besides our own, which comes first."""
    return {name for packet in packets for name in packet["rtcp.sdes.text"][1:]}


def spoken(packets, first):
    """The participants, by their ports."""
    found = {}
    for packet in packets:
        if int(packet["udp.dstport"][0]) in range(first, first + 256):
            found.setdefault(source_port(packet), Source(source_port(packet), int(packet["rtcp.senderssrc"][0], 0), packet["rtcp.sdes.text"][0]))
    assert len(found) == 3, found
    return [found[port] for port in sorted(found)]


def heard(packets, first, source):
    return [packet for packet in packets if int(packet["udp.dstport"][0]) == source.port and source_port(packet) in range(first, first + 256)]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_names_and_byes_are_well_formed(tmp_path):
    address = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.1"  # no other test's
    config = {"media": {"addresses": [{"address": address}]},
              "conferences": [{"id": "demo", "security": "none", "identity": "none", "anonymous": True}]}
    with Node(config) as node:
        first = node.config["media"]["udp_ports"]["first"]
        capture = Capture(str(tmp_path / "rtcp.pcap"), address, first, first + 255)
        who = ["sip:a@example.net", "sip:b@example.net", "sip:anonymous@anonymous.invalid"]
        people = [
            Ue(node.uri(), "--plain", "--from", uri, "--rtcp-every", 1000, "--media-ports", f"{low}-{low + 99}", seconds=seconds)
            for uri, low, seconds in zip(who, (34000, 34100, 34200), (9, 18, 18))
        ]
        for person in people:
            assert person.result()["outcome"] == "joined"
        node.wait_participants(0)
        packets = capture.packets()
    for packet in packets:
        assert packet["rtcp.length_check"] == ["1"] and not packet["_ws.malformed"], packet
        assert int(packet["frame.len"][0]) <= 14 + 20 + 8 + 1200, packet
        assert numbers(packet["rtcp.pt"])[0] in (SR, RR) and SDES in numbers(packet["rtcp.pt"]), packet
    a, b, hidden = spoken(packets, first)
    heard_by_a, heard_by_b, heard_by_hidden = (heard(packets, first, source) for source in (a, b, hidden))

    # Names: of the others and of nobody else; the last is private.
    assert names(heard_by_a) == {b.name}
    assert names(heard_by_b) == {a.name}
    assert names(heard_by_hidden) == {a.name, b.name}
    # BYE: A's, once, as the others have it from us within 5 s; ours alone at the end.
    left = when(next(packet for packet in packets if source_port(packet) == a.port and BYE in numbers(packet["rtcp.pt"])))
    for heard_by in (heard_by_b, heard_by_hidden):
        told = [packet for packet in heard_by if BYE in numbers(packet["rtcp.pt"]) and ssrcs(packet)[-1] == a.ssrc]
        assert len(told) == 1 and 0 < when(told[0]) - left < 5, (left, told)
    for heard_by in (heard_by_a, heard_by_b, heard_by_hidden):
        assert numbers(heard_by[-1]["rtcp.pt"])[-1] == BYE
        assert ssrcs(heard_by[-1])[-1] == int(heard_by[-1]["rtcp.senderssrc"][0], 0)
        assert len(heard_by[-1]["rtcp.sdes.text"]) == 1
