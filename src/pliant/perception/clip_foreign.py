"""Other people's text-image models: CLIP and SigLIP as transformers has them, and checkpoints of open_clip.

Pictures never pass through torchvision here: the door resizes and normalises them. Weights are read from safetensors only
where transformers reads them; open_clip reads pickles with `weights_only`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pliant.errors import CheckpointError, MissingExtraError
from pliant.perception.clip import TextImageModel, content_words

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP learnt from (openai/CLIP)."""
HALF = (0.5, 0.5, 0.5)
MANY_PIECES = 3
"""A word that has to be spelt from so many pieces was rare in the texts that a tokeniser was made from."""
_KINDS = {"clip": ("CLIPModel", OPENAI_MEAN, OPENAI_STD), "siglip": ("SiglipModel", HALF, HALF)}


class TransformersModel(TextImageModel):
    """A `CLIPModel` or `SiglipModel` with its tokeniser behind the door."""

    def __init__(self, name: str, net: Any, tokenizer: Any) -> None:
        self.kind: str = net.config.model_type
        _, mean, std = _KINDS[self.kind]
        super().__init__(name, int(net.config.vision_config.image_size), mean, std, net.logit_scale)
        self.net, self.tokenizer = net, tokenizer
        self._longest = int(net.config.text_config.max_position_embeddings)

    def unknown_words(self, text: str) -> list[str]:
        """Words that the tokeniser spells from three or more pieces, or cannot spell."""
        unknown = self.tokenizer.unk_token_id

        def is_unknown(word: str) -> bool:
            numbers: list[int] = self.tokenizer(word, add_special_tokens=False)["input_ids"]
            return len(numbers) >= MANY_PIECES or (
                unknown in numbers and unknown != self.tokenizer.eos_token_id
            )

        return list(dict.fromkeys(word for word in content_words(text) if is_unknown(word)))

    def _see(self, pictures: Tensor) -> Tensor:
        return _tensor_of(self.net.get_image_features(pixel_values=pictures))

    def _read(self, texts: Sequence[str]) -> Tensor:
        # SigLIP learnt from texts that are always filled up to its greatest length, and from lower case.
        siglip = self.kind == "siglip"
        batch = self.tokenizer(
            [text.lower() if siglip else text for text in texts],
            padding="max_length" if siglip else True,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        ).to(self.device)
        mask = None if siglip else batch["attention_mask"]
        return _tensor_of(self.net.get_text_features(input_ids=batch["input_ids"], attention_mask=mask))


class OpenClipModel(TextImageModel):
    """A model of open_clip with its tokeniser behind the door."""

    def __init__(
        self, name: str, net: Any, tokenizer: Any, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        size = net.visual.image_size
        super().__init__(
            name, int(size[0] if isinstance(size, tuple | list) else size), mean, std, net.logit_scale
        )
        self.net, self.tokenizer = net, tokenizer

    def unknown_words(self, text: str) -> list[str]:
        """Words that the tokeniser spells from three or more pieces, where it can be asked for pieces."""
        encode = getattr(self.tokenizer, "encode", None)
        if encode is None:
            return []
        found = (word for word in content_words(text) if len(encode(word)) >= MANY_PIECES)
        return list(dict.fromkeys(found))

    def _see(self, pictures: Tensor) -> Tensor:
        return self.net.encode_image(pictures)

    def _read(self, texts: Sequence[str]) -> Tensor:
        return self.net.encode_text(self.tokenizer(list(texts)).to(self.device))


def load_transformers(source: str | Path, device: str | torch.device) -> TransformersModel:
    """A CLIP or SigLIP model from a folder, or by name from the model hub.

    Raises:
        CheckpointError: it is neither, or cannot be read.
        MissingExtraError: transformers is not installed.
    """
    transformers = _module("transformers", "transformers")
    options = {"local_files_only": isinstance(source, Path), "trust_remote_code": False}
    try:
        config = transformers.AutoConfig.from_pretrained(str(source), **options)
        kind = str(config.model_type)
        if kind not in _KINDS:
            raise CheckpointError(f"{source} is a model of kind {kind}; expected one of {', '.join(_KINDS)}.")
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(source), **options)
        make = getattr(transformers, _KINDS[kind][0])
        net = make.from_pretrained(str(source), use_safetensors=True, dtype=torch.float32, **options)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise CheckpointError(
            f"{source} cannot be read as a CLIP or SigLIP model of transformers "
            f"(config.json, tokenizer files, model.safetensors): {_first_line(error)}"
        ) from error
    net = net.eval().requires_grad_(requires_grad=False).to(device)
    return TransformersModel(Path(source).name, net, tokenizer)


def load_open_clip(source: str, device: str | torch.device) -> OpenClipModel:
    """A model of open_clip.

    Args:
        source: `NAME:TAG` (a tag of open_clip's, or a file of weights) or `local-dir:FOLDER`.
        device: where it shall run.

    Raises:
        CheckpointError: open_clip cannot make it.
        MissingExtraError: open_clip is not installed, or does not start beside this torch.
    """
    local = source.startswith("local-dir:")
    name, _, tag = (source, "", "") if local else source.partition(":")
    if not tag and not local:
        raise CheckpointError(
            f"Which weights of {name!r}? Expected open_clip:NAME:TAG, with a tag of open_clip's or a file."
        )
    open_clip = _module("open_clip", "open_clip_torch")
    try:
        net = open_clip.create_model(name, pretrained=tag or None, require_pretrained=True)
        tokenizer = open_clip.get_tokenizer(name)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise CheckpointError(f"open_clip cannot make {source!r}: {_first_line(error)}") from error
    net = net.eval().requires_grad_(requires_grad=False).to(device)
    mean, std = (getattr(net.visual, f"image_{name}", None) for name in ("mean", "std"))
    return OpenClipModel(source, net, tokenizer, mean or OPENAI_MEAN, std or OPENAI_STD)


def _module(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        raise MissingExtraError(
            f"This model needs {package}, which does not start here ({_first_line(error)}): "
            "install pliant[words], or use words-small."
        ) from error


def _tensor_of(found: Any) -> Tensor:
    """Vectors, whether they come alone or with what transformers 5 puts around them."""
    return found if isinstance(found, Tensor) else found.pooler_output


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
