//! `data.limit`: so many training rows, of every class the same share.

use std::path::Path;

use super::{config, lines, metric, train, write};
use crate::common::{descent, succeed};

/// 300 rows in the order of their classes.
fn sorted_by_class(folder: &Path) -> std::path::PathBuf {
    write(folder, "t.csv", lines("x,y", 300, |row| format!("{}.5,{}", row / 100, ["a", "b", "c"][row / 100])))
}

#[test]
fn a_limit_on_sorted_rows_leaves_every_class() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = sorted_by_class(folder);
    let config = config("csv", &path, "y", "limit = 90\ntest = 0.2\nnormalize = 'standard'", "cross_entropy");
    let config = config.replace("epochs = 3", "epochs = 60");
    write(folder, "c.toml", config);
    let output = descent(folder, &["train", "c.toml", "--out", "run"]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("data.limit: 90 of 240 rows are used"), "{messages}");
    assert!(messages.contains("rows: 90 to train on, 60 to test on"), "{messages}");
    // One class alone would be 0.33.
    assert!(metric(&succeed(folder, &["eval", "run"]), "test_accuracy") > 0.99);
    let again = String::from_utf8(descent(folder, &["eval", "run"]).stderr).unwrap();
    assert!(!again.contains("data.limit:"), "only training says it: {again}");
}

#[test]
fn a_limit_that_leaves_all_rows_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = sorted_by_class(folder);
    for limit in ["limit = 300", "limit = 1000"] {
        let messages = train(folder, &config("csv", &path, "y", limit, "cross_entropy"), limit);
        assert!(
            !messages.contains("data.limit:") && messages.contains("rows: 300 to train on"),
            "{messages}"
        );
    }
}

#[test]
fn a_limit_on_a_series_leaves_the_latest_rows_before_the_test_rows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = write(folder, "s.csv", lines("t,y", 100, |row| format!("{row},{row}")));
    let options = "window = 3\nlimit = 40\ntest = 0.2\nnormalize = 'minmax'";
    let messages = train(folder, &config("timeseries", &path, "y", options, "mse"), "run");
    assert!(messages.contains("data.limit: 40 of 80 rows are used"), "{messages}");
    let learnt = super::column(&folder.join("run"), "y");
    // The rows 40 to 79.
    assert_eq!(learnt["offset"].as_float(), Some(40.0), "{learnt}");
}
