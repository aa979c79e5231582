"""Points 7 and 8 of the checklist: nothing that a client sends is opened, and no model comes from one."""

import os
import pickle
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pliant.errors import InputError, PliantError
from pliant.studio.app import create_app
from pliant.studio.disk import Store
from pliant.studio.security import Doorkeeper
from pliant.studio.studio import Studio
from served import TOKEN, ask

SECRET = b"secret of this machine"
ODD = [
    "..",
    "../..",
    "..%2f..%2f..%2fsecret",
    "%2e%2e",
    "%2e%2e%2fsecret",
    "..%5csecret",
    "..\\secret",
    "%252e%252e%252fsecret",
    "....//secret",
    "%00",
    "secret%00.png",
    "%2fetc%2fpasswd",
    "%2F%2Fevil.example%2Fshare",
    "C:%5Csecret",
    "%5c%5cevil.example%5cshare",
    "file:%2f%2f%2fetc%2fpasswd",
    "http:%2f%2fevil.example",
    "CON",
    "NUL.png",
    "COM1",
    "~root",
    "$HOME",
    "%c0%ae%c0%ae%c0%afsecret",
    "%ef%bc%8e%ef%bc%8e",
    "9" * 5000,
    "%0d%0aX-Evil:%201",
    ".",
    "%20",
    "-1",
]
ODD_TEXT = ["..", "../secret", "/etc/passwd", "C:\\secret", "\\\\evil\\x", "secret\0.png", "file:///etc/passwd",
            "http://evil.example/x", "CON", "~/x", "tiny/../tiny", "./tiny", "", "x" * 3000]  # fmt: skip


@pytest.fixture(scope="module")
def place(served):
    """A session with a picture, and secrets where a path could reach them."""
    folder = served.studio.store.folder
    for secret in (folder.parent / "secret", folder / "secret", folder / "secret.png"):
        secret.write_bytes(SECRET)
    with served.page() as page:
        at = page.sample()
        session = page.session
    return {"session": session, "node": at["node"], "hash": "0" * 64}


@pytest.fixture
def opened(monkeypatch, served):
    """Paths that the process opens for reading or writing, besides those of the studio's folder and of the program."""
    paths = []

    def hook(event, arguments):
        if event == "open" and watching and isinstance(arguments[0], str | bytes):
            paths.append(os.fsdecode(arguments[0]))

    watching = [True]
    sys.addaudithook(hook)
    yield paths
    watching.clear()


@pytest.mark.parametrize("odd", ODD, ids=lambda text: text[:30])
def test_odd_ids_reach_no_file(served, place, opened, odd):
    session, node = place["session"], place["node"]
    paths = [
        f"/assets/{odd}",
        f"/{odd}",
        f"/api/sessions/{odd}/frames/{node}/0",
        f"/api/sessions/{session}/frames/{node}/{odd}/drawing.svg",
        f"/api/sessions/{session}/frames/{odd}/0/layers",
        f"/api/sessions/{session}/frames/{node}/0/layers/{odd}",
        f"/api/sessions/{session}/frames/{odd}/0",
        f"/api/sessions/{session}/frames/{node}/{odd}",
        f"/api/sessions/{odd}/nodes/{node}",
        f"/api/sessions/{session}/nodes/{odd}",
        f"/api/sessions/{odd}/nodes/{node}/parts",
        f"/api/sessions/{session}/nodes/{odd}/parts",
        f"/api/sessions/{session}/nodes/{odd}/vectors",
        f"/api/sessions/{session}/nodes/{odd}/faces",
        f"/api/sessions/{session}/nodes/{node}/faces?model={odd}",
        f"/api/sessions/{session}/frames/{odd}/0/parts?head={place['hash']}",
        f"/api/sessions/{session}/frames/{node}/0/uncertainty?head={odd}",
        f"/api/sessions/{session}/frames/{odd}/0/vector?name=x",
        f"/api/sessions/{session}/frames/{node}/0/vector?name={odd}",
        f"/api/sessions/{session}/parts/{odd}",
        f"/api/sessions/{odd}/masks/{place['hash']}",
        f"/api/sessions/{session}/masks/{odd}",
        f"/api/sessions/{session}/exports/{odd}",
        f"/api/sessions/{odd}/exports/{odd}",
        f"/api/projects/{odd}/thumb",
        f"/api/gallery/{odd}/1",
        f"/api/gallery/tiny/{odd}",
    ]
    for path in paths:
        answer = served.get(path)
        assert answer.status in {200, 303, 400, 403, 404, 405, 422, 503}, path
        assert SECRET not in answer.body
        assert b"root:" not in answer.body
        assert "X-Evil" not in answer.headers
        if answer.status == 200:  # the start page, by way of ".."
            assert answer.headers["content-type"].startswith("text/html"), path
    answer = served.delete(f"/api/projects/{odd}")
    assert answer.status in {200, 400, 404, 405}
    store = served.studio.store.folder
    assert (store.parent / "secret").is_file()
    assert (store / session / "tree.json").is_file()
    inside = (str(store / session), sys.prefix, sys.base_prefix, str(served.studio.store.folder.parents[0]))
    named = [path for path in opened if not path.startswith(inside) and ("secret" in path or "etc" in path)]
    assert not named


@pytest.mark.parametrize("odd", ODD_TEXT, ids=lambda text: repr(text[:30]))
def test_odd_names_in_messages_reach_no_file(served, opened, odd):
    with served.page() as page:
        at = page.sample()
        place = {"node": odd, "step": 0}
        tries = [
            {"type": "sample", "model": odd, "seed": 1},
            {"type": "use_image", "image": odd},
            {"type": "change", "label": "x", "mask": odd},
            {"type": "change", "label": "x", "mask": {"image": odd}},
            {"type": "change", "label": "x", "edit": odd},
            {"type": "change", "label": "x", "settings": {odd: 1}},
            {"type": "change", "label": "x", "parts": odd},
            {"type": "change", "label": "x", "vectors": {odd: 1}},
            {"type": "change", "label": "x", "model": odd},
            {"type": "preview", "vectors": {odd: 1}},
            {"type": "save_vector", "place": place, "name": "x"},
            {"type": "save_vector", "place": at, "name": odd, "parts": [odd]},
            {"type": "remove_label", "label": odd},
            {"type": "go", "place": place},
            {"type": "export", "format": "png", "place": place},
            {"type": "export", "format": odd, "place": at},
            {"type": "ask_script", "place": place},
        ]
        for message in tries:
            page.send(**message)
            page.until("problem")
        page.send("hello", session=odd)
        page.until("problem")
    for message in ({"type": "hello", "session": odd},):
        with served.page(greets=False) as page:
            page.send(**message)
            assert page.receive()["type"] == "problem"
    assert not [path for path in opened if path.startswith("/etc/passwd") or "secret" in path]


@given(st.text(max_size=80))
def test_the_store_opens_only_what_it_made(tmp_path_factory, name):
    store = Store(tmp_path_factory.getbasetemp() / "hypothesis-store")
    assert not store.knows(name)
    with pytest.raises(InputError):
        store.open(name)
    store.remove(name)
    session = next((path.name for path in store.folder.iterdir()), None) or store.create()
    folder = store.open(session)
    assert folder.export(name) is None
    with pytest.raises(InputError):
        folder.masks.read(name)
    with pytest.raises(KeyError):
        folder.states[name]
    with pytest.raises(KeyError):
        folder.states[name] = b"x"


def test_links_in_the_store_lead_nowhere(served, tmp_path):
    store = served.studio.store
    (tmp_path / "elsewhere").mkdir()
    for name in ("tree.json", "secret.png"):
        (tmp_path / "elsewhere" / name).write_bytes(SECRET)
    linked = "ab" * 16
    (store.folder / linked).symlink_to(tmp_path / "elsewhere")
    assert not store.knows(linked)
    assert served.get(f"/api/projects/{linked}/thumb").status == 400
    assert served.delete(f"/api/projects/{linked}").status in {200, 400}
    assert (tmp_path / "elsewhere" / "tree.json").is_file()
    with served.page() as page:
        page.sample()
        folder = store.open(page.session)
        folder.exports.mkdir(exist_ok=True)
        secret = tmp_path / "elsewhere" / "secret.png"
        (folder.masks.folder / f"{'0' * 64}.png").symlink_to(secret)
        (folder.parts.folder / f"{'0' * 64}.png").symlink_to(secret)
        (folder.exports / f"{'0' * 32}.png").symlink_to(secret)
        base = f"/api/sessions/{page.session}"
        assert served.get(f"{base}/masks/{'0' * 64}").status == 400
        assert served.get(f"{base}/parts/{'0' * 64}").status == 400
        assert served.get(f"{base}/exports/{'0' * 32}.png").status == 400
    (store.folder / linked).unlink()


def test_a_session_shows_only_its_own(served):
    with served.page() as one, served.page() as other:
        place = one.sample()
        name, _ = one.export("png", place)
        url = one.log[-1]["url"]
        assert name
        assert served.get(url).status == 200
        assert served.get(url.replace(one.session, other.session)).status == 400
        assert "no such frame" in other.refused("go", place=place)
        assert served.get(f"/api/sessions/{other.session}/frames/{place['node']}/0").status == 400


# ---- models


def test_a_pickle_is_refused_with_a_sentence_and_not_run(home, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "canary"),)

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Evil()))
    done = subprocess.run(
        [sys.executable, "-m", "pliant.cli", "studio", "--no-browser", "--port", "0", "--model", str(path)],
        env={**os.environ, "PLIANT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("pliant: The studio takes models in Pliant's own format")
    assert "pliant convert" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not done.stdout
    assert not (tmp_path / "canary").exists()


def test_a_pickle_in_a_models_clothes_is_not_run(home, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "canary"),)

    model = tmp_path / "clothed"
    shutil.copytree(home / "models" / "tiny", model)
    (model / "model.safetensors").write_bytes(pickle.dumps(Evil()))
    studio = Studio(tmp_path / "studio", model=str(model))
    assert studio.models.infos[0].name == "clothed"
    with pytest.raises(PliantError):
        studio.models.get("clothed")
    assert not (tmp_path / "canary").exists()
    studio.device.close()


def test_a_pickle_among_the_users_models_is_not_offered(home, tmp_path, monkeypatch):
    shutil.copytree(home / "models" / "tiny", tmp_path / "models" / "tiny")
    (tmp_path / "models" / "foreign.pkl").write_bytes(pickle.dumps({}))
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path))
    studio = Studio(tmp_path / "studio")
    assert "foreign" not in {info.name for info in studio.models.infos}
    with pytest.raises(InputError, match="none of this studio's"):
        studio.models.get("foreign")
    studio.device.close()


def test_no_address_of_the_app_takes_a_model_in(served):
    app = create_app(served.studio, Doorkeeper(TOKEN))
    changing = {
        (route.path, method)
        for route in app.routes
        for method in getattr(route, "methods", None) or ()
        if method not in {"GET", "HEAD"}
    }
    assert changing == {
        ("/api/images", "POST"),
        ("/api/drawings", "POST"),
        ("/api/sessions/{session}/masks", "POST"),
        ("/api/projects", "POST"),
        ("/api/projects/{session}", "DELETE"),
    }
    for path in ("/docs", "/redoc", "/openapi.json", "/api/models"):
        assert ask(served.port, "GET", path, served.headers()).status == 404
