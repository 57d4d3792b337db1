//! Dates in the forms that people write.

use std::path::Path;

use super::{cells, column, config, lines, refused, train, write};
use crate::common::{descent, fail, succeed};

/// Trains on a column `d` of these texts, in turns, with an option; returns its messages.
fn messages_of(folder: &Path, texts: &[&str], options: &str) -> String {
    let _ = std::fs::remove_dir_all(folder.join("run"));
    let line = |row: usize| format!("{},{},{row}", texts[row % texts.len()], row % 7);
    let path = write(folder, "t.csv", lines("d,x,y", 60, line));
    train(folder, &config("csv", &path, "y", &format!("normalize = 'standard'\n{options}"), "mse"), "run")
}

#[test]
fn a_column_of_one_form_is_a_date() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // In days since 1970-01-01, by numpy.datetime64: 19681 and 19723, which are 19702 in the mean.
    for (form, texts) in [
        (None, ["2023-11-20", "2024-01-01"]),
        (Some("dd.mm.yyyy"), ["20.11.2023", "1.1.2024"]),
        (Some("dd/mm/yyyy"), ["20/11/2023", "01/01/2024"]),
        (Some("mm/dd/yyyy"), ["11/20/2023", "01/01/2024"]),
        (Some("dd-mm-yyyy"), ["20-11-2023", "01-01-2024"]),
        (Some("dd-mon-yyyy"), ["20-Nov-23", "01-Jan-24"]),
    ] {
        for options in ["", "columns = { d = 'date' }"] {
            messages_of(folder, &texts, options);
            let learnt = column(&folder.join("run"), "d");
            assert_eq!(learnt["kind"].as_str(), Some("date"), "{texts:?}");
            assert_eq!(learnt.get("form").and_then(toml::Value::as_str), form, "{texts:?}");
            assert!((learnt["offset"].as_float().unwrap() - 19_702.0).abs() < 1e-9, "{learnt}");
        }
        write(folder, "new.csv", format!("d,x\n{},1\n{} 00:00,1\n{},1\n", texts[0], texts[0], texts[1]));
        let messages = succeed(folder, &["predict", "run", "--input", "new.csv"]);
        let rows = cells(&messages);
        assert!(rows[1] == rows[2] && rows[1] != rows[3], "{messages}");
        write(folder, "new.csv", "d,x\nsoon,1\n");
        let error = fail(folder, &["predict", "run", "--input", "new.csv"], 1);
        assert!(error.contains("line 2, column `d`: `soon` is no date"), "{error}");
    }
}

#[test]
fn dates_of_which_the_form_is_not_certain_are_hinted_at() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let messages = messages_of(folder, &["03/04/2023", "05/06/2023"], "");
    let hint = "column `d` has dates such as `03/04/2023`, which are read as text, because they may be dd/mm/yyyy or mm/dd/yyyy";
    assert!(messages.contains(hint), "{messages}");
    let messages = messages_of(folder, &["20/11/2023", "11/20/2023"], "");
    assert!(
        messages.contains("column `d` has dates such as `11/20/2023`, which are read as text; write"),
        "{messages}"
    );
    assert!(messages_of(folder, &["20.11.23", "21.11.23"], "").contains("dates such as `20.11.23`"));
    assert!(!messages_of(folder, &["2.0.1", "2.0.2"], "").contains("dates such as"));
    let line = |row: usize| format!("0{}/02/2023,{row}", row % 9 + 1);
    let path = write(folder, "t.csv", lines("d,y", 60, line));
    let error = refused(folder, &config("csv", &path, "y", "columns = { d = 'date' }", "mse"));
    assert!(error.contains("its dates may be dd/mm/yyyy or mm/dd/yyyy; write them as 2023-11-20"), "{error}");
}

#[test]
fn one_bad_cell_among_dates_of_one_form_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (form, text) in [
        ("dates of the form dd.mm.yyyy", "20.11.2023"),
        ("dates of the form mm/dd/yyyy", "11/20/2023"),
        ("dates of the form dd-mon-yyyy", "20-Nov-23"),
        ("dates such as 2024-03-01", "2023-11-20"),
    ] {
        for bad in ["soon", "31.02.2024", "12", "no"] {
            let line =
                |row: usize| format!("{},{},{}", if row == 40 { bad } else { text }, row % 7, row + 100);
            let path = write(folder, "t.csv", lines("d,x,y", 60, line));
            let error = refused(folder, &config("csv", &path, "y", "", "mse"));
            let said = format!("column `d`: 1 of its values is not {form}");
            assert!(error.contains(&said) && error.contains(&format!("`{bad}` in line 42")), "{error}");
            assert!(error.contains("`data.na_values`") && error.contains("[data.columns]"), "{error}");
            // The ways out.
            let options = format!("na_values = ['{bad}']\nmissing = 'mean'\nnormalize = 'standard'");
            let _ = std::fs::remove_dir_all(folder.join("run"));
            train(folder, &config("csv", &path, "y", &options, "mse"), "run");
            assert_eq!(column(&folder.join("run"), "d")["kind"].as_str(), Some("date"));
            let _ = std::fs::remove_dir_all(folder.join("run"));
            train(folder, &config("csv", &path, "y", "columns = { d = 'ignore' }", "mse"), "run");
        }
    }
    let line = |row: usize| format!("{},{row}", ["yes", "no", "maybe", "no"][row % 4]);
    let path = write(folder, "t.csv", lines("b,y", 20, line));
    let error = refused(folder, &config("csv", &path, "y", "columns = { b = 'boolean' }", "mse"));
    let said = "column `b`: 5 of its values are not yes or no: the first is `maybe` in line 4; correct them";
    assert!(error.contains(said), "{error}");
}

#[test]
fn the_last_day_of_9999_is_a_date() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    messages_of(folder, &["2023-11-20", "9999-12-31"], "");
    let learnt = column(&folder.join("run"), "d");
    // numpy.datetime64("9999-12-31").astype(int) is 2932896.
    assert_eq!(learnt["kind"].as_str(), Some("date"));
    assert!((learnt["offset"].as_float().unwrap() - f64::midpoint(19_681.0, 2_932_896.0)).abs() < 1e-6);
}

#[test]
fn the_time_of_a_series_may_be_of_any_form_and_stays_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let day = |row: usize| format!("{:02}/0{}/2023,{}", row % 28 + 1, row / 28 + 1, row * 7 % 13);
    // February 2023 has 28 days; January has a gap of three days behind it.
    let path = write(folder, "s.csv", lines("d,y", 56, day));
    let messages = train(folder, &config("timeseries", &path, "y", "window = 3", "mse"), "run");
    assert!(messages.contains("the time is `d`, in steps of 1 day; 1 gap"), "{messages}");
    // Each of these days may be a month as well: the run knows that it is none.
    write(folder, "new.csv", lines("d,y", 10, |row| format!("{:02}/02/2024,{row}", row + 1)));
    let output = descent(folder, &["predict", "run", "--input", "new.csv"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !messages.contains("gap"), "{messages}");
    let path = write(folder, "t.csv", lines("d,y", 12, |row| format!("{:02}/02/2024,{row}", row + 1)));
    let error = refused(folder, &config("timeseries", &path, "y", "window = 3\ntime = 'd'", "mse"));
    assert!(error.contains("column `d`: its dates may be dd/mm/yyyy or mm/dd/yyyy"), "{error}");
}
