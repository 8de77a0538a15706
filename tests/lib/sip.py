"""A node with a tap between its planes (media_tap.py), SIPp against it, and a caller that sends SIP octet by octet."""
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request

from node import Node, ROOT, free_port, program, wait_until

SCENARIOS = os.path.join(ROOT, "tests", "interop", "sipp")
TAPPED = [sys.executable, os.path.join(ROOT, "tests", "lib", "media_tap.py"), program("conclave-dp")]
KEY = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
KEY2 = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
CM80, CM32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"


def sdp(crypto=(f"1 {CM80} {KEY}",), proto="RTP/SAVP", formats="0 8 101", address="127.0.0.1", port=40000, lines=(), version=1):
    body = ["v=0", f"o=sipp 1 {version} IN IP4 127.0.0.1", "s=-", f"c=IN IP{6 if ':' in address else 4} {address}", "t=0 0",
            f"m=audio {port} {proto} {formats}", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000"]
    return "\n".join(body + [f"a=crypto:{line}" for line in crypto] + list(lines))


class SipNode(Node):
    """A node that keeps what the media plane was asked, and can be made to fail."""

    def __init__(self, sip=None, **config):
        super().__init__({"sip": {"trusted_peers": [], "t1": "100ms", **(sip or {})}, "log": {"level": "debug"}, **config}, start=False,
                         dp_command=TAPPED)
        if sip and "listen" in sip:
            self.config["sip"]["listen"] = sip["listen"] + [f"sip:127.0.0.1:{self.sip_port}"]
        self.start()

    def http(self, path, method="GET", body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", method=method, data=json.dumps(body).encode() if body else None,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def start_cp(self):
        self.cp = self._start("cp", [program("conclave-cp"), "--config", self.config_path])

        def has_media():
            assert self.cp.poll() is None, self.logs()
            try:
                return self.http("/v1/health")
            except OSError:
                return None

        wait_until(has_media, 20, "conclave-cp that takes calls")

    def participants(self, conference="demo"):
        return self.http(f"/v1/conferences/{conference}/participants")["participants"]

    def faults(self, **faults):
        with open(self.path("faults.json"), "w") as file:
            json.dump(faults, file)

    def asked(self, *types):
        with open(self.path("media_plane.jsonl")) as file:
            return [row for row in map(json.loads, file) if not types or row["type"] in types]

    def forget(self):
        open(self.path("media_plane.jsonl"), "w").close()

    def event(self, number, leg, a=0, b=0):
        with open(self.path("events"), "w") as file:
            file.write(f"{number} {leg} {a} {b}\n")

    def sipp(self, scenario, service="demo", transport="u1", target=None, wait=True, count=1, rate=None, timeout=30, **fields):
        """Run one scenario with its @FIELDS@ replaced; a SIPp that is not content fails the test."""
        values = {"FROM": '"Sipp" <sip:sipp@127.0.0.1>', "HEADERS": "X-Test: conclave", "OFFER": sdp(), "OFFER2": sdp(version=2), "EXPECT": "SIP",
                  "EXPECT2": "SIP", "STATUS": "488", "PAUSE": "200", "REPLY": "Supported: timer", "HOPS": "70", **fields}
        with open(os.path.join(SCENARIOS, scenario + ".xml")) as file:
            text = file.read()
        text = re.sub(r"@([A-Z0-9]+)@", lambda match: str(values[match.group(1)]), text)
        path = self.path(f"{scenario}.{free_port()}.xml")
        with open(path, "w") as file:
            file.write(text)
        target = target or f"127.0.0.1:{self.sip_port}"
        local = "::1" if "[" in target else "127.0.0.1"
        run = Sipp(["sipp", target, "-sf", path, "-s", service, "-i", local, "-p", str(free_port(address=local)), "-t", transport, "-m", str(count),
                    "-r", str(rate or count), "-nostdin", "-timeout", f"{timeout}s", "-timeout_error", "-trace_err", "-error_file", path + ".err", "-trace_msg",
                    "-message_file", path + ".msg", "-default_behaviors", "none"], path)
        return run.finish(timeout + 30) if wait else run


class Sipp:
    def __init__(self, command, path):
        self.path = path
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "TERM": "dumb"})

    def read(self, ending):
        return open(self.path + ending, errors="replace").read() if os.path.exists(self.path + ending) else ""

    def finish(self, timeout=60):
        try:
            out, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("sipp hangs\n" + self.read(".msg"))
        assert self.process.returncode == 0, f"sipp: {self.process.returncode}\n{self.read('.err')}\n{self.read('.msg')[-6000:]}\n{out[-300:]}"
        return self.read(".msg")


class Message:
    """A SIP message taken apart: status (0 for a request), method, headers by lower-case name (lists), body."""

    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        self.text = text
        self.first, *lines = head.split("\r\n")
        self.status = int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else 0
        self.method = self.first.split()[0]
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), []).append(value.strip())

    def __getitem__(self, name):
        return self.headers.get(name.lower(), [""])[0]


class Caller:
    """One UDP socket and one dialog."""

    def __init__(self, node, user="demo", address="127.0.0.1", from_header='"Sipp" <sip:sipp@127.0.0.1>'):
        self.node, self.user, self.address = node, user, address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        self.uri = f"sip:{user}@127.0.0.1:{node.sip_port}"
        self.from_header, self.cseq, self.to_tag = from_header, 0, ""
        self.tag, self.call_id = os.urandom(6).hex(), os.urandom(8).hex()
        self.target = self.uri

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send_octets(self, octets):
        self.socket.sendto(octets, ("127.0.0.1", self.node.sip_port))

    def send(self, method, headers=(), body="", cseq=None, branch=None, kind="application/sdp", drop=()):
        if cseq is None:
            self.cseq += method != "ACK"
            cseq = self.cseq
        self.branch = branch or "z9hG4bK" + os.urandom(8).hex()
        body = body.replace("\n", "\r\n") + ("\r\n" if body else "")
        lines = [f"{method} {self.target} SIP/2.0", f"Via: SIP/2.0/UDP {self.address}:{self.port};branch={self.branch}",
                 f"From: {self.from_header};tag={self.tag}", f"To: <{self.uri}>" + (f";tag={self.to_tag}" if self.to_tag else ""),
                 f"Call-ID: {self.call_id}", f"CSeq: {cseq} {method}", "Max-Forwards: 70",
                 *([] if any(header.startswith("Contact:") for header in headers) else [f"Contact: <sip:sipp@{self.address}:{self.port}>"]),
                 *headers, *([f"Content-Type: {kind}"] if body and kind else []), f"Content-Length: {len(body)}"]
        lines = [line for line in lines if line.partition(":")[0] not in drop]
        self.send_octets(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def receive(self, seconds=5):
        self.socket.settimeout(seconds)
        try:
            return Message(self.socket.recv(65536).decode(errors="replace"))
        except socket.timeout:
            return None

    def final(self, seconds=5, cseq=None):
        """The next final response (to that CSeq: what is sent again of others is left aside)."""
        while True:
            message = self.receive(seconds)
            assert message, "no final response"
            if message.status >= 200 and cseq in (None, message["cseq"]):
                if "tag=" in message["to"] and "INVITE" in message["cseq"] and message.status < 300:
                    self.to_tag = message["to"].rpartition("tag=")[2]
                return message

    def request(self, method, headers=(), body="", **more):
        self.send(method, headers, body, **more)
        return self.final(cseq=f"{more.get('cseq', self.cseq)} {method}")

    def invite(self, headers=(), body=None, **more):
        """INVITE and ACK; the final response."""
        answer = self.request("INVITE", headers, sdp() if body is None else body, **more)
        if answer.status < 300:
            self.target = re.search(r"<([^>]*)>", answer["contact"]).group(1)
            self.send("ACK", cseq=self.cseq)
        else:
            established, self.to_tag = self.to_tag, answer["to"].rpartition("tag=")[2]
            self.send("ACK", cseq=self.cseq, branch=self.branch)
            self.to_tag = established
        return answer

    def bye(self):
        answer = self.request("BYE")
        assert answer.status == 200, answer.text

    def reply(self, request, status="200 OK", headers=(), body=""):
        lines = [f"SIP/2.0 {status}"]
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            lines += [f"{name}: {value}" for value in request.headers.get(name.lower(), [])]
        body = body.replace("\n", "\r\n") + ("\r\n" if body else "")
        if not any(header.lower().startswith("contact:") for header in headers):
            lines.append(f"Contact: <sip:sipp@{self.address}:{self.port}>")
        lines += [*headers, *(["Content-Type: application/sdp"] if body else []),
                  f"Content-Length: {len(body)}"]
        self.send_octets(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
