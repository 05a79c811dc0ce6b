"""Attacks on the HTTP origin: its parser, its files, its API, WHIP and WebSocket."""
import random
import re
import socket
import time

import packets
from target import status

SDP = {"Content-Type": "application/sdp"}
SECRETS = re.compile(rb"root:.*?:0:0:|(?:PATH|HOME|PWD)=/[^\0]*\0")
# Not an answer of ours to something that is wrong: 501 and 505 are, 503 is a bound.
HONEST = (501, 503, 505)


def judge(target, name, code):
    target.expect(not code or code < 500 or code in HONEST, f"{name}: {code}")


def path_traversal(target):
    """Paths that try to leave the folder of the page, headers put in by a path, odd lines."""
    ups = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..\\", "..%5c", "....//",
           "..;/", "%c0%ae%c0%ae/", "%e0%80%ae%e0%80%ae/", "..%00/", ".%0d%0a./", "%u002e%u002e/")
    files = ("etc/passwd", "proc/self/environ", "proc/self/cmdline")
    ends = ("", "%00.m3u8", ".m3u8", "%23.ts", "?x.ts", "/", "%20")
    lines = [f"GET {prefix}{up * 8}{file}{end}".encode("latin1")
             for prefix in ("/", "/assets/", "/play/", "/live/", "/api/v1/streams/")
             for up in ups for file in files for end in (ends if file == files[0] else ("",))]
    lines += [b"GET /etc/passwd", b"GET file:///etc/passwd", b"GET //etc/passwd",
              b"GET http://127.0.0.1/../../etc/passwd", b"GET \\etc\\passwd", b"GET",
              b"GET ../../../etc/passwd", b"GET " + b"/" * 8000 + b"etc/passwd", b"GET /%",
              b"GET /%zz", b"GET /\xff\xfe", b"GET /" + b"a/" * 30000, b"", b"GET  /", bytes(4),
              b"GET /x HTTP/9.9", b"OPTIONS *", b"CONNECT 127.0.0.1:22", b"TRACE /",
              b"DELETE /../../etc/passwd", b"PUT /../../../tmp/x"]
    lines += [b"GET " + path for path in (
        b"/x%0d%0aX-Injected:%201", b"/x?cb=%0d%0aX-Injected:%201",
        b"/live/x.flv?a=%0d%0a%0d%0aX-Injected:%201", b"/x\r\nX-Injected: 1")]
    for line in lines:
        answer, _ = target.talk(line + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 2.0,
                                enough=lambda got: b"\r\n\r\n" in got and len(got) > 2000)
        shown = line[:80].decode("latin1")
        judge(target, shown, status(answer))
        target.expect(not SECRETS.search(answer), f"a file leaks by {shown}")
        head = answer.split(b"\r\n\r\n")[0]
        target.expect(b"\r\nX-Injected: 1" not in head, f"a header is put in by {shown}")
    target.report["requests"] = len(lines)


def http_api_bomb(target):
    """Smuggling, floods of headers, lying chunks, JSON of any depth, frames that lie."""
    json_bodies(target)
    smuggling(target)
    odd_heads(target)
    tokens(target)
    websocket(target)


def json_bodies(target):
    session = packets.Session(target, f"/whep/{target.stream}")
    paths = ("/api/v1/streams", "/rtc/v1/play/", f"{session.place}/source",
             f"{session.place}/layer", f"{session.place}/sse")
    bodies = ["[" * 1000, "[" * 100_000, '{"a":' * 1000, '{"a":' * 100_000, '{"x":1e999}',
              '{"x":' + "9" * 200_000 + "}", '{"x":9223372036854775808}', "null", '"x"', "[1]",
              '{"name":1,"rid":[],"mediaId":{}}', '{"a":"\\ud800"}', '{"name":', '{"a":"\0"}',
              "{" + ",".join(f'"k{i}":1' for i in range(20_000)) + "}", b'{"a":"\xff\xfe"}',
              '{"name":"../../../../tmp/x"}', '{"streamurl":"file:///etc/passwd","sdp":"v=0"}']
    for path in paths:
        for body in bodies:
            code, _, how, _ = target.request(
                "POST", path, body if isinstance(body, bytes) else body.encode(),
                {"Content-Type": "application/json"})
            name = f"POST {path[:20]} {body[:20]!r}"
            judge(target, name, code)
            target.expect(how != "silent", f"{name}: no answer")
    target.request("DELETE", session.place)


def smuggling(target):
    post = b"POST /whip/live/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    second = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    for name, raw in {
        "two kinds of length": b"Content-Length: 4\r\n" + chunked + b"0\r\n\r\n" + second,
        "two lengths": b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + second,
        "a negative length": b"Content-Length: -1\r\n\r\n" + second,
        "a length past all": b"Content-Length: 99999999999999999999\r\n\r\n" + second,
        "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + second,
        "a chunk past all": chunked + b"FFFFFFFFFFFFFFFFF\r\nA",
        "a negative chunk": chunked + b"-1\r\nA",
        "a long extension": chunked + b"1;" + b"a" * 1_000_000 + b"\r\nA\r\n0\r\n\r\n",
        "a flood of trailers": chunked + b"0\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        "chunks of one byte": chunked + b"1\r\nA\r\n" * 100_000 + b"0\r\n\r\n",
    }.items():
        answer, _ = target.talk(post + raw, 3)
        judge(target, name, status(answer))
        target.expect(answer.count(b"HTTP/1.1 ") <= 1, f"{name}: two answers")


def odd_heads(target):
    for name, raw in {
        "50,000 headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        "a long header": b"GET / HTTP/1.1\r\nX: " + b"A" * 1_000_000 + b"\r\n\r\n",
        "a long path": b"GET /" + b"A" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
        "no Host": b"GET / HTTP/1.1\r\n\r\n", "two Hosts":
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "HTTP/0.9": b"GET /\r\n", "a space before the colon":
            b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "a folded header": b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        "bare CR": b"GET / HTTP/1.1\rHost: x\r\r", "NUL": b"GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n",
        "2,000 in one go": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2000,
        "5,000 ranges": b"GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=" + b"0-0," * 2000
            + b"\r\nConnection: close\r\n\r\n",
        "TLS": b"\x16\3\1\2\0\1\0\1\xfc\3\3" + random.randbytes(500),
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(50),
        "RTMP": b"\3" + random.randbytes(1536), "STUN": packets.stun(b"a:b", b"p"),
    }.items():
        answer, _ = target.talk(raw, 3, 1 << 17)
        judge(target, name, status(answer))


def tokens(target):
    """Whoever has no token learns nothing and changes nothing, whatever else is said."""
    for method, path in (("GET", "/api/v1/sessions"), ("DELETE", "/api/v1/sessions/x")):
        for name, head in {
            "none": {}, "a wrong one": {"Authorization": "Bearer wrong"},
            "an empty one": {"Authorization": ""}, "Basic": {"Authorization": "Basic QTpB"},
            "a proxy's word": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
            "another method": {"X-HTTP-Method-Override": method},
        }.items():
            code, *_ = target.request(method, path, b"{}", head)
            # 429: so many wrong ones that none is looked at any more.
            target.expect(code in (401, 403, 429), f"{method} {path} with {name}: {code}")


def websocket(target):
    ask = (f"GET /{target.stream}.flv HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
    mask = bytes(4)
    for name, frames in {
        "a length of 2^63": b"\x82\xff" + b"\xff" * 8, "unmasked": b"\x81\x05hello",
        "a big control frame": b"\x89\xfe\xff\xff" + mask,
        "a continuation first": b"\x80\x80" + mask,
        "50,000 fragments": b"\x01\x80" + mask + (b"\x00\x80" + mask) * 50_000,
        "reserved bits": b"\xf1\x80" + mask, "a reserved opcode": b"\x8f\x80" + mask,
        "50,000 pings": (b"\x89\x80" + mask) * 50_000, "half a status": b"\x88\x81" + mask + b"\0",
        "bad UTF-8": b"\x81\x82" + mask + b"\xff\xff",
    }.items():
        answer, how = target.talk([ask, frames], 3, 1 << 17)
        judge(target, f"WebSocket: {name}", status(answer))
        target.expect(how != "silent", f"WebSocket: {name}: no answer")


def slowloris(target):
    """Heads and bodies byte by byte, silence, and an endless answer that nobody reads."""
    limit, opened, ages, refused = 12.0, [], [], 0
    began = time.monotonic()
    while time.monotonic() < began + max(target.seconds, limit + 8):
        for _ in range(50):
            if len(opened) + len(ages) >= 600:
                break
            try:
                opened.append(slow_one(target, len(opened) % 4))
            except OSError:
                refused += 1
                break
        time.sleep(.5)
        opened = [one for one in opened if not has_ended(one, ages)]
    # The reader that does not read is a viewer: its bound is that of viewers.
    old = [one for one in opened if one["kind"] != 3
           and time.monotonic() - one["since"] > limit + 2]
    target.expect(not old, f"{len(old)} slow connections live longer than {limit:.0f} s")
    target.expect(len(ages) > 100, f"only {len(ages)} connections were ended")
    for one in opened:
        one["socket"].close()
    target.report.update(ended=len(ages), refused=refused, oldest_s=round(max(ages or [0]), 1))


def slow_one(target, kind):
    one = target.connect(2)
    if kind == 3:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    first = (b"GET / HTTP/1.1\r\nHost: x\r\nX-a: ",
             b"POST /whip/live/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n"
             b"Content-Length: 60000\r\n\r\nv=0\r\n", b"",
             f"GET /{target.stream}.flv HTTP/1.1\r\nHost: x\r\n\r\n".encode())[kind]
    one.setblocking(False)
    one.send(first)
    return {"socket": one, "kind": kind, "since": time.monotonic()}


def has_ended(one, ages):
    try:
        if one["kind"] < 2:
            one["socket"].send(b"a")
        if one["kind"] == 3 or one["socket"].recv(4096):
            return False
    except BlockingIOError:
        return False
    except OSError:
        pass
    ages.append(time.monotonic() - one["since"])
    one["socket"].close()
    return True


def whip_sdp_bomb(target):
    """Offers too big, too many, too deep or wrong, at once refused; then idle ones, bounded."""
    slowest = 0.0
    for name, body in bombs(packets.offer("sendonly")[0]).items():
        data = body if isinstance(body, bytes) else body.encode("utf8", "surrogatepass")
        code, _, how, took = target.request("POST", "/whip/live/bomb", data, SDP, 10)
        judge(target, name, code)
        target.expect(how != "silent", f"{name}: no answer")
        # Closed in the middle is an answer, too, when more comes than was allowed.
        if len(data) < 65536:
            slowest = max(slowest, took)
    target.expect(slowest < 1, f"an offer took {slowest:.1f} s")
    made, codes = 0, set()
    for _ in range(300):
        code, *_ = target.request("POST", f"/whep/{target.stream}", packets.offer()[0].encode(),
                                  SDP)
        made += code == 201
        codes.add(code)
    target.expect(made <= 200 and codes <= {201, 429, 503}, f"idle: {made} made, {codes}")
    target.report.update(slowest_s=round(slowest, 3), idle_made=made)
    time.sleep(17)  # they are forgotten after 15 s
    code, *_ = target.request("POST", f"/whep/{target.stream}", packets.offer()[0].encode(), SDP)
    target.expect(code == 201, f"idle sessions are not forgotten: {code}")


def bombs(good):
    def put(pattern, text):
        return re.sub(pattern, lambda _: text, good)

    def sections(count):
        return good + "".join(
            f"m=video 9 UDP/TLS/RTP/SAVPF 106\r\nc=IN IP4 0.0.0.0\r\na=mid:{index + 2}\r\n"
            "a=sendonly\r\na=rtpmap:106 H264/90000\r\n" for index in range(count))

    candidates = "".join(f"a=candidate:{i} 1 udp 1 10.0.{i >> 8 & 255}.{i & 255} 9 typ host\r\n"
                         for i in range(50_000))
    prefix = r"a=fingerprint:sha-256 .*\r\n"
    return {
        "nothing": "", "one byte": "v", "a version": "v=0\r\n", "no version": good[5:],
        "noise": random.randbytes(5000), "NUL": good.replace("opus", "op\0us"),
        "bad UTF-8": good.encode() + b"a=\xff\xfe\xfd\r\n", "one line": good.replace("\r\n", " "),
        "LF": good.replace("\r\n", "\n"), "CR": good.replace("\r\n", "\r"),
        "a line of 10 MB": good + "a=x:" + "A" * 10_000_000 + "\r\n",
        "5 MB of lines": good + "a=x\r\n" * 1_000_000, "10,000 sections": sections(10_000),
        "200 sections": sections(200), "50,000 candidates": good + candidates,
        "600 candidates": good + "".join(candidates.splitlines(True)[:600]),
        "9,000 attributes": good + "a=x\r\n" * 9_000,
        "2,000 sources": good + "".join(f"a=ssrc:{i} cname:x\r\n" for i in range(2000)),
        "huge numbers": good.replace("90000", "9" * 400),
        "no fingerprint": put(prefix, ""), "a bad fingerprint":
            put(prefix, "a=fingerprint:sha-256 00:XX\r\n"),
        "MD5": good.replace("a=fingerprint:sha-256", "a=fingerprint:md5"),
        "a long fingerprint": put(prefix, "a=fingerprint:sha-256 " + "AA:" * 20_000 + "\r\n"),
        "no ufrag": put(r"a=ice-ufrag:.*\r\n", ""),
        "a long ufrag": put(r"a=ice-ufrag:.*\r\n", "a=ice-ufrag:" + "a" * 50_000 + "\r\n"),
        "no setup": put(r"a=setup:.*\r\n", ""), "holdconn": good.replace("actpass", "holdconn"),
        "plain RTP": good.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        "an unknown profile": good.replace("UDP/TLS/RTP/SAVPF", "FOO"),
        "no formats": good.replace("SAVPF 106", "SAVPF"),
        "RTX of itself": good + "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=97\r\n",
        "RTX in a ring": good + "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=98\r\n"
            "a=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\n",
        "5,000 layers": good + "".join(f"a=rid:{i} send\r\n" for i in range(2000)),
        "fmtp of 60 kB": good + "a=fmtp:106 " + ";" * 30_000 + "=" * 30_000 + "\r\n",
        "spaces": good + "a=rtpmap:106" + " " * 60_000 + "x\r\n",
        "half": good[:len(good) // 2], "JSON": '{"type":"offer","sdp":"x"}',
        "a channel past all": "v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=application 9 "
            "UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:99999\r\n"
            "a=max-message-size:99999999999999999999\r\n",
    }
