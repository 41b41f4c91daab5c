#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets in the folder corpus beside this file, from the goldens and from formulas.

Files that are there and not made here (finds, and seeds written by hand) stay. Needs nothing but Python 3.
"""

import io
import json
import pathlib
import struct
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE.parent / "golden"


def save(target, name, data):
    path = HERE / "corpus" / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def golden(name):
    return (GOLDEN / name).read_bytes()


def archive(pickle, method=zipfile.ZIP_STORED, size=16, claimed=None, name="data/0"):
    """A checkpoint of one storage of zeros; @claimed: what the directory says is its size."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as out:
        for member, data in (("x/data.pkl", pickle), ("x/" + name, bytes(size)), ("x/byteorder", b"little")):
            out.writestr(zipfile.ZipInfo(member), data, method)
    data = bytearray(file.getvalue())
    if claimed is not None:
        for signature, sizes in ((b"PK\3\4", 18), (b"PK\1\2", 20)):
            at = [i for i in range(len(data)) if data[i : i + 4] == signature][1]
            struct.pack_into("<I", data, at + sizes + 4, claimed)
    return bytes(data)


def views(n, count, size, stride):
    """A pickle of @n tensors of the same storage of @count floats."""
    def number(value):
        return b"J" + struct.pack("<i", value)

    storage = b"(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" + b"0X\3\0\0\0cpu" + number(count) + b"tQ"
    items = b""
    for i in range(n):
        name = b"t%d" % i
        items += b"X" + struct.pack("<I", len(name)) + name + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage
        items += number(0) + b"(" + number(size) + b"t(" + number(stride) + b"t\x89)tRs"
    return b"\x80\2}" + items + b"."


def png(width, height, colour, depth, rows, palette=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    head += chunk(b"PLTE", palette) if palette else b""
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def webp_lossless(width, height):
    """A picture of one colour: every code has one symbol, so no pixel takes a bit."""
    bits, n = 0, 0

    def put(value, count):
        nonlocal bits, n
        bits |= value << n
        n += count

    put(width - 1, 14), put(height - 1, 14), put(0, 1), put(0, 3)  # no alpha, version 0
    put(0, 1), put(0, 1), put(0, 1)  # no transform, no colour cache, one group of codes
    for _ in range(5):
        put(1, 1), put(0, 1), put(0, 1), put(0, 1)  # a simple code of one symbol of one bit: 0
    data = b"\x2f" + bits.to_bytes((n + 7) // 8 + 1, "little")
    data += b"\0" * (len(data) & 1)
    return b"RIFF" + struct.pack("<I", 12 + len(data)) + b"WEBPVP8L" + struct.pack("<I", len(data)) + data


def make_weights():
    for name in ("types", "checkpoint", "network"):
        save("safetensors", name, golden(f"weights/{name}.safetensors"))
    for name in ("network.pth", "alone.pth", "deflated.pth", "network.old.pth", "checkpoint.old.pth", "protocol5.old.pth",
                 "foreign/quantised.old.pth", "foreign/keys.old.pth", "foreign/training.old.pth"):
        save("checkpoint", name.replace("/", "_").replace(".", "_"), golden(f"weights/{name}"))
    save("checkpoint", "network_tar", golden("weights/network.tar.pth").rstrip(b"\0") + bytes(1024))
    for name in ("network", "views", "protocol4", "whole_module", "wrapped", "foreign/harmless", "foreign/trusted",
                 "foreign/sparse", "foreign/types", "foreign/attributes", "foreign/nested"):
        with zipfile.ZipFile(GOLDEN / "weights" / (name + ".pth")) as file:
            member = next(m for m in file.namelist() if m.endswith("/data.pkl"))
            save("pickle", name.replace("/", "_"), file.read(member))
    with zipfile.ZipFile(GOLDEN / "weights" / "alone.pth") as file:
        pickle = file.read(next(m for m in file.namelist() if m.endswith("/data.pkl")))
    save("checkpoint", "deflated_zeros", archive(pickle, zipfile.ZIP_DEFLATED, 1 << 20))
    save("checkpoint", "claims_more", archive(pickle, claimed=0xFFFFFFF0))
    save("checkpoint", "claims_more_deflated", archive(pickle, zipfile.ZIP_DEFLATED, claimed=0x7FFFFFF0))
    save("checkpoint", "claims_less", archive(pickle, claimed=1))
    # Views of all of one packed member, and one of four floats that is a billion.
    save("checkpoint", "packed_views", archive(views(200, 1 << 18, 1 << 18, 1), zipfile.ZIP_DEFLATED, 1 << 20))
    save("checkpoint", "expanded_view", archive(views(1, 4, 1 << 30, 0)))
    index = {"metadata": {"total_size": 32}, "weight_map": {"conv.weight": "one.safetensors", "conv.bias": "two.safetensors"}}
    save("shards", "both", json.dumps(index))
    save("shards", "outside", json.dumps({"weight_map": {"a": "../one.safetensors"}}))
    save("shards", "missing", json.dumps({"weight_map": {"a": "three.safetensors"}}))
    save("shards", "itself", json.dumps({"weight_map": {"a": "model.safetensors.index.json"}}))


def make_state(title, remembered, steps=None):
    shapes = {"fc.weight": [1, 5], "bn1.running_mean": [4], "bn1.running_var": [4]}
    header, data = {}, b""
    for prefix, names in (("weights/", shapes), ("best/", shapes), *remembered):
        for name in names:
            count = shapes[name][0] * (shapes[name] + [1])[1]
            values = struct.pack(f"<{count}f", *[i / 4 for i in range(count)])
            header[prefix + name] = {"dtype": "F32", "shape": shapes[name], "data_offsets": [len(data), len(data) + len(values)]}
            data += values
    if steps is not None:
        header["step"] = {"dtype": "F64", "shape": [], "data_offsets": [len(data), len(data) + 8]}
        data += struct.pack("<d", steps)
    epoch = {"epoch": 1, "learning_rate": 0.1, "loss": 0.5, "val_accuracy": 0.75, "val_worst_group_accuracy": None,
             "images_per_second": 10.0, "seconds": 1.0, "best": True}
    header["__metadata__"] = {"aimfair.state." + key: value for key, value in {
        "format": "1", "run": '{"seed":1}', "history": json.dumps([epoch]), "best_epoch": "0", "best_accuracy": "0.75"}.items()}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    save("state", title, struct.pack("<Q", len(text)) + text + data)


def make_states():
    statistics = ["bn1.running_mean", "bn1.running_var"]
    make_state("one_epoch", [("momentum/", ["fc.weight"])])
    make_state("adamw", [("exp_avg/", ["fc.weight"]), ("exp_avg_sq/", ["fc.weight"]), ("average/", ["fc.weight", *statistics])], 7)


def make_saved_models():
    """The metadata alone: the target adds the tensors."""
    plain = {"format": "1", "architecture": "resnet18", "image_size": "32", "mean": "0.5,0.5,0.5", "std": "0.5,0.5,0.5",
             "outputs": "1", "threshold": "0.5"}
    extended = plain | {"format": "2", "image_size": "64x48", "crop_first": "90", "resize": "72", "interpolation": "bicubic",
                        "resizer": "tensor-v2", "antialias": "no", "channel_order": "bgr", "value_range": "255"}
    for name, values in (("plain", plain), ("named", plain | {"target": "smile", "classes": '["no","yes"]'}),
                         ("extended", extended), ("two_outputs", plain | {"outputs": "2"}),
                         ("gigantic_side", plain | {"image_size": "2147483647"}),
                         ("wrong_classes", plain | {"classes": "[[],{}]"}), ("later", plain | {"format": "3"})):
        save("saved_model", name, json.dumps({"aimfair." + key: value for key, value in values.items()}))
    save("saved_model", "name_twice", json.dumps({"aimfair." + key: value for key, value in plain.items()})
         + ',"fc.weight":{"dtype":"F32","shape":[2,512],"data_offsets":[0,4096]}')


def make_pictures():
    with open(GOLDEN / "image" / "decode.bin", "rb") as file:
        file.readline()
        while line := file.readline():
            name, width, height, size = line.split()
            data = file.read(int(size))
            file.read(int(width) * int(height) * 3)
            if int(size) <= 900:
                save("image", name.decode().replace(".", "_").replace("/", "_"), data)
    save("image", "png_grey_16", png(3, 2, 0, 16, bytes(2 * 7)))
    save("image", "png_palette", png(5, 3, 3, 4, bytes(3 * 4), bytes(range(30))))
    save("image", "png_bomb", png(13000, 13000, 0, 1, b""))
    save("image", "png_wide", png(0x7FFFFFFF, 1, 2, 8, b""))
    save("image", "png_high", png(1, 0x7FFFFFFF, 2, 8, b""))
    save("image", "webp_lossless", webp_lossless(5, 4))
    save("image", "webp_bomb", webp_lossless(13000, 13000))
    save("image", "webp_largest", webp_lossless(16383, 16383))


def make_text():
    pair = GOLDEN / "text" / "pair"
    vocabulary = dict(list(json.loads((pair / "vocab.json").read_text()).items()))
    config = (pair / "tokenizer_config.json").read_text()
    merges = (pair / "merges.txt").read_text()
    parts = [json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")), merges, config, '{"<new>":100000}', "The lowest <new> word"]
    save("vocabulary", "pair", "\n=====\n".join(parts))
    small = {token: i for i, token in enumerate(("l", "o", "w", "lo", "low</w>", "w</w>", "<|startoftext|>", "<|endoftext|>"))}
    few = [json.dumps(small), "#version: 0.2\nl o\nlo w</w>\n", '{"bos_token":"<|startoftext|>","eos_token":{"content":"<|endoftext|>"}}']
    save("vocabulary", "small", "\n=====\n".join(few + ['{"<a>":8,"<b>":9}', "low <a>low &amp; <B>"]))
    save("vocabulary", "gigantic_id", "\n=====\n".join(few + ['{"<a>":4194304}', "<a>"]))
    save("vocabulary", "gigantic_own_id", "\n=====\n".join([json.dumps(small | {"x": 1 << 22})] + few[1:]))
    save("vocabulary", "beyond_ids", "\n=====\n".join([json.dumps(small | {"x": 1 << 40})] + few[1:]))
    save("tokenizer_file", "bpe", golden("text/small.txt"))
    save("tokenizer_file", "gzipped", b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + deflated(b"#version\nt h\nth e</w>\n"))
    save("tokenizer_file", "bomb", b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + deflated(bytes(1 << 20)))
    save("tokenizer_file", "fast", json.dumps({"model": {"vocab": small, "merges": ["l o", ["lo", "w</w>"]]},
                                               "added_tokens": [{"id": 8, "content": "<a>", "normalized": True}]}))


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush() + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def make_configurations():
    for index, names in enumerate((("text_1x", "text_2x"), ("unet_1x", "unet_2x"), ("vae",))):
        for name in names:
            save("model_config", name, bytes([index]) + golden(f"stable_diffusion/{name}.json"))
    schedule = {"_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
                "num_train_timesteps": 1000, "prediction_type": "epsilon", "steps_offset": 1, "clip_sample": False}
    save("model_config", "schedule", b"\3" + json.dumps(schedule).encode())


for make in (make_weights, make_states, make_saved_models, make_pictures, make_text, make_configurations):
    make()
