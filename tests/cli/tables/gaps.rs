//! Series: gaps in time, and steps that are none.

use std::fs;
use std::path::Path;

use super::time::{hour, trained};
use super::{cells, config, lines, metric, write};
use crate::common::{descent, fail, succeed};

/// The forecast behind the last row comes where the last eight rows follow each other, and its lack is said.
fn check_forecasts_behind(folder: &Path, path: &Path) {
    let rows = |text: &str, last: usize| text.lines().take(last).collect::<Vec<_>>().join("\n") + "\n";
    let text_of = fs::read_to_string(path).unwrap();
    for (last, is_forecast) in [(58, true), (57, false)] {
        write(folder, "part.csv", rows(&text_of, last + 1));
        let output = descent(folder, &["predict", "run", "--input", "part.csv"]);
        let (out, warned) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(cells(&out).len() == last + 2, is_forecast, "{out}");
        assert!(warned.contains("no prediction"), "{warned}");
        assert_eq!(warned.contains("no forecast beyond the last row"), !is_forecast, "{warned}");
    }
}

#[test]
fn no_window_crosses_a_gap_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let wave = |t: usize| (t % 8).abs_diff(4);
    // Of 400 hours those from 50 to 52 and the one of 301 are missing.
    let rows = (0..400).filter(|t| !(50..53).contains(t) && *t != 301);
    let rows: Vec<String> = rows.map(|t| format!("{},{}", hour(t), wave(t))).collect();
    let path = write(folder.path(), "s.csv", format!("date,y\n{}\n", rows.join("\n")));
    let text = config("timeseries", &path, "y", "window = 8\nnormalize = 'standard'", "mse");
    let messages = trained(folder.path(), &text, "all");
    // 50, 248 and 98 rows follow each other; each of the three loses the 8 rows of its first window.
    assert!(messages.contains("rows: 372 to train on"), "{messages}");
    let gaps = "the time is `date`, in steps of 1 h; 2 gaps, which no window crosses (the longest, 4 h, is before line 52)";
    assert!(messages.contains(gaps), "{messages}");
    // With a test split: 79 rows with the hours from 320 on, after 317 to train on.
    let text = text.replace("window = 8", "window = 8\ntest = 0.2").replace("epochs = 3", "epochs = 60");
    write(folder.path(), "c.toml", &text);
    let output = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("rows: 292 to train on, 72 to test on"), "{messages}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(metric(&printed, "test_r2") > 0.97, "{printed}");
    let judged = succeed(folder.path(), &["eval", "run"]);
    assert!((metric(&judged, "test_r2") - metric(&printed, "test_r2")).abs() < 1e-4, "{judged}");
    // Predictions follow the same rule: after a gap there is none until 8 rows before it follow each other.
    let messages = succeed(folder.path(), &["predict", "run", "--input", "s.csv"]);
    let empty: Vec<usize> =
        (1..).zip(&cells(&messages)[1..]).filter(|(_, row)| row[1].is_empty()).map(|(row, _)| row).collect();
    let expected: Vec<usize> = (1..9).chain(51..59).chain(299..307).collect();
    assert_eq!(empty, expected);
    let output = descent(folder.path(), &["predict", "run", "--input", "s.csv"]);
    let warned = String::from_utf8(output.stderr).unwrap();
    let words = "16 rows behind 2 gaps have no prediction, which needs 8 consecutive rows; a larger `data.max_gap` in training \
                 lets windows cross gaps";
    assert!(warned.contains(words), "{warned}");
    check_forecasts_behind(folder.path(), &path);
    // Rows may be taken as evenly spaced all the same.
    let text = text.replace("test = 0.2", "columns = { date = 'ignore' }");
    assert!(trained(folder.path(), &text, "even").contains("rows: 388 to train on"));
}

#[test]
fn months_are_one_step_though_some_are_longer() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("month,y", 60, |t| format!("{}-{:02}-01,{}", 2019 + t / 12, t % 12 + 1, t % 12));
    let path = write(folder.path(), "s.csv", &rows);
    let text = config("timeseries", &path, "y", "window = 12", "mse");
    let messages = trained(folder.path(), &text, "run");
    assert!(messages.contains("in steps of 1 month\n") && messages.contains("rows: 48 to"), "{messages}");
    // Too few rows are no gap.
    let few: Vec<&str> = rows.lines().take(6).collect();
    write(folder.path(), "few.csv", few.join("\n"));
    let error = fail(folder.path(), &["predict", "run", "--input", "few.csv"], 1);
    assert!(error.contains("made from the 12 rows before it, and there are 5 rows"), "{error}");
}
