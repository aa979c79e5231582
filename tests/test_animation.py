import sys
import weakref

import numpy as np
import pytest
from PIL import Image

from pliant.animation import save_animation
from pliant.errors import InputError, MissingExtraError

av = pytest.importorskip("av")

SIZE = (31, 24)
"""An odd width, which yuv420p cannot have."""


def frames(count, size=SIZE):
    """Frames of one flat colour each, which compression leaves nearly as it is."""
    for index in range(count):
        yield Image.new("RGB", size, (200 - 10 * index, 60 + 12 * index, 40 + 5 * index))


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "h264"), (".webm", "vp9")])
def test_videos_play_back_the_frames(tmp_path, suffix, codec):
    path = tmp_path / f"a{suffix}"
    save_animation(frames(12), path, 12.5, {"edit": "drag"})
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == (codec, "yuv420p")
        assert (stream.width, stream.height) == (32, 24)
        assert float(stream.average_rate) == 12.5
        assert (
            next(value for name, value in container.metadata.items() if name.lower() == "comment")
            == '{"edit": "drag"}'
        )
        decoded = [
            frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
            for frame in container.decode(stream)
        ]
        assert stream.codec_context.colorspace == 1  # BT.709, so players need not guess
    assert len(decoded) == 12
    for frame, image in zip(decoded, frames(12), strict=True):
        assert np.abs(frame.astype(int) - image.getpixel((0, 0))).max() < 8
    assert list(tmp_path.iterdir()) == [path]


def test_an_mp4_can_play_while_it_loads(tmp_path):
    save_animation(frames(3), tmp_path / "a.mp4")
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(("suffix", "duration"), [(".gif", 80), (".webp", 80)])
def test_animations_play_back_the_frames(tmp_path, suffix, duration):
    save_animation(frames(8), tmp_path / f"a{suffix}", 12.5)
    with Image.open(tmp_path / f"a{suffix}") as animation:
        assert animation.n_frames == 8
        assert animation.size == SIZE
        assert animation.info["loop"] == 0
        for index, image in enumerate(frames(8)):
            animation.seek(index)
            shown = np.asarray(animation.convert("RGB")).astype(int)
            assert animation.info["duration"] == duration
            assert np.abs(shown - image.getpixel((0, 0))).max() < 8


def test_a_gif_is_never_faster_than_browsers_show(tmp_path):
    save_animation(frames(3), tmp_path / "a.gif", 100)
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.info["duration"] == 20


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_frames_are_streamed(tmp_path, suffix):
    made: list[weakref.ref[Image.Image]] = []
    most = 0

    def watched():
        nonlocal most
        for image in frames(40):
            made.append(weakref.ref(image))
            most = max(most, sum(one() is not None for one in made))
            yield image
            del image

    save_animation(watched(), tmp_path / f"a{suffix}")
    assert most <= 4


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_failure_halfway_leaves_what_was_there(tmp_path, suffix, error):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")

    def failing():
        yield from frames(5)
        raise error

    with pytest.raises(error):
        save_animation(failing(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp"])
def test_bad_frames_get_a_sentence(tmp_path, suffix):
    with pytest.raises(InputError, match="no frames"):
        save_animation([], tmp_path / f"a{suffix}")
    with pytest.raises(InputError, match="must have one size"):
        save_animation([*frames(2), *frames(1, (8, 8))], tmp_path / f"a{suffix}")
    for fps in (0, -3, 500, float("nan")):
        with pytest.raises(InputError, match="1 to 120 frames a second"):
            save_animation(frames(2), tmp_path / f"a{suffix}", fps)
    assert not list(tmp_path.iterdir())


def test_a_gif_that_would_not_fit_in_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pliant.animation._MAX_HELD_PIXELS", 4 * SIZE[0] * SIZE[1])
    save_animation(frames(4), tmp_path / "a.gif")
    with pytest.raises(
        InputError, match=r"More than 4 frames of 31x24 are too many for a \.webp; use \.mp4 or \.webm"
    ):
        save_animation(frames(5), tmp_path / "a.webp")


def test_other_suffixes_are_refused(tmp_path):
    for name in ("a.avi", "a.png", "mp4"):
        with pytest.raises(InputError, match=r"should end in \.mp4, \.webm, \.gif or \.webp"):
            save_animation(frames(1), tmp_path / name)


def test_without_pyav_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r'pip install "pliant\[video\]"'):
        save_animation(frames(1), tmp_path / "a.mp4")
    save_animation(frames(2), tmp_path / "a.gif")
