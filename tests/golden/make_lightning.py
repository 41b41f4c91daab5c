#!/usr/bin/env python3
"""Makes weights/lightning.ckpt: a checkpoint as PyTorch Lightning wrote the original Stable Diffusion ones.

Beside the weights it holds the state of its callbacks, keyed by their type, with scores of numpy. The types are made up here under
Lightning's names, so that Lightning need not be there. Made with PyTorch 2.15.0 and numpy 2.
"""
import pathlib
import sys
import types

import numpy
import torch

module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": module.__name__})
module.ModelCheckpoint = ModelCheckpoint
for name in "pytorch_lightning", "pytorch_lightning.callbacks":
    sys.modules[name] = types.ModuleType(name)
sys.modules[module.__name__] = module

values = torch.arange(6, dtype=torch.float32)
torch.save({
    "epoch": 4,
    "global_step": 875000,
    "pytorch-lightning_version": "1.4.2",
    "state_dict": {"model.weight": values.reshape(2, 3), "model_ema.num_updates": torch.tensor(7, dtype=torch.int32)},
    "callbacks": {ModelCheckpoint: {"monitor": None, "best_model_score": numpy.float64(0.25), "best_model_path": "",
                                    "current_score": torch.tensor(0.25)}},
    "lr_schedulers": [{"base_lrs": [1e-4], "last_epoch": 9, "lr_lambdas": [None]}],
}, pathlib.Path(__file__).parent / "weights/lightning.ckpt")
