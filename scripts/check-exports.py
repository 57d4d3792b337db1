#!/usr/bin/env python3
"""Exports runs and compares the answers of other tools with those of `descent predict`.

usage: check-exports.py PROGRAM [FILTER]      (python3 with onnx, onnxruntime, numpy, pandas, pyyaml and safetensors, and a C
compiler `cc`; torch and Node with onnxruntime-web are used if they are there)

Trains every config of configs/ for a few updates (MNIST by its embedded sample), the tables of tests/tables, and runs of
each kind that an exporter tells apart. Each is exported in all ways:

onnx   checked (onnx.checker, full) and run on the rows of its file, on one row, on 1,000 rows, and on the test batch
torch  checks itself, predicts the rows, and trains on
c      compiled with every warning, checks itself, and predicts the rows; with --int8 it checks itself
hub    the YAML is parsed, the ONNX file predicts the rows, the blocks of code run

Outputs must be those of `descent predict` to 1e-5, relative to the largest of a column; labels must be equal.
"""

import concurrent.futures

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import onnx
import onnxruntime
import pandas as pd

from export_checks import c_source, hub, panel, readme, web

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOLERANCE = 1e-5
SEPARATORS = {"tabs.csv": "\t", "excel.csv": ";"}
SHORT = ["train.max_steps=60", "train.tensorboard=false"]


class Failure(Exception):
    """What an export does that it should not."""


def descent(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"descent {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def train(folder, config, settings=(), bag=0):
    """A run, or the average of a bag of so many."""
    run = folder / "run"
    pairs = [part for setting in [*SHORT, *settings] for part in ("--set", setting)]
    descent("train", config, "-q", "--out", run, *pairs, *(["--bag", bag] if bag else []))
    return run


def predictions(run, rows, folder):
    """The columns of `descent predict`."""
    output = folder / "predictions.csv"
    descent("predict", run, "--input", rows, "--output", output)
    return pd.read_csv(output, dtype=str, keep_default_na=False)


def differs(ours, theirs, column=None):
    """The largest difference, relative to the largest number of a column: of `column` where `theirs` are some of its rows."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        raise Failure(f"shapes differ: {ours.shape} and {theirs.shape}")
    column = theirs if column is None else np.asarray(column, np.float64)
    largest = np.abs(column).max(axis=0, keepdims=True) if column.size else np.ones(1)
    return float((np.abs(ours - theirs) / np.maximum(largest, 1e-30)).max(initial=0.0))


def compare(outputs, expected, place, every=None):
    """`expected` is the table of `descent predict`, its empty rows left out; some rows of `every`, where that is given."""
    columns = list(expected.columns)
    every = expected if every is None else every
    if "prediction" in outputs:
        parts = [outputs["prediction"]] + ([outputs["std"]] if "std" in outputs else [])
        worst = differs(np.concatenate(parts, axis=1), expected.to_numpy(np.float64), every.to_numpy(np.float64))
    else:
        label = outputs["label"]
        if label.ndim == 1:
            labels, shares = ["prediction"], columns[1:]
        else:
            labels, shares = columns[0::2], columns[1::2]
        wanted = expected[labels]
        probabilities = expected[shares].to_numpy(np.float64)
        worst = differs(outputs["probabilities"], probabilities, every[shares].to_numpy(np.float64))
        ours = label.reshape(len(label), -1).astype(str)
        # Equal probabilities to the last bit may fall on either side.
        unlike = (ours != wanted.to_numpy(str)).sum()
        if unlike:
            raise Failure(f"{place}: {unlike} labels differ: {ours[:3]} and {wanted.to_numpy(str)[:3]}")
    if not worst <= TOLERANCE:
        raise Failure(f"{place}: outputs differ by {worst:.2e}")
    return worst


def days(text, form):
    """Dates as the export reads them: days since 1970-01-01 UTC."""
    order = {"dd.mm.yyyy": "%d.%m.%Y", "dd/mm/yyyy": "%d/%m/%Y", "mm/dd/yyyy": "%m/%d/%Y", "dd-mm-yyyy": "%d-%m-%Y"}
    how = {"format": order[form]} if form in order else {"format": "ISO8601"}
    times = pd.to_datetime(pd.Series(text).replace("", None), utc=True, **how)
    return ((times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)).to_numpy(np.float64)


def cells(table, column):
    """The cells of a column as its input takes them."""
    text = table[column["name"]]
    if column["kind"] in ("category", "boolean"):
        return text.to_numpy(object)
    if column["kind"] == "date":
        return days(text, column["form"])
    return text.replace("", "nan").to_numpy(np.float64)


class Onnx:
    """An exported file in ONNX Runtime."""

    def __init__(self, path):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        if model.ir_version != 8 or {(o.domain, o.version) for o in model.opset_import} != {("", 17), ("ai.onnx.ml", 3)}:
            raise Failure("the versions are not IR 8, opset 17, ai.onnx.ml 3")
        self.metadata = {prop.key: prop.value for prop in model.metadata_props}
        self.columns = json.loads(self.metadata["columns"])
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.inputs = {put.name: put for put in self.session.get_inputs()}

    def run(self, feeds):
        names = [put.name for put in self.session.get_outputs()]
        outputs = dict(zip(names, self.session.run(names, feeds)))
        for put in self.session.get_outputs():
            if len(put.shape) != outputs[put.name].ndim:
                raise Failure(f"`{put.name}` is declared as {put.shape}")
        return outputs

    def feeds_of_table(self, table):
        return {column["input"]: cells(table, column).reshape(-1, 1) for column in self.columns}

    def feeds_of_series(self, table, windows=None):
        """The windows of these rows; left out, those that end with each row but the first ones."""
        if windows is None:
            window = next(put.shape[1] for put in self.inputs.values())
            windows = np.lib.stride_tricks.sliding_window_view(np.arange(len(table)), window)
        numbers = [cells(table, c) for c in self.columns if c["kind"] in ("number", "date")]
        feeds = {c["input"]: cells(table, c)[windows] for c in self.columns if c["kind"] in ("category", "boolean")}
        if numbers:
            feeds["input"] = np.stack(numbers, axis=1)[windows]
        return feeds

    def answers(self, rows, folder, kind):
        """What it gives for the rows that `predict` reads, and the feeds."""
        if kind == "array":
            feeds = {"input": np.load(rows).astype(np.float32)}
        elif kind == "pictures":
            feeds = {"input": np.load(folder / "rows.npy").astype(np.float32)}
        elif kind == "series":
            feeds = self.feeds_of_series(read(rows, folder))
        else:
            feeds = self.feeds_of_table(read(rows, folder))
        return self.run(feeds), feeds


def expected_answers(run, rows, folder, kind):
    """The columns of `descent predict` that are answers, for the rows that have one."""
    expected = predictions(run, rows, folder)
    if kind == "pictures":
        return expected.drop(columns="file")
    if kind == "series":
        expected = expected[expected.iloc[:, -1] != ""]
        return expected[[name for name in expected.columns if name.startswith(("prediction", "probability", "std"))]]
    return expected


def torch_python():
    """A Python with torch, safetensors and pandas, or None: PEER_PYTHON, this one, or python3."""
    for python in (os.environ.get("PEER_PYTHON"), sys.executable, "python3"):
        if python and subprocess.run([python, "-c", "import torch, safetensors, pandas"], capture_output=True).returncode == 0:
            return python
    return None


# One process for all cases: importing torch takes seconds.
TORCH_WORKER = r"""
import contextlib, importlib.util, io, json, os, sys, traceback
import numpy as np, pandas as pd, torch

def answer(folder, kind, rows, output):
    if kind == "code":
        before = os.getcwd()
        os.chdir(folder)
        try:
            exec(compile(rows, "README.md", "exec"), {"__name__": "__main__"})
        finally:
            os.chdir(before)
        return
    spec = importlib.util.spec_from_file_location("model", folder + "/model.py")
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    assert model.check() <= 1e-5, f"the test batch differs by {model.check():.1e}"
    if kind in ("array", "pictures"):
        data = np.load(rows)
    else:
        separator = {"tabs.csv": "\t", "excel.csv": ";"}.get(rows.rsplit("/")[-1], ",")
        data = pd.read_csv(rows, dtype=str, keep_default_na=False, sep=separator, encoding="utf-8-sig")
        data = data.rename(columns={"Unnamed: 0": ""})
    answers = model.predict(data)
    if kind == "panel":
        answers |= of_windows(model, data)
    np.savez(output, **answers)
    if not hasattr(model, "targets"):
        return
    try:
        inputs, targets = model.preprocess(data), model.targets(data)
    except KeyError:  # the rows have no targets
        return
    network = model.load()
    before = [value.clone() for value in network.parameters()]
    try:
        model.train(network, inputs, targets, epochs=2)
    except NotImplementedError as error:  # a loss or an optimizer of descent's own
        assert "torch has no" in str(error)
    else:
        assert any(not torch.equal(a, b) for a, b in zip(before, network.parameters())), "nothing was trained"

def of_windows(model, data):
    # What `descent eval` says of a file: the windows with targets, and the loss of their predictions.
    inputs, targets = torch.as_tensor(model.preprocess(data)), torch.as_tensor(model.targets(data))
    known = ~targets.isnan().any(1)
    with torch.no_grad():
        loss = model.loss()(model.load()(inputs[known]), targets[known])
    return {"windows": model.windows(data), "rows": int(known.sum()), "loss": float(loss)}

for line in sys.stdin:
    problem = ""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            answer(*json.loads(line))
        except Exception:
            problem = traceback.format_exc()[-600:]
    print(json.dumps(problem), flush=True)
"""


def ask(worker, *job):
    """Gives the worker a job; its problem is a failure."""
    worker.stdin.write(json.dumps([str(part) for part in job]) + "\n")
    worker.stdin.flush()
    problem = json.loads(worker.stdout.readline())
    if problem:
        raise Failure(f"torch: {problem}")


def check_torch(run, rows, folder, kind, worker):
    """Exports a run as PyTorch source, runs its own check, predicts the rows, and trains on."""
    path, answers = folder / "torch", folder / "torch.npz"
    descent("export", run, "--to", "torch", "--output", path)
    if kind in ("series", "table"):
        rows = text_of(rows, folder)
    ask(worker, path, kind, folder / "rows.npy" if kind == "pictures" else rows, answers)
    with np.load(answers) as file:
        return compare(dict(file), EXPECTED[run], "torch")


def text_of(rows, folder):
    """The rows as text: those of a Parquet file as the run's own CSV of them."""
    return folder / "rows.csv" if rows.suffix == ".parquet" else rows


def read(path, folder):
    path = folder / "plain.csv" if (folder / "plain.csv").exists() else text_of(path, folder)
    separator = SEPARATORS.get(path.name, ",")
    table = pd.read_csv(path, dtype=str, keep_default_na=False, sep=separator, encoding="utf-8-sig")
    # A graph compares names as they are: blanks are taken away before.
    table = table.rename(columns=str.strip).apply(lambda column: column.str.strip())
    return table.rename(columns={"Unnamed: 0": ""})


# The answers of `descent predict` by run.
EXPECTED = {}


def check_onnx(run, rows, folder, kind):
    """Exports a run to ONNX and compares it; `rows` is what `predict` reads. Gives the model and the difference."""
    path = folder / "model.onnx"
    descent("export", run, "--to", "onnx", "--output", path)
    model = Onnx(path)
    with np.load(path.with_suffix(".test.npz")) as batch:
        batch = dict(batch)
    outputs = model.run({name: batch[name].astype(object) if batch[name].dtype.kind == "U" else batch[name]
                         for name in model.inputs})
    for name, value in outputs.items():
        if batch[name].dtype.kind in "Ui":
            if (value.astype(str) != batch[name].astype(str)).any():
                raise Failure(f"test batch: `{name}` differs")
        elif not differs(value, batch[name]) <= TOLERANCE:
            raise Failure(f"test batch: `{name}` differs by {differs(value, batch[name]):.2e}")
    if rows.suffix == ".parquet":
        keep = [part for column in model.columns for part in ("--keep", column["name"])]
        descent("predict", run, "--input", rows, "--output", folder / "rows.csv", *keep)
    expected = EXPECTED[run]
    outputs, feeds = model.answers(rows, folder, kind)
    worst = compare(outputs, expected, "all rows")
    for count in (1, 1000):
        few = model.run({name: np.resize(value, (count, *value.shape[1:])) for name, value in feeds.items()})
        size = len(expected)
        again = expected.iloc[[row % size for row in range(count)]].reset_index(drop=True)
        compare(few, again, f"{count} rows", expected)
    return model, worst


def check_c(run, rows, folder, kind, columns):
    """Exports a run as C source, compiles it, runs its own check, and predicts the rows."""
    source = folder / "net.c"
    descent("export", run, "--to", "c", "--output", source, "--int8")
    c_source.own_test(source)
    descent("export", run, "--to", "c", "--output", source)
    c_source.own_test(source)
    model = c_source.Model(source)
    if kind in ("array", "pictures"):
        outputs = model.of_array(np.load(folder / "rows.npy" if kind == "pictures" else rows))
    else:
        table, by_name = read(rows, folder), {column["name"]: column for column in columns}
        made = model.rows(table, lambda name: cells(table, by_name[name]))
        outputs = model.of_series(made) if kind == "series" else model.of_table(made)
    if "prediction" in outputs:
        expected = EXPECTED[run]
        worst = differs(outputs["prediction"], expected.to_numpy(np.float64))
        if not worst <= TOLERANCE:
            raise Failure(f"c: outputs differ by {worst:.2e}")
        return worst
    return compare(outputs, EXPECTED[run], "c")


def check_panel(run, made, folder, worker):
    """Exports a run on several series; gives the largest difference of each way. Series whose missing cells are filled from
    the rows around them are for torch alone: to the others they come filled."""
    expected = predictions(run, made.path, folder).filter(regex="^prediction")
    expected = expected[expected.iloc[:, 0] != ""].to_numpy(np.float64)
    differences = {}

    def see(way, outputs, windows):
        differences[way] = differs(made.lines(windows[:, -1], outputs["prediction"]), expected)
        if not differences[way] <= TOLERANCE:
            raise Failure(f"{way}: forecasts differ by {differences[way]:.2e}")

    if not made.is_filled:
        descent("export", run, "--to", "onnx", "--output", folder / "model.onnx")
        descent("export", run, "--to", "c", "--output", folder / "net.c")
        model, source = Onnx(folder / "model.onnx"), c_source.Model(folder / "net.c")
        table, windows = read(made.path, folder), made.windows()
        see("onnx", model.run(model.feeds_of_series(table, windows)), windows)
        by_name = {column["name"]: column for column in model.columns}
        rows = source.rows(table, lambda name: cells(table, by_name[name]))
        see("c", source.of_series(rows, windows), windows)
    if worker is not None:
        descent("export", run, "--to", "torch", "--output", folder / "torch")
        ask(worker, folder / "torch", "panel", made.path, folder / "torch.npz")
        with np.load(folder / "torch.npz") as file:
            outputs = dict(file)
        if not made.is_filled and not np.array_equal(outputs["windows"], made.windows()):
            raise Failure("torch: other windows")
        see("torch", outputs, outputs["windows"])
        scored = json.loads(descent("eval", run, "--input", made.path, "--json"))
        if outputs["rows"] != scored["rows"] or abs(outputs["loss"] / scored["test_loss"] - 1) > TOLERANCE:
            raise Failure(f"torch: {outputs['rows']} windows, loss {outputs['loss']}; eval {scored['rows']}, {scored['test_loss']}")
    return differences


def check_hub(run, rows, folder, kind, worker):
    """Exports a run for the Hub; its ONNX file and its code answer."""
    path = folder / "hub"
    descent("export", run, "--to", "hub", "--output", path)
    blocks = hub.card(path, run, [ROOT, folder])
    worst = compare(Onnx(path / "model.onnx").answers(rows, folder, kind)[0], EXPECTED[run], "hub")
    for language, code in blocks:
        if language == "python" and "import torch" not in code:
            hub.run_python(path, code)
        elif language == "python" and worker is not None:
            ask(worker, path, "code", code, "")
        elif language == "sh":
            if hub.run_shell(path, code, PROGRAM, rows) != (folder / "predictions.csv").read_bytes():
                raise Failure("hub: the folder predicts otherwise than the run")
    if (run / "residuals.json").exists():
        of_run, of_hub = (descent("predict", place, "--input", rows, "--interval", "0.5") for place in (run, path))
        if of_run != of_hub:
            raise Failure("hub: the folder gives other intervals than the run")
    return worst


# Runs of each kind. A table with a column of each kind, missing and unknown cells, and a date with a time.
def odd_table(folder, rows=400):
    random = np.random.default_rng(3)
    path = folder / "odd.csv"
    names = [f"n{number}" for number in range(50)]
    lines = ["num,year,flag,when,colour,many,gap,label,name class,y,z,b1,b2,p,q,sign"]
    for row in range(rows):
        x = random.normal()
        missing = row % 11 == 5
        lines.append(",".join(map(str, [
            round(x * 3e6, 3), 2014 + row % 9, ["yes", "no", "" if missing else "TRUE"][row % 3],
            "" if missing else f"2024-0{1 + row % 9}-1{row % 10} 1{row % 10}:30:00",
            ["red", "grün", "", "blue, dark", "NA"][row % 5].join('""'), names[row * 7 % 50], "" if row % 5 == 3 else round(x, 4),
            row % 3, ["no", "maybe", "é"][(row + int(x > 0)) % 3], round(1e4 + 500 * x, 2), round(x * x, 4), row % 2,
            int(x > 0), 0.25, 0.75, row % 2 * 2 - 1,
        ])))
    path.write_text("\n".join(lines) + "\n")
    ask = folder / "ask.csv"
    head, *body = path.read_text().splitlines()
    body = [line.replace("n7,", "never seen,").replace('"red"', '"violet"') for line in body]
    ask.write_text("\n".join([head, *body]) + "\n")
    return path, ask


TABLE = """seed = 1
[data]
name = "csv"
path = '{path}'
target = {target}
missing = "{missing}"
normalize = "{normalize}"
{data}
[model]
{model}
[loss]
{loss}
[optimizer]
name = "adam"
lr = 0.01
[train]
epochs = 3
batch_size = 32
"""
# target, other columns to ignore, loss
TARGETS = {
    "classes": ('"name class"', 'name = "cross_entropy"'),
    "numbered-classes": ('"label"', 'name = "cross_entropy"'),
    "value": ('"y"', 'name = "mse"'),
    "values": ('["y", "z"]', 'name = "smooth_l1"'),
    "labels": ('["b1", "b2"]', 'name = "bce_with_logits"'),
    "pair": ('"b2"', 'name = "bce_with_logits"'),
    "threshold": ('"b2"', 'name = "cross_entropy"'),
    "counts": ('"z"', 'name = "poisson_nll"'),
    "deviations": ('["y", "z"]', 'name = "gaussian_nll"'),
    "focal": ('"name class"', 'name = "focal"'),
    "negative-likelihood": ('"name class"', 'name = "nll"'),
    "shares": ('["p", "q"]', 'name = "kl_div"'),
    "signs": ('"sign"', 'name = "hinge_embedding"'),
    "softplus": ('"y"', 'name = "gaussian_nll"\nvariance = "softplus"'),
}
ALL_TARGETS = ["label", "name class", "y", "z", "b1", "b2", "p", "q", "sign"]
MODELS = {
    "linear": 'name = "mlp"\nhidden = []',
    "batch-norm": 'name = "mlp"\nhidden = [12, 8]\nbatch_norm = true\ndropout = 0.1',
    "layer-norm": 'name = "mlp"\nhidden = [12, 8]\nlayer_norm = true',
    **{name: f'name = "mlp"\nhidden = [12]\nactivation = "{name}"'
       for name in ("relu", "tanh", "sigmoid", "gelu", "leaky_relu", "elu", "selu", "silu", "mish")},
    "parts": 'name = "mlp"\nhidden = [12, 8]\nfront_scale = true\nparametric_activation = true\nactivation = "mish"\nlayer_norm = true',
    "ntk": 'name = "mlp"\nhidden = [12]\nparametrization = "ntk"\nparametric_activation = true\nactivation = "selu"',
    "numerical-bins": 'name = "mlp"\nhidden = [12]\n[model.numerical]\nname = "piecewise_linear"\nn_bins = 7',
    "numerical-bins-a": 'name = "mlp"\nhidden = [12]\n[model.numerical]\nname = "piecewise_linear"\nn_bins = 7\nversion = "A"\nactivation = true',
}
# C source has no form of these.
BEYOND_C = {
    "numerical-plr": 'name = "mlp"\nhidden = [12]\n[model.numerical]\nname = "periodic"\nn_frequencies = 5\nd_embedding = 3',
    "numerical-pbld": 'name = "mlp"\nhidden = [12]\nfront_scale = true\n[model.numerical]\nname = "periodic"\nvariant = "pbld"',
    "ensemble": 'name = "mlp"\nhidden = [12]\nensemble = 4\ndropout = 0.1',
    "ensemble-bins": 'name = "mlp"\nhidden = [12]\nensemble = 4\n[model.numerical]\nname = "piecewise_linear"\nn_bins = 7',
}
RECURRENT = {
    f"{name}{more[-5:-1]}{'-two-ways' if both else ''}-{layers}-{head}":
    f'name = "{name}"\nhidden_size = 7\nnum_layers = {layers}\nbidirectional = {str(both).lower()}\nhead = "{head}"{more}'
    for name, more in (("rnn", ""), ("rnn", '\nnonlinearity = "relu"'), ("lstm", ""), ("gru", ""))
    for both in (False, True) for layers, head in ((1, "last"), (3, "mean"))
}


# Several series in a file: the model, the steps, lines of [data], and what is special about the rows.
PANELS = {
    "one-step": (MODELS["relu"], [1], "columns = { store = 'category' }", {}),
    "steps": (RECURRENT["lstm-3-mean"], [1, 2, 3], "", {}),
    "second-step": (MODELS["relu"], [2], "sort = true", {"shuffled": True}),
    "working-days": (MODELS["relu"], [1, 2], "", {"frequency": "working days"}),
    "working-days-strict": (MODELS["relu"], [1], "max_gap = 0", {"frequency": "working days", "max_gap": 0}),
    "months": (MODELS["relu"], [1, 2, 3], "", {"frequency": "months"}),
    "months-across": (MODELS["relu"], [1], "max_gap = 2", {"frequency": "months", "max_gap": 2}),
    "calendar": (MODELS["relu"], [1, 2], "calendar = ['weekday', 'month']", {"frequency": "months"}),
    "hours": (RECURRENT["gru-1-last"], [1], "calendar = ['hour', 'weekday', 'month']", {"frequency": "hours"}),
    "changes": (MODELS["relu"], [1, 2, 3], "subtract_last = true", {}),
    "changes-hours": ('name = "linear"', [1, 2], "subtract_last = true\ncalendar = ['weekday', 'hour']",
                      {"frequency": "hours"}),
    "changes-rnn": (RECURRENT["rnn-3-mean"], [2], "subtract_last = true\ncolumns = { store = 'embedding' }", {}),
    "across-gaps": (RECURRENT["gru-two-ways-1-last"], [1, 2], "max_gap = 2", {"max_gap": 2}),
    "no-time": (RECURRENT["gru-two-ways-1-last"], [1, 3], "", {"has_time": False}),
    "previous": (MODELS["relu"], [1], "missing = 'previous'", {"missing": True}),
    "interpolate": (MODELS["relu"], [1, 2], "missing = 'interpolate'", {"missing": True}),
}


# The file, its marks of decimals and thousands, and lines of [data].
MARKS = {
    "plain": ("marked.csv", ".", "", ""),
    "german": ("excel.csv", ",", ".", "decimal = ','\nthousands = '.'"),
    "comma": ("excel.csv", ",", "", "decimal = ','"),
    "swiss": ("marked.csv", ".", "'", "thousands = \"'\""),
    "spaced": ("tabs.csv", ",", " ", "decimal = ','\nthousands = ' '"),
}


def config_of_table(path, target, model, missing="mean", normalize="standard", data="", columns=True):
    names, loss = TARGETS[target]
    used = json.loads(names if names.startswith("[") else f"[{names}]")
    kinds = [f"'{name}' = 'ignore'" for name in ALL_TARGETS if name not in used]
    more = f"columns = {{ {', '.join(kinds)} }}\n{data}" if columns else data
    if target == "threshold":
        more += "\npositive = '0'\nthreshold = 0.3"
    return TABLE.format(path=path, target=names, missing=missing, normalize=normalize, data=more, model=model, loss=loss)


def cases():
    """(name, what to do in a folder): the run, the rows to predict, and what they are."""
    for config in sorted((ROOT / "configs").glob("*.toml")):
        yield config.stem, lambda folder, config=config: of_config(folder, config)
    for path in sorted((ROOT / "tests/tables/good").glob("*.csv")):
        yield f"good/{path.stem}", lambda folder, path=path: of_good(folder, path)
    yield "types", of_types
    for path in sorted((ROOT / "tests/tables/parquet").glob("*.parquet")):
        if path.stem not in ("brotli", "nested", "no-rows"):  # these are refused
            yield f"parquet/{path.stem}", lambda folder, path=path: of_parquet(folder, path)
    for rows in ("same", "extra", "reordered", "no-target", "missing-cell", "unseen-category", "unseen-class"):
        yield f"predict/{rows}", lambda folder, rows=rows: of_rows(folder, f"{rows}.csv")
    yield "run-0.1.0", of_old_run
    plain = MODELS["relu"]
    for target in TARGETS:
        yield f"target-{target}", lambda folder, target=target: of_odd(folder, target, plain)
    for name, model in MODELS.items():
        yield f"model-{name}", lambda folder, model=model: of_odd(folder, "classes", model)
    for missing in ("median", "zero", "category"):
        yield f"missing-{missing}", lambda folder, missing=missing: of_odd(folder, "classes", plain, missing=missing)
    for missing in ("mean", "category"):
        settings = ["data.calendar=['hour', 'weekday', 'month']"]
        yield f"calendar-{missing}", lambda folder, m=missing, s=settings: of_odd(folder, "value", plain, m, settings=s)
    for name, model in BEYOND_C.items():
        for target in ("classes", "values", "labels"):
            yield f"{name}-{target}", lambda folder, model=model, target=target: of_odd(folder, target, model)
    for more in ("log1p", "standard"):
        settings = [f"data.target_transform='{more}'", "data.clamp_output=true"]
        yield f"transform-{more}", lambda folder, s=settings: of_odd(folder, "values", plain, settings=s)
    for normalize in ("none", "minmax", "robust", "robust_smooth"):
        yield f"normalize-{normalize}", lambda folder, n=normalize: of_odd(folder, "value", plain, normalize=n)
    yield "odd-names", of_names
    yield "blanks", of_blanks
    for marks in MARKS:
        yield f"marks-{marks}", lambda folder, marks=marks: of_marks(folder, *MARKS[marks])
    for decimal in ".,":
        yield f"own-marks-{'comma' if decimal == ',' else 'plain'}", lambda folder, d=decimal: of_own_marks(folder, d)
    yield "own-marks-series", lambda folder: of_own_marks(folder, ".", is_series=True)
    yield "f64", lambda folder: of_odd(folder, "value", plain, settings=["train.dtype='f64'"])
    for name, model in RECURRENT.items():
        yield f"series-{name}", lambda folder, model=model: of_series(folder, model)
    yield "series-mlp", lambda folder: of_series(folder, plain)
    changes = "subtract_last = true\ncolumns = { many = 'embedding' }"
    for name, loss in (("changes", "huber"), ("changes-deviations", "gaussian_nll")):
        yield f"series-{name}", lambda folder, loss=loss: of_series(folder, plain, loss, changes)
    yield "series-changes-ensemble", lambda folder: of_series(folder, BEYOND_C["ensemble"], "mse", changes)
    for name, options in PANELS.items():
        yield f"panel-{name}", lambda folder, options=options: of_panel(folder, *options)
    yield from bags()
    yield "table-sequence", of_sequence
    yield "pictures", of_pictures
    yield "pixels", lambda folder: of_array(folder, np.uint8, '"cross_entropy"')
    yield "sequential", lambda folder: of_array(folder, np.float32, '"mse"', "\nlayer_names = 'sequential'\nbatch_norm = true")
    yield "arrays", lambda folder: of_array(folder, np.float32, '"mse"')


def bags():
    """Cases of bags."""
    plain = MODELS["relu"]
    for target in TARGETS:
        if "gaussian_nll" not in TARGETS[target][1]:
            yield f"bag-target-{target}", lambda folder, target=target: of_odd(folder, target, plain, bag=3)
    for name in ("linear", "batch-norm", "layer-norm", "parts"):
        yield f"bag-model-{name}", lambda folder, name=name: of_odd(folder, "values", MODELS[name], "category", bag=2)
    for name, target in (("numerical-plr", "classes"), ("numerical-bins", "value"), ("ensemble", "negative-likelihood")):
        yield f"{name}-bag", lambda folder, n=name, t=target: of_odd(folder, t, (MODELS | BEYOND_C)[n], bag=3)
    embedded = ["data.columns.many='embedding'", "data.columns.colour='embedding'"]
    yield "bag-embeddings", lambda folder: of_odd(folder, "classes", plain, "category", settings=embedded, bag=3)
    log = ["data.target_transform='log1p'", "data.clamp_output=true"]
    yield "bag-log1p", lambda folder: of_odd(folder, "values", plain, settings=log, bag=4)
    chosen = ["data.threshold='f1'", "train.calibrate=true", "data.test=0.2"]
    yield "bag-chosen", lambda folder: of_odd(folder, "threshold", plain, settings=chosen, bag=3)
    yield "bag-f64", lambda folder: of_odd(folder, "value", plain, settings=["train.dtype='f64'"], bag=2)
    yield "bag-sequence", lambda folder: of_sequence(folder, bag=2)
    yield "bag-pictures", lambda folder: of_pictures(folder, bag=2)
    yield "bag-pixels", lambda folder: of_array(folder, np.uint8, '"cross_entropy"', bag=3)
    more = "\nlayer_names = 'sequential'\nbatch_norm = true"
    yield "bag-sequential", lambda folder: of_array(folder, np.float32, '"mse"', more, bag=3)


def of_config(folder, config):
    text = config.read_text()
    settings = ["data.name='mnist-sample'"] if 'name = "mnist"' in text else []
    run = train(folder, config, settings)
    source = dict(line.split(" = ", 1) for line in text.split("[data]")[1].split("\n\n")[0].strip().splitlines()
                  if " = " in line and not line.startswith("#"))
    if "path" in source and "mnist" not in source["name"]:
        rows = (config.parent / json.loads(source["path"].split(" #")[0])).resolve()
        return run, rows, "series" if "timeseries" in source["name"] else "table"
    shape = (5, 10) if "waves" in source["name"] else (28, 28) if "sequence" in source else (784,)
    rows = np.random.default_rng(1).integers(0, 256, (40, *shape)).astype(np.uint8)
    if "waves" in source["name"]:
        rows = np.random.default_rng(1).normal(size=(40, *shape)).astype(np.float32)
    np.save(folder / "rows.npy", rows)
    return run, folder / "rows.npy", "array"


def of_good(folder, path):
    target = json.dumps(read(path, folder).columns[-1], ensure_ascii=True)
    config = folder / "c.toml"
    config.write_text(TABLE.format(path=path, target=target, missing="mean", normalize="standard", data="",
                                   model=MODELS["relu"], loss='name = "cross_entropy"'))
    return train(folder, config), path, "table"


def of_types(folder):
    path = ROOT / "tests/tables/parquet/types.csv"
    config = folder / "c.toml"
    config.write_text(TABLE.format(path=path, target='"class"', missing="category", normalize="standard", data="",
                                   model=MODELS["relu"], loss='name = "cross_entropy"'))
    return train(folder, config), path, "table"


def of_parquet(folder, path):
    target = '"class"' if path.stem in ("types", "int96") else '"species"'
    config = folder / "c.toml"
    config.write_text(TABLE.format(path=path, target=target, missing="category", normalize="standard", data="",
                                   model=MODELS["relu"], loss='name = "cross_entropy"').replace('"csv"', '"parquet"'))
    return train(folder, config), path, "table"


def of_old_run(folder):
    """The folder of a run of version 0.1.0, which named numbers by another rule."""
    shutil.copytree(ROOT / "tests/tables/run-0.1.0", folder / "run")
    return folder / "run", folder / "run/trees.csv", "table"


def of_rows(folder, rows):
    """Rows that were not trained on: columns missing, in another order, more of them; names and cells unknown."""
    config = folder / "c.toml"
    tables = ROOT / "tests/tables/predict"
    config.write_text(TABLE.format(path=tables / "train.csv", target='"class"', missing="mean", normalize="standard", data="",
                                   model=MODELS["relu"], loss='name = "cross_entropy"'))
    return train(folder, config), tables / rows, "table"


def of_odd(folder, target, model, missing="mean", normalize="standard", settings=(), bag=0):
    path, ask = odd_table(folder)
    config = folder / "c.toml"
    config.write_text(config_of_table(path, target, model, missing, normalize))
    return train(folder, config, settings, bag), ask, "table"


def of_names(folder):
    """Names that end comments and texts, are keywords, or have no letter of ASCII."""
    random = np.random.default_rng(4)
    names = ["int", "*/ ends", "/* begins", "what??/", "東京", "a \"q\" 'z'", "predict", "Input", "label", "y: x #1", "linux", "x|y`z"]
    cells = ["*/", "/*", "??/ x", "京", 'a"b', "input", "INPUT", "", "\u202e rtl"]
    classes = ["it's \"A\": *", "??= {b}", "/*c*/ \\ d", "  spaced  "]
    columns = [random.normal(size=200).round(3), random.choice(cells, 200), random.choice(["yes", "no"], 200)]
    table = pd.DataFrame({name: random.permutation(columns[place % 3]) for place, name in enumerate(names)})
    table.insert(0, "target: \"t\"", [classes[row % 4] for row in range(200)])
    path = folder / "it's \"a\": #1.csv"
    table.to_csv(path, index=False)
    config = folder / "c.toml"
    text = TABLE.replace("'{path}'", "{path}").format(
        path=json.dumps(str(path)), target=json.dumps(table.columns[0]), missing="category", normalize="standard",
        data="test = 0.2", model=MODELS["batch-norm"], loss='name = "cross_entropy"')
    config.write_text(text)
    return train(folder, config), path, "table"


def of_blanks(folder):
    """Blanks around cells and names of columns, as people write them; some rows are held out, for intervals."""
    path, _ = odd_table(folder)
    spaced = "\n".join(",".join(f" {cell} " for cell in line.split(",")) for line in
                       path.read_text().replace("blue, dark", "dark").replace('"', "").splitlines())
    path.write_text(spaced + "\n")
    config = folder / "c.toml"
    config.write_text(config_of_table(path, "values", MODELS["relu"], "category", data="validation = 0.2"))
    return train(folder, config), path, "table"


def of_marks(folder, name, decimal, thousands, settings):
    """Numbers with the file's own marks, and further words, numbers and dates for a missing cell."""
    random = np.random.default_rng(6)
    plain, marked = [], []
    for row in range(240):
        amount = random.normal(0, 2e6)
        date = "1900-01-01" if row % 11 == 0 else "1900-01-01 00:00" if row % 11 == 1 else f"2024-01-{1 + row % 28:02}"
        if decimal == ",":
            date = ".".join(reversed(date[:10].split("-")))
        texts = [date, ["red", "-999", "-999.0", "?", "blue"][row % 5]]
        numbers = [[-999.0, None, "?"][row % 9] if row % 9 < 3 else amount, 9.5 if row % 5 == 0 else row % 7, 3e3 + amount / 1e3]
        plain.append([*(f"{x:.3f}" if isinstance(x, (int, float)) else "" for x in numbers), *texts])
        marks = {",": thousands, ".": decimal}
        numbers = [f"{x:,.3f}" if isinstance(x, (int, float)) else x or "" for x in numbers]
        marked.append([*("".join(marks.get(c, c) for c in x) for x in numbers), *texts])
    head = ["amount", "code", "price", "day", "name"]
    path = folder / name
    pd.DataFrame(marked, columns=head).to_csv(path, index=False, sep=SEPARATORS.get(name, ","))
    # What a graph is given: numbers that stand for a missing cell are its own affair.
    pd.DataFrame(plain, columns=head).to_csv(folder / "plain.csv", index=False)
    config = folder / "c.toml"
    more = "na_values = [-999, 9.5, '?', '1900-01-01', '01.01.1900']\ncolumns = { name = 'category' }\n" + settings
    config.write_text(TABLE.format(path=path, target='"price"', missing="category", normalize="standard", data=more,
                                   model=MODELS["relu"], loss='name = "mse"'))
    return train(folder, config), path, "table"


def of_own_marks(folder, decimal, is_series=False):
    """Numbers, dates and words that are missing cells in one column, and values in the one beside it."""
    random = np.random.default_rng(8)
    numbers = [np.where(np.arange(240) % 4 == place, -999, random.normal(size=240).round(3)) for place in range(2)]
    words = [random.choice(["red", "blue", "-999", "?"], 240) for _ in range(2)]
    dates = [np.where(np.arange(240) % 5 == place, "1900-01-01", [f"2024-01-{1 + row % 28:02}" for row in range(240)])
             for place in range(2)]
    table = pd.DataFrame({"amount": numbers[0], "change": numbers[1], "name": words[0], "other name": words[1],
                          "day": dates[0], "since": dates[1]})
    table["y"] = (table["change"] / 500 + (table["other name"] == "?") + random.normal(0, 0.1, 240)).round(3)
    table = table.drop(columns=["day", "since"]) if is_series else table
    path = folder / ("excel.csv" if decimal == "," else "marked.csv")
    table.to_csv(path, index=False, sep=SEPARATORS.get(path.name, ","), decimal=decimal)
    # What a graph is given: numbers that stand for a missing cell are its own affair.
    table.to_csv(folder / "plain.csv", index=False)
    days = "" if is_series else ", day = '1900-01-01'"
    more = f"decimal = '{decimal}'\nna_values = {{ amount = -999, name = [-999, '?']{days} }}\n"
    more += "columns = { name = 'category', 'other name' = 'category' }"
    config = TABLE.replace('name = "csv"', 'name = "timeseries"\nwindow = 3\nhorizon = 1') if is_series else TABLE
    (folder / "c.toml").write_text(config.format(path=path, target='"y"', missing="category", normalize="standard", data=more,
                                                 model=MODELS["relu"], loss='name = "mse"'))
    return train(folder, folder / "c.toml"), path, "series" if is_series else "table"


def of_series(folder, model, loss="mse", data=""):
    path, _ = odd_table(folder, 300)
    table = read(path, folder)[["num", "colour", "many", "flag", "z"]]
    table.insert(0, "hour", range(len(table)))
    table["flag"] = table["flag"].replace("", "no")
    table["colour"] = table["colour"].replace(["", "NA"], "red")
    table.to_csv(path, index=False)
    config = folder / "c.toml"
    config.write_text(TABLE.replace('name = "csv"', 'name = "timeseries"\nwindow = 6\nhorizon = 1').replace(
        'missing = "{missing}"\n', "").format(path=path, target='"z"', normalize="standard", data=f"test = 0.2\n{data}",
                                             model=model, loss=f'name = "{loss}"'))
    return train(folder, config), path, "series"


def of_panel(folder, model, steps, data, rows):
    made = panel.Panel(folder / "panel.csv", steps, **rows)
    target = '["sales", "visits"]' if len(steps) == 2 else '"sales"'
    config = folder / "c.toml"
    config.write_text(panel.CONFIG.format(path=made.path, target=target, horizon=steps, data=data, model=model))
    return train(folder, config), made, "panel"


def of_sequence(folder, bag=0):
    path = folder / "t.csv"
    x = np.random.default_rng(5).normal(size=(200, 6))
    pd.DataFrame({**{f"x{i}": x[:, i] for i in range(6)}, "y": x.sum(axis=1)}).to_csv(path, index=False)
    config = folder / "c.toml"
    config.write_text(TABLE.format(path=path, target='"y"', missing="mean", normalize="standard", data="sequence = [3, 2]",
                                   model=RECURRENT["lstm-1-last"], loss='name = "mse"'))
    return train(folder, config, bag=bag), path, "table"


def png(pixels):
    """A picture (H, W, 3) as a PNG file."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def of_pictures(folder, bag=0):
    random = np.random.default_rng(7)
    for name in ("cat", "dog"):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 256, (6, 5, 3)).astype(np.uint8)
            (folder / "pictures" / name / f"{number:02}.png").write_bytes(png(pixels))
            if name == "cat":
                # Planes of red, green and blue.
                rows = np.load(folder / "rows.npy") if number else np.zeros((0, 90), np.uint8)
                np.save(folder / "rows.npy", np.concatenate([rows, pixels.transpose(2, 0, 1).reshape(1, -1)]))
    config = folder / "c.toml"
    config.write_text("[data]\nname = 'images'\npath = 'pictures'\ncolor = true\nnormalize = { mean = 0.4, std = 0.3 }\n"
                      "[model]\nname = 'mlp'\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n")
    return train(folder, config, bag=bag), folder / "pictures/cat", "pictures"


def of_array(folder, kind, loss, model="", bag=0):
    random = np.random.default_rng(2)
    x = (random.random((200, 12)) * 255).astype(kind)
    y = random.integers(0, 3, 200) if "entropy" in loss else random.normal(size=(200, 2)).astype(np.float32)
    np.savez(folder / "d.npz", x_train=x, y_train=y)
    np.save(folder / "rows.npy", x[:40])
    config = folder / "c.toml"
    config.write_text(f"[data]\nname = 'npz'\npath = 'd.npz'\nnormalize = 'standard'\n[model]\nname = 'mlp'{model}\n[loss]\nname = "
                      f"{loss}\n[optimizer]\nname = 'adam'\n[train]\nepochs = 2\n")
    return train(folder, config, bag=bag), folder / "rows.npy", "array"


def line_of(name, differences):
    """The line of a case, and its largest difference."""
    parts = ", ".join(f"{way} {value:.1e}" for way, value in differences.items())
    return f"{name}: {parts}", max(differences.values())


def check(name):
    """Runs a case; gives its line, and the largest difference or None."""
    make = next(make for case, make in cases() if case == name)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="descent-export-"))
    try:
        run, rows, kind = make(folder)
        if kind == "panel":
            return line_of(name, check_panel(run, rows, folder, WORKER))
        rows = pathlib.Path(rows)
        EXPECTED[run] = expected_answers(run, rows, folder, kind)
        model, difference = check_onnx(run, rows, folder, kind)
        differences = {"onnx": difference}
        if not name.startswith((*BEYOND_C, "series-changes-ensemble")):
            differences["c"] = check_c(run, rows, folder, kind, model.columns)
        if WORKER is not None:
            differences["torch"] = check_torch(run, rows, folder, kind, WORKER)
        differences["hub"] = check_hub(run, rows, folder, kind, WORKER)
        if WEB is not None and name in WEB_CASES:
            feeds = model.answers(rows, folder, kind)[1]
            differences["web"] = compare(web.answers(WEB, folder / "model.onnx", feeds), EXPECTED[run], "web")
        if name == "iris":
            readme.check((ROOT / "src/export/README.md").read_text(), folder, descent, run, WEB)
        return line_of(name, differences)
    except Exception as error:  # each case is reported
        return f"{name}: FAILED: {type(error).__name__}: {error}", None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# In each process: the Python with torch, and the folder with onnxruntime-web.
WORKER = WEB = None
# No other export has their missing cells filled from the rows around them.
TORCH_ALONE = ("panel-previous", "panel-interpolate")
# Each kind of input and output once: a start of Node takes a second.
WEB_CASES = ("iris", "diabetes", "rnn", "series-lstm-3-mean", "target-classes", "pictures", "own-marks-plain")


def begin(python, modules):
    global WORKER, WEB
    WEB = modules
    if python:
        WORKER = subprocess.Popen([python, "-c", TORCH_WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    names = [name for name, _ in cases() if wanted in name]
    python, modules = torch_python(), web.modules()
    if python is None:
        print("PyTorch source is not run: there is no python3 with torch, safetensors and pandas; PEER_PYTHON names one")
        names = [name for name in names if name not in TORCH_ALONE]
    if modules is None:
        print("ONNX Runtime for the web is not run: EXPORT_WEB names no folder with onnxruntime-web, or node is missing")
    failed, worst = 0, 0.0
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=begin, initargs=(python, modules)) as pool:
        for line, difference in pool.map(check, names):
            print(line, flush=True)
            failed += difference is None
            worst = max(worst, difference or 0.0)
    print(f"{len(names) - failed} of {len(names)} exports answer as `descent predict`; the largest difference is {worst:.1e}")
    sys.exit(1 if failed or not names else 0)


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
    main()
