#!/usr/bin/python3
"""Three participants in the peer's namespace, the media plane on an ethdev in the port's: prints one line of JSON for each.

usage: port_conference.py PORT-NAMESPACE DEVARGS WORKERS [TAP-INTERFACE]      (run inside the peer's namespace, which has 192.0.2.1)

With several workers there are four conferences of three, so that each worker has some.
"""
import json
import signal
import subprocess
import sys
import time

from node import Node, Ue, free_port, program, wait_until

TONES = [300, 400, 500]


class PortNode(Node):
    """A node whose SIP side is the peer's address, so that participants send their media from there."""

    def __init__(self, namespace, devargs, workers, tap):
        self.tap = tap
        names = ["demo", "c1", "c2", "c3"][:1 if workers == 1 else 4]
        super().__init__(start=False, dp_command=["ip", "netns", "exec", namespace, program("conclave-dp")], config={
            "media": {"port": "ethdev", "device": devargs, "workers": workers,
                      "addresses": [{"address": "192.0.2.7", "prefix": 24, "gateway": "192.0.2.1"}]},
            "conferences": [{"id": name, "security": "sdes", "identity": "none", "anonymous": True} for name in names]})

    def start_dp(self):
        super().start_dp()
        if self.tap:  # the interface comes with the media plane
            subprocess.run(["ip", "addr", "add", "192.0.2.1/24", "dev", self.tap], check=True)
            subprocess.run(["ip", "link", "set", self.tap, "up"], check=True)
        self.sip_port = free_port(address="192.0.2.1")
        self.config["sip"]["listen"] = [f"sip:192.0.2.1:{self.sip_port}"]
        self.write_config()

    def uri(self, conference="demo"):
        return f"sip:{conference}@192.0.2.1:{self.sip_port}"


def main(namespace, devargs, workers, tap=None):
    with PortNode(namespace, devargs, int(workers), tap) as node:
        node.start()
        people = [(hz, Ue(node.uri(conference["id"]), "--from", f"sip:tone{hz}@example.net", "--tone", hz, "--level", -20, "--expect",
                          ",".join(map(str, TONES)), seconds=60)) for conference in node.config["conferences"] for hz in TONES]
        for conference in node.config["conferences"]:
            wait_until(lambda: [p["state"] for p in node.participants(conference["id"])] == ["connected"] * len(TONES), 30, "three who are connected")
        time.sleep(4)
        total = node.api("node", "show")["media"]
        for _, person in people:
            person.process.send_signal(signal.SIGINT)
        for own, person in people:
            print(json.dumps({"own": own, **person.result()}))
        print(json.dumps({"workers": [worker["participants"] for worker in total["workers"]], "drops": {row["name"]: row["packets"] for row in
                          total["total"]["drops"]}, "handoff": total["total"]["handoff_in"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
