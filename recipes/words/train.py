"""Train words-small, the text-image model that comes with Pliant.

    PYTHONPATH=src python recipes/words/train.py --data DATA --seed 0 --seconds 240 --out runs/words-small-0

DATA is an unpacked pack (`pack.py`). Every step draws new pictures from plans (`captions.py`, `compose.py`) and looks at them
as CLIPVG will (`vary`). What is minimised:

* contrast: among all captions of a batch a picture finds its own, and a caption its picture (CLIP, arXiv 2103.00020); captions
  that mean the same do not compete;
* text: the text side gives the vectors of the sentence encoder (MiniLM), on captions and on the definitions of WordNet, so that
  words beside those of the captions get their place;
* kept and told: with its own classifier the image side still says what EfficientNet-Lite0 said, and so it does by comparing
  with the names of the 1,000 classes, where Lite0 is sure.

The image side begins at Lite0, with normalisation frozen; its projection at the ridge regression from what Lite0 takes for the
middle of each class to the vector of the class's name.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import torch
from captions import Plan, Writer, is_held_out, seen_words
from compose import Composer, Library, read_library, vary
from safetensors.torch import load_file
from sources import Item
from teacher import Teacher
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset

from pliant.perception.words import WordsConfig, WordsNet, save_words_net

EQUAL = 0.93
"""Cosine of the sentence encoder from which the names in two captions are taken for one."""
SURE = 0.4
"""Probability from which Lite0's guess is told to the projection."""


class Batch(NamedTuple):
    """What one step learns from."""

    plans: list[Plan]
    numbers: Tensor
    """[B + T, L] word pieces of the captions, then of other texts."""
    present: Tensor
    """[B + T, L]."""


class Batches(IterableDataset[Batch]):
    """Endless batches; a worker each draws its own.

    Args:
        items: the library.
        net: only its tokeniser is used.
        texts: lines to teach the text side on.
        sizes: B and T.
        seed: of all choices.
    """

    def __init__(
        self, items: list[Item], net: WordsNet, texts: list[str], sizes: tuple[int, int], seed: int
    ) -> None:
        self.items, self.texts, self.sizes, self.seed = items, texts, sizes, seed
        self.pieces, self.longest = net.pieces, net.config.longest
        self.usable = [number for number, item in enumerate(items) if not is_held_out(item)]

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        random = Random(1000 * self.seed + (worker.id if worker else 0))  # noqa: S311 - no secrets
        writer = Writer(self.items, self.usable, random)
        while True:
            plans = [plan for _ in range(self.sizes[0] // 2) for plan in writer.pair()]
            lines = [plan.caption for plan in plans] + random.choices(self.texts, k=self.sizes[1])
            rows = [torch.tensor(self.pieces.encode(line, self.longest)) for line in lines]
            numbers = nn.utils.rnn.pad_sequence(rows, batch_first=True)
            lengths = torch.tensor([len(row) for row in rows])
            yield Batch(plans, numbers, torch.arange(numbers.shape[1]) < lengths[:, None])


def contrast(images: Tensor, texts: Tensor, scale: Tensor, alike: Tensor) -> Tensor:
    """Cross-entropy of pictures over captions and of captions over pictures.

    Args:
        images: [B, D] of length one.
        texts: [B, D] of length one.
        scale: of the cosines.
        alike: [B, B] bool, pairs that do not compete; the diagonal does not count.
    """
    logits = scale * images @ texts.T
    right = torch.eye(len(images), dtype=torch.bool, device=images.device)
    logits = logits.masked_fill(alike & ~right, -math.inf)
    answer = torch.arange(len(images), device=images.device)
    return (functional.cross_entropy(logits, answer) + functional.cross_entropy(logits.T, answer)) / 2


def mean_the_same(plans: list[Plan], vectors: Tensor) -> Tensor:
    """[B, B] bool: captions of one meaning and like names; of nothing but colours, the meaning is enough.

    Args:
        plans: B of them.
        vectors: [B, D] the teacher's, of length one.
    """
    numbers: dict[tuple[str, ...], int] = {}
    codes = torch.tensor([numbers.setdefault(plan.meaning, len(numbers)) for plan in plans]).to(
        vectors.device
    )
    flat = torch.tensor([not plan.layers for plan in plans]).to(vectors.device)
    return (codes[:, None] == codes) & ((vectors @ vectors.T > EQUAL) | (flat[:, None] & flat))


def text_loss(ours: Tensor, theirs: Tensor) -> Tensor:
    """How far vectors [N, D] of length one are from the teacher's, and their cosines from its cosines."""
    apart = (1 - (ours * theirs).sum(1)).mean()
    return apart + 4 * (ours @ ours.T - theirs @ theirs.T).square().mean()


def kept_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Divergence of the classifier on our features from Lite0's logits, both [B, 1000]."""
    return functional.kl_div(
        logits.log_softmax(1), wanted.log_softmax(1), log_target=True, reduction="batchmean"
    )


def told_loss(named: Tensor, wanted: Tensor) -> Tensor:
    """Divergence of comparing with the classes' names from Lite0's logits, both [B, 1000], where Lite0 is sure."""
    guess = wanted.log_softmax(1)
    told = functional.kl_div(named.log_softmax(1), guess, log_target=True, reduction="none").sum(1)
    sure = (guess.exp().amax(1) > SURE).float()
    return (told * sure).sum() / sure.sum().clamp_min(1)


@torch.no_grad()
def class_projection(
    features: Tensor, classifier: Tensor, names: Tensor, ridge: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Weight and bias that take the middles of classes to the vectors of their names.

    A linear classifier of classes with one covariance C has the weights C^-1 (m - mean), so a class's middle m is the mean
    plus C times its weights.

    Args:
        features: [N, F] of any pictures.
        classifier: [K, F] weights.
        names: [K, D].
        ridge: share of the mean variance of the middles.
    """
    mean = features.mean(0)
    middles = classifier @ torch.cov((features - mean).T)
    middles = middles - middles.mean(0)
    inner = middles.T @ middles
    inner.diagonal().add_(ridge * inner.diagonal().mean())
    weight = torch.linalg.solve(inner, middles.T @ (names - names.mean(0))).T
    return weight, names.mean(0) - weight @ mean


class Training:
    """The model, its teachers, and one step.

    Args:
        data: an unpacked pack.
        library: its pictures.
        args: the command line.
    """

    def __init__(self, data: Path, library: Library, args: argparse.Namespace) -> None:
        self.args, self.device = args, library.pictures.device
        self.half = self.device.type == "cuda"
        torch.manual_seed(args.seed)
        self.teacher = Teacher(data, self.device)
        usable = [number for number, item in enumerate(library.items) if not is_held_out(item)]
        pieces, width = self.teacher.table.shape
        config = WordsConfig(args.side, width, min(WordsConfig.piece_width, width, pieces))
        net = WordsNet(config, self.teacher.pieces.pieces, seen_words(library.items, usable))
        stored = load_file(data / "lite0.safetensors")
        self.classifier, self.bias = (
            stored.pop(f"classifier.{name}").float().to(self.device) for name in ("weight", "bias")
        )
        net.image.load_state_dict(stored)
        self.lite0 = copy.deepcopy(net.image).eval().requires_grad_(requires_grad=False)
        self.lite0.to(self.device, memory_format=torch.channels_last)
        self.net = net.to(self.device, memory_format=torch.channels_last).eval()
        self.composer = Composer(library, args.side, args.seed)
        self.random = torch.Generator().manual_seed(args.seed)
        texts = (data / "texts.txt").read_text().splitlines()
        batches = Batches(library.items, net, texts, (args.batch, args.texts), args.seed)
        self.batches = iter(DataLoader(batches, batch_size=None, num_workers=args.workers))
        classes = (data / "classes.txt").read_text().splitlines()
        numbers, present = net.numbers_of([f"a photo of a {name}" for name in classes])
        self.named = self.teacher(numbers.to(self.device), present.to(self.device))
        self._begin_near_the_teachers()
        self.average = copy.deepcopy(self.net)
        self.adam = self._optimiser()
        self.steps = 0

    @torch.no_grad()
    def _begin_near_the_teachers(self) -> None:
        net, table = self.net, self.teacher.table
        left, sizes, _ = torch.linalg.svd(table - table.mean(0), full_matrices=False)
        width = net.config.piece_width
        begun = left[:, :width] * sizes[:width]
        net.text.pieces.weight.copy_(begun / begun.square().mean().sqrt())
        rows = math.ceil(self.args.begin / self.args.batch)
        features = [self.lite0(self._pictures(next(self.batches).plans)).float() for _ in range(rows)]
        weight, bias = class_projection(torch.cat(features), self.classifier, self.named)
        net.project.weight.copy_(weight)
        net.project.bias.copy_(bias)

    def _optimiser(self) -> torch.optim.Optimizer:
        image = [*self.net.image.parameters()]
        known = {id(parameter) for parameter in image}
        rest = [parameter for parameter in self.net.parameters() if id(parameter) not in known]
        rates = ((image, self.args.image_rate), (rest, self.args.rate))
        groups = [
            {
                "params": [p for p in parameters if (p.ndim > 1) == decayed],
                "rate": rate,
                "weight_decay": decay,
            }
            for parameters, rate in rates
            for decayed, decay in ((True, 0.02), (False, 0.0))
        ]
        return torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.98), fused=self.half)

    @torch.no_grad()
    def _pictures(self, plans: list[Plan]) -> Tensor:
        drawn = vary(self.composer.draw(plans), self.random)
        return drawn.contiguous(memory_format=torch.channels_last)

    def step(self, share: float) -> dict[str, Tensor]:
        """One update; `share` of the training is done. Gives the losses."""
        warm = min(1.0, (self.steps + 1) / 100)
        for group in self.adam.param_groups:
            group["lr"] = group["rate"] * warm * max(0.5 + 0.5 * math.cos(math.pi * share), 1e-3)
        batch = next(self.batches)
        losses = self._losses(batch)
        weights = {"contrast": 1.0, "text": self.args.text, "kept": self.args.kept, "told": self.args.told}
        loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.adam.step()
        with torch.no_grad():
            self.net.log_scale.clamp_(math.log(5), math.log(100))
            blend = get_ema_multi_avg_fn(1 - max(0.001, 10 / (10 + self.steps)))
            blend(list(self.average.parameters()), list(self.net.parameters()), None)
        self.steps += 1
        return {name: value.detach() for name, value in losses.items()}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        net, count = self.net, len(batch.plans)
        numbers, present = batch.numbers.to(self.device), batch.present.to(self.device)
        pictures = self._pictures(batch.plans)
        theirs = self.teacher(numbers, present)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            with torch.no_grad():
                wanted = functional.linear(self.lite0(pictures), self.classifier, self.bias)
            features = net.image(pictures)
            images = net.project(features)
            logits = functional.linear(features, self.classifier, self.bias)
            texts = net.text(numbers, present)
        images, texts = (functional.normalize(x.float(), dim=1) for x in (images, texts))
        scale = net.log_scale.exp()
        alike = mean_the_same(batch.plans, theirs[:count])
        # The sentence encoder hardly tells "a dog left of a cat" from "a cat left of a dog": there it is no teacher.
        taught = torch.tensor([len(plan.layers) != 2 for plan in batch.plans] + [True] * (len(texts) - count))
        taught = taught.to(self.device)
        return {
            "contrast": contrast(images, texts[:count], scale, alike),
            "text": text_loss(texts[taught], theirs[taught]),
            "kept": kept_loss(logits.float(), wanted.float()),
            "told": told_loss(scale * images @ self.named.T, wanted.float()),
        }

    def run(self) -> tuple[float, list[dict[str, float]]]:
        """Train until the time or the steps are used up: seconds, and what was reported on the way."""
        args, log = self.args, list[dict[str, float]]()
        began = time.perf_counter()
        while True:
            seconds = time.perf_counter() - began
            share = self.steps / args.steps if args.steps else seconds / args.seconds
            if share >= 1:
                return seconds, log
            losses = self.step(share)
            if self.steps % args.report_every == 0:
                line = {"step": self.steps, "seconds": round(seconds, 1)}
                line |= {name: round(float(value), 4) for name, value in losses.items()}
                line["scale"] = round(float(self.net.log_scale.detach().exp()), 1)
                log.append(line)
                print(json.dumps(line), flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="an unpacked pack")
    parser.add_argument("--out", type=Path, default=Path("runs/words-small"))
    parser.add_argument("--seconds", type=float, default=240, help="of training")
    parser.add_argument("--steps", type=int, default=0, help="instead of seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=160, help="of the pictures, a multiple of 32")
    parser.add_argument("--batch", type=int, default=1024, help="pictures of a step, even")
    parser.add_argument("--texts", type=int, default=2048, help="other texts of a step")
    parser.add_argument("--begin", type=int, default=4096, help="pictures that the projection begins from")
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate of texts and projection")
    parser.add_argument("--image-rate", type=float, default=5e-4, help="learning rate of the image side")
    parser.add_argument("--text", type=float, default=4.0, help="weight of the text loss")
    parser.add_argument("--kept", type=float, default=0.2, help="weight of what Lite0's classifier says")
    parser.add_argument("--told", type=float, default=0.1, help="weight of what the classes' names say")
    parser.add_argument("--workers", type=int, default=0, help="processes that write captions")
    parser.add_argument("--report-every", type=int, default=100, help="steps")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args(arguments)


def main() -> None:
    """Read, train, write the averaged model."""
    args = parse()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    library = read_library(args.data, torch.device(args.device))
    training = Training(args.data, library, args)
    seconds, log = training.run()
    save_words_net(training.average, args.out)
    device = torch.cuda.get_device_name() if training.half else "a CPU"
    facts = {"steps": training.steps, "batch": args.batch, "texts": args.texts, "seed": args.seed}
    facts |= {"seconds": round(seconds, 1), "device": device, "pictures": len(library.items)}
    (args.out / "training.json").write_text(json.dumps(facts | {"log": log}, indent=1) + "\n")
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
