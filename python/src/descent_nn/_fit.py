"""Rows of a fit: their weights, their scaling, and their way to the program."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy
from sklearn.utils.validation import _check_sample_weight

from descent_nn import _program, _tables
from descent_nn._saved import SavedRun

# As many rows are predicted at least, together.
BLOCK = 16


class Scaling(NamedTuple):
    """(x - offset) / spread."""

    offset: Any
    spread: Any

    def apply(self, x: Any) -> Any:
        return (numpy.asarray(x, dtype=numpy.float64) - self.offset) / self.spread

    def undo(self, x: Any) -> Any:
        return x * self.spread + self.offset


@dataclass
class Rows:
    """Inputs and targets; ``table`` says that the inputs are a DataFrame with columns of any kind."""

    x: Any
    y: Any
    table: bool = False
    weight: Any = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, mask: Any) -> Rows:
        x = self.x.iloc[mask] if hasattr(self.x, "iloc") else self.x.filter(mask) if self.table else self.x[mask]
        return Rows(x, self.y[mask], self.table)


def is_table(X: Any, config: Mapping[str, Any]) -> bool:
    """Whether the columns go to the program as they are: some are no numbers, or it shall fill missing cells."""
    if isinstance(X, numpy.ndarray | Sequence) or not hasattr(X, "columns"):
        return False
    if config.get("data", {}).get("missing") is not None or hasattr(X, "column_names"):
        return True
    return not all(_is_number(kind) for kind in X.dtypes)


def _is_number(kind: Any) -> bool:
    if hasattr(kind, "is_numeric"):
        return bool(kind.is_numeric()) or str(kind) == "Boolean"
    return getattr(kind, "kind", "O") in "biuf" or (getattr(kind, "_is_numeric", False) and kind.kind != "O")


def standard(x: Any, weight: Any = None) -> Scaling:
    """Mean and standard deviation of each column; constant columns keep their spread of 1."""
    mean = numpy.average(numpy.asarray(x, dtype=numpy.float64), axis=0, weights=weight)
    spread = numpy.sqrt(numpy.average((x - mean) ** 2, axis=0, weights=weight))
    return Scaling(mean, numpy.where(spread > 0, spread, 1.0))


def scaling_of(run: SavedRun) -> Scaling | None:
    """Returns the scaling of the inputs that a run has fitted on its rows; None for a table."""
    how = run.fitted.get("how", {})
    if how.get("source") != "arrays":
        return None
    transform = how.get("transform", {})
    offset, spread = (numpy.asarray(transform.get(key, plain)) for key, plain in (("offset", 0.0), ("spread", 1.0)))
    # (x - offset) / spread · scale + shift
    scale, shift = transform.get("scale", 1.0), transform.get("shift", 0.0)
    return Scaling(offset - shift * spread / scale, spread / scale)


def is_affine(run: SavedRun) -> bool:
    """Whether the inputs of a run on arrays are scaled by an offset and a spread alone."""
    transform = run.fitted["how"].get("transform", {})
    return not transform.get("smooth_clip") and not transform.get("quantiles")


def add_scalings(fitted: dict[str, Any], inputs: Scaling | None, targets: Scaling | None) -> None:
    """Adds scalings that were made here to what a run on arrays has fitted, so that the program applies them."""
    if inputs is not None:
        scaling = zip(("offset", "spread"), inputs, strict=True)
        fitted["how"]["transform"] |= {key: numpy.atleast_1d(numbers).tolist() for key, numbers in scaling}
    if targets is not None:
        scaling = zip(("mean", "std"), targets, strict=True)
        fitted["how"]["target"] = {key: numpy.atleast_1d(numbers).tolist() for key, numbers in scaling}


def name_classes(fitted: dict[str, Any], classes: Any) -> None:
    """Names the classes of a run on a table, where they are their indices. A run on arrays has no names of classes."""
    target = fitted["how"].get("recipe", {}).get("target", {})
    if "classes" in target:
        names = [classes[int(index)] for index in target["classes"]]
        target["classes"] = [_tables.class_name(name) for name in names]
        target["text"] = all(isinstance(name, str) for name in names)


def weighted(rows: Rows, weight: Any) -> Rows:
    """Returns the rows with their weights; rows of weight 0 are left out.

    Raises:
        ValueError: If the weights are negative or not finite, or all 0.
    """
    if weight is None:
        return rows
    like = numpy.empty((len(rows), 1)) if rows.table else rows.x
    weight = _check_sample_weight(weight, like, dtype=numpy.float64, ensure_non_negative=True)
    if not weight.any():
        raise ValueError("sample_weight: all weights are 0, no row counts")
    rows = rows if weight.all() else rows.take(weight > 0)
    weight = weight[weight > 0]
    # Equal weights are none, whatever their size.
    return rows if numpy.ptp(weight) == 0 else replace(rows, weight=weight)


def write(rows: Rows, held: Rows | None, folder: Path) -> dict[str, Any]:
    """Writes the rows; returns the keys of `[data]` that name them."""
    if not rows.table:
        arrays = {"x_train": rows.x, "y_train": rows.y}
        if rows.weight is not None:
            arrays["w_train"] = rows.weight
        if held is not None:
            arrays |= {"x_val": held.x, "y_val": held.y}
        return {"name": "npz", "path": str(_tables.write_arrays(arrays, folder / "rows.npz"))}
    names = list(getattr(rows.x, "column_names", rows.x.columns))
    several = [f"target_{index + 1}" for index in range(rows.y.shape[1])] if rows.y.ndim > 1 else ["target"]
    targets = [_free_name(name, names) for name in several]
    split, weight = (_free_name(name, names) for name in ("split", "weight"))
    named: dict[str, Any] = {"target": targets[0] if len(targets) == 1 else targets}
    if held is not None:
        named["split_column"] = split
    if rows.weight is not None:
        named["weight"] = weight
    parts = [(rows, "train")] + ([] if held is None else [(held, "validation")])
    frames = []
    for part, role in parts:
        columns = dict(zip(targets, numpy.atleast_2d(part.y.T), strict=True)) | {split: role, weight: _ones(part)}
        used = [*targets, *(name for key, name in named.items() if key != "target")]
        frames.append(_with_columns(part.x, {name: columns[name] for name in used}))
    path = _tables.write(_stacked(frames), folder / "rows")
    return {"name": _tables.FORMATS[path.suffix], "path": str(path), **named}


def _ones(rows: Rows) -> Any:
    return numpy.ones(len(rows)) if rows.weight is None else rows.weight


def _free_name(name: str, taken: Sequence[Any]) -> str:
    while name in taken:
        name += "_"
    return name


def _with_columns(frame: Any, columns: Mapping[str, Any]) -> Any:
    match _tables.kind_of(frame):
        case "pandas":
            return frame.assign(**columns)
        case "polars":
            import polars

            return frame.with_columns(
                **{k: polars.lit(v) if isinstance(v, str) else polars.Series(v) for k, v in columns.items()}
            )
    import pyarrow

    for name, values in columns.items():
        column = pyarrow.array([values] * frame.num_rows if isinstance(values, str) else values)
        frame = frame.append_column(name, column)
    return frame


def _stacked(frames: Sequence[Any]) -> Any:
    if len(frames) == 1:
        return frames[0]
    match _tables.kind_of(frames[0]):
        case "pandas":
            import pandas

            return pandas.concat(frames, ignore_index=True)
        case "polars":
            import polars

            return polars.concat(frames)
    import pyarrow

    return pyarrow.concat_tables(frames)


def ask(run: SavedRun, X: Any, *, table: bool, options: Sequence[str]) -> dict[str, Any]:
    """Returns the program's predictions for the rows of ``X`` as arrays by column name."""
    with tempfile.TemporaryDirectory(prefix="descent-predict-") as folder:
        stem = Path(folder) / "rows"
        if table:
            question = _tables.write(X, stem)
        else:
            question = _tables.write_arrays({"x": _block(X)}, stem.with_suffix(".npz"))
        answer = Path(folder) / "answers.csv"
        _program.call(["-q", "predict", str(run.folder), "--input", str(question), "--output", str(answer), *options])
        # Classes are their indices here.
        columns = _tables.read_answers(answer, "numpy", None, names=False)
    return {name: column[: len(X)] for name, column in columns.items()}


def _block(x: Any) -> Any:
    """Repeats the last of a few rows: products of a few rows are rounded otherwise than those of many, and a row shall
    have the same prediction alone and among others.
    """
    return x if len(x) >= BLOCK else numpy.concatenate([x, numpy.repeat(x[-1:], BLOCK - len(x), axis=0)])
