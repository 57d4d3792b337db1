"""tests/golden/metrics.json: predictions and scikit-learn's metrics of them.

Run it where scikit-learn 1.9 is: `python scripts/golden-metrics.py`. Each case has predictions, targets and the value of
every metric; null where there is none, with scikit-learn's defaults for `zero_division` and `average` otherwise.
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/metrics.json"
CASES = []


def number(value):
    return None if np.isnan(value) else float(value)


def calibration_error(confidence, correct, bins=15):
    """Guo et al. 2017, equations 2 and 3: bins (m - 1) / M < p <= m / M."""
    error = 0.0
    for m in range(1, bins + 1):
        own = np.clip(np.ceil(confidence * bins), 1, bins) == m
        if own.any():
            error += own.sum() / len(correct) * abs(correct[own].mean() - confidence[own].mean())
    return error


def two_classes(p, y, positive):
    """The metrics of two classes from probabilities (N, 2)."""
    said, score = p.argmax(1), p[:, positive]
    is_positive = y == positive
    binary = {"pos_label": positive, "average": "binary", "zero_division": 0.0}
    return {
        "precision": sk.precision_score(y, said, **binary), "recall": sk.recall_score(y, said, **binary),
        "f1": sk.f1_score(y, said, **binary), "f1_macro": sk.f1_score(y, said, average="macro", zero_division=0.0),
        "roc_auc": sk.roc_auc_score(is_positive, score), "average_precision": sk.average_precision_score(is_positive, score),
    }


def more_classes(p, y):
    said, classes = p.argmax(1), np.arange(p.shape[1])
    one_hot = (y[:, None] == classes).astype(int)
    macro = {"average": "macro", "zero_division": 0.0}
    values = {
        "precision_macro": sk.precision_score(y, said, **macro), "recall_macro": sk.recall_score(y, said, **macro),
        "f1_macro": sk.f1_score(y, said, **macro),
        "roc_auc": sk.roc_auc_score(one_hot, p, average="macro"),
        "average_precision": sk.average_precision_score(one_hot, p, average="macro"),
    }
    if len(classes) > 5:
        values["top5_accuracy"] = sk.top_k_accuracy_score(y, p, k=5, labels=classes)
    return values


def top2(p, y):
    """None where probabilities tie: scikit-learn counts the last of equal classes first there, and argmax the first."""
    classes = p.shape[1]
    if any(len(set(row)) < classes for row in p.tolist()):
        return None
    return sk.top_k_accuracy_score(y, p, k=2, labels=range(classes)) if classes > 2 else 1.0


def of_classes(name, p, y, positive=1, dtype="f64"):
    classes = np.arange(p.shape[1])
    values = two_classes(p, y, positive) if len(classes) == 2 else more_classes(p, y)
    said = p.argmax(1)
    confidence = p.max(1).astype(np.float64)
    values |= {
        "accuracy": sk.accuracy_score(y, said), "log_loss": sk.log_loss(y, p, labels=classes),
        "calibration_error": calibration_error(confidence, said == y),
        "balanced_accuracy": sk.balanced_accuracy_score(y, said), "mcc": sk.matthews_corrcoef(y, said),
    }
    by_class = sk.precision_recall_fscore_support(y, said, labels=classes, zero_division=0.0)
    case = {
        "name": name, "task": "classes", "dtype": dtype, "positive": positive, "predictions": p.astype(float).tolist(),
        "targets": y.tolist(), "metrics": {key: number(value) for key, value in values.items()},
        "confusion": sk.confusion_matrix(y, said, labels=classes).tolist(),
        "by_class": np.array([list(map(float, row)) for row in by_class]).T.tolist(),
        "top2": top2(p, y),
    }
    CASES.append(case)


def of_labels(name, p, y):
    said = (p > 0.5).astype(int)
    macro = {"average": "macro", "zero_division": 0.0}
    columns = range(p.shape[1])
    values = {
        "accuracy": sk.accuracy_score(y, said), "precision_macro": sk.precision_score(y, said, **macro),
        "recall_macro": sk.recall_score(y, said, **macro), "f1_macro": sk.f1_score(y, said, **macro),
        "roc_auc": sk.roc_auc_score(y, p, average="macro"),
        "average_precision": sk.average_precision_score(y, p, average="macro"),
        "log_loss": np.mean([sk.log_loss(y[:, k], p[:, k], labels=[0, 1]) for k in columns]),
        "calibration_error": np.mean(
            [calibration_error(np.maximum(p[:, k], 1 - p[:, k]), said[:, k] == y[:, k]) for k in columns]
        ),
    }
    CASES.append({"name": name, "task": "labels", "predictions": p.tolist(), "targets": y.tolist(),
                  "metrics": {key: number(value) for key, value in values.items()}})


def of_values(name, x, y, targets=()):
    each = {
        "rmse": sk.root_mean_squared_error, "mae": sk.mean_absolute_error, "r2": sk.r2_score,
        "mse": sk.mean_squared_error, "mape": sk.mean_absolute_percentage_error,
    }
    values = {key: metric(y, x) for key, metric in each.items()}
    for column, target in enumerate(targets):
        values |= {f"{key}_{target}": metric(y[:, column], x[:, column]) for key, metric in each.items()}
    # scikit-learn divides by 2**-52 where a target is 0; we leave the metric out.
    zero = ["mape"] * bool((y == 0).any()) + [f"mape_{t}" for k, t in enumerate(targets) if (y[:, k] == 0).any()]
    values |= {key: np.nan for key in zero}
    CASES.append({"name": name, "task": "values", "targets": y.tolist(), "predictions": x.tolist(), "columns": list(targets),
                  "metrics": {key: number(value) for key, value in values.items()}})


def distributions(random, rows, classes):
    p = random.exponential(size=(rows, classes))
    return p / p.sum(1, keepdims=True)


def main():
    random = np.random.default_rng(1)
    for classes in (2, 3, 4, 7):
        y = random.integers(classes, size=60)
        y[:classes] = np.arange(classes)
        of_classes(f"{classes} classes", distributions(random, 60, classes), y)
    p, y = distributions(random, 50, 2), random.integers(2, size=50)
    of_classes("the first class is the positive one", p, y, positive=0)
    # Multiples of 1/8 tie often and are exact in both types; none is a half.
    eighths = random.choice([0, 1, 2, 3, 5, 6, 7, 8], size=50) / 8
    ties = np.stack([1 - eighths, eighths], 1)
    of_classes("ties", ties, y)
    of_classes("ties, the first class is the positive one", ties, y, positive=0)
    of_classes("ties in f32: probabilities of 0 are clipped", ties.astype(np.float32), y, dtype="f32")
    quarters = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0, 0.25, 0.75], [0.75, 0.25, 0]])
    of_classes("ties of three classes", quarters[random.integers(5, size=40)], np.arange(40) % 3)
    constant = np.tile([0.7, 0.3], (40, 1))
    of_classes("constant predictions", constant, np.arange(40) % 2)
    of_classes("constant predictions of three classes", np.tile([0.2, 0.5, 0.3], (40, 1)), np.arange(40) % 3)
    of_classes("no row of the positive class", distributions(random, 40, 2), np.zeros(40, int))
    of_classes("rows of the positive class alone", distributions(random, 40, 2), np.ones(40, int))
    of_classes("one of four classes is missing", distributions(random, 40, 4), np.array([0, 1, 3, 3] * 10))
    of_classes("rows of one class, predicted as it", constant, np.zeros(40, int))
    of_classes("perfect predictions", np.eye(3)[np.arange(30) % 3], np.arange(30) % 3)
    for columns in (2, 3):
        p = random.choice(np.array([0, 1, 2, 3, 4, 6, 7, 9, 10]) / 10, size=(50, columns))
        of_labels(f"{columns} labels", p, random.integers(2, size=(50, columns)))
    p, y = random.random((40, 3)), random.integers(2, size=(40, 3))
    y[:, 1] = 0
    of_labels("a label that is never true", p, y)
    y = random.normal(2, 1, size=(40, 1))
    of_values("one target", y + random.normal(0, 0.3, size=y.shape), y)
    y = random.normal([2, -30, 500], [1, 5, 90], size=(40, 3))
    of_values("three targets", y + random.normal(0, 0.3, size=y.shape), y, ["price", "a b", "loss"])
    zero = y.copy()
    zero[7, 1] = 0
    of_values("a target is 0", zero + random.normal(0, 0.3, size=y.shape), zero, ["price", "a b", "loss"])
    same = np.full((30, 1), 3.5)
    of_values("a constant target", same + random.normal(0, 0.3, size=same.shape), same)
    of_values("a constant target, predicted", same, same)
    of_values("a constant prediction", np.full((40, 1), 2.0), y[:, :1])
    OUT.write_text("[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore", UndefinedMetricWarning)
    main()
