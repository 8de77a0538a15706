"""MSRP (RFC 4975), Message/CPIM (RFC 3862) and chat rooms (RFC 7701) as a client has them, over TCP or TLS; written from the RFCs alone.

Peer is one connection: it reads in a thread of its own (unless it is to stall), answers what must be answered, and puts messages together.
"""
import os
import re
import socket
import ssl
import threading
import time


def ident():
    return os.urandom(8).hex()


class Message:
    """One that came, put together: Message-ID, octets, and what CPIM says."""

    def __init__(self, content_type):
        self.content_type, self.octets, self.flag, self.chunks = content_type, bytearray(), None, 0
        self.ahead, self.total = {}, None

    def put(self, at, octets):
        """A chunk; what is behind a gap waits."""
        self.ahead[at] = octets
        while len(self.octets) in self.ahead:
            self.octets += self.ahead.pop(len(self.octets))

    @property
    def cpim(self):
        return cpim_of(bytes(self.octets))

    @property
    def text(self):
        return self.cpim[2].decode()


def cpim_of(octets):
    """Headers of the message, headers of the content, the content."""
    head, inner, content = octets.split(b"\r\n\r\n", 2)

    def fields(part):
        return {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in part.decode().split("\r\n"))}

    return fields(head), fields(inner), content


def cpim(sender, to, content, content_type="text/plain", more=""):
    content = content.encode() if isinstance(content, str) else content
    to = "".join(f"To: <{one}>\r\n" for one in ([to] if isinstance(to, str) else to))
    return f"From: <{sender}>\r\n{to}{more}\r\nContent-Type: {content_type}\r\n\r\n".encode() + content


class Peer:
    is_ordered = True  # chunks have to come one behind the other
    answer = "200 OK"  # to each SEND

    def __init__(self, path, own, tls=None, reads=True, answers=True):
        """path: of the other side, own: ours; tls: (certificate, key) or None."""
        self.path, self.own, self.answers = path, own, answers
        scheme, host, port = re.match(r"(msrps?)://\[?([^/\]]+)\]?:(\d+)/", path).groups()
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        if tls:
            assert scheme == "msrps"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.load_cert_chain(*tls)
            self.socket = context.wrap_socket(self.socket)
            self.peer_certificate = self.socket.getpeercert(binary_form=True)
        self.socket.settimeout(None)
        self.lock, self.changed = threading.Lock(), threading.Condition()
        self.messages, self.half, self.responses, self.reports, self.aborted = [], {}, {}, [], []
        self.buffer, self.searched, self.is_over, self.chunks = bytearray(), 0, False, 0
        self.thread = threading.Thread(target=self._read, daemon=True)
        if reads:
            self.thread.start()

    def read_on(self):
        self.thread.start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def write(self, octets):
        with self.lock:
            self.socket.sendall(octets)

    def _read(self):
        try:
            while True:
                more = self.socket.recv(262144)
                if not more:
                    break
                self.buffer += more
                while self._take():
                    pass
        except (OSError, ValueError):
            pass
        with self.changed:
            self.is_over = True
            self.changed.notify_all()

    def _take(self):
        """One whole request or response off the buffer. False: more must come."""
        line = self.buffer.find(b"\r\n")
        if line < 0:
            return False
        words = bytes(self.buffer[:line]).split(b" ", 2)
        assert words[0] == b"MSRP", self.buffer[:80]
        end = re.compile(rb"\r\n-------" + re.escape(words[1]) + rb"([$+#])\r\n").search(self.buffer, max(line, self.searched - 64))
        self.searched = len(self.buffer)
        if not end:
            return False
        rest, flag = bytes(self.buffer[line + 2:end.start() + 2]), end.group(1).decode()
        head, gap, body = rest.partition(b"\r\n\r\n")
        has_body = bool(gap)
        if has_body:
            body = body[:-2]
        fields = {k.lower(): v for k, v in (one.split(": ", 1) for one in head.decode().strip("\r\n").split("\r\n"))}
        del self.buffer[:end.end()]
        self.searched = 0
        with self.changed:
            self._event(words[1].decode(), words[2].decode(), fields, body if has_body else None, flag)
            self.changed.notify_all()
        return True

    def _event(self, transaction, what, fields, body, flag):
        if what[:3].isdigit():
            self.responses[transaction] = int(what[:3])
            return
        assert fields["to-path"] == self.own and fields["from-path"] == self.path, fields
        if what == "REPORT":
            self.reports.append({**fields, "body": body})
            return
        if what != "SEND":
            return
        wish = fields.get("failure-report", "yes")
        if self.answers and (wish == "yes" or (wish == "partial" and not self.answer.startswith("200"))):
            self.write(f"MSRP {transaction} {self.answer}\r\nTo-Path: {self.path}\r\nFrom-Path: {self.own}\r\n-------{transaction}$\r\n".encode())
        if body is None:
            return
        self.chunks += 1
        start, end, total = re.fullmatch(r"(\d+)-(\d+|\*)/(\d+|\*)", fields["byte-range"]).groups()
        assert end == "*" or int(end) - int(start) + 1 == len(body)
        assert len(body) <= 2048 or end == "*", "RFC 4975 7.1.1: a long chunk can be interrupted"
        message = self.half.setdefault(fields["message-id"], Message(fields["content-type"]))
        assert not self.is_ordered or int(start) == len(message.octets) + 1, "in order"
        message.put(int(start) - 1, body)
        message.chunks += 1
        if flag == "#":
            self.aborted.append(self.half.pop(fields["message-id"]))
            return
        if flag == "$":
            message.total = int(start) - 1 + len(body)
            assert total in ("*", str(message.total))
        if len(message.octets) == message.total:
            self.messages.append(self.half.pop(fields["message-id"]))

    def wait(self, done, seconds=30, what=""):
        end = time.monotonic() + seconds
        with self.changed:
            while not done():
                left = end - time.monotonic()
                assert left > 0, f"nothing came in {seconds} s {what}"
                self.changed.wait(left)

    def request(self, method, headers=(), body=None, flag="$", transaction=None, to=None):
        """Sent; its transaction."""
        transaction = transaction or ident()
        lines = [f"MSRP {transaction} {method}", f"To-Path: {to or self.path}", f"From-Path: {self.own}", *headers]
        octets = "\r\n".join(lines).encode() + b"\r\n"
        if body is not None:
            octets += b"\r\n" + body + b"\r\n"
        self.write(octets + f"-------{transaction}{flag}\r\n".encode())
        return transaction

    def status(self, transaction, seconds=30):
        self.wait(lambda: transaction in self.responses, seconds, f"in answer to {transaction}")
        return self.responses.pop(transaction)

    def bind(self):
        return self.status(self.request("SEND", (f"Message-ID: {ident()}", "Byte-Range: 1-0/0")))

    def send(self, body, content_type="message/cpim", headers=(), message_id=None, answer=True):
        """A whole message in one chunk. The status, or its transaction."""
        size = len(body)
        rows = (f"Message-ID: {message_id or ident()}", f"Byte-Range: 1-{size if size <= 2048 else '*'}/{size}", *headers, f"Content-Type: {content_type}")
        transaction = self.request("SEND", rows, body)
        return self.status(transaction) if answer else transaction

    def send_chunks(self, body, size, headers=(), between=None):
        """A message in chunks of that size; between(n) is called behind each. The statuses."""
        message_id, statuses = ident(), []
        for n, at in enumerate(range(0, len(body), size)):
            part = body[at:at + size]
            rows = (f"Message-ID: {message_id}", f"Byte-Range: {at + 1}-*/{len(body)}", *headers, "Content-Type: message/cpim")
            statuses.append(self.request("SEND", rows, part, "$" if at + size >= len(body) else "+"))
            if between:
                between(n)
        return [self.status(one) for one in statuses]

    def nickname(self, name):
        return self.status(self.request("NICKNAME", (f"Use-Nickname: {name}",)))
