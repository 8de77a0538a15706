#!/usr/bin/python3
"""The other end of a port under test: pings it and has UDP echoed. Run inside the peer's network namespace.

usage: port_peer.py ping ADDRESS | echo ADDRESS PORT [FROM] | fragment ADDRESS PORT
"""
import os
import socket
import struct
import sys
import time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(address):
    """Three echo requests of different sizes; the answers must carry what was asked."""
    six = ":" in address
    with socket.socket(family(address), socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP) as sock:
        sock.settimeout(0.5)
        for sequence, size in enumerate((8, 56, 1400)):
            payload = os.urandom(size)
            head = struct.pack("!BBHHH", 128 if six else 8, 0, 0, os.getpid() & 0xFFFF, sequence)
            if not six:  # the kernel makes the sum for IPv6
                head = head[:2] + struct.pack("!H", checksum(head + payload)) + head[4:]
            end = time.monotonic() + 5
            heard = False
            while not heard:
                assert time.monotonic() < end, f"no answer to ping {sequence} of {address}"
                sock.sendto(head + payload, (address, 0))
                try:
                    while not heard:
                        data = sock.recv(4096)
                        data = data if six else data[(data[0] & 15) * 4:]
                        heard = data[0] == (129 if six else 0) and data[4:8] == head[4:8] and data[8:] == payload
                except TimeoutError:
                    continue


def echo(address, port, source=None):
    """Datagrams of several sizes to several ports; each comes back from where it went, marked EF."""
    six = ":" in address
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        sock.setsockopt(*((socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1) if six else (socket.IPPROTO_IP, socket.IP_RECVTOS, 1)))
        if source:
            sock.bind((source, 0))
        for number, size in enumerate((1, 2, 172, 182, 1200, 1400)):
            data = os.urandom(size)
            end = time.monotonic() + 5
            while True:
                assert time.monotonic() < end, f"{size} octets did not come back from {address}"
                sock.sendto(data, (address, port + number % 4))
                try:
                    back, control, _, sender = sock.recvmsg(2048, 256)
                except TimeoutError:
                    continue
                if back == data:
                    break
            assert sender[1] == port + number % 4, sender
            marks = [int.from_bytes(value[:1], "little") for _, _, value in control]
            assert marks == [46 << 2], marks


def fragment(address, port):
    """A datagram that the kernel has to cut: the port counts it and goes on."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        sock.sendto(os.urandom(3000), (address, port))
        try:
            sock.recv(4096)
        except TimeoutError:
            return
        raise AssertionError("a fragmented datagram came back")


if __name__ == "__main__":
    if sys.argv[1] == "ping":
        ping(sys.argv[2])
    elif sys.argv[1] == "echo":
        echo(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
    else:
        fragment(sys.argv[2], int(sys.argv[3]))
