"""What the players and publishers on GStreamer's webrtcbin share, with Debian's Python (it has the
bindings). As GStreamer's own WHIP client does, they gather everything before they post."""
import threading
import time
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

import client  # noqa: E402

Gst.init(None)
Direction = GstWebRTC.WebRTCRTPTransceiverDirection


class Peer:
    """A pipeline with a webrtcbin called `peer`, and its session."""

    def __init__(self, options, pipeline):
        self.options, self.report, self.session = options, {}, None
        self.failed = threading.Event()
        self.pipeline, self.peer = pipeline, pipeline.get_by_name("peer")
        self.peer.connect("notify::ice-gathering-state", self.on_gathering)

    def prepare(self):
        """Subclasses: directions and transceivers, before the offer is made."""

    def run(self):
        """For as long as it is wanted, once there is an answer; the report."""
        loop = GLib.MainLoop()
        threading.Thread(target=loop.run, daemon=True).start()
        self.pipeline.set_state(Gst.State.PLAYING)
        self.prepare()
        promise = Gst.Promise.new_with_change_func(self.on_offer, None)
        self.peer.emit("create-offer", None, promise)
        self.wait(30, lambda: self.session)
        self.wait(self.options.seconds, lambda: False)
        self.finish()
        loop.quit()
        return self.report

    def wait(self, seconds, condition):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not condition():
            if client.over.is_set() or self.failed.is_set():
                return
            time.sleep(.1)

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
            self.failed.set()

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
