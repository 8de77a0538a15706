"""The event package sentence by sentence, by a subscriber that knows nothing of ours: what RFC 6665 and RFC 4575 ask of a notifier."""
import re
import socket
import subprocess
import time
import xml.etree.ElementTree

import pytest

from mikey import Phone
from node import program
from sip import CM80, KEY, Caller, Message, SipNode, sdp
from test_subscribe import ALICE, BOB, is_valid, joined
from watch import CMS, DOCUMENT, NS, Watcher

OPEN = {"security": "sdes", "identity": "none", "anonymous": True}


@pytest.fixture(scope="module")
def node():
    names = ("demo", "parts", "many", "steps", "route", "called")
    with SipNode(conferences=[{"id": name, **OPEN} for name in names], notify={"interval": "200ms", "expires_min": "30s"},
                 factories=[{"id": "new", "identity": "none"}]) as running:
        yield running


def elements(notify):
    return xml.etree.ElementTree.fromstring(notify.octets)


def users_in(notify):
    """entity → (state, endpoints as entity → state) of one document."""
    return {user.get("entity"): (user.get("state", "full"), {end.get("entity"): end.get("state", "full") for end in user.findall(NS + "endpoint")})
            for user in elements(notify).iter(NS + "user")}


def leg_of(node, conference, identity):
    return str(next(each["id"] for each in node.participants(conference) if each["identity"] == identity))


# RFC 6665: the SUBSCRIBE, and what answers it.


def test_the_package_is_announced(node):
    with Caller(node) as caller:
        answer = caller.request("OPTIONS")
        assert "conference" in answer["allow-events"] and "SUBSCRIBE" in answer["allow"] and "isfocus" in answer["contact"]
        answer = caller.invite()
        assert "conference" in answer["allow-events"], answer.text
        caller.bye()


@pytest.mark.parametrize("event", ["conference;foo=bar", "conference;id=a-1;foo", "conference ; id=z"])
def test_event_parameters(node, event):
    """id names the subscription and comes back; what is not known is passed over."""
    with Watcher(node) as watcher:
        assert watcher.subscribe(event=event).status == 200
        watcher.wait(lambda r: r.version == 1, "a document")
        wanted = re.search(r"id=[\w-]+", event)
        assert watcher.notifies[0]["event"] == "conference" + (f";{wanted.group()}" if wanted else "")
        assert watcher.subscribe(event=event, expires=0).status == 200
        watcher.wait(lambda r: watcher.last_state == "terminated;reason=timeout", "the end")


def test_the_event_in_its_short_form(node):
    with Watcher(node) as watcher:
        assert watcher.subscribe(event=None, headers=["o: conference"], expires=0).status == 200
        watcher.wait(lambda r: r.version == 1, "a document")


@pytest.mark.parametrize("headers, accept, status", [
    (["Require: eventlist"], True, 420),
    ([], f"{DOCUMENT};q=0", 406),
    ([], f"{DOCUMENT};q=0.0, {CMS}", 406),
    ([], CMS, 406),
    ([], f"application/pidf+xml, {DOCUMENT};q=0.5", 200),
    ([], "application/*", 200),
    ([], None, 200),
], ids=["require", "not at all", "protected alone", "cms alone", "second choice", "any application", "no accept"])
def test_what_is_acceptable(node, headers, accept, status):
    with Watcher(node) as watcher:
        answer = watcher.subscribe(headers=headers, accept=accept)
        assert answer.status == status, answer.text
        if status == 420:
            assert answer["unsupported"] == "eventlist"
        elif status == 406:
            assert DOCUMENT in answer["accept"]
        else:
            watcher.wait(lambda r: r.version == 1, "a document")
            watcher.subscribe(expires=0)


def test_a_refused_refresh_changes_nothing(node):
    with Watcher(node) as watcher:
        assert watcher.subscribe().status == 200
        watcher.wait(lambda r: r.version == 1, "a document")
        answer = watcher.subscribe(expires=5)
        assert answer.status == 423 and answer["min-expires"] == "30"
        assert watcher.subscribe(accept="text/plain").status == 406
        assert watcher.subscribe(body="<filter/>", kind="application/simple-filter+xml").status == 415
        with joined(node) as alice:
            watcher.wait(lambda r: ALICE in r.users, "that it goes on")
            assert re.match(r"active;expires=(59\d|600)", watcher.last_state)
            alice.bye()
        watcher.subscribe(expires=0)


def test_a_dialog_that_is_not_there(node):
    with Watcher(node) as watcher:
        watcher.to_tag = "nobody"
        assert watcher.subscribe().status == 481


@pytest.mark.parametrize("user", ["new", "nowhere"])
def test_only_conferences_have_a_state(node, user):
    with Watcher(node, user) as watcher:
        assert watcher.subscribe().status in (403, 404)
        assert watcher.notify(0.3) is None


class Called(Watcher, Phone):
    """Somebody whom the conference calls, and who watches it in that dialog."""


def test_in_the_dialog_of_our_own_call(node):
    with Called(node, "called") as dave:
        uri = f"sip:dave@127.0.0.1:{dave.port}"
        node.cli("conference", "call", "called", uri)
        suite, = re.findall(rf"a=crypto:(\d+) {CM80} ", Phone.wait(dave).body)
        dave.answer(sdp(crypto=(f"{suite} {CM80} {KEY}",)))
        assert dave.subscribe(event="conference;id=in").status == 200
        dave.wait(lambda r: r.text(uri, "status") == "connected", "himself")
        assert dave.roster.text(uri, "joining-method") == "dialed-out" and dave.notifies[0]["event"] == "conference;id=in"
        assert dave.subscribe(event="conference;id=in", expires=0).status == 200
        dave.wait(lambda r: dave.last_state == "terminated;reason=timeout", "the end")
        assert dave.request("BYE").status == 200


def test_sips_is_for_tls(node):
    with Watcher(node) as watcher:
        watcher.target = watcher.uri = watcher.uri.replace("sip:", "sips:")
        assert watcher.subscribe().status == 403
        assert watcher.notify(0.3) is None


def test_notify_is_a_request_of_the_dialog(node):
    """To, From, Call-ID and CSeq are the dialog's, Contact is the conference; it goes where Record-Route leads."""
    with Watcher(node, "route") as watcher, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.settimeout(10)
        route = f"<sip:127.0.0.1:{proxy.getsockname()[1]};lr>"
        answer = watcher.subscribe(headers=[f"Record-Route: {route}"])
        assert answer.status == 200 and answer["record-route"] == route
        numbers = []
        for _ in range(2):
            notify = Message(proxy.recv(65536).decode())
            assert notify.first == f"NOTIFY sip:sipp@127.0.0.1:{watcher.port} SIP/2.0" and notify["route"] == route
            assert notify["call-id"] == watcher.call_id and notify["to"].endswith(f";tag={watcher.tag}")
            assert notify["from"].endswith(f";tag={watcher.to_tag}") and "isfocus" in notify["contact"]
            assert notify["event"] == "conference" and int(notify["max-forwards"]) > 0
            lines = ["SIP/2.0 200 OK"] + [f"{name}: {notify[name]}" for name in ("Via", "From", "To", "Call-ID", "CSeq")] + ["Content-Length: 0"]
            proxy.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), ("127.0.0.1", node.sip_port))
            numbers.append(int(notify["cseq"].split()[0]))
            assert notify["cseq"].split()[1] == "NOTIFY"
            assert watcher.subscribe(expires=0 if len(numbers) == 1 else 600).status == (200 if len(numbers) == 1 else 481)
        assert numbers[1] == numbers[0] + 1 and "terminated" in notify["subscription-state"]


# RFC 4575: the documents.


def test_versions_are_each_subscriptions_own(node):
    with Watcher(node, "steps") as first, joined(node, "steps") as alice:
        first.subscribe()
        first.wait(lambda r: ALICE in r.users, "Alice")
        for locked in ("lock", "unlock", "lock"):
            node.cli("conference", locked, "steps")
            wanted = "true" if locked == "lock" else "false"
            first.wait(lambda r: r.state["locked"] == wanted, locked)
        with Watcher(node, "steps") as second:
            second.subscribe()
            second.wait(lambda r: ALICE in r.users, "Alice")
            assert second.roster.version == 1 and first.roster.version >= 4
            node.cli("conference", "unlock", "steps")
            for each in (first, second):
                before = each.roster.version
                each.wait(lambda r: r.state["locked"] == "false", "the change")
                assert each.roster.version == before + 1
            # a partial document says what has changed, and nothing else
            root = elements(second.notifies[-1])
            assert root.get("state") == "partial" and [child.tag for child in root] == [NS + "conference-state"]
            second.subscribe(expires=0)
        first.subscribe(expires=0)
        alice.bye()


def test_partial_documents_piece_by_piece(node):
    with Watcher(node, "parts") as watcher, joined(node, "parts") as one, joined(node, "parts") as other, joined(node, "parts", "bob") as bob:
        watcher.subscribe()
        watcher.wait(lambda r: len(r.endpoints(ALICE)) == 2 and BOB in r.users, "Alice's two phones, and Bob")
        first = watcher.notifies[0]
        assert elements(first).get("state") == "full" and all(child.get("state", "full") == "full" for child in elements(first).iter())
        # an endpoint changes: its user is partial, the other endpoint is not there, the others are not there
        leg = leg_of(node, "parts", ALICE)
        node.cli("participant", "mute", "parts", leg)
        watcher.wait(lambda r: any(end.findtext(NS + "status") == "muted-via-focus" for end in r.endpoints(ALICE)), "the mute")
        change = watcher.notifies[-1]
        assert elements(change).get("state") == "partial" and elements(change).find(NS + "users").get("state") == "partial"
        assert users_in(change) == {ALICE: ("partial", {leg: "full"})}
        assert elements(change).find(NS + "conference-state") is None and elements(change).find(NS + "conference-description") is None
        # one of her phones goes: shown as disconnected, then deleted; she stays
        (one if leg_of(node, "parts", ALICE) == leg else other).bye()
        watcher.wait(lambda r: any(end.findtext(NS + "status") == "disconnected" for end in r.endpoints(ALICE)), "that it left")
        gone = next(end.get("entity") for end in watcher.roster.endpoints(ALICE) if end.findtext(NS + "status") == "disconnected")
        watcher.wait(lambda r: len(r.endpoints(ALICE)) == 1, "that it is deleted", 25)
        assert users_in(watcher.notifies[-1]) == {ALICE: ("partial", {gone: "deleted"})}
        # Bob goes: the user is deleted
        bob.bye()
        watcher.wait(lambda r: BOB not in r.users, "that Bob is deleted", 25)
        assert users_in(watcher.notifies[-1]) == {BOB: ("deleted", {})}
        # somebody new is a whole user in a partial list
        with joined(node, "parts", "carol") as carol:
            watcher.wait(lambda r: "sip:carol@ims.example" in r.users, "Carol")
            news = next(each for each in watcher.notifies if b"carol" in each.octets)
            assert users_in(news)["sip:carol@ims.example"][0] == "full" and elements(news).get("state") == "partial"
            carol.bye()
        for notify in watcher.notifies:
            is_valid(notify.octets)
        watcher.subscribe(expires=0)


def test_full_again_where_a_partial_one_would_be_longer(node):
    names = [f"{'long' * 40}{number}" for number in range(8)]
    with Watcher(node, "many") as watcher:
        phones = [joined(node, "many", name) for name in names]
        watcher.subscribe()
        watcher.wait(lambda r: r.state.get("user-count") == "8", "all of them")
        known = len(watcher.notifies)
        for phone in phones:
            phone.send("BYE")
        watcher.wait(lambda r: r.state["user-count"] == "0", "all gone")
        watcher.wait(lambda r: not r.users, "all deleted", 25)
        # eight names that are no more are longer than all that there is to say
        assert watcher.roster.kinds[-1] == "full" and "partial" in watcher.roster.kinds[known:]
        assert len(watcher.notifies[-1].octets) < sum(map(len, names))
        watcher.subscribe(expires=0)
        for phone in phones:
            phone.socket.close()


# How often.


@pytest.mark.parametrize("interval, is_taken", [("200ms", True), ("199ms", False), ("10s", True), ("10001ms", False)])
def test_the_interval_has_limits(tmp_path, interval, is_taken):
    path = tmp_path / "conclave.yaml"
    path.write_text(f"notify:\n  interval: {interval}\n")
    result = subprocess.run([program("conclave-cp"), "--check", "--config", str(path)], capture_output=True, text=True, timeout=20)
    assert (result.returncode == 0) == is_taken, result.stderr
    assert is_taken or ("interval" in result.stderr and "200ms to 10s" in result.stderr), result.stderr


@pytest.mark.parametrize("config, seconds", [({}, 1), ({"notify": {"interval": "3s"}}, 3)], ids=["default", "three seconds"])
def test_one_notify_an_interval(config, seconds):
    with SipNode(conferences=[{"id": "demo", **OPEN}], **config) as node, Watcher(node) as watcher, joined(node) as alice:
        watcher.subscribe()
        watcher.wait(lambda r: ALICE in r.users, "Alice")
        end = time.monotonic() + 3 * seconds + 0.5
        changes = 0
        while time.monotonic() < end:
            changes += 1
            node.cli("conference", "update", "demo", "--title", f"Title {changes}")
            watcher.notify(0.1)
        watcher.wait(lambda r: r.description["display-text"] == f"Title {changes}", "the last title")
        gaps = [b.at - a.at for a, b in zip(watcher.notifies, watcher.notifies[1:])]
        assert changes > 5 and 3 <= len(gaps) < changes and all(gap > 0.8 * seconds for gap in gaps[1:]), gaps
        watcher.subscribe(expires=0)
        alice.bye()
