#!/usr/bin/env python3
"""Makes resnet.safetensors: one training step of torchvision's ResNet-18 in f64, and PyTorch's own errors in f32 and bf16.

Weights, images and targets come from formula.py, so the file holds results only: the logits in training and evaluation mode, the loss,
and of every gradient up to SAMPLES entries at places drawn by formula (all, where there are no more). Beside each, "error/<precision>/
<name>" holds PyTorch's relative 2-norm error over the same entries in its two memory layouts, contiguous and channels last.
bf16 is autocast, as users run it. Seed: the tensors' names.
"""
import pathlib

import numpy
import safetensors.torch
import torch
import torchvision

import formula

HERE = pathlib.Path(__file__).parent
BATCH, SIZE, SAMPLES = 16, 64, 256
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def tensor_values(name, shape):
    """As tensor_fill in tests/model/test_resnet.c."""
    values = formula.fine(name, int(numpy.prod(shape)))
    if len(shape) == 4:  # He et al. 2015, fan out: variance 2 / (O kh kw), of a uniform distribution
        values = values * numpy.sqrt(6 / (shape[0] * shape[2] * shape[3]))
    elif name == "fc.weight":
        values = values * numpy.sqrt(1 / shape[1])
    elif name.endswith("weight") or name.endswith("running_var"):
        values = values * 0.25 + 1
    else:
        values = values * 0.125
    return torch.tensor(values.astype(numpy.float32).reshape(shape))


def weights():
    state = torchvision.models.resnet18(num_classes=1).state_dict()
    return {name: old if old.ndim == 0 else tensor_values(name, tuple(old.shape)) for name, old in state.items()}


def batch():
    images = formula.fine("images", BATCH * 3 * SIZE * SIZE).astype(numpy.float32)
    targets = (formula.hashes("targets", BATCH) >> numpy.uint32(8) & numpy.uint32(1)).astype(numpy.float32)
    return torch.tensor(images.reshape(BATCH, 3, SIZE, SIZE)), torch.tensor(targets.reshape(BATCH, 1))


def step(dtype, layout, autocast=False):
    model = torchvision.models.resnet18(num_classes=1)
    model.load_state_dict(weights())
    model = model.to(dtype).to(memory_format=layout)
    images, targets = (part.to(dtype) for part in batch())
    images = images.to(memory_format=layout)
    results = {}
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        with torch.no_grad():
            results["logits_evaluation"] = model.eval()(images)
        logits = model.train()(images)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.to(dtype), targets)
    loss.backward()
    results |= {"logits": logits, "loss": loss}
    results |= {f"gradient/{name}": parameter.grad for name, parameter in model.named_parameters()}
    return {name: sample(name, value.detach().double()) for name, value in results.items()}


def sample(name, value):
    """Logical (row-major) order, whatever the memory layout."""
    flat = value.contiguous().flatten()
    if len(flat) <= SAMPLES:
        return flat
    return flat[torch.tensor(formula.hashes(f"sample/{name}", SAMPLES).astype(numpy.int64) % len(flat))]


def main():
    exact = step(torch.float64, torch.contiguous_format)
    golden = dict(exact)
    for precision in ["f32", "bf16"]:
        runs = [step(torch.float32, layout, precision == "bf16") for layout in LAYOUTS.values()]
        for name, value in exact.items():
            errors = [(run[name] - value).norm() / value.norm() for run in runs]
            golden[f"error/{precision}/{name}"] = torch.stack(errors)
    golden = {name: value.float() for name, value in golden.items()}
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    safetensors.torch.save_file(golden, HERE / "resnet.safetensors", versions)
    (HERE / "resnet.safetensors").chmod(0o644)


if __name__ == "__main__":
    main()
