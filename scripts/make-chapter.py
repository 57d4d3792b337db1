#!/usr/bin/env python3
"""Makes the figures and the pictures of README.ru.md, the page for readers of the book's chapter.

    scripts/make-chapter.py target/release/descent [FOLDER]

Trains every system of the chapter on the full MNIST (data/mnist; scripts/fetch-mnist.sh), writes the pictures that
`descent compare --svg` draws to docs/chapter/, and prints the figures as the page has them. FOLDER keeps the runs; by
default they go to a temporary folder. Ten minutes on two cores. Needs nothing but Python.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/chapter"
DEEP = "model.hidden=" + str([100] * 10).replace(" ", "")
HELD_OUT = "data.validation=0.1"
PLAIN_SGD = ['optimizer.name="sgd"', "optimizer.lr=0.01"]

# Beside a loss of 1e18 the other line would lie on the axis.
WITHOUT_PICTURE = {"clipping"}

# What `compare --train CONFIG --vary KEY=VALUES --set …` trains: the picture's name, CONFIG, KEY=VALUES, and the settings.
COMPARISONS = [
    ("descents", "mini-batch", 'train.batch_size="full",64,1', [HELD_OUT, "train.epochs=10"]),
    (
        "init",
        "init",
        'model.init.hidden={name="kaiming_normal",nonlinearity="relu"},"xavier_normal",{name="normal",std=0.01}',
        [HELD_OUT, DEEP, *PLAIN_SGD, 'model.init.bias="zeros"', "train.epochs=3"],
    ),
    ("batch-norm", "batch-norm", "model.batch_norm=false,true", [HELD_OUT, DEEP, *PLAIN_SGD, "train.epochs=5"]),
    (
        "dropout",
        "dropout",
        "model.dropout=0.0,0.5",
        [HELD_OUT, "data.limit=3000", "train.epochs=40", "train.measure_train=true"],
    ),
    ("clipping", "rnn", "train.clip_grad_norm=1.0,1e9", ['optimizer.name="sgd"', "optimizer.lr=0.5"]),
]

# The figures that are printed, by the ends of their names.
LOSSES = ("train_loss", "end_loss", "val_loss", "test_loss")
MEASURES = (*LOSSES, "end_accuracy", "val_accuracy", "test_accuracy", "_rmse", "_r2")

# The systems of the chapter as they are.
SYSTEMS = ["batch", "stochastic", "mini-batch", "init", "batch-norm", "dropout", "rnn", "rnn-rows", "adam"]
# Those that one picture compares, over the same epochs.
OPTIMIZERS = ["adam", "rmsprop", "adagrad"]


def main(program: Path, runs: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for picture, config, vary, settings in COMPARISONS:
        out = runs / picture
        svg = [] if picture in WITHOUT_PICTURE else ["--svg", str(PICTURES / f"{picture}.svg")]
        variants = ["--train", config_file(config), "--vary", vary, "--out", str(out)]
        descent(program, "compare", *variants, *svg, *settings_of(settings))
        print(f"\n{picture}: {config}.toml, {vary}, {', '.join(settings)}")
        for run in sorted(out.iterdir()):
            print_run(run)
    print("\nThe same epochs for each optimizer")
    compared = [runs / f"ten-{name}" for name in OPTIMIZERS]
    for name, run in zip(OPTIMIZERS, compared):
        train(program, name, run, [HELD_OUT, "train.epochs=10"])
        print_run(run)
    descent(program, "compare", *map(str, compared), "--svg", str(PICTURES / "optimizers.svg"))
    print("\nEach config as it is")
    for name in SYSTEMS:
        train(program, name, runs / f"as-is-{name}", [])
        print_run(runs / f"as-is-{name}")


def config_file(name: str) -> str:
    return str(ROOT / "configs" / f"{name}.toml")


def settings_of(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def train(program: Path, config: str, out: Path, settings: list[str]) -> None:
    descent(program, "train", config_file(config), "--out", str(out), *settings_of(settings))


def descent(program: Path, *arguments: str) -> None:
    subprocess.run([program, "-q", *arguments], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def print_run(run: Path) -> None:
    """The first and the last epoch and the test results of a run, in one line each."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    final = next(line for line in lines if line["kind"] == "final")
    print(f"  {run.name}")
    for line in (epochs[0], epochs[-1], final):
        kept = ("epoch", "step", "best_epoch", "grad_norm", "clipped", "samples")
        shown = {key: value for key, value in line.items() if key in kept or key.endswith(MEASURES)}
        print("    " + "  ".join(f"{key}={shortly(value)}" for key, value in shown.items()))


def shortly(value: float | int) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if len(sys.argv) == 3:
        main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(sys.argv[1]).resolve(), Path(folder))
