"""The examples of src/export/README.md, which are about the run of configs/iris.toml."""

import os
import re
import subprocess
import sys

from . import c_source


def check(text, folder, descent, run, modules):
    """Runs those in Python, C and JavaScript."""
    blocks = dict(re.findall(r"^```(python|c|js)\n(.*?)\n```$", text, re.S | re.M))
    for target, name in (("onnx", "model.onnx"), ("onnx", "iris.onnx"), ("c", "iris.c")):
        descent("export", run, "--to", target, "--output", folder / name)
    (folder / "new.csv").write_text("sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm\n5.1,3.5,1.4,0.2\n")
    (folder / "example.c").write_text(blocks["c"])
    c_source.compiled([folder / "example.c", folder / "iris.c", "-o", folder / "example"])
    commands = [[sys.executable, "-c", blocks["python"] + "\nprint(label[0])"], [str(folder / "example")]]
    if modules is not None:
        if not (folder / "node_modules").exists():
            os.symlink(modules / "node_modules", folder / "node_modules")
        (folder / "example.mjs").write_text(blocks["js"])
        commands.append(["node", "example.mjs"])
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode or not done.stdout:
            raise AssertionError(f"the README's example: {done.stdout}{done.stderr[-400:]}")
