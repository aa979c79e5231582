"""The page as a person uses it: a hand that clicks on the picture, and eyes on its state."""

import io
import re
import time
from contextlib import contextmanager

import numpy as np
from PIL import Image
from playwright.sync_api import BrowserContext

STILL = """async () => {
    const canvas = document.querySelector("[data-testid=canvas]");
    const place = () => JSON.stringify([canvas.getBoundingClientRect(), __pliant.view.zoom]);
    for (let before = ""; before !== place(); ) {
        before = place();
        for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
    }
}"""


class Studio:
    """One tab."""

    def __init__(self, context: BrowserContext, server) -> None:
        self.context, self.server = context, server
        self.page = context.new_page()
        self.errors: list[str] = []
        """What the page complained of."""
        self.expected: tuple[str, ...] = ()
        """Parts of complaints that a test provokes."""
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message) -> None:
        if message.type == "error" and not any(each in message.text for each in self.expected):
            self.errors.append(message.text)

    # ---- coming in

    def open(self):
        """Come in by the printed address, to the start page."""
        self.page.goto(self.server.url, wait_until="domcontentloaded")
        self.get("gallery").wait_for()
        return self

    def open_copy(self, file):
        """Come in with a copy of a project, straight to the editor."""
        self.context.request.get(self.server.url)
        headers = {"X-Pliant": "1", "Origin": self.server.base}
        answer = self.context.request.post(
            f"{self.server.base}/api/projects", data=file.read_bytes(), headers=headers
        )
        return self.open_session(answer.json()["session"])

    def open_session(self, session: str):
        """Come in to a project that the server keeps."""
        self.page.goto(f"{self.server.base}/#{session}", wait_until="domcontentloaded")
        self.ready()
        return self

    def reload(self) -> None:
        """F5."""
        self.page.reload(wait_until="domcontentloaded")
        self.ready()

    def ready(self) -> None:
        """Wait for the picture."""
        self.until("s.document?.at && s.view.zoom !== 1")
        self.page.wait_for_timeout(100)

    def portrait(self, seed: int = 3) -> None:
        """Take a portrait from the gallery and wait for it."""
        self.click(f"seed-{seed}")
        self.ready()

    # ---- controls

    def get(self, testid: str):
        """A control by its test id."""
        return self.page.get_by_test_id(testid)

    def click(self, testid: str) -> None:
        """Press a control."""
        self.get(testid).click()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    @contextmanager
    def held(self, key: str):
        """With a key held down."""
        self.page.keyboard.down(key)
        yield
        self.page.keyboard.up(key)

    def set(self, setting: str, value, edit: str = "drag") -> None:
        """Type a setting of an edit."""
        field = self.get(f"setting-{setting}")
        if not field.is_visible():
            self.click("settings-more")
        field.fill(str(value))
        field.press("Enter")
        field.blur()
        self.until(f"s.state.document.settings.{edit}?.{setting} === {value}")

    # ---- the picture

    def settle(self) -> None:
        """Wait until the picture lies still: where controls come or go it moves, a frame later."""
        self.page.evaluate(STILL)

    def place(self, x: float, y: float, size: int = 256) -> tuple[float, float]:
        """Where a pixel of the picture is on the screen, when the whole picture is in view."""
        box = self.get("canvas").bounding_box()
        zoom = self.read("view.zoom")
        left, top = box["x"] + (box["width"] - size * zoom) / 2, box["y"] + (box["height"] - size * zoom) / 2
        return left + (x + 0.5) * zoom, top + (y + 0.5) * zoom

    def tap(self, x: float, y: float) -> None:
        """Click a pixel of the picture."""
        self.settle()
        self.page.mouse.click(*self.place(x, y))

    def aim(self, x: int, y: int) -> None:
        """Bring the crosshair to a pixel of the picture, by keys alone."""
        self.get("canvas").focus()
        spot = self.page.locator(".canvas-spot")
        if not spot.inner_text():
            self.press("Enter")
        for key, back, place, number in (("ArrowRight", "ArrowLeft", x, 0), ("ArrowDown", "ArrowUp", y, 1)):
            way = place - int(re.findall(r"\d+", spot.inner_text())[number])
            far, near = divmod(abs(way), 10)
            name = key if way > 0 else back
            self.press(*[f"Shift+{name}"] * far, *[name] * near)

    def pull(self, *ways: tuple[float, float], steps: int = 4) -> None:
        """Press at the first pixel, move over the others, let go at the last."""
        self.settle()
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
        self.until(f"s.state.document.points.length === {count + 1}")

    def paint(self, *ways: tuple[float, float]) -> None:
        """A stroke, until the server has it."""
        before = self.read("state.document.mask")
        self.pull(*ways)
        self.until(
            f"s.state.document.mask && s.state.document.mask.image !== '{(before or {}).get('image')}'"
        )

    # ---- runs

    def run(self) -> None:
        """Begin the edit and wait for its first frame."""
        frames = self.read("frames")
        self.click("run")
        self.until(f"s.run && s.frames > {frames}")

    def run_to_end(self, seconds: float = 90) -> dict:
        """Run the edit and wait until it is over."""
        nodes = len(self.read("state.nodes"))
        self.click("run")
        self.ended(nodes + 1, seconds)
        return self.read("ended")

    def ended(self, nodes: int, seconds: float = 90) -> None:
        """Wait until a run is over that makes it so many nodes."""
        self.until(f"s.state.nodes.length >= {nodes} && !s.run && s.state.saved && s.ended", seconds)

    # ---- looking

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
                raise AssertionError(f"never true: {expression}; {self._situation()}")
            self.page.wait_for_timeout(30)

    def _situation(self) -> str:
        return self.page.evaluate(
            "JSON.stringify({...__pliant.view, document: __pliant.document, run: __pliant.run})"
        )

    def words(self, testid: str) -> str:
        """What a control shows."""
        return self.get(testid).inner_text()

    def screen(self, clip: tuple[float, float, float, float] | None = None) -> np.ndarray:
        """Pixels of the screen, or of a part of it (x, y, width, height)."""
        box = None if clip is None else dict(zip(("x", "y", "width", "height"), clip, strict=True))
        return _pixels(self.page.screenshot(clip=box))

    def fetch(self, address: str) -> bytes:
        """What the server has at an address."""
        answer = self.context.request.get(self.server.base + address)
        assert answer.ok, answer.text()
        return answer.body()

    def frame(self, place: dict) -> np.ndarray:
        """Pixels of a frame of the project."""
        session = self.read("session")
        return _pixels(self.fetch(f"/api/sessions/{session}/frames/{place['node']}/{place['step']}"))

    def mask(self) -> np.ndarray:
        """The mask as the server keeps it, 0 to 255."""
        image = self.read("state.document.mask.image")
        return _pixels(self.fetch(f"/api/sessions/{self.read('session')}/masks/{image}"), "L")


def _pixels(data: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode)).astype(float)
