"""Training a part head: what is drawn, what is folded, and that a learnable labelling is learnt."""

import pytest
import torch
import torch.nn.functional as F

from pliant.errors import InputError, ModelMismatchError
from pliant.gan.head import PartClass, look
from pliant.gan.latent import sample
from pliant.gan.parts import segment
from pliant.train.head import (
    ClassifierTraining,
    HeadTrainSettings,
    LabelledPicture,
    draw_pixels,
    train_head,
)

import tiny

CLASSES = tuple(PartClass(name, (k, 100, 0)) for k, name in enumerate(["dark", "bright"]))
QUICK = HeadTrainSettings(members=3, pixels=800, batch=100, epochs=4, unlabelled=4)


def bright(picture):
    """Labels that the features determine: where one channel of the last layer exceeds another."""
    _, features = look(picture.generator, picture.ws[None])
    first, second = features["b32.conv1"][0, :2]
    return (first > second).to(torch.uint8)


def labelled(generator, seeds, weight=1.0):
    pictures = [sample(generator, seed) for seed in seeds]
    return [LabelledPicture(each.ws, bright(each), weight) for each in pictures]


@pytest.fixture(scope="module")
def generator():
    return tiny.generator(32)


@pytest.fixture(scope="module")
def steps(generator):
    return list(train_head(generator, labelled(generator, range(8)), CLASSES, QUICK, facts={"by": "test"}))


def test_a_head_learns_what_the_features_tell(generator, steps):
    head = steps[-1].head
    assert all(step.head is None for step in steps[:-1])
    assert [step.stage for step in steps][:8] == ["features"] * 8
    losses = [step.loss for step in steps if step.stage == "ensemble"]
    assert losses[-1] < 0.4  # nats; guessing costs 0.69
    pictures = [sample(generator, seed) for seed in range(100, 106)]
    for uncertain in (False, True):
        found = [segment(picture, head, uncertainty=uncertain).ids == bright(picture) for picture in pictures]
        assert torch.stack(found).float().mean() > 0.8
    assert head.facts["labelled"] == 8
    assert head.facts["by"] == "test"
    assert len(head.ensemble) == 3


def test_training_repeats_itself_and_leaves_random_numbers_alone(generator, monkeypatch):
    monkeypatch.setattr("pliant.train.head.LEAST_STEPS", 3)
    settings = HeadTrainSettings(members=2, pixels=50, batch=20, epochs=1, unlabelled=1)
    before = torch.get_rng_state()
    first, again = (
        list(train_head(generator, labelled(generator, [0]), CLASSES, settings))[-1].head for _ in "ab"
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(again.fast.first, first.fast.first)
    assert torch.equal(again.ensemble.third, first.ensemble.third)


def test_folding_keeps_the_function():
    rng = torch.Generator().manual_seed(0)
    samples = torch.randn(200, 12, generator=rng) * 3 + 1
    training = ClassifierTraining(2, samples, 4)
    for each in (training.norm0, training.norm1):
        torch.nn.init.normal_(each.weight, 1, 0.3)
        torch.nn.init.normal_(each.bias)
    training.train()
    for _ in range(3):
        training(samples)
    training.eval()
    expected = training(samples).transpose(1, 2)
    assert torch.allclose(training.folded().of_stack(samples.T), expected, atol=1e-4)


def test_the_members_do_not_mix():
    """Side by side they give what each gives alone, written out with plain layers."""
    samples = torch.randn(50, 6)
    training = ClassifierTraining(2, samples, 3)
    together = training(samples)
    x = (samples - samples.mean(0)) / samples.std(0, correction=0)
    for m in range(2):
        hidden = F.relu(F.linear(x, training.first.view(2, 128, 6)[m]))
        hidden = F.batch_norm(hidden, None, None, training=True)
        hidden = F.relu(hidden @ training.second[m].T)
        hidden = F.batch_norm(hidden, None, None, training=True)
        assert torch.allclose(hidden @ training.third[m].T, together[m], atol=1e-4)


def test_many_classes_widen_the_network():
    assert ClassifierTraining(1, torch.randn(4, 5), 31).folded().second.shape == (1, 32, 128)
    assert ClassifierTraining(1, torch.randn(4, 5), 32).folded().second.shape == (1, 128, 256)


def test_small_parts_are_drawn_whole():
    ids = torch.zeros(64, 64, dtype=torch.uint8)
    ids[10:13, 20:24] = 1  # 12 pixels
    ids[40:, :] = 2
    pixels = draw_pixels(ids, 600, torch.Generator().manual_seed(0))
    assert len({tuple(each) for each in pixels.tolist()}) == len(pixels) == 600
    drawn = ids[pixels[:, 1], pixels[:, 0]].long().bincount()
    assert drawn[1] == 12
    assert drawn[2] > 100 + 100
    assert len(draw_pixels(ids, 10**6, torch.Generator())) == 64 * 64


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"ids": torch.zeros(16, 32, dtype=torch.uint8)},
            "labels of picture 1 are 32x16 but the picture is 32x32",
        ),
        ({"ids": torch.full((32, 32), 2, dtype=torch.uint8)}, "hold the id 2; ids go from 0 to 1"),
        ({"ids": torch.ones(32, 32, dtype=torch.uint8)}, "All labels name one part"),
        ({"weight": 0.0}, "weight of picture 1 must be greater than 0"),
        ({"weight": torch.ones(4, 4)}, "one number or one for each pixel"),
    ],
)
def test_labels_that_do_not_fit_get_a_sentence(generator, change, sentence):
    good = labelled(generator, [0])[0]
    bad = LabelledPicture(**{"ws": good.ws, "ids": good.ids} | change)
    with pytest.raises(InputError, match=sentence):
        next(train_head(generator, [bad], CLASSES, QUICK))


def test_codes_of_another_model_and_no_pictures_get_a_sentence(generator):
    good = labelled(generator, [0])[0]
    with pytest.raises(ModelMismatchError, match="code of labelled picture 1"):
        next(train_head(generator, [LabelledPicture(good.ws[:2], good.ids)], CLASSES, QUICK))
    with pytest.raises(InputError, match="no labelled pictures"):
        next(train_head(generator, [], CLASSES, QUICK))


@pytest.mark.parametrize("name", ["members", "pixels", "learning_rate", "epochs", "batch", "unlabelled"])
def test_settings_that_cannot_work_are_refused(name):
    with pytest.raises(InputError, match=name):
        HeadTrainSettings(**{name: -1})
