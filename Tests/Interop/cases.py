"""The cases: who publishes, who watches, with which codec, and what is special about it."""
import dataclasses

BROWSERS = {
    # Debian's Firefox has no H.264 in WebRTC.
    "chromium": ("H264", "VP8", "VP9", "AV1"),
    "firefox": ("VP8", "VP9", "AV1"),
}
PUBLISHERS = {
    "chromium": ("H264", "VP8", "VP9", "AV1"),
    "firefox": ("VP8", "VP9"),
    "aiortc": ("H264", "VP8"),
    "obs": ("H264",),
    "ffmpeg": ("H264",),
    "gstreamer": ("H264", "VP8"),
}
VIEWERS = {**BROWSERS, "aiortc": ("H264", "VP8"), "gstreamer": ("H264", "VP8")}
ATTACKS = ("stun-flood", "udp-fuzz", "dtls-hello-race", "path-traversal", "http-api-bomb",
           "slowloris", "whip-sdp-bomb")


@dataclasses.dataclass(frozen=True)
class Case:
    publisher: str
    viewer: str
    codec: str = ""
    variant: str = ""
    seconds: float = 6
    publisher_options: tuple = ()
    viewer_options: tuple = ()

    @property
    def name(self):
        parts = (self.publisher, self.viewer, self.codec.lower(), self.variant)
        return "-".join(part for part in parts if part)

    @property
    def is_pair(self):
        return self.publisher in PUBLISHERS


def pairs():
    """Every publisher with every viewer, in every codec that both have."""
    return [Case(publisher, viewer, codec)
            for publisher, codecs in PUBLISHERS.items()
            for viewer, able in VIEWERS.items()
            for codec in codecs if codec in able]


def variants():
    """What is not another codec but another way to connect."""
    cases = []
    for browser, codec in (("chromium", "H264"), ("firefox", "VP8")):
        for variant, options, seconds in (
                ("tcp", ("--only", "tcp"), 6), ("trickle", ("--trickle",), 6),
                ("restart", ("--restart", "4"), 10), ("channel", ("--channel",), 6),
                # Its options come from the run: the port of the NAT.
                ("address", (), 12)):
            cases.append(Case("chromium", browser, codec, f"{variant}-whep", seconds,
                              viewer_options=options))
            cases.append(Case(browser, "chromium", codec, f"{variant}-whip", seconds,
                              publisher_options=options))
    cases.append(Case("chromium", "chromium", "H264", "camera",
                      publisher_options=("--source", "camera")))
    cases.append(Case("chromium", "chromium", "VP8", "simulcast", 12,
                      publisher_options=("--simulcast", "--width", "1280", "--height", "720")))
    cases.append(Case("chromium", "chromium", "VP8", "layer", 16,
                      publisher_options=("--simulcast", "--width", "1280", "--height", "720"),
                      viewer_options=("--layer", "q")))
    # From the demo's VP8 to its H.264, in one session.
    cases.append(Case("demo", "chromium", "H264", "source", 10,
                      viewer_options=("--source", "live/demo-h264")))
    cases.append(Case("aiortc", "aiortc", "VP8", "take-over"))
    for percent in (1, 5):
        for direction in ("whip", "whep"):
            cases.append(Case("aiortc", "aiortc", "VP8", f"loss-{percent}-{direction}", 12))
    cases.append(Case("aiortc", "aiortc", "VP8", "channel",
                      publisher_options=("--channel",), viewer_options=("--channel",)))
    return cases


def pages():
    return [Case("page", browser) for browser in BROWSERS]


def long():
    """Two minutes without a freeze of ours: the same page shows what a direct path froze."""
    return [Case("chromium", "chromium", "H264", "long", 120, viewer_options=("--control",)),
            Case("chromium", "firefox", "VP8", "long", 120, viewer_options=("--control",))]


def joins():
    """What a join costs with four seconds between key frames, and when one is made for it."""
    return [Case("obs", "chromium", "H264", "joins", publisher_options=("--key-every", "4")),
            Case("aiortc", "chromium", "H264", "joins")]


def attacks():
    """What strangers send, while somebody watches and must keep the picture."""
    return [Case("attack", attack) for attack in ATTACKS]


def channels():
    """Every kind of message on every kind of data channel, and from one to many."""
    return [Case("channels", "aiortc")]


def status():
    return [Case("status", "curl")]


def rtsp():
    """FFmpeg, old and new, and GStreamer: every publisher to every player, by TCP and UDP."""
    return [Case("rtsp", "table")]


GROUPS = {"pairs": pairs, "variants": variants, "pages": pages, "attacks": attacks,
          "channels": channels, "status": status, "rtsp": rtsp, "long": long, "joins": joins}
# What runs when nothing is named, in ten minutes: each client and codec once, each way to connect
# once, the pages, the codes and the attacks.
QUICK = (
    "chromium-chromium-h264", "chromium-firefox-vp8", "chromium-firefox-vp9",
    "chromium-firefox-av1", "firefox-chromium-vp8", "firefox-chromium-vp9",
    "aiortc-aiortc-vp8", "obs-chromium-h264", "ffmpeg-aiortc-h264", "gstreamer-aiortc-h264",
    "aiortc-gstreamer-h264", "chromium-chromium-h264-tcp-whep",
    "firefox-chromium-vp8-tcp-whip", "chromium-chromium-h264-trickle-whip",
    "chromium-firefox-vp8-restart-whep", "chromium-chromium-h264-restart-whip",
    "chromium-chromium-h264-address-whep", "demo-chromium-h264-source",
    "aiortc-aiortc-vp8-take-over", "channels-aiortc", "page-chromium", "page-firefox",
    "status-curl", "rtsp-table",
    *(f"attack-{attack}" for attack in ATTACKS))


def chosen(words):
    """Cases by name, by group, or by the beginning of a name; none: the quick ones."""
    every = [case for group in GROUPS.values() for case in group()]
    if not words:
        return [case for case in every if case.name in QUICK]
    found = []
    for word in words:
        some = every if word == "all" else GROUPS[word]() if word in GROUPS else [
            case for case in every if case.name == word] or [
            case for case in every if case.name.startswith(word)]
        if not some:
            raise SystemExit(f"no case or group {word}; --list shows them")
        found += [case for case in some if case not in found]
    return found
