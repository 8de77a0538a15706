#!/usr/bin/env python3
"""What the compiler cannot hold of the layers: '..' in includes, third parties outside their folder, header habits."""
import os
import re
import sys

from sources import c_files

ROOT = sys.argv[1]
# Third-party header prefix -> folders (prefixes of the path) that may name it.
THIRD = {
    r"sofia-sip/": ("ctrlplane/sip/", "ctrlplane/sdp/", "ctrlplane/app/", "bench/load/"),
    r"rte_": ("drivers/", "dataplane/", "bench/", "tests/"),
    r"intel-ipsec-mb": ("drivers/crypto/", "dataplane/srtp/", "bench/kernel/", "tests/"),
    r"srtp2/": ("tests/", "bench/"),
    r"microhttpd": ("ctrlplane/mgmt/", "ctrlplane/app/", "ctrlplane/kms/"),
    r"yaml": ("configs/loader/",),
    r"sqlite3": ("ctrlplane/store/", "ctrlplane/kms/", "tests/"),
    r"liburing": ("drivers/port/", "bench/load/"),
    r"openssl/": ("ctrlplane/cms/", "ctrlplane/tls/", "ctrlplane/keys/", "ctrlplane/mikey/", "ctrlplane/sip/digest", "bench/", "tests/"),
}
bad = []
files = c_files(ROOT)
for path in files:
    lines = open(os.path.join(ROOT, path), encoding="utf-8").read().splitlines()
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if not match:
            if re.match(r"\s*typedef\s+(struct|union|enum)\b", line) and "third party" not in line:
                bad.append(f"{path}:{number}: typedef of a struct, union or enum; name it by its tag")
            continue
        name = match.group(1)
        if ".." in name:
            bad.append(f"{path}:{number}: '..' in an include; write the path from the top of the project")
        for prefix, folders in THIRD.items():
            if re.match(prefix, name) and not path.startswith(folders):
                bad.append(f"{path}:{number}: <{name}> belongs to {', '.join(folders)}")
        match = re.match(r"((?:dataplane|drivers|ctrlplane|configs)/[\w/]+)/\w+_state\.h", name)
        if match and not path.startswith((match.group(1) + "/", "tests/", "bench/")):
            if not (path.startswith("dataplane/worker/") and match.group(1).startswith("dataplane/")):
                bad.append(f"{path}:{number}: {name} is the layout of another folder; only it and its tests may see it")
    if path.endswith(".h") and not any(line.startswith("#ifndef") for line in lines[:20]):
        bad.append(f"{path}:1: no include guard near the top")
    if lines and not lines[0].startswith("/*"):
        bad.append(f"{path}:1: begin with a comment that says what the file is and which section it follows")
print("\n".join(bad) or f"{len(files)} files hold to their layers")
sys.exit(bool(bad))
