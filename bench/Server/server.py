#!/usr/bin/env python3
"""What a viewer costs the whole server: `gateway bench` against a gateway of one worker.

usage: server.py PATH-OF-GATEWAY [--seconds N] [--viewers 50,200,500,1000] [--flv 400] [--joins 500]

The server stays on core 0, publisher and viewers on the others. 720p30 of 2 Mbit/s comes over RTMP;
each picture says when it left. Run lengths come from the server's own metrics.
"""
import argparse
import json
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


def pinned(core):
    cores = os.sched_getaffinity(0)
    chosen = {min(cores)} if core == 0 else cores - {min(cores)} or cores
    return lambda: os.sched_setaffinity(0, chosen)


class Server:
    def __init__(self, gateway, folder):
        self.gateway = gateway
        self.ports = {name: free_port() for name in ("http", "webrtc", "admin", "rtmp")}
        command = [gateway, "run", "--no-supervise", "--set", f"state.dir={folder}"]
        for name, port in self.ports.items():
            command += ["--set", f"{name}.listen=127.0.0.1:{port}"]
        for setting in (
            "workers=1", "auth.read=open", "limits.cpu=0", "limits.pending-sessions=20000",
            "limits.pending-sessions-per-source=20000",
        ):
            command += ["--set", setting]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, preexec_fn=pinned(0))
        while True:
            try:
                self.get("/readyz")
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{gateway} ended with {self.process.returncode}")
                time.sleep(0.01)

    def get(self, path):
        url = f"http://127.0.0.1:{self.ports['admin']}{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()

    def figure(self, pattern):
        found = re.search(rf"^{re.escape(pattern)} (\d+)", self.get("/metrics"), re.M)
        return int(found.group(1)) if found else 0

    def publish(self, seconds):
        url = f"rtmp://127.0.0.1:{self.ports['rtmp']}/live/a"
        return subprocess.Popen(
            [self.gateway, "bench", "rtmp", "--url", url, "--seconds", str(seconds)],
            stdout=subprocess.DEVNULL, preexec_fn=pinned(1))

    def bench(self, kind, path, *more):
        url = f"http://127.0.0.1:{self.ports['http']}{path}"
        result = subprocess.run(
            [self.gateway, "bench", kind, "--url", url, "--pid", str(self.process.pid), "--json",
             *more], capture_output=True, text=True, preexec_fn=pinned(1))
        try:
            return json.loads(result.stdout)
        except ValueError:
            sys.exit(f"gateway bench {kind}: {result.stderr}")


def milliseconds(figures, name, percent):
    value = figures.get(name, {}).get(percent)
    return "-" if value is None else f"{value:.2f}"


def viewers(server, counts, seconds):
    print("\n| Viewers | packets/s | us per packet | run | frame delay p50, p95 ms | lost "
          "| KiB per viewer | join p50, p95 ms | load |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for count in counts:
        before = [server.figure(name) for name in RUNS]
        found = server.bench(
            "whep", "/whep/live/a", "--viewers", str(count), "--ramp", "100/s", "--seconds",
            str(seconds), "--check", f"1/{max(1, count // 10)}", "--kernel-time")
        datagrams, messages = [server.figure(n) - b for n, b in zip(RUNS, before)]
        if found["failed"]:
            print(f"{count} viewers: {found['failures']}", file=sys.stderr)
        print(f"| {found['joined']} | {found['packets_per_second']:.0f} "
              f"| {found.get('server_us_per_packet', 0):.2f} | {datagrams / max(1, messages):.2f} "
              f"| {milliseconds(found, 'delay_ms', 'p50')}, "
              f"{milliseconds(found, 'delay_ms', 'p95')} | {found['lost']} "
              f"| {found.get('server_kib_per_viewer', 0)} "
              f"| {milliseconds(found, 'join_ms', 'p50')}, "
              f"{milliseconds(found, 'join_ms', 'p95')} | {found['host_load']} |", flush=True)


RUNS = ('gateway_datagrams_total{dir="out"}', "gateway_send_messages_total")


def joins(server, count):
    found = server.bench(
        "whep", "/whep/live/a", "--viewers", str(count), "--seconds", "1", "--rounds", "5",
        "--check", "1/50")
    rates = sorted(found["joins_per_second"])
    print(f"\n{count} viewers at once, 5 rounds: {found['joined']} of {found['asked']} joined, "
          f"{rates[len(rates) // 2]:.0f} joins/s (median), p50 "
          f"{milliseconds(found, 'join_ms', 'p50')} ms, p95 "
          f"{milliseconds(found, 'join_ms', 'p95')} ms, "
          f"{found.get('server_ms_per_join', 0):.2f} ms of CPU per join, "
          f"load {found['host_load']}", flush=True)
    paced = server.bench(
        "whep", "/whep/live/a", "--viewers", "600", "--ramp", "200/s", "--seconds", "1",
        "--check", "1/50")
    print(f"600 viewers, 200 a second: {paced['joined']} joined, p50 "
          f"{milliseconds(paced, 'join_ms', 'p50')} ms, p95 "
          f"{milliseconds(paced, 'join_ms', 'p95')} ms, load {paced['host_load']}", flush=True)


def flv(server, count, seconds):
    found = server.bench(
        "flv", "/live/a.flv", "--viewers", str(count), "--seconds", str(seconds), "--check",
        f"1/{max(1, count // 10)}")
    print(f"\nHTTP-FLV, {found['joined']} of {count} viewers: "
          f"{found.get('server_ms_per_second_and_viewer', 0):.3f} ms of CPU per second and "
          f"viewer, frame delay p50 {milliseconds(found, 'delay_ms', 'p50')} ms, "
          f"{found.get('server_kib_per_viewer', 0)} KiB per viewer, load {found['host_load']}",
          flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gateway")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--viewers", default="1,10,50,100,200,500,1000")
    parser.add_argument("--flv", type=int, default=400)
    parser.add_argument("--joins", type=int, default=500)
    options = parser.parse_args()
    counts = [int(word) for word in options.viewers.split(",") if word]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.gateway, folder)
        publisher = server.publish(3600)
        try:
            time.sleep(1)
            viewers(server, counts, options.seconds)
            if options.joins:
                joins(server, options.joins)
            if options.flv:
                flv(server, options.flv, options.seconds)
        finally:
            publisher.terminate()
            server.process.terminate()
            server.process.wait()


main()
