"""Whole calls over TCP and TLS connections: from the INVITE to the BYE of either side, and what a stream may do that a datagram cannot."""
import re
import socket
import ssl
import subprocess

import pytest
from node import free_port, program
from sip import CM80, KEY2, Caller, Message, SipNode, sdp


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """agent.pem and cafile.pem for localhost."""
    path = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", path / "key.pem", "-out", path / "cafile.pem"], check=True, capture_output=True)
    (path / "agent.pem").write_text((path / "cafile.pem").read_text() + (path / "key.pem").read_text())
    return path


@pytest.fixture(scope="module")
def node(folder):
    port = free_port()
    with SipNode(sip={"listen": [f"sips:127.0.0.1:{port}"], "tls_dir": str(folder)}) as running:
        running.tls_port, running.ca = port, str(folder / "cafile.pem")
        yield running


class StreamCaller(Caller):
    """A caller on one connection; its Contact names that connection's own end, as RFC 3261 18.1.1 has it reused."""

    def __init__(self, node, is_tls, version=None, **more):
        super().__init__(node, **more)
        self.socket.close()
        self.transport, port = ("TLS", node.tls_port) if is_tls else ("TCP", node.sip_port)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        if is_tls:
            context = ssl.create_default_context(cafile=node.ca)
            if version:
                context.minimum_version = context.maximum_version = version
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.port = self.socket.getsockname()[1]
        self.uri = self.target = f"{'sips' if is_tls else 'sip'}:{self.user}@127.0.0.1:{port}"
        self.buffer = b""

    def send_octets(self, octets):
        octets = octets.replace(b"SIP/2.0/UDP", b"SIP/2.0/" + self.transport.encode())
        contact = f"<sip:sipp@{self.address}:{self.port}".encode()
        self.socket.sendall(octets.replace(contact + b">", contact + b";transport=" + self.transport.lower().encode() + b">"))

    def receive(self, seconds=5):
        self.socket.settimeout(seconds)
        try:
            while True:
                self.buffer = self.buffer.lstrip(b"\r\n")
                head, found, rest = self.buffer.partition(b"\r\n\r\n")
                length = int(re.search(rb"(?im)^content-length *: *(\d+)", head)[1]) if found else 0
                if found and len(rest) >= length:
                    self.buffer = rest[length:]
                    return Message((head + found + rest[:length]).decode())
                data = self.socket.recv(65536)
                assert data, "the connection was closed"
                self.buffer += data
        except TimeoutError:
            return None


@pytest.mark.parametrize("is_tls", [False, True], ids=["tcp", "tls"])
def test_a_call_and_either_side_hangs_up(node, is_tls):
    with StreamCaller(node, is_tls) as caller:
        answer = caller.invite()
        assert answer.status == 200 and "a=crypto:1 " in answer.body, answer.text
        assert f";transport={caller.transport.lower()}>;isfocus" in answer["contact"], answer["contact"]
        assert caller.invite(body=sdp(lines=["a=sendonly"], version=2)).status == 200
        assert caller.request("UPDATE", body=sdp([f"1 {CM80} {KEY2}"], version=3)).status == 200
        caller.bye()
        node.wait_participants(0)
    with StreamCaller(node, is_tls) as caller:
        assert caller.invite().status == 200
        leg = node.wait_participants(1)[0]["id"]
        node.http(f"/v1/conferences/demo/participants/{leg}", "DELETE")
        bye = caller.receive()
        assert bye.method == "BYE" and f"SIP/2.0/{caller.transport}" in bye["via"], bye.text
        caller.reply(bye)
        node.wait_participants(0)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_versions_of_tls(node, version):
    with StreamCaller(node, True, version) as caller:
        assert caller.request("OPTIONS").status == 200


def test_sips_is_for_tls_only(node):
    with Caller(node) as caller:
        caller.target = caller.target.replace("sip:", "sips:")
        refused = caller.invite()
        assert refused.status == 403 and "TLS" in refused.first, refused.text
    with StreamCaller(node, False) as caller:
        caller.target = caller.target.replace("sip:", "sips:")
        assert caller.invite().status == 403
    with StreamCaller(node, True) as caller:
        caller.target = caller.uri.replace("sips:", "sip:")
        assert caller.invite().status == 200, "sip: over TLS is a matter of the caller's"
        caller.bye()


def test_messages_in_pieces_and_in_one_go(node):
    """A stream has no borders: octet by octet, and two requests in one segment with empty lines before them."""
    with StreamCaller(node, False) as caller:
        pieces = []
        real, caller.send_octets = caller.send_octets, lambda octets: pieces.append(octets.replace(b"/UDP", b"/TCP"))
        for _ in range(3):
            caller.send("OPTIONS")
        caller.send_octets = real
        for octet in pieces[0]:
            caller.socket.sendall(bytes([octet]))
        assert caller.receive()["cseq"] == "1 OPTIONS"
        caller.socket.sendall(b"\r\n\r\n" + pieces[1] + pieces[2])
        assert {caller.receive()["cseq"], caller.receive()["cseq"]} == {"2 OPTIONS", "3 OPTIONS"}


def test_a_connection_that_is_lost_ends_no_call(node):
    """RFC 3261 has the dialog outlive the connection: the caller comes back on another one and hangs up."""
    with StreamCaller(node, False) as caller:
        assert caller.invite().status == 200
        caller.socket.close()
        again = StreamCaller(node, False)
        for name in ("to_tag", "tag", "call_id", "cseq", "target"):
            setattr(again, name, getattr(caller, name))
        with again:
            assert node.wait_participants(1)
            again.bye()
        node.wait_participants(0)


def test_check_looks_into_the_folder_of_certificates(folder, tmp_path):
    def check(agent, ca):
        for name, text in (("agent.pem", agent), ("cafile.pem", ca)):
            if text is not None:
                (tmp_path / name).write_text(text)
        config = tmp_path / "c.yaml"
        config.write_text(f"sip:\n  listen: [\"sips:127.0.0.1:5061\"]\n  tls_dir: {tmp_path}\n")
        result = subprocess.run([program("conclave-cp"), "--config", config, "--check"], capture_output=True, text=True, timeout=10)
        return result.returncode, result.stdout + result.stderr

    whole, ca = (folder / "agent.pem").read_text(), (folder / "cafile.pem").read_text()
    status, said = check(None, None)
    assert status == 1 and "c.yaml:3:" in said and "agent.pem cannot be read" in said and "cafile.pem cannot be read" in said, said
    status, said = check(ca, ca)
    assert status == 1 and "agent.pem holds no private key" in said, said
    status, said = check(whole, "nothing\n")
    assert status == 1 and "cafile.pem holds no certificate" in said, said
    assert check(whole, ca)[0] == 0
