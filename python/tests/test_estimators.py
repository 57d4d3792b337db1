"""The estimators, by scikit-learn's own checks and in its tools."""

import pathlib
import pickle
import shutil
import tempfile
import tomllib
import unittest
import warnings
from concurrent.futures import ThreadPoolExecutor

try:
    import numpy
    import pandas
    import pyarrow
    import sklearn
except ImportError as missing:
    raise unittest.SkipTest(f"without {missing.name} the estimators are not tested") from missing

try:
    import polars
except ImportError:
    polars = None

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import descent_nn
from descent_nn import DescentClassifier, DescentRegressor

X, y = load_iris(return_X_y=True)
NAMES = numpy.array(["setosa", "versicolor", "virginica"])[y]
SHORT = {"threads": 1, "train__epochs": 60, "model__hidden": [32], "optimizer__lr": 0.01}


class Checks(unittest.TestCase):
    def test_the_classifier_passes_check_estimator_as_it_comes(self):
        self.check(DescentClassifier())

    def test_the_regressor_passes_check_estimator_as_it_comes(self):
        self.check(DescentRegressor())

    def check(self, estimator):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = check_estimator(estimator, on_skip=None, on_fail=None)
        failed = [f"{r['check_name']}: {r['exception']}" for r in results if r["status"] == "failed"]
        self.assertEqual(failed, [])
        self.assertGreater(sum(r["status"] == "passed" for r in results), 40)


class Recipe(unittest.TestCase):
    def test_from_200_rows_on_it_is_the_one_of_descent_init(self):
        numbers, values = load_diabetes(return_X_y=True)
        config = DescentRegressor(threads=1, train__epochs=2).fit(numbers, values).run_.files["config.toml"].decode()
        self.assertIn("[train.early_stopping]", config)
        few = DescentRegressor(threads=1, train__epochs=2).fit(numbers[:150], values[:150])
        self.assertNotIn("[train.early_stopping]", few.run_.files["config.toml"].decode())

    def test_without_it_there_are_the_parameters_and_the_programs_defaults_alone(self):
        model = DescentClassifier(recipe=False, model__hidden=[20], train__epochs=30, threads=1).fit(*load_digits(return_X_y=True))
        config = tomllib.loads(model.run_.files["config.toml"].decode())
        self.assertEqual(config["model"]["hidden"], [20])
        self.assertNotIn("numerical", config["model"])
        self.assertEqual((config["model"]["dropout"], config["optimizer"]["name"]), (0.0, "adam"))
        self.assertEqual(model.n_iter_, 30)
        self.assertGreater(model.score(*load_digits(return_X_y=True)), 0.95)

    def test_without_rows_held_out_nothing_stops_early(self):
        numbers, values = load_diabetes(return_X_y=True)
        model = DescentRegressor(threads=1, train__epochs=40, data__validation=0).fit(numbers, values)
        self.assertEqual(model.n_iter_, 40)
        self.assertNotIn("val_loss", model.history_[0])


class Tools(unittest.TestCase):
    def test_search_pipeline_cross_validation_and_calibration(self):
        search = GridSearchCV(
            make_pipeline(StandardScaler(), DescentClassifier(**SHORT)),
            {"descentclassifier__optimizer__lr": [1e-6, 0.01], "descentclassifier__optimizer__betas": [[0.9, 0.99]]},
            cv=2,
        ).fit(X, NAMES)
        self.assertEqual(search.best_params_["descentclassifier__optimizer__lr"], 0.01)
        self.assertGreater(search.score(X, NAMES), 0.93)
        self.assertGreater(cross_val_score(DescentClassifier(**SHORT), X, y, cv=3).mean(), 0.9)
        calibrated = CalibratedClassifierCV(DescentClassifier(**SHORT), cv=2).fit(X, NAMES)
        self.assertGreater(calibrated.score(X, NAMES), 0.93)

    def test_a_pickle_and_a_saved_run_predict_the_same(self):
        model = DescentClassifier(**SHORT).fit(X, NAMES)
        copied = pickle.loads(pickle.dumps(model))
        numpy.testing.assert_array_equal(copied.predict_proba(X), model.predict_proba(X))
        with tempfile.TemporaryDirectory() as folder:
            model.save(folder)
            numpy.testing.assert_array_equal(descent_nn.load(folder).predict(X), model.predict(X))

    def test_a_saved_run_on_numbers_knows_columns_and_classes_by_name(self):
        frame = pandas.DataFrame(X, columns=list("abcd"), index=range(7, 157))
        for target in (NAMES, y + 3, y > 0):
            model = DescentClassifier(**SHORT).fit(frame, target)
            with tempfile.TemporaryDirectory() as folder:
                model.save(folder)
                saved = descent_nn.load(folder)
                self.assertEqual((saved.columns, saved.classes), (list("abcd"), model.classes_.tolist()))
                turned = frame[list("dcba")].assign(other=1.0)
                answers = saved.predict(turned)
                numpy.testing.assert_array_equal(answers, model.predict(frame))
                self.assertEqual(list(answers.index), list(frame.index))
                tables = [pyarrow.table(turned), turned.to_dict("records"), X]
                for table in tables + ([] if polars is None else [polars.from_pandas(turned)]):
                    self.assertEqual(list(map(str, getattr(saved.predict(table), "to_pylist", lambda t=table: saved.predict(t))())),
                                     list(map(str, model.predict(frame))))
                self.assertEqual(list(map(str.lower, saved.predict_proba(turned))), [str(name).lower() for name in model.classes_])
                with self.assertRaisesRegex(descent_nn.Error, "there is no column 'b'"):
                    saved.predict(frame[["a", "c", "d"]])

    def test_a_saved_run_on_numbers_takes_every_kind_of_number_and_names_what_is_none(self):
        frame = pandas.DataFrame(X, columns=list("abcd")).assign(c=X[:, 2] > 3)
        days = numpy.array(["2020-01-01", "2020-01-02", "2020-01-03"], dtype="datetime64[D]")
        with tempfile.TemporaryDirectory() as folder:
            model = DescentClassifier(**SHORT).fit(frame, days[y])
            model.save(folder)
            saved = descent_nn.load(folder)
            expected = model.predict(frame).astype(str).tolist()
            wide = frame.assign(a=frame["a"].astype("Float64"), c=frame["c"].astype("boolean"))
            for table in (frame, wide, frame.convert_dtypes(dtype_backend="pyarrow"), pyarrow.table(frame), frame.to_dict("records")):
                self.assertEqual(list(map(str, getattr(saved.predict(table), "to_pylist", lambda t=table: saved.predict(t))())), expected)
            self.assertEqual((saved.predict([]), saved.predict_proba([])), ([], []))
            for bad in (frame.assign(b="x"), frame.assign(b=pandas.Timestamp(0)), frame.assign(b=numpy.datetime64(0, "D"))):
                with self.assertRaisesRegex(descent_nn.Error, "column 'b' has"):
                    saved.predict(bad)
            with self.assertRaisesRegex(descent_nn.Error, "there are 2 columns 'a'"):
                saved.predict(pandas.concat([frame, frame], axis=1))
            for damage in ("{", "[]", '{"columns": 5}', '{"columns": ["a", "a"]}', '{"classes": ["x"]}', '{"classes": {"0": 1}}'):
                (pathlib.Path(folder) / "names.json").write_text(damage, encoding="utf-8")
                with self.assertRaisesRegex(descent_nn.Error, "names.json .*save"):
                    descent_nn.load(folder).predict(frame)
            with self.assertRaisesRegex(descent_nn.Error, "is a file and no folder"):
                model.save(pathlib.Path(folder) / "names.json")

    def test_a_saved_run_has_the_scalings_that_were_made_here(self):
        numbers, values = load_diabetes(return_X_y=True)
        fitted = DescentRegressor(threads=1, train__epochs=5).fit(numbers, values)
        passed = DescentRegressor(threads=1).partial_fit(numbers, numpy.column_stack([values, values * 2]))
        for model in (fitted, clone(fitted).fit(numbers, values).partial_fit(numbers, values), passed):
            with tempfile.TemporaryDirectory() as folder:
                model.save(folder)
                saved = numpy.asarray(descent_nn.load(folder).predict(numbers))
                numpy.testing.assert_allclose(saved, model.predict(numbers), rtol=1e-5)
                with self.assertRaisesRegex(descent_nn.Error, "not empty"):
                    model.save(folder)

    def test_a_saved_classifier_of_a_table_has_the_names_of_its_classes(self):
        frame = pandas.DataFrame(X, columns=list("abcd")).assign(size=numpy.where(X[:, 0] > 5.8, "long", "short"))
        for target in (NAMES, y + 3, y > 0, numpy.array([f"{index}" for index in 9 - y])):
            model = DescentClassifier(**SHORT).fit(frame, target)
            with tempfile.TemporaryDirectory() as folder:
                model.save(folder)
                saved = descent_nn.load(folder)
                self.assertEqual(list(saved.predict(frame)), list(model.predict(frame)))
                self.assertEqual(set(saved.classes), set(model.classes_))
                numpy.testing.assert_allclose(saved.predict_proba(frame), model.predict_proba(frame), atol=1e-6)

    def test_a_saved_model_is_unpacked_once_by_all_threads_and_again_where_its_folder_is_gone(self):
        model = pickle.loads(pickle.dumps(DescentClassifier(**SHORT).fit(X, NAMES)))
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: model.predict(X), range(8)))
        shutil.rmtree(model.run_.folder)
        for answer in answers:
            numpy.testing.assert_array_equal(answer, model.predict(X))

    def test_a_variance_is_learnt_of_standardised_targets(self):
        numbers, values = load_diabetes(return_X_y=True)
        model = DescentRegressor(loss__name="gaussian_nll", recipe=False, threads=1).fit(numbers, values)
        self.assertGreater(model.score(numbers, values), 0.4)

    def test_a_loss_of_another_task_is_refused(self):
        for loss in ("mse", "kl_div", "bce_with_logits"):
            with self.assertRaisesRegex(ValueError, "is no loss of classes"):
                DescentClassifier(loss__name=loss).fit(X, NAMES)
        with self.assertRaisesRegex(ValueError, "is for classes"):
            DescentRegressor(loss__name="cross_entropy").fit(X, y)
        self.assertGreater(DescentClassifier(loss__name="focal", **SHORT).fit(X, NAMES).score(X, NAMES), 0.9)

    def test_the_programs_warnings_are_python_s(self):
        frame = pandas.DataFrame(numpy.tile(X, (2, 1)), columns=list("abcd")).assign(leak=numpy.tile(NAMES, 2))
        with self.assertWarnsRegex(descent_nn.DescentWarning, "^column `leak` alone predicts the target"):
            DescentClassifier(threads=1, train__epochs=2).fit(frame, numpy.tile(NAMES, 2))

    def test_any_key_of_a_config_is_a_parameter_and_is_cloned(self):
        model = DescentClassifier(optimizer__betas=[0.8, 0.9], config={"train": {"clip_grad_norm": 1.0}}, **SHORT)
        self.assertEqual(clone(model).get_params(), model.get_params())
        config = model.fit(X, y).run_.files["config.toml"].decode()
        self.assertIn("betas = [0.8, 0.9]", config)
        self.assertIn("clip_grad_norm = 1.0", config)
        other = DescentClassifier(threads=1, train__epochs=60, config={"optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9}})
        self.assertIn("momentum = 0.9", other.fit(X, y).run_.files["config.toml"].decode())

    def test_unknown_parameters_are_named(self):
        with self.assertRaisesRegex(ValueError, "Invalid parameter 'hidden'"):
            DescentClassifier(hidden=[3]).fit(X, y)
        with self.assertRaisesRegex(ValueError, "Invalid parameter 'hidden'"):
            DescentClassifier().set_params(hidden=[3])
        with self.assertRaisesRegex(descent_nn.Error, "^`optimizer.learning_rate` is an unknown key; did you mean `lr`"):
            DescentClassifier(optimizer__learning_rate=3).fit(X, y)

    def test_the_best_epoch_of_eval_set_is_kept(self):
        model = DescentClassifier(**SHORT).fit(X[::2], NAMES[::2], eval_set=[(X[1::2], NAMES[1::2])])
        self.assertIn("val_loss", model.history_[0])
        with self.assertRaisesRegex(ValueError, "which is none of setosa"):
            DescentClassifier(**SHORT).fit(X, NAMES, eval_set=(X, y))

    def test_a_seed_decides_everything(self):
        def answers(**more):
            return DescentClassifier(**SHORT, **more).fit(X, y).predict_proba(X)

        numpy.testing.assert_array_equal(answers(random_state=3), answers(random_state=3))
        self.assertTrue((answers(random_state=3) != answers(random_state=4)).any())


class Weights(unittest.TestCase):
    def test_a_whole_weight_counts_as_so_many_rows(self):
        counts = numpy.arange(len(y)) % 3
        few = {**SHORT, "train__batch_size": "full"}
        weighted = DescentClassifier(**few).fit(X, y, sample_weight=counts)
        repeated = DescentClassifier(**few).fit(numpy.repeat(X, counts, axis=0), numpy.repeat(y, counts))
        numpy.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)
        numbers, values = load_diabetes(return_X_y=True)
        counts = numpy.arange(150) % 3
        few = {"threads": 1, "train__batch_size": "full", "train__epochs": 30}
        weighted = DescentRegressor(**few).fit(numbers[:150], values[:150], sample_weight=counts * 0.5)
        repeated = DescentRegressor(**few).fit(numpy.repeat(numbers[:150], counts, 0), numpy.repeat(values[:150], counts))
        numpy.testing.assert_allclose(weighted.predict(numbers), repeated.predict(numbers), rtol=1e-3)

    def test_a_table_has_weights_too_beside_rows_to_validate_on(self):
        frame = pandas.DataFrame(X, columns=list("abcd")).assign(size=numpy.where(X[:, 0] > 5.8, "long", "short"))
        weight = numpy.where(y == 2, 0.01, 1.0)
        model = DescentClassifier(**SHORT).fit(frame, NAMES, sample_weight=weight, eval_set=(frame, NAMES))
        plain = DescentClassifier(**SHORT).fit(frame, NAMES, eval_set=(frame, NAMES))
        self.assertLess(model.predict_proba(frame)[:, 2].sum(), plain.predict_proba(frame)[:, 2].sum())

    def test_other_weights_are_refused(self):
        with self.assertRaisesRegex(ValueError, "Negative"):
            DescentClassifier(**SHORT).fit(X, y, sample_weight=-numpy.ones(len(y)))
        with self.assertRaisesRegex(ValueError, "all weights are 0|non-zero"):
            DescentClassifier(**SHORT).fit(X, y, sample_weight=numpy.zeros(len(y)))


class Passes(unittest.TestCase):
    def test_passes_over_parts_without_all_classes_learn_all_of_them(self):
        model = DescentClassifier(threads=1, optimizer__lr=0.01)
        order = numpy.random.default_rng(1).permutation(len(y))
        for _ in range(40):
            for part in numpy.array_split(order, 3):
                model.partial_fit(X[part], NAMES[part], classes=list(set(NAMES)))
        self.assertGreater(model.score(X, NAMES), 0.93)
        model.partial_fit(X[:50], NAMES[:50])
        with self.assertRaisesRegex(ValueError, "classes must be passed"):
            DescentClassifier().partial_fit(X, y)

    def test_a_pass_goes_on_from_a_fit_by_its_scaling_or_is_refused(self):
        for normalize in ("standard", "robust", "minmax", "none", "quantile", "robust_smooth"):
            model = DescentClassifier(data__normalize=normalize, **SHORT).fit(X, y)
            before = model.predict_proba(X)
            model.set_params(optimizer__lr=1e-12)
            if normalize in ("quantile", "robust_smooth"):
                with self.assertRaisesRegex(ValueError, "not after 'quantile' or 'robust_smooth'; use fit"):
                    model.partial_fit(X, y)
            else:
                numpy.testing.assert_allclose(model.partial_fit(X, y).predict_proba(X), before, atol=1e-5)
        with self.assertRaisesRegex(ValueError, "and not by 'minmax'"):
            DescentClassifier(data__normalize="minmax").partial_fit(X, y, classes=[0, 1, 2])

    def test_a_pass_goes_on_from_a_fit(self):
        numbers, values = load_diabetes(return_X_y=True)
        model = DescentRegressor(threads=1).fit(numbers, values)
        before = model.predict(numbers)
        after = model.partial_fit(numbers, values).predict(numbers)
        self.assertTrue((before != after).any())
        self.assertLess(numpy.abs(before - after).mean(), 0.5 * values.std())


class Tables(unittest.TestCase):
    def test_missing_cells_and_words_for_them_are_filled_for_few_rows_and_for_many(self):
        generator = numpy.random.default_rng(1)
        for rows in (100, 260):
            numbers = generator.normal(size=rows)
            words = numpy.where(numpy.arange(rows) % 9 == 4, None, numpy.where(numbers > 0, "up", "down"))
            frame = pandas.DataFrame({"a": numbers, "word": words})
            model = DescentClassifier(**SHORT).fit(frame, numbers > 0)
            self.assertGreater(model.score(frame, numbers > 0), 0.9)
        marked = pandas.DataFrame({"a": [("?" if row % 20 == 3 else f"{x:.3f}") for row, x in enumerate(numbers)], "b": numbers})
        self.assertGreater(DescentClassifier(**SHORT).fit(marked, numbers > 0).score(marked, numbers > 0), 0.9)

    def test_na_values_are_a_dict_by_column_as_pandas_takes_one(self):
        generator, short = numpy.random.default_rng(2), {**SHORT, "train__epochs": 3}
        for rows in (120, 300):
            numbers = generator.normal(size=rows)
            frame = pandas.DataFrame({"a": numpy.where(numpy.arange(rows) % 9 == 4, -999.0, numbers)})
            # -999 is an amount here.
            frame["the other"] = numpy.where(numpy.arange(rows) % 3 == 1, -999.0, numbers)
            frame["word"] = numpy.where(numpy.arange(rows) % 9 == 2, "absent", numpy.where(numbers > 0, "up", "down"))
            by_column = {"a": [-999], "word": "absent"}
            for given in ({"data__na_values": by_column}, {"config": {"data": {"na_values": by_column}}}):
                model = DescentRegressor(data__columns={"word": "category"}, data__missing="mean", **short, **given)
                model.fit(frame, numbers)
                config = tomllib.loads(model.run_.files["config.toml"].decode())
                self.assertEqual(config["data"]["na_values"], {"a": ["-999"], "word": ["absent"]})
                # What is missing in its column, is the same as an empty cell; -999 of the other column is not.
                holes = frame.assign(a=frame["a"].replace(-999.0, numpy.nan), word=frame["word"].replace("absent", None))
                numpy.testing.assert_array_equal(model.predict(frame), model.predict(holes))
                others = frame.assign(**{"the other": frame["the other"].replace(-999.0, numpy.nan)})
                self.assertFalse((model.predict(frame) == model.predict(others)).all())
        # pandas.read_csv ignores a column that is not there; here it is a mistake.
        with self.assertRaisesRegex(descent_nn.Error, "did you mean `word`"):
            DescentRegressor(data__na_values={"wrod": "absent"}, **short).fit(frame, numbers)

    def test_a_config_that_is_no_dict_is_an_error_with_a_way_out(self):
        with self.assertRaisesRegex(ValueError, "config takes a dict of sections, which tomllib.load reads"):
            DescentClassifier(config="iris.toml").fit(X, y)
        for config in ({"loss": "mse"}, {"train": [1]}, {1: {"a": 2}}):
            with self.assertRaisesRegex(ValueError, "a section is a dict"):
                DescentClassifier(config=config).fit(X, y)

    def test_text_and_dates_are_encoded_by_the_program(self):
        frame = pandas.DataFrame(X, columns=list("abcd"))
        frame["size"] = numpy.where(X[:, 0] > 5.8, "long", "short")
        frame["day"] = pandas.date_range("2024-01-01", periods=len(y))
        model = DescentClassifier(**SHORT).fit(frame, NAMES, eval_set=(frame, NAMES))
        self.assertGreater(model.score(frame, NAMES), 0.93)
        self.assertEqual(list(model.feature_names_in_), list(frame.columns))
        frame.loc[3, "a"] = numpy.nan
        model = DescentClassifier(data__missing="mean", **SHORT).fit(frame, NAMES)
        self.assertGreater(model.score(frame, NAMES), 0.93)

    def test_dates_in_even_steps_with_missing_cells_several_targets_and_weights_are_a_table(self):
        random = numpy.random.default_rng(0)
        frame = pandas.DataFrame({"x": random.normal(size=300), "when": pandas.date_range("2024-01-01", periods=300)})
        frame["name"] = random.choice(["a", "b"], 300)
        frame["holes"] = frame["x"].where(random.random(300) < 0.8)
        targets = numpy.column_stack([frame["x"] * 100 + 1000, -frame["x"] + (frame["name"] == "a")])
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "column `weight", descent_nn.DescentWarning)
            model = DescentRegressor(threads=1).fit(frame, targets, sample_weight=numpy.where(frame["x"] > 0, 2.0, 1.0))
        self.assertEqual(model.predict(frame).shape, (300, 2))
        self.assertGreater(model.score(frame, targets), 0.8)
        kept = DescentRegressor(threads=1).fit(frame[:250], targets[:250], eval_set=(frame[250:], targets[250:]))
        self.assertGreater(kept.score(frame, targets), 0.8)
        weight = numpy.where(frame["x"] > 0, 2.0, 1.0)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "column `weight", descent_nn.DescentWarning)
            DescentClassifier(threads=1, train__epochs=2).fit(frame[["name", "holes"]], frame["x"] > 0, sample_weight=weight)

    def test_values_come_back_in_their_units_one_or_several(self):
        numbers, values = load_diabetes(return_X_y=True)
        linear = LinearRegression().fit(numbers, values).score(numbers, values)
        # The best epoch on these rows themselves fits them more closely than a linear model, in whatever units.
        model = DescentRegressor(threads=1).fit(numbers, values * 1000, eval_set=(numbers, values * 1000))
        self.assertGreater(model.score(numbers, values * 1000), linear)
        both = numpy.column_stack([values, -values])
        several = DescentRegressor(threads=1).fit(numbers, both, eval_set=(numbers, both))
        self.assertEqual(several.predict(numbers).shape, (len(values), 2))
        self.assertGreater(several.score(numbers, numpy.column_stack([values, -values])), linear)


if __name__ == "__main__":
    unittest.main()
