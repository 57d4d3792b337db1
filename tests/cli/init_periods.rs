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
fn a_column_of_a_table_has_quarters_where_it_is_set_to_dates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // numpy.datetime64("2000-01-01") and ("2000-10-01") are 10957 and 11231 days.
    let texts = ["2000 Q1", "2000 Q4"];
    let file =
        write(path, "t.csv", lines("d,x,y", 60, |row| format!("{},{},{row}", texts[row % 2], row % 7)));
    write(path, "c.toml", config("csv", &file, "y", "normalize = 'standard'", "mse"));
    // Other names look so, too: 1080 W02 is no week.
    let said = said(path, &["train", "c.toml", "--out", "names"]);
    assert!(
        said.contains("column `d` has dates such as `2000 Q1`, which are read as text; as a \"date\""),
        "{said}"
    );
    assert_eq!(column(&path.join("names"), "d")["kind"].as_str(), Some("category"));
    succeed(path, &["train", "c.toml", "--out", "run", "--set", "data.columns.d='date'"]);
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
    // As a class it is a class.
    write(
        path,
        "t.csv",
        lines("d,x", 80, |row| format!("{} Q{},{}", 2000 + row / 40, row % 4 + 1, row * 7 % 5)),
    );
    let made = succeed(path, &["init", "t.csv", "--target", "d"]);
    assert!(made.contains("target = \"d\"                        # 8 classes"), "{made}");
}

#[test]
fn days_are_the_time_before_periods_and_a_wrong_cell_is_named_by_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let day = |t: usize| {
        format!("2020 Q{},2020-{:02}-{:02},{}", t / 28 % 12 / 3 + 1, t / 28 % 12 + 1, t % 28 + 1, t % 9)
    };
    let file = write(path, "s.csv", lines("quarter,date,y", 200, day));
    write(path, "s.toml", config("timeseries", &file, "y", "window = 4", "mse"));
    assert!(said(path, &["train", "s.toml", "--out", "run"]).contains("the time is `date`"));
    let quarter = |t: usize| format!("{} Q{},{}", 1950 + t / 4, if t == 30 { 9 } else { t % 4 + 1 }, t % 9);
    let file = write(path, "q.csv", lines("when,y", 80, quarter));
    write(path, "q.toml", config("timeseries", &file, "y", "window = 4\ntime = 'when'", "mse"));
    let error = fail(path, &["train", "q.toml", "--out", "q"], 1);
    assert!(error.contains("line 32, column `when`: the time is no quarter such as 2023 Q4"), "{error}");
    // Months are written out where the last one is May, too.
    let month = |t: usize| {
        let names = ["January", "February", "March", "April", "May", "June", "July", "August", "September"];
        let names = [&names[..], &["October", "November", "December"]].concat();
        format!("{} {},{}.5", names[t % 12], 1990 + t / 12, 50 + t % 4 * 3 + t * t % 5)
    };
    write(path, "m.csv", lines("when,y", 12 * 9 + 5, month));
    let made = succeed(path, &["init", "m.csv", "--target", "y"]);
    write(path, "m.toml", made);
    succeed(path, &["train", "m.toml", "-q", "--set", "train.epochs=1", "--out", "m"]);
    let printed = succeed(path, &["predict", "m", "--input", "m.csv"]);
    assert_eq!(cells(&printed)[12 * 9 + 6][0], "June 1999", "{printed}");
}
