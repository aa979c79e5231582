"""Read a pickle as data.

A pickle is a program for a small stack machine, and the standard machine imports any name and calls it. This
one knows only the opcodes that files of weights use, and imports nothing: a name in the file is looked up in
a table of exact (module, name) pairs, and "calling" it runs the function that *this package* keeps under that
pair. What comes out is made of None, bool, int, float, str, memoryview (for bytes), tuple, list, dict, set
and what those functions return.

Python's own `pickle.Unpickler` with a `find_class` was the alternative. It still lets the file call `append`,
`extend`, `__setitem__` and `__setstate__` of whatever lies on its stack, and reserve memory by a number in
the file; here each of these is a line of this file.
"""

import pickle  # only for the opcodes' bytes: nothing of it is called
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pliant.checkpoints.limits import Budget, broken, harmful, truncated
from pliant.checkpoints.values import is_tuple

Builder = Callable[[tuple[Any, ...]], Any]
"""Stands for a callable of the file: takes the arguments found there."""


@dataclass(frozen=True, slots=True)
class Name:
    """A global that the file names. It is never imported."""

    module: str
    name: str


class Record:
    """Something built from the file that takes a state from it (opcode BUILD)."""

    def set_state(self, state: Any) -> None:
        """Take the state that the file gives, or refuse it."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Inline:
    """An argument that follows the opcode: a number, or a number of bytes and those bytes."""

    layout: struct.Struct
    counts_bytes: bool = False


_BYTE, _SHORT, _INT = (_Inline(struct.Struct(layout)) for layout in ("<B", "<H", "<i"))
_INDEX, _LENGTH, _FLOAT = (_Inline(struct.Struct(layout)) for layout in ("<I", "<Q", ">d"))
_BYTES1, _BYTES4, _BYTES8 = (
    _Inline(struct.Struct(layout), counts_bytes=True) for layout in ("<B", "<I", "<Q")
)


class Unpickler:
    """The machine.

    Args:
        data: the bytes of the file.
        position: where the pickle begins; `load` leaves it after the pickle's end.
        builders: (module, name) pairs that the file may name; None for names that may only be passed on.
        persistent: what to do with a persistent id; None refuses them.
        budget: opcodes left; a fresh one by default.
    """

    def __init__(
        self,
        data: memoryview,
        position: int = 0,
        *,
        builders: Mapping[tuple[str, str], Builder | None],
        persistent: Builder | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.position = position
        self.names: set[str] = set()
        self._data = data
        self._builders = builders
        self._persistent = persistent
        self._budget = budget or Budget()
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def load(self) -> Any:
        """Run to the opcode STOP and return the value on the stack.

        Raises:
            CheckpointError: the data is truncated, malformed or too long.
            UnsafeCheckpointError: it uses a name outside `builders` or an opcode that weights never need.
        """
        while True:
            self._budget.spend()
            code = self._take(1)[0]
            if code == pickle.STOP[0]:
                return self._pop()
            if code not in self._opcodes:
                raise harmful(f"it uses the pickle opcode 0x{code:02x}")
            handler, argument = self._opcodes[code]
            handler(self, self._read(argument) if isinstance(argument, _Inline) else argument)

    def _take(self, count: int) -> memoryview:
        end = self.position + count
        if end > len(self._data):
            raise truncated()
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def _read(self, argument: _Inline) -> Any:
        value = argument.layout.unpack(self._take(argument.layout.size))[0]
        return self._take(value) if argument.counts_bytes else value

    def _line(self) -> str:
        limit = min(self.position + 256, len(self._data))
        line, newline, _ = bytes(self._data[self.position : limit]).partition(b"\n")
        if not newline:
            raise broken("a name without an end")
        self.position += len(line) + 1
        return _text(memoryview(line))

    def _pop(self) -> Any:
        if not self._stack:
            raise broken("a value is missing")
        return self._stack.pop()

    def _pop_last(self, count: int | None) -> list[Any]:
        """The last `count` values, or all values since the last mark."""
        if count is None:
            if not self._outer:
                raise broken("a mark is missing")
            items, self._stack = self._stack, self._outer.pop()
            return items
        if len(self._stack) < count:
            raise broken("a value is missing")
        start = len(self._stack) - count
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _top(self, kind: type = object) -> Any:
        if not self._stack or not isinstance(self._stack[-1], kind):
            raise broken(f"a {'value' if kind is object else kind.__name__} is missing")
        return self._stack[-1]

    # One handler for each opcode that is understood. `argument` is what follows the opcode in the file, or
    # the constant given in the table below.

    def _nothing(self, _: Any) -> None:
        pass

    def _frame(self, argument: Any) -> None:
        if argument > len(self._data) - self.position:
            raise truncated()

    def _push(self, argument: Any) -> None:
        self._stack.append(argument)

    def _push_new(self, argument: Any) -> None:
        self._stack.append(argument())

    def _push_long(self, argument: Any) -> None:
        self._stack.append(int.from_bytes(argument, "little", signed=True))

    def _push_text(self, argument: Any) -> None:
        self._stack.append(_text(argument))

    def _mark(self, _: Any) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _tuple(self, argument: Any) -> None:
        items = tuple(self._pop_last(argument))
        self._stack.append(items)  # after the line above, which may have changed the stack

    def _append(self, argument: Any) -> None:
        items = self._pop_last(argument)
        self._top(list).extend(items)

    def _set_items(self, argument: Any) -> None:
        items, target = self._pop_last(argument), self._top(dict)
        if len(items) % 2:
            raise broken("a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_hashable(key)] = value

    def _add_items(self, argument: Any) -> None:
        items, target = self._pop_last(argument), self._top(set)
        for item in items:
            target.add(_hashable(item))

    def _memoize(self, argument: Any) -> None:
        self._memo[len(self._memo) if argument is None else argument] = self._top()

    def _recall(self, argument: Any) -> None:
        if argument not in self._memo:
            raise broken("a reference to nothing")
        self._stack.append(self._memo[argument])

    def _global(self, _: Any) -> None:
        module = self._line()
        self._name(module, self._line())

    def _stack_global(self, _: Any) -> None:
        self._name(*self._pop_last(2))

    def _name(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise broken("a name that is not text")
        shown = ascii(f"{module}.{name}"[:100])[1:-1]
        if (module, name) not in self._builders:
            raise harmful(f"it asks for {shown}")
        self.names.add(shown)
        self._stack.append(Name(module, name))

    def _call(self, _: Any) -> None:
        function, arguments = self._pop_last(2)
        builder = self._builders[function.module, function.name] if isinstance(function, Name) else None
        if builder is None or not is_tuple(arguments):
            raise harmful("it calls something that is no function")
        self._stack.append(builder(arguments))

    def _build(self, _: Any) -> None:
        state, target = self._pop(), self._top()
        if not isinstance(target, Record):
            raise harmful(f"it sets the state of a {type(target).__name__}")
        target.set_state(state)

    def _persistent_id(self, _: Any) -> None:
        reference = self._pop()
        if self._persistent is None or not is_tuple(reference):
            raise harmful("it refers to data outside itself")
        self._stack.append(self._persistent(reference))

    _opcodes: ClassVar[dict[int, tuple[Callable[["Unpickler", Any], None], Any]]] = {
        code[0]: (handler, argument)
        for code, handler, argument in (
            (pickle.PROTO, _nothing, _BYTE),
            (pickle.FRAME, _frame, _LENGTH),
            (pickle.NONE, _push, None),
            (pickle.NEWTRUE, _push, True),
            (pickle.NEWFALSE, _push, False),
            (pickle.BININT, _push, _INT),
            (pickle.BININT1, _push, _BYTE),
            (pickle.BININT2, _push, _SHORT),
            (pickle.LONG1, _push_long, _BYTES1),
            (pickle.BINFLOAT, _push, _FLOAT),
            (pickle.SHORT_BINUNICODE, _push_text, _BYTES1),
            (pickle.BINUNICODE, _push_text, _BYTES4),
            (pickle.BINUNICODE8, _push_text, _BYTES8),
            (pickle.SHORT_BINBYTES, _push, _BYTES1),
            (pickle.BINBYTES, _push, _BYTES4),
            (pickle.BINBYTES8, _push, _BYTES8),
            (pickle.MARK, _mark, None),
            (pickle.EMPTY_TUPLE, _tuple, 0),
            (pickle.TUPLE1, _tuple, 1),
            (pickle.TUPLE2, _tuple, 2),
            (pickle.TUPLE3, _tuple, 3),
            (pickle.TUPLE, _tuple, None),
            (pickle.EMPTY_LIST, _push_new, list),
            (pickle.APPEND, _append, 1),
            (pickle.APPENDS, _append, None),
            (pickle.EMPTY_DICT, _push_new, dict),
            (pickle.SETITEM, _set_items, 2),
            (pickle.SETITEMS, _set_items, None),
            (pickle.EMPTY_SET, _push_new, set),
            (pickle.ADDITEMS, _add_items, None),
            (pickle.MEMOIZE, _memoize, None),
            (pickle.BINPUT, _memoize, _BYTE),
            (pickle.LONG_BINPUT, _memoize, _INDEX),
            (pickle.BINGET, _recall, _BYTE),
            (pickle.LONG_BINGET, _recall, _INDEX),
            (pickle.GLOBAL, _global, None),
            (pickle.STACK_GLOBAL, _stack_global, None),
            (pickle.REDUCE, _call, None),
            (pickle.NEWOBJ, _call, None),
            (pickle.BUILD, _build, None),
            (pickle.BINPERSID, _persistent_id, None),
        )
    }


def _text(data: memoryview) -> str:
    try:
        return str(data, "utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise broken("text that is not text") from None


def _hashable(key: Any) -> Any:
    # Keys are names, and addresses in old optimiser states. Larger numbers could be chosen to have one hash, and
    # a dictionary of a hundred thousand of these takes minutes.
    if not (key is None or isinstance(key, str) or (isinstance(key, int) and abs(key) < 2**48)):
        raise broken(f"a {type(key).__name__} as a key")
    return key
