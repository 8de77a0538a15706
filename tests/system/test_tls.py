"""ctrlplane/tls against the openssl command: every suite in both roles, what is refused and what each side sees of it."""
import os
import socket
import subprocess
import tempfile

import pytest

from node import free_port, program, wait_until

NAME = "cd177e50-1"
KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
SUITES = [("-tls1_3", "TLS_AES_128_GCM_SHA256"), ("-tls1_2", "ECDHE-PSK-AES128-CBC-SHA256"), ("-tls1_2", "DHE-PSK-AES128-GCM-SHA256"),
          ("-tls1_2", "PSK-AES128-GCM-SHA256")]


class Peer:
    """A tlspeer server, and what it says, in a file."""

    def __init__(self, *mode):
        self.log = tempfile.NamedTemporaryFile("r", encoding="utf-8")
        with open(self.log.name, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen([program("tests/tlspeer"), "server", *mode], stdout=out)
        wait_until(lambda: "port " in self.said(), 20, "tlspeer listens")
        self.port = int(self.said().split("port ")[1].split()[0])

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def wait(self, text):
        wait_until(lambda: text in self.said(), 20, text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.fixture
def server():
    with Peer("psk", NAME, KEY) as peer:
        yield peer


def only(version, suite):
    return [version, "-ciphersuites" if version == "-tls1_3" else "-cipher", suite]


def s_client(port, *options, text="good day\n"):
    """What s_client printed; it has what the echo sent once it is there, then it closes."""
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof", *options], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said, _ = process.communicate(text, timeout=3)
    except subprocess.TimeoutExpired:
        process.terminate()
        said, _ = process.communicate(timeout=20)
    return said


@pytest.mark.parametrize("version,suite", SUITES)
def test_s_client_is_served(server, version, suite):
    said = s_client(server.port, "-psk_identity", NAME, "-psk", KEY, *only(version, suite))
    version = {"-tls1_3": "TLSv1.3", "-tls1_2": "TLSv1.2"}[version]
    assert f"open {version} {suite} {NAME}" in server.said()
    assert "got good day" in server.said()
    assert "\ngood day\n" in said
    assert "New Session Ticket" not in said and "TLS session ticket:" not in said


def test_refusals_look_the_same(server):
    for version, alert in (("-tls1_3", "illegal parameter"), ("-tls1_2", "bad record mac")):
        for name, key, reason in ((NAME, "ff" * 32, "failed wrong"), ("cd177e50-9", KEY, "failed no such PSK identity"),
                                  ("x" * 129, KEY, "failed the PSK identity is malformed")):
            said = s_client(server.port, "-psk_identity", name, "-psk", key, *only(version, dict(SUITES[:2])[version]))
            assert alert in said, said
            server.wait(reason)
    assert "open" not in server.said() and KEY not in server.said()


def test_what_is_no_tls_1_2(server):
    s_client(server.port, "-tls1_1", "-psk_identity", NAME, "-psk", KEY, "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0")
    server.wait("failed TLS of a version below 1.2")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://a.example:7654/x;tcp\r\n\r\n")
        while plain.recv(1024):
            pass
    server.wait("failed not TLS")
    s_client(server.port, "-tls1_2")
    server.wait("failed no cipher suite in common")
    said = s_client(server.port, "-psk_identity", NAME, "-psk", KEY, "-tls1_3")
    assert "\ngood day\n" in said


class Openssl:
    """openssl s_server that sends back each line turned round."""

    def __init__(self, *options):
        self.port = free_port()
        self.process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-rev", "-quiet", *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.is_there, 20, "s_server listens")

    def is_there(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def tlspeer(port, *mode):
    return subprocess.run([program("tests/tlspeer"), "client", str(port), *mode], capture_output=True, text=True, timeout=30).stdout


@pytest.mark.parametrize("version,suite", SUITES)
def test_s_server_serves_us(version, suite):
    with Openssl("-nocert", "-psk_identity", NAME, "-psk", KEY, *only(version, suite)) as server:
        said = tlspeer(server.port, "psk", NAME, KEY)
        assert f"{suite} {NAME}" in said and "got olleh" in said
        assert "failed" in tlspeer(server.port, "psk", NAME, "ee" * 32)


@pytest.fixture(scope="module")
def files():
    with tempfile.TemporaryDirectory() as folder:
        for name in "ab":
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x",
                            "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"], check=True, capture_output=True)
        yield lambda name: os.path.join(folder, name)


def fingerprint(path):
    said = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"], check=True, capture_output=True, text=True)
    return "sha-256 " + said.stdout.strip().split("=")[1]


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_certificates(files, version):
    ours = [files("a.pem"), files("a.key")]
    theirs = ["-cert", files("b.pem"), "-key", files("b.key")]
    with Peer("cert", *ours, fingerprint(files("b.pem"))) as server:
        assert f"fingerprint {fingerprint(files('a.pem'))}" in server.said()
        assert "\ngood day\n" in s_client(server.port, version, *theirs)
        s_client(server.port, version, "-cert", files("a.pem"), "-key", files("a.key"))
        server.wait("failed the certificate has another fingerprint than the SDP said")
        s_client(server.port, version)
        server.wait("failed the peer has no certificate")
    with Openssl(*theirs, version) as server:
        assert "got olleh" in tlspeer(server.port, "cert", *ours, fingerprint(files("b.pem")))
        assert "another fingerprint" in tlspeer(server.port, "cert", *ours, fingerprint(files("a.pem")))
        assert "a certificate instead of the PSK" in tlspeer(server.port, "psk", NAME, KEY) or version == "-tls1_2"
