"""The C sources of the tree: what git tracks or would, or, outside a checkout, all but build folders."""
import os
import subprocess


def c_files(root):
    # Tests run as root on a checkout that may be somebody else's; git reads nothing but file names here.
    listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-co", "--exclude-standard", "*.c", "*.h"],
                            capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.split()
    else:
        names = [os.path.relpath(os.path.join(folder, name), root) for folder, _, files in os.walk(root) for name in files
                 if name.endswith((".c", ".h"))]
        names = [name for name in names if not name.startswith((".", "build"))]
    return sorted(name for name in names if os.path.exists(os.path.join(root, name)))
