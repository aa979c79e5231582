"""Point 5 of the checklist: uploads are measured while they stream, and refused before they are decoded."""

import contextlib
import hashlib
import io
import json
import socket
import struct
import time
import zipfile
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, save

from pliant.picture import PixelPicture
from pliant.project import Project
from pliant.studio.limits import Limits
from pliant.studio.studio import Studio
from served import serve

SMALL = 200_000
"""Bytes that an upload may have here."""


@pytest.fixture(scope="module")
def served(own_home, tmp_path_factory):
    limits = Limits(image_bytes=SMALL, project_bytes=SMALL, sessions=200)
    with serve(Studio(tmp_path_factory.mktemp("studio"), limits=limits)) as served:
        yield served


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(served, data):
    """The pixels of an uploaded image as the studio keeps them."""
    answer = served.post("/api/images", data)
    assert answer.status == 200, answer.body
    assert answer.json["image"] == hashlib.sha256(data).hexdigest()
    with served.page() as page:
        state = page.do("use_image", image=answer.json["image"])
        assert state["nodes"][-1]["size"] == answer.json["size"]
        return Image.open(io.BytesIO(page.frame(state["document"]["at"]))).convert("RGB")


# ---- the limit


def pour(served, path, head, pieces):
    """Send pieces until the server does not take more; what it answered, and how many bytes it took at most."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
        text = "".join(f"{name}: {value}\r\n" for name, value in [*served.headers(), *head])
        line.sendall(f"POST {path} HTTP/1.1\r\n{text}\r\n".encode())
        sent, answer = 0, b""
        try:
            for piece in pieces:
                line.sendall(piece)
                sent += len(piece)
            while more := line.recv(65536):
                answer += more
        except (ConnectionError, TimeoutError):
            line.settimeout(1)
            with contextlib.suppress(OSError):
                answer += line.recv(65536)
        return answer, sent


@pytest.mark.parametrize("path", ["/api/images", "/api/projects"])
def test_a_length_over_the_limit_is_refused_unread(served, path):
    began = time.monotonic()
    answer, _ = pour(served, path, [("Content-Length", str(SMALL + 1))], [b"x"])
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"too large" in answer
    assert time.monotonic() - began < 5, "it waits for nothing"


@pytest.mark.parametrize("path", ["/api/images", "/api/projects"])
def test_a_body_without_a_length_is_measured_as_it_comes(served, path):
    block = 50_000
    chunk = f"{block:x}\r\n".encode() + bytes(block) + b"\r\n"
    answer, sent = pour(served, path, [("Transfer-Encoding", "chunked")], (chunk for _ in range(2000)))
    assert sent < 50_000_000, "of 100 MB only what the sockets hold is taken"
    assert not answer or b"too large" in answer
    assert served.get("/api/health").status == 200


def test_a_length_that_lies_is_no_way_around(served):
    data = encoded(Image.new("RGB", (8, 8)))
    answer, _ = pour(served, "/api/images", [("Content-Length", "10")], [data])
    assert answer.startswith(b"HTTP/1.1 400")
    for length in ("-1", "1e3", "0x10", "٣", "²", "1 2", "9" * 400):
        head = [("Content-Length", length)]
        answer, _ = pour(
            served, "/api/images", [(n, v.encode("utf-8").decode("latin-1")) for n, v in head], [data]
        )
        assert answer.startswith(b"HTTP/1.1 400") or not answer, length


def test_a_body_of_exactly_the_limit_passes(served):
    data = encoded(Image.new("RGB", (8, 8)))
    padded = data + bytes(SMALL - len(data))
    assert served.post("/api/images", padded).status == 200
    assert served.post("/api/images", padded + b"x").status == 400


def test_an_empty_body_is_refused(served):
    assert served.post("/api/images", b"").sentence == "The file is empty."
    assert served.post("/api/projects", b"").sentence == "The file is empty."


def test_few_uploads_wait_in_memory(served):
    for level in range(30):
        served.post("/api/images", encoded(Image.new("RGB", (8, 8), (level, 0, 0))))
    assert len(served.studio.uploads) <= 8
    with served.page() as page:
        gone = hashlib.sha256(encoded(Image.new("RGB", (8, 8)))).hexdigest()
        assert "drop it once more" in page.refused("use_image", image=gone)


# ---- what is in them


def claiming(width, height):
    """A PNG of a few bytes whose header claims a size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(9000, 9000), (13000, 13000), (20000, 20000), (12001, 8), (2**31 - 1, 1)])
def test_bombs_are_refused_by_their_header(served, size):
    began = time.monotonic()
    answer = served.post("/api/images", claiming(*size))
    assert answer.status == 400
    assert "too large" in answer.sentence or "not an image" in answer.sentence
    assert time.monotonic() - began < 1


def test_a_real_bomb_is_refused(served):
    data = encoded(Image.new("1", (9000, 9000)))
    assert len(data) < 20_000
    answer = served.post("/api/images", data)
    assert answer.status == 400
    assert "too large (9000x9000)" in answer.sentence


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a<script>alert(1)</script>",
        b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01x\x94.",
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"8BPS" + bytes(100),
        b"PK\x03\x04" + bytes(100),
        encoded(Image.new("RGB", (8, 8)), "TIFF"),
        encoded(Image.new("RGB", (8, 8)), "ICO"),
        encoded(NOISE)[:2000],
        encoded(NOISE, "JPEG")[:700],
        encoded(NOISE, "WEBP")[:700],
    ],
)
def test_what_is_no_whole_image_is_refused_with_a_sentence(served, data):
    answer = served.post("/api/images", data, Content_Type="image/png")
    assert answer.status == 400
    assert answer.sentence.endswith(".")
    assert hashlib.sha256(data).hexdigest() not in served.studio.uploads


def test_the_camera_rotation_is_applied_and_its_notes_are_dropped(served):
    exif = Image.Exif()
    exif[0x0112] = 6  # what is stored as the left edge is the top of the scene
    exif[0x010E] = "where I live"
    stored = Image.new("RGB", (60, 40), "blue")
    stored.paste("red", (0, 0, 20, 40))
    upright = opened(served, encoded(stored, "JPEG", exif=exif))
    assert upright.size == (40, 60)
    assert upright.getpixel((20, 5))[0] > 200
    assert not upright.info


def test_cmyk_and_sixteen_bits_become_rgb(served):
    red, green, blue = opened(
        served, encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")
    ).getpixel((8, 8))
    assert red > 240 > 15 > max(green, blue)
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(16, 0)
    assert np.array_equal(np.asarray(opened(served, encoded(Image.fromarray(ramp))))[0, :, 0], np.arange(256))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(served, kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    red, green, blue = opened(
        served, encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    ).getpixel((8, 8))
    assert red > 240 > 15 > max(green, blue)


# ---- projects


def project_file(tmp_path):
    project = Project()
    project.add(PixelPicture(torch.zeros(8, 8, 3, dtype=torch.uint8)))
    path = tmp_path / "a.pliant"
    project.save(path)
    return path


def rewritten(path, change=None, add=(), compress=zipfile.ZIP_STORED):
    """A project file with a changed tree, or more members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w", compress) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "project.json" and change is not None:
                tree = json.loads(data)
                change(tree)
                data = json.dumps(tree)
            new.writestr(name, data)
        for name, data in add:
            new.writestr(name, data)
    return buffer.getvalue()


def test_a_project_opens_as_a_session(served, tmp_path):
    answer = served.post("/api/projects", project_file(tmp_path).read_bytes())
    assert answer.status == 200
    with served.page(answer.json["session"]) as page:
        nodes = page.log[-1]["nodes"]
        assert [node["kind"] for node in nodes] == ["pixels"]


def test_foreign_members_bombs_and_bad_trees_are_refused(served, tmp_path):
    path = project_file(tmp_path)
    before = {each.name for each in served.studio.store.folder.iterdir()}
    twisted = {"handles": 5, "targets": {"a": "b"}}
    bad = {
        "no zip": b"no zip",
        "foreign": rewritten(path, add=[("../../evil.txt", b"x")]),
        "absolute": rewritten(path, add=[("/tmp/evil", b"x")]),
        "backslash": rewritten(path, add=[("states\\..\\evil", b"x")]),
        "pickle": rewritten(path, add=[(f"states/{'0' * 16}.pkl", b"x")]),
        "bomb": rewritten(path, add=[(f"states/{'0' * 16}.safetensors", bytes(10**8))], compress=zipfile.ZIP_DEFLATED),
        "more states": rewritten(path, add=[(f"states/{'0' * 16}.safetensors", b"x")]),
        "version": rewritten(path, lambda tree: tree.update(version=99)),
        "parent": rewritten(path, lambda tree: tree["nodes"][0].update(parent="f" * 16)),
        "id": rewritten(path, lambda tree: tree["nodes"][0].update(id="../../../../x")),
        "steps": rewritten(path, lambda tree: tree["nodes"][0].update(steps=10**9)),
        "kind": rewritten(path, lambda tree: tree["nodes"][0].update(kind="martian")),
        "state": rewritten(path, lambda tree: tree["nodes"][0].update(steps=7)),
        "model": rewritten(path, lambda tree: tree["nodes"][0].update(kind="latent")),
        "inputs": rewritten(path, lambda tree: tree["nodes"][0].update(edit="drag", inputs=twisted)),
    }  # fmt: skip
    for name, data in bad.items():
        answer = served.post("/api/projects", data)
        assert answer.status == 400, name
        assert answer.sentence.endswith("."), name
        assert {each.name for each in served.studio.store.folder.iterdir()} == before, name
    assert served.get("/api/projects").status == 200


TWISTS = {
    "mask of one row": ("inputs/mask", torch.ones(32)),
    "mask of three axes": ("inputs/mask", torch.ones(2, 32, 32)),
    "mask of another size": ("inputs/mask", torch.ones(7, 5)),
    "empty mask": ("inputs/mask", torch.ones(0, 0)),
    "mask of no numbers": ("inputs/mask", torch.full((32, 32), float("nan"))),
    "complex mask": ("inputs/mask", torch.ones(32, 32, dtype=torch.bool)),
    "no steps of handles": ("numbers/handles", torch.zeros(0, 1, 2)),
    "handles in a row": ("numbers/handles", torch.zeros(4)),
    "handles of three": ("numbers/handles", torch.zeros(4, 1, 3)),
    "handles beyond all": ("numbers/handles", torch.full((4, 1, 2), 1e30)),
    "handles of no numbers": ("numbers/handles", torch.full((4, 1, 2), float("nan"))),
    "losses in a square": ("numbers/loss", torch.zeros(4, 4)),
    "distance of all": ("numbers/distances", torch.tensor(5.0)),
    "facts beyond": ("facts", torch.tensor([9, 9, 9, 9])),
    "facts of another type": ("facts", torch.zeros(4)),
    "code of one number": ("0/ws", torch.zeros(1)),
    "code of no numbers": ("0/ws", torch.full((8, 16), float("nan"))),
    "code of bytes": ("0/ws", torch.zeros(8, 16, dtype=torch.uint8)),
    "pixels": ("0/rgb", torch.zeros(4, 4, 3, dtype=torch.uint8)),
}


@pytest.fixture(scope="module")
def run_file(served, tmp_path_factory):
    """A project with a run of four steps."""
    with served.page() as page:
        page.sample()
        page.points((10, 10, 20, 14), max_steps=4)
        place = page.run()[1]["document"]["at"]
        path = tmp_path_factory.mktemp("run") / "run.pliant"
        path.write_bytes(page.export("project", place)[1])
    return path


@pytest.mark.parametrize("twist", TWISTS)
@pytest.mark.parametrize("which", [0, 1], ids=["picture", "run"])
def test_a_project_of_twisted_states_breaks_nothing(served, run_file, twist, which, caplog):
    name, value = TWISTS[twist]
    buffer = io.BytesIO()
    with zipfile.ZipFile(run_file) as old, zipfile.ZipFile(buffer, "w") as new:
        node = json.loads(old.read("project.json"))["nodes"][which]["id"]
        for member in old.namelist():
            data = old.read(member)
            new.writestr(member, save(load(data) | {name: value}) if node in member else data)
    answer = served.post("/api/projects", buffer.getvalue())
    assert answer.status in {200, 400}
    if answer.status == 400:
        assert answer.sentence.endswith(".")
    else:
        with served.page(answer.json["session"]) as page:
            for each in page.log[-1]["nodes"]:
                for path in (f"nodes/{each['id']}", f"frames/{each['id']}/0", f"frames/{each['id']}/3"):
                    assert served.get(f"/api/sessions/{page.session}/{path}").status in {200, 400}, path
            page.send("start")
            page.until("ended", "problem", "state")
    assert served.get("/api/projects").status == 200
    assert "Traceback" not in caplog.text
