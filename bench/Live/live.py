#!/usr/bin/env python3
"""Viewers of HTTP-FLV on one worker beside a loop of sendmsg in C: bytes per CPU second of each, in
alternating rounds, and the memory of a viewer.

    bench/Live/live.py [--viewers 2000] [--rounds 5] [--program .build/release/gateway]
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Tests/Interop"))
import gateway  # noqa: E402

TICK = 100  # of /proc, a second


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


def record(folder):
    """Ten seconds of 720p30 at 2 Mbit/s with sound: encoded once, so that nobody encodes meanwhile."""
    file = f"{folder}/in.flv"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30", "-f", "lavfi",
         "-i", "sine=f=440:r=48000", "-t", "10", "-c:v", "libx264", "-preset", "ultrafast", "-g",
         "60", "-bf", "0", "-b:v", "2M", "-maxrate", "2M", "-bufsize", "500k", "-nal-hrd", "cbr",
         "-c:a", "aac", "-b:a", "128k", "-y", file], check=True)
    return file


def compile_c(folder, name):
    program = f"{folder}/{name}"
    subprocess.run(["cc", "-O2", "-o", program, HERE / f"{name}.c"], check=True)
    return program


class Round:
    """Viewers of one server for some seconds."""

    def __init__(self, reads, port, path, viewers, seconds, pid):
        before = resident(pid)
        sink = subprocess.Popen(
            [reads, str(port), path, str(viewers), str(seconds + 30)], stdout=subprocess.PIPE,
            text=True)
        try:
            while True:
                line = sink.stdout.readline()
                if not line or int(line.split()[0]) >= viewers:
                    break
            for _ in range(3):
                sink.stdout.readline()
            self.memory = (resident(pid) - before) / viewers
            began, used, self.bytes = time.monotonic(), cpu(pid), 0
            for _ in range(seconds):
                self.bytes += int(sink.stdout.readline().split()[1])
            self.cpu = cpu(pid) - used
            self.seconds = time.monotonic() - began
        finally:
            sink.kill()
            sink.wait()
        self.rate = self.bytes / max(self.cpu, 0.01)


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--viewers", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=8)
    options.add_argument("--program", default=str(gateway.ROOT / ".build/release/gateway"))
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = record(folder)
        reads, writes = compile_c(folder, "reads"), compile_c(folder, "writes")
        port = gateway.free_port()
        with gateway.Gateway(given.program, settings={
                "workers": "1", "limits.new-connections-per-source": "10000"}) as ours:
            yardstick = subprocess.Popen([writes, str(port), file])
            publisher = subprocess.Popen(
                ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", file, "-c", "copy",
                 "-f", "flv", f"rtmp://127.0.0.1:{ours.rtmp}/live/a?token={ours.key}"])
            try:
                time.sleep(3)
                compare(given, ours, yardstick.pid, port, reads)
            finally:
                for child in (publisher, yardstick):
                    child.kill()
                    child.wait()


def compare(given, ours, yardstick, port, reads):
    rates, memory = {"gateway": [], "loop in C": []}, []
    print(f"{given.viewers} viewers, 720p30 at 2 Mbit/s, one worker")
    for _ in range(given.rounds):
        for name, place, pid in (("gateway", ours.http, ours.child.pid),
                                 ("loop in C", port, yardstick)):
            one = Round(reads, place, "/live/a.flv", given.viewers, given.seconds, pid)
            rates[name].append(one.rate)
            if name == "gateway":
                memory.append(one.memory)
            print(f"{name:10} {one.bytes * 8 / one.seconds / 1e9:5.2f} Gbit/s"
                  f"  {one.cpu / one.seconds * 100:5.1f} % of a core"
                  f"  {one.rate / 1e6:7.0f} MB per CPU second"
                  f"  {one.memory / 1024:6.1f} KiB a viewer", flush=True)
            time.sleep(1)
    ratio = max(rates["gateway"]) / max(rates["loop in C"])
    middle = statistics.median(rates["gateway"]) / statistics.median(rates["loop in C"])
    print(f"gateway over the loop: {ratio * 100:.0f} % of the best rounds, "
          f"{middle * 100:.0f} % of the medians; first round {memory[0] / 1024:.1f} KiB a viewer")


if __name__ == "__main__":
    main()
