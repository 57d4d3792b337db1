//! A run that was stopped at any update and resumed ends with the same bits.

use std::fs;
use std::path::Path;

use super::{MORE, SYSTEMS, config, log, newest, result};
use crate::common::{fail, succeed};

fn train(folder: &Path, arguments: &[&str]) {
    succeed(folder, &[&["train", "-q"], arguments].concat());
}

#[test]
fn every_system_goes_on_from_any_step() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, sections) in SYSTEMS.iter().chain(MORE) {
        fs::write(at("c.toml"), config(sections, 500)).unwrap();
        let whole = format!("{name}-whole");
        train(folder.path(), &["c.toml", "--out", &whole]);
        let expected = result(&at(&whole));
        let last: u64 = newest(&at(&whole)).to_string_lossy().rsplit_once('-').unwrap().1.parse().unwrap();
        // Within the first epoch, at its end, at a beginning, somewhere later, one before the last.
        for step in [1, 9, 10, 14, last - 1] {
            let (out, limit) = (format!("{name}-{step}"), format!("train.max_steps={step}"));
            train(folder.path(), &["c.toml", "--out", &out, "--set", &limit]);
            train(folder.path(), &["--resume", &out, "--set", "train.max_steps=0"]);
            let stopped = result(&at(&out));
            assert_eq!(stopped.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
            for (file, bytes) in &stopped {
                assert!(*bytes == expected[file], "{name}, stopped at step {step}: {file} differs");
            }
        }
    }
}

#[test]
fn threads_and_intervals_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sections) in &SYSTEMS[1..] {
        fs::write(folder.path().join("c.toml"), config(sections, 500)).unwrap();
        let mut results = Vec::new();
        for (index, (threads, every)) in
            [("1", "'epoch'"), ("2", "1"), ("4", "5"), ("2", "100")].iter().enumerate()
        {
            let (out, every) = (format!("{name}-{index}"), format!("train.checkpoint_every={every}"));
            // Half of each run on one number of threads, half on another.
            let options =
                ["--out", &out, "--set", &every, "--threads", threads, "--set", "train.max_steps=15"];
            train(folder.path(), &[&["c.toml"], &options[..]].concat());
            train(folder.path(), &["--resume", &out, "--set", "train.max_steps=0", "--threads", "3"]);
            results.push(result(&folder.path().join(&out)));
        }
        assert!(results.iter().all(|result| *result == results[0]), "{name}");
    }
}

#[test]
fn a_finished_run_can_be_finished_again_and_trained_longer() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEMS[1].1, 400)).unwrap();
    train(folder.path(), &["c.toml", "--out", "long", "--set", "train.epochs=6"]);
    train(folder.path(), &["c.toml", "--out", "short"]);
    let (long, short) = (folder.path().join("long"), folder.path().join("short"));
    let before = result(&short);
    train(folder.path(), &["--resume", "short"]);
    assert_eq!(result(&short), before);
    train(folder.path(), &["--resume", "short", "--set", "train.epochs=6"]);
    assert_eq!(result(&short), result(&long));
    let config = fs::read_to_string(short.join("config.toml")).unwrap();
    assert!(config.contains("epochs = 6") && config.contains("train.epochs = 6 (was 4)"), "{config}");
    // The config that is in place is the one that is gone on with.
    train(folder.path(), &["--resume", "short"]);
    assert_eq!(log(&short), log(&long));
}

#[test]
fn early_stopping_that_is_told_to_wait_longer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEMS[0].1, 300)).unwrap();
    let base = ["c.toml", "--set", "optimizer.lr=0.5", "--set", "train.epochs=12"];
    let patience = |epochs: u32| format!("train.early_stopping={{ patience = {epochs} }}");
    train(folder.path(), &[&base[..], &["--out", "a", "--set", &patience(4)]].concat());
    train(folder.path(), &[&base[..], &["--out", "b", "--set", &patience(1)]].concat());
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    assert_ne!(log(&a), log(&b), "the shorter patience ends earlier");
    train(folder.path(), &["--resume", "b", "--set", &patience(4)]);
    assert_eq!(result(&a), result(&b));
}

#[test]
fn weights_of_a_later_epoch_than_the_checkpoint_are_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEMS[0].1, 500)).unwrap();
    train(folder.path(), &["c.toml", "--out", "a", "--set", "train.max_steps=12"]);
    let run = folder.path().join("a");
    let best = fs::read(run.join("model.safetensors")).unwrap();
    // As if another epoch had ended well, and then the machine.
    fs::write(run.join("model.safetensors"), b"of the future").unwrap();
    train(folder.path(), &["--resume", "a", "--set", "train.max_steps=12"]);
    assert!(fs::read(run.join("model.safetensors")).unwrap() == best);
    fs::remove_file(run.join("model.safetensors")).unwrap();
    train(folder.path(), &["--resume", "a", "--set", "train.max_steps=12"]);
    assert!(fs::read(run.join("model.safetensors")).unwrap() == best);
    train(folder.path(), &["--resume", "a", "--set", "train.max_steps=0"]);
    train(folder.path(), &["c.toml", "--out", "b"]);
    assert!(result(&run) == result(&folder.path().join("b")));
}

#[test]
fn whoever_writes_to_the_model_harms_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEMS[0].1, 500)).unwrap();
    train(folder.path(), &["c.toml", "--out", "a"]);
    train(folder.path(), &["c.toml", "--out", "b", "--set", "train.epochs=6"]);
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    // In place, as `cp` does: another name of the file would change with it.
    fs::write(a.join("model.safetensors"), b"something else").unwrap();
    train(folder.path(), &["--resume", "a", "--set", "train.epochs=6"]);
    assert_eq!(result(&a), result(&b));
}

#[test]
fn a_run_within_an_epoch_keeps_its_batches() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEMS[0].1, 500)).unwrap();
    train(folder.path(), &["c.toml", "--out", "a", "--set", "train.max_steps=11"]);
    let other = ["train", "--resume", "a", "--set", "train.batch_size=25", "--set", "train.max_steps=0"];
    let error = fail(folder.path(), &other, 2);
    assert!(error.contains("train.batch_size = 25 (was 45)") && error.contains("within epoch 2"), "{error}");
    train(folder.path(), &["c.toml", "--out", "b", "--set", "train.max_steps=18"]);
    train(folder.path(), &["--resume", "b", "--set", "train.batch_size=25", "--set", "train.max_steps=0"]);
}
