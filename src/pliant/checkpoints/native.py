"""Pliant's own format: a folder with `config.json`, `model.safetensors` and `README.md`."""

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pliant.checkpoints.checkpoint import Checkpoint, check_finite
from pliant.checkpoints.config import check_config
from pliant.checkpoints.layout import check_shapes, expected_shapes
from pliant.errors import CheckpointError, InputError

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
FORMAT, VERSION = "pliant-stylegan2", 1
_FILES = {CONFIG, WEIGHTS, CARD}
_MAX_CONFIG_BYTES = 2**16


def read_native(folder: Path) -> Checkpoint:
    """Read a folder; weights in half precision become float32.

    Raises:
        CheckpointError: a file is missing or broken, or config and tensors do not belong together.
    """
    if (folder / "model_index.json").is_file():
        raise CheckpointError(
            "it is a diffusion model; expected a StyleGAN2 generator (pliant generate, move, remove and others take it)."
        )
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise CheckpointError(f"the folder has no {name}; expected {CONFIG} and {WEIGHTS} side by side.")
    config = read_config(folder / CONFIG)
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as stored:
            names: list[str] = stored.keys()
            check_shapes(config, {name: tuple(stored.get_slice(name).get_shape()) for name in names})
            tensors = {name: _loaded(name, stored.get_tensor(name)) for name in expected_shapes(config)}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"its {WEIGHTS} cannot be read ({error}); it is damaged or incomplete: fetch it again."
        ) from None
    check_finite(tensors)
    return Checkpoint(config, tensors, "native", {})


def _loaded(name: str, stored: Tensor) -> Tensor:
    if stored.dtype not in (torch.float16, torch.bfloat16, torch.float32):
        raise CheckpointError(f"the tensor {name} is of type {stored.dtype}; expected float16 or float32.")
    # The stored tensor may be a view of the file; a later write to the file must not change the model.
    return stored.to(torch.float32, copy=True)


def read_config(path: Path) -> dict[str, Any]:
    """Read and check a `config.json`.

    Returns:
        The config without its format and version.

    Raises:
        CheckpointError: it is not JSON, of another format, or describes no network that Pliant can build.
    """
    try:
        if path.stat().st_size > _MAX_CONFIG_BYTES:
            raise CheckpointError(
                f"its {CONFIG} has more than {_MAX_CONFIG_BYTES} bytes; expected a few hundred."
            )
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise CheckpointError(
            f"its {CONFIG} is not JSON; expected the one that pliant convert writes."
        ) from None
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise CheckpointError(
            f'its {CONFIG} does not say "format": "{FORMAT}"; it belongs to another program, so convert the '
            "original checkpoint."
        )
    if config.get("version") != VERSION:
        raise CheckpointError(
            f'its {CONFIG} is not of "version": {VERSION}; a newer Pliant wrote it: update Pliant.'
        )
    return check_config({key: value for key, value in config.items() if key not in ("format", "version")})


def write_native(
    checkpoint: Checkpoint,
    folder: str | Path,
    *,
    dtype: torch.dtype = torch.float16,
    card: str | None = None,
) -> Path:
    """Write a checkpoint as a folder: `config.json`, `model.safetensors`, `README.md`.

    The folder appears whole or not at all; a model of Pliant that is there already is replaced.

    Args:
        checkpoint: what to write.
        folder: where to; its parents are made.
        dtype: of the stored weights, float16 or float32.
        card: the README in Markdown; by default a short one with what the file knows of itself.

    Returns:
        The folder.

    Raises:
        InputError: `dtype` is another one, or `folder` is a file or holds something else than a model.
        CheckpointError: a weight is too large for float16, or the disk refuses.
    """
    folder = Path(folder)
    _check_request(folder, dtype)
    tensors = {
        name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in checkpoint.tensors.items()
    }
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise CheckpointError("A weight is larger than float16 can hold (65504); store the model in float32.")
    checked = check_config(json.loads(json.dumps(checkpoint.config)))  # tuples become lists, as when read
    check_shapes(checked, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    config = {"format": FORMAT, "version": VERSION, **checked}
    texts = {
        CONFIG: json.dumps(config, indent=2) + "\n",
        CARD: card or _default_card(folder.name, checkpoint, dtype),
    }
    try:
        _write_whole(folder, tensors, texts)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder} cannot be written ({error}); free space or choose another place."
        ) from None
    return folder


def _check_request(folder: Path, dtype: torch.dtype) -> None:
    if dtype not in (torch.float16, torch.float32):
        raise InputError(f"A model is stored in float16 or float32, not in {dtype}; choose one of these.")
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - _FILES):
        raise InputError(f"{folder} exists and is no model of Pliant; choose a new folder.")


def _write_whole(folder: Path, tensors: dict[str, Tensor], texts: dict[str, str]) -> None:
    """Write beside the folder and move there, so that a full disk leaves no half model."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        made = Path(scratch, "made")
        made.mkdir()
        save_file(tensors, made / WEIGHTS, metadata={"format": "pt"})
        for name, text in texts.items():
            made.joinpath(name).write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rename(Path(scratch, "replaced"))
        made.rename(folder)


def _default_card(name: str, checkpoint: Checkpoint, dtype: torch.dtype) -> str:
    config = checkpoint.config
    height, width = config["resolution"], config["resolution"] * config["base"][1] // config["base"][0]
    return f"""---
license: unknown
---

# {name}

A StyleGAN2 generator of {width}x{height} pictures (w of {config["w_dim"]} numbers, {len(config["channels"])} blocks),
stored in {str(dtype).removeprefix("torch.")}. Pliant read it from a file of the format `{checkpoint.source}`.

Its data, its author and its licence are those of that file: write them here before you pass it on.
"""
