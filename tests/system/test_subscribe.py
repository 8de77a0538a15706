"""Watching a conference by the event package: who may, what is told when, and how it ends."""
import hashlib
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from mikey import Phone
from node import ROOT, Ue, program, wait_until
from sip import CM80, KEY, Caller, Message, SipNode, sdp
from watch import CMS, DOCUMENT, Watcher

ALICE, BOB = "sip:alice@ims.example", "sip:bob@ims.example"
SCHEMA = os.path.join(ROOT, "tests", "unit", "event", "conference-info.xsd")
TRUSTED = "127.0.0.2"
CONFERENCES = [
    {"id": "demo", "title": "Demo & more", "security": "sdes", "identity": "none", "anonymous": True},
    {"id": "list", "security": "sdes", "identity": "required", "authorised": [ALICE, BOB]},
    {"id": "members", "security": "sdes", "identity": "required"},
    {"id": "steered", "security": "sdes", "identity": "required", "authorised": [ALICE, BOB], "moderators": ["sip:mo@ims.example", "tel:+49301234"]},
    {"id": "believed", "security": "sdes", "identity": "none", "anonymous": True, "moderators": ["sip:mo@ims.example"]},
    {"id": "quiet", "security": "sdes", "identity": "none", "anonymous": True},
    {"id": "busy", "security": "sdes", "identity": "none", "anonymous": True},
]


@pytest.fixture(scope="module")
def node():
    with SipNode(sip={"trusted_peers": [TRUSTED], "accounts": [{"user": "bob", "password": "secret"}]}, conferences=CONFERENCES,
                 call={"answerer": "believed"}, notify={"interval": "200ms", "expires_min": "30s", "expires_max": "1200s"}) as running:
        yield running


def asserted(node, user, identity, **more):
    """A subscriber that a trusted proxy vouches for."""
    watcher = Watcher(node, user, address=TRUSTED, **more)
    watcher.vouched = [f"P-Asserted-Identity: <{identity}>"]
    return watcher


def joined(node, user="demo", name="alice", headers=()):
    caller = Caller(node, user, from_header=f'"{name.title()}" <sip:{name}@ims.example>')
    assert caller.invite(headers).status == 200
    return caller


def is_valid(text):
    checked = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, "-"], input=text, capture_output=True)
    assert checked.returncode == 0, checked.stderr.decode() + text.decode()


def test_full_then_partial(node):
    with Watcher(node) as watcher, joined(node) as alice:
        answer = watcher.subscribe()
        assert answer.status == 200 and answer["expires"] == "600" and "isfocus" in answer["contact"]
        watcher.wait(lambda r: r.text(ALICE, "status") == "connected", "Alice in the roster")
        first = watcher.notifies[0]
        assert first["event"] == "conference" and first["content-type"] == DOCUMENT
        assert re.fullmatch(r"active;expires=(600|599)", first["subscription-state"])
        assert watcher.roster.entity == node.uri()
        assert watcher.roster.description["subject"] == "Demo & more"
        assert watcher.roster.state == {"user-count": "1", "active": "true", "locked": "false"}
        assert watcher.roster.users[ALICE]["display"] == "Alice"
        assert watcher.roster.users[ALICE]["roles"] == ["participant"]
        assert watcher.roster.text(ALICE, "joining-method") == "dialed-in"
        assert watcher.roster.text(ALICE, "media/status") == "sendrecv"
        with joined(node, name="bob") as bob:
            watcher.wait(lambda r: r.text(BOB, "status") == "connected", "Bob in the roster")
            assert watcher.roster.kinds[0] == "full" and watcher.roster.kinds[-1] == "partial"
            assert watcher.roster.state["user-count"] == "2"
            assert b"alice" not in watcher.notifies[-1].octets  # did not change
            leg = next(each["id"] for each in node.participants() if each.get("identity") == BOB)
            node.http(f"/v1/conferences/demo/participants/{leg}/mute", "POST")
            watcher.wait(lambda r: r.text(BOB, "status") == "muted-via-focus", "Bob muted")
            assert watcher.roster.text(BOB, "media/status") == "recvonly"
            bob.bye()
            watcher.wait(lambda r: r.text(BOB, "status") == "disconnected", "Bob gone")
            assert watcher.roster.text(BOB, "disconnection-method") == "departed"
            assert watcher.roster.state["user-count"] == "1"
            watcher.wait(lambda r: BOB not in r.users, "Bob forgotten", 20)
        for notify in watcher.notifies:
            is_valid(notify.octets)
        alice.bye()
        assert watcher.subscribe(expires=0).status == 200
        wait_until(lambda: watcher.notify(1) is None and watcher.last_state.startswith("terminated"), 10, "the last NOTIFY")


def test_fetch(node):
    with Watcher(node) as watcher, joined(node) as alice:
        assert watcher.subscribe(expires=0)["expires"] == "0"
        watcher.wait(lambda r: ALICE in r.users, "one document")
        assert watcher.last_state == "terminated;reason=timeout" and watcher.roster.kinds == ["full"]
        alice.bye()
        assert watcher.notify(2) is None


def test_refresh_gives_a_full_document_under_the_next_version(node):
    with Watcher(node) as watcher:
        watcher.subscribe(event="conference;id=7")
        watcher.wait(lambda r: r.version == 1, "the first")
        assert watcher.notifies[0]["event"] == "conference;id=7"
        assert watcher.subscribe(event="conference;id=7", expires=90)["expires"] == "90"
        watcher.wait(lambda r: r.version == 2, "the second")
        assert watcher.roster.kinds == ["full", "full"]
        assert watcher.last_state in ("active;expires=90", "active;expires=89")
        assert watcher.subscribe(event="conference;id=7", expires=0).status == 200
        watcher.wait(lambda r: watcher.last_state.startswith("terminated"), "the end")
        assert watcher.roster.version == 3
        # its dialog is gone
        assert watcher.subscribe(event="conference;id=7").status == 481


@pytest.mark.parametrize("fields, status, header", [
    ({"event": "presence"}, 489, ("allow-events", "conference")),
    ({"event": None}, 489, ("allow-events", "conference")),
    ({"expires": 10}, 423, ("min-expires", "30")),
    ({"accept": "application/pidf+xml"}, 406, ("accept", DOCUMENT)),
    ({"body": "<filter/>", "kind": "application/simple-filter+xml"}, 415, ("accept", "application/mikey")),
    ({"body": "AQ", "kind": "application/mikey"}, 488, None),
    ({"drop": ("Contact",)}, 400, None),
], ids=["event", "no event", "brief", "accept", "filter", "no mikey here", "no contact"])
def test_refused(node, fields, status, header):
    with Watcher(node) as watcher:
        answer = watcher.subscribe(**fields)
        assert answer.status == status, answer.text
        if header:
            assert header[1] in ", ".join(answer.headers[header[0]])
        assert watcher.notify(0.5) is None


def test_an_optional_body_and_any_accept_are_taken(node):
    with Watcher(node) as watcher:
        answer = watcher.subscribe(body="x", kind="text/plain", headers=["Content-Disposition: render;handling=optional"], accept="*/*")
        assert answer.status == 200
        watcher.wait(lambda r: r.version == 1, "a document")
        watcher.subscribe(expires=0)


def multipart(*parts, kind="mixed", boundary="x"):
    """A body, and its type."""
    body = "\n".join(f"--{boundary}\nContent-Type: {kind}\n{more}\n{text}" for kind, more, text in parts) + f"\n--{boundary}--"
    return {"body": body, "kind": f"multipart/{kind};boundary={boundary}"}


OPTIONAL, REQUIRED = "Content-Disposition: render;handling=optional\n", "Content-Disposition: session;handling=required\n"
NOTE, FILTER = ("text/plain", OPTIONAL, "hello"), ("application/simple-filter+xml", REQUIRED, "<filter/>")


def inner(part, disposition="", **more):
    made = multipart(part, boundary="y", **more)
    return made["kind"], disposition, made["body"]


@pytest.mark.parametrize("fields, status", [
    (multipart(NOTE), 200),
    (multipart(NOTE, NOTE), 200),
    (multipart(NOTE, FILTER), 415),
    (multipart(("text/plain", "", "required, where nothing is said")), 415),
    (multipart(inner(NOTE)), 200),
    (multipart(NOTE, inner(FILTER)), 415),
    (multipart(inner(FILTER, OPTIONAL)), 200),
    (multipart(NOTE, inner(NOTE), kind="related"), 200),
    (multipart(NOTE, FILTER, kind="alternative"), 415),
    (multipart(inner(FILTER, OPTIONAL, kind="alternative")), 200),
    ({**multipart(FILTER), "headers": ["Content-Disposition: session;handling=optional"]}, 200),
    ({"body": "no boundary", "kind": "multipart/mixed;boundary=x"}, 400),
    ({"body": "x", "kind": "application/mikey", "headers": ["Content-Encoding: gzip"]}, 415),
    ({"body": "x", "kind": "text/plain", "headers": ["Content-Encoding: gzip", OPTIONAL.strip()]}, 200),
    (multipart(("application/mikey", "Content-Encoding: gzip\n", "AQ")), 415),
    (multipart(("application/mikey", "", "AQ")), 488),  # it is looked at
    (multipart(NOTE, inner(("application/mikey", "", "AQ"))), 488),
    (multipart(FILTER, ("application/mikey", "", "AQ"), kind="alternative"), 488),
], ids=["optional", "two optional", "a filter", "no disposition", "nested", "nested filter", "nested optional filter", "related", "no alternative",
        "optional alternative", "all optional", "no multipart", "encoded", "optional encoded", "part encoded", "mikey", "nested mikey", "alternative mikey"])
def test_bodies_of_several_parts(node, fields, status):
    """RFC 5621: what is not known is refused, unless it is optional."""
    with Watcher(node) as watcher:
        answer = watcher.subscribe(**fields)
        assert answer.status == status, answer.text
        if status == 415:
            assert answer["accept"] == "application/mikey, multipart/mixed" and answer["accept-encoding"] == "identity"
        elif status == 200:
            watcher.wait(lambda r: r.version == 1, "a document")
            watcher.subscribe(expires=0)


def test_long_subscriptions_are_cut(node):
    with Watcher(node) as watcher:
        assert watcher.subscribe(expires=99999)["expires"] == "1200"
        assert watcher.subscribe(expires=None)["expires"] == "1200"
        watcher.subscribe(expires=0)


def test_nobody_subscribes_to_no_conference(node):
    with Watcher(node, "nowhere") as watcher:
        assert watcher.subscribe().status == 404


def test_only_who_is_on_the_list(node):
    with asserted(node, "list", "sip:eve@ims.example") as eve:
        answer = eve.subscribe(headers=eve.vouched)
        assert answer.status == 403 and "list" in answer["warning"]
    with asserted(node, "list", ALICE) as alice:
        assert alice.subscribe(headers=alice.vouched).status == 200
        alice.wait(lambda r: r.version == 1, "a document")
        alice.subscribe(expires=0)


def test_digest_as_for_a_call(node):
    with Watcher(node, "members", from_header="<sip:bob@127.0.0.1>") as watcher:
        answer = watcher.subscribe()
        assert answer.status == 401
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', answer.headers["www-authenticate"][0]))

        def h(*parts):
            return hashlib.sha256(":".join(parts).encode()).hexdigest()

        response = h(h("bob", fields["realm"], "secret"), fields["nonce"], "00000001", "0a4f", "auth", h("SUBSCRIBE", watcher.uri))
        line = (f'Authorization: Digest username="bob", realm="{fields["realm"]}", nonce="{fields["nonce"]}", uri="{watcher.uri}", '
                f'cnonce="0a4f", nc=00000001, qop=auth, algorithm=SHA-256, response="{response}"')
        assert watcher.subscribe(headers=[line]).status == 200
        watcher.wait(lambda r: r.version == 1, "a document")
        watcher.subscribe(expires=0)
    with Watcher(node, "members", from_header="<sip:anonymous@anonymous.invalid>") as nobody:
        assert nobody.subscribe().status == 403


def test_private_people_are_anonymous(node):
    with Watcher(node, "quiet") as watcher, joined(node, "quiet", headers=["Privacy: id"]) as alice:
        watcher.subscribe()
        watcher.wait(lambda r: r.users, "somebody")
        user, = watcher.roster.users
        assert re.fullmatch(r"sip:anonymous\d+@anonymous\.invalid", user)
        assert watcher.roster.users[user]["display"].startswith("Anonymous ")
        for notify in watcher.notifies:
            assert b"lice" not in notify.octets
        alice.bye()
        watcher.subscribe(expires=0)


MO = "sip:mo@ims.example"


def dialog_in(roster, user):
    """call-id, from-tag and to-tag of the user's call; None: not told."""
    names = [roster.text(user, f"call-info/sip/{name}") for name in ("call-id", "from-tag", "to-tag")]
    return tuple(names) if all(names) else None


def test_dialogs_are_told_to_those_who_steer(node):
    """RFC 4575 5.7.9: who knows a dialog's name can put himself into it; who may remove its participant anyway sees it, nobody else."""
    with asserted(node, "steered", MO) as mo, asserted(node, "steered", BOB) as bob, Phone(node) as phone:
        for each in (mo, bob):
            assert each.subscribe(headers=each.vouched).status == 200
        alice, eve = (Caller(node, "steered", address=TRUSTED) for _ in range(2))
        assert alice.invite([f'P-Asserted-Identity: "Alice" <{ALICE}>', "User-Agent: Softphone/1"]).status == 200
        assert eve.invite([f"P-Asserted-Identity: <{BOB}>", "Privacy: id"]).status == 200
        mo.wait(lambda r: r.state.get("user-count") == "2", "both of them")
        bob.wait(lambda r: r.state.get("user-count") == "2", "both of them")
        assert dialog_in(mo.roster, ALICE) == (alice.call_id, alice.tag, alice.to_tag)
        assert mo.roster.text(ALICE, "call-info/sip/display-text") == "Softphone/1"
        hidden, = (user for user in mo.roster.users if "anonymous" in user)
        assert dialog_in(mo.roster, hidden) is None
        assert dialog_in(bob.roster, ALICE) is None
        for notify in bob.notifies:
            assert b"call-info" not in notify.octets and alice.call_id.encode() not in notify.octets
        for notify in mo.notifies:
            is_valid(notify.octets)
            assert eve.call_id.encode() not in notify.octets
        # whom we called: its first From was ours
        dave = f"sip:dave@127.0.0.1:{phone.port}"
        node.cli("conference", "call", "steered", dave)
        request = phone.wait()
        suite, = re.findall(rf"a=crypto:(\d+) {CM80} ", request.body)
        phone.answer(sdp(crypto=(f"{suite} {CM80} {KEY}",)))
        mo.wait(lambda r: r.text(dave, "status") == "connected", "Dave")
        assert dialog_in(mo.roster, dave) == (phone.call_id, phone.to_tag, phone.tag)
        # who becomes a moderator sees them from then on, and no longer than that
        assert b'state="full"' in bob.notifies[0].octets and bob.roster.kinds[-1] == "partial"
        leg = str(next(each["id"] for each in node.participants("steered") if each["private"]))
        node.cli("participant", "role", "steered", leg, "moderator")
        bob.wait(lambda r: dialog_in(r, ALICE) is not None, "the dialogs")
        assert bob.roster.kinds[-1] == "full"
        node.cli("participant", "role", "steered", leg, "participant")
        bob.wait(lambda r: dialog_in(r, ALICE) is None and ALICE in r.users, "that they are gone")
        assert bob.roster.kinds[-1] == "full"
        for each in (mo, bob):
            each.subscribe(expires=0)
        alice.bye()
        eve.bye()
        for each in (alice, eve):
            each.socket.close()


def test_dialogs_are_told_to_a_moderator_known_by_number(node):
    with asserted(node, "steered", "sip:anne@ims.example") as anne:
        alice = Caller(node, "steered", address=TRUSTED)
        assert alice.invite([f"P-Asserted-Identity: <{ALICE}>"]).status == 200
        assert anne.subscribe(headers=["P-Asserted-Identity: <sip:anne@ims.example>, <tel:+49301234>"]).status == 200
        anne.wait(lambda r: dialog_in(r, ALICE) == (alice.call_id, alice.tag, alice.to_tag), "Alice's dialog")
        anne.subscribe(expires=0)
        alice.bye()
        alice.socket.close()


def test_dialogs_are_not_told_to_who_only_says_to_steer(node):
    with Watcher(node, "believed", from_header=f"<{MO}>") as mo, joined(node, "believed") as alice:
        assert mo.subscribe().status == 200
        mo.wait(lambda r: ALICE in r.users, "Alice")
        assert dialog_in(mo.roster, ALICE) is None
        mo.subscribe(expires=0)
        alice.bye()


def test_who_hosts(node, tmp_path):
    with Watcher(node) as watcher:  # nobody says: the machine of the URI
        assert watcher.subscribe(expires=0).status == 200
        watcher.wait(lambda r: r.version == 1, "a document")
        assert b"<host-info><display-text>127.0.0.1</display-text></host-info>" in watcher.notifies[0].octets
    host = {"host_name": "Conferences & more", "host_page": "https://focus.example/", "host_uri": "tel:+4930123"}
    with SipNode(notify=host, conferences=CONFERENCES[:1]) as other, Watcher(other) as watcher:
        assert watcher.subscribe(expires=0).status == 200
        watcher.wait(lambda r: r.version == 1, "a document")
        is_valid(watcher.notifies[0].octets)
        assert (b"<host-info><display-text>Conferences &amp; more</display-text><web-page>https://focus.example/</web-page>"
                b"<uris><entry><uri>tel:+4930123</uri></entry></uris></host-info>") in watcher.notifies[0].octets
    path = tmp_path / "conclave.yaml"
    path.write_text("notify:\n  host_page: focus.example\n  host_uri: help\n")
    result = subprocess.run([program("conclave-cp"), "--check", "--config", str(path)], capture_output=True, text=True, timeout=20)
    assert result.returncode != 0
    assert f"{path}:2: 'notify.host_page' is no web page" in result.stderr and f"{path}:3: 'notify.host_uri' is no URI" in result.stderr, result.stderr


def test_in_the_dialog_of_a_call(node):
    with Watcher(node, from_header='"Alice" <sip:alice@ims.example>') as watcher:
        assert watcher.invite().status == 200
        assert watcher.subscribe().status == 200
        watcher.wait(lambda r: r.text(ALICE, "status") == "connected", "herself")
        # the subscription outlives the call (RFC 5057)
        watcher.send("BYE")
        watcher.wait(lambda r: r.text(ALICE, "status") == "disconnected", "that she left")
        assert watcher.subscribe(expires=0).status == 200
        watcher.wait(lambda r: watcher.last_state.startswith("terminated"), "the end")


def test_changes_are_merged(node):
    """At most one NOTIFY each interval, however much happens."""
    with Watcher(node, "busy") as watcher:
        watcher.subscribe()
        watcher.wait(lambda r: r.version == 1, "a document")
        people = [joined(node, "busy", name=f"p{i}") for i in range(12)]
        watcher.wait(lambda r: r.state["user-count"] == "12", "all of them")
        gaps = [b.at - a.at for a, b in zip(watcher.notifies, watcher.notifies[1:])]
        assert all(gap > 0.15 for gap in gaps[1:]), gaps
        for person in people:
            person.bye()
            person.socket.close()
        watcher.wait(lambda r: r.state["user-count"] == "0", "all gone")
        watcher.subscribe(expires=0)


@pytest.mark.parametrize("answer", ["481 Subscription Does Not Exist", "603 Decline"])
def test_who_refuses_a_notify_subscribes_no_more(node, answer):
    with Watcher(node) as watcher:
        watcher.answers_with = answer
        watcher.subscribe()
        watcher.wait(lambda r: r.version == 1, "a document")
        watcher.notify(1)  # the farewell; who has no such subscription answers 481 to that too
        if answer.startswith("603"):
            assert watcher.last_state == "terminated;reason=probation;retry-after=60"
        with joined(node) as alice:
            assert watcher.notify(1.5) is None
            alice.bye()


def test_who_does_not_answer_subscribes_no_more(node):
    with Watcher(node) as watcher:
        watcher.subscribe()
        watcher.wait(lambda r: r.version == 1, "a document")
        with joined(node) as alice:
            # t1 is 100 ms: after 6.4 s the NOTIFY has failed
            wait_until(lambda: f"answered NOTIFY with 408" in node.logs(), 20, "the time-out")
            alice.bye()


def test_the_conference_ends(node):
    node.http("/v1/conferences", "POST", {"id": "brief", "security": "none", "open": True, "anonymous": True})
    with Watcher(node, "brief") as watcher:
        assert watcher.subscribe().status == 200
        watcher.wait(lambda r: r.version == 1, "a document")
        node.http("/v1/conferences/brief", "DELETE")
        watcher.wait(lambda r: r.kinds[-1] == "deleted", "the end")
        assert watcher.last_state == "terminated;reason=noresource"
        is_valid(watcher.notifies[-1].octets)


def is_whole(octets):
    """A message with all of its body: a stream may bring it in pieces."""
    head, _, body = octets.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return length and len(body) >= int(length.group(1))


def by_stream(listener, seconds=10):
    """One message that comes by TCP, answered."""
    listener.settimeout(seconds)
    connection, _ = listener.accept()
    connection.settimeout(seconds)
    octets = b""
    with connection:
        while not is_whole(octets):
            octets += connection.recv(1 << 16)
        message = Message(octets.decode(errors="replace"))
        message.octets = octets.partition(b"\r\n\r\n")[2]
        lines = ["SIP/2.0 200 OK"] + [f"{name}: {value}" for name in ("Via", "From", "To", "Call-ID", "CSeq") for value in message.headers[name.lower()]]
        connection.sendall(("\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n").encode())
    return message


def test_documents_that_no_datagram_holds():
    """By TCP, where the subscriber listens there too; who has UDP alone is told to come again, and the log says why."""
    crowd = 170
    conferences = [{"id": "demo", "security": "none", "identity": "none", "anonymous": True, "loudest": 4}]
    with SipNode(conferences=conferences, notify={"interval": "200ms"}, media={"udp_ports": {"per_worker": 512}}) as node:
        phones = Ue(node.uri(), "--count", crowd, "--plain", "--rate", 60, "--quiet", "--from", f"sip:{'n' * 190}%d@long.ims.example", seconds=30)
        node.wait_participants(crowd, seconds=25)
        for expires in (600, 0):
            with Watcher(node) as watcher:
                assert watcher.subscribe(expires=expires).status == 200
                watcher.wait(lambda r: watcher.last_state.startswith("terminated"), "the end")
                assert watcher.last_state == "terminated;reason=probation;retry-after=60"
                assert not watcher.notifies[-1].octets
        logged = re.findall(r"(\d+) octets of NOTIFY do not reach subscriber 127.0.0.1:\d+/UDP by UDP; it needs TCP", node.logs())
        assert len(logged) == 2 and all(int(octets) > 65535 for octets in logged), node.logs()
        for expires, end in ((0, "terminated;reason=timeout"), (600, "active;expires=600")):
            with Watcher(node) as watcher, socket.create_server(("127.0.0.1", watcher.port)) as listener:
                watcher.send("SUBSCRIBE", ["Event: conference", f"Expires: {expires}", f"Accept: {DOCUMENT}"])
                document = by_stream(listener)
                watcher.roster.take(document.octets)
                assert len(document.octets) > 65535 and len(watcher.roster.users) == crowd
                assert watcher.final().status == 200
                if expires == 0:
                    watcher.wait(lambda r: watcher.last_state == end, "the end")
                else:
                    assert document["subscription-state"] in (end, "active;expires=599")
        assert node.http("/v1/status")["participants"] == crowd
        phones.stop()


def test_limits():
    with SipNode(notify={"subscribers_max": 2, "per_conference": 1, "interval": "200ms"}, conferences=CONFERENCES[:1] + [
            {"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in ("one", "two")]) as node:
        with Watcher(node) as first, Watcher(node) as second, Watcher(node, "one") as third, Watcher(node, "two") as fourth:
            assert first.subscribe().status == 200
            refused = second.subscribe()
            assert refused.status == 503 and refused["retry-after"]
            assert third.subscribe().status == 200
            assert fourth.subscribe().status == 503
            first.notify(1)
            assert first.subscribe(expires=0).status == 200
            assert fourth.subscribe().status == 200


def test_time_is_over_and_the_program_ends():
    with SipNode(notify={"interval": "200ms", "expires_min": "1s"}, conferences=CONFERENCES[:1]) as node:
        with Watcher(node) as brief, Watcher(node) as longer:
            assert brief.subscribe(expires=2).status == 200
            assert longer.subscribe(expires=600).status == 200
            longer.wait(lambda r: r.version == 1, "a document")
            brief.wait(lambda r: brief.last_state.startswith("terminated"), "its time")
            assert brief.last_state == "terminated;reason=timeout"
            node.cp.send_signal(signal.SIGTERM)
            longer.wait(lambda r: longer.last_state.startswith("terminated"), "the farewell")
            assert longer.last_state == "terminated;reason=probation;retry-after=5"
            assert node.cp.wait(20) == 0
            node.cp = None
            # after a restart nobody knows the dialog; a new one is taken
            node.start_cp()
            assert longer.subscribe().status == 481
        with Watcher(node) as again:
            assert again.subscribe().status == 200
            again.wait(lambda r: r.version == 1, "a document")


def test_a_crash_loses_subscriptions_and_they_come_anew():
    with SipNode(notify={"interval": "200ms"}, conferences=CONFERENCES[:1]) as node:
        with Watcher(node) as watcher, joined(node):
            watcher.subscribe()
            watcher.wait(lambda r: r.version == 1, "a document")
            node.kill("cp")
            node.start_cp()
            assert watcher.subscribe().status == 481  # RFC 6665 4.1.2.2: subscribe anew
            with Watcher(node) as again:
                assert again.subscribe().status == 200
                again.wait(lambda r: r.users, "whom the media plane still has")


def leg_of(node, identity, conference="demo"):
    return str(next(each["id"] for each in node.participants(conference) if each.get("identity") == identity))


def test_what_operators_do_is_told(node):
    with Watcher(node, "quiet") as watcher, joined(node, "quiet", "carol"):
        carol = "sip:carol@ims.example"
        watcher.subscribe()
        watcher.wait(lambda r: r.text(carol, "status") == "connected", "Carol")
        node.cli("conference", "lock", "quiet")
        watcher.wait(lambda r: r.state["locked"] == "true", "the lock")
        node.cli("conference", "unlock", "quiet")
        node.cli("participant", "role", "quiet", leg_of(node, carol, "quiet"), "moderator")
        watcher.wait(lambda r: r.users[carol]["roles"] == ["moderator"], "the role")
        node.cli("conference", "update", "quiet", "--title", "Quiet <now>")
        watcher.wait(lambda r: r.description["display-text"] == "Quiet <now>", "the title")
        node.cli("participant", "deaf", "quiet", leg_of(node, carol, "quiet"))
        watcher.wait(lambda r: r.text(carol, "media/status") == "sendonly", "that she hears nobody")
        node.cli("participant", "remove", "quiet", leg_of(node, carol, "quiet"))
        watcher.wait(lambda r: r.text(carol, "disconnection-method") == "booted", "that she was removed")
        assert watcher.roster.text(carol, "disconnection-info/when")
        for notify in watcher.notifies:
            is_valid(notify.octets)
        watcher.subscribe(expires=0)


@pytest.mark.parametrize("answer, method", [("486 Busy Here", "busy"), ("603 Decline", "failed")], ids=["busy", "declines"])
def test_who_is_called_and_does_not_come(node, answer, method):
    with Watcher(node, "busy") as watcher, Phone(node) as phone:
        watcher.subscribe()
        watcher.wait(lambda r: r.version == 1, "a document")
        dave = f"sip:dave@127.0.0.1:{phone.port}"
        node.cli("conference", "call", "busy", dave)
        request = phone.wait()
        watcher.wait(lambda r: r.text(dave, "status") in ("dialing-out", "alerting"), "the call")
        phone.reply(request, "180 Ringing")
        watcher.wait(lambda r: r.text(dave, "status") == "alerting", "that it rings")
        request.headers["to"] = [request["to"] + ";tag=" + phone.tag]
        phone.reply(request, answer)
        watcher.wait(lambda r: r.text(dave, "disconnection-method") == method, "why it did not come about")
        assert watcher.roster.text(dave, "joining-method") == "dialed-out"
        assert answer[:3] in watcher.roster.text(dave, "disconnection-info/reason")
        for notify in watcher.notifies:
            is_valid(notify.octets)
        watcher.subscribe(expires=0)


def test_off_the_list_is_out(node):
    with asserted(node, "list", ALICE) as alice, asserted(node, "list", BOB) as bob:
        for each in (alice, bob):
            assert each.subscribe(headers=each.vouched).status == 200
            each.wait(lambda r: r.version == 1, "a document")
        node.cli("authorised", "remove", "list", ALICE)
        alice.wait(lambda r: alice.last_state.startswith("terminated"), "the end")
        assert alice.last_state == "terminated;reason=rejected"
        assert bob.last_state.startswith("active")
        assert bob.subscribe(expires=0).status == 200
        with asserted(node, "list", ALICE) as again:
            assert again.subscribe(headers=again.vouched).status == 403
        node.cli("authorised", "add", "list", ALICE)


def test_two_subscriptions_in_one_dialog(node):
    """Each with its id: RFC 6665 4.5.2 lets them live and end apart."""
    with Watcher(node) as watcher:
        first, second = "conference;id=1", "conference;id=2"
        assert watcher.invite().status == 200
        assert watcher.subscribe(event=first).status == 200
        watcher.notify()
        one, watcher.roster = watcher.roster, type(watcher.roster)()
        assert watcher.subscribe(event=second).status == 200
        watcher.notify()
        assert one.version == 1 and watcher.roster.version == 1
        assert {each["event"] for each in watcher.notifies} == {first, second}
        assert watcher.subscribe(event=second, expires=0).status == 200
        watcher.wait(lambda r: watcher.last_state.startswith("terminated"), "the end of the second")
        assert watcher.notifies[-1]["event"] == second
        watcher.roster = one
        assert watcher.subscribe(event=first, expires=0).status == 200
        watcher.wait(lambda r: watcher.last_state.startswith("terminated") and watcher.notifies[-1]["event"] == first, "the end of the first")
        watcher.bye()


def test_the_default_holds_for_conferences_made_later():
    with SipNode(notify={"protection": "required", "interval": "200ms"}, conferences=CONFERENCES[:1]) as node:
        node.http("/v1/conferences", "POST", {"id": "later", "security": "none", "open": True, "anonymous": True})
        for conference in ("demo", "later"):
            with Watcher(node, conference) as watcher:
                answer = watcher.subscribe()
                assert answer.status == 403 and "key" in answer["warning"]
        node.http("/v1/conferences", "POST", {"id": "free", "security": "none", "open": True, "anonymous": True, "notify_protection": "off"})
        with Watcher(node, "free") as watcher:
            assert watcher.subscribe().status == 200
            watcher.wait(lambda r: r.version == 1, "a document")


def test_operators_see_how_many_watch(node):
    def count():
        return node.http("/v1/status")["subscribers"]

    before = count()
    with Watcher(node) as watcher:
        watcher.subscribe()
        assert count() == before + 1
        assert re.search(rf"subscribers +{before + 1}\n", node.cli("status").stdout)
        watcher.wait(lambda r: r.version == 1, "a document")
        watcher.subscribe(expires=0)
        wait_until(lambda: count() == before, 5, "the end of it")
