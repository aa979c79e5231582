"""A text-image model that knows a few colours, trained where it is needed in about a second."""

from functools import cache

import torch
from torch import nn
from torch.nn import functional

from pliant.perception.clip import TextImageModel

COLOURS = {
    "red": (0.9, 0.1, 0.1),
    "green": (0.1, 0.8, 0.1),
    "blue": (0.1, 0.1, 0.9),
    "yellow": (0.9, 0.9, 0.1),
    "black": (0.05, 0.05, 0.05),
    "white": (1.0, 1.0, 1.0),
}


class ColourWords(TextImageModel):
    """Pictures by what is where in a few places, texts by their words; of 32 pixels and 16 numbers."""

    def __init__(self) -> None:
        super().__init__("colour-words", 32, (0.5,) * 3, (0.5,) * 3, torch.tensor(2.0))
        self.known = {word: number for number, word in enumerate(COLOURS, 1)}
        self.see = nn.Sequential(
            nn.Conv2d(3, 16, 4, 4), nn.SiLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 16)
        )
        self.read = nn.Embedding(1 + len(COLOURS), 16)

    def unknown_words(self, text):
        return [word for word in text.lower().split() if word not in self.known]

    def _see(self, pictures):
        return self.see(pictures)

    def _read(self, texts):
        numbers = [[self.known.get(word, 0) for word in text.lower().split()] for text in texts]
        return torch.stack([self.read(torch.tensor(each)).mean(0) for each in numbers])


@cache
def colour_words() -> ColourWords:
    """The model after training on flat patches with noise and blots."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ColourWords()
        parameters = [*model.see.parameters(), *model.read.parameters()]
        optimiser = torch.optim.Adam(parameters, 1e-2)
        flat = torch.tensor(list(COLOURS.values()))[:, :, None, None] * 2 - 1
        for _ in range(150):
            patches = flat + 0.3 * torch.randn(len(flat), 3, 1, 1) + 0.2 * torch.randn(len(flat), 3, 32, 32)
            seen = functional.normalize(model._see(patches.clamp(-1, 1)), dim=1)
            read = functional.normalize(model._read(list(COLOURS)), dim=1)
            loss = functional.cross_entropy(8 * seen @ read.T, torch.arange(len(flat)))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    for parameter in parameters:
        parameter.requires_grad_(False)
    return model
