"""Runs on drawings in projects: what no step changes is kept once, and every picture comes back to the bit."""

from dataclasses import dataclass, replace

import pytest
import torch
from safetensors.torch import load, save

from pliant.errors import InputError
from pliant.images import read_metadata
from pliant.project import Project
from pliant.restoring import loader
from pliant.steps import Step, Trace
from pliant.vector.outline import Path, assemble, polygon
from pliant.vector.scene import FLOATS, Group, VectorPicture

STEPS = 20


@dataclass(frozen=True, eq=False)
class Said(Step):
    """A step like those of edits with prompts."""

    agreement: tuple[float, ...]


@pytest.fixture
def picture():
    """Forty triangles in two layers."""
    corners = torch.rand(40, 3, 2, generator=torch.Generator().manual_seed(0)).mul(30).tolist()
    paths = [
        Path([polygon(each)], (0.1, 0.2, index / 40), group=index % 2) for index, each in enumerate(corners)
    ]
    groups = (Group("below", "Below"), Group("above", "Above"))
    return VectorPicture(assemble(paths, (30, 30), groups=groups), origin={"file": "a.svg"})


def moving(picture, *, points=True, colours=True):
    """A run that changes points or colours a little each step."""
    scene = picture.scene
    changes = {}
    for index in range(STEPS):
        changes |= {"points": scene.points + 0.1 * index} if points else {}
        changes |= {"colours": (scene.colours + 0.01 * index).clamp(0, 1)} if colours else {}
        yield Said(index, picture.with_scene(scene.with_(**changes)), (0.1, 0.01 * index))


def stored(project, node):
    """The tensors of a node as the file has them."""
    return load(project._states[node.id])


def equal(one, other):
    """Whether two drawings are the same to the bit, with everything about them."""
    (tensors, facts), (others, theirs) = one.state(), other.state()
    return facts == theirs and all(torch.equal(tensors[name], others[name]) for name in tensors)


def test_every_step_comes_back_and_can_start_a_branch(picture, tmp_path):
    project = Project()
    project.add(picture)
    steps = list(moving(picture))
    run = project.add_run(Trace(steps), "restyle", {"prompts": [{"text": "a", "box": None, "strength": 1.0}]})
    project.add_run(Trace(steps[:3]), "restyle", parent=run.id, from_step=7)
    project.save(tmp_path / "a.pliant")
    opened = Project.open(tmp_path / "a.pliant")
    for index, step in enumerate(opened.trace(run.id)):
        assert equal(step.picture, steps[index].picture)
        assert equal(opened.picture(run.id, index), steps[index].picture)
    assert opened.nodes[opened.current].from_step == 7
    agreement = opened.numbers(run.id)["agreement"]
    assert agreement.shape == (STEPS, 2)
    assert agreement[3].tolist() == pytest.approx([0.1, 0.03])


@pytest.mark.parametrize(
    ("changing", "kept"), [({}, STEPS), ({"colours": False}, STEPS), ({"points": False}, STEPS)]
)
def test_what_no_step_changes_is_kept_once(picture, changing, kept):
    project = Project()
    project.add(picture)
    node = project.add_run(Trace(list(moving(picture, **changing))), "restyle")
    copies = {}
    for name in stored(project, node):
        step, _, own = name.partition("/")
        copies[own] = copies.get(own, 0) + step.isdecimal()
    for name in picture.state()[0]:
        changes = name in {"points", "colours"} and changing.get(name, True)
        assert copies[name] == (kept if changes else 1), name


def test_a_layer_hidden_between_steps_is_kept_where_it_changes(picture):
    hidden = replace(picture.scene, hidden=torch.ones_like(picture.scene.hidden))
    scenes = [picture.scene, picture.scene, hidden, hidden, picture.scene]
    project = Project()
    project.add(picture)
    pictures = [picture.with_scene(scene) for scene in scenes]
    project.add_run(Trace([Step(index, each) for index, each in enumerate(pictures)]), "layers")
    assert [equal(project.picture(step=index), each) for index, each in enumerate(pictures)] == [True] * 5
    assert stored(project, project.nodes[project.current])["since/hidden"].tolist() == [0, 0, 2, 2, 4]


def test_drawings_of_rounds_may_differ_in_everything(picture):
    project = Project()
    project.add(picture)
    half = picture.with_scene(replace(picture.scene.subset(torch.arange(9)), groups=picture.scene.groups[:2]))
    project.add_run(Trace([Step(0, half), Step(1, picture), Step(2, picture)]), "trace")
    assert [len(project.picture(step=index).scene) for index in range(3)] == [9, 40, 40]
    assert equal(project.picture(step=2), picture)


@pytest.mark.parametrize(
    "change",
    [
        {"since/points": torch.zeros(3, dtype=torch.int64)},
        {"since/opacity": torch.zeros(STEPS)},
        {"since/opacity": torch.zeros(STEPS, 2, dtype=torch.int64)},
        {"since/opacity": torch.full((STEPS,), 99)},
        {"since/opacity": torch.full((STEPS,), -1)},
        {"0/lengths": torch.full((40,), 2**62)},
        {"0/parts": torch.zeros(0, dtype=torch.int64)},
        {"0/parts": torch.tensor(4)},
        {"0/colour_of": torch.full((40,), 77)},
        {"0/opacity": torch.zeros(40, dtype=torch.complex64)},
        {"0/closed": torch.zeros(40)},
        {"5/points": torch.full((360, 2), float("nan"))},
        {"5/points": torch.zeros(2, 2)},
        *({f"5/{name}": torch.zeros(0)} for name in FLOATS[:2]),
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_damaged_state_gets_a_sentence(picture, change):
    project = Project()
    project.add(picture)
    node = project.add_run(Trace(list(moving(picture))), "restyle")
    project._states[node.id] = save(stored(project, node) | change)
    with pytest.raises(InputError, match=r"damaged|drawing"):
        project.picture(step=5)


@pytest.mark.parametrize(
    "change",
    [
        {"size": [1e9, 1e9]},
        {"size": [float("nan"), 30]},
        {"size": 30},
        {"size": None},
        {"scale": float("inf")},
        {"scale": -1},
        {"background": [0.5]},
        {"background": "white"},
        {"names": [""]},
        {"names": None},
        {"groups": None},
        {"groups": [{"id": "a"}]},
        {"groups": [{"id": "a", "label": "A", "parent": 0}, {"id": "b", "label": "B", "parent": -1}]},
        {"groups": []},
    ],
    ids=str,
)
def test_facts_that_no_drawing_has_get_a_sentence(picture, change):
    tensors, facts = picture.state()
    assert equal(loader()("vector", tensors, facts), picture)
    with pytest.raises(InputError, match=r"drawing|too large"):
        loader()("vector", tensors, facts | change)


def test_a_drawing_of_too_many_points_is_refused_before_anything_is_computed(picture):
    tensors, facts = picture.state()
    with pytest.raises(InputError, match="too large: at most 3,000,000 points"):
        loader()("vector", tensors | {"points": torch.zeros(3_000_001, 2)}, facts)


def test_points_far_away_are_drawn_in_no_time(picture):
    far = picture.with_scene(picture.scene.with_(points=picture.scene.points * 1e30))
    assert far.pixels().shape == (3, 30, 30)


def test_an_image_of_a_drawing_says_where_it_comes_from_not_what_every_path_is_called(picture, tmp_path):
    named = replace(picture.scene, names=tuple(f"path {index}" for index in range(40)))
    picture.with_scene(named).save(tmp_path / "a.jpg", {"edit": "restyle"})
    facts = read_metadata(tmp_path / "a.jpg")
    assert facts["picture"] == {"kind": "vector", "size": [30, 30], "paths": 40, "origin": {"file": "a.svg"}}
    assert facts["edit"] == "restyle"
