"""The program ``descent`` as a child process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from descent_nn._error import Error

INTERRUPTED = {130, 143}
ERROR = "error: "
WARNING = " WARN "


@lru_cache(maxsize=1)
def program() -> str:
    """Returns the path of the program.

    The environment variable ``DESCENT_PROGRAM`` is taken first, then the one that the wheel installed, then ``PATH``.
    """
    asked = os.environ.get("DESCENT_PROGRAM")
    if asked:
        return asked
    folders = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable)]
    if sys.platform != "win32":
        folders.append(sysconfig.get_path("scripts", "posix_user"))
    for folder in folders:
        candidate = os.path.join(folder, "descent")
        if os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which("descent")
    if found is None:
        raise Error("the program `descent` was not found; install the wheel of descent-nn, or set DESCENT_PROGRAM")
    return found


def call(arguments: Sequence[str]) -> str:
    """Runs a command that is over soon and returns its standard output."""
    return call_with_log(arguments)[0]


def call_with_log(arguments: Sequence[str]) -> tuple[str, str]:
    """Runs a command that is over soon and returns its standard output and its log."""
    done = subprocess.run(_command(arguments), capture_output=True, text=True, encoding="utf-8", errors="replace")
    _check(done.returncode, done.stderr)
    return done.stdout, done.stderr


def train(arguments: Sequence[str], watch: Callable[[], None] | None, made_here: Path | None = None) -> str:
    """Runs a training and returns the program's log; ``watch`` is called some times per second meanwhile.

    ``made_here`` is a config file that the caller does not know: errors name the key alone.

    On ``KeyboardInterrupt`` the program saves a checkpoint, as after Ctrl-C, before the exception goes on. A second
    one ends the program at once. If this interpreter is killed, the program saves and ends too.
    """
    with tempfile.TemporaryFile() as log:
        # A group of its own: Ctrl-C in a terminal would reach the program a second time, which ends it without saving.
        process = subprocess.Popen(
            _command(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            process_group=0,
            preexec_fn=_end_with_parent if _PRCTL else None,
        )
        try:
            code = _wait(process, watch)
        except BaseException:
            _stop(process)
            raise
        log.seek(0)
        messages = log.read().decode("utf-8", "replace")
    if made_here is not None:
        messages = re.sub(re.escape(str(made_here)) + r"(, line \d+)?: ", "", messages)
    _check(code, messages)
    return messages


def warnings_of(messages: str, made_here: str | None = None) -> list[str]:
    """Returns the warnings in a log of the program; without the path ``made_here``, which the caller does not know."""
    warnings = [line[len(WARNING) :].strip() for line in messages.splitlines() if line.startswith(WARNING)]
    return warnings if made_here is None else [warning.removeprefix(f"{made_here}: ") for warning in warnings]


def _command(arguments: Sequence[str]) -> list[str]:
    return [program(), "--color", "never", *arguments]


def _wait(process: subprocess.Popen[bytes], watch: Callable[[], None] | None) -> int:
    if watch is None:
        return process.wait()
    while True:
        try:
            code = process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            watch()
        else:
            watch()
            return code


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise


def _check(code: int, messages: str) -> None:
    if code == 0:
        return
    if code in INTERRUPTED:
        raise KeyboardInterrupt
    raise Error(_sentence(code, messages), code)


def _sentence(code: int, messages: str) -> str:
    lines = messages.rstrip().splitlines()
    for index, line in enumerate(lines):
        if line.startswith(ERROR):
            return "\n".join([line[len(ERROR) :], *lines[index + 1 :]])
    if code < 0:
        return f"the program was ended by {signal.Signals(-code).name}"
    return lines[-1] if lines else f"the program ended with exit code {code}"


def _load_prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    try:
        return ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None


_PRCTL = _load_prctl()
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """Runs in the child before the program starts: it shall not train on for an interpreter that is gone."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
