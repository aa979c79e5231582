"""Errors, stops, lost connections, second tabs."""

import numpy as np
import pytest

LEFT, FAR = (107, 178), (60, 110)


def problem(studio, about: str) -> str:
    """The sentence beside what caused it."""
    studio.get(f"problem-{about}").wait_for()
    return studio.get(f"problem-{about}").locator("p").inner_text()


# ---- sentences


@pytest.mark.parametrize(
    ("field", "name", "about", "words"),
    [
        ("choose-image-file", "face.png", "picture", "image"),
        ("open-project-file", "face.pliant", "project", "project"),
    ],
)
def test_a_damaged_file_is_refused_in_a_sentence(studio, field, name, about, words):
    studio.expected = ("400",)
    studio.open()
    file = {"name": name, "mimeType": "image/png", "buffer": b"not what it says"}
    studio.get(field).set_input_files(file)
    sentence = problem(studio, about)
    assert words in sentence.lower()
    assert sentence.endswith(".")
    assert studio.page.get_by_role("alert").count() == 1
    studio.click(f"problem-{about}-dismiss")
    studio.get(f"problem-{about}").wait_for(state="detached")
    assert studio.read("state.nodes") == []


def test_a_run_that_cannot_begin_says_why_beside_the_run(portrait):
    portrait.point(LEFT, FAR)
    portrait.point((150, 60), (170, 60))
    portrait.pull((150, 60), LEFT)
    portrait.until("s.state.undo === 'Move handle'")
    portrait.click("run")
    assert "on top of each other" in problem(portrait, "run")
    assert portrait.read("run") is None
    assert portrait.page.locator(".runbar [data-testid=problem-run]").is_visible()
    portrait.click("problem-run-dismiss")
    portrait.get("problem-run").wait_for(state="detached")
    portrait.click("undo")
    portrait.set("max_steps", 3)
    portrait.run_to_end()


def test_more_steps_than_the_server_allows_are_refused_beside_the_settings(portrait):
    field = portrait.get("setting-max_steps")
    field.fill("6000")
    field.press("Enter")
    assert problem(portrait, "settings") == "A run here may take at most 5000 steps (max_steps)."


# ---- stop


def test_stop_takes_effect_within_a_step(portrait):
    portrait.point(LEFT, FAR)
    portrait.run()
    portrait.until("s.run.step >= 2")
    portrait.page.evaluate(
        "document.querySelector('[data-testid=stop]').click(); window.pressed = __pliant.run.step"
    )
    portrait.ended(2)
    ended, pressed = portrait.read("ended"), portrait.page.evaluate("window.pressed")
    assert ended["reason"] == "interrupted"
    assert ended["steps"] - 1 <= pressed + 6  # what the page knew may be a report (0.2 s) old
    assert portrait.read("document.at.step") == ended["steps"] - 1
    assert portrait.get("run").is_enabled()


# ---- the connection


class Wire:
    """The page's socket, to be cut."""

    def __init__(self, page) -> None:
        self.cut = False
        self.open = []
        page.route_web_socket("**/api/ws", self._connect)

    def _connect(self, socket) -> None:
        if self.cut:
            socket.close()
            return
        socket.connect_to_server()
        self.open.append(socket)

    def drop(self) -> None:
        """Cut it, and let nobody through."""
        self.cut = True
        for socket in self.open:
            socket.close()
        self.open.clear()


def test_a_lost_connection_loses_nothing(studio, portrait_file):
    wire = Wire(studio.page)
    studio.open_copy(portrait_file)
    studio.point(LEFT, (90, 160))
    wire.drop()
    studio.get("connection-lost").wait_for()
    assert "Nothing is gone" in studio.words("connection-lost")
    studio.tap(150, 60)
    studio.tap(170, 60)
    studio.until("s.document.points.length === 2")
    assert studio.read("state.document.points.length") == 1
    wire.cut = False
    studio.page.evaluate(  # unless the page has come back by itself just now
        "document.querySelector('[data-testid=connection-retry]')?.click()"
    )
    studio.get("connection-lost").wait_for(state="detached")
    studio.until("s.state.document.points.length === 2")
    assert studio.read("state.undo") == "Add point"


def test_a_run_goes_on_while_the_connection_is_lost(studio, portrait_file):
    wire = Wire(studio.page)
    studio.open_copy(portrait_file)
    studio.point(LEFT, FAR)
    studio.run()
    wire.drop()
    studio.get("connection-lost").wait_for()
    step, frames = studio.read("run.step"), studio.read("frames")
    wire.cut = False
    studio.get("connection-lost").wait_for(state="detached")
    studio.until(f"s.run?.step > {step} && s.frames > {frames}")
    studio.click("stop")
    studio.ended(2)
    assert np.abs(studio.frame(studio.read("document.at")) - studio.frame(_root(studio))).mean() > 0.2


def _root(studio) -> dict:
    return {"node": studio.read("state.nodes[0].id"), "step": 0}


def test_a_second_tab_takes_over_and_the_first_says_so(portrait, new_studio):
    portrait.point(LEFT, (90, 160))
    second = new_studio()
    second.context.request.get(second.server.url)
    second.open_session(portrait.read("session"))
    assert second.read("document") == portrait.read("document")
    assert problem(portrait, "connection") == "This project was opened in another tab or window."
    assert portrait.words("connection-retry") == "Use it here"
    second.point((150, 60), (170, 60))
    portrait.page.wait_for_timeout(300)
    assert len(portrait.read("state.document.points")) == 1
    portrait.click("connection-retry")
    portrait.until("s.state.document.points.length === 2")
    assert portrait.get("connection-lost").count() == 0
    assert problem(second, "connection") == "This project was opened in another tab or window."


def test_a_project_that_is_gone(studio):
    studio.context.request.get(studio.server.url)
    studio.page.goto(f"{studio.server.base}/#{'0' * 32}", wait_until="domcontentloaded")
    assert "no such project" in problem(studio, "connection")
    studio.click("connection-new")
    studio.get("gallery").wait_for()
