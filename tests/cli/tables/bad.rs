//! Bad tables: each is refused by one sentence that names the file, the line and the column.

use std::path::Path;

use descent::data::table::Row;
use descent::data::table::read::{self, Dialect, Format, Input};

use super::{config, table, write};
use crate::common::{descent, fail};

/// Trains on a table that must be refused; nothing is left behind.
fn refused(folder: &Path, config: &str) -> String {
    write(folder, "c.toml", config);
    let output = descent(folder, &["train", "c.toml", "--out", "run"]);
    let text = [output.stdout, output.stderr].concat();
    let steers = |c: char| c.is_control() && c != '\n';
    assert!(!String::from_utf8_lossy(&text).contains(steers), "what steers a terminal reached it");
    let code = output.status.code().unwrap();
    assert!(code == 1 || code == 2, "{code}");
    let error = fail(folder, &["train", "c.toml", "--out", "run"], code);
    assert!(!folder.join("run").exists(), "a run was left behind: {error}");
    error
}

#[test]
fn bad_tables_are_refused_by_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&str, &[&str])] = &[
        ("empty", &["is empty"]),
        ("only-bom", &["is empty"]),
        ("only-newlines", &["is empty"]),
        ("header-only", &["no row"]),
        ("ragged-short", &["line 6: 2 cells", "3 columns"]),
        ("ragged-long", &["line 6: 4 cells", "3 columns"]),
        ("duplicate-headers", &["line 1", "`x` twice", "columns 1 and 2"]),
        ("nul-byte", &["line 3", "`colour`", "NUL"]),
        ("nul-header", &["line 1", "NUL"]),
        ("latin1", &["line 4", "`colour`", "not UTF-8"]),
        ("latin1-header", &["line 1", "column 1", "not UTF-8"]),
        ("utf16", &["UTF-16"]),
        ("one-class", &["`class`", "`yes`", "nothing to learn"]),
        ("target-missing", &["no column `class`", "did you mean `klass`"]),
        ("missing-target-cell", &["`class`", "line 7", "missing"]),
        ("missing-cells", &["2 in `x`, 1 in `colour`", "data.missing"]),
        ("text-in-numbers", &["`x`: 7 ", "line 3, ", "line 7, ", "line 11, ", "line 15, ", "line 19, …"]),
        ("infinite", &["`x`", "line 4", "`inf`", "not finite"]),
        ("unclosed-quote", &["line 5", "quote"]),
        ("escapes", &["line 6", r"\u{1b}"]),
    ];
    for (name, words) in cases {
        let file = format!("bad/{name}.csv");
        let error = refused(folder.path(), &config("csv", &table(&file), "class", "", "cross_entropy"));
        assert!(error.contains(&format!("{name}.csv: ")), "{error}");
        for word in *words {
            assert!(error.contains(word), "{name}: {word} is not in {error}");
        }
    }
    let split =
        config("csv", &table("bad/split-unknown.csv"), "class", "split_column = 'split'", "cross_entropy");
    let error = refused(folder.path(), &split);
    assert!(error.contains("line 6") && error.contains("`split`") && error.contains("`tset`"), "{error}");
    let series = config("timeseries", &table("bad/series-short.csv"), "y", "window = 7", "mse");
    assert!(refused(folder.path(), &series).contains("5 rows"));
}

#[test]
fn cells_and_records_that_never_end_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("x,colour,class\n1,red,no\n2,{},yes\n", "g".repeat(10_000_000));
    let path = write(folder.path(), "long.csv", long);
    let error = refused(folder.path(), &config("csv", &path, "class", "", "cross_entropy"));
    assert!(error.contains("line 3: column `colour` has a cell of 10000000 bytes"), "{error}");
    assert!(error.len() < 400, "the cell is not repeated");
    let open = format!("x,colour,class\n1,\"red,no\n{}", "2,green,yes\n".repeat(4_000_000));
    let path = write(folder.path(), "open.csv", open);
    let error = refused(folder.path(), &config("csv", &path, "class", "", "cross_entropy"));
    assert!(error.contains("quote that nothing closes"), "{error}");
    let path =
        write(folder.path(), "lines.jsonl", "{\"x\": 1, \"class\": \"a\"}\n{\"x\": [1], \"class\": \"b\"}\n");
    let error = refused(folder.path(), &config("jsonl", &path, "class", "", "cross_entropy"));
    assert!(error.contains("lines.jsonl: column `x`: line 2 has a list, an object or bytes"), "{error}");
    let path = write(folder.path(), "broken.jsonl", "{\"x\": 1, \"class\": \"a\"}\n\n{\"x\": 1");
    let error = refused(folder.path(), &config("jsonl", &path, "class", "", "cross_entropy"));
    assert!(error.contains("broken.jsonl: line 3: "), "{error}");
}

/// Reads a Parquet file to its end; gives the rows.
fn rows_of(path: &Path) -> descent::Result<usize> {
    let input = Input::File(path.to_path_buf());
    let mut records = read::open(&input, Format::Parquet, &Dialect::default(), None)?;
    let (mut row, mut rows) = (Row::default(), 0);
    while records.next(&mut row)? {
        rows += 1;
    }
    Ok(rows)
}

#[test]
fn truncated_and_corrupt_parquet_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(table("parquet/iris.parquet")).unwrap();
    for cut in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let path = write(folder.path(), "cut.parquet", &whole[..cut]);
        let error = rows_of(&path).unwrap_err().to_string();
        assert!(error.contains("cut.parquet: not a Parquet file"), "{cut}: {error}");
    }
    let mut refused = 0;
    for at in 4..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        // Some bits are of no meaning; the others are refused, or are other values.
        refused += usize::from(rows_of(&write(folder.path(), "bit.parquet", &damaged)).is_err());
    }
    assert!(refused > whole.len() / 4, "{refused} of {}", whole.len());
    let huge = [&whole[..whole.len() - 8], &i32::MAX.to_le_bytes(), b"PAR1"].concat();
    assert!(rows_of(&write(folder.path(), "huge.parquet", huge)).is_err());
    let path = write(folder.path(), "text.parquet", "x,class\n1,no\n");
    let error = refused_by(folder.path(), "parquet", &path);
    assert!(error.contains("text.parquet: not a Parquet file"), "{error}");
    let path = write(folder.path(), "iris.csv", &whole);
    assert!(refused_by(folder.path(), "csv", &path).contains("this is a Parquet file"));
    let error = refused_by(folder.path(), "parquet", &table("parquet/brotli.parquet"));
    assert!(error.contains("brotli"), "{error}");
    assert!(refused_by(folder.path(), "parquet", &table("parquet/no-rows.parquet")).contains("no row"));
}

fn refused_by(folder: &Path, source: &str, path: &Path) -> String {
    refused(folder, &config(source, path, "species", "", "cross_entropy"))
}

#[test]
fn impossible_options_are_refused_with_their_key() {
    let folder = tempfile::tempdir().unwrap();
    let iris = table("iris.csv");
    let cases = [
        ("test = 1.5", "`data.test` is 1.5"),
        ("test = true", "`data.test`"),
        ("columns = { petal = \"number\" }", "`data.columns.petal` is not a column"),
        ("columns = { petal_width_cm = \"text\" }", "`data.columns.petal_width_cm`"),
        ("columns = { petal_width_cm = \"date\" }", "not dates such as 2024-03-01"),
        ("missing = \"mode\"", "`data.missing`"),
        ("split_column = \"half\"", "no column `half` to split by"),
        ("split_column = \"split\"\ntest = 0.2", "`data.split_column` cannot be used"),
        ("delimiter = \"ab\"", "`data.delimiter`"),
        ("validation = 0.001\nlimit = 1", "`data.validation` is 0.001"),
        ("tset = 0.2", "did you mean `test`"),
        ("normalize = \"z\"", "`data.normalize`"),
    ];
    for (line, words) in cases {
        let error = refused(folder.path(), &config("csv", &iris, "species", line, "cross_entropy"));
        assert!(error.contains(words), "{line}: {error}");
    }
    let numbers = config("csv", &iris, "species", "", "mse");
    assert!(refused(folder.path(), &numbers).contains("for classes use the loss `cross_entropy`"));
    let classes = config("csv", &table("diabetes.csv"), "bmi", "", "cross_entropy");
    let error = refused(folder.path(), &classes);
    assert!(
        error.contains("163 distinct numbers in 442 rows are not classes; use the loss `mse`"),
        "{error}"
    );
    let series = config("timeseries", &table("seattle-weather.csv"), "wind", "window = 0", "mse");
    assert!(refused(folder.path(), &series).contains("`data.window` is 0"));
}

#[test]
fn an_encrypted_parquet_file_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    // The magic number of both ends of a file whose footer is encrypted.
    let path = write(folder.path(), "secret.parquet", b"PARE0123456789\x0a\0\0\0PARE");
    let error = refused(folder.path(), &config("parquet", &path, "class", "", "cross_entropy"));
    assert!(error.contains("secret.parquet: this Parquet file is encrypted"), "{error}");
}

#[test]
fn a_key_that_a_line_has_twice_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let line = |row: usize| match row {
        3 => r#"{"x": 1, "class": "a", "x": 2}"#.to_owned(),
        row => format!(r#"{{"x": {row}, "class": "{}"}}"#, ["a", "b"][row % 2]),
    };
    let path = write(folder.path(), "t.jsonl", super::lines("", 20, line).trim_start());
    let error = refused(folder.path(), &config("jsonl", &path, "class", "", "cross_entropy"));
    assert!(error.contains("line 4: `x` twice"), "{error}");
    let good = super::lines("", 20, |row| line(if row == 3 { 5 } else { row }));
    write(folder.path(), "t.jsonl", good.trim_start());
    write(folder.path(), "c.toml", config("jsonl", &path, "class", "", "cross_entropy"));
    crate::common::succeed(folder.path(), &["train", "c.toml", "-q", "--out", "good"]);
    write(folder.path(), "ask.jsonl", "{\"x\": 1}\n{\"x\": 1, \"x\": 1}\n");
    let error = fail(folder.path(), &["predict", "good", "--input", "ask.jsonl"], 1);
    assert!(error.contains("line 2: `x` twice"), "{error}");
}
