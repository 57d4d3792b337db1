#!/usr/bin/env python3
"""Lets PyTorch go on from our checkpoints, and compares where it ends with where we end.

    scripts/continue-in-pytorch.py [DESCENT]     # needs torch, numpy and safetensors

For every golden case without a schedule (whose place no optimizer state has): 100 updates by the program, with a
checkpoint in the middle; torch loads that checkpoint's two files and makes the other 50. All in f64.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib

import golden
import numpy
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

HALF = golden.STEPS // 2
TOLERANCE = 1e-10
TOLERANCE_OF_MUON = 2**-8  # torch's own definition: bfloat16


def load_state(rule, module, state):
    """Puts the tensors of our `optimizer.safetensors` into a torch optimizer."""
    for name, parameter in module.named_parameters():
        own = {key.rpartition(".")[2]: value for key, value in state.items() if key.rpartition(".")[0] == name}
        if not own:
            continue
        if "n_iter" in own:  # L-BFGS keeps numbers and lists
            lists = {key: list(own.pop(key)) for key in ("old_dirs", "old_stps", "ro") if key in own}
            own = {key: value.item() if value.dim() == 0 and key not in ("H_diag", "t") else value for key, value in own.items()}
            own |= lists
            if lists:
                own["al"] = [None] * rule.param_groups[0]["history_size"]
        for part in getattr(rule, "parts", [rule]):
            if any(parameter is p for group in part.param_groups for p in group["params"]):
                part.state[parameter].update(own)


def train_here(program, folder, config, tensors):
    numpy.savez(folder / "rows.npz", x_train=tensors["x"].numpy(), y_train=tensors["y"].numpy())
    save_file({k.removeprefix("init/"): v for k, v in tensors.items() if k.startswith("init/")}, folder / "init.safetensors")
    classes = "" if tensors["y"].dim() > 1 else "classes = 4\n"
    (folder / "c.toml").write_text(f"[data]\nname = 'npz'\npath = 'rows.npz'\n{classes}{config}")
    command = [program, "train", "c.toml", "-q", "--init-from", "init.safetensors", "--out", "run"]
    sets = [f"train.max_steps={golden.STEPS}", f"train.checkpoint_every={HALF}", "train.keep_last=9"]
    subprocess.run(command + [part for set in sets for part in ("--set", set)], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return [folder / f"run/checkpoints/step-{step:08}" for step in (HALF, golden.STEPS)]


def train_on(config, tensors, checkpoint):
    """Makes the second half of the updates in torch."""
    options = lambda name: {k: v for k, v in config[name].items() if k != "name"}
    weights = load_file(checkpoint / "model.safetensors")
    last = max(name for name in weights if name.startswith(("layer", "fc")))
    kind, outputs = config["model"]["name"], len(weights[last])
    network = golden.Mlp if kind == "mlp" else lambda *a, **o: golden.Recurrent(kind, *a, **o)
    module = network(tensors["x"].shape[-1], outputs, **options("model"))
    module.load_state_dict(weights, strict=True)
    state = load_file(checkpoint / "optimizer.safetensors")
    train = {k: v for k, v in config["train"].items() if k != "average"}
    golden.run(
        module, tensors["x"], tensors["y"], config["optimizer"], config["loss"], train,
        first=HALF, begin=lambda rule: load_state(rule, module, state),
    )
    return module.state_dict()


def compare(program, path):
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        text = file.metadata()["config"]
    config = tomllib.loads(text)
    if "schedule" in config:
        return None
    with tempfile.TemporaryDirectory() as folder:
        middle, end = train_here(program, pathlib.Path(folder), text, tensors)
        ours, theirs = load_file(end / "model.safetensors"), train_on(config, tensors, middle)
    assert ours.keys() == theirs.keys()
    return max(((ours[k] - theirs[k]).abs().max() / theirs[k].abs().max().clamp(min=1e-4)).item() for k in ours)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else f"{target}/release/descent")
    wrong, count = 0, 0
    for path in sorted(golden.OUT.glob("*.safetensors")):
        difference = compare(program, path)
        if difference is None:
            continue
        count += 1
        if not difference <= (TOLERANCE_OF_MUON if "muon" in path.name else TOLERANCE):
            wrong += 1
            print(f"{path.stem}: {difference:.1e}")
    print(f"{count - wrong} of {count} runs go on in torch {torch.__version__} to where ours end")
    sys.exit(wrong > 0)
