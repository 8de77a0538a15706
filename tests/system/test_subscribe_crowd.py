"""A conference of 500 that all 500 watch: everybody ends up with the whole roster, by few full documents."""
import random
import time

from node import Node, Ue

PEOPLE, PROCESSES = 500, 10


def test_500_watch_each_other():
    each = PEOPLE // PROCESSES
    config = {"conferences": [{"id": "demo", "security": "none", "identity": "none", "anonymous": True, "loudest": 4}],
              "media": {"udp_ports": {"first": 20000 + 256 * random.randrange(0, 40), "per_worker": 2 * PEOPLE + 64}}}
    begin = time.monotonic()
    with Node(config) as node:
        # TCP: a full document of 500 is 190 kB, which no datagram holds; a connection for each fifty
        uri = node.uri() + ";transport=tcp"
        crowd = [Ue(uri, "--count", each, "--plain", "--no-media", "--rate", 20, "--subscribe", "dialog", "--transport", "tcp", "--quiet",
                    "--timeout", 40, "--from", f"sip:p{number}-%d@ims.example", seconds=12) for number in range(PROCESSES)]
        totals = {}
        for phones in crowd:
            result = phones.result(150)
            assert result["joined"] == each, result
            for name, value in result["roster"].items():
                totals[name] = totals.get(name, 0) + value
        node.wait_participants(0, seconds=30)
    assert totals["subscribed"] == PEOPLE and totals["refused"] == 0, totals
    assert totals["gaps"] == 0 and totals["failures"] == 0, totals
    # each process saw at least those who were there when it stayed: all, but for those that a busy machine made come late
    assert totals["complete"] > PEOPLE // 2, totals
    # full documents at the beginning and at the end of a subscription, partial ones in between
    assert totals["full"] <= 2 * PEOPLE + 20 and totals["partial"] > PEOPLE, totals
    assert time.monotonic() - begin < 200
