//! Messages: what a key of another tool is told, and what a run says of its course.

use std::fs;

use super::tables::{config, lines, write};
use crate::common::{fail, said, succeed};

const CONFIG: &str = "seed = 1\n[data]\nname = 'mnist-sample'\nlimit = 320\nvalidation = 0.2\n[model]\nname = 'mlp'\n\
                      hidden = [4]\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'sgd'\nlr = 0.1\n[train]\n\
                      batch_size = 32\nepochs = 2\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG).unwrap();
    folder
}

#[test]
fn a_wrong_value_is_told_what_to_write() {
    let folder = folder();
    for (set, words) in [
        ("optimizer.name=AdamW", &["--set optimizer.name", "did you mean `adamw`?"][..]),
        ("optimizer=adam", &["[optimizer]", "name = \"adam\""]),
        ("model.activation=ReLU", &["did you mean `relu`?"]),
        ("schedule.name=OneCycleLR", &["did you mean `one_cycle`?"]),
        ("model.hidden=64", &["expected a list, as in [64]"]),
        ("model.hidden=64,32", &["model.hidden=[64,32]"]),
        ("optimizer.lr=.1", &["write 0.1"]),
        ("train.batch_size='64'", &["did you mean 64?"]),
        ("train.shuffle=True", &["write true"]),
        ("train.early_stopping=[3, 0.0]", &["expected a table with `patience`"]),
        ("data.normalize=[0.5, 0.5]", &["{ mean = 0.5, std = 0.5 }"]),
        ("data.fold=[1, 5]", &["expected a table with `index`, `of`"]),
        ("model.init=['zeros']", &["expected a table with `hidden`"]),
        ("train.average=ema", &["{ name = \"ema\" }"]),
        ("train.early_stopping.monitor=val_acc", &["did you mean `val_accuracy`?"]),
        ("optimizer.learning_rate=0.1", &["did you mean `lr`?"]),
        ("learning_rate=0.1", &["did you mean `optimizer.lr`?"]),
        ("train.momentum=0.9", &["did you mean `optimizer.momentum`?"]),
    ] {
        let error = fail(folder.path(), &["config", "check", "c.toml", "--set", set], 2);
        for word in words {
            assert!(error.contains(word), "{set}: no `{word}` in {error}");
        }
    }
}

#[test]
fn an_error_since_an_argument_of_set_names_it() {
    let folder = folder();
    let check = |sets: &[&str]| {
        let sets = sets.iter().flat_map(|set| ["--set", *set]);
        fail(folder.path(), &["config", "check", "c.toml"].into_iter().chain(sets).collect::<Vec<_>>(), 2)
    };
    // The value itself, and an element of it.
    assert!(check(&["model.hidden=[0]"]).starts_with("error: --set model.hidden: `model.hidden[0]` is 0"));
    // A key of the file that is wrong since then.
    fs::write(folder.path().join("c.toml"), CONFIG.replace("lr = 0.1", "lr = 0.1\nmomentum = 0.9")).unwrap();
    let error = check(&["train.epochs=3", "optimizer.name=adam"]);
    assert!(
        error.starts_with("error: --set optimizer.name=adam, with c.toml, line 14: `optimizer.momentum`"),
        "{error}"
    );
    let error = check(&["data.validation=0.0", "train.early_stopping={ patience = 2 }"]);
    assert!(error.contains("--set train.early_stopping"), "{error}");
    // An error of the file is the file's.
    fs::write(folder.path().join("c.toml"), CONFIG.replace("lr = 0.1", "lrr = 0.1")).unwrap();
    assert!(check(&["train.epochs=3"]).starts_with("error: c.toml, line 13: `optimizer.lrr`"));
}

#[test]
fn names_that_turn_the_text_are_spelt_out() {
    let folder = folder();
    let error = fail(folder.path(), &["config", "check", "c.toml", "--set", "optimizer.l\u{202e}r=1"], 2);
    assert!(error.contains("\\u{202e}") && !error.contains('\u{202e}'), "{error}");
}

#[test]
fn an_early_stop_and_a_finished_run_say_why() {
    let folder = folder();
    let stop = "train.early_stopping={ patience = 1, monitor = 'val_mcc', min_delta = 2.0 }";
    let text =
        said(folder.path(), &["train", "c.toml", "--out", "run", "--set", stop, "--set", "train.epochs=9"]);
    assert!(text.contains("stopped early after epoch 2: `val_mcc` has not improved on "), "{text}");
    // The line of an epoch has the losses and what is monitored.
    let line = text.lines().find(|line| line.starts_with("epoch 1/9")).unwrap();
    for name in ["train_loss ", "val_loss ", "val_mcc "] {
        assert!(line.contains(name), "no {name}in {line}");
    }
    let text = said(folder.path(), &["train", "--resume", "run"]);
    assert!(text.contains("nothing is left to train: early stopping has ended the run"), "{text}");
    said(folder.path(), &["train", "c.toml", "--out", "other"]);
    let text = said(folder.path(), &["train", "--resume", "other"]);
    assert!(text.contains("nothing is left to train: 2 epochs are done; --set train.epochs=4"), "{text}");
    let text = said(folder.path(), &["train", "--resume", "other", "--set", "train.epochs=3"]);
    assert!(!text.contains("nothing is left"), "{text}");
}

#[test]
fn a_report_takes_folders_of_runs_and_runs_without_an_epoch() {
    let folder = folder();
    succeed(folder.path(), &["train", "c.toml", "-q", "--folds", "3", "--out", "folds"]);
    succeed(folder.path(), &["report", "folds", "-q", "--output", "folds.html"]);
    let page = fs::read_to_string(folder.path().join("folds.html")).unwrap();
    let at = |name: &str| page.find(name).unwrap_or_else(|| panic!("no {name}"));
    assert!(at("folds/fold-1") < at("folds/fold-2") && at("folds/fold-2") < at("folds/fold-3"));
    let vary = ["compare", "--train", "c.toml", "--vary", "optimizer.lr=0.1,0.01", "--out", "compared", "-q"];
    succeed(folder.path(), &vary);
    succeed(folder.path(), &["report", "compared", "-q", "--output", "compared.html"]);
    let page = fs::read_to_string(folder.path().join("compared.html")).unwrap();
    assert!(page.contains("2 runs") && page.contains("optimizer.lr"));
    // A run that has no epoch yet is named as such; the others are shown.
    let empty = folder.path().join("folds/fold-2");
    fs::write(empty.join("metrics.jsonl"), "").unwrap();
    let text = said(folder.path(), &["report", "folds", "--output", "some.html"]);
    assert!(text.contains("folds/fold-2: no epoch of this run has finished yet"), "{text}");
    assert!(fs::read_to_string(folder.path().join("some.html")).unwrap().contains("3 runs"));
}

#[test]
fn a_report_of_classes_has_their_roc_and_precision_recall_curves() {
    let folder = tempfile::tempdir().unwrap();
    let rows = lines("x,kind", 90, |i| format!("{},{}", i % 11, ["a", "b", "c"][i % 3]));
    let path = write(folder.path(), "d.csv", rows);
    for (kinds, loss) in [("three", "cross_entropy"), ("two", "bce_with_logits")] {
        if kinds == "two" {
            write(
                folder.path(),
                "d.csv",
                lines("x,kind", 90, |i| format!("{},{}", i % 11, ["a", "b"][i % 2])),
            );
        }
        write(folder.path(), "c.toml", config("csv", &path, "kind", "test = 0.3", loss));
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", kinds]);
        succeed(folder.path(), &["report", kinds, "-q", "--output", "r.html"]);
        let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
        for word in ["ROC curve", "Precision-recall curve", "false positive rate", "AUC", "average precision"]
        {
            assert!(page.contains(word), "{kinds}: no {word}");
        }
        // Of two classes the positive one.
        assert_eq!(page.contains("3 curves of true positive rate"), kinds == "three");
        assert_eq!(page.contains("1 curves of") || page.contains("b: AUC"), kinds == "two");
    }
}
