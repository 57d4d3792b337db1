//! What `descent init` makes of the targets of NumPy's files.

use std::fs;
use std::path::Path;

use super::npz::{Array, CONFIG, write};
use crate::common::{descent, fail, succeed};

/// The name of the loss in the config of init, its text, and what is said.
struct Made {
    loss: String,
    text: String,
    said: String,
}

/// What init makes of these targets.
fn made(folder: &Path, rows: usize, targets: Array) -> Made {
    let number = |i: usize| f32::from(u16::try_from(i % 11).unwrap());
    let xs = Array::f32("x_train", &[rows, 2], (0..2 * rows).map(number));
    write(&folder.join("a.npz"), true, &[xs, targets]);
    let output = descent(folder, &["init", "a.npz"]);
    let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}");
    let config: toml::Table = text.parse().unwrap();
    Made { loss: config["loss"]["name"].as_str().unwrap().to_owned(), text, said }
}

#[test]
fn one_hot_targets_are_classes() {
    let folder = tempfile::tempdir().unwrap();
    // With the rows from which on probabilities are calibrated.
    let rows = 1300;
    let one_hot = |other: f32| (0..3 * rows).map(move |i| if i % 3 == i / 3 % 3 { 1.0 } else { other });
    let Made { loss, text, said } =
        made(folder.path(), rows, Array::f32("y_train", &[rows, 3], one_hot(0.0)));
    assert_eq!((loss.as_str(), said.as_str()), ("cross_entropy", ""));
    assert!(text.contains("`y_train` has 3 classes, one-hot"), "{text}");
    let out = succeed(folder.path(), &["train", "a.npz", "--set", "train.epochs=1", "--out", "run"]);
    assert!(out.contains("val_accuracy"), "{out}");
    let Made { loss, .. } = made(folder.path(), rows, Array::f32("y_train", &[rows, 3], one_hot(0.5)));
    assert_eq!(loss, "mse");
    // Several labels a row are none of several classes.
    let several = Array::i64("y_train", &[rows, 2], (0..2 * rows).map(|i| i64::from(i % 3 > 0)));
    assert_eq!(made(folder.path(), rows, several).loss, "mse");
}

#[test]
fn labels_that_do_not_count_from_0_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let labels = |label: fn(i64) -> i64| Array::i64("y_train", &[60], (0..60).map(label));
    let Made { loss, said, .. } = made(folder.path(), 60, labels(|i| i % 2 * 2 - 1));
    assert_eq!(loss, "mse");
    assert!(said.contains("y = (y + 1) // 2"), "{said}");
    let Made { loss, said, .. } = made(folder.path(), 60, labels(|i| i % 3 + 1));
    assert_eq!(loss, "cross_entropy");
    assert!(said.contains("no row of `y_train` has the label 0") && said.contains("save y - 1"), "{said}");
    let Made { loss, said, .. } = made(folder.path(), 60, labels(|i| i % 3));
    assert_eq!((loss.as_str(), said.as_str()), ("cross_entropy", ""));
}

#[test]
fn the_errors_of_labels_name_the_way_to_number_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG.replace("LOSS", "cross_entropy")).unwrap();
    let xs = || Array::f32("x_train", &[4, 2], [0.0; 8]);
    let way_out = "`classes, y = np.unique(y, return_inverse=True)`";
    let signs = Array::i64("y_train", &[4], [1, -1, 1, -1]);
    write(&folder.path().join("data.npz"), true, &[xs(), signs]);
    let error = fail(folder.path(), &["train", "c.toml"], 1);
    assert!(error.contains("the class -1 in row 1 (counted from 0)") && error.contains(way_out), "{error}");
    let text = Array::new("y_train", "<U1", &[4], b"a\0\0\0".repeat(4));
    write(&folder.path().join("data.npz"), true, &[xs(), text]);
    for arguments in [["train", "c.toml"], ["init", "data.npz"]] {
        let error = fail(folder.path(), &arguments, 1);
        assert!(error.contains("text (`U1`)") && error.contains(way_out), "{error}");
    }
}
