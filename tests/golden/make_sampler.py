"""Golden latents: what diffusers' schedulers make of a closed formula in place of a network, from our own noise.

Usage: make_sampler.py   writes sampler/ beside this script
The formula, prediction = 0.6 sin(0.7 x + t / 200) with x what the network is shown, and the noise (Philox 4x32-10, Box-Muller, as
src/base/random.c has it) are computed on both sides.
"""

import json
import pathlib
import sys

import diffusers
import diffusers.schedulers.scheduling_euler_ancestral_discrete as euler_ancestral
import numpy as np
import torch

torch.set_num_threads(1)
FOLDER = pathlib.Path(__file__).parent / "sampler"
SEEDS = [7, 0xFEDCBA9876543210]
N = 6
NOISE_STREAM = 10
MASK = 0xFFFFFFFF


def philox(key, counter):
    (k0, k1), (c0, c1, c2, c3) = key, counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def normal(seed, index, n):
    key = philox((seed & MASK, seed >> 32), (NOISE_STREAM, 0x61696D66, 0, 0))[:2]
    numbers = []
    for i in range(n):
        a, b, c, d = philox(key, (i, 0, index & MASK, index >> 32))
        u, v = ((high << 32 | low) >> 11 for high, low in ((a, b), (c, d)))
        numbers.append(np.sqrt(-2 * np.log(1 - u * 2.0**-53)) * np.cos(2 * np.pi * (v * 2.0**-53)))
    return numbers


def noise(index):
    return torch.tensor(np.array([normal(seed, index, N) for seed in SEEDS]), dtype=torch.float32)


def network(shown, timestep):
    return (0.6 * torch.sin(0.7 * shown.double() + float(timestep) / 200)).float()


COMMON = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)


def scheduler(sampler, v_prediction, spacing):
    common = COMMON | {"prediction_type": "v_prediction" if v_prediction else "epsilon"}
    if spacing != "usual":
        common["timestep_spacing"] = spacing
    if sampler == "ddim":
        return diffusers.DDIMScheduler(**common, clip_sample=False, set_alpha_to_one=False)
    if sampler == "plms":
        return diffusers.PNDMScheduler(**common, skip_prk_steps=True, set_alpha_to_one=False)
    if sampler == "dpm-solver++":
        return diffusers.DPMSolverMultistepScheduler(**common)
    if sampler == "euler":
        return diffusers.EulerDiscreteScheduler(**common)
    return diffusers.EulerAncestralDiscreteScheduler(**common)


def sample(sampler, steps, v_prediction, eta=0.0, spacing="usual"):
    solver = scheduler(sampler, v_prediction, spacing)
    solver.set_timesteps(steps)
    latents = noise(0) * solver.init_noise_sigma
    for call, timestep in enumerate(solver.timesteps):
        prediction = network(solver.scale_model_input(latents, timestep), timestep)
        euler_ancestral.randn_tensor = lambda *_, index=1 + call, **__: noise(index)
        options = {"eta": eta, "variance_noise": noise(1 + call) if eta else None} if sampler == "ddim" else {}
        latents = solver.step(prediction, timestep, latents, **options).prev_sample
    return {
        "sampler": sampler,
        "steps": steps,
        "v": v_prediction,
        "eta": eta,
        "spacing": spacing,
        "timesteps": [float(t) for t in solver.timesteps] if steps <= 20 else [float(t) for t in solver.timesteps[:3]],
        "calls": len(solver.timesteps),
        "latents": [float(f"{x:.9g}") for x in latents.flatten()],
    }


def main():
    samplers = ["ddim", "plms", "dpm-solver++", "euler", "euler-a"]
    cases = []
    for v_prediction in (False, True):
        for steps in (1, 2, 3, 10, 15, 20, 50, 999):
            cases += [sample(sampler, steps, v_prediction) for sampler in samplers]
        for eta in (0.5, 1.0):
            cases += [sample("ddim", steps, v_prediction, eta) for steps in (1, 2, 10, 50, 999)]
        for spacing in ("leading", "linspace", "trailing"):
            cases += [sample(sampler, steps, v_prediction, spacing=spacing) for sampler in samplers for steps in (1, 10, 30)]
    assert all(np.isfinite(case["latents"]).all() for case in cases)
    FOLDER.mkdir(exist_ok=True)
    golden = {"versions": f"diffusers {diffusers.__version__}, torch {torch.__version__}, python {sys.version.split()[0]}"}
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    head = json.dumps(golden)[:-1] + f', "noise": {json.dumps([float(x) for x in noise(0).flatten()])}'
    (FOLDER / "latents.json").write_text(head + ', "cases": [\n' + rows + "\n]}\n")


if __name__ == "__main__":
    main()
