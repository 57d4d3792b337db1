"""What the estimators train where the caller says nothing else."""

from __future__ import annotations

import math
from typing import Any

BATCH = 64
# Enough for Adam to converge on a small table; a large one is read at least `EPOCHS` times.
UPDATES = 600
EPOCHS = 30
# From so many rows on, some are held out to stop early and to keep the best weights.
HOLD_OUT_FROM = 1000


def recipe(*, classification: bool, rows: int, has_validation: bool, share: float | None = None) -> dict[str, Any]:
    """Returns the config for a table of so many rows, of which the caller holds out ``share``, or leaves the choice."""
    steps = math.ceil(rows / BATCH)
    train: dict[str, Any] = {"batch_size": BATCH, "epochs": max(EPOCHS, math.ceil(UPDATES / steps))}
    data: dict[str, Any] = {"normalize": "standard"}
    if share is None and rows >= HOLD_OUT_FROM:
        share = 0.1
    if has_validation or share:
        train["early_stopping"] = {"patience": 10}
        data["validation"] = None if has_validation else share
    return {
        "seed": 0,
        "data": data,
        "model": {"name": "mlp", "hidden": [256, 128]},
        "loss": {"name": "cross_entropy" if classification else "mse"},
        "optimizer": {"name": "adamw", "lr": 0.002},
        "train": train | {"checkpoint_every": "never", "tensorboard": False},
    }
