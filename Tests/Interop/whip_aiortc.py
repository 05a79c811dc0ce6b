#!/usr/bin/env python3
"""A WHIP publisher on aiortc, with a stamped picture; `--like obs` leaves out what OBS lacks."""
import asyncio
import fractions
import time

import av
import numpy as np
from aiortc import AudioStreamTrack, RTCRtpSender, VideoStreamTrack

import client
import rtc
import stamp

parser = client.parser(__doc__, seconds=15)
parser.add_argument("--codec", default="H264", help="H264 or VP8")
parser.add_argument("--fps", type=int, default=15)
parser.add_argument("--channel", action="store_true")
parser.add_argument("--port", type=int, help="of a relay that stands before the gateway")
parser.add_argument("--like", choices=["obs"],
                    help="obs: no candidates in the offer, no answer to PLI, no RTX")
parser.add_argument("--key-every", type=float, default=2,
                    help="seconds between the key frames of what is like OBS")
options = parser.parse_args()


class Picture(VideoStreamTrack):
    """A moving ramp with the clock in it."""
    number = 0
    began = None

    async def recv(self):
        self.began = self.began or time.time()
        due = self.began + self.number / options.fps
        await asyncio.sleep(max(0, due - time.time()))
        ramp = ((np.arange(320) + self.number * 3) % 200 + 20).astype(np.uint8)
        luma = np.tile(ramp, (240, 1))
        stamp.draw(luma, stamp.now(), self.number)
        grey = np.full((120, 320), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.vstack([luma, grey]), format="yuv420p")
        frame.pts = self.number * 90000 // options.fps
        frame.time_base = fractions.Fraction(1, 90000)
        self.number += 1
        return frame


def as_obs(sender):
    """As OBS uses libdatachannel: a key frame now and then, whatever viewers ask for."""
    force = sender._send_keyframe
    sender._send_keyframe = lambda: None

    async def beat():
        while True:
            await asyncio.sleep(options.key_every)
            force()

    return asyncio.ensure_future(beat())


async def main():
    pc, report, picture, tasks = rtc.peer(), {}, Picture(), []
    video = pc.addTransceiver(picture, direction="sendonly")
    rtc.only(video, RTCRtpSender.getCapabilities("video"), options.codec)
    if options.like == "obs":
        tasks.append(as_obs(video.sender))
        video.setCodecPreferences([
            one for one in RTCRtpSender.getCapabilities("video").codecs if one.name == "H264"])
    pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
    channel = rtc.echo_channel(pc) if options.channel else None
    try:
        async with rtc.Session(pc, options, with_candidates=options.like != "obs") as session:
            report["http"] = session.report
            await rtc.pause(options.seconds)
            report.update(connectionState=pc.connectionState,
                          statistics=await rtc.statistics(pc), channel=channel)
    except Exception as error:
        report["error"] = f"{type(error).__name__}: {error}"
    for task in tasks:
        task.cancel()
    await pc.close()
    return {**report, "frames": picture.number}


result = asyncio.run(main())
known = result.get("statistics", {})
sent = any(one.get("packetsSent", 0) > 50 for one in known.get("outbound-rtp", []))
confirmed = bool(known.get("remote-inbound-rtp"))
client.finish(result, result.get("connectionState") == "connected" and sent and confirmed
              and (not options.channel or result["channel"]["echoed"] > 0))
