//! `data.drop_missing_target`: rows without a target are as if the file did not have them.

use std::fs;
use std::path::{Path, PathBuf};

use super::{cells, config, lines, refused, train, write};
use crate::cli::init::init;
use crate::common::{descent, fail, succeed};
use crate::parquet_files::{self, Values};

const ROWS: usize = 120;
/// Of the rows that are left out, a feature and a name that no other row has.
const ODD: &str = "9e9,strange";

fn is_missing(row: usize) -> bool {
    row % 7 == 3 || row > 110
}

/// A row of two features, and its target: a number or a class.
fn line(row: usize, classes: bool) -> String {
    let features = format!("{}.5,{}", row * 37 % 101, ["red", "green", "blue"][row % 3]);
    let target =
        if classes { ["yes", "no"][row * 31 % 10 / 5].to_owned() } else { (row * 3 % 50).to_string() };
    if is_missing(row) { format!("{ODD},") } else { format!("{features},{target}") }
}

/// The rows as CSV, with those that lack a target or without them.
fn csv(folder: &Path, name: &str, classes: bool, whole: bool) -> PathBuf {
    let rows: Vec<usize> = (0..ROWS).filter(|row| whole || !is_missing(*row)).collect();
    write(folder, name, lines("x,name,y", rows.len(), |place| line(rows[place], classes)))
}

fn weights(folder: &Path, source: &str, path: &Path, more: &str, loss: &str) -> Vec<u8> {
    let _ = fs::remove_dir_all(folder.join("run"));
    train(folder, &config(source, path, "y", more, loss), "run");
    fs::read(folder.join("run/model.safetensors")).unwrap()
}

#[test]
fn rows_without_a_target_are_as_if_the_file_did_not_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (classes, loss) in [(false, "mse"), (true, "cross_entropy")] {
        let (all, rest) = (csv(folder, "all.csv", classes, true), csv(folder, "rest.csv", classes, false));
        let error = refused(folder, &config("csv", &all, "y", "", loss));
        assert!(error.contains("`data.drop_missing_target = true` leaves them out"), "{error}");
        for more in [
            "test = 0.2\nvalidation = 0.2",
            "test = 'rest.csv'",
            "fold = { index = 2, of = 3 }",
            "limit = 50",
        ] {
            let expected = weights(folder, "csv", &rest, more, loss);
            let drop = format!("{more}\ndrop_missing_target = true");
            assert!(weights(folder, "csv", &all, &drop, loss) == expected, "{loss} {more}");
            // Parsed at each pass, and row by row.
            let streamed = format!("{drop}\nmemory = 0");
            assert!(weights(folder, "csv", &all, &streamed, loss) == expected, "{loss} {more}");
        }
        let tested = "test = 'all.csv'\ndrop_missing_target = true";
        assert!(
            weights(folder, "csv", &rest, tested, loss)
                == weights(folder, "csv", &rest, "test = 'rest.csv'", loss)
        );
    }
}

#[test]
fn every_format_leaves_the_same_rows_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rest = csv(folder, "rest.csv", true, false);
    let expected = weights(folder, "csv", &rest, "test = 0.2", "cross_entropy");
    let all: Vec<String> = (0..ROWS).map(|row| line(row, true)).collect();
    let part = |row: &str, place: usize| row.split(',').nth(place).unwrap().to_owned();
    let object = |row: &String| {
        let (x, name, y) = (part(row, 0), part(row, 1), part(row, 2));
        let target = if y.is_empty() { String::new() } else { format!(", \"y\": \"{y}\"") };
        format!("{{\"x\": {x}, \"name\": \"{name}\"{target}}}")
    };
    let jsonl = write(folder, "t.jsonl", all.iter().map(object).collect::<Vec<_>>().join("\n"));
    let column = |place: usize| all.iter().map(|row| part(row, place)).collect::<Vec<_>>();
    let [names, ys] = [1, 2].map(|place| Values::text(&column(place)));
    let xs = Values::Double(column(0).iter().map(|x| x.parse().unwrap()).collect());
    let parquet = folder.join("t.parquet");
    parquet_files::write(&parquet, "double x; binary name (UTF8); binary y (UTF8)", &[xs, names, ys]);
    for (source, path) in [("jsonl", &jsonl), ("parquet", &parquet)] {
        for memory in ["", "memory = 0"] {
            let more = format!("test = 0.2\ndrop_missing_target = true\n{memory}");
            assert!(weights(folder, source, path, &more, "cross_entropy") == expected, "{source} {memory}");
        }
    }
}

#[test]
fn init_leaves_them_out_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for classes in [false, true] {
        csv(folder, "t.csv", classes, true);
        let made = init(folder, &["t.csv", "--target", "y"]);
        assert_eq!(made["data"]["drop_missing_target"].as_bool(), Some(true), "{made}");
        let run = format!("run-{classes}");
        let output =
            descent(folder, &["train", "t.csv", "--target", "y", "--out", &run, "--set", "train.epochs=2"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("25 rows have no target: `data.drop_missing_target` is set"), "{said}");
        assert!(said.contains("25 rows are left out, without a value of `y`"), "{said}");
        // A row to predict has no target, whether the column is there or not.
        let answers = succeed(folder, &["predict", &run, "--input", "t.csv"]);
        assert_eq!(cells(&answers).len(), ROWS + 1);
        let scored = succeed(folder, &["eval", &run, "--input", "t.csv"]);
        assert!(scored.contains("rows 95"), "{scored}");
    }
    // A target that most rows lack is likely another column.
    write(
        folder,
        "few.csv",
        lines("x,y", 60, |row| format!("{row}.5,{}", if row < 20 { row.to_string() } else { String::new() })),
    );
    assert!(fail(folder, &["init", "few.csv", "--target", "y"], 1).contains("it is missing in 40 rows"));
    write(folder, "none.csv", lines("x,y", 20, |row| format!("{row}.5,")));
    let none = config("csv", &folder.join("none.csv"), "y", "drop_missing_target = true", "mse");
    let error = refused(folder, &none);
    assert!(error.contains("none of its 20 rows has a target"), "{error}");
}

#[test]
fn init_looks_at_the_rows_that_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // The rows without a target have another kind of `x` and the only other name of `c`.
    let row = |i: usize| match i % 4 {
        3 => format!("x{i},B,"),
        _ => format!("{}.5,A,{}", i * 37 % 101, i * 3 % 50),
    };
    write(folder, "t.csv", lines("x,c,y", 200, row));
    let object = |i: usize| match i % 4 {
        3 => format!("{{\"x\": \"x{i}\", \"c\": \"B\"}}"),
        _ => format!("{{\"x\": {}.5, \"c\": \"A\", \"y\": {}}}", i * 37 % 101, i * 3 % 50),
    };
    write(folder, "t.jsonl", (0..200).map(object).collect::<Vec<_>>().join("\n"));
    for name in ["t.csv", "t.jsonl"] {
        let made = init(folder, &[name, "--target", "y"]);
        assert!(made["data"]["columns"].get("x").is_none(), "{made}");
        assert_eq!(made["data"]["columns"]["c"].as_str(), Some("ignore"), "{made}");
        let text = fs::read_to_string(folder.join("made.toml")).unwrap();
        assert!(text.starts_with(&format!("# {name}: a table of 3 columns and 150 rows.")), "{text}");
    }
}

#[test]
fn words_that_may_be_classes_are_named_and_marks_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let table = |names: &[&str]| {
        write(
            folder,
            "t.csv",
            lines("x,y", 120, |i| format!("{}.5,{}", i * 37 % 101, names[i % names.len()])),
        );
        let output = descent(folder, &["init", "t.csv", "--target", "y"]);
        let said = String::from_utf8(output.stderr).unwrap();
        (String::from_utf8(output.stdout).unwrap().parse::<toml::Table>().unwrap(), said)
    };
    let (made, said) = table(&["Driver", "None", "Both", "Driver"]);
    assert_eq!(made["data"]["drop_missing_target"].as_bool(), Some(true));
    assert!(
        said.contains("target `y` has `None`, which is taken for a missing cell, as pandas does"),
        "{said}"
    );
    assert!(said.contains("`data.keep_na = true`"), "{said}");
    // The way out is one.
    let kept = init(folder, &["t.csv", "--target", "y", "--set", "data.keep_na=true"]);
    assert_eq!(kept["data"]["keep_na"].as_bool(), Some(true));
    assert!(kept["data"].get("drop_missing_target").is_none(), "{kept}");
    succeed(folder, &["train", "made.toml", "--set", "train.epochs=1", "--out", "kept"]);
    let (made, said) = table(&[["yes", "no"].as_slice(), &["no"; 5], &["yes"; 5], &["?"]].concat());
    assert_eq!(made["data"]["na_values"].as_array().unwrap()[0].as_str(), Some("?"), "{made}");
    assert!(said.contains("`?` among classes is taken for a missing cell"), "{said}");
    // `+` and `-` are classes.
    let (made, said) = table(&["+", "-", "+"]);
    assert!(made["data"].get("na_values").is_none() && !said.contains("missing"), "{said}");
}

#[test]
fn what_is_given_decides_before_the_table_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // 1,234 may be either.
    write(folder, "t.csv", lines("x;y", 80, |i| format!("{}.5;1,{:03}", i % 7, i * 37 % 900 + 100)));
    let made = init(folder, &["t.csv", "--target", "y", "--set", "data.thousands=\",\""]);
    assert_eq!(made["data"]["thousands"].as_str(), Some(","));
    // A code in a target of two classes.
    let code = |i: usize| if i % 9 == 4 { "-999".to_owned() } else { (i % 2).to_string() };
    write(folder, "c.csv", lines("x,y", 180, |i| format!("{}.5,{}", i * 37 % 101, code(i))));
    let given = ["--set", "data.na_values=[-999]", "--set", "data.drop_missing_target=true"];
    let made = init(folder, &[&["c.csv", "--target", "y"], &given[..]].concat());
    assert_eq!(made["loss"]["name"].as_str(), Some("cross_entropy"), "{made}");
    assert_eq!(made["data"]["na_values"].as_array().unwrap().len(), 1);
    let train = [&["train", "c.csv", "--target", "y", "--out", "run"], &given[..]].concat();
    let out = succeed(folder, &[&train[..], &["--set", "train.epochs=1"]].concat());
    assert!(out.contains("test_accuracy"), "{out}");
    // Of another code that would be found nothing is said beside the one that is given.
    let income = |i: usize| if i % 20 == 7 { "-99999".to_owned() } else { format!("{}.5", 100 + i % 50) };
    write(
        folder,
        "i.csv",
        lines("income,x,y", 180, |i| format!("{},{}.5,{}", income(i), i * 37 % 101, i % 2)),
    );
    assert_eq!(init(folder, &["i.csv", "--target", "y"])["data"]["na_values"].as_array().unwrap().len(), 1);
    let made = init(folder, &["i.csv", "--target", "y", "--set", "data.na_values={x=['?']}"]);
    assert_eq!(made["data"]["na_values"]["x"].as_array().unwrap().len(), 1);
    let error = fail(folder, &["init", "c.csv", "--target", "y", "--set", "train.epochs=3"], 2);
    assert!(error.contains("init takes the keys by which cells are read alone"), "{error}");
    let error = fail(folder, &["init", "c.csv", "--target", "y", "--set", "data.decimal=12"], 2);
    assert!(error.contains("data.decimal"), "{error}");
}
