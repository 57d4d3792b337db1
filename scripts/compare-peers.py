#!/usr/bin/env python3
"""Microseconds an update of descent beside PyTorch and JAX, side by side on this machine.

    cargo build --release
    scripts/compare-peers.py target/release/descent            # the workloads of GUESSES
    scripts/compare-peers.py target/release/descent --sweep    # other widths, batches and depths
    scripts/compare-peers.py target/release/descent --scaling  # descent alone, over 1,000 to 600,000 rows
    scripts/compare-peers.py target/release/descent --before old/descent --peers jax --busy 1
                                # two builds of descent beside JAX, while another process keeps a core busy

Sets up PyTorch, JAX and ONNX Runtime from PyPI in virtual environments under ~/.cache/descent/peers at first (6 GB). A time
is the difference between a long and a short whole run, over the updates between: start-up, loading and compiling do not
count. The programs run in turns, round by round, and the median of the rounds is shown. Only ratios mean anything. The limit
is what the workload's matrix products and one pass over the optimizer's numbers take at this machine's rates (limit.py, which
measures them with PyTorch, whatever the peers are).
"""
import argparse
import contextlib
import functools
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts/peers"))
from environments import python
from workloads import MNIST, NET, WORKLOADS, config

SECONDS = 1.5  # what a long run has on top of a short one, about
LEAST_UPDATES = 24  # and no fewer updates: start-up and the last evaluation differ by tenths of a second from run to run

BEFORE = "descent, before"
PEERS = ["pytorch", "jax", "onnx"]

# A guess at the microseconds of an update; it decides how long the first runs are.
GUESSES = {
    "sgd-1": 100,
    "sgd-64": 600,
    "sgd-full": 200000,
    "adam-64": 1000,
    "adam-512": 5000,
    "batchnorm-64": 1300,
    "dropout-64": 1300,
    "wide-1024": 300000,
    "rnn-small": 300,
    "rnn-mnist": 5000,
    "lstm-mnist": 10000,
    "gru-mnist": 10000,
    "predict": 100000,
}


def sweep():
    """Other widths, batch sizes and depths."""
    for batch in (1, 2, 7, 100, 1000):
        yield f"batch {batch}", ({**NET, "batch": batch}, 300 + 10 * batch)
    for width in (10, 100, 500, 2000):
        yield f"width {width}", ({**MNIST, "hidden": [width, width]}, 300 + width * 5)
    for depth in (1, 2, 4, 6):
        yield f"depth {depth}", ({**MNIST, "hidden": [100] * depth}, 500 + 100 * depth)
    for width in (10, 300, 1000):
        yield f"sgd, batch 2, width {width}", ({**MNIST, "hidden": [width], "optimizer": "sgd", "batch": 2}, 200 + width)
    for batch in (7, 1000):
        yield f"BatchNorm, batch {batch}", ({**NET, "batch": batch, "batch_norm": True}, 500 + 10 * batch)
    rnn = {"rows": 5000, "outputs": 1, "optimizer": "adam", "clip": 1.0}
    for steps, hidden, batch in ((5, 10, 7), (50, 50, 32), (20, 300, 100)):
        work = {**rnn, "steps": steps, "inputs": 10, "hidden": [hidden], "batch": batch}
        yield f"RNN, T {steps}, width {hidden}, batch {batch}", (work, 500 + steps * 100)


def programs(descent, before, wanted):
    """For each peer the command that makes so many updates of a workload, or None where it has nothing to compare."""

    def train(descent, work, updates, folder):
        if work.get("predict"):
            rows, run = test_rows(folder, updates), trained(descent, work, folder)
            return [descent, "predict", run, "-q", "--input", rows, "--output", folder / "ours.parquet", "--threads", work["threads"]]
        (folder / "config.toml").write_text(config(work))
        out = folder / f"run-{time.time_ns()}"
        limit = ["--set", f"train.max_steps={updates}"]
        return [descent, "train", folder / "config.toml", "-q", "--out", out, "--threads", work["threads"], *limit]

    def peer(interpreter, script, *more):
        def command(work, updates, _):
            if work.get("predict"):
                return None
            return [interpreter, ROOT / "scripts/peers" / script, json.dumps(work), updates, *more]

        return command

    def onnx(interpreter, work, updates, folder):
        if not work.get("predict"):
            return None
        rows, model = test_rows(folder, updates), folder / "model.onnx"
        if not model.exists():
            seconds([descent, "export", trained(descent, work, folder), "--to", "onnx", "--output", model])
        return [interpreter, ROOT / "scripts/peers/onnx_runtime.py", model, rows, folder / "theirs.parquet", work["threads"]]

    peers = {"descent": functools.partial(train, descent)}
    if before:
        peers[BEFORE] = functools.partial(train, before)
    if "pytorch" in wanted:
        torch = python("pytorch", ["torch", "numpy"])
        peers["PyTorch"] = peer(torch, "pytorch.py")
        peers["PyTorch, fused"] = peer(torch, "pytorch.py", "fused")
    if "jax" in wanted:
        peers["JAX"] = peer(python("jax", ["jax", "numpy"]), "jax_scan.py")
    if "onnx" in wanted:
        peers["ONNX Runtime"] = functools.partial(onnx, python("onnx", ["onnxruntime", "numpy", "pyarrow"]))
    return peers


def trained(descent, work, folder):
    """A run of one update, made once."""
    run = folder / f"trained-{pathlib.Path(descent).stat().st_ino}"
    if not run.exists():
        (folder / "trained.toml").write_text(config({**work, "batch": 64}))
        seconds([descent, "train", folder / "trained.toml", "-q", "--out", run, "--set", "train.max_steps=1"])
    return run


def test_rows(folder, count):
    """MNIST's test rows so many times as a .npy file of bytes (N, 784), made once."""
    path = folder / f"rows-{count}.npy"
    if not path.exists():
        images = (ROOT / "data/mnist/t10k-images-idx3-ubyte").read_bytes()[16:]
        with path.open("wb") as file:
            npy(file, f"({10000 * count}, 784)", images, count)
    return path


def npy(file, shape, data, count):
    """Bytes so many times as an array in NumPy's format."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    for _ in range(count):
        file.write(data)


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return time.perf_counter() - start


def measure(program, work, updates, folder):
    """Seconds an update: a long run less a short one, again where other work made the short one longer."""
    short = max(updates // 10, 2)
    for _ in range(5):
        difference = seconds(program(work, short + updates, folder)) - seconds(program(work, short, folder))
        if difference > 0:
            return difference / updates
    sys.exit("the machine is too busy: a short run took longer than a long one, five times in turn")


@contextlib.contextmanager
def neighbours(count):
    """Processes that keep a core busy each, as long as this lasts."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def limit(work):
    """Seconds that the workload's products and a pass over the optimizer's numbers take on this machine, now."""
    command = [python("pytorch", ["torch", "numpy"]), ROOT / "scripts/peers/limit.py", json.dumps(work)]
    return float(subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout)


def timed(peers, work, guess, rounds, folder):
    """The median seconds of an update by peer, and of the limit."""
    folder, limits = pathlib.Path(folder), []
    times, updates = {}, {}
    for peer, program in peers.items():  # a first round finds out how many updates fill the time
        if program(work, 1, folder) is None:
            continue
        updates[peer] = max(round(SECONDS * 1e6 / guess), 4)
        took = measure(program, work, updates[peer], folder)
        updates[peer] = max(min(round(SECONDS / took), 100 * updates[peer]), LEAST_UPDATES)
        times[peer] = []
    for _ in range(rounds):
        limits.append(limit(work))
        for peer in times:
            times[peer].append(measure(peers[peer], work, updates[peer], folder))
    return {peer: statistics.median(values) for peer, values in times.items()}, statistics.median(limits)


def compare(peers, workloads, rounds):
    """Prints a line a workload, with the ratio to the fastest peer and to the limit."""
    print("| workload | " + " | ".join(f"{name}, µs" for name in peers) + " | limit, µs | fastest peer / descent | descent / limit |")
    print("| --- " * (len(peers) + 4) + "|")
    ratios = []
    for name, (work, guess) in workloads:
        work = {**work, "threads": os.cpu_count()}
        with tempfile.TemporaryDirectory() as folder:
            medians, least = timed(peers, work, guess, rounds, folder)
        others = [value for peer, value in medians.items() if peer not in ("descent", BEFORE)]
        cells = [f"{medians[peer] * 1e6:,.1f}" if peer in medians else "" for peer in peers]
        cells.append(f"{least * 1e6:,.1f}")
        if others:
            ratios.append(min(others) / medians["descent"])
        cells.append(f"{ratios[-1]:.2f}" if others else "")
        cells.append(f"{medians['descent'] / least:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if ratios:
        print(f"\ngeometric mean {math.exp(statistics.fmean(map(math.log, ratios))):.2f}, least {min(ratios):.2f}")


def copies(path, count):
    """An .npz of `count` copies of MNIST's training rows, as np.savez writes it."""
    images = (ROOT / "data/mnist/train-images-idx3-ubyte").read_bytes()[16:]
    labels = (ROOT / "data/mnist/train-labels-idx1-ubyte").read_bytes()[8:]
    rows = 60000 * count
    with zipfile.ZipFile(path, "w") as file:
        for name, shape, data in (("x_train", f"({rows}, 784)", images), ("y_train", f"({rows},)", labels)):
            with file.open(name + ".npy", "w", force_zip64=True) as out:
                npy(out, shape, data, count)


def scaling(descent, rounds):
    """Prints what a row costs where an epoch has few or many of them."""
    print("| rows | ns a row | seconds an epoch |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        copies(folder / "copies.npz", 10)
        source = config(MNIST | {"hidden": [128], "optimizer": "sgd"})
        source = source[source.index("[model]") :]
        for rows in (1000, 10000, 60000, 600000):
            text = f'[data]\nname = "npz"\npath = "{folder}/copies.npz"\nlimit = {rows}\n{source}'
            (folder / "config.toml").write_text(text)

            def program(_, updates, folder):
                out, limit = folder / f"run-{time.time_ns()}", f"train.max_steps={updates}"
                return [descent, "train", folder / "config.toml", "-q", "--out", out, "--set", limit]

            # Whole epochs, so that what an epoch costs on top of its updates counts.
            each = -(-rows // 64)
            updates = each * max(20000 // each, 2)
            update = statistics.median(measure(program, None, updates, folder) for _ in range(rounds))
            print(f"| {rows:,} | {update / 64 * 1e9:,.0f} | {update * each:.3f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("descent", nargs="?", default="target/release/descent")
    parser.add_argument("--sweep", action="store_true", help="other widths, batches and depths")
    parser.add_argument("--scaling", action="store_true", help="descent alone, over 1,000 to 600,000 rows")
    parser.add_argument("--only", nargs="*", default=[], help="these workloads")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS)
    parser.add_argument("--before", metavar="DESCENT", help="another build of descent, run in turns with the first")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="N processes that each keep a core busy")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.scaling:
        sys.exit(scaling(os.path.abspath(arguments.descent), arguments.rounds))
    chosen = list(sweep()) if arguments.sweep else [(name, (WORKLOADS[name], guess)) for name, guess in GUESSES.items()]
    if unknown := set(arguments.only) - {name for name, _ in chosen}:
        parser.error(f"--only: no workload {', '.join(sorted(unknown))}; there are {', '.join(name for name, _ in chosen)}")
    chosen = [(name, work) for name, work in chosen if not arguments.only or name in arguments.only]
    wanted = [peer for peer in arguments.peers if peer != "onnx" or any(work.get("predict") for _, (work, _) in chosen)]
    before = arguments.before and os.path.abspath(arguments.before)
    with neighbours(arguments.busy):
        compare(programs(os.path.abspath(arguments.descent), before, wanted), chosen, arguments.rounds)
