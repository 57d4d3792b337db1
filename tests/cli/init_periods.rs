//! Series and columns whose times are quarters, weeks and months.

use std::fs;

use super::tables::{cells, column, config, lines, write};
use crate::common::{fail, said, succeed};

#[test]
fn a_series_of_quarters_weeks_or_months_goes_on_in_its_own_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let quarter = |t: usize| format!("{} Q{}", 1990 + t / 4, t % 4 + 1);
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = |t: usize| format!("{} {}", 1990 + t / 12, names[t % 12]);
    let numbered = |t: usize| format!("{}M{:02}", 1990 + t / 12, t % 12 + 1);
    // 2021 has 52 weeks; the week before its first is the 53rd of 2020.
    let week = |t: usize| match t {
        0..52 => format!("2019-W{:02}", t + 1),
        52..105 => format!("2020-W{:02}", t - 51),
        _ => format!("2021-W{:02}", t - 104),
    };
    for (rows, time, step, next) in [
        (120, &quarter as &dyn Fn(usize) -> String, "3 months", "2020 Q1"),
        (240, &month, "1 month", "2010 Jan"),
        (240, &numbered, "1 month", "2010M01"),
        (156, &week, "7 days", "2021-W52"),
    ] {
        write(
            path,
            "s.csv",
            lines("when,y", rows, |t| format!("{},{}.5", time(t), 50 + t % 4 * 3 + t * t % 5)),
        );
        let made = succeed(path, &["init", "s.csv", "--target", "y"]);
        assert!(made.contains("time = \"when\"") && made.contains(&format!("in steps of {step}")), "{made}");
        write(path, "made.toml", &made);
        let _ = fs::remove_dir_all(path.join("run"));
        succeed(path, &["train", "made.toml", "-q", "--set", "train.epochs=2", "--out", "run"]);
        let printed = succeed(path, &["predict", "run", "--input", "s.csv"]);
        let cells = cells(&printed);
        assert_eq!((cells[rows][0], cells[rows + 1][0]), (time(rows - 1).as_str(), next), "{printed}");
    }
}

#[test]
fn a_column_of_quarters_is_a_date_and_other_text_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // numpy.datetime64("2000-01-01") and ("2000-10-01") are 10957 and 11231 days.
    let texts = ["2000 Q1", "2000 Q4"];
    let file =
        write(path, "t.csv", lines("d,x,y", 60, |row| format!("{},{},{row}", texts[row % 2], row % 7)));
    write(path, "c.toml", config("csv", &file, "y", "normalize = 'standard'", "mse"));
    succeed(path, &["train", "c.toml", "--out", "run"]);
    let learnt = column(&path.join("run"), "d");
    assert_eq!(
        (learnt["kind"].as_str(), learnt["form"].as_str()),
        (Some("date"), Some("yyyy-q")),
        "{learnt}"
    );
    assert!((learnt["offset"].as_float().unwrap() - 11_094.0).abs() < 1e-9, "{learnt}");
    write(path, "new.csv", "d,x\n2000Q1,1\n2000 Q5,1\n");
    let error = fail(path, &["predict", "run", "--input", "new.csv"], 1);
    assert!(error.contains("line 3, column `d`: `2000 Q5` is no quarter such as 2023 Q4"), "{error}");
    // Seasons are no quarters, and a month without a year no date.
    write(
        path,
        "w.csv",
        lines("d,x,y", 60, |row| format!("{},{},{row}", ["1999 S1", "May"][row % 2], row % 7)),
    );
    write(path, "w.toml", config("csv", &path.join("w.csv"), "y", "normalize = 'standard'", "mse"));
    assert!(!said(path, &["train", "w.toml", "--out", "w"]).contains("date"));
}
