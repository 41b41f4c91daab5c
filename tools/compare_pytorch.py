#!/usr/bin/env python3
"""Holds a run of the program against the original algorithm in PyTorch, on the same weights, pictures and batches.

Needs torch, torchvision, Pillow, numpy, pandas, safetensors and fairlearn; a model that `aimfair train` saved and its manifests:

    python3 tools/compare_pytorch.py --program build/release/aimfair --model biased.safetensors --work /tmp/compare \\
        --real train.csv --biased biased.csv --balanced balanced.csv --test test.csv --batch 64

Checks, each printed with what was found: the logits of the test set; the measures against the definitions and against fairlearn;
both sensitivities of every tensor, their rank lists and the masks; the losses of fine-tuning and the bits of frozen tensors.
Exit status 1 if one of them fails.
"""

import argparse
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import torch
import torchvision
from PIL import Image
from safetensors import safe_open
from torch.nn.functional import binary_cross_entropy_with_logits

FAILURES = []


def check(what, holds, found):
    print(f"{'ok  ' if holds else 'FAIL'} {what}: {found}", flush=True)
    if not holds:
        FAILURES.append(what)


def run(options, *arguments):
    command = [options.program, *arguments, "--quiet"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\nended with {result.returncode}: {result.stderr}")
    return result.stdout


def load_state(path):
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def make_model(path):
    model = torchvision.models.resnet18(num_classes=1)
    model.load_state_dict(load_state(path), strict=True)
    return model


def read_manifest(path):
    table = pd.read_csv(path, dtype={"protected": str})
    folder = os.path.dirname(os.path.abspath(path))
    table["path"] = [name if os.path.isabs(name) else os.path.join(folder, name) for name in table["path"]]
    return table


def batches(table, size, batch, drop_last):
    transform = torchvision.transforms.Compose([
        torchvision.transforms.Resize((size, size)), torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize([0.5] * 3, [0.5] * 3)])
    for start in range(0, len(table), batch):
        rows = table.iloc[start:start + batch]
        if drop_last and len(rows) < batch:
            return
        images = torch.stack([transform(Image.open(path).convert("RGB")) for path in rows["path"]])
        yield images, torch.tensor(rows["target"].to_numpy(), dtype=torch.float32).view(-1, 1)


def original_measures(table, prediction):
    """The measures as the original defines them: per group, and the mean of the two gaps."""
    target, protected = table["target"].to_numpy(), (table["protected"] == table["protected"].max()).to_numpy()
    group = [np.mean(prediction[(target == y) & (protected == s)] == y) for y in (0, 1) for s in (False, True)]
    rate = {(y, s): np.mean(prediction[(target == y) & (protected == s)]) for y in (0, 1) for s in (False, True)}
    gaps = [abs(rate[y, True] - rate[y, False]) for y in (0, 1)]
    return {"accuracy": np.mean(prediction == target), "worst_group_accuracy": min(group),
            "std_group_accuracy": np.std(group), "equalized_odds_mean": sum(gaps) / 2}


def compare_evaluation(options):
    from fairlearn import metrics
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    table = read_manifest(options.test)
    model = make_model(options.model).eval()
    with torch.no_grad():
        logits = torch.cat([model(images) for images, _ in batches(table, options.image_size, 100, False)])
    logits = logits.flatten().numpy()
    ours_path = os.path.join(options.work, "predictions.csv")
    ours = json.loads(run(options, "evaluate", "--model", options.model, "--data", options.test, "--predictions",
                          ours_path, "--json"))
    ours_logits = pd.read_csv(ours_path)["logit"].to_numpy()
    error = np.linalg.norm(ours_logits - logits) / np.linalg.norm(logits)
    check("logits of the test set, relative L2 error", error < 1e-4, f"{error:.2e} over {len(logits)}")

    prediction = (ours_logits >= 0).astype(int)
    for name, value in original_measures(table, prediction).items():
        mine = ours["equalized_odds"]["mean"] if name == "equalized_odds_mean" else ours[name]
        check(f"{name}, the original's", abs(mine - value) < 1e-9, f"{mine:.6f} and {value:.6f}")
    arguments = dict(y_true=table["target"], y_pred=prediction, sensitive_features=table["protected"])
    peers = {"equalized_odds.max": (ours["equalized_odds"]["max"], metrics.equalized_odds_difference(**arguments)),
             "demographic_parity": (ours["demographic_parity"], metrics.demographic_parity_difference(**arguments)),
             "balanced_accuracy": (ours["balanced_accuracy"], balanced_accuracy_score(table["target"], prediction)),
             "auc": (ours["auc"], roc_auc_score(table["target"], ours_logits))}
    for name, (mine, value) in peers.items():
        check(f"{name}, fairlearn's or scikit-learn's", abs(mine - value) < 1e-6, f"{mine:.6f} and {value:.6f}")


def mean_gradients(options, manifest, layout):
    model = make_model(options.model).to(memory_format=layout).train()
    total = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in model.named_parameters()}
    count = 0
    for images, targets in batches(read_manifest(manifest), options.image_size, options.batch, True):
        model.zero_grad()
        binary_cross_entropy_with_logits(model(images.contiguous(memory_format=layout)), targets).backward()
        for name, parameter in model.named_parameters():
            total[name] += parameter.grad.double()
        count += 1
    return {name: (value / count).numpy() for name, value in total.items()}


def original_mask(domain, bias, k):
    by_domain = sorted(domain, key=lambda name: domain[name])[:k]
    by_bias = sorted(bias, key=lambda name: -bias[name])[:k]
    return {name for name in by_domain if name in by_bias}


def swaps_beyond(ours, theirs, tolerance):
    """Pairs that the two orders rank differently although their values differ by more than the tolerance."""
    names = list(theirs)
    return sum(1 for i, a in enumerate(names) for b in names[i + 1:]
               if (ours[a] - ours[b]) * (theirs[a] - theirs[b]) < 0
               and abs(theirs[a] - theirs[b]) > 2 * tolerance * max(theirs[a], theirs[b]))


def compare_sensitivity(options):
    output = os.path.join(options.work, "sensitivity.json")
    run(options, "sensitivity", "--model", options.model, "--real", options.real, "--biased", options.biased,
        "--balanced", options.balanced, "--batch", str(options.batch), "--augment", "none", "--shuffle", "none", "-o", output)
    with open(output, encoding="utf-8") as file:
        ours = {row["name"]: row for row in json.load(file)["tensors"]}
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        gradient = {name: mean_gradients(options, getattr(options, name), layout)
                    for name in ("real", "biased", "balanced")}
        results.append(({name: np.abs(gradient["real"][name] - gradient["biased"][name]).mean() for name in ours},
                        {name: np.abs(gradient["biased"][name] - gradient["balanced"][name]).mean() for name in ours}))
    (domain, bias), (other_domain, other_bias) = results
    for key, theirs, other in (("domain", domain, other_domain), ("bias", bias, other_bias)):
        error = max(abs(ours[name][key] - theirs[name]) / theirs[name] for name in theirs)
        spread = max(abs(other[name] - theirs[name]) / theirs[name] for name in theirs)
        check(f"{key} sensitivity, worst relative error", error < 1e-3,
              f"{error:.2e} (PyTorch's two memory layouts differ by {spread:.2e})")
        mine = {name: ours[name][key] for name in theirs}
        check(f"{key} rank list, swaps beyond the tolerance", swaps_beyond(mine, theirs, 1e-3) == 0,
              swaps_beyond(mine, theirs, 1e-3))
    for k in (35, 40, 48, 55):
        mine = {name for name, row in ours.items() if row["domain_rank"] <= k and row["bias_rank"] <= k}
        theirs = original_mask(domain, bias, k)
        check(f"mask for k = {k}", mine == theirs, f"{len(mine)} tensors" if mine == theirs else sorted(mine ^ theirs))
    return output


def original_finetuning(options, mask, layout, epochs, rate):
    model = make_model(options.model).to(memory_format=layout).train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in mask)
    sgd = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=rate, momentum=0.9, weight_decay=1e-4)
    means = []
    for _ in range(epochs):
        losses = []
        for images, targets in batches(read_manifest(options.balanced), options.image_size, options.batch, True):
            loss = binary_cross_entropy_with_logits(model(images.contiguous(memory_format=layout)), targets)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses.append(loss.item())
        means.append(float(np.mean(losses)))
    return means


def compare_finetuning(options, sensitivity, epochs=2, rate=0.01, k=48):
    output, log = os.path.join(options.work, "fair.safetensors"), os.path.join(options.work, "fair.jsonl")
    run(options, "finetune", "--model", options.model, "--sensitivity", sensitivity, "--top-k", str(k), "--train",
        options.balanced, "--val", options.test, "--epochs", str(epochs), "--lr", str(rate), "--batch", str(options.batch),
        "--augment", "none", "--shuffle", "none", "--log", log, "-o", output)
    with open(log, encoding="utf-8") as file:
        losses = [epoch["loss"] for epoch in map(json.loads, file) if epoch["epoch"] > 0]
    with open(sensitivity, encoding="utf-8") as file:
        mask = {row["name"] for row in json.load(file)["tensors"] if max(row["domain_rank"], row["bias_rank"]) <= k}
    theirs = original_finetuning(options, mask, torch.contiguous_format, epochs, rate)
    other = original_finetuning(options, mask, torch.channels_last, epochs, rate)
    for epoch, (mine, value, second) in enumerate(zip(losses, theirs, other)):
        tolerance = max(1e-3, 2 * abs(value - second))
        check(f"mean loss of epoch {epoch} of fine-tuning", abs(mine - value) <= tolerance,
              f"{mine:.6f} and {value:.6f}, {second:.6f} in PyTorch's two memory layouts")
    before, after = load_state(options.model), load_state(output)
    parameters = [name for name, _ in make_model(options.model).named_parameters()]
    moved = {name for name in parameters if not torch.equal(before[name], after[name])}
    check("tensors that changed are those of the mask", moved == mask, f"{len(moved)} of {len(parameters)}")
    statistics = [name for name in before if "running_" in name]
    check("running statistics moved everywhere", all(not torch.equal(before[n], after[n]) for n in statistics),
          len(statistics))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("program", "model", "real", "biased", "balanced", "test", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--batch", type=int, default=128)
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    torch.set_num_threads(os.cpu_count())
    with safe_open(options.model, "pt") as file:
        options.image_size = int(file.metadata()["aimfair.image_size"])
    print(f"PyTorch {torch.__version__}, {run(options, '--version').strip()}")
    compare_evaluation(options)
    compare_finetuning(options, compare_sensitivity(options))
    sys.exit(f"{len(FAILURES)} checks failed" if FAILURES else 0)


if __name__ == "__main__":
    main()
