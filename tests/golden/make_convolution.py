#!/usr/bin/env python3
"""Writes convolution.safetensors: what PyTorch's Conv2d and ConvTranspose2d compute, results and gradients.

For each case NAME: NAME.options (stride, padding, output padding and dilation, height and width each; groups; index
in MODES), NAME.x, .weight, .bias, .y, and .dy with the gradients .dx, .dweight, .dbias that it leads to, all float64.
Run with Debian's python3-torch 1.13: tests/golden/make_convolution.py
"""
import pathlib

import torch

from make_optimizers import write_safetensors

MODES = ["zeros", "reflect", "replicate"]

# name: shape of x, channels of the result, kernel, options
CONV2D = {
    "plain": ((2, 3, 5, 6), 4, 3, {}),
    "stride": ((1, 2, 7, 8), 3, (3, 2), dict(stride=(2, 3), padding=(1, 0))),
    "dilation": ((1, 2, 9, 8), 2, (2, 3), dict(dilation=(3, 2), padding=(2, 1))),
    "groups": ((2, 6, 4, 5), 9, 3, dict(groups=3, padding=1)),
    "depthwise": ((1, 4, 6, 6), 8, 3, dict(groups=4, stride=2, padding=1)),
    "reflect": ((1, 2, 5, 6), 3, 5, dict(padding=(2, 4), padding_mode="reflect")),
    "replicate": ((1, 2, 3, 4), 3, 3, dict(padding=(4, 1), stride=2, padding_mode="replicate")),
    "all": ((2, 4, 8, 9), 6, 3, dict(stride=(2, 1), padding=(3, 2), dilation=(1, 2), groups=2, padding_mode="reflect")),
    "unbatched": ((3, 5, 4), 2, 3, dict(padding=1)),
}
CONV_TRANSPOSE2D = {
    "plain": ((2, 3, 4, 5), 2, 3, {}),
    "stride": ((1, 3, 3, 4), 4, (3, 4), dict(stride=(2, 3), padding=(1, 2))),
    "output_padding": ((2, 2, 4, 3), 3, 3, dict(stride=2, padding=1, output_padding=1)),
    "dilation": ((1, 2, 4, 3), 2, (3, 2), dict(dilation=(2, 3), padding=(1, 0), output_padding=(1, 2))),
    "groups": ((2, 6, 3, 3), 4, 3, dict(groups=2, stride=2, output_padding=(1, 0))),
    "unbatched": ((3, 3, 2), 4, 2, dict(stride=2)),
}


def pair(value):
    return list(value) if isinstance(value, tuple) else [value, value]


def compute(layer, x_shape):
    x = torch.randn(x_shape, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    dy = torch.randn_like(y)
    y.backward(dy)
    numbers = (pair(layer.stride) + pair(layer.padding) + pair(layer.output_padding) + pair(layer.dilation)
               + [layer.groups, MODES.index(layer.padding_mode)])
    return {
        "options": torch.tensor(numbers, dtype=torch.float64), "x": x, "weight": layer.weight, "bias": layer.bias,
        "y": y, "dy": dy, "dx": x.grad, "dweight": layer.weight.grad, "dbias": layer.bias.grad,
    }


def main():
    torch.manual_seed(11)
    out = {}
    for kind, layer, cases in (("conv2d", torch.nn.Conv2d, CONV2D),
                               ("conv_transpose2d", torch.nn.ConvTranspose2d, CONV_TRANSPOSE2D)):
        for name, (x_shape, channels, kernel, options) in cases.items():
            results = compute(layer(x_shape[-3], channels, kernel, dtype=torch.float64, **options), x_shape)
            out.update({f"{kind}.{name}.{key}": value for key, value in results.items()})
    write_safetensors(pathlib.Path(__file__).with_name("convolution.safetensors"), out)


if __name__ == "__main__":
    main()
