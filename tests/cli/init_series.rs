//! `descent init` on series: the calendar decides what is a gap, the horizon and the features.

use std::path::Path;

use super::tables::{cells, config, lines, write};
use crate::common::{descent, fail, succeed};

/// So many days from 2020-01-01, a Wednesday, by the calendar, each with its number and its day of the week from Monday.
pub(super) fn days(count: usize) -> Vec<Day> {
    let is_leap = |year: usize| year.is_multiple_of(4);
    let (mut year, mut month, mut day) = (2020, 1, 1);
    let next = |number| {
        let own = Day { text: format!("{year}-{month:02}-{day:02}"), number, weekday: (number + 2) % 7 };
        let length = match month {
            2 => 28 + usize::from(is_leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (day, month) = (1, month + 1);
        }
        if month > 12 {
            (month, year) = (1, year + 1);
        }
        own
    };
    (0..count).map(next).collect()
}

pub(super) struct Day {
    pub(super) text: String,
    pub(super) number: usize,
    pub(super) weekday: usize,
}

/// A wave with a level that wanders.
fn value(at: usize) -> String {
    let step = |t: usize| [3i64, -1, 4, -1, -5, 9, -2, -6, 5, 3, -5, 8, -9][t * t % 13];
    let level: i64 = (0..at).map(step).sum();
    format!("{}.5", 500 + level + [0, 5, 9, 5, 0, -5, -9][at % 7])
}

/// The days that are chosen as a series.
fn series(days: &[Day], is_there: impl Fn(&Day) -> bool) -> String {
    let rows =
        days.iter().filter(|day| is_there(day)).map(|day| format!("{},{}", day.text, value(day.number)));
    format!("date,y\n{}\n", rows.collect::<Vec<_>>().join("\n"))
}

/// The config of a series, which trains for two epochs as it stands; the run is in `run`.
pub(super) fn trained(folder: &Path, text: &str, target: &str) -> toml::Table {
    write(folder, "s.csv", text);
    let made = succeed(folder, &["init", "s.csv", "--target", target]);
    write(folder, "made.toml", &made);
    let _ = std::fs::remove_dir_all(folder.join("run"));
    succeed(folder, &["train", "made.toml", "-q", "--set", "train.epochs=2", "--out", "run"]);
    made.parse().unwrap()
}

/// The times of the rows that `predict` adds, all of which have a prediction.
fn beyond(folder: &Path, rows: usize) -> Vec<String> {
    let printed = succeed(folder, &["predict", "run", "--input", "s.csv"]);
    let cells = cells(&printed);
    let added = &cells[1 + rows..];
    assert!(added.iter().all(|row| !row[1].is_empty()), "{printed}");
    added.iter().map(|row| row[0].to_owned()).collect()
}

fn number(config: &toml::Table, key: &str) -> i64 {
    config["data"][key].as_integer().unwrap()
}

#[test]
fn a_series_of_working_days_goes_on_over_weekends_and_holidays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let all = days(700);
    // 2021-11-30, the last day, is a Tuesday.
    for holidays in [false, true] {
        let is_holiday = |day: &Day| holidays && (day.number % 61 == 40 || day.number % 365 < 2);
        let text = series(&all, |day| day.weekday < 5 && !is_holiday(day));
        let config = trained(path, &text, "y");
        assert_eq!((number(&config, "window"), number(&config, "horizon")), (20, 5));
        assert!(config["data"].get("max_gap").is_none());
        let next = beyond(path, text.lines().count() - 1);
        assert_eq!(next, ["2021-12-01", "2021-12-02", "2021-12-03", "2021-12-06", "2021-12-07"]);
    }
    let text = series(&all, |day| day.weekday < 5 && day.number % 61 != 40);
    write(path, "s.csv", &text);
    let messages =
        String::from_utf8(descent(path, &["train", "made.toml", "--out", "again"]).stderr).unwrap();
    assert!(messages.contains("in steps of 1 day, Monday to Friday;"), "{messages}");
    assert!(messages.contains("of up to 1 missing row, which windows cross"), "{messages}");
    // A shop that is closed on Sundays.
    let text = series(&all, |day| day.weekday < 6);
    trained(path, &text, "y");
    let next = beyond(path, text.lines().count() - 1);
    assert_eq!(next[3..], ["2021-12-04", "2021-12-06", "2021-12-07"]);
}

#[test]
fn windows_cross_gaps_where_the_rest_would_be_too_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Every ninth day is missing, twice two days in a row.
    let text = series(&days(500), |day| day.number % 9 != 4 && ![5, 203].contains(&day.number));
    let config = trained(path, &text, "y");
    assert_eq!(number(&config, "max_gap"), 1);
    // The hours of an exchange: ten to four, from Monday to Friday.
    let hours = days(200).into_iter().filter(|day| day.weekday < 5);
    let rows = hours.flat_map(|day| {
        (10..17).map(move |hour| (format!("{} {hour}:00:00", day.text), day.number * 7 + hour))
    });
    let text = rows.map(|(time, at)| format!("{time},{}", value(at))).collect::<Vec<_>>().join("\n");
    let config = trained(path, &format!("time,y\n{text}\n"), "y");
    assert_eq!((number(&config, "horizon"), number(&config, "window")), (7, 49));
    assert!(number(&config, "max_gap") >= 65);
    // The option alone: windows of eight rows where every fifth day is missing.
    let text = series(&days(100), |day| day.number % 5 != 0);
    let file = write(path, "t.csv", text);
    write(path, "t.toml", super::tables::config("timeseries", &file, "y", "window = 8", "mse"));
    assert!(fail(path, &["train", "t.toml"], 1).contains("`data.max_gap`"));
    let out = descent(path, &["train", "t.toml", "--set", "data.max_gap=1", "--out", "crossed"]);
    let messages = String::from_utf8(out.stderr).unwrap();
    assert!(messages.contains("rows: 72 to train on"), "{messages}");
    let printed = succeed(path, &["predict", "crossed", "--input", "t.csv"]);
    assert!(cells(&printed)[9..].iter().all(|row| !row[1].is_empty()), "{printed}");
    for wrong in ["-1", "'all'", "2000000"] {
        let error = fail(path, &["train", "t.toml", "--set", &format!("data.max_gap={wrong}")], 2);
        assert!(error.contains("data.max_gap"), "{error}");
    }
}

#[test]
fn the_horizon_is_a_turn_of_the_calendar() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Months from their first day, and from their last.
    let all = days(12 * 366);
    let first = series(&all, |day| day.text.ends_with("-01"));
    let rows = first.lines().count() - 1;
    assert_eq!(rows, 145);
    let config = trained(path, &first, "y");
    assert_eq!(number(&config, "horizon"), 12);
    let next = beyond(path, rows);
    assert_eq!(
        (next[0].as_str(), next[1].as_str(), next[11].as_str()),
        ("2032-02-01", "2032-03-01", "2033-01-01")
    );
    let made = std::fs::read_to_string(path.join("made.toml")).unwrap();
    assert!(made.contains("in steps of 1 month") && made.contains("predicted: a year"), "{made}");
    // A window of more than a year shows the months by itself.
    assert!(config["data"].get("calendar").is_none() && number(&config, "window") >= 12, "{made}");
    let last: Vec<bool> = all.windows(2).map(|pair| pair[1].text.ends_with("-01")).collect();
    let last = series(&all[..all.len() - 1], |day| last[day.number]);
    trained(path, &last, "y");
    let next = beyond(path, last.lines().count() - 1);
    assert!(next[0].ends_with("-31") && next.iter().any(|date| date.ends_with("-30")), "{next:?}");
}

#[test]
fn quarters_weeks_days_and_hours_have_their_horizons_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let all = days(12 * 366);
    let first = series(&all, |day| day.text.ends_with("-01"));
    // Quarters, weeks, days and hours.
    let quarters =
        series(&all, |day| ["01-01", "04-01", "07-01", "10-01"].iter().any(|own| day.text.ends_with(own)));
    assert_eq!(number(&trained(path, &quarters, "y"), "horizon"), 4);
    assert_eq!(number(&trained(path, &series(&all[..1400], |day| day.weekday == 0), "y"), "horizon"), 4);
    let config = trained(path, &series(&all[..900], |_| true), "y");
    assert_eq!((number(&config, "horizon"), number(&config, "window")), (7, 28));
    let hours = lines("time,y", 2400, |t| {
        format!("{}T{:02}:00:00,{}.5", all[t / 24].text, t % 24, (t % 24).abs_diff(12) + t * t % 3)
    });
    let config = trained(path, &hours, "y");
    assert_eq!((number(&config, "horizon"), number(&config, "window")), (24, 168));
    assert_eq!(config["data"]["calendar"].as_array().unwrap().len(), 2);
    // Short series have shorter horizons, and train too.
    for rows in [40, 60, 100] {
        let text = first.lines().take(rows + 1).collect::<Vec<_>>().join("\n") + "\n";
        let config = trained(path, &text, "y");
        assert!((3..=12).contains(&number(&config, "horizon")), "{config}");
    }
}

#[test]
fn a_persistent_series_is_predicted_from_its_last_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let all = days(900);
    let config = trained(path, &series(&all, |_| true), "y");
    assert_eq!(config["data"]["subtract_last"].as_bool(), Some(true));
    assert_eq!(config["data"]["calendar"].as_array().unwrap().len(), 2);
    let made = std::fs::read_to_string(path.join("made.toml")).unwrap();
    assert!(made.contains("the last value is much nearer"), "{made}");
    succeed(path, &["export", "run", "--to", "onnx"]);
    // Noise around a mean does not.
    let rows = all.iter().map(|day| format!("{},{}.5", day.text, day.number * day.number * 31 % 97));
    let config = trained(path, &format!("date,y\n{}\n", rows.collect::<Vec<_>>().join("\n")), "y");
    assert!(config["data"].get("subtract_last").is_none());
}

#[test]
fn a_series_without_room_for_the_usual_windows_trains_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let is_series = |config: &toml::Table| config["data"]["name"].as_str() == Some("timeseries");
    // Four shops of ten days each: windows of one row.
    let all = days(400);
    let shop = |at: usize| format!("{},{},{}", all[at % 10].text, ["a", "b", "c", "d"][at / 10], value(at));
    let config = trained(path, &lines("date,shop,y", 40, shop), "y");
    assert!(
        is_series(&config) && (number(&config, "window"), number(&config, "horizon")) == (1, 1),
        "{config}"
    );
    // Bursts of four seconds with 40 days in between, which are more rows than `max_gap` can name.
    let burst = |at: usize| format!("{}T00:00:0{},{}", all[at / 4 * 40].text, at % 4, value(at));
    let config = trained(path, &lines("time,y", 40, burst), "y");
    assert!(!is_series(&config), "{config}");
}

#[test]
fn a_damaged_rule_of_dates_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let all = days(400);
    let working = (
        series(&all, |day| day.weekday < 5),
        "weekdays",
        "[false, false, false, false, false, false, false]",
    );
    let months = (
        series(&days(8 * 366), |day| day.text.ends_with("-01")),
        "months",
        "{ count = 0, day = { number = 1 } }",
    );
    for (text, name, damaged) in [working, months] {
        trained(path, &text, "y");
        let saved = path.join("run/data.toml");
        let mut whole: toml::Table = std::fs::read_to_string(&saved).unwrap().parse().unwrap();
        let damaged: toml::Table = format!("{name} = {damaged}").parse().unwrap();
        assert!(whole["how"]["order"]["frequency"].get(name).is_some(), "{whole}");
        whole["how"]["order"]["frequency"] = damaged.into();
        std::fs::write(&saved, whole.to_string()).unwrap();
        let error = fail(path, &["predict", "run", "--input", "s.csv"], 1);
        assert!(error.contains("data.toml: its rows are") && error.contains("train again"), "{error}");
    }
}

/// As holidays, a week of rows may be missing.
#[test]
fn the_holidays_of_a_series_are_a_week_of_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (missing, expected) in
        [(2, "1 gap of up to 2 missing rows, which windows cross"), (3, "1 gap, which no window crosses")]
    {
        // Mondays and Thursdays: 2020-04-02 is a Thursday.
        let gone =
            |day: &Day| ["2020-04-02", "2020-04-06", "2020-04-09"][..missing].contains(&day.text.as_str());
        let text = series(&days(300), |day| (day.weekday == 0 || day.weekday == 3) && !gone(day));
        let file = write(path, "s.csv", text);
        write(path, "c.toml", config("timeseries", &file, "y", "window = 4", "mse"));
        let out = descent(path, &["train", "c.toml", "--out", &format!("run-{missing}")]);
        let messages = String::from_utf8(out.stderr).unwrap();
        assert!(messages.contains("Monday, Thursday") && messages.contains(expected), "{messages}");
    }
}

/// Months have no fixed length, and a step of one is none too many.
#[test]
fn a_month_that_is_missing_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = series(&days(12 * 366), |day| day.text.ends_with("-15") && day.text != "2024-05-15");
    let file = write(path, "s.csv", text);
    write(path, "c.toml", config("timeseries", &file, "y", "window = 12", "mse"));
    let messages = String::from_utf8(descent(path, &["train", "c.toml", "--out", "run"]).stderr).unwrap();
    assert!(
        messages.contains("in steps of 1 month; 1 gap, which no window crosses (the longest, 61 days"),
        "{messages}"
    );
    assert!(!messages.contains("irregular"), "{messages}");
}
