"""C source: compiled with every warning, its own test, and its answers to rows, by ctypes."""

import ctypes
import json
import re
import subprocess

import numpy as np
from pandas._libs.parsers import STR_NA_VALUES

FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
# What stands for a missing name, `na_values` of the checked runs too.
WORDS = STR_NA_VALUES | {"-999", "-999.0", "?"}
YES, NO = {"true", "yes", "t", "y", "1", "1.0"}, {"false", "no", "f", "n", "0", "0.0"}


def compiled(arguments):
    done = subprocess.run(["cc", *FLAGS, *map(str, arguments), "-lm"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"cc: {done.stderr[:600]}")


def own_test(source):
    """Compiles the source with -DTEST and runs it."""
    program = source.with_suffix(".test")
    compiled(["-O1", "-DTEST", source, "-o", program])
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"C test: {done.stdout}{done.stderr}")


class Model:
    """A source as a shared library, read by its header."""

    def __init__(self, source):
        library = source.with_suffix(".so")
        compiled(["-O2", "-shared", "-fPIC", source, "-o", library])
        self.library = ctypes.CDLL(str(library))
        self.prefix = source.stem
        header = source.with_suffix(".h").read_text()
        self.sizes = {name: int(number) for name, number in re.findall(r"#define \w+?_(OUTPUTS|STEPS|INPUTS) (\d+)\n", header)}
        self.enumerations = {}
        for body, name in re.findall(r"typedef enum \{\n(.*?)\} (\w+);", header, re.S):
            numbers = {json.loads(text): int(number) for number, text in re.findall(r'= (\d+), /\* ("(?:[^"\\]|\\.)*") \*/', body)}
            missing = re.search(r"= (\d+) /\* a missing cell", body)
            self.enumerations[name] = (numbers, int(missing[1]) if missing else 0)
        struct = re.search(r"typedef struct \{\n(.*?)\} \w+_input;", header, re.S)
        self.fields = re.findall(r'    (\w+) (\w+); /\* ("(?:[^"\\]|\\.)*"): ', struct[1]) if struct else []
        if struct and len(self.fields) != struct[1].count("\n"):
            raise AssertionError("a field of the struct was not read")
        kinds = {"double": ctypes.c_double}
        self.row = type("Row", (ctypes.Structure,), {
            "_fields_": [(name, kinds.get(kind, ctypes.c_int)) for kind, name, _ in self.fields]})

    def cell(self, kind, text):
        if kind == "double":
            return float(text) if text != "" else float("nan")
        if kind == "int":
            return 1 if text.lower() in YES else 0 if text.lower() in NO else -1
        numbers, missing = self.enumerations[kind]
        return numbers.get(text, missing if text in WORDS else 0)

    def rows(self, table, numbers_of):
        """The rows of a table; `numbers_of` gives the cells of a column of numbers or dates."""
        columns = []
        for kind, _, name in self.fields:
            name = json.loads(name)
            cells = numbers_of(name) if kind == "double" else table[name]
            columns.append([self.cell(kind, cell) if kind != "double" else cell for cell in cells])
        return [self.row(*cells) for cells in zip(*columns)]

    def answers(self, arguments):
        """What `predict` gives for each argument, and the labels."""
        out = (ctypes.c_float * self.sizes["OUTPUTS"])()
        predict = getattr(self.library, f"{self.prefix}_predict")
        predict.restype = None
        numbers, labels = [], []
        for argument in arguments:
            predict(argument, out)
            numbers.append(list(out))
            labels.append(self.labels(out))
        return self.outputs(np.array(numbers), np.array(labels, object))

    def labels(self, out):
        if hasattr(self.library, f"{self.prefix}_label"):
            names = (ctypes.c_char_p * len(out)).in_dll(self.library, f"{self.prefix}_classes")
            return names[getattr(self.library, f"{self.prefix}_label")(out)].decode()
        if hasattr(self.library, f"{self.prefix}_labels"):
            words = ((ctypes.c_char_p * 2) * len(out)).in_dll(self.library, f"{self.prefix}_words")
            chosen = (ctypes.c_int * len(out))()
            getattr(self.library, f"{self.prefix}_labels")(out, chosen)
            return [words[place][choice].decode() for place, choice in enumerate(chosen)]
        return None

    def outputs(self, numbers, labels):
        """As the ONNX file gives them."""
        if hasattr(self.library, f"{self.prefix}_label") or hasattr(self.library, f"{self.prefix}_labels"):
            return {"label": labels, "probabilities": numbers}
        return {"prediction": numbers}

    def of_array(self, rows):
        rows = np.ascontiguousarray(rows, np.float32).reshape(len(rows), -1)
        if rows.shape[1] != self.sizes["INPUTS"]:
            raise AssertionError("INPUTS is not the number of elements")
        return self.answers(row.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for row in rows)

    def of_table(self, rows):
        return self.answers(ctypes.byref(row) for row in rows)

    def of_series(self, rows, windows=None):
        """The answers to the windows of these rows; left out, to those that end with each row but the first ones."""
        steps = self.sizes["STEPS"]
        kind = self.row * steps
        if windows is None:
            windows = [range(end - steps, end) for end in range(steps, len(rows) + 1)]
        return self.answers(kind(*(rows[row] for row in window)) for window in windows)
