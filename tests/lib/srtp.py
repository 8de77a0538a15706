"""SRTP of RFC 3711 with AES-CM-128 and HMAC-SHA1, written from the text: a peer that shares no line with the node's own. Slow."""
import base64
import hashlib
import hmac
import struct
import subprocess


def aes_ctr(key, counter, length):
    """Octets of the keystream, by the openssl program."""
    done = subprocess.run(["openssl", "enc", "-aes-128-ctr", "-K", key.hex(), "-iv", counter.hex()], input=bytes(length), capture_output=True, check=True)
    return done.stdout


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def rtp(sequence, timestamp, ssrc, payload, kind=0, marker=False):
    return struct.pack("!BBHII", 0x80, kind | marker << 7, sequence, timestamp, ssrc) + payload


class Context:
    """One direction of one master key, as the inline: of a crypto line has it."""

    def __init__(self, inline, tag=10, mki=b""):
        octets = base64.b64decode(inline.partition("inline:")[2].split("|")[0])
        assert len(octets) == 30
        master, salt = octets[:16], octets[16:]

        def derive(label, length):
            x = bytearray(salt)
            x[7] ^= label  # label || 48 bits of r = 0, right-aligned in 112 bits
            return aes_ctr(master, bytes(x) + bytes(2), length)

        self.key, self.auth, self.salt, self.tag, self.mki = derive(0, 16), derive(1, 20), derive(2, 14), tag, mki

    def _keystream(self, ssrc, index, length):
        iv = int.from_bytes(self.salt, "big") << 16 ^ ssrc << 64 ^ index << 16
        return aes_ctr(self.key, iv.to_bytes(16, "big"), length)

    def _authenticate(self, packet, roc):
        return hmac.new(self.auth, packet + struct.pack("!I", roc), hashlib.sha1).digest()[:self.tag]

    def protect(self, packet, roc=0):
        """Of a packet without CSRC list and extension."""
        sequence, _, ssrc = struct.unpack_from("!HII", packet, 2)
        body = xor(packet[12:], self._keystream(ssrc, roc << 16 | sequence, len(packet) - 12))
        return packet[:12] + body + self.mki + self._authenticate(packet[:12] + body, roc)

    def unprotect(self, packet, roc=0):
        """The RTP packet in the clear; None: tag or MKI is wrong."""
        end = len(packet) - self.tag
        start = end - len(self.mki)
        if packet[start:end] != self.mki or not hmac.compare_digest(packet[end:], self._authenticate(packet[:start], roc)):
            return None
        header = 12 + 4 * (packet[0] & 15)
        sequence, _, ssrc = struct.unpack_from("!HII", packet, 2)
        return packet[:header] + xor(packet[header:start], self._keystream(ssrc, roc << 16 | sequence, start - header))
