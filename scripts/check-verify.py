#!/usr/bin/env python3
"""Compares runs with PyTorch by `descent verify`, and shows that it finds a difference.

    scripts/check-verify.py PROGRAM [FILTER]      # a Python with torch and numpy: PEER_PYTHON, this one, or python3

Every config of configs/ (MNIST by its sample), every optimizer that torch has, every loss, and what else changes an update,
on a small table and a series, in f64. Then each of some changes to the script must be found.
"""

import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = ("class", "y", "z", "label", "p", "q", "sign")

OPTIMIZERS = {
    "sgd": "lr = 0.1\nmomentum = 0.9\nnesterov = true\nweight_decay = 0.01", "adam": "lr = 0.01",
    "adamw": "amsgrad = true", "rmsprop": "centered = true\nmomentum = 0.5\nlr = 0.003", "adagrad": "lr_decay = 0.1",
    "adadelta": "", "adamax": "", "nadam": "decoupled_weight_decay = true\nweight_decay = 0.1", "radam": "",
    "asgd": "lr = 0.05\nt0 = 5.0", "rprop": "", "lbfgs": "lr = 0.1\nmax_iter = 5", "muon": "lr = 0.01",
    "adafactor": "eps = ['none', 0.01]",
}
LOSSES = {
    "mse": '["y", "z"]', "l1": '"y"', "smooth_l1": '"y"', "huber": '"y"', "gaussian_nll": '["y", "z"]', "poisson_nll": '"z"',
    "bce_with_logits": '"label"', "kl_div": '["p", "q"]', "hinge_embedding": '"sign"', "nll": '"class"',
    "cross_entropy": '["p", "q"]',
}
ADAM = 'name = "adam"\nlr = 0.01'


def write_tables(folder):
    draw = random.Random(1)
    lines = ["a,b,c,name," + ",".join(COLUMNS)]
    for i in range(150):
        a, b, c = draw.gauss(0, 1), draw.gauss(0, 1), draw.random()
        p = 0.25 if a > 0 else 0.6
        lines.append(f"{a:.4f},{b:.4f},{c:.4f},n{i * 7 % 50},{'xyz'[(i + (a > 0)) % 3]},{2 * a - b + c:.4f},{abs(a * b):.3f},"
                     f"{int(a > 0)},{p},{1 - p},{1 if a > b else -1}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    series = ["t,v,w"] + [f"{i},{draw.gauss(0, 1) + i % 7:.3f},{i % 5}" for i in range(200)]
    (folder / "series.csv").write_text("\n".join(series) + "\n")


def table(target='"class"', loss='name = "cross_entropy"', model="hidden = [8, 6]", optimizer=ADAM, train="", schedule="", batch="16",
          names="ignore"):
    kinds = ", ".join(f"{name} = 'ignore'" for name in COLUMNS if f'"{name}"' not in target)
    data = f"name = 'csv'\npath = 'table.csv'\ntarget = {target}\nnormalize = 'standard'\nvalidation = 0.2\n"
    return sections(data + f"columns = {{ name = '{names}', {kinds} }}", 'name = "mlp"\n' + model, loss, optimizer, train, schedule, batch)


def series(model):
    data = "name = 'timeseries'\npath = 'series.csv'\ntarget = 'v'\nwindow = 5\nnormalize = 'standard'"
    return sections(data, model, 'name = "mse"', ADAM, "", "", "16")


def sections(data, model, loss, optimizer, train, schedule, batch):
    schedule = f"[schedule]\n{schedule}\n" if schedule else ""
    return (f"seed = 3\n[data]\n{data}\n[model]\n{model}\n[loss]\n{loss}\n[optimizer]\n{optimizer}\n[train]\n"
            f"batch_size = {batch}\nepochs = 6\ntensorboard = false\n{train}\n{schedule}")


def cases():
    for name, options in OPTIMIZERS.items():
        model = 'hidden = [8, 6]\nactivation = "tanh"' if name == "muon" else "hidden = [8, 6]"
        yield f"optimizer-{name}", table(optimizer=f'name = "{name}"\n{options}', model=model)
    for name, target in LOSSES.items():
        yield f"loss-{name}", table(target, f'name = "{name}"')
    yield "wolfe", table('"y"', 'name = "mse"', optimizer='name = "lbfgs"\nline_search_fn = "strong_wolfe"\nmax_iter = 4')
    yield "sequential", table(model='hidden = [8, 6]\nbatch_norm = true\ndropout = 0.3\nactivation = "gelu"\nlayer_names = "sequential"',
                              train="accumulate = 2\nclip_grad_norm = 0.5")
    yield "ema", table(model='hidden = [8, 6]\nlayer_norm = true\nactivation = "silu"',
                       train='average = { name = "ema", decay = 0.9, warmup = true }\nclip_grad_value = 0.01')
    yield "plateau", table(train='average = { name = "swa", start_epoch = 2 }', optimizer='name = "sgd"\nlr = 0.5',
                           schedule='name = "reduce_on_plateau"\npatience = 0\nmonitor = "val_accuracy"')
    yield "one-cycle", table(optimizer='name = "sgd"\nlr = 0.1\nmomentum = 0.9',
                             schedule='name = "one_cycle"\nmax_lr = 0.05\ninterval = "step"')
    yield "epochs", table(schedule='name = "step"\nstep_size = 2\ngamma = 0.5\nwarmup_steps = 5')
    groups = 'groups = [{ match = "*.bias", weight_decay = 0.0 }, { match = "layer1.*", frozen = true }]'
    yield "groups", table(optimizer=f'name = "adamw"\nlr = 0.01\n{groups}')
    yield "balanced", table(loss='name = "cross_entropy"\nclass_weight = "balanced"\nlabel_smoothing = 0.1')
    yield "sum", table(loss='name = "cross_entropy"\nweight = { y = 5.0 }\nreduction = "sum"', optimizer='name = "sgd"\nlr = 0.01')
    yield "embedding", table(names="embedding")
    yield "parts", table(model='hidden = [8, 6]\nfront_scale = true\nparametric_activation = true\nactivation = "mish"')
    for name, more in (("plr", 'name = "periodic"'), ("pbld", 'name = "periodic"\nvariant = "pbld"'),
                       ("bins", 'name = "piecewise_linear"\nn_bins = 7'),
                       ("bins-a", 'name = "piecewise_linear"\nn_bins = 7\nversion = "A"\nactivation = true')):
        yield f"numerical-{name}", table('"y"', 'name = "mse"', f"hidden = [8]\n[model.numerical]\n{more}", names="embedding")
    yield "ensemble", table(model="hidden = [8, 6]\nensemble = 3\ndropout = 0.2", loss='name = "cross_entropy"\nlabel_smoothing = 0.1')
    yield "ensemble-sum", table('["y", "z"]', 'name = "mse"\nreduction = "sum"', "hidden = [8]\nensemble = 3", 'name = "sgd"\nlr = 0.001')
    yield "stochastic", table(batch="1")
    yield "full", table(batch='"full"', train="shards = 2")
    for name, more in (("rnn", 'nonlinearity = "relu"'), ("lstm", "bidirectional = true"), ("gru", 'head = "mean"')):
        yield name, series(f'name = "{name}"\nhidden_size = 5\nnum_layers = 2\n{more}')


def torch_python():
    """A Python with torch and numpy, or None."""
    for python in (os.environ.get("PEER_PYTHON"), sys.executable, "python3"):
        if python and subprocess.run([python, "-c", "import torch, numpy"], capture_output=True).returncode == 0:
            return python
    return None


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


# One process for all scripts: importing torch takes seconds.
WORKER = r"""
import contextlib, io, pathlib, sys, torch
for line in sys.stdin:
    path, text, errors = pathlib.Path(line.strip()), io.StringIO(), io.StringIO()
    torch.set_default_dtype(torch.float32)
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(errors):
        try:
            exec(compile(path.read_text(), str(path), "exec"), {"__name__": "__main__", "__file__": str(path)})
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = repr(error)
    said = text if code in (0, 1) else errors
    print(code, said.getvalue().strip().replace("\n", " | "), flush=True)
"""


class Worker:
    def __init__(self, python):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([python, "-c", WORKER], stdin=pipe, stdout=pipe, text=True)

    def run(self, script):
        """The exit code of a script, and what it prints."""
        self.process.stdin.write(f"{script}\n")
        self.process.stdin.flush()
        code, _, text = self.process.stdout.readline().strip().partition(" ")
        return int(code) if code.isdigit() else code, text


def check(program, worker, config, folder, settings=()):
    out, kept, stub = folder / "run", folder / "kept", folder / "python"
    code, text = run(program, "train", config, "-q", "--out", out, "--set", "train.max_steps=2", *settings)
    if code:
        return code, text
    # A Python that does nothing: the worker runs the script.
    stub.write_text("#!/bin/sh\nexit 0\n")
    stub.chmod(0o755)
    more = ("--set", "train.max_steps=25", "--steps", "25")
    code, text = run(program, "-q", "verify", out, "--against", "torch", "--python", stub, "--output", kept, *more)
    return (code, text) if code else worker.run(kept / "verify.py")


# What is changed in a script, and the tensor that differs.
CHANGES = [
    ("eps=1e-8", "eps=1e-6", r"step 1 differs: `layer1.weight`"),
    ("label_smoothing=0.0", "label_smoothing=0.01", r"step 1 differs: the loss is"),
    ("betas=[0.9, 0.999]", "betas=[0.9, 0.99]", r"step 2 differs: `layer1.weight`"),
    ("torch.relu(x)", "nn.functional.silu(x)", r"step 1 differs: the loss is"),
]


def check_changes(program, worker, folder):
    """Changes the script, and sees that the first step and tensor that differ are named."""
    (folder / "c.toml").write_text(table())
    code, text = check(program, worker, folder / "c.toml", folder)
    if code:
        return [text]
    path = folder / "kept/verify.py"
    script, wrong = path.read_text(), []
    for old, new, expected in CHANGES:
        assert old in script, old
        path.write_text(script.replace(old, new, 1))
        code, text = worker.run(path)
        print(f"{old} -> {new}: {text}")
        if code != 1 or not re.search(expected, text):
            wrong.append(f"{old} -> {new}: exit code {code}, {text}")
    return wrong


def main():
    program, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    python = torch_python()
    if python is None:
        print("no Python with torch and numpy: nothing was compared; PEER_PYTHON names one")
        return 0
    failed, count, worker = [], 0, Worker(python)
    every = [(name, text, ()) for name, text in cases()]
    for path in sorted((ROOT / "configs").glob("*.toml")):
        sample = ("--set", "data.name='mnist-sample'") if 'name = "mnist"' in path.read_text() else ()
        every.append((f"configs/{path.name}", path, sample))
    for name, config, settings in every:
        if words and not any(word in name for word in words):
            continue
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            if isinstance(config, str):
                write_tables(folder)
                config = folder / "c.toml"
                config.write_text(dict((n, t) for n, t, _ in every)[name])
            code, text = check(program, worker, config, folder, settings)
        count += 1
        if code:
            failed.append(name)
        print(f"{'FAILED ' if code else ''}{name}: {text.splitlines()[-1] if text else code}", flush=True)
    if not words:
        with tempfile.TemporaryDirectory() as folder:
            write_tables(pathlib.Path(folder))
            for problem in check_changes(program, worker, pathlib.Path(folder)):
                failed.append("a change")
                print(f"FAILED a change is not found: {problem}")
    print(f"{count} runs, {len(failed)} failed: {', '.join(failed)}" if failed else f"{count} runs agree with PyTorch")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
