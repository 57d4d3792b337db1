"""Configs: dicts as TOML, and overrides as ``--set``."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from descent_nn._error import Error

BARE = re.compile(r"[A-Za-z0-9_-]+")
# Keys that name files; a dict has no folder that they could be relative to but the current one.
PATHS = ("path", "test", "cache")
SEPARATOR = "__"


def write_toml(config: Mapping[str, Any], path: Path) -> None:
    """Writes a nested dict as a TOML file; keys whose value is None are left out."""
    path.write_text(toml(config), encoding="utf-8")


def toml(config: Mapping[str, Any]) -> str:
    """Returns a nested dict as TOML; keys whose value is None are left out."""
    top = [f"{_key(k)} = {value(v)}" for k, v in config.items() if v is not None and not isinstance(v, Mapping)]
    sections = [_section(name, section) for name, section in config.items() if isinstance(section, Mapping)]
    return "\n".join([*top, *sections]) + "\n"


def with_absolute_paths(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the config with the files that `[data]` names made absolute."""
    result = dict(config)
    data = result.get("data")
    if isinstance(data, Mapping):
        result["data"] = {k: _absolute(v) if k in PATHS and _is_path(v) else v for k, v in data.items()}
    return result


def settings(overrides: Mapping[str, Any]) -> list[str]:
    """Returns overrides as arguments: ``optimizer__lr=0.1`` becomes ``--set optimizer.lr=0.1``; None takes a key away."""
    arguments = []
    for key, chosen in overrides.items():
        arguments += ["--set", f"{key.replace(SEPARATOR, '.')}={'null' if chosen is None else value(chosen)}"]
    return arguments


def nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Returns ``{"optimizer__lr": 0.1}`` as ``{"optimizer": {"lr": 0.1}}``."""
    result: dict[str, Any] = {}
    for key, chosen in overrides.items():
        *sections, last = key.split(SEPARATOR)
        place = result
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = chosen
    return result


def combined(base: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Returns ``base`` with the keys of ``chosen`` in it.

    A section that names another optimizer, model or loss than the base replaces the base's: options of the one are none
    of the other.
    """
    result = dict(base)
    for name, section in chosen.items():
        old = base.get(name)
        if isinstance(section, Mapping) and isinstance(old, Mapping):
            other = "name" in section and section["name"] != old.get("name", section["name"])
            result[name] = dict(section) if other else {**old, **section}
        else:
            result[name] = section
    return result


def value(thing: Any) -> str:
    """Returns a Python value as TOML writes it."""
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, int):
        return str(thing)
    if isinstance(thing, float):
        return _number(thing)
    if isinstance(thing, str | os.PathLike):
        return _string(os.fspath(thing))
    if isinstance(thing, Mapping):
        inside = ", ".join(f"{_key(k)} = {value(v)}" for k, v in thing.items() if v is not None)
        return f"{{ {inside} }}"
    if isinstance(thing, list | tuple):
        return f"[{', '.join(value(element) for element in thing)}]"
    # NumPy's scalars and arrays.
    for method in ("item", "tolist"):
        if hasattr(thing, method) and (method == "tolist" or getattr(thing, "ndim", 1) == 0):
            return value(getattr(thing, method)())
    raise Error(f"a config cannot hold a value of type {type(thing).__name__}: {thing!r}", 2)


def _section(name: str, section: Mapping[str, Any]) -> str:
    lines = [f"{_key(k)} = {value(v)}" for k, v in section.items() if v is not None]
    return "\n".join([f"[{_key(name)}]", *lines])


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _string(name)


def _number(number: float) -> str:
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return repr(float(number))


def _string(text: str | bytes) -> str:
    return json.dumps(os.fsdecode(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_path(thing: Any) -> bool:
    return isinstance(thing, str | os.PathLike)


def _absolute(path: str | os.PathLike[str]) -> str:
    return os.path.abspath(os.path.expanduser(path))
