"""One studio for each file of tests, with tiny models, on a real socket; for the `conftest.py` of those that want it."""

from collections.abc import Iterator

import pytest

from pliant.studio.studio import Studio
from served import Page, Served, living_in, make_home, serve


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def own_home(home) -> Iterator[None]:
    with living_in(home):
        yield


@pytest.fixture(scope="module")
def served(own_home, tmp_path_factory) -> Iterator[Served]:
    with serve(Studio(tmp_path_factory.mktemp("studio"), model="tiny", test=True)) as served:
        yield served


@pytest.fixture
def page(served) -> Iterator[Page]:
    """A page with a new session."""
    with served.page() as page:
        yield page
