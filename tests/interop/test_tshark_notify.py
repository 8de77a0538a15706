"""tshark takes our NOTIFYs apart, in the clear and protected, with nothing malformed in them; SUBSCRIBE's answer too."""
import base64
import os
import shutil
import struct
import sys

import pytest

from mikey import Peer
from sip import SipNode
from watch import Watcher

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from test_mikey_conference import HOST, who  # noqa: E402
from test_subscribe_ue import Watched  # noqa: E402
from test_tshark_mikey import ip, tshark  # noqa: E402

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark here")


def taken_apart(tmp_path, message):
    """The octets of a message as they came, in a datagram."""
    octets = message.text.partition("\r\n\r\n")[0].encode() + b"\r\n\r\n" + message.octets
    text = tshark(str(tmp_path / "one.pcap"), ip(17, struct.pack("!HHHH", 5060, 5070, 8 + len(octets), 0) + octets), "-V")
    assert "alformed" not in text, text
    return text


def test_in_the_clear(tmp_path):
    with SipNode(conferences=[{"id": "demo", "identity": "none", "anonymous": True}]) as node, Watcher(node) as watcher:
        taken_apart(tmp_path, watcher.subscribe())
        watcher.wait(lambda r: r.version == 1, "a document")
        text = taken_apart(tmp_path, watcher.notifies[0])
        assert "eXtensible Markup Language" in text and "<maximum-user-count>" not in text
        assert "<user-count>" in text and "Subscription-State: active" in text
        watcher.subscribe(expires=0)


def test_protected(tmp_path):
    uri = f"sip:demo@{HOST}"
    with Watched(1, sip_node=True) as meeting, Peer(meeting.kms, who(0), meeting.keys[0]) as peer:
        peer.ticket(uri)
        with Watcher(meeting.node, from_header=f"<{who(0)}>", open_body=lambda notify: b"") as watcher:
            answer = watcher.subscribe(body=peer.init(uri, cs="240c", ids="-"), kind="application/mikey")
            assert answer.status == 200 and peer.ask("resp", base64.b64encode(answer.octets).decode()) == "ok"
            notify = watcher.notifies[0] if watcher.notifies else watcher.notify()
            text = taken_apart(tmp_path, notify)
            # Wireshark 4.0 reads a ContentInfo, and knows no content of type authEnvelopedData
            assert "ContentInfo" in text and "contentType: 1.2.840.113549.1.9.16.1.23" in text, text
            assert "smime-type=authEnveloped-data" in text and "<users>" not in text
            watcher.subscribe(expires=0)
