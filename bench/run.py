#!/usr/bin/env python3
"""Run benchmarks by name: JSON lines to stdout, a short table to stderr.

usage: bench/run.py [--build DIR] [--list] [NAME...]

A NAME may end in '.' or '*' (prefix). Without names the default set runs. Programs are DIR/bench/bench_* (each knows
--list) and bench/load/bench_*.py. Exit code 1: a result is not verified; 2: something could not run.
"""
import argparse
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def programs(build):
    """Commands of all benchmark programs, kernel before stage before load."""
    found = [[path] for path in sorted(glob.glob(os.path.join(build, "bench", "bench_*")))
             if os.path.isfile(path) and os.access(path, os.X_OK)]
    scripts = sorted(glob.glob(os.path.join(HERE, "load", "bench_*.py")))
    return found + [[sys.executable, path, "--build", build] for path in scripts]


def names_of(command):
    result = subprocess.run(command + ["--list"], capture_output=True, text=True, check=False)
    if result.returncode:
        print(f"{command[0]}: --list failed: {result.stderr.strip()}", file=sys.stderr)
    return result.stdout.split()


def is_chosen(name, want):
    if want.endswith("*"):
        return name.startswith(want[:-1])
    return name.startswith(want) if want.endswith(".") else name == want


def run(command, results):
    """Pass a program's lines on as they come; its exit code."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            try:
                results.append(json.loads(line))
            except ValueError:
                print(f"{command[0]}: not JSON: {line.strip()}", file=sys.stderr)
    return process.returncode


def table(results):
    width = max([len(r["name"]) for r in results] + [4])
    print(f"\n{'name':{width}}  {'value':>12} {'p99':>12}  unit", file=sys.stderr)
    for r in results:
        mark = "" if r["verified"] else "  NOT VERIFIED"
        print(f"{r['name']:{width}}  {r['value']:12.6g} {r['p99']:12.6g}  {r['unit']}{mark}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(os.path.dirname(HERE), "build"))
    parser.add_argument("--list", action="store_true", help="print the names of all benchmarks")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    offers = [(command, names_of(command)) for command in programs(args.build)]
    if args.list:
        print("\n".join(name for _, names in offers for name in names))
        return 0
    known = [name for _, names in offers for name in names]
    for want in args.names:
        if not any(is_chosen(name, want) for name in known):
            print(f"no benchmark is called {want}; --list prints the names", file=sys.stderr)
            return 2
    results, code = [], 0
    for command, names in offers:
        chosen = [name for name in names if any(is_chosen(name, want) for want in args.names)]
        if args.names and not chosen:
            continue
        ended = run(command + chosen, results)
        if ended < 0:
            print(f"{command[0]}: killed by signal {-ended}", file=sys.stderr)
            ended = 2
        code = max(code, ended)
    table(results)
    return code


if __name__ == "__main__":
    sys.exit(main())
