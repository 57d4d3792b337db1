"""The workloads that descent is timed on beside its peers: what each trains, and descent's config for it."""
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

MNIST = {"rows": 60000, "inputs": 784, "outputs": 10, "optimizer": "adam", "batch": 64}
NET = {**MNIST, "hidden": [256, 128]}
SEQUENCES = {
    "rows": 60000, "steps": 28, "inputs": 28, "outputs": 10, "hidden": [128], "optimizer": "adam", "batch": 64, "clip": 1.0,
}
WORKLOADS = {
    "sgd-1": {**MNIST, "hidden": [128], "optimizer": "sgd", "batch": 1},
    "sgd-64": {**MNIST, "hidden": [128], "optimizer": "sgd"},
    "sgd-full": {**MNIST, "hidden": [128], "optimizer": "sgd", "batch": 60000},
    "adam-64": NET,
    "adam-512": {**NET, "batch": 512},
    "adam-1024": {**NET, "batch": 1024},
    "batchnorm-64": {**NET, "batch_norm": True},
    "dropout-64": {**NET, "dropout": 0.5},
    "wide-1024": {**MNIST, "hidden": [2048, 2048], "batch": 1024},
    "rnn-small": {
        "rows": 5000, "steps": 5, "inputs": 10, "outputs": 1, "hidden": [50], "optimizer": "adam", "batch": 32, "clip": 1.0,
    },
    "rnn-mnist": SEQUENCES,
    "lstm-mnist": {**SEQUENCES, "cell": "lstm"},
    "gru-mnist": {**SEQUENCES, "cell": "gru"},
    # An update is a prediction of the test set's rows: from a .npy file into a file of classes and probabilities.
    "predict": {**NET, "batch": 10000, "predict": True},
}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def products(work):
    """The floating-point operations of an update's matrix products."""

    def layer(rows, inputs, outputs, times):
        return 2 * rows * inputs * outputs * times

    batch, hidden, outputs = work["batch"], work["hidden"], work["outputs"]
    if work.get("predict"):
        widths = [work["inputs"], *hidden, outputs]
        return sum(layer(batch, a, b, 1) for a, b in zip(widths, widths[1:]))
    # Forward, the gradients of the weights, and of the inputs but for the data's own.
    if "steps" in work:
        gates, rows = GATES[work.get("cell", "rnn")] * hidden[0], batch * work["steps"]
        recurrent = layer(rows, work["inputs"], gates, 2) + layer(rows, hidden[0], gates, 3)
        return recurrent + layer(batch, hidden[0], outputs, 3)
    widths = [*hidden, outputs]
    return layer(batch, work["inputs"], hidden[0], 2) + sum(layer(batch, a, b, 3) for a, b in zip(widths, widths[1:]))


def state(work):
    """The numbers that an optimizer reads in an update: the weights, their gradients and moments."""
    if work.get("predict"):
        return 0
    hidden, outputs = work["hidden"], work["outputs"]
    if "steps" in work:
        gates = GATES[work.get("cell", "rnn")] * hidden[0]
        weights = (work["inputs"] + hidden[0] + 2) * gates + (hidden[0] + 1) * outputs
    else:
        widths = [work["inputs"], *hidden, outputs]
        weights = sum((a + 1) * b for a, b in zip(widths, widths[1:]))
    return weights * (4 if work["optimizer"] == "adam" else 2)


def config(work):
    """What descent trains for a workload, as TOML."""
    recurrent = "steps" in work
    if recurrent and work["rows"] == 5000:
        data = f'name = "waves"\nrows = {work["rows"]}\nwindow = {work["steps"]}\nfeatures = {work["inputs"]}'
    else:
        data = f'name = "mnist"\npath = "{ROOT / "data/mnist"}"' + ("\nsequence = [28, 28]" if recurrent else "")
    if recurrent:
        model = f'name = "{work.get("cell", "rnn")}"\nhidden_size = {work["hidden"][0]}'
    else:
        model = f'name = "mlp"\nhidden = {work["hidden"]}\ndropout = {work.get("dropout", 0.0)}'
        model += f'\nbatch_norm = {json.dumps(work.get("batch_norm", False))}'
    loss = "mse" if work["outputs"] == 1 else "cross_entropy"
    train = f'batch_size = {work["batch"]}\nepochs = 1000000000\ncheckpoint_every = "never"'
    if "clip" in work:
        train += f'\nclip_grad_norm = {work["clip"]}'
    return (
        f'[data]\n{data}\n[model]\n{model}\n[loss]\nname = "{loss}"\n'
        f'[optimizer]\nname = "{work["optimizer"]}"\nlr = 1e-4\n[train]\n{train}\n'
    )
