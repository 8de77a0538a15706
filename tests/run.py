#!/usr/bin/env python3
"""Run every test and say how many passed: C tests by meson in the plain and the sanitizer build, then pytest over system and interop.

usage: run.py BUILD ASAN_BUILD [PATTERN]      or: run.py --fuzz BUILD SECONDS [TARGET…]
The last line is 'N passed, N failed, N skipped'. Exit status 1 when anything failed.
"""
import json
import os
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


def pytest(folders, build, label, pattern, env=None, marks=None):
    folders = [folder for folder in folders if os.path.isdir(os.path.join(ROOT, "tests", folder))]
    if not folders:
        return
    say(f"{label}: {', '.join(folders)}")
    report = os.path.join(ROOT, build, f"pytest-{label.replace(' ', '-')}.xml")
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--durations=8", f"--junitxml={report}"]
    command += ["-k", pattern] if pattern else []
    command += ["-m", marks] if marks else []
    if os.path.exists(report):
        os.unlink(report)
    result = subprocess.run(command + [os.path.join("tests", folder) for folder in folders], cwd=ROOT,
                            env={**os.environ, "CONCLAVE_BUILD": os.path.join(ROOT, build), "PYTHONDONTWRITEBYTECODE": "1", **(env or {})})
    before = len(failures)
    if os.path.exists(report):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            name = f"{label}: {case.get('classname')}.{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                tally("failed", name)
            elif case.find("skipped") is not None:
                tally("skipped", name)
            else:
                tally("passed", name)
    if result.returncode not in (0, 5) and len(failures) == before:
        tally("failed", f"{label}: pytest itself (exit status {result.returncode})")


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
