"""Models of the Stable Diffusion family, read from a folder as diffusers keeps it, from one file, or from the hub.

Only safetensors are opened: a pickle can run programs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from pliant import zoo
from pliant.diffusion.pipeline import DiffusionModel, TextTower
from pliant.diffusion.schedule import NoiseSchedule
from pliant.errors import CheckpointError, MissingExtraError, UnsafeCheckpointError

__all__ = ["EMBEDDED", "is_diffusion_model", "load_diffusion"]

EMBEDDED = "scenes-256"


def is_diffusion_model(folder: Path) -> bool:
    """Whether a folder is a pipeline as diffusers keeps it, by its index alone."""
    return (folder / "model_index.json").is_file()


def load_diffusion(
    source: str | Path = EMBEDDED, device: str | torch.device = "cpu", *, config: str | Path | None = None
) -> DiffusionModel:
    """Read a model of the Stable Diffusion family (1.x, 2.x, XL, or one of its shape).

    Args:
        source: name of a model of Pliant's or yours; a folder as diffusers keeps it; one .safetensors file; or
            "hub:OWNER/NAME" for the Hugging Face hub, which is the only one that goes online.
        device: where it computes: float32 on a CPU, float16 elsewhere (the VAE always in float32).
        config: for one file: a folder whose configuration the file has, where the hub cannot be asked.

    Raises:
        CheckpointError: no such model, not one of this family, or broken.
        UnsafeCheckpointError: weights as pickles, which can run programs.
        MissingExtraError: without diffusers.
    """
    try:
        import diffusers
        import transformers
    except ImportError as error:
        raise MissingExtraError(
            "Diffusion models need diffusers; install it with: pip install 'pliant[diffusion]'."
        ) from error
    for library in (diffusers, transformers):
        library.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    if isinstance(source, str) and source.startswith("hub:"):
        name, parts = source, _read_folder(_downloaded(source.removeprefix("hub:")))
    else:
        path = zoo.resolve(source)
        name = path.stem if path.is_file() else path.name
        parts = _read_folder(path) if path.is_dir() else _read_file(path, config)
    on_cpu = torch.device(device).type == "cpu"
    unet, vae, towers, index = parts
    unet.to(device, torch.float32 if on_cpu else torch.float16)
    vae.to(device, torch.float32)
    for tower in towers:
        tower.encoder.to(device, torch.float32 if on_cpu else torch.float16)
    return DiffusionModel(
        name,
        unet,
        vae,
        towers,
        NoiseSchedule.of(index["scheduler"]),
        zero_empty=bool(index.get("force_zeros_for_empty_prompt", False)),
    )


_Parts = tuple[Any, Any, list[TextTower], dict[str, Any]]


def _read_folder(folder: Path) -> _Parts:
    """Networks and facts of a pipeline's folder."""
    import transformers
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    _refuse_pickles(folder)
    index = _json(folder / "model_index.json")
    if "unet" not in index or "vae" not in index or "text_encoder" not in index:
        raise CheckpointError(
            f"{folder.name} is no pipeline of the Stable Diffusion family; expected a unet, a vae and a text_encoder in it."
        )
    try:
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", **_options(folder / "unet"))
        vae = AutoencoderKL.from_pretrained(folder / "vae", **_options(folder / "vae"))
        towers = [
            TextTower(
                transformers.CLIPTokenizer.from_pretrained(folder / f"tokenizer{end}", local_files_only=True),
                kind.from_pretrained(
                    folder / f"text_encoder{end}", **_options(folder / f"text_encoder{end}")
                ),
            )
            for end, kind in (
                ("", transformers.CLIPTextModel),
                ("_2", transformers.CLIPTextModelWithProjection),
            )
            if index.get(f"text_encoder{end}", [None])[0] is not None
        ]
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, AttributeError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder.name} could not be read as a model of the Stable Diffusion family: {_short(error)}"
        ) from error
    return unet, vae, towers, {**index, "scheduler": _json(folder / "scheduler" / "scheduler_config.json")}


def _options(folder: Path) -> dict[str, Any]:
    """How a network is read: only safetensors, only from here, in the one precision that there is."""
    files = [file.name for file in folder.glob("*.safetensors")]
    only_half = bool(files) and all(".fp16." in name for name in files)
    return {
        "use_safetensors": True,
        "local_files_only": True,
        "dtype" if "text" in folder.name else "torch_dtype": torch.float32,
    } | ({"variant": "fp16"} if only_half else {})


def _refuse_pickles(folder: Path) -> None:
    for part in ("unet", "vae", "text_encoder"):
        if not any((folder / part).glob("*.safetensors")):
            if any((folder / part).glob("*.bin")):
                raise UnsafeCheckpointError(
                    f"The weights of {folder.name}/{part} are pickles, which can run programs; get its .safetensors."
                )
            raise CheckpointError(f"{folder.name}/{part} has no weights; expected a .safetensors file.")


def _read_file(path: Path, config: str | Path | None) -> _Parts:
    """Networks and facts of one file that holds a whole model."""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

    if path.suffix != ".safetensors":
        raise UnsafeCheckpointError(
            f"{path.name} may be a pickle, which can run programs; expected a folder or a .safetensors file."
        )
    known = {} if config is None else {"config": str(config), "local_files_only": True}
    try:
        pipeline = StableDiffusionPipeline.from_single_file(
            str(path), safety_checker=None, feature_extractor=None, **known
        )
    except Exception as error:
        raise CheckpointError(
            f"{path.name} could not be read as one file of a model: {_short(error)} Its configuration is asked of the hub; "
            "without a connection, name a folder of the same kind as the configuration."
        ) from error
    towers = [
        TextTower(getattr(pipeline, f"tokenizer{end}"), getattr(pipeline, f"text_encoder{end}"))
        for end in ("", "_2")
        if getattr(pipeline, f"text_encoder{end}", None) is not None
    ]
    facts = dict(pipeline.config) | {"scheduler": dict(pipeline.scheduler.config)}
    return pipeline.unet, pipeline.vae, towers, facts


def _downloaded(name: str) -> Path:
    """A model of the hub in the local cache of the hub's own library."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.txt", "*.safetensors"]))
    except Exception as error:
        raise CheckpointError(f"The hub did not give {name[:100]!r}: {_short(error)}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.parent.name}/{path.name} is missing or damaged.") from error


def _short(error: BaseException) -> str:
    """The first line of what a library says."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200].rstrip(".") + "."
