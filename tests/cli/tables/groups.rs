//! `data.group`: rows of a patient, a customer or a machine are in the same split.

use std::fs;
use std::path::Path;

use super::{config, learnt, lines, write};
use crate::common::{fail, said, succeed};

/// What training says on standard error.
fn messages(folder: &Path, arguments: &[&str]) -> String {
    said(folder, &[&["train", "c.toml"], arguments].concat())
}

/// 24 patients of five rows each, whose features are the same: a row that is held out duplicates one that is trained on
/// where its patient is in both splits.
fn patients(folder: &Path, kinds: &str, data: &str) {
    let row = |i: usize| format!("p{},{},{},{}", i % 24, i % 24 * 7 % 24, i % 5, i % 24 % 2);
    let path = write(folder, "t.csv", lines("patient,x,visit,y", 120, row));
    let data = format!("columns = {{ {kinds} }}\n{data}");
    write(folder, "c.toml", config("csv", &path, "y", &data, "cross_entropy"));
}

const NO_VISIT: &str = "visit = 'ignore'";

const DUPLICATES: &str = "the features of a training row";

#[test]
fn rows_of_a_group_are_in_the_same_split() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    patients(path, "visit = 'ignore', patient = 'ignore'", "test = 0.25\nvalidation = 0.2");
    assert!(messages(path, &["--out", "alone"]).contains(DUPLICATES));
    patients(path, NO_VISIT, "test = 0.25\nvalidation = 0.2\ngroup = 'patient'");
    let text = messages(path, &["--out", "together"]);
    assert!(!text.contains(DUPLICATES), "{text}");
    assert!(
        text.contains(
            "data.group `patient`: 14 groups to train on, 4 groups to validate, 6 groups to test on"
        ),
        "{text}"
    );
    assert!(text.contains("rows: 70 to train on, 20 to validate, 30 to test on"), "{text}");
    // Two classes of 12 patients each are divided alike.
    let classes = succeed(path, &["eval", "together"]);
    for class in ["0", "1"] {
        let line = classes.lines().find(|line| line.split_whitespace().next() == Some(class)).unwrap();
        assert_eq!(line.split_whitespace().last(), Some("15"), "{classes}");
    }
    // The column is no feature, and is not needed afterwards.
    assert_eq!(learnt(&path.join("together"))["row"].as_array().unwrap()[0].as_integer(), Some(1));
    write(path, "ask.csv", "x,visit,y\n3,1,1\n4,2,0\n");
    assert_eq!(succeed(path, &["predict", "together", "--input", "ask.csv"]).lines().count(), 3);
    assert!(succeed(path, &["eval", "together", "--input", "ask.csv"]).contains("\nrows 2\n"));
    // Another seed holds other groups out.
    assert!(succeed(path, &["train", "c.toml", "-q", "--out", "other", "--set", "seed=2"]).contains("test_"));
    let fingerprint = |run: &str| learnt(&path.join(run))["fingerprint"].to_string();
    assert_ne!(fingerprint("together"), fingerprint("other"));
    succeed(path, &["train", "--resume", "together", "-q", "--set", "train.epochs=4"]);
}

#[test]
fn folds_and_bags_are_of_groups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    patients(path, NO_VISIT, "group = 'patient'");
    let text = messages(path, &["--out", "folds", "--folds", "4"]);
    assert!(!text.contains(DUPLICATES), "{text}");
    assert!(text.contains("18 groups to train on, 6 groups to test on"), "{text}");
    let text = messages(path, &["--out", "bag", "--bag", "3", "--set", "data.test=0.25"]);
    assert!(!text.contains(DUPLICATES), "{text}");
    assert!(text.contains("18 groups in 3 folds, 6 groups to test on"), "{text}");
    let error = fail(path, &["train", "c.toml", "--folds", "25", "--out", "many"], 2);
    assert!(error.contains("25 folds of 24 groups"), "{error}");
}

#[test]
fn several_columns_name_a_group_and_a_kind_makes_one_a_feature() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    patients(path, "patient = 'category'", "test = 0.25\ngroup = ['patient', 'visit']");
    let text = messages(path, &["--out", "both"]);
    assert!(
        text.contains("data.group `patient`, `visit`: 90 groups to train on, 30 groups to test on"),
        "{text}"
    );
    assert!(text.contains("`patient`  category of 24"), "{text}");
    patients(path, NO_VISIT, "test = 0.25\ngroup = 'patient'\nlimit = 45");
    let text = messages(path, &["--out", "limit"]);
    assert!(text.contains("rows: 45 to train on, 30 to test on"), "{text}");
}

#[test]
fn a_test_file_with_groups_that_are_trained_on_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let file = |name: &str, first: usize| {
        let row = |i: usize| format!("p{},{},{}", first + i % 10, i % 7, i % 2);
        write(path, name, lines("patient,x,y", 60, row))
    };
    let (train, same, other) = (file("t.csv", 0), file("same.csv", 5), file("other.csv", 10));
    for (test, expected) in [(same, true), (other, false)] {
        let data = format!("group = 'patient'\nvalidation = 0.2\ntest = '{}'", test.display());
        write(path, "c.toml", config("csv", &train, "y", &data, "cross_entropy"));
        let text = messages(path, &["--out", if expected { "same" } else { "other" }]);
        let warning = "30 rows are of a `data.group` that is trained on";
        assert_eq!(text.contains(warning), expected, "{text}");
    }
}

#[test]
fn groups_that_cannot_be_split_are_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (data, problem) in [
        ("test = 0.2\ngroup = 'patients'", "no column `patients` to keep rows together by"),
        ("test = 0.2\ngroup = 'y'", "which is a target too"),
        ("group = 'patient'\nsplit_column = 'visit'", "cannot be used with `data.split_column`"),
        ("test = 0.2\nvalidation = 0.2\ngroup = 'y2'", "has 2 groups, but the splits need at least 3"),
    ] {
        patients(path, NO_VISIT, data);
        let rows = fs::read_to_string(path.join("t.csv")).unwrap();
        let rows = rows.lines().enumerate().map(|(i, line)| match i {
            0 => format!("{line},y2\n"),
            _ => format!("{line},{}\n", i % 2),
        });
        write(path, "t.csv", rows.collect::<String>());
        let error = fail(path, &["train", "c.toml", "--out", "run"], 2);
        assert!(error.contains(problem), "{error}");
    }
    patients(path, NO_VISIT, "test = 0.2\ngroup = 'patient'");
    let rows = fs::read_to_string(path.join("t.csv")).unwrap().replacen("p3,", ",", 1);
    write(path, "t.csv", rows);
    let error = fail(path, &["train", "c.toml", "--out", "run"], 1);
    assert!(error.contains("line 5, column `patient`: a group's name is missing"), "{error}");
}
