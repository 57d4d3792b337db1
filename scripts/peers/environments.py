"""Virtual environments of other programs, outside the checkout."""
import os
import pathlib
import subprocess
import sys

CACHE = pathlib.Path(os.environ.get("DESCENT_PEERS", "~/.cache/descent/peers")).expanduser()


def python(name, packages):
    """The interpreter of a virtual environment that has these packages."""
    folder = CACHE / name
    interpreter = folder / "bin/python"
    if not (folder / "ready").exists():
        print(f"installing {', '.join(packages)} in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "-q", *packages], check=True)
        (folder / "ready").touch()
    return str(interpreter)
