"""What a training run leaves on disk: its state, the model so far, sample sheets."""

from __future__ import annotations

from pathlib import Path

import torch

from pliant.checkpoints import Checkpoint, write_native
from pliant.images import contact_sheet, to_pil
from pliant.train.run import TrainingRun
from pliant.train.state import load_network, network_tensors, read_state, write_state

SHEET = (8, 4)
"""Columns and rows of a sample sheet."""
COUNTERS = ("images", "stage", "stage_images", "stage_steps", "seconds", "stage_seconds")
"""Attributes of a run that are saved as numbers."""
CARD = """# {name}

A StyleGAN2 generator of {size} x {size} pictures, trained with `pliant train gan`: {images:,} pictures shown in
{minutes:.0f} minutes, {count:,} pictures in the training set. Its licence is up to whoever holds the rights to those
pictures: write it here, with where they came from, before you pass the model on.
"""


@torch.no_grad()
def write_sheet(run: TrainingRun, psi: float = 0.7) -> Path:
    """Write pictures of fixed codes and noise from the averaged generator, at the stage's resolution."""
    mapping, losses, device = run.averaged.mapping, run.losses(), run.world.device
    codes = torch.randn(4096, mapping.z_dim, generator=torch.Generator().manual_seed(0)).to(device)
    mapping.w_avg.copy_(mapping.w(codes).mean(0))
    columns, rows = SHEET
    grain = torch.Generator(device).manual_seed(0)
    parameters = run.flat_averaged.effective()
    ws = mapping(codes[: columns * rows], truncation_psi=psi)
    images = [
        image for part in ws.split(losses.batch) for image in losses.generator(parameters, part, rng=grain)
    ]
    path = run.settings.out / f"sheet-{run.images:09d}.png"
    contact_sheet([to_pil(image) for image in images], columns).save(path)
    return path


def write_model(run: TrainingRun) -> None:
    """Write the averaged generator in the native format, into the folder `model`."""
    tensors = {name: value.detach().float().cpu() for name, value in run.averaged.state_dict().items()}
    card = CARD.format(
        name=run.settings.out.name,
        size=run.settings.resolution,
        images=run.images,
        minutes=run.seconds / 60,
        count=run.pictures.count,
    )
    checkpoint = Checkpoint(run.averaged.config.to_json(), tensors, "native", {})
    write_native(checkpoint, run.settings.out / "model", card=card)


def save(run: TrainingRun) -> Path | None:
    """Write state, model and a sample sheet, and return the sheet; only the first process does.

    Raises:
        CheckpointError: the disk is full or refuses.
    """
    if run.world.rank or run.phases is None:
        return None
    run.settings.out.mkdir(parents=True, exist_ok=True)
    sheet = write_sheet(run)
    tensors = {"rng": run.rng.get_state(), "path_mean": run.path_mean}
    for prefix, module in run.networks().items():
        tensors |= network_tensors(prefix, module)
    numbers = {name: getattr(run, name) for name in COUNTERS}
    for prefix, adam in run.optimizers().items():
        tensors |= {f"{prefix}.{name}": value for name, value in adam.tensors().items()}
        numbers[prefix] = adam.steps
    write_state(run.settings.out, tensors, numbers)
    write_model(run)
    return sheet


def restore(run: TrainingRun) -> None:
    """Go on from the state in the output folder, if there is one.

    Raises:
        CheckpointError: the state is damaged, or of a run with other settings.
    """
    found = read_state(run.settings.out)
    if found is None:
        return
    tensors, numbers = found
    for prefix, module in run.networks().items():
        load_network(module, prefix, tensors)
    for name in COUNTERS:
        setattr(run, name, numbers[name])
    for prefix, adam in run.optimizers().items():
        own = {name: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
        if own:  # a state may leave moments out to be small; training then warms up anew
            adam.restore(
                {name.removeprefix(f"{prefix}."): value for name, value in own.items()}, numbers[prefix]
            )
    run.path_mean.copy_(tensors["path_mean"])
    run.seed_anew()
    if run.world.rank == 0 and "rng" in tensors:
        run.rng.set_state(tensors["rng"])
