//! Files that are nearly a series: repeated times, missing targets, dates in forms that are not read.

use super::init_series::{days, trained};
use super::tables::{lines, write};
use crate::common::{fail, said, succeed};

/// A wave of seven days.
fn wave(day: usize) -> String {
    format!("{}.25", [10, 15, 19, 15, 10, 5, 1][day % 7] + day / 40)
}

/// The rows of 300 days, of which `row` gives each.
fn series(row: impl Fn(usize, &str) -> String) -> String {
    let all = days(300);
    lines("date,y", 300, |day| row(day, &all[day].text))
}

#[test]
fn a_series_but_for_repeated_times_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // The row of the hundredth day stands twice: lines 101 and 102.
    let text = series(|day, date| {
        let row = format!("{date},{}", wave(day));
        if day == 99 { format!("{row}\n{row}") } else { row }
    });
    write(path, "s.csv", text);
    let messages = said(path, &["init", "s.csv", "--target", "y", "-o", "s.toml"]);
    let words = "a series by column `date`, but 1 row has the time of another (the first: lines 101 and 102)";
    assert!(messages.contains(words), "{messages}");
    // Where a third of the rows repeat times the table is one of events.
    let text = series(|day, date| {
        let row = format!("{date},{}", wave(day));
        if day % 2 == 0 { format!("{row}\n{row}") } else { row }
    });
    write(path, "s.csv", text);
    let messages = said(path, &["init", "s.csv", "--target", "y", "-o", "t.toml"]);
    assert!(!messages.contains("the time of another"), "{messages}");
}

#[test]
fn a_series_with_missing_targets_has_a_config_that_trains() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text =
        series(|day, date| format!("{date},{}", if day % 31 == 30 { String::new() } else { wave(day) }));
    let made = trained(path, &text, "y");
    assert_eq!(made["data"]["missing"].as_str(), Some("previous"));
    // Where the latest rows are those to be predicted, forecasts begin after them.
    let latest = series(|day, date| format!("{date},{}", if day > 294 { String::new() } else { wave(day) }));
    write(path, "latest.csv", latest);
    let messages = said(path, &["init", "latest.csv", "--target", "y", "-o", "latest.toml"]);
    assert!(
        messages.contains("missing in the latest 5 rows; leave these rows, the latest, out"),
        "{messages}"
    );
    // Half of the targets leave no windows.
    let half = series(|day, date| format!("{date},{}", if day % 2 == 0 { String::new() } else { wave(day) }));
    write(path, "half.csv", half);
    let error = fail(path, &["init", "half.csv", "--target", "y"], 1);
    assert!(error.contains("too few windows are left whose"), "{error}");
    // A config that fills nothing is told what does.
    let sections = "[data]\nname = 'timeseries'\npath = 's.csv'\ntarget = 'y'\ntime = 'date'\nwindow = 7\n\
                    [model]\nname = 'linear'\n[loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\nlr = 0.01\n";
    write(path, "c.toml", sections);
    let error = fail(path, &["train", "c.toml", "--out", "c"], 1);
    assert!(
        error.contains("missing in 9 rows") && error.contains("`data.missing = \"previous\"`"),
        "{error}"
    );
    assert!(!error.contains("drop_missing_target"), "{error}");
    succeed(path, &["train", "c.toml", "-q", "--out", "c", "--set", "data.missing=previous"]);
}

#[test]
fn dates_in_forms_that_are_not_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let quarters = |at: usize| format!("{}Q0{},{}", 1950 + at / 4, 1 + at % 4, wave(at));
    write(path, "q.csv", lines("quarter,y", 200, quarters));
    let error = fail(path, &["init", "q.csv", "--target", "y"], 1);
    assert!(
        error.contains("`quarter` (dates such as 1950Q01, read as text; write them as 2023-11-20)"),
        "{error}"
    );
    let with_feature = |at: usize| format!("{}Q0{},{},{}", 1950 + at / 4, 1 + at % 4, at % 9, wave(at));
    write(path, "q.csv", lines("quarter,x,y", 200, with_feature));
    let messages = said(path, &["init", "q.csv", "--target", "y", "-o", "q.toml"]);
    assert!(messages.contains("column `quarter` has dates such as `1950Q01`"), "{messages}");
    // Dates that are read are not named.
    write(
        path,
        "d.csv",
        lines("day,x,y", 28, |at| format!("{:02}-Feb-2021,{},{}", 1 + at, at % 9, wave(at))),
    );
    let messages = said(path, &["init", "d.csv", "--target", "y", "-o", "d.toml"]);
    assert!(!messages.contains("dates such as"), "{messages}");
}
