"""Measure text-image models on what they were not trained on, against chance, and write their cards.

    PYTHONPATH=src python recipes/words/evaluate.py --data DATA --models runs/words-small-0 runs/words-small-1

Things whose names have a held-out word (`captions.is_held_out`), one portrait of twenty and one avatar of ten were in no
training picture, and those words in no caption. Each row of the table is a choice among sentences that differ in nothing else.
`reached` is not a choice: a square that begins grey follows the gradient to "a red picture" and so on, and is asked which
colour it has. Writes report.json and README.md into each folder. With `--foreign` other models of `load_words` are measured
too, printed only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from captions import COLOURS, COUNTS, EFFECT_WORDS, PLACES, Layer, Plan, Writer, is_held_out
from compose import Composer, Library, read_library, vary
from sources import LOOKS

from pliant.perception.clip import PLAIN, TextImageModel, load_words

CARD = """# {name}

Texts and pictures as vectors of {dimensions} numbers that are alike where the text says what the picture shows. {parameters:,}
parameters, fp16, pictures of {side} pixels. Read it with `pliant.perception.clip.load_words()`.

- Made by `recipes/words`: {steps:,} steps of {batch:,} pictures and {texts:,} other texts in {seconds:.0f} s on {device},
  seed {seed}.
- Data: {pictures:,} pictures with words: Fluent 3D emoji (MIT), Open Clip Art (public domain), rendered portraits (CC0,
  nobody real){avatars};
  alone, in pairs and in numbers, dyed, in {effects} kinds of light and material. Definitions of WordNet 3.0. No photographs.
- Teachers: EfficientNet-Lite0 (Apache-2.0; the image side began at it), all-MiniLM-L6-v2 (Apache-2.0; taught the text side).
- Licence: Apache-2.0.

On things whose names were in no caption, and on people whose pictures it was not trained on:

| choice | pictures | sentences | right | chance | among five | chance |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

A grey square that follows its gradient to the words of a colour reaches it in {flat} of {wanted} cases where it is one pixel,
in {square} of {wanted} where it is 8 x 8 (chance: one).

Limits: it has seen drawings, renders and compositions of them, no photographs but through Lite0, and knows words that no
caption had only by their neighbours in the sentence encoder; `unknown_words` lists them. Names of people mean nothing to it.
Its values compare only with its own. It is far weaker than CLIP: where the result matters, give `load_words` a CLIP model.
"""


AVATARS = ", DiceBear's avatars in five styles (CC0)"
"""What the card adds where avatars were among the pictures."""
FEW = 6
"""People that must have a value for it to be asked for."""


class Choices:
    """Pictures, and the sentences among which each has to find its own.

    Args:
        model: what is measured.
        composer: what draws.
    """

    def __init__(self, model: TextImageModel, composer: Composer) -> None:
        self.model, self.composer = model, composer

    @torch.no_grad()
    def rate(
        self, plans: Sequence[Plan], sentences: Sequence[Sequence[str]], right: Sequence[int]
    ) -> dict[str, float]:
        """Share of pictures whose right sentence is first, and among the first five.

        Args:
            plans: N pictures.
            sentences: [N, K], or [1, K] for all pictures.
            right: [N] which of the K.
        """
        images = torch.cat([
            self.model.encode_images(self.composer.draw(plans[k : k + 64])) for k in range(0, len(plans), 64)
        ])  # fmt: skip
        flat = [sentence for row in sentences for sentence in row]
        texts = self.model.encode_text(flat, PLAIN).unflatten(0, (len(sentences), -1))
        cosines = (images[:, None] * texts).sum(2)
        answer = torch.tensor(right, device=cosines.device)
        better = (cosines > cosines.gather(1, answer[:, None])).sum(1)
        choices = cosines.shape[1]
        return {
            "pictures": len(plans),
            "sentences": choices,
            "first": float((better < 1).float().mean()),
            "chance": 1 / choices,
            "five": float((better < 5).float().mean()),
            "chance_five": min(1.0, 5 / choices),
        }


def evaluate(
    model: TextImageModel, library: Library, most: int, seed: int = 0
) -> dict[str, dict[str, float]]:
    """All rows of the table; `most` pictures of each at most."""
    random = Random(seed)  # noqa: S311 - no secrets
    held = [number for number, item in enumerate(library.items) if is_held_out(item)]
    writer = Writer(library.items, held, random)
    random.shuffle(writer.things)
    things = writer.things[:most]
    choices = Choices(model, Composer(library, model.input_size, seed))

    def name(number: int) -> str:
        return library.items[number].names[0]

    def alone(number: int, colour: str = "", effect: str = "") -> Plan:
        return Plan("", (Layer(number, 0.0, 0.0, 0.9, 0.0, colour),), ("white", "white"), effect)

    rows: dict[str, dict[str, float]] = {}
    names = sorted({name(number) for number in things})
    rows["which thing (its word in no caption)"] = choices.rate(
        [alone(number) for number in things],
        [[f"a {each}" for each in names]],
        [names.index(name(number)) for number in things],
    )
    colours, effects, counts = list(COLOURS), list(EFFECT_WORDS), list(COUNTS)
    pick = [random.randrange(len(colours)) for _ in things]
    rows["colour of a thing"] = choices.rate(
        [alone(number, colours[k]) for number, k in zip(things, pick, strict=True)],
        [[f"a {colour} {name(number)}" for colour in colours] for number in things],
        pick,
    )
    pick = [random.randrange(len(effects)) for _ in things]
    rows["light, material or style"] = choices.rate(
        [alone(number, effect=effects[k]) for number, k in zip(things, pick, strict=True)],
        [[EFFECT_WORDS[effect][0].format(name(number)) for effect in effects] for number in things],
        pick,
    )
    plans = [writer.counted(number) for number in things]
    rows["how many"] = choices.rate(
        plans,
        [[f"{COUNTS[count]} {name(number)}s" for count in counts] for number in things],
        [counts.index(int(plan.facts["count"])) for plan in plans],
    )
    others = random.sample(things, len(things))
    plans = [writer.scene(one, two) for one, two in zip(things, others, strict=True)]
    rows["where"] = choices.rate(
        plans,
        [
            [PLACES[place].format(f"a {name(one)}", f"a {name(two)}") for place in PLACES]
            for one, two in zip(things, others, strict=True)
        ],
        [list(PLACES).index(plan.facts["place"]) for plan in plans],
    )
    for kind, article in (("portrait", "a"), ("avatar", "an")):
        people = [number for number in writer.people if library.items[number].kind == kind]
        rows |= people_rows(choices, library, people[:most], f"{article} {kind}")
    return rows


def people_rows(
    choices: Choices, library: Library, people: Sequence[int], kind: str
) -> dict[str, dict[str, float]]:
    """Choices of one attribute of people, as many pictures of each value; values that few have are left out."""
    rows: dict[str, dict[str, float]] = {}
    for attribute in ("gender", "hair", "length", "glasses", "beard", "hat", "smile"):
        having: dict[str, list[int]] = {}
        for number in people:
            having.setdefault(library.items[number].facts.get(attribute, "none"), []).append(number)
        enough = min(FEW, max((len(numbers) for numbers in having.values()), default=0))
        values = sorted(
            value for value, numbers in having.items() if value != "none" and len(numbers) >= enough
        )
        if len(values) < 2:
            continue
        each = min(len(having[value]) for value in values)
        looks = f"a person {LOOKS[attribute]}" if attribute in LOOKS else "a {}"
        chosen = [(number, k) for k, value in enumerate(values) for number in having[value][:each]]
        rows[f"{attribute} of {kind}"] = choices.rate(
            [Plan("", (Layer(number, 0.0, 0.0, 1.0),)) for number, _ in chosen],
            [[f"a portrait of {looks.format(value)}" for value in values]],
            [k for _, k in chosen],
        )
    return rows


def reached(model: TextImageModel, pixels: int, steps: int = 60, views: int = 4) -> dict[str, str]:
    """Which colour a square of so many pixels a side takes that begins grey and follows the gradient to each colour's words."""
    found: dict[str, str] = {}
    palette = torch.tensor(list(COLOURS.values()), device=model.device) * 2 - 1
    start = torch.zeros(1, 3, pixels, pixels, device=model.device)
    for colour in COLOURS:
        words = model.encode_text([f"a {colour} picture", "a picture"], PLAIN)
        square, random = start.clone().requires_grad_(), torch.Generator().manual_seed(0)
        adam = torch.optim.Adam([square], lr=0.05)
        for _ in range(steps):
            large = torch.nn.functional.interpolate(square, (model.input_size,) * 2, mode="bilinear")
            seen = model.encode_images(vary(large.expand(views, -1, -1, -1), random))
            loss = -(seen @ (words[0] - words[1])).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            square.data.clamp_(-1, 1)
        mean = square.detach().mean((0, 2, 3))
        found[colour] = list(COLOURS)[int((palette - mean).square().sum(1).argmin())]
    return found


def hits(colours: dict[str, str]) -> int:
    """How many are what was wanted."""
    return sum(wanted == got for wanted, got in colours.items())


def table(rows: dict[str, dict[str, float]]) -> str:
    """Rows in Markdown."""
    return "\n".join(
        f"| {name} | {row['pictures']} | {row['sentences']} | {100 * row['first']:.1f} % | {100 * row['chance']:.1f} % "
        f"| {100 * row['five']:.1f} % | {100 * row['chance_five']:.0f} % |"
        for name, row in rows.items()
    )


def write_card(
    folder: Path,
    model: TextImageModel,
    report: dict[str, dict[str, float]],
    colours: dict[int, dict[str, str]],
) -> None:
    """README.md and report.json beside the weights."""
    training = json.loads((folder / "training.json").read_text())
    net = model.net  # type: ignore[attr-defined]
    text = CARD.format(
        name="words-small",
        dimensions=net.config.dimensions,
        parameters=sum(parameter.numel() for parameter in net.parameters()),
        side=model.input_size,
        effects=len(EFFECT_WORDS),
        rows=table(report),
        flat=hits(colours[1]),
        square=hits(colours[8]),
        wanted=len(COLOURS),
        avatars=AVATARS if any(row.endswith("an avatar") for row in report) else "",
        **{name: value for name, value in training.items() if name != "log"},
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    (folder / "report.json").write_text(json.dumps({"choices": report, "reached": colours}, indent=1) + "\n")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="an unpacked pack")
    parser.add_argument("--models", type=Path, nargs="*", default=[], help="folders that train.py wrote")
    parser.add_argument("--foreign", nargs="*", default=[], help="other models of load_words")
    parser.add_argument("--most", type=int, default=400, help="pictures of a row")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Measure each, print its table, write its card."""
    args = parse(arguments)
    library = read_library(args.data, torch.device(args.device))
    for source in [*args.models, *args.foreign]:
        model = load_words(source, args.device)
        report = evaluate(model, library, args.most)
        colours = {pixels: reached(model, pixels) for pixels in (1, 8)}
        print(
            f"{source}\n{table(report)}\nreached: { ({k: hits(c) for k, c in colours.items()}) }", flush=True
        )
        if isinstance(source, Path):
            write_card(source, model, report, colours)


if __name__ == "__main__":
    main()
