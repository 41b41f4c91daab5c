#!/usr/bin/env python3
"""Makes resnet.safetensors: a step of training torchvision's ResNet-18 in f64, and PyTorch's errors in f32 and bf16.

    tests/golden/make_resnet.py [LEVEL ...]    LEVEL: baseline, avx2 or avx512; without, all that the processor can do

Weights, images and targets come from formula.py, so the file holds results only: the logits in training and
evaluation mode, the loss, and of every gradient up to SAMPLES entries at places drawn by formula (all, where there
are no more). Beside each, "error/<level>/<precision>/<name>" holds PyTorch's relative 2-norm errors over the same
entries: in its two memory layouts, contiguous and channels last, on one thread, then on two. Each of these adds up in
another order, and the errors of one step differ by up to a factor of two between them. (The errors at avx512 are
older than this and from two threads alone, so they are two numbers.) bf16 is autocast, as users run it. Seed: the
tensors' names.

Rounding errors depend on the instruction set, because sums are divided among as many partial sums as a vector has
elements. PyTorch is therefore held to each level in turn, in a process of its own. Three parts of it choose kernels
by themselves, so there are three caps: ATEN_CPU_CAPABILITY for its own kernels, ONEDNN_MAX_CPU_ISA for the oneDNN it
brings along (convolutions) and MKL_ENABLE_INSTRUCTIONS for MKL (the last layer). What the first two report is
checked; MKL does not say, and heeds its cap on Intel's processors only.

A ReLU's input may lie so near 0 that rounding alone decides its side; in one step with about 16 × 210 000 of them some
do, and one that turns changes all gradients below it by a thousand times their rounding errors, whoever computes them.
Those inputs that lie within NEAR times f32's error in their channel are therefore listed, and for each "turned/<ReLU>
<place>/<name>" holds what its turning adds to the entries of the gradients, in f16 and in units of UNIT times the
gradient's norm over these entries: zero where it is left out. A test may take these, whole, from what it compares.

Levels that are not made now keep their errors from the present file, whose metadata say for each level with what and
where it was made. So that these keep their meaning, the present results in f64 stay as they are if the new ones agree
within 1e-7, which is rounding to f32; if not, the script ends and changes nothing. Delete the file to begin anew.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy
import safetensors
import safetensors.torch
import torch
import torchvision

import formula

HERE = pathlib.Path(__file__).parent
FILE = HERE / "resnet.safetensors"
BATCH, SIZE, SAMPLES = 16, 64, 256
NEAR, UNIT = 6, 2**-12
THREADS = [1, 2]
LAYOUTS = [torch.contiguous_format, torch.channels_last]
# Per level: the three caps; what ATen and oneDNN then report; the precisions in which libaimfair trains there.
LEVELS = {
    "baseline": (("default", "SSE41", "SSE4_2"), ("DEFAULT", "Intel SSE4.1"), ["f32"]),
    "avx2": (("avx2", "AVX2", "AVX2"), ("AVX2", "Intel AVX2"), ["f32"]),
    "avx512": (("avx512", "AVX512_CORE_BF16", "AVX512"), ("AVX512", "Intel AVX-512"), ["f32", "bf16"]),
}
CAPS = ["ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS"]


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


class Relu(torch.nn.Module):
    """The ReLU of all layers, in the order in which a step comes to them: keeps its inputs, and turns where told."""

    def __init__(self, turned=None):
        super().__init__()
        self.turned = turned
        self.inputs = []

    def forward(self, value):
        passes = (value.detach() > 0).contiguous()
        if self.turned and self.turned[0] == len(self.inputs):
            passes.view(-1)[self.turned[1]] ^= True
        self.inputs.append(value.detach().contiguous())
        return value * passes


def step(dtype, layout, autocast=False, relu=None):
    model = torchvision.models.resnet18(num_classes=1)
    model.load_state_dict(weights())
    if relu:
        for module in [model, *(block for block in model.modules() if hasattr(block, "conv2"))]:
            module.relu = relu
    model = model.to(dtype).to(memory_format=layout)
    images, targets = (part.to(dtype) for part in batch())
    images = images.to(memory_format=layout)
    results = {}
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        if not relu:
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


def near_zero(layouts=LAYOUTS):
    """(ReLU, place) of each input that f32's errors may carry over 0."""
    exact = Relu()
    step(torch.float64, torch.contiguous_format, relu=exact)
    rounded = [Relu() for _ in layouts]
    for relu, layout in zip(rounded, layouts):
        step(torch.float32, layout, relu=relu)
    for i, value in enumerate(exact.inputs):
        errors = torch.stack([(relu.inputs[i].double() - value).square().mean((0, 2, 3)) for relu in rounded])
        near = value.abs() < NEAR * errors.amax(0).sqrt()[:, None, None]
        yield from ((i, int(place)) for place in near.flatten().nonzero())


def turned_relus(exact):
    turned = {}
    for i, place in near_zero():
        for name, value in step(torch.float64, torch.contiguous_format, relu=Relu((i, place))).items():
            change = (value - exact[name]) / (exact[name].norm() * UNIT)
            if name.startswith("gradient/") and change.norm() * UNIT > 1e-7:
                turned[f"turned/{i} {place}/{name}"] = change.half()
    return turned


def save_runs(level, path):
    """In the process that is held to @level."""
    print(f"aten:{torch.backends.cpu.get_cpu_capability()}")
    runs = {}
    for threads in THREADS:
        torch.set_num_threads(threads)
        for memory_format in LAYOUTS:
            for precision in LEVELS[level][2]:
                for name, value in step(torch.float32, memory_format, precision == "bf16").items():
                    runs.setdefault(f"{precision}/{name}", []).append(value)
    safetensors.torch.save_file({name: torch.stack(values) for name, values in runs.items()}, path)


def level_errors(level, exact):
    """PyTorch's errors at @level and what to say of them."""
    caps, reports, precisions = LEVELS[level]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "runs.safetensors")
        environment = {**os.environ, **dict(zip(CAPS, caps)), "ONEDNN_VERBOSE": "1"}
        command = [sys.executable, __file__, "--save", level, path]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        runs = safetensors.torch.load_file(path)
    found = [re.search(pattern, output, re.MULTILINE).group(1)
             for pattern in (r"^aten:(.*)", r"^onednn_verbose,.*cpu,isa:(.*)")]
    if found[0] != reports[0] or not found[1].startswith(reports[1]):
        sys.exit(f"{level}: ATen runs at {found[0]} and oneDNN at {found[1]}, not at {reports[0]} and {reports[1]}")
    errors = {f"error/{level}/{precision}/{name}": torch.stack(
        [(run - value).norm() / value.norm() for run in runs[f"{precision}/{name}"]])
        for precision in precisions for name, value in exact.items()}
    return errors, f"torch {torch.__version__}, ATen {found[0]}, oneDNN {found[1]}, {processor()}"


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name, family, model = (re.search(rf"^{key}\s*: (.*)", text, re.MULTILINE).group(1)
                           for key in ("model name", "cpu family", "model"))
    return f"{name}, family {family}, model {model}"


def present():
    """Tensors and metadata of the file that is there, if any."""
    if not FILE.exists():
        return {}, {}
    with safetensors.safe_open(FILE, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def main():
    if sys.argv[1:2] == ["--save"]:
        save_runs(*sys.argv[2:])
        return
    most = [reports[0] for _, reports, _ in LEVELS.values()].index(torch.backends.cpu.get_cpu_capability())
    able = list(LEVELS)[:most + 1]
    levels = sys.argv[1:] or able
    if not set(levels) <= set(able):
        sys.exit(f"this processor can do {', '.join(able)}")
    exact = step(torch.float64, torch.contiguous_format)
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    golden = {name: value.float() for name, value in exact.items()}
    tensors, metadata = present()
    if tensors:
        off = max(float((exact[name] - tensors[name].double()).norm() / exact[name].norm()) for name in exact)
        print(f"results in f64 differ from the present ones by {off:.1e} at most")
        if off >= 1e-7:
            sys.exit(f"{FILE.name} holds other results, so its errors mean something else; delete it to begin anew")
        kept = [name for name in tensors if name.split("/")[0] != "error" or name.split("/")[1] not in levels]
        golden |= {name: tensors[name] for name in kept}
        versions = {key: value for key, value in metadata.items() if key not in levels}
    if not any(name.startswith("turned/") for name in golden):
        golden |= turned_relus(exact)
    for level in levels:
        errors, versions[level] = level_errors(level, exact)
        golden |= {name: value.float() for name, value in errors.items()}
    for name, value in golden.items():
        if name.startswith("error/") and name.endswith("/logits"):
            print(name, *(f"{float(error):.3e}" for error in value))
    safetensors.torch.save_file(golden, FILE, versions)
    FILE.chmod(0o644)


if __name__ == "__main__":
    main()
