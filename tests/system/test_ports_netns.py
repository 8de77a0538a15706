"""The ethdev port on af_packet over veth and on a TAP device, and the udp port, each against the kernel in a network namespace."""
import json
import os
import subprocess
import sys

import pytest

from node import program

LIB = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib")
PEER = os.path.join(LIB, "port_peer.py")
CONFERENCE = os.path.join(LIB, "port_conference.py")
BRIDGE = os.path.join(LIB, "vlan_bridge.py")
PORT = 22100
FAR4, FAR6 = "10.99.0.1", "fd99::1"  # behind the peer: reached by the gateway


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def may_make_namespaces():
    if os.geteuid() != 0:
        return "needs root: makes network namespaces"
    name = f"cvprobe{os.getpid()}"
    try:
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        ip("netns", "exec", name, "true")
    except (OSError, subprocess.CalledProcessError) as error:
        return f"this machine makes no network namespaces: {getattr(error, 'stderr', None) or error}"
    finally:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return None


REASON = may_make_namespaces()
pytestmark = [pytest.mark.skipif(REASON is not None, reason=str(REASON)), pytest.mark.sanitized]


class Link:
    """Two namespaces: the port's and the peer's (for a TAP the same). The peer has 192.0.2.1 and 2001:db8::1."""

    def __init__(self, kind):
        self.port_ns = f"cvport{os.getpid()}"
        self.peer_ns = self.port_ns if kind == "tap" else f"cvpeer{os.getpid()}"
        self.kind = kind
        self.interface = "cvtap0" if kind == "tap" else "cvpeer0"
        self.bridge = None

    def __enter__(self):
        for name in {self.port_ns, self.peer_ns}:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        if self.kind == "veth":
            ip("-n", self.port_ns, "link", "add", "cvport0", "type", "veth", "peer", "name", self.interface, "netns", self.peer_ns)
            # The port is the host at this end, not the kernel.
            self.run(self.port_ns, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/cvport0/disable_ipv6")
            ip("-n", self.port_ns, "link", "set", "cvport0", "up")
        return self

    def __exit__(self, *_):
        if self.bridge:
            self.bridge.communicate(timeout=20)
        for name in {self.port_ns, self.peer_ns}:
            subprocess.run(["ip", "netns", "delete", name], check=False)

    def run(self, namespace, *command):
        result = subprocess.run(["ip", "netns", "exec", namespace, *command], capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, f"{' '.join(command)}:\n{result.stdout}{result.stderr}"
        return result.stdout

    def peer_up(self, vlan=0):
        interface = self.interface
        if vlan:
            ip("-n", self.peer_ns, "link", "set", interface, "up")
            self.vlan_up(interface, vlan)
            interface = "cvvlan"
        ip("-n", self.peer_ns, "addr", "add", "192.0.2.1/24", "dev", interface)
        ip("-n", self.peer_ns, "addr", "add", "2001:db8::1/64", "dev", interface, "nodad")
        ip("-n", self.peer_ns, "addr", "add", f"{FAR4}/32", "dev", "lo")
        ip("-n", self.peer_ns, "addr", "add", f"{FAR6}/128", "dev", "lo")
        ip("-n", self.peer_ns, "link", "set", interface, "up")

    def vlan_up(self, interface, vlan):
        """The kernel's VLAN interface, or where it has none one of ours."""
        try:
            ip("-n", self.peer_ns, "link", "add", "link", interface, "name", "cvvlan", "type", "vlan", "id", str(vlan))
        except subprocess.CalledProcessError:
            self.bridge = subprocess.Popen(["ip", "netns", "exec", self.peer_ns, sys.executable, BRIDGE, interface, "cvvlan", str(vlan)],
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            if self.bridge.stdout.readline() != "ready\n":
                pytest.skip("this kernel has neither 8021q nor TAP devices")

    def peer(self, *words):
        return self.run(self.peer_ns, sys.executable, PEER, *words)


class Echo:
    """portecho in the port's namespace; its counters when it has ended."""

    def __init__(self, link, devargs, vlan=0, locals_=("192.0.2.7/24,192.0.2.1", "2001:db8::7/64,2001:db8::1")):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", link.port_ns, program("tests/portecho"), devargs, str(vlan), str(PORT), *locals_],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            pytest.fail(f"portecho: {self.process.communicate()[1]}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind is None:
                self.stop()
            else:
                self.process.kill()
                print(self.process.communicate())

    def stop(self):
        out, errors = self.process.communicate("end\n", timeout=20)
        assert self.process.returncode == 0, errors
        return json.loads(out.strip().splitlines()[-1])


def talk(link):
    """Everything a neighbour may ask."""
    for address, far in (("192.0.2.7", FAR4), ("2001:db8::7", FAR6)):
        link.peer("ping", address)
        link.peer("echo", address, str(PORT))
        link.peer("echo", address, str(PORT), far)
    neighbours = link.run(link.peer_ns, "ip", "neigh")
    for address in ("192.0.2.7", "2001:db8::7"):
        assert any(line.startswith(address + " ") and "lladdr" in line and "FAILED" not in line for line in neighbours.splitlines()), neighbours


def test_af_packet_over_veth():
    with Link("veth") as link:
        link.peer_up()
        with Echo(link, "net_af_packet0,iface=cvport0") as echo:
            talk(link)
            link.peer("fragment", "192.0.2.7", str(PORT))
            counters = echo.stop()
    assert counters["rx"] >= 24 and counters["tx"] == counters["rx"], counters
    assert counters["bad_checksum"] == 0, counters
    # Fragments, or one frame cut short where the kernel leaves the fragmenting to a device that is not there.
    assert counters["fragments"] + counters["malformed"] >= 1, counters


def test_af_packet_in_a_vlan():
    with Link("veth") as link:
        link.peer_up(vlan=42)
        with Echo(link, "net_af_packet0,iface=cvport0", vlan=42) as echo:
            talk(link)
            counters = echo.stop()
    assert counters["rx"] >= 24 and counters["tx"] == counters["rx"], counters


def test_port_finds_a_neighbour_that_never_asked():
    """The peer knows the port by a permanent entry, so that the port alone has to ask: for the peer, and for its gateway."""
    with Link("veth") as link:
        link.peer_up()
        with Echo(link, "net_af_packet0,iface=cvport0") as echo:
            mac = link.run(link.port_ns, "cat", "/sys/class/net/cvport0/address").strip()
            for address in ("192.0.2.7", "2001:db8::7"):
                ip("-n", link.peer_ns, "neigh", "replace", address, "lladdr", mac, "nud", "permanent", "dev", link.interface)
            for address, far in (("192.0.2.7", FAR4), ("2001:db8::7", FAR6)):
                link.peer("echo", address, str(PORT), far)
                link.peer("echo", address, str(PORT))
            counters = echo.stop()
    assert counters["rx"] == counters["tx"] and counters["no_neigh"] == 0, counters


def test_tap():
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun on this machine")
    with Link("tap") as link:
        with Echo(link, "net_tap0,iface=cvtap0") as echo:
            link.peer_up()
            talk(link)
            counters = echo.stop()
    assert counters["rx"] >= 24 and counters["tx"] == counters["rx"], counters


def test_udp_sockets():
    with Link("veth") as link:
        ip("-n", link.port_ns, "link", "set", "cvport0", "up")
        link.run(link.port_ns, "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/cvport0/disable_ipv6")
        ip("-n", link.port_ns, "addr", "add", "192.0.2.7/24", "dev", "cvport0")
        ip("-n", link.port_ns, "addr", "add", "2001:db8::7/64", "dev", "cvport0", "nodad")
        link.peer_up()
        with Echo(link, "udp") as echo:
            for address in ("192.0.2.7", "2001:db8::7"):
                link.peer("echo", address, str(PORT))
            counters = echo.stop()
    assert counters["rx"] == counters["tx"] == 12, counters


def hold_conference(link, devargs, workers, *words):
    """The whole node: each of three hears the two others, and loses nothing on the way. What the node says of itself."""
    out = link.run(link.peer_ns, sys.executable, CONFERENCE, link.port_ns, devargs, str(workers), *words)
    *results, node = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert len(results) == (3 if workers == 1 else 12), out
    for result in results:
        assert result["outcome"] == "joined", result
        assert result["rx"]["lost"] <= 2 and result["rx"]["auth_failures"] == 0, result
        for row in result["heard"]:
            if int(float(row["hz"])) != result["own"]:
                assert abs(row["dbov"] + 20) <= 2, result
            else:
                assert row["dbov"] < -45, result
    assert not {"not_for_us", "handoff_full"} & set(node["drops"]), node
    return node


def test_conference_over_af_packet():
    with Link("veth") as link:
        link.peer_up()
        hold_conference(link, "net_af_packet0,iface=cvport0", 1)


def test_two_workers_share_what_af_packet_spreads():
    """The device spreads by a hash that knows nothing of workers: half of the packets change hands in software."""
    with Link("veth") as link:
        link.peer_up()
        node = hold_conference(link, "net_af_packet0,iface=cvport0,qpairs=2", 2)
        assert min(node["workers"]) >= 3 and node["handoff"] > 100, node


def test_conference_over_tap():
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun on this machine")
    with Link("tap") as link:
        hold_conference(link, "net_tap0,iface=cvtap0", 1, "cvtap0")


def test_two_workers_on_a_tap():
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun on this machine")
    with Link("tap") as link:
        assert min(hold_conference(link, "net_tap0,iface=cvtap0", 2, "cvtap0")["workers"]) >= 3
