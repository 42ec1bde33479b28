#!/usr/bin/env python3
"""Writes operations.safetensors: results and gradients of operations and layers as PyTorch computes them, in float64.

Each case has its inputs NAME.in0, in1, ..., an upstream gradient NAME.up, the result NAME.out, and for each input that
gets one its gradient NAME.grad0, ... Run with Debian's python3-torch: tests/golden/make_operations.py
"""
import json
import pathlib
import struct

import torch
from torch.nn import functional as F

torch.manual_seed(3)
tensors = {}


def randn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def case(name, function, *inputs, no_gradient=()):
    inputs = [x.clone().requires_grad_(i not in no_gradient) for i, x in enumerate(inputs)]
    out = function(*inputs)
    up = torch.randn(out.shape, dtype=torch.float64)
    out.backward(up)
    for i, x in enumerate(inputs):
        tensors[f"{name}.in{i}"] = x.detach()
        if x.requires_grad:
            tensors[f"{name}.grad{i}"] = x.grad
    tensors[f"{name}.up"] = up
    tensors[f"{name}.out"] = out.detach()


x, y = randn(2, 3, 4), randn(3, 1)
ties = torch.round(2 * randn(3, 4)) / 2
labels = torch.tensor([2, 0, 4])
case("softmax_first", lambda a: torch.softmax(a, 0), x)
case("softmax_middle", lambda a: torch.softmax(a, 1), x)
case("softmax_last", lambda a: torch.softmax(a, -1), 100 * x)
case("log_softmax", lambda a: torch.log_softmax(a, 1), x)
case("cross_entropy", lambda a: F.cross_entropy(a, labels), randn(3, 5))
case("cross_entropy_smooth", lambda a: F.cross_entropy(a, labels, label_smoothing=0.1), randn(3, 5))
case("pow3", lambda a: a ** 3, x)
case("pow_root", lambda a: a ** 0.5, x.abs() + 0.1)
case("pow_inverse", lambda a: a ** -2, x)
case("pow0", lambda a: a ** 0, x)
case("silu", F.silu, x)
case("gelu", F.gelu, x)
case("gelu_tanh", lambda a: F.gelu(a, approximate="tanh"), x)
case("prelu", F.prelu, randn(2, 3, 2, 2), randn(3))
case("prelu_one", F.prelu, x, randn(1))
case("maximum", torch.maximum, ties, torch.round(2 * randn(4)) / 2)
case("minimum", torch.minimum, ties, torch.round(2 * randn(3, 1)) / 2)
case("where", lambda c, a, b: torch.where(c != 0, a, b), torch.randint(0, 2, (4, 1)).double(), x[:, :1], randn(1, 4, 4),
     no_gradient=(0,))
case("norm_all", torch.norm, x)
case("norm_some", lambda a: torch.norm(a, dim=(0, 2), keepdim=True), x)
case("stack", lambda a, b: torch.stack([a, b, a], 1), x, randn(2, 3, 4))
case("flip", lambda a: torch.flip(a, (0, 2)), x)
case("gather", lambda a, i: torch.gather(a, 1, i.long()), x, torch.randint(0, 3, (2, 5, 4)).double(), no_gradient=(1,))
picture = randn(2, 3, 7, 9)
case("max_pool_wide", lambda a: F.max_pool2d(a, (2, 3), (1, 2), (1, 0)), picture)
case("max_pool_ceil", lambda a: F.max_pool2d(a, (3, 2), (2, 3), (1, 1), ceil_mode=True), picture)
case("avg_pool_wide", lambda a: F.avg_pool2d(a, (3, 2), (2, 1), (1, 0)), picture)
case("avg_pool_ceil", lambda a: F.avg_pool2d(a, (2, 4), (3, 2), (1, 2), ceil_mode=True), picture)
case("adaptive_one", lambda a: F.adaptive_avg_pool2d(a, 1), picture)
case("adaptive", lambda a: F.adaptive_avg_pool2d(a, (3, 4)), picture)
case("adaptive_larger", lambda a: F.adaptive_avg_pool2d(a, (9, 10)), picture)
case("same", lambda a, w: F.conv2d(a, w, padding="same"), picture, randn(2, 3, 2, 4))
case("same_dilated", lambda a, w: F.conv2d(a, w, padding="same", dilation=(3, 1)), picture, randn(2, 3, 2, 3))
case("pow_tensors", torch.pow, x.abs() + 0.1, y)
case("pow_of_exponent", lambda e: torch.pow(2.5, e), x)
case("pow_of_zero", torch.pow, torch.tensor([0.0, 0, 3]).double(), torch.tensor([[0.0], [2]]).double())
case("pow_zero_exponent", lambda e: torch.pow(0, e), torch.tensor([0.0, 2, 0.5]).double())
case("pow_negative", torch.pow, torch.tensor([-2.0, -1.5]).double(), torch.tensor([[3.0], [-2], [0]]).double(), no_gradient=(1,))

header, data = {}, b""
for name, tensor in tensors.items():
    raw = tensor.contiguous().numpy().tobytes()
    header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
(pathlib.Path(__file__).parent / "operations.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
