#!/usr/bin/env python3
"""Writes vgg.safetensors: what PyTorch computes for the taps of VGG16 and VGG19 with weights of the true shapes.

Weights and picture are not stored: both sides make them from a hash (mix32 below), so that the file stays small. Of each
tap it holds the mean of every channel and every 211th value. Run with Debian's python3-torch: tests/golden/make_vgg.py
"""
import json
import pathlib
import struct

import numpy as np
import torch
from torch import nn

WIDTHS = {16: [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512],
          19: [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512]}
TAPS = {16: ["relu1_2", "relu2_2", "relu3_3", "relu4_3"],
        19: ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"]}


def uniform(seed, shape):
    """The i-th number is mix32(seed 2^20 + i) / 2^32 - 0.5."""
    h = (np.arange(int(np.prod(shape)), dtype=np.uint64) + (seed << 20)) & 0xFFFFFFFF
    for multiplier in (0x7FEB352D, 0x846CA68B):
        h = (((h ^ (h >> 16)) * multiplier) & 0xFFFFFFFF).astype(np.uint64)
    h ^= h >> 16
    return torch.from_numpy((h / 2**32 - 0.5).astype(np.float32)).reshape(shape)


def features(depth, picture):
    x = (picture - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    index, block, layer, taps = 0, 1, 0, {}
    for width in WIDTHS[depth]:
        if width == "M":
            x, index, block, layer = nn.functional.max_pool2d(x, 2), index + 1, block + 1, 0
            continue
        fan_in = 9 * x.shape[1]
        weight = uniform(index, (width, x.shape[1], 3, 3)) * float(np.float32((24 / fan_in) ** 0.5))
        bias = uniform(100 + index, (width,))
        x = torch.relu(nn.functional.conv2d(x, weight, bias, padding=1))
        index, layer = index + 2, layer + 1
        taps[f"relu{block}_{layer}"] = x
    return {name: taps[name] for name in TAPS[depth]}


def save(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().float().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    tensors = {}
    for depth in (16, 19):
        for name, tap in features(depth, uniform(200, (2, 3, 40, 33)) + 0.5).items():
            tensors[f"vgg{depth}.{name}.means"] = tap.mean((0, 2, 3))
            tensors[f"vgg{depth}.{name}.samples"] = tap.flatten()[::211]
    save(pathlib.Path(__file__).parent / "vgg.safetensors", tensors)


if __name__ == "__main__":
    main()
