"""Parameters in one vector: same values, same gradients, same Adam, same mean over processes."""

import torch
import torch.distributed as dist
import torch.multiprocessing
from torch import nn

from pliant.train.flat import FlatAdam, FlatParameters


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(3 * 4, 1))


def test_values_stay_and_become_views():
    plain, flat = network(), FlatParameters(network(), input_first={"0.weight"})
    for name, value in plain.state_dict().items():
        assert torch.equal(flat.module.state_dict()[name], value)
    flat.values.data.zero_()
    assert all(value.abs().max() == 0 for value in flat.module.state_dict().values())


def test_gains_and_rounding():
    flat = FlatParameters(network(), {"2.weight": 3.0}, half={"0.weight"}, dtype=torch.bfloat16)
    p = flat.effective()
    assert torch.equal(p["2.weight"], flat.module[2].weight * 3)
    assert torch.equal(p["0.weight"], flat.module[0].weight.bfloat16())
    (p["2.weight"].sum() + p["0.weight"].float().sum() * 2).backward()
    gradients = flat._pieces(flat.gradients, list(flat.sizes))
    assert gradients["2.weight"].unique().tolist() == [3.0]
    assert gradients["0.weight"].unique().tolist() == [2.0]
    assert gradients["0.bias"].abs().max() == 0


def test_adam_equals_torchs_own_on_separate_tensors():
    plain, flat = network(), FlatParameters(network())
    ours = FlatAdam(flat, 0.1, 0.9, interval=3)
    theirs = torch.optim.Adam(plain.parameters(), lr=0.1 * 3 / 4, betas=(0.0, 0.9**0.75))
    x = torch.randn(4, 2, 4, 4)
    for _ in range(3):
        theirs.zero_grad()
        plain(x).square().mean().backward()
        theirs.step()
        flat.gradients.zero_()
        torch.func.functional_call(flat.module, flat.effective(), x).square().mean().backward()
        ours.step()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(flat.module.state_dict()[name], value)


def test_the_learning_rate_warms_up_and_bad_gradients_count_as_zero():
    flat = FlatParameters(network())
    adam = FlatAdam(flat, 0.1, 0.9, interval=None, warmup=3)
    before = flat.values.detach().clone()
    flat.gradients.fill_(1)
    flat.gradients[0] = torch.nan
    adam.step()
    moved = before - flat.values.detach()
    assert moved[0] == 0
    torch.testing.assert_close(moved[1:], torch.full_like(moved[1:], 0.1 / 4))
    restored = FlatAdam(flat, 0.1, 0.9, interval=None, warmup=3)
    restored.restore(adam.tensors(), adam.steps)
    assert restored.tensors().keys() == adam.tensors().keys()
    assert restored.steps == 1


def test_average_follows():
    source, follower = FlatParameters(network()), FlatParameters(network())
    source.values.data.fill_(1)
    follower.values.data.fill_(0)
    follower.follow(source, 0.25)
    assert follower.values.unique().tolist() == [0.25]


def half_batch(rank, meeting, results):
    """One of two processes: gradients of its half, averaged, and an Adam step."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    flat = FlatParameters(network())
    x = torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(1))[rank * 4 : rank * 4 + 4]
    torch.func.functional_call(flat.module, flat.effective(), x).square().mean().backward()
    FlatAdam(flat, 0.1, 0.9, None).step()
    torch.save(flat.values.detach().clone(), f"{results}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    torch.multiprocessing.spawn(half_batch, (tmp_path / "meeting", tmp_path), nprocs=2)
    flat = FlatParameters(network())
    x = torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    torch.func.functional_call(flat.module, flat.effective(), x).square().mean().backward()
    FlatAdam(flat, 0.1, 0.9, None).step()
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert torch.equal(first, second)
    torch.testing.assert_close(first, flat.values.detach())
