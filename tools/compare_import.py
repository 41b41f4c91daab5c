#!/usr/bin/env python3
"""Compares imported classifiers with PyTorch and torchvision, end to end: compare_import.py PROGRAM PICTURE…

For every way of preprocessing, with one, two and five outputs: a random ResNet-18 whose running statistics are not trivial, its logits
on the pictures by torchvision's transforms, `aimfair import --verify` of both, and the largest difference that it says. Needs torch, torchvision.
"""

import csv
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy
import torch
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode, functional
from torchvision.transforms.v2 import functional as functional_v2

MODES = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}
WAYS = [("pillow", "yes"), ("tensor", "yes"), ("tensor", "no"), ("tensor-v2", "yes"), ("tensor-v2", "no"), ("float", "yes"), ("float", "no")]
NORMS = {"1": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), "255": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))}


def network(outputs):
    """A ResNet-18 whose batch norms have seen something, so that logits are of the size of trained ones."""
    model = torchvision.models.resnet18(weights=None, num_classes=outputs)
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(16, 3, 64, 64))
        model.fc.weight.mul_(10)
    return model.eval()


def prepare(path, width, height, resize, interpolation, resizer, antialias, order, value_range):
    library = functional_v2 if resizer == "tensor-v2" else functional
    full = value_range == "255"
    image = Image.open(path).convert("RGB")
    options = {}
    if resizer != "pillow":
        image = functional.pil_to_tensor(image)
        options["antialias"] = antialias == "yes"
    if resizer == "float":
        image = image.float() if full else image.float() / 255
    image = library.resize(image, [resize] if resize else [height, width], MODES[interpolation], **options)
    if resize:
        image = library.center_crop(image, [height, width])
    if resizer == "pillow":
        image = functional.pil_to_tensor(image)
    if image.dtype == torch.uint8:
        image = image.float() if full else image.float() / 255
    image = functional.normalize(image, *NORMS[value_range])
    return image.flip(0) if order == "bgr" else image


def compare(program, pictures, outputs, case, folder):
    width, height, resize, interpolation, (resizer, antialias), order, value_range = case
    model = network(outputs)
    torch.save(model.state_dict(), folder / "weights.pth")
    images = torch.stack([prepare(p, width, height, resize, interpolation, resizer, antialias, order, value_range) for p in pictures])
    with torch.no_grad():
        logits = model(images).numpy()
    names = ["logit"] if outputs == 1 else [f"logit{i}" for i in range(outputs)]
    with open(folder / "logits.csv", "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["path", *names])
        writer.writerows([str(p.resolve()), *map(repr, row.tolist())] for p, row in zip(pictures, logits))
    mean, std = (",".join(map(repr, v)) for v in NORMS[value_range])
    command = [program, "import", "-q", "--json", str(folder / "weights.pth"), "-o", str(folder / "model.safetensors"), "--arch", "resnet18",
               "--image-size", f"{width}x{height}", f"--mean={mean}", "--std", std, "--value-range", value_range, "--channel-order", order,
               "--interpolation", interpolation, "--antialias", antialias, "--resizer", resizer, "--verify", str(folder / "logits.csv")]
    if resize:
        command += ["--resize", str(resize), "--crop", f"{width}x{height}"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        return run.stderr.strip(), float(numpy.abs(logits).max())
    return json.loads(run.stdout)["verified"]["largest_difference"], float(numpy.abs(logits).max())


def main():
    program, pictures = sys.argv[1], [pathlib.Path(p) for p in sys.argv[2:]]
    torch.manual_seed(1)
    torch.set_num_threads(1)
    draw = random.Random(1)
    worst, failed = 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        for way, interpolation, outputs in itertools.product(WAYS, MODES, (1, 2, 5)):
            width, height = draw.choice([(64, 64), (96, 64), (50, 80), (224, 224)])
            resize = draw.choice([0, max(width, height), int(max(width, height) * 8 / 7), 40])
            case = (width, height, resize, interpolation, way, draw.choice(["rgb", "bgr"]), draw.choice(["1", "255"]))
            difference, size = compare(program, pictures, outputs, case, pathlib.Path(name))
            print(outputs, *case, difference, f"(logits up to {size:.3g})", flush=True)
            if isinstance(difference, str):
                failed += 1
            else:
                worst = max(worst, difference)
    print(f"largest relative difference {worst:.3g}, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
