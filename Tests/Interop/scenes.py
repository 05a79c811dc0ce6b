"""What a run does with each kind of case: starts the clients, and judges what they report."""
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import cases
from gateway import ROOT, Gateway
from nat import NAT

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = {"chromium": ["browser", "--browser", "chromium"],
           "firefox": ["browser", "--browser", "firefox"],
           "aiortc": ["aiortc"], "obs": ["aiortc", "--like", "obs"], "ffmpeg": ["ffmpeg"]}
# A browser on a busy machine takes its time to start; nothing waits for longer than it takes.
PATIENCE = 90
FPS = 15


class Client:
    """One client in a process of its own; its report is its last line."""

    def __init__(self, command, url, seconds, options, token="", limit=0):
        command = [*command, "--url", url, "--seconds", str(seconds), *options]
        if token:
            command += ["--token", token]
        self.limit = limit or seconds + 120
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    @property
    def has_ended(self):
        return self.process.poll() is not None

    def finish(self, now=False):
        """Its report, when it is done; `now`: it has done enough."""
        if now and not self.has_ended:
            self.process.send_signal(signal.SIGINT)
        try:
            out, errors = self.process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            out, errors = self.process.communicate()
            errors += f"\nended after {self.limit} s"
        try:
            return json.loads(out.strip().splitlines()[-1])
        except (IndexError, ValueError):
            return {"ok": False, "error": errors.strip()[-600:] or "it said nothing"}


def command(who, direction):
    if who == "gstreamer":  # its bindings belong to Debian's own Python
        return ["/usr/bin/python3", str(HERE / f"{direction}_gstreamer.py")]
    kind, *more = SCRIPTS[who]
    return [sys.executable, str(HERE / f"{direction}_{kind}.py"), *more]


def run_pair(case, place):
    with contextlib.ExitStack() as stack:
        more = {"whip": [], "whep": []}
        if case.variant.startswith("address-"):
            if not place.media:
                raise SystemExit(f"{case.name} needs a gateway of its own: leave out --server")
            nat = stack.enter_context(NAT(place.media))
            more[case.variant.split("-")[1]] += ["--port", str(nat.port)]
            stack.enter_context(rebinding(nat, case.seconds))
        if case.variant.startswith("loss-"):
            if not place.media:
                raise SystemExit(f"{case.name} needs a gateway of its own: leave out --server")
            _, percent, direction = case.variant.split("-")
            nat = stack.enter_context(NAT(place.media, loss=int(percent)))
            more[direction] += ["--port", str(nat.port)]
        return run_clients(case, place, more)


@contextlib.contextmanager
def rebinding(nat, seconds):
    """Once somebody uses it, another outer port every few seconds."""
    over = threading.Event()

    def change():
        while not nat.client and not over.wait(.1):
            pass
        while not over.wait(seconds / 3):
            nat.rebind()

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join(2)


def run_clients(case, place, more):
    name = f"interop/{case.name}-{int(time.time())}"
    options = [] if case.publisher == "ffmpeg" else ["--codec", case.codec]
    options += ["--fps", str(FPS), *case.publisher_options, *more["whip"]]
    publisher = Client(command(case.publisher, "whip"), f"{place.url}/whip/{name}",
                       case.seconds + 2 * PATIENCE, options, place.key)
    if not wait_for(place.url, name, publisher, lambda stream: stream["ready"]):
        return judge(case, publisher.finish(now=True), {"ok": False, "error": "nobody publishes"})
    # A browser offers all it has: which codec comes is the gateway's choice, by the stream.
    options = {"aiortc": [], "gstreamer": ["--codec", case.codec]}.get(case.viewer, ["--latency"])
    viewer = Client(command(case.viewer, "whep"), f"{place.url}/whep/{name}", case.seconds,
                    [*options, *case.viewer_options, *more["whep"]])
    seen = viewer.finish()
    return judge(case, publisher.finish(now=True), seen)


def run_demo(case, options):
    with Gateway(options.program, options.log, demo=True) as gateway:
        viewer = Client(command(case.viewer, "whep"), f"{gateway.url}/whep/live/demo",
                        case.seconds, case.viewer_options)
        seen = viewer.finish()
        return judge(case, {"ok": not gateway.has_died}, seen)


def wait_for(server, name, client, condition):
    """Whether it becomes true of a stream, as soon as it is; not without the client."""
    end = time.time() + PATIENCE
    while time.time() < end and not client.has_ended:
        try:
            with urllib.request.urlopen(f"{server}/api/v1/streams/{name}", timeout=2) as answer:
                if condition(json.load(answer)):
                    return True
        except (OSError, ValueError):
            pass
        time.sleep(.1)
    return False


def judge(case, sent, seen):
    problems = []
    for who, report in (("publisher", sent), ("viewer", seen)):
        if not report["ok"]:
            problems.append(f"{who}: {report.get('error') or brief(report)}")
        # What a console says of the harness page is about our CORS, or our answers.
        problems += [f"{who}: console: {line}" for line in report.get("console", [])]
    pictures = seen.get("fps") or [0]
    steady = pictures[len(pictures) // 2:]
    fps = sum(steady) / len(steady)
    if not problems and fps < (0.4 if case.variant.startswith("address") else 0.5) * FPS:
        problems.append(f"viewer: only {fps:.1f} pictures a second")
    codec = ((seen.get("video") or {}).get("codec") or "").split("/")[-1].upper()
    if codec and codec != case.codec:
        problems.append(f"viewer: {codec} instead of {case.codec}")
    # The first second may be cut by the join, the last by the end, and one by a machine that has
    # other things to do. Chromium checks a path that works every 2.5 s, and only a check tells us
    # its new address.
    stills = "".join("." if count else "0" for count in pictures[1:-1]).split(".")
    longest, allowed = max(map(len, stills)), 3 if case.variant.startswith("address") else 1
    if not problems and longest > allowed:
        problems.append(f"viewer: {longest} s without a picture")
    if case.variant == "long":
        problems += judge_freezes(seen)
    return {"problems": problems, "fps": fps, "first": seen.get("first_frame_ms"),
            "latency": (seen.get("latency_ms") or {}).get("p50"),
            "freezes": (seen.get("video") or {}).get("freezeCount"),
            "publisher": sent, "viewer": seen}


def judge_freezes(seen):
    """What froze here and not on the direct path beside it is ours."""
    ours = (seen.get("video") or {}).get("freezeCount") or 0
    beside = (seen.get("control") or {}).get("freezeCount") or 0
    if ours > beside:
        return [f"viewer: {ours} freezes, {beside} on a direct path beside it"]
    return []


def brief(report):
    keys = ("connectionState", "channel", "restart", "change", "http", "errors", "times_ms", "fps")
    return json.dumps({key: report[key] for key in keys if report.get(key)}, default=str)[:500]


def run_take_over(case, place):
    """The same key takes a name over while viewers watch; nobody else does."""
    name, seconds = f"interop/take-over-{int(time.time())}", 2 * PATIENCE
    whip, options = command(case.publisher, "whip"), ["--codec", case.codec]
    first = Client(whip, f"{place.url}/whip/{name}", seconds, options, place.key)
    if not wait_for(place.url, name, first, lambda stream: stream["ready"]):
        return judge(case, first.finish(now=True), {"ok": False, "error": "nobody publishes"})
    viewer = Client(command(case.viewer, "whep"), f"{place.url}/whep/{name}", seconds, [])
    wait_for(place.url, name, viewer, lambda stream: stream["viewers"])
    # Without a key, but from this machine: somebody who may publish, and is somebody else.
    refused = status_of_offer(f"{place.url}/whip/{name}")
    second = Client(whip, f"{place.url}/whip/{name}", seconds, options, place.key)
    session = publisher_of(place.url, name)
    wait_for(place.url, name, second,
             lambda stream: (stream["publisher"] or {}).get("session") not in (None, session))
    time.sleep(4)
    first.finish(now=True)
    seen = viewer.finish(now=True)
    result = judge(case, second.finish(now=True), seen)
    if refused != 409:
        result["problems"].append(f"somebody else got {refused} instead of 409")
    if seen.get("longest_gap_s", 0) > 8:
        result["problems"].append(f"viewer: {seen['longest_gap_s']} s without a picture")
    return result


def forwarded_share(place):
    """Of a hundred datagrams, how many came to a worker without their session; None: not ours."""
    if not place.media:
        return None
    with urllib.request.urlopen(f"{place.admin}/metrics", timeout=5) as answer:
        lines = [line.split() for line in answer.read().decode().splitlines()]
    values = {line[0]: float(line[1]) for line in lines if len(line) == 2}
    came = values['gateway_datagrams_total{dir="in"}']
    return round(100 * values["gateway_forwarded_packets_total"] / max(1, came), 2)


def run_joins(case, place):
    """Twenty joins of one browser: figures for a quiet machine, so in no quick group."""
    name, count = f"interop/joins-{int(time.time())}", 20
    publisher = Client(command(case.publisher, "whip"), f"{place.url}/whip/{name}", 600,
                       ["--codec", case.codec, *case.publisher_options], place.key)
    if not wait_for(place.url, name, publisher, lambda stream: stream["ready"]):
        return judge(case, publisher.finish(now=True), {"ok": False, "error": "nobody publishes"})
    script = [sys.executable, str(HERE / "joins_browser.py"), "--count", str(count)]
    seen = Client(script, f"{place.url}/whep/{name}", 6, [], limit=count * 20).finish()
    problems = [] if seen["ok"] else [seen.get("error") or f"failed: {seen.get('failed')}"]
    if not problems:
        decoded = seen["decoded_ms"]
        if decoded["p50"] >= 250 or decoded["p95"] >= 500:
            problems.append(f"first picture after {decoded}")
        if seen["joins_with_pictures_off_pace"]:
            problems.append(f"{seen['pictures_off_pace']} of {seen['pictures']} pictures off pace "
                            f"in {seen['joins_with_pictures_off_pace']} joins")
    forwarded = forwarded_share(place)
    if forwarded and forwarded >= 5:
        problems.append(f"{forwarded} % of all datagrams went from one worker to another")
    return {"problems": problems, "joins": seen, "publisher": publisher.finish(now=True),
            "forwarded": forwarded,
            "first": (seen.get("decoded_ms") or {}).get("p50"),
            "latency": (seen.get("age_ms") or {}).get("p50"), "freezes": seen.get("freezes")}


def publisher_of(server, name):
    with urllib.request.urlopen(f"{server}/api/v1/streams/{name}", timeout=5) as answer:
        return (json.load(answer)["publisher"] or {}).get("session")


def status_of_offer(url):
    offer = (ROOT / "Tests/Vectors/offers/chromium-whip-h264.sdp").read_bytes()
    asked = urllib.request.Request(url, offer, {"Content-Type": "application/sdp"})
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def run_page(case, place, options):
    more = ["--browser", case.viewer, "--key", place.key]
    if options.screenshots:
        more += ["--screenshots", options.screenshots]
    script = [sys.executable, str(HERE / "page_browser.py")]
    report = Client(script, place.url, 6, more, place.token).finish()
    failures = report.get("failures") or ([] if report["ok"] else [report.get("error")])
    return {"problems": failures, "fps": report.get("shown_fps"), "page": report}


def run_channels(place):
    name = f"interop/channels-{int(time.time())}"
    script = [sys.executable, str(HERE / "channels_aiortc.py")]
    report = Client(script, f"{place.url}/whip/{name}", 30, [], place.key).finish()
    return {"problems": [] if report["ok"] else [json.dumps(report)[:500]],
            "publisher": report}


def run_table(script, program):
    """A table of its own, one line for each thing that it has tried."""
    done = subprocess.run([sys.executable, str(HERE / script), "--gateway", program],
                          capture_output=True, text=True, timeout=300)
    lines = (done.stdout + done.stderr).splitlines()
    failures = [line for line in lines if "FAIL" in line]
    return {"problems": failures or (lines[-3:] if done.returncode else [])}


def run_attack(case, options):
    """A gateway of its own, so that no bound it runs into is met by the next case."""
    with Gateway(options.program, options.log, demo=True) as gateway:
        viewer = Client(command("aiortc", "whep"), f"{gateway.url}/whep/live/demo", 120, [])
        if wait_for(gateway.url, "live/demo", viewer, lambda stream: stream["viewers"]):
            time.sleep(2)
        done = subprocess.run(
            [sys.executable, str(HERE / "attacks/run"), case.viewer, "--http", str(gateway.http),
             "--media", str(gateway.media), "--pid", str(gateway.child.pid)],
            capture_output=True, text=True, timeout=180)
        time.sleep(1)
        seen = viewer.finish(now=True)
        try:
            report = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            report = {"violations": [done.stderr.strip()[-600:]]}
        problems = list(report["violations"])
        if gateway.has_died:
            problems.append("the gateway has died")
    fps, gap = (seen.get("fps") or [0])[0], seen.get("longest_gap_s", 0)
    if not seen["ok"] or seen.get("connectionState") != "connected" or gap > 3 or fps < 5:
        problems.append(f"the viewer's picture: {fps:.1f} fps, {gap} s without, {brief(seen)}")
    return {"problems": problems, "fps": fps, "attack": report, "viewer": seen}


def play(case, place, options):
    """One case, and what came of it: `problems`, figures, reports."""
    alone = {"attack": run_attack, "demo": run_demo}
    if case.publisher in alone:
        return alone[case.publisher](case, options)
    if case.publisher == "channels":
        return run_channels(place)
    if case.publisher == "status":
        return run_table("status.py", options.program)
    if case.publisher == "rtsp":
        return run_table("rtsp.py", options.program)
    if case.publisher == "page":
        return run_page(case, place, options)
    scene = {"take-over": run_take_over, "joins": run_joins}.get(case.variant, run_pair)
    return scene(case, place)
