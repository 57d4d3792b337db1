//! `descent report` and the pictures of `descent compare`.

use std::fs;

use super::tables::{config, lines, table, write};
use crate::common::{fail, repository, succeed};

/// How often a word stands in a text.
fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

#[test]
fn a_report_is_one_page_with_all_that_there_is() {
    let folder = tempfile::tempdir().unwrap();
    for (out, batch) in [("small", "64"), ("large", "500")] {
        let batch = format!("train.batch_size={batch}");
        succeed(folder.path(), &["train", "-q", "--out", out, "--set", "train.epochs=3", "--set", &batch]);
    }
    succeed(folder.path(), &["report", "small", "large", "-q"]);
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    for word in [
        "train.batch_size",
        "<svg",
        "validation split",
        "Reliability",
        "onfusion",
        "data:image/png;base64,",
        "layer1.weight",
        "gradient",
        "prefers-color-scheme",
        "width=device-width",
    ] {
        assert!(page.contains(word), "no {word}");
    }
    // Two runs with their mistakes as pictures, and nothing that is loaded from elsewhere.
    assert!(count(&page, "data:image/png") >= 40, "{}", count(&page, "data:image/png"));
    for link in ["src=\"http", "href=\"http", "url(http", "@import", "rel=\"stylesheet\"", "fetch("] {
        assert!(!page.contains(link), "{link}");
    }
    succeed(folder.path(), &["report", "small", "-q", "--no-data", "--output", "curves.html"]);
    let curves = fs::read_to_string(folder.path().join("curves.html")).unwrap();
    assert!(curves.contains("<svg") && !curves.contains("data:image/png") && curves.len() < page.len());
    let error = fail(folder.path(), &["report", "small", "--output", "nowhere/r.html"], 2);
    assert!(error.contains("there is no folder nowhere"), "{error}");
    let error = fail(folder.path(), &["report", "none"], 1);
    assert!(error.contains("report takes the folder of a run"), "{error}");
}

#[test]
fn tables_show_their_cells_and_values_their_units() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(repository("tests"), folder.path().join("tests")).unwrap();
    for name in ["wine", "diabetes"] {
        let file = repository("configs").join(format!("{name}.toml"));
        let few = ["train", file.to_str().unwrap(), "-q", "--out", name, "--set", "train.epochs=2"];
        succeed(folder.path(), &few);
    }
    succeed(folder.path(), &["report", "wine", "diabetes", "-q", "--output", "r.html"]);
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    // Classes by their names; the cells of the rows that were wrong; progression lies between 25 and 346.
    for word in ["class_0", "class_2", "malic_acid", "progression", "bmi"] {
        assert!(page.contains(word), "no {word}");
    }
    // What data is not there any more does not keep the curves from being shown.
    fs::remove_file(folder.path().join("tests")).unwrap();
    succeed(folder.path(), &["report", "wine", "-q", "--output", "moved.html"]);
    assert!(fs::read_to_string(folder.path().join("moved.html")).unwrap().contains("<svg"));
}

#[test]
fn rows_are_shown_as_their_file_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows = |count: usize| {
        let row = |row: usize| {
            let day = ["2020-03-01", "2021-07-31T23:30:00", "9999-12-31"][row % 3];
            let money = ["15577.76074", "1234567.89", ""][row / 3 % 3];
            format!("{day},{money},{},{}.10", ["a", "b"][row % 2], row * 7 % 13)
        };
        lines("day,money,kind,y", count, row)
    };
    let path = write(folder, "t.csv", rows(60));
    // A blank line is no row.
    let test = write(folder, "holdout.csv", rows(12).replacen('\n', "\n\n\n", 1));
    let data = format!("missing = 'mean'\nnormalize = 'standard'\ntest = '{}'", test.display());
    let page = |target: &str, loss: &str, data: &str| {
        write(folder, "c.toml", config("csv", &path, target, data, loss));
        let _ = fs::remove_dir_all(folder.join("run"));
        succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
        succeed(folder, &["report", "run", "-q", "--output", "r.html"]);
        fs::read_to_string(folder.join("r.html")).unwrap()
    };
    let values = page("y", "mse", &data);
    for text in [
        "day 2020-03-01, money 15577.76074, kind a",
        "day 9999-12-31",
        "2021-07-31T23:30:00",
        "money missing",
        ".10<",
    ] {
        assert!(values.contains(text), "no {text}");
    }
    // The first row stands in line 4 of the test file.
    assert!(values.contains("line 4<") && values.contains("line 15<") && !values.contains("line 3<"));
    let held_out = page("y", "mse", "missing = 'mean'\nnormalize = 'standard'\nvalidation = 0.2");
    assert!(held_out.contains("day 2020-03-01, money") && held_out.contains("line "));
    let classes = page("kind", "cross_entropy", &data);
    assert!(classes.contains("<dt>day</dt><dd>") && classes.contains("<small>line "), "no mistake is shown");
    assert!(!classes.contains("23:59:59") && !classes.contains("2020-02-29"));
}

#[test]
fn hostile_names_stay_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = table("good/escapes.csv");
    let text = config("csv", &path, "TARGET", "validation = 0.25", "cross_entropy");
    write(folder.path(), "c.toml", text.replace("TARGET", "cl\\u009bass\\u0007"));
    let run = "<img src=x> & \"run\"";
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", run]);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "other", "--set", "seed=2"]);
    succeed(folder.path(), &["report", run, "-q", "--output", "r.html"]);
    let compared = succeed(folder.path(), &["compare", run, "other", "--svg", "c.svg", "--axis", "samples"]);
    assert!(!compared.contains(|c: char| c.is_control() && c != '\n'));
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    let picture = fs::read_to_string(folder.path().join("c.svg")).unwrap();
    for text in [&page, &picture] {
        for raw in ["<img", "<script>alert", "\u{1b}", "\u{9b}", "\u{7}", "\u{202e}"] {
            assert!(!text.contains(raw), "{raw:?} is raw in the page");
        }
    }
    assert!(picture.starts_with("<svg") && picture.contains("over samples"), "{}", &picture[..300]);
}

#[test]
fn a_table_of_epochs_that_is_gone_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let few = ["train", "-q", "--out", "run", "--set", "train.epochs=2"];
    succeed(folder.path(), &few);
    let table = folder.path().join("run/metrics.csv");
    let before = fs::read_to_string(&table).unwrap();
    fs::remove_file(&table).unwrap();
    succeed(folder.path(), &["train", "--resume", "run", "-q", "--set", "train.epochs=4"]);
    let after = fs::read_to_string(&table).unwrap();
    assert!(after.starts_with(&before) && after.lines().count() == 5, "{after}");
    let log = fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    let epoch: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    let header: Vec<&str> = after.lines().next().unwrap().split(',').collect();
    for (name, cell) in header.iter().zip(after.lines().nth(1).unwrap().split(',')) {
        assert_eq!(epoch[*name].to_string(), cell, "{name}");
    }
    let events = fs::read_dir(folder.path().join("run")).unwrap();
    let events =
        events.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("tfevents"));
    assert_eq!(events.count(), 2, "a file for each process");
}

#[test]
fn pictures_are_called_by_their_files_and_rows_of_series_by_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let page = |text: &str| {
        write(folder, "c.toml", text);
        let _ = fs::remove_dir_all(folder.join("run"));
        succeed(folder, &["train", "c.toml", "-q", "--out", "run"]);
        succeed(folder, &["report", "run", "-q", "--output", "r.html"]);
        fs::read_to_string(folder.join("r.html")).unwrap()
    };
    super::tables::images::paint(&folder.join("all"), 20);
    super::tables::images::paint(&folder.join("parted/train"), 12);
    super::tables::images::paint(&folder.join("parted/test"), 12);
    // A network that knows nothing: half of its answers are wrong.
    let rest = "[model]\nname = 'mlp'\nhidden = [2]\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'sgd'\n\
                lr = 0.0\n";
    for data in ["path = 'all'\ntest = 0.4", "path = 'all'\nvalidation = 0.4", "path = 'parted'"] {
        let page = page(&format!("[data]\nname = 'images'\nsize = [8, 8]\n{data}\n{rest}"));
        assert!(page.contains("left/") || page.contains("right/"), "{data}: no file is named");
        assert!(!page.contains("<small>row "), "{data}");
    }
    let hour = |t: usize| format!("2024-01-{:02}T{:02}:00", t / 24 + 1, t % 24);
    let path = write(folder, "s.csv", lines("date,y", 240, |t| format!("{},{}", hour(t), t % 5)));
    let series = config("timeseries", &path, "y", "window = 3\ntest = 0.1", "mse");
    // 216 hours are trained on: the first window of the test split predicts the 220th, 2024-01-10 at 3 o'clock.
    let page = page(&series);
    assert!(page.contains("2024-01-10 03:00:00, line 221") && !page.contains(">row "), "no time is shown");
}
