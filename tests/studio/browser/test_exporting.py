"""What is taken out opens elsewhere and says how it was made."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

import pliant
from pliant.images import read_metadata
from pliant.project import Project

STEPS = 6


def export(studio, what: str, file_format: str | None = None, *switches: str, fps: int | None = None):
    """Export from the dialog; the downloaded file."""
    studio.click("export")
    studio.click(f"export-what-{what}")
    if file_format:
        studio.click(f"export-format-{file_format}")
    for switch in switches:
        studio.get(f"export-{switch}").check()
    if fps:
        studio.get("export-fps").fill(str(fps))
    with studio.page.expect_download(timeout=30_000) as waiting:
        studio.click("export-start")
    name = waiting.value.suggested_filename
    assert name in studio.words("export-done")
    studio.click("export-dialog-close")
    return name, waiting.value.path()


def frames(file_format: str, path) -> list[np.ndarray]:
    """All frames of an animation."""
    if file_format in ("mp4", "webm"):
        with av.open(path) as container:
            return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with Image.open(path) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


# ---- pictures


def test_a_png_says_how_it_was_made(dragged):
    name, path = export(dragged, "picture")
    assert name.endswith("-5.png")
    facts = read_metadata(path)
    assert facts["edit"] == "drag"
    assert facts["steps"] == STEPS
    assert facts["settings"]["max_steps"] == STEPS
    assert facts["inputs"]["handles"] == [[107, 178]]
    image = np.asarray(Image.open(path).convert("RGB")).astype(float)
    assert (image == dragged.frame(dragged.read("document.at"))).all()


@pytest.mark.parametrize("file_format", ["jpg", "webp"])
def test_other_picture_formats(dragged, file_format):
    name, path = export(dragged, "picture", file_format)
    assert name.endswith(f".{file_format}")
    image = np.asarray(Image.open(path).convert("RGB")).astype(float)
    assert np.abs(image - dragged.frame(dragged.read("document.at"))).mean() < 5
    assert read_metadata(path)["edit"] == "drag"


# ---- animations


@pytest.mark.parametrize("file_format", ["mp4", "webm", "gif", "webp-animation"])
def test_an_animation_has_every_step(dragged, file_format):
    name, path = export(dragged, "animation", file_format, fps=10)
    assert name.endswith(".webp" if file_format == "webp-animation" else f".{file_format}")
    shown = frames(file_format, path)
    held = 2 * 5 if file_format in ("mp4", "webm") else 0  # half a second at either end; else one long frame
    assert len(shown) == STEPS + held
    assert shown[0].shape == (256, 256, 3)
    last = dragged.frame(dragged.read("document.at"))
    assert np.abs(shown[-1].astype(float) - last).mean() < 12
    if file_format == "mp4":
        with av.open(path) as container:
            assert container.streams.video[0].average_rate == Fraction(10)


def test_there_and_back_again_with_marks_up_to_the_shown_step(dragged):
    dragged.get("scrubber").fill("3")
    dragged.until("s.view.place.step === 3")
    plain = frames("webp-animation", export(dragged, "animation", "webp-animation")[1])
    assert len(plain) == 4
    _, path = export(dragged, "animation", "webp-animation", "marks", "boomerang")
    marked = frames("webp-animation", path)
    assert len(marked) in (6, 7)
    assert np.abs(marked[1].astype(float) - marked[5]).mean() < 3
    assert np.abs(marked[0].astype(float) - plain[0]).max() > 100


def test_an_export_is_cancelled_and_another_begun_at_once(dragged):
    downloads = []
    dragged.page.on("download", lambda download: downloads.append(download.suggested_filename))
    dragged.click("export")
    dragged.click("export-what-animation")
    dragged.click("export-format-webm")
    dragged.get("export-fps").fill("60")
    dragged.get("export-boomerang").check()
    dragged.click("export-start")
    dragged.click("export-cancel")
    dragged.get("export-progress").wait_for(state="detached")
    assert dragged.get("export-done").count() == 0
    dragged.click("export-dialog-close")
    name, _ = export(dragged, "picture")
    assert downloads == [name]
    assert dragged.get("problem-export").count() == 0


def test_a_picture_without_a_run_has_no_animation(portrait):
    portrait.click("export")
    assert portrait.get("export-what-animation").locator("input").is_disabled()
    assert portrait.get("export-what-latent").locator("input").is_enabled()


# ---- codes, projects, programs


@pytest.mark.parametrize("space", ["w", "w+"])
def test_the_latent_of_a_drag_in_w_and_in_w_plus(portrait, space):
    start = pliant.sample("portraits-256", seed=9)
    portrait.point((107, 178), (85, 150))
    portrait.set("max_steps", 4)
    if space == "w":
        portrait.click("setting-space-w")
        portrait.until("s.state.document.settings.drag.space === 'w'")
    portrait.run_to_end()
    name, path = export(portrait, "latent")
    assert name.endswith(".safetensors")
    moved = pliant.LatentPicture.open_latent(path, start.generator)
    ways = (moved.ws - start.ws)[:6]
    assert float(ways.abs().max()) > 0.001
    assert bool(ways.sub(ways[:1]).abs().max() < 1e-5) == (space == "w")
    shown = portrait.frame(portrait.read("document.at"))
    assert np.abs(np.asarray(moved.render()).astype(float) - shown).mean() < 1


def test_a_project_opens_in_the_library(dragged):
    name, path = export(dragged, "project")
    assert name.endswith(".pliant")
    renamed = path.with_suffix(".pliant")
    path.rename(renamed)
    project = Project.open(renamed)
    assert [node.edit for node in project.nodes.values()] == [None, "drag"]
    picture = np.asarray(project.picture().render()).astype(float)
    assert np.abs(picture - dragged.frame(dragged.read("document.at"))).mean() < 1


def test_the_program_and_the_command_are_copied(dragged):
    dragged.click("export")
    dragged.click("export-what-script")
    text = dragged.get("script-text")
    dragged.until("document.querySelector('[data-testid=script-text]').value.length > 50")
    python = text.input_value()
    compile(python, "script", "exec")
    assert "pliant.sample('portraits-256', seed=9, truncation_psi=0.7)" in python
    dragged.click("script-copy")
    dragged.until("document.querySelector('[data-testid=script-copy]').innerText === 'Copied'")
    assert dragged.page.evaluate("navigator.clipboard.readText()") == python
    dragged.click("script-language-command")
    command = text.input_value()
    assert command.startswith("pliant drag --model portraits-256 --seed 9")
    assert "--handle 107.0,178.0 --target 85.0,150.0" in command
    dragged.until("document.querySelector('[data-testid=script-copy]').innerText !== 'Copied'")
    dragged.click("script-copy")
    dragged.until("document.querySelector('[data-testid=script-copy]').innerText === 'Copied'")
    assert dragged.page.evaluate("navigator.clipboard.readText()") == command
