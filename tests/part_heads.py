"""A part head at tiny size whose parts are known: what one channel of the last features exceeds another by."""

from dataclasses import replace

import torch

from pliant.gan.head import Classifiers, PartClass, PartHead, feature_channels
from pliant.gan.latent import fingerprint

CLASSES = tuple(
    PartClass(*each) for each in [("sea", (0, 0, 200)), ("land", (0, 200, 0)), ("ice", (250, 250, 250))]
)


def channel_head(generator, gain=4.0):
    """Three parts: whichever of the first three channels of the last layer is largest."""
    channels = feature_channels(generator)
    inputs, first = sum(channels.values()), sum(channels.values()) - list(channels.values())[-1]
    weight = torch.zeros(1, 6, inputs)
    for k in range(3):  # a number as the difference of its positive and its negative part
        weight[0, 2 * k, first + k], weight[0, 2 * k + 1, first + k] = gain, -gain
    merge = torch.zeros(1, 3, 6)
    for k in range(3):
        merge[0, k, 2 * k], merge[0, k, 2 * k + 1] = 1, -1
    shift = torch.full((1, 3), 1000.0)  # keeps the second ReLU open; the softmax does not see it
    return PartHead(
        CLASSES,
        channels,
        generator.config.size,
        fingerprint(generator),
        Classifiers(weight, torch.zeros(1, 6), merge, shift, torch.eye(3)[None], torch.zeros(1, 3)),
        Classifiers(*(torch.empty(0, *shape) for shape in [(6, inputs), (6,), (3, 6), (3,), (3, 3), (3,)])),
    )


def ensemble_head(generator):
    """The same with an ensemble of three, the members of which disagree here and there."""
    head = channel_head(generator)
    rng = torch.Generator().manual_seed(0)
    tensors = {name: value.repeat(3, *[1] * (value.ndim - 1)) for name, value in head.fast.tensors().items()}
    tensors["third_bias"] = torch.randn(3, 3, generator=rng)
    return replace(head, ensemble=Classifiers(**tensors))
