"""A subscriber of a conference, octet by octet: SUBSCRIBE, NOTIFY, and a roster put together of full and partial documents (RFC 4575 4.6)."""
import re
import time
import xml.etree.ElementTree

from sip import Caller, Message

NS = "{urn:ietf:params:xml:ns:conference-info}"
DOCUMENT, CMS = "application/conference-info+xml", "application/pkcs7-mime"


class Roster:
    """What a subscriber knows: users by entity, each a dict of endpoints by entity."""

    def __init__(self):
        self.version, self.users, self.state, self.description, self.kinds = None, {}, {}, {}, []

    def take(self, text):
        root = xml.etree.ElementTree.fromstring(text)
        version, kind = int(root.get("version")), root.get("state", "full")
        assert root.tag == NS + "conference-info"
        if kind == "partial":
            assert version == self.version + 1, f"version {version} behind {self.version}"
        else:
            assert self.version is None or version > self.version
            self.users = {}
        self.version, self.entity = version, root.get("entity")
        self.kinds.append(kind)
        for name, into in (("conference-state", self.state), ("conference-description", self.description)):
            element = root.find(NS + name)
            if element is not None:
                into.clear()
                into.update({child.tag.replace(NS, ""): child.text for child in element})
        for users in root.findall(NS + "users"):
            assert users.get("state", "full") == kind
            for user in users:
                self.take_user(user)

    def take_user(self, user):
        entity, kind = user.get("entity"), user.get("state", "full")
        if kind == "deleted":
            self.users.pop(entity, None)
            return
        known = self.users.setdefault(entity, {"endpoints": {}})
        if kind == "full":
            known = self.users[entity] = {"endpoints": {}, "display": user.findtext(NS + "display-text"),
                                          "roles": [entry.text for entry in user.findall(f"{NS}roles/{NS}entry")]}
        for endpoint in user.findall(NS + "endpoint"):
            if endpoint.get("state", "full") == "deleted":
                known["endpoints"].pop(endpoint.get("entity"))
            else:
                known["endpoints"][endpoint.get("entity")] = endpoint

    def endpoints(self, user):
        return list(self.users.get(user, {"endpoints": {}})["endpoints"].values())

    def text(self, user, path):
        """Of the user's first endpoint: 'status', 'media/src-id' …; None: it is not there."""
        for endpoint in self.endpoints(user):
            return endpoint.findtext("/".join(NS + step for step in path.split("/")))
        return None


class Watcher(Caller):
    """A subscription in a dialog of its own (or in a call's: subscribe after invite)."""

    def __init__(self, node, user="demo", open_body=None, **more):
        super().__init__(node, user, **more)
        self.roster, self.open_body = Roster(), open_body
        self.notifies, self.last_state, self.answers_with = [], "", "200 OK"

    def receive(self, seconds=5):
        self.socket.settimeout(max(seconds, 0.001))
        try:
            octets = self.socket.recv(65536)
        except OSError:
            return None
        message = Message(octets.decode(errors="replace"))
        message.octets = octets.partition(b"\r\n\r\n")[2]
        return message

    def subscribe(self, expires=600, headers=(), body="", kind="application/mikey", event="conference", accept=True, **more):
        """The final response; the NOTIFYs that come first are taken."""
        extra = [f"Event: {event}"] if event else []
        extra += [f"Expires: {expires}"] if expires is not None else []
        extra += [f"Accept: {DOCUMENT}, {CMS}"] if accept is True else [f"Accept: {accept}"] if accept else []
        self.send("SUBSCRIBE", [*extra, *headers], body, kind=kind, **more)
        wanted = f"{self.cseq} SUBSCRIBE"
        while True:
            message = self.receive()
            assert message, "no answer to SUBSCRIBE"
            if message.method == "NOTIFY":
                self.take(message)
            elif message.status >= 200 and message["cseq"] == wanted:
                if message.status < 300:
                    self.to_tag = message["to"].rpartition("tag=")[2]
                    self.target = re.search(r"<([^>]*)>", message["contact"]).group(1)
                return message

    def take(self, request):
        self.reply(request, self.answers_with)
        if any(each["cseq"] == request["cseq"] for each in self.notifies):
            return  # sent again
        self.notifies.append(request)
        request.at = time.monotonic()
        self.last_state = request["subscription-state"]
        body = request.octets
        if body and self.open_body:
            body = self.open_body(request)
        if body and (self.open_body or request["content-type"].startswith(DOCUMENT)):
            self.roster.take(body)

    def notify(self, seconds=5):
        """The next NOTIFY, taken and answered; None: none came."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.receive(end - time.monotonic())
            if message and message.method == "NOTIFY":
                known = len(self.notifies)
                self.take(message)
                if len(self.notifies) > known:
                    return message
        return None

    def wait(self, check, what, seconds=15):
        """Take NOTIFYs until the roster is as wanted."""
        end = time.monotonic() + seconds
        while not check(self.roster):
            assert time.monotonic() < end, f"not within {seconds} s: {what}; last {self.roster.users} {self.last_state}"
            self.notify(1)
        return self.roster
