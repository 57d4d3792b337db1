//! `eval --input` of NumPy's files and of files in MNIST's format: which rows are scored, and over which classes.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::bad_input;
use super::npz::{Array, CONFIG, write};
use crate::common::{fail, said, succeed};

/// Rows of two numbers, with one of so many classes.
fn rows(names: [&'static str; 2], rows: Range<i64>, classes: i64) -> [Array; 2] {
    let count = rows.clone().count();
    let numbers = |i: i64| [i % classes, i * 7 % 5].map(|x| f32::from(i16::try_from(x).unwrap()));
    let xs: Vec<[f32; 2]> = rows.clone().map(numbers).collect();
    [
        Array::f32(names[0], &[count, 2], xs.concat()),
        Array::i64(names[1], &[count], rows.map(|i| i % classes)),
    ]
}

const TRAIN: [&str; 2] = ["x_train", "y_train"];
const VALIDATION: [&str; 2] = ["x_val", "y_val"];
const TEST: [&str; 2] = ["x_test", "y_test"];

fn write_all<const N: usize>(path: &Path, arrays: [[Array; 2]; N]) {
    write(path, false, &arrays.into_iter().flatten().collect::<Vec<_>>());
}

/// A run `run` of three classes, whose test rows are of the first two.
fn trained(option: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_all(&folder.path().join("data.npz"), [rows(TRAIN, 0..90, 3), rows(TEST, 90..110, 2)]);
    let text = CONFIG.replace("LOSS", "cross_entropy").replace("epochs = 60", "epochs = 3");
    fs::write(folder.path().join("c.toml"), text).unwrap();
    succeed(folder.path(), &[&["train", "c.toml", "-q", "--out", "run"], option].concat());
    folder
}

/// The loss and the metrics that `eval` prints.
fn scores(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let out = succeed(folder, &[&["eval", "run"], arguments].concat());
    out.lines().filter(|line| line.starts_with("test_")).map(str::to_owned).collect()
}

#[test]
fn a_file_without_the_last_class_is_scored_over_the_classes_of_the_run() {
    for option in [&[][..], &["--bag", "3"]] {
        let folder = trained(option);
        let path = folder.path();
        // The same rows as the run's own test split.
        let own = scores(path, &[]);
        assert!(own.len() > 3, "{own:?}");
        for names in [TRAIN, TEST, ["x", "y"]] {
            write_all(&path.join("new.npz"), [rows(names, 90..110, 2)]);
            assert_eq!(scores(path, &["--input", "new.npz"]), own, "{names:?} {option:?}");
        }
        write_all(
            &path.join("new.npz"),
            [rows(TRAIN, 0..9, 2), rows(VALIDATION, 0..9, 2), rows(TEST, 0..9, 2)],
        );
        let log = said(path, &["eval", "run", "--input", "new.npz"]);
        assert!(
            log.contains("the rows of `x_train` and `x_test` are scored, and not those of `x_val`"),
            "{log}"
        );
        assert!(succeed(path, &["eval", "run", "--input", "new.npz"]).contains("rows 18"));
    }
}

#[test]
fn a_label_beyond_the_classes_of_the_run_is_named() {
    let folder = trained(&[]);
    let path = folder.path();
    for names in [TRAIN, TEST, ["x", "y"]] {
        write_all(&path.join("new.npz"), [rows(names, 0..20, 5)]);
        let error = fail(path, &["eval", "run", "--input", "new.npz"], 1);
        let expected = format!(
            "`{}` has the class 3 in row 3 (counted from 0); the training data has no class 3: its classes are 0 to 2",
            names[1]
        );
        assert!(error.contains("new.npz") && error.contains(&expected), "{error}");
    }
    write(&path.join("new.npz"), false, &[Array::f32("x_new", &[3, 2], [0.0; 6])]);
    let error = fail(path, &["eval", "run", "--input", "new.npz"], 1);
    assert!(error.contains("no array `x_train`, `x` or `x_test`; it has `x_new`"), "{error}");
    // Of a file to train on, nothing but `x_train` will do.
    write_all(&path.join("data.npz"), [rows(TEST, 0..20, 2)]);
    let error = fail(path, &["train", "c.toml", "--out", "other"], 1);
    assert!(error.contains("no array `x_train`; it has `x_test`"), "{error}");
}

#[test]
fn probabilities_of_other_classes_are_told_before_the_weights_are_read() {
    let folder = trained(&[]);
    let path = folder.path();
    let [x, _] = rows(["x", "y"], 0..20, 2);
    write(&path.join("new.npz"), false, &[x, Array::f32("y", &[20, 2], [1.0, 0.0].repeat(20))]);
    let error = fail(path, &["eval", "run", "--input", "new.npz"], 1);
    assert!(error.contains("`y` has 2 numbers a row, and the run was trained on 3"), "{error}");
}

#[test]
fn a_folder_with_test_files_in_mnists_format_alone_is_scored() {
    let folder = bad_input::folder();
    let path = folder.path();
    succeed(path, &["train", "c.toml", "-q", "--out", "run", "--set", "train.epochs=1"]);
    let own = scores(path, &[]);
    fs::create_dir(path.join("new")).unwrap();
    let labels = "t10k-labels-idx1-ubyte";
    for name in [labels, "t10k-images-idx3-ubyte.gz"] {
        fs::copy(path.join("mnist").join(name), path.join("new").join(name)).unwrap();
    }
    assert_eq!(scores(path, &["--input", "new"]), own);
    let log = said(path, &["eval", "run", "--input", "new"]);
    assert!(log.contains("the pictures of the t10k files are scored"), "{log}");
    let log = said(path, &["eval", "run", "--input", "mnist"]);
    assert!(log.contains("the pictures of the train and the t10k files are scored"), "{log}");
    let mut bytes = fs::read(path.join("new").join(labels)).unwrap();
    bytes[8 + 5] = 12;
    fs::write(path.join("new").join(labels), bytes).unwrap();
    let error = fail(path, &["eval", "run", "--input", "new"], 1);
    assert!(
        error.contains("label 12 of row 5 (counted from 0): the training data has no class 12"),
        "{error}"
    );
    fs::remove_file(path.join("new").join(labels)).unwrap();
    assert!(fail(path, &["eval", "run", "--input", "new"], 1).contains("t10k-labels-idx1-ubyte"));
}

#[test]
fn rows_of_another_width_than_those_of_training_are_named() {
    let folder = trained(&[]);
    let path = folder.path();
    let wide = Array::f32("x", &[6, 3], (0..18u8).map(f32::from));
    write(&path.join("wide.npz"), false, &[wide, Array::i64("y", &[6], (0..6).map(|i| i % 3))]);
    let error = fail(path, &["eval", "run", "--input", "wide.npz"], 1);
    assert!(error.contains("a row has 3 numbers, [3], and the run was trained on 2, [2]"), "{error}");
}
