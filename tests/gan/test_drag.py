"""Drags: the published loop's fixture, the method's formulas, points, masks, locks, stopping and going on."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from pliant.errors import InputError
from pliant.gan import windows
from pliant.gan.drag import DragSettings, drag, drag_many
from pliant.gan.drag_loop import DragLoop, LoopInput
from pliant.gan.latent import LatentPicture, load_generator

import tiny
from paths import FIXTURES

NOT_LOCKED = torch.zeros(1, dtype=torch.bool)
PLAIN = DragSettings(precision="float32", max_steps=5)


@pytest.fixture(scope="module")
def picture():
    generator = tiny.generator(64)
    return LatentPicture(
        generator, generator.mapping(torch.randn(1, 16, generator=torch.Generator().manual_seed(1)))[0]
    )


@pytest.fixture(scope="module")
def published():
    return load_generator(FIXTURES / "drag-256.pkl"), dict(np.load(FIXTURES / "drag-256.npz"))


def test_published_settings_repeat_the_official_loop(published):
    generator, expected = published
    settings = DragSettings.published(
        step_size=float(expected["lr"]), mask_weight=float(expected["lambda_mask"]), max_steps=12
    )
    steps = drag(
        LatentPicture(generator, torch.from_numpy(expected["w0"])[0]),
        expected["handles"][:, ::-1].copy(),
        expected["targets"][:, ::-1].copy(),
        movable=1 - expected["mask"],
        settings=settings,
    )
    for index, step in enumerate(steps):
        assert np.array_equal(step.handles.flip(1).numpy(), expected["points"][index]), index
        assert torch.allclose(step.picture.ws, torch.from_numpy(expected["ws"][index, 0]), atol=1e-4), index
    assert index == 11


def test_the_first_step_is_the_start_itself(picture):
    step = next(drag(picture, [[20, 30]], [[30, 30]], settings=PLAIN))
    assert step.index == 0
    assert torch.equal(step.picture.ws, picture.ws)
    assert step.handles.tolist() == [[20, 30]]
    assert step.distances.tolist() == [10]


def test_a_drag_moves_only_its_layers_and_lowers_its_loss(picture):
    last = list(drag(picture, [[20, 30]], [[40, 30]], settings=replace(PLAIN, moving_layers=4)))[-1]
    assert not torch.equal(last.picture.ws[:4], picture.ws[:4])
    assert torch.equal(last.picture.ws[4:], picture.ws[4:])


def test_w_space_moves_all_layers_alike(picture):
    last = list(drag(picture, [[20, 30]], [[40, 30]], settings=replace(PLAIN, space="w")))[-1]
    change = last.picture.ws[:6] - picture.ws[:6]
    assert change.abs().max() > 0
    assert torch.allclose(change, change[:1].expand(6, -1), atol=1e-6)


def test_more_moving_layers_than_the_features_depend_on_is_fine():
    generator = tiny.generator(32)
    small = LatentPicture(generator, torch.randn(8, 16))
    last = list(drag(small, [[10, 10]], [[20, 20]], settings=PLAIN))[-1]
    assert torch.equal(last.picture.ws[5], small.ws[5])
    assert not torch.equal(last.picture.ws[4], small.ws[4])


def test_anchoring_makes_a_difference_once_the_patch_has_changed(picture):
    settings = replace(PLAIN, step_size=0.02)
    both = [
        list(drag(picture, [[20, 30]], [[45, 30]], settings=replace(settings, anchoring=how)))
        for how in (0.0, 1.0)
    ]
    assert torch.allclose(both[0][1].picture.ws, both[1][1].picture.ws, atol=1e-5)
    assert not torch.allclose(both[0][-1].picture.ws, both[1][-1].picture.ws, atol=1e-3)


def test_motion_supervision_equals_its_formula_on_a_resized_map(picture):
    """Equation 1 written out for one handle, on the map as it would be at the size of the picture."""
    loop = DragLoop(
        picture.generator,
        [
            LoopInput(
                picture.ws, torch.tensor([[20.0, 30.0]]), torch.tensor([[44.0, 30.0]]), None, NOT_LOCKED, None
            )
        ],
        replace(PLAIN, patch_radius=24.0),
    )
    features = picture.generator.features(picture.ws[None], ["b32"])["b32"]
    resized = torch.nn.functional.interpolate(features, (64, 64), mode="bilinear")[0]
    near = [(x, y) for y in range(64) for x in range(64) if math.hypot(x - 20, y - 30) < 3]
    expected = sum((resized[:, y, x + 1] - resized[:, y, x]).abs().mean() for x, y in near) / len(near)
    assert loop.step().loss.item() == pytest.approx(expected.item(), rel=1e-4)


def test_adam_takes_the_step_size_at_first(picture):
    steps = list(islice(drag(picture, [[20, 30]], [[40, 30]], settings=replace(PLAIN, step_size=0.01)), 2))
    change = (steps[1].picture.ws[:6] - picture.ws[:6]).abs()
    assert math.isclose(change.max().item(), 0.01, rel_tol=1e-3)


def test_a_drag_whose_handles_are_there_arrives_at_once_without_change(picture):
    steps = list(drag(picture, [[20, 30]], [[21, 30]], settings=PLAIN))
    assert len(steps) == 1
    assert steps[0].arrived
    assert torch.equal(steps[0].picture.ws, picture.ws)


def test_several_pictures_at_once_equal_each_by_itself(picture):
    other = picture.with_ws(picture.ws.flip(0))
    jobs = ([[[20, 30], [40, 20]], [[10, 50]]], [[[30, 30], [40, 28]], [[20, 50]]])
    together = list(drag_many([picture, other], *jobs, settings=PLAIN))
    for i, each in enumerate((picture, other)):
        alone = list(drag(each, jobs[0][i], jobs[1][i], settings=PLAIN))
        assert len(alone) == len(together)
        assert torch.equal(alone[-1].handles, together[-1][i].handles)
        assert torch.allclose(alone[-1].picture.ws, together[-1][i].picture.ws, atol=1e-4)


@pytest.mark.parametrize("settings", [PLAIN, replace(PLAIN, exact_grid=False)])
def test_windows_around_handles_change_nothing(settings, monkeypatch):
    generator = tiny.generator(128)
    wide = LatentPicture(generator, torch.randn(12, 16))
    runs = []
    for worth in (0, 100):
        monkeypatch.setattr(windows, "WORTH", worth)
        handles, targets = [[2, 60], [100, 126], [60, 61]], [[40, 60], [90, 90], [64, 3]]
        runs.append(
            list(drag(wide, handles, targets, settings=replace(settings, step_size=0.02, block="b64")))
        )
    for whole, windowed in zip(*runs, strict=True):
        assert torch.equal(whole.handles, windowed.handles)
        assert torch.allclose(whole.picture.ws, windowed.picture.ws, atol=1e-4)
        assert whole.loss == pytest.approx(windowed.loss, rel=1e-3)


def test_handles_that_met_keep_their_own_anchors(picture):
    last = list(drag(picture, [[20, 30], [40, 30]], [[30, 30], [30, 31]], settings=PLAIN))[-1]
    met = replace(last.memory, handles=torch.tensor([[30.0, 30.0], [30.0, 30.0]]))
    loop = DragLoop(
        picture.generator,
        [LoopInput(picture.ws, met.handles, met.handles + 9, None, torch.zeros(2, dtype=torch.bool), met)],
        PLAIN,
    )
    assert torch.equal(loop.anchors[0], met.anchors)
    assert not torch.equal(met.anchors[0], met.anchors[1])


def test_a_mask_keeps_the_rest_closer_to_what_it_was(picture):
    movable = torch.zeros(64, 64)
    movable[20:40, 10:50] = 1
    settings = replace(PLAIN, max_steps=25, step_size=0.02)

    def change(**inputs):
        last = list(drag(picture, [[20, 30]], [[40, 30]], settings=settings, **inputs))[-1]
        return (last.picture.pixels() - picture.pixels())[:, movable == 0].abs().mean().item()

    assert change(movable=movable) < 0.7 * change()


def test_a_locked_point_counts_as_arrived_and_stays(picture):
    steps = list(
        drag(picture, [[20, 30], [50, 50]], [[30, 30], [10, 10]], locked=[False, True], settings=PLAIN)
    )
    assert all(step.distances[1] == 0 for step in steps)
    assert all(step.handles[1].tolist() == [50, 50] for step in steps)


def test_going_on_after_a_step_equals_not_having_stopped(picture):
    settings = replace(PLAIN, max_steps=8, step_size=0.02)
    whole = list(drag(picture, [[20, 30]], [[45, 30]], settings=settings))
    middle = whole[4]
    rest = list(
        drag(
            middle.picture,
            middle.handles,
            middle.targets,
            settings=replace(settings, max_steps=4),
            after=middle,
        )
    )
    for expected, found in zip(whole[4:], rest, strict=True):
        assert torch.equal(expected.handles, found.handles)
        assert torch.allclose(expected.picture.ws, found.picture.ws, atol=1e-5)


def test_adding_a_point_keeps_the_anchors_of_the_others(picture):
    middle = list(drag(picture, [[20, 30]], [[45, 30]], settings=replace(PLAIN, step_size=0.02)))[-1]
    handles = [middle.handles[0].tolist(), [50, 50]]
    step = next(drag(middle.picture, handles, [[45, 30], [40, 50]], settings=PLAIN, after=middle))
    assert torch.equal(step.memory.anchors[0], middle.memory.anchors[0])


def test_closing_stops_and_nothing_was_changed_in_place(picture):
    before = picture.ws.clone()
    steps = drag(picture, [[20, 30]], [[45, 30]], settings=PLAIN)
    kept = [next(steps), next(steps)]
    steps.close()
    assert list(steps) == []
    assert torch.equal(picture.ws, before)
    assert torch.equal(kept[0].picture.ws, before)


def test_the_same_drag_twice_is_the_same(picture):
    runs = [list(drag(picture, [[20, 30]], [[45, 30]], settings=PLAIN)) for _ in range(2)]
    assert torch.equal(runs[0][-1].picture.ws, runs[1][-1].picture.ws)


def test_holding_back_lowers_the_strain(picture):
    far = picture.with_ws(picture.ws * 4)
    settings = replace(PLAIN, max_steps=20, step_size=0.05)
    free, held = (
        list(drag(far, [[20, 30]], [[45, 30]], settings=replace(settings, hold_back=weight)))[-1].strain
        for weight in (0, 1)
    )
    assert held < free


@pytest.mark.parametrize("edge", [(0, 0), (63, 63), (0, 63)])
def test_handles_at_the_border_work(picture, edge):
    steps = list(drag(picture, [edge], [[32, 32]], settings=PLAIN))
    assert torch.isfinite(steps[-1].picture.ws).all()


@pytest.mark.parametrize(
    ("handles", "targets", "words"),
    [
        ([[1, 1]], [[1, 1], [2, 2]], "1 handles but 2 targets"),
        ([[1, 64]], [[1, 1]], "outside"),
        ([[1, float("nan")]], [[1, 1]], "finite"),
        ([], [], "no handles"),
        ([[1, 1], [1, 1]], [[2, 2], [3, 3]], "on top of each other"),
    ],
)
def test_bad_points_get_a_sentence_before_anything_runs(picture, handles, targets, words):
    with pytest.raises(InputError, match=words):
        drag(picture, handles, targets)


def test_bad_masks_locks_and_settings_get_a_sentence(picture):
    with pytest.raises(InputError, match="32x32"):
        drag(picture, [[1, 1]], [[9, 9]], movable=np.ones((32, 32)))
    with pytest.raises(InputError, match="0 everywhere"):
        drag(picture, [[1, 1]], [[9, 9]], movable=np.zeros((64, 64)))
    with pytest.raises(InputError, match="locks"):
        drag(picture, [[1, 1]], [[9, 9]], locked=[True, False])
    with pytest.raises(InputError, match="step_size"):
        DragSettings(step_size=0)
    with pytest.raises(InputError, match="anchoring"):
        DragSettings(anchoring=1.5)
    with pytest.raises(InputError, match="one generator"):
        drag_many([picture, LatentPicture(tiny.generator(64), picture.ws)], [[[1, 1]]] * 2, [[[9, 9]]] * 2)
