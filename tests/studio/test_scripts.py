"""The program and the commands that the studio writes are run, and make the frame again exactly."""

import base64
import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from flat import flat, restore, walk
from pliant.errors import InputError
from pliant.gan.latent import fingerprint
from pliant.gan.vectors import EditVector
from pliant.project import Project
from pliant.steps import Trace
from pliant.studio.script import script
from served import NEVER, SIZE, living_in, make_home

import tiny

SETTINGS = {"step_size": 0.01, "max_steps": 14}


def mask_text():
    image = Image.new("L", (SIZE, SIZE), 30)
    image.paste(255, (4, 4, 26, 20))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def case_seed(page):
    return page.sample(9)


def case_mask_and_locks(page):
    """A feathered mask, a lock in front of the others, settings of every kind."""
    page.sample(2)
    page.do("change", label="Paint", mask=mask_text(), feather=2.5)
    page.points((26, 26, 3, 3), (10.5, 10.25, 20, 14), (20, 8, 18.75, 9), locked=[0], **SETTINGS,
                space="w", exact_grid=False, tracking="l1", block="b16", moving_layers=4, anchoring=0.125)  # fmt: skip
    return page.run()[1]["document"]["at"]


def case_chain(page):
    """A run, a branch from its middle, and a frame before the end of that."""
    page.sample(3)
    page.points((10, 10, 20, 14), **SETTINGS)
    first, _ = page.run()
    page.do("go", place={"node": first["node"], "step": 5}, points="clear")
    page.do("change", label="Paint", mask=mask_text())
    page.points((18, 18, 10, 22), **(SETTINGS | {"step_size": 0.02}))
    second, _ = page.run()
    return {"node": second["node"], "step": 8}


def case_first_frame(page):
    """The frame before anything moved."""
    page.sample(3)
    page.points((10, 10, 20, 14), **SETTINGS)
    return {"node": page.run()[0]["node"], "step": 0}


def case_continued(page):
    page.sample(4)
    page.points((10, 10, 20, 14), **NEVER | {"step_size": 0.004})
    page.start(6)
    page.send("stop")
    page.until("ended")
    page.until("state")
    page.do("change", label="Steps", settings={"step_size": 0.004, "max_steps": 9})
    return page.run(go_on=True)[1]["document"]["at"]


def case_changed_live(page):
    page.sample(5)
    page.points((10, 10, 20, 14), **NEVER | {"step_size": 0.004})
    page.start(4)
    page.send("change", label="Step size", settings={"step_size": 0.008, "max_steps": 11})
    page.until("ended")
    page.until("ended")
    return page.until("state")["document"]["at"]


def case_stopped(page):
    page.sample(6)
    page.points((10, 10, 20, 14), (24, 24, 24, 28), locked=[1], **NEVER | {"step_size": 0.003})
    page.start(5)
    page.send("stop")
    page.until("ended")
    return page.until("state")["document"]["at"]


def repainted(page, at, **settings):
    """Repaint a square of a frame; how that ended and the state after it."""
    ids = page.parts(at)
    ids[6:20, 6:20] = (ids[6:20, 6:20] + 1) % 3
    page.paint(ids, settings=settings)
    return page.run()


def case_repainted(page):
    """Repainted to the end, in a mask, and then dragged."""
    at = page.sample(3)
    page.do("change", label="Paint", mask=mask_text())
    repainted(page, at, max_steps=6, margin=2.5, region="parts")
    page.do("change", label="Mode", edit="drag", clear_mask=True)
    page.points((10, 10, 20, 14), **SETTINGS)
    return page.run()[1]["document"]["at"]


def case_repainted_halfway(page):
    ended, _ = repainted(page, page.sample(4), max_steps=6)
    return {"node": ended["node"], "step": 3}


def case_learnt_edits(page):
    """Two of them on a dragged picture, one with a name that a shell would read."""
    page.sample(5)
    page.points((10, 10, 20, 14), **SETTINGS)
    page.run()
    page.do("change", label="x", edit="vector", vectors={"smile": 1.25, "it's $(HOME); = 2": -0.5})
    return page.run()[1]["document"]["at"]


def case_refined(page):
    page.sample(5)
    page.do("change", label="x", edit="vector", vectors={"smile": 1.0}, settings={"refine_steps": 3})
    return page.run()[1]["document"]["at"]


def case_opened_photo(page):
    """A photo that was opened and dragged."""
    settings = {"candidates": 2, "w_steps": 2, "wplus_steps": 2, "tune_steps": 10}
    page.upload(Image.effect_noise((40, 36), 50).convert("RGB"))
    page.do("change", label="Crop", crop={"box": (2, 1, 32, 32)}, settings=settings)
    page.run()
    page.points((10, 10, 20, 14), **SETTINGS)
    return page.run()[1]["document"]["at"]


def case_photo(page):
    buffer = io.BytesIO()
    Image.effect_noise((24, 16), 70).convert("RGB").save(buffer, "PNG")
    image = page.served.post("/api/images", buffer.getvalue()).json["image"]
    return page.do("use_image", image=image)["document"]["at"]


CASES = {name[5:]: case for name, case in list(globals().items()) if name.startswith("case_")}
BY_COMMAND = ("mask_and_locks", "chain", "stopped", "repainted", "learnt_edits", "refined")


@pytest.fixture(scope="module")
def own_home(tmp_path_factory):
    """A home with learnt edits."""
    home = make_home(tmp_path_factory.mktemp("home"))
    generator = tiny.generator(SIZE)
    (home / "vectors").mkdir()
    for number, name in enumerate(("smile", "it's $(HOME); = 2")):
        offset = 0.3 * torch.randn(generator.config.num_ws, generator.config.w_dim)
        learnt = EditVector(name, offset, ("sea", "land"), fingerprint(generator))
        learnt.save(home / "vectors" / f"{number}.safetensors")
    with living_in(home):
        yield


@pytest.fixture(scope="module")
def told(served, tmp_path_factory):
    """Of every case: the pixels, and a folder with the program, the commands and the project."""
    made = {}
    for name, case in CASES.items():
        with served.page() as page:
            place = case(page)
            page.send("ask_script", place=place)
            answer = page.until("script")
            folder = tmp_path_factory.mktemp(name)
            (folder / "program.py").write_text(answer["python"])
            (folder / "commands.sh").write_text(answer["command"])
            (folder / "project.pliant").write_bytes(page.export("project", place)[1])
            made[name] = (pixels(page.frame(place)), folder)
    return made


def pixels(source):
    data = io.BytesIO(source) if isinstance(source, bytes) else source
    return np.asarray(Image.open(data).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def programs_run(told):
    """All programs run, in one process, because loading torch takes longer than all of them."""
    runner = (
        "import os, runpy, sys\n"
        "for folder in sys.argv[1:]:\n"
        "    os.chdir(folder)\n"
        "    runpy.run_path('program.py')\n"
    )
    folders = [str(folder) for _, folder in told.values()]
    run([sys.executable, "-W", "error", "-c", runner, *folders])


@pytest.fixture(scope="module")
def commands_run(told, tmp_path_factory):
    """All commands run as a person would, by a shell."""
    tools = tmp_path_factory.mktemp("bin")
    pliant = tools / "pliant"
    pliant.write_text(f'#!/bin/sh\nexec {sys.executable} -m pliant.cli "$@" --device cpu --quiet\n')
    pliant.chmod(0o755)
    for name in BY_COMMAND:
        folder = told[name][1]
        run(["sh", "-e", "commands.sh"], cwd=folder, path=f"{tools}:{os.environ['PATH']}")


def run(words, cwd=None, path=None):
    # as many threads as the studio here has: sums over more threads may differ in the last bit
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | ({"PATH": path} if path else {})
    done = subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", CASES)
def test_the_program_makes_the_frame_again_exactly(told, programs_run, name):
    expected, folder = told[name]
    made = pixels(folder / "result.png")
    assert np.array_equal(made, expected), np.abs(made - expected).max()


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_commands_make_the_frame_again_exactly(told, commands_run, name):
    expected, folder = told[name]
    made = pixels(folder / "result.png")
    assert np.array_equal(made, expected), np.abs(made - expected).max()


def test_what_no_command_can_repeat_says_so(told):
    for name in ("continued", "changed_live", "photo", "repainted_halfway", "opened_photo"):
        (line,) = (told[name][1] / "commands.sh").read_text().splitlines()
        assert line.startswith("#"), name
        assert line.endswith(".")
    assert re.fullmatch(
        r"pliant sample --model tiny --seed 9 --psi 0\.7 --out result\.png",
        (told["seed"][1] / "commands.sh").read_text().strip(),
    )


def test_only_what_differs_from_the_defaults_is_written(told):
    program = (told["stopped"][1] / "program.py").read_text()
    assert "step_size=0.003" in program
    assert "max_steps=5000" in program
    assert "mask_weight" not in program
    assert "locked=[False, True]" in program
    assert "project" not in program


def test_lines_are_short_enough_to_read(told):
    for _, folder in told.values():
        assert max(len(line) for line in (folder / "program.py").read_text().splitlines()) < 240


# ---- hostile projects


def test_values_of_a_foreign_project_are_never_code():
    evil = "x=1) or __import__('os').system('touch canary') or dict(y"
    project = Project(restore)
    project.add(flat(100))
    inputs = {"handles": [[1.0, 2.0]], "targets": [[3.0, 4.0]], "locked": [False]}
    node = project.add_run(
        Trace(list(walk(2, 9))), "drag", inputs, {evil: 1, "step_size": f"1); {evil}", "block": evil}
    )
    python, command = script(project, node.id, 1)
    compile(python, "program", "exec")
    assert evil + "=" not in python
    assert repr(evil) in python, "text stays text"
    assert command.startswith("#")
    other = project.add_run(Trace(list(walk(2, 9))), "os.system")
    with pytest.raises(InputError, match="There is no edit"):
        script(project, other.id, 1)


def test_a_run_without_its_picture_gets_a_sentence(page):
    page.sample()
    assert "no such frame" in page.refused("ask_script", place={"node": "f" * 16, "step": 0})
