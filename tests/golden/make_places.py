#!/usr/bin/env python3
"""Golden values for tests/model/test_places.c, to stdout: rows for places of a vision transformer, resampled by timm.

Each case goes from a picture's width and height to another's, in patches of 32; every row of the result is there, with
the channels that are listed.
"""
import json

import torch
from timm.layers import resample_abs_pos_embed

PATCH, CHANNELS, SHOWN = 32, 384, [0, 1, 100, 383]
CASES = [((224, 224), (96, 64)), ((64, 64), (224, 192)), ((256, 64), (128, 128)), ((256, 64), (96, 160)),
         ((96, 192), (192, 96))]


def rows(n):
    row, channel = torch.arange(n)[:, None], torch.arange(CHANNELS)[None]
    return (((row * row * 5 + row * 7 + channel * 13) % 29 - 14) / 16)[None].float()


def places(size):
    return size[1] // PATCH, size[0] // PATCH


def case(before, after):
    old, new = places(before), places(after)
    result = resample_abs_pos_embed(rows(1 + old[0] * old[1]), new, old, num_prefix_tokens=1)[0]
    values = [float(f"{value:.7g}") for value in result[:, SHOWN].flatten().tolist()]
    return {"before": before, "after": after, "values": values}


print(json.dumps({"channels": SHOWN, "cases": [case(*sizes) for sizes in CASES]}))
