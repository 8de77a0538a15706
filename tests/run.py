#!/usr/bin/env python3
"""Run every test and say how many passed: C tests by meson in the plain and the sanitizer build, then pytest over system and interop.

usage: run.py BUILD ASAN_BUILD [PATTERN]      or: run.py --fuzz BUILD SECONDS [TARGET…]
The last line is 'N passed, N failed, N skipped'. Exit status 1 when anything failed.
"""
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Suites that run again under ASan and UBSan; fuzzing runs only there.
SANITIZED = ["unit", "vectors", "property", "scenario", "fuzz"]
PLAIN = ["lint", "unit", "vectors", "property", "scenario"]
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0",
}
counts = {"passed": 0, "failed": 0, "skipped": 0}
failures = []


def say(text):
    print(f"==> {text}", flush=True)


def tally(outcome, name):
    counts[outcome] += 1
    if outcome == "failed":
        failures.append(name)


def meson(build, suites, label, pattern, env=None):
    """One meson test run; each test counts once."""
    names = []
    if pattern:
        listed = subprocess.run(["meson", "test", "-C", build, "--list"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
        names = [line.split(" / ", 1)[1] for line in listed if " / " in line and pattern in line]
        if not names:
            return
    say(f"{label}: {', '.join(suites)}")
    command = ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs"]
    for suite in suites:
        command += ["--suite", suite]
    log = os.path.join(ROOT, build, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.unlink(log)
    result = subprocess.run(command + names, cwd=ROOT, env={**os.environ, **(env or {})})
    seen = 0
    if os.path.exists(log):
        for line in open(log, encoding="utf-8"):
            row = json.loads(line)
            seen += 1
            outcome = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(row["result"], "failed")
            tally(outcome, f"{label}: {row['name']}")
    if result.returncode and not any(name.startswith(label) for name in failures):
        tally("failed", f"{label}: meson test itself")
    elif seen == 0 and not pattern:
        tally("failed", f"{label}: no test ran")


def outcomes(report):
    """What a pytest run's report says: name → passed, failed or skipped."""
    found = {}
    if os.path.exists(report):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                found[name] = "failed"
            elif found.get(name) != "failed":  # a test that passed and whose end failed stands there twice
                found[name] = "skipped" if case.find("skipped") is not None else "passed"
    return found


def pytest(folders, build, label, pattern, env=None, marks=None):
    """System tests wait more than they compute (a fifth of a core each): three files at a time. What fails so is run again alone, and what it does then counts."""
    folders = [folder for folder in folders if os.path.isdir(os.path.join(ROOT, "tests", folder))]
    if not folders:
        return
    say(f"{label}: {', '.join(folders)}")
    report = os.path.join(ROOT, build, f"pytest-{label.replace(' ', '-')}.xml")
    cache = os.path.join(ROOT, build, f"pytest-{label.replace(' ', '-')}.cache")
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-o", f"cache_dir={cache}", "--durations=8"]
    command += ["-k", pattern] if pattern else []
    command += ["-m", marks] if marks else []
    command += [os.path.join("tests", folder) for folder in folders]
    env = {**os.environ, "CONCLAVE_BUILD": os.path.join(ROOT, build), "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    shutil.rmtree(cache, ignore_errors=True)
    found = {}
    for more in (["-n", "3", "--dist", "loadfile"], ["--last-failed", "--last-failed-no-failures", "none"]):
        if os.path.exists(report):
            os.unlink(report)
        status = subprocess.run(command + more + [f"--junitxml={report}"], cwd=ROOT, env=env).returncode
        found.update(outcomes(report))
        if status in (0, 5):
            break
        if "-n" in more:
            say(f"{label}: what failed, again and alone")
    for name, outcome in found.items():
        tally(outcome, f"{label}: {name}")
    if status not in (0, 5) and "failed" not in found.values():
        tally("failed", f"{label}: pytest itself (exit status {status})")


def fuzz(build, seconds, targets):
    folder = os.path.join(ROOT, "tests", "fuzz")
    names = targets or sorted(name[:-2] for name in os.listdir(folder) if name.endswith(".c") and name != "driver.c")
    for name in names:
        say(f"fuzz {name} for {seconds} s")
        grown = os.path.join(ROOT, build, "tests", f"{name}.grown")
        os.makedirs(grown, exist_ok=True)
        result = subprocess.run([os.path.join(ROOT, build, "tests", f"fuzz_{name}"), f"-max_total_time={seconds}", "-timeout=5",
                                 f"-artifact_prefix={grown}/", grown, os.path.join(folder, f"{name}.corpus")],
                                env={**os.environ, **SANITIZER_ENV})
        tally("failed" if result.returncode else "passed", f"fuzz {name}")


def main(arguments):
    begin = time.monotonic()
    if arguments[0] == "--fuzz":
        fuzz(arguments[1], arguments[2], arguments[3:])
    else:
        build, asan = arguments[:2]
        pattern = arguments[2] if len(arguments) > 2 else None
        meson(build, PLAIN, "plain", pattern)
        meson(asan, SANITIZED, "sanitized", pattern, SANITIZER_ENV)
        pytest(["system", "interop"], build, "system", pattern)
        pytest(["system"], asan, "system sanitized", pattern, SANITIZER_ENV, marks="sanitized")
    for name in failures:
        print(f"FAILED {name}")
    print(f"took {time.monotonic() - begin:.0f} s")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return bool(counts["failed"] or not counts["passed"])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
