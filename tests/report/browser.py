"""A headless Chromium, driven through chromedriver by plain HTTP (W3C WebDriver)."""
import base64
import json
import pathlib
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# The proxy is a port where nothing listens: the network is off.
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
           "--proxy-server=127.0.0.1:9", "--window-size=1200,1000", "--disable-background-networking"]


def programs() -> tuple[str, str] | None:
    """Chromium and chromedriver, where both are installed."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    return found if all(found) else None


class Browser:
    """One session. `call` sends a command of WebDriver."""

    def __init__(self):
        chromium, driver = programs()
        self.process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.session = ""
        port = None
        while port is None:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("chromedriver did not start")
            port = re.search(r"started successfully on port (\d+)", line)
        self.address = f"http://127.0.0.1:{port.group(1)}"
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"binary": chromium, "args": OPTIONS},
                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = "/session/" + answer["sessionId"]

    def call(self, method: str, path: str, body: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + self.session + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()[:600]) from error

    def open(self, file: pathlib.Path) -> None:
        """Opens a page of a check and waits until it says that it is whole."""
        self.log("browser")
        self.log("performance")
        self.call("POST", "/url", {"url": file.as_uri()})
        end = time.monotonic() + 40
        while not self.js("return document.documentElement.dataset.ready === 'yes'"):
            if time.monotonic() > end:
                raise RuntimeError(f"{file.name} did not get ready: {self.log('browser')}")
            time.sleep(0.05)
        self.settle()

    def js(self, script: str, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def settle(self) -> None:
        """Waits until what was asked for is drawn."""
        self.call("POST", "/execute/async", {"args": [], "script":
                  "const done = arguments[0];"
                  "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)));"})

    def log(self, kind: str) -> list[dict]:
        return self.call("POST", "/se/log", {"type": kind})

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self) -> list[str]:
        """Addresses of all requests since the page was opened, but of data and blobs inside it."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        found = [event["params"]["request"]["url"] for event in events
                 if event["method"] == "Network.requestWillBeSent"]
        return [url for url in found if not url.startswith(("data:", "blob:"))]

    def act(self, kind: str, actions: list[dict], **more) -> None:
        self.call("POST", "/actions", {"actions": [{"type": kind, "id": kind, "actions": actions, **more}]})
        self.settle()

    def at(self, selector: str, x: int = 0, y: int = 0) -> dict:
        """A place in pixels from the middle of an element, as an action's origin."""
        element = self.call("POST", "/element", {"using": "css selector", "value": selector})
        return {"origin": element, "x": x, "y": y}

    def click(self, selector: str, x: int = 0, y: int = 0) -> None:
        self.act("pointer", [{"type": "pointerMove", "duration": 0, **self.at(selector, x, y)},
                             {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}],
                 parameters={"pointerType": "mouse"})

    def wheel(self, selector: str, delta: int) -> None:
        self.act("wheel", [{"type": "scroll", "deltaX": 0, "deltaY": delta, "duration": 0,
                            **self.at(selector)}])

    def key(self, key: str) -> None:
        self.act("key", [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}])

    def pdf(self) -> bytes:
        """The page printed; its own paper size is kept."""
        options = {"preferCSSPageSize": True, "printBackground": True}
        answer = self.call("POST", "/goog/cdp/execute", {"cmd": "Page.printToPDF", "params": options})
        return base64.b64decode(answer["data"])

    def screenshot(self) -> bytes:
        return base64.b64decode(self.call("GET", "/screenshot"))

    def resize(self, width: int, height: int) -> None:
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}})
        self.settle()

    def close(self) -> None:
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(20)
            self.process.stdout.close()
