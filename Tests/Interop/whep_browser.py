#!/usr/bin/env python3
"""A WHEP player in a real browser: its statistics, and the age of stamped pictures."""
import browser
import client

options = browser.add_options(client.parser(__doc__))
options.add_argument("--latency", action="store_true", help="read the clock in the picture")
options.add_argument("--control", action="store_true",
                     help="beside it a stream from the page to itself: what the machine freezes")
options.add_argument("--source", help="half-way the same viewer watches this stream instead")
options.add_argument("--layer", help="half-way it wants this layer: it must be a smaller picture")
given = options.parse_args()
report = browser.call(given.browser, "whep", browser.arguments(
    given, latency=given.latency, control=given.control, width=320, height=240, fps=15,
    change={"source": given.source, "layer": given.layer}
    if given.source or given.layer else None), given.seconds)
video, audio = report.get("video") or {}, report.get("audio") or {}
flowed = ((given.no_video or video.get("framesDecoded", 0) > 0)
          and (given.no_audio or audio.get("packetsReceived", 0) > 0))
change = report.get("change") or {}
changed = not (given.source or given.layer) or change.get("status") == 204
if given.layer:
    changed = changed and video["frameWidth"] < change["before"]["frameWidth"]
client.finish(report, flowed and changed and browser.channel_works(given, report)
              and browser.restart_works(given, report))
