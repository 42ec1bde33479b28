#!/usr/bin/env python3
"""What PyTorch computes for every member of the normalization family: normalization.safetensors.

    apt-get install python3-torch        # Debian 12: PyTorch 1.13
    /usr/bin/python3 tests/golden/make_normalization.py

tests/layers/normalization/test_normalization_golden.cpp compares gesso with it and needs no Python. The file's metadata says what was done:
"cases" (one layer through three training steps and an evaluation each) and "errors" (whether PyTorch refuses an input).
Everything is computed in float64 from inputs that float32 can hold.
"""
import json

import torch
from torch import nn
import torch.nn.functional as F

import golden_file

tensors = {}  # name -> float64 tensor
cases = []
errors = []


def text(shape):
    return "x".join(str(n) for n in shape)


def random(name, shape, scale=1.0, shift=0.0):
    """A tensor of its own for each name, the same in every case that uses it."""
    if name not in tensors:
        torch.manual_seed(len(tensors) + 1)
        tensors[name] = (torch.randn(*shape) * scale + shift).double()
    return tensors[name].clone()


class BatchInstanceNorm2d(nn.Module):
    """Nam and Kim 2018, put together from PyTorch's own batch and instance norm."""

    def __init__(self, channels, **options):
        super().__init__()
        self.batch = nn.BatchNorm2d(channels, affine=False, **options)
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.rho = nn.Parameter(torch.ones(channels))
        self.eps = self.batch.eps

    @property
    def running_mean(self):
        return self.batch.running_mean

    @property
    def running_var(self):
        return self.batch.running_var

    @property
    def num_batches_tracked(self):
        return self.batch.num_batches_tracked

    def forward(self, x):
        rho, weight, bias = (p[:, None, None] for p in (self.rho, self.weight, self.bias))
        return weight * (rho * self.batch(x) + (1 - rho) * F.instance_norm(x, eps=self.eps)) + bias


class ConditionalInstanceNorm2d(nn.Module):
    """Dumoulin et al. 2017: rows of gamma and beta mixed for each sample."""

    def __init__(self, styles, channels, mix):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(styles, channels))
        self.bias = nn.Parameter(torch.zeros(styles, channels))
        self.mix = torch.tensor(mix, dtype=torch.float64)

    def forward(self, x):
        gamma, beta = (self.mix @ p for p in (self.weight, self.bias))
        return gamma[:, :, None, None] * F.instance_norm(x) + beta[:, :, None, None]


class AdaptiveInstanceNorm(nn.Module):
    """Huang and Belongie 2017, eq. 8, with the biased variance and eps of instance norm on both sides."""

    def __init__(self, style):
        super().__init__()
        self.weight = nn.Parameter(style)  # the style picture stands where others have their weight

    def forward(self, x):
        places = list(range(2, self.weight.dim()))
        variance, mean = torch.var_mean(self.weight, places, unbiased=False, keepdim=True)
        return torch.sqrt(variance + 1e-5) * F.instance_norm(x) + mean


class RMSNorm(nn.Module):
    """Zhang and Sennrich 2019, as torch.nn.RMSNorm, which came with PyTorch 2.4: without eps that of x's dtype."""

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(normalized_shape)) if elementwise_affine else None
        self.dims = list(range(-len(normalized_shape), 0))
        self.eps = torch.finfo(torch.float64).eps if eps is None else eps

    def forward(self, x):
        y = x * torch.rsqrt((x * x).mean(self.dims, keepdim=True) + self.eps)
        return y if self.weight is None else y * self.weight


def case(layer, args, shape, **options):
    """Three training steps, then an evaluation. Parameters are random."""
    classes = {c.__name__: c for c in (BatchInstanceNorm2d, ConditionalInstanceNorm2d, AdaptiveInstanceNorm, RMSNorm)}
    index = len(cases)
    entry = {"layer": layer, "args": args, "options": options, "shape": list(shape)}
    if layer == "AdaptiveInstanceNorm":
        norm = AdaptiveInstanceNorm(random(f"style.{text(args)}", args, 2.0, -1.0))
    else:
        norm = classes.get(layer, getattr(nn, layer, None))(*args, **options)
    norm = norm.double()
    if layer in classes:
        entry["keys"] = None
    else:
        entry["keys"] = list(norm.state_dict().keys())
    with torch.no_grad():
        for name, p in norm.named_parameters():
            if layer != "AdaptiveInstanceNorm":
                # rho is a share, and stays away from its ends
                kind = ("rho", 0.1, 0.5) if name == "rho" else (name, 1.0, 0.0)
                p.copy_(random(f"{kind[0]}.{text(p.shape)}", p.shape, *kind[1:]))
    upstream = random(f"upstream.{text(shape)}", shape)
    inputs = [random(f"x{k}.{text(shape)}", shape, 1.0 + k, 0.5 * k - 1.0) for k in range(3)]

    def forward_backward(mode):
        x = inputs[0].clone().requires_grad_()
        norm.zero_grad()
        y = norm(x)
        y.backward(upstream)
        tensors[f"{index}.{mode}.y"] = y.detach()
        tensors[f"{index}.{mode}.dx"] = x.grad
        for name, p in norm.named_parameters():
            tensors[f"{index}.{mode}.d{name}"] = p.grad.clone()

    def running(step):
        if getattr(norm, "running_mean", None) is not None:
            tensors[f"{index}.running_mean{step}"] = norm.running_mean.clone()
            tensors[f"{index}.running_var{step}"] = norm.running_var.clone()
            tensors[f"{index}.num_batches_tracked{step}"] = norm.num_batches_tracked.double().reshape(1)

    forward_backward("train")
    running(1)
    norm(inputs[1])
    norm(inputs[2])
    running(3)
    if getattr(norm, "running_mean", None) is not None or layer.startswith("Batch"):
        norm.eval()
        forward_backward("eval")
    cases.append(entry)


def error(layer, args, shape, training, **options):
    """Whether PyTorch refuses x of this shape."""
    try:
        norm = getattr(nn, layer)(*args, **options)
        norm.train(training)
        norm(torch.zeros(*shape))
        refused = None
    except (ValueError, RuntimeError) as e:
        refused = str(e).splitlines()[0]
    errors.append({"layer": layer, "args": args, "options": options, "shape": list(shape), "training": training,
                   "refused": refused})


for affine in (False, True):
    for track in (False, True):
        both = {"affine": affine, "track_running_stats": track}
        for shape in ((1, 3, 3, 5), (4, 3, 3, 5), (3, 3, 5), (4, 2, 1, 7)):
            case("InstanceNorm2d", [shape[-3]], shape, **both)
        for shape in ((1, 3, 3, 5), (4, 3, 3, 5), (4, 2, 1, 7)):
            case("BatchNorm2d", [shape[1]], shape, **both)
        if affine == track:
            for shape in ((4, 3, 7), (3, 7), (1, 3, 2)):
                case("InstanceNorm1d", [3], shape, **both)
            for shape in ((2, 3, 2, 3, 3), (2, 2, 3, 2)):
                case("InstanceNorm3d", [shape[-4]], shape, **both)
            for shape in ((4, 3), (4, 3, 7), (2, 1)):
                case("BatchNorm1d", [shape[1]], shape, **both)
case("InstanceNorm2d", [3], (4, 3, 3, 5), affine=True, track_running_stats=True, eps=0.01, momentum=0.3)
case("BatchNorm2d", [3], (4, 3, 3, 5), eps=0.01, momentum=0.3)
case("BatchNorm2d", [3], (4, 3, 3, 5), momentum=None)
case("BatchNorm1d", [3], (4, 3), momentum=1.0)
for groups in (1, 2, 3, 6):
    case("GroupNorm", [groups, 6], (2, 6, 3, 5))
case("GroupNorm", [2, 6], (2, 6, 3, 5), affine=False)
case("GroupNorm", [2, 4], (1, 4, 7), eps=0.01)
case("GroupNorm", [2, 4], (5, 4))
for normalized in ([5], [3, 5], [6, 3, 5]):
    case("LayerNorm", [normalized], (2, 6, 3, 5))
case("LayerNorm", [[4]], (5, 4), eps=0.01)
case("LayerNorm", [[4]], (5, 4), elementwise_affine=False)
case("ConditionalInstanceNorm2d", [3, 3, [[0.3, 0.7, 0.0], [0.0, 0.0, 1.0], [1.0, -1.0, 0.5], [1.0, 0.0, 0.0]]],
     (4, 3, 3, 5))
case("AdaptiveInstanceNorm", [4, 3, 2, 5], (4, 3, 3, 5))
case("AdaptiveInstanceNorm", [1, 3, 4, 1], (4, 3, 3, 5))
case("BatchInstanceNorm2d", [3], (4, 3, 3, 5))
case("BatchInstanceNorm2d", [3], (4, 3, 3, 5), momentum=0.3, eps=0.01)
for normalized in ([5], [3, 5], [6, 3, 5]):
    case("RMSNorm", [normalized], (2, 6, 3, 5))
case("RMSNorm", [[4]], (5, 4), eps=0.01)
case("RMSNorm", [[4]], (5, 4), elementwise_affine=False)
case("RMSNorm", [[1]], (3, 1), eps=0.1)
case("BatchNorm2d", [3], (5, 3, 3, 2), eps=0.01, momentum=0.3)  # five samples, for ranks with unequal shares
case("BatchNorm1d", [3], (5, 3))

for training in (True, False):
    for track in (False, True):
        for shape in ((2, 3, 1, 1), (1, 3, 1, 1), (3, 1, 1), (2, 3, 1, 2), (2, 3), (2, 3, 4, 4, 4)):
            error("InstanceNorm2d", [3], shape, training, track_running_stats=track)
        for shape in ((2, 3, 1, 1), (1, 3, 1, 1), (3, 1, 1), (3, 4, 4), (2, 4, 4, 4), (2, 3)):
            error("BatchNorm2d", [3], shape, training, track_running_stats=track)
        for shape in ((1, 3), (2, 3), (1, 3, 1), (1, 3, 2), (3,), (2, 3, 4, 4)):
            error("BatchNorm1d", [3], shape, training, track_running_stats=track)
    for shape in ((2, 4, 4, 4), (4, 4, 4)):
        error("InstanceNorm2d", [3], shape, training, affine=True)
    for shape in ((3,), (2, 3, 4, 4), (3, 1), (1, 3, 1)):
        error("InstanceNorm1d", [3], shape, training)
    for shape in ((3, 4), (3, 4, 4, 4), (1, 3, 1, 1, 1), (3, 1, 1, 2)):
        error("InstanceNorm3d", [3], shape, training)
    for args, shape in (([2, 4], (1, 4)), ([4, 4], (1, 4)), ([4, 4], (2, 4)), ([2, 4], (2, 6, 3)), ([4, 4], (1, 4, 1, 1)),
                        ([1, 1], (1, 1, 1))):
        error("GroupNorm", args, shape, training)
    for args, shape in (([[3]], (2, 4)), ([[3]], (2, 3)), ([[1]], (2, 1)), ([[2, 3]], (3,)), ([[2, 3]], (3, 2)),
                        ([[2, 3]], (2, 3))):
        error("LayerNorm", args, shape, training)

path, size = golden_file.write("normalization.safetensors", tensors,
                               {"torch": torch.__version__, "cases": json.dumps(cases), "errors": json.dumps(errors)})
print(f"{path}: {len(cases)} cases, {len(errors)} refusals asked, {len(tensors)} tensors, {size} bytes")
