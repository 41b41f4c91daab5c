#!/usr/bin/env python3
"""Compares libaimfair's image generation with diffusers and transformers at full size. Not part of the test suite.

    tools/compare_diffusers.py --work FOLDER [--library build/release/libaimfair.so.1] [--family sd21 sd15] [--part …] [--latents 32]

Makes random-weight models of Stable Diffusion 1.5's and 2.1-base's exact architectures in FOLDER (5 GB each, kept), loads them in every
published form and compares tokens, text states, UNet, decoder and encoder, and the latents after ten steps of every sampler from the same
noise; with AIMFAIR_DATA set, also the real TAESD on photographs. Prints a table; exits 1 if a row is beyond its limit.
On a processor without bf16 its rows are named and left out.

Errors are relative in the 2-norm, |ours - theirs| / |theirs|, against PyTorch in f32. In other forms the reference's weights are rounded to
the form's type first. Tokens are compared with transformers' CLIPTokenizer and, from OpenAI's vocabulary, with open_clip's.
"""
import argparse
import contextlib
import glob
import os
import resource
import shutil
import sys

import numpy
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden"))
import make_sampler  # noqa: E402  how the schedulers are set up, and our noise
import random_diffusion_models as models  # noqa: E402
from aimfair_diffusion import DEFAULT_LIBRARY, SAMPLERS, Autoencoder, Diffusion, Library, LibraryError, Tokenizer

PROMPTS = ["portrait photo of a smiling woman with short grey hair and round glasses, head turned slightly left",
           "a cat &amp; a dog,   sitting 🙂 on 寿司 naïve façade; don't 12345 \u00e9l\u00e8ve\tand\nmore", "", "photo " * 90,
           "ＦＵＬＬ　ＷＩＤＴＨ ﬁligree ½ €5 e\u0301 \U0001f468‍\U0001f469‍\U0001f467", "<|startoftext|> it's <|endoftext|> I'LL", "İstanbul straße ΑΣ"]
FORMS = ["diffusers-f16", "diffusers-bf16", "ldm-safetensors-f32", "ldm-safetensors-f16", "ldm-ckpt-f32", "ldm-ckpt-f16"]
PARTS = ["tokens", "text", "unet", "vae", "samplers", "forms", "taesd"]
LIMITS = {"f32": 1e-4, "bf16": 3e-2}


class Table:
    def __init__(self):
        self.failed = 0

    def row(self, what, error, limit):
        good = error <= limit
        self.failed += not good
        print(f"{what:64} {error:10.2e} {limit:10.1e}  {'ok' if good else 'FAILED'}", flush=True)


@contextlib.contextmanager
def open_ours(library, options, family, precision, what):
    """Our model of @family. Without bf16 the rest of the block is left out: the first network asked for says so."""
    ours = Diffusion(library, folder_of(options, family), precision, options.threads)
    try:
        yield ours
    except LibraryError as error:
        if precision != "bf16" or not error.unsupported:
            raise
        print(f"{f'{family} {what}, {precision}':64} not supported here ({error})", flush=True)
    finally:
        ours.close()


def relative(ours, theirs):
    theirs = numpy.asarray(theirs, numpy.float64)
    return float(numpy.linalg.norm(ours - theirs) / numpy.linalg.norm(theirs))


def folder_of(options, family):
    path = os.path.join(options.work, family)
    models.make(family, path, options.vocabulary)
    return path


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- Tokens ---

def reference_ids(folder, prompts):
    from transformers import CLIPTokenizer
    tokenizer = CLIPTokenizer.from_pretrained(os.path.join(folder, "tokenizer"))
    return tokenizer(prompts, padding="max_length", max_length=77, truncation=True).input_ids


def compare_tokens(library, table, options, family):
    """Hugging Face's form of the vocabulary against its tokenizer, OpenAI's against OpenAI's, which cleans text in its own way.

    open_clip has OpenAI's program with other names for the two special tokens.
    """
    import open_clip
    folder = folder_of(options, family)
    pad = 49407 if family == "sd15" else 0
    renamed = [text.replace("<|startoftext|>", "<start_of_text>").replace("<|endoftext|>", "<end_of_text>") for text in PROMPTS]
    cases = [(os.path.join(folder, "tokenizer"), "transformers", pad, reference_ids(folder, PROMPTS)),
             (options.vocabulary, "open_clip", 0, open_clip.tokenize(renamed).tolist())]
    for path, whose, pad, expected in cases:
        tokenizer = Tokenizer(library, path)
        different = sum(tokenizer.prompt(prompt, pad)[0] != ids for prompt, ids in zip(PROMPTS, expected))
        tokenizer.close()
        table.row(f"{family} tokens as {whose}, prompts that differ", different, 0)


# --- The networks ---

def reference_states(text, folder, prompts):
    with torch.inference_mode():
        return text(torch.tensor(reference_ids(folder, prompts))).last_hidden_state.numpy()


def compare_text(library, table, options, family):
    folder = folder_of(options, family)
    expected = reference_states(models.load(folder, "text_encoder", family), folder, PROMPTS[:3])
    for precision, limit in LIMITS.items():
        with open_ours(library, options, family, precision, "text states") as ours:
            table.row(f"{family} text states, {precision}", relative(ours.encode_text(PROMPTS[:3]), expected), limit)


def unet_input(family, side, n=2):
    width = models.UNETS[family]["cross_attention_dim"]
    return draw(1, n, 4, side, side), torch.tensor([981.0, 21.0])[:n], draw(2, n, 77, width)


def compare_unet(library, table, options, family):
    folder = folder_of(options, family)
    latents, timesteps, states = unet_input(family, options.latents)
    unet = models.load(folder, "unet", family)
    with torch.inference_mode():
        expected = unet(latents, timesteps, states).sample.numpy()
    del unet
    for precision, limit in LIMITS.items():
        with open_ours(library, options, family, precision, "UNet") as ours:
            table.row(f"{family} UNet at {options.latents} x {options.latents}, {precision}",
                      relative(ours.predict(latents, timesteps, states), expected), limit)


def compare_vae(library, table, options, family):
    folder = folder_of(options, family)
    side = options.latents
    latents, planes = draw(3, 4, side, side) * 0.8, torch.rand(3, 8 * side, 8 * side, generator=torch.Generator().manual_seed(4)) * 2 - 1
    vae = models.load(folder, "vae", family)
    with torch.inference_mode():
        decoded = vae.decode(latents[None] / 0.18215).sample[0].numpy()
        encoded = (vae.encode(planes[None]).latent_dist.mode()[0] * 0.18215).numpy()
    del vae
    for precision, limit in LIMITS.items():
        with open_ours(library, options, family, precision, "decoder and encoder") as ours:
            table.row(f"{family} decoder to {8 * side} x {8 * side}, {precision}",
                      relative(ours.decode(latents), decoded), limit)
            table.row(f"{family} encoder, {precision}", relative(ours.encode(planes), encoded), limit)


# --- Samplers ---

def reference_latents(unet, states, noise, sampler, steps, guidance, seed):
    """A pipeline's loop; @states (2, 77, width), the unconditional one first; @seed: of what an ancestral sampler draws."""
    scheduler = make_sampler.scheduler(sampler, False, "usual")
    scheduler.set_timesteps(steps)
    latents = noise * scheduler.init_noise_sigma
    with torch.inference_mode():
        for call, timestep in enumerate(scheduler.timesteps):
            seen = scheduler.scale_model_input(torch.cat([latents, latents]), timestep)
            negative, own = unet(seen, timestep, states).sample.chunk(2)
            make_sampler.euler_ancestral.randn_tensor = lambda *_, index=1 + call, **__: torch.tensor(
                numpy.array(make_sampler.normal(seed, index, noise.numel())), dtype=torch.float32).view(noise.shape)
            latents = scheduler.step(negative + guidance * (own - negative), timestep, latents).prev_sample
    return latents.numpy()


def compare_samplers(library, table, options, family):
    folder = folder_of(options, family)
    side, steps, guidance, seed = options.latents, 10, 7.5, 12345
    text = models.load(folder, "text_encoder", family)
    states = torch.from_numpy(reference_states(text, folder, ["", PROMPTS[0]]))
    del text
    noise = draw(5, 1, 4, side, side)
    unet = models.load(folder, "unet", family)
    expected = {sampler: reference_latents(unet, states, noise, sampler, steps, guidance, seed) for sampler in options.sampler}
    del unet
    for precision, limit in {"f32": 1e-3, "bf16": 3e-2}.items():
        with open_ours(library, options, family, precision, "latents after sampling") as ours:
            for sampler in options.sampler:
                latents, _ = ours.generate([PROMPTS[0]], [seed], noise, sampler, steps, guidance, 8 * side)
                table.row(f"{family} {sampler}, latents after {steps} steps, {precision}",
                          relative(latents, expected[sampler]), limit)


# --- Forms ---

def compare_form(library, table, options, family, form):
    folder = folder_of(options, family)
    dtype = models.TORCH_TYPES[form.rsplit("-", 1)[1]]
    path = os.path.join(options.work, f"{family}-{form}" + (".ckpt" if "ckpt" in form else ".safetensors" if "ldm" in form else ""))
    try:
        models.convert(folder, family, path, form)
        arguments = {} if "diffusers" in form else {"tokenizer": options.vocabulary, "prediction": "epsilon"}
        ours = Diffusion(library, path, "f32", options.threads, **arguments)
        latents, timesteps, states = unet_input(family, 16, 1)
        got = [ours.encode_text(PROMPTS[:1]), ours.predict(latents, timesteps, states), ours.decode(latents[0])]
        ours.close()
    finally:
        if os.path.exists(path):
            (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)
    expected = [reference_states(models.load(folder, "text_encoder", family, dtype), folder, PROMPTS[:1])]
    with torch.inference_mode():
        expected.append(models.load(folder, "unet", family, dtype)(latents, timesteps, states).sample.numpy())
        expected.append(models.load(folder, "vae", family, dtype).decode(latents / 0.18215).sample[0].numpy())
    for what, a, b in zip(("text states", "UNet", "decoder"), got, expected):
        table.row(f"{family} {form}: {what}", relative(a, b), 1e-4)


# --- TAESD ---

def reference_taesd(folder):
    from diffusers import AutoencoderTiny
    from safetensors.torch import load_file
    vae = AutoencoderTiny().eval()
    state = {f"encoder.layers.{name}": value.float() for name, value in load_file(f"{folder}/taesd_encoder.safetensors").items()}
    for name, value in load_file(f"{folder}/taesd_decoder.safetensors").items():
        number, rest = name.split(".", 1)  # the first of the original's layers bounds the latents and has no weights
        state[f"decoder.layers.{int(number) - 1}.{rest}"] = value.float()
    vae.load_state_dict(state)
    return vae


def photographs(folder, count):
    from PIL import Image
    files = sorted(glob.glob(f"{folder}/utkface/*.jpg"))[:count] + sorted(glob.glob(f"{folder}/celeba/**/*.jpg", recursive=True))[:count]
    for file in files:
        image = Image.open(file).convert("RGB")
        width, height = image.width // 8 * 8, image.height // 8 * 8
        pixels = numpy.asarray(image.crop((0, 0, width, height)), numpy.float32)
        yield torch.from_numpy(pixels.transpose(2, 0, 1) / 127.5 - 1)


def compare_taesd(library, table, options):
    data = os.environ.get("AIMFAIR_DATA")
    if not data:
        print("AIMFAIR_DATA is not set: TAESD is left out")
        return
    vae = reference_taesd(f"{data}/taesd")
    ours = Autoencoder(library, f"{data}/taesd")
    encoding = decoding = 0.0
    for planes in photographs(data, 8):
        with torch.inference_mode():
            latents = vae.encode(planes[None]).latents[0]
            decoded = vae.decode(latents[None]).sample[0].numpy()
        encoding = max(encoding, float(numpy.abs(ours.encode(planes) - latents.numpy()).max()))
        decoding = max(decoding, float(numpy.abs(ours.decode(latents) - decoded).max()) / 2)  # in units of [0, 1]
    ours.close()
    table.row("TAESD, photographs: encoding, largest difference", encoding, 1 / 255)
    table.row("TAESD, photographs: decoding, largest difference in [0, 1]", decoding, 1 / 255)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, help="folder for the models, with 15 GB of room")
    parser.add_argument("--library", default=DEFAULT_LIBRARY)
    parser.add_argument("--vocabulary", default=os.path.join(os.environ.get("AIMFAIR_DATA", "."), "clip", "bpe_simple_vocab_16e6.txt.gz"))
    parser.add_argument("--family", nargs="+", choices=list(models.SEEDS), default=list(models.SEEDS))
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--form", nargs="+", choices=FORMS, default=FORMS)
    parser.add_argument("--sampler", nargs="+", choices=SAMPLERS, default=SAMPLERS)
    parser.add_argument("--latents", type=int, default=32, help="side of the latents; 64 for pictures of full size")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    library, table = Library(options.library), Table()
    parts = {"tokens": compare_tokens, "text": compare_text, "unet": compare_unet, "vae": compare_vae, "samplers": compare_samplers}
    print(f"{'what':64} {'error':>10} {'limit':>10}")
    for family in options.family:
        for part in (part for part in options.part if part in parts):
            parts[part](library, table, options, family)
        for form in options.form if "forms" in options.part else []:
            compare_form(library, table, options, family, form)
    if "taesd" in options.part:
        compare_taesd(library, table, options)
    print(f"{table.failed} beyond their limit; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
