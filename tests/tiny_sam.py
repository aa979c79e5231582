"""A Segment Anything model of random numbers, of the published shape but tiny."""

from pathlib import Path

import torch
from transformers import SamConfig, SamModel


def save_tiny_sam(folder: Path) -> Path:
    """Write one as transformers does; its folder."""
    torch.manual_seed(0)
    config = SamConfig(
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 128,
            "patch_size": 16,
            "output_channels": 32,
            "mlp_dim": 64,
            "num_pos_feats": 16,
            "window_size": 0,
            "global_attn_indexes": [0, 1],
        },
        prompt_encoder_config={
            "hidden_size": 32,
            "image_size": 128,
            "patch_size": 16,
            "mask_input_channels": 8,
        },
        mask_decoder_config={
            "hidden_size": 32,
            "mlp_dim": 64,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    )
    SamModel(config).save_pretrained(folder)
    return folder
