"""A real headless Chromium, spoken to over a pair of pipes in the Chrome DevTools Protocol: no driver, no socket.

Source: Chromium, `--remote-debugging-pipe`: commands go to file descriptor 3 and answers come from 4, each a JSON
object that ends with a NUL.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 30.0
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # it refuses to run as root otherwise, as containers do
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-quic",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-default-browser-check",
    "--no-first-run",
)
# moves the pipes to the descriptors 3 and 4, by way of others, as either may be one of them already
_MOVE = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for end, place in zip(ends, (3, 4)):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserError(Exception):
    """The browser did not do what it was asked."""


def find_browser() -> str | None:
    """Return the path of the first browser that is on PATH."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """A browser that runs until the end of a `with` block."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._number = 0
        self._rest = b""
        self.events: deque[dict[str, Any]] = deque()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            profile = stack.enter_context(tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True))
            theirs_in, self._out = os.pipe()
            self._in, theirs_out = os.pipe()
            command = [self._program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
            moved = [sys.executable, "-c", _MOVE, str(theirs_in), str(theirs_out), *command]
            self._process = subprocess.Popen(
                moved, pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            os.close(theirs_in)
            os.close(theirs_out)
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def _end(self) -> None:
        os.close(self._out)  # the browser ends when nobody can command it any more
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)

    def command(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Do *method* and return its result; what happens meanwhile goes to `events`."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            asked["sessionId"] = session
        os.write(self._out, json.dumps(asked).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") != self._number:
                self.events.append(told)
            elif "error" in told:
                raise BrowserError(f"{method}: {told['error']}")
            else:
                return told["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._in], [], [], SECONDS)[0]:
                raise BrowserError(f"{self._program} has said nothing for {SECONDS:.0f} seconds")
            if not (more := os.read(self._in, 1 << 20)):
                raise BrowserError(f"{self._program} has ended")
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def page(self, width: int = 1280, height: int = 900, *, dark: bool = False, script: bool = True) -> Page:
        """Open a tab of its own."""
        return Page(self, width, height, dark=dark, script=script)


class Page:
    """A tab: *console* are the errors that it told, *requests* the addresses that it asked for."""

    def __init__(self, browser: Browser, width: int, height: int, *, dark: bool, script: bool) -> None:
        self._browser = browser
        context = browser.command("Target.createBrowserContext")["browserContextId"]
        target = browser.command("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self._session = browser.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._target, self._context, self._has_script = target, context, script
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")
        self.resize(width, height)
        self.dark(dark)
        if not script:
            self.command("Emulation.setScriptExecutionDisabled", value=True)

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.command(method, self._session, **parameters)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab and forget what it kept."""
        self._browser.command("Target.closeTarget", targetId=self._target)
        self._browser.command("Target.disposeBrowserContext", browserContextId=self._context)

    def resize(self, width: int, height: int) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def dark(self, wanted: bool) -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark" if wanted else "light"}
        self.command("Emulation.setEmulatedMedia", features=[feature])

    def open(self, address: str) -> None:
        """Load *address* to the end."""
        told = self.command("Page.navigate", url=address)
        if "errorText" in told:
            raise BrowserError(f"{address}: {told['errorText']}")
        self.wait("document.readyState === 'complete'")
        self.settle()

    def settle(self) -> None:
        """Wait until what is on the way has been painted."""
        if not self._has_script:
            return  # the page is told of no frame
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; of a promise, what it comes to."""
        told = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise BrowserError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until the expression *condition* is true."""
        give_up = time.monotonic() + SECONDS
        while not self.evaluate(f"!!({condition})"):
            if time.monotonic() > give_up:
                raise BrowserError(f"{condition} did not come true")
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Press and release a key: ArrowRight, Tab, Enter."""
        code = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def _told(self, method: str, what: Callable[[dict[str, Any]], str]) -> list[str]:
        self.evaluate("1")  # what was told before has arrived then
        ours = (e for e in self._browser.events if e.get("sessionId") == self._session and e["method"] == method)
        return [what(event["params"]) for event in ours]

    @property
    def problems(self) -> list[str]:
        """What the browser complained of: exceptions, errors on the console, violations of the page's policy."""
        return [
            *self._told("Runtime.exceptionThrown", lambda p: str(p["exceptionDetails"])),
            *self._told("Runtime.consoleAPICalled", str),
            *self._told("Log.entryAdded", lambda p: f"{p['entry']['level']}: {p['entry']['text']}"),
        ]

    @property
    def requests(self) -> list[str]:
        """Every address that was asked for, the page's own first."""
        found = self._told("Network.requestWillBeSent", lambda p: p["request"]["url"])
        return [address for address in found if address != "about:blank"]

    def screenshot(self, file: Path, *, full: bool = True) -> None:
        """Write the page as a PNG: all of it, or what is seen without scrolling."""
        size = self.evaluate("({width: innerWidth, height: document.documentElement.scrollHeight})")
        clip = {"x": 0, "y": 0, "scale": 1, **size}
        more = {"clip": clip, "captureBeyondViewport": True} if full else {}
        told = self.command("Page.captureScreenshot", format="png", **more)
        file.write_bytes(base64.b64decode(told["data"]))
