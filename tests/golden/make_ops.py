#!/usr/bin/env python3
"""Makes two golden files by PyTorch in f64, kept as f32.

ops.safetensors: results and gradients of every row of tests/graph/support_op_cases.c.
sgd.safetensors: five steps of torch.optim.SGD on the network of tests/graph/support_small_net.c.

Operands and incoming gradients come from formula.py; there is no other randomness.
Made with PyTorch 2.15.0 and safetensors; the file's metadata says which version made it.
"""
import pathlib
import re

import numpy
import safetensors.torch
import torch
import torch.nn.functional as F

import formula

HERE = pathlib.Path(__file__).parent
FIELDS = ["n", "c", "h", "w", "o", "kh", "kw", "stride", "padding", "bias", "training", "relu", "scale"]


def read_cases():
    text = (HERE / "../graph/support_op_cases.c").read_text()
    for row in re.findall(r"\{ (\.op = OP_[^}]*)\}", text):
        fields = dict(re.findall(r"\.(\w+) = (\w+)", row))
        op = fields.pop("op").removeprefix("OP_").lower()
        case = {name: int(fields.pop(name, 0)) for name in FIELDS}
        assert not fields, f"unknown fields {fields}"
        name = op + "/" + "_".join(f"{key}{case[key]}" for key in FIELDS if case[key])
        yield op, case, name


class Leaves:
    """The operands of one case, f64, made on demand; those named in gradients() get one."""

    def __init__(self, name, scale):
        self.name, self.scale, self.made = name, scale, {}

    def __call__(self, leaf, *shape):
        values = formula.fine(f"{self.name}/{leaf}", int(numpy.prod(shape)))
        if leaf == "running_var":
            values = values / 4 + 0.5
        if leaf == "x" and self.scale:
            values = values * self.scale
        values = values.astype(numpy.float32)  # what the C tests hold
        tensor = torch.tensor(values.reshape(shape), dtype=torch.float64)
        if not leaf.startswith("running") and leaf != "cotangent":
            self.made[leaf] = tensor.requires_grad_()
        return tensor

    def labels(self, n, classes):
        draws = formula.hashes(f"{self.name}/targets", n) >> numpy.uint32(8)
        return torch.tensor((draws % classes).astype(numpy.int64))


def forward(op, case, leaf):
    n, c, h, w, o = (case[key] for key in "nchwo")
    shape = (n, c, h, w) if h else (n, c)
    x = leaf("x", *shape)
    states = {}
    if op == "conv2d":
        weight = leaf("weight", o, c, case["kh"], case["kw"])
        y = F.conv2d(x, weight, leaf("bias", o) if case["bias"] else None, case["stride"], case["padding"])
    elif op == "batch_norm":
        mean, var = leaf("running_mean", c), leaf("running_var", c)
        y = F.batch_norm(x, mean, var, leaf("weight", c), leaf("bias", c), bool(case["training"]), 0.1, 1e-5)
        if case["training"]:
            states = {"running_mean": mean, "running_var": var}
        if case["relu"]:
            y = F.relu(y)
    elif op == "relu":
        y = F.relu(x)
    elif op == "add":
        y = x + leaf("b", *shape)
    elif op == "add_relu":
        y = F.relu(x + leaf("b", *shape))
    elif op == "max_pool":
        y = F.max_pool2d(x, case["kh"], case["stride"], case["padding"])
    elif op == "global_average_pool":
        y = x.mean((2, 3))
    elif op == "linear":
        y = F.linear(x, leaf("weight", o, c), leaf("bias", o) if case["bias"] else None)
    elif op == "sigmoid_cross_entropy":
        y = F.binary_cross_entropy_with_logits(x, leaf.labels(n * c, 2).reshape(shape).double())
    elif op == "softmax_cross_entropy":
        y = F.cross_entropy(x, leaf.labels(n, c))
    return y, states


def make_ops():
    golden = {}
    for op, case, name in read_cases():
        leaf = Leaves(name, case["scale"])
        y, states = forward(op, case, leaf)
        y.backward(leaf("cotangent", *y.shape))
        results = {"y": y} | states | {f"d_{key}": value.grad for key, value in leaf.made.items()}
        golden |= {f"{name}/{key}": value for key, value in results.items()}
    return golden


def small_net():
    """Tensors of tests/graph/support_small_net.c: name -> values within +-range around an offset."""
    sizes = {"conv1.weight": ((4, 3, 3, 3), 0.5, 0), "bn1.weight": ((4,), 0.5, 1), "bn1.bias": ((4,), 0.5, 0),
             "conv2.weight": ((5, 4, 3, 3), 0.5, 0), "fc.weight": ((1, 5), 1, 0), "fc.bias": ((1,), 1, 0),
             "images": ((2, 3, 8, 8), 1, 0)}
    for name, (shape, span, offset) in sizes.items():
        values = formula.fine(name, int(numpy.prod(shape))) * span + offset
        yield name, torch.tensor(values.astype(numpy.float32).reshape(shape), dtype=torch.float64)


def make_sgd():
    net = dict(small_net())
    images, targets = net.pop("images"), torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    for parameter in net.values():
        parameter.requires_grad_()
    optimizer = torch.optim.SGD(net.values(), lr=0, momentum=0.9, weight_decay=0.05)
    golden = {}
    for step, learning_rate in enumerate([0.5, 0.5, 0.5, 0.05, 0.05], 1):
        x = F.conv2d(images, net["conv1.weight"], padding=1)
        x = F.relu(F.batch_norm(x, None, None, net["bn1.weight"], net["bn1.bias"], True))
        x = F.conv2d(x, net["conv2.weight"], padding=1, stride=2).mean((2, 3))
        loss = F.binary_cross_entropy_with_logits(F.linear(x, net["fc.weight"], net["fc.bias"]), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.step()
        golden[f"{step}/loss"] = loss
        for name, parameter in net.items():
            golden[f"{step}/{name}"] = parameter.clone()
            golden[f"{step}/momentum/{name}"] = optimizer.state[parameter]["momentum_buffer"].clone()
    return golden


def main():
    for name, make in {"ops": make_ops, "sgd": make_sgd}.items():
        golden = {key: value.detach().float().contiguous() for key, value in make().items()}
        safetensors.torch.save_file(golden, HERE / f"{name}.safetensors", {"torch": torch.__version__})
        (HERE / f"{name}.safetensors").chmod(0o644)


if __name__ == "__main__":
    main()
