#!/usr/bin/env python3
"""Trains every config in configs/ on the full MNIST with PyTorch and with descent, and prints the test results.

    cargo build --release
    scripts/fetch-mnist.sh
    python3 scripts/compare-pytorch.py target/release/descent [CONFIG …]    # needs torch, safetensors, numpy

Both start from the same weights, drawn by PyTorch as the config says, and see the rows in orders of their own, three
times with other seeds: the table has means, and behind ± half the range. What descent has trained is then loaded into
the PyTorch class with strict=True and must test there as it does here.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import nn

SEEDS = (1, 2, 3)
ROOT = pathlib.Path(__file__).parent.parent


class Mlp(nn.Module):
    def __init__(self, hidden, prefix, batch_norm, dropout):
        super().__init__()
        self.prefix, self.depth, self.batch_norm = prefix, len(hidden), batch_norm
        widths = [784, *hidden, 10]
        for i in range(len(widths) - 1):
            setattr(self, f"{prefix}{i + 1}", nn.Linear(widths[i], widths[i + 1]))
            if batch_norm and i < self.depth:
                setattr(self, f"bn{i + 1}", nn.BatchNorm1d(widths[i + 1]))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = x.flatten(1)
        for i in range(1, self.depth + 1):
            x = getattr(self, f"{self.prefix}{i}")(x)
            if self.batch_norm:
                x = getattr(self, f"bn{i}")(x)
            x = self.dropout(torch.relu(x))
        return getattr(self, f"{self.prefix}{self.depth + 1}")(x)


class Rnn(nn.Module):
    def __init__(self, inputs, hidden_size, outputs):
        super().__init__()
        self.rnn = nn.RNN(inputs, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, outputs)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


OPTIMIZERS = {
    "sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad,
}


def idx(name):
    data = (ROOT / "data/mnist" / name).read_bytes()
    rank = data[3]
    shape = numpy.frombuffer(data, ">u4", rank, 4)
    return torch.from_numpy(numpy.frombuffer(data, "u1", offset=4 + 4 * rank).reshape(shape).copy())


def mnist():
    def split(name):
        return (idx(f"{name}-images-idx3-ubyte").float() / 255 - 0.5) / 0.5, idx(f"{name}-labels-idx1-ubyte").long()
    return split("train"), split("t10k")


def build(config):
    model = config["model"]
    if model["name"] == "rnn":
        return Rnn(28, model["hidden_size"], 10)
    module = Mlp(
        model["hidden"], model.get("layer_names", "layer"), model.get("batch_norm", False), model.get("dropout", 0.0)
    )
    if "init" in model:
        for i in range(1, module.depth + 2):
            weight = getattr(module, f"{module.prefix}{i}").weight
            init = nn.init.xavier_normal_ if i == module.depth + 1 else nn.init.kaiming_normal_
            init(weight)
    return module


def train(module, config, x, y):
    options = {key: value for key, value in config["optimizer"].items() if key != "name"}
    rule = OPTIMIZERS[config["optimizer"]["name"]](module.parameters(), **options)
    criterion, clip = nn.CrossEntropyLoss(), config["train"].get("clip_grad_norm")
    size = len(x) if config["train"]["batch_size"] == "full" else config["train"]["batch_size"]
    module.train()
    for _ in range(config["train"]["epochs"]):
        for rows in torch.randperm(len(x)).split(size):
            rule.zero_grad()
            criterion(module(x[rows]), y[rows]).backward()
            if clip:
                nn.utils.clip_grad_norm_(module.parameters(), clip)
            rule.step()


@torch.no_grad()
def accuracy(module, x, y):
    module.eval()
    return 100 * (module(x).argmax(1) == y).double().mean().item()


def once(descent, path, data, seed):
    """Test accuracies of one seed, in percent: PyTorch's and descent's."""
    config = tomllib.loads(path.read_text())
    (x, y), test = data
    torch.manual_seed(seed)
    module = build(config)
    with tempfile.TemporaryDirectory() as folder:
        weights, out = pathlib.Path(folder, "init.safetensors"), pathlib.Path(folder, "run")
        save_file(module.state_dict(), weights)
        options = ["-q", "--set", "train.checkpoint_every='never'", "--set", f"seed={seed}"]
        command = [descent, "train", path, "--init-from", weights, "--out", out, *options]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        final = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
        ours = build(config)
        ours.load_state_dict(load_file(out / "model.safetensors"), strict=True)
    # A row on the border between two classes may fall to either side.
    assert abs(accuracy(ours, *test) - 100 * final["test_accuracy"]) < 0.05
    train(module, config, x, y)
    return accuracy(module, *test), 100 * final["test_accuracy"]


def compare(descent, path, data):
    theirs, ours = zip(*(once(descent, path, data, seed) for seed in SEEDS))
    text = ["{:.2f} ± {:.2f}".format(sum(a) / len(a), (max(a) - min(a)) / 2) for a in (theirs, ours)]
    epochs = tomllib.loads(path.read_text())["train"]["epochs"]
    difference = (sum(ours) - sum(theirs)) / len(SEEDS)
    print(f"| `{path.stem}` | {epochs} | {text[0]} | {text[1]} | {difference:+.2f} |", flush=True)


def main():
    names = sys.argv[2:] or sorted(p.stem for p in (ROOT / "configs").glob("*.toml"))
    data = mnist()
    print("| config | epochs | PyTorch % | descent % | difference |\n| --- | --- | --- | --- | --- |")
    for name in names:
        path = ROOT / "configs" / f"{name}.toml"
        if tomllib.loads(path.read_text())["data"]["name"] == "mnist":
            compare(pathlib.Path(sys.argv[1]).resolve(), path, data)


if __name__ == "__main__":
    main()
