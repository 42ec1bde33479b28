#!/usr/bin/env python3
"""The work of benchmarks/train_step.cpp in PyTorch, 1.13 or newer, on the numbers that it wrote.

Usage: peer_torch.py --data FILE [--work NAME] [--threads N] [--warm-up N] [--rounds N | --on-request] [--seconds S]
                     [--channels-last] [--compile]
       peer_torch.py --data FILE --export-onnx SIZE MODEL.onnx INPUT.raw

FILE is what `benchmark-train-step --write-data FILE` writes. Works, options and printed lines are those of that program.
--channels-last keeps pictures and weights in the order that oneDNN prefers, --compile gives what is differentiated to
torch.compile. --export-onnx writes the style network for one picture of SIZE, and the picture as float32.
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
parser.add_argument("--channels-last", action="store_true")
parser.add_argument("--compile", action="store_true")
parser.add_argument("--export-onnx", nargs=3, metavar=("SIZE", "MODEL", "INPUT"))
args = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(args.threads)

import torch  # noqa: E402  (reads the environment)
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

torch.set_num_threads(args.threads)
MEMORY_FORMAT = torch.channels_last if args.channels_last else torch.contiguous_format
BATCH = 4
CONTENT_WEIGHT, STYLE_WEIGHT = 1e5, 1e10


def load(prefix):
    """The tensors of the safetensors file whose names begin with `prefix`, under the rest of their names."""
    with open(args.data, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        begin = 8 + struct.unpack("<Q", data[:8])[0]
        result = {}
        for name, entry in json.loads(data[8:begin]).items():
            if name.startswith(prefix) and entry["dtype"] == "F32":
                first, last = entry["data_offsets"]
                values = torch.frombuffer(bytearray(data[begin + first:begin + last]), dtype=torch.float32)
                values = values.reshape(entry["shape"])
                if values.dim() == 4:
                    values = values.contiguous(memory_format=MEMORY_FORMAT)
                result[name[len(prefix):]] = values
        return result


def compiled(function):
    """The function, through torch.compile if that was asked for."""
    return torch.compile(function) if args.compile else function


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


def groups_of(channels):
    """As examples/painting/style_network.cpp chooses them."""
    groups = min(32, max(1, channels // 2))
    while channels % groups:
        groups -= 1
    return groups


NORMS = {"instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
         "batch": nn.BatchNorm2d,
         "group": lambda channels: nn.GroupNorm(groups_of(channels), channels),
         "layer": lambda channels: nn.GroupNorm(1, channels)}


class ResidualBlock(nn.Module):
    def __init__(self, channels, norm):
        super().__init__()
        self.conv1, self.conv2 = ConvLayer(channels, channels, 3, 1), ConvLayer(channels, channels, 3, 1)
        self.in1, self.in2 = norm(channels), norm(channels)

    def forward(self, x):
        return x + self.in2(self.conv2(torch.relu(self.in1(self.conv1(x)))))


class StyleNetwork(nn.Module):
    """PyTorch's fast_neural_style transformer (Johnson et al. 2016), with gesso's linear output 0.5 + 0.25 y."""

    def __init__(self, width, blocks, weights, norm=NORMS["instance"]):
        super().__init__()
        w = width
        self.conv1, self.in1 = ConvLayer(3, w, 9, 1), norm(w)
        self.conv2, self.in2 = ConvLayer(w, 2 * w, 3, 2), norm(2 * w)
        self.conv3, self.in3 = ConvLayer(2 * w, 4 * w, 3, 2), norm(4 * w)
        self.blocks = blocks
        for i in range(blocks):
            setattr(self, f"res{i + 1}", ResidualBlock(4 * w, norm))
        self.deconv1, self.in4 = UpsampleConvLayer(4 * w, 2 * w, 3, 1), norm(2 * w)
        self.deconv2, self.in5 = UpsampleConvLayer(2 * w, w, 3, 1), norm(w)
        self.deconv3 = ConvLayer(w, 3, 9, 1)
        self.load_state_dict(weights, strict=False)  # without batch norm's running statistics
        self.to(memory_format=MEMORY_FORMAT)

    def forward(self, x):
        x = torch.relu(self.in1(self.conv1(x)))
        x = torch.relu(self.in2(self.conv2(x)))
        x = torch.relu(self.in3(self.conv3(x)))
        for i in range(self.blocks):
            x = getattr(self, f"res{i + 1}")(x)
        x = torch.relu(self.in4(self.deconv1(x)))
        x = torch.relu(self.in5(self.deconv2(x)))
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


class SqueezeNet:
    """examples/painting/squeezenet.cpp: the results of SqueezeNet 1.0's layers down to fire6, in-place ReLUs."""

    # Of the fire modules 2 to 6: torchvision's number, and whether pooling comes before.
    FIRES = ((3, True), (4, False), (5, False), (7, True), (8, False))

    def __init__(self, weights):
        self.weights = weights
        self.mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        self.std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

    def convolution(self, x, key, padding=0, stride=1):
        if padding:
            x = F.pad(x, (padding,) * 4, mode="reflect")
        return F.relu_(F.conv2d(x, self.weights[key + ".weight"], self.weights[key + ".bias"], stride))

    def __call__(self, x, fires=5):
        x = self.convolution((x - self.mean) / self.std, "features.0", 3, 2)
        layers = [x]
        for number, pooled in self.FIRES[:fires]:
            key = f"features.{number}"
            x = self.convolution(F.max_pool2d(x, 3, 2, ceil_mode=True) if pooled else x, key + ".squeeze")
            x = torch.cat([self.convolution(x, key + ".expand1x1"), self.convolution(x, key + ".expand3x3", 1)], 1)
            layers.append(x)
        return layers


class AnyStyleNetwork:
    """examples/painting/any_style_network.cpp: a style picture's statistics choose every norm's gamma and beta."""

    def __init__(self, width, blocks, weights):
        self.weights = weights
        self.encoder = SqueezeNet({key[len("encoder_"):].replace("_", "."): weight for key, weight in weights.items()
                                   if key.startswith("encoder_")})
        network = {key[len("network."):]: weight for key, weight in weights.items() if key.startswith("network.")}
        # Rows of gamma and beta, by the name of their norm, whose own they become when a style is chosen.
        self.rows = {key: rows for key, rows in network.items() if key.split(".")[-2].startswith("in")}
        self.network = StyleNetwork(width, blocks, {key: rows[0] if key in self.rows else rows
                                                    for key, rows in network.items()})

    def statistics(self, picture):
        full, half = self.encoder(picture), self.encoder(F.avg_pool2d(picture, 2))
        taps = [picture] + full[:4] + full[5:] + half  # fire5 is content alone at full size
        moments = []
        for x in taps:
            variance, mean = torch.var_mean(x, (2, 3), unbiased=False)
            moments += [mean, (variance + 1e-5).sqrt()]
        return torch.cat(moments, 1)

    def mix_of(self, picture):
        w = self.weights
        relative = ((self.statistics(picture) - w["mean"]) / w["deviation"]).clamp(-3, 3) / w["mean"].shape[1] ** 0.5
        manners = F.linear(torch.relu(F.linear(relative, w["hidden.weight"], w["hidden.bias"])), w["manners.weight"],
                           w["manners.bias"])
        return torch.cat([torch.ones(1, 1), manners], 1)

    def set_style(self, picture):
        mix = self.mix_of(picture)
        parameters = dict(self.network.named_parameters())
        for key, rows in self.rows.items():
            parameters[key].copy_((mix @ rows)[0])


# ---- the works: each returns the function that does it once


def cut(picture, top, left, size):
    return picture[:, :, top:top + size, left:left + size].contiguous(memory_format=MEMORY_FORMAT)


def photographs(picture, size, count=BATCH):
    return torch.cat([cut(picture, 0, i * size, size) for i in range(count)])


def gram_matrix(y):
    n, c, h, w = y.shape
    features = y.reshape(n, c, h * w)
    return features.bmm(features.transpose(1, 2)) / (c * h * w)


def training(network, loss_of):
    """The function that takes a step of Adam on loss_of() and returns the loss."""
    adam = torch.optim.Adam(network.parameters(), 1e-3)
    loss_of = compiled(loss_of)

    def step():
        adam.zero_grad(set_to_none=True)
        loss = loss_of()
        loss.backward()
        adam.step()
        return loss.item()

    return step


def train_step(size, norm="instance", batch=BATCH):
    network = StyleNetwork(32, 5, load(f"full_{norm}."), NORMS[norm])
    vgg, picture = Vgg16(load("vgg.")), load("picture")[""]
    x = photographs(picture, size, batch)
    with torch.no_grad():
        style = [gram_matrix(tap).repeat(batch, 1, 1) for tap in vgg(cut(picture, 512, 0, 256))]

    def loss_of():
        with torch.no_grad():
            content = vgg(x, blocks=2)[1]
        taps = vgg(network(x))
        loss = CONTENT_WEIGHT * F.mse_loss(taps[1], content)
        for tap, gram in zip(taps, style):
            loss = loss + STYLE_WEIGHT * F.mse_loss(gram_matrix(tap), gram)
        return loss

    return training(network, loss_of)


def total_variation(x):
    across, down = x[:, :, :, 1:] - x[:, :, :, :-1], x[:, :, 1:] - x[:, :, :-1]
    return (across.square().sum() + down.square().sum()) / (across.numel() + down.numel())


def quickstart_step():
    network = StyleNetwork(16, 4, load("quick."))
    squeezenet, style, weight = SqueezeNet(load("squeezenet.")), load("style."), load("loss_weight.")
    x = photographs(load("picture")[""], 192)

    def loss_of():
        with torch.no_grad():
            wanted = squeezenet(x, fires=4)[-1]
        y = network(x)
        layers = squeezenet(y)
        content_loss = F.mse_loss(layers[4], wanted) / (wanted.var((0, 2, 3), unbiased=False).mean() + 1e-3)
        style_loss, count = 0, 0
        for i, tap in enumerate([y] + layers + squeezenet(F.avg_pool2d(y, 2))):
            if f"features.{i}.0" in style:  # fire5 is content alone at full size
                gram = gram_matrix(tap).mean(0, keepdim=True) * tap.shape[1]
                distance = (gram - style[f"features.{i}.0"]).square().mean()
                style_loss, count = style_loss + distance * style[f"weight.{i}.0"], count + 1
        range_loss = F.relu((y - 0.5).abs() - 0.5).square().mean()
        loss = weight["content"] * content_loss + weight["style"] / count * style_loss
        return loss + weight["tv"] * total_variation(y) + weight["range"] * range_loss

    return training(network, loss_of)


def painting(paint):
    """The function that paints, and returns the mean square of the painting."""
    paint = compiled(paint)

    def step():
        with torch.no_grad():
            return paint().square().mean().item()

    return step


def stylize(size):
    network = StyleNetwork(32, 5, load("full_instance."))
    picture = load("picture")[""]
    if size <= min(picture.shape[2:]):
        x = cut(picture, 0, 0, size)
    else:
        x = F.interpolate(picture, (size, size), mode="bilinear", align_corners=False)
    return painting(lambda: network(x))


def any_style(size):
    network = AnyStyleNetwork(16, 4, load("any."))
    picture = load("picture")[""]
    style, x = cut(picture, 512, 0, size), cut(picture, 0, 0, size)

    def paint():
        network.set_style(style)
        return network.network(x)

    return painting(paint)


def make_work(name):
    if name == "quickstart_step":
        return quickstart_step()
    if name == "one_photograph_128":
        return train_step(128, batch=1)
    kind, size = name.rsplit("_", 1)
    if kind.endswith("_norm"):
        return train_step(int(size), kind.removesuffix("_norm"))
    return {"train_step": train_step, "stylize": stylize, "any_style": any_style}[kind](int(size))


# ---- measuring


def say(**line):
    line["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(line), flush=True)


def main():
    if args.export_onnx:
        size, model, raw = int(args.export_onnx[0]), args.export_onnx[1], args.export_onnx[2]
        x = cut(load("picture")[""], 0, 0, size)
        x.numpy().tofile(raw)
        # The exporter that 1.13 has too; newer versions must be asked for it.
        older = {} if torch.__version__.startswith("1.") else {"dynamo": False}
        torch.onnx.export(StyleNetwork(32, 5, load("full_instance.")).eval(), x, model, opset_version=13, **older)
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
