"""train, load and compare, on the program that DESCENT_PROGRAM names or the wheel has installed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import descent_nn
from descent_nn import _config

try:
    import numpy
    import pandas
    import pyarrow
except ImportError as missing:
    raise unittest.SkipTest(f"without {missing.name} tables are not tested") from missing
try:
    import polars
except ImportError:
    polars = None

CONFIG = {
    "data": {"name": "csv", "target": "species", "test": 0.2, "normalize": "standard"},
    "model": {"name": "mlp", "hidden": [16]},
    "loss": {"name": "cross_entropy"},
    "optimizer": {"name": "adam", "lr": 0.01},
    "train": {"epochs": 30},
}


def flowers(rows=120):
    random = numpy.random.default_rng(1)
    petal = random.normal(size=rows)
    frame = pandas.DataFrame({"petal": petal, "colour": random.choice(["red", "blue"], rows), "day": pandas.Timestamp("2024-05-01")})
    frame["day"] += pandas.to_timedelta(numpy.arange(rows) % 7, unit="D")
    frame["species"] = numpy.where(petal > 0, "rose", "tulip")
    return frame


class InAFolder(unittest.TestCase):
    def setUp(self):
        self.before = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()
        os.chdir(self.folder.name)
        warnings.simplefilter("ignore", descent_nn.DescentWarning)

    def tearDown(self):
        os.chdir(self.before)
        self.folder.cleanup()


class Train(InAFolder):
    def test_a_table_in_memory_trains_and_its_run_has_metrics_test_scores_and_a_report(self):
        run = descent_nn.train(CONFIG, data=flowers(), out="runs/flowers", train__epochs=40)
        self.assertEqual(list(run.metrics["epoch"]), list(range(1, 41)))
        self.assertGreater(run.test["test_accuracy"], 0.9)
        self.assertAlmostEqual(run.evaluate()["test_loss"], run.test["test_loss"], places=4)
        self.assertIn("<iframe srcdoc=", run.report()._repr_html_())
        self.assertEqual(run.model.classes, ["rose", "tulip"])

    def test_a_table_alone_has_the_config_of_descent_init(self):
        if "--target" not in subprocess.run([descent_nn.program(), "train", "--help"], capture_output=True, text=True).stdout:
            self.skipTest("this program has no `descent init`")
        run = descent_nn.train(flowers(), target="species", out="alone", train__epochs=20)
        self.assertEqual(run.model.config["data"]["target"], "species")
        self.assertEqual(run.model.classes, ["rose", "tulip"])
        flowers().to_csv("flowers.csv", index=False)
        self.assertEqual(descent_nn.train("flowers.csv", target="species", train__epochs=2).model.classes, ["rose", "tulip"])

    def test_resume_trains_longer_to_the_weights_of_one_long_run(self):
        rows = flowers()
        halves = descent_nn.train(CONFIG, data=rows, out="a", train__epochs=5).resume(train__epochs=9)
        whole = descent_nn.train(CONFIG, data=rows, out="b", train__epochs=9)
        self.assertEqual(len(halves.metrics), 9)
        read = [Path(run.path, "model.safetensors").read_bytes() for run in (halves, whole)]
        self.assertEqual(read[0], read[1])

    def test_arrays_a_list_of_dicts_and_a_file_train_too(self):
        rows = flowers()
        x, y = rows[["petal"]].to_numpy(), (rows["species"] == "rose").to_numpy().astype(int)
        arrays = {"data": {"name": "npz"}, **{k: v for k, v in CONFIG.items() if k != "data"}}
        run = descent_nn.train(arrays, data={"x_train": x, "y_train": y, "x_val": x, "y_val": y})
        self.assertIn("val_accuracy", run.metrics.columns)
        self.assertEqual(run.model.predict(x).dtype, numpy.int64)
        plain = rows.drop(columns="day").to_dict("records")
        self.assertEqual(len(descent_nn.train(CONFIG, data=plain).metrics), 30)
        rows.to_csv("flowers.csv", index=False)
        run = descent_nn.train({**CONFIG, "data": {**CONFIG["data"], "path": "flowers.csv"}})
        self.assertTrue(Path(run.path, "config.toml").exists())

    def test_an_error_is_the_programs_sentence_and_leaves_nothing_behind(self):
        with self.assertRaises(descent_nn.Error) as caught:
            descent_nn.train(CONFIG, data=flowers(), out="runs/wrong", optimizer__learning_rate=0.1)
        self.assertIn("did you mean `lr`", str(caught.exception))
        self.assertEqual(caught.exception.code, 2)
        self.assertEqual(list(Path("runs").iterdir()), [])
        with self.assertRaisesRegex(descent_nn.Error, "^`optimizer.name` names an unknown optimizer"):
            descent_nn.train({**CONFIG, "optimizer": {"name": "adem"}}, data=flowers())

    def test_a_refused_call_leaves_its_folder_as_it_was_and_the_next_one_trains(self):
        Path("made").mkdir()
        with self.assertRaises(descent_nn.Error):
            descent_nn.train(CONFIG, data=flowers(), out="made", optimizer__learning_rate=0.1)
        with self.assertRaises(Exception):
            descent_nn.train(CONFIG, data=[{("a", "b"): 1}], out="made")
        self.assertEqual([path for path in Path().iterdir() if path.name != "runs"], [Path("made")])
        run = descent_nn.train(CONFIG, data=flowers(), out="made")
        os.chdir("made")
        self.addCleanup(os.chdir, "..")
        self.assertGreater(len(run.metrics), 0)

    def test_trainings_that_begin_in_the_same_second_have_folders_of_their_own(self):
        with ThreadPoolExecutor(3) as pool:
            runs = list(pool.map(lambda _: descent_nn.train(CONFIG, data=flowers(), train__epochs=1), range(6)))
        self.assertEqual(len({run.path for run in runs}), 6)
        for run in runs:
            self.assertTrue(Path(f"{run.path}-data.parquet").exists())

    def test_the_rows_of_another_run_are_not_written_over(self):
        descent_nn.train(CONFIG, data=flowers(), out="a")
        before = Path("a-data.parquet").read_bytes()
        with self.assertRaisesRegex(descent_nn.Error, "not empty"):
            descent_nn.train(CONFIG, data=flowers(50), out="a")
        self.assertEqual(Path("a-data.parquet").read_bytes(), before)

    def test_an_interrupt_saves_and_resume_goes_on(self):
        # A shell that starts the tests in the background has SIGINT ignored.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            descent_nn.train(CONFIG, data=flowers(), out="long", train__epochs=100_000_000)
        done = descent_nn.Run("long").metrics["epoch"].max()
        self.assertGreater(done, 0)
        resumed = descent_nn.Run("long").resume(train__epochs=int(done) + 5)
        self.assertEqual(resumed.metrics["epoch"].max(), done + 5)

    def test_a_killed_interpreter_ends_its_training(self):
        flowers().to_csv("flowers.csv", index=False)
        config = {**CONFIG, "data": {**CONFIG["data"], "path": "flowers.csv"}}
        code = f"import descent_nn; descent_nn.train({config!r}, out='orphan', train__epochs=100_000_000)"
        interpreter = subprocess.Popen([sys.executable, "-c", code])
        log = Path("orphan/metrics.jsonl")
        wait_for(lambda: log.exists() and log.stat().st_size > 0)
        interpreter.kill()
        interpreter.wait()
        size = -1
        while size != log.stat().st_size:
            size = log.stat().st_size
            time.sleep(1)
        self.assertTrue(list(Path("orphan/checkpoints").iterdir()))

    def test_runs_are_compared_in_text_and_as_a_picture(self):
        runs = [descent_nn.train(CONFIG, data=flowers(), out=name, optimizer__lr=lr) for name, lr in (("a", 0.01), ("b", 0.001))]
        compared = descent_nn.compare(runs)
        self.assertIn("train_loss over epochs", repr(compared))
        self.assertTrue(compared._repr_svg_().startswith("<svg"))


class Predict(InAFolder):
    def setUp(self):
        super().setUp()
        self.rows = flowers()
        self.model = descent_nn.load(descent_nn.train(CONFIG, data=self.rows, out="run").path)
        self.asked = self.rows.drop(columns="species").iloc[10:15]

    def test_every_kind_of_table_has_the_same_predictions_in_its_own_kind(self):
        labels, shares = self.model.predict(self.asked), self.model.predict_proba(self.asked)
        self.assertEqual(list(labels), list(self.rows["species"][10:15]))
        self.assertEqual(list(labels.index), [10, 11, 12, 13, 14])
        self.assertEqual(list(shares.columns), ["rose", "tulip"])
        numpy.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
        table = pyarrow.Table.from_pandas(self.asked, preserve_index=False)
        self.assertEqual(self.model.predict(table).to_pylist(), list(labels))
        self.assertEqual(self.model.predict_proba(table).column("rose").to_pylist(), list(shares["rose"]))
        records = json.loads(self.asked.to_json(orient="records", date_format="iso"))
        records = [{**row, "day": row["day"][:10]} for row in records]
        self.assertEqual(self.model.predict(records), list(labels))
        self.assertEqual([row["rose"] for row in self.model.predict_proba(records)], [float(x) for x in shares["rose"].astype("float32").astype(str)])
        if polars is not None:
            frame = polars.from_pandas(self.asked)
            self.assertEqual(self.model.predict(frame).to_list(), list(labels))
            self.assertEqual(self.model.predict_proba(frame)["rose"].to_list(), list(shares["rose"]))
            self.assertEqual(self.model.predict(frame.lazy()).to_list(), list(labels))

    def test_an_array_has_the_columns_of_training(self):
        rows = self.rows[["petal", "species"]].assign(width=1.0)
        model = descent_nn.train(CONFIG, data=rows, out="numbers").model
        self.assertEqual(model.columns, ["petal", "width"])
        asked = rows[["petal", "width"]].iloc[:4]
        self.assertEqual(list(model.predict(asked.to_numpy())), list(model.predict(asked)))
        self.assertEqual(model.predict_proba(asked.to_numpy()).shape, (4, 2))
        with self.assertRaisesRegex(descent_nn.Error, "the model has 2 columns"):
            model.predict(asked.to_numpy()[:, :1])

    def test_integer_classes_are_integers_again_and_007_is_a_name(self):
        rows = self.rows.assign(species=(self.rows["species"] == "rose").astype(int) + 3)
        self.assertEqual(set(descent_nn.train(CONFIG, data=rows, out="ints").model.predict(rows)), {3, 4})
        rows = self.rows.assign(species=numpy.where(self.rows["species"] == "rose", "007", "7"))
        self.assertEqual(set(descent_nn.train(CONFIG, data=rows, out="names").model.predict(rows)), {"007", "7"})

    def test_names_of_classes_are_text_in_every_kind_and_truth_values_are_some(self):
        asked = self.rows[["petal"]][:6]
        rose = self.rows["species"] == "rose"
        for number, (a, b) in enumerate([("007", "7"), ("inf", "infinity"), ("1.0", "2.0"), ("1#x", "#2"), ("a,b", 'c"d')]):
            rows = self.rows[["petal"]].assign(species=numpy.where(rose, a, b))
            model = descent_nn.train(CONFIG, data=rows, out=f"names-{number}").model
            labels = list(model.predict(asked))
            self.assertLessEqual(set(labels), {a, b})
            self.assertEqual(list(model.predict(asked.to_numpy())), labels)
            self.assertEqual(model.predict(asked.to_dict("records")), labels)
            self.assertEqual(model.predict(pyarrow.table(asked)).to_pylist(), labels)
        model = descent_nn.train(CONFIG, data=self.rows[["petal"]].assign(species=rose), out="truth").model
        self.assertEqual(model.classes, [False, True])
        for answers in (model.predict(asked), model.predict(asked.to_numpy())):
            self.assertEqual(answers.dtype, bool)
        self.assertGreater((model.predict(self.rows[["petal"]]) == rose).mean(), 0.9)
        self.assertEqual(model.predict(asked.to_dict("records")), list(model.predict(asked)))

    def test_classes_have_the_type_of_the_training_table(self):
        rose = self.rows["species"] == "rose"
        pairs = [(1.0, 2.0), (0.5, 1.5), ("1", "2"), ("1.0", "2.0"), (3, 4), (False, True)]
        for number, (a, b) in enumerate(pairs):
            rows = self.rows[["petal"]].assign(species=numpy.where(rose, a, b))
            model = descent_nn.train(CONFIG, data=rows, out=f"types-{number}").model
            self.assertEqual([(type(c), c) for c in model.classes], [(type(c), c) for c in (a, b)])
            of_dicts = descent_nn.train(CONFIG, data=rows.to_dict("records"), out=f"dicts-{number}").model
            self.assertEqual(of_dicts.classes, model.classes)
            tables = [rows, pyarrow.table(rows), rows[["petal"]].to_numpy(), rows.to_dict("records")]
            for asked in tables + ([] if polars is None else [polars.from_pandas(rows)]):
                answers = model.predict(asked)
                hits = sum(own == given for own, given in zip(getattr(answers, "to_pylist", lambda: answers)(), rows["species"]))
                self.assertGreater(hits, 0.9 * len(rows), (a, type(asked)))

    def test_text_that_looks_like_numbers_is_a_class_of_its_own(self):
        third = numpy.digitize(self.rows["petal"], self.rows["petal"].quantile([0.33, 0.67]))
        for number, names in enumerate([["1", "2", "3+"], ["10", "20", "30"], ["007", "07", "7"], ["1.1", "1.2", "rc1"]]):
            rows = self.rows[["petal"]].assign(species=numpy.array(names)[third])
            model = descent_nn.train(rows, target="species", out=f"texts-{number}", train__epochs=3).model
            self.assertEqual(sorted(model.classes), sorted(names))
            self.assertLessEqual(set(model.predict(rows)), set(names))

    def test_an_ignored_column_is_no_input(self):
        rows = self.rows[["petal", "species"]]
        rows.insert(0, "note", numpy.arange(len(rows)) * -7.0)
        config = {**CONFIG, "data": {**CONFIG["data"], "columns": {"note": "ignore"}}}
        model = descent_nn.train(config, data=rows, out="ignored").model
        self.assertEqual(model.columns, ["petal"])
        for columns in (["petal"], ["note", "petal"]):
            self.assertEqual(list(model.predict(rows[columns].to_numpy())), list(model.predict(rows)))

    def test_missing_values_of_dicts_are_null(self):
        rows = self.rows[["petal", "species"]].to_dict("records")
        rows[1]["petal"], rows[2]["petal"], rows[3]["petal"] = float("nan"), pandas.NA, numpy.float32("nan")
        config = {**CONFIG, "data": {**CONFIG["data"], "missing": "mean"}}
        model = descent_nn.train(config, data=rows, out="dicts").model
        self.assertEqual(model.predict([{"petal": float("nan")}]), model.predict([{"petal": None}]))
        self.assertEqual(model.predict_proba([]), [])

    def test_rows_in_memory_are_evaluated_as_their_file(self):
        self.rows.to_parquet("rows.parquet", index=False)
        run = descent_nn.Run("run")
        self.assertEqual(run.evaluate(self.rows), run.evaluate("rows.parquet"))

    def test_values_have_no_probabilities(self):
        config = {**CONFIG, "data": {**CONFIG["data"], "target": ["petal", "twice"]}, "loss": {"name": "mse"}}
        rows = self.rows.drop(columns="species").assign(twice=self.rows["petal"] * 2)
        model = descent_nn.train(config, data=rows, out="values").model
        self.assertEqual(list(model.predict(rows[:3]).columns), ["prediction_petal", "prediction_twice"])
        with self.assertRaisesRegex(descent_nn.Error, "no probabilities"):
            model.predict_proba(rows)

    def test_a_missing_column_and_a_folder_without_a_run_are_errors(self):
        with self.assertRaisesRegex(descent_nn.Error, "`petal`"):
            self.model.predict(self.asked.drop(columns="petal"))
        with self.assertRaisesRegex(descent_nn.Error, "holds no run"):
            descent_nn.load("nowhere")
        with self.assertRaisesRegex(descent_nn.Error, "cannot read rows from int"):
            self.model.predict(3)


class Config(unittest.TestCase):
    def test_toml_reads_back_what_was_written(self):
        import tomllib

        config = {
            "seed": 3,
            "data": {"path": 'a "b"\\\n\x7fé', "columns": {"z ip": "category", "no": None}, "limit": numpy.int64(7)},
            "optimizer": {"lr": 1e-7, "betas": (0.9, numpy.float32(0.5)), "groups": [{"match": "*", "frozen": True}]},
            "inf": [float("inf"), float("-inf")],
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "config.toml")
            _config.write_toml(config, path)
            read = tomllib.loads(path.read_text())
        del config["data"]["columns"]["no"]
        config["optimizer"]["betas"] = [0.9, 0.5]
        self.assertEqual(read, config)


class Import(unittest.TestCase):
    def test_it_imports_neither_numpy_nor_scikit_learn_and_is_quick(self):
        code = textwrap.dedent("""
            import time; start = time.process_time()
            import descent_nn, sys
            print(time.process_time() - start, any(m in sys.modules for m in ("numpy", "pandas", "sklearn")))
        """)
        times = []
        for _ in range(3):
            out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
            self.assertEqual(out[1], "False")
            times.append(float(out[0]))
        self.assertLess(min(times), 0.15)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
