//! The formats that predictions are written in, and where they go.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use super::predict::{predict, trained};
use super::{cells, config, table, write};
use crate::common::{fail, program, succeed};

/// The predictions of predict/same.csv in a file of this name.
fn predict_to(folder: &Path, name: &str) -> Vec<u8> {
    let input = table("predict/same.csv");
    let arguments = ["predict", "run", "--input", input.to_str().unwrap(), "--output", name];
    assert_eq!(succeed(folder, &arguments), "");
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn a_csv_file_has_what_standard_output_has() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    assert_eq!(predict_to(folder.path(), "out.csv"), predict(folder.path(), "same").as_bytes());
}

#[test]
fn jsonl_has_an_object_a_row() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let expected = predict(folder.path(), "same");
    let jsonl = String::from_utf8(predict_to(folder.path(), "out.jsonl")).unwrap();
    assert_eq!(jsonl.lines().count(), 6);
    for (line, row) in jsonl.lines().zip(&cells(&expected)[1..]) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["prediction"], row[0]);
        assert!((object["probability_no"].as_f64().unwrap() - row[1].parse::<f64>().unwrap()).abs() < 1e-9);
    }
}

#[test]
fn predictions_in_parquet_can_be_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    predict_to(folder.path(), "out.parquet");
    let columns = "columns = { prediction = 'category' }";
    let path = folder.path().join("out.parquet");
    write(folder.path(), "again.toml", config("parquet", &path, "probability_no", columns, "mse"));
    let plan = succeed(folder.path(), &["train", "again.toml", "--dry-run"]);
    assert!(plan.contains("[1, 16]"), "{plan}");
}

#[test]
fn rows_of_standard_input_are_predicted() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let mut child = program(folder.path(), &["predict", "run", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let rows = fs::read(table("predict/same.csv")).unwrap();
    child.stdin.take().unwrap().write_all(&rows).unwrap();
    let messages = child.wait_with_output().unwrap().stdout;
    assert_eq!(messages, predict(folder.path(), "same").as_bytes());
}

#[test]
fn an_output_without_a_known_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let error = fail(folder.path(), &["predict", "run", "--input", "c.toml", "--output", "out.txt"], 2);
    assert!(error.contains(".jsonl"), "{error}");
}

#[test]
fn predictions_do_not_overwrite_their_input() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let rows = fs::read(table("predict/same.csv")).unwrap();
    let own = write(folder.path(), "own.csv", &rows);
    let arguments = ["predict", "run", "--input", "own.csv", "--output", "./own.csv"];
    assert!(fail(folder.path(), &arguments, 2).contains("this is the input"));
    assert_eq!(fs::read(own).unwrap(), rows);
}
