#!/usr/bin/env python3
"""Golden weight files for tests/weights, written by PyTorch and the safetensors package.

    python make_weights.py        (writes tests/golden/weights/)

Made with torch 2.15.0, safetensors 0.8.0, Python 3.11.7. Nothing is random: every value follows from its position. The .old.pth
files still differ from run to run, because their format names storages by memory addresses.
"""

import collections
import io
import os
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import safetensors.torch
import torch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights")
PICKLED = {torch.float32: "f32", torch.bfloat16: "bf16", torch.float16: "f16", torch.float64: "f64",
           torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8", torch.uint8: "u8",
           torch.bool: "bool"}


def path(name):
    return os.path.join(HERE, name)


def ramp(*shape, dtype=torch.float32, start=-1.0, step=0.3125):
    """start, start + step, ... : exact in bfloat16 for the first few elements, and different everywhere."""
    count = 1
    for size in shape:
        count *= size
    return (torch.arange(count, dtype=torch.float64) * step + start).reshape(shape).to(dtype)


def all_types():
    tensors = {PICKLED[t]: ramp(2, 3, dtype=t, start=-2 if t.is_floating_point else 1,
                                step=0.3125 if t.is_floating_point else 1) for t in PICKLED}
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 4)
    return tensors


def network():
    """A small state dict with everything a real one has: an OrderedDict with _metadata, running statistics, an int64 counter."""
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 2), torch.nn.BatchNorm2d(3), torch.nn.Linear(3, 1))
    with torch.no_grad():
        for i, tensor in enumerate(net.state_dict().values()):
            tensor.copy_(ramp(*tensor.shape, start=i, step=0.5 if tensor.is_floating_point() else 1))
    return net


def views():
    """Tensors that do not simply own a storage in row-major order."""
    block = ramp(4, 6)
    return {
        "transposed": block.t(),
        "columns": block[:, 1:5:2],
        "row": block[2],
        "same": block,
        "expanded": torch.tensor([[1.5], [2.5]]).expand(2, 3),
        "permuted": ramp(2, 3, 4, dtype=torch.bfloat16).permute(2, 0, 1),
        "half_view": ramp(3, 3, dtype=torch.float16)[1:, :2],
        "scalar_view": ramp(5, dtype=torch.int64, start=10, step=1)[3],
        "empty_view": block[4:],
        "parameter": torch.nn.Parameter(ramp(3)),
        "tail": ramp(1000)[998:],
    }


def checkpoint():
    """What a training script saves: tensors in several places, numbers, texts."""
    net = network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, 0.25)
    optimizer.step()
    return {"epoch": 3, "arch": "resnet18", "best": 0.8125, "done": False, "nothing": None, "big": 2**70,
            "history": [0.5, 0.25], "state_dict": net.state_dict(), "optimizer": optimizer.state_dict(),
            "list": [torch.tensor([1.0, 2.0]), {"x": torch.tensor(3)}], 7: torch.tensor([True])}


def flat(value, prefix=""):
    """Nested containers to one level, the way src/weights/state_dict.c names things."""
    if isinstance(value, torch.Tensor):
        return {prefix: value.detach().clone().contiguous()}
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return {}
    return {k: t for key, item in items for k, t in flat(item, f"{prefix}.{key}" if prefix else str(key)).items()}


class EmptyParameter:
    """Pickles as PyTorch 0.1 pickled a Parameter: made empty, its tensor in the state."""

    def __init__(self, data):
        self.data = data

    def __reduce__(self):
        state = (self.data, None, collections.OrderedDict(), True, False)
        return torch.nn.Parameter, (), state


def save_tar(state, target):
    """The form before PyTorch 0.1.10, which PyTorch still reads but no longer writes; the way its legacy_load reads it."""
    tensors, storages = {}, {}

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if type(value) is not torch.Tensor:
                return None
            tensors[1000 + len(tensors)] = value
            return str(999 + len(tensors))

    def legacy_type(dtype, kind):
        name = {torch.float32: "Float", torch.float64: "Double", torch.int64: "Long"}[dtype]
        return getattr(torch, name + kind)

    objects, described, stored = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Pickler(objects, 2).dump(state)
    pickle.dump(len(tensors), described, 2)
    for key, tensor in tensors.items():
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = (2000 + len(storages), tensor) if storage.data_ptr() not in storages else storages[storage.data_ptr()]
        pickle.dump((key, storages[storage.data_ptr()][0], legacy_type(tensor.dtype, "Tensor")), described, 2)
        described.write(struct.pack("<ii", tensor.dim(), 0))
        described.write(struct.pack(f"<{2 * tensor.dim() + 1}q", *tensor.shape, *tensor.stride(), tensor.storage_offset()))
    pickle.dump(len(storages), stored, 2)
    for key, tensor in storages.values():
        data = bytes(tensor.untyped_storage())
        pickle.dump((key, "cpu", legacy_type(tensor.dtype, "Storage")), stored, 2)
        stored.write(struct.pack("<q", len(data) // tensor.element_size()) + data)
    pickle.dump([], stored, 2)
    system = pickle.dumps({"protocol_version": 1000, "little_endian": True}, 2)
    members = {"sys_info": system, "pickle": objects.getvalue(), "tensors": described.getvalue(), "storages": stored.getvalue()}
    with tarfile.open(target, "w:", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = 1483228800.5  # a fraction makes tarfile write a pax header before the member, as it did then
            tar.addfile(info, io.BytesIO(data))


def save_network_as_tar():
    plain = network().state_dict()
    parameters = dict(network().named_parameters())
    save_tar(collections.OrderedDict((k, EmptyParameter(v) if k in parameters else v) for k, v in plain.items()),
             path("network.tar.pth"))
    loaded = torch.load(path("network.tar.pth"), weights_only=False)
    assert list(loaded) == list(plain) and all(torch.equal(loaded[k], plain[k]) for k in plain)
    block = ramp(4, 6)
    save_tar({"transposed": block.t(), "row": block[2], "same": block, "f64": ramp(3, dtype=torch.float64)}, path("views.tar.pth"))
    loaded = torch.load(path("views.tar.pth"), weights_only=False)
    assert torch.equal(loaded["transposed"], block.t()) and torch.equal(loaded["row"], block[2])


def deflate(source, target):
    """The same archive, compressed: torch.save never does that, but other tools repack files."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), old.read(info), zipfile.ZIP_DEFLATED)


def conversions():
    """Bit patterns of every kind, and what PyTorch and NumPy round them to. PyTorch rounds f64 to f16 twice, NumPy once."""
    spread = (torch.arange(1500, dtype=torch.int64) * 2654435761 % 2**32).to(torch.uint32).view(torch.float32)
    near = torch.tensor([0x3f808000, 0x3f808001, 0x3f807fff, 0x3f818000, 0x7f7fffff, 0x7f7f8000, 0x7f7f7fff, 0x00000001,
                         0x80000001, 0x00008000, 0x00008001, 0x33000000, 0x33000001, 0x32ffffff, 0x477fefff, 0x477ff000,
                         0x387fffff, 0x38800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0, 0x80000000],
                        dtype=torch.int64).to(torch.uint32).view(torch.float32)
    narrow = torch.linspace(-6.2e-5, 6.2e-5, 201)  # where f16 is subnormal
    f32 = torch.cat([near, narrow, spread])
    f64 = torch.cat([f32.double() * (1 + 2.0**-40), f32.double() * 1e-30, torch.tensor([1e300, -1e-320, 1 + 2.0**-11 + 2.0**-40])])
    with np.errstate(over="ignore"):
        return {"f32": f32, "f32_bf16": f32.bfloat16(), "f32_f16": f32.half(), "f32_f64": f32.double(), "f64": f64,
                "f64_f32": f64.float(), "f64_f16": torch.from_numpy(f64.numpy().astype(np.float16))}


def save_all_ways(value, name):
    """name.pth, name.old.pth, and what is expected of both, name.safetensors."""
    torch.save(value, path(f"{name}.pth"))
    torch.save(value, path(f"{name}.old.pth"), _use_new_zipfile_serialization=False)
    safetensors.torch.save_file(flat(value), path(f"{name}.safetensors"))


def main():
    os.makedirs(HERE, exist_ok=True)
    safetensors.torch.save_file(all_types(), path("types.safetensors"), metadata={"made by": "safetensors \"0.8\" – é"})
    safetensors.torch.save_file(conversions(), path("conversions.safetensors"))
    save_all_ways(all_types(), "types_plain")
    save_all_ways(torch.nn.DataParallel(network()).state_dict(), "network")
    save_all_ways(views(), "views")
    save_all_ways(checkpoint(), "checkpoint")
    torch.save({"epoch": 5, "state_dict": network().state_dict()}, path("wrapped.pth"))
    torch.save(network().state_dict(), path("protocol4.pth"), pickle_protocol=4)
    torch.save(network().state_dict(), path("protocol5.old.pth"), pickle_protocol=5, _use_new_zipfile_serialization=False)
    torch.save(torch.tensor([1.0, 2.0]), path("alone.pth"))
    torch.save(network(), path("whole_module.pth"))
    deflate(path("views.pth"), path("deflated.pth"))
    save_network_as_tar()


if __name__ == "__main__":
    main()
