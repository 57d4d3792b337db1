//! What a run warns of, though it does not refuse it.

use std::fs;
use std::path::Path;

use super::tables::lines;
use crate::common::{fail, said, succeed};

const CONFIG: &str = "seed = 1\n[data]\nname = 'csv'\npath = 't.csv'\ntarget = 'y'\nDATA\n\
                      [model]\nname = 'mlp'\nhidden = [8]\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n\
                      [train]\nepochs = 2\n";

fn write(folder: &Path, data: &str, keys: &str) {
    fs::write(folder.join("t.csv"), data).unwrap();
    fs::write(folder.join("c.toml"), CONFIG.replace("DATA", keys)).unwrap();
}

#[test]
fn a_row_with_most_of_the_weight_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (case, (heavy, expected)) in [
        (usize::MAX, ""),
        (2, "one of the 50 validation rows"),
        (3, "one of the 50 test rows"),
        (4, "one of the 100 training"),
    ]
    .into_iter()
    .enumerate()
    {
        let row = |i: usize| {
            let weight = if i == heavy { 1e12 } else { [1.0, 2.0, 0.5][i % 3] };
            let (split, y) = (["train", "train", "validation", "test"][i % 4], ["yes", "no", "no"][i % 3]);
            format!("{},{},{weight},{split},{y}", i * 7 % 50, i % 10)
        };
        write(folder.path(), &lines("x,z,w,split,y", 200, row), "weight = 'w'\nsplit_column = 'split'");
        let said = said(folder.path(), &["train", "c.toml", "--out", &format!("run-{case}")]);
        assert_eq!(said.contains("of their weight"), !expected.is_empty(), "{said}");
        assert!(said.contains(expected), "{said}");
        // The metrics are said to be weighted.
        assert!(said.contains("count by their weights"), "{said}");
    }
    let said = said(folder.path(), &["eval", "run-3"]);
    assert!(said.contains("count by their weights"), "{said}");
}

#[test]
fn classes_with_fewer_rows_than_folds_are_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| {
        let y = if [10, 50].contains(&i) { "rare" } else { ["yes", "no"][i % 2] };
        format!("{},{},{y}", i * 7 % 50, if i == 17 { "odd" } else { ["a", "b"][i % 2] })
    };
    write(folder.path(), &lines("x,z,y", 60, row), "validation = 0.2");
    for how in ["--folds", "--bag"] {
        let told = said(folder.path(), &["train", "c.toml", how, "4", "--out", &how[2..]]);
        assert_eq!(told.matches("have fewer rows than there are folds: `rare` 2 rows").count(), 1, "{told}");
        // What all folds have to say is said once.
        assert_eq!(told.matches("running on the CPU").count(), 1, "{told}");
        let told = said(folder.path(), &["train", "c.toml", how, "2", "--out", &format!("{}-2", &how[2..])]);
        assert!(!told.contains("fewer rows than"), "{told}");
    }
}

#[test]
fn a_config_that_fits_no_fold_is_refused_with_the_first() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &lines("x,y", 60, |i| format!("{i},{}", i % 2)), "validation = 0.2");
    for how in ["--folds", "--bag"] {
        let told = fail(
            folder.path(),
            &["train", "c.toml", how, "5", "--set", "train.shards=64", "--set", "train.batch_size=8"],
            2,
        );
        assert!(told.contains("train.shards"), "{told}");
        assert!(!told.contains("fold 2"), "{told}");
    }
}

#[test]
fn a_class_that_is_never_predicted_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing tells the few rows of `rare`.
    let row = |i: usize| {
        let y = if i.is_multiple_of(12) { "rare" } else { ["yes", "no"][i % 2] };
        format!("{},{},{y}", ["a", "b"][i % 2], i % 7)
    };
    write(folder.path(), &lines("x,z,y", 240, row), "test = 0.3");
    let told = said(folder.path(), &["train", "c.toml", "--out", "run", "--set", "train.epochs=30"]);
    assert!(told.contains("the test split has rows of `rare`, but none is predicted as such"), "{told}");
    let told = said(folder.path(), &["eval", "run"]);
    assert!(told.contains("the test split has rows of `rare`, but none is predicted as such"), "{told}");
    // Of the rows of a file, and only where it has rows of the class.
    fs::write(
        folder.path().join("others.csv"),
        lines("x,z,y", 40, |i| format!("{},{},{}", ["a", "b"][i % 2], i % 7, ["yes", "no"][i % 2])),
    )
    .unwrap();
    let told = said(folder.path(), &["eval", "run", "--input", "others.csv"]);
    assert!(!told.contains("is predicted as such"), "{told}");
}

#[test]
fn the_file_that_a_run_was_trained_on_is_no_test_of_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &lines("x,y", 60, |i| format!("{i},{}", i % 2)), "test = 0.2");
    succeed(folder.path(), &["train", "c.toml", "--out", "run"]);
    let words = "the run was trained on a part of these rows";
    assert!(said(folder.path(), &["eval", "run", "--input", "t.csv"]).contains(words));
    assert!(said(folder.path(), &["eval", "run", "--input", "./run/../t.csv"]).contains(words));
    fs::write(folder.path().join("new.csv"), lines("x,y", 20, |i| format!("{i},{}", i % 2))).unwrap();
    assert!(!said(folder.path(), &["eval", "run", "--input", "new.csv"]).contains(words));
    assert!(!said(folder.path(), &["eval", "run"]).contains(words));
}

#[test]
fn numbers_with_signs_that_are_ignored_as_text_are_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| format!("{i},${}.{},{}", i * 37, i % 10, i % 2);
    write(folder.path(), &lines("x,price,y", 80, row), "test = 0.2");
    let told = said(folder.path(), &["train", "c.toml", "--out", "run"]);
    assert!(
        told.contains("which are read as text") && told.contains("as text the column is ignored, since"),
        "{told}"
    );
}

/// Numbers of which row 40 has others.
fn with_absurd(odd_x: f64, odd_y: f64) -> String {
    lines("x,z,split,y", 200, |i| {
        let (x, y) = if i == 40 { (odd_x, odd_y) } else { (7.0, 3.0) };
        let split = ["train", "train", "validation", "test"][i % 4];
        let (a, b) =
            (x * f64::from(u8::try_from(i % 50).unwrap()), y * f64::from(u8::try_from(i % 9).unwrap()));
        format!("{a},{},{split},{b}", i % 10)
    })
}

/// The numbers of row 40, keys of `[data]`, and what is said.
type AbsurdCase = ([f64; 2], &'static str, Option<&'static str>);

const ABSURD: [AbsurdCase; 7] = [
    ([7.0, 3.0], "", None),
    (
        [1e9, 3.0],
        "",
        Some("column `x`: `40000000000.0` in line 42, which is trained on, is over a thousand times"),
    ),
    (
        [7.0, 1e9],
        "",
        Some("column `y`: `4000000000.0` in line 42, which is trained on, is over a thousand times"),
    ),
    ([1e9, 3.0], "missing = 'mean'\n", Some("column `x`: `40000000000.0` in line 42")),
    ([7.0, -1e9], "", Some("or try `data.target_transform = \"quantile\"`")),
    // Where it is bounded it does no harm.
    ([1e9, 3.0], "normalize = 'robust_smooth'\n", None),
    ([7.0, 1e9], "target_transform = 'log1p'\n", None),
];

/// The table without the first cell of a line.
fn without_cell(table: &str, line: usize) -> String {
    let cut = |(number, text): (usize, &str)| {
        let first = text.find(',').filter(|_| number == line).unwrap_or(0);
        format!("{}\n", &text[first..])
    };
    (1..).zip(table.lines()).map(cut).collect()
}

#[test]
fn one_absurd_number_among_those_of_training_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let config = CONFIG.replace("cross_entropy", "mse");
    for (case, ([x, y], keys, expected)) in ABSURD.into_iter().enumerate() {
        let normalize = if keys.contains("normalize") { "" } else { "normalize = 'standard'\n" };
        let table = with_absurd(x, y);
        // What stands for a missing cell is near no other number. Line 46 is trained on.
        let table = if keys.contains("missing") { without_cell(&table, 46) } else { table };
        fs::write(path.join("t.csv"), table).unwrap();
        let keys = format!("split_column = 'split'\n{normalize}{keys}");
        fs::write(path.join("c.toml"), config.replace("DATA", &keys)).unwrap();
        let told = said(path, &["train", "c.toml", "--out", &format!("run-{case}")]);
        assert_eq!(told.contains("over a thousand times"), expected.is_some(), "{case}: {told}");
        assert!(told.contains(expected.unwrap_or("")), "{case}: {told}");
        // Predicting the same rows says nothing of training.
        let told = said(
            path,
            &["predict", &format!("run-{case}"), "--input", "t.csv", "--output", &format!("a-{case}.csv")],
        );
        assert!(!told.contains("over a thousand times"), "{told}");
    }
}

#[test]
fn folds_say_that_they_replace_a_split_column() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| format!("{},{},{}", i * 7 % 50, ["train", "train", "test"][i % 3], i % 2);
    write(folder.path(), &lines("x,split,y", 60, row), "split_column = 'split'");
    let told = said(folder.path(), &["train", "c.toml", "--folds", "3", "--out", "folds"]);
    assert_eq!(told.matches("whatever `data.split_column` says").count(), 1, "{told}");
    let told = said(folder.path(), &["train", "c.toml", "--out", "run"]);
    assert!(!told.contains("whatever `data.split_column` says"), "{told}");
}

#[test]
fn a_long_list_of_columns_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let header: Vec<String> = (0..150).map(|column| format!("x{column}")).collect();
    let row = |i: usize| {
        let cells: Vec<String> = (0..150).map(|column| (i * (column + 3) % 17).to_string()).collect();
        format!("{},{}", cells.join(","), i % 2)
    };
    write(folder.path(), &lines(&format!("{},y", header.join(",")), 60, row), "");
    let told = said(folder.path(), &["train", "c.toml", "--out", "run"]);
    assert!(told.contains("and 51 more columns; data.toml") && !told.contains("`x120`"), "{told}");
}
