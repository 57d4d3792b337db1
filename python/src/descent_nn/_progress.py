"""Progress of a training: one line that is rewritten, in a notebook or on a terminal."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

# What most people look at first, in this order; whichever two the run has.
SHOWN = ("val_loss", "val_accuracy", "val_rmse", "train_loss")


class Progress:
    """Follows a run's ``metrics.jsonl``; call it now and then."""

    def __init__(self, run: Path, screen: Screen) -> None:
        self._log = run / "metrics.jsonl"
        self._screen = screen
        self._read = 0
        self._kept = b""

    def __call__(self) -> None:
        epoch = self._last_epoch()
        if epoch is not None:
            self._screen.show(line_of(epoch))

    def close(self) -> None:
        self._screen.close()

    def _last_epoch(self) -> dict[str, Any] | None:
        try:
            with self._log.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except OSError:
            return None
        self._read += len(new)
        *lines, self._kept = (self._kept + new).split(b"\n")
        epochs = [line for line in map(_parsed, lines) if line.get("kind") == "epoch"]
        return epochs[-1] if epochs else None


def line_of(epoch: dict[str, Any]) -> str:
    """Returns the line for one epoch of the log."""
    shown = [f"{name} {epoch[name]:.4f}" for name in SHOWN if isinstance(epoch.get(name), float)][:2]
    return "  ".join([f"epoch {epoch['epoch']}", *shown])


class Screen:
    """A line on a terminal."""

    def show(self, line: str) -> None:
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()

    def close(self) -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


class Notebook(Screen):
    """An output of the cell that is updated in place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, line: str) -> None:
        from IPython.display import display

        plain = {"text/plain": line}
        if self._handle is None:
            self._handle = display(plain, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(plain, raw=True)

    def close(self) -> None:
        """The last line stays in the notebook."""


def screen(wanted: bool | None) -> Screen | None:
    """Returns where progress is shown: by default in a notebook and on a terminal, and nowhere in CI or a pipe."""
    if wanted is False:
        return None
    if _in_notebook():
        return Notebook()
    if wanted or (sys.stderr.isatty() and not os.environ.get("CI")):
        return Screen()
    return None


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    if ipython is None or os.environ.get("CI"):
        return False
    shell = ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
