//! Series: the order of rows, several series in one file, and missing cells.

use std::fs;
use std::path::Path;

use super::{cells, config, lines, metric, write};
use crate::common::{descent, fail, succeed};

/// The hour of 2024 with this number.
pub(super) fn hour(t: usize) -> String {
    format!("2024-01-{:02}T{:02}:00:00", t / 24 + 1, t % 24)
}

/// What a run without a test split says, with its folder.
pub(super) fn trained(folder: &Path, text: &str, out: &str) -> String {
    write(folder, "c.toml", text);
    let output = descent(folder, &["train", "c.toml", "--out", out]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    messages
}

fn weights(folder: &Path, out: &str) -> Vec<u8> {
    fs::read(folder.join(out).join("model.safetensors")).unwrap()
}

#[test]
fn rows_are_sorted_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..120).map(|t| format!("{},{},{}", hour(t), t % 7, t * t % 11)).collect();
    let header = "date,x,y";
    let sorted = write(folder.path(), "sorted.csv", format!("{header}\n{}\n", rows.join("\n")));
    let turned: Vec<String> = rows.iter().rev().cloned().collect();
    let turned = write(folder.path(), "turned.csv", format!("{header}\n{}\n", turned.join("\n")));
    let data = "window = 5\ntest = 0.2\nvalidation = 0.1\nnormalize = 'standard'";
    trained(folder.path(), &config("timeseries", &sorted, "y", data, "mse"), "sorted");
    let text = config("timeseries", &turned, "y", data, "mse");
    write(folder.path(), "c.toml", &text);
    let error = fail(folder.path(), &["train", "c.toml", "--out", "turned"], 1);
    assert!(error.contains("line 3") && error.contains("before that of line 2"), "{error}");
    assert!(error.contains("`sort = true`") && error.contains("`group"), "{error}");
    trained(folder.path(), &text.replace("window", "sort = true\nwindow"), "turned");
    assert!(weights(folder.path(), "sorted") == weights(folder.path(), "turned"));
    // A line a row of the file, in its order.
    let predict = |run: &str, file: &str| succeed(folder.path(), &["predict", run, "--input", file]);
    let (first, second) = (predict("sorted", "sorted.csv"), predict("turned", "turned.csv"));
    let (first, second) = (cells(&first), cells(&second));
    assert_eq!(first.len(), 122);
    assert!(first[1..121].iter().eq(second[1..121].iter().rev()));
    assert_eq!((&first[121], first[121][0]), (&second[121], "2024-01-06T00:00:00"));
    assert_eq!(predict("turned", "sorted.csv"), predict("sorted", "sorted.csv"));
    // The run that does not sort refuses the file that is not sorted.
    let error = fail(folder.path(), &["predict", "sorted", "--input", "turned.csv"], 1);
    assert!(error.contains("before that of line 2"), "{error}");
    // predict takes no config: the rows can be sorted, or the run trained again.
    assert!(error.contains("; sort the rows by time, or train with `sort = true`"), "{error}");
}

#[test]
fn two_rows_with_one_time_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("date,y", 40, |t| format!("{},{}", hour(if t == 20 { 19 } else { t }), t % 4));
    let path = write(folder.path(), "s.csv", rows);
    for sort in [false, true] {
        let data = format!("window = 4\nsort = {sort}");
        write(folder.path(), "c.toml", config("timeseries", &path, "y", &data, "mse"));
        let error = fail(folder.path(), &["train", "c.toml"], 1);
        assert!(error.contains("lines 21 and 22 have the same time in column `date`"), "{error}");
        assert!(error.contains("`group`"), "{error}");
    }
}

/// What a shop sells in an hour; the waves of the shops are shifted.
fn sales(hour: usize, shop: usize) -> usize {
    ((hour + 3 * shop) % 8).abs_diff(4)
}

#[test]
fn several_series_in_one_file_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    // Three shops, hour by hour.
    let row = |i: usize| format!("{},s{},{}", hour(i / 3), i % 3, sales(i / 3, i % 3));
    let path = write(folder.path(), "s.csv", lines("date,shop,y", 900, row));
    let data = "window = 8\ntest = 0.2\nvalidation = 0.1\nnormalize = 'standard'\ngroup = 'shop'";
    let text = config("timeseries", &path, "y", data, "mse").replace("epochs = 3", "epochs = 30");
    write(folder.path(), "c.toml", &text);
    let output = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    // 300 hours: 216, 24 and 60 a shop, each without the 8 rows of the first window.
    assert!(
        messages.contains("rows: 624 to train on, 48 to validate, 156 to test on; features: [8]"),
        "{messages}"
    );
    assert!(messages.contains("`shop`") && messages.contains("ignored: it tells series apart"), "{messages}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(metric(&printed, "test_r2") > 0.97, "{printed}");
    let messages = succeed(folder.path(), &["predict", "run", "--input", "s.csv"]);
    let rows = cells(&messages);
    assert!(rows[0][..2] == ["shop", "date"] && (1..904).all(|row| rows[row][2].is_empty() == (row < 25)));
    // The hour after the last of each shop.
    let next: Vec<&[&str]> = rows[901..].iter().map(|row| &row[..2]).collect();
    assert_eq!(next, [["s0", &hour(300)], ["s1", &hour(300)], ["s2", &hour(300)]]);
}

/// Shop after shop instead of hour by hour has the same windows.
#[test]
fn a_series_that_is_too_short_is_named_and_times_that_fall_need_a_group() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| format!("{},s{},{}", hour(i % 300), i / 300, sales(i % 300, i / 300));
    let stacked = lines("date,shop,y", 900, row) + &format!("{},new,1\n{},new,2\n", hour(0), hour(1));
    let stacked = write(folder.path(), "t.csv", stacked);
    let messages = trained(
        folder.path(),
        &config("timeseries", &stacked, "y", "window = 8\ngroup = ['shop']", "mse"),
        "t",
    );
    assert!(messages.contains("rows: 876 to train on"), "{messages}");
    assert!(
        messages.contains("series that are shorter than a window and its target are not used, 1 of 4: `new`"),
        "{messages}"
    );
    // Without the group the times fall.
    write(folder.path(), "c.toml", config("timeseries", &stacked, "y", "window = 8", "mse"));
    assert!(fail(folder.path(), &["train", "c.toml"], 1).contains("line 302"));
    let error = fail(folder.path(), &["train", "c.toml", "--set", "data.group=store"], 2);
    assert!(error.contains("no column `store` to tell several series apart"), "{error}");
}

/// No window ends with a row that later ones helped to fill: it would know what comes after it. The others are predicted as
/// where the cells were filled by hand.
fn assert_no_window_looks_ahead(rows: &[Vec<&str>], by_hand: &[Vec<&str>], holes: &[usize]) {
    for (t, (row, filled)) in rows.iter().zip(by_hand).enumerate().skip(1) {
        if holes.contains(&(t - 1)) {
            assert_eq!(row[1], "", "{t}");
        } else if t > 2 {
            let number = |row: &[&str]| row[1].parse::<f64>().unwrap();
            assert!((number(row) - number(filled)).abs() < 1e-5, "{t}: {row:?}, {filled:?}");
        }
    }
}

#[test]
fn missing_cells_are_filled_as_pandas_fills_them() {
    const HOLES: [usize; 4] = [3, 4, 10, 50];
    let folder = tempfile::tempdir().unwrap();
    let value = |t: usize| t * t % 13;
    let holes = lines("date,x,y", 80, |t| {
        let x = if HOLES.contains(&t) { String::new() } else { value(t).to_string() };
        format!("{},{x},{}", hour(t), t % 5)
    });
    let holes = write(folder.path(), "holes.csv", holes);
    // pandas 3.1: Series.ffill() and Series.interpolate() of x in the rows without a value.
    let filled = [
        ("previous", ["4", "4", "3", "9"]),
        ("interpolate", ["6.666666666666666", "9.333333333333332", "3.5", "5"]),
    ];
    let data = |missing: &str| format!("window = 3\nstandardize_target = false\n{missing}");
    for (missing, filled) in filled {
        let x = |t: usize| match HOLES.iter().position(|hole| *hole == t) {
            Some(hole) => filled[hole].to_owned(),
            None => value(t).to_string(),
        };
        let by_hand = lines("date,x,y", 80, |t| format!("{},{},{}", hour(t), x(t), t % 5));
        let by_hand = write(folder.path(), "filled.csv", by_hand);
        let text = config("timeseries", &by_hand, "y", &data(""), "mse");
        trained(folder.path(), &text, &format!("hand-{missing}"));
        let text = config("timeseries", &holes, "y", &data(&format!("missing = '{missing}'")), "mse");
        let messages = trained(folder.path(), &text, missing);
        assert!(messages.contains("4 missing cells are filled from the rows around"), "{messages}");
        let is_same = weights(folder.path(), missing) == weights(folder.path(), &format!("hand-{missing}"));
        let predict = |file: &str| succeed(folder.path(), &["predict", missing, "--input", file]);
        let (holes, whole) = (predict("holes.csv"), predict("filled.csv"));
        if missing == "previous" {
            assert!(is_same && holes == whole);
            continue;
        }
        assert!(!is_same && messages.contains("4 rows are interpolated from later ones"), "{messages}");
        assert_no_window_looks_ahead(&cells(&holes)[1..], &cells(&whole)[1..], &HOLES);
    }
}

#[test]
fn targets_that_are_missing_are_not_learnt_from_and_no_later_split_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("date,y", 60, |t| format!("{},{}", hour(t), if t == 30 || t == 47 { "" } else { "1" }));
    let path = write(folder.path(), "s.csv", rows);
    let data = "window = 3\ntest = 0.2\nmissing = 'interpolate'";
    let messages = trained(folder.path(), &config("timeseries", &path, "y", data, "mse"), "run");
    // 48 rows to train on, 45 windows; rows 30 and 47 are no targets, and the window that ends with row 30 would know the
    // target behind it.
    assert!(messages.contains("rows: 42 to train on, 9 to test on"), "{messages}");
    assert!(messages.contains("2 rows without a target are not predicted"), "{messages}");
}

#[test]
fn a_series_shorter_than_its_window_is_an_error_where_it_is_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "s.csv", lines("date,y", 60, |t| format!("{},{}", hour(t), t % 4)));
    trained(folder.path(), &config("timeseries", &path, "y", "window = 6", "mse"), "run");
    write(folder.path(), "short.csv", lines("date,y", 5, |t| format!("{},{}", hour(t), t % 4)));
    let error = fail(folder.path(), &["predict", "run", "--input", "short.csv"], 1);
    assert!(
        error.contains("short.csv") && error.contains("made from the 6 rows before it, and there are 5 rows"),
        "{error}"
    );
    write(folder.path(), "gaps.csv", lines("date,y", 20, |t| format!("{},{}", hour(t + t / 5), t % 4)));
    assert!(fail(folder.path(), &["predict", "run", "--input", "gaps.csv"], 1).contains("without a gap"));
    write(folder.path(), "undated.csv", lines("day,y", 10, |t| format!("{t},{}", t % 4)));
    let error = fail(folder.path(), &["predict", "run", "--input", "undated.csv"], 1);
    assert!(error.contains("no column `date` to order rows by"), "{error}");
}

#[test]
fn the_time_is_there_in_every_row_where_rows_are_ordered_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |hole: usize| {
        lines("date,t,y", 40, |t| {
            let date = if t == hole { String::new() } else { hour(t) };
            format!("{date},{},{}", 10 * t + usize::from(t > 20) * 100, t % 4)
        })
    };
    let path = write(folder.path(), "s.csv", rows(7));
    let text = config("timeseries", &path, "y", "window = 4", "mse");
    write(folder.path(), "c.toml", &text);
    let error = fail(folder.path(), &["train", "c.toml"], 1);
    assert!(
        error.contains("line 9, column `date`: the time is missing") && error.contains("\"ignore\""),
        "{error}"
    );
    // A column of numbers is the time where it is named: here with one gap.
    let messages = trained(
        folder.path(),
        &text.replace("window", "time = 't'\ncolumns = { date = 'ignore' }\nwindow"),
        "t",
    );
    assert!(
        messages.contains("the time is `t`, in steps of 10; 1 gap")
            && messages.contains("rows: 32 to train on"),
        "{messages}"
    );
    // Without dates there is nothing to sort by.
    write(
        folder.path(),
        "c.toml",
        text.replace("window", "sort = true\ncolumns = { date = 'ignore' }\nwindow"),
    );
    assert!(fail(folder.path(), &["train", "c.toml"], 2).contains("name the time in `data.time`"));
    write(folder.path(), "c.toml", text.replace("window", "time = 'y'\nwindow"));
    assert!(
        fail(folder.path(), &["train", "c.toml"], 2).contains("`data.time` is `y`, which is a target too")
    );
}
