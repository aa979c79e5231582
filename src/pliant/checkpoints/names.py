"""Everything that a file of weights may name, and what stands for it here."""

from collections.abc import Mapping
from typing import Any

import torch

from pliant.checkpoints import records
from pliant.checkpoints.limits import broken, harmful
from pliant.checkpoints.unpickle import Builder, Name

_DTYPES = {
    Name("torch", "FloatStorage"): torch.float32,
    Name("torch", "HalfStorage"): torch.float16,
    Name("torch", "BFloat16Storage"): torch.bfloat16,
    Name("torch", "DoubleStorage"): torch.float64,
    Name("torch", "LongStorage"): torch.int64,
    Name("torch", "IntStorage"): torch.int32,
    Name("torch", "ShortStorage"): torch.int16,
    Name("torch", "CharStorage"): torch.int8,
    Name("torch", "ByteStorage"): torch.uint8,
    Name("torch", "BoolStorage"): torch.bool,
}

STORAGES: Mapping[tuple[str, str], Builder | None] = {(kind.module, kind.name): None for kind in _DTYPES}
"""The types of stored numbers; a storage stream inside a pickle may name nothing else."""

NAMES: Mapping[tuple[str, str], Builder | None] = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): records.make_module,
    ("dnnlib.tflib.network", "Network"): records.make_network,
    ("dnnlib.util", "EasyDict"): records.make_bag,
    ("collections", "OrderedDict"): records.make_bag,
    ("argparse", "Namespace"): records.make_bag,
    ("builtins", "set"): records.make_set,
    ("__builtin__", "set"): records.make_set,
    ("_codecs", "encode"): records.make_bytes,
    ("torch._utils", "_rebuild_parameter"): records.make_parameter,
    ("torch._utils", "_rebuild_tensor_v2"): records.make_tensor,
    ("numpy", "dtype"): records.make_numpy_type,
    ("numpy", "ndarray"): None,
    ("numpy.core.multiarray", "_reconstruct"): records.make_numpy_array,
    ("numpy._core.multiarray", "_reconstruct"): records.make_numpy_array,
    ("numpy.core.multiarray", "scalar"): records.make_number,
    ("numpy._core.multiarray", "scalar"): records.make_number,
    **STORAGES,
}
"""Exact (module, name) pairs. The function beside each stands for it; None: it may be passed on, not called.

`torch.storage._load_from_bytes` joins them in plain pickles, as a reader of one storage (see `streams`).
"""


def storage_reference(reference: tuple[Any, ...], length: int) -> tuple[torch.dtype, str, Any]:
    """A persistent id ("storage", type, key, device, count[, view]) as (dtype, key, count)."""
    if len(reference) != length or reference[0] != "storage" or reference[5:] not in ((), (None,)):
        raise harmful("it refers to something else than stored numbers")
    _, kind, key, _, count = reference[:5]
    if not isinstance(kind, Name) or kind not in _DTYPES or not isinstance(key, str):
        raise broken("numbers of an unknown type")
    return _DTYPES[kind], key, count
