#!/usr/bin/env python3
"""Times DescentClassifier beside scikit-learn's MLPClassifier and PyTorch through skorch: fit, predict, test accuracy.

    pip install target/wheels/descent_nn-*.whl scikit-learn pandas torch skorch
    scripts/compare-estimators.py [--rounds 3] [--only digits]

All three train the same network, one hidden layer of 100, by Adam 0.001 in batches of 64 over the same epochs, on
standardised columns, with two threads. They take turns; each figure is the median of the rounds. Without skorch its
column is empty. At the end stands the time of `import descent_nn` beside that of scikit-learn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from descent_nn import DescentClassifier

WIDTH, LR, BATCH = 100, 0.001, 64
ROWS = 50_000


def tables():
    yield "digits", 50, load_digits(return_X_y=True)
    yield "breast cancer", 50, load_breast_cancer(return_X_y=True)
    yield f"{ROWS:,} rows of 20", 10, make_classification(ROWS, 20, n_informative=10, n_classes=3, random_state=1)


def descent(epochs):
    return DescentClassifier(
        recipe=False,
        model__hidden=[WIDTH],
        optimizer__lr=LR,
        train__batch_size=BATCH,
        train__epochs=epochs,
        threads=2,
    )


def mlp(epochs):
    return MLPClassifier([WIDTH], learning_rate_init=LR, batch_size=BATCH, max_iter=epochs, tol=0, n_iter_no_change=epochs, alpha=0)


def skorch(epochs, columns, classes):
    import torch
    from skorch import NeuralNetClassifier

    network = torch.nn.Sequential(torch.nn.Linear(columns, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, classes))
    return NeuralNetClassifier(
        network,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=LR,
        batch_size=BATCH,
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )


def measure(model, rows):
    x, x_test, y, y_test = rows
    start = time.perf_counter()
    model.fit(x, y)
    fitted = time.perf_counter()
    answers = model.predict(x_test)
    return fitted - start, time.perf_counter() - fitted, float(numpy.mean(answers == y_test))


def contestants(epochs, columns, classes):
    yield "descent", lambda: make_pipeline(StandardScaler(), descent(epochs))
    yield "MLPClassifier", lambda: make_pipeline(StandardScaler(), mlp(epochs))
    try:
        import skorch as _  # noqa: F401
    except ImportError:
        return
    yield "skorch", lambda: make_pipeline(StandardScaler(), skorch(epochs, columns, classes))


def main(rounds, only):
    warnings.simplefilter("ignore")
    print("| table | epochs | | fit, s | predict, s | test accuracy |\n| --- | --- | --- | --- | --- | --- |")
    for name, epochs, (x, y) in tables():
        if only not in name:
            continue
        rows = train_test_split(x.astype("float32"), y.astype("int64"), test_size=0.25, stratify=y, random_state=1)
        makers = list(contestants(epochs, x.shape[1], len(numpy.unique(y))))
        results = {who: [] for who, _ in makers}
        for _ in range(rounds):
            for who, make in makers:
                results[who].append(measure(make(), rows))
        for who, measured in results.items():
            fit, predict, score = (statistics.median(column) for column in zip(*measured, strict=True))
            print(f"| {name} | {epochs} | {who} | {fit:.2f} | {predict:.3f} | {score:.4f} |", flush=True)
    for module in ("descent_nn", "sklearn.neural_network"):
        code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
        seconds = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) for _ in range(5)]
        print(f"import {module}: {statistics.median(seconds) * 1000:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="the tables with this in their name")
    options = parser.parse_args()
    main(options.rounds, options.only)
