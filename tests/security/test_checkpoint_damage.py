"""Random damage to good files of weights: a checkpoint or a refusal comes out, never anything else."""

import json
import pickletools
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreign import Module, checkpoint, nvidia_generator, write_pickle, write_torch
from foreign_community import write_community
from foreign_tensorflow import tensorflow_generator
from hostile import archive, good_files, outcome, refused, unpacked
from pliant.checkpoints import write_native
from pliant.checkpoints.streams import STREAM_START

KINDS = list(good_files())
bounded = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# Random damage


@pytest.mark.parametrize("kind", KINDS)
def test_files_cut_short(tmp_path: Path, kind: str) -> None:
    data = good_files()[kind]
    draw = random.Random(0)
    for size in [*range(40), *draw.sample(range(len(data) - 1), 40), len(data) - 1]:
        refused(tmp_path / "m", data[:size])


@pytest.mark.parametrize("kind", KINDS)
def test_files_with_flipped_bits(tmp_path: Path, kind: str) -> None:
    data = good_files()[kind]
    draw = random.Random(1)
    for _ in range(60):
        changed = bytearray(data)
        for _ in range(draw.choice((1, 1, 1, 4, 30))):
            changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        outcome(tmp_path / "m", bytes(changed))


def _opcodes(data: bytes) -> tuple[list[bytes], bytes]:
    """The opcodes of all pickles in a file, and what follows them."""
    pieces: list[bytes] = []
    position = 0
    for _ in range(5 if data.startswith(STREAM_START) else 1):
        starts = [position + found for _, _, found in pickletools.genops(data[position:])]
        position = starts[-1] + 1
        pieces += [data[a:b] for a, b in zip(starts, [*starts[1:], position], strict=True)]
    return pieces, data[position:]


@pytest.mark.parametrize("kind", KINDS)
def test_pickles_with_shuffled_opcodes(tmp_path: Path, kind: str) -> None:
    data, members = good_files()[kind], {}
    if data.startswith(b"PK"):
        members = unpacked(data)
        inner = next(name for name in members if name.endswith("/data.pkl"))
        data = members[inner]
    pieces, rest = _opcodes(data)
    draw = random.Random(2)
    for _ in range(60):
        changed = list(pieces)
        for _ in range(draw.choice((1, 1, 2, 5))):
            place = draw.randrange(3 if data.startswith(STREAM_START) else 0, len(changed))
            other = draw.randrange(len(changed))
            action = draw.randrange(4)
            if action == 0:
                del changed[place : place + draw.choice((1, 1, 3))]
            elif action == 1:
                changed.insert(place, changed[other])
            elif action == 2:
                changed[place], changed[other] = changed[other], changed[place]
            else:
                changed[place] = draw.choice(
                    (b"N", b"\x88", b"K\x03", b"}", b"]", b")", b"h\x01", b"R", b"b", b"Q")
                )
        pickled = b"".join(changed) + rest
        outcome(tmp_path / "m", archive(members | {inner: pickled}) if members else pickled)


ARGUMENTS = {
    "u1": lambda draw: bytes([draw.randrange(256)]),
    "short": lambda draw: bytes([3]) + b"abc",
    "long": lambda draw: struct.pack("<I", 2) + b"xy",
    "line": lambda draw: draw.choice(
        (b"torch\nFloatStorage\n", b"collections\nOrderedDict\n", b"numpy\ndtype\n", b"os\nsystem\n", b"builtins\nset\n")
    ),
    "": lambda draw: b"",
}  # fmt: skip
GRAMMAR = (
    [
        (code, "")
        for code in (b"N", b"\x88", b"\x89", b"(", b")", b"\x85", b"\x86", b"\x87", b"t", b"]", b"a", b"e")
    ]
    + [
        (code, "")
        for code in (b"}", b"s", b"u", b"\x8f", b"\x90", b"\x94", b"R", b"\x81", b"b", b"Q", b"\x93")
    ]
    + [
        (b"K", "u1"),
        (b"h", "u1"),
        (b"q", "u1"),
        (b"\x8c", "short"),
        (b"C", "short"),
        (b"X", "long"),
        (b"c", "line"),
    ]
)


@given(seed=st.integers(0, 2**32))
@settings(bounded, max_examples=200)
def test_random_programs(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    draw = random.Random(seed)
    program = b"".join(
        code + ARGUMENTS[kind](draw) for code, kind in draw.choices(GRAMMAR, k=draw.randrange(1, 60))
    )
    path = tmp_path_factory.getbasetemp() / "program"
    for start in (b"\x80\x04", STREAM_START):
        outcome(path, start + program + b".")


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([torch.ones(2), torch.ones(0, 3), torch.tensor(3), "Generator", (), b"xy"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=6,
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a saved object."""
    while isinstance(value, Module) or hasattr(value, "state"):
        value = value.state
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list | tuple)
        else ()
    )
    for key, inner in items:
        if not isinstance(value, tuple):
            yield value, key
        yield from _places(inner)


@given(
    junk=JUNK, seed=st.integers(0, 2**32), kind=st.sampled_from(["nvidia", "pti", "tensorflow", "community"])
)
@settings(bounded, max_examples=150)
def test_values_of_the_wrong_kind(
    tmp_path_factory: pytest.TempPathFactory, junk: Any, seed: int, kind: str
) -> None:
    source = checkpoint(channels=[2, 3, 2], z_dim=2, w_dim=2)
    path = tmp_path_factory.getbasetemp() / "junk"
    content: Any = nvidia_generator(source)
    if kind == "tensorflow":
        content = [None, None, tensorflow_generator(source)]
    elif kind == "community":
        write_community(path, source)
        content = torch.load(path, weights_only=False)
    container, key = random.Random(seed).choice(list(_places([content])))
    container[key] = junk
    if kind in ("nvidia", "tensorflow"):
        outcome(write_pickle(path, content))
    else:
        outcome(write_torch(path, content))


@given(junk=JUNK, key=st.sampled_from([*checkpoint().config, "format", "version"]))
@settings(bounded, max_examples=60)
def test_native_configs_of_the_wrong_kind(
    tmp_path_factory: pytest.TempPathFactory, junk: Any, key: str
) -> None:
    folder = write_native(checkpoint(), tmp_path_factory.getbasetemp() / "native")
    config = json.loads((folder / "config.json").read_text())
    config[key] = junk
    (folder / "config.json").write_text(json.dumps(config, default=str))
    outcome(folder)
