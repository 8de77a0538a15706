"""What an attacker finds at the ports of floor control and chat: no session to resume, no difference to measure, no place to fill; by octets of openssl."""
import re
import select
import socket
import statistics
import struct
import subprocess
import threading
import time

import pytest

from floor_line import HELLO, SAVP, Certificate, Floor, bfcp, describe, section, value
from mikey import Peer, focus_config, kms_for
from node import wait_until
from psk_line import VERSIONS, Keyed
from sip import Caller, SipNode

ALICE, BOB = "sip:alice@ims.example", "sip:bob@ims.example"
CONFERENCES = [{"id": "keyed", "security": "mikey-ticket", "authorised": [ALICE, BOB], "floors": ["stage audio"], "chat": True}]
TLS_1_2 = ["DHE-PSK-AES128-GCM-SHA256", "PSK-AES128-GCM-SHA256"]
pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def kms():
    with kms_for(ALICE, BOB) as running:
        yield running


@pytest.fixture(scope="module")
def node(kms):
    with SipNode(conferences=CONFERENCES, mikey=focus_config(kms, kms.focus, rate=0)) as running:
        yield running


@pytest.fixture
def call(node, kms):
    with Peer(kms, ALICE, kms.files_of[ALICE]) as peer:
        call = Keyed(node, peer)
        yield call
        call.bye()


def s_client(call, *options, say=(), seconds=2):
    """What openssl s_client prints while it talks to the floor's port with the call's key; say: what is typed, one after another."""
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{call.port}", "-psk_identity", call.name, "-psk", call.key, *options],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in say:
        time.sleep(1)  # it takes a command only where a line of its own is read
        process.stdin.write(line)
        process.stdin.flush()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
    return process.communicate(timeout=20)[0].decode(errors="replace")


def session(folder, call):
    """A session that says that early data may be sent under it, as openssl keeps one in a file (ssl/ssl_asn1.c)."""
    rows = {"version": "INTEGER:1", "tls": "INTEGER:0x0304", "suite": "FORMAT:HEX,OCTETSTRING:1301", "id": "FORMAT:ASCII,OCTETSTRING:",
            "key": f"FORMAT:HEX,OCTETSTRING:{call.key}", "time": f"EXP:1,INTEGER:{int(time.time())}", "timeout": "EXP:2,INTEGER:7200",
            "early": "EXP:15,INTEGER:16384"}
    text = "asn1=SEQUENCE:s\n[s]\n" + "".join(f"{name}={row}\n" for name, row in rows.items())
    (folder / "session.cnf").write_text(text)
    subprocess.run(["openssl", "asn1parse", "-genconf", folder / "session.cnf", "-noout", "-out", folder / "session.der"], check=True, timeout=20)
    subprocess.run(["openssl", "sess_id", "-inform", "DER", "-in", folder / "session.der", "-out", folder / "session.pem"], check=True, timeout=20)
    return folder / "session.pem"


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_to_resume(call, tmp_path, version):
    """Neither a ticket nor a name of the session, so that openssl has nothing to keep."""
    said = s_client(call, version, "-sess_out", tmp_path / "kept")
    assert f"Cipher is {VERSIONS[version].split()[1]}" in said, said
    assert "New Session Ticket" not in said and "TLS session ticket:" not in said and not (tmp_path / "kept").exists()
    assert version == "-tls1_3" or re.search(r"Session-ID: *\n", said), said


def test_no_early_data(call, tmp_path):
    early = tmp_path / "early"
    early.write_bytes(b"early")
    said = s_client(call, "-tls1_3", "-psk_session", session(tmp_path, call), "-early_data", early)
    assert "Early data was rejected" in said, said


def test_no_second_handshake(call):
    """Who asks for one is told at once."""
    said = s_client(call, "-tls1_2", "-msg", say=(b"R\n",))
    assert "RENEGOTIATING" in said and re.search(r"<<< .*warning no_renegotiation", said), said


def test_keys_are_changed_within(call):
    """KeyUpdate of TLS 1.3: asked for, answered."""
    hello = struct.pack("!BBHIHH", 0x20, HELLO, 0, int(value(call.floor, "confid")), 1, int(value(call.floor, "userid")))
    said = s_client(call, "-tls1_3", "-msg", say=(b"K\n", hello))
    assert re.search(r"<<< .*KeyUpdate", said), said


@pytest.mark.parametrize("suite", TLS_1_2)
def test_suites_of_the_profile(call, suite):
    line = call.connect("-tls1_2", "-cipher", suite)
    assert call.hello(line)
    line.close()


@pytest.mark.parametrize("options", [("-tls1_2", "-cipher", "PSK-AES256-CBC-SHA:PSK-AES128-CBC-SHA:PSK-NULL-SHA256:@SECLEVEL=0"),
                                     ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")])
def test_no_other_suites(call, options):
    assert "Cipher is (NONE)" in s_client(call, *options)


class Between:
    """Keeps what a client sends, each time the server has had its say: the flights of a handshake, to be sent again."""

    def __init__(self, port):
        self.port, self.flights = port, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        client = self.listener.accept()[0]
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            last = None
            while ready := select.select([client, server], [], [], 10)[0]:
                one = ready[0]
                octets = one.recv(65536)
                if not octets:
                    return
                if one is client:
                    if last is client:
                        self.flights[-1] += octets
                    else:
                        self.flights.append(octets)
                last = one
                (server if one is client else client).sendall(octets)


def flights(call, version, name, key):
    between = Between(call.port)
    with between.listener:
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{between.listener.getsockname()[1]}", version, "-psk_identity", name, "-psk", key],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        between.thread.join(20)
    return between.flights[:1 if version == "-tls1_3" else 2]


def refusal(call, octets):
    """What is answered to the last flight, and after how many seconds."""
    with socket.create_connection(("127.0.0.1", call.port), 10) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for flight in octets[:-1]:
            line.sendall(flight)
            line.recv(65536)
        begun, said = time.perf_counter(), b""
        line.sendall(octets[-1])
        try:
            while more := line.recv(65536):
                said += more
        except ConnectionError:
            pass
        return said, time.perf_counter() - begun


@pytest.mark.parametrize("version", VERSIONS)
def test_no_difference_to_measure(call, version):
    """Names that are known and such as are not get the same octets, after as long."""
    known = flights(call, version, call.name, "00" * 32)
    unknown = flights(call, version, "0" * len(call.name), "00" * 32)
    seconds = {"known": [], "unknown": []}
    for _ in range(40):
        answers = []
        for name, octets in (("known", known), ("unknown", unknown)):
            said, took = refusal(call, octets)
            seconds[name].append(took)
            answers.append(said)
        assert answers[0] == answers[1] and answers[0][:1] == b"\x15", answers
    known, unknown = (statistics.median(each) for each in seconds.values())
    assert max(known, unknown) < 3 * min(known, unknown) + 0.001, seconds


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path)


def test_half_open_ones_take_nobodys_place(certificate):
    """A hundred of one address say nothing: it has a few of them at a time, for a while, and neither who is there nor who comes notices."""
    few = 8
    room = {"id": "room", "security": "sdes", "identity": "none", "anonymous": True, "floors": ["stage"]}
    limits = {"half_open_per_source": few, "half_open_max": 3 * few, "handshake_time": "10s"}
    with SipNode(conferences=[room], streams=limits) as node:
        def come():
            caller = Caller(node, "room", from_header=f"<{ALICE}>")
            answer = caller.invite(body=describe(SAVP, bfcp(proto="TCP/TLS/BFCP", lines=[certificate.fingerprint])))
            return caller, section(answer.body, "application")

        first, floor = come()
        there = Floor(floor, certificate.context())
        assert there.hello()
        port = int(floor[0].split()[1])
        silent = [one for n in range(300) if (one := dial(port, f"127.0.0.{2 + n // 100}"))]
        wait_until(lambda: len([one for one in silent if not is_over(one)]) <= 3 * few, 6, "no more than are let")
        assert there.hello()
        second, floor = come()
        comes = Floor(floor, certificate.context())
        assert comes.hello() and there.hello()
        counts = node.http("/v1/status")["streams"]
        assert counts["connected"] == 2 and sum(counts["refused"].values()) >= 300 - 3 * few, counts
        for one in silent:
            one.settimeout(20)
            assert is_over(one, wait=True), "its time is over"
            one.close()
        assert there.hello() and comes.hello()
        first.bye()
        second.bye()


def dial(port, source):
    try:
        return socket.create_connection(("127.0.0.1", port), 10, source_address=(source, 0))
    except ConnectionResetError:
        return None


def is_over(line, wait=False):
    if not wait and not select.select([line], [], [], 0.01)[0]:
        return False
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True
