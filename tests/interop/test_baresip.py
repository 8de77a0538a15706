"""baresip from Debian dials in with SDES: it hears and is heard, in both AES-CM suites that it knows."""
import glob
import os
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest
from node import Node, Ue, free_port
from sound import dbov, middle_second, write_tone

CONFIG = """
poll_method epoll
sip_listen 127.0.0.1:{port}
audio_player aubridge,nowhere
audio_source aufile,{folder}/tone.wav
audio_alert aubridge,nowhere
audio_level no
rtp_ports {rtp}-{rtp_end}
jitter_buffer_delay 1-5
module_path /usr/lib/baresip/modules
module g711.so
module srtp.so
module aufile.so
module aubridge.so
module sndfile.so
module menu.so
module_app account.so
net_interface 127.0.0.1
snd_path {folder}
"""


class Baresip:
    """One baresip that dials, talks for some seconds and hangs up; what it heard lies in a WAV file."""

    def __init__(self, uri, hz, seconds, media="srtp-mand", name="baresip"):
        self.folder = tempfile.mkdtemp(prefix="conclave-baresip.")
        port = free_port()
        rtp = 40000 + port % 10000 // 100 * 100
        with open(os.path.join(self.folder, "config"), "w") as file:
            file.write(CONFIG.format(port=port, rtp=rtp, rtp_end=rtp + 60, folder=self.folder))
        with open(os.path.join(self.folder, "accounts"), "w") as file:
            enc = f";mediaenc={media}" if media else ""
            file.write(f"<sip:{name}@127.0.0.1:{port}>;regint=0;audio_codecs=PCMU/8000/1{enc}\n")
        open(os.path.join(self.folder, "contacts"), "w").close()
        write_tone(os.path.join(self.folder, "tone.wav"), hz, seconds + 2)
        self.process = subprocess.Popen(["/usr/bin/baresip", "-f", self.folder, "-t", str(seconds), "-e", f"/dial {uri}"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        cwd=self.folder)

    def finish(self, timeout=40):
        out, _ = self.process.communicate(timeout=timeout)
        heard = sorted(glob.glob(os.path.join(self.folder, "*dec*.wav")))
        return out, heard


class SuiteRelay(threading.Thread):
    """A UDP relay before the focus that names another suite of the same key length in the offers of a client that always offers _80."""

    def __init__(self, focus_port, old, new):
        super().__init__(daemon=True)
        assert len(old) == len(new)
        self.focus, self.old, self.new = ("127.0.0.1", focus_port), old, new
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.front.settimeout(0.2)
        self.port = self.front.getsockname()[1]
        self.client = None
        self.running = True

    def run(self):
        while self.running:
            try:
                data, source = self.front.recvfrom(65536)
            except (socket.timeout, ConnectionError):
                continue
            if source == self.focus:
                if self.client:
                    self.front.sendto(data, self.client)
            else:
                self.client = source
                self.front.sendto(data.replace(self.old, self.new), self.focus)

    def stop(self):
        self.running = False
        self.join()
        self.front.close()


@pytest.fixture(autouse=True)
def needs_baresip():
    if not shutil.which("baresip"):
        pytest.skip("baresip is not installed (sudo ./run setup)")


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"])
def test_baresip_hears_and_is_heard(suite):
    with Node() as node:
        relay = SuiteRelay(node.sip_port, b"AES_CM_128_HMAC_SHA1_80", suite.encode())
        relay.start()
        try:
            ue = Ue(node.uri(), "--from", "sip:ue@example.net", "--tone", 600, "--level", -20, "--expect", "440", seconds=11)
            node.wait_participants(1)
            phone = Baresip(f"sip:demo@127.0.0.1:{relay.port}", 440, 8)
            people = node.wait_participants(2)
            assert suite in [p["suite"] for p in people], people
            out, recordings = phone.finish()
            heard = {int(float(row["hz"])): row["dbov"] for row in ue.result()["heard"]}
            assert recordings, out
            samples, rate = middle_second(recordings[0])
            assert abs(dbov(samples, rate, 600) + 20) <= 2.5, out
            assert dbov(samples, rate, 440) < -45, "baresip hears itself"
            assert heard[440] > -30, heard
            node.wait_participants(0)
        finally:
            relay.stop()


def test_baresip_without_srtp_is_refused():
    with Node() as node:
        out, _ = Baresip(node.uri(), 440, 5, media="").finish()
        assert "488" in out, out
        assert not node.participants()
