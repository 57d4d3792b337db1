//! The baselines beside the results of a table, and the weights of rows.

use std::path::Path;

use serde_json::Value;

use super::{config, lines, write};
use crate::common::{descent, succeed};

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

/// scikit-learn 1.7 on rows 0 to 59 and 60 to 89, names one-hot encoded: `Ridge()` and `LogisticRegression(tol=1e-12)` behind
/// `StandardScaler()`, `DummyRegressor()` and `DummyClassifier(strategy="prior")`.
const PLAIN: [Case; 3] = [
    Case {
        target: "value",
        loss: "mse",
        expected: [
            ("baseline_ridge_rmse", 1.492_180_032_337),
            ("baseline_ridge_mae", 1.296_686_054_354),
            ("baseline_ridge_r2", 0.967_950_274_701),
            ("baseline_mean_rmse", 8.387_624_191_828),
        ],
    },
    Case {
        target: "class",
        loss: "cross_entropy",
        expected: [
            ("baseline_logistic_accuracy", 0.3),
            ("baseline_logistic_log_loss", 1.119_066_834_892),
            ("baseline_prior_accuracy", 0.3),
            ("baseline_prior_log_loss", 1.112_163_440_990),
        ],
    },
    Case {
        target: "pair",
        loss: "cross_entropy",
        expected: [
            ("baseline_logistic_accuracy", 0.9),
            ("baseline_logistic_log_loss", 0.271_896_229_013),
            ("baseline_prior_accuracy", 0.633_333_333_333),
            ("baseline_prior_log_loss", 0.657_748_671_707),
        ],
    },
];

/// The same with `sample_weight` everywhere, in StandardScaler and the metrics too.
const WEIGHTED: [Case; 3] = [
    Case {
        target: "value",
        loss: "mse",
        expected: [
            ("baseline_ridge_rmse", 1.596_086_040_094),
            ("baseline_ridge_mae", 1.387_964_935_450),
            ("baseline_ridge_r2", 0.963_481_299_630),
            ("baseline_mean_rmse", 8.377_089_291_633),
        ],
    },
    Case {
        target: "class",
        loss: "cross_entropy",
        expected: [
            ("baseline_logistic_accuracy", 0.383_333_333_333),
            ("baseline_logistic_log_loss", 1.110_705_096_182),
            ("baseline_prior_accuracy", 0.283_333_333_333),
            ("baseline_prior_log_loss", 1.111_482_396_430),
        ],
    },
    Case {
        target: "pair",
        loss: "cross_entropy",
        expected: [
            ("baseline_logistic_accuracy", 0.9),
            ("baseline_logistic_log_loss", 0.253_413_201_353),
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
