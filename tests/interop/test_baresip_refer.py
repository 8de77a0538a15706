"""baresip from Debian and REFER: it transfers the focus to a phone that joins, and it follows the focus to another conference."""
import json
import os
import shutil
import socket
import subprocess
import tempfile

import pytest

from node import Node, Ue, free_port, is_taken, wait_until
from sound import write_tone
from test_baresip import CONFIG

CONFERENCES = [{"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in ("demo", "other")]


@pytest.fixture(autouse=True)
def needs_baresip():
    if not shutil.which("baresip"):
        pytest.skip("baresip is not installed (sudo ./run setup)")


class Phone:
    """A baresip that does what it is told over its control socket."""

    def __init__(self, seconds):
        self.folder = tempfile.mkdtemp(prefix="conclave-baresip.")
        self.port, self.control = free_port(), free_port()
        rtp = 40000 + self.port % 10000 // 100 * 100
        with open(os.path.join(self.folder, "config"), "w") as file:
            file.write(CONFIG.format(port=self.port, rtp=rtp, rtp_end=rtp + 60, folder=self.folder) +
                       f"module_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{self.control}\n")
        with open(os.path.join(self.folder, "accounts"), "w") as file:
            file.write(f"<sip:phone@127.0.0.1:{self.port}>;regint=0;audio_codecs=PCMU/8000/1;mediaenc=srtp-mand\n")
        open(os.path.join(self.folder, "contacts"), "w").close()
        write_tone(os.path.join(self.folder, "tone.wav"), 440, seconds + 2)
        self.process = subprocess.Popen(["/usr/bin/baresip", "-f", self.folder, "-t", str(seconds)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder)
        self.connection = wait_until(self._connect, 10, "baresip's control socket")

    def _connect(self):
        try:
            return socket.create_connection(("127.0.0.1", self.control), 2)
        except OSError:
            return None

    def do(self, command, parameters=""):
        text = json.dumps({"command": command, "params": parameters})
        self.connection.sendall(f"{len(text)}:{text},".encode())

    def finish(self):
        self.connection.close()
        self.process.terminate()
        out, _ = self.process.communicate(timeout=20)
        shutil.rmtree(self.folder)
        return out


def test_baresip_brings_somebody_in():
    with Node({"conferences": CONFERENCES}) as node:
        port = free_port()
        bob = Ue(None, "--listen", port, "--local", "127.0.0.1", "--tone", 880, seconds=20)
        wait_until(lambda: is_taken(port), 10, "bob waits")
        phone = Phone(20)
        try:
            phone.do("dial", node.uri())
            node.wait_participants(1)
            phone.do("transfer", f"sip:ue1@127.0.0.1:{port}")
            wait_until(lambda: [p for p in node.participants() if p["method"] == "dialed-out" and p["state"] == "connected"], 10, "bob")
        finally:
            out = phone.finish()
        assert bob.stop()["outcome"] == "joined", out
        wait_until(lambda: not node.participants(), 15, "nobody left")


def test_baresip_follows_to_another_conference():
    with Node({"conferences": CONFERENCES}) as node:
        phone = Phone(20)
        try:
            phone.do("dial", node.uri("other"))
            [leg] = node.wait_participants(1, "other")
            wait_until(lambda: [p for p in node.participants("other") if p["state"] == "connected"], 10, "connected")
            assert node.cli("conference", "refer", "demo", leg["identity"]).returncode == 0
            node.wait_participants(1, "demo", seconds=10)
        finally:
            out = phone.finish()
        wait_until(lambda: not node.participants("demo") and not node.participants("other"), 15, f"nobody left\n{out}")
