"""ONNX Runtime for the web, in Node: <https://onnxruntime.ai/docs/get-started/with-javascript/web.html>"""

import json
import os
import pathlib
import shutil
import subprocess

import numpy as np

SCRIPT = pathlib.Path(__file__).with_name("web.mjs")
KINDS = {"f": "float32", "d": "float64"}


def modules():
    """The folder with node_modules, which EXPORT_WEB names, or None."""
    folder = os.environ.get("EXPORT_WEB")
    if folder and shutil.which("node") and pathlib.Path(folder, "node_modules/onnxruntime-web").is_dir():
        return pathlib.Path(folder)
    return None


def answers(folder, model, feeds):
    """The outputs for these feeds."""
    given = {}
    for name, value in feeds.items():
        if value.dtype.kind == "O":
            given[name] = ["string", list(value.shape), value.reshape(-1).tolist()]
        else:
            # JSON has no NaN.
            numbers = [None if number != number else float(number) for number in value.reshape(-1)]
            given[name] = [KINDS[value.dtype.char], list(value.shape), numbers]
    done = subprocess.run(["node", SCRIPT, folder, model], input=json.dumps(given), capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"onnxruntime-web: {done.stderr[-600:]}")
    made = {}
    for name, (shape, data) in json.loads(done.stdout).items():
        data = [np.nan if number is None else number for number in data]
        made[name] = np.array(data, object if data and isinstance(data[0], str) else None).reshape(shape)
    return made
