#!/usr/bin/env python3
"""Twenty steps of optimizers and what goes with them, and the learning rates of schedules, in f64.

optimizers.safetensors: <run>/loss of all steps; <run>/<step>/<tensor> of some, and <run>/<step>/average/<tensor>. The
network is that of tests/graph/support_small_net.c, or a linear layer where a loss is the matter. schedule/<name>: a
learning rate for each epoch.

Everything comes from formula.py; there is no other randomness. The cases are those of tests/graph/test_optimizers.c and
tests/train/test_rules.c. Made with PyTorch 2.15.0, timm 1.0.31 and safetensors; the file's metadata says by which versions.
"""
import pathlib
import warnings

import numpy
import safetensors.torch
import timm
import timm.optim
import timm.utils
import torch
import torch.nn.functional as F

import formula
import make_ops

HERE = pathlib.Path(__file__).parent
STEPS, SHOWN = 20, (1, 2, 10, 20)


class SmallNet(torch.nn.Module):
    def __init__(self, frozen):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.conv2 = torch.nn.Conv2d(4, 5, 3, padding=1, stride=2, bias=False)
        self.fc = torch.nn.Linear(5, 1)
        self.double()
        if frozen:
            self.bn1.eval()

    def forward(self, x):
        return self.fc(self.conv2(F.relu(self.bn1(self.conv1(x)))).mean((2, 3)))


def draw(name, *shape, span=1.0, offset=0.0):
    values = formula.fine(name, int(numpy.prod(shape))) * span + offset
    return torch.tensor(values.astype(numpy.float32).reshape(shape), dtype=torch.float64)


def small_net(frozen=False):
    tensors = dict(make_ops.small_net())
    images = tensors.pop("images")
    tensors["bn1.running_mean"] = draw("bn1.running_mean", 4, span=0.5)
    tensors["bn1.running_var"] = draw("bn1.running_var", 4, span=0.5, offset=1)
    net = SmallNet(frozen)
    net.load_state_dict(tensors, strict=False)
    targets = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    return net, lambda: F.binary_cross_entropy_with_logits(net(images), targets)


def linear(classes, smoothing):
    net = torch.nn.Linear(6, classes).double()
    net.load_state_dict({"weight": draw("weight", classes, 6), "bias": draw("bias", classes)})
    x = draw("x", 4, 6)
    targets = torch.tensor([0, 2, 1, 2]) % max(classes, 2)
    if classes > 1:
        return net, lambda: F.cross_entropy(net(x), targets, label_smoothing=smoothing)
    smoothed = targets.double()[:, None] * (1 - smoothing) + smoothing / 2
    return net, lambda: F.binary_cross_entropy_with_logits(net(x), smoothed)


def run(net, loss_of, make, rate, weights_only=False, exempt=(), decay=0.0, clip=0.0, average=0.0):
    groups = timm.optim.param_groups_weight_decay(net, decay, True, exempt) if weights_only else net.parameters()
    optimizer = make(groups, lr=float(numpy.float32(rate)), weight_decay=decay)
    averages = timm.utils.ModelEmaV3(net, decay=average, use_warmup=False) if average else None
    golden, losses = {}, []
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
        losses.append(loss.detach())
        if averages:
            averages.update(net)
        if step in SHOWN:
            shown = {name: tensor.clone() for name, tensor in net.state_dict().items() if tensor.is_floating_point()}
            golden |= {f"{step}/{name}": tensor for name, tensor in shown.items()}
            if averages:
                state = averages.module.state_dict()
                golden |= {f"{step}/average/{name}": state[name].clone() for name in shown}
    return golden | {"loss": torch.stack(losses)}


def sgd(momentum):
    return lambda groups, **options: torch.optim.SGD(groups, momentum=momentum, **options)


def adamw(betas, eps):
    return lambda groups, **options: torch.optim.AdamW(groups, betas=betas, eps=eps, **options)


def schedule(epochs, warmup, make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = make(optimizer, epochs - warmup)
    if warmup:
        rise = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=warmup)
        scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [rise, scheduler], [warmup])
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return torch.tensor(rates, dtype=torch.float64)


def cosine(optimizer, epochs):
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)


def steps(*milestones):
    return lambda optimizer, epochs: torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones)


def main():
    warnings.simplefilter("ignore")  # SequentialLR calls its parts' step with an epoch, which PyTorch warns of
    runs = {
        "sgd_weights": run(*small_net(), sgd(0.9), 0.1, weights_only=True, decay=0.1),
        "sgd_clip": run(*small_net(), sgd(0.9), 0.3, clip=0.125),
        "sgd_average": run(*small_net(), sgd(0.9), 0.1, average=0.75),
        "sgd_frozen": run(*small_net(frozen=True), sgd(0.9), 0.1, decay=0.01),
        "adamw": run(*small_net(), adamw((0.9, 0.999), 1e-8), 0.01, decay=0.05),
        "adamw_all": run(*small_net(), adamw((0.8, 0.95), 1e-4), 0.02, weights_only=True, decay=0.5, clip=0.125,
                         average=0.9),
        "softmax": run(*linear(3, 0.1), sgd(0.9), 0.5),
        "sigmoid": run(*linear(1, 0.1), sgd(0.9), 0.5),
        "sgd_exempt": run(*small_net(), sgd(0.9), 0.1, weights_only=True, exempt=("conv2.weight",), decay=0.1),
    }
    golden = {f"{name}/{key}": value for name, results in runs.items() for key, value in results.items()}
    golden |= {
        "schedule/cosine": schedule(8, 0, cosine),
        "schedule/cosine_warmup": schedule(12, 3, cosine),
        "schedule/steps_warmup": schedule(12, 2, steps(6 - 2, 9 - 2)),
    }
    golden = {key: value.detach().contiguous() for key, value in golden.items()}
    versions = {"torch": torch.__version__, "timm": timm.__version__}
    safetensors.torch.save_file(golden, HERE / "optimizers.safetensors", versions)
    (HERE / "optimizers.safetensors").chmod(0o644)


if __name__ == "__main__":
    main()
