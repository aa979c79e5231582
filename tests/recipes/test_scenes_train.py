"""Training of scenes-256: its arithmetic by hand, and tiny runs that leave a pipeline that diffusers loads."""

import json
import zipfile
from dataclasses import asdict

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from text_images import save_words


@pytest.fixture(scope="module")
def data(scenes, sprites, tmp_path_factory):
    """The sprites as pack.py leaves them."""
    folder = tmp_path_factory.mktemp("data")
    with zipfile.ZipFile(folder / "sprites-0.zip", "w") as shard:
        records = []
        for number, thing in enumerate(sprites.things):
            values = (sprites.levels[0][number] * 255).byte().permute(1, 2, 0).contiguous().numpy()
            path = folder / f"{number}.png"
            Image.fromarray(values).save(path)
            shard.write(path, path.name)
            records.append({"number": number, "file": path.name, **asdict(thing)})
        shard.writestr("things.json", json.dumps(records))
    return folder


@pytest.fixture(scope="module")
def trained(scenes, data, tmp_path_factory):
    """Two steps of both trainings."""
    out = tmp_path_factory.mktemp("run")
    common = ["--data", str(data), "--out", str(out), "--size", "tiny", "--every", "1", "--device", "cpu"]
    common += ["--workers", "0"]
    words = save_words(out / "words")
    vae = ["--batch", "2", "--steps", "2", "--features", str(words), "--adversary", "0.1"]
    scenes.train_vae.main([*common, *vae])
    unet = ["--batch", "4", "--store", "3", "--fill", "1"]
    scenes.train.main([*common, *unet, "--steps", "2"])
    return out, common + unet


# Arithmetic


def test_little_steps_weigh_less(scenes):
    ratio = torch.tensor([20.0, 5.0, 1.0, 0.1])
    weights = scenes.train.min_snr(ratio / (1 + ratio))
    torch.testing.assert_close(weights, torch.tensor([0.25, 1.0, 1.0, 1.0]))


def test_the_rate_goes_up_and_down(scenes):
    rate = scenes.loop.rate
    assert [rate(step, 0.0, 4, 0.0) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]
    assert [rate(99, share, 4, 0.5) for share in (0.5, 0.75, 1.0)] == [1, 0.5, 0]
    assert rate(99, 0.9, 4, 0.0) == 1


def test_gradients_in_one_piece_are_those_of_torch(scenes):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2))
    net[0].to(memory_format=torch.channels_last)
    pictures = torch.randn(2, 3, 4, 4)
    net(pictures).square().sum().backward()
    wanted = [parameter.grad.clone() for parameter in net.parameters()]
    gradients = scenes.loop.Gradients(list(net.parameters()))
    net(pictures).square().sum().backward()
    for parameter, grad in zip(net.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, grad)
    whole = torch.cat([grad.flatten() for grad in wanted]).norm()
    norm = gradients.finish(scenes.loop.Team("cpu"), limit=0.5)
    torch.testing.assert_close(norm, whole)
    torch.testing.assert_close(gradients.flat.norm(), torch.tensor(0.5), atol=1e-4, rtol=0)


def test_averages_forget_how_they_began(scenes):
    average, values = [torch.zeros(3)], [torch.ones(3)]
    scenes.loop.follow(average, values, 0)
    torch.testing.assert_close(average[0], torch.full((3,), 0.9))
    scenes.loop.follow(average, values, 10**6, slowest=0.5)
    torch.testing.assert_close(average[0], torch.full((3,), 0.95))


def test_the_store_keeps_the_newest(scenes):
    store = scenes.train.Store(4, 1, torch.device("cpu"), torch.float32)
    for value in range(3):
        store.add(torch.full((2, 4, 1, 1), float(value)), torch.full((2, 77), value))
    assert store.latents[:, 0, 0, 0].tolist() == [2, 2, 1, 1]
    latents, tokens = store.draw(50)
    assert (latents[:, 0, 0, 0] == tokens[:, 0]).all()
    assert tokens.unique().tolist() == [1, 2]


def test_words_of_captions_are_one_token_each(scenes):
    tokenizer = scenes.models.make_tokenizer(scenes.sprites.read_things())
    text = "a turquoise hippopotamus to the left of two slices of watermelon on a wooden floor at dawn"
    tokens = tokenizer(text).input_ids
    assert len(tokens) == len(text.split()) + 2
    assert (tokens[0], tokens[-1]) == (tokenizer.bos_token_id, tokenizer.eos_token_id)
    assert len(set(tokens[1:-1])) == len(set(text.split()))
    assert tokenizer.decode(tokens[1:-1]) == text
    assert tokenizer.decode(tokenizer("Zebrafish: 7!").input_ids[1:-1]).replace(" ", "") == "zebrafish:7!"
    again = scenes.models.make_tokenizer(scenes.sprites.read_things())
    assert again.get_vocab() == tokenizer.get_vocab()
    assert scenes.loop.tokens_of(["a " * 100, ""], tokenizer).shape == (2, 77)


# Runs


def test_what_was_trained_is_a_pipeline_of_diffusers(scenes, trained):
    from diffusers import StableDiffusionPipeline

    folder = trained[0] / "scenes-256"
    pipeline = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)
    assert pipeline.safety_checker is None
    assert pipeline.vae_scale_factor == 8
    assert pipeline.tokenizer.model_max_length == 77
    assert [type(block).__name__ for block in pipeline.unet.up_blocks] == ["UpBlock2D"] + [
        "CrossAttnUpBlock2D"
    ] * 3
    facts = json.loads((trained[0] / "vae.json").read_text())
    assert pipeline.vae.config.scaling_factor == pytest.approx(facts["scaling_factor"])
    assert (folder / "tokenizer" / "merges.txt").read_text().startswith("#version")
    state = torch.load(trained[0] / "state.pt", weights_only=True)
    kept = pipeline.unet.state_dict()["conv_in.weight"]
    torch.testing.assert_close(kept.float(), state["average"]["unet.conv_in.weight"], atol=1e-3, rtol=1e-3)
    words = load_file(folder / "text_encoder" / "model.safetensors")
    assert all(name.startswith("text_model.") for name in words)
    average = {
        name.removeprefix("text."): value for name, value in state["average"].items() if name[:5] == "text."
    }
    for name, value in pipeline.text_encoder.state_dict().items():
        torch.testing.assert_close(value.float(), average[name].float(), atol=1e-3, rtol=1e-3)


def test_samples_come_from_prompt_and_seed(scenes, trained, tmp_path):
    pipeline = scenes.models.load_pipeline(trained[0] / "scenes-256")
    pictures = scenes.sample.sampled(pipeline, ["an apple", "a bus on grass", "an apple"], steps=2, batch=2)
    assert pictures.shape == (3, 3, 64, 64)
    again = scenes.sample.sampled(pipeline, ["an apple"], steps=2)
    torch.testing.assert_close(again[0], pictures[0], atol=1e-4, rtol=0)
    assert scenes.sample.sheet(pictures, 2).size == (128, 128)


def test_training_goes_on_where_it_stopped(scenes, trained):
    out, command = trained
    steps = json.loads((out / "scenes-256/training.json").read_text())["steps"]
    scenes.train.main([*command, "--steps", "1", "--resume"])
    facts = json.loads((out / "scenes-256/training.json").read_text())
    assert facts["steps"] == steps + 1
    assert facts["images"] == 4 * (steps + 1)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert all(line["images_per_second"] > 0 for line in lines)


def test_weights_of_a_pipeline_can_be_the_start(scenes, trained, tmp_path):
    out, command = trained
    start = ["--weights", str(out / "scenes-256"), "--vae", str(out / "vae"), "--rate", "0", "--steps", "1"]
    scenes.train.main([*command, "--out", str(tmp_path), *start])
    one, other = (scenes.models.load_pipeline(folder / "scenes-256") for folder in (out, tmp_path))
    for a, b in zip(one.unet.parameters(), other.unet.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


def test_figures_and_card(scenes, trained, data):
    folder = trained[0] / "scenes-256"
    judge = ["--judge", str(trained[0] / "words"), "--device", "cpu"]
    scenes.evaluate.main(
        ["--data", str(data), "--model", str(folder), *judge, "--count", "4", "--steps", "1"]
    )
    report = json.loads((folder / "report.json").read_text())
    assert report["choices"]["which thing"]["chance"] == pytest.approx(1 / 5)
    assert 0 < report["psnr"] < 40
    card = (folder / "README.md").read_text()
    assert f"{report['psnr']:.2f} dB" in card
    assert (folder / "sheet.jpg").is_file()
