"""Project files that nobody vouches for: each is refused with one sentence, or read without harm."""

import contextlib
import io
import json
import pickle
import random
import zipfile

import pytest
import torch
from safetensors.torch import save

from flat import flat, restore, walk
from pliant import project_file
from pliant.errors import InputError, PliantError
from pliant.project import Project
from pliant.steps import Trace


@pytest.fixture
def members(tmp_path):
    """The members of a good project by name, to be changed for the worse."""
    project = Project(restore)
    project.add(flat(100))
    project.add_run(Trace(list(walk(2, 100))), "drag", {"handles": [[1.0, 2.0]]}, {"step_size": 0.1})
    project.save(tmp_path / "good.pliant")
    with zipfile.ZipFile(tmp_path / "good.pliant") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def opened(tmp_path):
    """Writes members as a project and opens it."""

    def open_members(members, compression=zipfile.ZIP_STORED):
        with zipfile.ZipFile(tmp_path / "bad.pliant", "w", compression) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return Project.open(tmp_path / "bad.pliant", restore)

    return open_members


def changed(members, **changes):
    """The members with other values in the last node of the tree."""
    tree = json.loads(members["project.json"])
    tree["nodes"][-1] |= changes
    return members | {"project.json": json.dumps(tree).encode()}


def retree(members, **changes):
    """The members with other values in the tree itself."""
    return members | {"project.json": json.dumps(json.loads(members["project.json"]) | changes).encode()}


def test_the_good_one_is_read(members, opened):
    assert opened(members).picture().image().getpixel((0, 0)) == (102, 102, 102)
    assert opened(changed(members)).current is not None


@pytest.mark.parametrize(
    "name",
    ["../evil.safetensors", "/etc/passwd", "states/../../x.safetensors", "states\\x", "states/x.safetensors", "C:x", "a.py",
     "states/", "states/0123456789abcdef.pkl", "states/0123456789abcdef.safetensors\n", "project.json/x", "PROJECT.JSON"],
)  # fmt: skip
def test_a_member_that_does_not_belong_is_refused(members, opened, name, tmp_path):
    with pytest.raises(InputError, match=r"which does not belong there|do not belong together"):
        opened(members | {name: b"x"})
    assert {path.name for path in tmp_path.iterdir()} == {"good.pliant", "bad.pliant"}


def test_compressed_members_are_refused_before_they_are_read(members, opened):
    with pytest.raises(InputError, match="compressed, which a project's never are"):
        opened(members | {"project.json": b" " * 50_000_000}, zipfile.ZIP_DEFLATED)


def test_sizes_are_limited(members, opened, monkeypatch):
    monkeypatch.setattr(project_file, "MAX_TREE", 100)
    with pytest.raises(InputError, match="its tree is too large"):
        opened(members)
    monkeypatch.setattr(project_file, "MAX_FILE", 1000)
    with pytest.raises(InputError, match="it is larger than"):
        opened(members)
    monkeypatch.setattr(project_file, "MAX_NODES", 1)
    monkeypatch.setattr(project_file, "MAX_FILE", 10**9)
    with pytest.raises(InputError, match="too many members"):
        opened(members)


def test_members_that_overlap_are_refused(members, tmp_path):
    """Two entries of the directory that point to the same large member: the start of an overlap bomb."""
    first, second = sorted(name for name in members if name.startswith("states/"))
    big = {first: members[first] * 100, second: b"", "project.json": members["project.json"]}
    with zipfile.ZipFile(tmp_path / "bad.pliant", "w") as archive:
        for name, data in big.items():
            archive.writestr(name, data)
        one, other = archive.getinfo(first), archive.getinfo(second)
        for info in (other, archive.getinfo("project.json")):
            info.header_offset, info.CRC = one.header_offset, one.CRC
            info.file_size, info.compress_size = one.file_size, one.compress_size
    with pytest.raises(InputError, match="damaged"):
        Project.open(tmp_path / "bad.pliant", restore)


def test_two_members_of_one_name_are_refused(members, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.pliant", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("project.json", b"{}")
    with pytest.raises(InputError, match="two of one name"):
        Project.open(tmp_path / "bad.pliant", restore)


@pytest.mark.parametrize(
    "tree",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"x"',
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"format": "other"}',
        b"9" * 10_000,
    ],
)
def test_a_tree_of_another_kind_is_refused(members, opened, tree):
    with pytest.raises(InputError, match=r"not a Pliant project, or it is damaged"):
        opened(members | {"project.json": tree})


@pytest.mark.parametrize(
    "changes",
    [{"format": "x"}, {"version": 2}, {"version": None}, {"nodes": None}, {"nodes": {}}, {"nodes": [1]}, {"redo": ["x"]},
     {"redo": [[]]}, {"current": None}, {"current": "x"}, {"current": 3}, {"nodes": []}],
)  # fmt: skip
def test_a_tree_that_does_not_hang_together_is_refused(members, opened, changes):
    with pytest.raises(InputError, match="damaged"):
        opened(retree(members, **changes))


@pytest.mark.parametrize(
    "changes",
    [{"id": "../x"}, {"id": 1}, {"parent": "0" * 16}, {"parent": 1}, {"kind": ""}, {"kind": "os.system"}, {"kind": None},
     {"edit": "a b"}, {"edit": 1}, {"inputs": []}, {"settings": None}, {"from_step": -1}, {"from_step": True},
     {"from_step": 1.5}, {"steps": 0}, {"steps": 10**9}, {"steps": "3"}, {"created": None}, {"created": "x" * 1000},
     {"facts": {}}, {"facts": [1]}, {"extra": 1}, {"settings": {"x": float("nan")}}],
)  # fmt: skip
def test_a_node_with_a_wrong_value_is_refused(members, opened, changes):
    with pytest.raises(InputError, match="damaged"):
        opened(changed(members, **changes))


def test_a_node_that_is_its_own_parent_is_refused(members, opened):
    node = json.loads(members["project.json"])["nodes"][-1]["id"]
    with pytest.raises(InputError, match="comes twice, or before its parent"):
        opened(changed(members, parent=node))


@pytest.mark.parametrize("changes", [{"steps": 4}, {"facts": []}])
def test_a_tree_that_promises_more_than_its_states_hold(members, opened, changes):
    project = opened(changed(members, **changes))
    with pytest.raises(InputError, match="is damaged: it does not hold"):
        project.picture()


@pytest.mark.parametrize(
    "state",
    [b"", b"x" * 100, pickle.dumps({"a": 1}), (2**62).to_bytes(8, "little") + b"{}", save({"a": torch.ones(3)}),
     save({"facts": torch.tensor([0, 0, 9])}), save({"facts": torch.full((3,), float("nan"))})],
)  # fmt: skip
def test_a_state_that_is_no_state_gets_a_sentence(members, opened, state):
    last = json.loads(members["project.json"])["nodes"][-1]["id"]
    project = opened(members | {f"states/{last}.safetensors": state})
    with pytest.raises(InputError, match="is damaged"):
        project.picture()


def test_a_state_without_a_node_and_a_node_without_a_state(members, opened):
    with pytest.raises(InputError, match="do not belong together"):
        opened(members | {"states/0123456789abcdef.safetensors": save({})})
    first = next(name for name in members if name.startswith("states/"))
    with pytest.raises(InputError, match="do not belong together"):
        opened({name: data for name, data in members.items() if name != first})
    with pytest.raises(InputError, match=r"it has no 'project\.json'"):
        opened({name: data for name, data in members.items() if name == first})


def test_places_without_a_project(tmp_path):
    (tmp_path / "text.pliant").write_text("hello")
    (tmp_path / "empty.pliant").touch()
    for name in ("text.pliant", "empty.pliant"):
        with pytest.raises(InputError, match="is not a Pliant project, or it is damaged"):
            Project.open(tmp_path / name, restore)
    for name in ("nothing.pliant", ".", "\0"):
        with pytest.raises(InputError, match="There is no project file"):
            Project.open(tmp_path / name, restore)


def test_an_encrypted_member_is_refused(members, opened, tmp_path):
    opened(members)
    data = bytearray((tmp_path / "bad.pliant").read_bytes())
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + offset] |= 1
    (tmp_path / "bad.pliant").write_bytes(data)
    with pytest.raises(InputError, match="encrypted"):
        Project.open(tmp_path / "bad.pliant", restore)


def test_random_damage_gives_a_project_or_a_sentence(members, opened, tmp_path):
    opened(members)
    whole = (tmp_path / "bad.pliant").read_bytes()
    chance = random.Random(0)
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            data = data[: chance.randrange(len(data))]
        (tmp_path / "bad.pliant").write_bytes(data)
        with contextlib.suppress(PliantError):
            project = Project.open(tmp_path / "bad.pliant", restore)
            for node in project.nodes:
                project.picture(node)
                project.inputs(node)
                project.numbers(node)


def test_random_damage_inside_the_members_gives_a_project_or_a_sentence(members, opened):
    """The checksums are right here, so that the damage reaches the tree and the tensors."""
    chance = random.Random(1)
    for _ in range(300):
        name = chance.choice(list(members))
        data = bytearray(members[name])
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice(b'0123456789abcdef{}[]",:-.\x00\xff')
        with contextlib.suppress(PliantError):
            project = opened(members | {name: bytes(data)})
            for node in project.nodes:
                project.inputs(node)
                project.numbers(node)
                with contextlib.suppress(
                    KeyError, TypeError, RuntimeError
                ):  # the tests' own `restore` checks nothing
                    project.picture(node)


def test_a_project_is_never_unpickled(members, opened):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("code in a project file was run",))

    buffer = io.BytesIO()
    torch.save({"colour": Evil()}, buffer)
    last = json.loads(members["project.json"])["nodes"][-1]["id"]
    for payload in (buffer.getvalue(), pickle.dumps(Evil())):
        project = opened(members | {f"states/{last}.safetensors": payload})
        with pytest.raises(InputError, match="is damaged"):
            project.picture()
