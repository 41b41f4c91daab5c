#!/usr/bin/env python3
"""Makes architectures.safetensors: a training step of every architecture but ResNet-18 in f64, and how far rounding goes.

    tests/golden/make_architectures.py [ARCHITECTURE ...]    without, all; with, only these are made anew

The networks are torchvision's, and timm's where torchvision has none, with dropout and stochastic depth at 0. Weights,
images and targets come from formula.py, so the file holds results only, for each architecture

    <name>/images                       (3): how many, their side, and the shift of norms
    <name>/logits, /logits_evaluation   in training and evaluation mode
    <name>/loss
    <name>/gradients                    (parameters, SAMPLES): entries of each gradient at places drawn by formula,
                                        all of them, and zeros behind, where there are no more
    <name>/initial                      (parameters, 3): mean and deviation of fresh parameters, and the mean of their
                                        sizes over the deviation, by which normal and uniform ones differ
    <name>/errors                       (2 + parameters): the errors that rounding makes in the logits of both modes and
                                        in those entries: 2-norms, relative to the norm of what they are of, or to
                                        LEAST of the largest gradient's where that is more

These errors are the largest of PyTorch's own in f32, in both memory layouts on one thread and on two, and of runs in
f64 whose weights and images were each moved by up to half a unit of f32's last place.

A ReLU's input may lie so near 0 that rounding alone decides its side, and one that turns changes all gradients below
it by a thousand times their rounding errors. So the biases of batch norms put the inputs of most ReLUs well above 0,
those of an eighth of the channels well below. Some turn all the same, which the errors then show. Made with the
versions in the metadata.
"""
import pathlib
import sys

import numpy
import safetensors
import safetensors.torch
import timm
import torch
import torchvision

import formula

HERE = pathlib.Path(__file__).parent
FILE = HERE / "architectures.safetensors"
SAMPLES, MOVED_RUNS, LEAST = 32, 6, 1e-5
TORCHVISION = ["resnet34", "resnet50", "resnet101", "resnet152", "mobilenet_v2", "mobilenet_v3_large",
               "mobilenet_v3_small", "efficientnet_b0", "convnext_tiny", "densenet121", "vgg16_bn"]
TIMM = {"tf_efficientnet_lite0": {}, "vit_small_patch32_224": {"img_size": 64},
        "vit_small_patch16_224": {"img_size": 64}, "vit_base_patch16_224": {"img_size": 64}}


def new(name):
    if name in TIMM:
        model = timm.create_model(name, num_classes=1, **TIMM[name])
    else:
        model = torchvision.models.get_model(name, num_classes=1)
    for module in model.modules():
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0.0
    return model


def shift_of(name):
    """How far from 0 norms put the inputs of ReLUs: one deviation of theirs is 1."""
    return 6 if "v3" in name else 3 if name in ("mobilenet_v2", "tf_efficientnet_lite0") else 4


def tensor_values(name, shape, shift):
    """As tensor_fill in tests/model/support_networks.c. @shift: 0, or of the bias of a batch norm."""
    values = formula.fine(name, int(numpy.prod(shape)))
    if len(shape) == 4:
        values = values * numpy.sqrt(6 / (shape[1] * shape[2] * shape[3]))
    elif len(shape) == 2:
        values = values * numpy.sqrt(3 / shape[1])
    elif name.endswith(("weight", "running_var", "layer_scale")):
        values = values * 0.25 + 1
    else:
        values = values * 0.125
    if shift:
        off = formula.hashes(f"{name}/off", len(values)) >> numpy.uint32(29) == 0
        values = values + numpy.where(off, -13, shift)
    return torch.tensor(values.astype(numpy.float32).reshape(shape))


def size_of(name):
    """Images of a batch, and their side: as little as leaves the last norm its statistics."""
    return (2, 64) if name.startswith("vit") else (8, 32)


def batch(name):
    n, side = size_of(name)
    images = formula.fine("images", n * 3 * side * side).astype(numpy.float32)
    targets = numpy.arange(n) % 2
    return torch.tensor(images.reshape(n, 3, side, side)), torch.tensor(targets.astype(numpy.float32).reshape(n, 1))


def sample(name, value):
    flat = value.detach().double().contiguous().flatten()
    if len(flat) > SAMPLES:
        flat = flat[torch.tensor(formula.hashes(f"sample/{name}", SAMPLES).astype(numpy.int64) % len(flat))]
    return flat


def moved(value, generator):
    """By up to half a unit of f32's last place, relative to each number."""
    return value * (1 + (torch.rand(value.shape, generator=generator, dtype=torch.float64) - 0.5) * 2.0**-23)


def step(name, dtype=torch.float64, layout=torch.contiguous_format, generator=None):
    model = new(name)
    state = model.state_dict()
    shifts = {key: shift_of(name) if key.replace(".bias", ".running_mean") in state and key.endswith(".bias") else 0
              for key in state}
    state = {key: old if old.ndim == 0 else tensor_values(key, tuple(old.shape), shifts[key])
             for key, old in state.items()}
    images, targets = batch(name)
    if generator:
        state = {key: value if value.ndim == 0 else moved(value, generator) for key, value in state.items()}
        images = moved(images, generator)
    model = model.to(dtype)
    model.load_state_dict(state)
    model = model.to(memory_format=layout)
    images, targets = images.to(dtype).to(memory_format=layout), targets.to(dtype)
    with torch.no_grad():
        evaluated = model.eval()(images)
    logits = model.train()(images)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
    loss.backward()
    gradients = [sample(key, parameter.grad) for key, parameter in model.named_parameters()]
    return [logits.detach().double().flatten(), evaluated.double().flatten()] + gradients, loss.detach()


def errors_of(run, exact):
    least = LEAST * max(float(value.norm()) for value in exact[2:])
    return [float((found - value).norm()) / max(float(value.norm()), least if i > 1 else 0)
            for i, (found, value) in enumerate(zip(run, exact))]


def initial(name):
    torch.manual_seed(1)
    rows = []
    for _, parameter in new(name).named_parameters():
        values = parameter.detach().double().flatten()
        sizes = (values - values.median()).abs()
        if sizes.median() > 0:  # now and then trunc_normal_ gives a bound, a hundred deviations away
            values = values[sizes <= 10 * sizes.median()]
        mean, deviation = values.mean(), values.std(correction=0)
        rows.append(torch.stack([mean, deviation, (values - mean).abs().mean() / deviation.clamp(min=1e-30)]))
    return torch.stack(rows)


def make(name):
    exact, loss = step(name)
    runs = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        runs += [step(name, torch.float32, layout)[0] for layout in (torch.contiguous_format, torch.channels_last)]
    generator = torch.Generator().manual_seed(1)
    runs += [step(name, generator=generator)[0] for _ in range(MOVED_RUNS)]
    errors = numpy.array([errors_of(run, exact) for run in runs]).max(0)
    print(f"{name}: {len(exact) - 2} parameters, errors of logits {errors[0]:.1e} and {errors[1]:.1e}, "
          f"of gradients {numpy.median(errors[2:]):.1e} (median), {max(errors[2:]):.1e} (largest)", flush=True)
    gradients = torch.zeros(len(exact) - 2, SAMPLES, dtype=torch.float64)
    for row, value in zip(gradients, exact[2:]):
        row[:len(value)] = value
    return {f"{name}/images": torch.tensor([*size_of(name), shift_of(name)]), f"{name}/logits": exact[0],
            f"{name}/logits_evaluation": exact[1], f"{name}/loss": loss, f"{name}/gradients": gradients,
            f"{name}/errors": torch.tensor(errors),
            f"{name}/initial": initial(name)}


def main():
    golden = safetensors.torch.load_file(FILE) if FILE.exists() and sys.argv[1:] else {}
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__}
    for name in sys.argv[1:] or [*TORCHVISION, *TIMM]:
        golden |= {key: value.float() for key, value in make(name).items()}
        safetensors.torch.save_file(golden, FILE, versions)
        FILE.chmod(0o644)


if __name__ == "__main__":
    main()
