"""Models by name."""

import hashlib
import json
from pathlib import Path

import pytest

from foreign import checkpoint, write_nvidia
from pliant import zoo
from pliant.checkpoints import write_native
from pliant.errors import CheckpointError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(zoo, "WEIGHTS_FOLDER", tmp_path / "weights")
    return tmp_path / "home"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    model = write_native(checkpoint(), folder / "tiny-16")
    entry = {
        "name": "tiny-16",
        "summary": "a test",
        "licence": "CC0-1.0",
        "sha256": hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest(),
    }
    (folder / "index.json").write_text(json.dumps([entry]))
    return folder


def test_the_real_index_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    for entry in zoo.embedded():
        assert entry.path.is_dir()
        zoo.verify(entry)


def test_nothing_is_known_at_first() -> None:
    assert zoo.entries() == []
    with pytest.raises(CheckpointError, match="known: none yet"):
        zoo.resolve("portraits-256")


def test_an_embedded_model(weights: Path) -> None:
    [entry] = zoo.entries()

    assert (entry.name, entry.resolution, entry.licence) == ("tiny-16", 16, "CC0-1.0")
    assert zoo.resolve("tiny-16") == weights / "tiny-16"


def test_a_changed_embedded_model_is_refused(weights: Path) -> None:
    write_native(checkpoint(seed=1), weights / "tiny-16")
    with pytest.raises(CheckpointError, match="reinstall"):
        zoo.resolve("tiny-16")
    (weights / "tiny-16" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="reinstall"):
        zoo.resolve("tiny-16")


@pytest.mark.parametrize("index", ["{", "7", "[1]", '[{"name": "a"}]'])
def test_a_damaged_index_is_refused(weights: Path, index: str) -> None:
    (weights / "index.json").write_text(index)
    with pytest.raises(CheckpointError, match="damaged"):
        zoo.entries()


def test_models_of_the_user(home: Path, weights: Path) -> None:
    write_native(checkpoint(), home / "models" / "mine", card="---\ntags: x\nlicense: MIT\n---\n\n# Mine\n")
    write_native(checkpoint(), home / "models" / "tiny-16")
    write_nvidia(home / "models" / "lions.pkl", checkpoint())
    (home / "models" / "notes.txt").touch()
    (home / "models" / "empty").mkdir()

    known = {entry.name: entry for entry in zoo.entries()}

    assert list(known) == ["tiny-16", "lions", "mine"]
    assert known["tiny-16"].path == weights / "tiny-16"
    assert (known["mine"].licence, known["mine"].resolution) == ("MIT", 16)
    assert (known["lions"].licence, known["lions"].resolution) == ("unknown", None)
    assert zoo.resolve("lions") == home / "models" / "lions.pkl"


def test_the_default_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLIANT_HOME")

    assert zoo.user_folder() == Path.home() / ".pliant" / "models"


def test_paths(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_nvidia(tmp_path / "lions.pkl", checkpoint())
    assert zoo.resolve(str(file)) == file
    assert zoo.resolve(weights / "tiny-16") == weights / "tiny-16"
    monkeypatch.chdir(tmp_path)
    assert zoo.resolve("lions.pkl") == Path("lions.pkl")


@pytest.mark.parametrize(
    "source",
    ["", "nothing", "~nobody/x", "a/../b", "x" * 10_000, "nul\0", "..", ".", Path("tiny-16"), "/dev/null"],
)
def test_sources_that_are_nothing(weights: Path, source: str | Path) -> None:
    with pytest.raises(CheckpointError, match=r"There is no model .*known: tiny-16"):
        zoo.resolve(source)


def test_a_broken_config_of_a_user_is_listed_without_a_size(home: Path) -> None:
    for name, text in {"a": "{", "b": "[]", "c": '{"resolution": "big"}'}.items():
        (home / "models" / name).mkdir(parents=True)
        (home / "models" / name / "config.json").write_text(text)

    assert [entry.resolution for entry in zoo.entries()] == [None, None, None]
