#!/usr/bin/env python3
"""Times image generation here and in diffusers side by side, in alternating pairs.

    bench/compare_diffusers.py --work FOLDER [--pairs 3] [--case unet:bf16 …] [--family sd21] > result.json

Cases: unet (one guided call: batch 2, 64 x 64 latents), decode (64 x 64 latents to 512 x 512), image (20 steps of DDIM with guidance,
text and decoding included); each in bf16 or f32. The model has random weights of the exact architecture, made in FOLDER by
tools/random_diffusion_models.py; neither program's speed depends on their values. Every measurement is a process of its own, and what it
reports is steady state: loading and one call to warm up are not counted.

diffusers runs in its best configuration on a processor: weights in the precision measured, channels_last, a malloc that keeps freed memory
instead of returning it to the system, one thread per processor, and the faster of its two attention processors, which is tried first
(--attention says which instead). The result is, per case, the ratio of speeds (their seconds / ours) in each pair and its median.

A case that this processor cannot do, bf16 without AVX-512, is named on stderr and has "not_supported" in place of
results. A case that fails for another reason has "error"; the exit status is then 1.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time

import comparison

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
CASES = ["unet:bf16", "unet:f32", "decode:bf16", "decode:f32", "image:bf16", "image:f32"]
PROMPT, STEPS, GUIDANCE, LATENTS = "portrait face photo of a smiling female person", 20, 7.5, 64


def repeat(function, calls):
    function()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds


def report(seconds):
    print(json.dumps({"seconds": statistics.median(seconds), "minimum": min(seconds),
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}))


def ours(case, options):
    from aimfair_diffusion import Library, LibraryError
    library = Library(options.library)
    try:
        measure_ours(library, case, options)
    except LibraryError as error:
        print(json.dumps({"error": str(error)}))
        sys.exit(0 if error.unsupported else 1)


def measure_ours(library, case, options):
    import numpy

    from aimfair_diffusion import Diffusion
    kind, precision = case.split(":")
    model = Diffusion(library, os.path.join(options.work, options.family), precision)
    random = numpy.random.default_rng(1)
    latents = random.standard_normal((2, 4, LATENTS, LATENTS))
    if kind == "unet":
        states = model.encode_text(["", PROMPT])
        report(repeat(lambda: model.predict(latents, [501, 501], states), options.calls))
    elif kind == "decode":
        report(repeat(lambda: model.decode(latents[0]), options.calls))
    else:
        model.generate([PROMPT], [1], steps=1, guidance=GUIDANCE, size=8 * LATENTS)
        start = time.perf_counter()
        model.generate([PROMPT], [1], steps=STEPS, guidance=GUIDANCE, size=8 * LATENTS)
        report([time.perf_counter() - start])


def set_attention(unet, name):
    from diffusers.models import attention_processor
    unet.set_attn_processor({"classic": attention_processor.AttnProcessor, "default": attention_processor.AttnProcessor2_0}[name]())


def diffusers_parts(case, options, *names):
    import torch

    import random_diffusion_models as models
    dtype = models.TORCH_TYPES[case.split(":")[1]]
    folder = os.path.join(options.work, options.family)
    parts = [models.load(folder, name, options.family).to(dtype).to(memory_format=torch.channels_last) for name in names]
    if options.attention and "unet" in names:
        set_attention(parts[names.index("unet")], options.attention)
    if options.attention and "vae" in names:
        set_attention(parts[names.index("vae")], options.attention)
    return dtype, parts


def theirs(case, options):
    import torch

    import random_diffusion_models as models
    kind = case.split(":")[0]
    generator = torch.Generator().manual_seed(1)
    width = models.UNETS[options.family]["cross_attention_dim"]
    latents = torch.randn(2, 4, LATENTS, LATENTS, generator=generator)
    states = torch.randn(2, 77, width, generator=generator)
    with torch.inference_mode():
        if kind == "image":
            pipeline_image(case, options)
            return
        dtype, (model,) = diffusers_parts(case, options, "unet" if kind == "unet" else "vae")
        latents, states = latents.to(dtype).contiguous(memory_format=torch.channels_last), states.to(dtype)
        if kind == "unet":
            report(repeat(lambda: model(latents, 501, states).sample, options.calls))
        else:
            report(repeat(lambda: model.decode(latents[:1] / 0.18215).sample, options.calls))


def pipeline_image(case, options):
    import diffusers
    from transformers import CLIPTokenizer

    _, (unet, vae, text) = diffusers_parts(case, options, "unet", "vae", "text_encoder")
    folder = os.path.join(options.work, options.family)
    pipeline = diffusers.StableDiffusionPipeline(
        vae=vae, unet=unet, text_encoder=text, tokenizer=CLIPTokenizer.from_pretrained(os.path.join(folder, "tokenizer")),
        scheduler=diffusers.DDIMScheduler.from_pretrained(os.path.join(folder, "scheduler")), safety_checker=None,
        feature_extractor=None, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    pipeline(PROMPT, num_inference_steps=1, guidance_scale=GUIDANCE)
    start = time.perf_counter()
    pipeline(PROMPT, num_inference_steps=STEPS, guidance_scale=GUIDANCE)
    report([time.perf_counter() - start])


def measure(side, case, options, attention=None):
    command = [sys.executable, __file__, "--side", side, "--work", options.work, "--family", options.family, "--library",
               options.library, "--calls", str(options.calls), "--case", case] + (["--attention", attention] if attention else [])
    environment = dict(os.environ)
    if side == "theirs":
        environment |= {"MALLOC_TRIM_THRESHOLD_": "-1", "MALLOC_TOP_PAD_": "536870912", "MALLOC_MMAP_MAX_": "0"}
    return comparison.measure(command, environment)


def faster_attention(case, options):
    """Tried on the UNet for whole images: attention is what differs, and a try takes seconds."""
    tried = case.replace("image", "unet")
    seconds = {name: measure("theirs", tried, options, name)["seconds"] for name in ("classic", "default")}
    print(f"{case}: diffusers' attention, classic {seconds['classic']:.2f} s, default {seconds['default']:.2f} s", file=sys.stderr)
    return min(seconds, key=seconds.get)


def compare(case, options):
    """Ours is measured first: it tells in seconds whether it can do the case, while attentions are tried for minutes."""
    attention, pairs = options.attention, []
    for number in range(options.pairs):
        results = {}
        for side in ("ours", "theirs") if number % 2 == 0 else ("theirs", "ours"):
            if side == "theirs":
                attention = attention or faster_attention(case, options)
            results[side] = measure(side, case, options, attention if side == "theirs" else None)
        pairs.append(results)
        print(f"{case} pair {number + 1}: {results['ours']['seconds']:.2f} s against {results['theirs']['seconds']:.2f} s",
              file=sys.stderr)
    ratios = [pair["theirs"]["seconds"] / pair["ours"]["seconds"] for pair in pairs]
    return {"case": case, "family": options.family, "attention": attention, "ratio_median": round(statistics.median(ratios), 3),
            "ratios": [round(ratio, 3) for ratio in ratios], "load_average": os.getloadavg()[0],
            **{f"{side}_seconds": round(statistics.median(pair[side]["seconds"] for pair in pairs), 3) for side in ("ours", "theirs")},
            **{f"{side}_peak_mb": round(max(pair[side]["peak_mb"] for pair in pairs)) for side in ("ours", "theirs")}}


def main():
    from aimfair_diffusion import DEFAULT_LIBRARY
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, help="folder for the models")
    parser.add_argument("--family", default="sd21", choices=["sd15", "sd21"])
    parser.add_argument("--library", default=DEFAULT_LIBRARY)
    parser.add_argument("--vocabulary", default=os.path.join(os.environ.get("AIMFAIR_DATA", "."), "clip", "bpe_simple_vocab_16e6.txt.gz"))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--calls", type=int, default=3, help="timed calls per measurement of unet and decode")
    parser.add_argument("--case", nargs="*", default=CASES)
    parser.add_argument("--attention", choices=["classic", "default"])
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        {"ours": ours, "theirs": theirs}[options.side](options.case[0], options)
        return
    import random_diffusion_models
    random_diffusion_models.make(options.family, os.path.join(options.work, options.family), options.vocabulary)
    sys.exit(comparison.compare_all("compare_diffusers", options.case, lambda case: compare(case, options)))


if __name__ == "__main__":
    main()
