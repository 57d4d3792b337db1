#!/usr/bin/env python3
"""Microseconds an update of descent on the CPU and on a GPU, beside PyTorch and JAX there, as a table in Markdown.

    throughput.py DESCENT                          descent on both devices
    throughput.py DESCENT --torch python3 --jax python3     and the peers, by interpreters that have them
    throughput.py DESCENT --dry …                  every part of it in a minute on a CPU: the numbers mean nothing

All take turns, round by round, and the medians are shown; a round that does not fit `--budget` is left out. descent's time
is that of the epochs behind the first, as its log has it; the peers' that of warm updates, with the device waited for.
"""
import argparse
import json
import os
import pathlib
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts/peers"))
from workloads import WORKLOADS, config

NAMES = ["sgd-64", "adam-64", "adam-1024", "batchnorm-64", "dropout-64", "rnn-mnist", "wide-1024", "sgd-full"]
DESCENT = {
    "descent, CPU": ("cpu", []),
    "descent": ("cuda", []),
    "descent, eager": ("cuda", ["train.cuda_graph=false"]),
    "descent, tf32": ("cuda", ['train.precision="tf32"']),
}
PEERS = {
    "PyTorch": ("torch", "eager"),
    "PyTorch, graph": ("torch", "graph"),
    "JAX, scan": ("jax", "scan"),
}


# Seconds in which a peer answers, its compiler included.
PATIENCE = 30


class Failed(Exception):
    """Why a cell of the table is empty."""


def shrunk(work):
    """A stand-in that is fast on any machine."""
    rows = 256
    hidden = [min(width, 64) for width in work["hidden"]]
    return {**work, "rows": rows, "batch": rows if work["batch"] == work["rows"] else min(work["batch"], 64), "hidden": hidden, "scan": 2}


class Descent:
    """Runs of the program, each for `seconds`."""

    def __init__(self, program, device, options, arguments):
        self.program, self.device, self.options, self.arguments = program, device, options, arguments
        self.rows = {}

    def run(self, work, limit, deadline, wrap=()):
        """The epochs that a run logs."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "config.toml").write_text(config(work))
            sets = [limit, f"data.limit={work['rows']}", "train.tensorboard=false", *self.options]
            command = [*wrap, self.program, "-q", "train", folder / "config.toml", "--device", self.device, "--out", folder / "run"]
            command += [part for option in sets for part in ("--set", option)]
            command, seconds = [str(part) for part in command], max(deadline - time.monotonic(), 1)
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
            except subprocess.TimeoutExpired as late:
                raise Failed(f"descent {self.device} was not done in {seconds:.0f} s") from late
            if done.returncode:
                raise Failed(f"descent {self.device}: {(done.stderr or done.stdout).strip()[-300:]}")
            self.output = done.stdout
            lines = map(json.loads, (folder / "run/metrics.jsonl").read_text().splitlines())
            return [line for line in lines if line.get("kind") == "epoch"]

    def epochs(self, work):
        """The epochs of a run: three or more where that is possible, so that the first can be left out."""
        if self.arguments.quick:
            limit = "train.max_steps=" + str(3 * -(-work["rows"] // work["batch"]))
            return self.run(work, limit, self.arguments.deadline + 20)
        key, full = json.dumps(work), work["rows"] == work["batch"]
        rows = self.rows.setdefault(key, work["rows"])
        while True:
            limited, limit = {**work, "rows": rows}, f"train.max_time={self.arguments.seconds}"
            found = self.run(limited, limit, self.arguments.deadline + 20)
            if len(found) > 2 or full or rows < 8 * work["batch"]:
                return found
            # Fewer rows make shorter epochs of the same updates.
            self.rows[key] = rows = rows // 4

    def microseconds(self, work):
        epochs = self.epochs(work)
        # The first one has what happens once. Where a few updates take all the time that does not weigh.
        before = epochs[0]["step"] if epochs[1:] else 0
        return sum(epoch["seconds"] for epoch in epochs[1:] or epochs) / (epochs[-1]["step"] - before) * 1e6


class Server:
    """A peer's process (scripts/peers/server.py)."""

    def __init__(self, interpreter, script, device, log):
        self.name, self.log = script, log
        self.command = [interpreter, str(ROOT / "scripts/peers" / script), "serve", device]
        self.start()

    def start(self):
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        except OSError as error:
            self.process, self.left_out = None, f"{self.command[0]}: {error.strerror}"

    def ready(self, deadline):
        """What the peer calls itself; nothing where it is not there."""
        if self.process is None:
            return None
        try:
            said = self.read(deadline)
        except Failed as failed:
            said = {"left_out": str(failed)}
        self.left_out = said.get("left_out")
        return said.get("ready")

    def read(self, deadline):
        if not select.select([self.process.stdout], [], [], max(deadline - time.monotonic(), 0.1))[0]:
            raise Failed(f"{self.name} did not answer in time")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.name} ended (is it installed?)")
        return json.loads(line)

    def send(self, request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise Failed(f"{self.name} is gone: {error.strerror}") from error

    def ask(self, request, deadline):
        self.send(request)
        try:
            answer = self.read(deadline)
        except Failed:
            # The next one is asked anew.
            self.process.kill()
            self.start()
            self.ready(time.monotonic() + PATIENCE)
            raise
        if "error" in answer:
            raise Failed(f"{self.name}: {answer['error']}")
        return answer["microseconds"]


class Peer:
    def __init__(self, server, variant, arguments):
        self.server, self.variant, self.arguments, self.updates = server, variant, arguments, {}

    def microseconds(self, work):
        # A compiler that takes longer gives its turn to the others.
        deadline = min(self.arguments.deadline, time.monotonic() + PATIENCE)
        request = {"work": work, "variant": self.variant}
        key = json.dumps(work)
        if key not in self.updates:
            # A scan compiles for its length; the loop finds out how many updates fill the time.
            each = max(work["rows"] // work["batch"], 1)
            probe = work.get("scan") or (each if self.variant == "scan" else 10)
            took = self.server.ask({**request, "updates": probe}, deadline)
            wanted = 2 if self.arguments.quick else self.arguments.seconds * 5e5 / max(took, 0.1)
            self.updates[key] = max(int(wanted), probe)
        return self.server.ask({**request, "updates": self.updates[key]}, deadline)


def launches(program, arguments, log):
    """Kernels of an update and the share of its time that they fill, by ncu: a longer run less a shorter one."""
    ncu = shutil.which("ncu")
    if not ncu:
        return "left out: launches an update and the GPU's idle share, by ncu, which is not installed"
    lines, deadline = [], time.monotonic() + 40
    for name in ("sgd-64", "adam-64"):
        counted = []
        for updates in (10, 30):
            gpu = Descent(program, *DESCENT["descent, eager"], arguments)
            wrap = [ncu, "--clock-control", "none", "--metrics", "gpu__time_duration.sum", "--csv", "--print-units", "base"]
            limited = {**WORKLOADS[name], "rows": 2560}
            try:
                gpu.run(limited, f"train.max_steps={updates}", deadline, wrap)
            except Failed as failed:
                return f"left out: launches an update, by ncu: {failed}"
            log.write(gpu.output)
            rows = [line.rsplit('","', 1) for line in gpu.output.splitlines() if "gpu__time_duration" in line]
            times = [float(row[1].strip('"').replace(",", "")) for row in rows if len(row) == 2]
            counted.append((len(times), sum(times)))
        (few, short), (many, long) = counted
        lines.append((name, (many - few) / 20, (long - short) / 20 / 1000))
    return lines


def show(peers, works, times, failures, rounds):
    """The table, with the ratio of the best peer to descent, both in f32 on the GPU."""
    medians = {key: statistics.median(values) for key, values in times.items() if values}
    theirs = [name for name in PEERS if name in peers]
    lines = ["| workload | " + " | ".join(f"{name}, µs" for name in peers) + (" | best peer / descent |" if theirs else " |")]
    lines.append("| --- " * (len(peers) + 1 + bool(theirs)) + "|")
    for name in works:
        cells = [f"{medians[name, peer]:,.1f}" if (name, peer) in medians else "—" for peer in peers]
        best, own = min((medians[name, peer] for peer in theirs if (name, peer) in medians), default=None), medians.get((name, "descent"))
        if theirs:
            cells.append(f"{best / own:.2f}" if best and own else "—")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append(f"\nMicroseconds an update, medians of {rounds} round{'s' * (rounds != 1)} in turns; f32 but for the column of tf32.")
    for why in dict.fromkeys(failures.values()):
        lines.append(f"failed: {why}: " + "; ".join(f"{name}, {peer}" for (name, peer), own in failures.items() if own == why))
    return "\n".join(lines)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("descent")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter with PyTorch")
    parser.add_argument("--jax", metavar="PYTHON", help="an interpreter with JAX")
    parser.add_argument("--only", nargs="*", default=NAMES, choices=NAMES, help="these workloads")
    parser.add_argument("--columns", nargs="*", help="these columns: " + ", ".join([*DESCENT, *PEERS]))
    parser.add_argument("--gpu-only", action="store_true", help="all columns but that of the CPU")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.6, help="how long a measurement is")
    parser.add_argument("--budget", type=float, default=3600, help="seconds for all of it")
    parser.add_argument("--quick", action="store_true", help="small stand-ins, few updates: for an emulated GPU")
    parser.add_argument("--dry", action="store_true", help="as --quick, with the CPU in the GPU's place")
    parser.add_argument("--log", type=argparse.FileType("w"), default=open(os.devnull, "w"), help="what the peers and ncu print")
    arguments = parser.parse_args()
    arguments.quick |= arguments.dry
    arguments.deadline = time.monotonic() + arguments.budget
    return arguments


def start(arguments):
    """The columns, and what is left out and why."""
    program, device = str(pathlib.Path(arguments.descent).resolve()), "cpu" if arguments.dry else "cuda"
    peers, notes = {}, []
    for name, (where, options) in DESCENT.items():
        peers[name] = Descent(program, "cpu" if arguments.dry else where, options, arguments)
    scripts = {"torch": (arguments.torch, "pytorch.py"), "jax": (arguments.jax, "jax_scan.py")}
    servers = {kind: Server(python, script, device, arguments.log) for kind, (python, script) in scripts.items() if python}
    for kind, server in servers.items():
        ready = server.ready(min(arguments.deadline, time.monotonic() + 60))
        notes.append(ready or f"left out: {kind}: {server.left_out}")
        if ready:
            peers.update({name: Peer(server, variant, arguments) for name, (own, variant) in PEERS.items() if own == kind})
    if arguments.gpu_only:
        del peers["descent, CPU"]
    if arguments.columns:
        peers = {name: peer for name, peer in peers.items() if name in arguments.columns}
    return program, peers, notes


def main():
    arguments = parse()
    program, peers, notes = start(arguments)
    works = {name: shrunk(WORKLOADS[name]) if arguments.quick else WORKLOADS[name] for name in arguments.only}
    times, failures, made, longest = {(name, peer): [] for name in works for peer in peers}, {}, 0, 0.0
    while made < arguments.rounds and time.monotonic() + longest < arguments.deadline:
        begun = time.monotonic()
        for name, work in works.items():
            for peer, program_or_server in peers.items():
                # A first round always gets something of everything, as far as the time goes.
                if (name, peer) in failures or time.monotonic() > arguments.deadline:
                    continue
                try:
                    times[name, peer].append(program_or_server.microseconds(work))
                except (Failed, OSError, ValueError, KeyError, IndexError) as failed:
                    failures[name, peer] = str(failed).replace("\n", " ")
        made, longest = made + 1, time.monotonic() - begun
    print(show(peers, works, times, failures, made))
    if arguments.quick:
        print("Small stand-ins of the workloads: these numbers only say that it runs.")
    print("\n".join(notes), flush=True)
    if not arguments.quick:
        counted = launches(program, arguments, arguments.log)
        if isinstance(counted, str):
            print(counted)
        else:
            for name, count, busy in counted:
                wall = statistics.median(times.get((name, "descent, eager")) or [float("nan")])
                print(f"{name}, eager: {count:.1f} kernels an update, {busy:.1f} µs of its {wall:.1f}; the GPU is idle for {max(1 - busy / wall, 0):.0%}")
    # What a peer cannot do is in the table.
    sys.exit(any(peer in DESCENT for _, peer in failures))


main()
