"""A real server, a real Chromium, and projects to begin with."""

import shutil
from pathlib import Path

import pytest
from person import Studio
from playwright.sync_api import sync_playwright
from studio_process import end, start

import pliant
from pliant import catalogue
from pliant.project import Project
from pliant.settings import settings_facts

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SEED = 9
CORNER = (107, 178)
"""The left corner of the mouth of that portrait."""
STEPS = 6


def pytest_collection_modifyitems(items):
    """On a busy machine a page may be late: a test here that fails runs once more, which the summary says (RERUN)."""
    for each in items:
        if Path(__file__).parent in each.path.parents:
            each.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="module")
def serve():
    """Starts studios of a home; they end after the pages of a test closed, which complain of a lost server."""
    started = []

    def make(home):
        started.append(start(home))
        return started[-1]

    yield make
    for each in started:
        end(each)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = start(tmp_path_factory.mktemp("studio_home"))
    yield running
    end(running)


@pytest.fixture(scope="module")
def chromium():
    """Not for the whole session: while Playwright lives, no other test of this process can run an event loop."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "these tests need Chromium: `make chromium` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def portrait_file(tmp_path_factory):
    """A project of one portrait."""
    path = tmp_path_factory.mktemp("portrait") / "portrait.pliant"
    project = Project()
    project.add(pliant.sample("portraits-256", seed=SEED))
    project.save(path)
    return path


@pytest.fixture(scope="session")
def dragged_file(tmp_path_factory):
    """A project of one portrait and a short drag."""
    path = tmp_path_factory.mktemp("dragged") / "dragged.pliant"
    picture = pliant.sample("portraits-256", seed=SEED)
    drag = catalogue.get("drag")
    inputs = catalogue.Inputs(handles=[CORNER], targets=[(85, 150)])
    settings = drag.make_settings({"max_steps": STEPS, "step_size": 0.01})
    run = drag.run(picture, inputs, settings)
    assert len(list(run)) == STEPS
    project = Project()
    project.add(picture)
    project.add_run(run.trace, "drag", inputs.named(picture.size), settings_facts(settings))
    project.save(path)
    return path


@pytest.fixture
def new_studio(chromium, server):
    """Makes a page, with options of the browser's context; the page must not have complained at the end."""
    made = []

    def make(at=server, **options) -> Studio:
        context = chromium.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "accept_downloads": True} | options
        )
        context.set_default_timeout(20_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        made.append(Studio(context, at))
        return made[-1]

    yield make
    for each in made:
        each.context.close()
    assert not [error for each in made for error in each.errors]


@pytest.fixture
def studio(new_studio):
    """A page that has not been opened."""
    return new_studio()


@pytest.fixture
def portrait(studio, portrait_file):
    """The editor with one portrait."""
    return studio.open_copy(portrait_file)


@pytest.fixture
def dragged(studio, dragged_file):
    """The editor with one portrait and a short drag."""
    return studio.open_copy(dragged_file)


@pytest.fixture
def repaint(portrait):
    """The editor in the mode that repaints, with the parts in view."""
    portrait.click("mode-repaint")
    portrait.until("!!s.parts")
    return portrait
