"""A home of Pliant's with a tiny model, an empty folder to work in, and a way to run commands."""

import pytest

from pliant.checkpoints import Checkpoint, write_native
from pliant.cli import main

import tiny


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of Pliant's with one model, `tiny`, of 64 pixels."""
    home = tmp_path_factory.mktemp("home")
    generator = tiny.generator(64)
    write_native(
        Checkpoint(generator.config.to_json(), generator.state_dict(), "native", {}), home / "models" / "tiny"
    )
    return home


@pytest.fixture(autouse=True)
def workplace(home, tmp_path, monkeypatch):
    """Every test starts in an empty folder."""
    monkeypatch.setenv("PLIANT_HOME", str(home))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pliant(capsys):
    """Runs a command; gives its exit code, standard output and standard error."""

    def run(*arguments):
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        done = capsys.readouterr()
        return code, done.out, done.err

    return run
