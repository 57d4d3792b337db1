"""A PyTorch training loop of one workload, as a careful user writes it.

    python pytorch.py WORKLOAD-AS-JSON UPDATES [fused]     so many updates on the CPU: compare-peers.py times the process
    python pytorch.py serve cuda|cpu                       answers server.py's requests: `eager` or `graph`
"""
import json
import sys

import torch
from torch import nn


class Recurrent(nn.Module):
    def __init__(self, cell, features, hidden, outputs):
        super().__init__()
        self.rnn = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell](features, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


def perceptron(work):
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


class Training:
    """Data and a network on a device, and the updates that go on from batch to batch."""

    def __init__(self, work, device="cpu", **options):
        torch.manual_seed(0)
        self.rows, self.batch, self.clip, self.device = work["rows"], work["batch"], work.get("clip"), device
        shape = [self.rows, work["steps"], work["inputs"]] if "steps" in work else [self.rows, work["inputs"]]
        self.x = torch.rand(shape, device=device)
        if work["outputs"] == 1:
            self.y, self.loss = torch.randn(self.rows, 1, device=device), nn.MSELoss()
        else:
            self.y, self.loss = torch.randint(work["outputs"], (self.rows,), device=device), nn.CrossEntropyLoss()
        if "steps" in work:
            net = Recurrent(work.get("cell", "rnn"), work["inputs"], work["hidden"][0], work["outputs"])
        else:
            net = perceptron(work)
        self.net = net.to(device)
        kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[work["optimizer"]]
        self.optimizer = kind(self.net.parameters(), lr=1e-4, **options)
        self.total = torch.zeros((), device=device)
        self.indices = self.epochs()

    def epochs(self):
        """The rows of each batch, epoch after epoch."""
        while True:
            order = torch.randperm(self.rows, device=self.device)
            for start in range(0, self.rows, self.batch):
                yield order[start : start + self.batch]

    def update(self, index):
        value = self.loss(self.net(self.x[index]), self.y[index])
        self.optimizer.zero_grad()
        value.backward()
        if self.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
        self.optimizer.step()
        self.total += value.detach() * len(index)

    def train(self, updates):
        for _ in range(updates):
            self.update(next(self.indices))
        return updates


class Captured(Training):
    """The same with the whole update as one CUDA graph. A last batch that is smaller is left out: a graph has one shape."""

    def __init__(self, work, device):
        adam = {"capturable": True} if work["optimizer"] == "adam" and device == "cuda" else {}
        super().__init__(work, device, fused=True, **adam)
        self.index = torch.zeros(self.batch, dtype=torch.int64, device=device)
        self.replay = lambda: self.update(self.index)
        if device == "cuda":
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self.update(self.index)
            torch.cuda.current_stream().wait_stream(side)
            self.optimizer.zero_grad(set_to_none=True)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.update(self.index)
            self.replay = graph.replay

    def train(self, updates):
        made = 0
        while made < updates:
            index = next(self.indices)
            if len(index) == self.batch:
                self.index.copy_(index)
                self.replay()
                made += 1
        return made


def serve(device):
    from server import serve

    if device == "cuda" and not torch.cuda.is_available():
        return serve({"left_out": f"PyTorch {torch.__version__} finds no GPU"}, None)
    # Products in f32, as descent's are.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    def build(work, variant):
        training = Captured(work, device) if variant == "graph" else Training(work, device)

        def train(updates):
            made = training.train(updates)
            if device == "cuda":
                torch.cuda.synchronize()
            return made

        return train

    serve({"ready": f"PyTorch {torch.__version__}"}, build)


if __name__ != "__main__":
    pass
elif sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    work = json.loads(sys.argv[1])
    torch.set_num_threads(work["threads"])
    Training(work, fused=sys.argv[3:] == ["fused"] or None).train(int(sys.argv[2]))
