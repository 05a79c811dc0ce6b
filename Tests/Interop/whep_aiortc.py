#!/usr/bin/env python3
"""A WHEP player on aiortc: it decodes, and reads the age of stamped pictures."""
import asyncio
import time

from aiortc import RTCRtpReceiver

import client
import rtc
import stamp

parser = client.parser(__doc__)
parser.add_argument("--codec", help="H264 or VP8 alone")
parser.add_argument("--channel", action="store_true")
parser.add_argument("--port", type=int, help="of a relay that stands before the gateway")
options = parser.parse_args()


async def main():
    pc, began = rtc.peer(), time.time()
    counts, ages, first, tasks, report = {"audio": 0, "video": 0}, [], {}, [], {}
    times = []
    pc.addTransceiver("audio", direction="recvonly")
    video = pc.addTransceiver("video", direction="recvonly")
    if options.codec:
        rtc.only(video, RTCRtpReceiver.getCapabilities("video"), options.codec)
    channel = rtc.echo_channel(pc) if options.channel else None

    async def consume(track):
        while True:
            frame = await track.recv()
            counts[track.kind] += 1
            first.setdefault(track.kind, round((time.time() - began) * 1000))
            if track.kind == "video":
                times.append(time.time())
                report["size"] = [frame.width, frame.height]
                read = stamp.read(frame.to_ndarray(format="gray"))
                if read and abs(stamp.age(stamp.now(), read[0])) < 120_000:
                    ages.append(stamp.age(stamp.now(), read[0]))

    @pc.on("track")
    def on_track(track):
        tasks.append(asyncio.ensure_future(consume(track)))

    try:
        async with rtc.Session(pc, options) as session:
            report["http"] = session.report
            await rtc.pause(options.seconds)
            report.update(connectionState=pc.connectionState,
                          statistics=await rtc.statistics(pc))
    except Exception as error:
        report["error"] = f"{type(error).__name__}: {error}"
    await pc.close()
    for task in tasks:
        task.cancel()
    watched = times[-1] - times[0] if len(times) > 1 else 0
    gaps = [after - before for before, after in zip(times, times[1:])]
    report.update(framesDecoded=counts["video"], audioFrames=counts["audio"],
                  fps=[len(gaps) / watched if watched else 0],
                  longest_gap_s=round(max(gaps, default=0), 2),
                  first_frame_ms=first.get("video"), channel=channel,
                  latency_ms={"read": len(ages), **client.percentiles(ages, 50, 95, 99)})
    return report


result = asyncio.run(main())
client.finish(result, result["framesDecoded"] > 0 and result["audioFrames"] > 0
              and (not options.channel or result["channel"]["echoed"] > 0))
