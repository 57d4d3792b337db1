//! Metrics as a user meets them: their names under every loss, the positive class, and the ones that are watched.

use std::path::Path;

use super::tables::{config, lines, metric, write};
use crate::common::{descent, fail, succeed};

/// The metrics of two classes.
const TWO: [&str; 11] = [
    "accuracy",
    "precision",
    "recall",
    "f1",
    "f1_macro",
    "roc_auc",
    "average_precision",
    "log_loss",
    "calibration_error",
    "balanced_accuracy",
    "mcc",
];

/// A table of mail, of which a fifth is spam that the number of links does not fully tell, with its config.
fn mail(folder: &Path, loss: &str) {
    let kind = |i: usize| if i.is_multiple_of(5) { "spam" } else { "ham" };
    let rows = lines("links,kind", 120, |i| format!("{},{}", i % 10 + 3 * usize::from(i % 5 == 0), kind(i)));
    let path = write(folder, "mail.csv", rows);
    write(folder, "c.toml", config("csv", &path, "kind", "test = 0.3\nvalidation = 0.2", loss));
}

/// The values behind `test_` of a run's standard output.
fn tested(stdout: &str) -> Vec<(String, f64)> {
    let values = stdout.lines().filter_map(|line| line.strip_prefix("test_")?.split_once(' '));
    values.map(|(name, value)| (name.to_owned(), value.trim().parse().unwrap())).collect()
}

#[test]
fn two_classes_have_the_same_names_under_either_loss_and_a_class_table() {
    for loss in ["cross_entropy", "bce_with_logits"] {
        let folder = tempfile::tempdir().unwrap();
        mail(folder.path(), loss);
        let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
        let names: Vec<String> = tested(&trained).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[0], "loss");
        assert_eq!(names[1..].iter().map(String::as_str).collect::<Vec<_>>(), TWO, "{loss}");
        let eval = succeed(folder.path(), &["eval", "run"]);
        for word in ["true \\ predicted", "\nham ", "\nspam "] {
            assert!(eval.contains(word), "{loss}: no `{word}` in {eval}");
        }
    }
}

#[test]
fn the_positive_class_is_the_second_or_the_one_that_the_config_names() {
    let folder = tempfile::tempdir().unwrap();
    mail(folder.path(), "bce_with_logits");
    let log = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
    let messages = String::from_utf8_lossy(&log.stderr).into_owned();
    assert!(
        messages.contains("positive class is `spam`") && messages.contains("`data.positive`"),
        "{messages}"
    );
    let eval = |positive: &str| {
        let set = format!("data.positive='{positive}'");
        succeed(folder.path(), &["eval", "run", "--set", &set])
    };
    let (spam, ham) = (eval("spam"), eval("ham"));
    assert_eq!(spam, succeed(folder.path(), &["eval", "run"]));
    // The class table has each class's own.
    let own = |text: &str, class: &str| -> f64 {
        let row = text.lines().find(|line| line.starts_with(&format!("{class} "))).unwrap();
        row.split_whitespace().nth(2).unwrap().parse().unwrap()
    };
    assert!((metric(&spam, "test_recall") - own(&spam, "spam")).abs() < 1e-4);
    assert!((metric(&ham, "test_recall") - own(&spam, "ham")).abs() < 1e-4);
    assert!((metric(&ham, "test_accuracy") - metric(&spam, "test_accuracy")).abs() < 1e-9);
    let wrong = ["train", "c.toml", "-q", "--out", "other", "--set", "data.positive='egg'"];
    let error = fail(folder.path(), &wrong, 2);
    for word in ["data.positive", "`egg`", "`ham`", "`spam`"] {
        assert!(error.contains(word), "no {word} in {error}");
    }
}

#[test]
fn a_positive_class_is_for_two_classes() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x,kind,size", 60, |i| format!("{i},k{},{}.5", i % 3, i % 7));
    let path = write(folder.path(), "three.csv", rows);
    for (target, loss, words) in [("kind", "cross_entropy", "there are 3"), ("size", "mse", "no classes")] {
        write(folder.path(), "c.toml", config("csv", &path, target, "positive = 'k1'", loss));
        let error = fail(folder.path(), &["train", "c.toml", "-q", "--out", "run"], 2);
        assert!(error.contains("data.positive") && error.contains(words), "{error}");
        assert!(!folder.path().join("run").exists());
    }
}

#[test]
fn a_metric_that_the_run_will_not_have_cannot_be_watched() {
    let folder = tempfile::tempdir().unwrap();
    mail(folder.path(), "cross_entropy");
    let watch = |set: &str, words: &[&str]| {
        let error = fail(folder.path(), &["train", "c.toml", "-q", "--out", "run", "--set", set], 2);
        for word in words {
            assert!(error.contains(word), "no {word} in {error}");
        }
        assert!(!folder.path().join("run").exists());
    };
    let stop = "train.early_stopping.monitor";
    // Of no task, of more classes, and of a schedule.
    watch(&format!("{stop}='val_rmse'"), &[stop, "`val_rmse`", "val_f1"]);
    watch(&format!("{stop}='val_precision_macro'"), &[stop, "`val_precision_macro`", "val_precision,"]);
    let plateau = "schedule={ name = 'reduce_on_plateau', monitor = 'val_top5_accuracy' }";
    watch(plateau, &["schedule.monitor", "`val_top5_accuracy`", "val_mcc"]);
    // A target of 0 in the validation rows.
    let rows = lines("x,y", 60, |i| format!("{},{}", i, i % 2));
    let path = write(folder.path(), "zero.csv", rows);
    write(folder.path(), "c.toml", config("csv", &path, "y", "validation = 0.5", "mse"));
    watch(&format!("{stop}='val_mape'"), &[stop, "`val_mape`", "a target is 0"]);
    let log = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
    let messages = String::from_utf8_lossy(&log.stderr).into_owned();
    assert!(messages.contains("`val_mape` is left out: a target is 0"), "{messages}");
}

#[test]
fn several_targets_have_metrics_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x,low,high", 80, |i| format!("{i},{},{}", i % 7 + 1, 100 * (i % 5) + 50));
    let path = write(folder.path(), "two.csv", rows);
    let text = config("csv", &path, "low", "test = 0.25\nvalidation = 0.2", "mse");
    write(folder.path(), "c.toml", text.replace("target = \"low\"", "target = [\"low\", \"high\"]"));
    let watch = "train.early_stopping.monitor='val_rmse_high'";
    let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run", "--set", watch]);
    let value = |name: &str| metric(&trained, name);
    // Columns have units of their own; R2 has none, and its mean is scikit-learn's `r2_score`.
    let names: Vec<String> = tested(&trained).into_iter().map(|(name, _)| name).collect();
    for name in ["rmse", "mae", "mse"] {
        assert!(!names.contains(&name.to_owned()) && names.contains(&format!("{name}_low")), "{trained}");
    }
    let mean = f64::midpoint(value("test_r2_low"), value("test_r2_high"));
    assert!((value("test_r2") - mean).abs() < 1e-3, "{trained}");
    assert!(value("test_mae_low") < value("test_mae_high"), "{trained}");
    let mixed = ["--set", "train.early_stopping.monitor='val_rmse'"];
    let error = fail(folder.path(), &[&["train", "c.toml", "-q", "--out", "other"], &mixed[..]].concat(), 2);
    assert!(error.contains("`val_rmse`") && error.contains("units of their own"), "{error}");
    let wrong = "train.early_stopping.monitor='val_rmse_middle'";
    let error = fail(folder.path(), &["train", "c.toml", "-q", "--out", "other", "--set", wrong], 2);
    assert!(error.contains("`val_rmse_middle`") && error.contains("val_rmse_low"), "{error}");
}

#[test]
fn the_list_says_which_values_are_better_and_what_they_mean() {
    let text = succeed(Path::new("."), &["list", "metrics"]);
    for name in TWO {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        let lower = ["log_loss", "calibration_error"].contains(&name);
        let direction = if lower { "lower is better: " } else { "higher is better: " };
        assert!(line.contains(direction), "{line}");
    }
    assert!(succeed(Path::new("."), &["list"]).contains(text.trim_end()));
}

/// scikit-learn's `mean_absolute_percentage_error` and others are of the predictions that a user gets and the targets of
/// the file, in 64 bits.
#[test]
fn metrics_of_values_see_the_targets_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    // Log-normal money: what standardised numbers of 32 bits keep of the small ones is wrong by far.
    let target = |i: usize| (f64::from(u16::try_from(i * 7919 % 1000).unwrap()) / 1000.0 * 24.0 - 6.0).exp();
    let rows =
        |start: usize| lines("x,z,y", 300, |i| format!("{},{},{:e}", i % 17, i % 5, target(start + i)));
    let path = write(folder.path(), "train.csv", rows(0));
    write(folder.path(), "test.csv", rows(313));
    let test = folder.path().join("test.csv");
    for memory in [256, 0] {
        let data = format!("test = '{}'\nnormalize = 'standard'\nmemory = {memory}", test.display());
        write(folder.path(), "c.toml", config("csv", &path, "y", &data, "mse"));
        let out = format!("run-{memory}");
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", &out]);
        let log = std::fs::read_to_string(folder.path().join(&out).join("metrics.jsonl")).unwrap();
        let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        let messages = succeed(folder.path(), &["predict", &out, "--input", "test.csv"]);
        let messages: Vec<f64> = messages.lines().skip(1).map(|line| line.parse().unwrap()).collect();
        let pairs =
            || messages.iter().zip((0..).map(|i| format!("{:e}", target(313 + i)).parse::<f64>().unwrap()));
        let mean = |term: &dyn Fn(f64, f64) -> f64| pairs().map(|(x, y)| term(*x, y)).sum::<f64>() / 300.0;
        for (name, expected) in [
            ("test_mape", mean(&|x, y| ((x - y) / y).abs())),
            ("test_mae", mean(&|x, y| (x - y).abs())),
            ("test_mse", mean(&|x, y| (x - y) * (x - y))),
        ] {
            let own = last[name].as_f64().unwrap();
            // Predictions are printed with as many digits as 32 bits hold.
            assert!((own / expected - 1.0).abs() < 1e-7, "{name}: {own} is not {expected}");
        }
    }
    // A target of 0 has no share of itself.
    write(folder.path(), "test.csv", rows(313) + "1,1,0\n");
    let output = descent(folder.path(), &["train", "c.toml", "--out", "zero"]);
    let (printed, messages) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("test_mae") && !printed.contains("test_mape"), "{printed}");
    assert!(messages.contains("mape") && messages.contains("a target is 0"), "{messages}");
}
