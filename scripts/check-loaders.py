#!/usr/bin/env python3
"""Loads exports in Rust crates, as src/export/README.md and the model cards show it, and compares.

usage: check-loaders.py PROGRAM      (python3 with numpy, onnxruntime and safetensors; cargo)

tract  `tests/export-loaders/tract` answers the test batch of ONNX files whose input is one tensor, to 1e-5
burn   `tests/export-loaders/burn` answers the same from model.safetensors of an MLP
candle the program of a model card is compiled and run; of an MLP it prints what the card's PyTorch code does, which is run
       where PEER_PYTHON names a Python with torch; of a bag what each member gives
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOADERS = ROOT / "tests/export-loaders"
RUNS = {
    "mlp": ("quick-start.toml", ["data.name='mnist-sample'"]),
    "batch-norm": ("batch-norm.toml", ["data.name='mnist-sample'"]),
    "rnn": ("rnn.toml", []),
    "lstm": ("rnn.toml", ["model.name='lstm'"]),
    "gru": ("rnn.toml", ["model.name='gru'"]),
    "table": ("iris.toml", ["model.layer_norm=true", "model.activation='gelu'"]),
    "bag": ("iris.toml", ["model.batch_norm=true"]),
}


def called(*arguments, folder=None):
    done = subprocess.run([str(part) for part in arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: {done.stderr[-2000:]}")
    return done.stdout


def numbers(text):
    """The numbers of a tensor that was printed."""
    return np.array([float(number) for number in re.findall(r"-?\d+\.\d+(?:e[+-]?\d+)?", text)])


def answer(folder, command, rows):
    """What a program prints for rows, which it reads from a file."""
    (folder / "rows.f32").write_bytes(rows.astype("<f4").tobytes())
    printed = called(*command, folder / "rows.f32", *rows.shape)
    return np.array([float(line) for line in printed.split()])


def check_tract(folder, tract):
    """The largest difference to the expected outputs, relative to the largest one."""
    with np.load(folder / "model.test.npz") as batch:
        rows = batch["input"]
        wanted = batch["probabilities" if "probabilities" in batch else "prediction"]
    ours = answer(folder, [tract, folder / "model.onnx"], rows).reshape(wanted.shape)
    return np.abs(ours - wanted).max() / np.abs(wanted).max()


def check_burn(folder, target):
    """The same for the network of `mlp`, whose pixels are scaled and shifted before."""
    crate = LOADERS / "burn"
    called("cargo", "build", "--quiet", "--locked", "--manifest-path", crate / "Cargo.toml")
    with np.load(folder / "model.test.npz") as batch:
        rows, wanted = batch["input"], batch["probabilities"]
    learnt = tomllib.loads((folder / "run/data.toml").read_text())["how"]["transform"]
    rows = rows * learnt["scale"] + learnt["shift"]
    ours = answer(folder, [target / "debug/burn-loader", folder / "run/model.safetensors"], rows).reshape(wanted.shape)
    return np.abs(ours - wanted).max()


def check_candle(folder, target):
    """Compiles and runs the program of a card in a copy of the crate."""
    card = (folder / "hub/README.md").read_text()
    code = re.search(r"^```rust\n(.*?)\n```$", card, re.S | re.M)[1]
    copy = folder / "loaders"
    shutil.copytree(LOADERS, copy, ignore=shutil.ignore_patterns("target"))
    (copy / "candle/src/main.rs").write_text(code + "\n")
    os.environ["CARGO_TARGET_DIR"] = str(target)
    manifest = copy / "Cargo.toml"
    printed = called("cargo", "run", "--quiet", "--locked", "--manifest-path", manifest, "-p", "candle-loader", folder=folder / "hub")
    python, torch = os.environ.get("PEER_PYTHON"), re.search(r"^```python\n(import torch\n.*?)\n```$", card, re.S | re.M)[1]
    if python and "Module" in code:
        wanted, ours = numbers(called(python, "-c", torch, folder=folder / "hub")), numbers(printed)
        if "member" in code:
            shares = np.exp(ours.reshape(-1, len(wanted)))
            ours = np.log((shares / shares.sum(axis=1, keepdims=True)).mean(axis=0))
        if not np.allclose(ours[: len(wanted)], wanted, atol=2e-4):
            sys.exit(f"candle prints {printed}, PyTorch {wanted}")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", LOADERS / "target"))
    called("cargo", "build", "--quiet", "--locked", "--manifest-path", LOADERS / "Cargo.toml")
    tract = target / "debug/tract-loader"
    for crate in ["burn", "tract"]:
        if (LOADERS / crate / "src/main.rs").read_text().split("\n/// usage")[0] not in (ROOT / "src/export/README.md").read_text():
            sys.exit(f"src/export/README.md does not show what tests/export-loaders/{crate} does")
    for name, (config, settings) in RUNS.items():
        folder = pathlib.Path(tempfile.mkdtemp(prefix="descent-loaders-"))
        pairs = [part for setting in ["train.max_steps=40", *settings] for part in ("--set", setting)]
        pairs += ["--bag", "3"] if name == "bag" else []
        called(program, "train", ROOT / "configs" / config, "-q", "--out", folder / "run", *pairs)
        called(program, "export", folder / "run", "--to", "onnx", "--output", folder / "model.onnx")
        called(program, "export", folder / "run", "--to", "hub", "--output", folder / "hub")
        line = name
        if config != "iris.toml":
            difference = check_tract(folder, tract)
            line += f": tract {difference:.1e}"
            if not difference <= 1e-5:
                sys.exit(line)
        if name == "mlp":
            difference = check_burn(folder, target)
            line += f", burn {difference:.1e}"
            if not difference <= 1e-5:
                sys.exit(line)
        check_candle(folder, target)
        print(f"{line}, candle runs" if ":" in line else f"{line}: candle runs", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
