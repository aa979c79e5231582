"""The benchmark of copies and selections runs, and says what it should."""

import importlib
import json
import sys

from paths import REPOSITORY


def test_it_runs_from_end_to_end(scenes, sprites, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    monkeypatch.delitem(sys.modules, "warp", raising=False)
    bench = importlib.import_module("warp")
    monkeypatch.setattr(bench, "read_sprites", lambda _: sprites)
    monkeypatch.setattr(bench, "_milliseconds", lambda do: do() is not None and 1.0)
    bench.main(["--data", "unused", "--pairs", "2", "--things", "3", "--out", str(tmp_path)])
    told = json.loads((tmp_path / "warp.json").read_text())
    for task, rows in told["copies"].items():
        assert rows["copy"] > rows["nothing"] + 5, task
    assert told["selections"]["box"]["mean"] > 0.8
    assert told["selections"]["the box itself"]["mean"] < 0.95
    assert set(told["milliseconds"]) == {"512", "1024"}
    assert "| copy |" in capsys.readouterr().out
    sys.modules.pop("warp")
