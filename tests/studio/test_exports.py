"""Every file that the studio writes is opened by the program that it is for."""

import io
import time

import av
import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load

from pliant import __version__
from pliant.gan.latent import LatentPicture, load_generator
from pliant.images import read_metadata
from pliant.project import Project
from served import NEVER, SIZE


@pytest.fixture(scope="module")
def dragged(served):
    """A page with a run of 12 steps."""
    with served.page() as page:
        page.sample(2)
        page.points((10, 10, 20, 14), (25, 25, 25, 25), locked=[1], max_steps=12, step_size=0.01)
        ended, state = page.run()
        page.node, page.last = ended["node"], state["document"]["at"]
        page.first = {"node": state["nodes"][0]["id"], "step": 0}
        yield page


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_png_is_the_frame_and_says_what_made_it(dragged):
    place = {"node": dragged.node, "step": 5}
    name, data = dragged.export("png", place)
    assert name == f"pliant-{dragged.node[:6]}-5.png"
    assert np.array_equal(decoded(data), decoded(dragged.frame(place)))
    facts = read_metadata(data)
    assert facts["software"] == f"pliant {__version__}"
    assert facts["picture"]["origin"] == {"seed": 2, "truncation_psi": 0.7}
    assert facts["picture"]["model"] == "tiny"
    assert (facts["edit"], facts["steps"]) == ("drag", 6)
    assert facts["settings"]["max_steps"] == 12
    assert facts["settings"]["step_size"] == 0.01
    assert facts["inputs"] == {
        "handles": [[10, 10], [25, 25]],
        "targets": [[20, 14], [25, 25]],
        "locked": [False, True],
    }


def test_a_picture_that_no_edit_made_says_so_too(dragged):
    _, data = dragged.export("png", dragged.first)
    facts = read_metadata(data)
    assert "edit" not in facts
    assert facts["picture"]["origin"]["seed"] == 2


@pytest.mark.parametrize(("kind", "pillow"), [("jpg", "JPEG"), ("webp", "WEBP")])
def test_other_stills_are_close_to_the_frame(dragged, kind, pillow):
    name, data = dragged.export(kind, dragged.last)
    assert name.endswith(f".{kind}")
    assert Image.open(io.BytesIO(data)).format == pillow
    assert abs(decoded(data) - decoded(dragged.frame(dragged.last))).mean() < 8
    assert read_metadata(data)["steps"] == 12


@pytest.mark.parametrize("boomerang", [False, True])
@pytest.mark.parametrize("kind", ["mp4", "webm", "gif", "webp-animation"])
def test_animations_play(dragged, kind, boomerang):
    place = {"node": dragged.node, "step": 7}
    name, data = dragged.export(kind, place, boomerang=boomerang, marks=boomerang, fps=10)
    assert name.endswith({"webp-animation": ".webp"}.get(kind, f".{kind}"))
    steps, held = 8, 5
    expected = steps + 2 * held + (steps + 2 * held - 2 if boomerang else 0)
    if kind in {"mp4", "webm"}:
        with av.open(io.BytesIO(data)) as film:
            frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
        assert len(frames) == expected
        first, last = frames[0], frames[steps + 2 * held - 1]
    else:
        film = Image.open(io.BytesIO(data))
        times, pictures = [], []
        for index in range(film.n_frames):
            film.seek(index)
            film.load()
            times.append(film.info["duration"])
            pictures.append(np.asarray(film.convert("RGB")).astype(int))
        assert sum(times) == pytest.approx(expected * 100, rel=0.02), "equal frames may be one"
        first, last = pictures[0], pictures[len(pictures) // 2 if boomerang else -1]
    assert first.shape[0] == first.shape[1] >= SIZE
    if not boomerang:  # no marks
        assert abs(first - decoded(dragged.frame({"node": dragged.node, "step": 0}))).mean() < 14
        assert abs(last - decoded(dragged.frame(place))).mean() < 14


def test_a_latent_makes_the_same_picture(dragged):
    name, data = dragged.export("latent", dragged.last)
    assert name.endswith(".safetensors")
    (ws,) = [value for key, value in load(data).items() if key == "ws"]
    picture = LatentPicture(load_generator("tiny"), ws)
    assert np.array_equal(np.asarray(picture.render()).astype(int), decoded(dragged.frame(dragged.last)))


def test_a_project_opens_with_every_step(dragged, tmp_path):
    name, data = dragged.export("project", dragged.last)
    assert name.endswith(".pliant")
    path = tmp_path / name
    path.write_bytes(data)
    project = Project.open(path)
    assert project.nodes[dragged.node].steps == 12
    for step in (0, 6, 11):
        picture = project.picture(dragged.node, step).render()
        frame = dragged.frame({"node": dragged.node, "step": step})
        assert np.array_equal(np.asarray(picture).astype(int), decoded(frame))
    assert project.nodes[dragged.node].inputs["handles"] == [[10, 10], [25, 25]]


def test_an_exported_project_comes_back_as_a_session(served, dragged):
    _, data = dragged.export("project", dragged.last)
    opened = served.post("/api/projects", data)
    assert opened.status == 200, opened.body
    with served.page(opened.json["session"]) as page:
        state = page.log[-1]
        assert [node["steps"] for node in state["nodes"]] == [1, 12]
        assert state["document"]["at"] == dragged.last
        assert page.frame(dragged.last) == dragged.frame(dragged.last)
        page.points((12, 12, 16, 16), max_steps=3)
        assert page.run()[0]["steps"] == 3


def test_what_cannot_be_exported_gets_a_sentence(dragged):
    assert "only one frame" in dragged.refused("export", format="mp4", place=dragged.first)
    assert "only one frame" in dragged.refused(
        "export", format="gif", place={"node": dragged.node, "step": 0}
    )
    assert "no such frame" in dragged.refused(
        "export", format="png", place={"node": dragged.node, "step": 12}
    )
    assert "no such frame" in dragged.refused("export", format="png", place={"node": "0" * 16, "step": 0})
    assert dragged.export("png", dragged.last)[1]


def test_a_photo_has_no_latent(served, page):
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "PNG")
    page.do("use_image", image=served.post("/api/images", buffer.getvalue()).json["image"])
    place = page.state()["document"]["at"]
    assert "only generated pictures" in page.refused("export", format="latent", place=place)
    assert page.export("png", place)[1]


def test_an_export_tells_how_far_it_is_and_can_be_given_up(served, page):
    page.sample()
    page.points((10, 10, 20, 14), step_size=1e-9, max_steps=200)
    _, state = page.run()
    place = state["document"]["at"]
    page.send("export", format="gif", place=place, boomerang=True)
    progress = page.until("export_progress")
    assert 0 < progress["done"] <= progress["total"] == 200
    assert "wait for it" in page.refused("export", format="png", place=place)
    page.send("cancel_export")
    ends = time.monotonic() + 10
    while True:  # the next export is taken once the first is given up
        page.send("export", format="png", place=place)
        answer = page.until("exported", "problem")
        if answer["type"] == "exported":
            break
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert answer["name"].endswith(".png")
    folder = served.studio.sessions[page.session].folder
    assert [path.suffix for path in folder.exports.iterdir()] == [".png"], "nothing half-written is left"


def test_a_run_goes_on_while_a_film_of_another_is_written(page):
    page.sample()
    page.points((10, 10, 20, 14), max_steps=30, step_size=1e-9)
    _, state = page.run()
    page.points((10, 10, 20, 14), **NEVER)
    page.start(2)
    page.send("export", format="mp4", place=state["document"]["at"])
    page.until("exported")
    assert page.state()["run"]["state"] == "running"
    page.send("stop")
    page.until("ended")
