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
VIEWERS = {**BROWSERS, "aiortc": ("H264", "VP8")}


@dataclasses.dataclass(frozen=True)
class Case:
    publisher: str
    viewer: str
    codec: str = ""
    variant: str = ""
    seconds: float = 8
    publisher_options: tuple = ()
    viewer_options: tuple = ()

    @property
    def name(self):
        parts = (self.publisher, self.viewer, self.codec.lower(), self.variant)
        return "-".join(part for part in parts if part)

    @property
    def is_page(self):
        return self.publisher == "page"


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
        for variant, options in (
                ("tcp", ("--only", "tcp")), ("trickle", ("--trickle",)),
                ("restart", ("--restart",)), ("channel", ("--channel",))):
            cases.append(Case("chromium", browser, codec, f"{variant}-whep",
                              viewer_options=options))
            cases.append(Case(browser, "chromium", codec, f"{variant}-whip",
                              publisher_options=options))
    cases.append(Case("chromium", "chromium", "H264", "camera",
                      publisher_options=("--source", "camera")))
    cases.append(Case("chromium", "chromium", "VP8", "simulcast", seconds=12,
                      publisher_options=("--simulcast", "--width", "1280", "--height", "720")))
    cases.append(Case("aiortc", "aiortc", "VP8", "channel",
                      publisher_options=("--channel",), viewer_options=("--channel",)))
    return cases


def pages():
    return [Case("page", browser) for browser in BROWSERS]


def long():
    """Two minutes without a freeze; only when it is asked for."""
    return [Case("chromium", "chromium", "H264", "long", seconds=120),
            Case("chromium", "firefox", "VP8", "long", seconds=120)]


GROUPS = {"pairs": pairs, "variants": variants, "pages": pages, "long": long}
# What runs when nothing is named: one pair of each kind, and the pages.
QUICK = ("chromium-chromium-h264", "chromium-firefox-vp8", "firefox-chromium-vp8",
         "aiortc-chromium-vp8", "obs-chromium-h264", "ffmpeg-chromium-h264",
         "gstreamer-chromium-h264",
         "chromium-aiortc-h264", "chromium-chromium-h264-tcp-whep",
         "chromium-chromium-h264-restart-whep", "page-chromium", "page-firefox")


def chosen(words):
    """Cases by name, by group, or by the beginning of a name; none: the quick ones."""
    every = [case for group in GROUPS.values() for case in group()]
    if not words:
        return [case for case in every if case.name in QUICK]
    found = []
    for word in words:
        some = GROUPS[word]() if word in GROUPS else [
            case for case in every if case.name == word] or [
            case for case in every if case.name.startswith(word)]
        if not some:
            raise SystemExit(f"no case or group {word}; --list shows them")
        found += [case for case in some if case not in found]
    return found
