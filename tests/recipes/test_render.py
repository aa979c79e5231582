"""The portrait renderer's choices, words and labels; what needs OpenGL or the asset pack is not run here."""

import ast
import importlib
import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from paths import REPOSITORY

RENDER = REPOSITORY / "recipes" / "portraits" / "render"
MODULES = ("body", "caption", "dataset", "glasses", "labels", "parts", "sample", "tables")


@pytest.fixture(scope="module")
def render():
    """The renderer's modules, importable only while these tests run."""
    before = set(sys.modules)
    sys.path.insert(0, str(RENDER))
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    sys.path.remove(str(RENDER))
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if str(RENDER) in file:
            del sys.modules[name]


@pytest.fixture(scope="module")
def catalogue(render):
    """Names as the asset pack has them."""
    targets = [f"{folder}/t{k}" for folder in ("head", "nose", "mouth") for k in range(10)]
    targets += [f"eyes/{side}-t{k}" for k in range(12) for side in "lr"]
    targets += ["head/trans-in", "chin/asym-1", "macrodetails/average", "expression/units/asian/smile"]
    skins = [
        f"skin_{age}_{tone}_{sex}{number}"
        for age in ("young", "middleage", "old")
        for tone in ("light", "dark")
        for sex in ("female", "male")
        for number in ("", "2")
    ]
    return render.sample.Catalogue(targets, skins, ["pm_city", "pm_night", "ph_studio"])


@pytest.fixture(scope="module")
def portraits(render, catalogue):
    return [render.sample.sample(seed, catalogue) for seed in range(300)]


def described(render, portrait):
    return json.dumps(render.labels.describe(portrait))


def test_a_seed_decides_everything(render, catalogue, portraits):
    again = render.sample.sample(7, catalogue)
    assert described(render, again) == described(render, portraits[7])
    assert np.array_equal(again.hair.root, portraits[7].hair.root)
    assert again.person.shape == portraits[7].person.shape
    assert described(render, portraits[8]) != described(render, portraits[7])


@pytest.mark.parametrize(
    ("seed", "light", "angle"),
    [(0, 1367752507, 5.2136584395), (7, 2031005151, 4.5054507366), (5000, 1342722634, 6.0810100998)],
)
def test_published_pictures_can_be_drawn_again(render, catalogue, seed, light, angle):
    # Late draws of the program that made the published data set: one draw more or less before them changes them.
    portrait = render.sample.sample(seed, catalogue)
    assert (portrait.light.seed, portrait.background.angle) == (light, pytest.approx(angle))


def test_views_show_one_person(render, catalogue, portraits):
    views = [render.sample.sample_view(seed, 5, catalogue) for seed in range(35, 40)]
    known = portraits[7]
    for view in views:
        assert (view.seed, view.mirror) == (7, known.mirror)
        assert repr(view.person) == repr(known.person)
        assert repr(view.hair) == repr(known.hair)
        for name in ("skin", "eye_colour", "iris", "freckles", "lashes", "brows", "wrinkles"):
            assert getattr(view.face, name) == getattr(known.face, name)
    for part in ("expression", "pose", "clothes", "light", "background"):
        assert len({repr(getattr(p, part)) for p in (known, *views)}) == 6
    again = render.sample.sample_view(36, 5, catalogue)
    assert repr(again) == repr(views[1])
    assert repr(render.sample.sample_view(34, 5, catalogue).person) == repr(portraits[6].person)


def test_some_views_have_other_glasses_and_make_up(render, catalogue, portraits):
    seen = [(portraits[seed // 5], render.sample.sample_view(seed, 5, catalogue)) for seed in range(1000)]
    glasses = sum(known.face.glasses != view.face.glasses for known, view in seen) / len(seen)
    assert 0.05 < glasses < 0.25  # half of 1 - 0.86 ** 2 - 0.06 ** 2 - ... = 0.26
    lips = [known.face.lipstick != view.face.lipstick for known, view in seen if known.person.female]
    assert 0.2 < sum(lips) / len(lips) < 0.4  # half of 1 - 0.6 ** 2 - 0.12 ** 2 - ... = 0.60
    assert all(known.person.female or not view.face.lipstick for known, view in seen)


def test_choices_stay_in_their_ranges(render, portraits):
    for p in portraits:
        assert -40 <= p.pose.yaw <= 40
        assert 19 <= p.person.years <= 77
        assert len(p.person.shape) == 40  # 20 single targets and 10 pairs
        assert not any("trans-" in name or "asym" in name for name in p.person.shape)
        assert sum(p.person.heritage.values()) == pytest.approx(1)
        assert p.light.environment != "pm_night"
        assert ("female" in p.face.skin) == p.person.female
        assert p.hair.beard == "none" or not p.person.female
    assert {p.background.kind for p in portraits} == {"photo", "gradient", "plain"}
    assert {p.hair.style for p in portraits} == set(render.tables.HAIR_STYLES)


def test_captions_are_english_sentences(render, portraits):
    for p in portraits:
        text = render.caption.caption(p)
        assert text.startswith("a portrait of a")
        assert not re.search(r"  |\ba [aeio]|\ban [^aeiou]|, ,", text), text
        assert ("woman" in text.split(",")[0]) == p.person.female
        assert text.endswith(("background", "wall", "backdrop"))
        turned = re.search(r"turned to the (\w+) of the picture", text)
        yaw = render.labels.describe(p)["yaw"]
        assert bool(turned) == (abs(yaw) > 18)
        assert not turned or (turned[1] == "right") == (yaw > 0)


def test_a_mirrored_portrait_swaps_sides(render, portraits):
    from dataclasses import replace

    winking = next(p for p in portraits if p.expression.wink)
    plain = render.labels.describe(replace(winking, mirror=False))
    flipped = render.labels.describe(replace(winking, mirror=True))
    assert flipped["yaw"] == -plain["yaw"]
    assert flipped["pitch"] == plain["pitch"]
    assert flipped["eye_left_open"] == plain["eye_right_open"]
    assert {flipped["wink"], plain["wink"]} == {"left", "right"}


def test_mirrored_labels_follow_the_picture(render):
    from pliant.perception.landmarks import MIRROR

    parts = np.zeros((4, 6), np.uint8)
    parts[1, 1], parts[2, 4], parts[3, 0] = 3, 4, 7  # left eye, right eye, upper lip
    points = np.random.default_rng(0).uniform(0, 4, (68, 2))
    points[0] = (0.5, 1.5)  # jaw at the picture's left, the centre of pixel (0, 1)
    flipped, moved = render.labels.mirror_labels(parts, points)
    assert flipped[1, 4] == 4
    assert flipped[2, 1] == 3
    assert flipped[3, 5] == 7
    assert moved[16] == pytest.approx((5.5, 1.5))
    again = render.labels.mirror_labels(flipped, moved)
    assert np.array_equal(again[0], parts)
    assert again[1] == pytest.approx(points)
    assert tuple(render.parts.MIRRORED_POINT) == MIRROR


def test_brows_are_told_apart_by_the_middle_of_the_face(render):
    parts = np.zeros((20, 20), np.uint8)
    parts[5, 3:8] = parts[5, 12:17] = 5
    landmarks = np.full((68, 2), 10.0)
    landmarks[27], landmarks[33] = (10, 6), (10, 12)
    split = render.labels.split_brows(parts, landmarks)
    assert set(split[5, 3:8]) == {6}  # the subject's right is the picture's left
    assert set(split[5, 12:17]) == {5}
    assert parts[5, 3] == 5


def test_smooth_normals_of_a_cube_corner(render):
    corner = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2]])
    uv = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    mesh = render.body.Mesh("corner", np.arange(4), uv, triangles, corner)
    normals = mesh.normals(corner)
    assert normals[0] == pytest.approx(-np.ones(3) / np.sqrt(3), abs=1e-6)
    assert np.linalg.norm(mesh.tangents(corner), axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_rotation_turns_to_the_left_and_down(render):
    forward = np.array([0, 0, 1.0])
    assert (render.body.rotation(np.pi / 2, 0, 0) @ forward) == pytest.approx([1, 0, 0], abs=1e-12)
    assert (render.body.rotation(0, np.pi / 2, 0) @ forward) == pytest.approx([0, -1, 0], abs=1e-12)


def test_glasses_are_symmetric(render):
    eyes = np.array([[0.3, 7.3, 1.2], [-0.3, 7.3, 1.2]])
    vertices, triangles = render.glasses.glasses(eyes, 1.5, 0.75, 1.0, (0.25, 0.2, 1, 0, 0.014))
    assert vertices[:, 0].max() == pytest.approx(-vertices[:, 0].min(), abs=0.02)
    assert triangles.min() == 0
    assert triangles.max() == len(vertices) - 1


def test_files_go_into_shards_and_come_back(render, tmp_path):
    import zipfile

    for folder in ("img", "seg", "meta"):
        (tmp_path / folder).mkdir()
    random = np.random.default_rng(0)
    for seed in range(5):
        image = random.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        parts = random.integers(0, 15, (16, 16), dtype=np.uint8)
        shot = render.dataset.Shot(image, parts, np.full((68, 2), 3.14159), {"caption": "a face"})
        render.dataset.save(shot, seed, tmp_path, 90)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "seg" / "000004.png")), parts)
    size = sum((tmp_path / f"{d}/000000.{e}").stat().st_size for d, e in (("img", "webp"), ("seg", "png")))
    assert render.dataset.bundle(tmp_path, tmp_path / "shards", limit=2.9 * (size + 700)) == 5
    shards = sorted((tmp_path / "shards").iterdir())
    assert len(shards) > 1
    with zipfile.ZipFile(shards[0]) as archive:
        labels = [json.loads(line) for line in archive.read("labels.jsonl").splitlines()]
        assert labels[0]["id"] == 0
        assert labels[0]["landmarks"][0] == [3.1, 3.1]
        assert archive.read(labels[0]["image"])[8:12] == b"WEBP"


def test_an_array_is_cut_to_what_was_rendered(render, tmp_path):
    full = np.arange(5 * 3 * 2 * 2, dtype=np.uint8).reshape(5, 3, 2, 2)
    np.save(tmp_path / "a.npy", full)
    render.dataset.truncate_npy(tmp_path / "a.npy", 3)
    assert np.array_equal(np.load(tmp_path / "a.npy"), full[:3])


def test_fit_files_are_read(render, tmp_path):
    build_pack = importlib.import_module("build_pack")
    text = (
        "# a proxy\nobj_file hat.obj\nx_scale 0 1 2.0\nverts 0\n3\n0 1 2 0.2 0.3 0.5 0 0.1 0\nweights x\n9\n"
    )
    (tmp_path / "hat.mhclo").write_text(text + "delete_verts\n4 7 - 9 12\n")
    fit = build_pack.read_fit(tmp_path / "hat.mhclo")
    assert fit.obj == "hat.obj"
    assert fit.index == [[3, 3, 3], [0, 1, 2]]
    assert fit.hidden == {4, 7, 8, 9, 12}
    body = np.array([[0, 0, 0], [4.0, 0, 0], [0, 4, 0], [1, 1, 1]])
    assert build_pack.place(fit, body)[0] == pytest.approx([1, 1, 1])
    assert build_pack.place(fit, body)[1] == pytest.approx([1.2, 2.1, 0])
    vertex, uv, triangles = build_pack.split_at_seams([[0, 1, 2, 3]], [[0, 1, 2, 3]])
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert vertex.tolist() == uv.tolist() == [0, 1, 2, 3]


def test_shaders_use_every_uniform_that_materials_set(render):
    source = (RENDER / "shaders" / "surface.frag.glsl").read_text()
    source += (RENDER / "shaders" / "surface.vert.glsl").read_text()
    tree = ast.parse((RENDER / "materials.py").read_text())
    item = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Item")
    fields = {n.target.id for n in item.body if isinstance(n, ast.AnnAssign)}
    for name in fields - {"mesh", "texture", "variant", "visible"}:
        assert re.search(rf"uniform \w+ {name};", source), name
