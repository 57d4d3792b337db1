//! Errors that say what to write, or what to do.

use std::fs;
use std::path::Path;

use super::npz::{self, Array};
use super::tables::{config, fail_config, lines, write};
use crate::common::{descent, fail, program, succeed};

const PICTURES: &str = "[data]\nname = 'mnist-sample'\nlimit = 200\nsequence = [28, 28]\n[model]\nname = 'lstm'\n\
                        hidden_size = 4\n[loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\n[train]\nepochs = 1\n";

/// The config of a table of two columns, `x` and `y`.
fn table(folder: &Path, data: &str) -> String {
    let path = write(folder, "t.csv", lines("x,y", 60, |i| format!("{i},{}", i % 7)));
    config("csv", &path, "y", data, "mse")
}

#[test]
fn a_network_that_is_too_large_is_refused_before_it_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), PICTURES).unwrap();
    let wide =
        PICTURES.replace("name = 'lstm'\nhidden_size = 4", "name = 'mlp'\nhidden = [1000000, 1000000]");
    fs::write(folder.path().join("wide.toml"), wide.replace("sequence = [28, 28]\n", "")).unwrap();
    for command in [&["config", "check"][..], &["train", "--dry-run"], &["train", "--out", "run"]] {
        for (set, key) in [
            ("model.hidden_size=1000000", "model.hidden_size"),
            ("model={name='gru',hidden_size=5000,num_layers=9}", "model.hidden_size"),
            ("model={name='rnn',hidden_size=16385}", "model.hidden_size"),
        ] {
            let error = fail(folder.path(), &[command, &["c.toml", "--set", set]].concat(), 2);
            assert!(error.contains(key) && error.contains("larger than 268435456 numbers"), "{error}");
        }
        let error = fail(folder.path(), &[command, &["wide.toml"]].concat(), 2);
        assert!(error.contains("wide.toml, line 6: `model.hidden`"), "{error}");
        assert!(error.contains("it has 1000002000000"), "{error}");
    }
}

#[test]
fn numbers_that_toml_does_not_know_have_their_key_and_their_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let text = table(folder.path(), "");
    for (wrong, right) in [
        ("lr = .01", "`lr` is .01, which TOML does not read; write 0.01"),
        ("lr = 5.", "write 5.0"),
        ("lr = None", "`lr` is None, which TOML does not have; leave the key out"),
        ("lr = 1,000", "write 1000"),
    ] {
        let error = fail_config(folder.path(), &text.replace("lr = 0.01", wrong));
        assert!(error.contains("c.toml, line 14: ") && error.contains(right), "{wrong}: {error}");
    }
    let error =
        fail_config(folder.path(), &text.replace("seed = 1\n", "seed = 1\nx = \"C:\\users\\a.csv\"\n"));
    assert!(error.contains(r"write it in single quotes: 'C:\users\a.csv'"), "{error}");
}

#[test]
fn a_test_share_in_quotes_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let error = fail_config(folder.path(), &table(folder.path(), "test = '0.2'"));
    assert!(error.contains("`data.test` is the text \"0.2\"") && error.contains("write 0.2"), "{error}");
}

#[test]
fn a_window_has_its_limit_and_of_many_columns_five_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = table(folder.path(), "window = 1000000000").replace("\"csv\"", "\"timeseries\"");
    let error = fail_config(folder.path(), &text);
    assert!(error.contains("`data.window` is 1000000000; it is a number of rows, 1 to "), "{error}");
    let names: Vec<String> = (0..40).map(|i| format!("c{i}")).collect();
    let path = write(folder.path(), "w.csv", names.join(",") + "\n");
    let error = fail_config(folder.path(), &config("csv", &path, "zz", "", "mse"));
    assert!(error.contains("`c0`, `c1`, `c2`, `c3`, `c4`, and 35 more"), "{error}");
}

#[test]
fn a_temporary_folder_that_is_not_there_is_named_by_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "t.csv", lines("x,z,y", 200_000, |i| format!("{i},{},{}", i % 3, i % 7)));
    for source in ["csv", "timeseries"] {
        write(folder.path(), "c.toml", config(source, &path, "y", "memory = 1\ntest = 0.2", "mse"));
        let out = format!("run-{source}");
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", &out, "--set", "train.max_steps=1"]);
        for command in [&["train", "c.toml", "--out", "other"][..], &["eval", &out]] {
            let output = program(folder.path(), command).env("TMPDIR", "/nowhere").output();
            let words = String::from_utf8(output.unwrap().stderr).unwrap();
            let error = words.lines().last().unwrap();
            assert!(error.contains("/nowhere") && error.contains("set TMPDIR to another folder"), "{words}");
        }
    }
}

#[test]
fn what_is_no_picture_is_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), PICTURES).unwrap();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    for (name, bytes) in
        [("notes.txt", &b"some notes"[..]), ("a.pdf", b"%PDF-1.7 and so on"), ("empty.dat", b"")]
    {
        fs::write(folder.path().join(name), bytes).unwrap();
        let error = fail(folder.path(), &["predict", "run", "--input", name], 1);
        assert!(error.contains(name) && error.contains("by its name no picture"), "{error}");
    }
}

#[test]
fn a_report_and_a_picture_write_over_no_file_of_another_kind() {
    let folder = tempfile::tempdir().unwrap();
    let text = table(folder.path(), "");
    write(folder.path(), "c.toml", text.replace("epochs = 3", "epochs = 1"));
    for run in ["a", "b"] {
        succeed(folder.path(), &["train", "c.toml", "-q", "--out", run]);
    }
    write(folder.path(), "notes.txt", "mine");
    let commands =
        [&["report", "a", "--output", "notes.txt"][..], &["compare", "a", "b", "--svg", "notes.txt"]];
    for command in commands {
        let error = fail(folder.path(), command, 2);
        assert!(error.contains("this file is there and does not end in ."), "{error}");
        assert_eq!(fs::read(folder.path().join("notes.txt")).unwrap(), b"mine");
    }
    for _ in 0..2 {
        succeed(folder.path(), &["report", "a", "--output", "a.html"]);
        succeed(folder.path(), &["compare", "a", "b", "--svg", "a.svg"]);
    }
}

#[test]
fn a_date_of_another_form_is_told_the_form_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| format!("{:02}.{:02}.2023,{}", 1 + i % 28, 1 + i % 12, i % 7);
    let path = write(folder.path(), "t.csv", lines("d,y", 60, row));
    write(folder.path(), "c.toml", config("csv", &path, "y", "", "mse").replace("epochs = 3", "epochs = 1"));
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    write(folder.path(), "p.csv", "d\n2023-01-05\n");
    let error = fail(folder.path(), &["predict", "run", "--input", "p.csv"], 1);
    assert!(error.contains("`2023-01-05` is no date such as 20.11.2023 (dd.mm.yyyy)"), "{error}");
    let months = ["Jan", "Feb", "Mar", "Apr"];
    let row = |i: usize| format!("\"{} {:02}, {}\",{}", months[i % 4], 1 + i % 28, 2000 + i, i);
    write(folder.path(), "t.csv", lines("d,y", 60, row));
    let output = descent(folder.path(), &["train", "c.toml", "--out", "text"]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("column `d` has dates such as `Apr 04, 2003`"), "{words}");
}

#[test]
fn a_threshold_is_a_probability_and_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path =
        write(folder.path(), "t.csv", lines("x,y", 60, |i| format!("{},{}", i % 9, ["a", "b"][i % 9 / 5])));
    let text = config("csv", &path, "y", "test = 0.5", "bce_with_logits").replace("epochs = 3", "epochs = 1");
    write(folder.path(), "c.toml", text);
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "run"]);
    for wrong in ["2", "nan", "-0.1", "half"] {
        let output = descent(folder.path(), &["eval", "run", &format!("--threshold={wrong}")]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && words.contains("a number from 0 to 1"), "{words}");
        assert!(words.contains("--threshold") && !words.contains("--set"), "{words}");
    }
    let lines = succeed(folder.path(), &["eval", "run", "--threshold", "0.25"]);
    assert!(lines.contains("threshold 0.25"), "{lines}");
    assert!(
        succeed(folder.path(), &["eval", "run", "--threshold", "0.25", "--json"])
            .contains("\"threshold\":0.25")
    );
    assert!(!succeed(folder.path(), &["eval", "run"]).contains("threshold"));
}

#[test]
fn a_log_is_begun_anew_in_a_run_that_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", table(folder.path(), ""));
    let output = descent(folder.path(), &["train", "c.toml", "--restart-log"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_cut_off_misspelt_or_no_run_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let whole = lines("x,promo", 30, |i| format!("{i},{}", i * 7 % 11));
    write(path, "t.csv", &whole);
    write(path, "cut.csv", format!("{whole}30"));
    write(path, "cut.jsonl", "{\"x\": 1, \"promo\": 2}\n".repeat(30) + "{\"x\": 1");
    let said = |arguments: &[&str], code: i32, words: &str| {
        let error = fail(path, arguments, code);
        assert!(error.contains(words), "no `{words}` in {error}");
    };
    said(
        &["init", "cut.csv", "--target", "promo"],
        1,
        "line 32: 1 cell, but the header has 2 columns; is a delimiter",
    );
    said(
        &["init", "cut.jsonl", "--target", "promo"],
        1,
        "each line is a JSON object, and this one ends early",
    );
    said(&["init", "t.csv", "--target", "Promo"], 2, "did you mean `promo`?");
    let misspelt =
        ["train", "t.csv", "--target", "promo", "--set", "data.columns.X='number'", "--out", "run"];
    said(&misspelt, 2, "did you mean `x`?");
    said(&["predict", "nowhere", "--input", "t.csv"], 1, "there is no such folder");
    said(&["compare", "nowhere", "nowhere"], 1, "there is no such folder");
    said(&["predict", "t.csv", "--input", "t.csv"], 1, "this is a file");
}

#[test]
fn a_flag_that_is_a_key_of_the_config_is_answered_with_set() {
    let folder = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| {
        let output = descent(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (flags, set) in [
        (&["--epochs", "3"][..], "use `--set train.epochs=3`"),
        (&["--max-time", "3"], "use `--set train.max_time=3`"),
        (&["--lr", "0.1"], "use `--set optimizer.lr=0.1`"),
        (&["--lr=0.1"], "use `--set optimizer.lr=0.1`"),
        (&["--batch-size", "32"], "use `--set train.batch_size=32`"),
        (&["--weight_decay", "0.1"], "use `--set optimizer.weight_decay=0.1`"),
        (&["--hidden", "[64, 32]"], "use `--set 'model.hidden=[64, 32]'`"),
        (&["--learning-rate", "0.1"], "use `--set optimizer.lr=0.1`"),
        (&["--nesterov"], "use `--set optimizer.nesterov=VALUE`"),
        (&["--patience", "3"], "use `--set train.early_stopping.patience=3`"),
        (&["--gamma=0.5"], "use `--set schedule.gamma=0.5`"),
        (&["--seed", "7"], "use `--set seed=7`"),
        (&["--loss", "mse"], "use `--set loss.name=mse`"),
        (&["--optimizer.lr", "3"], "use `--set optimizer.lr=3`"),
        (&["--train.epochs=3"], "use `--set train.epochs=3`"),
    ] {
        let error = said(&[&["train", "c.toml"], flags].concat());
        assert!(error.contains(set) && !error.contains("as a value"), "{flags:?}: {error}");
    }
    assert!(said(&["config", "check", "c.toml", "--epochs", "3"]).contains("--set train.epochs=3"));
    // These are no keys, or not of a command that has `--set`.
    for arguments in [&["train", "--name", "x"][..], &["train", "--nothing", "3"], &["list", "--epochs", "3"]]
    {
        assert!(!said(arguments).contains("--set "), "{arguments:?}");
    }
}

/// torch's `CrossEntropyLoss(weight, ignore_index=2)` keeps the output of class 2.
#[test]
fn weights_of_all_classes_beside_an_ignored_highest_one_name_the_number_of_classes() {
    let folder = tempfile::tempdir().unwrap();
    let arrays = [
        Array::f32("x_train", &[30, 1], (0..30u8).map(f32::from)),
        Array::i64("y_train", &[30], (0..30).map(|i| i % 3)),
    ];
    npz::write(&folder.path().join("data.npz"), false, &arrays);
    let loss = "cross_entropy'\nignore_index = 2\nweight = [1.0, 2.0, 3.0]\n#'";
    write(folder.path(), "c.toml", npz::CONFIG.replace("LOSS", loss).replace("epochs = 60", "epochs = 1"));
    let error = fail(folder.path(), &["train", "c.toml"], 2);
    assert!(error.contains("has 3 numbers for 2 classes"), "{error}");
    assert!(error.contains("set `data.classes = 3`"), "{error}");
    succeed(folder.path(), &["train", "c.toml", "-q", "--set", "data.classes=3"]);
}
