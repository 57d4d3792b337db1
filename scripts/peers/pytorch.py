"""A PyTorch training loop of one workload, as a careful user writes it: compare-peers.py times it.

    python pytorch.py WORKLOAD-AS-JSON UPDATES [fused]
"""
import json
import sys

import torch
from torch import nn

work, updates, fused = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["fused"]
torch.set_num_threads(work["threads"])
torch.manual_seed(0)


class Recurrent(nn.Module):
    def __init__(self, features, hidden, outputs):
        super().__init__()
        self.rnn = nn.RNN(features, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


def perceptron():
    layers, inputs = [], work["inputs"]
    for width in work["hidden"]:
        layers.append(nn.Linear(inputs, width))
        if work.get("batch_norm"):
            layers.append(nn.BatchNorm1d(width))
        layers.append(nn.ReLU())
        if work.get("dropout"):
            layers.append(nn.Dropout(work["dropout"]))
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, work["outputs"]))


rows, batch = work["rows"], work["batch"]
shape = [rows, work["steps"], work["inputs"]] if "steps" in work else [rows, work["inputs"]]
x = torch.rand(shape)
if work["outputs"] == 1:
    y, loss = torch.randn(rows, 1), nn.MSELoss()
else:
    y, loss = torch.randint(work["outputs"], (rows,)), nn.CrossEntropyLoss()
net = Recurrent(work["inputs"], work["hidden"][0], work["outputs"]) if "steps" in work else perceptron()
kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[work["optimizer"]]
optimizer = kind(net.parameters(), lr=1e-4, fused=fused or None)
clip, total = work.get("clip"), torch.zeros(())
while updates:
    order = torch.randperm(rows)
    for start in range(0, rows, batch):
        index = order[start : start + batch]
        value = loss(net(x[index]), y[index])
        optimizer.zero_grad()
        value.backward()
        if clip:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
        total += value.detach() * len(index)
        updates -= 1
        if not updates:
            break
