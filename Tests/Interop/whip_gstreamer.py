#!/usr/bin/python3
"""A WHIP publisher on GStreamer's webrtcbin: a ball and ticks."""
import client
import gst

ENCODERS = {
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={gop} bitrate=500 "
            "! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 "
            "aggregate-mode=zero-latency",
    "VP8": "vp8enc deadline=1 keyframe-max-dist={gop} target-bitrate=500000 ! rtpvp8pay "
           "picture-id-mode=2",
}
PIPELINE = (
    "webrtcbin name=peer bundle-policy=max-bundle "
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,"
    "framerate={fps}/1,format=I420 ! queue ! {encoder} pt=96 ! queue "
    "! application/x-rtp,media=video,encoding-name={codec},payload=96 ! peer. "
    "audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample "
    "! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=111 "
    "! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,"
    "encoding-params=(string)2 ! peer.")


class Publisher(gst.Peer):
    def prepare(self):
        for index in range(2):
            self.peer.emit("get-transceiver", index).set_property(
                "direction", gst.Direction.SENDONLY)


parser = client.parser(__doc__)
parser.add_argument("--codec", default="H264", choices=list(ENCODERS))
parser.add_argument("--fps", type=int, default=15)
options = parser.parse_args()
pipeline = PIPELINE.format(fps=options.fps, codec=options.codec,
                           encoder=ENCODERS[options.codec].format(gop=2 * options.fps))
report = Publisher(options, gst.Gst.parse_launch(pipeline)).run()
client.finish(report, report["connectionState"] == "connected")
