"""One studio at a time writes to a store."""

import multiprocessing

import pytest

from pliant.errors import InputError
from pliant.studio.disk import Store


def claims(folder):
    """In another process, for a lock is no obstacle to its own."""
    try:
        with Store(folder).claimed():
            return "claimed"
    except InputError as error:
        return str(error)


def test_a_second_studio_is_refused_until_the_first_has_ended(tmp_path):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with Store(tmp_path).claimed():
            assert "Another studio is using" in pool.apply(claims, (tmp_path,))
        assert pool.apply(claims, (tmp_path,)) == "claimed"


def test_sessions_without_a_picture_are_removed_and_others_stay(tmp_path):
    store = Store(tmp_path)
    empty, used = store.create(), store.create()
    folder = store.open(used)
    folder.write_tree(folder.read_tree())
    with store.claimed():
        assert not store.knows(empty)
        assert store.knows(used)
    with pytest.raises(InputError, match="no such project"):
        store.open(empty)
