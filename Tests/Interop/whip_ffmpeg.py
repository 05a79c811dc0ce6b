#!/usr/bin/env python3
"""FFmpeg of a build from PyPI: a test picture and a tone, by WHIP, or by RTSP if the URL says so."""
import subprocess
import time

import imageio_ffmpeg

import client

parser = client.parser(__doc__, seconds=15)
parser.add_argument("--fps", type=int, default=15)
parser.add_argument("--sound", choices=("opus", "aac", "pcma"), default="opus")
options = parser.parse_args()
SOUNDS = {"opus": ["-c:a", "libopus", "-ar", "48000", "-ac", "2", "-b:a", "48k"],
          "aac": ["-c:a", "aac", "-ar", "48000", "-ac", "2", "-b:a", "64k"],
          "pcma": ["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"]}
is_rtsp = options.url.startswith("rtsp")
command = [
    imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "warning", "-progress", "pipe:1",
    "-re", "-f", "lavfi", "-i", f"testsrc2=size=320x240:rate={options.fps}",
    "-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
    "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline",
    "-pix_fmt", "yuv420p", "-bf", "0", "-g", str(2 * options.fps), "-b:v", "500k",
    *SOUNDS[options.sound],
    *(["-f", "rtsp", "-rtsp_transport", "tcp"] if is_rtsp else ["-f", "whip"])]
if options.token and is_rtsp:
    options.url = options.url.replace("://", f"://user:{options.token}@", 1)
elif options.token:
    command += ["-authorization", options.token]
child = subprocess.Popen(command + [options.url], stdin=subprocess.PIPE, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
began = time.time()
while time.time() < began + options.seconds and not client.over.is_set():
    if child.poll() is not None:
        break
    time.sleep(.1)
ended_early = child.poll() is not None
lasted = time.time() - began
try:
    out, errors = child.communicate("q", timeout=8)
except subprocess.TimeoutExpired:
    child.kill()
    out, errors = child.communicate()
frames = [int(line.split("=")[1]) for line in out.splitlines() if line.startswith("frame=")]
client.finish({"frames": frames[-1] if frames else 0, "ended_early": ended_early,
               "ran_s": round(time.time() - began, 1), "exit": child.returncode,
               "errors": errors.splitlines()[-6:]},
              not ended_early and frames and frames[-1] > options.fps * (lasted - 3) / 2)
