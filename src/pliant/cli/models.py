"""`pliant models`, `pliant convert` and `pliant inspect`: what models there are and what is in them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from pliant.cli.options import Switch, parse, print_json

__all__ = ["run_convert", "run_inspect", "run_models"]

MAX_SWATCHES = 256
"""Colours of a drawing that are listed; one with more has no palette."""


@dataclass(frozen=True)
class ModelsOptions:
    """List the models that have a name: those that come with Pliant, and yours in $PLIANT_HOME/models."""

    json: Switch = False
    """Print one JSON object instead of a table."""


@dataclass(frozen=True)
class ConvertOptions:
    """Turn someone's checkpoint into Pliant's format: safetensors, a config and a model card, no code."""

    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IN")]
    """StyleGAN2 checkpoint: NVIDIA's .pkl (PyTorch or TensorFlow), a community .pt, PTI's .pt."""
    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """Folder to write; in $PLIANT_HOME/models it becomes a model with a name."""
    dtype: Literal["float16", "float32"] = "float16"
    """How the weights are stored."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""


@dataclass(frozen=True)
class InspectOptions:
    """Say what is in a checkpoint, project (.pliant), drawing (.svg) or picture that Pliant saved, running none of it."""

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    """File or folder to look into."""
    json: Switch = False
    """Print one JSON object instead of lines."""


def run_models(arguments: list[str]) -> int:
    """List the models."""
    options = parse(ModelsOptions, "models", ModelsOptions.__doc__ or "", arguments)
    from pliant import zoo

    entries = zoo.entries()
    if options.json:
        print_json({"models": [{**asdict(entry), "path": str(entry.path)} for entry in entries]})
        return 0
    for entry in entries:
        resolution = f"{entry.resolution}" if entry.resolution else "?"
        print(f"{entry.name:<20} {resolution:>5}  {entry.licence:<12} {entry.summary}")
    if not entries:
        print(f"There are no models with a name; put one into {zoo.user_folder()}.")
    return 0


def run_convert(arguments: list[str]) -> int:
    """Read a checkpoint of any format and write it natively."""
    options = parse(ConvertOptions, "convert", ConvertOptions.__doc__ or "", arguments)
    import torch

    from pliant import checkpoints

    checkpoint = checkpoints.read(options.source)
    folder = checkpoints.write_native(checkpoint, options.folder, dtype=getattr(torch, options.dtype))
    if options.json:
        print_json({"folder": str(folder), "source": checkpoint.source, "config": dict(checkpoint.config)})
    else:
        print(f"{folder}: a {checkpoint.config['resolution']}-pixel model, from {checkpoint.source}")
    return 0


def run_inspect(arguments: list[str]) -> int:
    """Print what a file holds."""
    options = parse(InspectOptions, "inspect", InspectOptions.__doc__ or "", arguments)
    found = _facts(options.file)
    if options.json:
        print_json(found)
        return 0
    for key, value in found.items():
        print(f"{key + ':':<18} {value}")
    return 0


def _facts(path: Path) -> dict[str, Any]:
    suffix = path.suffix.lower()
    if suffix == ".pliant":
        return _project_facts(path)
    if suffix == ".svg":
        return _drawing_facts(path)
    if suffix in {".png", ".jpg", ".jpeg", ".webp"}:
        from pliant.images import load_image, read_metadata

        width, height = load_image(path).size
        return {"format": "picture", "width": width, "height": height, **(read_metadata(path) or {})}
    from pliant import checkpoints

    return checkpoints.inspect(path)


def _drawing_facts(path: Path) -> dict[str, Any]:
    """What `pliant layers` and `pliant restyle` can be told to hide, lock or recolour."""
    from pliant.vector.svg import read_svg

    drawing = read_svg(path)
    scene = drawing.scene
    held = [int((scene.group_of == number).sum()) for number in range(len(scene.groups))]
    levels = (255 * scene.colours).round().int().tolist()
    return {
        "format": "drawing",
        "width": scene.size[0],
        "height": scene.size[1],
        "paths": len(scene),
        "hidden": int(scene.hidden.sum()),
        "layers": {group.id: count for group, count in zip(scene.groups, held, strict=True)},
        "swatches": ["#" + bytes(rgb).hex() for rgb in levels[:MAX_SWATCHES]],
        "left_out": list(drawing.left_out),
    }


def _project_facts(path: Path) -> dict[str, Any]:
    from pliant.project import Project

    project = Project.open(path)
    edits = [node for node in project.nodes.values() if node.edit is not None]
    return {
        "format": "project",
        "pictures": len(project.nodes) - len(edits),
        "edits": len(edits),
        "steps": sum(node.steps for node in edits),
        "current": project.current,
        "nodes": [
            {
                "id": node.id,
                "parent": node.parent,
                "edit": node.edit,
                "steps": node.steps,
                "created": node.created,
            }
            for node in project.nodes.values()
        ],
    }
