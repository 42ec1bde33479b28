#!/usr/bin/env python3
"""Writes torchvision.safetensors: what torchvision's networks compute, and the keys of their state dicts.

Weights and picture are not stored: both sides make them from a hash (make_vgg.py), entry k of the state dict from seed k.
The classifier of VGG is narrow here, as the true one has 120 million numbers. Run with Debian's python3-torchvision:
tests/golden/make_torchvision.py
"""
import json
import pathlib
import struct

import numpy as np
import torch
import torchvision
from torch import nn

from make_vgg import uniform


def vgg(depth):
    net = getattr(torchvision.models, f"vgg{depth}")(num_classes=10)
    net.classifier = nn.Sequential(nn.Linear(512 * 7 * 7, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, 16),
                                   nn.ReLU(True), nn.Dropout(), nn.Linear(16, 10))
    return net


def fill(net):
    for k, (name, tensor) in enumerate(net.state_dict().items()):
        shape = tuple(tensor.shape)
        if tensor.dim() >= 2:
            values = uniform(k, shape) * float(np.float32((24 / np.prod(shape[1:])) ** 0.5))
        elif name.endswith("num_batches_tracked"):
            values = torch.tensor(0)
        else:  # biases around 0, scales and variances around 1
            near_one = name.endswith("running_var") or (name.endswith("weight") and tensor.dim() == 1)
            values = uniform(k, shape) + (1.0 if near_one else 0.0)
        tensor.copy_(values)


nets = {"squeezenet1_0": torchvision.models.squeezenet1_0(num_classes=10),
        "squeezenet1_1": torchvision.models.squeezenet1_1(num_classes=10),
        "vgg16": vgg(16), "vgg19": vgg(19), "resnet18": torchvision.models.resnet18(num_classes=10)}
picture = uniform(200, (2, 3, 67, 75))
tensors, keys = {}, {}
for name, net in nets.items():
    with torch.no_grad():
        fill(net)
    keys[name] = [[key, list(tensor.shape)] for key, tensor in net.state_dict().items()]
    net.eval()
    tensors[name] = net(picture).detach()
net = nets["resnet18"].train()
out = net(picture)
tensors["resnet18.train"] = out.detach()
out.square().mean().backward()
tensors["resnet18.conv1.grad"] = net.conv1.weight.grad.flatten()[::17]
tensors["resnet18.running_var"] = net.layer4[1].bn2.running_var

header, data = {"__metadata__": {"keys": json.dumps(keys)}}, b""
for name, tensor in tensors.items():
    raw = tensor.contiguous().float().numpy().tobytes()
    header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
(pathlib.Path(__file__).parent / "torchvision.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
