//! Other programs that change a run's folder while it trains, or after it was stopped.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{SYSTEMS, config, count_checkpoints, log, newest, result, small_run, wait_for};
use crate::common::{descent, fail, program, succeed};

/// A run that trains until it is stopped, and saves every epoch.
fn begin(folder: &Path) -> Child {
    let sections = format!("{}checkpoint_every = 'epoch'\nepochs = 5000\n", SYSTEMS[0].1);
    fs::write(folder.join("c.toml"), config(&sections, 400)).unwrap();
    let child = program(folder, &["train", "c.toml", "--out", "run"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(|| count_checkpoints(&folder.join("run")) > 1);
    child
}

/// Waits until another checkpoint is written.
fn wait_for_a_save(run: &Path) {
    let before = newest(run);
    wait_for(|| newest(run) > before);
}

/// Stops a run by SIGTERM; returns its messages.
fn stop(child: Child) -> String {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(143), "{messages}");
    messages
}

/// Two more epochs.
fn go_on(folder: &Path) {
    let text = fs::read_to_string(newest(&folder.join("run")).join("progress.toml")).unwrap();
    let line = text.lines().find(|line| line.starts_with("epoch = ")).unwrap();
    let epoch: u64 = line["epoch = ".len()..].parse().unwrap();
    succeed(folder, &["train", "-q", "--resume", "run", "--set", &format!("train.epochs={}", epoch + 2)]);
}

/// A name, what another program does to a log, and whether the run can write all its lines again. It depends on the moment
/// where that is `None`: the run's next line may be behind the other program's already.
type Change = (&'static str, fn(&Path), Option<bool>);

/// What another program may do to a log.
const CHANGES: [Change; 4] = [
    ("cut short", |log| fs::File::options().write(true).open(log).unwrap().set_len(10).unwrap(), Some(false)),
    ("removed", |log| fs::remove_file(log).unwrap(), Some(true)),
    (
        "replaced",
        |log| {
            fs::write(log.with_extension("new"), "other\n").unwrap();
            fs::rename(log.with_extension("new"), log).unwrap();
        },
        Some(true),
    ),
    (
        "appended to",
        |log| {
            let mut file = fs::File::options().append(true).open(log).unwrap();
            file.write_all(b"other\n").unwrap();
        },
        None,
    ),
];

#[test]
fn a_run_whose_log_is_changed_can_still_be_resumed() {
    for (name, change, is_whole) in CHANGES {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let child = begin(folder.path());
        let lines = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        change(&run.join("metrics.jsonl"));
        wait_for_a_save(&run);
        wait_for_a_save(&run);
        let messages = stop(child);
        assert!(
            messages.contains("metrics.jsonl was") && messages.contains("by another program"),
            "{name}: {messages}"
        );
        let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let first = lines.lines().next().unwrap();
        if let Some(is_whole) = is_whole {
            assert_eq!(log.starts_with(first), is_whole, "{name}: {log}");
        }
        assert!(
            log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
            "{name}: {log}"
        );
        go_on(folder.path());
    }
}

#[test]
fn a_run_whose_folder_is_removed_ends_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let child = begin(folder.path());
    fs::rename(folder.path().join("run"), folder.path().join("moved")).unwrap();
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{messages}");
    let last = messages.lines().last().unwrap();
    assert!(last.starts_with("error: run") && last.contains("was moved or removed"), "{messages}");
    assert!(!folder.path().join("run").exists());
    // What was saved before is whole.
    fs::rename(folder.path().join("moved"), folder.path().join("run")).unwrap();
    go_on(folder.path());
}

#[test]
fn whole_weights_with_a_damaged_log_are_gone_on_from_by_a_flag() {
    let folder = tempfile::tempdir().unwrap();
    let whole = small_run(folder.path(), "whole");
    let limit = |out: &str| {
        small_run(folder.path(), out);
        let path = folder.path().join(out).join("metrics.jsonl");
        fs::write(&path, "{\"kind\":\"ep").unwrap();
        path
    };
    let path = limit("run");
    let error = fail(folder.path(), &["train", "--resume", "run"], 1);
    assert!(error.contains("weights there are whole") && error.contains("--restart-log"), "{error}");
    let more = ["train", "--resume", "run", "--restart-log", "--set", "train.epochs=5"];
    succeed(folder.path(), &more);
    // The weights are those of a run that was not damaged, and nothing of the old log is lost.
    succeed(folder.path(), &["train", "-q", "--resume", "whole", "--set", "train.epochs=5"]);
    let weights = |run: &Path| fs::read(run.join("model.safetensors")).unwrap();
    assert!(weights(&whole) == weights(path.parent().unwrap()));
    let logged = log(&folder.path().join("run"));
    assert_eq!(logged.lines().count(), 2, "{logged}");
    assert_eq!(log(&whole).lines().last(), logged.lines().last());
    assert_eq!(fs::read_to_string(path.with_file_name("metrics.jsonl.damaged-1")).unwrap(), "{\"kind\":\"ep");
    // Without the log, too.
    fs::remove_file(&path).unwrap();
    fail(folder.path(), &["train", "--resume", "run"], 1);
    succeed(folder.path(), &["train", "--resume", "run", "--restart-log", "--set", "train.epochs=6"]);
    // A log that is whole stays.
    succeed(folder.path(), &["train", "--resume", "whole", "--restart-log", "--set", "train.epochs=6"]);
    assert_eq!(log(&whole).lines().count(), 7);
    assert_eq!(descent(folder.path(), &["train", "--restart-log"]).status.code(), Some(2));
}

#[test]
fn the_checkpoints_config_stands_in_for_a_damaged_one() {
    let folder = tempfile::tempdir().unwrap();
    let whole = small_run(folder.path(), "whole");
    succeed(folder.path(), &["train", "-q", "--resume", "whole", "--set", "train.epochs=6"]);
    let text = fs::read_to_string(small_run(folder.path(), "sample").join("config.toml")).unwrap();
    let cut = text.find("[optimizer]").unwrap();
    // The last section is whole in neither.
    let damaged =
        [&b""[..], b"\xff\xfe", b"[data", &text.as_bytes()[..cut], &text.as_bytes()[..text.len() - 20]];
    for (number, bytes) in damaged.into_iter().map(Some).chain([None]).enumerate() {
        let out = format!("run-{number}");
        let config = small_run(folder.path(), &out).join("config.toml");
        match bytes {
            Some(bytes) => fs::write(&config, bytes).unwrap(),
            None => fs::remove_file(&config).unwrap(),
        }
        let output = descent(folder.path(), &["train", "--resume", &out, "--set", "train.epochs=6"]);
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && messages.contains("stands in for it"), "{number}: {messages}");
        assert!(result(&folder.path().join(&out)) == result(&whole), "{number}");
        // It is whole again, and says so.
        let restored = fs::read_to_string(&config).unwrap();
        assert!(
            restored.contains("config.toml was restored") && restored.contains("epochs = 6"),
            "{restored}"
        );
        succeed(folder.path(), &["eval", &out]);
    }
    // A wrong value is somebody's, and is named.
    fs::write(folder.path().join("sample/config.toml"), text.replace("epochs =", "epoch =")).unwrap();
    assert!(fail(folder.path(), &["train", "--resume", "sample"], 2).contains("did you mean `epochs`"));
    let error = fail(folder.path(), &["train", "--resume", "sample"], 2);
    assert!(error.contains("remove it: the config of the checkpoint stands in for it"), "{error}");
    // A network that is damaged by hand is one that the run must not take, with the same way out.
    fs::write(folder.path().join("sample/config.toml"), text.replace("seed = ", "seed = 9")).unwrap();
    let error = fail(folder.path(), &["train", "--resume", "sample"], 2);
    assert!(error.contains("was changed by mistake, remove it"), "{error}");
}

#[test]
fn a_config_that_is_changed_meanwhile_is_said_at_the_next_save_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let child = begin(folder.path());
    let run = folder.path().join("run");
    let mut config = fs::File::options().append(true).open(run.join("config.toml")).unwrap();
    config.write_all(b"foo = 1\n").unwrap();
    wait_for_a_save(&run);
    wait_for_a_save(&run);
    let messages = stop(child);
    assert_eq!(messages.matches("config.toml was changed while the run goes on").count(), 1, "{messages}");
    let error = fail(folder.path(), &["train", "--resume", "run"], 2);
    assert!(error.contains("foo") && error.contains("stands in for it"), "{error}");
    fs::remove_file(run.join("config.toml")).unwrap();
    go_on(folder.path());
}
