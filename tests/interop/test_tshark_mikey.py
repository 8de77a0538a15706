"""tshark reads our MIKEY messages, in SDP and in HTTP: what its dissector knows it reads as we mean it, and nothing is malformed.

What the dissector of Wireshark 4.0 knows of RFC 6043: HDR, T, IDR. It has no names for data types 11 to 18, PRF 1 and the empty
map, and stops without complaint at the first RANDR, TP or TICKET. A GENERIC-ID map it does not know and does not skip: it takes
the map for payloads, so messages of a Ticket Transfer as application/mikey (in a SUBSCRIBE) look malformed to it behind a header
that it reads right. In SDP it shows the attribute, without what is in it.
"""
import base64
import json
import os
import shutil
import struct
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark here")
VECTORS = os.path.join(os.path.dirname(__file__), "..", "vectors", "mikey", "mikey_ticket.json")
HOST = bytes([127, 0, 0, 1])


def messages():
    with open(VECTORS, encoding="ascii") as file:
        cases = json.load(file)["cases"]
    return [(case["set"], message["name"], bytes.fromhex(message["octets"])) for case in cases for message in case["messages"]]


def ip(protocol, payload):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, HOST, HOST) + payload


def in_http(body):
    """An answer of a KMS."""
    text = b"HTTP/1.1 200 OK\r\nContent-Type: application/mikey\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    return ip(6, struct.pack("!HHIIBBHHH", 80, 40000, 1, 1, 0x50, 0x18, 65535, 0, 0) + text)


def in_sdp(message):
    """An INVITE with one m-line."""
    sdp = (b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n"
           b"a=key-mgmt:mikey " + base64.b64encode(message) + b"\r\n")
    text = (b"INVITE sip:c@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
            b"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
            b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(sdp) + sdp)
    return ip(17, struct.pack("!HHHH", 5070, 5060, 8 + len(text), 0) + text)


def tshark(path, packet, *arguments):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        file.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    return subprocess.run(["tshark", "-r", path, *arguments], capture_output=True, text=True, timeout=60, check=True).stdout


def named(*prefixes):
    rows = [row for row in messages() if row[1].startswith(prefixes)]
    return pytest.mark.parametrize("number,name,octets", rows, ids=[f"{row[1]}-{row[0]}" for row in rows])


def header(path, octets):
    found = tshark(path, in_http(octets), "-T", "fields", "-e", "mikey.type", "-e", "mikey.csb_id").split()
    assert found == [str(octets[1]), "0x" + octets[4:8].hex()]


@named("REQUEST", "RESOLVE")
def test_http(tmp_path, number, name, octets):
    path = str(tmp_path / "one.pcap")
    text = tshark(path, in_http(octets), "-V")
    assert "Multimedia Internet KEYing" in text
    assert "alformed" not in text
    header(path, octets)
    assert "NTP timestamp: Jan  1, 2026 00:00:00.0" in text
    if name.endswith("RESP"):
        assert "IDR URI: sip:kms.example" in text


@named("TRANSFER")
def test_header_before_a_generic_map(tmp_path, number, name, octets):
    header(str(tmp_path / "one.pcap"), octets)


@named("TRANSFER")
def test_sdp(tmp_path, number, name, octets):
    text = tshark(str(tmp_path / "one.pcap"), in_sdp(octets), "-V")
    assert "Media Attribute Fieldname: key-mgmt" in text
    assert "alformed" not in text
