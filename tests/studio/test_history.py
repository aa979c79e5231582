"""Undo, redo, and what of it survives on disk."""

import hashlib
import json

import pytest

from flat import flat, restore, walk
from pliant.errors import InputError
from pliant.project import Project
from pliant.steps import Trace
from pliant.studio.disk import Store
from pliant.studio.history import History
from pliant.studio.messages import Document, Place, Point

EMPTY = Document(edit="drag")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "made" / "on the way")


@pytest.fixture
def folder(store):
    return store.open(store.create())


def documents(count):
    """Documents that can be told apart."""
    return [EMPTY.model_copy(update={"at": Place(node="a" * 16, step=step)}) for step in range(count)]


def at(history):
    return history.document.at.step if history.document.at else None


def test_undo_and_redo_lead_back_and_forth(folder):
    history = History(folder, EMPTY)
    assert (at(history), history.undo_label, history.redo_label) == (None, None, None)
    for number, document in enumerate(documents(4)):
        history.push(f"change {number}", document)
    assert (at(history), history.undo_label, history.redo_label) == (3, "change 3", None)
    history.move(-1)
    history.move(-1)
    assert (at(history), history.undo_label, history.redo_label) == (1, "change 1", "change 2")
    history.move(1)
    assert at(history) == 2
    for _ in range(9):
        history.move(-1)
    assert (at(history), history.undo_label) == (0, None), "the first picture stays"
    for _ in range(9):
        history.move(1)
    assert at(history) == 3


def test_a_change_after_undo_takes_the_place_of_what_was_taken_back(folder):
    history = History(folder, EMPTY)
    first = documents(5)
    for number in range(3):
        history.push(str(number), first[number])
    history.move(-1)
    history.push("other", first[4])
    assert (at(history), history.undo_label, history.redo_label) == (4, "other", None)
    history.move(-1)
    assert at(history) == 1


def test_a_history_comes_back_with_its_cursor(store, folder):
    history = History(folder, EMPTY)
    for number, document in enumerate(documents(5)):
        history.push(f"change {number}", document)
    for by in (-1, -1, -1, 1):
        history.move(by)
    history.push("other", documents(9)[8])
    history.move(-1)
    again = History(store.open(folder.path.name), EMPTY)
    assert (again.changes, again.cursor) == (history.changes, history.cursor)
    assert (at(again), again.redo_label) == (2, "other")


def test_everything_of_a_document_comes_back(store, folder):
    document = Document(
        edit="drag",
        at=Place(node="0" * 16, step=7),
        points=(Point(handle=(1.25, 2), target=(3, 4.1), locked=True),),
        mask={"image": "f" * 64, "feather": 2.5},
        settings={"drag": {"step_size": 1e-3, "space": "w", "exact_grid": False, "max_steps": 9}},
    )
    History(folder, EMPTY).push("Ünïcode ✎\u2028", document)
    again = History(store.open(folder.path.name), EMPTY)
    assert again.document == document
    assert again.undo_label is None
    assert again.changes[0].label == "Ünïcode ✎\u2028"


@pytest.mark.parametrize("cut", [1, 2, 20, 100])
def test_a_line_that_a_crash_cut_off_costs_only_itself(store, folder, cut):
    history = History(folder, EMPTY)
    made = documents(4)
    for number in range(3):
        history.push(str(number), made[number])
    path = folder.path / "history.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    again = History(store.open(folder.path.name), EMPTY)
    kept = 3 if cut == 1 else 2  # without the last line's end it is still whole
    assert [change.label for change in again.changes] == ["0", "1", "2"][:kept]
    again.push("after the crash", made[3])
    third = History(store.open(folder.path.name), EMPTY)
    assert [change.label for change in third.changes] == [*["0", "1", "2"][:kept], "after the crash"]
    assert at(third) == 3


@pytest.mark.parametrize(
    "line", [b"\xff\xfe\n", b"[]\n", b"3\n", b"{}\n", b'{"at": "x"}\n', b'{"at": 1, "document": {}}\n', b"\n", b"null\n",
             b'{"at": 0, "label": "x", "document": {"edit": "../x"}}\n', b'{"at": 1e999}\n', b"[" * 5000 + b"\n"]
)  # fmt: skip
def test_damaged_lines_are_left_out(store, folder, line):
    history = History(folder, EMPTY)
    history.push("0", documents(1)[0])
    with (folder.path / "history.jsonl").open("ab") as file:
        file.write(line)
    again = History(store.open(folder.path.name), EMPTY)
    assert [change.label for change in again.changes] == ["0"]
    assert again.document == history.document


def test_a_cursor_beyond_the_end_is_the_end(store, folder):
    History(folder, EMPTY).push("0", documents(1)[0])
    folder.append_cursor(7)
    assert History(store.open(folder.path.name), EMPTY).cursor == 0


# ---- the store


def test_a_tree_and_its_states_come_back(store, folder):
    project = Project(restore, folder.states)
    project.add(flat(100))
    run = project.add_run(Trace(list(walk(5, 100))), "drag")
    folder.write_tree(project.tree())
    files = store.open(folder.path.name)
    again = Project.of(files.read_tree(), files.states, restore)
    assert again.nodes == project.nodes
    assert [step.picture.image().getpixel((0, 0))[0] for step in again.trace(run.id)] == [
        100,
        101,
        102,
        103,
        104,
        105,
    ]
    assert sorted(files.states) == sorted(project.nodes)
    assert len(files.states) == 2
    del files.states[run.id]
    assert run.id not in files.states
    with pytest.raises(InputError, match="damaged"):
        again.picture(run.id)


def test_a_new_session_is_empty_and_a_damaged_one_says_so(store, folder):
    assert folder.read_tree().nodes == []
    for text in ("", "{", "[]", '{"format": "other"}'):
        (folder.path / "tree.json").write_text(text)
        with pytest.raises(InputError, match="The stored project is damaged"):
            folder.read_tree()
    assert store.recent() == []


def test_a_run_that_was_killed_between_its_state_and_its_tree_is_whole(folder):
    """The state has more steps than the tree knows of."""
    project = Project(restore, folder.states)
    project.add(flat(100))
    steps = list(walk(5, 100))
    run = project.add_run(Trace(steps[:3]), "drag")
    folder.write_tree(project.tree())
    project.extend_run(run.id, Trace(steps))  # and now it is killed
    again = Project.of(folder.read_tree(), folder.states, restore)
    assert again.nodes[run.id].steps == 3
    assert again.picture(run.id).image().getpixel((0, 0))[0] == 102
    assert len(again.trace(run.id)) == 3


def test_masks_are_kept_by_content(folder):
    digest = folder.masks.keep(b"png")
    assert digest == hashlib.sha256(b"png").hexdigest()
    assert folder.masks.keep(b"png") == digest
    assert len(list(folder.masks.folder.iterdir())) == 1
    assert folder.masks.read(digest) == b"png"
    with pytest.raises(InputError, match="no such mask"):
        folder.masks.read("0" * 64)


def test_only_the_newest_exports_are_kept(folder):
    made = []
    for number in range(9):
        path = folder.new_export(".png")
        path.write_bytes(b"%d" % number)
        made.append(path)
    assert 1 <= len(list(folder.exports.iterdir())) <= 5
    assert folder.export(made[-1].name) == made[-1]
    assert folder.export(made[0].name) is None


def test_recent_projects_are_those_with_a_picture_newest_first(store):
    import os

    names = [store.create() for _ in range(4)]
    for age, name in enumerate(names[:3]):
        files = store.open(name)
        project = Project(restore, files.states)
        project.add(flat(age, note="x"))
        files.write_tree(project.tree())
        os.utime(files.path / "tree.json", (10_000 - age, 10_000 - age))
    (store.folder / "not a session").mkdir()
    (store.folder / "file").write_text("x")
    found = store.recent()
    assert [one.session for one in found] == names[:3]
    assert [one.changed for one in found] == [10_000, 9_999, 9_998]
    assert found[0].nodes == 1
    assert [one.session for one in store.recent(1)] == names[:1]
    store.remove(names[0])
    store.remove(names[0])
    assert [one.session for one in store.recent()] == names[1:3]
    with pytest.raises(InputError):
        store.open(names[0])


def test_a_project_file_becomes_a_session(store, tmp_path):
    project = Project(restore)
    project.add(flat(100))
    project.add_run(
        Trace(list(walk(2, 9))),
        "drag",
        {"handles": [[4.0, 16.0]], "targets": [[6.0, 16.0]]},
        {"max_steps": 9},
    )
    project.save(tmp_path / "a.pliant")
    files = store.open(store.adopt(tmp_path / "a.pliant"))
    again = Project.of(files.read_tree(), files.states, restore)
    assert again.nodes == project.nodes
    assert again.current == project.current


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": {"handles": 5}},
        {"inputs": {"handles": [[1, 2, 3]], "targets": [[1, 2, 3]]}},
        {"inputs": {"handles": [["1); import os", 2]], "targets": [[1, 2]]}},
        {"inputs": {"handles": [["1", 2]], "targets": [[1, 2]]}},
        {"inputs": {"handles": [[1, 2]]}},
        {"inputs": {"handles": [[1, 1e9]], "targets": [[1, 2]]}},
        {"inputs": {"handles": [[1, 2]], "targets": [[1, 2]], "locked": [True, False]}},
        {"inputs": {"goes_on": "yes, of course"}},
        {"inputs": {"vectors": {"smile": "1); import os"}}},
        {"inputs": {"vectors": {"smile": 11}}},
        {"inputs": {"vectors": {"": 1}}},
        {"inputs": {"vectors": {"--out": 1}}},
        {"inputs": {"vectors": {"../../x.safetensors": 1}}},
        {"inputs": {"vectors": ["smile"]}},
        {"inputs": {"model": 5}},
        {"inputs": {"crop": "all"}},
        {"inputs": {"crop": {"centre": [1, 2]}}},
        {"inputs": {"crop": {"centre": [1, 2], "scale": 1e9, "angle": 0, "size": [32, 32]}}},
        {"inputs": {"crop": {"centre": [1, 2], "scale": 1, "angle": 0, "size": [0, 32]}}},
        {"settings": {"max_steps=1) or print(": 1}},
        {"settings": {"max_steps": "1"}},
        {"kind": "latent", "facts": [{"origin": {"seed": 3}}]},
        {"facts": [{"origin": {"seed": "3); import os", "truncation_psi": 1}}]},
        {"facts": [{"origin": {"seed": -1, "truncation_psi": 1}}]},
        {"facts": [{"origin": {"file": 5}}]},
    ],
)
def test_a_project_file_with_twisted_values_is_refused(store, tmp_path, change):
    import zipfile

    project = Project(restore)
    project.add(flat(100))
    project.add_run(Trace(list(walk(2, 9))), "drag")
    project.save(tmp_path / "a.pliant")
    with zipfile.ZipFile(tmp_path / "a.pliant") as old, zipfile.ZipFile(tmp_path / "b.pliant", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "project.json":
                tree = json.loads(data)
                tree["nodes"][1].update(change)
                data = json.dumps(tree)
            new.writestr(name, data)
    with pytest.raises(InputError, match=r"damaged|setting|name of a learnt edit"):
        store.adopt(tmp_path / "b.pliant")
    assert not list(store.folder.iterdir())
