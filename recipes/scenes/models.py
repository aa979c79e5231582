"""The networks of scenes-256, made as those of Stable Diffusion 1 are, only smaller, and kept as diffusers keeps them."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from planning import GROUNDS, PAINTS, SKIES
from safetensors.torch import load_file, save_file
from sprites import HUES, Thing
from tokenizers import pre_tokenizers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
from wording import counted, with_article

GRAMMAR = "a an and the of on in at under over above below left right to front behind next beside two three four photo picture"


@dataclass(frozen=True)
class Sizes:
    """How large the networks are."""

    vae: tuple[int, ...] = (32, 64, 128, 192)
    """Channels at 1, 1/2, 1/4 and 1/8 of the picture."""
    unet: tuple[int, ...] = (128, 160, 192, 192)
    """Channels at 1/8, 1/16, 1/32 and 1/64."""
    heads: tuple[int, ...] = (4, 5, 6, 6)
    layers: int = 1
    text: int = 256
    """Numbers of a token."""
    text_layers: int = 3
    text_heads: int = 4
    groups: int = 32
    side: int = 256
    """Of the pictures, in pixels."""


SIZES = {
    "scenes-256": Sizes(),
    "tiny": Sizes((8, 8, 16, 16), (16, 16, 32, 32), (1, 1, 2, 2), 1, 32, 1, 2, 8, 64),
}


def make_vae(sizes: Sizes) -> AutoencoderKL:
    """Pictures to latents of four channels at an eighth of their side, and back."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=sizes.vae,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=min(sizes.groups, 16),
        sample_size=sizes.side,
    )


def make_unet(sizes: Sizes) -> UNet2DConditionModel:
    """Noisy latents, their step and the words to the noise in them."""
    return UNet2DConditionModel(
        sample_size=sizes.side // 8,
        layers_per_block=sizes.layers,
        block_out_channels=sizes.unet,
        attention_head_dim=sizes.heads,
        cross_attention_dim=sizes.text,
        norm_num_groups=sizes.groups,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    )


def make_text(sizes: Sizes, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Tokens to what the UNet attends to."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=sizes.text,
        intermediate_size=4 * sizes.text,
        projection_dim=sizes.text,
        num_hidden_layers=sizes.text_layers,
        num_attention_heads=sizes.text_heads,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def make_scheduler() -> DDIMScheduler:
    """As Stable Diffusion 1 is trained and sampled."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="epsilon",
        timestep_spacing="leading",
    )


def words_of(things: Iterable[Thing]) -> list[str]:
    """All words that captions are made of."""
    texts = [GRAMMAR, *HUES, *PAINTS]
    texts += [words for each in (*GROUNDS.values(), *SKIES.values()) for words in each.words]
    for thing in things:
        texts += [with_article(thing.name), counted(thing.name, 2)]
    found = re.findall(r"[^\W\d_]+|\d", " ".join(texts).lower())
    return list(dict.fromkeys(found))


def make_tokenizer(things: Iterable[Thing]) -> CLIPTokenizer:
    """CLIP's tokenizer over an own vocabulary: each word of captions is one token, others are spelt in parts or bytes."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = _merges(words_of(things))
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    pieces = list(dict.fromkeys([*pieces, "<|startoftext|>", "<|endoftext|>"]))
    vocab = {piece: number for number, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=77)


def _merges(words: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs to join, the most frequent first, until each word is one piece (byte pair encoding)."""
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    split = [list(level.pre_tokenize_str(word)[0][0]) for word in words]
    split = [[*letters[:-1], f"{letters[-1]}</w>"] for letters in split]
    counts = Counter(pair for pieces in split for pair in pairwise(pieces))
    holders = defaultdict[tuple[str, str], set[int]](set)
    for number, pieces in enumerate(split):
        for pair in pairwise(pieces):
            holders[pair].add(number)
    merges: list[tuple[str, str]] = []
    while counts:
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        for number in holders.pop(best):
            pieces = split[number]
            counts.subtract(pairwise(pieces))
            for place in range(len(pieces) - 2, -1, -1):
                if (pieces[place], *pieces[place + 1 : place + 2]) == best:
                    pieces[place : place + 2] = ["".join(best)]
            counts.update(pairwise(pieces))
            for pair in pairwise(pieces):
                holders[pair].add(number)
        counts = +counts
    return merges


def save_tokenizer(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """As today's transformers read it, and as older ones do."""
    tokenizer.save_pretrained(folder)
    stored = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(stored["vocab"], ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in stored["merges"])]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def save_pipeline(
    folder: Path,
    *,
    vae: AutoencoderKL,
    unet: UNet2DConditionModel,
    text: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    dtype: torch.dtype = torch.float16,
) -> None:
    """A folder that `StableDiffusionPipeline.from_pretrained` takes, without a safety checker."""
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to("cpu", dtype).save_pretrained(folder)
    save_tokenizer(tokenizer, folder / "tokenizer")
    _name_as_stable_diffusion(folder / "text_encoder" / "model.safetensors")


def _name_as_stable_diffusion(path: Path) -> None:
    """Tensors of the text encoder begin with `text_model.` in all published models; transformers reads both since 5.0."""
    prefix = "text_model."
    tensors = {prefix + name.removeprefix(prefix): tensor for name, tensor in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})


def load_pipeline(folder: Path, device: torch.device | str = "cpu") -> StableDiffusionPipeline:
    """What `save_pipeline` kept, in float32."""
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, safety_checker=None
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def parameters(*networks: torch.nn.Module) -> int:
    """How many numbers are trained."""
    return sum(parameter.numel() for network in networks for parameter in network.parameters())
