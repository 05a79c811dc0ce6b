#!/usr/bin/env python3
"""GStreamer by RTSP, with Debian's Python: `play URL` counts frames, `publish URL` sends them."""
import argparse
import json
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)
options = argparse.ArgumentParser(description=__doc__)
options.add_argument("what", choices=("play", "publish"))
options.add_argument("url")
options.add_argument("--transport", choices=("tcp", "udp"), default="tcp")
options.add_argument("--seconds", type=float, default=4)
options = options.parse_args()
counts = {}


def publishing():
    sink = f"rtspclientsink name=sink location={options.url} protocols={options.transport}"
    return Gst.parse_launch(
        f"{sink} videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1 ! "
        "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bframes=0 ! "
        "video/x-h264,profile=baseline ! h264parse ! sink. "
        "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! sink.")


def playing():
    pipeline = Gst.Pipeline()
    source = Gst.ElementFactory.make("rtspsrc")
    source.set_property("location", options.url)
    source.set_property("protocols", 4 if options.transport == "tcp" else 1)
    source.set_property("latency", 200)
    pipeline.add(source)

    def added(_, pad):
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        frames = "rtph264depay ! h264parse ! video/x-h264,alignment=au"
        chain = Gst.parse_bin_from_description(
            f"{frames if kind == 'video' else 'identity'}"
            " ! fakesink name=out signal-handoffs=true sync=false", True)
        counts[kind] = 0

        def count(*_):
            counts[kind] += 1

        chain.get_by_name("out").connect("handoff", count)
        pipeline.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad("sink"))

    source.connect("pad-added", added)
    return pipeline


pipeline = publishing() if options.what == "publish" else playing()
pipeline.set_state(Gst.State.PLAYING)
bus, error, end = pipeline.get_bus(), "", time.time() + options.seconds
while time.time() < end and not error:
    message = bus.timed_pop_filtered(Gst.SECOND // 10, Gst.MessageType.ERROR)
    if message:
        error = message.parse_error()[0].message
pipeline.set_state(Gst.State.NULL)
print(json.dumps({"frames": counts.get("video", 0), "sound": counts.get("audio", 0),
                  "error": error}))
sys.exit(1 if error else 0)
