"""People on UDP sockets who are called by the focus, or who ask it by REFER to call others."""
import re
import time

from sip import CM80, KEY2, Caller, Message, sdp

SIPFRAG = "message/sipfrag"
BOUNDARY = "Conclave-Test"


def uri_of(header):
    return re.search(r"<([^>]*)>", header).group(1)


def recipients(*entries, ns="copycontrol"):
    rows = "".join(f'<entry uri="{uri}"{more}/>' for uri, more in entries)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"\n'
            f' xmlns:cp="urn:ietf:params:xml:ns:{ns}"><list>{rows}</list></resource-lists>')


def multipart(*parts):
    return "\n".join([f"--{BOUNDARY}\nContent-Type: {kind}\n{more}\n{body}" for kind, more, body in parts] + [f"--{BOUNDARY}--"])


def invite_with_list(alice, xml, headers=("Require: recipient-list-invite",), disposition="recipient-list"):
    body = multipart(("application/sdp", "", sdp()), ("application/resource-lists+xml", f"Content-Disposition: {disposition}\n", xml))
    return alice.invite([*headers, *alice.headers], body, kind=f"multipart/mixed;boundary={BOUNDARY}")


class Callee(Caller):
    """Waits to be called; then its dialog is the other way round."""

    def __init__(self, node, name="bob", address="127.0.0.1"):
        super().__init__(node, address=address)
        self.identity = f"sip:{name}@{address}:{self.port}"
        self.seen = []
        self.invitation = None

    def wait(self, method="INVITE", seconds=10):
        """The next request of that method that is new; what else comes is kept in seen, and answered when it wants an answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.receive(max(0.05, end - time.monotonic()))
            if message is None:
                break
            if not message.status and any(old.text == message.text for old in self.seen):
                continue
            self.seen.append(message)
            if message.method == method and not message.status:
                if method == "INVITE" and self.invitation is None:
                    self.take(message)
                return message
            if not message.status and message.method in ("NOTIFY", "BYE", "OPTIONS"):
                self.reply(message)
        raise AssertionError(f"no {method}; seen: {[m.first for m in self.seen]}")

    def take(self, invitation):
        self.invitation = invitation
        self.call_id, self.uri = invitation["call-id"], uri_of(invitation["from"])
        self.from_header = f"<{uri_of(invitation['to'])}>"
        self.to_tag = invitation["from"].rpartition("tag=")[2]
        self.target = uri_of(invitation["contact"])

    def say(self, status, headers=(), body="", tag=None, request=None):
        """A response to the invitation, under our tag."""
        request = request or self.invitation
        to = request["to"].partition(";tag=")[0] + f";tag={tag or self.tag}"
        self.reply(Message(re.sub(r"(?mi)^to:[^\r]*", lambda _: f"To: {to}", request.text)), status, headers, body)

    def answer_sdp(self):
        """An answer to the invitation's SDP, also in a multipart."""
        tag = re.search(rf"a=crypto:(\d+) {CM80} ", self.invitation.body)
        plain = "RTP/AVP" in self.invitation.body
        return sdp(crypto=() if plain else (f"{tag.group(1)} {CM80} {KEY2}",), proto="RTP/AVP" if plain else "RTP/SAVP")

    def accept(self, headers=()):
        self.say("200 OK", headers, self.answer_sdp())
        ack = self.wait("ACK")
        assert ack["cseq"].split()[0] == self.invitation["cseq"].split()[0]
        return ack

    def wait_status(self, wanted, seconds=5):
        """A final response of that CSeq's method, NOTIFYs answered meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.receive(seconds)
            assert message, f"no answer to {wanted}"
            if message.status >= 200 and wanted in message["cseq"]:
                return message
            if not message.status and not any(old.text == message.text for old in self.seen):
                self.seen.append(message)
                self.reply(message)
        raise AssertionError(f"no answer to {wanted}")


class Referrer(Callee):
    """A participant who dials in, and then asks for others."""

    def __init__(self, node, user="demo", name="alice", headers=(), address="127.0.0.1"):
        super().__init__(node, name, address)
        self.from_header, self.user = f"<sip:{name}@127.0.0.1>", user
        self.uri = self.target = f"sip:{user}@127.0.0.1:{node.sip_port}"
        self.headers = list(headers)

    def join(self, body=None):
        answer = self.invite(self.headers, body)
        assert answer.status == 200, answer.text
        return answer

    def refer(self, target, headers=(), body="", **more):
        """The answer to a REFER; Refer-To is the target in brackets."""
        self.send("REFER", [f"Refer-To: <{target}>", *self.headers, *headers], body, **more)
        return self.wait_status("REFER")

    def reports(self, seconds=8):
        """Status lines that NOTIFYs report, to the one that ends the subscription."""
        found, end = [], time.monotonic() + seconds
        pending = [m for m in self.seen if m.method == "NOTIFY" and not m.status]
        for message in pending:
            found.append(int(message.body.split()[1]))
            if "terminated" in message["subscription-state"]:
                return found, pending
        while time.monotonic() < end:
            message = self.wait("NOTIFY", max(0.1, end - time.monotonic()))
            self.reply(message)
            pending.append(message)
            assert message["content-type"].startswith(SIPFRAG), message.text
            assert message["event"].startswith("refer"), message.text
            found.append(int(message.body.split()[1]))
            if "terminated" in message["subscription-state"]:
                return found, pending
        raise AssertionError(f"the subscription does not end; reported: {found}")
