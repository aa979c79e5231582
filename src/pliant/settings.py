"""The settings of a method as people see them: name, type, default, and the sentence under each field.

Command line help and the studio's tooltips are those sentences. They are read from the source text, because
importing a method imports torch, which takes longer than a person wants to wait for `--help`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import re
import textwrap
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from pliant.errors import InputError

__all__ = [
    "WHOLE_NUMBERS",
    "Setting",
    "Slider",
    "check_ranges",
    "field_docs",
    "import_from",
    "make_settings",
    "read_settings",
    "settings_facts",
]


@dataclass(frozen=True)
class Slider:
    """Ends between which a number usually lies, for a form: `step_size: Annotated[float, Slider(1e-4, 2e-2, log=True)]`.

    They bind nobody: what a method refuses, its settings class refuses.
    """

    low: float
    high: float
    log: bool = False


WHOLE_NUMBERS = tuple[int, ...]
"""The type of a field that holds several; a form and a file may give them as text, such as "10 30"."""

_ROW = re.compile(r"\s*\d{1,9}(\s*[, ]\s*\d{1,9})*\s*")
_NAMES: dict[str, Any] = {
    "Annotated": Annotated, "Literal": Literal, "Path": Path, "Slider": Slider,
    "bool": bool, "int": int, "float": float, "str": str, "tuple": tuple,
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One field of a settings dataclass."""

    name: str
    type: Any
    """The type itself, not its name."""
    default: Any
    """`dataclasses.MISSING` where the person must give it."""
    help: str
    """The docstring under the field, on one line; empty if there is none."""
    slider: Slider | None = None
    """Where a number usually lies, if its field says so."""


def import_from(where: str) -> Any:
    """The object that "package.module:Name" names."""
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)


def read_settings(where: str) -> tuple[Setting, ...]:
    """The fields of a settings dataclass of Pliant, without importing its module if the text says it all.

    Args:
        where: "package.module:ClassName".
    """
    module, _, name = where.partition(":")
    source = Path(__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py")
    tree = ast.parse(source.read_text("utf-8"))
    node = next((each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == name), None)
    try:
        return _from_text(node) if node is not None and not node.bases else _from_class(import_from(where))
    except (
        NameError,
        TypeError,
        ValueError,
        AttributeError,
    ):  # an expression that needs the module to be run
        return _from_class(import_from(where))


def make_settings(cls: Any, values: Mapping[str, Any]) -> Any:
    """A settings dataclass from values by name, as a form, a command or a saved project has them.

    Raises:
        InputError: an unknown name, a value of another type than the field's, or one that the class refuses.
    """
    hints = get_type_hints(cls)
    known = [field.name for field in fields(cls)]
    for name, value in values.items():
        if name not in known:
            raise InputError(f"There is no setting '{name}'; there are: {', '.join(known)}.")
        if not _fits(value, hints[name]):
            expected = _type_name(hints[name])
            raise InputError(f"The setting '{name}' cannot be {value!r}; it takes {expected}.")
    return cls(**{name: _made(value, hints[name]) for name, value in values.items()})


def check_ranges(settings: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Refuse numbers that a method cannot work with.

    Args:
        settings: an instance of a settings class.
        ranges: least and most of each number, by its name.

    Raises:
        InputError: a number outside its range.
    """
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise InputError(f"{name} must be from {low:g} to {high:g}; it is {value:g}.")


def settings_facts(settings: Any) -> dict[str, Any]:
    """The values of a settings dataclass by name, ready for JSON and for `make_settings`."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {name: _fact(value) for name, value in values.items()}


def field_docs(cls: type) -> dict[str, str]:
    """The docstring under each field of a dataclass, by field name; fields of base classes included."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        node = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        docs |= _docs(cast("ast.ClassDef", node))
    return docs


def _docs(node: ast.ClassDef) -> dict[str, str]:
    docs: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            docs[field.target.id] = " ".join(below.value.value.split())
    return docs


def _from_text(node: ast.ClassDef) -> tuple[Setting, ...]:
    docs = _docs(node)
    return tuple(
        _setting(
            each.target.id,
            _value(each.annotation),
            MISSING if each.value is None else _value(each.value),
            docs.get(each.target.id, ""),
        )
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    )


def _setting(name: str, annotation: Any, default: Any, text: str) -> Setting:
    """A field whose type may be annotated with a slider."""
    if get_origin(annotation) is not Annotated:
        return Setting(name, annotation, default, text)
    kind, *notes = get_args(annotation)
    slider = next((note for note in notes if isinstance(note, Slider)), None)
    return Setting(name, kind, default, text, slider)


def _value(node: ast.expr) -> Any:
    """What an annotation or default of our own source means, in terms of a few names."""
    return eval(compile(ast.Expression(node), "<settings>", "eval"), {"__builtins__": {}}, _NAMES)  # noqa: S307


def _from_class(cls: type) -> tuple[Setting, ...]:
    docs, hints = field_docs(cls), get_type_hints(cls, include_extras=True)
    return tuple(
        _setting(each.name, hints[each.name], each.default, docs.get(each.name, "")) for each in fields(cls)
    )


def _made(value: Any, kind: Any) -> Any:
    """A value that fits, of the type of its field."""
    if kind == WHOLE_NUMBERS:
        return tuple(map(int, value.replace(",", " ").split() if isinstance(value, str) else value))
    return Path(value) if kind is Path else value


def _fact(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(cast("tuple[int, ...]", value))
    return str(value) if isinstance(value, Path) else value


def _fits(value: Any, kind: Any) -> bool:
    if kind == WHOLE_NUMBERS:
        return _fits_row(value)
    if get_origin(kind) in {Union, types.UnionType}:
        return any(_fits(value, each) for each in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind) and type(value) in {type(choice) for choice in get_args(kind)}
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str | Path) if kind is Path else isinstance(value, kind)


def _fits_row(value: Any) -> bool:
    if isinstance(value, str):
        return _ROW.fullmatch(value) is not None
    return isinstance(value, list | tuple) and all(_fits(each, int) for each in cast("list[Any]", value))


def _type_name(kind: Any) -> str:
    if get_origin(kind) in {Union, types.UnionType}:
        return " or ".join(_type_name(each) for each in get_args(kind))
    if get_origin(kind) is Literal:
        return " or ".join(repr(choice) for choice in get_args(kind))
    names: dict[Any, str] = {WHOLE_NUMBERS: "whole numbers in a row, such as 10 30"}
    names |= {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
    return names.get(kind, "nothing" if kind is type(None) else str(kind))
