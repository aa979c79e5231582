"""How often the rasteriser makes the program wait for a GPU, and how many operations it asks one for.

Small drawings take a GPU less time than it takes to tell it what to do, and each wait for an answer costs as much as many
operations. Both can be counted without one.
"""

from collections import Counter

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pliant.vector.raster import rasterise
from pliant.vector.scene import Scene, stacked

from drawings import blobs, scribbles

ASKS = {
    "_local_scalar_dense",
    "nonzero",
    "bincount",
    "masked_select",
    "_unique2",
    "unique_dim",
    "unique_consecutive",
}
"""What cannot go on before a GPU has told the size or the number."""
COPIES = {"lift_fresh"}
"""A tensor made from Python numbers, which are copied to the GPU."""
VIEWS = {
    "alias",
    "detach",
    "expand",
    "permute",
    "select",
    "slice",
    "split_with_sizes",
    "t",
    "unbind",
    "unsqueeze",
    "view",
}
"""What a GPU is never told."""


class Launches(TorchDispatchMode):
    """Counts operations, and those that wait."""

    def __init__(self):
        super().__init__()
        self.operations, self.waits = 0, Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        self.operations += name not in VIEWS
        self.waits[name] += (
            name in ASKS | COPIES
            or (name == "repeat_interleave" and kwargs.get("output_size") is None)
            or (name == "segment_reduce" and not kwargs.get("unsafe"))
            or (name.startswith(("index", "_index_put")) and _chosen_by_flags(args))
        )
        return func(*args, **kwargs)


def _chosen_by_flags(args):
    indices = args[1] if isinstance(args[1], (list, tuple)) else ()
    return any(index is not None and index.dtype == torch.bool for index in indices)


@pytest.fixture
def lists(monkeypatch):
    """How often a tensor became a list, which no operation shows."""
    asked, tolist = [], torch.Tensor.tolist

    def counted(tensor):
        asked.append(tensor.shape)
        return tolist(tensor)

    monkeypatch.setattr(torch.Tensor, "tolist", counted)
    return asked


def next_step(scene: Scene) -> Scene:
    """The drawing as each step of an edit has it."""
    names = ("points", "colours", "opacity", "stroke_width")
    return scene.with_(**{name: getattr(scene, name).clone().requires_grad_() for name in names})


@pytest.mark.parametrize(
    ("scene", "waits", "operations"),
    [
        pytest.param(blobs(60, 128), 5, 360, id="fills"),
        pytest.param(stacked([blobs(60, 128), scribbles(10, 128, (1, 8))]), 9, 860, id="strokes"),
    ],
)
def test_a_step_rarely_waits(scene, waits, operations, lists):
    step = next_step(scene)
    lists.clear()
    with Launches() as forward:
        picture = rasterise(step)
    assert forward.waits.total() + len(lists) <= waits, (forward.waits, lists)
    loss = picture.square().sum()
    lists.clear()
    with Launches() as backward:
        loss.backward()
    assert backward.waits.total() + len(lists) == 0, (backward.waits, lists)
    assert forward.operations + backward.operations <= operations, (forward.operations, backward.operations)
