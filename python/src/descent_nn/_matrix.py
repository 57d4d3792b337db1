"""The numbers of a table as one array."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from descent_nn import _tables
from descent_nn._error import Error


def matrix(data: Any, kind: _tables.Kind, columns: Sequence[str] | None) -> Any:
    """Returns the columns of these names, or all in their order, as an array ``(N, F)``; missing cells are NaN.

    Raises ``Error`` if a column is absent, occurs twice, or has something that is no number.
    """
    import numpy

    if kind == "numpy":
        return data
    if kind == "rows":
        names = list(columns or data[0])
        cells = [[_cell(row, name, names, exactly=columns is None) for row in data] for name in names]
    else:
        if hasattr(data, "collect"):
            data = data.collect()
        if kind == "arrow":
            import pyarrow

            data = data if isinstance(data, pyarrow.Table) else pyarrow.table(data)
        given = [str(name) for name in (data.column_names if kind == "arrow" else data.columns)]
        names = list(columns or given)
        places = [_place(name, given) for name in names] if columns is not None else range(len(given))
        cells = [data.iloc[:, place] if kind == "pandas" else _column(data, place, kind) for place in places]
    return numpy.column_stack([_numbers(column, name) for column, name in zip(cells, names, strict=True)])


def _column(data: Any, place: int, kind: _tables.Kind) -> Any:
    return data.column(place) if kind == "arrow" else data.to_series(place)


def _place(name: str, given: Sequence[str]) -> int:
    count = given.count(name)
    if count == 0:
        raise Error(f"there is no column {name!r}; there are {', '.join(map(repr, given[:10]))}", 2)
    if count > 1:
        raise Error(f"there are {count} columns {name!r}; give one", 2)
    return given.index(name)


def _cell(row: dict[str, Any], name: str, names: Sequence[str], *, exactly: bool) -> Any:
    if name not in row or (exactly and len(row) != len(names)):
        raise Error(f"the rows have other keys: {', '.join(map(str, row))} and {', '.join(map(str, names))}", 2)
    return row[name]


def _numbers(column: Any, name: str) -> Any:
    import numpy

    cells = numpy.asarray(column)
    if cells.dtype.kind in "biuf":
        return cells.astype(numpy.float64)
    if cells.dtype.kind == "O":
        return numpy.array([_number(cell, name) for cell in cells.tolist()], dtype=numpy.float64)
    raise Error(f"column {name!r} has {cells.dtype}, and the model takes numbers", 2)


def _number(cell: Any, name: str) -> float:
    if cell is None or type(cell).__name__ in _tables.MISSING:
        return float("nan")
    if isinstance(cell, bool | int | float | Decimal):
        return float(cell)
    raise Error(f"column {name!r} has {cell!r}, and the model takes numbers", 2)
