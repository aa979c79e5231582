"""A real server, a real Chromium, and a hand that clicks on the picture."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Server:
    """A studio in a process of its own."""

    url: str
    process: subprocess.Popen
    home: str

    @property
    def base(self) -> str:
        """Its address without the token."""
        return self.url.split("/?")[0]


def start(home, *options: str) -> Server:
    """`pliant studio` in test mode, with everything it keeps under `home`."""
    environment = os.environ | {"PLIANT_HOME": str(home), "PLIANT_STUDIO_TEST": "1"}
    words = [sys.executable, "-m", "pliant.cli", "studio", "--no-browser", "--port", "0", *options]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "token=" in line:
            return Server(line.strip(), process, str(home))
    raise AssertionError(f"the studio did not start: {lines}")


def end(server: Server) -> None:
    """Ctrl-C."""
    server.process.terminate()
    server.process.wait(30)
    server.process.stdout.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = start(tmp_path_factory.mktemp("home"))
    yield running
    end(running)


@pytest.fixture(scope="session")
def chromium():
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "these tests need Chromium: `make chromium` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Studio:
    """The page as a person uses it."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console", lambda message: self.errors.append(message.text) if message.type == "error" else None
        )

    def open(self):
        """Come in by the printed address."""
        self.page.goto(self.server.url)
        self.get("gallery").wait_for()
        return self

    def get(self, testid: str):
        """A control by its test id."""
        return self.page.get_by_test_id(testid)

    def click(self, testid: str) -> None:
        """Press a control."""
        self.get(testid).click()

    def press(self, keys: str) -> None:
        """Press keys."""
        self.page.keyboard.press(keys)

    def read(self, expression: str):
        """Something of the page's state, such as "document.points"."""
        return self.page.evaluate(f"window.__pliant?.{expression}")

    def until(self, expression: str, seconds: float = 30):
        """Wait until an expression over the state (as `s`) is true; the page forbids the usual way, which is eval."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.page.evaluate(f"(s => {expression})(window.__pliant ?? {{}})")
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"never true: {expression}; {self.page.evaluate('JSON.stringify(__pliant.document)')}"
                )
            self.page.wait_for_timeout(30)

    def portrait(self, seed: int = 3) -> None:
        """Take a portrait from the gallery and wait for it."""
        self.click(f"seed-{seed}")
        self.until("s.document?.at")
        self.until("s.view.zoom > 0.5")
        self.page.wait_for_timeout(200)

    def place(self, x: float, y: float, size: int = 256) -> tuple[float, float]:
        """Where a pixel of the picture is on the screen, when the whole picture is in view."""
        box = self.get("canvas").bounding_box()
        zoom = self.read("view.zoom")
        left, top = box["x"] + (box["width"] - size * zoom) / 2, box["y"] + (box["height"] - size * zoom) / 2
        return left + (x + 0.5) * zoom, top + (y + 0.5) * zoom

    def tap(self, x: float, y: float) -> None:
        """Click a pixel of the picture."""
        self.page.mouse.click(*self.place(x, y))

    def pull(self, *ways: tuple[float, float], steps: int = 8) -> None:
        """Press at the first pixel, move over the others, let go at the last."""
        self.page.mouse.move(*self.place(*ways[0]))
        self.page.mouse.down()
        for way in ways[1:]:
            self.page.mouse.move(*self.place(*way), steps=steps)
        self.page.mouse.up()

    def point(self, handle: tuple[float, float], target: tuple[float, float]) -> None:
        """Set a point by two clicks."""
        count = len(self.read("document.points"))
        self.tap(*handle)
        self.tap(*target)
        self.until(f"s.document.points.length === {count + 1}")

    def run_to_end(self, seconds: float = 60) -> dict:
        """Run the edit and wait until it is over."""
        nodes = len(self.read("state.nodes"))
        self.click("run")
        self.until(f"s.state.nodes.length > {nodes} && !s.run", seconds)
        self.page.wait_for_timeout(100)
        return self.read("ended")

    def pixels(self, x: int, y: int, width: int = 1, height: int = 1) -> bytes:
        """A part of the screen."""
        return self.page.screenshot(clip={"x": x, "y": y, "width": width, "height": height})


@pytest.fixture
def studio(chromium: Browser, server: Server):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    made = Studio(context.new_page(), server)
    yield made
    errors = made.errors
    context.close()
    assert not errors, errors
