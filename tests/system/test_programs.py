"""What the programs say of themselves and of the machine, how they end, and that the build refuses what the layers forbid."""
import json
import os
import re
import shlex
import signal
import subprocess
import time

import pytest
from node import BUILD, ROOT, SANITIZED, program
from sip import Caller, SipNode

PROGRAMS = ["conclave-dp", "conclave-cp", "conclave-kms", "conclave-ue", "conclave"]
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def run(*command, timeout=30):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout)


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_version_and_wrong_usage(name):
    helped, version, wrong = run(program(name), "--help"), run(program(name), "--version"), run(program(name), "--no-such-option")
    assert helped.returncode == 0 and name in helped.stdout and not helped.stderr
    assert version.returncode == 0 and re.fullmatch(rf"{name} \d+\.\d+\.\d+\n", version.stdout), version.stdout
    assert wrong.returncode == 2 and "--no-such-option" in wrong.stderr and not wrong.stdout


@pytest.mark.parametrize("name, page", [("conclave-dp", "configs/conclave-dp.8"), ("conclave-cp", "configs/conclave-cp.8"),
                                        ("conclave-kms", "configs/conclave-kms.8"), ("conclave-ue", "conclave-ue.1"), ("conclave", "configs/conclave.1")])
def test_manual_page_has_what_the_help_has(name, page):
    with open(os.path.join(BUILD, page)) as file:
        manual = file.read().replace("\\-", "-")
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", run(program(name), "--help").stdout))
    assert options and not {option for option in options if option not in manual}


def test_run_helps():
    helped = run(os.path.join(ROOT, "run"), "--help")
    assert helped.returncode == 0
    with open(os.path.join(ROOT, "run")) as file:
        commands = set(re.findall(r"^([a-z]+)\)", file.read(), re.MULTILINE))
    assert {"build", "demo", "test", "bench", "clean"} <= commands
    assert not {word for word in commands if not re.search(rf"^  {word}\b", helped.stdout, re.MULTILINE)}
    wrong = run(os.path.join(ROOT, "run"), "frobnicate")
    assert wrong.returncode == 1 and "frobnicate" in wrong.stderr


def test_ci_runs_the_readmes_command():
    with open(os.path.join(ROOT, "README.md")) as readme, open(os.path.join(ROOT, ".ci", "run")) as ci:
        command = re.search(r"^sudo (\./run test)\b", readme.read(), re.MULTILINE)[1]
        assert f"exec sudo {command}\n" in ci.read()


@pytest.mark.parametrize("as_root", [True, False])
def test_probe_of_this_machine(as_root):
    if not as_root and (os.geteuid() != 0 or run(*NOBODY, "test", "-x", program("conclave-dp")).returncode):
        pytest.skip("needs root, and a build that others may enter")
    result = run(*([] if as_root else NOBODY), program("conclave-dp"), "--probe")
    lines = result.stdout.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert {"Processor", "Network devices on PCI", "Memory", "Kernel and limits", "What would be used"} <= set(heads), result.stdout
    grades = [re.match(r"  (ok  |note|FAIL|warn) ", line) for line in lines if line.startswith("  ")]
    assert all(grades) and len(grades) >= 6, result.stdout
    assert re.search(r"(?s)What would be used\n  ok   the udp port", result.stdout), result.stdout
    assert result.returncode == int(any(grade[1] == "FAIL" for grade in grades))


def test_sigterm_waits_for_no_peer_for_long():
    """Two callers who answer nothing any more: their BYEs are sent again for some seconds, then the program ends all the same."""
    with SipNode(sip={"t1": "500ms"}) as node, Caller(node) as one, Caller(node) as two:
        assert [caller.invite().status for caller in (one, two)] == [200, 200]
        begun = time.monotonic()
        assert node.kill("cp", signal.SIGTERM) == 0
        assert time.monotonic() - begun < 15
        for caller in (one, two):
            byes = [caller.receive(1), caller.receive(1)]
            assert [message.method for message in byes] == ["BYE", "BYE"]
        assert node.asked("CONF_DESTROY"), "the media plane was told"


def session_of(leader):
    """Names of the processes in a session."""
    names = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                name, _, rest = file.read().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if int(rest.split()[3]) == leader:
            names.append(name)
    return names


@pytest.mark.skipif(SANITIZED, reason="the demo runs the plain build")
def test_the_demo_ends_at_ctrl_c_and_leaves_nothing():
    """SIGINT to the whole group, as a terminal does it."""
    before = {name for name in os.listdir("/tmp") if name.startswith("conclave-demo.")}
    demo = subprocess.Popen([os.path.join(ROOT, "bench", "load", "demo"), BUILD], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # ignored in jobs of a script
    said = ""
    while "Ctrl-C ends it" not in said:
        line = demo.stdout.readline()
        assert line, said
        said += line
    assert re.search(r"call +sip:\w+@127\.0\.0\.1:5060", said) and "baresip" in said, "how to join with one's own phone"
    folder = ({name for name in os.listdir("/tmp") if name.startswith("conclave-demo.")} - before).pop()
    time.sleep(3)
    os.killpg(demo.pid, signal.SIGINT)
    out, _ = demo.communicate(timeout=30)
    assert demo.returncode == 0, out[-2000:]
    assert "alice@example.net" in out, "the live table"
    assert not os.path.exists(os.path.join("/tmp", folder))
    assert not session_of(demo.pid), "processes are left"


def compile_command(source):
    with open(os.path.join(BUILD, "compile_commands.json")) as file:
        entry = next(entry for entry in json.load(file) if entry["file"].endswith("/" + source))
    kept, words = [], iter(shlex.split(entry["command"]))
    for word in words:
        if word in ("-o", "-MF", "-MQ"):
            next(words)
        elif word not in ("-c", "-MD") and not word.endswith(source):
            kept.append(word)
    return entry["directory"], kept


@pytest.mark.parametrize("layer, header, may", [
    ("dataplane/rtp/rtp.c", "dataplane/api/drops.h", True),
    ("dataplane/rtp/rtp.c", "dataplane/srtp/srtp.h", False),
    ("dataplane/rtp/rtp.c", "dataplane/worker/worker.h", False),
    ("dataplane/rtp/rtp.c", "rte_mbuf.h", False),
    ("dataplane/worker/stage_mix.c", "ctrlplane/conf/conf.h", False),
    ("ctrlplane/conf/handle.c", "dataplane/api/drops.h", True),
    ("ctrlplane/conf/handle.c", "ctrlplane/sip/sip.h", False),
    ("ctrlplane/conf/handle.c", "sofia-sip/nua.h", False),
    ("ctrlplane/sdp/answer.c", "ctrlplane/app/app.h", False),
    ("ctrlplane/media/media.c", "dataplane/worker/worker.h", False),
    ("drivers/port/udp.c", "dataplane/srtp/srtp.h", False),
])
def test_a_forbidden_include_does_not_compile(tmp_path, layer, header, may):
    folder, words = compile_command(layer)
    source = tmp_path / "it.c"
    source.write_text(f'#include "{header}"\n')
    result = subprocess.run([*words, "-fsyntax-only", str(source)], cwd=folder, capture_output=True, text=True, timeout=60)
    if may:
        assert result.returncode == 0, result.stderr
    else:
        assert result.returncode != 0 and "No such file or directory" in result.stderr, result.stderr
