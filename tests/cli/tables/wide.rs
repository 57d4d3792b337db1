//! Tables of very many columns.

use std::time::{Duration, Instant};

use super::{config, lines, refused, table, train, write};

#[test]
fn a_header_of_commas_is_refused_as_too_wide() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "t.csv", format!("{}\n1,2\n", ",".repeat(31_000_000)));
    let error = refused(folder.path(), &config("csv", &path, "y", "", "mse"));
    assert!(error.contains("line 1: more than 8") && error.contains("a table has 200000 at most"), "{error}");
    let path = write(folder.path(), "u.csv", format!("y{}\n1,2\n", ",".repeat(200_000)));
    let error = refused(folder.path(), &config("csv", &path, "y", "", "mse"));
    assert!(error.contains("200001 columns; a table has 200000 at most"), "{error}");
}

#[test]
fn a_hundred_thousand_columns_take_time_in_proportion() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..100_000).map(|column| format!("c{column}")).collect();
    let row = |row: usize| format!("{row}{}", format!(",{}", row % 3).repeat(99_999));
    let path = write(folder.path(), "t.csv", lines(&names.join(","), 12, row));
    let begun = Instant::now();
    let config = config("csv", &path, "c0", "", "mse").replace("hidden = [16]", "hidden = [1]");
    train(folder.path(), &config, "run");
    // Comparing every name with every other one takes half a minute on a fast machine.
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}

#[test]
fn lines_with_keys_of_their_own_are_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let line = |row: usize| format!("{{\"k{row}\": 1, \"y\": {row}}}");
    let path = write(folder.path(), "t.jsonl", lines("", 20_000, line).trim_start());
    let begun = Instant::now();
    let error = refused(folder.path(), &config("jsonl", &path, "y", "missing = 'zero'", "mse"));
    assert!(error.contains("values in all; a table has a value in every 100th cell at least"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // As few as these may be so.
    let path = write(folder.path(), "u.jsonl", lines("", 100, line).trim_start());
    train(folder.path(), &config("jsonl", &path, "y", "missing = 'zero'", "mse"), "run");
}

#[test]
fn lists_and_objects_are_one_error_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let told =
        "has a list, an object or bytes; give each part a column of its own, or set the column to \"ignore\"";
    let error = refused(folder, &config("parquet", &table("parquet/nested.parquet"), "x", "", "mse"));
    assert!(error.contains("column `tags`: line 1 ") && error.contains(told), "{error}");
    for cell in ["[1, 2]", "{\"a\": [1]}", "[]"] {
        let line = |row: usize| {
            format!("{{\"x\": {row}, \"tags\": {}, \"y\": {row}}}", if row == 3 { cell } else { "1" })
        };
        let path = write(folder, "t.jsonl", lines("", 30, line).trim_start());
        let error = refused(folder, &config("jsonl", &path, "y", "", "mse"));
        assert!(error.contains("column `tags`: line 4 ") && error.contains(told), "{error}");
        let _ = std::fs::remove_dir_all(folder.join("run"));
        train(folder, &config("jsonl", &path, "y", "columns = { tags = 'ignore' }", "mse"), "run");
        let error = refused(folder, &config("jsonl", &path, "tags", "", "mse"));
        assert!(error.contains("target `tags`: line 4 ") && error.contains(told), "{error}");
        let error = refused(folder, &config("jsonl", &path, "tags", "", "cross_entropy"));
        assert!(error.contains("target `tags`: line 4 ") && error.contains(told), "{error}");
    }
    let options = "columns = { tags = 'ignore', place = 'ignore' }";
    train(
        folder,
        &config("parquet", &table("parquet/nested.parquet"), "class", options, "cross_entropy"),
        "nested",
    );
}
