"""A gateway of our own for a run: free ports, a folder for its state that goes away with it."""
import json
import pathlib
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    """Free for TCP and UDP."""
    for _ in range(50):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(("127.0.0.1", tcp.getsockname()[1]))
            except OSError:
                continue
            return tcp.getsockname()[1]
    raise SystemExit("no port is free for TCP and UDP")


class Gateway:
    """`with Gateway(program) as gateway:` runs it until the block ends."""

    def __init__(self, program, log=None, demo=False, settings=None, paths=None):
        self.program, self.log, self.demo = program, log, demo
        self.settings, self.paths = settings or {}, paths or {}
        self.key, self.token = secrets.token_hex(16), secrets.token_hex(16)

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gateway-interop-")
        http, webrtc, admin = free_port(), free_port(), free_port()
        self.http, self.media, self.rtmp = http, webrtc, free_port()
        self.url, self.admin = f"http://127.0.0.1:{http}", f"http://127.0.0.1:{admin}"
        # Keys by environment: they stand in no command line. The harness's page is of another
        # origin, so what it may do is what anybody may.
        settings = {"http.listen": f":{http}", "webrtc.listen": f":{webrtc}",
                    "admin.listen": f"127.0.0.1:{admin}", "auth.read": "open",
                    "rtmp.listen": f"127.0.0.1:{self.rtmp}", "state.dir": self.folder.name,
                    "http.pages": str(ROOT / "public"),
                    # Nobody here speaks them, and their usual ports may be taken.
                    "rtsp.listen": "off", "srt.listen": "off", **self.settings}
        command = [self.program, "run", "--no-supervise"] + ["--demo"] * self.demo
        for name, value in settings.items():
            command += ["--set", f"{name}={value}"]
        # JSON is YAML.
        file = pathlib.Path(self.folder.name, "gateway.yml")
        file.write_text(json.dumps({"paths": self.paths}))
        command += ["--config", str(file)]
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder.name,
                       "GATEWAY_AUTH_PUBLISH_KEY": self.key, "GATEWAY_ADMIN_TOKEN": self.token}
        self.out = open(self.log or f"{self.folder.name}/log", "w")
        self.child = subprocess.Popen(command, env=environment, stdout=self.out,
                                      stderr=subprocess.STDOUT, cwd=self.folder.name)
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self):
        for _ in range(100):
            if self.child.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.admin}/readyz", timeout=1)
                return
            except OSError:
                time.sleep(.05)
        self.out.flush()
        log = pathlib.Path(self.out.name).read_text()[-2000:]
        raise SystemExit(f"the gateway does not get ready:\n{log}")

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(8)
        except subprocess.TimeoutExpired:
            self.child.kill()
        self.out.close()
        self.folder.cleanup()

    @property
    def has_died(self):
        return self.child.poll() is not None
