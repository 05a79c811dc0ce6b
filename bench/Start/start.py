#!/usr/bin/env python3
"""What it costs to be there: time to readiness, memory and processor of an idle gateway.

usage: start.py PATH-OF-GATEWAY [ROUNDS]

Parent and child are added up. Resident memory counts pages that both map twice, so the
proportional figure (PSS), which does not, stands beside it.
"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def kibibytes(pid, key):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(rf"^{key}:\s+(\d+)", file.read(), re.M).group(1))


def ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        words = file.read().rpartition(")")[2].split()
    return int(words[11]) + int(words[12])


def start(gateway, folder):
    admin = free_port()
    command = [gateway, "run", "--set", f"state.dir={folder}", "--set", "workers=2"]
    for setting, port in (("http", 0), ("webrtc", 0), ("admin", admin)):
        command += ["--set", f"{setting}.listen=127.0.0.1:{port}"]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return process, time.monotonic() - began
        except OSError:
            if process.poll() is not None:
                sys.exit(f"{gateway} ended with {process.returncode}")
            time.sleep(0.001)


def main():
    gateway = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    with tempfile.TemporaryDirectory() as folder:
        times = []
        for _ in range(rounds):
            process, seconds = start(gateway, folder)
            times.append(seconds * 1000)
            process.terminate()
            process.wait()
        process, _ = start(gateway, folder)
        pids = [process.pid] + children(process.pid)
        time.sleep(1)
        before = sum(ticks(pid) for pid in pids)
        time.sleep(10)
        spent = (sum(ticks(pid) for pid in pids) - before) / os.sysconf("SC_CLK_TCK")
        resident = sum(kibibytes(pid, "Rss") for pid in pids) / 1024
        proportional = sum(kibibytes(pid, "Pss") for pid in pids) / 1024
        process.terminate()
        process.wait()
    times.sort()
    print(f"start to /readyz: min {times[0]:.0f} ms, median {times[len(times) // 2]:.0f} ms")
    print(f"idle memory, {len(pids)} processes: RSS {resident:.1f} MiB, PSS {proportional:.1f} MiB")
    print(f"idle processor: {spent / 10 * 100:.2f} % of a core")


main()
