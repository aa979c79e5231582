"""A server that is killed, or asked to end, in the middle of a run; and the one that comes after it."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from pliant.studio.studio import Studio
from served import NEVER, Served, living_in, make_home, serve

SAVES = 0.3
"""Seconds between two savings of a run here."""
PROGRAM = f"""
import sys
import pliant.studio.runs
pliant.studio.runs.SAVE_SECONDS = {SAVES}
from pliant.cli import main
sys.exit(main(["studio", "--no-browser", "--port", "0", "--device", "cpu", "--model", "tiny"]))
"""


@contextmanager
def started(home):
    """A server of its own process, and how to reach it."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PLIANT_HOME": str(home), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = ""
        while not line.startswith("http"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
        port, token = re.search(r":(\d+)/\?token=(\w+)", line).groups()
        yield process, Served(int(port), token)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def again(home):
    """The server that comes after it, in this process, which is there sooner."""
    with living_in(home), serve(Studio(home / "studio", model="tiny")) as served:
        yield served


def ended(process):
    """What a process says on its way out, and how long that takes."""
    began = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors, errors
    return time.monotonic() - began


def begun(page):
    """A run with something before it in the history; what the page shows then."""
    page.sample(3)
    page.points((10, 10, 20, 14))
    page.points((10, 10, 20, 14), (20, 20, 24, 20), **NEVER)
    page.start(3)


def test_after_kill_9_nothing_but_the_last_moments_of_the_run_is_lost(tmp_path):
    home = make_home(tmp_path)
    with started(home) as (process, served), served.page() as page:
        begun(page)
        time.sleep(4 * SAVES)
        seen = page.see(10)
        before = page.state()
        time.sleep(2 * SAVES)  # one more saving, so that what was seen is saved
        process.send_signal(signal.SIGKILL)
        process.wait()
        session = page.session
    history = home / "studio" / session / "history.jsonl"
    with history.open("ab") as file:
        file.write(history.read_bytes().splitlines()[-1][:-20])  # as if it had died while it wrote a line
    with again(home) as served:
        listed = served.get("/api/projects").json
        assert [(each["session"], each["nodes"]) for each in listed] == [(session, 2)]
        with served.page(session) as page:
            state = page.log[-1]
            assert state["document"] == before["document"]
            assert state["undo"] == before["undo"] == "Set up"
            assert state["run"] is None
            assert [node["id"] for node in state["nodes"]] == [node["id"] for node in before["nodes"]]
            run = state["nodes"][1]
            assert run["steps"] > seen["step"]
            assert len(page.facts(run["id"])["facts"]) == run["steps"]
            for step in (0, seen["step"], run["steps"] - 1):
                assert page.frame({"node": run["id"], "step": step})
            place = {"node": run["id"], "step": run["steps"] - 1}
            assert page.do("go", place=place, points="follow")["document"]["at"] == place
            page.points((10, 10, 20, 14), max_steps=3)
            assert page.run()[0]["steps"] == 3
            assert len(page.do("undo")["nodes"]) == 3
    with again(home) as served, served.page(session) as page:
        assert len(page.log[-1]["nodes"]) == 3
        assert page.log[-1]["redo"] == "Drag points", "even undo is remembered"


@pytest.mark.parametrize(("how", "paused"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_asked_to_end_it_keeps_every_step(tmp_path, how, paused):
    home = make_home(tmp_path)
    with started(home) as (process, served), served.page() as page:
        begun(page)
        if paused:
            page.send("pause")
            while page.until("state")["run"]["state"] != "paused":
                pass
        seen = page.log[-1] if paused else page.see(8)
        process.send_signal(how)
        assert ended(process) < 12
        session = page.session
    steps = seen["run"]["step"] if paused else seen["step"]
    with again(home) as served, served.page(session) as page:
        state = page.log[-1]
        run = state["nodes"][-1]
        assert run["steps"] > steps
        assert state["document"]["at"] == {"node": run["id"], "step": run["steps"] - 1}
        assert state["undo"] == "Drag points"
        assert page.frame(state["document"]["at"])
