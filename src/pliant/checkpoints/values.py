"""Take values of a foreign file only if they are of the kind expected."""

from typing import Any, TypeGuard

from pliant.checkpoints.limits import broken

_MAX_DIMENSIONS = 8


def is_dict(value: Any) -> TypeGuard[dict[Any, Any]]:
    """Whether it is a dictionary."""
    return isinstance(value, dict)


def is_tuple(value: Any) -> TypeGuard[tuple[Any, ...]]:
    """Whether it is a tuple."""
    return isinstance(value, tuple)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether it is a list."""
    return isinstance(value, list)


def is_bytes(value: Any) -> TypeGuard[memoryview]:
    """Whether it is a run of bytes of the file."""
    return isinstance(value, memoryview)


def natural(value: Any) -> int:
    """`value` if it is a whole number from 0 to 2**40."""
    if type(value) is not int or not 0 <= value <= 2**40:
        raise broken("a size that is not a whole number")
    return value


def dimensions(value: Any) -> tuple[int, ...]:
    """`value` if it is a tuple of few natural numbers."""
    if not is_tuple(value) or len(value) > _MAX_DIMENSIONS:
        raise broken("a tensor without a shape")
    return tuple(natural(size) for size in value)


def dictionary(value: Any, what: str) -> dict[Any, Any]:
    """`value` if it is a dictionary."""
    if not is_dict(value):
        raise broken(f"{what} is not a dictionary")
    return value


def named(value: Any, what: str) -> dict[str, Any]:
    """The items of a dictionary whose keys are text."""
    return {key: item for key, item in dictionary(value, what).items() if isinstance(key, str)}
