//! The folders of runs: which are taken, what is in them, and what is left alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::tables::write;
use crate::common::{descent, executable, fail, program, succeed};
use crate::durability::{count_checkpoints, newest};

const CONFIG: &str = "seed = 1\n[data]\nname = 'waves'\nrows = 150\nwindow = 5\nvalidation = 0.2\n[model]\nname = 'mlp'\n\
                      hidden = [4]\n[loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n[train]\nepochs = 3\n";

fn runs(folder: &Path) -> Vec<PathBuf> {
    let mut runs: Vec<_> =
        fs::read_dir(folder.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    runs
}

#[test]
fn runs_that_begin_in_the_same_second_have_folders_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", CONFIG);
    write(folder.path(), "folds.toml", CONFIG);
    let begin = |arguments: &[&str]| {
        program(folder.path(), arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let single: Vec<_> = (0..6).map(|_| begin(&["train", "c.toml", "-q"])).collect();
    let folds: Vec<_> = (0..3).map(|_| begin(&["train", "folds.toml", "-q", "--folds", "2"])).collect();
    for child in single.into_iter().chain(folds) {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let all = runs(folder.path());
    assert_eq!(all.len(), 9, "{all:?}");
    for run in &all {
        let name = run.file_name().unwrap().to_str().unwrap();
        let first = if name.starts_with("folds") { run.join("fold-1") } else { run.clone() };
        assert!(fs::read_to_string(first.join("metrics.jsonl")).unwrap().contains("\"final\""), "{name}");
    }
}

#[test]
fn a_folder_with_other_files_is_refused_and_an_empty_one_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", CONFIG);
    let train = |out: &str| fail(folder.path(), &["train", "c.toml", "--out", out], 2);
    assert!(train(".").contains("`c.toml`"));
    assert!(train("/").contains("not empty"));
    fs::create_dir(folder.path().join("notes")).unwrap();
    write(&folder.path().join("notes"), ".hidden", "x");
    assert!(train("notes").contains("`.hidden`"));
    assert!(train("c.toml").contains("a file"));
    let folds = ["train", "c.toml", "--out", "notes", "--folds", "2"];
    assert!(fail(folder.path(), &folds, 2).contains("`.hidden`"));
    let vary = ["compare", "--train", "c.toml", "--vary", "seed=1,2", "--out", "notes"];
    assert!(fail(folder.path(), &vary, 2).contains("`.hidden`"));
    assert_eq!(fs::read_dir(folder.path().join("notes")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    // What a process leaves that is killed before its first file is no other file.
    fs::create_dir(folder.path().join("empty")).unwrap();
    write(&folder.path().join("empty"), "lock", "12345\n");
    write(&folder.path().join("empty"), ".config.toml.part", "seed");
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "empty"]);
    assert!(!folder.path().join("empty/.config.toml.part").exists());
}

#[test]
fn keep_last_removes_what_the_run_wrote_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", CONFIG);
    let every = ["--set", "train.checkpoint_every=1", "--set", "train.keep_last=2"];
    succeed(
        folder.path(),
        &[&["train", "c.toml", "-q", "--out", "run", "--set", "train.max_steps=3"], &every[..]].concat(),
    );
    let checkpoints = folder.path().join("run/checkpoints");
    let own = newest(&folder.path().join("run"));
    write(&checkpoints, "step-5", "a file of the user's");
    write(&checkpoints, "step-00000001", "another");
    fs::create_dir(checkpoints.join("step-00000000")).unwrap();
    write(&checkpoints.join("step-00000000"), "notes.txt", "a folder");
    // A checkpoint to which something was added is the user's too.
    write(&own, "notes.txt", "the good one");
    succeed(folder.path(), &["train", "-q", "--resume", "run", "--set", "train.max_steps=0"]);
    let mut names: Vec<String> = fs::read_dir(&checkpoints)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names[..2], ["step-00000000", "step-00000001"]);
    assert_eq!(names[names.len() - 1], "step-5");
    assert!(own.join("notes.txt").exists() && checkpoints.join("step-00000000/notes.txt").exists());
    assert_eq!(names.len(), 4 + 2, "{names:?}");
}

#[test]
fn every_file_of_a_run_has_the_same_permissions() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", CONFIG);
    for mask in ["000", "002", "077"] {
        let out = format!("run-{mask}");
        let line = format!("umask {mask} && exec \"$0\" train c.toml -q --out {out}");
        let status =
            Command::new("sh").args(["-c", &line]).arg(executable()).current_dir(folder.path()).status();
        assert!(status.unwrap().success());
        let entries = fs::read_dir(folder.path().join(&out)).unwrap().map(|entry| entry.unwrap());
        let modes = entries
            .filter(|entry| entry.path().is_file())
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().permissions().mode() & 0o777));
        let modes: Vec<_> = modes.collect();
        assert!(modes.len() >= 6 && modes.iter().all(|(_, mode)| *mode == modes[0].1), "{modes:?}");
    }
}

#[test]
fn a_run_that_fails_before_it_saves_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // The first update is finite, its weights are not: nothing was saved, and an event file may have been begun.
    let text = CONFIG
        .replace("name = 'adam'", "name = 'sgd'\nlr = 1e30")
        .replace("epochs = 3", "batch_size = 'full'");
    write(folder.path(), "c.toml", text);
    for out in ["run", "made/deep"] {
        let output = descent(folder.path(), &["train", "c.toml", "--out", out]);
        let messages = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{messages}");
        assert!(messages.contains("removed again") != folder.path().join(out).exists(), "{messages}");
    }
}

#[test]
fn epochs_shorter_than_a_second_are_saved_once_a_second_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", CONFIG.replace("epochs = 3", "epochs = 60\nkeep_last = 100"));
    let count = |out: &str, every: &[&str]| {
        succeed(folder.path(), &[&["train", "c.toml", "-q", "--out", out], every].concat());
        count_checkpoints(&folder.path().join(out))
    };
    let every = count("every", &["--set", "train.checkpoint_every=epoch"]);
    let auto = count("auto", &[]);
    assert_eq!(every, 60);
    // The first epoch and the last, and one more for every second in between.
    assert!((2..20).contains(&auto), "{auto}");
    let run = |name: &str| folder.path().join(name);
    assert!(crate::durability::result(&run("auto")) == crate::durability::result(&run("every")));
    assert!(fs::read_to_string(run("auto/config.toml")).unwrap().contains("checkpoint_every = \"auto\""));
}
