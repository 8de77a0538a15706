"""conclave-kms as an HTTP server: methods, bodies, keep-alive and pipelines, slow and greedy clients, IPv6, TLS, and SIGHUP under load."""
import base64
import concurrent.futures
import http.client
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from kms import REQUEST, Kms
from node import free_port, wait_until
from test_kms import ALICE, MIKEY, REQUEST_RESP, World, error_of

AUTH = 0


@pytest.fixture(scope="module")
def world():
    with World(tls=True, config={"request_timeout": "2s"}) as world:
        yield world


@pytest.fixture(scope="module")
def refused_message(world):
    """A REQUEST_INIT that is answered by an Error message again and again: nothing of it is remembered."""
    sent = {}
    world.request(psk=world.bob).run(lambda name, octets: sent.setdefault(name, octets))
    return sent["request"]


def connect(world, address="127.0.0.1", port=None):
    return socket.create_connection((address, port or world.kms.port), timeout=10)


def post(body, *fields, target=REQUEST, kind="application/mikey", length=True):
    lines = [f"POST {target} HTTP/1.1", "Host: kms", *([f"Content-Type: {kind}"] if kind else []), *fields]
    lines += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join(lines + ["", ""]).encode() + body


class Answers:
    """Answers off a socket, one after the other."""

    def __init__(self, peer):
        self.file = peer.makefile("rb")

    def next(self):
        """Status, fields by lower-case name, body."""
        status = self.file.readline()
        if not status:
            return None
        fields = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(":")
            fields[name.lower()] = value.strip()
        return int(status.split()[1]), fields, self.file.read(int(fields.get("content-length", 0)))


def ask(world, request):
    with connect(world) as peer:
        peer.sendall(request)
        return Answers(peer).next()


# Methods and bodies.

@pytest.mark.parametrize("method,target,status,allow", [
    ("HEAD", REQUEST, 405, "POST"), ("OPTIONS", REQUEST, 405, "POST"), ("GET", REQUEST, 405, "POST"), ("DELETE", REQUEST, 405, "POST"),
    ("BREW", REQUEST, 405, "POST"), ("OPTIONS", "/status", 405, "GET, HEAD"), ("HEAD", "/status", 200, None), ("HEAD", "/nothing", 404, None)])
def test_methods(world, method, target, status, allow):
    code, fields, body = world.kms.http(method, target)
    assert (code, fields["Allow"]) == (status, allow) and (method != "HEAD" or body == b"")
    assert world.kms.http("GET", "/status")[0] == 200


def test_expect_100_continue(world, refused_message):
    with connect(world) as peer:
        head = post(refused_message, "Expect: 100-continue")[:-len(refused_message)]
        peer.sendall(head)
        answers = Answers(peer)
        assert answers.next()[0] == 100
        peer.sendall(refused_message)
        code, _, body = answers.next()
        assert code == 200 and error_of(body) == AUTH


@pytest.mark.parametrize("change,status", [({"kind": "text/plain"}, 415), ({"target": "/else"}, 404), ({"target": REQUEST + "x"}, 404)])
def test_expect_100_continue_of_what_is_refused(world, change, status):
    """At once, without the body."""
    with connect(world) as peer:
        peer.sendall(post(bytes(400), "Expect: 100-continue", **change)[:-400])
        assert Answers(peer).next()[0] == status


def test_chunks_want_a_length(world, refused_message):
    chunk = f"{len(refused_message):x}\r\n".encode() + refused_message + b"\r\n0\r\n\r\n"
    with connect(world) as peer:
        peer.sendall(post(b"", "Transfer-Encoding: chunked", length=False) + chunk)
        assert Answers(peer).next()[0] == 411
    assert ask(world, post(b"", length=False))[0] == 411
    assert ask(world, post(b"", "Content-Length: many", length=False))[0] == 400


@pytest.mark.parametrize("text", [
    lambda octets: base64.b64encode(octets), lambda octets: base64.encodebytes(octets),
    lambda octets: base64.encodebytes(octets).replace(b"\n", b"\r\n"), lambda octets: b"\r\n" + base64.b64encode(octets) + b"\r\n"])
def test_base64(world, refused_message, text):
    code, fields, body = ask(world, post(text(refused_message), "Content-Transfer-Encoding: Base64"))
    assert (code, fields["content-type"]) == (200, "application/mikey") and error_of(body) == AUTH


def test_bodies_at_the_limit(world):
    assert ask(world, post(bytes(16384)))[0] == 400  # not too long, and no message
    assert ask(world, post(bytes(16385)))[0] == 413
    assert ask(world, post(base64.b64encode(bytes(16384)), "Content-Transfer-Encoding: base64"))[0] == 400
    assert ask(world, post(b"A" * 40000, "Content-Transfer-Encoding: base64"))[0] == 413
    assert ask(world, post(b"", "Content-Length: 999999999999999999", length=False))[0] == 413
    assert ask(world, post(b"", "Content-Length: 99999999999999999999999999", length=False))[0] in (400, 413)
    assert ask(world, post(b"x", "Content-Transfer-Encoding: base64"))[0] == 400


@pytest.mark.parametrize("octets", [b"\r\n\r\n", b"GET\r\n\r\n", b"\0" * 100 + b"\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n",
                                    b"GET /status HTTP/1.1\r\nHost: " + b"x" * 20000 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00" + os.urandom(600)],
                         ids=["nothing", "no target", "zeros", "version", "long head", "TLS"])
def test_what_is_no_request(world, octets):
    with connect(world) as peer:
        try:
            peer.sendall(octets)
            peer.shutdown(socket.SHUT_WR)
            answer = Answers(peer).next()
        except OSError:
            answer = None  # it did not wait for all of it
        assert answer is None or answer[0] >= 400
    assert world.kms.status()["id"]


# Connections.

def test_keep_alive_and_pipelines(world, refused_message):
    with connect(world) as peer:
        answers = Answers(peer)
        for _ in range(3):  # one after the other
            peer.sendall(post(refused_message))
            assert error_of(answers.next()[2]) == AUTH
        many = 40  # all at once, good and bad
        peer.sendall(b"".join(post(refused_message) if n % 4 else post(b"x", target="/no") for n in range(many)))
        codes = [answers.next()[0] for _ in range(many)]
        assert codes == [200 if n % 4 else 404 for n in range(many)]
        peer.sendall(post(refused_message, "Connection: close"))
        assert answers.next()[0] == 200 and answers.next() is None


def test_http_1_0(world, refused_message):
    with connect(world) as peer:
        peer.sendall(post(refused_message).replace(b"HTTP/1.1", b"HTTP/1.0"))
        answers = Answers(peer)
        assert answers.next()[0] == 200 and answers.next() is None


def test_a_request_octet_by_octet(world, refused_message):
    with connect(world) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in post(refused_message):
            peer.sendall(bytes([octet]))
        assert error_of(Answers(peer).next()[2]) == AUTH


@pytest.mark.parametrize("begun", [b"P", b"POST /keymanagement?requesttype=ticketrequest HTTP/1.1\r\nHost: x\r\nX: ",
                                   post(bytes(400))[:-399]], ids=["line", "head", "body"])
def test_a_slow_client_is_cut_off(world, begun):
    """An octet now and then does not keep a connection; waiting for nothing does."""
    slow_before = world.kms.status()["limited"]["slow"]
    with connect(world) as idle, connect(world) as slow:
        slow.sendall(begun)
        end = time.monotonic() + 15
        with pytest.raises(OSError):
            while time.monotonic() < end:
                time.sleep(0.3)
                slow.sendall(b"x")
        assert time.monotonic() < end
        idle.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")  # longer silent than the slow one lived
        assert Answers(idle).next()[0] == 200
    assert world.kms.status()["limited"]["slow"] > slow_before


def test_one_address_has_so_many_connections():
    with World(config={"limits": {"connections": 8}, "threads": 1}) as world:
        peers = [connect(world) for _ in range(8)]
        for peer in peers:
            peer.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
            assert Answers(peer).next()[0] == 200
        with connect(world) as extra:
            try:
                extra.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
                assert extra.recv(100) == b""
            except ConnectionError:
                pass
        with socket.create_connection(("127.0.0.1", world.kms.port), timeout=10, source_address=("127.0.0.2", 0)) as other:
            other.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
            assert Answers(other).next()[0] == 200
        for peer in peers:
            peer.close()
        wait_until(world.kms._is_up, 10, "there is room again")


def test_ipv6_beside_ipv4():
    port = free_port(address="::1")
    with Kms(start=False) as kms:
        kms.config["kms"]["listen"].append(f"http://[::1]:{port}")
        kms.write_config()
        kms.start()
        with socket.create_connection(("::1", port), timeout=10) as peer:
            peer.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
            assert Answers(peer).next()[0] == 200
        assert kms.status()["users"] == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version,ok", [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_tls_versions(world, refused_message, version, ok):
    context = ssl.create_default_context(cafile=world.kms.certificate)
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    context.set_ciphers("ALL:@SECLEVEL=0")
    if not ok:
        with pytest.raises(OSError):
            world.kms.post(REQUEST, refused_message, tls=True, context=context)
        return
    assert error_of(world.kms.post(REQUEST, refused_message, tls=True, context=context)) == AUTH


def test_several_clients_at_once_over_tls(world, refused_message):
    context = ssl.create_default_context(cafile=world.kms.certificate)

    def client(_):
        connection = http.client.HTTPSConnection("127.0.0.1", world.kms.tls_port, timeout=30, context=context)
        for _ in range(10):
            connection.request("POST", REQUEST, refused_message, MIKEY)
            assert error_of(connection.getresponse().read()) == AUTH
        connection.close()
        return 10
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(client, range(24))) == 240


# SIGHUP.

class Load:
    """Clients that ask without pause on connections that stay; every request must be answered."""

    def __init__(self, kms, message, clients=4, tls=False):
        self.kms, self.message, self.tls = kms, message, tls
        self.answers, self.closed, self.wrong = 0, 0, []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def connect(self):
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.kms.port, timeout=20)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.kms.tls_port, timeout=20, context=context)

    def run(self):
        connection = self.connect()
        while not self.ending.is_set():
            try:
                connection.request("POST", REQUEST, self.message, MIKEY)
                answer = connection.getresponse()
                assert answer.status == 200 and error_of(answer.read()) == AUTH
                self.answers += 1
                if answer.will_close:
                    self.closed += 1
                    connection = self.connect()
            except Exception as error:  # pylint: disable=broad-except
                self.wrong.append(repr(error))
                return
        connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def hup(kms, what="configuration read again"):
    before = kms.log().count(what)
    kms.process.send_signal(signal.SIGHUP)
    wait_until(lambda: kms.log().count(what) > before, 20, what)


def shown_certificate(kms):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", kms.tls_port), timeout=10) as peer, context.wrap_socket(peer) as tls:
        return tls.getpeercert(binary_form=True)


def make_certificate(kms):
    """Another one in the place of what it has."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=again", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", kms.path("key.pem"), "-out", kms.path("cert.pem")],
                   check=True, capture_output=True)
    os.chmod(kms.path("key.pem"), 0o600)


@pytest.mark.sanitized
def test_sighup_loses_no_answer(refused_message):
    """New certificates, threads and policy while clients ask: each is answered, and new connections see what is new."""
    with World(tls=True, log_level="warn") as world:
        kms = world.kms
        kms.config["log"]["level"] = "info"
        kms.write_config()
        hup(kms)
        refused_one = {}
        world.request(psk=world.bob).run(lambda name, octets: refused_one.setdefault(name, octets))
        with Load(kms, refused_one["request"], tls=True) as secure, Load(kms, refused_one["request"]) as plain:
            for number in range(4):
                before = shown_certificate(kms)
                make_certificate(kms)
                kms.config["kms"]["threads"] = 1 + number % 3
                kms.config["log"]["level"] = "info"
                kms.write_config()
                kms.process.send_signal(signal.SIGHUP)
                wait_until(lambda: shown_certificate(kms) != before, 20, "the new certificate")
                answered = secure.answers, plain.answers
                wait_until(lambda: secure.answers > answered[0] + 8 and plain.answers > answered[1] + 8, 20, "clients go on")
        assert not secure.wrong and not plain.wrong, (secure.wrong, plain.wrong)
        assert secure.closed >= 4 and plain.closed >= 4  # on old connections the last answer says so


def test_sighup_takes_up_policy_and_addresses():
    with World() as world:
        kms, port = world.kms, free_port()
        assert world.request("--validity", 86000).run()["validity"] == 86000
        with connect(world) as kept:
            kms.config["kms"].update({"validity_max": "2h", "listen": [f"http://127.0.0.1:{kms.port}", f"http://127.0.0.1:{port}"]})
            kms.write_config()
            hup(kms)
            assert world.request("--validity", 86000).run()["validity"] == 7200
            for where in (kms.port, port):
                with connect(world, port=where) as peer:
                    peer.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert Answers(peer).next()[0] == 200
            kept.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")  # a connection of before
            code, fields, _ = Answers(kept).next()
            assert (code, fields["connection"].lower()) == (200, "close")
        kms.config["kms"]["listen"].pop()
        kms.config["kms"]["limits"]["identity"] = 1
        kms.write_config()
        hup(kms)
        with pytest.raises(OSError):
            connect(world, port=port)
        assert [world.request().run()["ok"] for _ in range(8)].count(False) > 0  # the new limit


@pytest.mark.parametrize("change,said", [({"store": "/elsewhere.db"}, "kms.store changes with a restart only"),
                                         ({"id": "sip:other.example"}, "kms.id changes with a restart only"),
                                         ({"validity": "3d"}, "validity"), ({"listen": ["http://192.0.2.1:1"]}, "must be https"),
                                         ({"tls": {"certificate": "/none", "key": "/none"}}, "/none")])
def test_sighup_on_a_wrong_configuration_changes_nothing(change, said):
    with World(tls=True) as world:
        world.kms.config["kms"].update({"validity_max": "2h", **change})
        world.kms.write_config()
        hup(world.kms, "what was before holds")
        assert said in world.kms.log()
        assert world.request("--validity", 86000).run()["validity"] == 86000
        assert world.dial_in(tls=True).run()["ok"]


def test_sighup_without_a_change_keeps_connections(world, refused_message):
    with connect(world) as peer:
        answers = Answers(peer)
        peer.sendall(post(refused_message))
        assert answers.next()[0] == 200
        hup(world.kms)
        peer.sendall(post(refused_message))
        code, fields, _ = answers.next()
        assert code == 200 and "close" not in fields.get("connection", "")
