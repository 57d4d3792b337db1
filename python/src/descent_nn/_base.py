"""What the scikit-learn estimators have in common."""

from __future__ import annotations

import json
import numbers
import os
import tempfile
import tomllib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from descent_nn import _config, _fit, _program
from descent_nn._error import DescentWarning
from descent_nn._fit import Rows, Scaling
from descent_nn._recipe import plain, recipe
from descent_nn._saved import SavedRun
from descent_nn._tables import require_empty

SECTIONS = ("data", "model", "loss", "optimizer", "train")
# A call of partial_fit makes one pass over its rows.
ONE_PASS = {
    "epochs": 1,
    "max_steps": 0,
    "early_stopping": None,
    "average": None,
    "checkpoint_every": "never",
    "tensorboard": False,
}
FIRST_PASS = {
    "seed": 0,
    "model": {"name": "mlp", "hidden": [64, 64]},
    "optimizer": {"name": "adamw", "lr": 0.002},
}


class DescentEstimator(BaseEstimator):  # type: ignore[misc]
    """Parameters, the fit, and what a trained model answers."""

    _classification: bool

    def __init__(
        self,
        *,
        config: Mapping[str, Any] | None = None,
        recipe: bool = True,
        model__name: str | None = None,
        model__hidden: Sequence[int] | None = None,
        model__activation: str | None = None,
        model__batch_norm: bool | None = None,
        model__dropout: float | None = None,
        loss__name: str | None = None,
        optimizer__name: str | None = None,
        optimizer__lr: float | None = None,
        optimizer__weight_decay: float | None = None,
        train__batch_size: int | str | None = None,
        train__epochs: int | None = None,
        random_state: Any = None,
        device: str = "auto",
        threads: int | None = None,
        **settings: Any,
    ) -> None:
        self.config = config
        self.recipe = recipe
        self.model__name = model__name
        self.model__hidden = model__hidden
        self.model__activation = model__activation
        self.model__batch_norm = model__batch_norm
        self.model__dropout = model__dropout
        self.loss__name = loss__name
        self.optimizer__name = optimizer__name
        self.optimizer__lr = optimizer__lr
        self.optimizer__weight_decay = optimizer__weight_decay
        self.train__batch_size = train__batch_size
        self.train__epochs = train__epochs
        self.random_state = random_state
        self.device = device
        self.threads = threads
        for name, value in settings.items():
            setattr(self, name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the parameters, among them the keys of the config that were set."""
        return dict(super().get_params(deep=False)) | self._others()

    def set_params(self, **params: Any) -> Self:
        """Sets parameters; each key of a config is one."""
        # scikit-learn's checks take `settings`, the signature's last word, for the name of a parameter.
        known = {*self._get_param_names(), "settings"}
        for name, value in params.items():
            if name not in known and not _is_key(name):
                raise ValueError(self._unknown(name))
            setattr(self, name, value)
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> Self:
        """Trains a network.

        Args:
            X: Numbers ``(N, F)``, or a DataFrame whose columns may also be text, dates and categories.
            y: Classes or values ``(N,)``; several values ``(N, K)``.
            sample_weight: How much each row counts, ``(N,)``.
            eval_set: Rows to validate on, ``(X, y)`` or a list with one such pair; the weights of the best epoch are
                kept.
        """
        for name in self._others():
            if not _is_key(name):
                raise ValueError(self._unknown(name))
        chosen = self._full_config({})
        table = _fit.is_table(X, chosen)
        rows = self._encoded(self._checked(X, y, sample_weight, table=table, reset=True), learn=True)
        held = None
        if eval_set is not None:
            held = self._encoded(self._checked(*_only_pair(eval_set), None, table=table, reset=False), learn=False)
        self.target_scaling_: Scaling | None = None if table else self._target_scaling(rows, chosen)
        self.input_scaling_: Scaling | None = None
        self._check_loss(chosen)
        with _folder() as folder:
            data = _fit.write(self._scaled(rows), None if held is None else self._scaled(held), folder)
            base = self._base(data, rows=len(rows), has_validation=held is not None)
            config = self._full_config(base)
            if held is None and not config["data"].get("validation"):
                config["train"] = {**config["train"], "early_stopping": chosen.get("train", {}).get("early_stopping")}
            messages = self._train(folder, data, config, [])
        for warning in _program.warnings_of(messages, made_here=data["path"]):
            warnings.warn(warning, DescentWarning, stacklevel=2)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the trained model as a run folder, which ``descent_nn.load`` and ``descent predict`` take.

        Their predictions are those of this estimator. Where it was fitted on numbers alone, its run is one on arrays:
        ``descent predict`` knows its columns by their order and its classes by their indices in ``classes_``, and
        ``descent_nn.load`` both by name, from the file ``names.json``.
        """
        check_is_fitted(self)
        folder = Path(path)
        require_empty(folder)
        fitted = self.run_.fitted
        self._describe(fitted)
        saved = self.run_.with_fitted(fitted)
        if _fit.scaling_of(self.run_) is not None:
            saved = saved.with_names(self._names())
        saved.write(folder)

    def _names(self) -> dict[str, Any]:
        """What a run on arrays does not know: names of columns and classes."""
        columns = getattr(self, "feature_names_in_", None)
        return {} if columns is None else {"columns": [str(name) for name in columns]}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "run_")

    def _others(self) -> dict[str, Any]:
        """The parameters that the signature does not name. As scikit-learn asks, they are judged by ``fit``."""
        known = self._get_param_names()
        return {k: v for k, v in vars(self).items() if k not in known and not k.startswith("_") and not k.endswith("_")}

    def _unknown(self, name: str) -> str:
        known = ", ".join(self._get_param_names())
        return (
            f"Invalid parameter {name!r} for estimator {type(self).__name__}. Valid parameters are {known}, and the other "
            "keys of a config with two underscores for the dot"
        )

    def _full_config(self, base: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(self.config, Mapping | None):
            raise ValueError(f"config takes a dict of sections, which tomllib.load reads from a file; it is {self.config!r}")
        for name, section in (self.config or {}).items():
            if not (isinstance(section, Mapping) if name in SECTIONS else isinstance(name, str)):
                way_out = "a section is a dict, such as {'loss': {'name': 'mse'}}"
                raise ValueError(f"config has {name!r} with {section!r}; {way_out}")
        keys = {name: value for name, value in self.get_params().items() if _is_key(name) and value is not None}
        config = _config.combined(_config.combined(base, self.config or {}), _config.nested(keys))
        if self.random_state is not None:
            config["seed"] = _seed(self.random_state)
        return config

    def _base(self, data: Mapping[str, Any], *, rows: int, has_validation: bool) -> dict[str, Any]:
        """The config that the parameters change."""
        if not self.recipe:
            return plain(classification=self._classification)
        return recipe(data, classification=self._classification, rows=rows, has_validation=has_validation)

    def _checked(self, X: Any, y: Any, weight: Any, *, table: bool, reset: bool) -> Rows:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        if table:
            validate_data(self, X, reset=reset, skip_check_array=True)
            check_consistent_length(X, y)
            y = numpy.asarray(y)
        elif self._classification:
            X, y = validate_data(self, X, y, reset=reset)
        else:
            X, y = validate_data(self, X, y, reset=reset, multi_output=True, y_numeric=True)
        return _fit.weighted(Rows(X, y, table), weight)

    def _describe(self, fitted: dict[str, Any]) -> None:
        """Adds what only the estimator knows to what the program has fitted."""
        _fit.add_scalings(fitted, self.input_scaling_, self.target_scaling_)

    def _check_loss(self, config: Mapping[str, Any]) -> None:
        """An error if the config names a loss of another task."""

    def _encoded(self, rows: Rows, *, learn: bool) -> Rows:
        return rows

    def _target_scaling(self, rows: Rows, config: Mapping[str, Any]) -> Scaling | None:
        return None

    def _scaled(self, rows: Rows) -> Rows:
        return rows if self.target_scaling_ is None else replace(rows, y=self.target_scaling_.apply(rows.y))

    def _train(self, folder: Path, data: Mapping[str, Any], config: dict[str, Any], more: list[str]) -> str:
        """Trains a run, and returns the program's log."""
        file, run = folder / "config.toml", folder / "run"
        _config.write_toml({**config, "data": {**config["data"], **data}}, file)
        command = ["train", str(file), "--out", str(run), *self._options(), *more]
        messages = _program.train(command, None, made_here=file)
        self.run_ = SavedRun.read(run)
        log = [json.loads(line) for line in self.run_.files["metrics.jsonl"].splitlines()]
        self.history_ = [line for line in log if line["kind"] == "epoch"]
        self.n_iter_ = len(self.history_)
        return messages

    def _options(self) -> list[str]:
        return ["--device", self.device] + ([] if self.threads is None else ["--threads", str(self.threads)])

    def _answers(self, X: Any) -> dict[str, Any]:
        check_is_fitted(self)
        table = _fit.scaling_of(self.run_) is None
        if table:
            validate_data(self, X, reset=False, skip_check_array=True)
        else:
            X = validate_data(self, X, reset=False)
        if self.input_scaling_ is not None:
            X = self.input_scaling_.apply(X)
        return _fit.ask(self.run_, X, table=table, options=self._options())

    def _partial(self, X: Any, y: Any, sample_weight: Any) -> None:
        """One pass over the rows, from the weights there are. The scaling is that of the first rows, for good."""
        first = not hasattr(self, "run_")
        rows = self._encoded(self._checked(X, y, sample_weight, table=False, reset=first), learn=False)
        # Each pass has the model, the loss and the optimizer of the first.
        base = self._first_pass() if first else tomllib.loads(self.run_.files["config.toml"].decode())
        config = self._full_config({**base, "data": {}})
        self._check_loss(config)
        weights: list[str] = []
        if first:
            config["loss"] = config.get("loss") or {"name": "cross_entropy" if self._classification else "mse"}
            normalize = config["data"].get("normalize", "standard")
            if normalize not in {"standard", "none"}:
                raise ValueError(
                    f"partial_fit scales by mean and deviation of its first rows, data__normalize='standard', or by "
                    f"nothing, 'none', and not by {normalize!r}; use fit for that"
                )
            scaled = normalize == "standard"
            self.input_scaling_ = _fit.standard(rows.x, rows.weight) if scaled else Scaling(0.0, 1.0)
            self.target_scaling_ = self._target_scaling(rows, config)
            self.passes_ = 0
        else:
            self.input_scaling_ = self.input_scaling_ or _fit.scaling_of(self.run_)
            if self.input_scaling_ is not None and not _fit.is_affine(self.run_):
                raise ValueError(
                    "partial_fit goes on after a fit whose data__normalize is 'standard', 'robust', 'minmax' or 'none', "
                    "and not after 'quantile' or 'robust_smooth'; use fit with all rows"
                )
            weights = ["--init-from", str(self.run_.folder / "model.safetensors")]
        if self.input_scaling_ is None:
            raise ValueError("partial_fit goes on after a fit on numbers, not on a table with text; use fit")
        self.passes_ = getattr(self, "passes_", 0) + 1
        config = _config.combined(config, {"data": {"normalize": "none", "validation": None}, "train": ONE_PASS})
        config |= {"schedule": None, "seed": self._full_config({}).get("seed", 0) + self.passes_}
        rows = self._scaled(replace(rows, x=self.input_scaling_.apply(rows.x)))
        with _folder() as folder:
            data = _fit.write(replace(rows, y=self._partial_target(rows.y, config)), None, folder)
            self._train(folder, data, config, weights)

    def _first_pass(self) -> dict[str, Any]:
        return FIRST_PASS if self.recipe else plain(classification=self._classification)

    def _partial_target(self, y: Any, config: Mapping[str, Any]) -> Any:
        return y


def _is_key(name: str) -> bool:
    section, separator, rest = name.partition(_config.SEPARATOR)
    return bool(section and separator and rest)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="descent-fit-") as folder:
        yield Path(folder)


def _only_pair(eval_set: Any) -> tuple[Any, Any]:
    pairs = [eval_set] if isinstance(eval_set, tuple) else list(eval_set)
    if len(pairs) != 1 or len(pairs[0]) != 2:
        raise ValueError("eval_set takes one pair (X, y)")
    return pairs[0][0], pairs[0][1]


def _seed(random_state: Any) -> int:
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
