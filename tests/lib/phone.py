"""A participant in Python: SIP by hand, plain RTP or none, and its m-line of floor control; independent of conclave-ue."""
import hashlib
import math
import re
import select
import socket
import ssl
import struct
import subprocess
import threading
import time

from bfcp import Client
from sip import Caller, sdp

FRAME = 160  # octets of PCMU in 20 ms
SO_TIMESTAMPNS = 35


def ulaw(sample):
    """G.711: a sample of 16 bits as an octet."""
    sign, level = (0x80, -sample) if sample < 0 else (0, sample)
    level = min(level, 32635) + 132
    exponent = level.bit_length() - 8
    return ~(sign | exponent << 4 | level >> exponent + 3 & 15) & 0xff


def tone(hz, seconds=1, peak=8000):
    """Octets of PCMU; whole seconds, so that they go round without a click."""
    return bytes(ulaw(int(peak * math.sin(2 * math.pi * hz * i / 8000))) for i in range(8000 * seconds))


def loudness(payload):
    """The largest sample of PCMU, 0 to 8031."""
    def level(octet):
        octet = ~octet & 0x7f
        return (((octet & 15) << 3) + 132 << (octet >> 4)) - 132
    return max((level(octet) for octet in payload), default=0)


class Sound:
    """A socket for RTP: sends a tone every 20 ms where it is told to, hears what comes."""

    def __init__(self, hz=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.hz, self.thread, self.is_over = hz, None, threading.Event()

    def start(self, target):
        self.thread = threading.Thread(target=self.send, args=(target, tone(self.hz)), daemon=True)
        self.thread.start()

    def send(self, target, octets):
        due, number = time.monotonic(), 0
        while not self.is_over.is_set():
            at = number * FRAME % len(octets)
            self.socket.sendto(struct.pack("!BBHII", 0x80, 0, number & 0xffff, number * FRAME & 0xffffffff, 0x70000 + self.hz) +
                               octets[at:at + FRAME], target)
            number, due = number + 1, due + 0.02
            time.sleep(max(0, due - time.monotonic()))

    def frames(self, seconds):
        """(wall clock by the kernel, loudness) of packets as they come."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return
            octets, notes, *_ = self.socket.recvmsg(2048, 128)
            stamp = next((struct.unpack("qq", data[:16]) for level, kind, data in notes if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)),
                         (0, 0))
            assert octets[0] & 0xf0 == 0x80, "version 2, no extension"
            if octets[1] & 0x7f == 0:
                yield stamp[0] + stamp[1] / 1e9, loudness(octets[12 + 4 * (octets[0] & 15):])

    def drain(self):
        for _ in self.frames(0.0001):
            pass

    def close(self):
        self.is_over.set()
        if self.thread:
            self.thread.join()
        self.socket.close()


def certificate(folder, name):
    """A self-signed one: its file with the key, and its fingerprint as SDP has it."""
    path = f"{folder}/{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True, timeout=60)
    with open(f"{path}.crt") as file:
        text = file.read()
    with open(path, "a") as file:
        file.write(text)
    return path, fingerprint(ssl.PEM_cert_to_DER_cert(text))


def fingerprint(der):
    return "sha-256 " + ":".join(f"{octet:02X}" for octet in hashlib.sha256(der).digest())


class Phone:
    """In a conference, with floor control as SDP agreed it. certificate: (file, fingerprint); then the call is SDES."""

    def __init__(self, node, who, conference="room", hz=None, certificate=None, setup="active", lines=(), floor=True):
        self.caller = Caller(node, conference, from_header=f'"{who.title()}" <sip:{who}@example.net>')
        self.sound, self.certificate, self.client, self.setup = Sound(hz), certificate, None, setup
        self.identity = f"sip:{who}@example.net"
        proto = "TCP/TLS/BFCP" if certificate else "TCP/BFCP"
        self.floor_lines = [f"m=application 9 {proto} *", f"a=setup:{setup}", "a=connection:new", "a=floorctrl:c-only", "a=bfcpver:1",
                            *([f"a=fingerprint:{certificate[1]}"] if certificate else []), *lines] if floor else []
        keys = {} if certificate else {"crypto": (), "proto": "RTP/AVP"}
        self.answer = self.caller.invite([f'P-Asserted-Identity: "{who.title()}" <{self.identity}>'],
                                         sdp(port=self.sound.port, formats="0", lines=self.floor_lines, **keys))
        self.sections = self.answer.body.split("m=") if self.answer.status == 200 else []
        if hz is not None:
            self.sound.start(("127.0.0.1", int(self.sections[1].split()[1])))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.client:
            self.client.close()
        try:
            if self.answer.status == 200:
                self.caller.send("BYE")
        finally:
            self.sound.close()
            self.caller.socket.close()

    @property
    def application(self):
        return next(section for section in self.sections if section.startswith("application"))

    def said(self, name):
        """Values of an attribute in the m-line of floor control."""
        return re.findall(rf"a={name}:?([^\r\n]*)", self.application)

    @property
    def address(self):
        return "127.0.0.1", int(self.application.split()[1])

    @property
    def conference(self):
        return int(self.said("confid")[0])

    @property
    def user(self):
        return int(self.said("userid")[0])

    def context(self):
        if not self.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # by fingerprint
        context.load_cert_chain(self.certificate[0])
        return context

    def connect(self, **header):
        """Floor control is up: its client, which has said hello."""
        self.client = Client(self.address, header.get("conference", self.conference), header.get("user", self.user), self.context())
        if self.certificate:
            shown = fingerprint(self.client.socket.getpeercert(binary_form=True))
            assert shown.upper() == self.said("fingerprint")[0].upper(), "the certificate is that of the SDP"
        return self.client

    def agree_again(self, application=None):
        """Answer the next offer of the focus, with this instead of our m-line of floor control; what it said."""
        while (request := self.caller.receive(15)) is not None:
            if request.method == "INVITE":
                break
        assert request is not None, "no offer came"
        lines = [application] if application else [line.replace("actpass", "active").replace("connection:new", "connection:existing")
                                                   for line in self.floor_lines]
        self.caller.reply(request, body=sdp(port=self.sound.port, formats="0", crypto=(), proto="RTP/AVP", lines=lines, version=2))
        return request.body

    def hear(self, seconds=0.4):
        """The loudest of what comes now."""
        self.sound.drain()
        return max((level for _, level in self.sound.frames(seconds)), default=0)
