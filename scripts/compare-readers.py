#!/usr/bin/env python3
"""Seconds from start to the first update on tables, beside polars, pandas and pyarrow that only read them; and those of
`descent predict` from a CSV file to another, beside polars that reads the file and writes one of its columns.

    cargo build --release
    scripts/compare-readers.py target/release/descent            # files of about 400 MB in a temporary folder
    scripts/compare-readers.py target/release/descent --before old/descent --only numbers jsonl --size 0.1

Sets up the readers from PyPI in a virtual environment under ~/.cache/descent/peers at first. The programs run in turns,
round by round, each as a process of its own; the medians of the rounds are shown. A peer's time is that of its read call
alone, descent's the time from its start to the line of an epoch of one update: checkpoints, and the checksum of all rows that
is computed meanwhile, come later. Only ratios mean anything.
"""
import argparse
import gzip
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))
from environments import python

CONFIG = """seed = 1
[data]
name = "{name}"
path = "{path}"
target = "y"
{more}[model]
name = "mlp"
hidden = [16]
[loss]
name = "mse"
[optimizer]
name = "sgd"
lr = 0.001
[train]
batch_size = 64
max_steps = 1
checkpoint_every = "never"
"""

READ = {
    "polars": {
        "csv": "import polars; read = lambda path: polars.read_csv(path)",
        "jsonl": "import polars; read = lambda path: polars.read_ndjson(path)",
        "parquet": "import polars; read = lambda path: polars.read_parquet(path)",
    },
    "pandas": {
        "csv": "import pandas; read = lambda path: pandas.read_csv(path)",
        "jsonl": "import pandas; read = lambda path: pandas.read_json(path, lines=True)",
        "parquet": "import pandas; read = lambda path: pandas.read_parquet(path)",
    },
    "pyarrow": {
        "csv": "import pyarrow.csv; read = lambda path: pyarrow.csv.read_csv(path)",
        "jsonl": "import pyarrow.json; read = lambda path: pyarrow.json.read_json(path)",
        "parquet": "import pyarrow.parquet; read = lambda path: pyarrow.parquet.read_table(path)",
    },
}
# What a prediction costs without a network: reading the file, and writing a column of as many rows.
WRITE = "import polars; read = lambda path: polars.read_csv(path).select('y').write_csv(path + '.out')"
TIMED = "import sys, time\n{read}\nstart = time.perf_counter()\nread(sys.argv[1])\nprint(time.perf_counter() - start)"

COLOURS = ["red", "green", "blue", "black", "white", "grey"]


def numbers(rows, columns, random):
    """A header, and rows of doubles with all their digits."""
    yield [f"x{column}" for column in range(columns - 1)] + ["y"]
    for _ in range(rows):
        yield [repr(random.gauss(0, 1)) for _ in range(columns)]


def mixed(rows, random):
    """Numbers, whole numbers, categories, dates, truth values and missing cells."""
    yield ["a", "b", "count", "colour", "town", "day", "open", "gap", "y"]
    for _ in range(rows):
        yield [
            f"{random.gauss(0, 1):.6f}",
            f"{random.uniform(0, 1000):.2f}",
            str(random.randrange(100_000)),
            random.choice(COLOURS),
            f"town {random.randrange(500)}",
            f"20{random.randrange(10, 25)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
            random.choice(("yes", "no")),
            "" if random.random() < 0.1 else f"{random.random():.4f}",
            f"{random.gauss(0, 1):.4f}",
        ]


def write_csv(path, rows):
    with open(path, "w") as file:
        file.writelines(",".join(row) + "\n" for row in rows)


def write_jsonl(path, rows):
    header = next(rows)
    with open(path, "w") as file:
        for row in rows:
            file.write(json.dumps({name: float(cell) for name, cell in zip(header, row)}) + "\n")


def zipped(path, source):
    with open(source, "rb") as plain, gzip.open(path, "wb", 6) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)


def as_parquet(path, source, interpreter):
    read = "import pyarrow.csv, pyarrow.parquet, sys; pyarrow.parquet.write_table(pyarrow.csv.read_csv(sys.argv[1]), sys.argv[2])"
    subprocess.run([interpreter, "-c", read, source, path], check=True)


def files(folder, size, interpreter):
    """For each workload the kind of its file and what writes it; `size` 1 are about 400 MB."""
    rows = lambda count: max(int(count * size), 100)
    draw = random.Random(1)
    csv = folder / "numbers.csv"

    def write_numbers(path):
        write_csv(path, numbers(rows(1_000_000), 20, draw))

    def from_csv(write):
        def made(path):
            if not csv.exists():
                write_numbers(csv)
            write(path)

        return made

    return {
        "numbers": ("csv", csv.name, write_numbers),
        "mixed": ("csv", "mixed.csv", lambda path: write_csv(path, mixed(rows(3_000_000), draw))),
        "wide": ("csv", "wide.csv", lambda path: write_csv(path, numbers(rows(10_000), 2000, draw))),
        "gzip": ("csv", "numbers.csv.gz", from_csv(lambda path: zipped(path, csv))),
        "jsonl": ("jsonl", "numbers.jsonl", lambda path: write_jsonl(path, numbers(rows(400_000), 20, draw))),
        "parquet": ("parquet", "numbers.parquet", from_csv(lambda path: as_parquet(path, csv, interpreter))),
    }


class Run:
    """A finished process: its output, seconds and peak of memory in MB. The seconds end with the first line of its output that
    begins with `until`, where that is given."""

    def __init__(self, command, until=None):
        start = time.perf_counter()
        command = [str(part) for part in command]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines, self.seconds = [], None
        for line in process.stdout:
            lines.append(line)
            if until and self.seconds is None and line.startswith(until):
                self.seconds = time.perf_counter() - start
        _, status, usage = os.wait4(process.pid, 0)
        if not until:
            self.seconds = time.perf_counter() - start
        self.output = "".join(lines)
        self.memory = usage.ru_maxrss / 1024
        if status:
            sys.exit(f"{command[0]} failed:\n{self.output}")
        if self.seconds is None:
            sys.exit(f"{command[0]} printed no line that begins with {until!r}:\n{self.output}")


def first_update(descent, kind, path, folder):
    """A run of one update, until the line of its epoch is there; its peak of memory is descent's own."""
    more = 'missing = "mean"\n' if "mixed" in path.name else ""
    (folder / "config.toml").write_text(CONFIG.format(name=kind, path=path, more=more))
    out = folder / "run"
    done = Run([descent, "train", folder / "config.toml", "--out", out], until="epoch 1/1")
    shutil.rmtree(out)
    return done


def trained(descent, path, folder):
    """A run of one update on a table."""
    (folder / "config.toml").write_text(CONFIG.format(name="csv", path=path, more=""))
    run = folder / "predicting"
    shutil.rmtree(run, ignore_errors=True)
    Run([descent, "train", folder / "config.toml", "-q", "--out", run])
    return run


def predicted(descent, run, path, folder):
    """The prediction of a whole file."""
    return Run([descent, "predict", run, "--input", path, "--output", folder / "predictions.csv", "-q"])


def peer(interpreter, code, path):
    """A read by a peer: the seconds of the call alone, and the memory of the process."""
    done = Run([interpreter, "-c", TIMED.format(read=code), path])
    done.seconds = float(done.output.split()[-1])
    return done


def compare_predictions(binaries, workloads, rounds, folder, scratch, interpreter):
    """Prints a line for predictions of the table of numbers, with the ratio to polars."""
    path = folder / "numbers.csv"
    if not path.exists():
        workloads["numbers"][2](path)
    programs = {"polars": lambda: peer(interpreter, WRITE, str(path))}
    for name, binary in binaries.items():
        (scratch / name).mkdir(exist_ok=True)
        run = trained(binary, path, scratch / name)
        programs[name] = lambda binary=binary, run=run: predicted(binary, run, path, scratch)
    done = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            done[name].append(program())
    medians = {name: statistics.median(run.seconds for run in runs) for name, runs in done.items()}
    memory = {name: max(run.memory for run in runs) for name, runs in done.items()}
    cells = ", ".join(f"{name} {medians[name]:.2f} s ({memory[name]:,.0f} MB)" for name in programs)
    print(f"predict, CSV to CSV: {cells}; descent / polars {medians['descent'] / medians['polars']:.2f}")


def compare(programs, workloads, rounds, folder):
    """Prints a line a workload, with the ratio to polars."""
    print("| file | MB | " + " | ".join(f"{name}, s (MB)" for name in programs) + " | descent / polars |")
    print("| --- " * (len(programs) + 3) + "|")
    for name, (kind, file, write) in workloads.items():
        path = folder / file
        if not path.exists():
            write(path)
        with open(path, "rb") as file:  # into the system's cache; the memory of this process is a child's at first
            while file.read(1 << 20):
                pass
        done = {program: [] for program in programs}
        for _ in range(rounds):
            for program, run in programs.items():
                done[program].append(run(kind, path))
        medians = {program: statistics.median(run.seconds for run in runs) for program, runs in done.items()}
        memory = {program: max(run.memory for run in runs) for program, runs in done.items()}
        cells = " | ".join(f"{medians[program]:.2f} ({memory[program]:,.0f})" for program in programs)
        ratio = medians["descent"] / medians["polars"] if "polars" in medians else float("nan")
        print(f"| {name} | {path.stat().st_size / 1e6:,.0f} | {cells} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("descent", nargs="?", default="target/release/descent")
    parser.add_argument("--before", metavar="DESCENT", help="another build of descent, run in turns with the first")
    parser.add_argument("--only", nargs="*", default=[], help="these workloads, or predict")
    parser.add_argument("--peers", nargs="*", default=list(READ), choices=list(READ))
    parser.add_argument("--size", type=float, default=1.0, help="the files' size as a part of 400 MB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=pathlib.Path, help="where the files are kept, for a further run")
    arguments = parser.parse_args()
    interpreter = python("readers", ["polars", "pandas", "pyarrow"])
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        folder = arguments.folder or scratch
        folder.mkdir(parents=True, exist_ok=True)
        programs = {}
        for name, binary in (("descent", arguments.descent), ("descent, before", arguments.before)):
            if binary:
                programs[name] = lambda kind, path, binary=os.path.abspath(binary): first_update(binary, kind, path, scratch)
        for name in arguments.peers:
            programs[name] = lambda kind, path, name=name: peer(interpreter, READ[name][kind], path)
        chosen = files(folder, arguments.size, interpreter)
        chosen = {name: file for name, file in chosen.items() if not arguments.only or name in arguments.only}
        compare(programs, chosen, arguments.rounds, folder)
        if not arguments.only or "predict" in arguments.only:
            binaries = {"descent": arguments.descent, "descent, before": arguments.before}
            binaries = {name: os.path.abspath(binary) for name, binary in binaries.items() if binary}
            compare_predictions(binaries, files(folder, arguments.size, interpreter), arguments.rounds, folder, scratch, interpreter)
