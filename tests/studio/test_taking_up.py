"""A project that was made elsewhere is taken up with the points, the mask and the settings of its last run."""

import io

import numpy as np
import torch
from PIL import Image

from pliant import catalogue
from pliant.gan.latent import sample
from pliant.project import Project
from pliant.settings import settings_facts
from pliant.studio.disk import SessionFolder
from pliant.studio.inputs import taken_up

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
