#!/usr/bin/python3
"""A WHEP player on GStreamer's webrtcbin: it decodes, and counts pictures and sounds."""
import time

import client
import gst
from gst import Gst

OFFERED = {"H264": "encoding-name=H264,payload=96,packetization-mode=(string)1,"
                   "profile-level-id=(string)42e01f",
           "VP8": "encoding-name=VP8,payload=97"}


class Player(gst.Peer):
    """Offers one codec: webrtcbin of Debian 12 makes a mess of several in one caps."""

    def __init__(self, options):
        pipeline, peer = Gst.Pipeline.new(), Gst.ElementFactory.make("webrtcbin", "peer")
        peer.set_property("bundle-policy", gst.GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        pipeline.add(peer)
        super().__init__(options, pipeline)
        self.counts, self.began, self.first = {"video": 0, "audio": 0}, time.time(), {}
        self.peer.connect("pad-added", self.on_pad)

    def prepare(self):
        video = f"application/x-rtp,media=video,clock-rate=90000,{OFFERED[self.options.codec]}"
        audio = ("application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,"
                 "encoding-params=(string)2")
        for caps in (video, audio):
            self.peer.emit("add-transceiver", gst.Direction.RECVONLY, Gst.Caps.from_string(caps))

    def on_pad(self, _, pad):
        if pad.get_direction() == Gst.PadDirection.SRC:
            decoder = Gst.ElementFactory.make("decodebin")
            decoder.connect("pad-added", self.on_decoded)
            self.add(decoder)
            pad.link(decoder.get_static_pad("sink"))

    def on_decoded(self, _, pad):
        kind = pad.get_current_caps().get_structure(0).get_name().split("/")[0]
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("sync", False)
        self.add(sink)
        pad.add_probe(Gst.PadProbeType.BUFFER, self.on_buffer, kind)
        pad.link(sink.get_static_pad("sink"))

    def add(self, element):
        self.pipeline.add(element)
        element.sync_state_with_parent()

    def on_buffer(self, _pad, _info, kind):
        self.counts[kind] += 1
        self.first.setdefault(kind, time.time())
        return Gst.PadProbeReturn.OK


parser = client.parser(__doc__)
parser.add_argument("--codec", default="H264", choices=list(OFFERED))
options = parser.parse_args()
player = Player(options)
report = player.run()
shown = time.time() - player.first.get("video", time.time())
report.update(framesDecoded=player.counts["video"], audioFrames=player.counts["audio"],
              fps=[player.counts["video"] / shown if shown else 0],
              first_frame_ms=round(1000 * (player.first["video"] - player.began))
              if "video" in player.first else None)
client.finish(report, player.counts["video"] > 0 and player.counts["audio"] > 0)
