"""Tables on their way to the program and back.

A table travels as Parquet and an array as `.npz`: columns keep their types and all their bits, and nothing is written
as text and parsed again. Lists of dicts travel as JSON lines. Where pandas is installed without pyarrow, CSV is left.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from descent_nn._error import Error

Kind = Literal["pandas", "polars", "arrow", "numpy", "rows", "file"]
# The types of missing cells besides None and NaN.
MISSING = {"NaTType", "NAType"}
# The columns of the program's answers: the prediction, and of each class its probability.
PREDICTION = "prediction"
PROBABILITY = "probability_"
FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".npz": "npz"}


def kind_of(data: Any) -> Kind:
    """Returns which library's table this is; importing none."""
    home = type(data).__module__.partition(".")[0]
    name = type(data).__name__
    if home == "pandas" and name == "DataFrame":
        return "pandas"
    if home == "polars" and name in {"DataFrame", "LazyFrame"}:
        return "polars"
    # A Series is an Arrow stream too, and no table.
    streams = hasattr(data, "__arrow_c_stream__") and home not in {"pandas", "polars"}
    if streams or (home == "pyarrow" and name == "RecordBatch"):
        return "arrow"
    if hasattr(data, "__array_interface__") and hasattr(data, "ndim"):
        return "numpy"
    if isinstance(data, str | os.PathLike):
        return "file"
    if isinstance(data, Sequence) and all(isinstance(row, dict) for row in data):
        return "rows"
    raise Error(
        f"cannot read rows from {type(data).__name__}; give a pandas or Polars DataFrame, an Arrow table, a NumPy array, "
        "a list of dicts, or the path of a file",
        2,
    )


def is_in_memory(data: Any) -> bool:
    """Whether this is a table, and neither a config nor a path."""
    return data is not None and not isinstance(data, Mapping | str | os.PathLike) and kind_of(data) != "numpy"


def require_empty(folder: Path) -> None:
    """Raises ``Error`` if there is something in the folder."""
    if folder.exists() and not folder.is_dir():
        raise Error(f"{folder} is a file and no folder; choose another name", 2)
    if folder.exists() and any(folder.iterdir()):
        raise Error(f"{folder}: this folder is not empty; choose another", 2)


def write_new(write: Callable[[Path], Path], stem: Path) -> Path:
    """Calls ``write`` with a stem in a folder beside ``stem``, and moves the file that it returns here.

    Nothing is left behind where writing fails, and no file is written over, also if another process writes one now.
    """
    folder = Path(tempfile.mkdtemp(prefix=".descent-", dir=stem.parent))
    try:
        made = write(folder / stem.name)
        path = stem.with_name(made.name)
        try:
            os.link(made, path)
        except FileExistsError:
            raise Error(f"{path} exists: it has the rows of another run; remove it or choose another `out`", 2) from None
        except OSError:
            # A file system without hard links.
            os.replace(made, path)
        return path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write(data: Any, stem: Path) -> Path:
    """Writes a table for the program; returns the file, whose name is ``stem`` and the format's extension."""
    match kind_of(data):
        case "file":
            return Path(data)
        case "rows":
            return _write_rows(data, stem.with_name(f"{stem.name}.jsonl"))
        case "pandas":
            return _write_pandas(data, stem)
        case "polars":
            return _write_polars(data, stem.with_name(f"{stem.name}.parquet"))
        case "arrow":
            return _write_arrow(data, stem.with_name(f"{stem.name}.parquet"))
        case "numpy":
            raise Error("an array has no column names; train on arrays with a dict of x_train, y_train, …", 2)


def write_arrays(arrays: dict[str, Any], path: Path) -> Path:
    """Writes arrays as the program's ``.npz``: x_train, y_train and so on, or x alone for predictions."""
    import numpy

    with path.open("wb") as file:
        numpy.savez(file, **{name: numpy.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    return path


def with_names(array: Any, names: Sequence[str], stem: Path) -> Path:
    """Writes the columns of an ``(N, F)`` array as a table with the given names."""
    if array.ndim != 2 or array.shape[1] != len(names):
        raise Error(f"the model has {len(names)} columns ({', '.join(names[:5])}…); the array's shape is {array.shape}", 2)
    columns = {name: array[:, index] for index, name in enumerate(names)}
    if find_spec("pyarrow"):
        import pyarrow

        return _write_arrow(pyarrow.table(columns), stem.with_name(f"{stem.name}.parquet"))
    if find_spec("polars"):
        import polars

        return _write_polars(polars.DataFrame(columns), stem.with_name(f"{stem.name}.parquet"))
    path = stem.with_name(f"{stem.name}.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(array.tolist())
    return path


def answer_format(kind: Kind) -> str:
    """Returns the extension of the file in which the program shall answer."""
    if kind in {"polars", "arrow"} or (kind in {"pandas", "file"} and find_spec("pandas") and find_spec("pyarrow")):
        return ".parquet"
    return ".jsonl" if kind in {"rows", "file"} else ".csv"


def class_name(label: Any) -> str:
    """Returns a class as the program names it: truth values, NumPy's too, are ``true`` and ``false``."""
    return str(label).lower() if type(label).__name__ in {"bool", "bool_"} else str(label)


def have_classes(names: Iterable[str]) -> bool:
    """Whether answers with these columns are classes, which have probabilities."""
    return any(name.startswith(PROBABILITY) for name in names)


def read_answers(path: Path, kind: Kind, given: Any, *, names: bool = True) -> Any:
    """Reads the program's answers as the kind of table that the question was.

    ``names`` says that classes have names, which are text whatever they look like.
    """
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    match kind:
        case "polars":
            import polars

            return polars.read_parquet(path)
        case "arrow":
            return _read_arrow(path)
        case "numpy":
            return _read_columns(path, names)
    import pandas

    if path.suffix == ".csv":
        classes = have_classes(pandas.read_csv(path, nrows=0).columns)
        kinds = {PREDICTION: str} if classes else None
        # The names of classes may be NA.
        frame = pandas.read_csv(path, keep_default_na=not classes, dtype=kinds)
    else:
        frame = pandas.read_parquet(path)
    if kind == "pandas" and len(frame) == len(given):
        frame.index = given.index
    return frame


def _write_rows(rows: Sequence[dict[str, Any]], path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            plain = {name: _cell(thing) for name, thing in row.items()}
            file.write(json.dumps(plain, ensure_ascii=False, default=_plain) + "\n")
    return path


def _cell(thing: Any) -> Any:
    """A value as JSON has it: missing ones (NaN, NaT, NA) are null."""
    if type(thing).__name__ in MISSING:
        return None
    if hasattr(thing, "dtype"):
        thing = _plain(thing)
        if thing == "NaT":
            return None
    return None if isinstance(thing, float) and thing != thing else thing


def _plain(thing: Any) -> Any:
    """NumPy's numbers as Python's, everything else (dates, decimals) as its text."""
    dates = getattr(getattr(thing, "dtype", None), "kind", "") in "mM"
    return thing.item() if hasattr(thing, "item") and not dates else str(thing)


def _write_pandas(frame: Any, stem: Path) -> Path:
    frame = frame.rename(columns=str)
    if not find_spec("pyarrow"):
        path = stem.with_name(f"{stem.name}.csv")
        frame.to_csv(path, index=False)
        return path
    path = stem.with_name(f"{stem.name}.parquet")
    try:
        frame.to_parquet(path, index=False, engine="pyarrow", compression=None)
    except (TypeError, ValueError) as problem:
        raise Error(f"the DataFrame cannot be written as Parquet: {problem}", 2) from problem
    return path


def _write_polars(frame: Any, path: Path) -> Path:
    if hasattr(frame, "collect"):
        frame = frame.collect()
    frame.write_parquet(path, compression="uncompressed")
    return path


def _write_arrow(data: Any, path: Path) -> Path:
    if not find_spec("pyarrow"):
        import polars

        return _write_polars(polars.DataFrame(data), path)
    import pyarrow
    from pyarrow import parquet

    if isinstance(data, pyarrow.RecordBatch):
        data = pyarrow.Table.from_batches([data])
    table = data if isinstance(data, pyarrow.Table) else pyarrow.table(data)
    parquet.write_table(table, path, compression="none")
    return path


def _read_arrow(path: Path) -> Any:
    if find_spec("pyarrow"):
        from pyarrow import parquet

        return parquet.read_table(path)
    import polars

    return polars.read_parquet(path).to_arrow()


def _read_columns(path: Path, has_names: bool) -> dict[str, Any]:
    """Reads a CSV of predictions as arrays by column name."""
    import numpy

    with path.open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
        # Classes have probabilities; their names stay text, also those that look like numbers.
        text = {PREDICTION} if has_names and have_classes(names) else set()
        if not text:
            try:
                numbers = numpy.loadtxt(file, delimiter=",", ndmin=2, dtype=numpy.float64, comments=None)
            except ValueError:
                pass
            else:
                numbers = numbers.reshape(-1, len(names))
                return {name: numbers[:, index] for index, name in enumerate(names)}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return {
        name: numpy.array(cells, dtype=str) if name in text else _column(cells)
        for name, cells in zip(names, columns, strict=True)
    }


def _column(cells: Sequence[str]) -> Any:
    import numpy

    try:
        return numpy.array(cells, dtype=numpy.float64)
    except ValueError:
        return numpy.array(cells, dtype=str)
