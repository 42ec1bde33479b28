#!/usr/bin/env python3
"""Writes torch/*.pth: small files as torch.save() writes them, in both forms, and torch_files.safetensors: the numbers
that gesso must read from them.

Run with Debian's python3-torch: tests/golden/make_torch_files.py
"""
import collections
import json
import pathlib
import struct
import zipfile

import torch
from torch import nn

here = pathlib.Path(__file__).parent
folder = here / "torch"
folder.mkdir(exist_ok=True)
torch.manual_seed(5)


def save_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        wide = tensor.dtype in (torch.float64, torch.int64, torch.int32)
        raw = tensor.detach().contiguous().to(torch.float64 if wide else torch.float32).numpy().tobytes()
        header[name] = {"dtype": "F64" if wide else "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


base = torch.randn(4, 6)
tensors = collections.OrderedDict(
    float32=torch.randn(2, 3, 1, 2), float64=torch.randn(5, dtype=torch.float64), float16=torch.randn(3, 2).half(),
    bfloat16=torch.randn(4).bfloat16(), int64=torch.tensor([[-3, 2**53 - 1]]),
    int32=torch.tensor([-(2**31), 7], dtype=torch.int32), int16=torch.tensor([-(2**15), 9], dtype=torch.int16),
    int8=torch.tensor([-128, 127], dtype=torch.int8), uint8=torch.tensor([0, 255], dtype=torch.uint8),
    bool=torch.tensor([True, False, True]), scalar=torch.tensor(2.5), empty=torch.zeros(0, 4),
    parameter=nn.Parameter(torch.randn(3)), base=base, transposed=base.t(), every_second=base[1:, ::2], row=base[2],
    repeated=torch.tensor([[1.0], [2.0]]).expand(2, 3))
numbers = {f"plain.{k}": v for k, v in tensors.items()}
everything = collections.OrderedDict(tensors, complex64=torch.zeros(2, dtype=torch.complex64))
torch.save(everything, folder / "plain.pth")
torch.save(everything, folder / "plain_stream.pth", _use_new_zipfile_serialization=False)
torch.save(everything, folder / "plain_protocol4.pth", pickle_protocol=4)

# The same archive as a zip program would pack it.
with zipfile.ZipFile(folder / "plain.pth") as stored, \
        zipfile.ZipFile(folder / "plain_deflated.pth", "w", zipfile.ZIP_DEFLATED) as deflated:
    for entry in sorted(stored.namelist()):
        deflated.writestr(zipfile.ZipInfo(entry, (2000, 1, 1, 0, 0, 0)), stored.read(entry), zipfile.ZIP_DEFLATED)

# What a training leaves: the weights among other things, their names as DataParallel makes them.
net = nn.DataParallel(nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)))
optimizer = torch.optim.Adam(net.parameters())
net.module(torch.randn(2, 2, 5, 5)).sum().backward()
optimizer.step()
checkpoint = {"epoch": 3, "arch": "net", "best": 0.5, "state_dict": net.state_dict(), "optimizer": optimizer.state_dict()}
torch.save(checkpoint, folder / "checkpoint.pth")
torch.save(checkpoint, folder / "checkpoint_stream.pth", _use_new_zipfile_serialization=False)
numbers |= {f"checkpoint.{k}": v for k, v in net.module.state_dict().items()}
torch.save({"a": {"w": torch.ones(2)}, "b": [torch.zeros(1), {"c": torch.ones(1)}]}, folder / "nested.pth")
torch.save(torch.arange(3.0), folder / "one_tensor.pth")

# A small network of the fast_neural_style example as it is published: keys of before PyTorch 0.4, pictures 0 to 255.
from make_style_network import StyleNetwork  # noqa: E402

network = StyleNetwork(3, 2)
with torch.no_grad():
    network.conv1.conv2d.weight /= 255
    network.deconv3.conv2d.weight *= 50
    network.deconv3.conv2d.bias += 120
state = network.state_dict()
for name in [k for k in state if k.endswith("weight") and ".in" in "." + k]:
    state[name.replace("weight", "running_mean")] = torch.zeros(state[name].shape)
    state[name.replace("weight", "running_var")] = torch.ones(state[name].shape)
torch.save(state, folder / "fast_neural_style.pth", _use_new_zipfile_serialization=False)
photograph = torch.rand(1, 3, 16, 20)
# StyleNetwork ends in 0.5 + 0.25 y, the example in y.
numbers |= {"style.input": photograph, "style.output": (network(255 * photograph) - 0.5) / 0.25 / 255}

# What is refused: a whole module, a program.
torch.save(nn.Conv2d(1, 1, 1), folder / "module.pth")
torch.jit.script(nn.Linear(1, 1)).save(str(folder / "script.pth"))
save_safetensors(here / "torch_files.safetensors", numbers)
