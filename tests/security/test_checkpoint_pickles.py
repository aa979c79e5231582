"""Weights are data: whatever a pickle contains, reading it runs nothing and imports nothing."""

import builtins
import io
import operator
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from foreign import checkpoint, nvidia_generator, published_names, write_pickle, write_torch
from foreign_tensorflow import tensorflow_generator
from hostile import good_files, named, outcome, refused, text
from pliant.checkpoints import Checkpoint
from pliant.errors import UnsafeCheckpointError

# Files that want to run something


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def _attacks(canary: Path) -> dict[str, Any]:
    code = f"open({str(canary)!r}, 'w')"
    return {
        "posix.system": Call(os.system, f"touch {canary}"),
        "subprocess.Popen": Call(subprocess.Popen, ["touch", str(canary)]),
        "builtins.eval": Call(eval, code),
        "builtins.exec": Call(exec, code),
        "builtins.compile": Call(compile, code, "", "exec"),
        "builtins.__import__": Call(builtins.__import__, "antigravity"),
        "builtins.getattr": Call(getattr, Call(builtins.__import__, "os"), "system"),
        "operator.attrgetter": Call(operator.attrgetter("system"), Call(builtins.__import__, "os")),
        "io.open": Call(io.open, str(canary), "w"),
        "builtins.bytearray": Call(bytearray, 2**33),
        "torch.serialization.load": Call(torch.load, str(canary)),
        "pickle.loads": Call(pickle.loads, pickle.dumps(Call(eval, code))),
        "torch.zeros": Call(torch.zeros, 2**40),
    }


@pytest.mark.parametrize("name", list(_attacks(Path("x"))))
@pytest.mark.parametrize("protocol", [2, 4])
def test_calls_are_refused_by_name(tmp_path: Path, name: str, protocol: int) -> None:
    attack = _attacks(tmp_path / "canary")[name]
    generator = nvidia_generator(checkpoint())
    generator.state["_init_kwargs"] = attack
    network = tensorflow_generator(checkpoint())
    network.state["static_kwargs"] = attack
    path = tmp_path / "model.pkl"
    for content in (attack, {"G_ema": generator}, (network, network, network), [attack] * 3):
        if (
            name == "torch.zeros"
        ):  # a built-in without a module of its own: torch.save and pickle find another
            break
        assert isinstance(outcome(write_pickle(path, content, protocol)), UnsafeCheckpointError)
        assert "asks for" in refused(path)
    for as_zip in (True, False):
        write_torch(path, {"g_ema": attack}, as_zip=as_zip)
        assert isinstance(outcome(path), UnsafeCheckpointError)
    assert isinstance(outcome(path, good_files()["nvidia"]), Checkpoint)


def test_names_close_to_allowed_ones_are_refused(tmp_path: Path) -> None:
    for module, name in (
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch._utils", "_rebuild_sparse_tensor"),
        ("torch_utils.persistence", "_reconstruct_persistent_obj.__class__"),
        ("torch_utils", "persistence._reconstruct_persistent_obj"),
        ("torch_utils.persistence", "_src_to_module"),
        ("collections", "OrderedDict.fromkeys"),
        ("collections", "defaultdict"),
        ("builtins", "set.union"),
        ("builtins", "dict"),
        ("__builtin__", "eval"),
        ("numpy", "load"),
        ("numpy.core.multiarray", "fromfile"),
        ("torch.storage", "_load_from_bytes.__code__"),
        ("torch", "FloatStorage.from_file"),
        ("torch.FloatStorage", "from_file"),
        ("", ""),
        ("dnnlib.util", "call_func_by_name"),
        ("dnnlib.tflib.network", "import_handler"),
    ):
        for stream in (
            b"\x80\x04" + text(module) + text(name) + b"\x93" + b").R.",
            b"\x80\x02c" + f"{module}\n{name}\n".encode() + b").R.",
        ):
            assert isinstance(outcome(tmp_path / "m", stream), UnsafeCheckpointError), (module, name)


def test_a_pickle_inside_a_pickle_is_refused(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    attack = pickle.dumps(Call(os.system, f"touch {canary}"), protocol=2)
    magic = good_files()["community stream"][:15]
    nested = {
        "a plain pickle": attack,
        "as the root of a stream": magic + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2) + attack,
        "as the version of a stream": magic + attack,
        "a zip of torch.save": good_files()["community"],
        "a state dict as a stream": good_files()["community stream"],
        "a storage that is a number": magic + b"".join(
            pickle.dumps(part, 2) for part in (1001, {"little_endian": True}, 7, [])
        ),
    }  # fmt: skip
    for how, content in nested.items():
        stream = b"\x80\x03" + named("torch.storage", "_load_from_bytes")
        stream += b"B" + struct.pack("<I", len(content)) + content + b"\x85R."
        assert isinstance(outcome(tmp_path / "m", stream), UnsafeCheckpointError), how


@pytest.mark.parametrize(
    "stream",
    [
        b"(S'echo'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'echo'\no.",  # OBJ
        b"\x80\x02\x82\x01.",  # EXT1
        b"\x80\x02\x83\x01\x00.",  # EXT2
        b"\x80\x02\x84\x01\x00\x00\x00.",  # EXT4
        b"\x80\x02Pstorage\n.",  # PERSID
        b"\x80\x05\x97.",  # NEXT_BUFFER
        b"\x80\x04\x96\xff\xff\xff\xff\x00\x00\x00\x00.",  # BYTEARRAY8
        b"\x80\x04" + named("collections", "OrderedDict") + b")}\x92.",  # NEWOBJ_EX
        b"\x80\x02L" + b"9" * 100_000 + b"\n.",  # LONG
        b"\x80\x02\x8b\xff\xff\xff\x7f.",  # LONG4
        b"\x80\x02N2.",  # DUP
    ],
)
def test_opcodes_that_weights_never_use_are_refused(tmp_path: Path, stream: bytes) -> None:
    assert isinstance(outcome(tmp_path / "m", b"\x80\x02" + stream), UnsafeCheckpointError)


STORAGE = (
    b"("
    + text("storage")
    + named("torch", "FloatStorage")
    + text("0")
    + text("cpu")
    + b"K\x04t"
)  # fmt: skip


DTYPE = named("numpy", "dtype") + text("f8") + b"\x89\x88\x87R"
ARRAY = named("numpy.core.multiarray", "_reconstruct") + named("numpy", "ndarray") + b"\x85R"
NETWORK = named("dnnlib.tflib.network", "Network") + b")R"


@pytest.mark.parametrize(
    "stream",
    [
        STORAGE + b"Q.",  # a persistent id in a plain pickle
        named("torch", "FloatStorage") + b")R.",  # a type called
        named("numpy", "ndarray") + b")R.",
        b"K\x01)R.",  # a number called
        named("collections", "OrderedDict") + b"]R.",  # arguments that are a list
        named("collections", "OrderedDict") + b"K\x01\x85R.",
        b"}}b.",  # state for a dictionary
        b"K\x01}b.",
        named("collections", "OrderedDict") + b"}b.",  # state for a name
        b"K\x01]K\x02a.",
        b"]K\x01K\x02s.",  # a key set in a list
        b"}]K\x02s.",  # a list as a key
        b"})K\x02s.",
        b"}K\x02K\x03a.",  # an item appended to a dictionary
        b"(K\x01",
        b"\x85.",
        b"\x87.",
        b"t.",
        b"e.",
        b"h\x07.",
        b"q\x07.",
        b".",
        b"\x93.",
        b"K\x01K\x02\x93.",
        b"c",
        b"cos",
        b"c" + b"x" * 1000 + b"\nx\n.",
        b"X\xff\xff\xff\xff.",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"X\x02\x00\x00\x00\xff\xff.",
        named("numpy", "dtype") + text("O8") + b"\x89\x88\x87R.",
        named("numpy", "dtype") + text("V8") + b"\x89\x88\x87R.",
        named("numpy", "dtype") + text("f8,O") + b"\x89\x88\x87R.",
        DTYPE + b"K\x01b.",
        DTYPE + b"(K\x03" + text("<") + b"NN(" + text("a") + b"tK\xffK\xffK\x00tb.",
        DTYPE + b"(K\x03" + text("?") + b"NNNK\xffK\xffK\x00tb.",
        ARRAY + b"K\x01b.",
        ARRAY + b"(K\x01)" + DTYPE + b"\x89C\x01xtb.",
        ARRAY + b"(K\x01(J\xff\xff\xff\xfft" + DTYPE + b"\x89C\x08abcdefghtb.",
        NETWORK[:-2] + b"K\x01\x85R.",
        named("numpy.core.multiarray", "_reconstruct") + named("collections", "OrderedDict") + b"\x85R.",
        named("numpy.core.multiarray", "scalar") + b"K\x01K\x02\x86R.",
        named("_codecs", "encode") + text("x") + text("rot13") + b"\x86R.",
        named("_codecs", "encode") + text("\u20ac") + text("latin1") + b"\x86R.",
        named("builtins", "set") + b"K\x01\x85R.",
        named("torch._utils", "_rebuild_parameter") + b"K\x01\x85R.",
        named("torch._utils", "_rebuild_tensor_v2") + b"K\x01\x85R.",
        named("torch_utils.persistence", "_reconstruct_persistent_obj") + b"}\x85R.",
        named("torch.storage", "_load_from_bytes") + b"K\x01\x85R.",
    ],
)
def test_pickles_that_contradict_themselves(tmp_path: Path, stream: bytes) -> None:
    refused(tmp_path / "m", b"\x80\x02" + stream)


def test_reading_imports_nothing(tmp_path: Path) -> None:
    for data in good_files().values():
        outcome(tmp_path / "m", data)
    before = set(sys.modules)
    for name in ("antigravity", "turtledemo", "this"):
        stream = b"\x80\x04" + named(name, "x") + b"."
        assert isinstance(outcome(tmp_path / "m", stream), UnsafeCheckpointError)
    assert set(sys.modules) == before
    with published_names():
        assert "torch_utils" in sys.modules
    assert "torch_utils" not in sys.modules
