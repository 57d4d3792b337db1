"""Puts the program into the wheel, and what belongs to a program: manual pages and shell completions.

`make wheel` names the files in the environment. Without them the wheel has the module alone, for work on it.
"""

from __future__ import annotations

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProgramHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the program and names its platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        program = os.environ.get("DESCENT_WHEEL_PROGRAM")
        if program is None or version == "editable":
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{os.environ['DESCENT_WHEEL_PLATFORM']}"
        build_data["shared_scripts"][program] = "descent"
        build_data["shared_data"][os.environ["DESCENT_WHEEL_SHARE"]] = "share"
