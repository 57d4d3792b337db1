//! Inputs of arrays in another unit than those of training.

use std::fs;

use super::npz::{Array, CONFIG, write};
use crate::common::{said, succeed};

/// The numbers of training: 0, 0.01 … 1.
fn numbers() -> impl Iterator<Item = f32> {
    (0..202u16).map(|i| f32::from(i * 37 % 101) / 100.0)
}

/// Rows of two of them, multiplied by `factor`, and their classes.
fn rows(names: [&'static str; 2], factor: f32) -> [Array; 2] {
    let xs = Array::f32(names[0], &[101, 2], numbers().map(|x| factor * x));
    [xs, Array::i64(names[1], &[101], (0..101).map(|i| i % 2))]
}

#[test]
fn inputs_in_another_unit_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(&path.join("data.npz"), false, &rows(["x_train", "y_train"], 1.0));
    fs::write(path.join("c.toml"), CONFIG.replace("LOSS", "cross_entropy").replace("= 60", "= 1")).unwrap();
    // Numbers of more than ten ranges beyond those of training.
    let far = numbers().filter(|x| 255.0 * x > 11.0).count();
    let first = numbers().map(|x| 255.0 * x).find(|x| *x > 11.0).unwrap();
    let row = numbers().position(|x| 255.0 * x > 11.0).unwrap() / 2;
    let large = format!(
        "{far} numbers lie far outside those of training, which are from 0.0000 to 1.0000 (the first is {first:.4} in row {row} (counted from 0))"
    );
    for normalize in ["none", "standard", "robust_smooth"] {
        let set = format!("data.normalize='{normalize}'");
        let log = said(path, &["train", "c.toml", "--out", normalize, "--set", &set]);
        assert!(!log.contains("those of training"), "{log}");
        for (factor, words) in [
            (255.0, large.as_str()),
            (0.001, "all numbers are from 0.0000 to 0.0010, less than a hundredth of those of training"),
            (1.0, ""),
            (9.0, ""),
        ] {
            write(&path.join("new.npz"), false, &rows(["x", "y"], factor));
            for command in ["predict", "eval"] {
                let log = said(path, &[command, normalize, "--input", "new.npz"]);
                let is_told = !words.is_empty() && normalize != "robust_smooth";
                assert_eq!(log.contains(words), is_told || words.is_empty(), "{command} {normalize}: {log}");
                assert_eq!(log.contains("those of training"), is_told, "{command} {normalize}: {log}");
            }
        }
    }
    // A run of an earlier version does not know the range.
    let data = fs::read_to_string(path.join("none/data.toml")).unwrap();
    let start = data.find("[how.transform.range]").unwrap();
    let end = start + data[start..].find("\n\n").unwrap();
    fs::write(path.join("none/data.toml"), [&data[..start], &data[end..]].concat()).unwrap();
    succeed(path, &["predict", "none", "--input", "new.npz"]);
}
