"""How live the studio is: frames on the screen, answers while it computes, many people at once, memory.

    python benchmarks/studio.py            # about five minutes, in a real Chromium; writes results/studio.{json,md}
    python benchmarks/studio.py --quick    # a minute, fewer of everything

The server runs in a process of its own. For the live picture it has an edit that paces itself at 60 steps a second at 512 x
512, so that the figures are of the studio and not of a model; everything else drags with the embedded model.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pliant import catalogue
from pliant.picture import Picture, PixelPicture
from pliant.steps import Step

RESULTS = Path(__file__).parent / "results"
WEB = Path(__file__).parents[1] / "src/pliant/studio/_web"
PACE = 60
SIZE = 512


# ---- the server


@dataclass(frozen=True, eq=False)
class Scrolled(Picture):
    """A photo moved to the side: like a code, it is small until someone looks."""

    kind: ClassVar[str] = PixelPicture.kind
    base: PixelPicture
    by: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.base.size

    def pixels(self) -> torch.Tensor:
        """The base's pixels, moved."""
        return self.base.pixels().roll(self.by, 2)

    def render(self) -> Image.Image:
        """The same as PIL."""
        return Image.fromarray(self.base.rgb.roll(self.by, 1).numpy())

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """A few pixels: about as much as a code."""
        return {"rgb": self.base.rgb[::8, ::8]}, {"origin": {}}


def paced(picture: PixelPicture, inputs: Any, settings: Any, after: Any) -> Iterator[Step]:  # noqa: ARG001
    """A photo that scrolls, 60 steps a second."""
    due = time.perf_counter()
    for index in range(settings.max_steps):
        yield Step(index, Scrolled(picture, index))
        due = max(due + 1 / PACE, time.perf_counter() - 1 / PACE)
        time.sleep(max(0.0, due - time.perf_counter()))


PACED = catalogue.Edit(
    name="pace",
    title="Pace",
    summary="Scrolls a picture, for measuring.",
    pictures=("pixels",),
    inputs=(),
    optional=(),
    settings_class="pliant.gan.drag:DragSettings",
    main_settings=("max_steps",),
    live_settings=(),
    preview=None,
    start=paced,
    warn=lambda *_: [],
)


def serve(folder: str) -> None:
    """The studio with one more edit, until it is killed; prints its address."""
    import asyncio
    import socket

    import uvicorn

    from pliant.studio.app import create_app
    from pliant.studio.security import Doorkeeper, new_token
    from pliant.studio.studio import Studio

    async def main() -> None:
        studio = Studio(Path(folder), edits=(*catalogue.EDITS, PACED), test=True)
        keeper = Doorkeeper(new_token())
        config = uvicorn.Config(create_app(studio, keeper), log_level="warning", ws_per_message_deflate=False)
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        print(f"http://127.0.0.1:{listening.getsockname()[1]}/?token={keeper.token}", flush=True)
        await uvicorn.Server(config).serve(sockets=[listening])

    asyncio.run(main())


class Server:
    """A server process, its address and its memory."""

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self.folder = tempfile.TemporaryDirectory()
        words = [sys.executable, __file__, "--serve", self.folder.name]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self.url = (self.process.stdout or sys.stdin).readline().strip()
        self.base = self.url.split("/?")[0]
        while True:
            try:
                urllib.request.urlopen(f"{self.base}/api/health").read()  # noqa: S310
                break
            except urllib.error.URLError:
                time.sleep(0.05)
        self.cookie = self._enter()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)
        self.folder.cleanup()

    def _enter(self) -> str:
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        try:
            urllib.request.build_opener(Stay).open(self.url)
        except urllib.error.HTTPError as answer:
            return answer.headers["set-cookie"].split(";")[0]
        raise AssertionError("the server should have redirected")

    def post(self, path: str, body: bytes, kind: str) -> Any:
        """POST as the page does."""
        headers = {"Cookie": self.cookie, "Origin": self.base, "X-Pliant": "1", "Content-Type": kind}
        request = urllib.request.Request(self.base + path, body, headers)  # noqa: S310
        return json.loads(urllib.request.urlopen(request).read())  # noqa: S310

    @property
    def mib(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


class Client:
    """A page without a browser: acknowledges every frame."""

    def __init__(self, server: Server) -> None:
        headers = {"Cookie": server.cookie, "Origin": server.base}
        self.server = server
        self.socket: ClientConnection = connect(
            server.base.replace("http", "ws", 1) + "/api/ws",
            subprotocols=["pliant.v1"],  # type: ignore[list-item]
            additional_headers=headers,
            max_size=None,
            legacy=True,
        )
        self.frames = 0
        self.send(type="hello")
        self.session = self.until("welcome")["session"]
        self.until("state")

    def send(self, **message: Any) -> None:
        """Send a message."""
        self.socket.send(json.dumps(message))

    def receive(self, timeout: float = 120) -> dict[str, Any]:
        """The next message; a frame as its head."""
        data = self.socket.recv(timeout)
        if isinstance(data, str):
            return json.loads(data)
        (length,) = struct.unpack(">I", data[:4])
        head = json.loads(data[4 : 4 + length]) | {"type": "frame"}
        self.frames += 1
        self.send(type="ack", number=head["number"])
        return head

    def until(self, kind: str) -> dict[str, Any]:
        """The next message of a kind, or a problem, which is an error here."""
        while True:
            message = self.receive()
            if message["type"] == kind:
                return message
            if message["type"] == "problem":
                raise RuntimeError(message["sentence"])

    def ask(self, kind: str = "state", **message: Any) -> dict[str, Any]:
        """Send a message and wait for its answer."""
        self.send(**message)
        return self.until(kind)

    def photo(self) -> None:
        """Put a photo into the project."""
        self.ask(type="use_image", image=upload(self.server))

    def portrait(self, seed: int) -> None:
        """Put a portrait into the project."""
        self.ask(type="sample", model="portraits-256", seed=seed)

    def aim(self, max_steps: int) -> None:
        """Set a drag up that does not arrive."""
        points = [{"handle": [128, 150], "target": [240, 20]}, {"handle": [90, 110], "target": [10, 240]}]
        self.ask(
            type="change",
            label="Points",
            points=points,
            settings={"max_steps": max_steps, "stop_distance": 2.0},
        )

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def upload(server: Server) -> str:
    """Upload a photo of 512 x 512; its hash."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8))
    with tempfile.SpooledTemporaryFile() as file:
        coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(file, "PNG")
        file.seek(0)
        return server.post("/api/images", file.read(), "image/png")["image"]


def percentile(values: list[float], share: float) -> float:
    """The value below which that share lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# ---- the figures


@contextmanager
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def until(page: Any, expression: str, seconds: float = 120) -> None:
    """Wait until an expression is true; the page's own rules forbid the browser's way of waiting, which is eval."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        if time.monotonic() > end:
            raise TimeoutError(expression)
        page.wait_for_timeout(50)


def live(server: Server, steps: int) -> dict[str, float]:
    """Frames a second on the screen and the time from a step to its pixels, in the browser."""
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 800})
        client = Client(server)
        client.photo()
        client.ask(type="change", label="Steps", edit=PACED.name, settings={"max_steps": steps})
        client.close()
        page.goto(server.url)
        page.goto(f"{server.base}/#{client.session}")
        page.reload()
        until(page, "window.__pliant?.document?.at")
        page.get_by_test_id("run").click()
        until(page, "__pliant.frames > 10")
        page.evaluate("window.began = [performance.now(), __pliant.frames]")
        until(page, "__pliant.ended")
        drawn, seconds = page.evaluate(
            "[__pliant.frames - window.began[1], (performance.now() - window.began[0]) / 1000]"
        )
        latencies = page.evaluate("window.__pliant.latencies")
        return {
            "steps_per_second": (steps - 20) / seconds,
            "frames_per_second": drawn / seconds,
            "latency_p50": statistics.median(latencies),
            "latency_p95": percentile(latencies, 0.95),
        }


def first_paint(server: Server, times: int) -> dict[str, float]:
    """From asking for the page to its first picture or text, with an empty cache each time."""
    found: list[float] = []
    script = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    with browser() as opened:
        for _ in range(times):
            context = opened.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.goto(server.url)
            until(page, script)
            found.append(page.evaluate(script) / 1000)
            context.close()
    return {"first_paint_median": statistics.median(found), "first_paint_worst": max(found)}


def stalled(server: Server, steps: int) -> dict[str, float]:
    """A client that stops reading in the middle of a run, beside one that reads."""
    rates: dict[str, float] = {}
    memory: list[float] = []
    for name in ("reads", "stalls"):
        one, other = Client(server), Client(server)
        for client in (one, other):
            client.photo()
            client.ask(type="change", label="Steps", edit=PACED.name, settings={"max_steps": steps})
        before = server.mib
        stop = threading.Event()

        def read(client: Client = one, stop: threading.Event = stop) -> None:
            while not stop.is_set():
                try:
                    client.receive(0.5)
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return

        one.send(type="start")
        if name == "reads":
            threading.Thread(target=read, daemon=True).start()
        began = time.monotonic()
        other.ask("ended", type="start")
        rates[name] = other.frames / (time.monotonic() - began)
        if name == "stalls":
            memory = [before, server.mib]
        stop.set()
        one.close()
        other.close()
        time.sleep(1)
    return {
        "neighbour_frames_per_second_beside_a_reader": rates["reads"],
        "neighbour_frames_per_second_beside_a_stalled_one": rates["stalls"],
        "memory_growth_mib": memory[1] - memory[0],
    }


def busy(server: Server, asks: int) -> dict[str, float]:
    """Answers while a drag keeps the CPU busy, in its own session and in another, and how soon it stops."""
    runner, other = Client(server), Client(server)
    runner.portrait(3)
    runner.aim(5000)
    other.portrait(4)
    own: list[float] = []
    others: list[float] = []
    stops: list[float] = []
    steps: list[float] = []
    for _ in range(3):
        runner.send(type="start")
        while runner.until("progress")["run"]["step"] < 5:
            pass
        for k in range(asks):
            began = time.perf_counter()
            runner.send(type="pause" if k % 2 == 0 else "resume")
            wanted = "paused" if k % 2 == 0 else "running"
            while (runner.until("state")["run"] or {}).get("state") != wanted:
                pass
            own.append(time.perf_counter() - began)
            began = time.perf_counter()
            other.ask(
                type="change", label="Point", points=[{"handle": [100, 100 + k % 50], "target": [120, 120]}]
            )
            others.append(time.perf_counter() - began)
            time.sleep(0.05)
        if asks % 2:
            runner.send(type="resume")
        time.sleep(0.5)
        began = time.perf_counter()
        ended = runner.ask("ended", type="stop")
        stops.append(time.perf_counter() - began)
        steps.append(ended["seconds"] / ended["steps"])
        runner.until("state")
        runner.ask(type="undo")
    runner.close()
    other.close()
    return {
        "own_p50": statistics.median(own),
        "own_p95": percentile(own, 0.95),
        "other_p50": statistics.median(others),
        "other_p95": percentile(others, 0.95),
        "stop_to_ended": statistics.median(stops),
        "seconds_per_step": statistics.median(steps),
    }


def many(server: Server, count: int, steps: int) -> dict[str, Any]:
    """Several people drag at once."""
    found: list[dict[str, Any]] = []

    def work(seed: int) -> None:
        client = Client(server)
        client.portrait(seed)
        client.aim(steps)
        client.send(type="start")
        positions: list[int] = []
        while True:
            message = client.receive(300)
            if message["type"] == "progress":
                positions.append(message["run"]["position"])
            if message["type"] in {"ended", "problem"}:
                found.append(
                    {"ended": message, "furthest": max(positions, default=0), "frames": client.frames}
                )
                client.close()
                return

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(count)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "sessions": count,
        "failed": sum(one["ended"].get("steps") != steps for one in found),
        "fewest_frames": min(one["frames"] for one in found),
        "furthest_position_shown": max(one["furthest"] for one in found),
        "seconds": time.monotonic() - began,
    }


def soak(server: Server, runs: int) -> dict[str, float]:
    """Memory after many runs in one session."""
    client = Client(server)
    client.portrait(5)
    client.aim(12)
    memory: list[float] = []
    for run in range(runs):
        client.ask("ended", type="start")
        client.until("state")
        client.ask(type="undo")
        if run >= 4:
            memory.append(server.mib)
    client.close()
    return {"runs": runs, "base_mib": memory[0], "end_mib": memory[-1], "most_mib": max(memory)}


def bundle() -> dict[str, float]:
    """What the page's code weighs, compressed."""
    files = [path for path in WEB.rglob("*") if path.suffix in {".js", ".css", ".html"}]
    return {"bundle_kb_gzip": sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) / 1000}


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What was measured, what was asked for, what came out."""
    live_, paint, busy_ = found["live"], found["first_paint"], found["busy"]
    stalled_, many_, soak_ = found["stalled"], found["many"], found["soak"]
    return [
        (
            "frames a second on the screen, engine at 60 steps/s, 512 x 512",
            ">= 25",
            f"{live_['frames_per_second']:.1f}",
        ),
        (
            "step to pixel, median (95 %)",
            "<= 40 ms",
            f"{live_['latency_p50'] * 1e3:.0f} ms ({live_['latency_p95'] * 1e3:.0f} ms)",
        ),
        ("memory while a client does not read", "flat", f"{stalled_['memory_growth_mib']:+.1f} MiB"),
        (
            "frames a second beside such a client / beside one that reads",
            "the same",
            " / ".join(
                f"{stalled_[f'neighbour_frames_per_second_beside_a_{who}']:.1f}"
                for who in ("stalled_one", "reader")
            ),
        ),
        (
            "answer while a drag computes, same session, 95 % (median)",
            "<= 50 ms",
            f"{busy_['own_p95'] * 1e3:.0f} ms ({busy_['own_p50'] * 1e3:.0f} ms)",
        ),
        (
            "the same in another session",
            "<= 50 ms",
            f"{busy_['other_p95'] * 1e3:.0f} ms ({busy_['other_p50'] * 1e3:.0f} ms)",
        ),
        (
            "from Stop to the end of the run, in steps",
            "<= 1 and the saving",
            f"{busy_['stop_to_ended'] / busy_['seconds_per_step']:.1f} ({busy_['stop_to_ended'] * 1e3:.0f} ms)",
        ),
        (
            "first paint, median (worst)",
            "<= 1.5 s",
            f"{paint['first_paint_median']:.2f} s ({paint['first_paint_worst']:.2f} s)",
        ),
        ("page, gzip", "<= 120 KB", f"{found['bundle']['bundle_kb_gzip']:.1f} KB"),
        (f"{many_['sessions']} sessions drag at once: failed", "0", f"{many_['failed']}"),
        (
            "fewest frames that one of them saw; furthest place in the queue shown",
            "> 0",
            f"{many_['fewest_frames']}; {many_['furthest_position_shown']}",
        ),
        (
            f"memory after {soak_['runs']} runs against after 5",
            "within 10 %",
            f"{soak_['end_mib'] / soak_['base_mib'] - 1:+.1%} ({soak_['base_mib']:.0f} to {soak_['end_mib']:.0f} MiB)",
        ),
    ]


def report(found: dict[str, Any], command: str) -> str:
    """The figures as Markdown, each beside what was asked for."""
    lines = [
        "# The studio",
        "",
        f"{found['machine']}. Command: `{command}`",
        "",
        "| what | asked | got |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {' | '.join(row)} |" for row in rows_of(found)]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--serve", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    parser.add_argument(
        "--only",
        choices=["live", "first_paint", "stalled", "busy", "many", "soak"],
        help="measure this again, and keep the rest of the results",
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
        return
    less = 4 if args.quick else 1
    jobs = {
        "live": lambda server: live(server, 600 // less),
        "first_paint": lambda server: first_paint(server, 7 // less + 1),
        "stalled": lambda server: stalled(server, 600 // less),
        "busy": lambda server: busy(server, 40 // less),
        "many": lambda server: many(server, 8, 120 // less),
        "soak": lambda server: soak(server, 200 // less),
    }
    stored = args.out / "studio.json"
    found: dict[str, Any] = json.loads(stored.read_text()) if args.only and stored.exists() else {}
    found["machine"] = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    found["bundle"] = bundle()
    for name, job in jobs.items():
        if args.only in {None, name}:
            with Server() as server:
                found[name] = job(server)
            print(name, json.dumps(found[name]), flush=True)
    if found.keys() >= jobs.keys():
        command = "python benchmarks/studio.py" + (" --quick" if args.quick else "")
        args.out.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps(found, indent=1) + "\n")
        (args.out / "studio.md").write_text(report(found, command))
        print(report(found, command))


if __name__ == "__main__":
    main()
