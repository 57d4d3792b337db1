"""A trained model as bytes, for pickles."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import tomllib
import weakref
from pathlib import Path
from typing import Any

from descent_nn import _config
from descent_nn._error import Error

# What predicting needs, and the log.
FILES = ("config.toml", "data.toml", "model.safetensors", "metrics.jsonl")
# The names of the columns and classes of an estimator whose run is one on arrays.
NAMES = "names.json"


def read_names(run: Path) -> dict[str, Any]:
    """Returns the names of columns and classes beside a run on arrays; none where it has none.

    Raises ``Error`` if the file is damaged.
    """
    file = run / NAMES
    if not file.exists():
        return {}
    try:
        names = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Error(f"{file} cannot be read: {problem}; save the estimator again", 2) from problem
    columns, classes = (names.get(key, []) for key in ("columns", "classes")) if isinstance(names, dict) else (None, None)
    are_columns = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
    are_columns = are_columns and len(set(columns or [])) == len(columns or [])
    are_classes = isinstance(classes, list) and all(isinstance(name, str | int | float) for name in classes)
    if not are_columns or not are_classes:
        raise Error(f"{file} is damaged: it has lists of `columns` and `classes`; save the estimator again", 2)
    return dict(names)


class SavedRun:
    """The files of a run folder that predicting needs, held in memory; unpacked into a temporary folder at first use."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self._unpacked: Path | None = None
        self._unpacking = threading.Lock()

    @classmethod
    def read(cls, run: Path) -> SavedRun:
        """Reads a run folder."""
        return cls({name: (run / name).read_bytes() for name in FILES if (run / name).exists()})

    @property
    def fitted(self) -> dict[str, Any]:
        """What was fitted on the training rows: the content of ``data.toml``."""
        return tomllib.loads(self.files["data.toml"].decode())

    def with_fitted(self, fitted: dict[str, Any]) -> SavedRun:
        """Returns the run with another ``data.toml``."""
        return SavedRun(self.files | {"data.toml": _config.toml(fitted).encode()})

    def with_names(self, names: dict[str, Any]) -> SavedRun:
        """Returns the run with names of columns and classes, which a run on arrays has not."""
        return SavedRun(self.files | {NAMES: json.dumps(names, ensure_ascii=False).encode()})

    def write(self, folder: Path) -> None:
        """Writes the files to a folder that ``descent predict``, ``export`` and ``inspect`` take as a run."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)

    @property
    def folder(self) -> Path:
        """A folder with the files, removed with this object."""
        with self._unpacking:
            # What tidies temporary files may have taken one.
            if self._unpacked is None or not all((self._unpacked / name).exists() for name in self.files):
                folder = Path(tempfile.mkdtemp(prefix="descent-model-"))
                weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
                self.write(folder)
                self._unpacked = folder
            return self._unpacked

    def __reduce__(self) -> tuple[Any, ...]:
        return SavedRun, (self.files,)

    def __repr__(self) -> str:
        return f"SavedRun({sum(map(len, self.files.values())):,} bytes)"
