#!/usr/bin/env python3
"""What PyTorch computes for layers whose weight is normalized: weight_normalization.safetensors.

    apt-get install python3-torch        # Debian 12: PyTorch 1.13
    /usr/bin/python3 tests/golden/make_weight_normalization.py

tests/layers/normalization/test_weight_normalization_golden.cpp compares gesso with it and needs no Python. The file's metadata has
"cases": a layer, its normalization, and its state-dict keys. Each starts from the state INDEX.state.KEY, goes forward and back
three times in training (spectral norm's vectors move each time) and once in evaluation: INDEX.STEP.y, .dx, .dKEY for every
parameter, .KEY for every buffer. All in float64, from numbers that float32 can hold.
"""
import json

import torch
from torch import nn
import torch.nn.functional as F
from torch.nn.utils import spectral_norm, weight_norm

import golden_file

torch.manual_seed(11)
tensors = {}
cases = []


def randn(*shape):
    return torch.randn(*shape).double()


def standardize(weight, dims, eps):
    variance, mean = torch.var_mean(weight, dims, unbiased=False, keepdim=True)
    return (weight - mean) / torch.sqrt(variance + eps)


def weight_standardization(layer, eps=1e-5):
    """Qiao et al. 2019, eq. 6, put in front of the layer's own forward."""
    def forward(x):
        if isinstance(layer, nn.Conv2d):
            weight = standardize(layer.weight, (1, 2, 3), eps)
            return F.conv2d(x, weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)
        if isinstance(layer, nn.Linear):
            return F.linear(x, standardize(layer.weight, (1,), eps), layer.bias)
        # the inputs of an output channel are those of its group
        groups = layer.weight.chunk(layer.groups, 0)
        weight = torch.cat([standardize(group, (0, 2, 3), eps) for group in groups], 0)
        return F.conv_transpose2d(x, weight, layer.bias, layer.stride, layer.padding, layer.output_padding, layer.groups,
                                  layer.dilation)
    layer.forward = forward
    return layer


NORMS = {"weight_norm": weight_norm, "spectral_norm": spectral_norm, "weight_standardization": weight_standardization}


def case(norm, layer, args, x, **options):
    index = len(cases)
    module = getattr(nn, layer)(*args, **options).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(randn(*parameter.shape))
    module = NORMS[norm](module).double()
    with torch.no_grad():
        for key, parameter in module.state_dict().items():
            parameter.copy_(parameter.float())
    keys = list(module.state_dict())
    for key, tensor in module.state_dict().items():
        tensors[f"{index}.state.{key}"] = tensor.clone()
    for step in range(4):
        module.train(step < 3)
        module.zero_grad()
        given = x.clone().requires_grad_()
        y = module(given)
        upstream = randn(*y.shape)
        y.backward(upstream)
        tensors.update({f"{index}.{step}.up": upstream, f"{index}.{step}.y": y.detach(), f"{index}.{step}.dx": given.grad})
        for key, parameter in module.named_parameters():
            tensors[f"{index}.{step}.d{key}"] = parameter.grad.clone()
        for key, buffer in module.named_buffers():
            tensors[f"{index}.{step}.{key}"] = buffer.clone()
    tensors[f"{index}.x"] = x
    cases.append({"norm": norm, "layer": layer, "args": args, "options": options, "keys": keys})


for norm in NORMS:
    case(norm, "Conv2d", [3, 5, [3, 2]], randn(2, 3, 5, 4), padding=1)
    case(norm, "Conv2d", [4, 6, [1, 3]], randn(1, 4, 3, 5), groups=2, bias=False)
    case(norm, "ConvTranspose2d", [3, 2, [2, 3]], randn(2, 3, 3, 4), stride=2)
    case(norm, "ConvTranspose2d", [4, 6, [3, 1]], randn(1, 4, 3, 2), groups=2)
    case(norm, "Linear", [7, 3], randn(4, 7))
    case(norm, "Linear", [2, 1], randn(1, 2), bias=False)

path, size = golden_file.write("weight_normalization.safetensors", tensors,
                               {"torch": torch.__version__, "cases": json.dumps(cases)})
print(f"{path}: {len(cases)} cases, {len(tensors)} tensors, {size} bytes")
