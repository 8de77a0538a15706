"""SIP identity, authentication, malformed messages and time-outs, octet by octet; the media plane is a fake one."""
import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

from node import free_port, program, wait_until
from sip import KEY, KEY2, CM80, Caller, SipNode, sdp

PASSWORD = "correct horse"
CONFERENCES = [
    {"id": "demo", "identity": "none", "anonymous": True},
    {"id": "members", "identity": "required"},
    {"id": "list", "identity": "required", "authorised": ["sip:alice@ims.example", "tel:+1-202-555-0100", "sip:bob@conclave"]},
    {"id": "lobby", "identity": "required", "anonymous": True},
]


@pytest.fixture(scope="module")
def node():
    with SipNode(sip={"trusted_peers": ["127.0.0.2", "127.0.1.0/24"], "accounts": [
            {"user": "bob", "password": PASSWORD},
            {"user": "carol", "ha1_md5": hashlib.md5(b"carol:conclave:x").hexdigest(), "ha1_sha256": hashlib.sha256(b"carol:conclave:x").hexdigest(),
             "uri": "sip:Carol.C@EXAMPLE.org"}], "nonce_lifetime": "2s"}, conferences=CONFERENCES) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    yield
    running = request.getfixturevalue("node")
    for conference in ("demo", "members", "list", "lobby"):
        running.wait_participants(0, conference)
    running.forget()


def challenges(answer):
    return [dict(re.findall(r'(\w+)="?([^",]+)"?', value)) for value in answer.headers["www-authenticate"]]


def credentials(caller, challenge, user, password, nc="00000001", method="INVITE", **changes):
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[challenge["algorithm"]]
    fields = {"username": user, "realm": challenge["realm"], "nonce": challenge["nonce"], "uri": caller.uri, "cnonce": "0a4f113b", "nc": nc,
              "qop": "auth", **changes}

    def h(*parts):
        return hashed(":".join(parts).encode()).hexdigest()

    fields["response"] = h(h(user, challenge["realm"], password), fields["nonce"], fields["nc"], fields["cnonce"], fields["qop"],
                           h(method, fields["uri"]))
    fields.update({key: value for key, value in changes.items() if key == "response"})
    quoted = ", ".join(f'{key}="{value}"' for key, value in fields.items() if key not in ("nc", "qop"))
    return f'Authorization: Digest {quoted}, nc={fields["nc"]}, qop={fields["qop"]}, algorithm={challenge["algorithm"]}'


def identity_of(node, conference):
    return node.wait_participants(1, conference)[0].get("identity")


def test_both_algorithms_are_offered_the_better_first(node):
    with Caller(node, "members") as caller:
        answer = caller.invite()
        assert answer.status == 401
        both = challenges(answer)
        assert [each["algorithm"] for each in both] == ["SHA-256", "MD5"]
        assert {each["realm"] for each in both} == {"conclave"} and all(each["qop"] == "auth" for each in both)


@pytest.mark.parametrize("which", [0, 1], ids=["sha256", "md5"])
def test_digest(node, which):
    with Caller(node, "members", from_header="<sip:bob@127.0.0.1>") as caller:
        challenge = challenges(caller.invite())[which]
        assert caller.invite([credentials(caller, challenge, "bob", PASSWORD)]).status == 200
        assert identity_of(node, "members") == "sip:bob@conclave"
        caller.bye()


def test_account_by_ha1_has_its_own_uri(node):
    with Caller(node, "members", from_header="<sip:carol.c@example.org>") as caller:
        challenge = challenges(caller.invite())[0]
        refused = caller.invite([credentials(caller, challenge, "carol", "x")])
        assert refused.status == 403, "the user part of a URI has regard to case"
    with Caller(node, "members", from_header="<sip:Carol.C@example.org>") as caller:
        challenge = challenges(caller.invite())[0]
        assert caller.invite([credentials(caller, challenge, "carol", "x")]).status == 200
        assert identity_of(node, "members") == "sip:Carol.C@example.org"
        caller.bye()


@pytest.mark.parametrize("user, password, changes", [
    ("bob", "wrong", {}), ("mallory", PASSWORD, {}), ("bob", PASSWORD, {"response": "0" * 64}), ("bob", PASSWORD, {"uri": "sip:list@127.0.0.1"}),
    ("bob", PASSWORD, {"realm": "elsewhere"}), ("bob", PASSWORD, {"nonce": "0" * 64}), ("bob", PASSWORD, {"qop": "auth-int"}),
    ("bob", PASSWORD, {"nc": "1"}), ("bob", PASSWORD, {"cnonce": ""}),
])
def test_wrong_credentials_get_another_challenge(node, user, password, changes):
    with Caller(node, "members", from_header="<sip:bob@127.0.0.1>") as caller:
        challenge = challenges(caller.invite())[0]
        answer = caller.invite([credentials(caller, challenge, user, password, **changes)])
        assert answer.status == 401
        assert "stale" not in challenges(answer)[0], "stale is only for who knows the password"
        assert challenges(answer)[0]["nonce"] != challenge["nonce"]


def test_replayed_credentials_are_stale(node):
    with Caller(node, "members", from_header="<sip:bob@127.0.0.1>") as caller:
        challenge = challenges(caller.invite())[0]
        line = credentials(caller, challenge, "bob", PASSWORD)
        assert caller.invite([line]).status == 200
        caller.bye()
    with Caller(node, "members", from_header="<sip:bob@127.0.0.1>") as thief:
        answer = thief.invite([line])
        assert answer.status == 401 and challenges(answer)[0]["stale"] == "true"
        again = thief.invite([credentials(thief, challenge, "bob", PASSWORD, nc="00000002")])
        assert again.status == 200, "the next count of the same nonce is good"
        thief.bye()


def test_old_nonce_is_stale(node):
    with Caller(node, "members", from_header="<sip:bob@127.0.0.1>") as caller:
        challenge = challenges(caller.invite())[0]
        time.sleep(2.2)
        answer = caller.invite([credentials(caller, challenge, "bob", PASSWORD)])
        assert answer.status == 401 and challenges(answer)[0]["stale"] == "true"


def test_account_cannot_speak_for_another(node):
    with Caller(node, "members", from_header="<sip:alice@ims.example>") as caller:
        challenge = challenges(caller.invite())[0]
        assert caller.invite([credentials(caller, challenge, "bob", PASSWORD)]).status == 403


def test_asserted_identity_of_a_trusted_peer(node):
    with Caller(node, "list", "127.0.0.2", "<sip:somebody@elsewhere>") as caller:
        assert caller.invite(['P-Asserted-Identity: "Alice" <sip:alice@IMS.example:5060;user=ip>']).status == 200
        assert identity_of(node, "list") == "sip:alice@ims.example"
        caller.bye()


def test_asserted_identity_of_a_prefix_of_peers(node):
    with Caller(node, "list", "127.0.1.77", "<sip:somebody@elsewhere>") as caller:
        assert caller.invite(["P-Asserted-Identity: <sip:alice@ims.example>"]).status == 200
        caller.bye()


@pytest.mark.parametrize("headers", [["P-Asserted-Identity: <sip:alice@ims.example>, <tel:+4930123>"],
                                     ["P-Asserted-Identity: <sip:x@ims.example>, <tel:+1.202.555.0100>"],
                                     ["P-Asserted-Identity: <sip:alice@ims.example>", "P-Asserted-Identity: <tel:+1-202-555-0100>"],
                                     ["P-Asserted-Identity: tel:+1-202-555-0100"]])
def test_two_asserted_values(node, headers):
    with Caller(node, "list", "127.0.0.2") as caller:
        assert caller.invite(headers).status == 200
        caller.bye()


def test_asserted_identity_that_is_not_on_the_list(node):
    with Caller(node, "list", "127.0.0.2") as caller:
        assert caller.invite(["P-Asserted-Identity: <sip:mallory@ims.example>"]).status == 403


@pytest.mark.parametrize("value", ["<sip:alice@ims.example>, <sip:bob@conclave>", "<sip:alice@ims.example", "alice"])
def test_malformed_asserted_identity_proves_nothing(node, value):
    with Caller(node, "list", "127.0.0.2") as caller:
        assert caller.invite([f"P-Asserted-Identity: {value}"]).status == 401


def test_asserted_identity_of_anybody_else_is_ignored(node):
    with Caller(node, "list", "127.0.0.3") as caller:
        assert caller.invite(["P-Asserted-Identity: <sip:alice@ims.example>"]).status == 401
    with Caller(node, "demo", "127.0.0.3", "<sip:mallory@elsewhere>") as caller:
        assert caller.invite(["P-Asserted-Identity: <sip:alice@ims.example>"]).status == 200
        assert identity_of(node, "demo") == "sip:mallory@elsewhere"
        caller.bye()


def test_privacy_hides_the_identity_in_the_roster(node):
    with Caller(node, "list", "127.0.0.2") as caller:
        assert caller.invite(['P-Asserted-Identity: "Alice" <sip:alice@ims.example>', "Privacy: id"]).status == 200
        shown = str(node.wait_participants(1, "list"))
        assert "alice" not in shown.lower()
        caller.bye()


ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'


def test_anonymous(node):
    for conference, status in (("members", 403), ("list", 403), ("lobby", 200), ("demo", 200)):
        with Caller(node, conference, from_header=ANONYMOUS) as caller:
            assert caller.invite().status == status, conference
            if status == 200:
                assert not identity_of(node, conference)
                caller.bye()


def test_anonymous_through_a_trusted_peer(node):
    with Caller(node, "members", "127.0.0.2", ANONYMOUS) as caller:
        assert caller.invite().status == 403


MALFORMED = [
    b"\r\n\r\n", b"\x00" * 40, b"INVITE", b"INVITE sip:demo@127.0.0.1 SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"\xff\xfe" * 500,
    b"INVITE sip:demo@127.0.0.1 SIP/2.0\r\nVia: x\r\n\r\n", b"A" * 60000,
]


@pytest.mark.parametrize("octets", MALFORMED, ids=range(len(MALFORMED)))
def test_garbage_is_survived(node, octets):
    with Caller(node) as caller:
        caller.send_octets(octets)
        assert caller.request("OPTIONS").status in (200, 400)
        assert caller.request("OPTIONS").status == 200


@pytest.mark.parametrize("drop", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_missing_header(node, drop):
    with Caller(node) as caller:
        caller.send("INVITE", body=sdp(), drop=[drop])
        answer = caller.receive(1)
        assert answer is None or answer.status == 400
        assert caller.request("OPTIONS").status == 200


def test_missing_contact(node):
    with Caller(node) as caller:
        assert caller.invite(drop=["Contact"]).status == 400


@pytest.mark.parametrize("user, status", [("demo", 200), ("nobody", 404)])
def test_options_says_once_what_is_accepted(node, user, status):
    with Caller(node, user) as caller:
        answer = caller.request("OPTIONS")
        assert answer.status == status
        assert answer.headers["accept"] == ["application/sdp"]


@pytest.mark.parametrize("method", ["REGISTER", "MESSAGE", "INFO", "PUBLISH", "DANCE"])
def test_method_that_we_do_not_have(node, method):
    with Caller(node) as caller:
        answer = caller.request(method)
        assert answer.status == (501 if method == "DANCE" else 405)
        assert "INVITE" in answer["allow"]


def test_subscribe_without_an_event_that_we_have(node):
    with Caller(node) as caller:
        for headers in ([], ["Event: presence"]):
            answer = caller.request("SUBSCRIBE", headers)
            assert answer.status == 489 and "conference" in answer["allow-events"], answer.text


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "PRACK"])
def test_request_of_no_dialog(node, method):
    with Caller(node) as caller:
        caller.to_tag = "nobody"
        assert caller.request(method).status == 481


def test_ack_and_cancel_of_nothing(node):
    with Caller(node) as caller:
        caller.send("ACK")
        assert caller.receive(0.3) is None
        assert caller.request("CANCEL").status == 481


def test_unsupported_body(node):
    with Caller(node) as caller:
        answer = caller.invite(body="hello", kind="text/plain")
        assert answer.status == 415 and answer["accept"] == "application/sdp"
    with Caller(node) as caller:
        answer = caller.invite(["Content-Encoding: gzip"])
        assert answer.status == 415 and answer["accept-encoding"] == "identity"
    with Caller(node) as caller:
        assert caller.invite(kind=None).status == 400


def test_optional_body_is_left_alone(node):
    with Caller(node) as caller:
        answer = caller.invite(["Content-Disposition: render;handling=optional"], body="hello", kind="text/plain")
        assert answer.status == 200 and "m=audio" in answer.body  # our offer
        bye = wait_until(lambda: (lambda m: m if m and m.method == "BYE" else None)(caller.receive(1)), 5, "BYE, for no answer came")
        caller.reply(bye)


def multipart(*parts):
    return "\n".join(f"--x\nContent-Type: {kind}\n{more}\n{body}" for kind, more, body in parts) + "\n--x--"


def test_multipart(node):
    with Caller(node) as caller:
        body = multipart(("application/sdp", "", sdp()), ("text/plain", "Content-Disposition: render;handling=optional\n", "hello"))
        assert caller.invite(body=body, kind="multipart/mixed;boundary=x").status == 200
        caller.bye()
    with Caller(node) as caller:
        body = multipart(("application/sdp", "", sdp()), ("application/isup", "", "1"))
        assert caller.invite(body=body, kind="multipart/mixed;boundary=x").status == 415
    with Caller(node) as caller:  # a multipart in another one, and a choice of which one part is known
        choice = multipart(("application/isup", "", "1"), ("application/sdp", "", sdp())).replace("--x", "--y")
        body = multipart(("multipart/alternative;boundary=y", "", choice), ("text/plain", "Content-Disposition: render;handling=optional\n", "hello"))
        assert caller.invite(body=body, kind="multipart/mixed;boundary=x").status == 200
        caller.bye()
    with Caller(node) as caller:
        choice = multipart(("application/isup", "", "1")).replace("--x", "--y")
        body = multipart(("application/sdp", "", sdp()), ("multipart/alternative;boundary=y", "", choice))
        assert caller.invite(body=body, kind="multipart/mixed;boundary=x").status == 415


def test_merged_request(node):
    node.faults(delay_ms=700)
    try:
        with Caller(node) as caller:
            caller.send("INVITE", body=sdp(), cseq=1)
            caller.send("INVITE", body=sdp(), cseq=1)  # another branch: it came by another way
            statuses = set()
            while statuses != {200, 482}:
                answer = caller.final()
                statuses.add(answer.status)
                if answer.status == 482:
                    caller.send("ACK", cseq=1, branch=re.search("branch=([^;]*)", answer["via"]).group(1))
            caller.cseq = 1
            caller.send("ACK", cseq=1)
            caller.bye()
    finally:
        node.faults()


def test_retransmitted_invite_is_one_call(node):
    with Caller(node) as caller:
        caller.send("INVITE", body=sdp(), cseq=1, branch="z9hG4bKsame" + caller.tag)
        caller.send("INVITE", body=sdp(), cseq=1, branch="z9hG4bKsame" + caller.tag)
        assert caller.final().status == 200
        caller.cseq = 1
        caller.send("ACK", cseq=1)
        assert len(node.wait_participants(1)) == 1
        caller.bye()


def test_missing_ack_ends_the_call(node):
    """200 again and again, then BYE (RFC 3261 13.3.1.4); T1 is 100 ms here."""
    with Caller(node) as caller:
        caller.send("INVITE", body=sdp())
        count = 0
        while True:
            message = caller.receive(5)
            assert message
            count += message.status == 200
            if message.method == "BYE":
                break
        assert count > 4
        assert "408" in message["reason"]
        caller.reply(message)


def test_lost_bye_is_sent_again(node):
    with Caller(node) as caller:
        assert caller.invite().status == 200
        leg = node.wait_participants(1)[0]["id"]
        node.http(f"/v1/conferences/demo/participants/{leg}", "DELETE")
        first, second = caller.receive(), caller.receive()
        assert first.method == second.method == "BYE" and first.text == second.text
        caller.reply(second)


def test_glare(node):
    """Our UPDATE or re-INVITE is under way: an offer gets 491."""
    with Caller(node) as caller:
        assert caller.invite().status == 200
        leg = node.asked("LEG_ADD")[-1]["leg"]
        node.event(5, leg, 2, 900)  # KEY_SOON, our sending key
        ours = caller.receive()
        assert ours.method == "INVITE" and "a=crypto:" in ours.body
        assert caller.request("UPDATE", body=sdp(version=2)).status == 491
        caller.reply(ours, "491 Request Pending")
        again = wait_until(lambda: (lambda m: m if m and m.method == "INVITE" and m["cseq"] != ours["cseq"] else None)(caller.receive(1)), 8,
                           "another try of our re-INVITE")
        caller.reply(again, body=sdp([again.body.partition("a=crypto:")[2].split()[0] + f" {CM80} {KEY2}"], version=3))
        while True:
            if caller.receive().method == "ACK":
                break
        wait_until(lambda: len([row for row in node.asked("KEY_INSTALL") if row["leg"] == leg and row["dir"] == 2]) == 2, 5, "our new key")
        caller.bye()


def test_update_while_the_invite_waits_for_its_ack(node):
    with Caller(node) as caller:
        answer = caller.request("INVITE", body=sdp())
        caller.target = re.search(r"<([^>]*)>", answer["contact"]).group(1)
        assert caller.request("INVITE", body=sdp(version=2)).status == 500, "overlapping INVITE"
        caller.send("ACK", cseq=1)
        caller.send("ACK", cseq=2)
        caller.bye()


def test_media_plane_away_and_back(node):
    with Caller(node) as caller:
        node.kill("dp")
        wait_until(lambda: caller.invite().status == 503, 5, "503 while there is no media plane")
    with Caller(node) as caller:
        answer = caller.invite()
        assert answer.status == 503 and int(answer["retry-after"]) > 0
    node.start_dp()

    def joins():
        with Caller(node) as late:
            if late.invite().status != 200:
                return False
            late.bye()
            return True

    wait_until(joins, 15, "calls that are taken again")


def tls_exchange(port, folder, text):
    context = ssl.create_default_context(cafile=str(folder / "cafile.pem"))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain, server_hostname="localhost") as stream:
        assert stream.version() in ("TLSv1.2", "TLSv1.3")
        stream.sendall(text.replace("\n", "\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += stream.recv(65536)
        return answer.decode()


def test_tls(node, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cafile.pem"], check=True,
                   capture_output=True)
    (tmp_path / "agent.pem").write_text((tmp_path / "cafile.pem").read_text() + (tmp_path / "key.pem").read_text())
    port = free_port()
    with SipNode(sip={"listen": [f"sips:127.0.0.1:{port}"], "tls_dir": str(tmp_path)}):
        answer = tls_exchange(port, tmp_path, f"""OPTIONS sip:demo@127.0.0.1:{port} SIP/2.0
Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKtls
From: <sip:a@b>;tag=1
To: <sip:demo@127.0.0.1>
Call-ID: tls
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

""")
        assert answer.startswith("SIP/2.0 200 ") and f"<sip:demo@127.0.0.1:{port};transport=tls>;isfocus" in answer


def test_too_many_calls(node):
    with SipNode(sip={"calls_max": 2}) as small:
        callers = [Caller(small) for _ in range(3)]
        assert [caller.invite().status for caller in callers] == [200, 200, 503]
        callers[0].bye()
        assert callers[2].invite().status == 200
        for caller in callers[1:]:
            caller.bye()


def test_flood_of_invites(node):
    """While the media plane thinks, only so many wait; the others get 503 and nobody gets nothing."""
    with SipNode(sip={"pending_max": 5, "t1": "1s"}) as small:
        small.faults(delay_ms=100)
        callers = [Caller(small) for _ in range(20)]
        for caller in callers:
            caller.send("INVITE", body=sdp())
        statuses = [caller.final(10).status for caller in callers]
        assert set(statuses) == {200, 503} and statuses.count(200) >= 5
        small.faults()
        for caller, status in zip(callers, statuses):
            if status == 200:
                caller.send("ACK", cseq=1)
                caller.bye()


def test_too_long_a_message(node):
    with Caller(node) as caller:
        caller.send("OPTIONS", ["X-Long: " + "x" * 50000])
        assert caller.final().status == 200
    with SipNode(sip={"message_max": "4K"}) as small, Caller(small) as caller:
        caller.send("OPTIONS", ["X-Long: " + "x" * 6000])
        answer = caller.receive(1)
        assert answer is None or answer.status in (400, 413)
        assert caller.request("OPTIONS").status == 200


def test_conclave_cp_says_what_is_wrong(node, tmp_path):
    def check(text):
        path = tmp_path / "c.yaml"
        path.write_text(text)
        result = subprocess.run([program("conclave-cp"), "--config", path, "--check"], capture_output=True, text=True, timeout=10)
        return result.returncode, result.stdout + result.stderr

    assert check("conferences:\n  - id: demo\n")[0] == 0
    for text, line, word in [
            ("sip:\n  trusted_peers: [10.0.0.1/40]\n", 2, "prefix"),
            ("sip:\n  listen: [\"udp:1.2.3.4\"]\n", 2, "sip:192.0.2.1:5060"),
            ("sip:\n  listen: [\"sips:127.0.0.1\"]\n", 2, "tls_dir"),
            ("sip:\n  accounts:\n    - user: bob\n", 3, "password"),
            ("sip:\n  accounts:\n    - user: bob\n      password: x\n      uri: http://x\n", 3, "uri"),
            ("security:\n  suites: [ROT13]\n", 2, "ROT13"),
            ("security:\n  plain_srtcp: false\n  suites: []\n", 3, "empty"),
            ("call:\n  ptime: 25ms\n", 2, "10ms"),
            ("call:\n  jitter_min: 100ms\n  jitter_max: 50ms\n", 2, "above"),
            ("http:\n  listen: 0.0.0.0:8480\n", 2, "loopback"),
            ("http:\n  listen: here\n", 2, "127.0.0.1:8480"),
            ("call:\n  codecs:\n    - PCMU\n    - MP3\n", 4, "MP3"),
            ("conferences:\n  - id: a\n  - id: a\n", 3, "line 2"),
            ("conferences:\n  - id: a\n    identity: none\n    authorised: [\"sip:x@y\"]\n", 2, "identity: required"),
            ("conferences:\n  - id: a\n    authorised:\n      - bob\n", 4, "bob"),
            ("conferences:\n  - title: x\n", 2, "id")]:
        status, said = check(text)
        assert status == 1 and f"c.yaml:{line}:" in said and word in said, said


PLAIN = sdp([], proto="RTP/AVP")


def test_plain_rtp_only_where_the_conference_allows_it():
    with SipNode(conferences=[{"id": name, "identity": "none", "security": name} for name in ("sdes", "either", "none")]) as own:
        for name, offer, status in (("sdes", PLAIN, 488), ("either", PLAIN, 200), ("none", PLAIN, 200), ("either", sdp(), 200), ("none", sdp(), 488)):
            with Caller(own, name) as caller:
                answer = caller.invite(body=offer)
                assert answer.status == status, (name, answer.text)
                assert status == 200 or answer["warning"].startswith("3")
                if status == 200:
                    assert own.asked("LEG_ADD")[-1]["secure"] == (offer != PLAIN)
                    assert ("a=crypto:" in answer.body) == (offer != PLAIN)
                    caller.bye()


def test_from_plain_to_secure_the_leg_is_made_anew():
    with SipNode(conferences=[{"id": "demo", "identity": "none", "security": "either"}]) as own, Caller(own) as caller:
        assert caller.invite(body=PLAIN).status == 200
        own.forget()
        answer = caller.invite(body=sdp(version=2))
        assert answer.status == 200 and "RTP/SAVP" in answer.body
        assert [row["type"] for row in own.asked("LEG_REMOVE", "LEG_ADD", "KEY_INSTALL")][:2] == ["LEG_REMOVE", "LEG_ADD"]
        wait_until(lambda: {row["dir"] for row in own.asked("KEY_INSTALL")} == {1, 2}, 5, "keys both ways")
        assert len(own.participants()) == 1
        caller.bye()


def test_hold_by_address(node):
    """The old way (RFC 2543): c=0.0.0.0; the leg keeps where it sent to."""
    with Caller(node) as caller:
        assert caller.invite().status == 200
        assert caller.invite(body=sdp(address="0.0.0.0", version=2)).status == 200
        held = node.asked("LEG_UPDATE")[-1]
        assert held["dirs"] == 1 and held["remote"] == ["127.0.0.1", 40000]
        assert caller.invite(body=sdp(version=3)).status == 200
        assert node.asked("LEG_UPDATE")[-1]["dirs"] == 3
        assert len(node.asked("KEY_INSTALL")) == 2
        caller.bye()


def test_new_media_plane_gets_all_legs_and_peers_new_keys(node):
    with Caller(node) as caller:
        answer = caller.invite()
        before = answer.body.partition("a=crypto:")[2].split()[2]
        node.kill("dp")
        node.forget()
        node.start_dp()
        ours = wait_until(lambda: (lambda m: m if m and m.method == "INVITE" else None)(caller.receive(1)), 15, "our re-INVITE")
        line = ours.body.partition("a=crypto:")[2].split()
        assert line[2] != before, "no key is used by two media planes"
        assert [row["type"] for row in node.asked("CONF_CREATE", "LEG_ADD")][-1] == "LEG_ADD"
        caller.reply(ours, body=sdp([f"{line[0]} {CM80} {KEY2}"], version=2))
        while caller.receive().method != "ACK":
            pass
        assert len(node.participants()) == 1
        caller.bye()


def test_restarted_control_plane_adopts(node):
    with SipNode() as own:
        with Caller(own) as caller:
            assert caller.invite().status == 200
            leg = own.asked("LEG_ADD")[-1]["leg"]
            own.kill("cp")
            own.forget()
            own.start_cp()
            assert [each["state"] for each in own.wait_participants(1)] == ["adopted"]
            assert not own.asked("LEG_REMOVE", "CONF_DESTROY"), "media goes on"
            assert caller.request("BYE").status == 481, "no store, no dialogs; with one see test_restart_dialogs"
            own.http(f"/v1/conferences/demo/participants/{leg}", "DELETE")
            own.wait_participants(0)
            wait_until(lambda: [row["id"] for row in own.asked("LEG_REMOVE")] == [leg], 5, "the leg is taken away")
        with Caller(own) as again:
            assert again.invite().status == 200
            again.bye()


def test_connections_that_say_half_a_message(node):
    """Many of them keep nobody else waiting, and all is given back."""
    descriptors = f"/proc/{node.cp.pid}/fd"
    before = len(os.listdir(descriptors))
    slow = [socket.create_connection(("127.0.0.1", node.sip_port)) for _ in range(300)]
    for each in slow:
        each.sendall(b"INVITE sip:demo@127.0.0.1 SIP/2.0\r\nVia: ")
    with Caller(node) as caller:
        assert caller.invite().status == 200
        caller.bye()
    for each in slow:
        each.close()
    wait_until(lambda: len(os.listdir(descriptors)) <= before, 10, "closed connections")


def test_sigterm_before_the_ack_waits_for_it_and_says_why():
    with SipNode() as own, Caller(own) as caller:
        assert caller.request("INVITE", body=sdp()).status == 200
        own.cp.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        caller.send("ACK", cseq=caller.cseq)
        while (bye := caller.receive()) and bye.method != "BYE":
            assert bye.status == 200, bye.text  # the 200 again, no BYE before the ACK (RFC 3261 15)
        assert bye and "going down" in bye["reason"], bye and bye.text
        caller.reply(bye)
        assert own.cp.wait(timeout=10) == 0
        own.cp = None


def test_from_ipv4_to_ipv6_the_leg_is_made_anew():
    """The address of a re-INVITE is of the other family: our end moves there too, under keys that nobody had."""
    with SipNode(media={"addresses": [{"address": "127.0.0.1"}, {"address": "::1"}]}) as own, Caller(own) as caller:
        before = caller.invite().body
        own.forget()
        answer = caller.invite(body=sdp([f"1 {CM80} {KEY2}"], address="::1", version=2))
        assert answer.status == 200 and "c=IN IP6 ::1" in answer.body, answer.text
        assert answer.body.partition("inline:")[2].split()[0] != before.partition("inline:")[2].split()[0]
        assert [row["type"] for row in own.asked("LEG_REMOVE", "LEG_ADD")] == ["LEG_REMOVE", "LEG_ADD"]
        wait_until(lambda: {row["dir"] for row in own.asked("KEY_INSTALL")} == {1, 2}, 5, "keys both ways")
        assert len(own.participants()) == 1
        assert "c=IN IP4 127.0.0.1" in caller.invite(body=sdp([f"1 {CM80} {KEY}"], version=3)).body
        caller.bye()


@pytest.mark.sanitized
def test_sigterm_ends_in_time_when_nobody_answers():
    with SipNode() as own, Caller(own) as caller, Caller(own) as pending:
        assert caller.invite().status == 200
        pending.send("INVITE", body=sdp())  # and no ACK
        assert pending.final().status == 200
        own.cp.send_signal(signal.SIGTERM)
        assert own.cp.wait(timeout=15) == 0, own.logs()
        own.cp = None


def test_reinvite_without_an_offer_keeps_our_key(node):
    """RFC 3261 14.2: our offer in the 200, the answer in the ACK. What we send goes on under the key that the peer has."""
    with Caller(node) as caller:
        ours = re.search(r"inline:\S+", caller.invite().body)[0]
        leg = node.wait_participants(1)[0]["id"]
        node.forget()
        offer = caller.request("INVITE")
        tag, again = re.search(r"a=crypto:(\d+) \S+ (inline:\S+)", offer.body).groups()
        assert offer.status == 200 and again == ours, offer.text
        caller.send("ACK", cseq=caller.cseq, body=sdp([f"{tag} {CM80} {KEY2}"], version=2))
        keys = wait_until(lambda: [row for row in node.asked("KEY_INSTALL") if row["leg"] == leg], 5, "their new key")
        assert {row["dir"] for row in keys} == {1}, "ours was installed again"
        assert len(node.participants()) == 1
        caller.bye()


def test_record_route_is_followed(node):
    with Caller(node) as caller, Caller(node) as proxy:
        assert caller.invite(["Record-Route: <sip:127.0.0.1:%d;lr>" % proxy.port]).status == 200
        node.http(f"/v1/conferences/demo/participants/{node.wait_participants(1)[0]['id']}", "DELETE")
        bye = proxy.receive()
        assert bye.method == "BYE" and bye["route"] == f"<sip:127.0.0.1:{proxy.port};lr>" and bye.first.split()[1].endswith(f":{caller.port}"), bye.text
        proxy.reply(bye)


@pytest.mark.parametrize("headers, expires", [
    (["Supported: timer", "Session-Expires: 1800"], "1800;refresher=uac"),
    (["Supported: timer", "Session-Expires: 1800;refresher=uas"], "1800;refresher=uas"),
    (["Session-Expires: 1800"], "1800;refresher=uas"),
    (["Supported: timer", "Session-Expires: 1800;refresher=uac", "Min-SE: 4000"], "4000;refresher=uac"),
])
def test_who_refreshes_the_session(node, headers, expires):
    """RFC 4028 9: the caller where it can and nobody says otherwise; never below its Min-SE."""
    with Caller(node) as caller:
        answer = caller.invite(headers)
        assert answer.status == 200 and answer["session-expires"] == expires, answer.text
        assert ("timer" in answer["require"]) == expires.endswith("uac")
        caller.bye()
