"""One person's work over a real socket, with real drags on a tiny model."""

import base64
import io
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from websockets.exceptions import ConnectionClosed

from pliant import catalogue
from pliant.gan.drag import DragSettings, drag
from pliant.gan.latent import sample
from pliant.studio.studio import Studio
from served import NEVER, SIZE, serve


def mask_text(box=(0, 0, 16, SIZE)):
    image = Image.new("L", (SIZE, SIZE))
    image.paste(255, box)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def labels(page):
    """What undo leads back through, the newest first; the document is left where it was."""
    found, state = [], page.state()
    while state["undo"]:
        found.append(state["undo"])
        state = page.do("undo")
    for _ in found:
        page.do("redo")
    return found


# ---- greeting and pictures


def test_a_newcomer_is_told_what_there_is(served, page):
    welcome = page.welcome
    assert [edit["name"] for edit in welcome["edits"]] == [edit.name for edit in catalogue.EDITS]
    assert welcome["models"][0]["name"] == "tiny"
    assert (welcome["device"], welcome["test"], welcome["video"]) == ("cpu", True, True)
    state = page.log[-1]
    assert (state["nodes"], state["undo"], state["redo"], state["run"], state["saved"]) == (
        [],
        None,
        None,
        None,
        True,
    )
    empty = {"points": [], "mask": None, "parts": None, "vectors": {}, "model": None, "crop": None}
    layers = {"hidden": [], "shown": [], "locked": [], "unlocked": [], "swatches": {}}
    empty |= {"prompts": [], "words": None, "layers": layers, "boxes": []}
    empty |= {"things": [], "other": None, "prompt": "", "diffuser": None, "candidates": []}
    assert state["document"] == {"edit": "drag", "at": None, "settings": {}} | empty
    assert page.refused("start") == "Choose a picture first."


def test_a_sample_is_the_picture_of_its_seed(served, page):
    state = page.do("sample", model="tiny", seed=5, psi=0.5)
    (node,) = state["nodes"]
    assert (node["title"], node["size"], node["steps"], node["kind"]) == ("Seed 5", [SIZE, SIZE], 1, "latent")
    assert state["document"]["at"] == {"node": node["id"], "step": 0}
    expected = np.asarray(sample("tiny", 5, 0.5).render()).astype(int)
    assert np.array_equal(decoded(page.frame(state["document"]["at"])), expected)
    small = served.get("/api/gallery/tiny/5?psi=0.5&width=16")
    assert (small.status, small.headers["content-type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(small.body)).size == (16, 16)
    assert "max-age" in small.headers["cache-control"]
    assert served.get("/api/gallery/tiny/-1").status in {400, 422}
    assert served.get("/api/gallery/nothing/1").sentence.endswith(".")


def test_a_photo_is_kept_and_opened_in_the_mode_for_photos(served, page):
    photo = Image.effect_noise((40, 24), 60).convert("RGB")
    buffer = io.BytesIO()
    photo.save(buffer, "PNG")
    uploaded = served.post("/api/images", buffer.getvalue()).json
    assert uploaded["size"] == [40, 24]
    state = page.do("use_image", image=uploaded["image"])
    (node,) = state["nodes"]
    assert (node["kind"], node["size"], node["title"]) == ("pixels", [40, 24], "Photo")
    assert np.array_equal(decoded(page.frame(state["document"]["at"])), np.asarray(photo).astype(int))
    assert state["document"]["edit"] == "invert"
    page.do("change", label="Mode", edit="drag")
    page.points((5, 5, 9, 9))
    page.send("start")
    assert page.until("problem")["sentence"] == "'drag' edits latent pictures; this is a pixels picture."
    assert page.until("state")["run"] is None
    with served.page(page.session) as again:
        assert again.log[-1]["nodes"] == [node]
        assert np.array_equal(
            decoded(again.frame({"node": node["id"], "step": 0})), np.asarray(photo).astype(int)
        )


def test_going_to_a_picture_of_another_size_clears_the_points(served, page):
    first = page.sample()
    page.points((30, 30, 9, 9))
    page.do("change", label="Paint", mask=mask_text())
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "PNG")
    page.do("use_image", image=served.post("/api/images", buffer.getvalue()).json["image"])
    state = page.do("go", place=first)
    assert (state["document"]["at"], state["document"]["points"], state["document"]["mask"]) == (
        first,
        [],
        None,
    )


# ---- the document


def test_every_change_is_one_step_of_undo(page):
    page.sample()
    page.points((10, 10, 20, 20))
    page.do("change", label="Paint", mask=mask_text(), feather=1.5)
    painted = page.do("change", label="Step size", settings={"step_size": 0.01})["document"]
    assert painted["mask"]["feather"] == 1.5
    assert painted["settings"] == {"drag": {"step_size": 0.01}}
    cleared = page.do("change", label="Clear", points=[], clear_mask=True)["document"]
    assert (cleared["points"], cleared["mask"]) == ([], None)
    assert labels(page) == ["Clear", "Step size", "Paint", "Set up"]
    assert page.do("undo")["document"] == painted
    state = page.do("undo")
    assert (state["document"]["settings"], state["undo"], state["redo"]) == (
        {"drag": {}},
        "Paint",
        "Step size",
    )
    page.do("undo")
    state = page.do("undo")
    assert (state["undo"], state["document"]["points"]) == (None, [])
    assert page.do("undo")["document"]["at"], "the picture stays"
    for _ in range(4):
        state = page.do("redo")
    assert (state["document"], state["redo"]) == (cleared, None)


def test_a_mask_is_served_and_can_be_used_again(served, page):
    page.sample()
    mask = page.do("change", label="Paint", mask=mask_text())["document"]["mask"]
    answer = served.get(f"/api/sessions/{page.session}/masks/{mask['image']}")
    assert answer.headers["content-type"] == "image/png"
    assert np.array_equal(decoded(answer.body), decoded(base64.b64decode(mask_text())))
    page.do("change", label="Clear", clear_mask=True)
    again = page.do("change", label="Feather", mask={"image": mask["image"], "feather": 4.0})
    assert again["document"]["mask"] == {"image": mask["image"], "feather": 4.0}
    assert "no such mask" in page.refused("change", label="x", mask={"image": "0" * 64, "feather": 0})


def test_undo_and_redo_lead_across_results(page):
    start = page.sample()
    page.points((10, 10, 14, 10), max_steps=5)
    ended, state = page.run()
    result = state["document"]
    assert result["at"] == {"node": ended["node"], "step": 4}
    assert state["undo"] == "Drag points"
    before = page.do("undo")
    assert before["document"]["at"] == start
    assert before["document"]["points"][0]["handle"] == [10, 10]
    assert len(before["nodes"]) == 2, "the run stays in the tree"
    assert page.do("redo")["document"] == result


def test_going_to_a_frame_keeps_clears_or_follows_the_points(page):
    start = page.sample()
    page.points((10, 10, 20, 12), max_steps=30, step_size=0.02)
    ended, state = page.run()
    facts = page.facts(ended["node"])
    assert facts["targets"] == [[20, 12]]
    assert [fact["step"] for fact in facts["facts"]] == list(range(ended["steps"]))
    assert state["document"]["points"][0]["handle"] == facts["facts"][-1]["handles"][0]
    middle = {"node": ended["node"], "step": 7}
    page.points((10, 10, 20, 12))
    kept = page.do("go", place=middle)["document"]
    assert (kept["at"], kept["points"][0]["handle"]) == (middle, [10, 10])
    followed = page.do("go", place=middle, points="follow")["document"]
    assert followed["points"][0]["handle"] == facts["facts"][7]["handles"][0]
    assert followed["points"][0]["target"] == [20, 12]
    branched = page.do("go", place=middle, points="clear")
    assert (branched["document"]["points"], branched["undo"]) == ([], "Branch")
    page.points((12, 12, 9, 9), max_steps=3)
    _, state = page.run()
    assert state["nodes"][-1]["parent"] == ended["node"]
    assert state["nodes"][-1]["from_step"] == 7
    assert page.do("go", place=start)["document"]["at"] == start
    for place in ({"node": ended["node"], "step": 999}, {"node": "0" * 16, "step": 0}):
        assert page.refused("go", place=place) == "There is no such frame in the project."
        page.until("state")


def test_weak_handles_get_hints_once_the_points_rest(page):
    page.sample()
    page.points((10, 10, 14, 10), (20, 20, 21, 21))
    hints = page.until("hints")["hints"]
    expected = catalogue.get("drag").warn(
        sample("tiny", 1, 0.7), catalogue.Inputs(handles=[(10, 10), (20, 20)]), DragSettings()
    )
    assert [(hint["point"], hint["sentence"]) for hint in hints] == [
        (note.point, note.sentence) for note in expected
    ]
    page.points()
    assert page.until("hints")["hints"] == []


# ---- runs


def test_a_run_is_the_library_call(page):
    page.sample(3)
    page.points((10, 10, 20, 14), max_steps=25, step_size=0.01)
    ended, state = page.run()
    steps = list(
        drag(
            sample("tiny", 3, 0.7),
            [(10, 10)],
            [(20, 14)],
            settings=DragSettings(max_steps=25, step_size=0.01),
        )
    )
    assert (ended["reason"], ended["steps"]) == ("max_steps", len(steps))
    facts = page.facts(ended["node"])["facts"]
    for step, fact in zip(steps, facts, strict=True):
        assert fact["handles"] == step.handles.tolist()
        assert fact["distances"] == pytest.approx(step.distances.tolist(), abs=1e-3)
        assert fact["loss"] == pytest.approx(step.loss, rel=1e-5)
    last = np.asarray(steps[-1].picture.render()).astype(int)
    assert np.array_equal(decoded(page.frame(state["document"]["at"])), last)
    while 24 not in [each["step"] for each in page.log if each["type"] == "frame"]:
        page.receive()  # words come before pictures
    frames = [each for each in page.log if each["type"] == "frame"]
    assert [fact["step"] for frame in frames for fact in frame["facts"]] == list(range(25))
    assert frames[-1]["step"] == 24
    assert Image.open(io.BytesIO(frames[-1]["image"])).format == "JPEG"


def test_a_run_pauses_goes_on_and_stops(page):
    page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.start(3)
    page.send("pause")
    while (state := page.until("state"))["run"]["state"] != "paused":
        pass
    step = state["run"]["step"]
    time.sleep(0.2)
    assert page.state()["run"]["step"] <= step + 1
    page.send("resume")
    page.see(step + 5)
    page.send("stop")
    ended = page.until("ended")
    assert ended["reason"] == "interrupted"
    assert ended["steps"] > step + 5
    state = page.until("state")
    assert (state["run"], state["saved"]) == (None, True)
    assert state["document"]["at"]["step"] == ended["steps"] - 1


def test_a_paused_run_can_be_stopped(page):
    page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.start()
    page.send("pause")
    while page.until("state")["run"]["state"] != "paused":
        pass
    page.send("stop")
    assert page.until("ended")["reason"] == "interrupted"


@pytest.mark.parametrize(
    "steers", [["stop"], ["pause", "stop"], ["pause", "resume", "stop"], ["resume", "pause", "stop"]]
)
def test_a_stop_that_follows_a_start_at_once_is_heard(page, steers):
    page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.send("start")
    for steer in steers:
        page.send(steer)
    ended = page.until("ended", seconds=5)
    assert (ended["reason"], ended["steps"] < 50) == ("interrupted", True)
    assert page.until("state")["run"] is None


def test_steering_nothing_does_nothing(page):
    page.sample()
    for steer in ("stop", "pause", "resume", "cancel_export"):
        page.send(steer)
    assert page.state()["run"] is None
    page.points((10, 10, 20, 14), max_steps=3)
    assert page.run()[0]["steps"] == 3


def test_only_steering_is_taken_while_something_runs(page):
    start = page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.start()
    refused = {
        "start": {},
        "sample": {"model": "tiny", "seed": 2},
        "use_image": {"image": "0" * 64},
        "go": {"place": start},
        "change": {"label": "x", "points": []},
    }
    for kind, fields in refused.items():
        assert page.refused(kind, **fields).startswith("Stop the run first"), kind
    for fields in ({"mask": mask_text()}, {"clear_mask": True}, {"edit": "drag"}):
        assert page.refused("change", label="x", **fields).startswith("Stop the run first")
    fixed = page.refused("change", label="x", settings={**NEVER, "space": "w", "block": "b16"})
    assert fixed == "Stop the run before changing block, space."
    page.send("undo")
    assert page.until("ended")["reason"] == "interrupted", "undo takes what runs back first"


# ---- going on


def interrupted_at(steps):
    """The drag of the catalogue, stopped by itself after so many steps without having arrived."""

    def start(picture, inputs, settings, after):
        count = steps if after is None else 10**9
        for index, step in enumerate(
            drag(picture, inputs.handles, inputs.targets, movable=inputs.mask, locked=inputs.locked,
                 settings=settings, after=after)
        ):  # fmt: skip
            yield step
            if index == count - 1:
                return

    return replace(catalogue.get("drag"), start=start)


def test_going_on_is_the_same_as_never_having_stopped(own_home, tmp_path):
    points, settings = ((10, 10, 20, 14), (22, 20, 18, 26)), {"step_size": 0.01, "max_steps": 40}
    with serve(Studio(tmp_path, model="tiny", edits=[interrupted_at(13)])) as served, served.page() as page:
        page.sample(4)
        page.points(*points, locked=[1], **settings)
        first, state = page.run()
        assert first["steps"] == 13
        second, state = page.run(go_on=True)
        project = served.studio.sessions[page.session].project
        whole = list(drag(sample("tiny", 4, 0.7), [p[:2] for p in points], [p[2:] for p in points],
                          locked=[False, True], settings=DragSettings(**settings)))  # fmt: skip
        assert state["nodes"][-1]["parent"] == first["node"]
        assert project.nodes[second["node"]].inputs["goes_on"] is True
        parts = [*project.trace(first["node"])[:-1], *project.trace(second["node"])]
        assert len(parts) == 12 + 40
        for one, other in zip(whole, parts, strict=False):
            assert torch.equal(one.handles, other.handles)
            assert torch.allclose(one.picture.ws, other.picture.ws, atol=1e-5)


def test_without_its_memory_a_run_begins_anew(served, page):
    page.sample()
    page.points((10, 10, 20, 14), max_steps=5)
    first, _ = page.run()
    page.do("go", place={"node": first["node"], "step": 2}, points="follow")
    second, _ = page.run(go_on=True)
    project = served.studio.sessions[page.session].project
    assert project.nodes[second["node"]].inputs.get("goes_on") is True
    page.do("go", place={"node": first["node"], "step": 1}, points="follow")
    third, _ = page.run(go_on=True)
    assert "goes_on" not in project.nodes[third["node"]].inputs, "another run has ended since"


def test_settings_changed_live_make_a_run_that_goes_on(served, page):
    page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.start(3)
    page.send("change", label="Step size", settings={**NEVER, "step_size": 2e-9})
    first = page.until("ended")
    while True:
        state = page.until("state")
        if state["run"] and state["document"]["settings"]["drag"]["step_size"] == 2e-9:
            break
    frame = page.see(2)
    assert frame["node"] != first["node"]
    page.send("stop")
    second = page.until("ended")
    assert second["node"] == frame["node"]
    node = page.until("state")["nodes"][-1]
    assert (node["parent"], node["from_step"]) == (first["node"], None)
    project = served.studio.sessions[page.session].project
    assert project.nodes[second["node"]].inputs["goes_on"] is True
    assert project.nodes[second["node"]].settings["step_size"] == 2e-9
    assert project.nodes[first["node"]].settings["step_size"] == 1e-9


def test_a_paused_run_stays_paused_when_its_settings_change(page):
    page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.start(3)
    page.send("pause")
    page.send("change", label="Step size", settings={**NEVER, "step_size": 2e-9})
    page.until("ended")
    while True:
        state = page.until("state")
        if (
            state["run"]
            and state["document"]["settings"]["drag"]["step_size"] == 2e-9
            and state["run"]["state"] == "paused"
        ):
            break
    page.send("stop")
    page.until("ended")


def test_a_live_change_that_cannot_be_leaves_the_run(page):
    page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.start(3)
    for settings in ({"step_size": -1}, {"max_steps": 6000}, {"nothing": 1}):
        assert page.refused("change", label="x", settings={**NEVER, **settings}).endswith(".")
    assert page.state()["run"]["state"] == "running"
    page.send("stop")
    page.until("ended")


def test_a_stop_right_after_a_live_change_stops_both(page):
    page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.start(3)
    page.send("change", label="Step size", settings={**NEVER, "step_size": 2e-9})
    page.send("stop")
    ends = time.monotonic() + 5
    while page.state()["run"] is not None:
        assert time.monotonic() < ends, "the run goes on although it was stopped"
        time.sleep(0.02)
    time.sleep(0.1)
    assert page.state()["run"] is None


# ---- more than one page


def test_a_second_tab_takes_over(served, page):
    page.sample()
    page.points((10, 10, 20, 14), **NEVER)
    page.start()
    with served.page(page.session) as other:
        assert other.log[-1]["run"] is not None
        assert page.until("problem")["sentence"] == "This project was opened in another tab or window."
        with pytest.raises(ConnectionClosed):
            page.drain()
        other.see(1)
        other.send("stop")
        assert other.until("ended")["steps"] > 1
        assert other.until("state")["run"] is None


def test_a_run_goes_on_when_its_page_leaves(served):
    with served.page() as page:
        page.sample()
        page.points((10, 10, 20, 14), step_size=1e-9, max_steps=150)
        page.start(3)
    time.sleep(0.2)
    with served.page(page.session) as again:
        state = again.log[-1]
        while state["run"] is not None:
            time.sleep(0.02)
            state = again.state()
        assert state["nodes"][-1]["steps"] == 150
        assert state["document"]["at"]["step"] == 149
        assert len(again.facts(state["nodes"][-1]["id"])["facts"]) == 150


def test_a_page_that_stops_reading_slows_nobody(served):
    with served.page(draws=False) as lazy, served.page() as page:
        for each in (lazy, page):
            each.sample()
            each.points((10, 10, 20, 14), step_size=1e-9, max_steps=200)
        lazy.send("start")
        ended, _ = page.run()
        assert ended["steps"] == 200
        lazy.until("ended")
        frames = [each for each in lazy.log if each["type"] == "frame"]
        assert len(frames) == 2, "no more than the window"
        lazy.send("ack", number=frames[-1]["number"])
        last = lazy.until("frame")
        assert last["step"] == 199
        told = [fact["step"] for frame in [*frames, last] for fact in frame["facts"]]
        assert told == list(range(200))


def test_projects_are_listed_shown_and_removed(served):
    with served.page() as page:
        place = page.sample(7)
        listed = served.get("/api/projects").json
        assert (listed[0]["session"], listed[0]["title"], listed[0]["nodes"]) == (page.session, "Seed 7", 1)
        thumb = served.get(f"/api/projects/{page.session}/thumb")
        assert Image.open(io.BytesIO(thumb.body)).size == (SIZE, SIZE)
        assert "close it there first" in served.delete(f"/api/projects/{page.session}").sentence
        assert page.frame(place)
    time.sleep(0.1)
    assert served.delete(f"/api/projects/{page.session}").status == 200
    assert page.session not in [each["session"] for each in served.get("/api/projects").json]
    assert served.get(f"/api/sessions/{page.session}/nodes/{place['node']}").status == 400


def test_a_project_without_a_picture_has_no_thumb(served, page):
    assert (
        served.get(f"/api/projects/{page.session}/thumb").sentence
        == "There is no picture in this project yet."
    )


# ---- stopping


def test_stop_comes_after_at_most_one_more_step_and_control_is_answered_meanwhile(own_home, tmp_path):
    taken = []

    def start(picture, inputs, settings, after):
        for step in drag(picture, inputs.handles, inputs.targets, settings=settings, after=after):
            busy = time.perf_counter() + 0.05
            while time.perf_counter() < busy:
                torch.zeros(64, 64).exp()
            taken.append(time.monotonic())
            yield step

    slow = replace(catalogue.get("drag"), start=start)
    with serve(Studio(tmp_path, model="tiny", edits=[slow])) as served, served.page() as page:
        page.sample()
        page.points((10, 10, 20, 14), **NEVER)
        page.start(3)
        waits = []
        for _ in range(20):
            began = time.monotonic()
            page.state()
            waits.append(time.monotonic() - began)
        assert sorted(waits)[-3] < 0.25, "state while the device is busy"
        stopped = time.monotonic()
        page.send("stop")
        ended = page.until("ended")
        assert sum(moment > stopped for moment in taken) <= 2, (
            "the step in progress, and perhaps the one begun meanwhile"
        )
        assert ended["steps"] == len(taken)
