#!/usr/bin/env python3
"""Lay out one include root per layer: <farm>/<layer_with_underscores>/<layer> -> <source>/<layer>.

A target sees only the roots of the layers that its row in the build file names, so that a forbidden include
does not compile. Prints the layer's headers, one a line, for the check that each compiles alone.
"""
import os
import sys

source, farm, layer = sys.argv[1:4]
root = os.path.join(farm, layer.replace("/", "_"))
link = os.path.join(root, layer)
target = os.path.join(source, layer)
os.makedirs(os.path.dirname(link), exist_ok=True)
if not (os.path.islink(link) and os.readlink(link) == target):
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(target, link)
checks = os.path.join(farm, "alone")
os.makedirs(checks, exist_ok=True)
for name in sorted(os.listdir(target)):
    if not name.endswith(".h"):
        continue
    path = os.path.join(checks, f"{layer}/{name}".replace("/", "_")[:-2] + ".c")
    text = f'#include "{layer}/{name}"\n#include "{layer}/{name}"\n'
    if not os.path.exists(path) or open(path).read() != text:
        with open(path, "w") as f:
            f.write(text)
    print(path)
