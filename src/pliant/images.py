"""Pixels in and out: decoding files that nobody vouches for, conversion, resizing, saving with metadata.

Inside the library an image is float32 RGB [3, H, W] or [N, 3, H, W] in [-1, 1]; outside it is PIL or uint8
[H, W, 3].
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps, PngImagePlugin
from torch import Tensor
from torch.nn import functional

from pliant.errors import InputError
from pliant.files import check_place, is_file, write_whole

__all__ = [
    "MAX_PIXELS",
    "MAX_SIDE",
    "center_crop_resize",
    "check_image_path",
    "contact_sheet",
    "from_uint8",
    "load_image",
    "read_metadata",
    "resize",
    "save_image",
    "save_png",
    "to_pil",
    "to_tensor",
    "to_uint8",
]

MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
MAX_EXIF = 60_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
METADATA_KEY = "pliant"

_IMAGE_DESCRIPTION = 0x010E  # the EXIF tag that carries our metadata in formats without PNG's text chunks


def load_image(
    source: str | Path | bytes | BinaryIO, *, background: tuple[int, int, int] = (255, 255, 255)
) -> Image.Image:
    """Decode a PNG, JPEG, WebP, BMP or GIF that may come from anyone.

    The format is told from the content, the size is checked before a pixel is decoded, the camera's rotation
    is applied, 16-bit, grey, palette and CMYK images become 8-bit RGB, and of an animation the first frame is
    taken.

    Args:
        source: a path, the bytes of a file, or a file open for reading in binary.
        background: the colour put behind transparent parts.

    Returns:
        An RGB image without metadata.

    Raises:
        InputError: no such file, not such an image, damaged or truncated, or larger than 40 megapixels or
            12,000 pixels a side.
    """
    name = f"'{source}'" if isinstance(source, str | Path) else "The image"
    image = _open(source, name)
    try:
        with image:
            image.load()
            return _as_rgb(_upright(image), background)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever the bytes provoke
        raise InputError(f"{name} is damaged or incomplete and could not be decoded ({error}).") from error


def read_metadata(source: str | Path | bytes | BinaryIO) -> dict[str, Any] | None:
    """What `save_image` wrote into a file, or None when there is nothing of ours in it.

    Raises:
        InputError: not an image that `load_image` reads.
    """
    image = _open(source, f"'{source}'" if isinstance(source, str | Path) else "The image")
    try:
        with image:
            text = image.info.get(METADATA_KEY) or image.getexif().get(_IMAGE_DESCRIPTION)
        value = json.loads(text) if isinstance(text, str) else None
    except Exception:  # noqa: BLE001 - neither the decoder nor the text is to be trusted
        return None
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType]


def to_tensor(image: Image.Image) -> Tensor:
    """An image as float32 [3, H, W] in [-1, 1]."""
    array = np.array(image if image.mode == "RGB" else image.convert("RGB"))
    return from_uint8(torch.as_tensor(array))


def from_uint8(pixels: Tensor) -> Tensor:
    """Inverse of `to_uint8`: uint8 [..., H, W, 3] to float32 [..., 3, H, W] in [-1, 1]."""
    return pixels.movedim(-1, -3).float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Pixels for showing: [..., 3, H, W] in [-1, 1] (values beyond are clipped) to uint8 [..., H, W, 3]."""
    return images.detach().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8).movedim(-3, -1)


def to_pil(image: Tensor) -> Image.Image:
    """A float image [3, H, W] in [-1, 1], on any device, as PIL."""
    return Image.fromarray(np.ascontiguousarray(to_uint8(image).cpu().numpy()))


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize [3, H, W] or [N, 3, H, W] to `size` = (height, width): bicubic, and low-pass when shrinking."""
    batch = images if images.ndim == 4 else images[None]
    resized = functional.interpolate(batch, size, mode="bicubic", antialias=True, align_corners=False).clamp(
        -1, 1
    )
    return resized if images.ndim == 4 else resized[0]


def center_crop_resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The largest centred part with the proportions of `size` = (width, height), resized to it (Lanczos)."""
    scale = min(image.width / size[0], image.height / size[1])
    width, height = size[0] * scale, size[1] * scale
    left, top = (image.width - width) / 2, (image.height - height) / 2
    return image.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))


def save_png(image: Image.Image, path: str | Path, metadata: Mapping[str, Any] | None = None) -> None:
    """Write a PNG; `metadata` goes in as JSON in a text chunk "pliant", and `read_metadata` gives it back."""
    chunks = PngImagePlugin.PngInfo()
    if metadata is not None:
        chunks.add_itxt(METADATA_KEY, json.dumps(metadata))
    with write_whole(path) as part:
        image.save(part, "PNG", pnginfo=chunks)


def check_image_path(path: str | Path) -> None:
    """Refuse a path that `save_image` could not write to, before any work is done for it.

    Raises:
        InputError: an unknown suffix, or no such folder.
    """
    if Path(path).suffix.lower() not in {".png", ".jpg", ".jpeg", ".webp"}:
        raise InputError(f"'{path}' should end in .png, .jpg or .webp, the kinds of picture Pliant writes.")
    check_place(path)


def save_image(image: Image.Image, path: str | Path, metadata: Mapping[str, Any] | None = None) -> None:
    """Write a PNG, JPEG or WebP, as the suffix of `path` says; JPEG and WebP keep the metadata in EXIF.

    EXIF has room for some 60 kB; metadata that is longer is left out of it.

    Raises:
        InputError: another suffix, or a place that cannot be written to.
    """
    check_image_path(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".png":
        save_png(image, path, metadata)
        return
    exif = Image.Exif()
    text = "" if metadata is None else json.dumps(metadata)
    if 0 < len(text) <= MAX_EXIF:
        exif[_IMAGE_DESCRIPTION] = text
    with write_whole(path) as part:
        image.save(part, "WEBP" if suffix == ".webp" else "JPEG", quality=95, exif=exif)


def contact_sheet(
    images: Sequence[Image.Image], columns: int, labels: Sequence[str] | None = None
) -> Image.Image:
    """Images of one size side by side on white, row by row, each with its label (if any) below it.

    Raises:
        InputError: no images, or as many labels as images are missing.
    """
    if not images or columns < 1:
        raise InputError("A contact sheet needs at least one image and one column.")
    if labels is not None and len(labels) != len(images):
        raise InputError(f"There are {len(images)} images but {len(labels)} labels; give one for each image.")
    width, height = images[0].size
    gap = max(2, width // 64)
    font_size = max(10, width // 16)
    line = math.ceil(font_size * 1.5) if labels else 0
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    sheet = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + line + gap) + gap), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(font_size)
    for index, image in enumerate(images):
        left, top = gap + index % columns * (width + gap), gap + index // columns * (height + line + gap)
        sheet.paste(image, (left, top))
        if labels:
            draw.text((left + width / 2, top + height + line / 2), labels[index], "black", font, anchor="mm")
    return sheet


def _open(source: str | Path | bytes | BinaryIO, name: str) -> Image.Image:
    """Read the header only, and refuse what would be too large to decode."""
    if isinstance(source, str | Path) and not is_file(source):
        raise InputError(f"There is no file {name}.")
    try:
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"{name} is too large: at most 40 megapixels and {MAX_SIDE:,} pixels a side."
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever the bytes provoke
        raise InputError(
            f"{name} is not an image Pliant reads: give a PNG, JPEG, WebP, BMP or GIF."
        ) from error
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InputError(
            f"{name} is too large ({width}x{height}): at most 40 megapixels and {MAX_SIDE:,} pixels a side."
        )
    return image


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - a damaged camera note must not cost the picture
        return image


def _as_rgb(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(
            np.float64
        )  # PIL's own conversion would clip at 255 instead of scaling
        image = Image.fromarray(np.clip(np.rint(deep / 257), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, (*background, 255)), layer)
    rgb = image.convert("RGB")
    rgb.info = {}
    return rgb
