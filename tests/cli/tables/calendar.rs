//! `data.calendar` of a table: places in the calendar beside each date.

use std::path::Path;

use super::{cells, column, config, learnt, lines, metric, weights, write};
use crate::cli::init_series::days;
use crate::common::{descent, fail, succeed};

/// Visits to a shop: many on Saturdays and Sundays, in no order of time.
fn visits(rows: usize) -> String {
    let days = days(700);
    lines("day,x,visits", rows, |i| {
        let day = &days[i * 37 % 700];
        format!("{},{},{}", day.text, i % 5, if day.weekday > 4 { 100 } else { 10 })
    })
}

#[test]
fn what_repeats_with_the_week_is_learnt_from_places_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let file = write(path, "t.csv", visits(600));
    let text = |more: &str| {
        let data = format!("normalize = 'standard'\ntest = 0.2\n{more}");
        config("csv", &file, "visits", &data, "mse").replace("epochs = 3", "epochs = 40")
    };
    write(path, "plain.toml", text(""));
    write(path, "c.toml", text("calendar = ['weekday', 'month']"));
    let plain = succeed(path, &["train", "plain.toml", "-q", "--out", "plain"]);
    let output = descent(path, &["train", "c.toml", "--out", "run"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("`day`     date; sine and cosine of weekday, month"), "{messages}");
    assert!(messages.contains("features: [6]"), "{messages}");
    let (without, with) =
        (metric(&plain, "test_r2"), metric(&String::from_utf8(output.stdout).unwrap(), "test_r2"));
    assert!(without < 0.2 && with > 0.9, "{without} and {with}");
    for to in ["onnx", "torch", "c", "hub"] {
        succeed(path, &["export", "run", "--to", to]);
    }
    succeed(path, &["train", "--resume", "run", "-q", "--set", "train.epochs=41"]);
}

/// The prediction of a run without hidden layers for these days since 1970-01-01, the sign of a missing date, places and x.
fn expected(run: &Path, days: f64, missing: f64, places: &[f64], x: f64) -> f64 {
    let (weight, bias) = (weights(run, "layer1.weight"), weights(run, "layer1.bias")[0]);
    let scaled = |name: &str, value: f64| {
        let column = column(run, name);
        (value - column["offset"].as_float().unwrap()) / column["scale"].as_float().unwrap()
    };
    let features = [&[scaled("day", days), missing], places, &[scaled("x", x)]].concat();
    assert_eq!(features.len(), weight.len(), "{}", learnt(run));
    features.iter().zip(&weight).map(|(own, weight)| own * weight).sum::<f64>() + bias
}

/// How far the year, the week and the day have gone round at a time of 2020 or 2021, by its definition.
fn turns_of(time: f64) -> [f64; 3] {
    let all = days(700);
    let day = all.iter().rfind(|day| 18_262.0 + f64::from(u32::try_from(day.number).unwrap()) <= time);
    let month: f64 = day.unwrap().text[5..7].parse().unwrap();
    let seconds = ((time.fract() * 86_400e6).round() / 1e6).floor();
    [(month - 1.0) / 12.0, (time.floor() + 3.0) % 7.0 / 7.0, seconds / 86_400.0]
}

#[test]
fn a_date_is_its_number_and_then_its_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = visits(100).replacen("2020-02-07", "", 1);
    let file = write(path, "t.csv", rows);
    let data = "normalize = 'standard'\nmissing = 'category'\nstandardize_target = false\ncalendar = ['month', 'weekday', 'hour']";
    write(
        path,
        "c.toml",
        config("csv", &file, "visits", data, "mse").replace("hidden = [16]", "hidden = []"),
    );
    succeed(path, &["train", "c.toml", "-q", "--out", "run"]);
    let run = path.join("run");
    let expected = |days, missing, places: [f64; 6], x| expected(&run, days, missing, &places, x);
    write(path, "ask.csv", "day,x\n2024-07-04 18:00,3\n2025-01-06,0\n,2\n");
    let printed = succeed(path, &["predict", "run", "--input", "ask.csv"]);
    let rows = cells(&printed);
    // A Thursday in July at 18 o'clock: 19,908 days after 1970-01-01, half round the year, 3/7 round the week, 3/4 round the day.
    let turn = |turns: f64| (std::f64::consts::TAU * turns).sin_cos();
    let ((month, weekday), hour) = ((turn(0.5), turn(3.0 / 7.0)), turn(0.75));
    let places = [month.0, month.1, weekday.0, weekday.1, hour.0, hour.1];
    let july = expected(19_908.75, 0.0, places, 3.0);
    // A Monday in January at midnight: no turn.
    let january = expected(20_094.0, 0.0, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 0.0);
    // A missing date is the mean of those of training: its number, and its places.
    let fill = column(&run, "day")["fill"].as_float().unwrap();
    let [month, weekday, hour] = turns_of(fill).map(turn);
    let places = [month.0, month.1, weekday.0, weekday.1, hour.0, hour.1];
    let missing = expected(fill, 1.0, places, 2.0);
    for (row, expected) in [(1, july), (2, january), (3, missing)] {
        let own: f64 = rows[row][0].parse().unwrap();
        assert!((own - expected).abs() < 1e-4 * expected.abs().max(1.0), "{own} is not {expected}");
    }
}

#[test]
fn a_calendar_without_dates_or_with_a_part_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let file = write(path, "t.csv", lines("x,y", 40, |i| format!("{i},{}", i % 5)));
    for (calendar, problem) in [
        ("['weekday']", "is for columns of dates, and"),
        ("['month', 'month']", "has \"month\" twice"),
        ("['day']", "data.calendar"),
    ] {
        write(path, "c.toml", config("csv", &file, "y", &format!("calendar = {calendar}"), "mse"));
        let error = fail(path, &["train", "c.toml", "--out", "run"], 2);
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn init_adds_the_circles_that_dates_go_round() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let days = days(720);
    let calendar = |span: usize, time: fn(usize) -> String| {
        // In no order of time, so that the file is no series.
        let row = |i: usize| format!("{}{},{},{}", days[i * 37 % span].text, time(i), i % 7, i * 31 % 100);
        write(path, "t.csv", lines("day,x,y", 300, row));
        let made: toml::Table = succeed(path, &["init", "t.csv", "--target", "y"]).parse().unwrap();
        let parts = made["data"].get("calendar").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        parts.iter().map(|part| part.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let none = |_: usize| String::new();
    assert_eq!(calendar(720, none), ["weekday", "month"]);
    assert_eq!(calendar(60, none), ["weekday"]);
    assert_eq!(calendar(10, none), [""; 0]);
    assert_eq!(calendar(60, |i| format!("T{:02}:30", i % 24)), ["hour", "weekday"]);
}

#[test]
fn dates_at_the_end_of_the_calendar_can_be_exported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // A quarter of the dates is the last one that there is, as of contracts without an end.
    let days = days(700);
    let date = |i: usize| if i.is_multiple_of(4) { "9999-12-31" } else { &days[i * 37 % 700].text };
    let file = write(path, "t.csv", lines("end,x,y", 200, |i| format!("{},{},{}", date(i), i % 7, i % 11)));
    for (calendar, run) in [("", "plain"), ("calendar = ['month', 'hour']", "places")] {
        let data = format!("normalize = 'standard'\n{calendar}");
        write(path, "c.toml", config("csv", &file, "y", &data, "mse"));
        succeed(path, &["train", "c.toml", "-q", "--out", run]);
        for to in ["onnx", "torch", "c", "hub"] {
            succeed(path, &["export", run, "--to", to]);
        }
    }
}
