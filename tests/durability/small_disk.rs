//! Disks that are full, and limits on files.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use super::{config, newest, result};
use crate::common::{program, succeed};

const SYSTEM: &str = "[model]\nname = 'mlp'\nhidden = [16]\n[optimizer]\nname = 'adam'\n[train]\n";

/// Runs a script of the shell with the program as `$descent`.
fn shell(folder: &Path, script: &str) -> Output {
    let program = program(folder, &[]).get_program().to_owned();
    Command::new("sh").args(["-c", script]).env("descent", program).current_dir(folder).output().unwrap()
}

#[test]
fn a_full_disk_is_a_clear_error_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEM, 250)).unwrap();
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "whole"]);
    let expected = result(&folder.path().join("whole"));
    // A file system of its own, where the machine lets its users make one.
    let script = "mkdir mnt && mount -t tmpfs -o size=${size}k tmpfs mnt && \
                  { $descent train c.toml -q --out mnt/run; code=$?; cp -r mnt/run out; exit $code; }";
    let (mut failed, mut whole) = (0, 0);
    for size in (1..=20).map(|step| 50 * step + 20) {
        let output =
            shell(folder.path(), &format!("size={size}; export size; unshare -Urm sh -c '{script}'"));
        let messages = String::from_utf8(output.stderr).unwrap();
        if output.status.code() == Some(1) && messages.contains("mount") | messages.contains("unshare") {
            println!("left out, this machine makes no file systems for its users: {messages}");
            return;
        }
        let run = folder.path().join("out");
        if output.status.success() {
            whole += 1;
        } else {
            failed += 1;
            assert!(messages.contains("No space left on device"), "{size}: {messages}");
            assert_eq!(messages.lines().count(), if run.exists() { 1 } else { 2 }, "{messages}");
        }
        // With room again the run ends as if nothing had been.
        if run.join("checkpoints").exists() && fs::read_dir(run.join("checkpoints")).unwrap().count() > 0 {
            succeed(folder.path(), &["train", "-q", "--resume", "out"]);
            assert_eq!(result(&run), expected, "{size}");
        }
        let _ = fs::remove_dir_all(run);
        fs::remove_dir(folder.path().join("mnt")).unwrap();
    }
    println!("{failed} of 20 sizes were too small");
    assert!(failed > 5 && whole > 1, "{failed} {whole}");
}

#[test]
fn a_read_only_disk_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEM, 250)).unwrap();
    let script = "mkdir mnt && mount -t tmpfs tmpfs mnt && $descent train c.toml -q --out mnt/run && \
                  mount -o remount,ro mnt && { $descent train --resume mnt/run; $descent train c.toml --out mnt/b; \
                  $descent eval mnt/run; }";
    let output = shell(folder.path(), &format!("unshare -Urm sh -c '{script}'"));
    let messages = String::from_utf8(output.stderr).unwrap();
    if messages.contains("mount:") || messages.contains("unshare:") {
        println!("left out, this machine makes no file systems for its users: {messages}");
        return;
    }
    let errors: Vec<&str> = messages.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 2, "{messages}");
    assert!(errors.iter().all(|error| error.contains("Read-only file system")), "{messages}");
    // What only reads needs no more.
    assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains("test_accuracy"));
}

#[test]
fn a_limit_on_the_size_of_files_stops_training_or_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config(SYSTEM, 250)).unwrap();
    // In blocks of 512 bytes: the weights fit, the optimizer's state does not.
    let output = shell(folder.path(), "ulimit -f 130; $descent train c.toml -q --out a");
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.status.signal()), (Some(1), None), "{messages}");
    assert!(messages.contains("File too large") && messages.contains("it needs about 15"), "{messages}");
    let output = shell(folder.path(), "ulimit -f 130; $descent train c.toml --out b --keep-going");
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    assert!(messages.contains("continuing (--keep-going)"), "{messages}");
    succeed(folder.path(), &["train", "c.toml", "-q", "--out", "whole"]);
    let model = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert_eq!(model("b"), model("whole"));
    assert_eq!(super::log(&folder.path().join("b")), super::log(&folder.path().join("whole")));
    assert!(newest(&folder.path().join("whole")).exists());
    // The same in a command that does not train.
    let output = shell(folder.path(), "ulimit -f 1; $descent export b --to onnx --output m.onnx");
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.status.signal()), (Some(1), None), "{messages}");
    assert!(messages.contains("File too large") && !folder.path().join("m.onnx").exists(), "{messages}");
}
