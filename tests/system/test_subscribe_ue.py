"""Conferences watched by conclave-ue: the roster put together, protected under a key of each one's own, and what is refused."""
import base64
import re
import signal
import subprocess

import pytest

from mikey import Peer, focus_config
from node import Node, Ue, wait_until
from sip import SipNode
from test_mikey_conference import HOST, Meeting, who
from watch import CMS, DOCUMENT, Watcher

QUICK = {"notify": {"interval": "200ms", "expires_min": "5s"}}


class Watched(Meeting):
    """A meeting whose node paces NOTIFYs quickly."""

    def __init__(self, users, sip_node=False, **conference):
        super().__init__(users, **conference)
        self.is_sip = sip_node

    def __enter__(self):
        self.keys = [self.kms.add(who(n)) for n in range(self.users + 1)]
        focus = self.kms.add(f"sip:{HOST}", "--act-for", f"sip:*@{HOST}", "--psk-id", f"sip:{HOST}")
        config = {"conferences": [self.conference], "mikey": focus_config(self.kms, focus), **QUICK}
        try:
            self.node = SipNode(**config) if self.is_sip else Node(config)
        except BaseException:
            self.kms.stop()
            raise
        return self


@pytest.fixture(scope="module")
def meeting():
    with Watched(3) as meeting:
        yield meeting


def users_of(result):
    return {user["entity"]: user for user in result["roster"]["users"]}


@pytest.mark.sanitized
@pytest.mark.parametrize("level", ["media", "session"])
@pytest.mark.parametrize("mode", ["call", "dialog", "ticket"])
def test_each_watches_under_a_key_of_its_own(meeting, mode, level):
    phones = [meeting.join(n, "--subscribe", mode, "--mikey-level", level, "--tone", 400 + 100 * n, seconds=5) for n in range(3)]
    results = [phone.result() for phone in phones]
    keys = set()
    for number, result in enumerate(results):
        roster = result["roster"]
        assert roster["status"] == 200 and roster["protected"] and roster["failures"] == 0, roster
        assert roster["conference"] == f"sip:demo@{HOST}" and roster["full"] >= 1 and roster["gaps"] == 0
        assert {who(n) for n in range(3)} <= set(users_of(result)), roster
        mine = [each for each in users_of(result)[who(number)]["endpoints"] if each["src_id"] == str(result["ssrc"])]
        assert mine and mine[0]["joining"] == "dialed-in" and mine[0]["media"] == "sendrecv", roster
        assert roster["ended"] in ("timeout", "noresource"), roster
        keys.add(roster["key"])
    assert len(keys) == 3 and all(key.endswith("-240") for key in keys)


def test_a_key_of_the_call_in_a_dialog_of_its_own():
    with Watched(2) as meeting:
        meeting.node.kill("cp")
        meeting.node.config["sip"]["trusted_peers"] = ["127.0.0.1"]
        meeting.node.write_config()
        meeting.node.start_cp()
        result = meeting.join(0, "--subscribe", "dialog", "--pai", who(0), seconds=3).result()
        assert result["roster"]["status"] == 200 and result["roster"]["protected"], result["roster"]
        assert result["roster"]["user_count"] == 1
        # somebody else's key is not given away: user 1 has no call
        with Watcher(meeting.node) as eve:
            assert eve.subscribe(headers=[f"P-Asserted-Identity: <{who(1)}>"]).status == 403


def test_the_key_vouches_where_sip_proves_nothing():
    """From the address of the call, for what only its key opens; nobody else."""
    with Watched(2, sip_node=True) as meeting:
        phone = meeting.join(0, "--subscribe", "dialog", seconds=40)
        wait_until(lambda: [each["status"] for each in meeting.node.participants()] == ["connected"], 20, "the call")
        for address, accept, number in (("127.0.0.3", True, 0), ("127.0.0.1", DOCUMENT, 0), ("127.0.0.1", True, 1)):
            with Watcher(meeting.node, address=address, from_header=f"<{who(number)}>", open_body=lambda notify: b"") as other:
                assert other.subscribe(accept=accept).status == 403, (address, accept, number)
        with Watcher(meeting.node, from_header=f"<{who(0)}>", open_body=lambda notify: b"") as same:
            assert same.subscribe().status == 200
            notify = same.notifies[0] if same.notifies else same.notify()
            assert notify["content-type"].startswith(CMS) and b"user0" not in notify.octets
            assert same.subscribe(accept=DOCUMENT).status == 406  # nor by a refresh in the clear
            assert same.subscribe(expires=0, accept=DOCUMENT).status == 406
            assert same.subscribe(expires=0).status == 200
        roster = phone.stop()["roster"]
        assert roster["status"] == 200 and roster["protected"] and roster["failures"] == 0, roster


def test_keys_may_change_under_a_watcher(meeting):
    result = meeting.join(0, "--subscribe", "call", "--rekey-at", 1, "--rekey-at", 2, seconds=4).result()
    assert result["reinvites"]["ok"] == 2 and result["reinvites"]["failed"] == 0, result
    assert result["roster"]["failures"] == 0 and result["roster"]["ended"] == "timeout", result["roster"]


def test_a_new_ssrc_is_told(meeting):
    changes, watches = meeting.join(1, "--ssrc-change-at", 2, seconds=6), meeting.join(0, "--subscribe", "ticket", seconds=4)
    roster, before = watches.result()["roster"], str(changes.result()["ssrc"])
    now = [each["src_id"] for each in {user["entity"]: user for user in roster["users"]}[who(1)]["endpoints"] if each["status"] == "connected"]
    assert now and None not in now and before not in now, roster


def test_without_a_key_there_is_nothing_to_see(meeting):
    roster = meeting.join(0, "--subscribe", "call", "--watch-wrong", "no-key", seconds=2).result()["roster"]
    assert roster["status"] == 403 and "key" in roster["warning"] and roster["notifies"] == 0, roster


def test_another_key_opens_nothing(meeting):
    roster = meeting.join(0, "--subscribe", "ticket", "--watch-wrong", "wrong-key", seconds=2).result()["roster"]
    assert roster["status"] == 200 and roster["failures"] == roster["notifies"] > 0 and not roster["users"], roster
    assert roster["error"] == "not opened by our key"


def test_a_lost_document_is_asked_for(meeting):
    watcher = meeting.join(0, "--subscribe", "ticket", "--watch-wrong", "gap", seconds=7)
    meeting.node.wait_participants(1)
    others = [meeting.join(1, seconds=3)]
    meeting.node.wait_participants(2)
    others.append(meeting.join(2, seconds=2))
    roster = watcher.result()["roster"]
    assert roster["gaps"] >= 1 and roster["refreshes"] >= 1 and roster["full"] >= 2, roster
    assert roster["failures"] == 0 and {who(1), who(2)} <= {user["entity"] for user in roster["users"]}
    for other in others:
        other.result()


def test_481_ends_it(meeting):
    watcher = meeting.join(0, "--subscribe", "ticket", "--watch-wrong", "refuse", seconds=5)
    meeting.node.wait_participants(1)
    meeting.join(1, seconds=2).result()
    roster = watcher.result()["roster"]
    assert roster["notifies"] == 1 and roster["ended"] is None, roster


def test_refreshes_go_on_under_the_same_key(meeting):
    roster = meeting.join(0, "--subscribe", "ticket", "--watch-expires", 5, seconds=7).result()["roster"]
    assert roster["refreshes"] >= 2 and roster["full"] >= 3 and roster["failures"] == 0, roster
    assert roster["expires"] == 0 and roster["ended"] == "timeout"


def test_preferred_and_off():
    """Protected for who has a key, in the clear for who has none; off: for nobody."""
    for policy, protected in (("preferred", True), ("off", False)):
        with Watched(1, id="demo", security="either", authorised=[who(0), "sip:plain@ims.example"], notify=policy) as meeting:
            result = meeting.join(0, "--subscribe", "ticket", seconds=2).result()
            assert result["roster"]["status"] == 200 and result["roster"]["protected"] == protected, result["roster"]
            assert result["roster"]["user_count"] == 1


def test_preferred_is_in_the_clear_for_who_has_no_key():
    uri = f"sip:demo@{HOST}"
    with Watched(1, sip_node=True, id="demo", security="either", identity="none", anonymous=True, notify="preferred") as meeting:
        with Watcher(meeting.node) as plain:
            assert plain.subscribe().status == 200
            plain.wait(lambda r: r.version == 1, "a document in the clear")
            plain.subscribe(expires=0)
        with Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
            # with a key, and taking protected bodies or not
            for accept, kind in ((True, CMS), (DOCUMENT, DOCUMENT)):
                with Watcher(meeting.node, from_header=f"<{who(0)}>", open_body=lambda notify: b"") as watcher:
                    assert watcher.subscribe(body=body_of(peer, uri), kind="application/mikey", accept=accept).status == 200
                    notify = watcher.notifies[0] if watcher.notifies else watcher.notify()
                    assert notify["content-type"].startswith(kind), notify.text
                    watcher.subscribe(expires=0)


def der(octets):
    """(tag, content) of each element, one behind the other; lengths in their shortest form."""
    found = []
    while octets:
        tag, length, head = octets[0], octets[1], 2
        assert tag & 0x1f != 0x1f and length != 0x80
        if length > 0x80:
            head += length - 0x80
            length = int.from_bytes(octets[2:head], "big")
            assert length >= 0x80 and octets[2] != 0
        assert len(octets) >= head + length
        found.append((tag, octets[head:head + length]))
        octets = octets[head + length:]
    return found


def inside(element, *tags):
    """What is in an element, whose parts have these tags."""
    parts = der(element)
    assert [tag for tag, _ in parts] == list(tags), [hex(tag) for tag, _ in parts]
    return [content for _, content in parts]


INTEGER, OCTETS, OID, SEQUENCE, SET = 2, 4, 6, 0x30, 0x31
AUTH_ENVELOPED, DATA = bytes.fromhex("2a864886f70d0109100117"), bytes.fromhex("2a864886f70d010701")
AES128_WRAP, AES128_GCM = bytes.fromhex("608648016503040105"), bytes.fromhex("608648016503040106")


def check_form(octets, name):
    """AuthEnvelopedData as RFC 5083 2.1, 5652 6.2.3, 5084 and profile section 7 have it. The parts that must be new each time."""
    (outer,) = inside(octets, SEQUENCE)
    kind, explicit = inside(outer, OID, 0xA0)
    assert kind == AUTH_ENVELOPED
    (body,) = inside(explicit, SEQUENCE)
    version, recipients, info, mac = inside(body, INTEGER, SET, SEQUENCE, OCTETS)  # no originatorInfo, no attributes
    assert version == b"\0" and len(mac) == 16
    (kek,) = inside(recipients, 0xA2)  # [2] kekri, one of them
    version, identifier, wrap, wrapped = inside(kek, INTEGER, SEQUENCE, SEQUENCE, OCTETS)
    assert version == b"\4" and inside(identifier, OCTETS) == [name.encode()]  # neither date nor other
    assert inside(wrap, OID) == [AES128_WRAP] and len(wrapped) == 24  # parameters absent
    kind, algorithm, content = inside(info, OID, SEQUENCE, 0x80)
    assert kind == DATA
    algorithm, parameters = inside(algorithm, OID, SEQUENCE)
    nonce, icv = inside(parameters, OCTETS, INTEGER)
    assert algorithm == AES128_GCM and len(nonce) == 12 and icv == bytes([16])  # aes-ICVlen is encoded: its default is 12
    return wrapped, nonce, content


def test_the_form_of_protected_bodies():
    uri = f"sip:demo@{HOST}"
    with Watched(1, sip_node=True) as meeting, Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
        with Watcher(meeting.node, from_header=f"<{who(0)}>", open_body=lambda notify: b"") as watcher:
            learn(peer, watcher, watcher.subscribe(body=body_of(peer, uri), kind="application/mikey"))
            watcher.subscribe()
            wait_until(lambda: len(watcher.notifies) >= 2 or watcher.notify(1), 10, "two bodies")
            while len(watcher.notifies) < 2:
                watcher.notify(5)
            name = watcher.key[0]
            assert re.fullmatch(r"[0-9a-f]{8}-240", name)
            first, second = (check_form(notify.octets, name) for notify in watcher.notifies[:2])
            assert all(one != other for one, other in zip(first, second))  # content keys and nonces are never used twice
            for notify in watcher.notifies:
                fields = [field.strip() for field in notify["content-type"].split(";")]
                assert fields[0] == CMS and set(fields[1:]) == {"smime-type=authEnveloped-data", "name=smime.p7m"}
                assert "content-transfer-encoding" not in notify.headers
            watcher.subscribe(expires=0)


def test_openssl_opens_the_bodies(tmp_path):
    """The key from the exchange, in the hands of another implementation; and a body bent is refused by it too."""
    with Watched(1, sip_node=True) as meeting:
        uri = f"sip:demo@{HOST}"
        with Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
            peer.ticket(uri)
            message = peer.init(uri, cs="240c", ids="-")
            watcher = Watcher(meeting.node, from_header=f"<{who(0)}>", open_body=lambda notify: b"")
            with watcher:
                answer = watcher.subscribe(body=message, kind="application/mikey")
                assert answer.status == 200, answer.text
                assert answer["content-type"] == "application/mikey"
                assert peer.ask("resp", base64.b64encode(answer.octets).decode()) == "ok"
                notify = watcher.notifies[0] if watcher.notifies else watcher.notify()
                assert notify["content-type"].startswith(CMS) and "authEnveloped-data" in notify["content-type"]
                assert notify["content-disposition"].startswith("attachment")
                name, key = peer.ask("kek").split()
                path = tmp_path / "smime.p7m"
                path.write_bytes(notify.octets)
                command = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", str(path), "-secretkey", key, "-secretkeyid",
                           name.encode().hex()]
                opened = subprocess.run(command, capture_output=True)
                assert opened.returncode == 0, opened.stderr
                head, _, document = opened.stdout.partition(b"\r\n\r\n")
                assert head == f"Content-Type: {DOCUMENT}".encode() and b"<conference-info" in document
                assert name.encode() in notify.octets and b"conference-info" not in notify.octets
                # a bit changed anywhere: refused, or of no effect (in a version number, say, which the command does not look at)
                for at in range(0, len(notify.octets), 7):
                    path.write_bytes(notify.octets[:at] + bytes([notify.octets[at] ^ 1 << at % 8]) + notify.octets[at + 1:])
                    bent = subprocess.run(command, capture_output=True)
                    assert bent.returncode != 0 or bent.stdout == opened.stdout, at
                path.write_bytes(notify.octets[:-1] + bytes([notify.octets[-1] ^ 1]))
                assert subprocess.run(command, capture_output=True).returncode != 0
                watcher.subscribe(expires=0)


def test_a_ticket_for_another_conference_or_session_is_refused():
    with Watched(1, sip_node=True) as meeting:
        uri = f"sip:demo@{HOST}"
        with Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
            peer.ticket(uri)
            for cs in ("1", "1t"):  # SRTP, TLS: nothing for a NOTIFY
                message = peer.init(uri, cs=cs, ids="-")
                with Watcher(meeting.node, from_header=f"<{who(0)}>") as watcher:
                    answer = watcher.subscribe(body=message, kind="application/mikey")
                    assert answer.status == 488 and answer["content-type"] == "application/mikey", answer.text
                    assert answer.octets[1] == 6  # a MIKEY error
                peer.ticket(uri)
        # known to the KMS, but on no list
        with Peer(meeting.kms, who(1), meeting.keys[1]) as peer:
            peer.ticket(uri)
            with Watcher(meeting.node, from_header=f"<{who(1)}>") as watcher:
                answer = watcher.subscribe(body=peer.init(uri, cs="240c", ids="-"), kind="application/mikey")
                assert answer.status == 403, answer.text
        # what is protected is not for who takes plain documents only
        with Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
            peer.ticket(uri)
            with Watcher(meeting.node, from_header=f"<{who(0)}>") as watcher:
                answer = watcher.subscribe(body=peer.init(uri, cs="240c", ids="-"), kind="application/mikey", accept=DOCUMENT)
                assert answer.status == 406 and CMS in answer["accept"], answer.text


def body_of(peer, uri):
    peer.ticket(uri)
    return peer.init(uri, cs="240c", ids="-")


def test_the_message_may_be_one_of_several_parts(tmp_path):
    """RFC 5621: the same in a multipart, with what need not be understood beside it."""
    uri = f"sip:demo@{HOST}"
    with Watched(1, sip_node=True) as meeting, Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
        for encoding in ("", "Content-Transfer-Encoding: base64\n"):
            body = (f"--x\nContent-Type: text/plain\nContent-Disposition: render;handling=optional\n\nhello\n--x\nContent-Type: application/mikey\n"
                    f"{encoding}\n{body_of(peer, uri)}\n--x--")
            with Watcher(meeting.node, from_header=f"<{who(0)}>") as watcher:
                answer = watcher.subscribe(body=body, kind="multipart/mixed;boundary=x")
                assert answer["content-type"] == "application/mikey"
                learn(peer, watcher, answer)
                watcher.open_body = opened(watcher, tmp_path)
                watcher.wait(lambda r: r.version == 1, "a document under that key")
                watcher.subscribe(expires=0)


def learn(peer, watcher, answer):
    """The TRANSFER_RESP of a 200; from now on the watcher opens what comes, by the openssl command."""
    assert answer.status == 200, answer.text
    assert peer.ask("resp", base64.b64encode(answer.octets).decode()) == "ok"
    watcher.key = peer.ask("kek").split()


def opened(watcher, folder):
    def open_body(notify):
        name, key = watcher.key
        path = folder / "body"
        path.write_bytes(notify.octets)
        result = subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", str(path), "-secretkey", key, "-secretkeyid",
                                 name.encode().hex()], capture_output=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.partition(b"\r\n\r\n")[2]
    return open_body


def test_a_refresh_may_bring_a_new_key(tmp_path):
    uri = f"sip:demo@{HOST}"
    with Watched(2, sip_node=True) as meeting, Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
        with Watcher(meeting.node, from_header=f"<{who(0)}>") as watcher:
            learn(peer, watcher, watcher.subscribe(body=body_of(peer, uri), kind="application/mikey"))
            first = watcher.key
            watcher.open_body = opened(watcher, tmp_path)
            watcher.wait(lambda r: r.version == 1, "the first document")
            # the same key goes on
            assert watcher.subscribe().status == 200
            watcher.wait(lambda r: r.version == 2, "the second")
            learn(peer, watcher, watcher.subscribe(body=body_of(peer, uri), kind="application/mikey"))
            assert watcher.key[0] != first[0] and watcher.key[1] != first[1]
            watcher.wait(lambda r: r.version == 3, "the third, under the new key")
            # a message that is refused leaves the subscription and its key as they were
            bent = body_of(peer, uri)
            bent = base64.b64encode(base64.b64decode(bent)[:-1] + b"\0").decode()
            assert watcher.subscribe(body=bent, kind="application/mikey").status == 488
            assert watcher.subscribe().status == 200
            watcher.wait(lambda r: r.version == 4, "the fourth, under the same key")
            # nor does it become somebody else's
            with Peer(meeting.kms, who(1), meeting.keys[1]) as other:
                assert watcher.subscribe(body=body_of(other, uri), kind="application/mikey").status == 403
            watcher.subscribe(expires=0)
            watcher.wait(lambda r: watcher.last_state.startswith("terminated"), "the end")


def test_the_policy_changes_under_watchers(tmp_path):
    """From off to required: who has a key hears no more in the clear, not even once; who has none, or takes plain documents only, is out."""
    uri = f"sip:demo@{HOST}"
    with Watched(2, sip_node=True, id="demo", security="either", identity="none", anonymous=True, notify="off") as meeting:
        node = meeting.node
        with Peer(meeting.kms, who(0), meeting.keys[0]) as peer, Peer(meeting.kms, who(1), meeting.keys[1]) as other:
            keyed, none = Watcher(node, from_header=f"<{who(0)}>"), Watcher(node)
            plain = Watcher(node, from_header=f"<{who(1)}>")
            with keyed, none, plain:
                learn(peer, keyed, keyed.subscribe(body=body_of(peer, uri), kind="application/mikey"))
                assert plain.subscribe(body=body_of(other, uri), kind="application/mikey", accept=DOCUMENT).status == 200
                assert none.subscribe().status == 200
                for each in (keyed, none, plain):
                    each.wait(lambda r: r.version == 1, "a document in the clear")
                    assert each.notifies[0]["content-type"] == DOCUMENT
                node.cli("conference", "update", "demo", "--notify-protection", "required", "--title", "Secret")
                for each in (none, plain):
                    each.wait(lambda r: each.last_state.startswith("terminated"), "the end")
                    assert each.last_state == "terminated;reason=rejected" and b"Secret" not in each.notifies[-1].octets
                keyed.open_body = opened(keyed, tmp_path)
                keyed.wait(lambda r: r.description["display-text"] == "Secret", "the new title, protected")
                assert all(notify["content-type"].startswith(CMS) for notify in keyed.notifies[1:])
                keyed.subscribe(expires=0)


def test_the_conference_ends_while_the_kms_thinks_about_a_refresh():
    uri = f"sip:brief@{HOST}"
    with Watched(1, sip_node=True) as meeting, Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
        meeting.node.http("/v1/conferences", "POST", {"id": "brief", "security": "mikey-ticket", "authorised": [who(0)]})
        with Watcher(meeting.node, "brief", from_header=f"<{who(0)}>", open_body=lambda notify: b"") as watcher:
            assert watcher.subscribe(body=body_of(peer, uri), kind="application/mikey").status == 200
            wait_until(lambda: watcher.notifies or watcher.notify(1), 10, "a body")
            body = body_of(peer, uri)
            meeting.kms.process.send_signal(signal.SIGSTOP)
            try:
                watcher.send("SUBSCRIBE", ["Event: conference", "Expires: 600"], body, kind="application/mikey")
                meeting.node.http("/v1/conferences/brief", "DELETE")  # while the KMS is asked
                farewell = watcher.receive(5)
                while farewell.method != "NOTIFY":
                    farewell = watcher.receive(5)
                assert farewell["subscription-state"] == "terminated;reason=noresource"
            finally:
                meeting.kms.process.send_signal(signal.SIGCONT)
            assert watcher.final(10, cseq=f"{watcher.cseq} SUBSCRIBE").status == 481
            watcher.reply(farewell)
            wait_until(lambda: meeting.node.http("/v1/status")["subscribers"] == 0, 5, "that nobody subscribes")
            with Watcher(meeting.node, from_header=f"<{who(0)}>", open_body=lambda notify: b"") as again:
                assert again.subscribe(body=body_of(peer, f"sip:demo@{HOST}"), kind="application/mikey").status == 200
                again.subscribe(expires=0)


def test_what_must_be_refused():
    uri = f"sip:demo@{HOST}"
    with Watched(2, sip_node=True) as meeting, Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
        def ask(body, **more):
            with Watcher(meeting.node, from_header=f"<{who(0)}>", open_body=lambda notify: b"", **more) as watcher:
                answer = watcher.subscribe(body=body, kind="application/mikey", headers=getattr(watcher, "vouched", ()))
                if answer.status == 200:
                    watcher.subscribe(expires=0)
                return answer

        body = body_of(peer, uri)
        assert ask(body).status == 200
        replayed = ask(body)
        assert replayed.status == 488 and replayed.octets[1] == 6, replayed.text
        assert ask("bm90IG1pa2V5").status in (400, 488)
        assert ask("?").status == 400
        # a ticket for another conference
        other = f"sip:other@{HOST}"
        assert ask(body_of(peer, other)).status == 488
        # nobody answers at the KMS
        body = body_of(peer, uri)
        meeting.kms.stop()
        late = ask(body)
        assert late.status == 503 and late["retry-after"], late.text


def test_the_ticket_and_sip_name_the_same_person():
    uri = f"sip:demo@{HOST}"
    with Watched(2, sip_node=True) as meeting, Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
        meeting.node.kill("cp")
        meeting.node.config["sip"]["trusted_peers"] = ["127.0.0.2"]
        meeting.node.write_config()
        meeting.node.start_cp()
        for asserted, status in ((who(1), 403), (who(0), 200)):
            with Watcher(meeting.node, address="127.0.0.2", open_body=lambda notify: b"") as watcher:
                answer = watcher.subscribe(body=body_of(peer, uri), kind="application/mikey", headers=[f"P-Asserted-Identity: <{asserted}>"])
                assert answer.status == status, answer.text


def test_a_challenge_is_answered():
    config = {"conferences": [{"id": "members", "security": "none", "identity": "required"}],
              "sip": {"accounts": [{"user": "bob", "password": "secret"}]}, **QUICK}
    with Node(config) as node:
        result = Ue(node.uri("members"), "--plain", "--from", "sip:bob@127.0.0.1", "--user", "bob", "--password", "secret", "--subscribe", "dialog",
                    seconds=2).result()
        assert result["outcome"] == "joined" and result["roster"]["status"] == 200, result
        assert result["roster"]["user_count"] == 1 and "sip:bob@conclave" in users_of(result)
