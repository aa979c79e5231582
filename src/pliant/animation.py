"""Videos from a stream of frames: MP4 and WebM through PyAV, GIF and animated WebP through Pillow."""

# pyright: reportUnknownMemberType=false
# (PyAV's stubs leave the type parameter of Packet open)

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pliant.errors import InputError, MissingExtraError
from pliant.files import check_place, write_whole

__all__ = ["check_video_path", "save_animation"]

_CODECS: dict[str, tuple[str, str, dict[str, str]]] = {
    ".mp4": ("mp4", "libx264", {"crf": "16", "preset": "medium"}),
    ".webm": (
        "webm",
        "libvpx-vp9",
        {"crf": "22", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    ),
}
_MAX_HELD_PIXELS = 400_000_000  # Pillow keeps the frames of a GIF or WebP until the end; about 1.2 GB
_BT709 = 1


def save_animation(
    frames: Iterable[Image.Image],
    path: str | Path,
    fps: float = 24,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write frames as a video or an animation that loops; the suffix of `path` says which.

    MP4 is H.264 (yuv420p, colours tagged BT.709, playable while it loads), WebM is VP9; both take frames one
    at a time, however many. GIF and WebP keep all frames in memory while they write.

    Args:
        frames: RGB images of one size; odd sides are padded by a pixel where the codec needs even ones.
        path: ends in .mp4, .webm, .gif or .webp.
        fps: frames each second, from 1 to 120 (a GIF shows at most 50).
        metadata: kept as JSON in the comment of an MP4 or WebM.

    Raises:
        InputError: another suffix, no frames, frames of different sizes, or too many for a GIF or WebP.
        MissingExtraError: MP4 or WebM without PyAV.
    """
    check_video_path(path, fps)
    suffix = Path(path).suffix.lower()
    stream = _of_one_size(frames)
    first = next(stream, None)
    if first is None:
        raise InputError("There are no frames to make a video of.")
    with write_whole(path) as part:
        if suffix in _CODECS:
            _encode(first, stream, part, suffix=suffix, fps=fps, metadata=metadata)
        else:
            _hold(first, stream, part, suffix, fps)


def check_video_path(path: str | Path, fps: float = 24) -> None:
    """Refuse what `save_animation` could not write, before any work is done for it.

    Raises:
        InputError: an unknown suffix, no such folder, or a frame rate that no player shows.
        MissingExtraError: .mp4 or .webm without PyAV.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in {".mp4", ".webm", ".gif", ".webp"}:
        raise InputError(
            f"'{path}' should end in .mp4, .webm, .gif or .webp, the kinds of video Pliant writes."
        )
    check_place(path)
    if not 1 <= fps <= 120:
        raise InputError(f"A video can have 1 to 120 frames a second; {fps:g} was asked for.")
    if suffix not in _CODECS:
        return
    try:
        import av  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise MissingExtraError(
            f'Writing {suffix} needs PyAV: pip install "pliant[video]"; .gif and .webp work without it.'
        ) from error


def _of_one_size(frames: Iterable[Image.Image]) -> Iterator[Image.Image]:
    size: tuple[int, int] | None = None
    for frame in frames:
        size = size or frame.size
        if frame.size != size:
            raise InputError(f"The frames of a video must have one size; {frame.size} follows {size}.")
        yield frame.convert("RGB")


def _encode(
    first: Image.Image,
    rest: Iterator[Image.Image],
    part: Path,
    *,
    suffix: str,
    fps: float,
    metadata: Mapping[str, Any] | None,
) -> None:
    import av
    from av.video import VideoStream

    container_format, codec, options = _CODECS[suffix]
    flags = {"movflags": "+faststart"} if suffix == ".mp4" else {}
    with av.open(str(part), "w", format=container_format, options=flags) as container:
        if metadata is not None:
            container.metadata["comment"] = json.dumps(metadata)
        stream = cast("VideoStream", container.add_stream(codec, _rate(fps), options=options))
        stream.width, stream.height = first.width + first.width % 2, first.height + first.height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        for frame in chain([first], rest):
            picture = av.VideoFrame.from_ndarray(_even(frame), "rgb24")
            container.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709")))
        container.mux(stream.encode())


def _rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(1001)


def _even(frame: Image.Image) -> NDArray[np.uint8]:
    """Pixels with the last row and column repeated where a side is odd, which yuv420p cannot be."""
    return np.pad(np.asarray(frame), ((0, frame.height % 2), (0, frame.width % 2), (0, 0)), mode="edge")


def _hold(first: Image.Image, rest: Iterator[Image.Image], part: Path, suffix: str, fps: float) -> None:
    held: list[Image.Image] = []
    limit = _MAX_HELD_PIXELS // (first.width * first.height)
    for frame in chain([first], rest):
        held.append(frame.quantize(dither=Image.Dither.FLOYDSTEINBERG) if suffix == ".gif" else frame)
        if len(held) > limit:
            raise InputError(
                f"More than {limit} frames of {first.width}x{first.height} are too many for a {suffix}; "
                "use .mp4 or .webm."
            )
    # a GIF counts hundredths of a second, and browsers slow down anything shorter than two of them
    duration = max(20, round(100 / fps) * 10) if suffix == ".gif" else round(1000 / fps)
    options: dict[str, Any] = {"quality": 90, "method": 4} if suffix == ".webp" else {"optimize": False}
    held[0].save(
        part, suffix[1:].upper(), save_all=True, append_images=held[1:], duration=duration, loop=0, **options
    )
