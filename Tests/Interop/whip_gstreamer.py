#!/usr/bin/python3
"""A WHIP publisher on GStreamer's webrtcbin, with Debian's Python (it has the bindings). As
GStreamer's own WHIP client does, it gathers everything before it posts."""
import threading
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

import client  # noqa: E402

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


class Peer:
    def __init__(self, options):
        self.options, self.report = options, {}
        self.session, self.done = None, threading.Event()
        self.pipeline = Gst.parse_launch(PIPELINE.format(
            fps=options.fps, codec=options.codec,
            encoder=ENCODERS[options.codec].format(gop=2 * options.fps)))
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("notify::ice-gathering-state", self.on_gathering)

    def start(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        for index in range(2):
            self.peer.emit("get-transceiver", index).set_property(
                "direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        promise = Gst.Promise.new_with_change_func(self.on_offer, None)
        self.peer.emit("create-offer", None, promise)

    def on_offer(self, promise, _):
        # The bindings do not keep what a value lies in: the reply must outlive the offer.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())

    def on_gathering(self, peer, _):
        state = peer.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.report:
            self.report["gathered"] = True
            threading.Thread(target=self.post, daemon=True).start()

    def post(self):
        description = self.peer.get_property("local-description")
        offer = description.sdp.as_text()
        try:
            status, head, answer = self.request("POST", self.options.url, offer.encode())
            self.report["status"] = status
            self.session = client.absolute(self.options.url, head.get("Location"))
            _, message = GstSdp.SDPMessage.new_from_text(answer)
            description = GstWebRTC.WebRTCSessionDescription.new(
                GstWebRTC.WebRTCSDPType.ANSWER, message)
            self.peer.emit("set-remote-description", description, Gst.Promise.new())
        except Exception as error:
            self.report["error"] = f"{type(error).__name__}: {error}"
            self.done.set()

    def request(self, method, url, body=None):
        head = {"Content-Type": "application/sdp"} if body else {}
        if self.options.token:
            head["Authorization"] = f"Bearer {self.options.token}"
        asked = urllib.request.Request(url, body, head, method=method)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()

    def finish(self):
        state = self.peer.get_property("connection-state")
        self.report["connectionState"] = state.value_nick
        if self.session:
            try:
                self.report["deleted"] = self.request("DELETE", self.session)[0]
            except OSError as error:
                self.report["deleted"] = str(error)
        self.pipeline.set_state(Gst.State.NULL)


def main():
    parser = client.parser(__doc__)
    parser.add_argument("--codec", default="H264", choices=list(ENCODERS))
    parser.add_argument("--fps", type=int, default=15)
    options = parser.parse_args()
    Gst.init(None)
    peer, loop = Peer(options), GLib.MainLoop()
    threading.Thread(target=loop.run, daemon=True).start()
    peer.start()
    peer.done.wait(options.seconds)
    peer.finish()
    loop.quit()
    client.finish(peer.report, peer.report["connectionState"] == "connected")


if __name__ == "__main__":
    main()
