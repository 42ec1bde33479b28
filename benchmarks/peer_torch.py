#!/usr/bin/env python3
"""The work of benchmarks/train_step.cpp in PyTorch (Debian's python3-torch), on the numbers that it wrote.

Usage: peer_torch.py --data FILE [--work NAME] [--threads N] [--warm-up N] [--rounds N | --on-request] [--seconds S]
       peer_torch.py --data FILE --export-onnx SIZE MODEL.onnx INPUT.raw

FILE is what `benchmark-train-step --write-data FILE` writes. Works, options and printed lines are those of that program.
--export-onnx writes the style network for one picture of SIZE, and the picture as float32.
"""
import argparse
import json
import mmap
import os
import resource
import struct
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True)
parser.add_argument("--work", default="train_step_256")
parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
parser.add_argument("--warm-up", type=int, default=2)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=0.5)
parser.add_argument("--on-request", action="store_true")
parser.add_argument("--export-onnx", nargs=3, metavar=("SIZE", "MODEL", "INPUT"))
args = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(args.threads)

import torch  # noqa: E402  (reads the environment)
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

torch.set_num_threads(args.threads)
BATCH = 4
CONTENT_WEIGHT, STYLE_WEIGHT = 1e5, 1e10


def load(prefix):
    """The tensors of the safetensors file whose names begin with `prefix`, under the rest of their names."""
    with open(args.data, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        begin = 8 + struct.unpack("<Q", data[:8])[0]
        result = {}
        for name, entry in json.loads(data[8:begin]).items():
            if name.startswith(prefix):
                first, last = entry["data_offsets"]
                values = torch.frombuffer(bytearray(data[begin + first:begin + last]), dtype=torch.float32)
                result[name[len(prefix):]] = values.reshape(entry["shape"])
        return result


# ---- the networks


class ConvLayer(nn.Module):
    def __init__(self, cin, cout, kernel, stride):
        super().__init__()
        self.reflection_pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(cin, cout, kernel, stride)

    def forward(self, x):
        return self.conv2d(self.reflection_pad(x))


class UpsampleConvLayer(ConvLayer):
    def forward(self, x):
        return super().forward(F.interpolate(x, mode="nearest", scale_factor=2))


class ResidualBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.conv2 = ConvLayer(channels, channels, 3, 1), ConvLayer(channels, channels, 3, 1)
        self.in1 = nn.InstanceNorm2d(channels, affine=True)
        self.in2 = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x):
        return x + self.in2(self.conv2(torch.relu(self.in1(self.conv1(x)))))


class StyleNetwork(nn.Module):
    """PyTorch's fast_neural_style transformer (Johnson et al. 2016), with gesso's linear output 0.5 + 0.25 y, and with
    skips from the way down to the way up if `skips`."""

    def __init__(self, width, blocks, weights, skips=False):
        super().__init__()
        self.skips = skips

        def norm(channels):
            return nn.InstanceNorm2d(channels, affine=True)

        w = width
        self.conv1, self.in1 = ConvLayer(3, w, 9, 1), norm(w)
        self.conv2, self.in2 = ConvLayer(w, 2 * w, 3, 2), norm(2 * w)
        self.conv3, self.in3 = ConvLayer(2 * w, 4 * w, 3, 2), norm(4 * w)
        self.blocks = blocks
        for i in range(blocks):
            setattr(self, f"res{i + 1}", ResidualBlock(4 * w))
        self.deconv1, self.in4 = UpsampleConvLayer(4 * w, 2 * w, 3, 1), norm(2 * w)
        self.deconv2, self.in5 = UpsampleConvLayer(2 * w, w, 3, 1), norm(w)
        self.deconv3 = ConvLayer(w, 3, 9, 1)
        self.load_state_dict(weights)

    def forward(self, x):
        full = torch.relu(self.in1(self.conv1(x)))
        half = torch.relu(self.in2(self.conv2(full)))
        x = torch.relu(self.in3(self.conv3(half)))
        for i in range(self.blocks):
            x = getattr(self, f"res{i + 1}")(x)
        x = torch.relu(self.in4(self.deconv1(x)))
        x = torch.relu(self.in5(self.deconv2(x + half if self.skips else x)))
        x = x + full if self.skips else x
        return 0.5 + 0.25 * self.deconv3(x)


class Vgg16:
    """torchvision's VGG16 down to relu4_3, in-place ReLUs as there."""

    def __init__(self, weights):
        self.weights = weights
        self.mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        self.std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

    def __call__(self, x, blocks=4):
        x, feature, taps = (x - self.mean) / self.std, 0, []
        for block, layers in enumerate((2, 2, 3, 3)[:blocks]):
            if block > 0:
                x, feature = F.max_pool2d(x, 2), feature + 1
            for _ in range(layers):
                key = f"features.{feature}"
                x = F.relu_(F.conv2d(x, self.weights[key + ".weight"], self.weights[key + ".bias"], padding=1))
                feature += 2
            taps.append(x)
        return taps


class FilterBank:
    """examples/painting/filter_bank.cpp: (style features, content features or None) of each tap."""

    def __init__(self, constants):
        self.c = constants

    @staticmethod
    def split_signs(x, scale):
        return torch.cat([F.relu(x), F.relu(-x)], 1) * scale.view(1, -1, 1, 1)

    @staticmethod
    def filtered(x, filters):
        return F.conv2d(F.pad(x, (3, 3, 3, 3), mode="reflect"), filters)

    def next_level(self, x):
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), self.c["blur"], stride=2, groups=3)

    def texture(self, x, i):
        luminance = F.conv2d(x, self.c["luminance_of_rgb"])
        return self.split_signs(self.filtered(luminance, self.c["luminance_filters"]), self.c[f"luminance_scale.{i}"])

    def content(self, pictures):
        second = self.next_level(pictures - 0.5)
        return [self.texture(second, 1), self.texture(self.next_level(second), 2)]

    def taps(self, pictures):
        x, taps = pictures - 0.5, []
        for i in range(5):
            if i > 0:
                x = self.next_level(x)
            n, _, height, width = x.shape
            texture = self.texture(x, i)
            opponents = F.conv2d(x, self.c["opponent_of_rgb"]).reshape(2 * n, 1, height, width)
            colour = self.filtered(opponents, self.c["colour_filters"]).reshape(n, -1, height, width)
            style = torch.cat([texture, self.split_signs(colour, self.c[f"colour_scale.{i}"])], 1)
            taps += [(style, texture if i in (1, 2) else None), (F.avg_pool2d(x, 2), None)]
        return taps


class Stack:
    """examples/painting/trained_stack.cpp: the features of all stages, of a picture and of half its size."""

    def __init__(self, weights):
        self.weights = weights

    def stages(self, x):
        features, stage = [], 1
        while f"conv{stage}_1.weight" in self.weights:
            if stage > 1:
                x = F.avg_pool2d(x, 2)
            convolution = 1
            while f"conv{stage}_{convolution}.weight" in self.weights:
                key = f"conv{stage}_{convolution}"
                padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
                x = F.relu(F.conv2d(padded, self.weights[key + ".weight"], self.weights[key + ".bias"]))
                convolution += 1
            features.append(x)
            stage += 1
        return features

    def __call__(self, pictures):
        return self.stages(pictures - 0.5) + self.stages(F.avg_pool2d(pictures, 2) - 0.5)


# ---- the works: each returns the function that does it once


def cut(picture, top, left, size):
    return picture[:, :, top:top + size, left:left + size].contiguous()


def photographs(picture, size):
    return torch.cat([cut(picture, 0, i * size, size) for i in range(BATCH)])


def gram_matrix(y):
    n, c, h, w = y.shape
    features = y.view(n, c, h * w)
    return features.bmm(features.transpose(1, 2)) / (c * h * w)


def train_step(size):
    network, vgg = StyleNetwork(32, 5, load("full.")), Vgg16(load("vgg."))
    adam = torch.optim.Adam(network.parameters(), 1e-3)
    picture = load("picture")[""]
    x = photographs(picture, size)
    with torch.no_grad():
        style = [gram_matrix(tap).repeat(BATCH, 1, 1) for tap in vgg(cut(picture, 512, 0, 256))]

    def step():
        adam.zero_grad(set_to_none=True)
        with torch.no_grad():
            content = vgg(x, blocks=2)[1]
        taps = vgg(network(x))
        loss = CONTENT_WEIGHT * F.mse_loss(taps[1], content)
        for tap, gram in zip(taps, style):
            loss = loss + STYLE_WEIGHT * F.mse_loss(gram_matrix(tap), gram)
        loss.backward()
        adam.step()
        return loss.item()

    return step


def squared_wasserstein(x, target):
    """autograd/optimal_transport.cpp: of (N, C, P) to (1, C, Q), (N, C)."""
    count, places = x.size(2), target.size(2)
    position = (((torch.arange(count) + 0.5) * (places / count)) - 0.5).clamp(0, places - 1)
    below = position.long()
    above = (below + 1).clamp(max=places - 1)
    target = target.sort(2).values
    quantiles = torch.lerp(target[:, :, below], target[:, :, above], position - below)
    return (x.sort(2).values - quantiles).square().mean(2)


def total_variation(x):
    across, down = x[:, :, :, 1:] - x[:, :, :, :-1], x[:, :, 1:] - x[:, :, :-1]
    return (across.square().sum() + down.square().sum()) / (across.numel() + down.numel())


def quickstart_step():
    network = StyleNetwork(16, 3, load("quick."), skips=True)
    bank, stack = FilterBank(load("filters.")), Stack(load("stack."))
    adam = torch.optim.Adam(network.parameters(), 1e-3)
    x, style = photographs(load("picture")[""], 192), load("style.")

    def step():
        adam.zero_grad(set_to_none=True)
        with torch.no_grad():
            wanted = bank.content(x)
        y = network(x)
        bank_taps = bank.taps(y)
        contents = [content for _, content in bank_taps if content is not None]
        content_loss = 0
        for features, f in zip(contents, wanted):
            content_loss = content_loss + F.mse_loss(features, f) / (f.var((0, 2, 3), unbiased=False).mean() + 1e-3)
        taps, style_loss = [features for features, _ in bank_taps] + stack(y), 0
        for i, features in enumerate(taps):
            directions = style[f"directions.{i}"]
            target = F.conv2d(style[f"features.{i}.0"], directions).flatten(2)
            distance = squared_wasserstein(F.conv2d(features, directions).flatten(2), target)
            style_loss = style_loss + distance.mean() * style[f"weight.{i}.0"]
        style_loss = style_loss / len(taps)
        range_loss = F.relu((y - 0.5).abs() - 0.5).square().mean()
        loss = content_loss / len(wanted) + 60 * style_loss + 0.05 * total_variation(y) + 20 * range_loss
        loss.backward()
        adam.step()
        return loss.item()

    return step


def stylize(size):
    network = StyleNetwork(32, 5, load("full."))
    x = cut(load("picture")[""], 0, 0, size)

    def step():
        with torch.no_grad():
            return network(x).square().mean().item()

    return step


def make_work(name):
    if name == "quickstart_step":
        return quickstart_step()
    kind, size = name.rsplit("_", 1)
    return {"train_step": train_step, "stylize": stylize}[kind](int(size))


# ---- measuring


def say(**line):
    line["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(line), flush=True)


def main():
    if args.export_onnx:
        size, model, raw = int(args.export_onnx[0]), args.export_onnx[1], args.export_onnx[2]
        x = cut(load("picture")[""], 0, 0, size)
        x.numpy().tofile(raw)
        torch.onnx.export(StyleNetwork(32, 5, load("full.")).eval(), x, model, opset_version=13)
        return
    work = make_work(args.work)
    say(work=args.work, results=[work() for _ in range(args.warm_up)])
    for _ in sys.stdin if args.on_request else range(args.rounds):
        begin, elapsed, repetitions = time.perf_counter(), 0.0, 0
        while elapsed < args.seconds or repetitions == 0:
            work()
            repetitions += 1
            elapsed = time.perf_counter() - begin
        say(seconds=elapsed / repetitions)


if __name__ == "__main__":
    main()
