"""The door to text-image models, on tiny models of every kind; what it resizes and normalises by hand and against Pillow."""

import copy
import json
import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from pliant.errors import CheckpointError, InputError, MissingExtraError
from pliant.perception.clip import PLAIN, TEMPLATES, SmallModel, load_words, resize
from pliant.perception.lite0 import Lite0, Lite0Config, Stage
from pliant.perception.wordpieces import WordPieces, words_of
from pliant.perception.words import WordsConfig, WordsNet, load_words_net, save_words_net

IMAGE = Lite0Config(8, (Stage(1, 3, 1, 8, 1), Stage(2, 5, 2, 16, 2), Stage(2, 3, 2, 16, 1)), 32)
TINY = WordsConfig(32, 16, 8, 64, 1, 12, IMAGE)
PIECES = [*("[PAD]", "[UNK]", "[CLS]", "[SEP]"), *"abcdefghijklmnopqrstuvwxyz"]
PIECES += [
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
    "red",
    "car",
    "##s",
    "car##",
    "photo",
    "of",
]
PIECES = list(dict.fromkeys(PIECES))


@pytest.fixture(scope="module")
def net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return WordsNet(TINY, PIECES, ["red", "car", "house"]).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def model(net):
    return SmallModel("tiny", net)


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


# What every model shares: sizes, templates, input that is refused


@pytest.mark.parametrize("size", [(50, 70), (20, 16), (32, 32), (200, 30)])
def test_pictures_are_resized_as_pillow_does(size):
    height, width = size
    values = noise(3, height, width)
    ours = resize(values[None], 32)[0]
    for channel in range(3):
        image = Image.fromarray(values[channel].numpy())
        theirs = np.asarray(image.resize((32, 32), Image.Resampling.BICUBIC))
        assert np.abs(ours[channel].numpy() - theirs).max() < 1e-4


def test_gradients_go_through_the_size_change():
    small = noise(1, 3, 9, 7).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: resize(x, 4), small)


def test_vectors_have_length_one_and_gradients_reach_the_pictures(model):
    pictures = noise(3, 3, 45, 61).requires_grad_()
    vectors = model.encode_images(pictures)
    assert vectors.shape == (3, 16)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(3), atol=1e-5)
    (vectors @ model.encode_text(["red"])[0]).sum().backward()
    assert pictures.grad.abs().flatten(1).amax(1).min() > 0


def test_a_gradient_is_that_of_central_differences(net):
    exact = WordsNet(TINY, PIECES, []).eval().double()
    exact.load_state_dict(net.state_dict())
    picture, direction = noise(1, 3, 32, 32).double().requires_grad_(), noise(16).double()

    def alike(x):
        return functional.normalize(exact.embed_images(x), dim=1)[0] @ direction

    (slope,) = torch.autograd.grad(alike(picture), picture)
    for place in [(0, 0, 3, 4), (0, 1, 16, 20), (0, 2, 31, 7)]:
        nudge = torch.zeros_like(picture)
        nudge[place] = 1e-5
        measured = (alike(picture + nudge) - alike(picture - nudge)) / 2e-5
        assert float(measured.detach()) == pytest.approx(float(slope[place]), rel=1e-3, abs=1e-9)


def test_a_text_is_the_mean_of_its_templates(model):
    one, two = (model.encode_text([text], PLAIN)[0] for text in ("red car", "photo of red car"))
    both = model.encode_text(["red car"], ("{}", "photo of {}"))[0]
    assert torch.allclose(both, functional.normalize(one + two, dim=0), atol=1e-6)
    assert model.encode_text(["red", "car", "a red car"]).shape == (3, 16)
    assert all(template.count("{}") == 1 for template in TEMPLATES)


def test_braces_in_a_text_stay_in_it(model):
    assert torch.isfinite(model.encode_text(["a {} of {red}"])).all()


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [([], "at least one"), ("red", "a list"), (["red", " "], "empty"), (["x" * 10_000], "10,000 characters")],
)
def test_texts_that_cannot_be_read_are_refused(model, texts, sentence):
    with pytest.raises(InputError, match=sentence):
        model.encode_text(texts)


def test_templates_need_their_place(model):
    for templates in ((), ("a photo",), ("{} {}",)):
        with pytest.raises(InputError, match="each with one"):
            model.encode_text(["red"], templates)


def test_what_is_no_picture_is_refused(model):
    for bad in (
        torch.zeros(3, 8, 8),
        torch.zeros(1, 4, 8, 8),
        torch.zeros(0, 3, 8, 8),
        torch.zeros(1, 3, 8, 8).byte(),
    ):
        with pytest.raises(InputError, match="Expected pictures"):
            model.encode_images(bad)


# Pliant's own model


def test_words_are_spelt_by_the_longest_pieces():
    pieces = WordPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "##a", "##f", "red"])
    assert pieces.encode("Unaffable réd zzz", 9) == [2, 4, 5, 6, 9, 1, 3]
    assert pieces.encode("red red red red", 4) == [2, 9, 9, 3]
    assert pieces.spell("r" * 101) == [1]
    assert words_of("It's a café, 20x") == ["it", "'", "s", "a", "cafe", ",", "20x"]


def test_words_are_spelt_as_the_tokeniser_of_bert_does():
    tokenizers = pytest.importorskip("tokenizers")
    theirs = tokenizers.BertWordPieceTokenizer(
        {piece: number for number, piece in enumerate(PIECES)}, lowercase=True
    )
    ours = WordPieces(PIECES)
    for text in ("Red cars", "a photo of the reddest car!", "naïve, 3 owls", "carsoff"):
        assert ours.encode(text, 64) == theirs.encode(text).ids


def test_a_text_reads_the_same_alone_and_beside_a_longer_one(model):
    together = model.encode_text(["red", "a photo of the red car"], PLAIN)
    assert torch.allclose(together[0], model.encode_text(["red"], PLAIN)[0], atol=1e-5)


def test_unknown_words_are_those_that_no_caption_had(model):
    assert model.unknown_words("Two red cars, a red house and a zeppelin of zeppelins") == [
        "two",
        "zeppelin",
        "zeppelins",
    ]
    assert model.unknown_words("the red car") == []


def test_strides_pad_as_in_tensorflow():
    # Of a picture of even size, the first 3 x 3 window with a stride of two begins at its first pixel.
    net = Lite0(IMAGE).eval()
    with torch.no_grad():
        net.stem[0].weight.zero_()
        net.stem[0].weight[:, :, 0, 0] = 1
        seen = net.stem(torch.arange(64.0).reshape(1, 1, 8, 8).expand(1, 3, 8, 8))
    corner = torch.arange(64.0).reshape(8, 8)[::2, ::2] * 3 / (1 + 1e-3) ** 0.5
    assert torch.allclose(seen[0, 0], corner, atol=1e-4)


def test_a_model_is_read_as_it_was_written(net, model, tmp_path):
    save_words_net(net, tmp_path / "words")
    read = load_words(tmp_path / "words")
    assert load_words(tmp_path / "words") is read
    assert read.unknown_words("red zeppelin") == ["zeppelin"]
    assert (read.name, read.input_size) == ("words", 32)
    assert read.logit_scale == pytest.approx(20, rel=1e-2)
    pictures = noise(2, 3, 40, 40)
    assert torch.allclose(read.encode_images(pictures), model.encode_images(pictures), atol=2e-2)
    assert torch.equal(
        load_words_net(tmp_path / "words").text.pieces.weight, net.text.pieces.weight.half().float()
    )


def test_a_users_model_is_found_by_its_name(net, tmp_path, monkeypatch):
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path))
    save_words_net(net, tmp_path / "models" / "mine")
    assert load_words("mine").name == "mine"


def test_folders_that_hold_no_model_are_refused(net, tmp_path):
    with pytest.raises(CheckpointError, match="There is no text-image model 'nowhere'"):
        load_words("nowhere")
    with pytest.raises(CheckpointError, match="no readable config"):
        load_words(tmp_path)
    save_words_net(net, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(CheckpointError, match="does not hold a Pliant text-image model"):
        load_words(tmp_path / "cut")
    save_words_net(net, tmp_path / "fewer")
    (tmp_path / "fewer" / "pieces.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n")
    with pytest.raises(CheckpointError, match="does not hold"):
        load_words(tmp_path / "fewer")


# CLIP and SigLIP as transformers writes them


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("clip")
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        "re",
        "red</w>",
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    tokenizer = transformers.CLIPTokenizer(
        vocab={piece: number for number, piece in enumerate(vocabulary)}, merges=[("r", "e"), ("re", "d</w>")]
    )
    tokenizer.save_pretrained(folder)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {
        **shape,
        "vocab_size": len(vocabulary),
        "eos_token_id": len(vocabulary) - 1,
        "max_position_embeddings": 16,
    }
    config = transformers.CLIPConfig(
        text_config=text, vision_config={**shape, "image_size": 32, "patch_size": 16}, projection_dim=24
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.CLIPModel(config).save_pretrained(folder)
    return folder


def test_clip_sees_what_transformers_gives_it(clip_folder):
    import transformers

    model = load_words(clip_folder)
    pictures = noise(2, 3, 32, 32)
    theirs = transformers.CLIPModel.from_pretrained(clip_folder)
    mean, std = (
        torch.tensor(values)[:, None, None] for values in ((0.4815, 0.4578, 0.4082), (0.2686, 0.2613, 0.2758))
    )
    with torch.no_grad():
        ids = transformers.CLIPTokenizer.from_pretrained(clip_folder)("a red", return_tensors="pt")
        out = theirs(pixel_values=((pictures + 1) / 2 - mean) / std, **ids)
        ours = model.encode_images(pictures)
    assert torch.allclose(ours, out.image_embeds, atol=2e-3)
    assert torch.allclose(model.encode_text(["a red"], PLAIN), out.text_embeds, atol=1e-5)
    assert model.logit_scale == pytest.approx(float(theirs.logit_scale.detach().exp()))
    assert (model.input_size, ours.shape) == (32, (2, 24))


def test_clip_learns_of_pictures_by_gradients_and_spells_rare_words(clip_folder):
    model = load_words(clip_folder)
    pictures = noise(1, 3, 50, 50).requires_grad_()
    model.encode_images(pictures)[0, 0].backward()
    assert pictures.grad.abs().max() > 0
    assert model.unknown_words("a red zeppelin") == ["zeppelin"]
    assert model.encode_text(["red " * 100]).shape == (1, 24)  # more than it can read


def test_other_models_of_transformers_are_refused(clip_folder, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(CheckpointError, match="kind bert; expected one of clip, siglip"):
        load_words(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text((clip_folder / "config.json").read_text())
    with pytest.raises(CheckpointError, match="cannot be read as a CLIP or SigLIP model"):
        load_words(tmp_path / "empty")


def test_weights_that_are_a_pickle_are_refused(clip_folder, tmp_path):
    import shutil

    shutil.copytree(clip_folder, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_words(tmp_path / "pickled")


def test_siglip_goes_through_the_same_door(tmp_path):
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {"<pad>": 0, "<unk>": 1, "a": 2, "red": 3, "car": 4}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(tmp_path)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.SiglipConfig(
        text_config={
            **shape,
            "vocab_size": 5,
            "max_position_embeddings": 8,
            "pad_token_id": 0,
            "eos_token_id": 0,
        },
        vision_config={**shape, "image_size": 32, "patch_size": 16},
    )
    theirs = transformers.SiglipModel(config).eval()
    theirs.save_pretrained(tmp_path)
    model = load_words(tmp_path)
    pictures = noise(2, 3, 32, 32)
    with torch.no_grad():
        out = theirs(pixel_values=pictures, input_ids=torch.tensor([[2, 3, 4, 0, 0, 0, 0, 0]]))
    assert torch.allclose(model.encode_images(pictures), out.image_embeds, atol=1e-4)
    assert torch.allclose(model.encode_text(["A red car"], PLAIN), out.text_embeds, atol=1e-5)
    assert model.unknown_words("a red zeppelin") == ["zeppelin"]


# open_clip needs torchvision, of which there is no CPU build next to our torch: a stand-in answers for it.


class _Stand(nn.Module):
    """What open_clip's models answer."""

    def __init__(self):
        super().__init__()
        self.visual = nn.Module()
        self.visual.image_size, self.visual.image_mean, self.visual.image_std = (8, 8), (0.5,) * 3, (0.5,) * 3
        self.logit_scale = nn.Parameter(torch.zeros(()))

    def encode_image(self, pictures):
        return pictures.flatten(1)

    def encode_text(self, numbers):
        return functional.one_hot(numbers[:, 0], 192).float()


def test_open_clip_goes_through_the_same_door(monkeypatch, tmp_path):
    asked = []

    def create_model(name, pretrained=None, require_pretrained=False):
        asked.append((name, pretrained))
        if name == "ViT-0":
            raise RuntimeError("Model config for ViT-0 not found.\nlong list")
        return _Stand()

    def tokenizer(texts):
        return torch.tensor([[len(text)] for text in texts])

    module = types.SimpleNamespace(create_model=create_model, get_tokenizer=lambda name: tokenizer)
    monkeypatch.setitem(sys.modules, "open_clip", module)
    model = load_words("open_clip:ViT-B-32:openai")
    pictures = noise(1, 3, 8, 8)
    assert torch.allclose(
        model.encode_images(pictures)[0], functional.normalize(pictures.flatten(), dim=0), atol=1e-5
    )
    assert model.encode_text(["red"], PLAIN).argmax() == 3
    assert (model.logit_scale, model.unknown_words("zeppelin")) == (1, [])
    (tmp_path / "open_clip_config.json").write_text("{}")
    load_words(tmp_path)
    assert asked == [("ViT-B-32", "openai"), (f"local-dir:{tmp_path}", None)]
    with pytest.raises(CheckpointError, match=r"config for ViT-0 not found\.$"):
        load_words("open_clip:ViT-0:openai")
    with pytest.raises(CheckpointError, match="Which weights"):
        load_words("open_clip:ViT-B-32")


def test_without_open_clip_the_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(MissingExtraError, match="needs open_clip_torch"):
        load_words("open_clip:ViT-B-16:openai")


def test_the_faster_form_of_the_image_tower_sees_the_same(net):
    net = copy.deepcopy(net)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        for module in net.modules():  # statistics of a net that was trained
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.5, 2)
        pictures = noise(4, 3, 32, 32).requires_grad_()
        faster = SmallModel("tiny", net).encode_images(pictures)
        plain = functional.normalize(net.embed_images(pictures), dim=1)
        assert torch.allclose(faster, plain, atol=1e-5)
        way = torch.randn(4, 16)
        ours, theirs = (torch.autograd.grad((seen * way).sum(), pictures)[0] for seen in (faster, plain))
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))
