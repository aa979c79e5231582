import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pliant import __version__, catalogue, images
from pliant.cli import verbs
from pliant.cli.edit import options_class
from pliant.cli.progress import Progress
from pliant.project import Project
from pliant.settings import read_settings

SAMPLE = ("sample", "--model", "tiny", "--device", "cpu")
DRAG = ("drag", "--model", "tiny", "--device", "cpu", "--handle", "10,10", "--target", "20,16")
NEVER = ("--step-size", "1e-9", "--max-steps", "1000000")
"""Settings with which a drag does not arrive by itself."""


def pixels(path):
    return np.asarray(images.load_image(path)).astype(int)


def test_help_lists_every_verb_and_is_there_without_arguments(pliant):
    code, out, _ = pliant("--help")
    assert code == 0
    for verb in verbs().values():
        assert f"  {verb.words}" in out
        assert verb.summary in out
    assert pliant()[:2] == (2, out)
    assert pliant("--version")[1] == f"pliant {__version__}\n"


def test_the_help_of_an_edit_is_made_of_its_docstrings(pliant):
    words = {"vector": ("vector", "apply")}
    for edit in catalogue.EDITS:
        code, out, _ = pliant(*words.get(edit.name, (edit.name,)), "--help")
        text = " ".join(out.replace("│", " ").split())
        assert code == 0
        assert edit.summary in text
        for setting in edit.settings:
            assert f"--{setting.name.replace('_', '-')}" in text
            assert setting.help[:40] in text


def test_the_options_of_an_edit_have_different_names():
    for edit in (edit for edit in catalogue.EDITS if "latent" in edit.pictures):
        parts = [field.type for field in options_class(edit).__dataclass_fields__.values()]
        names = [name for part in parts for name in getattr(part.__origin__, "__dataclass_fields__", {})]
        assert len(set(names)) == len(names) > len(read_settings(edit.settings_class))


def test_help_needs_none_of_the_heavy_libraries():
    program = """
import sys, time
from pliant.cli import main, verbs
for words in ["", *verbs()]:
    began = time.perf_counter()
    assert main([*words.split(), "--help"]) == 0
    assert time.perf_counter() - began < 2, words
assert not {"torch", "numpy", "PIL", "safetensors", "av"} & sys.modules.keys(), sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["darg"], "there is no command 'darg'; did you mean drag?"),
        (["train"], "there is no command 'train'; did you mean train gan or train head?"),
        (["train", "cat"], "there is no command 'train cat'; did you mean train gan or train head?"),
        (["xyzzy"], "there is no command 'xyzzy'; see pliant --help."),
    ],
)
def test_an_unknown_verb_gets_a_hint(pliant, given, sentence):
    assert pliant(*given) == (2, "", f"pliant: {sentence}\n")


def test_sample_writes_a_picture_that_says_what_made_it(pliant, tmp_path):
    code, out, err = pliant(*SAMPLE, "--seed", 3, "--out", "a.png")
    assert (code, out, err) == (0, "a.png: seed 3 of tiny\n", "")
    facts = images.read_metadata(tmp_path / "a.png")["picture"]
    assert len(facts.pop("fingerprint")) == 16
    assert facts == {"kind": "latent", "model": "tiny", "origin": {"seed": 3, "truncation_psi": 0.7}}
    assert pixels("a.png").shape == (64, 64, 3)
    pliant(*SAMPLE, "--seed", 3, "--out", "b.png")
    assert np.array_equal(pixels("a.png"), pixels("b.png"))
    pliant(*SAMPLE, "--seed", 3, "--psi", 1, "--out", "c.jpg")
    assert not np.array_equal(pixels("a.png"), pixels("c.jpg"))


def test_a_sheet_holds_the_pictures_of_consecutive_seeds(pliant):
    code, out, _ = pliant(*SAMPLE, "--seed", 4, "--grid", "3x2", "--out", "sheet.png", "--json")
    result = json.loads(out)
    assert (code, result["seeds"]) == (0, [4, 5, 6, 7, 8, 9])
    assert out.count("\n") == 1
    pliant(*SAMPLE, "--seed", 8, "--out", "one.png")
    sheet = pixels("sheet.png")
    rows = [
        top
        for top in range(sheet.shape[0] - 63)
        if np.array_equal(sheet[top : top + 64, 68:132], pixels("one.png"))
    ]
    assert len(rows) == 1  # in the second row, second column


def test_drag_writes_everything_and_ends_with_one_object(pliant, tmp_path):
    code, out, err = pliant(
        *DRAG, "--handle", "25.5,4", "--target=24,5.25", "--seed", 2, "--out", "a.png", "--video", "a.webp", "--marks",
        "--boomerang", "--project", "a.pliant", "--save-latent", "a.safetensors", "--json", "--max-steps", 4,
    )  # fmt: skip
    assert (code, err) == (0, "")
    result = json.loads(out.splitlines()[-1])
    assert result.keys() >= {
        "steps",
        "stopped",
        "handles",
        "targets",
        "distance",
        "seconds",
        "seconds_per_step",
        "device",
    }
    assert (result["steps"], result["stopped"], result["device"]) == (4, "max_steps", "cpu")
    assert result["targets"] == [[20, 16], [24, 5.25]]
    apart = np.linalg.norm(np.array(result["handles"]) - np.array(result["targets"]), axis=1)
    assert result["distance"] == pytest.approx(apart.mean(), abs=1e-4)
    assert result["seconds_per_step"] == pytest.approx(result["seconds"] / 4)
    facts = images.read_metadata("a.png")
    assert (facts["edit"], facts["steps"], facts["settings"]["max_steps"]) == ("drag", 4, 4)
    assert facts["inputs"]["handles"] == [[10, 10], [25.5, 4]]
    with Image.open("a.webp") as video:
        assert video.n_frames > 4
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.pliant",
        "a.png",
        "a.safetensors",
        "a.webp",
    ]


def test_drag_says_in_a_sentence_how_it_went(pliant):
    code, out, _ = pliant(
        *DRAG, "--target", "11,10", "--handle", "20,20", "--max-steps", 2, "--out", "a.png", "--quiet"
    )
    assert code == 0
    assert out.startswith("It used all its steps after 2 steps in ")
    assert out.endswith("px from the targets: a.png\n")
    _, out, _ = pliant(
        "drag", "--model", "tiny", "--handle", "5,5", "--target", "5,5", "--out", "a.png", "--quiet"
    )
    assert out.startswith("It arrived after 1 steps")


def test_the_first_step_is_the_sampled_picture(pliant):
    pliant(*SAMPLE, "--seed", 7, "--out", "a.png", "--save-latent", "a.safetensors")
    for source in (("--seed", 7), ("--latent", "a.safetensors")):
        assert pliant(*DRAG, *source, "--max-steps", 1, "--out", "b.png")[0] == 0
        assert np.abs(pixels("a.png") - pixels("b.png")).max() <= 1


def test_the_same_command_gives_the_same_picture(pliant):
    for name in ("a.png", "b.png"):
        pliant(*DRAG, "--max-steps", 5, "--step-size", 0.05, "--precision", "float32", "--out", name)
    assert np.array_equal(pixels("a.png"), pixels("b.png"))
    pliant(*SAMPLE, "--out", "start.png")
    assert not np.array_equal(pixels("a.png"), pixels("start.png"))


def test_a_locked_point_counts_as_there(pliant):
    _, out, _ = pliant(*DRAG, "--lock", "28,28", "--max-steps", 2, "--out", "a.png", "--json")
    result = json.loads(out)
    assert result["targets"][1] == [28, 28]
    moving = np.linalg.norm(np.array(result["handles"][0]) - [20, 16])
    assert result["distance"] == pytest.approx(moving / 2, abs=1e-4)


def test_white_in_the_mask_may_change(pliant):
    mask = Image.new("RGBA", (64, 64), (255, 255, 255, 0))  # transparent is not painted: must stay
    mask.paste((255, 255, 255, 255), (0, 0, 64, 20))
    mask.save("mask.png")
    code, _, _ = pliant(
        *DRAG, "--mask", "mask.png", "--max-steps", 2, "--out", "a.png", "--project", "a.pliant"
    )
    assert code == 0
    kept = Project.open("a.pliant").inputs()["mask"]
    assert kept[:20].min() == 1
    assert kept[20:].max() == 0


def test_a_project_goes_on_where_it_was(pliant):
    pliant(*DRAG, "--max-steps", 5, "--step-size", 0.05, "--project", "a.pliant", "--out", "a.png")
    go_on = (
        "drag",
        "--picture",
        "a.pliant",
        "--handle",
        "10,10",
        "--target",
        "20,16",
        "--out",
        "b.png",
        "--device",
        "cpu",
    )
    assert pliant(*go_on, "--max-steps", 1, "--project", "a.pliant")[0] == 0
    assert np.abs(pixels("a.png") - pixels("b.png")).max() <= 1
    project = Project.open("a.pliant")
    base, first, second = project.nodes.values()
    assert (base.edit, first.parent, second.parent) == (None, base.id, first.id)
    assert (first.steps, second.steps) == (5, 1)
    assert first.settings["step_size"] == 0.05
    assert project.numbers(first.id)["handles"].shape == (5, 1, 2)
    pliant(*DRAG, "--seed", 9, "--max-steps", 1, "--project", "a.pliant", "--out", "b.png")
    assert len(Project.open("a.pliant").children(None)) == 2


BAD = [
    (["--out", "a.webp", "--video", "./a.webp"], "Two of the files to write have the same name"),
    (["--out", "a.tiff"], "should end in .png, .jpg or .webp"),
    (["--out", "no/a.png"], "There is no folder 'no'"),
    (["--out", "a.png", "--video", "a.avi"], "should end in .mp4, .webm, .gif or .webp"),
    (["--out", "a.png", "--project", "no/a.pliant"], "There is no folder 'no'"),
    (["--out", "a.png", "--handle", "1,1"], "There are 2 --handle but 1 --target"),
    (
        ["--out", "a.png", "--handle", "70,1", "--target", "3,3"],
        "Point 2 of the handles, (70, 1), lies outside",
    ),
    (["--out", "a.png", "--handle", "-3,1", "--target", "3,3"], "(-3, 1), lies outside"),
    (["--out", "a.png", "--handle", "nan,1", "--target", "3,3"], "is not a finite number"),
    (["--out", "a.png", "--handle", "10.2,10", "--target", "3,3"], "are on top of each other"),
    (["--out", "a.png", "--step-size", "-1"], "step_size must be greater than 0"),
    (["--out", "a.png", "--step-size", "inf"], "'step_size' cannot be inf"),
    (["--out", "a.png", "--mask", "no.png"], "There is no file 'no.png'"),
    (["--out", "a.png", "--mask", "text.txt"], "is not an image"),
    (["--out", "a.png", "--mask", "small.png"], "The mask is 8x8 but the picture is 64x64"),
    (["--out", "a.png", "--mask", "black.png"], "so nothing may change"),
    (["--out", "a.png", "--model", "nobody"], "There is no model 'nobody'"),
    (["--out", "a.png", "--model", "text.txt"], "no checkpoint"),
    (["--out", "a.png", "--seed", "-1"], "A seed is a whole number"),
    (
        ["--out", "a.png", "--seed", "1", "--picture", "x.pliant"],
        "Give only one of --seed, --picture and --latent",
    ),
    (["--out", "a.png", "--picture", "x.pliant"], "There is no project file"),
    (["--out", "a.png", "--picture", "text.txt"], "is not a Pliant project"),
    (["--out", "a.png", "--project", "text.txt"], "is not a Pliant project"),
    (["--out", "a.png", "--latent", "text.txt"], "is not a latent file"),
    (["--out", "a.png", "--video", "a.gif", "--fps", "0"], "1 to 120 frames a second"),
]


@pytest.mark.parametrize(("given", "sentence"), BAD)
def test_bad_input_gets_one_sentence_and_writes_nothing(pliant, tmp_path, given, sentence):
    (tmp_path / "text.txt").write_text("hello")
    Image.new("L", (8, 8), 255).save("small.png")
    Image.new("L", (64, 64), 0).save("black.png")
    before = set(tmp_path.iterdir())
    code, out, err = pliant(*DRAG, *given, "--max-steps", 2)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.startswith("pliant: ")
    assert err.count("\n") == 1
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "given",
    [["--handle", "12"], ["--handle", "1,2,3"], ["--handle", "a,b"], ["--space", "v"], ["--step-size", "fast"], ["--nonsense"],
     ["--device", "tpu"]],
)  # fmt: skip
def test_options_that_cannot_be_read_are_explained(pliant, given):
    code, out, err = pliant(*DRAG, "--out", "a.png", *given)
    assert (code, out) == (2, "")
    assert given[-1] in err or given[0] in err


def test_no_points_and_no_out(pliant):
    assert "There are no handles" in pliant("drag", "--model", "tiny", "--out", "a.png")[2]
    code, _, err = pliant(*DRAG)
    assert code == 2
    assert "--out" in err


def test_a_picture_of_another_project_is_not_overwritten(pliant, tmp_path):
    pliant(*DRAG, "--max-steps", 1, "--project", "a.pliant", "--out", "a.png")
    pliant(*DRAG, "--max-steps", 1, "--project", "b.pliant", "--out", "a.png")
    before = (tmp_path / "b.pliant").read_bytes()
    go_on = (
        "drag",
        "--picture",
        "a.pliant",
        "--handle",
        "10,10",
        "--target",
        "20,16",
        "--out",
        "c.png",
        "--max-steps",
        1,
    )
    code, _, err = pliant(*go_on, "--project", "b.pliant")
    assert code == 2
    assert "holds another project" in err
    assert (tmp_path / "b.pliant").read_bytes() == before
    assert pliant(*go_on, "--project", "c.pliant")[0] == 0


def test_a_device_that_is_not_there(pliant):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    assert "This machine has no cuda device" in pliant("sample", "--out", "a.png", "--device", "cuda")[2]


def test_ctrl_c_keeps_what_was_done(pliant, monkeypatch):
    show = Progress.show

    def interrupting(self, done, *rest, **more):
        show(self, done, *rest, **more)
        if done == 3 and self.title == "drag":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "show", interrupting)
    handler = signal.getsignal(signal.SIGINT)
    code, out, _ = pliant(
        *DRAG, *NEVER, "--out", "a.png", "--video", "a.gif", "--project", "a.pliant", "--json"
    )
    result = json.loads(out)
    assert (code, result["stopped"], result["steps"]) == (130, "interrupted", 3)
    assert pixels("a.png").shape == (64, 64, 3)
    with Image.open("a.gif"):
        pass
    assert next(iter(Project.open("a.pliant").children(None))).edit is None
    assert [node.steps for node in Project.open("a.pliant").nodes.values()] == [1, 3]
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_before_the_first_step_says_that_nothing_was_written(pliant, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pliant.gan.latent.load_generator", interrupted)
    code, out, err = pliant(*DRAG, "--out", "a.png")
    assert (code, out, err) == (130, "", "pliant: interrupted; what was finished is kept.\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_real_process_stops_and_keeps(tmp_path, sign):
    command = [sys.executable, "-m", "pliant.cli", *DRAG, *NEVER, "--out", "a.png", "--video", "a.gif"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        line = process.stderr.readline()
        while line and not line.startswith("drag: "):
            line = process.stderr.readline()
        assert "at most" in line or line.startswith("drag: 1/1,000,000")
        process.send_signal(sign)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "It was interrupted after" in out
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "a.gif"}


def test_models_convert_and_inspect(pliant, home, tmp_path):
    from paths import FIXTURES

    code, out, _ = pliant("convert", FIXTURES / "nvidia-64.pkl", home / "models" / "mine", "--json")
    assert (code, json.loads(out)["source"]) == (0, "nvidia-pickle")
    assert {"tiny", "mine"} <= {
        model["name"] for model in json.loads(pliant("models", "--json")[1])["models"]
    }
    assert "mine " in pliant("models")[1]
    code, out, _ = pliant("inspect", home / "models" / "mine", "--json")
    assert json.loads(out)["resolution"] == 64
    assert "resolution:        64" in pliant("inspect", home / "models" / "mine")[1]
    assert pliant("sample", "--model", "mine", "--out", "a.png")[0] == 0
    assert json.loads(pliant("inspect", "a.png", "--json")[1])["picture"]["model"] == "mine"


def test_inspect_reads_projects_and_says_what_it_cannot_read(pliant, tmp_path):
    pliant(*DRAG, "--max-steps", 3, "--project", "a.pliant", "--out", "a.png")
    facts = json.loads(pliant("inspect", "a.pliant", "--json")[1])
    assert (facts["pictures"], facts["edits"], facts["steps"]) == (1, 1, 3)
    (tmp_path / "text.txt").write_text("hello")
    for name in ("text.txt", "nothing.pkl", "nothing.pliant", "nothing.png"):
        code, out, err = pliant("inspect", name)
        assert (code, out) == (2, "")
        assert err.startswith("pliant: ")
    code, _, err = pliant("convert", "text.txt", "folder")
    assert code == 2
    assert "no checkpoint" in err


def test_bench_runs_scripts_of_the_checkout(pliant, tmp_path, monkeypatch):
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    monkeypatch.setattr("pliant.cli.bench.FOLDER", folder)
    code, _, err = pliant("bench", "toy")
    assert (code, "part of the source repository" in err) == (2, True)
    (folder / "helper.py").write_text("ANSWER = 42\n")
    (folder / "toy.py").write_text("import helper\ndef main(argv):\n    print(helper.ANSWER, argv)\n")
    assert pliant("bench", "toy", "--quick", "--json") == (0, "42 ['--quick', '--json']\n", "")
    assert "toy" in pliant("bench", "--help")[1]
    code, _, err = pliant("bench", "other")
    assert (code, "there are: toy" in err) == (2, True)
    assert str(folder) not in sys.path
    del sys.modules["helper"], sys.modules["toy"]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried"),
        RuntimeError("Allocator: can't allocate memory: x"),
    ],
)
def test_running_out_of_memory_is_said_in_a_sentence(pliant, monkeypatch, error):
    def hungry(*_, **__):
        raise error

    monkeypatch.setattr("pliant.gan.latent.load_generator", hungry)
    code, _, err = pliant(*SAMPLE, "--out", "a.png")
    assert (code, err) == (
        1,
        "pliant: there is not enough memory for this; try a smaller model or fewer points.\n",
    )


def test_a_fault_of_ours_is_not_hidden(pliant, monkeypatch):
    def faulty(*_, **__):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr("pliant.gan.latent.load_generator", faulty)
    with pytest.raises(RuntimeError, match="shapes differ"):
        pliant(*SAMPLE, "--out", "a.png")


def test_train_gan_makes_a_model_and_stops_on_ctrl_c(pliant, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    for index in range(8):
        noise = np.random.default_rng(index).integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "data" / f"{index}.png")
    monkeypatch.setattr(Progress, "show", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    small = (
        "--resolution",
        16,
        "--channel-base",
        128,
        "--channel-max",
        8,
        "--latent",
        8,
        "--mapping-layers",
        1,
    )
    code, out, _ = pliant(
        "train", "gan", "--data", "data", "--out", "run", *small, "--grow-from", 16, "--batch", 4, "--report-every", 1,
        "--device", "cpu", "--json",
    )  # fmt: skip
    assert (code, json.loads(out)["stopped"], json.loads(out)["images"]) == (130, "interrupted", 4)
    assert pliant("sample", "--model", "./run/model", "--out", "a.png")[0] == 0
    assert pixels("a.png").shape == (16, 16, 3)
    code, _, err = pliant("train", "gan", "--data", "nothing", "--out", "run2")
    assert (code, "nothing does not exist" in err) == (2, True)
    assert pliant("train", "gan", "--data", "data", "--resolution", 17)[0] == 2


def test_a_reader_that_has_seen_enough_is_no_error():
    command = f"{sys.executable} -m pliant.cli drag --help | head -1"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("usage: pliant drag")
    assert run.stderr == ""
