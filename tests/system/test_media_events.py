"""What the media plane tells of a running conference: events over the control socket, counters by DPDK telemetry, and both in the API."""
import re
import signal
import socket
import time

import pytest
from media_plane import Events, telemetry
from node import Node, Ue, wait_until
from sip import Caller, sdp

DROPS_OUT = ("no_mbuf", "tx_no_key", "tx_lifetime", "tx_repeat", "tx_long", "tx_no_addr", "tx_no_neigh", "tx_full", "tx_error")


def person(node, name, hz, *options, seconds=60):
    return Ue(node.uri(), "--from", f"sip:{name}@example.net", "--tone", hz, *options, seconds=seconds)


def legs(node, count):
    people = node.wait_participants(count)
    return {p["identity"].partition(":")[2].partition("@")[0]: p["id"] for p in people}


@pytest.mark.sanitized
def test_a_conference_is_told_of():
    """First media, who talks, digits, silence and its end: each as it happens, and what of it the API shows."""
    with Node({"call": {"lost_after": "3s", "keep_dead": True}}) as node, Events(node) as events:
        anna = person(node, "anna", 400, "--dtmf-at", "2:5#", "--mute-at", 4)
        bert = person(node, "bert", 500, "--mute-at", 0)
        who = legs(node, 2)
        first = events.wait("first media", leg=who["anna"])
        events.wait("first media", leg=who["bert"])
        assert first["conference"] == events.find("first media", leg=who["bert"])[0]["conference"] != 0

        talks = events.wait("talkers", conference=first["conference"], talkers=[who["anna"]])
        assert talks["leg"] == 0
        talking = lambda: {p["id"] for p in node.participants() if p["talking"]}
        wait_until(lambda: talking() == {who["anna"]}, 5, "anna is shown as who talks")
        digit = events.wait("dtmf", leg=who["anna"], a=5)
        assert 40 <= digit["b"] <= 500, "milliseconds"
        events.wait("dtmf", leg=who["anna"], a=11)
        events.wait("talkers", conference=first["conference"], talkers=[])
        wait_until(lambda: not talking(), 5, "nobody is shown as who talks")

        bert.process.send_signal(signal.SIGSTOP)
        events.wait("media lost", leg=who["bert"])
        assert not events.find("media lost", leg=who["anna"]), "silence that is sent is no loss"
        bert.process.send_signal(signal.SIGCONT)
        events.wait("media back", leg=who["bert"])
        assert anna.stop()["outcome"] == "joined"
        assert bert.stop()["outcome"] == "joined"
        assert len(events.find("first media")) == 2 and len(events.find("dtmf")) == 2


def test_a_key_that_is_nearly_used_up_is_told_and_replaced():
    """The key of the caller's crypto line is good for 500 packets: told at 450 and 500; ours lasts, and nobody is put out before."""
    with Node() as node, Events(node) as events:
        anna = person(node, "anna", 400, "--lifetime", "500", "--rekey-at", 9.5, seconds=13)
        leg = legs(node, 1)["anna"]
        soon = events.wait("key soon", seconds=20, leg=leg, a=1)
        assert soon["b"] == 900
        used = node.participants()[0]["media"]["key_packets_rx"]
        assert 440 <= used <= 500, used
        result = anna.result()
        assert result["reinvites"]["ok"] == 1, result
        assert not events.find("key soon", b=1000), "it was replaced in time"


def test_what_the_kernel_drops_has_a_name():
    """The media plane stands still while thousands of datagrams come: its socket is full. Afterwards each of them is accounted for."""
    with Node({"conferences": [{"id": "demo", "security": "none", "identity": "none", "anonymous": True}]}) as node, Caller(node) as caller:
        answer = caller.invite(body=sdp([], proto="RTP/AVP"))
        focus = ("127.0.0.1", int(re.search(r"m=audio (\d+)", answer.body)[1]))
        wait_until(lambda: node.participants()[0]["media"], 10, "the leg")
        time.sleep(0.5)
        node.dp.send_signal(signal.SIGSTOP)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            for _ in range(3000):
                flood.sendto(bytes(1000), focus)
        node.dp.send_signal(signal.SIGCONT)

        def total():
            shown = node.api("node", "show")["media"]["total"]
            return shown["packets_rx"], {row["name"]: row for row in shown["drops"]}

        packets, drops = wait_until(lambda: (lambda seen: seen if seen[0] >= 3000 else None)(total()), 15, "3000 datagrams accounted for")
        assert packets == 3000, (packets, drops)
        assert drops["rx_missed"]["packets"] > 1000 and drops["rx_missed"]["blame"] == "load", drops
        assert sum(row["packets"] for row in drops.values()) == 3000, drops
        assert telemetry(node, "/conclave/drops")["rx_missed"] == drops["rx_missed"]["packets"]
        caller.bye()


def test_telemetry_has_all_counters():
    with Node() as node:
        people = [person(node, name, hz, *options) for name, hz, options in (("anna", 400, ("--garbage", 50)), ("bert", 500, ("--wrong-key", 50)))]
        who = legs(node, 2)
        wait_until(lambda: all(p["media"]["packets_rx"] > 100 for p in node.participants()), 20, "media of both")
        late = wait_until(lambda: telemetry(node, "/conclave/lateness"), 5, "ticks")
        assert late["ticks"] > 50 and 0 < late["p50_ns"] <= late["p99_ns"] <= late["p999_ns"]
        worker = telemetry(node, "/conclave/worker,0")
        assert worker["legs"] == 2 and worker["conferences"] == 1 and worker["ticks"] > 0
        assert telemetry(node, "/conclave/worker,7") is None
        leg = telemetry(node, f"/conclave/leg,{who['bert']}")
        assert leg["srtp_auth"] == leg["auth_failures"] > 0 and leg["level_rx"] < 40 and leg["is_latched"] == 1
        assert {"lost", "jitter_us", "jbuf_delay_us", "round_trip_us", "level_tx", "reordered", "replays", "key_packets_rx"} <= set(leg), leg
        assert telemetry(node, "/conclave/leg,4000000000") is None
        assert telemetry(node, f"/conclave/trace,{who['anna']}") == []  # asking begins it
        wait_until(lambda: any(" in " in line and line.endswith(" taken") for line in telemetry(node, f"/conclave/trace,{who['anna']}")), 5,
                   "traced packets")
        for each in people:
            each.stop()
        node.wait_participants(0)
        # Nobody is left: what came in and what was made is accounted for to the last packet.
        total, drops = telemetry(node, "/conclave/node"), telemetry(node, "/conclave/drops")
        blames = telemetry(node, "/conclave/blames")
        inward = sum(count for name, count in drops.items() if name not in DROPS_OUT)
        assert total["held"] == 0
        assert total["rx_packets"] + total["handoff_in"] == total["rx_sunk"] + total["handoff_out"] + inward, (total, drops)
        assert total["made"] == total["tx_packets"] + sum(drops[name] for name in DROPS_OUT), (total, drops)
        assert sum(blames.values()) == sum(drops.values()) and blames["bug"] == 0 and blames["attack"] > 0, blames
        shown = {row["name"]: row["packets"] for row in node.api("node", "show")["media"]["total"]["drops"]}
        assert shown == {name: count for name, count in drops.items() if count}
