//! Several runs by one command: one that fails ends no other, and what was stopped goes on.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::tables::{config, lines, write};
use crate::common::{descent, fail, program, succeed};

const CONFIG: &str = "seed = 1\n[data]\nname = 'waves'\nrows = 150\nwindow = 5\nvalidation = 0.2\n[model]\nname = 'mlp'\n\
                      hidden = [4]\n[loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n[train]\nepochs = 3\n";

/// Rows of which one fold's are so far from the others that only the runs that train on them diverge.
fn with_an_outlier(folder: &Path) {
    let rows =
        lines("x,y", 60, |i| if i == 17 { "3,1e15".to_owned() } else { format!("{},{}", i % 7, i % 5) });
    let path = write(folder, "t.csv", rows);
    let text = config("csv", &path, "y", "standardize_target = false", "mse");
    write(folder, "c.toml", text.replace("name = \"adam\"\nlr = 0.01", "name = \"sgd\"\nlr = 0.01"));
}

#[test]
fn a_fold_that_diverges_ends_no_other() {
    let folder = tempfile::tempdir().unwrap();
    with_an_outlier(folder.path());
    let command = ["train", "c.toml", "--out", "cv", "--folds", "3"];
    let output = descent(folder.path(), &command);
    let (messages, table) =
        (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap());
    assert_eq!(output.status.code(), Some(1), "{messages}");
    // The outlier is trained on in two of three folds.
    assert_eq!(table.lines().next().unwrap().matches("(diverged)").count(), 2, "{table}");
    assert!(table.lines().any(|line| line.starts_with("train_loss")), "{table}");
    assert!(messages.lines().last().unwrap().starts_with("error: 2 of 3 runs failed"), "{messages}");
    for fold in 1..=3 {
        assert!(folder.path().join(format!("cv/fold-{fold}/config.toml")).exists());
    }
    // The same again: nothing is trained, and the table is the same.
    let log = |fold: u32| {
        fs::metadata(folder.path().join(format!("cv/fold-{fold}/metrics.jsonl"))).unwrap().modified().unwrap()
    };
    let before: Vec<_> = (1..=3).map(log).collect();
    let again = descent(folder.path(), &command);
    assert_eq!((again.status.code(), String::from_utf8(again.stdout).unwrap()), (Some(1), table));
    assert_eq!((1..=3).map(log).collect::<Vec<_>>(), before);
}

#[test]
fn a_fold_that_was_trained_on_other_rows_is_not_taken_for_finished() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |count: usize| lines("x,y", count, |i| format!("{},{}", i % 7, i % 5));
    let path = write(folder.path(), "t.csv", rows(60));
    write(folder.path(), "c.toml", config("csv", &path, "y", "", "mse"));
    let command = ["train", "c.toml", "-q", "--out", "cv", "--folds", "3"];
    let whole = succeed(folder.path(), &command);
    fs::remove_dir_all(folder.path().join("cv/fold-3")).unwrap();
    write(folder.path(), "t.csv", rows(48));
    let refused = |words: &str| {
        let output = descent(folder.path(), &["train", "c.toml", "--out", "cv", "--folds", "3"]);
        let messages = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{messages}");
        assert!(messages.contains(words), "{messages}");
    };
    refused("the data has changed since cv/fold-1 was trained");
    // With the rows back the folds that were there are the same.
    write(folder.path(), "t.csv", rows(60));
    fs::remove_dir_all(folder.path().join("cv/fold-3")).unwrap();
    let plain = |table: &str| {
        table.lines().filter(|line| !line.contains("seconds")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(plain(&succeed(folder.path(), &command)), plain(&whole));
    // Nor is one whose weights are damaged.
    write(folder.path(), "cv/fold-1/model.safetensors", "junk");
    refused("fold-1/model.safetensors");
}

#[test]
fn a_variant_that_fails_ends_no_other() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", CONFIG);
    // One learning rate diverges; one batch size cannot be trained with BatchNorm.
    for (vary, out, word) in
        [("optimizer.lr=1e30,0.01", "rates", "diverged"), ("train.batch_size=1,32", "sizes", "failed")]
    {
        let set = if out == "sizes" { "model.batch_norm=true" } else { "optimizer.name=sgd" };
        let arguments =
            ["compare", "--train", "c.toml", "--vary", vary, "--seeds", "2", "--set", set, "--out", out];
        let output = descent(folder.path(), &arguments);
        let (messages, table) =
            (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap());
        assert_eq!(output.status.code(), Some(1), "{messages}");
        assert!(table.contains(&format!("2 (2 {word})")), "{table}");
        assert!(messages.contains("error: 2 of 4 runs failed"), "{messages}");
        assert!(!table.contains("NaN"), "{table}");
    }
    // Where all of them fail, it is the error of the first.
    let all = ["compare", "--train", "c.toml", "--vary", "train.batch_size=1,1.0", "--out", "none"];
    fail(folder.path(), &all, 2);
    let all = [
        "compare",
        "--train",
        "c.toml",
        "--vary",
        "optimizer.lr=1e30,1e31",
        "--set",
        "optimizer.name=sgd",
        "--out",
        "none",
    ];
    assert!(fail(folder.path(), &all, 1).contains("became"));
}

/// Runs a command again and again and kills it, until it ends by itself. Gives how often it was killed.
fn with_kills(folder: &Path, arguments: &[&str], after: Duration) -> u32 {
    for kills in 0..200 {
        let mut child =
            program(folder, arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        while start.elapsed() < after + Duration::from_millis(2 * u64::from(kills))
            && child.try_wait().unwrap().is_none()
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            return kills;
        }
        assert_eq!(output.status.code(), None, "{}", String::from_utf8_lossy(&output.stderr));
    }
    panic!("it did not end")
}

#[test]
fn what_was_killed_goes_on_by_the_same_command() {
    let folder = tempfile::tempdir().unwrap();
    let every = "checkpoint_every = 5\nepochs = 40";
    write(folder.path(), "c.toml", CONFIG.replace("epochs = 3", every));
    let folds = |out| ["train", "c.toml", "-q", "--folds", "3", "--out", out];
    let vary = |out| ["compare", "-q", "--train", "c.toml", "--vary", "optimizer.lr=0.01,0.02", "--out", out];
    let plain = |table: String| {
        let is_clock = |line: &str| line.contains("seconds") || line.contains(" s");
        table.lines().filter(|line| !is_clock(line)).collect::<Vec<_>>().join("\n")
    };
    let whole = succeed(folder.path(), &folds("whole"));
    assert!(with_kills(folder.path(), &folds("killed"), Duration::from_millis(20)) > 2);
    // Once more: everything has finished.
    assert_eq!(plain(succeed(folder.path(), &folds("killed"))), plain(whole));
    for fold in ["fold-1", "fold-2", "fold-3"] {
        let result = |out: &str| crate::durability::result(&folder.path().join(out).join(fold));
        assert!(result("whole") == result("killed"), "{fold}");
    }
    let verdict = |table: &str| {
        table.lines().take_while(|line| !line.starts_with("The first")).map(str::to_owned).collect::<Vec<_>>()
    };
    let whole = succeed(folder.path(), &vary("rates"));
    assert!(with_kills(folder.path(), &vary("broken"), Duration::from_millis(20)) > 2);
    assert_eq!(verdict(&succeed(folder.path(), &vary("broken"))), verdict(&whole));
    // Another config is refused before anything is trained.
    let other = [&folds("killed")[..], &["--set", "optimizer.lr=0.5"]].concat();
    let error = fail(folder.path(), &other, 2);
    assert!(error.contains("optimizer.lr = 0.5 (was 0.001)") && error.contains("fold-1"), "{error}");
    let other = [&vary("broken")[..], &["--set", "train.epochs=41"]].concat();
    assert!(fail(folder.path(), &other, 2).contains("train.epochs = 41 (was 40)"));
    // More seeds are more runs.
    let more = [&vary("broken")[..], &["--seeds", "2"]].concat();
    assert!(succeed(folder.path(), &more).contains("95 %"));
}

#[test]
fn what_was_stopped_says_how_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", CONFIG.replace("epochs = 3", "epochs = 100000"));
    let child = program(folder.path(), &["train", "c.toml", "--folds", "2"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let runs = folder.path().join("runs");
    let start = Instant::now();
    let begun = || {
        let out = fs::read_dir(&runs).ok()?.next()?.ok()?.path();
        out.join("fold-1/checkpoints").is_dir().then_some(out)
    };
    let out = loop {
        assert!(start.elapsed() < Duration::from_mins(1));
        if let Some(out) = begun() {
            break out;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{messages}");
    let out = Path::new("runs").join(out.file_name().unwrap());
    assert!(messages.contains(&format!("the same command and --out {}", out.display())), "{messages}");
}
