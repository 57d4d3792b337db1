//! `data.weight`: a row of weight 3 is as three rows.

use std::path::Path;

use serde_json::Value;

use super::baselines::{last, row};
use super::{column, config, lines, refused, write};
use crate::common::{descent, fail, succeed};

/// Rows with their weights, or as many times as these say.
fn table(
    header: &str,
    rows: std::ops::Range<usize>,
    is_weighted: bool,
    of: impl Fn(usize) -> String,
) -> String {
    let weight = |i: usize| [1, 3, 0, 2, 1][i % 5];
    let text: String = rows
        .flat_map(|i| {
            let times = if is_weighted { 1 } else { weight(i) };
            std::iter::repeat_n(format!("{},{}\n", of(i), weight(i)), times)
        })
        .collect();
    format!("{header},w\n{text}")
}

/// Every number of two final lines that is of the data is the same.
fn assert_same(weighted: &Value, repeated: &Value) {
    for (name, expected) in repeated.as_object().unwrap() {
        if let (Some(expected), false) = (expected.as_f64(), name == "seconds") {
            let own = weighted[name].as_f64().unwrap_or_else(|| panic!("no {name}: {weighted}"));
            assert!(
                (own - expected).abs() <= 2e-5 * expected.abs().max(1.0),
                "{name}: {own} is not {expected}"
            );
        }
    }
}

/// Trains on weighted or on repeated rows, one step of the whole batch each: mini-batches of repeated rows are others.
fn trained(folder: &Path, name: &str, target: &str, loss: &str) -> Value {
    let is_weighted = name == "weighted";
    for (split, rows) in [("train", 0..60), ("test", 60..90)] {
        let of = |i: usize| format!("{},{}", row(i).features, row(i).target(target));
        let text = table(&format!("x,z,c,{target}"), rows, is_weighted, of);
        write(folder, &format!("{name}-{target}-{split}.csv"), text);
    }
    let path = folder.join(format!("{name}-{target}-train.csv"));
    let column = if is_weighted { "weight = 'w'" } else { "columns = { w = 'ignore' }" };
    let data =
        format!("test = '{name}-{target}-test.csv'\nnormalize = 'standard'\nmissing = 'mean'\n{column}");
    let text = config("csv", &path, target, &data, loss).replace("batch_size = 16", "batch_size = 'full'");
    let balanced = if loss == "focal" { "class_weight = 'balanced'\n[optimizer]" } else { "[optimizer]" };
    write(folder, "c.toml", text.replace("epochs = 3", "epochs = 20").replace("[optimizer]", balanced));
    let out = format!("{name}-{target}-{loss}");
    succeed(folder, &["train", "c.toml", "-q", "--out", &out]);
    last(&folder.join(out))
}

#[test]
fn a_weight_is_as_many_rows_in_all_that_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    for (target, loss) in [
        ("value", "mse"),
        ("value", "huber"),
        ("value", "gaussian_nll"),
        ("class", "cross_entropy"),
        ("class", "focal"),
        ("class", "nll"),
        ("pair", "bce_with_logits"),
    ] {
        let [weighted, repeated] =
            ["weighted", "repeated"].map(|name| trained(folder.path(), name, target, loss));
        assert_same(&weighted, &repeated);
        let mean = |name: &str| {
            column(&folder.path().join(format!("{name}-{target}-{loss}")), "x")["offset"].as_float().unwrap()
        };
        assert!((mean("weighted") - mean("repeated")).abs() < 1e-12);
    }
}

/// The tables of eval, a resumed run, a report, predictions and an export.
#[test]
fn a_run_on_weighted_rows_goes_through_all_commands() {
    let folder = tempfile::tempdir().unwrap();
    let line = trained(folder.path(), "weighted", "class", "cross_entropy");
    let run = "weighted-class-cross_entropy";
    let judged = succeed(folder.path(), &["eval", run, "--json"]);
    let judged: Value = serde_json::from_str(&judged).unwrap();
    let confusion = judged["confusion"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
    let rows: u64 = (60..90).map(|i| [1, 3, 0, 2, 1][i % 5]).sum();
    assert_eq!(confusion.map(|count| count.as_u64().unwrap()).sum::<u64>(), rows);
    assert_eq!(judged["test_loss"], line["test_loss"]);
    succeed(folder.path(), &["train", "--resume", run, "-q", "--set", "train.epochs=22"]);
    succeed(folder.path(), &["report", run, "--output", "r.html"]);
    succeed(folder.path(), &["predict", run, "--input", "weighted-class-test.csv"]);
    succeed(folder.path(), &["export", run, "--to", "onnx"]);
    // Weights that change are other rows.
    let path = folder.path().join("weighted-class-train.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen(",3\n", ",4\n", 1)).unwrap();
    let error = fail(folder.path(), &["eval", run], 1);
    assert!(error.contains("the training rows have other values"), "{error}");
}

#[test]
fn weights_that_are_none_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let table = |weight: &str| {
        lines("x,y,w", 20, |i| format!("{i},{},{}", i % 3, if i == 4 { weight } else { "1.5" }))
    };
    for (weight, problem) in [
        ("-1", "line 6, column `w`: the weight `-1` is negative"),
        ("", "line 6, column `w`: the weight is missing"),
        ("much", "line 6, column `w`: the weight `much` is no number"),
        ("inf", "line 6, column `w`: the weight `inf` is not finite"),
    ] {
        let path = write(folder.path(), "t.csv", table(weight));
        for more in ["", "\nmemory = 0"] {
            let error =
                refused(folder.path(), &config("csv", &path, "y", &format!("weight = 'w'{more}"), "mse"));
            assert!(error.contains(problem), "{error}");
        }
    }
    let path = write(folder.path(), "t.csv", lines("x,y,w", 20, |i| format!("{i},{},0", i % 3)));
    let error = refused(folder.path(), &config("csv", &path, "y", "weight = 'w'", "mse"));
    assert!(error.contains("all training rows have the weight 0"), "{error}");
    for (data, problem) in [
        ("weight = 'v'", "data.weight"),
        ("weight = 'y'", "is `y`, which is the target too"),
        ("weight = 'w'\ncolumns = { w = 'number' }", "is the kind of `data.weight`"),
        ("weight = 'w'\nnormalize = 'robust'", "takes quantiles"),
    ] {
        write(folder.path(), "c.toml", config("csv", &path, "y", data, "mse"));
        let error = fail(folder.path(), &["train", "c.toml", "--out", "refused"], 2);
        assert!(error.contains(problem), "{error}");
    }
    // A series' rows follow each other.
    write(folder.path(), "c.toml", config("timeseries", &path, "y", "window = 3\nweight = 'w'", "mse"));
    let error = fail(folder.path(), &["train", "c.toml", "--out", "refused"], 2);
    assert!(error.contains("data.weight"), "{error}");
}

/// Rows in a temporary file, in batches, with a validation share and in folds.
#[test]
fn weighted_rows_go_where_other_rows_go() {
    let folder = tempfile::tempdir().unwrap();
    let text = lines("x,y,w", 9000, |i| format!("{},{},{}", i % 97, i * 7 % 13, 1 + i % 4));
    let path = write(folder.path(), "t.csv", text);
    let data = "weight = 'w'\nmemory = 0\nvalidation = 0.2\ntest = 0.2\nnormalize = 'standard'";
    let text = config("csv", &path, "y", data, "mse").replace("epochs = 3", "epochs = 1");
    write(folder.path(), "c.toml", &text);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "file"]);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "memory", "--set", "data.memory=64"]);
    // They are shuffled otherwise, and fitted and held out alike.
    let mean = |run: &str| column(&folder.path().join(run), "x")["offset"].as_float().unwrap();
    assert!((mean("file") - mean("memory")).abs() < 1e-12);
    let baseline = |run: &str| last(&folder.path().join(run))["baseline_ridge_rmse"].as_f64().unwrap();
    assert!((baseline("file") - baseline("memory")).abs() < 1e-6);
    let output = descent(folder.path(), &["train", "c.toml", "--out", "cv", "--folds", "3"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
