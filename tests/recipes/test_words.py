"""The recipe of words-small: captions, compositions and losses by hand, and a short run that leaves a model that loads."""

import importlib
import json
import math
import sys
import zipfile
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from pliant.perception.clip import PLAIN, SmallModel, load_words
from pliant.perception.lite0 import Lite0, Lite0Config, Stage
from pliant.perception.wordpieces import WordPieces, words_of
from pliant.perception.words import WordsConfig, WordsNet

from paths import REPOSITORY

MODULES = ("captions", "compose", "effects", "evaluate", "pack", "published", "sources", "teacher", "train")
BOB = {
    "style": "pixel-art",
    "hair": "red",
    "length": "long hair",
    "glasses": "glasses",
    "beard": "no beard",
    "hat": "a hat",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ",", *LETTERS, *(f"##{letter}" for letter in LETTERS)]


@pytest.fixture(scope="module")
def recipe():
    """The recipe's modules, found as its scripts find each other."""
    pytest.importorskip("transformers")
    folder = str(REPOSITORY / "recipes" / "words")
    kept = {name: sys.modules.pop(name, None) for name in MODULES}
    sys.path.insert(0, folder)
    yield type("Recipe", (), {name: importlib.import_module(name) for name in MODULES})
    sys.path.remove(folder)
    for name in MODULES:
        del sys.modules[name]
    sys.modules.update({name: module for name, module in kept.items() if module})


@pytest.fixture(scope="module")
def library(recipe):
    """Flat squares with names; one of them held out, and three portraits of which one is."""
    Item = recipe.sources.Item
    word = next(f"wug{letter}" for letter in LETTERS if recipe.captions.is_held_out_word(f"wug{letter}"))
    things = [
        Item("emoji", [name], ["tool", word]) for name in ("apple", "car", "old house", f"small {word}")
    ]
    sentences = [f"a portrait of a man, number {number}" for number in range(200)]
    held = [
        sentence for sentence in sentences if recipe.captions.is_held_out(Item("portrait", [sentence], []))
    ]
    free = [sentence for sentence in sentences if sentence not in held]
    facts = ["hair=brown", "glasses=glasses", "beard=no beard"]
    people = [
        Item("portrait", [held[0]], ["gender=man", *facts]),
        Item("portrait", [held[1]], ["gender=woman", *facts]),
        Item("portrait", [free[0]], ["gender=man", *facts]),
    ]
    pictures = torch.zeros(7, 4, 144, 144, dtype=torch.uint8)
    pictures[:4, :, 42:102, 42:102] = 255
    pictures[4:] = 255
    return recipe.compose.Library([*things, *people], pictures), word


# Captions


def test_held_out_words_are_in_no_caption(recipe, library):
    captions, (things, word) = recipe.captions, library
    usable = [number for number, item in enumerate(things.items) if not captions.is_held_out(item)]
    assert usable == [0, 1, 2, 6]
    writer = captions.Writer(things.items, usable, Random(0))
    plans = [plan for _ in range(500) for plan in writer.pair()]
    said = {each for plan in plans for each in words_of(plan.caption)}
    assert word not in said
    assert {layer.item for plan in plans for layer in plan.layers} == set(usable)
    assert {"apple", "car", "house", "red", "gold", "night", "three", "tool"} <= said
    seen = set(captions.seen_words(things.items, usable))
    assert {each for each in said if each.isalpha() and len(each) > 2} <= seen | {"apples", "cars", "houses"}
    assert word not in seen
    assert not [plan.caption for plan in plans if "{" in plan.caption or "  " in plan.caption]


def test_siblings_differ_in_what_they_are_about(recipe, library):
    writer = recipe.captions.Writer(library[0].items, [0, 1, 2], Random(1))
    for _ in range(50):
        first = writer.counted(1)
        assert writer.counted(1, avoid=first.facts["count"]).facts["count"] != first.facts["count"]
        assert len(first.layers) == int(first.facts["count"])
        assert f"{recipe.captions.COUNTS[len(first.layers)]} cars" in first.caption


def test_things_lie_where_the_caption_says(recipe, library):
    writer = recipe.captions.Writer(library[0].items, [0, 1], Random(2))
    for _ in range(50):
        plan = writer.scene(0, 1)
        one, two = plan.layers
        beside = {
            "left": two.x - one.x,
            "right": one.x - two.x,
            "above": two.y - one.y,
            "below": one.y - two.y,
        }
        assert beside[plan.facts["place"]] > 0.7


def test_captions_of_people_say_what_is_known_of_them(recipe):
    sources, captions = recipe.sources, recipe.captions
    portrait = sources.Item(
        "portrait",
        ["a portrait of a young man with light skin, black long hair, smiling"],
        ["gender=man", "hair=black", "glasses=no glasses", "beard=none", "theme=smile"],
    )
    writer = captions.Writer([sources.avatar(BOB), portrait], [0, 1], Random(3))
    assert (writer.people, writer.things) == ([0, 1], [])
    looks = {"red hair", "long hair", "glasses", "no beard", "a hat"}
    backgrounds = set()
    for _ in range(200):
        plan = writer.person(0)
        backgrounds.add(plan.background)
        if not plan.effect:
            said, _, _ = plan.caption.partition(" on a ")
            people = ("a pixel art portrait of a person", "a portrait of a person", "a person")
            start = next(each for each in people if said.startswith(each))
            parts = said.removeprefix(start).strip().split(", ")
            assert {part.removeprefix("with ") for part in parts} <= looks
            assert len(set(parts)) == len(parts) > 0
    assert len(backgrounds) > 12
    plans = [writer.person(1) for _ in range(200)]
    assert {plan.background for plan in plans} == {("white", "white")}
    said = {plan.caption for plan in plans if not plan.effect}
    assert {
        "a young man with no glasses",
        "a young man with light skin, smiling",
        "a portrait of a young man with black hair, with no glasses",
    } <= said
    assert not [caption for caption in said if "none" in caption]


def test_what_is_said_of_a_person_sets_captions_apart(recipe):
    glasses = recipe.sources.avatar({"style": "lorelei", "glasses": "glasses"})
    none = recipe.sources.avatar({"style": "lorelei", "glasses": "no glasses"})
    writer = recipe.captions.Writer([glasses, none], [0, 1], Random(4))
    meanings = [{writer.person(number).meaning for _ in range(40)} for number in (0, 1)]
    assert not meanings[0] & meanings[1]


def test_every_effect_has_words_and_does_something(recipe):
    effects, captions = recipe.effects.EFFECTS, recipe.captions
    assert set(effects) == set(captions.EFFECT_WORDS)
    x = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    amount = torch.tensor([0.0, 0.5, 1.0]).reshape(3, 1, 1, 1)
    made = {name: effect(x, amount) for name, effect in effects.items()}
    for name, picture in made.items():
        assert picture.shape == x.shape, name
        assert -0.01 < picture.min() <= picture.max() < 1.3, name
        assert (picture - x).abs().mean() > 0.03, name
    assert made["night"].mean() < 0.5 * x.mean()
    red, green, blue = made["gold"].mean((0, 2, 3))
    assert red > green > 2 * blue
    assert torch.allclose(made["grey"][:, 0], made["grey"][:, 2], atol=1e-5)


# Compositions


def test_a_plan_is_drawn_as_it_says(recipe, library):
    Plan, Layer = recipe.captions.Plan, recipe.captions.Layer
    composer = recipe.compose.Composer(library[0], 72, 0)
    composer._varied = lambda names: torch.tensor([recipe.captions.COLOURS[name or "grey"] for name in names])
    plan = Plan("", (Layer(0, 0.5, -0.5, 0.5, 0.0, "red"), Layer(1, -0.5, 0.5, 0.5)), ("blue", "blue"))
    drawn = composer.draw([plan])[0] / 2 + 0.5
    blue, red = (torch.tensor(recipe.captions.COLOURS[name]) for name in ("blue", "red"))
    assert torch.allclose(drawn[:, 2, 2], blue, atol=1e-5)
    assert torch.allclose(drawn[:, 18, 54], (red * 1.1).clamp(0, 1), atol=1e-5)  # the dyed white square
    assert torch.allclose(drawn[:, 54, 18], torch.ones(3), atol=1e-5)
    assert torch.allclose(
        drawn[:, 18, 54 + 12], blue, atol=1e-5
    )  # the square is 60 of 144 wide, here 15 of 72


def test_a_perspective_takes_corners_to_corners(recipe):
    source = torch.tensor([[[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]])
    target = torch.tensor([[[-0.8, -1.1], [0.9, -0.7], [1.2, 1.0], [-1.0, 0.6]]])
    mapped = torch.cat([source, torch.ones(1, 4, 1)], 2) @ recipe.compose.homographies(
        source, target
    ).transpose(1, 2)
    assert torch.allclose(mapped[..., :2] / mapped[..., 2:], target, atol=1e-5)
    assert torch.allclose(recipe.compose.homographies(source, source)[0], torch.eye(3), atol=1e-6)


def test_varied_pictures_stay_pictures_and_white_is_around_them(recipe):
    dark = torch.full((40, 3, 48, 48), -1.0)
    seen = recipe.compose.vary(dark, torch.Generator().manual_seed(0))
    assert seen.min() >= -1
    assert seen.max() > 0.9
    assert (seen < -0.8).float().mean() > 0.7
    moving = torch.zeros(2, 3, 32, 32, requires_grad=True)
    recipe.compose.vary(moving, torch.Generator().manual_seed(0)).sum().backward()
    assert moving.grad.abs().sum() > 0


# Losses


def test_contrast_by_hand(recipe):
    images = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    none = torch.zeros(2, 2, dtype=torch.bool)
    loss = recipe.train.contrast(images, images, torch.tensor(2.0), none)
    assert float(loss) == pytest.approx(math.log(1 + math.exp(-2)), rel=1e-5)
    assert float(recipe.train.contrast(images, images, torch.tensor(2.0), ~none)) == pytest.approx(
        0, abs=1e-6
    )


def test_captions_compete_unless_they_mean_the_same(recipe):
    Plan, Layer = recipe.captions.Plan, recipe.captions.Layer
    thing = (Layer(0, 0, 0, 1),)
    plans = [
        Plan("a red car", thing, meaning=("red",)),
        Plan("the red car", thing, meaning=("red",)),
        Plan("a blue car", thing, meaning=("blue",)),
        Plan("a red house", thing, meaning=("red",)),
        Plan("crimson", (), meaning=("red",)),
        Plan("something red", (), meaning=("red",)),
    ]
    vectors = torch.eye(6)
    vectors[1] = vectors[2] = vectors[0]
    expected = torch.eye(6, dtype=torch.bool)
    expected[0, 1] = expected[1, 0] = expected[4, 5] = expected[5, 4] = True
    assert torch.equal(recipe.train.mean_the_same(plans, vectors), expected)


def test_the_text_loss_is_nothing_where_both_agree(recipe):
    ours = functional.normalize(torch.randn(5, 8), dim=1)
    assert float(recipe.train.text_loss(ours, ours)) == pytest.approx(0, abs=1e-6)
    turned = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert float(recipe.train.text_loss(turned, turned.flip(1))) == pytest.approx(1)


def test_classes_are_kept_and_told_where_lite0_is_sure(recipe):
    wanted = torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.1, 0.0, 0.0, 0.0]])
    other = torch.tensor([[2.0, 0.0, 0.0, 0.0], [5.0, 0.0, 0.0, 0.0]])
    assert float(recipe.train.kept_loss(wanted, wanted)) == pytest.approx(0, abs=1e-6)
    p, q = wanted[1].softmax(0), other[1].softmax(0)
    assert float(recipe.train.kept_loss(other, wanted)) == pytest.approx(
        float((p * (p / q).log()).sum()) / 2, rel=1e-4
    )
    assert float(recipe.train.told_loss(other, wanted)) == pytest.approx(0, abs=1e-6)
    assert recipe.train.told_loss(other.flip(0), wanted) > 0.1


def test_the_projection_begins_at_the_names_of_classes(recipe):
    # Three Gaussian classes of one covariance; the best linear classifier knows their middles only times the covariance.
    generator = torch.Generator().manual_seed(0)
    spread = torch.tensor([[1.0, 0.4], [0.0, 0.7]])
    middles = torch.tensor([[6.0, 0.0], [-6.0, 1.0], [0.0, -6.0]])
    features = (middles[:, None] + torch.randn(3, 500, 2, generator=generator) @ spread).flatten(0, 1)
    covariance = torch.cov((features - features.mean(0)).T)
    classifier = torch.linalg.solve(covariance, (middles - middles.mean(0)).T).T
    names = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    weight, bias = recipe.train.class_projection(features, classifier, names, ridge=1e-6)
    assert torch.allclose(middles @ weight.T + bias, names, atol=0.05)


# Sources and packs


def test_names_lose_what_says_nothing_of_the_picture(recipe):
    cleaned = recipe.sources.cleaned
    assert cleaned("Red_Car-02.svg (clipart by John Doe)") == "red car"
    assert cleaned("Gatto Cat 01 architetto francesco rollandin") == "gatto cat"
    assert cleaned("Ωmega") == "mega"


def test_titles_and_keywords_of_a_drawing(recipe, tmp_path):
    (tmp_path / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:dc="d" xmlns:rdf="r" width="20pt" height="10pt"><metadata>'
        "<dc:title>Blue Boat</dc:title><rdf:li>ship</rdf:li><rdf:li>hash</rdf:li><rdf:li> Sea </rdf:li></metadata>"
        '<rect width="13.3" height="13.3" fill="#00f"/></svg>'
    )
    assert recipe.sources.words_in_svg(tmp_path / "a.svg") == ("blue boat", ["ship", "sea"])
    (tmp_path / "b.svg").write_text("<svg><unclosed></svg>")
    assert recipe.sources.words_in_svg(tmp_path / "b.svg") == ("", [])
    pytest.importorskip("resvg_py")
    drawn = recipe.sources.rasterised(tmp_path / "a.svg")
    assert 135 <= min(drawn.size) <= max(drawn.size) <= 146
    assert drawn.getpixel((70, 70)) == (0, 0, 255, 255)
    assert recipe.sources.rasterised(tmp_path / "b.svg") is None


def test_an_avatar_is_told_by_what_was_chosen_for_it(recipe):
    bob = recipe.sources.avatar(BOB)
    assert bob.kind == "avatar"
    assert bob.names == [
        "a pixel art portrait of a person with red hair, with long hair, with glasses, with no beard, with a hat"
    ]
    assert bob.facts == BOB
    bald = {"style": "open-peeps", "length": "a bald head", "beard": "a moustache", "smile": "smiling"}
    assert recipe.sources.avatar(bald).names == [
        "a comic drawing of a person with a bald head, with a moustache, smiling"
    ]
    assert recipe.sources.Item("emoji", ["apple"], ["a=b=c"]).facts == {}


def test_avatars_are_read_with_their_pictures(recipe, tmp_path):
    pytest.importorskip("resvg_py")
    folder = tmp_path / "dicebear" / "avatars"
    folder.mkdir(parents=True)
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{}</svg>'
    (folder / "a.svg").write_text(svg.format('<rect x="4" width="8" height="16" fill="#0f0"/>'))
    (folder / "b.svg").write_text(svg.format(""))
    lines = [json.dumps({"file": f"{name}.svg", "facts": BOB}) for name in "ab"]
    (folder / "avatars.jsonl").write_text("\n".join(lines) + "\n")
    ((item, picture),) = recipe.sources.avatars(tmp_path)  # the empty one is left out
    assert item == recipe.sources.avatar(BOB)
    assert picture.size == (144, 288)
    assert picture.getpixel((70, 140)) == (0, 255, 0, 255)
    assert picture.mode == "RGBA"


def test_one_avatar_of_ten_and_one_portrait_of_twenty_are_held_out(recipe):
    for kind, share in (("avatar", 0.1), ("portrait", 0.05)):
        people = [recipe.sources.Item(kind, [f"a person, number {number}"], []) for number in range(2000)]
        held = sum(recipe.captions.is_held_out(person) for person in people)
        assert held / len(people) == pytest.approx(share, rel=0.25)


def test_people_are_asked_for_one_attribute_as_many_of_each_value(recipe):
    avatar = recipe.sources.avatar
    facts = [{"style": "lorelei", "hair": hair} for hair in ["red"] * 7 + ["blue"] * 6 + ["pink"] * 2]
    facts[0] |= {"glasses": "glasses"}
    library = recipe.compose.Library([avatar(each) for each in facts], torch.zeros(0))
    asked = []

    class Noting:  # a model has no part in which pictures are chosen
        def rate(self, plans, sentences, right):
            asked.append(([plan.layers[0].item for plan in plans], sentences, right))
            return {}

    rows = recipe.evaluate.people_rows(Noting(), library, range(15), "an avatar")
    assert list(rows) == ["hair of an avatar"]  # two have pink hair, only one's glasses are known
    ((items, sentences, right),) = asked
    assert items == [7, 8, 9, 10, 11, 12, 0, 1, 2, 3, 4, 5]
    assert sentences == [["a portrait of a person with blue hair", "a portrait of a person with red hair"]]
    assert right == [0] * 6 + [1] * 6


def test_one_flag_in_four_is_enough(recipe):
    names = [f"flag of land {letter}" for letter in LETTERS]
    assert 3 < sum(not recipe.sources.is_spare_flag(name, []) for name in names) < 12
    assert not recipe.sources.is_spare_flag("apple", ["fruit"])


def test_parts_hold_all_files_and_none_is_too_large(recipe, tmp_path):
    files = []
    for number, size in enumerate((500, 300, 200, 400)):
        files.append(tmp_path / f"file-{number}")
        files[-1].write_bytes(np.random.default_rng(number).bytes(size))
    recipe.pack.into_parts(files, tmp_path / "out", 1100)
    parts = sorted((tmp_path / "out").iterdir())
    assert all(sum(path.stat().st_size for path in part.iterdir()) <= 1100 for part in parts)
    found = {}
    for path in (tmp_path / "out").rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            found |= {name: archive.read(name) for name in archive.namelist()}
    assert found == {file.name: file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def teacher_folder(recipe, tmp_path_factory):
    """A tiny sentence encoder as its package has it."""
    import transformers

    folder = tmp_path_factory.mktemp("minilm")
    pieces = [*PIECES[:4], "[unused0]", *PIECES[4:], "猫"]
    config = transformers.BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    return folder


def test_a_packed_teacher_reads_as_the_whole_one(recipe, teacher_folder, tmp_path):
    import transformers

    recipe.teacher.pack(teacher_folder, tmp_path)
    packed = recipe.teacher.Teacher(tmp_path, torch.device("cpu"))
    assert packed.pieces.pieces == tuple(PIECES)
    whole = transformers.BertModel.from_pretrained(teacher_folder).eval()
    vocabulary = WordPieces((teacher_folder / "vocab.txt").read_text().split("\n")[:-1])
    text = torch.tensor([packed.pieces.encode("a red car", 40)])
    there = torch.ones_like(text, dtype=torch.bool)
    with torch.no_grad():
        hidden = whole(input_ids=torch.tensor([vocabulary.encode("a red car", 40)])).last_hidden_state
    cosine = functional.cosine_similarity(packed(text, there), hidden.mean(1))
    assert float(cosine) > 0.999
    longer = torch.cat([text, text.new_zeros(1, 3)], 1)
    assert torch.allclose(packed(longer, longer > 0), packed(text, there), atol=1e-5)


def test_published_weights_of_another_shape_are_refused(recipe, tmp_path):
    net = Lite0()
    ours = net.state_dict()
    stored = {f"layer{number}": value for number, value in enumerate(ours.values())}
    fc = {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}
    torch.save({**stored, **fc}, tmp_path / "lite0.pth")
    read, weight, _ = recipe.published.read_lite0(tmp_path / "lite0.pth")
    assert torch.equal(read.head[0].weight, net.head[0].weight)
    assert weight.shape == (1000, 1280)
    stored["layer0"] = torch.zeros(3)
    torch.save({**stored, **fc}, tmp_path / "lite0.pth")
    with pytest.raises(ValueError, match="not EfficientNet-Lite0"):
        recipe.published.read_lite0(tmp_path / "lite0.pth")


# Training


def pack_of(recipe, library, teacher_folder, folder):
    """An unpacked pack of the library's items."""
    recipe.teacher.pack(teacher_folder, folder)
    weights = Lite0().state_dict()
    weights |= {"classifier.weight": torch.randn(5, 1280) / 30, "classifier.bias": torch.zeros(5)}
    save_file({name: value.half() if value.is_floating_point() else value for name, value in weights.items()},
              folder / "lite0.safetensors")  # fmt: skip
    (folder / "classes.txt").write_text("\n".join(["tench", "fox", "car", "cup", "bee"]) + "\n")
    (folder / "texts.txt").write_text("a thing\nwhat is seen\nto go\n")
    with zipfile.ZipFile(folder / "pictures-00.zip", "w") as shard:
        for number, (item, picture) in enumerate(zip(library.items, library.pictures, strict=True)):
            image = Image.fromarray(picture.permute(1, 2, 0).numpy(), "RGBA")
            image.save(folder / "one.webp", lossless=True)
            shard.write(folder / "one.webp", f"{number}.webp")
            with (folder / "items.jsonl").open("a") as lines:
                lines.write(item.line(f"{number}.webp") + "\n")


def test_a_short_run_leaves_a_model_and_its_card(
    recipe, library, teacher_folder, tmp_path, monkeypatch, capsys
):
    data, out = tmp_path / "data", tmp_path / "words"
    data.mkdir()
    pack_of(recipe, library[0], teacher_folder, data)
    read = recipe.compose.read_library(data, torch.device("cpu"))
    assert read.items == library[0].items
    assert torch.equal(read.pictures, library[0].pictures)
    sizes = [
        "--side",
        "32",
        "--batch",
        "8",
        "--texts",
        "4",
        "--begin",
        "16",
        "--steps",
        "2",
        "--report-every",
        "1",
    ]
    arguments = ["train.py", "--data", str(data), "--out", str(out), "--device", "cpu", *sizes]
    monkeypatch.setattr(sys, "argv", arguments)
    recipe.train.main()
    training = json.loads((out / "training.json").read_text())
    assert (training["steps"], len(training["log"])) == (2, 2)
    assert all(math.isfinite(value) for value in training["log"][1].values())
    quick = recipe.evaluate.reached
    monkeypatch.setattr(
        recipe.evaluate, "reached", lambda model, pixels: quick(model, pixels, steps=1, views=1)
    )
    recipe.evaluate.main(["--data", str(data), "--models", str(out), "--most", "3", "--device", "cpu"])
    report = json.loads((out / "report.json").read_text())
    assert report["choices"]["colour of a thing"]["sentences"] == 12
    assert report["choices"]["gender of a portrait"]["pictures"] == 2
    assert [len(colours) for colours in report["reached"].values()] == [12, 12]
    assert "| how many | 1 | 3 |" in (out / "README.md").read_text()
    model = load_words(out)
    assert model.encode_text(["a red car"]).shape == model.encode_images(torch.zeros(1, 3, 40, 40)).shape
    assert model.unknown_words(f"a red {library[1]}") == [library[1]]


def test_gradients_of_a_model_of_colours_lead_to_the_colours(recipe):
    image = Lite0Config(8, (Stage(1, 3, 1, 8, 1), Stage(2, 3, 2, 16, 1)), 64)
    net = WordsNet(WordsConfig(32, 24, 12, 64, 1, 16, image), PIECES, []).eval()
    library = recipe.compose.Library([], torch.zeros(0, 4, 144, 144, dtype=torch.uint8))
    composer, random = recipe.compose.Composer(library, 32, 0), Random(0)
    colours, adam = list(recipe.captions.COLOURS), torch.optim.Adam(net.parameters(), 4e-3)
    chance = torch.Generator().manual_seed(0)
    for _ in range(250):
        chosen = [random.choice([*colours, "", ""]) for _ in range(48)]  # the last: any colours, "a picture"
        plans = [recipe.captions.Plan("", (), (colour, colour)) for colour in chosen]
        same = torch.tensor([[a == b for a in chosen] for b in chosen])
        seen = recipe.compose.vary(composer.draw(plans), chance)
        pictures = functional.normalize(net.embed_images(seen), dim=1)
        texts = functional.normalize(net.embed_texts([f"a {colour} picture" for colour in chosen]), dim=1)
        loss = recipe.train.contrast(pictures, texts, torch.tensor(10.0), same)
        adam.zero_grad()
        loss.backward()
        adam.step()
    model = SmallModel("colours", net.requires_grad_(requires_grad=False))
    plans = [recipe.captions.Plan("", (), (colour, colour)) for colour in colours]
    guessed = (
        model.encode_images(composer.draw(plans))
        @ model.encode_text([f"a {colour} picture" for colour in colours], PLAIN).T
    ).argmax(1)
    assert (guessed == torch.arange(12)).sum() >= 10
    reached = recipe.evaluate.reached(model, pixels=1, steps=40)
    assert sum(wanted == found for wanted, found in reached.items()) >= 5  # by chance: one of twelve
