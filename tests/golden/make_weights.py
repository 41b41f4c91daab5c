#!/usr/bin/env python3
"""Golden weight files for tests/weights, written by PyTorch and the safetensors package.

    python make_weights.py        (writes tests/golden/weights/)

Made with torch 2.15.0, safetensors 0.8.0, Python 3.11.7. Nothing is random: every value follows from its position.
"""

import os

import safetensors.torch
import torch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights")
PICKLED = {torch.float32: "f32", torch.bfloat16: "bf16", torch.float16: "f16", torch.float64: "f64",
           torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8", torch.uint8: "u8",
           torch.bool: "bool"}


def path(name):
    return os.path.join(HERE, name)


def ramp(*shape, dtype=torch.float32, start=-1.0, step=0.3125):
    """start, start + step, ... : exact in bfloat16 for the first few elements, and different everywhere."""
    count = 1
    for size in shape:
        count *= size
    return (torch.arange(count, dtype=torch.float64) * step + start).reshape(shape).to(dtype)


def all_types():
    tensors = {PICKLED[t]: ramp(2, 3, dtype=t, start=-2 if t.is_floating_point else 1,
                                step=0.3125 if t.is_floating_point else 1) for t in PICKLED}
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 4)
    return tensors


def main():
    os.makedirs(HERE, exist_ok=True)
    safetensors.torch.save_file(all_types(), path("types.safetensors"), metadata={"made by": "safetensors \"0.8\" – é"})


if __name__ == "__main__":
    main()
