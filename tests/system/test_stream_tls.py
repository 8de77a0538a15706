"""Floor control in TLS of calls: openssl s_client with the key that MIKEY-TICKET gave, who is not let in and why, certificates, what ends a call."""
import json
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from floor_line import HELLO, SAVP, Certificate, Floor, bfcp, describe, fingerprint, port_of, section, value
from mikey import Peer, Phone, focus_config, kms_for
from node import Node, Ue, free_port, program, wait_until
from psk_line import VERSIONS, Keyed, Line, Server
from sip import Caller, SipNode

ALICE, BOB = "sip:alice@ims.example", "sip:bob@ims.example"
OPEN = {"identity": "none", "anonymous": True, "floors": ["stage audio"]}
CONFERENCES = [
    {"id": "plain", "security": "none", **OPEN},
    {"id": "sdes", "security": "sdes", **OPEN},
    {"id": "keyed", "security": "mikey-ticket", "authorised": [ALICE, BOB], "floors": ["stage audio"], "chat": True},
]
ERROR = 13  # of RFC 8855 5.1
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
def alice(kms):
    with Peer(kms, ALICE, kms.files_of[ALICE]) as peer:
        yield peer


@pytest.fixture
def bob(kms):
    with Peer(kms, BOB, kms.files_of[BOB]) as peer:
        yield peer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


def logged(node, text):
    wait_until(lambda: text in node.logs(), 10, f"'{text}' in the log")


def counts(node, what):
    return node.http("/v1/status")["streams"][what]


def is_up(node, count):
    wait_until(lambda: counts(node, "connected") == count, 10, f"{count} streams")


@pytest.mark.parametrize("version", VERSIONS)
def test_s_client(node, alice, version):
    call = Keyed(node, alice)
    line = call.connect(version)
    assert call.hello(line) and call.hello(line)
    logged(node, f"is connected: {VERSIONS[version]}")
    is_up(node, 1)
    assert call.name not in node.logs() and call.key not in node.logs()
    call.bye()
    assert line.read(1) == b""
    line.close()
    is_up(node, 0)
    again = call.connect(version)
    assert again.refused()
    logged(node, "unknown-identity")


@pytest.mark.parametrize("version", VERSIONS)
def test_who_is_not_let_in(node, alice, bob, version):
    """Whatever is wrong looks the same from outside; the log has it, and who is connected notices nothing."""
    first, second = Keyed(node, alice), Keyed(node, bob)
    line = first.connect(version)
    assert first.hello(line)
    said = set()
    for cause, name, key in (("wrong-key", second.name, "00" * 32), ("wrong-key", second.name, first.key), ("unknown-identity", "00000000-3", first.key),
                             ("identity-in-use", first.name, first.key)):
        before = counts(node, "refused").get(cause, 0)
        other = second.connect(version, name=name, key=key)
        assert not second.hello(other)
        said.add(re.sub(r"[0-9A-F]{12,}|:\d+:", "", other.refused()))
        wait_until(lambda: counts(node, "refused").get(cause, 0) == before + 1, 10, f"{cause} in the status")
        assert first.hello(line)
    assert len(said) == 1, said
    assert re.search(r"floor connection from 127.0.0.1:\d+ is refused \(wrong-key\): wrong .*; participant \d+", node.logs())
    logged(node, "(identity-in-use)")
    assert first.key not in node.logs() and second.key not in node.logs()
    other = second.connect(version)
    assert second.hello(other) and first.hello(line)
    for each in (line, other):
        each.close()
    first.bye()
    second.bye()


def test_key_of_another_m_line(node, alice):
    """That of the chat opens no floor control, and the other way round."""
    call = Keyed(node, alice)
    assert call.chat_name != call.name and call.chat_key != call.key
    before = counts(node, "refused").get("unknown-identity", 0)
    assert not call.hello(call.connect(name=call.chat_name, key=call.chat_key))
    assert not call.hello(Line(port_of(call.chat), call.name, call.key))
    wait_until(lambda: counts(node, "refused")["unknown-identity"] == before + 2, 10, "both refused")
    call.bye()


@pytest.mark.parametrize("version", VERSIONS)
def test_we_connect(node, alice, version):
    """To who is passive, again until it is there. Chat: we are TLS client (RFC 6135) and say SEND at once. Floor: who offered is, but may think otherwise."""
    floor, chat = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    call = Keyed(node, alice, port=floor, chat_port=chat)
    assert port_of(call.floor) == port_of(call.chat) == 9
    logged(node, "Connection refused")
    with Server(floor, call.name, call.key, version), Server(chat, call.chat_name, call.chat_key, version) as messages:
        is_up(node, 2)
        wait_until(lambda: b"SEND\r\n" in messages.said, 10, "SEND")
        assert call.key not in node.logs() and call.chat_key not in node.logs()
        call.bye()
        is_up(node, 0)


def test_no_tls_of_ours(node, alice):
    """TLS 1.1, a certificate where a key is wanted, no TLS at all."""
    call = Keyed(node, alice)
    line = call.connect("-tls1_3")
    assert call.hello(line)
    before = counts(node, "refused").get("not-tls", 0)
    assert call.connect("-tls1_1", "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0").refused()
    with socket.create_connection(("127.0.0.1", call.port), timeout=10) as plain:
        plain.sendall(b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://a.example:7654/x;tcp\r\n\r\n")
        try:
            while plain.recv(1024):
                pass
        except ConnectionError:
            pass
    wait_until(lambda: counts(node, "refused").get("not-tls", 0) == before + 2, 10, "both refused")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(socket.create_connection(("127.0.0.1", call.port), timeout=10))
    assert call.hello(line)
    line.close()
    call.bye()


def test_comes_again(node, alice):
    """Cut without a word, and with one: the same key opens it again, while the call goes on."""
    call = Keyed(node, alice)
    for _ in range(3):
        line = call.connect("-tls1_3")
        assert call.hello(line)
        line.close()
        is_up(node, 0)
    logged(node, "is lost (cut)")
    line = call.connect("-tls1_2")
    assert call.hello(line)
    line.close()
    is_up(node, 0)
    call.bye()


def test_new_keys(node, alice):
    """A new TRANSFER_INIT: what is connected goes on under its key, the next connection wants the new one."""
    first = Keyed(node, alice)
    line = first.connect("-tls1_3")
    assert first.hello(line)
    second = Keyed(node, alice, version=2, caller=first.caller)
    assert second.name != first.name and second.key != first.key
    line.close()
    is_up(node, 0)
    assert first.connect("-tls1_3").refused()
    line = second.connect("-tls1_3")
    assert second.hello(line)
    line.close()
    second.bye()


def sdes(node, certificate, **more):
    caller = Caller(node, "sdes", from_header=f"<{ALICE}>")
    answer = caller.invite(body=describe(SAVP, bfcp(proto="TCP/TLS/BFCP", lines=[certificate.fingerprint]), **more))
    assert answer.status == 200, answer.text
    return caller, section(answer.body, "application")


def is_refused(line):
    """It says hello, is told an Error of BFCP, and that was it."""
    line.socket.sendall(struct.pack("!BBHIHH", 0x20, HELLO, 0, line.conf, 1, line.user))
    answer = line.socket.recv(4096)
    return answer[1] == ERROR and line.is_over()


def test_another_certificate(node, certificate, tmp_path):
    caller, floor = sdes(node, certificate)
    other = Floor(floor, Certificate(tmp_path).context())
    assert is_refused(other)
    logged(node, "is refused (certificate)")
    own = Floor(floor, certificate.context())
    assert own.hello()
    second = Floor(floor, certificate.context())
    assert is_refused(second)
    logged(node, "that stream is connected already")
    assert own.hello()
    caller.bye()


def test_certificate_is_read_anew(node, certificate, tmp_path):
    """SIGHUP: the next call is told of the new one; who is connected stays. A file that is none changes nothing."""
    ours = Certificate(tmp_path)
    files = {"certificate": str(tmp_path / "certificate.pem"), "key": str(tmp_path / "key.pem")}
    with SipNode(conferences=CONFERENCES[1:2], streams=files) as own:
        caller, floor = sdes(own, certificate)
        line = Floor(floor, certificate.context())
        assert line.hello()
        was = value(floor, "fingerprint")
        assert was == ours.fingerprint.partition(":")[2] == fingerprint(line.socket.getpeercert(binary_form=True))
        now = Certificate(tmp_path).fingerprint.partition(":")[2]
        own.cp.send_signal(signal.SIGHUP)
        logged(own, "certificate of streams is read anew")
        later, floor = sdes(own, certificate)
        assert value(floor, "fingerprint") == now != was
        second = Floor(floor, certificate.context())
        assert second.hello() and fingerprint(second.socket.getpeercert(binary_form=True)) == now
        (tmp_path / "key.pem").write_text("no key\n")
        own.cp.send_signal(signal.SIGHUP)
        logged(own, "the former certificate stays")
        assert line.hello() and second.hello()
        caller.bye()
        later.bye()


def test_never_connected(certificate):
    """By default the call is over."""
    with SipNode(conferences=CONFERENCES[:2], streams={"wait": "1s"}) as node:
        caller, _ = sdes(node, certificate)
        bye = wait_until(lambda: (lambda m: m and m.method == "BYE" and m)(caller.receive(10)), 20, "BYE")
        assert "No connection for floor" in bye["reason"]
        caller.reply(bye)
        logged(node, "did not come up: hung up")


def test_never_connected_is_removed(certificate):
    """By choice the m-line alone goes, by a re-INVITE of ours; the audio goes on."""
    with SipNode(conferences=CONFERENCES[:2], streams={"wait": "1s", "on_failure": "remove"}) as node:
        caller, _ = sdes(node, certificate)
        offer = wait_until(lambda: (lambda m: m and m.method == "INVITE" and m)(caller.receive(10)), 20, "re-INVITE")
        assert port_of(section(offer.body, "application")) == 0 and port_of(section(offer.body, "audio")) > 0
        caller.reply(offer, body=describe(SAVP, "m=application 0 TCP/TLS/BFCP *", version=2))
        logged(node, "did not come up: removed")
        assert node.participants("sdes")[0]["state"] == "connected"
        assert caller.receive(3) is None or caller.receive(1) is None
        caller.bye()


@pytest.mark.parametrize("policy, method", [("hang-up", "BYE"), ("remove", "INVITE")])
def test_broken_and_not_there_again(certificate, policy, method):
    """What was connected and breaks may come again for a while; then the participant is told, and never in the clear."""
    with SipNode(conferences=CONFERENCES[1:2], streams={"wait": "2s", "on_failure": policy}) as node:
        caller, floor = sdes(node, certificate)
        for _ in range(2):
            line = Floor(floor, certificate.context())
            assert line.hello()
            line.socket.close()
        told = wait_until(lambda: (lambda m: m and m.method == method and m)(caller.receive(10)), 20, method)
        assert "TCP/BFCP" not in told.body
        caller.reply(told, body=describe(SAVP, "m=application 0 TCP/TLS/BFCP *", version=2) if method == "INVITE" else "")
        if method == "INVITE":
            assert port_of(section(told.body, "application")) == 0
            caller.bye()


def test_ipv6():
    port = free_port(socket.SOCK_STREAM, "::1")
    with Node({"media": {"addresses": [{"address": "127.0.0.1"}, {"address": "::1"}]}, "conferences": [{**CONFERENCES[1], "chat": True}]},
              start=False) as node:
        node.config["sip"]["listen"].append(f"sip:[::1]:{port}")
        node.start()
        people = [Ue(f"sip:sdes@{host}", "--from", f"sip:user{n}@example.net", "--floor", "--chat", "--say-at", "2:hello", seconds=5)
                  for n, host in enumerate((f"127.0.0.1:{node.sip_port}", f"[::1]:{port}"))]
        for result in (person.result() for person in people):
            assert result["streams"]["floor"]["hello"] and [m["text"] for m in result["streams"]["chat"]["messages"]] == ["hello"], result


@pytest.mark.parametrize("section, wrong", [
    ({"listen": ["192.0.2.1:5000"]}, "'192.0.2.1:5000' is no IP address"),
    ({"floor": {"psk": 7000}, "chat": {"plain": 7000}}, "port 7000 stands there twice"),
    ({"certificate": "/nowhere.pem"}, "'streams.certificate' and 'streams.key' go together"),
    ({"certificate": "/nowhere.pem", "key": "/nowhere.key"}, "/nowhere.pem: no certificate can be read"),
    ({"on_failure": "shrug"}, "on_failure"),
])
def test_what_is_wrong_in_the_section_is_said(tmp_path, section, wrong):
    path = tmp_path / "conclave.yaml"
    path.write_text(json.dumps({"streams": section}))
    result = subprocess.run([program("conclave-cp"), "--check", "--config", str(path)], capture_output=True, text=True, timeout=20)
    assert result.returncode != 0 and wrong in result.stdout + result.stderr, result


def test_port_of_its_own(node, certificate):
    """We offer, they connect: we are TLS client at a port of this call alone."""
    phone = Phone(node, "sdes")
    assert node.cli("conference", "call", "sdes", f"sip:dave@127.0.0.1:{phone.port}").returncode == 0
    offered = section(phone.wait().body, "application")
    assert value(offered, "setup") == "actpass" and port_of(offered) > 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.folder / "certificate.pem", certificate.folder / "key.pem")
    # before the answer: the kernel keeps it
    raw = socket.create_connection(("127.0.0.1", port_of(offered)), 10)
    found = {}
    server = threading.Thread(target=lambda: found.update(line=context.wrap_socket(raw, server_side=True)))
    server.start()
    phone.answer(describe(SAVP, bfcp(proto="TCP/TLS/BFCP", lines=[certificate.fingerprint])))
    server.join(20)
    is_up(node, 1)
    floor = Floor.__new__(Floor)
    floor.conf, floor.user, floor.socket, floor.number = int(value(offered, "confid")), int(value(offered, "userid")), found["line"], 0
    assert floor.hello()
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port_of(offered)), 10)
    phone.bye()
    assert floor.is_over()
