"""A KMS for a test: conclave-kms from the build under test on a free loopback port, with a store of its own."""
import copy
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile

from node import ROOT, free_port, merge, program, wait_until

REQUEST = "/keymanagement?requesttype=ticketrequest"
RESOLVE = "/keymanagement?requesttype=ticketresolve"


class Kms:
    """with Kms() as kms: kms.add("sip:alice@ims.example") gives her file of keys; kms.url is for clients. config: section kms."""

    def __init__(self, config=None, tls=False, start=True, identity="sip:kms.example", command=None, log_level="info"):
        self.folder = tempfile.mkdtemp(prefix="conclave-kms.")
        self.identity = identity
        self.port = free_port()
        self.tls_port = free_port() if tls else None
        self.process = None
        self.command = command or [program("conclave-kms")]
        self.files = 0
        listen = [f"http://127.0.0.1:{self.port}"]
        section = {"id": identity, "listen": listen, "store": self.path("kms.db"), "master_key": self.path("kms.key"),
                   "limits": {"identity": 0, "server": 0, "source": 0}, "threads": 2}
        if tls:
            self._make_certificate()
            listen.append(f"https://127.0.0.1:{self.tls_port}")
            section["tls"] = {"certificate": self.path("cert.pem"), "key": self.path("key.pem")}
        self.config = {"log": {"level": log_level}, "kms": merge(section, copy.deepcopy(config or {}))}
        self.write_config()
        self.cli("init")
        if start:
            self.start()

    def _make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                        "-keyout", self.path("key.pem"), "-out", self.path("cert.pem")], check=True, capture_output=True)
        os.chmod(self.path("key.pem"), 0o600)

    def write_config(self):
        with open(self.config_path, "w", encoding="utf-8") as file:
            json.dump(self.config, file, indent=1)  # JSON is YAML

    # Life.
    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(self.log())
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)  # keys are in there

    def start(self):
        with open(self.path("kms.log"), "a") as log:
            self.process = subprocess.Popen([*self.command, "--config", self.config_path], stdout=log, stderr=log, cwd=ROOT)
        wait_until(self._is_up, 20, "conclave-kms's status")

    def _is_up(self):
        assert self.process.poll() is None, f"conclave-kms ended with {self.process.returncode}\n{self.log()}"
        try:
            return self.status()
        except OSError:
            return None

    def kill(self, number=signal.SIGKILL):
        process, self.process = self.process, None
        process.send_signal(number)
        return process.wait(timeout=20)

    def stop(self):
        """Ends it politely; a sanitizer's complaint or a crash fails the test."""
        if self.process is None:
            return
        ended = self.process.poll()
        status = self.kill(signal.SIGTERM) if ended is None else ended
        self.process = None
        assert status == 0, f"conclave-kms ended with {status}\n{self.log()}"

    def restart(self):
        self.stop()
        self.start()

    # What a test asks.
    @property
    def config_path(self):
        return self.path("conclave.yaml")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self):
        return f"https://127.0.0.1:{self.tls_port}"

    @property
    def certificate(self):
        return self.path("cert.pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    def log(self):
        try:
            with open(self.path("kms.log"), errors="replace") as file:
                return "".join(file.readlines()[-60:])
        except FileNotFoundError:
            return ""

    def cli(self, *words, check=True):
        """conclave kms …; the finished process."""
        done = subprocess.run([program("conclave"), "kms", *words, "--config", self.config_path], capture_output=True, text=True,
                              timeout=30)
        assert not check or done.returncode == 0, f"conclave kms {' '.join(words)}: {done.returncode}\n{done.stderr}{done.stdout}"
        return done

    def json(self, *words):
        return json.loads(self.cli(*words, "--json").stdout)

    def changed(self, *words):
        """A command that changes users or TPKs, and wait until the running KMS has taken it up."""
        done = self.cli(*words)
        self.settle()
        return done

    def settle(self):
        if self.process is None:
            return
        before = self.status()["generation"]
        wanted = self.generation()
        if before != wanted:
            wait_until(lambda: self.status()["generation"] == wanted, 10, "the KMS reads its store again")

    def generation(self):
        import sqlite3  # noqa: PLC0415
        store = sqlite3.connect(self.path("kms.db"))
        try:
            return store.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0]
        finally:
            store.close()

    def add(self, identity, *options):
        """Adds a user; the path of its file of keys."""
        self.files += 1
        path = self.path(f"user{self.files}.psk")
        self.changed("user", "add", identity, "--psk-file", path, *options)
        return path

    def status(self):
        code, _, body = self.http("GET", "/status")
        assert code == 200, code
        return json.loads(body)

    def audit(self, count=1):
        """The newest entries; they reach the store a moment after the answer."""
        wait_until(lambda: self.status()["audit"]["pending"] == 0, 10, "the audit log is written")
        return self.json("audit", "--last", str(count))["audit"]

    def http(self, method, target, body=None, headers=None, tls=False, context=None):
        """Status, header fields and body of one answer."""
        if tls:
            context = context or ssl.create_default_context(cafile=self.certificate)
            connection = http.client.HTTPSConnection("127.0.0.1", self.tls_port, timeout=20, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def post(self, target, message, **options):
        """One MIKEY message; its answer, which must be one."""
        code, fields, body = self.http("POST", target, message, {"Content-Type": "application/mikey"}, **options)
        assert code == 200 and fields["Content-Type"] == "application/mikey", (code, body)
        return body


class Call:
    """The messages of one call, made by kmsclient. run() carries them to the KMS; hooks may bend what goes there."""

    def __init__(self, kms, user, psk, to, *options, as_=None, as_psk=None, tls=False):
        self.kms, self.tls = kms, tls
        command = [program("tests/kmsclient"), "--kms", kms.identity, "--user", user, "--to", to]
        command += ["--psk-file", psk] if psk else []
        command += ["--as", as_, "--as-psk-file", as_psk] if as_ else []
        self.command = command + [str(option) for option in options]
        self.sent, self.answers = {}, {}

    def run(self, bend=None, wait=None):
        """bend(name, message) → what is sent instead; wait() is called when --wait-resolve stops. The client's JSON line."""
        with subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
            for line in client.stdout:
                if line.startswith("{"):
                    client.stdin.close()
                    result = json.loads(line)
                    break
                name, _, text = line.strip().partition(" ")
                if name == "wait":
                    wait()
                    client.stdin.write("\n")
                else:
                    message = bytes.fromhex(text)
                    self.sent[name] = bend(name, message) if bend else message
                    self.answers[name] = self.kms.post(REQUEST if name == "request" else RESOLVE, self.sent[name], tls=self.tls)
                    client.stdin.write(self.answers[name].hex() + "\n")
                client.stdin.flush()
            else:
                raise AssertionError(f"{' '.join(self.command)}\n{client.stderr.read()}")
        return result
