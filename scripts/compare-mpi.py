#!/usr/bin/env python3
"""Ranks beside one process, and beside PyTorch's DistributedDataParallel over gloo, on this machine.

    MPICC=mpicc.openmpi cargo build --release --features mpi
    scripts/compare-mpi.py target/release/descent
    scripts/compare-mpi.py target/release/descent --shards 2    # the fixed tree in place of MPI's own all-reduce

Milliseconds an update of the MLP 784-256-128-10 with Adam (235,146 parameters) on MNIST, for batches of 64, 1,024 and all
rows: one process of one thread, one of two, two ranks of a thread each. As in compare-peers.py a time is a long run less a
short one over the updates between, the programs take turns, and the median of the rounds is shown. The share of the
all-reduce is what two ranks take above half of what one rank of one thread takes: waiting for each other, and what does not
get shorter with fewer rows, are in it.
"""
import argparse
import importlib.util
import json
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts/peers"))
from workloads import NET, config

found = importlib.util.spec_from_file_location("compare_peers", ROOT / "scripts/compare-peers.py")
peers = importlib.util.module_from_spec(found)
found.loader.exec_module(peers)

BATCHES = {64: 600, 1024: 8000, 60000: 400000}  # with a guess at the microseconds of an update


def programs(descent, mpirun, shards):
    """For each way of training the command that makes so many updates of a workload."""

    def ours(threads, ranks):
        def command(work, updates, folder):
            (folder / "config.toml").write_text(config(work))
            train = [descent, "train", folder / "config.toml", "-q", "--threads", threads]
            train += ["--out", folder / f"run-{time.time_ns()}", "--set", f"train.max_steps={updates}"]
            launcher = [*mpirun.split(), "-np", ranks] if ranks > 1 else []
            return [*launcher, *train, "--set", f"train.shards={shards}"]

        return command

    torch = peers.python("pytorch", ["torch", "numpy"])
    folder = ROOT / "scripts/peers"

    def single(threads):
        return lambda work, updates, _: [torch, folder / "pytorch.py", json.dumps({**work, "threads": threads}), updates]

    return {
        "1 process, 1 thread": ours(1, 1),
        "1 process, 2 threads": ours(2, 1),
        "2 ranks, 1 thread": ours(1, 2),
        "PyTorch, 1 thread": single(1),
        "PyTorch, 2 threads": single(2),
        "PyTorch DDP, 2 ranks": lambda work, updates, _: [torch, folder / "pytorch_ddp.py", json.dumps(work), updates, 2],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("descent", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="about what a run of one process takes")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--batches", type=int, nargs="*", default=list(BATCHES))
    parser.add_argument("--mpirun", default="mpirun.openmpi --allow-run-as-root --bind-to core --mca btl self,vader")
    options = parser.parse_args()
    ways = programs(options.descent.resolve(), options.mpirun, options.shards)
    print("| batch | " + " | ".join(f"{way}, ms" for way in ways) + " | 1 / 2 ranks | DDP: 1 / 2 ranks | all-reduce, ms |")
    print("| --- " * (len(ways) + 4) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for batch in options.batches:
            work, guess = {**NET, "batch": batch, "threads": 1}, BATCHES.get(batch, 8 * batch)
            updates, times = max(round(1e6 * options.seconds / guess), 8), {way: [] for way in ways}
            for _ in range(options.rounds):
                for way, program in ways.items():
                    times[way].append(1e3 * peers.measure(program, work, updates, pathlib.Path(folder)))
            ms = {way: statistics.median(each) for way, each in times.items()}
            one, two = ms["1 process, 1 thread"], ms["2 ranks, 1 thread"]
            ddp = ms["PyTorch, 1 thread"] / ms["PyTorch DDP, 2 ranks"]
            numbers = " | ".join(f"{value:,.3f}" for value in ms.values())
            print(f"| {batch:,} | {numbers} | {one / two:.2f} | {ddp:.2f} | {two - one / 2:.3f} |", flush=True)


main()
