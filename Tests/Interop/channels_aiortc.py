#!/usr/bin/env python3
"""Data channels by aiortc: echoes of every kind of message on every kind of channel, and what a
publisher says to two viewers. `--url` is the WHIP endpoint; the viewers watch its stream."""
import argparse
import asyncio
import time

from aiortc import AudioStreamTrack

import client
import rtc

KINDS = {
    "reliable": {},
    "unordered": {"ordered": False},
    "retransmits": {"ordered": False, "maxRetransmits": 3},
    "lifetime": {"maxPacketLifeTime": 2000},
}
MESSAGES = ["héllo", b"\x00\x01\xff", "", b"", b"x" * 1200, bytes(range(256)) * 1024]

parser = client.parser(__doc__, seconds=20)
options = parser.parse_args()


class Channel:
    """One channel, and what came by it."""

    def __init__(self, pc, label, **terms):
        self.heard, self.opened = [], asyncio.Event()
        self.channel = pc.createDataChannel(label, **terms)
        self.channel.on("open", self.opened.set)
        self.channel.on("message", self.heard.append)

    async def hears(self, expected):
        end = time.time() + options.seconds
        while len(self.heard) < len(expected) and time.time() < end:
            await asyncio.sleep(.01)
        # Without order only the set counts.
        return sorted(map(repr, self.heard)) == sorted(map(repr, expected))


async def echoes(pc_channels):
    found = {}
    for kind, channel in pc_channels.items():
        began = time.time()
        for message in MESSAGES:
            channel.channel.send(message)
        same = await channel.hears(MESSAGES)
        found[kind] = {"same": same, "ms": round((time.time() - began) * 1000)}
    return found


def watcher():
    pc = rtc.peer()
    pc.addTransceiver("audio", direction="recvonly")
    return pc, Channel(pc, "chat")


async def main():
    publisher = rtc.peer()
    publisher.addTransceiver(AudioStreamTrack(), direction="sendonly")
    channels = {kind: Channel(publisher, "echo", **terms) for kind, terms in KINDS.items()}
    voice = Channel(publisher, "chat")
    viewers = [watcher() for _ in range(2)]
    watching = argparse.Namespace(**vars(options))
    watching.url, watching.token = options.url.replace("/whip/", "/whep/"), ""
    report = {}
    try:
        async with rtc.Session(publisher, options) as session:
            report["http"] = session.report
            for channel in (*channels.values(), voice):
                await asyncio.wait_for(channel.opened.wait(), options.seconds)
            report["echo"] = await echoes(channels)
            await asyncio.sleep(2)  # The stream is ready by now.
            sessions = [rtc.Session(pc, watching) for pc, _ in viewers]
            for one in sessions:
                await one.__aenter__()
            for _, ear in viewers:
                await asyncio.wait_for(ear.opened.wait(), options.seconds)
            words = ["hello", b"\x01\x02", "", b"y" * 50_000]
            for word in words:
                voice.channel.send(word)
            report["viewers"] = [await ear.hears(words) for _, ear in viewers]
            report["publisher heard"] = len(voice.heard)
            for one in sessions:
                await one.__aexit__()
    except Exception as error:
        report["error"] = f"{type(error).__name__}: {error}"
    for pc in (publisher, *(pc for pc, _ in viewers)):
        await pc.close()
    return report


result = asyncio.run(main())
client.finish(result, all(one["same"] for one in result.get("echo", {"": {"same": False}}).values())
              and result.get("viewers") == [True, True] and result.get("publisher heard") == 0)
