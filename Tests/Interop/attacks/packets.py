"""STUN, DTLS and RTP as an attacker writes them, and offers of browsers that are none."""
import binascii
import hashlib
import hmac
import random
import re
import struct

COOKIE = b"\x21\x12\xa4\x42"
REQUEST, SUCCESS, ERROR = 0x001, 0x101, 0x111
AUDIO_SSRC, VIDEO_SSRC = 1001, 2001


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def stun(user=b"", password=None, attributes=b"", kind=REQUEST, *, damaged=False, priority=True,
         nominates=False, fingerprint=True):
    body, identifier = attributes, random.randbytes(12)
    if user:
        body += attribute(0x0006, user)
    if priority:
        body += attribute(0x0024, struct.pack(">I", 1853824767))
        body += attribute(0x802A, random.randbytes(8))
    if nominates:
        body += attribute(0x0025, b"")

    def head(length):
        return struct.pack(">HH", kind, length) + COOKIE + identifier

    if password is not None:
        code = hmac.new(password, head(len(body) + 24) + body, hashlib.sha1).digest()
        body += attribute(0x0008, bytes(byte ^ 0x55 for byte in code) if damaged else code)
    if fingerprint:
        check = binascii.crc32(head(len(body) + 8) + body) ^ 0x5354554E
        body += attribute(0x8028, struct.pack(">I", check))
    return head(len(body)) + body


def is_success(data):
    return len(data) >= 20 and data[:2] == b"\x01\x01" and data[4:8] == COOKIE


def record(kind, body, sequence=0, epoch=0, version=0xFEFD, length=None):
    length = len(body) if length is None else length
    return struct.pack(">BHHHIH", kind, version, epoch, sequence >> 32, sequence & 0xFFFFFFFF,
                       length) + body


def client_hello(ciphers=(0xC02B, 0xC02F, 0xC00A, 0xC014), *, sequence=0, cookie=b"",
                 version=0xFEFD, srtp=True):
    extensions = struct.pack(">HHHHH", 10, 6, 4, 29, 23)
    extensions += struct.pack(">HHBB", 11, 2, 1, 0)
    extensions += struct.pack(">HHHHHH", 13, 8, 6, 0x0403, 0x0804, 0x0401)
    extensions += struct.pack(">HH", 23, 0)
    if srtp:
        extensions += struct.pack(">HHHHHB", 14, 7, 4, 7, 1, 0)
    suites = b"".join(struct.pack(">H", one) for one in ciphers)
    body = (struct.pack(">H", version) + random.randbytes(32) + b"\0" + bytes([len(cookie)])
            + cookie + struct.pack(">H", len(suites)) + suites + b"\1\0"
            + struct.pack(">H", len(extensions)) + extensions)
    size = struct.pack(">I", len(body))[1:]
    return record(22, b"\1" + size + b"\0\0" + b"\0\0\0" + size + body, sequence)


def is_dtls(data):
    return len(data) >= 13 and 20 <= data[0] <= 25 and data[1] == 0xFE


def hostile_records():
    """What a handshake must survive from somebody who is not its peer."""
    hello = client_hello()
    return [
        client_hello((0x0000,)), client_hello(()), client_hello((0x1301,), version=0xFEFC),
        client_hello((0xC02B,), srtp=False),
        client_hello((0x0000,), cookie=random.randbytes(255)),
        record(22, b"\1\xff\xff\xff\0\0\0\0\0\xff\xff\xff"),
        record(22, b"\1\0\0\x40\0\0\0\0\0\0\0\0" * 60),
        record(22, b"\1\0\0\x40\0\1\0\0\0\0\0\x40" + bytes(64)),
        record(21, b"\2\x28"), record(21, b"\1\0"), record(20, b"\1"),
        record(23, random.randbytes(200), epoch=1), record(22, hello[13:], length=0xFFFF),
        hello[:13], hello[:25], hello[:200], record(22, b"\x0e" + bytes(11)),
        record(26, bytes(60)), record(22, hello[13:], version=0xFEFF)]


def offer(direction="recvonly"):
    """(SDP, ufrag, password) of somebody who offers Opus and H.264."""
    ufrag, password = f"at{random.getrandbits(24):06x}", f"{random.getrandbits(128):032x}"
    fingerprint = ":".join(f"{random.getrandbits(8):02X}" for _ in range(32))
    common = ("c=IN IP4 0.0.0.0", f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{password}",
              "a=ice-options:trickle", f"a=fingerprint:sha-256 {fingerprint}",
              "a=setup:actpass", f"a={direction}", "a=rtcp-mux")

    def sources(number):
        return [f"a=ssrc:{number} cname:x"] if direction == "sendonly" else []

    lines = ["v=0", f"o=- {random.getrandbits(62)} 2 IN IP4 127.0.0.1", "s=-", "t=0 0",
             "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111", *common, "a=mid:0",
             "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1",
             *sources(AUDIO_SSRC), "m=video 9 UDP/TLS/RTP/SAVPF 106", *common, "a=mid:1",
             "a=rtpmap:106 H264/90000", "a=fmtp:106 level-asymmetry-allowed=1;"
             "packetization-mode=1;profile-level-id=42e01f", "a=rtcp-fb:106 nack",
             "a=rtcp-fb:106 nack pli", *sources(VIDEO_SSRC)]
    return "\r\n".join(lines) + "\r\n", ufrag, password


class Session:
    """What the answer to an offer tells."""

    def __init__(self, target, path, direction="recvonly"):
        sdp, self.own_ufrag, _ = offer(direction)
        self.status, raw, _, _ = target.request(
            "POST", path, sdp.encode(), {"Content-Type": "application/sdp"})
        text = raw.decode("latin1")

        def value(pattern):
            found = re.search(pattern, text)
            return found[1] if found else ""

        self.ufrag, self.password = value(r"a=ice-ufrag:(\S+)"), value(r"a=ice-pwd:(\S+)")
        self.setup, self.place = value(r"a=setup:(\S+)"), value(r"(?i)\r\nlocation: *(\S+)")

    def check(self):
        """A right request of ICE, with nomination."""
        user = f"{self.ufrag}:{self.own_ufrag}".encode()
        return stun(user, self.password.encode(), nominates=True)
