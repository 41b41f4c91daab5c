#!/usr/bin/env python3
"""Times ResNet-18 here and in PyTorch side by side, in alternating pairs.

Needs PyTorch and torchvision in an environment of their own, and the built benchmark (make bench builds it):

    python3 bench/compare_pytorch.py [--pairs 7] [--case train:224:32:bf16 …] > result.json

PyTorch runs in its best configuration: channels_last, autocast for bf16, one thread per processor, a malloc that keeps freed memory
instead of returning it to the system, and torch.compile where --compile asks for it. Every measurement is a process of its own. The
result is, per case, the ratio of images per second (ours / PyTorch's) in each pair, its median and a 95 % interval (order
statistics of the median: for seven pairs the second smallest and second largest would cover 87 %, so the extremes are given).

A case that this processor cannot do, bf16 without AVX-512, is named on stderr and has "not_supported" in place of
results. A case that fails for another reason has "error"; the exit status is then 1.
"""

import argparse
import json
import os
import statistics
import sys

import comparison

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "build", "release", "bench", "bench_train")
CASES = ["train:224:32:bf16", "train:224:32:f32", "train:224:128:bf16", "train:224:128:f32", "train:64:128:bf16",
         "train:64:128:f32", "finetune:224:32:bf16", "infer:224:32:bf16", "infer:224:32:f32"]


def pytorch_case(kind, size, batch, precision, steps, compile_model):
    import resource
    import time

    import torch
    import torchvision

    torch.manual_seed(1)
    model = torchvision.models.resnet18(num_classes=1).to(memory_format=torch.channels_last)
    images = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    targets = (torch.arange(batch) % 2).float().view(-1, 1)
    model.train(kind != "infer")
    if kind == "finetune":
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith(("layer4.", "fc.")))
    trainable = [p for p in model.parameters() if p.requires_grad]
    sgd = torch.optim.SGD(trainable, lr=0.01, momentum=0.9, weight_decay=1e-4)
    loss_of = torch.nn.BCEWithLogitsLoss()
    run = torch.compile(model) if compile_model else model

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            if kind == "infer":
                with torch.inference_mode():
                    run(images)
                return
            loss = loss_of(run(images).float(), targets)
        sgd.zero_grad(set_to_none=True)
        loss.backward()
        sgd.step()

    step()
    step()
    seconds = []
    begin = time.perf_counter()
    while len(seconds) < steps if steps else len(seconds) < 5 or time.perf_counter() - begin < 5:
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"images_per_second": batch / statistics.median(seconds), "minimum_seconds": min(seconds),
                      "peak_resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                      "version": torch.__version__}))


def run_ours(case):
    return comparison.measure([PROGRAM, *case.split(":")])


def run_pytorch(case, compile_model):
    environment = dict(os.environ, MALLOC_TRIM_THRESHOLD_="-1", MALLOC_TOP_PAD_="536870912", MALLOC_MMAP_MAX_="0")
    command = [sys.executable, __file__, "--pytorch", case] + (["--compile"] if compile_model else [])
    return comparison.measure(command, environment)


def compare(case, pairs, compile_model):
    ours, theirs = [], []
    for number in range(pairs):
        order = [(ours, run_ours, (case,)), (theirs, run_pytorch, (case, compile_model))]
        for results, function, arguments in order if number % 2 == 0 else reversed(order):
            results.append(function(*arguments))
        print(f"{case} pair {number + 1}: {ours[-1]['images_per_second']:.1f} against "
              f"{theirs[-1]['images_per_second']:.1f} images/s", file=sys.stderr)
    ratios = sorted(a["images_per_second"] / b["images_per_second"] for a, b in zip(ours, theirs))
    return {"case": case, "pairs": pairs, "ratio_median": round(statistics.median(ratios), 3),
            "ratio_interval": [round(ratios[0], 3), round(ratios[-1], 3)],
            "ours_images_per_second": round(statistics.median(r["images_per_second"] for r in ours), 1),
            "pytorch_images_per_second": round(statistics.median(r["images_per_second"] for r in theirs), 1),
            "ours_peak_mb": round(max(r["peak_resident_mb"] for r in ours)),
            "pytorch_peak_mb": round(max(r["peak_resident_mb"] for r in theirs)),
            "ours_first_step_seconds": statistics.median(r["first_step_begins_seconds"] for r in ours),
            "pytorch": theirs[0]["version"], "compile": compile_model}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--case", nargs="*", default=CASES, help="KIND:IMAGE_SIZE:BATCH:PRECISION")
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    parser.add_argument("--pytorch", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pytorch:
        kind, size, batch, precision = options.pytorch.split(":")
        pytorch_case(kind, int(size), int(batch), precision, 0, options.compile)
        return
    sys.exit(comparison.compare_all("compare_pytorch", options.case,
                                    lambda case: compare(case, options.pairs, options.compile)))


if __name__ == "__main__":
    main()
