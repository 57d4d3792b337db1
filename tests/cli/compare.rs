//! `descent compare`: what runs are called, what is compared, and over what.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::common::{descent, fail, succeed};

/// A run's log: so many epochs of so many updates and rows, whose loss is halved each time.
fn write_log(run: &Path, epochs: u32, (updates, rows, seconds): (u32, u32, f64)) {
    fs::create_dir_all(run).unwrap();
    let mut text = String::new();
    for epoch in 1..=epochs {
        let (loss, step) = (f64::from(epoch).exp2().recip(), epoch * updates);
        writeln!(
            text,
            "{{\"kind\":\"epoch\",\"epoch\":{epoch},\"step\":{step},\"train_loss\":{loss},\"val_accuracy\":{},\
             \"lr\":0.1,\"seconds\":{seconds},\"samples\":{rows}}}",
            1.0 - loss
        )
        .unwrap();
    }
    writeln!(
        text,
        "{{\"kind\":\"final\",\"epoch\":{epochs},\"step\":1,\"test_loss\":0.125,\"seconds\":1.0}}"
    )
    .unwrap();
    fs::write(run.join("metrics.jsonl"), text).unwrap();
}

#[test]
fn runs_are_compared_over_every_axis() {
    let folder = tempfile::tempdir().unwrap();
    write_log(&folder.path().join("full"), 4, (1, 1000, 0.5));
    write_log(&folder.path().join("mini"), 2, (16, 1000, 1.0));
    let all = ["compare", "full", "mini", "--axis", "epochs,updates,samples,seconds"];
    let text = succeed(folder.path(), &all);
    let blocks: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(blocks.len(), 5, "{text}");
    let cells = |block: usize, row: usize| -> Vec<&str> {
        blocks[block].lines().nth(row).unwrap().split_whitespace().collect()
    };
    assert_eq!(cells(0, 1), ["full", "4", "4", "4,000", "2.00", "0.0625", "0.1250"]);
    assert_eq!(cells(0, 2), ["mini", "2", "32", "2,000", "2.00", "0.2500", "0.1250"]);
    // After two epochs both have halved twice; by then mini has made 32 updates, and full 2.
    assert_eq!(blocks[1].lines().next().unwrap(), "train_loss over epochs");
    assert_eq!(cells(1, 3), ["2", "0.2500", "0.2500"]);
    assert_eq!(cells(2, 3), ["2", "0.2500", "-"]);
    assert_eq!(cells(2, 6), ["16", "0.0625", "0.5000"]);
    assert_eq!(cells(4, 3), ["1.00", "0.2500", "0.5000"]);
    // One of the tables, unless more are asked for.
    let text = succeed(folder.path(), &["compare", "full", "mini"]);
    assert_eq!(text.matches("train_loss over").count(), 1, "{text}");
    let seconds = ["--metric", "val_accuracy", "--axis", "seconds"];
    let accuracy = succeed(folder.path(), &[&["compare", "full", "mini"], &seconds[..]].concat());
    assert!(accuracy.contains("val_accuracy over seconds") && accuracy.contains("0.9375"), "{accuracy}");
    let error = fail(folder.path(), &["compare", "full", "mini", "--metric", "val_loss"], 1);
    assert!(error.contains("it has train_loss, val_accuracy, test_loss"), "{error}");
    fs::write(folder.path().join("mini/metrics.jsonl"), "{\"kind\":\"epoch\"}\n").unwrap();
    let error = fail(folder.path(), &["compare", "full", "mini"], 1);
    assert!(error.contains("line 1: there is no number `samples`"), "{error}");
    assert_eq!(descent(folder.path(), &["compare", "full"]).status.code(), Some(2));
    fail(folder.path(), &["compare", "full", "nowhere"], 1);
}

/// Trains short runs into `runs/NAME-20260101-101010-and-more`, each with one more setting.
fn train(folder: &Path, runs: &[(&str, &str)]) {
    for (name, set) in runs {
        let out = format!("runs/{name}-20260101-101010-and-more");
        let few = ["--set", "train.epochs=2", "--set", "data.limit=300", "--set", set];
        succeed(folder, &[&["train", "-q", "--out", &out], &few[..]].concat());
    }
}

#[test]
fn runs_are_named_by_what_tells_them_apart() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &[("a", "train.batch_size=32"), ("b", "train.batch_size=100")]);
    let [a, b] = ["a", "b"].map(|name| format!("runs/{name}-20260101-101010-and-more"));
    let text = succeed(folder.path(), &["compare", &a, &b]);
    let heads: Vec<&str> = text.lines().filter(|line| line.contains("batch_size=100")).collect();
    // The row of the run, the head of the differences and that of the curve.
    assert_eq!(heads.len(), 3, "{text}");
    assert!(heads[2].starts_with("epochs") && heads[2].len() < 50, "{text}");
    // The folders are said once.
    assert_eq!(text.matches("and-more").count(), 2, "{text}");
    // A result of the test split has no curve.
    let tests = succeed(folder.path(), &["compare", &a, &b, "--metric", "test_f1_macro"]);
    assert!(tests.lines().next().unwrap().contains("test_f1_macro") && !tests.contains(" over "), "{tests}");
    let error = fail(folder.path(), &["compare", &a, &b, "--metric", "test_rmse"], 1);
    assert!(error.contains("its final line does not have `test_rmse`; it has train_loss, "), "{error}");
    // A folder of runs stands for all of them.
    let folder_of_runs = succeed(folder.path(), &["compare", "runs"]);
    assert_eq!(folder_of_runs, text);
    fail(folder.path(), &["compare", &a], 2);
}

#[test]
fn huge_numbers_are_short() {
    let folder = tempfile::tempdir().unwrap();
    let line = |loss: f64| {
        format!(
            "{{\"kind\":\"epoch\",\"epoch\":1,\"step\":3,\"train_loss\":{loss},\"lr\":0.1,\"seconds\":1.0,\"samples\":9}}\n"
        )
    };
    for (run, loss) in [("a", 30_500_186_352_016_950_021_630_984_192.0), ("b", 1e-9)] {
        fs::create_dir(folder.path().join(run)).unwrap();
        fs::write(folder.path().join(run).join("metrics.jsonl"), line(loss)).unwrap();
    }
    let text = succeed(folder.path(), &["compare", "a", "b"]);
    assert!(text.contains(" 3.05e28") && text.contains(" 1.00e-9") && !text.contains("30500"), "{text}");
}

#[test]
fn a_run_is_not_compared_with_itself() {
    let folder = tempfile::tempdir().unwrap();
    let text = "seed = 1\n[data]\nname = 'waves'\nrows = 60\nwindow = 5\n[model]\nname = 'mlp'\n[loss]\nname = 'mse'\n\
                [optimizer]\nname = 'adam'\n[train]\nepochs = 1\n";
    std::fs::write(folder.path().join("c.toml"), text).unwrap();
    for (vary, seeds) in
        [("optimizer.lr=0.1,0.10", "1"), ("seed=1,2", "2"), ("optimizer.lr=0.001,0.002,1e-3", "1")]
    {
        let command = ["compare", "--train", "c.toml", "--vary", vary, "--seeds", seeds, "--out", "rates"];
        let error = crate::common::fail(folder.path(), &command, 2);
        assert!(error.contains("are the same run"), "{error}");
        assert!(!folder.path().join("rates").exists());
    }
}

#[test]
fn a_metric_that_the_variants_will_not_have_is_an_error_before_anything_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[data]\nname = 'mnist-sample'\nlimit = 100\nvalidation = 0.2\n[model]\nname = 'mlp'\nhidden = [4]\n\
                  [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'sgd'\nlr = 0.1\n";
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let train = ["compare", "--train", "c.toml", "--vary", "optimizer.lr=0.1,0.2", "--out", "out"];
    for (metric, sets, said) in [
        ("val_acuracy", &[][..], "is no metric of every variant"),
        ("val_rmse", &[], "is no metric of every variant"),
        ("accuracy", &[], "its metrics are called val_…, test_…, train_loss"),
        ("nonsense", &[], "is no number of a run"),
        ("val_accuracy", &["--set", "data.validation=0"], "set `data.validation`"),
        ("val_rmse_x", &[], "is no metric of every variant"),
    ] {
        let error = fail(folder.path(), &[&train[..], &["--metric", metric], sets].concat(), 2);
        assert!(error.contains(&format!("--metric {metric}: it ")) && error.contains(said), "{error}");
        assert!(!folder.path().join("out").exists(), "{metric}");
    }
    for metric in ["val_loss", "test_f1_macro"] {
        let text = succeed(folder.path(), &[&train[..], &["--metric", metric]].concat());
        assert!(text.starts_with(&format!("{metric}, ")), "{text}");
    }
}

#[test]
fn relative_paths_of_runs_of_version_0_1_0_do_not_differ_by_the_runs_folder() {
    let folder = tempfile::tempdir().unwrap();
    for (run, lr) in [("a", 0.1), ("b", 0.2)] {
        write_log(&folder.path().join(run), 2, (1, 10, 1.0));
        let config = format!(
            "[data]\nname = 'csv'\npath = 'data/rows.csv'\ntarget = 'y'\n[model]\nname = 'mlp'\n\
             [loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\nlr = {lr}\n"
        );
        fs::write(folder.path().join(run).join("config.toml"), config).unwrap();
    }
    let text = succeed(folder.path(), &["compare", "a", "b"]);
    assert!(text.contains("optimizer.lr") && !text.contains("data.path"), "{text}");
}

#[test]
fn a_run_without_an_epoch_is_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    for run in ["all/a", "all/b"] {
        write_log(&folder.path().join(run), 2, (10, 100, 1.0));
    }
    let empty = folder.path().join("all/c");
    fs::create_dir_all(empty.join("failure")).unwrap();
    fs::write(empty.join("metrics.jsonl"), "").unwrap();
    let output = descent(folder.path(), &["compare", "all"]);
    let (table, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words}");
    assert!(words.contains("all/c: it diverged before its first epoch had ended; it is left out"), "{words}");
    assert!(table.contains("all/b") || table.contains("b "), "{table}");
    let error = fail(folder.path(), &["compare", "all/c", "all/c"], 1);
    assert!(error.contains("it diverged"), "{error}");
}
