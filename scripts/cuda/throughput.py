#!/usr/bin/env python3
"""The time of an update on the CPU and on the GPU, as a table in Markdown: the difference of a long and a short run.

usage: throughput.py DESCENT [DEVICE …]     DEVICE: cpu, cuda, or "cuda, graph" and the like, by `main`. Runs in the repository,
with data/mnist.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

# A config, what it is changed by, and the updates of the long run.
WORKLOADS = {
    "sgd-64": ("mini-batch", [], 4000),
    "sgd-full": ("batch", [], 60),
    "adam-64": ("init", [], 4000),
    "adam-1024": ("init", ["train.batch_size=1024"], 1000),
    "batchnorm-64": ("batch-norm", [], 2000),
    "dropout-64": ("dropout", [], 2000),
    "rnn-mnist": ("rnn-rows", [], 600),
    "wide-1024": ("init", ["train.batch_size=1024", "model.hidden=[2048, 2048]"], 300),
}


def seconds(program, config, options, device, updates):
    with tempfile.TemporaryDirectory() as folder:
        sets = [f"train.max_steps={updates}", "train.epochs=100000", 'train.checkpoint_every="never"',
                "train.tensorboard=false", "data.limit=60000", *options]
        command = [program, "-q", "train", f"configs/{config}.toml", "--device", device, "--out", folder + "/run"]
        command += [part for option in sets for part in ("--set", option)]
        start = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    devices = sys.argv[2:] or ["cpu", "cuda", "cuda, graph", "cuda, tf32"]
    more = {"graph": "train.cuda_graph=true", "tf32": 'train.precision="tf32"', "bf16": 'train.precision="bf16"'}
    print("| workload | " + " | ".join(f"{device}, µs an update" for device in devices) + " |")
    print("| --- " * (len(devices) + 1) + "|")
    for name, (config, options, updates) in WORKLOADS.items():
        times = []
        for device in devices:
            where, _, kind = device.partition(", ")
            # The first run of all reads what the others find in memory.
            if not times:
                seconds(program, config, options, where, 1)
            own = options + ([more[kind]] if kind else [])
            short, long = (seconds(program, config, own, where, n) for n in (updates // 10, updates))
            times.append((long - short) / (updates - updates // 10) * 1e6)
        print(f"| {name} | " + " | ".join(f"{time:,.1f}" for time in times) + " |", flush=True)


main()
