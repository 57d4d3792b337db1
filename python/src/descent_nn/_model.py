"""A trained model that predicts."""

from __future__ import annotations

import math
import os
import tempfile
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from descent_nn import _program, _tables
from descent_nn._error import Error
from descent_nn._matrix import matrix
from descent_nn._saved import NAMES, read_names
from descent_nn._tables import PREDICTION, PROBABILITY, have_classes

TRUE, FALSE = "true", "false"


def load(path: str | os.PathLike[str], *, device: str = "auto", threads: int | None = None) -> Model:
    """Opens the model of a run folder.

    ``device`` is auto, cpu, cuda or cuda:N; ``threads`` the number of CPU threads, on which the results do not depend.
    Raises ``Error`` if the folder holds no run.
    """
    return Model(path, device=device, threads=threads)


class Model:
    """The best weights of a run, with what was fitted on its training rows."""

    def __init__(self, path: str | os.PathLike[str], *, device: str = "auto", threads: int | None = None) -> None:
        self._given = os.fspath(path)
        self.path = Path(path).absolute()
        self._options = ["--device", device] + ([] if threads is None else ["--threads", str(threads)])
        if not (self.path / "config.toml").exists():
            raise Error(f"{self._given} holds no run: it has no config.toml", 2)

    def __repr__(self) -> str:
        return f"Model({self._given!r})"

    @cached_property
    def config(self) -> dict[str, Any]:
        """The run's resolved config."""
        return tomllib.loads((self.path / "config.toml").read_text(encoding="utf-8"))

    @cached_property
    def columns(self) -> list[str] | None:
        """Names of the input columns; None if the model was trained on arrays, unless an estimator has saved it."""
        recipe = self._fitted.get("recipe")
        if recipe is None:
            return self._array_names.get("columns")
        return [column["name"] for column in recipe["columns"] if column["kind"] != "ignore"]

    @cached_property
    def classes(self) -> list[Any] | None:
        """The classes in the order of ``predict_proba``'s columns, as the training table has them: text, numbers or
        truth values, for which the texts ``true`` and ``false`` are taken too. The cells of a CSV have no types: its
        classes are numbers if all of them look like numbers. None if the model predicts values, or was trained on
        arrays, where classes are their indices unless an estimator has saved it.
        """
        target = self._fitted.get("recipe", {}).get("target", {})
        names = target.get("classes")
        if names is None:
            return self._array_names.get("classes")
        if _are_truth_values(names):
            return [name == TRUE for name in names]
        if target.get("text"):
            return list(names)
        return _numbers(names, int) or _numbers(names, float) or list(names)

    @cached_property
    def _array_names(self) -> dict[str, Any]:
        """Names of columns and classes that an estimator has saved beside a run on arrays."""
        return read_names(self.path)

    @cached_property
    def _fitted(self) -> dict[str, Any]:
        how = tomllib.loads((self.path / "data.toml").read_text(encoding="utf-8")).get("how", {})
        return how if isinstance(how, dict) else {}

    def predict(self, data: Any) -> Any:
        """Predicts the class or the value of each row.

        ``data`` is a pandas or Polars DataFrame, an Arrow table, a NumPy array, a list of dicts, or the path of a file;
        the target column may be missing. Returns a pandas Series with the same index, a Polars Series, an Arrow
        ChunkedArray, a NumPy array ``(N,)`` or a list; of several targets a table, or ``(N, K)``. Of a time series the
        forecasts after its last row come last, so that there are more of them than rows, without the index.
        """
        kind, answers = self._ask(data)
        names = [name for name in _names(answers) if name == PREDICTION or name.startswith(PREDICTION + "_")]
        if len(names) > 1:
            return _select(answers, names, kind)
        convert = self._classes_as_given() if have_classes(_names(answers)) else None
        column = _only(answers, names[0], kind, convert)
        classes = self._classes_of_arrays(_names(answers))
        return column if classes is None else _by_index(column, classes, kind)

    def predict_proba(self, data: Any) -> Any:
        """Predicts the probability of each class: a table with one column per class, or a NumPy array ``(N, C)``.

        Raises ``Error`` if the model predicts values.
        """
        kind, answers = self._ask(data)
        names = [name for name in _names(answers) if name.startswith(PROBABILITY)]
        if not names and isinstance(answers, list) and not answers:
            return []
        if not names:
            raise Error(f"{self._given} predicts values, which have no probabilities; use predict", 2)
        probabilities = _select(answers, names, kind, prefix=PROBABILITY)
        classes = self._classes_of_arrays(names)
        return probabilities if classes is None else _renamed(probabilities, list(map(_tables.class_name, classes)), kind)

    def _classes_of_arrays(self, names: list[str]) -> list[Any] | None:
        """The classes that an estimator has saved, one for each probability among the columns."""
        classes: list[Any] | None = self._array_names.get("classes")
        count = sum(name.startswith(PROBABILITY) for name in names)
        if classes is not None and count not in {0, len(classes)}:
            raise Error(f"{self._given}/{NAMES} has {len(classes)} classes, and the model {count}; save it again", 2)
        return classes

    def _ask(self, data: Any) -> tuple[_tables.Kind, Any]:
        kind = _tables.kind_of(data)
        if kind == "rows" and not data:
            return kind, []
        with tempfile.TemporaryDirectory(prefix="descent-") as folder:
            question = self._write(data, kind, Path(folder) / "rows")
            answer = Path(folder) / f"answers{_tables.answer_format(kind)}"
            command = ["-q", "predict", str(self.path), "--input", str(question), "--output", str(answer)]
            _program.call([*command, *self._options])
            return kind, _tables.read_answers(answer, kind, data, names=self.config["data"]["name"] != "npz")

    def _write(self, data: Any, kind: _tables.Kind, stem: Path) -> Path:
        arrays = self.config["data"]["name"] == "npz"
        if arrays and kind != "file":
            return _tables.write_arrays({"x": matrix(data, kind, self.columns)}, stem.with_suffix(".npz"))
        if kind == "numpy":
            if self.columns is None:
                raise Error(f"{self._given} was not trained on a table or arrays; give the path of a file", 2)
            # With or without the columns that the model ignores.
            names = [column["name"] for column in self._fitted["recipe"]["columns"]]
            has_ignored = data.ndim == 2 and data.shape[1] == len(names)
            return _tables.with_names(data, names if has_ignored else self.columns, stem)
        return _tables.write(data, stem)

    def _classes_as_given(self) -> type | None:
        if self.config["data"]["name"] == "npz":
            return int
        return type(self.classes[0]) if self.classes and isinstance(self.classes[0], int | float) else None


def _names(answers: Any) -> list[str]:
    if isinstance(answers, list):
        return list(answers[0]) if answers else [PREDICTION]
    if isinstance(answers, dict):
        return list(answers)
    return list(getattr(answers, "column_names", answers.columns))


def _only(answers: Any, name: str, kind: _tables.Kind, convert: type | None) -> Any:
    """The one column of predictions, as numbers or truth values where the classes are."""
    if isinstance(answers, list):
        column = [row[name] for row in answers]
        if convert is None:
            return column
        return [str(label).lower() == TRUE if convert is bool else convert(label) for label in column]
    column = answers[name]
    if convert is bool:
        return _truth_values(column, kind)
    if kind == "arrow":
        return column if convert is None else column.cast("int64" if convert is int else "float64")
    if kind == "polars":
        import polars

        return column if convert is None else column.cast(polars.Int64 if convert is int else polars.Float64)
    return column if convert is None else column.astype("int64" if convert is int else "float64")


def _by_index(column: Any, classes: list[Any], kind: _tables.Kind) -> Any:
    """The classes of these indices, as the same kind of column."""
    if isinstance(column, list):
        return [classes[index] for index in column]
    import numpy

    named = numpy.array(classes)[numpy.asarray(column)]
    if kind == "arrow":
        import pyarrow

        return pyarrow.chunked_array([pyarrow.array(named)])
    if kind == "polars":
        import polars

        return polars.Series(column.name, named)
    return named if kind == "numpy" else type(column)(named, index=column.index, name=column.name)


def _renamed(table: Any, names: list[str], kind: _tables.Kind) -> Any:
    if isinstance(table, list):
        return [dict(zip(names, row.values(), strict=True)) for row in table]
    if kind == "numpy":
        return table
    if kind == "arrow":
        return table.rename_columns(names)
    if kind == "polars":
        return table.rename(dict(zip(table.columns, names, strict=True)))
    return table.set_axis(names, axis="columns")


def _truth_values(column: Any, kind: _tables.Kind) -> Any:
    if kind == "arrow":
        import pyarrow.compute

        return pyarrow.compute.equal(column, TRUE)
    return column == TRUE


def _are_truth_values(names: list[str]) -> bool:
    return sorted(names) == sorted([TRUE, FALSE])


def _select(answers: Any, names: list[str], kind: _tables.Kind, prefix: str = "") -> Any:
    short = [name.removeprefix(prefix) for name in names]
    if isinstance(answers, list):
        return [{s: row[name] for s, name in zip(short, names, strict=True)} for row in answers]
    if kind == "numpy":
        import numpy

        return numpy.column_stack([answers[name] for name in names])
    if kind == "arrow":
        return answers.select(names).rename_columns(short)
    chosen = answers[names]
    if kind == "polars":
        return chosen.rename(dict(zip(names, short, strict=True)))
    return chosen.set_axis(short, axis="columns")


def _numbers(names: list[str], kind: type[int] | type[float]) -> list[Any] | None:
    """The numbers that the names are, unless one of them is written otherwise than Python does (007, 1.50, inf)."""
    try:
        numbers = [kind(name) for name in names]
    except ValueError:
        return None
    is_plain = [str(number) for number in numbers] == names and all(map(math.isfinite, numbers))
    return numbers if is_plain else None
