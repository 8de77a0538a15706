"""The command line as people meet it: tables of everything, completion in bash and zsh, top in a terminal."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from node import Node, Ue, program, wait_until


@pytest.fixture(scope="module")
def node():
    with Node() as node:
        yield node


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, command, lines=30, columns=100, env=None, is_plain=False):
        self.is_plain = is_plain  # without escape sequences
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.resize(lines, columns)
        self.text, self.slave = "", slave
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        env={**os.environ, "TERM": "xterm", **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)

    def resize(self, lines, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if hasattr(self, "process"):
            self.process.send_signal(signal.SIGWINCH)

    def type(self, text):
        os.write(self.master, text.encode())

    def until(self, wanted, seconds=15):
        """What came until wanted did."""
        end = time.monotonic() + seconds
        while wanted not in self.text and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            if self.is_plain:
                self.text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text)
        assert wanted in self.text, f"no {wanted!r} in {self.text[-2000:]!r}"
        seen, self.text = self.text.split(wanted, 1)
        return seen + wanted


def top(node, *words):
    return [program("conclave"), "--socket", node.path("api.sock"), "top", *words]


def test_top_draws_answers_keys_and_leaves_the_terminal_as_it_was(node):
    node.cli("conference", "create", "aaa", "--anonymous", "--title", "First of all")
    ue = Ue(node.uri(), "--from", "sip:anna@example.net", "--tone", 440, seconds=60)
    try:
        node.wait_participants(1)
        with Terminal(top(node)) as screen:
            first = screen.until("q quit")
            assert "\x1b[?1049h" in first and "WORKER" in first and "▯" in first
            assert first.index("demo") < first.index("aaa"), "by participants"
            screen.type("n")
            second = screen.until("q quit")
            assert second.index("aaa") < second.index("demo"), "by name"
            screen.until("sip:anna@example.net")  # talks
            screen.type(" ")
            screen.until("(paused)")
            screen.type(" ")
            screen.until("q quit")
            screen.resize(12, 40)
            screen.until("CONFERENCE")
            narrow = screen.until("q quit").split("\x1b[J")[0]
            assert narrow.count("\n") <= 12
            assert all(len(line.replace("\x1b[K", "").replace("\x1b[0m", "").replace("\x1b[1m", "").strip("\r")) <= 80
                       for line in narrow.split("\n")[-6:])
            screen.type("q")
            screen.until("\x1b[?1049l")
            assert screen.process.wait(timeout=10) == 0
            assert termios.tcgetattr(screen.slave) == screen.before
        with Terminal(top(node)) as screen:
            screen.until("q quit")
            screen.process.send_signal(signal.SIGINT)
            screen.until("\x1b[?1049l")
            assert screen.process.wait(timeout=10) == 0
            assert termios.tcgetattr(screen.slave) == screen.before
    finally:
        ue.stop()
    node.cli("conference", "close", "aaa")


def test_top_survives_a_restart_of_the_node():
    with Node() as node, Terminal(top(node)) as screen:
        screen.until("q quit")
        node.kill("cp", 15)
        screen.until("start conclave-cp")
        node.start_cp()
        screen.until(", up 0 min")
        screen.type("q")
        assert screen.process.wait(timeout=10) == 0


def test_top_for_scripts(node):
    lines = subprocess.run([*top(node, "--for", "3", "--every", "1"), "--json"], capture_output=True, text=True, timeout=30).stdout.splitlines()
    pictures = [json.loads(line) for line in lines]
    assert len(pictures) == 3
    assert pictures[0]["rates"] is None and pictures[2]["rates"]["packets_rx_s"] >= 0
    assert {"at", "node", "conferences", "rates"} == set(pictures[0]) and pictures[-1]["conferences"][0]["id"] == "demo"
    text = subprocess.run(top(node, "--for", "1"), capture_output=True, text=True, timeout=30)
    assert text.returncode == 0 and "\x1b" not in text.stdout and "demo" in text.stdout and "WORKER" in text.stdout
    nobody = subprocess.run([program("conclave"), "--socket", node.path("none"), "top"], capture_output=True, text=True, timeout=30)
    assert nobody.returncode == 3


def test_lists_are_tables(node):
    node.cli("conference", "create", "listed", "--authorised", "sip:anna@example.net", "--authorised", "tel:+4930123=moderator",
             "--pin", "123456", "--who-may-change", "moderators")
    try:
        shown = node.cli("conference", "show", "listed").stdout
        assert "tel:+4930123 (moderator), sip:anna@example.net (participant)" in shown and "123456" not in shown
        node.cli("authorised", "add", "listed", "sip:bert@example.net", "--role", "listener")
        table = node.cli("authorised", "list", "listed").stdout
        assert "WHO MAY JOIN" in table and "sip:bert@example.net  listener" in table
        node.cli("authorised", "set", "listed", "sip:carl@example.net", "sip:dora@example.net=moderator")
        assert [p["role"] for p in node.api("authorised", "list", "listed")["authorised"]] == ["participant", "moderator"]
        path = node.path("people.csv")
        with open(path, "w") as file:
            file.write("uri,role\nsip:eve@example.net,listener\n")
        node.cli("authorised", "import", "listed", path)
        assert len(node.api("authorised", "list", "listed")["authorised"]) == 3
        node.cli("authorised", "import", "listed", path, "--replace")
        assert len(node.api("authorised", "list", "listed")["authorised"]) == 1
        with open(path, "w") as file:
            file.write("uri,role\nsip:eve@example.net,boss\nnobody\n")
        refused = node.cli("authorised", "import", "listed", path, check=False)
        assert refused.returncode == 1 and "line 2" in refused.stderr and "line 3" in refused.stderr
        assert node.cli("authorised", "import", "listed", node.path("none.csv"), check=False).returncode == 1
        assert "may not join listed" in node.cli("authorised", "remove", "listed", "sip:eve@example.net").stdout
        assert node.api("conference", "update", "listed", "--title", "", "--lobby", "--end-at", "2099-01-01T00:00:00Z")["lobby"] is True
        assert node.api("conference", "update", "listed", "--lobby=false")["lobby"] is False
        assert node.cli("conference", "update", "listed", "--end-at", "soon", check=False).returncode == 2
        assert "uid" in node.cli("whoami").stdout
        assert json.loads(node.cli("openapi").stdout)["openapi"].startswith("3.1")
    finally:
        node.cli("conference", "close", "listed")


def test_bash_completes_values_too(node):
    node.cli("conference", "create", "finished", "--authorised", "sip:anna@example.net")
    node.cli("conference", "create", "finite", "--authorised", "sip:anna@example.net")
    script = node.cli("completion", "bash").stdout

    def complete(line):
        shell = f"{script}\nCOMP_LINE='{line}' COMP_POINT={len(line)}\n_conclave conclave\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
        done = subprocess.run(["bash", "--norc", "-c", shell], capture_output=True, text=True, timeout=20,
                              env={**os.environ, "PATH": f"{os.path.dirname(program('conclave'))}:{os.environ['PATH']}",
                                   "CONCLAVE_SOCKET": node.path("api.sock")})
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert complete("conclave conf") == ["conference"]
    assert complete("conclave conference cl") == ["close"]
    assert complete("conclave conference close fin") == ["finished", "finite"]
    assert complete("conclave conference update finite --se") == ["--security"]
    assert complete("conclave conference update finite --security e") == ["either"]
    assert complete("conclave authorised remove finite ") == ["sip:anna@example.net"]
    assert complete("conclave authorised remove finite sip:an") == ["anna@example.net"], "readline has the part to the colon already"
    tokens = node.path("tokens")
    for name in ("door", "doorbell"):
        node.cli("token", "create", name, "--file", tokens)
    assert complete(f"conclave token remove --file {tokens} door") == ["door", "doorbell"]
    assert complete(f"conclave token remove --file={tokens} doorb") == ["doorbell"]
    assert complete("conclave conference announce finite wel") == ["welcome"]
    assert complete("conclave records --conference fini") == ["finished", "finite"]
    assert complete("conclave audit --") == ["--conference", "--by", "--before", "--limit", "--help", "--json", "--socket"]
    for each in ("finished", "finite"):
        node.cli("conference", "close", each)


def test_zsh_completes_values_too(node):
    node.cli("conference", "create", "zebra", "--authorised", "sip:anna@example.net")
    tokens = node.path("zsh-tokens")
    node.cli("token", "create", "doorbell", "--file", tokens)
    path = node.path("_conclave")
    with open(path, "w") as file:
        file.write(node.cli("completion", "zsh").stdout)
    with Terminal(["zsh", "-f", "-i"], columns=200, is_plain=True, env={"PATH": f"{os.path.dirname(program('conclave'))}:{os.environ['PATH']}",
                                            "CONCLAVE_SOCKET": node.path("api.sock"), "HOME": node.folder}) as shell:
        shell.type("PROMPT='$ '; autoload -U compinit; compinit -u -D\n")
        shell.type(f"source {path}; print REA''DY\n")
        shell.until("READY")
        shell.type("conclave confer\t")
        shell.until("conference ")
        shell.type("clo\t")
        shell.until("close ")
        shell.type("zeb\t")
        shell.until("zebra ")
        shell.type("\x15conclave authorised remove zebra sip:a\t")
        shell.until("sip:anna@example.net ")
        shell.type(f"\x15conclave token remove --file {tokens} doo\t")
        shell.until("doorbell ")
        shell.type("\x15conclave conference update zebra --security ei\t")
        shell.until("either ")
        shell.type("\x15exit\n")
        wait_until(lambda: shell.process.poll() is not None, 10, "the end of zsh")
    node.cli("conference", "close", "zebra")
