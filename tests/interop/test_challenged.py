"""Calls of the focus that are asked for a password: RFC 3261 22.2 and 22.3, RFC 7616; by whom is called and by a proxy."""
import hashlib
import json
import re
import subprocess

import pytest

from node import program, wait_until
from people import Callee, Referrer
from sip import SipNode

OPEN = {"id": "demo", "security": "sdes", "identity": "none", "anonymous": True}
CREDENTIALS = [{"realm": "one.example", "user": "focus", "password": "a b;'c"}, {"realm": "two.example", "user": "conclave", "password": "second"}]
WWW = ("401 Unauthorized", "WWW-Authenticate", "authorization")
PROXY = ("407 Proxy Authentication Required", "Proxy-Authenticate", "proxy-authorization")


@pytest.fixture(scope="module")
def node():
    with SipNode(sip={"credentials": CREDENTIALS}, conferences=[OPEN]) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    if "node" in request.fixturenames:
        request.getfixturevalue("node").wait_participants(0)


def h(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def challenge(callee, how=WWW, realm="one.example", nonce="n1", more=', qop="auth"'):
    """Asked for a password."""
    status, header, _ = how
    callee.say(status, [f'{header}: Digest realm="{realm}", nonce="{nonce}"{more}'])
    callee.wait("ACK")


def again(callee):
    """The INVITE that comes then, in the place of the first one."""
    invitation = callee.wait()
    callee.take(invitation)
    return invitation


def is_right(invitation, how=WWW, realm="one.example", nonce="n1"):
    """An answer as RFC 7616 3.4.1 makes it."""
    line = next((value for value in invitation.headers.get(how[2], []) if f'realm="{realm}"' in value), "")
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', line))
    who = next(c for c in CREDENTIALS if c["realm"] == realm)
    uri = invitation.first.split()[1]
    wanted = h(h(who["user"], realm, who["password"]), nonce, fields.get("nc", ""), fields.get("cnonce", ""), "auth", h("INVITE", uri))
    return fields.get("username") == who["user"] and fields.get("uri") == uri and fields.get("response") == wanted


def call(node, callee):
    assert node.cli("conference", "call", "demo", callee.identity).returncode == 0
    return callee.wait()


def ends(node, callee):
    def record():
        return [row for row in node.http("/v1/records?conference=demo")["records"] if row["identity"] == callee.identity]

    node.wait_participants(0)
    return wait_until(record, 5, "a record")[0]


@pytest.mark.parametrize("how", [WWW, PROXY], ids=["by who is called", "by a proxy"])
def test_answered(node, how):
    with Callee(node) as bob:
        first = call(node, bob)
        assert how[2] not in first.headers
        challenge(bob, how)
        second = again(bob)
        assert second["call-id"] == first["call-id"] and second.body == first.body, "the same offer to the same one"
        assert int(second["cseq"].split()[0]) == int(first["cseq"].split()[0]) + 1 and is_right(second, how), second.text
        bob.say("180 Ringing")
        bob.accept()
        wait_until(lambda: [p["state"] for p in node.participants()] == ["connected"], 5, "bob")
        bob.bye()


def test_proxy_and_callee_both_ask(node):
    with Callee(node) as bob:
        call(node, bob)
        challenge(bob, PROXY, "two.example", "n2")
        assert is_right(again(bob), PROXY, "two.example", "n2")
        challenge(bob, WWW)
        third = again(bob)
        assert is_right(third, WWW) and third["proxy-authorization"], third.text
        bob.accept()
        node.wait_participants(1)
        bob.bye()


@pytest.mark.parametrize("realm", ["three.example", "one.exampl", "one.example.net"])
def test_nothing_for_another_realm(node, realm):
    with Callee(node) as bob:
        call(node, bob)
        challenge(bob, realm=realm)
        record = ends(node, bob)
        assert record["reason"] == "Is called with a password only" and record["status"] == 401, record
        assert bob.receive(0.3) is None


def test_a_wrong_password_is_tried_once(node):
    with Callee(node) as bob:
        call(node, bob)
        challenge(bob)
        again(bob)
        challenge(bob, nonce="n7")
        assert ends(node, bob)["reason"] == "Is called with a password only"
        assert bob.receive(0.3) is None


def test_a_stale_nonce_is_renewed(node):
    with Callee(node) as bob:
        call(node, bob)
        challenge(bob)
        again(bob)
        challenge(bob, nonce="n3", more=', qop="auth", stale=true')
        assert is_right(again(bob), nonce="n3")
        bob.say("486 Busy Here")
        bob.wait("ACK")


def test_who_sent_the_refer_hears_of_a_challenge_at_the_end_only(node):
    with Referrer(node) as alice, Callee(node) as bob:
        alice.join()
        assert alice.refer(bob.identity).status == 200
        bob.wait()
        challenge(bob)
        again(bob)
        challenge(bob, realm="three.example")
        assert alice.reports()[0] == [100, 401]
        alice.bye()


@pytest.mark.parametrize("credential, text", [({"realm": 'a"b', "user": "x", "password": "y"}, "quote or a colon"),
                                              ({"realm": "r", "user": "a:b", "password": "y"}, "quote or a colon"),
                                              ({"realm": "r", "user": "a", "password": "x:y"}, "quote or a colon"),
                                              ({"realm": "r", "user": "a"}, "password")])
def test_mistakes_are_named(tmp_path, credential, text):
    (tmp_path / "c.yaml").write_text(json.dumps({"sip": {"credentials": [credential]}}))
    result = subprocess.run([program("conclave-cp"), "--check", "--config", tmp_path / "c.yaml"], capture_output=True, text=True, timeout=20)
    assert result.returncode != 0 and text in result.stderr + result.stdout, result
