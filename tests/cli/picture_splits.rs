//! Folders of pictures that are splits, and folders of classes that are not there.

use std::fs;
use std::path::Path;

use super::tables::{images::paint, learnt, metric, strings, write};
use crate::common::{descent, fail, said, succeed};

/// The config of init for the folder `pictures`.
fn init(folder: &Path) -> toml::Table {
    succeed(folder, &["init", "pictures"]).parse().unwrap()
}

/// Trains by the config of init; gives what is said on standard error.
fn train(folder: &Path, out: &str, more: &[&str]) -> String {
    let arguments = ["train", "pictures", "--out", out, "--set", "train.epochs=2"];
    let output = descent(folder, &[&arguments, more].concat());
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    messages
}

/// The rows of a split, by the run's `data.toml`.
fn rows(run: &Path, split: &str) -> Option<i64> {
    learnt(run)["fingerprint"].get(split)?["rows"].as_integer()
}

#[test]
fn folders_are_splits_by_their_names_in_any_case() {
    for [train_name, val_name, test_name] in [
        ["training", "", "testing"],
        ["Train", "", "Test"],
        ["train", "val", "test"],
        ["train", "valid", "test"],
        ["TRAIN", "Validation", ""],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for (name, count) in [(train_name, 20), (val_name, 5), (test_name, 4)] {
            if !name.is_empty() {
                paint(&path.join("pictures").join(name), count);
            }
        }
        let config = init(path);
        let has = |key: &str| config["data"].get(key).is_some();
        assert_eq!((has("validation"), has("test")), (val_name.is_empty(), test_name.is_empty()));
        train(path, "run", &[]);
        let run = path.join("run");
        assert_eq!(strings(&learnt(&run)["how"]["classes"]), ["left", "right"]);
        // Of 40 pictures a fifth is tested on, and 15 in 100 of the others are validated on, rounded up.
        let expected = match (val_name.is_empty(), test_name.is_empty()) {
            (true, _) => [34, 6, 8],
            (false, true) => [32, 10, 8],
            (false, false) => [40, 10, 8],
        };
        let found = ["train", "validation", "test"].map(|split| rows(&run, split));
        assert_eq!(found, expected.map(Some), "{train_name} {val_name} {test_name}");
        let messages = succeed(path, &["eval", "run"]);
        assert!(metric(&messages, "rows") > 7.5, "{messages}");
    }
}

#[test]
fn the_pictures_of_a_validation_folder_are_validated_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (name, count) in [("train", 12), ("valid", 5), ("test", 4)] {
        paint(&path.join("pictures").join(name), count);
    }
    let cache = ["--set", "data.cache=kept.npz"];
    train(path, "run", &cache);
    assert!(train(path, "again", &cache).contains("are read from here"));
    let weights = |run: &str| fs::read(path.join(run).join("model.safetensors")).unwrap();
    assert_eq!(weights("run"), weights("again"));
    let log = said(path, &["eval", "run", "--input", "pictures"]);
    assert!(log.contains("the pictures of `train` and `test` are scored, and not those of `valid`"), "{log}");
    assert!(fs::read_to_string(path.join("run/metrics.jsonl")).unwrap().contains("val_loss"));
    let error = fail(path, &["train", "pictures", "--set", "data.validation=0.2", "--out", "other"], 2);
    assert!(error.contains("as `x_val` or a folder `val`"), "{error}");
}

#[test]
fn folders_beside_the_splits_and_two_of_one_split_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["train", "test", "extra"] {
        paint(&path.join("pictures").join(name), 12);
    }
    let messages = train(path, "run", &[]);
    assert!(messages.contains("nothing reads `extra`"), "{messages}");
    fs::rename(path.join("pictures/extra"), path.join("pictures/Training")).unwrap();
    let error = fail(path, &["init", "pictures"], 1);
    assert!(error.contains("`Training` and `train` name the same split"), "{error}");
}

#[test]
fn a_run_from_before_validation_folders_were_read_is_evaluated_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["train", "test"] {
        paint(&path.join("pictures").join(name), 12);
    }
    train(path, "run", &[]);
    let expected = succeed(path, &["eval", "run"]);
    let data = fs::read_to_string(path.join("run/data.toml")).unwrap();
    assert!(data.contains("split_rules = 4"), "{data}");
    write(&path.join("run"), "data.toml", data.replace("split_rules = 4", "split_rules = 3"));
    paint(&path.join("pictures/val"), 3);
    assert_eq!(succeed(path, &["eval", "run"]), expected);
}

#[test]
fn pictures_to_score_may_lack_a_class_but_not_the_folders_of_classes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    paint(&path.join("pictures"), 12);
    train(path, "run", &[]);
    let error = fail(path, &["eval", "run", "--input", "pictures/left"], 1);
    let expected = "pictures/left: there is no folder of a class here; name one that holds a folder for each: `left`, `right`";
    assert!(error.contains(expected), "{error}");
    paint(&path.join("new"), 4);
    fs::remove_dir_all(path.join("new/right")).unwrap();
    let output = descent(path, &["eval", "run", "--input", "new"]);
    let (out, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{log}");
    // scikit-learn: average_precision_score([0, 0, 0, 0], …) is 0, with a warning.
    assert!(metric(&out, "test_average_precision").abs() < 1e-12, "{out}");
    let words =
        "the file has no rows of `right`; its average precision counts as 0 there, as in scikit-learn";
    assert_eq!(log.matches(words).count(), 1, "{log}");
    paint(&path.join("new/other"), 4);
    let error = fail(path, &["eval", "run", "--input", "new"], 1);
    assert!(error.contains("new/other: the training data has no class of this name"), "{error}");
}

#[test]
fn a_split_without_pictures_is_left_out_with_a_word() {
    for (name, has_class) in [("val", false), ("val", true), ("test", false)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let (left_out, other) = if name == "val" { ("val", "test") } else { ("test", "val") };
        for (name, count) in [("train", 12), (other, 4)] {
            paint(&path.join("pictures").join(name), count);
        }
        let empty = path.join("pictures").join(left_out);
        fs::create_dir_all(if has_class { empty.join("left") } else { empty.clone() }).unwrap();
        // As in a competition, whose pictures to predict have no classes.
        fs::write(empty.join("1.png"), "").unwrap();
        let messages = train(path, "run", &[]);
        assert!(messages.contains(&format!("nothing reads `{left_out}`")), "{messages}");
        assert!(rows(&path.join("run"), "train").is_some_and(|rows| rows < 24));
    }
}

#[test]
fn classes_that_hold_the_same_folders_are_doubted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["train_images", "test_images"] {
        paint(&path.join("pictures").join(name), 8);
    }
    let messages = train(path, "run", &[]);
    let words = "`test_images`, `train_images` are taken for the classes, and all of them hold the folders `left`, `right`";
    assert!(messages.contains(words), "{messages}");
}
