"""What the players and publishers on aiortc share: signalling, statistics, a data channel."""
import asyncio
import re
import time

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

import client


def peer():
    """aiortc would ask a public STUN server by itself."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


class Session:
    """One WHIP or WHEP session; `async with` opens it and says goodbye."""

    def __init__(self, pc, options, with_candidates=True):
        self.pc, self.options, self.with_candidates = pc, options, with_candidates
        self.report = {}

    @property
    def headers(self):
        token = self.options.token
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def __aenter__(self):
        self.http = aiohttp.ClientSession()
        try:
            await self.open()
        except BaseException:
            await self.http.close()
            raise
        return self

    async def open(self):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        offer = self.pc.localDescription.sdp
        if not self.with_candidates:
            offer = "".join(line + "\r\n" for line in offer.splitlines()
                            if not line.startswith(("a=candidate", "a=end-of-candidates")))
        headers = {**self.headers, "Content-Type": "application/sdp"}
        async with self.http.post(self.options.url, data=offer, headers=headers) as response:
            text = await response.text()
            self.report.update(status=response.status, session=client.absolute(
                self.options.url, response.headers.get("Location")))
        if self.report["status"] != 201:
            raise RuntimeError(f"HTTP {self.report['status']}: {text[:300]}")
        await self.pc.setRemoteDescription(RTCSessionDescription(self.through(text), "answer"))

    def through(self, answer):
        """With `--port` a relay on this machine stands for the gateway's UDP port."""
        port = getattr(self.options, "port", None)
        udp = r"(a=candidate:\S+ \d udp \d+ \S+) \d+"
        return re.sub(udp, rf"\1 {port}", answer) if port else answer

    async def __aexit__(self, *_):
        if self.report.get("session"):
            async with self.http.delete(self.report["session"], headers=self.headers) as response:
                self.report["deleted"] = response.status
        await self.http.close()


async def pause(seconds):
    """Until then, or until somebody says that it is enough."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not client.over.is_set():
        await asyncio.sleep(.1)


async def statistics(pc):
    keep = ("kind", "packetsReceived", "packetsSent", "bytesReceived", "bytesSent",
            "packetsLost", "jitter", "fractionLost", "roundTripTime")
    found = {}
    for entry in (await pc.getStats()).values():
        values = {key: getattr(entry, key) for key in keep if hasattr(entry, key)}
        found.setdefault(entry.type, []).append(values)
    return found


def echo_channel(pc):
    """A data channel that asks for echoes ten times a second."""
    log = {"state": "new", "sent": 0, "echoed": 0}
    channel = pc.createDataChannel("echo")

    async def ping():
        while channel.readyState == "open":
            channel.send(f"ping {log['sent']}")
            log["sent"] += 1
            await asyncio.sleep(.1)

    @channel.on("open")
    def on_open():
        log["state"] = "open"
        asyncio.ensure_future(ping())

    @channel.on("message")
    def on_message(_):
        log["echoed"] += 1

    return log


def only(transceiver, capabilities, codec):
    """Offers one codec alone, with its repair format."""
    transceiver.setCodecPreferences([
        one for one in capabilities.codecs if one.name.upper() in (codec.upper(), "RTX")])
