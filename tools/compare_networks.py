#!/usr/bin/env python3
"""Compares libaimfair's networks with PyTorch's, in full and on as many batches as wanted. Not part of the test suite.

    tools/compare_networks.py [--library build/release/libaimfair.so.1] [--architecture resnet18] gradients
        [--precision f32] [--batches 5]
    tools/compare_networks.py curves [--precision f32] [--steps 20] [--rate 0.01] [--orders 4]
    tools/compare_networks.py scatter [--precision f32] [--batches 5] [--rate 0.01]
    tools/compare_networks.py threads [--precision f32]

gradients: relative 2-norm errors of logits, loss and all gradients against f64: ours, and PyTorch's in its two memory layouts.
curves: SGD's losses from the same weights and batches: ours, f64's, and PyTorch's f32 in two layouts, of which channels last
    sums otherwise where the pictures of a batch have another order: in --orders of them. Within: off PyTorch's contiguous
    layout by at most twice how far PyTorch's lay apart so far; off f64's by at most twice what one of them was so far; or,
    in the first three steps, by 1e-3.
scatter: for each of --batches seeds how far the loss of the second step is off f64's, which in a deep network is up to
    rounding alone: ours with the pictures of a batch in --orders orders, PyTorch's in these and two layouts; and the root
    of the mean square of all.
threads: which of our results differ between one thread and two.

Needs torch, torchvision and timm. Networks are torchvision's, or timm's where it has none, with their own
initialisation and without dropout; images and targets are random, from --seed on.
"""
import argparse
import ctypes
import statistics
import sys

import numpy
import timm
import torch
import torchvision

import aimfair_library

F32, BF16, NONE = 0, 1, 0
DTYPE_F32 = 0
LAYOUTS = [torch.contiguous_format, torch.channels_last]


class Shape(ctypes.Structure):
    c_name = "AimfShape"
    _fields_ = [("rank", ctypes.c_int), ("dim", ctypes.c_int64 * 8)]


class Optimizer(ctypes.Structure):
    c_name = "AimfOptimizer"
    _fields_ = [("kind", ctypes.c_int), ("weight_decay", ctypes.c_double), ("decay_weights_only", ctypes.c_int),
                ("momentum", ctypes.c_double), ("betas", ctypes.c_double * 2), ("epsilon", ctypes.c_double),
                ("clip_norm", ctypes.c_double), ("average", ctypes.c_double)]


class BuildOptions(ctypes.Structure):
    c_name = "AimfBuildOptions"
    _fields_ = [("training", ctypes.c_int), ("batch_norm", ctypes.c_int), ("dropout", ctypes.c_int),
                ("seed", ctypes.c_uint64), ("label_smoothing", ctypes.c_double)]


class CompileOptions(ctypes.Structure):
    c_name = "AimfCompileOptions"
    _fields_ = [("store", ctypes.c_void_p), ("device", ctypes.c_void_p), ("threads", ctypes.c_int),
                ("trace", ctypes.c_void_p), ("precision", ctypes.c_int),
                ("outputs", ctypes.POINTER(ctypes.c_int32)), ("n_outputs", ctypes.c_uint),
                ("loss", ctypes.c_int32), ("loss_gradient", ctypes.c_int32),
                ("trainable", ctypes.POINTER(ctypes.c_int32)), ("n_trainable", ctypes.c_uint),
                ("optimizer", ctypes.POINTER(Optimizer)), ("accumulate", ctypes.c_int),
                ("private_states", ctypes.c_int), ("winograd", ctypes.c_int)]


class ModelGraph(ctypes.Structure):
    c_name = "AimfModelGraph"
    _fields_ = [("graph", ctypes.c_void_p)] + [(name, ctypes.c_int32) 
                                             for name in ("images", "targets", "logits", "loss", "draw")]


class Library(aimfair_library.Library):
    STRUCTS = (Shape, Optimizer, BuildOptions, CompileOptions, ModelGraph)
    CONSTANTS = {"AIMF_PRECISION_F32": F32, "AIMF_PRECISION_BF16": BF16, "AIMF_NONE": NONE, "AIMF_F32": DTYPE_F32}
    FAILING = {
        "aimf_model_new": (ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_uint64]),
        "aimf_model_build": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint, ctypes.POINTER(BuildOptions),
                                            ctypes.POINTER(ModelGraph)]),
        "aimf_graph_compile": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.POINTER(CompileOptions)]),
        "aimf_plan_load": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p]),
        "aimf_plan_run": (ctypes.c_int, [ctypes.c_void_p]),
        "aimf_plan_write": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t, ctypes.c_size_t,
                                           ctypes.POINTER(ctypes.c_float)]),
        "aimf_plan_read": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t, ctypes.c_size_t,
                                          ctypes.POINTER(ctypes.c_float)]),
        "aimf_plan_set_learning_rate": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_double]),
        "aimf_tensors_add": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(Shape),
                                            ctypes.c_void_p]),
    }
    PLAIN = {
        "aimf_tensors_new": (ctypes.c_void_p, []),
        "aimf_tensors_free": (None, [ctypes.c_void_p]),
        "aimf_model_free": (None, [ctypes.c_void_p]),
        "aimf_graph_free": (None, [ctypes.c_void_p]),
        "aimf_plan_free": (None, [ctypes.c_void_p]),
        "aimf_plan_gradient": (ctypes.c_int32, [ctypes.c_void_p, ctypes.c_int32]),
        "aimf_graph_n_parameters": (ctypes.c_uint, [ctypes.c_void_p]),
        "aimf_graph_parameter_at": (ctypes.c_int32, [ctypes.c_void_p, ctypes.c_uint]),
        "aimf_graph_name": (ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int32]),
        "aimf_set_threads": (None, [ctypes.c_int]),
    }


class OurNetwork:
    """One training plan. step() gives logits, loss and gradients by name; with @sgd the weights move on."""

    def __init__(self, library, state, options, sgd=None):
        self.library, self.built = library, ModelGraph()
        self.model = library.model_new(options.architecture.encode(), options.size, 1, 0)
        library.model_build(self.model, options.batch, ctypes.byref(BuildOptions(training=True)), ctypes.byref(self.built))
        n = library.graph_n_parameters(self.built.graph)
        self.parameters = [library.graph_parameter_at(self.built.graph, i) for i in range(n)]
        compile_options = CompileOptions(
            precision=options.precision, outputs=(ctypes.c_int32 * 2)(self.built.logits, self.built.loss), n_outputs=2,
            loss=self.built.loss, loss_gradient=NONE, trainable=(ctypes.c_int32 * n)(*self.parameters), n_trainable=n,
            optimizer=ctypes.pointer(Optimizer(momentum=sgd[0], weight_decay=sgd[1])) if sgd else None)
        self.plan = library.graph_compile(self.built.graph, ctypes.byref(compile_options))
        self.shapes = {name: tuple(value.shape) for name, value in state.items()}
        self.load(state)

    def load(self, state):
        tensors = self.library.tensors_new()
        for name, value in state.items():
            if value.ndim:
                data = numpy.ascontiguousarray(value.float().numpy())
                shape = Shape(data.ndim, (ctypes.c_int64 * 8)(*data.shape))
                self.library.tensors_add(tensors, name.encode(), DTYPE_F32, ctypes.byref(shape), data.ctypes.data)
        self.library.plan_load(self.plan, tensors)
        self.library.tensors_free(tensors)

    def read(self, value, shape):
        numbers = numpy.empty(shape or (1,), dtype=numpy.float32)
        self.library.plan_read(self.plan, value, 0, numbers.size, numbers.ctypes.data_as(ctypes.POINTER(ctypes.c_float)))
        return torch.tensor(numbers).double()

    def step(self, images, targets):
        for value, data in ((self.built.images, images), (self.built.targets, targets)):
            data = data.contiguous().float().numpy()
            self.library.plan_write(self.plan, value, 0, data.size, data.ctypes.data_as(ctypes.POINTER(ctypes.c_float)))
        self.library.plan_run(self.plan)
        results = {"logits": self.read(self.built.logits, tuple(targets.shape)),
                   "loss": self.read(self.built.loss, ())}
        for parameter in self.parameters:
            name = self.library.graph_name(self.built.graph, parameter).decode()
            results[name] = self.read(self.library.plan_gradient(self.plan, parameter), self.shapes[name])
        return results

    def free(self):
        self.library.plan_free(self.plan)
        self.library.graph_free(self.built.graph)
        self.library.model_free(self.model)


def new(options):
    if options.architecture in torchvision.models.list_models():
        model = torchvision.models.get_model(options.architecture, num_classes=1)
    else:
        sizes = {"img_size": options.size} if options.architecture.startswith("vit") else {}
        model = timm.create_model(options.architecture, num_classes=1, **sizes)
    for module in model.modules():
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0.0
    return model


class TorchNetwork:
    def __init__(self, state, options, dtype, layout, sgd=None, learning_rate=0.0):
        autocast = options.precision == BF16 and dtype == torch.float32
        self.model = new(options)
        self.model.load_state_dict(state)
        self.model = self.model.to(dtype).to(memory_format=layout).train()
        self.dtype, self.layout, self.autocast = dtype, layout, autocast
        self.sgd = torch.optim.SGD(self.model.parameters(), learning_rate, *sgd[:1], weight_decay=sgd[1]) if sgd else None

    def step(self, images, targets):
        self.model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            logits = self.model(images.to(self.dtype).to(memory_format=self.layout))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.to(self.dtype), targets.to(self.dtype))
        loss.backward()
        results = {"logits": logits.detach().double(), "loss": loss.detach().double().reshape(1)}
        results |= {name: value.grad.double().clone() for name, value in self.model.named_parameters()}
        if self.sgd:
            self.sgd.step()
        return results


def draw(options, seed):
    """Weights and a batch of one seed."""
    torch.manual_seed(seed)
    state = new(options).state_dict()
    return {name: value.clone() for name, value in state.items()}, draw_batch(options)


def draw_batch(options):
    return (torch.rand(options.batch, 3, options.size, options.size) * 2 - 1,
            torch.randint(0, 2, (options.batch, 1)).float())


def compare_gradients(library, options):
    errors = {}
    for seed in range(options.seed, options.seed + options.batches):
        state, batch = draw(options, seed)
        exact = TorchNetwork(state, options, torch.float64, LAYOUTS[0]).step(*batch)
        ours = OurNetwork(library, state, options)
        runs = [ours.step(*batch)]
        ours.free()
        runs += [TorchNetwork(state, options, torch.float32, layout).step(*batch) for layout in LAYOUTS]
        for name, value in exact.items():
            row = [float((run[name].reshape(value.shape) - value).norm() / value.norm().clamp(min=1e-30)) for run in runs]
            errors.setdefault(name, []).append(row)
    print(f"{'tensor':32} {'ours':>9} {'torch':>9} {'torch cl':>9}   ratio to the larger of PyTorch's: median, worst")
    for name, rows in errors.items():
        ratios = [row[0] / max(row[1:]) for row in rows]
        medians = [statistics.median(column) for column in zip(*rows)]
        print(f"{name:32}", *(f"{median:9.2e}" for median in medians), f"  {statistics.median(ratios):.2f} {max(ratios):.2f}")
    over = sorted(name for name, rows in errors.items() if statistics.median(r[0] / max(r[1:]) for r in rows) > 1.5)
    print(f"{len(errors)} tensors, {options.batches} batches; median ratio above 1.5: {', '.join(over) or 'none'}")


def draw_orders(options):
    """Of a batch's pictures: as they are, and random ones."""
    return [list(range(options.batch))] + [torch.randperm(options.batch, generator=torch.Generator().manual_seed(seed)).tolist()
                                           for seed in range(1, options.orders)]


def compare_curves(library, options):
    """Rounding alone parts runs: PyTorch's own in another layout, and there with the pictures of each batch in other orders."""
    sgd, learning_rate = (0.9, 1e-4), options.rate
    state, _ = draw(options, options.seed)
    ours = OurNetwork(library, state, options, sgd)
    library.plan_set_learning_rate(ours.plan, learning_rate)
    orders = draw_orders(options)
    runs = [(torch.float64, LAYOUTS[0]), (torch.float32, LAYOUTS[0])] + [(torch.float32, LAYOUTS[1])] * len(orders)
    theirs = [TorchNetwork(state, options, *run, sgd, learning_rate) for run in runs]
    most = {"spread": 0.0, "error": 0.0}
    n_within = dict.fromkeys(most, 0)
    names = ["ours", "f64", "torch"] + [f"torch cl {i}" for i in range(1, len(orders) + 1)]
    print("step ", *(f"{name:>10}" for name in names),
          f"  {'off torch':>9} {'apart':>9}  within  {'off f64':>9} {'torch':>9}  within")
    for step in range(1, options.steps + 1):
        batch = draw_batch(options)
        batches = [batch] * 3 + [tuple(part[order] for part in batch) for order in orders]
        losses = [float(run.step(*batch)["loss"]) for run, batch in zip([ours, *theirs], batches)]
        own, exact, *peers = losses
        columns = []
        for rule, off, peer in (("spread", abs(own - peers[0]), max(peers) - min(peers)),
                                ("error", abs(own - exact), max(abs(loss - exact) for loss in peers))):
            most[rule] = max(most[rule], peer)
            within = off <= max(2 * most[rule], 1e-3 if step <= 3 else 0)
            n_within[rule] += within
            columns.append(f"{off:9.2e} {peer:9.2e}  {'yes' if within else 'NO':6}")
        print(f"{step:4} ", *(f"{loss:10.6f}" for loss in losses), "", "  ".join(columns))
    print(f"{options.architecture}: of {options.steps} steps {n_within['spread']} are off PyTorch's by at most twice how far "
          f"PyTorch's lay apart so far, {n_within['error']} off f64's by at most twice what PyTorch's were so far")
    ours.free()


def compare_scatter(library, options):
    sgd, orders = (0.9, 1e-4), draw_orders(options)
    all_off = {"ours": [], "torch": []}
    for seed in range(options.seed, options.seed + options.batches):
        state, first = draw(options, seed)
        batches = [first, draw_batch(options)]

        def second_loss(network, order):
            return [float(network.step(*(part[order] for part in batch))["loss"]) for batch in batches][1]

        exact = second_loss(TorchNetwork(state, options, torch.float64, LAYOUTS[0], sgd, options.rate), orders[0])
        off = {"ours": [], "torch": []}
        for order in orders:
            ours = OurNetwork(library, state, options, sgd)
            library.plan_set_learning_rate(ours.plan, options.rate)
            off["ours"].append(second_loss(ours, order) - exact)
            ours.free()
            for layout in LAYOUTS:
                theirs = TorchNetwork(state, options, torch.float32, layout, sgd, options.rate)
                off["torch"].append(second_loss(theirs, order) - exact)
        print(f"seed {seed:3} f64 {exact:.6f}", *(f" {side} " + " ".join(f"{value:+.1e}" for value in values)
                                                  for side, values in off.items()), flush=True)
        for side, values in off.items():
            all_off[side] += values
    print(f"{options.architecture}:", *(f"{side} off f64 by {statistics.fmean(value ** 2 for value in values) ** 0.5:.2e}"
                                        for side, values in all_off.items()))


def compare_threads(library, options):
    state, batch = draw(options, options.seed)
    runs = []
    for threads in (1, 2, 2):
        library.set_threads(threads)
        ours = OurNetwork(library, state, options)
        runs.append(ours.step(*batch))
        ours.free()
    for what, (a, b) in {"1 and 2 threads": runs[:2], "2 threads twice": runs[1:]}.items():
        differ = [name for name in a if not torch.equal(a[name], b[name])]
        worst = max((float((a[name] - b[name]).norm() / b[name].norm()) for name in differ), default=0.0)
        print(f"{what}: {len(differ)} of {len(a)} differ, by at most {worst:.1e}: {', '.join(differ)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["gradients", "curves", "scatter", "threads"])
    parser.add_argument("--library", default=aimfair_library.DEFAULT_LIBRARY)
    parser.add_argument("--architecture", default="resnet18")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--orders", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.precision = BF16 if options.precision == "bf16" else F32
    modes = {"gradients": compare_gradients, "curves": compare_curves, "scatter": compare_scatter, "threads": compare_threads}
    compare = modes[options.what]
    try:
        compare(Library(options.library), options)
    except aimfair_library.LibraryError as error:
        sys.exit(f"compare_networks.py: {error}")


if __name__ == "__main__":
    main()
