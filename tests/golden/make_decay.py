#!/usr/bin/env python3
"""Golden values for tests/model/test_decay.c, to stdout: which parameters timm leaves without weight decay.

For each architecture the names, in the model's order. The names are timm's here too, but for ConvNeXt, which is
torchvision's: there the scale of a branch has the shape (C, 1, 1), in timm (C).
"""
import json
import re

import timm
import timm.optim
import torchvision

SAME = ["resnet18", "tf_efficientnet_lite0", "vit_small_patch32_224", "vit_small_patch16_224", "vit_base_patch16_224"]


def undecayed(model):
    exempt = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
    groups = timm.optim.param_groups_weight_decay(model, 0.05, no_weight_decay_list=exempt)
    ids = {id(parameter) for group in groups if group["weight_decay"] == 0 for parameter in group["params"]}
    return [name for name, parameter in model.named_parameters() if id(parameter) in ids]


def torchvision_name(name):
    """timm's of ConvNeXt as torchvision's."""
    layers = {"conv_dw": "block.0", "norm": "block.2", "mlp.fc1": "block.3", "mlp.fc2": "block.5"}
    name = re.sub(r"^head\.norm\.", "classifier.0.", name)
    name = re.sub(r"^stem\.", "features.0.", name)
    name = re.sub(r"^stages\.(\d)\.downsample\.", lambda m: f"features.{2 * int(m[1])}.", name)
    name = re.sub(r"^stages\.(\d)\.blocks\.(\d)\.", lambda m: f"features.{2 * int(m[1]) + 1}.{m[2]}.", name)
    name = re.sub(r"\.(conv_dw|norm|mlp\.fc[12])\.(weight|bias)$", lambda m: f".{layers[m[1]]}.{m[2]}", name)
    return re.sub(r"^head\.fc\.", "classifier.2.", name).replace(".gamma", ".layer_scale")


def convnext():
    ours = dict(torchvision.models.convnext_tiny(num_classes=1).named_parameters())
    model = timm.create_model("convnext_tiny", num_classes=1)
    theirs = {torchvision_name(name): parameter for name, parameter in model.named_parameters()}
    assert ours.keys() == theirs.keys()
    assert all(ours[name].numel() == theirs[name].numel() for name in ours)
    without = {torchvision_name(name) for name in undecayed(model)}
    return [name for name in ours if name in without]


def main():
    networks = {name: undecayed(timm.create_model(name, num_classes=1)) for name in SAME}
    networks["convnext_tiny"] = convnext()
    versions = {"timm": timm.__version__, "torchvision": torchvision.__version__}
    print(json.dumps({"versions": versions, "undecayed": networks}, separators=(",", ":")))


if __name__ == "__main__":
    main()
