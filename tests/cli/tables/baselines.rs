//! The baselines beside the results of a table, and the weights of rows.

use std::path::Path;

use serde_json::Value;

use super::{config, lines, write};
use crate::common::{descent, said, succeed};

/// A row of the table: a number with a fraction in quarters, a name, and a target of each kind.
pub(super) struct Row {
    pub(super) features: String,
    pub(super) value: String,
    pub(super) class: &'static str,
    pub(super) pair: &'static str,
    pub(super) weight: usize,
}

impl Row {
    /// The target of this name.
    pub(super) fn target(&self, name: &str) -> &str {
        match name {
            "value" => &self.value,
            "class" => self.class,
            _ => self.pair,
        }
    }
}

/// The row with this number.
pub(super) fn row(i: usize) -> Row {
    let (x, quarters, name, n) = (i * 7 % 13, i * i % 11, ["r", "g", "b"][i * 5 % 7 % 3], i * 3 % 5);
    let value = f64::from(u32::try_from(8 * x + 20 * usize::from(name == "r") + 4 * n).unwrap()) / 4.0
        - 3.0 * f64::from(u32::try_from(quarters).unwrap()) / 4.0;
    let sum = value + f64::from(u32::try_from(n).unwrap());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let class = if i.is_multiple_of(4) { i % 3 } else { (sum.trunc() as i64).rem_euclid(3) as usize };
    Row {
        features: format!("{x},{},{name}", f64::from(u32::try_from(quarters).unwrap()) / 4.0),
        value: value.to_string(),
        class: ["a", "b", "c"][class],
        pair: if sum > 12.0 { "yes" } else { "no" },
        weight: 1 + i % 3,
    }
}

/// The final line of a run's log.
pub(super) fn last(run: &Path) -> Value {
    let log = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    serde_json::from_str(log.lines().last().unwrap()).unwrap()
}

pub(super) fn assert_close(line: &Value, name: &str, expected: f64) {
    let own = line[name].as_f64().unwrap_or_else(|| panic!("no {name}: {line}"));
    assert!((own - expected).abs() < 1e-4, "{name}: {own} is not {expected}");
}

/// A target, a loss for it, and its baselines.
struct Case {
    target: &'static str,
    loss: &'static str,
    expected: [(&'static str, f64); 4],
}

/// scikit-learn 1.9 on rows 0 to 59 and 60 to 89, the numbers standardised and the names one-hot encoded; ridge's penalty is
/// 0.1, and 1 of weighted rows:
///
/// ```python
/// import numpy as np, pandas as pd
/// from math import trunc
/// from sklearn.compose import make_column_transformer
/// from sklearn.dummy import DummyClassifier, DummyRegressor
/// from sklearn.linear_model import LogisticRegression, RidgeCV
/// from sklearn.metrics import *
/// from sklearn.preprocessing import OneHotEncoder, StandardScaler
/// def row(i):
///     x, q, c, n = i*7 % 13, i*i % 11, "rgb"[i*5 % 7 % 3], i*3 % 5
///     value = (8*x + 20*(c == "r") + 4*n)/4 - 3*q/4
///     k = i % 3 if i % 4 == 0 else trunc(value + n) % 3
///     return dict(w=1 + i % 3, x=x, z=q/4, c=c, value=value, **{"class": "abc"[k]}, pair="yes" if value + n > 12 else "no")
/// d = pd.DataFrame([row(i) for i in range(90)]); a, b = d[:60], d[60:]
/// for w, v in ((None, None), (a.w, b.w)):
///     s = StandardScaler().fit(a[["x", "z"]], sample_weight=w)
///     e = OneHotEncoder(sparse_output=False).fit(a[["c"]])
///     f = lambda d: np.c_[s.transform(d[["x", "z"]]), e.transform(d[["c"]])]
///     m = RidgeCV([0.1, 1, 10, 100, 1000]).fit(f(a), a.value, sample_weight=w); p = m.predict(f(b))
///     print("ridge", m.alpha_, mean_squared_error(b.value, p, sample_weight=v)**.5, mean_absolute_error(b.value, p, sample_weight=v), r2_score(b.value, p, sample_weight=v))
///     for t in ("class", "pair"):
///         m = LogisticRegression(tol=1e-12, max_iter=10000).fit(f(a), a[t], sample_weight=w); p = m.predict_proba(f(b))
///         print(t, accuracy_score(b[t], m.predict(f(b)), sample_weight=v), log_loss(b[t], p, labels=m.classes_, sample_weight=v))
///         m = DummyClassifier(strategy="prior").fit(f(a), a[t], sample_weight=w)
///         print("  prior", accuracy_score(b[t], m.predict(f(b)), sample_weight=v), log_loss(b[t], m.predict_proba(f(b)), labels=m.classes_, sample_weight=v))
/// ```
const PLAIN: [Case; 3] = [
    Case {
        target: "value",
        loss: "mse",
        expected: [
            ("baseline_ridge_rmse", 1.461_277_720_073),
            ("baseline_ridge_mae", 1.269_801_562_466),
            ("baseline_ridge_r2", 0.969_263_997_095),
            ("baseline_mean_rmse", 8.387_624_191_828),
        ],
    },
    Case {
        target: "class",
        loss: "cross_entropy",
        expected: [
            ("baseline_logistic_accuracy", 0.3),
            ("baseline_logistic_log_loss", 1.118_497_286_433),
            ("baseline_prior_accuracy", 0.3),
            ("baseline_prior_log_loss", 1.112_163_440_990),
        ],
    },
    Case {
        target: "pair",
        loss: "cross_entropy",
        expected: [
            ("baseline_logistic_accuracy", 0.933_333_333_333),
            ("baseline_logistic_log_loss", 0.259_634_745_669),
            ("baseline_prior_accuracy", 0.633_333_333_333),
            ("baseline_prior_log_loss", 0.657_748_671_707),
        ],
    },
];

/// The same with `sample_weight` everywhere, in `StandardScaler` and the metrics too.
const WEIGHTED: [Case; 3] = [
    Case {
        target: "value",
        loss: "mse",
        expected: [
            ("baseline_ridge_rmse", 1.581_821_523_736),
            ("baseline_ridge_mae", 1.378_994_099_835),
            ("baseline_ridge_r2", 0.964_131_131_530),
            ("baseline_mean_rmse", 8.377_089_291_633),
        ],
    },
    Case {
        target: "class",
        loss: "cross_entropy",
        expected: [
            ("baseline_logistic_accuracy", 0.383_333_333_333),
            ("baseline_logistic_log_loss", 1.111_227_751_211),
            ("baseline_prior_accuracy", 0.283_333_333_333),
            ("baseline_prior_log_loss", 1.111_482_396_430),
        ],
    },
    Case {
        target: "pair",
        loss: "cross_entropy",
        expected: [
            ("baseline_logistic_accuracy", 0.933_333_333_333),
            ("baseline_logistic_log_loss", 0.243_982_679_275),
            ("baseline_prior_accuracy", 0.65),
            ("baseline_prior_log_loss", 0.648_048_699_725),
        ],
    },
];

/// Trains on the rows of a case; gives what is said and the final line of the log.
fn trained(folder: &Path, case: &Case, data: &str) -> (String, String) {
    let table = |first: usize, count: usize| {
        lines(&format!("w,x,z,c,{}", case.target), count, |i| {
            let row = row(first + i);
            format!("{},{},{}", row.weight, row.features, row.target(case.target))
        })
    };
    let path = write(folder, &format!("{}-train.csv", case.target), table(0, 60));
    write(folder, &format!("{}-test.csv", case.target), table(60, 30));
    let data = format!("test = '{}-test.csv'\n{data}", case.target);
    write(folder, "c.toml", config("csv", &path, case.target, &data, case.loss));
    let output = descent(folder, &["train", "c.toml", "--out", case.target]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    (messages, last(&folder.join(case.target)).to_string())
}

#[test]
fn the_baselines_of_a_table_are_scikit_learns() {
    let folder = tempfile::tempdir().unwrap();
    for case in PLAIN {
        let data = "normalize = 'minmax'\ncolumns = { w = 'ignore' }";
        let (messages, line) = trained(folder.path(), &case, data);
        assert!(messages.contains("the best baseline"), "{messages}");
        let line = serde_json::from_str(&line).unwrap();
        case.expected.iter().for_each(|(name, expected)| assert_close(&line, name, *expected));
        let judged = succeed(folder.path(), &["eval", case.target, "--json"]);
        let judged: Value = serde_json::from_str(&judged).unwrap();
        case.expected.iter().for_each(|(name, _)| assert_eq!(judged[name], line[name], "{name}"));
    }
    succeed(folder.path(), &["report", "value", "pair", "--output", "r.html"]);
    let page = std::fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert!(
        page.contains("baseline ridge RMSE") && page.contains("the best baseline"),
        "nothing of the baselines"
    );
}

#[test]
fn weighted_baselines_are_scikit_learns() {
    let folder = tempfile::tempdir().unwrap();
    for case in WEIGHTED {
        let (_, line) = trained(folder.path(), &case, "weight = 'w'");
        let line = serde_json::from_str(&line).unwrap();
        case.expected.iter().for_each(|(name, expected)| assert_close(&line, name, *expected));
    }
}

/// Lines of standard error about the best baseline, each with its level.
fn verdicts(folder: &Path, arguments: &[&str]) -> Vec<String> {
    said(folder, arguments).lines().filter(|line| line.contains("best baseline")).map(str::to_owned).collect()
}

#[test]
fn a_network_that_loses_to_a_line_is_warned_of_by_training_evaluation_and_a_bag() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let file = write(
        path,
        "t.csv",
        lines("x,z,y", 200, |i| format!("{},{},{}", i % 17, i % 11, 3 * (i % 17) + i % 11)),
    );
    let data = "normalize = 'standard'\ntest = 0.2\nvalidation = 0.1";
    write(path, "c.toml", config("csv", &file, "y", data, "mse").replace("epochs = 3", "epochs = 1"));
    let loses = "does not beat the best baseline, ridge regression: its RMSE is";
    for arguments in [
        &["train", "c.toml", "--out", "run"][..],
        &["eval", "run"],
        &["train", "c.toml", "--out", "bag", "--bag", "3"],
        &["eval", "bag"],
    ] {
        let lines = verdicts(path, arguments);
        let last = lines.last().unwrap_or_else(|| panic!("{arguments:?} says nothing"));
        assert!(last.contains("WARN") && last.contains(loses), "{arguments:?}: {lines:?}");
    }
    // Where the line is no match it is said, too, and is no warning.
    let file = write(
        path,
        "u.csv",
        lines("x,y", 200, |i| format!("{},{}", i % 20, if i % 20 < 10 { i % 20 } else { 20 - i % 20 })),
    );
    write(path, "u.toml", config("csv", &file, "y", data, "mse").replace("epochs = 3", "epochs = 60"));
    for arguments in [&["train", "u.toml", "--out", "wave"][..], &["eval", "wave"]] {
        let lines = verdicts(path, arguments);
        let last = lines.last().unwrap_or_else(|| panic!("{arguments:?} says nothing"));
        assert!(
            last.contains("INFO") && last.contains("beats the best baseline"),
            "{arguments:?}: {lines:?}"
        );
    }
}

#[test]
fn a_linear_model_of_very_many_categories_is_left_out_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let path =
        write(folder.path(), "t.csv", lines("x,name,y", 1800, |i| format!("{i},n{},{}", i % 600, i % 7)));
    let data = "test = 0.2\nnormalize = 'standard'\ncolumns = { name = 'embedding' }";
    write(folder.path(), "c.toml", config("csv", &path, "y", data, "mse"));
    let messages = said(folder.path(), &["train", "c.toml", "--out", "run"]);
    assert!(messages.contains("the baseline of ridge regression is left out: its 5"), "{messages}");
}
