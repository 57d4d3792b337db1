"""scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from descent_nn import _fit
from descent_nn._base import DescentEstimator
from descent_nn._fit import Rows, Scaling
from descent_nn._tables import PREDICTION, PROBABILITY

# Losses of classes.
CLASS_LOSSES = ("cross_entropy", "nll", "focal")
# Losses of classes or labels, which values have not.
LABEL_LOSSES = {*CLASS_LOSSES, "bce_with_logits"}
# Losses whose targets are standardised, as the program does with the targets of tables.
SCALED_LOSSES = {"mse", "l1", "smooth_l1", "huber", "gaussian_nll"}


class DescentClassifier(ClassifierMixin, DescentEstimator):  # type: ignore[misc]
    """A classifier that descent trains.

    Parameters
    ----------
    config : dict, optional
        Sections of a descent config, such as ``{"model": {"hidden": [64]}}``.
    recipe : bool
        What the parameters leave out. True is the choice of ``descent init`` for the rows, with its embeddings, dropout
        and averaged weights; below 200 rows an MLP with two layers of 64 on standardised columns, in 64 bits and
        without rows held out. False is a plain MLP with the defaults of scikit-learn's ``MLPClassifier``: one hidden
        layer of 100, Adam with 0.001, batches of 200, 200 epochs, on standardised columns; it neither stops early nor
        decays weights, and missing cells need ``data__missing``.
    random_state : int or RandomState, optional
        Decides weights, order and dropout; left out, it is the config's ``seed``.
    device : str
        auto, cpu, cuda or cuda:N.
    threads : int, optional
        Number of CPU threads; the results do not depend on it.
    model__hidden, optimizer__lr, train__epochs, …
        Keys of a config with two underscores for the dot; also those that the signature does not name, such as
        ``optimizer__betas``.

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

    def _describe(self, fitted: dict[str, Any]) -> None:
        super()._describe(fitted)
        _fit.name_classes(fitted, self.classes_)

    def _names(self) -> dict[str, Any]:
        # JSON has no dates.
        classes = self.classes_.astype(str) if self.classes_.dtype.kind in "mM" else self.classes_
        return super()._names() | {"classes": classes.tolist()}

    def _check_loss(self, config: Mapping[str, Any]) -> None:
        name = config.get("loss", {}).get("name")
        if name is not None and name not in CLASS_LOSSES:
            raise ValueError(f"loss__name={name!r} is no loss of classes; choose {', '.join(CLASS_LOSSES)}")

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
        return replace(rows, y=numpy.searchsorted(self.classes_, y))

    def _partial_target(self, y: Any, config: Mapping[str, Any]) -> Any:
        # The rows of a pass need not have all classes: their probabilities have, one column each.
        return numpy.eye(len(self.classes_))[y] if config["loss"]["name"] == "cross_entropy" else y


class DescentRegressor(RegressorMixin, DescentEstimator):  # type: ignore[misc]
    """A regressor that descent trains, on one target or several.

    Parameters and attributes are those of ``DescentClassifier``, without ``classes_``. With the losses mse, l1,
    smooth_l1, huber and gaussian_nll it trains on standardised targets and predicts in their units.
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

    def _check_loss(self, config: Mapping[str, Any]) -> None:
        name = config.get("loss", {}).get("name")
        if name in LABEL_LOSSES:
            raise ValueError(f"loss__name={name!r} is for classes; use DescentClassifier, or a loss of values such as mse")

    def _target_scaling(self, rows: Rows, config: Mapping[str, Any]) -> Scaling | None:
        return _fit.standard(rows.y, rows.weight) if config.get("loss", {}).get("name", "mse") in SCALED_LOSSES else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
