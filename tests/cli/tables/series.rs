//! Series: windows, horizons, and time that only goes forward.

use std::path::Path;

use super::{cells, config, learnt, metric, write};
use crate::common::{descent, fail, succeed};

/// A series of two columns: a count, and a wave that follows from it.
pub(super) fn series(rows: usize) -> String {
    let wave = |t: usize| (t % 8).abs_diff(4);
    (0..rows).fold("date,wave,trend\n".to_owned(), |text, t| {
        format!("{text}2024-01-01T{:02}:{:02}:00,{},{}\n", t / 60, t % 60, wave(t), t % 5)
    })
}

/// Checks a forecast of the wave at this time.
pub(super) fn assert_is_wave(t: usize, forecast: &str, error: f64) {
    let expected = u8::try_from((t % 8).abs_diff(4)).map(f64::from).unwrap();
    let got: f64 = forecast.parse().unwrap();
    assert!((got - expected).abs() < error, "row {t}: {got} is not {expected}");
}

#[test]
fn a_target_some_rows_ahead_is_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "s.csv", series(400));
    for (model, horizon) in [("mlp", 1), ("mlp", 3), ("gru", 2)] {
        let data = format!(
            "window = 8\nhorizon = [{horizon}]\ntest = 0.25\nvalidation = 0.1\nnormalize = 'standard'"
        );
        let text = config("timeseries", &path, "wave", &data, "mse").replace("epochs = 3", "epochs = 60");
        let text = if model == "gru" {
            text.replace("name = \"mlp\"\nhidden = [16]", "name = \"gru\"\nhidden_size = 16")
        } else {
            text
        };
        write(folder.path(), "c.toml", text);
        let out = format!("{model}-{horizon}");
        let output = descent(folder.path(), &["train", "c.toml", "--out", &out]);
        let messages = String::from_utf8(output.stderr).unwrap();
        // 300 rows for training of which a tenth is validated on; each part loses what a window and its target take.
        let lost = 8 + horizon - 1;
        let expected =
            format!("rows: {} to train on, {} to validate, {} to test on", 270 - lost, 30 - lost, 100 - lost);
        assert!(messages.contains(&expected), "{messages}");
        assert!(messages.contains("`date`") && messages.contains("ignored: the time"), "{messages}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(metric(&printed, "test_r2") > 0.97, "{printed}");
        // A line a row, with the forecast for its time, and one for each time that follows.
        let messages = succeed(folder.path(), &["predict", &out, "--input", "s.csv"]);
        let rows = cells(&messages);
        assert_eq!(rows.len(), 401 + horizon);
        let is_empty = |t: usize| t < 7 + horizon;
        assert!((0..400 + horizon).all(|t| rows[t + 1][1].is_empty() == is_empty(t)), "{messages}");
        assert_eq!(rows[400 + horizon][0], format!("2024-01-01T06:{}:00", 39 + horizon));
        for t in [7 + horizon, 100, 399, 399 + horizon] {
            assert_is_wave(t, rows[t + 1][1], 0.7);
        }
    }
    let learnt = learnt(&folder.path().join("gru-2"));
    assert_eq!(learnt["row"].as_array().unwrap().len(), 2);
    assert_eq!(learnt["how"]["horizon"].as_integer(), Some(2));
}

#[test]
fn a_series_is_split_by_time_and_normalised_by_its_past() {
    let folder = tempfile::tempdir().unwrap();
    // A level that jumps where the test split begins: nothing of it may be known before.
    let rows = (0..100)
        .fold("t,y\n".to_owned(), |text, t| format!("{text}{t},{}\n", if t < 80 { t % 4 } else { 900 }));
    let path = write(folder.path(), "s.csv", rows);
    write(
        folder.path(),
        "c.toml",
        config("timeseries", &path, "y", "window = 4\ntest = 0.2\nnormalize = 'minmax'", "mse"),
    );
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    let learnt = learnt(&folder.path().join("run"));
    let columns = learnt["how"]["recipe"]["columns"].as_array().unwrap();
    assert_eq!((columns[1]["offset"].as_float(), columns[1]["scale"].as_float()), (Some(0.0), Some(3.0)));
    assert!((learnt["how"]["recipe"]["target"]["mean"][0].as_float().unwrap() - 1.5).abs() < 1e-12);
    // Folds of a series train on the past alone.
    let output = descent(folder.path(), &["train", "c.toml", "--out", "cv", "--folds", "3"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("rows: 21 to train on, 21 to test on"), "{messages}");
}

/// Two shops in turns, with missing cells, whose hours follow each other.
fn shops(rows: usize) -> String {
    let line = |row: usize| {
        let (hour, shop) = (row / 2, ["north", "south"][row % 2]);
        let sold = if row % 31 == 7 { String::new() } else { (hour % 24 * (row % 2 + 1)).to_string() };
        let (day, hour) = (hour / 24, hour % 24);
        let (month, day) = (1 + day / 28, 1 + day % 28);
        format!("2023-{month:02}-{day:02}T{hour:02}:00,{shop},{sold},{}", row * 7 % 13)
    };
    super::lines("time,shop,sold,price", rows, line)
}

/// Writes them with a config that trains on 2,700 windows in the order of the file.
fn write_shops(folder: &Path) {
    let path = write(folder, "s.csv", shops(4000));
    let data = "group = 'shop'\nwindow = 12\nhorizon = [1, 3]\nmissing = 'interpolate'\ntest = 0.2\nvalidation = 0.1\n\
                normalize = 'standard'";
    write(folder, "c.toml", config("timeseries", &path, "sold", data, "mse") + "shuffle = false\n");
}

#[test]
fn rows_of_a_series_in_a_temporary_file_are_trained_on_and_predicted_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    write_shops(folder.path());
    let train = |out: &str, memory: &str, options: &[&str]| {
        let memory = format!("data.memory={memory}");
        let command = [&["train", "c.toml", "--out", out, "--set", &memory], options].concat();
        let output = descent(folder.path(), &command);
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{messages}");
        assert_eq!(messages.contains("in a temporary file"), memory.ends_with("=0"), "{messages}");
        let predicted = succeed(folder.path(), &["predict", out, "--input", "s.csv"]);
        let read = |file: &str| std::fs::read(folder.path().join(out).join(file)).unwrap();
        (read("model.safetensors"), read("data.toml"), predicted)
    };
    for (number, options) in
        [&[][..], &["--set", "data.subtract_last=true", "--set", "train.dtype=f64"]].into_iter().enumerate()
    {
        let (memory, file) = (format!("memory-{number}"), format!("file-{number}"));
        assert!(train(&memory, "256", options) == train(&file, "0", options), "{options:?}");
        // The rows are the same wherever they are kept.
        succeed(folder.path(), &["eval", &memory, "-q", "--set", "data.memory=0"]);
    }
}

#[test]
fn a_series_in_a_temporary_file_is_shuffled_by_blocks_and_resumes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    write_shops(folder.path());
    let shuffled = ["--set", "data.memory=0", "--set", "train.shuffle=true"];
    let whole = [&["train", "c.toml", "-q", "--out", "whole"], &shuffled[..]].concat();
    let part =
        [&["train", "c.toml", "-q", "--out", "part", "--set", "train.max_steps=20"], &shuffled[..]].concat();
    succeed(folder.path(), &whole);
    succeed(folder.path(), &part);
    let more = ["train", "--resume", "part", "-q", "--set", "train.max_steps=1000"];
    let problem = fail(folder.path(), &[&more[..], &["--set", "data.memory=256"]].concat(), 2);
    assert!(problem.contains("data.memory") && problem.contains("within epoch"), "{problem}");
    succeed(folder.path(), &more);
    let weights = |run: &str| std::fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(weights("whole") == weights("part"));
    succeed(folder.path(), &["eval", "whole", "-q"]);
}
