"""A headless Chromium, driven through a pair of pipes by its DevTools protocol (no port, no library)."""

import base64
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
# Chromium reads its orders from descriptor 3 and answers on 4.
_LAUNCHER = (
    "import os, sys; orders, answers = map(int, sys.argv[1:3]); "
    "os.dup2(orders, 3); os.dup2(answers, 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class Tab:
    """A page in the browser, with everything that it has asked for or complained about."""

    def __init__(self, browser, session):
        self._browser = browser
        self._session = session
        self.requests = []  #: addresses that the page asked for, its own left out
        self.complaints = []  #: what was written to its console or log

    def call(self, method, **parameters):
        """Give an order and return its result."""
        return self._browser.call(method, parameters, self._session)

    def run(self, expression):
        """Return the value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def heard(self, method, parameters):
        """Take an event."""
        if method == "Network.requestWillBeSent" and parameters["type"] != "Document":
            self.requests.append(parameters["request"]["url"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(parameters)

    def show(self, address, *, width=1280, height=900, dark=False, media="screen"):
        """Load a page, as it is seen on a screen of that size or on paper."""
        for domain in ("Network", "Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call("Page.navigate", url=address)
        self.run(
            "new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))"
        )

    def screenshot(self, *, whole=True):
        """Return the page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def pdf(self):
        """Return the page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])


class Browser:
    """Chromium in a process of its own."""

    def __init__(self, orders, answers):
        self._orders = orders
        self._answers = answers
        self._tabs = {}
        self._number = 0

    def call(self, method, parameters, session=None):
        """Give an order and return its result; what happens meanwhile is told to the tabs."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            order["sessionId"] = session
        self._orders.write(json.dumps(order).encode() + b"\0")
        self._orders.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            if answer.get("sessionId") in self._tabs:
                self._tabs[answer["sessionId"]].heard(answer["method"], answer["params"])

    def _next(self):
        message = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser has ended"
            message += byte
        return json.loads(message)

    def open_tab(self):
        """Return a new page."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self._tabs[session] = tab = Tab(self, session)
        return tab


@contextmanager
def chromium(profile):
    """Run a browser that keeps its files in a folder; it ends with the context."""
    (orders_out, orders_in), (answers_out, answers_in) = os.pipe(), os.pipe()
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _LAUNCHER,
            str(orders_out),
            str(answers_in),
            CHROMIUM,
            *_OPTIONS,
            f"--user-data-dir={profile}",
        ],
        pass_fds=(orders_out, answers_in),
        stderr=subprocess.DEVNULL,
    )
    os.close(orders_out)
    os.close(answers_in)
    with os.fdopen(orders_in, "wb") as orders, os.fdopen(answers_out, "rb") as answers:
        browser = Browser(orders, answers)
        yield browser
        browser.call("Browser.close", {})
        process.wait(20)
