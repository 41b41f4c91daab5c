#!/usr/bin/env python3
"""Makes the checkpoints in weights/foreign/: what programs store beside their weights, and tensors of unusual kinds.

Each whose tensors can be read has NAME.safetensors beside it, with the tensors that PyTorch's own safe loader
(weights_only=True) finds, under the names that aimfair gives them. Made with PyTorch 2.15.0 and safetensors 0.8.0.
"""
import argparse
import collections
import pathlib
import random
import warnings

import numpy
import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent / "weights/foreign"
WRAPPERS = {"state_dict", "model"}
warnings.filterwarnings("ignore")
torch.manual_seed(7)
random.seed(7)
FOLDER.mkdir(exist_ok=True)


def key_text(key, position):
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, tuple):
        parts = [key_text(part, None) if not isinstance(part, tuple) else None for part in key]
        return f"#{position}" if None in parts else f"({', '.join(parts)})"
    if isinstance(key, (bytes, torch.device)) or (isinstance(key, int) and abs(key) > 2**63):
        return None if position is None else f"#{position}"
    return str(key)


def tensors_in(value, name=""):
    if isinstance(value, torch.Tensor):
        return {name: value.detach().contiguous()}
    items = {}
    if isinstance(value, dict):
        items = {key_text(key, i): inner for i, (key, inner) in enumerate(value.items())}
    elif isinstance(value, (list, tuple, set)):
        items = {str(i): inner for i, inner in enumerate(value)}
    found = {}
    for key, inner in items.items():
        found |= tensors_in(inner, f"{name}.{key}" if name else key)
    return found


def write(name, value, readable=True, **options):
    path = FOLDER / f"{name}.pth"
    torch.save(value, path, **options)
    if not readable:
        return
    found = tensors_in(torch.load(path, weights_only=True))
    tops = [key for key in WRAPPERS if all(inner.startswith(key + ".") for inner in found)]
    found = {inner.removeprefix(tops[0] + ".") if tops else inner: tensor.clone() for inner, tensor in found.items()}
    save_file(found, FOLDER / f"{name}.safetensors")


linear = torch.nn.Linear(2, 3)
linear(torch.ones(1, 2)).sum().backward()
optimizer = torch.optim.SGD(linear.parameters(), lr=0.1, momentum=0.9)
optimizer.step()
schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [10, 20])
averaged = torch.optim.swa_utils.AveragedModel(linear)
averaged.update_parameters(linear)
weights = linear.state_dict()

HARMLESS = {
    "state_dict": weights, "device": torch.device("cuda", 1), "dtype": torch.float8_e4m3fn, "size": torch.Size([1, 2]),
    "set": {1, 2}, "no_set": set(), "bytearray": bytearray(b"\0\xffa"), "no_bytearray": bytearray(), "bytes": b"\0\xff\x80z",
    "complex": 1 + 2j, "counter": collections.Counter("aab"), "ordered": collections.OrderedDict(a=1), "layout": torch.strided,
    "large": 2**80, "negative": -(2**70), "none": None, "surrogate": "a\udcffb", "zero": "a\0b",
}
KEYS = {0: torch.ones(1), (1, "a"): torch.ones(2), None: torch.ones(3), True: torch.ones(4), 2.5: torch.ones(5),
        torch.float16: torch.ones(6), b"xy": torch.ones(7), 2**70: torch.ones(8), ("t", (1, 2)): torch.ones(9),
        torch.device("cpu"): torch.ones(10)}
plain, parameter = torch.randn(4), torch.nn.Parameter(torch.randn(3))
plain.note, parameter.note = "x", 5
bytes_256 = torch.arange(256, dtype=torch.uint8)

for suffix, zipped in ("", True), (".old", False):
    def both(name, value, readable=True):
        write(name + suffix, value, readable, _use_new_zipfile_serialization=zipped)

    both("training", {"model": weights, "optimizer": optimizer.state_dict(), "lr_scheduler": schedule.state_dict(),
                      "rng": [torch.get_rng_state()[:16].clone(), random.getstate()], "epoch": 3})
    both("averaged", averaged.state_dict())
    both("harmless", HARMLESS)
    both("keys", KEYS)
    both("attributes", {"plain": plain, "parameter": parameter, "set": {torch.randn(2)}})
    both("trusted", {"state_dict": weights, "args": argparse.Namespace(lr=0.1), "rng": numpy.random.RandomState(7).get_state()[0:1],
                     "array": numpy.arange(3.0), "path": pathlib.PurePosixPath("a/b"), "fresh": collections.defaultdict(list, {1: [2]}),
                     "last": collections.deque([1.5], maxlen=4)}, readable=False)
    both("sparse", {"fc.weight": torch.eye(3).to_sparse()}, readable=False)
    both("sparse_csr", {"fc.weight": torch.eye(3).to_sparse_csr()}, readable=False)
    both("quantised", {"fc.weight": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}, readable=False)
    both("beside", {"model": weights, "extra": {"q": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
                                                "s": torch.eye(2).to_sparse()}}, readable=False)
    both("meta", {"fc.weight": torch.empty(3, device="meta")}, readable=False)
    both("nested", {"fc.weight": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])}, readable=False)
    both("complex", {"fc.weight": torch.ones(2, dtype=torch.complex64)}, readable=False)
    both("conjugated", {"fc.weight": torch.ones(2, dtype=torch.complex64).conj().imag}, readable=False)
write("types", {"e4m3": bytes_256.view(torch.float8_e4m3fn), "e5m2": bytes_256.view(torch.float8_e5m2),
                "turned": bytes_256[:24].view(4, 6).view(torch.float8_e5m2).t(),
                "u16": torch.arange(-2, 3, dtype=torch.int16).view(torch.uint16),
                "u32": torch.arange(-2, 5, dtype=torch.int32).view(torch.uint32)[2:], "u64": torch.arange(-2, 4).view(torch.uint64)})
write("fnuz", {"fc.weight": torch.zeros(4, dtype=torch.float8_e4m3fnuz)}, readable=False)
write("protocol5", {"state_dict": weights, "set": {1, 2}, "frozen": frozenset([1]), "bytearray": bytearray(b"abc"),
                    "bytes": b"\0\xff" * 200, "counter": collections.Counter("ab")}, readable=False, pickle_protocol=5)
# What the eight-bit types mean, as PyTorch widens them.
save_file({"e4m3": bytes_256.view(torch.float8_e4m3fn).float(), "e5m2": bytes_256.view(torch.float8_e5m2).float(),
           "singles": (singles := torch.cat([torch.linspace(-448, 448, 801), 2.0 ** torch.arange(-20, 8.76, 0.25)])),
           "singles_e4m3": singles.to(torch.float8_e4m3fn), "singles_e5m2": singles.to(torch.float8_e5m2)}, FOLDER / "widened.safetensors")
