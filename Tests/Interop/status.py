#!/usr/bin/env python3
"""Every status code of the front origin, asked for with curl: a table, exit code 1 if one differs.

    Tests/Interop/status.py [--gateway .build/release/gateway]

Starts a gateway of its own on free ports of 127.0.0.1, with its state in a temporary folder.
"""
import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SDP = ["-H", "Content-Type: application/sdp"]
FRAGMENT = ["-H", "Content-Type: application/trickle-ice-sdpfrag"]
JSON = ["-H", "Content-Type: application/json"]
PROXIED = ["-H", "X-Forwarded-For: 203.0.113.9"]
END = "a=end-of-candidates\r\n"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def offer(name):
    with open(os.path.join(ROOT, "Tests/Vectors/offers", name), newline="") as file:
        return file.read()


class Gateway:
    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory()
        self.port, self.admin, media = free_port(), free_port(), free_port()
        settings = [f"http.listen=127.0.0.1:{self.port}", f"admin.listen=127.0.0.1:{self.admin}",
                    f"webrtc.listen=127.0.0.1:{media}", "workers=2",
                    "rtmp.listen=off", "rtsp.listen=off", "srt.listen=off",
                    "auth.publish-key=publish-key", "admin.token=admin-token",
                    "webrtc.ice-servers=stun:stun.example.org:3478",
                    f"http.pages={ROOT}/public", "limits.pending-sessions-per-source=20"]
        arguments = [part for one in settings for part in ("--set", one)]
        self.process = subprocess.Popen(
            [program, "--no-supervise", *arguments], stdout=subprocess.DEVNULL,
            cwd=self.folder.name, env={**os.environ, "STATE_DIRECTORY": self.folder.name})
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.02)
        sys.exit("error: the gateway does not listen")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.folder.cleanup()

    def curl(self, arguments, path, data=None, patience=15):
        """Status, headers (lower case, lists), body."""
        more = ["--data-binary", "@-"] if data is not None else []
        command = ["curl", "-s", "-i", "--path-as-is", "-m", str(patience), *arguments, *more,
                   f"http://localhost:{self.port}{path}"]
        done = subprocess.run(command, input=(data or "").encode(), capture_output=True)
        text = done.stdout.decode("latin1")
        while text.startswith("HTTP/1.1 100"):
            text = text.split("\r\n\r\n", 1)[1]
        head, _, body = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        found = re.match(r"HTTP/1.1 (\d+)", lines[0])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), []).append(value.strip())
        return int(found[1]) if found else 0, headers, body


class Table:
    def __init__(self, gateway):
        self.gateway, self.bad, self.seen = gateway, 0, set()

    def ask(self, what, wanted, arguments, path, data=None, code=None, header=None):
        status, headers, body = self.gateway.curl(arguments, path, data)
        problem = ""
        if status != wanted:
            problem = f"got {status}: {body[:100]}"
        if code:
            try:
                told = json.loads(body).get("code")
            except ValueError:
                told = None
            if told != code:
                problem = f"code {told}, not {code}"
        if header and header not in headers:
            problem = f"no header {header}"
        self.seen.add(status)
        self.bad += bool(problem)
        mark = "FAIL " + problem if problem else "ok"
        print(f"{wanted}  {what:58} {mark}")
        return status, headers, body


def files(table):
    ask = table.ask
    _, headers, _ = ask("the page", 200, [], "/", header="content-security-policy")
    ask("a file compressed", 200, ["-H", "Accept-Encoding: gzip"], "/assets/ui.js",
        header="content-encoding")
    ask("HEAD", 200, ["-I"], "/")
    ask("a part of a file", 206, ["-r", "0-9"], "/index.html", header="content-range")
    ask("the same file again", 304, ["-H", f"If-None-Match: {headers['etag'][0]}"], "/")
    ask("a player's page in another server's style", 307, ["-H", "Accept: text/html"],
        "/live/cam1", header="location")
    ask("a path that leads out", 400, [], "/../etc/passwd", code="bad-path")
    ask("nothing", 404, [], "/nothing", code="not-found")
    ask("POST to a file", 405, ["-X", "POST"], "/", header="allow")
    ask("a URL of 5000 bytes", 414, [], "/" + "a" * 5000, code="target-too-long")
    ask("a range beyond the end", 416, ["-r", "99999999-"], "/index.html", header="content-range")
    ask("an unknown expectation", 417, ["-H", "Expect: tea"], "/", code="expectation-unknown")
    ask("200 headers", 431, [p for i in range(200) for p in ("-H", f"X-{i}: 1")], "/",
        code="head-too-large")
    ask("an unknown method", 501, ["-X", "BREW"], "/", code="method-unknown")
    ask("an unknown transfer encoding", 501,
        ["-X", "POST", "-H", "Transfer-Encoding: gzip"], "/", code="encoding-unknown")
    ask("preflight", 204, ["-X", "OPTIONS", "-H", "Origin: https://a.example"],
        "/whip/live/cam1", header="access-control-allow-methods")


def control(table):
    ask = table.ask
    admin = ["-H", "Authorization: Bearer admin-token"]
    ask("info", 200, [], "/api/v1/info")
    ask("streams", 200, [], "/api/v1/streams")
    ask("sessions", 200, admin, "/api/v1/sessions")
    ask("sessions without the token", 401, [], "/api/v1/sessions", code="unauthorized",
        header="www-authenticate")
    ask("sessions with the publishing key", 403, ["-H", "Authorization: Bearer publish-key"],
        "/api/v1/sessions", code="forbidden")
    ask("a session that is none", 404, [*admin, "-X", "DELETE"], "/api/v1/sessions/x",
        code="session-not-found")


def signalling(table):
    ask = table.ask
    publish, play = offer("chromium-whip-h264.sdp"), offer("chromium-whep.sdp")
    _, headers, _ = ask("publish", 201, SDP, "/whip/live/cam1", publish, header="link")
    place, etag = headers["location"][0], headers["etag"][0]
    patch = [*FRAGMENT, "-X", "PATCH"]
    ask("candidates", 204, patch, place, END)
    ask("candidates with the ETag", 204, [*patch, "-H", f"If-Match: {etag}"], place, END)
    ask("ICE restart", 200, [*patch, "-H", "If-Match: *"], place,
        "a=ice-ufrag:NEWU\r\na=ice-pwd:newpasswordnewpasswordnew\r\n" + END, header="etag")
    ask("an old ETag", 412, [*patch, "-H", f"If-Match: {etag}"], place, END,
        code="precondition-failed")
    ask("a fragment that is none", 400, patch, place, "{}", code="sdp-malformed")
    ask("JSON as a fragment", 415, [*JSON, "-X", "PATCH"], place, "{}",
        code="media-type-unknown")
    ask("an answer of the client", 422, [*SDP, "-X", "PATCH"], place, "v=0",
        code="renegotiation-unsupported")
    ask("looking at a session", 204, [], place)
    ask("DELETE", 200, ["-X", "DELETE"], place)
    ask("DELETE again", 404, ["-X", "DELETE"], place, code="session-not-found")
    ask("a guessed session", 404, ["-X", "DELETE"], "/whip/session/AAAAAAAAAAAAAAAAAAAAAAAA")
    ask("DELETE of an endpoint", 405, ["-X", "DELETE"], "/whip/live/cam1", header="allow")
    ask("play what nobody publishes", 409, SDP, "/whep/live/none", play, code="stream-not-live",
        header="retry-after")
    ask("through a proxy, without a key", 401, [*SDP, *PROXIED], "/whip/live/a", publish,
        code="unauthorized")
    ask("through a proxy, with the key", 201, [*SDP, *PROXIED], "/whip/live/a?token=publish-key",
        publish)
    ask("from a page of another origin", 401, [*SDP, "-H", "Origin: https://a.example"],
        "/whip/live/a", publish, header="access-control-allow-origin")
    ask("a wrong key", 401, [*SDP, "-H", "Authorization: Bearer wrong"], "/whip/live/a", publish)
    ask("a name that is none", 400, SDP, "/whip/live/a..b", publish, code="bad-name")
    ask("an empty offer", 400, [*SDP, "-H", "Content-Length: 0", "-X", "POST"], "/whip/live/a",
        code="sdp-malformed")
    ask("an offer that only receives", 400, SDP, "/whip/live/a",
        publish.replace("a=sendonly", "a=recvonly"), code="sdp-wrong-direction")
    ask("plain RTP", 400, SDP, "/whip/live/a",
        publish.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), code="sdp-not-secure")
    ask("no codec in common", 422, SDP, "/whip/live/a",
        re.sub(r"(?m)^(a=rtpmap:\d+) [^/]+/", r"\1 NONE/", publish), code="no-common-codec")
    ask("no length", 411, [*SDP, "-X", "POST"], "/whip/live/a", code="length-required")
    ask("a large offer", 413, SDP, "/whip/live/a", "v" * 65537, code="body-too-large")
    ask("an offer in chunks", 201, [*SDP, "-H", "Transfer-Encoding: chunked"], "/whip/live/a",
        publish)
    ask("text/plain", 415, ["-H", "Content-Type: text/plain"], "/whip/live/a", publish,
        code="media-type-unknown")
    for name, path in (("SRS", "/rtc/v1/whip/?app=live&stream=a"),
                       ("ZLMediaKit", "/index/api/whip?app=live&stream=a"),
                       ("MediaMTX", "/live/a/whip")):
        ask(f"publish in the style of {name}", 201, SDP, path, publish, header="location")
    for count in range(20):
        status, _, _ = table.gateway.curl(SDP, "/whip/live/a", publish)
    ask("one address too many", 429, SDP, "/whip/live/a", publish, code="too-many-sessions",
        header="retry-after")


def slow(table):
    with socket.create_connection(("127.0.0.1", table.gateway.port)) as one:
        one.sendall(b"POST /whip/live/a HTTP/1.1\r\nHost: localhost\r\n"
                    b"Content-Type: application/sdp\r\nContent-Length: 10\r\n\r\nv")
        one.settimeout(15)
        answer = one.recv(4096)
    good = answer.startswith(b"HTTP/1.1 408")
    table.bad += not good
    print(f"408  {'a body that never comes':58} {'ok' if good else 'FAIL ' + repr(answer[:40])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", default=os.path.join(ROOT, ".build/release/gateway"))
    gateway = Gateway(os.path.abspath(parser.parse_args().gateway))
    table = Table(gateway)
    try:
        for part in (files, control, signalling, slow):
            part(table)
        if gateway.process.poll() is not None:
            table.bad += 1
            print("FAIL the gateway has ended")
    finally:
        gateway.stop()
    print(f"{len(table.seen) + 1} different codes, {table.bad} wrong")
    sys.exit(1 if table.bad else 0)


main()
