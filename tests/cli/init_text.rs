//! The text of the configs that `descent init` writes: its comments, and the dates that it finds.

use super::init::init;
use super::tables::{lines, write};
use crate::common::succeed;

#[test]
fn comments_are_plain_text_and_have_the_range_of_dates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = lines("when,\"the \"\"size\"\"\",unit,y", 60, |i| {
        format!("20{:02}-{:02}-03,\"{} \"\"kg\"\"\",it's,{}", i * 7 % 20, 1 + i % 12, i % 9, i * 37 % 11)
    });
    write(path, "t.csv", rows);
    let text = succeed(path, &["init", "t.csv", "--target", "y"]);
    assert!(!text.contains('\\'), "{text}");
    assert!(text.contains("#   when        date       2000-01-03 to 2019-10-03"), "{text}");
    assert!(text.contains("the \"size\"") && text.contains("0 \"kg\""), "{text}");
    // A line break in a name ends no comment.
    write(path, "t.csv", lines("\"a\n[model]\",y", 60, |i| format!("\"n\n{}\",{}", i % 3, i * 37 % 11)));
    let text = succeed(path, &["init", "t.csv", "--target", "y"]);
    assert!(text.contains("#   a\\n[model]") && text.contains("n\\n0"), "{text}");
}

#[test]
fn a_year_and_a_month_are_a_date_in_series_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let month = |i: usize| format!("{}-{:02}", 1980 + i / 12, i % 12 + 1);
    write(path, "s.csv", lines("month,y", 120, |i| format!("{},{}", month(i), i % 12 * 3 + i % 5)));
    let config = init(path, &["s.csv", "--target", "y"]);
    assert_eq!(config["data"]["name"].as_str(), Some("timeseries"));
    succeed(path, &["train", "s.csv", "--target", "y", "-q", "--set", "train.epochs=1", "--out", "series"]);
    let printed = succeed(path, &["predict", "series", "--input", "s.csv"]);
    // pandas: date_range("1980-01", periods=121, freq="MS")[-1].
    assert!(printed.contains("\n1990-01,"), "{printed}");
    write(
        path,
        "t.csv",
        lines("month,x,y", 120, |i| format!("{},{},{}", month(i * 37 % 120), i % 7, i % 12)),
    );
    let text = succeed(path, &["init", "t.csv", "--target", "x"]);
    assert!(text.contains("#   month  date       1980-01-01 to 1989-12-01"), "{text}");
    succeed(path, &["train", "t.csv", "--target", "x", "-q", "--set", "train.epochs=1", "--out", "table"]);
    let printed = succeed(path, &["inspect", "table"]);
    assert!(!printed.is_empty());
}
