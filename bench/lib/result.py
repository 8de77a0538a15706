"""What benchmarks written in Python print: the same line of JSON as bench/lib/bench.c."""
import argparse
import json
import os
import platform
import sys


def host():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release()}


def emit(name, unit, value, verified, p50=None, p99=None, **extra):
    print(json.dumps({"name": name, "value": value, "unit": unit, "p50": value if p50 is None else p50,
                      "p99": value if p99 is None else p99, "verified": bool(verified), **extra, "host": host()}), flush=True)
    return bool(verified)


def is_chosen(name, want):
    if want.endswith("*"):
        return name.startswith(want[:-1])
    return name.startswith(want) if want.endswith(".") else name == want


def main(cases, doc):
    """cases: name → function(name, build) that emits and returns whether it was verified."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--build", required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.list:
        print("\n".join(cases))
        return 0
    code = 0
    for name, run in cases.items():
        if args.names and not any(is_chosen(name, want) for want in args.names):
            continue
        try:
            code = max(code, 0 if run(name, args.build) else 1)
        except (OSError, AssertionError, KeyError, ValueError) as error:
            print(f"{name}: could not run: {error}", file=sys.stderr)
            code = 2
    return code
