//! Which rows are held out, and what is learnt of the others alone.

use std::fs;
use std::path::Path;

use super::{config, learnt, lines, metric, table, write};
use crate::common::{descent, succeed};

/// What a training run says on standard error.
fn messages(folder: &Path, text: &str, out: &str) -> String {
    write(folder, "c.toml", text);
    let output = descent(folder, &["train", "c.toml", "--out", out]);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    messages
}

#[test]
fn rows_are_dealt_by_share_file_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let iris = |data: &str| config("csv", &table("iris.csv"), "species", data, "cross_entropy");
    let text = messages(
        folder.path(),
        &iris("columns = { split = 'ignore' }\ntest = 0.2\nvalidation = 0.25"),
        "share",
    );
    assert!(text.contains("rows: 90 to train on, 30 to validate, 30 to test on"), "{text}");
    // Of each class the same share.
    let evaluated = succeed(folder.path(), &["eval", "share"]);
    for class in ["setosa", "versicolor", "virginica"] {
        let line = evaluated.lines().find(|line| line.starts_with(class)).unwrap();
        assert_eq!(line.split_whitespace().last(), Some("10"), "{evaluated}");
    }
    let text = messages(folder.path(), &iris("split_column = 'split'\nvalidation = 0.1"), "column");
    assert!(text.contains("rows: 108 to train on, 12 to validate, 30 to test on"), "{text}");
    let text =
        messages(folder.path(), &iris("split_column = 'split'\nvalidation = 0.1\nlimit = 60"), "limit");
    assert!(text.contains("rows: 54 to train on, 6 to validate, 30 to test on"), "{text}");
    // All rows of the file are trained on and tested on: there is a warning.
    let test = format!("columns = {{ split = 'ignore' }}\ntest = '{}'", table("iris.csv").display());
    let text = messages(folder.path(), &iris(&test), "file");
    assert!(text.contains("rows: 150 to train on, 150 to test on"), "{text}");
    assert!(text.contains("150 held-out rows duplicate"), "{text}");
}

#[test]
fn held_out_rows_that_duplicate_a_training_row_are_reported_however_they_are_held_out() {
    let folder = tempfile::tempdir().unwrap();
    // Every row occurs twice, and each part has one of both.
    let rows = |part: &'static str| {
        move |i: usize| {
            format!("{},{},{}", i / 2, if i.is_multiple_of(2) { "train" } else { part }, i % 4 / 2)
        }
    };
    for part in ["test", "validation"] {
        let path = write(folder.path(), "t.csv", lines("x,part,y", 80, rows(part)));
        let text = config("csv", &path, "y", "split_column = 'part'", "cross_entropy");
        let text = messages(folder.path(), &text, part);
        assert!(text.contains("40 held-out rows duplicate the features of a training row"), "{text}");
    }
    let path = write(folder.path(), "t.csv", lines("x,part,y", 80, rows("test")));
    for (out, data) in [("shares", "validation = 0.5"), ("shares2", "test = 0.5")] {
        let data = format!("columns = {{ part = 'ignore' }}\n{data}");
        let text = messages(folder.path(), &config("csv", &path, "y", &data, "cross_entropy"), out);
        assert!(text.contains("the features of a training row"), "{text}");
    }
    let data = "columns = { part = 'ignore' }";
    let text = messages(folder.path(), &config("csv", &path, "y", data, "cross_entropy"), "none");
    assert!(!text.contains("the features of a training row"), "{text}");
}

#[test]
fn the_first_row_with_an_error_is_named_whether_it_is_of_a_feature_or_of_the_target() {
    let folder = tempfile::tempdir().unwrap();
    for (target, feature, line) in [(3, 5, "line 5,"), (5, 3, "line 5,"), (4, 4, "line 6,")] {
        // Rows to test on: a number that is too large for 32 bits, and a target that has no logarithm.
        let row = |i: usize| {
            let x = if i == feature { "1e300".to_owned() } else { (i % 2).to_string() };
            let part = if (3..6).contains(&i) { "test" } else { "train" };
            format!("{x},{part},{}", if i == target { "-2".to_owned() } else { i.to_string() })
        };
        let path = write(folder.path(), "t.csv", lines("x,part,y", 30, row));
        let data = "split_column = 'part'\ntarget_transform = 'log1p'";
        write(folder.path(), "c.toml", config("csv", &path, "y", data, "mse"));
        let output = descent(folder.path(), &["train", "c.toml", "--out", "run"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(line), "{error}");
    }
}

#[test]
fn what_is_learnt_is_learnt_of_the_training_rows_alone() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| match i {
        0..20 => format!("{},{},train,{}", i % 4, ["a", "b"][i % 2], i % 2),
        _ => format!("1000,c,test,{}", i % 2),
    };
    let rows = lines("x,city,part,y", 22, row);
    let path = write(folder.path(), "t.csv", rows);
    let text = config("csv", &path, "y", "split_column = 'part'\nnormalize = 'standard'", "cross_entropy");
    let text = messages(folder.path(), &text, "run");
    assert!(text.contains("column `city`: 2 values that training did not have"), "{text}");
    let learnt = learnt(&folder.path().join("run"));
    let columns = learnt["how"]["recipe"]["columns"].as_array().unwrap();
    assert!((columns[0]["offset"].as_float().unwrap() - 1.5).abs() < 1e-12);
    assert_eq!(columns[1]["categories"].as_array().unwrap().len(), 2);
}

#[test]
fn kinds_are_inferred_and_printed_and_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| {
        let (when, member) = (format!("2024-0{}-1{}", i % 9 + 1, i % 9), ["yes", "no"][i % 2]);
        format!("{i},{when},{member},0{},note {i},{},{}", i % 5, i % 3, i % 2)
    };
    let rows = lines("customer_id,when,member,code,note,size,target", 40, row);
    let path = write(folder.path(), "t.csv", rows);
    let text = messages(folder.path(), &config("csv", &path, "target", "", "cross_entropy"), "run");
    for (column, kind) in [
        ("customer_id", "ignored: a number of the row"),
        ("when", "date"),
        ("member", "boolean"),
        ("code", "number"),
        ("note", "ignored: every row has a different value"),
        ("size", "number"),
        ("target", "target of 2 classes: `0`, `1`"),
    ] {
        let line = text.lines().find(|line| line.starts_with(&format!("`{column}`"))).unwrap();
        assert!(line.ends_with(kind), "{line}");
    }
    assert!(text.contains("features: [4]"), "{text}");
    let given = "columns = { code = 'category', size = 'category', when = 'ignore', customer_id = 'number' }";
    let text = messages(folder.path(), &config("csv", &path, "target", given, "cross_entropy"), "given");
    assert!(text.contains("category of 5") && text.contains("category of 3"), "{text}");
    assert!(text.contains("features: [10]"), "{text}");
}

#[test]
fn missing_cells_become_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "x,c,y\n1,a,0\n,b,1\n3,,0\n8,b,1\nNA,b,0\n4,b,1\n";
    let path = write(folder.path(), "t.csv", rows);
    for (how, fill, name, width) in [
        ("mean", 4.0, Some("b"), 3),
        ("median", 3.5, Some("b"), 3),
        ("zero", 0.0, None, 3),
        ("category", 4.0, None, 5),
    ] {
        let text = messages(
            folder.path(),
            &config("csv", &path, "y", &format!("missing = '{how}'"), "cross_entropy"),
            how,
        );
        assert!(text.contains(&format!("features: [{width}]")), "{how}: {text}");
        let learnt = learnt(&folder.path().join(how));
        let columns = learnt["how"]["recipe"]["columns"].as_array().unwrap();
        assert_eq!(columns[0]["fill"].as_float(), Some(fill), "{how}");
        let missing = &columns[1]["missing"];
        assert_eq!(missing.get("as").and_then(toml::Value::as_str), name, "{how}: {missing}");
        write(folder.path(), "ask.csv", "x,c\n,\n");
        assert_eq!(succeed(folder.path(), &["predict", how, "--input", "ask.csv"]).lines().count(), 2);
    }
    let more = "missing = 'mean'\nna_values = ['?']";
    let path = write(folder.path(), "q.csv", rows.replace("NA", "?"));
    let text = messages(folder.path(), &config("csv", &path, "y", more, "cross_entropy"), "words");
    assert!(text.contains("number, where missing 4.0000"), "{text}");
}

#[test]
fn normalisation_is_scikit_learns() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "t.csv", "x,y\n1,0\n2,1\n3,0\n4,1\n10,0\n");
    // StandardScaler, MinMaxScaler and RobustScaler on [1, 2, 3, 4, 10]; the second is 1 to 10, the third 3 and 4 - 2.
    for (how, offset, scale) in
        [("standard", 4.0, 10f64.sqrt()), ("minmax", 1.0, 9.0), ("robust", 3.0, 2.0), ("none", 0.0, 1.0)]
    {
        messages(
            folder.path(),
            &config("csv", &path, "y", &format!("normalize = '{how}'"), "cross_entropy"),
            how,
        );
        let learnt = learnt(&folder.path().join(how));
        let column = &learnt["how"]["recipe"]["columns"].as_array().unwrap()[0];
        assert!((column["offset"].as_float().unwrap() - offset).abs() < 1e-12, "{how}");
        assert!((column["scale"].as_float().unwrap() - scale).abs() < 1e-12, "{how}");
    }
}

#[test]
fn folds_test_every_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        config("csv", &table("iris.csv"), "species", "columns = { split = 'ignore' }", "cross_entropy");
    write(folder.path(), "c.toml", text.replace("epochs = 3", "epochs = 20"));
    let output = succeed(folder.path(), &["train", "c.toml", "-q", "--out", "cv", "--folds", "5"]);
    let line = output.lines().find(|line| line.starts_with("test_accuracy")).unwrap();
    let numbers: Vec<f64> = line.split_whitespace().skip(1).map(|cell| cell.parse().unwrap()).collect();
    let (mean, folds) = (numbers[0], &numbers[2..]);
    assert_eq!(folds.len(), 5);
    assert!((folds.iter().sum::<f64>() / 5.0 - mean).abs() < 1e-4 && mean > 0.85, "{output}");
    // A fold's config makes the same run again.
    let config = folder.path().join("cv/fold-2/config.toml");
    succeed(folder.path(), &["train", config.to_str().unwrap(), "-q", "--out", "again"]);
    let weights = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(weights("again") == weights("cv/fold-2"));
    assert!(weights("again") != weights("cv/fold-3"));
}

#[test]
fn rows_on_the_disk_are_the_rows_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x,z,y", 5000, |i| {
        let (x, z) = (i * 37 % 101, i * 91 % 89);
        format!("{x},{z},{}", u8::from(x > z))
    });
    let path = write(folder.path(), "t.csv", rows);
    let text = |data: &str| {
        let data = format!("test = 0.2\nvalidation = 0.1\nnormalize = 'standard'\n{data}");
        config("csv", &path, "y", &data, "cross_entropy")
    };
    // In the file's own order both make the same bits.
    let plain = |data: &str| text(data).replace("[train]", "[train]\nshuffle = false");
    messages(folder.path(), &plain(""), "memory");
    messages(folder.path(), &plain("memory = 0"), "disk");
    let read = |run: &str, name: &str| fs::read(folder.path().join(run).join(name)).unwrap();
    assert!(read("memory", "model.safetensors") == read("disk", "model.safetensors"));
    // Shuffled it learns as well, and can be stopped and resumed.
    messages(folder.path(), &text("memory = 0"), "whole");
    write(folder.path(), "c.toml", text("memory = 0"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "part", "--set", "train.max_steps=300"]);
    succeed(folder.path(), &["train", "--resume", "part", "-q", "--set", "train.max_steps=0"]);
    assert!(read("whole", "model.safetensors") == read("part", "model.safetensors"));
    let accuracy = |run: &str| metric(&succeed(folder.path(), &["eval", run]), "test_accuracy");
    assert!(accuracy("whole") > 0.9 && accuracy("memory") > 0.9);
}
