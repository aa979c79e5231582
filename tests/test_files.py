import errno
import os
import re

import pytest

from pliant.errors import InputError, PliantError
from pliant.files import is_file, write_whole


def test_the_new_file_appears_at_once_and_alone(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with write_whole(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail_halfway():
        with write_whole(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises((error, PliantError)):
        fail_halfway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EACCES, "may not be written (permission denied)"),
        (errno.EIO, "could not be written"),
    ],
)
def test_what_the_disk_says_becomes_a_sentence(tmp_path, monkeypatch, code, sentence):
    def refuse(_):  # a full disk cannot be had for a test; this is the last call that notices one
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(PliantError, match=re.escape(sentence)), write_whole(tmp_path / "a.txt") as part:
        part.write_text("x")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_hold_a_file(tmp_path):
    for path, sentence in ((tmp_path, "is a folder"), (tmp_path / "no" / "a.txt", "There is no folder")):
        with pytest.raises(InputError, match=sentence), write_whole(path):
            pass


def test_a_name_that_no_file_can_have_is_no_file(tmp_path):
    (tmp_path / "a").touch()
    assert is_file(tmp_path / "a")
    assert not any(is_file(name) for name in (tmp_path, tmp_path / "b", "", "\0", "x" * 5000))
