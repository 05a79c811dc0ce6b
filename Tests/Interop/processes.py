"""Programs that run beside a test, and what ffprobe finds."""
import json
import signal
import subprocess


class Child:
    """A process that ends with the block."""

    def __init__(self, command, **more):
        self.process = subprocess.Popen(command, **more)

    def __enter__(self):
        return self

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __exit__(self, *_):
        self.kill()


def probe(place, seconds=3):
    """Codecs and counts of packets, as ffprobe finds them; and what it complains about."""
    try:
        done = subprocess.run(
            ["ffprobe", "-v", "error", "-read_intervals", f"%+{seconds}", "-count_packets",
             "-show_entries", "stream=codec_name,nb_read_packets", "-of", "json", place],
            capture_output=True, text=True, timeout=25, check=False)
    except subprocess.TimeoutExpired:
        return {}, "no end"
    streams = json.loads(done.stdout or "{}").get("streams", [])
    return {one["codec_name"]: int(one.get("nb_read_packets", 0)) for one in streams}, done.stderr
