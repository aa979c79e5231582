import math

import pytest
import torch

from pliant.errors import InputError
from pliant.perception.frechet import frechet_distance, gaussian_distance, portrait_features
from pliant.perception.landmarks import LandmarkNet


def test_gaussians_with_commuting_covariances_follow_the_closed_form():
    # tr(A + B - 2 (AB)^1/2) = sum (sqrt a - sqrt b)^2 where A and B are diagonal.
    a, b = torch.tensor([1.0, 4.0, 9.0]), torch.tensor([4.0, 4.0, 1.0])
    means = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([3.0, 1.0, -2.0])
    expected = (3**2 + 4**2) + (1 - 2) ** 2 + 0 + (3 - 1) ** 2
    assert gaussian_distance(means[0], a.diag(), means[1], b.diag()) == pytest.approx(expected)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))[0]
    turned = [turn @ x.diag() @ turn.T for x in (a, b)]
    assert gaussian_distance(turn @ means[0], turned[0], turn @ means[1], turned[1]) == pytest.approx(
        expected, abs=1e-4
    )


def test_two_by_two_covariances_that_do_not_commute():
    # For 2 x 2 matrices tr (AB)^1/2 = sqrt(tr AB + 2 sqrt(det AB)).
    a, b = torch.tensor([[2.0, 1.0], [1.0, 3.0]]), torch.tensor([[1.0, -0.5], [-0.5, 2.0]])
    trace = math.sqrt(float((a @ b).trace()) + 2 * math.sqrt(float(torch.det(a @ b))))
    expected = float(a.trace() + b.trace()) - 2 * trace
    zero = torch.zeros(2)
    assert gaussian_distance(zero, a, zero, b) == pytest.approx(expected, abs=1e-6)
    assert gaussian_distance(zero, b, zero, a) == pytest.approx(expected, abs=1e-6)


def test_samples_of_gaussians_come_close():
    random = torch.Generator().manual_seed(1)
    a = torch.randn(20000, 3, generator=random) * torch.tensor([1.0, 2.0, 0.5])
    b = torch.randn(20000, 3, generator=random) * torch.tensor([2.0, 2.0, 0.5]) + torch.tensor(
        [0.0, 1.0, 0.0]
    )
    assert frechet_distance(a, b) == pytest.approx(2.0, rel=0.05)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_fewer_pictures_than_features_still_give_a_number():
    random = torch.Generator().manual_seed(2)
    a, b = torch.randn(5, 16, generator=random), torch.randn(4, 16, generator=random)
    assert 0 < frechet_distance(a, b) < 100
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (torch.zeros(1, 3), torch.zeros(5, 3)),
        (torch.zeros(5, 3), torch.zeros(5, 4)),
        (torch.zeros(5), torch.zeros(5)),
        (torch.full((5, 3), float("nan")), torch.zeros(5, 3)),
    ],
)
def test_unfit_features_are_refused(a, b):
    with pytest.raises(InputError):
        frechet_distance(a, b)


def test_features_of_portraits():
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = portrait_features(images, LandmarkNet().eval())
    assert features.shape == (3, 128)
    assert features.std() > 0
