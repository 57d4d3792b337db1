"""Training and its results."""

from __future__ import annotations

import contextlib
import html
import json
import os
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from descent_nn import _config, _program, _progress, _tables
from descent_nn._error import DescentWarning, Error
from descent_nn._model import Model

ARRAYS = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test", "w_train", "w_val", "w_test")


def train(
    config: Any = None,
    *,
    target: str | int | Sequence[str | int] | None = None,
    data: Any = None,
    out: str | os.PathLike[str] | None = None,
    init_from: str | os.PathLike[str] | None = None,
    device: str = "auto",
    threads: int | None = None,
    progress: bool | None = None,
    **overrides: Any,
) -> Run:
    """Trains a network and returns its run.

    Args:
        config: A config file, or its content as a nested dict whose paths are relative to the current folder. Or a
            table, in memory or as a file: the config is then that of ``descent init``. Left out, the program's quick
            start on its embedded MNIST sample.
        target: The column to predict, or several, where a table is given in place of a config.
        data: The rows to train on, in place of ``data.path``: a pandas or Polars DataFrame, an Arrow table, a list of
            dicts, or a dict of the arrays x_train, y_train and optionally x_val, y_val, x_test, y_test. They are
            written beside the run folder, where ``resume`` and ``report`` find them.
        out: The run folder to write; by default ``runs/NAME-TIME``.
        init_from: A ``.safetensors`` file with the weights to start from.
        device: auto, cpu, cuda or cuda:N.
        threads: Number of CPU threads; the results do not depend on it.
        progress: Whether one updating line shows the progress; by default in a notebook and on a terminal.
        **overrides: Keys of the config: ``optimizer__lr=0.01`` changes ``optimizer.lr``.

    Raises:
        Error: With the program's sentence, where the config or the data is wrong or the training fails.
        KeyboardInterrupt: After a checkpoint was saved; ``Run(path).resume()`` goes on from it.
    """
    if target is not None or _tables.is_in_memory(config):
        if data is not None:
            raise Error("a table is given twice, as `config` and as `data`; give a config with `data`, or the table alone", 2)
        config, data = None, config
    run = _new_folder(config) if out is None else Path(out)
    with tempfile.TemporaryDirectory(prefix="descent-") as folder:
        made_here = Path(folder) / "config.toml"
        rows = None
        try:
            rows = None if data is None else _Rows(data, run)
            arguments = _subject(config, rows, target, made_here)
            arguments += [*_config.settings(overrides), "--out", str(run), "--device", device]
            if init_from is not None:
                arguments += ["--init-from", os.fspath(init_from)]
            if threads is not None:
                arguments += ["--threads", str(threads)]
            _train(arguments, run, progress, made_here)
        finally:
            if not (run / "config.toml").exists():
                if rows is not None:
                    rows.remove()
                if out is None:
                    _remove_empty(run)
    return Run(run)


class Run:
    """A run folder: the trained model, its log and its report."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._given = os.fspath(path)
        self.path = Path(path).absolute()
        if not (self.path / "config.toml").exists():
            raise Error(f"{self._given} holds no run: it has no config.toml", 2)

    def __repr__(self) -> str:
        test = "  ".join(f"{name} {value:.4f}" for name, value in list(self.test.items())[:2])
        return f"Run({self._given!r})" + (f"  {test}" if test else "")

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of ``metrics.jsonl``."""
        lines = (self.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def metrics(self) -> Any:
        """One row per epoch: a pandas DataFrame, a Polars DataFrame where only that is installed, else a list of dicts."""
        epochs = [{k: v for k, v in line.items() if k != "kind"} for line in self.log if line["kind"] == "epoch"]
        if find_spec("pandas"):
            import pandas

            return pandas.DataFrame(epochs)
        if find_spec("polars"):
            import polars

            return polars.DataFrame(epochs)
        return epochs

    @property
    def test(self) -> dict[str, float]:
        """Loss and metrics of the best weights on the test rows; empty if there are none or the run has not ended."""
        final = [line for line in self.log if line["kind"] == "final"]
        results = final[-1] if final else {}
        return {name: value for name, value in results.items() if name.startswith("test_")}

    @cached_property
    def model(self) -> Model:
        """The model with the run's best weights."""
        return Model(self.path)

    def evaluate(self, data: Any = None) -> dict[str, Any]:
        """Evaluates the best weights on the run's test rows, or on all rows of a file or of a table in memory."""
        with tempfile.TemporaryDirectory(prefix="descent-") as folder:
            inputs = [] if data is None else ["--input", str(_tables.write(data, Path(folder) / "rows"))]
            return dict(json.loads(_program.call(["-q", "eval", str(self.path), "--json", *inputs])))

    def report(self, output: str | os.PathLike[str] | None = None) -> Report:
        """Writes the HTML report, by default into the run folder, and shows it where the last line of a cell does."""
        path = self.path / "report.html" if output is None else Path(output)
        _program.call(["-q", "report", str(self.path), "--output", str(path)])
        return Report(path)

    def resume(
        self, *, progress: bool | None = None, device: str = "auto", threads: int | None = None, **overrides: Any
    ) -> Run:
        """Goes on from the newest checkpoint; ``train__epochs=20`` trains longer. Returns the run itself."""
        arguments = ["--resume", str(self.path), *_config.settings(overrides), "--device", device]
        if threads is not None:
            arguments += ["--threads", str(threads)]
        _train(arguments, self.path, progress)
        return Run(self.path)


class Report:
    """An HTML page; a notebook shows it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Report({str(self.path)!r})"

    def _repr_html_(self) -> str:
        page = html.escape(self.path.read_text(encoding="utf-8"), quote=True)
        style = "width:100%;height:700px;border:1px solid #ccc"
        return f'<iframe srcdoc="{page}" style="{style}" sandbox="allow-scripts"></iframe>'


class Comparison:
    """Runs side by side: a table in text and a picture of their curves, which a notebook shows."""

    def __init__(self, text: str, svg: str) -> None:
        self.text = text
        self.svg = svg

    def __repr__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        return self.svg


def compare(
    runs: Run | str | os.PathLike[str] | Sequence[Run | str | os.PathLike[str]],
    *,
    axis: str = "epochs",
    metric: str | None = None,
) -> Comparison:
    """Compares runs over ``axis``: epochs, updates, samples or seconds."""
    runs = [runs] if isinstance(runs, Run | str | os.PathLike) else runs
    paths = [str(run.path) if isinstance(run, Run) else os.fspath(run) for run in runs]
    with tempfile.TemporaryDirectory(prefix="descent-") as folder:
        svg = Path(folder) / "curves.svg"
        chosen = [] if metric is None else ["--metric", metric]
        text = _program.call(["-q", "compare", *paths, "--axis", axis, *chosen, "--svg", str(svg)])
        return Comparison(text, svg.read_text(encoding="utf-8"))


def _train(arguments: Sequence[str], run: Path, progress: bool | None, made_here: Path | None = None) -> None:
    screen = _progress.screen(progress)
    watch = None if screen is None else _progress.Progress(run, screen)
    try:
        messages = _program.train(["train", *arguments], watch, made_here)
    finally:
        if watch is not None:
            watch.close()
    for warning in _program.warnings_of(messages):
        warnings.warn(warning, DescentWarning, stacklevel=3)


class _Rows:
    """Rows to train on as a file: the caller's own, or one written beside the run folder, over no other run's."""

    def __init__(self, data: Any, run: Path) -> None:
        self.given = isinstance(data, str | os.PathLike)
        self.path = Path(data) if self.given else self._write(data, run)

    def remove(self) -> None:
        if not self.given:
            self.path.unlink(missing_ok=True)

    @staticmethod
    def _write(data: Any, run: Path) -> Path:
        run = run.absolute().resolve()
        stem = run.with_name(f"{run.name}-data")
        _tables.require_empty(run)
        for taken in (stem.with_name(stem.name + extension) for extension in _tables.FORMATS):
            if taken.exists():
                raise Error(f"{taken} exists: it has the rows of another run; remove it or choose another `out`", 2)
        run.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(data, Mapping):
            return _tables.write_new(lambda stem: _tables.write(data, stem), stem)
        unknown = [name for name in data if name not in ARRAYS]
        if unknown:
            raise Error(f"unknown array `{unknown[0]}`; known are {', '.join(ARRAYS)}", 2)
        return _tables.write_new(lambda stem: _tables.write_arrays(dict(data), stem.with_name(f"{stem.name}.npz")), stem)


def _subject(
    config: Any, rows: _Rows | None, target: str | int | Sequence[str | int] | None, made_here: Path
) -> list[str]:
    """What is trained: a config, or a table for which the program chooses one."""
    if config is None and rows is not None:
        targets = [target] if isinstance(target, str | int) else target or []
        return [str(rows.path), *(word for name in targets for word in ("--target", str(name)))]
    if hasattr(config, "__array_interface__"):
        raise Error("an array has no column names; give a config and data={'x_train': …, 'y_train': …}, or a DataFrame", 2)
    arguments = [] if config is None else [os.fspath(config)] if not isinstance(config, Mapping) else [str(made_here)]
    if isinstance(config, Mapping):
        _config.write_toml(_config.with_absolute_paths(config), made_here)
    if rows is not None:
        name = _tables.FORMATS.get(rows.path.suffix)
        named = {"data.path": str(rows.path.absolute())} | ({"data.name": name} if name else {})
        arguments += _config.settings(named)
    return arguments


def _new_folder(config: Any) -> Path:
    """Makes a folder of its own for a run: another training may begin in the same second."""
    name = Path(config).stem if isinstance(config, str | os.PathLike) else "run"
    first = Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, count = first, 1
    while True:
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            count += 1
            folder = first.with_name(f"{first.name}-{count}")
        else:
            return folder


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
