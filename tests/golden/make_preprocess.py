#!/usr/bin/env python3
"""Makes preprocess.txt in the folder image beside this file: pictures as torchvision and Pillow bring them before a network.

Every way of resizing (PIL images, uint8 tensors of transforms and of transforms.v2, floating-point tensors), both interpolations, with and
without antialiasing, rectangular inputs, Resize of the shorter side with CenterCrop, CenterCrop before Resize, mirroring, order of channels and range of
values. PyTorch runs with one thread, as in a data loader's worker: with more it may add up in another order. Pictures are those of make_image.py's noise().
Needs pillow, torch, torchvision, numpy; written with the versions in the table's first line.
"""

import hashlib
import itertools
import random

import numpy
import torch
from make_image import OUT, VERSIONS, noise
from PIL import Image
from torchvision.transforms import InterpolationMode, functional
from torchvision.transforms.v2 import functional as functional_v2

MODES = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}
WAYS = [("pillow", "yes"), ("tensor", "yes"), ("tensor", "no"), ("tensor-v2", "yes"), ("tensor-v2", "no"), ("float", "yes"), ("float", "no")]


def opened(picture, resizer, full_range):
    """The picture as the first transform hands it on."""
    if resizer == "pillow":
        return Image.fromarray(picture)
    tensor = torch.from_numpy(picture).permute(2, 0, 1).contiguous()
    if resizer == "float":
        return tensor.float() if full_range else tensor.float() / 255
    return tensor


def preprocess(picture, case):
    """(3, height, width) f32 of a picture, with torchvision alone."""
    width, height, first, resize, interpolation, (resizer, antialias), flip, bgr, full_range, mean, std = case
    library = functional_v2 if resizer == "tensor-v2" else functional
    image = opened(picture, resizer, full_range)
    if first:
        image = library.center_crop(image, [first, first])
    antialiased = {} if resizer == "pillow" else {"antialias": antialias == "yes"}
    image = library.resize(image, [resize] if resize else [height, width], MODES[interpolation], **antialiased)
    if resize:
        image = library.center_crop(image, [height, width])
    if flip:
        image = library.hflip(image)
    if resizer == "pillow":
        image = torch.from_numpy(numpy.asarray(image).copy()).permute(2, 0, 1)
    if image.dtype == torch.uint8:
        image = image.float() if full_range else image.float() / 255
    image = functional.normalize(image, mean, std)
    return image.flip(0) if bgr else image


def cases(draw, per_way, crops_first):
    norms = [((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), ((0.1, 0.7, 0.3), (0.3, 1.5, 0.9))]
    for i, (way, interpolation, k) in enumerate(itertools.product(WAYS, MODES, range(per_way))):
        width, height = (int(2 ** draw.uniform(1, 6.5)) for _ in range(2))
        picture_width, picture_height = (int(2 ** draw.uniform(1, 7)) for _ in range(2))
        resize = 0 if k % 2 else max(1, int(max(width, height) * draw.choice([1, 256 / 224, 0.8, 1.3])))
        first = max(1, int(min(picture_width, picture_height) * draw.choice([0.4, 0.9, 1, 1.5, 4]))) if crops_first else 0
        full_range = k % 5 == 4
        mean, std = norms[k % 3] if not full_range else ((123.0, 117.0, 104.0), (1.0, 58.5, 57.25))
        yield i, picture_width, picture_height, (width, height, first, resize, interpolation, way, k % 3 == 2, k % 4 == 3, full_range, mean, std)


def make():
    torch.set_num_threads(1)
    lines = [f"# {VERSIONS}",
             "# index picture(width height) width height first resize interpolation resizer antialias flip order range mean std -> sha256(f32 planes)",
             "# after 'float', which is compared by value: the first, middle and last value and the mean of all"]
    for i, picture_width, picture_height, case in itertools.chain(cases(random.Random(1), 14, False), cases(random.Random(2), 6, True)):
        width, height, first, resize, interpolation, (resizer, antialias), flip, bgr, full_range, mean, std = case
        planes = preprocess(noise(i, picture_width, picture_height), case).contiguous().numpy()
        flat = planes.reshape(-1)
        if resizer == "float":
            result = " ".join(repr(float(v)) for v in (flat[0], flat[flat.size // 2], flat[-1], flat.astype(float).mean()))
        else:
            result = hashlib.sha256(planes.tobytes()).hexdigest()
        numbers = " ".join(repr(v) for v in (*mean, *std))
        lines.append(f"{i} {picture_width} {picture_height} {width} {height} {first} {resize} {interpolation} {resizer} {antialias} {int(flip)} "
                     f"{'bgr' if bgr else 'rgb'} {255 if full_range else 1} {numbers} {result}")
    (OUT / "preprocess.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    make()
