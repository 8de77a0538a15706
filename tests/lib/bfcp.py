"""A BFCP participant (RFC 8855), written from the text and not from our codec: messages built and taken apart, over TCP or TLS."""
import select
import socket
import struct
import time

PRIMITIVES = {
    1: "FloorRequest", 2: "FloorRelease", 3: "FloorRequestQuery", 4: "FloorRequestStatus", 5: "UserQuery", 6: "UserStatus", 7: "FloorQuery",
    8: "FloorStatus", 9: "ChairAction", 10: "ChairActionAck", 11: "Hello", 12: "HelloAck", 13: "Error",
}
CODES = {name: number for number, name in PRIMITIVES.items()}
STATUSES = {1: "Pending", 2: "Accepted", 3: "Granted", 4: "Denied", 5: "Cancelled", 6: "Released", 7: "Revoked"}
STATUS_CODES = {name: number for number, name in STATUSES.items()}

# Section 5.2: name and format of each attribute. u16: Unsigned16; groups begin with a number of 16 bits.
ATTRIBUTES = {
    1: ("BENEFICIARY-ID", "u16"), 2: ("FLOOR-ID", "u16"), 3: ("FLOOR-REQUEST-ID", "u16"), 4: ("PRIORITY", "priority"),
    5: ("REQUEST-STATUS", "status"), 6: ("ERROR-CODE", "error"), 7: ("ERROR-INFO", "text"), 8: ("PARTICIPANT-PROVIDED-INFO", "text"),
    9: ("STATUS-INFO", "text"), 10: ("SUPPORTED-ATTRIBUTES", "types"), 11: ("SUPPORTED-PRIMITIVES", "octets"), 12: ("USER-DISPLAY-NAME", "text"),
    13: ("USER-URI", "text"), 14: ("BENEFICIARY-INFORMATION", "group"), 15: ("FLOOR-REQUEST-INFORMATION", "group"),
    16: ("REQUESTED-BY-INFORMATION", "group"), 17: ("FLOOR-REQUEST-STATUS", "group"), 18: ("OVERALL-REQUEST-STATUS", "group"),
}
TYPES = {name: (number, kind) for number, (name, kind) in ATTRIBUTES.items()}


def attribute(name, value, mandatory=True, type=None):
    """(name or number, value) on the wire. Groups: (number, [(name, value), …])."""
    number, kind = TYPES[name] if type is None else (type, "octets")
    if kind == "u16":
        body = struct.pack("!H", value)
    elif kind == "priority":
        body = struct.pack("!H", value << 13)
    elif kind == "status":
        status, place = value if isinstance(value, tuple) else (value, 0)
        body = struct.pack("!BB", STATUS_CODES.get(status, status), place)
    elif kind == "group":
        body = struct.pack("!H", value[0]) + b"".join(attribute(*each) for each in value[1])
    else:
        body = value.encode() if isinstance(value, str) else bytes(value)
    length = 2 + len(body)
    assert length <= 255
    return struct.pack("!BB", number << 1 | mandatory, length) + body + bytes(-length % 4)


def message(primitive, conference, transaction, user, attributes=(), version=1):
    body = b"".join(each if isinstance(each, bytes) else attribute(*each) for each in attributes)
    return struct.pack("!BBHIHH", version << 5, CODES.get(primitive, primitive), len(body) // 4, conference, transaction, user) + body


def parse_attributes(octets):
    """[(name, value)]; padding must be there and zero, lengths must fit."""
    found, at = [], 0
    while at < len(octets):
        number, mandatory, length = octets[at] >> 1, octets[at] & 1, octets[at + 1]
        assert length >= 2 and at + length <= len(octets), f"attribute {number} of {length} octets at {at} of {len(octets)}"
        body, padding = octets[at + 2:at + length], octets[at + length:at + length + -length % 4]
        assert len(padding) == -length % 4 and not any(padding), "padding to 4 octets, of zeroes"
        name, kind = ATTRIBUTES[number]
        if kind == "u16":
            value, = struct.unpack("!H", body)
        elif kind == "priority":
            value = struct.unpack("!H", body)[0] >> 13
        elif kind == "status":
            value = (STATUSES[body[0]], body[1])
        elif kind == "error":
            value = (body[0], body[1:])
        elif kind == "text":
            value = body.decode()
        elif kind == "types":
            value = [octet >> 1 for octet in body]
        elif kind == "group":
            value = (struct.unpack("!H", body[:2])[0], parse_attributes(body[2:]))
        else:
            value = list(body)
        found.append((name, value))
        at += length + len(padding)
    return found


class Message:
    def __init__(self, octets):
        head, primitive, length, self.conference, self.transaction, self.user = struct.unpack("!BBHIHH", octets[:12])
        assert head == 1 << 5, f"version 1, no flags: {head:#x}"
        assert len(octets) == 12 + 4 * length
        self.primitive = PRIMITIVES[primitive]
        self.attributes = parse_attributes(octets[12:])

    def all(self, name):
        return [value for each, value in self.attributes if each == name]

    def get(self, name):
        found = self.all(name)
        assert len(found) <= 1, f"{name} stands {len(found)} times"
        return found[0] if found else None

    @property
    def requests(self):
        return [Request(value) for value in self.all("FLOOR-REQUEST-INFORMATION")]

    @property
    def error(self):
        assert self.primitive == "Error", self
        return self.get("ERROR-CODE")[0]

    def __repr__(self):
        return f"{self.primitive} #{self.transaction} of {self.user}: {self.attributes}"


class Request:
    """A FLOOR-REQUEST-INFORMATION."""

    def __init__(self, group):
        self.id, attributes = group
        inside = dict(attributes)
        overall = inside.get("OVERALL-REQUEST-STATUS")
        assert overall and overall[0] == self.id, "5.3.4: OVERALL-REQUEST-STATUS names the same request"
        self.status, self.place = dict(overall[1])["REQUEST-STATUS"]
        self.info = dict(overall[1]).get("STATUS-INFO")
        self.floors = {value[0]: dict(value[1]) for name, value in attributes if name == "FLOOR-REQUEST-STATUS"}
        self.beneficiary = inside["BENEFICIARY-INFORMATION"][0] if "BENEFICIARY-INFORMATION" in inside else None
        self.name = dict(inside["BENEFICIARY-INFORMATION"][1]).get("USER-DISPLAY-NAME") if self.beneficiary else None
        self.requested_by = inside["REQUESTED-BY-INFORMATION"][0] if "REQUESTED-BY-INFORMATION" in inside else None
        self.said = inside.get("PARTICIPANT-PROVIDED-INFO")


class Client:
    """A connection to a floor control server. context: an ssl.SSLContext where it is TLS."""

    def __init__(self, address, conference, user, context=None, seconds=10):
        self.conference, self.user, self.seconds = conference, user, seconds
        self.transaction, self.rest, self.others = 0, b"", []
        self.socket = socket.create_connection(address, timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.socket = context.wrap_socket(self.socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, primitive, attributes=(), **header):
        """Its transaction ID."""
        self.transaction = self.transaction % 65535 + 1
        fields = {"conference": self.conference, "user": self.user, "transaction": self.transaction, **header}
        self.socket.sendall(message(primitive, attributes=attributes, **fields))
        return fields["transaction"]

    def octets(self, seconds):
        """What comes next, b"" at the end; None: nothing in time."""
        pending = getattr(self.socket, "pending", lambda: 0)()
        if not pending and not select.select([self.socket], [], [], max(0, seconds))[0]:
            return None
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def receive(self, seconds=None):
        """The next message; None at the end of the connection."""
        end = time.monotonic() + (self.seconds if seconds is None else seconds)
        while True:
            if len(self.rest) >= 12 and len(self.rest) >= (length := 12 + 4 * struct.unpack("!H", self.rest[2:4])[0]):
                found, self.rest = self.rest[:length], self.rest[length:]
                return Message(found)
            more = self.octets(end - time.monotonic())
            assert more is not None, f"no message in time; before: {self.others}"
            if not more:
                assert not self.rest, f"the connection ends within a message: {self.rest!r}"
                return None
            self.rest += more

    def answer(self, transaction):
        """The answer to a request; what comes unasked before it is kept."""
        while True:
            found = self.receive()
            assert found is not None, f"the connection ended before the answer; before: {self.others}"
            if found.transaction == transaction:
                return found
            assert found.transaction == 0, f"{found}: on TCP what the server begins has transaction 0 (8.2)"
            self.others.append(found)

    def ask(self, primitive, attributes=(), **header):
        return self.answer(self.send(primitive, attributes, **header))

    def notice(self, wanted, seconds=None):
        """The first message that nobody asked for and that is wanted."""
        end = time.monotonic() + (self.seconds if seconds is None else seconds)
        while True:
            while self.others:
                found = self.others.pop(0)
                if wanted(found):
                    return found
            found = self.receive(end - time.monotonic())
            assert found is not None, "the connection ended"
            self.others.append(found)

    def is_ended(self, seconds=10):
        """Does the server end the connection?"""
        end = time.monotonic() + seconds
        while (more := self.octets(end - time.monotonic())) is not None:
            if not more:
                return True
        return False

    # What people do.
    def hello(self):
        return self.ask("Hello")

    def request(self, *floors, beneficiary=None, priority=None, info=None):
        attributes = [("FLOOR-ID", floor) for floor in floors]
        attributes += [("BENEFICIARY-ID", beneficiary)] if beneficiary is not None else []
        attributes += [("PRIORITY", priority)] if priority is not None else []
        attributes += [("PARTICIPANT-PROVIDED-INFO", info)] if info is not None else []
        return self.ask("FloorRequest", attributes)

    def release(self, request):
        return self.ask("FloorRelease", [("FLOOR-REQUEST-ID", request)])

    def query(self, *floors):
        return self.ask("FloorQuery", [("FLOOR-ID", floor) for floor in floors])

    def act(self, request, floor, status, place=0, info=None):
        parts = [("REQUEST-STATUS", (status, place))] + ([("STATUS-INFO", info)] if info else [])
        return self.ask("ChairAction", [("FLOOR-REQUEST-INFORMATION", (request, [("FLOOR-REQUEST-STATUS", (floor, parts))]))])

    def status(self, request, status, seconds=None):
        """Until the server says that of this request."""
        return self.notice(lambda m: m.primitive == "FloorRequestStatus" and m.requests[0].id == request and m.requests[0].status == status, seconds)
