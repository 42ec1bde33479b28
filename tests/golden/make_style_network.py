#!/usr/bin/env python3
"""Writes style_network.safetensors: weights, input and output of a small style network as PyTorch computes them.

The network is PyTorch's fast_neural_style transformer (Johnson et al. 2016) with its width and depth as parameters, and
gesso's linear output 0.5 + 0.25 y. Run with Debian's python3-torch: tests/golden/make_style_network.py
"""
import json
import pathlib
import struct

import torch
from torch import nn


class ConvLayer(nn.Module):
    def __init__(self, cin, cout, kernel, stride):
        super().__init__()
        self.reflection_pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(cin, cout, kernel, stride)

    def forward(self, x):
        return self.conv2d(self.reflection_pad(x))


class UpsampleConvLayer(ConvLayer):
    def forward(self, x):
        return super().forward(nn.functional.interpolate(x, mode="nearest", scale_factor=2))


class ResidualBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.conv2 = ConvLayer(channels, channels, 3, 1), ConvLayer(channels, channels, 3, 1)
        self.in1 = nn.InstanceNorm2d(channels, affine=True)
        self.in2 = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x):
        return x + self.in2(self.conv2(torch.relu(self.in1(self.conv1(x)))))


class StyleNetwork(nn.Module):
    def __init__(self, w, blocks):
        super().__init__()
        norm = lambda c: nn.InstanceNorm2d(c, affine=True)
        self.conv1, self.in1 = ConvLayer(3, w, 9, 1), norm(w)
        self.conv2, self.in2 = ConvLayer(w, 2 * w, 3, 2), norm(2 * w)
        self.conv3, self.in3 = ConvLayer(2 * w, 4 * w, 3, 2), norm(4 * w)
        self.blocks = blocks
        for i in range(blocks):
            setattr(self, f"res{i + 1}", ResidualBlock(4 * w))
        self.deconv1, self.in4 = UpsampleConvLayer(4 * w, 2 * w, 3, 1), norm(2 * w)
        self.deconv2, self.in5 = UpsampleConvLayer(2 * w, w, 3, 1), norm(w)
        self.deconv3 = ConvLayer(w, 3, 9, 1)

    def forward(self, x):
        for i in (1, 2, 3):
            x = torch.relu(getattr(self, f"in{i}")(getattr(self, f"conv{i}")(x)))
        for i in range(self.blocks):
            x = getattr(self, f"res{i + 1}")(x)
        x = torch.relu(self.in4(self.deconv1(x)))
        x = torch.relu(self.in5(self.deconv2(x)))
        return 0.5 + 0.25 * self.deconv3(x)


def save(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().float().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.manual_seed(1)
    small = StyleNetwork(4, 2)
    for name, parameter in small.named_parameters():
        if ".in" in "." + name:  # gamma and beta that are not 1 and 0
            nn.init.uniform_(parameter, 0.5, 1.5)
    x = torch.rand(2, 3, 20, 24)
    tensors = {f"network.{k}": v for k, v in small.state_dict().items()}
    tensors |= {"input": x, "output": small(x)}
    full = {k: list(v.shape) for k, v in StyleNetwork(32, 5).state_dict().items()}
    save(pathlib.Path(__file__).parent / "style_network.safetensors", tensors, {"full_network": json.dumps(full)})


if __name__ == "__main__":
    main()
