"""The benchmark runner: names, JSON lines, exit codes; and the comparison of two runs. No test asserts a speed."""
import json
import os
import subprocess
import sys

from node import BUILD, ROOT


def bench(*words):
    return subprocess.run([sys.executable, os.path.join(ROOT, "bench", "run.py"), "--build", BUILD, *words], capture_output=True, text=True,
                          timeout=120)


def test_names_that_others_rely_on():
    names = bench("--list").stdout.split()
    assert len(names) == len(set(names))
    for name in ("srtp.protect.cm80.keys100", "srtp.protect.cm80.keys10000", "srtp.unprotect.cm80.keys100", "srtp.protect.gcm128.keys100",
                 "libsrtp2.srtp.protect.cm80.keys100", "worker.participants.cm80.conf3", "worker.participants.gcm128.conf3",
                 "worker.participants.cm80.conf100talk4", "tick.lateness", "sip.joins", "e2e.udp.cm80.conf3"):
        assert name in names


def test_a_result_is_a_line_of_json():
    result = bench("g711.decode.")
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows and all(row["name"].startswith("g711.decode.") for row in rows)
    for row in rows:
        assert row["verified"] is True
        assert row["value"] > 0 and row["p99"] >= row["p50"] > 0
        assert set(row["host"]) == {"cpu", "cores", "kernel"}
        assert row["name"] in result.stderr  # the table


def test_an_unknown_name_is_refused():
    result = bench("g711.sing")
    assert (result.returncode, result.stdout) == (2, "")
    assert "g711.sing" in result.stderr


def test_compare(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.write_text("\n".join(json.dumps({"name": name, "value": value, "unit": "ns", "verified": verified})
                                for name, value, verified in (("a", 10, True), ("a", 12, True), ("a", 11, True), ("b", 5, False))))
    after.write_text("\n".join(json.dumps({"name": name, "value": value, "unit": "ns", "verified": True})
                               for name, value in (("a", 22), ("b", 5))))
    command = [sys.executable, os.path.join(ROOT, "bench", "compare")]
    result = subprocess.run([*command, before, after], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[1].split() == ["a", "11", "22", "2.000", "ns"]
    assert "b" in result.stdout and "only after" in result.stdout
    before.write_text("")
    assert subprocess.run([*command, before, after], capture_output=True, check=False).returncode == 1
