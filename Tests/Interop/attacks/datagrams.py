"""Attacks on the one port of WebRTC."""
import random
import struct
import time

import packets
from packets import attribute, client_hello, record, stun
from target import drain, udp


def paced(seconds, rate, step=32):
    """Counts up in steps, for so long, at most so many a second."""
    began, count = time.monotonic(), 0
    while time.monotonic() < began + seconds:
        yield range(count, count + step)
        count += step
        time.sleep(max(0, began + count / rate - time.monotonic()))


def send(one, data, target):
    try:
        one.sendto(data, target.media_address)
    except OSError:
        pass  # a full queue of the kernel is the attacker's trouble
    return len(data)


def judge_answers(target, sent, answers):
    received = sum(len(one) for one in answers)
    target.expect(received <= sent, f"an amplifier: {received} bytes for {sent}")
    target.report.update(sent_bytes=sent, answered_bytes=received)


def forged_checks(ufrag, own):
    """Requests of ICE that must change nothing: names guessed, seen or wrong, codes wrong."""
    user = f"{ufrag}:{own}".encode()
    lying = bytearray(stun(user, b"p"))
    lying[2:4] = b"\xff\xfc"
    overlong = bytearray(stun(user, b"p"))
    overlong[22:24] = b"\xff\xff"
    return [
        stun(b"zzzz:yyyy", b"x" * 24), stun(user, b"wrongpassword0123456789ab"),
        stun(user, b"p" * 24, damaged=True, nominates=True), stun(user, nominates=True),
        stun(f"{ufrag}:attacker".encode(), b"p" * 24, nominates=True),
        stun(user, fingerprint=False), stun(attributes=attribute(0x7FFF, b""), priority=False),
        bytes(lying), bytes(overlong),
        stun(attributes=b"".join(attribute(0x8000 + i % 64, b"") for i in range(340))),
        stun(b"A" * 1300), stun(user, b"p", kind=packets.SUCCESS),
        stun(user, b"p", attribute(9, b"\0\0\4\x57x"), packets.ERROR),  # 487: role conflict
        stun(ufrag.encode(), b"p"), stun(user, b"p")[:random.randrange(1, 60)],
        stun(user, b"p")[:-1] + b"\0"]


def stun_flood(target):
    """No success without the right code, no more bytes than came, and a session goes on."""
    session, one, sent, answers = packets.Session(
        target, f"/whep/{target.stream}"), udp(), 0, []
    target.expect(session.ufrag, f"no session: {session.status}")
    forged = [data for _ in range(100) for data in forged_checks(session.ufrag, session.own_ufrag)]
    for numbers in paced(target.seconds, 20_000):
        for number in numbers:
            sent += send(one, forged[number % len(forged)], target)
        answers += drain(one)
    answers += drain(one, .5)
    successes = sum(packets.is_success(data) for data in answers)
    target.expect(not successes, f"{successes} successes without the right code")
    judge_answers(target, sent, answers)
    # The session has had its first seconds meanwhile: a new one answers for all.
    session, honest = packets.Session(target, f"/whep/{target.stream}"), udp()
    for _ in range(10):
        send(honest, session.check(), target)
        if any(packets.is_success(data) for data in drain(honest, .5)):
            return
    target.expect(False, "an honest session is not answered any more")


def udp_fuzz(target):
    """Every first byte of RFC 7983, cut, bent and repeated, from many addresses. Seeded."""
    dice, sources, sent, answers = random.Random(1), [udp() for _ in range(16)], 0, []
    for numbers in paced(target.seconds, 10_000):
        for number in numbers:
            sent += send(sources[number % 16], bent(any_datagram(dice), dice), target)
        for one in sources:
            answers += drain(one)
    judge_answers(target, sent, answers)


def any_datagram(dice):
    def rtp(kind=96, size=100, count=0, extension=0, padding=0):
        first = 0x80 | padding << 5 | extension << 4 | count
        return bytes([first, kind]) + dice.randbytes(10 + size)

    def rtcp(kind, body, count=1, words=None):
        words = len(body) // 4 if words is None else words
        return bytes([0x80 | count, kind]) + struct.pack(">H", words) + body

    size = dice.randrange(1200)
    return dice.choice((
        lambda: stun(dice.randbytes(4).hex().encode() + b":x", b"p" * 22),
        lambda: client_hello([dice.randrange(65536) for _ in range(dice.randrange(40))]),
        lambda: record(dice.randrange(20, 26), dice.randbytes(size // 3), dice.getrandbits(48),
                       dice.randrange(4)),
        lambda: rtp(dice.randrange(128), size),
        lambda: rtp(size=size // 20, count=15),
        lambda: rtp(size=8, extension=1)[:12] + b"\xbe\xde\xff\xff" + dice.randbytes(size // 20),
        lambda: rtp(size=size // 20, padding=1) + bytes([dice.randrange(256)]),
        lambda: rtcp(dice.randrange(200, 208), dice.randbytes(4 * (size // 30)),
                     dice.randrange(32), dice.choice((None, 0, 1, 0xFFFF))),
        lambda: rtcp(206, dice.randbytes(8) + b"REMB\xff" + dice.randbytes(3), 15, 4),
        lambda: rtcp(205, dice.randbytes(8) + struct.pack(">HH", 0, 0xFFFF), 15, 5),
        lambda: rtcp(205, dice.randbytes(8) + b"\0\0\xff\xff" * (1 + size // 4), 1, 300),
        lambda: bytes([dice.randrange(64, 80)]) + dice.randbytes(size // 12),
        lambda: dice.randbytes(size)))()


def bent(data, dice):
    data = bytearray(data)
    for _ in range(dice.choice((0, 0, 1, 1, 2, 4, 16))):
        if not data:
            break
        index = dice.randrange(len(data))
        what = dice.randrange(5)
        if what == 0:
            data[index] ^= 1 << dice.randrange(8)
        elif what == 1:
            data[index] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif what == 2:
            del data[index:]
        elif what == 3:
            data[index:index] = dice.randbytes(dice.randrange(1, 16))
        else:
            data[index:index + 2] = dice.choice((b"\0\0", b"\xff\xff", b"\x7f\xff", b"\x80\0"))
    return bytes(data[:1472])


def dtls_hello_race(target):
    """Handshakes of others belong to a path that ICE has checked: nobody else gets a word."""
    sent, answers, rounds = 0, [], 0
    end = time.monotonic() + max(target.seconds, 4)
    while time.monotonic() < end:
        rounds += 1
        attacker, victim = udp(), udp()
        session = packets.Session(target, f"/whep/{target.stream}")
        if not session.ufrag:
            target.expect(False, f"no session: {session.status}")
            break
        sent += race(target, session, attacker, victim, f"round {rounds}")
        heard = drain(attacker, .2)
        target.expect(not heard, f"round {rounds}: the attacker got {len(heard)} answers")
        answers += heard
        target.request("DELETE", session.place)
    judge_answers(target, sent, answers)
    target.report["rounds"] = rounds


def race(target, session, attacker, victim, name):
    """Hostile records before, between and after what the victim does; bytes of them."""
    hostile, sent = packets.hostile_records(), 0

    def spray(count):
        return sum(send(attacker, hostile[index % len(hostile)], target)
                   for index in range(count))

    sent += spray(50)
    heard = []
    for _ in range(10):
        send(victim, session.check(), target)
        sent += spray(5)
        heard += drain(victim, .3)
        if any(packets.is_success(data) for data in heard):
            break
    else:
        target.expect(False, f"{name}: the victim's ICE is not answered")
        return sent
    sent += spray(50)
    for sequence in range(10):
        if any(packets.is_dtls(data) and data[0] == 22 for data in heard):
            return sent
        send(victim, client_hello(sequence=sequence), target)
        sent += spray(5)
        heard += drain(victim, .5)
    target.expect(False, f"{name}: the victim's DTLS is not answered")
    return sent
