"""Scenes and pairs of recipes/scenes: what is drawn, what is said of it, and whether right answers are right."""

import io
import json
import math
import zipfile
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image

SIDE = 64


@pytest.fixture(scope="module")
def composer(scenes, sprites):
    return scenes.compose.Composer(sprites, SIDE)


@pytest.fixture(scope="module")
def planner(scenes, sprites):
    return scenes.planning.Planner(sprites)


def placed(scenes, item, x=0.5, y=0.5, size=0.5, **more):
    return scenes.planning.Placed(item, x, y, size, stands=False, **more)


def with_things(scene, *things):
    from dataclasses import replace

    return replace(scene, things=things)


# Drawing


def test_a_seed_is_one_picture_whatever_it_is_drawn_with(scenes, sprites, planner):
    plans = [planner.scene(seed) for seed in range(5)]
    assert plans == [planner.scene(seed) for seed in range(5)]
    first = scenes.compose.Composer(sprites, SIDE).draw(plans)
    again = scenes.compose.Composer(sprites, SIDE).draw(plans[3:4])
    torch.testing.assert_close(first.pictures[3:4], again.pictures, atol=1e-5, rtol=0)
    assert first.pictures.shape == (5, 3, SIDE, SIDE)
    assert first.pictures.isfinite().all()
    assert first.pictures.abs().max() <= 1
    assert len({plan.horizon for plan in plans}) == 5


def test_masks_are_where_a_thing_changes_the_picture(scenes, composer, planner):
    found = 0
    for seed in range(40):
        scene = planner.scene(seed)
        for index, thing in enumerate(scene.things):
            if not thing.stands:  # what stands has a shadow, too
                drawn, without = composer.draw([scene]), composer.draw([scene.without(index)])
                apart = (drawn.pictures - without.pictures).abs().amax(1)[0]
                assert (apart[drawn.masks[0, index] == 0] < 1e-6).all()
                found += 1
    assert found > 3


def test_a_square_is_where_it_was_put(scenes, composer, plain):
    scene = with_things(plain, placed(scenes, 0, 0.5, 0.375, 0.5), placed(scenes, 2, 0.5, 0.875, 0.25))
    drawn = composer.draw([scene, with_things(plain)])
    assert drawn.boxes()[0].tolist() == [[16, 8, 48, 40], [24, 52, 40, 60]]
    assert drawn.boxes()[1].tolist() == [[0, 0, 0, 0]] * 2
    assert drawn.masks[0, 0].sum() == pytest.approx(32 * 32, rel=0.02)
    inside = drawn.pictures[0, :, 20:28, 20:44]
    assert inside[0].min() > 0.7
    assert inside[1:].max() < -0.9


def test_flips_and_turns(scenes, composer, plain):
    things = [placed(scenes, 1), placed(scenes, 1, flip=True), placed(scenes, 1, turn=math.pi / 2)]
    drawn = composer.draw([with_things(plain, thing) for thing in things]).pictures
    redder = drawn[:, 0] - drawn[:, 2]
    left, right, top, bottom = (redder[:, y, x] for y, x in ((32, 22), (32, 42), (22, 32), (42, 32)))
    assert (left[0] > 1) & (right[0] < -1)
    assert (left[1] < -1) & (right[1] > 1)
    assert (top[2] > 1) & (bottom[2] < -1)  # clockwise: what was left is up


def test_nearer_things_hide_others(scenes, composer, plain):
    near = scenes.planning.Placed(0, 0.5, 0.6, 0.4)
    far = scenes.planning.Placed(3, 0.6, 0.5, 0.4)
    masks = composer.draw([with_things(plain, near, far)]).masks[0]
    assert masks.sum(0).max() <= 1 + 1e-6
    assert masks[0].sum() == pytest.approx((0.4 * SIDE) ** 2, rel=0.03)
    assert masks[1].sum() < 0.6 * masks[0].sum()


def test_what_stands_has_a_shadow(scenes, composer, plain):
    stands, flies = scenes.planning.Placed(0, 0.5, 0.5, 0.4), placed(scenes, 0, size=0.4)
    drawn = composer.draw([with_things(plain, stands), with_things(plain, flies)])
    below = drawn.pictures[:, :, 46, 32].mean(1)
    assert below[0] < below[1] - 0.1


def test_hues(scenes, sprites):
    red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None]
    for turns, wanted in ((1 / 3, (0, 1, 0)), (2 / 3, (0, 0, 1)), (1 / 6, (1, 1, 0))):
        turned = scenes.sprites.turned_hue(red, torch.tensor([turns]))[0, :, 0, 0]
        torch.testing.assert_close(turned, torch.tensor(wanted).float())
    hues = sprites.hues.tolist()
    assert hues[0] == pytest.approx(0, abs=1e-3) or hues[0] == pytest.approx(1, abs=1e-3)
    assert hues[1] == hues[2] == -1  # of two colours, of none
    assert hues[4] == pytest.approx(2 / 3, abs=1e-3)
    assert scenes.sprites.colour_name(0.97) == "red"
    assert scenes.sprites.colour_name(0.6) == "blue"


# Words


def test_captions_say_what_is_there(scenes, sprites, plain):
    Placed, caption = scenes.planning.Placed, scenes.wording.caption
    apple = Placed(0, 0.2, 0.6, 0.3, colour="blue", hue=0.6)
    bus, bird = Placed(2, 0.8, 0.62, 0.3), Placed(3, 0.22, 0.2, 0.2, stands=False)
    things = sprites.things
    said = [
        caption(with_things(plain, *some), things)
        for some in ((apple,), (apple, bus), (bird, apple), (bus, bus))
    ]
    assert said == [
        "a blue apple on a white background",
        "a blue apple left of a bus on a white background",
        "a bird above a blue apple on a white background",
        "two buses on a white background",
    ]
    assert caption(with_things(plain, apple, bus, bird), things).startswith(
        "a blue apple, a bus and a bird on"
    )
    assert scenes.wording.relation(bus, apple) == "right of"
    behind = Placed(2, 0.25, 0.3, 0.3)
    assert scenes.wording.relation(behind, apple) == "behind"
    assert scenes.wording.counted("slice of pizza", 3) == "three slices of pizza"
    assert scenes.wording.with_article("orange egg") == "an orange egg"


def test_random_captions_name_only_what_is_there(scenes, sprites, planner):
    random = Random(1)
    names = {thing.name for thing in sprites.things}
    for seed in range(60):
        scene = planner.scene(seed)
        words = set(scenes.wording.caption(scene, sprites.things, random).split())
        there = {sprites.things[thing.item].name for thing in scene.things}
        assert not words & (names - there)


def test_every_thing_of_the_list_can_be_said(scenes):
    things = scenes.sprites.read_things()
    assert len(things) > 400
    assert len({thing.sign for thing in things}) == len({thing.name for thing in things}) == len(things)
    assert {thing.place for thing in things} == {"ground", "air", "water"}
    assert 0.02 < sum(thing.held_out for thing in things) / len(things) < 0.1


# Pairs


@pytest.fixture(scope="module")
def pairs(scenes, composer, planner):
    """Three of each task."""
    plans = [scenes.pairs.plan_pair(planner, task, seed) for task in scenes.pairs.TASKS for seed in range(3)]
    assert plans[0] == scenes.pairs.plan_pair(planner, "move", 0)
    return list(zip(plans, scenes.pairs.draw_pairs(composer, plans), strict=True))


def test_pairs_are_the_same_but_where_they_were_touched(pairs):
    for _, pair in pairs:
        kept = pair.touched == 0
        assert ((pair.source - pair.target).abs().amax(0)[kept] < 0.017).all()
        seen = (pair.source_mask - pair.target_mask).abs() > 0.9
        assert pair.touched[seen].float().mean() > 0.9 or not seen.any()
        assert kept.float().mean() > 0.2


def test_each_task_does_what_it_says(pairs):
    for plan, pair in pairs:
        before, after = pair.source_mask.sum(), pair.target_mask.sum()
        alone = len(plan.source.things) == 1
        if pair.task == "move":
            assert math.hypot(*pair.arrow) >= 0.15 * SIDE - 0.01
        if pair.task == "move" and alone and min(before, after) > 0:
            moved = centre(pair.target_mask) - centre(pair.source_mask)
            assert moved.tolist() == pytest.approx(pair.arrow, abs=1.5)
        if pair.task == "resize" and alone:
            assert after / before == pytest.approx(pair.scale**2, rel=0.15)
        if pair.task == "turn" and alone:
            assert after / before == pytest.approx(1, abs=0.12)
            assert 0.2 < abs(pair.turn) < 0.8
        if pair.task == "remove":
            assert after == 0 < before
            assert len(plan.target.things) == len(plan.source.things) - 1
        if pair.task == "paste":
            assert before == 0 < after
            assert pair.thing in pair.other_caption
            shift = pair.arrow[0] / SIDE
            assert plan.other.things[0].x + shift == pytest.approx(plan.target.things[-1].x, abs=1e-5)
        if pair.task == "swap":
            new = plan.target.things[plan.index]
            assert new.item == plan.other.things[0].item != plan.source.things[plan.index].item
            assert new.size == pytest.approx(plan.scale * plan.other.things[0].size)
        if pair.task == "looks":
            torch.testing.assert_close(pair.source_mask, pair.target_mask)
            assert plan.other.things[0].hue == plan.target.things[plan.index].hue
    assert {pair.task for _, pair in pairs} == {"move", "resize", "turn", "remove", "swap", "paste", "looks"}


def test_second_pictures_show_the_thing(pairs):
    for _, pair in pairs:
        second = pair.task in {"swap", "paste", "looks"}
        assert (pair.other is not None) == (pair.other_mask is not None) == second
        if second:
            assert pair.other_mask.max() > 0.9


def test_sheets(scenes, sprites):
    assert scenes.show.scenes_sheet(sprites, 9, 0, 32).size == (8 * 32, 2 * 32)
    assert scenes.show.pairs_sheet(sprites, 0, 32).size == (6 * 32, 7 * 32)


def centre(mask):
    y, x = torch.meshgrid(*(torch.arange(side).float() for side in mask.shape), indexing="ij")
    return torch.stack([(mask * x).sum(), (mask * y).sum()]) / mask.sum()


# Packing


def test_sprites_are_packed_and_read_again(scenes, tmp_path, monkeypatch):
    Thing = scenes.sprites.Thing
    things = [
        Thing("🚗", "car", "ground", 0.5),
        Thing("⛄", "snowman", "ground", 0.4),
        Thing("🦄", "gone", "air", 0.3),
    ]
    monkeypatch.setattr(scenes.pack, "read_things", lambda: things)
    assets = tmp_path / scenes.pack.ASSETS
    assets.mkdir(parents=True)
    for name, colour in (("1f697", (255, 0, 0)), ("26c4-fe0f", (0, 0, 255))):
        picture = np.zeros((256, 256, 4), np.uint8)
        picture[50:150, 28:228] = (*colour, 255)
        Image.fromarray(picture).save(assets / f"{name}.webp", lossless=True)
    assert scenes.pack.pack(tmp_path, tmp_path / "out", 90, 700) == ["gone"]
    parts = sorted(path.name for path in (tmp_path / "out").rglob("*.zip"))
    assert parts == ["sprites-0.zip", "sprites-1.zip"]
    with zipfile.ZipFile(tmp_path / "out/part-0/sprites-0.zip") as shard:
        record = json.loads(shard.read("things.json"))[0]
        assert Image.open(io.BytesIO(shard.read(record["file"]))).size == (176, 88)
    read = scenes.sprites.read_sprites(tmp_path / "out")
    assert [thing.name for thing in read.things] == ["car", "snowman"]
    assert read.extents.tolist() == [[1, 0.5], [1, 0.5]]
    assert (read.hues > 0.6)[1]
    middle = read.levels[0][:, :3, 88, 88]
    assert (middle[0, 0] > 0.95) & (middle[1, 2] > 0.95)
    with pytest.raises(FileNotFoundError, match=r"pack\.py"):
        scenes.sprites.read_sprites(tmp_path / "nothing")
