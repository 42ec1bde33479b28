#!/usr/bin/env python3
"""Writes optimizers.safetensors: parameters after steps of PyTorch's optimisers, gradients clipped by its
clip_grad_norm_, and the factors of its learning-rate schedules.

Two parameters get the same gradients in every variant; the second has none in steps 3 and 4, and the learning rate
is halved from step 6 on. Run with Debian's python3-torch 1.13: tests/golden/make_optimizers.py
"""
import json
import pathlib
import struct

import torch
from torch.optim import LBFGS, SGD, Adam, AdamW
from torch.optim import lr_scheduler as schedulers

STEPS = 10
SHAPES = [(7, 5), (3,)]
KEPT = [1, 5, 10]  # steps after which parameters are written

VARIANTS = {
    "sgd": (SGD, dict(lr=0.1)),
    "sgd_decay": (SGD, dict(lr=0.1, weight_decay=0.05)),
    "sgd_momentum": (SGD, dict(lr=0.1, momentum=0.9)),
    "sgd_dampening": (SGD, dict(lr=0.1, momentum=0.8, dampening=0.3, weight_decay=0.05)),
    "sgd_nesterov": (SGD, dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05)),
    "adam": (Adam, dict(lr=0.01)),
    "adam_options": (Adam, dict(lr=0.05, betas=(0.7, 0.95), eps=1e-3)),
    "adam_decay": (Adam, dict(lr=0.01, weight_decay=0.3)),
    "adamw": (AdamW, dict(lr=0.01)),
    "adamw_decay": (AdamW, dict(lr=0.05, weight_decay=0.3)),
}


# Options of the first parameter's group and of the second's.
GROUPS = {
    "adam_groups": (Adam, dict(lr=0.01), dict(lr=0.05, weight_decay=0.3, betas=(0.7, 0.95))),
    "adamw_groups": (AdamW, dict(lr=0.02, weight_decay=0), dict(lr=0.01)),
    "sgd_groups": (SGD, dict(lr=0.1), dict(lr=0.02, momentum=0.9)),
}

LBFGS_VARIANTS = {
    "lbfgs": dict(lr=0.1),
    "lbfgs_short": dict(lr=0.5, max_iter=3, history_size=2),
    "lbfgs_wolfe": dict(line_search_fn="strong_wolfe"),
    "lbfgs_wolfe_short": dict(lr=2, max_iter=4, history_size=3, line_search_fn="strong_wolfe"),
}


def valley(x, y):
    """Rosenbrock's, and a bowl."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum() + ((y - 1) ** 4).sum() + (y ** 2).sum()


def descent(options):
    x = torch.tensor([-1.2, 1, 0.5, -0.3], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[2.0, -1, 0.3]], dtype=torch.float64, requires_grad=True)
    opt = LBFGS([x, y], **options)

    def closure():
        opt.zero_grad()
        loss = valley(x, y)
        loss.backward()
        return loss

    losses, places = [], []
    for _ in range(6):
        losses.append(opt.step(closure).detach())
        places.append(torch.cat([x.detach().flatten(), y.detach().flatten()]))
    return torch.stack(losses), torch.stack(places)


def write_safetensors(path, tensors):
    names = {torch.float32: "F32", torch.float64: "F64"}
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def trajectory(optimizer, options, start, gradients, dtype):
    parameters = [torch.nn.Parameter(x.to(dtype, copy=True)) for x in start]
    if isinstance(options, tuple):
        options = [dict(params=[p], **o) for p, o in zip(parameters, options)]
        opt = optimizer(options, foreach=False, lr=1)
    else:
        opt = optimizer(parameters, foreach=False, **options)
    after = {}
    for step in range(1, STEPS + 1):
        for i, p in enumerate(parameters):
            p.grad = None if i == 1 and step in (3, 4) else gradients[i][step - 1].to(dtype)
        if step == 6:
            for group in opt.param_groups:
                group["lr"] /= 2
        opt.step()
        if step in KEPT:
            for i, p in enumerate(parameters):
                after[f"{step}.{i}"] = p.detach().clone()
    return after


def factors(make_schedule, steps):
    opt = SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make_schedule(opt)
    values = []
    for _ in range(steps):
        values.append(opt.param_groups[0]["lr"])
        opt.step()
        schedule.step()
    return torch.tensor(values, dtype=torch.float64)


def main():
    torch.manual_seed(7)
    start = [torch.randn(shape, dtype=torch.float64) for shape in SHAPES]
    gradients = [torch.randn((STEPS, *shape), dtype=torch.float64) for shape in SHAPES]
    out = {}
    for i in range(len(SHAPES)):
        out[f"start.{i}"] = start[i]
        out[f"gradients.{i}"] = gradients[i]
    grouped = {name: (optimizer, tuple(options)) for name, (optimizer, *options) in GROUPS.items()}
    for name, (optimizer, options) in (VARIANTS | grouped).items():
        for dtype, label in ((torch.float64, "float64"), (torch.float32, "float32")):
            for key, value in trajectory(optimizer, options, start, gradients, dtype).items():
                out[f"{name}.{label}.{key}"] = value

    for name, options in LBFGS_VARIANTS.items():
        out[f"{name}.losses"], out[f"{name}.places"] = descent(options)

    for max_norm in (0.5, 100.0):
        parameters = [torch.nn.Parameter(x.clone()) for x in start]
        for p, g in zip(parameters, gradients):
            p.grad = g[0].clone()
        out[f"clip.{max_norm:g}.norm"] = torch.nn.utils.clip_grad_norm_(parameters, max_norm)
        for i, p in enumerate(parameters):
            out[f"clip.{max_norm:g}.{i}"] = p.grad

    out["schedule.step"] = factors(lambda o: schedulers.StepLR(o, 3, 0.5), 12)
    out["schedule.cosine"] = factors(lambda o: schedulers.CosineAnnealingLR(o, 9, 0.05), 10)
    out["schedule.warmup"] = factors(lambda o: schedulers.LinearLR(o, 1 / 4, 1.0, 3), 12)
    out["schedule.warmup_cosine"] = factors(
        lambda o: schedulers.SequentialLR(o, [schedulers.LinearLR(o, 1 / 4, 1.0, 3),
                                              schedulers.CosineAnnealingLR(o, 9, 0.05)], [4]), 14)
    write_safetensors(pathlib.Path(__file__).with_name("optimizers.safetensors"), out)


if __name__ == "__main__":
    main()
