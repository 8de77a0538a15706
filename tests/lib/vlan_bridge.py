#!/usr/bin/python3
"""A VLAN interface for kernels without 8021q: a TAP whose frames go out of another interface with a tag, and back without.

usage: vlan_bridge.py INTERFACE TAP VLAN-ID      run in the namespace of both; says "ready", ends with its standard input
"""
import fcntl
import os
import select
import socket
import struct
import sys

ETH_P_ALL, PACKET_AUXDATA, SOL_PACKET = 3, 8, 263
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
TPID = 0x8100


def untagged(outside, vlan):
    """A frame of our VLAN without its tag, which the kernel has put beside it; None: not ours."""
    frame, control, _, sender = outside.recvmsg(65536, 256)
    if sender[2] == socket.PACKET_OUTGOING:
        return None
    for _, kind, data in control:
        if kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack_from("=IIIHHHH", data)
            if status & 0x10 and tci & 0xFFF == vlan:  # TP_STATUS_VLAN_VALID
                return frame
    if frame[12:14] == struct.pack("!H", TPID) and struct.unpack_from("!H", frame, 14)[0] & 0xFFF == vlan:
        return frame[:12] + frame[16:]
    return None


def main(interface, name, vlan):
    outside = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    outside.bind((interface, ETH_P_ALL))
    outside.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    print("ready", flush=True)
    while True:
        for each in select.select([outside, tap, sys.stdin], [], [])[0]:
            if each is outside:
                frame = untagged(outside, vlan)
                if frame:
                    os.write(tap, frame)
            elif each is tap:
                frame = os.read(tap, 65536)
                outside.send(frame[:12] + struct.pack("!HH", TPID, vlan) + frame[12:])
            else:
                return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
