"""The four losses, by hand and against plain modules."""

import copy

import torch
import torch.nn.functional as F

from pliant.train.discriminator import Discriminator
from pliant.train.flat import FlatParameters
from pliant.train.phases import LossOptions, Phases, gradient_penalty, path_lengths
from pliant.train.synthesis import TrainingSynthesis, equalized_gains

import tiny


def make(batch=4, mixing=0.0, **options):
    torch.manual_seed(0)
    generator = tiny.generator(16)
    for layer in generator.synthesis.layers().values():
        if hasattr(layer, "noise_strength"):
            layer.noise_strength.data.zero_()
    twin = copy.deepcopy(generator).requires_grad_(True)
    network = Discriminator((8, 8, 8))
    weights = FlatParameters(generator, equalized_gains(generator)), FlatParameters(network, network.gains())
    chosen = {"r1_gamma": 3.0, "path_weight": 2.0, "path_interval": 5, "r1_interval": 7} | options
    phases = Phases(
        TrainingSynthesis(generator, 16),
        network,
        weights,
        None,
        resolution=16,
        batch=batch,
        rng=torch.Generator().manual_seed(1),
        options=LossOptions(z_dim=16, style_mixing=mixing, **chosen),
        path_mean=torch.zeros([]),
    )
    phases.reals.normal_()
    return phases, twin, generator


def codes_to_come(phases, n):
    """The codes that the next loss will draw, without drawing them."""
    state = phases.rng.get_state()
    codes = phases.codes(phases.generator_weights.effective(), n)
    phases.rng.set_state(state)
    return codes.detach()


def test_r1_of_a_linear_discriminator_is_the_square_of_its_weights():
    weight = torch.randn(3, 8, 8)
    image = torch.randn(5, 3, 8, 8, requires_grad=True)
    logits = (image * weight).sum((1, 2, 3)) + 7
    torch.testing.assert_close(gradient_penalty(logits, image), weight.square().sum().expand(5))


def test_path_length_of_a_linear_generator():
    """A picture that is 3 times the first number of the first w: |J^T y| = |3 sum(y)|, averaged over the layers."""
    ws = torch.randn(4, 5, 6, requires_grad=True)
    image = 3 * ws[:, :1, :1, None].expand(4, 3, 8, 8)
    noise = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(2)) / 8
    expected = (3 * noise.sum((1, 2, 3))).abs() / 5**0.5
    torch.testing.assert_close(path_lengths(image, ws, torch.Generator().manual_seed(2)), expected)


def test_generator_loss_and_gradient_equal_plain_modules():
    phases, twin, _ = make()
    ws = codes_to_come(phases, 4)
    found = phases.train_generator()["generator"]
    frozen = {name: value.detach() for name, value in phases.discriminator_weights.effective().items()}
    loss = F.softplus(-phases.discriminator(frozen, twin.synthesis(ws, noise="none"))).mean()
    torch.testing.assert_close(found, loss.detach())
    loss.backward()
    gradients = phases.generator_weights._pieces(
        phases.generator_weights.gradients, list(phases.generator_weights.sizes)
    )
    for name, parameter in twin.synthesis.named_parameters():
        if parameter.grad is not None and "noise" not in name:
            torch.testing.assert_close(gradients[f"synthesis.{name}"], parameter.grad, atol=1e-5, rtol=1e-3)
    assert phases.discriminator_weights.gradients.abs().max() == 0


def test_discriminator_loss_is_logistic_and_leaves_the_generator_alone():
    phases, twin, _ = make()
    ws = codes_to_come(phases, 4)
    found = phases.train_discriminator()
    with torch.no_grad():
        p = phases.discriminator_weights.effective()
        fake = phases.discriminator(p, twin.synthesis(ws, noise="none"))
        real = phases.discriminator(p, phases.reals)
    expected = torch.log(1 + fake.exp()).mean() + torch.log(1 + (-real).exp()).mean()
    torch.testing.assert_close(found["discriminator"], expected)
    torch.testing.assert_close(found["real_sign"], real.sign().mean())
    assert phases.generator_weights.gradients.abs().max() == 0
    assert phases.discriminator_weights.gradients.abs().max() > 0


def test_real_and_generated_pictures_never_share_a_minibatch_group():
    together, _, _ = make(batch=4)
    apart, _, _ = make(batch=6)  # not a multiple of the group: judged one after the other
    for phases in (together, apart):
        p = phases.discriminator_weights.effective()
        state = phases.rng.get_state()
        loss = phases.train_discriminator()["discriminator"]
        phases.rng.set_state(state)
        weights = phases.generator_weights.effective()
        fakes = phases.fakes(weights, phases.codes(weights, phases.batch))
        by_hand = F.softplus(phases.discriminator(p, fakes)).mean()
        by_hand = by_hand + F.softplus(-phases.discriminator(p, phases.reals)).mean()
        torch.testing.assert_close(loss, by_hand.detach())


def test_r1_step_is_scaled_for_laziness():
    """gamma / 2 times the interval times the mean penalty of half a batch."""
    phases, _, _ = make()
    penalty = phases.penalize_discriminator()["r1"]
    found = phases.discriminator_weights.gradients.clone()
    phases.discriminator_weights.gradients.zero_()
    image = phases.reals[:2].clone().requires_grad_()
    by_hand = gradient_penalty(
        phases.discriminator(phases.discriminator_weights.effective(), image), image
    ).mean()
    torch.testing.assert_close(penalty, by_hand.detach())
    (by_hand * 3.0 / 2 * 7).backward()
    torch.testing.assert_close(found, phases.discriminator_weights.gradients)


def test_path_length_mean_starts_at_the_first_measurement():
    phases, _, _ = make()
    first = phases.smooth_generator()["path_length"]
    torch.testing.assert_close(phases.path_mean, first)
    second = phases.smooth_generator()["path_length"]
    torch.testing.assert_close(phases.path_mean, first.lerp(second, 0.01))
    assert phases.generator_weights.gradients.isfinite().all()


def test_style_mixing_changes_codes_at_one_layer():
    phases, _, _ = make(mixing=1.0)
    ws = phases.codes(phases.generator_weights.effective(), 32)
    changes = (ws[:, 1:] != ws[:, :-1]).any(2).sum(1)
    assert ws.shape == (32, 6, 16)
    assert set(changes.tolist()) == {1}
    phases, _, _ = make(mixing=0.0)
    ws = phases.codes(phases.generator_weights.effective(), 32)
    assert torch.equal(ws, ws[:, :1].expand_as(ws))
