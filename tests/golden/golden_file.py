"""Writes golden values: a safetensors file in this folder."""
import json
import os
import struct


def write(name, tensors, metadata):
    """Writes `tensors`, a dict of torch tensors, as float64 with texts as metadata; returns its path and size in bytes.

    https://github.com/huggingface/safetensors, "Format": length of the header, header, numbers.
    """
    header = {"__metadata__": metadata}
    data = b""
    for key, tensor in tensors.items():
        numbers = tensor.double().contiguous().numpy().tobytes()
        header[key] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head + data)
    return path, 8 + len(head) + len(data)
