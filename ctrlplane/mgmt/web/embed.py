#!/usr/bin/env python3
"""Makes a C file of the page: embed.py OUTPUT FILE…; the program then needs no folder of files beside it."""
import hashlib
import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def octets(data):
    lines = [", ".join(str(octet) for octet in data[at:at + 32]) for at in range(0, len(data), 32)]
    return ",\n\t".join(lines)


def main():
    output, *paths = sys.argv[1:]
    arrays, rows = [], []
    for number, path in enumerate(sorted(paths, key=os.path.basename)):
        with open(path, "rb") as file:
            data = file.read()
        name = os.path.basename(path)
        tag = hashlib.sha256(data).hexdigest()[:16]
        kind = TYPES[os.path.splitext(name)[1]]
        arrays.append(f"static const uint8_t file_{number}[] = {{\n\t{octets(data)}}};")
        rows.append(f'\t{{"/{name}", "{kind}", "\\"{tag}\\"", file_{number}, sizeof(file_{number})}},')
    with open(output, "w", encoding="utf-8") as out:
        out.write('#include "ctrlplane/mgmt/web/web.h"\n\n' + "\n\n".join(arrays)
                  + "\n\nconst struct cp_web_file cp_web_files[] = {\n" + "\n".join(rows)
                  + f"\n}};\nconst size_t cp_web_file_count = {len(rows)};\n")


main()
