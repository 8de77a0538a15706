"""A whole Conclave node for a test: conclave-dp and conclave-cp from the build under test, on free loopback ports, in a folder of its own."""
import collections
import copy
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("CONCLAVE_BUILD", os.path.join(ROOT, "build"))
SANITIZED = "asan" in os.path.basename(BUILD)


WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")  # "gw0", "gw1" …: of test files that run at a time
SLICE, SLICES = (int(WORKER[2:]) % 4, 4) if WORKER else (0, 1)  # each has ports of its own
given = collections.deque(maxlen=500)  # the ports of late


def program(name):
    return os.path.join(BUILD, name)


def free_port(kind=socket.SOCK_DGRAM, address="127.0.0.1"):
    """A port that is free for UDP and TCP now; below the kernel's ephemeral range, and not given to somebody else of late, so that it stays so."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        port = random.randrange(10000 + SLICE, 20000, SLICES)
        if port in given:
            continue
        try:
            for each in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(family, each) as probe:
                    probe.bind((address, port))
            given.append(port)
            return port
        except OSError:
            continue


def is_taken(port, kind=socket.SOCK_DGRAM):
    """Somebody waits on this port. The kernel's tables say so; a socket that tried it would be in the way of who is about to."""
    tables, waits = (("udp", "udp6"), "07") if kind == socket.SOCK_DGRAM else (("tcp", "tcp6"), "0A")
    for table in tables:
        with open(f"/proc/net/{table}") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        if any(row[1].endswith(f":{port:04X}") and row[3] == waits for row in rows):
            return True
    return False


def merge(into, change):
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
    return into


def wait_until(check, seconds, what):
    """Poll until check() is true and return what it gave; on time-out an AssertionError that says what was awaited."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}; last seen: {value!r}")
        time.sleep(0.05)


class Node:
    """with Node(config={…}) as node: …  The config is merged into DEFAULTS; conferences as in configs/reference.yaml."""

    def __init__(self, config=None, start=True, dp_command=None):
        self.folder = tempfile.mkdtemp(prefix="conclave-test.")
        self.sip_port = free_port()
        self.http_port = free_port()
        self.config = merge({
            "node": {"runtime_dir": self.folder},
            "media": {
                "workers": 1,
                "addresses": [{"address": "127.0.0.1"}],
                "udp_ports": {"first": 20000 + 256 * random.randrange(SLICE, 44, SLICES), "per_worker": 256},
            },
            "sip": {"listen": [f"sip:127.0.0.1:{self.sip_port}"]},
            "http": {"listen": f"127.0.0.1:{self.http_port}"},
            "call": {"busy_high": 100, "busy_low": 99, "late_high": 0, "bye_for": "1s"},  # tests share a machine that others keep busy
            "conferences": [{"id": "demo", "title": "Demo", "security": "sdes", "identity": "none", "anonymous": True}],
        }, copy.deepcopy(config or {}))
        self.dp_command = dp_command or [program("conclave-dp")]
        self.dp = self.cp = None
        if start:
            self.start()

    # Life.
    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is not None:
            print(self.logs())

    def start(self):
        self.write_config()
        try:
            self.start_dp()
            self.start_cp()
        except BaseException:
            for process in (self.cp, self.dp):
                if process is not None:
                    process.kill()
            raise

    def write_config(self):
        with open(self.config_path, "w") as file:
            json.dump(self.config, file, indent=1)  # JSON is YAML

    def start_dp(self):
        self.dp = self._start("dp", self.dp_command + ["--config", self.config_path])
        wait_until(lambda: self._alive(self.dp, "dp") and os.path.exists(self.path("media.sock")), 20, "conclave-dp's control socket")

    def start_cp(self):
        self.cp = self._start("cp", [program("conclave-cp"), "--config", self.config_path])
        wait_until(lambda: self._alive(self.cp, "cp") and self.cli("health", check=False).returncode == 0, 20, "conclave-cp's API")

    def _start(self, name, command):
        with open(self.path(f"{name}.log"), "a") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)

    def _alive(self, process, name):
        assert process.poll() is None, f"conclave-{name} ended with {process.returncode}\n{self.logs()}"
        return True

    def kill(self, name, number=signal.SIGKILL):
        """End one program and return its exit status."""
        process = getattr(self, name)
        process.send_signal(number)
        status = process.wait(timeout=20)
        setattr(self, name, None)
        return status

    def stop(self):
        """End both politely; a sanitizer's complaint or a crash fails the test, when both are gone."""
        wrong = []
        for name in ("cp", "dp"):
            process = getattr(self, name)
            if process is None:
                continue
            crashed = process.poll()
            if crashed is None:
                process.send_signal(signal.SIGTERM)
                try:
                    crashed = process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    crashed = "a hang at SIGTERM"
            setattr(self, name, None)
            if crashed != 0:
                wrong.append(f"conclave-{name} ended with {crashed}")
        assert not wrong, f"{', '.join(wrong)}\n{self.logs()}"

    # What a test asks.
    @property
    def config_path(self):
        return self.path("conclave.yaml")

    def path(self, name):
        return os.path.join(self.folder, name)

    def logs(self):
        text = []
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".log"):
                with open(self.path(name), errors="replace") as file:
                    text.append(f"--- {name}\n" + "".join(file.readlines()[-60:]))
        return "\n".join(text)

    def uri(self, conference="demo"):
        return f"sip:{conference}@127.0.0.1:{self.sip_port}"

    def cli(self, *words, check=True):
        """The conclave CLI against this node; the finished process."""
        result = subprocess.run([program("conclave"), "--socket", self.path("api.sock"), *words], capture_output=True, text=True,
                                timeout=60)
        assert not check or result.returncode == 0, f"conclave {' '.join(words)}: {result.returncode}\n{result.stderr}{result.stdout}"
        return result

    def api(self, *words):
        """What the CLI prints as JSON."""
        return json.loads(self.cli("--json", *words).stdout)

    def participants(self, conference="demo"):
        answer = self.api("participant", "list", conference)
        return answer["participants"] if isinstance(answer, dict) else answer

    def wait_participants(self, count, conference="demo", seconds=15):
        return wait_until(lambda: (lambda p: p if len(p) == count else None)(self.participants(conference)), seconds,
                          f"{count} participants in {conference}") if count else wait_until(
                              lambda: not self.participants(conference), seconds, f"nobody in {conference}")

    def empty(self, *conferences):
        """Nobody is in them any more."""
        for conference in conferences:
            for participant in self.participants(conference):
                self.cli("participant", "remove", conference, str(participant["id"]), check=False)
            self.wait_participants(0, conference)


class Ue:
    """A conclave-ue in the background; no uri: one that waits to be called. result() waits for its end and gives its line of JSON."""

    def __init__(self, uri, *options, seconds=5):
        self.command = [program("conclave-ue"), "--for", str(seconds), *map(str, options), *([uri] if uri else [])]
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = None

    def results(self, timeout=60):
        if self.lines is None:
            try:
                out, self.errors = self.process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                out, self.errors = self.process.communicate()
                raise AssertionError(f"{' '.join(self.command)} hangs\n{out}\n{self.errors}")
            self.lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
            assert self.lines, f"{' '.join(self.command)} said nothing\n{out}\n{self.errors}"
        return self.lines

    def result(self, timeout=60):
        return self.results(timeout)[-1]

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()

    def stop(self):
        """Ask it to hang up now; its line of JSON."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.result()
