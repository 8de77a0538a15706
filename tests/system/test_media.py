"""Media of a whole node, looked at from outside: by an SRTP of its own (tests/lib/srtp.py), by sockets, by /proc; and what the API tells of it."""
import os
import re
import socket
import subprocess
import time

import pytest
from media_plane import Events
from node import SANITIZED, Node, Ue, free_port, program, wait_until
from sip import CM32, CM80, KEY, KEY2, Caller, sdp
from sound import assert_hears, levels, tones
from srtp import Context, rtp

SILENCE = b"\xff" * 160
SSRC = 0x12345678


class Phone(Caller):
    """A caller with RTP and RTCP sockets, and SRTP of RFC 3711 written here."""

    def __init__(self, node, **more):
        super().__init__(node, **more)
        while True:
            port = free_port() & ~1
            self.media = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            try:
                for i, each in enumerate(self.media):
                    each.bind(("127.0.0.1", port + i))
                break
            except OSError:
                for each in self.media:
                    each.close()
        self.media_port, self.sequence, self.roc = port, 100, 0

    def __exit__(self, *_):
        for each in self.media:
            each.close()
        super().__exit__()

    def offer(self, crypto=(f"1 {CM80} {KEY}",), **more):
        """INVITE or re-INVITE; the answer's body."""
        answer = self.invite(body=sdp(crypto, port=self.media_port, **more))
        assert answer.status == 200, answer.text
        self.focus = ("127.0.0.1", int(re.search(r"m=audio (\d+)", answer.body)[1]))
        return answer.body

    def keys(self, body, mki=b"", theirs=b"", key=KEY, tag=10):
        """Contexts: ours by the key that we offered, theirs by the answer's."""
        self.out = Context(key, tag, mki)
        self.back = Context(re.search(r"inline:\S+", body)[0], tag, theirs)

    def packet(self, ssrc=SSRC):
        """The next packet, protected."""
        plain = rtp(self.sequence & 0xffff, self.sequence * 160 & 0xffffffff, ssrc, SILENCE)
        packet = self.out.protect(plain, self.roc + (self.sequence >> 16))
        self.sequence += 1
        return packet

    def say(self, *packets):
        for packet in packets:
            self.media[0].sendto(packet, self.focus)

    def hear(self, which=0, seconds=3):
        """The next datagram on one of the two sockets; None: none came."""
        self.media[which].settimeout(seconds)
        try:
            return self.media[which].recv(2048)
        except TimeoutError:
            return None

    def drain(self):
        for each in self.media:
            each.setblocking(False)
            try:
                while True:
                    each.recv(2048)
            except BlockingIOError:
                pass

    def shown(self):
        return self.node.participants()[0]["media"]


@pytest.mark.parametrize("suite, tag", [(CM80, 10), (CM32, 4)])
def test_srtp_of_another_hand_is_understood(suite, tag):
    """Packets made and read by the RFC's text alone; then one again, one forged, one far behind."""
    with Node() as node, Phone(node) as phone:
        phone.keys(phone.offer([f"1 {suite} {KEY}"]), tag=tag)
        phone.sequence = 0x10000 - 100  # it rolls over on the way
        sent = [phone.packet() for _ in range(200)]
        for packet in sent:
            phone.say(packet)
            time.sleep(0.005)
        wait_until(lambda: phone.shown()["packets_rx"] == 200, 10, "our packets")
        assert phone.shown()["auth_failures"] == phone.shown()["replays"] == 0
        plain = [phone.back.unprotect(phone.hear()) for _ in range(20)]
        assert all(plain) and len({packet[8:12] for packet in plain}) == 1
        sequences = [int.from_bytes(packet[2:4], "big") for packet in plain]
        assert sequences == list(range(sequences[0], sequences[0] + 20)) and sequences[0] < 0x8000

        phone.say(sent[-1], sent[-127])  # once more: the last, and the last but 126 in the window of 128
        forged = bytearray(phone.packet())
        forged[-1] ^= 1
        phone.say(bytes(forged), sent[0])  # and one from 200 packets ago
        wait_until(lambda: phone.shown()["packets_rx"] == 204, 10, "all four")
        shown = phone.shown()
        assert (shown["replays"], shown["auth_failures"], shown["drops"].get("srtp_stale")) == (2, 1, 1), shown
        phone.bye()


def test_mki_is_on_the_wire_both_ways():
    with Node() as node, Phone(node) as phone:
        body = phone.offer([f"1 {CM80} {KEY}|2^31|77:4;{KEY2}|2^31|78:4"])
        length = re.search(r"inline:[^|]+\|(?:2\^\d+\||\d+\|)?(\d+):4", body)
        assert length, body
        phone.keys(body, mki=(77).to_bytes(4, "big"), theirs=int(length[1]).to_bytes(4, "big"))
        phone.say(*[phone.packet() for _ in range(10)])
        wait_until(lambda: phone.shown()["played"] + phone.shown()["drops"].get("jbuf_skew", 0) > 0, 10, "sound under the first key")
        assert phone.back.unprotect(phone.hear())
        # The second key of the line, by its MKI, without any signalling.
        phone.out = Context(KEY2, 10, (78).to_bytes(4, "big"))
        before = phone.shown()
        phone.say(*[phone.packet() for _ in range(10)])
        wait_until(lambda: phone.shown()["packets_rx"] == 20, 10, "ten more")
        after = phone.shown()
        assert after["drops"].get("srtp_no_key", 0) == after["auth_failures"] == 0, (before, after)
        # An MKI of nobody; a packet without any.
        phone.out = Context(KEY2, 10, (79).to_bytes(4, "big"))
        phone.say(phone.packet())
        phone.out = Context(KEY2, 10)
        phone.say(phone.packet())
        wait_until(lambda: phone.shown()["drops"].get("srtp_no_key", 0) + phone.shown()["auth_failures"] == 2, 10, "two that are not taken")
        phone.bye()


def test_a_key_ends_with_its_lifetime():
    """The crypto line says 50 packets: told at 45, and the 51st is not taken. A new key in a re-INVITE is."""
    with Node() as node, Events(node) as events, Phone(node) as phone:
        phone.keys(phone.offer([f"1 {CM80} {KEY}|50"]))
        for _ in range(60):
            phone.say(phone.packet())
        wait_until(lambda: phone.shown()["packets_rx"] == 60, 10, "60 packets")
        assert phone.shown()["drops"].get("srtp_lifetime") == 10, phone.shown()
        assert events.wait("key soon", a=1, b=900) and events.wait("key soon", a=1, b=1000)
        # We ask for nothing twice: what comes from us in the meantime is a re-INVITE with our new key, answered here.
        ours = phone.receive(1)
        if ours and ours.method == "INVITE":
            tag = re.search(r"a=crypto:(\d+)", ours.body)[1]
            phone.reply(ours, body=sdp([f"{tag} {CM80} {KEY2}"], port=phone.media_port, version=2))
            while phone.receive(5).method != "ACK":
                pass
        else:
            phone.offer([f"1 {CM80} {KEY2}"], version=2)
        phone.out = Context(KEY2)
        for _ in range(20):
            phone.say(phone.packet())
        wait_until(lambda: phone.shown()["packets_rx"] == 80, 10, "20 more")
        assert phone.shown()["drops"].get("srtp_lifetime") == 10 and phone.shown()["auth_failures"] == 0, phone.shown()
        phone.bye()


def test_a_host_name_in_c_is_followed_by_what_authenticates():
    """Nothing is sent before the first packet that proves where the name leads; then sound and reports go there."""
    with Node() as node, Phone(node) as phone:
        phone.keys(phone.offer(address="phone.example"))
        assert phone.hear(0, 0.5) is None and phone.shown()["packets_tx"] == 0
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with stranger:
            stranger.sendto(rtp(1, 1, SSRC, SILENCE + bytes(10)), phone.focus)
            wait_until(lambda: phone.shown()["auth_failures"] == 1, 5, "the stranger's packet")
            assert not phone.shown()["latched"] and phone.hear(0, 0.5) is None
        phone.say(phone.packet())
        assert phone.back.unprotect(phone.hear())
        assert phone.shown()["remote"] == f"127.0.0.1:{phone.media_port}"
        assert phone.hear(1, 15), "a report, on the port after RTP's"
        assert phone.offer(address="127.0.0.1", version=2)
        phone.drain()
        phone.keys(phone.offer(address="127.0.0.1", version=2))
        assert phone.hear()
        phone.bye()


def test_rtcp_mux_is_left_and_taken_up_again():
    """Where our reports go follows the last answer: RTP's port, then one of its own, then RTP's again."""
    config = {"conferences": [{"id": "demo", "security": "none", "identity": "none", "anonymous": True}]}

    def is_rtcp(packet):
        return 200 <= packet[1] <= 204

    with Node(config) as node, Phone(node) as phone:
        for version, lines, own in ((1, ["a=rtcp-mux"], 0), (2, [], 1), (3, ["a=rtcp-mux"], 0)):
            body = phone.offer((), proto="RTP/AVP", lines=lines, version=version)
            assert ("a=rtcp-mux" in body) == bool(lines), body
            assert bool(lines) or f"a=rtcp:{phone.focus[1] + 1}" in body, body
            phone.drain()
            phone.say(rtp(version, 160 * version, SSRC, SILENCE))
            deadline = time.monotonic() + 20
            seen = []
            while time.monotonic() < deadline and not seen:
                for which in (0, 1):
                    packet = phone.hear(which, 0.05)
                    if packet and is_rtcp(packet):
                        seen.append(which)
            assert seen and set(seen) == {own}, (lines, seen)
            # And theirs to us, where we said.
            before = phone.shown()["rtcp_rx"]
            report = bytes.fromhex("80c90001") + SSRC.to_bytes(4, "big") + bytes.fromhex("81ca0003") + SSRC.to_bytes(4, "big") + b"\x01\x01a\x00\x00\x00\x00\x00"
            phone.media[own].sendto(report, (phone.focus[0], phone.focus[1] + own))
            wait_until(lambda: phone.shown()["rtcp_rx"] > before, 5, "our report counted")
        phone.bye()


def test_statistics_tell_what_was_done_to_the_stream():
    """One in ten lost, 30 ms of jitter, a tone of -30 dBov: the API tells so, and of nobody else."""
    with Node() as node:
        bad = Ue(node.uri(), "--from", "sip:bad@example.net", "--tone", 400, "--level", -30, "--loss", 10, "--jitter", 30, seconds=60)
        good = Ue(node.uri(), "--from", "sip:good@example.net", "--tone", 500, "--level", -20, seconds=60)
        shown = lambda name: next((p["media"] for p in node.participants() if name in p["identity"]), None)
        wait_until(lambda: shown("bad") and shown("bad")["packets_rx"] > 500, 40, "500 packets")
        media = shown("bad")
        assert 0.05 < media["lost"] / (media["packets_rx"] + media["lost"]) < 0.16, media
        assert media["jitter_ms"] > 3, media
        assert abs(media["level_dbov"] + 30) <= 2 and abs(media["level_heard_dbov"] + 20) <= 2, media
        assert 10 <= media["delay_ms"] <= 200 and media["concealed_frames"] > 20, media
        media = shown("good")
        assert media["lost"] <= 3 and abs(media["level_dbov"] + 20) <= 2 and abs(media["level_heard_dbov"] + 30) <= 2, media
        wait_until(lambda: shown("good")["round_trip_ms"] is not None, 20, "a round trip by RTCP")
        assert shown("good")["round_trip_ms"] < 1000
        for each in (bad, good):
            assert each.stop()["outcome"] == "joined"


def test_two_workers_share_the_conferences():
    config = {"media": {"workers": 2, "udp_ports": {"per_worker": 64}},
              "conferences": [{"id": f"c{i}", "security": "sdes", "identity": "none", "anonymous": True} for i in range(1, 7)]}
    with Node(config) as node:
        people = Ue(node.uri("c%d"), "--count", 12, "--per-conference", 2, "--expect-heard", seconds=5)
        where = wait_until(lambda: (lambda all_: all_ if len(all_) == 12 else None)(
            [(name, p["media"]["worker"]) for name in (f"c{i}" for i in range(1, 7)) for p in node.participants(name) if p["media"]]), 15, "twelve")
        assert {worker for _, worker in where} == {0, 1}
        assert len(set(where)) == 6, "a conference is on one worker"
        result = people.result()
        assert result["heard_as_expected"] == 12, result
        shown = node.api("node", "show")["media"]["workers"]
        assert len(shown) == 2 and all(worker["packets_tx"] > 500 for worker in shown)


def test_ipv4_and_ipv6_in_one_conference():
    port = free_port(address="::1")
    hz = tones(2)
    with Node({"media": {"addresses": [{"address": "127.0.0.1"}, {"address": "::1"}]}}, start=False) as node:
        node.config["sip"]["listen"].append(f"sip:[::1]:{port}")
        node.start()
        options = [("--from", f"sip:tone{f}@example.net", "--tone", f, "--expect", ",".join(map(str, hz))) for f in hz]
        people = [Ue(node.uri(), *options[0], seconds=7), Ue(f"sip:demo@[::1]:{port}", *options[1], seconds=7)]
        remotes = sorted(p["media"]["remote"] for p in node.wait_participants(2))
        assert remotes[0].startswith("127.0.0.1:") and remotes[1].startswith("[::1]:"), remotes
        assert_hears(people[0].result(), [hz[1]], hz[0])
        assert_hears(people[1].result(), [hz[0]], hz[1])


def test_l16_and_companded_people_meet():
    hz = tones(3)
    with Node() as node:
        people = [Ue(node.uri(), "--from", f"sip:tone{f}@example.net", "--codec", codec, "--tone", f, "--expect", ",".join(map(str, hz)), seconds=7)
                  for f, codec in zip(hz, ("L16", "PCMU", "PCMA"))]
        assert {p["media"]["codec"] for p in node.wait_participants(3)} == {"L16", "PCMU", "PCMA"}
        for own, each in zip(hz, people):
            assert_hears(each.result(), [f for f in hz if f != own], own)


def test_held_and_muted_legs_are_not_dead():
    """Twice the time after which a silent leg is dead: one on hold, one muted by us, one that hears only. Then the one that vanished goes."""
    with Node({"call": {"lost_after": "2s"}}) as node:
        people = [Ue(node.uri(), "--from", f"sip:{name}@example.net", "--tone", hz, *options, seconds=60) for name, hz, options in (
            ("held", 400, ("--hold-at", "1:inactive")), ("listens", 500, ("--hold-at", "1:recvonly")), ("muted", 600, ()),
            ("gone", 700, ("--vanish-at", 8)))]
        who = {p["identity"]: p["id"] for p in node.wait_participants(4)}
        node.cli("participant", "mute", "demo", str(who["sip:muted@example.net"]))
        time.sleep(6)
        assert len(node.participants()) == 4, "somebody who need not send was taken for dead"
        left = node.wait_participants(3, seconds=15)
        assert "sip:gone@example.net" not in {p["identity"] for p in left}
        for each in people[:3]:
            assert each.stop()["outcome"] == "joined"
        people[3].kill()


def test_roll_over_counter_survives_a_hold():
    """The sequence rolls over before the hold, and under way again after it."""
    hz = tones(2)
    with Node() as node:
        other = Ue(node.uri(), "--from", "sip:other@example.net", "--tone", hz[1], "--expect", hz[0], seconds=60)
        node.wait_participants(1)
        held = Ue(node.uri(), "--from", "sip:held@example.net", "--tone", hz[0], "--expect", hz[1], "--start-seq", 65536 - 50, "--hold-at",
                  "2:inactive", "--unhold-at", 4, seconds=8)
        result = held.result()
        assert result["reinvites"]["ok"] == 2 and result["rx"]["auth_failures"] == 0 and result["rx"]["ssrc_changes"] == 0, result
        assert levels(result)[hz[1]] > -23
        assert all(p["media"]["auth_failures"] == 0 for p in node.participants())
        other.stop()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(SANITIZED, reason="of the plain build only")
def test_an_idle_node_leaves_the_processor_alone():
    """On the udp port workers sleep: with 20 empty conferences, and with people who are all on hold."""
    config = {"media": {"workers": 2, "udp_ports": {"per_worker": 64}},
              "conferences": [{"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in ["demo", *(f"c{i}" for i in range(20))]]}

    def used():
        before = [cpu_seconds(process.pid) for process in (node.dp, node.cp)]
        time.sleep(4)
        return [cpu_seconds(process.pid) - start for process, start in zip((node.dp, node.cp), before)]

    with Node(config) as node:
        time.sleep(1)
        media, control = used()
        assert media < 0.2 and control < 0.2, (media, control)
        people = [Ue(node.uri(), "--tone", 400, "--hold-at", "0.5:inactive", seconds=60) for _ in range(3)]
        wait_until(lambda: [p["direction"] for p in node.participants()] == ["inactive"] * 3, 10, "three on hold")
        media, control = used()
        assert media < 0.2 and control < 0.2, (media, control)
        for each in people:
            each.stop()


@pytest.mark.skipif(SANITIZED, reason="of the plain build only")
def test_no_other_srtp_is_in_the_programs():
    """Debian's libsrtp2 is the oracle of tests, and two orders of magnitude too slow for the path of media."""
    for name in ("conclave-dp", "conclave-cp", "conclave-ue"):
        linked = subprocess.run(["ldd", program(name)], capture_output=True, text=True, check=True).stdout
        assert "srtp" not in linked, linked
    assert "libIPSec_MB" in subprocess.run(["ldd", program("conclave-dp")], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["conclave-dp", "conclave-cp"])
def test_no_core_dump_and_no_debugger(name):
    """Started by somebody who is not root, so that the kernel asks what the program said of itself."""
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if os.geteuid() != 0 or subprocess.run([*nobody, "test", "-x", program(name)]).returncode:
        pytest.skip("needs root, and a build that others may enter")
    node = Node(start=False)
    try:
        node.config["media"]["telemetry"] = False
        node.write_config()
        os.chmod(node.folder, 0o777)
        os.chmod(node.config_path, 0o644)
        process = node._start("it", [*nobody, program(name), "--config", node.config_path])
        path = node.path("media.sock" if name == "conclave-dp" else "api.sock")
        wait_until(lambda: process.poll() is None and os.path.exists(path), 20, node.logs())
        with open(f"/proc/{process.pid}/limits") as limits:
            assert next(line for line in limits if line.startswith("Max core file size")).split()[4] == "0"
        assert os.stat(f"/proc/{process.pid}").st_uid == 65534 or os.stat(f"/proc/{process.pid}").st_uid == 0
        assert os.stat(f"/proc/{process.pid}/mem").st_uid == 0, "its user may read its memory"
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
