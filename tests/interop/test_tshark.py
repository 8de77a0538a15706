"""tshark takes apart what we send: SIP, SDP, RTP and RTCP of a plain conference, with nothing malformed in it."""
import collections
import os
import shutil
import subprocess
import time

import pytest
from node import Node, Ue

FIELDS = ["_ws.malformed", "udp.srcport", "sip.Status-Code", "rtp.version", "rtp.ssrc", "rtp.seq", "rtp.timestamp", "rtp.csrc.item", "rtp.p_type",
          "rtcp.pt", "rtcp.senderssrc", "rtcp.sdes.text", "sdp.media"]


def capture(node, first, last, act):
    """Rows of FIELDS of all packets on loopback between SIP and media ports of the node while act runs."""
    path = node.path("capture.pcap")
    sniffer = subprocess.Popen(["tshark", "-i", "lo", "-w", path, "-f", f"udp and (port {node.sip_port} or portrange {first}-{last})"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in sniffer.stderr:
        if "Capturing on" in line:
            break
    time.sleep(1)  # it says so a little before it does
    act()
    time.sleep(0.5)
    sniffer.terminate()
    sniffer.communicate(timeout=20)
    command = ["tshark", "-r", path, "-o", "rtp.heuristic_rtp:TRUE", "-d", f"udp.port=={node.sip_port},sip", "-T", "fields", "-E", "separator=|",
               "-E", "occurrence=a"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return [dict(zip(FIELDS, line.split("|"))) for line in out.splitlines()]


@pytest.fixture(autouse=True)
def needs_tshark():
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed (sudo ./run setup)")
    if os.geteuid() != 0:
        pytest.skip("needs root: captures on loopback")


def test_a_plain_conference_taken_apart():
    config = {"conferences": [{"id": "demo", "security": "none", "identity": "none", "anonymous": True}]}
    with Node(config) as node:
        first = node.config["media"]["udp_ports"]["first"]
        last = first + node.config["media"]["udp_ports"]["per_worker"] - 1

        def talk():
            people = [Ue(node.uri(), "--plain", "--from", f"sip:p{hz}@example.net", "--tone", hz, seconds=8) for hz in (300, 400, 500)]
            for person in people:
                assert person.result()["outcome"] == "joined"

        rows = capture(node, first, last, talk)
    assert not [row for row in rows if row["_ws.malformed"]]
    assert any(row["sip.Status-Code"] == "200" and row["sdp.media"] for row in rows)
    ours = [row for row in rows if row["udp.srcport"] and first <= int(row["udp.srcport"]) <= last]
    streams = collections.defaultdict(list)
    for row in ours:
        if row["rtp.version"] == "2":
            streams[row["rtp.ssrc"]].append(row)
    assert len(streams) == 3
    for ssrc, packets in streams.items():
        assert len(packets) > 300
        for before, after in zip(packets, packets[1:]):
            assert (int(after["rtp.seq"]) - int(before["rtp.seq"])) % 65536 == 1, "the sequence has no gap"
            assert (int(after["rtp.timestamp"]) - int(before["rtp.timestamp"])) % 2**32 == 160, "the media clock has no gap"
        assert int(packets[0]["rtp.seq"]) < 32768
        most = max(len(set(filter(None, packet["rtp.csrc.item"].split(",")))) for packet in packets)
        assert most == 2, "the two others are named as contributors"
        assert not any(ssrc in packet["rtp.csrc.item"] for packet in packets)
    kinds = collections.Counter(kind for row in ours for kind in row["rtcp.pt"].split(",") if kind)
    assert kinds["200"] >= 3 and kinds["202"] >= 3, f"sender reports and SDES: {kinds}"
    assert kinds["203"] >= 3, f"a BYE on each leg: {kinds}"
    assert all(not row["rtcp.pt"] or row["rtcp.pt"].split(",")[0] in ("200", "201") for row in ours), "a compound begins with a report"
