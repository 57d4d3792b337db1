//! What counts as a missing value, in every format and type.

use std::path::{Path, PathBuf};

use super::{cells, column, config, lines, refused, train, write};
use crate::common::{descent, fail, succeed};
use crate::parquet_files::{self, Values};

/// Rows of which every fourth has a sentinel; the others are 0 to 4, 2 in the mean.
const ROWS: usize = 80;

fn value(row: usize, sentinel: f64) -> f64 {
    if row.is_multiple_of(4) { sentinel } else { f64::from(u8::try_from(row % 5).unwrap()) }
}

#[allow(clippy::cast_possible_truncation, reason = "small whole numbers")]
fn whole(row: usize) -> i64 {
    value(row, -999.0) as i64
}

/// A Parquet file of the column `t` and the row number `y`.
fn parquet(folder: &Path, field: &str, values: Values) -> PathBuf {
    let path = folder.join("t.parquet");
    let numbers = (0..ROWS).map(|row| i64::try_from(row).unwrap()).collect();
    parquet_files::write(&path, &format!("{field}; int64 y"), &[values, Values::Int64(numbers)]);
    path
}

/// What fills the missing cells of `t`.
fn filled(folder: &Path, source: &str, path: &Path, sentinel: &str) -> f64 {
    let options = format!("na_values = [{sentinel:?}]\nmissing = 'mean'");
    let _ = std::fs::remove_dir_all(folder.join("run"));
    train(folder, &config(source, path, "y", &options, "mse"), "run");
    column(&folder.join("run"), "t")["fill"].as_float().unwrap()
}

#[test]
fn a_number_that_stands_for_a_missing_value_does_so_in_every_format_and_type() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let csv = |written: &str, name: &str| {
        let cell =
            |row: usize| if row.is_multiple_of(4) { written.to_owned() } else { format!("{}", row % 5) };
        write(folder, name, lines("t,y", ROWS, |row| format!("{},{row}", cell(row))))
    };
    for written in ["-999", "-999.0", "-999.00", "-9.99e2"] {
        let path = csv(written, "t.csv");
        assert!((filled(folder, "csv", &path, "-999") - 2.0).abs() < 1e-12, "{written}");
    }
    let jsonl = |text: &dyn Fn(usize) -> String| {
        let line = |row: usize| format!("{{\"t\": {}, \"y\": {row}}}", text(row));
        write(folder, "t.jsonl", lines("", ROWS, line).trim_start())
    };
    for path in [
        jsonl(&|row| whole(row).to_string()),
        jsonl(&|row| format!("{:?}", value(row, -999.0))),
        jsonl(&|row| format!("\"{}\"", whole(row))),
    ] {
        assert!((filled(folder, "jsonl", &path, "-999.0") - 2.0).abs() < 1e-12);
    }
    let all = |field: &str, values: Values, sentinel: &str| {
        let path = parquet(folder, field, values);
        assert!((filled(folder, "parquet", &path, sentinel) - 2.0).abs() < 1e-12, "{field}");
    };
    all("int64 t", Values::Int64((0..ROWS).map(whole).collect()), "-999");
    all("int32 t", Values::Int32((0..ROWS).map(|row| i32::try_from(whole(row)).unwrap()).collect()), "-999");
    all("double t", Values::Double((0..ROWS).map(|row| value(row, -999.0)).collect()), "-999");
    all("double t", Values::Double((0..ROWS).map(|row| value(row, -99.9)).collect()), "-99.9");
    #[allow(clippy::cast_possible_truncation, reason = "as the file has it")]
    let single = (0..ROWS).map(|row| value(row, -99.9) as f32).collect();
    all("float t", Values::Float(single), "-99.9");
    let hundredths = (0..ROWS).map(|row| if row.is_multiple_of(4) { -9990 } else { 100 * whole(row) });
    all("int64 t", Values::Int64((0..ROWS).map(whole).collect()), "-999.0");
    all("int64 t (DECIMAL(9,2))", Values::Int64(hundredths.collect()), "-99.9");
}

#[test]
fn predict_and_eval_know_the_same_missing_values() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = parquet(folder, "double t", Values::Double((0..ROWS).map(|row| value(row, -999.0)).collect()));
    let options = "na_values = ['-999']\nmissing = 'mean'\ntest = 0.2";
    train(folder, &config("parquet", &path, "y", options, "mse"), "run");
    succeed(folder, &["eval", "run"]);
    write(folder, "new.csv", "t\n\"\"\n-999\n-999.0\n1\n");
    write(folder, "new.jsonl", "{\"t\": null}\n{\"t\": -999}\n{\"t\": \"-999.0\"}\n{\"t\": 1}\n");
    for name in ["new.csv", "new.jsonl"] {
        let messages = succeed(folder, &["predict", "run", "--input", name]);
        let rows = cells(&messages);
        assert!(rows[1] == rows[2] && rows[2] == rows[3] && rows[3] != rows[4], "{name}: {messages}");
    }
}

#[test]
fn a_category_keeps_text_that_only_equals_a_missing_number() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let code = |row: usize| ["7", "007", "8", "7.0"][row % 4];
    let path = write(folder, "t.csv", lines("id,y", 40, |row| format!("{},{}", code(row), row + 100)));
    let options = "na_values = ['7']\nmissing = 'category'\ncolumns = { id = 'category' }";
    train(folder, &config("csv", &path, "y", options, "mse"), "run");
    // pandas.read_csv(…, na_values=["7"], dtype=str): 7 and 7.0 are missing, 007 is not.
    assert_eq!(super::strings(&column(&folder.join("run"), "id")["categories"]), ["007", "8"]);
}

#[test]
fn a_missing_value_is_written_as_a_number_too_and_one_needs_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = write(folder, "t.csv", lines("t,y", ROWS, |row| format!("{},{row}", whole(row))));
    for given in ["-999", "-999.0", "'-999'", "[-999]", "['-999']", "[-999, 'none']"] {
        let options = format!("na_values = {given}\nmissing = 'mean'");
        let _ = std::fs::remove_dir_all(folder.join("run"));
        train(folder, &config("csv", &path, "y", &options, "mse"), "run");
        let fill = column(&folder.join("run"), "t")["fill"].as_float().unwrap();
        assert!((fill - 2.0).abs() < 1e-12, "{given}: {fill}");
    }
}

#[test]
fn a_country_may_be_called_na() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let country = |row: usize| ["NA", "DE", "US"][row % 3];
    let path = write(folder, "t.csv", lines("country,y", 30, |row| format!("{},{row}", country(row))));
    assert!(refused(folder, &config("csv", &path, "y", "", "mse")).contains("10 in `country`"));
    train(folder, &config("csv", &path, "y", "keep_na = true", "mse"), "run");
    assert_eq!(super::strings(&column(&folder.join("run"), "country")["categories"]), ["DE", "NA", "US"]);
    // The run keeps the option: the row is predicted, and not missing.
    write(folder, "new.csv", "country\nNA\n");
    assert_eq!(succeed(folder, &["predict", "run", "--input", "new.csv"]).lines().count(), 2);
    let json = |row: usize| format!("{{\"country\": \"{}\", \"y\": {row}}}", country(row));
    let path = write(folder, "t.jsonl", lines("", 30, json).trim_start());
    train(folder, &config("jsonl", &path, "y", "keep_na = true", "mse"), "lines");
    assert_eq!(super::strings(&column(&folder.join("lines"), "country")["categories"]), ["DE", "NA", "US"]);
}

#[test]
fn the_same_rows_have_the_same_missing_cells_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let country = |row: usize| ["NA", "DE", "US", "None", "", "n/a"][row % 6];
    write(folder, "t.csv", lines("country,y", 60, |row| format!("{},{row}", country(row))));
    let json = |row: usize| format!("{{\"country\": \"{}\", \"y\": {row}}}", country(row));
    write(folder, "t.jsonl", lines("", 60, json).trim_start());
    let countries: Vec<&str> = (0..60).map(country).collect();
    let columns = [Values::text(&countries), Values::Int64((0..60).collect())];
    parquet_files::write(&folder.join("t.parquet"), "binary country (UTF8); int64 y", &columns);
    for (keep, missing, categories) in [
        (false, "40 in `country`", &["DE", "US"][..]),
        (true, "10 in `country`", &["DE", "NA", "None", "US", "n/a"]),
    ] {
        let mut predictions = Vec::new();
        for format in ["csv", "jsonl", "parquet"] {
            let (path, run) = (folder.join(format!("t.{format}")), format!("{format}-{keep}"));
            let keep = format!("keep_na = {keep}");
            let error = refused(folder, &config(format, &path, "y", &keep, "mse"));
            assert!(error.contains(missing), "{format}: {error}");
            assert_eq!(error.contains("set `data.keep_na = true`"), keep == "keep_na = false", "{error}");
            train(folder, &config(format, &path, "y", &format!("{keep}\nmissing = 'category'"), "mse"), &run);
            let found = column(&folder.join(&run), "country");
            assert_eq!(super::strings(&found["categories"]), categories, "{format}, {keep}");
            let input = format!("t.{format}");
            predictions.push(succeed(folder, &["predict", &run, "--input", &input, "--format", "csv"]));
        }
        assert!(predictions.iter().all(|all| *all == predictions[0]));
    }
    // A class that is called NA.
    let classes: Vec<&str> = (0..60).map(|row| ["NA", "DE", "US"][row % 3]).collect();
    let columns = [Values::text(&classes), Values::Int64((0..60).collect())];
    let path = folder.join("t.parquet");
    parquet_files::write(&path, "binary country (UTF8); int64 y", &columns);
    let error = refused(folder, &config("parquet", &path, "country", "", "cross_entropy"));
    assert!(error.contains("missing in 20 rows") && error.contains("`data.keep_na = true`"), "{error}");
    train(folder, &config("parquet", &path, "country", "keep_na = true", "cross_entropy"), "classes");
}

#[test]
fn numbers_with_a_decimal_comma_are_those_of_pandas() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // pandas.read_csv("t.csv", sep=";", decimal=",", thousands=".")["x"].mean() is 1274.375
    let text = |row: usize| ["1.234,5", "3.790", "-12,25", "85,25"][row % 4];
    let path = write(folder, "t.csv", lines("x;y", 40, |row| format!("{};{row},5", text(row))));
    let options = "decimal = ','\nthousands = '.'\nnormalize = 'standard'";
    train(folder, &config("csv", &path, "y", options, "mse"), "run");
    let mean = column(&folder.join("run"), "x")["offset"].as_float().unwrap();
    assert!((mean - 1274.375).abs() < 1e-9, "{mean}");
    let target = &super::learnt(&folder.join("run"))["how"]["recipe"]["target"]["mean"][0];
    assert!((target.as_float().unwrap() - 20.0).abs() < 1e-9, "{target}");
    write(folder, "new.csv", "x;z\n1.234,5;1\n1234,5;2\n");
    let messages = succeed(folder, &["predict", "run", "--input", "new.csv"]);
    let rows = cells(&messages);
    assert_eq!(rows[1], rows[2], "{messages}");
    // A point in a number with a decimal comma is text to pandas, and not a thousandth here.
    let path = write(folder, "u.csv", lines("x;y", 40, |row| format!("{};{row}", ["1.234", "1,5"][row % 2])));
    let error = refused(folder, &config("csv", &path, "y", "decimal = ','", "mse"));
    assert!(error.contains("20 of its values are not numbers: `1.234` in line 2"), "{error}");
    let error = super::fail_config(folder, &config("csv", &path, "y", "thousands = '.'", "mse"));
    assert!(error.contains("`data.thousands` is `.`, which is the decimal point"), "{error}");
    let error = super::fail_config(folder, &config("jsonl", &path, "y", "decimal = ','", "mse"));
    assert!(error.contains("`data.decimal`"), "{error}");
}

#[test]
fn numbers_that_another_option_would_read_are_hinted_at_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let german = r#"set `data.decimal = ","` and `data.thousands = "."`"#;
    for (cells, hint) in [
        (["1.234,56", "3,5", "1.234"], german),
        (["12.345.678", "2.000.000", "1"], german),
        (["3,5", "4,25", "2,0"], "set `data.decimal = \",\"`"),
        (["1'234", "12'345.5", "1"], "set `data.thousands = \"'\"`"),
        (["1 234", "12 345", "1 000"], "set `data.thousands = \" \"`"),
    ] {
        // All cells are text, which only gives a warning, or most are numbers, which is an error.
        for plain in [0, 30] {
            let cell = |row: usize| if row < plain { "7" } else { cells[row % 3] };
            let path = write(folder, "t.csv", lines("x;y", 45, |row| format!("{};{row}", cell(row))));
            write(folder, "c.toml", config("csv", &path, "y", "", "mse"));
            let output = descent(folder, &["train", "c.toml", "--dry-run"]);
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("column `x`") && said.contains(hint), "{cells:?}: {said}");
        }
        let path = write(folder, "t.csv", lines("x;y", 45, |row| format!("{row};{}", cells[row % 3])));
        let error = refused(folder, &config("csv", &path, "y", "", "mse"));
        assert!(error.contains("target `y`") && error.contains(hint), "{error}");
    }
    let path = write(folder, "t.csv", lines("x;y", 45, |row| format!("1,{row:03};{row}")));
    write(folder, "c.toml", config("csv", &path, "y", "", "mse"));
    let output = descent(folder, &["train", "c.toml", "--dry-run"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("where 1,234 is 1.234, or `data.thousands = \",\"` where it is 1234"), "{said}");
    let line = |row: usize| format!(r#"{{"x": "{},5", "y": {row}}}"#, row % 7);
    let path = write(folder, "t.jsonl", lines("", 45, line).trim_start());
    write(folder, "c.toml", config("jsonl", &path, "y", "", "mse"));
    let output = descent(folder, &["train", "c.toml", "--dry-run"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("column `x`") && said.contains("with a decimal point"), "{said}");
}

#[test]
fn a_table_has_no_rows_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "t.csv", lines("x,y", 20, |i| format!("{i},{}", i % 3)));
    write(folder.path(), "c.toml", config("csv", &path, "y", "missing = 'previous'", "mse"));
    assert!(fail(folder.path(), &["train", "c.toml"], 2).contains("it is for `timeseries`"));
}
