"""Stable Diffusion's exact architectures with random weights, saved in the forms in which the real ones are published.

make(family, folder) writes a folder in diffusers' layout, f32; convert(folder, path, form) writes another form of it. Families: "sd15",
"sd21" (2.1-base). Forms: "diffusers-f16", "diffusers-bf16", "ldm-safetensors-f32", "ldm-ckpt-f16" and the like. The names of LDM, the
original program, are written down here from its module structure and not taken from any converter. Needs torch, diffusers, transformers.
"""
import gzip
import json
import math
import os
import re
import shutil

import torch
from safetensors.torch import load_file, save_file

SEEDS = {"sd15": 15, "sd21": 21}
UNET = dict(sample_size=64, in_channels=4, out_channels=4, block_out_channels=(320, 640, 1280, 1280), layers_per_block=2)
UNETS = {"sd15": dict(cross_attention_dim=768, attention_head_dim=8),
         "sd21": dict(cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True)}
VAE = dict(sample_size=512, block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, scaling_factor=0.18215,
           down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
TEXTS = {"sd15": dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_dim=768,
                      hidden_act="quick_gelu"),
         "sd21": dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, projection_dim=512,
                      hidden_act="gelu")}
SCHEDULER = dict(_class_name="DDIMScheduler", beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
                 set_alpha_to_one=False, steps_offset=1, clip_sample=False, prediction_type="epsilon")
TORCH_TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def unet_of(family):
    from diffusers import UNet2DConditionModel
    return UNet2DConditionModel(**UNET, **UNETS[family]).eval()


def vae_of(family):
    from diffusers import AutoencoderKL
    return AutoencoderKL(**VAE).eval()


def text_of(family):
    from transformers import CLIPTextConfig, CLIPTextModel
    return CLIPTextModel(CLIPTextConfig(vocab_size=49408, **TEXTS[family])).eval()


def draw(model, generator):
    """Variance-preserving matrices; normalisations and biases off 1 and 0, so that one in a wrong place shows."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "embedding" in name and "time" not in name:
                parameter.copy_(noise)
            elif parameter.ndim >= 2:
                parameter.copy_(noise / math.sqrt(parameter[0].numel()))
            else:
                parameter.copy_(noise * 0.1 + (1 if name.endswith("weight") else 0))
    return model


def write_tokenizer(folder, family, vocabulary):
    """vocab.json and merges.txt from OpenAI's list: 256 bytes, 256 bytes that end a word, 48894 merges, two special tokens."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]
    with gzip.open(vocabulary, "rt", encoding="utf-8") as file:
        merges = file.read().split("\n")[1:49152 - 256 - 2 + 1]
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(merge.split()) for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump({token: i for i, token in enumerate(tokens)}, file, ensure_ascii=False)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n" + "\n".join(merges) + "\n")
    pad = "<|endoftext|>" if family == "sd15" else "!"
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": pad}
    write_json(os.path.join(folder, "special_tokens_map.json"), special)
    write_json(os.path.join(folder, "tokenizer_config.json"),
               {**special, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer", "do_lower_case": True})


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)


FILES = {"unet": "diffusion_pytorch_model.safetensors", "vae": "diffusion_pytorch_model.safetensors",
         "text_encoder": "model.safetensors"}


def make(family, folder, vocabulary):
    if os.path.exists(os.path.join(folder, "model_index.json")):
        return
    generator = torch.Generator().manual_seed(SEEDS[family])
    for part, build in (("text_encoder", text_of), ("vae", vae_of), ("unet", unet_of)):
        model = draw(build(family), generator)
        os.makedirs(os.path.join(folder, part), exist_ok=True)
        (model.save_config if part != "text_encoder" else model.config.save_pretrained)(os.path.join(folder, part))
        # transformers 5 drops the "text_model." that all published folders have
        prefix = "text_model." if part == "text_encoder" and not next(iter(model.state_dict())).startswith("text_model.") else ""
        state = {prefix + name: value.contiguous() for name, value in model.state_dict().items()}
        save_file(state, os.path.join(folder, part, FILES[part]), metadata={"format": "pt"})
        del model, state
    write_tokenizer(os.path.join(folder, "tokenizer"), family, vocabulary)
    os.makedirs(os.path.join(folder, "scheduler"), exist_ok=True)
    write_json(os.path.join(folder, "scheduler", "scheduler_config.json"), SCHEDULER)
    write_json(os.path.join(folder, "model_index.json"), {
        "_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"]})


def load(folder, part, family, dtype=torch.float32):
    """A part as a torch model in f32, its numbers rounded to @dtype first."""
    state = {name: value.to(dtype).float() for name, value in load_file(os.path.join(folder, part, FILES[part])).items()}
    with torch.device("meta"):
        model = {"unet": unet_of, "vae": vae_of, "text_encoder": text_of}[part](family)
    if part == "text_encoder":
        own = next(iter(model.state_dict())).startswith("text_model.")
        state = {name if own else name.removeprefix("text_model."): value for name, value in state.items()}
        position = "text_model.embeddings" if own else "embeddings"
        model.load_state_dict(state, assign=True)
        module = model.get_submodule(position)
        module.position_ids = torch.arange(77).unsqueeze(0)
        return model.eval()
    model.load_state_dict(state, assign=True)
    return model.eval()


# --- The original program's names ---

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}


def ldm_unet_name(name):
    """Input blocks count conv_in, then per level its residual blocks and the downsampling; output blocks hold the upsampling last."""
    fixed = {"conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
             "conv_norm_out": "out.0", "conv_out": "out.2"}
    for ours, theirs in fixed.items():
        if name.startswith(ours + "."):
            return theirs + name[len(ours):]
    if match := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        kind, number, rest = match.groups()
        return f"middle_block.{1 if kind == 'attentions' else 2 * int(number)}." + ldm_block_rest(kind, rest)
    match = re.fullmatch(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.*)", name)
    way, level, kind, number, rest = match.group(1), int(match.group(2)), match.group(3), int(match.group(4)), match.group(5)
    if kind == "downsamplers":
        return f"input_blocks.{3 * level + 3}.0.op." + rest.removeprefix("conv.")
    if kind == "upsamplers":
        return f"output_blocks.{3 * level + 2}.{1 if level == 0 else 2}.{rest}"
    block = f"input_blocks.{3 * level + number + 1}" if way == "down" else f"output_blocks.{3 * level + number}"
    return f"{block}.{int(kind == 'attentions')}." + ldm_block_rest(kind, rest)


def ldm_block_rest(kind, rest):
    if kind == "attentions":
        return rest
    layer, end = rest.rsplit(".", 1)
    return f"{RESNET[layer]}.{end}"


def ldm_vae_name(name):
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m.group(1)) + 1}", name)
    name = name.replace("mid_block.attentions.0", "mid.attn_1")
    name = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.", lambda m: f"up.{3 - int(m.group(1))}.block.", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{3 - int(m.group(1))}.upsample", name)
    for ours, theirs in (("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")):
        name = name.replace(f"attn_1.{ours}.", f"attn_1.{theirs}.")
    return name


def ldm_vae(state):
    """Attention's matrices are 1 x 1 convolutions there."""
    renamed = {ldm_vae_name(name): value for name, value in state.items()}
    return {name: value[:, :, None, None] if ".attn_1." in name and value.ndim == 2 else value for name, value in renamed.items()}


def ldm_open_clip(state):
    """Queries, keys and values are one matrix; there is a last block that 2.x does not use, and the head of the contrastive loss."""
    found = {"token_embedding.weight": state["embeddings.token_embedding.weight"],
             "positional_embedding": state["embeddings.position_embedding.weight"],
             "ln_final.weight": state["final_layer_norm.weight"], "ln_final.bias": state["final_layer_norm.bias"],
             "logit_scale": torch.tensor(4.6)}
    width = found["positional_embedding"].shape[1]
    found["text_projection"] = torch.zeros(width, width)
    layers = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layers."))
    for layer in range(layers + 1):
        of, to = f"encoder.layers.{min(layer, layers - 1)}.", f"transformer.resblocks.{layer}."
        for end in ("weight", "bias"):
            found[f"{to}attn.in_proj_{end}"] = torch.cat([state[f"{of}self_attn.{part}_proj.{end}"] for part in "qkv"])
            for ours, theirs in (("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"),
                                 ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
                found[f"{to}{theirs}.{end}"] = state[f"{of}{ours}.{end}"].clone()  # safetensors refuse shared memory
    return found


def ldm_state(folder, family, dtype):
    parts = {part: load_file(os.path.join(folder, part, FILES[part])) for part in FILES}
    text = {name.removeprefix("text_model."): value for name, value in parts["text_encoder"].items()}
    state = {f"model.diffusion_model.{ldm_unet_name(name)}": value for name, value in parts["unet"].items()}
    state |= {f"first_stage_model.{name}": value for name, value in ldm_vae(parts["vae"]).items()}
    if family == "sd15":
        state |= {f"cond_stage_model.transformer.text_model.{name}": value for name, value in text.items()}
        state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    else:
        state |= {f"cond_stage_model.model.{name}": value for name, value in ldm_open_clip(text).items()}
    betas = torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000, dtype=torch.float64) ** 2
    state["betas"], state["alphas_cumprod"] = betas.float(), torch.cumprod(1 - betas, 0).float()
    return {name: (value.to(dtype) if value.is_floating_point() else value).contiguous() for name, value in state.items()}


def convert(folder, family, path, form):
    """Writes @form of the model in @folder to @path: a folder for diffusers', a file otherwise."""
    kind, dtype = form.rsplit("-", 1)
    dtype = TORCH_TYPES[dtype]
    if kind == "diffusers":
        shutil.copytree(folder, path, ignore=shutil.ignore_patterns("*.safetensors"), dirs_exist_ok=True)
        for part, name in FILES.items():
            state = load_file(os.path.join(folder, part, name))
            save_file({key: value.to(dtype) for key, value in state.items()}, os.path.join(path, part, name), metadata={"format": "pt"})
        return
    state = ldm_state(folder, family, dtype)
    if kind == "ldm-safetensors":
        save_file(state, path, metadata={"format": "pt"})
    else:
        torch.save({"state_dict": state, "global_step": 875000, "epoch": 0}, path)
