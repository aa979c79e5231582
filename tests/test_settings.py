from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import pytest

from pliant import catalogue
from pliant.errors import InputError
from pliant.settings import Slider, field_docs, import_from, make_settings, read_settings, settings_facts


@dataclass(frozen=True)
class Base:
    """A base."""

    seed: int = 0
    """Where randomness
    comes from."""


@dataclass(frozen=True)
class Example(Base):
    """An example."""

    size: float = 0.5
    """How large."""
    mode: Literal["a", "b"] = "a"
    limit: int | None = None
    """At most this many."""
    flip: bool = False
    out: Path = Path("x")
    """Where to."""
    counts: tuple[int, ...] = (1, 2)
    """Some numbers."""

    def __post_init__(self):
        """Not a field's docstring."""
        if self.size < 0:
            raise InputError("size must be 0 or more.")


def test_the_docs_of_fields_are_found_in_the_class_and_its_bases():
    assert field_docs(Example) == {
        "seed": "Where randomness comes from.",
        "size": "How large.",
        "limit": "At most this many.",
        "out": "Where to.",
        "counts": "Some numbers.",
    }


WHERES = [edit.settings_class for edit in catalogue.EDITS] + ["pliant.train.settings:GanTrainSettings"]


@pytest.mark.parametrize("where", WHERES)
def test_the_text_tells_the_same_as_the_class(where):
    cls = import_from(where)
    hints, docs = get_type_hints(cls), field_docs(cls)
    read = read_settings(where)
    assert [setting.name for setting in read] == [field.name for field in fields(cls)]
    for setting, field in zip(read, fields(cls), strict=True):
        assert setting.type == hints[field.name]
        assert setting.default == field.default
        assert setting.default is not MISSING
        assert setting.help == docs[field.name], "every setting has a sentence under it"


def test_a_class_that_its_text_does_not_explain_is_imported(tmp_path, monkeypatch):
    package = tmp_path / "pliant"
    package.mkdir()
    monkeypatch.setattr("pliant.settings.__file__", str(package / "settings.py"))
    (package / "odd.py").write_text("nothing here")
    monkeypatch.setattr("pliant.settings.import_from", lambda where: Example)
    (package / "odd.py").write_text("class Odd:\n    size: float = SIZES[0]\n")
    assert [setting.name for setting in read_settings("pliant.odd:Odd")] == [
        field.name for field in fields(Example)
    ]


def test_settings_from_values():
    made = make_settings(Example, {"size": 2, "mode": "b", "limit": 3, "out": "y", "flip": True})
    assert made == Example(size=2, mode="b", limit=3, out=Path("y"), flip=True)
    assert make_settings(Example, settings_facts(made)) == made
    assert make_settings(Example, {"limit": None}) == Example()


def test_whole_numbers_in_a_row_come_from_forms_files_and_commands():
    for given in ((3, 40), [3, 40], "3 40", " 3,40", "3 , 40"):
        assert make_settings(Example, {"counts": given}).counts == (3, 40)
    assert settings_facts(Example())["counts"] == [1, 2]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"siez": 1}, "no setting 'siez'; there are: seed, size, mode"),
        ({"size": "big"}, "'size' cannot be 'big'; it takes a number"),
        ({"size": True}, "'size' cannot be True"),
        ({"size": float("nan")}, "'size' cannot be nan"),
        ({"size": float("inf")}, "'size' cannot be inf"),
        ({"seed": 1.5}, "'seed' cannot be 1.5; it takes a whole number"),
        ({"seed": True}, "'seed' cannot be True"),
        ({"mode": "c"}, "it takes 'a' or 'b'"),
        ({"mode": ["a"]}, "it takes 'a' or 'b'"),
        ({"limit": "3"}, "it takes a whole number or nothing"),
        ({"flip": 1}, "it takes true or false"),
        ({"out": 3}, "it takes a path"),
        ({"counts": 3}, "it takes whole numbers in a row, such as 10 30"),
        ({"counts": "3 x"}, "it takes whole numbers"),
        ({"counts": "3 " * 9 + "-1"}, "it takes whole numbers"),
        ({"counts": [3, 1.5]}, "it takes whole numbers"),
        ({"counts": [True]}, "it takes whole numbers"),
        ({"size": -1}, "size must be 0 or more"),
    ],
)
def test_values_that_do_not_fit_get_a_sentence(values, sentence):
    with pytest.raises(InputError, match=sentence):
        make_settings(Example, values)


@dataclass(frozen=True)
class Slid:
    """Settings with sliders."""

    rate: Annotated[float, "something else", Slider(1e-4, 2e-2, log=True)] = 2e-3
    """How fast."""
    count: Annotated[int, Slider(1, 18)] = 6
    noted: Annotated[int, "no slider"] = 1
    plain: int = 2


def test_a_slider_says_where_a_number_usually_lies(monkeypatch):
    monkeypatch.setattr("pliant.settings.import_from", lambda where: Slid)
    rate, count, noted, plain = read_settings("pliant.settings:Slid")
    assert (rate.type, rate.slider) == (float, Slider(1e-4, 2e-2, log=True))
    assert (count.type, count.slider) == (int, Slider(1, 18, log=False))
    assert (noted.type, noted.slider, plain.type, plain.slider) == (int, None, int, None)
    assert (rate.help, count.help) == ("How fast.", "")


def test_a_slider_binds_nobody():
    assert make_settings(Slid, {"rate": 5, "count": 99}) == Slid(rate=5, count=99)
    with pytest.raises(InputError, match=r"'count' cannot be 1\.5; it takes a whole number"):
        make_settings(Slid, {"count": 1.5})


@pytest.mark.parametrize("where", WHERES)
def test_sliders_hold_their_defaults_and_are_read_from_the_text_alike(where):
    hints = get_type_hints(import_from(where), include_extras=True)
    for setting in read_settings(where):
        notes = getattr(hints[setting.name], "__metadata__", ())
        assert setting.slider == next((note for note in notes if isinstance(note, Slider)), None)
        if setting.slider is not None:
            assert setting.slider.low <= setting.default <= setting.slider.high
            assert setting.slider.low > 0 or not setting.slider.log
