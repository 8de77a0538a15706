"""tshark's dissectors of BFCP and MSRP take a plain test session apart as both sides meant it, with nothing malformed in it."""
import os
import shutil
import subprocess
import time

import pytest

from node import free_port, wait_until
from streams import House, who

FIELDS = ["_ws.malformed", "_ws.expert.message", "bfcp.ver", "bfcp.primitive", "bfcp.conference_id", "bfcp.transaction_id", "bfcp.user_id",
          "bfcp.floor_id", "bfcp.floorrequest_id", "bfcp.request_status", "msrp.method", "msrp.status.code", "msrp.to.path", "msrp.byte.range",
          "msrp.content.type", "msrp.cnt.flg", "tcp.srcport"]
FLOOR_REQUEST, FLOOR_RELEASE, FLOOR_REQUEST_STATUS, HELLO, HELLO_ACK = 1, 2, 4, 11, 12
GRANTED, RELEASED = 3, 6


@pytest.fixture(autouse=True)
def needs_tshark():
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed (sudo ./run setup)")
    if os.geteuid() != 0:
        pytest.skip("needs root: captures on loopback")


def rows_of(path, port, protocol):
    command = ["tshark", "-r", path, "-d", f"tcp.port=={port},{protocol}", "-Y", protocol, "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return [dict(zip(FIELDS, line.split("|"))) for line in out.splitlines()]


def numbers(row, field):
    return [int(value, 0) for value in row[field].split(",") if value]


def test_floor_and_chat_taken_apart(tmp_path):
    path = str(tmp_path / "streams.pcap")
    file = tmp_path / "file"
    file.write_bytes(b"good morning " * 300)
    ports = {"bfcp": free_port(), "msrp": free_port()}
    config = {"streams": {"floor": {"plain": ports["bfcp"]}, "chat": {"plain": ports["msrp"]}}}
    with House(2, ("plain",), config, floors=["stage audio"], chat=True) as house:
        sniffer = subprocess.Popen(["tshark", "-i", "lo", "-w", path, "-f", f"tcp and (port {ports['bfcp']} or port {ports['msrp']})"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in sniffer.stderr:
            if "Capturing on" in line:
                break
        time.sleep(1)  # it says so a little before it does
        bob = house.join("plain", 2, "--floor", "--chat", "--nickname", "Bob", seconds=8)
        wait_until(lambda: len(house.node.participants("plain")) == 1, 10, "bob is there")
        alice = house.join("plain", 1, "--floor", "--floor-ask-at", "1", "--floor-for", "1", "--chat", "--send-file-at", f"2:{file}", seconds=5)
        alice, bob = alice.result(), bob.result()
        time.sleep(0.5)
        sniffer.terminate()
        sniffer.communicate(timeout=20)
    check_floor(rows_of(path, ports["bfcp"], "bfcp"), alice["streams"]["floor"])
    check_chat(rows_of(path, ports["msrp"], "msrp"))
    assert bob["streams"]["chat"]["messages"][0]["from"] == who(1)


def check_floor(rows, alice):
    assert rows and not [row for row in rows if row["_ws.malformed"]], rows
    primitives = [p for row in rows for p in numbers(row, "bfcp.primitive")]
    # of several messages in a segment it shows the first one: FloorQuery stands behind Hello, FloorStatus behind FloorRequestStatus
    for wanted in (HELLO, HELLO_ACK, FLOOR_REQUEST, FLOOR_REQUEST_STATUS, FLOOR_RELEASE):
        assert wanted in primitives, primitives
    assert {v for row in rows for v in numbers(row, "bfcp.ver")} == {1}
    assert {c for row in rows for c in numbers(row, "bfcp.conference_id")} == {alice["conference"]}
    statuses = [s for row in rows for s in numbers(row, "bfcp.request_status")]
    assert GRANTED in statuses and RELEASED in statuses, statuses


def check_chat(rows):
    assert rows and not [row for row in rows if row["_ws.malformed"]], rows
    methods = ",".join(row["msrp.method"] for row in rows)
    assert "SEND" in methods, methods  # NICKNAME (RFC 7701) it does not know
    codes = {code for row in rows for code in row["msrp.status.code"].split(",") if code}
    assert codes == {"200"}, codes
    assert any("message/cpim" in row["msrp.content.type"] for row in rows)
    assert any("*" in row["msrp.byte.range"] for row in rows), "what is longer than 2048 octets may be interrupted"
