"""Pixel classifiers on a generator's features: the memory-saving order of things is exact, and what is saved comes back."""

import json
import math
import os
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pliant.errors import CheckpointError, InputError, ModelMismatchError
from pliant.gan.head import (
    Classifiers,
    PartClass,
    PartHead,
    feature_channels,
    js_divergence,
    look,
    sample_map,
    sample_stack,
)
from pliant.gan.latent import fingerprint, sample
from pliant.gan.parts import load_head, segment

import tiny

CLASSES = tuple(PartClass(name, (k, 100, 0)) for k, name in enumerate(["ground", "left", "right"]))


def random_classifiers(members, inputs, classes, seed=0):
    rng = torch.Generator().manual_seed(seed)
    shapes = {
        "first": (members, 8, inputs),
        "first_bias": (members, 8),
        "second": (members, 6, 8),
        "second_bias": (members, 6),
        "third": (members, classes, 6),
        "third_bias": (members, classes),
    }
    return Classifiers(**{name: torch.randn(shape, generator=rng) * 0.3 for name, shape in shapes.items()})


def random_head(generator, ensemble=2):
    channels = feature_channels(generator)
    inputs = sum(channels.values())
    return PartHead(
        CLASSES,
        channels,
        generator.config.size,
        fingerprint(generator),
        random_classifiers(1, inputs, 3),
        random_classifiers(ensemble, inputs, 3, seed=1),
        {"labelled": 2},
    )


def stacked(features, size):
    """The published order: every map resized to the picture, all channels side by side."""
    maps = [
        F.interpolate(each, size[::-1], mode="bilinear", align_corners=False) for each in features.values()
    ]
    return torch.cat(maps, 1)[0]


@pytest.fixture(scope="module", params=["square", "tall"])
def generator(request):
    return tiny.generator(32) if request.param == "square" else tiny.generator(32, base=(4, 2))


def test_features_are_the_constant_and_every_styled_convolution(generator):
    channels = feature_channels(generator)
    assert list(channels) == [
        "const",
        "b4.conv1",
        "b8.conv0",
        "b8.conv1",
        "b16.conv0",
        "b16.conv1",
        "b32.conv0",
        "b32.conv1",
    ]
    ws = sample(generator, 0).ws[None]
    image, features = look(generator, ws)
    assert torch.allclose(image, generator.synthesis(ws))
    assert {name: each.shape[1] for name, each in features.items()} == channels
    for name in list(channels)[1:]:
        assert torch.equal(features[name], generator.features(ws, [name])[name])


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_the_faster_pass_gives_the_same_picture_and_features(architecture):
    generator = tiny.generator(32, architecture=architecture)
    ws = sample(generator, 1).ws[None].requires_grad_()
    image, features = look(generator, ws)
    (gradient,) = torch.autograd.grad(image.square().mean() + features["b16.conv1"].sum(), ws)
    fast_image, fast_features = look(generator, ws, torch.float32)
    (fast_gradient,) = torch.autograd.grad(fast_image.square().mean() + fast_features["b16.conv1"].sum(), ws)
    assert list(fast_features) == list(features)
    for name, values in features.items():
        assert torch.allclose(fast_features[name], values, atol=1e-4), name
    assert torch.allclose(fast_image, image, atol=1e-4)
    assert torch.allclose(fast_gradient, gradient, rtol=1e-3, atol=1e-3)
    _, halves = look(generator, ws, torch.bfloat16)
    assert all(values.dtype == torch.float32 for values in halves.values())


def test_projecting_before_resizing_is_exact(generator):
    head = random_head(generator)
    _, features = look(generator, sample(generator, 1).ws[None])
    reference = stacked(features, head.size)
    for classifiers in (head.fast, head.ensemble):
        expected = classifiers.of_stack(reference)
        found = head.logits(features, classifiers)
        assert found.shape == (len(classifiers), 3, 32, head.size[0])
        assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("count", [5, 300])  # fewer pixels than the cells of most maps, and more
def test_reading_single_pixels_is_exact(generator, count):
    head = random_head(generator)
    _, features = look(generator, sample(generator, 2).ws[None])
    width, height = head.size
    pixels = torch.stack([torch.randint(width, (count,)), torch.randint(height, (count,))], 1)
    pixels[0] = torch.tensor([width - 1, 0])
    whole = head.logits(features, head.ensemble)[:, :, pixels[:, 1], pixels[:, 0]]
    assert torch.allclose(head.logits_at(features, pixels, head.ensemble), whole, atol=1e-4)
    stack = stacked(features, head.size)[:, pixels[:, 1], pixels[:, 0]].T
    assert torch.allclose(sample_stack(features, pixels, head.size), stack, atol=1e-5)


def test_a_map_is_read_as_if_it_had_been_resized():
    values = torch.tensor([[[[0.0, 8.0], [16.0, 24.0]]]])
    pixels = torch.tensor([[0, 0], [3, 0], [1, 0], [2, 2]])
    # Resized to 4 x 4 the columns lie at -0.25, 0.25, 0.75 and 1.25 cells; the outer ones take the edge's value.
    expected = [0.0, 8.0, 2.0, 0.75 * 8 + 0.75 * 16]
    assert sample_map(values, pixels, (4, 4))[0, 0].tolist() == pytest.approx(expected)


def test_pixel_scores_are_differentiable_in_the_code():
    generator = tiny.generator(32)
    head = random_head(generator)
    ws = sample(generator, 3).ws[None].clone().requires_grad_()
    _, features = look(generator, ws)
    head.logits_at(features, torch.tensor([[3, 4], [20, 9]])).sum().backward()
    assert ws.grad.abs().sum() > 0


def test_jensen_shannon_by_hand():
    agree = torch.tensor([[0.5, 0.5], [0.5, 0.5]])[..., None]
    apart = torch.tensor([[1.0, 0.0], [0.0, 1.0]])[..., None]
    mixed = torch.tensor([[1.0, 0.0], [0.5, 0.5]])[..., None]
    assert js_divergence(agree).item() == pytest.approx(0, abs=1e-6)
    assert js_divergence(apart).item() == pytest.approx(math.log(2), rel=1e-6)
    mean_entropy = math.log(2) / 2
    entropy_of_mean = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert js_divergence(mixed).item() == pytest.approx(entropy_of_mean - mean_entropy, rel=1e-5)


def test_a_head_comes_back_as_it_was_saved(tmp_path):
    generator = tiny.generator(32)
    head = random_head(generator)
    again = PartHead.open(head.save(tmp_path / "head"))
    assert (again.classes, again.size, again.fingerprint) == (head.classes, head.size, head.fingerprint)
    assert dict(again.channels) == dict(head.channels)
    assert again.facts == {"labelled": 2}
    for name, value in head.ensemble.tensors().items():
        assert torch.equal(getattr(again.ensemble, name), value.half().float())
    picture = sample(generator, 4)
    agreement = (segment(picture, again).ids == segment(picture, head).ids).float().mean()
    assert agreement > 0.99
    assert "ground, left, right" in (tmp_path / "head" / "README.md").read_text()


def test_a_generator_finds_its_head(tmp_path, monkeypatch):
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path))
    generator, other = tiny.generator(32), tiny.generator(32, seed=1)
    with pytest.raises(CheckpointError, match=r"There is no part head for 'tiny'.*pliant train head"):
        load_head(generator)
    random_head(other).save(tmp_path / "heads" / "other")
    random_head(generator).save(tmp_path / "heads" / "this")
    head = load_head(generator)
    assert head.fingerprint == fingerprint(generator)
    assert load_head(generator) is head
    with pytest.raises(ModelMismatchError, match="trained on another network than 'tiny'"):
        load_head(generator, tmp_path / "heads" / "other")
    with pytest.raises(ModelMismatchError):
        segment(sample(generator, 0), random_head(other))


def test_a_users_newest_head_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("pliant.gan.parts.WEIGHTS_FOLDER", tmp_path / "embedded")
    generator = tiny.generator(32)
    head = random_head(generator)
    embedded = replace(head, facts={"made by": "Pliant"})
    embedded.save(tmp_path / "embedded" / "a")
    assert load_head(generator).facts == {"made by": "Pliant"}
    for age, name in ((20, "b"), (10, "c"), (30, "d")):
        own = replace(head, facts={"made by": name}).save(tmp_path / "home" / "heads" / name)
        os.utime(own / "config.json", (10_000 - age, 10_000 - age))
    assert load_head(generator).facts == {"made by": "c"}
    replace(head, facts={"made by": "c", "again": True}).save(tmp_path / "home" / "heads" / "c")
    assert load_head(generator).facts == {"made by": "c", "again": True}


@pytest.mark.parametrize("harm", ["missing", "foreign", "truncated", "shape", "nan", "colour"])
def test_a_damaged_head_gets_a_sentence(tmp_path, harm):
    generator = tiny.generator(32)
    head = random_head(generator)
    if harm == "nan":
        head.fast.third_bias[0, 0] = torch.nan
    folder = head.save(tmp_path / "head")
    config = json.loads((folder / "config.json").read_text())
    if harm == "missing":
        (folder / "config.json").unlink()
    if harm == "foreign":
        config["format"] = "something-else"
    if harm == "truncated":
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
    if harm == "shape":
        config["channels"]["b8.conv0"] += 1
    if harm == "colour":
        config["classes"][0]["colour"] = [1, 2, 300]
    if harm != "missing":
        (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"no part head that can be read|do not fit its config"):
        PartHead.open(folder)


def test_uncertainty_needs_an_ensemble():
    generator = tiny.generator(32)
    picture = sample(generator, 5)
    found = segment(picture, random_head(generator), uncertainty=True)
    assert found.uncertainty.shape == (32, 32)
    assert found.uncertainty.min() >= 0
    assert found.uncertainty.max() <= math.log(2) + 1e-6
    worst = found.uncertainty.flatten().sort(descending=True).values[:102].mean()
    assert found.score == pytest.approx(float(worst), rel=1e-5)
    assert sum(found.shares.values()) == pytest.approx(1)
    with pytest.raises(InputError, match="keeps no ensemble"):
        segment(picture, random_head(generator, ensemble=0), uncertainty=True)
