#!/usr/bin/env python3
"""Times depthwise convolutions and squeeze-and-excitation beside PyTorch's, in alternating pairs.

    tools/compare_layers.py [--bench build/release/bench/bench_conv] [--library build/release/libaimfair.so.1]
        [--pairs 7] [--precision f32] [--threads 2] [--seconds 0.2] [depthwise|excitation ...]

depthwise: the three directions of bench_conv's layers, without changes of layout, beside aten's convolution and
    convolution_backward, whose kernels are oneDNN's or PyTorch's own.
excitation: chains of eight blocks x * gate(W2 f(W1 mean(x))), as MobileNetV3 and EfficientNet have them, forward, and
    forward with backward of x and the weights.
PyTorch's time is that of its faster memory layout. Of each pair the fastest runs within --seconds count. Prints the
ratio of times, ours to PyTorch's: the median over the pairs, the smallest and the largest. Needs torch.
"""
import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time

import numpy
import torch

import aimfair_library
from compare_networks import BF16, DTYPE_F32, F32, LAYOUTS, NONE, CompileOptions, Shape

BATCH, IMAGE, CHAIN = 32, 224, 8

# As bench_conv names them: channels, pixels of a side, kernel, stride, groups.
DEPTHWISE = {
    "depthwise 16x112 k3": (16, 112, 3, 1, 16), "depthwise 64x112 k3 s2": (64, 112, 3, 2, 64),
    "depthwise 72x56 k5 s2": (72, 56, 5, 2, 72), "depthwise 120x28 k5": (120, 28, 5, 1, 120),
    "depthwise 240x14 k3": (240, 14, 3, 1, 240), "depthwise 672x7 k5": (672, 7, 5, 1, 672),
    "depthwise 96x56 k7": (96, 56, 7, 1, 96), "groups 128x56 k3": (128, 56, 3, 1, 32),
}
# Channels, pixels of a side, squeezed channels, activation and gate.
EXCITATION = {
    "MobileNetV3 72x28": (72, 28, 24, "relu", "hard_sigmoid"), "MobileNetV3 480x14": (480, 14, 120, "relu", "hard_sigmoid"),
    "MobileNetV3 960x7": (960, 7, 240, "relu", "hard_sigmoid"), "EfficientNet 32x112": (32, 112, 8, "silu", "sigmoid"),
    "EfficientNet 144x56": (144, 56, 6, "silu", "sigmoid"), "EfficientNet 672x14": (672, 14, 28, "silu", "sigmoid"),
    "EfficientNet 1152x7": (1152, 7, 48, "silu", "sigmoid"),
}


class Conv2d(ctypes.Structure):
    c_name = "AimfConv2d"
    _fields_ = [(name, ctypes.c_int * 2) for name in ("stride", "dilation", "before", "after")] + [("groups", ctypes.c_int)]


VALUE, POINTER = ctypes.c_int32, ctypes.c_void_p


class Library(aimfair_library.Library):
    STRUCTS = (Shape, Conv2d, CompileOptions)
    CONSTANTS = {"AIMF_PRECISION_F32": F32, "AIMF_PRECISION_BF16": BF16, "AIMF_NONE": NONE, "AIMF_F32": DTYPE_F32}
    FAILING = {
        "aimf_graph_compile": (POINTER, [POINTER, ctypes.POINTER(CompileOptions)]),
        "aimf_plan_load": (ctypes.c_int, [POINTER, POINTER]),
        "aimf_plan_run": (ctypes.c_int, [POINTER]),
        "aimf_tensors_add": (ctypes.c_int, [POINTER, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(Shape), POINTER]),
        "aimf_plan_write": (ctypes.c_int, [POINTER, VALUE, ctypes.c_size_t, ctypes.c_size_t, ctypes.POINTER(ctypes.c_float)]),
    }
    PLAIN = {
        "aimf_tensors_new": (POINTER, []),
        "aimf_tensors_free": (None, [POINTER]),
        "aimf_graph_new": (POINTER, []),
        "aimf_graph_free": (None, [POINTER]),
        "aimf_plan_free": (None, [POINTER]),
        "aimf_graph_input": (VALUE, [POINTER, ctypes.c_char_p, Shape]),
        "aimf_graph_parameter": (VALUE, [POINTER, ctypes.c_char_p, Shape]),
        "aimf_reduce_mean": (VALUE, [POINTER, VALUE, ctypes.c_uint, ctypes.c_int]),
        "aimf_conv2d": (VALUE, [POINTER, VALUE, VALUE, VALUE, Conv2d]),
        "aimf_relu": (VALUE, [POINTER, VALUE]),
        "aimf_silu": (VALUE, [POINTER, VALUE]),
        "aimf_sigmoid": (VALUE, [POINTER, VALUE]),
        "aimf_hard_sigmoid": (VALUE, [POINTER, VALUE]),
        "aimf_multiply": (VALUE, [POINTER, VALUE, VALUE]),
        "aimf_set_threads": (None, [ctypes.c_int]),
    }


def shape(*sizes):
    return Shape(len(sizes), (ctypes.c_int64 * 8)(*sizes))


def fastest(step, seconds):
    """In seconds, after one run that is not counted."""
    step()
    best, end = float("inf"), time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        step()
        best = min(best, time.perf_counter() - begin)
    return best


# --- Depthwise ---

def our_convolutions(options):
    """{(layer, direction): seconds}"""
    times = {}
    for name in DEPTHWISE:
        command = [options.bench, str(options.threads), str(options.seconds), options.precision, str(IMAGE), name]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        times |= {(name, kernel["direction"]): kernel["milliseconds"] / 1e3 for kernel in result["kernels"]}
    return times


def their_convolutions(options):
    times = {}
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    for name, (channels, side, kernel, stride, groups) in DEPTHWISE.items():
        rest = ([stride] * 2, [kernel // 2] * 2, [1, 1], False, [0, 0], groups)
        for layout in LAYOUTS:
            x = torch.rand(BATCH, channels, side, side, dtype=dtype).to(memory_format=layout)
            weight = torch.rand(channels, channels // groups, kernel, kernel, dtype=dtype).to(memory_format=layout)
            with torch.inference_mode():
                gradient = torch.ops.aten.convolution(x, weight, None, *rest)
                steps = {"forward": lambda: torch.ops.aten.convolution(x, weight, None, *rest)}
                for direction, mask in (("backward_data", [True, False, False]), ("backward_weight", [False, True, False])):
                    steps[direction] = lambda mask=mask: torch.ops.aten.convolution_backward(gradient, x, weight, None, *rest, mask)
                for direction, step in steps.items():
                    times[name, direction] = min(times.get((name, direction), 1e9), fastest(step, options.seconds))
    return times


# --- Squeeze and excitation ---

class OurChain:
    """In training x is a parameter, so that it has a gradient."""

    def __init__(self, library, case, precision, training):
        self.library = library
        channels, side, squeezed, activation, gate = case
        picture = (BATCH, channels, side, side)
        self.graph = graph = library.graph_new()
        parameters, tensors = [], library.tensors_new()

        def parameter(name, *sizes):
            numbers = numpy.random.default_rng(1).random(sizes, dtype=numpy.float32)
            library.tensors_add(tensors, name.encode(), DTYPE_F32, ctypes.byref(shape(*sizes)), numbers.ctypes.data)
            parameters.append(library.graph_parameter(graph, name.encode(), shape(*sizes)))
            return parameters[-1]

        y = parameter("x", *picture) if training else library.graph_input(graph, b"x", shape(*picture))
        given = library.graph_input(graph, b"gradient", shape(*picture)) if training else y
        options = Conv2d()
        for i in range(CHAIN):
            weights = [parameter(f"{i}.{part}", *sizes) for part, sizes in
                       (("w1", (squeezed, channels, 1, 1)), ("b1", (squeezed,)), ("w2", (channels, squeezed, 1, 1)), ("b2", (channels,)))]
            scale = library.reduce_mean(graph, y, 1 << 2 | 1 << 3, 1)
            scale = getattr(library, activation)(graph, library.conv2d(graph, scale, *weights[:2], options))
            scale = getattr(library, gate)(graph, library.conv2d(graph, scale, *weights[2:], options))
            y = library.multiply(graph, y, scale)
        compile_options = CompileOptions(precision=precision, outputs=(VALUE * 1)(y), n_outputs=1, loss=NONE, loss_gradient=NONE)
        if training:
            compile_options.loss, compile_options.loss_gradient = y, given
            compile_options.trainable, compile_options.n_trainable = (VALUE * len(parameters))(*parameters), len(parameters)
        self.plan = library.graph_compile(graph, ctypes.byref(compile_options))
        library.plan_load(self.plan, tensors)
        library.tensors_free(tensors)
        numbers = numpy.random.default_rng(2).random(picture, dtype=numpy.float32)
        library.plan_write(self.plan, given, 0, numbers.size, numbers.ctypes.data_as(ctypes.POINTER(ctypes.c_float)))

    def step(self):
        self.library.plan_run(self.plan)

    def free(self):
        self.library.plan_free(self.plan)
        self.library.graph_free(self.graph)


class TheirChain:
    def __init__(self, case, precision, training, layout):
        channels, side, squeezed, activation, gate = case
        activation = {"relu": torch.nn.ReLU, "silu": torch.nn.SiLU}[activation]
        gate = {"sigmoid": torch.nn.Sigmoid, "hard_sigmoid": torch.nn.Hardsigmoid}[gate]
        blocks = [torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Conv2d(channels, squeezed, 1), activation(),
                                      torch.nn.Conv2d(squeezed, channels, 1), gate()) for _ in range(CHAIN)]
        dtype = torch.bfloat16 if precision == BF16 else torch.float32
        self.blocks = torch.nn.ModuleList(blocks).to(dtype).to(memory_format=layout)
        self.x = torch.rand(BATCH, channels, side, side, dtype=dtype).to(memory_format=layout).requires_grad_(training)
        self.gradient = torch.rand_like(self.x)
        self.training = training

    def step(self):
        with torch.inference_mode(not self.training):
            y = self.x
            for block in self.blocks:
                y = y * block(y)
        if self.training:
            self.blocks.zero_grad()
            self.x.grad = None
            y.backward(self.gradient)


KINDS = {"forward": False, "forward and backward": True}


def our_excitations(options):
    times = {}
    for name, case in EXCITATION.items():
        for kind, training in KINDS.items():
            chain = OurChain(options.loaded, case, options.code, training)
            times[name, kind] = fastest(chain.step, options.seconds)
            chain.free()
    return times


def their_excitations(options):
    return {(name, kind): min(fastest(TheirChain(case, options.code, training, layout).step, options.seconds) for layout in LAYOUTS)
            for name, case in EXCITATION.items() for kind, training in KINDS.items()}


SIDES = {"depthwise": (our_convolutions, their_convolutions), "excitation": (our_excitations, their_excitations)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=os.path.join(aimfair_library.ROOT, "build", "release", "bench", "bench_conv"))
    parser.add_argument("--library", default=aimfair_library.DEFAULT_LIBRARY)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("what", nargs="*", metavar="|".join(SIDES))
    options = parser.parse_args()
    unknown = [what for what in options.what if what not in SIDES]
    if unknown:
        parser.error(f"'{unknown[0]}' is neither of {', '.join(SIDES)}")
    options.code = BF16 if options.precision == "bf16" else F32
    torch.set_num_threads(options.threads)
    try:
        options.loaded = Library(options.library)
        options.loaded.set_threads(options.threads)
        for what in options.what or SIDES:
            pairs = []
            for pair in range(options.pairs):
                order = SIDES[what] if pair % 2 == 0 else SIDES[what][::-1]
                times = {side: side(options) for side in order}
                pairs.append([times[side] for side in SIDES[what]])
            for key in pairs[0][0]:
                ratios = [ours[key] / theirs[key] for ours, theirs in pairs]
                ours, theirs = (min(pair[side][key] for pair in pairs) * 1e3 for side in (0, 1))
                print(f"{key[0]:24} {key[1]:21} {options.precision}  {statistics.median(ratios):.2f} "
                      f"({min(ratios):.2f} … {max(ratios):.2f}), {ours:.3f} beside {theirs:.3f} ms", flush=True)
    except aimfair_library.LibraryError as error:
        sys.exit(f"compare_layers.py: {error}")


if __name__ == "__main__":
    main()
