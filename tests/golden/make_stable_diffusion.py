#!/usr/bin/env python3
"""Makes what tests/model/test_sd_networks.c and test_sd_names.c compare with, by diffusers and transformers.

stable_diffusion.safetensors: results, in f64 kept as f32, of tiny networks whose weights come from names by formula
(tests/model/support_tiny_sd.c does the same). Its metadata: versions, and SHA-256 sums over the names and shapes of all tensors
of the full-size networks, as diffusers has them and as LDM's checkpoints do; the latter are checked here against diffusers' own converters.
stable_diffusion/*.json: the configurations of the full-size networks as diffusers and transformers write them.
Made with diffusers 0.42.1, transformers 5.23.0 and PyTorch 2.15.0.
"""
import hashlib
import json
import math
import pathlib

import diffusers
import numpy
import safetensors.torch
import torch
import transformers
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from diffusers.loaders import single_file_utils
from transformers import CLIPTextConfig, CLIPTextModel

import formula

HERE = pathlib.Path(__file__).parent
CROSS = ["CrossAttnDownBlock2D", "CrossAttnUpBlock2D"]
PLAIN = ["DownBlock2D", "UpBlock2D"]


def coarse(name, n):
    return ((formula.hashes(name, n) >> numpy.uint32(8)) % 513).astype(numpy.float64) / 256 - 1


def fine(name, *shape):
    return torch.from_numpy(formula.fine(name, math.prod(shape))).reshape(shape)


def weight(name, shape):
    values = coarse(name, math.prod(shape))
    if len(shape) == 1 and name.endswith(".weight"):
        values = 1 + numpy.trunc(values * 4) / 16
    elif name.endswith(".bias"):
        values = values / 16
    elif "embeddings." in name and name.endswith("_embedding.weight"):
        values = values / 4
    else:
        values = values * 2.0 ** -round(math.log2(math.sqrt(math.prod(shape[1:]) / 3)))
    return torch.from_numpy(values).reshape(shape)


def fill(model, prefix=""):
    names = model.state_dict()
    model.load_state_dict({name: weight(prefix + name, tuple(old.shape)) for name, old in names.items()})
    return model.double().eval()


# --- The networks ---

def clip(hidden, heads, layers, vocabulary, activation, intermediate):
    return CLIPTextConfig(vocab_size=vocabulary, hidden_size=hidden, intermediate_size=intermediate,
                          num_hidden_layers=layers, num_attention_heads=heads, hidden_act=activation,
                          bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1)


def unet(channels, heads, context, layers, linear, sample):
    n = len(channels)
    return dict(sample_size=sample, block_out_channels=channels, layers_per_block=layers, cross_attention_dim=context,
                attention_head_dim=heads, use_linear_projection=linear,
                down_block_types=[CROSS[0]] * (n - 1) + [PLAIN[0]], up_block_types=[PLAIN[1]] + [CROSS[1]] * (n - 1))


def vae(channels, layers, sample):
    n = len(channels)
    return dict(block_out_channels=channels, layers_per_block=layers, sample_size=sample,
                down_block_types=["DownEncoderBlock2D"] * n, up_block_types=["UpDecoderBlock2D"] * n)


TINY_TEXT = {"1x": clip(128, 2, 2, 754, "quick_gelu", 256), "2x": clip(128, 2, 2, 754, "gelu", 256)}
TINY_UNET = {"1x": unet([32, 64], 8, 128, 2, False, 8), "2x": unet([64, 128], [1, 2], 128, 1, True, 8)}
FULL_TEXT = {"1x": clip(768, 12, 12, 49408, "quick_gelu", 3072), "2x": clip(1024, 16, 23, 49408, "gelu", 4096)}
FULL_UNET = {"1x": unet([320, 640, 1280, 1280], 8, 768, 2, False, 64),
             "2x": unet([320, 640, 1280, 1280], [5, 10, 20, 20], 1024, 2, True, 64)}
FULL_VAE = vae([128, 256, 512, 512], 2, 512)


def results(family):
    text = fill(CLIPTextModel(TINY_TEXT[family]), "text_model.")
    ids = (formula.hashes("input/ids", 2 * 77) % 754).astype(numpy.int64).reshape(2, 77)
    states = text(torch.from_numpy(ids)).last_hidden_state
    yield f"text_{family}", states[:, :, ::8]
    network = fill(UNet2DConditionModel(**TINY_UNET[family]))
    latents, context = fine("input/latents", 3, 4, 8, 16), fine("input/context", 3, 77, 128)
    yield f"unet_{family}", network(latents, torch.tensor([1.0, 500.0, 999.0]).double(), context).sample


def autoencoders():
    network = fill(AutoencoderKL(**vae([32, 32, 32, 64], 1, 64)))
    planes, latents = fine("input/planes", 2, 3, 16, 32), fine("input/codes", 2, 4, 2, 4)
    yield "vae_encoder", network.encode(planes).latent_dist.mean * 0.18215
    yield "vae_decoder", network.decode(latents / 0.18215).sample
    tiny = fill(AutoencoderTiny())
    yield "tiny_encoder", tiny.encode(planes).latents
    yield "tiny_decoder", tiny.decode(latents).sample


# --- Names ---

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}


def ldm_unet(name, layers, levels):
    """The original's name of a UNet's tensor."""
    part = name.split(".")
    outside = {"conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}
    if part[0] in outside:
        return ".".join([outside[part[0]], *part[1:]])
    if part[0] == "time_embedding":
        return f"time_embed.{dict(linear_1=0, linear_2=2)[part[1]]}.{part[2]}"
    if part[0] == "mid_block":
        block = f"middle_block.{2 * int(part[2]) if part[1] == 'resnets' else 1}"
        rest = part[3:]
    else:
        level, kind, index = int(part[1]), part[2], int(part[3])
        up = part[0] == "up_blocks"
        number = level * (layers + 1) + (0 if up else 1)
        rest = part[4:]
        if kind == "downsamplers":
            return f"input_blocks.{number + layers}.0.op.{rest[1]}"
        if kind == "upsamplers":
            return f"output_blocks.{number + layers}.{1 if level == 0 else 2}.conv.{rest[1]}"
        block = f"{'output' if up else 'input'}_blocks.{number + index}.{0 if kind == 'resnets' else 1}"
    if "resnets" in part:
        rest[0] = RESNET[rest[0]]
    return ".".join([block, *rest])


def ldm_vae(name, levels):
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    name = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
    name = name.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
    for new, old in ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out"):
        name = name.replace(f"attn_1.{new}.", f"attn_1.{old}.")
    name = name.replace(".resnets.", ".block.").replace("downsamplers.0", "downsample").replace("upsamplers.0", "upsample")
    part = name.split(".")
    if len(part) > 2 and part[1] == "up_blocks":
        part[1:3] = ["up", str(levels - 1 - int(part[2]))]
    elif len(part) > 2 and part[1] == "down_blocks":
        part[1] = "down"
    return ".".join(part)


def open_clip(name):
    """(name, part): q, k and v are one tensor of thrice the rows."""
    fixed = {"embeddings.token_embedding.weight": "token_embedding.weight",
             "embeddings.position_embedding.weight": "positional_embedding",
             "final_layer_norm.weight": "ln_final.weight", "final_layer_norm.bias": "ln_final.bias"}
    if name in fixed:
        return fixed[name], -1
    _, _, layer, *rest = name.split(".")
    block = f"transformer.resblocks.{layer}."
    if rest[0] == "self_attn" and rest[1] != "out_proj":
        return block + f"attn.in_proj_{rest[2]}", "qkv".index(rest[1][0])
    inside = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj",
              "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    return block + inside[".".join(rest[:-1])] + "." + rest[-1], -1


def shape_text(shape):
    return "x".join(map(str, shape))


def sum_of(lines):
    return hashlib.sha256("".join(f"{line}\n" for line in sorted(lines)).encode()).hexdigest()


def marked(names):
    """A tensor per name that holds the name's number."""
    return {name: torch.full((1, 1, 1, 1), float(i)) for i, name in enumerate(names)}


def check(converted, names, rename):
    """Whether diffusers' converter brings the tensor called rename(name) to name, for all names."""
    assert sorted(converted) == sorted(names), set(converted) ^ set(names)
    order = {name: i for i, name in enumerate(names)}
    for name in names:
        assert converted[name].flatten()[0] == order[name], (name, rename(name))


def check_unet(names, config, rename):
    checkpoint = {"model.diffusion_model." + rename(name): value for name, value in marked(names).items()}
    check(single_file_utils.convert_ldm_unet_checkpoint(checkpoint, config), names, rename)


def check_vae(names, config, rename):
    checkpoint = {"first_stage_model." + rename(name): value for name, value in marked(names).items()}
    check(single_file_utils.convert_ldm_vae_checkpoint(checkpoint, config), names, rename)


def check_open_clip(names):
    prefix, checkpoint = "cond_stage_model.model.", {}
    for name, value in marked(names).items():
        theirs, part = open_clip(name)
        whole = checkpoint.setdefault(prefix + theirs, torch.zeros((3, 1)[:1 + name.endswith("weight")] if part >= 0 else 1))
        whole[max(part, 0)] = value.flatten()[0]
    checkpoint[prefix + "text_projection"] = torch.zeros(1, 1)

    class Text:
        class config:
            hidden_size = 1
            num_hidden_layers = 23

    converted = single_file_utils.convert_open_clip_checkpoint(Text, checkpoint, prefix=prefix)
    converted = {name.removeprefix("text_model."): value for name, value in converted.items()}
    converted = {name: value for name, value in converted.items() if name in names}
    check(converted, names, lambda name: open_clip(name)[0])


def sums():
    """What the C side sums up: shapes under diffusers' names; those with the original's."""
    for family in "1x", "2x":
        with torch.device("meta"):
            network = UNet2DConditionModel(**FULL_UNET[family])
            text = CLIPTextModel(FULL_TEXT[family])
        tensors = network.state_dict()
        rename = lambda name: ldm_unet(name, 2, 4)
        check_unet(list(tensors), dict(network.config), rename)
        # 1 x 1 convolutions of 1.x around transformer blocks are linear layers here.
        shapes = {name: shape[:2] if ".proj_" in name else shape for name, shape in
                  ((name, tuple(tensor.shape)) for name, tensor in tensors.items())}
        yield f"unet_{family}", sum_of(f"{name} {shape_text(shape)}" for name, shape in shapes.items())
        yield f"unet_{family}_ldm", sum_of(f"{name} {rename(name)}" for name in tensors)
        tensors = text.state_dict()
        yield f"text_{family}", sum_of(f"text_model.{name} {shape_text(tensor.shape)}" for name, tensor in tensors.items())
        if family == "2x":
            check_open_clip(list(tensors))
            yield "text_2x_ldm", sum_of(f"text_model.{name} {open_clip(name)[0]} {open_clip(name)[1]}" for name in tensors)
        write_json(f"unet_{family}", network.to_json_string())
        write_json(f"text_{family}", text.config.to_json_string())
    with torch.device("meta"):
        network, tiny = AutoencoderKL(**FULL_VAE), AutoencoderTiny()
    tensors = network.state_dict()
    rename = lambda name: ldm_vae(name, 4)
    check_vae(list(tensors), dict(network.config), rename)
    yield "vae", sum_of(f"{name} {shape_text(tensor.shape)}" for name, tensor in tensors.items())
    yield "vae_ldm", sum_of(f"{name} {rename(name)}" for name in tensors)
    yield "tiny", sum_of(f"{name} {shape_text(tensor.shape)}" for name, tensor in tiny.state_dict().items())
    write_json("vae", network.to_json_string())
    write_json("tiny", tiny.to_json_string())


def write_json(name, text):
    (HERE / "stable_diffusion").mkdir(exist_ok=True)
    (HERE / f"stable_diffusion/{name}.json").write_text(json.dumps(json.loads(text), sort_keys=True) + "\n")


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    tensors = dict(autoencoders())
    for family in "1x", "2x":
        tensors.update(results(family))
    tensors = {name: value.float().contiguous() for name, value in tensors.items()}
    metadata = {"diffusers": diffusers.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
    metadata.update({f"sha256/{name}": value for name, value in sums()})
    safetensors.torch.save_file(tensors, HERE / "stable_diffusion.safetensors", metadata)


if __name__ == "__main__":
    main()
