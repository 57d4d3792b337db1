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


def recipe(*, classification: bool, rows: int, has_validation: bool) -> dict[str, Any]:
    """Returns the config for a table of so many rows."""
    steps = math.ceil(rows / BATCH)
    train: dict[str, Any] = {"batch_size": BATCH, "epochs": max(EPOCHS, math.ceil(UPDATES / steps))}
    data: dict[str, Any] = {"normalize": "standard"}
    if has_validation or rows >= HOLD_OUT_FROM:
        train["early_stopping"] = {"patience": 10}
        data["validation"] = None if has_validation else 0.1
    return {
        "seed": 0,
        "data": data,
        "model": {"name": "mlp", "hidden": [256, 128]},
        "loss": {"name": "cross_entropy" if classification else "mse"},
        "optimizer": {"name": "adamw", "lr": 0.002},
        "train": train | {"checkpoint_every": "never", "tensorboard": False},
    }
