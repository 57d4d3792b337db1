#!/usr/bin/env python3
"""Writes the small tables that the tests read: bad ones, good ones that look odd, inputs of `predict`, and Parquet.

    pip install pyarrow
    scripts/make-odd-tables.py tests/tables     # beside the tables of make-tables.py

What each is for, and what is expected of it, stands in tests/tables/README.md.
"""
import csv
import datetime
import decimal
import pathlib
import sys

import pyarrow
import pyarrow.parquet

COLOURS, CLASSES = ("red", "green", "blue"), ("no", "yes")
ROWS = 24
HEADER = ("x", "colour", "class")


def rows(count=ROWS):
    """`x` counts up in quarters, colours and classes take turns."""
    return [[f"{i / 4:g}", COLOURS[i % 3], CLASSES[i % 2]] for i in range(count)]


def text(header=HEADER, body=None, delimiter=",", end="\n"):
    """A table in which nothing needs a quote."""
    lines = [header, *(rows() if body is None else body)]
    return "".join(delimiter.join(line) + end for line in lines)


def changed(cells, count=ROWS):
    """The rows, with {(line, column): cell}; line 1 is the header."""
    body = rows(count)
    for (line, column), cell in cells.items():
        body[line - 2][HEADER.index(column)] = cell
    return body


def bad():
    """Each bad table and its bytes."""
    words = dict.fromkeys(((line, "x") for line in range(3, 31, 4)), "n.d.")
    infinite = {(4, "x"): "inf", (9, "x"): "-Infinity", (14, "x"): "1e999"}
    ragged = rows()
    shorter, longer = [*ragged[:4], ragged[4][:2], *ragged[5:]], [*ragged[:4], [*ragged[4], "7"], *ragged[5:]]
    codes = {(6, "x"): "\x1b[2J\x1b[31mn.d."}
    split = [[*row, "test" if i % 4 == 0 else "train"] for i, row in enumerate(rows())]
    split[4][3] = "tset"
    return {
        "empty.csv": "",
        "only-bom.csv": "\ufeff",
        "only-newlines.csv": "\n\n\n",
        "header-only.csv": text(body=[]),
        "ragged-short.csv": text(body=shorter),
        "ragged-long.csv": text(body=longer),
        "duplicate-headers.csv": text(header=("x", "x", "class")),
        "nul-byte.csv": text(body=changed({(3, "colour"): "gr\0een"})),
        "nul-header.csv": text(header=("x", "col\0our", "class")),
        "latin1.csv": text(body=changed({(4, "colour"): "grün"})).encode("latin-1"),
        "latin1-header.csv": text(header=("größe", "colour", "class")).encode("latin-1"),
        "utf16.csv": text().encode("utf-16"),
        "one-class.csv": text(body=[[x, colour, "yes"] for x, colour, _ in rows()]),
        "target-missing.csv": text(header=("x", "colour", "klass")),
        "missing-target-cell.csv": text(body=changed({(7, "class"): ""})),
        "missing-cells.csv": text(body=changed({(4, "x"): "", (9, "x"): "NA", (12, "colour"): ""})),
        "text-in-numbers.csv": text(body=changed(words, 60)),
        "infinite.csv": text(body=changed(infinite)),
        "unclosed-quote.csv": text(body=changed({(5, "colour"): '"blue'})),
        "escapes.csv": text(header=("x", "\x1b]0;title\x07col\x1b[1mour", "class"), body=changed(codes)),
        "split-unknown.csv": text(header=(*HEADER, "split"), body=split),
        "series-short.csv": text(header=("date", "y"), body=[[f"2024-01-0{day}", str(day)] for day in range(1, 6)]),
    }


def good():
    """Each good table and its bytes."""
    quoted = "".join(f'"{x}";"{colour},\r\nor ""so""";{label}\r\n' for x, colour, label in rows())
    unicode = [[x, {"red": "červená", "green": "綠", "blue": "🟦"}[colour], label] for x, colour, label in rows()]
    labels = {"no": "\x1b[2J\x1b]0;title\x07no", "yes": "<b>yes</b>&\u202e"}
    codes = [[x, f"{colour}\x1b[31m", labels[label]] for x, colour, label in rows()]
    return {
        "excel.csv": "\ufeffx;colour;class\r\n" + quoted,
        "tabs.csv": text(delimiter="\t"),
        "no-last-newline.csv": text().rstrip("\n"),
        "pandas-index.csv": text(header=("", *HEADER), body=[[str(i), *row] for i, row in enumerate(rows())]),
        "unicode.csv": text(header=("größe ↔ 高さ", "цвет", "class"), body=unicode),
        "escapes.csv": text(header=("x\x1b[1m", "<script>alert(1)</script>", "cl\x9bass\x07"), body=codes),
    }


def predict():
    """A table to train on, and inputs for the run, each with what it answers."""
    few = rows(6)
    return {
        "train.csv": text(),
        "same.csv": text(body=few),
        "no-target.csv": text(header=HEADER[:2], body=[row[:2] for row in few]),
        "reordered.csv": text(header=("class", "colour", "x"), body=[row[::-1] for row in few]),
        "extra.csv": text(header=("id", *HEADER, "note"), body=[[f"a{i}", *row, "none"] for i, row in enumerate(few)]),
        "missing-column.csv": text(header=("x", "class"), body=[[x, label] for x, _, label in few]),
        "unseen-category.csv": text(body=changed({(4, "colour"): "violet\x1b[31m"}, 6)),
        "unseen-class.csv": text(body=changed({(4, "class"): "maybe"}, 6)),
        "missing-cell.csv": text(body=changed({(4, "x"): ""}, 6)),
        "text-in-number.csv": text(body=changed({(4, "x"): "tall"}, 6)),
        "header-only.csv": text(body=[]),
    }


def typed():
    """A column of each type that a table can have, with an eighth of its values missing, and a class."""
    start = datetime.datetime(2024, 2, 28, 12, 30)
    utc = start.replace(tzinfo=datetime.timezone.utc)
    types = {
        "int8": (pyarrow.int8(), lambda i: i - 12),
        "int16": (pyarrow.int16(), lambda i: -1000 * i),
        "int32": (pyarrow.int32(), lambda i: i * i),
        "int64": (pyarrow.int64(), lambda i: i - 2**40),
        "uint8": (pyarrow.uint8(), lambda i: 232 + i),
        "uint32": (pyarrow.uint32(), lambda i: 2**32 - 1 - i),
        "uint64": (pyarrow.uint64(), lambda i: 2**63 + 2048 * i),
        "float16": (pyarrow.float16(), lambda i: i / 8),
        "float32": (pyarrow.float32(), lambda i: i / 4 - 2),
        "float64": (pyarrow.float64(), lambda i: i / 10),
        "string": (pyarrow.string(), lambda i: COLOURS[i % 3]),
        "large_string": (pyarrow.large_string(), lambda i: "größe" if i % 2 else "高さ"),
        "bool": (pyarrow.bool_(), lambda i: i % 3 == 0),
        "date32": (pyarrow.date32(), lambda i: start.date() + datetime.timedelta(days=i)),
        "timestamp_ms": (pyarrow.timestamp("ms"), lambda i: start + datetime.timedelta(hours=i)),
        "timestamp_us": (pyarrow.timestamp("us"), lambda i: start + datetime.timedelta(minutes=i)),
        "timestamp_ns": (pyarrow.timestamp("ns"), lambda i: start - datetime.timedelta(days=365 * i)),
        "timestamp_utc": (pyarrow.timestamp("us", tz="UTC"), lambda i: utc + datetime.timedelta(days=i)),
        "decimal9": (pyarrow.decimal128(9, 2), lambda i: decimal.Decimal(i * 25 - 100).scaleb(-2)),
        "decimal18": (pyarrow.decimal128(18, 4), lambda i: decimal.Decimal(i * 10**10 + 1).scaleb(-4)),
        "decimal38": (pyarrow.decimal128(38, 10), lambda i: decimal.Decimal(i).scaleb(-1)),
    }
    columns = {}
    for place, (name, (kind, value)) in enumerate(types.items()):
        # Column by column another row is missing, so that no row is without a value.
        cells = [None if (i + place) % 8 == 7 else value(i) for i in range(ROWS)]
        columns[name] = pyarrow.array(cells, kind)
    columns["class"] = pyarrow.array([CLASSES[i % 2] for i in range(ROWS)])
    return pyarrow.table(columns)


def cell(value):
    """A value of Arrow as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)


def parquet(folder, tables):
    """The Parquet files; those of Iris have the rows of iris.csv."""
    with (tables / "iris.csv").open(newline="", encoding="utf-8") as file:
        iris = list(csv.DictReader(file))
    words = ("species", "split")
    columns = {name: [row[name] if name in words else float(row[name]) for row in iris] for name in iris[0]}
    iris = pyarrow.table(columns)
    nested = pyarrow.table({
        "x": pyarrow.array([i / 4 for i in range(ROWS)]),
        "tags": pyarrow.array([list(range(i % 3)) for i in range(ROWS)], pyarrow.list_(pyarrow.int32())),
        "place": pyarrow.array([{"lat": i, "lon": -i} for i in range(ROWS)]),
        "class": pyarrow.array([CLASSES[i % 2] for i in range(ROWS)]),
    })
    times = pyarrow.table({name: typed()[name] for name in ("timestamp_ns", "float64", "class")})
    coded = iris.set_column(4, "species", iris["species"].dictionary_encode())
    plain = {"use_dictionary": False, "compression": "none"}
    files = {
        "iris": (iris, {"compression": "snappy"}),
        "groups": (iris, {"row_group_size": 40, "data_page_version": "2.0"}),
        "dictionary": (coded, {"use_dictionary": True}),
        "plain": (iris, plain),
        "delta": (iris, {**plain, "column_encoding": {"species": "DELTA_BYTE_ARRAY", "split": "DELTA_LENGTH_BYTE_ARRAY",
                                                      "petal_width_cm": "BYTE_STREAM_SPLIT"}}),
        **{codec: (iris, {"compression": codec}) for codec in ("zstd", "gzip", "lz4", "brotli")},
        "types": (typed(), {}),
        "int96": (times, {"use_deprecated_int96_timestamps": True}),
        "nested": (nested, {}),
        "no-rows": (iris.slice(0, 0), {}),
    }
    for name, (table, options) in files.items():
        pyarrow.parquet.write_table(table, folder / f"{name}.parquet", **options)
    with (folder / "types.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(typed().column_names)
        writer.writerows([cell(value) for value in row.values()] for row in typed().to_pylist())


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make-odd-tables.py FOLDER")
    tables = pathlib.Path(sys.argv[1])
    for part, contents in (("bad", bad()), ("good", good()), ("predict", predict())):
        (tables / part).mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            content = content if isinstance(content, bytes) else content.encode("utf-8")
            (tables / part / name).write_bytes(content)
    (tables / "parquet").mkdir(exist_ok=True)
    parquet(tables / "parquet", tables)


if __name__ == "__main__":
    main()
