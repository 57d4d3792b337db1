//! `descent export` of series, and what the folder for the Hub has of intervals.

use std::fs;

use super::tables::{config, lines, write};
use crate::common::succeed;

#[test]
fn pytorch_source_of_a_series_cuts_windows_by_group_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("day,store,x,y", 40, |i| {
        let store = if i % 2 == 0 { "north" } else { "south" };
        format!(
            "2024-01-{:02},{store},{},{}",
            1 + i / 2,
            if i == 9 { String::new() } else { i.to_string() },
            i * i % 7
        )
    });
    let path = write(folder.path(), "t.csv", rows);
    let data = "window = 4\nhorizon = [1, 3]\ngroup = 'store'\nmissing = 'interpolate'\ncolumns = { store = 'category' }";
    write(folder.path(), "c.toml", config("timeseries", &path, "y", data, "mse"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    succeed(folder.path(), &["export", "run", "--to", "torch", "--output", "out"]);
    let source = fs::read_to_string(folder.path().join("out/model.py")).unwrap();
    for line in [
        "WINDOW = 4  #",
        "STEPS = [1, 3]  #",
        "GROUP = [\"store\"]  #",
        "STEP = 1.0  #",
        "    return days(df[\"day\"], \"yyyy-mm-dd\")\n",
        // Numbers have values between two others, names do not.
        "FILLED = [(\"store\", 0, 2, False), (\"x\", 2, 3, True), (\"y\", 3, 4, True)]  #",
        "    found = found[~np.isin(found[:, -1], looks_ahead(df))]\n",
        "    return filled(df)[windows(df)].reshape(-1, *ROW)\n",
    ] {
        assert!(source.contains(line), "{line}: {source}");
    }
}

/// That these are the windows of `descent predict`, `make export-check` shows.
#[test]
fn pytorch_source_of_a_series_cuts_working_days_months_and_gaps_by_their_rules() {
    let folder = tempfile::tempdir().unwrap();
    // The four weeks from Monday, 2024-01-01, on; nine days of ten; the months but every ninth.
    let working = |i: usize| format!("2024-01-{:02},{}", 1 + i / 5 * 7 + i % 5, i * i % 7);
    let daily = |i: usize| format!("2024-01-{:02},{}", 1 + i + i / 9, i * i % 7);
    let monthly =
        |i: usize| format!("{}-{:02}-01,{}", 2020 + (i + i / 9) / 12, 1 + (i + i / 9) % 12, i * i % 7);
    let files = [
        (
            lines("day,y", 20, working),
            "",
            "WEEK = [True, True, True, True, True, False, False]  #",
            "MAX_GAP = 5  #",
            "np.busday_count(",
        ),
        (lines("day,y", 27, daily), "max_gap = 1", "STEP = 1.0  #", "MAX_GAP = 1  #", "/ STEP\n"),
        (lines("day,y", 40, monthly), "", "MONTHS = 1  #", "MAX_GAP = 0  #", "/ MONTHS - 1"),
    ];
    for (number, (rows, data, step, gap, rule)) in files.into_iter().enumerate() {
        let path = write(folder.path(), &format!("{number}.csv"), rows);
        let data = format!("window = 3\n{data}");
        write(folder.path(), "c.toml", config("timeseries", &path, "y", &data, "mse"));
        let run = number.to_string();
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", &run]);
        succeed(folder.path(), &["export", &run, "--to", "torch"]);
        let source = fs::read_to_string(folder.path().join(run).join("torch/model.py")).unwrap();
        for line in [step, gap, rule] {
            assert!(source.contains(line), "{line}: {source}");
        }
    }
}

#[test]
fn the_folder_for_the_hub_predicts_the_intervals_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "t.csv", lines("x,y", 60, |i| format!("{i},{}", i * i)));
    write(
        folder.path(),
        "c.toml",
        config("csv", &path, "y", "validation = 0.3\nnormalize = 'standard'", "mse"),
    );
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    succeed(folder.path(), &["export", "run", "--to", "hub", "--output", "hub"]);
    let predict =
        |run: &str| succeed(folder.path(), &["predict", run, "--input", "t.csv", "--interval", "0.9"]);
    assert_eq!(predict("hub"), predict("run"));
}
