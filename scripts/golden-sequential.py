#!/usr/bin/env python3
"""Makes tests/golden/sequential/: state dicts of torch.nn.Sequential, for `layer_names = "sequential"` and `--init-from`.

    python3 scripts/golden-sequential.py            # needs torch and safetensors; CI needs neither, the files are committed

Each file is what `save_file(net.state_dict(), …)` writes after some updates in f64. Its metadata has the `[model]` section of
the same network, and rows with what the network answers for them in evaluation mode.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

OUT = pathlib.Path(__file__).parent.parent / "tests/golden/sequential"


def cases():
    yield "linear", "hidden = []", [nn.Linear(4, 3)]
    yield "plain", 'hidden = [6, 5]\nactivation = "tanh"', [
        nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)]
    yield "dropout", "hidden = [6, 5]\ndropout = 0.2", [
        nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 5), nn.ReLU(), nn.Dropout(0.2), nn.Linear(5, 3)]
    yield "batch-norm", "hidden = [6]\nbatch_norm = true\ndropout = 0.5", [
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 3)]
    yield "layer-norm", 'hidden = [6, 5]\nlayer_norm = true\nactivation = "gelu"', [
        nn.Linear(4, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 5), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, 3)]


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    OUT.mkdir(exist_ok=True)
    for name, model, modules in cases():
        net = nn.Sequential(*modules)
        x, y = torch.randn(5, 4), torch.randint(3, (5,))
        rule = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            rule.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            rule.step()
        rows = {"x": x.tolist(), "outputs": net.eval()(x).tolist()}
        metadata = {"model": f'name = "mlp"\nlayer_names = "sequential"\n{model}\n', "rows": json.dumps(rows)}
        save_file(net.state_dict(), OUT / f"{name}.safetensors", metadata)


if __name__ == "__main__":
    main()
