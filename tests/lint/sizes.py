#!/usr/bin/env python3
"""Files stop at 800 lines, functions at 100, parameters at 6. A breach needs a comment 'rule zero: why' just above."""
import os
import re
import sys

from sources import c_files

ROOT = sys.argv[1]
FILE_MAX, FUNCTION_MAX, PARAMETERS_MAX = 800, 100, 6
bad = []
files = c_files(ROOT)
for path in files:
    if path.startswith("tests/vectors/"):
        continue
    lines = open(os.path.join(ROOT, path), encoding="utf-8").read().splitlines()
    if len(lines) > FILE_MAX:
        bad.append(f"{path}: {len(lines)} lines; split it, {FILE_MAX} is where a file stops")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            begin = start - 1
            while begin > 1 and lines[begin - 1].strip() and not lines[begin - 1].startswith(("}", "#", "*/", " */")):
                begin -= 1
            excused = any("rule zero:" in text for text in lines[max(0, begin - 12):start])
            if number - start - 1 > FUNCTION_MAX and not excused:
                bad.append(f"{path}:{start}: function of {number - start - 1} lines; {FUNCTION_MAX} is where one stops")
            head = " ".join(lines[begin:start - 1])
            match = re.search(r"\w\s*\((.*)\)\s*$", head)
            if match and match.group(1).count(",") + 1 > PARAMETERS_MAX and "(" not in match.group(1) and not excused:
                bad.append(f"{path}:{start}: {match.group(1).count(',') + 1} parameters; pass a struct past {PARAMETERS_MAX}")
            start = None
print("\n".join(bad) or f"{len(files)} files hold to their sizes")
sys.exit(bool(bad))
