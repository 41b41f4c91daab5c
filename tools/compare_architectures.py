#!/usr/bin/env python3
"""Times training steps and inference of architectures beside PyTorch's, in alternating pairs.

    tools/compare_architectures.py --bench build/release/bench/bench_train [--pairs 7] [--batch 32] [--size 224]
        [--precision f32] [--steps 3] [train|infer:ARCHITECTURE ...]

PyTorch's configuration: channels last, training by torch.optim.SGD with momentum, inference in torch.inference_mode,
with and without torch.compile as --compile says, bf16 by autocast; networks of torchvision, or timm where it has none,
with dropout as they come. Prints each pair's ratio of images per second, ours to PyTorch's, their median, and the
ratio of peak memory. Needs torch, torchvision and timm.
"""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

STANDARD = [f"{kind}:{name}" for name in ("resnet50", "mobilenet_v3_large", "efficientnet_b0", "vit_small_patch16_224")
            for kind in ("train", "infer")]


def new(name, size):
    import timm
    import torchvision

    if name in torchvision.models.list_models():
        return torchvision.models.get_model(name, num_classes=1)
    sizes = {"img_size": size} if name.startswith("vit") else {}
    return timm.create_model(name, num_classes=1, **sizes)


def measure(options, kind, name):
    """In a process of its own, at each line that it reads: seconds of a step, and the peak of memory in MB."""
    import torch

    model = new(name, options.size).to(memory_format=torch.channels_last)
    images = torch.rand(options.batch, 3, options.size, options.size).to(memory_format=torch.channels_last)
    targets = (torch.arange(options.batch) % 2).float()[:, None]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    model.train(kind == "train")
    forward = torch.compile(model) if options.compile else model

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            if kind == "infer":
                with torch.inference_mode():
                    return forward(images)
            logits = forward(images)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(2 if options.compile else 1):
        step()
    for _ in sys.stdin:
        seconds = []
        for _ in range(options.steps):
            begin = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - begin)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"median_seconds": statistics.median(seconds), "peak_resident_mb": peak}), flush=True)


def ours(options, kind, name):
    command = [options.bench, kind, str(options.size), str(options.batch), options.precision, "0", str(options.steps), name]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class Peer:
    """PyTorch in a process that has warmed up, and waits while ours measures: compiling takes longer than all steps."""

    def __init__(self, case):
        command = [sys.executable, __file__, *sys.argv[1:], "--measure", case]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--measure")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    if options.measure:
        measure(options, *options.measure.split(":"))
        return
    for case in options.cases or STANDARD:
        kind, name = case.split(":")
        ratios, memory = [], []
        theirs = Peer(case)
        theirs()
        for i in range(options.pairs):
            if i % 2:
                peer, own = theirs(), ours(options, kind, name)
            else:
                own, peer = ours(options, kind, name), theirs()
            ratios.append(peer["median_seconds"] / own["median_seconds"])
            memory.append(own["peak_resident_mb"] / peer["peak_resident_mb"])
        print(f"{case}: {statistics.median(ratios):.2f} ({' '.join(f'{ratio:.2f}' for ratio in sorted(ratios))}), "
              f"{own['median_seconds']:.2f} s a step at last, memory {statistics.median(memory):.2f} "
              f"({own['peak_resident_mb']:.0f} MB)", flush=True)
        theirs.close()


if __name__ == "__main__":
    main()
