//! Files that continue a series: they keep their own days of the month, and have the step that the run was trained on.

use std::path::Path;

use super::{cells, config, write};
use crate::common::{fail, succeed};

/// The days of a month of a year that is no leap year.
const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A series of these times.
fn series(times: impl Iterator<Item = String>) -> String {
    let rows = times.enumerate().map(|(at, time)| format!("{time},{}.5", [3, 5, 9, 4, 7][at % 5] + at));
    format!("date,y\n{}\n", rows.collect::<Vec<_>>().join("\n"))
}

/// So many months from a year on, each on this day or its last one.
fn months(year: u32, count: u32, every: u32, day: u32) -> impl Iterator<Item = String> {
    (0..count).map(move |number| {
        let (year, month) = (year + number * every / 12, number * every % 12);
        format!("{year}-{:02}-{:02}", month + 1, day.min(LENGTHS[month as usize]))
    })
}

/// So many days from 2023-01-02, a Monday, on, those of the week that are chosen.
fn days(count: u32, is_there: impl Fn(u32) -> bool) -> impl Iterator<Item = String> {
    let date = |mut number: u32| {
        let mut month = 0;
        while number >= LENGTHS[month] {
            number -= LENGTHS[month];
            month += 1;
        }
        format!("2023-{:02}-{:02}", month + 1, number + 1)
    };
    (0..count).filter(move |day| is_there(day % 7)).map(move |day| date(day + 1))
}

/// Trains a run on a series, with forecasts three rows ahead.
fn train(folder: &Path, text: &str, out: &str) {
    let path = write(folder, &format!("{out}.csv"), text);
    let data = "time = 'date'\nwindow = 3\nhorizon = 3\nnormalize = 'standard'";
    write(folder, "c.toml", config("timeseries", &path, "y", data, "mse"));
    succeed(folder, &["train", "c.toml", "-q", "--out", out]);
}

#[test]
fn months_go_on_by_the_day_that_the_file_has() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    train(folder, &series(months(2009, 48, 1, 1)), "first");
    train(folder, &series(months(2009, 48, 1, 31)), "last");
    // pandas: date_range(…, freq="MS"), "ME", and DateOffset(day=15).
    for (run, day, expected) in [
        ("first", 1, ["2015-11-01", "2015-12-01", "2016-01-01"]),
        ("first", 15, ["2015-11-15", "2015-12-15", "2016-01-15"]),
        ("first", 31, ["2015-11-30", "2015-12-31", "2016-01-31"]),
        ("last", 31, ["2015-11-30", "2015-12-31", "2016-01-31"]),
        ("last", 15, ["2015-11-15", "2015-12-15", "2016-01-15"]),
    ] {
        write(folder, "p.csv", series(months(2013, 34, 1, day)));
        let printed = succeed(folder, &["predict", run, "--input", "p.csv"]);
        let rows = cells(&printed);
        let times: Vec<&str> = rows[35..].iter().map(|row| row[0]).collect();
        assert_eq!(times, expected, "{run}, day {day}");
    }
    // A single row ends a month as well as any.
    write(folder, "p.csv", series(months(2013, 3, 1, 20)));
    let printed = succeed(folder, &["predict", "first", "--input", "p.csv"]);
    assert!(printed.contains("2013-04-20") && printed.contains("2013-06-20"), "{printed}");
}

/// Runs of a monthly series, of one of working days, of a daily one and of a numbered one.
fn begin(folder: &Path) {
    train(folder, &series(months(2009, 48, 1, 1)), "months");
    train(folder, &series(days(120, |day| day < 5)), "working");
    train(folder, &series(days(120, |_| true)), "days");
    train(folder, &series((0..60).map(|number| number.to_string())), "numbers");
}

#[test]
fn rows_in_other_steps_than_those_of_training_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    let hours = || series((0..40).map(|hour| format!("2023-01-{:02} {:02}:00", 2 + hour / 24, hour % 24)));
    for (run, text, words) in [
        ("months", hours(), ["steps of 1 h", "steps of 1 month"]),
        ("months", series(months(2013, 20, 3, 1)), ["steps of 3 months", "steps of 1 month"]),
        ("months", series(months(2000, 20, 12, 1)), ["steps of 1 year", "steps of 1 month"]),
        ("months", series(days(90, |_| true)), ["steps of 1 day", "steps of 1 month"]),
        ("working", hours(), ["steps of 1 h", "steps of 1 day, Monday to Friday"]),
        ("working", series(days(60, |_| true)), ["steps of 1 day by", "steps of 1 day, Monday to Friday"]),
        ("working", series(days(90, |day| day == 2)), ["steps of 7 days", "steps of 1 day, Monday"]),
        (
            "working",
            series(days(90, |day| day < 5 && day % 2 == 0)),
            ["Wednesday, Friday", "Monday to Friday"],
        ),
        ("days", hours(), ["steps of 1 h", "steps of 1 day"]),
        ("days", series(months(2013, 20, 1, 1)), ["steps of 1 month", "steps of 1 day"]),
        ("numbers", series((0..40).map(|number| (2 * number).to_string())), ["steps of 2", "steps of 1"]),
    ] {
        write(folder, "p.csv", text);
        for command in ["predict", "eval"] {
            let error = fail(folder, &[command, run, "--input", "p.csv"], 1);
            assert!(words.iter().all(|word| error.contains(word)), "{run}: {error}");
            assert!(error.contains("p.csv") && error.contains("resample"), "{error}");
        }
    }
}

#[test]
fn a_holiday_a_gap_and_a_few_rows_are_no_other_step() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    begin(folder);
    for (run, text) in [
        ("working", series(days(60, |day| day < 5).filter(|date| !date.ends_with("-18")))),
        ("days", series(days(60, |day| day < 5))),
        ("days", series(days(20, |_| true).filter(|date| !date.ends_with("-08")))),
        ("months", series(months(2013, 20, 1, 1).filter(|date| !date.contains("-05-")))),
        ("numbers", series((5..11).map(|number| format!("{number}.0")))),
    ] {
        write(folder, "p.csv", text);
        succeed(folder, &["predict", run, "--input", "p.csv"]);
    }
}
