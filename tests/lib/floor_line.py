"""Floor control in SDP and on the wire, as much as a test of calls wants: m-lines, descriptions taken apart, a BFCP connection."""
import hashlib
import re
import socket
import ssl
import struct
import subprocess

from sip import CM80, KEY

CLIENT = "a=floorctrl:c-only\na=bfcpver:1"
AVP = "m=audio 40000 RTP/AVP 0"
SAVP = f"m=audio 40000 RTP/SAVP 0\na=crypto:1 {CM80} {KEY}"
KEYED = "m=audio 40000 RTP/SAVP 0"
HELLO, HELLO_ACK = 11, 12


class Certificate:
    """Of a participant: PEM files in a folder, and a=fingerprint of it."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=a", "-days", "2",
                        "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"], check=True, capture_output=True)
        self.fingerprint = "a=fingerprint:" + fingerprint(ssl.PEM_cert_to_DER_cert((folder / "certificate.pem").read_text()))

    def context(self):
        """TLS client with it; whose the other one is, the test compares."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(self.folder / "certificate.pem", self.folder / "key.pem")
        return context


def fingerprint(der):
    digest = hashlib.sha256(der).hexdigest().upper()
    return "sha-256 " + ":".join(digest[i:i + 2] for i in range(0, 64, 2))


def bfcp(setup="active", connection="new", proto="TCP/BFCP", port=9, lines=()):
    return "\n".join([f"m=application {port} {proto} *", f"a=setup:{setup}", f"a=connection:{connection}", CLIENT, *lines])


def describe(*sections, version=1, lines=()):
    return "\n".join(["v=0", f"o=a 1 {version} IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", *lines, *sections])


def sections(body):
    """The m-sections of a description, as lists of lines."""
    return [part.strip().splitlines() for part in re.split(r"(?m)^(?=m=)", body)[1:]]


def section(body, media):
    [found] = [part for part in sections(body) if part[0].startswith(f"m={media} ")]
    return found


def port_of(part):
    return int(part[0].split()[1])


def value(part, name):
    [line] = [line for line in part if line.startswith(f"a={name}:")]
    return line.partition(":")[2]


class Floor:
    """A BFCP connection to where an answer says."""

    def __init__(self, part, context=None):
        self.conf, self.user = int(value(part, "confid")), int(value(part, "userid"))
        self.socket = socket.create_connection(("127.0.0.1", port_of(part)), 5)
        if context:
            self.socket = context.wrap_socket(self.socket)
        self.number = 0

    def hello(self):
        """True: it was answered; False: the connection is over."""
        self.number += 1
        try:
            self.socket.sendall(struct.pack("!BBHIHH", 0x20, HELLO, 0, self.conf, self.number, self.user))
            answer = self.socket.recv(4096)
        except (ConnectionError, ssl.SSLError):
            return False
        assert not answer or answer[1] == HELLO_ACK, answer.hex()
        return bool(answer)

    def is_over(self):
        self.socket.settimeout(10)
        try:
            return self.socket.recv(4096) == b""
        except ConnectionError:
            return True
