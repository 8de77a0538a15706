"""A conclave-ue of which a test can tell, while it runs, which call it is in and what it hears."""
import json
import os
import subprocess
import tempfile

from node import Ue, program, wait_until

LONG = 60  # seconds: until it is stopped, or its call is ended


class Phone(Ue):
    """A conclave-ue that writes its dialog down and reports each second; dialog() waits for the first, hears() looks at the second."""

    def __init__(self, folder, uri, name, tone, *options):
        self.folder = tempfile.mkdtemp(dir=folder)
        self.dialog_file = os.path.join(self.folder, "dialog")
        self.output = os.path.join(self.folder, "output")
        self.command = [program("conclave-ue"), "--from", f"sip:{name}@example.net", "--pai", f"sip:{name}@example.net", "--tone", str(tone),
                        "--no-marks", "--dialog-file", self.dialog_file, "--local", "127.0.0.1", "--progress", "--for", str(LONG),
                        *map(str, options), *([uri] if uri else [])]
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output)

    def dialog(self):
        def written():
            with open(self.dialog_file) as file:
                return file.read()

        wait_until(lambda: os.path.exists(self.dialog_file) and written().endswith("\n"), 15, "a phone in its call")
        return written().strip()

    def read(self):
        with open(self.output) as file:
            return [json.loads(line) for line in file.read().splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]

    def results(self, timeout=60):
        self.process.wait(timeout)
        return [line for line in self.read() if "progress" not in line and "summary" not in line]

    def hears(self, yes, no=(), line=1):
        """Wait until it does: the tones of yes at their level, those of no not at all, under keys that never fail."""

        def levels():
            reports = [report for report in self.read() if "progress" in report and report["participant"] == line]
            assert all(report["rx"]["auth_failures"] == 0 for report in reports), reports
            return {tone["hz"]: tone["last_dbov"] for tone in reports[-1]["heard"]} if reports else {}

        def is_so():
            level = levels()
            return level and all(abs(level[hz] + 20) <= 3 for hz in yes) and all(level[hz] < -50 for hz in no)

        try:
            wait_until(is_so, 15, f"{yes} heard, {no} not")
        except AssertionError as error:
            raise AssertionError(f"{error}; levels: {levels()}") from None
