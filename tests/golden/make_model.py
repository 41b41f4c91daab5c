#!/usr/bin/env python3
"""Golden list of ResNet-18's tensors for tests/model: name, type, shape, as torchvision's state_dict has them.

    python make_model.py        (writes tests/golden/model/resnet18_keys.txt)

Made with torch 2.15.0, torchvision 0.29.2. Nothing is random: only names, types and shapes are written.
"""

import os

import torchvision

TYPES = {"torch.float32": "f32", "torch.int64": "i64"}


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model")
    os.makedirs(folder, exist_ok=True)
    state = torchvision.models.resnet18(num_classes=1).state_dict()
    with open(os.path.join(folder, "resnet18_keys.txt"), "w") as file:
        for name, tensor in state.items():
            shape = "x".join(str(size) for size in tensor.shape) or "scalar"
            file.write(f"{name} {TYPES[str(tensor.dtype)]} {shape}\n")


main()
