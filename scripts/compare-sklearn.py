#!/usr/bin/env python3
"""Trains the configs of tables and series with scikit-learn's MLP and with descent, on the same rows, and prints the tests.

    cargo build --release
    pip install scikit-learn
    scripts/compare-sklearn.py target/release/descent [CONFIG …]
    scripts/compare-sklearn.py -                                   # scikit-learn alone

Both have the widths, the activation, Adam's learning rate, the batch size and the number of epochs of the config, and
inputs (and the target of a regression) standardised by the training rows. They draw their own weights (scikit-learn by
Glorot, descent as PyTorch does, which are smaller) and orders, five times: the table has the mean accuracy or R2 on the
test rows, and behind ± half the range. scikit-learn has no recurrent network: beside one stands its MLP of the same width
on the flattened windows. Exits with 1 where descent is below scikit-learn by more than 0.02, and with 2 where a config
could not be compared.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import tomllib
import warnings

# Small products are slower on several threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEEDS = (1, 2, 3, 4, 5)
WORSE = 0.02
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}
# What this script can hand to scikit-learn; a config with anything else would be another training there.
KNOWN = {
    "": {"seed", "data", "model", "loss", "optimizer", "train"},
    "data": {"name", "path", "target", "split_column", "normalize", "window", "horizon", "test"},
    "model": {"name", "hidden", "hidden_size", "activation"},
    "loss": {"name"},
    "optimizer": {"name", "lr", "weight_decay"},
    "train": {"batch_size", "epochs"},
}


class Trouble(Exception):
    """Why a config cannot be compared."""


def read_config(path):
    config = tomllib.loads(path.read_text(encoding="utf-8"))
    for section, known in KNOWN.items():
        for key in (config if section == "" else config.get(section, {})).keys() - known:
            raise Trouble(f"`{section}.{key}`".replace("`.", "`") + " has no counterpart here")
    if config["optimizer"]["name"] != "adam" or config["data"].get("normalize") != "standard":
        raise Trouble("only Adam on data with `normalize = \"standard\"` is compared")
    return config


def numbers(rows, column):
    try:
        return [float(row[column]) for row in rows]
    except ValueError as error:
        raise Trouble(f"column `{column}` is not all numbers: {error}") from None


def read_rows(data):
    with open(ROOT / "configs" / data["path"], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    missing = {data["target"], data.get("split_column", data["target"])} - rows[0].keys()
    if missing:
        raise Trouble(f"{data['path']} has no column {missing}")
    return rows


def table(data, classes):
    """Inputs and targets of the training and the test rows, which the split column tells apart."""
    rows = read_rows(data)
    columns = [name for name in rows[0] if name not in (data["target"], data["split_column"])]
    xs = numpy.array([numbers(rows, column) for column in columns]).T
    ys = numpy.array([row[data["target"]] for row in rows] if classes else numbers(rows, data["target"]))
    tested = numpy.array([row[data["split_column"]] == "test" for row in rows])
    scaler = StandardScaler().fit(xs[~tested])
    return [(scaler.transform(xs[part]), ys[part]) for part in (~tested, tested)]


def series(data):
    """Flattened windows of all number columns, the target's own past too, and the target `horizon` rows later.

    The last rows, a share of `test`, are the test; a window and its target lie on one side of the border.
    """
    rows = read_rows(data)
    columns = [name for name in rows[0] if name != "date"]
    xs, ys = numpy.array([numbers(rows, column) for column in columns]).T, numpy.array(numbers(rows, data["target"]))
    border = len(rows) - round(data["test"] * len(rows))
    scaler = StandardScaler().fit(xs[:border])

    def windows(xs, ys):
        last = range(data["window"] - 1, len(xs) - data["horizon"])
        flat = [xs[end - data["window"] + 1 : end + 1].ravel() for end in last]
        return numpy.array(flat), ys[[end + data["horizon"] for end in last]]

    return [windows(scaler.transform(xs[part]), ys[part]) for part in (slice(border), slice(border, None))]


def hidden(model):
    return tuple(model["hidden"]) if model["name"] == "mlp" else (model.get("hidden_size", 50),)


def by_sklearn(config, seed):
    """The score of one seed: accuracy, or R2."""
    train, optimizer, model = config["train"], config["optimizer"], config["model"]
    classes = config["loss"]["name"] == "cross_entropy"
    data = series(config["data"]) if config["data"]["name"] == "timeseries" else table(config["data"], classes)
    (xs, ys), (test_xs, test_ys) = data
    network = (MLPClassifier if classes else MLPRegressor)(
        hidden_layer_sizes=hidden(model),
        activation=ACTIVATIONS[model.get("activation", "relu")] if model["name"] == "mlp" else "relu",
        solver="adam",
        learning_rate_init=optimizer["lr"],
        # scikit-learn divides the penalty by the rows of a batch, and leaves the biases out of it.
        alpha=optimizer.get("weight_decay", 0.0) * train["batch_size"],
        batch_size=min(train["batch_size"], len(xs)),
        max_iter=train["epochs"],
        tol=0.0,
        n_iter_no_change=train["epochs"] + 1,
        early_stopping=False,
        random_state=seed,
    )
    if not classes:
        mean, deviation = ys.mean(), ys.std()
        ys, test_ys = (ys - mean) / deviation, (test_ys - mean) / deviation
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(xs, ys)
    if network.n_iter_ != train["epochs"]:
        raise Trouble(f"scikit-learn stopped after {network.n_iter_} epochs")
    return network.score(test_xs, test_ys)


def by_descent(descent, path, metric, seed):
    """The score of one seed, from the last line of the run's metrics.jsonl."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "run")
        command = [descent, "train", path, "--set", f"seed={seed}", "--out", out, "--quiet"]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
        except OSError as error:
            raise Trouble(f"{descent} does not start: {error.strerror}") from None
        if done.returncode:
            said = done.stderr.strip() or "it said nothing"
            raise Trouble(f"descent ended with {done.returncode} at seed {seed}: {said}")
        try:
            final = json.loads((out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        except (OSError, IndexError, ValueError) as error:
            raise Trouble(f"descent left no metrics.jsonl that can be read: {error}") from None
    if final.get("kind") != "final" or not isinstance(final.get(metric), (int, float)):
        raise Trouble(f"the last line of metrics.jsonl is not a final one with `{metric}`: {json.dumps(final)}")
    return final[metric]


def text(scores):
    return f"{statistics.fmean(scores):.3f} ± {(max(scores) - min(scores)) / 2:.3f}"


def network(config):
    """The network of a config in short, and how long it is trained."""
    model, train = config["model"], config["train"]
    widths = ", ".join(map(str, hidden(model)))
    return f"{model['name']} {widths}, {train['epochs']} epochs of batches of {train['batch_size']}"


def compare(descent, path):
    """Prints the line of a config; false where descent is worse."""
    config = read_config(path)
    metric = "test_accuracy" if config["loss"]["name"] == "cross_entropy" else "test_r2"
    theirs = [by_sklearn(config, seed) for seed in SEEDS]
    start = f"| `{path.stem}`, {metric.removeprefix('test_').replace('r2', 'R2')} | {network(config)} | {text(theirs)} |"
    if descent is None:
        print(start, "| |", flush=True)
        return True
    ours = [by_descent(descent, path, metric, seed) for seed in SEEDS]
    difference = statistics.fmean(ours) - statistics.fmean(theirs)
    print(f"{start} {text(ours)} | {difference:+.3f} |", flush=True)
    return difference >= -WORSE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("descent", help="the binary, or - to leave it out")
    parser.add_argument("configs", nargs="*", metavar="CONFIG", help="names in configs/; left out, all of tables and series")
    arguments = parser.parse_args()
    descent = None if arguments.descent == "-" else pathlib.Path(arguments.descent).resolve()
    paths = [ROOT / "configs" / f"{name}.toml" for name in arguments.configs]
    if not paths:
        tables = ("csv", "timeseries")
        every = sorted((ROOT / "configs").glob("*.toml"))
        paths = [path for path in every if tomllib.loads(path.read_text())["data"]["name"] in tables]
    worse, troubled = [], False
    print("| data | network | scikit-learn | descent | difference |\n| --- | --- | --- | --- | --- |")
    for path in paths:
        try:
            if not compare(descent, path):
                worse.append(path.stem)
        except (Trouble, OSError, tomllib.TOMLDecodeError) as trouble:
            print(f"{path.stem}: {trouble}", file=sys.stderr)
            troubled = True
    if worse:
        print(f"descent is more than {WORSE} below scikit-learn: {', '.join(worse)}", file=sys.stderr)
    sys.exit(1 if worse else 2 if troubled else 0)


if __name__ == "__main__":
    main()
