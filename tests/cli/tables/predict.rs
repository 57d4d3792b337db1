//! `descent predict`: a run asked about other rows.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use super::{cells, config, lines, metric, table, write};
use crate::common::{descent, fail, program, succeed};

/// A run on predict/train.csv.
fn trained(folder: &Path) {
    let text = config("csv", &table("predict/train.csv"), "class", "normalize = 'standard'", "cross_entropy");
    write(folder, "c.toml", text);
    succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
}

fn predict(folder: &Path, name: &str) -> String {
    succeed(folder, &["predict", "run", "--input", table(&format!("predict/{name}.csv")).to_str().unwrap()])
}

#[test]
fn columns_are_found_by_name() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let expected = predict(folder.path(), "same");
    let rows = cells(&expected);
    assert_eq!(rows[0], ["prediction", "probability_no", "probability_yes"]);
    assert_eq!(rows.len(), 7);
    for row in &rows[1..] {
        let shares: Vec<f64> = row[1..].iter().map(|cell| cell.parse().unwrap()).collect();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert_eq!(row[0], if shares[1] > shares[0] { "yes" } else { "no" });
    }
    for name in ["no-target", "reordered", "extra", "unseen-class"] {
        assert_eq!(predict(folder.path(), name), expected, "{name}");
    }
    assert_eq!(predict(folder.path(), "header-only").lines().count(), 1);
    for (name, words) in [
        ("missing-column", "no column `colour`"),
        ("missing-cell", "line 4, column `x`: is missing"),
        ("text-in-number", "line 4, column `x`: `tall` is no number"),
    ] {
        let input = table(&format!("predict/{name}.csv"));
        let arguments = ["predict", "run", "--input", input.to_str().unwrap(), "--output", "out.csv"];
        let error = fail(folder.path(), &arguments, 1);
        assert!(error.contains(words) && error.contains(name), "{error}");
        assert!(!folder.path().join("out.csv").exists(), "half of the predictions were left");
    }
    // A name that training did not have is unknown, and said to be.
    let input = table("predict/unseen-category.csv");
    let output = descent(folder.path(), &["predict", "run", "--input", input.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("`colour`: 1 values that training did not have"),
        "{said}"
    );
    assert!(said.contains(r"`violet\u{1b}[31m` in line 4"), "{said}");
    let test = format!("data.test='{}'", table("predict/unseen-class.csv").display());
    let error = fail(folder.path(), &["eval", "run", "--set", &test], 1);
    assert!(error.contains("line 4, column `class`: `maybe` is no class"), "{error}");
}

#[test]
fn every_format_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let input = table("predict/same.csv");
    let expected = predict(folder.path(), "same");
    let to = |name: &str| {
        let arguments = ["predict", "run", "--input", input.to_str().unwrap(), "--output", name];
        assert_eq!(succeed(folder.path(), &arguments), "");
        fs::read(folder.path().join(name)).unwrap()
    };
    assert_eq!(to("out.csv"), expected.as_bytes());
    let jsonl = String::from_utf8(to("out.jsonl")).unwrap();
    for (line, row) in jsonl.lines().zip(&cells(&expected)[1..]) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["prediction"], row[0]);
        assert!((object["probability_no"].as_f64().unwrap() - row[1].parse::<f64>().unwrap()).abs() < 1e-9);
    }
    assert_eq!(jsonl.lines().count(), 6);
    // The Parquet file is a table that can be trained on.
    to("out.parquet");
    let again = config(
        "parquet",
        &folder.path().join("out.parquet"),
        "probability_no",
        "columns = { prediction = 'category' }",
        "mse",
    );
    write(folder.path(), "again.toml", again);
    let plan = succeed(folder.path(), &["train", "again.toml", "--dry-run"]);
    assert!(plan.contains("[1, 16]"), "{plan}");
    // Standard input and output.
    let mut child = program(folder.path(), &["predict", "run", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(&input).unwrap()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, expected.as_bytes());
    let error = fail(folder.path(), &["predict", "run", "--input", "c.toml", "--output", "out.txt"], 2);
    assert!(error.contains(".jsonl"), "{error}");
    let own = write(folder.path(), "own.csv", fs::read(&input).unwrap());
    let arguments = ["predict", "run", "--input", "own.csv", "--output", "./own.csv"];
    assert!(fail(folder.path(), &arguments, 2).contains("this is the input"));
    assert_eq!(fs::read(own).unwrap(), fs::read(&input).unwrap());
}

#[test]
fn values_come_in_their_own_units() {
    let folder = tempfile::tempdir().unwrap();
    // Two targets, of which one is large.
    let rows =
        lines("x,big,small", 200, |i| format!("{i},{},{}", 1000 + 5 * i, 3i64 - i64::try_from(i).unwrap()));
    let path = write(folder.path(), "lines.csv", rows);
    let text = config("csv", &path, "TARGET", "test = 0.25\nnormalize = 'standard'", "mse");
    let text = text.replace("\"TARGET\"", "[\"big\", \"small\"]").replace("epochs = 3", "epochs = 150");
    write(folder.path(), "c.toml", text);
    let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&trained, "test_r2") > 0.99, "{trained}");
    assert!(metric(&trained, "test_mae") < 30.0, "{trained}");
    let said = succeed(folder.path(), &["predict", "run", "--input", path.to_str().unwrap()]);
    let rows = cells(&said);
    assert_eq!(rows[0], ["prediction_big", "prediction_small"]);
    for (i, row) in rows[1..].iter().enumerate().step_by(20) {
        let i = u16::try_from(i).map(f64::from).unwrap();
        assert!((row[0].parse::<f64>().unwrap() - (1000.0 + 5.0 * i)).abs() < 60.0, "{row:?}");
        assert!((row[1].parse::<f64>().unwrap() - (3.0 - i)).abs() < 15.0, "{row:?}");
    }
}

#[test]
fn answers_of_yes_or_no_have_their_words() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |i: usize| if i % 10 > 4 { "spam" } else { "ham" };
    let rows = lines("links,kind", 100, |i| format!("{},{}", i % 10, kind(i)));
    let path = write(folder.path(), "mail.csv", rows);
    let text =
        config("csv", &path, "kind", "test = 0.3", "bce_with_logits").replace("epochs = 3", "epochs = 60");
    write(folder.path(), "c.toml", text);
    let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&trained, "test_accuracy") > 0.95, "{trained}");
    let said = succeed(folder.path(), &["predict", "run", "--input", path.to_str().unwrap()]);
    let rows = cells(&said);
    assert_eq!(rows[0], ["prediction", "probability"]);
    assert_eq!((rows[1][0], rows[10][0]), ("ham", "spam"));
}

#[test]
fn a_column_of_many_names_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    // The answer follows from the name alone, of which there are 60: too many for a column each.
    let side = |town: usize| if town.is_multiple_of(3) { "north" } else { "south" };
    let rows = lines("town,side", 1200, |i| format!("town-{},{}", i * 7 % 60, side(i * 7 % 60)));
    let path = write(folder.path(), "towns.csv", rows);
    let text =
        config("csv", &path, "side", "test = 0.25", "cross_entropy").replace("epochs = 3", "epochs = 20");
    write(folder.path(), "c.toml", text);
    let trained = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    assert!(metric(&trained, "test_accuracy") > 0.97, "{trained}");
    let tensors = succeed(folder.path(), &["inspect", "run"]);
    assert!(tensors.contains("embedding1.weight") && tensors.contains("[61, 16]"), "{tensors}");
    write(folder.path(), "ask.csv", "town\ntown-3\ntown-4\natlantis\n");
    let said = succeed(folder.path(), &["predict", "run", "--input", "ask.csv", "-q"]);
    let rows = cells(&said);
    assert_eq!((rows[1][0], rows[2][0], rows.len()), ("north", "south", 4));
    // Stopped and resumed it is the run that was not.
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "part", "--set", "train.max_steps=100"]);
    succeed(folder.path(), &["train", "--resume", "part", "-q", "--set", "train.max_steps=0"]);
    let weights = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(weights("run") == weights("part"));
}
