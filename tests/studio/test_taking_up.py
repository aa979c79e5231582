"""A project that was made elsewhere is taken up with the points, the mask and the settings of its last run."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pliant import catalogue
from pliant.cli import main
from pliant.errors import InputError
from pliant.gan.latent import sample
from pliant.project import Project
from pliant.settings import settings_facts
from pliant.steps import Step, Trace
from pliant.studio.disk import SessionFolder
from pliant.studio.inputs import taken_up
from pliant.studio.script import script

import tiny


def test_points_mask_and_settings_of_a_run_come_back(tmp_path):
    edit = catalogue.get("drag")
    mask = torch.zeros(64, 64)
    mask[10:50, 8:40] = 1
    inputs = catalogue.Inputs([(20, 20), (40, 40)], [(28, 20), (40, 40)], [False, True], mask)
    settings = edit.make_settings({"max_steps": 4, "space": "w"})
    run = edit.run(sample(tiny.generator(64), 1), inputs, settings)
    steps = list(run)
    project = Project()
    project.add(steps[0].picture)
    node = project.add_run(run.trace, "drag", inputs.named((64, 64)), settings_facts(settings))
    folder = SessionFolder(tmp_path)
    taken = taken_up(project, node, edit, folder)
    assert taken["settings"] == {"drag": {"max_steps": 4, "space": "w"}}
    assert [point.locked for point in taken["points"]] == [False, True]
    assert [point.target for point in taken["points"]] == [(28, 20), (40, 40)]
    assert torch.equal(torch.tensor([point.handle for point in taken["points"]]), steps[-1].handles)
    stored = np.asarray(Image.open(io.BytesIO(folder.masks.read(taken["mask"].image))))
    assert (stored == mask.numpy() * 255).all()


def taken(page):
    """The document of a session that was just opened, and the kinds of its nodes."""
    state = page.log[-1]
    return state["document"], [(node["kind"], node["edit"]) for node in state["nodes"]]


def test_a_photo_that_was_opened_by_a_command_is_there(served, tmp_path):
    Image.effect_noise((48, 40), 50).convert("RGB").save(tmp_path / "photo.png")
    out = tmp_path / "photo.pliant"
    words = [
        "invert",
        str(tmp_path / "photo.png"),
        "--out",
        str(out),
        "--model",
        "tiny",
        "--crop",
        "2,3,30,30",
    ]
    quick = [
        "--candidates",
        "2",
        "--w-steps",
        "2",
        "--wplus-steps",
        "2",
        "--tune-steps",
        "10",
        "--device",
        "cpu",
    ]
    assert main([*words, *quick, "--quiet"]) == 0
    session = served.post("/api/projects", out.read_bytes()).json["session"]
    with served.page(session) as page:
        document, nodes = taken(page)
        assert nodes == [("pixels", None), ("latent", "invert")]
        assert document["edit"] == "drag"
        run = page.log[-1]["nodes"][-1]
        assert (run["photo"], run["size"], document["at"]["node"]) == (True, [32, 32], run["id"])
        page.points((10, 10, 16, 12), max_steps=3)
        _, state = page.run()
        data = page.export("png", state["document"]["at"], photo=True)[1]
        assert Image.open(io.BytesIO(data)).size == (48, 40)


def test_a_repaint_and_learnt_edits_are_taken_up_in_their_modes(served, page):
    at = page.sample(3)
    ids = page.parts(at)
    ids[6:20, 6:20] = (ids[6:20, 6:20] + 1) % 3
    page.paint(ids, settings={"max_steps": 2, "margin": 3.5})
    _, state = page.run()
    data = page.export("project", state["document"]["at"])[1]
    with served.page(served.post("/api/projects", data).json["session"]) as again:
        document, _ = taken(again)
        assert (document["edit"], document["parts"]) == ("repaint", None), "what was painted is done"
        assert document["settings"] == {"repaint": {"max_steps": 2, "margin": 3.5}}


def test_a_damaged_part_map_breaks_no_script():
    project = Project()
    picture = sample(tiny.generator(32), 1)
    root = project.add(picture)
    for damaged in (torch.zeros(3, 4, 5), torch.zeros(0, 4), torch.zeros(4)):
        node = project.add_run(Trace([Step(0, picture)]), "repaint", {"parts": damaged}, {}, parent=root.id)
        with pytest.raises(InputError, match="is no picture"):
            script(project, node.id, 0)
    node = project.add_run(Trace([Step(0, picture)]), "repaint", {}, {}, parent=root.id)
    with pytest.raises(InputError, match="lost the painted parts"):
        script(project, node.id, 0)
