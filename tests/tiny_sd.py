"""Tiny random models of the Stable Diffusion family with all their four levels, kept as diffusers keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    LCMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from tokenizers import pre_tokenizers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTH = 32
NOISE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "timestep_spacing": "leading",
}


def save_tiny(folder: Path, kind: str = "sd1", seed: int = 0) -> Path:
    """A pipeline of 64 x 64 pixels.

    Args:
        folder: where to.
        kind: "sd1" (noise), "sd2" (velocity), "lcm" (few steps, guidance embedded), "sdxl" (two encoders, three
            levels) or "flat" (two levels: too few for edits).
        seed: of its weights.
    """
    torch.manual_seed(seed)
    scheduler = _scheduler(kind)
    parts = {"vae": _vae(), "unet": _unet(kind), "tokenizer": _tokenizer(), "scheduler": scheduler}
    if kind == "sdxl":
        pipeline = StableDiffusionXLPipeline(
            **parts,
            text_encoder=CLIPTextModel(_text()),
            text_encoder_2=CLIPTextModelWithProjection(_text()),
            tokenizer_2=_tokenizer(),
            force_zeros_for_empty_prompt=True,
            add_watermarker=False,
        )
    else:
        pipeline = StableDiffusionPipeline(
            **parts,
            text_encoder=CLIPTextModel(_text()),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(folder)
    return folder


def _scheduler(kind: str):
    if kind == "lcm":
        return LCMScheduler(**NOISE)
    tells = "v_prediction" if kind == "sd2" else "epsilon"
    return DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False, prediction_type=tells)


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
    )


def _unet(kind: str) -> UNet2DConditionModel:
    down, up = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",), ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3
    channels = (16, 16, 32, 32)
    more = {}
    if kind == "flat":
        down, up, channels = down[2:], up[:2], channels[:2]
    if kind == "sdxl":
        down, up = ("DownBlock2D", *down[:2]), (*up[1:3], "UpBlock2D")
        channels = channels[:3]
        more = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 6 * 8 + WIDTH,
            "use_linear_projection": True,
        }
    if kind == "lcm":
        more = {"time_cond_proj_dim": 16}
    if kind == "sd2":
        more = {"use_linear_projection": True}
    return UNet2DConditionModel(
        sample_size=8,
        layers_per_block=1,
        block_out_channels=channels,
        attention_head_dim=2,
        cross_attention_dim=WIDTH * (2 if kind == "sdxl" else 1),
        norm_num_groups=8,
        down_block_types=down,
        up_block_types=up,
        **more,
    )


def _text() -> CLIPTextConfig:
    tokens = _tokenizer()
    return CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )


def _tokenizer() -> CLIPTokenizer:
    """Every letter is a token."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={piece: n for n, piece in enumerate(pieces)}, merges=[], model_max_length=77)


def set_config(folder: Path, part: str, **changes) -> None:
    """Change the configuration of a part of a saved pipeline."""
    path = folder / part
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, **changes}))
