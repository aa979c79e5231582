import os
import threading

import pytest
import torch

from flat import flat, restore, walk
from pliant.errors import InputError, PliantError
from pliant.project import Project, StoredStep
from pliant.steps import PointStep, Step, Trace


def level(picture):
    """The grey level of a flat picture."""
    return picture.image().getpixel((0, 0))[0]


@pytest.fixture
def project():
    """A base, a run of six steps from it, and a second run from step 2 of the first."""
    project = Project(restore)
    base = project.add(flat(100, note="base"))
    first = project.add_run(
        Trace(list(walk(5, 100))),
        "drag",
        {"handles": [[4.0, 16.0]], "targets": [[9.0, 16.0]], "mask": torch.eye(4) / 3},
        {"step_size": 0.002},
    )
    project.add_run(Trace(list(walk(3, 2))), "drag", parent=first.id, from_step=2)
    assert base.parent is None
    return project


def same(one, other):
    """Whether two projects hold the same."""
    return one.nodes == other.nodes and one.current == other.current and one._states == other._states


def test_a_project_comes_back_as_it_was_saved(project, tmp_path):
    project.save(tmp_path / "a.pliant")
    opened = Project.open(tmp_path / "a.pliant", restore)
    assert same(project, opened)
    base, first, second = opened.nodes.values()
    assert (base.edit, base.steps, base.facts) == (None, 1, [{"width": 48, "height": 32, "note": "base"}])
    assert (first.edit, first.parent, first.steps, first.settings) == (
        "drag",
        base.id,
        6,
        {"step_size": 0.002},
    )
    assert (second.parent, second.from_step, second.steps) == (first.id, 2, 2)
    assert opened.current == second.id
    assert level(opened.picture(base.id)) == 100
    assert [level(opened.picture(first.id, step)) for step in range(6)] == [100, 101, 102, 103, 104, 105]
    assert level(opened.picture(first.id)) == 105
    assert level(opened.picture()) == 101


def test_inputs_and_measurements_come_back(project, tmp_path):
    project.save(tmp_path / "a.pliant")
    opened = Project.open(tmp_path / "a.pliant", restore)
    first = list(opened.nodes)[1]
    inputs = opened.inputs(first)
    assert torch.equal(inputs.pop("mask"), torch.eye(4) / 3)
    assert inputs == {"handles": [[4.0, 16.0]], "targets": [[9.0, 16.0]]}
    assert opened.numbers(first)["loss"].shape == (6,)
    assert opened.numbers(first)["handles"][:, 0, 0].tolist() == [4, 5, 6, 7, 8, 9]
    assert opened.numbers(next(iter(opened.nodes))) == {}


def test_saving_twice_gives_the_same_states_without_encoding(project, tmp_path, monkeypatch):
    project.save(tmp_path / "a.pliant")
    monkeypatch.setattr("pliant.project.save_tensors", None)
    opened = Project.open(tmp_path / "a.pliant", restore)
    opened.save(tmp_path / "b.pliant")
    assert (tmp_path / "a.pliant").read_bytes()[-100:] != b""
    assert same(Project.open(tmp_path / "b.pliant", restore), project)


def test_undo_and_redo_lose_nothing(project):
    base, first, second = project.nodes
    assert project.undo().id == first
    assert project.undo().id == base
    assert project.undo() is None
    assert project.redo().id == first
    assert project.redo().id == second
    assert project.redo() is None
    project.undo()
    project.undo()
    branch = project.add_run(Trace(list(walk(1, 1))), "drag")
    assert branch.parent == base
    assert project.redo() is None
    assert [node.id for node in project.children(base)] == [first, branch.id]
    assert len(project.nodes) == 4


def test_redo_survives_saving(project, tmp_path):
    _, first, second = project.nodes
    project.undo()
    project.save(tmp_path / "a.pliant")
    opened = Project.open(tmp_path / "a.pliant", restore)
    assert opened.current == first
    assert opened.redo().id == second


def test_any_node_can_be_selected_and_branched_from(project):
    base, first, _ = project.nodes
    assert project.select(base).id == base
    assert project.add_run(Trace(list(walk(1, 1))), "drag", parent=first, from_step=5).parent == first
    other = project.add(flat(7))
    assert [node.id for node in project.children(None)] == [base, other.id]


def test_steps_may_differ_in_their_facts():
    project = Project(restore)
    notes = ["a", "b", "a", "a"]
    project.add(flat(0))
    node = project.add_run(Trace([Step(i, flat(i, note=note)) for i, note in enumerate(notes)]), "drag")
    assert len(node.facts) == 2
    assert [project.picture(step=i).note for i in range(4)] == notes
    assert [level(project.picture(step=i)) for i in range(-4, 0)] == [0, 1, 2, 3]


def test_what_is_not_there_gets_a_sentence(project):
    empty = Project(restore)
    assert empty.undo() is None
    for ask in (empty.picture, empty.inputs, empty.numbers):
        with pytest.raises(InputError, match="The project is empty"):
            ask()
    with pytest.raises(InputError, match="The project is empty"):
        empty.add_run(Trace(list(walk(1, 1))), "drag")
    with pytest.raises(InputError, match="There is no node 'x'"):
        project.select("x")
    with pytest.raises(InputError, match="There is no step 2; this run has the steps 0 to 1"):
        project.picture(step=2)
    with pytest.raises(InputError, match="There is no step -3"):
        project.picture(step=-3)
    with pytest.raises(InputError, match="A run without steps"):
        project.add_run(Trace(), "drag")
    with pytest.raises(InputError, match="began from step 2, but its parent has 2 steps"):
        project.add_run(Trace(list(walk(1, 1))), "drag", from_step=2)
    with pytest.raises(InputError, match="must be JSON-ready"):
        project.add_run(Trace(list(walk(1, 1))), "drag", {"mask": object()})
    with pytest.raises(InputError, match="must be JSON-ready"):
        project.add_run(Trace(list(walk(1, 1))), "drag", settings={"step_size": float("nan")})
    assert len(project.nodes) == 3


def test_a_run_can_be_recorded_while_it_goes_on(tmp_path):
    project = Project(restore)
    project.add(flat(100))
    steps = list(walk(5, 100))
    node = project.add_run(Trace(steps[:2]), "drag", {"mask": torch.eye(4)}, {"step_size": 0.1})
    project.undo()
    longer = project.extend_run(node.id, Trace(steps))
    assert project.current == node.parent  # whoever looks elsewhere meanwhile stays there
    assert project.redo() == longer
    assert (longer.id, longer.created, longer.steps, longer.settings) == (
        node.id,
        node.created,
        6,
        {"step_size": 0.1},
    )
    assert len(project.nodes) == 2
    project.save(tmp_path / "a.pliant")
    opened = Project.open(tmp_path / "a.pliant", restore)
    assert level(opened.picture()) == 105
    assert torch.equal(opened.inputs()["mask"], torch.eye(4))
    assert opened.numbers()["loss"].shape == (6,)


def test_an_empty_project_can_be_saved(tmp_path):
    Project(restore).save(tmp_path / "a.pliant")
    assert Project.open(tmp_path / "a.pliant", restore).nodes == {}


def test_a_save_that_fails_leaves_the_old_file(project, tmp_path, monkeypatch):
    path = tmp_path / "a.pliant"
    project.save(path)
    before = path.read_bytes()
    project.add(flat(1))

    def full(_):  # a full disk cannot be had for a test
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PliantError, match="The disk is full"):
        project.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saving_while_a_run_is_added_gives_a_whole_project(tmp_path):
    project = Project(restore)
    project.add(flat(0))
    done = threading.Event()

    def work():
        for _ in range(60):
            node = project.add_run(Trace(list(walk(2, 1))), "drag")
            project.extend_run(node.id, Trace(list(walk(2, 9))))
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    saves = 0
    while not done.is_set() or saves == 0:
        project.save(tmp_path / "a.pliant")
        Project.open(tmp_path / "a.pliant", restore).picture()
        saves += 1
    worker.join()
    assert len(project.nodes) == 61


def test_the_trace_of_a_stored_run_is_that_of_the_run(project):
    run = next(node for node in project.nodes.values() if node.steps == 6)
    trace, original = project.trace(run.id), list(walk(5, 100))
    assert [step.index for step in trace] == [0, 1, 2, 3, 4, 5]
    assert [level(step.picture) for step in trace] == [100, 101, 102, 103, 104, 105]
    for stored, step in zip(trace, original, strict=True):
        assert isinstance(stored, StoredStep)
        assert isinstance(stored, PointStep), "so that its frames can carry marks"
        assert torch.equal(stored.handles, step.handles)
        assert torch.equal(stored.targets, step.targets)
        assert torch.equal(stored.distances, step.distances)
        assert float(stored.numbers["loss"]) == pytest.approx(step.loss)
    plain, marked = list(trace.frames()), list(trace.frames(marks=True))
    assert plain[3].tobytes() != marked[3].tobytes()


def test_the_trace_of_a_picture_is_one_step_without_points(project):
    base = next(node for node in project.nodes.values() if node.edit is None)
    (step,) = project.trace(base.id)
    assert (step.index, level(step.picture), step.numbers) == (0, 100, {})
    assert step.handles.shape == step.targets.shape == (0, 2)
    assert step.distances.shape == (0,)
    assert [frame.tobytes() for frame in project.trace(base.id).frames(marks=True)] == [step.image.tobytes()]


def test_a_project_of_a_tree_keeps_its_states_where_they_are(project):
    states = dict(project._states)
    other = Project.of(project.tree(), states, restore)
    assert same(project, other)
    added = other.add(flat(7))
    assert added.id in states, "new states go there as well"
    assert added.id not in project.nodes
    assert level(other.picture(added.id)) == 7


def test_a_state_with_more_steps_than_the_tree_knows_is_read_as_far_as_that(project):
    run = next(node for node in project.nodes.values() if node.steps == 6)
    tree = project.tree()
    longer = list(walk(8, 100))
    project.extend_run(run.id, Trace(longer))
    before = Project.of(tree, project._states, restore)
    assert [level(step.picture) for step in before.trace(run.id)] == [100, 101, 102, 103, 104, 105]
    with pytest.raises(InputError, match="no step 6"):
        before.picture(run.id, 6)
