#!/usr/bin/env python3
"""Writes squeezenet.safetensors: what PyTorch computes for every layer of SqueezeNet 1.0 and 1.1, conv1 to fire9.

The networks are torchvision's, but for padding: by reflection instead of zeros, and before conv1 too. Weights and picture
are not stored: both sides make them from a hash (make_vgg.py), so that the file stays small. Of each layer it holds the
mean of every channel and every 211th value. Run with Debian's python3-torch: tests/golden/make_squeezenet.py
"""
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

from make_vgg import save, uniform

# Channels and kernel of conv1, and the fire modules that a pooling comes before.
VERSIONS = {0: (96, 7, (2, 5, 9)), 1: (64, 3, (2, 4, 6))}


class Convolutions:
    """Convolution k, in the order in which they are called, has weights of seed k and biases of seed 100 + k."""

    def __init__(self):
        self.count = 0

    def __call__(self, x, channels, kernel, stride=1):
        fan_in = x.shape[1] * kernel * kernel
        weight = uniform(self.count, (channels, x.shape[1], kernel, kernel)) * float(np.float32((24 / fan_in) ** 0.5))
        bias = uniform(100 + self.count, (channels,))
        self.count += 1
        if kernel > 1:
            x = F.pad(x, (kernel // 2,) * 4, mode="reflect")
        return torch.relu(F.conv2d(x, weight, bias, stride))


def features(minor, picture):
    x = (picture - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    channels, kernel, pooled = VERSIONS[minor]
    convolution = Convolutions()
    x = convolution(x, channels, kernel, 2)
    layers = {"conv1": x}
    for fire in range(2, 10):
        if fire in pooled:
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        squeezed = 16 * (fire // 2)
        x = convolution(x, squeezed, 1)
        x = torch.cat([convolution(x, 4 * squeezed, 1), convolution(x, 4 * squeezed, 3)], 1)
        layers[f"fire{fire}"] = x
    return layers


tensors = {}
for minor in VERSIONS:
    for name, layer in features(minor, uniform(200, (2, 3, 40, 33)) + 0.5).items():
        tensors[f"1_{minor}.{name}.means"] = layer.mean((0, 2, 3))
        tensors[f"1_{minor}.{name}.samples"] = layer.flatten()[::211]
# Pooling of rows of each length, every pixel another value.
for size in range(2, 13):
    ramp = torch.arange(float(size)).view(1, 1, 1, size) + torch.tensor([0.0, 0.5, 0.25]).view(1, 1, 3, 1)
    tensors[f"pool.{size}"] = F.max_pool2d(ramp, 3, 2, ceil_mode=True)
save(pathlib.Path(__file__).parent / "squeezenet.safetensors", tensors)
