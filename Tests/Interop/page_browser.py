#!/usr/bin/env python3
"""The gateway's own page in a real browser: it publishes a test pattern on one page, watches it on
another, and looks at the list. Asserts what a visitor would see, and that the console is silent."""
import sys
import time

import browser
import client

parser = client.parser(__doc__, seconds=6)
parser.add_argument("--browser", choices=["chromium", "firefox"], default="chromium")
parser.add_argument("--key", default="", help="the publish key")
parser.add_argument("--name", default="live/page-test")
parser.add_argument("--screenshots", metavar="FOLDER")
options = parser.parse_args()
driver = browser.start(options.browser)
# Firefox codes all layers of a canvas at the cost of the whole machine.
sends_layers = options.browser == "chromium"
report, failures = {}, []


def script(text, *arguments):
    return driver.execute_script(text, *arguments)


def text(css):
    return script("return document.querySelector(arguments[0])?.textContent ?? ''", css)


def expect(what, is_so, seen=None):
    if not is_so:
        failures.append(f"{what}: {seen}")


def wait(what, condition, seconds=20):
    """Waits until it is so, and notes how long that took: the machine may be busy."""
    began = time.time()
    while time.time() - began < seconds:
        seen = condition()
        if seen:
            report[what] = f"{time.time() - began:.1f} s"
            return seen
        time.sleep(.1)
    failures.append(f"{what}: not within {seconds} s; state {text('#state')!r}, "
                    f"trouble {text('#trouble')!r}, overlay {text('#told')!r}")
    return None


def picture(name):
    if options.screenshots:
        driver.save_screenshot(f"{options.screenshots}/{options.browser}-{name}.png")


def publish():
    driver.get(f"{options.url}/publish/{options.name}#source=pattern&token={options.key}")
    wait("publish page ready", lambda: text("#state") == "Ready")
    expect("publish title", options.name in driver.title, driver.title)
    # Small enough for two browsers' worth of coding on a machine that does other things too.
    script("document.querySelector('#size').value = '640x360';"
           "document.querySelector('#fps').value = '15';"
           "document.querySelector('#simulcast').checked = arguments[0];"
           "document.querySelector('#go').click()", sends_layers)
    wait("publishing", lambda: text("#state") == "Publishing")
    wait("sending", lambda: "bit/s" in text("#rate") and not text("#rate").startswith("0"))
    picture("publish")


def play():
    driver.get(f"{options.url}/play/{options.name}#token={options.key}")
    wait("playing", lambda: text("#state") == "Playing")
    script("""window.shownPictures = 0;
        const video = document.querySelector('video');
        video.requestVideoFrameCallback(function again() {
          window.shownPictures++;
          video.requestVideoFrameCallback(again);
        });""")
    moving = "return window.shownPictures"
    wait("first pictures", lambda: script(moving) > 5)
    began, before = time.time(), script(moving)
    time.sleep(options.seconds)
    shown = (script(moving) - before) / (time.time() - began)
    report["shown_fps"] = round(shown, 1)
    expect("pictures a second", shown > 8, shown)
    for tile in ("rate", "resolution", "codecs", "rtt", "path", "latency"):
        report[tile] = text(f"#{tile}")
        expect(tile, report[tile] not in ("", "–"), report[tile])
    picture("play")
    driver.set_window_size(390, 844)
    wide = script("return document.documentElement.scrollWidth - innerWidth")
    expect("fits a phone", wide <= 0, f"{wide} too wide")
    picture("phone")
    driver.set_window_size(1280, 900)
    script("document.querySelectorAll('header nav button')[0].click()")
    expect("Chinese", text("#state") == "播放中", text("#state"))
    script("document.querySelectorAll('header nav button')[0].click()")


def layers():
    """The smallest picture, by the list that visitors see."""
    choice = "document.querySelector('#layer')"
    wait("layers", lambda: script("return !document.querySelector('#layer-field').hidden"))
    script(f"{choice}.value = 'q'; {choice}.dispatchEvent(new Event('change'))")
    wait("smallest layer", lambda: text("#resolution") == "160×90")
    picture("layers")


def chat(watching, publishing):
    script("document.querySelector('#chat').open = true")
    wait("channel open", lambda: text("#chat .status") == "Connected")
    script("document.querySelector('#chat .echo').click()")
    wait("echo", lambda: "Echo" in text("#chat .messages"))
    driver.switch_to.window(publishing)
    script("""document.querySelector('#chat').open = true;
        document.querySelector('#chat input').value = 'hello <b>viewers</b>';
        document.querySelector('#chat form').requestSubmit();""")
    driver.switch_to.window(watching)
    wait("chat", lambda: "hello <b>viewers</b>" in text("#chat .messages"))


def listed():
    if options.token:
        driver.get(options.url)
        script("sessionStorage.setItem('key', arguments[0])", options.token)
    driver.get(options.url)
    wait("listed", lambda: options.name in text("#streams"))
    expect("copy lines", "/whip/" in text("#lines"), text("#lines"))
    expect("RTMP lines", "rtmp://" in text("#lines"), text("#lines"))
    script("""[...document.querySelectorAll('.card')].find(card =>
        card.textContent.includes(arguments[0])).querySelector('.screen').dispatchEvent(
        new PointerEvent('pointerenter', {pointerType: 'mouse'}))""", options.name)
    preview = "return document.querySelector('.card video')?.currentTime > 0"
    wait("preview", lambda: script(preview))
    picture("list")
    report["loaded_bytes"] = script("""return performance.getEntriesByType('resource')
        .filter(one => one.name.includes('/assets/'))
        .reduce((sum, one) => sum + one.decodedBodySize, 0)""")
    expect("page size", report["loaded_bytes"] < 100_000, report["loaded_bytes"])


try:
    driver.set_window_size(1280, 900)
    publish()
    publishing = driver.current_window_handle
    # A window, not a tab: Firefox captures a canvas that nobody sees once a second.
    driver.switch_to.new_window("window")
    play()
    if sends_layers:
        layers()
    chat(driver.current_window_handle, publishing)
    listed()
    report["console"] = browser.console(driver)
    expect("console", not report["console"], report["console"])
    driver.quit()
except BaseException as error:
    failures.append(f"{type(error).__name__}: {str(error)[:300]}")
    browser.end_tree(driver.service.process.pid)
    if not isinstance(error, Exception):
        print(report, failures, file=sys.stderr)  # how far it came
        raise
client.finish({"failures": failures, **report}, not failures)
