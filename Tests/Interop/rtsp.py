#!/usr/bin/env python3
"""RTSP: every publisher by TCP and UDP, watched by every player by TCP and UDP: a table, and exit
code 1 if one of them got no pictures or no sound.

    Tests/Interop/rtsp.py [--gateway .build/release/gateway]

FFmpeg of the system, a newer one from PyPI where it is installed, and GStreamer. Starts a gateway
of its own on free ports of 127.0.0.1.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.request

from gateway import ROOT, Gateway, free_port

HERE = pathlib.Path(__file__).resolve().parent
GSTREAMER = ["/usr/bin/python3", str(HERE / "rtsp_gstreamer.py")]
SECONDS, FPS = 4, 15


def clients():
    """By name: how they are called."""
    found = {}
    if shutil.which("ffmpeg"):
        found["ffmpeg"] = shutil.which("ffmpeg")
    try:
        import imageio_ffmpeg
        found["ffmpeg-new"] = imageio_ffmpeg.get_ffmpeg_exe()
    except ImportError:
        pass
    check = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; " \
        "Gst.init(None); assert Gst.ElementFactory.find('rtspclientsink')"
    if subprocess.run([GSTREAMER[0], "-c", check], capture_output=True).returncode == 0:
        found["gstreamer"] = ""
    return found


def publish(who, program, url, transport):
    if who == "gstreamer":
        command = [*GSTREAMER, "publish", url, "--transport", transport, "--seconds", "60"]
    else:
        command = [
            program, "-v", "error", "-re", "-f", "lavfi", "-i", f"testsrc2=size=320x240:rate={FPS}",
            "-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
            "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
            "-pix_fmt", "yuv420p", "-bf", "0", "-g", str(FPS), "-c:a", "aac", "-t", "60",
            "-f", "rtsp", "-rtsp_transport", transport, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def play(who, program, url, transport):
    if who == "gstreamer":
        command = [*GSTREAMER, "play", url, "--transport", transport, "--seconds", str(SECONDS + 2)]
    else:
        command = [program, "-v", "error", "-rtsp_transport", transport, "-i", url, "-t",
                   str(SECONDS), "-map", "0:v", "-c", "copy", "-f", "framecrc", "-",
                   "-map", "0:a", "-t", str(SECONDS), "-c", "copy", "-f", "framecrc", "pipe:2"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def count(who, child):
    """Pictures, pieces of sound, and what it complained of."""
    try:
        out, errors = child.communicate(timeout=SECONDS + 25)
    except subprocess.TimeoutExpired:
        child.kill()
        return 0, 0, "it did not end"
    if who == "gstreamer":
        report = json.loads(out.strip().splitlines()[-1]) if out.strip() else {}
        return report.get("frames", 0), report.get("sound", 0), report.get("error") or errors[-300:]
    packets = [line for line in errors.splitlines() if line.startswith("0,")]
    other = [line for line in errors.splitlines() if line[:1] not in ("0", "#")]
    return sum(line.startswith("0,") for line in out.splitlines()), len(packets), "\n".join(other)


def is_ready(gateway, name):
    for _ in range(200):
        try:
            stream = f"{gateway.url}/api/v1/streams/{name}"
            with urllib.request.urlopen(stream, timeout=2) as answer:
                if json.load(answer)["ready"]:
                    return True
        except (OSError, ValueError):
            pass
        time.sleep(.1)
    return False


def run(gateway, port, found):
    bad = 0
    for who, program in found.items():
        for transport in ("tcp", "udp"):
            name = f"rtsp/{who}-{transport}"
            url = f"rtsp://127.0.0.1:{port}/{name}"
            publisher = publish(who, program, url, transport)
            if not is_ready(gateway, name):
                publisher.kill()
                words = publisher.communicate()[1][-300:]
                print(f"FAIL  {who} by {transport}: nothing published: {words}")
                bad += 1
                continue
            viewers = [(other, by, play(other, found[other], url, by))
                       for other in found for by in ("tcp", "udp")]
            for other, by, child in viewers:
                pictures, sound, words = count(other, child)
                is_good = pictures >= SECONDS * FPS / 2 and sound > 10
                bad += not is_good
                print(f"{'ok' if is_good else 'FAIL':4}  {who:10} {transport} -> {other:10} {by}"
                      f"  {pictures:4} pictures {sound:4} of sound  {'' if is_good else words}",
                      flush=True)
            publisher.kill()
            publisher.communicate()
    return bad


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--gateway", default=str(ROOT / ".build/release/gateway"))
    options = options.parse_args()
    port = free_port()
    program = str(pathlib.Path(options.gateway).resolve())
    with Gateway(program, settings={"rtsp.listen": f":{port}"}) as gateway:
        sys.exit(1 if run(gateway, port, clients()) else 0)
