"""conclave-ue by itself: what it says when nobody, nothing of use or a refusal answers; against a node: what it hears, and its exit codes."""
import json
import math
import socket
import struct
import subprocess
import threading
import wave

import pytest

from node import Node, free_port, program


def ue(*options, timeout=40):
    """Exit status, all lines of JSON, what it wrote to stderr."""
    result = subprocess.run([program("conclave-ue"), *map(str, options)], capture_output=True, text=True, timeout=timeout)
    return result.returncode, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


class Answerer:
    """A UDP port that answers each INVITE by what answer(request) gives: a status line, more headers, a body; None: not at all."""

    def __init__(self, answer):
        self.answer = answer
        self.seen = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.port = self.socket.getsockname()[1]
        self.is_over = False
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        self.socket.close()

    @property
    def uri(self):
        return f"sip:room@127.0.0.1:{self.port}"

    def methods(self):
        return [request.split(" ", 1)[0] for request in self.seen]

    def run(self):
        while not self.is_over:
            try:
                data, peer = self.socket.recvfrom(65536)
            except socket.timeout:
                continue
            request = data.decode()
            self.seen.append(request)
            reply = self.reply(request)
            if reply is not None:
                self.socket.sendto(reply, peer)

    def reply(self, request):
        method = request.split(" ", 1)[0]
        if method == "ACK":
            return None
        status, headers, body = ("200 OK", [], "") if method == "BYE" else self.answer(request) or (None, [], "")
        if status is None:
            return None
        if status == "raw":
            return body
        copied = [line for line in request.split("\r\n\r\n")[0].split("\r\n")
                  if line.split(":")[0].lower() in ("via", "from", "to", "call-id", "cseq")]
        copied = [line + ";tag=answerer" if line.lower().startswith("to:") and "tag=" not in line else line for line in copied]
        lines = [f"SIP/2.0 {status}", *copied, *headers, f"Content-Length: {len(body)}", "", body]
        return "\r\n".join(lines).encode()


def test_nobody_there():
    code, lines, _ = ue("--for", 1, f"sip:room@127.0.0.1:{free_port()}")
    assert code == 3
    assert lines[0]["outcome"] == "unreachable"
    assert lines[0]["tx"]["packets"] == 0


def test_no_answer():
    with Answerer(lambda request: None) as silent:
        code, lines, _ = ue("--for", 1, "--timeout", 1, silent.uri)
    assert code == 3
    assert lines[0]["outcome"] == "timeout"


def test_answers_that_are_not_sip():
    with Answerer(lambda request: ("raw", [], b"\x80\x00\x01SIP/2.0 200 OK\r\nVia: ;;;\r\n\r\n")) as silly:
        code, lines, _ = ue("--for", 1, "--timeout", 1, silly.uri)
    assert code == 3
    assert lines[0]["outcome"] == "timeout"


def test_refused_with_a_reason():
    with Answerer(lambda request: ("488 Not Acceptable Here", ['Warning: 305 focus "no suite in common"'], "")) as focus:
        code, lines, _ = ue("--for", 1, focus.uri)
        assert "ACK" in focus.methods()
    assert code == 3
    seen = lines[0]
    assert (seen["outcome"], seen["status"], seen["reason"]) == ("refused", 488, "Not Acceptable Here")
    assert "no suite in common" in seen["warning"]


SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"


@pytest.mark.parametrize("body", [
    "",
    "nonsense",
    SDP,
    SDP + "m=audio 0 RTP/SAVP 0\r\n",
    SDP + "m=audio 40000 RTP/AVP 0\r\n",
    SDP + "m=audio 40000 RTP/SAVP 0\r\n",
    SDP + "m=audio 40000 RTP/SAVP 0\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw\r\n",
    SDP + "m=audio 40000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short\r\n",
    SDP + "m=audio 40000 RTP/SAVP 18\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw\r\n",
], ids=["empty", "nonsense", "no-stream", "refused-stream", "plain", "no-key", "unknown-tag", "short-key", "unknown-codec"])
def test_200_of_no_use_is_ended_at_once(body):
    headers = ["Contact: <sip:focus@127.0.0.1>", "Content-Type: application/sdp"]

    def answer(request):
        return "200 OK", [headers[0].replace("127.0.0.1", f"127.0.0.1:{focus.port}"), headers[1]], body
    with Answerer(answer) as focus:
        code, lines, _ = ue("--for", 1, focus.uri)
        assert [m for m in focus.methods() if m in ("ACK", "BYE")] == ["ACK", "BYE"]
    assert code == 3
    assert lines[0]["outcome"] == "bad-answer"
    assert lines[0]["tx"]["packets"] == 0


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_is_answered_once(algorithm):
    def answer(request):
        if "Authorization:" in request:
            return "403 Forbidden", [], ""
        return "401 Unauthorized", [f'WWW-Authenticate: Digest realm="r", nonce="abc", algorithm={algorithm}, qop="auth"'], ""
    with Answerer(answer) as focus:
        code, lines, _ = ue("--for", 1, "--user", "alice", "--password", "secret", focus.uri)
        with_credentials = [r for r in focus.seen if r.startswith("INVITE") and "Authorization:" in r]
        assert len(with_credentials) == 1
        assert f"algorithm={algorithm}" in with_credentials[0]
        assert "secret" not in "".join(focus.seen)
    assert (code, lines[0]["status"]) == (3, 403)


def test_mistakes_in_the_command():
    for options in ([], ["--tone"], ["--nonsense", "sip:a@b"], ["--wav", "/nonexistent", "sip:a@127.0.0.1"]):
        code, lines, errors = ue(*options)
        assert code in (2, 4)
        assert lines == []
        assert "conclave-ue: " in errors


def test_help_and_manual_name_every_option():
    pages = [subprocess.run([program("conclave-ue"), word], capture_output=True, text=True, check=True).stdout for word in ("--help", "--man")]
    names = [line.split()[0] for line in pages[0].splitlines() if line.startswith("  --")]
    assert len(names) > 50
    for name in names:
        assert name.replace("-", "\\-") in pages[1]


@pytest.fixture(scope="module")
def node():
    with Node(config={"conferences": [
        {"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in ("demo", "c1", "c2")]}) as running:
        yield running


def test_three_hear_each_other(node):
    code, lines, _ = ue("--count", 3, "--each", "--expect-heard", "--for", 3, node.uri())
    assert code == 0
    assert [line["outcome"] for line in lines[:3]] == ["joined"] * 3
    assert lines[3]["all_heard"]
    assert all(0 < line["delay_ms"]["p50"] < 500 for line in lines[:3] if line["delay_ms"])
    assert all(line["isfocus"] for line in lines[:3])


def test_a_file_is_heard(node, tmp_path):
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:  # 16 kHz, -20 dBov: as long as 450 Hz goes round without a seam
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        peak = 32768 * math.sqrt(2) * 10 ** (-20 / 20)
        file.writeframes(b"".join(struct.pack("<h", round(peak * math.sin(2 * math.pi * 450 * i / 16000))) for i in range(16000)))
    speaker = subprocess.Popen([program("conclave-ue"), "--wav", str(path), "--for", "20", node.uri()], stdout=subprocess.DEVNULL)
    try:
        node.wait_participants(1)
        code, lines, _ = ue("--tone", 700, "--expect", 450, "--expect-heard", "--for", 2.5, node.uri())
        assert code == 0, lines
    finally:
        speaker.terminate()
        speaker.wait(timeout=10)
    node.wait_participants(0)


def test_what_is_not_there_is_missed(node):
    code, lines, _ = ue("--count", 2, "--each", "--expect", 3300, "--expect-heard", "--for", 2.5, node.uri())
    assert code == 1
    assert {h["hz"]: h["ok"] for h in lines[0]["heard"]} == {500: True, 3300: False, 400: True}


def test_late_offer_tcp_and_two_conferences(node):
    code, lines, _ = ue("--count", 4, "--per-conference", 2, "--late-offer", "--transport", "tcp", "--expect-heard", "--for", 2.5,
                        node.uri("c%d"))
    assert (code, lines[0]["joined"]) == (0, 4)


def test_silence_is_sent_and_is_silence(node):
    quiet = subprocess.Popen([program("conclave-ue"), "--silence", "--for", "20", node.uri()], stdout=subprocess.PIPE, text=True)
    node.wait_participants(1)
    code, lines, _ = ue("--tone", 700, "--expect", "300,400,500", "--for", 2.5, node.uri())
    assert code == 0 and all(row["dbov"] < -60 for row in lines[0]["heard"] if row["hz"] != 700), lines
    shown = next(p for p in node.participants())["media"]
    assert shown["packets_rx"] > 100 and shown["level_dbov"] is None, shown
    quiet.terminate()
    assert json.loads(quiet.communicate(timeout=20)[0])["tx"]["packets"] > 100
    node.wait_participants(0)


def test_shared_sockets(node):
    code, lines, _ = ue("--count", 6, "--per-conference", 3, "--share", 6, "--expect-heard", "--for", 2.5, node.uri("c%d"))
    assert (code, lines[0]["heard_as_expected"]) == (0, 6)


def test_script_of_actions(node, tmp_path):
    script = tmp_path / "actions"
    script.write_text("# one of everything\n0.5 hold\n0.9 unhold\n1.1 rekey\n1.3 reinvite\n1.5 move\n1.8 codec PCMA\n2 dtmf 12\n2.1 ssrc\n")
    code, lines, _ = ue("--count", 2, "--each", "--actors", 1, "--script", script, "--expect-heard", "--settle", 2.6, "--for", 4.5,
                        node.uri())
    assert lines[0]["reinvites"]["ok"] == 6
    assert lines[0]["codec"] == "PCMA"
    assert code == 0, lines


def test_ipv6():
    port = free_port(address="::1")
    with Node(config={"media": {"addresses": [{"address": "::1"}]},
                      "sip": {"listen": [f"sip:[::1]:{port}"]}}) as six:
        code, lines, _ = ue("--count", 2, "--expect-heard", "--for", 2.5, f"sip:demo@[::1]:{port}")
        assert code == 0, (lines, six.logs())


def test_ended_by_a_signal(node):
    process = subprocess.Popen([program("conclave-ue"), "--for", "60", node.uri()], stdout=subprocess.PIPE, text=True)
    node.wait_participants(1)
    process.terminate()
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert json.loads(out)["ended_by"] == "us"
    node.wait_participants(0)
