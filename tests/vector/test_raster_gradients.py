"""Gradients of the rasteriser: against central differences, a plain twin, and by hand where differences mislead."""

import pytest
import torch

from pliant.vector import flatten
from pliant.vector.outline import Path, assemble, polygon
from pliant.vector.raster import rasterise
from pliant.vector.scene import Scene, stacked

from drawings import blobs, circle, scribbles, star

RED, BLACK, WHITE = (1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
NAMES = ("points", "colours", "opacity", "stroke_width")
STEP = 1e-5


def leaves(scene: Scene) -> tuple[Scene, dict[str, torch.Tensor]]:
    """The scene in float64, and those of its tensors that ask for a gradient."""
    scene = scene.to(dtype=torch.float64)
    tensors = {name: getattr(scene, name).clone().requires_grad_() for name in NAMES}
    return scene.with_(**tensors), tensors


def loss(scene: Scene) -> torch.Tensor:
    """A smooth function of the picture in which every pixel counts differently."""
    picture = rasterise(scene)
    weights = torch.randn(picture.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    smooth = torch.nn.functional.avg_pool2d(weights, 5, 1, 2)
    return (smooth * picture + 0.3 * smooth * picture**2).sum()


def box(left, top, right, bottom):
    return polygon([(left, top), (right, top), (right, bottom), (left, bottom)])


def difference(scene: Scene, name: str, index: int) -> float:
    """Central difference of the loss in one number."""
    values = []
    for step in (STEP, -STEP):
        moved = getattr(scene, name).detach().clone()
        moved.view(-1)[index] += step
        values.append(loss(scene.with_(**{name: moved.requires_grad_()})).item())
    return (values[0] - values[1]) / (2 * STEP)


DRAWINGS = {
    "blobs": blobs(8, 40, radius=(5, 14)),
    "faint": blobs(8, 40, seed=1, radius=(5, 14), opacity=(0.1, 0.5)),
    "ring": assemble(
        [Path([circle((20, 20), 15), circle((21, 19), 7, clockwise=False)], RED, 0.8)], (40, 40)
    ),
    "hollow star": assemble([Path([star((20.2, 20.1), 17)], BLACK, 0.9, even_odd=True)], (40, 40)),
    "beyond the edges": blobs(4, 40, seed=2, radius=(20, 40)),
    "open": assemble([Path([polygon([(3.3, 4.1), (30.2, 8.8), (12.4, 33.3)], closed=False)], RED)], (40, 40)),
    "strokes": scribbles(3, 40, (2, 6), seed=1),
    "thin strokes": scribbles(3, 40, (0.3, 0.9), seed=2),
    "both": stacked([blobs(3, 40, seed=3, radius=(8, 16)), scribbles(2, 40, (3, 7), seed=4)]),
    "rims": assemble([Path([circle((20, 20), 11.3)], RED, 0.5, stroke=BLACK, stroke_width=3.3)], (40, 40)),
}


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("of", NAMES)
def test_gradients_are_central_differences(name, of):
    scene, tensors = leaves(DRAWINGS[name])
    if tensors[of].numel() == 0 or (of == "stroke_width" and (scene.stroke_of < 0).all()):
        pytest.skip("the drawing has none")
    gradient = torch.autograd.grad(loss(scene), tensors[of])[0].view(-1)
    count = min(len(gradient), 24)
    chosen = torch.randperm(len(gradient), generator=torch.Generator().manual_seed(1))[:count].tolist()
    expected = torch.tensor([difference(scene, of, i) for i in chosen], dtype=torch.float64)
    error = (gradient[chosen] - expected).norm() / expected.norm()
    assert error < 1e-3


def grown(scene: Scene) -> torch.Tensor:
    """d ink / d points [P, 2] of black on white; ink is the area, so the gradient is known."""
    scene, tensors = leaves(scene)
    ((1 - rasterise(scene)[0]) / 2).sum().backward()
    return tensors["points"].grad


class TestOnWholeCoordinates:
    """Traced drawings are full of whole numbers, where the coverage of a pixel has its kinks."""

    @pytest.mark.parametrize("even_odd", [False, True])
    @pytest.mark.parametrize("at", [0.0, 1e-9, -1e-9, 0.3])
    def test_each_side_of_a_box_moves_its_whole_length(self, at, even_odd):
        shape = box(2 + at, 3 + at, 7 + at, 9 + at)
        gradient = grown(assemble([Path([shape], BLACK, even_odd=even_odd)], (12, 12)))
        left, top = (shape.points[:, 0] < 4), (shape.points[:, 1] < 5)
        assert gradient[~left, 0].sum() == pytest.approx(6)
        assert gradient[left, 0].sum() == pytest.approx(-6)
        assert gradient[~top, 1].sum() == pytest.approx(5)
        assert gradient[top, 1].sum() == pytest.approx(-5)

    def test_a_hole_grows_the_other_way(self):
        hole = polygon([(4, 4), (4, 8), (8, 8), (8, 4)])
        gradient = grown(assemble([Path([box(2, 2, 10, 10), hole], BLACK)], (12, 12)))
        outer, inner = gradient[:12], gradient[12:]
        assert outer[:, 0].abs().sum() == pytest.approx(16)
        at_left = torch.from_numpy(hole.points[:, 0] == 4)
        assert inner[at_left, 0].sum() == pytest.approx(4)


def test_the_edge_of_the_picture_hides_what_moves_beyond_it():
    gradient = grown(assemble([Path([box(-5, 2.5, 30, 6.5)], BLACK)], (12, 12)))
    assert gradient[:, 0].abs().max() == 0
    assert gradient[:, 1].abs().sum() == pytest.approx(24)


def test_a_joint_has_one_gradient_that_moves_both_neighbours():
    """Twelve points for four segments; moved all together they move the path."""
    scene = DRAWINGS["blobs"].subset(torch.tensor([3]))
    scene, tensors = leaves(scene)
    total = torch.autograd.grad(loss(scene), tensors["points"])[0].sum(0)
    for axis in range(2):
        shift = torch.zeros(2, dtype=torch.float64)
        shift[axis] = STEP
        ahead = loss(scene.with_(points=(scene.points + shift).detach().requires_grad_())).item()
        behind = loss(scene.with_(points=(scene.points - shift).detach().requires_grad_())).item()
        assert total[axis] == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-3)


def test_points_that_are_all_the_same_and_flat_lines_harm_nothing():
    dot, flat, upright = polygon([(3, 3)] * 4), polygon([(1, 4), (8, 4)]), polygon([(5, 1), (5, 8)])
    paths = [Path([shape], BLACK, stroke=RED, stroke_width=2) for shape in (dot, flat, upright)]
    scene, tensors = leaves(assemble(paths, (10, 10)))
    rasterise(scene).square().sum().backward()
    assert all(torch.isfinite(tensor.grad).all() for tensor in tensors.values())
    assert rasterise(scene.detach())[1, 2:4, 2:4].max() < 0


def test_what_lies_under_something_opaque_has_no_gradient_and_no_effect():
    cover, below = Path([box(-1, -1, 21, 21)], WHITE), blobs(5, 20, seed=3)
    alone, both = assemble([cover], (20, 20)), stacked([below, assemble([cover], (20, 20))])
    scene, tensors = leaves(both)
    picture = rasterise(scene)
    assert (picture - rasterise(alone)).abs().max() < 1e-6
    picture.square().sum().backward()
    assert tensors["points"].grad[: len(below.points)].abs().max() == 0
    assert tensors["colours"].grad[: len(below.colours)].abs().max() == 0


def test_an_opaque_path_still_learns_what_it_would_uncover():
    scene = assemble([Path([box(0, 0, 4, 4)], BLACK), Path([box(0, 0, 4, 4)], WHITE)], (4, 4))
    scene, tensors = leaves(scene)
    rasterise(scene)[0].sum().backward()
    assert tensors["opacity"].grad.tolist() == pytest.approx([0, 32])


def test_colours_that_paths_share_gather_all_their_gradients():
    two = assemble([Path([box(0, 0, 2, 2)], RED), Path([box(3, 3, 4, 4)], RED)], (4, 4)).with_palette()
    scene, tensors = leaves(two)
    rasterise(scene)[1].sum().backward()
    assert tensors["colours"].grad.tolist() == [[0, pytest.approx(2 * 5), 0]]


def test_gradients_go_only_where_they_are_asked_for():
    scene = DRAWINGS["both"]
    colours = scene.colours.clone().requires_grad_()
    rasterise(scene.with_(colours=colours)).square().sum().backward()
    assert colours.grad.abs().sum() > 0
    assert scene.points.grad is None


@pytest.mark.parametrize("lengths", [[5], [0, 200, 64, 0, 65, 1], [128, 128], [0]])
def test_sums_of_parts_are_the_sums_of_runs(lengths):
    lengths = torch.tensor(lengths)
    values = torch.randn(int(lengths.sum()), 3, dtype=torch.float64)
    runs = torch.split(values, lengths.tolist())
    expected = torch.stack([run.sum(0) for run in runs])
    places = flatten.offsets(lengths)
    assert torch.allclose(flatten.run_sums(values, places), expected)
    assert torch.allclose(flatten.sums_of_parts(values, places), expected)
