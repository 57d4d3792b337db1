//! `data.na_values` as a table: words and numbers that are missing cells in the columns that name them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{cells, column, config, fail_config, lines, refused, strings, train, write};
use crate::common::{fail, program, succeed};
use crate::parquet_files::{self, Values};

const ROWS: usize = 80;
/// Of the columns of [`rows`]: pandas gives 20 missing cells in `a`, 16 in `name`, 10 in `when` and none in the others.
const OWN: &str = "na_values = { a = [-999], name = 'absent', when = [1900-01-01] }\nmissing = 'mean'";

/// `a` and `b` have the same cells, of which -999 is a value in `b` alone; so with the names and the dates.
struct Cells {
    number: i64,
    name: &'static str,
    date: String,
}

fn cells_of(row: usize) -> Cells {
    let number = if row.is_multiple_of(4) { -999 } else { i64::try_from(row % 5).unwrap() };
    let name = if row % 5 == 1 { "absent" } else { ["good", "bad"][row % 2] };
    let date = if row % 8 == 2 { "1900-01-01".to_owned() } else { format!("2024-01-{:02}", 1 + row % 28) };
    Cells { number, name, date }
}

/// The same rows as a file of this format.
fn rows(folder: &Path, format: &str) -> PathBuf {
    let name = format!("t.{format}");
    let all: Vec<Cells> = (0..ROWS).map(cells_of).collect();
    match format {
        "csv" => {
            let line = |row: usize| {
                let Cells { number, name, date } = &all[row];
                // In a column of numbers -999.0 is -999 to pandas, too.
                let other = if row % 8 == 4 { "-999.0".to_owned() } else { number.to_string() };
                format!("{other},{number},{name},{name},{date},{date},{row}")
            };
            write(folder, &name, lines("a,b,name,word,when,since,y", ROWS, line))
        }
        "jsonl" => {
            let line = |row: usize| {
                let Cells { number, name, date } = &all[row];
                format!(
                    "{{\"a\": {number}, \"b\": {number}, \"name\": \"{name}\", \"word\": \"{name}\", \"when\": \"{date}\", \
                     \"since\": \"{date}\", \"y\": {row}}}"
                )
            };
            write(folder, &name, lines("", ROWS, line).trim_start())
        }
        _ => {
            let numbers = || Values::Int64(all.iter().map(|own| own.number).collect());
            let names: Vec<&str> = all.iter().map(|own| own.name).collect();
            let dates: Vec<&str> = all.iter().map(|own| own.date.as_str()).collect();
            let (path, y) = (folder.join(name), Values::Int64((0..80).collect()));
            let schema = "int64 a; int64 b; binary name (UTF8); binary word (UTF8); binary when (UTF8); \
                          binary since (UTF8); int64 y";
            let texts = |texts: &[&str]| [Values::text(texts), Values::text(texts)];
            let ([name, word], [when, since]) = (texts(&names), texts(&dates));
            parquet_files::write(&path, schema, &[numbers(), numbers(), name, word, when, since, y]);
            path
        }
    }
}

fn fill(run: &Path, name: &str) -> Option<f64> {
    column(run, name).get("fill").and_then(toml::Value::as_float)
}

#[test]
fn a_number_a_date_and_a_word_are_missing_in_their_own_columns_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut predictions = Vec::new();
    for format in ["csv", "jsonl", "parquet"] {
        let path = rows(folder, format);
        train(folder, &config(format, &path, "y", OWN, "mse"), format);
        let run = folder.join(format);
        // pandas.read_csv("t.csv", na_values={"a": [-999], "name": "absent", "when": ["1900-01-01"]}): the mean of `a` is 2, that
        // of `b` -248.25, `name` has 16 missing cells and `word` none.
        assert!((fill(&run, "a").unwrap() - 2.0).abs() < 1e-12, "{format}");
        assert!((fill(&run, "b").unwrap() + 248.25).abs() < 1e-12, "{format}");
        assert_eq!(strings(&column(&run, "name")["categories"]), ["bad", "good"], "{format}");
        assert_eq!(strings(&column(&run, "word")["categories"]), ["absent", "bad", "good"], "{format}");
        // The first day of the year 1900 is day -25,567: with it the mean is thousands of days earlier.
        let (when, since) = (fill(&run, "when").unwrap(), fill(&run, "since").unwrap());
        assert!(when > 19_000.0 && since < when - 5000.0, "{format}: {when} {since}");
        let input = format!("t.{format}");
        predictions.push(succeed(folder, &["predict", format, "--input", &input]));
    }
    // -999.0 in the CSV is -999 in the others.
    assert!(predictions.iter().all(|all| *all == predictions[0]));
}

#[test]
fn a_column_of_text_has_its_own_numbers_that_are_missing_as_with_pandas_dict() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let code = |row: usize| ["-999", "-999.0", "-999.00", "007", "7", "8"][row % 6];
    let line = |row: usize| format!("{0},{0},{row}", code(row));
    let path = write(folder, "t.csv", lines("t,u,y", 60, line));
    let options =
        "na_values = { t = [-999, 7] }\nmissing = 'category'\ncolumns = { t = 'category', u = 'category' }";
    train(folder, &config("csv", &path, "y", options, "mse"), "run");
    // pandas.read_csv("t.csv", na_values={"t": [-999, 7]}, dtype=str): -999, -999.0 and 7 are missing in `t`, and nothing in `u`.
    let run = folder.join("run");
    assert_eq!(strings(&column(&run, "t")["categories"]), ["-999.00", "007", "8"]);
    assert_eq!(strings(&column(&run, "u")["categories"]), ["-999", "-999.0", "-999.00", "007", "7", "8"]);
}

#[test]
fn words_that_pandas_knows_are_missing_in_columns_without_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cell = |row: usize| ["1", "NA", "3"][row % 3];
    let path = write(folder, "t.csv", lines("a,b,y", 60, |row| format!("{0},{0},{row}", cell(row))));
    train(folder, &config("csv", &path, "y", "na_values = { a = 3 }\nmissing = 'mean'", "mse"), "run");
    // pandas.read_csv("t.csv", na_values={"a": 3}): the means are 1 and 2.
    let run = folder.join("run");
    assert_eq!((fill(&run, "a"), fill(&run, "b")), (Some(1.0), Some(2.0)));
}

#[test]
fn a_number_may_be_written_with_the_decimal_comma_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cell = |row: usize| ["-99,9", "1,5", "2,5"][row % 3];
    let path = write(folder, "t.csv", lines("a;b;y", 60, |row| format!("{0};{0};{row}", cell(row))));
    // pandas.read_csv("t.csv", sep=";", decimal=",", na_values={"a": …}), of either: the mean of `a` is 2, of `b` -31.9666….
    for given in ["'-99,9'", "-99.9"] {
        let options = format!("decimal = ','\nna_values = {{ a = [{given}] }}\nmissing = 'mean'");
        let _ = fs::remove_dir_all(folder.join("run"));
        train(folder, &config("csv", &path, "y", &options, "mse"), "run");
        let run = folder.join("run");
        assert!((fill(&run, "a").unwrap() - 2.0).abs() < 1e-12, "{given}");
        assert!((fill(&run, "b").unwrap() + 95.9 / 3.0).abs() < 1e-9, "{given}");
    }
}

#[test]
fn a_column_that_the_file_does_not_have_is_an_error_with_the_nearest_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = write(folder, "t.csv", lines("income,x,y", 60, |row| format!("{},{row},{row}", row % 7)));
    for source in ["csv", "timeseries"] {
        let error = fail_config(folder, &config(source, &path, "y", "na_values = { incom = [-1] }", "mse"));
        assert!(error.contains("`data.na_values.incom` is not a column of"), "{error}");
        assert!(error.contains("did you mean `income`? it has `income`, `x`, `y`"), "{error}");
    }
    let error = fail_config(folder, &config("csv", &path, "y", "na_values = { x = [true] }", "mse"));
    assert!(error.contains("is true; expected a text, a number, a date, or a list of them"), "{error}");
    // A target may be named. A row without it is an error as ever, and a file to predict need not have it.
    let error = refused(folder, &config("csv", &path, "y", "na_values = { y = 7 }", "mse"));
    assert!(error.contains("it is missing in 1 row, the first is line 9"), "{error}");
    train(folder, &config("csv", &path, "y", "na_values = { y = -1 }", "mse"), "run");
    write(folder, "new.csv", "income,x\n3,5\n");
    assert_eq!(succeed(folder, &["predict", "run", "--input", "new.csv"]).lines().count(), 2);
}

#[test]
fn a_run_keeps_the_table_for_new_rows_and_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = rows(folder, "csv");
    let options = format!("{OWN}\ntest = 0.2");
    train(folder, &config("csv", &path, "y", &options, "mse"), "run");
    let saved = super::learnt(&folder.join("run"));
    let na_values = saved["how"]["table"]["na_values"].as_table().unwrap();
    assert_eq!(strings(&na_values["a"]), ["-999"]);
    succeed(folder, &["eval", "run"]);
    let header = "a,b,name,word,when,since\n";
    let known = ",1,,good,,2024-01-02\n-999,1,absent,good,1900-01-01,2024-01-02\n";
    write(
        folder,
        "new.csv",
        format!("{header}{known}-999.0,-999,absent,absent,1900-01-01 00:00,1900-01-01\n"),
    );
    let line = |a: &str, name: &str| {
        format!(
            "{{\"a\": {a}, \"b\": 1, \"name\": {name}, \"word\": \"good\", \"when\": null, \"since\": \"2024-01-02\"}}\n"
        )
    };
    write(folder, "new.jsonl", line("null", "null") + &line("-999", "\"absent\"") + &line("1", "\"bad\""));
    for name in ["new.csv", "new.jsonl"] {
        let printed = succeed(folder, &["predict", "run", "--input", name]);
        let rows = cells(&printed);
        assert!(rows[1] == rows[2] && rows[2] != rows[3], "{name}: {printed}");
    }
    let printed = succeed(folder, &["predict", "run", "--input", "new.csv"]);
    let mut command = program(folder, &["predict", "run", "--input", "-"]);
    let output = command.stdin(File::open(folder.join("new.csv")).unwrap()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), printed);
    // Stopped after an epoch and resumed, it has the weights of the run that was not.
    write(folder, "c.toml", config("csv", &path, "y", &options, "mse"));
    succeed(folder, &["train", "c.toml", "-q", "--out", "whole"]);
    succeed(folder, &["train", "c.toml", "-q", "--out", "cut", "--set", "train.epochs=1"]);
    succeed(folder, &["train", "--resume", "cut", "-q", "--set", "train.epochs=3"]);
    let weights = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    assert!(weights("cut") == weights("whole") && weights("cut") != weights("run"));
}

#[test]
fn one_column_is_set_on_the_command_line_and_every_fold_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = rows(folder, "csv");
    let setting = ["--set", "data.na_values.a=[-999]"];
    for given in ["", "na_values = []", "na_values = { name = 'absent' }"] {
        write(folder, "c.toml", config("csv", &path, "y", &format!("{given}\nmissing = 'mean'"), "mse"));
        let _ = fs::remove_dir_all(folder.join("run"));
        succeed(folder, &[&["train", "c.toml", "-q", "--out", "run"][..], &setting].concat());
        assert!((fill(&folder.join("run"), "a").unwrap() - 2.0).abs() < 1e-12, "{given}");
    }
    write(folder, "c.toml", config("csv", &path, "y", "na_values = ['?']", "mse"));
    let error = fail(folder, &[&["train", "c.toml"][..], &setting].concat(), 2);
    assert!(error.contains("--set 'data.na_values={ a = ... }' puts a table in its place"), "{error}");
    write(folder, "c.toml", config("csv", &path, "y", OWN, "mse"));
    for (option, run) in [("--folds", "folds"), ("--bag", "bag")] {
        succeed(folder, &["train", "c.toml", "-q", option, "3", "--out", run]);
    }
    assert_eq!(succeed(folder, &["predict", "bag", "--input", "t.csv"]).lines().count(), ROWS + 1);
}

#[test]
fn the_columns_of_a_series_have_their_own_words_targets_and_groups_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let day = |row: usize| format!("2024-{:02}-{:02}", 1 + row / 28, 1 + row % 28);
    let line = |row: usize| {
        let number = if row % 10 == 4 { -1 } else { i64::try_from(row % 5).unwrap() };
        format!("{},{number},{number},{}", day(row), row % 7)
    };
    let path = write(folder, "t.csv", lines("day,a,b,y", 112, line));
    let options = "window = 4\nhorizon = 1\nmissing = 'mean'\nna_values = { a = -1, y = 9 }\ncolumns = { day = 'ignore' }";
    train(folder, &config("timeseries", &path, "y", options, "mse"), "run");
    let run = folder.join("run");
    let kept = super::learnt(&run);
    assert_eq!(strings(&kept["how"]["table"]["na_values"]["y"]), ["9"]);
    let (a, b) = (fill(&run, "a").unwrap(), fill(&run, "b"));
    assert!((a - 16.0 / 9.0).abs() < 0.1, "{a}");
    assert!(b.unwrap() < a - 0.2, "{b:?}");
    assert!(succeed(folder, &["predict", "run", "--input", "t.csv"]).lines().count() > 100);
    // A target's own code leaves its row out where cells are filled; of the feature the same number is a value.
    let path = write(
        folder,
        "u.csv",
        lines("day,a,y", 112, |row| {
            format!("{},{},{}", day(row), row % 3, if row == 50 { 2000 } else { row % 7 })
        }),
    );
    let options = "window = 4\nhorizon = 1\nmissing = 'previous'\nna_values = { y = 2000 }";
    train(folder, &config("timeseries", &path, "y", options, "mse"), "holes");
    let target = &super::learnt(&folder.join("holes"))["how"]["recipe"]["target"]["mean"][0];
    assert!(target.as_float().unwrap() < 7.0, "{target}");
}

#[test]
fn a_key_that_is_no_feature_is_copied_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = |row: usize| {
        let age = if row % 7 == 3 { 999 } else { 20 + row % 50 };
        format!("{},{age},{}", 980 + row, row % 9)
    };
    let path = write(folder, "t.csv", lines("id,age,y", 60, line));
    let options = "na_values = [999]\nmissing = 'mean'\ncolumns = { id = 'ignore' }";
    train(folder, &config("csv", &path, "y", options, "mse"), "run");
    let json = |row: usize| format!("{{\"id\": {}, \"age\": 999}}", 980 + row);
    write(folder, "t.jsonl", lines("", 60, json).trim_start());
    let keys = |text: &str| -> Vec<String> {
        text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
    };
    let expected: Vec<String> = (980..1040).map(|id: usize| id.to_string()).collect();
    for input in ["t.csv", "t.jsonl"] {
        assert_eq!(keys(&succeed(folder, &["predict", "run", "--input", input, "--keep", "id"])), expected);
    }
    let mut command = program(folder, &["predict", "run", "--input", "-", "--keep", "id"]);
    let piped = command.stdin(File::open(&path).unwrap()).output().unwrap();
    assert_eq!(keys(&String::from_utf8(piped.stdout).unwrap()), expected);
}
