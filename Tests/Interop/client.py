"""What all clients share: their command line, their report, and their exit code."""
import argparse
import json
import signal
import sys
import threading
import urllib.parse

# So that `finally` blocks end browsers and children when somebody ends us.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
# Ctrl-C: it has been watched for long enough; say goodbye and report.
over = threading.Event()
signal.signal(signal.SIGINT, lambda *_: over.set())


def parser(description, seconds=8):
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--url", required=True, help="the WHIP or WHEP endpoint, or the page")
    options.add_argument("--seconds", type=float, default=seconds)
    options.add_argument("--token", default="", help="sent as a Bearer token")
    return options


def finish(report, ok):
    """Prints one line of JSON and exits: 0 only if media really flowed."""
    print(json.dumps({"ok": bool(ok), **report}, default=str), flush=True)
    sys.exit(0 if ok else 1)


def absolute(base, location):
    return urllib.parse.urljoin(base, location) if location else None


def percentiles(values, *wanted):
    """By nearest rank: {"p50": ...}."""
    ordered = sorted(values)
    if not ordered:
        return {f"p{p}": None for p in wanted}
    last = len(ordered) - 1
    return {f"p{p}": round(ordered[min(last, len(ordered) * p // 100)], 1) for p in wanted}
