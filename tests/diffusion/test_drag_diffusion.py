"""DragDiffusion: its formulas against plain loops, its branch of two rows, and what a drag leaves behind."""

from dataclasses import replace

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch.nn import functional

from pliant.diffusion.attention import SharedAttention
from pliant.diffusion.drag_diffusion import STEPS, DragDiffusionSettings, drag_diffusion
from pliant.diffusion.drag_features import HalfGrid, square, supervision, track
from pliant.diffusion.inversion import Bank, BankKey
from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.lora import LESSON, hooked
from pliant.diffusion.pipeline import feature_levels
from pliant.diffusion.reference import ReferenceControl
from pliant.errors import InputError
from pliant.picture import PixelPicture
from pliant.settings import read_settings
from pliant.steps import PointStep, Run
from tiny_sd import save_tiny

PASSES, NUDGES = 8, 5
SHORT = DragDiffusionSettings(lora_steps=2, lora_rank=2, drag_steps=NUDGES, inversion_strength=PASSES / STEPS)
BARE = replace(SHORT, lora_steps=0)
HANDLES, TARGETS = [(40.0, 30.0)], [(75.0, 55.0)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("sd1"))


@pytest.fixture
def model(folder):
    return load_diffusion(folder)


@pytest.fixture(scope="module")
def photo():
    random = torch.Generator().manual_seed(5)
    coarse = torch.rand(1, 3, 6, 8, generator=random)
    shown = functional.interpolate(coarse, (96, 128), mode="bicubic").clamp(0, 1)[0]
    return PixelPicture((shown.permute(1, 2, 0) * 255).byte())


def mask():
    area = torch.zeros(96, 128)
    area[20:75, 30:95] = 1
    return area


def dragged(photo, model, settings=SHORT, handles=HANDLES, targets=TARGETS, prompt="a car"):
    return list(
        drag_diffusion(photo, handles, targets, mask(), prompt=prompt, model=model, settings=settings)
    )


def shown(picture):
    return ((picture.pixels() + 1) * 127.5).round().byte().permute(1, 2, 0)


def random_features(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


# ---- features


@pytest.mark.parametrize("size", [(24, 32), (20, 12), (6, 8)])
def test_a_read_is_that_of_resized_features(size):
    features = random_features(3, 6, 8)
    grid = HalfGrid(size[1], size[0], (100, 100))
    whole = functional.interpolate(features[None], size, mode="bilinear")[0]
    y, x = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    assert torch.allclose(grid.at(features, torch.stack([x, y], -1)), whole.permute(1, 2, 0), atol=1e-6)


def plain_read(whole, x, y):
    """Between the pixels of features [C, h, w], one place at a time."""
    height, width = whole.shape[1:]
    x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    left, top = int(x), int(y)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    upper = whole[:, top, left] * (1 - (x - left)) + whole[:, top, right] * (x - left)
    lower = whole[:, bottom, left] * (1 - (x - left)) + whole[:, bottom, right] * (x - left)
    return upper * (1 - (y - top)) + lower * (y - top)


def test_reads_between_places():
    features, grid = random_features(3, 6, 8), HalfGrid(32, 24, (100, 100))
    whole = functional.interpolate(features[None], (24, 32), mode="bilinear")[0]
    places = [(3.3, 7.9), (0.0, 0.0), (30.9, 22.2), (-1.0, 40.0), (31.0, 23.0)]
    for place in places:
        read = grid.between(features, torch.tensor(place))
        assert torch.allclose(read, plain_read(whole, *place), atol=1e-5), place


def test_places_of_the_grid():
    grid = HalfGrid.of((128, 96), (64, 64))
    assert (grid.width, grid.height) == (32, 32)
    assert grid.pixel.tolist() == [4, 3]
    # The centre of the first of them is 1.5 pixels into the picture; half a place is rounded to the even one.
    points = torch.tensor([[0.0, 0.0], [127.0, 95.0], [9.0, 4.0], [9.6, 4.0]])
    assert grid.nearest(points).tolist() == [[0, 0], [31, 31], [2, 1], [2, 1]]
    assert grid.holds(torch.tensor([[0.0, 31.0], [-1.0, 3.0], [3.0, 32.0]])).tolist() == [True, False, False]


def test_squares_go_row_by_row():
    assert square(1).tolist() == [[x, y] for y in (-1, 0, 1) for x in (-1, 0, 1)]


# ---- motion supervision and point tracking


def supervised(features, handles, targets, grid, radius=1, stop=2.0):
    return supervision(features, torch.tensor(handles), torch.tensor(targets), grid, radius=radius, stop=stop)


def test_motion_supervision_on_a_slope():
    grid = HalfGrid(16, 12, (16, 12))
    slope = torch.arange(16.0).expand(2, 12, 16).clone()  # grows by 1 with x, in both channels
    # Nine places, each a pixel further to the right: the mean over channels of the difference is 1.
    assert float(supervised(slope, [[5.0, 5.0]], [[10.0, 5.0]], grid)) == pytest.approx(9)
    assert float(supervised(slope, [[5.0, 5.0]], [[5.0, 9.0]], grid)) == pytest.approx(0)
    assert float(supervised(slope, [[5.0, 5.0]], [[8.0, 9.0]], grid)) == pytest.approx(9 * 0.6, rel=1e-5)
    assert float(supervised(slope, [[5.0, 5.0]], [[10.0, 5.0]], grid, radius=2)) == pytest.approx(25)
    # One that is there counts nothing, nor does one that never had to move.
    both = [[5.0, 5.0], [9.0, 9.0]], [[10.0, 5.0], [10.0, 9.0]]
    assert float(supervised(slope, *both, grid)) == pytest.approx(9)
    assert float(supervised(slope, [[5.0, 5.0]], [[5.0, 5.0]], grid, stop=0.0)) == 0


def test_motion_supervision_is_the_plain_loop():
    features, grid = random_features(5, 6, 8), HalfGrid(32, 24, (100, 100))
    whole = functional.interpolate(features[None], (24, 32), mode="bilinear")[0]
    handles, targets = [[7.0, 9.0], [20.0, 3.0], [0.0, 23.0]], [[19.0, 4.0], [21.0, 3.0], [9.0, 12.0]]
    total = 0.0
    for (x, y), (to_x, to_y) in zip(handles, targets, strict=True):
        far = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
        if far < 2:
            continue
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                here = plain_read(whole, x + dx, y + dy)
                ahead = plain_read(whole, x + dx + (to_x - x) / far, y + dy + (to_y - y) / far)
                total += float((ahead - here).abs().mean())
    assert float(supervised(features, handles, targets, grid)) == pytest.approx(total, rel=1e-5)


def test_the_place_itself_gets_no_gradient():
    features = random_features(4, 12, 16).requires_grad_()
    grid = HalfGrid(16, 12, (16, 12))
    supervised(features, [[5.0, 5.0]], [[10.0, 5.0]], grid).backward()
    touched = features.grad.abs().sum(0) > 0
    assert torch.nonzero(touched).tolist() == [[y, x] for y in (4, 5, 6) for x in (5, 6, 7)]


def plain_track(whole, anchor, handle, radius):
    best, found = None, None
    for y in range(int(handle[1]) - radius, int(handle[1]) + radius + 1):
        for x in range(int(handle[0]) - radius, int(handle[0]) + radius + 1):
            if 0 <= x < whole.shape[2] and 0 <= y < whole.shape[1]:
                distance = float((whole[:, y, x] - anchor).abs().sum())
                if best is None or distance < best:
                    best, found = distance, [x, y]
    return found


def test_tracking_is_the_plain_loop():
    features, grid = random_features(5, 6, 8), HalfGrid(32, 24, (100, 100))
    whole = functional.interpolate(features[None], (24, 32), mode="bilinear")[0]
    handles = torch.tensor([[7.0, 9.0], [31.0, 0.0], [1.0, 22.0], [16.0, 12.0]])
    anchors = random_features(4, 5)
    expected = [plain_track(whole, a, h, 3) for a, h in zip(anchors, handles.tolist(), strict=True)]
    assert track(features, anchors, handles, grid, 3).tolist() == expected


def test_tracking_follows_what_moved():
    grid, features = HalfGrid(16, 12, (16, 12)), random_features(6, 12, 16)
    handles = torch.tensor([[5.0, 6.0], [9.0, 4.0]])
    anchors = grid.at(features, handles)
    moved = torch.roll(features, (-1, 2), (1, 2))
    assert track(moved, anchors, handles, grid, 3).tolist() == [[7, 5], [11, 3]]
    assert track(moved, anchors, handles, grid, 1).tolist() != [[7, 5], [11, 3]]  # too far to be found
    level = torch.zeros_like(features)
    assert track(level, torch.zeros(2, 6), handles, grid, 2).tolist() == [
        [3, 4],
        [7, 2],
    ]  # the first of equals


# ---- reference-latent control


def test_the_layers_are_the_published_ones():
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768)  # the shape of Stable Diffusion 1.5
    shared = SharedAttention(unet)
    stand_in = type(
        "Model", (), {"attention": shared, "levels": feature_levels(unet, 8), "unet": unet}
    )  # only its shape is asked for
    parts = ("down_blocks", "mid_block", "up_blocks")
    attentions = [
        name
        for part in parts
        for name, _ in unet.named_modules()
        if name.startswith(part) and name.endswith(".attn1")
    ]
    assert len(attentions) == 16
    assert ReferenceControl(stand_in).layers == attentions[10:]


def test_it_is_the_published_batch_of_two(model):
    """The picture's row beside the edited one, whose keys and values both rows use, from start to end."""
    schedule, timesteps = model.schedule, model.schedule.timesteps(STEPS)
    condition = model.condition("a car", (64, 64))
    first, control = STEPS - 10, ReferenceControl(model)
    there, edited = random_features(1, 4, 8, 8), random_features(2, 4, 8, 8)[1:]

    def step(now, noise, number):
        following = timesteps[number + 1] if number + 1 < STEPS else None
        return schedule.step(
            schedule.clean(now, noise, timesteps[number]), noise, timesteps[number], following
        )

    def of_the_first_row(_module, _inputs, output):
        return output[:1].expand_as(output)

    modules = [
        getattr(model.unet.get_submodule(layer), part)
        for layer in control.layers
        for part in ("to_k", "to_v")
    ]
    both = torch.cat([there, edited])
    alone = edited
    with torch.no_grad():
        for number in range(first, STEPS):
            kept = {}
            with control.keeping(kept):
                noise = model.noise(there, timesteps[number], condition)
            there = step(there, noise, number)
            with control.seeing(kept):
                edited = step(edited, model.noise(edited, timesteps[number], condition), number)
            alone = step(alone, model.noise(alone, timesteps[number], condition), number)
            with hooked((module, of_the_first_row) for module in modules):
                both = step(both, model.noise(both, timesteps[number], condition), number)
    assert torch.allclose(torch.cat([there, edited]), both, atol=1e-5)
    assert (edited - alone).abs().max() > 1e-3


# ---- the drag


def test_steps_and_their_order(photo, model):
    steps = dragged(photo, model)
    assert [step.index for step in steps] == list(range(len(steps)))
    counts = {
        phase: sum(step.phase == phase for step in steps) for phase in ("tune", "invert", "drag", "edit")
    }
    assert counts == {"tune": 1 + 2, "invert": PASSES, "drag": NUDGES, "edit": PASSES}
    assert [step.phase for step in steps] == sorted(
        (step.phase for step in steps), key=["tune", "invert", "drag", "edit"].index
    )
    assert len(steps) == SHORT.max_steps
    assert torch.equal(steps[0].picture.rgb, photo.rgb)
    assert all(torch.equal(shown(step.picture), photo.rgb) for step in (steps[0], steps[5]))
    assert [step.arrived for step in steps] == [False] * (len(steps) - 1) + [True]
    for step in steps:
        assert isinstance(step, PointStep)
        assert step.targets.tolist() == [list(TARGETS[0])]
        assert step.distances.tolist() == pytest.approx((step.targets - step.handles).norm(dim=-1).tolist())
    assert steps[0].handles.tolist() == [list(HANDLES[0])]
    calls = [step.network_calls for step in steps]
    assert calls == sorted(calls)


def test_a_run_can_drive_it(photo, model):
    run = Run(drag_diffusion(photo, HANDLES, TARGETS, mask(), model=model, settings=BARE))
    assert len(list(run)) == 1 + 2 * PASSES + NUDGES
    assert run.stopped == "arrived"


def test_handles_go_towards_their_targets(photo, model):
    steps = dragged(photo, model, replace(BARE, drag_steps=80, inversion_strength=0.7))
    assert float(steps[-1].distances.max()) < 0.5 * float(steps[0].distances.max())


def test_pixels_outside_the_mask_stay(photo, model):
    last = dragged(photo, model)[-1].picture
    made, share = shown(last), last.mask
    assert torch.equal(made[share == 0], photo.rgb[share == 0])
    assert not torch.equal(made[mask() == 1], photo.rgb[mask() == 1])
    assert share[mask() == 1].min() == 1
    assert share[:10].max() == 0
    loose = dragged(photo, model, replace(BARE, paste_back=False))[-1].picture
    assert not torch.equal(shown(loose)[:10], photo.rgb[:10])


def test_the_whole_picture_may_change(photo, model):
    steps = list(drag_diffusion(photo, HANDLES, TARGETS, None, model=model, settings=BARE))
    assert steps[-1].picture.mask.min() == 1


def test_a_drag_to_where_the_handles_are_only_samples(photo, model):
    steps = dragged(photo, model, targets=HANDLES)
    assert sum(step.phase == "drag" for step in steps) == 1
    (key,) = [key for key in model.banks._kept if isinstance(key, BankKey)]
    bank = model.banks.get(key, Bank)
    # It sees its own keys and values, so it is the picture that was sampled beside it.
    timestep = bank.timesteps[-1]
    (lora,) = [each for key, each in model.banks._kept.items() if not isinstance(key, BankKey)]
    with torch.no_grad(), lora.on(model.unet):
        noise = model.noise(bank.latents[STEPS - 1], timestep, bank.condition)
    clean = model.schedule.clean(bank.latents[STEPS - 1], noise, timestep)
    end = model.schedule.step(clean, noise, timestep, None)[0]
    assert torch.allclose(steps[-1].picture.latents, end, atol=1e-4)


def test_the_same_drag_gives_the_same_picture(folder, photo, model):
    first, second = dragged(photo, model), dragged(photo, load_diffusion(folder))
    third = dragged(photo, model)  # with what is remembered of the picture
    for other in (second, third):
        assert torch.equal(first[-1].picture.latents, other[-1].picture.latents)
        assert torch.equal(first[-1].handles, other[-1].handles)


def test_calls_are_counted_and_a_second_drag_takes_fewer(photo, model):
    steps = dragged(photo, model)
    assert steps[-1].network_calls == pytest.approx(2 * 4 * LESSON + PASSES + 2 * NUDGES + 2 * PASSES)
    again = dragged(photo, model, targets=[(60.0, 60.0)])
    assert {step.phase for step in again[1:]} == {"drag", "edit"}
    assert again[-1].network_calls == 2 * NUDGES + PASSES
    model.banks.clear()
    assert dragged(photo, model, BARE)[-1].network_calls == PASSES + 2 * NUDGES + 2 * PASSES


def test_another_picture_prompt_or_fit_is_looked_at_anew(photo, model):
    dragged(photo, model, BARE)
    darker = PixelPicture(photo.rgb // 2)
    settings = replace(BARE, inversion_strength=0.1)
    for steps in (
        dragged(darker, model, BARE),
        dragged(photo, model, BARE, prompt="a bus"),
        dragged(photo, model, settings),
        dragged(photo, model, SHORT),
    ):
        assert "invert" in {step.phase for step in steps[1:]}
    assert sum(step.phase == "edit" for step in dragged(photo, model, settings)) == 5


def test_the_model_is_as_it_was_at_every_pause(photo, model):
    before = {name: value.clone() for name, value in model.unet.state_dict().items()}
    latents, condition = random_features(1, 4, 8, 8), model.condition("a dog", (64, 64))
    plain = model.noise(latents, 300, condition)
    for stop in ("tune", "invert", "drag", "edit"):
        steps = drag_diffusion(photo, HANDLES, TARGETS, mask(), model=model, settings=SHORT)
        next(steps)
        while next(steps).phase != stop:
            pass
        assert torch.equal(model.noise(latents, 300, condition), plain)  # paused
        steps.close()
        model.banks.clear()
        assert torch.equal(model.noise(latents, 300, condition), plain)
    after = model.unet.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    assert not any(module._forward_hooks for module in model.unet.modules())
    assert not any(each.requires_grad or each.grad is not None for each in model.unet.parameters())


def test_two_drags_at_once_do_not_meet(folder, photo, model):
    def steps_of(which, targets):
        return drag_diffusion(photo, HANDLES, targets, mask(), model=which, settings=SHORT)

    alone = list(steps_of(load_diffusion(folder), TARGETS))[-1].picture.latents
    one, other = steps_of(model, TARGETS), steps_of(model, [(60.0, 60.0)])
    last = None
    for last, _ in zip(one, other, strict=True):  # noqa: B007
        pass
    assert torch.equal(last.picture.latents, alone)


def test_a_drag_that_was_stopped_while_sampling_goes_on_from_what_is_known(photo, model):
    whole = dragged(photo, model)[-1].picture.latents
    model.banks.clear()
    steps = drag_diffusion(photo, HANDLES, TARGETS, mask(), prompt="a car", model=model, settings=SHORT)
    for step in steps:
        if step.phase == "edit":
            break
    next(steps)
    steps.close()
    again = dragged(photo, model)
    assert again[-1].network_calls == 2 * NUDGES + PASSES + PASSES - 2
    assert torch.equal(again[-1].picture.latents, whole)


def test_what_no_longer_fits_is_let_go_before_the_fit(photo, model):
    model.banks.limit = 100_000  # more than the correction takes, less than keys and values do
    dragged(photo, model)
    (lora,) = model.banks._kept.values()
    assert lora.bytes < 100_000
    again = dragged(photo, model)
    assert [step.phase for step in again[1 : 1 + PASSES]] == ["invert"] * PASSES


def test_it_drags_in_half_precision(photo, model):
    model.unet.half()
    for tower in model._towers:
        tower.encoder.half()
    last = dragged(photo, model)[-1]
    assert last.picture.latents.isfinite().all()
    assert last.distances.isfinite().all()


@pytest.mark.parametrize("kind", ["sd2", "sdxl"])
def test_other_models_of_the_family(tmp_path, kind, photo):
    other = load_diffusion(save_tiny(tmp_path, kind))
    last = dragged(photo, other)[-1]
    assert last.picture.latents.isfinite().all()
    assert torch.equal(shown(last.picture)[:10], photo.rgb[:10])


# ---- at the door


def test_defaults_are_published():
    s = DragDiffusionSettings()
    assert (s.lora_steps, s.lora_rank, s.lora_rate, s.passes, s.drag_steps) == (80, 16, 5e-4, 35, 80)
    assert (s.latent_rate, s.patch_radius, s.search_radius, s.mask_weight, s.stop_distance) == (
        0.01,
        1,
        3,
        0.1,
        2,
    )
    assert s.max_steps == 1 + 80 + 35 + 80 + 35


def test_every_setting_is_explained():
    settings = read_settings("pliant.diffusion.drag_diffusion:DragDiffusionSettings")
    assert len(settings) == 14
    assert all(each.help.endswith(".") for each in settings)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"lora_steps": -1}, "lora_steps"),
        ({"inversion_strength": 0.0}, "inversion_strength"),
        ({"drag_steps": 0}, "drag_steps"),
        ({"latent_rate": float("nan")}, "latent_rate"),
        ({"search_radius": 0}, "search_radius"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_that_cannot_work(changes, what):
    with pytest.raises(InputError, match=what):
        DragDiffusionSettings(**changes)


@pytest.mark.parametrize(
    ("handles", "targets", "area", "what"),
    [
        ([(400, 3)], [(4, 3)], mask(), "lies outside the picture"),
        ([(4, 3)], [(4, -3)], mask(), "Point 1 of the targets"),
        ([(4, 3)], [(4, 3), (5, 5)], mask(), "every handle needs one target"),
        ([], [], mask(), "There are no handles"),
        ([(4, 3), (4, 3)], [(9, 9), (5, 5)], mask(), "on top of each other"),
        ([(4, 3)], [(9, 9)], torch.zeros(96, 128), "0 everywhere"),
        ([(4, 3)], [(9, 9)], torch.ones(5, 5), "picture's size"),
        ([(float("nan"), 3)], [(9, 9)], mask(), "not a finite number"),
    ],
)
def test_input_that_cannot_be_used_is_refused_at_once(photo, model, handles, targets, area, what):
    with pytest.raises(InputError, match=what):
        drag_diffusion(photo, handles, targets, area, model=model)


def test_too_many_words(photo, model):
    with pytest.raises(InputError, match="say it shorter"):
        drag_diffusion(photo, HANDLES, TARGETS, mask(), prompt="word " * 100, model=model)
