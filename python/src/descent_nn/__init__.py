"""descent in Python: train networks from a config or a table, predict, and use them as scikit-learn estimators.

    import descent_nn

    run = descent_nn.train("iris.toml", train__epochs=50)
    run.metrics                       # a DataFrame, one row per epoch
    run.report()                      # the report, inside a notebook
    model = descent_nn.load(run.path)
    model.predict(table)              # pandas, Polars, Arrow, NumPy, or a list of dicts

    classifier = descent_nn.DescentClassifier(optimizer__lr=0.003).fit(X, y)

The module runs the program ``descent``, which the wheel installs. Everything a config can contain is described in the
program's documentation; ``descent list`` prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from descent_nn._error import DescentWarning, Error

if TYPE_CHECKING:
    from descent_nn._estimators import DescentClassifier, DescentRegressor
    from descent_nn._model import Model, load
    from descent_nn._program import program
    from descent_nn._run import Comparison, Report, Run, compare, train

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "DescentClassifier",
    "DescentRegressor",
    "DescentWarning",
    "Error",
    "Model",
    "Report",
    "Run",
    "compare",
    "load",
    "program",
    "train",
]

# Imported at first use: NumPy and scikit-learn take longer to import than most scripts here take to run.
_HOMES = {
    "Comparison": "_run",
    "DescentClassifier": "_estimators",
    "DescentRegressor": "_estimators",
    "Model": "_model",
    "Report": "_run",
    "Run": "_run",
    "compare": "_run",
    "load": "_model",
    "program": "_program",
    "train": "_run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
