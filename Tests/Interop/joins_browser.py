#!/usr/bin/env python3
"""Joins a stream again and again in a real browser: milliseconds from the POST to the first
picture, and whether the pictures after it run at the pace of the source. They must be stamped."""
import statistics

import browser
import client

options = browser.add_options(client.parser(__doc__, seconds=6))
options.add_argument("--count", type=int, default=20)
given = options.parse_args()
report = browser.call(given.browser, "joins", browser.arguments(given, count=given.count),
                      given.count * (given.seconds + 8))
rounds = [one for one in report.get("rounds", []) if "error" not in one]


def spread(name):
    values = [one[name] for one in rounds if one.get(name) is not None]
    return client.percentiles(values, 50, 95)


client.finish({
    "joins": len(rounds), "failed": [one["error"] for one in report.get("rounds", [])
                                     if "error" in one],
    "decoded_ms": spread("decoded_ms"), "shown_ms": spread("shown_ms"),
    "answer_ms": spread("answer_ms"), "buffer_ms": spread("buffer_ms"), "age_ms": spread("age_ms"),
    "joins_with_pictures_off_pace": sum(one["outside"] > 0 for one in rounds),
    "pictures_off_pace": sum(one["outside"] for one in rounds),
    "pictures": sum(one["pictures"] for one in rounds),
    "freezes": sum(one["freezes"] for one in rounds),
    "mean_age_ms": round(statistics.fmean(one["age_ms"] for one in rounds), 1) if rounds else None,
    "rounds": rounds, "error": report.get("error")}, len(rounds) == given.count)
