//! Files of several blocks, which `descent predict` parses on all cores, against standard input, which it reads row by row.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use super::{cells, config, lines, write};
use crate::common::{descent, fail, program, succeed};

/// The rows of a file of three megabytes.
const ROWS: usize = 12_000;

/// The cells of a row: a number, a name, a date, one with a line break and quotes, and one that is long.
fn row(i: usize) -> [String; 5] {
    let number = format!("{}.{}", i * 37 % 101, i % 7);
    let name = ["red", "green", "007", "7", ""][i % 5].to_owned();
    let date = format!("2023-{:02}-{:02}", 1 + i % 12, 1 + i % 28);
    let quoted = if i.is_multiple_of(50) { format!("a \"{i}\"\n, b") } else { format!("{i}.50") };
    [number, name, date, quoted, "x".repeat(200 + i % 64)]
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

fn csv(rows: usize, cell: impl Fn(usize, usize) -> String) -> String {
    lines("number,name,date,key,long,y", rows, |i| {
        let cells: Vec<String> = (0..5).map(|column| cell(i, column)).collect();
        format!("{},{}", cells.join(","), i % 3)
    })
}

fn plain(i: usize, column: usize) -> String {
    let cell = &row(i)[column];
    if column == 3 { quoted(cell) } else { cell.clone() }
}

/// A run on the first rows, which do not have all names.
fn trained(folder: &Path) {
    let text = csv(
        99,
        |i, column| if column == 1 { ["red", "007", ""][i % 3].to_owned() } else { plain(i, column) },
    );
    let path = write(folder, "t.csv", text);
    let data = "missing = 'category'\nnormalize = 'standard'\ncolumns = { key = 'ignore', long = 'ignore', name = 'onehot' }";
    write(folder, "c.toml", config("csv", &path, "y", data, "mse"));
    succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
}

/// What is printed for standard input: the predictions, and the messages with the name of the file.
fn by_row(folder: &Path, name: &str, more: &[&str]) -> [String; 2] {
    let arguments = [&["predict", "run", "--input", "-"], more].concat();
    let mut command = program(folder, &arguments);
    let output = command.stdin(Stdio::from(File::open(folder.join(name)).unwrap())).output().unwrap();
    [output.stdout, output.stderr]
        .map(|text| String::from_utf8(text).unwrap().replace("standard input", name))
}

#[test]
fn blocks_give_the_bytes_that_rows_give() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    trained(folder);
    write(folder, "p.csv", csv(ROWS, plain));
    let keep = ["--keep", "key", "--keep", "name", "--keep", "number"];
    for format in ["csv", "jsonl"] {
        let more = [&keep[..], &["--format", format]].concat();
        let output = descent(folder, &[&["predict", "run", "--input", "p.csv"], &more[..]].concat());
        let [expected, messages] = by_row(folder, "p.csv", &more);
        assert!(
            expected.len() > 20 * ROWS && String::from_utf8(output.stdout).unwrap() == expected,
            "{format}"
        );
        assert_eq!(String::from_utf8(output.stderr).unwrap(), messages);
        assert!(messages.contains("`name`: 4800 values that training did not have"), "{messages}");
    }
    let expected = succeed(folder, &["predict", "run", "--input", "p.csv"]);
    assert_eq!(cells(&expected).len(), ROWS + 1);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&fs::read(folder.join("p.csv")).unwrap()).unwrap();
    write(folder, "p.csv.gz", packed.finish().unwrap());
    assert!(succeed(folder, &["predict", "run", "--input", "p.csv.gz"]) == expected);
    // Keys come in another order, a number is missing where its key is, and another key has a value of any kind.
    let json = |i: usize| {
        let [number, name, date, ..] = row(i);
        let other = ["1", "\"x\"", "[1]", "null"][i % 4];
        format!("{{\"other\": {other}, \"date\": \"{date}\", \"name\": \"{name}\", \"number\": {number}}}")
    };
    write(folder, "p.jsonl", (0..ROWS).map(json).collect::<Vec<_>>().join("\n"));
    assert!(succeed(folder, &["predict", "run", "--input", "p.jsonl"]) == expected);
    succeed(folder, &["predict", "run", "--input", "p.csv", "--keep", "name", "--output", "p.parquet"]);
    assert!(folder.join("p.parquet").metadata().unwrap().len() > 10_000);
}

#[test]
fn an_error_in_any_block_is_that_of_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    trained(folder);
    for (at, cell, words) in [
        (ROWS - 5, "tall", "column `number`: `tall` is no number"),
        (ROWS / 2, "1e308", "column `number`: `1e308` is too large"),
        (ROWS / 2, "1,2", "7 cells"),
        (0, "inf", "column `number`: `inf` is not finite"),
    ] {
        let bad = |i: usize, column| if (i, column) == (at, 0) { cell.to_owned() } else { plain(i, column) };
        write(folder, "p.csv", csv(ROWS, bad));
        let [_, expected] = by_row(folder, "p.csv", &[]);
        let error = fail(folder, &["predict", "run", "--input", "p.csv", "--output", "out.csv"], 1);
        assert!(
            error.contains(words) && error.contains(&format!("line {}", 2 + at + at.div_ceil(50))),
            "{error}"
        );
        assert!(expected.ends_with(&format!("{error}\n")), "{expected}");
        assert!(!folder.join("out.csv").exists());
    }
    // Cells of several kinds in one block.
    let json = |i: usize| {
        let number = if i == ROWS - 3 { "true".to_owned() } else { format!("{i}.25") };
        format!(
            "{{\"number\": {number}, \"name\": \"red\", \"date\": \"2023-01-01\", \"long\": \"{}\"}}",
            "x".repeat(200)
        )
    };
    write(folder, "p.jsonl", (0..ROWS).map(json).collect::<Vec<_>>().join("\n"));
    let error = fail(folder, &["predict", "run", "--input", "p.jsonl"], 1);
    assert!(error.contains(&format!("line {}, column `number`", ROWS - 2)), "{error}");
}

#[test]
fn a_test_file_of_several_blocks_is_scored_as_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    trained(folder);
    // The test file's names all look like numbers: 007 is one of training, and 7 is none.
    let numbers =
        |i: usize, column| if column == 1 { ["007", "7"][i % 2].to_owned() } else { plain(i, column) };
    write(folder, "test.csv", csv(ROWS, numbers));
    let sets = ["--set", "data.path='t.csv'", "--set", "data.test='test.csv'"];
    succeed(folder, &[&["train", "c.toml", "-q", "--out", "tested"], &sets[..]].concat());
    let log = fs::read_to_string(folder.join("tested/metrics.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    let printed = succeed(folder, &["eval", "tested", "--input", "test.csv", "--json"]);
    let whole: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(last["test_loss"], whole["test_loss"], "{last} {whole}");
    // By the definition, from the predictions.
    let printed = succeed(folder, &["predict", "tested", "--input", "test.csv"]);
    let rows = cells(&printed);
    let mean = rows[1..].iter().enumerate().map(|(i, row)| {
        let difference = row[0].parse::<f64>().unwrap() - [0.0, 1.0, 2.0][i % 3];
        difference * difference / 12_000.0
    });
    let mse = whole["test_mse"].as_f64().unwrap();
    assert!((mean.sum::<f64>() - mse).abs() < 1e-4 * mse, "{whole}");
}
