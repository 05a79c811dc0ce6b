#!/usr/bin/env python3
"""How long the gateway keeps a picture, seen from outside: what the kernel saw on the loopback.

usage: delay.py [--port 8000] [--seconds 10]     (as root: it reads the packets of `lo`)

Run it while somebody publishes by WHIP and others watch by WHEP on this machine. For each picture:
from the moment its first packet was sent to the gateway's port to the moment its first packet
reached the viewer's socket. RTP headers are not encrypted, so the time stamps tell which picture is
which; a viewer's are the publisher's with a constant added. Pictures of three times the usual
number of packets (key frames) are left out: they may be paced.
"""
import argparse
import collections
import socket
import statistics
import struct
import sys
import time

SO_TIMESTAMPNS = 35
PACKET_HOST = 0
ETH_P_ALL = 3


class Flow:
    """The pictures of one RTP stream between two sockets: time stamp, first arrival, packets."""

    def __init__(self):
        self.first = {}
        self.packets = collections.Counter()

    def note(self, stamp, at, count):
        self.first.setdefault(stamp, at)
        self.packets[stamp] += count

    @property
    def is_video(self):
        """Sound has one packet for each time stamp."""
        return len(self.first) > 10 and sum(self.packets.values()) > 1.3 * len(self.first)


def datagram(packet):
    """Ports and payload of UDP over IPv4 or IPv6."""
    if packet[0] >> 4 == 4:
        at = (packet[0] & 15) * 4
        if packet[9] != socket.IPPROTO_UDP:
            return None
        ends = packet[12:20]
    else:
        at = 40
        if packet[6] != socket.IPPROTO_UDP:
            return None
        ends = packet[8:40]
    source, target = struct.unpack_from("!HH", packet, at)
    return ends, source, target, packet[at + 8:]


def listen(port, seconds):
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
    tap.bind(("lo", ETH_P_ALL))
    tap.settimeout(0.2)
    flows = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            packet, extra, _, address = tap.recvmsg(65_535, 64)
        except TimeoutError:
            continue
        if address[2] != PACKET_HOST:
            continue
        found = datagram(packet)
        if not found:
            continue
        ends, source, target, payload = found
        # RTP, and not RTCP (RFC 5761).
        if port not in (source, target) or len(payload) < 12 or payload[0] >> 6 != 2:
            continue
        if 192 <= payload[1] <= 223:
            continue
        stamp, ssrc = struct.unpack_from("!II", payload, 4)
        seconds_at, nanoseconds = struct.unpack("qq", extra[0][2])
        # A run of equal datagrams travels as one packet.
        count = max(1, round(len(payload) / 1200))
        key = (ends, source, target, ssrc)
        flows.setdefault(key, Flow()).note(stamp, seconds_at + nanoseconds / 1e9, count)
    inward = {key: flow for key, flow in flows.items() if key[2] == port and flow.is_video}
    outward = {key: flow for key, flow in flows.items() if key[1] == port and flow.is_video}
    return inward, outward


def offset(published, viewed):
    """What is added to the time stamps: most pictures follow the one that came just before."""
    stamps = sorted(published.first, key=published.first.get)
    times = [published.first[stamp] for stamp in stamps]
    votes, place = collections.Counter(), 0
    for stamp in sorted(viewed.first, key=viewed.first.get):
        while place + 1 < len(times) and times[place + 1] <= viewed.first[stamp]:
            place += 1
        votes[(stamp - stamps[place]) % (1 << 32)] += 1
    return votes.most_common(1)[0][0]


def delays(published, viewed):
    usual = statistics.median(published.packets.values())
    added = offset(published, viewed)
    for stamp, sent in published.first.items():
        seen = viewed.first.get((stamp + added) % (1 << 32))
        if seen is not None and published.packets[stamp] < 3 * usual:
            yield seen - sent


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--port", type=int, default=8000)
    options.add_argument("--seconds", type=float, default=10)
    options = options.parse_args()
    inward, outward = listen(options.port, options.seconds)
    if len(inward) != 1 or not outward:
        sys.exit(f"{len(inward)} publishers and {len(outward)} viewers: 1 and some are needed")
    published = next(iter(inward.values()))
    found = sorted(delay for viewed in outward.values() for delay in delays(published, viewed))
    if not found:
        sys.exit("no picture was seen on both sides")
    print(
        f"{len(outward)} viewers, {len(found)} pictures:",
        *(f"p{share} {found[len(found) * share // 100] * 1e3:.2f} ms" for share in (5, 50, 95)))


if __name__ == "__main__":
    main()
