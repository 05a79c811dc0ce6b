#!/usr/bin/env python3
"""A WHEP player in a real browser: its statistics, and the age of stamped pictures."""
import browser
import client

options = browser.add_options(client.parser(__doc__))
options.add_argument("--latency", action="store_true", help="read the clock in the picture")
given = options.parse_args()
report = browser.call(given.browser, "whep", browser.arguments(given, latency=given.latency),
                      given.seconds)
video, audio = report.get("video") or {}, report.get("audio") or {}
flowed = (video.get("framesDecoded", 0) > 0 if not given.no_video
          else audio.get("packetsReceived", 0) > 0)
client.finish(report, flowed and browser.channel_works(given, report)
              and browser.restart_works(given, report))
