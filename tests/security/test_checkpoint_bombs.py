"""Pickles that want memory or time: a refusal comes soon and costs little."""

import gc
import struct
import tracemalloc
from pathlib import Path

import pytest
import torch

from foreign import Module, checkpoint, nvidia_generator, write_pickle
from hostile import named, refused

NETWORK = named("dnnlib.tflib.network", "Network") + b")R"


BOMBS = {
    "bytes of 4 GB": b"\x80\x04B\xff\xff\xff\xff.",
    "bytes of 16 EB": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "a frame of 16 EB": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "a memo index of 4 billion": b"\x80\x04Nr\xff\xff\xff\xff.",
    "nested lists": b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "nested tuples": b"\x80\x04)" + b"\x85" * 200_000 + b".",
    "nested dictionaries": b"\x80\x04" + b"}K\x00" * 60_000 + b"}" + b"s" * 60_000 + b".",
    "nested networks": b"\x80\x04" + (NETWORK + b"}K\x00") * 35_000 + b"N" + b"sb" * 35_000 + b".",
    "a tower of pairs": b"\x80\x04]" + b"q\x00h\x00\x86" * 60_000 + b".",
    "a list in itself": b"\x80\x04]q\x00h\x00a.",
    "opcodes": b"\x80\x04" + b"]" * 3_000_000 + b".",
    "sets": b"\x80\x04" + b"\x8f" * 3_000_000 + b".",
    "keys that collide": b"\x80\x04}(" + b"".join(
        b"J" + struct.pack("<i", (index << 16) & 0x7FFFFFFF) + b"N" for index in range(110_000)
    ) + b"u.",
    "longer keys that collide": b"\x80\x04}(" + b"".join(
        b"\x8a\x06" + (index << 29).to_bytes(6, "little") + b"N" for index in range(110_000)
    ) + b"u.",
    "keys of one hash": b"\x80\x04}(" + b"".join(
        b"\x8a\x0c" + (index * (2**61 - 1)).to_bytes(12, "little") + b"N" for index in range(110_000)
    ) + b"u.",
}  # fmt: skip


@pytest.mark.parametrize("name", list(BOMBS))
def test_bombs(tmp_path: Path, name: str) -> None:
    refused(tmp_path / "m", BOMBS[name])
    gc.collect()


@pytest.mark.parametrize(
    "name", ["bytes of 4 GB", "bytes of 16 EB", "a frame of 16 EB", "a memo index of 4 billion"]
)
def test_numbers_in_a_file_reserve_no_memory(tmp_path: Path, name: str) -> None:
    tracemalloc.start()
    refused(tmp_path / "m", BOMBS[name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_networks_inside_themselves(tmp_path: Path) -> None:
    generator = nvidia_generator(checkpoint())
    children = generator.state["_modules"]
    children["again"] = generator
    sentence = "inside itself"

    assert sentence in refused(write_pickle(tmp_path / "m", {"first": children, "G_ema": generator}))
    deep = Module("SynthesisBlock")
    for _ in range(40):
        outer = Module("SynthesisBlock")
        outer.state["_modules"] = {"a": deep, "b": deep}
        deep = outer
    generator = nvidia_generator(checkpoint())
    generator.state["_modules"]["deep"] = deep
    assert sentence in refused(write_pickle(tmp_path / "m", generator))


@pytest.mark.parametrize("where", ["_modules", "_parameters", "_buffers"])
def test_networks_of_very_many_parts(tmp_path: Path, where: str) -> None:
    generator = nvidia_generator(checkpoint())
    part = Module("SynthesisBlock")
    few = torch.ones(1)
    for index in range(40):
        one = Module("SynthesisBlock")
        one.state[where] = {str(number): part if where == "_modules" else few for number in range(200)}
        generator.state["_modules"][f"part{index}"] = one
    assert "thousands of" in refused(write_pickle(tmp_path / "m", generator))

    generator = nvidia_generator(checkpoint())
    generator.state[where] |= {str(number): None for number in range(5001)}
    assert "thousands of" in refused(write_pickle(tmp_path / "m", generator))
