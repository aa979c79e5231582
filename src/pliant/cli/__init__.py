"""The command line: `pliant VERB …`.

The verbs of the edits are made from the catalogue. Nothing heavy is imported before a verb needs it, so every
`--help` is there at once.
"""

from __future__ import annotations

import difflib
import importlib
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pliant import __version__, catalogue
from pliant.errors import PliantError

__all__ = ["main"]

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Verb:
    """One command."""

    words: str
    """What is typed after `pliant`."""
    summary: str
    run: Callable[[list[str]], int]
    """Takes the remaining arguments and returns the exit code."""


def _later(where: str, *given: object) -> Callable[[list[str]], int]:
    """A function of a module of this package, imported when it is called."""

    def run(arguments: list[str]) -> int:
        module, _, name = where.partition(":")
        return getattr(importlib.import_module(f"pliant.cli.{module}"), name)(*given, arguments)

    return run


def _edit_verb(edit: catalogue.Edit) -> Verb:
    words = {"vector": "vector apply"}.get(edit.name, edit.name)
    by_kind = {"latent": "edit:run", "vector": "drawing:run"}
    where = "things:run" if edit.group == "Things" else by_kind[edit.pictures[0]]
    where = "generate:run" if edit.name == "generate" else where
    return Verb(words, edit.summary, _later(where, edit, words))


def verbs() -> dict[str, Verb]:
    """Every verb by its words."""
    every = [
        Verb("sample", "Make a picture, or a sheet of them, from seeds.", _later("sample:run")),
        *(_edit_verb(edit) for edit in catalogue.EDITS if edit.name not in {"invert", "trace"}),
        Verb(
            "resize", "Make things of a photo larger or smaller, or turn them.", _later("things:run_resize")
        ),
        Verb("segment", "Say which pixel of a picture belongs to what part.", _later("parts:run")),
        Verb("vector list", "List the edits that can be applied at once.", _later("vectors:run_list")),
        Verb("vector save", "Keep an edit, to apply it to other pictures.", _later("vectors:run_save")),
        Verb("invert", "Open a photo: find the code that makes it.", _later("invert:run")),
        Verb("putback", "Put an edited photo's face back into the photo.", _later("invert:run_putback")),
        Verb("trace", "Turn a photo into a vector drawing.", _later("trace:run")),
        Verb("models", "List the models that have a name.", _later("models:run_models")),
        Verb("convert", "Turn someone's checkpoint into Pliant's format.", _later("models:run_convert")),
        Verb(
            "inspect",
            "Say what is in a checkpoint, project, drawing or picture.",
            _later("models:run_inspect"),
        ),
        Verb("train gan", "Train a generator on a folder of pictures.", _later("train:run_gan")),
        Verb("train head", "Train a model's part head on labelled pictures.", _later("heads:run")),
        Verb("studio", "Edit in the browser.", _later("studio:run")),
        Verb("bench", "Run a benchmark of this source checkout.", _later("bench:run")),
    ]
    return {verb.words: verb for verb in every}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the process's arguments if none are given.

    Returns:
        0 when it did what was asked, 2 for input that cannot be used, 130 when it was interrupted (what was done until
        then is kept), 1 for anything else.
    """
    # Read when torch is loaded. Threads that spin for long while they wait make everything crawl beside other programs.
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--version"]:
        print(f"pliant {__version__}")
        return OK
    if not given or given[0] in {"-h", "--help", "help"}:
        print(_help())
        return OK if given else BAD_INPUT
    return _guarded(given)


def _guarded(given: list[str]) -> int:
    """Run a command; what can go wrong becomes a sentence and an exit code."""
    try:
        return _command(given)()
    except SystemExit as end:  # from the parser, which has said why
        return end.code if isinstance(end.code, int) else BAD_INPUT
    except (PliantError, KeyboardInterrupt, MemoryError) as error:
        return _explain(error)
    except BrokenPipeError:  # whoever read our output has seen enough, as in `pliant drag --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except RuntimeError as error:  # torch has no type of its own for all the memories that can run out
        if not re.search("out of memory|can't allocate memory", str(error)):
            raise
        return _explain(MemoryError())


def _explain(error: BaseException) -> int:
    """Say on standard error what ended the command; its exit code."""
    code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else BAD_INPUT
    code = FAILED if isinstance(error, MemoryError) else code
    sentences = {
        INTERRUPTED: "interrupted; what was finished is kept.",
        FAILED: "there is not enough memory for this; try a smaller model or fewer points.",
        BAD_INPUT: str(error),
    }
    print(f"pliant: {sentences[code]}", file=sys.stderr)
    return code


def _command(given: list[str]) -> Callable[[], int]:
    """What the first one or two words ask for.

    Raises:
        PliantError: there is no such verb.
    """
    known = verbs()
    for count in (2, 1):
        verb = known.get(" ".join(given[:count]))
        if verb is not None:
            return partial(verb.run, given[count:])
    family = [words for words in known if words.split()[0] == given[0]]
    near = family or difflib.get_close_matches(given[0], known, 1)
    hint = f"did you mean {' or '.join(near)}?" if near else "see pliant --help."
    raise PliantError(f"there is no command '{' '.join(given[: 2 if family else 1])}'; {hint}")


def _help() -> str:
    lines = [f"  {verb.words:<12} {verb.summary}" for verb in verbs().values()]
    return "\n".join(
        [
            "usage: pliant VERB [OPTIONS]",
            "",
            "Edit pictures by hand on generative models.",
            "",
            *lines,
            "",
            "pliant VERB --help says what a verb takes; pliant --version says which Pliant this is.",
        ]
    )
