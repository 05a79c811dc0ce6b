"""What is attacked: raw talk with it, whether it answers others meanwhile, and what it costs it."""
import http.client
import re
import socket
import threading
import time

# Bounds on connections are per network: whoever looks on must not come from the attacker's.
BYSTANDER = "127.9.9.9"


class Target:
    """A gateway on 127.0.0.1: its ports, its process, and what was seen that must not be."""

    def __init__(self, http, media, pid, seconds, stream):
        self.http, self.media, self.pid, self.seconds = http, media, pid, seconds
        self.stream, self.violations, self.report = stream, [], {}

    @property
    def media_address(self):
        return ("127.0.0.1", self.media)

    def expect(self, is_so, violation):
        if not is_so and len(self.violations) < 20:
            self.violations.append(violation)

    def connect(self, patience=3.0):
        one = socket.create_connection(("127.0.0.1", self.http), patience)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return one

    def talk(self, data, patience=3.0, limit=65536, enough=None):
        """Sends raw bytes and reads what comes: (bytes, how it ended)."""
        got = b""
        try:
            with self.connect(patience) as one:
                try:
                    for part in [data] if isinstance(data, bytes) else data:
                        one.sendall(part)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # refused in the middle: the answer may be there all the same
                end = time.monotonic() + patience
                while len(got) < limit and time.monotonic() < end:
                    part = one.recv(65536)
                    if not part:
                        return got, "closed"
                    got += part
                    if enough and enough(got):
                        break
                return got, "answered"
        except TimeoutError:
            return got, "answered" if got else "silent"
        except ConnectionResetError:
            return got, "answered" if got else "reset"
        except OSError as error:
            return got, type(error).__name__

    def request(self, method, path, body=b"", headers=None, patience=6.0):
        """(status, bytes, how it ended, seconds). A header of None is left out."""
        head = {"Host": f"127.0.0.1:{self.http}", "Content-Length": str(len(body)),
                "Connection": "close", **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items()
                        if value is not None)
        raw = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin1") + body
        began = time.monotonic()
        got, how = self.talk(raw, patience, 1 << 20)
        return status(got), got, how, time.monotonic() - began


def status(answer):
    found = re.match(rb"HTTP/\d\.\d (\d{3})", answer)
    return int(found[1]) if found else None


def drain(one, patience=0.0):
    """All datagrams that wait, or come soon."""
    found, end = [], time.monotonic() + patience
    try:
        while True:
            one.settimeout(max(.001, end - time.monotonic()))
            found.append(one.recvfrom(65536)[0])
    except OSError:
        return found


def udp():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


class Watch:
    """Asks for the page twice a second from somebody else's address, and looks at the process."""

    # An answer may wait for a busy machine's scheduler, never for the attack to end.
    GAP_LIMIT = 3.0
    GROWTH_LIMIT = 64 * 1024  # KiB

    def __init__(self, target):
        self.target, self.gap, self.failures = target, 0.0, []
        self.before = self.peak = self.memory()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def memory(self):
        try:
            with open(f"/proc/{self.target.pid}/status") as file:
                return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])
        except (OSError, TypeError):
            return 0

    def is_well(self):
        one = http.client.HTTPConnection("127.0.0.1", self.target.http, timeout=2,
                                         source_address=(BYSTANDER, 0))
        try:
            one.request("GET", "/")
            answer = one.getresponse()
            answer.read()
            return answer.status == 200
        except OSError as error:
            self.failures.append(type(error).__name__)
            return False
        finally:
            one.close()

    def run(self):
        last = time.monotonic()
        while not self.over.is_set():
            is_well, now = self.is_well(), time.monotonic()
            self.gap = max(self.gap, now - last)
            if is_well:
                last = now
            self.peak = max(self.peak, self.memory())
            self.over.wait(.5)

    def __enter__(self):
        if not self.is_well():
            raise SystemExit("the gateway does not answer before the attack")
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(5)
        target, after = self.target, self.memory()
        target.expect(after, "the gateway has died")
        target.expect(self.is_well(), "it does not answer after the attack")
        target.expect(self.gap <= self.GAP_LIMIT, f"no answer to others for {self.gap:.1f} s")
        target.expect(self.peak - self.before <= self.GROWTH_LIMIT,
                      f"memory grew by {(self.peak - self.before) // 1024} MiB")
        target.report.update(longest_gap_s=round(self.gap, 2), failures=len(self.failures),
                             memory_mib=[one // 1024 for one in (self.before, self.peak, after)])
