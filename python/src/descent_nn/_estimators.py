"""scikit-learn estimators."""

from __future__ import annotations

import json
import numbers
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    check_random_state,
    column_or_1d,
    validate_data,
)

from descent_nn import _config, _fit, _program
from descent_nn._fit import Rows, Scaling
from descent_nn._recipe import recipe
from descent_nn._saved import SavedRun

PREDICTION = "prediction"
PROBABILITY = "probability_"
# Losses whose targets are standardised, as the program does with the targets of tables.
SCALED_LOSSES = {"mse", "l1", "smooth_l1", "huber"}
# A call of partial_fit makes one pass over its rows.
ONE_PASS = {"epochs": 1, "max_steps": 0, "early_stopping": None, "average": None}


class _DescentEstimator(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor have in common."""

    _classification: bool

    def __init__(
        self,
        *,
        config: Mapping[str, Any] | None = None,
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
        share = chosen.get("data", {}).get("validation")
        base = recipe(
            classification=self._classification, rows=len(rows), has_validation=held is not None, share=share
        )
        config = self._full_config(base)
        self.target_scaling_: Scaling | None = None if table else self._target_scaling(rows.y, config)
        self.input_scaling_: Scaling | None = None
        self._train(self._scaled(rows), None if held is None else self._scaled(held), config, [])
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the trained model as a run folder, which ``descent_nn.load`` and ``descent predict`` take."""
        check_is_fitted(self)
        self.run_.write(Path(path))

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
        keys = {name: value for name, value in self.get_params().items() if _is_key(name) and value is not None}
        config = _config.combined(_config.combined(base, self.config or {}), _config.nested(keys))
        if self.random_state is not None:
            config["seed"] = _seed(self.random_state)
        return config

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

    def _encoded(self, rows: Rows, *, learn: bool) -> Rows:
        return rows

    def _target_scaling(self, y: Any, config: Mapping[str, Any]) -> Scaling | None:
        return None

    def _scaled(self, rows: Rows) -> Rows:
        return rows if self.target_scaling_ is None else Rows(rows.x, self.target_scaling_.apply(rows.y))

    def _train(self, rows: Rows, held: Rows | None, config: dict[str, Any], more: list[str]) -> None:
        with tempfile.TemporaryDirectory(prefix="descent-fit-") as folder:
            file, run = Path(folder) / "config.toml", Path(folder) / "run"
            data = {**config.get("data", {}), **_fit.write(rows, held, Path(folder))}
            _config.write_toml({**config, "data": data}, file)
            command = ["-q", "train", str(file), "--out", str(run), *self._options(), *more]
            _program.train(command, None, made_here=file)
            self.run_ = SavedRun.read(run)
        log = [json.loads(line) for line in self.run_.files["metrics.jsonl"].splitlines()]
        self.history_ = [line for line in log if line["kind"] == "epoch"]
        self.n_iter_ = len(self.history_)

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
        base = recipe(classification=self._classification, rows=len(rows), has_validation=False)
        config = self._full_config(base)
        weights: list[str] = []
        if first:
            scaled = config["data"].get("normalize") not in (None, "none")
            self.input_scaling_ = _fit.standard(rows.x) if scaled else Scaling(0.0, 1.0)
            self.target_scaling_ = self._target_scaling(rows.y, config)
            self.passes_ = 0
        else:
            self.input_scaling_ = self.input_scaling_ or _fit.scaling_of(self.run_)
            weights = ["--init-from", str(self.run_.folder / "model.safetensors")]
        if self.input_scaling_ is None:
            raise ValueError("partial_fit goes on after a fit on numbers, not on a table with text; use fit")
        self.passes_ = getattr(self, "passes_", 0) + 1
        config = _config.combined(config, {"data": {"normalize": "none", "validation": None}, "train": ONE_PASS})
        config |= {"schedule": None, "seed": config["seed"] + self.passes_}
        rows = self._scaled(Rows(self.input_scaling_.apply(rows.x), rows.y))
        self._train(Rows(rows.x, self._partial_target(rows.y, config)), None, config, weights)

    def _partial_target(self, y: Any, config: Mapping[str, Any]) -> Any:
        return y


class DescentClassifier(ClassifierMixin, _DescentEstimator):  # type: ignore[misc]
    """A classifier that descent trains.

    Parameters
    ----------
    config : dict, optional
        Sections of a descent config, such as ``{"model": {"hidden": [64]}}``.
    random_state : int or RandomState, optional
        Decides weights, order and dropout; left out, it is the config's ``seed``.
    device : str
        auto, cpu, cuda or cuda:N.
    threads : int, optional
        Number of CPU threads; the results do not depend on it.
    model__hidden, optimizer__lr, train__epochs, …
        Keys of a config with two underscores for the dot; also those that the signature does not name, such as
        ``optimizer__betas``. What is left out has the estimators' recipe: standardised inputs, two hidden layers of
        256 and 128, AdamW, and from 1,000 rows on a tenth held out to stop early.

    Attributes
    ----------
    classes_ : array (C,)
        The classes, in the order of ``predict_proba``'s columns.
    history_ : list of dict
        The log, one entry per epoch.
    n_iter_ : int
        Number of epochs.
    run_ : SavedRun
        The trained model, which a pickle holds too.
    """

    _classification = True

    def predict(self, X: Any) -> Any:
        """Predicts the class of each row, ``(N,)``."""
        answers = self._answers(X)
        return self.classes_[answers[PREDICTION].astype(int)]

    def predict_proba(self, X: Any) -> Any:
        """Predicts the probability of each class, ``(N, C)`` in the order of ``classes_``."""
        answers = self._answers(X)
        names = [f"{PROBABILITY}{index}" for index in range(len(self.classes_))]
        probabilities = numpy.column_stack([answers[name] for name in names])
        # The program computes in 32 bits, where sums are 1 to 7 digits.
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Makes one pass over the rows, from the weights there are.

        The first call names all ``classes`` and fixes the scaling of the inputs by its rows. The optimizer's state
        starts anew in each call.
        """
        if classes is not None and not hasattr(self, "run_"):
            self.classes_ = numpy.unique(classes)
        elif not hasattr(self, "classes_"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        elif classes is not None and not numpy.array_equal(self.classes_, numpy.unique(classes)):
            raise ValueError(f"`classes={classes!r}` is not the same as on the first call: {self.classes_!r}")
        self._partial(X, y, sample_weight)
        return self

    def _encoded(self, rows: Rows, *, learn: bool) -> Rows:
        """The classes as their indices."""
        y = column_or_1d(rows.y)
        check_classification_targets(y)
        if learn:
            self.classes_ = numpy.unique(y)
            if len(self.classes_) < 2:
                raise ValueError(f"a classifier needs rows of at least two classes; y has one class: {self.classes_[0]}")
        unknown = numpy.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y has the class {unknown[0]}, which is none of {', '.join(map(str, self.classes_))}")
        return Rows(rows.x, numpy.searchsorted(self.classes_, y), rows.table)

    def _partial_target(self, y: Any, config: Mapping[str, Any]) -> Any:
        # The rows of a pass need not have all classes: their probabilities have, one column each.
        return numpy.eye(len(self.classes_))[y] if config["loss"]["name"] == "cross_entropy" else y


class DescentRegressor(RegressorMixin, _DescentEstimator):  # type: ignore[misc]
    """A regressor that descent trains, on one target or several.

    Parameters and attributes are those of ``DescentClassifier``, without ``classes_``. With the losses mse, l1,
    smooth_l1 and huber it trains on standardised targets and predicts in their units.
    """

    _classification = False

    def predict(self, X: Any) -> Any:
        """Predicts the value of each row, ``(N,)``; of several targets ``(N, K)``."""
        answers = self._answers(X)
        names = [name for name in answers if name == PREDICTION or name.startswith(f"{PREDICTION}_")]
        values = answers[names[0]] if len(names) == 1 else numpy.column_stack([answers[name] for name in names])
        return values if self.target_scaling_ is None else self.target_scaling_.undo(values)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Makes one pass over the rows, from the weights there are.

        The first call fixes the scaling of inputs and targets by its rows. The optimizer's state starts anew in each
        call.
        """
        self._partial(X, y, sample_weight)
        return self

    def _target_scaling(self, y: Any, config: Mapping[str, Any]) -> Scaling | None:
        return _fit.standard(y) if config["loss"]["name"] in SCALED_LOSSES else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _is_key(name: str) -> bool:
    section, separator, rest = name.partition(_config.SEPARATOR)
    return bool(section and separator and rest)


def _only_pair(eval_set: Any) -> tuple[Any, Any]:
    pairs = [eval_set] if isinstance(eval_set, tuple) else list(eval_set)
    if len(pairs) != 1 or len(pairs[0]) != 2:
        raise ValueError("eval_set takes one pair (X, y)")
    return pairs[0][0], pairs[0][1]


def _seed(random_state: Any) -> int:
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
