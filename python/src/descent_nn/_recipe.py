"""What the estimators train where the caller says nothing else: the config of ``descent init``."""

from __future__ import annotations

import math
import tomllib
import warnings
from collections.abc import Mapping
from typing import Any

from descent_nn import _program
from descent_nn._error import DescentWarning

# Of fewer rows too few are held out to choose an epoch by.
FEW = 200
BATCH = 64
UPDATES = 600
EPOCHS = 30
# What is kept of the `[data]` of descent init; which rows and columns, the estimator knows itself.
DATA = ("normalize", "missing", "columns", "validation", "na_values", "calendar")


def recipe(data: Mapping[str, Any], *, classification: bool, rows: int, has_validation: bool) -> dict[str, Any]:
    """Returns the config for the rows that ``data`` names, as `[data]` of a config does."""
    config = _for_few(rows, data["name"] != "npz") if rows < FEW else _of_init(data)
    if has_validation:
        config["data"].pop("validation", None)
        config["train"].setdefault("early_stopping", {"patience": 20})
    return _as_estimator(config, classification)


def plain(*, classification: bool) -> dict[str, Any]:
    """Returns the config of a plain MLP, with the sizes of scikit-learn's MLPClassifier, on standardised columns."""
    config = {
        "data": {"normalize": "standard"},
        "model": {"name": "mlp", "hidden": [100]},
        "optimizer": {"name": "adam", "lr": 0.001},
        "train": {"batch_size": 200, "epochs": 200},
    }
    return _as_estimator(config, classification)


def _as_estimator(config: dict[str, Any], classification: bool) -> dict[str, Any]:
    config["loss"] = {"name": "cross_entropy" if classification else "mse"}
    config["train"] |= {"checkpoint_every": "never", "tensorboard": False}
    return config


def _of_init(data: Mapping[str, Any]) -> dict[str, Any]:
    targets = data.get("target", [])
    target = [word for name in ([targets] if isinstance(targets, str) else targets) for word in ("--target", name)]
    # What was written beside the caller's columns; it is no input, whatever it says of the target.
    own = [f"column `{data[key]}`" for key in ("weight", "split_column") if key in data]
    text, log = _program.call_with_log(["init", str(data["path"]), *target])
    for warning in _program.warnings_of(log, made_here=data["path"]):
        # An estimator tests nothing, and has no `[data]` to keep the rows of one together in.
        if " repeats: rows of the same one" not in warning and not any(warning.startswith(column) for column in own):
            warnings.warn(warning, DescentWarning, stacklevel=4)
    config = tomllib.loads(text)
    series = config["data"]["name"] == "timeseries"
    config["data"] = {key: value for key, value in config["data"].items() if key in DATA}
    if series and "missing" in config["data"]:
        # Rows with dates in even steps are no series here; a table has no rows before.
        config["data"]["missing"] = "category"
    return config


def _for_few(rows: int, is_table: bool) -> dict[str, Any]:
    steps = math.ceil(rows / BATCH)
    # As descent init does: of numbers the mean and a flag, of names one of their own.
    missing = {"missing": "category"} if is_table else {}
    return {
        "seed": 0,
        "data": {"normalize": "standard", **missing},
        "model": {"name": "mlp", "hidden": [64, 64]},
        "optimizer": {"name": "adamw", "lr": 0.002},
        # For so few rows 64 bits cost nothing; with them a weight of 2 is the same as the row twice, to nine digits.
        "train": {"batch_size": BATCH, "epochs": max(EPOCHS, math.ceil(UPDATES / steps)), "dtype": "f64"},
    }
