"""The folder for the Hub: the model card's YAML, its code, and that no path of this machine is in it."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess

import yaml

TAGS = {"tabular-classification", "tabular-regression", "image-classification", "time-series-forecasting"}
FILES = ["README.md", "config.json", "config.toml", "data.toml", "model.onnx", "model.safetensors"]


def require(condition, problem):
    if not condition:
        raise AssertionError(f"hub: {problem}")


def card(folder, run, places):
    """Checks the files; gives the card's blocks of code, (language, text) each."""
    files = FILES + ["residuals.json"] * (run / "residuals.json").exists()
    require(sorted(os.listdir(folder)) == files, f"the files are {os.listdir(folder)}")
    for name in files:
        content = (folder / name).read_bytes()
        for place in places:
            require(str(place).encode() not in content, f"{name} has the path {place}")
    text = (folder / "README.md").read_text()
    require(text.startswith("---\n"), "README.md does not begin with YAML")
    front, body = text[4:].split("\n---\n", 1)
    data = yaml.safe_load(front)
    require(data["pipeline_tag"] in TAGS and data["library_name"] == "descent", "front matter")
    require(all(isinstance(tag, str) for tag in data["tags"]), "tags")
    for model in data.get("model-index", []):
        require(model["name"] == run.name, f"the model is called {model['name']}")
        for result in model["results"]:
            require(result["task"]["type"] == data["pipeline_tag"] and result["dataset"]["name"], "a result")
            require(result["metrics"], "no metrics")
            for metric in result["metrics"]:
                require(isinstance(metric["value"], float) and metric["type"], f"the metric {metric}")
    config = json.loads((folder / "config.json").read_text())
    members = config.get("members", [config])
    require(all(member["layers"] for member in members) and config["problem_type"], "config.json")
    blocks = re.findall(r"^(`{3,})(\w+)\n(.*?)\n\1$", body, re.S | re.M)
    require(len(blocks) == 5, f"{len(blocks)} blocks of code")
    return [(language, code) for _, language, code in blocks]


def run_python(folder, code):
    """Runs a block as a program in the folder would."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    finally:
        os.chdir(before)
    require(printed.getvalue(), "a block prints nothing")


def run_shell(folder, code, program, rows):
    """Runs a block with the rows under the name that it uses; gives the predictions."""
    name = re.search(r"--input (\S+)", code)[1]
    if rows.is_dir():
        shutil.copytree(rows, folder / name)
    else:
        # Pictures may be an array too.
        code = code.replace("--input pictures", "--input pictures.npy")
        shutil.copy(rows, folder / (f"{name}.npy" if name == "pictures" else name))
    environment = {**os.environ, "PATH": f"{os.path.dirname(program)}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-ec", code], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"the block of sh failed: {done.stderr[-300:]}")
    return (folder / "predictions.csv").read_bytes()
