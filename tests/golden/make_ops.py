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
FIELDS = ["n", "c", "h", "w", "t", "s", "o", "kh", "kw", "stride", "padding", "padding_after", "groups", "heads",
          "axis", "transpose", "bias", "training", "relu", "silu", "causal", "ones_a", "ones_b", "lack", "axes", "keep",
          "scale", "stride2", "padding2", "dilation", "dilation2", "ceil", "counted", "dim", "begin", "end", "order"]


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
        if leaf in ("running_var", "positive"):
            values = values / 4 + 0.5
        if leaf == "x" and self.scale:
            values = values * self.scale
        values = values.astype(numpy.float32)  # what the C tests hold
        tensor = torch.tensor(values.reshape(shape), dtype=torch.float64)
        if not leaf.startswith("running") and leaf != "cotangent":
            self.made[leaf] = tensor.requires_grad_()
        return tensor

    def labels(self, n, classes, leaf="targets"):
        draws = formula.hashes(f"{self.name}/{leaf}", n) >> numpy.uint32(8)
        return torch.tensor((draws % classes).astype(numpy.int64))


def timestep_embedding(timesteps, channels):
    """Stable Diffusion's: cosines first."""
    half = channels // 2
    angles = timesteps[:, None].double() * 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    return torch.cat([angles.cos(), angles.sin()], 1)


def heads_first(x, heads):
    """(N, T, C) -> (N, heads, T, C / heads)"""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


MOVES = {"concat", "split", "slice", "pad", "transpose", "reshape", "flatten"}


def moved(op, case, leaf, x):
    """Operations that only move elements."""
    axis = case["dim"] - 1 if case["dim"] else 1
    if op == "concat":
        others = [leaf(name, *x.shape[:axis], case[size], *x.shape[axis + 1:])
                  for name, size in (("b", "o"), ("d", "s")) if case[size]]
        return torch.cat([x, *others], axis)
    if op == "split":
        size = x.shape[axis]
        return torch.cat([x.narrow(axis, case["o"] + case["s"], size - case["o"] - case["s"]),
                          x.narrow(axis, 0, case["o"])], axis)
    if op == "slice":
        return x.narrow(axis, case["begin"], case["end"] - case["begin"])
    if op == "pad":
        padding = [[0, 0] for _ in x.shape]
        padding[-1] = [case["padding"], case["padding"]]
        padding[axis] = [padding[axis][0] + case["begin"], padding[axis][1] + case["end"]]
        return F.pad(x, sum(reversed(padding), []), value=0.75 if case["bias"] else 0)
    if case["groups"]:
        x = x.unflatten(1 if case["h"] else -1, (case["groups"], -1))
    if op == "transpose":
        return x.permute([int(digit) - 1 for digit in str(case["order"])])
    if op == "reshape":
        return x
    if op == "flatten":
        rows = 1
        for size in x.shape[:axis]:
            rows *= size
        return x.reshape(rows, -1)
    raise ValueError(op)


def matmul(case, leaf):
    leading = [size for size in (case["n"], case["h"]) if size]

    def matrices(name, rows, columns, transpose):
        last = (columns, rows) if transpose else (rows, columns)
        operand = leaf(name, *leading, *last)
        return operand.mT if transpose else operand

    a = matrices("x", case["t"], case["c"], case["transpose"] & 1)
    return a @ matrices("b", case["c"], case["o"], case["transpose"] & 2)


def further(op, case, leaf):
    n, c, h, w, o, t, s = (case[key] for key in "nchwots")
    shapes = {"planes": (n, h * w, c)}
    shape = shapes.get(op, (n, c, h, w) if h else (n, t, c) if t else (n, c))
    if op in ("linear", "layer_norm") and h:
        shape = (n, h, w, c)
    if op == "matmul":
        return matmul(case, leaf)
    if op == "embedding":
        y = F.embedding(leaf.labels(n * t, o, "ids").reshape(n, t), leaf("table", o, c))
        return y + leaf("positions", s, c)[:t] if s else y
    if op == "timestep_embedding":
        return timestep_embedding(leaf.labels(n, 1000, "timesteps"), c)
    x = leaf("x", *shape)
    if op == "linear":
        return F.linear(x, leaf("weight", o, c), leaf("bias", o) if case["bias"] else None)
    if op == "softmax":
        return F.softmax(x, case["axis"])
    if op == "group_norm":
        y = F.group_norm(x, case["groups"], leaf("weight", c), leaf("bias", c))
        return F.silu(y) if case["silu"] else y
    if op == "layer_norm":
        return F.layer_norm(x, (c,), leaf("weight", c), leaf("bias", c))
    if op == "attention":
        q, k, v = (heads_first(z, case["heads"]) for z in (x, leaf("k", n, s, c), leaf("v", n, s, c)))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=bool(case["causal"]))
        return y.transpose(1, 2).flatten(2)
    if op == "add_channels":
        return x + leaf("offsets", n, c)[:, :, None, None]
    if op in MOVES:
        return moved(op, case, leaf, x)
    if op == "upsample_nearest":
        return F.interpolate(x, scale_factor=2, mode="nearest")
    if op == "upsample_conv2d":
        y = F.interpolate(x, scale_factor=2, mode="nearest")
        return F.conv2d(y, leaf("weight", o, c, 3, 3), leaf("bias", o) if case["bias"] else None, padding=1)
    if op == "tokens":
        return x.flatten(2).transpose(1, 2)
    if op == "planes":
        return x.transpose(1, 2).unflatten(2, (h, w))
    raise ValueError(op)


FORWARD_ONLY = {"timestep_embedding"}
SIMPLE = {"conv2d", "batch_norm", "relu", "add_relu", "max_pool", "global_average_pool",
          "sigmoid_cross_entropy", "softmax_cross_entropy", "leaky_relu", "average_pool", "adaptive_average_pool"}

UNARY = {"silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
         "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x), "sigmoid": torch.sigmoid, "tanh": torch.tanh,
         "hard_sigmoid": F.hardsigmoid, "hard_swish": F.hardswish, "log": torch.log, "erf": torch.erf,
         "reciprocal": torch.reciprocal, "clip": lambda x: F.hardtanh(x, -0.75, 1.5), "sqrt": torch.sqrt, "exp": torch.exp}
BINARY = {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div, "power": torch.pow,
          "minimum": torch.minimum, "maximum": torch.maximum}
REDUCTIONS = {"reduce_sum": torch.sum, "reduce_mean": torch.mean, "reduce_max": torch.amax}


def on_elements(op, case, leaf):
    """Operations that broadcast, and those on any shape; None for all others."""
    n, c, h, w, t = (case[key] for key in "nchwt")
    whole = (n, c, h, w) if h else (n, t, c) if t else (n, c)

    def shape(ones, lack):
        return [1 if ones >> i & 1 else size for i, size in enumerate(whole)][lack:]

    x = "positive" if op in ("sqrt", "log", "reciprocal", "power") else "x"
    if op in UNARY:
        return UNARY[op](leaf(x, *whole))
    if op in BINARY:
        b = "positive" if op == "divide" else "b"
        return BINARY[op](leaf(x, *shape(case["ones_a"], 0)), leaf(b, *shape(case["ones_b"], case["lack"])))
    if op in REDUCTIONS:
        axes = [i for i in range(len(whole)) if case["axes"] >> i & 1]
        x = leaf("x", *whole)
        return REDUCTIONS[op](x, axes, keepdim=bool(case["keep"])) if axes else x + 0
    if op == "prelu":
        return F.prelu(leaf("x", *whole), leaf("slopes", case["o"]))
    if op == "expand":
        return leaf("x", *shape(case["ones_a"], case["lack"])).expand(whole)
    if op == "geglu":
        value, gate = leaf("x", n, t, 2 * c).chunk(2, -1)
        return value * F.gelu(gate)
    return None


def pairs(case):
    """Strides, dilations and zeros of convolutions and pooling: rows, then columns."""
    stride, dilation, padding = case["stride"], case["dilation"] or 1, case["padding"]
    after = padding + case["padding_after"]
    return {"stride": (stride, case["stride2"] or stride), "dilation": (dilation, case["dilation2"] or dilation),
            "padding": (padding, padding + case["padding2"]), "after": (after, after)}


def convolve(x, weight, bias, case):
    at = pairs(case)
    (top, left), (bottom, right) = at["padding"], at["after"]
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, at["stride"], 0, at["dilation"],
                    max(case["groups"], 1))


def pool(op, x, case):
    at, window = pairs(case), (case["kh"], case["kw"] or case["kh"])
    assert at["padding"] == at["after"], "PyTorch pads alike before and after"
    if op == "max_pool":
        return F.max_pool2d(x, window, at["stride"], at["padding"], 1, bool(case["ceil"]))
    return F.avg_pool2d(x, window, at["stride"], at["padding"], bool(case["ceil"]), bool(case["counted"]))


def forward(op, case, leaf):
    y = on_elements(op, case, leaf)
    if y is not None:
        return y, {}
    if op not in SIMPLE:
        return further(op, case, leaf), {}
    n, c, h, w, o = (case[key] for key in "nchwo")
    shape = (n, c, h, w) if h else (n, c)
    x = leaf("x", *shape)
    states = {}
    if op == "conv2d":
        weight = leaf("weight", o, c // max(case["groups"], 1), case["kh"], case["kw"])
        y = convolve(x, weight, leaf("bias", o) if case["bias"] else None, case)
    elif op == "batch_norm":
        mean, var = leaf("running_mean", c), leaf("running_var", c)
        y = F.batch_norm(x, mean, var, leaf("weight", c), leaf("bias", c), bool(case["training"]), 0.1, 1e-5)
        if case["training"]:
            states = {"running_mean": mean, "running_var": var}
        if case["relu"]:
            y = F.relu(y)
    elif op == "relu":
        y = F.relu(x)
    elif op == "leaky_relu":
        y = F.leaky_relu(x, 0.125)
    elif op == "add_relu":
        y = F.relu(x + leaf("b", *shape))
    elif op in ("max_pool", "average_pool"):
        y = pool(op, x, case)
    elif op == "adaptive_average_pool":
        y = F.adaptive_avg_pool2d(x, (case["kh"], case["kw"]))
    elif op == "global_average_pool":
        y = x.mean((2, 3))
    elif op == "sigmoid_cross_entropy":
        y = F.binary_cross_entropy_with_logits(x, leaf.labels(n * c, 2).reshape(shape).double())
    elif op == "softmax_cross_entropy":
        y = F.cross_entropy(x, leaf.labels(n, c))
    return y, states


def make_ops():
    golden = {}
    for op, case, name in read_cases():
        leaf = Leaves(name, case["scale"])
        if op in FORWARD_ONLY:
            golden[f"{name}/y"] = further(op, case, leaf)
            continue
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
