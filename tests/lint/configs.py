#!/usr/bin/env python3
"""configs/: reference.yaml is what the programs' tables say, and all programs take every configuration there is.

usage: configs.py SOURCE CONCLAVE-MANUAL PROGRAM...
"""
import difflib
import glob
import os
import subprocess
import sys

source, manual, *programs = sys.argv[1:]
bad = []
reference = os.path.join(source, "configs", "reference.yaml")
made = subprocess.run([manual, "reference"], capture_output=True, text=True, check=True).stdout
kept = open(reference, encoding="utf-8").read()
if made != kept:
    bad += difflib.unified_diff(kept.splitlines(), made.splitlines(), "configs/reference.yaml", "the programs' tables", lineterm="")
    bad.append("configs/reference.yaml is not what the programs' tables say; mend: ninja -C build reference")
found = sorted(glob.glob(os.path.join(source, "configs", "*.yaml")))
for path in found:
    for program in programs:
        result = subprocess.run([program, "--check", "--config", path], capture_output=True, text=True)
        if result.returncode != 0 or result.stdout != f"{path}: ok\n":
            bad.append(f"{os.path.basename(program)} --check: {result.stdout}{result.stderr}")
# The long options that a program's help names stand in its manual page.
for program, page in zip(programs, ["dataplane/conclave-dp.8", "ctrlplane/app/conclave-cp.8", "ctrlplane/kms/conclave-kms.8"]):
    text = open(os.path.join(source, page), encoding="utf-8").read().replace("\\-", "-")
    usage = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    for word in set(usage.replace("[", " ").replace("]", " ").replace(",", " ").split()):
        if word.startswith("--") and word not in text:
            bad.append(f"{page}: {word} of {os.path.basename(program)} --help is missing")
print("\n".join(bad) or f"{len(found)} configurations hold, the reference is complete")
sys.exit(bool(bad))
