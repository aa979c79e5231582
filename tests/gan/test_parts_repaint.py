"""Repainting parts: where a picture may change, what is minimised, which step is given out, and bad input."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from part_heads import CLASSES, channel_head
from pliant.errors import InputError, ModelMismatchError
from pliant.gan.head import look
from pliant.gan.latent import sample
from pliant.gan.part_edit import RepaintSettings, _Goal, _Reference, dilated, region_of, repaint
from pliant.gan.parts import as_parts, load_parts, parts_image, save_parts, segment
from pliant.steps import Run

import tiny

QUICK = RepaintSettings(max_steps=12, margin=16)


@pytest.fixture(scope="module")
def generator():
    return tiny.generator(32)


@pytest.fixture(scope="module")
def head(generator):
    return channel_head(generator)


@pytest.fixture(scope="module")
def picture(generator):
    return sample(generator, 7)


@pytest.fixture(scope="module")
def painted(picture, head):
    """The picture's map with the middle of another's, which the generator can make."""
    ids = segment(picture, head).ids.clone()
    ids[8:20, 8:20] = segment(sample(picture.generator, 8), head).ids[8:20, 8:20]
    return ids


def test_the_tiny_head_says_which_channel_is_largest(generator, picture, head):
    _, features = look(generator, picture.ws[None])
    assert torch.equal(segment(picture, head).ids, features["b32.conv1"][0, :3].argmax(0).to(torch.uint8))


def test_the_painted_parts_appear_and_the_rest_stays(picture, head, painted):
    settings = replace(QUICK, max_steps=60, pixel_weight=2, feature_weight=0.5, patience=20)
    steps = list(repaint(picture, painted, head=head, settings=settings))
    start, end = steps[0], steps[-1]
    assert torch.equal(start.picture.ws, picture.ws)
    assert start.agreement == 0
    assert start.change == 0
    assert end.agreement > 0.5
    free = list(
        repaint(picture, painted, head=head, settings=replace(settings, pixel_weight=0, feature_weight=0))
    )
    assert end.change < 0.8 * free[-1].change


def test_the_last_step_is_the_best(picture, head, painted):
    """With steps far too large the loss jumps about; the published program would give out the latest."""
    steps = list(repaint(picture, painted, head=head, settings=replace(QUICK, step_size=1.0, patience=50)))
    tried, last = steps[:-1], steps[-1]
    assert [step.index for step in steps] == list(range(13))
    lowest = min(tried, key=lambda step: step.loss)
    assert lowest is not tried[-1]
    assert last.loss == lowest.loss
    assert torch.equal(last.picture.ws, lowest.picture.ws)
    assert [step.best for step in tried] == [
        step.loss < min([before.loss for before in tried[:k]], default=np.inf) for k, step in enumerate(tried)
    ]


def test_it_stops_when_nothing_improves(picture, head, painted):
    settings = replace(QUICK, step_size=1e-9, max_steps=100, patience=3)
    steps = list(repaint(picture, painted, head=head, settings=settings))
    assert len(steps) == 1 + 3 + 1
    assert steps[-1].arrived
    run = Run(repaint(picture, painted, head=head, settings=replace(QUICK, max_steps=2)))
    list(run)
    assert run.stopped == "max_steps"


def test_it_repeats_itself_and_can_be_closed(picture, head, painted):
    before = picture.ws.clone()
    first = repaint(picture, painted, head=head, settings=QUICK)
    codes = [next(first).picture.ws for _ in range(3)]
    first.close()
    again = list(repaint(picture, painted, head=head, settings=QUICK))
    assert all(torch.equal(code, step.picture.ws) for code, step in zip(codes, again, strict=False))
    assert torch.equal(picture.ws, before)


def test_regions_by_hand():
    before = torch.zeros(8, 8, dtype=torch.long)
    before[0] = 2
    before[6:] = 1
    after = before.clone()
    after[5, 5] = 1
    only = region_of(before, after, RepaintSettings(margin=0))
    assert only.nonzero().tolist() == [[5, 5]]
    near = region_of(before, after, RepaintSettings(margin=64))  # 64 of 512 is one pixel of 8
    assert near.nonzero().tolist() == [[y, x] for y in (4, 5, 6) for x in (4, 5, 6)]
    parts = region_of(before, after, RepaintSettings(margin=0, region="parts"))
    assert torch.equal(parts, before != 2)
    assert torch.equal(dilated(only, 0), only)


def test_the_loss_by_hand(generator, picture, head, painted):
    settings = RepaintSettings(part_weight=2.0, pixel_weight=3.0, feature_weight=5.0, precision="float32")
    reference = _Reference.of(picture, head, settings)
    after = painted.long()
    inside = region_of(reference.ids, after, replace(settings, margin=32))
    goal = _Goal(head, reference, after, inside, settings)
    moved = picture.ws + 0.1 * torch.randn(picture.ws.shape, generator=torch.Generator().manual_seed(0))
    image, features = look(generator, moved[None])
    loss, agreement, change = goal(image, features)

    logits = head.logits(features)[0]
    cross = F.cross_entropy(logits[:, inside].T, after[inside])
    squared = (image - reference.image).square().mean((0, 1))
    pixels = squared[~inside].sum() / inside.numel()
    kept = []
    for name in ("b16.conv1", "b32.conv1"):
        scale = 32 // features[name].shape[2]
        whole = (~inside).view(32 // scale, scale, 32 // scale, scale).all(3).all(1)
        apart = (
            (F.normalize(features[name], dim=1) - F.normalize(reference.features[name], dim=1))
            .square()
            .sum(1)[0]
        )
        kept.append(apart[whole].sum() / whole.numel())
    expected = 2 * cross + 3 * pixels + 5 * torch.stack(kept).mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    repainted = after != reference.ids
    assert agreement == pytest.approx((logits.argmax(0) == after)[repainted].float().mean().item())
    assert change == pytest.approx(squared[~inside].mean().sqrt().item(), rel=1e-4)


def test_a_brush_takes_the_place_of_the_region(picture, head, painted):
    mask = torch.zeros(32, 32)
    mask[8:20, 10:22] = 1
    steps = list(repaint(picture, painted, head=head, movable=mask, settings=QUICK))
    assert steps[-1].loss < steps[0].loss
    with pytest.raises(InputError, match="Nothing was painted inside the region"):
        repaint(picture, painted, head=head, movable=torch.eye(32) * (torch.arange(32) > 28), settings=QUICK)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (torch.zeros(16, 32, dtype=torch.uint8), r"part map is 32x16 but the picture is 32x32"),
        (torch.full((32, 32), 3), r"holds the id 3, which is no part; ids go from 0 to 2 \(sea, land, ice\)"),
        (torch.full((32, 32), -1), "holds the id -1"),
        (torch.full((32, 32), 0.5), "must hold whole numbers"),
        ([[0, 1], [2]], "every row must have the same length"),
        (
            torch.ones(32, 32, dtype=torch.uint8),
            "whole picture is painted 'land', which leaves nothing to keep",
        ),
        (Image.new("RGB", (32, 32), (9, 9, 9)), r"the colour \(9, 9, 9\) at \(0, 0\), which is no part's"),
        (Image.new("RGB", (31, 32), (0, 200, 0)), "part map is 31x32 but the picture is 32x32"),
    ],
)
def test_maps_that_cannot_be_used_get_a_sentence(picture, head, parts, sentence):
    with pytest.raises(InputError, match=sentence):
        repaint(picture, parts, head=head)


def test_an_unchanged_map_and_a_foreign_head_get_a_sentence(picture, head, painted):
    with pytest.raises(InputError, match="is that of the picture already"):
        repaint(picture, segment(picture, head), head=head)
    with pytest.raises(ModelMismatchError, match="another network than 'tiny'"):
        repaint(sample(tiny.generator(32, seed=1), 0), painted, head=head)


@pytest.mark.parametrize(
    "name", ["step_size", "max_steps", "part_weight", "patience", "margin", "pixel_weight", "hold_back"]
)
def test_settings_that_cannot_work_are_refused(name):
    with pytest.raises(InputError, match=name):
        RepaintSettings(**{name: -1})


def test_a_map_comes_back_from_its_file(picture, head, tmp_path):
    found = segment(picture, head)
    save_parts(found, tmp_path / "parts.png")
    with Image.open(tmp_path / "parts.png") as stored:
        assert stored.mode == "P"
        assert np.array_equal(np.asarray(stored), found.ids.numpy())
    assert torch.equal(load_parts(tmp_path / "parts.png", head), found.ids)
    assert torch.equal(as_parts(found.image().convert("RGB"), head), found.ids)
    assert torch.equal(as_parts(Image.fromarray(found.ids.numpy()), head), found.ids)  # grey ids
    shuffled = parts_image(2 - found.ids, CLASSES[::-1])  # the same colours under other palette entries
    assert torch.equal(as_parts(shuffled, head), found.ids)
    with pytest.raises(InputError, match=r"should end in \.png"):
        save_parts(found, tmp_path / "parts.jpg")


def test_the_person_can_be_held_only_where_there_is_one(picture, head, painted):
    with pytest.raises(InputError, match="no face in this picture"):
        repaint(picture, painted, head=head, settings=replace(QUICK, identity_weight=1))
