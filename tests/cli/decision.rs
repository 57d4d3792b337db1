//! The threshold of two classes, and weights by the names of classes.

use std::path::Path;

use super::tables::{config, learnt, lines, metric, write};
use crate::common::{fail, succeed};

/// A table of customers, of whom a sixth churn; calls tell it in part.
fn customers(folder: &Path, options: &str, loss: &str) {
    let churned = |i: usize| i.is_multiple_of(6);
    let calls = |i: usize| (i * 7) % 11 + 4 * usize::from(churned(i));
    let rows = lines("calls,state", 240, |i| {
        format!("{},{}", calls(i), if churned(i) { "churned" } else { "stays" })
    });
    let path = write(folder, "customers.csv", rows);
    let options = format!("positive = 'churned'\ntest = 0.25\nvalidation = 0.25\n{options}");
    write(folder, "c.toml", config("csv", &path, "state", &options, loss));
}

/// The predicted class and the probability of `churned` of every row of the table.
fn predictions(folder: &Path) -> Vec<(String, f64)> {
    let text = succeed(folder, &["predict", "run", "--input", "customers.csv"]);
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (class, probability) = (column("prediction"), column("probability_churned"));
    rows.map(|row| (row[class].to_owned(), row[probability].parse().unwrap())).collect()
}

fn check_predictions(folder: &Path, threshold: f64) {
    let rows = predictions(folder);
    let differs = rows.iter().any(|(_, p)| (*p >= threshold) != (*p > 0.5));
    assert!(differs, "no row lies between the threshold {threshold} and one half");
    for (class, probability) in rows {
        assert_eq!(class == "churned", probability >= threshold, "{probability}");
    }
}

#[test]
fn a_threshold_decides_what_predict_and_every_metric_call_positive() {
    for loss in ["cross_entropy", "bce_with_logits"] {
        let folder = tempfile::tempdir().unwrap();
        customers(folder.path(), "threshold = 0.2", loss);
        let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
        check_predictions(folder.path(), 0.2);
        let eval = |arguments: &[&str]| succeed(folder.path(), &[&["eval", "run"], arguments].concat());
        let own = eval(&[]);
        assert!((metric(&own, "test_recall") - metric(&trained, "test_recall")).abs() < 1e-4);
        assert_eq!(eval(&["--threshold", "0.2"]), own);
        assert_eq!(eval(&["--set", "data.threshold=0.2"]), own);
        // At 0 every row is positive; what is about probabilities stays.
        let every = eval(&["--threshold", "0"]);
        assert!((metric(&every, "test_recall") - 1.0).abs() < 1e-9);
        assert!((metric(&every, "test_precision") - metric(&every, "test_accuracy")).abs() < 1e-9);
        for same in ["test_roc_auc", "test_log_loss", "test_calibration_error"] {
            assert!((metric(&every, same) - metric(&own, same)).abs() < 1e-9, "{same}");
        }
    }
}

/// F1 of `churned` among these rows, where it is predicted from this probability on.
fn f1(rows: &[(bool, f64)], threshold: f64) -> f64 {
    let count = |of: fn(bool, bool) -> bool| {
        f64::from(u32::try_from(rows.iter().filter(|(is, p)| of(*is, *p >= threshold)).count()).unwrap())
    };
    2.0 * count(|is, messages| is && messages) / (count(|is, _| is) + count(|_, messages| messages))
}

#[test]
fn the_threshold_f1_is_the_best_one_on_the_validation_rows() {
    for loss in ["cross_entropy", "bce_with_logits"] {
        let folder = tempfile::tempdir().unwrap();
        let churned = |i: usize| i.is_multiple_of(6) || i % 17 == 3;
        let part = |i: usize| ["train", "train", "val", "test"][(i / 6) % 4];
        let rows = lines("calls,part,state", 240, |i| {
            let calls = (i * 7) % 11 + 4 * usize::from(i.is_multiple_of(6));
            format!("{calls},{},{}", part(i), if churned(i) { "churned" } else { "stays" })
        });
        let path = write(folder.path(), "customers.csv", rows);
        let options = "positive = 'churned'\nsplit_column = 'part'\nthreshold = 'f1'";
        write(folder.path(), "c.toml", config("csv", &path, "state", options, loss));
        let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
        let threshold = metric(&trained, "threshold");
        let exact = learnt(&folder.path().join("run"))["decision"]["threshold"].as_float().unwrap();
        assert!((exact - threshold).abs() < 1e-4);
        check_predictions(folder.path(), exact);
        let own = succeed(folder.path(), &["eval", "run"]);
        let predicted = predictions(folder.path());
        let rows = |of: &str| -> Vec<(bool, f64)> {
            let rows = predicted.iter().enumerate().filter(|(i, _)| part(*i) == of);
            rows.map(|(i, (_, probability))| (churned(i), *probability)).collect()
        };
        for output in [&own, &trained] {
            assert!((metric(output, "test_f1") - f1(&rows("test"), exact)).abs() < 1e-4, "{output}");
        }
        // Every threshold that tells two rows apart is a probability of one of them.
        let validation = rows("val");
        let best = validation.iter().map(|(_, p)| f1(&validation, *p)).fold(0.0, f64::max);
        assert!((f1(&validation, exact) - best).abs() < 1e-12);
    }
}

#[test]
fn a_threshold_is_for_two_classes_and_f1_for_validation_rows() {
    let folder = tempfile::tempdir().unwrap();
    customers(folder.path(), "", "cross_entropy");
    let train = |set: &[&str], words: &[&str]| {
        let sets = set.iter().flat_map(|set| ["--set", set]);
        let arguments: Vec<&str> =
            ["train", "c.toml", "-q", "--out", "run"].into_iter().chain(sets).collect();
        let error = fail(folder.path(), &arguments, 2);
        for word in words {
            assert!(error.contains(word), "no {word} in {error}");
        }
        assert!(!folder.path().join("run").exists());
    };
    train(&["data.threshold='f1'", "data.validation=0"], &["data.threshold", "`data.validation`"]);
    train(&["data.threshold=1.5"], &["data.threshold", "1.5", "0 to 1"]);
    train(&["data.threshold='f2'"], &["data.threshold", "f2", "f1"]);
    let rows = lines("x,kind,size", 60, |i| format!("{i},k{},{}.5", i % 3, i % 7));
    let path = write(folder.path(), "three.csv", rows);
    for (target, loss, words) in [("kind", "cross_entropy", "there are 3"), ("size", "mse", "no classes")] {
        write(folder.path(), "c.toml", config("csv", &path, target, "threshold = 0.3", loss));
        train(&[], &["data.threshold", words]);
        write(folder.path(), "c.toml", config("csv", &path, target, "", loss));
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
        let error = fail(folder.path(), &["eval", "run", "--threshold", "0.3", "--input", "three.csv"], 2);
        assert!(
            error.contains("--threshold: ") && error.contains(words) && !error.contains("--set"),
            "{error}"
        );
        std::fs::remove_dir_all(folder.path().join("run")).unwrap();
    }
}

#[test]
fn weights_by_name_are_the_weights_in_the_order_of_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let weights = |loss: &str, out: &str, weights: &str| {
        customers(folder.path(), "", loss);
        let set = format!("loss.{weights}");
        let arguments = ["train", "c.toml", "-q", "--out", out, "--set", &set];
        succeed(folder.path(), &arguments);
        std::fs::read(folder.path().join(out).join("model.safetensors")).unwrap()
    };
    for loss in ["cross_entropy", "nll", "focal"] {
        let named = weights(loss, &format!("{loss}-named"), "weight={ stays = 0.5, churned = 5.0 }");
        assert_eq!(named, weights(loss, &format!("{loss}-list"), "weight=[5.0, 0.5]"), "{loss}");
        // What is not named weighs 1.
        let one = weights(loss, &format!("{loss}-one"), "weight={ churned = 5 }");
        assert_eq!(one, weights(loss, &format!("{loss}-both"), "weight=[5.0, 1.0]"), "{loss}");
        assert_ne!(one, named, "{loss}");
        // The run's own config trains again to the same weights.
        let again = format!("{loss}-again");
        let own = format!("{loss}-one/config.toml");
        succeed(folder.path(), &["train", &own, "-q", "--out", &again]);
        assert_eq!(
            one,
            std::fs::read(folder.path().join(again).join("model.safetensors")).unwrap(),
            "{loss}"
        );
    }
    let named = weights("bce_with_logits", "bce-named", "pos_weight={ stays = 3.0 }");
    assert_eq!(named, weights("bce_with_logits", "bce-list", "pos_weight=[3.0]"));
}

#[test]
fn a_weight_for_a_class_that_is_not_there_is_an_error_with_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    customers(folder.path(), "", "cross_entropy");
    for (set, words) in [
        ("loss.weight={ churn = 5.0 }", ["loss.weight.churn", "`churned`", "`stays`"]),
        ("loss.weight={ churned = -1.0 }", ["loss.weight.churned", "0 or more", ""]),
        ("loss.weight={}", ["loss.weight", "empty", ""]),
        ("loss.weight=5.0", ["loss.weight", "list of numbers", "{ yes = 5.0 }"]),
    ] {
        let error = fail(folder.path(), &["train", "c.toml", "-q", "--out", "run", "--set", set], 2);
        for word in words {
            assert!(error.contains(word), "no {word} in {error}");
        }
        assert!(!folder.path().join("run").exists());
    }
}

#[test]
fn a_weight_for_the_first_of_two_classes_names_the_other_way_under_bce() {
    let folder = tempfile::tempdir().unwrap();
    customers(folder.path(), "", "bce_with_logits");
    let set = "loss.pos_weight={ churned = 5.0 }";
    let error = fail(folder.path(), &["train", "c.toml", "-q", "--out", "run", "--set", set], 2);
    for word in ["loss.pos_weight.churned", "`stays`", "cross_entropy"] {
        assert!(error.contains(word), "no {word} in {error}");
    }
}

#[test]
fn classes_of_nineteen_digits_are_predicted_as_themselves() {
    const FIRST: u64 = 1_234_567_890_123_456_788;
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x,class", 60, |i| format!("{},{}", 3 * (i % 2), FIRST + (i as u64 % 2)));
    let path = write(folder.path(), "t.csv", rows);
    let text = config("csv", &path, "class", "normalize = 'standard'", "cross_entropy");
    write(folder.path(), "c.toml", text.replace("epochs = 3", "epochs = 30"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    write(folder.path(), "new.csv", "x\n0\n3\n");
    let csv = succeed(folder.path(), &["predict", "run", "--input", "new.csv"]);
    let messages: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(messages, [FIRST.to_string(), (FIRST + 1).to_string()]);
}
