"""meson install: every program, page, completion, configuration and unit lands where an operator expects it."""
import os
import subprocess

import pytest

from node import BUILD

INSTALLED = [
    "bin/conclave", "bin/conclave-cp", "bin/conclave-dp", "bin/conclave-ue", "share/man/man1/conclave.1", "share/man/man1/conclave-ue.1", "share/man/man5/conclave.yaml.5",
    "share/man/man8/conclave-cp.8", "share/man/man8/conclave-dp.8", "share/man/man8/conclave-kms.8", "bin/conclave-kms", "share/bash-completion/completions/conclave",
    "share/zsh/site-functions/_conclave", "share/doc/conclave/reference.yaml", "share/doc/conclave/laptop.yaml",
    "share/doc/conclave/single-nic.yaml", "lib/systemd/system/conclave-dp.service", "lib/systemd/system/conclave-cp.service",
    "lib/systemd/system/conclave-kms.service",
    "lib/sysusers.d/conclave.conf", "lib/tmpfiles.d/conclave.conf",
]


def install(folder):
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install")
    install(folder)
    return folder


def prefix(root):
    return root / "usr/local"


@pytest.mark.parametrize("name", INSTALLED)
def test_is_installed(root, name):
    assert (prefix(root) / name).stat().st_size > 0


def test_programs_run(root):
    for name in ("conclave", "conclave-cp", "conclave-dp", "conclave-kms"):
        result = subprocess.run([prefix(root) / "bin" / name, "--version"], capture_output=True, text=True, check=True)
        assert result.stdout.startswith(f"{name} ")


def test_the_first_configuration_is_checked_and_kept(root):
    path = root / "etc/conclave/conclave.yaml"
    for name in ("conclave-cp", "conclave-dp", "conclave-kms"):
        subprocess.run([prefix(root) / "bin" / name, "--check", "--config", path], check=True, capture_output=True)
    path.write_text("# mine\n")
    install(root)
    assert path.read_text() == "# mine\n"


def test_pages_are_clean_troff(root):
    for page in (prefix(root) / "share/man").glob("man*/*"):
        result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", page], capture_output=True, text=True, check=True)
        assert result.stderr == "", f"{page}: {result.stderr}"


def test_bash_completes(root):
    script = prefix(root) / "share/bash-completion/completions/conclave"
    result = subprocess.run(["bash", "-c", f". {script}; COMP_LINE='conclave part' COMP_POINT=13; _conclave conclave; echo ${{COMPREPLY[@]}}"],
                            capture_output=True, text=True, check=True,
                            env={**os.environ, "PATH": f"{prefix(root)}/bin:{os.environ['PATH']}"})
    assert result.stdout == "participant\n"


def test_units_start_what_is_installed(root):
    for name in ("conclave-dp", "conclave-cp"):
        unit = (prefix(root) / f"lib/systemd/system/{name}.service").read_text()
        assert f"ExecStart=/usr/local/bin/{name} --config /etc/conclave/conclave.yaml\n" in unit
        assert "@" not in unit.replace("@system-service", "")
