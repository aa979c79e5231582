"""Edits of things on tiny models: what they keep, cost, remember and refuse."""

import itertools
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pliant.diffusion.attention import Look, Rule
from pliant.diffusion.editing import soft
from pliant.diffusion.edits import ThingSettings, drag_content, move, paste, remove, swap
from pliant.diffusion.inversion import Bank, BankKey, bank_of, noised_only
from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.picture import DiffusionPicture
from pliant.diffusion.plans import Moving
from pliant.diffusion.sampler import PRESETS, Plan, Preset, sample
from pliant.diffusion.things import Thing
from pliant.errors import InputError
from pliant.picture import PixelPicture
from pliant.steps import Run

KINDS = ("sd1", "sd2", "lcm", "sdxl")
EDITS = ("move", "remove", "paste", "swap", "dragcontent")
QUICK = ThingSettings(preset="fast")


def finished(making):
    value = None
    while value is None:
        try:
            next(making)
        except StopIteration as ended:
            value = ended.value
    return value


def every_edit(photo, disc, model, settings):
    """Each edit with the disc."""
    other = PixelPicture(255 - photo.rgb.flip(1))
    common = {"model": model, "settings": settings, "prompt": "a disc"}
    return {
        "move": lambda: move(photo, Thing(disc, (30, 5), 1.2, 10), **common),
        "remove": lambda: remove(photo, disc, **common),
        "paste": lambda: paste(photo, other, Thing(disc.flip(1), (5, 5), 0.8), **common),
        "swap": lambda: swap(photo, disc, other, disc.flip(1), **common),
        "dragcontent": lambda: drag_content(photo, [(30, 30)], [(40, 32)], disc, **common),
    }


# ---- what is kept


@pytest.mark.parametrize(
    ("edit", "preset"),
    [
        *itertools.product(EDITS, ["copy", "warp", "fast"]),
        ("move", "dragondiffusion"),
        ("paste", "dragondiffusion"),
        ("dragcontent", "diffeditor"),
    ],
)
def test_pixels_out_of_reach_are_those_of_the_photo(tiny_model, photo, disc, edit, preset):
    steps = list(every_edit(photo, disc, tiny_model(), ThingSettings(preset=preset, feather=8))[edit]())
    last = steps[-1]
    made, reach = last.picture.rgb_image(), last.reach.mask
    assert (reach == 0).float().mean() > 0.3
    assert torch.equal(made[reach == 0], photo.rgb[reach == 0])
    assert not torch.equal(made, photo.rgb)
    assert last.arrived
    assert [step.index for step in steps] == list(range(len(steps)))
    assert len(steps) <= ThingSettings(preset=preset).max_steps + (edit in {"paste", "swap"}) * 50


@pytest.mark.parametrize("preset", ["copy", "warp", "fast"])
@pytest.mark.parametrize("feather", [0, 2])
def test_so_they_are_with_hardly_a_feather(tiny_model, photo, disc, preset, feather):
    settings = ThingSettings(preset=preset, feather=feather)
    for name, begin in every_edit(photo, disc, tiny_model(), settings).items():
        *_, last = begin()
        kept = last.reach.mask == 0
        assert torch.equal(last.picture.rgb_image()[kept], photo.rgb[kept]), name


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_edits(tiny_model, photo, disc, kind):
    for name, begin in every_edit(photo, disc, tiny_model(kind), QUICK).items():
        *_, last = begin()
        assert torch.isfinite(last.picture.pixels()).all(), name
        most = 49 if kind == "sdxl" else 48  # whose features are nearly the whole of its tiny UNet
        assert last.network_calls <= most + (16 if name in {"paste", "swap"} else 0), name


def test_nothing_is_pasted_back_if_nobody_wants_that(tiny_model, photo, disc):
    *_, last = remove(photo, disc, model=tiny_model(), settings=replace(QUICK, paste_back=False))
    assert float(last.reach.mask.min()) == 1
    assert (last.picture.rgb_image() != photo.rgb).float().mean() > 0.9


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
def test_inverted_and_sampled_again_is_the_picture(tiny_folder, photo, kind):
    """Without words, energy or looks, DDIM runs back to where it came from."""
    model = load_diffusion(tiny_folder(kind))
    for (
        numbers
    ) in model.unet.conv_out.parameters():  # a random network is not smooth; what it says is small instead
        numbers.mul_(0.01)
    told = model.condition("", model.working_size(photo.size))
    latents = model.encode(photo.pixels())
    bank = finished(bank_of(model, latents, told, BankKey("p", "", "inverted", 50)))
    region = torch.ones(1, 1, *bank.shape)
    plan = Plan(bank.latents[0], region, region, told, told, guidance=1.0, banks=(bank,))
    *_, (_, made, _) = sample(model, plan, Preset(50), 0)
    error = (model.decode(made) - model.decode(latents[0])).square().mean()
    assert 10 * torch.log10(4 / error) > 30


def test_held_latents_are_the_pictures(tiny_model, photo, disc):
    model = tiny_model()
    *_, last = remove(photo, disc, model=model, settings=QUICK)
    before = model.encode(photo.pixels())[0]
    assert torch.allclose(last.picture.latents[:, :, 8:], before[:, :, 8:], atol=1e-4)
    assert not torch.allclose(last.picture.latents, before, atol=1e-2)


def test_looking_at_oneself_changes_nothing(tiny_model):
    """Keys and values of the very same pass in place of the own ones: the published injection, where nothing is edited."""
    model = tiny_model()
    told, latents, kept = model.condition("", (64, 64)), torch.randn(1, 4, 8, 8), {}
    with model.attention.keeping(kept):
        plain = model.noise(latents, 400, told)
    assert set(kept) == set(model.attention.layers)
    for rule in (
        Rule((Look(kept),)),
        Rule((Look(kept),), own=True),
        Rule((Look(kept, torch.ones(8, 8)),)),
        None,
    ):
        with model.attention.following(rule):
            assert torch.allclose(model.noise(latents, 400, told), plain, atol=1e-5)
    with model.attention.following(Rule((Look({n: (k * 0, v * 0) for n, (k, v) in kept.items()}),))):
        assert not torch.allclose(model.noise(latents, 400, told), plain, atol=1e-3)
    assert torch.equal(model.noise(latents, 400, told), plain)


def test_only_what_may_be_seen_is_seen(tiny_model):
    model = tiny_model()
    keys = torch.arange(16.0).reshape(1, 16, 1).expand(1, 16, 3)
    left = torch.zeros(8, 8)
    left[:, :4] = 1
    layer = model.attention.layers[0]
    with model.attention.following(Rule((Look({layer: (keys, keys)}, left),))):
        seen, _ = model.attention.seen(layer, torch.zeros(2, 16, 3), torch.zeros(2, 16, 3))
    assert seen.shape == (2, 8, 3)
    assert seen[0, :, 0].tolist() == [0, 1, 4, 5, 8, 9, 12, 13]
    speck = torch.zeros(8, 8)
    speck[7, 7] = 0.1
    with model.attention.following(Rule((Look({layer: (keys, keys)}, speck),))):
        assert model.attention.seen(layer, keys, keys)[0][0, :, 0].tolist() == [15]


def test_the_ground_beside_a_thing_that_moved_stays_and_latents_beyond_are_the_copys(tiny_model, photo, disc):
    def wider(region, reach):
        return F.max_pool2d(region[None, None].float(), 2 * reach + 1, 1, reach)[0, 0] > 0

    model, thing = tiny_model(), Thing(disc, (14, 0))
    made, copied = (
        list(move(photo, thing, model=model, settings=replace(QUICK, preset=preset)))[-1].picture
        for preset in ("fast", "copy")
    )
    placed = F.pad(disc, (14, 0))[:, : disc.shape[1]] > 0
    changed = (made.pixels() - copied.pixels()).abs().mean(0)
    assert float(changed[~wider(~placed, 2)].max()) < 1e-6
    beside, further = (float(changed[wider(placed, k + 1) & ~wider(placed, k)].mean()) for k in (0, 3))
    assert beside < 0.7 * further
    wanted = model.encode(copied.pixels())[0]
    cells = F.adaptive_max_pool2d(torch.maximum(disc, placed.float())[None], wanted.shape[-2:])[0]
    beyond = ~wider(cells, 2)
    assert beyond.any()
    assert torch.allclose(made.latents[:, beyond], wanted[:, beyond], atol=1e-4)


def test_where_nothing_may_change_latents_are_those_of_the_copy_if_there_is_one(tiny_model, photo):
    model = tiny_model()
    told = model.condition("", model.working_size(photo.size))
    known, copy = (
        noised_only(model, model.encode(pixels), told, 20, 0) for pixels in (photo.pixels(), -photo.pixels())
    )
    nothing = torch.zeros(1, 1, *copy.shape)
    for bank, held in ((copy, copy), (None, known)):
        plan = Plan(
            known.latents[10], 1 + nothing, nothing, told, told, 1.0, banks=(known,), copy=bank, sure=nothing
        )
        *_, (_, made, _) = sample(model, plan, PRESETS["warp"], 0)
        assert torch.equal(made, held.latents[-1][0])


# ---- what it costs, and what is remembered


def test_words_are_heeded_where_nothing_is_put_or_where_one_asks_for_it(tiny_model, photo, disc):
    model, asked = tiny_model(), replace(QUICK, guidance_scale=4)
    thing, common = Thing(disc, (30, 5)), {"prompt": "a disc", "model": model}
    calls = [
        list(making)[-1].network_calls
        for making in (
            remove(photo, disc, settings=QUICK, **common),
            move(photo, thing, settings=QUICK, **common),
            move(photo, thing, settings=asked, **common),
        )
    ]
    looked = PRESETS["fast"].length - (PRESETS["fast"].steps - PRESETS["fast"].first)
    assert [calls[0] - looked - each for each in calls[1:]] == [pytest.approx(3), pytest.approx(0)]


def test_a_second_edit_of_a_picture_does_not_look_at_it_again(tiny_model, photo, disc):
    model, settings, preset = tiny_model(), QUICK, "fast"
    first = list(move(photo, Thing(disc, (30, 5)), prompt="x", model=model, settings=settings))
    again = list(move(photo, Thing(disc, (30, 5)), prompt="x", model=model, settings=settings))
    other = list(remove(photo, disc, prompt="x", model=model, settings=settings))
    words = list(remove(photo, disc, prompt="y", model=model, settings=settings))
    looked = [sum(step.phase == "invert" for step in run) - 1 for run in (first, again, other, words)]
    length = PRESETS[preset].length - (PRESETS[preset].steps - PRESETS[preset].first)
    assert looked == [length, 0, 0, length]
    assert torch.equal(first[-1].picture.latents, again[-1].picture.latents)
    assert first[-1].network_calls > 1.3 * again[-1].network_calls


def test_published_presets_cost_what_the_papers_count(tiny_model, photo, disc):
    """The notes count 50 + 100 + 30 x (2 forwards + 2 backwards), of which the 30 of the source are done once."""
    model = tiny_model()
    share = model.account.share(model.encode(photo.pixels()))
    *_, last = move(
        photo, Thing(disc, (30, 5)), model=model, settings=ThingSettings(preset="dragondiffusion")
    )
    assert last.network_calls == pytest.approx(50 + 100 + 30 * 4 * share)
    *_, last = move(photo, Thing(disc, (30, 5)), model=model, settings=ThingSettings(preset="diffeditor"))
    assert last.network_calls == pytest.approx(
        2 * (50 + 8) + 8 + 28 * 3 * share
    )  # the last way back is not walked


def test_banks_leave_when_they_no_longer_fit(tiny_model, photo, disc):
    model = tiny_model()
    list(remove(photo, disc, model=model, settings=QUICK))
    (key,) = model.banks._kept
    size = model.banks.get(key, Bank).bytes
    limit, model.banks.limit = model.banks.limit, int(1.5 * size)
    list(remove(photo, disc, prompt="other words", model=model, settings=QUICK))
    assert key not in model.banks
    assert len(model.banks._kept) == 1
    model.banks.limit = limit


def test_a_run_that_is_stopped_while_it_looks_keeps_nothing_half_done(tiny_model, photo, disc):
    model = tiny_model()
    making = remove(photo, disc, model=model, settings=QUICK)
    steps = list(itertools.islice(making, 5))
    making.close()
    assert [step.phase for step in steps] == ["invert"] * 5
    assert all(step.picture is steps[0].picture for step in steps)
    assert not model.banks._kept
    run = Run(remove(photo, disc, model=model, settings=QUICK), max_steps=QUICK.max_steps)
    for step in run:
        if step.phase == "edit":
            run.stop()
    assert run.stopped == "interrupted"
    assert torch.isfinite(run.trace[-1].picture.pixels()).all()
    with torch.no_grad():
        assert model.attention._rule is None


def test_seeds_make_other_answers_and_the_same_seed_the_same(tiny_model, photo, disc):
    model = tiny_model()

    def made(seed):
        *_, last = remove(photo, disc, model=model, settings=replace(QUICK, seed=seed))
        return last.picture.latents

    assert torch.equal(made(1), made(1))
    assert not torch.allclose(made(1), made(2), atol=1e-3)
    draws = {name: ThingSettings(preset=name).draws for name in ("copy", *PRESETS)}
    assert [name for name, each in draws.items() if not each] == ["copy", "dragondiffusion"]


def test_strength_and_consistency_weigh_the_two_parts(tiny_model, photo, disc):
    model = tiny_model()

    def energy(**changes):
        settings = ThingSettings(preset="dragondiffusion", **changes)
        return next(
            s.energy for s in move(photo, Thing(disc, (30, 5)), model=model, settings=settings) if s.energy
        )

    both, edit, content = energy(), energy(consistency=0), energy(strength=0)
    assert both == pytest.approx(edit + content, rel=1e-4)
    assert energy(strength=2, consistency=0) == pytest.approx(2 * edit, rel=1e-4)


# ---- pictures


def test_a_picture_is_saved_and_made_again(tiny_model, photo, disc):
    model = tiny_model()
    *_, last = remove(photo, disc, model=model, settings=QUICK)
    tensors, facts = last.picture.state()
    again = DiffusionPicture.restore(model, tensors, facts)
    assert again.size == photo.size
    assert (
        again.rgb_image().int() - last.picture.rgb_image().int()
    ).abs().max() <= 2  # latents are kept in half precision
    assert torch.equal(again.rgb_image()[last.reach.mask == 0], photo.rgb[last.reach.mask == 0])
    with pytest.raises(InputError, match="lost its photo"):
        DiffusionPicture.restore(model, {}, facts)
    with pytest.raises(InputError, match="do not belong to its photo"):
        DiffusionPicture.restore(model, {"rgb": photo.rgb, "mask": disc}, facts)
    with pytest.raises(InputError, match=r"latents are \[4, 3, 3\]"):
        DiffusionPicture.restore(model, {**tensors, "latents": torch.zeros(4, 3, 3)}, facts)
    with pytest.raises(InputError, match="which model"):
        DiffusionPicture.restore(None, tensors, facts)


def test_an_edit_of_an_edit_begins_with_what_is_seen(tiny_model, photo, disc):
    model = tiny_model()
    *_, first = remove(photo, disc, model=model, settings=QUICK)
    second, *_ = move(first.picture, Thing(disc, (20, 0)), model=model, settings=QUICK)
    assert torch.equal(second.picture.rgb, first.picture.rgb_image())


def test_a_soft_edge_is_whole_inside_and_exactly_nothing_beyond():
    region = torch.zeros(40, 40)
    region[15:25, 15:25] = 0.5
    edge = soft(region, 8)
    assert edge[15:25, 15:25].min() == 1
    assert edge[:7].max() == 0
    assert edge[:, 33:].max() == 0
    assert 0 < edge[20, 12] <= 1
    assert (edge[20, 6:15].diff() >= 0).all()
    assert torch.equal(soft(region, 0), (region > 0).float())


def test_a_feather_grows_with_photos_beyond_512_pixels():
    region = torch.zeros(4, 1024)
    region[:, 500:510] = 1
    edge = soft(region, 8)  # 16 pixels here
    assert edge[:, 485].min() > 0
    assert edge[:, :484].max() == 0


# ---- refusals


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"strength": -1}, "strength must be from 0 to 10"),
        ({"feather": 1e6}, "feather must be from 0 to 512"),
        ({"seed": -1}, "seed must be from 0"),
        ({"guidance_scale": float("nan")}, "guidance_scale must be"),
    ],
)
def test_settings_out_of_range_are_told(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        ThingSettings(**changes)


def test_what_cannot_be_edited_is_told_before_anything_is_computed(tiny_model, photo, disc):
    model = tiny_model()
    before = model.account.forwards
    with pytest.raises(InputError, match="0 everywhere"):
        remove(photo, torch.zeros(64, 96), model=model)
    with pytest.raises(InputError, match="1 everywhere"):
        remove(photo, torch.ones(64, 96), model=model)
    with pytest.raises(InputError, match="outside the picture"):
        move(photo, Thing(disc, (500, 0)), model=model)
    with pytest.raises(InputError, match="reads at most 75"):
        remove(photo, disc, prompt="a" * 200, model=model)
    with pytest.raises(InputError, match="3 handles but 1 targets"):
        drag_content(photo, [(1, 1), (9, 9), (20, 20)], [(5, 5)], disc, model=model)
    assert model.account.forwards == before


def test_the_energy_falls_with_the_gradient_and_rises_against_it(tiny_model, photo, disc, monkeypatch):
    def energies(pull):
        monkeypatch.setattr(Moving, "weights", replace(Moving.weights, pull=pull))
        settings = ThingSettings(preset="dragondiffusion", guidance_scale=1)
        steps = move(photo, Thing(disc, (30, 5)), model=tiny_model(), settings=settings)
        return [step.energy for step in itertools.islice(steps, 51, 61)]  # all of them guided

    with_it, without, against = energies(10.0), energies(0.0), energies(-10.0)
    assert with_it[0] == pytest.approx(without[0]) == pytest.approx(against[0])
    assert sum(with_it[1:]) < sum(without[1:]) < sum(against[1:])
