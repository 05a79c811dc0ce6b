#!/usr/bin/env python3
"""A WHIP publisher in a real browser: a canvas stamped with the clock, or the fake camera."""
import browser
import client

options = browser.add_options(client.parser(__doc__, seconds=15))
options.add_argument("--source", choices=["canvas", "camera"], default="canvas")
options.add_argument("--simulcast", action="store_true")
options.add_argument("--width", type=int, default=320)
options.add_argument("--height", type=int, default=240)
options.add_argument("--fps", type=int, default=15)
given = options.parse_args()
report = browser.call(given.browser, "whip", browser.arguments(
    given, source=given.source, simulcast=given.simulcast, width=given.width,
    height=given.height, fps=given.fps), given.seconds)
sent = [one for one in report.get("outbound") or [] if one.get("packetsSent", 0) > 0]
confirmed = any(one.get("remote") for one in sent)
layers = [one for one in sent if one["kind"] == "video"]
client.finish(report, report.get("connectionState") == "connected" and confirmed
              and (not given.simulcast or len(layers) == 3)
              and browser.channel_works(given, report)
              and browser.restart_works(given, report))
