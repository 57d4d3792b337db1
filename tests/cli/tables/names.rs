//! Categories and classes are called as the file writes them.

use std::path::Path;

use super::{cells, column, config, learnt, lines, strings, train, write};
use crate::common::succeed;
use crate::parquet_files::{self, Values};

/// 9007199254740992 is 2^53: a double cannot tell it from the next number.
const IDS: [&str; 4] = ["9007199254740992", "9007199254740993", "9007199254740994", "9007199254740995"];

/// The names that a run on `path` has of the column `id`.
fn names(folder: &Path, source: &str, path: &Path) -> Vec<String> {
    let _ = std::fs::remove_dir_all(folder.join("run"));
    train(folder, &config(source, path, "y", "columns = { id = 'category' }", "mse"), "run");
    strings(&column(&folder.join("run"), "id")["categories"]).into_iter().map(str::to_owned).collect()
}

#[test]
fn large_numbers_are_names_of_their_own_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let id = |row: usize| IDS[row % 4];
    let path = write(folder, "t.csv", lines("id,y", 40, |row| format!("{},{row}", id(row))));
    assert_eq!(names(folder, "csv", &path), IDS);
    for quote in ["", "\""] {
        let line = |row: usize| format!("{{\"id\": {quote}{}{quote}, \"y\": {row}}}", id(row));
        let path = write(folder, "t.jsonl", lines("", 40, line).trim_start());
        assert_eq!(names(folder, "jsonl", &path), IDS);
    }
    let path = folder.join("t.parquet");
    let numbers = || Values::Int64((0..40).collect());
    let ids: Vec<i64> = (0..40).map(|row| id(row).parse().unwrap()).collect();
    parquet_files::write(&path, "int64 id; int64 y", &[Values::Int64(ids.clone()), numbers()]);
    assert_eq!(names(folder, "parquet", &path), IDS);
    parquet_files::write(&path, "int64 id (DECIMAL(18,0)); int64 y", &[Values::Int64(ids), numbers()]);
    assert_eq!(names(folder, "parquet", &path), IDS);
    // The largest numbers of 64 bits without a sign.
    let largest = ["18446744073709551614", "18446744073709551615"];
    let ids = (0..40).map(|row| -2 + row % 2).collect();
    parquet_files::write(&path, "int64 id (UINT_64); int64 y", &[Values::Int64(ids), numbers()]);
    assert_eq!(names(folder, "parquet", &path), largest);
    let line = |row: usize| format!("{{\"id\": {}, \"y\": {row}}}", largest[row % 2]);
    let path = write(folder, "t.jsonl", lines("", 40, line).trim_start());
    assert_eq!(names(folder, "jsonl", &path), largest);
}

#[test]
fn a_name_is_its_text_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let written = ["007", "7", "7.0", "1e3", "1000"];
    let path = write(folder, "t.csv", lines("id,y", 50, |row| format!("{},{row}", written[row % 5])));
    // In order as numbers, equal ones in order as texts.
    assert_eq!(names(folder, "csv", &path), ["007", "7", "7.0", "1000", "1e3"]);
    write(folder, "new.csv", "id\n7\n7.0\n07\n");
    let messages = succeed(folder, &["predict", "run", "--input", "new.csv"]);
    let rows = cells(&messages);
    assert_ne!(rows[1], rows[2]);
}

#[test]
fn numbers_of_json_are_names_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for written in [
        ["10000000000000000000000001", "10000000000000000000000002", "-0", "0"],
        ["1.1", "1.10", "11e-1", "0.11e1"],
    ] {
        let line = |row: usize| format!("{{\"id\": {}, \"y\": {row}}}", written[row % 4]);
        let path = write(folder, "t.jsonl", lines("", 40, line).trim_start());
        let mut names = names(folder, "jsonl", &path);
        names.sort();
        let mut expected = written;
        expected.sort_unstable();
        assert_eq!(names, expected);
        // Each is predicted as itself, and kept as a key as it is written.
        succeed(folder, &["eval", "run", "--input", "t.jsonl"]);
        let kept = succeed(folder, &["predict", "run", "--input", "t.jsonl", "--keep", "id"]);
        let kept = cells(&kept);
        assert!((0..40).all(|row| kept[row + 1][0] == written[row % 4]), "{kept:?}");
        let predicted: std::collections::BTreeSet<_> = kept[1..5].iter().map(|row| &row[1]).collect();
        assert_eq!(predicted.len(), 4, "{kept:?}");
    }
}

#[test]
fn a_column_of_words_and_numbers_has_names_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let written = ["\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\"", "\"1.100\"", "1.10", "1.1"];
    let line = |row: usize| format!("{{\"id\": {}, \"y\": {row}}}", written[row % 8]);
    let path = write(folder, "t.jsonl", lines("", 80, line).trim_start());
    train(folder, &config("jsonl", &path, "y", "", "mse"), "run");
    let learnt = column(&folder.join("run"), "id");
    let mut names = strings(&learnt["categories"]);
    names.sort_unstable();
    assert_eq!(names, ["1.1", "1.10", "1.100", "a", "b", "c", "d", "e"]);
    let predicted = succeed(folder, &["predict", "run", "--input", "t.jsonl"]);
    let predicted: std::collections::BTreeSet<_> =
        cells(&predicted)[1..9].iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(predicted.len(), 8);
}

#[test]
fn classes_of_nineteen_digits_are_told_apart_and_predicted_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let class = |row: usize| ["1000000000000000001", "1000000000000000002", "0042"][row % 3];
    let path = write(folder, "t.csv", lines("x,y", 60, |row| format!("{},{}", row % 3, class(row))));
    train(folder, &config("csv", &path, "y", "test = 0.2", "cross_entropy"), "run");
    let classes = ["0042", "1000000000000000001", "1000000000000000002"];
    assert_eq!(strings(&learnt(&folder.join("run"))["how"]["recipe"]["target"]["classes"]), classes);
    succeed(folder, &["eval", "run"]);
    write(folder, "new.csv", "x\n0\n1\n2\n");
    let messages = succeed(folder, &["predict", "run", "--input", "new.csv"]);
    assert!(cells(&messages)[1..].iter().all(|row| classes.contains(&row[0])), "{messages}");
    let path = folder.join("t.parquet");
    let ys = (0..60).map(|row| 1_000_000_000_000_000_001 + row % 2).collect();
    let xs = (0..60).map(|row| f64::from(row % 2)).collect();
    parquet_files::write(&path, "double x; int64 y", &[Values::Double(xs), Values::Int64(ys)]);
    train(folder, &config("parquet", &path, "y", "", "cross_entropy"), "wide");
    assert_eq!(strings(&learnt(&folder.join("wide"))["how"]["recipe"]["target"]["classes"]), classes[1..]);
}

#[test]
fn many_names_have_learnt_vectors_unless_the_config_asks_for_columns() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = write(folder, "t.csv", lines("id,y", 330, |row| format!("n{},{row}", row % 33)));
    // Without a kind they have vectors too.
    for (kind, expected) in
        [("", "embedding"), ("category", "embedding"), ("onehot", "category"), ("embedding", "embedding")]
    {
        let columns = if kind.is_empty() { String::new() } else { format!("columns = {{ id = '{kind}' }}") };
        let run = format!("run-{kind}");
        let messages = train(folder, &config("csv", &path, "y", &columns, "mse"), &run);
        assert_eq!(column(&folder.join(&run), "id")["kind"].as_str(), Some(expected), "{kind}");
        let inputs = if expected == "category" { "[16, 33]" } else { "[34, 11]" };
        let tensors = succeed(folder, &["inspect", &run]);
        assert!(tensors.contains(inputs), "{kind}: {tensors}");
        let features = if expected == "category" { "33 features" } else { "1 feature" };
        assert!(messages.contains(&format!("330 rows of {features} take ")), "{messages}");
    }
    let path = write(folder, "t.csv", lines("id,y", 320, |row| format!("n{},{row}", row % 32)));
    for (out, columns) in [("few", "columns = { id = 'category' }"), ("by-default", "")] {
        train(folder, &config("csv", &path, "y", columns, "mse"), out);
        assert_eq!(column(&folder.join(out), "id")["kind"].as_str(), Some("category"));
    }
}

#[test]
fn what_fills_empty_categories_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let colour = |row: usize| ["red", "green", "red", ""][row % 4];
    let path = write(folder, "t.csv", lines("colour,y", 40, |row| format!("{},{row}", colour(row))));
    for (missing, text) in [
        ("mean", "where missing `red`"),
        ("zero", "where missing unknown"),
        ("category", "where missing a category of its own"),
    ] {
        let options = format!("missing = '{missing}'");
        let messages = train(folder, &config("csv", &path, "y", &options, "mse"), missing);
        assert!(messages.contains(text), "{messages}");
    }
}

#[test]
fn large_numbers_that_are_not_normalised_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = write(folder, "t.csv", lines("income,age,y", 40, |row| format!("{},{row},{row}", row * 900)));
    let messages = train(folder, &config("csv", &path, "y", "", "mse"), "raw");
    assert!(
        messages.contains("large numbers train badly: `income` (up to 35100); set it to \"standard\""),
        "{messages}"
    );
    let messages = train(folder, &config("csv", &path, "y", "normalize = 'standard'", "mse"), "scaled");
    assert!(!messages.contains("train badly"), "{messages}");
}

#[test]
fn names_of_columns_that_are_not_there_are_mistakes_of_the_config() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path =
        write(folder, "t.csv", lines("colour,x,y", 20, |row| format!("{},{row},{row}", ["a", "b"][row % 2])));
    let cases = [
        (
            "color",
            "",
            "`data.target` is `color`, but there is no column `color` to predict",
            "did you mean `colour`?",
        ),
        (
            "colour",
            "split_column = 'part'",
            "`data.split_column` is `part`, but there is no column",
            "it has `colour`",
        ),
        ("colour", "columns = { z = 'number' }", "`data.columns.z` is not a column", "`colour`"),
        (
            "colour",
            "columns = { colour = 'number' }",
            "`data.columns.colour` is the kind of a target",
            "remove it",
        ),
        (
            "colour",
            "columns = { colour = 'ignore' }",
            "`data.columns.colour` is the kind of a target",
            "remove it",
        ),
    ];
    for (target, data, said, way_out) in cases {
        let error = super::fail_config(folder, &config("csv", &path, target, data, "cross_entropy"));
        assert!(
            error.contains("c.toml, line ") && error.contains(said) && error.contains(way_out),
            "{error}"
        );
    }
}

#[test]
fn kinds_of_targets_agree_with_the_loss() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = |row: usize| format!("{},{row},{row}", ["a", "b"][row % 2]);
    let path = write(folder, "t.csv", lines("colour,x,y", 20, line));
    let series = config("timeseries", &path, "y", "window = 3\ntime = 'day'", "mse");
    let error = super::fail_config(folder, &series);
    assert!(error.contains("`data.time` is `day`, but there is no column `day` to order rows by"), "{error}");
    let error = super::fail_config(folder, &config("csv", &path, "y", "columns = { y = 'category' }", "mse"));
    assert!(error.contains("`data.columns.y` is the kind of a target"), "{error}");
    // Kinds that agree with the loss are said twice, and no more.
    for (target, kind, loss) in [("y", "number", "mse"), ("colour", "category", "cross_entropy")] {
        let data = format!("columns = {{ {target} = '{kind}' }}");
        train(folder, &config("csv", &path, target, &data, loss), kind);
    }
}
