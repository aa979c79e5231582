"""The errors Pliant raises on purpose.

Each carries one sentence that says what was wrong, what was expected and what to do, so that a door (command
line, studio, notebook) can show the message as it is.
"""

__all__ = [
    "CheckpointError",
    "InputError",
    "MissingExtraError",
    "ModelMismatchError",
    "PliantError",
    "UnsafeCheckpointError",
]


class PliantError(Exception):
    """The base of every error that Pliant raises on purpose."""


class InputError(PliantError, ValueError):
    """Something the user gave cannot be used: a point, a mask, an image, a setting."""


class CheckpointError(PliantError):
    """Weights cannot be read or written: not a model, broken, incomplete, or of an unsupported kind."""


class UnsafeCheckpointError(CheckpointError):
    """A file of weights asks for something that reading weights never needs, such as calling a function."""


class ModelMismatchError(PliantError):
    """A picture's code and a model do not belong together."""


class MissingExtraError(PliantError):
    """An optional package is not installed; the message says which extra of Pliant brings it."""
