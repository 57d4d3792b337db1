#!/usr/bin/env python3
"""Writes the real tables of tests/tables/ as CSV, from what is inside the wheels of scikit-learn and vega_datasets.

    pip install scikit-learn vega_datasets
    scripts/make-tables.py tests/tables

Each table but the series has a column `split` with `train` or `test`: 80 to 20 by scikit-learn's train_test_split with
random_state=0, stratified by class where the target is one. Numbers are in the shortest form that reads back as the same
double. Where the data comes from and what its licence is stands in tests/tables/SOURCES.md.
"""
import csv
import importlib.metadata
import pathlib
import sys

import numpy
from sklearn import datasets
from sklearn.model_selection import train_test_split

DIGITS = 1000  # of 1,797 rows, the first ones: all are 280 KB


def shortest(value):
    """A cell: text as it is, a number in its shortest exact form."""
    return str(value) if isinstance(value, str) else repr(float(value)).removesuffix(".0")


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([shortest(cell) for cell in row] for row in rows)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def snake(name):
    """`sepal length (cm)` as `sepal_length_cm`."""
    return name.replace("(", "").replace(")", "").replace(" ", "_")


def table(path, source, target, values, classes):
    """Writes features, target and split of a data set of scikit-learn."""
    rows = len(values)
    tested = train_test_split(numpy.arange(rows), test_size=0.2, random_state=0, stratify=values if classes else None)[1]
    split = numpy.full(rows, "train", dtype=object)
    split[tested] = "test"
    header = [*map(snake, source.feature_names), target, "split"]
    write(path, header, ([*xs, y, part] for xs, y, part in zip(source.data, values, split)))


def named(source):
    return [str(source.target_names[label]) for label in source.target]


def series(path):
    """Writes the daily weather of Seattle, with dates as ISO 8601 has them and without the synthesized type of weather."""
    package = importlib.metadata.distribution("vega_datasets")
    with open(package.locate_file("vega_datasets/_data/seattle-weather.csv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = ["precipitation", "temp_max", "temp_min", "wind"]
    days = [row["date"].replace("/", "-") for row in rows]
    gaps = numpy.diff(numpy.array(days, dtype="datetime64[D]")) != numpy.timedelta64(1, "D")
    if gaps.any() or any(row[column] == "" for row in rows for column in columns):
        sys.exit("the source has a gap, which the one of vega_datasets 0.9.0 has not")
    cells = ([day, *(float(row[column]) for column in columns)] for day, row in zip(days, rows))
    write(path, ["date", *columns], cells)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make-tables.py FOLDER")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in (("iris", "species"), ("wine", "cultivar"), ("breast_cancer", "diagnosis")):
        source = getattr(datasets, f"load_{name}")()
        table(folder / f"{name.replace('_', '-')}.csv", source, target, named(source), True)
    digits = datasets.load_digits()
    digits.data = digits.data[:DIGITS]
    table(folder / "digits.csv", digits, "digit", digits.target[:DIGITS], True)
    diabetes = datasets.load_diabetes(scaled=False)
    table(folder / "diabetes.csv", diabetes, "progression", diabetes.target, False)
    series(folder / "seattle-weather.csv")


if __name__ == "__main__":
    main()
